"""Card readers that pretend to be a keyboard: they type the card's number and press Enter.

The device is grabbed, so that nothing else on the machine sees what is typed. The keys become
bytes in `WedgeDecoder`, which is pure; the rest finds the device, reads it on a thread, and finds
it again after it was unplugged. Nothing that was read is ever logged, and a read that is cut off,
too long or holds a key that is no character is dropped whole: half a number is another number.
A card is the way in that always works: whatever a device or its library does, it is tried again.
This module alone imports evdev, when a reader is started. What changes with this file: nothing
but the readers that are plugged in.
"""

from __future__ import annotations

import fcntl
import importlib
import logging
import os
import re
import selectors
import struct
import threading
import time
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from hw.errors import DeviceError
from hw.ports import MAX_CARD_BYTES, Clock, OnRead, OnWorking

KEY_GAP_S = 0.1
"""Readers type a key every few ms; after a longer gap what was begun is another card's."""

RESCAN_S = 0.5
"""How often a reader that is not there is looked for."""

AFTER_FAULT_S = 2.0
"""After a device has gone while it was read, or failed as nobody foresaw (which is reported with
its traceback), it is tried again so late: a loose plug must not fill the log."""

DEVICE_FAULTS = (OSError, ValueError, LookupError, TypeError, AttributeError)
"""What a device that goes, or that says odd things about itself, raises through its library: a
name that is no UTF-8, a number that is none, a capability that is missing."""

_EV_SYN, _EV_KEY = 0, 1
_SYN_DROPPED = 3
_KEY_UP, _KEY_DOWN = 0, 1

ENTER, KEYPAD_ENTER, TAB = 28, 96, 15
_SHIFTS = frozenset({42, 54})
_SILENT = frozenset({29, 56, 58, 69, 97, 100})
"""Ctrl, Alt, the locks: they are pressed by some readers and stand for no character."""

DEFAULT_ENDS = frozenset({ENTER, KEYPAD_ENTER, TAB})
"""Key codes that end a read (linux/input-event-codes.h, as are all numbers here)."""

_PLAIN = {
    **dict(zip(range(2, 14), "1234567890-=", strict=True)),
    **dict(zip(range(16, 28), "qwertyuiop[]", strict=True)),
    **dict(zip(range(30, 42), "asdfghjkl;'`", strict=True)),
    **dict(zip(range(43, 54), "\\zxcvbnm,./", strict=True)),
    57: " ",
}
_SHIFTED = {
    **dict(zip(range(2, 14), "!@#$%^&*()_+", strict=True)),
    **dict(zip(range(16, 28), "QWERTYUIOP{}", strict=True)),
    **dict(zip(range(30, 42), 'ASDFGHJKL:"~', strict=True)),
    **dict(zip(range(43, 54), "|ZXCVBNM<>?", strict=True)),
    57: " ",
}
_KEYPAD = dict(zip((*range(71, 84), 55, 98, 117), "789-456+1230.*/=", strict=True))

CHARACTERS: Mapping[tuple[int, bool], str] = MappingProxyType(
    {(code, False): char for code, char in {**_PLAIN, **_KEYPAD}.items()}
    | {(code, True): char for code, char in {**_SHIFTED, **_KEYPAD}.items()}
)
"""(key code, shift held) -> character, US layout: the one in which readers type."""

_LOG = logging.getLogger(__name__)


