"""Consents and sealed templates: the file of faces, under random identifiers alone.

A template is written under a consent that stands, and opened under one, or not at all (R01);
sealed, it is bound to its person, consent, model, device and key epoch (A20). A visitor is asked
for no consent and has no template (R48). What is erased is overwritten in the file and gone from
its log when the call returns (T33).

A face is one way in: where this file is damaged nobody has a consent and no template is loaded, and
every card goes on. What can't be erased from it is never said to be erased.

Never here: a picture, a comparison score, who somebody is. What changes with this file:
`terminal.comparison`, `terminal.recognition`, enrolment and erasure.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from itertools import groupby

import numpy as np

from terminal.comparison import Embeddings, References
from terminal.core.values import ConsentId, ConsentState, Moment, PersonId
from terminal.errors import NotDone, SealBroken, StoreFailed
from terminal.memory import LockedBuffer
from terminal.schema import Database, LostDatabase, Row, is_unreadable
from terminal.sealing import Keys, Sealer, template_aad
from terminal.store.people import Kind
from terminal.store.written import text_of

MAX_REFERENCES = 50
"""At most so many references of one person are kept."""

_FLOAT_BYTES = 4


class Faces:
    """An open biometric database. `kind_of` tells who is registered, and as what."""

    def __init__(
        self, database: Database, keys: Keys, kind_of: Callable[[PersonId], Kind | None]
    ) -> None:
        self._database = database
        self._keys = keys
        self._kind_of = kind_of

    @property
    def lost(self) -> str | None:
        """Why consents and templates can't be used since the start, in a sentence; or None."""
        return self._database.why if isinstance(self._database, LostDatabase) else None

    def close(self) -> None:
        """Let the file go. May be called twice."""
        self._database.close()

    # Consent

    def consent_of(self, person: PersonId) -> ConsentState:
        """Where this person's newest decided consent stands: asking anew alone takes none away."""
        row = self._database.row(
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
        under it. Raises NotDone for a consent of another person, one that has ended, and a visitor.
        """
        self._refuse_visitor(person)
        self._check_consent(person, consent, state)
        given = text_of(at.utc) if state is ConsentState.GIVEN else None
        ended = text_of(at.utc) if state in _ENDED else None
        with self._database.transaction():
            if state is not ConsentState.REQUESTED:
                self._end(person, ConsentState.WITHDRAWN, at, besides=consent)
            self._database.run(
                "INSERT INTO consent"
                " (consent_id, person, state, notice_sha256, how, opened_utc, given_utc, ended_utc)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (consent_id) DO UPDATE SET state = excluded.state,"
                " how = excluded.how, notice_sha256 = excluded.notice_sha256,"
                " given_utc = coalesce(given_utc, excluded.given_utc),"
                " ended_utc = excluded.ended_utc",
                *(consent, person, state.value, notice_sha256, how),
                *(text_of(at.utc), given, ended),
            )

    def consents(self) -> dict[PersonId, ConsentState]:
        """Where the newest decided consent of each person stands; nobody's if they are lost."""
        if self.lost:
            return {}
        rows = self._database.rows(
            "SELECT person, state FROM consent ORDER BY state <> 'requested', number"
        )
        return {PersonId(person): ConsentState(state) for person, state in rows}

    def has_standing(self, person: PersonId) -> bool:
        """Whether any consent of this person stands."""
        row = self._database.row(
            "SELECT 1 FROM consent WHERE person = ? AND state = 'given'", person
        )
        return row is not None

    # Templates

    def put_templates(
        self, person: PersonId, consent: ConsentId, model_sha256: str, embeddings: Embeddings
    ) -> None:
        """Seal and write these references, float32 (k, width), in place of any there were.

        Raises NotDone when the consent does not stand (the database itself refuses it too) and for
        a visitor, and ValueError for another type or shape.
        """
        if embeddings.dtype != np.float32 or embeddings.ndim != 2 or 0 in embeddings.shape:
            raise ValueError("References are float32, one row each.")
        if len(embeddings) > MAX_REFERENCES:
            raise ValueError(f"At most {MAX_REFERENCES} references of a person are kept.")
        self._refuse_visitor(person)
        if not self._stands(person, consent):
            raise NotDone("There is no consent that stands; no template was written.")
        with self._database.transaction():
            replaced = self._database.run("DELETE FROM template WHERE person = ?", person)
            for embedding in embeddings:
                self._insert_template(person, consent, model_sha256, embedding)
        if replaced:
            self._database.checkpoint()

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
                    if self._may_be_loaded(person):
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
        with self._database.transaction():
            self._end(person, state, at)
            self._database.run("DELETE FROM template WHERE person = ?", person)
        self._database.checkpoint()

    def finish_erasures(self, withdrawn: Iterable[PersonId], at: Moment) -> int:
        """Erase the face data that should be gone by the log's account; of how many people.

        For the start: an erasure that the disk refused, or an older copy of the file that was put
        back (T34). Raises StoreFailed as above; but where the file is damaged nobody is loaded
        from it either (see `lost`), and there is no one to erase.
        """
        left: set[PersonId] = set()
        try:
            rows = self._database.rows("SELECT DISTINCT person FROM template")
            left = {PersonId(row[0]) for row in rows} & set(withdrawn)
            for person in left:
                self.erase_face(person, at)
        except StoreFailed as error:
            self._lose(error)
            return 0
        return len(left)

    def counts(self) -> tuple[int, int, int]:
        """How many consents stand, people are enrolled and templates are kept."""
        if self.lost:
            return 0, 0, 0
        consents, enrolled, templates = self._database.rows(
            "SELECT (SELECT count(*) FROM consent WHERE state = 'given'),"
            " (SELECT count(DISTINCT person) FROM template), (SELECT count(*) FROM template)"
        )[0]
        return consents, enrolled, templates

    def templates_each(self) -> dict[PersonId, int]:
        """How many templates there are of each person who has any; of nobody if they are lost."""
        if self.lost:
            return {}
        rows = self._database.rows("SELECT person, count(*) FROM template GROUP BY person")
        return {PersonId(person): count for person, count in rows}

    # Within

    def _refuse_visitor(self, person: PersonId) -> None:
        if self._kind_of(person) is Kind.VISITOR:
            raise NotDone("A visitor comes in by a pass or a card; no face is enrolled (R48).")

    def _may_be_loaded(self, person: PersonId) -> bool:
        return self._kind_of(person) not in (None, Kind.VISITOR)

    def _lose(self, error: StoreFailed) -> None:
        """From here on, after `error`, the file of faces is not used. Raises what may pass."""
        if self.lost is not None:
            return
        if not is_unreadable(error):
            raise error
        self._database.close()
        self._database = LostDatabase(StoreFailed, str(error))

    def _sealed_templates(self, model_sha256: str) -> list[Row]:
        try:
            return self._database.rows(
                "SELECT t.person, t.template_id, t.consent_id, t.model_sha256, t.sealed"
                " FROM template t JOIN consent c USING (consent_id)"
                " WHERE t.model_sha256 = ? AND c.state = 'given' AND c.person = t.person"
                " ORDER BY t.person, t.number",
                model_sha256,
            )
        except StoreFailed as error:
            self._lose(error)
            raise SealBroken(str(error)) from error

    def _stands(self, person: PersonId, consent: ConsentId) -> bool:
        row = self._database.row(
            "SELECT 1 FROM consent WHERE consent_id = ? AND person = ? AND state = 'given'",
            consent,
            person,
        )
        return row is not None

    def _check_consent(self, person: PersonId, consent: ConsentId, state: ConsentState) -> None:
        if state is ConsentState.NONE:
            raise ValueError("A consent that is written has a state.")
        row = self._database.row("SELECT person, state FROM consent WHERE consent_id = ?", consent)
        if row is None:
            return
        if row[0] != person:
            raise NotDone("This consent is someone else's.")
        if ConsentState(row[1]) in _ENDED and row[1] != state.value:
            raise NotDone("This consent has ended; a new one is needed.")

    def _end(
        self, person: PersonId, state: ConsentState, at: Moment, besides: ConsentId | None = None
    ) -> None:
        self._database.run(
            "UPDATE consent SET state = ?, ended_utc = ?"
            " WHERE person = ? AND state IN ('requested', 'given') AND consent_id IS NOT ?",
            *(state.value, text_of(at.utc), person, besides),
        )

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
        self._database.run(
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
