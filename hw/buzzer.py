"""What the buzzer's four tones sound like, and playing them on one line.

The pattern alone tells the tones apart, because an active buzzer has one pitch and because a
person who does not see the screen must know whether the door is open (R34). A buzzer that fails
is logged and otherwise ignored: it must never cost anybody a door. What changes with this file:
the printed instructions.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType

from hw.errors import DeviceError
from hw.ports import Tone
from hw.timers import CallLater, Cancel

PATTERNS_MS: Mapping[Tone, tuple[int, ...]] = MappingProxyType(
    {
        Tone.GRANTED: (400,),
        Tone.REFUSED: (80, 80, 80, 80, 80),
        Tone.ALARM: (500, 250) * 7 + (500,),
        Tone.WARNING: (200, 800) * 4 + (200,),
        Tone.PROMPT: (60,),
    }
)
"""Times in ms, sounding and silent by turns, beginning with sound and ending in silence."""

_LOG = logging.getLogger(__name__)


class PatternBuzzer:
    """A `Buzzer` that switches one line by a pattern; a newer tone replaces an older one.

    `set_line(sounding)` drives the line and raises DeviceError, which is logged. Thread-safe.
    """

    def __init__(self, set_line: Callable[[bool], None], call_later: CallLater) -> None:
        self._set_line = set_line
        self._call_later = call_later
        self._lock = threading.RLock()
        self._cancel_next: Cancel | None = None
        self._is_closed = False

    def play(self, tone: Tone) -> None:
        """Begin at once, from the pattern's first sound; returns at once."""
        with self._lock:
            if not self._is_closed:
                self._cancel()
                self._step(PATTERNS_MS[tone], 0)

    def close(self) -> None:
        """Silence, for good."""
        with self._lock:
            self._is_closed = True
            self._cancel()
            self._switch(False)

    def _cancel(self) -> None:
        if self._cancel_next is not None:
            self._cancel_next()
            self._cancel_next = None

    def _step(self, pattern_ms: tuple[int, ...], at: int) -> None:
        """Even places of a pattern sound, odd ones are silent, and so is what follows the last."""
        is_over = at >= len(pattern_ms)
        self._switch(not is_over and at % 2 == 0)
        if not is_over:
            self._follow(pattern_ms, at)

    def _follow(self, pattern_ms: tuple[int, ...], at: int) -> None:
        try:
            self._cancel_next = self._call_later(
                pattern_ms[at] / 1000, lambda: self._continue(pattern_ms, at + 1)
            )
        except DeviceError as error:
            self._switch(False)
            _LOG.warning("The buzzer's pattern was cut short: %s", error)

    def _continue(self, pattern_ms: tuple[int, ...], at: int) -> None:
        with self._lock:
            if not self._is_closed:
                self._step(pattern_ms, at)

    def _switch(self, sounding: bool) -> None:
        try:
            self._set_line(sounding)
        except DeviceError as error:
            _LOG.warning("The buzzer does not switch: %s", error)