class WedgeDecoder:
    """Key events of one reader, in order, to whole reads. Pure: time comes with the events.

    `ends` are the key codes that end a read. Not thread-safe.
    """

    def __init__(self, ends: Iterable[int] = DEFAULT_ENDS, gap_s: float = KEY_GAP_S) -> None:
        self._ends = frozenset(ends)
        self._gap_s = gap_s
        self._typed = bytearray()
        self._is_spoilt = False
        self._shifts: set[int] = set()
        self._last_s: float | None = None

    def key(self, code: int, value: int, mono_s: float) -> bytes | None:
        """One key event: `value` 0 up, 1 down, 2 repeated. The read when it is complete.

        What comes back has 1..MAX_CARD_BYTES bytes of ASCII, without the ending key.
        """
        if code in _SHIFTS:
            self._note_shift(code, value)
        if value != _KEY_DOWN or code in _SHIFTS or code in _SILENT:
            return None
        self._forget_after_gap(mono_s)
        if code in self._ends:
            return self._finish()
        self._type(code)
        return None

    def reset(self) -> None:
        """Forget what was begun: the reader went away, or events were lost."""
        self._shifts.clear()
        self._last_s = None
        self._forget()

    def spoil(self) -> None:
        """Events were lost: drop everything up to the next ending key, or gap."""
        self._shifts.clear()
        self._is_spoilt = True

    def _note_shift(self, code: int, value: int) -> None:
        if value == _KEY_UP:
            self._shifts.discard(code)
        else:
            self._shifts.add(code)

    def _forget_after_gap(self, mono_s: float) -> None:
        """A clock that seems to step back counts as a gap as well."""
        if self._last_s is not None and not 0 <= mono_s - self._last_s <= self._gap_s:
            self._forget()
        self._last_s = mono_s

    def _type(self, code: int) -> None:
        char = CHARACTERS.get((code, bool(self._shifts)))
        if char is None or len(self._typed) >= MAX_CARD_BYTES:
            self._is_spoilt = True
        else:
            self._typed += char.encode("ascii")

    def _finish(self) -> bytes | None:
        whole = None if self._is_spoilt or not self._typed else bytes(self._typed)
        self._forget()
        return whole

    def _forget(self) -> None:
        self._typed[:] = bytes(len(self._typed))
        self._typed.clear()
        self._is_spoilt = False


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
        with _closing(device):
            has_enter = ENTER in device.capabilities().get(_EV_KEY, ())
            is_it = numbers == f"{device.info.vendor:04x}:{device.info.product:04x}"
            return bool(has_enter and is_it)


_EVIOCSCLOCKID = 0x400445A0
"""_IOW('E', 0xa0, int), linux/input.h: which clock stamps this descriptor's events."""

_VENDOR_PRODUCT = re.compile(r"[0-9a-fA-F]{4}:[0-9a-fA-F]{4}")
_BY_ID_NAME = re.compile(r"[\w.,:+-]+")


