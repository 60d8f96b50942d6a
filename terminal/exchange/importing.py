"""Files to rows, with a verdict on every line: the dry run of an import, and its first half.

Nothing is written anywhere. One broken row costs itself alone; trouble with the file as a whole is
one sentence (ExchangeRefused), and then no row is handed on. What rows refer to (groups,
schedules) must be in the file or among the names that the caller hands in.

What changes with this file: the command that imports; docs/exchange.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from terminal.exchange import document, things
from terminal.exchange.cells import CellRefused
from terminal.exchange.decoding import decoded
from terminal.exchange.headings import Table
from terminal.exchange.people import Cells, Roll, draft
from terminal.exchange.records import SEPARATORS, Broken
from terminal.exchange.report import Counts, RefusedColumn, Report, RowVerdict
from terminal.exchange.rows import GroupRow, HolidayRow, PersonRow, ScheduleRow
from terminal.exchange.sheet import sheet

Rows = Iterable[tuple[int, Cells] | Broken]


@dataclass(frozen=True, slots=True)
class Known:
    """Names that rows may refer to although the file does not define them."""

    groups: frozenset[str] = frozenset()
    schedules: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Imported:
    """What one file gives: the report, and the rows that are good."""

    report: Report
    people: tuple[PersonRow, ...] = ()
    groups: tuple[GroupRow, ...] = ()
    schedules: tuple[ScheduleRow, ...] = ()
    holidays: tuple[HolidayRow, ...] = ()

    def known(self, before: Known) -> Known:
        """The names that a file read after this one may refer to."""
        return Known(
            before.groups | {group.name for group in self.groups},
            before.schedules | {schedule.name for schedule in self.schedules},
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """What the rows of one table give."""

    verdicts: tuple[RowVerdict, ...] = ()
    people: tuple[PersonRow, ...] = ()
    groups: tuple[GroupRow, ...] = ()
    schedules: tuple[ScheduleRow, ...] = ()
    holidays: tuple[HolidayRow, ...] = ()


def read_csv(data: bytes, table: Table, zone: ZoneInfo, known: Known) -> Imported:
    """The rows of a CSV file. `zone` is the site's. Raises ExchangeRefused."""
    found = sheet(data, table)
    part = _READERS[table](found.rows(), zone, known)
    return _imported(
        [part], found.encoding, SEPARATORS[found.separator], found.ignored, found.refused
    )


def read_json(data: bytes, zone: ZoneInfo, known: Known) -> Imported:
    """The rows of a JSON document; lines are its entries. Raises ExchangeRefused."""
    file = document.opened(decoded(data).text)
    holidays = _holidays(file.holidays, zone, known)
    schedules = _schedules(file.schedules, zone, known)
    known = Known(known.groups, known.schedules | {each.name for each in schedules.schedules})
    groups = _groups(file.groups, zone, known)
    known = Known(known.groups | {each.name for each in groups.groups}, known.schedules)
    people = _people(file.people, zone, known)
    return _imported([people, groups, schedules, holidays], "JSON", "", (), ())


def _people(rows: Rows, zone: ZoneInfo, known: Known) -> _Part:
    roll = Roll(known.groups)
    for row in rows:
        if isinstance(row, Broken):
            roll.refuse(row.line, row.sentence)
            continue
        try:
            roll.add(draft(*row, zone))
        except CellRefused as error:
            roll.refuse(row[0], str(error))
    people, verdicts = roll.settled()
    return _Part(verdicts, people=people)


def _groups(rows: Rows, zone: ZoneInfo, known: Known) -> _Part:
    def check(group: GroupRow) -> None:
        if group.schedule is not None and group.schedule not in known.schedules:
            raise CellRefused("Its schedule is neither in the file nor at this terminal.")

    shelf = things.Shelf("group", things.group, lambda row: row.name, check)
    _fill(shelf, rows)
    return _Part(tuple(shelf.verdicts), groups=tuple(shelf.rows))


def _schedules(rows: Rows, zone: ZoneInfo, known: Known) -> _Part:
    shelf = things.Shelf("schedule", things.schedule, lambda row: row.name)
    _fill(shelf, rows)
    return _Part(tuple(shelf.verdicts), schedules=tuple(shelf.rows))


def _holidays(rows: Rows, zone: ZoneInfo, known: Known) -> _Part:
    shelf = things.Shelf("holiday", things.holiday, lambda row: row.date)
    _fill(shelf, rows)
    return _Part(tuple(shelf.verdicts), holidays=tuple(shelf.rows))


def _fill(shelf: things.Shelf[things.T], rows: Rows) -> None:
    for row in rows:
        if isinstance(row, Broken):
            shelf.refuse(row.line, row.sentence)
        else:
            shelf.add(*row)


_READERS: dict[Table, Callable[[Rows, ZoneInfo, Known], _Part]] = {
    Table.PEOPLE: _people,
    Table.GROUPS: _groups,
    Table.SCHEDULES: _schedules,
    Table.HOLIDAYS: _holidays,
}


def _imported(
    parts: list[_Part],
    encoding: str,
    separator: str,
    ignored: tuple[str, ...],
    refused: tuple[RefusedColumn, ...],
) -> Imported:
    verdicts = tuple(verdict for part in parts for verdict in part.verdicts)
    people = tuple(row for part in parts for row in part.people)
    groups = tuple(row for part in parts for row in part.groups)
    schedules = tuple(row for part in parts for row in part.schedules)
    holidays = tuple(row for part in parts for row in part.holidays)
    good = sum(verdict.ok for verdict in verdicts)
    counts = Counts(
        *(good, len(verdicts) - good, len(people), sum(len(each.cards) for each in people)),
        *(len(groups), len(schedules), len(holidays)),
    )
    report = Report(verdicts, ignored, refused, encoding, separator, counts)
    return Imported(report, people, groups, schedules, holidays)
