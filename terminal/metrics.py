"""Times and counts of the terminal's work: numbers without people.

How long from the first usable frame to the strike, how transactions ended by way, how often vision
ran each model. Kept for the newest transactions only, in memory, for `terminalctl status`
and the bench.

What changes with this file: `terminalctl status`, `tests/bench`.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from terminal.core.effects import TransactionEnded
from terminal.core.values import Way
from terminal.link import Alive
from terminal.parity import KEPT, Parity


@dataclass(slots=True)
class Metrics:
    """What the loop has measured since it began."""

    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    frame_to_strike_s: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    card_to_strike_s: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    vision: Alive | None = None
    parity: Parity = field(default_factory=Parity)
    _since: tuple[deque[float], float] | None = None
    _last_s: float = 0.0

    def face_since(self, first_frame_mono_s: float) -> None:
        """What is decided next comes from a probe whose first frame was taken then."""
        self._since, self._last_s = (self.frame_to_strike_s, first_frame_mono_s), 0.0

    def credential_since(self, read_mono_s: float) -> None:
        """What is decided next comes from a credential, or a PIN, that was read then."""
        self._since, self._last_s = (self.card_to_strike_s, read_mono_s), 0.0

    def released(self, mono_s: float) -> None:
        """The strike has just been released, or a panel told."""
        if self._since is not None:
            times_s, since_s = self._since
            self._last_s = mono_s - since_s
            times_s.append(self._last_s)

    def decided(self) -> None:
        """The step is over; what comes next has another cause."""
        self._since, self._last_s = None, 0.0

    def transaction_ended(self, effect: TransactionEnded) -> None:
        """Count one transaction, and how long it took from its first presentation.

        A face's time begins with its first usable frame, so with the last thing that happened; that
        of everything else also holds what came before the last thing, but not the person's own.
        """
        self.ended[effect.way.value, effect.outcome.value] += 1
        before_s = 0.0 if effect.way is Way.FACE else effect.took_s - effect.own_s
        self.parity.ended(effect, before_s + self._last_s)
