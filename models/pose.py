"""Coarse pose and quality of a face, as pure functions of its landmarks or its chip.

For gates: is the person facing the terminal, near enough, sharp enough? Not for measuring heads.
The angles come from the landmark model's own depth, which is learned from pictures: see
docs/models.md for how far off they are. Nothing here is kept, and nothing tells who somebody is.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

_RIGHT: Final = (33, 133, 61, 234, 50, 105)
_LEFT: Final = (263, 362, 291, 454, 280, 334)
"""Pairs of the same feature on the person's right and left: eyes, mouth, cheeks, brows"""
_BROW: Final = 10
_CHIN: Final = 152


@dataclass(frozen=True)
class Pose:
    """How the head is turned, degrees; all 0 = upright, facing the camera."""

    yaw_deg: float
    """Positive: the nose points to the right edge of the frame"""
    pitch_deg: float
    """Positive: the face looks down"""
    roll_deg: float
    """Positive: the head leans clockwise in the frame"""


@dataclass(frozen=True)
class ChipQuality:
    """What can be said of a face chip without knowing whose it is."""

    sharpness: float
    """Variance of the Laplacian of the grey chip; blurred is below about 30"""
    brightness: float
    """Mean of the grey chip's middle, 0..255"""
    contrast: float
    """Standard deviation of the same, 0..127"""


def pose_deg(points: Floats) -> Pose:
    """The pose of a face from its landmarks, float32 (468, 3), px."""
    across = (points[list(_LEFT)] - points[list(_RIGHT)]).mean(axis=0)
    down = points[_CHIN] - points[_BROW]
    return Pose(
        yaw_deg=_rise_deg(across),
        pitch_deg=_rise_deg(down),
        roll_deg=math.degrees(math.atan2(float(across[1]), float(across[0]))),
    )


def chip_quality(chip: Pixels) -> ChipQuality:
    """Quality of a chip, uint8 (150, 150, 3) RGB."""
    grey = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY)
    middle = grey[25:125, 25:125]
    return ChipQuality(
        sharpness=float(cv2.Laplacian(middle, cv2.CV_64F).var()),
        brightness=float(middle.mean()),
        contrast=float(middle.std()),
    )


def _rise_deg(vector: Floats) -> float:
    """Angle between the vector and the picture plane; positive leads away from the camera."""
    x, y, z = (float(value) for value in vector)
    return math.degrees(math.atan2(z, math.hypot(x, y)))
