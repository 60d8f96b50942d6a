"""What is known of the door between two events, and the little that all its rows share.

What changes with this file: `door_release`, `door_watch`, the table of `door`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from terminal.core.effects import Effect, NotePassage
from terminal.core.events import DoorBarred, Event
from terminal.core.policy import HOLD_LEASE_S, Panel, Policy
from terminal.core.table import Outputs
from terminal.core.timetable import is_open
from terminal.core.values import Moment, PersonId, Schedule, Side


class DoorPhase(Enum):
    """How the door stands."""

    SECURED = "secured"
    RELEASED = "released"
    OPEN = "open"
    WARNED = "warned"
    HELD_OPEN = "held_open"
    FORCED = "forced"
    FREE = "free"


P = DoorPhase
ANY = tuple(DoorPhase)
STANDING_OPEN = (P.OPEN, P.WARNED, P.HELD_OPEN, P.FORCED)
UNFREE = (P.SECURED, P.OPEN, P.WARNED, P.HELD_OPEN)
"""Where a schedule may release the door for everyone; never where it was forced."""


@dataclass(frozen=True, slots=True)
class DoorState:
    """`until_s` ends the phase; `renew_s` is when a held release is asserted again (mono s).

    `strike_until_s` ends a pulse that goes on while the door is open; `rex_until_s` the time in
    which an opening door is somebody leaving. `coming` are those who were let in and have not yet
    been seen to pass, `coming_until_s` how long that is waited for where another panel decides.
    `free` is when the door is open to everyone: `somebody_came` whether the
    first person has come in that time, `is_suspended` whether an operator has ended it until the
    next, `by_schedule` whether the door is released for it now, `look_s` when to look again.
    """

    phase: DoorPhase = DoorPhase.SECURED
    is_open: bool = False
    until_s: float | None = None
    renew_s: float | None = None
    strike_until_s: float | None = None
    rex_until_s: float | None = None
    coming: tuple[tuple[PersonId, Side], ...] = ()
    coming_until_s: float | None = None
    is_tampered: bool = False
    fire: bool = False
    interlocked: bool = False
    locked_down: bool = False
    free: Schedule | None = None
    first_person: bool = False
    somebody_came: bool = False
    is_suspended: bool = False
    by_schedule: bool = False
    look_s: float | None = None


Step = tuple[DoorState, Outputs]


def deadlines(state: DoorState) -> tuple[float | None, ...]:
    """All moments (mono s) at which this table wants `TimePassed`."""
    return (
        state.until_s,
        state.renew_s,
        state.strike_until_s,
        state.coming_until_s,
        state.look_s,
    )


def is_barred(state: DoorState) -> bool:
    """Whether the door may not be released for whoever comes."""
    return state.locked_down or state.interlocked


def bar_told(state: DoorState, at: Moment) -> Event:
    """What access has to know of it."""
    return DoorBarred(at, state.locked_down, state.interlocked)


def is_free_now(state: DoorState, at: Moment) -> bool:
    """Whether the door is to be open to everyone at this moment."""
    if state.free is None or state.is_suspended or is_barred(state):
        return False
    return is_open(state.free, at) and (state.somebody_came or not state.first_person)


def has_strike(policy: Policy) -> bool:
    """Whether the strike is moved from here at all; a panel that is told who is there moves it."""
    return policy.panel is not Panel.WIEGAND


def open_s(policy: Policy) -> float:
    """How long (s) an open door is merely open: then somebody is asked to close it."""
    return max(0.0, policy.held_open_s - policy.held_warn_s)


def lease_s(state: DoorState, now_s: float) -> float:
    """For how long (s) a held release is asserted: never past its own end (D15)."""
    if state.until_s is None:
        return HOLD_LEASE_S
    return max(0.0, min(HOLD_LEASE_S, state.until_s - now_s))


def unheld(state: DoorState, until_s: float | None) -> DoorState:
    """The state without its held release."""
    return replace(state, until_s=until_s, renew_s=None, by_schedule=False)


def passed(state: DoorState, at: Moment) -> tuple[DoorState, tuple[Effect, ...]]:
    """Whoever was let in has come through: out of a reader inside, in from one outside."""
    notes = tuple(NotePassage(person, _beyond(side), at) for person, side in state.coming)
    return replace(state, coming=(), coming_until_s=None), notes


def _beyond(reader: Side) -> Side:
    return Side.INSIDE if reader is Side.OUTSIDE else Side.OUTSIDE
