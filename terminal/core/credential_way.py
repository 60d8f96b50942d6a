"""Coming in by a card or a QR pass, by a second thing where that is wanted, and going out.

A credential is heard in every phase, and ends a face scan at once. What it takes besides (a PIN, or
the holder's face) is waited for with the credential in hand; a pass that counts its uses is counted
durably before anything opens, so it never opens more often, whatever happens in between (T17).
Readers never pause (D13); the PINs of one holder do.

After a decline the same things happen, and the decline goes on: nothing more is asked (R12).

What changes with this file: the rows of `access` that begin with a credential, docs/states.md.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.core.admission import (
    Second,
    breaks_passback,
    refusal,
    second,
    way_of,
    way_with_pin,
)
from terminal.core.effects import CheckPin, Effect, Kind, Play, Record, Sound, SpendPass
from terminal.core.events import (
    AlarmRaised,
    CredentialPresented,
    Event,
    PassSpent,
    PinChecked,
    PinTyped,
    StrikeAsked,
    TimePassed,
)
from terminal.core.policy import (
    PIN_FAILURES,
    PIN_TRIES,
    READER_FAILURES,
    REFUSALS_S,
    Policy,
    pin_delay_s,
)
from terminal.core.table import Outputs, is_due
from terminal.core.transaction import (
    AccessPhase,
    AccessState,
    Pending,
    PinTally,
    Step,
    aside,
    barred,
    begun,
    ended,
    granted,
    refused,
)
from terminal.core.values import (
    Alarm,
    Holder,
    Moment,
    Outcome,
    PersonId,
    PinVerdict,
    Reason,
    Side,
    Ticket,
    TrackId,
    Way,
)

TALLIES = 200
"""So many people's wrong PINs are remembered here; the store counts everyone's."""

FOREIGN = frozenset({Reason.NOT_A_PASS, Reason.SEVERAL_CODES})
"""What some code in the picture may be that nobody holds up: it counts against no one."""

# Guards


def is_foreign(state: AccessState, event: CredentialPresented, policy: Policy) -> bool:
    return event.problem in FOREIGN


def leaves(state: AccessState, event: CredentialPresented, policy: Policy) -> bool:
    inside = event.side is Side.INSIDE
    return inside and refusal(event, policy) is None and not state.interlocked


def is_inside(state: AccessState, event: CredentialPresented, policy: Policy) -> bool:
    return event.side is Side.INSIDE


def opens_at_once(state: AccessState, event: CredentialPresented, policy: Policy) -> bool:
    return _needs_nothing(state, event, policy) and not _must_be_spent(event.ticket)


def opens_once_spent(state: AccessState, event: CredentialPresented, policy: Policy) -> bool:
    return _needs_nothing(state, event, policy)


def needs_second(state: AccessState, event: CredentialPresented, policy: Policy) -> bool:
    return _refusal(state, event, policy) is None


def may_type(state: AccessState, event: PinTyped, policy: Policy) -> bool:
    pending = state.pending
    if pending is None or not pending.wants_pin:
        return False
    return event.at.mono_s >= _tally(state, pending.person).until_s


def is_waited_for(state: AccessState, event: PinTyped, policy: Policy) -> bool:
    return state.pending is not None and state.pending.wants_pin


def pin_opens(state: AccessState, event: PinChecked, policy: Policy) -> bool:
    return _is_right(state, event)


def pin_opens_once_spent(state: AccessState, event: PinChecked, policy: Policy) -> bool:
    pending = state.pending
    counted = pending is not None and _must_be_spent(pending.shown.ticket)
    return counted and _is_right(state, event)


def pin_cant_be_checked(state: AccessState, event: PinChecked, policy: Policy) -> bool:
    return _is_of_pending(state, event) and event.verdict is PinVerdict.CANT_CHECK


def last_wrong_pin(state: AccessState, event: PinChecked, policy: Policy) -> bool:
    pending = state.pending
    return _is_of_pending(state, event) and pending is not None and pending.wrong + 1 >= PIN_TRIES


def wrong_pin(state: AccessState, event: PinChecked, policy: Policy) -> bool:
    return _is_of_pending(state, event)


def was_spent(state: AccessState, event: PassSpent, policy: Policy) -> bool:
    return event.done and is_spending(state, event, policy)


def is_spending(state: AccessState, event: PassSpent, policy: Policy) -> bool:
    pending = state.pending
    if pending is None or pending.shown.ticket is None:
        return False
    return pending.is_spending and pending.shown.ticket.number == event.number


def waiting_is_over(state: AccessState, event: TimePassed, policy: Policy) -> bool:
    return state.pending is not None and is_due(state.pending.until_s, event.at.mono_s)


def _needs_nothing(state: AccessState, event: CredentialPresented, policy: Policy) -> bool:
    return _refusal(state, event, policy) is None and second(event, policy) is Second.NOTHING


def _must_be_spent(ticket: Ticket | None) -> bool:
    return ticket is not None and (ticket.left is not None or ticket.step is not None)


def _refusal(state: AccessState, event: CredentialPresented, policy: Policy) -> Reason | None:
    """Why this credential does not open now; a PIN that may not be typed yet is told at once."""
    reason = refusal(event, policy) or barred(state, event.holder)
    if reason is not None or event.holder is None:
        return reason
    delayed = event.at.mono_s < _merged(state, event.holder, event.at.mono_s).until_s
    return Reason.PIN_DELAY if delayed and second(event, policy) is Second.PIN else None


def _is_of_pending(state: AccessState, event: PinChecked) -> bool:
    pending = state.pending
    return pending is not None and pending.wants_pin and pending.person == event.person


def _is_right(state: AccessState, event: PinChecked) -> bool:
    right = event.verdict in (PinVerdict.RIGHT, PinVerdict.DURESS)
    return right and _is_of_pending(state, event)


# A credential


def let_in_by_credential(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    taken, last = _taken_up(state, event, policy)
    after, outputs = finished(taken, _pending(event, policy), event.at, policy)
    return after, (*last, *outputs)


def spend(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    taken, last = _taken_up(state, event, policy)
    after, outputs = _spending(taken, _pending(event, policy), event.at)
    return after, (*last, *outputs)


def ask_second(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    taken, last = _taken_up(state, event, policy)
    pending = _pending(event, policy)
    if state.phase is AccessPhase.DECLINED:
        pending = replace(pending, wants=Second.PIN)
    tallied = _with_tally(taken, _merged(taken, pending.holder, event.at.mono_s))
    return replace(tallied, pending=pending, until_s=None), (*last, Play(Sound.PROMPT))


def refuse_credential(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    taken, last = _taken_up(state, event, policy)
    return _refused_one(taken, event, policy, last)


def show_foreign(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    return refused(state, event.at, policy, event.problem or Reason.NOT_A_PASS), ()


def note_foreign(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    return replace(state, reason=event.problem), ()


def leave_alone(state: AccessState, event: Event, policy: Policy) -> Step:
    return state, ()


def let_out(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    assert event.holder is not None, "guarded by `leaves`"
    way, person = way_of(event), event.holder.person
    asked = StrikeAsked(event.at, way, person, event.reader, Side.INSIDE)
    return _counted(state, event.reader, 0), (asked, Play(Sound.GRANTED))


def refuse_exit(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    """Whoever is not known is not let out by this reader; leaving needs no reader (R21)."""
    reason = refusal(event, policy) or Reason.INTERLOCK
    counted, records = _failure_counted(state, event, reason)
    return counted, (*records, Play(Sound.REFUSED))


def _taken_up(
    state: AccessState, event: CredentialPresented, policy: Policy
) -> tuple[AccessState, tuple[Effect, ...]]:
    """The transaction of this credential: a new one, or after a decline the one that it began."""
    way = way_of(event)
    if state.phase is AccessPhase.DECLINED:
        if not state.is_running:
            return begun(state, event.at, way), ()
        waited_s = state.waited_s or event.at.mono_s - state.began_s
        same = replace(state, way=way, steps=state.steps + 1, waited_s=waited_s)
        return replace(same, pending=None, reason=None), ()
    last = ended(state, event.at, Outcome.ABANDONED)
    new = replace(begun(state, event.at, way), track=None, hint=None, spent=_spent(state))
    return aside(new, event.at, policy), last


def _spent(state: AccessState) -> TrackId | None:
    """The track that gets no scan any more: whoever was prompted has used a credential instead."""
    return state.spent if state.track is None else state.track


def _pending(event: CredentialPresented, policy: Policy) -> Pending:
    now_s = event.at.mono_s
    marked = event.ticket is not None and event.ticket.is_marked
    return Pending(
        shown=event,
        wants=second(event, policy),
        way=way_of(event),
        since_s=now_s,
        until_s=now_s + policy.second_wait_s,
        is_marked=marked,
    )


# The second thing


def check_pin(state: AccessState, event: PinTyped, policy: Policy) -> Step:
    pending = state.pending
    assert pending is not None, "guarded by `may_type`"
    now_s = event.at.mono_s
    typed = replace(pending, typing_s=now_s - pending.since_s)
    return replace(state, pending=typed), (CheckPin(pending.person),)


def refuse_too_soon(state: AccessState, event: PinTyped, policy: Policy) -> Step:
    return _given_up(state, event.at, policy, Reason.PIN_DELAY)


def refuse_pin_alone(state: AccessState, event: PinTyped, policy: Policy) -> Step:
    """A PIN says nobody's name; whoever types one has chosen another way than the face."""
    last = ended(state, event.at, Outcome.ABANDONED)
    aside_now = replace(aside(state, event.at, policy), spent=_spent(state))
    after = refused(aside_now, event.at, policy, Reason.CARD_FIRST)
    return after, (*last, Play(Sound.REFUSED))


