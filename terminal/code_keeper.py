"""Keeps a worker at the frames: lets vision in, finds the door, forks, and forks again.

The keeper never looks at a frame or a payload. It holds the sockets, so that a worker that died
of a frame is replaced within milliseconds on the same connections: vision is told that the frame
had no code, and the next frame is read. A storm of deaths is slowed down (`Backoff`). A worker
that takes a frame in hand and does nothing is ended, too. Twice a second the door hears how it
goes, also while no worker lives.

What changes with this file: `code_worker`, `app_qr`, docs/codes.md.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from terminal.code_link import CodeMessage, CodesAlive, Done, Frame, Packets
from terminal.code_worker import Ending, Ends, work
from terminal.codes import Decode
from terminal.errors import LinkBroken
from terminal.tally import InHand, Tally

log = logging.getLogger(__name__)

ALIVE_S = 0.5
"""How often the door hears of the code reader."""

CONNECT_EVERY_S = 1.0
"""How often the door is looked for while it is not there."""

TOO_LONG_S = 2.0
"""A frame that is in hand for so long without its processor time running out is not being read."""

STORM_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0

Connect = Callable[[], socket.socket | None]
"""A connection to the door, or None while there is none to be had; never waits."""

Admit = Callable[[], socket.socket | None]
"""The next connection of a process that may be vision, or None."""


class Backoff:
    """How long to wait before the next fork: after one death not at all, in a storm a second."""

    def __init__(self) -> None:
        self._deaths: deque[float] = deque(maxlen=16)

    def died(self, now_s: float) -> float:
        """A worker has died; the pause (s) before the next one."""
        while self._deaths and now_s - self._deaths[0] > STORM_S:
            self._deaths.popleft()
        before = len(self._deaths)
        self._deaths.append(now_s)
        return 0.0 if before == 0 else min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (before - 1))


@dataclass(frozen=True, slots=True)
class _Live:
    """A worker: its process, a descriptor that becomes readable when it ends, and the pipe that
    tells it to end as soon as this end of it is closed."""

    pid: int
    pidfd: int
    tells_to_end: int


class Keeper:
    """One vision, one door, one worker at a time. One thread, which forks: it must stay alone."""

    def __init__(
        self,
        listener: socket.socket,
        admit: Admit,
        connect: Connect,
        decode: Decode,
        clock: Callable[[], float],
    ) -> None:
        self._listener, self._admit, self._connect = listener, admit, connect
        self._decode, self._clock = decode, clock
        self._tally, self._backoff = Tally(), Backoff()
        self._vision: Packets[Frame] | None = None
        self._door: Packets[CodeMessage] | None = None
        self._live: _Live | None = None
        self._is_told_to_end = False
        self._not_before_s = self._connected_s = self._alive_s = float("-inf")
        self.crashes = 0

    def turn(self) -> None:
        """Whatever is to do now; returns after ALIVE_S at the latest."""
        self._meet_the_door()
        if self._vision is not None and self._live is None and self._clock() >= self._not_before_s:
            self._fork(self._vision)
        ready = self._wait()
        if self._listener.fileno() in ready:
            self._meet_vision()
        if self._door is not None and self._door.fileno() in ready:
            self._lose_the_door("The door has ended; it is looked for.")
        if self._live is not None and self._live.pidfd in ready:
            self._bury(self._live)
        self._end_the_stuck()
        self._tell_alive()

    def close(self) -> None:
        """End the worker and close every connection. May be called twice."""
        if self._live is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._live.pid, signal.SIGKILL)
            self._forget(self._live)
        for one in (self._vision, self._door):
            if one is not None:
                one.close()
        self._vision = self._door = None

    # Who is there

    def _wait(self) -> set[int]:
        watch = select.poll()
        if self._vision is None:
            watch.register(self._listener, select.POLLIN)
        if self._door is not None:
            watch.register(self._door, select.POLLIN)
        if self._live is not None:
            watch.register(self._live.pidfd, select.POLLIN)
        return {descriptor for descriptor, _ in watch.poll(self._sleep_s() * 1000)}

    def _sleep_s(self) -> float:
        now_s = self._clock()
        wait_s = self._alive_s + ALIVE_S - now_s
        if self._vision is not None and self._live is None:
            wait_s = min(wait_s, self._not_before_s - now_s)
        return min(ALIVE_S, max(0.0, wait_s))

    def _meet_vision(self) -> None:
        connected = self._admit()
        if connected is not None:
            self._vision = Packets(connected, Frame)

    def _meet_the_door(self) -> None:
        now_s = self._clock()
        if self._door is not None or now_s - self._connected_s < CONNECT_EVERY_S:
            return
        self._connected_s = now_s
        connected = self._connect()
        if connected is not None:
            self._door = Packets(connected, CodeMessage)
            self._renew()

    def _lose_the_door(self, why: str) -> None:
        log.warning("%s", why)
        if self._door is not None:
            self._door.close()
            self._door = None
            self._renew()

    # The worker

    def _fork(self, vision: Packets[Frame]) -> None:
        ends_here, tells = os.pipe2(os.O_CLOEXEC)
        keeper = os.getpid()
        pid = os.fork()
        if pid == 0:
            ends = Ends(vision, self._door, ends_here)
            work(ends, self._tally, self._decode, self._clock, keeper)
        os.close(ends_here)
        self._live = _Live(pid, os.pidfd_open(pid), tells)

    def _renew(self) -> None:
        """Let the worker end after the frame in hand; the next one has the present connections."""
        if self._live is not None and not self._is_told_to_end:
            self._is_told_to_end = True
            with contextlib.suppress(BrokenPipeError):
                os.write(self._live.tells_to_end, b".")

    def _bury(self, live: _Live) -> None:
        held, was_told = self._tally.in_hand, self._is_told_to_end
        status = self._forget(live)
        if status == Ending.TOLD_TO and was_told:
            return
        if status == Ending.VISION_GONE:
            self._let_vision_go()
        elif status == Ending.DOOR_GONE and self._door is not None:
            self._lose_the_door("The door does not keep up; it is connected to anew.")
        else:
            self._count_crash(status)
        self._answer_for(held)

    def _forget(self, live: _Live) -> int:
        """Its exit status, or minus the signal that ended it."""
        _, status = os.waitpid(live.pid, 0)
        os.close(live.pidfd)
        os.close(live.tells_to_end)
        self._live, self._is_told_to_end = None, False
        self._tally.drop()
        return os.waitstatus_to_exitcode(status)

    def _count_crash(self, status: int) -> None:
        self.crashes += 1
        now_s = self._clock()
        pause_s = self._backoff.died(now_s)
        self._not_before_s = now_s + pause_s
        log.warning("A frame ended the decoder (%d); the next begins in %.2f s.", status, pause_s)

    def _answer_for(self, held: InHand | None) -> None:
        """Vision waits for the frame that was in a dead worker's hand: no code was found in it."""
        if held is not None and self._vision is not None:
            try:
                self._vision.send(Done(held.number, found=False))
            except LinkBroken:
                self._let_vision_go()

    def _let_vision_go(self) -> None:
        if self._vision is not None:
            self._vision.close()
            self._vision = None

    def _end_the_stuck(self) -> None:
        held = self._tally.in_hand
        if self._live is None or held is None:
            return
        if not -TOO_LONG_S < self._clock() - held.since_s < TOO_LONG_S:
            os.kill(self._live.pid, signal.SIGKILL)

    def _tell_alive(self) -> None:
        now_s = self._clock()
        if now_s - self._alive_s < ALIVE_S:
            return
        self._alive_s = now_s
        if self._door is not None:
            alive = CodesAlive(self._tally.frames, self._tally.decoded, self.crashes)
            try:
                self._door.send(alive)
            except LinkBroken:
                self._lose_the_door("The door does not keep up; it is connected to anew.")
