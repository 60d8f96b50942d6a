"""Wiegand output: what goes out is what a panel understands, and nothing goes out late."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory, MockPin
from hypothesis import given
from hypothesis import strategies as st

from hw.bench import BenchBoard
from hw.bench_clock import FakeClock
from hw.errors import DeviceError
from hw.gpio import GpiozeroBoard
from hw.panel import PULSE_S, SPACING_S, WAITING, FrameWriter, WiegandPanel
from hw.ports import Edge
from hw.wiegand import FORMATS, Frame, bits_of, bursts, decode, encode
from hw.wiring import LineName, Wiring

SOON_S = 5.0
PANEL = Wiring.from_names({"panel_d0": 23, "panel_d1": 18})


class Wire:
    """Two lines that note what happens to them, and when."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.levels = [False, False]
        self.pulses: list[tuple[int, float, float]] = []
        self._up_s = [0.0, 0.0]
        self.fails_at = -1
        self.sticks_once = False

    def lines(self) -> tuple[Setter, Setter]:
        return Setter(self, 0), Setter(self, 1)

    def set(self, line: int, active: bool) -> None:
        if active and len(self.pulses) == self.fails_at:
            raise DeviceError("The line panel_d0 failed.")
        if not active and self.levels[line] and self.sticks_once:
            self.sticks_once = False
            raise DeviceError("The line panel_d0 does not go to rest.")
        if active:
            self._up_s[line] = self._clock()
        elif self.levels[line]:
            self.pulses.append((line, self._up_s[line], self._clock()))
        self.levels[line] = active


class Setter:
    def __init__(self, wire: Wire, line: int) -> None:
        self._wire, self._line = wire, line

    def __call__(self, active: bool) -> None:
        self._wire.set(self._line, active)


def writer(wire: Wire, clock: FakeClock) -> FrameWriter:
    return FrameWriter(wire.lines(), clock, clock.sleep)


@given(st.sampled_from(sorted(FORMATS)), st.data())
def test_frame_goes_out_as_the_reader_would_read_it(bits: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, (1 << (bits - 2)) - 1))
    clock = FakeClock()
    wire = Wire(clock)
    writer(wire, clock).write(encode(number, bits))
    (burst,) = bursts([Edge(line, begun_s) for line, begun_s, _ in wire.pulses])
    found = bits_of(burst)
    assert isinstance(found, tuple)
    assert decode(found) == Frame(number, bits)
    assert wire.levels == [False, False]


def test_pulses_have_the_length_and_the_spacing_of_the_trade() -> None:
    clock = FakeClock()
    wire = Wire(clock)
    writer(wire, clock).write(encode(0xABCDEF, 26))
    widths_s = {round(end_s - begun_s, 7) for _, begun_s, end_s in wire.pulses}
    begun_s = [begun for _, begun, _ in wire.pulses]
    assert widths_s == {PULSE_S}
    assert 50e-6 <= PULSE_S <= 100e-6
    gaps_s = {round(b - a, 7) for a, b in pairwise(begun_s)}
    assert gaps_s == {SPACING_S}
    assert 1e-3 <= SPACING_S <= 2e-3


@pytest.mark.parametrize("at", [0, 1, 13, 25])
def test_line_that_fails_leaves_both_at_rest(at: int) -> None:
    clock = FakeClock()
    wire = Wire(clock)
    wire.fails_at = at
    with pytest.raises(DeviceError, match="failed"):
        writer(wire, clock).write(encode(5, 26))
    assert wire.levels == [False, False]


def test_line_that_sticks_is_driven_to_rest_again() -> None:
    clock = FakeClock()
    wire = Wire(clock)
    wire.sticks_once = True
    with pytest.raises(DeviceError, match="does not go to rest"):
        writer(wire, clock).write(encode(5, 26))
    assert wire.levels == [False, False]


class SlowWriter(FrameWriter):
    """Takes each frame only when it is let."""

    def __init__(self) -> None:
        super().__init__((lambda on: None, lambda on: None))
        self.may_go = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.done: list[tuple[int, ...]] = []
        self.error: DeviceError | None = None

    def write(self, bits: tuple[int, ...]) -> None:
        self.begun.release()
        self.may_go.acquire(timeout=SOON_S)
        if self.error is not None:
            raise self.error
        self.done.append(bits)


@pytest.fixture
def slow() -> Iterator[tuple[SlowWriter, WiegandPanel]]:
    made = SlowWriter()
    panel = WiegandPanel(made, rest_s=0.0)
    yield made, panel
    for _ in range(WAITING + 2):
        made.may_go.release()
    panel.close()


