"""A week in one line: `mon-fri 08:00-12:00, 13:00-18:00; sat 09:00-12:00`, and back.

Days before times; a part without days belongs to the days before it; a day that is not named is
closed. The times of a day are those of an import (`exchange.weeks`), so a time over midnight goes
on in the next morning and overlaps are refused.

What changes with this file: docs/doors.md, docs/maintenance.md.
"""

from __future__ import annotations

import re
from itertools import groupby
from unicodedata import normalize

from terminal.exchange import weeks
from terminal.exchange.cells import CellRefused
from terminal.exchange.weeks import DAYS, Week

SHORT = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PLACES = {name: at for names in (SHORT, _LONG) for at, name in enumerate(names)}
_DAILY = frozenset({"daily", "every day"})
_EXAMPLE = '"mon-fri 08:00-18:00; sat 09:00-12:00"'
_MAX_CHARACTERS = 1000

_DAY = "|".join(sorted(_PLACES, key=len, reverse=True))
_RANGE = rf"(?:{_DAY})(?:\s*[-–]\s*(?:{_DAY}))?"
_PART = re.compile(rf"(?P<days>daily|every day|{_RANGE}(?:\s*,\s*{_RANGE})*)\s*:?\s+(?P<times>.+)")


def week_of(text: str) -> Week:
    """The week that this line says. Raises CellRefused."""
    if len(text) > _MAX_CHARACTERS:
        raise CellRefused("The times of a week are longer than any week.")
    plain = normalize("NFKC", text).strip().casefold()
    if plain in ("closed", "all day"):
        return weeks.week([plain] * DAYS)
    cells: list[list[str]] = [[] for _ in range(DAYS)]
    days: tuple[int, ...] = ()
    for part in filter(None, (each.strip() for each in plain.split(";"))):
        match = _PART.fullmatch(part)
        days = _days(match["days"]) if match else days
        if not days:
            raise CellRefused(f"The week can't be read; write it as {_EXAMPLE}.")
        for day in days:
            cells[day].append(match["times"] if match else part)
    if not any(cells):
        raise CellRefused(f'The week is empty; write it as {_EXAMPLE}, or "closed".')
    return weeks.week([";".join(each) for each in cells])


def _days(text: str) -> tuple[int, ...]:
    if text in _DAILY:
        return tuple(range(DAYS))
    found: list[int] = []
    for part in text.split(","):
        first, _, last = (each.strip() for each in re.sub("–", "-", part).partition("-"))
        begins = _PLACES[first]
        ends = _PLACES[last] if last else begins
        found += [(begins + step) % DAYS for step in range((ends - begins) % DAYS + 1)]
    return tuple(dict.fromkeys(found))


def week_text(week: Week) -> str:
    """What `week_of` reads as this week; days that are alike and follow each other are one part."""
    runs = [(day, [at for at, _ in group]) for day, group in groupby(enumerate(week), _times)]
    parts = [
        f"{_named(places)} {weeks.day_text(day).replace(';', ', ')}" for day, places in runs if day
    ]
    return "; ".join(parts) or "closed"


def _times(numbered: tuple[int, weeks.Day]) -> weeks.Day:
    return numbered[1]


def _named(places: list[int]) -> str:
    return SHORT[places[0]] if len(places) == 1 else f"{SHORT[places[0]]}-{SHORT[places[-1]]}"
