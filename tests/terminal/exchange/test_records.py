"""Records out of text: what quotes mean, and that what is quoted wrongly costs its line alone."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.exchange.records import MAX_COLUMNS, MAX_WRONGLY_QUOTED, Broken, Record, records
from terminal.exchange.rows import ExchangeRefused


def read(text: str, separator: str = ",") -> list[tuple[int, tuple[str, ...]] | str]:
    return [
        (each.line, each.cells) if isinstance(each, Record) else f"{each.line}: {each.sentence}"
        for each in records(text, separator)
    ]


def test_cells_stand_between_separators() -> None:
    assert read("a,b,\n;c") == [(1, ("a", "b", "")), (2, (";c",))]
    assert read("a\tb", "\t") == [(1, ("a", "b"))]


def test_a_quoted_cell_holds_separators_quotes_and_lines() -> None:
    assert read('a,"b, ""c""\nd",e\nf') == [(1, ("a", 'b, "c"\nd', "e")), (3, ("f",))]


def test_a_quote_within_a_cell_is_a_character() -> None:
    assert read('6" pipe,b\nc') == [(1, ('6" pipe', "b")), (2, ("c",))]


def test_a_quote_that_is_never_closed_costs_its_line_alone() -> None:
    assert read('a,b\nc,"d\ne,f') == [
        (1, ("a", "b")),
        "2: A quote is opened here and never closed.",
        (3, ("e", "f")),
    ]


def test_text_after_a_closed_quote_costs_its_line_alone() -> None:
    first, second = read('"a"b,c\nd')
    assert str(first).startswith("1: After a quoted cell")
    assert second == (2, ("d",))


@pytest.mark.requirement("T16")
def test_lines_within_a_note_that_is_too_long_never_become_rows() -> None:
    note = "x\nMallory,1-1-1,66666666\n" * 4000
    found = read(f'a,"{note}"\nb,c')
    assert len(found) == 2
    assert "more than 65536 characters" in str(found[0])
    assert found[1] == (8002, ("b", "c"))


def test_a_cell_of_ten_megabytes_costs_its_row_alone() -> None:
    for cell in ("x" * 10_000_000, '"' + "x" * 10_000_000 + '"', '"' + '""' * 5_000_000 + '"'):
        first, second = read(f"{cell}\nb,c")
        assert "characters" in str(first)
        assert second == (2, ("b", "c"))


def test_a_row_of_too_many_cells_costs_itself_alone() -> None:
    first, second = read("," * 1000 + "\nb")
    assert f"more than {MAX_COLUMNS} cells" in str(first)
    assert second == (2, ("b",))


def test_where_too_much_is_quoted_wrongly_the_file_is_refused() -> None:
    assert len(read('"a"b\n' * MAX_WRONGLY_QUOTED)) == MAX_WRONGLY_QUOTED
    with pytest.raises(ExchangeRefused, match="quoted wrongly"):
        read('"a"b\n' * (MAX_WRONGLY_QUOTED + 1))


def test_quotes_made_to_be_slow_are_refused_in_bounded_time() -> None:
    with pytest.raises(ExchangeRefused, match="quoted wrongly"):
        read('x","\n' * 1_000_000)


CELLS = st.text(st.sampled_from('ab,;"\n\t 王')) | st.text(max_size=20).map(
    lambda text: text.replace("\r", "")
)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=5), max_size=8), st.sampled_from(",;\t"))
def test_what_a_csv_writer_writes_is_read_as_it_was(rows: list[list[str]], separator: str) -> None:
    written = io.StringIO()
    csv.writer(written, delimiter=separator, lineterminator="\n").writerows(rows)
    found = list(records(written.getvalue(), separator))
    assert [list(each.cells) for each in found if isinstance(each, Record)] == rows


@given(st.text(st.sampled_from('a,"\n'), max_size=60))
def test_every_line_belongs_to_one_record_in_order(text: str) -> None:
    lines = [each.line for each in records(text, ",")]
    assert lines == sorted(set(lines))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)
    assert all(isinstance(each, Record | Broken) for each in records(text, ","))
