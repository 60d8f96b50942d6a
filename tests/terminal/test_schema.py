"""The files themselves refuse what must never be, and open as their promises need it."""

from __future__ import annotations

import os
import re
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from terminal import schema as product
from terminal.errors import RefuseToStart, StoreFailed, TerminalError
from terminal.schema import (
    AUDIT,
    BIOMETRIC,
    IDENTITY,
    Database,
    LostDatabase,
    Schema,
    is_full,
    is_unreadable,
)

ALL = (IDENTITY, BIOMETRIC, AUDIT)
MODEL = "a" * 64
TIME = "2027-01-01T00:00:00.000000+00:00"


open_ones: list[sqlite3.Connection | Database] = []


@pytest.fixture(autouse=True)
def _everything_is_closed() -> Iterator[None]:
    yield
    while open_ones:
        open_ones.pop().close()


def open_database(
    folder: Path, schema: Schema, failure: type[TerminalError] = StoreFailed
) -> Database:
    open_ones.append(database := product.open_database(folder, schema, failure))
    return database


def open_read_only(folder: Path, schema: Schema, failure: type[TerminalError]) -> Database:
    open_ones.append(database := product.open_read_only(folder, schema, failure))
    return database


def tool(folder: Path, schema: Schema) -> sqlite3.Connection:
    """Anyone's SQLite, with none of our settings."""
    connection = sqlite3.connect(folder / schema.file_name, isolation_level=None)
    open_ones.append(connection)
    return connection


def consent(connection: sqlite3.Connection, state: str = "given", number: str = "c1") -> None:
    connection.execute(
        "INSERT INTO consent VALUES (NULL, ?, 'p1', ?, ?, 'button', ?, ?, NULL)",
        (number, state, MODEL, TIME, TIME if state == "given" else None),
    )


def template(connection: sqlite3.Connection, consent_id: str = "c1", person: str = "p1") -> None:
    connection.execute(
        "INSERT INTO template VALUES (NULL, hex(randomblob(8)), ?, ?, ?, 1, x'00')",
        (person, consent_id, MODEL),
    )


def biometric(folder: Path) -> sqlite3.Connection:
    open_database(folder, BIOMETRIC).close()
    return tool(folder, BIOMETRIC)


@pytest.mark.requirement("R01", "T37")
def test_a_template_without_any_consent_is_rejected_by_the_database(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="without a consent"):
        template(biometric(tmp_path))


@pytest.mark.requirement("R01", "T37")
@pytest.mark.parametrize("state", ["requested", "refused", "withdrawn", "expired"])
def test_a_template_under_a_consent_that_does_not_stand_is_rejected(
    tmp_path: Path, state: str
) -> None:
    connection = biometric(tmp_path)
    consent(connection, state)
    with pytest.raises(sqlite3.IntegrityError, match="without a consent"):
        template(connection)


@pytest.mark.requirement("R01", "T37")
def test_a_template_under_the_consent_of_another_person_is_rejected(tmp_path: Path) -> None:
    connection = biometric(tmp_path)
    consent(connection)
    with pytest.raises(sqlite3.IntegrityError, match="without a consent"):
        template(connection, person="p2")


@pytest.mark.requirement("R01", "T37")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent SET state = 'withdrawn', ended_utc = 'now'",
        "DELETE FROM consent",
        "REPLACE INTO consent VALUES (1, 'c1', 'p1', 'refused', printf('%.64c', 'a'), 'x', 'x',"
        " NULL, 'x')",
    ],
)
def test_a_template_goes_with_its_consent_whoever_ends_it(tmp_path: Path, statement: str) -> None:
    connection = biometric(tmp_path)
    connection.execute("PRAGMA recursive_triggers = ON")
    consent(connection)
    template(connection)
    connection.execute(statement)
    assert connection.execute("SELECT count(*) FROM template").fetchone() == (0,)


def test_a_template_can_not_be_turned_into_somebody_elses(tmp_path: Path) -> None:
    connection = biometric(tmp_path)
    consent(connection)
    template(connection)
    with pytest.raises(sqlite3.IntegrityError, match="written once"):
        connection.execute("UPDATE template SET person = 'p2'")
    with pytest.raises(sqlite3.IntegrityError, match="stays whose"):
        connection.execute("UPDATE consent SET person = 'p2'")


def test_a_consent_that_has_ended_is_not_given_again(tmp_path: Path) -> None:
    connection = biometric(tmp_path)
    consent(connection, "withdrawn")
    with pytest.raises(sqlite3.IntegrityError, match="not given again"):
        connection.execute("UPDATE consent SET state = 'given', given_utc = 'now'")


