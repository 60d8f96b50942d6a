"""A rotating code is RFC 6238's, good in its step and the two beside it, and once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.core.values import CodeState
from terminal.passes.rotation import STEP_S, Judged, code_at, judged, step_of
from tests.terminal.given_passes import NOW, code_secret, number, resident

RFC_SECRET = b"12345678901234567890123456789012"
SECRET = code_secret(resident())
STEP = step_of(NOW)


@pytest.mark.requirement("R44", "T42")
@pytest.mark.parametrize(
    ("seconds", "code"),
    [  # RFC 6238, appendix B, SHA-256
        (59, 46119246),
        (1111111109, 68084774),
        (1111111111, 67062674),
        (1234567890, 91819424),
        (2000000000, 90698825),
        (20000000000, 77737706),
    ],
)
def test_the_codes_of_the_standard_come_out(seconds: int, code: int) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert code_at(RFC_SECRET, step_of(at)) == code
    assert judged(RFC_SECRET, code, at, None) == Judged(CodeState.FRESH, seconds // STEP_S)


@pytest.mark.requirement("R44", "A10")
@pytest.mark.parametrize("behind", [-1, 0, 1])
def test_a_code_is_taken_one_step_early_to_one_step_late(behind: int) -> None:
    code = code_at(SECRET, STEP + behind)
    assert judged(SECRET, code, NOW, None) == Judged(CodeState.FRESH, STEP + behind)


@pytest.mark.requirement("R44", "A10")
@pytest.mark.parametrize("behind", [-1000, -3, -2, 2, 3, 1000])
def test_a_code_two_steps_away_is_wrong(behind: int) -> None:
    assert judged(SECRET, code_at(SECRET, STEP + behind), NOW, None).state is CodeState.WRONG


@pytest.mark.requirement("R44", "A10")
def test_a_picture_of_a_code_is_worth_nothing_at_the_latest_after_90_seconds() -> None:
    begins = datetime.fromtimestamp(STEP * STEP_S, UTC)
    code = code_at(SECRET, STEP)
    taken = [
        second
        for second in range(-120, 240)
        if judged(SECRET, code, begins + timedelta(seconds=second), None).state is CodeState.FRESH
    ]
    assert (taken[0], taken[-1], len(taken)) == (-30, 59, 90)


@pytest.mark.requirement("R44", "A10", "T17")
def test_a_used_code_is_used_a_thousand_times_over() -> None:
    code = code_at(SECRET, STEP)
    first = judged(SECRET, code, NOW, None)
    again = {judged(SECRET, code, NOW, first.step).state for _ in range(1000)}
    assert again == {CodeState.USED}


@pytest.mark.requirement("A10", "T17")
def test_after_a_code_the_one_before_it_is_used_and_the_next_one_fresh() -> None:
    before, after = code_at(SECRET, STEP - 1), code_at(SECRET, STEP + 1)
    assert judged(SECRET, before, NOW, STEP) == Judged(CodeState.USED)
    assert judged(SECRET, after, NOW, STEP) == Judged(CodeState.FRESH, STEP + 1)


@pytest.mark.requirement("T17")
@given(st.integers(-STEP * STEP_S, 10_000_000))
def test_a_clock_that_goes_back_makes_no_used_code_fresh(seconds: int) -> None:
    at = NOW + timedelta(seconds=seconds)
    code = code_at(SECRET, STEP)
    assert judged(SECRET, code, at, STEP).state is not CodeState.FRESH


@pytest.mark.requirement("R44")
def test_the_code_of_another_pass_is_wrong_even_for_the_same_person() -> None:
    other = replace(resident(), number=number(99))
    assert judged(SECRET, code_at(code_secret(other), STEP), NOW, None).state is CodeState.WRONG


@pytest.mark.requirement("R44", "T14")
@given(st.integers(0, 2**32 - 1))
def test_of_all_numbers_only_the_three_codes_of_now_are_taken(code: int) -> None:
    right = {code_at(SECRET, STEP + around) for around in (-1, 0, 1)}
    assert (judged(SECRET, code, NOW, None).state is CodeState.FRESH) == (code in right)


def test_a_clock_that_was_never_set_raises_nothing() -> None:
    epoch = datetime.fromtimestamp(0, UTC)
    assert judged(SECRET, 1, epoch, None).state is CodeState.WRONG
    assert judged(SECRET, 1, epoch - timedelta(days=1), STEP).state is CodeState.WRONG


def test_codes_have_at_most_eight_digits_and_are_spread_over_all_of_them() -> None:
    codes = {code_at(SECRET, step) for step in range(2000)}
    assert len(codes) > 1995
    assert max(codes) < 10**8
    assert max(codes) > 9 * 10**7 and min(codes) < 10**7
