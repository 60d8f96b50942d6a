"""What a person types on a keypad, digit by digit, until it is whole: a PIN.

Pure: time comes with the keys. A person takes seconds, a reader milliseconds, so a pause ends
nothing before ENTRY_GAP_S. An entry that is too long, or in which something else was pressed, is
dropped whole up to its end or its clearing: half a PIN is another PIN. It must never keep a digit
longer than it has to: they lie in one buffer, which is overwritten when the entry ends, is cleared
or is given up. What changes with this file: the wedge keypad and the Wiegand keypad.
"""

from __future__ import annotations

ENTRY_GAP_S = 5.0
"""So long a person may look for the next key."""

MAX_DIGITS = 9
"""A longer entry is no PIN; ten digits and more are a card's number."""


class TypedEntry:
    """One keypad's entry. Not thread-safe."""

    def __init__(self) -> None:
        self._digits = bytearray()
        self._is_spoilt = False
        self._last_s: float | None = None

    @property
    def is_begun(self) -> bool:
        """Whether anything was typed that is not yet ended."""
        return bool(self._digits) or self._is_spoilt

    def press(self, char: str, mono_s: float) -> None:
        """One key: a digit of ASCII is taken, anything else spoils the entry."""
        self._forget_after_gap(mono_s)
        if len(char) == 1 and char in "0123456789" and len(self._digits) < MAX_DIGITS:
            self._digits += char.encode("ascii")
        else:
            self._is_spoilt = True

    def spoil(self) -> None:
        """Keys were lost: drop the entry whole, when it ends."""
        self._is_spoilt = True

    def end(self, mono_s: float) -> bytes | None:
        """The ending key: 1..MAX_DIGITS digits, or None; what was typed is overwritten."""
        self._forget_after_gap(mono_s)
        whole = None if self._is_spoilt or not self._digits else bytes(self._digits)
        self.clear()
        return whole

    def clear(self) -> None:
        """The clearing key, or nobody goes on: overwrite what was typed."""
        self._digits[:] = bytes(len(self._digits))
        self._digits.clear()
        self._is_spoilt = False
        self._last_s = None

    def _forget_after_gap(self, mono_s: float) -> None:
        """A clock that seems to step back counts as a gap as well."""
        if self._last_s is not None and not 0 <= mono_s - self._last_s <= ENTRY_GAP_S:
            self.clear()
        self._last_s = mono_s
