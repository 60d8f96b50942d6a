"""Facts about anti-passback: who is noted as inside, when, and who is refused for it."""

from __future__ import annotations

import pytest

from terminal.core.effects import Effects, Kind, NotePassage, ReleaseStrike
from terminal.core.events import HoldAsked
from terminal.core.policy import Policy, Relock
from terminal.core.values import Passback, Reason, Side, Way
from tests.core import given
from tests.core.given import AGREED, NEIGHBOUR, NOT_AGREED, RESIDENT, kinds, only, record

EXIT_READER = Policy(has_exit_reader=True)


def sides(effects: Effects) -> list[tuple[str, Side]]:
    return [(note.person, note.side) for note in only(effects, NotePassage)]


# Who is noted


def test_whoever_comes_in_is_inside_when_the_door_opens_and_not_before() -> None:
    terminal = given.ready()
    assert not only(terminal.shows_card(AGREED), NotePassage)
    assert sides(terminal.opens()) == [(RESIDENT, Side.INSIDE)]
    assert not only(terminal.closes(), NotePassage)


def test_whoever_goes_out_is_outside() -> None:
    terminal = given.ready()
    terminal.leaves_by_card(AGREED)
    assert sides(terminal.opens()) == [(RESIDENT, Side.OUTSIDE)]


def test_two_in_one_pulse_are_both_noted() -> None:
    terminal = given.ready()
    terminal.shows_card(AGREED)
    terminal.leaves_by_card(NOT_AGREED)
    assert sides(terminal.opens()) == [(RESIDENT, Side.INSIDE), (NEIGHBOUR, Side.OUTSIDE)]


def test_a_pulse_that_nobody_used_is_nobody_s_passage() -> None:
    terminal = given.ready()
    terminal.shows_card(AGREED)
    assert not only(terminal.waits(terminal.policy.release_s), NotePassage)
    assert not only(terminal.opens(), NotePassage), "forced, by whoever"
    terminal.closes()
    terminal.leaves_by_card(NOT_AGREED)
    assert sides(terminal.opens()) == [(NEIGHBOUR, Side.OUTSIDE)]


def test_whoever_did_not_use_a_pulse_is_not_noted_with_the_next() -> None:
    terminal = given.ready()
    terminal.shows_card(AGREED)
    terminal.waits(terminal.policy.release_s)
    terminal.shows_card(NOT_AGREED)
    assert sides(terminal.opens()) == [(NEIGHBOUR, Side.INSIDE)]


@pytest.mark.parametrize("relock", Relock)
def test_at_a_door_that_stands_open_passage_is_at_once(relock: Relock) -> None:
    terminal = given.ready(Policy(relock=relock))
    terminal.shows_card(AGREED)
    terminal.opens()
    assert sides(terminal.shows_card(NOT_AGREED)) == [(NEIGHBOUR, Side.INSIDE)]


def test_at_a_forced_door_passage_is_at_once() -> None:
    terminal = given.ready()
    terminal.opens()
    assert sides(terminal.shows_card(AGREED)) == [(RESIDENT, Side.INSIDE)]


def test_while_the_door_is_held_passage_is_at_once_and_also_who_was_let_in_before() -> None:
    terminal = given.ready()
    terminal.shows_card(AGREED)
    effects = terminal.hears(HoldAsked, lasts_s=60.0, by="operator", why="delivery")
    assert sides(effects) == [(RESIDENT, Side.INSIDE)]
    assert sides(terminal.leaves_by_card(NOT_AGREED)) == [(NEIGHBOUR, Side.OUTSIDE)]


def test_so_many_are_followed_and_no_more() -> None:
    terminal = given.ready()
    for _ in range(25):
        terminal.shows_card(AGREED)
    assert len(only(terminal.opens(), NotePassage)) == 20


def test_by_face_whoever_comes_in_is_inside_too() -> None:
    terminal = given.ready()
    terminal.walks_up()
    terminal.is_compared(AGREED)
    assert sides(terminal.opens()) == [(RESIDENT, Side.INSIDE)]


# Who is refused


@pytest.mark.parametrize(
    ("kind", "policy"),
    [(Passback.SOFT, EXIT_READER), (Passback.SOFT, Policy()), (Passback.HARD, Policy())],
)
def test_soft_passback_lets_in_and_records(kind: Passback, policy: Policy) -> None:
    """As does hard passback where nobody could say that they went out."""
    terminal = given.ready(policy)
    effects = terminal.shows_card(given.passback(kind))
    assert only(effects, ReleaseStrike)
    told = record(effects, Kind.PASSBACK)
    assert (told.person, told.way, told.facts) == (
        RESIDENT,
        Way.CARD,
        (("passback", kind.value),),
    )


def test_by_face_soft_passback_lets_in_and_records() -> None:
    terminal = given.ready()
    terminal.walks_up()
    effects = terminal.is_compared(given.passback(Passback.SOFT))
    assert only(effects, ReleaseStrike)
    assert record(effects, Kind.PASSBACK).way is Way.FACE


def test_hard_passback_refuses_where_there_is_a_reader_inside() -> None:
    terminal = given.ready(EXIT_READER)
    refused = record(terminal.shows_card(given.passback(Passback.HARD)), Kind.REFUSED)
    assert refused.reason is Reason.PASSBACK


@pytest.mark.requirement("R21")
@pytest.mark.parametrize("kind", Passback)
def test_passback_keeps_nobody_inside(kind: Passback) -> None:
    terminal = given.ready(EXIT_READER)
    effects = terminal.leaves_by_card(given.passback(kind, 1e6))
    assert only(effects, ReleaseStrike)
    assert Kind.PASSBACK not in kinds(effects)


def test_timed_passback_refuses_within_its_time() -> None:
    terminal = given.ready()
    holder = given.passback(Passback.TIMED, 200.0)
    refused = record(terminal.shows_card(holder), Kind.REFUSED)
    assert refused.reason is Reason.PASSBACK, "a hundred seconds after coming in"
    terminal.waits(100.0)
    assert Kind.GRANTED in kinds(terminal.shows_card(holder))


@pytest.mark.requirement("A18")
def test_timed_passback_refuses_nobody_while_the_clock_is_not_trusted() -> None:
    terminal = given.ready()
    terminal.trusted = False
    holder = given.passback(Passback.TIMED, 1e6)
    effects = terminal.shows_card(holder)
    assert only(effects, ReleaseStrike)
    assert Kind.PASSBACK not in kinds(effects)


def test_a_group_without_passback_is_asked_nothing() -> None:
    effects = given.ready(EXIT_READER).shows_card(given.INSIDE_ALREADY)
    assert only(effects, ReleaseStrike)
    assert Kind.PASSBACK not in kinds(effects)
