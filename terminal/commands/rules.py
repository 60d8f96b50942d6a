"""`terminalctl group`, `schedule` and `holiday`: what opens for whom, and when.

`put` makes a rule or changes it: what is not named stays as it is. The door's own checks are those
of an import (`exchange.rows`), so a rule that is refused here would be refused in a file too.

What changes with this file: docs/maintenance.md, docs/doors.md, docs/exchange.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar, get_args

from terminal import show, show_access
from terminal.answers import Rules
from terminal.commands import arguments
from terminal.commands.common import (
    Commands,
    Options,
    add_command,
    add_noun,
    add_yes,
    agreed,
    ask_and_say,
    ask_and_show,
    not_agreed,
    rules_of,
)
from terminal.errors import NotDone
from terminal.exchange import cells, dates, week_line, weeks
from terminal.exchange.cells import CellRefused
from terminal.exchange.rows import (
    MAX_PASSBACK_MINUTES,
    GroupRow,
    HolidayRow,
    Passback,
    Rule,
    ScheduleRow,
)
from terminal.requests import (
    GroupPut,
    GroupRemove,
    Groups,
    HolidayPut,
    HolidayRemove,
    SchedulePut,
    ScheduleRemove,
)

T = TypeVar("T")


def add(commands: Commands) -> None:
    """The nouns of rules."""
    _add_group(add_noun(commands, "group", "groups of holders: what opens for them, and when"))
    _add_schedule(add_noun(commands, "schedule", "weekly schedules, in the site's local time"))
    _add_holiday(add_noun(commands, "holiday", "days that schedules treat as holidays"))


def _add_group(verbs: Commands) -> None:
    add_command(verbs, "list", _groups, "every group")
    put = add_command(verbs, "put", _group_put, "make a group, or change what is named of it")
    put.add_argument("name", type=arguments.label)
    put.add_argument("--rule", choices=get_args(Rule), help="what opens for it")
    hours = put.add_mutually_exclusive_group()
    hours.add_argument("--schedule", type=arguments.label, metavar="NAME", help="when it opens")
    hours.add_argument("--always", action="store_true", help="it opens at any time")
    put.add_argument("--passback", choices=get_args(Passback), help="anti-passback")
    put.add_argument(
        "--passback-minutes",
        type=arguments.whole(1, MAX_PASSBACK_MINUTES),
        metavar="N",
        help="for how long, with --passback timed",
    )
    put.add_argument(
        "--passes-lockdown",
        action=argparse.BooleanOptionalAction,
        help="whether it comes in during a lockdown",
    )
    _add_remove(verbs, _group_remove, "remove a group that nobody is in")


def _add_schedule(verbs: Commands) -> None:
    add_command(verbs, "list", _schedules, "every schedule")
    put = add_command(verbs, "put", _schedule_put, "make a schedule, or change it")
    put.add_argument("name", type=arguments.label)
    put.add_argument("week", help='as "mon-fri 08:00-18:00; sat 09:00-12:00"')
    put.add_argument("--holidays", metavar="TIMES", help='"closed", "as usual", or times')
    _add_remove(verbs, _schedule_remove, "remove a schedule that nothing goes by")


def _add_holiday(verbs: Commands) -> None:
    add_command(verbs, "list", _holidays, "every holiday")
    put = add_command(verbs, "add", _holiday_add, "name a holiday")
    put.add_argument("date", help="as 2026-12-24")
    put.add_argument("name", nargs="?", default="", help="what it is called")
    remove = add_command(verbs, "remove", _holiday_remove, "this day is no holiday")
    remove.add_argument("date", help="as 2026-12-24")


def _add_remove(verbs: Commands, run: Callable[[Options], int], words: str) -> None:
    remove = add_command(verbs, "remove", run, words)
    remove.add_argument("name", type=arguments.label)
    add_yes(remove)


# Groups


def _groups(options: Options) -> int:
    return ask_and_show(options, Groups(), Rules, "groups", show_access.groups)


def _group_put(options: Options) -> int:
    rules = rules_of(options)
    name = _taken(lambda: cells.name(options.name))
    before = next((each for each in rules.groups if each.name == name), None)
    group = _taken(lambda: _changed(before or GroupRow(1, name), options))
    done = "changed" if before else "made"
    return ask_and_say(options, GroupPut(group), f"The group {show.seen(name)} was {done}.")


def _changed(group: GroupRow, options: Options) -> GroupRow:
    """The group with what is named. Raises CellRefused."""
    passback = options.passback or group.passback
    minutes = group.passback_minutes if passback == "timed" else None
    schedule = None if options.always else options.schedule or group.schedule
    passes = options.passes_lockdown
    return replace(
        group,
        rule=options.rule or group.rule,
        schedule=schedule,
        passback=passback,
        passback_minutes=options.passback_minutes or minutes,
        passes_lockdown=group.passes_lockdown if passes is None else passes,
    )


def _group_remove(options: Options) -> int:
    if not agreed(options, f"Remove the group {options.name!r}?"):
        return not_agreed("No group was removed.")
    sentence = f"The group {show.seen(options.name)} was removed."
    return ask_and_say(options, GroupRemove(options.name), sentence)


# Schedules


def _schedules(options: Options) -> int:
    return ask_and_show(options, Groups(), Rules, "schedules", show_access.schedules)


def _schedule_put(options: Options) -> int:
    name = _taken(lambda: cells.name(options.name))
    week = _taken(lambda: week_line.week_of(options.week))
    given = (
        None if options.holidays is None else _taken(lambda: (weeks.holidays(options.holidays),))
    )
    rules = rules_of(options)
    before = next((each for each in rules.schedules if each.name == name), None)
    kept = before.on_holidays if before else None
    schedule = _taken(lambda: ScheduleRow(1, name, week, kept if given is None else given[0]))
    done = "changed" if before else "made"
    sentence = f"The schedule {show.seen(name)} was {done}: {show_access.schedule(schedule)}."
    return ask_and_say(options, SchedulePut(schedule), sentence)


def _schedule_remove(options: Options) -> int:
    if not agreed(options, f"Remove the schedule {options.name!r}?"):
        return not_agreed("No schedule was removed.")
    sentence = f"The schedule {show.seen(options.name)} was removed."
    return ask_and_say(options, ScheduleRemove(options.name), sentence)


# Holidays


def _holidays(options: Options) -> int:
    return ask_and_show(options, Groups(), Rules, "holidays", show_access.holidays)


def _holiday_add(options: Options) -> int:
    holiday = _taken(lambda: HolidayRow(1, dates.day_of(options.date), cells.label(options.name)))
    return ask_and_say(options, HolidayPut(holiday), f"{holiday.date} is a holiday.")


def _holiday_remove(options: Options) -> int:
    day = _taken(lambda: dates.day_of(options.date))
    return ask_and_say(options, HolidayRemove(day), f"{day} is no holiday any more.")


def _taken(read: Callable[[], T]) -> T:
    """What was typed, read as a cell of an import is. Raises NotDone with its sentence."""
    try:
        return read()
    except CellRefused as error:
        raise NotDone(str(error)) from error
