"""A key device for tests: a pipe that becomes readable, and the events that were typed."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hw.keymaps import ENTER, LAYOUTS

SYN, EV_KEY = 0, 1
SYN_DROPPED = 3
DOWN, UP = 1, 0
LEFT_SHIFT = 42
KEY_OF = {char: key for key, char in LAYOUTS["us"].items() if key[0] <= 57}


@dataclass(frozen=True)
class KeyEvent:
    """What evdev's InputEvent says."""

    type: int
    code: int
    value: int
    mono_s: float

    def timestamp(self) -> float:
        return self.mono_s


def typed(
    text: str,
    begun_s: float = 0.0,
    end: int | None = ENTER,
    each_s: float = 0.005,
    layout: str = "us",
) -> list[KeyEvent]:
    """The events of a reader, or a hand, that types `text` and then `end`."""
    events = [event for char in text for event in _strokes(char, layout)]
    if end is not None:
        events += [(end, DOWN), (end, UP)]
    return [
        KeyEvent(EV_KEY, code, value, begun_s + at * each_s)
        for at, (code, value) in enumerate(events)
    ]


def _strokes(char: str, layout: str) -> list[tuple[int, int]]:
    keymap = LAYOUTS[layout]
    code, is_shifted = min(
        (key for key in keymap if keymap[key] == char), key=lambda key: (key[0] > 54, key)
    )
    if is_shifted and keymap.get((code, False)) != char:
        return [(LEFT_SHIFT, DOWN), (code, DOWN), (code, UP), (LEFT_SHIFT, UP)]
    return [(code, DOWN), (code, UP)]


class FakeKeys:
    """One device: `give` makes it readable, `pull` makes every call into it fail."""

    def __init__(self) -> None:
        self._readable, self._writable = os.pipe2(os.O_NONBLOCK)
        self._waiting: list[KeyEvent] = []
        self._lock = threading.Lock()
        self._is_pulled = False
        self.is_grabbed = False
        self.grab_fails = False
        self.is_closed = False

    def fileno(self) -> int:
        return self._readable

    def grab(self) -> None:
        if self.grab_fails:
            raise OSError(errno.EBUSY, "Device or resource busy")
        self.is_grabbed = True

    def read(self) -> Iterator[KeyEvent]:
        with self._lock:
            if self._is_pulled:
                raise OSError(errno.ENODEV, "No such device")
            if not self._waiting:
                raise BlockingIOError
            os.read(self._readable, 4096)
            events, self._waiting = self._waiting, []
        yield from events

    def give(self, events: Iterable[KeyEvent]) -> None:
        with self._lock:
            self._waiting += events
            os.write(self._writable, b"\0")

    def pull(self) -> None:
        with self._lock:
            self._is_pulled = True
            os.write(self._writable, b"\0")

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            os.close(self._readable)
            os.close(self._writable)


class FakeKeyDevices:
    """The place where devices are found: at most one is plugged in at a time."""

    def __init__(self) -> None:
        self.plugged: FakeKeys | None = None
        self.asked_for: set[str] = set()
        self.looks = 0

    def find(self, which: str) -> str | None:
        self.asked_for.add(which)
        self.looks += 1
        return None if self.plugged is None else "/dev/input/event7"

    def open(self, path: str) -> FakeKeys:
        if self.plugged is None:
            raise OSError(errno.ENODEV, "No such device")
        return self.plugged
