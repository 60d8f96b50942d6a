"""Whether something holds at a moment: the week of a site, its holidays, dates of validity.

Local time comes with the moment (`offset_s`), so summer time and time zones are the clock's
affair and nothing here knows of them: in the hour that comes twice a schedule holds twice, in the
hour that is left out it never holds. While the clock is not trusted no schedule is open, whatever
its hours (A18): the core refuses what depends on it, and says why.

What changes with this file: `access` and `door`, docs/doors.md.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from terminal.core.values import Intervals, Moment, Schedule

DAY_MIN = 24 * 60

ALWAYS: Intervals = ((0, DAY_MIN),)
NEVER: Intervals = ()


def local(at: Moment) -> datetime:
    """The site's local time, as a naive date and time."""
    return (at.utc + timedelta(seconds=at.offset_s)).replace(tzinfo=None)


def is_open(schedule: Schedule, at: Moment) -> bool:
    """Whether the schedule holds now; never while the clock is not trusted."""
    if not at.trusted:
        return False
    now = local(at)
    minute = now.hour * 60 + now.minute
    return any(begin <= minute < end for begin, end in _of_day(schedule, now))


def _of_day(schedule: Schedule, now: datetime) -> Intervals:
    if schedule.on_holidays is not None and now.date() in schedule.holidays:
        return schedule.on_holidays
    return schedule.week[now.weekday()]


def seconds_to_next_minute(at: Moment) -> float:
    """When (s from now) a schedule can change at the earliest."""
    now = local(at)
    return 60.0 - now.second - now.microsecond / 1e6


def is_within(at: Moment, begin: datetime | None, end: datetime | None) -> bool:
    """Whether this moment lies within dates of validity, `end` excluded; None has no bound."""
    return (begin is None or at.utc >= begin) and (end is None or at.utc < end)
