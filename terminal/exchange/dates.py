"""Dates and times as files write them, and back: local time of the site in, UTC out.

Only what can be read in one way is taken. A bare date as an end means the end of that day, since
that is what whoever wrote it meant: the instant at which the next day begins there. A local time
that a change of the clocks skips or repeats is refused; whoever means one writes its offset.

What changes with this file: the validity of everyone who is imported; docs/exchange.md.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from unicodedata import normalize
from zoneinfo import ZoneInfo

from terminal.exchange.cells import CellRefused

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
LATEST = datetime(2199, 12, 30, tzinfo=UTC)
"""An end beyond this is no end: programs write 2999 or 9999 where they mean none."""

_ENDLESS = frozenset(
    {"长期", "永久", "长期有效", "永久有效", "无限期", "none", "never", "unlimited"}
)
_DATE = re.compile(
    r"(?:(?P<y1>\d{4})(?P<sign>[-/.])(?P<m1>\d{1,2})(?P=sign)(?P<d1>\d{1,2})"
    r"|(?P<d2>\d{1,2})\.(?P<m2>\d{1,2})\.(?P<y2>\d{4})"
    r"|(?P<y3>\d{4})年(?P<m3>\d{1,2})月(?P<d3>\d{1,2})日"
    r"|(?P<y4>\d{4})(?P<m4>\d{2})(?P<d4>\d{2}))"
    r"(?:(?:T| {1,4})(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})"
    r"(?:\.(?P<fraction>\d{1,6}))?)?"
    r" ?(?P<zone>Z|[+-]\d{2}:?\d{2}(?::\d{2})?)?)?",
    re.ASCII,
)
_DAY_NUMBER = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_TWO_WAYS = re.compile(r"\d{1,2}[-/]\d{1,2}[-/]\d{2,4}(?:\D.*)?", re.ASCII)
_DAY = timedelta(days=1)
_MAX_CHARACTERS = 64


def begin(text: str, zone: ZoneInfo) -> datetime | None:
    """The instant (UTC) from which something is valid; None for an empty cell."""
    plain = _plain(text)
    if not plain:
        return None
    day, at = _read(plain, zone)
    return _within(_midnight(day, zone) if at is None else at)


def end(text: str, zone: ZoneInfo) -> datetime | None:
    """The instant (UTC) at which validity has ended; None for an empty cell or "no end"."""
    plain = _plain(text)
    if not plain or plain.casefold() in _ENDLESS:
        return None
    day, at = _read(plain, zone, endless_from=LATEST.year + 1)
    if day.year > LATEST.year:
        return None
    instant = _day_end(day, zone) if at is None else at
    return None if instant > LATEST else _within(instant)


def day_of(text: str) -> date:
    """A date without a time of day."""
    plain = _plain(text)
    if not plain:
        raise CellRefused("The date is empty.")
    day, at = _read(plain, ZoneInfo("UTC"))
    if at is not None:
        raise CellRefused("A holiday is a whole day: write its date without a time.")
    return day


def begin_text(utc: datetime | None, zone: ZoneInfo) -> str:
    """What `begin` reads as this instant: a bare date where that says it."""
    if utc is None:
        return ""
    local = utc.astimezone(zone)
    return local.date().isoformat() if _starts(local.date(), zone) == utc else local.isoformat()


def end_text(utc: datetime | None, zone: ZoneInfo) -> str:
    """What `end` reads as this instant: a bare date where that says it."""
    if utc is None:
        return ""
    last = (utc - timedelta(microseconds=1)).astimezone(zone).date()
    is_end = _starts(last + _DAY, zone) == utc and last.year <= LATEST.year
    return last.isoformat() if is_end else utc.astimezone(zone).isoformat()


def check_span(begins: datetime | None, ends: datetime | None) -> None:
    """Raises CellRefused for times without a zone, out of range, or that end before they begin."""
    for instant in (begins, ends):
        if instant is not None:
            _check_instant(instant)
    if begins is not None and ends is not None and begins >= ends:
        raise CellRefused("The validity ends before it begins.")


def check_day(day: date) -> None:
    """Raises CellRefused for a day that no calendar of a site has."""
    if not EARLIEST.date() <= day <= LATEST.date():
        raise CellRefused("The year is not within 1970 to 2199.")


def _plain(text: str) -> str:
    plain = normalize("NFKC", text[:_MAX_CHARACTERS]).strip()
    if len(text) > _MAX_CHARACTERS:
        raise CellRefused("The date is longer than any date.")
    return plain


def _check_instant(instant: datetime) -> None:
    if instant.utcoffset() != timedelta(0):
        raise CellRefused("A time of validity is kept in UTC.")
    _within(instant)


def _within(instant: datetime) -> datetime:
    if not EARLIEST <= instant <= LATEST:
        raise CellRefused("The year is not within 1970 to 2199.")
    return instant


def _read(
    text: str, zone: ZoneInfo, *, endless_from: int | None = None
) -> tuple[date, datetime | None]:
    """The day that is named, and the instant where a time of day is."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise CellRefused(_why_no_date(text))
    try:
        day = _day(match)
        if endless_from is not None and day.year >= endless_from:
            return day, None
        if not EARLIEST.year <= day.year <= LATEST.year:
            raise CellRefused("The year is not within 1970 to 2199.")
        return day, _instant(match, day, zone)
    except CellRefused:
        raise
    except ValueError as error:
        raise CellRefused("There is no such date or time.") from error