def test_sending_does_not_wait_and_too_many_frames_are_refused(
    slow: tuple[SlowWriter, WiegandPanel],
) -> None:
    slow_writer, panel = slow
    panel.send(1, 26)
    assert slow_writer.begun.acquire(timeout=SOON_S)
    begun_s = time.monotonic()
    for number in range(WAITING):
        panel.send(number, 26)
    with pytest.raises(DeviceError, match="busy"):
        panel.send(99, 26)
    assert time.monotonic() - begun_s < 0.2


def test_frame_that_failed_is_told_at_the_next_one_which_is_not_sent(
    slow: tuple[SlowWriter, WiegandPanel],
) -> None:
    slow_writer, panel = slow
    slow_writer.error = DeviceError("The line panel_d1 failed.")
    panel.send(1, 26)
    slow_writer.may_go.release()
    assert slow_writer.begun.acquire(timeout=SOON_S)
    panel_thread: threading.Thread = vars(panel)["_thread"]
    _until(lambda: vars(panel)["_fault"] is not None)
    with pytest.raises(DeviceError, match="did not reach the panel: The line panel_d1 failed"):
        panel.send(2, 26)
    slow_writer.error = None
    panel.send(3, 26)
    slow_writer.may_go.release()
    _until(lambda: slow_writer.done == [encode(3, 26)])
    assert panel_thread.is_alive()


def _until(holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + SOON_S
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.005)


def test_what_waits_when_the_board_closes_is_not_sent_any_more(
    slow: tuple[SlowWriter, WiegandPanel],
) -> None:
    slow_writer, panel = slow
    panel.send(1, 26)
    assert slow_writer.begun.acquire(timeout=SOON_S)
    panel.send(2, 26)
    slow_writer.may_go.release()
    closing = threading.Thread(target=panel.close)
    vars(panel)["_closing"].set()
    closing.start()
    closing.join(SOON_S)
    _until(lambda: not vars(panel)["_thread"].is_alive())
    assert slow_writer.done in ([encode(1, 26)], [])
    with pytest.raises(DeviceError, match="closed"):
        panel.send(3, 26)


# Boards


def boards(wired: bool) -> Iterator[BenchBoard | GpiozeroBoard]:
    clock = FakeClock()
    unwired = [] if wired else [LineName.PANEL_D0, LineName.PANEL_D1]
    yield BenchBoard(clock, clock.call_later, unwired)
    factory = MockFactory(pin_class=MockPin)
    yield GpiozeroBoard(factory, PANEL if wired else Wiring(), clock, clock.call_later)


def test_board_without_a_panel_says_so_in_one_sentence() -> None:
    for board in boards(wired=False):
        with pytest.raises(DeviceError, match=r"^No panel is wired; give panel_d0 and panel_d1"):
            board.panel.send(1, 26)
        board.close()


@pytest.mark.parametrize(("number", "bits"), [(-1, 26), (1 << 24, 26), (0, 27), (1 << 35, 37)])
def test_what_is_no_frame_is_refused_by_every_panel(number: int, bits: int) -> None:
    for wired in (True, False):
        for board in boards(wired):
            with pytest.raises(ValueError, match=r"no room|no format"):
                board.panel.send(number, bits)
            board.close()


def test_bench_notes_what_a_panel_would_understand() -> None:
    board = BenchBoard()
    board.panel.send(123 << 16 | 4567, 26)
    board.panel.send(9 << 19 | 12345, 37)
    assert [frame.text for frame in board.panel.frames] == ["26-123-04567", "37-00009-012345"]
    board.close()
    with pytest.raises(DeviceError, match="closed"):
        board.panel.send(1, 26)


def panel_side(factory: MockFactory) -> list[int]:
    """The bits that a panel sees: a transistor's input that rises pulls its wire down."""
    bits: list[int] = []

    def watch(pin: Any, line: int) -> None:
        change = pin._change_state

        def changed(value: bool) -> bool:
            if value:
                bits.append(line)
            return bool(change(value))

        pin._change_state = changed

    watch(factory.pin(23), 0)
    watch(factory.pin(18), 1)
    return bits


def test_real_board_sends_what_a_panel_reads_back_in_real_time() -> None:
    factory = MockFactory(pin_class=MockPin)
    board = GpiozeroBoard(factory, PANEL, time.monotonic)
    seen, chance = panel_side(factory), random.Random(3)
    sent = [Frame(chance.getrandbits(bits - 2), bits) for bits in (26, 34, 37)]
    for frame in sent:
        board.panel.send(frame.number, frame.bits)
    _until(lambda: len(seen) == 26 + 34 + 37)
    board.close()
    assert [decode(row) for row in (seen[:26], seen[26:60], seen[60:])] == sent
    assert [pin.state for pin in (factory.pin(23), factory.pin(18))] == [False, False]
