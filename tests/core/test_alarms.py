"""Facts about alarms: what raises each, what ends it, what is heard, and what can't be hidden."""

from __future__ import annotations

from typing import Any

import pytest

from terminal.core import machine
from terminal.core.effects import (
    CarryOut,
    Effects,
    HoldStrike,
    Kind,
    Play,
    ReleaseStrike,
    Show,
    Sound,
    SoundAlarm,
)
from terminal.core.events import (
    AlarmsAcknowledged,
    ChangeAsked,
    Event,
    FireChanged,
    HoldAsked,
    ParityJudged,
    Started,
    TamperChanged,
)
from terminal.core.policy import AlarmLine, Policy
from terminal.core.values import NOTHING_ALLOWED, Alarm, FaceOff, PinVerdict, Scene
from tests.core import given
from tests.core.given import AGREED, CARD_AND_PIN, RESIDENT, Terminal, kinds, only, record

ALL_HEARD = Policy(alarm_line=AlarmLine.ALL)


def acknowledges(terminal: Terminal) -> Effects:
    return terminal.hears(AlarmsAcknowledged, by="guard")


def standing_open(policy: Policy = given.WALK_UP) -> Terminal:
    terminal = given.started(policy)
    terminal.shows_card(AGREED)
    terminal.opens()
    return terminal


def under_duress(policy: Policy = given.WALK_UP) -> Terminal:
    terminal = given.ready(policy)
    terminal.shows_card(CARD_AND_PIN)
    terminal.types_pin(PinVerdict.DURESS)
    return terminal


def line(terminal: Terminal) -> list[bool]:
    """What the alarm contact was told since the start."""
    every = [one for told in terminal.history[1:] for one in told.effects]
    return [one.on for one in every if isinstance(one, SoundAlarm)]


# Held open, propped (R41)


@pytest.mark.requirement("R41")
def test_before_an_alarm_somebody_is_asked_to_close_the_door() -> None:
    terminal = standing_open()
    effects = terminal.waits(terminal.policy.held_open_s - terminal.policy.held_warn_s)
    assert only(effects, Play) == (Play(Sound.WARNING),)
    assert Scene.CLOSE_DOOR in [one.screen.scene for one in only(effects, Show)]
    assert not kinds(effects) and not terminal.state.alarms
    effects = terminal.waits(terminal.policy.held_warn_s - 0.1)
    assert not kinds(effects)
    effects = terminal.waits(0.1)
    assert Kind.HELD_OPEN in kinds(effects)
    assert Play(Sound.ALARM) in effects
    assert only(effects, SoundAlarm) == (SoundAlarm(on=True),)
    assert terminal.state.alarms == {Alarm.HELD_OPEN}


def test_a_door_closed_after_the_warning_is_no_alarm() -> None:
    terminal = standing_open()
    terminal.waits(terminal.policy.held_open_s - 1.0)
    terminal.closes()
    terminal.waits(500.0)
    assert Kind.HELD_OPEN not in [one.kind for one in terminal.recorded]


def test_a_grant_after_the_warning_gives_it_time_again() -> None:
    terminal = standing_open()
    terminal.waits(terminal.policy.held_open_s - 1.0)
    terminal.shows_card(AGREED)
    terminal.waits(terminal.policy.held_open_s - 1.0)
    assert not terminal.state.alarms


@pytest.mark.parametrize("warn_s", [0.0, 30.0, 99.0])
def test_the_alarm_comes_when_it_is_due_however_long_the_warning(warn_s: float) -> None:
    terminal = standing_open(Policy(held_warn_s=warn_s))
    assert Kind.HELD_OPEN not in kinds(terminal.waits(terminal.policy.held_open_s - 0.1))
    assert Kind.HELD_OPEN in kinds(terminal.waits(0.1))


