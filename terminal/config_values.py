"""What a value of the configuration may be: a number with bounds, a word of a list, a polygon.

Each kind says in words what it allows and reads a value of that kind, or refuses it. Nothing here
knows a key.

What changes with this file: `config_sections`, docs/configuration.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

E = TypeVar("E", bound=Enum)
Zone = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value: what is allowed, in words, and how it is read (ValueError if it isn't)."""

    allowed: str
    read: Callable[[object], Any]


def number(low: float, high: float) -> Kind:
    """A number from `low` to `high`, both included."""

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError
        if not low <= value <= high:
            raise ValueError
        return float(value)

    return Kind(f"a number from {low:g} to {high:g}", read)


def whole(low: int, high: int) -> Kind:
    """A whole number from `low` to `high`, both included."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError
        return value

    return Kind(f"a whole number from {low} to {high}", read)


def flag() -> Kind:
    """True or false."""

    def read(value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError
        return value

    return Kind("true or false", read)


def one_of(words: type[E]) -> Kind:
    """One of the words of an Enum."""

    def read(value: object) -> E:
        return words(value)

    return Kind(_listed(word.value for word in words), read)


def word(*words: str) -> Kind:
    """One of these words."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError
        return value

    return Kind(_listed(words), read)


def choice(*numbers: int) -> Kind:
    """One of these whole numbers."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value not in numbers:
            raise ValueError
        return value

    words = [str(each) for each in numbers]
    return Kind(f"{', '.join(words[:-1])} or {words[-1]}", read)


def maybe(kind: Kind) -> Kind:
    """A value of this kind, or false for none."""

    def read(value: object) -> Any:
        return None if value is False else kind.read(value)

    return Kind(f"{kind.allowed}, or false for none", read)


def text(pattern: str, allowed: str) -> Kind:
    """A text that fits the pattern whole."""

    def read(value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return Kind(allowed, read)


def folder() -> Kind:
    """The path of a folder."""

    def read(value: object) -> Path:
        if not isinstance(value, str) or not value or not value.isprintable():
            raise ValueError
        return Path(value)

    return Kind("the path of a folder", read)


def time_zone() -> Kind:
    """A time zone by its name in the IANA data base."""

    def read(value: object) -> ZoneInfo:
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_+/-]{1,64}", value):
            raise ValueError
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError from error

    return Kind('a time zone as "Asia/Shanghai" or "Europe/Berlin"', read)


def polygon() -> Kind:
    """Corners of an area, each [x, y] in 0..1."""

    def read(value: object) -> Zone:
        if not isinstance(value, list) or not 3 <= len(value) <= 20:
            raise ValueError
        corners = tuple(_corner(item) for item in value)
        if _area(corners) < SMALLEST_ZONE:
            raise ValueError
        return corners

    return Kind(
        f"3 to 20 corners [x, y], each from 0 to 1, around at least {SMALLEST_ZONE:.0%} of the"
        " picture",
        read,
    )


def pins() -> Kind:
    """A table from lines of the wiring table to pins; false for a line that is not wired."""

    def read(value: object) -> Mapping[str, int | None]:
        if not isinstance(value, dict):
            raise ValueError
        return MappingProxyType({name: _pin(bcm) for name, bcm in value.items()})

    return Kind("a table of lines, each with a BCM pin number, or false where not wired", read)


def names() -> Kind:
    """A list of lines of the wiring table."""

    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise ValueError
        return tuple(value)

    return Kind("a list of lines", read)


SMALLEST_ZONE = 0.01
"""The least share of the picture that a zone may have."""


def _corner(value: object) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError
    share = number(0.0, 1.0)
    return share.read(value[0]), share.read(value[1])


def _area(corners: Zone) -> float:
    """Area of a polygon (0..1), by Gauss's formula."""
    following = (*corners[1:], corners[0])
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(corners, following, strict=True))) / 2


def _pin(value: object) -> int | None:
    if value is False:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError
    return value


def _listed(words: Iterable[str]) -> str:
    quoted = [f'"{each}"' for each in words]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else quoted[0]


@dataclass(frozen=True, slots=True)
class Key:
    """What is said of one key: its kind of value, and what it is for."""

    kind: Kind
    says: str