def test_nobody_has_two_consents_at_once(tmp_path: Path) -> None:
    connection = biometric(tmp_path)
    consent(connection)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        consent(connection, number="c2")


@pytest.mark.parametrize(
    "values",
    [
        "(NULL, 'c', 'p', 'maybe', printf('%.64c', 'a'), 'x', 'x', 'x', NULL)",
        "(NULL, 'c', 'p', 'given', 'no hash', 'x', 'x', 'x', NULL)",
        "(NULL, 'c', 'p', 'given', printf('%.64c', 'a'), 'x', 'x', NULL, NULL)",
        "(NULL, 'c', 'p', 'given', printf('%.64c', 'a'), 'x', 'x', 'x', 'x')",
        "(NULL, 'c', 'p', 'given', printf('%.64c', 'a'), '', 'x', 'x', NULL)",
        "(NULL, '', 'p', 'given', printf('%.64c', 'a'), 'x', 'x', 'x', NULL)",
        "(NULL, x'00', 'p', 'given', printf('%.64c', 'a'), 'x', 'x', 'x', NULL)",
    ],
)
def test_a_consent_that_is_none_is_rejected(tmp_path: Path, values: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        biometric(tmp_path).execute(f"INSERT INTO consent VALUES {values}")  # noqa: S608


@pytest.mark.requirement("R16")
def test_the_biometric_file_has_no_place_for_who_someone_is(tmp_path: Path) -> None:
    connection = biometric(tmp_path)
    schema = " ".join(str(row[0]) for row in connection.execute("SELECT sql FROM sqlite_master"))
    tables = re.findall(r"CREATE TABLE (\w+)", schema)
    columns = {
        row[1]
        for table in tables
        for row in connection.execute("SELECT cid, name FROM pragma_table_info(?)", (table,))
    }
    assert columns == {
        *("only_one", "device"),
        *("number", "consent_id", "person", "state", "notice_sha256", "how"),
        *("opened_utc", "given_utc", "ended_utc"),
        *("template_id", "model_sha256", "epoch", "sealed"),
    }
    assert not re.search(r"name|flat|phone|card|address|birth|image|photo", schema.lower())


@pytest.mark.requirement("R16", "R17", "D6")
def test_no_file_has_a_column_for_a_picture_and_identities_none_for_templates(
    tmp_path: Path,
) -> None:
    for schema in ALL:
        text = str(schema.migrations).lower()
        assert not re.search(r"image|photo|picture|frame|jpeg|thumbnail|score", text)
    assert "template" not in str(IDENTITY.migrations).lower()


@pytest.mark.requirement("R18")
def test_a_record_can_neither_be_changed_nor_deleted(tmp_path: Path) -> None:
    open_database(tmp_path, AUDIT).close()
    connection = tool(tmp_path, AUDIT)
    connection.execute(
        "INSERT INTO record VALUES (1, 0.5, 'x', 1, 'x', '{}', zeroblob(32), zeroblob(32))"
    )
    with pytest.raises(sqlite3.IntegrityError, match="written once"):
        connection.execute("UPDATE record SET body = 'y'")
    with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
        connection.execute("DELETE FROM record")


@pytest.mark.parametrize("schema", ALL)
def test_every_table_is_strict(tmp_path: Path, schema: Schema) -> None:
    open_database(tmp_path, schema).close()
    rows = tool(tmp_path, schema).execute("SELECT sql FROM sqlite_master WHERE type = 'table'")
    assert all(str(row[0]).rstrip().endswith("STRICT") for row in rows)


@pytest.mark.parametrize("schema", ALL)
def test_a_file_opens_with_the_settings_its_promises_rest_on(
    tmp_path: Path, schema: Schema
) -> None:
    database = open_database(tmp_path, schema)
    assert database.row("PRAGMA journal_mode") == ("wal",)
    assert database.row("PRAGMA synchronous") == (2,)
    assert database.row("PRAGMA secure_delete") == (1,)
    assert database.row("PRAGMA foreign_keys") == (1,)
    assert database.row("PRAGMA recursive_triggers") == (1,)
    assert database.row("PRAGMA trusted_schema") == (0,)


@pytest.mark.parametrize("schema", ALL)
def test_only_the_owner_may_read_any_of_the_files(tmp_path: Path, schema: Schema) -> None:
    folder = tmp_path / "state"
    before = os.umask(0)
    try:
        database = open_database(folder, schema)
        database.run("CREATE TABLE x (y)")
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    names = {each.name for each in folder.iterdir()}
    assert names == {schema.file_name + end for end in ("", "-wal", "-shm")}
    assert all(each.stat().st_mode & 0o177 == 0 for each in folder.iterdir())


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    open_database(tmp_path, IDENTITY).close()
    (tmp_path / IDENTITY.file_name).chmod(0o644)
    with pytest.raises(RefuseToStart, match="chmod 600"):
        open_database(tmp_path, IDENTITY)


def test_a_file_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    open_database(tmp_path, BIOMETRIC).close()
    newer = len(BIOMETRIC.migrations) + 1
    connection = tool(tmp_path, BIOMETRIC)
    connection.execute(f"PRAGMA user_version = {newer:d}")
    connection.close()
    before = (tmp_path / BIOMETRIC.file_name).read_bytes()
    with pytest.raises(RefuseToStart, match="newer terminal"):
        open_database(tmp_path, BIOMETRIC)
    assert (tmp_path / BIOMETRIC.file_name).read_bytes() == before


def test_one_file_in_the_place_of_another_is_refused(tmp_path: Path) -> None:
    open_database(tmp_path, IDENTITY).close()
    (tmp_path / IDENTITY.file_name).rename(tmp_path / BIOMETRIC.file_name)
    with pytest.raises(RefuseToStart, match="not the file"):
        open_database(tmp_path, BIOMETRIC)


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" * 300])
def test_something_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / IDENTITY.file_name
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(RefuseToStart, match=r"no database|damaged"):
        open_database(tmp_path, IDENTITY)


def test_a_link_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / IDENTITY.file_name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefuseToStart, match="can't be opened"):
        open_database(tmp_path, IDENTITY)


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / IDENTITY.file_name).mkdir()
    with pytest.raises(RefuseToStart, match="Is a directory"):
        open_database(tmp_path, IDENTITY)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_account_is_refused(tmp_path: Path) -> None:
    open_database(tmp_path, IDENTITY).close()
    os.chown(tmp_path / IDENTITY.file_name, 65534, -1)
    with pytest.raises(RefuseToStart, match="another account"):
        open_database(tmp_path, IDENTITY)


