"""Facts about registering: the card, the held button, the capture, and every way to end it."""

from __future__ import annotations

import pytest

from terminal.core.effects import (
    BindCard,
    CheckDuplicate,
    DropReferences,
    Effects,
    EraseFace,
    ErasePerson,
    Kind,
    Play,
    Progress,
    RegisterPerson,
    ReleaseStrike,
    SealTemplates,
    Show,
    Sound,
    Stage,
    StoreConsent,
    TransactionEnded,
)
from terminal.core.enrolment import EnrolmentPhase
from terminal.core.events import (
    ButtonPressed,
    ButtonReleased,
    CaptureHindered,
    CredentialPresented,
    DuplicateChecked,
    EnrolAsked,
    EnrolCancelled,
    EraseAsked,
    FaceAsked,
    ReferenceTaken,
    SignRead,
)
from terminal.core.policy import POSES, Policy
from terminal.core.values import (
    NOTHING_ALLOWED,
    ConsentState,
    Hint,
    Level,
    Permission,
    PersonId,
    Pose,
    Reason,
    Scene,
    View,
)
from tests.core import given
from tests.core.given import (
    AGREED,
    FREE_CARD,
    NEW_CONSENT,
    NEWCOMER,
    NOT_AGREED,
    Terminal,
    kinds,
    only,
    record,
)

DETECT = Permission(Level.DETECT)


def asked(**wishes: bool) -> Terminal:
    terminal = given.ready()
    terminal.is_asked_to_enrol(**wishes)
    return terminal


def capturing() -> Terminal:
    terminal = asked()
    terminal.consents()
    return terminal


def checking() -> Terminal:
    terminal = capturing()
    terminal.captures()
    return terminal


def taps(terminal: Terminal) -> Effects:
    return terminal.hears(CredentialPresented, reader="outside", card=FREE_CARD, holder=None)


def cancels(terminal: Terminal) -> Effects:
    return terminal.hears(EnrolCancelled, by="operator")


def erases(terminal: Terminal, person: PersonId = NEWCOMER, everything: bool = False) -> Effects:
    return terminal.hears(EraseAsked, person=person, by="operator", everything=everything)


def levels(terminal: Terminal) -> set[Level]:
    return {permit.permission.level for permit in terminal.permits}


# Consent (R01, R12)


@pytest.mark.requirement("R01", "D10")
def test_no_permission_while_consent_is_asked() -> None:
    terminal = asked()
    assert terminal.permission == NOTHING_ALLOWED
    terminal.hears(ButtonPressed)
    terminal.waits(terminal.policy.consent_hold_s - 0.01)
    assert terminal.permission == NOTHING_ALLOWED


@pytest.mark.requirement("R01")
def test_holding_the_button_gives_consent_which_is_stored_before_any_capture() -> None:
    terminal = asked()
    terminal.hears(ButtonPressed)
    effects = terminal.waits(terminal.policy.consent_hold_s)
    (stored,) = only(effects, StoreConsent)
    assert (stored.person, stored.consent) == (NEWCOMER, NEW_CONSENT)
    assert stored.state is ConsentState.GIVEN
    assert record(effects, Kind.CONSENT_GIVEN).facts == (("consent", NEW_CONSENT),)
    assert effects.index(record(effects, Kind.CONSENT_GIVEN)) < effects.index(stored)
    assert terminal.permission == Permission(Level.ENROL, pose=Pose.STRAIGHT)


@pytest.mark.requirement("R01", "R12")
def test_letting_go_of_the_button_refuses_consent() -> None:
    terminal = asked()
    terminal.hears(ButtonPressed)
    terminal.waits(terminal.policy.consent_hold_s - 0.01)
    effects = terminal.hears(ButtonReleased)
    (stored,) = only(effects, StoreConsent)
    assert stored.state is ConsentState.REFUSED
    assert record(effects, Kind.ENROLMENT_FAILED).reason is Reason.DECLINED
    assert Level.ENROL not in levels(terminal)


@pytest.mark.requirement("R01", "R12")
def test_a_refusal_ends_what_was_agreed_to_earlier() -> None:
    terminal = given.ready()
    terminal.hears(
        EnrolAsked,
        person=NEWCOMER,
        consent=NEW_CONSENT,
        by="operator",
        with_card=False,
        with_face=True,
        known=True,
    )
    terminal.hears(ButtonPressed)
    effects = terminal.hears(ButtonReleased)
    assert [erased.person for erased in given.only(effects, EraseFace)] == [NEWCOMER]
    assert given.only(effects, ErasePerson) == ()


