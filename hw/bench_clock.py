"""A clock that stands still until somebody advances it: the twin of time itself.

Tests and stories hand it to a driver as its clock, its timers and its sleep; then everything that
would happen in the next second happens inside `advance(1.0)`, in order, on the caller's thread.
It must never look at the real time. What changes with this file: every test that has a deadline.
"""

from __future__ import annotations

import heapq
import itertools
import threading

from hw.timers import Cancel, Due


class FakeClock:
    """Call it for the time (mono s); `advance` moves it and makes the calls that come due.

    Starts at `start_s`, not at zero, so that nothing mistakes "never" for "at the beginning".
    """

    def __init__(self, start_s: float = 1000.0) -> None:
        self._now_s = start_s
        self._due: list[tuple[float, int, Due]] = []
        self._tickets = itertools.count()
        self._lock = threading.RLock()

    def __call__(self) -> float:
        """The time that it is, in mono s."""
        return self._now_s

    def call_later(self, delay_s: float, due: Due) -> Cancel:
        """The twin of `ThreadTimers.call_later`."""
        with self._lock:
            ticket = next(self._tickets)
            heapq.heappush(self._due, (self._now_s + max(0.0, delay_s), ticket, due))
        return lambda: self._cancel(ticket)

    def advance(self, seconds: float) -> None:
        """Let `seconds` (>= 0) pass; each due call sees the very moment at which it is due."""
        if not seconds >= 0:
            raise ValueError(f"time never steps back, and {seconds} s is no time to come")
        end_s = self._now_s + seconds
        while (due := self._pop_due(end_s)) is not None:
            due()
        with self._lock:
            self._now_s = max(self._now_s, end_s)

    def sleep(self, seconds: float) -> None:
        """The twin of `time.sleep`: the sleeper is the one who lets time pass."""
        self.advance(max(0.0, seconds))

    @property
    def waiting(self) -> int:
        """How many calls are still to come."""
        return len(self._due)

    def _pop_due(self, end_s: float) -> Due | None:
        with self._lock:
            if not self._due or self._due[0][0] > end_s:
                return None
            due_s, _, due = heapq.heappop(self._due)
            self._now_s = max(self._now_s, due_s)
            return due

    def _cancel(self, ticket: int) -> None:
        with self._lock:
            self._due = [entry for entry in self._due if entry[1] != ticket]
            heapq.heapify(self._due)
