"""What happens before the bench camera: scenes as data, read strictly, asked for any moment.

A scene is a TOML file in `hw/scenes/`; `docs/scenes.md` documents every key. Here it becomes
frozen dataclasses, and `Scene.visible_at` answers who stands where at a time, how large, how
turned. This file draws nothing, knows no clock and keeps no state: the same scene, seed and time
give the same poses on every machine. A bad file is one sentence that names the file and the key.

What changes with this file: `hw/render.py` (draws the poses), `docs/scenes.md`, the scene files.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from pathlib import Path

from hw.ports import DeviceError

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


class SceneError(DeviceError):
    """A scene can't be used; the text is one sentence: which file, which key, what it must be."""


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

    @property
    def portraits(self) -> frozenset[str]:
        """Keys of all portraits that the scene needs."""
        return frozenset(actor.portrait for actor in self.actors)

    def with_seed(self, seed: int) -> Scene:
        """The same scene with other noise, sway and blinks."""
        return replace(self, seed=seed)

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


def _span(times: Iterable[float], t_s: float) -> tuple[int, int, float]:
    """Indices of the keyframes before and after `t_s`, and how far (0..1) it is between them."""
    before, last_s = 0, 0.0
    for index, at_s in enumerate(times):
        if at_s > t_s:
            return before, index, (t_s - last_s) / (at_s - last_s)
        before, last_s = index, at_s
    return before, before, 0.0


def _between(frames: tuple[Keyframe, ...], t_s: float) -> Pose:
    """Positions and distance go evenly, as a walker does; turns begin and end softly."""
    first, second, part = _span((frame.t_s for frame in frames), t_s)
    a, b = frames[first].pose, frames[second].pose
    soft = part * part * (3 - 2 * part)
    return Pose(
        x=_mix(a.x, b.x, part),
        y=_mix(a.y, b.y, part),
        face_height=1 / _mix(1 / a.face_height, 1 / b.face_height, part),
        yaw_deg=_mix(a.yaw_deg, b.yaw_deg, soft),
        pitch_deg=_mix(a.pitch_deg, b.pitch_deg, soft),
        roll_deg=_mix(a.roll_deg, b.roll_deg, soft),
        blink=_mix(a.blink, b.blink, soft),
    )


def _light_at(frames: tuple[LightKeyframe, ...], t_s: float) -> Light:
    first, second, part = _span((frame.t_s for frame in frames), t_s)
    a, b = frames[first].light, frames[second].light
    red, green, blue = (_mix(p, q, part) for p, q in zip(a.cast, b.cast, strict=True))
    level, noise = _mix(a.level, b.level, part), _mix(a.noise, b.noise, part)
    return Light(level=level, cast=(red, green, blue), noise=noise)


def _mix(a: float, b: float, part: float) -> float:
    return a + (b - a) * part


