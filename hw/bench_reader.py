"""The twin of a card reader, a QR scanner or a keypad: a hand taps, types and pulls its plug.

It must never be kinder than the hardware: a read that is too long is lost, and so is one at a
reader that is unplugged. What changes with this file: the story of `make run` and every test that
holds up a card.
"""

from __future__ import annotations

import threading
import time

from hw.errors import DeviceError
from hw.ports import MAX_READ_BYTES, Clock, OnRead, OnWorking, ReadKind


class BenchReader:
    """The twin of a card reader. Thread-safe. It is plugged in unless `is_plugged` is False."""

    def __init__(
        self, name: str, clock: Clock = time.monotonic, *, is_plugged: bool = True
    ) -> None:
        self._name = name
        self._clock = clock
        self._lock = threading.RLock()
        self._is_plugged = is_plugged
        self._on_read: OnRead | None = None
        self._on_working: OnWorking | None = None

    @property
    def name(self) -> str:
        """The reader's name in the configuration."""
        return self._name

    def start(self, on_read: OnRead, on_working: OnWorking) -> None:
        """As the port says; the state is told before this returns. Raises DeviceError twice."""
        with self._lock:
            if self._on_read is not None:
                raise DeviceError(f"The reader {self._name} is already started.")
            self._on_read, self._on_working = on_read, on_working
            on_working(self._is_plugged)

    def close(self) -> None:
        """Hear nothing more."""
        with self._lock:
            self._on_read = self._on_working = None

    # The world's side.

    def tap(self, data: bytes, kind: ReadKind = ReadKind.IDENTIFIER) -> bool:
        """Hold a card to it; False when nobody heard: unplugged, not started, empty, too long."""
        with self._lock:
            if not self._is_plugged or self._on_read is None:
                return False
            if not 0 < len(data) <= MAX_READ_BYTES:
                return False
            self._on_read(bytes(data), self._clock(), kind)
            return True

    def unplug(self) -> None:
        """Pull the plug."""
        self._plug(False)

    def plug(self) -> None:
        """Plug it in again; it comes back by itself."""
        self._plug(True)

    def _plug(self, is_plugged: bool) -> None:
        with self._lock:
            if self._is_plugged is not is_plugged:
                self._is_plugged = is_plugged
                if self._on_working is not None:
                    self._on_working(is_plugged)
