"""Ring 2 of the relay: a strike that falls back to rest by itself.

Every strike, on a board or on the bench, is this class around two functions: one that sets the
line and one that reads it back. The end of a pulse or of a hold is armed before the line is
energised, on timers that nobody else uses, so that a caller who hangs, or who never comes back,
can't keep a door released. It must never extend a release by itself. A pulse and a hold are kept
apart: the line is energised while either is in force. What changes with this file: every board,
and the contract suite of the boards.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable

from hw.errors import DeviceError
from hw.ports import Clock
from hw.timers import CallLater, Cancel

MAX_PULSE_S = 60.0
"""Longest pulse that a strike takes; an accessible door needs up to half of it, and whatever is
longer is a hold. The site's `release_s` is bounded more narrowly by its configuration."""

MAX_LEASE_S = 10.0
"""Longest lease of a hold (decision D15)."""

_RETRY_S = 0.05
"""How soon the guard tries again when the line would not go to rest."""

_EARLY_S = 0.001
"""A timer that comes this much early is taken as on time."""

_NEVER_S = -math.inf

_LOG = logging.getLogger(__name__)


class GuardedStrike:
    """A `Strike` with its own end. Thread-safe.

    `set_line(energised)` drives the line and `read_line()` reads it back; both raise DeviceError.
    `clock` is monotonic (s). `call_later` must not be shared with anything that can hang.
    """

    def __init__(
        self,
        set_line: Callable[[bool], None],
        read_line: Callable[[], bool],
        clock: Clock,
        call_later: CallLater,
    ) -> None:
        self._set_line = set_line
        self._read_line = read_line
        self._clock = clock
        self._call_later = call_later
        self._lock = threading.RLock()
        self._pulse_end_s = _NEVER_S
        self._hold_end_s = _NEVER_S
        self._cancel_guard: Cancel | None = None
        self._is_closed = False

    def release(self, max_s: float) -> None:
        """Energise now and fall back after `max_s` (0 < max_s <= MAX_PULSE_S).

        A second call while energised sets the pulse's end anew, from now. Raises ValueError for
        any other time, touching nothing; raises DeviceError, at rest, when the line fails.
        """
        _check_time("A release", max_s, MAX_PULSE_S)
        with self._lock:
            self._refuse_when_closed()
            self._pulse_end_s = self._clock() + max_s
            self._energise()

    def hold(self, lease_s: float) -> None:
        """Keep energised until `lease_s` from now (0 < lease_s <= MAX_LEASE_S).

        Raises as `release` does. The end of a pulse changes nothing while a hold is in force.
        """
        _check_time("A hold's lease", lease_s, MAX_LEASE_S)
        with self._lock:
            self._refuse_when_closed()
            self._hold_end_s = self._clock() + lease_s
            self._energise()

    def secure(self) -> None:
        """To rest at once, ending a pulse and a hold. Raises DeviceError if the line won't go.

        The guard then goes on trying. After `close` this does nothing: the strike is secured.
        """
        with self._lock:
            if self._is_closed:
                return
            self._pulse_end_s = self._hold_end_s = _NEVER_S
            self._rest_or_retry()

    @property
    def is_released(self) -> bool:
        """The line as it reads back. Raises DeviceError when it can't be read or is closed."""
        with self._lock:
            self._refuse_when_closed()
            return self._read_line()

    def close(self) -> None:
        """Secure, and take no release any more; never raises for a line that fails."""
        with self._lock:
            try:
                self.secure()
            except DeviceError as error:
                _LOG.error("The strike was not secured at closing: %s", error)
            self._is_closed = True

    def _refuse_when_closed(self) -> None:
        if self._is_closed:
            raise DeviceError("The strike is closed; open the board again.")

    def _energise(self) -> None:
        """The guard first, then the line: there is no moment in which nobody will end it."""
        try:
            self._arm()
            self._set_line(True)
            if not self._read_line():
                raise DeviceError("The strike's line reads back at rest after it was energised.")
        except DeviceError:
            self._pulse_end_s = self._hold_end_s = _NEVER_S
            self._rest_quietly()
            raise

    def _arm(self, delay_s: float | None = None) -> None:
        """Arm the new end before the old one is dropped."""
        end_s = max(self._pulse_end_s, self._hold_end_s)
        wait_s = max(0.0, end_s - self._clock()) if delay_s is None else delay_s
        cancel_old, self._cancel_guard = (
            self._cancel_guard,
            self._call_later(wait_s, self._on_guard),
        )
        if cancel_old is not None:
            cancel_old()

    def _on_guard(self) -> None:
        with self._lock:
            if self._is_closed:
                return
            if max(self._pulse_end_s, self._hold_end_s) > self._clock() + _EARLY_S:
                self._arm()
            else:
                self._rest_quietly()

    def _rest_quietly(self) -> None:
        try:
            self._rest_or_retry()
        except DeviceError as error:
            _LOG.error("The strike does not go to rest, trying again: %s", error)

    def _rest_or_retry(self) -> None:
        try:
            self._set_line(False)
            if self._read_line():
                raise DeviceError("The strike's line still reads released after it was secured.")
        except DeviceError:
            self._arm(_RETRY_S)
            raise


def _check_time(what: str, seconds: float, longest_s: float) -> None:
    if not 0 < seconds <= longest_s:  # also refuses NaN
        raise ValueError(f"{what} of {seconds} s is not between 0 and {longest_s:g} s.")
