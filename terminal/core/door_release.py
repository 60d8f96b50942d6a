"""What releases the strike, and what keeps it from being released.

A pulse for one person, a held release with its own end, a schedule in which the door is open to
everyone, a guard's release. A lockdown or the other door of a pair keeps all of them back but a
guard's, which has a reason and is on record (R47); leaving needs none of them (R21). Where an
existing panel decides, it is told who is there, and the strike stays at rest.

What changes with this file: the rows of `door` that release, every promise about the relay.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.core.door_state import (
    DoorState,
    Step,
    bar_told,
    is_barred,
    is_free_now,
    lease_s,
    open_s,
    passed,
    unheld,
)
from terminal.core.effects import (
    HoldStrike,
    KeepLockdown,
    Kind,
    Record,
    ReleaseStrike,
    SecureStrike,
    TellPanel,
)
from terminal.core.events import (
    DoorCycleEnded,
    Event,
    FreePassageSet,
    HoldAsked,
    HoldCancelled,
    LockdownAsked,
    LockdownLifted,
    ReleaseAsked,
    RexPressed,
    StrikeAsked,
    TimePassed,
)
from terminal.core.policy import HOLD_RENEW_S, Panel, Policy, Rex
from terminal.core.table import is_due
from terminal.core.timetable import is_open, seconds_to_next_minute
from terminal.core.values import Moment, Reason, Side, Way

# Guards


def panel_decides(state: DoorState, event: StrikeAsked, policy: Policy) -> bool:
    return policy.panel is Panel.WIEGAND


def opens_to_everyone(state: DoorState, event: StrikeAsked, policy: Policy) -> bool:
    return is_free_now(_with_first(state, event), event.at)


def rex_releases(state: DoorState, event: RexPressed, policy: Policy) -> bool:
    return policy.rex is Rex.RELEASE and not state.interlocked


def may_not_be_held(state: DoorState, event: HoldAsked, policy: Policy) -> bool:
    return is_barred(state)


def other_door_is_open(state: DoorState, event: ReleaseAsked, policy: Policy) -> bool:
    return state.interlocked


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
    return is_free_now(state, event.at)


def look_is_due(state: DoorState, event: TimePassed, policy: Policy) -> bool:
    return is_due(state.look_s, event.at.mono_s)


# One person


def release(state: DoorState, event: StrikeAsked, policy: Policy) -> Step:
    until_s = event.at.mono_s + policy.release_s
    after = replace(_coming(state, event), until_s=until_s, strike_until_s=until_s)
    return after, (_granted(event, "released"), ReleaseStrike(policy.release_s))


def release_to_everyone(state: DoorState, event: StrikeAsked, policy: Policy) -> Step:
    """The first person has come, and the door is open from now on."""
    held, outputs = begin_free_time(_coming(state, event), event, policy)
    noted, notes = passed(held, event.at)
    return noted, (_granted(event, "released"), *outputs, *notes)


def grant_in_pulse(state: DoorState, event: StrikeAsked, policy: Policy) -> Step:
    return _coming(state, event), (_granted(event, "already_released"),)


def grant_while_free(state: DoorState, event: StrikeAsked, policy: Policy) -> Step:
    after, notes = passed(_coming(state, event), event.at)
    return after, (_granted(event, "already_released"), *notes)


def grant_open(state: DoorState, event: StrikeAsked, policy: Policy) -> Step:
    after, outputs = grant_without_strike(state, event, policy)
    return replace(after, until_s=event.at.mono_s + open_s(policy)), outputs


def grant_without_strike(state: DoorState, event: StrikeAsked, policy: Policy) -> Step:
    after, notes = passed(_coming(state, event), event.at)
    return after, (_granted(event, "door_open"), *notes)


def tell_panel(state: DoorState, event: StrikeAsked, policy: Policy) -> Step:
    return _coming(state, event), (_granted(event, "panel"), TellPanel(event.person))


def release_for_exit(state: DoorState, event: RexPressed, policy: Policy) -> Step:
    until_s = event.at.mono_s + policy.release_s
    after = replace(_masked(state, event, policy), until_s=until_s, strike_until_s=until_s)
    return after, (_rex(event), ReleaseStrike(policy.release_s))


def note_exit(state: DoorState, event: RexPressed, policy: Policy) -> Step:
    return _masked(state, event, policy), (_rex(event),)


def release_for_guard(state: DoorState, event: ReleaseAsked, policy: Policy) -> Step:
    until_s = event.at.mono_s + policy.release_s
    after = replace(state, until_s=until_s, strike_until_s=until_s)
    return after, (_guards(event, "released"), ReleaseStrike(policy.release_s))


def note_guard(state: DoorState, event: ReleaseAsked, policy: Policy) -> Step:
    return state, (_guards(event, "already_released" if not state.is_open else "door_open"),)


def refuse_guard(state: DoorState, event: ReleaseAsked, policy: Policy) -> Step:
    record = Record(Kind.REFUSED, event.at, None, Way.GUARD, Reason.INTERLOCK, by=event.by)
    return state, (record,)


def pulse_ends(state: DoorState, event: TimePassed, policy: Policy) -> Step:
    after = replace(state, until_s=None, strike_until_s=None, coming=())
    return after, (SecureStrike(), DoorCycleEnded(event.at))


def secure_late(state: DoorState, event: TimePassed, policy: Policy) -> Step:
    """The door still stands open, and the pulse of its release is over."""
    return replace(state, strike_until_s=None), (SecureStrike(),)


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
    return after, (record, HoldStrike(lease_s(after, now_s)))


def refuse_hold(state: DoorState, event: HoldAsked, policy: Policy) -> Step:
    reason = Reason.LOCKDOWN if state.locked_down else Reason.INTERLOCK
    return state, (Record(Kind.REFUSED, event.at, None, Way.HOLD, reason, by=event.by),)


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
    """Once a minute; outside the schedule's time the first person is forgotten."""
    if state.free is None:
        return replace(state, look_s=None), ()
    look_s = event.at.mono_s + seconds_to_next_minute(event.at)
    if is_open(state.free, event.at):
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
    return after, (record, KeepLockdown(on=False), bar_told(after, event.at))


