"""Facts about the door: pulses, held releases, the contact, the way out, alarms."""

from __future__ import annotations

import pytest

from terminal.core.door_state import DoorPhase
from terminal.core.effects import (
    Effects,
    HoldStrike,
    Kind,
    Play,
    Record,
    ReleaseStrike,
    SecureStrike,
    Show,
    Sound,
)
from terminal.core.events import HoldAsked, HoldCancelled, RexPressed
from terminal.core.policy import HOLD_LEASE_S, HOLD_RENEW_S, Policy, Relock, Rex
from terminal.core.values import Scene, Way
from tests.core import given
from tests.core.given import AGREED, NOT_AGREED, Terminal, kinds, only, record

EXIT_RELEASES = Policy(rex=Rex.RELEASE)
ON_CLOSE = Policy(relock=Relock.ON_CLOSE)


def holds(terminal: Terminal, lasts_s: float) -> Effects:
    return terminal.hears(HoldAsked, lasts_s=lasts_s, by="operator", why="delivery")


def released(policy: Policy = given.WALK_UP) -> Terminal:
    terminal = given.ready(policy)
    terminal.shows_card(NOT_AGREED)
    return terminal


def standing_open() -> Terminal:
    terminal = released()
    terminal.opens()
    return terminal


def test_a_door_begins_secured_whatever_the_line_was() -> None:
    assert only(given.started().history[0].effects, SecureStrike)


def test_a_door_that_stands_open_at_the_start_is_known_and_secured() -> None:
    terminal = given.started(door_open=True)
    assert terminal.state.door.phase is DoorPhase.OPEN
    assert only(terminal.history[0].effects, SecureStrike)


@pytest.mark.requirement("D15", "T08")
def test_a_grant_releases_the_strike_after_its_record() -> None:
    effects = given.ready().shows_card(NOT_AGREED)
    (release,) = only(effects, ReleaseStrike)
    granted = record(effects, Kind.GRANTED)
    assert release.max_s == given.WALK_UP.release_s
    assert effects.index(granted) < effects.index(release)
    assert granted.facts == (("strike", "released"), ("reader", "outside"))


@pytest.mark.requirement("D15")
def test_a_pulse_nobody_uses_ends_after_release_s_and_not_before() -> None:
    terminal = released()
    assert not only(terminal.waits(terminal.policy.release_s - 0.01), SecureStrike)
    assert only(terminal.waits(0.01), SecureStrike)
    assert terminal.state.door.phase is DoorPhase.SECURED


@pytest.mark.requirement("D15", "R22")
def test_strike_is_secured_when_the_door_opens() -> None:
    effects = released().opens()
    assert isinstance(effects[0], SecureStrike)
    assert Kind.DOOR_OPENED in kinds(effects)


def test_a_second_grant_does_not_lengthen_a_pulse() -> None:
    terminal = released()
    terminal.waits(3.0)
    effects = terminal.shows_card(AGREED)
    assert not only(effects, ReleaseStrike)
    assert record(effects, Kind.GRANTED).facts[0] == ("strike", "already_released")
    assert only(terminal.waits(2.0), SecureStrike)


@pytest.mark.requirement("D15")
def test_a_grant_while_the_door_stands_open_never_energises_it() -> None:
    terminal = standing_open()
    effects = terminal.shows_card(AGREED)
    assert not only(effects, ReleaseStrike)
    assert record(effects, Kind.GRANTED).facts[0] == ("strike", "door_open")
    assert not only(terminal.waits(200.0), ReleaseStrike)


def test_a_grant_while_the_door_stands_open_gives_it_more_time() -> None:
    terminal = standing_open()
    terminal.waits(terminal.policy.held_open_s - 1.0)
    terminal.shows_card(AGREED)
    assert Kind.HELD_OPEN not in kinds(terminal.waits(2.0))


@pytest.mark.requirement("R41")
def test_a_door_held_open_is_an_alarm_once() -> None:
    terminal = standing_open()
    effects = terminal.waits(terminal.policy.held_open_s)
    assert Kind.HELD_OPEN in kinds(effects)
    assert Play(Sound.ALARM) in effects
    assert Kind.HELD_OPEN not in kinds(terminal.waits(300.0))


