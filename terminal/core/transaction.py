"""What one transaction at the terminal is made of: its state, how it begins, how it ends.

Shared by the ways in (`face_way`, `credential_way`) and the table that joins them (`access`). A
transaction is one person's try to come in; it ends exactly once, and how long it took and how many
things it asked for is what the ways are compared by (D12).

Whoever shows a credential has chosen another way than the face: until that person has gone, no face
model runs (`away`), and it ends as a decline does (D9).

What changes with this file: the tables of `access`, `machine.permission`, the figures of parity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from terminal.core.admission import Second
from terminal.core.effects import Effect, TransactionEnded
from terminal.core.events import (
    CredentialPresented,
    DoorCycleEnded,
    Event,
    FaceWentOff,
    PresenceChanged,
    TimePassed,
    ZoneSeen,
)
from terminal.core.policy import Policy
from terminal.core.table import Outputs, is_due
from terminal.core.values import (
    Hint,
    Holder,
    Moment,
    Outcome,
    PersonId,
    Reason,
    TrackId,
    View,
    Way,
)


class AccessPhase(Enum):
    """Where the transaction at the terminal stands."""

    IDLE = "idle"
    ASKED = "asked"
    PROMPTED = "prompted"
    SCANNING = "scanning"
    PENDING = "pending"
    GRANTED = "granted"
    REFUSED = "refused"
    DECLINED = "declined"


P = AccessPhase
ANY = tuple(AccessPhase)
UNDECLINED = tuple(phase for phase in AccessPhase if phase is not P.DECLINED)
FACE_PHASES = (P.ASKED, P.PROMPTED, P.SCANNING)


@dataclass(frozen=True, slots=True)
class Pending:
    """A credential that is good, and what is still waited for: a second thing, or its being spent.

    `way` is what the credential is so far, with the second thing that came; `since_s` is from when
    a PIN was waited for, `typing_s` how long it was typed, `wrong` how many were wrong; `until_s`
    (mono s) ends the waiting. While a PIN `is_checking` no other is taken, so that none is checked
    within the delay of another; while the pass `is_spending` nothing more is wanted.
    """

    shown: CredentialPresented
    wants: Second
    way: Way
    since_s: float
    until_s: float
    wrong: int = 0
    typing_s: float = 0.0
    is_marked: bool = False
    is_checking: bool = False
    is_spending: bool = False

    @property
    def holder(self) -> Holder:
        """Whose credential it is."""
        assert self.shown.holder is not None, "a credential of nobody is refused"
        return self.shown.holder

    @property
    def person(self) -> PersonId:
        """Who that is."""
        return self.holder.person

    @property
    def wants_face(self) -> bool:
        """Whether the holder's face would do."""
        return self.wants is Second.FACE_OR_PIN and not self.is_spending

    @property
    def wants_pin(self) -> bool:
        """Whether the holder's PIN would do."""
        return self.wants is not Second.NOTHING and not self.is_spending


@dataclass(frozen=True, slots=True)
class PinTally:
    """Wrong PINs of one person in a row, and until when (mono s) none is checked."""

    person: PersonId
    failures: int
    until_s: float


@dataclass(frozen=True, slots=True)
class AccessState:
    """`number`, `way` and `began_s` describe the transaction; `is_running` whether it has ended;
    `steps` counts what was asked of the person, `waited_s` is from the button to the first card.

    `in_view` is the track that stands ready in the zone now, `spent` the one that had its one
    scan; `must_clear` forbids a scan until the zone was seen empty; `away` forbids every face
    model because somebody comes in another way; `awaits_door` is whether that somebody was let in
    and the door has not been through its cycle yet. Deadlines are mono s: of the phase, of `away`
    after the door was closed, of a decline or `away` that everyone left, of both at the latest, of
    the pause of the face.
    """

    phase: AccessPhase = AccessPhase.IDLE
    number: int = 0
    way: Way = Way.FACE
    began_s: float = 0.0
    steps: int = 1
    waited_s: float = 0.0
    is_running: bool = False
    track: TrackId | None = None
    in_view: TrackId | None = None
    spent: TrackId | None = None
    must_clear: bool = False
    away: bool = False
    awaits_door: bool = False
    pending: Pending | None = None
    hint: Hint | None = None
    reason: Reason | None = None
    until_s: float | None = None
    away_until_s: float | None = None
    clear_s: float | None = None
    last_s: float | None = None
    face_failures: int = 0
    paused_until_s: float | None = None
    reader_failures: tuple[tuple[str, int], ...] = ()
    reader_noted_s: tuple[tuple[str, float], ...] = ()
    pins: tuple[PinTally, ...] = ()
    locked_down: bool = False
    interlocked: bool = False


