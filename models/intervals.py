"""Bounds of a rate that was counted: exact binomial (Clopper-Pearson), in plain Python.

Pure. It changes never, or it was wrong.
"""

import math
from typing import Final

_STEPS: Final = 200
_TINY: Final = 1e-300


def upper_bound(events: float, trials: float, confidence: float = 0.95) -> float:
    """One-sided upper bound of the rate behind `events` in `trials`; rule of three at 0 events."""
    if events >= trials:
        return 1.0
    return _beta_quantile(confidence, events + 1, trials - events)


def lower_bound(events: float, trials: float, confidence: float = 0.95) -> float:
    """One-sided lower bound of the rate behind `events` in `trials`."""
    if events <= 0:
        return 0.0
    return _beta_quantile(1 - confidence, events, trials - events + 1)


def _beta_quantile(probability: float, a: float, b: float) -> float:
    """Where the Beta(a, b) distribution function reaches `probability`, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _beta_distribution(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return high


def _beta_distribution(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_distribution(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    log_front += a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) / (a * _continued_fraction(x, a, b))


def _continued_fraction(x: float, a: float, b: float) -> float:
    """Lentz's method; converges fast where x is below the mean."""
    result, above, below = 1.0, 1.0, 0.0
    for step in range(1, 100_000):
        term = _coefficient(step, x, a, b)
        below = 1 / _not_zero(1 + term * below)
        above = _not_zero(1 + term / above)
        result *= above * below
        if abs(above * below - 1) < 1e-13:
            break
    return result


def _coefficient(step: int, x: float, a: float, b: float) -> float:
    m = step // 2
    if step % 2:
        return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