def test_a_grant_at_a_door_held_open_gives_it_time_again_without_the_strike() -> None:
    terminal = standing_open()
    terminal.waits(terminal.policy.held_open_s)
    assert not only(terminal.shows_card(AGREED), ReleaseStrike)
    assert terminal.state.door.phase is DoorPhase.OPEN


@pytest.mark.requirement("R41")
def test_a_door_opened_without_a_release_is_forced_and_an_alarm() -> None:
    effects = given.ready().opens()
    assert Kind.FORCED_OPEN in kinds(effects)
    assert Play(Sound.ALARM) in effects
    assert effects[0] == SecureStrike()


def test_a_grant_at_a_forced_door_does_not_energise_it() -> None:
    terminal = given.ready()
    terminal.opens()
    effects = terminal.shows_card(AGREED)
    assert not only(effects, ReleaseStrike)
    assert terminal.state.door.phase is DoorPhase.FORCED


@pytest.mark.requirement("R41")
def test_a_forced_door_is_shown_until_it_is_closed() -> None:
    terminal = given.ready()
    shown = [one.screen.scene for one in only(terminal.opens(), Show)]
    assert shown == [Scene.FORCED_OPEN]
    assert [one.screen.scene for one in only(terminal.closes(), Show)] == [Scene.IDLE]


def test_a_door_that_closes_is_secured_and_recorded() -> None:
    effects = standing_open().closes()
    assert only(effects, SecureStrike)
    assert Kind.DOOR_CLOSED in kinds(effects)


def test_a_contact_that_repeats_itself_changes_nothing() -> None:
    terminal = standing_open()
    before = terminal.state.door
    terminal.opens()
    assert terminal.state.door == before


# The way out (D15)


@pytest.mark.requirement("D15")
def test_an_exit_button_that_is_only_watched_moves_no_strike() -> None:
    terminal = given.ready()
    effects = terminal.hears(RexPressed)
    assert kinds(effects) == (Kind.REX,)
    assert not only(effects, ReleaseStrike)


def test_a_door_opened_from_inside_is_not_forced() -> None:
    terminal = given.ready()
    terminal.hears(RexPressed)
    terminal.waits(terminal.policy.rex_mask_s)
    assert kinds(terminal.opens()) == (Kind.DOOR_OPENED,)


def test_a_door_opened_long_after_the_exit_button_is_forced() -> None:
    terminal = given.ready()
    terminal.hears(RexPressed)
    terminal.waits(terminal.policy.rex_mask_s + 0.1)
    assert Kind.FORCED_OPEN in kinds(terminal.opens())


def test_one_press_of_the_exit_button_is_good_for_one_opening() -> None:
    terminal = given.ready()
    terminal.hears(RexPressed)
    terminal.opens()
    terminal.closes()
    assert Kind.FORCED_OPEN in kinds(terminal.opens())


@pytest.mark.requirement("D15", "T08")
def test_an_exit_button_that_releases_is_recorded_first() -> None:
    effects = given.ready(EXIT_RELEASES).hears(RexPressed)
    (release,) = only(effects, ReleaseStrike)
    assert effects.index(record(effects, Kind.REX)) < effects.index(release)


def test_an_exit_button_does_not_energise_an_open_door_or_a_running_pulse() -> None:
    terminal = released(EXIT_RELEASES)
    assert not only(terminal.hears(RexPressed), ReleaseStrike)
    terminal.opens()
    assert not only(terminal.hears(RexPressed), ReleaseStrike)


# Held releases (D15)


@pytest.mark.requirement("D15")
def test_a_held_release_is_recorded_with_who_and_why_before_it_begins() -> None:
    effects = holds(given.ready(), 60.0)
    started = record(effects, Kind.HOLD_STARTED)
    (hold,) = only(effects, HoldStrike)
    assert (started.way, started.by) == (Way.HOLD, "operator")
    assert started.facts == (("lasts_s", "60"), ("why", "delivery"))
    assert effects.index(started) < effects.index(hold)


@pytest.mark.requirement("D15")
def test_a_held_release_is_asserted_again_until_its_end_and_then_secured() -> None:
    terminal = given.ready()
    holds(terminal, 60.0)
    leases = [hold.lease_s for hold in only(terminal.waits(59.9), HoldStrike)]
    assert len(leases) == int(59.9 / HOLD_RENEW_S)
    assert max(leases) == HOLD_LEASE_S
    effects = terminal.waits(0.1)
    assert only(effects, SecureStrike)
    assert Kind.HOLD_ENDED in kinds(effects)


