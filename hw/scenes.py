"""What happens before the bench camera: scenes as data, read strictly, asked for any moment.

A scene is a TOML file in `hw/scenes/`; `docs/scenes.md` documents every key. Here it becomes
frozen dataclasses, and `Scene.visible_at` answers who stands where at a time, how large, how
turned. This file draws nothing, knows no clock and keeps no state: the same scene, seed and time
give the same poses on every machine. A bad file is one sentence that names the file and the key.

What changes with this file: `hw/render.py` (draws the poses), `docs/scenes.md`, the scene files.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from hw.held_codes import Code, HeldCode, read_codes
from hw.keyframes import chance, mix, span
from hw.scene_reader import SceneError as SceneError
from hw.scene_reader import TableReader, nearest, next_time

SCENES_DIR = Path(__file__).parent / "scenes"
"""Where the scenes that come with the terminal lie."""

FACE_HEIGHT_AT_ONE_METRE = 0.19
"""Hairline to chin (mesh points 10 to 152) as a fraction of the frame's height, one metre away.

A face is about 0.18 m from hairline to chin, and a camera of 50 deg vertical field of view (a
Raspberry Pi Camera 2 has 49) sees 0.93 m at one metre.
"""

HEAD_WIDTH_PER_FACE_HEIGHT = 1.3
HEAD_HEIGHT_PER_FACE_HEIGHT = 1.7
"""A head with its hair against its face, both generous: for `in_frame`, not for measuring."""


class Kind(Enum):
    """What it is that shows the face."""

    LIVE = "live"
    PRINT = "print"
    SCREEN = "screen"


class AtEnd(Enum):
    """What follows when a scene's duration is over."""

    HOLD = "hold"
    LOOP = "loop"


@dataclass(frozen=True, slots=True)
class Pose:
    """One face at one moment, in units of the frame.

    `x` (0 left .. 1 right) and `y` (0 top .. 1 bottom) are the middle of the face when it looks
    straight ahead; outside 0..1 is outside the frame. `face_height` is hairline to chin as a
    fraction of the frame's height. `yaw_deg` > 0 turns the face towards the right edge of the
    frame, `pitch_deg` > 0 upwards, `roll_deg` > 0 tilts the head clockwise as the frame shows it.
    `blink` is 0 (open) .. 1 (shut).
    """

    x: float
    y: float
    face_height: float
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    blink: float = 0.0


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A pose that an actor reaches `t_s` after the scene's start."""

    t_s: float
    pose: Pose


@dataclass(frozen=True, slots=True)
class Actor:
    """One person, print or screen, from its first keyframe to its last.

    `sway` scales the small motion of someone who stands (0: none, 1: natural);
    `blink_every_s` is the mean time between blinks (0: only those of the keyframes).
    """

    name: str
    portrait: str
    kind: Kind
    keyframes: tuple[Keyframe, ...]
    sway: float = 0.0
    blink_every_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Light:
    """The light and what the sensor makes of it.

    `level` is a linear exposure (1: well lit, 0: black); `cast` multiplies red, green and blue;
    `noise` is the sensor noise's standard deviation in grey levels of 255.
    """

    level: float = 1.0
    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    noise: float = 2.0


@dataclass(frozen=True, slots=True)
class LightKeyframe:
    """A light that is reached `t_s` after the scene's start."""

    t_s: float
    light: Light


