"""Passes are issued as they were asked for and shown again the same, or refused in a sentence."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from terminal.core.values import PassId
from terminal.errors import NotDone, StoreFailed
from terminal.passes.token import (
    PassRefused,
    Token,
    audience_of_door,
    audience_of_group,
    check,
)
from terminal.requests import Passes as PassesAsked
from terminal.requests import (
    PassIssue,
    PassKeyChange,
    PassKind,
    PassRevoke,
    PassShow,
    PinSet,
)
from terminal.store.people import Kind
from tests.terminal.given_bridge import BEGIN, GROUP, NAME, RESIDENT, Door, answer_of, door

TOMORROW = BEGIN + timedelta(days=1)
KINDS: tuple[PassKind, ...] = ("resident", "static", "visitor", "once")


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Door]:
    with door(tmp_path) as made:
        made.has_resident(face=None)
        made.start(vision=False)
        answer_of(made.asks(PinSet(NAME, "4821")))
        yield made


def request_for(kind: PassKind, **more: Any) -> PassIssue:
    visitor = "A visitor" if kind == "visitor" else None
    return PassIssue(NAME, kind, **{"valid_until": TOMORROW, "visitor": visitor, **more})


def issued(given: Door, kind: PassKind, **more: Any) -> dict[str, Any]:
    answer = answer_of(given.asks(request_for(kind, **more)))
    assert answer["ok"], answer
    line: dict[str, Any] = answer["pass"]
    return line


def refused(given: Door, kind: PassKind, **more: Any) -> str:
    before = len(given.store.passes.all()), len(given.store.people())
    answer = answer_of(given.asks(request_for(kind, **more)))
    assert not answer["ok"]
    assert before == (len(given.store.passes.all()), len(given.store.people()))
    sentence: str = answer["error"]
    return sentence


def token_of(given: Door, text: str) -> Token:
    audiences = frozenset({audience_of_door(given.keys.device), audience_of_group(GROUP)})
    ring = given.store.pass_keys.keyring()
    return check(text.encode(), ring, audiences, given.parts.clock.now().utc)


# Each kind


def test_a_resident_pass_rotates_counts_nothing_and_is_for_every_door_of_the_group(
    given: Door,
) -> None:
    line = issued(given, "resident")
    assert line["rotates"] and not line["needs_pin"]
    assert (line["person"], line["uses"], len(line["secret"])) == (RESIDENT, 0, 64)
    with pytest.raises(PassRefused):
        token_of(given, line["text"])  # what it shows on the phone has a code besides


def test_a_static_pass_takes_the_pin_besides_and_has_no_secret(given: Door) -> None:
    line = issued(given, "static")
    token = token_of(given, line["text"])
    assert line["needs_pin"] and token.needs_pin and not token.rotates
    assert token.audience == audience_of_group(GROUP)
    assert "secret" not in line


def test_a_static_pass_is_for_nobody_without_a_pin(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.has_resident(face=None)
        made.start(vision=False)
        assert "has none" in refused(made, "static")


@pytest.mark.requirement("R48")
def test_a_visitors_pass_registers_the_visitor_with_host_and_dates_and_no_face(
    given: Door,
) -> None:
    line = issued(given, "visitor", uses=3)
    visitor = given.store.find("A visitor")
    assert visitor is not None
    assert (visitor.person, visitor.host, visitor.kind) == (line["person"], RESIDENT, Kind.VISITOR)
    assert (visitor.valid_until, visitor.cards) == (TOMORROW, 0)
    assert (line["host"], line["uses"]) == (RESIDENT, 3)
    assert [one["number"] for one in answer_of(given.asks(PassesAsked(NAME)))["passes"]] == [
        line["number"]
    ]


@pytest.mark.requirement("T17")
@pytest.mark.parametrize(("kind", "uses"), [("once", 1), ("visitor", 1), ("visitor", 5)])
def test_what_counts_its_uses_is_for_this_door_alone(
    given: Door, kind: PassKind, uses: int
) -> None:
    line = issued(given, kind, uses=uses)
    token = token_of(given, line["text"])
    assert token.one_door
    assert token.audience == audience_of_door(given.keys.device)
    assert token.uses == line["uses"] == uses


def test_times_are_in_whole_seconds(given: Door) -> None:
    line = issued(given, "once", valid_until=TOMORROW + timedelta(microseconds=999))
    assert token_of(given, line["text"]).not_after == TOMORROW
    assert datetime.fromisoformat(line["valid_from"]).microsecond == 0


# Refused


@pytest.mark.parametrize(
    ("kind", "more", "why"),
    [
        ("once", {"uses": 2}, "opens once"),
        ("resident", {"uses": 1}, "does not count"),
        ("static", {"uses": 9}, "does not count"),
        ("visitor", {"visitor": None}, "names the visitor"),
        ("resident", {"visitor": "A visitor"}, "some visits, or for once"),
        ("static", {"visitor": "A visitor"}, "some visits, or for once"),
        ("once", {"valid_until": BEGIN - timedelta(days=1)}, "ends after it begins"),
        ("once", {"valid_from": TOMORROW, "valid_until": TOMORROW}, "ends after it begins"),
        ("once", {"valid_until": TOMORROW.replace(tzinfo=None)}, "time zone"),
        ("once", {"valid_until": BEGIN + timedelta(days=3700)}, "within ten years"),
        ("once", {"valid_from": BEGIN - timedelta(days=99), "valid_until": BEGIN}, "after now"),
        ("visitor", {"visitor": "\N{RIGHT-TO-LEFT OVERRIDE}x"}, "to be seen"),
    ],
)
def test_what_no_pass_can_be_is_refused_and_leaves_no_pass_and_no_visitor(
    given: Door, kind: PassKind, more: dict[str, Any], why: str
) -> None:
    assert why in refused(given, kind, **more)


def test_for_nobody_there_is_no_pass(given: Door) -> None:
    answer = answer_of(given.asks(PassIssue("Nobody", "once", TOMORROW)))
    assert "is registered" in answer["error"]


@pytest.mark.requirement("A18")
@pytest.mark.parametrize("kind", KINDS)
def test_with_a_clock_that_is_not_right_no_pass_is_dated(given: Door, kind: PassKind) -> None:
    given.begin = BEGIN - timedelta(days=30)
    assert "set the clock" in refused(given, kind)


def test_a_visitor_whose_pass_could_not_be_written_is_not_registered(given: Door) -> None:
    def full(*_: object) -> None:
        raise StoreFailed("The disk is full.")

    vars(given.store.passes)["issue"] = full
    assert "The disk is full" in refused(given, "visitor")


# Shown again


@pytest.mark.parametrize("kind", KINDS)
def test_a_pass_is_shown_again_to_the_byte(given: Door, kind: PassKind) -> None:
    line = issued(given, kind)
    given.waits(3600.0)
    assert answer_of(given.asks(PassShow(line["number"])))["pass"] == line


def test_the_secret_of_a_pass_is_no_other_passes(given: Door) -> None:
    one, two = issued(given, "resident"), issued(given, "resident")
    assert one["secret"] != two["secret"]
    assert one["text"] != two["text"]


def test_no_list_has_what_opens_the_door(given: Door) -> None:
    line = issued(given, "resident")
    (listed,) = answer_of(given.asks(PassesAsked()))["passes"]
    assert not {"text", "secret"} & set(listed)
    assert line["text"] not in str(listed)


@pytest.mark.parametrize("number", ["0" * 16, "f" * 16])
def test_a_pass_that_is_not_there_is_neither_shown_nor_revoked(given: Door, number: str) -> None:
    for request in (PassShow(number), PassRevoke(number)):
        assert "no pass of this number" in answer_of(given.asks(request))["error"]


def test_a_pass_that_was_revoked_is_not_shown_again(given: Door) -> None:
    line = issued(given, "once")
    assert answer_of(given.asks(PassRevoke(line["number"])))["ok"]
    assert "was revoked" in answer_of(given.asks(PassShow(line["number"])))["error"]


# Another key


def test_after_a_change_of_the_key_old_passes_hold_for_as_long_as_was_said(given: Door) -> None:
    late = BEGIN + timedelta(days=60)
    old = issued(given, "static", valid_until=late)
    changed = answer_of(given.asks(PassKeyChange(overlap_days=2)))
    new = issued(given, "static", valid_until=late)
    assert token_of(given, new["text"]).key_id == changed["key_id"]
    assert token_of(given, old["text"]).key_id != changed["key_id"]
    given.begin += timedelta(days=3)
    with pytest.raises(PassRefused, match="has ended"):
        token_of(given, old["text"])
    assert token_of(given, new["text"]).key_id == changed["key_id"]


def test_a_pass_under_a_key_that_was_changed_is_not_shown_again(given: Door) -> None:
    line = issued(given, "static")
    answer_of(given.asks(PassKeyChange()))
    assert "was changed" in answer_of(given.asks(PassShow(line["number"])))["error"]


def test_no_row_of_the_file_makes_a_pass_that_says_something_else(given: Door) -> None:
    """What is shown is made of its row: another row makes another text, and no two are the same."""
    line = issued(given, "once")
    found = given.store.passes.of_number(PassId(line["number"]))
    assert found is not None
    other = replace(found.facts, number=PassId(secrets.token_hex(8)))
    given.store.passes.issue(other, given.parts.clock.now())
    shown = given.issuing.show(other.number, given.parts.clock.now())
    assert shown["text"] != line["text"]
    with pytest.raises(NotDone):
        given.store.passes.issue(other, given.parts.clock.now())