def note_pin_alone(state: AccessState, event: PinTyped, policy: Policy) -> Step:
    return replace(state, reason=Reason.CARD_FIRST), (Play(Sound.REFUSED),)


def accept_pin(state: AccessState, event: PinChecked, policy: Policy) -> Step:
    assert state.pending is not None, "guarded by `pin_opens`"
    marked = state.pending.is_marked or event.verdict is PinVerdict.DURESS
    pending = replace(state.pending, way=way_with_pin(state.pending.shown), is_marked=marked)
    right = replace(_with_tally(state, PinTally(event.person, 0, 0.0)), steps=state.steps + 1)
    if _must_be_spent(pending.shown.ticket):
        return _spending(right, pending, event.at)
    return finished(right, pending, event.at, policy)


def refuse_unchecked_pin(state: AccessState, event: PinChecked, policy: Policy) -> Step:
    return _given_up(state, event.at, policy, Reason.CANT_CHECK)


def refuse_pin(state: AccessState, event: PinChecked, policy: Policy) -> Step:
    failed, outputs = note_wrong_pin(state, event, policy)
    last = ended(failed, event.at, Outcome.REFUSED)
    if state.phase is AccessPhase.DECLINED:
        return replace(failed, pending=None, is_running=False), (*outputs, *last)
    return refused(failed, event.at, policy, Reason.WRONG_PIN), (*outputs, *last)


