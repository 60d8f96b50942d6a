"""People: their names, flats and panel numbers, all sealed; their kind, group, host and dates.

A resident, a visitor or a member of staff is a random identifier and what an operator wrote of
them. What says who somebody is stands here sealed, each bound to its person and to what it is:
moved to another row or column it does not open, and is shown as absent. It is opened only for an
operator, or for a panel that has to be told a number.

Never here: whether somebody may come in. What changes with this file: the store's facade, import
and export, the commands of `terminalctl`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TypeVar

from terminal.core.values import Moment, PersonId
from terminal.errors import NotDone, SealBroken, StoreFailed
from terminal.memory import LockedBuffer
from terminal.schema import Database, Row, Value
from terminal.sealing import SEAL_BYTES, Keys, flat_aad, name_aad, panel_aad
from terminal.store.written import plain, text_of, text_or_none, time_of, time_or_none

NAME_BYTES = 200
"""A name is at most so long (in UTF-8)."""

FLAT_BYTES = 60
"""The label of a flat is at most so long (in UTF-8)."""

_PANEL = struct.Struct(">HQ")
_Opened = TypeVar("_Opened")
_Aad = Callable[[PersonId, str, int], bytes]


class Kind(Enum):
    """What somebody is here; a visitor never has a face enrolled (R48)."""

    RESIDENT = "resident"
    VISITOR = "visitor"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class PanelNumber:
    """Under what an existing panel knows somebody: facility 0..65535, number 0..2^37-1."""

    facility: int = field(repr=False)
    number: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class Details:
    """All that an operator writes of a person. `group` None: no group; `host` is for visitors."""

    name: str = field(repr=False)
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    kind: Kind = Kind.RESIDENT
    group: str | None = None
    host: PersonId | None = None
    flat: str | None = field(default=None, repr=False)
    panel: PanelNumber | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Registered:
    """A person as the file has it. `name` (and flat, panel) None: its seal is broken, or absent."""

    person: PersonId
    name: str | None = field(repr=False)
    valid_from: datetime | None
    valid_until: datetime | None
    created: datetime
    kind: Kind
    group: str | None
    host: PersonId | None
    flat: str | None = field(repr=False)
    panel: PanelNumber | None = field(repr=False)


class People:
    """The table of people in an open identity database. Raises StoreFailed, as all the store."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys
        self._opened = LockedBuffer(NAME_BYTES)
        self.version = 0
        """Another number whenever somebody came, went or was changed, though it be taken back."""

    def close(self) -> None:
        """Let go of the memory in which names are opened. May be called twice."""
        self._opened.close()

    def is_known(self, person: PersonId) -> bool:
        """Whether this person is registered."""
        return self.kind_of(person) is not None

    def kind_of(self, person: PersonId) -> Kind | None:
        """What this person is; None for nobody."""
        row = self._database.row("SELECT kind FROM person WHERE person = ?", person)
        return None if row is None else _kind(row[0])

    def require(self, person: PersonId) -> None:
        """Raises NotDone when this person is not registered."""
        if not self.is_known(person):
            raise NotDone(f"{person} is not registered.")

    def register(self, person: PersonId, details: Details, at: Moment) -> None:
        """Write a new person.

        Raises NotDone for a known person, an unknown group or host, and for a name, flat or panel
        number that can't be one.
        """
        if not 0 < len(person) <= 64 or not person.isprintable():
            raise NotDone("The identifier of a person has 1 to 64 letters, all of them to be seen.")
        if self.is_known(person):
            raise NotDone(f"{person} is registered already.")
        self._database.run(
            "INSERT INTO person (person, sealed_name, valid_from, valid_until, kind, group_name,"
            " host, sealed_flat, sealed_panel, created_utc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(person, *self._columns(person, details), text_of(at.utc)),
        )
        self.version += 1

    def update(self, person: PersonId, details: Details) -> None:
        """Write all of a person's details anew. Raises NotDone as `register`, and for nobody."""
        self.require(person)
        self._database.run(
            "UPDATE person SET sealed_name = ?, valid_from = ?, valid_until = ?, kind = ?,"
            " group_name = ?, host = ?, sealed_flat = ?, sealed_panel = ? WHERE person = ?",
            *(*self._columns(person, details), person),
        )
        self.version += 1

    def all(self) -> list[Registered]:
        """Everyone, in the order in which they were registered."""
        rows = self._database.rows(
            "SELECT person, sealed_name, valid_from, valid_until, created_utc, kind, group_name,"
            " host, sealed_flat, sealed_panel FROM person ORDER BY rowid"
        )
        return [self._registered(row) for row in rows]

    def one(self, person: PersonId) -> Registered | None:
        """This person; None for nobody."""
        row = self._database.row(
            "SELECT person, sealed_name, valid_from, valid_until, created_utc, kind, group_name,"
            " host, sealed_flat, sealed_panel FROM person WHERE person = ?",
            person,
        )
        return None if row is None else self._registered(row)

    def named(self, name: str) -> list[PersonId]:
        """Whoever has this name, letter case apart."""
        wanted = plain(name).casefold()
        rows = self._database.rows("SELECT person, sealed_name FROM person ORDER BY rowid")
        names = ((PersonId(person), self._name(person, sealed)) for person, sealed in rows)
        return [person for person, found in names if found and found.casefold() == wanted]

    def panel_number(self, person: PersonId) -> PanelNumber | None:
        """Under what a panel knows this person; None where nothing (whole) is written.

        For each passage where a panel decides: no name is opened for it.
        """
        row = self._database.row("SELECT sealed_panel FROM person WHERE person = ?", person)
        return None if row is None else self._panel(person, row[0])

    def erase(self, person: PersonId) -> None:
        """Erase the person with all that hangs on it, within the transaction of the caller."""
        self._database.run("DELETE FROM person WHERE person = ?", person)
        self.version += 1

    # Within

    def _columns(self, person: PersonId, details: Details) -> tuple[Value, ...]:
        self._check(person, details)
        flat, panel = details.flat, details.panel
        return (
            self._sealed(person, _name_bytes(details.name), name_aad),
            text_or_none(details.valid_from),
            text_or_none(details.valid_until),
            details.kind.value,
            details.group,
            details.host,
            None if flat is None else self._sealed(person, _flat_bytes(flat), flat_aad),
            None if panel is None else self._sealed(person, _panel_bytes(panel), panel_aad),
        )

    def _check(self, person: PersonId, details: Details) -> None:
        if details.group is not None and not self._is_group(details.group):
            raise NotDone(f"There is no group called {plain(details.group)!r}.")
        if details.host is None:
            return
        if details.kind is not Kind.VISITOR or details.host == person:
            raise NotDone("Only a visitor has a host, who is somebody else.")
        self.require(details.host)

    def _is_group(self, name: str) -> bool:
        return self._database.row("SELECT 1 FROM holder_group WHERE name = ?", name) is not None

    def _registered(self, row: Row) -> Registered:
        person = PersonId(row[0])
        return Registered(
            person=person,
            name=self._name(person, row[1]),
            valid_from=time_or_none(row[2]),
            valid_until=time_or_none(row[3]),
            created=time_of(row[4]),
            kind=_kind(row[5]),
            group=row[6],
            host=row[7],
            flat=self._text(person, row[8], flat_aad),
            panel=self._panel(person, row[9]),
        )

    def _name(self, person: PersonId, sealed: bytes) -> str | None:
        return self._text(person, sealed, name_aad)

    def _text(self, person: PersonId, sealed: bytes | None, aad: _Aad) -> str | None:
        return None if sealed is None else self._open(person, sealed, aad, _utf8)

    def _panel(self, person: PersonId, sealed: bytes | None) -> PanelNumber | None:
        return None if sealed is None else self._open(person, sealed, panel_aad, _panel_of)

    def _sealed(self, person: PersonId, text: bytes, aad: _Aad) -> bytes:
        sealer = self._keys.identity
        return sealer.seal(memoryview(text), aad(person, self._keys.device, sealer.epoch))

    def _open(
        self, person: PersonId, sealed: bytes, aad: _Aad, read: Callable[[memoryview], _Opened]
    ) -> _Opened | None:
        """What `read` makes of it; None when the seal is broken. The memory is wiped after."""
        sealer = self._keys.identity
        place = self._opened.view[: max(len(sealed) - SEAL_BYTES, 0)]
        try:
            sealer.open_into(sealed, aad(person, self._keys.device, sealer.epoch), place)
            return read(place)
        except SealBroken:
            return None
        finally:
            self._opened.wipe()


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError as error:
        raise StoreFailed("The kind of a person can't be read; put back a copy.") from error


def _name_bytes(name: str) -> bytes:
    return _visible(name, NAME_BYTES, "A name")


def _flat_bytes(flat: str) -> bytes:
    return _visible(flat, FLAT_BYTES, "The label of a flat")


def _visible(text: str, most: int, what: str) -> bytes:
    kept = plain(text)
    if kept.isprintable() and 0 < len(kept.encode()) <= most:
        return kept.encode()
    raise NotDone(f"{what} has 1 to {most} bytes, all of them to be seen.")


def _panel_bytes(panel: PanelNumber) -> bytes:
    if not (0 <= panel.facility < 2**16 and 0 <= panel.number < 2**37):
        raise NotDone("A panel knows facilities 0 to 65535 and numbers of at most 37 bits.")
    return _PANEL.pack(panel.facility, panel.number)


def _utf8(opened: memoryview) -> str:
    return str(opened, "utf-8")


def _panel_of(opened: memoryview) -> PanelNumber:
    try:
        return PanelNumber(*_PANEL.unpack(opened))
    except struct.error as error:
        raise SealBroken("The number of a panel has another length than it should have.") from error