@dataclass(frozen=True, slots=True)
class Visible:
    """An actor that is in the picture, and its pose."""

    actor: Actor
    pose: Pose


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole scene; every question to it is a pure function of the time asked about."""

    name: str
    about: str
    duration_s: float
    at_end: AtEnd
    seed: int
    actors: tuple[Actor, ...]
    lights: tuple[LightKeyframe, ...]
    codes: tuple[Code, ...] = ()

    @property
    def portraits(self) -> frozenset[str]:
        """Keys of all portraits that the scene needs."""
        return frozenset(actor.portrait for actor in self.actors)

    def with_seed(self, seed: int) -> Scene:
        """The same scene with other noise, sway and blinks."""
        return replace(self, seed=seed)

    def with_code(self, text: str | None, medium: str | None) -> Scene:
        """The same scene with another text in its code, or on another medium (None: as it is).

        Raises SceneError for a scene without a code, or with several, and for what is no medium.
        """
        if len(self.codes) != 1:
            raise SceneError(f"The scene {self.name!r} has no one code that could be another.")
        return replace(self, codes=(self.codes[0].with_changes(text, medium),))

    def codes_at(self, elapsed_s: float) -> tuple[HeldCode, ...]:
        """The codes that are held up `elapsed_s` after the start, the farthest first."""
        t_s = self.scene_time_s(elapsed_s)
        held = (code.at(t_s, elapsed_s, self.seed, index) for index, code in enumerate(self.codes))
        return tuple(sorted((one for one in held if one), key=lambda one: -one.distance_m))

    def scene_time_s(self, elapsed_s: float) -> float:
        """Where in 0..duration_s the scene is, `elapsed_s` after it began."""
        elapsed_s = max(0.0, elapsed_s)
        if self.at_end is AtEnd.LOOP:
            return elapsed_s % self.duration_s
        return min(elapsed_s, self.duration_s)

    def is_over(self, elapsed_s: float) -> bool:
        """Whether a scene that does not loop has come to its end."""
        return self.at_end is AtEnd.HOLD and elapsed_s >= self.duration_s

    def light_at(self, elapsed_s: float) -> Light:
        """The light `elapsed_s` after the start."""
        return _light_at(self.lights, self.scene_time_s(elapsed_s))

    def visible_at(self, elapsed_s: float, aspect: float = 4 / 3) -> tuple[Visible, ...]:
        """Actors with any part of their head in the frame, the farthest first.

        Args:
            elapsed_s: seconds since the scene began.
            aspect: the frame's width over its height.
        """
        t_s = self.scene_time_s(elapsed_s)
        shown = (
            Visible(actor, pose)
            for index, actor in enumerate(self.actors)
            if (pose := _pose_at(actor, t_s, elapsed_s, self.seed, index)) is not None
            and in_frame(pose, aspect)
        )
        return tuple(sorted(shown, key=lambda visible: visible.pose.face_height))


def in_frame(pose: Pose, aspect: float = 4 / 3) -> bool:
    """Whether any part of a head in this pose can lie within a frame of this aspect."""
    half_width = pose.face_height * HEAD_WIDTH_PER_FACE_HEIGHT / 2 / aspect
    half_height = pose.face_height * HEAD_HEIGHT_PER_FACE_HEIGHT / 2
    across = -half_width < pose.x < 1 + half_width
    return across and -half_height < pose.y < 1 + half_height


# --- time ---------------------------------------------------------------------------------------


def _pose_at(actor: Actor, t_s: float, elapsed_s: float, seed: int, index: int) -> Pose | None:
    """The actor's pose, or None before its first and after its last keyframe.

    Sway and blinks go on while the last pose of a scene is held, hence `elapsed_s`.
    """
    frames = actor.keyframes
    if not frames[0].t_s <= t_s <= frames[-1].t_s:
        return None
    pose = _between(frames, t_s)
    pose = _swayed(pose, actor.sway, elapsed_s, seed, index)
    if actor.blink_every_s > 0:
        shut = _own_blink(elapsed_s, actor.blink_every_s, seed, index)
        pose = replace(pose, blink=max(pose.blink, shut))
    return pose


def _between(frames: tuple[Keyframe, ...], t_s: float) -> Pose:
    """Positions and distance go evenly, as a walker does; turns begin and end softly."""
    first, second, part = span((frame.t_s for frame in frames), t_s)
    a, b = frames[first].pose, frames[second].pose
    soft = part * part * (3 - 2 * part)
    return Pose(
        x=mix(a.x, b.x, part),
        y=mix(a.y, b.y, part),
        face_height=1 / mix(1 / a.face_height, 1 / b.face_height, part),
        yaw_deg=mix(a.yaw_deg, b.yaw_deg, soft),
        pitch_deg=mix(a.pitch_deg, b.pitch_deg, soft),
        roll_deg=mix(a.roll_deg, b.roll_deg, soft),
        blink=mix(a.blink, b.blink, soft),
    )


def _light_at(frames: tuple[LightKeyframe, ...], t_s: float) -> Light:
    first, second, part = span((frame.t_s for frame in frames), t_s)
    a, b = frames[first].light, frames[second].light
    red, green, blue = (mix(p, q, part) for p, q in zip(a.cast, b.cast, strict=True))
    level, noise = mix(a.level, b.level, part), mix(a.noise, b.noise, part)
    return Light(level=level, cast=(red, green, blue), noise=noise)


def _swayed(pose: Pose, sway: float, t_s: float, seed: int, index: int) -> Pose:
    """Someone who stands still never does: a few slow waves, each with a phase of its own.

    The amplitudes (a degree or two, half a percent of the frame) are our choice.
    """
    if sway == 0:
        return pose

    def wave(name: str, hertz: float, amplitude: float) -> float:
        phase = chance(seed, index, name)
        return sway * amplitude * math.sin(2 * math.pi * (hertz * t_s + phase))

    return replace(
        pose,
        x=pose.x + wave("x", 0.19, 0.004),
        y=pose.y + wave("y", 0.31, 0.003),
        face_height=pose.face_height * (1 + wave("near", 0.13, 0.012)),
        yaw_deg=pose.yaw_deg + wave("yaw", 0.23, 1.8) + wave("yaw2", 0.61, 0.6),
        pitch_deg=pose.pitch_deg + wave("pitch", 0.29, 1.2),
        roll_deg=pose.roll_deg + wave("roll", 0.17, 0.9),
    )


BLINK_S = 0.24
"""How long the lids take to shut and open: 0.1-0.4 s in people."""


def _own_blink(t_s: float, every_s: float, seed: int, index: int) -> float:
    """One blink in each stretch of `every_s`, somewhere in its middle."""
    stretch = math.floor(t_s / every_s)
    middle_s = (stretch + 0.3 + 0.4 * chance(seed, index, "blink", stretch)) * every_s
    return max(0.0, 1 - abs(t_s - middle_s) / (BLINK_S / 2))


# --- reading ------------------------------------------------------------------------------------


def scene_names(folder: Path = SCENES_DIR) -> tuple[str, ...]:
    """Names of the scenes in a folder, in order."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def load_scene(name: str, folder: Path = SCENES_DIR) -> Scene:
    """Read one scene by its name. Raises SceneError."""
    names = scene_names(folder)
    if name not in names:
        raise SceneError(f"There is no scene {name!r} in {folder}{nearest(name, names)}.")
    return read_scene(folder / f"{name}.toml")