def note_wrong_pin(state: AccessState, event: PinChecked, policy: Policy) -> Step:
    pending = state.pending
    assert pending is not None, "guarded by `wrong_pin`"
    now_s = event.at.mono_s
    failures = _tally(state, event.person).failures + 1
    tally = PinTally(event.person, failures, now_s + pin_delay_s(failures))
    again = replace(pending, wrong=pending.wrong + 1, until_s=now_s + policy.second_wait_s)
    after = replace(_with_tally(state, tally), pending=again, reason=Reason.WRONG_PIN)
    record = _pin_record(Kind.REFUSED, pending, event.at, failures)
    return after, (record, *_pin_alarm(pending, event.at, failures), Play(Sound.REFUSED))


def refuse_unanswered(state: AccessState, event: TimePassed, policy: Policy) -> Step:
    return _given_up(state, event.at, policy, Reason.TIME_IS_UP)


def _given_up(state: AccessState, at: Moment, policy: Policy, reason: Reason) -> Step:
    """The credential is put down again: what it needed besides did not come."""
    pending = state.pending
    assert pending is not None, "guarded by the rows that wait"
    facts = (("reader", pending.shown.reader),)
    record = Record(Kind.REFUSED, at, pending.person, pending.way, reason, facts=facts)
    outputs = (record, Play(Sound.REFUSED), *ended(state, at, Outcome.REFUSED))
    if state.phase is AccessPhase.DECLINED:
        return replace(state, pending=None, is_running=False, reason=reason), outputs
    return refused(state, at, policy, reason), outputs


def _pin_record(kind: Kind, pending: Pending, at: Moment, failures: int) -> Record:
    way = way_with_pin(pending.shown)
    facts = (("reader", pending.shown.reader), ("failures", str(failures)))
    return Record(kind, at, pending.person, way, Reason.WRONG_PIN, facts=facts)


def _pin_alarm(pending: Pending, at: Moment, failures: int) -> Outputs:
    if failures != PIN_FAILURES:
        return ()
    record = _pin_record(Kind.PIN_ALARM, pending, at, failures)
    return record, AlarmRaised(at, Alarm.PIN), Play(Sound.ALARM)


def _tally(state: AccessState, person: PersonId) -> PinTally:
    return next((one for one in state.pins if one.person == person), PinTally(person, 0, 0.0))


def _merged(state: AccessState, holder: Holder, now_s: float) -> PinTally:
    """What is remembered here; after a restart, what the store counted, its delay begun anew."""
    known = _tally(state, holder.person)
    if known.failures >= holder.pin_failures:
        return known
    delay_s = pin_delay_s(holder.pin_failures)
    return PinTally(holder.person, holder.pin_failures, now_s + delay_s)


def _with_tally(state: AccessState, tally: PinTally) -> AccessState:
    others = tuple(one for one in state.pins if one.person != tally.person)
    kept = (*others, tally) if tally.failures else others
    return replace(state, pins=kept[-TALLIES:])


# Spending a pass, and being let in


