"""Draws a QR code that is held up: on paper, in the light of the room, or on a telephone's screen.

A real pinhole: metres become pixels by the camera's field of view (VERTICAL_FOV_DEG), and every
pixel is the mean of the light that falls on it, drawn three times as fine. A screen shines by
itself, whatever the light of the room; a camera sees fringes on its grid of pixels and dark bands
where it caught the screen between two refreshes. Rendered codes prove the chain behind the camera
and show which sizes are hopeless; they don't replace a telephone before a real lens.

What changes with this file: `hw/render.py`, tests/bench/codes.py.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
import segno

from hw.head_mesh import Floats, rotation
from hw.held_codes import HeldCode, Medium, Print
from hw.ports import Image
from hw.scene_reader import SceneError

VERTICAL_FOV_DEG = 50.0
"""Of the bench's camera at every frame size, as in hw/scenes.py (a Raspberry Pi Camera 2: 49)."""

FINER = 3
"""So many times finer than the frame a code is drawn before pixels are averaged."""

MODULE_PX = 6
QUIET = 4
"""Light modules around a code (ISO/IEC 18004); what is beyond them is paper or screen."""

Layer = npt.NDArray[np.uint8]


def draw_code(held: HeldCode, frame: Image) -> None:
    """Draw it over the frame (RGB uint8 (height, width, 3)), blurred as it is out of focus.

    Raises SceneError for a text that fits into no code.
    """
    sheet = _sheet(held.text, held.made.medium, held.made.level)
    corners = corners_px(held, sheet.shape[:2], frame.shape[:2])
    blur_px = held.made.blur * frame.shape[0] / 480
    margin = math.ceil(3 * blur_px) + 2
    left, top, right, bottom = _window(corners, margin, frame)
    if right <= left or bottom <= top:
        return
    layer = _warped(sheet, corners - (left, top), right - left, bottom - top)
    if is_bright(held.made):  # the rest of the picture gets the lens's softness with its light
        _add_fringes(layer, held, left, top)
        cv2.GaussianBlur(layer, (3, 3), 0, dst=layer)
    _lay_over(frame[top:bottom, left:right], layer, blur_px)


def corners_px(held: HeldCode, sheet: tuple[int, ...], frame: tuple[int, ...]) -> Floats:
    """Where the corners of the paper or telephone are: float32 (4, 2), px, from top left."""
    rows, columns = frame[:2]
    focal_px = rows / 2 / math.tan(math.radians(VERTICAL_FOV_DEG / 2))
    across_m, down_m = (side / 2 * _metre_per_px(held) for side in (sheet[1], sheet[0]))
    flat = [[-across_m, -down_m, 0], [across_m, -down_m, 0], [across_m, down_m, 0]]
    solid = np.array([*flat, [-across_m, down_m, 0]], np.float32)
    pose = held.pose
    turned = solid @ rotation(pose.yaw_deg, pose.pitch_deg, pose.roll_deg).T
    depth_m = np.maximum(pose.distance_m + turned[:, 2:], 0.01)
    middle = np.array([pose.x * columns, pose.y * rows])
    return np.asarray(turned[:, :2] / depth_m * focal_px + middle, np.float32)


def modules_of(text: str, level: str) -> int:
    """How many modules a code with this text has along its side. Raises SceneError."""
    return len(_modules(text, level))


def _metre_per_px(held: HeldCode) -> float:
    return held.made.side_m / (modules_of(held.text, held.made.level) * MODULE_PX)


@lru_cache(maxsize=64)
def _modules(text: str, level: str) -> npt.NDArray[np.uint8]:
    try:
        code = segno.make(text, micro=False, error=level, boost_error=False)
    except ValueError as error:  # DataOverflowError is one
        raise SceneError(f"No QR code holds this text at level {level}.") from error
    return np.array([list(row) for row in code.matrix], np.uint8)


