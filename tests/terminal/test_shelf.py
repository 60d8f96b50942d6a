"""What operators are shown: all of the door, and nothing that would open it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hw.errors import DeviceError
from hw.ports import Input
from terminal.arrivals import CodesWorking
from terminal.core.values import PersonId
from terminal.exchange.rows import GroupRow, HolidayRow, ScheduleRow
from terminal.requests import (
    AnyRequest,
    Cards,
    Export,
    GroupPut,
    Groups,
    HolidayPut,
    Lockdown,
    PassShow,
    SchedulePut,
)
from terminal.requests import Door as DoorAsked
from terminal.shelf import EXPORTED_AT_ONCE
from tests.terminal.given_bridge import (
    CARD,
    NAME,
    READERS,
    RESIDENT,
    Door,
    answer_of,
    door,
    lines_of,
)
from tests.terminal.given_issued import PIN, issue, set_pin

TODAY = date(2030, 6, 1)
WEEK = (((480, 1080),),) * 5 + ((), ())


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Door]:
    with door(tmp_path) as made:
        made.has_resident(face=None)
        made.start(vision=False)
        set_pin(made)
        yield made


def told(given: Door, request: AnyRequest) -> dict[str, Any]:
    return answer_of(given.asks(request))


def test_the_door_tells_its_state_lines_and_ways(given: Door) -> None:
    found = told(given, DoorAsked())["door"]
    assert (found["state"], found["open"], found["locked_down"]) == ("secured", False, False)
    assert found["ways"] == sorted(READERS)
    assert found["strike_released"] is False
    assert (found["rex"], found["panel"], found["weak_cards"]) == ("observe", "none", "open")
    assert set(found["lines"]) >= {"strike", "sign", "door_contact", "rex"}


def test_it_follows_what_happens(given: Door) -> None:
    given.taps()
    assert told(given, DoorAsked())["door"]["strike_released"]
    told(given, Lockdown("a drill"))
    given.board.set_input(Input.TAMPER, active=True)
    given.board.set_input(Input.FIRE, active=True)
    given.settles()
    found = told(given, DoorAsked())["door"]
    assert found["locked_down"] and found["tampered"] and found["fire"]
    assert {"tamper", "fire"} <= set(found["alarms"])


@pytest.mark.requirement("D11")
def test_the_cameras_codes_are_a_way_only_where_the_camera_gives_pictures(given: Door) -> None:
    given.arrives(CodesWorking(True))
    assert "camera codes" not in told(given, DoorAsked())["door"]["ways"]
    given.vision_comes()
    assert "camera codes" in told(given, DoorAsked())["door"]["ways"]


def test_lines_that_can_not_be_read_are_not_there_and_the_rest_is(given: Door) -> None:
    def broken() -> dict[Any, bool]:
        raise DeviceError("The chip does not answer.")

    vars(vars(given.desk)["_shelf"])["_lines"] = broken
    found = told(given, DoorAsked())["door"]
    assert (found["lines"], found["strike_released"]) == ({}, None)
    assert found["state"] == "secured"


@pytest.mark.requirement("R45")
def test_a_card_is_named_by_the_beginning_of_its_hash(given: Door) -> None:
    (card,) = told(given, Cards(NAME))["cards"]
    assert card["card"] == given.card_id(CARD)[:8]
    assert card["is_weak"] is True
    assert CARD.decode() not in json.dumps(card)


def test_of_nobody_nothing_is_shown(given: Door) -> None:
    for request in (Cards("Nobody"), PassShow("0" * 16)):
        assert not told(given, request)["ok"]


def test_rules_are_shown_as_rows_of_a_file(given: Door) -> None:
    schedule = ScheduleRow(0, "Hours", WEEK, ())
    group = GroupRow(0, "Staff", "card_pin", "Hours", "timed", 5, True)
    holiday = HolidayRow(0, TODAY, "A day off")
    for request in (SchedulePut(schedule), GroupPut(group), HolidayPut(holiday)):
        assert told(given, request)["ok"]
    found = told(given, Groups())
    assert found["time_zone"]
    (shown,) = found["groups"]
    assert (shown["name"], shown["rule"], shown["schedule"]) == ("Staff", "card_pin", "Hours")
    assert (shown["passback"], shown["passback_minutes"], shown["passes_lockdown"]) == (
        "timed",
        5,
        True,
    )
    assert [one["name"] for one in found["schedules"]] == ["Hours"]
    assert [one["name"] for one in found["holidays"]] == ["A day off"]


@pytest.mark.requirement("R16", "R45")
def test_an_export_has_everyone_in_pieces_and_no_card_pin_pass_or_template(given: Door) -> None:
    for n in range(EXPORTED_AT_ONCE + 5):
        person = PersonId(f"person{n}")
        given.store.register_person(person, f"Person {n}", given.parts.clock.now())
    phone = issue(given, "once")
    lines = lines_of(given.asks(Export()))
    assert [len(line["people"]) for line in lines[:-1]] == [EXPORTED_AT_ONCE, 6]
    assert lines[-1]["ok"]
    first = lines[0]["people"][0]
    assert (first["row"]["name"], first["row"]["identifier"], first["card_count"]) == (
        NAME,
        RESIDENT,
        1,
    )
    whole = json.dumps(lines)
    for secret in (CARD.decode(), given.card_id(CARD), PIN, phone.text, phone.number):
        assert secret not in whole
