"""What one cell may hold, and that no refusal repeats what it held."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.exchange import cells
from terminal.exchange.cells import CellRefused
from tests.terminal.exchange.given_files import RESIDENT_NUMBER


def refusal_of_name(text: str) -> str:
    with pytest.raises(CellRefused) as caught:
        cells.name(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Ada Example", "Ada Example"),
        ("  Ada   Example ", "Ada Example"),
        ("张\u3000三", "张 三"),
        ("Zoe\u0308", "Zoë"),
        ("阿依古丽·买买提", "阿依古丽·买买提"),
        ("O'Neil; DROP TABLE person; --", "O'Neil; DROP TABLE person; --"),
        ("$(reboot) `id` && ../../etc", "$(reboot) `id` && ../../etc"),
    ],
)
def test_a_name_is_kept_composed_and_with_single_spaces(text: str, kept: str) -> None:
    assert cells.name(text) == kept


@pytest.mark.parametrize("text", ["", " ", "\u3000\u00a0"])
def test_a_name_of_nothing_is_refused(text: str) -> None:
    assert refusal_of_name(text) == "The name is empty."


def test_a_name_may_have_200_bytes_and_no_more() -> None:
    assert cells.name("名" * 66) == "名" * 66
    assert "longer than 200 bytes" in refusal_of_name("名" * 67)
    assert "longer than 200 bytes" in refusal_of_name("x" * 10_000_000)


@pytest.mark.requirement("T16")
@pytest.mark.parametrize("turn", "\u061c\u200e\u200f\u202a\u202d\u202e\u2066\u2068\u2069")
def test_a_name_that_turns_the_direction_of_writing_is_refused_and_told_why(turn: str) -> None:
    sentence = refusal_of_name(f"Ada{turn}elpmaxE")
    assert f"U+{ord(turn):04X}, which turns the direction of writing" in sentence


@pytest.mark.requirement("T16")
@pytest.mark.parametrize(
    "hidden", ["\x1b[2J", "a\x00b", "a\nb", "a\tb", "\u2028", "\u200b", "\ud800", "\ue000", "\x85"]
)
def test_a_name_with_what_can_not_be_seen_is_refused(hidden: str) -> None:
    assert "can't be seen" in refusal_of_name(f"Ada {hidden} Example")


def test_a_name_that_lost_a_character_is_refused() -> None:
    assert "a character was lost" in refusal_of_name("M\ufffdller")


@pytest.mark.requirement("R45")
@pytest.mark.parametrize(
    "text",
    [
        f"Ada {RESIDENT_NUMBER}",
        f"Ada {RESIDENT_NUMBER.lower()}",
        "Ada 110105 19491231 002X",
        "Ada 110105-19491231-002X",
        "Ada １１０１０５１９４９１２３１００２Ｘ",
        f"9{RESIDENT_NUMBER}",
    ],
)
def test_a_resident_identity_number_is_refused_wherever_it_stands(text: str) -> None:
    for read in (cells.name, cells.flat, lambda text: cells.reference(text, "group")):
        with pytest.raises(CellRefused, match="resident identity number") as caught:
            read(text)
        assert "1949" not in str(caught.value)


@pytest.mark.requirement("R45")
def test_an_identifier_or_card_that_is_a_resident_number_is_refused() -> None:
    for read in (cells.identifier, cells.card, cells.cards):
        with pytest.raises(CellRefused, match="resident identity number"):
            read(RESIDENT_NUMBER)


def test_another_number_of_eighteen_digits_is_an_identifier() -> None:
    assert cells.identifier("110105194912310029") == "110105194912310029"


@pytest.mark.parametrize("text", ["", "-a", "a b", "a'b", "a" * 65, "编号", "a\n", "１"])
def test_what_is_no_identifier_is_refused(text: str) -> None:
    with pytest.raises(CellRefused, match="identifier"):
        cells.identifier(text)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", ()),
        ("0012345678", ("0012345678",)),
        ("04a2b3c4", ("04A2B3C4",)),
        ("'0012345678", ("0012345678",)),
        ("1234;5678", ("1234", "5678")),
        ("1234、5678, '0099", ("1234", "5678", "0099")),
        ("abcd ABCD", ("ABCD",)),
        ("1E10", ("1E10",)),  # hexadecimal too
    ],
)
def test_cards_are_read_in_the_form_that_readers_send(text: str, numbers: tuple[str, ...]) -> None:
    assert cells.cards(text) == numbers


@pytest.mark.parametrize("text", ["1.23E+09", "1.23457e+17", "1,23E+09", "1E+09", "123456.0"])
def test_a_card_number_that_a_spreadsheet_rounded_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(CellRefused, match="format the column as text") as caught:
        cells.card(text)
    assert text not in str(caught.value).replace("(as 1.23E+09)", "")


@pytest.mark.requirement("T16")
@pytest.mark.parametrize(
    "text", ["123", "1" * 33, "1234'--", "1234)", "=1234+1", "１２３４", "\ud8001234", "12\x0034"]
)
def test_what_is_no_card_is_refused_unrepeated(text: str) -> None:
    with pytest.raises(CellRefused) as caught:
        cells.card(text)
    assert text not in str(caught.value)


def test_a_cell_of_more_cards_than_a_person_has_is_refused_unread() -> None:
    with pytest.raises(CellRefused, match="more than one person's"):
        cells.cards("1234 " * 2_000_000)


@pytest.mark.parametrize("text", ["1月2日", "2-Jan", "Jan-02", "03-dec"])
def test_a_flat_that_became_a_date_is_refused(text: str) -> None:
    with pytest.raises(CellRefused, match="made a date"):
        cells.flat(text)


@pytest.mark.parametrize(
    ("text", "as_written"),
    [
        ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("＝1", "'＝1"),
        ("'=1", "''=1"),
        ("'1", "''1"),
        ("'t Hooft", "'t Hooft"),
        ("1-2-3", "1-2-3"),
    ],
)
@pytest.mark.requirement("T16")
def test_what_a_spreadsheet_would_run_is_marked_and_read_back(text: str, as_written: str) -> None:
    assert cells.marked(text) == as_written
    assert cells.unmarked(as_written) == text


@given(st.text(st.sampled_from("'=+-@＝\t\r01 ax\"\u3000")))
@pytest.mark.requirement("T16")
def test_marking_any_text_is_undone_by_reading_and_leaves_nothing_to_run(text: str) -> None:
    bare = text.strip(" \t\u3000")  # as every kept text is
    written = cells.marked(bare)
    assert cells.unmarked(written) == bare
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))


def test_a_number_that_another_program_wrote_as_text_is_read() -> None:
    assert cells.unmarked('="0012345678"') == "0012345678"
    assert cells.unmarked("\t0012345678") == "0012345678"
    assert cells.unmarked("'0012345678") == "0012345678"


@given(st.text())
def test_a_name_that_was_kept_is_kept_as_it_is(text: str) -> None:
    try:
        kept = cells.name(text)
    except CellRefused:
        return
    assert cells.name(kept) == kept
    assert kept.isprintable()
    assert 1 <= len(kept.encode()) <= 200
