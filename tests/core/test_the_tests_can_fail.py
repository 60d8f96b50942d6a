"""Each law of the walks is shown to be looked after: the core is broken on purpose, one row or
number at a time, and the same walks must find it and name the law.

A breakage is what a tired hand could do: a row left out, a line of an action forgotten, a number
doubled. If one of these is no longer found, the walks have become blind, and that fails here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from terminal.core import access, door, enrolment, machine, policy
from terminal.core.door_state import DoorPhase
from terminal.core.effects import (
    DropReferences,
    Effect,
    HoldStrike,
    Record,
    ReleaseStrike,
    SealTemplates,
    SecureStrike,
    StoreConsent,
    TransactionEnded,
)
from terminal.core.enrolment import EnrolmentPhase
from terminal.core.events import (
    ButtonPressed,
    EnrolAsked,
    EnrolCancelled,
    ZoneSeen,
)
from terminal.core.policy import Policy
from terminal.core.table import Outputs, Row, row
from terminal.core.transaction import AccessPhase, AccessState
from terminal.core.values import FaceOff, Permission
from tests.core import walks
from tests.core.walks import Happening

SEARCHING = settings(
    max_examples=600,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)

Action = Callable[..., tuple[Any, Outputs]]
Patch = pytest.MonkeyPatch
Break = Callable[[Patch], None]


@dataclass(frozen=True)
class Breakage:
    """A way to break the core, and the law that the walks must then find broken."""

    name: str
    law: str
    apply: Break


def does(module: ModuleType, action: str, instead: Action) -> Break:
    """Every row that does `action` does `instead`."""

    def apply(patch: Patch) -> None:
        rows = [replace(one, do=instead) if _named(one, action) else one for one in module.TABLE]
        assert rows != list(module.TABLE), f"no row does {action}"
        patch.setattr(module, "TABLE", tuple(rows))

    return apply


def leaves_out(module: ModuleType, action: str, phase: Any = None) -> Break:
    """The rows that do `action` (from this phase) are gone."""

    def apply(patch: Patch) -> None:
        rows = [one for one in module.TABLE if not _is_row(one, action, phase)]
        assert len(rows) < len(module.TABLE), f"no row does {action}"
        patch.setattr(module, "TABLE", tuple(rows))

    return apply


def begins_with(module: ModuleType, one: Row[Any]) -> Break:
    """Another row stands before all others."""
    return lambda patch: patch.setattr(module, "TABLE", (one, *module.TABLE))


def sets(module: ModuleType, name: str, value: Any) -> Break:
    """A function or a number of the module is another one."""
    return lambda patch: patch.setattr(module, name, value)


def without(action: Action, *kinds: type) -> Action:
    """The action, but effects of these kinds are forgotten."""

    def forgetful(state: Any, event: Any, numbers: Policy) -> tuple[Any, Outputs]:
        after, outputs = action(state, event, numbers)
        return after, tuple(one for one in outputs if not isinstance(one, kinds))

    return forgetful


def but(action: Action, **fields: Any) -> Action:
    """The action, but the state it leaves has these fields."""

    def wrong(state: Any, event: Any, numbers: Policy) -> tuple[Any, Outputs]:
        after, outputs = action(state, event, numbers)
        return replace(after, **fields), outputs

    return wrong


def _named(one: Row[Any], action: str) -> bool:
    return one.do.__name__ == action


def _is_row(one: Row[Any], action: str, phase: Any) -> bool:
    return _named(one, action) and (phase is None or phase in one.phases)


# Breakages that need a few lines of their own


def release_longer(state: Any, event: Any, numbers: Policy) -> tuple[Any, Outputs]:
    return door.release(state, event, replace(numbers, release_s=2 * numbers.release_s))


def end_pulse_later(state: Any, event: Any, numbers: Policy) -> tuple[Any, Outputs]:
    after, outputs = door.release(state, event, numbers)
    return replace(after, until_s=event.at.mono_s + 2 * numbers.release_s), outputs


def release_and_stay(state: Any, event: Any, numbers: Policy) -> tuple[Any, Outputs]:
    _, outputs = door.release(state, event, numbers)
    return state, outputs


def release_under_another_number(state: Any, event: Any, numbers: Policy) -> tuple[Any, Outputs]:
    after, outputs = door.release(state, event, numbers)
    facts = (("strike", str(next(_numbers))),)
    return after, tuple(
        replace(one, facts=facts) if isinstance(one, Record) else one for one in outputs
    )


_numbers = count()


def prompt_without_dwell(state: Any, event: Any, numbers: Policy) -> tuple[Any, Outputs]:
    return access.prompt(state, event, replace(numbers, dwell_s=0.0))


def seal_all_the_same(state: Any, event: Any, numbers: Policy) -> tuple[Any, Outputs]:
    asked = state.asked
    return state, (SealTemplates(asked.person, asked.consent),)


def over_but_running(state: AccessState) -> AccessState:
    return replace(state, track=None, until_s=None, clear_s=None, last_s=None)


def unsorted(effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    return effects


def strike_first(effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    return tuple(sorted(effects, key=lambda one: not isinstance(one, ReleaseStrike)))


def face_off_but(forgotten: FaceOff) -> Callable[..., FaceOff | None]:
    def face_off(state: machine.State, numbers: Policy) -> FaceOff | None:
        reasons = machine._reasons(state, numbers)
        return next((one for one, holds in reasons if holds and one is not forgotten), None)

    return face_off


_permission = machine.permission


def permission_in_the_dark(state: machine.State, numbers: Policy) -> Permission:
    return _permission(replace(state, sign_lit=True), numbers)


def deadline_without_door(state: machine.State) -> float | None:
    every = (*access.deadlines(state.access), *enrolment.deadlines(state.enrolment), state.renew_s)
    return min((at_s for at_s in every if at_s is not None), default=None)


def deaf_to_decline(state: Any, event: Any, numbers: Policy) -> tuple[Any, Outputs]:
    return state, ()


P, D, N = AccessPhase, DoorPhase, EnrolmentPhase
FROM_CONSENT = row(N.CONSENT, ButtonPressed, N.CAPTURE, enrolment.give_consent)
FROM_NOTHING = row(N.IDLE, EnrolAsked, N.CAPTURE, enrolment.await_consent)
FROM_CANCEL = row(N.CAPTURE, EnrolCancelled, None, seal_all_the_same)

BREAKAGES = (
    Breakage(
        "release_without_record",
        "no release without its record",
        does(door, "release", without(door.release, Record)),
    ),
    Breakage(
        "strike_before_record",
        "records come before acts",
        sets(machine, "ordered", strike_first),
    ),
    Breakage("unsorted", "records come before acts", sets(machine, "ordered", unsorted)),
    Breakage(
        "longer_pulse", "no pulse longer than release_s", does(door, "release", release_longer)
    ),
    Breakage(
        "pulse_ended_late", "no pulse longer than release_s", does(door, "release", end_pulse_later)
    ),
    Breakage(
        "deadlines_of_the_door_forgotten",
        "no pulse longer than release_s|is asserted in time",
        sets(machine, "next_deadline", deadline_without_door),
    ),
    Breakage(
        "released_in_a_pulse",
        "never energised while a release runs",
        does(door, "grant_in_pulse", release_and_stay),
    ),
    Breakage(
        "released_while_open",
        "never energised while the door is open",
        does(door, "grant_open", release_and_stay),
    ),
    Breakage(
        "not_secured_on_opening",
        "secured when the door opens",
        does(door, "open_secure", without(door.open_secure, SecureStrike)),
    ),
    Breakage(
        "granted_but_not_released",
        "who is let in can go in",
        does(door, "release", without(door.release, ReleaseStrike)),
    ),
    Breakage(
        "forced_in_silence",
        "a forced door is an alarm",
        does(door, "forced", without(door.forced, Record)),
    ),
    Breakage(
        "hold_not_asserted_again",
        "a held release is asserted in time",
        does(door, "assert_hold", without(door.assert_hold, HoldStrike)),
    ),
    Breakage(
        "hold_without_end",
        "a held release ends when it was to end|stays due",
        leaves_out(door, "end_hold"),
    ),
    Breakage("long_hold_lease", "a held release is a lease", sets(door, "HOLD_LEASE_S", 30.0)),
    Breakage(
        "ended_twice",
        "a transaction ends once|every transaction ends",
        sets(access, "_over", over_but_running),
    ),
    Breakage(
        "never_ended",
        "every transaction ends",
        does(access, "end_decline", without(access.end_decline, TransactionEnded)),
    ),
    Breakage(
        "permitted_while_declined",
        "a decline takes permission at once|a decline is a decline",
        sets(machine, "face_off", face_off_but(FaceOff.DECLINED)),
    ),
    Breakage(
        "deaf_to_a_decline",
        "a decline takes permission at once",
        begins_with(access, row(P.SCANNING, ButtonPressed, None, deaf_to_decline)),
    ),
    Breakage(
        "permitted_in_the_dark",
        "no model runs under a dark sign",
        sets(machine, "permission", permission_in_the_dark),
    ),
    Breakage("long_lease", "permission is a lease", sets(machine, "FACE_LEASE_S", 5.0)),
    Breakage(
        "renewed_late", "a permission is renewed in time", sets(machine, "FACE_RENEW_S", 0.75)
    ),
    Breakage(
        "one_other_way",
        "no face without two other ways in",
        sets(machine, "ALTERNATIVES_REQUIRED", 1),
    ),
    Breakage(
        "face_in_a_private_place",
        "no face in a private place",
        sets(policy, "PRIVATE_PLACES", frozenset()),
    ),
    Breakage(
        "blind_vision_permitted",
        "no permission without eyes",
        sets(machine, "face_off", face_off_but(FaceOff.CAMERA)),
    ),
    Breakage(
        "too_many_scanned",
        "no scan that can't be told apart",
        sets(machine, "face_off", face_off_but(FaceOff.TOO_MANY_ENROLLED)),
    ),
    Breakage(
        "no_pause",
        "five failures pause the face",
        does(access, "refuse_and_pause", access.refuse_face),
    ),
    Breakage("short_pause", "five failures pause the face", sets(access, "FACE_PAUSE_S", 3.0)),
    Breakage(
        "consent_by_a_tap",
        "consent is given by a held button",
        begins_with(enrolment, FROM_CONSENT),
    ),
    Breakage(
        "capture_without_consent",
        "no capture without consent",
        begins_with(enrolment, FROM_NOTHING),
    ),
    Breakage(
        "consent_not_stored",
        "no template without consent",
        does(enrolment, "give_consent", without(enrolment.give_consent, StoreConsent)),
    ),
    Breakage(
        "sealed_after_cancelling",
        "no template after a withdrawal",
        begins_with(enrolment, FROM_CANCEL),
    ),
    Breakage(
        "button_ignored_in_a_capture",
        "the button ends a capture",
        leaves_out(enrolment, "stop_capture"),
    ),
    Breakage(
        "captured_faces_kept",
        "what was captured is sealed or dropped",
        does(enrolment, "stop_capture", without(enrolment.stop_capture, DropReferences)),
    ),
    Breakage(
        "no_dwell", "no embedding of passers-by", does(access, "prompt", prompt_without_dwell)
    ),
    Breakage(
        "another_track_scanned",
        "only who stands there is embedded",
        begins_with(access, row(P.SCANNING, ZoneSeen, None, access.note_zone)),
    ),
    Breakage(
        "decliner_scanned",
        "no scan of whoever said no",
        does(access, "end_decline", but(access.end_decline, must_clear=False)),
    ),
    Breakage(
        "refuser_scanned",
        "no scan of whoever said no",
        leaves_out(access, "await_empty"),
    ),
    Breakage(
        "overlooked",
        "nobody who is ready is overlooked",
        leaves_out(access, "prompt", P.SCANNING),
    ),
    Breakage("due_for_ever", "stays due|waited for again", leaves_out(access, "end_show")),
    Breakage(
        "another_answer_each_time",
        "a replay is the same",
        does(door, "release", release_under_another_number),
    ),
)


@pytest.mark.requirement("D10", "D15", "R01", "T08", "T35", "T38")
@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda one: one.name)
def test_the_walks_find_what_is_broken(breakage: Breakage, monkeypatch: pytest.MonkeyPatch) -> None:
    breakage.apply(monkeypatch)
    with pytest.raises(AssertionError, match=breakage.law):
        search()


def search() -> None:
    """Each visit alone, then the walks of `test_walks`; raises at the first law that is broken."""
    for numbers in walks.POLICIES:
        for visited in walks.VISITS:
            hold_against_the_laws((*walks.POWER_ON, *visited), numbers)
    search_at_random()


@SEARCHING
@given(walks.walks, walks.policies)
def search_at_random(happenings: tuple[Happening, ...], numbers: Policy) -> None:
    hold_against_the_laws(happenings, numbers)


def hold_against_the_laws(happenings: tuple[Happening, ...], numbers: Policy) -> None:
    history = walks.walk(happenings, numbers)
    walks.check(history, numbers)
    walks.check_replay(history, numbers)


def test_a_breakage_that_breaks_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match="no row does"):
        leaves_out(door, "no_such_action")(monkeypatch)
