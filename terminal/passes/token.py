"""What stands in a QR pass, and how one is told from anything else that a code can hold.

The text is `FT1:` and then base45 of, in this order, all numbers big-endian:

    version     1 byte    1
    flags       1 byte    1 it rotates, 2 it needs a PIN, 4 it is for one door; no other bits
    key         4 bytes   beginning of the SHA-256 of the public key that it is signed under
    holder      8 bytes   the person's identifier, its 12 letters as one number to the base 19
    number      8 bytes   random: the pass itself, for its being counted and revoked
    audience    8 bytes   beginning of the SHA-256 of the door, or of the group of doors
    not before  4 bytes   seconds since 1970 (UTC)
    not after   4 bytes   the same; it has ended at this second
    uses        2 bytes   how often it opens, 0 for as often as wanted
    signature  64 bytes   Ed25519 over a label and everything before
    code        4 bytes   only where it rotates, and not signed: the RFC 6238 code of the moment

There is one text for one pass. `check` goes from the outside in: all of the grammar, key,
signature, the key's age, audience; nothing else is looked up before the signature holds (A7).
Whether it is valid now, revoked or used up is not decided here but in the core.

What changes with this file: docs/passes.md, the script of the pass page, every pass out there.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from terminal.core.values import PASS_PREFIX, PassId, PersonId
from terminal.errors import TerminalError
from terminal.passes import base45
from terminal.signing import SIGNATURE_BYTES, SigningKey, verify

VERSION: Final = 1
MAX_TEXT_BYTES: Final = 256
LONGEST = timedelta(days=3660)
"""No pass is valid for longer than about ten years."""

LETTERS: Final = "bcdfghjkmnpqrstvwxz"
"""The letters of a person's identifier (`desk.new_identifier`)."""

HOLDER_LETTERS: Final = 12
AUDIENCE_BYTES: Final = 8

_BODY: Final = struct.Struct(">BB4sQ8s8sIIH")
_CODE: Final = struct.Struct(">I")
_LABEL: Final = b"face-optional-terminal/1/pass\0"

_ROTATES, _NEEDS_PIN, _ONE_DOOR = 1, 2, 4
_SIGNED_BYTES: Final = _BODY.size + SIGNATURE_BYTES
_CODES: Final = 10**8
_KEY_ID: Final = re.compile(r"[0-9a-f]{8}")
_NUMBER: Final = re.compile(r"[0-9a-f]{16}")


class NoPass(Enum):
    """Why something that was read is no pass for this door."""

    NOT_ONE = "it is not written as a pass is"
    UNKNOWN_KEY = "it was not issued here"
    RETIRED_KEY = "it was signed with a key that has ended"
    NOT_SIGNED = "its signature does not hold"
    OTHER_DOOR = "it is for another door"


class PassRefused(TerminalError):  # noqa: N818 - says what follows
    """What was read is no pass; `why` says it, and nothing of what was read is in here."""

    def __init__(self, why: NoPass) -> None:
        super().__init__(f"The pass was refused: {why.value}.")
        self.why = why


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that passes are accepted under, until `accept_until` where it has been replaced."""

    public: bytes
    accept_until: datetime | None = None


Keyring = Mapping[str, PublicKey]
"""Public keys by their key id (8 hex digits)."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a pass says. Times are UTC in whole seconds; `uses` 0: as often as wanted.

    `code` is the rotating code as it was shown, None where the pass has none, or none yet.
    Raises ValueError for what no pass can say.
    """

    key_id: str
    holder: PersonId
    number: PassId
    audience: bytes
    not_before: datetime
    not_after: datetime
    uses: int = 0
    rotates: bool = False
    needs_pin: bool = False
    one_door: bool = False
    code: int | None = None

    def __post_init__(self) -> None:
        """Whatever counts its uses is for one door, since doors do not share their counts."""
        counted = self.uses > 0
        fits = (
            _is_window(self.not_before, self.not_after)
            and 0 <= self.uses < 2**16
            and _KEY_ID.fullmatch(self.key_id) is not None
            and _NUMBER.fullmatch(self.number) is not None
            and len(self.audience) == AUDIENCE_BYTES
            and not (counted and (self.rotates or not self.one_door))
            and (self.code is None or (self.rotates and 0 <= self.code < _CODES))
        )
        if not fits:
            raise ValueError("A pass can't say this.")


def _is_window(begins: datetime, ends: datetime) -> bool:
    """Whether these are moments in UTC, one after the other and not too far apart."""
    in_utc = all(moment.utcoffset() == timedelta() for moment in (begins, ends))
    return in_utc and timedelta() < ends - begins <= LONGEST


def audience_of_door(device: str) -> bytes:
    """What a pass for one door names it by (8 bytes); `device` is the terminal's own name."""
    return _audience(b"door:", device)


