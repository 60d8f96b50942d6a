"""Weeks and days of a schedule as text: JSON in one form only, checked letter for letter.

A day is a list of `[begin, end]` in minutes of local time, in order, apart from each other; a week
is seven days, Monday first. What is read must be exactly what would have been written: anything
else is StoreFailed, and whoever depends on it is refused. Never "always open" by mistake.

What changes with this file: `terminal.store.groups`, and the schedules already out there.
"""

from __future__ import annotations

import json
from typing import Any

from terminal.core.timetable import DAY_MIN
from terminal.core.values import Intervals
from terminal.errors import NotDone, StoreFailed

Week = tuple[Intervals, Intervals, Intervals, Intervals, Intervals, Intervals, Intervals]

MOST_INTERVALS = 48
"""So many parts of one day are enough for every half hour."""


def in_order(day: Intervals) -> Intervals:
    """The same minutes of a day in order, with what touches or overlaps put together.

    Raises NotDone when a part begins after its end or lies outside of the day.
    """
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(day):
        if not 0 <= begin < end <= DAY_MIN:
            raise NotDone("A part of a day begins before it ends, from 00:00 to 24:00.")
        if joined and begin <= joined[-1][1]:
            begin, end = joined[-1][0], max(end, joined[-1][1])
            joined.pop()
        joined.append((begin, end))
    if len(joined) > MOST_INTERVALS:
        raise NotDone(f"A day has at most {MOST_INTERVALS} parts.")
    return tuple(joined)


def day_text(day: Intervals) -> str:
    """A day as it is kept. Raises NotDone as `in_order`."""
    return _json(in_order(day))


def week_text(week: Week) -> str:
    """A week as it is kept. Raises NotDone as `in_order`, and for other than seven days."""
    if len(week) != len(_WEEKDAYS):
        raise NotDone("A week has seven days.")
    return _json(tuple(in_order(day) for day in week))


def day_of(text: str) -> Intervals:
    """A day that was kept. Raises StoreFailed for anything that `day_text` does not write."""
    return _day(_read(text), text)


def week_of(text: str) -> Week:
    """A week that was kept. Raises StoreFailed for anything that `week_text` does not write."""
    days = _read(text)
    if not isinstance(days, list) or len(days) != len(_WEEKDAYS):
        raise StoreFailed(_DAMAGED)
    monday, tuesday, wednesday, thursday, friday, saturday, sunday = (
        _day(day, _json(day)) for day in days
    )
    week = (monday, tuesday, wednesday, thursday, friday, saturday, sunday)
    if _json(week) != text:
        raise StoreFailed(_DAMAGED)
    return week


_WEEKDAYS = range(7)
_DAMAGED = "A schedule in the store can't be read; write it anew."


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StoreFailed(_DAMAGED) from error


def _day(found: Any, text: str) -> Intervals:
    """A day from what JSON made of `text`, if this is how the day is written."""
    try:
        day = in_order(tuple((begin, end) for begin, end in found))
        if _json(day) == text and all(type(minute) is int for part in day for minute in part):
            return day
    except (TypeError, ValueError, NotDone):
        pass
    raise StoreFailed(_DAMAGED)
