"""The gpiozero board beyond the contract: what happens at the pins, and what is said when it fails.

The mock pins show levels over time; the stand-in for lgpio shows what is asked of the kernel.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import gpiozero
import pytest
from gpiozero.pins.local import LocalPiFactory
from gpiozero.pins.mock import MockFactory, MockPin

from hw.bench_clock import FakeClock
from hw.buzzer import PATTERNS_MS
from hw.errors import DeviceError
from hw.gpio import GpiozeroBoard, open_factory
from hw.ports import Edge, Input, InputChange, Tone
from hw.wiring import Wiring
from tests.hw.boards import ALL_WIRED, drive
from tests.hw.fake_lgpio import FakeLgpio

STRIKE, SIGN, SENSE, BUZZER, BUTTON, CONTACT = 17, 27, 24, 22, 5, 13


class StuckPin(MockPin):  # type: ignore[misc]  # gpiozero has no types
    """An output that stays low whatever is written."""

    def _get_state(self) -> bool:
        return False


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def factory() -> MockFactory:
    return MockFactory(pin_class=MockPin)


def make(factory: MockFactory, clock: FakeClock, wiring: Wiring | None = None) -> GpiozeroBoard:
    return GpiozeroBoard(factory, wiring or Wiring(), clock, clock.call_later)


def history(factory: MockFactory, bcm: int) -> list[bool]:
    return [bool(state.state) for state in factory.pin(bcm).states]


@pytest.mark.requirement("A14")
def test_strike_pin_is_never_high_from_claim_to_close_without_a_release(
    factory: MockFactory, clock: FakeClock
) -> None:
    board = make(factory, clock)
    board.start(lambda change: None)
    board.sign.set(True)
    clock.advance(10.0)
    board.close()
    assert history(factory, STRIKE) == [False]


@pytest.mark.requirement("A14")
def test_outputs_are_claimed_the_strike_first(factory: MockFactory, clock: FakeClock) -> None:
    make(factory, clock)
    assert next(iter(factory.pins)).name == f"GPIO{STRIKE}"


def test_no_default_pin_factory_is_ever_made(factory: MockFactory, clock: FakeClock) -> None:
    make(factory, clock).close()
    assert gpiozero.Device.pin_factory is None


def test_active_low_strike_rests_high(
    factory: MockFactory, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    board = make(factory, clock, Wiring.from_names({"strike": 4}, inverted=["strike"]))
    assert factory.pin(4).state
    board.strike.release(1.0)
    assert not factory.pin(4).state
    assert board.strike.is_released
    board.close()
    assert "active-low" in caplog.text


def test_strike_that_does_not_follow_is_an_error_at_release(clock: FakeClock) -> None:
    board = make(MockFactory(pin_class=StuckPin), clock)
    with pytest.raises(DeviceError, match=r"strike .*does not follow"):
        board.strike.release(1.0)


@pytest.mark.requirement("D10")
def test_sign_is_lit_only_if_the_sense_line_says_so_too(
    factory: MockFactory, clock: FakeClock
) -> None:
    board = make(factory, clock, Wiring.from_names({"sign_sense": SENSE}))
    board.sign.set(True)
    read = [(board.sign.is_lit, board.sign.sensed)]
    factory.pin(SENSE).drive_high()
    read.append((board.sign.is_lit, board.sign.sensed))
    board.sign.set(False)
    read.append((board.sign.is_lit, board.sign.sensed))
    assert read == [(False, False), (True, True), (False, True)]


@pytest.mark.requirement("D10")
def test_board_without_a_sign_never_reads_lit(factory: MockFactory, clock: FakeClock) -> None:
    board = make(factory, clock, Wiring.from_names({"sign": None}))
    board.sign.set(True)
    assert not board.sign.is_lit
    assert board.sign.sensed is None


@pytest.mark.requirement("R41")
def test_cut_wire_reads_as_an_open_door(factory: MockFactory, clock: FakeClock) -> None:
    levels = make(factory, clock).start(lambda change: None)
    assert levels[Input.DOOR_CONTACT]


def test_bounce_is_told_once_with_the_time_of_its_first_edge(
    factory: MockFactory, clock: FakeClock
) -> None:
    changes: list[InputChange] = []
    make_and_start = make(factory, clock)
    make_and_start.start(changes.append)
    first_s = clock()
    for _ in range(5):
        drive(factory, ALL_WIRED, Input.KIOSK_BUTTON, True)
        clock.advance(0.003)
        drive(factory, ALL_WIRED, Input.KIOSK_BUTTON, False)
        clock.advance(0.003)
    drive(factory, ALL_WIRED, Input.KIOSK_BUTTON, True)
    assert changes == []
    clock.advance(0.02)
    assert changes == [InputChange(Input.KIOSK_BUTTON, True, first_s)]


@pytest.mark.requirement("D10")
def test_button_that_chatters_without_end_is_told_within_a_tenth_of_a_second(
    factory: MockFactory, clock: FakeClock
) -> None:
    changes: list[InputChange] = []
    board = make(factory, clock)
    board.start(changes.append)
    pressed_s = clock()
    for _ in range(12):
        drive(factory, ALL_WIRED, Input.KIOSK_BUTTON, True)
        clock.advance(0.005)
        drive(factory, ALL_WIRED, Input.KIOSK_BUTTON, False)
        clock.advance(0.003)
    assert clock() - pressed_s < 0.1
    assert changes[:1] == [InputChange(Input.KIOSK_BUTTON, True, pressed_s)]


def test_glitch_is_not_told_and_does_not_date_a_later_press(
    factory: MockFactory, clock: FakeClock
) -> None:
    changes: list[InputChange] = []
    board = make(factory, clock)
    board.start(changes.append)
    drive(factory, ALL_WIRED, Input.KIOSK_BUTTON, True)
    clock.advance(0.001)
    drive(factory, ALL_WIRED, Input.KIOSK_BUTTON, False)
    clock.advance(1.0)
    assert changes == []
    pressed_s = clock()
    drive(factory, ALL_WIRED, Input.KIOSK_BUTTON, True)
    clock.advance(0.02)
    assert changes == [InputChange(Input.KIOSK_BUTTON, True, pressed_s)]
    board.close()


@pytest.mark.requirement("R34")
@pytest.mark.parametrize("tone", list(Tone))
def test_tone_sounds_its_pattern_and_ends_in_silence(
    factory: MockFactory, clock: FakeClock, tone: Tone
) -> None:
    board = make(factory, clock)
    board.buzzer.play(tone)
    sounding_s = []
    for at, part_ms in enumerate(PATTERNS_MS[tone]):
        assert factory.pin(BUZZER).state == (at % 2 == 0)
        sounding_s.append(part_ms)
        clock.advance(part_ms / 1000)
    assert not factory.pin(BUZZER).state
    clock.advance(10.0)
    assert history(factory, BUZZER)[-1] is False


def test_tones_differ_in_pattern() -> None:
    assert len(set(PATTERNS_MS.values())) == len(Tone)


def test_newer_tone_replaces_an_older_one(factory: MockFactory, clock: FakeClock) -> None:
    board = make(factory, clock)
    board.buzzer.play(Tone.ALARM)
    clock.advance(0.1)
    board.buzzer.play(Tone.PROMPT)
    clock.advance(0.07)
    assert not factory.pin(BUZZER).state
    clock.advance(20.0)
    assert history(factory, BUZZER) == [False, True, False]


def test_closing_silences_a_tone(factory: MockFactory, clock: FakeClock) -> None:
    board = make(factory, clock)
    board.buzzer.play(Tone.ALARM)
    board.close()
    assert not factory.pin(BUZZER).state


def test_two_boards_on_the_same_pins_are_refused_in_one_sentence(
    factory: MockFactory, clock: FakeClock
) -> None:
    board = make(factory, clock)
    with pytest.raises(DeviceError, match=r"strike \(BCM 17, header pin 11\) is in use by another"):
        make(factory, clock)
    board.strike.release(1.0)
    assert board.strike.is_released, "the first board goes on"


def test_board_that_fails_half_way_lets_its_lines_go(
    factory: MockFactory, clock: FakeClock
) -> None:
    taken = gpiozero.GPIODevice(19, pin_factory=factory)
    with pytest.raises(DeviceError, match="rex"):
        make(factory, clock)
    taken.close()
    make(factory, clock).close()


def test_unknown_factory_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DeviceError, match="use lgpio or mock"):
        open_factory("rpigpio")


def test_missing_lgpio_names_the_debian_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lgpio", None)
    monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
    with pytest.raises(DeviceError, match="python3-lgpio"):
        open_factory("lgpio")


@pytest.fixture
def lgpio(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLgpio]:
    fake = FakeLgpio()
    monkeypatch.setitem(sys.modules, "lgpio", fake)
    monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
    monkeypatch.setattr(LocalPiFactory, "_get_revision", lambda self: 0xC03111)  # a Pi 4B
    yield fake
    LocalPiFactory.pins.clear()
    LocalPiFactory._reservations.clear()
    sys.modules.pop("gpiozero.pins.lgpio", None)


@pytest.mark.requirement("A14")
def test_lgpio_output_is_claimed_at_rest_in_one_step_with_its_pull(
    lgpio: FakeLgpio, clock: FakeClock
) -> None:
    board = GpiozeroBoard("lgpio", Wiring(), clock, clock.call_later)
    outputs = [call for call in lgpio.calls if call[0] == "output"]
    assert outputs[0] == ("output", STRIKE, 0, lgpio.SET_PULL_DOWN)
    assert ("write", STRIKE, 1) not in lgpio.calls
    board.close()


@pytest.mark.requirement("A14")
def test_active_low_lgpio_output_is_never_low_at_set_up(lgpio: FakeLgpio, clock: FakeClock) -> None:
    wiring = Wiring.from_names({"strike": 4}, inverted=["strike"])
    board = GpiozeroBoard("lgpio", wiring, clock, clock.call_later)
    outputs = [call for call in lgpio.calls if call[0] in ("output", "write") and call[1] == 4]
    assert outputs == [("output", 4, 1, lgpio.SET_PULL_UP)]
    board.close()


@pytest.mark.requirement("A13")
def test_closed_lgpio_board_leaves_its_outputs_driven_to_rest(
    lgpio: FakeLgpio, clock: FakeClock
) -> None:
    board = GpiozeroBoard("lgpio", Wiring(), clock, clock.call_later)
    board.start(lambda change: None)
    board.strike.hold(10.0)
    board.sign.set(True)
    board.close()
    for bcm in (STRIKE, SIGN, BUZZER):
        assert (lgpio.modes[bcm], lgpio.levels[bcm]) == ("out", 0)
        assert lgpio.pulls[bcm] == lgpio.SET_PULL_DOWN
    assert lgpio.closed


def test_lgpio_pulse_works_as_on_any_board(lgpio: FakeLgpio, clock: FakeClock) -> None:
    board = GpiozeroBoard("lgpio", Wiring(), clock, clock.call_later)
    board.strike.release(1.0)
    assert lgpio.levels[STRIKE] == 1
    clock.advance(1.0)
    assert lgpio.levels[STRIKE] == 0
    board.close()


def test_lgpio_inputs_keep_their_pull_when_the_board_closes(
    lgpio: FakeLgpio, clock: FakeClock
) -> None:
    board = GpiozeroBoard("lgpio", Wiring(), clock, clock.call_later)
    board.start(lambda change: None)
    board.close()
    assert lgpio.pulls[BUTTON] == lgpio.SET_PULL_UP
    assert lgpio.pulls[CONTACT] == lgpio.SET_PULL_UP


def test_shorted_strike_line_is_an_error_not_a_grant(lgpio: FakeLgpio, clock: FakeClock) -> None:
    board = GpiozeroBoard("lgpio", Wiring(), clock, clock.call_later)
    lgpio.stuck[STRIKE] = 0
    with pytest.raises(DeviceError, match="does not follow"):
        board.strike.release(1.0)
    assert lgpio.levels[STRIKE] == 0
    lgpio.stuck.clear()
    board.close()


def test_line_held_by_another_process_is_said_in_one_sentence(
    lgpio: FakeLgpio, clock: FakeClock
) -> None:
    lgpio.busy.add(SIGN)
    with pytest.raises(DeviceError, match=r"sign \(BCM 27.*in use by another program"):
        GpiozeroBoard("lgpio", Wiring(), clock, clock.call_later)
    assert lgpio.closed
    assert lgpio.levels[STRIKE] == 0


def test_machine_that_is_no_pi_is_said_so(
    lgpio: FakeLgpio, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(self: object) -> int:
        raise gpiozero.PinUnknownPi("unable to locate Pi revision")

    monkeypatch.setattr(LocalPiFactory, "_get_revision", unknown)
    with pytest.raises(DeviceError, match="no Raspberry Pi"):
        open_factory("lgpio")


def test_board_without_an_alarm_contact_takes_the_order_and_never_reads_set(
    factory: MockFactory, clock: FakeClock
) -> None:
    board = make(factory, clock)
    board.alarm.set(True)
    assert not board.alarm.is_lit
    board.close()


def test_alarm_contact_and_panel_rest_low_from_claim_to_close(
    factory: MockFactory, clock: FakeClock
) -> None:
    board = make(factory, clock, ALL_WIRED)
    board.start(lambda change: None)
    board.close()
    assert [history(factory, bcm) for bcm in (25, 23, 18)] == [[False]] * 3


def test_closed_board_leaves_no_alarm_set(factory: MockFactory, clock: FakeClock) -> None:
    board = make(factory, clock, ALL_WIRED)
    board.alarm.set(True)
    board.close()
    assert history(factory, 25) == [False, True, False]


@pytest.mark.requirement("R41")
@pytest.mark.parametrize("line", [Input.TAMPER, Input.FIRE, Input.INTERLOCK])
def test_cut_wire_of_a_closed_loop_reads_as_the_worst(
    factory: MockFactory, clock: FakeClock, line: Input
) -> None:
    """The pull-up alone is what a cut wire leaves."""
    assert make(factory, clock, ALL_WIRED).start(lambda change: None)[line]


def test_lgpio_edges_carry_the_kernels_time(lgpio: FakeLgpio, clock: FakeClock) -> None:
    board = GpiozeroBoard("lgpio", Wiring(), clock, clock.call_later)
    edges: list[Edge] = []
    pair = board.lend((20, 21), edges.append)
    lgpio.edge(21, 0, 5_000_001_500_000)
    lgpio.edge(20, 0, 5_000_003_000_000)
    assert edges == [Edge(1, 5000.0015), Edge(0, 5000.003)]
    assert ("alert", 20) in lgpio.calls
    pair.close()
    board.close()
