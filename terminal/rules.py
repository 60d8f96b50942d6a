"""Rows of an operator's files as the facts that the store keeps, and back.

What changes with this file: `terminal.exchange.rows`, `terminal.store.groups`.
"""

from __future__ import annotations

from terminal.core.values import Intervals, Passback, Rule, Schedule
from terminal.exchange.rows import GroupRow, HolidayRow, ScheduleRow
from terminal.store import Store
from terminal.store.groups import GroupFacts

MINUTE_S = 60.0


def facts_of_row(row: GroupRow) -> GroupFacts:
    """A group's row as the store has it."""
    return GroupFacts(
        name=row.name,
        rule=Rule(row.rule),
        schedule=row.schedule,
        passback=Passback(row.passback),
        passback_s=MINUTE_S * (row.passback_minutes or 0),
        passes_lockdown=row.passes_lockdown,
    )


def row_of_facts(facts: GroupFacts) -> GroupRow:
    """A group of the store as a row."""
    timed = facts.passback is Passback.TIMED
    return GroupRow(
        line=0,
        name=facts.name,
        rule=facts.rule.value,
        schedule=facts.schedule,
        passback=facts.passback.value,
        passback_minutes=max(1, round(facts.passback_s / MINUTE_S)) if timed else None,
        passes_lockdown=facts.passes_lockdown,
    )


def schedule_of_row(row: ScheduleRow) -> Schedule:
    """A schedule's row as the core reckons with it; its holidays are the store's."""
    days: tuple[Intervals, ...] = tuple(row.week)
    monday, tuesday, wednesday, thursday, friday, saturday, sunday = days
    week = (monday, tuesday, wednesday, thursday, friday, saturday, sunday)
    return Schedule(row.name, week, row.on_holidays)


def row_of_schedule(schedule: Schedule) -> ScheduleRow:
    """A schedule of the store as a row."""
    return ScheduleRow(0, schedule.name, schedule.week, schedule.on_holidays)


def name_of_holiday(row: HolidayRow) -> str:
    """What a holiday is called: where a file gives it no name, by its day."""
    return row.name or row.date.isoformat()


def all_rules(store: Store) -> tuple[list[GroupRow], list[ScheduleRow], list[HolidayRow]]:
    """Every group, schedule and holiday as rows."""
    return (
        [row_of_facts(facts) for facts in store.groups.all()],
        [row_of_schedule(schedule) for schedule in store.groups.schedules()],
        [HolidayRow(0, day, name) for day, name in store.groups.holidays()],
    )
