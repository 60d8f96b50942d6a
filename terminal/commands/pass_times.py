"""From when until when a pass opens, and how often: what was typed, and what each kind has else.

Times are the site's local time and read as an import reads them. The defaults are what an office
hands out: a resident's pass for a year, a printed one for a month, a visitor's for a day. A visitor
goes out for lunch and comes back, so five entries; one-time means one.

What changes with this file: docs/doors.md, docs/maintenance.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from terminal.errors import NotDone
from terminal.exchange import dates
from terminal.exchange.cells import CellRefused


@dataclass(frozen=True, slots=True)
class Usual:
    """What a kind of pass has where nothing else is said; `uses` 0 is as often as wanted."""

    days: int
    uses: int
    good_for: str


KINDS = MappingProxyType(
    {
        "resident": Usual(
            365,
            0,
            "A resident's pass is a page for their phone: its code is new every 30 seconds, so a"
            " picture of it soon opens nothing. It needs no network and no app.",
        ),
        "static": Usual(
            30,
            0,
            "A static pass is for whoever has no phone that shows the page: print it, or send it."
            " Whoever copies it has it too, so it takes the person's PIN besides.",
        ),
        "visitor": Usual(
            1,
            5,
            "A visitor's pass opens a few times within its time, and is on record with its host.",
        ),
        "once": Usual(
            1,
            1,
            "A one-time pass opens once: for a delivery, or somebody who is seen out.",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed of it: texts of local time, or a length; None where nothing was."""

    begins: str | None = None
    ends: str | None = None
    days: int | None = None
    hours: int | None = None


def span(
    kind: str, wanted: Wanted, now: datetime, zone: ZoneInfo
) -> tuple[datetime | None, datetime]:
    """From when (None: from now on) until when (UTC, whole seconds). Raises NotDone."""
    try:
        begins = dates.begin(wanted.begins, zone) if wanted.begins else None
        ends = _typed_end(wanted.ends, zone) if wanted.ends is not None else None
        if ends is None:
            ends = (begins or now) + _length(kind, wanted)
        begins, ends = begins and begins.replace(microsecond=0), ends.replace(microsecond=0)
        dates.check_span(begins, ends)
    except CellRefused as error:
        raise NotDone(str(error)) from error
    if ends <= now:
        raise NotDone("This pass would have ended already; look at its dates, and at the clock.")
    return begins, ends


def _typed_end(text: str, zone: ZoneInfo) -> datetime:
    ends = dates.end(text, zone)
    if ends is None:
        raise CellRefused("A pass has an end: write it as 2026-01-31 or 2026-01-31 18:00.")
    return ends


def _length(kind: str, wanted: Wanted) -> timedelta:
    if wanted.hours is not None:
        return timedelta(hours=wanted.hours)
    return timedelta(days=KINDS[kind].days if wanted.days is None else wanted.days)
