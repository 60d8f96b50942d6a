"""Both files of the store, open under two keys, and what takes both of them.

People and all that hangs on them stand in one file, consents and templates in another, joined by a
random identifier (R16). Whatever concerns one of the two is in a part of the store (`people`,
`groups`, `cards`, `pins`, `passes`, ...); what concerns both, such as erasing a person or a
visitor who must have no face, is here. What is erased is overwritten in the file and gone from its
log when the call returns (T33).

Never here: a picture, a comparison score, a card's number, a decision. One thread, the loop's.

What changes with this file: the composition of the door, the commands of `terminalctl`.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from terminal.comparison import Embeddings, References
from terminal.core.values import CardId, ConsentId, ConsentState, Holder, Moment, PersonId, Side
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
from terminal.store.batch import Batch, batch_of
from terminal.store.cards import Cards
from terminal.store.faces import Faces
from terminal.store.groups import Groups
from terminal.store.holders import Holders
from terminal.store.pass_keys import PassKeys
from terminal.store.passes import Passes
from terminal.store.people import Details, Kind, PanelNumber, People, Registered
from terminal.store.pins import Pins
from terminal.store.settings import Settings


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
    panel: PanelNumber | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KnownCard:
    """A card that somebody has, and who: `is_weak` when it is known by its number alone."""

    holder: Holder
    is_weak: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is kept."""

    people: int
    cards: int
    consents: int
    enrolled: int
    templates: int


