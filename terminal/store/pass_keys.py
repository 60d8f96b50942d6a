"""The keys that passes are signed with: one that signs, and those before it for a while longer.

Both parts are sealed at rest, bound to the key's name: the private part because it is secret, the
public one because whoever can write the file, but has not the device's key, could otherwise put a
key of their own there. When a key is followed by another its private part is erased at once; its
public part is accepted until the overlap ends, and stays listed after that, so that an old pass is
told from a foreign one.

Never here: signing (`terminal.signing`). What changes with this file: `terminal.issuing`,
`credential`, docs/passes.md.
"""

from __future__ import annotations

import logging
import os
from datetime import timedelta

from terminal.core.values import Moment
from terminal.errors import SealBroken, StoreFailed
from terminal.memory import LockedBuffer
from terminal.passes.token import Keyring, PublicKey
from terminal.schema import Database
from terminal.sealing import Keys, pass_key_aad
from terminal.signing import PUBLIC_BYTES, SECRET_BYTES, key_id_of, public_of
from terminal.store.written import text_of, time_or_none

MOST_OVERLAP = timedelta(days=3660)

log = logging.getLogger(__name__)


class PassKeys:
    """The table of keys in an open identity database."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys
        self._ring: Keyring | None = None

    def current(self, at: Moment) -> str:
        """The name of the key that signs now; it is made where there is none yet."""
        with self._database.transaction():
            row = self._database.row("SELECT key_id FROM pass_key WHERE retired_utc IS NULL")
            return str(row[0]) if row else self._make(at)

    def rotate(self, at: Moment, overlap: timedelta) -> str:
        """Make a new key that signs from now on; the one before is accepted until `at + overlap`.

        Its name. Raises ValueError for an overlap below zero or above ten years, and StoreFailed
        when traces of the old private part could not be removed; the new key is in use all the
        same.
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

    def keyring(self) -> Keyring:
        """Every key there ever was, by its name; which is still accepted its date says.

        A key that this terminal did not make itself does not open and is left out.
        """
        if self._ring is None:
            rows = self._database.rows(
                "SELECT key_id, sealed_public, accept_until_utc FROM pass_key ORDER BY rowid"
            )
            self._ring = {
                key_id: PublicKey(public, time_or_none(until))
                for key_id, sealed, until in rows
                if (public := self._public(key_id, sealed)) is not None
            }
        return self._ring

    def open_private(self, key_id: str) -> LockedBuffer:
        """The 32 secret bytes of the key that signs now; whoever asked closes the buffer.

        Raises StoreFailed for a key that does not sign (any more), and SealBroken.
        """
        row = self._database.row(
            "SELECT sealed_private FROM pass_key WHERE key_id = ? AND sealed_private IS NOT NULL",
            key_id,
        )
        if row is None:
            raise StoreFailed("There is no key of that name that signs passes.")
        return self._opened("private", key_id, row[0], SECRET_BYTES)

    # Within

    def _make(self, at: Moment) -> str:
        self._ring = None
        with LockedBuffer(SECRET_BYTES) as secret:
            secret.view[:] = os.urandom(SECRET_BYTES)
            public = public_of(secret)
            key_id = key_id_of(public)
            self._database.run(
                "INSERT INTO pass_key (key_id, sealed_public, sealed_private, made_utc)"
                " VALUES (?, ?, ?, ?)",
                *(key_id, self._sealed("public", key_id, memoryview(public))),
                *(self._sealed("private", key_id, secret.view), text_of(at.utc)),
            )
        return key_id

    def _sealed(self, part: str, key_id: str, plain: memoryview) -> bytes:
        sealer = self._keys.identity
        return sealer.seal(plain, pass_key_aad(part, key_id, self._keys.device, sealer.epoch))

    def _public(self, key_id: str, sealed: bytes) -> bytes | None:
        try:
            with self._opened("public", key_id, sealed, PUBLIC_BYTES) as public:
                return bytes(public.view)
        except SealBroken:
            log.error("A key that passes are signed with was not made here; it is not used.")
            return None

    def _opened(self, part: str, key_id: str, sealed: bytes, length: int) -> LockedBuffer:
        sealer, opened = self._keys.identity, LockedBuffer(length)
        aad = pass_key_aad(part, key_id, self._keys.device, sealer.epoch)
        try:
            sealer.open_into(sealed, aad, opened.view)
        except SealBroken:
            opened.close()
            raise
        return opened
