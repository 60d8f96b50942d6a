"""An import as the door sees it: rows in pieces, and what became of each.

First every row is only looked at (`write` off), so that what the terminal itself would refuse is in
the report before anything is written. A row that refers to a group or schedule of the same file is
looked at without that, since the terminal can't know it yet. Written is in the order in which rows
refer to each other; whatever ends it in between, it is known of each row whether it was written,
was not, or was on its way.

What changes with this file: `requests.ImportRows`, docs/exchange.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from terminal.commands.interruption import Interruption
from terminal.errors import TerminalError
from terminal.exchange.chunks import chunks
from terminal.exchange.importing import Imported, Known
from terminal.exchange.report import Counts, Report, RowVerdict
from terminal.exchange.rows import GroupRow, HolidayRow, PersonRow, Row, ScheduleRow
from terminal.operator_link import MISUNDERSTOOD, NotUnderstood
from terminal.requests import ImportRows

Key = tuple[str, int]
"""What a row is of (person, group, schedule, holiday), and its line."""

Ask = Callable[[ImportRows], tuple[RowVerdict, ...]]
Tell = Callable[[str], None]
R = TypeVar("R", bound=Row)

STEP = 500
"""After so many rows, how far it is."""


def what(row: Row) -> str:
    """What a row is of, as reports say it."""
    match row:
        case PersonRow():
            return "person"
        case GroupRow():
            return "group"
        case ScheduleRow():
            return "schedule"
        case HolidayRow():
            return "holiday"


def key(row: Row) -> Key:
    """Which row it is."""
    return what(row), row.line


@dataclass(slots=True)
class Run:
    """What became of the rows of one file. `why` is what ended the writing before its end."""

    verdicts: dict[Key, RowVerdict] = field(default_factory=dict)
    written: set[Key] = field(default_factory=set)
    on_their_way: tuple[Key, ...] = ()
    why: str | None = None

    def note(self, asked: tuple[Row, ...], said: tuple[RowVerdict, ...], write: bool) -> None:
        """Note the verdicts on one piece. Raises NotUnderstood where they are not of its rows."""
        if {(each.what, each.line) for each in said} != {key(row) for row in asked}:
            raise NotUnderstood(MISUNDERSTOOD)
        for verdict in said:
            self.verdicts[verdict.what, verdict.line] = verdict
            if write and verdict.ok:
                self.written.add((verdict.what, verdict.line))


def look(imported: Imported, known: Known, ask: Ask, tell: Tell) -> Run:
    """What the terminal says of every row, with nothing written. Raises TerminalError."""
    run = Run()
    rows = [_without_new(row, known) for row in _in_order(imported)]
    for asked, done in _pieces(rows, ()):
        run.note(asked, ask(_request(asked, write=False)), write=False)
        _tell_progress(tell, "looked at", done, len(asked), len(rows))
    return run


def write(imported: Imported, run: Run, ask: Ask, tell: Tell) -> None:
    """Write every row that `look` found good. Never raises: `run.why` says what ended it."""
    refused = {which for which, verdict in run.verdicts.items() if not verdict.ok}
    rows = list(_in_order(imported))
    with Interruption() as interruption:
        for asked, done in _pieces(rows, refused):
            run.on_their_way = tuple(key(row) for row in asked)
            try:
                run.note(asked, ask(_request(asked, write=True)), write=True)
            except TerminalError as error:
                run.why = str(error)
                return
            except KeyboardInterrupt:
                run.why = "Ended by Ctrl-C, twice."
                return
            run.on_their_way = ()
            _tell_progress(tell, "written", done, len(asked), len(rows) - len(refused))
            if interruption.is_wanted and done < len(rows) - len(refused):
                run.why = "Ended by Ctrl-C."
                return


def merged(imported: Imported, run: Run) -> Report:
    """The report of the file with what the terminal said of its rows."""
    rows = tuple(_said(verdict, run) for verdict in imported.report.rows)
    good = sum(row.ok for row in rows)
    counts = Counts(
        rows_ok=good,
        rows_refused=len(rows) - good,
        people=len(_good(imported.people, run)),
        cards=sum(len(row.cards) for row in _good(imported.people, run)),
        groups=len(_good(imported.groups, run)),
        schedules=len(_good(imported.schedules, run)),
        holidays=len(_good(imported.holidays, run)),
    )
    return replace(imported.report, rows=rows, counts=counts)


def _good(rows: tuple[R, ...], run: Run) -> tuple[R, ...]:
    return tuple(row for row in rows if run.verdicts[key(row)].ok)


def home(verdict: RowVerdict) -> Key:
    """The row that a line of the file became part of: its own, or the one it was joined with."""
    return verdict.what, verdict.joined_with or verdict.line


def _said(verdict: RowVerdict, run: Run) -> RowVerdict:
    heard = run.verdicts.get(home(verdict))
    if not verdict.ok or heard is None or heard.ok:
        return verdict
    return replace(verdict, ok=False, sentence=heard.sentence)


def _in_order(imported: Imported) -> Iterator[Row]:
    """What is referred to comes first."""
    yield from imported.schedules
    yield from imported.holidays
    yield from imported.groups
    yield from imported.people


def _pieces(
    rows: Iterable[Row], left_out: Collection[Key]
) -> Iterator[tuple[tuple[Row, ...], int]]:
    """Pieces of one kind each, with how many rows there are up to the end of this one."""
    wanted = [row for row in rows if key(row) not in left_out]
    done = 0
    for kind in (ScheduleRow, HolidayRow, GroupRow, PersonRow):
        for piece in chunks(row for row in wanted if isinstance(row, kind)):
            done += len(piece)
            yield piece, done


def _request(rows: tuple[Row, ...], write: bool) -> ImportRows:
    return ImportRows(
        people=tuple(row for row in rows if isinstance(row, PersonRow)),
        groups=tuple(row for row in rows if isinstance(row, GroupRow)),
        schedules=tuple(row for row in rows if isinstance(row, ScheduleRow)),
        holidays=tuple(row for row in rows if isinstance(row, HolidayRow)),
        write=write,
    )


def _without_new(row: Row, known: Known) -> Row:
    if isinstance(row, PersonRow) and row.group not in known.groups:
        return replace(row, group="")
    if isinstance(row, GroupRow) and row.schedule not in known.schedules:
        return replace(row, schedule=None)
    return row


def _tell_progress(tell: Tell, done_to_them: str, done: int, piece: int, of: int) -> None:
    if done // STEP != (done - piece) // STEP:
        tell(f"{done} of {of} rows {done_to_them}.")
