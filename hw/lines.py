"""What a board makes of its lines, whatever library drives them: the lamp and the watched inputs.

A level of an input counts when it has stayed for the wiring table's time, and a line that never
settles is looked at all the same: the button that declines has 100 ms in all (D10). Nothing here
knows a pin library; a line is whatever sets, reads and tells edges. It must never decide anything.
What changes with this file: every board on real pins.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from hw.errors import DeviceError
from hw.ports import Clock, Input, InputChange, OnInput
from hw.timers import CallLater, Cancel

_LONGEST_BOUNCE = 3
"""After so many times its debouncing a line that still bounces is taken as it reads: the button
that declines has 100 ms in all (D10)."""

_LOG = logging.getLogger(__name__)


class ReadableLine(Protocol):
    """A claimed line in the wiring table's logical levels."""

    def read(self) -> bool:
        """The level as it reads. Raises DeviceError."""
        ...


class OutputLine(ReadableLine, Protocol):
    """An output."""

    def set(self, active: bool) -> None:
        """Drive it. Raises DeviceError."""
        ...


class InputLine(ReadableLine, Protocol):
    """An input."""

    @property
    def debounce_s(self) -> float:
        """So long a level has to stay."""
        ...

    def is_active_at(self, level: Any) -> bool:
        """Whether this electrical level means active."""
        ...

    def watch(self, on_edge: Callable[[Any, Any], None] | None) -> None:
        """Call `on_edge(ticks, level)` at every edge, or no more. Raises DeviceError."""
        ...


class SensedLamp:
    """An output that is on or off: the signage LED, or the alarm contact.

    It counts as lit when its line reads back lit, and the sense line as well. Without a line it
    never reads lit; for the sign that means that the terminal never looks at faces.
    """

    def __init__(self, line: OutputLine | None, sense: OutputLine | None) -> None:
        self._line = line
        self._sense = sense

    def set(self, lit: bool) -> None:
        """Light it or darken it. Raises DeviceError when the line fails; not wired: nothing."""
        if self._line is not None:
            self._line.set(lit)

    @property
    def is_lit(self) -> bool:
        """As it reads back. Raises DeviceError when a line can't be read."""
        if self._line is None:
            return False
        return self._line.read() and self.sensed is not False

    @property
    def sensed(self) -> bool | None:
        """What the sense line alone says, for the self-test; None where none is wired."""
        return None if self._sense is None else self._sense.read()

    def close(self) -> None:
        """Darken it; a line that fails is logged."""
        try:
            self.set(False)
        except DeviceError as error:
            _LOG.warning("While the board was closed: %s", error)


class WatchedInput:
    """One input with its debouncing: a level counts when it has stayed for the table's time."""

    def __init__(
        self,
        line: InputLine,
        name: Input,
        clock: Clock,
        call_later: CallLater,
        on_change: OnInput,
    ) -> None:
        self.name = name
        self._line = line
        self._clock = clock
        self._call_later = call_later
        self._on_change = on_change
        self._lock = threading.RLock()
        self._cancel_settle: Cancel | None = None
        self._first_edge_s: float | None = None
        self._level = False

    def start(self) -> bool:
        """Begin to watch; returns the level now. Watched before read, so no edge falls between."""
        with self._lock:
            self._line.watch(self._on_edge)
            self._level = self._line.read()
            return self._level

    def stop(self) -> None:
        """Watch no more. Raises DeviceError."""
        self._line.watch(None)

    def _on_edge(self, ticks: Any, level: Any) -> None:
        """On a thread of the library, which an exception would end for every line."""
        try:
            with self._lock:
                self._note_edge(self._line.is_active_at(level))
        except DeviceError as error:
            _LOG.warning("An edge of %s was lost: %s", self.name.value, error)

    def _note_edge(self, active: bool) -> None:
        """The first edge away from the settled level is the moment that is reported."""
        if self._first_edge_s is None and active != self._level:
            self._first_edge_s = self._clock()
        if self._cancel_settle is not None:
            self._cancel_settle()
        self._cancel_settle = self._call_later(self._settles_in_s(), self._settle)

    def _settles_in_s(self) -> float:
        """A line that never settles is looked at all the same: a chattering button is pressed."""
        if self._first_edge_s is None:
            return self._line.debounce_s
        latest_s = self._first_edge_s + _LONGEST_BOUNCE * self._line.debounce_s
        return max(0.0, min(self._line.debounce_s, latest_s - self._clock()))

    def _settle(self) -> None:
        try:
            with self._lock:
                change = self._settled(self._line.read())
                if change is not None:
                    self._on_change(change)
        except DeviceError as error:
            _LOG.warning("The line %s can't be read: %s", self.name.value, error)

    def _settled(self, level: bool) -> InputChange | None:
        first_edge_s, self._first_edge_s = self._first_edge_s, None
        if level == self._level:
            return None
        self._level = level
        seen_s = self._clock() if first_edge_s is None else first_edge_s
        return InputChange(self.name, level, seen_s)
