"""What is written of people, groups and schedules is sealed, whole, and what a look-up answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from terminal.comparison import References
from terminal.core.timetable import is_open
from terminal.core.values import (
    EVERYONE,
    CardId,
    ConsentId,
    ConsentState,
    Group,
    Intervals,
    Moment,
    Passback,
    PersonId,
    Rule,
    Schedule,
    Side,
)
from terminal.errors import NotDone, StoreFailed
from terminal.schema import BIOMETRIC
from terminal.store import Details, FreePassage, GroupFacts, Kind, Lockdown, PanelNumber, Store
from terminal.store.weeks import MOST_INTERVALS, day_of, week_of
from tests.terminal.given_store import (
    ANNA,
    AT,
    BEN,
    CARD,
    LATER,
    NOBODY,
    NOON,
    OTHER_CARD,
    a_store,
    identity_bytes,
    identity_of,
    some_keys,
)

MODEL = NOTICE = "a" * 64
WORK: Intervals = ((480, 720), (780, 1080))
OFFICE = Schedule("office", (WORK, WORK, WORK, WORK, WORK, (), ()))
MONDAY = Moment(1.0, NOON + timedelta(days=2) - timedelta(hours=2), True)  # 10:00
PANEL = PanelNumber(17, 51966)
FULL = Details(
    "Anna Unmistakable",
    NOON,
    NOON + timedelta(days=9),
    Kind.STAFF,
    "cleaners",
    None,
    "Tower 7-Inimitable",
    PANEL,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = a_store(tmp_path)
    yield opened
    opened.close()


def consents(store: Store, person: PersonId) -> ConsentId:
    consent = ConsentId(f"consent-of-{person}")
    given = ConsentState.GIVEN
    store.put_consent(person, consent, given, AT, notice_sha256=NOTICE, how="button")
    return consent


# Details


@pytest.mark.requirement("R16")
def test_flat_and_panel_number_are_in_no_file_and_no_repr(store: Store, tmp_path: Path) -> None:
    store.groups.put(GroupFacts("cleaners"))
    store.update_person(ANNA, FULL)
    kept = identity_bytes(tmp_path)
    assert b"Unmistakable" not in kept
    assert b"Inimitable" not in kept
    assert (51966).to_bytes(8, "big") not in kept
    for shown in (repr(store.people()), repr(FULL), repr(PANEL)):
        assert "nimitable" not in shown
        assert "51966" not in shown


def test_details_come_back_as_they_were_written(store: Store) -> None:
    store.groups.put(GroupFacts("cleaners"))
    store.update_person(ANNA, FULL)
    assert store.details_of(ANNA) == FULL
    assert store.panel_number(ANNA) == PANEL
    found = store.find(ANNA)
    assert found is not None
    assert (found.flat, found.kind, found.group) == (FULL.flat, FULL.kind, FULL.group)
    store.update_person(ANNA, replace(FULL, flat=None, panel=None, group=None))
    assert store.details_of(ANNA) == replace(FULL, flat=None, panel=None, group=None)
    assert store.panel_number(ANNA) is None
    assert store.panel_number(NOBODY) is None


@pytest.mark.requirement("A20")
@pytest.mark.parametrize("column", ["sealed_name", "sealed_flat", "sealed_panel"])
def test_what_was_sealed_for_one_person_does_not_open_for_another(
    store: Store, column: str
) -> None:
    store.groups.put(GroupFacts("cleaners"))
    for person in (ANNA, BEN):
        store.update_person(person, FULL)
    swaps = {
        "sealed_name": "UPDATE person SET sealed_name = (SELECT sealed_name FROM person"
        " WHERE person = ?) WHERE person = ?",
        "sealed_flat": "UPDATE person SET sealed_flat = (SELECT sealed_flat FROM person"
        " WHERE person = ?) WHERE person = ?",
        "sealed_panel": "UPDATE person SET sealed_panel = (SELECT sealed_panel FROM person"
        " WHERE person = ?) WHERE person = ?",
    }
    identity_of(store).run(swaps[column], ANNA, BEN)
    anna, ben = store.people()
    field = column.removeprefix("sealed_")
    assert getattr(anna, field) is not None
    assert getattr(ben, field) is None


def test_a_name_does_not_open_as_a_flat(store: Store) -> None:
    identity_of(store).run("UPDATE person SET sealed_flat = sealed_name")
    assert [each.flat for each in store.people()] == [None, None]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (replace(FULL, name=" "), "A name has"),
        (replace(FULL, name="half a letter \ud800"), "A name has"),
        (replace(FULL, flat=""), "label of a flat"),
        (replace(FULL, flat="x" * 61), "label of a flat"),
        (replace(FULL, flat="a\x00b"), "label of a flat"),
        (replace(FULL, panel=PanelNumber(65536, 1)), "panel"),
        (replace(FULL, panel=PanelNumber(1, 2**37)), "panel"),
        (replace(FULL, panel=PanelNumber(-1, 1)), "panel"),
        (replace(FULL, group="nobodys"), "no group"),
        (replace(FULL, host=BEN), "Only a visitor"),
        (replace(FULL, kind=Kind.VISITOR, host=ANNA), "Only a visitor"),
        (replace(FULL, kind=Kind.VISITOR, host=NOBODY), "not registered"),
    ],
)
def test_details_that_can_not_be_are_refused_and_nothing_is_written(
    store: Store, wrong: Details, why: str
) -> None:
    store.groups.put(GroupFacts("cleaners"))
    before = store.people()
    with pytest.raises(NotDone, match=why):
        store.update_person(ANNA, wrong)
    if wrong.host != ANNA:
        with pytest.raises(NotDone, match=why):
            store.register(PersonId("new"), wrong, AT)
    assert store.people() == before


def test_nobody_is_changed_and_no_one_registered_without_an_identifier(store: Store) -> None:
    with pytest.raises(NotDone, match="not registered"):
        store.update_person(NOBODY, Details("Nobody"))
    with pytest.raises(NotDone, match="not registered"):
        store.details_of(NOBODY)
    for person in ("", "x" * 65, "a\n", "\ud800"):
        with pytest.raises(NotDone, match="identifier"):
            store.register(PersonId(person), Details("Name"), AT)


def test_details_whose_name_is_broken_are_not_copied_on(store: Store) -> None:
    identity_of(store).run("UPDATE person SET sealed_name = x'00' WHERE person = ?", ANNA)
    with pytest.raises(NotDone, match="can't be read"):
        store.details_of(ANNA)


def test_when_a_host_is_erased_the_visitor_stays_without_one(store: Store) -> None:
    store.update_person(ANNA, Details("Anna", kind=Kind.VISITOR, host=BEN))
    store.erase_person(BEN, AT)
    assert store.details_of(ANNA).host is None


# Visitors


@pytest.mark.requirement("R48", "R01")
def test_a_visitor_is_asked_for_no_consent_and_has_no_template(store: Store) -> None:
    store.register(visitor := PersonId("guest"), Details("Guest", kind=Kind.VISITOR), AT)
    for state in ConsentState:
        if state is not ConsentState.NONE:
            with pytest.raises(NotDone, match="no face is enrolled"):
                store.put_consent(
                    visitor, ConsentId("c"), state, AT, notice_sha256=NOTICE, how="button"
                )
    with pytest.raises(NotDone, match="no face is enrolled"):
        store.put_templates(visitor, ConsentId("c"), MODEL, np.ones((2, 8), np.float32))
    assert store.counts().consents == store.counts().templates == 0


@pytest.mark.requirement("R48")
def test_a_resident_becomes_no_visitor_while_a_consent_stands(store: Store) -> None:
    consents(store, ANNA)
    guest = Details("Anna", kind=Kind.VISITOR)
    with pytest.raises(NotDone, match="withdrawn first"):
        store.update_person(ANNA, guest)
    store.erase_face(ANNA, AT)
    store.update_person(ANNA, guest)
    assert store.details_of(ANNA).kind is Kind.VISITOR


@pytest.mark.requirement("R48")
def test_nobody_is_registered_as_a_visitor_under_whom_a_consent_stands(store: Store) -> None:
    consents(store, NOBODY)
    with pytest.raises(NotDone, match="withdrawn first"):
        store.register(NOBODY, Details("Nobody", kind=Kind.VISITOR), AT)


@pytest.mark.requirement("R48", "R01")
def test_a_visitor_made_by_somebody_elses_hand_is_not_loaded_and_has_no_consent(
    store: Store,
) -> None:
    face = np.random.default_rng(1).normal(size=(2, 8)).astype(np.float32)
    for person in (ANNA, BEN):
        store.put_templates(person, consents(store, person), MODEL, face)
    identity_of(store).run("UPDATE person SET kind = 'visitor' WHERE person = ?", ANNA)
    references = References(8)
    store.load_references(MODEL, references)
    assert set(references) == {BEN}
    holder = store.holder(ANNA)
    assert holder is not None
    assert holder.consent is ConsentState.NONE
    references.close()


@pytest.mark.requirement("R48", "R14")
def test_a_visitor_is_registered_though_the_file_of_faces_is_damaged(
    store: Store, tmp_path: Path
) -> None:
    store.close()
    (tmp_path / BIOMETRIC.file_name).write_bytes(b"SQLite format 3\0" * 300)
    again = a_store(tmp_path)
    again.register(PersonId("guest"), Details("Guest", kind=Kind.VISITOR, host=BEN), AT)
    again.bind_card(PersonId("guest"), CARD, AT)
    assert again.holder_of_card(CARD) is not None
    again.close()


# Groups and schedules


def test_a_holder_carries_the_group_with_its_schedule_and_every_holiday(store: Store) -> None:
    store.groups.put_schedule(OFFICE)
    store.groups.put_holiday(date(2027, 5, 3), "Labour Day, moved")
    store.groups.put(
        GroupFacts("cleaners", Rule.CARD_PIN, "office", Passback.TIMED, 300.0, passes_lockdown=True)
    )
    store.update_person(ANNA, Details("Anna", group="cleaners"))
    holder = store.holder(ANNA)
    assert holder is not None
    whole = replace(OFFICE, holidays=frozenset({date(2027, 5, 3)}))
    assert holder.group == Group("cleaners", Rule.CARD_PIN, whole, Passback.TIMED, 300.0, True)
    other = store.holder(BEN)
    assert other is not None
    assert other.group == EVERYONE


def is_let_in(store: Store) -> bool:
    holder = store.holder(ANNA)
    assert holder is not None
    assert holder.group.schedule is not None
    return is_open(holder.group.schedule, MONDAY)


def test_a_change_of_a_group_a_schedule_or_a_holiday_holds_at_the_next_look_up(
    store: Store,
) -> None:
    store.groups.put_schedule(OFFICE)
    store.groups.put(GroupFacts("cleaners", schedule="office"))
    store.update_person(ANNA, Details("Anna", group="cleaners"))
    assert is_let_in(store)
    store.groups.put_holiday(date(2027, 5, 3), "Labour Day, moved")
    assert not is_let_in(store)
    store.groups.remove_holiday(date(2027, 5, 3))
    assert is_let_in(store)
    store.groups.put_schedule(Schedule("office", ((), (), (), (), (), (), ())))
    assert not is_let_in(store)
    store.groups.put(GroupFacts("cleaners", Rule.QR))
    holder = store.holder(ANNA)
    assert holder is not None
    assert holder.group == Group("cleaners", Rule.QR)


def test_what_a_batch_took_back_holds_for_nobody(store: Store) -> None:
    store.groups.put(GroupFacts("cleaners"))
    store.update_person(ANNA, Details("Anna", group="cleaners"))
    with store.batch() as batch, pytest.raises(KeyError), batch.row():
        store.groups.put(GroupFacts("cleaners", passes_lockdown=True))
        holder = store.holder(ANNA)
        assert holder is not None and holder.group.passes_lockdown
        raise KeyError
    holder = store.holder(ANNA)
    assert holder is not None
    assert not holder.group.passes_lockdown


def test_groups_and_schedules_are_listed_as_they_were_written(store: Store) -> None:
    night = Schedule("night", (((0, 1440),), (), (), (), (), (), ((1320, 1440),)), None)
    store.groups.put_schedule(night)
    store.groups.put_schedule(OFFICE)
    store.groups.put_holiday(date(2027, 10, 1), "国庆节")
    facts = [GroupFacts("a", Rule.CARD_FACE, "night", Passback.HARD), GroupFacts("b")]
    for each in reversed(facts):
        store.groups.put(each)
    assert store.groups.all() == facts
    days = frozenset({date(2027, 10, 1)})
    assert store.groups.schedules() == [
        replace(night, holidays=days),
        replace(OFFICE, holidays=days),
    ]
    assert store.groups.holidays() == [(date(2027, 10, 1), "国庆节")]


def test_parts_of_a_day_are_put_in_order_and_together(store: Store) -> None:
    monday: Intervals = ((720, 800), (0, 60), (60, 90), (700, 730))
    store.groups.put_schedule(Schedule("x", (monday, (), (), (), (), (), ())))
    assert store.groups.schedules()[0].week[0] == ((0, 90), (700, 800))


MANY = tuple((minute, minute + 1) for minute in range(0, 2 * MOST_INTERVALS + 2, 2))


@pytest.mark.parametrize("day", [((5, 5),), ((9, 5),), ((-1, 5),), ((0, 1441),), MANY])
def test_a_day_that_can_be_none_is_refused(store: Store, day: Intervals) -> None:
    with pytest.raises(NotDone, match=r"part of a day|most"):
        store.groups.put_schedule(Schedule("x", (day, (), (), (), (), (), ())))
    with pytest.raises(NotDone, match=r"part of a day|most"):
        store.groups.put_schedule(replace(OFFICE, on_holidays=day))
    assert store.groups.schedules() == []


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (GroupFacts(""), "name of a group"),
        (GroupFacts("x" * 41), "name of a group"),
        (GroupFacts("a\x00b"), "name of a group"),
        (GroupFacts("everyone"), "no group"),
        (GroupFacts("a", schedule="nothing"), "no schedule"),
        (GroupFacts("a", passback=Passback.TIMED), "needs a time"),
        (GroupFacts("a", passback=Passback.SOFT, passback_s=1.0), "needs a time"),
        (GroupFacts("a", passback=Passback.TIMED, passback_s=float("nan")), "0 seconds"),
        (GroupFacts("a", passback=Passback.TIMED, passback_s=-1.0), "0 seconds"),
        (GroupFacts("a", passback=Passback.TIMED, passback_s=1e9), "0 seconds"),
    ],
)
def test_a_group_that_can_be_none_is_refused(store: Store, facts: GroupFacts, why: str) -> None:
    with pytest.raises(NotDone, match=why):
        store.groups.put(facts)
    assert store.groups.all() == []


def test_what_is_used_is_not_removed(store: Store) -> None:
    store.groups.put_schedule(OFFICE)
    store.groups.put(GroupFacts("cleaners", schedule="office"))
    store.update_person(ANNA, Details("Anna", group="cleaners"))
    with pytest.raises(NotDone, match="people in the group"):
        store.groups.remove("cleaners")
    with pytest.raises(NotDone, match="goes by this schedule"):
        store.groups.remove_schedule("office")
    store.update_person(ANNA, Details("Anna"))
    store.groups.remove("cleaners")
    store.settings.put_free_passage(FreePassage("office"), AT)
    with pytest.raises(NotDone, match="free passage"):
        store.groups.remove_schedule("office")
    store.settings.put_free_passage(FreePassage(), AT)
    store.groups.remove_schedule("office")
    assert store.groups.schedules() == []


def test_what_is_not_there_is_not_removed(store: Store) -> None:
    with pytest.raises(NotDone, match="no group"):
        store.groups.remove("x")
    with pytest.raises(NotDone, match="no schedule"):
        store.groups.remove_schedule("x")
    with pytest.raises(NotDone, match="no holiday"):
        store.groups.remove_holiday(date(2027, 1, 1))


def test_there_is_an_end_to_holidays(store: Store) -> None:
    with store.batch():
        for number in range(1000):
            store.groups.put_holiday(date(2027, 1, 1) + timedelta(days=number), "x")
    with pytest.raises(NotDone, match="holidays already"):
        store.groups.put_holiday(date(2037, 1, 1), "x")
    store.groups.put_holiday(date(2027, 1, 1), "New Year")
    assert store.groups.holidays()[0] == (date(2027, 1, 1), "New Year")


BROKEN_WEEKS = (
    "[[],[],[],[],[],[]]",
    "[[],[],[],[],[],[],[],[]]",
    "[[[0,1440]],[],[],[],[],[], []]",
    "[[[0,1441]],[],[],[],[],[],[]]",
    "[[[5,5]],[],[],[],[],[],[]]",
    "[[[9,5]],[],[],[],[],[],[]]",
    "[[[0,1],[1,2]],[],[],[],[],[],[]]",
    "[[[5,6],[0,1]],[],[],[],[],[],[]]",
    "[[[0]],[],[],[],[],[],[]]",
    "[[[0,1,2]],[],[],[],[],[],[]]",
    "[[0,1440],[],[],[],[],[],[]]",
    "[[[00,1440]],[],[],[],[],[],[]]",
    "[[[]],[],[],[],[],[],[]]",
    "[[",
    "[]",
    "[" * 5000,
)


@pytest.mark.parametrize(
    "text",
    [
        *BROKEN_WEEKS,
        "",
        "null",
        "{}",
        "7",
        '"always"',
        "[[[0.0,1440]],[],[],[],[],[],[]]",
        "[[[false,true]],[],[],[],[],[],[]]",
        '[[["0","9"]],[],[],[],[],[],[]]',
        "[null,[],[],[],[],[],[]]",
        "[{},[],[],[],[],[],[]]",
    ],
)
def test_a_week_that_is_not_as_it_was_written_is_none(text: str) -> None:
    with pytest.raises(StoreFailed):
        week_of(text)


@pytest.mark.parametrize(
    "text", ["", "null", "{}", "[ ]", "[[]]", "[[1,1]]", "[[0.0,5]]", "[[0,9],[9,10]]", "[[1,2],[3"]
)
def test_a_day_that_is_not_as_it_was_written_is_none(text: str) -> None:
    with pytest.raises(StoreFailed):
        day_of(text)
    assert day_of("[]") == ()


@pytest.mark.parametrize("text", BROKEN_WEEKS)
def test_a_broken_schedule_lets_nobody_in_who_goes_by_it_and_keeps_nobody_else_out(
    store: Store, text: str
) -> None:
    store.groups.put_schedule(OFFICE)
    store.groups.put(GroupFacts("cleaners", schedule="office"))
    store.update_person(ANNA, Details("Anna", group="cleaners"))
    store.bind_card(ANNA, CARD, AT)
    store.bind_card(BEN, OTHER_CARD, AT)
    identity_of(store).run("PRAGMA ignore_check_constraints = ON")
    identity_of(store).run("UPDATE schedule SET week = ?", text)
    store.groups.forget_resolved()
    for _ in range(2):
        with pytest.raises(StoreFailed, match="schedule"):
            store.holder_of_card(CARD)
    assert store.holder_of_card(OTHER_CARD) is not None


def drop_group(store: Store) -> None:
    identity_of(store).run("PRAGMA foreign_keys = OFF")
    identity_of(store).run("DROP TRIGGER group_is_used")
    identity_of(store).run("DELETE FROM holder_group")


def drop_schedule(store: Store) -> None:
    identity_of(store).run("PRAGMA foreign_keys = OFF")
    identity_of(store).run("DROP TRIGGER schedule_is_used")
    identity_of(store).run("DELETE FROM schedule")


def make_up_a_rule(store: Store) -> None:
    identity_of(store).run("PRAGMA ignore_check_constraints = ON")
    identity_of(store).run("UPDATE holder_group SET rule = 'none'")


def make_up_a_holiday(store: Store) -> None:
    identity_of(store).run("PRAGMA ignore_check_constraints = ON")
    identity_of(store).run("INSERT INTO holiday VALUES ('2027-02-30', 'x')")


def make_up_a_date(store: Store) -> None:
    identity_of(store).run("UPDATE person SET valid_until = ''")


def make_up_a_naive_date(store: Store) -> None:
    identity_of(store).run("UPDATE person SET valid_until = '2099-01-01T00:00:00'")


@pytest.mark.parametrize(
    "break_it",
    [
        drop_group,
        drop_schedule,
        make_up_a_rule,
        make_up_a_holiday,
        make_up_a_date,
        make_up_a_naive_date,
    ],
)
def test_a_holder_is_not_answered_by_a_guess(
    store: Store, break_it: Callable[[Store], None]
) -> None:
    store.groups.put_schedule(OFFICE)
    store.groups.put(GroupFacts("cleaners", schedule="office"))
    store.update_person(ANNA, Details("Anna", group="cleaners"))
    break_it(store)
    store.groups.forget_resolved()
    with pytest.raises(StoreFailed):
        store.holder(ANNA)


# Whereabouts


def test_a_holder_is_where_the_newest_passage_led_until_it_is_reset(store: Store) -> None:
    def where(person: PersonId) -> tuple[Side | None, object]:
        holder = store.holder(person)
        assert holder is not None
        return holder.side, holder.side_since

    assert where(ANNA) == (None, None)
    for person in (ANNA, BEN):
        store.note_passage(person, Side.INSIDE, AT)
    store.note_passage(ANNA, Side.OUTSIDE, LATER)
    assert (where(ANNA), where(BEN)) == ((Side.OUTSIDE, LATER.utc), (Side.INSIDE, AT.utc))
    assert store.reset_whereabouts(ANNA) == 1
    assert (where(ANNA), where(BEN)) == ((None, None), (Side.INSIDE, AT.utc))
    assert store.reset_whereabouts() == 1
    assert where(BEN) == (None, None)
    with pytest.raises(NotDone, match="not registered"):
        store.note_passage(NOBODY, Side.INSIDE, AT)


# Cards


def test_a_card_is_named_by_eight_digits_and_says_whether_it_is_weak(store: Store) -> None:
    store.bind_card(ANNA, CARD, AT)
    store.bind_card(ANNA, OTHER_CARD, LATER, is_weak=False)
    shown = [(each.handle, each.bound, each.is_weak) for each in store.cards.of(ANNA)]
    assert shown == [("1a1a1a1a", AT.utc, True), ("2b2b2b2b", LATER.utc, False)]
    known = store.holder_of_card(OTHER_CARD)
    assert known is not None
    assert not known.is_weak
    store.bind_card(ANNA, OTHER_CARD, LATER, is_weak=True)
    known = store.holder_of_card(OTHER_CARD)
    assert known is not None
    assert known.is_weak


@pytest.mark.requirement("T33", "R45")
def test_a_revoked_card_is_unknown_and_in_no_file(store: Store, tmp_path: Path) -> None:
    store.bind_card(ANNA, CARD, AT)
    store.bind_card(ANNA, OTHER_CARD, AT)
    assert CARD.encode() in identity_bytes(tmp_path)
    store.cards.revoke(ANNA, CARD[:8])
    assert store.holder_of_card(CARD) is None
    assert store.holder_of_card(OTHER_CARD) is not None
    assert CARD.encode() not in identity_bytes(tmp_path)
    with pytest.raises(NotDone, match="has no card"):
        store.cards.revoke(ANNA, CARD[:8])


def test_a_card_is_revoked_only_from_whom_it_belongs_to(store: Store) -> None:
    store.bind_card(ANNA, CARD, AT)
    with pytest.raises(NotDone, match="has no card"):
        store.cards.revoke(BEN, CARD[:8])
    assert store.holder_of_card(CARD) is not None


def test_of_two_cards_with_one_handle_neither_is_revoked(store: Store) -> None:
    alike = CardId(CARD[:8] + "0" * 56)
    store.bind_card(ANNA, CARD, AT)
    store.bind_card(ANNA, alike, AT)
    with pytest.raises(NotDone, match="2 cards"):
        store.cards.revoke(ANNA, CARD[:8])
    assert len(store.cards.of(ANNA)) == 2


def test_a_card_that_no_reader_read_is_not_bound(store: Store) -> None:
    for card in ("", "1" * 63, "g" * 64, "A" * 64, "\ud800" * 64):
        with pytest.raises(NotDone, match="no card"):
            store.bind_card(ANNA, CardId(card), AT)


# Settings


def test_settings_outlive_a_restart(store: Store, tmp_path: Path) -> None:
    assert store.settings.lockdown() == Lockdown()
    assert store.settings.free_passage() == FreePassage()
    store.groups.put_schedule(OFFICE)
    store.settings.put_lockdown(Lockdown(True, "fire drill: 演习"), AT)
    store.settings.put_free_passage(FreePassage("office", first_person=False), AT)
    store.close()
    again = a_store(tmp_path)
    assert again.settings.lockdown() == Lockdown(True, "fire drill: 演习")
    assert again.settings.free_passage() == FreePassage("office", first_person=False)
    again.settings.put_lockdown(Lockdown(False, "over"), LATER)
    assert again.settings.lockdown() == Lockdown(False, "over")
    again.close()


@pytest.mark.requirement("R47")
def test_a_lockdown_without_a_reason_is_not_written(store: Store) -> None:
    for reason in ("", "  ", "x" * 201, "a\x00"):
        with pytest.raises(NotDone, match="reason"):
            store.settings.put_lockdown(Lockdown(True, reason), AT)
    assert store.settings.lockdown() == Lockdown()
    with pytest.raises(NotDone, match="no schedule"):
        store.settings.put_free_passage(FreePassage("nothing"), AT)


@pytest.mark.parametrize(
    "value",
    [
        "null",
        "",
        "0",
        "[]",
        "{}",
        '"off"',
        "{" * 5000,
        '{"state": "maybe", "reason": "x"}',
        '{"state": "off"}',
        '{"state": "off", "reason": 1}',
        '{"state": "off", "reason": "x", "more": 1}',
        '{"schedule": 1, "first_person": true}',
        '{"schedule": null, "first_person": 1}',
        '{"schedule": null, "first_person": true, "more": 1}',
    ],
)
def test_a_setting_that_is_not_as_it_was_written_is_not_guessed_at(
    store: Store, value: str
) -> None:
    identity_of(store).run("PRAGMA ignore_check_constraints = ON")
    identity_of(store).run(
        "INSERT INTO setting SELECT column1, ?, 'x' FROM (VALUES ('lockdown'), ('free_passage'))",
        value,
    )
    with pytest.raises(StoreFailed):
        store.settings.lockdown()
    with pytest.raises(StoreFailed):
        store.settings.free_passage()


# Batches


def test_in_a_batch_a_broken_row_is_taken_back_alone(store: Store, tmp_path: Path) -> None:
    refused = []
    with store.batch() as batch:
        for number in range(10):
            person = PersonId(f"p{number}")
            try:
                with batch.row():
                    store.register_person(person, f"Name {number}", AT)
                    taken = CARD if number % 3 == 0 else CardId(f"{number:064x}")
                    store.bind_card(person, taken, AT)
            except NotDone as error:
                refused.append((number, str(error)))
    assert refused == [(each, "This card belongs to someone else.") for each in (3, 6, 9)]
    store.close()
    again = a_store(tmp_path)
    assert {each.person for each in again.people()} == {ANNA, BEN, "p0"} | {
        f"p{number}" for number in (1, 2, 4, 5, 7, 8)
    }
    again.close()


def test_a_batch_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(KeyError), store.batch() as batch:
        with batch.row():
            store.register_person(PersonId("p0"), "Name", AT)
        raise KeyError
    assert len(store.people()) == 2


def test_a_batch_has_an_end(store: Store) -> None:
    with store.batch() as batch:
        for _ in range(50):
            with batch.row():
                pass
        with pytest.raises(ValueError, match="at most 50"), batch.row():
            pass


@pytest.mark.requirement("T33")
def test_a_card_revoked_in_a_batch_is_in_no_file_when_the_batch_has_ended(
    store: Store, tmp_path: Path
) -> None:
    store.bind_card(ANNA, CARD, AT)
    with store.batch() as batch, batch.row():
        store.cards.revoke(ANNA, CARD[:8])
    assert CARD.encode() not in identity_bytes(tmp_path)


def test_another_key_opens_no_flat(store: Store) -> None:
    store.update_person(ANNA, Details("Anna", flat="1-101"))
    store._people._keys = some_keys(2)
    assert [each.flat for each in store.people()] == [None, None]
