"""Keys to bytes: whole reads come out as typed, and nothing else ever comes out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.keymaps import BACKSPACE, ENTER, KEYPAD_ENTER, LAYOUTS, TAB
from hw.ports import MAX_READ_BYTES, Read, ReadKind
from hw.typed_entry import ENTRY_GAP_S, MAX_DIGITS
from hw.wedge_decoder import DEFAULT_ENDS, KEY_GAP_S, LEAST_BURST, WedgeDecoder
from tests.hw import keys
from tests.hw.keys import DOWN, UP, KeyEvent, typed

PRINTABLE = "".join(sorted(set(LAYOUTS["us"].values())))
CARD = st.text(PRINTABLE, min_size=1, max_size=MAX_READ_BYTES)


def reads_of(events: list[KeyEvent], decoder: WedgeDecoder) -> list[Read]:
    reads = (decoder.key(event.code, event.value, event.mono_s) for event in events)
    return [read for read in reads if read is not None]


def decode(events: list[KeyEvent], decoder: WedgeDecoder | None = None) -> list[bytes]:
    reads = reads_of(events, decoder or WedgeDecoder())
    assert all(read.kind is ReadKind.IDENTIFIER for read in reads)
    return [read.data for read in reads]


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
        assert 1 <= len(read) <= MAX_READ_BYTES
        assert all(32 <= byte < 127 for byte in read)


@given(card=st.text("0123456789", min_size=MAX_READ_BYTES + 1, max_size=MAX_READ_BYTES + 40))
def test_read_that_is_too_long_is_dropped_whole_and_the_next_one_is_not(card: str) -> None:
    decoder = WedgeDecoder()
    assert decode(typed(card), decoder) == []
    assert decode(typed("42", 1000.0), decoder) == [b"42"]


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


BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@given(data=st.data())
def test_pass_is_read_in_every_layout(layout: str, data: st.DataObject) -> None:
    text = data.draw(st.text(BASE45, min_size=1, max_size=MAX_READ_BYTES))
    decoder = WedgeDecoder(layout=LAYOUTS[layout])
    assert decode(typed(text, layout=layout), decoder) == [text.encode("ascii")]


def test_layouts_differ_where_their_keyboards_do() -> None:
    assert decode(typed("Y-Z", layout="de"), WedgeDecoder()) == [b"Z/Y"]
    assert decode(typed("AQ1", layout="fr"), WedgeDecoder()) == [b"QA!"]


def keypad() -> WedgeDecoder:
    return WedgeDecoder(keypad=True)


def by_hand(text: str, begun_s: float = 0.0, each_s: float = 0.2, **more: object) -> list[KeyEvent]:
    return typed(text, begun_s, each_s=each_s, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("each_s", [0.005, 0.2, 2.4])
@pytest.mark.parametrize("pin", ["1", "4711", "123456789"])
def test_digits_on_a_keypad_are_typed_at_any_pace(pin: str, each_s: float) -> None:
    read = reads_of(by_hand(pin, each_s=each_s), keypad())
    assert read == [Read(pin.encode(), ReadKind.TYPED)]


@pytest.mark.parametrize("end", ["#", ENTER, KEYPAD_ENTER, TAB])
def test_hash_enter_and_tab_end_an_entry(end: str | int) -> None:
    events = by_hand(f"12{end}", end=None) if end == "#" else by_hand("12", end=end)
    assert reads_of(events, keypad()) == [Read(b"12", ReadKind.TYPED)]


def test_star_clears_an_entry() -> None:
    assert reads_of(by_hand("99*4711#", end=None), keypad()) == [Read(b"4711", ReadKind.TYPED)]


@pytest.mark.parametrize("each_s", [0.005, 0.2])
def test_backspace_clears_an_entry(each_s: float) -> None:
    first = by_hand("99", end=BACKSPACE, each_s=each_s)
    second = by_hand("4711", first[-1].mono_s + each_s, each_s=each_s)
    assert reads_of(first + second, keypad()) == [Read(b"4711", ReadKind.TYPED)]


@pytest.mark.parametrize("text", ["12A4", "A", "-12", "1234567890", "12345678901234"])
def test_what_no_pin_is_is_dropped_at_a_hands_pace(text: str) -> None:
    decoder = keypad()
    assert reads_of(by_hand(text), decoder) == []
    assert reads_of(by_hand("42", 1000.0), decoder) == [Read(b"42", ReadKind.TYPED)]


def test_entry_that_nobody_goes_on_with_is_forgotten() -> None:
    events = by_hand("12", end=None) + by_hand("34", 0.6 + ENTRY_GAP_S + 0.1)
    assert reads_of(events, keypad()) == [Read(b"34", ReadKind.TYPED)]


@given(card=st.text(BASE45, min_size=LEAST_BURST, max_size=MAX_READ_BYTES))
def test_card_at_a_readers_pace_is_an_identifier_on_a_keypad_too(card: str) -> None:
    assert reads_of(typed(card), keypad()) == [Read(card.encode())]


def test_card_in_the_middle_of_an_entry_is_the_card_and_the_entry_is_over() -> None:
    events = by_hand("12", end=None) + typed("0012345678", 3.0) + by_hand("34", 4.0)
    assert reads_of(events, keypad()) == [Read(b"0012345678"), Read(b"34", ReadKind.TYPED)]


@pytest.mark.parametrize("text", ["ABCDEFGHI", "12345678A", "A1"])
def test_short_burst_with_letters_is_nothing_on_a_keypad(text: str) -> None:
    assert reads_of(typed(text), keypad()) == []


def test_lost_keys_drop_the_entry_whole() -> None:
    decoder = keypad()
    reads_of(by_hand("12", end=None), decoder)
    decoder.spoil()
    assert reads_of(by_hand("34", 1.0), decoder) == []
    decoder.spoil()
    assert reads_of(by_hand("56", 3.0), decoder) == [], "also before its first key"
    assert reads_of(by_hand("78", 9.0), decoder) == [Read(b"78", ReadKind.TYPED)]


KEYS_OF_A_KEYPAD = st.sampled_from([KEYPAD_ENTER, BACKSPACE, *range(2, 12), 30, 55])


@given(st.lists(st.tuples(KEYS_OF_A_KEYPAD, st.floats(0.0, 7.0)), max_size=40))
def test_whatever_is_typed_is_one_to_nine_digits_or_a_long_burst(
    strokes: list[tuple[int, float]],
) -> None:
    now_s, events = 0.0, []
    for code, gap_s in strokes:
        now_s += gap_s
        events.append(KeyEvent(keys.EV_KEY, code, DOWN, now_s))
    for data, kind in reads_of(events, keypad()):
        if kind is ReadKind.TYPED:
            assert 1 <= len(data) <= MAX_DIGITS
            assert data.isdigit()
        else:
            assert len(data) >= LEAST_BURST


def test_typed_digits_are_overwritten_when_they_are_whole_or_given_up() -> None:
    decoder = keypad()
    buffer: bytearray = vars(vars(decoder)["_entry"])["_digits"]
    burst: bytearray = vars(decoder)["_burst"]
    reads_of(by_hand("4711", end=None), decoder)
    assert buffer == b"4711"
    decoder.give_up()
    assert not buffer and not burst
    reads_of(by_hand("4712"), decoder)
    assert not buffer and not burst
