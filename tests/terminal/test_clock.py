"""The clock says when it can't be trusted, and its bench twin behaves the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.clock import BUILT, Clock, ManualClock, SystemClock

NOON = datetime(2027, 5, 1, 12, tzinfo=UTC)


def test_the_real_clock_is_trusted_on_this_machine_and_does_not_go_back() -> None:
    clock: Clock = SystemClock()
    first, second = clock.now(), clock.now()
    assert first.utc.tzinfo is UTC
    assert second.mono_s >= first.mono_s


def test_time_before_the_program_was_built_is_not_trusted() -> None:
    assert not ManualClock(BUILT - timedelta(seconds=1)).now().trusted
    assert ManualClock(BUILT).now().trusted


def test_time_before_the_newest_record_is_not_trusted() -> None:
    clock = ManualClock(NOON, floor=NOON + timedelta(seconds=2))
    assert not clock.now().trusted
    assert not clock.advance(1.0).trusted
    assert clock.advance(1.0).trusted


def test_a_floor_older_than_the_program_does_not_lower_it() -> None:
    clock = ManualClock(BUILT - timedelta(days=1), floor=BUILT - timedelta(days=400))
    assert not clock.now().trusted


@pytest.mark.requirement("A18")
@pytest.mark.parametrize("back", [timedelta(seconds=1), timedelta(hours=1), timedelta(days=3652)])
def test_a_clock_that_is_turned_back_is_not_trusted_until_that_time_is_past(
    back: timedelta,
) -> None:
    clock = ManualClock(NOON)
    assert clock.now().trusted
    assert not clock.set_utc(NOON - back).trusted
    assert not clock.advance(back.total_seconds() - 0.5).trusted
    assert clock.advance(0.5).trusted


def test_monotonic_time_goes_on_whatever_the_wall_clock_does() -> None:
    clock = ManualClock(NOON, mono_s=7.0)
    clock.set_utc(NOON - timedelta(days=1))
    assert clock.advance(0.25).mono_s == clock.mono_s() == 7.25


def test_time_does_not_pass_backwards() -> None:
    with pytest.raises(ValueError, match="one direction"):
        ManualClock().advance(-0.1)


def test_a_floor_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        SystemClock(datetime(2027, 1, 1))  # noqa: DTZ001 - that is the point


def test_the_floor_is_compared_across_time_zones() -> None:
    shanghai = timezone(timedelta(hours=8))
    clock = ManualClock(NOON, floor=NOON.astimezone(shanghai))
    assert clock.now().trusted


@pytest.mark.requirement("A18")
@given(st.lists(st.integers(-315_000_000, 315_000_000), max_size=30))
def test_time_is_trusted_exactly_when_no_later_time_was_ever_seen(steps: list[int]) -> None:
    clock = ManualClock(NOON)
    seen = [BUILT]
    for step in steps:
        moment = clock.set_utc(NOON + timedelta(seconds=step))
        assert moment.trusted == (moment.utc >= max(seen))
        seen.append(moment.utc)
