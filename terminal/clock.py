"""The terminal's clock, and the only place that asks for the wall time.

Monotonic seconds are for reckoning, wall time is for writing down. The wall clock of a small
board is wrong at times: without a battery it starts in the past, and an attacker may turn it back
to revive what has expired (A18). So a floor goes with it: the newest moment that is known to have
been. Wall time below the floor is still reported, but as not trusted, and what depends on dates is
then refused by those who decide. A clock that was set far ahead can't be told from a right one;
the floor follows it, and until that date is past again the time is not trusted.

With each moment comes how far local time is ahead of UTC just then: what depends on the hour of a
day or on a holiday needs no time zone of its own.

What changes with this file: `terminal.audit`, whose newest record is the floor at start.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from terminal.core.values import Moment

BUILT = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock is right that says an earlier time; set anew with each release."""


class Clock(Protocol):
    """Whoever can say what time it is."""

    def now(self) -> Moment:
        """The present moment."""
        ...


def _wall() -> datetime:
    return datetime.now(UTC)


class SystemClock:
    """The clock of this machine, with a floor under it.

    `floor` is the newest time that is known to have been (of the newest record), None when there
    is none; `zone` the site's. Raises ValueError for a floor without a time zone.
    """

    def __init__(
        self,
        floor: datetime | None = None,
        zone: tzinfo = UTC,
        *,
        mono: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = _wall,
    ) -> None:
        if floor is not None and floor.tzinfo is None:
            raise ValueError("The floor of a clock needs a time zone.")
        self._floor = max(floor or BUILT, BUILT)
        self._zone = zone
        self._mono = mono
        self._wall = wall

    @property
    def floor(self) -> datetime:
        """The newest time that is known to have been."""
        return self._floor

    def now(self) -> Moment:
        """The present moment; trusted unless the wall clock is behind the floor."""
        utc = self._wall()
        trusted = utc >= self._floor
        self._floor = max(self._floor, utc)
        offset = utc.astimezone(self._zone).utcoffset() or timedelta()
        return Moment(self._mono(), utc, trusted, int(offset.total_seconds()))


class ManualClock:
    """A clock that moves when told to: the bench's, with the same floor as the real one."""

    def __init__(
        self,
        utc: datetime = BUILT,
        *,
        mono_s: float = 0.0,
        floor: datetime | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        self._mono_s = mono_s
        self._utc = utc
        self._clock = SystemClock(floor, zone, mono=lambda: self._mono_s, wall=lambda: self._utc)

    def now(self) -> Moment:
        """The present moment, the same until the clock is moved."""
        return self._clock.now()

    def mono_s(self) -> float:
        """Its monotonic seconds alone, as devices take them (`hw.ports.Clock`)."""
        return self._mono_s

    def advance(self, seconds: float) -> Moment:
        """Let time pass (s, not negative), on both clocks; returns the new moment."""
        if seconds < 0:
            raise ValueError("Time passes in one direction; set_utc turns the wall clock back.")
        self._mono_s += seconds
        self._utc += timedelta(seconds=seconds)
        return self.now()

    def set_utc(self, utc: datetime) -> Moment:
        """Set the wall clock alone, also backwards; returns the new moment."""
        self._utc = utc
        return self.now()
