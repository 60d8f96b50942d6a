"""Things that show a face without being one: a photograph held up, a picture on a screen.

Both are made from a portrait's sheet: a print gets a white border and the fingers that hold it, a
screen a bezel, its own brightness and the fringes that a camera sees on a grid of pixels. They
prove that the layers behind the camera work, not how well: a rendered attack is not a real one.

What changes with this file: `hw/render.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hw.head_mesh import Floats, rotation
from hw.portraits import SHEET_BOX, TEXTURE_FACE_PX, Layer, levels_of

VIEW_DISTANCE = 5.0
"""Distance of the eye in face heights: how strongly a tilted sheet narrows towards its far side."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A flat thing: its picture at several sizes, and where its corners are.

    Attributes:
        levels: uint8 RGBA, the face TEXTURE_FACE_PX high in the first, then halves.
        corners: float32 (4, 2), face heights about the face's middle, clockwise from top left.
    """

    levels: tuple[Layer, ...]
    corners: Floats

    def posed(self, yaw_deg: float, pitch_deg: float, roll_deg: float) -> Floats:
        """The four corners of the turned sheet: float32 (4, 2), face heights, in perspective."""
        solid = np.column_stack([self.corners, np.zeros(4, np.float32)])
        turned = solid @ rotation(yaw_deg, pitch_deg, roll_deg).T
        nearness = VIEW_DISTANCE / (VIEW_DISTANCE + turned[:, 2:])
        return np.asarray(turned[:, :2] * nearness, np.float32)

    def wipe(self) -> None:
        """Overwrite every pixel of it."""
        for level in self.levels:
            level.fill(0)


def print_of(portrait_sheet: Layer) -> Sheet:
    """A paper print with a white border, held from below."""
    border = round(0.1 * TEXTURE_FACE_PX)
    hand = round(0.55 * TEXTURE_FACE_PX)
    paper = _framed(_faded(portrait_sheet), border, (244, 243, 238))
    sheet = cv2.copyMakeBorder(paper, 0, hand, 0, 0, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    drawn = np.asarray(sheet, np.uint8)
    _draw_hand(drawn, drawn.shape[1] // 2, paper.shape[0])
    return Sheet(levels_of(drawn), _corners(border, border + hand))


def screen_of(portrait_sheet: Layer) -> Sheet:
    """A tablet that shows the picture."""
    bezel = round(0.14 * TEXTURE_FACE_PX)
    lit = _lit(portrait_sheet)
    return Sheet(levels_of(_framed(lit, bezel, (24, 24, 27))), _corners(bezel, bezel))


def _corners(border_px: int, bottom_px: int) -> Floats:
    left, top, right, bottom = SHEET_BOX
    edge, below = border_px / TEXTURE_FACE_PX, bottom_px / TEXTURE_FACE_PX
    left, top, right, bottom = left - edge, top - edge, right + edge, bottom + below
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def _framed(picture: Layer, width: int, colour: tuple[int, int, int]) -> Layer:
    framed = cv2.copyMakeBorder(
        picture, width, width, width, width, cv2.BORDER_CONSTANT, value=(*colour, 255)
    )
    return np.asarray(framed, np.uint8)


def _faded(picture: Layer) -> Layer:
    """Ink on paper: no deep black, a little less colour."""
    faded = picture.copy()
    grey = picture[..., :3].mean(axis=2, keepdims=True)
    faded[..., :3] = np.clip(22 + 0.88 * (0.85 * picture[..., :3] + 0.15 * grey), 0, 255)
    return faded


def _draw_hand(sheet: Layer, x: int, edge: int) -> None:
    """A thumb before the sheet, a fist and a sleeve below its edge."""
    unit = TEXTURE_FACE_PX
    tall = sheet.shape[0]
    sleeve = np.array(
        [
            (x - 0.24 * unit, tall),
            (x - 0.2 * unit, edge + 0.3 * unit),
            (x + 0.2 * unit, edge + 0.3 * unit),
            (x + 0.24 * unit, tall),
        ]
    )
    cv2.fillPoly(sheet, [sleeve.astype(np.int32)], (58, 62, 76, 255), cv2.LINE_AA)
    skin, shade = (198, 156, 132, 255), (166, 124, 102, 255)
    fist = (x, round(edge + 0.16 * unit)), (round(0.21 * unit), round(0.19 * unit))
    cv2.ellipse(sheet, *fist, 0, 0, 360, skin, -1, cv2.LINE_AA)
    thumb = (round(0.07 * unit), round(0.17 * unit))
    cv2.ellipse(sheet, (x, edge - 4), thumb, 12, 0, 360, shade, -1, cv2.LINE_AA)
    cv2.ellipse(sheet, (x - 2, edge - 6), thumb, 12, 0, 360, skin, -1, cv2.LINE_AA)


def _lit(picture: Layer) -> Layer:
    """Brighter and colder than paper, with fringes and a soft reflection across it."""
    rows, columns = picture.shape[:2]
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    lit = picture[..., :3] * np.array([1.0, 1.06, 1.16]) + 12
    lit *= 1 + 0.05 * np.stack([_fringe(x, y, turn) for turn in (0.0, 0.7, 1.4)], axis=2)
    lit += 26 * np.exp(-(((x - y * 0.6 - columns * 0.3) / (0.16 * columns)) ** 2))[..., None]
    return np.dstack([np.clip(lit, 0, 255), picture[..., 3]]).astype(np.uint8)


def _fringe(x: npt.NDArray[np.float32], y: npt.NDArray[np.float32], turn: float) -> Floats:
    slow = np.sin(x * 0.23 + y * 0.05 + turn) * np.sin(y * 0.19 - x * 0.04 + turn)
    return np.asarray(slow + 0.5 * np.sin(y * 1.6), np.float32)
