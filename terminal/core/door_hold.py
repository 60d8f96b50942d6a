"""What keeps the strike released for longer, and what ends that for everyone.

A held release with its own end, asserted by a lease (D15); a schedule in which the door is open to
everyone, where the site wants it only once somebody has come in; a lockdown, in which neither is
and which outlasts a restart. No schedule opens anything while the clock is not trusted (A18), and
none opens again, once an operator has ended it, before its next time.

What changes with this file: the rows of `door` that hold and bar, every promise about the relay.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.core.door_state import (
    DoorState,
    Step,
    bar_told,
    has_strike,
    is_barred,
    is_free_now,
    lease_s,
    open_s,
    passed,
    unheld,
)
from terminal.core.effects import HoldStrike, KeepLockdown, Kind, Record, SecureStrike
from terminal.core.events import (
    DoorCycleEnded,
    Event,
    FreePassageSet,
    HoldAsked,
    HoldCancelled,
    LockdownAsked,
    LockdownLifted,
    TimePassed,
)
from terminal.core.policy import HOLD_RENEW_S, Policy
from terminal.core.table import is_due
from terminal.core.timetable import is_open, seconds_to_next_minute
from terminal.core.values import Moment, Reason, Way

# Guards


def may_not_be_held(state: DoorState, event: HoldAsked, policy: Policy) -> bool:
    return is_barred(state) or not has_strike(policy)


def is_locked_down(state: DoorState, event: Event, policy: Policy) -> bool:
    return state.locked_down


def stands_open(state: DoorState, event: Event, policy: Policy) -> bool:
    return state.is_open


def assertion_is_due(state: DoorState, event: TimePassed, policy: Policy) -> bool:
    return is_due(state.renew_s, event.at.mono_s)


def hold_is_over(state: DoorState, event: TimePassed, policy: Policy) -> bool:
    if state.by_schedule:
        return not is_free_now(state, event.at)
    return is_due(state.until_s, event.at.mono_s)


def hold_ends_open(state: DoorState, event: TimePassed, policy: Policy) -> bool:
    return state.is_open and hold_is_over(state, event, policy)


def free_time_begins(state: DoorState, event: TimePassed, policy: Policy) -> bool:
    return has_strike(policy) and is_free_now(state, event.at)


def look_is_due(state: DoorState, event: TimePassed, policy: Policy) -> bool:
    return is_due(state.look_s, event.at.mono_s)


# A held release


def hold(state: DoorState, event: HoldAsked, policy: Policy) -> Step:
    now_s = event.at.mono_s
    after = replace(
        state,
        until_s=now_s + event.lasts_s,
        renew_s=now_s + HOLD_RENEW_S,
        strike_until_s=None,
        by_schedule=False,
    )
    facts = (("lasts_s", f"{event.lasts_s:.0f}"), ("why", event.why))
    record = Record(Kind.HOLD_STARTED, event.at, way=Way.HOLD, by=event.by, facts=facts)
    noted, notes = passed(after, event.at)
    return noted, (record, HoldStrike(lease_s(after, now_s)), *notes)


def refuse_hold(state: DoorState, event: HoldAsked, policy: Policy) -> Step:
    facts, reason = (("why", event.why),), _why_not_held(state)
    return state, (
        Record(Kind.REFUSED, event.at, None, Way.HOLD, reason, by=event.by, facts=facts),
    )


def _why_not_held(state: DoorState) -> Reason:
    if state.locked_down:
        return Reason.LOCKDOWN
    return Reason.INTERLOCK if state.interlocked else Reason.ANOTHER_WAY


def assert_hold(state: DoorState, event: TimePassed, policy: Policy) -> Step:
    now_s = event.at.mono_s
    return replace(state, renew_s=now_s + HOLD_RENEW_S), (HoldStrike(lease_s(state, now_s)),)


def end_hold(state: DoorState, event: Event, policy: Policy) -> Step:
    return _hold_ended(state, event.at, None, None)


def end_hold_open(state: DoorState, event: Event, policy: Policy) -> Step:
    return _hold_ended(state, event.at, None, event.at.mono_s + open_s(policy))


def cancel_hold(state: DoorState, event: HoldCancelled, policy: Policy) -> Step:
    """Where a schedule holds the door, it holds it no more until its next time."""
    return _hold_ended(_suspended(state), event.at, event.by, None)


def cancel_hold_open(state: DoorState, event: HoldCancelled, policy: Policy) -> Step:
    until_s = event.at.mono_s + open_s(policy)
    return _hold_ended(_suspended(state), event.at, event.by, until_s)


def _hold_ended(state: DoorState, at: Moment, by: str | None, until_s: float | None) -> Step:
    way = Way.SCHEDULE if state.by_schedule else Way.HOLD
    record = Record(Kind.HOLD_ENDED, at, way=way, by=by)
    return unheld(state, until_s), (SecureStrike(), record)


def _suspended(state: DoorState) -> DoorState:
    return replace(state, is_suspended=state.is_suspended or state.by_schedule)


# Open to everyone, by schedule


def set_free_passage(state: DoorState, event: FreePassageSet, policy: Policy) -> Step:
    after = replace(
        state,
        free=event.schedule,
        first_person=event.first_person,
        somebody_came=False,
        is_suspended=False,
        look_s=event.at.mono_s,
    )
    return after, ()


def begin_free_time(state: DoorState, event: Event, policy: Policy) -> Step:
    assert state.free is not None, "guarded by `is_free_now`"
    now_s = event.at.mono_s
    after = replace(
        state,
        until_s=None,
        strike_until_s=None,
        renew_s=now_s + HOLD_RENEW_S,
        by_schedule=True,
    )
    facts = (("schedule", state.free.name),)
    record = Record(Kind.HOLD_STARTED, event.at, way=Way.SCHEDULE, facts=facts)
    return after, (record, HoldStrike(lease_s(after, now_s)))


def look_at_schedule(state: DoorState, event: TimePassed, policy: Policy) -> Step:
    """Once a minute; outside the schedule's time the first person is forgotten.

    While the clock is not trusted nobody knows whether it is outside, and nothing is forgotten.
    """
    if state.free is None:
        return replace(state, look_s=None), ()
    look_s = event.at.mono_s + seconds_to_next_minute(event.at)
    if is_open(state.free, event.at) or not event.at.trusted:
        return replace(state, look_s=look_s), ()
    return replace(state, look_s=look_s, somebody_came=False, is_suspended=False), ()


# A lockdown


def lock_down(state: DoorState, event: LockdownAsked, policy: Policy) -> Step:
    after, outputs = _locked(state, event)
    return replace(after, strike_until_s=None), (SecureStrike(), *outputs)


def lock_down_released(state: DoorState, event: LockdownAsked, policy: Policy) -> Step:
    after, outputs = _locked(state, event)
    ended = replace(after, until_s=None, strike_until_s=None, coming=())
    return ended, (SecureStrike(), *outputs, DoorCycleEnded(event.at))


def lock_down_free(state: DoorState, event: LockdownAsked, policy: Policy) -> Step:
    held, ending = end_hold(state, event, policy)
    after, outputs = _locked(held, event)
    return after, (*ending, *outputs)


def lock_down_free_open(state: DoorState, event: LockdownAsked, policy: Policy) -> Step:
    held, ending = end_hold_open(state, event, policy)
    after, outputs = _locked(held, event)
    return after, (*ending, *outputs)


def stay_locked_down(state: DoorState, event: Event, policy: Policy) -> Step:
    return state, ()


def lift_lockdown(state: DoorState, event: LockdownLifted, policy: Policy) -> Step:
    after = replace(state, locked_down=False)
    facts = (("why", event.why),)
    record = Record(Kind.LOCKDOWN_LIFTED, event.at, by=event.by, facts=facts)
    return after, (record, KeepLockdown(on=False, why=event.why), bar_told(after, event.at))


def _locked(state: DoorState, event: LockdownAsked) -> Step:
    after = replace(state, locked_down=True)
    record = Record(Kind.LOCKDOWN, event.at, by=event.by, facts=(("why", event.why),))
    return after, (record, KeepLockdown(on=True, why=event.why), bar_told(after, event.at))
