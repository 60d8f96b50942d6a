"""The terminal's databases: how a file is opened, what its tables are, how they came to be.

The only module that imports sqlite3. Three files, so that one without the others tells little
(R16): who people are, what their faces are like (under random identifiers alone), what happened.
What must never be is refused by the tables themselves, whoever writes to them: a template without
a consent that stands (R01, T37), a record changed afterwards (R18).

Each file carries the number of its newest migration; migrations only ever come on top, each is
one transaction, and a file from newer code than this is refused, never guessed at.

What may pass (a full disk, a busy file) is told from what lasts (damage, another file): at the
start the one is tried again, the other refuses it.

What changes with this file: store and audit, and every file already out there.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terminal import identity_tables
from terminal.errors import RefuseToStart, StoreFailed, TerminalError

Value = str | int | float | bytes | memoryview | None
Row = tuple[Any, ...]

_BUSY_S = 2.0  # a reader may hold a file for a moment; nothing else writes to it


@dataclass(frozen=True, slots=True)
class Schema:
    """One kind of file: its name, the mark SQLite keeps in its header, and its migrations."""

    file_name: str
    mark: int
    migrations: tuple[tuple[str, ...], ...]


IDENTITY = Schema("identity.db", 0x464F5449, identity_tables.MIGRATIONS)
"""Who may come in, when and by what; its tables are a file of their own."""

BIOMETRIC = Schema(
    "biometric.db",
    0x464F5442,
    (
        (
            """
            CREATE TABLE device (
                only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
                device TEXT NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE consent (
                number INTEGER PRIMARY KEY,
                consent_id TEXT NOT NULL UNIQUE CHECK (length(consent_id) BETWEEN 1 AND 64),
                person TEXT NOT NULL CHECK (length(person) BETWEEN 1 AND 64),
                state TEXT NOT NULL
                    CHECK (state IN ('requested', 'given', 'refused', 'withdrawn', 'expired')),
                notice_sha256 TEXT NOT NULL
                    CHECK (length(notice_sha256) = 64 AND notice_sha256 NOT GLOB '*[^0-9a-f]*'),
                how TEXT NOT NULL CHECK (length(how) BETWEEN 1 AND 40),
                opened_utc TEXT NOT NULL,
                given_utc TEXT,
                ended_utc TEXT,
                CHECK (state <> 'given' OR (given_utc IS NOT NULL AND ended_utc IS NULL))
            ) STRICT
            """,
            "CREATE UNIQUE INDEX one_consent ON consent (person) WHERE state = 'given'",
            "CREATE INDEX consent_person ON consent (person, number)",
            """
            CREATE TABLE template (
                number INTEGER PRIMARY KEY,
                template_id TEXT NOT NULL UNIQUE CHECK (length(template_id) BETWEEN 1 AND 64),
                person TEXT NOT NULL,
                consent_id TEXT NOT NULL REFERENCES consent (consent_id) ON DELETE CASCADE,
                model_sha256 TEXT NOT NULL CHECK (length(model_sha256) = 64),
                epoch INTEGER NOT NULL,
                sealed BLOB NOT NULL
            ) STRICT
            """,
            "CREATE INDEX template_person ON template (person)",
            "CREATE INDEX template_consent ON template (consent_id)",
            # Foreign keys hold only for whoever asks SQLite for them; triggers hold for everyone.
            """
            CREATE TRIGGER template_needs_consent BEFORE INSERT ON template
            WHEN NOT EXISTS (
                SELECT 1 FROM consent
                WHERE consent_id = NEW.consent_id AND person = NEW.person AND state = 'given'
            )
            BEGIN SELECT RAISE(ABORT, 'no template without a consent that stands'); END
            """,
            """
            CREATE TRIGGER template_stays BEFORE UPDATE ON template
            BEGIN SELECT RAISE(ABORT, 'a template is written once'); END
            """,
            """
            CREATE TRIGGER consent_ended AFTER UPDATE OF state ON consent
            WHEN NEW.state <> 'given'
            BEGIN DELETE FROM template WHERE consent_id = NEW.consent_id; END
            """,
            """
            CREATE TRIGGER consent_gone AFTER DELETE ON consent
            BEGIN DELETE FROM template WHERE consent_id = OLD.consent_id; END
            """,
            """
            CREATE TRIGGER consent_stays_whose BEFORE UPDATE ON consent
            WHEN NEW.consent_id <> OLD.consent_id OR NEW.person <> OLD.person
            BEGIN SELECT RAISE(ABORT, 'a consent stays whose it is'); END
            """,
            """
            CREATE TRIGGER consent_stays_ended BEFORE UPDATE OF state ON consent
            WHEN OLD.state IN ('refused', 'withdrawn', 'expired') AND NEW.state <> OLD.state
            BEGIN SELECT RAISE(ABORT, 'a consent that has ended is not given again'); END
            """,
        ),
    ),
)
"""Consents and sealed templates, under random identifiers: nothing here says who anyone is."""

AUDIT = Schema(
    "audit.db",
    0x464F5441,
    (
        (
            """
            CREATE TABLE record (
                seq INTEGER PRIMARY KEY CHECK (seq >= 1),
                mono_s REAL NOT NULL,
                utc TEXT NOT NULL,
                trusted INTEGER NOT NULL CHECK (trusted IN (0, 1)),
                kind TEXT NOT NULL,
                body TEXT NOT NULL,
                prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
                hash BLOB NOT NULL CHECK (length(hash) = 32)
            ) STRICT
            """,
            """
            CREATE TABLE head (
                only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
                seq INTEGER NOT NULL,
                hash BLOB NOT NULL,
                newest_utc TEXT
            ) STRICT
            """,
            "INSERT INTO head VALUES (1, 0, zeroblob(32), NULL)",
            """
            CREATE TRIGGER record_stays BEFORE UPDATE ON record
            BEGIN SELECT RAISE(ABORT, 'a record is written once'); END
            """,
            """
            CREATE TRIGGER record_remains BEFORE DELETE ON record
            BEGIN SELECT RAISE(ABORT, 'a record is never deleted'); END
            """,
        ),
    ),
)
"""What happened: the chain of records, and its newest link."""


class Database:
    """One open file. Errors of SQLite come out as `failure`, in one sentence.

    In a block of `at_start` those that last are RefuseToStart instead. Every statement is a
    constant with bound parameters. One thread uses it.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path, failure: type[TerminalError]
    ) -> None:
        self._connection = connection
        self._path = path
        self._checkpoint_waits = False
        self.failure = failure
        """What is raised when SQLite can't do what it is asked."""
        self.lasting: type[TerminalError] = failure
        """What is raised when asking again mends nothing either."""

    @contextmanager
    def at_start(self) -> Iterator[None]:
        """What goes wrong for good in the block is RefuseToStart, and lets the file go."""
        self.lasting = RefuseToStart
        try:
            yield
        except TerminalError:
            self.close()
            raise
        finally:
            self.lasting = self.failure

    def rows(self, statement: str, *values: Value) -> list[Row]:
        """All rows that the statement yields."""
        with self._said():
            return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Value) -> Row | None:
        """The first row, or None."""
        found = self.rows(statement, *values)
        return found[0] if found else None

    def run(self, statement: str, *values: Value) -> int:
        """Carry the statement out; how many rows it touched (those of triggers not counted)."""
        with self._said():
            return self._connection.execute(statement, values).rowcount

    def run_each(self, statement: str, lines: Sequence[tuple[Value, ...]]) -> None:
        """Carry the statement out once for each line of values."""
        with self._said():
            self._connection.executemany(statement, lines)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it durable when the block has ended, or none of it.

        Within another block it is a part of that one, durable when that one has ended; what fails
        takes its own part back alone.
        """
        if self.in_transaction():
            with self._part():
                yield
            return
        self._checkpoint_waits = False
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            if not self.in_transaction():
                raise self.failure(f"{self._path.name}: nothing of it was written; try again.")
            self.run("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        if self._checkpoint_waits:
            self.checkpoint()

    def in_transaction(self) -> bool:
        """Whether a block is open; a disk that is full may have ended it early."""
        with self._said():
            return self._connection.in_transaction

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read in the block is of one moment, whoever writes meanwhile."""
        self.run("BEGIN")
        try:
            yield
        finally:
            self._roll_back()

    def checkpoint(self) -> None:
        """Move everything from the write-ahead log into the file and empty the log.

        Raises `failure` when a reader holds it up: what was deleted may then still be in the log.
        In the block of a transaction it waits for the end of that.
        """
        if self.in_transaction():
            self._checkpoint_waits = True
            return
        row = self.row("PRAGMA wal_checkpoint(TRUNCATE)")
        if row is None or row[0] != 0:
            raise self.failure(
                f"{self._path.name} is being read by someone else: what was deleted may still "
                "stand in its log; try again."
            )

    def close(self) -> None:
        """Let the file go. May be called twice."""
        with self._said():
            self._connection.close()

    @contextmanager
    def _part(self) -> Iterator[None]:
        self.run("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if self.in_transaction():
                self.run("ROLLBACK TO part")
                self.run("RELEASE part")
            raise
        self.run("RELEASE part")

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self.run("ROLLBACK")

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            kind = self.failure if _code(error) in _PASSING else self.lasting
            raise kind(f"{self._path}: {_sentence(error)}") from error
        except UnicodeEncodeError as error:  # half a character, as no text of ours has
            raise self.failure(f"{self._path.name}: what was asked for is no text.") from error
        except UnicodeDecodeError as error:  # in SQLite's own message about a damaged file
            raise self.lasting(f"{self._path}: {_DAMAGED}") from error


class LostDatabase(Database):
    """Stands for a file that can't be used: whatever is asked of it is `failure`, and says why."""

    def __init__(self, failure: type[TerminalError], why: str) -> None:
        super().__init__(sqlite3.connect(":memory:"), Path(":memory:"), failure)
        super().close()
        self.why = why

    def rows(self, statement: str, *values: Value) -> list[Row]:
        """Raises `failure`."""
        raise self.failure(self.why)

    def run(self, statement: str, *values: Value) -> int:
        """Raises `failure`."""
        raise self.failure(self.why)

    def in_transaction(self) -> bool:
        """There is none; whatever would open one is refused by itself."""
        return False

    def run_each(self, statement: str, lines: Sequence[tuple[Value, ...]]) -> None:
        """Raises `failure`."""
        raise self.failure(self.why)


_DAMAGED = "the file is damaged; put back a copy or begin with a new one."


_PASSING = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
    }
)
"""What may be over when it is tried again. All else is damage, another file, or a wrong mode."""

