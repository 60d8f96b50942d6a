"""A pass is taken if this terminal issued it for this door, and nothing else is, whatever it is."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.core.values import PassId, PersonId
from terminal.passes import base45
from terminal.passes.token import (
    HOLDER_LETTERS,
    LETTERS,
    LONGEST,
    MAX_TEXT_BYTES,
    Keyring,
    NoPass,
    PassRefused,
    PublicKey,
    Token,
    audience_of_door,
    audience_of_group,
    check,
    encode,
)
from terminal.signing import SigningKey
from tests.terminal.given_passes import (
    DOOR,
    ELSEWHERE,
    FOREIGN_KEY,
    GROUP,
    HERE,
    KEY,
    KEY_CHANGED,
    KEYRING,
    NOW,
    OLD_KEY,
    code_secret,
    each_kind,
    number,
    once,
    resident,
    showing,
    signing_key,
    static,
    text,
    visitor,
)

BODY_BYTES, SIGNED_BYTES = 40, 104
LABEL = b"face-optional-terminal/1/pass\0"
KINDS = each_kind()
IDS = ("static", "rotating", "visitor", "once")


class NotingKeyring(Mapping[str, PublicKey]):
    """A keyring that notes which keys were asked for."""

    def __init__(self, keys: Keyring) -> None:
        self._keys = keys
        self.asked: list[str] = []

    def __getitem__(self, key_id: str) -> PublicKey:
        self.asked.append(key_id)
        return self._keys[key_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def taken(raw: bytes, at_utc: datetime = NOW) -> Token:
    return check(raw, KEYRING, HERE, at_utc)


def refusal(raw: bytes, at_utc: datetime = NOW) -> NoPass:
    with pytest.raises(PassRefused) as caught:
        taken(raw, at_utc)
    return caught.value.why


def bytes_of(raw: bytes) -> bytes:
    return base45.decode(raw.removeprefix(b"FT1:"))


def text_of(data: bytes) -> bytes:
    return b"FT1:" + base45.encode(data)


def signed(body: bytes, key: SigningKey = KEY, code: bytes = b"") -> bytes:
    """What our own key would never have been asked to sign."""
    return text_of(body + key.sign(LABEL + body) + code)


def changed(token: Token, at: int, new: bytes) -> bytes:
    """The pass with some bytes of its body replaced, and signed so."""
    data = bytes_of(text(token))
    body = data[:at] + new + data[at + len(new) : BODY_BYTES]
    return signed(body, code=data[SIGNED_BYTES:])


@pytest.mark.parametrize("token", KINDS, ids=IDS)
def test_each_kind_of_pass_is_taken_as_it_was_issued(token: Token) -> None:
    assert taken(text(token)) == token


def test_a_pass_has_one_length_and_a_rotating_one_six_letters_more() -> None:
    lengths = {name: len(text(token)) for name, token in zip(IDS, KINDS, strict=True)}
    assert lengths == {"static": 160, "rotating": 166, "visitor": 160, "once": 160}
    assert all(length <= MAX_TEXT_BYTES for length in lengths.values())


def test_the_code_is_appended_to_a_text_that_stays_as_it_is() -> None:
    """The page of the phone appends it, so it must join between two groups of letters."""
    assert text(showing(resident())).startswith(text(resident()))


def test_a_rotating_pass_without_its_code_is_no_pass() -> None:
    assert refusal(text(resident())) is NoPass.NOT_ONE


def test_the_same_pass_has_the_same_text() -> None:
    assert text(static()) == text(static(signing_key(1)))


SECONDS = st.integers(0, 2**32 - 1)


@st.composite
def tokens(draw: st.DrawFn) -> Token:
    """Any pass that can be issued."""
    begins = draw(st.integers(0, 2**32 - 2))
    ends = draw(st.integers(begins + 1, min(2**32 - 1, begins + int(LONGEST.total_seconds()))))
    uses = draw(st.one_of(st.just(0), st.integers(0, 2**16 - 1)))
    rotates = not uses and draw(st.booleans())
    return Token(
        key_id=KEY.key_id,
        holder=PersonId(draw(st.text(LETTERS, min_size=HOLDER_LETTERS, max_size=HOLDER_LETTERS))),
        number=number(draw(st.integers(0, 2**64 - 1))),
        audience=draw(st.sampled_from((DOOR, GROUP))),
        not_before=datetime.fromtimestamp(begins, UTC),
        not_after=datetime.fromtimestamp(ends, UTC),
        uses=uses,
        rotates=rotates,
        needs_pin=draw(st.booleans()),
        one_door=bool(uses) or draw(st.booleans()),
        code=draw(st.integers(0, 10**8 - 1)) if rotates else None,
    )


@settings(max_examples=300)
@given(tokens())
def test_every_field_comes_back_as_it_was_issued(token: Token) -> None:
    assert taken(text(token)) == token


@pytest.mark.requirement("A7", "T14")
@pytest.mark.parametrize("token", KINDS, ids=IDS)
def test_every_single_flipped_bit_of_what_is_signed_is_refused(token: Token) -> None:
    data = bytes_of(text(token))
    for bit in range(SIGNED_BYTES * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 0x80 >> bit % 8
        refusal(text_of(bytes(flipped)))


@pytest.mark.requirement("T14")
def test_every_flipped_bit_of_the_code_is_another_code_or_refused() -> None:
    token = showing(resident())
    data = bytes_of(text(token))
    for bit in range(32):
        code = int.from_bytes(data[SIGNED_BYTES:], "big") ^ 1 << bit
        flipped = text_of(data[:SIGNED_BYTES] + code.to_bytes(4, "big"))
        if code < 10**8:
            assert taken(flipped) == replace(token, code=code)
        else:
            assert refusal(flipped) is NoPass.NOT_ONE


@pytest.mark.requirement("A7", "T14")
@pytest.mark.parametrize("token", KINDS, ids=IDS)
def test_every_flipped_bit_and_every_missing_letter_of_the_text_is_refused(token: Token) -> None:
    raw = text(token)
    signed_letters = 160
    for at in range(signed_letters):
        refusal(raw[:at] + raw[at + 1 :])
        for bit in range(8):
            refusal(raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :])


@pytest.mark.requirement("R44")
@pytest.mark.parametrize("token", each_kind(FOREIGN_KEY), ids=IDS)
def test_a_pass_of_another_site_is_refused(token: Token) -> None:
    assert refusal(text(token, FOREIGN_KEY)) is NoPass.UNKNOWN_KEY


@pytest.mark.requirement("R44", "T14")
@pytest.mark.parametrize("token", KINDS, ids=IDS)
def test_a_pass_that_names_our_key_and_is_signed_with_another_is_refused(token: Token) -> None:
    data = bytes_of(text(token))
    forged = signed(data[:BODY_BYTES], FOREIGN_KEY, data[SIGNED_BYTES:])
    assert refusal(forged) is NoPass.NOT_SIGNED


@pytest.mark.requirement("R44")
def test_a_signature_without_our_label_is_none() -> None:
    """What the same key signs for another purpose is no pass."""
    body = bytes_of(text(static()))[:BODY_BYTES]
    assert refusal(text_of(body + KEY.sign(body))) is NoPass.NOT_SIGNED


@pytest.mark.requirement("R44")
def test_a_key_that_was_changed_ends_at_the_very_second() -> None:
    raw = text(static(OLD_KEY), OLD_KEY)
    before = KEY_CHANGED - timedelta(microseconds=1)
    assert taken(raw, before) == static(OLD_KEY)
    assert refusal(raw, KEY_CHANGED) is NoPass.RETIRED_KEY
    assert refusal(raw, KEY_CHANGED + timedelta(days=1000)) is NoPass.RETIRED_KEY


@pytest.mark.requirement("R44", "A10")
@pytest.mark.parametrize(
    "audience", [ELSEWHERE, audience_of_group("guests"), bytes(8), b"\xff" * 8]
)
def test_a_pass_for_another_door_is_refused(audience: bytes) -> None:
    assert refusal(text(replace(static(), audience=audience))) is NoPass.OTHER_DOOR


def test_a_door_and_a_group_of_the_same_name_are_two_audiences() -> None:
    assert audience_of_door("a") != audience_of_group("a") != audience_of_group("b")
    assert len(audience_of_door("")) == len(audience_of_group("一号楼" * 100)) == 8


@pytest.mark.requirement("A10", "T17")
@pytest.mark.parametrize("uses", [1, 2, 65535])
def test_a_pass_that_counts_is_for_one_door(uses: int) -> None:
    with pytest.raises(ValueError, match="can't say"):
        replace(once(), uses=uses, one_door=False)
    flags = bytes_of(text(once()))[1]
    assert refusal(changed(replace(once(), uses=uses), 1, bytes([flags & ~4]))) is NoPass.NOT_ONE


@pytest.mark.requirement("A7")
@pytest.mark.parametrize("version", [0, 2, 3, 0x81, 255])
def test_another_version_is_refused_even_under_our_signature(version: int) -> None:
    assert refusal(changed(static(), 0, bytes([version]))) is NoPass.NOT_ONE


@pytest.mark.requirement("A7")
@pytest.mark.parametrize("flag", [8, 16, 32, 64, 128])
@pytest.mark.parametrize("token", KINDS, ids=IDS)
def test_a_flag_that_means_nothing_is_refused_even_under_our_signature(
    token: Token, flag: int
) -> None:
    flags = bytes_of(text(token))[1]
    assert refusal(changed(token, 1, bytes([flags | flag]))) is NoPass.NOT_ONE


@pytest.mark.requirement("A7")
@pytest.mark.parametrize(
    ("at", "new"),
    [
        (6, b"\xff" * 8),  # no person has such a number
        (6, struct.pack(">Q", 19**12)),
        (30, struct.pack(">II", 1000, 1000)),  # it ends when it begins
        (30, struct.pack(">II", 1001, 1000)),
        (30, struct.pack(">II", 0, 2**32 - 1)),  # a hundred years
        (38, struct.pack(">H", 1)),  # it counts, and is for a group
    ],
)
def test_what_no_pass_says_is_refused_even_under_our_signature(at: int, new: bytes) -> None:
    assert refusal(changed(static(), at, new)) is NoPass.NOT_ONE


@pytest.mark.parametrize(
    "change",
    [
        {"not_after": NOW - timedelta(days=800)},
        {"not_after": NOW + timedelta(days=4000)},
        {"not_before": NOW.replace(tzinfo=None), "not_after": NOW.replace(tzinfo=None) + LONGEST},
        {"not_after": NOW.astimezone(timezone(timedelta(hours=8))) + timedelta(days=1)},
        {"uses": -1, "one_door": True},
        {"uses": 65536, "one_door": True},
        {"audience": b""},
        {"audience": bytes(9)},
        {"code": 1},
        {"rotates": True, "code": 10**8},
        {"rotates": True, "code": -1},
        {"rotates": True, "uses": 1, "one_door": True},
        {"number": PassId("1")},
        {"number": PassId("1" * 18)},
        {"number": PassId("00112233 4455667")},
        {"number": PassId("00112233445566AA")},
        {"key_id": "0011223"},
        {"key_id": "0011223G"},
    ],
)
def test_what_no_pass_can_say_is_not_even_made(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="can't say"):
        replace(static(), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"holder": PersonId("bcdfghjkmnp")}, "identifier"),
        ({"holder": PersonId("bcdfghjkmnpa")}, "identifier"),
        ({"holder": PersonId("BCDFGHJKMNPQ")}, "identifier"),
        ({"key_id": "00112233"}, "key that it names"),
        ({"not_before": NOW.replace(microsecond=1)}, "whole seconds"),
        (
            {"not_before": datetime(1969, 12, 31, tzinfo=UTC), "not_after": NOW.replace(1970)},
            "1970",
        ),
        ({"not_before": datetime(2105, 1, 1, tzinfo=UTC), "not_after": NOW.replace(2107)}, "2106"),
    ],
)
def test_what_does_not_fit_into_a_pass_is_not_issued(change: dict[str, object], why: str) -> None:
    token = replace(static(), **change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=why):
        encode(token, KEY)


GOOD = text(visitor())


@pytest.mark.requirement("A7", "T14", "T16")
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"FT1:",
        b"FT1",
        b"FT2:" + GOOD[4:],
        GOOD.lower(),
        GOOD + b"\n",
        GOOD + b"\r\n",
        b" " + GOOD,
        b"\xef\xbb\xbf" + GOOD,
        GOOD + b"\0",
        b"\0" + GOOD,
        GOOD[:50] + b"\0" + GOOD[51:],
        GOOD + GOOD,
        GOOD + b"000",
        GOOD + b"000000",
        GOOD[:-3],
        b"FT1:" + b"0" * 156,
        b"FT1:" + b":" * 156,
        b"FT1:" + b"0" * 252,
        b"FT1:" + b"0" * 253,
        b"FT1:" + b"0" * 2953,
        b"A" * 257,
        b"\xff" * 256,
        b"FT1:" + "\u202e".encode() + GOOD[7:],
        "\u202e\u2066FT1:\u0645\u0631\u062d\u0628\u0627".encode(),
        b"FT1:'; DROP TABLE pass; --",
        b"FT1:$(reboot)",
        b"https://example.org/?FT1:" + GOOD[4:],
    ],
)
def test_anything_else_is_no_pass(raw: bytes) -> None:
    assert refusal(raw) is NoPass.NOT_ONE


@pytest.mark.requirement("A7")
def test_what_is_longer_than_a_pass_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []

    def noting(text: bytes) -> bytes:
        decoded.append(len(text))
        raise ValueError

    monkeypatch.setattr(base45, "decode", noting)
    at_most = b"FT1:" + b"0" * (MAX_TEXT_BYTES - 4)
    for raw in (at_most, at_most + b"0", at_most * 1000):
        assert refusal(raw) is NoPass.NOT_ONE
    assert decoded == [MAX_TEXT_BYTES - 4]


@pytest.mark.requirement("A7")
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=260).map(lambda rest: b"FT1:" + rest)))
def test_no_bytes_raise_anything_but_a_refusal(raw: bytes) -> None:
    refusal(raw)


@pytest.mark.requirement("A7")
@given(st.binary(min_size=SIGNED_BYTES, max_size=SIGNED_BYTES + 4), st.integers(0, 7))
def test_no_well_written_bytes_raise_anything_but_a_refusal(data: bytes, flags: int) -> None:
    head = bytes([1, flags]) + bytes.fromhex(KEY.key_id)
    refusal(text_of(head + data[6:]))


@pytest.mark.requirement("A7")
def test_no_key_is_looked_up_for_what_breaks_the_grammar() -> None:
    keyring = NotingKeyring(KEYRING)
    code_too_big = bytes_of(text(resident())) + struct.pack(">I", 10**8)
    for raw in (
        b"FT1:" + b"0" * 156,
        GOOD.lower(),
        changed(static(), 1, b"\x80"),
        text(resident()),
        text_of(code_too_big),
        text_of(bytes_of(GOOD) + bytes(4)),
    ):
        with pytest.raises(PassRefused, match="not written"):
            check(raw, keyring, HERE, NOW)
    assert not keyring.asked


@pytest.mark.requirement("A7")
def test_one_key_is_looked_up_the_one_that_is_named() -> None:
    keyring = NotingKeyring(KEYRING)
    check(GOOD, keyring, HERE, NOW)
    with pytest.raises(PassRefused):
        check(text(static(FOREIGN_KEY), FOREIGN_KEY), keyring, HERE, NOW)
    assert keyring.asked == [KEY.key_id, FOREIGN_KEY.key_id]


@pytest.mark.requirement("A7")
@pytest.mark.parametrize(
    "token", [replace(static(OLD_KEY), audience=ELSEWHERE), replace(once(OLD_KEY), audience=DOOR)]
)
def test_nothing_but_the_signature_is_said_of_what_is_not_signed(token: Token) -> None:
    """Neither a key's age nor a door's name can be asked for with a forged pass."""
    data = bytearray(bytes_of(text(token, OLD_KEY)))
    data[-1] ^= 1
    assert refusal(text_of(bytes(data)), KEY_CHANGED) is NoPass.NOT_SIGNED


def test_the_age_of_the_key_is_said_before_the_door() -> None:
    token = replace(static(OLD_KEY), audience=ELSEWHERE)
    assert refusal(text(token, OLD_KEY), KEY_CHANGED) is NoPass.RETIRED_KEY


@pytest.mark.requirement("A7")
@given(st.binary(min_size=1, max_size=200))
def test_a_refusal_says_nothing_of_what_was_read(raw: bytes) -> None:
    with pytest.raises(PassRefused) as caught:
        taken(raw)
    assert str(caught.value) in {f"The pass was refused: {why.value}." for why in NoPass}


def test_what_a_refusal_comes_from_says_nothing_of_the_input_either() -> None:
    for raw in (b"FT1:~~~", b"FT1:" + b":" * 156, changed(static(), 6, b"\xff" * 8)):
        with pytest.raises(PassRefused) as caught:
            taken(raw)
        told = f"{caught.value!r} {caught.value.__cause__!r}"
        assert not any(part in told for part in ("~", ":::", "255", HOLDER_LETTERS * "x"))


def test_a_token_can_be_printed_and_holds_no_secret() -> None:
    token = showing(resident())
    assert token.holder in repr(token)
    assert code_secret(token).hex() not in repr(token)
    assert repr(code_secret(token)) not in repr(token)


@pytest.mark.requirement("R44", "T17")
def test_the_secret_of_a_code_belongs_to_one_pass_of_one_person() -> None:
    other_person = replace(resident(), holder=PersonId("zxwvtsrqpnmk"))
    other_pass = replace(resident(), number=number(77))
    secrets = {code_secret(one) for one in (resident(), other_person, other_pass)}
    assert len(secrets) == 3
    assert all(len(secret) == 32 for secret in secrets)


@pytest.mark.requirement("T14")
def test_two_passes_cut_and_joined_are_no_pass() -> None:
    rng = random.Random(14)
    texts = [text(token) for token in KINDS]
    for _ in range(2000):
        one, other = rng.sample(texts, 2)
        cut = rng.randrange(1, 160)
        if one[:cut] != other[:cut] and one[cut:160] != other[cut:160]:
            refusal(one[:cut] + other[cut:])
