"""What lies between two keyframes, and chance that is the same on every machine.

What changes with this file: `hw/scenes.py` and `hw/held_codes.py`, whose motion it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache


def span(times: Iterable[float], t_s: float) -> tuple[int, int, float]:
    """Indices of the keyframes before and after `t_s`, and how far (0..1) it is between them."""
    before, last_s = 0, 0.0
    for index, at_s in enumerate(times):
        if at_s > t_s:
            return before, index, (t_s - last_s) / (at_s - last_s)
        before, last_s = index, at_s
    return before, before, 0.0


def mix(a: float, b: float, part: float) -> float:
    """From `a` (part 0) to `b` (part 1)."""
    return a + (b - a) * part


@lru_cache(maxsize=4096)
def chance(seed: int, *parts: int | str) -> float:
    """A number in 0..1 that depends on its arguments alone, on every machine and Python."""
    digest = hashlib.sha256(repr((seed, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
