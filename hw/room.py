"""The place that the bench camera looks at, and what a sensor makes of light: backdrop and noise.

The backdrop is drawn, not photographed: a lobby with a door and a floor, no face in it and
nothing like one. `Sensor` turns a well-lit picture into what a camera would give: exposure,
colour cast, clipping, a slight blur before and noise after, the same bytes for the same seed and
time. It knows nothing of people.

What changes with this file: `hw/render.py`.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from hw.ports import FrameSize, Image
from hw.scenes import Light

NOISE_SLACK_PX = 64
"""The noise is larger than a frame by this much, and every frame takes another cut of it."""

NOISE_STEP = 0.5
"""Noise is kept for strengths in steps of this many grey levels."""

GAMMA = 2.2
"""Exposure acts on light, pixels are gamma-coded: half the light is 0.73 of the grey level."""


def lobby(size: FrameSize) -> Image:
    """The empty lobby in good light: RGB uint8 (height, width, 3)."""
    wide, tall = size.width_px, size.height_px
    down = np.linspace(0, 1, tall)[:, None, None]
    across = np.linspace(-1, 1, wide)[None, :, None]
    wall = np.array([186.0, 184.0, 176.0]) * (1.0 - 0.16 * across**2) * (1.06 - 0.2 * down)
    picture = np.ascontiguousarray(np.clip(wall, 0, 255).astype(np.uint8))
    _floor(picture, wide, tall)
    _door(picture, wide, tall)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), max(1.0, tall / 320)), np.uint8)


def _floor(picture: Image, wide: int, tall: int) -> None:
    start = round(0.86 * tall)
    cv2.rectangle(picture, (0, start), (wide, tall), (118, 108, 96), -1)
    cv2.rectangle(picture, (0, start - tall // 60), (wide, start), (150, 146, 138), -1)
    for part in (-0.6, 0.0, 0.4, 0.6, 1.0, 1.6):
        foot = (round((0.5 + (part - 0.5) * 2.2) * wide), tall)
        cv2.line(picture, (round(part * wide), start), foot, (104, 95, 84), 2, cv2.LINE_AA)


def _door(picture: Image, wide: int, tall: int) -> None:
    left, right = round(0.68 * wide), round(0.94 * wide)
    top, bottom = round(0.1 * tall), round(0.86 * tall)
    cv2.rectangle(picture, (left, top), (right, bottom), (96, 104, 112), -1)
    edge = tall // 40
    pane = (left + edge * 2, top + edge * 2), (right - edge * 2, bottom - edge * 6)
    cv2.rectangle(picture, *pane, (172, 188, 196), -1)
    handle = (left + edge, (top + bottom) // 2)
    cv2.rectangle(picture, handle, (handle[0] + edge // 2, handle[1] + edge * 3), (60, 60, 62), -1)
    cv2.rectangle(
        picture, (round(0.04 * wide), round(0.2 * tall)), (round(0.2 * wide), round(0.48 * tall)),
        (140, 152, 140), -1,
    )  # a notice board  # fmt: skip


class Sensor:
    """Light to bytes. Holds noise and a table; neither tells anything of what was seen."""

    def __init__(self, size: FrameSize) -> None:
        self._size = size
        self._noise: dict[int, tuple[Image, Image]] = {}

    def expose(self, picture: Image, light: Light) -> None:
        """Overwrite a well-lit picture (RGB uint8, (height, width, 3)): lens, exposure, cast."""
        cv2.GaussianBlur(picture, (3, 3), 0, dst=picture)
        if light.level != 1 or light.cast != (1, 1, 1):
            cv2.LUT(picture, _table(light), dst=picture)

    def add_noise(self, picture: Image, light: Light, seed: int, time_ms: int) -> None:
        """Overwrite an exposed picture with itself and noise; another time, other noise."""
        step = round(light.noise / NOISE_STEP)
        if step == 0:
            return
        brighter, darker = self._noise_for(step)
        cut = np.random.default_rng((seed, time_ms)).integers(0, NOISE_SLACK_PX, 2)
        y, x = int(cut[0]), int(cut[1])
        here = slice(y, y + self._size.height_px), slice(x, x + self._size.width_px)
        cv2.add(picture, brighter[here], dst=picture)
        cv2.subtract(picture, darker[here], dst=picture)

    def _noise_for(self, step: int) -> tuple[Image, Image]:
        """What to add and what to take away; the two strengths last used are kept."""
        if step not in self._noise:
            while len(self._noise) > 1:
                del self._noise[next(iter(self._noise))]
            self._noise[step] = _noise(self._size, step * NOISE_STEP)
        return self._noise[step]


def _noise(size: FrameSize, deviation: float) -> tuple[Image, Image]:
    """Always the same; which part of it a frame takes is what differs."""
    shape = (size.height_px + NOISE_SLACK_PX, size.width_px + NOISE_SLACK_PX, 3)
    drawn = np.random.default_rng(0).standard_normal(shape, np.float32)
    whole = np.rint(drawn * deviation)
    return (
        np.clip(whole, 0, 255).astype(np.uint8),
        np.clip(-whole, 0, 255).astype(np.uint8),
    )


def _table(light: Light) -> npt.NDArray[np.uint8]:
    """What each of 256 grey levels of red, green and blue becomes: uint8 (1, 256, 3)."""
    levels = np.linspace(0, 1, 256)[:, None]
    gain = light.level * np.array(light.cast)[None, :]
    coded = np.clip(levels * gain ** (1 / GAMMA), 0, 1) * 255
    return np.asarray(coded.round()[None], np.uint8)
