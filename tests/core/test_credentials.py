"""Facts about showing a card or a pass: heard always, no face looked at after it, the way out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from terminal.core.effects import Effects, Kind, LightSign, Permit, Play, ReleaseStrike, Show, Sound
from terminal.core.events import (
    ButtonPressed,
    FaceAsked,
    InterlockChanged,
    PresenceChanged,
    RexPressed,
    TimePassed,
)
from terminal.core.policy import READER_FAILURES, Policy
from terminal.core.transaction import AccessPhase
from terminal.core.values import (
    NOTHING_ALLOWED,
    Alarm,
    FaceOff,
    Holder,
    Level,
    Outcome,
    Permission,
    Reason,
    Scene,
    Screen,
    Side,
    TrackId,
    View,
)
from tests.core import given
from tests.core.given import (
    AGREED,
    BUTTON,
    CARD_AND_PIN,
    MOVED_OUT,
    NOT_AGREED,
    PASS,
    Terminal,
    kinds,
    only,
    record,
)

DETECT = Permission(Level.DETECT)
FOREIGN = [Reason.NOT_A_PASS, Reason.SEVERAL_CODES]


def shows_code(terminal: Terminal, problem: Reason, **facts: Any) -> Effects:
    return terminal.shows_pass(None, None, problem=problem, is_checked=False, **facts)


def in_phase(phase: AccessPhase) -> Terminal:
    terminal = given.ready(BUTTON if phase is AccessPhase.ASKED else given.WALK_UP)
    if phase is AccessPhase.ASKED:
        terminal.hears(FaceAsked)
    if phase in (AccessPhase.PROMPTED, AccessPhase.SCANNING):
        terminal.sees(View.READY, 1)
    if phase is AccessPhase.SCANNING:
        terminal.waits(terminal.policy.dwell_s)
    if phase is AccessPhase.PENDING:
        terminal.shows_card(CARD_AND_PIN)
    if phase in (AccessPhase.GRANTED, AccessPhase.REFUSED):
        terminal.walks_up()
        terminal.is_compared(AGREED if phase is AccessPhase.GRANTED else None)
    if phase is AccessPhase.DECLINED:
        terminal.hears(ButtonPressed)
    assert terminal.state.access.phase is phase
    return terminal


# In every phase


@pytest.mark.parametrize("phase", AccessPhase)
def test_a_credential_is_heard_in_every_phase(phase: AccessPhase) -> None:
    for shown in (Terminal.shows_card, Terminal.shows_pass):
        terminal = in_phase(phase)
        effects = shown(terminal, NOT_AGREED)
        assert Kind.GRANTED in kinds(effects)
        assert Play(Sound.GRANTED) in effects
        assert terminal.ends[-1][2] is Outcome.GRANTED


@pytest.mark.parametrize("phase", AccessPhase)
@pytest.mark.requirement("D13")
def test_a_credential_that_does_not_open_is_refused_in_every_phase(phase: AccessPhase) -> None:
    terminal = in_phase(phase)
    effects = terminal.shows_card(MOVED_OUT)
    assert record(effects, Kind.REFUSED).reason is Reason.NOT_VALID_NOW
    stays = phase is AccessPhase.DECLINED
    assert terminal.state.access.phase is (AccessPhase.DECLINED if stays else AccessPhase.REFUSED)


# Whoever shows a credential is not looked at


@pytest.mark.requirement("D1", "R13", "A26")
@pytest.mark.parametrize("phase", AccessPhase)
@pytest.mark.parametrize("holder", [None, NOT_AGREED, MOVED_OUT, CARD_AND_PIN])
def test_from_a_credential_on_nobody_is_looked_at(
    phase: AccessPhase, holder: Holder | None
) -> None:
    terminal = in_phase(phase)
    terminal.shows_card(holder)
    assert terminal.permission == NOTHING_ALLOWED
    assert not only(terminal.waits(terminal.policy.release_s + 1.0), Permit)
    assert terminal.permission == NOTHING_ALLOWED


@pytest.mark.requirement("D9")
def test_it_ends_when_the_door_was_released_and_not_used() -> None:
    terminal = given.ready()
    terminal.shows_card(NOT_AGREED)
    terminal.waits(terminal.policy.release_s + terminal.policy.decline_hold_s)
    assert terminal.permission == DETECT


@pytest.mark.requirement("D10", "A26")
def test_the_sign_goes_dark_with_the_credential_and_says_why() -> None:
    terminal = given.ready()
    terminal.walks_up()
    effects = terminal.shows_card(NOT_AGREED)
    assert LightSign(False) in effects
    assert given.face_off(terminal) is FaceOff.ANOTHER_WAY
    (shown,) = only(terminal.waits(terminal.policy.granted_show_s), Show)
    assert shown.screen == Screen(Scene.FACE_OFF, face_off=FaceOff.ANOTHER_WAY)
    assert Kind.FACE_OFF not in kinds(terminal.history[-1].effects), "it comes and goes"


@pytest.mark.requirement("D9")
def test_it_ends_when_the_door_cycle_and_the_hold_time_are_over() -> None:
    terminal = given.ready()
    terminal.shows_card(NOT_AGREED)
    terminal.opens()
    terminal.waits(10.0)
    terminal.closes()
    terminal.waits(terminal.policy.decline_hold_s - 0.01)
    assert terminal.permission == NOTHING_ALLOWED
    terminal.waits(0.01)
    assert terminal.permission == DETECT


@pytest.mark.requirement("D9")
@pytest.mark.parametrize("holder", [None, NOT_AGREED])
def test_it_ends_when_nobody_was_there_for_the_clearing_time(
    holder: Holder | None,
) -> None:
    """The same whether the credential opened or not."""
    terminal = given.ready()
    terminal.shows_card(holder)
    terminal.hears(PresenceChanged, present=False)
    terminal.waits(terminal.policy.decline_clear_s - 0.01)
    assert terminal.permission == NOTHING_ALLOWED
    terminal.waits(0.01)
    assert terminal.permission == DETECT


@pytest.mark.requirement("D9")
def test_whoever_comes_back_is_still_not_looked_at() -> None:
    terminal = given.ready()
    terminal.shows_card(None)
    terminal.hears(PresenceChanged, present=False)
    terminal.waits(2.0)
    terminal.hears(PresenceChanged, present=True)
    terminal.waits(terminal.policy.decline_max_s - 2.1)
    assert terminal.permission == NOTHING_ALLOWED
    terminal.waits(0.1)
    assert terminal.permission == DETECT


@pytest.mark.requirement("D9")
@pytest.mark.parametrize("declined", [False, True])
def test_the_door_of_somebody_who_leaves_does_not_end_it(declined: bool) -> None:
    terminal = given.declined() if declined else given.ready()
    terminal.shows_card(None)
    terminal.hears(RexPressed)
    terminal.opens()
    terminal.closes()
    terminal.waits(30.0)
    assert terminal.permission == NOTHING_ALLOWED


@pytest.mark.requirement("D9")
def test_while_somebody_is_served_it_does_not_end_and_no_deadline_comes_again() -> None:
    """`Terminal.waits` finds a deadline that stays due."""
    terminal = given.ready()
    terminal.shows_card(CARD_AND_PIN)
    terminal.hears(PresenceChanged, present=False)
    terminal.waits(terminal.policy.decline_clear_s + 1.0)
    terminal.hears(TimePassed)
    assert terminal.state.access.phase is AccessPhase.PENDING
    assert terminal.state.access.away
    terminal.waits(terminal.policy.second_wait_s)
    terminal.waits(terminal.policy.refused_show_s)
    assert terminal.permission == DETECT


def test_another_credential_begins_the_time_again() -> None:
    terminal = given.ready()
    terminal.shows_card(None)
    terminal.waits(terminal.policy.decline_max_s - 1.0)
    terminal.shows_card(None)
    terminal.waits(terminal.policy.decline_max_s - 1.0)
    assert terminal.permission == NOTHING_ALLOWED


@pytest.mark.requirement("D9", "A26")
def test_no_scan_follows_until_the_zone_was_empty() -> None:
    terminal = given.ready()
    terminal.shows_card(NOT_AGREED)
    terminal.waits(terminal.policy.decline_max_s)
    terminal.walks_up(track=2)
    terminal.waits(10.0)
    assert not terminal.embedded
    terminal.sees(View.EMPTY)
    terminal.walks_up(track=3)
    assert terminal.embedded == {TrackId(3)}


@pytest.mark.parametrize("policy", [given.WALK_UP, BUTTON])
def test_whoever_asks_to_be_recognised_after_all_is(policy: Policy) -> None:
    terminal = given.ready(policy)
    terminal.shows_card(None)
    terminal.waits(terminal.policy.refused_show_s)
    terminal.hears(FaceAsked)
    assert terminal.permission == DETECT
    terminal.sees(View.READY, 1)
    assert only(terminal.is_compared(AGREED), ReleaseStrike)


# Codes that are no pass of ours


@pytest.mark.requirement("A9")
@pytest.mark.parametrize("problem", FOREIGN)
@pytest.mark.parametrize("phase", [one for one in AccessPhase if one is not AccessPhase.IDLE])
def test_a_foreign_code_disturbs_nobody(problem: Reason, phase: AccessPhase) -> None:
    terminal = in_phase(phase)
    before = terminal.state
    effects = shows_code(terminal, problem)
    access = replace(terminal.state.access, reason=before.access.reason)
    assert replace(terminal.state, access=access) == before
    noted = phase is AccessPhase.DECLINED
    assert [type(one) for one in effects] == ([Show] if noted else [])


@pytest.mark.parametrize("problem", FOREIGN)
def test_a_foreign_code_is_shown_where_nothing_else_is(problem: Reason) -> None:
    terminal = given.ready()
    (shown,) = shows_code(terminal, problem)
    assert shown == Show(Screen(Scene.REFUSED, reason=problem))
    assert terminal.permission == DETECT, "nobody has shown a credential"
    (shown,) = only(terminal.waits(terminal.policy.refused_show_s), Show)
    assert shown.screen.scene is Scene.IDLE


@pytest.mark.requirement("R40", "A9", "T23")
def test_foreign_codes_are_never_counted() -> None:
    terminal = given.ready()
    for number in range(50):
        shows_code(terminal, FOREIGN[number % 2], side=list(Side)[number // 2 % 2])
        terminal.waits(0.1)
    assert not terminal.ends and not terminal.state.alarms
    assert not terminal.state.access.reader_failures
    assert [one.kind for one in terminal.recorded if one.kind is Kind.REFUSED] == []


def test_whoever_walks_up_with_a_code_on_a_shirt_is_prompted_all_the_same() -> None:
    terminal = given.ready()
    shows_code(terminal, Reason.NOT_A_PASS)
    terminal.sees(View.READY, 1)
    assert terminal.state.access.phase is AccessPhase.PROMPTED


def test_whoever_was_refused_otherwise_waits_until_that_was_shown() -> None:
    terminal = given.ready()
    terminal.walks_up(track=1)
    terminal.is_compared(None)
    terminal.sees(View.READY, 2)
    assert terminal.state.access.phase is AccessPhase.REFUSED


@pytest.mark.requirement("R40")
@pytest.mark.parametrize("problem", [Reason.UNKNOWN_PASS, Reason.OTHER_DOOR])
def test_a_pass_of_ours_that_is_wrong_is_counted(problem: Reason) -> None:
    terminal = given.ready()
    told = [kinds(shows_code(terminal, problem)) for _ in range(READER_FAILURES)]
    assert Kind.READER_ALARM in told[-1]
    assert Alarm.READER in terminal.state.alarms


# The reader inside (R21)


@pytest.mark.requirement("R21")
@pytest.mark.parametrize("phase", AccessPhase)
def test_somebody_who_leaves_disturbs_nobody_outside(phase: AccessPhase) -> None:
    terminal = in_phase(phase)
    terminal.waits(10.0 if phase is AccessPhase.GRANTED else 0.0)
    before = terminal.state.access
    effects = terminal.leaves_by_card(MOVED_OUT)
    assert only(effects, ReleaseStrike)
    granted = record(effects, Kind.GRANTED)
    assert granted.facts == (("strike", "released"), ("reader", "inside"), ("side", "out"))
    assert replace(terminal.state.access, reader_failures=before.reader_failures) == before


@pytest.mark.requirement("R21", "R40")
def test_an_unknown_card_inside_is_refused_and_counted() -> None:
    terminal = given.ready()
    for _ in range(READER_FAILURES):
        assert Alarm.READER not in terminal.state.alarms
        effects = terminal.leaves_by_card(None)
        assert not only(effects, ReleaseStrike)
        assert Play(Sound.REFUSED) in effects
    assert Alarm.READER in terminal.state.alarms
    assert not terminal.ends
    terminal.leaves_by_card(AGREED)
    assert Kind.READER_ALARM not in kinds(terminal.leaves_by_card(None))


@pytest.mark.requirement("R21")
def test_only_the_other_door_keeps_the_strike_at_rest_for_somebody_who_leaves() -> None:
    terminal = given.ready()
    terminal.hears(InterlockChanged, active=True)
    effects = terminal.leaves_by_card(AGREED)
    assert not only(effects, ReleaseStrike)
    assert record(effects, Kind.REFUSED).reason is Reason.INTERLOCK


@pytest.mark.requirement("R47")
def test_a_marked_pass_is_a_silent_alarm_on_the_way_in_and_out() -> None:
    marked = replace(PASS, is_marked=True)
    for side in Side:
        terminal = given.ready()
        effects = terminal.shows_pass(AGREED, marked, side=side)
        assert only(effects, ReleaseStrike)
        assert Kind.DURESS in kinds(effects)
        assert terminal.state.alarms == {Alarm.DURESS}


@pytest.mark.requirement("R47")
def test_a_marked_pass_looks_and_sounds_like_any_other() -> None:
    noticed = []
    for marked in (False, True):
        terminal = given.ready()
        terminal.walks_up()
        terminal.shows_pass(AGREED, replace(PASS, is_marked=marked))
        terminal.opens()
        terminal.closes()
        terminal.waits(20.0)
        noticed.append(terminal.noticed)
    assert noticed[0] == noticed[1]


# What is recorded of refusals (R40)


@pytest.mark.requirement("R40")
def test_until_the_alarm_each_refusal_is_a_record_however_fast_they_come() -> None:
    terminal = given.started()
    for _ in range(READER_FAILURES):
        assert Kind.REFUSED in kinds(terminal.shows_card(None))


@pytest.mark.requirement("R40")
def test_past_the_alarm_refusals_are_one_record_a_second_with_their_number() -> None:
    """A keyboard in the place of a reader fills no disk, and no refusal is forgotten."""
    terminal = given.started()
    for _ in range(READER_FAILURES + 2):
        terminal.shows_card(None)
    assert not kinds(terminal.shows_card(None))
    terminal.waits(0.9)
    assert not kinds(terminal.shows_card(None))
    terminal.waits(0.1)
    refused = record(terminal.shows_card(None), Kind.REFUSED)
    assert refused.facts == (("reader", "outside"), ("failures", str(READER_FAILURES + 5)))
    assert Kind.REFUSED in kinds(terminal.shows_card(None, reader="other")), "each has its own"
