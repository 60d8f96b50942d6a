"""How a credential's transaction ends: its holder is let in, or it is put down again.

A pass that counts its uses is counted durably before anything opens, so it never opens more often,
whatever happens in between (T17). Under duress the same is heard and shown as without (R47). After
a decline the phase stays what it is, and so does everything that is shown by it (R12).

What changes with this file: every way in with a credential, what is recorded of it.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.core.admission import breaks_passback
from terminal.core.effects import Kind, Play, Record, Sound, SpendPass
from terminal.core.events import AlarmRaised, StrikeAsked
from terminal.core.policy import Policy
from terminal.core.reader_tally import with_none_refused
from terminal.core.table import Outputs
from terminal.core.transaction import (
    AccessPhase,
    AccessState,
    Pending,
    Step,
    ended,
    granted,
    refused,
)
from terminal.core.values import Alarm, Holder, Moment, Outcome, Reason, Ticket, Way


def finished(state: AccessState, pending: Pending, at: Moment, policy: Policy) -> Step:
    """Everything that was wanted is there: let the holder in."""
    shown, holder, way = pending.shown, pending.holder, pending.way
    counted = with_none_refused(state, shown.reader)
    done = replace(counted, way=way, pending=pending, awaits_door=True)
    outputs = (
        *duress_told(at, holder, way, pending.is_marked),
        *passback_told(at, holder, way),
        StrikeAsked(at, way, holder.person, shown.reader),
        Play(Sound.GRANTED),
        *ended(done, at, Outcome.GRANTED),
    )
    if state.phase is AccessPhase.DECLINED:
        return _put_down(replace(done, until_s=None), None), outputs
    return granted(done, at, policy), outputs


def given_up(state: AccessState, at: Moment, policy: Policy, reason: Reason) -> Step:
    """The credential is put down again: what it needed besides did not come, or may not now."""
    pending = state.pending
    assert pending is not None, "guarded by the rows that wait"
    facts = (("reader", pending.shown.reader),)
    record = Record(Kind.REFUSED, at, pending.person, pending.way, reason, facts=facts)
    outputs = (record, Play(Sound.REFUSED), *ended(state, at, Outcome.REFUSED))
    return put_down(state, at, policy, reason), outputs


def put_down(state: AccessState, at: Moment, policy: Policy, reason: Reason) -> AccessState:
    """The state in which it is shown why the credential did not open."""
    if state.phase is AccessPhase.DECLINED:
        return _put_down(state, reason)
    return refused(state, at, policy, reason)


def _put_down(state: AccessState, reason: Reason | None) -> AccessState:
    """The decline goes on, with no credential in hand."""
    return replace(state, pending=None, is_running=False, reason=reason)


# A pass that counts


def must_be_spent(ticket: Ticket | None) -> bool:
    """Whether nothing may open before one use of this pass is durably counted."""
    return ticket is not None and (ticket.left is not None or ticket.step is not None)


def spending(state: AccessState, pending: Pending) -> Step:
    """Have the use counted; nothing else is wanted of the holder any more."""
    ticket = pending.shown.ticket
    assert ticket is not None, "guarded by `must_be_spent`"
    waits = replace(pending, is_spending=True)
    after = replace(state, pending=waits, reason=None, until_s=None)
    return after, (SpendPass(ticket.number, ticket.step),)


# What is told beside it


def passback_told(at: Moment, holder: Holder, way: Way) -> Outputs:
    """That somebody comes in who had not gone out: let in all the same, and on record."""
    if not breaks_passback(holder, at):
        return ()
    facts = (("passback", holder.group.passback.value),)
    return (Record(Kind.PASSBACK, at, person=holder.person, way=way, facts=facts),)


def duress_told(at: Moment, holder: Holder, way: Way, is_marked: bool) -> Outputs:
    """Nothing at the door differs (R47): no sound and no word, a record and a silent alarm."""
    if not is_marked:
        return ()
    record = Record(Kind.DURESS, at, person=holder.person, way=way)
    return record, AlarmRaised(at, Alarm.DURESS)
