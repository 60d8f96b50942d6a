"""What an operator is told about a file before anything of it is kept: line by line, and in sum.

No sentence repeats a cell: a report is sent around, and a cell may hold what its heading does not
say. Headings are repeated, with what would move a screen's cursor made visible (`show.seen`).

What changes with this file: `importing`, the operator's screen.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import msgspec

from terminal.exchange.headings import NeverTaken
from terminal.show import seen, table

MAX_SHOWN = 200
"""Refused rows on a screen; JSON has them all."""
_HEADING_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """How one row fared; `what` is person, group, schedule or holiday.

    `joined_with` is the line of the row that a good one became part of, if it did.
    """

    line: int
    ok: bool
    sentence: str
    what: str
    joined_with: int | None = None


@dataclass(frozen=True, slots=True)
class RefusedColumn:
    """A column that is never read, and why."""

    heading: str
    why: NeverTaken

    @property
    def sentence(self) -> str:
        """The one sentence about it."""
        return f'The column "{_shown(self.heading)}" was not read: {self.why.value}.'


@dataclass(frozen=True, slots=True)
class Counts:
    """The sum: rows of the file, and what came of them."""

    rows_ok: int = 0
    rows_refused: int = 0
    people: int = 0
    cards: int = 0
    groups: int = 0
    schedules: int = 0
    holidays: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """Everything there is to say about one file."""

    rows: tuple[RowVerdict, ...]
    ignored_columns: tuple[str, ...]
    refused_columns: tuple[RefusedColumn, ...]
    encoding: str
    separator: str
    counts: Counts

    @property
    def refused(self) -> tuple[RowVerdict, ...]:
        """The rows that were not taken."""
        return tuple(row for row in self.rows if not row.ok)


def as_text(report: Report) -> str:
    """The report for a terminal: what was read, what was left out, and every refused row."""
    lines = [_read_as(report), _sum(report.counts)]
    lines += [column.sentence for column in report.refused_columns]
    if report.ignored_columns:
        headings = ", ".join(f'"{_shown(each)}"' for each in report.ignored_columns)
        lines.append(f"Columns that are not known and were not read: {headings}.")
    return "\n".join([*lines, *_refused_rows(report.refused)])


def as_json(report: Report) -> bytes:
    """The report for programs."""
    return msgspec.json.encode(
        {
            "rows": [_row(row) for row in report.rows],
            "ignored_columns": report.ignored_columns,
            "refused_columns": [
                {"heading": column.heading, "why": column.why.name.lower()}
                for column in report.refused_columns
            ],
            "encoding": report.encoding,
            "separator": report.separator,
            "counts": asdict(report.counts),
        }
    )


def _row(verdict: RowVerdict) -> dict[str, object]:
    return {
        "line": verdict.line,
        "ok": verdict.ok,
        "sentence": verdict.sentence,
        "what": verdict.what,
    }


def _read_as(report: Report) -> str:
    between = f", {report.separator} between the cells" if report.separator else ""
    look = "; look whether the names are right" if report.encoding == "GB18030" else ""
    return f"Read as {report.encoding}{between}{look}."


def _sum(counts: Counts) -> str:
    things = [
        _counted(counts.people, "person", "people"),
        _counted(counts.cards, "card", "cards"),
        _counted(counts.groups, "group", "groups"),
        _counted(counts.schedules, "schedule", "schedules"),
        _counted(counts.holidays, "holiday", "holidays"),
    ]
    found = ", ".join(each for each in things if each) or "nothing"
    return f"Rows: {counts.rows_ok} good ({found}), {counts.rows_refused} refused."


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}" if count else ""


def _refused_rows(refused: tuple[RowVerdict, ...]) -> list[str]:
    if not refused:
        return []
    rows = [("Line", "What", "Refused because")]
    rows += [(str(row.line), row.what, row.sentence) for row in refused[:MAX_SHOWN]]
    more = len(refused) - MAX_SHOWN
    return ["", table(rows), *([f"and {more} more; --json has them all."] if more > 0 else [])]


def _shown(heading: str) -> str:
    bare = seen(heading)
    return bare if len(bare) <= _HEADING_CHARACTERS else bare[: _HEADING_CHARACTERS - 3] + "..."
