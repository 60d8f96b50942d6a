"""The whole terminal in one pure function: `step(state, event, policy) -> (state, effects)`.

It knows which table hears an event, and derives from the state as a whole what no table may decide
alone: whether face recognition is off and why, what vision is permitted, whether the sign is lit,
what the screen shows. Because these are functions of the state, none can be forgotten in a row.
`step` is total: any event may come in any state, and it never raises.

What changes with this file: the loop's order of work, the lease that vision lives on, the screen.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from terminal.core import access, door, door_state, door_watch, enrolment, transaction
from terminal.core.door_state import DoorPhase, DoorState
from terminal.core.effects import (
    CarryOut,
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
    AlarmsAcknowledged,
    ButtonReleased,
    CameraChanged,
    CaptureHindered,
    ChangeAsked,
    CodesChanged,
    CredentialPresented,
    DeclineSaid,
    EnrolledChanged,
    Event,
    FaceAsked,
    FaceCompared,
    FaceWentOff,
    ParityJudged,
    ReaderChanged,
    ReferenceTaken,
    SignRead,
    Started,
    TimePassed,
    VisionChanged,
    ZoneSeen,
)
from terminal.core.policy import (
    ALTERNATIVES_REQUIRED,
    FACE_LEASE_S,
    FACE_RENEW_S,
    SIGN_WAIT_S,
    AlarmLine,
    Policy,
    Trigger,
)
from terminal.core.table import Outputs, is_due
from terminal.core.transaction import AccessPhase, AccessState
from terminal.core.values import (
    NOTHING_ALLOWED,
    Alarm,
    FaceOff,
    Hint,
    Level,
    Permission,
    Scene,
    Screen,
)


@dataclass(frozen=True, slots=True)
class State:
    """Everything the terminal remembers between two events.

    `readers` are those that work, `codes` whether the camera's codes are read; `trusted` what the
    newest event said of the clock. `alarms` stand until they are over or acknowledged. `renew_s`
    is when the permission of vision is renewed; `sign_due_s` until when the sign that was lit must
    have read back lit (mono s).
    """

    door: DoorState = field(default_factory=DoorState)
    access: AccessState = field(default_factory=AccessState)
    enrolment: EnrolmentState = field(default_factory=EnrolmentState)
    readers: frozenset[str] = frozenset()
    vision: bool = False
    camera: bool = False
    codes: bool = False
    trusted: bool = True
    alarms: frozenset[Alarm] = frozenset()
    sign_lit: bool = False
    sign_failed: bool = False
    sign_due_s: float | None = None
    enrolled: int = 0
    supported: bool = True
    room: bool = True
    readable: bool = True
    renew_s: float | None = None


Step = tuple[State, Effects]


def step(state: State, event: Event, policy: Policy) -> Step:
    """What follows from one event. Total, pure, and the only way a state comes about."""
    noted, news = _noted(replace(state, trusted=event.at.trusted), event)
    told, outputs = _told(noted, event, policy)
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


# What the state as a whole says


def face_off(state: State, policy: Policy) -> FaceOff | None:
    """The first reason why no face model may run, or None when face recognition is on."""
    return next((reason for reason, holds in _reasons(state, policy) if holds), None)


def _reasons(state: State, policy: Policy) -> tuple[tuple[FaceOff, bool], ...]:
    capturing = state.enrolment.phase is EnrolmentPhase.CAPTURE
    verifying = _wants_face(state)
    return (
        (FaceOff.PLACE, not policy.face_allowed_here),
        (FaceOff.DISABLED, not policy.face_enabled),
        (FaceOff.ALTERNATIVES, alternatives(state, policy) < ALTERNATIVES_REQUIRED),
        (FaceOff.VISION, not state.vision),
        (FaceOff.CAMERA, not state.camera),
        (FaceOff.SIGN, state.sign_failed),
        (FaceOff.TAMPER, Alarm.TAMPER in state.alarms),
        (FaceOff.DECLINED, state.access.phase is AccessPhase.DECLINED),
        (FaceOff.ANOTHER_WAY, state.access.away and not verifying and not capturing),
        (FaceOff.ASKING, state.enrolment.phase in ASKING),
        (FaceOff.PAUSED, state.access.paused_until_s is not None and not capturing),
        (FaceOff.TEMPLATES, not state.readable),
        (FaceOff.TOO_MANY_ENROLLED, not (state.supported or verifying or capturing)),
        (FaceOff.NOBODY_ENROLLED, state.enrolled == 0 and not capturing),
    )


def alternatives(state: State, policy: Policy) -> int:
    """How many independent ways in without a face work now (D11).

    The camera's codes are one, as long as somebody reads them and their dates can be checked.
    """
    readers = len(state.readers - policy.not_ways)
    return readers + (state.codes and state.camera and state.trusted)


def _wants_face(state: State) -> bool:
    """Whether a card has been shown whose holder may add the face to it."""
    pending = state.access.pending
    return state.access.phase is AccessPhase.PENDING and pending is not None and pending.wants_face


ASKING = (EnrolmentPhase.TAP_CARD, EnrolmentPhase.CONSENT, EnrolmentPhase.CHECKING)
"""While an enrolment asks or reckons, nobody before the terminal is looked at (R01)."""

PASSING_REASONS = frozenset(
    {
        FaceOff.DECLINED,
        FaceOff.ANOTHER_WAY,
        FaceOff.PAUSED,
        FaceOff.ASKING,
        FaceOff.NOBODY_ENROLLED,
    }
)
"""Reasons that come and go with visits and enrolments; they are not records of their own."""


def sign_is_wanted(state: State, policy: Policy) -> bool:
    """Whether the sign has to be lit: face models may run, or the sign is being tried again."""
    return face_off(replace(state, sign_failed=False), policy) is None


def permission(state: State, policy: Policy) -> Permission:
    """What vision may do now. Nothing unless the sign reads back lit (D10)."""
    if not state.sign_lit or face_off(state, policy) is not None:
        return NOTHING_ALLOWED
    if state.enrolment.phase is EnrolmentPhase.CAPTURE:
        return Permission(Level.ENROL, pose=state.enrolment.pose)
    if _wants_face(state):
        return _permission_to_verify(state.access)
    if state.access.phase is AccessPhase.SCANNING:
        return Permission(Level.EMBED, track=state.access.track)
    waits_for_button = policy.trigger is Trigger.BUTTON
    if waits_for_button and state.access.phase is not AccessPhase.ASKED:
        return NOTHING_ALLOWED
    return Permission(Level.DETECT)


def _permission_to_verify(state: AccessState) -> Permission:
    """Whoever has shown a card has asked for it: no dwell, one person, one comparison."""
    if state.in_view is None or state.pending is None:
        return Permission(Level.DETECT)
    return Permission(Level.EMBED, track=state.in_view, verify=state.pending.person)


def screen(state: State, policy: Policy) -> Screen:
    """What the person at the door is shown; the first that applies."""
    if state.enrolment.phase is not EnrolmentPhase.IDLE:
        return _enrolment_screen(state.enrolment, policy)
    if state.access.phase is not AccessPhase.IDLE:
        return _access_screen(state.access, policy)
    return _door_screen(state.door) or _idle_screen(state, policy)


def _enrolment_screen(state: EnrolmentState, policy: Policy) -> Screen:
    scene = ENROLMENT_SCENES[state.phase]
    if state.phase is not EnrolmentPhase.CAPTURE:
        return Screen(scene, reason=state.reason)
    return Screen(
        scene, hint=state.hint, pose=state.pose, done=state.taken, wanted=policy.references
    )


def _access_screen(state: AccessState, policy: Policy) -> Screen:
    return Screen(_access_scene(state), reason=state.reason, hint=state.hint)


def _access_scene(state: AccessState) -> Scene:
    if state.pending is None:
        return ACCESS_SCENES[state.phase]
    if state.pending.is_spending:
        return Scene.CHECKING
    return Scene.LOOK_OR_PIN if state.pending.wants_face else Scene.TYPE_PIN


def _door_screen(state: DoorState) -> Screen | None:
    scene = DOOR_SCENES.get(state.phase)
    if scene is not None:
        return Screen(scene)
    return Screen(Scene.LOCKED_DOWN) if state.locked_down else None


def _idle_screen(state: State, policy: Policy) -> Screen:
    """Whoever only passes by is not beckoned nearer (R12)."""
    off = face_off(state, policy)
    if off is not None:
        return Screen(Scene.FACE_OFF, face_off=off)
    several = state.access.hint is Hint.ONE_AT_A_TIME
    return Screen(Scene.IDLE, hint=Hint.ONE_AT_A_TIME if several else None)


ENROLMENT_SCENES = {
    EnrolmentPhase.TAP_CARD: Scene.TAP_CARD,
    EnrolmentPhase.CONSENT: Scene.CONSENT,
    EnrolmentPhase.CAPTURE: Scene.CAPTURE,
    EnrolmentPhase.CHECKING: Scene.CHECKING,
}
ACCESS_SCENES = {
    AccessPhase.ASKED: Scene.HOLD_STILL,
    AccessPhase.PROMPTED: Scene.PROMPT,
    AccessPhase.SCANNING: Scene.HOLD_STILL,
    AccessPhase.PENDING: Scene.TYPE_PIN,
    AccessPhase.GRANTED: Scene.GRANTED,
    AccessPhase.REFUSED: Scene.REFUSED,
    AccessPhase.DECLINED: Scene.OTHER_WAY,
}
DOOR_SCENES = {
    DoorPhase.WARNED: Scene.CLOSE_DOOR,
    DoorPhase.HELD_OPEN: Scene.HELD_OPEN,
    DoorPhase.FORCED: Scene.FORCED_OPEN,
    DoorPhase.FREE: Scene.HELD_RELEASED,
}


# Facts about the terminal's parts


def _noted(state: State, event: Event) -> tuple[State, Effects]:
    match event:
        case Started():
            fresh = State(readers=frozenset(event.readers), trusted=event.at.trusted)
            return fresh, (Record(Kind.STARTED, event.at),)
        case VisionChanged():
            return _vision_noted(state, event)
        case CameraChanged() if event.working != state.camera:
            after = replace(state, camera=event.working)
            return after, (_part(Kind.CAMERA, event, event.working),)
        case ReaderChanged():
            return _reader_noted(state, event)
        case CodesChanged() if event.working != state.codes:
            after = replace(state, codes=event.working)
            return after, (_part(Kind.CODES, event, event.working),)
        case ChangeAsked():
            record = Record(event.kind, event.at, event.person, by=event.by, facts=event.facts)
            return state, (record, CarryOut(event.number))
        case AlarmsAcknowledged():
            kept = state.alarms & (door_watch.standing(state.door) | {Alarm.PARITY})
            facts = tuple(("alarm", name) for name in sorted(one.value for one in state.alarms))
            record = Record(Kind.ALARMS_ACKNOWLEDGED, event.at, by=event.by, facts=facts)
            return replace(state, alarms=kept), (record,)
        case ParityJudged() if event.broken != (Alarm.PARITY in state.alarms):
            facts = (("convenient", "no" if event.broken else "yes"),)
            after = _alarmed(state, Alarm.PARITY, event.broken)
            return after, (Record(Kind.PARITY, event.at, facts=facts),)
        case EnrolledChanged():
            after = replace(
                state,
                enrolled=event.people,
                supported=event.supported,
                room=event.room,
                readable=event.readable,
            )
            return after, ()
        case SignRead():
            failed = state.sign_failed and not event.lit
            return replace(state, sign_lit=event.lit, sign_failed=failed), ()
        case _:
            return state, ()


def _alarmed(state: State, alarm: Alarm, stands: bool) -> State:
    one = frozenset({alarm})
    return replace(state, alarms=state.alarms | one if stands else state.alarms - one)


def _vision_noted(state: State, event: VisionChanged) -> tuple[State, Effects]:
    if event.alive == state.vision:
        return state, ()
    after = replace(state, vision=event.alive, camera=False)
    return after, (_part(Kind.VISION, event, event.alive),)


def _reader_noted(state: State, event: ReaderChanged) -> tuple[State, Effects]:
    if (event.reader in state.readers) == event.working:
        return state, ()
    one = frozenset({event.reader})
    readers = state.readers | one if event.working else state.readers - one
    record = _part(Kind.READER, event, event.working, ("reader", event.reader))
    return replace(state, readers=readers), (record,)


def _part(kind: Kind, event: Event, works: bool, *facts: tuple[str, str]) -> Record:
    return Record(kind, event.at, facts=(*facts, ("works", "yes" if works else "no")))


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
        return _alarmed(state, event.alarm, isinstance(event, AlarmRaised)), ()
    if isinstance(event, FROM_VISION) and permission(state, policy) == NOTHING_ALLOWED:
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
    if permission(state, policy) != NOTHING_ALLOWED:
        return state, ()
    return _told(state, FaceWentOff(event.at), policy)


# What follows from the difference


def _sign_watched(state: State, event: Event, policy: Policy) -> State:
    """Give a sign that should be lit its time to read back, then call it failed."""
    if not sign_is_wanted(state, policy):
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
        *_show(before, leased, event, policy),
        *_progress(before.enrolment, leased, policy),
    )
    return leased, effects


def _lease(before: State, after: State, event: Event, policy: Policy) -> Step:
    had, now = permission(before, policy), permission(after, policy)
    if now == NOTHING_ALLOWED:
        gone = had != now or isinstance(event, Started | VisionChanged)
        return replace(after, renew_s=None), (Permit(now, FACE_LEASE_S),) if gone else ()
    if now == had and not is_due(before.renew_s, event.at.mono_s):
        return after, ()
    renewed = replace(after, renew_s=event.at.mono_s + FACE_RENEW_S)
    return renewed, (Permit(now, FACE_LEASE_S),)


def _sign_effect(before: State, after: State, event: Event, policy: Policy) -> Effects:
    wanted = sign_is_wanted(after, policy)
    if wanted == sign_is_wanted(before, policy) and not isinstance(event, Started):
        return ()
    return (LightSign(wanted),)


def _face_record(before: State, after: State, event: Event, policy: Policy) -> Effects:
    was, now = _lasting(before, policy), _lasting(after, policy)
    if was == now and not isinstance(event, Started):
        return ()
    if now is None:
        return (Record(Kind.FACE_ON, event.at),)
    return (Record(Kind.FACE_OFF, event.at, facts=(("why", now.value),)),)


def _alarm_line(before: State, after: State, event: Event, policy: Policy) -> Effects:
    sounds = _sounds(after, policy)
    if sounds == _sounds(before, policy) and not isinstance(event, Started):
        return ()
    return (SoundAlarm(sounds),)


def _sounds(state: State, policy: Policy) -> bool:
    """Whether the alarm contact is closed; duress closes it only where nobody at the door hears."""
    silent = {Alarm.PARITY} if policy.alarm_line is AlarmLine.ALL else SILENT
    return bool(state.alarms - silent)


SILENT = frozenset({Alarm.DURESS, Alarm.PARITY})
"""Alarms that may not be heard at the door, or that no siren is for."""


def _lasting(state: State, policy: Policy) -> FaceOff | None:
    reasons = (reason for reason, holds in _reasons(state, policy) if holds)
    return next((reason for reason in reasons if reason not in PASSING_REASONS), None)


def _show(before: State, after: State, event: Event, policy: Policy) -> Effects:
    now = screen(after, policy)
    if now == screen(before, policy) and not isinstance(event, Started):
        return ()
    return (Show(now),)


def _progress(before: EnrolmentState, after: State, policy: Policy) -> Effects:
    now = after.enrolment
    if now == before or now.person is None:
        return ()
    if now.phase is EnrolmentPhase.IDLE:
        shown = Screen(Scene.IDLE, reason=now.reason)
        return (Progress(now.person, now.ended or Stage.FAILED, shown),)
    return (Progress(now.person, STAGES[now.phase], _enrolment_screen(now, policy)),)


STAGES = {
    EnrolmentPhase.TAP_CARD: Stage.TAP_CARD,
    EnrolmentPhase.CONSENT: Stage.CONSENT,
    EnrolmentPhase.CAPTURE: Stage.CAPTURE,
    EnrolmentPhase.CHECKING: Stage.CHECKING,
}
