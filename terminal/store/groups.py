"""Groups of holders, the weekly schedules they go by, and the holidays of the site.

What a decision needs of a group is put together once, with its schedule and every holiday in it,
and kept in memory until any of them changes. A group or a schedule that does not read as it was
written is StoreFailed for whoever is in it, and for nobody else: what is broken opens nothing, and
keeps out no more people than it has to.

Never here: whether a schedule is open now (`terminal.core.timetable`). What changes with this file:
`terminal.store.holders`, import and export, docs/schema.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from terminal.core.values import EVERYONE, Group, Passback, Rule, Schedule
from terminal.errors import NotDone, StoreFailed
from terminal.schema import Database, Row
from terminal.store.weeks import day_of, day_text, week_of, week_text
from terminal.store.written import word

MOST_HOLIDAYS = 1000
MOST_PASSBACK_S = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """A group as an operator writes it: like `Group`, with its schedule by name.

    `passback_s` (seconds, at most a week) is for TIMED, and 0 for every other kind.
    """

    name: str
    rule: Rule = Rule.ANY
    schedule: str | None = None
    passback: Passback = Passback.OFF
    passback_s: float = 0.0
    passes_lockdown: bool = False


class Groups:
    """Groups, schedules and holidays in an open identity database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._resolved: dict[str, Group] = {}

    # Groups

    def put(self, facts: GroupFacts) -> None:
        """Write a group, in place of one of that name.

        Raises NotDone for a name that can't be one, an unknown schedule, or a time that does not
        go with the kind of anti-passback.
        """
        name = word(facts.name, "The name of a group")
        if name == EVERYONE.name:
            raise NotDone(f"{name!r} is whoever is in no group; give this one another name.")
        self._check(facts)
        self._resolved.clear()
        self._database.run(
            "INSERT INTO holder_group (name, rule, schedule, passback, passback_s, passes_lockdown)"
            " VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET rule = excluded.rule, schedule = excluded.schedule,"
            " passback = excluded.passback, passback_s = excluded.passback_s,"
            " passes_lockdown = excluded.passes_lockdown",
            *(name, facts.rule.value, facts.schedule, facts.passback.value),
            *(facts.passback_s, facts.passes_lockdown),
        )

    def all(self) -> list[GroupFacts]:
        """Every group by name; without EVERYONE, who is in none."""
        rows = self._database.rows(
            "SELECT name, rule, schedule, passback, passback_s, passes_lockdown FROM holder_group"
            " ORDER BY name"
        )
        return [_facts(row) for row in rows]

    def remove(self, name: str) -> None:
        """Remove a group. Raises NotDone when there is none, or anyone is in it."""
        row = self._database.row("SELECT count(*) FROM person WHERE group_name = ?", name)
        if row is not None and row[0]:
            raise NotDone(f"There are people in the group {name!r} (so many: {row[0]}).")
        self._resolved.clear()
        if not self._database.run("DELETE FROM holder_group WHERE name = ?", name):
            raise NotDone(f"There is no group called {name!r}.")

    def resolved(self, name: str | None) -> Group:
        """The group with its schedule and all holidays; EVERYONE for None.

        Raises StoreFailed when it is not there, or can't be read.
        """
        if name is None:
            return EVERYONE
        found = self._resolved.get(name)
        if found is None:
            found = self._resolved[name] = self._resolve(name)
        return found

    def forget_resolved(self) -> None:
        """Put groups together anew from the file: for when a change was taken back."""
        self._resolved.clear()

    # Schedules

    def put_schedule(self, schedule: Schedule) -> None:
        """Write a schedule, in place of one of that name; its holidays are those of the site.

        Raises NotDone for a name or parts of a day that can't be.
        """
        name = word(schedule.name, "The name of a schedule")
        week = week_text(schedule.week)
        special = None if schedule.on_holidays is None else day_text(schedule.on_holidays)
        self._resolved.clear()
        self._database.run(
            "INSERT INTO schedule (name, week, on_holidays) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET week = excluded.week,"
            " on_holidays = excluded.on_holidays",
            *(name, week, special),
        )

    def schedules(self) -> list[Schedule]:
        """Every schedule by name, with all holidays in it. Raises StoreFailed if one is broken."""
        rows = self._database.rows("SELECT name, week, on_holidays FROM schedule ORDER BY name")
        holidays = self._holidays()
        return [_schedule(row, holidays) for row in rows]

    def schedule(self, name: str) -> Schedule | None:
        """The schedule of this name, with all holidays in it, or None."""
        row = self._database.row(
            "SELECT name, week, on_holidays FROM schedule WHERE name = ?", name
        )
        return None if row is None else _schedule(row, self._holidays())

    def remove_schedule(self, name: str) -> None:
        """Remove a schedule. Raises NotDone when there is none, or something goes by it."""
        by_group = self._database.row(
            "SELECT name FROM holder_group WHERE schedule = ? ORDER BY name", name
        )
        if by_group is not None:
            raise NotDone(f"The group {by_group[0]!r} goes by this schedule.")
        by_setting = self._database.row(
            "SELECT 1 FROM setting WHERE name = 'free_passage'"
            " AND json_extract(value, '$.schedule') = ?",
            name,
        )
        if by_setting is not None:
            raise NotDone("The free passage of this door goes by this schedule.")
        if not self._database.run("DELETE FROM schedule WHERE name = ?", name):
            raise NotDone(f"There is no schedule called {name!r}.")

    # Holidays

    def put_holiday(self, day: date, name: str) -> None:
        """Write a holiday, in place of one of that day. Raises NotDone for one too many."""
        called = word(name, "The name of a holiday", 80)
        row = self._database.row("SELECT count(*) FROM holiday WHERE day <> ?", day.isoformat())
        if row is not None and row[0] >= MOST_HOLIDAYS:
            raise NotDone(
                f"There are {MOST_HOLIDAYS} holidays already; remove those that are over."
            )
        self._resolved.clear()
        self._database.run(
            "INSERT INTO holiday (day, name) VALUES (?, ?)"
            " ON CONFLICT (day) DO UPDATE SET name = excluded.name",
            *(day.isoformat(), called),
        )

    def holidays(self) -> list[tuple[date, str]]:
        """Every holiday with its name, in order."""
        rows = self._database.rows("SELECT day, name FROM holiday ORDER BY day")
        return [(_date(day), name) for day, name in rows]

    def remove_holiday(self, day: date) -> None:
        """Remove a holiday. Raises NotDone when there is none on that day."""
        self._resolved.clear()
        if not self._database.run("DELETE FROM holiday WHERE day = ?", day.isoformat()):
            raise NotDone(f"There is no holiday on {day.isoformat()}.")

    # Within

    def _check(self, facts: GroupFacts) -> None:
        if facts.schedule is not None and not self._has_schedule(facts.schedule):
            raise NotDone(f"There is no schedule called {facts.schedule!r}.")
        if not 0 <= facts.passback_s <= MOST_PASSBACK_S:
            raise NotDone("The time of anti-passback is 0 seconds to one week.")
        if (facts.passback is Passback.TIMED) != (facts.passback_s > 0):
            raise NotDone("Timed anti-passback needs a time, and no other kind has one.")

    def _has_schedule(self, name: str) -> bool:
        return self._database.row("SELECT 1 FROM schedule WHERE name = ?", name) is not None

    def _resolve(self, name: str) -> Group:
        row = self._database.row(
            "SELECT name, rule, schedule, passback, passback_s, passes_lockdown FROM holder_group"
            " WHERE name = ?",
            name,
        )
        if row is None:
            raise StoreFailed(f"The group {name!r} is not in the store; put back a copy.")
        facts = _facts(row)
        return Group(
            name=facts.name,
            rule=facts.rule,
            schedule=None if facts.schedule is None else self._needed(facts.schedule),
            passback=facts.passback,
            passback_s=facts.passback_s,
            passes_lockdown=facts.passes_lockdown,
        )

    def _needed(self, name: str) -> Schedule:
        found = self.schedule(name)
        if found is None:
            raise StoreFailed(f"The schedule {name!r} is not in the store; put back a copy.")
        return found

    def _holidays(self) -> frozenset[date]:
        return frozenset(day for day, _ in self.holidays())


def _facts(row: Row) -> GroupFacts:
    name, rule, schedule, passback, passback_s, passes_lockdown = row
    try:
        kinds = Rule(rule), Passback(passback)
    except ValueError as error:
        raise StoreFailed(f"The group {name!r} can't be read; write it anew.") from error
    return GroupFacts(name, kinds[0], schedule, kinds[1], passback_s, bool(passes_lockdown))


def _schedule(row: Row, holidays: frozenset[date]) -> Schedule:
    name, week, on_holidays = row
    special = None if on_holidays is None else day_of(on_holidays)
    return Schedule(name, week_of(week), special, holidays)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise StoreFailed("A holiday in the store can't be read; remove it.") from error
