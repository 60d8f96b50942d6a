"""Codes that somebody holds up before the bench camera: what they say, on what, and where, when.

As data, without drawing anything (`hw/code_props.py` does). A code is a QR code of a given side on
a telephone's screen or on paper; it moves between keyframes in metres and degrees, as the camera
sees it. A strobing one says something else in every frame. The same seed and time give the same.

What changes with this file: `hw/scenes.py`, `docs/scenes.md`, the scene files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum

from hw.keyframes import chance, mix, span
from hw.scene_reader import SceneError, TableReader, next_time

LONGEST_TEXT = 2953
"""Bytes that the largest QR code holds (ISO/IEC 18004, version 40, level L)."""

LEVELS = ("l", "m", "q", "h")
"""How much of a code may be wrong and it is read all the same: 7, 15, 25, 30 %."""


class Medium(Enum):
    """What shows the code."""

    PAPER = "paper"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class CodePose:
    """Where a code is: its middle in units of the frame (`Pose` of hw/scenes.py), its distance
    (m), and its turn, as for faces."""

    x: float
    y: float
    distance_m: float
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class CodeKeyframe:
    """A pose that a code reaches `t_s` after the scene's start."""

    t_s: float
    pose: CodePose


@dataclass(frozen=True, slots=True)
class Print:
    """What does not change while a code is held.

    `side_m` is the side of the code itself, without its quiet zone; `level` its error correction;
    `fringes` scales the moire and the dark bands that a camera sees on a screen (0: none, 1: bad);
    `blur` is the defocus: a standard deviation in px of a frame with 480 rows.
    """

    medium: Medium
    side_m: float = 0.06
    level: str = "m"
    fringes: float = 0.0
    blur: float = 0.0


@dataclass(frozen=True, slots=True)
class HeldCode:
    """A code at one moment."""

    text: str
    made: Print
    pose: CodePose
    phase: float
    """0..1: where the bands on a screen are, anew in each frame."""

    @property
    def distance_m(self) -> float:
        """From the camera."""
        return self.pose.distance_m


@dataclass(frozen=True, slots=True)
class Code:
    """A code from its first keyframe to its last. `strobe_hz`: it says so many things a second."""

    name: str
    text: str
    made: Print
    keyframes: tuple[CodeKeyframe, ...]
    sway: float = 0.0
    strobe_hz: float = 0.0

    def with_changes(self, text: str | None, medium: str | None) -> Code:
        """The same with another text or on another medium. Raises SceneError."""
        if text is not None and not 0 < len(text.encode("utf-8", "replace")) <= LONGEST_TEXT:
            raise SceneError(f"A code's text has 1 to {LONGEST_TEXT} bytes.")
        if medium is not None and medium not in {one.value for one in Medium}:
            raise SceneError(f"A code is on paper or on a phone, not on {medium[:40]!r}.")
        made = self.made if medium is None else replace(self.made, medium=Medium(medium))
        return replace(self, text=self.text if text is None else text, made=made)

    def at(self, t_s: float, elapsed_s: float, seed: int, index: int) -> HeldCode | None:
        """The code at a time of the scene, or None before its first and after its last keyframe."""
        if not self.keyframes[0].t_s <= t_s <= self.keyframes[-1].t_s:
            return None
        pose = self._swayed(_between(self.keyframes, t_s), elapsed_s, seed, index)
        phase = chance(seed, index, "bands", round(elapsed_s * 1000))
        return HeldCode(self._text_at(elapsed_s), self.made, pose, phase)

    def _text_at(self, elapsed_s: float) -> str:
        if self.strobe_hz == 0:
            return self.text
        return f"{self.text}{math.floor(elapsed_s * self.strobe_hz)}"

    def _swayed(self, pose: CodePose, t_s: float, seed: int, index: int) -> CodePose:
        """A hand is never still: a few millimetres and degrees, slowly (our choice)."""
        if self.sway == 0:
            return pose

        def wave(name: str, hertz: float, amplitude: float) -> float:
            phase = chance(seed, index, name)
            return self.sway * amplitude * math.sin(2 * math.pi * (hertz * t_s + phase))

        return replace(
            pose,
            x=pose.x + wave("x", 0.7, 0.008),
            y=pose.y + wave("y", 0.9, 0.008),
            distance_m=pose.distance_m * (1 + wave("near", 0.4, 0.02)),
            yaw_deg=pose.yaw_deg + wave("yaw", 0.5, 2.0),
            pitch_deg=pose.pitch_deg + wave("pitch", 0.6, 2.0),
            roll_deg=pose.roll_deg + wave("roll", 0.3, 1.5),
        )


