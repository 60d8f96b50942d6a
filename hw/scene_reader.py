"""Reads the tables of a scene's TOML file strictly, and says in one sentence what is wrong.

What changes with this file: `hw/scenes.py` and `hw/held_codes.py`, which read with it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from hw.errors import DeviceError


class SceneError(DeviceError):
    """A scene can't be used; the text is one sentence: which file, which key, what it must be."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: the one that may have been meant, or nothing."""
    close = difflib.get_close_matches(word, tuple(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


class TableReader:
    """One TOML table: hands out checked values and knows how to name what is wrong with it."""

    def __init__(self, table: Mapping[str, object], source: str, place: str = "") -> None:
        self._table = table
        self._source = source
        self._place = place
        self._asked: set[str] = set()

    def rename(self, place: str) -> None:
        """Call this table something that its writer will recognise."""
        self._place = place

    def error(self, key: str, fault: str) -> SceneError:
        """What is wrong with this key of this table."""
        where = f"{self._place}, {key}" if self._place else key
        return SceneError(f"{self._source}: {where}: {fault}.")

    def has(self, key: str) -> bool:
        """Whether the table holds this key."""
        return key in self._table

    def finish(self) -> None:
        """Raises SceneError when the table holds a key that nobody asked for."""
        for key in self._table:
            if key not in self._asked:
                raise self.error(key, "no such key" + nearest(key, self._asked))

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number within bounds. Raises SceneError, as everything here does."""
        return self._checked(key, self._value(key, default), low, high)

    def whole(self, key: str, low: int, high: int) -> int:
        """A whole number within bounds."""
        value = self._value(key, None)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, "must be a whole number")
        return int(self._checked(key, value, low, high))

    def triple(
        self, key: str, low: float, high: float, default: tuple[float, float, float]
    ) -> tuple[float, float, float]:
        """Three numbers within bounds: red, green, blue."""
        value = self._value(key, default)
        if not isinstance(value, list | tuple) or len(value) != 3:
            raise self.error(key, "must be three numbers: red, green, blue")
        red, green, blue = (self._checked(key, part, low, high) for part in value)
        return red, green, blue

    def text(self, key: str) -> str:
        """A text that is not empty."""
        value = self._value(key, None)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, "must be a text")
        return value

    def word(self, key: str) -> str:
        """A key of small letters, digits and _: it becomes part of a file's path."""
        value = self.text(key)
        if not re.fullmatch("[a-z0-9_]{1,64}", value):
            raise self.error(key, f"is {value!r}; small letters, digits and _ are allowed")
        return value

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One of these words."""
        value = self._value(key, default)
        if not isinstance(value, str) or value not in allowed:
            raise self.error(key, f"is {value!r}, which is not one of {', '.join(allowed)}")
        return value

    def children(self, key: str, word: str) -> Iterable[TableReader]:
        """Readers for a list of tables; each is called `word` and its number until renamed."""
        value = self._value(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(key, "must be a list of tables")
        prefix = f"{self._place}, " if self._place else ""
        return [
            TableReader(item, self._source, f"{prefix}{word} {number}")
            for number, item in enumerate(value, 1)
        ]

    def _value(self, key: str, default: object) -> object:
        self._asked.add(key)
        if key in self._table:
            return self._table[key]
        if default is None:
            raise self.error(key, "is missing")
        return default

    def _checked(self, key: str, value: object, low: float, high: float) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.error(key, "must be a number")
        if not low <= value <= high:  # also refuses nan, which no comparison holds for
            raise self.error(key, f"is {value}, which is not between {low} and {high}")
        return float(value)


def next_time(reader: TableReader, last_s: float | None, duration_s: float) -> float:
    """The `t_s` of a keyframe, which rises within a list and ends by `duration_s`."""
    t_s = reader.number("t_s", 0, duration_s)
    if last_s is not None and t_s <= last_s:
        raise reader.error("t_s", f"is {t_s}, which is not after the one before ({last_s})")
    return t_s
