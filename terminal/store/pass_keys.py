"""The keys that passes are signed with: one that signs, and those before it that are yet accepted.

The secret of the one that signs is sealed; that of a key that was replaced is gone, so nobody signs
with it any more, and the passes under it are accepted until its time is over.

Never here: a signature (`terminal.signing`). What changes with this file: `terminal.issuing`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import timedelta

from terminal.core.values import Moment
from terminal.errors import SealBroken, StoreFailed
from terminal.memory import LockedBuffer
from terminal.passes.token import Keyring, PublicKey
from terminal.schema import Database
from terminal.sealing import Keys, pass_key_aad
from terminal.signing import SECRET_BYTES, key_id_of
from terminal.store.written import text_of, time_or_none

log = logging.getLogger(__name__)

PublicOf = Callable[[LockedBuffer], bytes]
"""The public key of 32 secret bytes."""


class PassKeys:
    """The table of signing keys in an open identity database."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys
        self._ring: Keyring | None = None

    def keyring(self) -> Keyring:
        """Every key that passes are accepted under, by its identifier.

        A key that this terminal did not make itself is not there: its seal would not open.
        """
        if self._ring is None:
            rows = self._database.rows(
                "SELECT key_id, sealed_public, accept_until_utc FROM pass_key"
            )
            opened = (
                (key_id, self._public(key_id, sealed), until) for key_id, sealed, until in rows
            )
            self._ring = {
                key_id: PublicKey(public, time_or_none(until))
                for key_id, public, until in opened
                if public is not None
            }
        return self._ring

    def secret(self, at: Moment, public_of: PublicOf) -> LockedBuffer:
        """The secret of the key that signs now, which the caller closes; made where there is none.

        Raises StoreFailed when it can't be opened.
        """
        row = self._database.row(
            "SELECT key_id, sealed_private FROM pass_key WHERE retired_utc IS NULL"
        )
        if row is None:
            self._make(at, public_of)
            return self.secret(at, public_of)
        return self._opened("private", row[0], row[1])

    def rotate(self, at: Moment, overlap: timedelta, public_of: PublicOf) -> str:
        """Sign with a new key; the old one is accepted until `overlap` from now. Whose id comes."""
        self._ring = None
        with self._database.transaction():
            self._database.run(
                "UPDATE pass_key SET retired_utc = ?, accept_until_utc = ?, sealed_private = NULL"
                " WHERE retired_utc IS NULL",
                *(text_of(at.utc), text_of(at.utc + overlap)),
            )
            key_id = self._make(at, public_of)
        self._database.checkpoint()
        return key_id

    def _make(self, at: Moment, public_of: PublicOf) -> str:
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
            with self._opened("public", key_id, sealed) as public:
                return bytes(public.view)
        except StoreFailed as error:
            log.error("%s", error)
            return None

    def _opened(self, part: str, key_id: str, sealed: bytes) -> LockedBuffer:
        sealer, opened = self._keys.identity, LockedBuffer(SECRET_BYTES)
        try:
            aad = pass_key_aad(part, key_id, self._keys.device, sealer.epoch)
            sealer.open_into(sealed, aad, opened.view)
        except SealBroken as error:
            opened.close()
            raise StoreFailed(
                f"The {part} part of the signing key {key_id} does not open; make a new key"
                " (terminalctl pass new-key)."
            ) from error
        return opened
