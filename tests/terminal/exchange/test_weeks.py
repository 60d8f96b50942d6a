"""The times of a schedule, split at midnight, and what no schedule may say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.exchange import weeks
from terminal.exchange.cells import CellRefused

CLOSED = [""] * 6


def test_a_day_is_its_times_in_minutes() -> None:
    week = weeks.week(["08:00-18:00;20:00-24:00", *CLOSED])
    assert week == (((480, 1080), (1200, 1440)), (), (), (), (), (), ())


def test_a_night_is_split_at_midnight_and_goes_on_the_next_day() -> None:
    assert weeks.week(["22:00-06:00", *CLOSED])[:2] == (((1320, 1440),), ((0, 360),))


def test_the_night_of_sunday_goes_on_on_monday() -> None:
    assert weeks.week([*CLOSED, "22:00-06:00"])[0] == ((0, 360),)


def test_midnight_as_an_end_leaves_nothing_for_the_next_day() -> None:
    assert weeks.week(["18:00-00:00", *CLOSED]) == (((1080, 1440),), *((),) * 6)


@pytest.mark.parametrize("text", ["8:00～12:00；14:00至18:00", "08:00-12:00, 14:00 – 18:00"])
def test_times_are_read_as_they_are_typed(text: str) -> None:
    assert weeks.week([text, *CLOSED])[0] == ((480, 720), (840, 1080))


def test_times_that_touch_are_one() -> None:
    assert weeks.week(["12:00-18:00;08:00-12:00", *CLOSED])[0] == ((480, 1080),)


@pytest.mark.parametrize("text", ["all day", "全天", "00:00-24:00"])
def test_a_whole_day_has_a_word(text: str) -> None:
    assert weeks.week([text, *CLOSED])[0] == ((0, 1440),)


def test_holidays_are_closed_or_as_usual_or_have_times() -> None:
    assert weeks.holidays("closed") == ()
    assert weeks.holidays("as usual") is None
    assert weeks.holidays("10:00-12:00") == ((600, 720),)


@pytest.mark.parametrize("text", ["", "22:00-06:00", "18:00-00:00", "10-12", "maybe"])
def test_what_is_not_said_for_holidays_is_refused(text: str) -> None:
    with pytest.raises(CellRefused):
        weeks.holidays(text)


@pytest.mark.parametrize(
    "text",
    [
        *("08:00", "08:00-", "8-18", "08:00-25:00", "08:00-24:01", "08:60-09:00", "24:00-08:00"),
        *("08:00-08:00", "08:00-12:00;11:00-13:00", "-1:00-02:00", "08:00-18:00'; --"),
        *(";".join(f"{hour:02}:00-{hour:02}:30" for hour in range(9)), "0" * 10_000_000),
    ],
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(CellRefused):
        weeks.week([text, *CLOSED])


def test_a_night_that_meets_the_morning_after_is_refused() -> None:
    with pytest.raises(CellRefused, match="overlap"):
        weeks.week(["22:00-06:00", "05:00-09:00", *[""] * 5])


@given(st.lists(st.tuples(st.integers(0, 1440), st.integers(0, 1440)), max_size=8))
def test_every_day_is_written_so_that_it_is_read_again(intervals: list[tuple[int, int]]) -> None:
    try:
        day = weeks.plain_day(intervals)
    except CellRefused:
        return
    assert weeks.week([weeks.day_text(day), *CLOSED])[0] == day
    assert weeks.holidays(weeks.day_text(day)) == day
