"""Vision's end of the link to the code reader: hands grey frames over, and hears only yes or no.

One frame at a time is on its way, and vision never waits for the code reader but in `look_first`,
which is bounded. A code reader that is absent, slow or broken costs no frame: vision goes on, and
it is connected to anew, once a second. What a code says never comes back here; it goes to the door
alone. The grey copy is overwritten as soon as it is handed over; what was handed over lies in
sealed memory without a name (`frame_memory`), gone when the code reader has closed it.

What changes with this file: `vision`, `code_link`.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from terminal.code_link import Done, Frame, Packets
from terminal.errors import LinkBroken
from terminal.frame_memory import sealed

Image = npt.NDArray[np.uint8]

OFTEN_S, SELDOM_S = 0.1, 0.5
"""A frame is handed over so often while something moves or somebody is there, and otherwise."""

FIRST_S = 0.15
"""A face waits so long at most for the codes in the same frame (D1)."""

FOUND_S = 1.0
"""So long after a code was found no face is looked at closer."""

ANSWER_S = 3.0
"""A code reader that owes an answer for so long hangs. Its own keeper ends a frame after 2 s."""

CONNECT_EVERY_S = 1.0

Connect = Callable[[], socket.socket]
"""A connection to the code reader; never waits. Raises OSError."""


class HasFileno(Protocol):
    """Something that can be waited for besides."""

    def fileno(self) -> int:
        """Its descriptor."""
        ...


class CodeReader(Protocol):
    """What vision needs of the way to the code reader."""

    def offer(self, rgb: Image, at_s: float, often: bool) -> None:
        """Hand this frame over if one is due and none is on its way. Never waits."""
        ...

    def look_first(
        self, rgb: Image, at_s: float, may_wait: Callable[[], bool], also: HasFileno
    ) -> None:
        """Have this very frame looked at, and wait for that, as long as it may be waited."""
        ...

    @property
    def holds_code(self) -> bool:
        """Whether somebody holds up a code, or did a moment ago."""
        ...

    def close(self) -> None:
        """Let it go."""
        ...


@dataclass(frozen=True, slots=True)
class _OnItsWay:
    """The frame that is not answered yet: its number, its capture time, when it was posted."""

    number: int
    of_s: float
    since_s: float


class FramePost:
    """Hands over frames of one size. `clock`: mono s."""

    def __init__(
        self, connect: Connect, width_px: int, height_px: int, clock: Callable[[], float]
    ) -> None:
        self._connect, self._clock = connect, clock
        self._grey = np.zeros((height_px, width_px), np.uint8)
        self._link: Packets[Done] | None = None
        self._way: _OnItsWay | None = None
        self._posted_s = self._connected_s = self._found_s = float("-inf")
        self._of_s: float | None = None
        self.posted = 0
        """How many frames were handed over."""

    def offer(self, rgb: Image, at_s: float, often: bool) -> None:
        """As the protocol says. `rgb` is uint8 (height, width, 3), captured at `at_s`."""
        self._hear()
        now_s = self._clock()
        if now_s - self._posted_s >= (OFTEN_S if often else SELDOM_S):
            self._post(rgb, at_s)

    def look_first(
        self, rgb: Image, at_s: float, may_wait: Callable[[], bool], also: HasFileno
    ) -> None:
        """As the protocol says; `may_wait` is asked whenever `also` can be read.

        A code reader that already owes an answer for longer than FIRST_S is not waited for again.
        """
        until_s = self._clock() + FIRST_S
        self._hear()
        if self._is_overdue():
            return
        if self._of_s != at_s:
            self._wait(until_s, may_wait, also)
            self._post(rgb, at_s)
        self._wait(until_s, may_wait, also)

    @property
    def holds_code(self) -> bool:
        """Whether a code was found in a frame of the last FOUND_S."""
        return self._clock() - self._found_s < FOUND_S

    def close(self) -> None:
        """Hang up. May be called twice."""
        self._grey.fill(0)
        self._hang_up()

    def _is_overdue(self) -> bool:
        return self._way is not None and self._clock() - self._way.since_s >= FIRST_S

    def _wait(self, until_s: float, may_wait: Callable[[], bool], also: HasFileno) -> None:
        while self._way is not None and self._link is not None and may_wait():
            left_s = until_s - self._clock()
            if left_s <= 0:
                return
            watch = select.poll()
            watch.register(self._link, select.POLLIN)
            watch.register(also, select.POLLIN)
            watch.poll(left_s * 1000)
            self._hear()

    def _post(self, rgb: Image, at_s: float) -> None:
        """Hand it over, if nothing is on its way and there is somebody to hand it to."""
        if self._way is not None or not self._is_connected():
            return
        self._posted_s, self._of_s = self._clock(), at_s
        height_px, width_px = self._grey.shape
        try:
            cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY, dst=self._grey)
            with sealed(self._grey.data.cast("B")) as descriptor:
                self._send(Frame(self.posted + 1, width_px, height_px), descriptor)
        except (OSError, LinkBroken):
            self._hang_up()
            return
        finally:
            self._grey.fill(0)
        self.posted += 1
        self._way = _OnItsWay(self.posted, at_s, self._posted_s)

    def _send(self, frame: Frame, descriptor: int) -> None:
        if self._link is not None:
            self._link.send(frame, descriptor)

    def _hear(self) -> None:
        """Take every answer that has come. Never waits."""
        try:
            while self._link is not None and (heard := self._link.receive()) is not None:
                self._take(heard[0])
        except LinkBroken:
            self._hang_up()
        if self._way is not None and self._clock() - self._way.since_s >= ANSWER_S:
            self._hang_up()

    def _take(self, done: Done) -> None:
        if self._way is None or done.number != self._way.number:
            raise LinkBroken("An answer came to a frame that nobody asked about.")
        self._way = None
        if done.found:
            self._found_s = self._clock()

    def _is_connected(self) -> bool:
        now_s = self._clock()
        if self._link is None and now_s - self._connected_s >= CONNECT_EVERY_S:
            self._connected_s = now_s
            try:
                self._link = Packets(self._connect(), Done)
            except (OSError, LinkBroken):
                return False
        return self._link is not None

    def _hang_up(self) -> None:
        self._way = None
        if self._link is not None:
            self._link.close()
            self._link = None
