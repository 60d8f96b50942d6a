"""From the bytes of a serial line to whole reads. Pure: time comes with the bytes.

Two forms are in use. *Lines*: characters up to CR, LF or both, as QR scanners and most readers
send. *STX*: STX, ten hexadecimal digits, the XOR of the five bytes that they stand for as two
more, perhaps CR and LF, ETX (ID-12, RDM6300). A frame that is too long, broken off by a pause, or
fails its checksum is dropped whole and counted: half a number is another number. What changes with
this file: the serial readers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from operator import xor
from types import MappingProxyType
from typing import Protocol

from hw.ports import MAX_READ_BYTES, Read

IDLE_GAP_S = 0.5
"""A frame comes in one go; after a longer pause what was begun is given up."""

REPEAT_S = 1.0
"""Some STX readers send a card's frame again and again while it lies there; a frame that follows
its like within this time is the same presentation."""

_STX, _ETX, _CR, _LF = 0x02, 0x03, 0x0D, 0x0A
_DATA_DIGITS, _CHECK_DIGITS = 10, 2


class Framer(Protocol):
    """Bytes of one line, in order, to whole reads."""

    @property
    def dropped(self) -> int:
        """How many frames were dropped since the start."""
        ...

    def feed(self, data: bytes, mono_s: float) -> list[Read]:
        """The reads that `data`, which has just come, completes."""
        ...

    def give_up(self) -> None:
        """Overwrite what was begun."""
        ...


class _Buffer:
    """What has come of a frame, bounded; more than `longest` spoils it."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._bytes = bytearray()
        self.is_spoilt = False

    def add(self, byte: int) -> None:
        if len(self._bytes) >= self._longest:
            self.is_spoilt = True
        else:
            self._bytes.append(byte)

    def take(self) -> bytes | None:
        """What is in it, None when it was spoilt; empty and unspoilt afterwards."""
        whole = None if self.is_spoilt else bytes(self._bytes)
        self.forget()
        return whole

    def forget(self) -> None:
        self._bytes[:] = bytes(len(self._bytes))
        self._bytes.clear()
        self.is_spoilt = False

    @property
    def is_begun(self) -> bool:
        return bool(self._bytes) or self.is_spoilt


class LineFramer:
    """Plain lines. A line with a control character in it is noise."""

    def __init__(self) -> None:
        self._line = _Buffer(MAX_READ_BYTES)
        self._last_s: float | None = None
        self.dropped = 0

    def feed(self, data: bytes, mono_s: float) -> list[Read]:
        """As the Protocol says; an empty line is nothing."""
        if _is_gap(self._last_s, mono_s):
            self.give_up()
        self._last_s = mono_s
        return [read for byte in data if (read := self._byte(byte)) is not None]

    def give_up(self) -> None:
        """Overwrite what was begun."""
        self.dropped += self._line.is_begun
        self._line.forget()

    def _byte(self, byte: int) -> Read | None:
        if byte in (_CR, _LF):
            return self._finish()
        self._line.add(byte)
        if byte < 0x20 or byte == 0x7F:
            self._line.is_spoilt = True
        return None

    def _finish(self) -> Read | None:
        line = self._line.take()
        self.dropped += line is None
        return Read(line) if line else None


class StxFramer:
    """Frames between STX and ETX with a checksum. What stands between frames is noise."""

    def __init__(self) -> None:
        self._frame = _Buffer(_DATA_DIGITS + _CHECK_DIGITS)
        self._is_open = False
        self._last_s: float | None = None
        self._newest: tuple[bytes, float] | None = None
        self.dropped = 0

    def feed(self, data: bytes, mono_s: float) -> list[Read]:
        """As the Protocol says; a card that lies there is read once."""
        if _is_gap(self._last_s, mono_s):
            self.give_up()
        self._last_s = mono_s
        numbers = [number for byte in data if (number := self._byte(byte)) is not None]
        return [Read(number) for number in numbers if self._is_new(number, mono_s)]

    def give_up(self) -> None:
        """Overwrite what was begun."""
        self.dropped += self._is_open
        self._is_open = False
        self._frame.forget()

    def _byte(self, byte: int) -> bytes | None:
        if byte == _STX:
            self.give_up()
            self._is_open = True
        elif self._is_open and byte == _ETX:
            return self._finish()
        elif self._is_open and byte not in (_CR, _LF):
            self._frame.add(byte)
        return None

    def _finish(self) -> bytes | None:
        self._is_open = False
        frame = self._frame.take()
        number = None if frame is None else checked_number(frame)
        self.dropped += number is None
        return number

    def _is_new(self, number: bytes, mono_s: float) -> bool:
        before, self._newest = self._newest, (number, mono_s)
        return before is None or before[0] != number or not 0 <= mono_s - before[1] <= REPEAT_S


def checked_number(frame: bytes) -> bytes | None:
    """The ten digits of an STX frame's content, in capitals, if its checksum is right."""
    if len(frame) != _DATA_DIGITS + _CHECK_DIGITS or not frame.isalnum():
        return None
    try:
        *data, check = bytes.fromhex(frame.decode("ascii"))
    except ValueError:
        return None
    return frame[:_DATA_DIGITS].upper() if reduce(xor, data) == check else None


def _is_gap(last_s: float | None, mono_s: float) -> bool:
    """A clock that seems to step back counts as a gap as well."""
    return last_s is not None and not 0 <= mono_s - last_s <= IDLE_GAP_S


FRAMINGS: Mapping[str, Callable[[], Framer]] = MappingProxyType(
    {"lines": LineFramer, "stx": StxFramer}
)
"""Every form by its word in the configuration."""
