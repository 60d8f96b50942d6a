"""What every board keeps, be it a bench, gpiozero's mock pins or (--device) the real ones."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.errors import DeviceError
from hw.ports import Input, InputChange, Tone
from hw.strike import MAX_LEASE_S, MAX_PULSE_S
from hw.wiring import LineName
from tests.hw import boards
from tests.hw.boards import Rig

LATE_S = 0.05
"""A pulse may last this much longer than it was asked for."""

TWINS = {"bench": boards.bench, "gpiozero-mock": boards.gpiozero_mock}

ALL_INPUTS = sorted(Input, key=lambda line: line.value)


@pytest.fixture(
    params=[
        pytest.param(boards.bench, id="bench"),
        pytest.param(boards.gpiozero_mock, id="gpiozero-mock"),
        pytest.param(boards.gpiozero_lgpio, id="gpiozero-lgpio", marks=pytest.mark.device),
    ]
)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with request.param() as made:
        yield made


def test_strike_rests_secure_and_sign_dark_after_construction(rig: Rig) -> None:
    assert not rig.board.strike.is_released
    assert not rig.board.sign.is_lit


def test_levels_are_those_of_the_lines_as_they_read_now(rig: Rig) -> None:
    wired = set(rig.board.levels)
    assert {LineName.STRIKE, LineName.SIGN, LineName.KIOSK_BUTTON} <= wired
    assert not rig.board.levels[LineName.STRIKE]
    rig.board.strike.release(1.0)
    rig.board.sign.set(True)
    assert rig.board.levels[LineName.STRIKE]
    assert rig.board.levels[LineName.SIGN]
    rig.board.strike.secure()
    assert not rig.board.levels[LineName.STRIKE]


@pytest.mark.requirement("D15", "A13", "T20")
def test_pulse_ends_by_itself_though_nobody_calls_back(rig: Rig) -> None:
    rig.board.strike.release(0.3)
    rig.advance(0.2)
    assert rig.board.strike.is_released
    rig.advance(0.1 + LATE_S)
    assert not rig.board.strike.is_released


def test_second_release_sets_the_end_anew_and_later(rig: Rig) -> None:
    rig.board.strike.release(0.3)
    rig.advance(0.2)
    rig.board.strike.release(0.3)
    rig.advance(0.2)
    assert rig.board.strike.is_released
    rig.advance(0.1 + LATE_S)
    assert not rig.board.strike.is_released


def test_second_release_sets_the_end_anew_and_earlier(rig: Rig) -> None:
    rig.board.strike.release(5.0)
    rig.board.strike.release(0.2)
    rig.advance(0.2 + LATE_S)
    assert not rig.board.strike.is_released


@pytest.mark.requirement("D15")
def test_hold_ends_with_its_lease(rig: Rig) -> None:
    rig.board.strike.hold(0.3)
    rig.advance(0.2)
    assert rig.board.strike.is_released
    rig.advance(0.1 + LATE_S)
    assert not rig.board.strike.is_released


def test_hold_that_is_asked_for_again_goes_on(rig: Rig) -> None:
    for _ in range(4):
        rig.board.strike.hold(0.3)
        rig.advance(0.2)
        assert rig.board.strike.is_released


@pytest.mark.requirement("D15")
def test_end_of_a_pulse_leaves_a_hold_in_force(rig: Rig) -> None:
    rig.board.strike.hold(0.6)
    rig.board.strike.release(0.2)
    rig.advance(0.4)
    assert rig.board.strike.is_released
    rig.advance(0.2 + LATE_S)
    assert not rig.board.strike.is_released


def test_end_of_a_hold_leaves_a_pulse_in_force(rig: Rig) -> None:
    rig.board.strike.hold(0.2)
    rig.board.strike.release(0.6)
    rig.advance(0.4)
    assert rig.board.strike.is_released
    rig.advance(0.2 + LATE_S)
    assert not rig.board.strike.is_released


def test_secure_ends_pulse_and_hold_at_once(rig: Rig) -> None:
    rig.board.strike.release(5.0)
    rig.board.strike.hold(5.0)
    rig.board.strike.secure()
    assert not rig.board.strike.is_released
    rig.board.strike.secure()
    assert not rig.board.strike.is_released


def test_end_of_an_older_pulse_does_not_cut_a_newer_one_short(rig: Rig) -> None:
    rig.board.strike.release(0.2)
    rig.board.strike.secure()
    rig.board.strike.release(0.6)
    rig.advance(0.4)
    assert rig.board.strike.is_released


@pytest.mark.requirement("D15")
def test_hold_that_was_secured_does_not_prolong_a_later_pulse(rig: Rig) -> None:
    rig.board.strike.hold(5.0)
    rig.board.strike.secure()
    rig.board.strike.release(0.2)
    rig.advance(0.2 + LATE_S)
    assert not rig.board.strike.is_released


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf, -math.inf, MAX_PULSE_S + 0.1])
def test_release_for_no_sensible_time_is_refused_and_touches_nothing(
    rig: Rig, seconds: float
) -> None:
    with pytest.raises(ValueError, match="is not between"):
        rig.board.strike.release(seconds)
    assert not rig.board.strike.is_released


@pytest.mark.requirement("D15")
@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf, MAX_LEASE_S + 0.1])
def test_hold_for_longer_than_a_lease_is_refused_and_touches_nothing(
    rig: Rig, seconds: float
) -> None:
    with pytest.raises(ValueError, match="is not between"):
        rig.board.strike.hold(seconds)
    assert not rig.board.strike.is_released


def test_sign_reads_back_as_it_was_set(rig: Rig) -> None:
    for lit in (True, True, False, True, False, False):
        rig.board.sign.set(lit)
        assert rig.board.sign.is_lit is lit


def test_alarm_contact_reads_back_as_it_was_set_and_touches_nothing_else(rig: Rig) -> None:
    if LineName.ALARM not in rig.board.levels:
        pytest.skip("no alarm contact is wired here")
    for on in (True, True, False, True):
        rig.board.alarm.set(on)
        assert rig.board.alarm.is_lit is on
        assert rig.board.levels[LineName.ALARM] is on
    assert not rig.board.strike.is_released
    assert not rig.board.sign.is_lit
    rig.board.close()
    with pytest.raises(DeviceError, match="closed"):
        rig.board.alarm.set(True)


@pytest.mark.parametrize("tone", list(Tone))
def test_tone_touches_neither_strike_nor_sign(rig: Rig, tone: Tone) -> None:
    rig.board.buzzer.play(tone)
    rig.advance(0.2)
    assert not rig.board.strike.is_released
    assert not rig.board.sign.is_lit


def test_closing_secures_and_darkens_and_may_be_done_twice(rig: Rig) -> None:
    rig.board.strike.hold(5.0)
    rig.board.sign.set(True)
    rig.board.close()
    rig.board.close()
    rig.board.strike.secure()
    with pytest.raises(DeviceError, match="closed"):
        _ = rig.board.strike.is_released
    with pytest.raises(DeviceError, match="closed"):
        _ = rig.board.sign.is_lit


def test_closed_board_takes_no_order(rig: Rig) -> None:
    rig.board.close()
    with pytest.raises(DeviceError, match="closed"):
        rig.board.strike.release(1.0)
    with pytest.raises(DeviceError, match="closed"):
        rig.board.strike.hold(1.0)
    with pytest.raises(DeviceError, match="closed"):
        rig.board.sign.set(True)
    with pytest.raises(DeviceError, match="closed"):
        rig.board.start(lambda change: None)
    rig.board.buzzer.play(Tone.ALARM)


def test_board_starts_once(rig: Rig) -> None:
    rig.board.start(lambda change: None)
    with pytest.raises(DeviceError, match="already started"):
        rig.board.start(lambda change: None)


@pytest.mark.parametrize("line", ALL_INPUTS)
def test_start_tells_the_level_of_every_wired_input(rig: Rig, line: Input) -> None:
    if rig.drive is None:
        pytest.skip("nobody works the inputs of a real board")
    for other in ALL_INPUTS:
        rig.drive(other, other is line)
    levels = rig.board.start(lambda change: None)
    assert levels == {other: other is line for other in ALL_INPUTS}


@pytest.mark.parametrize("line", ALL_INPUTS)
def test_change_of_an_input_is_told_with_its_logical_level(rig: Rig, line: Input) -> None:
    if rig.drive is None:
        pytest.skip("nobody works the inputs of a real board")
    changes: list[InputChange] = []
    for other in ALL_INPUTS:
        rig.drive(other, False)
    rig.board.start(changes.append)
    pressed_s = rig.now()
    rig.drive(line, True)
    rig.advance(0.2)
    released_s = rig.now()
    rig.drive(line, False)
    rig.advance(0.2)
    assert changes == [InputChange(line, True, pressed_s), InputChange(line, False, released_s)]


def test_closed_board_tells_nothing_more(rig: Rig) -> None:
    if rig.drive is None:
        pytest.skip("nobody works the inputs of a real board")
    changes: list[InputChange] = []
    rig.drive(Input.REX, False)
    rig.board.start(changes.append)
    rig.board.close()
    rig.drive(Input.REX, True)
    rig.advance(0.2)
    assert changes == []


ORDERS = st.lists(
    st.one_of(
        st.tuples(st.just("release"), st.floats(0.05, 2.0)),
        st.tuples(st.just("hold"), st.floats(0.05, 2.0)),
        st.tuples(st.just("secure"), st.just(0.0)),
        st.tuples(st.just("wait"), st.floats(0.0, 3.0)),
    ),
    max_size=20,
)


@pytest.mark.requirement("D15", "T20")
@pytest.mark.parametrize("twin", sorted(TWINS))
@given(orders=ORDERS)
@settings(deadline=None, max_examples=60)
def test_strike_is_released_exactly_while_a_pulse_or_a_hold_is_in_force(
    twin: str, orders: list[tuple[str, float]]
) -> None:
    with TWINS[twin]() as rig:
        ends_s = {"release": -math.inf, "hold": -math.inf}
        for order, seconds in orders:
            if order == "secure":
                rig.board.strike.secure()
                ends_s = dict.fromkeys(ends_s, -math.inf)
            elif order == "wait":
                rig.advance(seconds)
            else:
                getattr(rig.board.strike, order)(seconds)
                ends_s[order] = rig.now() + seconds
            left_s = max(ends_s.values()) - rig.now()
            if abs(left_s) > 0.002:  # within a timer's grain of the end both are right
                assert rig.board.strike.is_released is (left_s > 0)
