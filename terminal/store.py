"""Who may come in, who consented to what, and the sealed templates: everything that is kept.

Two files under two keys (R16), joined by a random identifier. A template is written under a
consent that stands, and opened under one, or not at all (R01); sealed, it is bound to its person,
consent, model, device and key epoch (A20). What is erased is overwritten in the file and gone from
its log when the call returns (T33). Names are opened only to be shown to an operator.

A face is one way in: where the file of faces is damaged, nobody has a consent, no template is
loaded, and every card goes on. What can't be erased from it is never said to be erased.

Never here: a picture, a comparison score, a card's number, a decision. One thread, the loop's.

What changes with this file: `terminal.schema` (the tables), the commands of `terminalctl`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from unicodedata import normalize

import numpy as np

from terminal.comparison import Embeddings, References
from terminal.core.values import CardId, ConsentId, ConsentState, Holder, Moment, PersonId
from terminal.errors import NotDone, RefuseToStart, SealBroken, StoreFailed, TerminalError
from terminal.memory import LockedBuffer
from terminal.schema import (
    BIOMETRIC,
    IDENTITY,
    Database,
    LostDatabase,
    Row,
    Schema,
    is_unreadable,
    open_database,
)
from terminal.sealing import SEAL_BYTES, Keys, Sealer, name_aad, template_aad

NAME_BYTES = 200
"""A name is at most so long (in UTF-8)."""

MAX_REFERENCES = 50
"""At most so many references of one person are kept."""

_FLOAT_BYTES = 4


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
        self._biometric = biometric
        self._keys = keys
        self._opened_name = LockedBuffer(NAME_BYTES)

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
        return self._biometric.why if isinstance(self._biometric, LostDatabase) else None

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether a store was ever made here: then its key must not be made anew."""
        return any((folder / schema.file_name).exists() for schema in (IDENTITY, BIOMETRIC))

    def close(self) -> None:
        """Let the files go. May be called twice."""
        self._identity.close()
        self._biometric.close()
        self._opened_name.close()

    # People and cards

    def register_person(
        self,
        person: PersonId,
        name: str,
        at: Moment,
        *,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
    ) -> None:
        """Write a new person. Raises NotDone for a name that can't be one, or a known person."""
        sealed = self._sealed_name(person, name)
        if self._is_known(person):
            raise NotDone(f"{person} is registered already.")
        self._identity.run(
            "INSERT INTO person VALUES (?, ?, ?, ?, ?)",
            person,
            sealed,
            _text(valid_from),
            _text(valid_until),
            _text(at.utc),
        )

    def people(self) -> list[Person]:
        """Everyone registered, in the order in which they were; without consents that are lost."""
        cards = self._counted(self._identity, "SELECT person, count(*) FROM card GROUP BY person")
        templates = self._counted(
            self._biometric, "SELECT person, count(*) FROM template GROUP BY person"
        )
        rows = self._identity.rows(
            "SELECT person, sealed_name, valid_from, valid_until, created_utc FROM person"
            " ORDER BY rowid"
        )
        consents = self._consents()
        return [
            Person(
                person=row[0],
                name=self._name(row[0], row[1]),
                valid_from=_time(row[2]),
                valid_until=_time(row[3]),
                created=datetime.fromisoformat(row[4]),
                consent=consents.get(row[0], ConsentState.NONE),
                cards=cards.get(row[0], 0),
                templates=templates.get(row[0], 0),
            )
            for row in rows
        ]

    def find(self, wanted: str) -> Person | None:
        """The person with this identifier, or else with this name (letter case apart).

        Raises NotDone when several people have that name.
        """
        everyone = self.people()
        for person in everyone:
            if person.person == wanted:
                return person
        name = _plain(wanted).casefold()
        found = [each for each in everyone if each.name and each.name.casefold() == name]
        if len(found) > 1:
            raise NotDone(f"{len(found)} people have that name; give the identifier instead.")
        return found[0] if found else None

    def bind_card(self, person: PersonId, card: CardId, at: Moment) -> None:
        """Write that this card is this person's.

        Raises NotDone for an unknown person, and for a card that is someone else's.
        """
        if not self._is_known(person):
            raise NotDone(f"{person} is not registered.")
        row = self._identity.row("SELECT person FROM card WHERE card = ?", card)
        if row is not None and row[0] != person:
            raise NotDone("This card belongs to someone else.")
        if row is None:
            self._identity.run("INSERT INTO card VALUES (?, ?, ?)", card, person, _text(at.utc))

    def holder_of_card(self, card: CardId) -> Holder | None:
        """Whose card this is, or None."""
        row = self._identity.row("SELECT person FROM card WHERE card = ?", card)
        return self.holder(PersonId(row[0])) if row else None

    def holder(self, person: PersonId) -> Holder | None:
        """What is known of a person now, for a decision; None when there is no such person.

        Where consents can't be read there is none: the face is refused, a card is not.
        """
        row = self._identity.row(
            "SELECT valid_from, valid_until FROM person WHERE person = ?", person
        )
        if row is None:
            return None
        try:
            consent = self.consent_of(person)
        except StoreFailed:
            consent = ConsentState.NONE
        return Holder(person, _time(row[0]), _time(row[1]), consent)

    # Consent

    def consent_of(self, person: PersonId) -> ConsentState:
        """Where this person's newest decided consent stands: asking anew alone takes none away."""
        row = self._biometric.row(
            "SELECT state FROM consent WHERE person = ?"
            " ORDER BY state = 'requested', number DESC LIMIT 1",
            person,
        )
        return ConsentState(row[0]) if row else ConsentState.NONE

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
        """Write where this consent stands now: a new one, or the next state of one that is there.

        `notice_sha256` is of the notice that was shown (64 hex digits, R02), `how` a word for the
        means by which it was said. A decision ends the consent before it, and what was kept
        under it. Raises NotDone for a consent of another person, or one that has ended.
        """
        self._check_consent(person, consent, state)
        given = _text(at.utc) if state is ConsentState.GIVEN else None
        ended = _text(at.utc) if state in _ENDED else None
        with self._biometric.transaction():
            if state is not ConsentState.REQUESTED:
                self._end(person, ConsentState.WITHDRAWN, at, besides=consent)
            self._biometric.run(
                "INSERT INTO consent"
                " (consent_id, person, state, notice_sha256, how, opened_utc, given_utc, ended_utc)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (consent_id) DO UPDATE SET state = excluded.state,"
                " how = excluded.how, notice_sha256 = excluded.notice_sha256,"
                " given_utc = coalesce(given_utc, excluded.given_utc),"
                " ended_utc = excluded.ended_utc",
                *(consent, person, state.value, notice_sha256, how),
                *(_text(at.utc), given, ended),
            )

    # Templates

    def put_templates(
        self, person: PersonId, consent: ConsentId, model_sha256: str, embeddings: Embeddings
    ) -> None:
        """Seal and write these references, float32 (k, width), in place of any there were.

        Raises NotDone when the consent does not stand (the database itself refuses it too), and
        ValueError for another type or shape.
        """
        if embeddings.dtype != np.float32 or embeddings.ndim != 2 or 0 in embeddings.shape:
            raise ValueError("References are float32, one row each.")
        if len(embeddings) > MAX_REFERENCES:
            raise ValueError(f"At most {MAX_REFERENCES} references of a person are kept.")
        if not self._stands(person, consent):
            raise NotDone("There is no consent that stands; no template was written.")
        with self._biometric.transaction():
            replaced = self._biometric.run("DELETE FROM template WHERE person = ?", person)
            for embedding in embeddings:
                self._insert_template(person, consent, model_sha256, embedding)
        if replaced:
            self._biometric.checkpoint()

    def load_references(self, model_sha256: str, into: References) -> int:
        """Enrol everyone whose consent stands with what was captured by this model.

        Returns how many people. Raises SealBroken, naming the template, when one does not open,
        or when the file is damaged; then nobody is enrolled, and face recognition has to stay off.
        """
        into.clear()
        rows = self._sealed_templates(model_sha256)
        with LockedBuffer(MAX_REFERENCES * _FLOAT_BYTES * into.width) as opened:
            try:
                for person, templates in groupby(rows, key=lambda row: PersonId(row[0])):
                    if self._is_known(person):
                        self._enrol(person, list(templates), opened, into)
            except SealBroken:
                into.clear()
                raise
        return len(into)

    def erase_face(
        self, person: PersonId, at: Moment, state: ConsentState = ConsentState.WITHDRAWN
    ) -> None:
        """End this person's consent and erase every template, in the file and in its log.

        The consent's own record stays (D4); `state` says how it ended. Raises StoreFailed when
        traces could not be removed; calling it again tries again.
        """
        if state not in _ENDED:
            raise ValueError("A consent ends refused, withdrawn or expired.")
        with self._biometric.transaction():
            self._end(person, state, at)
            self._biometric.run("DELETE FROM template WHERE person = ?", person)
        self._biometric.checkpoint()

    def finish_erasures(self, withdrawn: Iterable[PersonId], at: Moment) -> int:
        """Erase the face data that should be gone by the log's account; of how many people.

        For the start: an erasure that the disk refused, or an older copy of the file that was put
        back (T34). Raises StoreFailed as above; but where the file is damaged nobody is loaded
        from it either (see `faces_lost`), and there is no one to erase.
        """
        left: set[PersonId] = set()
        try:
            rows = self._biometric.rows("SELECT DISTINCT person FROM template")
            left = {PersonId(row[0]) for row in rows} & set(withdrawn)
            for person in left:
                self.erase_face(person, at)
        except StoreFailed as error:
            self._lose_faces(error)
            return 0
        return len(left)

    def erase_person(self, person: PersonId, at: Moment) -> None:
        """Erase the face, then the person with name and cards. Raises StoreFailed as above."""
        self.erase_face(person, at)
        with self._identity.transaction():
            self._identity.run("DELETE FROM card WHERE person = ?", person)
            self._identity.run("DELETE FROM person WHERE person = ?", person)
        self._identity.checkpoint()

    def counts(self) -> Counts:
        """How much is kept; nothing of what is lost."""
        people, cards = self._identity.rows(
            "SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM card)"
        )[0]
        if self.faces_lost:
            return Counts(people, cards, 0, 0, 0)
        consents, enrolled, templates = self._biometric.rows(
            "SELECT (SELECT count(*) FROM consent WHERE state = 'given'),"
            " (SELECT count(DISTINCT person) FROM template), (SELECT count(*) FROM template)"
        )[0]
        return Counts(people, cards, consents, enrolled, templates)

    # Within

    def _lose_faces(self, error: StoreFailed) -> None:
        """From here on, after `error`, the file of faces is not used. Raises what may pass."""
        if self.faces_lost is not None:
            return
        if not is_unreadable(error):
            raise error
        self._biometric.close()
        self._biometric = LostDatabase(StoreFailed, str(error))

    def _sealed_templates(self, model_sha256: str) -> list[Row]:
        try:
            return self._biometric.rows(
                "SELECT t.person, t.template_id, t.consent_id, t.model_sha256, t.sealed"
                " FROM template t JOIN consent c USING (consent_id)"
                " WHERE t.model_sha256 = ? AND c.state = 'given' AND c.person = t.person"
                " ORDER BY t.person, t.number",
                model_sha256,
            )
        except StoreFailed as error:
            self._lose_faces(error)
            raise SealBroken(str(error)) from error

    def _is_known(self, person: PersonId) -> bool:
        return self._identity.row("SELECT 1 FROM person WHERE person = ?", person) is not None

    def _stands(self, person: PersonId, consent: ConsentId) -> bool:
        row = self._biometric.row(
            "SELECT 1 FROM consent WHERE consent_id = ? AND person = ? AND state = 'given'",
            consent,
            person,
        )
        return row is not None

    def _consents(self) -> dict[PersonId, ConsentState]:
        if self.faces_lost:
            return {}
        rows = self._biometric.rows(
            "SELECT person, state FROM consent ORDER BY state <> 'requested', number"
        )
        return {PersonId(person): ConsentState(state) for person, state in rows}

    @staticmethod
    def _counted(database: Database, statement: str) -> dict[PersonId, int]:
        if isinstance(database, LostDatabase):
            return {}
        return {PersonId(person): count for person, count in database.rows(statement)}

    def _check_consent(self, person: PersonId, consent: ConsentId, state: ConsentState) -> None:
        if state is ConsentState.NONE:
            raise ValueError("A consent that is written has a state.")
        row = self._biometric.row("SELECT person, state FROM consent WHERE consent_id = ?", consent)
        if row is None:
            return
        if row[0] != person:
            raise NotDone("This consent is someone else's.")
        if ConsentState(row[1]) in _ENDED and row[1] != state.value:
            raise NotDone("This consent has ended; a new one is needed.")

    def _end(
        self, person: PersonId, state: ConsentState, at: Moment, besides: ConsentId | None = None
    ) -> None:
        self._biometric.run(
            "UPDATE consent SET state = ?, ended_utc = ?"
            " WHERE person = ? AND state IN ('requested', 'given') AND consent_id IS NOT ?",
            *(state.value, _text(at.utc), person, besides),
        )

    def _sealed_name(self, person: PersonId, name: str) -> bytes:
        plain = _plain(name).encode()
        if not plain or len(plain) > NAME_BYTES or not _plain(name).isprintable():
            raise NotDone(f"A name has 1 to {NAME_BYTES} bytes, all of them to be seen.")
        sealer = self._keys.identity
        return sealer.seal(memoryview(plain), name_aad(person, self._keys.device, sealer.epoch))

    def _name(self, person: PersonId, sealed: bytes) -> str | None:
        sealer = self._keys.identity
        place = self._opened_name.view[: max(len(sealed) - SEAL_BYTES, 0)]
        try:
            sealer.open_into(sealed, name_aad(person, self._keys.device, sealer.epoch), place)
            return str(place, "utf-8")
        except SealBroken:
            return None
        finally:
            self._opened_name.wipe()

    def _aad(self, person: str, template_id: str, consent: str, model_sha256: str) -> bytes:
        return template_aad(
            PersonId(person),
            template_id,
            ConsentId(consent),
            model_sha256,
            self._keys.device,
            self._sealer.epoch,
        )

    @property
    def _sealer(self) -> Sealer:
        return self._keys.biometric

    def _insert_template(
        self, person: PersonId, consent: ConsentId, model_sha256: str, embedding: Embeddings
    ) -> None:
        template_id = secrets.token_hex(16)
        sealed = self._sealer.seal(
            np.ascontiguousarray(embedding).view(np.uint8).data,
            self._aad(person, template_id, consent, model_sha256),
        )
        self._biometric.run(
            "INSERT INTO template (template_id, person, consent_id, model_sha256, epoch, sealed)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(template_id, person, consent, model_sha256, self._sealer.epoch, sealed),
        )

    def _enrol(
        self, person: PersonId, templates: list[Row], opened: LockedBuffer, into: References
    ) -> None:
        """Enrol a person by these templates, which are opened in `opened` meanwhile."""
        if len(templates) > MAX_REFERENCES:
            raise SealBroken(f"There are more templates of {person} than were ever written.")
        references = opened.array(np.float32, (len(templates), into.width))
        try:
            for row, reference in zip(templates, references, strict=True):
                self._open_template(row, reference.view(np.uint8).data)
            into.enrol(person, references)
        except ValueError as error:
            raise SealBroken(f"The templates of {person} are no references.") from error
        finally:
            opened.wipe()

    def _open_template(self, row: Row, out: memoryview) -> None:
        person, template_id, consent, model_sha256, sealed = row
        try:
            aad = self._aad(person, template_id, consent, model_sha256)
            self._sealer.open_into(sealed, aad, out)
        except SealBroken as error:
            raise SealBroken(
                f"Template {template_id} does not open: it was changed, moved or put there by "
                f"someone else; erase the face of {person} and enrol anew."
            ) from error


_ENDED = frozenset({ConsentState.REFUSED, ConsentState.WITHDRAWN, ConsentState.EXPIRED})


def _plain(name: str) -> str:
    """A name as it is kept and compared: composed (NFC), single spaces, none at its ends."""
    return " ".join(normalize("NFC", name).split())


def _text(utc: datetime | None) -> str | None:
    """A time as it is kept. Raises ValueError for one without a time zone."""
    if utc is None:
        return None
    if utc.tzinfo is None:
        raise ValueError("A time that is kept needs its time zone.")
    return utc.astimezone(UTC).isoformat(timespec="microseconds")


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


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
