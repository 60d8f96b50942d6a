"""Bytes in the letters that a QR code packs best, and back: base45 (RFC 9285).

Decoding takes the one form in which something is written and no other: no small letters, no group
that stands for more than its bytes can be. So a pass has one text, and a text one pass.

What changes with this file: the text of every pass.
"""

from __future__ import annotations

import struct
from typing import Final

ALPHABET: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_NO_LETTER: Final = 255
_VALUE_OF: Final = bytes(
    ALPHABET.index(letter) if letter in ALPHABET else _NO_LETTER for letter in range(256)
)
_LETTER_OF: Final = ALPHABET.ljust(256)


def encode(data: bytes) -> bytes:
    """Two bytes as three letters; a last one alone as two. The lowest letter comes first."""
    letters = bytearray()
    for at in range(0, len(data) - 1, 2):
        number = data[at] << 8 | data[at + 1]
        letters += bytes((number % 45, number // 45 % 45, number // 2025))
    if len(data) % 2:
        letters += bytes((data[-1] % 45, data[-1] // 45))
    return bytes(letters.translate(_LETTER_OF))


def decode(text: bytes) -> bytes:
    """The bytes of this text. Raises ValueError where it is not the text of any bytes."""
    if len(text) % 3 == 1:
        raise ValueError("a length that no base45 text has")
    values = text.translate(_VALUE_OF)
    if _NO_LETTER in values:
        raise ValueError("a letter that base45 has not")
    whole = len(values) - len(values) % 3
    pairs = [values[at] + values[at + 1] * 45 + values[at + 2] * 2025 for at in range(0, whole, 3)]
    last = [values[-2] + values[-1] * 45] if whole < len(values) else []
    if any(pair > 0xFFFF for pair in pairs) or any(byte > 0xFF for byte in last):
        raise ValueError("a group that stands for no bytes")
    return struct.pack(f">{len(pairs)}H", *pairs) + bytes(last)
