"""What an operator sees of a report."""

from __future__ import annotations

import json

import pytest

from terminal.exchange.report import MAX_SHOWN, as_json, as_text
from tests.terminal.exchange.given_files import people


def test_a_report_says_what_was_read_what_was_left_out_and_every_refused_row() -> None:
    text = as_text(people("name;card;手机号;备注\nAda;11111111;1;x\nEve;12;;\n").report)
    assert text.splitlines() == [
        "Read as UTF-8, semicolon between the cells.",
        "Rows: 1 good (1 person, 1 card), 1 refused.",
        'The column "手机号" was not read: a door needs no telephone number'
        " or address for messages.",
        'Columns that are not known and were not read: "备注".',
        "",
        "Line  What    Refused because",
        "3     person  The card number is refused: what was read is no card number.",
    ]


def test_of_gb18030_it_says_that_somebody_should_look() -> None:
    assert "look whether the names are right" in as_text(
        people("姓名\n王\n".encode("gb18030")).report
    )


@pytest.mark.requirement("T16")
def test_a_heading_that_would_steer_a_screen_is_made_visible() -> None:
    text = as_text(people("name,\x1b[2Jevil,a\u202eb,phone\x07\nAda,,,\n").report)
    assert all(line.isprintable() for line in text.splitlines())
    assert '"?[2Jevil"' in text


def test_a_long_heading_is_cut() -> None:
    assert "x" * 41 not in as_text(people(f"name,{'x' * 1000}\nAda,\n").report)


def test_a_screen_shows_a_bounded_number_of_refused_rows_and_json_all() -> None:
    report = people("name,type\n" + "Ada,VIP\n" * (MAX_SHOWN + 5)).report
    assert "and 5 more" in as_text(report)
    assert len(json.loads(as_json(report))["rows"]) == MAX_SHOWN + 5


def test_a_report_is_json_for_programs() -> None:
    read = json.loads(as_json(people("name,phone,x\nAda,1,2\n").report))
    assert read["refused_columns"] == [{"heading": "phone", "why": "contact"}]
    assert read["ignored_columns"] == ["x"]
    assert read["rows"] == [{"line": 2, "ok": True, "sentence": "Good.", "what": "person"}]
    assert read["counts"]["people"] == 1
