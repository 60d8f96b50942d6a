"""The bench camera's head: 468 landmarks with depth that turn, nod, tilt and blink.

From the landmarks of one portrait it makes a mesh whose inner part, the face, turns rigidly
about a point inside the head, and whose rings around the face (hair, ears, neck) follow less the
farther out they lie, because a portrait says nothing about the back of a head. Geometry only: no
pixel is read or written here. Axes as in the MediaPipe face mesh: x right, y down, z away from
the camera; the unit after loading is the height of the face (points 10 to 152).

What changes with this file: `hw/portraits.py` (cuts the texture to fit), `hw/render.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int32]

LANDMARKS = 468
"""Points of a face mesh, in MediaPipe's order."""

FOREHEAD, CHIN = 10, 152
"""Top and bottom of the face; their distance is the unit, their middle the origin."""

LEFTWARD, RIGHTWARD = (33, 133, 234, 61), (263, 362, 454, 291)
"""Pairs that mirror each other: eye corners, cheeks, mouth corners (left in the picture first)."""

# fmt: off
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
UPPER_LIDS = (246, 161, 160, 159, 158, 157, 173, 466, 388, 387, 386, 385, 384, 398)
LOWER_LIDS = (7, 163, 144, 145, 153, 154, 155, 249, 390, 373, 374, 380, 381, 382)
LID_CREASES = (247, 30, 29, 27, 28, 56, 190, 467, 260, 259, 257, 258, 286, 414)
# fmt: on
"""Outline of the face, and lid points, each upper one above its lower one and below its crease."""

PIVOT_DEPTH = 0.35
"""How far behind the face the head turns, in face heights: about where the neck carries it."""

CROWN = (0.0, -0.55, 0.25)
"""A place in everybody's hair, or where it was: right, down and back from the face's middle."""

SEEN_WELL = 0.55
"""Cosine above which a portrait shows a part of the face well enough to be used as it is."""

BACK_OF_HEAD = 0.8
"""A place behind every landmark, in face heights behind the middle of the face."""

RINGS = ((1.22, 0.85, 0.24), (1.6, 0.5, 0.14), (2.3, 0.2, 0.06))
"""Rings around the face: size against the face's outline, how far each follows a turn, and how
far its top lies before the pivot, in face heights.

Our choice, by eye: hair that turns all the way bares the side that no portrait shows."""

BEHIND = 10.0
"""Added to a ring's depth when triangles are ordered: where they overlap, the face hides them."""

LIDS_MEET = 0.85
"""Where shut lids meet, 0 at the upper one's resting place, 1 at the lower one's."""


@dataclass(frozen=True, slots=True)
class HeadMesh:
    """A head, ready to be posed, and where a portrait shows it.

    Attributes:
        about_pivot: float32 (N, 3), face heights about the pivot, of a head that looks straight
            ahead; the first 468 are the landmarks, the others the rings.
        triangles: int32 (T, 3), indices of points.
        follow: float32 (N, 1), 1 where a point turns and nods with the face, 0 where it does not.
        behind: float32 (N,), what to add to a point's depth to order triangles by it.
        in_portrait: float32 (N, 2), where the portrait shows each point, px.
        twins: int32 (N,), the point on the other side of the head.
        from_twin: float32 (N,), 1 where only the other side can be seen in the portrait, 0 where
            this side can, between them where both are shown badly.
        face_height_px: the unit, in px of the portrait.
        middle_px: the middle of the face, px of the portrait.
        crown_px: the hair above the forehead, px of the portrait.
        pivot_px: the middle of the head, px of the portrait.
    """

    about_pivot: Floats
    triangles: Indices
    follow: Floats
    behind: Floats
    in_portrait: Floats
    twins: Indices
    from_twin: Floats
    face_height_px: float
    middle_px: tuple[float, float]
    crown_px: tuple[float, float]
    pivot_px: tuple[float, float]

    def posed(self, yaw_deg: float, pitch_deg: float, roll_deg: float, blink: float) -> Floats:
        """The points of a turned head: float32 (N, 3), face heights about the face's middle."""
        head = _blinked(self.about_pivot, blink)
        turned = head @ rotation(yaw_deg, pitch_deg, roll_deg).T
        still = head @ rotation(0, 0, roll_deg).T
        points = still + self.follow * (turned - still)
        points[:, 2] += PIVOT_DEPTH
        return np.asarray(points, np.float32)


def rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> Floats:
    """float32 (3, 3) for column vectors; signs as in `hw.scenes.Pose`."""
    yaw, pitch, roll = (math.radians(angle) for angle in (yaw_deg, pitch_deg, roll_deg))
    about_y = [[math.cos(yaw), 0, -math.sin(yaw)], [0, 1, 0], [math.sin(yaw), 0, math.cos(yaw)]]
    about_x = [
        [1, 0, 0],
        [0, math.cos(pitch), math.sin(pitch)],
        [0, -math.sin(pitch), math.cos(pitch)],
    ]
    about_z = [
        [math.cos(roll), -math.sin(roll), 0],
        [math.sin(roll), math.cos(roll), 0],
        [0, 0, 1],
    ]
    turned = np.array(about_y) @ np.array(about_x) @ np.array(about_z)
    return np.asarray(turned, np.float32)


def head_mesh(points: Floats) -> HeadMesh:
    """The mesh of one portrait.

    Args:
        points: float32 (468, 3), x, y and depth in px of the portrait.

    Raises:
        ValueError: the points are no face (wrong shape, not finite, all in one place).
    """
    _check(points)
    unit = float(np.linalg.norm(points[CHIN, :2] - points[FOREHEAD, :2]))
    middle = (points[CHIN] + points[FOREHEAD]) / 2
    own = _own_rotation(points)
    face = (points - middle) / unit @ own
    if not np.abs(face).max() < BACK_OF_HEAD:  # also refuses nan, which is smaller than nothing
        raise ValueError("its points lie too far apart")
    rings, follow = _rings(face[list(OVAL), :2])
    head = np.vstack([face, rings]).astype(np.float32)
    triangles = np.vstack([_face_triangles(face), _ring_triangles()])
    return HeadMesh(
        about_pivot=head - np.array([0, 0, PIVOT_DEPTH], np.float32),
        triangles=triangles,
        follow=np.vstack([np.ones((LANDMARKS, 1)), follow]).astype(np.float32),
        behind=np.repeat([0, BEHIND], [LANDMARKS, len(rings)]).astype(np.float32),
        in_portrait=np.asarray((head @ own.T)[:, :2] * unit + middle[:2], np.float32),
        twins=(twins := _twins(head)),
        from_twin=_from_twin(_outward(head, triangles) @ own.T, twins),
        face_height_px=unit,
        middle_px=(float(middle[0]), float(middle[1])),
        crown_px=_px(middle, own, unit, CROWN),
        pivot_px=_px(middle, own, unit, (0, 0, PIVOT_DEPTH)),
    )


def _px(middle: Floats, own: Floats, unit: float, place: tuple[float, ...]) -> tuple[float, float]:
    """Where in the portrait a place of the head lies that is given in face heights."""
    x, y, _ = (middle + unit * own @ np.array(place)).tolist()
    return x, y


def _check(points: Floats) -> None:
    if points.shape != (LANDMARKS, 3) or not np.isfinite(points).all():
        raise ValueError(f"{LANDMARKS} x 3 finite numbers are needed, not {points.shape}")
    if np.linalg.norm(points[CHIN, :2] - points[FOREHEAD, :2]) < 8:
        raise ValueError("the face is less than 8 px high")


def _own_rotation(points: Floats) -> Floats:
    """How the portrait's own head is turned: float32 (3, 3), its axes as columns."""
    right = (points[list(RIGHTWARD)] - points[list(LEFTWARD)]).sum(axis=0)
    if np.linalg.norm(right) < 8:
        raise ValueError("the face is less than 2 px wide")
    right = right / np.linalg.norm(right)
    down = points[CHIN] - points[FOREHEAD]
    down = down - right * float(down @ right)
    down = down / np.linalg.norm(down)
    return np.asarray(np.column_stack([right, down, np.cross(right, down)]), np.float32)


def _rings(outline: Floats) -> tuple[Floats, Floats]:
    """Points around the face about its middle (float32 (M, 3)), and their `follow` ((M, 1))."""
    up = np.clip(-2 * outline[:, 1:2], 0, 1)
    neck = np.clip(4 * outline[:, 1:2] - 1, 0, 1)
    points = [np.hstack([outline * size, PIVOT_DEPTH - front * up]) for size, _, front in RINGS]
    follow = [share * (1 - 0.6 * neck) for _, share, _ in RINGS]
    return np.vstack(points).astype(np.float32), np.vstack(follow).astype(np.float32)


