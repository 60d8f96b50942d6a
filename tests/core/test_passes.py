"""Facts about passes that count: counted durably before anything opens, and never more often."""

from __future__ import annotations

from dataclasses import replace

import pytest

from terminal.core import machine
from terminal.core.effects import Kind, Play, ReleaseStrike, Sound, SpendPass
from terminal.core.events import ButtonPressed
from terminal.core.transaction import AccessPhase
from terminal.core.values import (
    CodeState,
    Outcome,
    PassId,
    PinVerdict,
    Reason,
    Scene,
    Ticket,
    Way,
)
from tests.core import given
from tests.core.given import (
    AGREED,
    COUNTED,
    PASS,
    PASS_AND_PIN,
    ROTATING,
    Terminal,
    kinds,
    only,
    record,
)

ONCE = replace(COUNTED, left=1)


def spending(ticket: Ticket = COUNTED) -> Terminal:
    terminal = given.ready()
    terminal.shows_pass(AGREED, ticket)
    return terminal


def test_a_pass_without_a_count_opens_at_once() -> None:
    terminal = given.ready()
    effects = terminal.shows_pass(AGREED, PASS)
    assert only(effects, ReleaseStrike)
    assert record(effects, Kind.GRANTED).way is Way.QR
    assert not only(effects, SpendPass)


@pytest.mark.requirement("T17", "A10")
@pytest.mark.parametrize("ticket", [COUNTED, ROTATING, ONCE])
def test_nothing_opens_before_the_use_of_a_pass_is_counted(ticket: Ticket) -> None:
    terminal = given.ready()
    effects = terminal.shows_pass(AGREED, ticket)
    assert only(effects, SpendPass) == (SpendPass(ticket.number, ticket.step),)
    assert not only(effects, ReleaseStrike)
    assert Kind.GRANTED not in kinds(effects)
    assert terminal.state.access.pending is not None
    effects = terminal.pass_is_spent(ticket)
    assert only(effects, ReleaseStrike)
    assert terminal.ends == [(1, Way.QR, Outcome.GRANTED)]


@pytest.mark.requirement("T17", "A10", "R44")
@pytest.mark.parametrize("declined", [False, True])
def test_a_pass_whose_use_could_not_be_counted_does_not_open(declined: bool) -> None:
    terminal = given.declined() if declined else given.ready()
    terminal.shows_pass(AGREED, COUNTED)
    effects = terminal.pass_is_spent(COUNTED, done=False)
    assert record(effects, Kind.REFUSED).reason is Reason.CANT_CHECK
    assert not only(effects, ReleaseStrike)
    assert Play(Sound.REFUSED) in effects
    assert not terminal.pass_is_spent(COUNTED), "and a late yes opens nothing"


@pytest.mark.requirement("T17")
def test_the_use_of_another_pass_opens_nothing() -> None:
    terminal = spending()
    assert not terminal.pass_is_spent(replace(COUNTED, number=PassId("ffff")))
    assert terminal.state.access.phase is AccessPhase.PENDING


@pytest.mark.requirement("T17")
def test_a_use_that_nobody_asked_for_opens_nothing() -> None:
    terminal = given.ready()
    assert not terminal.pass_is_spent(COUNTED)
    terminal.shows_card(given.CARD_AND_PIN)
    assert not terminal.pass_is_spent(COUNTED)
    terminal.shows_pass(PASS_AND_PIN, COUNTED)
    assert not terminal.pass_is_spent(COUNTED), "the PIN comes first"


@pytest.mark.requirement("T17")
def test_one_use_opens_once() -> None:
    terminal = spending()
    terminal.pass_is_spent(COUNTED)
    assert not terminal.pass_is_spent(COUNTED)
    assert [one.kind for one in terminal.recorded].count(Kind.GRANTED) == 1


@pytest.mark.parametrize("declined", [False, True])
def test_a_pass_held_before_the_camera_is_counted_once(declined: bool) -> None:
    terminal = given.declined() if declined else given.ready()
    terminal.shows_pass(AGREED, COUNTED)
    for _ in range(5):
        assert not terminal.shows_pass(AGREED, COUNTED)
    assert only(terminal.pass_is_spent(COUNTED), ReleaseStrike)


