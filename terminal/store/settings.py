"""What an operator has set for this door and a restart must not lift: a lockdown, free passage.

What changes with this file: what the door begins with after a start.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from terminal.core.values import Moment
from terminal.errors import StoreFailed
from terminal.schema import Database
from terminal.store.written import text_of


@dataclass(frozen=True, slots=True)
class FreePassage:
    """The schedule by which the door is open to everyone, perhaps only once somebody has come."""

    schedule: str
    first_person: bool


class Settings:
    """The table of settings in an open identity database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lockdown(self) -> bool:
        """Whether the door is locked down; what can't be read counts as a lockdown."""
        try:
            return self._value("lockdown") not in (None, False)
        except StoreFailed:
            return True

    def set_lockdown(self, on: bool, at: Moment) -> None:
        """Write whether the door is locked down."""
        self._put("lockdown", on, at)

    def free_passage(self) -> FreePassage | None:
        """When the door is open to everyone; None for never. Raises StoreFailed."""
        value = self._value("free_passage")
        if value is None:
            return None
        try:
            return FreePassage(str(value["schedule"]), value["first_person"] is True)
        except (KeyError, TypeError) as error:
            raise StoreFailed("The free passage can't be read; set it anew.") from error

    def set_free_passage(self, schedule: str | None, first_person: bool, at: Moment) -> None:
        """Write by which schedule the door is open to everyone; None for never."""
        if schedule is None:
            self._database.run("DELETE FROM setting WHERE name = 'free_passage'")
        else:
            value = {"schedule": schedule, "first_person": first_person}
            self._put("free_passage", value, at)

    def _value(self, name: str) -> Any:
        row = self._database.row("SELECT value FROM setting WHERE name = ?", name)
        try:
            return None if row is None else json.loads(row[0])
        except ValueError as error:
            raise StoreFailed(f"The setting {name} can't be read; set it anew.") from error

    def _put(self, name: str, value: object, at: Moment) -> None:
        self._database.run(
            "INSERT INTO setting (name, value, changed_utc) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value,"
            " changed_utc = excluded.changed_utc",
            *(name, json.dumps(value), text_of(at.utc)),
        )
