"""Whether something moves before the camera, without any face model: frames differ, or they don't.

A frame is shrunk to 32 x 24 grey squares and compared with the one before. That is all that is
looked at while face recognition is off (D9), and what lets the detector rest while nothing moves.
So few squares hold no face; even so they are overwritten by the next frame's.

What changes with this file: when a decline ends by itself, and what an idle terminal costs.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

SQUARES = (32, 24)
"""Columns and rows of the grey squares."""

MOVED = 6.0
"""A square whose grey (0..255) changed by more than this has moved; sensor noise is below 3."""

MOVED_SQUARES = 4
QUIET_S = 2.0
"""After so long without movement nobody is taken to be there."""

Grey = npt.NDArray[np.float32]


class Presence:
    """Coarse movement from frame to frame."""

    def __init__(self) -> None:
        self._before: Grey | None = None
        self._moved_s: float | None = None
        self.is_present = False
        self.moved = True

    def look(self, frame: npt.NDArray[np.uint8], now_s: float) -> bool:
        """Take one frame, uint8 (H, W, 3); whether `is_present` has changed by it.

        `moved` says whether this frame differs from the last one.
        """
        now = _squares(frame)
        before, self._before = self._before, now
        self.moved = before is None or _differ(before, now)
        if self.moved:
            self._moved_s = now_s
        return self._settle(now_s)

    def wipe(self) -> None:
        """Overwrite the squares of the last frame; the next one counts as movement."""
        if self._before is not None:
            self._before.fill(0)
        self._before = None

    def _settle(self, now_s: float) -> bool:
        quiet_s = now_s - self._moved_s if self._moved_s is not None else QUIET_S
        present = quiet_s < QUIET_S
        changed, self.is_present = present != self.is_present, present
        return changed


def _squares(frame: npt.NDArray[np.uint8]) -> Grey:
    """The frame's grey squares, float32 (24, 32), 0..255; every fourth row and column is enough."""
    few = np.ascontiguousarray(frame[::4, ::4, 1])
    return cv2.resize(few, SQUARES, interpolation=cv2.INTER_AREA).astype(np.float32)


def _differ(before: Grey, now: Grey) -> bool:
    return int(np.count_nonzero(np.abs(now - before) > MOVED)) >= MOVED_SQUARES
