"""Keys, keyrings and passes of each kind for tests; all people and doors are invented.

The keys are made from numbers and so the same in each run. Everything is at one moment, `NOW`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from terminal.core.values import PassId, PersonId
from terminal.memory import LockedBuffer
from terminal.passes import rotation
from terminal.passes.token import (
    PublicKey,
    Token,
    audience_of_door,
    audience_of_group,
    encode,
)
from terminal.sealing import KEY_BYTES, Keys
from terminal.signing import SECRET_BYTES, SigningKey

NOW = datetime(2026, 5, 4, 12, 0, 10, tzinfo=UTC)
"""A Monday, ten seconds into a time step."""

DOOR = audience_of_door("gate-1")
GROUP = audience_of_group("residents")
HERE = frozenset({DOOR, GROUP})
"""What a pass may be for at the door `gate-1`."""

ELSEWHERE = audience_of_door("gate-2")
HOLDER = PersonId("bcdfghjkmnpq")


def secret_bytes(number: int, size: int = SECRET_BYTES) -> LockedBuffer:
    """Secret number `number`: the caller closes it."""
    secret = LockedBuffer(size)
    secret.view[:] = number.to_bytes(size, "big")
    return secret


def signing_key(number: int = 1) -> SigningKey:
    """Signing key number `number`."""
    with secret_bytes(number) as secret:
        return SigningKey(secret)


KEY = signing_key(1)
OLD_KEY = signing_key(2)
FOREIGN_KEY = signing_key(3)
KEY_CHANGED = NOW + timedelta(days=7)
"""When passes under OLD_KEY are no longer taken."""

KEYRING = {
    KEY.key_id: PublicKey(KEY.public),
    OLD_KEY.key_id: PublicKey(OLD_KEY.public, accept_until=KEY_CHANGED),
}


def number(value: int) -> PassId:
    """A pass number (16 hex digits)."""
    return PassId(f"{value:016x}")


def static(key: SigningKey = KEY) -> Token:
    """A resident's pass on paper, which needs a PIN."""
    year = timedelta(days=365)
    return Token(key.key_id, HOLDER, number(1), GROUP, NOW - year, NOW + year, needs_pin=True)


def resident(key: SigningKey = KEY) -> Token:
    """A resident's pass that rotates, without its code."""
    return replace(static(key), number=number(2), rotates=True, needs_pin=False)


def visitor(key: SigningKey = KEY) -> Token:
    """A visitor's pass: one afternoon, four times, one door."""
    begins, ends = NOW - timedelta(hours=1), NOW + timedelta(hours=5)
    return Token(key.key_id, HOLDER, number(3), DOOR, begins, ends, uses=4, one_door=True)


def once(key: SigningKey = KEY) -> Token:
    """A pass that opens one door once."""
    return replace(visitor(key), number=number(4), uses=1)


def each_kind(key: SigningKey = KEY) -> tuple[Token, ...]:
    """One pass of each kind; the one that rotates with the code of `NOW`."""
    return static(key), showing(resident(key)), visitor(key), once(key)


def text(token: Token, key: SigningKey = KEY) -> bytes:
    """The text of this pass as a reader sends it."""
    return encode(token, key).encode()


def code_secret(token: Token) -> bytes:
    """The secret of this pass's rotating codes, as the terminal derives it."""
    keys = Keys(secret_bytes(7, KEY_BYTES))
    with keys.pass_secret(token.holder, token.number) as secret:
        derived = bytes(secret.view)
    keys.close()
    return derived


def showing(token: Token, at_utc: datetime = NOW) -> Token:
    """This rotating pass with the code that its page shows at this moment."""
    return replace(token, code=rotation.code_at(code_secret(token), rotation.step_of(at_utc)))