@pytest.mark.requirement("R41")
def test_a_door_that_nobody_closes_is_said_again_once() -> None:
    terminal = standing_open()
    terminal.waits(terminal.policy.held_open_s)
    assert Kind.PROPPED not in kinds(terminal.waits(terminal.policy.propped_s - 0.1))
    effects = terminal.waits(0.1)
    assert kinds(effects) == (Kind.PROPPED,)
    assert Play(Sound.ALARM) in effects
    assert terminal.state.alarms == {Alarm.HELD_OPEN, Alarm.PROPPED}
    assert not kinds(terminal.waits(10 * terminal.policy.propped_s))
    acknowledges(terminal)
    assert terminal.state.alarms == {Alarm.HELD_OPEN, Alarm.PROPPED}, "it still is"


@pytest.mark.requirement("R41")
def test_held_and_propped_end_when_the_door_is_closed() -> None:
    terminal = standing_open()
    terminal.waits(terminal.policy.held_open_s + terminal.policy.propped_s)
    effects = terminal.closes()
    assert not terminal.state.alarms
    assert only(effects, SoundAlarm) == (SoundAlarm(on=False),)


def test_they_end_with_the_closing_also_where_the_door_is_held_meanwhile() -> None:
    terminal = standing_open()
    terminal.waits(terminal.policy.held_open_s + terminal.policy.propped_s)
    terminal.hears(HoldAsked, lasts_s=60.0, by="operator", why="moving in")
    terminal.closes()
    assert not terminal.state.alarms


# Forced


@pytest.mark.requirement("R41")
def test_a_forced_door_is_an_alarm_until_it_is_closed_and_acknowledged() -> None:
    terminal = given.started()
    effects = terminal.opens()
    assert only(effects, SoundAlarm) == (SoundAlarm(on=True),)
    acknowledges(terminal)
    assert terminal.state.alarms == {Alarm.FORCED_OPEN}, "it still stands open"
    terminal.closes()
    assert terminal.state.alarms == {Alarm.FORCED_OPEN}, "somebody has to know"
    effects = acknowledges(terminal)
    assert record(effects, Kind.ALARMS_ACKNOWLEDGED).facts == (("alarm", "forced_open"),)
    assert record(effects, Kind.ALARMS_ACKNOWLEDGED).by == "guard"
    assert not terminal.state.alarms
    assert line(terminal) == [True, False]


# Fire (D15, R21)


@pytest.mark.requirement("D15", "R21")
def test_fire_is_observed_and_moves_no_strike() -> None:
    terminal = given.started()
    effects = terminal.hears(FireChanged, active=True)
    assert record(effects, Kind.FIRE).facts == (("signal", "on"),)
    assert terminal.state.alarms == {Alarm.FIRE}
    assert kinds(terminal.opens()) == (Kind.DOOR_OPENED,), "the fire panel opened it"
    terminal.closes()
    effects = terminal.hears(FireChanged, active=False)
    assert record(effects, Kind.FIRE).facts == (("signal", "over"),)
    assert not terminal.state.alarms
    moved = [one for told in terminal.history[1:] for one in told.effects]
    assert not [one for one in moved if isinstance(one, ReleaseStrike | HoldStrike)]


def test_after_a_fire_an_opening_is_forced_again() -> None:
    terminal = given.started()
    terminal.hears(FireChanged, active=True)
    terminal.hears(FireChanged, active=False)
    assert Kind.FORCED_OPEN in kinds(terminal.opens())


# Tamper


@pytest.mark.requirement("R41")
def test_an_opened_case_is_an_alarm_and_no_face_is_looked_at() -> None:
    terminal = given.ready()
    effects = terminal.hears(TamperChanged, open=True)
    assert record(effects, Kind.TAMPER).facts == (("case", "open"),)
    assert Play(Sound.ALARM) in effects
    assert terminal.permission == NOTHING_ALLOWED
    assert given.face_off(terminal) is FaceOff.TAMPER
    assert only(terminal.shows_card(AGREED), ReleaseStrike), "cards go on"


@pytest.mark.requirement("R41")
def test_a_closed_case_is_still_an_alarm_until_it_is_acknowledged() -> None:
    terminal = given.ready()
    terminal.hears(TamperChanged, open=True)
    acknowledges(terminal)
    assert terminal.state.alarms == {Alarm.TAMPER}, "it is open"
    effects = terminal.hears(TamperChanged, open=False)
    assert record(effects, Kind.TAMPER).facts == (("case", "closed"),)
    assert given.face_off(terminal) is FaceOff.TAMPER
    acknowledges(terminal)
    assert given.face_off(terminal) is None


