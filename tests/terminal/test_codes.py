"""What codes in view mean: ours is told once, several are refused, a poster does not chatter."""

from __future__ import annotations

import numpy as np
import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from terminal.code_decoder import qr_codes_in
from terminal.code_link import Code, CodeRefused
from terminal.codes import GONE_S, HELD_UP_S, KEPT, TELL_EVERY_S, CodeRules
from terminal.core.values import MAX_CODE_BYTES, PASS_PREFIX, CodeFault
from tests.terminal.given_codes import drawn

PASS, OTHER, POSTER = b"FT1:ABC", b"FT1:XYZ", b"https://example.org/"
FRAME_S = 0.1


def told(rules: CodeRules, *contents: bytes, at_s: float) -> Code | CodeRefused | None:
    return rules.judge(contents, at_s).telling


def test_nothing_in_view_is_nothing() -> None:
    verdict = CodeRules().judge((), 1.0)
    assert verdict.telling is None and not verdict.found


def test_one_of_ours_is_told_as_it_is() -> None:
    assert told(CodeRules(), PASS, at_s=1.0) == Code(PASS)


@pytest.mark.requirement("A9")
@pytest.mark.parametrize(
    ("contents", "why"),
    [
        ((PASS, OTHER), CodeFault.SEVERAL),
        ((PASS, OTHER, POSTER), CodeFault.SEVERAL),
        ((POSTER,), CodeFault.FOREIGN),
        ((POSTER, b"' OR 1=1 --"), CodeFault.FOREIGN),
        ((b"",), CodeFault.FOREIGN),
        ((b"ft1:ABC",), CodeFault.FOREIGN),
        ((b" FT1:ABC",), CodeFault.FOREIGN),
        ((b"\x00FT1:ABC",), CodeFault.FOREIGN),
        (("‮FT1:ABC".encode(),), CodeFault.FOREIGN),
        ((b"x" * 2953,), CodeFault.FOREIGN),
        ((PASS_PREFIX + b"x" * (MAX_CODE_BYTES - 3),), CodeFault.TOO_LONG),
        ((PASS_PREFIX + b"x" * 2949,), CodeFault.TOO_LONG),
    ],
)
def test_what_is_not_one_pass_of_ours_is_refused(
    contents: tuple[bytes, ...], why: CodeFault
) -> None:
    assert told(CodeRules(), *contents, at_s=1.0) == CodeRefused(why)


def test_the_longest_pass_is_told() -> None:
    longest = PASS_PREFIX + b"x" * (MAX_CODE_BYTES - len(PASS_PREFIX))
    assert told(CodeRules(), longest, at_s=1.0) == Code(longest)


def test_the_same_code_twice_in_a_frame_is_one_code() -> None:
    assert told(CodeRules(), PASS, PASS, at_s=1.0) == Code(PASS)


def test_a_pass_beside_a_poster_is_told() -> None:
    assert told(CodeRules(), PASS, POSTER, at_s=1.0) == Code(PASS)


def test_what_stays_in_view_is_told_once() -> None:
    rules = CodeRules()
    tellings = [told(rules, PASS, at_s=1.0 + number * FRAME_S) for number in range(600)]
    assert [one for one in tellings if one is not None] == [Code(PASS)]


def test_what_was_gone_long_enough_is_told_again_and_not_before() -> None:
    rules = CodeRules()
    assert told(rules, PASS, at_s=1.0) == Code(PASS)
    assert told(rules, PASS, at_s=1.0 + GONE_S - 0.01) is None
    assert told(rules, PASS, at_s=1.0 + 2 * GONE_S) == Code(PASS)


@pytest.mark.requirement("T23")
def test_a_new_code_in_every_frame_is_told_four_times_a_second_at_most() -> None:
    rules = CodeRules()
    times = [
        number * 0.033
        for number in range(3000)
        if told(rules, b"FT1:%d" % number, at_s=number * 0.033)
    ]
    for start in range(90):
        assert sum(start <= at_s < start + 1.0 for at_s in times) <= 4
    assert len(vars(rules)["_seen"]) <= KEPT


def test_a_code_that_comes_too_soon_is_told_a_moment_later_and_not_lost() -> None:
    rules = CodeRules()
    assert told(rules, PASS, at_s=1.0) == Code(PASS)
    assert told(rules, OTHER, at_s=1.1) is None
    assert told(rules, OTHER, at_s=1.0 + TELL_EVERY_S) == Code(OTHER)


def test_a_pass_that_is_left_when_the_other_is_put_away_is_told() -> None:
    rules = CodeRules()
    assert told(rules, PASS, OTHER, at_s=1.0) == CodeRefused(CodeFault.SEVERAL)
    assert told(rules, PASS, at_s=1.5) == Code(PASS)


