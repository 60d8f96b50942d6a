"""The whole terminal in one pure function: `step(state, event, policy) -> (state, effects)`.

It knows which table hears an event, in which order effects leave a step, and what follows from the
difference between before and after: vision's lease, the sign, the alarm contact, the screen. What
the state as a whole says stands in `sight` and `screens`, what is noted of the parts in `parts`.
`step` is total: any event may come in any state, and it never raises. Everything outside the core
that asks the core anything asks this module.

What changes with this file: the loop's order of work, the lease that vision lives on, the screen.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.core import access, door, door_state, enrolment, parts, screens, sight, transaction
from terminal.core.effects import (
    Effect,
    Effects,
    HoldStrike,
    Kind,
    LightSign,
    Permit,
    Progress,
    Record,
    ReleaseStrike,
    SecureStrike,
    Show,
    SoundAlarm,
    Stage,
)
from terminal.core.enrolment import EnrolmentPhase, EnrolmentState
from terminal.core.events import (
    AlarmEnded,
    AlarmRaised,
    ButtonReleased,
    CaptureHindered,
    CredentialPresented,
    DeclineSaid,
    Event,
    FaceAsked,
    FaceCompared,
    FaceWentOff,
    ReferenceTaken,
    Started,
    TimePassed,
    VisionChanged,
    ZoneSeen,
)
from terminal.core.policy import (
    FACE_LEASE_S,
    FACE_RENEW_S,
    SIGN_WAIT_S,
    Policy,
)
from terminal.core.screens import screen
from terminal.core.sight import alternatives, face_off, permission
from terminal.core.state import State
from terminal.core.table import Outputs, is_due
from terminal.core.values import NOTHING_ALLOWED, Level, Permission, Scene, Screen

__all__ = [
    "State",
    "alternatives",
    "face_off",
    "next_deadline",
    "ordered",
    "permission",
    "screen",
    "step",
]

Step = tuple[State, Effects]


def step(state: State, event: Event, policy: Policy) -> Step:
    """What follows from one event. Total, pure, and the only way a state comes about."""
    known, news = parts.noted(replace(state, trusted=event.at.trusted), event)
    told, outputs = _told(known, event, policy)
    settled, more = _face_withdrawn(told, event, policy)
    signed = _sign_watched(settled, event, policy)
    leased, changes = _derived(state, signed, event, policy)
    return leased, ordered((*news, *outputs, *more, *changes))


def next_deadline(state: State) -> float | None:
    """When (mono s) `TimePassed` must come, or None when nothing is waited for."""
    every = (
        *door_state.deadlines(state.door),
        *transaction.deadlines(state.access),
        *enrolment.deadlines(state.enrolment),
        state.renew_s,
        state.sign_due_s,
    )
    return min((at_s for at_s in every if at_s is not None), default=None)


def ordered(effects: Effects) -> Effects:
    """What takes away first, then every record, then the strike, then the rest.

    Within each, as it was said: vision loses its permission before the sign goes dark. To detect
    is the least there is while face recognition is on, so that permission never waits either.
    """
    return tuple(sorted(effects, key=_rank))


def _rank(effect: Effect) -> int:
    match effect:
        case SecureStrike() | LightSign(lit=False):
            return 0
        case Permit(permission=Permission(level=Level.NONE | Level.DETECT)):
            return 0
        case Record():
            return 1
        case ReleaseStrike() | HoldStrike():
            return 2
        case _:
            return 3


# Who hears the event


def _told(state: State, event: Event, policy: Policy) -> tuple[State, Effects]:
    """Tell the tables; what one table tells another is told in the same step, in order.

    A table takes one row at a time, so time is told again while something is still due.
    """
    after, waiting = state, [event]
    effects: list[Effect] = []
    while waiting:
        before, told = after, waiting.pop(0)
        after, outputs = _heard(before, told, policy)
        waiting += [output for output in outputs if isinstance(output, Event)]
        effects += [output for output in outputs if not isinstance(output, Event)]
        if isinstance(told, TimePassed) and after != before and _is_overdue(after, told):
            waiting.append(told)
    return after, tuple(effects)


def _is_overdue(state: State, event: TimePassed) -> bool:
    tables = (
        *door_state.deadlines(state.door),
        *transaction.deadlines(state.access),
        *enrolment.deadlines(state.enrolment),
    )
    return any(is_due(at_s, event.at.mono_s) for at_s in tables)


def _heard(state: State, event: Event, policy: Policy) -> tuple[State, Outputs]:
    if isinstance(event, AlarmRaised | AlarmEnded):
        return parts.heard_alarm(state, event), ()
    if isinstance(event, FROM_VISION) and sight.permission(state, policy) == NOTHING_ALLOWED:
        return state, ()
    door_after, from_door = door.step(state.door, event, policy)
    after = replace(state, door=door_after)
    if _belongs_to_enrolment(state.enrolment, event):
        enrolment_after, outputs = enrolment.step(state.enrolment, event, policy)
        return replace(after, enrolment=enrolment_after), (*from_door, *outputs)
    access_after, from_access = access.step(state.access, event, policy)
    enrolment_after, from_enrolment = _enrolment_heard(state.enrolment, event, policy)
    after = replace(after, access=access_after, enrolment=enrolment_after)
    return after, (*from_door, *from_access, *from_enrolment)


FROM_VISION = (ZoneSeen, FaceCompared, CaptureHindered, ReferenceTaken)
"""What vision looked at before it heard that it may not; none of it is heard any more (D10)."""


def _belongs_to_enrolment(state: EnrolmentState, event: Event) -> bool:
    """Whether this event is for the enrolment alone."""
    match event:
        case DeclineSaid() | ButtonReleased():
            return enrolment.takes_button(state)
        case CredentialPresented():
            return enrolment.takes_card(state, event)
        case CaptureHindered() | ReferenceTaken() | ZoneSeen() | FaceAsked():
            return state.phase is EnrolmentPhase.CAPTURE
        case _:
            return False


def _enrolment_heard(
    state: EnrolmentState, event: Event, policy: Policy
) -> tuple[EnrolmentState, Outputs]:
    """The enrolment hears everything else, but no button and no card that is not for it."""
    if isinstance(event, DeclineSaid | ButtonReleased | CredentialPresented):
        return state, ()
    return enrolment.step(state, event, policy)


def _face_withdrawn(state: State, event: Event, policy: Policy) -> tuple[State, Effects]:
    if sight.permission(state, policy) != NOTHING_ALLOWED:
        return state, ()
    for_the_sign = sight.face_off(state, policy) is None
    return _told(state, FaceWentOff(event.at, for_the_sign), policy)


# What follows from the difference


def _sign_watched(state: State, event: Event, policy: Policy) -> State:
    """Give a sign that should be lit its time to read back, then call it failed."""
    if not sight.sign_is_wanted(state, policy):
        return replace(state, sign_due_s=None, sign_failed=False)
    if state.sign_lit or state.sign_failed:
        return replace(state, sign_due_s=None)
    if is_due(state.sign_due_s, event.at.mono_s):
        return replace(state, sign_due_s=None, sign_failed=True)
    due_s = state.sign_due_s or event.at.mono_s + SIGN_WAIT_S
    return replace(state, sign_due_s=due_s)


def _derived(before: State, after: State, event: Event, policy: Policy) -> Step:
    leased, permits = _lease(before, after, event, policy)
    effects = (
        *permits,
        *_sign_effect(before, leased, event, policy),
        *_face_record(before, leased, event, policy),
        *_alarm_line(before, leased, event, policy),
        *_shown(before, leased, event, policy),
        *_progress(before.enrolment, leased, policy),
    )
    return leased, effects


def _lease(before: State, after: State, event: Event, policy: Policy) -> Step:
    had, now = sight.permission(before, policy), sight.permission(after, policy)
    if now == NOTHING_ALLOWED:
        gone = had != now or isinstance(event, Started | VisionChanged)
        return replace(after, renew_s=None), (Permit(now, FACE_LEASE_S),) if gone else ()
    if now == had and not is_due(before.renew_s, event.at.mono_s):
        return after, ()
    renewed = replace(after, renew_s=event.at.mono_s + FACE_RENEW_S)
    return renewed, (Permit(now, FACE_LEASE_S),)


def _sign_effect(before: State, after: State, event: Event, policy: Policy) -> Effects:
    wanted = sight.sign_is_wanted(after, policy)
    if wanted == sight.sign_is_wanted(before, policy) and not isinstance(event, Started):
        return ()
    return (LightSign(wanted),)


def _face_record(before: State, after: State, event: Event, policy: Policy) -> Effects:
    was, now = sight.lasting(before, policy), sight.lasting(after, policy)
    if was == now and not isinstance(event, Started):
        return ()
    if now is None:
        return (Record(Kind.FACE_ON, event.at),)
    return (Record(Kind.FACE_OFF, event.at, facts=(("why", now.value),)),)


def _alarm_line(before: State, after: State, event: Event, policy: Policy) -> Effects:
    sounds = parts.sounds(after, policy)
    if sounds == parts.sounds(before, policy) and not isinstance(event, Started):
        return ()
    return (SoundAlarm(sounds),)


def _shown(before: State, after: State, event: Event, policy: Policy) -> Effects:
    now = screens.screen(after, policy)
    if now == screens.screen(before, policy) and not isinstance(event, Started):
        return ()
    return (Show(now),)


def _progress(before: EnrolmentState, after: State, policy: Policy) -> Effects:
    now = after.enrolment
    if now == before or now.person is None:
        return ()
    if now.phase is EnrolmentPhase.IDLE:
        shown = Screen(Scene.IDLE, reason=now.reason)
        return (Progress(now.person, now.ended or Stage.FAILED, shown),)
    return (Progress(now.person, STAGES[now.phase], screens.enrolment_screen(now, policy)),)


STAGES = {
    EnrolmentPhase.TAP_CARD: Stage.TAP_CARD,
    EnrolmentPhase.CONSENT: Stage.CONSENT,
    EnrolmentPhase.CAPTURE: Stage.CAPTURE,
    EnrolmentPhase.CHECKING: Stage.CHECKING,
}
