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

from terminal.core import (
    access,
    credential_way,
    door,
    door_hold,
    door_release,
    door_state,
    door_watch,
    enrolment,
    face_way,
    letting_in,
    machine,
    parts,
    pin_tally,
    pin_way,
    policy,
    sight,
    transaction,
)
from terminal.core.door_state import DoorPhase
from terminal.core.effects import (
    DropReferences,
    Effect,
    HoldStrike,
    Play,
    Record,
    ReleaseStrike,
    SealTemplates,
    SecureStrike,
    Sound,
    StoreConsent,
    TellPanel,
    TransactionEnded,
)
from terminal.core.enrolment import EnrolmentPhase
from terminal.core.events import (
    AlarmRaised,
    ButtonPressed,
    EnrolAsked,
    EnrolCancelled,
    ZoneSeen,
)
from terminal.core.policy import Policy
from terminal.core.table import Outputs, Row, row
from terminal.core.transaction import AccessPhase, AccessState
from terminal.core.values import (
    FaceOff,
    Holder,
    Moment,
    Permission,
    PersonId,
    Reason,
    Side,
    Way,
)
from tests.core import walks
from tests.core.given import Told
from tests.core.walks import Happening

SEARCHING = settings(
    max_examples=100,
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
    return door_release.release(state, event, replace(numbers, release_s=2 * numbers.release_s))


def end_pulse_later(state: Any, event: Any, numbers: Policy) -> tuple[Any, Outputs]:
    after, outputs = door_release.release(state, event, numbers)
    until_s = event.at.mono_s + 2 * numbers.release_s
    return replace(after, until_s=until_s, strike_until_s=until_s), outputs


def release_and_stay(state: Any, event: Any, numbers: Policy) -> tuple[Any, Outputs]:
    _, outputs = door_release.release(state, event, numbers)
    return state, outputs


def release_under_another_number(state: Any, event: Any, numbers: Policy) -> tuple[Any, Outputs]:
    after, outputs = door_release.release(state, event, numbers)
    number = ("number", str(next(_numbers)))
    return after, tuple(
        replace(one, facts=(*one.facts, number)) if isinstance(one, Record) else one
        for one in outputs
    )


_numbers = count()


def prompt_without_dwell(state: Any, event: Any, numbers: Policy) -> tuple[Any, Outputs]:
    return face_way.prompt(state, event, replace(numbers, dwell_s=0.0))


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
        reasons = sight._reasons(state, numbers)
        return next((one for one, holds in reasons if holds and one is not forgotten), None)

    return face_off


_permission = sight.permission


def permission_in_the_dark(state: machine.State, numbers: Policy) -> Permission:
    return _permission(replace(state, sign_lit=True), numbers)


def deadline_without_door(state: machine.State) -> float | None:
    others = (*transaction.deadlines(state.access), *enrolment.deadlines(state.enrolment))
    every = (*others, state.renew_s)
    return min((at_s for at_s in every if at_s is not None), default=None)


def barred_by_lockdown_alone(state: AccessState, holder: Holder | None) -> Reason | None:
    return transaction.barred(replace(state, interlocked=False), holder)


def never_barred(state: AccessState, holder: Holder | None) -> Reason | None:
    return None


def told_aloud(at: Moment, holder: Holder, way: Way, is_marked: bool) -> Outputs:
    told = _duress_told(at, holder, way, is_marked)
    return (*told, Play(Sound.WARNING)) if told else ()


def told_without_alarm(at: Moment, holder: Holder, way: Way, is_marked: bool) -> Outputs:
    return _duress_told(at, holder, way, is_marked)[:1]


_duress_told = letting_in.duress_told


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
        does(door, "release", without(door_release.release, Record)),
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
        "no pulse longer than release_s|is asserted in time|ends when it was to end",
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
        does(door, "open_secure", without(door_watch.open_secure, SecureStrike)),
    ),
    Breakage(
        "granted_but_not_released",
        "who is let in can go in",
        does(door, "release", without(door_release.release, ReleaseStrike)),
    ),
    Breakage(
        "forced_in_silence",
        "a forced door is an alarm",
        does(door, "forced", without(door_watch.forced, Record)),
    ),
    Breakage(
        "hold_not_asserted_again",
        "a held release is asserted in time",
        does(door, "assert_hold", without(door_hold.assert_hold, HoldStrike)),
    ),
    Breakage(
        "hold_without_end",
        "a held release ends when it was to end|stays due|no schedule on a clock",
        leaves_out(door, "end_hold"),
    ),
    Breakage(
        "long_hold_lease", "a held release is a lease", sets(door_state, "HOLD_LEASE_S", 30.0)
    ),
    Breakage(
        "ended_twice",
        "a transaction ends once|every transaction ends",
        sets(access, "over", over_but_running),
    ),
    Breakage(
        "never_ended",
        "every transaction ends",
        does(access, "end_decline", without(access.end_decline, TransactionEnded)),
    ),
    Breakage(
        "permitted_while_declined",
        "a decline takes permission at once|a decline is a decline",
        sets(sight, "face_off", face_off_but(FaceOff.DECLINED)),
    ),
    Breakage(
        "deaf_to_a_decline",
        "a decline takes permission at once",
        begins_with(access, row(P.SCANNING, ButtonPressed, None, deaf_to_decline)),
    ),
    Breakage(
        "permitted_in_the_dark",
        "no model runs under a dark sign",
        sets(sight, "permission", permission_in_the_dark),
    ),
    Breakage("long_lease", "permission is a lease", sets(machine, "FACE_LEASE_S", 5.0)),
    Breakage(
        "renewed_late", "a permission is renewed in time", sets(machine, "FACE_RENEW_S", 0.75)
    ),
    Breakage(
        "one_other_way",
        "no face without two other ways in",
        sets(sight, "ALTERNATIVES_REQUIRED", 1),
    ),
    Breakage(
        "face_in_a_private_place",
        "no face in a private place",
        sets(policy, "PRIVATE_PLACES", frozenset()),
    ),
    Breakage(
        "blind_vision_permitted",
        "no permission without eyes",
        sets(sight, "face_off", face_off_but(FaceOff.CAMERA)),
    ),
    Breakage(
        "too_many_scanned",
        "no scan that can't be told apart",
        sets(sight, "face_off", face_off_but(FaceOff.TOO_MANY_ENROLLED)),
    ),
    Breakage(
        "no_pause",
        "five failures pause the face",
        does(access, "refuse_and_pause", face_way.refuse_face),
    ),
    Breakage("short_pause", "five failures pause the face", sets(face_way, "FACE_PAUSE_S", 3.0)),
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
        begins_with(access, row(P.SCANNING, ZoneSeen, None, face_way.note_zone)),
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
        "let_in_in_a_lockdown",
        "in a lockdown only those come in who may",
        sets(credential_way, "barred", never_barred),
    ),
    Breakage(
        "let_in_by_face_in_a_lockdown",
        "in a lockdown only those come in who may",
        sets(face_way, "barred", never_barred),
    ),
    Breakage(
        "lockdown_between_card_and_pin",
        "in a lockdown only those come in who may",
        leaves_out(access, "refuse_barred"),
    ),
    Breakage(
        "held_in_a_lockdown",
        "in a lockdown nothing is held|nothing is released while the other door is open",
        leaves_out(door, "refuse_hold"),
    ),
    Breakage(
        "released_beside_an_open_door",
        "nothing is released while the other door is open",
        sets(credential_way, "barred", barred_by_lockdown_alone),
    ),
    Breakage(
        "guard_beside_an_open_door",
        "nothing is released while the other door is open",
        leaves_out(door, "refuse_guard"),
    ),
    Breakage(
        "pulse_beside_an_open_door",
        "what is released ends when the other door opens",
        does(door, "end_pulse_for_other", without(door_watch.end_pulse_for_other, SecureStrike)),
    ),
    Breakage(
        "pass_not_counted",
        "no counted pass opens without being spent",
        sets(credential_way, "must_be_spent", lambda ticket: False),
    ),
    Breakage(
        "uncounted_pass_opens",
        "no counted pass opens without being spent",
        does(access, "refuse_unspent", credential_way.let_in_by_pass),
    ),
    Breakage(
        "pin_checked_in_its_delay",
        "no PIN is checked within its delay",
        sets(pin_way, "is_delayed", lambda state, person, now_s: False),
    ),
    Breakage(
        "no_delay",
        "no PIN is checked within its delay",
        sets(pin_tally, "pin_delay_s", lambda failures: 0.0),
    ),
    Breakage(
        "late_wrong_pin_not_counted",
        "no PIN is checked within its delay",
        leaves_out(access, "count_wrong_pin"),
    ),
    Breakage(
        "wrong_pin_opens",
        "no PIN opens that was not right|stays due",
        does(access, "note_wrong_pin", pin_way.accept_pin),
    ),
    Breakage(
        "unused_pulse_noted",
        "nobody is noted who was not let in",
        does(
            door,
            "pulse_ends",
            but(door_release.pulse_ends, coming=((PersonId("p-gone"), Side.OUTSIDE),)),
        ),
    ),
    Breakage("kept_inside", "a way out needs nothing", leaves_out(access, "let_out")),
    Breakage(
        "looked_at_with_a_card",
        "who chose another way is left alone",
        sets(sight, "face_off", face_off_but(FaceOff.ANOTHER_WAY)),
    ),
    Breakage(
        "other_way_ends_with_any_door",
        "who chose another way is left alone",
        does(access, "decline", but(access.decline, awaits_door=True)),
    ),
    Breakage(
        "forced_without_alarm",
        "an alarm is never lost",
        does(door, "forced", without(door_watch.forced, AlarmRaised)),
    ),
    Breakage(
        "duress_without_alarm",
        "an alarm is never lost",
        sets(letting_in, "duress_told", told_without_alarm),
    ),
    Breakage(
        "duress_aloud",
        "under duress all looks the same",
        sets(letting_in, "duress_told", told_aloud),
    ),
    Breakage(
        "acknowledged_away",
        "no alarm is acknowledged away",
        sets(door_watch, "standing", lambda state: frozenset()),
    ),
    Breakage(
        "siren_for_duress",
        "the contact says what stands|under duress all looks the same",
        sets(parts, "SILENT", frozenset()),
    ),
    Breakage(
        "free_on_any_clock",
        "no schedule on a clock that is not trusted",
        sets(door_state, "is_open", lambda schedule, at: True),
    ),
    Breakage(
        "strike_of_a_panel_held",
        "the strike of a panel is left alone",
        sets(door_hold, "has_strike", lambda numbers: True),
    ),
    Breakage(
        "panel_not_told",
        "a panel is told of everyone",
        does(door, "tell_panel", without(door_release.tell_panel, TellPanel)),
    ),
    Breakage(
        "not_secured_on_closing",
        "secured when the door closes",
        does(door, "close_secure", without(door_watch.close_secure, SecureStrike)),
    ),
    Breakage(
        "keypad_counted_as_a_way",
        "no face without two other ways in",
        sets(sight, "alternatives", lambda state, numbers: len(state.readers)),
    ),
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
    walks.check_replay(hold_against_the_laws(happenings, numbers), numbers)


def hold_against_the_laws(happenings: tuple[Happening, ...], numbers: Policy) -> list[Told]:
    history = walks.walk(happenings, numbers)
    walks.check(history, numbers)
    walks.check_duress(history, numbers)
    return history


def test_a_breakage_that_breaks_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match="no row does"):
        leaves_out(door, "no_such_action")(monkeypatch)