Step = tuple[AccessState, Outputs]


def deadlines(state: AccessState) -> tuple[float | None, ...]:
    """All moments (mono s) at which this table wants `TimePassed`."""
    pending_s = state.pending.until_s if state.pending else None
    ends = () if is_served(state) else leavings(state)
    return state.until_s, state.paused_until_s, pending_s, *ends


def leavings(state: AccessState) -> tuple[float | None, ...]:
    """The moments (mono s) at which a decline, or `away`, is over, whichever comes first (D9)."""
    return state.away_until_s, state.clear_s, state.last_s


def is_served(state: AccessState) -> bool:
    """Whether somebody is being let in right now: neither a decline nor `away` ends meanwhile."""
    return state.pending is not None or state.phase is P.GRANTED


def looked(state: AccessState, event: Event, policy: Policy) -> AccessState:
    """What is noticed in every phase, beside whatever the table does with the event.

    Tracks are forgotten when the face goes off: vision numbers them anew when it looks again.
    """
    if state.away:
        state = _away_noted(state, event, policy)
    match event:
        case ZoneSeen():
            return replace(state, in_view=event.track if event.view is View.READY else None)
        case FaceWentOff():
            return replace(state, in_view=None, spent=None)
        case TimePassed() if is_due(state.paused_until_s, event.at.mono_s):
            return replace(state, paused_until_s=None)
        case _:
            return state


# Another way


def aside(state: AccessState, at: Moment, policy: Policy) -> AccessState:
    """From now on no face model runs for whoever has shown a credential."""
    last_s = at.mono_s + policy.decline_max_s
    return replace(state, away=True, away_until_s=None, clear_s=None, last_s=last_s)


def has_left(state: AccessState, now_s: float) -> bool:
    """Whether whoever wanted no face is taken to be gone at this moment (mono s) (D9)."""
    return any(is_due(end_s, now_s) for end_s in leavings(state))


def not_away(state: AccessState) -> AccessState:
    """Nobody comes in another way any more."""
    return replace(state, away=False, away_until_s=None, clear_s=None, last_s=None)


def _away_noted(state: AccessState, event: Event, policy: Policy) -> AccessState:
    """It ends as a decline does (D9): after the door, when everyone has left, or at the latest."""
    now_s = event.at.mono_s
    match event:
        case DoorCycleEnded() if state.awaits_door:
            return replace(state, away_until_s=now_s + policy.decline_hold_s)
        case PresenceChanged():
            return replace(state, clear_s=None if event.present else now_s + policy.decline_clear_s)
        case TimePassed() if not is_served(state) and has_left(state, now_s):
            return replace(not_away(state), must_clear=True)
        case _:
            return state


# Beginning and ending


def begun(state: AccessState, at: Moment, way: Way) -> AccessState:
    """The state with a new transaction."""
    return replace(
        state,
        number=state.number + 1,
        way=way,
        began_s=at.mono_s,
        steps=1,
        waited_s=0.0,
        is_running=True,
        awaits_door=False,
        pending=None,
        reason=None,
    )


def over(state: AccessState) -> AccessState:
    """The state with nothing under way."""
    return replace(state, is_running=False, track=None, pending=None, until_s=None)


def ended(state: AccessState, at: Moment, outcome: Outcome) -> tuple[Effect, ...]:
    """What tells that the transaction has ended, if one was running."""
    if not state.is_running:
        return ()
    typing_s = state.pending.typing_s if state.pending else 0.0
    took_s = at.mono_s - state.began_s
    end = TransactionEnded(
        state.number, state.way, outcome, took_s, state.steps, typing_s, state.waited_s
    )
    return (end,)


def granted(state: AccessState, at: Moment, policy: Policy) -> AccessState:
    """The state while *come in* is shown."""
    return replace(over(state), reason=None, hint=None, until_s=at.mono_s + policy.granted_show_s)


def refused(state: AccessState, at: Moment, policy: Policy, reason: Reason) -> AccessState:
    """The state while it is shown why the door stays closed."""
    until_s = at.mono_s + policy.refused_show_s
    return replace(over(state), reason=reason, hint=None, until_s=until_s)


def barred(state: AccessState, holder: Holder | None) -> Reason | None:
    """Why nobody, or not this holder, may come in now."""
    if state.interlocked:
        return Reason.INTERLOCK
    passes = holder is not None and holder.group.passes_lockdown
    return Reason.LOCKDOWN if state.locked_down and not passes else None
