"""The table finds citations where they stand, and refuses what is owed or misspelt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tools import requirements_table as table

ROWS = """
| # | What | Status |
|---|---|---|
| R01 | Consent comes first. | now |
| A30 | A model is checked. | later |
| D18 | Not shown by software. | not here |
"""
CITING = """
import pytest

@pytest.mark.requirement("R01", "A30")
def test_one(): ...

@pytest.mark.requirement("R01")
class TestMany:
    def test_two(self): ...

    @pytest.mark.slow
    def helper(self): ...

def test_nothing(): ...
"""


def rows_of(text: str, folder: Path) -> tuple[table.Row, ...]:
    path = folder / "requirements.md"
    path.write_text(text, encoding="utf-8")
    return table.read_rows(path)


def citations_of(source: str, folder: Path) -> tuple[table.Citation, ...]:
    (folder / "test_sample.py").write_text(source, encoding="utf-8")
    return table.read_citations(folder, folder)


def test_a_row_is_number_text_and_status(tmp_path: Path) -> None:
    first, *_ = rows_of(ROWS, tmp_path)
    assert first == table.Row("R01", "Consent comes first.", table.Status.NOW)


def test_marks_on_functions_and_classes_are_found(tmp_path: Path) -> None:
    assert set(citations_of(CITING, tmp_path)) == {
        table.Citation("R01", "test_sample.py::test_one"),
        table.Citation("A30", "test_sample.py::test_one"),
        table.Citation("R01", "test_sample.py::TestMany::test_two"),
    }


@pytest.mark.parametrize("mark", ["{}", "[{}]", "({}, pytest.mark.slow)"])
def test_a_mark_on_the_module_counts_for_each_of_its_tests(mark: str, tmp_path: Path) -> None:
    value = mark.format("pytest.mark.requirement('R01')")
    source = f"import pytest\npytestmark = {value}\ndef test_one(): ...\n"
    assert citations_of(source, tmp_path) == (table.Citation("R01", "test_sample.py::test_one"),)


def test_a_promise_without_a_test_is_owed(tmp_path: Path) -> None:
    entries = table.join(rows_of(ROWS, tmp_path), ())
    assert [entry.row.number for entry in entries if entry.owed] == ["R01"]


def test_a_promise_with_a_test_is_kept(tmp_path: Path) -> None:
    entries = table.join(rows_of(ROWS, tmp_path), citations_of(CITING, tmp_path))
    assert not any(entry.owed for entry in entries)


def test_a_citation_of_an_unknown_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(table.TableError, match="R99"):
        table.join(rows_of(ROWS, tmp_path), (table.Citation("R99", "test_sample.py::test_one"),))


def test_a_citation_that_is_no_plain_string_is_refused(tmp_path: Path) -> None:
    source = "@pytest.mark.requirement(ROW)\ndef test_one(): ...\n"
    with pytest.raises(table.TableError, match="plain string"):
        citations_of(source, tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [("| R01 | a | soon |", "soon"), ("| R01 | a | now |\n| R01 | b | now |", "twice")],
)
def test_an_unknown_status_or_a_double_row_is_refused(
    text: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(table.TableError, match=words):
        rows_of(text, tmp_path)


def test_the_docs_have_every_row_once_and_in_order() -> None:
    numbers = [row.number for row in table.read_rows()]
    assert numbers == (
        [f"D{n}" for n in range(1, 20)]
        + [f"R{n:02}" for n in range(1, 59)]
        + [f"A{n}" for n in range(1, 31)]
        + [f"T{n:02}" for n in range(1, 51)]
    )


def test_the_table_is_data_too(tmp_path: Path) -> None:
    entries = table.join(rows_of(ROWS, tmp_path), citations_of(CITING, tmp_path))
    first, *_ = json.loads(table.as_json(entries))
    assert first["status"] == "now"
    assert "test_sample.py::test_one" in first["tests"]


def test_the_text_lists_what_is_later_and_what_is_not_here(tmp_path: Path) -> None:
    text = table.as_text(table.join(rows_of(ROWS, tmp_path), ()))
    assert "owed (1): R01" in text
    assert "later (1): A30" in text
    assert "not here (1): D18" in text
