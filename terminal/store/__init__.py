"""Who may come in, who consented to what, and the sealed templates: everything that is kept.

Two files under two keys (R16), joined by a random identifier; each table has a module of its own
here, and `Store` is all of them, open. What concerns both files at once (erasing somebody, listing
everyone) is here.

Never here: a picture, a comparison score, a card's number, a decision. One thread, the loop's.

What changes with this file: `terminal.schema` (the tables), the commands of `terminalctl`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from terminal.comparison import Embeddings, References
from terminal.core.values import CardId, ConsentId, ConsentState, Holder, Moment, PersonId
from terminal.errors import NotDone, RefuseToStart, StoreFailed, TerminalError
from terminal.schema import (
    BIOMETRIC,
    IDENTITY,
    Database,
    LostDatabase,
    Schema,
    is_unreadable,
    open_database,
)
from terminal.sealing import Keys
from terminal.store.cards import Cards
from terminal.store.faces import MAX_REFERENCES as MAX_REFERENCES
from terminal.store.faces import Faces
from terminal.store.groups import Groups
from terminal.store.holders import Holders
from terminal.store.pass_keys import PassKeys
from terminal.store.passes import Passes
from terminal.store.people import NAME_BYTES as NAME_BYTES
from terminal.store.people import Details, Kind, PanelNumber, Registered
from terminal.store.people import People as Registry
from terminal.store.pins import Pins
from terminal.store.settings import Settings
from terminal.store.written import plain

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Person:
    """What an operator may see of a person. `name` is None when its seal is broken."""

    person: PersonId
    name: str | None = field(repr=False)
    valid_from: datetime | None
    valid_until: datetime | None
    created: datetime
    consent: ConsentState
    cards: int
    templates: int
    kind: Kind = Kind.RESIDENT
    group: str | None = None
    host: PersonId | None = None
    flat: str | None = field(default=None, repr=False)
    has_pin: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is kept."""

    people: int
    cards: int
    consents: int
    enrolled: int
    templates: int


