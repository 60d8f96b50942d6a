"""What the parity run and the golden tests both make: chips that are no face, turned portraits.

The chips are integer arithmetic alone, so the same on every machine.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.alignment import CHIP_SIDE_PX

Pixels = NDArray[np.uint8]


def generated_chip(number: int) -> Pixels:
    """Coloured waves and blocks, uint8 (150, 150, 3), another one for every `number`."""
    y, x, channel = np.indices((CHIP_SIDE_PX, CHIP_SIDE_PX, 3))
    slopes = x * (3 + number % 7) + y * (5 + number % 5) + 60 * channel
    blocks = ((x // 15) * (7 + number) + (y // 15) * (11 + 2 * number) + channel * 3) % 9 * 20
    return np.asarray((slopes % 256 + blocks) // 2 % 256, np.uint8)


def turned_view(rgb: Pixels) -> Pixels:
    """A portrait, 640 px long, its head leaning 20 degrees to the right of the frame."""
    scale = 640 / max(rgb.shape[:2])
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = small.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -20, 1.0)
    return np.asarray(cv2.warpAffine(small, turn, (width, height)), np.uint8)
