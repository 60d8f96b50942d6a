"""Whether face recognition is on, why it is not, and what vision may do at this moment.

Functions of the state as a whole, so that no row of a table can forget one of the reasons: each
`FaceOff` is asked after in one list, in the order in which a person is told. Nothing is permitted
unless the sign reads back lit (D10), and nothing while fewer than two other ways in work (D11).

What changes with this file: every promise about who is looked at, the sign, the idle screen.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.core.enrolment import EnrolmentPhase
from terminal.core.policy import ALTERNATIVES_REQUIRED, Policy, Trigger
from terminal.core.state import State
from terminal.core.transaction import AccessPhase, AccessState
from terminal.core.values import NOTHING_ALLOWED, Alarm, FaceOff, Level, Permission


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


def lasting(state: State, policy: Policy) -> FaceOff | None:
    """Why the face is off beyond this visit or enrolment, or None; what a record is made of."""
    reasons = (reason for reason, holds in _reasons(state, policy) if holds)
    return next((reason for reason in reasons if reason not in PASSING_REASONS), None)
