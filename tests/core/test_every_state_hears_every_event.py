"""Every state that can be reached hears every event: no step raises, and each has one answer.

States are collected from the visits of the walks and from a long walk of a fixed seed; of states
that differ in nothing but times and numbers one is kept. All phases of all tables and all rows must
have come up, so that a row that can't be reached is noticed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from functools import cache
from itertools import islice
from types import ModuleType
from typing import Any

import pytest

from terminal.core import access, door, door_state, enrolment, machine, transaction
from terminal.core.credential_way import FOREIGN
from terminal.core.door_state import DoorPhase
from terminal.core.effects import (
    DropReferences,
    Effect,
    Effects,
    HoldStrike,
    Permit,
    ReleaseStrike,
    SealTemplates,
)
from terminal.core.enrolment import EnrolmentPhase
from terminal.core.events import (
    AlarmEnded,
    AlarmRaised,
    CredentialPresented,
    DoorBarred,
    DoorCycleEnded,
    EnrolmentEnded,
    Event,
    FaceCompared,
    FaceWentOff,
    HoldAsked,
    StrikeAsked,
    TimePassed,
    ZoneSeen,
)
from terminal.core.machine import State
from terminal.core.pin_tally import tally_of
from terminal.core.policy import PIN_TRIES, Panel, Policy, Relock, Rex, Trigger
from terminal.core.table import Row
from terminal.core.transaction import AccessPhase
from terminal.core.values import (
    NOTHING_ALLOWED,
    Alarm,
    Moment,
    Side,
    TrackId,
    View,
    Way,
)
from tests.core import given
from tests.core.test_walks import every_event_type
from tests.core.walks import (
    HAPPENINGS,
    POWER_ON,
    STRANGER,
    VISITS,
    WAITS_S,
    Happening,
    visit,
    walk,
)

TABLES = (door, access, enrolment)
POLICIES = (
    Policy(references=2, rex=Rex.RELEASE),
    Policy(references=1, trigger=Trigger.BUTTON, consent_wait_s=2.0, relock=Relock.ON_CLOSE),
    Policy(references=1, panel=Panel.WIEGAND, held_warn_s=0.0),
)
NAMES = ("walk_up", "button", "panel")
STATES_AT_MOST = 40
RARE = (
    (*STRANGER * 4, *visit("track 1", 1.2, "face of nobody")),
    visit("track 1", 1.2, "face of a resident", "track 2", 5.0),
    (
        *visit("card with pin", "pin typed", "pin wrong", "pin typed", "pin wrong"),
        *visit("button down", "card with pin", "pin typed", "pin wrong", "pin typed"),
    ),
    (
        *visit("card with pin", "pin typed", "pin wrong", "pin typed", "pin wrong"),
        *visit("card with pin", "pin typed", "pin wrong", "pin typed"),
    ),
    visit("old card", 1.0, "track 0", 5.0),
)
"""Visits that random walks seldom make in one piece."""


def variants(state: State, at: Moment) -> Iterator[Event]:
    """Every type of event with every kind of payload; `at` may be before or after what is due."""
    yield from (meaning(state, at) for meaning in HAPPENINGS.values())
    yield TimePassed(at)
    yield FaceWentOff(at)
    yield DoorCycleEnded(at)
    yield EnrolmentEnded(at)
    yield StrikeAsked(at, Way.CARD, given.RESIDENT, "outside")
    yield StrikeAsked(at, Way.FACE, given.RESIDENT)
    yield StrikeAsked(at, Way.CARD, given.RESIDENT, "inside", Side.INSIDE)
    yield AlarmRaised(at, Alarm.PIN)
    yield AlarmEnded(at, Alarm.HELD_OPEN)
    yield FaceWentOff(at, for_the_sign=True)
    for lockdown, interlock in ((False, False), (True, False), (False, True)):
        yield DoorBarred(at, lockdown, interlock)
    yield HoldAsked(at, -5.0, "operator", "")
    yield HoldAsked(at, float("inf"), "operator", "for ever")
    yield ZoneSeen(at, View.READY, None)
    yield ZoneSeen(at, View.EMPTY, TrackId(7))
    for holder in (None, given.AGREED, given.NOT_AGREED, given.MOVED_OUT, given.NOT_YET_IN):
        yield FaceCompared(at, TrackId(1), holder)
        yield CredentialPresented(at, "no such reader", given.CARD, holder)
        yield CredentialPresented(at, "outside", None, holder)


def shape(state: State) -> object:
    """What distinguishes two states apart from times and counters."""
    a, e = state.access, state.enrolment
    return (
        (state.door.phase, state.door.is_open, state.door.rex_until_s is None),
        (state.door.interlocked, state.door.locked_down, state.door.by_schedule),
        (state.door.strike_until_s is None, state.door.fire, state.door.free is None),
        (a.away, a.awaits_door, a.pending is None, a.reason in FOREIGN),
        a.pending and (a.pending.wants, a.pending.is_checking, a.pending.is_spending),
        a.pending and (a.pending.wrong, a.pending.shown.ticket is None),
        a.pending and tally_of(a, a.pending.person).failures >= PIN_TRIES,
        (a.phase, a.is_running, a.in_view is None, a.must_clear, min(a.face_failures, 4) == 4),
        (a.clear_s is None, a.paused_until_s is None, a.in_view == a.spent),
        (e.phase, e.has_card, e.taken, e.pressed_until_s is None),
        (e.asked is not None and e.asked.with_face, state.sign_lit, state.sign_failed),
    )


@cache
def reachable(policy: Policy) -> tuple[tuple[State, float], ...]:
    """States of different shapes, and the time (mono s) at which each stands."""
    visits = _shapes([(*POWER_ON, *visited) for visited in (*VISITS, *RARE)], policy)
    wandered = _shapes([_wander()], policy)
    more = [wandered[one] for one in wandered if one not in visits]
    thinned = more[:: max(1, len(more) // STATES_AT_MOST)]
    return (*visits.values(), *thinned)


def _shapes(
    walked: list[tuple[Happening, ...]], policy: Policy
) -> dict[object, tuple[State, float]]:
    """The first state of each shape in these walks, and its time (mono s)."""
    found: dict[object, tuple[State, float]] = {}
    for happenings in walked:
        for told in walk(happenings, policy):
            found.setdefault(shape(told.after), (told.after, told.event.at.mono_s))
    return found


def _wander() -> tuple[Happening, ...]:
    """A long walk, the same each time."""
    chance = random.Random(1)
    words = sorted(HAPPENINGS)
    parts = [
        chance.choice(VISITS)
        if chance.random() < 0.3
        else (Happening(chance.choice(WAITS_S), chance.choice(words)),)
        for _ in range(1500)
    ]
    return (*POWER_ON, *(one for part in parts for one in part))


def every_step(policy: Policy) -> Iterator[tuple[State, Event]]:
    """All reachable states with all events: now, when all is overdue, at each deadline."""
    for state, now_s in reachable(policy):
        yield from ((state, event) for event in variants(state, given.at(now_s)))
        yield from ((state, event) for event in variants(state, given.at(now_s + 500.0)))
        yield from ((state, event) for event in untrusted(state, given.at(now_s, trusted=False)))
        yield from ((state, TimePassed(given.at(at_s))) for at_s in deadlines(state))


def untrusted(state: State, at: Moment) -> Iterator[Event]:
    """The events for which it matters whether the clock is trusted."""
    for event in variants(state, at):
        if isinstance(event, FaceCompared | CredentialPresented):
            yield event


def deadlines(state: State) -> Iterator[float]:
    """The deadlines of the three tables, whichever comes first: the others may come late."""
    every = (
        *door_state.deadlines(state.door),
        *transaction.deadlines(state.access),
        *enrolment.deadlines(state.enrolment),
    )
    yield from (at_s for at_s in every if at_s is not None)


@pytest.mark.requirement("D10", "D15", "R01", "R22")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("policy", POLICIES, ids=NAMES)
def test_no_event_in_any_state_raises_or_breaks_a_promise(policy: Policy) -> None:
    """Whatever comes, in whatever state; what only tables say to each other included."""
    for state, event in every_step(policy):
        after, effects = machine.step(state, event, policy)
        assert isinstance(hash((after, effects)), int), "only frozen values leave a step"
        assert all(isinstance(effect, Effect) for effect in effects)
        _strike_is_moved_in_turn(state, effects, policy)
        _vision_is_permitted_in_turn(after, effects, policy)
        if given.only(effects, SealTemplates):
            assert state.enrolment.phase is EnrolmentPhase.CHECKING
            assert not given.only(effects, DropReferences)


def _strike_is_moved_in_turn(state: State, effects: Effects, policy: Policy) -> None:
    for release in given.only(effects, ReleaseStrike):
        assert release.max_s == policy.release_s
        assert state.door.phase is DoorPhase.SECURED and not state.door.is_open
    assert all(0.0 <= hold.lease_s <= 10.0 for hold in given.only(effects, HoldStrike))


def _vision_is_permitted_in_turn(after: State, effects: Effects, policy: Policy) -> None:
    assert all(permit.lease_s <= 0.5 for permit in given.only(effects, Permit))
    if machine.permission(after, policy) != NOTHING_ALLOWED:
        assert after.sign_lit and machine.face_off(after, policy) is None


@pytest.mark.parametrize("policy", POLICIES[1:], ids=NAMES[1:])
def test_the_same_state_and_event_give_the_same_answer(policy: Policy) -> None:
    for state, now_s in reachable(policy):
        for event in variants(state, given.at(now_s)):
            assert machine.step(state, event, policy) == machine.step(state, event, policy)


def test_every_phase_of_every_table_is_reached() -> None:
    states = [state for policy in POLICIES for state, _ in reachable(policy)]
    assert {state.door.phase for state in states} == set(DoorPhase)
    assert {state.access.phase for state in states} == set(AccessPhase)
    assert {state.enrolment.phase for state in states} == set(EnrolmentPhase)


def test_every_type_of_event_is_told() -> None:
    state, at = State(), given.at(0.0)
    assert {type(event) for event in variants(state, at)} == every_event_type()


@pytest.mark.requirement("T48")
@pytest.mark.parametrize("table", TABLES, ids=("door", "access", "enrolment"))
def test_every_row_of_every_table_is_taken_by_some_event(table: ModuleType) -> None:
    """A row that nothing reaches is a promise that nobody keeps."""
    taken: set[int] = set()
    for policy in POLICIES:
        for whole, event in every_step(policy):
            taken |= _row_taken(table, _noticed(table, whole, event, policy), event, policy)
    left = [table.TABLE[place] for place in set(range(len(table.TABLE))) - taken]
    assert not left, [(one.phases, one.on.__name__, one.do.__name__) for one in left]


def _row_taken(table: ModuleType, state: Any, event: Event, policy: Policy) -> set[int]:
    fitting = (place for place, one in enumerate(table.TABLE) if _fits(one, state, event, policy))
    return set(islice(fitting, 1))


def _noticed(table: ModuleType, whole: State, event: Event, policy: Policy) -> Any:
    """The state that the table's rows see of this event."""
    state = getattr(whole, _name(table))
    return transaction.looked(state, event, policy) if table is access else state


@pytest.mark.parametrize("table", TABLES, ids=("door", "access", "enrolment"))
def test_what_is_in_no_table_changes_nothing(table: ModuleType) -> None:
    """Nothing but what `access` notices in passing: who is in view, and that a pause is over."""
    policy, unheard = POLICIES[0], 0
    for whole, now_s in reachable(policy):
        for event in variants(whole, given.at(now_s)):
            state, noticed = getattr(whole, _name(table)), _noticed(table, whole, event, policy)
            if not _row_taken(table, noticed, event, policy):
                assert table.step(state, event, policy) == (noticed, ())
                unheard += 1
    assert unheard > 1000


def _name(table: ModuleType) -> str:
    return table.__name__.split(".")[-1]


def _fits(one: Row[Any], state: Any, event: Event, policy: Policy) -> bool:
    in_turn = isinstance(event, one.on) and state.phase in one.phases
    return in_turn and one.when(state, event, policy)


def test_states_and_effects_are_frozen() -> None:
    terminal = given.ready()
    for value in (terminal.state, terminal.state.door, terminal.permits[0], given.at(0.0)):
        with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
            value.anything = 1  # type: ignore[union-attr]
