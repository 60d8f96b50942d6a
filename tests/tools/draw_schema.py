"""Draws docs/schema.md from the databases as the code makes them, so that it can't differ.

Each of the three files is made anew in a temporary folder and read with sqlite-utils, as a
maintainer would read a copy of a real one: tables, columns, keys, triggers. `--check` compares only
and exits with 1 when the file is not what the code makes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import sqlite_utils
from sqlite_utils.db import Table

from terminal.schema import AUDIT, BIOMETRIC, IDENTITY, Schema, open_database

ROOT = Path(__file__).resolve().parents[2]
SCHEMA_FILE = ROOT / "docs" / "schema.md"

HEAD = """\
# What is stored

Three files in the state folder, readable by the door's account alone. One without the others tells
little (R16): `identity.db` knows names (sealed) and cards (keyed hashes), `biometric.db` knows
consents and templates (sealed) under random identifiers, `audit.db` knows what happened. Triggers
hold for whoever writes to a file, with whatever program (R01, R18).

This file is drawn by `python -m tests.tools.draw_schema`; do not edit it.
"""


def page() -> str:
    """The whole of docs/schema.md."""
    with tempfile.TemporaryDirectory() as folder:
        parts = [_file(Path(folder), schema) for schema in (IDENTITY, BIOMETRIC, AUDIT)]
    return "\n".join([HEAD, *parts])


def _file(folder: Path, schema: Schema) -> str:
    open_database(folder, schema).close()
    database = sqlite_utils.Database(folder / schema.file_name)
    try:
        tables = [database.table(name) for name in database.table_names()]
        drawn = "\n".join("\n".join(_table(table)) for table in tables)
    finally:
        database.close()
    return f"## {schema.file_name}\n\n{drawn}"


def _table(table: Table) -> Iterator[str]:
    yield f"### {table.name}\n"
    yield "| column | type | | refers to |\n|---|---|---|---|"
    refers = {key.column: f"{key.other_table}.{key.other_column}" for key in table.foreign_keys}
    for column in table.columns:
        marks = ["key"] if column.is_pk else []
        marks += ["needed"] if column.notnull and not column.is_pk else []
        refers_to = refers.get(column.name, "")
        yield f"| {column.name} | {column.type} | {', '.join(marks)} | {refers_to} |"
    triggers = ", ".join(f"`{trigger.name}`" for trigger in table.triggers)
    yield f"\nTriggers: {triggers}.\n" if triggers else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or with --check compare; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only")
    if not parser.parse_args(arguments).check:
        SCHEMA_FILE.write_text(page(), encoding="utf-8")
        return 0
    if SCHEMA_FILE.exists() and SCHEMA_FILE.read_text(encoding="utf-8") == page():
        return 0
    print("docs/schema.md is not current: python -m tests.tools.draw_schema", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