class WedgeReader:
    """A `CardReader` on one key device.

    `which`: a path (/dev/input/by-id/..., /dev/input/event3), a name in /dev/input/by-id, or
    vendor:product in hexadecimal digits as lsusb prints them. Raises DeviceError for anything
    else. `devices` stands in for evdev in tests.
    """

    def __init__(
        self,
        name: str,
        which: str,
        clock: Clock = time.monotonic,
        *,
        ends: Iterable[int] = DEFAULT_ENDS,
        devices: KeyDevices | None = None,
    ) -> None:
        _check_which(name, which)
        self._name = name
        self._which = which
        self._clock = clock
        self._devices = devices
        self._decoder = WedgeDecoder(ends)
        self._thread: threading.Thread | None = None
        self._wake_end, self._wait_end = -1, -1
        self._is_closing = threading.Event()
        self._warned = ""
        self._told: bool | None = None

    @property
    def name(self) -> str:
        """The reader's name in the configuration."""
        return self._name

    def start(self, on_read: OnRead, on_working: OnWorking) -> None:
        """As the port says; both are called on the reader's thread. Raises DeviceError."""
        if self._thread is not None or self._is_closing.is_set():
            raise DeviceError(f"The reader {self._name} is already started or closed.")
        devices = self._devices or EvdevDevices()
        self._wait_end, self._wake_end = os.pipe()
        self._begin(devices, on_read, on_working)

    def _begin(self, devices: KeyDevices, on_read: OnRead, on_working: OnWorking) -> None:
        self._thread = threading.Thread(
            target=self._run,
            args=(devices, on_read, on_working),
            name=f"reader {self._name}",
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        """Stop reading and let the device go. May be called twice."""
        if self._is_closing.is_set():
            return
        self._is_closing.set()
        if self._thread is not None:
            os.write(self._wake_end, b"\0")
            self._thread.join(timeout=2.0)
            self._close_pipe(self._thread.is_alive())

    def _close_pipe(self, is_in_use: bool) -> None:
        """A thread that hangs in the kernel keeps its end; the number must not be given anew."""
        os.close(self._wake_end)
        if not is_in_use:
            os.close(self._wait_end)

    def _run(self, devices: KeyDevices, on_read: OnRead, on_working: OnWorking) -> None:
        """After what nobody foresaw the way in is out, and says so; another thread takes over."""
        try:
            self._serve(devices, on_read, on_working)
        finally:
            self._tell(on_working, False)
            if not self._is_closing.wait(AFTER_FAULT_S):
                self._begin(devices, on_read, on_working)

    def _serve(self, devices: KeyDevices, on_read: OnRead, on_working: OnWorking) -> None:
        while not self._is_closing.is_set():
            device = self._wait_for(devices, on_working)
            if device is None:
                return
            self._tell(on_working, True)
            with _closing(device):
                self._try_to_read(device, on_read)
            self._tell(on_working, False)
            self._is_closing.wait(AFTER_FAULT_S)

    def _tell(self, on_working: OnWorking, is_working: bool) -> None:
        """Each change once; nothing after `close`."""
        if self._told is not is_working and not self._is_closing.is_set():
            self._told = is_working
            on_working(is_working)

    def _wait_for(self, devices: KeyDevices, on_working: OnWorking) -> KeyDevice | None:
        """The device as soon as it opens, None when closing; says once that it is not there."""
        device = self._try_open(devices)
        if device is None:
            self._tell(on_working, False)
        while device is None and not self._is_closing.wait(RESCAN_S):
            device = self._try_open(devices)
        return device

    def _try_open(self, devices: KeyDevices) -> KeyDevice | None:
        path = None
        try:
            path = devices.find(self._which)
            return None if path is None else _grabbed(devices.open(path))
        except DEVICE_FAULTS as error:
            at = f" at {path}" if path else ""
            self._warn_once(f"The reader {self._name}{at} does not open: {_words(error)}")
            return None

    def _try_to_read(self, device: KeyDevice, on_read: OnRead) -> None:
        try:
            self._read_until_gone(device, on_read)
        except DEVICE_FAULTS as error:
            self._warn_once(f"The reader {self._name} has gone: {_words(error)}")

    def _warn_once(self, sentence: str) -> None:
        """It is tried twice a second; the journal hears of it when it changes."""
        if sentence != self._warned:
            self._warned = sentence
            _LOG.warning("%s", sentence)

    def _read_until_gone(self, device: KeyDevice, on_read: OnRead) -> None:
        self._decoder.reset()
        with selectors.DefaultSelector() as selector:
            selector.register(device.fileno(), selectors.EVENT_READ)
            selector.register(self._wait_end, selectors.EVENT_READ)
            while not self._is_closing.is_set():
                selector.select()
                self._take_events(device, on_read)

    def _take_events(self, device: KeyDevice, on_read: OnRead) -> None:
        try:
            for event in device.read():
                self._take(event, on_read)
        except BlockingIOError:
            pass  # woken by `close`

    def _take(self, event: Any, on_read: OnRead) -> None:
        if event.type == _EV_SYN and event.code == _SYN_DROPPED:
            self._decoder.spoil()
        if event.type != _EV_KEY:
            return
        read = self._decoder.key(event.code, event.value, event.timestamp())
        if read is not None:
            on_read(read, self._clock())


class _closing:  # noqa: N801 - reads as a statement
    """`contextlib.closing` for a device that may already be gone."""

    def __init__(self, device: KeyDevice) -> None:
        self._device = device

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        try:
            self._device.close()
        except DEVICE_FAULTS as error:
            _LOG.debug("Closing a key device: %s", _words(error))


def _grabbed(device: KeyDevice) -> KeyDevice:
    try:
        device.grab()
    except BaseException:
        device.close()
        raise
    return device


def _words(error: Exception) -> str:
    """What the kernel said; of anything else only its kind, since a key may stand in its text."""
    return str(error) if isinstance(error, OSError) else type(error).__name__


def _check_which(name: str, which: str) -> None:
    is_path = which.startswith("/dev/") and "\0" not in which and ".." not in which
    if not (is_path or _VENDOR_PRODUCT.fullmatch(which) or _BY_ID_NAME.fullmatch(which)):
        raise DeviceError(
            f"The reader {name} is not found by {which!r}; write a path below /dev/input, a name "
            "in /dev/input/by-id, or vendor:product as lsusb prints it."
        )
