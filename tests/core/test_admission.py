"""Facts about what opens for whom: rules of groups, weak cards, passes, dates, in which order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from terminal.core.admission import (
    Second,
    breaks_passback,
    face_refusal,
    refusal,
    second,
    way_of,
    way_with_pin,
)
from terminal.core.events import CredentialPresented
from terminal.core.policy import Policy, WeakCards
from terminal.core.values import (
    CodeState,
    ConsentState,
    Group,
    Holder,
    Medium,
    Moment,
    Passback,
    Reason,
    Rule,
    Schedule,
    Side,
    Ticket,
    Way,
)
from tests.core import given
from tests.core.given import (
    AGREED,
    BEGIN,
    CARD,
    DATED,
    INSIDE_ALREADY,
    MOVED_OUT,
    NOT_AGREED,
    PASS,
    WITH_PIN,
    WORKDAYS,
)

NOW = given.at(0.0)
UNTRUSTED = given.at(0.0, trusted=False)
OPEN_TO_WEAK = Policy(weak_cards=WeakCards.OPEN)
NO_WEAK = Policy(weak_cards=WeakCards.NEVER)
EXIT_READER = Policy(has_exit_reader=True)
MOMENT = timedelta(microseconds=1)


def card(holder: Holder | None, weak: bool = False, at: Moment = NOW) -> CredentialPresented:
    return CredentialPresented(at, "outside", CARD, holder, is_weak=weak)


def qr(
    holder: Holder | None, ticket: Ticket | None = PASS, at: Moment = NOW
) -> CredentialPresented:
    return CredentialPresented(at, "camera", None, holder, medium=Medium.QR, ticket=ticket)


def under(rule: Rule, holder: Holder = WITH_PIN) -> Holder:
    return replace(holder, group=Group("some", rule))


# What a group takes


TAKEN = {
    Rule.ANY: {Way.CARD: Second.NOTHING, Way.QR: Second.NOTHING},
    Rule.CARD: {Way.CARD: Second.NOTHING},
    Rule.QR: {Way.QR: Second.NOTHING},
    Rule.CARD_PIN: {Way.CARD: Second.PIN},
    Rule.QR_PIN: {Way.QR: Second.PIN},
    Rule.CARD_FACE: {Way.CARD: Second.FACE_OR_PIN},
}


@pytest.mark.parametrize("rule", Rule)
def test_a_group_takes_what_its_rule_says_and_nothing_else(rule: Rule) -> None:
    holder = under(rule)
    for shown in (card(holder), qr(holder)):
        wanted = TAKEN[rule].get(way_of(shown))
        if wanted is None:
            assert refusal(shown, Policy()) is Reason.ANOTHER_WAY
        else:
            assert refusal(shown, Policy()) is None
            assert second(shown, Policy()) is wanted


@pytest.mark.parametrize("rule", [rule for rule in Rule if rule is not Rule.ANY])
def test_a_face_alone_opens_only_for_a_group_without_a_rule(rule: Rule) -> None:
    assert face_refusal(under(rule), NOW, Policy()) is Reason.ANOTHER_WAY
    assert face_refusal(under(Rule.ANY), NOW, Policy()) is None


@pytest.mark.parametrize("rule", [Rule.CARD_PIN, Rule.QR_PIN, Rule.CARD_FACE])
def test_whoever_needs_a_pin_and_has_none_is_told_so(rule: Rule) -> None:
    shown = qr(under(rule, AGREED)) if rule is Rule.QR_PIN else card(under(rule, AGREED))
    assert refusal(shown, Policy()) is Reason.NO_PIN


@pytest.mark.requirement("R03")
def test_nobody_has_a_face_as_the_only_second_thing() -> None:
    """Without a PIN even a holder who agreed to the face is not asked for it."""
    assert refusal(card(under(Rule.CARD_FACE, AGREED)), Policy()) is Reason.NO_PIN


@pytest.mark.requirement("R01", "R03")
@pytest.mark.parametrize("consent", [one for one in ConsentState if one is not ConsentState.GIVEN])
def test_without_consent_the_second_thing_is_the_pin(consent: ConsentState) -> None:
    holder = replace(under(Rule.CARD_FACE), consent=consent)
    assert second(card(holder), Policy()) is Second.PIN


def test_the_ways_with_a_pin_have_names_of_their_own() -> None:
    assert (way_of(card(AGREED)), way_with_pin(card(AGREED))) == (Way.CARD, Way.CARD_PIN)
    assert (way_of(qr(AGREED)), way_with_pin(qr(AGREED))) == (Way.QR, Way.QR_PIN)


# Weak cards (D14)


@pytest.mark.requirement("D14", "A11")
def test_a_weak_card_opens_as_the_site_says() -> None:
    shown = card(WITH_PIN, weak=True)
    assert refusal(shown, NO_WEAK) is Reason.WEAK_CARD
    assert second(shown, OPEN_TO_WEAK) is Second.NOTHING
    assert second(shown, Policy()) is Second.PIN, "a new site wants the PIN"
    assert refusal(card(NOT_AGREED, weak=True), Policy()) is Reason.NO_PIN


@pytest.mark.requirement("T18")
@pytest.mark.parametrize("rule", Rule)
def test_where_weak_cards_are_not_taken_none_opens_whatever_the_rule(rule: Rule) -> None:
    assert refusal(card(under(rule), weak=True), NO_WEAK) is not None


def test_a_strong_card_needs_nothing_besides_wherever_weak_ones_do() -> None:
    for policy in (Policy(), OPEN_TO_WEAK, NO_WEAK):
        assert refusal(card(NOT_AGREED), policy) is None
        assert second(card(NOT_AGREED), policy) is Second.NOTHING


# Passes


@pytest.mark.requirement("A10", "R44")
@pytest.mark.parametrize(
    ("ticket", "reason"),
    [
        (replace(PASS, is_revoked=True), Reason.PASS_ENDED),
        (replace(PASS, valid_until=BEGIN), Reason.NOT_VALID_NOW),
        (replace(PASS, valid_from=BEGIN + MOMENT), Reason.NOT_VALID_NOW),
        (replace(PASS, code=CodeState.WRONG, step=7), Reason.CODE_WRONG),
        (replace(PASS, code=CodeState.USED, step=7), Reason.CODE_USED),
        (replace(PASS, left=0), Reason.PASS_USED),
    ],
)
def test_a_pass_that_does_not_open_says_why(ticket: Ticket, reason: Reason) -> None:
    assert refusal(qr(AGREED, ticket), Policy()) is reason


def test_a_pass_that_is_wrong_in_every_way_is_refused_in_a_fixed_order() -> None:
    ticket = replace(PASS, is_revoked=True, valid_until=BEGIN, code=CodeState.WRONG, step=7, left=0)
    reasons = [refusal(qr(AGREED, ticket, UNTRUSTED), Policy())]
    ticket = replace(ticket, is_revoked=False)
    reasons.append(refusal(qr(AGREED, ticket, UNTRUSTED), Policy()))
    reasons.append(refusal(qr(AGREED, ticket), Policy()))
    ticket = replace(ticket, valid_until=BEGIN + MOMENT)
    reasons.append(refusal(qr(AGREED, ticket), Policy()))
    ticket = replace(ticket, code=CodeState.FRESH)
    reasons.append(refusal(qr(AGREED, ticket), Policy()))
    assert reasons == [
        Reason.PASS_ENDED,
        Reason.CLOCK_UNTRUSTED,
        Reason.NOT_VALID_NOW,
        Reason.CODE_WRONG,
        Reason.PASS_USED,
    ]
    assert refusal(qr(AGREED, replace(ticket, left=1)), Policy()) is None


def test_a_pass_may_want_the_pin_by_itself() -> None:
    needs_pin = replace(PASS, needs_pin=True)
    assert second(qr(WITH_PIN, needs_pin), Policy()) is Second.PIN
    assert refusal(qr(AGREED, needs_pin), Policy()) is Reason.NO_PIN


@pytest.mark.requirement("A18", "A10")
@pytest.mark.parametrize("ticket", [PASS, given.COUNTED, given.ROTATING])
def test_no_pass_opens_while_the_clock_is_not_trusted(ticket: Ticket) -> None:
    assert refusal(qr(AGREED, ticket, UNTRUSTED), Policy()) is Reason.CLOCK_UNTRUSTED


# What comes before: whose it is


def test_what_was_wrong_with_a_code_comes_first() -> None:
    shown = replace(qr(None, None), problem=Reason.OTHER_DOOR, is_checked=False)
    assert refusal(shown, Policy()) is Reason.OTHER_DOOR


def test_what_nobody_could_look_up_is_not_called_unknown() -> None:
    assert refusal(replace(card(None), is_checked=False), Policy()) is Reason.CANT_CHECK
    assert refusal(card(None), Policy()) is Reason.UNKNOWN_CARD
    assert refusal(qr(None), Policy()) is Reason.UNKNOWN_PASS


# Dates and hours (R42, A18)


@pytest.mark.requirement("R42")
def test_validity_begins_with_its_first_moment_and_ends_before_its_last() -> None:
    from_now = Holder(given.RESIDENT, valid_from=NOW.utc)
    until_now = Holder(given.RESIDENT, valid_until=NOW.utc)
    assert refusal(card(from_now), Policy()) is None
    assert refusal(card(replace(from_now, valid_from=NOW.utc + MOMENT)), Policy())
    assert refusal(card(until_now), Policy()) is Reason.NOT_VALID_NOW
    assert refusal(card(replace(until_now, valid_until=NOW.utc + MOMENT)), Policy()) is None


@pytest.mark.requirement("A18", "R42")
def test_what_depends_on_a_date_or_an_hour_is_refused_while_the_clock_is_not_trusted() -> None:
    always = replace(AGREED, group=Group("day", schedule=WORKDAYS))
    for holder in (DATED, always):
        assert refusal(card(holder, at=UNTRUSTED), Policy()) is Reason.CLOCK_UNTRUSTED
        assert face_refusal(holder, UNTRUSTED, Policy()) is Reason.CLOCK_UNTRUSTED
    assert refusal(card(AGREED, at=UNTRUSTED), Policy()) is None


def test_a_group_with_a_schedule_comes_in_in_its_hours() -> None:
    holder = replace(AGREED, group=Group("day", schedule=WORKDAYS))
    monday = replace(NOW, utc=BEGIN + timedelta(days=2))
    assert refusal(card(holder), Policy()) is Reason.NOT_NOW, "a Saturday"
    assert refusal(card(holder, at=monday), Policy()) is None
    assert face_refusal(holder, NOW, Policy()) is Reason.NOT_NOW


def test_consent_is_asked_of_a_face_and_not_of_a_card() -> None:
    for consent in ConsentState:
        holder = Holder(given.RESIDENT, consent=consent)
        assert refusal(card(holder), Policy()) is None
        stands = face_refusal(holder, NOW, Policy()) is None
        assert stands is (consent is ConsentState.GIVEN)
    assert face_refusal(None, NOW, Policy()) is Reason.NOT_RECOGNISED


# The way out (R21)


@pytest.mark.requirement("R21")
def test_whoever_is_known_is_let_out_whatever_keeps_them_from_coming_in() -> None:
    never = Schedule("never", ((),) * 7)
    strict = Group("strict", Rule.QR_PIN, schedule=never, passback=Passback.HARD)
    holder = replace(MOVED_OUT, group=strict, side=Side.OUTSIDE)
    for weak, at in product((False, True), (NOW, UNTRUSTED)):
        shown = replace(card(holder, weak, at), side=Side.INSIDE)
        assert refusal(shown, NO_WEAK) is None
        assert second(shown, NO_WEAK) is Second.NOTHING
    out = replace(qr(holder, replace(PASS, is_revoked=True, left=0)), side=Side.INSIDE)
    assert refusal(out, Policy()) is None


def test_whoever_is_not_known_is_not_let_out_by_the_reader() -> None:
    assert refusal(replace(card(None), side=Side.INSIDE), Policy()) is Reason.UNKNOWN_CARD


# Anti-passback


@pytest.mark.parametrize(
    ("kind", "policy", "reason"),
    [
        (Passback.OFF, EXIT_READER, None),
        (Passback.SOFT, EXIT_READER, None),
        (Passback.HARD, EXIT_READER, Reason.PASSBACK),
        (Passback.HARD, Policy(), None),
        (Passback.TIMED, Policy(), Reason.PASSBACK),
    ],
)
def test_whoever_is_inside_already_comes_in_as_the_group_says(
    kind: Passback, policy: Policy, reason: Reason | None
) -> None:
    holder = given.passback(kind, 60.0)
    assert refusal(card(holder), policy) is reason
    assert face_refusal(holder, NOW, policy) is reason
    assert breaks_passback(holder, NOW) is (kind is not Passback.OFF)


@pytest.mark.parametrize("side", [None, Side.OUTSIDE])
def test_whoever_is_outside_or_was_never_seen_breaks_no_passback(side: Side | None) -> None:
    for kind in Passback:
        holder = replace(given.passback(kind, 60.0), side=side)
        assert refusal(card(holder), EXIT_READER) is None
        assert not breaks_passback(holder, NOW)


def test_timed_passback_forgets_after_its_time_and_not_before() -> None:
    holder = given.passback(Passback.TIMED, 60.0)
    assert breaks_passback(holder, given.at(59.999))
    assert not breaks_passback(holder, given.at(60.0))


@pytest.mark.requirement("A18")
def test_nobody_is_kept_out_by_timed_passback_on_a_clock_that_is_not_trusted() -> None:
    holder = given.passback(Passback.TIMED, 60.0)
    assert not breaks_passback(holder, UNTRUSTED)
    assert not breaks_passback(replace(holder, side_since=None), NOW)
    assert breaks_passback(replace(given.passback(Passback.HARD), side_since=None), UNTRUSTED)
    assert INSIDE_ALREADY.side_since == BEGIN
