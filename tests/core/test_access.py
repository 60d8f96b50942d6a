"""Facts about coming in: the walk-up, the card, the decline, failures, the exact dates."""

from __future__ import annotations

import pytest

from terminal.core.effects import (
    Kind,
    LightSign,
    Permit,
    Play,
    Record,
    ReleaseStrike,
    Show,
    Sound,
)
from terminal.core.events import (
    ButtonPressed,
    CameraChanged,
    CaptureHindered,
    ContactChanged,
    FaceAsked,
    PresenceChanged,
    VisionChanged,
)
from terminal.core.policy import FACE_PAUSE_S, READER_FAILURES, Policy
from terminal.core.transaction import AccessPhase
from terminal.core.values import (
    NOTHING_ALLOWED,
    FaceOff,
    Hint,
    Holder,
    Level,
    Outcome,
    Permission,
    Reason,
    Scene,
    Screen,
    TrackId,
    View,
    Way,
)
from tests.core import given
from tests.core.given import (
    AGREED,
    BUTTON,
    DATED,
    MOVED_OUT,
    NOT_AGREED,
    NOT_YET_IN,
    WITHDRAWN,
    kinds,
    only,
    record,
)

EMBED_1 = Permission(Level.EMBED, track=TrackId(1))
DETECT = Permission(Level.DETECT)


# By face (D1)


@pytest.mark.requirement("D1")
def test_whoever_stays_for_the_dwell_is_scanned_and_recognised_and_let_in() -> None:
    terminal = given.ready()
    terminal.walks_up()
    assert terminal.permission == EMBED_1
    effects = terminal.is_compared(AGREED)
    granted = record(effects, Kind.GRANTED)
    assert (granted.person, granted.way) == (given.RESIDENT, Way.FACE)
    assert only(effects, ReleaseStrike)
    assert terminal.ends == [(1, Way.FACE, Outcome.GRANTED)]


@pytest.mark.requirement("D1", "R13", "A26", "T38")
def test_nobody_is_embedded_before_the_dwell_is_over() -> None:
    terminal = given.ready()
    terminal.sees(View.READY, 1)
    terminal.waits(terminal.policy.dwell_s - 0.01)
    assert terminal.permission == DETECT
    terminal.waits(0.01)
    assert terminal.permission == EMBED_1


@pytest.mark.requirement("D1", "R13", "A26", "T38")
@pytest.mark.parametrize("view", [View.EMPTY, View.PASSING, View.SEVERAL])
def test_whoever_goes_on_or_is_not_alone_is_never_embedded(view: View) -> None:
    terminal = given.ready()
    terminal.sees(View.READY, 1)
    terminal.waits(0.5)
    terminal.sees(view)
    terminal.waits(10.0)
    assert not terminal.embedded
    assert terminal.ends == [(1, Way.FACE, Outcome.ABANDONED)]


@pytest.mark.requirement("D1", "R13")
@pytest.mark.parametrize("view", [View.PASSING, View.SEVERAL])
def test_passers_by_and_groups_begin_nothing(view: View) -> None:
    terminal = given.ready()
    terminal.sees(view)
    terminal.waits(10.0)
    assert terminal.state.access.number == 0


@pytest.mark.requirement("D1")
def test_a_dwell_is_one_person_s_own() -> None:
    terminal = given.ready()
    terminal.sees(View.READY, 1)
    terminal.waits(0.9)
    terminal.sees(View.READY, 2)
    terminal.waits(0.9)
    assert terminal.permission == DETECT
    terminal.waits(0.1)
    assert terminal.permission == Permission(Level.EMBED, track=TrackId(2))


def test_the_first_track_of_all_is_scanned_like_any_other() -> None:
    terminal = given.ready()
    terminal.walks_up(track=0)
    assert terminal.permission == Permission(Level.EMBED, track=TrackId(0))
    terminal.is_compared(None, track=0)
    terminal.waits(20.0)
    assert terminal.permission == DETECT, "it has had its scan"


def test_someone_else_in_the_middle_of_a_scan_ends_it_and_has_a_dwell_of_their_own() -> None:
    terminal = given.ready()
    terminal.walks_up(track=1)
    terminal.sees(View.READY, 2)
    assert terminal.permission == DETECT
    terminal.waits(terminal.policy.dwell_s)
    assert terminal.permission == Permission(Level.EMBED, track=TrackId(2))
    assert terminal.ends == [(1, Way.FACE, Outcome.ABANDONED)]


