"""QR passes: what was issued to whom, and each use counted once, durably, before anything opens.

The pass itself (the text in the QR code) is kept nowhere; here is its random number, what it
says, and how often it was used. `spend` is one statement in one transaction, on the disk when it
returns: a pass that is revoked, used up, or whose rotating code was used already is not spent, and
nothing changes. No clock has a part in it, so setting one back brings no use back (A10, T17). The
table refuses a use too many and a use given back whoever writes to it.

What this can't know: an older copy of the file that was put back has the counts of its day. Passes
issued since are unknown in it and refused; uses counted since may be had once more, and a pass
revoked since stands again. The newest records of the log say what is missing (T34's limit).

Never here: a signature, a date compared with now, a decision. What changes with this file: the
interpreter, the commands for passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from terminal.core.values import Moment, PassId, PersonId
from terminal.errors import NotDone, StoreFailed
from terminal.schema import Database, Row
from terminal.store.people import Kind, People
from terminal.store.written import text_of, time_of, time_or_none

MOST_USES = 10_000
_MOST_STEP = 2**40  # of 30 s or of one: further than any calendar
_HEX = frozenset("0123456789abcdef")


class PassKind(Enum):
    """What a pass is for."""

    RESIDENT = "resident"
    STATIC = "static"
    VISITOR = "visitor"
    ONCE = "once"


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass says. `uses` 0: as often as wanted; `host`: who invited, for a visitor's.

    `rotates`: it carries a code of the minute, which is good once; `is_marked`: whoever shows it
    is under duress; `key_id`: which key it is signed with.
    """

    number: PassId
    person: PersonId
    kind: PassKind
    valid_from: datetime
    valid_until: datetime
    uses: int
    rotates: bool
    needs_pin: bool
    is_marked: bool
    key_id: str
    host: PersonId | None = None


@dataclass(frozen=True, slots=True)
class IssuedPass:
    """A pass and what became of it. `last_step` is that of the newest rotating code used."""

    facts: Pass
    issued: datetime
    used: int
    last_step: int | None
    revoked: datetime | None

    @property
    def left(self) -> int | None:
        """How often it may still be used; None: as often as wanted."""
        return None if self.facts.uses == 0 else self.facts.uses - self.used

    @property
    def is_revoked(self) -> bool:
        """Whether it was taken back."""
        return self.revoked is not None


