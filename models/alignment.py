"""Cuts the face chip: the face at a fixed place and size, as the embedder was trained on.

Five of the 468 landmarks are mapped by the least-squares similarity transform onto where dlib's own
alignment puts them (medians over 400 faces, docs/models.md). It keeps nothing; the caller owns the
chip and overwrites it. It changes with the embedder: another one wants its own targets.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Pixels = NDArray[np.uint8]

CHIP_SIDE_PX: Final = 150

ANCHOR_POINTS: Final = (263, 362, 33, 133, 2)
"""Landmarks: left eye outer and inner corner, right eye outer and inner corner, base of the nose"""

TARGETS_PX: Final = (
    (112.32, 46.30),
    (89.00, 47.72),
    (36.39, 46.42),
    (60.00, 47.62),
    (74.60, 86.78),
)
"""Where those landmarks lie in the chip, x and y in px"""

_MAX_SCALE: Final = 200.0
"""Frame pixels per chip pixel beyond which the points can't be a face in any frame"""


def cut_chip(rgb: Pixels, points: Floats, out: Pixels) -> None:
    """Fill `out`, uint8 (150, 150, 3), with the aligned face of `rgb`, uint8 (H, W, 3).

    `points`: float32 (468, 3) of the face, px of `rgb`. What lies outside the frame is black, as in
    dlib. Raises ValueError where the points are no face (all in one place, or beyond any frame).
    """
    if out.shape != (CHIP_SIDE_PX, CHIP_SIDE_PX, 3) or out.dtype != np.uint8:
        raise ValueError("a chip must be uint8 (150, 150, 3)")
    anchors = points[list(ANCHOR_POINTS), :2].astype(np.float64)
    to_frame = similarity(np.array(TARGETS_PX), anchors)
    scale = float(np.hypot(to_frame[0, 0], to_frame[1, 0]))
    if not 0 < scale <= _MAX_SCALE:
        raise ValueError("the landmarks are no face")
    if scale <= 2:
        _warp(rgb, to_frame, out)
    else:
        _shrink_and_warp(rgb, to_frame, int(scale), out)


def similarity(source: Doubles, target: Doubles) -> Doubles:
    """The similarity transform (2, 3) that takes source (N, 2) nearest to target (N, 2).

    Least squares, no mirroring (Umeyama, IEEE PAMI 13(4), 1991). Raises ValueError where the source
    is one point.
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    centred, wanted = source - source_mean, target - target_mean
    variance = float((centred**2).sum())
    if not variance > 0:
        raise ValueError("the points lie all in one place")
    # In the plane the best rotation and scale have a closed form: one complex number.
    real = float((centred * wanted).sum()) / variance
    imaginary = (
        float((centred[:, 0] * wanted[:, 1] - centred[:, 1] * wanted[:, 0]).sum()) / variance
    )
    turn = np.array([[real, -imaginary], [imaginary, real]])
    return np.hstack([turn, (target_mean - turn @ source_mean)[:, None]])


def _shrink_and_warp(rgb: Pixels, to_frame: Doubles, factor: int, out: Pixels) -> None:
    """As `_warp`, of the part of the frame under the chip averaged over factor x factor pixels."""
    corners = to_frame @ _CORNERS
    height, width = rgb.shape[:2]
    low = np.clip(np.floor(corners.min(axis=1)) - factor, 0, [width, height]).astype(int)
    high = np.clip(np.ceil(corners.max(axis=1)) + factor + 1, 0, [width, height]).astype(int)
    columns, rows = (int(cells) for cells in (high - low) // factor)
    if columns < 1 or rows < 1:
        out.fill(0)  # wholly outside the frame
        return
    part = rgb[low[1] : low[1] + rows * factor, low[0] : low[0] + columns * factor]
    shrunk = np.empty((rows, columns, 3), np.uint8)
    cv2.resize(part, (columns, rows), dst=shrunk, interpolation=cv2.INTER_AREA)
    inside = to_frame.copy()
    inside[:, 2] -= low + (factor - 1) / 2
    _warp(shrunk, inside / factor, out)
    shrunk.fill(0)


def _warp(rgb: Pixels, to_frame: Doubles, out: Pixels) -> None:
    cv2.warpAffine(
        rgb,
        to_frame,
        (CHIP_SIDE_PX, CHIP_SIDE_PX),
        dst=out,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(0, 0, 0),
    )


_CORNERS: Final = np.array(
    [
        [0, CHIP_SIDE_PX - 1, 0, CHIP_SIDE_PX - 1],
        [0, 0, CHIP_SIDE_PX - 1, CHIP_SIDE_PX - 1],
        [1] * 4,
    ],
    np.float64,
)
"""The chip's corners, homogeneous, px"""