@lru_cache(maxsize=32)
def _sheet(text: str, medium: Medium, level: str) -> Layer:
    """The whole flat thing, RGBA uint8, the code in its middle."""
    modules = _modules(text, level)
    light, dark = (240, 20) if medium is Medium.PAPER else (250, 6)
    grey = np.where(np.pad(modules, QUIET), dark, light).astype(np.uint8)
    code = np.kron(grey, np.ones((MODULE_PX, MODULE_PX), np.uint8)).astype(np.uint8)
    side = code.shape[0]
    edges = _paper_edges(side) if medium is Medium.PAPER else _phone_edges(side)
    for (above, beside), shade in edges:
        code = np.asarray(
            cv2.copyMakeBorder(
                code, above, above, beside, beside, cv2.BORDER_CONSTANT, value=(float(shade),)
            ),
            np.uint8,
        )
    layer = cv2.cvtColor(code, cv2.COLOR_GRAY2RGBA)
    return np.asarray(layer, np.uint8)


def _paper_edges(side: int) -> list[tuple[tuple[int, int], int]]:
    return [((round(0.25 * side), round(0.15 * side)), 240)]


def _phone_edges(side: int) -> list[tuple[tuple[int, int], int]]:
    """A bright page above and below the code, then the telephone's dark edge."""
    return [((round(0.45 * side), round(0.03 * side)), 250), ((side // 20, side // 30), 18)]


def _warped(sheet: Layer, corners: Floats, width: int, height: int) -> Layer:
    """The sheet in its place: RGBA premultiplied, each pixel the mean of FINER x FINER."""
    rows, columns = sheet.shape[:2]
    edges = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    placed = cv2.getPerspectiveTransform(edges, np.asarray(corners * FINER, np.float32))
    fine = cv2.warpPerspective(
        sheet, placed, (width * FINER, height * FINER), flags=cv2.INTER_LINEAR
    )
    return np.asarray(cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _add_fringes(layer: Layer, held: HeldCode, left: int, top: int) -> None:
    """Moire of two grids, and bands of a rolling shutter, on what shines."""
    if held.made.fringes == 0:
        return
    rows, columns = layer.shape[:2]
    y, x = np.mgrid[top : top + rows, left : left + columns].astype(np.float32)
    turn = 2 * math.pi * held.phase
    near = 0.11 / held.pose.distance_m
    moire = np.sin(x * near + y * 0.13 + turn) * np.sin(y * near * 1.3 - x * 0.07)
    bands = np.clip(np.sin(y * 2 * math.pi / (0.37 * 480) + turn) - 0.4, 0, 1)
    light = 1 - held.made.fringes * (0.2 * (moire + 1) / 2 + 0.55 * bands)
    layer[..., :3] = np.clip(layer[..., :3] * light[..., None], 0, 255).astype(np.uint8)


def _window(corners: Floats, margin: int, frame: Image) -> tuple[int, int, int, int]:
    left, top = (np.floor(corners.min(axis=0)).astype(int) - margin).tolist()
    right, bottom = (np.ceil(corners.max(axis=0)).astype(int) + margin).tolist()
    rows, columns = frame.shape[:2]
    return max(left, 0), max(top, 0), min(right, columns), min(bottom, rows)


def _lay_over(under: Image, layer: Layer, blur_px: float) -> None:
    share = layer[..., 3:].astype(np.float32) / 255
    colours = layer[..., :3].astype(np.float32)
    if blur_px > 0:
        share = np.asarray(cv2.GaussianBlur(share, (0, 0), blur_px), np.float32)[..., None]
        colours = np.asarray(cv2.GaussianBlur(colours, (0, 0), blur_px), np.float32)
    under[...] = np.clip(under * (1 - share) + colours, 0, 255).astype(np.uint8)


def is_bright(made: Print) -> bool:
    """Whether it shines by itself, so that the light of the room is not what shows it."""
    return made.medium is Medium.PHONE
