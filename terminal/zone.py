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
"""So long something other than a ready face must last before it counts (detectors blink)."""

CLEAR_S = 1.5
"""The zone is empty when no face was found for so long; before that somebody may be passing."""

STAND_S = 0.3
"""Whoever has been in the zone for less than this is only passing yet: no prompt for everybody."""

WALKING_WIDTHS_PER_S = 1.0
SPEED_SHARE = 0.3
"""Whoever moves faster than a face's width a second walks by, and does not stand there (D1); the
speed is a running mean that takes up this share of each frame's."""

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
    inside = [one for one in near if _is_inside(_centre_of(one.box), zone)]
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


def _centre_of(box: tuple[float, float, float, float]) -> tuple[float, float]:
    x, y, width, height = box
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


@dataclass(frozen=True, slots=True)
class Told:
    """What the door is told of the zone; `track` goes with READY."""

    view: View
    track: TrackId | None = None
    hint: Hint | None = None


class Tracker:
    """Follows the one face in the zone, tells standing from walking, and steadies the view.

    A track is the only thing that ties one frame to the next: two people are never one track as
    long as they are most of a face's width apart, and a gap longer than FORGET_S begins a new one.
    READY is told at once; everything else only after it has lasted for SETTLE_S, and that nobody is
    there only after CLEAR_S: somebody who bows has not left, and is not new when looking up again.
    """

    def __init__(self) -> None:
        self._next = 1
        self._track: TrackId | None = None
        self._box: tuple[float, float, float, float] | None = None
        self._seen_s, self._since_s = 0.0, 0.0
        self._speed = 0.0
        self._told: Told | None = None
        self._empty_s: float | None = None
        self._other: Told | None = None
        self._other_s = 0.0
        self.ready: TrackId | None = None
        """The track of the face that stands ready in this very frame: what is told is steadied,
        and whoever has just stepped in must not be looked at under the last one's permission."""

    def follow(self, sight: Sight, now_s: float) -> Told:
        """What to tell after this frame; the same as before until something lasts."""
        now = self._judged(sight, now_s)
        self.ready = now.track
        if self._told is None or now.view is View.READY or self._has_lasted(now, now_s):
            self._told, self._other = now, None
        return self._told

    def forget(self) -> None:
        """Nothing was looked at for a while: who is there now, if anybody, is not known."""
        self._track, self._box, self._other, self.ready = None, None, None, None
        self._told, self._empty_s = None, None

    def _judged(self, sight: Sight, now_s: float) -> Told:
        if sight.view is View.EMPTY:
            return self._nobody(now_s)
        self._empty_s = None
        if sight.face is None:
            return Told(sight.view, hint=sight.hint)
        self._take(sight.face, now_s)
        stands = self._speed <= WALKING_WIDTHS_PER_S and now_s - self._since_s >= STAND_S
        if not stands:
            return Told(View.PASSING, hint=Hint.HOLD_STILL)
        return Told(View.READY, self._track)

    def _nobody(self, now_s: float) -> Told:
        if self._empty_s is None:
            self._empty_s = now_s
        return Told(View.EMPTY if now_s - self._empty_s >= CLEAR_S else View.PASSING)

    def _take(self, face: Detected, now_s: float) -> None:
        """Follow this face: the same track if it is near where the last one was."""
        moved, gap_s = self._moved(face), now_s - self._seen_s
        if moved is None or moved > SAME_FACE_SHARE or gap_s > FORGET_S:
            self._track, self._speed, self._since_s = TrackId(self._next), 0.0, now_s
            self._next += 1
        elif gap_s > 0.0:
            self._speed += SPEED_SHARE * (moved / gap_s - self._speed)
        self._box, self._seen_s = face.box, now_s

    def _moved(self, face: Detected) -> float | None:
        """How far the face is from where it was, in widths of it."""
        if self._track is None or self._box is None:
            return None
        (x, y), (x0, y0) = _centre_of(face.box), _centre_of(self._box)
        return float(np.hypot(x - x0, y - y0)) / max(1.0, self._box[2])

    def _has_lasted(self, now: Told, now_s: float) -> bool:
        if now == self._told:
            self._other = None
            return False
        if now != self._other:
            self._other, self._other_s = now, now_s
        return now_s - self._other_s >= SETTLE_S
