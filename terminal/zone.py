"""What the detector's boxes mean for the capture zone: nobody, passing, several, or one ready.

The zone is what the sign marks on the ground: a polygon in the frame and a size that a face has at
that distance. Whoever is outside of it or too far away is passing and stays a box (D1, R10, R13):
nothing here knows more of a face than where it is and, coarsely, where it looks.

What changes with this file: the configuration's `[face]` zone keys, the sign's drawing of the zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from terminal.core.values import Hint, TrackId, View

SAME_FACE_SHARE = 0.6
"""A box whose centre moved by less than this share of its width is the same face."""

FORGET_S = 1.0
"""A face that was not seen for so long has a new track when it comes back."""

SETTLE_S = 0.3
"""So long a ready face may be missed (a blink of the detector) before it has left."""

MAX_TURN = 0.35
"""How far the nose may lie from between the eyes, in eye distances, for facing the terminal."""


class Detected(Protocol):
    """What the zone needs of a detection: `box` is (x, y, width, height) in px."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Where the face is."""
        ...

    @property
    def keypoints(self) -> npt.NDArray[np.float32]:
        """Float32 (6, 2) px; its first three rows: right eye, left eye, nose tip."""
        ...


@dataclass(frozen=True, slots=True)
class ZoneSettings:
    """The zone in one camera's frame.

    `corners` are (x, y) in 0..1 of the frame; a face is near enough from `min_face_px` wide and too
    near from `max_face_px`.
    """

    corners: tuple[tuple[float, float], ...]
    min_face_px: float
    max_face_px: float
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Sight:
    """The zone in one frame; `face` is the one detection that READY and its hints are about."""

    view: View
    face: Detected | None = None
    hint: Hint | None = None


def look(detections: Sequence[Detected], zone: ZoneSettings, any_pose: bool = False) -> Sight:
    """What these detections mean; `any_pose` where an enrolment asks for a turned head."""
    near = [one for one in detections if _is_near(one, zone)]
    inside = [one for one in near if _is_inside(_centre(one), zone)]
    if len(inside) > 1:
        return Sight(View.SEVERAL, hint=Hint.ONE_AT_A_TIME)
    if not inside:
        return _outside(detections, near)
    return _single(inside[0], zone, any_pose)


def _outside(detections: Sequence[Detected], near: Sequence[Detected]) -> Sight:
    if not detections:
        return Sight(View.EMPTY)
    return Sight(View.PASSING, hint=Hint.TO_THE_MIDDLE if near else Hint.NEARER)


def _single(face: Detected, zone: ZoneSettings, any_pose: bool) -> Sight:
    if face.box[2] > zone.max_face_px:
        return Sight(View.PASSING, hint=Hint.FARTHER)
    if not any_pose and not is_facing(face.keypoints):
        return Sight(View.PASSING, hint=Hint.FACE_THE_CAMERA)
    return Sight(View.READY, face=face)


def is_facing(keypoints: npt.NDArray[np.float32]) -> bool:
    """Whether the nose lies between the eyes, seen along the line through them."""
    right, left, nose = (keypoints[row].astype(np.float64) for row in range(3))
    across = left - right
    distance = float(np.hypot(*across))
    if distance < 1.0:
        return False
    offset = float(np.dot(nose - (left + right) / 2.0, across)) / distance
    return abs(offset) / distance <= MAX_TURN


def _is_near(face: Detected, zone: ZoneSettings) -> bool:
    return face.box[2] >= zone.min_face_px


def _centre(face: Detected) -> tuple[float, float]:
    x, y, width, height = face.box
    return x + width / 2.0, y + height / 2.0


def _is_inside(point: tuple[float, float], zone: ZoneSettings) -> bool:
    """Whether a point (px) lies in the polygon: an odd number of sides to its right."""
    x, y = point[0] / zone.width_px, point[1] / zone.height_px
    corners = zone.corners
    sides = zip(corners, (*corners[1:], corners[0]), strict=True)
    crossings = [_crosses(x, y, one, other) for one, other in sides]
    return sum(crossings) % 2 == 1


def _crosses(x: float, y: float, one: tuple[float, float], other: tuple[float, float]) -> bool:
    if (one[1] > y) == (other[1] > y):
        return False
    return x < one[0] + (y - one[1]) / (other[1] - one[1]) * (other[0] - one[0])


class Tracker:
    """Follows the one face in the zone, and steadies the view of it.

    A track is the only thing that ties one frame to the next: two people are never one track as
    long as they are a box's width apart, and a gap longer than FORGET_S begins a new one.
    """

    def __init__(self) -> None:
        self._next = 1
        self._track: TrackId | None = None
        self._box: tuple[float, float, float, float] | None = None
        self._seen_s = 0.0
        self._ready_s: float | None = None

    def follow(self, sight: Sight, now_s: float) -> tuple[View, TrackId | None]:
        """The steadied view of this frame and the track of whoever is READY."""
        if sight.face is not None:
            self._track = self._matched(sight.face, now_s)
            self._box, self._seen_s = sight.face.box, now_s
            self._ready_s = now_s
            return View.READY, self._track
        if self._is_settling(sight, now_s):
            return View.READY, self._track
        self._ready_s = None
        return sight.view, None

    def forget(self) -> None:
        """No face was followed; the next one is new."""
        self._track, self._box, self._ready_s = None, None, None

    def _matched(self, face: Detected, now_s: float) -> TrackId:
        if self._track is not None and self._is_same(face, now_s):
            return self._track
        track = TrackId(self._next)
        self._next += 1
        return track

    def _is_same(self, face: Detected, now_s: float) -> bool:
        if self._box is None or now_s - self._seen_s > FORGET_S:
            return False
        x, y = _centre(face)
        width = self._box[2]
        moved = np.hypot(x - (self._box[0] + width / 2), y - (self._box[1] + self._box[3] / 2))
        return bool(moved <= SAME_FACE_SHARE * width)

    def _is_settling(self, sight: Sight, now_s: float) -> bool:
        missed = sight.view in (View.EMPTY, View.PASSING)
        return missed and self._ready_s is not None and now_s - self._ready_s <= SETTLE_S
