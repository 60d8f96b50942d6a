"""Issuing passes: from what an operator asks for to a pass that is written down and signed.

Four kinds (docs/passes.md). A *resident* pass changes its code on the phone; a *static* one stays
as it is, so it takes the PIN besides; a *visitor*'s is good for some time and some uses and names
whose visitor that is; a pass for *once* opens once. What counts its uses is for this door alone. A
pass is not kept: it is made again from its row, the same, for whoever may see it again.

What changes with this file: docs/passes.md, what `terminalctl pass issue` says.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from terminal.core.values import Moment, PassId, PersonId
from terminal.errors import NotDone
from terminal.identifiers import new_identifier
from terminal.passes.token import (
    LONGEST,
    Token,
    audience_of_door,
    audience_of_group,
    encode,
)
from terminal.requests import Line, PassIssue
from terminal.sealing import Keys
from terminal.signing import SigningKey
from terminal.store import Person, Store
from terminal.store.passes import IssuedPass, Pass, PassKind
from terminal.store.people import Details, Kind

NUMBER_BYTES = 8


@dataclass(frozen=True, slots=True)
class Wish:
    """A pass that may be issued; `visitor` is the name of a visitor who is to be registered."""

    number: PassId
    holder: PersonId
    kind: str
    valid_from: datetime
    valid_until: datetime
    uses: int
    host: PersonId | None = None
    visitor: str | None = None
    is_marked: bool = False

    @property
    def rotates(self) -> bool:
        """Whether the phone shows another code every half minute."""
        return self.kind == "resident"

    @property
    def needs_pin(self) -> bool:
        """Whether the holder's PIN is asked for besides."""
        return self.kind == "static"


class Issuing:
    """Issues the passes of one door; `site` and `door_group` as configured."""

    def __init__(self, store: Store, keys: Keys, site: str, door_group: str) -> None:
        self._store, self._keys, self._site = store, keys, site
        self._group = audience_of_group(door_group)
        self._door = audience_of_door(keys.device)

    def wish(self, request: PassIssue, who: Person, at: Moment) -> Wish:
        """What is asked for, if it may be. Raises NotDone."""
        _check_clock(at)
        begins = _whole(request.valid_from or at.utc)
        ends = _whole(request.valid_until)
        if not timedelta() < ends - begins <= LONGEST or ends <= at.utc:
            raise NotDone("A pass ends after it begins, after now, and within ten years.")
        uses = _uses(request)
        if request.kind == "static" and not self._has_pin(who.person):
            raise NotDone("A static pass takes a PIN besides, and this person has none: pin set.")
        is_visitor = request.visitor is not None
        return Wish(
            number=PassId(secrets.token_hex(NUMBER_BYTES)),
            holder=PersonId(new_identifier()) if is_visitor else who.person,
            kind=request.kind,
            valid_from=begins,
            valid_until=ends,
            uses=uses,
            host=who.person if is_visitor else None,
            visitor=request.visitor,
            is_marked=request.is_marked,
        )

    def issue(self, wish: Wish, at: Moment) -> Line:
        """Write it down, with the visitor, and sign it; all of it or nothing.

        Raises NotDone, StoreFailed.
        """
        with self._store.batch():
            if wish.visitor is not None:
                self._register(wish, wish.visitor, at)
            self._store.passes.issue(_facts(wish, self._store.pass_keys.current(at)), at)
        return self.show(wish.number, at)

    def show(self, number: PassId, at: Moment) -> Line:
        """A pass once more. Raises NotDone for one that can't be signed as it was."""
        found = self._store.passes.of_number(number)
        if found is None:
            raise NotDone("There is no pass of this number; terminalctl pass list shows them.")
        if found.is_revoked:
            raise NotDone("This pass was revoked; issue a new one.")
        facts = found.facts
        if facts.key_id != self._store.pass_keys.current(at):
            raise NotDone("This pass was signed with a key that was changed; issue a new one.")
        with self._store.pass_keys.open_private(facts.key_id) as secret:
            text = encode(self._token(facts), SigningKey(secret))
        return {**pass_line(found), "site": self._site, "text": text, **self._secret(facts)}

    def change_key(self, at: Moment, overlap: timedelta) -> str:
        """Sign with a new key from now on; the identifier of it."""
        return self._store.pass_keys.rotate(at, overlap)

    def _has_pin(self, person: PersonId) -> bool:
        holder = self._store.holder(person)
        return holder is not None and holder.has_pin

    def _register(self, wish: Wish, name: str, at: Moment) -> None:
        details = Details(
            name=name,
            valid_from=wish.valid_from,
            valid_until=wish.valid_until,
            kind=Kind.VISITOR,
            host=wish.host,
        )
        self._store.register(wish.holder, details, at)

    def _token(self, row: Pass) -> Token:
        return Token(
            key_id=row.key_id,
            holder=row.person,
            number=row.number,
            audience=self._door if row.uses else self._group,
            not_before=row.valid_from,
            not_after=row.valid_until,
            uses=row.uses,
            rotates=row.rotates,
            needs_pin=row.needs_pin,
            one_door=row.uses > 0,
        )

    def _secret(self, row: Pass) -> Line:
        """For the phone alone: whoever has it has the pass."""
        if not row.rotates:
            return {}
        with self._keys.pass_secret(row.person, row.number) as secret:
            return {"secret": secret.view.hex()}


def _facts(wish: Wish, key_id: str) -> Pass:
    return Pass(
        number=wish.number,
        person=wish.holder,
        kind=PassKind(wish.kind),
        valid_from=wish.valid_from,
        valid_until=wish.valid_until,
        uses=wish.uses,
        rotates=wish.rotates,
        needs_pin=wish.needs_pin,
        is_marked=wish.is_marked,
        key_id=key_id,
        host=wish.host,
    )


def pass_line(found: IssuedPass) -> Line:
    """A pass as a line of an answer: nothing that opens a door."""
    row = found.facts
    return {
        "number": row.number,
        "person": row.person,
        "kind": row.kind.value,
        "valid_from": row.valid_from.isoformat(),
        "valid_until": row.valid_until.isoformat(),
        "uses": row.uses,
        "used": found.used,
        "rotates": row.rotates,
        "needs_pin": row.needs_pin,
        "is_revoked": found.is_revoked,
        "host": row.host,
    }


def _uses(request: PassIssue) -> int:
    """How often it opens. Raises NotDone for what does not go with its kind."""
    is_visitor = request.visitor is not None
    if request.kind == "visitor" and not is_visitor:
        raise NotDone("A visitor's pass names the visitor.")
    if is_visitor and request.kind in ("resident", "static"):
        raise NotDone("A visitor gets a pass for some visits, or for once.")
    if request.kind == "once":
        if request.uses not in (0, 1):
            raise NotDone("A pass for once opens once.")
        return 1
    if request.kind == "visitor":
        return request.uses or 1
    if request.uses:
        raise NotDone("A resident's pass does not count its uses.")
    return 0


def _check_clock(at: Moment) -> None:
    if not at.trusted:
        raise NotDone("The terminal's clock is not right, so no pass can be dated: set the clock.")


def _whole(utc: datetime) -> datetime:
    """Without a fraction of a second, as a pass has it. Raises NotDone without a time zone."""
    if utc.tzinfo is None:
        raise NotDone("A time needs its time zone.")
    return utc.astimezone(UTC).replace(microsecond=0)
