"""The audit log: a chain of records, each durable before what it records may happen.

`append` returns when the records are on the disk, or raises, and then nothing of them is kept
(T01, T08). Each record carries a hash over itself and the hash before it, and the file remembers
its newest link, so a record that was changed, taken out, put in or moved is found, and the first
bad one is named (R18, T09). Someone who can write the file and recompute every hash is *not*
found: that takes a head that is signed and kept elsewhere (T10, T11; later).

People stand here under random identifiers. Names, card numbers, templates and comparison scores
have no field; free words (a reason typed by an operator) are cut short, what would move a
screen's cursor is a question mark in them, and what looks like a number of a person or like a score
is withheld from them. Wall time may step: the chain goes by its numbers alone, so a clock that was
set is no alarm (T13).

A disk that fills up is no reason to lock people out at once: space for the log is kept beside it
and given back when it is needed. When that is used up too, nothing more is recorded, so nothing
more is opened.

What changes with this file: `terminalctl events`, and every log already out there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

from terminal.core.effects import Record
from terminal.core.values import PersonId
from terminal.errors import AuditFailed
from terminal.schema import AUDIT, Database, Row, is_full, open_database, open_read_only

TAIL = 1000
"""So many of the newest records `check_tail` checks, at each start; `verify` checks all."""

WORD_CHARACTERS = 120
"""A free word in a record is cut to this length."""

PAGE = 1000
"""At most so many entries come back from one call of `follow`."""

RESERVE_FILE = "audit.reserve"
RESERVE_BYTES = 4 * 2**20
"""So much space is kept for the log: room for 5,000 records and more (test_audit_full_disk)."""

LEAST_FREE_BYTES = 2**20
"""With less than this on the disk the databases may not even open: each needs files beside it."""

_GENESIS = bytes(32)
_FROM = (
    "SELECT seq, mono_s, utc, trusted, kind, body, prev_hash, hash FROM record"
    " WHERE seq >= ? ORDER BY seq LIMIT ?"
)
_TELLING = re.compile(r"(?:\d[ -]?){8,}|\d*[.,]\d{3,}")  # a number of a person or a card; a score


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as it was written. Words are kept as words: an older log may hold others."""

    seq: int
    mono_s: float
    utc: datetime
    trusted: bool
    kind: str
    person: str | None
    way: str | None
    reason: str | None
    by: str | None
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many records were checked, and the first bad one, if any, with what is wrong there."""

    checked: int
    first_bad: int | None = None
    why: str | None = None

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return self.first_bad is None


class Reserve:
    """Space on the log's disk that nothing else can take: a file that holds nothing.

    Nothing here raises: without a reserve the terminal runs all the same.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def is_whole(self) -> bool:
        """Whether the file is there and the disk really keeps its blocks."""
        try:
            found = self._path.lstat()
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and found.st_blocks * 512 >= RESERVE_BYTES

    @property
    def is_needed(self) -> bool:
        """Whether the disk is as good as full."""
        return self._free_bytes() < LEAST_FREE_BYTES

    def make(self) -> None:
        """Take the space, where it is not taken yet and as much again stays free."""
        if self.is_whole or self._free_bytes() < 2 * RESERVE_BYTES:
            return
        try:
            file = self._open(os.O_CREAT)
            try:
                os.posix_fallocate(file, 0, RESERVE_BYTES)
                os.fsync(file)
            finally:
                os.close(file)
        except OSError:
            self.release()

    def release(self) -> None:
        """Give the space back, at once, whoever else has the file open."""
        with suppress(OSError):
            file = self._open()
            try:
                os.ftruncate(file, 0)
                os.fsync(file)  # some file systems give blocks back only with their journal
            finally:
                os.close(file)
            self._path.unlink()

    def _open(self, flags: int = 0) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, 0o600)

    def _free_bytes(self) -> int:
        """What is free for this account; where that can't be told, enough for everything."""
        try:
            disk = os.statvfs(self._path.parent)
        except OSError:
            return 2 * RESERVE_BYTES
        return disk.f_bavail * disk.f_frsize


