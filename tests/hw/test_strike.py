"""Ring 2: the strike's guard, on lines that fail and with callers that never come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from hw.bench import BenchBoard, LineChange
from hw.bench_clock import FakeClock
from hw.errors import DeviceError
from hw.gpio import GpiozeroBoard
from hw.strike import GuardedStrike
from hw.timers import ThreadTimers
from hw.wiring import LineName, Wiring


class FlakyLine:
    """A line that can be told to fail in the ways in which lines fail."""

    def __init__(self) -> None:
        self.energised = False
        self.fails_to_write = 0
        self.stuck: bool | None = None

    def set(self, energised: bool) -> None:
        if self.fails_to_write:
            self.fails_to_write -= 1
            raise DeviceError("the line fails")
        self.energised = energised

    def read(self) -> bool:
        return self.energised if self.stuck is None else self.stuck


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def line() -> FlakyLine:
    return FlakyLine()


@pytest.fixture
def strike(line: FlakyLine, clock: FakeClock) -> GuardedStrike:
    return GuardedStrike(line.set, line.read, clock, clock.call_later)


def test_release_that_fails_leaves_the_strike_at_rest(
    strike: GuardedStrike, line: FlakyLine
) -> None:
    line.fails_to_write = 1
    with pytest.raises(DeviceError, match="the line fails"):
        strike.release(1.0)
    assert not line.energised


def test_hold_that_failed_does_not_prolong_a_later_pulse(
    strike: GuardedStrike, line: FlakyLine, clock: FakeClock
) -> None:
    line.fails_to_write = 1
    with pytest.raises(DeviceError):
        strike.hold(5.0)
    strike.release(1.0)
    clock.advance(1.0)
    assert not line.energised


def test_release_that_does_not_read_back_is_an_error(
    strike: GuardedStrike, line: FlakyLine
) -> None:
    line.stuck = False
    with pytest.raises(DeviceError, match="reads back at rest"):
        strike.release(1.0)
    assert not line.energised


@pytest.mark.requirement("T20")
def test_guard_tries_again_until_the_line_rests(
    strike: GuardedStrike, line: FlakyLine, clock: FakeClock
) -> None:
    strike.release(1.0)
    line.fails_to_write = 3
    clock.advance(1.0)
    assert line.energised
    clock.advance(0.2)
    assert not line.energised


def test_securing_a_line_that_stays_released_is_an_error_and_goes_on_trying(
    strike: GuardedStrike, line: FlakyLine, clock: FakeClock
) -> None:
    strike.release(1.0)
    line.stuck = True
    with pytest.raises(DeviceError, match="still reads released"):
        strike.secure()
    line.stuck, line.energised = None, True
    clock.advance(0.1)
    assert not line.energised


def test_strike_without_a_living_guard_is_not_released(line: FlakyLine) -> None:
    timers = ThreadTimers("guard", time.monotonic)
    strike = GuardedStrike(line.set, line.read, time.monotonic, timers.call_later)
    timers.close()
    with pytest.raises(DeviceError, match="has ended"):
        strike.release(1.0)
    assert not line.energised


def test_end_is_armed_before_the_line_is_energised(clock: FakeClock) -> None:
    armed_at_energising: list[int] = []
    line = FlakyLine()

    def energise(energised: bool) -> None:
        armed_at_energising.append(clock.waiting)
        line.set(energised)

    GuardedStrike(energise, line.read, clock, clock.call_later).release(1.0)
    assert armed_at_energising == [1]


def test_there_is_never_a_moment_without_a_guard_between_two_releases(line: FlakyLine) -> None:
    clock = FakeClock()
    armed: list[int] = []

    def call_later(delay_s: float, due: object) -> object:
        cancel = clock.call_later(delay_s, due)  # type: ignore[arg-type]

        def cancel_and_count() -> None:
            cancel()
            armed.append(clock.waiting)

        return cancel_and_count

    strike = GuardedStrike(line.set, line.read, clock, call_later)  # type: ignore[arg-type]
    for _ in range(5):
        strike.release(1.0)
    assert armed == [1, 1, 1, 1]


PULSE_S = 0.2
SOONEST_S = PULSE_S / 2  # the timer runs from the call; a busy machine drives the pin later
LATEST_S = PULSE_S + 0.5
"""T20's bound for any crash or hang. On a fake clock the contract holds 50 ms; this is a real
thread on a machine that may be busy."""


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """An event that comes only when the test is over."""
    event = threading.Event()
    yield event
    event.set()


def hang(never: threading.Event) -> None:
    never.wait()


def release_and_never_come_back(
    strike: GuardedStrike, max_s: float, never: threading.Event
) -> threading.Thread:
    def caller() -> None:
        strike.release(max_s)
        never.wait()

    thread = threading.Thread(target=caller, daemon=True)
    thread.start()
    return thread


@pytest.mark.requirement("A13", "T20", "T21")
def test_bench_strike_is_secured_though_the_thread_that_released_it_never_runs_again(
    never: threading.Event,
) -> None:
    board = BenchBoard()
    secured = threading.Event()
    changes: list[LineChange] = []

    def note(change: LineChange) -> None:
        changes.append(change)
        if not change.active:
            secured.set()

    board.subscribe(note)
    thread = release_and_never_come_back(board.strike, PULSE_S, never)
    assert secured.wait(2.0)
    assert thread.is_alive(), "the caller still hangs"
    assert [(c.line, c.active) for c in changes] == [
        (LineName.STRIKE, True),
        (LineName.STRIKE, False),
    ]
    assert SOONEST_S <= changes[1].mono_s - changes[0].mono_s <= LATEST_S
    board.close()


@pytest.mark.requirement("A13", "T20", "T21")
def test_pin_is_secured_though_the_releasing_thread_and_the_inputs_thread_hang(
    never: threading.Event,
) -> None:
    factory = MockFactory(pin_class=MockPin)
    board = GpiozeroBoard(factory, Wiring(), time.monotonic)
    board.start(lambda change: hang(never))
    factory.pin(5).drive_low()  # the kiosk button: its report now hangs on the inputs' thread
    thread = release_and_never_come_back(board.strike, PULSE_S, never)
    pin = factory.pin(17)
    end_s = time.monotonic() + 2.0
    while len([s for s in pin.states if not s.state]) < 2 and time.monotonic() < end_s:
        thread.join(0.01)
    assert thread.is_alive(), "the caller still hangs"
    assert [state.state for state in pin.states] == [False, True, False]
    assert SOONEST_S <= pin.states[2].timestamp <= LATEST_S
    never.set()
    board.close()