# What may pass is tried again


@contextmanager
def full(folder: Path) -> Iterator[Schema]:
    """A disk that is full when the file is made: SQLite's own bound says the same."""
    yield Schema(
        "x.db",
        7,
        (
            (
                "CREATE TABLE a (x)",
                "PRAGMA max_page_count = 3",
                "INSERT INTO a VALUES (zeroblob(99999))",
            ),
        ),
    )


@contextmanager
def busy(folder: Path) -> Iterator[Schema]:
    """Someone else writes and does not end."""
    open_database(folder, IDENTITY).close()
    connection = tool(folder, IDENTITY)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("BEGIN EXCLUSIVE")
    yield IDENTITY


@contextmanager
def can_not_be_opened(folder: Path) -> Iterator[Schema]:
    """Something stands where SQLite wants its log."""
    open_database(folder, IDENTITY).close()
    (folder / f"{IDENTITY.file_name}-wal").mkdir()
    yield IDENTITY


@contextmanager
def can_not_be_written(folder: Path) -> Iterator[Schema]:
    """A disk that takes nothing: this process may write no byte to any file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield IDENTITY
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.requirement("T08")
@pytest.mark.parametrize("trouble", [full, busy, can_not_be_opened, can_not_be_written])
def test_what_may_pass_at_the_start_is_no_refusal(
    tmp_path: Path, trouble: Callable[[Path], Any]
) -> None:
    """A refusal is for ever (exit 78); what is tried again may go well."""
    with trouble(tmp_path) as schema, pytest.raises(StoreFailed) as caught:
        open_database(tmp_path, schema)
    assert not isinstance(caught.value, RefuseToStart)
    assert is_full(caught.value) == (trouble is full)
    assert is_unreadable(caught.value) == (trouble is can_not_be_written)


def test_once_it_has_passed_the_file_opens(tmp_path: Path) -> None:
    with can_not_be_written(tmp_path) as schema, pytest.raises(StoreFailed):
        open_database(tmp_path, schema)
    assert open_database(tmp_path, IDENTITY).rows("SELECT * FROM person") == []


def test_damage_is_told_from_another_kind_of_file(tmp_path: Path) -> None:
    open_database(tmp_path, AUDIT).close()
    (tmp_path / AUDIT.file_name).rename(tmp_path / IDENTITY.file_name)
    with pytest.raises(RefuseToStart) as other:
        open_database(tmp_path, IDENTITY)
    (tmp_path / IDENTITY.file_name).write_bytes(b"SQLite format 3\0" * 300)
    with pytest.raises(RefuseToStart) as damaged:
        open_database(tmp_path, IDENTITY)
    assert (is_unreadable(other.value), is_unreadable(damaged.value)) == (False, True)


def test_at_the_start_what_lasts_refuses_it_and_lets_the_file_go(tmp_path: Path) -> None:
    database = open_database(tmp_path, IDENTITY, StoreFailed)
    with pytest.raises(RefuseToStart), database.at_start():
        database.run("no statement at all")
    with pytest.raises(StoreFailed, match="closed"):
        database.rows("SELECT 1")


def test_of_a_file_that_is_lost_everything_is_refused_with_the_same_sentence() -> None:
    lost = LostDatabase(StoreFailed, "The file is damaged.")
    for ask in (
        lambda: lost.rows("SELECT 1"),
        lambda: lost.row("SELECT 1"),
        lambda: lost.run("SELECT 1"),
        lambda: lost.run_each("SELECT ?", [(1,)]),
        lost.checkpoint,
        lambda: lost.transaction().__enter__(),
        lambda: lost.snapshot().__enter__(),
    ):
        with pytest.raises(StoreFailed, match=r"^The file is damaged\.$"):
            ask()
    lost.close()


def test_migrations_are_applied_once_each_and_whole(tmp_path: Path) -> None:
    first = Schema("x.db", 77, (("CREATE TABLE a (x)", "INSERT INTO a VALUES (1)"),))
    open_database(tmp_path, first).close()
    second = Schema("x.db", 77, (*first.migrations, ("INSERT INTO a VALUES (2)",)))
    open_database(tmp_path, second).close()
    assert open_database(tmp_path, second).rows("SELECT x FROM a") == [(1,), (2,)]


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    first = Schema("x.db", 77, (("CREATE TABLE a (x)",),))
    open_database(tmp_path, first).close()
    broken = ("INSERT INTO a VALUES (1)", "INSERT INTO nowhere VALUES (1)")
    with pytest.raises(RefuseToStart, match="nowhere"):
        open_database(tmp_path, Schema("x.db", 77, (*first.migrations, broken)))
    database = open_database(tmp_path, first)
    assert database.rows("SELECT x FROM a") == []
    assert database.row("PRAGMA user_version") == (1,)


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    database = open_database(tmp_path, Schema("x.db", 7, (("CREATE TABLE a (x)",),)), StoreFailed)
    with pytest.raises(KeyError), database.transaction():
        database.run("INSERT INTO a VALUES (1)")
        raise KeyError
    assert database.rows("SELECT x FROM a") == []


def test_an_error_of_the_database_is_one_sentence_without_values(tmp_path: Path) -> None:
    database = open_database(tmp_path, IDENTITY, StoreFailed)
    with pytest.raises(StoreFailed) as caught:
        database.run("INSERT INTO card VALUES (?, 'p', 'x')", "0123456789")
    assert "0123456789" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_said_as_such(tmp_path: Path) -> None:
    database = open_database(tmp_path, Schema("x.db", 7, (("CREATE TABLE a (x)",),)), StoreFailed)
    pages = database.rows("PRAGMA page_count")[0][0]
    database.run(f"PRAGMA max_page_count = {pages:d}")
    with pytest.raises(StoreFailed, match="disk is full"):
        database.run("INSERT INTO a VALUES (zeroblob(100000))")


def test_looking_at_a_file_changes_nothing(tmp_path: Path) -> None:
    open_database(tmp_path, AUDIT).close()
    database = open_read_only(tmp_path, AUDIT, StoreFailed)
    with pytest.raises(StoreFailed, match="may not be written"):
        database.run("DELETE FROM head")


def test_a_file_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    with pytest.raises(StoreFailed, match="There is no"):
        open_read_only(tmp_path, AUDIT, StoreFailed)
    assert not list(tmp_path.iterdir())


def test_looking_works_beside_a_writer_and_sees_what_is_committed(tmp_path: Path) -> None:
    writer = open_database(tmp_path, AUDIT)
    writer.run("UPDATE head SET newest_utc = 'x'")
    reader = open_read_only(tmp_path, AUDIT, StoreFailed)
    assert reader.row("SELECT newest_utc FROM head") == ("x",)
    writer.run("UPDATE head SET newest_utc = 'y'")
    assert reader.row("SELECT newest_utc FROM head") == ("y",)


def test_a_reader_in_the_middle_of_looking_is_said_to_hold_up_the_erasing(tmp_path: Path) -> None:
    writer = open_database(tmp_path, AUDIT, StoreFailed)
    reader = open_read_only(tmp_path, AUDIT, StoreFailed)
    with reader.snapshot():
        reader.row("SELECT seq FROM head")
        writer.run("UPDATE head SET newest_utc = 'x'")
        with pytest.raises(StoreFailed, match="being read by someone else"):
            writer.checkpoint()
    writer.checkpoint()
