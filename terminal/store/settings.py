"""What an operator has switched on this door and what must outlive a restart: a closed list.

Lockdown, with the reason that was given, and free passage. One row each, typed here; what does not
read as it was written is StoreFailed, and whoever asked takes the safe side: locked down, and no
free passage.

Never here: what follows from a setting (the core). What changes with this file: the start of the
door, `terminalctl door`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from terminal.core.values import Moment
from terminal.errors import NotDone, StoreFailed
from terminal.schema import Database
from terminal.store.written import text_of, word

MOST_REASON = 200


@dataclass(frozen=True, slots=True)
class Lockdown:
    """Whether the door is locked down, and why it was (or why it was lifted)."""

    is_on: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FreePassage:
    """By which schedule the door stands open for everyone; None: by none.

    `first_person`: only once somebody has come in by a credential of that day.
    """

    schedule: str | None = None
    first_person: bool = True


class Settings:
    """The table of settings in an open identity database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lockdown(self) -> Lockdown:
        """Whether the door is locked down; it is not where nothing was ever written."""
        found = self._read("lockdown")
        if found is None:
            return Lockdown()
        match found:
            case {"state": "on" | "off" as state, "reason": str(reason), **more} if not more:
                return Lockdown(state == "on", reason)
        raise StoreFailed("Whether the door is locked down can't be read; say it anew.")

    def put_lockdown(self, lockdown: Lockdown, at: Moment) -> None:
        """Write it. Raises NotDone without a reason that can be read."""
        reason = word(lockdown.reason, "A reason", MOST_REASON)
        self._write("lockdown", {"state": "on" if lockdown.is_on else "off", "reason": reason}, at)

    def free_passage(self) -> FreePassage:
        """By what the door stands open for everyone; by nothing where it was never written."""
        found = self._read("free_passage")
        if found is None:
            return FreePassage()
        match found:
            case {"schedule": str() | None as schedule, "first_person": bool(first), **more} if (
                not more
            ):
                return FreePassage(schedule, first)
        raise StoreFailed("When the door stands open for everyone can't be read; say it anew.")

    def put_free_passage(self, passage: FreePassage, at: Moment) -> None:
        """Write it. Raises NotDone for an unknown schedule."""
        if passage.schedule is not None and not self._has_schedule(passage.schedule):
            raise NotDone(f"There is no schedule called {passage.schedule!r}.")
        value = {"schedule": passage.schedule, "first_person": passage.first_person}
        self._write("free_passage", value, at)

    # Within

    def _has_schedule(self, name: str) -> bool:
        return self._database.row("SELECT 1 FROM schedule WHERE name = ?", name) is not None

    def _read(self, name: str) -> Any:
        row = self._database.row("SELECT value FROM setting WHERE name = ?", name)
        if row is None:
            return None
        try:
            return json.loads(row[0]) or False  # JSON's null is not "never written"
        except (ValueError, RecursionError) as error:
            raise StoreFailed(f"The setting {name} can't be read; say it anew.") from error

    def _write(self, name: str, value: dict[str, str | bool | None], at: Moment) -> None:
        self._database.run(
            "INSERT INTO setting (name, value, changed_utc) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value,"
            " changed_utc = excluded.changed_utc",
            *(name, json.dumps(value, ensure_ascii=False), text_of(at.utc)),
        )
