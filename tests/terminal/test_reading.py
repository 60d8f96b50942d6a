"""What a reader sends is a card or is refused, and nothing of it stays."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.core.values import CardId
from terminal.memory import LockedBuffer
from terminal.reading import ReadingRefused, Unreadable, read_card
from terminal.sealing import KEY_BYTES, Keys

RESIDENT = b"11010519491231002X"  # the example of GB 11643-1999


class CountingKeys(Keys):
    """Keys that count how often a card was hashed."""

    def __init__(self) -> None:
        super().__init__(LockedBuffer(KEY_BYTES))
        self.hashed = 0

    def card_id(self, raw: bytes) -> CardId:
        self.hashed += 1
        return super().card_id(raw)


KEYS = CountingKeys()


def refusal(raw: bytes) -> Unreadable:
    with pytest.raises(ReadingRefused) as caught:
        read_card(raw, KEYS)
    return caught.value.why


@pytest.mark.parametrize(
    "raw", [b"0001234567", b"04A2B3C4D5E680", b"12-345-678", b"1234", b"9" * 32, b"e0040150"]
)
def test_a_card_number_is_a_card(raw: bytes) -> None:
    assert len(read_card(raw, KEYS)) == 64


@pytest.mark.parametrize("ending", [b"\r\n", b"\n", b"\r"])
def test_one_line_ending_is_taken_off(ending: bytes) -> None:
    assert read_card(b"0001234567" + ending, KEYS) == read_card(b"0001234567", KEYS)
    assert refusal(b"0001234567" + ending + ending) is Unreadable.NOT_A_CARD


def test_letter_case_is_the_only_difference_between_two_reads_of_one_card() -> None:
    assert read_card(b"04a2b3c4", KEYS) == read_card(b"04A2B3C4", KEYS)
    different = [b"04A2B3C4", b"4A2B3C4", b"04A2-B3C4", b"04A2B3C5", b"04A2B3C40"]
    assert len({read_card(raw, KEYS) for raw in different}) == len(different)


@pytest.mark.parametrize("raw", [b"", b"\n", b"\r\n"])
def test_nothing_is_no_card(raw: bytes) -> None:
    assert refusal(raw) is Unreadable.EMPTY


@pytest.mark.requirement("A7")
@pytest.mark.parametrize(
    "raw",
    [
        b"123",
        b"1" * 33,
        b"12 34",
        b" 1234",
        b"1234\t",
        b"1234\x00",
        b"\x001234",
        b"1234'; DROP TABLE card; --",
        b"1234;",
        b"$(reboot)",
        b"../../etc",
        "１２３４".encode(),
        "\u202e1234".encode(),
        b"\xff\xfe1234",
        b"1234\n5678",
    ],
)
def test_anything_else_is_refused(raw: bytes) -> None:
    assert refusal(raw) is Unreadable.NOT_A_CARD


@pytest.mark.requirement("A7")
def test_more_than_a_reader_may_send_is_refused_unread() -> None:
    assert refusal(b"1" * 65) is Unreadable.TOO_LONG


@pytest.mark.requirement("R45")
@pytest.mark.parametrize(
    "raw",
    [
        RESIDENT,
        RESIDENT.lower(),
        RESIDENT + b"\r\n",
        b"110105-19491231-002X",
        b"440524188001010014",
    ],
)
def test_a_resident_identity_number_is_refused_and_never_hashed(raw: bytes) -> None:
    before = KEYS.hashed
    assert refusal(raw) is Unreadable.RESIDENT_NUMBER
    assert KEYS.hashed == before


@pytest.mark.requirement("R45")
def test_of_all_last_digits_exactly_the_right_one_makes_a_resident_number() -> None:
    refused = []
    for last in b"0123456789X":
        try:
            read_card(RESIDENT[:17] + bytes([last]), KEYS)
        except ReadingRefused:
            refused.append(chr(last))
    assert refused == ["X"]


def test_a_reader_with_18_digits_of_its_own_mostly_works() -> None:
    rng = random.Random(5)
    numbers = ["".join(rng.choices(string.digits, k=18)) for _ in range(2000)]
    refused = sum(1 for number in numbers if is_refused(number.encode()))
    assert 0.05 < refused / len(numbers) < 0.13


def is_refused(raw: bytes) -> bool:
    try:
        read_card(raw, KEYS)
    except ReadingRefused:
        return True
    return False


@pytest.mark.requirement("R45")
@given(st.binary(max_size=80))
def test_a_refusal_says_nothing_of_what_was_read(raw: bytes) -> None:
    try:
        read_card(raw, KEYS)
    except ReadingRefused as refused:
        sentences = {f"The card was refused: {why.value}." for why in Unreadable}
        assert str(refused) in sentences
        assert refused.__context__ is None


PAYLOADS = st.one_of(
    st.binary(max_size=80),
    st.text(string.ascii_letters + string.digits + "-", max_size=40).map(str.encode),
    st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass")),
)


@pytest.mark.requirement("A7", "R45")
@settings(max_examples=500, deadline=None)
@given(PAYLOADS, PAYLOADS)
def test_no_payload_raises_anything_else_and_no_two_are_one_card_by_accident(
    one: bytes, other: bytes
) -> None:
    check_pair(one, other)


@pytest.mark.requirement("A7", "R45")
def test_20_000_mutated_payloads_neither_raise_nor_are_one_card_by_accident() -> None:
    rng = random.Random(45)
    seeds = (b"0001234567\r\n", b"04A2B3C4D5E680", b"12-345-678\r", RESIDENT, b"e0040150\n")
    cards = 0
    for _ in range(20_000):
        one = mutated(rng, rng.choice(seeds))
        check_pair(one, mutated(rng, one))
        cards += card_or_none(one) is not None
    assert 2_000 < cards < 18_000


def mutated(rng: random.Random, payload: bytes) -> bytes:
    changed = bytearray(payload)
    for _ in range(rng.randrange(4)):
        place = rng.randrange(len(changed) + 1)
        match rng.randrange(4):
            case 0:
                changed[place:place] = rng.choice((b"\r", b"\n", b"-", b"0", b"a", b"\0", b"'"))
            case 1:
                del changed[place : place + rng.randrange(3)]
            case 2 if place < len(changed):
                changed[place] ^= 1 << rng.randrange(8)
            case _:
                changed[place:place] = changed[: rng.randrange(20)]
    return bytes(changed)


def check_pair(one: bytes, other: bytes) -> None:
    card = card_or_none(one)
    if card is not None and card == card_or_none(other):
        assert written(one) == written(other)


def card_or_none(raw: bytes) -> CardId | None:
    try:
        return read_card(raw, KEYS)
    except ReadingRefused:
        return None


def written(raw: bytes) -> bytes:
    """The documented ways in which two reads may differ, taken away."""
    for ending in (b"\r\n", b"\n", b"\r"):
        if raw.endswith(ending):
            return raw[: -len(ending)].upper()
    return raw.upper()
