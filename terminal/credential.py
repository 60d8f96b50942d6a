"""From what a reader read to a credential: whose it is, what it proves, what the store knows of it.

A reader is hostile input. A pass is checked from the outside in (`passes.token.check`), its
signature before anything is looked up (A7); a card is its keyed hash; what a card can't prove (that
it is no copy) is said with it (D14). Whether any of it opens is decided in the core.

What could not be looked up says so, and what is wrong with a code is one of a few words: nothing of
what was read goes on from here.

What changes with this file: `interpret`, docs/passes.md, docs/readers.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hw.ports import ReadKind
from terminal.core.events import CredentialPresented
from terminal.core.values import (
    PASS_PREFIX,
    CodeFault,
    CodeState,
    Holder,
    Medium,
    Moment,
    Reason,
    Side,
    Ticket,
)
from terminal.errors import StoreFailed
from terminal.passes.rotation import Judged, judged
from terminal.passes.token import (
    NoPass,
    PassRefused,
    Token,
    audience_of_door,
    audience_of_group,
    check,
)
from terminal.reading import ReadingRefused, read_card
from terminal.sealing import Keys
from terminal.store import Store
from terminal.store.passes import IssuedPass

CAMERA = "camera"
"""What the camera's codes are called where readers have their names."""

WHY: Mapping[NoPass, Reason] = {
    NoPass.NOT_ONE: Reason.UNKNOWN_PASS,
    NoPass.UNKNOWN_KEY: Reason.UNKNOWN_PASS,
    NoPass.NOT_SIGNED: Reason.UNKNOWN_PASS,
    NoPass.RETIRED_KEY: Reason.PASS_ENDED,
    NoPass.OTHER_DOOR: Reason.OTHER_DOOR,
}
"""What a person may know: not whether it was nearly a pass."""

FAULTS: Mapping[CodeFault, Reason] = {
    CodeFault.SEVERAL: Reason.SEVERAL_CODES,
    CodeFault.TOO_LONG: Reason.NOT_A_PASS,
    CodeFault.FOREIGN: Reason.NOT_A_PASS,
}


class Credentials:
    """Reads credentials for one door of one group; one thread, the loop's.

    `inside` are the readers on the way out; `complain` gets what is wrong, in words without a
    number in them.
    """

    def __init__(
        self,
        store: Store,
        keys: Keys,
        door_group: str,
        inside: frozenset[str],
        complain: Callable[[str], None],
    ) -> None:
        self._store, self._keys, self._complain = store, keys, complain
        self._audiences = frozenset({audience_of_door(keys.device), audience_of_group(door_group)})
        self._inside = inside

    def read(self, reader: str, raw: bytes, kind: ReadKind, at: Moment) -> CredentialPresented:
        """What this reader read (any bytes), as a credential."""
        if raw.startswith(PASS_PREFIX):
            return self.code(reader, raw, at)
        return self._card(reader, raw, kind, at)

    def code(self, reader: str, raw: bytes, at: Moment) -> CredentialPresented:
        """A code that begins as a pass does (any bytes), as a credential."""
        try:
            token = check(raw, self._store.pass_keys.keyring(), self._audiences, at.utc)
            return self._pass(reader, token, at)
        except PassRefused as refused:
            self._complain(str(refused))
            return self._code_with(reader, at, WHY[refused.why])
        except StoreFailed as error:
            self._complain(str(error))
            return self._code_with(reader, at, Reason.CANT_CHECK)

    def fault(self, why: CodeFault, at: Moment) -> CredentialPresented:
        """Codes before the camera none of which can be taken."""
        return self._code_with(CAMERA, at, FAULTS[why])

    # Cards

    def _card(self, reader: str, raw: bytes, kind: ReadKind, at: Moment) -> CredentialPresented:
        side = self._side(reader)
        is_weak = kind is not ReadKind.AUTHENTICATED
        try:
            card = read_card(raw, self._keys, is_authenticated=not is_weak)
        except ReadingRefused as refused:
            self._complain(str(refused))
            return CredentialPresented(at, reader, None, None, is_weak=is_weak, side=side)
        try:
            known = self._store.holder_of_card(card)
        except StoreFailed as error:
            self._complain(str(error))
            return CredentialPresented(at, reader, None, None, is_checked=False, side=side)
        if known is None:
            return CredentialPresented(at, reader, card, None, is_weak=is_weak, side=side)
        weak = is_weak or known.is_weak
        return CredentialPresented(at, reader, card, known.holder, is_weak=weak, side=side)

    # Passes

    def _pass(self, reader: str, token: Token, at: Moment) -> CredentialPresented:
        """The signature holds: now it may be looked up."""
        known = self._store.passes.of_number(token.number)
        if known is None or known.facts.person != token.holder:
            return self._code_with(reader, at, Reason.UNKNOWN_PASS)
        holder = self._store.holder(token.holder)
        if holder is None:
            return self._code_with(reader, at, Reason.UNKNOWN_PASS)
        return self._shown(reader, at, holder, self._ticket(token, known, at))

    def _ticket(self, token: Token, known: IssuedPass, at: Moment) -> Ticket:
        code = self._judged(token, known, at)
        return Ticket(
            number=token.number,
            valid_from=token.not_before,
            valid_until=token.not_after,
            left=None if token.uses == 0 else max(0, token.uses - known.used),
            needs_pin=token.needs_pin,
            code=code.state,
            step=code.step,
            is_revoked=known.is_revoked,
            is_marked=known.facts.is_marked,
        )

    def _judged(self, token: Token, known: IssuedPass, at: Moment) -> Judged:
        if token.code is None:
            return Judged(CodeState.NONE)
        with self._keys.pass_secret(token.holder, token.number) as secret:
            return judged(secret.view, token.code, at.utc, known.last_step)

    def _shown(
        self, reader: str, at: Moment, holder: Holder, ticket: Ticket
    ) -> CredentialPresented:
        return CredentialPresented(
            at, reader, None, holder, medium=Medium.QR, ticket=ticket, side=self._side(reader)
        )

    def _code_with(self, reader: str, at: Moment, problem: Reason) -> CredentialPresented:
        return CredentialPresented(
            at,
            reader,
            None,
            None,
            medium=Medium.QR,
            problem=problem,
            side=self._side(reader),
        )

    def _side(self, reader: str) -> Side:
        return Side.INSIDE if reader in self._inside else Side.OUTSIDE