@pytest.mark.requirement("D15")
def test_no_lease_of_a_held_release_outlasts_it() -> None:
    terminal = given.ready()
    (first,) = only(holds(terminal, 6.0), HoldStrike)
    (second,) = only(terminal.waits(5.0), HoldStrike)
    assert first.lease_s == 6.0
    assert second.lease_s == pytest.approx(6.0 - HOLD_RENEW_S)


def test_a_hold_of_no_length_asserts_nothing() -> None:
    terminal = given.ready()
    (hold,) = only(holds(terminal, -1.0), HoldStrike)
    assert hold.lease_s == 0.0
    assert only(terminal.waits(0.0), SecureStrike)


def test_a_held_release_can_be_ended_by_an_operator() -> None:
    terminal = given.ready()
    holds(terminal, 60.0)
    effects = terminal.hears(HoldCancelled, by="other operator")
    assert only(effects, SecureStrike)
    assert record(effects, Kind.HOLD_ENDED).by == "other operator"
    assert not only(terminal.waits(60.0), HoldStrike)


def test_a_hold_that_is_not_there_cannot_be_ended() -> None:
    assert not given.ready().hears(HoldCancelled, by="operator")


def test_a_door_in_use_during_a_held_release_stays_released() -> None:
    terminal = given.ready()
    holds(terminal, 60.0)
    assert not only((*terminal.opens(), *terminal.closes()), SecureStrike)
    assert not only(terminal.shows_card(AGREED), ReleaseStrike)


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_held_release_that_ends_while_the_door_is_open_leaves_an_open_door(
    cancelled: bool,
) -> None:
    terminal = given.ready()
    holds(terminal, 60.0)
    terminal.opens()
    if cancelled:
        terminal.hears(HoldCancelled, by="operator")
    else:
        terminal.waits(60.0)
    assert terminal.state.door.phase is DoorPhase.OPEN
    assert Kind.HELD_OPEN in kinds(terminal.waits(terminal.policy.held_open_s))


def test_a_pulse_becomes_a_held_release_without_a_second_pulse() -> None:
    terminal = released()
    effects = holds(terminal, 60.0)
    assert not only(effects, ReleaseStrike)
    assert not only(terminal.waits(terminal.policy.release_s + 1.0), SecureStrike)


def test_every_record_of_the_door_has_a_kind_of_its_own() -> None:
    terminal = standing_open()
    terminal.closes()
    every = [one for told in terminal.history for one in only(told.effects, Record)]
    assert [one.kind for one in every if one.kind.value.startswith("door")] == [
        Kind.DOOR_OPENED,
        Kind.DOOR_CLOSED,
    ]


# Relock


@pytest.mark.requirement("D15")
def test_where_the_site_wants_it_the_strike_is_secured_on_closing() -> None:
    terminal = given.started(ON_CLOSE)
    terminal.shows_card(AGREED)
    terminal.waits(1.0)
    assert not only(terminal.opens(), SecureStrike)
    terminal.waits(1.0)
    assert only(terminal.closes(), SecureStrike)
    assert terminal.state.door.phase is DoorPhase.SECURED


@pytest.mark.requirement("D15")
def test_a_pulse_is_never_longer_than_it_may_be_however_long_the_door_is_open() -> None:
    terminal = given.started(ON_CLOSE)
    terminal.shows_card(AGREED)
    terminal.waits(1.0)
    terminal.opens()
    assert not only(terminal.waits(terminal.policy.release_s - 1.1), SecureStrike)
    assert only(terminal.waits(0.1), SecureStrike)
    assert terminal.state.door.phase is DoorPhase.OPEN
    assert Kind.HELD_OPEN in kinds(terminal.waits(terminal.policy.held_open_s))


def test_where_it_is_secured_on_closing_an_exit_that_only_opens_moves_nothing() -> None:
    terminal = given.started(ON_CLOSE)
    terminal.hears(RexPressed)
    assert not only(terminal.opens(), SecureStrike)
    terminal.waits(10.0)
    assert kinds(terminal.closes()) == (Kind.DOOR_CLOSED,)
