"""The second form of the file of people: how an older one becomes it, and what it refuses."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from terminal.core.values import EVERYONE, ConsentState, Moment, PersonId
from terminal.errors import RefuseToStart, StoreFailed
from terminal.schema import IDENTITY, Schema, open_database
from terminal.sealing import name_aad
from terminal.store import Kind, Store
from tests.terminal.given_store import (
    ANNA,
    AT,
    BEN,
    CARD,
    NOON,
    OTHER_CARD,
    a_pass,
    a_store,
    identity_of,
    some_keys,
)

FIRST = Schema(IDENTITY.file_name, IDENTITY.mark, IDENTITY.migrations[:1])
TIME = "2027-05-01T12:00:00.000000+00:00"


def write_first_form(folder: Path) -> None:
    """What the first terminals wrote: people with sealed names, and their cards."""
    keys = some_keys()
    sealer = keys.identity
    database = open_database(folder, FIRST, StoreFailed)
    database.run("INSERT INTO device VALUES (1, ?)", keys.device)
    for person, card in ((ANNA, CARD), (BEN, OTHER_CARD)):
        aad = name_aad(person, keys.device, sealer.epoch)
        sealed = sealer.seal(memoryview(f"Name of {person}".encode()), aad)
        database.run("INSERT INTO person VALUES (?, ?, ?, NULL, ?)", person, sealed, TIME, TIME)
        database.run("INSERT INTO card VALUES (?, ?, ?)", card, person, TIME)
    database.close()


def test_people_and_cards_of_the_first_form_come_in_as_before(tmp_path: Path) -> None:
    write_first_form(tmp_path)
    for _ in range(2):
        store = Store.open(tmp_path, some_keys())
        anna, _ben = store.people()
        assert (anna.person, anna.name, anna.created) == (ANNA, f"Name of {ANNA}", NOON)
        assert (anna.kind, anna.group, anna.flat, anna.cards) == (Kind.RESIDENT, None, None, 1)
        known = store.holder_of_card(CARD)
        assert known is not None
        assert known.is_weak, "the readers of then knew a card by its number alone"
        holder = known.holder
        assert (holder.person, holder.valid_from, holder.group) == (ANNA, NOON, EVERYONE)
        assert (holder.has_pin, holder.pin_failures, holder.side) == (False, 0, None)
        assert holder.consent is ConsentState.NONE
        store.close()


def test_a_migration_cut_short_is_done_whole_the_next_time(tmp_path: Path) -> None:
    write_first_form(tmp_path)
    broken = (*IDENTITY.migrations[1], "INSERT INTO nowhere VALUES (1)")
    with pytest.raises(RefuseToStart, match="nowhere"):
        open_database(tmp_path, Schema(FIRST.file_name, FIRST.mark, (*FIRST.migrations, broken)))
    store = Store.open(tmp_path, some_keys())
    assert len(store.people()) == 2
    store.close()


def test_the_first_migration_is_what_it_was(tmp_path: Path) -> None:
    write_first_form(tmp_path)
    connection = sqlite3.connect(tmp_path / IDENTITY.file_name)
    columns = {
        table: [row[1] for row in connection.execute("SELECT * FROM pragma_table_info(?)", [table])]
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }
    connection.close()
    assert columns == {
        "device": ["only_one", "device"],
        "person": ["person", "sealed_name", "valid_from", "valid_until", "created_utc"],
        "card": ["card", "person", "bound_utc"],
    }


@pytest.fixture
def anyones(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else's SQLite, on a file with Anna, Ben and a pass in it."""
    store = a_store(tmp_path)
    a_pass(store)
    identity_of(store).run("INSERT INTO schedule VALUES ('s', '[[],[],[],[],[],[],[]]', NULL)")
    identity_of(store).run("INSERT INTO holder_group VALUES ('g', 'any', 's', 'off', 0, 0)")
    identity_of(store).run("UPDATE person SET group_name = 'g' WHERE person = ?", ANNA)
    store.close()
    connection = sqlite3.connect(tmp_path / IDENTITY.file_name, isolation_level=None)
    yield connection
    connection.close()


