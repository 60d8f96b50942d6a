"""Card readers and QR scanners that pretend to be a keyboard: they type and press Enter.

The device is grabbed, so that nothing else on the machine sees what is typed. The keys become
bytes in `hw.wedge_decoder`, which is pure; this module finds the device and gives it the keys.
Nothing that was read is ever logged. This module alone imports evdev, when a reader is started.
What changes with this file: nothing but the readers that are plugged in.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import re
import selectors
import struct
import time
from collections.abc import Iterable
from typing import Any, Protocol

from hw.errors import DeviceError
from hw.keymaps import ENTER, LAYOUTS
from hw.ports import Clock
from hw.reader_thread import DEVICE_FAULTS, Heard, ReaderThread, Stop, quietly_closing
from hw.typed_entry import ENTRY_GAP_S
from hw.wedge_decoder import DEFAULT_ENDS, WedgeDecoder

_EV_SYN, _EV_KEY = 0, 1
_SYN_DROPPED = 3


class KeyDevice(Protocol):
    """What is needed of `evdev.InputDevice`."""

    def fileno(self) -> int:
        """The descriptor that becomes readable."""
        ...

    def read(self) -> Iterable[Any]:
        """Events with `type`, `code`, `value` and `timestamp()`; raises OSError when gone."""
        ...

    def grab(self) -> None:
        """Take all events for this process alone (EVIOCGRAB); raises OSError."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class KeyDevices(Protocol):
    """Where key devices are found; the twin of `EvdevDevices` in tests."""

    def find(self, which: str) -> str | None:
        """Path of the device that `which` means, None while it is not there."""
        ...

    def open(self, path: str) -> KeyDevice:
        """Open it; raises OSError."""
        ...


class EvdevDevices:
    """The real ones, through the library evdev. Raises DeviceError when that is missing."""

    def __init__(self) -> None:
        try:
            self._evdev: Any = importlib.import_module("evdev")
        except ImportError as error:
            raise DeviceError(
                "The Python library evdev is missing; install the Debian package python3-evdev."
            ) from error

    def find(self, which: str) -> str | None:
        """By path, by a name below /dev/input/by-id, or by vendor:product."""
        if _VENDOR_PRODUCT.fullmatch(which):
            return self._find_by_number(which)
        path = os.path.join("/dev/input/by-id", which)  # an absolute `which` stays itself
        return path if os.path.exists(path) else None

    def open(self, path: str) -> KeyDevice:
        """Open, with event times on the monotonic clock."""
        device: KeyDevice = self._evdev.InputDevice(path)
        try:
            fcntl.ioctl(device.fileno(), _EVIOCSCLOCKID, struct.pack("i", time.CLOCK_MONOTONIC))
        except BaseException:
            device.close()
            raise
        return device

    def _find_by_number(self, which: str) -> str | None:
        for path in sorted(self._evdev.list_devices()):
            try:
                if self._is_keyboard(path, which.lower()):
                    return str(path)
            except DEVICE_FAULTS:
                continue  # just unplugged, not ours to open, or odd: ours may come after it
        return None

    def _is_keyboard(self, path: str, numbers: str) -> bool:
        device = self._evdev.InputDevice(path)
        with quietly_closing(device):
            has_enter = ENTER in device.capabilities().get(_EV_KEY, ())
            is_it = numbers == f"{device.info.vendor:04x}:{device.info.product:04x}"
            return bool(has_enter and is_it)


_EVIOCSCLOCKID = 0x400445A0
"""_IOW('E', 0xa0, int), linux/input.h: which clock stamps this descriptor's events."""

_VENDOR_PRODUCT = re.compile(r"[0-9a-fA-F]{4}:[0-9a-fA-F]{4}")
_BY_ID_NAME = re.compile(r"[\w.,:+-]+")


class WedgeReader(ReaderThread):
    """A `CardReader` on one key device.

    `which`: a path (/dev/input/by-id/..., /dev/input/event3), a name in /dev/input/by-id, or
    vendor:product in hexadecimal digits as lsusb prints them. `layout` is a word of
    `hw.keymaps.LAYOUTS`, `keypad` says that people type PINs on it. Raises DeviceError for
    anything else. `devices` stands in for evdev in tests.
    """

    def __init__(
        self,
        name: str,
        which: str,
        clock: Clock = time.monotonic,
        *,
        ends: Iterable[int] = DEFAULT_ENDS,
        layout: str = "us",
        keypad: bool = False,
        devices: KeyDevices | None = None,
    ) -> None:
        _check_which(name, which)
        if layout not in LAYOUTS:
            raise DeviceError(
                f"The reader {name} can't type in the layout {layout!r}; "
                f"layouts are {', '.join(LAYOUTS)}."
            )
        decoder = WedgeDecoder(ends, layout=LAYOUTS[layout], keypad=keypad)
        super().__init__(name, clock, lambda: _Place(which, decoder, devices or EvdevDevices()))


class _Place:
    """Where the reader's key device is found."""

    def __init__(self, which: str, decoder: WedgeDecoder, devices: KeyDevices) -> None:
        self._which = which
        self._decoder = decoder
        self._devices = devices
        self.where = ""

    def open(self) -> _Keys | None:
        """The device, grabbed, or None while it is not there."""
        self.where = ""
        path = self._devices.find(self._which)
        if path is None:
            return None
        self.where = path
        return _Keys(_grabbed(self._devices.open(path)), self._decoder)


class _Keys:
    """The opened key device."""

    def __init__(self, device: KeyDevice, decoder: WedgeDecoder) -> None:
        self._device = device
        self._decoder = decoder

    def read_until(self, stop: Stop, heard: Heard) -> None:
        """What was begun is overwritten when nobody goes on, and when the device goes."""
        self._decoder.reset()
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._device.fileno(), selectors.EVENT_READ)
                selector.register(stop.fileno(), selectors.EVENT_READ)
                while not stop.is_set:
                    if selector.select(ENTRY_GAP_S):
                        self._take_events(heard)
                    else:
                        self._decoder.give_up()
        finally:
            self._decoder.reset()

    def close(self) -> None:
        """Let go."""
        self._device.close()

    def _take_events(self, heard: Heard) -> None:
        try:
            for event in self._device.read():
                self._take(event, heard)
        except BlockingIOError:
            pass  # woken by `close`

    def _take(self, event: Any, heard: Heard) -> None:
        if event.type == _EV_SYN and event.code == _SYN_DROPPED:
            self._decoder.spoil()
        if event.type != _EV_KEY:
            return
        read = self._decoder.key(event.code, event.value, event.timestamp())
        if read is not None:
            heard(read)


def _grabbed(device: KeyDevice) -> KeyDevice:
    try:
        device.grab()
    except BaseException:
        device.close()
        raise
    return device


def _check_which(name: str, which: str) -> None:
    is_path = which.startswith("/dev/") and "\0" not in which and ".." not in which
    if not (is_path or _VENDOR_PRODUCT.fullmatch(which) or _BY_ID_NAME.fullmatch(which)):
        raise DeviceError(
            f"The reader {name} is not found by {which!r}; write a path below /dev/input, a name "
            "in /dev/input/by-id, or vendor:product as lsusb prints it."
        )
