"""Facts about a lockdown, a guard's release and the other door of a pair."""

from __future__ import annotations

from dataclasses import replace

import pytest

from terminal.core import machine
from terminal.core.door_state import DoorPhase
from terminal.core.effects import (
    Effects,
    HoldStrike,
    KeepLockdown,
    Kind,
    NotePassage,
    Record,
    ReleaseStrike,
    SecureStrike,
)
from terminal.core.events import (
    DoorBarred,
    HoldAsked,
    InterlockChanged,
    LockdownAsked,
    LockdownLifted,
    ReleaseAsked,
    RexPressed,
    Started,
)
from terminal.core.policy import Policy, Relock, Rex
from terminal.core.transaction import AccessPhase
from terminal.core.values import Holder, Outcome, PinVerdict, Reason, Scene, Way
from tests.core import given
from tests.core.given import (
    AGREED,
    CARD_AND_PIN,
    COUNTED,
    NOT_AGREED,
    PASS,
    RESCUE,
    Terminal,
    kinds,
    only,
    record,
)

RELEASES_EXIT = Policy(rex=Rex.RELEASE)


def locks_down(terminal: Terminal) -> Effects:
    return terminal.hears(LockdownAsked, by="guard", why="alarm")


def lifts(terminal: Terminal) -> Effects:
    return terminal.hears(LockdownLifted, by="guard", why="all clear")


def guard_releases(terminal: Terminal) -> Effects:
    return terminal.hears(ReleaseAsked, by="guard", why="delivery")


def other_door(terminal: Terminal, is_open: bool) -> Effects:
    return terminal.hears(InterlockChanged, active=is_open)


def holds(terminal: Terminal) -> Effects:
    return terminal.hears(HoldAsked, lasts_s=60.0, by="operator", why="moving in")


def locked_down(policy: Policy = given.WALK_UP) -> Terminal:
    terminal = given.ready(policy)
    locks_down(terminal)
    return terminal


def in_pair(policy: Policy = given.WALK_UP) -> Terminal:
    """A terminal whose other door stands open."""
    terminal = given.ready(policy)
    other_door(terminal, True)
    return terminal


# A lockdown


@pytest.mark.requirement("R47")
def test_a_lockdown_is_recorded_with_its_reason_and_kept() -> None:
    terminal = given.ready()
    effects = locks_down(terminal)
    said = record(effects, Kind.LOCKDOWN)
    assert (said.by, said.facts) == ("guard", (("why", "alarm"),))
    assert only(effects, KeepLockdown) == (KeepLockdown(on=True, why="alarm"),)
    assert only(effects, SecureStrike)
    assert machine.screen(terminal.state, terminal.policy).scene is Scene.LOCKED_DOWN


def test_in_a_lockdown_nobody_comes_in_but_those_who_may() -> None:
    terminal = locked_down()
    for shown in (Terminal.shows_card, Terminal.shows_pass):
        refused = record(shown(terminal, AGREED), Kind.REFUSED)
        assert refused.reason is Reason.LOCKDOWN
    assert only(terminal.shows_card(RESCUE), ReleaseStrike)


@pytest.mark.parametrize(("holder", "opens"), [(AGREED, False), (RESCUE, True)])
def test_in_a_lockdown_a_face_opens_for_those_who_may(holder: Holder, opens: bool) -> None:
    terminal = locked_down()
    terminal.walks_up()
    effects = terminal.is_compared(holder)
    assert bool(only(effects, ReleaseStrike)) is opens


@pytest.mark.requirement("R21")
def test_in_a_lockdown_everybody_is_let_out() -> None:
    terminal = locked_down(RELEASES_EXIT)
    assert only(terminal.leaves_by_card(NOT_AGREED), ReleaseStrike)
    terminal.waits(10.0)
    assert only(terminal.hears(RexPressed), ReleaseStrike)


def test_a_lockdown_ends_a_pulse_and_whoever_was_to_come_is_not_noted() -> None:
    terminal = given.ready()
    terminal.shows_card(AGREED)
    assert locks_down(terminal)[0] == SecureStrike()
    assert terminal.state.door.phase is DoorPhase.SECURED
    effects = terminal.opens()
    assert Kind.FORCED_OPEN in kinds(effects)
    assert not only(effects, NotePassage)