@pytest.mark.requirement("R13")
def test_a_second_person_in_the_zone_ends_a_scan() -> None:
    terminal = given.ready()
    terminal.walks_up()
    terminal.sees(View.SEVERAL)
    assert terminal.permission == DETECT
    assert terminal.state.access.phase is AccessPhase.IDLE


def test_a_probe_of_another_track_opens_nothing() -> None:
    terminal = given.ready()
    terminal.walks_up(track=1)
    assert not terminal.is_compared(AGREED, track=2)


def test_a_probe_that_comes_after_its_scan_opens_nothing() -> None:
    terminal = given.ready()
    terminal.walks_up()
    terminal.sees(View.EMPTY)
    assert not terminal.is_compared(AGREED)


def test_a_scan_without_a_good_frame_ends_by_itself_with_a_word() -> None:
    terminal = given.ready()
    terminal.walks_up()
    terminal.hears(CaptureHindered, hint=Hint.MORE_LIGHT)
    effects = terminal.waits(terminal.policy.scan_s)
    assert record(effects, Kind.REFUSED).reason is Reason.NO_GOOD_FRAME
    assert terminal.ends == [(1, Way.FACE, Outcome.REFUSED)]


def test_what_would_help_is_shown_while_it_does() -> None:
    terminal = given.ready()
    terminal.walks_up()
    (shown,) = only(terminal.hears(CaptureHindered, hint=Hint.HOLD_STILL), Show)
    assert shown.screen.hint is Hint.HOLD_STILL
    (shown,) = only(terminal.sees(View.READY, 1), Show)
    assert shown.screen.hint is None


def test_whoever_was_refused_is_not_scanned_again_where_they_stand() -> None:
    terminal = given.ready()
    terminal.walks_up()
    terminal.is_compared(None)
    terminal.waits(60.0)
    assert terminal.state.access.number == 1


def test_whoever_waits_behind_is_prompted_when_the_screen_is_free() -> None:
    terminal = given.ready()
    terminal.walks_up(track=1)
    terminal.is_compared(AGREED)
    terminal.sees(View.READY, 2)
    terminal.waits(terminal.policy.granted_show_s)
    assert terminal.state.access.phase is AccessPhase.PROMPTED


@pytest.mark.requirement("R01", "T37")
@pytest.mark.parametrize("holder", [NOT_AGREED, WITHDRAWN])
def test_a_face_without_standing_consent_is_refused(holder: Holder) -> None:
    terminal = given.ready()
    terminal.walks_up()
    effects = terminal.is_compared(holder)
    assert record(effects, Kind.REFUSED).reason is Reason.NO_CONSENT
    assert not only(effects, ReleaseStrike)


@pytest.mark.requirement("A6")
def test_a_refusal_says_no_more_than_a_word() -> None:
    terminal = given.ready()
    terminal.walks_up()
    refused = record(terminal.is_compared(None), Kind.REFUSED)
    assert (refused.person, refused.facts) == (None, ())


# Where the trigger is a button (D1)


@pytest.mark.requirement("D1", "R13")
def test_where_the_trigger_is_a_button_nobody_is_looked_at_before_it() -> None:
    terminal = given.ready(BUTTON)
    assert terminal.permission == NOTHING_ALLOWED
    terminal.hears(FaceAsked)
    assert terminal.permission == DETECT
    terminal.sees(View.READY, 1)
    assert terminal.permission == EMBED_1


@pytest.mark.requirement("D1")
def test_where_the_trigger_is_a_button_a_second_person_asks_anew() -> None:
    terminal = given.ready(BUTTON)
    terminal.hears(FaceAsked)
    terminal.sees(View.READY, 1)
    terminal.is_compared(None)
    terminal.waits(10.0)
    terminal.hears(FaceAsked)
    assert terminal.state.access.phase is AccessPhase.ASKED, "the first one's track is forgotten"


def test_a_face_asked_for_that_does_not_come_ends_by_itself() -> None:
    terminal = given.ready(BUTTON)
    terminal.hears(FaceAsked)
    terminal.sees(View.EMPTY)
    terminal.waits(terminal.policy.scan_s)
    assert terminal.ends == [(1, Way.FACE, Outcome.ABANDONED)]


def test_whoever_asks_is_scanned_without_a_dwell() -> None:
    terminal = given.ready()
    terminal.sees(View.READY, 1)
    terminal.hears(FaceAsked)
    assert terminal.permission == EMBED_1


def test_whoever_was_refused_may_ask_to_be_scanned_again() -> None:
    terminal = given.ready()
    terminal.walks_up()
    terminal.is_compared(None)
    terminal.waits(terminal.policy.refused_show_s)
    terminal.hears(FaceAsked)
    assert terminal.permission == EMBED_1


