"""Facts about an existing panel that decides: it is told who is there, the strike stays at rest."""

from __future__ import annotations

import pytest

from terminal.core.door_state import DoorPhase
from terminal.core.effects import (
    HoldStrike,
    Kind,
    NotePassage,
    Record,
    ReleaseStrike,
    SecureStrike,
    TellPanel,
)
from terminal.core.events import FreePassageSet, HoldAsked, ReleaseAsked, RexPressed
from terminal.core.policy import Panel, Policy, Rex
from terminal.core.timetable import ALWAYS
from terminal.core.values import Alarm, Outcome, Reason, Schedule, Side
from tests.core import given
from tests.core.given import (
    AGREED,
    COUNTED,
    NEIGHBOUR,
    NOT_AGREED,
    RESIDENT,
    Terminal,
    kinds,
    only,
    record,
)

WIEGAND = Policy(panel=Panel.WIEGAND, rex=Rex.RELEASE)
CONTACT = Policy(panel=Panel.CONTACT)
ALL_DAY = Schedule("all day", (ALWAYS,) * 7)


def told() -> Terminal:
    """A terminal that has told its panel of somebody."""
    terminal = given.ready(WIEGAND)
    terminal.shows_card(AGREED)
    return terminal


def test_a_panel_is_told_who_is_there_after_the_record() -> None:
    effects = given.ready(WIEGAND).shows_card(AGREED)
    (tell,) = only(effects, TellPanel)
    granted = record(effects, Kind.GRANTED)
    assert tell.person == RESIDENT
    assert granted.facts[0] == ("strike", "panel")
    assert effects.index(granted) < effects.index(tell)


def test_the_strike_of_a_panel_is_never_moved_from_here() -> None:
    terminal = given.ready(WIEGAND)
    terminal.shows_card(AGREED)
    terminal.leaves_by_card(AGREED)
    terminal.hears(RexPressed)
    terminal.hears(ReleaseAsked, by="guard", why="delivery")
    terminal.hears(HoldAsked, lasts_s=60.0, by="operator", why="delivery")
    terminal.hears(FreePassageSet, schedule=ALL_DAY)
    terminal.waits(120.0)
    every = [one for step in terminal.history for one in step.effects]
    assert not [one for one in every if isinstance(one, ReleaseStrike | HoldStrike)]


def test_a_guard_and_an_operator_are_told_that_the_panel_does_it() -> None:
    terminal = given.ready(WIEGAND)
    effects = (
        *terminal.hears(ReleaseAsked, by="guard", why="delivery"),
        *terminal.hears(HoldAsked, lasts_s=60.0, by="operator", why="delivery"),
    )
    assert kinds(effects) == (Kind.REFUSED, Kind.REFUSED)
    assert {one.reason for one in only(effects, Record)} == {Reason.ANOTHER_WAY}


def test_a_pass_is_counted_before_the_panel_is_told() -> None:
    terminal = given.ready(WIEGAND)
    assert not only(terminal.shows_pass(AGREED, COUNTED), TellPanel)
    assert only(terminal.pass_is_spent(COUNTED), TellPanel)


def test_whoever_the_panel_lets_in_is_noted_when_the_door_opens() -> None:
    terminal = told()
    effects = terminal.opens()
    assert kinds(effects) == (Kind.DOOR_OPENED,)
    assert [(note.person, note.side) for note in only(effects, NotePassage)] == [
        (RESIDENT, Side.INSIDE)
    ]


def test_whoever_the_panel_did_not_let_in_is_not_noted_later() -> None:
    terminal = told()
    terminal.waits(terminal.policy.release_s)
    terminal.shows_card(NOT_AGREED)
    assert [note.person for note in only(terminal.opens(), NotePassage)] == [NEIGHBOUR]


def test_at_an_open_door_of_a_panel_passage_is_at_once() -> None:
    terminal = told()
    terminal.opens()
    assert [note.person for note in only(terminal.shows_card(NOT_AGREED), NotePassage)] == [
        NEIGHBOUR
    ]


@pytest.mark.requirement("D9")
def test_a_visit_whose_door_the_panel_kept_closed_ends_like_any_other() -> None:
    terminal = told()
    terminal.waits(terminal.policy.release_s + terminal.policy.decline_hold_s)
    assert given.face_off(terminal) is None
    assert terminal.ends[-1][2] is Outcome.GRANTED


@pytest.mark.parametrize("policy", [WIEGAND, CONTACT])
def test_where_a_panel_moves_the_lock_no_opening_is_forced(policy: Policy) -> None:
    terminal = given.ready(policy)
    assert kinds(terminal.opens()) == (Kind.DOOR_OPENED,)
    assert not terminal.state.alarms
    terminal.waits(terminal.policy.held_open_s)
    assert terminal.state.alarms == {Alarm.HELD_OPEN}, "but one that stays open is told"


def test_a_panel_with_a_dry_contact_gets_a_pulse() -> None:
    terminal = given.ready(CONTACT)
    effects = terminal.shows_card(AGREED)
    assert only(effects, ReleaseStrike)
    assert not only(effects, TellPanel)
    assert only(terminal.waits(terminal.policy.release_s), SecureStrike)
    assert terminal.state.door.phase is DoorPhase.SECURED