_UNREADABLE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR})

_LASTING_ERRNO = frozenset(
    {errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG}
)
"""A wrong owner or mode, or something else in the file's place."""


def _code(error: BaseException | None) -> int:
    """SQLite's primary result code; 0 for what is no error of the library itself."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def is_full(error: TerminalError) -> bool:
    """Whether this came of a full disk."""
    return _code(error.__cause__) == sqlite3.SQLITE_FULL


def is_unreadable(error: TerminalError) -> bool:
    """Whether this came of a damaged file, or of a disk that does not give it back."""
    cause = error.__cause__
    return _code(cause) in _UNREADABLE or isinstance(cause, UnicodeDecodeError)


def _sentence(error: sqlite3.Error) -> str:
    """What went wrong, for a person. SQLite's own words hold no values, only names of columns."""
    known = {
        sqlite3.SQLITE_FULL: "the disk is full; free some space.",
        sqlite3.SQLITE_IOERR: "the disk can't be read or written; look at the system's log.",
        sqlite3.SQLITE_CORRUPT: _DAMAGED,
        sqlite3.SQLITE_NOTADB: "this is no database, or a damaged one.",
        sqlite3.SQLITE_READONLY: "the file may not be written; look at its owner and mode.",
        sqlite3.SQLITE_CANTOPEN: "the file can't be opened; look at its folder, owner and mode.",
        sqlite3.SQLITE_BUSY: "another program is writing to it; end that one.",
    }
    return known.get(_code(error), f"{error}.")


