"""Payloads near to passes and cards: broken, cut and joined, forged, or nothing of the kind.

The same seed makes the same payloads, so that a finding can be made again. A forger is taken to
know everything but the private keys: the layout, the key ids, passes that he has seen, and he has
a key of his own.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from terminal.passes import base45
from terminal.passes.token import PublicKey, Token
from tests.terminal.given_passes import (
    ELSEWHERE,
    FOREIGN_KEY,
    HERE,
    KEY,
    KEYRING,
    NOW,
    OLD_KEY,
    code_secret,
    each_kind,
    resident,
    showing,
    signing_key,
    static,
    text,
)

RETIRED_KEY = signing_key(4)
RING = {**KEYRING, RETIRED_KEY.key_id: PublicKey(RETIRED_KEY.public, NOW - timedelta(days=1))}

_LATER = showing(resident(), NOW + timedelta(minutes=10))
_ISSUED = (*((token, KEY) for token in (*each_kind(), _LATER)), (static(OLD_KEY), OLD_KEY))
ISSUED = {text(token, key)[:160]: replace(token, code=None) for token, key in _ISSUED}
"""What this terminal did issue, by the signed part of its text."""

_NEVER = (
    *((token, FOREIGN_KEY) for token in each_kind(FOREIGN_KEY)),
    *((token, RETIRED_KEY) for token in each_kind(RETIRED_KEY)),
    *((replace(token, audience=ELSEWHERE), KEY) for token in each_kind()),
)
SEEDS = tuple(text(token, key) for token, key in (*_ISSUED, *_NEVER))
"""Texts of whole passes; some of another site, of a key that has ended, for another door."""

SECRET = code_secret(resident())
CARDS = (
    b"0001234567\r\n",
    b"04A2B3C4D5E680",
    b"12-345-678\r",
    b"11010519491231002X",
    b"e0040150\n",
)
_SIGNED_BYTES = 104
_LABEL = b"face-optional-terminal/1/pass\0"
_ORDER = 2**252 + 27742317777372353535851937790883648493
_ODD = (b"\0", b"'", b"\n", b"\r\n", b" ", b":", b"%00", b"\xff", b"\xe2\x80\xae", b"FT1:", b"--")
_EDGES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31, 2**32 - 1, 2**63, 2**64 - 1)


def payload(rng: random.Random) -> bytes:
    """One payload; what kind it is, is drawn too."""
    make: Callable[[random.Random], bytes]
    (make,) = rng.choices(
        (_bytes_changed, _text_changed, _joined, _forged, _random_text, _card, _unchanged),
        (35, 20, 12, 15, 10, 7, 1),
    )
    return make(rng)


def _text_of(data: bytes) -> bytes:
    return b"FT1:" + base45.encode(data)


def _data(rng: random.Random) -> bytearray:
    return bytearray(_DATA[rng.randrange(len(_DATA))])


_DATA = tuple(base45.decode(seed[4:]) for seed in SEEDS)


def _bytes_changed(rng: random.Random) -> bytes:
    """A whole pass in which a few bits, bytes or numbers are others; mostly still well written."""
    data = _data(rng)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(data))
        match rng.randrange(5):
            case 0 | 1:
                data[at] ^= 1 << rng.randrange(8)
            case 2:
                data[at] = rng.randrange(256)
            case 3:
                width = rng.choice((1, 2, 4, 8))
                edge = struct.pack(">Q", rng.choice(_EDGES))[-width:]
                data[at : at + width] = edge[: len(data) - at]
            case _:
                data[2:6] = bytes.fromhex(rng.choice(tuple(RING)))
    return _text_of(bytes(data))


def _text_changed(rng: random.Random) -> bytes:
    """The letters of a pass with some other, missing, doubled, small or odd ones."""
    raw = bytearray(rng.choice(SEEDS))
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(raw) + 1)
        match rng.randrange(6):
            case 0:
                raw[at : at + 1] = bytes([rng.choice(base45.ALPHABET)])
            case 1:
                del raw[at : at + rng.choice((1, 2, 3, 6))]
            case 2:
                raw[at:at] = rng.choice(_ODD)
            case 3:
                raw[at:at] = raw[at : at + 3 * rng.randrange(1, 9)]
            case 4:
                raw[at : at + 9] = raw[at : at + 9].lower()
            case _:
                raw[at : at + 1] = bytes([rng.randrange(256)])
    return bytes(raw)


def _joined(rng: random.Random) -> bytes:
    """The beginning of one pass and the end of another, cut anywhere or between two fields."""
    one, other = _data(rng), _data(rng)
    cut = rng.choice((1, 2, 6, 14, 22, 30, 34, 38, 40, 72, 104, rng.randrange(1, 104)))
    return _text_of(bytes(one[:cut] + other[cut:]))


def _forged(rng: random.Random) -> bytes:
    """Any claims in the right form, under a signature that is not ours."""
    data = _data(rng)
    data[1] = rng.choice((0, 1, 2, 3, 4, 5, 6, 7, rng.randrange(256)))
    data[2:6] = bytes.fromhex(rng.choice(tuple(RING)))
    data[6:14] = struct.pack(">Q", rng.randrange(19**12))
    data[14:22] = rng.randbytes(8)
    data[22:30] = rng.choice(tuple(HERE))
    begins = rng.randrange(2**32 - 2)
    data[30:38] = struct.pack(">II", begins, min(2**32 - 1, begins + rng.randrange(1, 10**8)))
    data[38:40] = struct.pack(">H", rng.choice((0, 0, 1, 2, 65535)))
    data[40:104] = _signature(rng, bytes(data[:40]), bytes(data[40:104]))
    del data[_SIGNED_BYTES:]
    return _text_of(bytes(data) + (rng.randbytes(4) if data[1] & 1 else b""))


def _signature(rng: random.Random, body: bytes, seen: bytes) -> bytes:
    match rng.randrange(5):
        case 0:
            return FOREIGN_KEY.sign(_LABEL + body)
        case 1:
            return seen
        case 2:
            again = int.from_bytes(seen[32:], "little") + _ORDER
            return seen[:32] + again.to_bytes(32, "little")
        case 3:
            return bytes([1]) + bytes(63)
        case _:
            return rng.randbytes(64)


def _random_text(rng: random.Random) -> bytes:
    match rng.randrange(4):
        case 0:
            return rng.randbytes(rng.randrange(300))
        case 1:
            return b"FT1:" + rng.randbytes(rng.randrange(256))
        case 2:
            return b"FT1:" + bytes(rng.choices(base45.ALPHABET, k=rng.choice((156, 162, 161))))
        case _:
            return _text_of(rng.randbytes(rng.choice((103, 104, 105, 107, 108, 109))))


def _card(rng: random.Random) -> bytes:
    raw = bytearray(rng.choice(CARDS))
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(raw) + 1)
        raw[at : at + rng.randrange(2)] = rng.choice((*_ODD, b"-", b"0", b"a", b"X"))
    return bytes(raw)


def _unchanged(rng: random.Random) -> bytes:
    """A pass as it was issued, so that a run in which nothing is taken is seen to be broken."""
    return rng.choice(SEEDS)


def claims(raw: bytes) -> Token | None:
    """What was issued under this text, whatever code follows; None for anything else."""
    return ISSUED.get(raw[:160])