def test_a_poster_is_refused_once_and_does_not_hide_a_pass() -> None:
    rules = CodeRules()
    tellings = [told(rules, POSTER, at_s=number * FRAME_S) for number in range(100)]
    assert [one for one in tellings if one] == [CodeRefused(CodeFault.FOREIGN)]
    assert told(rules, POSTER, PASS, at_s=10.0) == Code(PASS)


def test_a_poster_flickering_beside_others_is_refused_once() -> None:
    rules = CodeRules()
    views = [(POSTER,), (POSTER, b"2"), (b"2",), (POSTER, b"2")] * 50
    tellings = [told(rules, *view, at_s=number * FRAME_S) for number, view in enumerate(views)]
    assert sum(one is not None for one in tellings) == 2


def test_a_code_of_ours_counts_as_held_up_and_a_poster_only_at_first() -> None:
    rules = CodeRules()
    assert all(rules.judge((PASS,), number * FRAME_S).found for number in range(100))
    found = [rules.judge((POSTER,), 20.0 + number * FRAME_S).found for number in range(100)]
    assert found[0] and not found[-1]
    assert sum(found) * FRAME_S == pytest.approx(HELD_UP_S, abs=0.2)


def test_nothing_of_a_code_is_kept_but_its_hash() -> None:
    rules = CodeRules()
    told(rules, PASS, at_s=1.0)
    assert PASS not in repr(vars(rules)).encode()


@given(
    st.lists(
        st.tuples(
            st.frozensets(
                st.sampled_from([PASS, OTHER, POSTER, b"", PASS_PREFIX + b"x" * 300])
                | st.binary(max_size=40)
            ),
            st.floats(0.0, 1.5),
        ),
        max_size=60,
    )
)
def test_whatever_is_in_view_a_telling_is_one_pass_of_ours_and_never_too_often(
    views: list[tuple[frozenset[bytes], float]],
) -> None:
    rules, now_s, last_s = CodeRules(), 0.0, -1.0
    for contents, gap_s in views:
        now_s += gap_s
        telling = rules.judge(contents, now_s).telling
        if telling is None:
            continue
        assert now_s - last_s >= TELL_EVERY_S
        last_s = now_s
        if isinstance(telling, Code):
            ours = [one for one in contents if one.startswith(PASS_PREFIX)]
            assert ours == [telling.payload] and len(telling.payload) <= MAX_CODE_BYTES


# The real decoder


def read(*contents: bytes, error: str = "m") -> frozenset[bytes]:
    grey = drawn(*contents, error=error)
    return frozenset(qr_codes_in(grey.data))


@pytest.mark.requirement("A9")
@pytest.mark.parametrize(
    "content",
    [
        PASS,
        b"FT1:\x00a\x00",
        b"FT1:\xff\xfe\x80",
        "FT1:‮‏".encode(),
        b"FT1:'; DROP TABLE holders; --",
        b"\xef\xbb\xbfFT1:A",
        bytes(range(256)),
    ],
)
def test_a_payload_comes_byte_for_byte(content: bytes) -> None:
    assert read(content) == {content}


def test_the_largest_code_there_is_is_read_and_judged_too_long() -> None:
    content = PASS_PREFIX + bytes(number % 251 for number in range(2949))
    assert len(content) == 2953
    codes = read(content, error="l")
    assert codes == {content}
    assert told(CodeRules(), *codes, at_s=1.0) == CodeRefused(CodeFault.TOO_LONG)


def test_ten_codes_at_once_are_several() -> None:
    codes = read(*(b"FT1:%d" % number for number in range(10)))
    assert len(codes) == 10
    assert told(CodeRules(), *codes, at_s=1.0) == CodeRefused(CodeFault.SEVERAL)


def test_a_code_is_read_whichever_way_up_it_is_and_light_on_dark() -> None:
    upright = drawn(PASS)
    for quarter in range(4):
        turned = np.ascontiguousarray(np.rot90(upright, quarter))
        assert qr_codes_in(turned.data) == (PASS,)
    assert qr_codes_in(np.asarray(255 - upright).data) == (PASS,)


def test_a_micro_code_is_not_looked_for() -> None:
    rows = np.array([list(row) for row in segno.make("AB12", micro=True).matrix], np.uint8)
    light = np.pad(1 - rows, 4, constant_values=1) * np.uint8(255)
    picture = np.kron(light, np.ones((8, 8), np.uint8)).astype(np.uint8)
    assert qr_codes_in(picture.data) == ()
