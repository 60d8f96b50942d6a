"""Typed digits stand in one place, for one entry, and are overwritten."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from terminal.pinpad import MAX_DIGITS, PinPad


@pytest.fixture
def pad() -> Iterator[PinPad]:
    made = PinPad()
    yield made
    made.close()


def kept(pad: PinPad) -> bytes:
    """All of its memory."""
    return bytes(vars(pad)["_memory"].view)


@pytest.mark.parametrize("digits", [b"1", b"4821", b"48210000", b"482100009"])
def test_what_was_typed_is_there_until_it_is_wiped(pad: PinPad, digits: bytes) -> None:
    assert pad.take(digits)
    assert bytes(pad.digits) == digits
    pad.wipe()
    assert bytes(pad.digits) == b""
    assert not any(kept(pad))


@pytest.mark.parametrize(
    "typed",
    [
        b"",
        b"4821000099",
        b"48a1",
        b"-482",
        b"4 82",
        b"48\n",
        b"\x00" * 4,
        "٤٨٢١".encode(),
        b"4" * 10_000,
    ],
)
def test_what_can_be_no_pin_is_refused_and_the_entry_before_it_is_gone(
    pad: PinPad, typed: bytes
) -> None:
    pad.take(b"4821")
    assert not pad.take(typed)
    assert bytes(pad.digits) == b""
    assert not any(kept(pad))


def test_a_shorter_entry_leaves_nothing_of_the_longer_one_before_it(pad: PinPad) -> None:
    pad.take(b"482100009")
    pad.take(b"55")
    assert kept(pad)[:MAX_DIGITS] == b"55" + bytes(MAX_DIGITS - 2)


def test_closing_overwrites(pad: PinPad) -> None:
    pad.take(b"4821")
    pad.close()
    with pytest.raises((ValueError, TypeError, IndexError)):
        bytes(pad.digits)[0]
