"""What a measurement comes out as: a figure with its spread and, where there is one, its target.

A figure never hides how it was got: it says how many values are behind it, and by which of its two
numbers its target is judged. What changes with this file: docs/measurements.md (the schema).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import quantiles


class Unit(Enum):
    """What the numbers of a figure count."""

    MS = "ms"
    CORE = "% of one core"
    MB = "MB"


class Judged(Enum):
    """Which number of a figure has to keep its target."""

    MEDIAN = "p50"
    P95 = "p95"


class Verdict(Enum):
    """Whether a figure keeps its target."""

    MET = "met"
    MISSED = "MISSED"
    NO_TARGET = "-"


@dataclass(frozen=True, slots=True)
class Target:
    """At most so much, in the figure's unit."""

    at_most: float
    judged: Judged = Judged.MEDIAN


@dataclass(frozen=True, slots=True)
class Figure:
    """The median and the 95th percentile of `n` values of one thing."""

    group: str
    name: str
    what: str
    unit: Unit
    n: int
    p50: float
    p95: float
    target: Target | None = None

    @property
    def verdict(self) -> Verdict:
        """Whether the target is kept."""
        if self.target is None:
            return Verdict.NO_TARGET
        judged = self.p50 if self.target.judged is Judged.MEDIAN else self.p95
        return Verdict.MET if judged <= self.target.at_most else Verdict.MISSED


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold for the figures to mean what they say."""

    what: str
    holds: bool
    says: str


Result = Figure | Check


@dataclass(frozen=True, slots=True)
class Sizes:
    """How often each thing is measured."""

    calls: int
    searches: int
    appends: int
    loaded_people: int
    loads: int
    walk_ups: int
    cards: int
    idle_s: float


FULL = Sizes(
    calls=300,
    searches=500,
    appends=300,
    loaded_people=1000,
    loads=5,
    walk_ups=24,
    cards=60,
    idle_s=40.0,
)
QUICK = Sizes(
    calls=5, searches=10, appends=10, loaded_people=10, loads=2, walk_ups=2, cards=3, idle_s=4.0
)


class NotMeasured(Exception):  # noqa: N818 - says what is the case
    """Something that was to be measured did not happen; the text says what, in one sentence."""


def figure(
    group: str,
    name: str,
    what: str,
    values: Sequence[float],
    unit: Unit = Unit.MS,
    target: Target | None = None,
) -> Figure:
    """The figure of some values. Raises NotMeasured when there are none, or one is no number."""
    if not values or not all(math.isfinite(value) for value in values):
        raise NotMeasured(f"There are no usable values for {group}.{name}.")
    p50, p95 = spread(values)
    return Figure(group, name, what, unit, len(values), p50, p95, target)


def spread(values: Sequence[float]) -> tuple[float, float]:
    """The median and the 95th percentile, reckoned as `terminal.metrics` does."""
    if len(values) == 1:
        return values[0], values[0]
    cuts = quantiles(values, n=20, method="inclusive")
    return cuts[9], cuts[18]


def timed_ms(call: Callable[[], object], n: int, warm_up: int = 3) -> list[float]:
    """How long each of `n` calls took (ms), after `warm_up` that do not count."""
    for _ in range(warm_up):
        call()
    return [_took_ms(call) for _ in range(n)]


def _took_ms(call: Callable[[], object]) -> float:
    began_ns = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - began_ns) / 1e6
