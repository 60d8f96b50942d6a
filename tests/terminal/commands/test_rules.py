"""Groups, schedules and holidays: what is named changes, and what is not stays."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from terminal.exchange.rows import GroupRow, HolidayRow, ScheduleRow
from terminal.requests import (
    GroupPut,
    GroupRemove,
    HolidayPut,
    HolidayRemove,
    SchedulePut,
    ScheduleRemove,
)
from tests.terminal.commands.given import RULES, done, runs
from tests.terminal.commands.twin import Twin

Captured = pytest.CaptureFixture[str]
RESIDENTS = GroupRow(0, "Residents", "any", None, "timed", 5, passes_lockdown=True)
OFFICE_WEEK = (((480, 1080),),) * 5 + ((), ())
NIGHT_WEEK = ((),) * 4 + (((1320, 1440),), ((0, 360),), ())


@pytest.mark.parametrize(
    ("noun", "head", "row"),
    [
        (
            "group",
            ["Group", "Opens by", "When", "Anti-passback", "In a lockdown"],
            ["Residents", "any one", "always", "timed, 5 min", "comes in"],
        ),
        ("schedule", ["Schedule", "Open"], ["Office", "mon-fri 08:00-18:00 (holidays: closed)"]),
        ("holiday", ["Day", "Name"], ["2030-10-01", "国庆节"]),
    ],
)
def test_rules_are_tables(
    twin: Twin, capsys: Captured, noun: str, head: list[str], row: list[str]
) -> None:
    assert runs(twin, noun, "list") == 0
    lines = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in _out(capsys)]
    assert lines[:2] == [head, row]
    assert runs(twin, noun, "list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == RULES[noun + "s"]


def _out(capsys: Captured) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_where_there_is_no_rule_that_is_a_sentence(twin: Twin, capsys: Captured) -> None:
    twin.script = lambda request: done(**{**RULES, "groups": [], "schedules": [], "holidays": []})
    for noun in ("group", "schedule", "holiday"):
        assert runs(twin, noun, "list") == 0
        assert _out(capsys)[0].startswith(f"There is no {noun}")


# Groups


@pytest.mark.parametrize(
    ("words", "group"),
    [
        (("Residents",), RESIDENTS),
        (
            ("Residents", "--rule", "card_pin"),
            GroupRow(0, "Residents", "card_pin", None, "timed", 5, passes_lockdown=True),
        ),
        (
            ("Residents", "--passback", "off", "--no-passes-lockdown"),
            GroupRow(0, "Residents", "any", None, "off", None, passes_lockdown=False),
        ),
        (
            ("Residents", "--passback-minutes", "9", "--schedule", "Office"),
            GroupRow(0, "Residents", "any", "Office", "timed", 9, passes_lockdown=True),
        ),
        (("Staff", "--always"), GroupRow(1, "Staff")),
        (
            ("Staff", "--passes-lockdown", "--passback", "hard"),
            GroupRow(1, "Staff", passback="hard", passes_lockdown=True),
        ),
    ],
)
def test_of_a_group_what_is_named_changes_and_the_rest_stays(
    twin: Twin, capsys: Captured, words: tuple[str, ...], group: GroupRow
) -> None:
    assert runs(twin, "group", "put", *words) == 0
    assert twin.requests[-1] == GroupPut(group)
    done_to_it = "changed" if group.name == "Residents" else "made"
    assert capsys.readouterr().out == f"The group {group.name} was {done_to_it}.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Staff", "--passback", "timed"), "Timed anti-passback needs its minutes"),
        (("Staff", "--passback-minutes", "5"), "Timed anti-passback needs its minutes"),
        (("a\u202eb",), "turns the direction of writing"),
        (("110105 19491231 002X",), "resident identity number"),
    ],
)
def test_a_group_that_no_file_could_have_is_one_sentence(
    twin: Twin, capsys: Captured, words: tuple[str, ...], said: str
) -> None:
    assert runs(twin, "group", "put", *words) == 1
    out, err = capsys.readouterr()
    assert out == "" and said in err and err.count("\n") == 1
    assert not any(isinstance(one, GroupPut) for one in twin.requests)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("Staff", "--rule", "password"),
        ("Staff", "--schedule", "A", "--always"),
        ("Staff", "--passback-minutes", "0"),
        ("Staff", "--passback-minutes", "1441"),
        ("x" * 41,),
    ],
)
def test_misuse_of_a_group_is_2(twin: Twin, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        runs(twin, "group", "put", *words)
    assert ended.value.code == 2
    assert twin.requests == []


# Schedules


@pytest.mark.parametrize(
    ("words", "schedule"),
    [
        (
            ("Office", "mon-fri 07:00-19:00"),
            ScheduleRow(1, "Office", (((420, 1140),),) * 5 + ((), ()), ()),
        ),
        (
            ("Office", "mon-fri 08:00-18:00", "--holidays", "as usual"),
            ScheduleRow(1, "Office", OFFICE_WEEK, None),
        ),
        (("Night", "fri 22:00-06:00"), ScheduleRow(1, "Night", NIGHT_WEEK, None)),
        (
            ("New", "mon-fri 08:00-18:00", "--holidays", "10:00-12:00"),
            ScheduleRow(1, "New", OFFICE_WEEK, ((600, 720),)),
        ),
        (("New", "mon-fri 08:00-18:00"), ScheduleRow(1, "New", OFFICE_WEEK, None)),
    ],
)
def test_a_schedule_is_a_line_of_text_and_its_holidays_stay(
    twin: Twin, capsys: Captured, words: tuple[str, ...], schedule: ScheduleRow
) -> None:
    assert runs(twin, "schedule", "put", *words) == 0
    assert twin.requests[-1] == SchedulePut(schedule)
    assert f"The schedule {schedule.name} was" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("A", "whenever"), "The week can't be read"),
        (("A", "08:00-18:00"), "The week can't be read"),
        (("A", ""), "The week is empty"),
        (("A", "mon 08:00-12:00; mon 11:00-13:00"), "overlap"),
        (("A", "mon 25:00-26:00"), "lies within 00:00 to 24:00"),
        (("A", "mon closed 08:00-12:00"), "can't be read"),
        (("A", "mon 08:00-12:00", "--holidays", ""), "for holidays"),
        (("A", "mon 08:00-12:00", "--holidays", "22:00-06:00"), "ends on the same day"),
        (("A", "m" * 5000), "longer than any week"),
    ],
)
def test_a_week_that_can_not_be_read_is_one_sentence(
    twin: Twin, capsys: Captured, words: tuple[str, ...], said: str
) -> None:
    assert runs(twin, "schedule", "put", *words) == 1
    out, err = capsys.readouterr()
    assert out == "" and said in err and err.count("\n") == 1
    assert twin.requests == []


# Holidays and removing


def test_a_holiday_is_a_day_and_perhaps_a_name(twin: Twin, capsys: Captured) -> None:
    assert runs(twin, "holiday", "add", "2030-10-02", "国庆节") == 0
    assert runs(twin, "holiday", "add", "2030年10月3日") == 0
    assert runs(twin, "holiday", "remove", "2030-10-01") == 0
    assert twin.requests == [
        HolidayPut(HolidayRow(1, date(2030, 10, 2), "国庆节")),
        HolidayPut(HolidayRow(1, date(2030, 10, 3))),
        HolidayRemove(date(2030, 10, 1)),
    ]
    assert _out(capsys)[-1] == "2030-10-01 is no holiday any more."


@pytest.mark.parametrize("day", ["", "1/2/2030", "2030-02-30", "1969-01-01", "2030-10-01 08:00"])
@pytest.mark.parametrize("verb", ["add", "remove"])
def test_what_is_no_day_is_one_sentence(twin: Twin, capsys: Captured, verb: str, day: str) -> None:
    assert runs(twin, "holiday", verb, day) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert twin.requests == []


@pytest.mark.parametrize(
    ("noun", "request_"),
    [("group", GroupRemove("Residents")), ("schedule", ScheduleRemove("Residents"))],
)
def test_a_rule_is_removed_once_it_is_agreed_to(twin: Twin, noun: str, request_: Any) -> None:
    assert runs(twin, noun, "remove", "Residents") == 1
    assert twin.requests == []
    assert runs(twin, noun, "remove", "Residents", "--yes") == 0
    assert twin.requests == [request_]
