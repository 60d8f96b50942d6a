"""The digits that somebody typed, from the keypad until they are checked: one entry at a time.

They lie in locked memory and are overwritten as soon as they were checked, when another entry
comes, and when nobody asked for them by the end of a turn of the loop. No event, message or log has
a place for them.

What is not promised: the copies that the reader's library and the interpreter of this language made
on the way (a `bytes` can't be overwritten).

What changes with this file: `interpret` (which fills it), `perform` (which has it checked).
"""

from __future__ import annotations

from terminal.memory import LockedBuffer

MAX_DIGITS = 9
"""A PIN of eight digits, and one more that says that it is typed under duress."""


class PinPad:
    """What was typed last; one thread, the loop's."""

    def __init__(self) -> None:
        self._memory = LockedBuffer(MAX_DIGITS)
        self._length = 0

    def take(self, typed: bytes) -> bool:
        """Keep these digits in place of any before; False for what can be no PIN."""
        self.wipe()
        if not (0 < len(typed) <= MAX_DIGITS and typed.isdigit()):
            return False
        self._memory.view[: len(typed)] = typed
        self._length = len(typed)
        return True

    @property
    def digits(self) -> memoryview:
        """The digits (ASCII), nothing when there are none: a view, gone with `wipe`."""
        return self._memory.view[: self._length]

    def wipe(self) -> None:
        """Overwrite them."""
        if self._length:
            self._memory.wipe()
            self._length = 0

    def close(self) -> None:
        """Overwrite them, for good."""
        self._length = 0
        self._memory.close()
