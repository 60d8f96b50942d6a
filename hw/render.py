"""Draws a scene at a moment: the lobby, the people in it far to near, and the sensor over all.

A head is a textured mesh: its triangles are filled with their own number, the farthest first, and
the numbers are looked up to find where in the texture each pixel comes from. The same scene, seed
and time give the same bytes on the same libraries. It must never be fed with anybody's picture
but the portraits of its folder, and after `close` it holds no pixel of a face.

What changes with this file: `hw/bench_camera.py`, and everything measured on rendered walk-ups.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from hw.code_props import draw_code, is_bright
from hw.flat_props import Sheet, print_of, screen_of
from hw.head_mesh import Floats
from hw.held_codes import HeldCode
from hw.portraits import BODY_BOX, LEVELS, TEXTURE_FACE_PX, Layer, Portrait, load_portrait
from hw.ports import FrameSize, Image
from hw.room import Sensor, lobby
from hw.scenes import Kind, Light, Pose, Scene, Visible
from hw.triangles import Places

COAT_ENDS, FEET = 4.6, 9.0
"""Where the coat and the person end, in face heights below the middle of the face."""


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of the frame, in px; the far edges are not in it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def is_empty(self) -> bool:
        """Whether no pixel is in it."""
        return self.right <= self.left or self.bottom <= self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    def of(self, frame: Image) -> Image:
        """The pixels of the frame that are in it (a view)."""
        return frame[self.top : self.bottom, self.left : self.right]


class Renderer:
    """Draws scenes at one frame size. Not safe for two threads at once."""

    def __init__(self, size: FrameSize, portraits_dir: Path) -> None:
        self._size = size
        self._folder = portraits_dir
        self._portraits: dict[str, Portrait] = {}
        self._sheets: dict[tuple[str, Kind], Sheet] = {}
        self._lobby = lobby(size)
        self._sensor = Sensor(size)
        self._empty = self._lobby.copy()
        self._empty_light: Light | None = None

    @property
    def size(self) -> FrameSize:
        """Size of the frames that `draw` fills in."""
        return self._size

    def prepare(self, scene: Scene) -> None:
        """Load what the scene shows; a quarter of a second for each new portrait.

        Raises DeviceError when a portrait is missing.
        """
        for actor in scene.actors:
            portrait = self._portrait(actor.portrait)
            if actor.kind is not Kind.LIVE:
                self._sheet(portrait, actor.portrait, actor.kind)

    def draw(self, scene: Scene, elapsed_s: float, into: Image) -> None:
        """Overwrite `into` (RGB uint8, (height, width, 3)) with the scene at this time.

        Raises DeviceError when a portrait is missing.
        """
        light = scene.light_at(elapsed_s)
        visible = scene.visible_at(elapsed_s, self._size.width_px / self._size.height_px)
        codes = scene.codes_at(elapsed_s)
        if (visible or codes) and light.level > 0:
            np.copyto(into, self._lobby)
            for shown in visible:
                self._draw_actor(shown, into)
            self._draw_codes([one for one in codes if not is_bright(one.made)], into)
            self._sensor.expose(into, light)
        else:
            np.copyto(into, self._lit_lobby(light))
        self._draw_codes([one for one in codes if is_bright(one.made)], into)
        self._sensor.add_noise(into, light, scene.seed, max(0, round(elapsed_s * 1000)))

    def close(self) -> None:
        """Overwrite and forget every portrait. May be called twice; `draw` loads them anew."""
        for portrait in self._portraits.values():
            portrait.wipe()
        for sheet in self._sheets.values():
            sheet.wipe()
        self._portraits.clear()
        self._sheets.clear()

    def _lit_lobby(self, light: Light) -> Image:
        """The lobby without anybody; kept, because this is what a terminal sees all day."""
        exposure = replace(light, noise=0.0)
        if exposure != self._empty_light:
            np.copyto(self._empty, self._lobby)
            self._sensor.expose(self._empty, exposure)
            self._empty_light = exposure
        return self._empty

    def _portrait(self, key: str) -> Portrait:
        if key not in self._portraits:
            self._portraits[key] = load_portrait(key, self._folder)
        return self._portraits[key]

    def _sheet(self, portrait: Portrait, key: str, kind: Kind) -> Sheet:
        if (key, kind) not in self._sheets:
            make = print_of if kind is Kind.PRINT else screen_of
            self._sheets[key, kind] = make(portrait.sheet)
        return self._sheets[key, kind]

    def _draw_codes(self, codes: Sequence[HeldCode], frame: Image) -> None:
        """In the hand, so before everybody; those that shine after the light of the room."""
        for held in codes:
            draw_code(held, frame)

    def _draw_actor(self, shown: Visible, frame: Image) -> None:
        actor, pose = shown.actor, shown.pose
        portrait = self._portrait(actor.portrait)
        if actor.kind is Kind.LIVE:
            draw_body(portrait, pose, frame)
            draw_head(portrait, pose, frame)
        else:
            draw_sheet(self._sheet(portrait, actor.portrait, actor.kind), pose, frame)


# --- what is drawn ------------------------------------------------------------------------------


def draw_head(portrait: Portrait, pose: Pose, frame: Image) -> None:
    """Draw a head over the frame (RGB uint8), turned and blinking as the pose says."""
    unit = pose.face_height * frame.shape[0]
    level = _level(unit)
    mesh = portrait.mesh
    points = mesh.posed(pose.yaw_deg, pose.pitch_deg, pose.roll_deg, pose.blink)
    places = points[:, :2] * unit + _middle(pose, frame)
    window = _window(places, frame)
    if window.is_empty:
        return
    drawn = Places(places - (window.left, window.top), points[:, 2] + mesh.behind, mesh.triangles)
    numbers = drawn.numbers((window.height, window.width))
    maps = drawn.spread((portrait.head_points + 0.5) / 2**level - 0.5, numbers)
    warped = cv2.remap(portrait.head[level], *maps, cv2.INTER_LINEAR)
    _lay_over(window.of(frame), np.asarray(warped, np.uint8))


def draw_body(portrait: Portrait, pose: Pose, frame: Image) -> None:
    """Draw neck and shoulders over the frame, a coat below them, legs below that."""
    unit = pose.face_height * frame.shape[0]
    level = _level(unit)
    left, top, right, bottom = BODY_BOX
    coat = _box_window((left, top, right, COAT_ENDS), pose, frame)
    _draw_legs(pose, unit, frame)
    if coat.is_empty:
        return
    scale = unit / (TEXTURE_FACE_PX / 2**level)
    x, y = _middle(pose, frame)
    placed = np.array(
        [[scale, 0, x + left * unit - coat.left], [0, scale, y + top * unit - coat.top]]
    )
    warped = cv2.warpAffine(portrait.body[level], placed, (coat.width, coat.height))
    cloth = np.asarray(warped, np.uint8)
    _lengthen(cloth, math.floor(y + bottom * unit) - coat.top - 2)
    _lay_over(coat.of(frame), cloth)


def draw_sheet(sheet: Sheet, pose: Pose, frame: Image) -> None:
    """Draw a print or a screen over the frame, tilted as the pose says."""
    unit = pose.face_height * frame.shape[0]
    texture = sheet.levels[_level(unit)]
    corners = sheet.posed(pose.yaw_deg, pose.pitch_deg, pose.roll_deg) * unit
    places = np.asarray(corners + _middle(pose, frame), np.float32)
    window = _window(places, frame)
    if window.is_empty:
        return
    rows, columns = texture.shape[:2]
    edges = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    origin = np.array([window.left, window.top], np.float32)
    placed = cv2.getPerspectiveTransform(edges, np.asarray(places - origin, np.float32))
    warped = cv2.warpPerspective(texture, placed, (window.width, window.height))
    _lay_over(window.of(frame), np.asarray(warped, np.uint8))


def _draw_legs(pose: Pose, unit: float, frame: Image) -> None:
    x, y = _middle(pose, frame)
    if y + (COAT_ENDS - 0.2) * unit > frame.shape[0]:
        return
    for inner, outer in ((-0.08, -1.0), (0.08, 1.0)):
        leg = [
            (inner, COAT_ENDS - 0.4),
            (outer, COAT_ENDS - 0.4),
            (outer * 0.8, FEET),
            (inner, FEET),
        ]
        corners = np.array([(x + across * unit, y + down * unit) for across, down in leg])
        cv2.fillPoly(frame, [corners.astype(np.int32)], (52, 52, 58), cv2.LINE_AA)


def _lengthen(cloth: Layer, last_row: int) -> None:
    """Let the last row that the portrait shows go on to the end of the coat."""
    if 0 <= last_row < cloth.shape[0]:
        cloth[last_row + 1 :] = cloth[last_row]
    elif last_row < 0:
        cloth.fill(0)


# --- how it is drawn ----------------------------------------------------------------------------


def _level(unit_px: float) -> int:
    """The smallest texture in which the face is still about as high as in the frame."""
    level = math.floor(math.log2(TEXTURE_FACE_PX / max(unit_px, 1.0)) + 0.2)
    return min(max(level, 0), LEVELS - 1)


def _middle(pose: Pose, frame: Image) -> tuple[float, float]:
    return pose.x * frame.shape[1], pose.y * frame.shape[0]


def _window(places: Floats, frame: Image) -> Window:
    """The part of the frame that the points (float32 (N, 2), px) span."""
    left, top = np.floor(places.min(axis=0)).astype(int).tolist()
    right, bottom = np.ceil(places.max(axis=0)).astype(int).tolist()
    rows, columns = frame.shape[:2]
    return Window(max(left, 0), max(top, 0), min(right + 1, columns), min(bottom + 1, rows))


def _box_window(box: tuple[float, float, float, float], pose: Pose, frame: Image) -> Window:
    unit = pose.face_height * frame.shape[0]
    corners = np.array(box, np.float32).reshape(2, 2) * unit + _middle(pose, frame)
    return _window(np.asarray(corners, np.float32), frame)


def _lay_over(under: Image, layer: Layer) -> None:
    """Lay a layer (RGBA, premultiplied) over a part of the frame."""
    clear = cv2.cvtColor(cv2.bitwise_not(layer[..., 3]), cv2.COLOR_GRAY2RGB)
    cv2.multiply(under, clear, dst=under, scale=1 / 255)
    cv2.add(under, cv2.cvtColor(layer, cv2.COLOR_RGBA2RGB), dst=under)
