"""The PIN that a credential needs besides: typed, checked elsewhere, right, wrong or under duress.

A PIN is checked one at a time and never within the delay of an earlier one (D13): what is typed
meanwhile is not heard. A wrong PIN counts, whatever became of the transaction in which it was
typed. Three end a transaction; five in a row are an alarm, once (R40). A PIN alone says nobody's
name and opens nothing.

What changes with this file: the rows of `access` that begin with a PIN, docs/states.md.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.core.admission import way_with_pin
from terminal.core.effects import CheckPin, Kind, Play, Record, Sound
from terminal.core.events import AlarmRaised, Event, PinChecked, PinTyped
from terminal.core.letting_in import finished, given_up, must_be_spent, put_down, spending
from terminal.core.pin_tally import is_delayed, with_failure, without_failures
from terminal.core.policy import PIN_FAILURES, PIN_TRIES, Policy
from terminal.core.table import Outputs
from terminal.core.transaction import AccessState, Pending, Step, aside, ended, refused
from terminal.core.values import Alarm, Moment, Outcome, PersonId, PinVerdict, Reason, Way

# Guards


def may_type(state: AccessState, event: PinTyped, policy: Policy) -> bool:
    pending = state.pending
    if pending is None or not pending.wants_pin or pending.is_checking:
        return False
    return not is_delayed(state, pending.person, event.at.mono_s)


def is_too_soon(state: AccessState, event: PinTyped, policy: Policy) -> bool:
    pending = state.pending
    return pending is not None and pending.wants_pin and not pending.is_checking


def is_busy(state: AccessState, event: PinTyped, policy: Policy) -> bool:
    """A PIN is being checked, or the pass counted: what is typed besides means nothing."""
    return state.pending is not None


def pin_opens(state: AccessState, event: PinChecked, policy: Policy) -> bool:
    right = event.verdict in (PinVerdict.RIGHT, PinVerdict.DURESS)
    return right and _is_awaited(state, event)


def pin_opens_once_spent(state: AccessState, event: PinChecked, policy: Policy) -> bool:
    pending = state.pending
    counted = pending is not None and must_be_spent(pending.shown.ticket)
    return counted and pin_opens(state, event, policy)


def pin_cant_be_checked(state: AccessState, event: PinChecked, policy: Policy) -> bool:
    return event.verdict is PinVerdict.CANT_CHECK and _is_awaited(state, event)


def last_wrong_pin(state: AccessState, event: PinChecked, policy: Policy) -> bool:
    pending = state.pending
    last = pending is not None and pending.wrong + 1 >= PIN_TRIES
    return last and wrong_pin(state, event, policy)


def wrong_pin(state: AccessState, event: PinChecked, policy: Policy) -> bool:
    return event.verdict is PinVerdict.WRONG and _is_awaited(state, event)


def wrong_pin_of_before(state: AccessState, event: PinChecked, policy: Policy) -> bool:
    """Its transaction is over, by another credential, a time that was up, or a restart."""
    return event.verdict is PinVerdict.WRONG


def _is_awaited(state: AccessState, event: PinChecked) -> bool:
    pending = state.pending
    return pending is not None and pending.is_checking and pending.person == event.person


# Typing


def check_pin(state: AccessState, event: PinTyped, policy: Policy) -> Step:
    """Whoever typed in time is not refused because the check takes its own."""
    pending = state.pending
    assert pending is not None, "guarded by `may_type`"
    now_s = event.at.mono_s
    checking = replace(
        pending,
        typing_s=now_s - pending.since_s,
        until_s=now_s + policy.second_wait_s,
        is_checking=True,
    )
    return replace(state, pending=checking), (CheckPin(pending.person),)


def refuse_too_soon(state: AccessState, event: PinTyped, policy: Policy) -> Step:
    return given_up(state, event.at, policy, Reason.PIN_DELAY)


def refuse_pin_alone(state: AccessState, event: PinTyped, policy: Policy) -> Step:
    """A PIN says nobody's name; whoever types one has chosen another way than the face."""
    last = ended(state, event.at, Outcome.ABANDONED)
    after = refused(aside(state, event.at, policy), event.at, policy, Reason.CARD_FIRST)
    return after, (*last, Play(Sound.REFUSED))


def note_pin_alone(state: AccessState, event: PinTyped, policy: Policy) -> Step:
    return replace(state, reason=Reason.CARD_FIRST), (Play(Sound.REFUSED),)


# What came of it


def accept_pin(state: AccessState, event: PinChecked, policy: Policy) -> Step:
    assert state.pending is not None, "guarded by `pin_opens`"
    marked = state.pending.is_marked or event.verdict is PinVerdict.DURESS
    way = way_with_pin(state.pending.shown)
    pending = replace(state.pending, way=way, is_marked=marked, is_checking=False)
    right = replace(without_failures(state, event.person), steps=state.steps + 1)
    if must_be_spent(pending.shown.ticket):
        return spending(right, pending)
    return finished(right, pending, event.at, policy)


def refuse_unchecked_pin(state: AccessState, event: PinChecked, policy: Policy) -> Step:
    return given_up(state, event.at, policy, Reason.CANT_CHECK)


def refuse_pin(state: AccessState, event: PinChecked, policy: Policy) -> Step:
    failed, outputs = note_wrong_pin(state, event, policy)
    last = ended(failed, event.at, Outcome.REFUSED)
    return put_down(failed, event.at, policy, Reason.WRONG_PIN), (*outputs, *last)


def note_wrong_pin(state: AccessState, event: PinChecked, policy: Policy) -> Step:
    pending = state.pending
    assert pending is not None, "guarded by `wrong_pin`"
    counted, failures = with_failure(state, event.person, event.at.mono_s)
    again = _to_type_again(pending, event, policy)
    told = _told(event, way_with_pin(pending.shown), (("reader", pending.shown.reader),), failures)
    after = replace(counted, pending=again, reason=Reason.WRONG_PIN)
    return after, (*told, Play(Sound.REFUSED))


def count_wrong_pin(state: AccessState, event: PinChecked, policy: Policy) -> Step:
    counted, failures = with_failure(state, event.person, event.at.mono_s)
    return counted, _told(event, None, (), failures)


def _to_type_again(pending: Pending, event: Event, policy: Policy) -> Pending:
    until_s = event.at.mono_s + policy.second_wait_s
    return replace(pending, wrong=pending.wrong + 1, is_checking=False, until_s=until_s)


def _told(
    event: PinChecked, way: Way | None, where: tuple[tuple[str, str], ...], failures: int
) -> Outputs:
    """The record of a wrong PIN, and at the fifth in a row the alarm."""
    facts = (*where, ("failures", str(failures)))
    refusal = _record(Kind.REFUSED, event.at, event.person, way, facts)
    if failures != PIN_FAILURES:
        return (refusal,)
    alarm = _record(Kind.PIN_ALARM, event.at, event.person, way, facts)
    return refusal, alarm, AlarmRaised(event.at, Alarm.PIN), Play(Sound.ALARM)


def _record(
    kind: Kind, at: Moment, person: PersonId, way: Way | None, facts: tuple[tuple[str, str], ...]
) -> Record:
    return Record(kind, at, person, way, Reason.WRONG_PIN, facts=facts)
