"""docs/states.md is drawn from the tables and is current; a changed table is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from terminal.core import door
from tests.tools import draw_states
from tests.tools.draw_states import TABLES, drawing


def test_the_drawn_states_are_those_of_the_tables() -> None:
    assert draw_states.main(["--check"]) == 0, "run python -m tests.tools.draw_states"


def test_a_changed_table_makes_the_drawing_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "TABLE", door.TABLE[1:])
    assert draw_states.main(["--check"]) == 1


def test_a_file_that_is_not_there_is_not_current(tmp_path: Path) -> None:
    assert not draw_states.is_current(tmp_path / "states.md")


def test_what_is_written_is_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_states, "STATES_FILE", tmp_path / "states.md")
    assert draw_states.main(["--check"]) == 1
    assert draw_states.main([]) == 0
    assert draw_states.main(["--check"]) == 0


def test_every_row_and_every_phase_is_drawn() -> None:
    text = drawing()
    rows = [line for line in text.splitlines() if line.startswith("| ") and "`" in line]
    assert len(rows) == sum(len(table.rows) for table in TABLES)
    for table in TABLES:
        for phase in table.phases:
            assert f" {phase.value} " in text or f" {phase.value}\n" in text
