"""Whom a decision is about: one look-up that brings together all that the core may know.

A person's dates, consent, group with its schedule, whether there is a PIN and how often it failed,
and on which side of the door the person was last: one `Holder`. Where consents can't be read there
is none: the face is refused, a card is not. Where the group can't be read the look-up fails, and
whoever asked refuses.

Whereabouts are one small row for each person: the newest passage, and nothing of those before.

Never here: a name. What changes with this file: `terminal.core.values.Holder`, the interpreter.
"""

from __future__ import annotations

from terminal.core.values import ConsentState, Holder, Moment, PersonId, Side
from terminal.errors import NotDone, StoreFailed
from terminal.schema import Database
from terminal.store.faces import Faces
from terminal.store.groups import Groups
from terminal.store.people import Kind
from terminal.store.written import text_of, time_or_none


class Holders:
    """Look-ups of people for decisions, and where they were last seen to pass."""

    def __init__(self, database: Database, groups: Groups, faces: Faces) -> None:
        self._database = database
        self._groups = groups
        self._faces = faces

    def holder(self, person: PersonId) -> Holder | None:
        """What is known of a person now, for a decision; None when there is no such person.

        Raises StoreFailed when the file, or the person's group, can't be read.
        """
        row = self._database.row(
            "SELECT valid_from, valid_until, kind, group_name, salt IS NOT NULL,"
            " coalesce(failures, 0), side, since_utc"
            " FROM person LEFT JOIN pin USING (person) LEFT JOIN whereabouts USING (person)"
            " WHERE person = ?",
            person,
        )
        if row is None:
            return None
        valid_from, valid_until, kind, group, has_pin, failures, side, since = row
        return Holder(
            person=person,
            valid_from=time_or_none(valid_from),
            valid_until=time_or_none(valid_until),
            consent=self._consent(person, kind),
            group=self._groups.resolved(group),
            has_pin=bool(has_pin),
            pin_failures=failures,
            side=_side(side),
            side_since=time_or_none(since),
        )

    def note_passage(self, person: PersonId, side: Side, at: Moment) -> None:
        """Write on which side this person is now. Raises NotDone for nobody."""
        written = self._database.run(
            "INSERT INTO whereabouts (person, side, since_utc)"
            " SELECT person, ?, ? FROM person WHERE person = ?"
            " ON CONFLICT (person) DO UPDATE SET side = excluded.side,"
            " since_utc = excluded.since_utc",
            *(side.value, text_of(at.utc), person),
        )
        if not written:
            raise NotDone(f"{person} is not registered.")

    def reset_whereabouts(self, person: PersonId | None = None) -> int:
        """Forget where this person is, or everyone; of how many people something was known."""
        if person is None:
            return self._database.run("DELETE FROM whereabouts")
        return self._database.run("DELETE FROM whereabouts WHERE person = ?", person)

    def _consent(self, person: PersonId, kind: str) -> ConsentState:
        if kind == Kind.VISITOR.value:
            return ConsentState.NONE
        try:
            return self._faces.consent_of(person)
        except StoreFailed:
            return ConsentState.NONE


def _side(text: str | None) -> Side | None:
    try:
        return None if text is None else Side(text)
    except ValueError as error:
        raise StoreFailed("Where a person is can't be read; reset it.") from error
