"""A CSV file as a sheet: its encoding, its separator, its line of headings, and the rows below.

The headings are looked for in the first ten records: programs like to write a title above them. The
separator is the one with which most headings are known. Nothing below a column that is not read
leaves this file: what `rows` yields has no place for it.

What changes with this file: `importing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from terminal.exchange.cells import unmarked
from terminal.exchange.decoding import decoded
from terminal.exchange.headings import REQUIRED, Column, NeverTaken, Table, column_of
from terminal.exchange.people import Cells
from terminal.exchange.records import (
    MAX_COLUMNS,
    SEPARATORS,
    Broken,
    Record,
    records,
)
from terminal.exchange.report import RefusedColumn
from terminal.exchange.rows import ExchangeRefused

MAX_ROWS = 100_000
MAX_LINES = 1_000_000
"""Blank ones among them, of which spreadsheets may leave many."""
_SEARCHED = 10
_SEARCHED_CHARACTERS = 1_000_000

Heading = Column | NeverTaken | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file whose headings are found. `headings` has one entry a column, as in `titles`."""

    text: str
    encoding: str
    separator: str
    line: int
    titles: tuple[str, ...]
    headings: tuple[Heading, ...]

    @property
    def ignored(self) -> tuple[str, ...]:
        """Titles of columns that are not known."""
        pairs = zip(self.titles, self.headings, strict=True)
        return tuple(title for title, heading in pairs if heading is None and title)

    @property
    def refused(self) -> tuple[RefusedColumn, ...]:
        """Columns that are never read."""
        pairs = zip(self.titles, self.headings, strict=True)
        return tuple(
            RefusedColumn(title, why) for title, why in pairs if isinstance(why, NeverTaken)
        )

    def rows(self) -> Iterator[tuple[int, Cells] | Broken]:
        """Every row below the headings. Raises ExchangeRefused where there are too many."""
        count = 0
        for read, record in enumerate(records(self.text, self.separator)):
            if read > MAX_LINES:
                raise ExchangeRefused("The file has a million lines or more: take out blank ones.")
            if record.line <= self.line or (isinstance(record, Record) and record.is_blank):
                continue
            count += 1
            if count > MAX_ROWS:
                raise ExchangeRefused(f"The file has more than {MAX_ROWS} rows: split it.")
            yield self._row(record)

    def _row(self, record: Record | Broken) -> tuple[int, Cells] | Broken:
        if isinstance(record, Broken):
            return record
        if any(cell.strip() for cell in record.cells[len(self.headings) :]):
            return Broken(record.line, "The row has more cells than there are headings.")
        row: dict[Column, tuple[str, ...]] = {}
        for heading, cell in zip(self.headings, record.cells, strict=False):
            if isinstance(heading, Column):
                row[heading] = (*row.get(heading, ()), unmarked(cell))
        return record.line, row


def sheet(data: bytes, table: Table) -> Sheet:
    """The file as a sheet of this table. Raises ExchangeRefused."""
    file = decoded(data)
    found = [_headed(file.text, file.encoding, separator, table) for separator in SEPARATORS]
    best = max(found, key=lambda each: _known(each.headings) if each else 0)
    if best is None:
        raise ExchangeRefused(
            f'No line of headings was found: the first lines have no "{REQUIRED[table].value}"'
            " (or a synonym of it) over a column."
        )
    _check_unique(best)
    return best


def _headed(text: str, encoding: str, separator: str, table: Table) -> Sheet | None:
    """The sheet that this separator makes of the text, if it makes one."""
    for record in islice(records(text[:_SEARCHED_CHARACTERS], separator), _SEARCHED):
        if isinstance(record, Broken):
            continue
        titles = tuple(unmarked(cell) for cell in record.cells)
        headings = tuple(column_of(title, table) for title in titles)
        if REQUIRED[table] in headings:
            return Sheet(text, encoding, separator, record.line, titles, headings)
    return None


def _known(headings: tuple[Heading, ...]) -> int:
    return sum(heading is not None for heading in headings)


def _check_unique(found: Sheet) -> None:
    columns = [heading for heading in found.headings if isinstance(heading, Column)]
    for column in columns:
        if column is not Column.CARD and columns.count(column) > 1:
            raise ExchangeRefused(
                f'Two columns are headed "{column.value}" (or a synonym of it): take one out.'
            )
    if len(columns) > MAX_COLUMNS:
        raise ExchangeRefused(f"The file has more than {MAX_COLUMNS} columns.")