def audience_of_group(group: str) -> bytes:
    """What a pass for all doors of a group names them by (8 bytes)."""
    return _audience(b"group:", group)


def encode(token: Token, key: SigningKey) -> str:
    """The text of this pass, signed; the same for the same pass. Raises ValueError."""
    body = _body(token, key.key_id)
    signed = body + key.sign(_LABEL + body)
    if token.code is not None:
        signed += _CODE.pack(token.code)
    return (PASS_PREFIX + base45.encode(signed)).decode("ascii")


def check(raw: bytes, keyring: Keyring, audiences: frozenset[bytes], at_utc: datetime) -> Token:
    """The pass that was read as `raw` (any bytes). Raises PassRefused, and nothing else."""
    body, signature, code = _parts(raw)
    token = _token(body, code)
    key = keyring.get(token.key_id)
    if key is None:
        raise PassRefused(NoPass.UNKNOWN_KEY)
    if not verify(key.public, signature, _LABEL + body):
        raise PassRefused(NoPass.NOT_SIGNED)
    if key.accept_until is not None and at_utc >= key.accept_until:
        raise PassRefused(NoPass.RETIRED_KEY)
    if token.audience not in audiences:
        raise PassRefused(NoPass.OTHER_DOOR)
    return token


def _parts(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Body, signature and code (nothing where there is none) of what begins as a pass does."""
    if not raw.startswith(PASS_PREFIX) or len(raw) > MAX_TEXT_BYTES:
        raise PassRefused(NoPass.NOT_ONE)
    try:
        data = base45.decode(raw[len(PASS_PREFIX) :])
    except ValueError as error:
        raise PassRefused(NoPass.NOT_ONE) from error
    if len(data) not in (_SIGNED_BYTES, _SIGNED_BYTES + _CODE.size):
        raise PassRefused(NoPass.NOT_ONE)
    return data[: _BODY.size], data[_BODY.size : _SIGNED_BYTES], data[_SIGNED_BYTES:]


def _token(body: bytes, code: bytes) -> Token:
    """What these say. Raises PassRefused for what no pass says."""
    version, flags, key, holder, number, audience, begins, ends, uses = _BODY.unpack(body)
    if version != VERSION or flags & ~(_ROTATES | _NEEDS_PIN | _ONE_DOOR):
        raise PassRefused(NoPass.NOT_ONE)
    try:
        return Token(
            key_id=key.hex(),
            holder=_holder(holder),
            number=PassId(number.hex()),
            audience=audience,
            not_before=datetime.fromtimestamp(begins, UTC),
            not_after=datetime.fromtimestamp(ends, UTC),
            uses=uses,
            rotates=bool(flags & _ROTATES),
            needs_pin=bool(flags & _NEEDS_PIN),
            one_door=bool(flags & _ONE_DOOR),
            code=_code(code, rotates=bool(flags & _ROTATES)),
        )
    except ValueError as error:
        raise PassRefused(NoPass.NOT_ONE) from error


def _code(code: bytes, *, rotates: bool) -> int | None:
    """A pass that rotates has its code with it, and no other has one. Raises ValueError."""
    if bool(code) != rotates:
        raise ValueError("a code too many, or too few")
    return int.from_bytes(code, "big") if code else None


def _body(token: Token, key_id: str) -> bytes:
    if token.key_id != key_id:
        raise ValueError("A pass is signed by the key that it names.")
    flags = _ROTATES * token.rotates | _NEEDS_PIN * token.needs_pin | _ONE_DOOR * token.one_door
    return _BODY.pack(
        VERSION,
        flags,
        bytes.fromhex(token.key_id),
        _holder_number(token.holder),
        bytes.fromhex(token.number),
        token.audience,
        _seconds(token.not_before),
        _seconds(token.not_after),
        token.uses,
    )


def _seconds(utc: datetime) -> int:
    seconds = utc.timestamp()
    if seconds != int(seconds) or not 0 <= seconds < 2**32:
        raise ValueError("A pass has whole seconds from 1970 to 2106.")
    return int(seconds)


def _holder(number: int) -> PersonId:
    if number >= len(LETTERS) ** HOLDER_LETTERS:
        raise ValueError("no identifier is this number")
    letters = []
    for _ in range(HOLDER_LETTERS):
        number, value = divmod(number, len(LETTERS))
        letters.append(LETTERS[value])
    return PersonId("".join(reversed(letters)))


def _holder_number(holder: PersonId) -> int:
    if len(holder) != HOLDER_LETTERS or not set(holder) <= set(LETTERS):
        raise ValueError("This person's identifier has another form than a pass can hold.")
    number = 0
    for letter in holder:
        number = number * len(LETTERS) + LETTERS.index(letter)
    return number


def _audience(kind: bytes, name: str) -> bytes:
    return hashlib.sha256(kind + name.encode()).digest()[:AUDIENCE_BYTES]