@pytest.mark.parametrize(("is_open", "phase"), [(False, DoorPhase.SECURED), (True, DoorPhase.OPEN)])
def test_a_lockdown_ends_a_held_release(is_open: bool, phase: DoorPhase) -> None:
    terminal = given.ready()
    holds(terminal)
    if is_open:
        terminal.opens()
    effects = locks_down(terminal)
    assert kinds(effects) == (Kind.HOLD_ENDED, Kind.LOCKDOWN)
    assert only(effects, SecureStrike)
    assert terminal.state.door.phase is phase
    assert not only(terminal.waits(100.0), HoldStrike)


def test_a_lockdown_ends_the_pulse_that_runs_on_while_the_door_is_open() -> None:
    terminal = given.ready(Policy(relock=Relock.ON_CLOSE))
    terminal.shows_card(AGREED)
    terminal.opens()
    assert only(locks_down(terminal), SecureStrike)
    assert terminal.state.door.strike_until_s is None


def test_in_a_lockdown_no_release_is_held() -> None:
    terminal = locked_down()
    refused = record(holds(terminal), Kind.REFUSED)
    assert (refused.way, refused.reason, refused.by) == (Way.HOLD, Reason.LOCKDOWN, "operator")
    assert refused.facts == (("why", "moving in"),)
    assert not only(terminal.waits(100.0), HoldStrike)


@pytest.mark.requirement("R47")
def test_in_a_lockdown_a_guard_lets_in_with_a_reason() -> None:
    effects = guard_releases(locked_down())
    said = record(effects, Kind.GUARD_RELEASE)
    assert (said.by, said.way) == ("guard", Way.GUARD)
    assert said.facts == (("strike", "released"), ("why", "delivery"))
    (release,) = only(effects, ReleaseStrike)
    assert effects.index(said) < effects.index(release)


def test_a_second_lockdown_is_none() -> None:
    assert not locks_down(locked_down())


def test_what_is_lifted_lets_in_again() -> None:
    terminal = locked_down()
    effects = lifts(terminal)
    assert record(effects, Kind.LOCKDOWN_LIFTED).facts == (("why", "all clear"),)
    assert only(effects, KeepLockdown) == (KeepLockdown(on=False, why="all clear"),)
    assert only(terminal.shows_card(AGREED), ReleaseStrike)
    assert not lifts(terminal), "there is none any more"


def test_no_restart_lifts_a_lockdown() -> None:
    terminal = Terminal()
    terminal.hears(Started, door_open=False, readers=given.READERS, locked_down=True)
    assert record(terminal.shows_card(AGREED), Kind.REFUSED).reason is Reason.LOCKDOWN
    terminal.hears(Started, door_open=False, readers=given.READERS)
    assert only(terminal.shows_card(AGREED), ReleaseStrike)


# What was begun before it


@pytest.mark.requirement("T17")
def test_a_lockdown_that_comes_while_a_pass_is_counted_keeps_its_holder_out() -> None:
    terminal = given.ready()
    terminal.shows_pass(AGREED, COUNTED)
    locks_down(terminal)
    assert not only(terminal.pass_is_spent(COUNTED), ReleaseStrike)


def test_a_lockdown_does_not_disturb_those_who_may() -> None:
    terminal = given.ready()
    rescue_pin = replace(CARD_AND_PIN, group=replace(CARD_AND_PIN.group, passes_lockdown=True))
    terminal.shows_card(rescue_pin)
    locks_down(terminal)
    assert only(terminal.types_pin(PinVerdict.RIGHT), ReleaseStrike)


@pytest.mark.parametrize("declined", [False, True])
def test_the_other_door_that_opens_while_a_pin_is_typed_keeps_its_holder_out(
    declined: bool,
) -> None:
    terminal = given.declined() if declined else given.ready()
    terminal.shows_card(CARD_AND_PIN)
    effects = other_door(terminal, True)
    assert record(effects, Kind.REFUSED).reason is Reason.INTERLOCK
    assert not only(terminal.types_pin(PinVerdict.RIGHT), ReleaseStrike)
    assert terminal.ends[-1][2] is Outcome.REFUSED
    expected = AccessPhase.DECLINED if declined else AccessPhase.REFUSED
    assert terminal.state.access.phase is expected