class Passes:
    """The table of passes in an open identity database."""

    def __init__(self, database: Database, people: People) -> None:
        self._database = database
        self._people = people

    def issue(self, facts: Pass, at: Moment) -> None:
        """Write a new pass. Raises NotDone for a number that is taken and for what is no pass."""
        self._check(facts)
        if self.of_number(facts.number) is not None:
            raise NotDone("There is a pass of that number; draw another.")
        self._database.run(
            "INSERT INTO pass (pass_id, person, kind, valid_from, valid_until, uses, rotates,"
            " needs_pin, is_marked, key_id, host, issued_utc)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(facts.number, facts.person, facts.kind.value),
            *(text_of(facts.valid_from), text_of(facts.valid_until), facts.uses),
            *(facts.rotates, facts.needs_pin, facts.is_marked, facts.key_id, facts.host),
            text_of(at.utc),
        )

    def all(self, person: PersonId | None = None) -> list[IssuedPass]:
        """Every pass, or those of this person and of this person's visitors, the oldest first."""
        rows = self._database.rows(
            "SELECT pass_id, person, kind, valid_from, valid_until, uses, rotates, needs_pin,"
            " is_marked, key_id, host, issued_utc, used, last_step, revoked_utc FROM pass"
            " WHERE ? IS NULL OR person = ? OR host = ? ORDER BY rowid",
            *(person, person, person),
        )
        return [_issued(row) for row in rows]

    def of_number(self, number: PassId) -> IssuedPass | None:
        """The pass of this number, also when it is revoked or used up; None for no such pass."""
        row = self._database.row(
            "SELECT pass_id, person, kind, valid_from, valid_until, uses, rotates, needs_pin,"
            " is_marked, key_id, host, issued_utc, used, last_step, revoked_utc FROM pass"
            " WHERE pass_id = ?",
            number,
        )
        return None if row is None else _issued(row)

    def spend(self, number: PassId, step: int | None) -> bool:
        """Count one use of this pass, if it may be used; whether it was.

        `step` is the time step of its rotating code: a pass that rotates needs one above the last,
        a pass that does not has none. False changes nothing. When True was returned the use is on
        the disk; where StoreFailed is raised it is not, and nothing may open.
        """
        if step is not None and not 0 <= step <= _MOST_STEP:
            return False
        with self._database.transaction():
            spent = self._database.run(
                "UPDATE pass SET used = used + 1, last_step = coalesce(?, last_step)"
                " WHERE pass_id = ? AND revoked_utc IS NULL AND (uses = 0 OR used < uses)"
                " AND rotates = (? IS NOT NULL) AND (last_step IS NULL OR last_step < ?)",
                *(step, number, step, step),
            )
        return spent == 1

    def revoke(self, number: PassId, at: Moment) -> None:
        """Take this pass back for good; once more is no error. Raises NotDone for no such pass."""
        found = self.of_number(number)
        if found is None:
            raise NotDone("There is no such pass.")
        self._database.run(
            "UPDATE pass SET revoked_utc = ? WHERE pass_id = ? AND revoked_utc IS NULL",
            *(text_of(at.utc), number),
        )

    def revoke_of_host(self, host: PersonId, at: Moment) -> int:
        """Take back whatever this person invited others with; how many passes."""
        return self._database.run(
            "UPDATE pass SET revoked_utc = ? WHERE host = ? AND revoked_utc IS NULL",
            *(text_of(at.utc), host),
        )

    def forget_ended(self, before: datetime) -> int:
        """Erase the passes that ended before this; how many. An unknown pass is refused as well."""
        gone = self._database.run("DELETE FROM pass WHERE valid_until < ?", text_of(before))
        if gone:
            self._database.checkpoint()
        return gone

    # Within

    def _check(self, facts: Pass) -> None:
        if len(facts.number) != 16 or not _HEX.issuperset(facts.number):
            raise NotDone("The number of a pass is 16 hexadecimal digits.")
        if not facts.valid_from < facts.valid_until:
            raise NotDone("A pass begins before it ends.")
        if not 0 <= facts.uses <= MOST_USES:
            raise NotDone(f"A pass is for at most {MOST_USES} uses, or for any number (0).")
        if facts.kind is PassKind.ONCE and facts.uses != 1:
            raise NotDone("A one-time pass is for one use.")
        self._check_people(facts)
        if self._database.row("SELECT 1 FROM pass_key WHERE key_id = ?", facts.key_id) is None:
            raise NotDone("The pass is signed with a key that is not this terminal's.")

    def _check_people(self, facts: Pass) -> None:
        kind = self._people.kind_of(facts.person)
        if kind is None:
            raise NotDone(f"{facts.person} is not registered.")
        if kind is Kind.VISITOR and facts.kind is PassKind.RESIDENT:
            raise NotDone("A visitor gets no resident's pass.")
        if facts.host is not None:
            self._people.require(facts.host)


def _issued(row: Row) -> IssuedPass:
    number, person, kind, valid_from, valid_until, *rest = row
    uses, rotates, needs_pin, is_marked, key_id, host, issued, used, last_step, revoked = rest
    facts = Pass(
        number=PassId(number),
        person=PersonId(person),
        kind=_kind(kind),
        valid_from=time_of(valid_from),
        valid_until=time_of(valid_until),
        uses=uses,
        rotates=bool(rotates),
        needs_pin=bool(needs_pin),
        is_marked=bool(is_marked),
        key_id=key_id,
        host=host,
    )
    return IssuedPass(facts, time_of(issued), used, last_step, time_or_none(revoked))


def _kind(text: str) -> PassKind:
    try:
        return PassKind(text)
    except ValueError as error:
        raise StoreFailed("The kind of a pass can't be read; put back a copy.") from error
