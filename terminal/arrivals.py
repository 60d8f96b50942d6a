"""What threads put into the loop's inbox, and the inbox itself.

Readers, lines, the link and the control socket live on threads of their own; all they may do is
put one of these into the inbox. The loop's thread alone turns arrivals into events
(`interpret`), with a moment taken there, so that events never run backwards in time.

What changes with this file: `interpret`, and whoever brings something new into the terminal.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import Counter
from dataclasses import dataclass, field

from hw.ports import InputChange, ReadKind
from terminal.core.values import CodeFault
from terminal.link import FromVision, Vector
from terminal.requests import Asked


@dataclass(frozen=True, slots=True)
class CardRead:
    """One read of a reader, as it came: a card, a pass that a scanner read, a PIN that was typed.

    `mono_s` is when the reader had it whole; None where nobody measures.
    """

    reader: str
    raw: bytes = field(repr=False)
    kind: ReadKind = ReadKind.IDENTIFIER
    mono_s: float | None = None


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
class CodeSeen:
    """The code reader saw one code that begins as a pass of ours does; nothing of it is checked."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class CodeRefusedSeen:
    """The code reader saw codes none of which can be taken."""

    why: CodeFault


@dataclass(frozen=True, slots=True)
class CodesWorking:
    """Whether a code that is held up now would be read: frames come, and are looked at."""

    working: bool


@dataclass(frozen=True, slots=True)
class StopAsked:
    """The process was told to end."""


Arrival = (
    CardRead
    | ReaderWorks
    | VisionConnected
    | VisionSaid
    | CodeSeen
    | CodeRefusedSeen
    | CodesWorking
    | InputChange
    | Asked
    | StopAsked
)


CARDS_WAITING = 4
CODES_WAITING = 4
VISION_WAITING = 64
"""So many reads of one reader, codes, and messages of vision may wait; more are dropped and
counted."""


class Inbox:
    """Arrivals in the order in which they came: lines first, then people and parts, then vision.

    A line's change carries the moment of its edge, so it is heard before anything that would let
    later time pass. Who could flood has few places of its own: a reader, the codes, and vision.
    Lines, parts and operators are bounded where they come from and never dropped: a lost edge of
    the contact or the button would be a wrong idea of the door. A stop is a mere flag, since it
    comes from a signal handler, which may not wait for a lock.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Arrival]] = []
        self._numbers = itertools.count()
        self._waiting: Counter[str] = Counter()
        self._news = threading.Condition()
        self._stop = False
        self.dropped = 0

    def put(self, arrival: Arrival) -> None:
        """Take an arrival from any thread; never waits for room. What is dropped is overwritten."""
        if isinstance(arrival, StopAsked):
            self._stop = True
            return
        with self._news:
            if self._has_room(arrival):
                self._waiting[_source(arrival)] += 1
                heapq.heappush(self._heap, (_rank(arrival), next(self._numbers), arrival))
                self._news.notify()
                return
            self.dropped += 1
        if isinstance(arrival, VisionSaid):
            arrival.numbers.fill(0)

    def get(self, timeout_s: float) -> Arrival | None:
        """The next arrival, or None when none comes in time; a stop is seen by then too."""
        with self._news:
            if not (self._heap or self._stop):
                self._news.wait(max(0.0, timeout_s))
            if self._stop:
                return StopAsked()
            if not self._heap:
                return None
            arrival = heapq.heappop(self._heap)[2]
            self._waiting[_source(arrival)] -= 1
            return arrival

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._heap

    def _has_room(self, arrival: Arrival) -> bool:
        match arrival:
            case CardRead():
                return self._waiting[_source(arrival)] < CARDS_WAITING
            case CodeSeen() | CodeRefusedSeen():
                return self._waiting[_source(arrival)] < CODES_WAITING
            case VisionSaid():
                return self._waiting[_source(arrival)] < VISION_WAITING
            case _:
                return True


def _source(arrival: Arrival) -> str:
    match arrival:
        case CardRead():
            return f"reader {arrival.reader}"
        case CodeSeen() | CodeRefusedSeen():
            return "codes"
        case _:
            return type(arrival).__name__


def _rank(arrival: Arrival) -> int:
    match arrival:
        case InputChange():
            return 0
        case VisionSaid():
            return 2
        case _:
            return 1
