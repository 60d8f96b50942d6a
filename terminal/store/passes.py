"""QR passes: what was issued to whom, how often each was used, and which are ended.

A pass itself is kept nowhere: its row says what was issued, and the pass is made from it again. A
use is counted in one transaction, and only if there is one left: whoever asks, and however often,
a pass is never spent more often than it says (T17), and a rotating code never twice. No clock is
looked at, so none can be turned back to spend anything again. An older copy of the file that is put
back brings uses back with it: that a copy was put back is for the log's witness to find.

Never here: a signature, a secret. What changes with this file: `terminal.issuing`, `credential`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from terminal.core.values import Moment, PassId, PersonId
from terminal.errors import NotDone
from terminal.schema import Database, Row
from terminal.store.people import People
from terminal.store.written import text_of, time_of


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass as it was issued, and what became of it. `uses` 0: as often as wanted."""

    number: PassId
    person: PersonId
    kind: str
    valid_from: datetime
    valid_until: datetime
    uses: int
    rotates: bool
    needs_pin: bool
    is_marked: bool
    key_id: str
    host: PersonId | None = None
    used: int = 0
    last_step: int | None = None
    is_revoked: bool = False


class Passes:
    """The table of passes in an open identity database."""

    def __init__(self, database: Database, people: People) -> None:
        self._database = database
        self._people = people

    def issue(self, row: Pass, at: Moment) -> None:
        """Write a new pass. Raises NotDone for nobody's, and for a number that is there."""
        self._people.require(row.person)
        if self.one(row.number) is not None:
            raise NotDone("There is a pass of this number already.")
        self._database.run(
            "INSERT INTO pass (pass_id, person, kind, valid_from, valid_until, uses, rotates,"
            " needs_pin, is_marked, key_id, host, issued_utc)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(row.number, row.person, row.kind, text_of(row.valid_from), text_of(row.valid_until)),
            *(row.uses, row.rotates, row.needs_pin, row.is_marked, row.key_id, row.host),
            text_of(at.utc),
        )

    def one(self, number: PassId) -> Pass | None:
        """The pass of this number, or None."""
        row = self._database.row(
            "SELECT pass_id, person, kind, valid_from, valid_until, uses, rotates, needs_pin,"
            " is_marked, key_id, host, used, last_step, revoked_utc FROM pass WHERE pass_id = ?",
            number,
        )
        return None if row is None else _pass(row)

    def all(self, person: PersonId | None = None) -> list[Pass]:
        """Every pass, or those of this person and of this person's visitors, oldest first."""
        rows = self._database.rows(
            "SELECT pass_id, person, kind, valid_from, valid_until, uses, rotates, needs_pin,"
            " is_marked, key_id, host, used, last_step, revoked_utc FROM pass"
            " WHERE ? IS NULL OR person = ? OR host = ? ORDER BY rowid",
            *(person, person, person),
        )
        return [_pass(row) for row in rows]

    def spend(self, number: PassId, step: int | None, at: Moment) -> bool:
        """Durably count one use, of this step where it rotates; False, and nothing, if it may not.

        It may not when it is revoked or used up, or the step is no later than one that was used.
        """
        counted = self._database.run(
            "UPDATE pass SET used = used + 1, last_step = coalesce(?, last_step)"
            " WHERE pass_id = ? AND revoked_utc IS NULL AND (uses = 0 OR used < uses)"
            " AND (rotates = (? IS NOT NULL)) AND (? IS NULL OR ? > coalesce(last_step, -1))",
            *(step, number, step, step, step),
        )
        return counted == 1

    def revoke(self, number: PassId, at: Moment) -> None:
        """End this pass, for good; once more changes nothing. Raises NotDone for none."""
        if self.one(number) is None:
            raise NotDone("There is no pass of this number.")
        self._database.run(
            "UPDATE pass SET revoked_utc = ? WHERE pass_id = ? AND revoked_utc IS NULL",
            *(text_of(at.utc), number),
        )


def _pass(row: Row) -> Pass:
    number, person, kind, begins, ends, uses, rotates, needs_pin, is_marked, key_id = row[:10]
    host, used, last_step, revoked = row[10:]
    return Pass(
        number=PassId(number),
        person=PersonId(person),
        kind=kind,
        valid_from=time_of(begins),
        valid_until=time_of(ends),
        uses=uses,
        rotates=bool(rotates),
        needs_pin=bool(needs_pin),
        is_marked=bool(is_marked),
        key_id=key_id,
        host=None if host is None else PersonId(host),
        used=used,
        last_step=last_step,
        is_revoked=revoked is not None,
    )
