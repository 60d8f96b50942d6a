"""Keys to bytes: whole reads come out as typed, and nothing else ever comes out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.ports import MAX_CARD_BYTES
from hw.reader_wedge import (
    CHARACTERS,
    DEFAULT_ENDS,
    ENTER,
    KEY_GAP_S,
    KEYPAD_ENTER,
    TAB,
    WedgeDecoder,
)
from tests.hw import keys
from tests.hw.keys import DOWN, UP, KeyEvent, typed

PRINTABLE = "".join(sorted(set(CHARACTERS.values())))
CARD = st.text(PRINTABLE, min_size=1, max_size=MAX_CARD_BYTES)


def decode(events: list[KeyEvent], decoder: WedgeDecoder | None = None) -> list[bytes]:
    decoder = decoder or WedgeDecoder()
    reads = (decoder.key(event.code, event.value, event.mono_s) for event in events)
    return [read for read in reads if read is not None]


def test_keyboard_types_every_printable_character_of_ascii() -> None:
    assert {chr(code) for code in range(32, 127)} == set(PRINTABLE)


@given(card=CARD, end=st.sampled_from(sorted(DEFAULT_ENDS)))
def test_what_is_typed_comes_out_whole(card: str, end: int) -> None:
    assert decode(typed(card, end=end)) == [card.encode("ascii")]


@given(cards=st.lists(CARD, max_size=5))
def test_reads_come_out_one_by_one(cards: list[str]) -> None:
    events = [event for at, card in enumerate(cards) for event in typed(card, at * 10.0)]
    assert decode(events) == [card.encode("ascii") for card in cards]


@given(
    events=st.lists(
        st.builds(
            KeyEvent,
            st.just(keys.EV_KEY),
            st.integers(0, 0x2FF),
            st.integers(-1, 3),
            st.floats(0, 1e6),
        ),
        max_size=300,
    )
)
def test_whatever_is_pressed_a_read_is_never_empty_nor_too_long(events: list[KeyEvent]) -> None:
    for read in decode(events):
        assert 1 <= len(read) <= MAX_CARD_BYTES
        assert all(32 <= byte < 127 for byte in read)


@given(card=st.text("0123456789", min_size=MAX_CARD_BYTES + 1, max_size=200))
def test_read_that_is_too_long_is_dropped_whole_and_the_next_one_is_not(card: str) -> None:
    decoder = WedgeDecoder()
    assert decode(typed(card), decoder) == []
    assert decode(typed("42", 100.0), decoder) == [b"42"]


@pytest.mark.parametrize("pause_s", [KEY_GAP_S + 0.001, 5.0, -0.001, -100.0])
def test_what_was_begun_before_a_pause_is_dropped(pause_s: float) -> None:
    first = typed("1234", 50.0, end=None)
    last_down_s = first[-2].mono_s
    assert decode(first + typed("5678", last_down_s + pause_s)) == [b"5678"]


def test_enter_after_a_pause_completes_nothing() -> None:
    assert decode([*typed("1234", end=None), KeyEvent(keys.EV_KEY, ENTER, DOWN, 9.0)]) == []


def test_slow_reader_within_the_gap_is_read() -> None:
    assert decode(typed("1234", each_s=KEY_GAP_S * 0.49)) == [b"1234"]


@pytest.mark.parametrize("end", [ENTER, KEYPAD_ENTER, TAB])
def test_ending_key_alone_is_no_read(end: int) -> None:
    assert decode(typed("", end=end)) == []


def test_ends_can_be_chosen() -> None:
    decoder = WedgeDecoder(ends=[ENTER])
    assert decode(typed("12", end=TAB) + typed("34", 5.0), decoder) == [b"34"]


def test_key_that_is_no_character_spoils_the_read() -> None:
    arrow = KeyEvent(keys.EV_KEY, 103, DOWN, 0.011)
    events = sorted([*typed("12"), arrow], key=KeyEvent.timestamp)
    assert decode(events) == []


def test_held_key_is_typed_once() -> None:
    code = keys.KEY_OF["7"][0]
    events = [KeyEvent(keys.EV_KEY, 8, DOWN, 0.0)]
    events += [KeyEvent(keys.EV_KEY, 8, 2, 0.01 * at) for at in range(1, 5)]
    events += [KeyEvent(keys.EV_KEY, 8, UP, 0.05), *typed("", 0.06)]
    assert code
    assert decode(events) == [b"7"]


def test_right_shift_counts_and_ends_with_its_key() -> None:
    stroke = [(54, DOWN), (30, DOWN), (30, UP), (54, UP), (30, DOWN), (30, UP), (ENTER, DOWN)]
    events = [KeyEvent(keys.EV_KEY, *key, 0.01 * at) for at, key in enumerate(stroke)]
    assert decode(events) == [b"Aa"]


def test_keypad_types_digits() -> None:
    codes = [79, 80, 81, 75, 76, 77, 71, 72, 73, 82, KEYPAD_ENTER]
    events = [KeyEvent(keys.EV_KEY, code, DOWN, 0.01 * at) for at, code in enumerate(codes)]
    assert decode(events) == [b"1234567890"]


def test_after_lost_events_everything_up_to_the_next_end_is_dropped() -> None:
    decoder = WedgeDecoder()
    decode(typed("12", end=None), decoder)
    decoder.spoil()
    assert decode(typed("34", 0.03), decoder) == []
    assert decode(typed("56", 5.0), decoder) == [b"56"]


def test_reset_forgets_what_was_begun_and_a_held_shift() -> None:
    decoder = WedgeDecoder()
    decode([KeyEvent(keys.EV_KEY, keys.LEFT_SHIFT, DOWN, 0.0)], decoder)
    decode(typed("12", end=None), decoder)
    decoder.reset()
    assert decode(typed("34", 0.03), decoder) == [b"34"]