class Batch:
    """Several rows in one transaction: each whole or not at all, all durable at its end."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def row(self, write: Callable[[], T]) -> T:
        """Write one row; what it raises takes back what it wrote, and nothing else."""
        with self._database.transaction():
            return write()


class Store:
    """Both databases, open. Raises StoreFailed when the disk does not do as it is told."""

    def __init__(self, identity: Database, biometric: Database, keys: Keys) -> None:
        self._identity = identity
        self.registry = Registry(identity, keys)
        self.cards = Cards(identity, self.registry)
        self.groups = Groups(identity)
        self.pins = Pins(identity, keys, self.registry)
        self.passes = Passes(identity, self.registry)
        self.pass_keys = PassKeys(identity, keys)
        self.settings = Settings(identity)
        self.faces = Faces(biometric, keys, self.registry.kind_of)
        self.holders = Holders(identity, self.groups, self.faces)

    @classmethod
    def open(cls, folder: Path, keys: Keys) -> Store:
        """The store in this folder, made where it is not there yet.

        Raises RefuseToStart: newer than this program, damaged, readable by others, or sealed with
        another key than this; and StoreFailed for what may pass, as a full disk. A file of faces
        that is damaged is no reason to refuse: see `faces_lost`.
        """
        identity = _opened(folder, IDENTITY, keys)
        try:
            return cls(identity, _opened_faces(folder, keys), keys)
        except TerminalError:
            identity.close()
            raise

    @property
    def faces_lost(self) -> str | None:
        """Why consents and templates can't be used since the start, in a sentence; or None."""
        return self.faces.lost

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether a store was ever made here: then its key must not be made anew."""
        return any((folder / schema.file_name).exists() for schema in (IDENTITY, BIOMETRIC))

    def close(self) -> None:
        """Let the files go. May be called twice."""
        self._identity.close()
        self.faces.close()
        self.registry.close()

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """Rows that become durable together when the block has ended."""
        try:
            with self._identity.transaction():
                yield Batch(self._identity)
        finally:
            self.groups.forget_resolved()

    # People

    def register_person(
        self,
        person: PersonId,
        name: str,
        at: Moment,
        *,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
    ) -> None:
        """Write a new resident. Raises NotDone for a name that can't be one, or a known person."""
        self.registry.register(person, Details(name, valid_from, valid_until), at)

    def people(self) -> list[Person]:
        """Everyone registered, in the order in which they were; without consents that are lost."""
        cards, templates = self.cards.each(), self.faces.templates_each()
        consents, pins = self.faces.consents(), self.pins.holders()
        return [
            _person(
                one,
                consents.get(one.person, ConsentState.NONE),
                cards.get(one.person, 0),
                templates.get(one.person, 0),
                one.person in pins,
            )
            for one in self.registry.all()
        ]

    def find(self, wanted: str) -> Person | None:
        """The person with this identifier, or else with this name (letter case apart).

        Raises NotDone when several people have that name.
        """
        everyone = self.people()
        for person in everyone:
            if person.person == wanted:
                return person
        name = plain(wanted).casefold()
        found = [each for each in everyone if each.name and each.name.casefold() == name]
        if len(found) > 1:
            raise NotDone(f"{len(found)} people have that name; give the identifier instead.")
        return found[0] if found else None

    def details(self, person: PersonId) -> Details:
        """All that is written of a person, to be changed. Raises NotDone for nobody."""
        one = self.registry.one(person)
        if one is None:
            raise NotDone(f"{person} is not registered.")
        if one.name is None:
            raise NotDone("The seal of this person's name is broken; erase and register anew.")
        return Details(
            one.name,
            one.valid_from,
            one.valid_until,
            one.kind,
            one.group,
            one.host,
            one.flat,
            one.panel,
        )

    def change(self, person: PersonId, details: Details) -> None:
        """Write all of a person's details anew. Raises NotDone.

        Nobody becomes a visitor whose consent to face recognition stands (R48).
        """
        if details.kind is Kind.VISITOR and self.faces.has_standing(person):
            raise NotDone("A consent of this person stands; erase the face first.")
        self.registry.update(person, details)

    def panel_number(self, person: PersonId) -> PanelNumber | None:
        """Under what an existing panel knows this person, or None."""
        return self.registry.panel_number(person)

    def holder_of_card(self, card: CardId) -> Holder | None:
        """Whose card this is, or None."""
        owner = self.cards.owner(card)
        return self.holders.holder(owner[0]) if owner else None

    def holder(self, person: PersonId) -> Holder | None:
        """What is known of a person now, for a decision; None when there is no such person."""
        return self.holders.holder(person)

    def bind_card(
        self, person: PersonId, card: CardId, at: Moment, *, is_weak: bool = True
    ) -> None:
        """Write that this card is this person's. Raises NotDone."""
        self.cards.bind(person, card, at, is_weak=is_weak)

    # Faces

    def consent_of(self, person: PersonId) -> ConsentState:
        """Where this person's newest decided consent stands."""
        return self.faces.consent_of(person)

    def put_consent(
        self,
        person: PersonId,
        consent: ConsentId,
        state: ConsentState,
        at: Moment,
        *,
        notice_sha256: str,
        how: str,
    ) -> None:
        """Write where this consent stands now (`Faces.put_consent`)."""
        self.faces.put_consent(person, consent, state, at, notice_sha256=notice_sha256, how=how)

    def put_templates(
        self, person: PersonId, consent: ConsentId, model_sha256: str, embeddings: Embeddings
    ) -> None:
        """Seal and write these references in place of any there were (`Faces.put_templates`)."""
        self.faces.put_templates(person, consent, model_sha256, embeddings)

    def load_references(self, model_sha256: str, into: References) -> int:
        """Enrol everyone whose consent stands (`Faces.load_references`)."""
        return self.faces.load_references(model_sha256, into)

    # Erasing

    def erase_face(
        self, person: PersonId, at: Moment, state: ConsentState = ConsentState.WITHDRAWN
    ) -> None:
        """End this person's consent and erase every template (`Faces.erase_face`)."""
        self.faces.erase_face(person, at, state)

    def finish_erasures(self, withdrawn: Iterable[PersonId], at: Moment) -> int:
        """Erase the face data that should be gone by the log's account; of how many people."""
        return self.faces.finish_erasures(withdrawn, at)

    def erase_person(self, person: PersonId, at: Moment) -> None:
        """Erase the face, then the person with name, cards, PIN, passes and whereabouts.

        Raises StoreFailed when traces could not be removed; calling it again tries again.
        """
        self.erase_face(person, at)
        with self._identity.transaction():
            self.registry.erase(person)
        self._identity.checkpoint()

    def counts(self) -> Counts:
        """How much is kept; nothing of what is lost."""
        people, cards = self._identity.rows(
            "SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM card)"
        )[0]
        return Counts(people, cards, *self.faces.counts())


def _person(
    one: Registered, consent: ConsentState, cards: int, templates: int, has_pin: bool
) -> Person:
    return Person(
        person=one.person,
        name=one.name,
        valid_from=one.valid_from,
        valid_until=one.valid_until,
        created=one.created,
        consent=consent,
        cards=cards,
        templates=templates,
        kind=one.kind,
        group=one.group,
        host=one.host,
        flat=one.flat,
        has_pin=has_pin,
    )


def _opened(folder: Path, schema: Schema, keys: Keys) -> Database:
    """The file, checked to have been made with these keys."""
    database = open_database(folder, schema, StoreFailed)
    with database.at_start():
        _check_device(database, folder / schema.file_name, keys.device)
    return database


def _opened_faces(folder: Path, keys: Keys) -> Database:
    """The file of faces, or what stands for it where it is damaged: cards go on without it."""
    try:
        return _opened(folder, BIOMETRIC, keys)
    except TerminalError as error:
        if not is_unreadable(error):
            raise
        return LostDatabase(StoreFailed, str(error))


def _check_device(database: Database, path: Path, device: str) -> None:
    row = database.row("SELECT device FROM device")
    if row is None:
        database.run("INSERT INTO device VALUES (1, ?)", device)
    elif row[0] != device:
        raise RefuseToStart(
            f"{path} was sealed with another key than the one that is here; put back its key."
        )
