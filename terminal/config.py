"""The site's configuration: one TOML file, every key typed and bounded, its unit in its name.

Nothing is guessed. A key that is not known, a value that can't be, a combination that must not be:
the terminal refuses to start, in one sentence with the line and what would be right. A key that is
left out has the value of a new site. The keys stand in `config_sections`, what must hold between
them in `config_checks`.

What changes with this file: the composition root, and the files of every site.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from terminal.config_checks import check
from terminal.config_sections import (
    KEYS_OF_KIND,
    SECTIONS,
    Config,
    ReaderConfig,
    is_needed,
    keys_of,
)
from terminal.config_source import Source
from terminal.config_values import Key
from terminal.errors import ConfigError

MAX_BYTES = 64 * 1024
"""A larger file is no configuration."""

_READER_NAME = re.compile(r"[a-z][a-z0-9_-]{0,23}")


def load_config(path: Path) -> Config:
    """The configuration in this file. Raises ConfigError, one sentence."""
    return parse_config(_content(path), path)


def parse_config(content: str, path: Path) -> Config:
    """The configuration that `content` is; `path` is for the sentences. Raises ConfigError."""
    source = Source(path, content)
    try:
        found = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no TOML: {error}.") from error
    except RecursionError as error:
        raise ConfigError(f"{path} is nested too deeply.") from error
    source.refuse_unknown(found, (*SECTIONS, "readers"), ())
    sections = {
        name: _section(source, cls, found.get(name, {}), (name,)) for name, cls in SECTIONS.items()
    }
    config = Config(readers=_readers(source, found.get("readers", {})), **sections)
    check(source, config)
    return config


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"The configuration {path} can't be read: {error.strerror}.") from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"The configuration {path} is larger than {MAX_BYTES // 1024} KB.")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"The configuration {path} is not UTF-8 text; save it as such."
        ) from error


def _section(source: Source, cls: type[Any], table: object, at: tuple[str, ...]) -> Any:
    """One section, every key of it read."""
    if not isinstance(table, dict):
        raise source.error(at, f"is a section: write [{'.'.join(at)}] and its keys below.")
    keys = keys_of(cls)
    source.refuse_unknown(table, keys, at)
    for name, key in keys.items():
        if name not in table and is_needed(cls, name):
            raise source.error((*at, name), f"is needed: {key.kind.allowed}.")
    values = {name: _value(source, (*at, name), keys[name], table[name]) for name in table}
    return cls(**values)


def _value(source: Source, at: tuple[str, ...], key: Key, value: object) -> Any:
    try:
        return key.kind.read(value)
    except ValueError as error:
        raise source.error(at, f"must be {key.kind.allowed}.") from error


def _readers(source: Source, tables: object) -> Mapping[str, ReaderConfig]:
    if not isinstance(tables, dict):
        raise source.error(("readers",), "has a table for each reader: [readers.front].")
    for name in tables:
        if not _READER_NAME.fullmatch(name):
            raise source.error(
                ("readers", name), "is no name of a reader: small letters, digits, _ and -."
            )
    readers = {
        name: _section(source, ReaderConfig, table, ("readers", name))
        for name, table in tables.items()
    }
    for name, reader in readers.items():
        _refuse_keys_of_other_kinds(source, name, reader.kind, tables[name])
    return MappingProxyType(readers)


def _refuse_keys_of_other_kinds(source: Source, name: str, kind: str, keys: Iterable[str]) -> None:
    """Such a key is a mistake, even where it says what is so anyway."""
    for key in keys:
        if key not in {"kind", "side", *KEYS_OF_KIND[kind]}:
            raise source.error(("readers", name, key), f'is not for a reader of the kind "{kind}".')