# By card


@pytest.mark.requirement("D1", "A26", "R13")
def test_a_card_ends_a_face_scan_before_any_embedding() -> None:
    terminal = given.ready()
    terminal.sees(View.READY, 1)
    terminal.waits(0.5)
    terminal.shows_card(NOT_AGREED)
    terminal.waits(30.0)
    assert not terminal.embedded
    assert terminal.ends == [
        (1, Way.FACE, Outcome.ABANDONED),
        (2, Way.CARD, Outcome.GRANTED),
    ]


@pytest.mark.requirement("D1")
def test_a_card_in_a_scan_takes_permission_before_the_door_opens() -> None:
    terminal = given.ready()
    terminal.walks_up()
    effects = terminal.shows_card(NOT_AGREED)
    assert effects[:2] == (Permit(NOTHING_ALLOWED, 0.5), LightSign(False))
    assert only(effects, ReleaseStrike)


def test_a_card_is_heard_in_every_phase() -> None:
    terminal = given.ready()
    terminal.walks_up()
    for _ in range(3):
        assert Kind.GRANTED in kinds(terminal.shows_card(NOT_AGREED))
    terminal.hears(ButtonPressed)
    assert Kind.GRANTED in kinds(terminal.shows_card(NOT_AGREED))


@pytest.mark.requirement("R22")
def test_a_card_opens_without_camera_vision_or_consent() -> None:
    terminal = given.started()
    assert only(terminal.shows_card(NOT_AGREED), ReleaseStrike)


@pytest.mark.parametrize(
    ("holder", "reason"),
    [
        (None, Reason.UNKNOWN_CARD),
        (MOVED_OUT, Reason.NOT_VALID_NOW),
        (NOT_YET_IN, Reason.NOT_VALID_NOW),
    ],
)
def test_a_card_that_does_not_open_says_why(holder: Holder | None, reason: Reason) -> None:
    terminal = given.ready()
    effects = terminal.shows_card(holder)
    refused = record(effects, Kind.REFUSED)
    assert (refused.reason, refused.way, refused.facts) == (
        reason,
        Way.CARD,
        (("reader", "outside"),),
    )
    assert Play(Sound.REFUSED) in effects
    assert not only(effects, ReleaseStrike)


def test_a_refusal_is_shown_for_its_time_and_then_no_more() -> None:
    terminal = given.ready()
    (shown,) = only(terminal.shows_card(None), Show)
    assert (shown.screen.scene, shown.screen.reason) == (Scene.REFUSED, Reason.UNKNOWN_CARD)
    (shown,) = only(terminal.waits(terminal.policy.refused_show_s), Show)
    assert shown.screen == Screen(Scene.FACE_OFF, face_off=FaceOff.ANOTHER_WAY)


# Dates (R42)


@pytest.mark.requirement("A18", "R42")
def test_a_dated_holder_is_refused_while_the_clock_is_not_trusted() -> None:
    terminal = given.ready()
    terminal.trusted = False
    refused = record(terminal.shows_card(DATED), Kind.REFUSED)
    assert refused.reason is Reason.CLOCK_UNTRUSTED
    assert Kind.GRANTED in kinds(terminal.shows_card(NOT_AGREED))


def test_a_dated_holder_comes_in_on_a_trusted_clock() -> None:
    assert Kind.GRANTED in kinds(given.ready().shows_card(DATED))


# Declining (D9, D10)


@pytest.mark.requirement("D10", "T35", "A25")
@pytest.mark.parametrize("waited_s", [0.0, 0.3, 0.99, 1.0, 1.5, 4.9, 5.0, 7.0])
def test_a_decline_takes_permission_first(waited_s: float) -> None:
    """At every moment of a walk-up: in the dwell, in the scan, after it."""
    terminal = given.ready()
    terminal.sees(View.READY, 1)
    terminal.waits(waited_s)
    effects = terminal.hears(ButtonPressed)
    assert effects[0] == Permit(NOTHING_ALLOWED, 0.5)
    assert terminal.permission == NOTHING_ALLOWED


@pytest.mark.requirement("A25")
def test_a_decline_is_counted_without_a_person() -> None:
    terminal = given.ready()
    terminal.walks_up()
    declined = record(terminal.hears(ButtonPressed), Kind.DECLINED)
    assert (declined.person, declined.way, declined.facts) == (None, None, ())
    assert terminal.ends == [(1, Way.FACE, Outcome.DECLINED)]