def _locked(state: DoorState, event: LockdownAsked) -> Step:
    after = replace(state, locked_down=True)
    record = Record(Kind.LOCKDOWN, event.at, by=event.by, facts=(("why", event.why),))
    return after, (record, KeepLockdown(on=True), bar_told(after, event.at))


# What they share


def _coming(state: DoorState, event: StrikeAsked) -> DoorState:
    coming = (*state.coming, (event.person, event.side))[-COMING:]
    return replace(_with_first(state, event), coming=coming)


def _with_first(state: DoorState, event: StrikeAsked) -> DoorState:
    """Somebody who comes in, not out, while the schedule's time runs."""
    comes = event.side is Side.OUTSIDE and state.free is not None and is_open(state.free, event.at)
    return replace(state, somebody_came=state.somebody_came or comes)


COMING = 20
"""So many at most are let in by one pulse and still to pass: more are let in, and not followed."""


def _granted(event: StrikeAsked, strike: str) -> Record:
    reader = (("reader", event.reader),) if event.reader else ()
    out = (("side", "out"),) if event.side is Side.INSIDE else ()
    facts = (("strike", strike), *reader, *out)
    return Record(Kind.GRANTED, event.at, person=event.person, way=event.way, facts=facts)


def _guards(event: ReleaseAsked, strike: str) -> Record:
    facts = (("strike", strike), ("why", event.why))
    return Record(Kind.GUARD_RELEASE, event.at, way=Way.GUARD, by=event.by, facts=facts)


def _rex(event: RexPressed) -> Record:
    return Record(Kind.REX, event.at, way=Way.REX)


def _masked(state: DoorState, event: RexPressed, policy: Policy) -> DoorState:
    return replace(state, rex_until_s=event.at.mono_s + policy.rex_mask_s)