def open_database(
    folder: Path, schema: Schema, failure: type[TerminalError] = StoreFailed
) -> Database:
    """Open a file of this kind in `folder` for writing; make it, or bring it up to date.

    Raises RefuseToStart for what trying again does not mend: newer than this program, another
    kind of file, damaged, or with a wrong owner or mode; `failure` for what may pass, as a full
    disk. `failure` is also what the open file raises later.
    """
    path = folder / schema.file_name
    _make_private(path, failure)
    database = Database(_connect(path, "rwc", failure), path, failure)
    with database.at_start():
        _prepare(database, path)
        _migrate(database, path, schema)
    return database


def open_read_only(folder: Path, schema: Schema, failure: type[TerminalError]) -> Database:
    """Open a file of this kind to look at it, beside a terminal that runs or one that does not.

    Raises `failure`. The file, and its log, stay as they are.
    """
    path = folder / schema.file_name
    if not path.is_file():
        raise failure(f"There is no {path} yet.")
    for mode in ("ro", "ro&immutable=1"):
        database = Database(_connect(path, mode, failure), path, failure)
        try:
            _check_version(database, path, schema)
            return database
        except failure:
            database.close()
            if mode != "ro" or _has_log(path):
                raise
    raise AssertionError("the second way returns or raises")


def _has_log(path: Path) -> bool:
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def _connect(path: Path, mode: str, failure: type[TerminalError]) -> sqlite3.Connection:
    try:
        address = f"{path.absolute().as_uri()}?mode={mode}"
        return sqlite3.connect(address, uri=True, timeout=_BUSY_S, isolation_level=None)
    except sqlite3.Error as error:
        raise failure(f"{path}: {_sentence(error)}") from error


