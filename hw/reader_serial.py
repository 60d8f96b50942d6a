"""Card readers and QR scanners on a serial line, or on USB as one.

The bytes become reads in `hw.serial_frames`, which is pure; this module finds the device, sets it
up (8 data bits, no parity, 1 stop bit) and takes it for itself. A USB reader that is unplugged is
noticed; on a bare UART nobody can know whether anything hangs there, and the reader counts as
working as long as the line opens. It must never send anything, nor log what it read. This module
alone imports pyserial. What changes with this file: nothing but the readers that are plugged in.
"""

from __future__ import annotations

import logging
import os
import selectors
import time
from typing import Any

import serial

from hw.errors import DeviceError
from hw.ports import Clock
from hw.reader_thread import Heard, ReaderThread, Stop
from hw.serial_frames import FRAMINGS, IDLE_GAP_S, Framer

BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
"""What readers speak; 9600 unless their manual says otherwise."""

_CHUNK_BYTES = 1024

_LOG = logging.getLogger(__name__)


class SerialReader(ReaderThread):
    """A `CardReader` on one serial line.

    `path` is an absolute path below /dev, `baud` one of BAUDS, `framing` a word of
    `hw.serial_frames.FRAMINGS`. Raises DeviceError for anything else.
    """

    def __init__(
        self,
        name: str,
        path: str,
        clock: Clock = time.monotonic,
        *,
        baud: int = 9600,
        framing: str = "lines",
    ) -> None:
        _check(name, path, baud, framing)
        self._framer = FRAMINGS[framing]()
        super().__init__(name, clock, lambda: _Place(name, path, baud, self._framer, clock))

    @property
    def dropped(self) -> int:
        """How many frames were dropped: too long, cut off, or with a wrong checksum."""
        return self._framer.dropped


class _Place:
    """Where the reader's line is."""

    def __init__(self, name: str, path: str, baud: int, framer: Framer, clock: Clock) -> None:
        self._name = name
        self._path = path
        self._baud = baud
        self._framer = framer
        self._clock = clock
        self.where = ""

    def open(self) -> _Line | None:
        """The line, for this process alone, or None while it is not there."""
        self.where = self._path if os.path.exists(self._path) else ""
        if not self.where:
            return None
        port = serial.Serial(self._path, self._baud, timeout=0, exclusive=True)
        return _Line(self._name, port, self._framer, self._clock)


class _Line:
    """The opened line."""

    def __init__(self, name: str, port: Any, framer: Framer, clock: Clock) -> None:
        self._name = name
        self._port = port
        self._framer = framer
        self._clock = clock
        self._has_warned = False

    def read_until(self, stop: Stop, heard: Heard) -> None:
        """What was begun is overwritten when nothing follows, and when the line goes."""
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._port.fileno(), selectors.EVENT_READ)
                selector.register(stop.fileno(), selectors.EVENT_READ)
                while not stop.is_set:
                    if selector.select(IDLE_GAP_S):
                        self._take(heard)
                    else:
                        self._framer.give_up()
        finally:
            self._framer.give_up()

    def close(self) -> None:
        """Let go."""
        self._port.close()

    def _take(self, heard: Heard) -> None:
        """pyserial raises SerialException, an OSError, when a readable line gives nothing."""
        for read in self._framer.feed(self._port.read(_CHUNK_BYTES), self._clock()):
            heard(read)
        if self._framer.dropped and not self._has_warned:
            self._has_warned = True
            _LOG.warning(
                "The reader %s has sent a broken frame; if that goes on, check its cable, "
                "baud and framing.",
                self._name,
            )


def _check(name: str, path: str, baud: int, framing: str) -> None:
    if not path.startswith("/dev/") or ".." in path or "\0" in path:
        raise DeviceError(f"The reader {name} is not found at {path!r}; write a path below /dev.")
    if baud not in BAUDS:
        raise DeviceError(f"The reader {name} can't speak at {baud} baud; take one of {BAUDS}.")
    if framing not in FRAMINGS:
        raise DeviceError(
            f"The reader {name} knows no framing {framing!r}; framings are {', '.join(FRAMINGS)}."
        )
