"""Later calls, on the thread and on the clock that stands still."""

from __future__ import annotations

import threading
import time

import pytest

from hw.bench_clock import FakeClock
from hw.errors import DeviceError
from hw.timers import ThreadTimers


def test_thread_makes_calls_in_the_order_in_which_they_are_due() -> None:
    timers = ThreadTimers("test", time.monotonic)
    order: list[str] = []
    done = threading.Event()
    timers.call_later(0.06, done.set)
    timers.call_later(0.04, lambda: order.append("second"))
    timers.call_later(0.02, lambda: order.append("first"))
    assert done.wait(2.0)
    assert order == ["first", "second"]
    timers.close()


def test_cancelled_call_is_not_made_and_may_be_cancelled_late() -> None:
    timers = ThreadTimers("test", time.monotonic)
    order: list[str] = []
    done = threading.Event()
    cancel = timers.call_later(0.02, lambda: order.append("cancelled"))
    cancel()
    cancel_done = timers.call_later(0.04, done.set)
    assert done.wait(2.0)
    cancel_done()
    assert order == []
    timers.close()


def test_closed_thread_takes_no_call() -> None:
    timers = ThreadTimers("test", time.monotonic)
    timers.close()
    timers.close()
    with pytest.raises(DeviceError, match="has ended"):
        timers.call_later(0.0, lambda: None)


def test_call_may_close_its_own_thread() -> None:
    timers = ThreadTimers("test", time.monotonic)
    closed = threading.Event()

    def close() -> None:
        timers.close()
        closed.set()

    timers.call_later(0.0, close)
    assert closed.wait(2.0)


def test_fake_clock_shows_each_call_the_moment_at_which_it_is_due() -> None:
    clock = FakeClock(100.0)
    seen: list[float] = []
    clock.call_later(2.0, lambda: seen.append(clock()))
    clock.call_later(1.0, lambda: seen.append(clock()))
    clock.advance(5.0)
    assert seen == [101.0, 102.0]
    assert clock() == 105.0


def test_fake_clock_makes_calls_that_were_asked_for_by_a_call() -> None:
    clock = FakeClock(0.0)
    seen: list[float] = []

    def again() -> None:
        seen.append(clock())
        clock.call_later(1.0, again)

    clock.call_later(1.0, again)
    clock.advance(3.5)
    assert seen == [1.0, 2.0, 3.0]


def test_fake_clock_forgets_a_cancelled_call_and_never_steps_back() -> None:
    clock = FakeClock()
    clock.call_later(1.0, lambda: pytest.fail("it was cancelled"))()
    clock.advance(2.0)
    with pytest.raises(ValueError, match="never steps back"):
        clock.advance(-1.0)


def test_sleeping_lets_the_fake_time_pass() -> None:
    clock = FakeClock(0.0)
    clock.sleep(1.5)
    clock.sleep(-1.0)
    assert clock() == 1.5