@lru_cache(maxsize=4096)
def _chance(seed: int, *parts: int | str) -> float:
    """A number in 0..1 that depends on its arguments alone, on every machine and Python."""
    digest = hashlib.sha256(repr((seed, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _swayed(pose: Pose, sway: float, t_s: float, seed: int, index: int) -> Pose:
    """Someone who stands still never does: a few slow waves, each with a phase of its own.

    The amplitudes (a degree or two, half a percent of the frame) are our choice.
    """
    if sway == 0:
        return pose

    def wave(name: str, hertz: float, amplitude: float) -> float:
        phase = _chance(seed, index, name)
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
    middle_s = (stretch + 0.3 + 0.4 * _chance(seed, index, "blink", stretch)) * every_s
    return max(0.0, 1 - abs(t_s - middle_s) / (BLINK_S / 2))


# --- reading ------------------------------------------------------------------------------------


def scene_names(folder: Path = SCENES_DIR) -> tuple[str, ...]:
    """Names of the scenes in a folder, in order."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def load_scene(name: str, folder: Path = SCENES_DIR) -> Scene:
    """Read one scene by its name. Raises SceneError."""
    names = scene_names(folder)
    if name not in names:
        raise SceneError(f"There is no scene {name!r} in {folder}{_nearest(name, names)}.")
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
    reader = _Reader(table, source)
    duration_s = reader.number("duration_s", 0.1, 86400)
    scene = Scene(
        name=name,
        about=reader.text("about"),
        duration_s=duration_s,
        at_end=AtEnd(reader.choice("at_end", tuple(end.value for end in AtEnd), "hold")),
        seed=reader.whole("seed", 0, 2**31 - 1),
        actors=tuple(_actor(child, duration_s) for child in reader.children("actor", "actor")),
        lights=_lights(tuple(reader.children("light", "light")), duration_s),
    )
    reader.finish()
    _refuse_twice(scene.actors, reader)
    return scene


def _refuse_twice(actors: tuple[Actor, ...], reader: _Reader) -> None:
    names = [actor.name for actor in actors]
    for name in names:
        if names.count(name) > 1:
            raise reader.error("name", f"{name!r} is the name of two actors")


def _actor(reader: _Reader, duration_s: float) -> Actor:
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
    readers: tuple[_Reader, ...], duration_s: float, owner: _Reader
) -> tuple[Keyframe, ...]:
    if not readers:
        raise owner.error("keyframes", "at least one is needed")
    frames: list[Keyframe] = []
    for reader in readers:
        last = frames[-1] if frames else None
        t_s = _next_time(reader, last.t_s if last else None, duration_s)
        frames.append(Keyframe(t_s, _pose(reader, last.pose if last else None)))
        reader.finish()
    return tuple(frames)


def _next_time(reader: _Reader, last_s: float | None, duration_s: float) -> float:
    t_s = reader.number("t_s", 0, duration_s)
    if last_s is not None and t_s <= last_s:
        raise reader.error("t_s", f"is {t_s}, which is not after the one before ({last_s})")
    return t_s


def _pose(reader: _Reader, last: Pose | None) -> Pose:
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


def _face_height(reader: _Reader, last: Pose | None) -> float:
    if reader.has("distance_m"):
        if reader.has("face_height"):
            raise reader.error("distance_m", "can't stand beside face_height; choose one")
        return FACE_HEIGHT_AT_ONE_METRE / reader.number("distance_m", 0.2, 15)
    return reader.number("face_height", 0.012, 0.95, last.face_height if last else None)


def _lights(readers: tuple[_Reader, ...], duration_s: float) -> tuple[LightKeyframe, ...]:
    frames: list[LightKeyframe] = []
    for reader in readers:
        t_s = _next_time(reader, frames[-1].t_s if frames else None, duration_s)
        frames.append(LightKeyframe(t_s, _light(reader)))
        reader.finish()
    return tuple(frames) or (LightKeyframe(0.0, Light()),)


def _light(reader: _Reader) -> Light:
    standard = Light()
    return Light(
        level=reader.number("level", 0, 4, standard.level),
        cast=reader.triple("cast", 0, 4, standard.cast),
        noise=reader.number("noise", 0, 40, standard.noise),
    )


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, tuple(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


class _Reader:
    """One TOML table: hands out checked values and knows how to name what is wrong with it."""

    def __init__(self, table: Mapping[str, object], source: str, place: str = "") -> None:
        self._table = table
        self._source = source
        self._place = place
        self._asked: set[str] = set()

    def rename(self, place: str) -> None:
        """Call this table something that its writer will recognise."""
        self._place = place

    def error(self, key: str, fault: str) -> SceneError:
        where = f"{self._place}, {key}" if self._place else key
        return SceneError(f"{self._source}: {where}: {fault}.")

    def has(self, key: str) -> bool:
        return key in self._table

    def finish(self) -> None:
        """Raises SceneError when the table holds a key that nobody asked for."""
        for key in self._table:
            if key not in self._asked:
                raise self.error(key, "no such key" + _nearest(key, self._asked))

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        return self._checked(key, self._value(key, default), low, high)

    def whole(self, key: str, low: int, high: int) -> int:
        value = self._value(key, None)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, "must be a whole number")
        return int(self._checked(key, value, low, high))

    def triple(
        self, key: str, low: float, high: float, default: tuple[float, float, float]
    ) -> tuple[float, float, float]:
        value = self._value(key, default)
        if not isinstance(value, list | tuple) or len(value) != 3:
            raise self.error(key, "must be three numbers: red, green, blue")
        red, green, blue = (self._checked(key, part, low, high) for part in value)
        return red, green, blue

    def text(self, key: str) -> str:
        value = self._value(key, None)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, "must be a text")
        return value

    def word(self, key: str) -> str:
        """A key of small letters, digits and _: it becomes part of a file's path."""
        value = self.text(key)
        if not re.fullmatch("[a-z0-9_]{1,64}", value):
            raise self.error(key, f"is {value!r}; small letters, digits and _ are allowed")
        return value

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        value = self._value(key, default)
        if not isinstance(value, str) or value not in allowed:
            raise self.error(key, f"is {value!r}, which is not one of {', '.join(allowed)}")
        return value

    def children(self, key: str, word: str) -> Iterable[_Reader]:
        """Readers for a list of tables; each is called `word` and its number until renamed."""
        value = self._value(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(key, "must be a list of tables")
        prefix = f"{self._place}, " if self._place else ""
        return [
            _Reader(item, self._source, f"{prefix}{word} {number}")
            for number, item in enumerate(value, 1)
        ]

    def _value(self, key: str, default: object) -> object:
        self._asked.add(key)
        if key in self._table:
            return self._table[key]
        if default is None:
            raise self.error(key, "is missing")
        return default

    def _checked(self, key: str, value: object, low: float, high: float) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.error(key, "must be a number")
        if not low <= value <= high:  # also refuses nan, which no comparison holds for
            raise self.error(key, f"is {value}, which is not between {low} and {high}")
        return float(value)