class Audit:
    """An open log. Made by `open` to write, by `read` to look. One thread uses it."""

    def __init__(self, database: Database, reserve: Reserve | None = None) -> None:
        self._database = database
        self._reserve = reserve
        seq, self._hash, self._newest = self._head()
        # Where someone put records behind the newest, go on after them; `verify` tells.
        self._seq = max(seq, database.rows("SELECT coalesce(max(seq), 0) FROM record")[0][0])

    @classmethod
    def open(cls, folder: Path) -> Audit:
        """The log in this folder, made where it is not there yet, with space kept for it.

        Raises RefuseToStart for a file that is damaged or can't be this log, and AuditFailed for
        what may pass, as a full disk. A chain that is broken is no reason to lock people out: it
        is for `check_tail` to find and for the terminal to say.
        """
        reserve = Reserve(folder / RESERVE_FILE)
        if reserve.is_needed:
            reserve.release()
        database = open_database(folder, AUDIT, AuditFailed)
        with database.at_start():
            audit = cls(database, reserve)
        reserve.make()
        return audit

    @classmethod
    def read(cls, folder: Path) -> Audit:
        """The log, to look at, whether the terminal runs or not. Raises AuditFailed."""
        return cls._of(open_read_only(folder, AUDIT, AuditFailed))

    @classmethod
    def _of(cls, database: Database) -> Audit:
        try:
            return cls(database)
        except AuditFailed:
            database.close()
            raise

    def close(self) -> None:
        """Let the file go. May be called twice."""
        self._database.close()

    def append(self, records: Sequence[Record]) -> None:
        """Make these records durable, all or none, in this order. Raises AuditFailed.

        Where the disk is full, the space that was kept for the log is given back first.
        """
        if not records:
            return
        lines, newest = self._chained(records)
        try:
            self._write(lines, newest)
        except AuditFailed as error:
            if not self._makes_room(error):
                raise
            self._write(lines, newest)

    @property
    def reserve_left(self) -> bool:
        """Whether the space that is kept for the log is still there."""
        return self._reserve is not None and self._reserve.is_whole

    def _makes_room(self, error: AuditFailed) -> bool:
        """Whether it failed for want of room, and the space that was kept is free now."""
        if self._reserve is None or not (is_full(error) or self._reserve.is_needed):
            return False
        self._reserve.release()
        return True

    def _write(self, lines: list[Row], newest: str) -> None:
        seq, hashed = lines[-1][0], lines[-1][-1]
        with self._database.transaction():
            self._database.run_each("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)", lines)
            self._database.run(
                "UPDATE head SET seq = ?, hash = ?, newest_utc = ?", seq, hashed, newest
            )
        self._seq, self._hash, self._newest = seq, hashed, newest

    def newest_utc(self) -> datetime | None:
        """The latest wall time in any record: what the clock may not fall behind."""
        return datetime.fromisoformat(self._newest) if self._newest else None

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash (hex) of the newest record; 0 and zeroes when there is none."""
        return self._seq, self._hash.hex()

    def verify(self, last: int | None = None) -> Verdict:
        """Check the whole chain, or only its `last` records.

        Raises AuditFailed when the file is so damaged that it can't be walked through.
        """
        with self._database.snapshot():
            return self._verified(last)

    def check_tail(self) -> Verdict:
        """Check the newest TAIL records, as at each start. Damage is a verdict and no error."""
        try:
            return self.verify(TAIL)
        except AuditFailed:
            return Verdict(0, max(self._seq - TAIL, 0) + 1, "can't be read")

    def withdrawn(self) -> frozenset[PersonId]:
        """Everyone whose consent ended and was not given anew, as far as this log goes back."""
        rows = self._database.rows(
            "SELECT kind, json_extract(body, '$.person') FROM record"
            " WHERE kind IN"
            " ('consent_given', 'consent_refused', 'consent_withdrawn', 'erased') ORDER BY seq"
        )
        last = {PersonId(person): kind for kind, person in rows if person}
        return frozenset(person for person, kind in last.items() if kind != "consent_given")

    def tail(self, count: int) -> list[Entry]:
        """The newest `count` entries, oldest first."""
        with self._database.snapshot():
            return self._entries(self._head()[0] - count + 1, count)

    def follow(self, after: int) -> list[Entry]:
        """Entries numbered above `after`, oldest first, at most PAGE of them; none is no wait."""
        return self._entries(after + 1, PAGE)

    def _entries(self, first: int, count: int) -> list[Entry]:
        return [_entry(row) for row in self._database.rows(_FROM, first, count)]

    def _verified(self, last: int | None) -> Verdict:
        seq, hashed, newest = self._head()
        first = 1 if last is None else max(1, seq - last + 1)
        before = self._hash_before(first)
        for number in range(first, seq + 1):
            row = self._one(number)
            if why := _fault(row, number, before):
                return Verdict(number - first, number, why)
            before = row[7] if row else None
        checked = seq - first + 1
        if self._database.row("SELECT 1 FROM record WHERE seq > ?", seq):
            return Verdict(checked, seq + 1, "is not the log's own")
        if before != hashed:
            return Verdict(checked, max(seq, 1), "is not the newest that the log remembers")
        if last is None and self._latest() != newest:
            return Verdict(checked, max(seq, 1), "is not of the latest time that is remembered")
        return Verdict(checked)

    def _one(self, number: int) -> Row | None:
        """The record with this number; None when it is gone, or can't be read."""
        try:
            return self._database.row(_FROM, number, 1)
        except AuditFailed:
            return None

    def _head(self) -> tuple[int, bytes, str | None]:
        row = self._database.row("SELECT seq, hash, newest_utc FROM head")
        if row is None:
            raise self._database.lasting("The audit log has lost its head; begin with a new file.")
        return row[0], row[1], row[2]

    def _latest(self) -> str | None:
        rows = self._database.rows("SELECT max(utc) FROM record")
        return str(rows[0][0]) if rows[0][0] else None

    def _hash_before(self, first: int) -> bytes | None:
        """Hash of the record before `first`; None when that one is gone, to be told from a lie."""
        if first == 1:
            return _GENESIS
        row = self._database.row("SELECT hash FROM record WHERE seq = ?", first - 1)
        return row[0] if row else None

    def _chained(self, records: Sequence[Record]) -> tuple[list[Row], str]:
        lines: list[Row] = []
        seq, before, newest = self._seq, self._hash, self._newest or ""
        for record in records:
            seq += 1
            fields = _fields(record)
            hashed = _hash(seq, *fields, before)
            lines.append((seq, *fields, before, hashed))
            before, newest = hashed, max(newest, fields[1])
        return lines, newest


