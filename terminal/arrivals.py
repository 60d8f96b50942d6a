"""What threads put into the loop's inbox, and the inbox itself.

Readers, lines, the link and the control socket live on threads of their own; all they may do is
put one of these into the inbox. The loop's thread alone turns arrivals into events
(`interpret`), with a moment taken there, so that events never run backwards in time.

What changes with this file: `interpret`, and whoever brings something new into the terminal.
"""

from __future__ import annotations

import itertools
import queue
from dataclasses import dataclass

from hw.ports import InputChange
from terminal.link import FromVision, Vector
from terminal.requests import Asked


@dataclass(frozen=True, slots=True)
class CardRead:
    """One read of a card reader, as it came."""

    reader: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class ReaderWorks:
    """A reader came or went."""

    reader: str
    working: bool


@dataclass(frozen=True, slots=True)
class VisionConnected:
    """The vision process is on the link, or no longer."""

    connected: bool


@dataclass(frozen=True, slots=True, eq=False)
class VisionSaid:
    """One message of vision's; `numbers` are a copy of its own, to be overwritten after use."""

    message: FromVision
    numbers: Vector


@dataclass(frozen=True, slots=True)
class StopAsked:
    """The process was told to end."""


Arrival = CardRead | ReaderWorks | VisionConnected | VisionSaid | InputChange | Asked | StopAsked


class Inbox:
    """Arrivals in the order in which they came, changes of a line first; bounded.

    A line's change carries the moment of its edge, so it is heard before anything that would let
    later time pass. A flood is dropped and counted, not stored: vision may take half of the places,
    so that no flood of its messages keeps a card out. A stop is never dropped.
    """

    def __init__(self, places: int = 1024) -> None:
        self._queue: queue.PriorityQueue[tuple[int, int, Arrival]] = queue.PriorityQueue(places)
        self._numbers = itertools.count()
        self._places_of_vision = places // 2
        self._stop = False
        self.dropped = 0

    def put(self, arrival: Arrival) -> None:
        """Take an arrival from any thread; never blocks. What is dropped is overwritten."""
        if isinstance(arrival, StopAsked):
            self._stop = True
        try:
            self._put(arrival)
        except queue.Full:
            self.dropped += 1
            if isinstance(arrival, VisionSaid):
                arrival.numbers.fill(0)

    def _put(self, arrival: Arrival) -> None:
        if isinstance(arrival, VisionSaid) and self._queue.qsize() >= self._places_of_vision:
            raise queue.Full
        rank = 0 if isinstance(arrival, InputChange) else 1
        self._queue.put_nowait((rank, next(self._numbers), arrival))

    def get(self, timeout_s: float) -> Arrival | None:
        """The next arrival, or None when none comes in time."""
        if self._stop:
            return StopAsked()
        try:
            return self._queue.get(timeout=max(0.0, timeout_s))[2]
        except queue.Empty:
            return None
