"""Facts about a card with its holder's face: one try, 1:1, by consent, and a PIN in its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from terminal.core import machine
from terminal.core.effects import Kind, Permit, ReleaseStrike
from terminal.core.events import (
    ButtonPressed,
    CaptureHindered,
    EnrolledChanged,
)
from terminal.core.values import (
    NOTHING_ALLOWED,
    ConsentState,
    FaceOff,
    Hint,
    Holder,
    Level,
    Outcome,
    Permission,
    PinVerdict,
    Reason,
    Scene,
    TrackId,
    View,
    Way,
)
from tests.core import given
from tests.core.given import (
    AGREED,
    CARD_AND_FACE,
    NEIGHBOUR,
    NOT_AGREED,
    Terminal,
    only,
    record,
)

DETECT = Permission(Level.DETECT)


def verifying() -> Terminal:
    terminal = given.ready()
    terminal.sees(View.READY, 1)
    terminal.shows_card(CARD_AND_FACE)
    return terminal


@pytest.mark.requirement("R03", "D2")
def test_a_card_and_the_holder_s_face_open() -> None:
    terminal = verifying()
    person = CARD_AND_FACE.person
    assert terminal.permission == Permission(Level.EMBED, TrackId(1), verify=person)
    assert machine.screen(terminal.state, terminal.policy).scene is Scene.LOOK_OR_PIN
    effects = terminal.is_compared(CARD_AND_FACE)
    assert only(effects, ReleaseStrike)
    assert record(effects, Kind.GRANTED).way is Way.CARD_FACE
    assert terminal.ends[-1] == (2, Way.CARD_FACE, Outcome.GRANTED)
    assert terminal.ended[-1].steps == 2
    assert terminal.permission == NOTHING_ALLOWED


def test_without_anybody_in_the_zone_one_is_looked_for_and_a_hint_is_given() -> None:
    terminal = given.ready()
    terminal.shows_card(CARD_AND_FACE)
    assert terminal.permission == DETECT
    terminal.sees(View.READY, 4)
    assert terminal.permission.track == TrackId(4)
    terminal.hears(CaptureHindered, hint=Hint.MORE_LIGHT)
    assert machine.screen(terminal.state, terminal.policy).hint is Hint.MORE_LIGHT


@pytest.mark.requirement("R03")
@pytest.mark.parametrize("other", [None, NOT_AGREED, replace(AGREED, person=NEIGHBOUR)])
def test_after_one_try_by_face_the_pin_is_what_is_left(other: Holder | None) -> None:
    terminal = verifying()
    terminal.waits(5.0)
    effects = terminal.is_compared(other)
    refused = record(effects, Kind.REFUSED)
    assert (refused.reason, refused.way) == (Reason.NOT_RECOGNISED, Way.CARD_FACE)
    assert not only(effects, ReleaseStrike)
    assert terminal.permission == NOTHING_ALLOWED
    assert machine.screen(terminal.state, terminal.policy).scene is Scene.TYPE_PIN
    assert not terminal.is_compared(CARD_AND_FACE)
    terminal.waits(terminal.policy.second_wait_s - 1.0)
    assert only(terminal.types_pin(PinVerdict.RIGHT), ReleaseStrike)
    assert terminal.ended[-1].typing_s == terminal.policy.second_wait_s - 1.0


@pytest.mark.requirement("R03")
def test_the_pin_may_be_typed_instead_of_looking() -> None:
    terminal = verifying()
    assert only(terminal.types_pin(PinVerdict.RIGHT), ReleaseStrike)
    assert terminal.ends[-1][1] is Way.CARD_PIN


@pytest.mark.requirement("R01")
def test_a_consent_that_ended_meanwhile_opens_nothing() -> None:
    terminal = verifying()
    withdrawn = replace(CARD_AND_FACE, consent=ConsentState.WITHDRAWN)
    assert not only(terminal.is_compared(withdrawn), ReleaseStrike)


def test_a_face_of_another_track_is_not_compared() -> None:
    assert not verifying().is_compared(CARD_AND_FACE, track=9)


@pytest.mark.requirement("R12", "D9")
def test_a_decline_drops_the_face_and_keeps_the_card() -> None:
    terminal = verifying()
    effects = terminal.hears(ButtonPressed)
    assert effects[0] == Permit(NOTHING_ALLOWED, 0.5)
    assert not terminal.is_compared(CARD_AND_FACE)
    assert machine.screen(terminal.state, terminal.policy).scene is Scene.TYPE_PIN
    assert only(terminal.types_pin(PinVerdict.RIGHT), ReleaseStrike)
    assert terminal.ended[-1].steps == 3


@pytest.mark.requirement("R12")
def test_after_a_decline_the_face_is_not_asked_for_again() -> None:
    terminal = given.declined()
    terminal.shows_card(CARD_AND_FACE)
    assert terminal.permission == NOTHING_ALLOWED
    assert machine.screen(terminal.state, terminal.policy).scene is Scene.TYPE_PIN


@pytest.mark.requirement("D13")
def test_faces_that_fail_with_a_card_pause_the_face_like_any_other() -> None:
    terminal = given.ready()
    for _ in range(5):
        assert Kind.FACE_PAUSED not in [one.kind for one in terminal.recorded]
        terminal.shows_card(CARD_AND_FACE)
        terminal.sees(View.READY, 1)
        terminal.is_compared(None)
    assert Kind.FACE_PAUSED in [one.kind for one in terminal.recorded]
    terminal.shows_card(CARD_AND_FACE)
    assert given.face_off(terminal) is FaceOff.PAUSED
    assert machine.screen(terminal.state, terminal.policy).scene is Scene.TYPE_PIN, "blind"
    assert only(terminal.types_pin(PinVerdict.RIGHT), ReleaseStrike)


@pytest.mark.requirement("D2")
def test_with_too_many_to_tell_apart_one_can_still_be_verified() -> None:
    terminal = given.ready()
    terminal.hears(EnrolledChanged, people=9000, supported=False, room=False)
    terminal.shows_card(CARD_AND_FACE)
    assert terminal.permission == DETECT
