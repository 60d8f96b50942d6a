"""Facts about a door that is open to everyone by schedule: when, after whom, and what ends it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from terminal.core import machine
from terminal.core.door_state import DoorPhase
from terminal.core.effects import (
    Effects,
    HoldStrike,
    Kind,
    NotePassage,
    ReleaseStrike,
    SecureStrike,
)
from terminal.core.events import (
    FreePassageSet,
    HoldAsked,
    HoldCancelled,
    InterlockChanged,
    LockdownAsked,
    LockdownLifted,
    TimePassed,
)
from terminal.core.machine import State, next_deadline
from terminal.core.policy import HOLD_LEASE_S, Policy
from terminal.core.values import Intervals, Moment, Schedule, Side, Way
from tests.core import given
from tests.core.given import AGREED, NOT_AGREED, RESIDENT, Terminal, kinds, only, record

NOON = 12 * 60
"""`given.BEGIN` is at noon; a terminal of `given` begins a hundred seconds later."""


def opens_from(begin_min: int, end_min: int) -> Schedule:
    """A schedule of every day, in minutes after noon."""
    day: Intervals = ((NOON + begin_min, NOON + end_min),)
    return Schedule("lunch", (day,) * 7)


NOW, SOON = opens_from(0, 10), opens_from(3, 10)


def with_schedule(schedule: Schedule | None, first_person: bool = False) -> Terminal:
    terminal = given.started()
    terminal.hears(FreePassageSet, schedule=schedule, first_person=first_person)
    terminal.waits(0.0)
    return terminal


def is_free(terminal: Terminal) -> bool:
    return terminal.state.door.phase is DoorPhase.FREE


def cancels(terminal: Terminal) -> Effects:
    return terminal.hears(HoldCancelled, by="operator")


# Its time


def test_in_its_time_the_door_is_released_for_everyone_and_recorded() -> None:
    terminal = given.started()
    terminal.hears(FreePassageSet, schedule=NOW)
    effects = terminal.waits(0.0)
    started = record(effects, Kind.HOLD_STARTED)
    assert (started.way, started.facts) == (Way.SCHEDULE, (("schedule", "lunch"),))
    (hold,) = only(effects, HoldStrike)
    assert hold.lease_s == HOLD_LEASE_S
    assert effects.index(started) < effects.index(hold)


def test_it_begins_and_ends_with_the_minute() -> None:
    terminal = with_schedule(SOON)
    assert not is_free(terminal)
    terminal.waits(79.9)
    assert not is_free(terminal)
    terminal.waits(0.1)
    assert is_free(terminal)
    terminal.waits(7 * 60.0 - 0.1)
    assert is_free(terminal)
    effects = terminal.waits(0.1)
    assert record(effects, Kind.HOLD_ENDED).way is Way.SCHEDULE
    assert only(effects, SecureStrike)
    assert terminal.state.door.phase is DoorPhase.SECURED


@pytest.mark.requirement("D15")
def test_it_is_asserted_by_a_lease_like_any_held_release() -> None:
    terminal = with_schedule(NOW)
    holds = only(terminal.waits(60.0), HoldStrike)
    assert len(holds) == 15
    assert {hold.lease_s for hold in holds} == {HOLD_LEASE_S}


def test_a_door_that_stands_open_when_it_begins_is_free_and_when_it_ends_is_watched() -> None:
    terminal = with_schedule(SOON)
    terminal.shows_card(AGREED)
    terminal.opens()
    terminal.waits(80.0)
    assert is_free(terminal), "though it had been held open too long"
    terminal.waits(7 * 60.0)
    assert terminal.state.door.phase is DoorPhase.OPEN
    assert Kind.HELD_OPEN in kinds(terminal.waits(30.0))


def test_in_its_time_a_card_is_recorded_and_passage_is_at_once() -> None:
    terminal = with_schedule(NOW)
    effects = terminal.shows_card(AGREED)
    assert record(effects, Kind.GRANTED).facts[0] == ("strike", "already_released")
    assert not only(effects, ReleaseStrike)
    assert [note.side for note in only(effects, NotePassage)] == [Side.INSIDE]


def test_a_schedule_that_is_taken_away_ends_it() -> None:
    terminal = with_schedule(NOW)
    terminal.hears(FreePassageSet, schedule=None)
    assert Kind.HOLD_ENDED in kinds(terminal.waits(0.0))
    assert not is_free(terminal)
    assert next_deadline(terminal.state) is None, "nothing is looked at any more"


# The first person


def test_with_first_person_the_door_waits_for_somebody() -> None:
    terminal = with_schedule(NOW, first_person=True)
    terminal.waits(60.0)
    assert not is_free(terminal)
    effects = terminal.shows_card(AGREED)
    assert is_free(terminal)
    assert kinds(effects) == (Kind.GRANTED, Kind.HOLD_STARTED)
    assert not only(effects, ReleaseStrike)
    assert [note.person for note in only(effects, NotePassage)] == [RESIDENT]


def test_whoever_came_before_its_time_or_goes_out_is_not_the_first_person() -> None:
    terminal = with_schedule(SOON, first_person=True)
    terminal.shows_card(AGREED)
    terminal.waits(100.0)
    assert not is_free(terminal)
    terminal.leaves_by_card(NOT_AGREED)
    terminal.waits(60.0)
    assert not is_free(terminal)


def test_a_first_person_at_an_open_door_opens_it_for_everyone_within_the_minute() -> None:
    terminal = with_schedule(NOW, first_person=True)
    terminal.hears(LockdownAsked, by="guard", why="drill")
    terminal.hears(LockdownLifted, by="guard", why="over")
    terminal.hears(InterlockChanged, active=False)
    terminal.opens()
    terminal.closes()
    terminal.shows_card(AGREED)
    assert is_free(terminal)


def test_each_time_has_its_own_first_person() -> None:
    twice = Schedule("twice", (((NOON, NOON + 4), (NOON + 6, NOON + 10)),) * 7)
    terminal = with_schedule(twice, first_person=True)
    terminal.shows_card(AGREED)
    assert is_free(terminal)
    terminal.waits(5 * 60.0)
    assert not is_free(terminal), "in the second time, and nobody has come"
    terminal.shows_card(AGREED)
    assert is_free(terminal)


# What ends it, and until when


def test_what_an_operator_ends_stays_ended_until_the_next_time() -> None:
    twice = Schedule("twice", (((NOON, NOON + 4), (NOON + 6, NOON + 10)),) * 7)
    terminal = with_schedule(twice)
    effects = cancels(terminal)
    ended = record(effects, Kind.HOLD_ENDED)
    assert (ended.way, ended.by) == (Way.SCHEDULE, "operator")
    terminal.waits(140.0)
    assert not is_free(terminal)
    terminal.waits(2 * 60.0)
    assert is_free(terminal)


def test_what_an_operator_ended_is_not_begun_again_by_a_clock_that_was_lost_meanwhile() -> None:
    terminal = with_schedule(NOW)
    cancels(terminal)
    terminal.trusted = False
    terminal.waits(61.0)
    terminal.trusted = True
    terminal.waits(61.0)
    assert not is_free(terminal)


def test_an_operator_who_ends_it_while_the_door_is_open_leaves_an_open_door() -> None:
    terminal = with_schedule(NOW)
    terminal.opens()
    cancels(terminal)
    assert terminal.state.door.phase is DoorPhase.OPEN
    terminal.waits(61.0)
    assert not is_free(terminal)


def test_an_operator_s_own_hold_is_not_the_schedule_s() -> None:
    terminal = with_schedule(NOW)
    terminal.hears(HoldAsked, lasts_s=5.0, by="operator", why="delivery")
    effects = terminal.waits(5.0)
    assert record(effects, Kind.HOLD_ENDED).way is Way.HOLD
    terminal.waits(60.0)
    assert is_free(terminal), "the schedule goes on"


@pytest.mark.requirement("A18")
def test_no_schedule_opens_the_door_while_the_clock_is_not_trusted() -> None:
    terminal = with_schedule(SOON)
    terminal.trusted = False
    terminal.waits(200.0)
    assert not is_free(terminal)
    terminal.trusted = True
    terminal.waits(60.0)
    assert is_free(terminal)


@pytest.mark.requirement("A18")
def test_a_clock_that_is_lost_ends_it() -> None:
    terminal = with_schedule(NOW)
    terminal.trusted = False
    assert Kind.HOLD_ENDED in kinds(terminal.waits(4.0))
    assert not is_free(terminal)


@pytest.mark.parametrize(
    ("bars", "over"),
    [
        (
            lambda one: one.hears(LockdownAsked, by="guard", why="alarm"),
            lambda one: one.hears(LockdownLifted, by="guard", why="all clear"),
        ),
        (
            lambda one: one.hears(InterlockChanged, active=True),
            lambda one: one.hears(InterlockChanged, active=False),
        ),
    ],
    ids=("lockdown", "interlock"),
)
def test_a_bar_ends_it_and_it_comes_back_with_the_next_minute(bars: object, over: object) -> None:
    assert callable(bars) and callable(over)
    terminal = with_schedule(NOW)
    assert Kind.HOLD_ENDED in kinds(bars(terminal))
    terminal.waits(61.0)
    assert not is_free(terminal)
    over(terminal)
    terminal.waits(60.0)
    assert is_free(terminal)


def test_a_pulse_that_runs_when_it_begins_ends_first() -> None:
    terminal = with_schedule(SOON)
    terminal.waits(78.0)
    terminal.shows_card(AGREED)
    terminal.waits(2.0)
    assert terminal.state.door.phase is DoorPhase.RELEASED
    terminal.waits(62.0)
    assert is_free(terminal)


# Time zones (R42)


@pytest.mark.requirement("R42")
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe"])
def test_the_door_is_open_when_the_wall_clock_says_so_through_a_change(zone: str) -> None:
    """Two days around a change of summer time, hour by hour, by a clock that says its offset."""
    day: Intervals = ((120, 180), (8 * 60, 9 * 60))
    policy, state = Policy(), State()
    begin = datetime(2030, 10, 5 if "Lord" in zone else 26, tzinfo=UTC)
    for minute in range(0, 48 * 60, 30):
        utc = begin + timedelta(minutes=minute)
        offset = utc.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
        at = Moment(minute * 60.0, utc, True, int(offset.total_seconds()))
        if minute == 0:
            free = FreePassageSet(at, Schedule("shop", (day,) * 7))
            state, _ = machine.step(state, free, policy)
        state, _ = machine.step(state, TimePassed(at), policy)
        wall = utc.astimezone(ZoneInfo(zone))
        open_now = wall.hour in (2, 8)
        assert (state.door.phase is DoorPhase.FREE) is open_now, wall
