"""Facts about PINs: three tries, growing delays of one person alone, one alarm, duress unseen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from terminal.core import machine
from terminal.core.effects import CheckPin, Effects, Kind, Play, Record, ReleaseStrike, Show, Sound
from terminal.core.events import ButtonPressed, DeclineAsked, LockdownAsked
from terminal.core.pin_tally import TALLIES, tally_of
from terminal.core.policy import PIN_DELAY_MOST_S, PIN_FAILURES, PIN_TRIES, Policy, pin_delay_s
from terminal.core.transaction import AccessPhase
from terminal.core.values import (
    NOTHING_ALLOWED,
    Alarm,
    FaceOff,
    Holder,
    Outcome,
    PersonId,
    PinVerdict,
    Reason,
    Scene,
    Screen,
    Way,
)
from tests.core import given
from tests.core.given import (
    CARD_AND_PIN,
    NEIGHBOUR,
    NOT_AGREED,
    RESIDENT,
    WITH_PIN,
    Terminal,
    kinds,
    only,
    record,
)

RIGHT, WRONG = PinVerdict.RIGHT, PinVerdict.WRONG
NEXT_DOOR = replace(CARD_AND_PIN, person=NEIGHBOUR)


def waiting(holder: Holder = CARD_AND_PIN, policy: Policy = given.WALK_UP) -> Terminal:
    """A terminal that waits for a PIN."""
    terminal = given.ready(policy)
    terminal.shows_card(holder)
    return terminal


def after_wrong(wrong: int) -> Terminal:
    """A terminal at which this PIN was wrong so many times in a row, its delays waited for."""
    terminal = given.started()
    for _ in range(wrong):
        terminal.waits(PIN_DELAY_MOST_S)
        terminal.shows_card(CARD_AND_PIN)
        terminal.types_pin(WRONG)
    return terminal


def shown_reason(effects: Effects) -> tuple[Scene, Reason | None]:
    (shown,) = only(effects, Show)
    return shown.screen.scene, shown.screen.reason


# A card and a PIN


def test_a_card_that_needs_a_pin_opens_when_it_is_right_and_not_before() -> None:
    terminal = given.ready()
    effects = terminal.shows_card(CARD_AND_PIN)
    assert not only(effects, ReleaseStrike)
    assert shown_reason(effects) == (Scene.TYPE_PIN, None)
    assert terminal.types() == (CheckPin(RESIDENT),)
    effects = terminal.pin_is(RIGHT)
    assert only(effects, ReleaseStrike)
    assert record(effects, Kind.GRANTED).way is Way.CARD_PIN
    assert terminal.ends == [(1, Way.CARD_PIN, Outcome.GRANTED)]


@pytest.mark.requirement("A11", "T18")
def test_a_weak_card_opens_only_with_its_pin_where_the_site_wants_that() -> None:
    terminal = given.ready()
    assert not only(terminal.shows_card(WITH_PIN, is_weak=True), ReleaseStrike)
    assert only(terminal.types_pin(RIGHT), ReleaseStrike)


@pytest.mark.requirement("D12")
def test_steps_and_the_time_of_typing_are_counted() -> None:
    terminal = waiting()
    terminal.waits(4.0)
    terminal.types()
    terminal.waits(0.5)
    terminal.pin_is(RIGHT)
    end = terminal.ended[-1]
    assert (end.steps, end.typing_s, end.took_s) == (2, 4.0, 4.5)


def test_a_pin_that_is_not_typed_is_waited_for_and_then_refused() -> None:
    terminal = waiting()
    assert not terminal.ends
    effects = terminal.waits(terminal.policy.second_wait_s)
    refused = record(effects, Kind.REFUSED)
    assert (refused.reason, refused.person) == (Reason.TIME_IS_UP, RESIDENT)
    assert terminal.ends == [(1, Way.CARD, Outcome.REFUSED)]
    assert not terminal.pin_is(RIGHT)


def test_whoever_typed_in_time_is_not_refused_because_the_check_takes_its_own() -> None:
    terminal = waiting()
    terminal.waits(terminal.policy.second_wait_s - 0.1)
    terminal.types()
    terminal.waits(1.0)
    assert only(terminal.pin_is(RIGHT), ReleaseStrike)


def test_a_pin_that_cannot_be_checked_does_not_open_and_counts_against_nobody() -> None:
    terminal = waiting()
    effects = terminal.types_pin(PinVerdict.CANT_CHECK)
    assert record(effects, Kind.REFUSED).reason is Reason.CANT_CHECK
    assert tally_of(terminal.state.access, RESIDENT).failures == 0
    assert terminal.state.access.phase is AccessPhase.REFUSED


@pytest.mark.parametrize("verdict", PinVerdict)
def test_what_was_checked_for_somebody_else_opens_nothing(verdict: PinVerdict) -> None:
    terminal = waiting()
    terminal.types()
    assert not only(terminal.pin_is(verdict, NEIGHBOUR), ReleaseStrike)
    assert terminal.state.access.phase is AccessPhase.PENDING


@pytest.mark.parametrize("verdict", [RIGHT, PinVerdict.DURESS, PinVerdict.CANT_CHECK])
def test_an_answer_that_nobody_asked_for_opens_nothing(verdict: PinVerdict) -> None:
    assert not waiting().pin_is(verdict)
    assert not given.ready().pin_is(verdict)


def test_another_card_takes_the_place_of_one_that_waits() -> None:
    terminal = waiting()
    effects = terminal.shows_card(NOT_AGREED)
    assert only(effects, ReleaseStrike)
    assert terminal.ends == [(1, Way.CARD, Outcome.ABANDONED), (2, Way.CARD, Outcome.GRANTED)]


# Wrong, and again


def test_a_wrong_pin_may_be_typed_again_and_is_told() -> None:
    terminal = waiting()
    effects = terminal.types_pin(WRONG)
    assert shown_reason(effects) == (Scene.TYPE_PIN, Reason.WRONG_PIN)
    assert Play(Sound.REFUSED) in effects
    refused = record(effects, Kind.REFUSED)
    assert (refused.reason, refused.way) == (Reason.WRONG_PIN, Way.CARD_PIN)
    assert refused.facts == (("reader", "outside"), ("failures", "1"))
    assert only(terminal.types_pin(RIGHT), ReleaseStrike)


def test_each_try_has_the_whole_time() -> None:
    terminal = waiting()
    for _ in range(PIN_TRIES - 1):
        terminal.waits(terminal.policy.second_wait_s - 0.1)
        terminal.types_pin(WRONG)
    terminal.waits(terminal.policy.second_wait_s - 0.1)
    assert only(terminal.types_pin(RIGHT), ReleaseStrike)


@pytest.mark.requirement("D13", "R40")
def test_three_wrong_pins_end_the_transaction() -> None:
    terminal = waiting()
    for _ in range(PIN_TRIES - 1):
        terminal.types_pin(WRONG)
        assert not terminal.ends
    terminal.types_pin(WRONG)
    assert terminal.ends == [(1, Way.CARD, Outcome.REFUSED)]
    assert terminal.state.access.phase is AccessPhase.REFUSED
    assert not only(terminal.pin_is(RIGHT), ReleaseStrike)


def test_a_right_pin_begins_the_count_again() -> None:
    terminal = waiting()
    terminal.types_pin(WRONG)
    terminal.types_pin(WRONG)
    terminal.types_pin(RIGHT)
    terminal.shows_card(CARD_AND_PIN)
    terminal.types_pin(WRONG)
    assert tally_of(terminal.state.access, RESIDENT).failures == 1
    assert Kind.GRANTED in kinds(terminal.types_pin(RIGHT))


# Delays (D13)


@pytest.mark.requirement("D13")
def test_delays_begin_with_the_third_wrong_pin_double_and_have_a_bound() -> None:
    delays = [pin_delay_s(failures) for failures in range(12)]
    assert delays[:6] == [0.0, 0.0, 0.0, 5.0, 10.0, 20.0]
    assert delays[-2:] == [640.0, 900.0]
    assert pin_delay_s(10**6) == PIN_DELAY_MOST_S


@pytest.mark.requirement("D13")
@pytest.mark.parametrize("wrong", [3, 4, 6])
def test_no_pin_is_checked_within_its_delay(wrong: int) -> None:
    terminal = after_wrong(wrong)
    refused = record(terminal.shows_card(CARD_AND_PIN), Kind.REFUSED)
    assert refused.reason is Reason.PIN_DELAY
    terminal.waits(pin_delay_s(wrong) - 0.1)
    assert Kind.REFUSED in kinds(terminal.shows_card(CARD_AND_PIN))
    terminal.waits(0.1)
    terminal.shows_card(CARD_AND_PIN)
    assert terminal.types() == (CheckPin(RESIDENT),)


@pytest.mark.requirement("D13")
def test_a_pin_typed_within_the_delay_of_the_last_ends_the_transaction_unchecked() -> None:
    terminal = after_wrong(2)
    terminal.shows_card(CARD_AND_PIN)
    terminal.types_pin(WRONG)
    effects = terminal.types()
    assert not only(effects, CheckPin)
    assert record(effects, Kind.REFUSED).reason is Reason.PIN_DELAY
    assert terminal.ends[-1][2] is Outcome.REFUSED


@pytest.mark.requirement("D13")
def test_another_person_s_pin_is_not_delayed_and_no_reader_pauses() -> None:
    terminal = after_wrong(4)
    terminal.shows_card(NEXT_DOOR)
    assert Kind.GRANTED in kinds(terminal.types_pin(RIGHT, NEIGHBOUR))
    assert Kind.GRANTED in kinds(terminal.shows_card(NOT_AGREED))


def test_whoever_needs_no_pin_is_not_kept_out_by_a_delay() -> None:
    terminal = after_wrong(4)
    assert only(terminal.shows_card(WITH_PIN), ReleaseStrike)


@pytest.mark.requirement("D13")
def test_one_pin_is_checked_at_a_time() -> None:
    """However fast they are typed: what is typed during a check is not heard."""
    terminal = waiting()
    assert terminal.types() == (CheckPin(RESIDENT),)
    assert terminal.types() == ()
    terminal.shows_card(CARD_AND_PIN)
    assert terminal.types() == (), "nor after the card was shown again"
    terminal.pin_is(WRONG)
    assert tally_of(terminal.state.access, RESIDENT).failures == 1
    assert terminal.types() == (CheckPin(RESIDENT),)


@pytest.mark.requirement("D13")
def test_a_wrong_pin_counts_whatever_became_of_its_transaction() -> None:
    terminal = waiting()
    for _ in range(PIN_TRIES):
        terminal.shows_card(CARD_AND_PIN)
        terminal.types()
        terminal.shows_card(NOT_AGREED)
        assert kinds(terminal.pin_is(WRONG)) == (Kind.REFUSED,)
    assert record(terminal.shows_card(CARD_AND_PIN), Kind.REFUSED).reason is Reason.PIN_DELAY


@pytest.mark.requirement("D13")
def test_a_restart_begins_the_delay_anew_once_and_then_it_ends() -> None:
    known = replace(CARD_AND_PIN, pin_failures=4)
    terminal = given.ready()
    assert record(terminal.shows_card(known), Kind.REFUSED).reason is Reason.PIN_DELAY
    terminal.waits(pin_delay_s(4) / 2)
    assert record(terminal.shows_card(known), Kind.REFUSED).reason is Reason.PIN_DELAY
    terminal.waits(pin_delay_s(4) / 2)
    terminal.shows_card(known)
    assert terminal.types() == (CheckPin(RESIDENT),)


def test_the_store_s_count_goes_on_where_it_was() -> None:
    terminal = waiting(replace(CARD_AND_PIN, pin_failures=2))
    effects = terminal.types_pin(WRONG)
    assert record(effects, Kind.REFUSED).facts[-1] == ("failures", "3")


def test_so_many_tallies_are_kept_and_no_more() -> None:
    terminal = given.ready()
    for number in range(TALLIES + 5):
        terminal.pin_is(WRONG, PersonId(f"p-{number}"))
    assert len(terminal.state.access.pins) == TALLIES
    assert tally_of(terminal.state.access, PersonId(f"p-{TALLIES + 4}")).failures == 1


# The alarm (R40)


@pytest.mark.requirement("R40", "D13")
def test_five_wrong_pins_in_a_row_are_an_alarm_once() -> None:
    terminal = after_wrong(PIN_FAILURES - 1)
    assert Alarm.PIN not in terminal.state.alarms
    terminal.waits(PIN_DELAY_MOST_S)
    terminal.shows_card(CARD_AND_PIN)
    effects = terminal.types_pin(WRONG)
    alarm = record(effects, Kind.PIN_ALARM)
    assert (alarm.person, alarm.facts[-1]) == (RESIDENT, ("failures", "5"))
    assert Play(Sound.ALARM) in effects
    assert Alarm.PIN in terminal.state.alarms
    terminal.waits(PIN_DELAY_MOST_S)
    terminal.shows_card(CARD_AND_PIN)
    assert Kind.PIN_ALARM not in kinds(terminal.types_pin(WRONG))


def test_wrong_pins_are_no_refusals_of_the_reader() -> None:
    terminal = after_wrong(PIN_FAILURES)
    assert Kind.READER_ALARM not in [one.kind for one in terminal.recorded]


# A PIN alone


def test_a_pin_without_a_credential_is_refused_and_puts_the_face_aside() -> None:
    terminal = given.ready()
    terminal.walks_up()
    effects = terminal.types()
    assert shown_reason(effects) == (Scene.REFUSED, Reason.CARD_FIRST)
    assert terminal.permission == NOTHING_ALLOWED
    assert terminal.ends == [(1, Way.FACE, Outcome.ABANDONED)]
    terminal.waits(terminal.policy.refused_show_s)
    off = given.face_off(terminal)
    assert off is FaceOff.ANOTHER_WAY
    terminal.waits(terminal.policy.decline_max_s)
    assert terminal.state.access.must_clear


def test_a_pin_alone_is_counted_against_nobody() -> None:
    terminal = given.ready()
    for _ in range(9):
        terminal.types()
    assert not terminal.state.alarms
    assert not terminal.ends


def test_a_pin_alone_after_a_decline_is_refused_and_the_decline_goes_on() -> None:
    terminal = given.declined()
    effects = terminal.types()
    assert shown_reason(effects) == (Scene.OTHER_WAY, Reason.CARD_FIRST)
    assert terminal.state.access.phase is AccessPhase.DECLINED


# After a decline


@pytest.mark.requirement("D9", "D12", "R12")
@pytest.mark.parametrize("by", [ButtonPressed, DeclineAsked])
def test_a_decline_while_a_pin_is_awaited_keeps_the_credential(
    by: type[ButtonPressed | DeclineAsked],
) -> None:
    terminal = waiting()
    terminal.hears(by, **({"source": "keypad"} if by is DeclineAsked else {}))
    assert terminal.state.access.phase is AccessPhase.DECLINED
    assert not terminal.ends
    effects = terminal.types_pin(RIGHT)
    assert only(effects, ReleaseStrike)
    assert terminal.state.access.phase is AccessPhase.DECLINED
    assert terminal.ends == [(1, Way.CARD_PIN, Outcome.GRANTED)]
    assert terminal.ended[-1].steps == 3


@pytest.mark.requirement("D12", "R12")
def test_after_a_decline_a_card_and_its_pin_open_as_before() -> None:
    terminal = given.declined()
    effects = terminal.shows_card(CARD_AND_PIN)
    assert shown_reason(effects) == (Scene.TYPE_PIN, None)
    assert Kind.REFUSED in kinds(terminal.types_pin(WRONG))
    assert only(terminal.types_pin(RIGHT), ReleaseStrike)
    assert terminal.ends[1:] == [(2, Way.CARD_PIN, Outcome.GRANTED)]
    assert terminal.ended[-1].steps == 3


@pytest.mark.requirement("D13")
def test_after_a_decline_tries_delays_and_time_are_the_same() -> None:
    terminal = given.declined()
    terminal.shows_card(CARD_AND_PIN)
    for _ in range(PIN_TRIES):
        terminal.types_pin(WRONG)
    assert terminal.ends[-1] == (2, Way.CARD, Outcome.REFUSED)
    assert machine.screen(terminal.state, terminal.policy).scene is Scene.OTHER_WAY
    refused = record(terminal.shows_card(CARD_AND_PIN), Kind.REFUSED)
    assert refused.reason is Reason.PIN_DELAY
    terminal.waits(pin_delay_s(PIN_TRIES))
    terminal.shows_card(CARD_AND_PIN)
    effects = terminal.waits(terminal.policy.second_wait_s)
    assert record(effects, Kind.REFUSED).reason is Reason.TIME_IS_UP
    assert terminal.state.access.phase is AccessPhase.DECLINED
    terminal.shows_card(CARD_AND_PIN)
    effects = terminal.types_pin(PinVerdict.CANT_CHECK)
    assert record(effects, Kind.REFUSED).reason is Reason.CANT_CHECK


def test_after_a_decline_a_pin_within_its_delay_is_not_checked() -> None:
    terminal = after_wrong(2)
    terminal.hears(ButtonPressed)
    terminal.shows_card(CARD_AND_PIN)
    terminal.types_pin(WRONG)
    effects = terminal.types()
    assert record(effects, Kind.REFUSED).reason is Reason.PIN_DELAY
    assert not only(effects, CheckPin)


@pytest.mark.requirement("D9")
def test_a_decline_does_not_end_while_its_pin_is_typed() -> None:
    terminal = given.declined()
    terminal.waits(terminal.policy.decline_max_s - 1.0)
    terminal.shows_card(CARD_AND_PIN)
    terminal.waits(5.0)
    assert given.face_off(terminal) is FaceOff.DECLINED
    assert only(terminal.types_pin(RIGHT), ReleaseStrike)
    terminal.waits(0.1)
    assert given.face_off(terminal) is None


# Duress (R47)


def visited_with(verdict: PinVerdict) -> Terminal:
    terminal = waiting()
    terminal.waits(2.0)
    terminal.types_pin(verdict)
    terminal.waits(1.0)
    terminal.opens()
    terminal.closes()
    terminal.waits(30.0)
    return terminal


@pytest.mark.requirement("R47")
def test_a_pin_typed_under_duress_opens_and_raises_a_silent_alarm() -> None:
    terminal = waiting()
    effects = terminal.types_pin(PinVerdict.DURESS)
    assert only(effects, ReleaseStrike)
    duress = record(effects, Kind.DURESS)
    assert (duress.person, duress.way) == (RESIDENT, Way.CARD_PIN)
    assert terminal.state.alarms == {Alarm.DURESS}


@pytest.mark.requirement("R47")
def test_under_duress_everything_looks_and_sounds_the_same() -> None:
    calm, forced = visited_with(RIGHT), visited_with(PinVerdict.DURESS)
    assert calm.noticed == forced.noticed
    assert calm.ended == forced.ended
    assert [one for one in forced.recorded if one.kind is not Kind.DURESS] == calm.recorded
    assert replace(forced.state, alarms=frozenset()) == calm.state


def test_a_duress_pin_counts_as_a_right_one() -> None:
    terminal = after_wrong(2)
    terminal.shows_card(CARD_AND_PIN)
    terminal.types_pin(PinVerdict.DURESS)
    assert tally_of(terminal.state.access, RESIDENT).failures == 0


@pytest.mark.requirement("R47")
def test_a_lockdown_that_comes_while_a_pin_is_typed_keeps_its_holder_out() -> None:
    terminal = waiting()
    terminal.types()
    effects = terminal.hears(LockdownAsked, by="guard", why="drill")
    assert Reason.LOCKDOWN in [one.reason for one in only(effects, Record)]
    assert not only(terminal.pin_is(RIGHT), ReleaseStrike)
    assert terminal.ends == [(1, Way.CARD, Outcome.REFUSED)]
    assert Screen(Scene.REFUSED, reason=Reason.LOCKDOWN) in [
        one.screen for one in only(effects, Show)
    ]
