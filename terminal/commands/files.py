"""`terminalctl import` and `export`: everyone, with groups, schedules and holidays, as files.

An import is read whole on this side and looked at by the terminal before anything is written, and
written only with `--write`; the report is by line either way. An export never has a card's number.
What a file holds besides its lines and headings is repeated by no sentence.

What changes with this file: docs/maintenance.md, docs/exchange.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from terminal import answers
from terminal.answers import PeoplePiece, Rules, VerdictsAnswer
from terminal.commands import arguments, import_run, private_files
from terminal.commands.common import (
    DONE,
    REFUSED,
    Commands,
    Options,
    add_command,
    ask_door,
    rules_of,
    say,
)
from terminal.commands.import_run import Key, Run
from terminal.errors import NotDone
from terminal.exchange import document, exporting, report
from terminal.exchange.decoding import MAX_BYTES
from terminal.exchange.exporting import Form
from terminal.exchange.headings import Table
from terminal.exchange.importing import Imported, Known, read_csv, read_json
from terminal.exchange.report import Report, RowVerdict
from terminal.exchange.rows import HeldPerson
from terminal.operator_link import Conversation, find_socket
from terminal.requests import Export, ImportRows
from terminal.show import seen


def add(commands: Commands) -> None:
    """The commands of files."""
    read = add_command(commands, "import", _import, "read people, groups or schedules from a file")
    read.add_argument("file", type=arguments.path, help="CSV, or JSON of an export")
    read.add_argument(
        "--table",
        choices=[each.value for each in Table],
        help="what the lines of a CSV are, where its name does not say so (people.csv)",
    )
    read.set_defaults(misused=read.error)
    read.add_argument("--write", action="store_true", help="write it; else it is only looked at")
    wrote = add_command(commands, "export", _export, "everyone, groups, schedules and holidays")
    wrote.add_argument("--to", type=arguments.path, metavar="FOLDER", help="four CSV files there")
    wrote.add_argument("--encoding", choices=["utf-8", "gb18030"], default="utf-8")
    wrote.add_argument("--chinese", action="store_true", help="headings and words in Chinese")
    wrote.add_argument("--force", action="store_true", help="replace files that are there")
    wrote.set_defaults(misused=wrote.error)


# Import


def _import(options: Options) -> int:
    table = _table(options)
    data = _read(options.file)
    rules = rules_of(options)
    known = Known(
        frozenset(each.name for each in rules.groups),
        frozenset(each.name for each in rules.schedules),
    )
    imported = _rows(data, table, rules.zone, known)
    run = import_run.look(imported, known, lambda rows: _verdicts(options, rows), say)
    if options.write:
        import_run.write(imported, run, lambda rows: _verdicts(options, rows), say)
    whole = import_run.merged(imported, run)
    print(_as_json(whole, run, options) if options.json else _as_text(whole, run, options))
    return REFUSED if whole.refused or run.why else DONE


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise NotDone(f"{seen(str(path))} can't be read: {error.strerror}.") from error


def _table(options: Options) -> Table | None:
    """What the lines are; None for a document of all. No guess: a list of days has names too."""
    stem, suffix = options.file.stem.casefold(), options.file.suffix.casefold()
    if options.table is None and suffix == ".json":
        return None
    named = options.table or (stem if stem in {each.value for each in Table} else None)
    if named is None:
        options.misused("say with --table what the lines of this file are")
    return Table(named)


def _rows(data: bytes, table: Table | None, zone: ZoneInfo, known: Known) -> Imported:
    """The rows of the file. Raises ExchangeRefused."""
    if table is None:
        return read_json(data, zone, known)
    return read_csv(data, table, zone, known)


def _verdicts(options: Options, rows: ImportRows) -> tuple[RowVerdict, ...]:
    return answers.read(ask_door(options, rows), VerdictsAnswer).verdicts


def _as_text(whole: Report, run: Run, options: Options) -> str:
    lines = [report.as_text(whole), ""]
    if not options.write:
        return "\n".join([*lines, "Nothing was written; say --write to write the good rows."])
    if run.why:
        lines.append(f"The writing ended before its end: {seen(run.why)}")
    taken = [row for row in whole.rows if import_run.home(row) in run.written]
    lines.append(f"Written: {_by_line(taken)}.")
    unsure = [row for row in whole.rows if import_run.home(row) in run.on_their_way]
    if unsure:
        lines.append(f"Not known whether written: {_by_line(unsure)}; import the file again.")
    rest = [row for row in whole.rows if row not in taken and row not in unsure]
    return "\n".join([*lines, f"Not written: {_by_line(rest)}."])


def _by_line(rows: Iterable[RowVerdict]) -> str:
    """`person 2-57, 60; group 3`: every line, those that follow each other as one range."""
    lines: dict[str, list[int]] = {}
    for row in rows:
        lines.setdefault(row.what, []).append(row.line)
    return "; ".join(f"{what} {ranges(at)}" for what, at in lines.items()) or "nothing"


def ranges(lines: Iterable[int]) -> str:
    """Numbers as `2-57, 60`."""
    runs: list[list[int]] = []
    for line in sorted(set(lines)):
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    return ", ".join(f"{a}" if a == z else f"{a}-{z}" for a, z in runs)


def _as_json(whole: Report, run: Run, options: Options) -> str:
    data: dict[str, Any] = json.loads(report.as_json(whole))
    for row, verdict in zip(data["rows"], whole.rows, strict=True):
        row["written"] = _is_written(import_run.home(verdict), run)
    return json.dumps({**data, "write": options.write, "ended": run.why})


def _is_written(key: Key, run: Run) -> bool | None:
    """Whether it was; None where nobody knows."""
    return None if key in run.on_their_way else key in run.written


# Export


def _export(options: Options) -> int:
    if options.json == (options.to is not None):
        options.misused("say either --to FOLDER or --json")
    if options.to is not None:
        _make_folder(options.to)
        private_files.check_free(_paths(options.to), options.force)
    people, rules = _everything(options)
    if options.json:
        sys.stdout.write(_document(people, rules))
        return DONE
    form = Form(options.encoding, options.chinese)
    private_files.write(_files(options.to, people, rules, form), options.force)
    counts = f"{len(people)} people, {len(rules.groups)} groups, {len(rules.schedules)} schedules"
    print(f"{counts} and {len(rules.holidays)} holidays are in {seen(str(options.to))}.")
    say("Card numbers are not among them: the terminal has none. Names are; mind who reads them.")
    return DONE


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise NotDone(f"{seen(str(folder))} can't be made: {error.strerror}.") from error


def _paths(folder: Path) -> list[Path]:
    return [folder / f"{each.value}.csv" for each in Table]


def _everything(options: Options) -> tuple[list[HeldPerson], Rules]:
    people: list[HeldPerson] = []
    with Conversation(find_socket(options.socket), Export()) as conversation:
        for line in conversation.news():
            people += answers.read(line, PeoplePiece).people
        return people, answers.read(conversation.result, Rules)


def _document(people: list[HeldPerson], rules: Rules) -> str:
    return str(document.written(people, rules.groups, rules.schedules, rules.holidays), "utf-8")


def _files(folder: Path, people: list[HeldPerson], rules: Rules, form: Form) -> dict[Path, bytes]:
    files = (
        exporting.people_csv(people, rules.zone, form),
        exporting.groups_csv(rules.groups, form),
        exporting.schedules_csv(rules.schedules, form),
        exporting.holidays_csv(rules.holidays, form),
    )
    return dict(zip(_paths(folder), files, strict=True))
