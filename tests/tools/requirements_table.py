"""Which requirement is shown by which test: `make requirements`.

Rows come from the tables of docs/requirements.md, citations from `@pytest.mark.requirement(...)` in
tests/, read from the source without importing it: the table costs a second and can't run anything.
A row with the status `now` that no test cites, and a citation of a row that is not in the docs, are
failures; a row that is `later` or `not here` may be cited or not. Marks are seen on functions, on
classes, and as a module's `pytestmark`; the row numbers must be plain strings.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS_FILE = ROOT / "docs" / "requirements.md"
_ROW = re.compile(r"^\|\s*([RATD]\d+)\s*\|(.*)\|([^|]*)\|\s*$")

type_of_function = (ast.FunctionDef, ast.AsyncFunctionDef)


class TableError(Exception):
    """The table or a citation can't be read; the message is a sentence for a person."""


class Status(Enum):
    """Where a row stands: built in this version, in a later one, or not provable by software."""

    NOW = "now"
    LATER = "later"
    NOT_HERE = "not here"


@dataclass(frozen=True)
class Row:
    """One requirement: its number, one or two sentences, and where it stands."""

    number: str
    text: str
    status: Status


@dataclass(frozen=True)
class Citation:
    """A test (`tests/core/test_door.py::test_name`) and one row that it is evidence for."""

    row: str
    test: str


@dataclass(frozen=True)
class Entry:
    """A row together with the tests that cite it, sorted."""

    row: Row
    tests: tuple[str, ...]

    @property
    def owed(self) -> bool:
        """Whether the row is promised now and no test shows it."""
        return self.row.status is Status.NOW and not self.tests


def read_rows(path: Path = ROWS_FILE) -> tuple[Row, ...]:
    """The rows in the order of the file; raises TableError for a double or an unknown status."""
    rows: dict[str, Row] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if match := _ROW.match(line):
            row = _row(match, f"{path.name}:{number}")
            if row.number in rows:
                raise TableError(f"{path.name}:{number}: {row.number} stands there twice.")
            rows[row.number] = row
    return tuple(rows.values())


def _row(match: re.Match[str], where: str) -> Row:
    status = match.group(3).strip()
    try:
        return Row(match.group(1), match.group(2).strip(), Status(status))
    except ValueError as error:
        known = ", ".join(known.value for known in Status)
        raise TableError(f"{where}: the status is {status!r}, not one of {known}.") from error


def read_citations(folder: Path, root: Path = ROOT) -> tuple[Citation, ...]:
    """Every citation in the test files under `folder`, with test ids relative to `root`."""
    files = sorted(folder.rglob("test_*.py"))
    return tuple(citation for path in files for citation in _of_file(path, root))


def _of_file(path: Path, root: Path) -> Iterator[Citation]:
    name = path.relative_to(root).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=name)
    whole_module = [row for node in tree.body for row in _module_marks(node, name)]
    yield from _of_body(tree.body, name, whole_module, name)


def _of_body(
    body: Sequence[ast.stmt], prefix: str, inherited: list[str], file: str
) -> Iterator[Citation]:
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            rows = inherited + _decorators(node.decorator_list, file)
            yield from _of_body(node.body, f"{prefix}::{node.name}", rows, file)
        elif isinstance(node, type_of_function) and node.name.startswith("test"):
            rows = inherited + _decorators(node.decorator_list, file)
            yield from (Citation(row, f"{prefix}::{node.name}") for row in dict.fromkeys(rows))
        elif isinstance(node, ast.ClassDef):
            # A hypothesis state machine is collected through the TestCase taken from it.
            rows = _decorators(node.decorator_list, file)
            yield from (Citation(row, f"{prefix}::{node.name}") for row in dict.fromkeys(rows))


def _module_marks(node: ast.stmt, file: str) -> list[str]:
    if not isinstance(node, ast.Assign):
        return []
    names = [target.id for target in node.targets if isinstance(target, ast.Name)]
    if "pytestmark" not in names:
        return []
    value = node.value
    return _decorators(value.elts if isinstance(value, ast.List | ast.Tuple) else [value], file)


def _decorators(nodes: Iterable[ast.expr], file: str) -> list[str]:
    calls = (node for node in nodes if isinstance(node, ast.Call))
    marks = (call for call in calls if ast.unparse(call.func).endswith("mark.requirement"))
    return [_literal(argument, file) for mark in marks for argument in mark.args]


def _literal(node: ast.expr, file: str) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise TableError(f"{file}:{node.lineno}: a cited row must be a plain string.")


def join(rows: Sequence[Row], citations: Sequence[Citation]) -> tuple[Entry, ...]:
    """Rows with their tests; raises TableError for a citation of a row that does not exist."""
    known = {row.number for row in rows}
    for citation in citations:
        if citation.row not in known:
            raise TableError(f"{citation.test} cites {citation.row}, which the docs do not have.")
    return tuple(
        Entry(row, tuple(sorted({c.test for c in citations if c.row == row.number})))
        for row in rows
    )


def as_text(entries: Sequence[Entry]) -> str:
    """The table for a person: cited rows with their tests, then what is owed, later, not here."""
    cited = [entry for entry in entries if entry.tests]
    lines = [
        line
        for entry in cited
        for line in (f"{entry.row.number} ({entry.row.status.value})", *_indented(entry.tests))
    ]
    bare = [entry for entry in entries if not entry.tests]
    for title, status in (
        ("owed", Status.NOW),
        ("later", Status.LATER),
        ("not here", Status.NOT_HERE),
    ):
        numbers = [entry.row.number for entry in bare if entry.row.status is status]
        lines.append(f"\nno test, {title} ({len(numbers)}): {' '.join(numbers) or '-'}")
    lines.append(f"\n{len(entries)} rows, {len(cited)} cited by a test.")
    return "\n".join(lines)


def _indented(tests: Iterable[str]) -> Iterator[str]:
    return (f"    {test}" for test in tests)


def as_json(entries: Sequence[Entry]) -> str:
    """The same as one JSON list of `{number, text, status, tests}`."""
    return json.dumps(
        [
            asdict(entry.row) | {"status": entry.row.status.value, "tests": list(entry.tests)}
            for entry in entries
        ],
        ensure_ascii=False,
        indent=1,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a promised row has no test or a citation is wrong."""
    parser = argparse.ArgumentParser(prog="requirements", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="the table as data")
    parser.add_argument("--check", action="store_true", help="print only what is owed")
    chosen = parser.parse_args(arguments)
    try:
        entries = join(read_rows(), read_citations(ROOT / "tests"))
    except (TableError, SyntaxError) as error:
        print(error, file=sys.stderr)
        return 1
    if not chosen.check:
        print(as_json(entries) if chosen.json else as_text(entries))
    owed = [entry.row.number for entry in entries if entry.owed]
    if owed:
        print(f"No test shows what is promised now: {' '.join(owed)}", file=sys.stderr)
    return 1 if owed else 0


if __name__ == "__main__":
    sys.exit(main())
