"""From the key events of a keyboard-wedge reader to whole reads. Pure: time comes with the events.

A read that is cut off, too long or holds a key that is no character is dropped whole: half a
number is another number. With a keypad two ideas of the same keys are kept side by side: the burst,
in which keys follow each other as only a reader types, and the entry, which a person types. The
ending key decides which it was: a burst of at least LEAST_BURST characters is a card or a pass,
1 to 9 digits at any pace are a PIN, and nothing else is anything. What changes with this file: the
wedge reader, and which cards a reader with a keypad can take.
"""

from __future__ import annotations

from collections.abc import Iterable

from hw.keymaps import (
    BACKSPACE,
    ENTER,
    KEYPAD_ENTER,
    LAYOUTS,
    SHIFTS,
    SILENT,
    TAB,
    Keymap,
)
from hw.ports import MAX_READ_BYTES, Read, ReadKind
from hw.typed_entry import MAX_DIGITS, TypedEntry

KEY_GAP_S = 0.1
"""Readers type a key every few ms; after a longer gap what was begun is another card's."""

LEAST_BURST = MAX_DIGITS + 1
"""With a keypad, fewer characters than this are no card: a fast hand types them as well."""

DEFAULT_ENDS = frozenset({ENTER, KEYPAD_ENTER, TAB})
"""Key codes that end a read."""

_KEY_UP, _KEY_DOWN = 0, 1


class WedgeDecoder:
    """Key events of one reader, in order, to whole reads.

    `ends` are the key codes that end a read, `layout` says which key is which character. With
    `keypad` people type on it as well: `#` ends an entry, `*` and Backspace clear it. Not
    thread-safe.
    """

    def __init__(
        self,
        ends: Iterable[int] = DEFAULT_ENDS,
        gap_s: float = KEY_GAP_S,
        layout: Keymap = LAYOUTS["us"],
        *,
        keypad: bool = False,
    ) -> None:
        self._ends = frozenset(ends)
        self._gap_s = gap_s
        self._layout = layout
        self._entry = TypedEntry() if keypad else None
        self._burst = bytearray()
        self._is_spoilt = False
        self._shifts: set[int] = set()
        self._last_s: float | None = None

    def key(self, code: int, value: int, mono_s: float) -> Read | None:
        """One key event: `value` 0 up, 1 down, 2 repeated. The read when it is complete.

        What comes back has 1..MAX_READ_BYTES bytes of ASCII, without the ending key.
        """
        if code in SHIFTS:
            self._note_shift(code, value)
        if value != _KEY_DOWN or code in SHIFTS or code in SILENT:
            return None
        self._forget_after_gap(mono_s)
        char = self._layout.get((code, bool(self._shifts)))
        if code in self._ends or (self._entry is not None and char == "#"):
            return self._finish(mono_s)
        self._press(code, char, mono_s)
        return None

    def reset(self) -> None:
        """Forget what was begun: the reader went away, or events were lost."""
        self._shifts.clear()
        self._last_s = None
        self.give_up()

    def spoil(self) -> None:
        """Events were lost: drop everything up to the next ending key, or gap."""
        self._shifts.clear()
        self._is_spoilt = True
        if self._entry is not None:
            self._entry.spoil()

    def give_up(self) -> None:
        """Nobody has typed for long: overwrite what was begun."""
        self._forget_burst()
        if self._entry is not None:
            self._entry.clear()

    def _note_shift(self, code: int, value: int) -> None:
        if value == _KEY_UP:
            self._shifts.discard(code)
        else:
            self._shifts.add(code)

    def _forget_after_gap(self, mono_s: float) -> None:
        """A clock that seems to step back counts as a gap as well."""
        if self._last_s is not None and not 0 <= mono_s - self._last_s <= self._gap_s:
            self._forget_burst()
        self._last_s = mono_s

    def _press(self, code: int, char: str | None, mono_s: float) -> None:
        if char is None or len(self._burst) >= MAX_READ_BYTES:
            self._is_spoilt = True
        else:
            self._burst += char.encode("ascii")
        if self._entry is not None:
            self._press_keypad(self._entry, code, char, mono_s)

    def _press_keypad(self, entry: TypedEntry, code: int, char: str | None, mono_s: float) -> None:
        if code == BACKSPACE or char == "*":
            entry.clear()
        else:
            entry.press(char or "", mono_s)

    def _finish(self, mono_s: float) -> Read | None:
        burst = None if self._is_spoilt or not self._burst else bytes(self._burst)
        self._forget_burst()
        if self._entry is None:
            return None if burst is None else Read(burst)
        typed = self._entry.end(mono_s)
        if burst is not None and len(burst) >= LEAST_BURST:
            return Read(burst)
        return None if typed is None else Read(typed, ReadKind.TYPED)

    def _forget_burst(self) -> None:
        self._burst[:] = bytes(len(self._burst))
        self._burst.clear()
        self._is_spoilt = False
