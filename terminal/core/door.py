"""The door: what the strike does, what the contact means, and when someone must be told.

The only table that moves the strike. A pulse lasts at most `release_s` and is never begun again
while it runs or while the door stands open (law 5); a held release is another thing with its own
end, asserted by a lease (D15). The record of a release stands before the release (law 4): here, in
the order of the outputs, and again in `machine.ordered`.

What changes with this file: `docs/states.md`, the wiring's meaning of the contact, every promise
about the relay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from terminal.core.effects import (
    HoldStrike,
    Kind,
    Play,
    Record,
    ReleaseStrike,
    SecureStrike,
    Sound,
)
from terminal.core.events import (
    ContactChanged,
    DoorCycleEnded,
    Event,
    HoldAsked,
    HoldCancelled,
    RexPressed,
    Started,
    StrikeAsked,
    TimePassed,
)
from terminal.core.policy import HOLD_LEASE_S, HOLD_RENEW_S, Policy, Rex
from terminal.core.table import Outputs, advance, is_due, row
from terminal.core.values import Way


class DoorPhase(Enum):
    """How the door stands."""

    SECURED = "secured"
    RELEASED = "released"
    OPEN = "open"
    HELD_OPEN = "held_open"
    FORCED = "forced"
    FREE = "free"


P = DoorPhase
ANY = tuple(DoorPhase)
STANDING_OPEN = (P.OPEN, P.HELD_OPEN, P.FORCED)


@dataclass(frozen=True, slots=True)
class DoorState:
    """`until_s` ends the phase; `renew_s` is when a held release is asserted again (mono s)."""

    phase: DoorPhase = DoorPhase.SECURED
    is_open: bool = False
    until_s: float | None = None
    renew_s: float | None = None
    rex_until_s: float | None = None


Step = tuple[DoorState, Outputs]


def deadlines(state: DoorState) -> tuple[float | None, ...]:
    """All moments (mono s) at which this table wants `TimePassed`."""
    return state.until_s, state.renew_s


def step(state: DoorState, event: Event, policy: Policy) -> Step:
    """One event for the door."""
    return advance(TABLE, state, event, policy)


# Guards


def opens(state: DoorState, event: ContactChanged, policy: Policy) -> bool:
    return event.open


def closes(state: DoorState, event: ContactChanged, policy: Policy) -> bool:
    return not event.open


def opens_after_rex(state: DoorState, event: ContactChanged, policy: Policy) -> bool:
    asked = state.rex_until_s is not None and event.at.mono_s <= state.rex_until_s
    return event.open and asked


def time_is_up(state: DoorState, event: TimePassed, policy: Policy) -> bool:
    return is_due(state.until_s, event.at.mono_s)


def hold_ends_open(state: DoorState, event: TimePassed, policy: Policy) -> bool:
    return state.is_open and time_is_up(state, event, policy)


def assertion_is_due(state: DoorState, event: TimePassed, policy: Policy) -> bool:
    return is_due(state.renew_s, event.at.mono_s)


def stands_open(state: DoorState, event: Event, policy: Policy) -> bool:
    return state.is_open


def found_open(state: DoorState, event: Started, policy: Policy) -> bool:
    return event.door_open


def rex_releases(state: DoorState, event: RexPressed, policy: Policy) -> bool:
    return policy.rex is Rex.RELEASE


# Actions


def begin(state: DoorState, event: Started, policy: Policy) -> Step:
    return DoorState(), (SecureStrike(),)


def begin_open(state: DoorState, event: Started, policy: Policy) -> Step:
    until_s = event.at.mono_s + policy.held_open_s
    return DoorState(is_open=True, until_s=until_s), (SecureStrike(),)


def release(state: DoorState, event: StrikeAsked, policy: Policy) -> Step:
    after = replace(state, until_s=event.at.mono_s + policy.release_s)
    return after, (_granted(event, "released"), ReleaseStrike(policy.release_s))


def grant_in_pulse(state: DoorState, event: StrikeAsked, policy: Policy) -> Step:
    return state, (_granted(event, "already_released"),)


def grant_open(state: DoorState, event: StrikeAsked, policy: Policy) -> Step:
    after = replace(state, until_s=event.at.mono_s + policy.held_open_s)
    return after, (_granted(event, "door_open"),)


def grant_without_strike(state: DoorState, event: StrikeAsked, policy: Policy) -> Step:
    return state, (_granted(event, "door_open"),)


def release_for_exit(state: DoorState, event: RexPressed, policy: Policy) -> Step:
    after = replace(_masked(state, event, policy), until_s=event.at.mono_s + policy.release_s)
    return after, (_rex(event), ReleaseStrike(policy.release_s))


def note_exit(state: DoorState, event: RexPressed, policy: Policy) -> Step:
    return _masked(state, event, policy), (_rex(event),)


def open_secure(state: DoorState, event: ContactChanged, policy: Policy) -> Step:
    after = replace(state, is_open=True, until_s=event.at.mono_s + policy.held_open_s)
    return after, (SecureStrike(), Record(Kind.DOOR_OPENED, event.at))


def forced(state: DoorState, event: ContactChanged, policy: Policy) -> Step:
    after = replace(state, is_open=True, until_s=None)
    return after, (SecureStrike(), Record(Kind.FORCED_OPEN, event.at), Play(Sound.ALARM))


def close_secure(state: DoorState, event: ContactChanged, policy: Policy) -> Step:
    after = replace(state, is_open=False, until_s=None, rex_until_s=None)
    closed = Record(Kind.DOOR_CLOSED, event.at)
    return after, (SecureStrike(), closed, DoorCycleEnded(event.at))


def pulse_ends(state: DoorState, event: TimePassed, policy: Policy) -> Step:
    return replace(state, until_s=None), (SecureStrike(), DoorCycleEnded(event.at))


def held_too_long(state: DoorState, event: TimePassed, policy: Policy) -> Step:
    return replace(state, until_s=None), (Record(Kind.HELD_OPEN, event.at), Play(Sound.ALARM))


def hold(state: DoorState, event: HoldAsked, policy: Policy) -> Step:
    now_s = event.at.mono_s
    after = replace(state, until_s=now_s + event.lasts_s, renew_s=now_s + HOLD_RENEW_S)
    facts = (("lasts_s", f"{event.lasts_s:.0f}"), ("why", event.why))
    record = Record(Kind.HOLD_STARTED, event.at, way=Way.HOLD, by=event.by, facts=facts)
    return after, (record, HoldStrike(_lease(after, now_s)))


def assert_hold(state: DoorState, event: TimePassed, policy: Policy) -> Step:
    now_s = event.at.mono_s
    return replace(state, renew_s=now_s + HOLD_RENEW_S), (HoldStrike(_lease(state, now_s)),)


def end_hold(state: DoorState, event: TimePassed, policy: Policy) -> Step:
    return _unheld(state, None), (SecureStrike(), Record(Kind.HOLD_ENDED, event.at, way=Way.HOLD))


def end_hold_open(state: DoorState, event: TimePassed, policy: Policy) -> Step:
    _, outputs = end_hold(state, event, policy)
    return _unheld(state, event.at.mono_s + policy.held_open_s), outputs


def cancel_hold(state: DoorState, event: HoldCancelled, policy: Policy) -> Step:
    record = Record(Kind.HOLD_ENDED, event.at, way=Way.HOLD, by=event.by)
    return _unheld(state, None), (SecureStrike(), record)


def cancel_hold_open(state: DoorState, event: HoldCancelled, policy: Policy) -> Step:
    _, outputs = cancel_hold(state, event, policy)
    return _unheld(state, event.at.mono_s + policy.held_open_s), outputs


def open_while_free(state: DoorState, event: ContactChanged, policy: Policy) -> Step:
    return replace(state, is_open=True), (Record(Kind.DOOR_OPENED, event.at),)


def close_while_free(state: DoorState, event: ContactChanged, policy: Policy) -> Step:
    return replace(state, is_open=False), (Record(Kind.DOOR_CLOSED, event.at),)


def _granted(event: StrikeAsked, strike: str) -> Record:
    reader = (("reader", event.reader),) if event.reader else ()
    facts = (("strike", strike), *reader)
    return Record(Kind.GRANTED, event.at, person=event.person, way=event.way, facts=facts)


def _rex(event: RexPressed) -> Record:
    return Record(Kind.REX, event.at, way=Way.REX)


def _masked(state: DoorState, event: RexPressed, policy: Policy) -> DoorState:
    return replace(state, rex_until_s=event.at.mono_s + policy.rex_mask_s)


def _lease(state: DoorState, now_s: float) -> float:
    left_s = (state.until_s or now_s) - now_s
    return max(0.0, min(HOLD_LEASE_S, left_s))


def _unheld(state: DoorState, until_s: float | None) -> DoorState:
    return replace(state, until_s=until_s, renew_s=None)


TABLE = (
    row(ANY, Started, P.OPEN, begin_open, when=found_open),
    row(ANY, Started, P.SECURED, begin),
    row(P.SECURED, StrikeAsked, P.RELEASED, release),
    row((P.RELEASED, P.FREE), StrikeAsked, None, grant_in_pulse),
    row(P.OPEN, StrikeAsked, None, grant_open),
    row(P.HELD_OPEN, StrikeAsked, P.OPEN, grant_open),
    row(P.FORCED, StrikeAsked, None, grant_without_strike),
    row(P.SECURED, RexPressed, P.RELEASED, release_for_exit, when=rex_releases),
    row(ANY, RexPressed, None, note_exit),
    row(P.RELEASED, ContactChanged, P.OPEN, open_secure, when=opens),
    row(P.SECURED, ContactChanged, P.OPEN, open_secure, when=opens_after_rex),
    row(P.SECURED, ContactChanged, P.FORCED, forced, when=opens),
    row(STANDING_OPEN, ContactChanged, P.SECURED, close_secure, when=closes),
    row(P.FREE, ContactChanged, None, open_while_free, when=opens),
    row(P.FREE, ContactChanged, None, close_while_free, when=closes),
    row(P.RELEASED, TimePassed, P.SECURED, pulse_ends, when=time_is_up),
    row(P.OPEN, TimePassed, P.HELD_OPEN, held_too_long, when=time_is_up),
    row(P.FREE, TimePassed, P.OPEN, end_hold_open, when=hold_ends_open),
    row(P.FREE, TimePassed, P.SECURED, end_hold, when=time_is_up),
    row(P.FREE, TimePassed, None, assert_hold, when=assertion_is_due),
    row(ANY, HoldAsked, P.FREE, hold),
    row(P.FREE, HoldCancelled, P.OPEN, cancel_hold_open, when=stands_open),
    row(P.FREE, HoldCancelled, P.SECURED, cancel_hold),
)
