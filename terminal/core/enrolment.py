"""Registering a person: a card, and where the person agrees to it, a face.

The operator prepares; the person at the terminal acts: taps the card, holds the button to consent
or lets go of it to refuse. No face model sees a frame before that consent (R01), and the button
ends the capture, until the last moment before the templates are written, as easily as it ends a
scan. A person who refuses is a holder like any other, and nobody is scanned who only came to be
registered: `access` is told when it is over.

What changes with this file: `docs/states.md`, the messages that an enrolling operator sees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from terminal.core.consent import changed
from terminal.core.effects import (
    BindCard,
    CheckDuplicate,
    DropReferences,
    Effect,
    EraseFace,
    ErasePerson,
    Kind,
    Play,
    Record,
    RegisterPerson,
    SealTemplates,
    Sound,
    Stage,
    StoreConsent,
)
from terminal.core.events import (
    ButtonPressed,
    ButtonReleased,
    CaptureHindered,
    CredentialPresented,
    DeclineAsked,
    DeclineSaid,
    DuplicateChecked,
    EnrolAsked,
    EnrolCancelled,
    EnrolmentEnded,
    EraseAsked,
    Event,
    ReferenceTaken,
    TimePassed,
)
from terminal.core.policy import POSES, Policy
from terminal.core.table import Outputs, advance, is_due, row
from terminal.core.values import ConsentState, Hint, Moment, PersonId, Pose, Reason, Side


class EnrolmentPhase(Enum):
    """Where the enrolment stands."""

    IDLE = "idle"
    TAP_CARD = "tap_card"
    CONSENT = "consent"
    CAPTURE = "capture"
    CHECKING = "checking"


P = EnrolmentPhase
ANY = tuple(EnrolmentPhase)
BUSY = tuple(phase for phase in EnrolmentPhase if phase is not P.IDLE)


@dataclass(frozen=True, slots=True)
class EnrolmentState:
    """The session under way, or how the last one ended (`ended`, `reason`).

    `pressed_until_s` is the moment (mono s) from which the button has been held long enough.
    """

    phase: EnrolmentPhase = EnrolmentPhase.IDLE
    asked: EnrolAsked | None = None
    consent: ConsentState = ConsentState.NONE
    has_card: bool = False
    taken: int = 0
    hint: Hint | None = None
    until_s: float | None = None
    pressed_until_s: float | None = None
    ended: Stage | None = None
    reason: Reason | None = None

    @property
    def person(self) -> PersonId | None:
        """Who is being registered."""
        return self.asked.person if self.asked else None

    @property
    def pose(self) -> Pose:
        """The pose that is wanted next."""
        return POSES[self.taken % len(POSES)]


Step = tuple[EnrolmentState, Outputs]


def deadlines(state: EnrolmentState) -> tuple[float | None, ...]:
    """All moments (mono s) at which this table wants `TimePassed`."""
    return state.until_s, state.pressed_until_s


def step(state: EnrolmentState, event: Event, policy: Policy) -> Step:
    """One event for the enrolment."""
    return advance(TABLE, state, event, policy)


def takes_button(state: EnrolmentState) -> bool:
    """Whether the kiosk button speaks to the enrolment now, not to the transaction."""
    return state.phase in (P.CONSENT, P.CAPTURE, P.CHECKING)


def takes_card(state: EnrolmentState, event: CredentialPresented) -> bool:
    """Whether this card is meant for the enrolment: a card of nobody, while one is waited for.

    A card of which nobody could say whose it is may be somebody's; one shown inside is on its way
    out.
    """
    is_free = event.card is not None and event.holder is None and event.is_checked
    return state.phase is P.TAP_CARD and is_free and event.side is Side.OUTSIDE


# Guards


def wants_card(state: EnrolmentState, event: EnrolAsked, policy: Policy) -> bool:
    return event.with_card


def wants_face(state: EnrolmentState, event: Event, policy: Policy) -> bool:
    asked = event if isinstance(event, EnrolAsked) else state.asked
    return asked is not None and asked.with_face


def card_is_free(state: EnrolmentState, event: CredentialPresented, policy: Policy) -> bool:
    return takes_card(state, event)


def free_and_wants_face(state: EnrolmentState, event: CredentialPresented, policy: Policy) -> bool:
    return takes_card(state, event) and wants_face(state, event, policy)


def held_long_enough(state: EnrolmentState, event: TimePassed, policy: Policy) -> bool:
    return is_due(state.pressed_until_s, event.at.mono_s)


def let_go(state: EnrolmentState, event: ButtonReleased, policy: Policy) -> bool:
    return state.pressed_until_s is not None and event.at.mono_s < state.pressed_until_s


def let_go_late(state: EnrolmentState, event: ButtonReleased, policy: Policy) -> bool:
    return is_due(state.pressed_until_s, event.at.mono_s)


def time_is_up(state: EnrolmentState, event: TimePassed, policy: Policy) -> bool:
    return is_due(state.until_s, event.at.mono_s)


def right_pose(state: EnrolmentState, event: ReferenceTaken, policy: Policy) -> bool:
    return event.pose is state.pose


def last_pose(state: EnrolmentState, event: ReferenceTaken, policy: Policy) -> bool:
    return event.pose is state.pose and state.taken + 1 >= policy.references


def is_new_face(state: EnrolmentState, event: DuplicateChecked, policy: Policy) -> bool:
    return not event.found


def is_this_person(state: EnrolmentState, event: EraseAsked, policy: Policy) -> bool:
    return event.person == state.person


# Actions


def await_card(state: EnrolmentState, event: EnrolAsked, policy: Policy) -> Step:
    after = replace(_new(event), until_s=event.at.mono_s + policy.card_wait_s)
    return after, _registered(event)


def await_consent(state: EnrolmentState, event: EnrolAsked, policy: Policy) -> Step:
    after, outputs = _consent_asked(_new(event), event.at, policy)
    return after, (*_registered(event), *outputs)


def bind_then_consent(state: EnrolmentState, event: CredentialPresented, policy: Policy) -> Step:
    after, outputs = _consent_asked(replace(state, has_card=True), event.at, policy)
    return after, (*_bound(state, event), *outputs)


def bind_and_end(state: EnrolmentState, event: CredentialPresented, policy: Policy) -> Step:
    after = replace(state, has_card=True)
    over = EnrolmentEnded(event.at)
    return _ended(after, Stage.CARD_ONLY, None), (*_bound(state, event), over)


def press(state: EnrolmentState, event: ButtonPressed, policy: Policy) -> Step:
    return replace(state, pressed_until_s=event.at.mono_s + policy.consent_hold_s), ()


def give_consent(state: EnrolmentState, event: Event, policy: Policy) -> Step:
    given = changed(state.consent, ConsentState.GIVEN)
    until_s = event.at.mono_s + policy.capture_s
    after = replace(state, consent=given, pressed_until_s=None, taken=0, until_s=until_s)
    return after, (*_decided(state, event.at, Kind.CONSENT_GIVEN, given), Play(Sound.PROMPT))


def refuse_consent(state: EnrolmentState, event: Event, policy: Policy) -> Step:
    """A no is a no: what somebody agreed to earlier ends with it."""
    refused = changed(state.consent, ConsentState.REFUSED)
    decided = _decided(state, event.at, Kind.CONSENT_REFUSED, refused)
    earlier = EraseFace(_session(state).person, ConsentState.WITHDRAWN, event.at)
    after, outputs = _without_face(replace(state, consent=refused), event.at, Reason.DECLINED)
    return after, (*decided, earlier, *outputs)


def consent_unanswered(state: EnrolmentState, event: TimePassed, policy: Policy) -> Step:
    return _without_face(state, event.at, Reason.TIME_IS_UP)


def no_card(state: EnrolmentState, event: TimePassed, policy: Policy) -> Step:
    return _without_face(state, event.at, Reason.TIME_IS_UP)


def cancel(state: EnrolmentState, event: EnrolCancelled, policy: Policy) -> Step:
    return _without_face(state, event.at, Reason.CANCELLED)


def take(state: EnrolmentState, event: ReferenceTaken, policy: Policy) -> Step:
    return replace(state, taken=state.taken + 1, hint=None), (Play(Sound.PROMPT),)


def take_last(state: EnrolmentState, event: ReferenceTaken, policy: Policy) -> Step:
    assert state.person is not None, "a capture has a person"
    return replace(state, taken=state.taken + 1, hint=None), (CheckDuplicate(state.person),)


def note_hint(state: EnrolmentState, event: CaptureHindered, policy: Policy) -> Step:
    return replace(state, hint=event.hint), ()


def stop_capture(state: EnrolmentState, event: DeclineSaid, policy: Policy) -> Step:
    return _consent_ends(state, event.at, ConsentState.WITHDRAWN, Reason.DECLINED)


def capture_failed(state: EnrolmentState, event: TimePassed, policy: Policy) -> Step:
    return _consent_ends(state, event.at, ConsentState.EXPIRED, Reason.TIME_IS_UP)


def cancel_capture(state: EnrolmentState, event: EnrolCancelled, policy: Policy) -> Step:
    return _consent_ends(state, event.at, ConsentState.EXPIRED, Reason.CANCELLED)


def enrolled_already(state: EnrolmentState, event: DuplicateChecked, policy: Policy) -> Step:
    return _consent_ends(state, event.at, ConsentState.EXPIRED, Reason.SAME_FACE_ENROLLED)


def enrolled(state: EnrolmentState, event: DuplicateChecked, policy: Policy) -> Step:
    asked = _session(state)
    facts = (("references", str(state.taken)),)
    record = Record(Kind.ENROLLED, event.at, person=asked.person, by=asked.by, facts=facts)
    sealed = SealTemplates(asked.person, asked.consent)
    outputs = (record, sealed, Play(Sound.GRANTED), EnrolmentEnded(event.at))
    return _ended(state, Stage.DONE, None), outputs


def erase(state: EnrolmentState, event: EraseAsked, policy: Policy) -> Step:
    return state, _erased(event)


def erase_enrolling(state: EnrolmentState, event: EraseAsked, policy: Policy) -> Step:
    outputs = (DropReferences(), *_erased(event), EnrolmentEnded(event.at))
    return _ended(state, Stage.FAILED, Reason.CANCELLED), outputs


def _new(event: EnrolAsked) -> EnrolmentState:
    return EnrolmentState(asked=event)


def _session(state: EnrolmentState) -> EnrolAsked:
    assert state.asked is not None, "every phase but IDLE has a session"
    return state.asked


def _registered(event: EnrolAsked) -> tuple[Effect, ...]:
    if event.known:
        return ()
    record = Record(Kind.PERSON_REGISTERED, event.at, person=event.person, by=event.by)
    return record, RegisterPerson(event.person)


def _bound(state: EnrolmentState, event: CredentialPresented) -> tuple[Effect, ...]:
    assert event.card is not None, "guarded by `card_is_free`"
    asked = _session(state)
    facts = (("reader", event.reader),)
    record = Record(Kind.CARD_BOUND, event.at, person=asked.person, by=asked.by, facts=facts)
    return record, BindCard(asked.person, event.card, event.is_weak), Play(Sound.GRANTED)


def _consent_asked(state: EnrolmentState, at: Moment, policy: Policy) -> Step:
    asked = _session(state)
    requested = changed(ConsentState.NONE, ConsentState.REQUESTED)
    after = replace(state, consent=requested, until_s=at.mono_s + policy.consent_wait_s)
    record = Record(Kind.CONSENT_REQUESTED, at, person=asked.person, by=asked.by)
    return after, (record, Play(Sound.PROMPT))


def _decided(
    state: EnrolmentState, at: Moment, kind: Kind, decision: ConsentState
) -> tuple[Effect, ...]:
    asked = _session(state)
    record = Record(kind, at, person=asked.person, facts=(("consent", asked.consent),))
    return record, StoreConsent(asked.person, asked.consent, decision, at)


def _without_face(state: EnrolmentState, at: Moment, reason: Reason) -> Step:
    """End before any capture: a holder of a card stays one, a newcomer with nothing is dropped."""
    asked = _session(state)
    record = Record(Kind.ENROLMENT_FAILED, at, person=asked.person, by=asked.by, reason=reason)
    over = EnrolmentEnded(at)
    if state.has_card:
        return _ended(state, Stage.CARD_ONLY, reason), (record, over)
    dropped = () if asked.known else (ErasePerson(asked.person),)
    return _ended(state, Stage.FAILED, reason), (record, *dropped, over)


def _consent_ends(state: EnrolmentState, at: Moment, end: ConsentState, reason: Reason) -> Step:
    asked = _session(state)
    withdrawn = Record(Kind.CONSENT_WITHDRAWN, at, person=asked.person, reason=reason)
    erased = EraseFace(asked.person, changed(state.consent, end), at)
    after, outputs = _without_face(state, at, reason)
    return after, (withdrawn, DropReferences(), erased, *outputs)


def _ended(state: EnrolmentState, stage: Stage, reason: Reason | None) -> EnrolmentState:
    return EnrolmentState(phase=state.phase, asked=state.asked, ended=stage, reason=reason)


def _erased(event: EraseAsked) -> tuple[Effect, ...]:
    ended = Record(Kind.CONSENT_WITHDRAWN, event.at, person=event.person, by=event.by)
    scope = "everything" if event.everything else "face"
    record = Record(
        Kind.ERASED, event.at, person=event.person, by=event.by, facts=(("scope", scope),)
    )
    face = EraseFace(event.person, ConsentState.WITHDRAWN, event.at)
    rest = (ErasePerson(event.person),) if event.everything else ()
    return ended, record, face, *rest


TABLE = (
    row(BUSY, EraseAsked, P.IDLE, erase_enrolling, when=is_this_person),
    row(ANY, EraseAsked, None, erase),
    row(P.IDLE, EnrolAsked, P.TAP_CARD, await_card, when=wants_card),
    row(P.IDLE, EnrolAsked, P.CONSENT, await_consent, when=wants_face),
    row(P.TAP_CARD, CredentialPresented, P.CONSENT, bind_then_consent, when=free_and_wants_face),
    row(P.TAP_CARD, CredentialPresented, P.IDLE, bind_and_end, when=card_is_free),
    row(P.TAP_CARD, TimePassed, P.IDLE, no_card, when=time_is_up),
    row(P.CONSENT, ButtonPressed, None, press),
    row(P.CONSENT, TimePassed, P.CAPTURE, give_consent, when=held_long_enough),
    row(P.CONSENT, DeclineAsked, P.IDLE, refuse_consent),
    row(P.CONSENT, ButtonReleased, P.CAPTURE, give_consent, when=let_go_late),
    row(P.CONSENT, ButtonReleased, P.IDLE, refuse_consent, when=let_go),
    row(P.CONSENT, TimePassed, P.IDLE, consent_unanswered, when=time_is_up),
    row((P.TAP_CARD, P.CONSENT), EnrolCancelled, P.IDLE, cancel),
    row(P.CAPTURE, ReferenceTaken, P.CHECKING, take_last, when=last_pose),
    row(P.CAPTURE, ReferenceTaken, None, take, when=right_pose),
    row(P.CAPTURE, CaptureHindered, None, note_hint),
    row((P.CAPTURE, P.CHECKING), DeclineSaid, P.IDLE, stop_capture),
    row((P.CAPTURE, P.CHECKING), TimePassed, P.IDLE, capture_failed, when=time_is_up),
    row((P.CAPTURE, P.CHECKING), EnrolCancelled, P.IDLE, cancel_capture),
    row(P.CHECKING, DuplicateChecked, P.IDLE, enrolled, when=is_new_face),
    row(P.CHECKING, DuplicateChecked, P.IDLE, enrolled_already),
)
