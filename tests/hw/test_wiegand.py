"""Wiegand frames: what is encoded decodes, and what parity can see is never accepted."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.ports import Edge
from hw.wiegand import (
    FORMATS,
    LEAST_BIT_GAP_S,
    LONGEST_BIT_GAP_S,
    SILENCE_S,
    Drop,
    Frame,
    Key,
    bits_of,
    bursts,
    decode,
    decode_key,
    encode,
)

BITS = sorted(FORMATS)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    bits = draw(st.sampled_from(BITS))
    return Frame(draw(st.integers(0, (1 << (bits - 2)) - 1)), bits)


@given(frames())
def test_what_is_encoded_decodes(frame: Frame) -> None:
    assert decode(encode(frame.number, frame.bits)) == frame


@pytest.mark.parametrize(
    ("bits", "number", "text", "wire"),
    [
        (26, 0, "26-000-00000", "0" + "0" * 24 + "1"),
        (26, 123 << 16 | 4567, "26-123-04567", "1" + "01111011" + "0001000111010111" + "0"),
        (34, 0x499602D2, "34-18838-00722", "1" + "01001001100101100000001011010010" + "0"),
        (37, 9 << 19 | 12345, "37-00009-012345", None),
        (37, (1 << 35) - 1, "37-65535-524287", None),
    ],
)
def test_known_frames(bits: int, number: int, text: str, wire: str | None) -> None:
    """34 bits: card 1234567890, the worked example in a camera maker's Wiegand manual."""
    sent = encode(number, bits)
    assert Frame(number, bits).text == text
    if wire is not None:
        assert "".join(map(str, sent)) == wire


