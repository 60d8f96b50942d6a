"""The configuration file as text, to say in which line something stands.

What changes with this file: the sentences of `config` and `config_checks`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from terminal.errors import ConfigError


class Source:
    """The file as text, to say in which line something stands."""

    def __init__(self, path: Path, content: str) -> None:
        self._path = path
        self._line_of = dict(_numbered(content))

    def error(self, keys: tuple[str, ...], sentence: str) -> ConfigError:
        """A sentence about this key, with the line of it, or of the table it should be in."""
        here = keys
        while here and here not in self._line_of:
            here = here[:-1]
        line = f", line {self._line_of[here]}" if here else ""
        return ConfigError(f"{self._path}{line}: {'.'.join(keys)} {sentence}")

    def refuse_unknown(
        self, table: Mapping[str, object], known: Iterable[str], at: tuple[str, ...]
    ) -> None:
        """Refuse the first key that is not known, with the nearest that is."""
        known = tuple(known)
        for name in table:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(known)}."
                raise self.error((*at, name), f"is not known; {hint}")


_TABLE = re.compile(r"""\s*\[\s*([\w."' -]+?)\s*\]\s*(?:#.*)?""")
_KEY = re.compile(r"""\s*([\w."' -]+?)\s*=""")


def _numbered(content: str) -> Iterable[tuple[tuple[str, ...], int]]:
    """Each table and key, with its line. For sentences only: tomllib does the reading."""
    table: tuple[str, ...] = ()
    for line, words in enumerate(content.split("\n"), start=1):
        if found := _TABLE.fullmatch(words):
            table = _keys(found[1])
            yield table, line
        elif found := _KEY.match(words):
            yield table + _keys(found[1]), line


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip(" \"'") for part in dotted.split("."))