def _make_private(path: Path, failure: type[TerminalError]) -> None:
    """The folder 0700 and the file 0600 before anything is in them; SQLite's other files follow."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        found = os.fstat(file)
        os.close(file)
    except OSError as error:
        kind = RefuseToStart if error.errno in _LASTING_ERRNO else failure
        raise kind(f"{path} can't be opened: {error.strerror}.") from error
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise RefuseToStart(f"{path} has mode {mode:04o}; nobody else may read it: chmod 600.")
    if found.st_uid != os.geteuid():
        raise RefuseToStart(f"{path} belongs to another account; give it to the terminal's own.")


def _prepare(database: Database, path: Path) -> None:
    """The settings on which the promises rest; each connection has its own."""
    if database.row("PRAGMA journal_mode = WAL") != ("wal",):
        raise RefuseToStart(f"{path} can't keep a write-ahead log here; use a local disk.")
    for setting in (
        "PRAGMA synchronous = FULL",  # a commit is on the disk when it returns (T01)
        "PRAGMA secure_delete = ON",  # what is deleted is overwritten (T33)
        "PRAGMA wal_autocheckpoint = 100",  # 400 KB of log: on a full disk the rest is for records
        "PRAGMA foreign_keys = ON",
        "PRAGMA recursive_triggers = ON",  # REPLACE deletes, and triggers see it
        "PRAGMA trusted_schema = OFF",
        "PRAGMA cell_size_check = ON",
        "PRAGMA temp_store = MEMORY",
    ):
        database.run(setting)


def _version(database: Database, path: Path, schema: Schema) -> int:
    """Its newest migration. Raises when it is another kind of file, or newer than this code."""
    mark = database.rows("PRAGMA application_id")[0][0]
    version = database.rows("PRAGMA user_version")[0][0]
    if mark not in (0, schema.mark) or (mark == 0 and version != 0):
        raise database.lasting(f"{path} is not the file that should be there.")
    if not 0 <= version <= len(schema.migrations):
        raise database.lasting(
            f"{path} was written by a newer terminal (schema {version}, this one knows "
            f"{len(schema.migrations)}); install that one again."
        )
    return int(version)


def _check_version(database: Database, path: Path, schema: Schema) -> None:
    if _version(database, path, schema) != len(schema.migrations):
        raise database.failure(f"{path} is older than this program; start the terminal once.")


def _migrate(database: Database, path: Path, schema: Schema) -> None:
    for number in range(_version(database, path, schema) + 1, len(schema.migrations) + 1):
        with database.transaction():
            for statement in schema.migrations[number - 1]:
                database.run(statement)
            # PRAGMA takes no bound values; both are integers of this file.
            database.run(f"PRAGMA application_id = {schema.mark:d}")
            database.run(f"PRAGMA user_version = {number:d}")
