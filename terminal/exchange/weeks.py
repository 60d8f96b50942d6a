"""Days and weeks of a schedule as text, and back: `08:00-18:00;20:00-24:00`.

A day is its intervals in minutes from midnight, sorted and apart; none at all is a closed day. An
interval that ends on the next morning (`22:00-06:00`) is split at midnight, and its rest belongs to
the next weekday. Where two intervals overlap, one of them is a slip, and the day is refused.

What changes with this file: the schedules of everyone; docs/exchange.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import normalize

from terminal.exchange.cells import CellRefused

Interval = tuple[int, int]
Day = tuple[Interval, ...]
Week = tuple[Day, ...]

DAYS = 7
MIDNIGHT = 1440
"""Minutes of a day; the end of an interval may be this one."""
MAX_INTERVALS = 8

_CLOSED = frozenset({"", "closed", "关闭", "休息", "-"})
_ALL_DAY = frozenset({"all day", "全天", "24h"})
_AS_USUAL = frozenset({"as usual", "usual", "照常", "同平日"})
_INTERVAL = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—~至]\s*(\d{1,2}):(\d{2})", re.ASCII)
_APART = re.compile(r"\s*[;,、]\s*")
_MAX_CHARACTERS = 300


def week(texts: Sequence[str]) -> Week:
    """Seven cells, Monday first, as a week. Raises CellRefused."""
    days: list[list[Interval]] = [[] for _ in range(DAYS)]
    for at, text in enumerate(texts):
        for begins, ends in _intervals(text):
            if begins < ends:
                days[at].append((begins, ends))
                continue
            days[at].append((begins, MIDNIGHT))
            if ends:
                days[(at + 1) % DAYS].append((0, ends))
    return tuple(plain_day(day) for day in days)


def holidays(text: str) -> Day | None:
    """The cell for holidays: a day of its own, or None for a day like its weekday."""
    plain = _plain(text)
    if plain in _AS_USUAL:
        return None
    if not plain:
        raise CellRefused('Say "closed" or "as usual" for holidays, or the times.')
    found = _intervals(text)
    if any(ends <= begins for begins, ends in found):
        raise CellRefused("A time on holidays ends on the same day; 24:00 is its end.")
    return plain_day(found)


def plain_day(intervals: Sequence[Interval]) -> Day:
    """Intervals sorted, and those that touch made one. Raises CellRefused if two overlap."""
    day: list[Interval] = []
    for begins, ends in sorted(intervals):
        _check(begins, ends)
        if day and begins < day[-1][1]:
            raise CellRefused("Two times of one day overlap.")
        if day and begins == day[-1][1]:
            day[-1] = (day[-1][0], ends)
        else:
            day.append((begins, ends))
    if len(day) > MAX_INTERVALS:
        raise CellRefused(f"A day has at most {MAX_INTERVALS} times.")
    return tuple(day)


def day_text(day: Day, closed: str = "closed") -> str:
    """What `week` and `holidays` read as this day."""
    return ";".join(f"{_clock(begins)}-{_clock(ends)}" for begins, ends in day) or closed


def _check(begins: int, ends: int) -> None:
    if not 0 <= begins < ends <= MIDNIGHT:
        raise CellRefused("A time of the day lies within 00:00 to 24:00, its end after its begin.")


def _plain(text: str) -> str:
    if len(text) > _MAX_CHARACTERS:
        raise CellRefused("The times of a day are longer than any day.")
    return normalize("NFKC", text).strip().casefold()


def _intervals(text: str) -> list[Interval]:
    plain = _plain(text)
    if plain in _CLOSED:
        return []
    if plain in _ALL_DAY:
        return [(0, MIDNIGHT)]
    return [_interval(each) for each in _APART.split(plain) if each]


def _interval(text: str) -> Interval:
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise CellRefused("The times can't be read; write them as 08:00-18:00;20:00-24:00.")
    begins, ends = _minutes(match[1], match[2]), _minutes(match[3], match[4])
    if begins in (ends, MIDNIGHT):
        raise CellRefused("A time has no length; write 00:00-24:00 for the whole day.")
    return begins, ends


def _minutes(hour: str, minute: str) -> int:
    minutes = int(hour) * 60 + int(minute)
    if int(minute) > 59 or minutes > MIDNIGHT:
        raise CellRefused("A time of the day lies within 00:00 to 24:00.")
    return minutes


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