def test_a_button_let_go_a_moment_late_has_been_held_long_enough() -> None:
    """The release may be told before the deadline has been."""
    terminal = asked()
    terminal.hears(ButtonPressed)
    terminal.now_s += terminal.policy.consent_hold_s
    assert Kind.CONSENT_GIVEN in kinds(terminal.hears(ButtonReleased))


def test_a_button_that_comes_up_without_having_gone_down_decides_nothing() -> None:
    terminal = asked()
    assert not terminal.hears(ButtonReleased)


@pytest.mark.requirement("R01")
def test_a_consent_that_nobody_gives_is_not_given() -> None:
    terminal = asked()
    effects = terminal.waits(terminal.policy.consent_wait_s)
    assert record(effects, Kind.ENROLMENT_FAILED).reason is Reason.TIME_IS_UP
    assert Level.ENROL not in levels(terminal)
    assert not only(effects, StoreConsent)


@pytest.mark.requirement("R01")
def test_an_operator_can_prepare_a_consent_and_never_give_it() -> None:
    terminal = asked()
    terminal.is_asked_to_enrol()
    assert terminal.state.enrolment.phase is EnrolmentPhase.CONSENT
    assert Kind.CONSENT_GIVEN not in {
        kind for told in terminal.history for kind in kinds(told.effects)
    }


@pytest.mark.requirement("R12", "R13", "A26")
@pytest.mark.parametrize("pressed", ["consent", "capture", "check"])
def test_whoever_said_no_to_an_enrolment_is_not_scanned_where_they_stand(pressed: str) -> None:
    terminal = {"consent": asked, "capture": capturing, "check": checking}[pressed]()
    terminal.hears(ButtonPressed)
    terminal.hears(ButtonReleased)
    assert terminal.state.enrolment.phase is EnrolmentPhase.IDLE
    terminal.sees(View.READY, 1)
    terminal.waits(30.0)
    assert Level.EMBED not in levels(terminal)
    terminal.sees(View.EMPTY)
    terminal.walks_up(track=2)
    assert terminal.permission.level is Level.EMBED


def test_whoever_came_for_a_card_alone_is_not_scanned_where_they_stand() -> None:
    terminal = asked(with_card=True, with_face=False)
    taps(terminal)
    terminal.walks_up()
    assert Level.EMBED not in levels(terminal)


@pytest.mark.requirement("R01")
def test_a_face_that_walks_up_while_consent_is_asked_is_not_looked_at() -> None:
    terminal = asked()
    assert not terminal.sees(View.READY, 1)
    terminal.waits(10.0)
    assert terminal.state.access.number == 0


# The card


@pytest.mark.requirement("R45")
def test_a_card_is_bound_to_the_newcomer_after_its_record() -> None:
    terminal = asked(with_card=True, with_face=False)
    effects = taps(terminal)
    (bound,) = only(effects, BindCard)
    assert (bound.person, bound.card) == (NEWCOMER, FREE_CARD)
    assert effects.index(record(effects, Kind.CARD_BOUND)) < effects.index(bound)
    assert FREE_CARD not in str(record(effects, Kind.CARD_BOUND))
    assert only(effects, Progress)[-1].stage is Stage.CARD_ONLY


def test_after_the_card_comes_the_consent_where_a_face_is_wanted() -> None:
    terminal = asked(with_card=True)
    (news,) = only(taps(terminal), Progress)
    assert news.stage is Stage.CONSENT


def test_a_card_of_a_holder_is_not_bound_and_opens_as_ever() -> None:
    terminal = asked(with_card=True)
    effects = terminal.shows_card(AGREED)
    assert not only(effects, BindCard)
    assert only(effects, ReleaseStrike)
    assert terminal.state.enrolment.phase is EnrolmentPhase.TAP_CARD


def test_a_card_that_could_not_be_read_is_not_bound() -> None:
    terminal = asked(with_card=True)
    effects = terminal.hears(CredentialPresented, reader="outside", card=None, holder=None)
    assert Kind.REFUSED in kinds(effects)


def test_a_card_that_does_not_come_ends_the_enrolment_and_drops_the_newcomer() -> None:
    terminal = asked(with_card=True)
    effects = terminal.waits(terminal.policy.card_wait_s)
    assert record(effects, Kind.ENROLMENT_FAILED).reason is Reason.TIME_IS_UP
    assert only(effects, ErasePerson)


@pytest.mark.requirement("R03", "R12")
def test_whoever_refuses_keeps_the_card_and_is_a_holder_like_any_other() -> None:
    terminal = asked(with_card=True)
    taps(terminal)
    terminal.hears(ButtonPressed)
    effects = terminal.hears(ButtonReleased)
    assert not only(effects, ErasePerson)
    assert only(effects, Progress)[-1].stage is Stage.CARD_ONLY


