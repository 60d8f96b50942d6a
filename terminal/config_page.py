"""The configuration for reading: `docs/configuration.md` and the example that is installed.

Both are written from the sections of `terminal.config`, so what they say of a key is what the
terminal does with it: `python -m terminal.config_page --write` in a checkout. Never read by a
terminal that runs.

What changes with this file: those two.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any

from terminal.config_sections import KEYS_OF_KIND, SECTIONS, ReaderConfig, is_needed, keys_of
from terminal.config_values import Key

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "configuration.md"
EXAMPLE = Path(__file__).with_name("default.toml")

_EXAMPLE_VALUES = {("site", "name"): "North gate", ("site", "place"): "compound_gate"}
_EXAMPLE_READERS: Mapping[str, Mapping[str, Any]] = {
    "front": {"kind": "wedge", "device": "/dev/input/by-id/usb-first-reader-event-kbd"},
    "low": {"kind": "wedge", "device": "/dev/input/by-id/usb-second-reader-event-kbd"},
}

_PAGE_HEAD = """\
# Configuration

<!-- Generated from terminal/config.py: `python -m terminal.config_page --write` -->

One TOML file, `/etc/terminal/terminal.toml`; `terminal/default.toml` is an example with every key.
A key that is left out has its default. The terminal refuses to start, with the line and what would
be right, when a key is not known, a value is not allowed, or keys contradict each other.
`python -m terminal check --config FILE` says whether a file is good without starting anything.

Face recognition needs at least two card readers here (Art. 10, R03, D11), and can't be switched on
in a private place (Art. 13, R11). There is no key for an exception.
"""

_EXAMPLE_HEAD = """\
# The configuration of a terminal: copy it to /etc/terminal/terminal.toml and set what differs.
# Every key is here with its default; a key that is left out has the same. What each is for, too,
# stands in docs/configuration.md. Generated from terminal/config.py.
"""


def page() -> str:
    """The Markdown page: a table for each section."""
    sections = [_section_of_page(f"[{name}]", section) for name, section in SECTIONS.items()]
    return "\n".join([_PAGE_HEAD, *sections, _section_of_page("[readers.NAME]", ReaderConfig)])


def example() -> str:
    """The example file: every key with its default, and what is allowed."""
    return "\n".join([_EXAMPLE_HEAD, *_example_sections(), *_example_readers()])


def _section_of_page(title: str, section: type[Any]) -> str:
    rows = [
        f"| `{name}` | {_cell(key.says)} | {_cell(key.kind.allowed)} | {_default(section, name)} |"
        for name, key in keys_of(section).items()
    ]
    head = ["| key | what it is for | allowed | default |", "|---|---|---|---|"]
    return "\n".join([f"## `{title}`", "", _words(section), "", *head, *rows, ""])


def _default(section: type[Any], name: str) -> str:
    return "needed" if is_needed(section, name) else f"`{_toml(_values(section)[name])}`"


def _values(section: type[Any]) -> Mapping[str, Any]:
    """The values of a new site, those that are needed apart."""
    made = section(**{name: None for name in keys_of(section) if is_needed(section, name)})
    return {each.name: getattr(made, each.name) for each in fields(section)}


def _example_sections() -> Iterator[str]:
    for name, section in SECTIONS.items():
        yield _wrapped(_words(section))
        yield f"[{name}]"
        for key, said in keys_of(section).items():
            value = _EXAMPLE_VALUES.get((name, key), _values(section)[key])
            yield _example_key(key, said, value) if value is not None else _undecided(key, said)
        yield ""


def _example_readers() -> Iterator[str]:
    """The first one with every key of its kind, the others with what differs."""
    yield _wrapped(_words(ReaderConfig))
    for at, (name, values) in enumerate(_EXAMPLE_READERS.items()):
        yield f"[readers.{name}]"
        known = {"kind", "side", *KEYS_OF_KIND[values["kind"]]} if at == 0 else set(values)
        for key, said in keys_of(ReaderConfig).items():
            if key in known:
                yield _example_key(key, said, values.get(key, _values(ReaderConfig)[key]))
        yield ""


def _example_key(name: str, key: Key, value: Any) -> str:
    return f"{_wrapped(f'{key.says} Allowed: {key.kind.allowed}.')}\n{name} = {_toml(value)}"


def _undecided(name: str, key: Key) -> str:
    """A key that the site has to decide: the file is refused until somebody has."""
    return f"{_wrapped(f'{key.says} Allowed: {key.kind.allowed}. Decide it:')}\n# {name} ="


def _words(section: type[Any]) -> str:
    """What the section says of itself, on one line."""
    return " ".join(str(section.__doc__).split())


def _wrapped(words: str) -> str:
    return textwrap.fill(words, 96, initial_indent="# ", subsequent_indent="# ")


def _cell(words: str) -> str:
    return words.replace("|", "\\|")


def _toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool) or value is None:
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) and value >= 1e-3 else f"{value}"
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    if isinstance(value, Mapping):
        return "{}"
    words = str(value.value if isinstance(value, Enum) else value)
    return f'"{words}"'


def main(arguments: Sequence[str]) -> int:
    """Print the page, or write both files; 2 when misused."""
    if list(arguments) == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
        EXAMPLE.write_text(example(), encoding="utf-8")
        return 0
    if arguments:
        sys.stderr.write("usage: python -m terminal.config_page [--write]\n")
        return 2
    sys.stdout.write(page())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
