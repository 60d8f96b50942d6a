"""A week in a line of text is the week that it says, and is written as what is read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.exchange import weeks
from terminal.exchange.cells import CellRefused
from terminal.exchange.week_line import week_of, week_text
from terminal.exchange.weeks import Day, Week

MORNING, EVENING = (480, 720), (780, 1080)


def days(*named: int, day: Day = (MORNING,)) -> Week:
    return tuple(day if at in named else () for at in range(7))


@pytest.mark.parametrize(
    ("text", "week"),
    [
        ("mon-fri 08:00-12:00", days(0, 1, 2, 3, 4)),
        ("MON,wed , Friday: 08:00-12:00", days(0, 2, 4)),
        ("sat-mon 08:00-12:00", days(5, 6, 0)),
        ("mon,tue-wed,sunday 8:00–12:00", days(0, 1, 2, 6)),
        ("daily 08:00-12:00", days(*range(7))),
        ("every day 08:00-12:00, 13:00-18:00", days(*range(7), day=(MORNING, EVENING))),
        ("mon 13:00-18:00; mon 08:00-12:00", days(0, day=(MORNING, EVENING))),
        ("mon 08:00-12:00; 13:00-18:00;", days(0, day=(MORNING, EVENING))),
        ("ｍｏｎ 08:00-12:00", days(0)),
        ("mon-mon 08:00-12:00", days(0)),
        ("daily all day", days(*range(7), day=((0, 1440),))),
        ("all day", days(*range(7), day=((0, 1440),))),
        ("closed", days()),
        ("mon closed; tue 08:00-12:00", days(1)),
        ("sun 22:00-06:00", (((0, 360),), (), (), (), (), (), ((1320, 1440),))),
    ],
)
def test_a_line_is_the_week_that_it_says(text: str, week: Week) -> None:
    assert week_of(text) == week


@pytest.mark.parametrize(
    "text",
    [
        *("", ";", " ; ;", "mon", "mon-fri", "08:00-12:00", "08:00-12:00; mon 08:00-12:00"),
        *("weekdays 08:00-12:00", "mon- 08:00-12:00", "-fri 08:00-12:00", "mon,,tue 08:00-12:00"),
        *("monfri 08:00-12:00", "mon 08:00", "mon 8-12", "mon 12:00-12:00", "mon 24:00-06:00"),
        *("mon 08:00-12:00; mon 10:00-11:00", "closed; mon 08:00-12:00", "mon closed; 08:00-12:00"),
        *("mon ٠٨:00-12:00", "mon\x0008:00-12:00", "mon 08:00-12:00\x1b[2J", "mon " * 300),
        "mon " + ",".join(f"{hour:02}:00-{hour:02}:30" for hour in range(9)),
    ],
)
def test_what_says_no_week_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(CellRefused) as refused:
        week_of(text)
    assert "\x1b" not in str(refused.value)


@st.composite
def plain_days(draw: st.DrawFn) -> Day:
    ends = sorted(draw(st.sets(st.integers(0, 1440), max_size=8)))
    return weeks.plain_day(list(zip(ends[::2], ends[1::2], strict=False)))


@given(st.lists(plain_days(), min_size=7, max_size=7).map(tuple))
def test_every_week_is_written_as_it_is_read(week: Week) -> None:
    assert week_of(week_text(week)) == week


@given(st.text(max_size=60) | st.text("monday fri,-;:0128 ", max_size=60))
def test_any_text_is_a_week_or_one_sentence(text: str) -> None:
    try:
        week = week_of(text)
    except CellRefused as refused:
        assert str(refused).endswith(".")
    else:
        assert week_of(week_text(week)) == week