def _fields(record: Record) -> tuple[float, str, int, str, str]:
    """mono_s, utc, trusted, kind and body of a record as they are kept."""
    at = record.at
    if at.utc.tzinfo is None or not isfinite(at.mono_s):
        raise AuditFailed("A record without a time can't be kept.")
    utc = at.utc.astimezone(UTC).isoformat(timespec="microseconds")
    # Adding zero makes 0.0 of -0.0, which SQLite would not give back.
    return float(at.mono_s) + 0.0, utc, int(at.trusted), record.kind.value, _body(record)


def _body(record: Record) -> str:
    """What else a record says, as canonical JSON: sorted keys, nothing that is not there."""
    body: dict[str, Any] = {
        "person": record.person,
        "way": record.way and record.way.value,
        "reason": record.reason and record.reason.value,
        "by": record.by and _word(record.by),
        "facts": [[_word(key), _word(value)] for key, value in record.facts] or None,
    }
    kept = {key: value for key, value in body.items() if value is not None}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _word(word: str) -> str:
    """A free word as it may be kept: whoever reads the log has a screen that obeys."""
    seen = "".join(each if each.isprintable() else "?" for each in word)
    return _TELLING.sub("[withheld]", seen)[:WORD_CHARACTERS]


def _hash(
    seq: int, mono_s: float, utc: str, trusted: int, kind: str, body: str, before: bytes
) -> bytes:
    """SHA-256 over the fields, each behind its length."""
    fields = (
        b"face-optional-terminal/audit/1",
        struct.pack(">QdB", seq, mono_s, trusted),
        utc.encode(),
        kind.encode(),
        body.encode(),
        before,
    )
    return hashlib.sha256(b"".join(struct.pack(">I", len(f)) + f for f in fields)).digest()


def _fault(row: Row | None, number: int, before: bytes | None) -> str | None:
    """What is wrong with what stands as record `number` after the hash `before`."""
    if row is None or row[0] != number:
        return "is missing, or can't be read"
    seq, mono_s, utc, trusted, kind, body, prev, hashed = row
    if before is None:
        return "follows a record that is missing"
    if prev != before:
        return "does not follow the record before it"
    try:
        same = _hash(seq, mono_s, utc, trusted, kind, body, prev) == hashed
    except (TypeError, AttributeError, OverflowError, struct.error):
        same = False  # a damaged file may hold another type than its table allows
    return None if same else "was changed"


def _entry(row: Row) -> Entry:
    seq, mono_s, utc, trusted, kind, text, _, _ = row
    try:
        body = json.loads(text)
        facts = tuple((str(key), str(value)) for key, value in body.get("facts", ()))
        time = datetime.fromisoformat(utc)
    except (ValueError, TypeError, AttributeError) as error:
        raise AuditFailed(f"Record {seq} of the audit log is damaged.") from error
    person, way, reason, by = (body.get(key) for key in ("person", "way", "reason", "by"))
    return Entry(seq, mono_s, time, bool(trusted), kind, person, way, reason, by, facts)