@pytest.mark.requirement("R22")
def test_others_come_in_by_card_while_somebody_is_enrolled() -> None:
    for terminal in (asked(), capturing(), checking()):
        assert only(terminal.shows_card(NOT_AGREED), ReleaseStrike)


# The capture


@pytest.mark.requirement("R01")
def test_each_pose_is_asked_for_in_its_turn() -> None:
    terminal = capturing()
    wanted = []
    for _ in range(terminal.policy.references):
        wanted.append(terminal.permission.pose)
        terminal.hears(ReferenceTaken, pose=terminal.state.enrolment.pose)
    assert tuple(wanted) == POSES


def test_a_reference_in_another_pose_does_not_count() -> None:
    terminal = capturing()
    terminal.hears(ReferenceTaken, pose=Pose.LEFT)
    assert terminal.state.enrolment.taken == 0


def test_more_references_than_poses_begin_the_poses_again() -> None:
    terminal = given.ready(Policy(references=7))
    terminal.is_asked_to_enrol()
    terminal.consents()
    for _ in range(6):
        terminal.hears(ReferenceTaken, pose=terminal.state.enrolment.pose)
    assert terminal.permission.pose is POSES[1]


def test_progress_says_how_many_and_what_would_help() -> None:
    terminal = capturing()
    terminal.hears(ReferenceTaken, pose=Pose.STRAIGHT)
    effects = terminal.hears(CaptureHindered, hint=Hint.TURN_MORE)
    (news,), (shown,) = only(effects, Progress), only(effects, Show)
    assert news.screen == shown.screen
    screen = shown.screen
    assert (screen.scene, screen.pose, screen.hint) == (Scene.CAPTURE, Pose.LEFT, Hint.TURN_MORE)
    assert (screen.done, screen.wanted) == (1, 5)


def test_the_last_reference_is_followed_by_the_duplicate_check_in_the_dark() -> None:
    terminal = capturing()
    effects = terminal.captures()
    assert only(effects, CheckDuplicate) == (CheckDuplicate(NEWCOMER),)
    assert terminal.permission == NOTHING_ALLOWED


@pytest.mark.requirement("R01", "T37")
def test_a_new_face_is_sealed_under_its_consent_after_the_record() -> None:
    terminal = checking()
    effects = terminal.hears(DuplicateChecked, found=False)
    (sealed,) = only(effects, SealTemplates)
    assert (sealed.person, sealed.consent) == (NEWCOMER, NEW_CONSENT)
    assert effects.index(record(effects, Kind.ENROLLED)) < effects.index(sealed)
    assert only(effects, Progress)[-1].stage is Stage.DONE
    assert Play(Sound.GRANTED) in effects


def test_a_face_that_is_enrolled_already_is_not_enrolled_twice() -> None:
    effects = checking().hears(DuplicateChecked, found=True)
    assert not only(effects, SealTemplates)
    assert only(effects, DropReferences)
    assert record(effects, Kind.ENROLMENT_FAILED).reason is Reason.SAME_FACE_ENROLLED


def test_an_answer_that_nobody_waits_for_seals_nothing() -> None:
    for terminal in (given.ready(), asked(), capturing()):
        assert not terminal.hears(DuplicateChecked, found=False)


@pytest.mark.requirement("R01", "R04", "A25")
@pytest.mark.parametrize("begin", [capturing, checking])
def test_the_button_withdraws_until_the_last_moment(begin: object) -> None:
    terminal = capturing() if begin is capturing else checking()
    effects = terminal.hears(ButtonPressed)
    (erased,) = only(effects, EraseFace)
    assert (erased.person, erased.state) == (NEWCOMER, ConsentState.WITHDRAWN)
    assert only(effects, DropReferences)
    assert Kind.CONSENT_WITHDRAWN in kinds(effects)
    assert terminal.permission.level is not Level.ENROL
    assert not only(terminal.hears(DuplicateChecked, found=False), SealTemplates)


@pytest.mark.requirement("R01")
@pytest.mark.parametrize("begin", [capturing, checking])
def test_an_end_by_the_operator_or_by_time_drops_what_was_captured(begin: object) -> None:
    for reason in (Reason.CANCELLED, Reason.TIME_IS_UP):
        terminal = capturing() if begin is capturing else checking()
        late = reason is Reason.TIME_IS_UP
        effects = terminal.waits(terminal.policy.capture_s) if late else cancels(terminal)
        (erased,) = only(effects, EraseFace)
        assert erased.state is ConsentState.EXPIRED
        assert only(effects, DropReferences)
        assert record(effects, Kind.ENROLMENT_FAILED).reason is reason


