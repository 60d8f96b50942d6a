"""What releases the strike for one person, and what keeps it from being released.

A pulse for one person who comes in or goes out, a guard's release. The other door of a pair keeps
all of them back; a lockdown those who come in, which `access` knows, but no guard, who has a reason
and is on record (R47). Leaving needs none of them (R21). Where an existing panel decides, it is
told who is there, and the strike stays at rest. What lasts longer stands in `door_hold`.

What changes with this file: the rows of `door` that release, every promise about the relay.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.core.door_hold import begin_free_time
from terminal.core.door_state import (
    DoorState,
    Step,
    has_strike,
    is_free_now,
    open_s,
    passed,
)
from terminal.core.effects import (
    Kind,
    Record,
    ReleaseStrike,
    SecureStrike,
    TellPanel,
)
from terminal.core.events import (
    DoorCycleEnded,
    ReleaseAsked,
    RexPressed,
    StrikeAsked,
    TimePassed,
)
from terminal.core.policy import Policy, Rex
from terminal.core.table import Outputs, is_due
from terminal.core.timetable import is_open
from terminal.core.values import Reason, Side, Way

# Guards


def panel_decides(state: DoorState, event: StrikeAsked, policy: Policy) -> bool:
    return not has_strike(policy)


def opens_to_everyone(state: DoorState, event: StrikeAsked, policy: Policy) -> bool:
    return is_free_now(_with_first(state, event), event.at)


def rex_releases(state: DoorState, event: RexPressed, policy: Policy) -> bool:
    return policy.rex is Rex.RELEASE and not state.interlocked and has_strike(policy)


def guard_may_not(state: DoorState, event: ReleaseAsked, policy: Policy) -> bool:
    """A lockdown does not keep a guard from it; the other door does, and another panel."""
    return state.interlocked or not has_strike(policy)


def nobody_passed(state: DoorState, event: TimePassed, policy: Policy) -> bool:
    return is_due(state.coming_until_s, event.at.mono_s)


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
    """Whether the panel lets somebody in is seen by the contact, in the time of a pulse."""
    told: Outputs = (_granted(event, "panel"), TellPanel(event.person))
    after = _coming(state, event)
    if not state.is_open:
        return replace(after, coming_until_s=event.at.mono_s + policy.release_s), told
    noted, notes = passed(after, event.at)
    return noted, (*told, *notes)


def forget_coming(state: DoorState, event: TimePassed, policy: Policy) -> Step:
    """The panel has let nobody in, or nobody went."""
    return replace(state, coming=(), coming_until_s=None), (DoorCycleEnded(event.at),)


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
    facts = (("why", event.why),)
    reason = Reason.INTERLOCK if state.interlocked else Reason.ANOTHER_WAY
    record = Record(Kind.REFUSED, event.at, None, Way.GUARD, reason, by=event.by, facts=facts)
    return state, (record,)


def pulse_ends(state: DoorState, event: TimePassed, policy: Policy) -> Step:
    after = replace(state, until_s=None, strike_until_s=None, coming=())
    return after, (SecureStrike(), DoorCycleEnded(event.at))


def secure_late(state: DoorState, event: TimePassed, policy: Policy) -> Step:
    """The door still stands open, and the pulse of its release is over."""
    return replace(state, strike_until_s=None), (SecureStrike(),)


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