def test_halves_of_a_frame_have_their_sums() -> None:
    for bits, even_end, odd_begin in ((26, 13, 13), (34, 17, 17), (37, 19, 18)):
        sent = encode((1 << (bits - 2)) // 3, bits)
        assert sum(sent[:even_end]) % 2 == 0
        assert sum(sent[odd_begin:]) % 2 == 1


@given(frames(), frames())
def test_no_two_frames_share_a_text(one: Frame, two: Frame) -> None:
    assert (one.text == two.text) is (one == two)


@given(frames())
def test_text_is_what_the_card_grammar_takes(frame: Frame) -> None:
    assert 4 <= len(frame.text) <= 32
    assert set(frame.text) <= set("0123456789-")
    assert len(frame.text.replace("-", "")) != 18, "never as long as a resident number"


@pytest.mark.parametrize(("number", "bits"), [(-1, 26), (1 << 24, 26), (1 << 35, 37), (0, 35)])
def test_what_is_no_frame_is_not_encoded(number: int, bits: int) -> None:
    with pytest.raises(ValueError, match=r"no room|no format"):
        encode(number, bits)


@given(frames(), st.data())
def test_one_turned_bit_is_never_accepted(frame: Frame, data: st.DataObject) -> None:
    sent = list(encode(frame.number, frame.bits))
    sent[data.draw(st.integers(0, frame.bits - 1))] ^= 1
    assert decode(sent) is Drop.PARITY


@given(frames(), st.data())
def test_one_lost_or_added_bit_is_never_accepted(frame: Frame, data: st.DataObject) -> None:
    sent = list(encode(frame.number, frame.bits))
    at = data.draw(st.integers(0, frame.bits - 1))
    assert decode(sent[:at] + sent[at + 1 :]) is Drop.LENGTH
    assert decode([*sent[:at], data.draw(st.integers(0, 1)), *sent[at:]]) is Drop.LENGTH


@pytest.mark.parametrize("bits", BITS)
def test_two_turned_bits_pass_exactly_where_parity_is_blind(bits: int) -> None:
    """Counted, not hidden: both bits in one half, and never anything else."""
    shape, sent = FORMATS[bits], encode(0, bits)
    passed = 0
    for pair in combinations(range(bits), 2):
        turned = [bit ^ (at in pair) for at, bit in enumerate(sent)]
        same = all(
            sum(at in half for at in pair) % 2 == 0
            for half in (range(shape.even_end), range(shape.odd_begin, bits))
        )
        assert isinstance(decode(turned), Frame) is same
        passed += same
    rate = passed / (bits * (bits - 1) / 2)
    assert rate == pytest.approx({26: 0.48, 34: 0.485, 37: 0.459}[bits], abs=0.001)


@pytest.mark.parametrize("bits", BITS)
def test_a_quarter_of_all_noise_of_the_right_length_has_right_parity(bits: int) -> None:
    chance = random.Random(bits)
    accepted = sum(
        isinstance(decode([chance.getrandbits(1) for _ in range(bits)]), Frame)
        for _ in range(20_000)
    )
    assert accepted / 20_000 == pytest.approx(0.25, abs=0.015)


@given(st.lists(st.integers(0, 1), max_size=130))
def test_any_row_of_bits_is_a_frame_of_its_own_bits_or_is_dropped(bits: list[int]) -> None:
    found = decode(bits)
    assert found in (Drop.LENGTH, Drop.PARITY) or (
        isinstance(found, Frame) and list(encode(found.number, found.bits)) == bits
    )


# Times


def edges(bits: tuple[int, ...], begun_s: float = 5.0, each_s: float = 1.5e-3) -> list[Edge]:
    return [Edge(bit, begun_s + at * each_s) for at, bit in enumerate(bits)]


@given(frames(), st.randoms())
def test_edges_are_put_in_the_order_of_their_times(frame: Frame, chance: random.Random) -> None:
    mixed = edges(encode(frame.number, frame.bits))
    chance.shuffle(mixed)
    (burst,) = bursts(mixed)
    assert bits_of(burst) == encode(frame.number, frame.bits)


def test_silence_divides_bursts() -> None:
    first, second = encode(1, 26), encode(2, 26)
    both = edges(first) + edges(second, 5.0 + 25 * 1.5e-3 + SILENCE_S + 1e-6)
    assert [bits_of(burst) for burst in bursts(both)] == [first, second]


@pytest.mark.parametrize("gap_s", [0.0, 1e-6, 50e-6, LEAST_BIT_GAP_S - 1e-6])
def test_edges_nearer_than_any_reader_sends_them_are_noise(gap_s: float) -> None:
    burst = edges(encode(7, 26))
    assert bits_of([*burst[:9], Edge(1, burst[8].tick_s + gap_s), *burst[9:]]) is Drop.BOTH_LOW


@pytest.mark.parametrize("gap_s", [LONGEST_BIT_GAP_S + 1e-4, 0.03, SILENCE_S - 1e-4])
def test_pause_that_is_neither_within_a_frame_nor_between_two_is_noise(gap_s: float) -> None:
    """Else a frame of 34 bits that is torn after 26 could pass for one of 26."""
    torn = edges(encode(7, 34)[:26]) + edges(encode(7, 34)[26:], 5.0 + 25 * 1.5e-3 + gap_s)
    assert [bits_of(burst) for burst in bursts(torn)] == [Drop.GAP]


# Keys


@pytest.mark.parametrize("code", range(16))
def test_keys_of_four_and_eight_bits(code: int) -> None:
    four = [code >> at & 1 for at in (3, 2, 1, 0)]
    expected: object = code if code <= 9 else {0xA: Key.CLEAR, 0xB: Key.END}.get(code, Drop.PARITY)
    assert decode_key(four) == expected
    assert decode_key([bit ^ 1 for bit in four] + four) == expected


@given(st.integers(0, 15), st.integers(0, 7))
def test_one_turned_bit_of_an_eight_bit_key_is_never_accepted(code: int, at: int) -> None:
    four = [code >> place & 1 for place in (3, 2, 1, 0)]
    eight = [bit ^ 1 for bit in four] + four
    eight[at] ^= 1
    assert decode_key(eight) is Drop.PARITY


@given(st.lists(st.integers(0, 1), max_size=12).filter(lambda bits: len(bits) not in (4, 8)))
def test_other_lengths_are_no_key(bits: list[int]) -> None:
    assert decode_key(bits) is Drop.LENGTH