def test_the_fixture_itself_can_be_written_to(anyones: sqlite3.Connection) -> None:
    anyones.execute("UPDATE person SET kind = 'staff'")
    anyones.execute("INSERT INTO holiday VALUES ('2028-02-29', 'x')")
    anyones.execute("INSERT INTO setting VALUES ('lockdown', '{}', 'x')")
    anyones.execute("INSERT INTO pin VALUES ('person-ben', NULL, NULL, NULL, 1)")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE person SET kind = 'guest'",
        "UPDATE person SET kind = NULL",
        "UPDATE person SET host = 'person-ben'",
        "UPDATE person SET kind = 'visitor', host = person",
        "UPDATE card SET is_weak = 2",
        "INSERT INTO card VALUES (printf('%.64c', 'a'), 'person-anna', 'x', 2)",
        "INSERT INTO schedule VALUES ('', '[[],[],[],[],[],[],[]]', NULL)",
        "INSERT INTO schedule VALUES ('x', 'always', NULL)",
        "INSERT INTO schedule VALUES ('x', '[[]', NULL)",
        "INSERT INTO schedule VALUES ('x', '', NULL)",
        "INSERT INTO schedule VALUES ('x', '[[\"a\"],[],[],[],[],[],[]]', NULL)",
        "INSERT INTO schedule VALUES ('x', '[[],[],[],[],[],[],[]]', '')",
        "INSERT INTO schedule VALUES ('x', '[[],[],[],[],[],[],[]]', '{}')",
        "DELETE FROM schedule",
        "DELETE FROM holder_group",
        "INSERT INTO holiday VALUES ('2027-02-29', 'x')",
        "INSERT INTO holiday VALUES ('now', 'x')",
        "INSERT INTO holiday VALUES ('2027-1-1', 'x')",
        "INSERT INTO holiday VALUES ('2027-01-01', '')",
        "INSERT INTO holder_group VALUES ('everyone', 'any', NULL, 'off', 0, 0)",
        "INSERT INTO holder_group VALUES ('x', 'none', NULL, 'off', 0, 0)",
        "INSERT INTO holder_group VALUES ('x', 'any', NULL, 'timed', 0, 0)",
        "INSERT INTO holder_group VALUES ('x', 'any', NULL, 'hard', 5, 0)",
        "INSERT INTO holder_group VALUES ('x', 'any', NULL, 'timed', -5, 0)",
        "INSERT INTO holder_group VALUES ('x', 'any', NULL, 'off', 0, 7)",
        "INSERT INTO pin VALUES ('person-anna', zeroblob(16), NULL, NULL, 0)",
        "INSERT INTO pin VALUES ('person-anna', zeroblob(15), zeroblob(32), 'x', 0)",
        "INSERT INTO pin VALUES ('person-anna', zeroblob(16), zeroblob(31), 'x', 0)",
        "INSERT INTO pin VALUES ('person-anna', NULL, NULL, NULL, -1)",
        "INSERT INTO whereabouts VALUES ('person-anna', 'up', 'x')",
        "INSERT INTO pass_key VALUES ('x', zeroblob(31), x'00', 'x', NULL, NULL)",
        "INSERT INTO pass_key VALUES ('x', zeroblob(32), NULL, 'x', NULL, NULL)",
        "INSERT INTO pass_key VALUES ('x', zeroblob(32), x'00', 'x', 'x', 'x')",
        "INSERT INTO pass_key VALUES ('x', zeroblob(32), NULL, 'x', 'x', NULL)",
        "INSERT INTO pass_key VALUES ('x', zeroblob(32), x'00', 'x', NULL, NULL)",
        "INSERT INTO setting VALUES ('master_pin', '{}', 'x')",
        "INSERT INTO setting VALUES ('lockdown', 'off', 'x')",
    ],
)
def test_what_makes_no_sense_is_refused_by_the_file_itself(
    anyones: sqlite3.Connection, statement: str
) -> None:
    if "card SET" in statement:
        anyones.execute("INSERT INTO card VALUES (printf('%.64c', 'b'), 'person-anna', 'x', 1)")
    with pytest.raises(sqlite3.IntegrityError):
        anyones.execute(statement)


PASS = (
    "INSERT INTO pass (pass_id, person, kind, valid_from, valid_until, uses, rotates, needs_pin,"
    " is_marked, key_id, issued_utc, used, last_step)"
    " SELECT ?, person, ?, '2027', '2028', ?, ?, 0, 0, key_id, 'x', ?, ? FROM pass"
)


@pytest.mark.requirement("A10", "T17")
@pytest.mark.parametrize(
    "values",
    [
        ("f" * 15, "visitor", 1, 0, 0, None),
        ("F" * 16, "visitor", 1, 0, 0, None),
        ("f" * 16, "forever", 1, 0, 0, None),
        ("f" * 16, "visitor", -1, 0, 0, None),
        ("f" * 16, "visitor", 1, 2, 0, None),
        ("f" * 16, "visitor", 1, 0, 2, None),
        ("f" * 16, "visitor", 0, 0, -1, None),
        ("f" * 16, "once", 2, 0, 0, None),
        ("f" * 16, "visitor", 1, 0, 0, 5),
        ("f" * 16, "visitor", 1, 1, 0, -5),
    ],
)
def test_a_pass_that_makes_no_sense_is_refused_by_the_file_itself(
    anyones: sqlite3.Connection, values: tuple[object, ...]
) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        anyones.execute(PASS, values)
    anyones.execute(PASS, ("f" * 16, "visitor", 1, 1, 1, 5))


def test_a_person_of_the_first_form_can_be_erased(tmp_path: Path) -> None:
    write_first_form(tmp_path)
    store = Store.open(tmp_path, some_keys())
    store.erase_person(ANNA, Moment(2.0, NOON, True))
    assert [each.person for each in store.people()] == [BEN]
    assert store.holder_of_card(CARD) is None
    store.register_person(PersonId("new"), "New", AT)
    store.close()
