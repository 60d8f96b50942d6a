"""Whether a face or a credential opens, why it does not, and what else it takes.

Pure questions about one holder at one moment; `access` asks them and acts. The order is fixed: what
was presented, whether it is anybody's, whether it still holds, whether this group may come in now.
Whoever goes out is let out: a reader inside asks only whose the credential is (R21).

A group whose rule is a card and a face may always take the PIN in place of the face, and whoever
has no PIN is not asked for a face either (R03): nobody's face is ever the only second thing.

What changes with this file: `access`, docs/doors.md.
"""

from __future__ import annotations

from enum import Enum

from terminal.core.events import CredentialPresented
from terminal.core.policy import Policy, WeakCards
from terminal.core.timetable import is_open, is_within
from terminal.core.values import (
    CodeState,
    ConsentState,
    Holder,
    Medium,
    Moment,
    Passback,
    Reason,
    Rule,
    Side,
    Ticket,
    Way,
)


class Second(Enum):
    """What it takes besides the credential."""

    NOTHING = "nothing"
    PIN = "pin"
    FACE_OR_PIN = "face_or_pin"


BY_CARD = frozenset({Rule.ANY, Rule.CARD, Rule.CARD_PIN, Rule.CARD_FACE})
BY_QR = frozenset({Rule.ANY, Rule.QR, Rule.QR_PIN})


def face_refusal(holder: Holder | None, at: Moment, policy: Policy) -> Reason | None:
    """Why the holder of this face may not come in by it now, or None."""
    if holder is None:
        return Reason.NOT_RECOGNISED
    if holder.consent is not ConsentState.GIVEN:
        return Reason.NO_CONSENT
    if holder.group.rule is not Rule.ANY:
        return Reason.ANOTHER_WAY
    return _holder_refusal(holder, at, policy)


def refusal(shown: CredentialPresented, policy: Policy) -> Reason | None:
    """Why this credential does not open, whatever else comes with it, or None."""
    if shown.problem is not None:
        return shown.problem
    if not shown.is_checked:
        return Reason.CANT_CHECK
    if shown.holder is None:
        return Reason.UNKNOWN_CARD if shown.medium is Medium.CARD else Reason.UNKNOWN_PASS
    if shown.side is Side.INSIDE:
        return None
    return (
        _ticket_refusal(shown.ticket, shown.at)
        or _medium_refusal(shown, shown.holder, policy)
        or _holder_refusal(shown.holder, shown.at, policy)
    )


def second(shown: CredentialPresented, policy: Policy) -> Second:
    """What it takes besides this credential, which is not refused."""
    holder = shown.holder
    assert holder is not None, "refused otherwise"
    if shown.side is Side.INSIDE or not _takes_two(shown, holder, policy):
        return Second.NOTHING
    return Second.FACE_OR_PIN if _takes_face(shown, holder) else Second.PIN


def way_of(shown: CredentialPresented) -> Way:
    """The way in that this credential alone is."""
    return Way.CARD if shown.medium is Medium.CARD else Way.QR


def way_with_pin(shown: CredentialPresented) -> Way:
    """The way in that this credential and a PIN are."""
    return Way.CARD_PIN if shown.medium is Medium.CARD else Way.QR_PIN


def breaks_passback(holder: Holder, at: Moment) -> bool:
    """Whether somebody comes in who has not gone out, as far as anybody knows.

    Timed passback forgets after its time; so does it all while the clock is not trusted, because
    nobody may be kept out by a wrong clock. Hard passback without a reader inside is soft.
    """
    group = holder.group
    if holder.side is not Side.INSIDE or group.passback is Passback.OFF:
        return False
    if group.passback is not Passback.TIMED:
        return True
    if holder.side_since is None or not at.trusted:
        return False
    return (at.utc - holder.side_since).total_seconds() < group.passback_s


def _holder_refusal(holder: Holder, at: Moment, policy: Policy) -> Reason | None:
    if holder.valid_from is not None or holder.valid_until is not None:
        if not at.trusted:
            return Reason.CLOCK_UNTRUSTED
        if not is_within(at, holder.valid_from, holder.valid_until):
            return Reason.NOT_VALID_NOW
    if holder.group.schedule is not None:
        if not at.trusted:
            return Reason.CLOCK_UNTRUSTED
        if not is_open(holder.group.schedule, at):
            return Reason.NOT_NOW
    refuses = _passback_refuses(holder, policy) and breaks_passback(holder, at)
    return Reason.PASSBACK if refuses else None


def _passback_refuses(holder: Holder, policy: Policy) -> bool:
    """Soft passback only tells; hard passback needs somebody to be able to say they went out."""
    passback = holder.group.passback
    return passback is Passback.TIMED or (passback is Passback.HARD and policy.has_exit_reader)


def _ticket_refusal(ticket: Ticket | None, at: Moment) -> Reason | None:
    if ticket is None:
        return None
    if ticket.is_revoked:
        return Reason.PASS_ENDED
    if not at.trusted:
        return Reason.CLOCK_UNTRUSTED
    if not is_within(at, ticket.valid_from, ticket.valid_until):
        return Reason.NOT_VALID_NOW
    if ticket.code is CodeState.WRONG:
        return Reason.CODE_WRONG
    if ticket.code is CodeState.USED:
        return Reason.CODE_USED
    return Reason.PASS_USED if ticket.left == 0 else None


def _medium_refusal(shown: CredentialPresented, holder: Holder, policy: Policy) -> Reason | None:
    taken = BY_CARD if shown.medium is Medium.CARD else BY_QR
    if holder.group.rule not in taken:
        return Reason.ANOTHER_WAY
    if shown.is_weak and policy.weak_cards is WeakCards.NEVER:
        return Reason.WEAK_CARD
    takes_two = _takes_two(shown, holder, policy)
    return Reason.NO_PIN if takes_two and not holder.has_pin else None


def _takes_two(shown: CredentialPresented, holder: Holder, policy: Policy) -> bool:
    by_rule = holder.group.rule in (Rule.CARD_PIN, Rule.QR_PIN, Rule.CARD_FACE)
    by_pass = shown.ticket is not None and shown.ticket.needs_pin
    weak = shown.is_weak and policy.weak_cards is WeakCards.WITH_PIN
    return by_rule or by_pass or weak


def _takes_face(shown: CredentialPresented, holder: Holder) -> bool:
    agreed = holder.consent is ConsentState.GIVEN
    return holder.group.rule is Rule.CARD_FACE and shown.medium is Medium.CARD and agreed