def let_in_by_pass(state: AccessState, event: PassSpent, policy: Policy) -> Step:
    assert state.pending is not None, "guarded by `was_spent`"
    return finished(state, state.pending, event.at, policy)


def refuse_unspent(state: AccessState, event: PassSpent, policy: Policy) -> Step:
    return _given_up(state, event.at, policy, Reason.CANT_CHECK)


def _spending(state: AccessState, pending: Pending, at: Moment) -> Step:
    ticket = pending.shown.ticket
    assert ticket is not None, "guarded by `_must_be_spent`"
    waits = replace(state, pending=replace(pending, is_spending=True), until_s=None)
    return waits, (SpendPass(ticket.number, ticket.step),)


def finished(state: AccessState, pending: Pending, at: Moment, policy: Policy) -> Step:
    """Everything that was wanted is there: let the holder in."""
    shown, holder = pending.shown, pending.holder
    way = pending.way
    done = replace(_counted(state, shown.reader, 0), way=way, pending=pending)
    outputs = (
        *_duress_told(at, holder, way, pending.is_marked),
        *(passback_told(at, holder, way) if breaks_passback(holder, at, policy) else ()),
        StrikeAsked(at, way, holder.person, shown.reader),
        Play(Sound.GRANTED),
        *ended(done, at, Outcome.GRANTED),
    )
    if state.phase is AccessPhase.DECLINED:
        calm = replace(done, pending=None, reason=None, is_running=False, until_s=None)
        return calm, outputs
    return granted(done, at, policy), outputs


def passback_told(at: Moment, holder: Holder, way: Way) -> Outputs:
    """That somebody came in who had not gone out: let in all the same, and on record."""
    facts = (("passback", holder.group.passback.value),)
    return (Record(Kind.PASSBACK, at, person=holder.person, way=way, facts=facts),)


def _duress_told(at: Moment, holder: Holder, way: Way, is_marked: bool) -> Outputs:
    """Nothing at the door differs (R47): no sound and no word, a record and a silent alarm."""
    if not is_marked:
        return ()
    record = Record(Kind.DURESS, at, person=holder.person, way=way)
    return record, AlarmRaised(at, Alarm.DURESS)


# Refusals, by reader


def _refused_one(
    state: AccessState, event: CredentialPresented, policy: Policy, last: tuple[Effect, ...]
) -> Step:
    reason = _refusal(state, event, policy) or Reason.CANT_CHECK
    counted, records = _failure_counted(state, event, reason)
    if state.phase is AccessPhase.DECLINED:
        return replace(counted, reason=reason), (*last, *records, Play(Sound.REFUSED))
    ends = ended(counted, event.at, Outcome.REFUSED)
    after = refused(counted, event.at, policy, reason)
    return after, (*last, *records, Play(Sound.REFUSED), *ends)


def _failure_counted(
    state: AccessState, event: CredentialPresented, reason: Reason
) -> tuple[AccessState, Outputs]:
    failures = dict(state.reader_failures).get(event.reader, 0) + 1
    after, records = _noted(_counted(state, event.reader, failures), event, reason, failures)
    return after, (*records, *_reader_alarm(event, failures))


def _noted(
    state: AccessState, event: CredentialPresented, reason: Reason, failures: int
) -> tuple[AccessState, tuple[Effect, ...]]:
    """Each refusal is a record; past the alarm one a second is, with how many there were.

    A reader never pauses (D13), so a keyboard in its place could fill the disk otherwise.
    """
    noted_s = dict(state.reader_noted_s)
    too_soon = event.at.mono_s - noted_s.get(event.reader, -REFUSALS_S) < REFUSALS_S
    if failures > READER_FAILURES and too_soon:
        return state, ()
    times = tuple(sorted({**noted_s, event.reader: event.at.mono_s}.items()))
    counted = (("failures", str(failures)),) if failures > READER_FAILURES else ()
    record = Record(
        Kind.REFUSED,
        event.at,
        person=event.holder.person if event.holder else None,
        way=way_of(event),
        reason=reason,
        facts=(("reader", event.reader), *counted),
    )
    return replace(state, reader_noted_s=times), (record,)


def _reader_alarm(event: CredentialPresented, failures: int) -> Outputs:
    if failures != READER_FAILURES:
        return ()
    facts = (("reader", event.reader), ("failures", str(failures)))
    record = Record(Kind.READER_ALARM, event.at, way=way_of(event), facts=facts)
    return record, AlarmRaised(event.at, Alarm.READER), Play(Sound.ALARM)


def _counted(state: AccessState, reader: str, failures: int) -> AccessState:
    """The state with this reader's refusals in a row set; a good credential sets them to none."""
    counts = {**dict(state.reader_failures), reader: failures}
    return replace(state, reader_failures=tuple(sorted(counts.items())))
