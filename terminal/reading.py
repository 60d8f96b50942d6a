"""From the bytes of one read to the hash that stands for the card, or a refusal.

A reader is hostile input: a keyboard can be plugged in where it hung. So the grammar is narrow:
after one line ending is taken off, 4 to 32 of the ASCII letters, digits and hyphens, nothing else.
Letters are made capital, since readers print the same hexadecimal number in either case; that is
the only thing in which two reads may differ and yet be the same card.

A number of a Chinese resident identity card is recognised by its check digit and refused before
anything is made of it (R45): a door has no business with it, not even hashed. One in eleven
other 18-digit numbers is refused with it. What was read is never kept, logged or put into a
message; only its keyed hash goes on.

What changes with this file: every card that was bound; the readers in `hw`.
"""

from __future__ import annotations

import re
from enum import Enum

from terminal.core.values import CardId
from terminal.errors import TerminalError
from terminal.sealing import Keys

MAX_BYTES = 64
MIN_CHARACTERS = 4
MAX_CHARACTERS = 32

_CARD = re.compile(rb"[0-9A-Za-z-]{%d,%d}" % (MIN_CHARACTERS, MAX_CHARACTERS))
_RESIDENT = re.compile(rb"[0-9]{17}[0-9X]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999, 4.2
_CHECK_DIGITS = b"10X98765432"


class Unreadable(Enum):
    """Why a read is no card."""

    EMPTY = "nothing was read"
    TOO_LONG = "more was read than a card holds"
    NOT_A_CARD = "what was read is no card number"
    RESIDENT_NUMBER = "this is a resident identity number, which is never used here"


class ReadingRefused(TerminalError):  # noqa: N818 - says what follows
    """A read is no card; `why` says it, and nothing of what was read is in here."""

    def __init__(self, why: Unreadable) -> None:
        super().__init__(f"The card was refused: {why.value}.")
        self.why = why


def read_card(raw: bytes, keys: Keys, *, is_authenticated: bool = False) -> CardId:
    """The card that reads as `raw` (any bytes). Raises ReadingRefused.

    A card that has proved a key is another card than one of the same number that has not: whoever
    copies the number has a card that is not known.
    """
    plain = plain_card(raw)
    return keys.card_id(b"authenticated " + plain if is_authenticated else plain)


def plain_card(raw: bytes) -> bytes:
    """The one way in which this card's number is written. Raises ReadingRefused.

    Only for what is hashed at once, or typed by an operator: no plain number is ever kept.
    """
    if len(raw) > MAX_BYTES:
        raise ReadingRefused(Unreadable.TOO_LONG)
    text = _without_ending(raw)
    if not text:
        raise ReadingRefused(Unreadable.EMPTY)
    if not _CARD.fullmatch(text):
        raise ReadingRefused(Unreadable.NOT_A_CARD)
    plain = text.upper()
    if is_resident_number(plain.replace(b"-", b"")):
        raise ReadingRefused(Unreadable.RESIDENT_NUMBER)
    return plain


def _without_ending(raw: bytes) -> bytes:
    for ending in (b"\r\n", b"\n", b"\r"):
        if raw.endswith(ending):
            return raw[: -len(ending)]
    return raw


def is_resident_number(text: bytes) -> bool:
    """Whether these are 17 digits and the check digit that belongs to them (GB 11643)."""
    if not _RESIDENT.fullmatch(text):
        return False
    total = sum(weight * (digit - 0x30) for weight, digit in zip(_WEIGHTS, text, strict=False))
    return text[17] == _CHECK_DIGITS[total % 11]