def test_what_is_open_or_burning_at_the_start_is_an_alarm() -> None:
    terminal = Terminal()
    effects = terminal.hears(
        Started, door_open=False, readers=given.READERS, tampered=True, fire=True
    )
    assert terminal.state.alarms == {Alarm.TAMPER, Alarm.FIRE}
    assert kinds(effects)[:3] == (Kind.STARTED, Kind.TAMPER, Kind.FIRE)
    assert only(effects, SoundAlarm) == (SoundAlarm(on=True),)


# Parity (D12)


@pytest.mark.requirement("D12")
def test_ways_less_convenient_than_the_face_are_an_alarm_that_only_ends_by_itself() -> None:
    terminal = given.started()
    effects = terminal.hears(ParityJudged, broken=True)
    assert record(effects, Kind.PARITY).facts == (("convenient", "no"),)
    assert not terminal.hears(ParityJudged, broken=True), "said once"
    acknowledges(terminal)
    assert terminal.state.alarms == {Alarm.PARITY}
    effects = terminal.hears(ParityJudged, broken=False)
    assert record(effects, Kind.PARITY).facts == (("convenient", "yes"),)
    assert not terminal.state.alarms
    assert not terminal.hears(ParityJudged, broken=False)


# What is heard (R47)


@pytest.mark.requirement("R47")
def test_duress_is_not_heard_at_the_door_unless_the_contact_rings_elsewhere() -> None:
    assert line(under_duress()) == []
    assert line(under_duress(ALL_HEARD)) == [True]


@pytest.mark.requirement("R47")
def test_duress_is_acknowledged_as_silently() -> None:
    terminal = under_duress()
    terminal.waits(30.0)
    before = terminal.noticed
    effects = acknowledges(terminal)
    assert record(effects, Kind.ALARMS_ACKNOWLEDGED).facts == (("alarm", "duress"),)
    assert terminal.noticed == before
    assert not terminal.state.alarms


@pytest.mark.parametrize("policy", [given.WALK_UP, ALL_HEARD])
def test_no_siren_is_for_parity(policy: Policy) -> None:
    terminal = given.started(policy)
    terminal.hears(ParityJudged, broken=True)
    assert line(terminal) == []


def test_the_contact_opens_when_the_last_alarm_that_is_heard_is_over() -> None:
    terminal = standing_open()
    terminal.hears(FireChanged, active=True)
    terminal.waits(terminal.policy.held_open_s)
    terminal.hears(FireChanged, active=False)
    assert line(terminal) == [True]
    terminal.closes()
    assert line(terminal) == [True, False]


def test_a_start_says_how_the_contact_is_to_be() -> None:
    (said,) = only(given.started().history[0].effects, SoundAlarm)
    assert not said.on


# An operator's changes


def test_a_change_is_recorded_and_then_carried_out() -> None:
    terminal = given.started()
    at, facts = given.at(terminal.now_s), (("pass", "00c0ffee00c0ffee"),)
    asked = ChangeAsked(at, Kind.PASS_REVOKED, "operator", 7, RESIDENT, facts)
    effects = terminal.hears_event(asked)
    said = record(effects, Kind.PASS_REVOKED)
    assert (said.person, said.by) == (RESIDENT, "operator")
    assert said.facts == facts
    assert effects == (said, CarryOut(7))


@pytest.mark.parametrize(
    ("event", "facts"),
    [(FireChanged, {"active": True}), (TamperChanged, {"open": True})],
)
def test_the_screen_of_the_door_says_nothing_of_other_lines(
    event: type[Event], facts: dict[str, Any]
) -> None:
    terminal = given.started()
    before = machine.screen(terminal.state, terminal.policy)
    terminal.hears(event, **facts)
    assert machine.screen(terminal.state, terminal.policy).scene is before.scene
