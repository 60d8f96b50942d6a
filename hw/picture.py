"""Pixels on their way from a driver into the caller's frame.

Every camera ends here: whatever size and order its pixels have, the caller gets RGB of the size
that was asked for, written over the caller's own memory. A picture of another shape is fitted in
whole, with black beside it, because a stretched face is another face. It must never keep pixels:
what it needs in between is overwritten. What changes with this file: every camera.
"""

from __future__ import annotations

import cv2
import numpy as np

from hw.ports import FrameSize, Image

DEFAULT_SIZE = FrameSize(640, 480)


def check_frame(into: Image, size: FrameSize) -> None:
    """Raise ValueError unless `into` is uint8, (height, width, 3), contiguous and writable."""
    shape = (size.height_px, size.width_px, 3)
    if into.dtype != np.uint8 or into.shape != shape:
        raise ValueError(f"a frame here is uint8 {shape}, not {into.dtype} {into.shape}")
    if not (into.flags.c_contiguous and into.flags.writeable):
        raise ValueError("a frame to read into must be contiguous and writable")


def fill_from_bgr(into: Image, bgr: Image) -> None:
    """Overwrite `into` (RGB) with `bgr` (uint8, (rows, columns, 3), blue first), fitted in whole.

    `bgr` is left as it is; its owner overwrites it. Raises ValueError for anything but a picture
    of three channels.
    """
    if bgr.ndim != 3 or bgr.shape[2] != 3 or bgr.dtype != np.uint8 or 0 in bgr.shape:
        raise ValueError(f"a picture is uint8 (rows, columns, 3), not {bgr.dtype} {bgr.shape}")
    if bgr.shape == into.shape:
        cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, dst=into)
    else:
        _fit(into, bgr)


def overwrite(picture: Image) -> None:
    """Zero a driver's own copy; memory that can't be written to is somebody else's."""
    if picture.flags.writeable:
        picture[...] = 0


def _fit(into: Image, bgr: Image) -> None:
    rows, columns = into.shape[:2]
    scale = min(rows / bgr.shape[0], columns / bgr.shape[1])
    height_px = max(1, min(rows, round(bgr.shape[0] * scale)))
    width_px = max(1, min(columns, round(bgr.shape[1] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(bgr, (width_px, height_px), interpolation=method)
    top, left = (rows - height_px) // 2, (columns - width_px) // 2
    into[...] = 0
    into[top : top + height_px, left : left + width_px] = scaled[..., ::-1]
    scaled[...] = 0