@pytest.mark.requirement("T35", "D10")
def test_a_probe_that_was_under_way_at_the_decline_opens_nothing() -> None:
    terminal = given.ready()
    terminal.walks_up()
    terminal.hears(ButtonPressed)
    assert not terminal.is_compared(AGREED)


@pytest.mark.requirement("D12")
def test_after_a_decline_a_card_opens_at_once_and_is_the_same_step() -> None:
    terminal = given.declined()
    effects = terminal.shows_card(NOT_AGREED)
    assert only(effects, ReleaseStrike)
    assert terminal.ends[-1] == (2, Way.CARD, Outcome.GRANTED)


@pytest.mark.requirement("D9")
def test_a_decline_ends_when_the_door_cycle_and_the_hold_time_are_over() -> None:
    terminal = given.declined()
    terminal.shows_card(NOT_AGREED)
    terminal.hears(ContactChanged, open=True)
    terminal.waits(10.0)
    assert terminal.permission == NOTHING_ALLOWED
    terminal.hears(ContactChanged, open=False)
    terminal.waits(terminal.policy.decline_hold_s - 0.01)
    assert terminal.permission == NOTHING_ALLOWED
    terminal.waits(0.01)
    assert terminal.permission == DETECT


@pytest.mark.requirement("D9")
def test_the_door_of_someone_else_does_not_end_a_decline() -> None:
    terminal = given.ready()
    terminal.shows_card(NOT_AGREED)
    terminal.hears(ButtonPressed)
    terminal.hears(ContactChanged, open=True)
    terminal.hears(ContactChanged, open=False)
    terminal.waits(10.0)
    assert terminal.permission == NOTHING_ALLOWED


@pytest.mark.requirement("D9")
def test_a_decline_ends_when_nobody_was_there_for_the_clearing_time() -> None:
    terminal = given.declined()
    terminal.hears(PresenceChanged, present=False)
    terminal.waits(terminal.policy.decline_clear_s)
    assert terminal.permission == DETECT
    assert terminal.ends[-1] == (2, Way.CARD, Outcome.ABANDONED)


@pytest.mark.requirement("D9")
def test_whoever_comes_back_in_the_clearing_time_keeps_the_decline() -> None:
    terminal = given.declined()
    terminal.hears(PresenceChanged, present=False)
    terminal.waits(terminal.policy.decline_clear_s - 1.0)
    terminal.hears(PresenceChanged, present=True)
    terminal.waits(20.0)
    assert terminal.permission == NOTHING_ALLOWED


@pytest.mark.requirement("D9", "A26")
def test_a_decline_ends_at_the_latest_in_idle_and_never_in_a_scan() -> None:
    terminal = given.declined()
    terminal.waits(terminal.policy.decline_max_s)
    assert terminal.state.access.phase is AccessPhase.IDLE
    terminal.sees(View.READY, 2)
    terminal.waits(30.0)
    assert not terminal.embedded


@pytest.mark.requirement("D9", "A26", "R12")
def test_no_scan_follows_a_decline_until_the_zone_was_empty() -> None:
    terminal = given.declined()
    terminal.waits(terminal.policy.decline_max_s)
    terminal.sees(View.READY, 2)
    terminal.waits(10.0)
    terminal.sees(View.PASSING)
    terminal.sees(View.READY, 3)
    terminal.waits(10.0)
    assert not terminal.embedded
    terminal.sees(View.EMPTY)
    terminal.walks_up(track=4)
    assert terminal.embedded == {TrackId(4)}


@pytest.mark.requirement("D9")
def test_pressing_again_begins_the_time_of_a_decline_again() -> None:
    terminal = given.declined()
    terminal.waits(terminal.policy.decline_max_s - 1.0)
    effects = terminal.hears(ButtonPressed)
    assert Kind.DECLINED not in kinds(effects)
    terminal.waits(terminal.policy.decline_max_s - 1.0)
    assert terminal.permission == NOTHING_ALLOWED


def test_a_second_card_after_a_decline_is_a_transaction_of_its_own() -> None:
    terminal = given.declined()
    terminal.shows_card(NOT_AGREED)
    terminal.shows_card(AGREED)
    assert [end[0] for end in terminal.ends] == [1, 2, 3]


def test_a_bad_card_after_a_decline_is_refused_and_the_decline_goes_on() -> None:
    terminal = given.declined()
    (shown,) = only(terminal.shows_card(None), Show)
    assert (shown.screen.scene, shown.screen.reason) == (Scene.OTHER_WAY, Reason.UNKNOWN_CARD)
    assert terminal.permission == NOTHING_ALLOWED


