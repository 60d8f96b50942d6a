"""What the person at the door is shown: one scene of the state as a whole.

An enrolment has the screen before a transaction, and that before the door. Nothing here can name
anybody: a scene, a reason in one word, a hint.

What changes with this file: the words that the kiosk has for each scene, docs/scenes.md.
"""

from __future__ import annotations

from terminal.core.door_state import DoorPhase, DoorState
from terminal.core.enrolment import EnrolmentPhase, EnrolmentState
from terminal.core.policy import Policy
from terminal.core.sight import face_off
from terminal.core.state import State
from terminal.core.transaction import AccessPhase
from terminal.core.values import Hint, Scene, Screen


def screen(state: State, policy: Policy) -> Screen:
    """What the person at the door is shown; the first that applies."""
    if state.enrolment.phase is not EnrolmentPhase.IDLE:
        return enrolment_screen(state.enrolment, policy)
    if state.access.phase is not AccessPhase.IDLE:
        reason, hint = state.access.reason, state.access.hint
        return Screen(_access_scene(state, policy), reason=reason, hint=hint)
    return _door_screen(state.door) or _idle_screen(state, policy)


def enrolment_screen(state: EnrolmentState, policy: Policy) -> Screen:
    """What is shown of an enrolment under way."""
    scene = ENROLMENT_SCENES[state.phase]
    if state.phase is not EnrolmentPhase.CAPTURE:
        return Screen(scene, reason=state.reason)
    return Screen(
        scene, hint=state.hint, pose=state.pose, done=state.taken, wanted=policy.references
    )


def _access_scene(state: State, policy: Policy) -> Scene:
    """Nobody is asked to look at a camera that does not look."""
    pending = state.access.pending
    if pending is None:
        return ACCESS_SCENES[state.access.phase]
    if pending.is_spending:
        return Scene.CHECKING
    looks = pending.wants_face and face_off(state, policy) is None
    return Scene.LOOK_OR_PIN if looks else Scene.TYPE_PIN


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
