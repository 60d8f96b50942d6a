"""What makes a frame good enough for a probe or a reference, and how good frames become one probe.

Every gate here only ever refuses: a head turned away, a chip that is dark or blurred, a face
that is not the one of the frame before. What is refused is not kept. Nothing here knows who it is.

What changes with this file: FTA and FTE (docs/models.md), the hints on the screen.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.pose import ChipQuality
from models.pose import Pose as HeadPose
from terminal.core.values import Hint, Pose

Vector = npt.NDArray[np.float32]

STRAIGHT_DEG = 18.0
"""A probe is taken up to this yaw and pitch; beyond it the embedding drifts."""

TURN_DEG = 12.0
TURN_MAX_DEG = 40.0
UPRIGHT_DEG = 10.0
"""A reference "to the left" is turned by at least TURN_DEG, "straight" by at most UPRIGHT_DEG."""

MIN_SHARPNESS = 25.0
MIN_BRIGHTNESS = 30.0
MIN_CONTRAST = 12.0
"""A chip below any of these makes no probe (`models.pose.ChipQuality`)."""

SAME_TRACK_DISTANCE = 0.7
"""Embeddings of one track that lie farther apart than this are not fused: someone stepped in."""


class Gathered:
    """The embeddings of one track's good frames, until there are `frames` of them."""

    def __init__(self, frames: int, width: int) -> None:
        self._rows = np.zeros((frames, width), np.float32)
        self._fused = np.zeros(width, np.float32)
        self._taken = 0
        self.first_s = 0.0

    @property
    def taken(self) -> int:
        """How many frames there are so far."""
        return self._taken

    def add(self, embedding: Vector, now_s: float) -> bool:
        """Take one frame's embedding, float32 (width,), unit length; whether that was the last.

        One that lies too far from the first begins anew: two people are never fused.
        """
        if self._taken and np.linalg.norm(self._rows[0] - embedding) > SAME_TRACK_DISTANCE:
            self.wipe()
        if self._taken == 0:
            self.first_s = now_s
        self._rows[self._taken] = embedding
        self._taken += 1
        return self._taken == len(self._rows)

    def fused(self) -> Vector:
        """The mean, of unit length, in this object's own buffer: gone with `wipe`."""
        np.mean(self._rows[: self._taken], axis=0, out=self._fused)
        self._fused /= np.linalg.norm(self._fused)
        return self._fused

    def wipe(self) -> None:
        """Overwrite everything gathered."""
        self._rows.fill(0)
        self._fused.fill(0)
        self._taken = 0


def hindrance(head: HeadPose, quality: ChipQuality, wanted: Pose | None) -> Hint | None:
    """Why this frame makes no reference in pose `wanted` (None: no probe), or None if it does."""
    if wanted is not None and not holds(head, wanted):
        return Hint.TURN_MORE
    if wanted is None and max(abs(head.yaw_deg), abs(head.pitch_deg)) > STRAIGHT_DEG:
        return Hint.FACE_THE_CAMERA
    return bad_light_or_blur(quality)


def holds(head: HeadPose, wanted: Pose) -> bool:
    """Whether the head is held as wanted (`LEFT`: to the person's own left, the frame's right)."""
    yaw, pitch = head.yaw_deg, head.pitch_deg
    match wanted:
        case Pose.STRAIGHT:
            return max(abs(yaw), abs(pitch)) <= UPRIGHT_DEG
        case Pose.LEFT:
            return TURN_DEG <= yaw <= TURN_MAX_DEG
        case Pose.RIGHT:
            return TURN_DEG <= -yaw <= TURN_MAX_DEG
        case Pose.UP:
            return TURN_DEG <= -pitch <= TURN_MAX_DEG
        case Pose.DOWN:
            return TURN_DEG <= pitch <= TURN_MAX_DEG


def bad_light_or_blur(quality: ChipQuality) -> Hint | None:
    """What a chip of this quality lacks, or None when it is good enough."""
    if quality.brightness < MIN_BRIGHTNESS or quality.contrast < MIN_CONTRAST:
        return Hint.MORE_LIGHT
    return Hint.HOLD_STILL if quality.sharpness < MIN_SHARPNESS else None