def _why_no_date(text: str) -> str:
    if _DAY_NUMBER.fullmatch(text):
        return "The date is a spreadsheet's day number; format the column as a date, export again."
    if _TWO_WAYS.fullmatch(text):
        return "The date can be read in two ways; write it as 2026-01-31."
    return "The date can't be read; write it as 2026-01-31 or 2026-01-31 18:00."


def _day(match: re.Match[str]) -> date:
    groups = match.groupdict()
    for form in "1234":
        if groups[f"y{form}"]:
            return date(*(int(groups[f"{part}{form}"]) for part in "ymd"))
    raise CellRefused("There is no such date or time.")


def _instant(match: re.Match[str], day: date, zone: ZoneInfo) -> datetime | None:
    if match["hour"] is None:
        return None
    at = time(
        int(match["hour"]),
        int(match["minute"]),
        int(match["second"] or 0),
        int((match["fraction"] or "0").ljust(6, "0")),
    )
    local = datetime.combine(day, at)
    if match["zone"]:
        return local.replace(tzinfo=_offset(match["zone"])).astimezone(UTC)
    return _from_local(local, zone)


def _offset(text: str) -> timezone:
    if text == "Z":
        return UTC
    hours, minutes, seconds = int(text[1:3]), int(text[3:].lstrip(":")[:2]), 0
    if text.count(":") == 2:
        seconds = int(text[-2:])
    if hours > 14 or minutes > 59 or seconds > 59:
        raise CellRefused("There is no such time zone.")
    size = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(-size if text[0] == "-" else size)


def _from_local(local: datetime, zone: ZoneInfo) -> datetime:
    """The one instant of a local time; the two folds tell what a change of clocks did (PEP 495)."""
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    before, after = first.utcoffset(), second.utcoffset()
    if before is not None and after is not None and before < after:
        raise CellRefused("The clocks skip this time on that day; write another.")
    if before != after:
        raise CellRefused("The clocks pass this time twice on that day; add its offset, as +02:00.")
    return first.astimezone(UTC)


def _starts(day: date, zone: ZoneInfo) -> datetime:
    """When the day begins there; where the clocks skip midnight, that is when they do so."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    begins = _starts(day, zone)
    if begins.astimezone(zone).date() != day:
        raise CellRefused("The calendar of this place skips that day.")
    return begins


def _day_end(day: date, zone: ZoneInfo) -> datetime:
    _midnight(day, zone)
    return _starts(day + _DAY, zone)