def test_an_enrolment_can_be_cancelled_before_its_consent() -> None:
    effects = cancels(asked())
    assert record(effects, Kind.ENROLMENT_FAILED).reason is Reason.CANCELLED
    assert not only(effects, EraseFace)


def test_there_is_one_enrolment_at_a_time() -> None:
    terminal = capturing()
    other = PersonId("p-other")
    terminal.hears(
        EnrolAsked,
        person=other,
        consent=NEW_CONSENT,
        by="operator",
        with_card=True,
        with_face=True,
    )
    assert terminal.state.enrolment.person == NEWCOMER


def test_an_enrolment_of_nothing_does_not_begin() -> None:
    terminal = given.ready()
    assert not terminal.is_asked_to_enrol(with_card=False, with_face=False)


def test_a_person_who_is_known_is_neither_registered_again_nor_dropped() -> None:
    terminal = given.ready()
    effects = terminal.hears(
        EnrolAsked,
        person=given.RESIDENT,
        consent=NEW_CONSENT,
        by="operator",
        with_card=False,
        with_face=True,
        known=True,
    )
    assert not only(effects, RegisterPerson)
    assert not only(cancels(terminal), ErasePerson)


def test_a_newcomer_is_registered_after_the_record() -> None:
    effects = given.ready().is_asked_to_enrol()
    (registered,) = only(effects, RegisterPerson)
    assert effects.index(record(effects, Kind.PERSON_REGISTERED)) < effects.index(registered)


@pytest.mark.requirement("D10")
def test_a_sign_that_goes_dark_in_a_capture_ends_the_permission() -> None:
    terminal = capturing()
    terminal.hears(SignRead, lit=False)
    assert terminal.permission == NOTHING_ALLOWED
    assert not terminal.hears(ReferenceTaken, pose=Pose.STRAIGHT)


def test_a_face_asked_for_in_a_capture_begins_no_transaction() -> None:
    terminal = capturing()
    terminal.hears(FaceAsked)
    assert terminal.state.access.number == 0


def test_a_whole_enrolment_begins_no_transaction() -> None:
    terminal = given.ready()
    terminal.enrols()
    assert not [one for told in terminal.history for one in only(told.effects, TransactionEnded)]


# Erasure (R04, T33)


@pytest.mark.requirement("R04", "T33")
def test_an_erasure_ends_the_consent_and_erases_after_the_record() -> None:
    effects = erases(given.ready(), given.RESIDENT)
    (erased,) = only(effects, EraseFace)
    assert (erased.person, erased.state) == (given.RESIDENT, ConsentState.WITHDRAWN)
    assert kinds(effects) == (Kind.CONSENT_WITHDRAWN, Kind.ERASED)
    assert not only(effects, ErasePerson)


def test_everything_is_more_than_the_face() -> None:
    assert only(erases(given.ready(), everything=True), ErasePerson)


@pytest.mark.requirement("R01")
def test_an_erasure_of_the_person_under_way_ends_the_enrolment() -> None:
    for terminal in (asked(), capturing(), checking()):
        effects = erases(terminal)
        assert only(effects, DropReferences)
        assert terminal.state.enrolment.phase is EnrolmentPhase.IDLE
        assert not only(terminal.hears(DuplicateChecked, found=False), SealTemplates)


def test_an_erasure_of_somebody_else_leaves_the_enrolment_alone() -> None:
    terminal = capturing()
    effects = erases(terminal, given.RESIDENT)
    assert only(effects, EraseFace)
    assert not only(effects, DropReferences)
    assert terminal.state.enrolment.phase is EnrolmentPhase.CAPTURE


@pytest.mark.requirement("D14")
def test_a_weak_card_is_bound_as_one() -> None:
    terminal = given.ready()
    terminal.is_asked_to_enrol(with_card=True, with_face=False)
    (bound,) = only(terminal.shows_card(None, is_weak=True), BindCard)
    assert bound.is_weak


def test_a_card_of_which_nobody_knows_whose_it_is_is_not_bound() -> None:
    """The store could not be asked: it may be somebody's."""
    terminal = given.ready()
    terminal.is_asked_to_enrol(with_card=True, with_face=False)
    assert not only(terminal.shows_card(None, is_checked=False), BindCard)
    assert only(terminal.shows_card(None), BindCard)


def test_a_card_that_somebody_shows_inside_is_not_bound() -> None:
    terminal = given.ready()
    terminal.is_asked_to_enrol(with_card=True, with_face=False)
    assert not only(terminal.leaves_by_card(None), BindCard)
