"""Which identifier of a contactless card is the card's own, and which is none at all.

Pure: the caller brings the answer to reset and a way to ask the card. An identifier that the card
makes up anew at every presentation, or that every card of a kind shares, stands for nobody, so it
is refused with a sentence. Everything that is accepted here can be copied: it is weak. From
China's resident ID card nothing is ever read but its chip's serial: no command of this module
selects or reads a file (R45). Sources: ISO/IEC 14443-3 (identifiers of types A and B), PC/SC part
3, 3.1.3.2.3 (answers to reset of contactless cards) and 3.2.2.1.3 (the command for the UID). What
changes with this file: every card that was bound through a PC/SC reader.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

Ask = Callable[[bytes], bytes]
"""Sends one command and gives the answer with its two status bytes; raises OSError."""

GET_UID = bytes.fromhex("FFCA000000")
"""Answered by the reader, not by the card."""

GET_CHIP_SERIAL = bytes.fromhex("0036000008")
"""Answered by a resident ID card with its chip's serial: 8 bytes."""

_OK = b"\x90\x00"
_WRONG_LENGTH = 0x6C
_SERIAL_BYTES = 8
_LENGTHS = frozenset({4, 7, 8, 10})
_ONLY_TYPE_A = frozenset({7, 10})
"""Type A has 4, 7 or 10 bytes, type B 4, ISO 15693 and FeliCa 8."""

_RANDOM_A = 0x08
"""ISO/IEC 14443-3, 6.5.4: a single-size UID beginning so is made up at every activation."""

_RANDOM_FELICA = bytes.fromhex("01FE")
"""An NFCID2 of the NFC-DEP protocol begins so; the rest is made up (NFC Forum, Digital)."""

_DESFIRE = bytes.fromhex("3B81800180")
"""Such a card has a UID of 7 bytes, or a made-up one of 4, whatever that begins with."""


class Refusal(Enum):
    """Why a card was refused, as a sentence's end."""

    RANDOM = "it gives another identifier each time; use a card with one of its own"
    BLANK = "its identifier is blank; use another card"
    SILENT = "the reader gives no identifier of it; use another card, or another reader"
    ODD = "its identifier has a length that no card has; use another card"
    SERIAL = "this reader can't ask a type B card for its serial; use another card or reader"


class CardRefusedError(Exception):
    """The card is no credential here; nothing of what was read is in the message."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why.value)
        self.why = why


def identify(atr: bytes, ask: Ask) -> bytes:
    """The card's identifier in capital hexadecimal digits. Raises CardRefusedError, OSError.

    A card that may be of type B is asked for its chip's serial: its identifier on the air is made
    up (a PUPI of 4 bytes), and the reader would hand on just that. A longer one tells a type A
    card that merely looks like the other.
    """
    if not may_be_type_b(atr):
        return _hex(own_uid(atr, _answer(ask, GET_UID)))
    serial = _answer(ask, GET_CHIP_SERIAL)
    uid = None if serial else _answer(ask, GET_UID)
    if uid is not None and len(uid) in _ONLY_TYPE_A:
        return _hex(own_uid(atr, uid))
    return _hex(chip_serial(serial))


def may_be_type_b(atr: bytes) -> bool:
    """Whether an answer to reset has the shape of a type B card's.

    Eight historical bytes: the application's four and the protocol's three of the ATQB, then the
    buffer's length in the upper half of a byte. A type A card can happen to look like that.
    """
    return len(atr) == 13 and atr[:4] == b"\x3b\x88\x80\x01" and atr[11] & 0x0F == 0


def own_uid(atr: bytes, uid: bytes | None) -> bytes:
    """The UID if it is the card's own. Raises CardRefusedError."""
    if uid is None:
        raise CardRefusedError(Refusal.SILENT)
    if _is_blank(uid):
        raise CardRefusedError(Refusal.BLANK)
    if len(uid) not in _LENGTHS:
        raise CardRefusedError(Refusal.ODD)
    if len(uid) == 4 and (uid[0] == _RANDOM_A or atr.startswith(_DESFIRE)):
        raise CardRefusedError(Refusal.RANDOM)
    if len(uid) == 8 and uid.startswith(_RANDOM_FELICA):
        raise CardRefusedError(Refusal.RANDOM)
    return uid


def chip_serial(serial: bytes | None) -> bytes:
    """The serial if it is one. Raises CardRefusedError."""
    if serial is None or len(serial) != _SERIAL_BYTES:
        raise CardRefusedError(Refusal.SERIAL)
    if _is_blank(serial):
        raise CardRefusedError(Refusal.BLANK)
    return serial


def _answer(ask: Ask, command: bytes) -> bytes | None:
    """The answer's data, None when it was refused; asked once more with the length it names."""
    answer = ask(command)
    if len(answer) == 2 and answer[0] == _WRONG_LENGTH:
        answer = ask(command[:-1] + answer[1:])
    return answer[:-2] if answer.endswith(_OK) else None


def _is_blank(identifier: bytes) -> bool:
    return not identifier.strip(b"\0") or not identifier.strip(b"\xff")


def _hex(identifier: bytes) -> bytes:
    return identifier.hex().upper().encode("ascii")
