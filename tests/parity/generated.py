"""Chips that are no face, made by integer arithmetic alone: the same on every machine."""

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