def _between(frames: tuple[CodeKeyframe, ...], t_s: float) -> CodePose:
    first, second, part = span((frame.t_s for frame in frames), t_s)
    a, b = frames[first].pose, frames[second].pose
    return CodePose(
        x=mix(a.x, b.x, part),
        y=mix(a.y, b.y, part),
        distance_m=mix(a.distance_m, b.distance_m, part),
        yaw_deg=mix(a.yaw_deg, b.yaw_deg, part),
        pitch_deg=mix(a.pitch_deg, b.pitch_deg, part),
        roll_deg=mix(a.roll_deg, b.roll_deg, part),
    )


# --- reading ------------------------------------------------------------------------------------


def read_codes(reader: TableReader, duration_s: float) -> tuple[Code, ...]:
    """All `[[code]]` of a scene. Raises SceneError."""
    codes = tuple(_code(child, duration_s) for child in reader.children("code", "code"))
    names = [code.name for code in codes]
    for name in names:
        if names.count(name) > 1:
            raise reader.error("name", f"{name!r} is the name of two codes")
    return codes


def _code(reader: TableReader, duration_s: float) -> Code:
    name = reader.text("name")
    reader.rename(f"code {name!r}")
    text = reader.text("text")
    if len(text.encode()) > LONGEST_TEXT:
        raise reader.error("text", f"has more than {LONGEST_TEXT} bytes")
    code = Code(
        name=name,
        text=text,
        made=_print(reader),
        keyframes=_keyframes(tuple(reader.children("keyframes", "keyframe")), duration_s, reader),
        sway=reader.number("sway", 0, 5, 0.0),
        strobe_hz=reader.number("strobe_hz", 0, 1000, 0.0),
    )
    reader.finish()
    return code


def _print(reader: TableReader) -> Print:
    return Print(
        medium=Medium(reader.choice("medium", tuple(one.value for one in Medium))),
        side_m=reader.number("side_m", 0.01, 0.5, 0.06),
        level=reader.choice("level", LEVELS, "m"),
        fringes=reader.number("fringes", 0, 1, 0.0),
        blur=reader.number("blur", 0, 20, 0.0),
    )


def _keyframes(
    readers: tuple[TableReader, ...], duration_s: float, owner: TableReader
) -> tuple[CodeKeyframe, ...]:
    if not readers:
        raise owner.error("keyframes", "at least one is needed")
    frames: list[CodeKeyframe] = []
    for reader in readers:
        last = frames[-1] if frames else None
        t_s = next_time(reader, last.t_s if last else None, duration_s)
        frames.append(CodeKeyframe(t_s, _pose(reader, last.pose if last else None)))
        reader.finish()
    return tuple(frames)


def _pose(reader: TableReader, last: CodePose | None) -> CodePose:
    """A keyframe's pose; what it leaves out stays as it was in the one before."""
    turn = last or CodePose(0.5, 0.5, 0.3)
    return CodePose(
        x=reader.number("x", -1, 2, turn.x),
        y=reader.number("y", -1, 2, turn.y),
        distance_m=reader.number("distance_m", 0.08, 5, turn.distance_m),
        yaw_deg=reader.number("yaw_deg", -80, 80, turn.yaw_deg),
        pitch_deg=reader.number("pitch_deg", -80, 80, turn.pitch_deg),
        roll_deg=reader.number("roll_deg", -180, 180, turn.roll_deg),
    )