def test_a_pass_held_on_while_its_pin_is_typed_disturbs_nothing() -> None:
    terminal = given.ready()
    terminal.shows_pass(PASS_AND_PIN, PASS)
    assert not terminal.shows_pass(PASS_AND_PIN, PASS)
    assert only(terminal.types_pin(PinVerdict.RIGHT), ReleaseStrike)


def test_another_pass_is_another_transaction() -> None:
    terminal = spending()
    other = replace(COUNTED, number=PassId("0000000000000004"))
    effects = terminal.shows_pass(AGREED, other)
    assert only(effects, SpendPass) == (SpendPass(other.number, None),)
    assert terminal.ends == [(1, Way.QR, Outcome.ABANDONED)]
    assert not terminal.pass_is_spent(COUNTED)


def test_a_pass_with_a_pin_is_counted_after_the_pin_is_right() -> None:
    terminal = given.ready()
    assert not only(terminal.shows_pass(PASS_AND_PIN, COUNTED), SpendPass)
    assert not only(terminal.types_pin(PinVerdict.WRONG), SpendPass)
    effects = terminal.types_pin(PinVerdict.RIGHT)
    assert only(effects, SpendPass)
    assert not only(effects, ReleaseStrike)
    effects = terminal.pass_is_spent(COUNTED)
    assert record(effects, Kind.GRANTED).way is Way.QR_PIN
    assert only(effects, ReleaseStrike)


def test_what_is_typed_while_a_pass_is_counted_does_not_stop_it() -> None:
    terminal = spending()
    assert not terminal.types()
    assert only(terminal.pass_is_spent(COUNTED), ReleaseStrike)


def test_a_decline_while_a_pass_is_counted_does_not_stop_it() -> None:
    terminal = spending()
    terminal.hears(ButtonPressed)
    assert only(terminal.pass_is_spent(COUNTED), ReleaseStrike)
    assert terminal.ended[-1].steps == 2


def test_a_use_that_is_never_answered_is_refused_after_a_while() -> None:
    terminal = spending()
    effects = terminal.waits(terminal.policy.second_wait_s)
    assert record(effects, Kind.REFUSED).reason is Reason.TIME_IS_UP
    assert not terminal.pass_is_spent(COUNTED)


def test_a_pin_typed_at_the_last_moment_leaves_time_to_count_the_pass() -> None:
    terminal = given.ready()
    terminal.shows_pass(PASS_AND_PIN, COUNTED)
    terminal.waits(terminal.policy.second_wait_s - 0.1)
    terminal.types()
    terminal.waits(0.2)
    terminal.pin_is(PinVerdict.RIGHT)
    terminal.waits(0.2)
    assert only(terminal.pass_is_spent(COUNTED), ReleaseStrike)


def test_while_a_pass_is_counted_the_screen_says_so() -> None:
    terminal = spending()
    assert machine.screen(terminal.state, terminal.policy).scene is Scene.CHECKING


@pytest.mark.requirement("A10", "R44")
@pytest.mark.parametrize("code", [CodeState.WRONG, CodeState.USED])
def test_a_code_that_was_copied_is_not_even_counted(code: CodeState) -> None:
    terminal = given.ready()
    effects = terminal.shows_pass(AGREED, replace(ROTATING, code=code))
    assert not only(effects, SpendPass) and not only(effects, ReleaseStrike)
    assert Kind.REFUSED in kinds(effects)


@pytest.mark.requirement("R47")
@pytest.mark.parametrize("verdict", [PinVerdict.RIGHT, PinVerdict.DURESS])
def test_a_marked_pass_is_a_silent_alarm_whichever_pin_comes_with_it(verdict: PinVerdict) -> None:
    terminal = given.ready()
    terminal.shows_pass(PASS_AND_PIN, replace(COUNTED, is_marked=True))
    terminal.types_pin(verdict)
    effects = terminal.pass_is_spent(COUNTED)
    assert only(effects, ReleaseStrike)
    assert kinds(effects).count(Kind.DURESS) == 1
