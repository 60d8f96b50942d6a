"""What may stand in an argument: each function takes its text or says in a sentence what it takes.

The bounds are those of `requests`, so that misuse is told here, with status 2, before anybody is
asked. The door checks them again. No message repeats a text: it may be longer than a screen, and a
screen obeys what it is sent.

What changes with this file: `requests`.
"""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path

_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONGEST_NAME, _LONGEST_LABEL = 200, 40


def text(most: int) -> Callable[[str], str]:
    """A text of 1 to `most` characters, all of them to be seen."""

    def check(typed: str) -> str:
        if not 1 <= len(typed) <= most:
            raise ArgumentTypeError(f"is not 1 to {most} characters")
        if _HIDDEN.search(typed):
            raise ArgumentTypeError("holds a character that can't be seen")
        return typed

    return check


name = text(_LONGEST_NAME)
reason = text(_LONGEST_NAME)
label = text(_LONGEST_LABEL)


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number within these."""

    def check(typed: str) -> int:
        if not re.fullmatch(r"[0-9]{1,15}", typed, re.ASCII) or not least <= int(typed) <= most:
            raise ArgumentTypeError(f"is no whole number from {least} to {most}")
        return int(typed)

    return check


def seconds(typed: str) -> float:
    """How long something is held, in seconds."""
    return _bounded(typed, 1, 86_400)


def count(typed: str) -> int:
    """How many records of the log."""
    return int(_bounded(typed, 0, 10_000))


def _bounded(typed: str, least: float, most: float) -> float:
    try:
        number = float(typed)
    except ValueError:
        raise ArgumentTypeError("is no number") from None
    if not least <= number <= most:
        raise ArgumentTypeError(f"is not within {least:g} to {most:g}")
    return number


def pass_number(typed: str) -> str:
    """The number of a pass, as the list shows it."""
    return _hex(typed, 16, "is no number of a pass: that has 16 hex digits")


def card(typed: str) -> str:
    """A card, as the list shows it: never the number that stands on it."""
    return _hex(typed, 8, "is no card of the list: that is 8 hex digits, not the card's number")


def _hex(typed: str, digits: int, otherwise: str) -> str:
    plain = typed.lower()
    if not re.fullmatch(rf"[0-9a-f]{{{digits}}}", plain):
        raise ArgumentTypeError(otherwise)
    return plain


def path(typed: str) -> Path:
    """A file or a folder."""
    if not typed or "\0" in typed:
        raise ArgumentTypeError("is no path")
    return Path(typed)
