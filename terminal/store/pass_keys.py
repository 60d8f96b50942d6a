"""The keys that passes are signed with: one that signs, and those before it for a while longer.

The private part is 32 random bytes that are sealed at rest and opened into locked memory alone,
bound to their public part: moved to another row, or beside another public part, they do not open.
When a key is followed by another its private part is erased at once; its public part is accepted
until the overlap ends, and stays listed after that, so that an old pass is told from a foreign one.

Never here: signing, or what a signature is (`public_of` is handed in). What changes with this file:
the commands for passes, the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from terminal.core.values import Moment
from terminal.errors import SealBroken, StoreFailed
from terminal.memory import LockedBuffer
from terminal.schema import Database
from terminal.sealing import Keys, pass_key_aad
from terminal.store.written import text_of, time_or_none

SECRET_BYTES = 32
PUBLIC_BYTES = 32
MOST_OVERLAP = timedelta(days=3660)

PublicOf = Callable[[LockedBuffer], bytes]
"""The public part (32 bytes) that goes with 32 secret bytes."""


def short_hash(public: bytes) -> str:
    """What names a key: the first 8 hex digits of the SHA-256 of its public part."""
    return sha256(public).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key as whoever checks a pass needs it; `accept_until` None: it signs today."""

    key_id: str
    public: bytes
    accept_until: datetime | None


class PassKeys:
    """The table of keys in an open identity database."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        public_of: PublicOf,
        key_id_of: Callable[[bytes], str] = short_hash,
    ) -> None:
        self._database = database
        self._keys = keys
        self._public_of = public_of
        self._key_id_of = key_id_of

    def current(self, at: Moment) -> PublicKey:
        """The key that signs now; made where there is none yet."""
        with self._database.transaction():
            found = self._current()
            return self._make(at) if found is None else found

    def rotate(self, at: Moment, overlap: timedelta) -> PublicKey:
        """Make a new key that signs from now on; the one before is accepted until `at + overlap`.

        Raises ValueError for an overlap below zero or above ten years, and StoreFailed when
        traces of the old private part could not be removed; the new key is in use all the same.
        """
        if not timedelta(0) <= overlap <= MOST_OVERLAP:
            raise ValueError("Keys overlap by no time at all to ten years.")
        with self._database.transaction():
            self._database.run(
                "UPDATE pass_key SET sealed_private = NULL, retired_utc = ?, accept_until_utc = ?"
                " WHERE retired_utc IS NULL",
                *(text_of(at.utc), text_of(at.utc + overlap)),
            )
            made = self._make(at)
        self._database.checkpoint()
        return made

    def keyring(self) -> dict[str, PublicKey]:
        """Every key there ever was, by its identifier; which is still accepted its date says."""
        rows = self._database.rows(
            "SELECT key_id, public, accept_until_utc FROM pass_key ORDER BY rowid"
        )
        return {
            key_id: PublicKey(key_id, public, time_or_none(accept_until))
            for key_id, public, accept_until in rows
        }

    def open_private(self, key_id: str) -> LockedBuffer:
        """The 32 secret bytes of the key that signs now; whoever asked closes the buffer.

        Raises StoreFailed for a key that does not sign (any more), and SealBroken.
        """
        row = self._database.row(
            "SELECT public, sealed_private FROM pass_key"
            " WHERE key_id = ? AND sealed_private IS NOT NULL",
            key_id,
        )
        if row is None:
            raise StoreFailed("There is no key of that name that signs passes.")
        opened = LockedBuffer(SECRET_BYTES)
        try:
            sealer = self._keys.identity
            sealer.open_into(row[1], self._aad(key_id, row[0]), opened.view)
        except SealBroken:
            opened.close()
            raise
        return opened

    # Within

    def _current(self) -> PublicKey | None:
        row = self._database.row("SELECT key_id, public FROM pass_key WHERE retired_utc IS NULL")
        return None if row is None else PublicKey(row[0], row[1], None)

    def _make(self, at: Moment) -> PublicKey:
        with LockedBuffer(SECRET_BYTES) as secret:
            _fill_randomly(secret)
            public = self._public_of(secret)
            key_id = self._key_id_of(public)
            sealed = self._keys.identity.seal(secret.view, self._aad(key_id, public))
        self._database.run(
            "INSERT INTO pass_key (key_id, public, sealed_private, made_utc) VALUES (?, ?, ?, ?)",
            *(key_id, public, sealed, text_of(at.utc)),
        )
        return PublicKey(key_id, public, None)

    def _aad(self, key_id: str, public: bytes) -> bytes:
        return pass_key_aad(key_id, public, self._keys.device, self._keys.identity.epoch)


def _fill_randomly(buffer: LockedBuffer) -> None:
    with open("/dev/urandom", "rb", buffering=0) as random:
        random.readinto(buffer.view)
