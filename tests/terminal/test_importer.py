"""An operator's file comes in row by row: whole or not at all, and as it was said before."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from terminal.core.effects import Kind
from terminal.core.values import Passback, PersonId, Rule
from terminal.errors import StoreFailed
from terminal.exchange.report import RowVerdict
from terminal.exchange.rows import GroupRow, HolidayRow, PersonRow, ScheduleRow
from terminal.requests import ImportRows, PersonPut
from terminal.store import Store
from terminal.store.people import Details
from terminal.store.people import Kind as PersonKind
from tests.terminal.given_bridge import CARD, NAME, RESIDENT, Door, answer_of, door

CARD_TEXT, OTHER_TEXT = CARD.decode(), "0411223344"
WEEK = (((480, 1080),),) * 5 + ((), ())

CHUNK = 25
"""So many people fit into one request (`exchange.chunks`)."""

LOOP_S = 0.3
"""What a card may take from its reader to the strike: no piece of an import may hold it up."""


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Door]:
    with door(tmp_path) as made:
        made.has_resident(face=None)
        made.start(vision=False)
        yield made


def person(line: int, name: str, **facts: object) -> PersonRow:
    return replace(PersonRow(line, None, name), **facts)  # type: ignore[arg-type]


def rows(*people: PersonRow, write: bool = True) -> ImportRows:
    return ImportRows(people=people, write=write)


def asked(given: Door, request: ImportRows) -> list[tuple[int, bool, str]]:
    """What an operator is told of each row."""
    verdicts = answer_of(given.asks(request))["verdicts"]
    return [(one["line"], one["ok"], one["sentence"]) for one in verdicts]


def now_in(store: Store) -> list[tuple[str | None, str | None, int]]:
    return [(one.name, one.flat, one.cards) for one in store.people()]


# What is written


@pytest.mark.requirement("R16")
def test_a_new_person_comes_with_flat_group_dates_and_cards_and_without_a_consent(
    given: Door,
) -> None:
    until = datetime(2031, 1, 1, tzinfo=UTC)
    row = person(2, "Ben", flat="3", group="Staff", valid_until=until, cards=(OTHER_TEXT,))
    request = ImportRows(people=(row,), groups=(GroupRow(1, "Staff", rule="card"),), write=True)
    assert asked(given, request) == [(1, True, "written"), (2, True, "registered")]
    found = given.store.find("Ben")
    assert found is not None
    assert (found.flat, found.group, found.valid_until, found.cards) == ("3", "Staff", until, 1)
    assert (found.consent.value, found.templates) == ("none", 0)
    holder = given.store.holder_of_card(given.card_id(OTHER_TEXT.encode()))
    assert holder is not None
    assert (holder.holder.person, holder.holder.group.rule) == (found.person, Rule.CARD)


def test_groups_schedules_and_holidays_are_there_for_the_people_of_the_same_piece(
    given: Door,
) -> None:
    request = ImportRows(
        people=(person(9, "Ben", group="Office"),),
        groups=(GroupRow(5, "Office", schedule="Hours", passback="timed", passback_minutes=5),),
        schedules=(ScheduleRow(3, "Hours", WEEK, ()),),
        holidays=(HolidayRow(4, date(2030, 12, 25), "A day off"),),
        write=True,
    )
    assert all(ok for _, ok, _ in asked(given, request))
    ben = given.store.find("Ben")
    assert ben is not None
    holder = given.store.holder(ben.person)
    assert holder is not None
    assert (holder.group.passback, holder.group.passback_s) == (Passback.TIMED, 300.0)
    assert holder.group.schedule is not None
    assert date(2030, 12, 25) in holder.group.schedule.holidays


def test_a_holiday_without_a_name_is_called_by_its_day(given: Door) -> None:
    request = ImportRows(holidays=(HolidayRow(2, date(2030, 12, 25)),), write=True)
    assert asked(given, request) == [(2, True, "written")]
    assert given.store.groups.holidays() == [(date(2030, 12, 25), "2030-12-25")]


def test_what_a_row_does_not_say_stays_as_it_is(given: Door) -> None:
    until = datetime(2031, 1, 1, tzinfo=UTC)
    details = Details(NAME, valid_until=until, flat="12", group=None)
    given.store.update_person(RESIDENT, details)
    assert asked(given, rows(person(2, NAME, flat="12"))) == [(2, True, "changed")]
    assert given.store.details_of(RESIDENT) == details
    assert now_in(given.store) == [(NAME, "12", 1)], "and no card was taken away"


@pytest.mark.parametrize("name", [NAME, NAME.upper()])
def test_the_same_name_in_the_same_flat_is_the_same_person(given: Door, name: str) -> None:
    given.store.update_person(RESIDENT, Details(NAME, flat="12b"))
    asked(given, rows(person(2, name, flat="12B", cards=(OTHER_TEXT,))))
    (found,) = given.store.people()
    assert (found.person, found.cards) == (RESIDENT, 2)


def test_the_same_name_in_another_flat_is_somebody_else(given: Door) -> None:
    asked(given, rows(person(2, NAME, flat="13")))
    assert len(given.store.people()) == 2


def test_an_identifier_of_ours_comes_before_the_name(given: Door) -> None:
    row = replace(person(2, "Another name"), identifier=RESIDENT)
    assert asked(given, rows(row)) == [(2, True, "changed")]
    assert [one.name for one in given.store.people()] == ["Another name"]


def test_an_identifier_of_another_programs_is_no_identifier_of_ours(given: Door) -> None:
    row = replace(person(2, "Ben"), identifier="4711")
    assert asked(given, rows(row)) == [(2, True, "registered")]
    assert given.store.find("4711") is None


# What is refused, and leaves nothing


@pytest.mark.requirement("R45")
def test_a_card_of_somebody_else_goes_to_nobody_by_a_file(given: Door) -> None:
    (verdict,) = asked(given, rows(person(2, "Ben", cards=(OTHER_TEXT, CARD_TEXT))))
    assert verdict[:2] == (2, False)
    assert "someone else" in verdict[2] and CARD_TEXT not in verdict[2]
    assert now_in(given.store) == [(NAME, None, 1)]
    assert given.store.holder_of_card(given.card_id(OTHER_TEXT.encode())) is None


def test_a_row_that_is_refused_takes_no_other_with_it(given: Door) -> None:
    told = asked(
        given,
        rows(
            person(2, "Ben"),
            person(3, "Cy", cards=(CARD_TEXT,)),
            person(4, "Di", group="Nobody knows"),
            person(5, "Eve", cards=(OTHER_TEXT,)),
        ),
    )
    assert [ok for _, ok, _ in told] == [True, False, False, True]
    assert [one.name for one in given.store.people()] == [NAME, "Ben", "Eve"]


def test_several_people_of_one_name_and_flat_are_told_apart_by_their_identifier(
    given: Door,
) -> None:
    for twin in ("bbbbbbbbbbbb", "cccccccccccc"):
        given.store.register(PersonId(twin), Details("Twin", flat="1"), given.parts.clock.now())
    (verdict,) = asked(given, rows(person(2, "Twin", flat="1", cards=(OTHER_TEXT,))))
    assert not verdict[1]
    assert "give the identifier" in verdict[2]
    row = replace(person(2, "Twin", flat="1", cards=(OTHER_TEXT,)), identifier="cccccccccccc")
    assert asked(given, rows(row)) == [(2, True, "changed")]


@pytest.mark.requirement("R21")
@pytest.mark.parametrize("write", [False, True])
def test_hard_passback_without_a_reader_on_the_way_out_is_refused(given: Door, write: bool) -> None:
    request = ImportRows(groups=(GroupRow(2, "Staff", passback="hard"),), write=write)
    ((line, ok, sentence),) = asked(given, request)
    assert (line, ok) == (2, False)
    assert "reader on the way out" in sentence
    assert given.store.groups.all() == []


@pytest.mark.requirement("R48", "R01")
def test_whoever_agreed_to_face_recognition_is_made_no_visitor_by_a_file(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.has_resident(face=1)
        made.start(vision=False)
        row = person(2, NAME, kind="visitor")
        for write in (False, True):
            ((_, ok, sentence),) = asked(made, rows(row, write=write))
            assert not ok
            assert "consent must be withdrawn first" in sentence
        assert made.store.details_of(RESIDENT).kind is PersonKind.RESIDENT


# Looking


HOSTILE = (
    person(2, "Ben"),
    person(3, "Ben"),
    person(4, "Cy", cards=(OTHER_TEXT,)),
    person(5, "Di", cards=(OTHER_TEXT,)),
    person(6, "Eve", cards=(CARD_TEXT,)),
    person(7, "Flo", group="Nobody knows"),
    person(8, NAME),
    replace(person(9, "Gus"), identifier=RESIDENT),
    person(10, "'); DROP TABLE person; --"),
    person(11, "O\N{RIGHT SINGLE QUOTATION MARK}Neil \N{CJK UNIFIED IDEOGRAPH-674E}", flat="%s"),
)


def test_looking_says_what_writing_then_says_and_leaves_nothing(given: Door) -> None:
    before = now_in(given.store)
    looked = asked(given, rows(*HOSTILE, write=False))
    assert now_in(given.store) == before
    wrote = asked(given, rows(*HOSTILE))
    assert looked == [(line, ok, f"would be {said}" if ok else said) for line, ok, said in wrote]
    assert {ok for _, ok, _ in wrote} == {True, False}
    assert "'); DROP TABLE person; --" in [one.name for one in given.store.people()]


def test_looking_again_and_again_says_the_same(given: Door) -> None:
    looked = [asked(given, rows(*HOSTILE, write=False)) for _ in range(3)]
    assert looked[0] == looked[1] == looked[2]


def test_looking_is_no_change_on_record(given: Door) -> None:
    before = len(given.kinds())
    asked(given, rows(person(2, "Ben"), write=False))
    assert len(given.kinds()) == before


def test_writing_is_on_record_once_a_piece_without_a_name(given: Door) -> None:
    asked(given, rows(person(2, "Ben", cards=(OTHER_TEXT,)), person(3, "Cy")))
    record = given.records[-1]
    assert (record.kind, record.by, dict(record.facts)) == (
        Kind.IMPORTED.value,
        "operator",
        {"rows": "2"},
    )
    assert "Ben" not in repr(record)


# What comes from elsewhere meanwhile


def test_who_was_renamed_or_erased_meanwhile_is_not_found_by_the_old_name(given: Door) -> None:
    asked(given, rows(person(2, NAME)))
    given.store.update_person(RESIDENT, Details("New name"))
    assert asked(given, rows(person(2, "New name"))) == [(2, True, "changed")]
    given.store.erase_person(RESIDENT, given.parts.clock.now())
    given.store.register_person(PersonId("dddddddddddd"), "Di", given.parts.clock.now())
    assert asked(given, rows(person(2, "New name"))) == [(2, True, "registered")]
    answer_of(given.asks(PersonPut("Di", panel_number=7)))
    assert len(given.store.people()) == 2


def test_after_a_file_gave_somebody_another_name_the_new_one_is_known(given: Door) -> None:
    renamed = replace(person(2, "New name"), identifier=RESIDENT)
    told = asked(given, rows(renamed, person(3, "New name"), person(4, NAME)))
    assert [sentence for _, _, sentence in told] == ["changed", "changed", "registered"]


def test_what_the_disk_refuses_leaves_nothing_of_the_piece(given: Door) -> None:
    connection = vars(vars(given.store)["_identity"])["_connection"]
    connection.execute("PRAGMA query_only = ON")
    answer = answer_of(given.asks(rows(person(2, "Ben"))))
    connection.execute("PRAGMA query_only = OFF")
    assert not answer["ok"]
    assert now_in(given.store) == [(NAME, None, 1)]
    assert asked(given, rows(person(2, "Ben"))) == [(2, True, "registered")]


def test_a_row_that_the_store_fails_at_ends_the_piece_with_a_sentence(given: Door) -> None:
    def broken(*_: object) -> None:
        raise StoreFailed("The disk can't be read.")

    vars(vars(given.store)["_people"])["is_known"] = broken
    row = replace(person(2, "Ben"), identifier=RESIDENT)
    assert answer_of(given.asks(rows(row)))["error"] == "The disk can't be read."


# Many


@pytest.mark.slow
def test_ten_thousand_people_never_hold_up_a_card(given: Door) -> None:
    """Each piece is one turn of the loop: looked at, written, and then all of them once more."""
    people = [
        person(n + 2, f"Person {n}", flat=f"{n % 4000}", cards=(f"A{n:09d}",))
        for n in range(10_000)
    ]
    pieces = [tuple(people[at : at + CHUNK]) for at in range(0, len(people), CHUNK)]
    took_s: dict[str, list[float]] = {}
    for what, some, write in (
        ("looked", pieces, False),
        ("written", pieces, True),
        ("looked again", pieces[::10], False),
        ("written again", pieces[::10], True),
    ):
        for piece in some:
            began_s = time.perf_counter()
            told = asked(given, rows(*piece, write=write))
            took_s.setdefault(what, []).append(time.perf_counter() - began_s)
            assert all(ok for _, ok, _ in told)
    assert given.store.counts().people == 10_001
    for what, times_s in took_s.items():
        ordered = sorted(times_s)
        p95_s = ordered[int(0.95 * len(ordered))]
        print(f"{what}: {len(ordered)} pieces, p95 {p95_s:.3f} s, longest {ordered[-1]:.3f} s")
        assert p95_s < LOOP_S


def test_a_verdict_repeats_nothing_of_its_row(given: Door) -> None:
    request = rows(person(2, "Ben Secret", flat="Flat Secret", cards=(CARD_TEXT,)))
    verdicts = given.importer.looked_at(request, given.parts.clock.now())
    assert isinstance(verdicts[0], RowVerdict)
    for secret in ("Secret", CARD_TEXT):
        assert secret not in repr(verdicts)
