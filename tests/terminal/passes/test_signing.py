"""What this terminal signed is told from everything else, in the one form that a signature has."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from terminal.memory import LockedBuffer
from terminal.signing import SigningKey, key_id_of, public_of, verify
from tests.terminal.given_passes import FOREIGN_KEY, KEY, secret_bytes, signing_key
from tests.terminal.passes.curve import ORDER, every_encoding, small_order_points

VECTORS = [  # RFC 8032, 7.1: secret, public, message, signature
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e"
        "39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f"
        "3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67"
        "f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
MESSAGE = b"what is signed"
SIGNATURE = KEY.sign(MESSAGE)


@pytest.mark.requirement("T42")
@pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS)
def test_the_vectors_of_the_standard_hold(
    secret: str, public: str, message: str, signature: str
) -> None:
    with LockedBuffer(32) as held:
        held.view[:] = bytes.fromhex(secret)
        assert public_of(held).hex() == public
        assert SigningKey(held).sign(bytes.fromhex(message)).hex() == signature
    assert verify(bytes.fromhex(public), bytes.fromhex(signature), bytes.fromhex(message))


@pytest.mark.requirement("T42")
def test_a_signature_with_any_bit_flipped_does_not_hold() -> None:
    assert verify(KEY.public, SIGNATURE, MESSAGE)
    for bit in range(512):
        flipped = (int.from_bytes(SIGNATURE, "big") ^ 1 << bit).to_bytes(64, "big")
        assert not verify(KEY.public, flipped, MESSAGE)


@pytest.mark.requirement("T42")
def test_a_public_key_with_any_bit_flipped_takes_nothing() -> None:
    for bit in range(256):
        flipped = (int.from_bytes(KEY.public, "big") ^ 1 << bit).to_bytes(32, "big")
        assert not verify(flipped, SIGNATURE, MESSAGE)


@pytest.mark.requirement("T42")
@given(st.binary(max_size=40))
def test_another_message_does_not_hold(message: bytes) -> None:
    assert verify(KEY.public, SIGNATURE, message) == (message == MESSAGE)


@pytest.mark.requirement("T42")
@pytest.mark.parametrize("times", range(1, 16))
def test_a_signature_in_another_than_its_one_form_does_not_hold(times: int) -> None:
    """S + L is congruent to S (RFC 8032, 5.1.7 and 8.4): a second text of the same pass."""
    number = int.from_bytes(SIGNATURE[32:], "little") + times * ORDER
    if number < 2**256:
        other = SIGNATURE[:32] + number.to_bytes(32, "little")
        assert not verify(KEY.public, other, MESSAGE)
    else:
        assert times > 14


def test_there_are_eight_points_of_small_order() -> None:
    assert len(small_order_points()) == 8


@pytest.mark.requirement("T42")
@pytest.mark.parametrize(
    "public", sorted({one for point in small_order_points() for one in every_encoding(point)})
)
def test_a_key_of_small_order_takes_no_signature_in_any_encoding(public: bytes) -> None:
    forgeries = [
        ending + bytes(32) for point in small_order_points() for ending in every_encoding(point)
    ]
    messages = [bytes([number]) for number in range(8)]
    assert not any(verify(public, forged, message) for forged in forgeries for message in messages)


def test_without_that_care_a_forgery_would_hold() -> None:
    """The library alone takes what anybody can make; if it ever refuses, this may go."""
    neutral = bytes([1]) + bytes(31)
    Ed25519PublicKey.from_public_bytes(neutral).verify(neutral + bytes(32), b"any message at all")
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(neutral).verify(bytes([2]) + bytes(63), b"any")


@pytest.mark.requirement("T42", "T14")
@given(st.binary(max_size=70), st.binary(max_size=140), st.binary(max_size=20))
def test_whatever_is_no_key_and_no_signature_is_refused_and_raises_nothing(
    public: bytes, signature: bytes, message: bytes
) -> None:
    assert not verify(public, signature, message)
    assert not verify(KEY.public, signature, message)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_public_key_of_another_length_takes_nothing(length: int) -> None:
    assert not verify((KEY.public * 2)[:length], SIGNATURE, MESSAGE)


@pytest.mark.parametrize("length", [0, 32, 63, 65, 128])
def test_a_signature_of_another_length_does_not_hold(length: int) -> None:
    assert not verify(KEY.public, (SIGNATURE * 2)[:length], MESSAGE)


def test_another_key_does_not_take_it() -> None:
    assert not verify(FOREIGN_KEY.public, SIGNATURE, MESSAGE)


def test_the_same_message_has_the_same_signature() -> None:
    assert signing_key(1).sign(MESSAGE) == SIGNATURE


@pytest.mark.parametrize("length", [1, 16, 31, 33, 64])
def test_a_secret_of_another_length_makes_no_key(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SigningKey(LockedBuffer(length))


def test_a_key_is_named_by_the_beginning_of_its_hash_and_shows_nothing_else() -> None:
    assert KEY.key_id == key_id_of(KEY.public)
    assert repr(KEY) == f"SigningKey({KEY.key_id})"
    with secret_bytes(1) as secret:
        assert bytes(secret.view).hex() not in repr(KEY)
