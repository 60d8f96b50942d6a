"""Rows to CSV files that this package reads again as the same rows.

UTF-8 with a mark at its beginning (spreadsheets read it rightly only so), headed in English or
Chinese; or GB18030, headed in Chinese, which is also what tells it from UTF-8. What a spreadsheet
would run gets an apostrophe in front (`cells.marked`). Card numbers, templates, consents and keys
are never in an export: the terminal itself has no card's number, only what it was hashed to (R45).

What changes with this file: docs/exchange.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

from terminal.exchange import dates, vocabulary, weeks
from terminal.exchange.cells import marked
from terminal.exchange.headings import HEADINGS, WEEKDAYS, Column, Table
from terminal.exchange.rows import GroupRow, HeldPerson, HolidayRow, ScheduleRow

T = TypeVar("T")

_NEEDS_QUOTES = re.compile('[",;\t\r\n]|^ | $')

PEOPLE = (
    *(Column.IDENTIFIER, Column.NAME, Column.FLAT, Column.KIND, Column.GROUP),
    *(Column.VALID_FROM, Column.VALID_UNTIL, Column.CARD_COUNT),
)
GROUPS = (
    *(Column.NAME, Column.RULE, Column.SCHEDULE, Column.PASSBACK),
    *(Column.PASSBACK_MINUTES, Column.PASSES_LOCKDOWN),
)
SCHEDULES = (Column.NAME, *WEEKDAYS, Column.ON_HOLIDAYS)
HOLIDAYS = (Column.DATE, Column.NAME)


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is written; GB18030 is always headed in Chinese."""

    encoding: Literal["utf-8", "gb18030"] = "utf-8"
    chinese: bool = False

    @property
    def language(self) -> int:
        """Which of the words of a meaning is written: 0 English, 1 Chinese."""
        return int(self.chinese or self.encoding == "gb18030")


def people_csv(people: Iterable[HeldPerson], zone: ZoneInfo, form: Form) -> bytes:
    """people.csv; `zone` is the site's, in which validity is written."""

    def cells(held: HeldPerson) -> tuple[str, ...]:
        row = held.row
        return (
            *(row.identifier or "", row.name, row.flat),
            *(vocabulary.KINDS[row.kind][form.language], row.group),
            dates.begin_text(row.valid_from, zone),
            *(dates.end_text(row.valid_until, zone), str(held.card_count)),
        )

    return _file(Table.PEOPLE, PEOPLE, people, cells, form)


def groups_csv(groups: Iterable[GroupRow], form: Form) -> bytes:
    """groups.csv."""

    def cells(row: GroupRow) -> tuple[str, ...]:
        minutes = "" if row.passback_minutes is None else str(row.passback_minutes)
        return (
            *(row.name, vocabulary.RULES[row.rule][form.language], row.schedule or ""),
            *(vocabulary.PASSBACKS[row.passback][form.language], minutes),
            vocabulary.YES_NO[row.passes_lockdown][form.language],
        )

    return _file(Table.GROUPS, GROUPS, groups, cells, form)


def schedules_csv(schedules: Iterable[ScheduleRow], form: Form) -> bytes:
    """schedules.csv."""
    closed = vocabulary.CLOSED[form.language]

    def cells(row: ScheduleRow) -> tuple[str, ...]:
        days = (weeks.day_text(day, closed) for day in row.week)
        holidays = row.on_holidays
        usual = vocabulary.AS_USUAL[form.language]
        return row.name, *days, usual if holidays is None else weeks.day_text(holidays, closed)

    return _file(Table.SCHEDULES, SCHEDULES, schedules, cells, form)


def holidays_csv(holidays: Iterable[HolidayRow], form: Form) -> bytes:
    """holidays.csv."""

    def cells(row: HolidayRow) -> tuple[str, ...]:
        return row.date.isoformat(), row.name

    return _file(Table.HOLIDAYS, HOLIDAYS, holidays, cells, form)


def _file(
    table: Table,
    columns: Sequence[Column],
    rows: Iterable[T],
    cells: Callable[[T], tuple[str, ...]],
    form: Form,
) -> bytes:
    titles = tuple(HEADINGS[table][column][form.language] for column in columns)
    lines = [_line(titles), *(_line(cells(row)) for row in rows)]
    return "".join(lines).encode("utf-8-sig" if form.encoding == "utf-8" else form.encoding)


def _line(cells: Sequence[str]) -> str:
    return ",".join(_cell(cell) for cell in cells) + "\r\n"


def _cell(text: str) -> str:
    safe = marked(text)
    if _NEEDS_QUOTES.search(safe):
        doubled = safe.replace('"', '""')
        return f'"{doubled}"'
    return safe
