"""Calls that come later, on a thread of their own.

Drivers must not wait on the thread that calls them, and the strike's end must come even if every
other thread hangs; so whoever needs a later call gets a `ThreadTimers` of its own, and the strike
shares its with nobody. A call that is due must be short and must not raise. In tests
`hw.bench_clock.FakeClock.call_later` takes the place of the thread. What changes with this file:
the strike's guard, debouncing, the buzzer's patterns, the bench.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable

from hw.errors import DeviceError
from hw.ports import Clock

Due = Callable[[], None]
Cancel = Callable[[], None]

CallLater = Callable[[float, Due], Cancel]
"""Call back once after so many seconds (>= 0); the answer, called, prevents what is not yet due."""


class ThreadTimers:
    """A thread that makes calls when they are due, in the order in which they are due.

    `clock` gives seconds and never steps back. The thread runs from construction, so that a later
    shortage of threads can't leave a released strike without its end.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[float, int, Due]] = []
        self._tickets = itertools.count()
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def call_later(self, delay_s: float, due: Due) -> Cancel:
        """Call `due` after `delay_s` seconds. Raises DeviceError when the thread has ended."""
        with self._changed:
            if self._is_closed or not self._thread.is_alive():
                raise DeviceError(f"The timer thread {self._thread.name} has ended; restart.")
            ticket = next(self._tickets)
            heapq.heappush(self._due, (self._clock() + delay_s, ticket, due))
            self._changed.notify()
        return lambda: self._cancel(ticket)

    def close(self) -> None:
        """Drop what is not yet due and end the thread; waits for a call that is being made."""
        with self._changed:
            self._is_closed = True
            self._due.clear()
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=1.0)

    def _cancel(self, ticket: int) -> None:
        with self._changed:
            self._due = [entry for entry in self._due if entry[1] != ticket]
            heapq.heapify(self._due)

    def _run(self) -> None:
        while (due := self._next_due()) is not None:
            due()

    def _next_due(self) -> Due | None:
        with self._changed:
            while not self._is_closed:
                wait_s = self._due[0][0] - self._clock() if self._due else None
                if wait_s is not None and wait_s <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait_s)
            return None