def _face_triangles(face: Floats) -> Indices:
    """Delaunay triangles over the face as it is seen from within the head: int32 (T, 3).

    Not over the portrait: the far cheek of a turned head folds upon itself there, as both cheeks
    do a little before the ears in any, and triangles over folds tear when the head turns.

    Args:
        face: float32 (468, 3), face heights about its middle, looking straight ahead.
    """
    spread = face[:, :2] / (BACK_OF_HEAD - face[:, 2:])
    spread = np.rint((spread - spread.min(axis=0)) * 1024).astype(np.float32)
    # The wider the plane, the thinner a triangle at the hull may be that is not lost.
    plane = cv2.Subdiv2D((-100_000, -100_000, 200_000, 200_000))
    index_of: dict[tuple[float, float], int] = {}
    for index, (x, y) in enumerate(spread.tolist()):
        if (x, y) not in index_of:
            index_of[(x, y)] = index
            plane.insert((x, y))
    found = [
        corners
        for row in np.asarray(plane.getTriangleList(), np.float32).tolist()
        if None not in (corners := [index_of.get((row[i], row[i + 1])) for i in (0, 2, 4)])
    ]
    return np.array(found, np.int32)


def _ring_triangles() -> Indices:
    """Two triangles between each two neighbours of one ring and those of the next: (T, 3)."""
    count = len(OVAL)
    starts = [np.array(OVAL)] + [
        LANDMARKS + r * count + np.arange(count) for r in range(len(RINGS))
    ]
    found = []
    for inner, outer in pairwise(starts):
        found.append(np.column_stack([inner, np.roll(inner, -1), outer]))
        found.append(np.column_stack([np.roll(inner, -1), outer, np.roll(outer, -1)]))
    return np.vstack(found).astype(np.int32)


def _from_twin(outward: Floats, twins: Indices) -> Floats:
    """How far each point must be taken from the other side: float32 (N,), 0..1.

    Args:
        outward: float32 (N, 3), where the surface faces, in the portrait's own axes.
        twins: int32 (N,).
    """
    here, there = -outward[:, 2], -outward[twins, 2]
    better = np.clip((there - here - 0.1) / 0.2, 0, 1)
    return np.asarray(better * np.clip((SEEN_WELL - here) / 0.2, 0, 1), np.float32)


def _twins(head: Floats) -> Indices:
    """For each point the one that mirrors it: int32 (N,)."""
    mirrored = head * np.array([-1, 1, 1], np.float32)
    distances = np.linalg.norm(mirrored[:, None] - head[None], axis=2)
    return np.asarray(distances.argmin(axis=1), np.int32)


def _outward(head: Floats, triangles: Indices) -> Floats:
    """The direction that the surface faces at each point: float32 (N, 3), unit vectors.

    Rings have no surface of their own; theirs is taken to face outward and a little forward.
    """
    face_triangles = triangles[(triangles < LANDMARKS).all(axis=1)]
    normals = _normals(head[face_triangles])
    normals *= -np.sign(normals[:, 2:])  # as if all were listed one way round, towards us
    outward = np.zeros_like(head)
    for corner in range(3):
        np.add.at(outward, face_triangles[:, corner], normals)
    outward[LANDMARKS:, :2] = head[LANDMARKS:, :2]
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-6)
    outward[LANDMARKS:] = outward[LANDMARKS:] * 0.8 - np.array([0, 0, 0.6], np.float32)
    return outward


def _normals(corners: Floats) -> Floats:
    """Normals as long as twice the area: float32 (T, 3), from corners (T, 3, 3)."""
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def _blinked(head: Floats, blink: float) -> Floats:
    """The points with lids shut by `blink` (0..1); the skin above follows them a little."""
    if blink <= 0:
        return head
    upper, lower, crease = list(UPPER_LIDS), list(LOWER_LIDS), list(LID_CREASES)
    moved = head.copy()
    meeting = head[upper] + LIDS_MEET * (head[lower] - head[upper])
    moved[upper] += blink * (meeting - head[upper])
    moved[lower] += blink * (meeting - head[lower])
    moved[crease] += 0.35 * blink * (meeting - head[upper])
    return moved
