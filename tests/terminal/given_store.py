"""A store to test with: two people, a made-up signing key, disks that are full."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from terminal.core.values import CardId, Moment, PassId, PersonId
from terminal.memory import LockedBuffer
from terminal.schema import IDENTITY, Database
from terminal.sealing import KEY_BYTES, Keys
from terminal.store import Pass, PassKind, Store

NOON = datetime(2027, 5, 1, 12, tzinfo=UTC)
AT = Moment(1.0, NOON, True)
LATER = Moment(61.0, NOON + timedelta(minutes=1), True)
ANNA, BEN, NOBODY = PersonId("person-anna"), PersonId("person-ben"), PersonId("nobody")
CARD, OTHER_CARD = CardId("1a" * 32), CardId("2b" * 32)
NUMBER, OTHER_NUMBER = PassId("0123456789abcdef"), PassId("fedcba9876543210")

HOSTILE = (
    "",
    "'",
    "' OR '1'='1",
    "'; DROP TABLE person; --",
    '" OR ""="',
    "1 UNION SELECT sealed_name FROM person",
    "x' AND randomblob(1000000000) --",
    "%",
    "_" * 8,
    "*",
    "[0-9]*",
    "?1",
    ":name",
    "\x00",
    "a\x00b",
    "\ud800",
    "\u202egnp",
    "NULL",
    "0x31",
    "1" * 5000,
    "$(reboot)",
    "`id`",
    "../../etc/passwd",
    "王小明'--",
    "{" * 3000,
    "[" * 3000,
)
"""What somebody tries who hopes that a text is run, matched or spread out."""


class CountingKeys(Keys):
    """Keys that count how often a PIN is derived."""

    derived = 0

    def pin_verifier(self, pin: memoryview, salt: bytes, person: PersonId) -> bytes:
        self.derived += 1
        return super().pin_verifier(pin, salt, person)


def some_keys(byte: int = 1) -> CountingKeys:
    root = LockedBuffer(KEY_BYTES)
    root.view[:] = bytes([byte]) * KEY_BYTES
    return CountingKeys(root)


def a_store(folder: Path, keys: Keys | None = None) -> Store:
    """A store with Anna and Ben in it."""
    store = Store.open(folder, keys or some_keys())
    for person in (ANNA, BEN):
        if store.holder(person) is None:
            store.register_person(person, f"Name of {person}", AT)
    return store


def a_pass(
    store: Store,
    number: PassId = NUMBER,
    person: PersonId = ANNA,
    *,
    uses: int = 1,
    rotates: bool = False,
    kind: PassKind = PassKind.VISITOR,
    host: PersonId | None = None,
) -> Pass:
    """One that is issued now, for a day."""
    facts = Pass(
        number=number,
        person=person,
        kind=kind,
        valid_from=NOON,
        valid_until=NOON + timedelta(days=1),
        uses=uses,
        rotates=rotates,
        needs_pin=False,
        is_marked=False,
        key_id=store.pass_keys.current(AT),
        host=host,
    )
    store.passes.issue(facts, AT)
    return facts


def identity_of(store: Store) -> Database:
    return store._identity


def fill(store: Store) -> None:
    """As if the disk held not one page more of who people are."""
    identity_of(store).run("VACUUM")
    pages = identity_of(store).rows("PRAGMA page_count")[0][0]
    identity_of(store).run(f"PRAGMA max_page_count = {pages:d}")


def identity_bytes(folder: Path) -> bytes:
    """Every byte of the file of people and of its log."""
    return b"\0".join(path.read_bytes() for path in folder.glob(f"{IDENTITY.file_name}*"))
