"""Which identifiers are a card's own; refusals outnumber the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.card_identifier import (
    GET_CHIP_SERIAL,
    GET_UID,
    CardRefusedError,
    Refusal,
    identify,
    may_be_type_b,
)

CLASSIC = bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")
DESFIRE = bytes.fromhex("3B8180018080")
ID_CARD = bytes.fromhex("3B888001D103860C0080800060")
"""ATQB of a resident ID card: application data D103860C, protocol 008080."""

OK = b"\x90\x00"


class Card:
    """Answers what it was given, and remembers what it was asked."""

    def __init__(self, **answers: bytes) -> None:
        self.answers = {bytes.fromhex(command[1:]): answer for command, answer in answers.items()}
        self.asked: list[bytes] = []

    def __call__(self, command: bytes) -> bytes:
        self.asked.append(command)
        return self.answers.get(command, b"\x6d\x00")


def uid(identifier: str, status: bytes = OK) -> Card:
    return Card(_FFCA000000=bytes.fromhex(identifier) + status)


def refusal(atr: bytes, card: Card) -> Refusal:
    with pytest.raises(CardRefusedError) as refused:
        identify(atr, card)
    return refused.value.why


@pytest.mark.parametrize("identifier", ["04A1B2C3D4E5F6", "DEADBEEF", "E00401500A1B2C3D"])
def test_fixed_identifier_is_handed_on_in_capital_hexadecimal(identifier: str) -> None:
    assert identify(CLASSIC, uid(identifier)) == identifier.encode()


def test_ten_bytes_are_an_identifier_as_well() -> None:
    assert identify(CLASSIC, uid("04A1B2C3D4E5F60718FF")) == b"04A1B2C3D4E5F60718FF"


@pytest.mark.requirement("R45")
@given(st.binary(min_size=3, max_size=3))
def test_random_identifier_of_type_a_is_refused(rest: bytes) -> None:
    assert refusal(CLASSIC, uid("08" + rest.hex())) is Refusal.RANDOM


@pytest.mark.parametrize("identifier", ["08A1B2C3", "80A1B2C3", "A1B2C308"])
def test_four_bytes_of_a_desfire_are_random_whatever_they_begin_with(identifier: str) -> None:
    assert refusal(DESFIRE, uid(identifier)) is Refusal.RANDOM


def test_seven_bytes_of_a_desfire_are_its_own() -> None:
    assert identify(DESFIRE, uid("04A1B2C3D4E5F6")) == b"04A1B2C3D4E5F6"


def test_seven_bytes_that_begin_like_random_ones_are_fixed() -> None:
    assert identify(CLASSIC, uid("08A1B2C3D4E5F6")) == b"08A1B2C3D4E5F6"


@pytest.mark.parametrize("length", [4, 7, 8, 10])
@pytest.mark.parametrize("byte", ["00", "FF"])
def test_blank_identifier_is_refused(byte: str, length: int) -> None:
    assert refusal(CLASSIC, uid(byte * length)) is Refusal.BLANK


@pytest.mark.parametrize("length", [1, 2, 3, 5, 6, 9, 11, 12, 16, 250])
def test_length_that_no_card_has_is_refused(length: int) -> None:
    assert refusal(CLASSIC, uid("04" * length)) is Refusal.ODD


def test_empty_identifier_is_blank() -> None:
    assert refusal(CLASSIC, uid("")) is Refusal.BLANK


@pytest.mark.parametrize(
    "status", [b"\x6a\x81", b"\x6a\x82", b"\x63\x00", b"\x6e\x00", b"\x62\x82"]
)
def test_reader_that_gives_no_identifier_is_said(status: bytes) -> None:
    assert refusal(CLASSIC, uid("", status)) is Refusal.SILENT


@pytest.mark.parametrize("answer", [b"", b"\x90", b"\x04\xa1\xb2\xc3"])
def test_answer_without_a_status_is_none(answer: bytes) -> None:
    assert refusal(CLASSIC, Card(_FFCA000000=answer)) is Refusal.SILENT


def test_peer_to_peer_identifier_of_felica_is_random() -> None:
    assert refusal(CLASSIC, uid("01FEA1B2C3D4E5F6")) is Refusal.RANDOM


def test_wrong_length_is_asked_again_once_with_the_right_one() -> None:
    card = Card(_FFCA000000=b"\x6c\x04", _FFCA000004=b"\xde\xad\xbe\xef" + OK)
    assert identify(CLASSIC, card) == b"DEADBEEF"
    endless = Card(_FFCA000000=b"\x6c\x04", _FFCA000004=b"\x6c\x04")
    assert refusal(CLASSIC, endless) is Refusal.SILENT
    assert len(endless.asked) == 2


@pytest.mark.requirement("R45")
def test_resident_id_card_gives_its_chips_serial_and_is_asked_for_nothing_else() -> None:
    serial = bytes.fromhex("10E4100102030405")
    card = Card(_0036000008=serial + OK, _FFCA000000=bytes(4) + OK)
    assert identify(ID_CARD, card) == b"10E4100102030405"
    assert card.asked == [GET_CHIP_SERIAL]


@pytest.mark.requirement("R45")
@pytest.mark.parametrize(
    "answer", [b"\x6d\x00", b"\x6a\x81", OK, bytes(7) + OK, b"\x12" * 9 + OK, b"\x12" * 8]
)
def test_type_b_card_whose_serial_the_reader_can_not_ask_for_is_refused(answer: bytes) -> None:
    """Its identifier on the air, the PUPI, is never taken: it changes."""
    card = Card(_0036000008=answer, _FFCA000000=b"\xde\xad\xbe\xef" + OK)
    assert refusal(ID_CARD, card) is Refusal.SERIAL


def test_type_a_card_that_looks_like_type_b_is_told_by_its_longer_uid() -> None:
    assert identify(ID_CARD, uid("04A1B2C3D4E5F6")) == b"04A1B2C3D4E5F6"
    assert refusal(ID_CARD, uid("00" * 7)) is Refusal.BLANK
    assert refusal(ID_CARD, uid("E00401500A1B2C3D")) is Refusal.SERIAL


@pytest.mark.parametrize("byte", [b"\0", b"\xff"])
def test_blank_serial_is_refused(byte: bytes) -> None:
    assert refusal(ID_CARD, Card(_0036000008=byte * 8 + OK)) is Refusal.BLANK


@pytest.mark.requirement("R45")
@given(atr=st.binary(max_size=33) | st.just(ID_CARD), answer=st.binary(max_size=300))
def test_no_card_is_ever_asked_to_select_or_read_anything(atr: bytes, answer: bytes) -> None:
    """80 B0 and 00 A4 would read what is printed on a resident ID card."""
    asked: list[bytes] = []

    def ask(command: bytes) -> bytes:
        asked.append(command)
        return answer

    try:
        found = identify(atr, ask)
    except CardRefusedError as refused:
        assert answer.hex() not in str(refused) or not answer
    else:
        assert len(found) in {8, 14, 16, 20}
    assert all(command[:4] in (GET_UID[:4], GET_CHIP_SERIAL[:4]) for command in asked)
    assert 1 <= len(asked) <= 4


@pytest.mark.parametrize(
    ("atr", "is_b"),
    [
        (ID_CARD, True),
        ("3B888001000000003381818158", False),
        ("3B8880010000000033818100BA", True),
        (CLASSIC.hex(), False),
        (DESFIRE.hex(), False),
        ("", False),
        ("3B", False),
        ("3B8880010000000033818100", False),
        ("3B8980010000000033818100BAFF", False),
    ],
)
def test_type_b_is_known_by_the_shape_of_its_answer_to_reset(atr: bytes | str, is_b: bool) -> None:
    assert may_be_type_b(bytes.fromhex(atr) if isinstance(atr, str) else atr) is is_b
