"""Bytes in the letters that a QR code packs best, and back: base45 (RFC 9285).

Decoding takes the one form in which something is written and no other: no small letters, no group
that stands for more than its bytes can be. So a pass has one text, and a text one pass.

What changes with this file: the text of every pass.
"""

from __future__ import annotations

from typing import Final

ALPHABET: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUE_OF: Final = {letter: value for value, letter in enumerate(ALPHABET)}
_BASE: Final = 45


def encode(data: bytes) -> bytes:
    """Two bytes as three letters; a last one alone as two."""
    letters = bytearray()
    for at in range(0, len(data) - 1, 2):
        letters += _letters(data[at] * 256 + data[at + 1], 3)
    if len(data) % 2:
        letters += _letters(data[-1], 2)
    return bytes(letters)


def decode(text: bytes) -> bytes:
    """The bytes of this text. Raises ValueError where it is not the text of any bytes."""
    if len(text) % 3 == 1:
        raise ValueError("a length that no base45 text has")
    data = bytearray()
    for at in range(0, len(text), 3):
        group = text[at : at + 3]
        data += _number(group).to_bytes(2 if len(group) == 3 else 1, "big")
    return bytes(data)


def _letters(number: int, count: int) -> bytes:
    letters = bytearray()
    for _ in range(count):
        number, value = divmod(number, _BASE)
        letters.append(ALPHABET[value])
    return bytes(letters)


def _number(group: bytes) -> int:
    """The number that these letters are. Raises ValueError for more than its bytes can be."""
    number = 0
    for letter in reversed(group):
        value = _VALUE_OF.get(letter)
        if value is None:
            raise ValueError("a letter that base45 has not")
        number = number * _BASE + value
    if number >= 256 ** (2 if len(group) == 3 else 1):
        raise ValueError("a group that stands for no bytes")
    return number
