"""Fills triangles with pixels: which triangle lies at each pixel, and what it carries there.

A mesh is drawn in two steps that cost a few milliseconds for a thousand triangles. `numbers`
fills each triangle with its own number, the farthest first; `spread` looks the numbers up to
spread two values of each corner (a place in a texture, say) evenly over the pixels. Arrays in,
arrays out; it knows nothing of heads.

What changes with this file: `hw/portraits.py` and `hw/render.py`, which draw with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int32]

SUBPIXEL_BITS = 4
"""Corners of triangles are given to OpenCV in sixteenths of a pixel."""

NOWHERE = -9.0
"""What is spread where no triangle lies: outside any texture, hence transparent."""


@dataclass(frozen=True, slots=True)
class Places:
    """Triangles on a plane of pixels.

    Attributes:
        points: float32 (N, 2), px.
        depths: float32 (N,), larger is farther.
        triangles: int32 (T, 3), indices of points.
    """

    points: Floats
    depths: Floats
    triangles: Indices

    def numbers(self, shape: tuple[int, int]) -> Indices:
        """The nearest triangle at each pixel: int32 (rows, columns); 0 is none, 1 the first."""
        numbers = np.zeros(shape, np.int32)
        corners = np.rint(self.points * 2**SUBPIXEL_BITS).astype(np.int32)[self.triangles]
        far_first = np.argsort(-self.depths[self.triangles].sum(axis=1), kind="stable")
        for index, corner in zip(far_first.tolist(), corners[far_first], strict=True):
            cv2.fillConvexPoly(numbers, corner, (index + 1,), cv2.LINE_8, SUBPIXEL_BITS)
        return numbers

    def spread(self, values: Floats, numbers: Indices) -> tuple[Floats, Floats]:
        """Two values of each point, spread over the pixels: two float32 (rows, columns).

        Args:
            values: float32 (N, 2).
            numbers: what `numbers` gave.
        """
        table = _affines(self.points[self.triangles], values[self.triangles])
        across = np.arange(numbers.shape[1], dtype=np.float32)[None, :]
        down = np.arange(numbers.shape[0], dtype=np.float32)[:, None]
        x, y = (
            row[0].take(numbers) * across + row[1].take(numbers) * down + row[2].take(numbers)
            for row in (table[:3], table[3:])
        )
        return x, y


def _affines(places: Floats, values: Floats) -> Floats:
    """From a pixel to the values there, per triangle: float32 (6, T + 1); column 0 is nowhere.

    Args:
        places: float32 (T, 3, 2), corners on the plane.
        values: float32 (T, 3, 2), what the corners carry.
    """
    one, two = places[:, 1] - places[:, 0], places[:, 2] - places[:, 0]
    area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    area = np.where(np.abs(area) < 1e-3, np.inf, area)[:, None]  # edge on: one value will do
    to_one, to_two = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    along_x = (to_one * two[:, 1:] - to_two * one[:, 1:]) / area
    along_y = (to_two * one[:, :1] - to_one * two[:, :1]) / area
    start = values[:, 0] - along_x * places[:, 0, :1] - along_y * places[:, 0, 1:]
    nowhere = np.array([0, 0, NOWHERE, 0, 0, NOWHERE], np.float32)[:, None]
    rows = [along_x[:, 0], along_y[:, 0], start[:, 0], along_x[:, 1], along_y[:, 1], start[:, 1]]
    return np.asarray(np.hstack([nowhere, np.vstack(rows)]), np.float32)
