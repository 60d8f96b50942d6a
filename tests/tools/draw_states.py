"""Draws docs/states.md from the tables of the core, so that the picture can't differ from the code.

Per table a Mermaid diagram (the rows that move) and a Markdown table (all rows, in the order in
which they are tried). Guards and actions are functions; their names, with spaces, are what stands
there. `python -m tests.tools.draw_states` writes the file, with --check it only compares and exits
with 1 when the file is not what the tables say. It imports nothing of the product but the core.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from terminal.core import access, door, enrolment
from terminal.core.door_state import DoorPhase
from terminal.core.enrolment import EnrolmentPhase
from terminal.core.table import Row, always
from terminal.core.transaction import AccessPhase

ROOT = Path(__file__).resolve().parents[2]
STATES_FILE = ROOT / "docs" / "states.md"

HEAD = """\
# States

How to read this: each table hears every event; its rows are tried from the top, the first whose
phase, event and guard fit is taken, and where none fits nothing changes. The diagrams show the rows
that move from one phase to another (an event, its guard in brackets); the tables show all rows, an
action for each, and a dash for what is not there.

Time is an event like any other: `TimePassed` comes at the next deadline of any table. Five events
are said by the tables and the machine around them, never by a device: `StrikeAsked` (access asks
the door), `DoorCycleEnded` (the door tells access), `EnrolmentEnded` (the enrolment tells access),
`FaceWentOff` (vision is permitted nothing) and `TimePassed`. What vision may do, whether the sign
is lit and what the screen shows follow from the state as a whole (`terminal/core/machine.py`).

This file is drawn by `python -m tests.tools.draw_states`; do not edit it.
"""


@dataclass(frozen=True)
class Drawn:
    """One table of the core as it is drawn."""

    title: str
    module: ModuleType
    phases: type[Enum]

    @property
    def rows(self) -> tuple[Row[Any], ...]:
        """The rows in the order in which they are tried."""
        rows: tuple[Row[Any], ...] = self.module.TABLE
        return rows


TABLES = (
    Drawn("Door", door, DoorPhase),
    Drawn("Access", access, AccessPhase),
    Drawn("Enrolment", enrolment, EnrolmentPhase),
)


def drawing() -> str:
    """The whole file."""
    return "\n".join((HEAD, *(_section(table) for table in TABLES)))


def _section(table: Drawn) -> str:
    diagram = "\n".join(("```mermaid", *_diagram(table), "```"))
    rows = "\n".join(("| From | Event | Guard | Action | To |", "|---|---|---|---|---|"))
    rows = "\n".join((rows, *(_line(table, row) for row in table.rows)))
    return f"## {table.title}\n\n{_purpose(table)}\n\n{diagram}\n\n{rows}\n"


def _purpose(table: Drawn) -> str:
    """What the module says of itself, without the line on what changes with it."""
    paragraphs = inspect.cleandoc(table.module.__doc__ or "").split("\n\n")
    return "\n\n".join(one for one in paragraphs if not one.startswith("What changes"))


# The diagram


def _diagram(table: Drawn) -> Iterator[str]:
    yield "stateDiagram-v2"
    first = next(iter(table.phases))
    yield f"    [*] --> {first.value}"
    moving = [row for row in table.rows if row.to is not None]
    for group in sorted({_group(table, row) for row in moving if _is_group(table, row)}):
        yield f'    state "{group}" as {group.replace(" ", "_")}'
    for row in moving:
        yield from (f"    {start} --> {_end(row)} : {_label(row)}" for start in _starts(table, row))


def _starts(table: Drawn, row: Row[Any]) -> tuple[str, ...]:
    if _is_group(table, row):
        return (_group(table, row).replace(" ", "_"),)
    return tuple(str(phase.value) for phase in row.phases)


def _is_group(table: Drawn, row: Row[Any]) -> bool:
    """From nearly everywhere: drawn from one box instead of from each phase."""
    return len(row.phases) >= len(table.phases) - 1


def _group(table: Drawn, row: Row[Any]) -> str:
    but = [_words(str(phase.value)) for phase in table.phases if phase not in row.phases]
    return f"any phase but {but[0]}" if but else "any phase"


def _end(row: Row[Any]) -> str:
    assert row.to is not None, "only rows that move are drawn"
    return str(row.to.value)


def _label(row: Row[Any]) -> str:
    guard = "" if row.when is always else f" [{_words(row.when.__name__)}]"
    return f"{row.on.__name__}{guard}"


# The table


def _line(table: Drawn, row: Row[Any]) -> str:
    cells = (_from(table, row), f"`{row.on.__name__}`", _guard(row), _action(row), _to(row))
    return f"| {' | '.join(cells)} |"


def _from(table: Drawn, row: Row[Any]) -> str:
    if _is_group(table, row):
        return _group(table, row)
    return ", ".join(_words(str(phase.value)) for phase in row.phases)


def _guard(row: Row[Any]) -> str:
    return "–" if row.when is always else _words(row.when.__name__)


def _action(row: Row[Any]) -> str:
    return _words(row.do.__name__)


def _to(row: Row[Any]) -> str:
    return "stays" if row.to is None else _words(str(row.to.value))


def _words(name: str) -> str:
    return name.replace("_", " ")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write docs/states.md, or with --check only compare it; 1 if it is not current."""
    parser = argparse.ArgumentParser(description="Draw docs/states.md from the tables.")
    parser.add_argument("--check", action="store_true", help="compare and change nothing")
    if not parser.parse_args(arguments).check:
        STATES_FILE.write_text(drawing(), encoding="utf-8")
        return 0
    if is_current(STATES_FILE):
        return 0
    print("docs/states.md is not what the tables say: python -m tests.tools.draw_states")
    return 1


def is_current(file: Path) -> bool:
    """Whether the file is there and says what the tables say."""
    return file.is_file() and file.read_text(encoding="utf-8") == drawing()


if __name__ == "__main__":
    sys.exit(main())
