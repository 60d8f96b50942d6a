"""Finds faces in a frame: MediaPipe's short-range and full-range detectors, decoded as it does.

The detector is the only face model that may see a frame before a person means to be recognised
(D1). It must never tell who somebody is; it keeps nothing but its model's buffers. Floods are
bounded: at most `MAX_CANDIDATES` boxes reach the merging, at most `max_faces` are returned (A22).
It changes when another detector is installed.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.runtime import Model

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

MAX_CANDIDATES: Final = 200
"""Boxes that may reach the merging, best first (A22)"""
MAX_FACES: Final = 3
"""Faces returned unless asked otherwise, largest first (A22)"""
MIN_CONFIDENCE: Final = 0.5
"""Of the short range; MediaPipe's own setting"""
MIN_CONFIDENCE_FAR: Final = 0.6
"""Of the full range; what MediaPipe's graph uses whatever its caller asks for"""
MERGE_IOU: Final = 0.3
"""Boxes that overlap by more are one face; MediaPipe's own setting"""
_LOGIT_LIMIT: Final = 100.0

RIGHT_EYE, LEFT_EYE, NOSE_TIP, MOUTH, RIGHT_EAR, LEFT_EAR = range(6)
"""Rows of `Detection.keypoints`; right and left are the person's own"""


@dataclass(frozen=True, eq=False)
class Detection:
    """One face in a frame, in px of that frame (x right, y down); may reach beyond its edges."""

    box: tuple[float, float, float, float]
    """x, y of the upper left corner, width, height, px"""
    keypoints: Floats
    """float32 (6, 2), px: right eye, left eye, nose tip, mouth, right ear, left ear"""
    confidence: float
    """0..1, of there being a face; says nothing of who it is"""

    @property
    def area_px(self) -> float:
        """Area of the box, square px."""
        return self.box[2] * self.box[3]


class Detector:
    """Short range on every frame, full range when asked, for faces too far for the first."""

    def __init__(
        self,
        short: Model,
        full: Model | None = None,
        max_faces: int = MAX_FACES,
    ) -> None:
        """`full` may be left out: then `far=True` finds what the short range finds."""
        self._short = _Range(short, _short_anchors(), MIN_CONFIDENCE)
        self._full = _Range(full, _full_anchors(), MIN_CONFIDENCE_FAR) if full else None
        self._max_faces = max_faces

    def detect(self, rgb: Pixels, far: bool = False) -> list[Detection]:
        """Faces in `rgb`, uint8 (H, W, 3), largest first.

        With `far`, the full-range model looks as well if the short range found nothing: three
        times the work, so for a frame now and then, not for every frame.
        """
        _check_rgb(rgb)
        found = self._largest(self._short.detect(rgb))
        return self.detect_far(rgb) if far and not found else found

    def detect_far(self, rgb: Pixels) -> list[Detection]:
        """As `detect`, by the full-range model alone; none where it is not installed."""
        _check_rgb(rgb)
        return self._largest(self._full.detect(rgb)) if self._full else []

    def _largest(self, found: list[Detection]) -> list[Detection]:
        return sorted(found, key=lambda one: one.area_px, reverse=True)[: self._max_faces]

    def wipe(self) -> None:
        """Overwrite what the last frame left in the buffers and models."""
        self._short.wipe()
        if self._full:
            self._full.wipe()


class _Range:
    """One detector model with its anchors and its input buffer."""

    def __init__(self, model: Model, anchors: Floats, min_confidence: float) -> None:
        self._model = model
        self._anchors = anchors
        self._side = model.input_shape[1]
        self._input = np.zeros(model.input_shape, np.float32)
        self._letterboxed = np.zeros((self._side, self._side, 3), np.uint8)
        self._min_logit = math.log(min_confidence / (1 - min_confidence))

    def detect(self, rgb: Pixels) -> list[Detection]:
        height, width = rgb.shape[:2]
        long_side = max(height, width)
        self._letterbox(rgb, long_side)
        boxes, logits = self._model.run(self._input)
        found = decode(boxes[0], logits[0, :, 0], self._anchors, self._side, self._min_logit)
        offset = np.array([(width - long_side) / 2, (height - long_side) / 2], np.float32)
        return [_in_image(row, offset, long_side) for row in found]

    def wipe(self) -> None:
        self._letterboxed.fill(0)
        self._input.fill(0)
        self._model.wipe()

    def _letterbox(self, rgb: Pixels, long_side: int) -> None:
        """The frame centred in a black square, bilinear, scaled to -1..1 (as MediaPipe does it).

        MediaPipe maps corner to corner, not pixel centre to pixel centre: kept, for parity.
        """
        height, width = rgb.shape[:2]
        scale = long_side / self._side
        back = np.array(
            [[scale, 0, (width - long_side) / 2], [0, scale, (height - long_side) / 2]], np.float64
        )
        cv2.warpAffine(
            rgb,
            back,
            (self._side, self._side),
            dst=self._letterboxed,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(0, 0, 0),
        )
        np.multiply(self._letterboxed, np.float32(2 / 255), out=self._input[0])
        self._input -= 1


