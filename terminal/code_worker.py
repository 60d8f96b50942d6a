"""The process that looks at hostile pictures: one frame in, at most one telling and one answer out.

It is forked by `code_keeper` with the connections it needs and nothing else, gives up everything
it can (`confine`), and then takes frames until it is told to end, or dies of one. Its death is an
ordinary event: it holds nothing that anybody else needs. It must never come back into the program
that forked it, and it opens nothing: what it was not given it does not have.

What changes with this file: `code_keeper`, which reads how it ended.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import NoReturn

from terminal.code_link import CodeMessage, Done, Frame, Packets
from terminal.codes import CodeRules, Decode
from terminal.confine import LimitedTime, confine
from terminal.errors import LinkBroken
from terminal.frame_memory import opened
from terminal.tally import Tally

CPU_S = 1.0
"""Processor time for one frame; the kernel ends whoever takes more (A8)."""

ROOM_BYTES = 96 * 2**20
"""Memory beyond what the process has at its fork. Decoding frames of 1920 x 1080 full of noise took
up to 33 MB (`make codes` measures it), and the frame itself takes 2; the rest is margin."""


class Ending(IntEnum):
    """How a worker ended, as its exit status; anything else is a crash."""

    TOLD_TO = 0
    VISION_GONE = 10
    DOOR_GONE = 11
    CRASHED = 12


@dataclass(frozen=True, slots=True)
class Ends:
    """What a worker is given: its connections, and a pipe on which it is told to end."""

    vision: Packets[Frame]
    door: Packets[CodeMessage] | None
    told_to_end: int

    @property
    def descriptors(self) -> frozenset[int]:
        """Everything that stays open in it."""
        door = () if self.door is None else (self.door.fileno(),)
        return frozenset({self.vision.fileno(), self.told_to_end, *door})


def work(
    ends: Ends, tally: Tally, decode: Decode, clock: Callable[[], float], parent: int
) -> NoReturn:
    """Be the worker, right after the fork. Never returns, whatever happens."""
    ending = Ending.CRASHED
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGPROF):
            signal.signal(number, signal.SIG_DFL)
        confine(parent, ends.descriptors, ROOM_BYTES)
        ending = Worker(ends, tally, decode, clock).run()
    finally:
        os._exit(ending)


class Worker:
    """Takes frames from vision, tells the door, answers vision."""

    def __init__(
        self, ends: Ends, tally: Tally, decode: Decode, clock: Callable[[], float]
    ) -> None:
        self._ends, self._tally, self._decode, self._clock = ends, tally, decode, clock
        self._rules = CodeRules()
        self._watch = select.poll()
        self._watch.register(ends.vision, select.POLLIN)
        self._watch.register(ends.told_to_end, select.POLLIN)

    def run(self) -> Ending:
        """One frame after the other, until there is a reason to end."""
        ending = None
        while ending is None:
            ready = {descriptor for descriptor, _ in self._watch.poll()}
            told = self._ends.told_to_end in ready
            ending = Ending.TOLD_TO if told else self.turn()
        return ending

    def turn(self) -> Ending | None:
        """Take the frame that has come; a reason to end, if there is one."""
        try:
            heard = self._ends.vision.receive()
            if heard is None:
                return None
            frame, descriptor = heard
            if descriptor is None:
                raise LinkBroken("A frame came without its memory.")
            return self._take(frame, descriptor)
        except LinkBroken:
            return Ending.VISION_GONE

    def _take(self, frame: Frame, descriptor: int) -> Ending | None:
        try:
            return self._look(frame, descriptor)
        finally:
            os.close(descriptor)

    def _look(self, frame: Frame, descriptor: int) -> Ending | None:
        now_s = self._clock()
        self._tally.begin(frame.number, now_s)
        with opened(descriptor, frame.width_px, frame.height_px) as grey, LimitedTime(CPU_S):
            contents = tuple(self._decode(grey))
        verdict = self._rules.judge(contents, now_s)
        is_told = verdict.telling is None or self._tell(verdict.telling)
        self._tally.finish(decoded=bool(contents))
        self._ends.vision.send(Done(frame.number, verdict.found))
        return None if is_told else Ending.DOOR_GONE

    def _tell(self, telling: CodeMessage) -> bool:
        """False when the door can't be told; what is in view is told anew to the next one."""
        if self._ends.door is None:
            return True
        try:
            self._ends.door.send(telling)
        except LinkBroken:
            return False
        return True