class Store:
    """Both databases, open. Raises StoreFailed when the disk does not do as it is told."""

    def __init__(self, identity: Database, biometric: Database, keys: Keys) -> None:
        self._identity = identity
        self._keys = keys
        self._people = People(identity, keys)
        self._faces = Faces(biometric, keys, self._people.kind_of)
        self.groups = Groups(identity)
        self.cards = Cards(identity, self._people)
        self.pins = Pins(identity, keys, self._people)
        self.passes = Passes(identity, self._people)
        self.pass_keys = PassKeys(identity, keys)
        self.settings = Settings(identity)
        self._holders = Holders(identity, self.groups, self._faces)

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
        return self._faces.lost

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether a store was ever made here: then its key must not be made anew."""
        return any((folder / schema.file_name).exists() for schema in (IDENTITY, BIOMETRIC))

    def close(self) -> None:
        """Let the files go. May be called twice."""
        self._identity.close()
        self._faces.close()
        self._people.close()

    def batch(self) -> AbstractContextManager[Batch]:
        """Several rows as one transaction, each for itself: see `terminal.store.batch`."""
        return batch_of(self._identity, self.groups.forget_resolved)

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
        """Write a new resident of whom nothing else is known yet. Raises NotDone as `register`."""
        self.register(person, Details(name, valid_from, valid_until), at)

    def register(self, person: PersonId, details: Details, at: Moment) -> None:
        """Write a new person.

        Raises NotDone for a known person, an unknown group or host, and for a name, flat or panel
        number that can't be one; and for a visitor under whose identifier a consent stands.
        """
        self._refuse_visitor_with_face(person, details)
        self._people.register(person, details, at)

    def update_person(self, person: PersonId, details: Details) -> None:
        """Write all of a person's details anew; `details_of` has those of today.

        Raises NotDone as `register`, for nobody, and for someone who is to be a visitor while a
        consent to face recognition stands (R48).
        """
        self._refuse_visitor_with_face(person, details)
        self._people.update(person, details)

    def details_of(self, person: PersonId) -> Details:
        """What is written of a person, to be changed in a part. Raises NotDone for nobody.

        Raises NotDone as well when the name's seal is broken: it has to be written anew.
        """
        found = self._people.one(person)
        if found is None:
            raise NotDone(f"{person} is not registered.")
        if found.name is None:
            raise NotDone(f"The name of {person} can't be read; write all of it anew.")
        return Details(
            name=found.name,
            valid_from=found.valid_from,
            valid_until=found.valid_until,
            kind=found.kind,
            group=found.group,
            host=found.host,
            flat=found.flat,
            panel=found.panel,
        )

    def people(self) -> list[Person]:
        """Everyone registered, in the order in which they were; without consents that are lost."""
        consents, cards = self._faces.consents(), self.cards.each()
        templates = self._faces.templates_each()
        return [
            _person(
                each,
                consents.get(each.person, ConsentState.NONE),
                cards.get(each.person, 0),
                templates.get(each.person, 0),
            )
            for each in self._people.all()
        ]

    def find(self, wanted: str) -> Person | None:
        """The person with this identifier, or else with this name (letter case apart).

        Raises NotDone when several people have that name.
        """
        found = [PersonId(wanted)]
        if not self._people.is_known(found[0]):
            found = self._people.named(wanted)
        if len(found) > 1:
            raise NotDone(f"{len(found)} people have that name; give the identifier instead.")
        return self._one(found[0]) if found else None

    def panel_number(self, person: PersonId) -> PanelNumber | None:
        """Under what an existing panel knows this person, or None."""
        return self._people.panel_number(person)

    # For decisions

    def bind_card(
        self, person: PersonId, card: CardId, at: Moment, *, is_weak: bool = True
    ) -> None:
        """Write that this card is this person's.

        Raises NotDone for an unknown person, and for a card that is someone else's.
        """
        self.cards.bind(person, card, at, is_weak=is_weak)

    def holder_of_card(self, card: CardId) -> KnownCard | None:
        """Whose card this is, or None."""
        owner = self.cards.owner(card)
        holder = None if owner is None else self.holder(owner[0])
        return None if owner is None or holder is None else KnownCard(holder, owner[1])

    def holder(self, person: PersonId) -> Holder | None:
        """What is known of a person now, for a decision; None when there is no such person.

        Where consents can't be read there is none: the face is refused, a card is not.
        """
        return self._holders.holder(person)

    def note_passage(self, person: PersonId, side: Side, at: Moment) -> None:
        """Write on which side this person is now. Raises NotDone for nobody."""
        self._holders.note_passage(person, side, at)

    def reset_whereabouts(self, person: PersonId | None = None) -> int:
        """Forget where this person is, or everyone; of how many people something was known."""
        return self._holders.reset_whereabouts(person)

    # Consent and templates

    def consent_of(self, person: PersonId) -> ConsentState:
        """Where this person's newest decided consent stands: asking anew alone takes none away."""
        return self._faces.consent_of(person)

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
        """Write where this consent stands now: see `Faces.put_consent`."""
        self._faces.put_consent(person, consent, state, at, notice_sha256=notice_sha256, how=how)

    def put_templates(
        self, person: PersonId, consent: ConsentId, model_sha256: str, embeddings: Embeddings
    ) -> None:
        """Seal and write these references: see `Faces.put_templates`."""
        self._faces.put_templates(person, consent, model_sha256, embeddings)

    def load_references(self, model_sha256: str, into: References) -> int:
        """Enrol everyone whose consent stands; of how many people: see `Faces.load_references`."""
        return self._faces.load_references(model_sha256, into)

    # Erasing

    def erase_face(
        self, person: PersonId, at: Moment, state: ConsentState = ConsentState.WITHDRAWN
    ) -> None:
        """End this person's consent and erase every template: see `Faces.erase_face`."""
        self._faces.erase_face(person, at, state)

    def finish_erasures(self, withdrawn: Iterable[PersonId], at: Moment) -> int:
        """Erase the face data that should be gone: see `Faces.finish_erasures`."""
        return self._faces.finish_erasures(withdrawn, at)

    def erase_person(self, person: PersonId, at: Moment) -> None:
        """Erase the face, then the person with name, cards, PIN, passes and whereabouts.

        Passes with which this person invited others are revoked. Raises StoreFailed as above.
        """
        self.erase_face(person, at)
        with self._identity.transaction():
            self.passes.revoke_of_host(person, at)
            self._people.erase(person)
        self._identity.checkpoint()

    def erase_traces(self) -> None:
        """Try again to move what was erased of people, cards, PINs and passes out of the log."""
        self._identity.checkpoint()

    @property
    def people_version(self) -> int:
        """Another number whenever somebody came, went or was changed since the start."""
        return self._people.version

    def is_known(self, person: PersonId) -> bool:
        """Whether this person is registered."""
        return self._people.is_known(person)

    def counts(self) -> Counts:
        """How much is kept; nothing of what is lost."""
        people, cards = self._identity.rows(
            "SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM card)"
        )[0]
        return Counts(people, cards, *self._faces.counts())

    # Within

    def _refuse_visitor_with_face(self, person: PersonId, details: Details) -> None:
        if details.kind is not Kind.VISITOR or self.faces_lost:  # then nobody is loaded anyway
            return
        if self._faces.has_standing(person):
            raise NotDone("A visitor has no face enrolled: the consent must be withdrawn first.")

    def _one(self, person: PersonId) -> Person | None:
        found = self._people.one(person)
        if found is None:
            return None
        consent = ConsentState.NONE if self.faces_lost else self._faces.consent_of(person)
        templates = self._faces.templates_each().get(person, 0)
        return _person(found, consent, len(self.cards.of(person)), templates)


def _person(found: Registered, consent: ConsentState, cards: int, templates: int) -> Person:
    return Person(
        person=found.person,
        name=found.name,
        valid_from=found.valid_from,
        valid_until=found.valid_until,
        created=found.created,
        consent=consent,
        cards=cards,
        templates=templates,
        kind=found.kind,
        group=found.group,
        host=found.host,
        flat=found.flat,
        panel=found.panel,
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