def decode(
    boxes: Floats, logits: Floats, anchors: Floats, side: int, min_logit: float
) -> list[Floats]:
    """Faces from raw outputs: boxes (N, 16), logits (N,), anchors (N, 2) in 0..1.

    Returns rows of 17 in units of the square input (0..1): x, y, width, height of the box, six
    keypoints as x, y, and the confidence. At most MAX_CANDIDATES boxes are looked at, best first.
    """
    kept = np.flatnonzero(logits >= min_logit)
    if not kept.size:
        return []
    kept = kept[np.argsort(-logits[kept], kind="stable")[:MAX_CANDIDATES]]
    rows = np.empty((kept.size, 17), np.float32)
    rows[:, :16] = boxes[kept] / np.float32(side)
    rows[:, 0:2] += anchors[kept] - rows[:, 2:4] / 2
    rows[:, 4:16] += np.tile(anchors[kept], 6)
    clipped = np.clip(logits[kept], -_LOGIT_LIMIT, _LOGIT_LIMIT)
    rows[:, 16] = 1 / (1 + np.exp(-clipped))
    finite = np.isfinite(rows).all(axis=1) & (rows[:, 2] > 0) & (rows[:, 3] > 0)
    return _merge(rows[finite])


def _merge(rows: Floats) -> list[Floats]:
    """Overlapping boxes become one: the mean of box and keypoints, weighted by confidence.

    Rows come best first; the best one's confidence stays.
    """
    merged = []
    while len(rows):
        overlaps = _iou(rows[0], rows) > MERGE_IOU
        overlaps[0] = True
        group = rows[overlaps]
        weights = group[:, 16:17]
        face = (group * weights).sum(axis=0) / weights.sum()
        face[16] = rows[0, 16]
        merged.append(face.astype(np.float32))
        rows = rows[~overlaps]
    return merged


def _iou(one: Floats, rows: Floats) -> Floats:
    """Intersection over union of one box with each, boxes as x, y, width, height."""
    upper_left = np.maximum(one[:2], rows[:, :2])
    lower_right = np.minimum(one[:2] + one[2:4], rows[:, :2] + rows[:, 2:4])
    overlap = np.clip(lower_right - upper_left, 0, None).prod(axis=1)
    union = one[2] * one[3] + rows[:, 2] * rows[:, 3] - overlap
    return np.asarray(overlap / union, np.float32)


def _in_image(row: Floats, offset_px: Floats, long_side_px: int) -> Detection:
    """From units of the letterboxed square to pixels of the frame."""
    x, y = row[:2] * long_side_px + offset_px
    width, height = row[2:4] * long_side_px
    keypoints = row[4:16].reshape(6, 2) * np.float32(long_side_px) + offset_px
    box = (float(x), float(y), float(width), float(height))
    return Detection(box, keypoints.astype(np.float32), float(row[16]))


def _check_rgb(rgb: Pixels) -> None:
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise ValueError(f"a frame must be uint8 (H, W, 3), not {rgb.dtype} {rgb.shape}")


def _grid(cells: int, per_cell: int) -> Floats:
    """Cell centres of a cells x cells grid, row by row, each repeated, in 0..1."""
    centres = (np.arange(cells, dtype=np.float32) + np.float32(0.5)) / np.float32(cells)
    x, y = np.meshgrid(centres, centres)
    return np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), per_cell, axis=0)


def _short_anchors() -> Floats:
    """896: two per cell of 16 x 16, six per cell of 8 x 8."""
    return np.concatenate([_grid(16, 2), _grid(8, 6)])


def _full_anchors() -> Floats:
    """2,304: one per cell of 48 x 48."""
    return _grid(48, 1)
