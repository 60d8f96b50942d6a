"""Facts about the terminal as a whole: when the face is off, what is permitted, in which order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from terminal.core import machine
from terminal.core.door_state import DoorPhase, DoorState
from terminal.core.effects import (
    HoldStrike,
    Kind,
    LightSign,
    Permit,
    Play,
    Record,
    ReleaseStrike,
    SecureStrike,
    Show,
    Sound,
)
from terminal.core.events import (
    ButtonPressed,
    CameraChanged,
    CodesChanged,
    ContactChanged,
    EnrolledChanged,
    Event,
    HoldAsked,
    ReaderChanged,
    SignRead,
    Started,
    VisionChanged,
    ZoneSeen,
)
from terminal.core.machine import State, next_deadline, ordered
from terminal.core.policy import (
    FACE_LEASE_S,
    FACE_RENEW_S,
    PRIVATE_PLACES,
    SIGN_WAIT_S,
    Place,
    Policy,
)
from terminal.core.table import Outputs, Row, advance, is_due, row
from terminal.core.values import (
    NOTHING_ALLOWED,
    FaceOff,
    Hint,
    Level,
    Permission,
    Scene,
    Screen,
    TrackId,
    View,
)
from tests.core import given
from tests.core.given import AGREED, Terminal, kinds, only, record

DETECT = Permission(Level.DETECT)


def off(terminal: Terminal) -> FaceOff | None:
    return machine.face_off(terminal.state, terminal.policy)


# When the face is off


@pytest.mark.requirement("D11")
def test_fewer_than_two_ways_switch_the_face_off() -> None:
    terminal = given.ready()
    effects = terminal.hears(ReaderChanged, reader="inside", working=False)
    assert terminal.permission == NOTHING_ALLOWED
    assert record(effects, Kind.FACE_OFF).facts == (("why", "alternatives"),)
    effects = terminal.hears(ReaderChanged, reader="inside", working=True)
    assert Kind.FACE_ON in kinds(effects)
    assert terminal.permission == DETECT


@pytest.mark.requirement("D11")
def test_a_reader_lost_in_a_scan_ends_it() -> None:
    terminal = given.ready()
    terminal.walks_up()
    effects = terminal.hears(ReaderChanged, reader="inside", working=False)
    assert effects[0] == Permit(NOTHING_ALLOWED, FACE_LEASE_S)
    assert not terminal.is_compared(AGREED)


@pytest.mark.requirement("D11", "A18")
def test_the_camera_s_codes_are_another_way_while_they_can_be_read_and_dated() -> None:
    terminal = given.ready()
    terminal.hears(ReaderChanged, reader="inside", working=False)
    effects = terminal.hears(CodesChanged, working=True)
    assert record(effects, Kind.CODES).facts == (("works", "yes"),)
    assert terminal.permission == DETECT
    terminal.trusted = False
    terminal.waits(1.0)
    assert off(terminal) is FaceOff.ALTERNATIVES
    terminal.trusted = True
    terminal.hears(CodesChanged, working=True)
    assert off(terminal) is None
    terminal.hears(CodesChanged, working=False)
    assert off(terminal) is FaceOff.ALTERNATIVES


@pytest.mark.requirement("D11")
def test_codes_that_nobody_can_see_are_no_way() -> None:
    terminal = given.ready()
    terminal.hears(CodesChanged, working=True)
    assert machine.alternatives(terminal.state, terminal.policy) == 3
    terminal.hears(CameraChanged, working=False)
    assert machine.alternatives(terminal.state, terminal.policy) == 2


@pytest.mark.requirement("D11", "R03")
def test_a_reader_by_which_nobody_comes_in_is_no_way() -> None:
    terminal = given.ready(Policy(not_ways=frozenset({"inside"})))
    assert off(terminal) is FaceOff.ALTERNATIVES
    terminal.hears(CodesChanged, working=True)
    assert off(terminal) is None


@pytest.mark.requirement("R11")
@pytest.mark.parametrize("place", [place for place in Place if place in PRIVATE_PLACES])
def test_in_a_private_place_no_face_is_ever_looked_at(place: Place) -> None:
    terminal = given.ready(Policy(place=place))
    terminal.walks_up()
    terminal.enrols()
    assert off(terminal) is FaceOff.PLACE
    assert {permit.permission.level for permit in terminal.permits} == {Level.NONE}
    assert not [
        one for told in terminal.history for one in only(told.effects, LightSign) if one.lit
    ]


def test_a_face_that_is_switched_off_stays_off() -> None:
    assert off(given.ready(Policy(face_enabled=False))) is FaceOff.DISABLED


@pytest.mark.requirement("D2", "R24")
def test_with_more_people_than_the_curve_supports_the_face_is_off() -> None:
    terminal = given.ready()
    terminal.hears(EnrolledChanged, people=9000, supported=False, room=False)
    assert off(terminal) is FaceOff.TOO_MANY_ENROLLED
    assert terminal.permission == NOTHING_ALLOWED


@pytest.mark.requirement("R13")
def test_with_nobody_enrolled_nobody_is_looked_at() -> None:
    terminal = given.ready()
    terminal.hears(EnrolledChanged, people=0, supported=True, room=True)
    assert off(terminal) is FaceOff.NOBODY_ENROLLED
    assert terminal.permission == NOTHING_ALLOWED


def test_the_first_person_of_all_can_be_enrolled() -> None:
    terminal = given.ready()
    terminal.hears(EnrolledChanged, people=0, supported=True, room=True)
    terminal.is_asked_to_enrol()
    terminal.consents()
    assert terminal.permission.level is Level.ENROL


def test_a_decline_where_nobody_is_enrolled_does_not_say_that_the_face_came_on() -> None:
    terminal = given.ready()
    terminal.hears(EnrolledChanged, people=0, supported=True, room=True)
    assert kinds(terminal.hears(ButtonPressed)) == (Kind.DECLINED,)


def test_a_decline_is_no_record_of_the_face_going_off_and_on() -> None:
    terminal = given.declined()
    terminal.waits(terminal.policy.decline_max_s)
    every = [kind for told in terminal.history for kind in kinds(told.effects)]
    assert every.count(Kind.FACE_ON) == 1
    assert every.index(Kind.FACE_OFF) < every.index(Kind.FACE_ON) < every.index(Kind.DECLINED)


@pytest.mark.requirement("R22")
def test_a_vision_that_dies_ends_the_scan_and_no_card() -> None:
    terminal = given.ready()
    terminal.walks_up()
    effects = terminal.hears(VisionChanged, alive=False)
    assert off(terminal) is FaceOff.VISION
    assert record(effects, Kind.VISION).facts == (("works", "no"),)
    assert only(terminal.shows_card(AGREED), ReleaseStrike)


def test_a_vision_that_comes_back_has_to_show_its_camera_first() -> None:
    terminal = given.ready()
    terminal.hears(VisionChanged, alive=False)
    terminal.hears(VisionChanged, alive=True)
    assert off(terminal) is FaceOff.CAMERA
    terminal.hears(CameraChanged, working=True)
    assert terminal.permission == DETECT


@pytest.mark.requirement("D10")
def test_a_vision_that_greets_is_told_that_it_may_do_nothing() -> None:
    terminal = given.started()
    (permit,) = only(terminal.hears(VisionChanged, alive=True), Permit)
    assert permit.permission == NOTHING_ALLOWED


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        (VisionChanged, {"alive": True}),
        (CameraChanged, {"working": True}),
        (CodesChanged, {"working": False}),
        (ReaderChanged, {"reader": "inside", "working": True}),
    ],
)
def test_news_that_is_none_is_not_recorded(event: type[Event], facts: dict[str, Any]) -> None:
    assert not kinds(given.ready().hears(event, **facts))


# The sign (D10)


@pytest.mark.requirement("D10")
def test_the_sign_is_lit_before_anything_is_permitted() -> None:
    terminal = given.ready()
    every = [effect for told in terminal.history for effect in told.effects]
    permitted = Permit(DETECT, FACE_LEASE_S)
    assert every.index(LightSign(True)) < every.index(permitted)


@pytest.mark.requirement("D10")
def test_sign_that_does_not_read_back_keeps_the_face_off() -> None:
    terminal = Terminal(sign_works=False)
    for told in given.ready().history:
        if not isinstance(told.event, SignRead):
            terminal.hears_event(told.event)
    assert terminal.permission == NOTHING_ALLOWED
    terminal.waits(SIGN_WAIT_S)
    assert off(terminal) is FaceOff.SIGN
    terminal.waits(600.0)
    assert {permit.permission.level for permit in terminal.permits} == {Level.NONE}


@pytest.mark.requirement("D10")
def test_a_sign_that_goes_dark_ends_a_scan_at_once() -> None:
    terminal = given.ready()
    terminal.walks_up()
    effects = terminal.hears(SignRead, lit=False)
    assert effects[0] == Permit(NOTHING_ALLOWED, FACE_LEASE_S)
    assert not terminal.is_compared(AGREED)


def test_a_sign_that_reads_back_after_all_brings_the_face_back() -> None:
    terminal = given.ready()
    terminal.hears(SignRead, lit=False)
    terminal.waits(SIGN_WAIT_S)
    assert off(terminal) is FaceOff.SIGN
    terminal.hears(SignRead, lit=True)
    assert terminal.permission == DETECT


@pytest.mark.requirement("D10")
def test_a_sign_that_is_not_wanted_is_not_waited_for() -> None:
    terminal = given.ready()
    terminal.hears(SignRead, lit=False)
    terminal.hears(CameraChanged, working=False)
    assert next_deadline(terminal.state) is None


@pytest.mark.requirement("D9", "D10", "A25")
def test_a_decline_puts_the_sign_out_after_vision_has_lost_its_permission() -> None:
    terminal = given.ready()
    terminal.walks_up()
    effects = terminal.hears(ButtonPressed)
    assert effects[:2] == (Permit(NOTHING_ALLOWED, FACE_LEASE_S), LightSign(False))


# The lease (D10)


@pytest.mark.requirement("D10")
def test_permission_is_a_lease_that_is_renewed_before_it_ends() -> None:
    terminal = given.ready()
    permits = only(terminal.waits(10.1), Permit)
    assert len(permits) == int(10.1 / FACE_RENEW_S)
    assert {permit.lease_s for permit in permits} == {FACE_LEASE_S}
    assert FACE_RENEW_S < FACE_LEASE_S <= 0.5


@pytest.mark.requirement("D10")
def test_where_nothing_is_permitted_nothing_is_renewed() -> None:
    terminal = given.declined()
    assert not only(terminal.waits(terminal.policy.decline_max_s - 0.1), Permit)


@pytest.mark.requirement("D10", "A26")
def test_what_vision_says_without_permission_is_not_heard() -> None:
    terminal = given.ready()
    terminal.hears(CameraChanged, working=False)
    assert not terminal.sees(View.READY, 1)
    assert terminal.state.access.number == 0


# The order of effects (law 4)


@pytest.mark.requirement("T08", "D10", "D15")
def test_what_takes_away_comes_first_then_records_then_the_strike_then_the_rest() -> None:
    said = (
        Play(Sound.GRANTED),
        ReleaseStrike(5.0),
        HoldStrike(5.0),
        LightSign(True),
        Permit(Permission(Level.EMBED, TrackId(1)), 0.5),
        Record(Kind.GRANTED, given.at(0.0)),
        Record(Kind.REX, given.at(0.0)),
        LightSign(False),
        Permit(DETECT, 0.5),
        SecureStrike(),
        Permit(NOTHING_ALLOWED, 0.5),
    )
    assert ordered(said) == (*said[7:], *said[5:7], *said[1:3], said[0], *said[3:5])


def test_a_start_says_everything_anew() -> None:
    terminal = given.ready()
    effects = terminal.hears(Started, door_open=False, readers=("inside",))
    assert kinds(effects) == (Kind.STARTED, Kind.FACE_OFF)
    assert only(effects, LightSign) == (LightSign(False),)
    assert only(effects, Permit) == (Permit(NOTHING_ALLOWED, FACE_LEASE_S),)
    assert len(only(effects, Show)) == 1
    assert terminal.state.readers == {"inside"}


# The screen


def test_the_screen_says_why_the_face_is_off() -> None:
    terminal = given.ready()
    (shown,) = only(terminal.hears(CameraChanged, working=False), Show)
    assert shown.screen == Screen(Scene.FACE_OFF, face_off=FaceOff.CAMERA)


def test_the_screen_of_a_visit() -> None:
    terminal = given.ready()
    terminal.walks_up()
    terminal.is_compared(AGREED)
    terminal.sees(View.EMPTY)
    terminal.waits(10.0)
    every = [one.screen.scene for told in terminal.history for one in only(told.effects, Show)]
    assert every[-4:] == [Scene.PROMPT, Scene.HOLD_STILL, Scene.GRANTED, Scene.IDLE]


def test_an_enrolment_has_the_screen_before_a_transaction_and_that_before_the_door() -> None:
    terminal = given.ready()
    terminal.hears(ContactChanged, open=True)
    terminal.shows_card(AGREED)
    assert machine.screen(terminal.state, terminal.policy).scene is Scene.GRANTED
    terminal.is_asked_to_enrol()
    assert machine.screen(terminal.state, terminal.policy).scene is Scene.CONSENT


def test_a_held_release_is_shown() -> None:
    terminal = given.ready()
    (shown,) = only(terminal.hears(HoldAsked, lasts_s=60.0, by="operator", why="delivery"), Show)
    assert shown.screen.scene is Scene.HELD_RELEASED


# Time


def test_nothing_is_waited_for_where_nothing_is_under_way() -> None:
    assert next_deadline(State()) is None
    assert next_deadline(given.started().state) is None


def test_the_nearest_deadline_of_all_tables_comes_first() -> None:
    terminal = given.ready()
    terminal.hears(HoldAsked, lasts_s=60.0, by="operator", why="delivery")
    terminal.sees(View.READY, 1)
    state = terminal.state
    every = [state.door.renew_s, state.door.until_s, state.access.until_s, state.renew_s]
    assert next_deadline(state) == min(one for one in every if one is not None)


def test_a_deadline_that_is_not_set_is_never_due() -> None:
    assert not is_due(None, 1e12)
    assert is_due(0.0, 0.0)
    assert not is_due(1.0, 0.999)


# The tables (law 6)


def nothing(state: DoorState, event: Event, policy: Policy) -> tuple[DoorState, Outputs]:
    return state, ()


def test_the_first_row_that_fits_is_taken_and_no_other() -> None:
    table: tuple[Row[DoorState], ...] = (
        row(DoorPhase.SECURED, ButtonPressed, DoorPhase.OPEN, nothing, when=never),
        row(DoorPhase.OPEN, ButtonPressed, DoorPhase.FREE, nothing),
        row(DoorPhase.SECURED, ButtonPressed, DoorPhase.FORCED, nothing),
        row(DoorPhase.SECURED, ButtonPressed, DoorPhase.FREE, nothing),
    )
    event, policy = ButtonPressed(given.at(0.0)), Policy()
    after, outputs = advance(table, DoorState(), event, policy)
    assert (after, outputs) == (DoorState(DoorPhase.FORCED), ())
    assert advance(table, after, event, policy) == (after, ())


def test_a_row_without_an_end_stays_where_it_is() -> None:
    table: tuple[Row[DoorState], ...] = (row(DoorPhase.FREE, ButtonPressed, None, nothing),)
    state = replace(DoorState(), phase=DoorPhase.FREE)
    assert advance(table, state, ButtonPressed(given.at(0.0)), Policy()) == (state, ())


def never(state: DoorState, event: Event, policy: Policy) -> bool:
    return False


@pytest.mark.requirement("R12")
@pytest.mark.parametrize("hint", [Hint.NEARER, Hint.HOLD_STILL, Hint.FACE_THE_CAMERA])
def test_whoever_passes_by_is_not_beckoned_nearer(hint: Hint) -> None:
    terminal = given.ready()
    terminal.hears(ZoneSeen, view=View.PASSING, hint=hint)
    assert machine.screen(terminal.state, terminal.policy) == Screen(Scene.IDLE)


def test_several_people_are_asked_to_come_one_at_a_time() -> None:
    terminal = given.ready()
    terminal.hears(ZoneSeen, view=View.SEVERAL, hint=Hint.ONE_AT_A_TIME)
    shown = machine.screen(terminal.state, terminal.policy)
    assert shown == Screen(Scene.IDLE, hint=Hint.ONE_AT_A_TIME)
