"""Bytes of a serial line to reads: whole frames come out, and nothing else ever does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.ports import MAX_READ_BYTES, Read
from hw.serial_frames import IDLE_GAP_S, REPEAT_S, Framer, LineFramer, StxFramer, checked_number
from tests.hw.card_readers import stx

PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=256)
NUMBERS = st.text("0123456789ABCDEF", min_size=10, max_size=10)


def reads(framer: Framer, *chunks: bytes, each_s: float = 0.01) -> list[bytes]:
    found = [framer.feed(chunk, 50.0 + at * each_s) for at, chunk in enumerate(chunks)]
    return [read.data for some in found for read in some]


@given(lines=st.lists(PLAIN, max_size=5), end=st.sampled_from([b"\r", b"\n", b"\r\n"]))
def test_lines_come_out_one_by_one_whatever_ends_them(lines: list[str], end: bytes) -> None:
    sent = b"".join(line.encode() + end for line in lines)
    assert reads(LineFramer(), sent) == [line.encode() for line in lines]


@given(line=PLAIN, cuts=st.lists(st.integers(0, 256), max_size=6))
def test_line_comes_out_whole_however_it_arrives(line: str, cuts: list[int]) -> None:
    sent = line.encode() + b"\r\n"
    places = sorted({min(cut, len(sent)) for cut in cuts})
    chunks = [sent[a:b] for a, b in zip([0, *places], [*places, len(sent)], strict=True)]
    assert reads(LineFramer(), *chunks) == [line.encode()]


def test_empty_lines_are_nothing() -> None:
    framer = LineFramer()
    assert reads(framer, b"\r\n\r\n\n") == []
    assert framer.dropped == 0


@pytest.mark.parametrize("length", [MAX_READ_BYTES + 1, 1000, 5000])
def test_line_that_is_too_long_is_dropped_whole_up_to_the_next_end(length: int) -> None:
    framer = LineFramer()
    assert reads(framer, b"7" * length + b"\n12\n") == [b"12"]
    assert framer.dropped == 1


@pytest.mark.parametrize("noise", [b"\0", b"\x02", b"\x1b[A", b"\x7f"])
def test_line_with_a_control_character_is_noise(noise: bytes) -> None:
    assert reads(LineFramer(), b"12" + noise + b"34\n56\n") == [b"56"]


def test_text_beyond_ascii_is_handed_on_for_the_parser_to_refuse() -> None:
    assert reads(LineFramer(), "通行\n".encode()) == ["通行".encode()]


@pytest.mark.parametrize("pause_s", [IDLE_GAP_S + 0.01, 60.0, -1.0])
def test_what_was_begun_before_a_pause_is_dropped(pause_s: float) -> None:
    assert reads(LineFramer(), b"1234", b"5678\n", each_s=pause_s) == [b"5678"]
    assert reads(StxFramer(), stx(b"0012345678")[:6], b"345678", each_s=pause_s) == []


@given(number=NUMBERS)
def test_stx_frame_with_its_checksum_comes_out(number: str) -> None:
    assert reads(StxFramer(), stx(number.encode())) == [number.encode()]


def test_checksum_of_a_known_frame() -> None:
    """62E3086CED -> 08, the example of the ID-12 data sheet."""
    assert checked_number(b"62E3086CED08") == b"62E3086CED"


@given(number=NUMBERS, place=st.integers(0, 11), digit=st.sampled_from("0123456789ABCDEF"))
def test_one_wrong_digit_is_never_accepted(number: str, place: int, digit: str) -> None:
    framer, good = StxFramer(), stx(number.encode())
    bad = good[: place + 1] + digit.encode() + good[place + 2 :]
    assert reads(framer, bad) == ([number.encode()] if bad == good else [])
    assert framer.dropped == (bad != good)


@pytest.mark.parametrize(
    "frame",
    [
        b"\x02\x03",
        b"\x0200123456780\x03",
        b"\x0200123456780808\x03",
        b"\x020012345678GG\x03",
        b"\x0200 23456 78 8\x03",
        b"\x020011223300  \x03",
        b"\x02001234567\xb908\x03",
        b"001234567808\x03",
        b"\x02001234567808",
        b"\x02" + b"0" * 5000 + b"\x03",
    ],
)
def test_what_is_no_frame_is_dropped_and_the_next_one_is_not(frame: bytes) -> None:
    framer = StxFramer()
    assert reads(framer, frame, stx(b"00AABBCCDD")) == [b"00AABBCCDD"]


def test_small_letters_are_read_as_capitals() -> None:
    assert reads(StxFramer(), stx(b"00aabbccdd").lower()) == [b"00AABBCCDD"]


def test_card_that_lies_there_is_read_once_and_again_after_it_was_away() -> None:
    framer, frame = StxFramer(), stx(b"0012345678")
    assert reads(framer, *[frame] * 50, each_s=0.065) == [b"0012345678"]
    later_s = 50.0 + 49 * 0.065 + REPEAT_S + 0.01
    assert framer.feed(frame, later_s) == [Read(b"0012345678")]
    assert framer.feed(stx(b"00AABBCCDD"), later_s + 0.1) == [Read(b"00AABBCCDD")]


@given(st.binary(max_size=2000), st.sampled_from([LineFramer, StxFramer]))
def test_whatever_comes_a_read_is_never_empty_nor_too_long(
    data: bytes, framer: type[LineFramer | StxFramer]
) -> None:
    for read in framer().feed(data, 1.0):
        assert 1 <= len(read.data) <= MAX_READ_BYTES
