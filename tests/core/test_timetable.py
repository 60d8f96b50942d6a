"""Facts about hours: weeks, holidays, midnight, summer time, a clock that is not trusted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.core.timetable import (
    ALWAYS,
    DAY_MIN,
    NEVER,
    is_open,
    is_within,
    local,
    seconds_to_next_minute,
)
from terminal.core.values import Intervals, Moment, Schedule
from tests.core.given import NIGHT, WORKDAYS

SHANGHAI, BERLIN, LORD_HOWE = (
    ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe")
)
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
WALKED = settings(max_examples=200, derandomize=True, deadline=None, database=None)


def moment(utc: datetime, zone: ZoneInfo = SHANGHAI, trusted: bool = True) -> Moment:
    """What the clock of a site in this zone would say."""
    offset = utc.astimezone(zone).utcoffset()
    assert offset is not None
    return Moment(0.0, utc, trusted, int(offset.total_seconds()))


def every_day(day: Intervals, on_holidays: Intervals | None = None, *holidays: date) -> Schedule:
    return Schedule("test", (day,) * 7, on_holidays, frozenset(holidays))


def minutes_open(schedule: Schedule, begin: datetime, end: datetime, zone: ZoneInfo) -> int:
    """For how many minutes between two moments (UTC) the schedule is open."""
    minutes = int((end - begin).total_seconds() // 60)
    every = (moment(begin + timedelta(minutes=one), zone) for one in range(minutes))
    return sum(is_open(schedule, one) for one in every)


intervals = st.tuples(st.integers(0, DAY_MIN - 1), st.integers(1, DAY_MIN)).filter(
    lambda pair: pair[0] < pair[1]
)
days = st.lists(intervals, max_size=3).map(tuple)
weeks = st.tuples(days, days, days, days, days, days, days)
moments = st.builds(
    moment,
    st.integers(0, 7 * 365 * 24 * 3600).map(lambda s: FIRST + timedelta(seconds=s)),
    st.sampled_from((SHANGHAI, BERLIN, LORD_HOWE)),
)


@pytest.mark.requirement("R42")
@WALKED
@given(weeks, moments, st.sampled_from((SHANGHAI, BERLIN, LORD_HOWE)))
def test_a_schedule_holds_where_the_wall_clock_says_so(
    week: tuple[Intervals, ...], now: Moment, zone: ZoneInfo
) -> None:
    """The wall clock is that of the time-zone database, not of this code."""
    there = moment(now.utc, zone)
    wall = now.utc.astimezone(zone)
    minute = wall.hour * 60 + wall.minute
    expected = any(begin <= minute < end for begin, end in week[wall.weekday()])
    schedule = Schedule("test", week)  # type: ignore[arg-type]
    assert is_open(schedule, there) is expected
    assert local(there) == wall.replace(tzinfo=None)


@pytest.mark.requirement("A18", "R42")
@WALKED
@given(weeks, moments)
def test_no_schedule_is_open_while_the_clock_is_not_trusted(
    week: tuple[Intervals, ...], now: Moment
) -> None:
    untrusted = Moment(now.mono_s, now.utc, False, now.offset_s)
    assert not is_open(Schedule("test", week), untrusted)  # type: ignore[arg-type]


@pytest.mark.requirement("A18")
def test_not_even_a_schedule_for_all_hours_is_open_on_a_clock_that_is_not_trusted() -> None:
    assert not is_open(every_day(ALWAYS), moment(datetime(2030, 1, 1, tzinfo=UTC), trusted=False))


@WALKED
@given(moments)
def test_always_is_always_and_never_is_never(now: Moment) -> None:
    assert is_open(every_day(ALWAYS), now)
    assert not is_open(every_day(NEVER), now)


def test_an_interval_begins_with_its_first_minute_and_ends_before_its_last() -> None:
    monday = datetime(2030, 6, 3, tzinfo=ZoneInfo("Asia/Shanghai"))
    for hour, minute, second, expected in (
        (7, 59, 59, False),
        (8, 0, 0, True),
        (17, 59, 59, True),
        (18, 0, 0, False),
    ):
        now = monday.replace(hour=hour, minute=minute, second=second).astimezone(UTC)
        assert is_open(WORKDAYS, moment(now)) is expected


def test_the_day_is_that_of_the_site_not_of_greenwich() -> None:
    """Sunday evening in Greenwich is Monday morning in Shanghai."""
    sunday = datetime(2030, 6, 2, 23, 0, tzinfo=UTC)
    assert not is_open(WORKDAYS, moment(sunday - timedelta(hours=12)))
    assert is_open(WORKDAYS, moment(sunday + timedelta(hours=1)))


def test_what_crosses_midnight_has_no_gap_there() -> None:
    begin = datetime(2030, 6, 3, 13, 0, tzinfo=UTC)
    assert minutes_open(every_day(NIGHT), begin, begin + timedelta(hours=11), SHANGHAI) == 8 * 60


# Holidays


CHRISTMAS = date(2030, 12, 25)


@pytest.mark.parametrize(
    ("on_holidays", "expected"), [(None, True), ((), False), (((600, 720),), True)]
)
def test_on_a_holiday_its_own_hours_hold(on_holidays: Intervals | None, expected: bool) -> None:
    """Ten to twelve on that Wednesday, in Berlin."""
    eleven = moment(datetime(2030, 12, 25, 10, 0, tzinfo=UTC), BERLIN)
    two = moment(datetime(2030, 12, 25, 13, 0, tzinfo=UTC), BERLIN)
    schedule = Schedule("office", WORKDAYS.week, on_holidays, frozenset({CHRISTMAS}))
    assert is_open(schedule, eleven) is expected
    assert is_open(schedule, two) is (on_holidays is None)


def test_a_holiday_ends_at_the_site_s_midnight() -> None:
    schedule = every_day(ALWAYS, NEVER, CHRISTMAS)
    midnight = datetime(2030, 12, 25, 23, 0, tzinfo=UTC)
    assert not is_open(schedule, moment(midnight - timedelta(seconds=1), BERLIN))
    assert is_open(schedule, moment(midnight, BERLIN))


def test_a_holiday_of_another_year_is_none() -> None:
    schedule = every_day(ALWAYS, NEVER, CHRISTMAS.replace(year=2029))
    assert is_open(schedule, moment(datetime(2030, 12, 25, 12, tzinfo=UTC), BERLIN))


# Summer time (R42)


SPRING = datetime(2030, 3, 31, 1, 0, tzinfo=UTC)
AUTUMN = datetime(2030, 10, 27, 1, 0, tzinfo=UTC)


@pytest.mark.requirement("R42")
@pytest.mark.parametrize(
    ("zone", "changes", "hours"),
    [
        (BERLIN, SPRING, 23.0),
        (BERLIN, AUTUMN, 25.0),
        (LORD_HOWE, datetime(2030, 10, 5, 15, 30, tzinfo=UTC), 23.5),
        (LORD_HOWE, datetime(2030, 4, 6, 15, 0, tzinfo=UTC), 24.5),
        (SHANGHAI, SPRING, 24.0),
    ],
)
def test_the_day_of_a_change_is_as_long_as_it_is(
    zone: ZoneInfo, changes: datetime, hours: float
) -> None:
    day = changes.astimezone(zone).date()
    week: list[Intervals] = [NEVER] * 7
    week[day.weekday()] = ALWAYS
    schedule = Schedule("day", tuple(week))  # type: ignore[arg-type]
    begin, end = changes - timedelta(hours=30), changes + timedelta(hours=30)
    assert minutes_open(schedule, begin, end, zone) == hours * 60


@pytest.mark.requirement("R42")
def test_an_hour_that_is_left_out_never_holds_and_one_that_comes_twice_holds_twice() -> None:
    two_to_three = every_day(((120, 180),))
    day = timedelta(hours=12)
    assert minutes_open(two_to_three, SPRING - day, SPRING + day, BERLIN) == 0
    assert minutes_open(two_to_three, AUTUMN - day, AUTUMN + day, BERLIN) == 120


@pytest.mark.requirement("R42")
def test_the_hours_of_a_day_stay_those_of_the_wall_clock_through_a_change() -> None:
    before, after = (SPRING.replace(day=day, hour=6) for day in (29, 31))
    opens_at_eight = every_day(((480, 540),))
    assert not is_open(opens_at_eight, moment(before, BERLIN)), "seven o'clock in winter"
    assert is_open(opens_at_eight, moment(after, BERLIN)), "eight in summer, the same UTC"


# When to look again


@WALKED
@given(weeks, moments)
def test_nothing_changes_before_the_next_look(week: tuple[Intervals, ...], now: Moment) -> None:
    schedule = Schedule("test", week)  # type: ignore[arg-type]
    wait_s = seconds_to_next_minute(now)
    assert 0.0 < wait_s <= 60.0
    just_before = now.utc + timedelta(seconds=wait_s) - timedelta(microseconds=2)
    if just_before > now.utc:
        before = Moment(0.0, just_before, True, now.offset_s)
        assert is_open(schedule, before) is is_open(schedule, now)


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [(None, None, True), (0, None, True), (1, None, False), (None, 0, False), (None, 1, True)],
)
def test_validity_has_a_first_moment_and_excludes_its_last(
    begin: int | None, end: int | None, expected: bool
) -> None:
    now = moment(datetime(2030, 6, 1, tzinfo=UTC))
    bounds = [None if one is None else now.utc + timedelta(seconds=one) for one in (begin, end)]
    assert is_within(now, bounds[0], bounds[1]) is expected
