"""468 points of one detected face, by MediaPipe's landmark model, cropped as MediaPipe does it.

Landmarks of a face are biometric samples: they must never be logged, stored or sent, and whoever
holds them overwrites them (`Landmarks.wipe`). This module keeps nothing but its model's buffers.
It changes when another landmark model is installed.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detector import LEFT_EYE, RIGHT_EYE, Detection
from models.runtime import Model

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

POINTS: Final = 468
MIN_PRESENCE: Final = 0.5
_ROI_SCALE: Final = 1.5
"""Side of the crop over the longer side of the box; MediaPipe's own setting"""
_MAX_SIDE_PX: Final = 1e5


@dataclass(frozen=True, eq=False)
class Landmarks:
    """The points of one face in one frame."""

    points: Floats
    """float32 (468, 3): x right, y down, z away from the camera, all in px of the frame"""
    presence: float
    """0..1, of there being a face at these points; says nothing of who it is"""

    def wipe(self) -> None:
        """Overwrite the points."""
        self.points.fill(0)


@dataclass(frozen=True)
class Crop:
    """A square of the frame, turned."""

    center_x: float
    center_y: float
    side_px: float
    turn_rad: float
    """Clockwise on the screen; 0 = level"""

    @property
    def axes(self) -> tuple[float, float]:
        """Cosine and sine of the turn."""
        return math.cos(self.turn_rad), math.sin(self.turn_rad)


def crop_of(detection: Detection) -> Crop:
    """The box's centre, 1.5 times its longer side, turned so that the eyes are level."""
    x, y, width, height = detection.box
    right, left = detection.keypoints[RIGHT_EYE], detection.keypoints[LEFT_EYE]
    turn = math.atan2(float(left[1] - right[1]), float(left[0] - right[0]))
    return Crop(x + width / 2, y + height / 2, _ROI_SCALE * max(width, height), turn)


class Landmarker:
    """The landmark model with its input buffer."""

    def __init__(self, model: Model, min_presence: float = MIN_PRESENCE) -> None:
        """Points of less presence than `min_presence` are no face."""
        self._model = model
        self._side = model.input_shape[1]
        self._min_presence = min_presence
        self._turned = np.zeros((self._side, self._side, 3), np.uint8)
        self._input = np.zeros(model.input_shape, np.float32)

    def locate(self, rgb: Pixels, detection: Detection) -> Landmarks | None:
        """The points of the detected face in `rgb`, uint8 (H, W, 3); None if there is no face.

        The points are a fresh array: the caller owns them and wipes them.
        """
        crop = crop_of(detection)
        if not 1 <= crop.side_px <= _MAX_SIDE_PX:
            return None
        self._cut(rgb, crop)
        raw, logit = self._model.run(self._input)
        presence = 1 / (1 + math.exp(-min(max(float(logit.item()), -100.0), 100.0)))
        if presence < self._min_presence:
            return None
        points = np.empty((POINTS, 3), np.float32)
        self._to_frame(raw.reshape(POINTS, 3), crop, points)
        return Landmarks(points, presence) if np.isfinite(points).all() else None

    def wipe(self) -> None:
        """Overwrite what the last face left in the buffers and the model."""
        self._turned.fill(0)
        self._input.fill(0)
        self._model.wipe()

    def _cut(self, rgb: Pixels, crop: Crop) -> None:
        """The crop as the model's input, bilinear, edges repeated, 0..1 (as MediaPipe does it)."""
        cosine, sine = (value * crop.side_px / self._side for value in crop.axes)
        half = self._side / 2
        back = np.array(
            [
                [cosine, -sine, crop.center_x - half * (cosine - sine)],
                [sine, cosine, crop.center_y - half * (sine + cosine)],
            ],
            np.float64,
        )
        cv2.warpAffine(
            rgb,
            back,
            (self._side, self._side),
            dst=self._turned,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        np.multiply(self._turned, np.float32(1 / 255), out=self._input[0])

    def _to_frame(self, raw: Floats, crop: Crop, points: Floats) -> None:
        """From pixels of the crop to pixels of the frame, into `points`; no copy is left over."""
        scale = np.float32(crop.side_px / self._side)
        cosine, sine = (np.float32(value) * scale for value in crop.axes)
        half = np.float32(self._side / 2)
        points[:, 2] = raw[:, 2]
        points[:, 2] *= scale
        turn = np.array([[cosine, sine], [-sine, cosine]], np.float32)
        raw[:, :2] -= half  # the model's own output buffer: rewritten by its next run or wipe
        np.matmul(raw[:, :2], turn, out=points[:, :2])
        points[:, 0] += np.float32(crop.center_x)
        points[:, 1] += np.float32(crop.center_y)
