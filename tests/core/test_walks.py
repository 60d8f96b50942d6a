"""Random walks through the core: no law is broken, whatever happens, and a replay is the same.

The laws are those of `tests/core/laws.py`; `test_the_tests_can_fail` shows that each is looked
after. HYPOTHESIS_PROFILE=deep walks twenty times as far, with new walks each time.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terminal.core import events as event_types
from terminal.core.events import Event
from terminal.core.machine import State
from terminal.core.policy import Policy
from tests.core import walks
from tests.core.given import at
from tests.core.walks import Happening

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
WALKING = settings(
    max_examples=6000 if DEEP else 250,
    derandomize=not DEEP,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
@pytest.mark.timeout(3600 if DEEP else 120)
@pytest.mark.requirement(
    "D1", "D9", "D10", "D11", "D13", "D15", "R01", "R13", "R22", "A26", "T08", "T35", "T37", "T38"
)
@WALKING
@given(walks.walks, walks.policies)
def test_no_walk_breaks_a_law(happenings: tuple[Happening, ...], policy: Policy) -> None:
    history = walks.walk(happenings, policy)
    walks.check(history, policy)
    walks.check_duress(history, policy)


@pytest.mark.slow
@pytest.mark.requirement("R47", "R21", "T17", "D13", "A18")
@pytest.mark.parametrize("policy", walks.POLICIES)
def test_no_visit_breaks_a_law(policy: Policy) -> None:
    """Each visit of the walks alone, at each kind of site, in time and late."""
    for visited in walks.VISITS:
        happenings = (*walks.POWER_ON, *visited)
        history = walks.walk(happenings, policy)
        walks.check(history, policy)
        walks.check_duress(history, policy)
        walks.check(walks.walk(happenings, policy, late_s=0.25), policy, late_s=0.25)


@pytest.mark.slow
@pytest.mark.timeout(3600 if DEEP else 120)
@pytest.mark.requirement("D10", "D15")
@settings(WALKING, max_examples=2000 if DEEP else 60)
@given(walks.walks, walks.policies, st.sampled_from((0.01, 0.1, 0.25)))
def test_a_loop_that_comes_late_breaks_no_law(
    happenings: tuple[Happening, ...], policy: Policy, late_s: float
) -> None:
    """A quarter of a second is what the lease of vision leaves room for (D10)."""
    walks.check(walks.walk(happenings, policy, late_s), policy, late_s)


@settings(WALKING, max_examples=1000 if DEEP else 40)
@given(walks.walks, walks.policies)
def test_the_same_events_give_the_same_states_and_effects(
    happenings: tuple[Happening, ...], policy: Policy
) -> None:
    walks.check_replay(walks.walk(happenings, policy), policy)


@settings(WALKING, max_examples=1000 if DEEP else 40)
@given(walks.walks, walks.policies)
def test_a_log_of_events_replays_to_the_same_effects(
    happenings: tuple[Happening, ...], policy: Policy
) -> None:
    history = walks.walk(happenings, policy)
    log = [written(told.event) for told in history]
    again = walks.replay([read(line) for line in log], policy)
    assert [told.effects for told in again] == [told.effects for told in history]


def test_the_visits_reach_every_kind_of_event() -> None:
    state, moment = State(), at(0.0)
    reached = {type(meaning(state, moment)) for meaning in walks.HAPPENINGS.values()}
    assert reached == every_event_type() - FROM_WITHIN


FROM_WITHIN = {
    event_types.FaceWentOff,
    event_types.StrikeAsked,
    event_types.DoorBarred,
    event_types.AlarmRaised,
    event_types.AlarmEnded,
    event_types.DoorCycleEnded,
    event_types.EnrolmentEnded,
}
"""What no happening says: the tables say it to each other."""


def every_event_type() -> set[type[Event]]:
    """All events that there are; what is only a common name of others is none."""
    found = (kind for kind in vars(event_types).values() if isinstance(kind, type))
    return {kind for kind in found if issubclass(kind, Event) and not kind.__subclasses__()}


def written(event: Event) -> bytes:
    """One event as a line of JSON."""
    return msgspec.json.encode({"event": type(event).__name__, "facts": event})


def read(line: bytes) -> Event:
    """The event of a line of JSON."""
    found: dict[str, Any] = msgspec.json.decode(line)
    kind = getattr(event_types, found["event"])
    assert dataclasses.is_dataclass(kind)
    event = msgspec.convert(found["facts"], kind)
    assert isinstance(event, Event)
    return event
