"""Which key is which character: the keyboard layouts in which readers and scanners type.

A reader that pretends to be a keyboard sends key numbers, not characters, and a QR scanner is
often set to the layout of the country it was sold in. Letters, digits and every character of
base45 (RFC 9285, which passes are written in) are there in every layout; whatever else a layout
has beyond ASCII stands for no character. All numbers are those of linux/input-event-codes.h.
It must never guess a layout: a wrong one makes another number of a card. What changes with this
file: the wedge readers, and `layout` in the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Keymap = Mapping[tuple[int, bool], str]
"""(key code, shift held) -> character of ASCII."""

ENTER, KEYPAD_ENTER, TAB, BACKSPACE = 28, 96, 15, 14

SHIFTS = frozenset({42, 54})
SILENT = frozenset({29, 56, 58, 69, 97, 100})
"""Ctrl, Alt, the locks: some readers press them, and they stand for no character."""

_ROWS = (range(2, 14), range(16, 28), range(30, 42), range(43, 54))
_KEYPAD = dict(zip((*range(71, 84), 55, 98, 117), "789-456+1230.*/=", strict=True))


def _keymap(plain: tuple[str, ...], shifted: tuple[str, ...], none: str = "") -> Keymap:
    """Four rows of keys from the digits down, without shift and with it.

    `none` stands where ASCII does not have the key's character, such as a letter with an accent.
    """
    keys: dict[tuple[int, bool], str] = {(57, False): " ", (57, True): " "}
    for is_shifted, rows in ((False, plain), (True, shifted)):
        keys |= {(code, is_shifted): char for code, char in _KEYPAD.items()}
        for codes, chars in zip(_ROWS, rows, strict=True):
            named = zip(codes, chars, strict=True)
            keys |= {(code, is_shifted): char for code, char in named if char != none}
    return MappingProxyType(keys)


LAYOUTS: Mapping[str, Keymap] = MappingProxyType(
    {
        "us": _keymap(
            ("1234567890-=", "qwertyuiop[]", "asdfghjkl;'`", "\\zxcvbnm,./"),
            ("!@#$%^&*()_+", "QWERTYUIOP{}", 'ASDFGHJKL:"~', "|ZXCVBNM<>?"),
        ),
        "de": _keymap(
            ("1234567890~~", "qwertzuiop~+", "asdfghjkl~~^", "#yxcvbnm,.-"),
            ('!"~$%&/()=?`', "QWERTZUIOP~*", "ASDFGHJKL~~~", "'YXCVBNM;:_"),
            none="~",
        ),
        "fr": _keymap(
            ("&~\"'(-~_~~)=", "azertyuiop^$", "qsdfghjklm~~", "*wxcvbn,;:!"),
            ("1234567890~+", "AZERTYUIOP~~", "QSDFGHJKLM%~", "~WXCVBN?./~"),
            none="~",
        ),
    }
)
"""Every layout by its word in the configuration; "us" is the one in which most readers type."""
