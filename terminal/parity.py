"""Whether the other ways in are as convenient as the face: measured all the time (D12, T36).

For each way: how long from the first presentation (of a face: from its first usable frame) to the
release, how many things it asked for, how often it failed. A person's own time is left out and
shown apart: typing a PIN, and taking out a card after the button was pressed. A way with a PIN is
not held against the face either; but where nothing else is used beside the face, that is said.

Numbers without people, of the newest transactions, in memory.

What changes with this file: `terminalctl parity`, the alarm of D12, docs/doors.md.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median, quantiles

from terminal.core.effects import TransactionEnded
from terminal.core.policy import PARITY_SLACK_S, PARITY_STEPS
from terminal.core.values import Outcome, Way

KEPT = 1000
"""So many of each way's newest transactions are kept."""

ENOUGH = 20
"""With fewer of a way nothing is said of its 95th percentile: that would be its slowest one."""

WITHOUT_PIN = (Way.CARD, Way.QR)
WITH_PIN = (Way.CARD_PIN, Way.QR_PIN, Way.CARD_FACE)
COMPARED = (Way.FACE, *WITHOUT_PIN, *WITH_PIN)


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


def _kept() -> deque[float]:
    return deque(maxlen=KEPT)


@dataclass(slots=True)
class OneWay:
    """What was measured of one way in."""

    times_s: deque[float] = field(default_factory=_kept)
    typing_s: deque[float] = field(default_factory=_kept)
    steps: deque[float] = field(default_factory=_kept)
    ended: Counter[Outcome] = field(default_factory=Counter)

    @property
    def is_enough(self) -> bool:
        """Whether there are enough of them to speak of a 95th percentile."""
        return len(self.times_s) >= ENOUGH


class Parity:
    """The ways in, side by side."""

    def __init__(self) -> None:
        self._ways = {way: OneWay() for way in COMPARED}

    def ended(self, end: TransactionEnded, time_s: float) -> None:
        """Note one transaction; `time_s` is from its first presentation to the release."""
        way = self._ways.get(end.way)
        if way is None:
            return
        way.ended[end.outcome] += 1
        if end.outcome is Outcome.GRANTED:
            way.times_s.append(time_s)
            way.typing_s.append(end.typing_s)
            way.steps.append(end.steps)

    @property
    def troubles(self) -> tuple[str, ...]:
        """What makes another way less convenient than the face, in words; nothing if nothing."""
        face = self._ways[Way.FACE]
        if not face.is_enough:
            return ()
        return tuple(
            words
            for way in WITHOUT_PIN
            if self._ways[way].is_enough
            for words in _troubles(way, self._ways[way], face)
        )

    @property
    def is_broken(self) -> bool:
        """Whether D12 is broken, as far as enough was measured."""
        return bool(self.troubles)

    @property
    def warning(self) -> str | None:
        """That a PIN is all there is beside the face."""
        with_pin = any(self._ways[way].times_s for way in WITH_PIN)
        without = any(self._ways[way].times_s for way in WITHOUT_PIN)
        if with_pin and not without and self._ways[Way.FACE].times_s:
            return "Beside the face, nobody comes in without a PIN: that is not as convenient."
        return None

    def report(self) -> dict[str, object]:
        """All of it, for `terminalctl parity` and its JSON."""
        return {
            "ways": {way.value: _line(one) for way, one in self._ways.items()},
            "allowed": {"slack_s": PARITY_SLACK_S, "steps": PARITY_STEPS, "enough": ENOUGH},
            "troubles": list(self.troubles),
            "warning": self.warning,
        }


def _troubles(way: Way, one: OneWay, face: OneWay) -> tuple[str, ...]:
    mine, theirs = spread(one.times_s), spread(face.times_s)
    assert mine is not None and theirs is not None, "there are enough of both"
    slow = mine.p95_s > theirs.p95_s + PARITY_SLACK_S
    long = median(one.steps) > median(face.steps) + PARITY_STEPS
    words = (
        (f"{way.value} takes {mine.p95_s:.1f} s at p95, the face {theirs.p95_s:.1f} s.", slow),
        (f"{way.value} asks for {median(one.steps):g} things.", long),
    )
    return tuple(sentence for sentence, holds in words if holds)


def _line(one: OneWay) -> Mapping[str, object]:
    times, typing = spread(one.times_s), spread(one.typing_s)
    return {
        "n": len(one.times_s),
        "p50_s": times and times.p50_s,
        "p95_s": times and times.p95_s,
        "typing_p50_s": typing and typing.p50_s,
        "steps": median(one.steps) if one.steps else None,
        "refused": one.ended[Outcome.REFUSED],
        "abandoned": one.ended[Outcome.ABANDONED] + one.ended[Outcome.DECLINED],
    }
