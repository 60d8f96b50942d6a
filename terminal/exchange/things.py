"""Rows of groups, schedules and holidays: what each cell of theirs means.

What changes with this file: docs/exchange.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from terminal.exchange import cells, dates, weeks
from terminal.exchange.cells import CellRefused
from terminal.exchange.headings import WEEKDAYS, Column
from terminal.exchange.people import Cells, one
from terminal.exchange.report import RowVerdict
from terminal.exchange.rows import GroupRow, HolidayRow, ScheduleRow
from terminal.exchange.vocabulary import PASSBACKS, RULES, YES_NO, meaning

T = TypeVar("T", GroupRow, ScheduleRow, HolidayRow)


def group(line: int, row: Cells) -> GroupRow:
    """The group of this row. Raises CellRefused."""
    rule, passback = one(row, Column.RULE), one(row, Column.PASSBACK)
    passes = one(row, Column.PASSES_LOCKDOWN)
    return GroupRow(
        line=line,
        name=cells.name(one(row, Column.NAME)),
        rule=meaning(rule, RULES, "rule") if rule else "any",
        schedule=cells.reference(one(row, Column.SCHEDULE), "schedule") or None,
        passback=meaning(passback, PASSBACKS, "anti-passback") if passback else "off",
        passback_minutes=_minutes(one(row, Column.PASSBACK_MINUTES)),
        passes_lockdown=meaning(passes, YES_NO, "lockdown's word") if passes else False,
    )


def schedule(line: int, row: Cells) -> ScheduleRow:
    """The schedule of this row. Raises CellRefused."""
    on_holidays = one(row, Column.ON_HOLIDAYS)
    return ScheduleRow(
        line=line,
        name=cells.name(one(row, Column.NAME)),
        week=weeks.week([one(row, column) for column in WEEKDAYS]),
        on_holidays=weeks.holidays(on_holidays) if Column.ON_HOLIDAYS in row else None,
    )


def holiday(line: int, row: Cells) -> HolidayRow:
    """The holiday of this row. Raises CellRefused."""
    return HolidayRow(
        line=line,
        date=dates.day_of(one(row, Column.DATE)),
        name=cells.label(one(row, Column.NAME)),
    )


class Shelf(Generic[T]):
    """The groups, schedules or holidays of one file: each is there once, the first one counts."""

    def __init__(
        self,
        what: str,
        read: Callable[[int, Cells], T],
        key: Callable[[T], object],
        check: Callable[[T], None] = lambda row: None,
    ) -> None:
        """`check` raises CellRefused for what can't be taken beside the rest."""
        self._what = what
        self._read: Callable[[int, Cells], T] = read
        self._key: Callable[[T], object] = key
        self._check: Callable[[T], None] = check
        self._lines: dict[object, int] = {}
        self.rows: list[T] = []
        self.verdicts: list[RowVerdict] = []

    def add(self, line: int, row: Cells) -> None:
        """Take a row in, or refuse it."""
        try:
            made = self._read(line, row)
            self._check_is_new(made)
            self._check(made)
        except CellRefused as error:
            self.refuse(line, str(error))
            return
        self.rows.append(made)
        self._lines[self._key(made)] = line
        self.verdicts.append(RowVerdict(line, True, "Good.", self._what))

    def refuse(self, line: int, sentence: str) -> None:
        """Write that a row is not taken."""
        self.verdicts.append(RowVerdict(line, False, sentence, self._what))

    def _check_is_new(self, made: T) -> None:
        if earlier := self._lines.get(self._key(made)):
            raise CellRefused(f"This {self._what} stands in line {earlier} already.")


def _minutes(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 4):
        raise CellRefused("The minutes of anti-passback are no whole number.")
    return int(text)
