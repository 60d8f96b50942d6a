"""What every reader on a plug does: look for its device, read it, tell when it goes, find it again.

A reader is the way in that always works, so whatever a device or its library does, it is tried
again: a device that is not there is looked for, one that went while it was read is opened anew
after a pause, and after a fault that nobody foresaw (which is reported with its traceback) another
thread takes over. The driver brings a `Place`, where its device is found, and a `Device`, which is
read until it goes; nothing else about threads is written twice. It must never log what was read.
What changes with this file: every reader but the bench's.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from hw.errors import DeviceError
from hw.ports import Clock, OnRead, OnWorking, Read

RESCAN_S = 0.5
"""How often a reader that is not there is looked for."""

AFTER_FAULT_S = 2.0
"""After a device has gone while it was read, or failed as nobody foresaw, it is tried again so
late: a loose plug must not fill the log."""

DEVICE_FAULTS = (OSError, ValueError, LookupError, TypeError, AttributeError)
"""What a device that goes, or that says odd things about itself, raises through its library: a
name that is no UTF-8, a number that is none, a capability that is missing."""

Heard = Callable[[Read], None]
"""Takes one whole read; the moment is added here."""

_LOG = logging.getLogger(__name__)


class Stop:
    """Tells a reader's thread that it is over; it can be waited for, or selected on."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._wake_end, self._wait_end = -1, -1

    def open(self) -> None:
        """Make the pipe; raises OSError."""
        self._wait_end, self._wake_end = os.pipe()

    def fileno(self) -> int:
        """A descriptor that becomes readable when it is over."""
        return self._wait_end

    @property
    def is_set(self) -> bool:
        """Whether it is over."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep so long at most; whether it is over."""
        return self._event.wait(seconds)

    def set(self) -> None:
        """It is over."""
        self._event.set()
        if self._wake_end >= 0:
            os.write(self._wake_end, b"\0")

    def close(self, is_in_use: bool) -> None:
        """A thread that hangs in the kernel keeps its end; the number must not be given anew."""
        os.close(self._wake_end)
        if not is_in_use:
            os.close(self._wait_end)


class Device(Protocol):
    """One opened device."""

    def read_until(self, stop: Stop, heard: Heard) -> None:
        """Hand on every read until `stop`. Raises one of DEVICE_FAULTS when the device goes."""
        ...

    def close(self) -> None:
        """Let go; may raise one of DEVICE_FAULTS."""
        ...


class Place(Protocol):
    """Where one reader's device is found."""

    @property
    def where(self) -> str:
        """Where the last `open` has looked, for a sentence; "" when nothing was there."""
        ...

    def open(self) -> Device | None:
        """The device, None while it is not there. Raises one of DEVICE_FAULTS."""
        ...


class ReaderThread:
    """A `CardReader` on one device. `make_place` is called by `start`; it raises DeviceError."""

    def __init__(self, name: str, clock: Clock, make_place: Callable[[], Place]) -> None:
        self._name = name
        self._clock = clock
        self._make_place = make_place
        self._thread: threading.Thread | None = None
        self._stop = Stop()
        self._warned = ""
        self._told: bool | None = None

    @property
    def name(self) -> str:
        """The reader's name in the configuration."""
        return self._name

    def start(self, on_read: OnRead, on_working: OnWorking) -> None:
        """As the port says; both are called on the reader's thread. Raises DeviceError."""
        if self._thread is not None or self._stop.is_set:
            raise DeviceError(f"The reader {self._name} is already started or closed.")
        place = self._make_place()
        self._stop.open()
        self._begin(place, on_read, on_working)

    def close(self) -> None:
        """Stop reading and let the device go. May be called twice."""
        if self._stop.is_set:
            return
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=2.0)
            self._stop.close(self._thread.is_alive())

    def _begin(self, place: Place, on_read: OnRead, on_working: OnWorking) -> None:
        self._thread = threading.Thread(
            target=self._run,
            args=(place, on_read, on_working),
            name=f"reader {self._name}",
            daemon=True,
        )
        self._thread.start()

    def _run(self, place: Place, on_read: OnRead, on_working: OnWorking) -> None:
        """After what nobody foresaw the way in is out, and says so; another thread takes over."""
        try:
            self._serve(place, on_read, on_working)
        finally:
            self._tell(on_working, False)
            if not self._stop.wait(AFTER_FAULT_S):
                self._begin(place, on_read, on_working)

    def _serve(self, place: Place, on_read: OnRead, on_working: OnWorking) -> None:
        while not self._stop.is_set:
            device = self._wait_for(place, on_working)
            if device is None:
                return
            self._tell(on_working, True)
            with quietly_closing(device):
                self._try_to_read(device, on_read)
            self._tell(on_working, False)
            self._stop.wait(AFTER_FAULT_S)

    def _tell(self, on_working: OnWorking, is_working: bool) -> None:
        """Each change once; nothing after `close`."""
        if self._told is not is_working and not self._stop.is_set:
            self._told = is_working
            on_working(is_working)

    def _wait_for(self, place: Place, on_working: OnWorking) -> Device | None:
        """The device as soon as it opens, None when closing; says once that it is not there."""
        device = self._try_open(place)
        if device is None:
            self._tell(on_working, False)
        while device is None and not self._stop.wait(RESCAN_S):
            device = self._try_open(place)
        return device

    def _try_open(self, place: Place) -> Device | None:
        try:
            return place.open()
        except DEVICE_FAULTS as error:
            at = f" at {place.where}" if place.where else ""
            self._warn_once(f"The reader {self._name}{at} does not open: {_words(error)}")
            return None

    def _try_to_read(self, device: Device, on_read: OnRead) -> None:
        try:
            device.read_until(self._stop, lambda read: on_read(read.data, self._clock(), read.kind))
        except DEVICE_FAULTS as error:
            self._warn_once(f"The reader {self._name} has gone: {_words(error)}")

    def _warn_once(self, sentence: str) -> None:
        """It is tried twice a second; the journal hears of it when it changes."""
        if sentence != self._warned:
            self._warned = sentence
            _LOG.warning("%s", sentence)


class Closable(Protocol):
    """Whatever can be let go."""

    def close(self) -> None:
        """Let go; may raise one of DEVICE_FAULTS."""
        ...


@contextmanager
def quietly_closing(device: Closable) -> Iterator[None]:
    """`contextlib.closing` for a device that may already be gone."""
    try:
        yield
    finally:
        try:
            device.close()
        except DEVICE_FAULTS as error:
            _LOG.debug("Closing a reader: %s", _words(error))


def _words(error: Exception) -> str:
    """What the kernel said; of anything else only its kind, since a key may stand in its text."""
    return str(error) if isinstance(error, OSError) else type(error).__name__