def test_a_bar_that_is_none_disturbs_nobody() -> None:
    terminal = given.ready()
    terminal.shows_card(CARD_AND_PIN)
    terminal.hears(DoorBarred, lockdown=False, interlock=False)
    assert only(terminal.types_pin(PinVerdict.RIGHT), ReleaseStrike)


# A guard's release


@pytest.mark.requirement("R47")
def test_a_guard_s_release_is_one_pulse_and_nobody_s_passage() -> None:
    terminal = given.ready()
    guard_releases(terminal)
    assert record(guard_releases(terminal), Kind.GUARD_RELEASE).facts[0][1] == "already_released"
    effects = terminal.opens()
    assert kinds(effects) == (Kind.DOOR_OPENED,)
    assert not only(effects, NotePassage)
    effects = guard_releases(terminal)
    assert record(effects, Kind.GUARD_RELEASE).facts[0] == ("strike", "door_open")
    assert not only(effects, ReleaseStrike)
    terminal.closes()
    assert not terminal.ends


def test_a_guard_s_release_that_nobody_uses_ends() -> None:
    terminal = given.ready()
    guard_releases(terminal)
    assert only(terminal.waits(terminal.policy.release_s), SecureStrike)


# The other door of a pair


def test_while_the_other_door_is_open_nothing_releases_this_one() -> None:
    terminal = in_pair(RELEASES_EXIT)
    effects = (
        *terminal.shows_card(RESCUE),
        *terminal.shows_pass(AGREED, PASS),
        *terminal.leaves_by_card(AGREED),
        *terminal.hears(RexPressed),
        *guard_releases(terminal),
        *holds(terminal),
        *terminal.waits(100.0),
    )
    assert not only(effects, ReleaseStrike) and not only(effects, HoldStrike)
    reasons = [one.reason for one in only(effects, Record) if one.kind is Kind.REFUSED]
    assert reasons == [Reason.INTERLOCK] * 5


def test_a_guard_is_told_why_not() -> None:
    refused = record(guard_releases(in_pair()), Kind.REFUSED)
    assert (refused.way, refused.by, refused.facts) == (
        Way.GUARD,
        "guard",
        (("why", "delivery"),),
    )


def test_the_other_door_that_opens_ends_a_pulse() -> None:
    terminal = given.ready()
    terminal.shows_card(AGREED)
    effects = other_door(terminal, True)
    assert effects[0] == SecureStrike()
    assert record(effects, Kind.INTERLOCK).facts == (("other_door", "open"),)
    assert terminal.state.door.phase is DoorPhase.SECURED
    assert not terminal.state.door.coming


@pytest.mark.parametrize(("is_open", "phase"), [(False, DoorPhase.SECURED), (True, DoorPhase.OPEN)])
def test_the_other_door_that_opens_ends_a_held_release(is_open: bool, phase: DoorPhase) -> None:
    terminal = given.ready()
    holds(terminal)
    if is_open:
        terminal.opens()
    effects = other_door(terminal, True)
    assert only(effects, SecureStrike)
    assert Kind.HOLD_ENDED in kinds(effects)
    assert terminal.state.door.phase is phase


def test_the_other_door_that_opens_ends_a_pulse_at_an_open_door() -> None:
    terminal = given.ready(Policy(relock=Relock.ON_CLOSE))
    terminal.shows_card(AGREED)
    terminal.opens()
    assert only(other_door(terminal, True), SecureStrike)
    assert terminal.state.door.strike_until_s is None
    assert terminal.state.door.phase is DoorPhase.OPEN


def test_when_the_other_door_is_closed_this_one_opens_again() -> None:
    terminal = in_pair()
    effects = other_door(terminal, False)
    assert record(effects, Kind.INTERLOCK).facts == (("other_door", "closed"),)
    assert only(terminal.shows_card(AGREED), ReleaseStrike)


def test_a_pair_is_one_at_the_start_too() -> None:
    terminal = Terminal()
    terminal.hears(Started, door_open=False, readers=given.READERS, interlocked=True)
    assert record(terminal.shows_card(AGREED), Kind.REFUSED).reason is Reason.INTERLOCK
