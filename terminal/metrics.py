"""Times and counts of the terminal's work: numbers without people.

How long from the first usable frame to the strike, how transactions ended by way, how often vision
ran each model. Kept for the newest transactions only, in memory, for `terminalctl status`
and the bench.

What changes with this file: `terminalctl status`, `tests/bench`.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from statistics import quantiles

from terminal.core.effects import TransactionEnded
from terminal.link import Alive

KEPT = 1000


@dataclass(frozen=True, slots=True)
class Spread:
    """Of `n` times (s): the median and the 95th percentile."""

    n: int
    p50_s: float
    p95_s: float


def spread(times_s: deque[float]) -> Spread | None:
    """The spread of some times, or None when there are none."""
    if not times_s:
        return None
    if len(times_s) == 1:
        return Spread(1, times_s[0], times_s[0])
    cuts = quantiles(times_s, n=20, method="inclusive")
    return Spread(len(times_s), cuts[9], cuts[18])


@dataclass(slots=True)
class Metrics:
    """What the loop has measured since it began."""

    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    frame_to_strike_s: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    card_to_strike_s: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    vision: Alive | None = None
    _since: tuple[deque[float], float] | None = None

    def face_since(self, first_frame_mono_s: float) -> None:
        """What is decided next comes from a probe whose first frame was taken then."""
        self._since = (self.frame_to_strike_s, first_frame_mono_s)

    def card_since(self, read_mono_s: float) -> None:
        """What is decided next comes from a card that was read then."""
        self._since = (self.card_to_strike_s, read_mono_s)

    def released(self, mono_s: float) -> None:
        """The strike has just been released."""
        if self._since is not None:
            times_s, since_s = self._since
            times_s.append(mono_s - since_s)

    def decided(self) -> None:
        """The step is over; what comes next has another cause."""
        self._since = None

    def transaction_ended(self, effect: TransactionEnded) -> None:
        """Count one transaction."""
        self.ended[effect.way.value, effect.outcome.value] += 1
