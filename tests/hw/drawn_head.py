"""A head that nobody has, for tests of rendering: drawn, with 468 points on an ellipsoid."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hw.head_mesh import (
    LANDMARKS,
    LEFTWARD,
    LID_CREASES,
    LOWER_LIDS,
    OVAL,
    RIGHTWARD,
    UPPER_LIDS,
    Floats,
)

WIDE, TALL = 480, 640
MIDDLE = (240.0, 240.0)
HALF_WIDTH, HALF_HEIGHT, DEPTH = 76.0, 100.0, 80.0
SKIN, BACKGROUND, EYE, NOSE = (214, 170, 140), (40, 90, 160), (20, 16, 14), (230, 30, 40)
NOSE_TIP = 1
EYE_X, EYE_Y = 0.42, -0.2


def points() -> Floats:
    """float32 (468, 3), px: the landmarks that the mesh names, and a spiral of others."""
    flat = np.zeros((LANDMARKS, 2))
    for index in range(LANDMARKS):
        angle, reach = index * math.pi * (3 - math.sqrt(5)), 0.9 * math.sqrt(index / LANDMARKS)
        flat[index] = reach * math.sin(angle), reach * math.cos(angle)
    for step, index in enumerate(OVAL):
        angle = 2 * math.pi * step / len(OVAL)
        flat[index] = math.sin(angle), -math.cos(angle)
    features = (0.6, -0.2), (0.2, -0.2), None, (0.3, 0.45)  # the cheek is one of the outline
    for side, ids in ((-1, LEFTWARD), (1, RIGHTWARD)):
        for index, place in zip(ids, features, strict=True):
            if place is not None:
                flat[index] = side * place[0], place[1]
    for lids, drop in ((UPPER_LIDS, -0.07), (LOWER_LIDS, 0.07), (LID_CREASES, -0.14)):
        for number, index in enumerate(lids):
            side, inward = (-1 if number < 7 else 1), number % 7
            flat[index] = side * (EYE_X + 0.15 - 0.05 * inward), EYE_Y + drop
    flat[NOSE_TIP] = 0, 0.1
    return _on_ellipsoid(flat)


def _on_ellipsoid(flat: npt.NDArray[np.float64]) -> Floats:
    inside = np.clip(1 - (flat**2).sum(axis=1), 0, 1)
    return np.column_stack(
        [
            MIDDLE[0] + HALF_WIDTH * flat[:, 0],
            MIDDLE[1] + HALF_HEIGHT * flat[:, 1],
            -DEPTH * np.sqrt(inside),
        ]
    ).astype(np.float32)


def picture() -> npt.NDArray[np.uint8]:
    """RGB uint8 (640, 480, 3): an oval face with two eyes and a red nose, above a grey coat."""
    drawn = np.full((TALL, WIDE, 3), BACKGROUND, np.uint8)
    x, y = (round(value) for value in MIDDLE)
    cv2.ellipse(drawn, (x, TALL), (200, 270), 0, 180, 360, (90, 92, 96), -1)
    cv2.rectangle(drawn, (x - 40, y + 60), (x + 40, y + 150), SKIN, -1)
    cv2.ellipse(drawn, (x, y - 18), (88, 124), 0, 0, 360, (70, 52, 40), -1)
    cv2.ellipse(drawn, (x, y), (round(HALF_WIDTH), round(HALF_HEIGHT)), 0, 0, 360, SKIN, -1)
    for side in (-1, 1):
        eye = (round(x + side * EYE_X * HALF_WIDTH), round(y + EYE_Y * HALF_HEIGHT))
        cv2.ellipse(drawn, eye, (11, 6), 0, 0, 360, EYE, -1)
    cv2.circle(drawn, (x, round(y + 0.1 * HALF_HEIGHT)), 9, NOSE, -1)
    noise = np.random.default_rng(1).integers(-6, 7, drawn.shape)
    return np.clip(drawn + noise, 0, 255).astype(np.uint8)


def save(folder: Path, *keys: str) -> Path:
    """Leave the head in `folder` under each key, as `make models` leaves portraits."""
    for key in keys:
        cv2.imwrite(str(folder / f"{key}.png"), cv2.cvtColor(picture(), cv2.COLOR_RGB2BGR))
        np.savez(folder / f"{key}.npz", points=points())
    return folder
