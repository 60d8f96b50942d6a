"""Coming in by a card or a QR pass, by a second thing where that is wanted, and going out.

A credential is heard in every phase, and ends a face scan at once. What it takes besides (a PIN, or
the holder's face) is waited for with the credential in hand (`pin_way`, `face_way`); how it ends
stands in `letting_in`. Readers never pause (D13). A code that is no pass of anybody disturbs
nothing: whoever wears one on a shirt has shown no credential.

After a decline the same things happen, and the decline goes on: nothing more is asked (R12).

What changes with this file: the rows of `access` that begin with a credential, docs/states.md.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.core.admission import Second, refusal, second, way_of
from terminal.core.effects import Effect, Play, Sound
from terminal.core.events import (
    CredentialPresented,
    DoorBarred,
    Event,
    PassSpent,
    StrikeAsked,
    TimePassed,
)
from terminal.core.letting_in import duress_told, finished, given_up, must_be_spent, spending
from terminal.core.pin_tally import is_delayed, with_stored
from terminal.core.policy import Policy
from terminal.core.reader_tally import with_none_refused, with_refusal
from terminal.core.table import is_due
from terminal.core.transaction import (
    AccessPhase,
    AccessState,
    Pending,
    Step,
    aside,
    barred,
    begun,
    ended,
    refused,
)
from terminal.core.values import Outcome, Reason, Side

FOREIGN = frozenset({Reason.NOT_A_PASS, Reason.SEVERAL_CODES})
"""What some code in the picture may be that nobody holds up: it counts against no one."""

# Guards


def is_foreign(state: AccessState, event: CredentialPresented, policy: Policy) -> bool:
    return event.problem in FOREIGN


def is_foreign_outside(state: AccessState, event: CredentialPresented, policy: Policy) -> bool:
    return event.problem in FOREIGN and event.side is Side.OUTSIDE


def leaves(state: AccessState, event: CredentialPresented, policy: Policy) -> bool:
    inside = event.side is Side.INSIDE
    return inside and refusal(event, policy) is None and not state.interlocked


def is_inside(state: AccessState, event: CredentialPresented, policy: Policy) -> bool:
    return event.side is Side.INSIDE


def is_in_hand(state: AccessState, event: CredentialPresented, policy: Policy) -> bool:
    """The pass that is waited with, seen once more by the camera that it is held before."""
    pending, ticket = state.pending, event.ticket
    if pending is None or pending.shown.ticket is None or ticket is None:
        return False
    return pending.shown.ticket.number == ticket.number


def opens_at_once(state: AccessState, event: CredentialPresented, policy: Policy) -> bool:
    return opens_once_spent(state, event, policy) and not must_be_spent(event.ticket)


def opens_once_spent(state: AccessState, event: CredentialPresented, policy: Policy) -> bool:
    return needs_second(state, event, policy) and second(event, policy) is Second.NOTHING


def needs_second(state: AccessState, event: CredentialPresented, policy: Policy) -> bool:
    return _refusal(state, event, policy) is None


def was_spent(state: AccessState, event: PassSpent, policy: Policy) -> bool:
    return event.done and is_spending(state, event, policy)


def is_spending(state: AccessState, event: PassSpent, policy: Policy) -> bool:
    pending = state.pending
    if pending is None or pending.shown.ticket is None:
        return False
    return pending.is_spending and pending.shown.ticket.number == event.number


def waiting_is_over(state: AccessState, event: TimePassed, policy: Policy) -> bool:
    return state.pending is not None and is_due(state.pending.until_s, event.at.mono_s)


def bars_the_holder(state: AccessState, event: DoorBarred, policy: Policy) -> bool:
    """A lockdown, or the other door, came between the credential and the second thing."""
    pending = state.pending
    return pending is not None and barred(_barred(state, event), pending.holder) is not None


def _refusal(state: AccessState, event: CredentialPresented, policy: Policy) -> Reason | None:
    """Why this credential does not open now; a PIN that may not be typed yet is told at once."""
    reason = refusal(event, policy) or barred(state, event.holder)
    if reason is not None or event.holder is None or second(event, policy) is not Second.PIN:
        return reason
    now_s = event.at.mono_s
    known = with_stored(state, event.holder, now_s)
    return Reason.PIN_DELAY if is_delayed(known, event.holder.person, now_s) else None


# A credential


def let_in_by_credential(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    taken, last = _taken_up(state, event, policy)
    after, outputs = finished(taken, _pending(event, policy), event.at, policy)
    return after, (*last, *outputs)


def spend(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    taken, last = _taken_up(state, event, policy)
    after, outputs = spending(taken, _pending(event, policy))
    return after, (*last, *outputs)


def ask_second(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    taken, last = _taken_up(state, event, policy)
    pending = _pending(event, policy)
    pending = replace(pending, is_checking=_is_checking(state, pending))
    if state.phase is AccessPhase.DECLINED:
        pending = replace(pending, wants=Second.PIN)
    return replace(taken, pending=pending, until_s=None), (*last, Play(Sound.PROMPT))


def refuse_credential(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    taken, last = _taken_up(state, event, policy)
    reason = _refusal(state, event, policy) or Reason.CANT_CHECK
    counted, records = with_refusal(taken, event, reason)
    if state.phase is AccessPhase.DECLINED:
        return replace(counted, reason=reason), (*last, *records, Play(Sound.REFUSED))
    ends = ended(counted, event.at, Outcome.REFUSED)
    after = refused(counted, event.at, policy, reason)
    return after, (*last, *records, Play(Sound.REFUSED), *ends)


def show_foreign(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    return refused(state, event.at, policy, event.problem or Reason.NOT_A_PASS), ()


def note_foreign(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    return replace(state, reason=event.problem), ()


def leave_alone(state: AccessState, event: Event, policy: Policy) -> Step:
    return state, ()


def _taken_up(
    state: AccessState, event: CredentialPresented, policy: Policy
) -> tuple[AccessState, tuple[Effect, ...]]:
    """The transaction of this credential: a new one, or after a decline the one that it began."""
    way = way_of(event)
    known = with_stored(state, event.holder, event.at.mono_s)
    if state.phase is AccessPhase.DECLINED:
        known = replace(known, until_s=None)
        if not state.is_running:
            return begun(known, event.at, way), ()
        waited_s = state.waited_s or event.at.mono_s - state.began_s
        same = replace(known, way=way, steps=state.steps + 1, waited_s=waited_s)
        return replace(same, pending=None, reason=None), ()
    last = ended(state, event.at, Outcome.ABANDONED)
    new = replace(begun(known, event.at, way), track=None, hint=None)
    return aside(new, event.at, policy), last


def _pending(event: CredentialPresented, policy: Policy) -> Pending:
    now_s = event.at.mono_s
    return Pending(
        shown=event,
        wants=second(event, policy),
        way=way_of(event),
        since_s=now_s,
        until_s=now_s + policy.second_wait_s,
        is_marked=_is_marked(event),
    )


def _is_checking(state: AccessState, new: Pending) -> bool:
    """Whether a PIN of this holder is being checked: a card shown again begins no second check."""
    old = state.pending
    return old is not None and old.is_checking and old.person == new.person


def _is_marked(event: CredentialPresented) -> bool:
    return event.ticket is not None and event.ticket.is_marked


# The way out


def let_out(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    assert event.holder is not None, "guarded by `leaves`"
    way = way_of(event)
    told = duress_told(event.at, event.holder, way, _is_marked(event))
    asked = StrikeAsked(event.at, way, event.holder.person, event.reader, Side.INSIDE)
    return with_none_refused(state, event.reader), (*told, asked, Play(Sound.GRANTED))


def refuse_exit(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    """Whoever is not known is not let out by this reader; leaving needs no reader (R21)."""
    reason = refusal(event, policy) or Reason.INTERLOCK
    counted, records = with_refusal(state, event, reason)
    return counted, (*records, Play(Sound.REFUSED))


# What comes in between


def let_in_by_pass(state: AccessState, event: PassSpent, policy: Policy) -> Step:
    assert state.pending is not None, "guarded by `was_spent`"
    return finished(state, state.pending, event.at, policy)


def refuse_unspent(state: AccessState, event: PassSpent, policy: Policy) -> Step:
    return given_up(state, event.at, policy, Reason.CANT_CHECK)


def refuse_unanswered(state: AccessState, event: TimePassed, policy: Policy) -> Step:
    return given_up(state, event.at, policy, Reason.TIME_IS_UP)


def note_bar(state: AccessState, event: DoorBarred, policy: Policy) -> Step:
    return _barred(state, event), ()


def refuse_barred(state: AccessState, event: DoorBarred, policy: Policy) -> Step:
    assert state.pending is not None, "guarded by `bars_the_holder`"
    closed = _barred(state, event)
    reason = barred(closed, state.pending.holder) or Reason.LOCKDOWN
    return given_up(closed, event.at, policy, reason)


def _barred(state: AccessState, event: DoorBarred) -> AccessState:
    return replace(state, locked_down=event.lockdown, interlocked=event.interlock)