def read_scene(path: Path) -> Scene:
    """Read one scene from a file of any place. Raises SceneError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SceneError(f"{path}: the scene can't be read ({error.strerror}).") from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError both are
        raise SceneError(f"{path}: not a TOML file ({error}).") from error
    return parse_scene(table, path.stem, str(path))


def parse_scene(table: Mapping[str, object], name: str, source: str) -> Scene:
    """A scene from the tables of a TOML file; `source` is what errors call it."""
    reader = TableReader(table, source)
    duration_s = reader.number("duration_s", 0.1, 86400)
    scene = Scene(
        name=name,
        about=reader.text("about"),
        duration_s=duration_s,
        at_end=AtEnd(reader.choice("at_end", tuple(end.value for end in AtEnd), "hold")),
        seed=reader.whole("seed", 0, 2**31 - 1),
        actors=tuple(_actor(child, duration_s) for child in reader.children("actor", "actor")),
        lights=_lights(tuple(reader.children("light", "light")), duration_s),
        codes=read_codes(reader, duration_s),
    )
    reader.finish()
    _refuse_twice(scene.actors, reader)
    return scene


def _refuse_twice(actors: tuple[Actor, ...], reader: TableReader) -> None:
    names = [actor.name for actor in actors]
    for name in names:
        if names.count(name) > 1:
            raise reader.error("name", f"{name!r} is the name of two actors")


def _actor(reader: TableReader, duration_s: float) -> Actor:
    name = reader.text("name")
    reader.rename(f"actor {name!r}")
    actor = Actor(
        name=name,
        portrait=reader.word("portrait"),
        kind=Kind(reader.choice("kind", tuple(kind.value for kind in Kind))),
        keyframes=_keyframes(tuple(reader.children("keyframes", "keyframe")), duration_s, reader),
        sway=reader.number("sway", 0, 5, 0.0),
        blink_every_s=reader.number("blink_every_s", 0, 60, 0.0),
    )
    reader.finish()
    if 0 < actor.blink_every_s < 2 * BLINK_S:
        raise reader.error("blink_every_s", f"must be 0 or at least {2 * BLINK_S}")
    return actor


def _keyframes(
    readers: tuple[TableReader, ...], duration_s: float, owner: TableReader
) -> tuple[Keyframe, ...]:
    if not readers:
        raise owner.error("keyframes", "at least one is needed")
    frames: list[Keyframe] = []
    for reader in readers:
        last = frames[-1] if frames else None
        t_s = next_time(reader, last.t_s if last else None, duration_s)
        frames.append(Keyframe(t_s, _pose(reader, last.pose if last else None)))
        reader.finish()
    return tuple(frames)


def _pose(reader: TableReader, last: Pose | None) -> Pose:
    """A keyframe's pose; what it leaves out stays as it was in the one before."""
    turn = last or Pose(0.5, 0.5, 0.3)
    return Pose(
        x=reader.number("x", -1, 2, last.x if last else None),
        y=reader.number("y", -1, 2, last.y if last else None),
        face_height=_face_height(reader, last),
        yaw_deg=reader.number("yaw_deg", -80, 80, turn.yaw_deg),
        pitch_deg=reader.number("pitch_deg", -50, 50, turn.pitch_deg),
        roll_deg=reader.number("roll_deg", -60, 60, turn.roll_deg),
        blink=reader.number("blink", 0, 1, turn.blink),
    )


def _face_height(reader: TableReader, last: Pose | None) -> float:
    if reader.has("distance_m"):
        if reader.has("face_height"):
            raise reader.error("distance_m", "can't stand beside face_height; choose one")
        return FACE_HEIGHT_AT_ONE_METRE / reader.number("distance_m", 0.2, 15)
    return reader.number("face_height", 0.012, 0.95, last.face_height if last else None)


def _lights(readers: tuple[TableReader, ...], duration_s: float) -> tuple[LightKeyframe, ...]:
    frames: list[LightKeyframe] = []
    for reader in readers:
        t_s = next_time(reader, frames[-1].t_s if frames else None, duration_s)
        frames.append(LightKeyframe(t_s, _light(reader)))
        reader.finish()
    return tuple(frames) or (LightKeyframe(0.0, Light()),)


def _light(reader: TableReader) -> Light:
    standard = Light()
    return Light(
        level=reader.number("level", 0, 4, standard.level),
        cast=reader.triple("cast", 0, 4, standard.cast),
        noise=reader.number("noise", 0, 40, standard.noise),
    )
