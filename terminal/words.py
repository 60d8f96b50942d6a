"""What the terminal says to people: one sentence for every screen, in plain English.

Said to the person at the door, and repeated to an operator who enrols somebody. No sentence says
why a face was refused beyond what that person may know, none hurries, none praises one way in over
the other (R12).

What changes with this file: what the story prints, later the screen's languages.
"""

from __future__ import annotations

from typing import Any

from terminal.core.values import FaceOff, Hint, Pose, Reason, Scene

SCENES = {
    Scene.IDLE: "Hold up your card or code, or stand in the marked zone. Button: no face"
    " recognition.",
    Scene.FACE_OFF: "Hold up your card or code.",
    Scene.PROMPT: "Stay to be recognised, or hold up your card or code. Button: no face"
    " recognition.",
    Scene.HOLD_STILL: "Look at the terminal for a moment.",
    Scene.GRANTED: "Please come in.",
    Scene.REFUSED: "The door stays closed.",
    Scene.OTHER_WAY: "No face recognition. Hold up your card or code.",
    Scene.TYPE_PIN: "Type your PIN.",
    Scene.LOOK_OR_PIN: "Type your PIN, or look at the terminal.",
    Scene.TAP_CARD: "Hold the new card to the reader.",
    Scene.CONSENT: "Do you agree to face recognition? Hold the button to agree. Tap it to refuse.",
    Scene.CAPTURE: "Look at the terminal.",
    Scene.CHECKING: "One moment.",
    Scene.CLOSE_DOOR: "Please close the door.",
    Scene.HELD_OPEN: "Please close the door. An alarm was raised.",
    Scene.LOCKED_DOWN: "The door is locked down. Ask the operator.",
    Scene.FORCED_OPEN: "The door was opened without a release.",
    Scene.HELD_RELEASED: "The door is open to everyone for now.",
}

REASONS = {
    Reason.NOT_RECOGNISED: "You were not recognised. Hold up your card or code, or come again.",
    Reason.NOT_VALID_NOW: "This is not valid at this time. Ask the operator.",
    Reason.NO_CONSENT: "There is no consent to face recognition. Hold up your card or code.",
    Reason.UNKNOWN_CARD: "This card is not known here. Ask the operator.",
    Reason.CANT_CHECK: "Cards can't be checked just now. Ask the operator.",
    Reason.CLOCK_UNTRUSTED: "The terminal's clock is not right, so dates can't be checked.",
    Reason.NO_GOOD_FRAME: "No good picture could be taken. Hold up your card or code, or try"
    " again.",
    Reason.DECLINED: "Face recognition was refused.",
    Reason.SAME_FACE_ENROLLED: "This face is enrolled already, under another name.",
    Reason.TIME_IS_UP: "It took too long.",
    Reason.CANCELLED: "The operator ended it.",
    Reason.NOT_A_PASS: "This code is no pass of this door.",
    Reason.SEVERAL_CODES: "Hold up one code at a time.",
    Reason.UNKNOWN_PASS: "This pass is not known here. Ask whoever gave it to you.",
    Reason.OTHER_DOOR: "This pass is for another door.",
    Reason.PASS_ENDED: "This pass was ended. Ask whoever gave it to you.",
    Reason.PASS_USED: "This pass was used up.",
    Reason.CODE_WRONG: "The code does not fit the time. Check the clock of the phone.",
    Reason.CODE_USED: "This code was used. Wait for the next one on the phone.",
    Reason.WEAK_CARD: "This kind of card does not open here. Ask the operator.",
    Reason.ANOTHER_WAY: "This is not the way in that was agreed for you. Ask the operator.",
    Reason.NO_PIN: "This needs a PIN, and you have none yet. Ask the operator.",
    Reason.WRONG_PIN: "The PIN was wrong.",
    Reason.PIN_DELAY: "Too many wrong PINs. Wait a while, or ask the operator.",
    Reason.CARD_FIRST: "Hold up your card or code first, then type the PIN.",
    Reason.NOT_NOW: "This does not open at this hour.",
    Reason.PASSBACK: "You came in already. Ask the operator.",
    Reason.LOCKDOWN: "The door is locked down. Ask the operator.",
    Reason.INTERLOCK: "The other door is open. Close it first.",
}

HINTS = {
    Hint.NEARER: "Come nearer.",
    Hint.FARTHER: "Step back a little.",
    Hint.TO_THE_MIDDLE: "Step into the marked zone.",
    Hint.FACE_THE_CAMERA: "Turn to the terminal.",
    Hint.HOLD_STILL: "Hold still.",
    Hint.MORE_LIGHT: "There is too little light.",
    Hint.ONE_AT_A_TIME: "One at a time, please.",
    Hint.TURN_MORE: "Turn a little further.",
}

POSES = {
    Pose.STRAIGHT: "Look straight at the terminal.",
    Pose.LEFT: "Turn your head a little to your left.",
    Pose.RIGHT: "Turn your head a little to your right.",
    Pose.UP: "Raise your chin a little.",
    Pose.DOWN: "Lower your chin a little.",
}

OFF = {
    FaceOff.DECLINED: "Face recognition is off because you said so.",
    FaceOff.PAUSED: "Face recognition pauses for half a minute.",
    FaceOff.NOBODY_ENROLLED: "",
    FaceOff.ANOTHER_WAY: "",
}
OFF_OTHERWISE = "Face recognition is out of use."


def sentence(screen: dict[str, Any]) -> str:
    """What a screen says, from its line as `desk.screen_line` makes it."""
    scene = Scene(screen["scene"])
    parts = [SCENES[scene]]
    if "pose" in screen:
        parts = [POSES[Pose(screen["pose"])]]
    if "reason" in screen:
        parts = [REASONS.get(Reason(screen["reason"]), parts[0])]
    if "face_off" in screen:
        parts.append(OFF.get(FaceOff(screen["face_off"]), OFF_OTHERWISE))
    if "hint" in screen:
        parts.append(HINTS[Hint(screen["hint"])])
    if "wanted" in screen:
        parts.insert(0, f"{screen.get('done', 0)} of {screen['wanted']}.")
    return " ".join(part for part in parts if part)