# Failures (D13, R40)


@pytest.mark.requirement("D13", "T26")
def test_five_failures_pause_the_face_and_nothing_else() -> None:
    terminal = given.ready()
    for track in range(1, 5):
        assert Kind.FACE_PAUSED not in kinds(terminal.fails(track))
    assert Kind.FACE_PAUSED in kinds(terminal.fails(5))
    assert terminal.permission == NOTHING_ALLOWED
    assert only(terminal.shows_card(NOT_AGREED), ReleaseStrike)


@pytest.mark.requirement("D13", "T26")
def test_a_pause_lasts_thirty_seconds_and_five_new_failures_pause_again() -> None:
    terminal = given.ready()
    for track in range(1, 6):
        terminal.fails(track)
    terminal.waits(FACE_PAUSE_S - terminal.policy.refused_show_s - 0.1)
    assert terminal.permission == NOTHING_ALLOWED
    terminal.waits(0.2)
    assert terminal.permission == DETECT
    assert [Kind.FACE_PAUSED in kinds(terminal.fails(track)) for track in range(6, 11)] == [
        False,
        False,
        False,
        False,
        True,
    ]


@pytest.mark.requirement("D13")
def test_a_recognised_face_begins_the_count_again() -> None:
    terminal = given.ready()
    for track in range(1, 5):
        terminal.fails(track)
    terminal.walks_up(track=5)
    terminal.is_compared(AGREED, track=5)
    terminal.sees(View.EMPTY)
    terminal.waits(5.0)
    assert Kind.FACE_PAUSED not in kinds(terminal.fails(6))


def test_darkness_is_no_failure() -> None:
    terminal = given.ready()
    for track in range(1, 9):
        terminal.walks_up(track)
        terminal.waits(20.0)
        terminal.sees(View.EMPTY)
    assert terminal.permission == DETECT


@pytest.mark.requirement("D13", "R40", "T26")
def test_readers_never_pause_and_five_failures_alarm() -> None:
    terminal = given.ready()
    alarms = [Kind.READER_ALARM in kinds(terminal.shows_card(None)) for _ in range(8)]
    assert alarms == [False] * 4 + [True] + [False] * 3
    assert only(terminal.shows_card(NOT_AGREED), ReleaseStrike)


@pytest.mark.requirement("R40")
def test_each_reader_has_its_own_count_and_a_good_card_clears_it() -> None:
    terminal = given.ready()
    for _ in range(READER_FAILURES - 1):
        terminal.shows_card(None, reader="outside")
    assert Kind.READER_ALARM not in kinds(terminal.shows_card(None, reader="inside"))
    terminal.shows_card(NOT_AGREED, reader="outside")
    assert Kind.READER_ALARM not in kinds(terminal.shows_card(None, reader="outside"))


@pytest.mark.requirement("R40")
def test_failures_after_a_decline_alarm_just_as_well() -> None:
    terminal = given.declined()
    alarms = [Kind.READER_ALARM in kinds(terminal.shows_card(None)) for _ in range(5)]
    assert alarms[-1]


def test_two_ends_at_one_moment_are_both_met() -> None:
    """The pause of the face and a refusal on the screen: neither waits for another turn."""
    terminal = given.ready()
    for track in range(1, 6):
        terminal.fails(track)
    until_s = terminal.state.access.paused_until_s
    assert until_s is not None
    terminal.waits(until_s - terminal.policy.refused_show_s - terminal.now_s)
    terminal.shows_card(None)
    assert terminal.state.access.until_s == pytest.approx(until_s)
    terminal.waits(terminal.policy.refused_show_s + 0.001)
    assert terminal.state.access.paused_until_s is None
    assert terminal.state.access.phase is AccessPhase.IDLE


@pytest.mark.requirement("D10")
def test_a_track_number_of_a_vision_that_died_means_nobody() -> None:
    terminal = given.ready()
    terminal.walks_up()
    terminal.is_compared(AGREED)
    terminal.hears(VisionChanged, alive=False)
    terminal.waits(3.0)
    terminal.hears(VisionChanged, alive=True)
    terminal.hears(CameraChanged, working=True)
    terminal.walks_up(track=1)
    assert terminal.permission == EMBED_1


def test_no_record_of_access_holds_more_than_short_words() -> None:
    terminal = given.ready(Policy())
    terminal.walks_up()
    terminal.is_compared(AGREED)
    terminal.shows_card(None)
    for told in terminal.history:
        for one in only(told.effects, Record):
            assert all(len(word) < 40 for fact in one.facts for word in fact)
