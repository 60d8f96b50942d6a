"""The audit log: a chain of records, each durable before what it records may happen.

`append` returns when the records are on the disk, or raises, and then nothing of them is kept
(T01, T08). Each record carries a hash over itself and the hash before it, and the file remembers
its newest link, so a record that was changed, taken out, put in or moved is found, and the first
bad one is named (R18, T09). Someone who can write the file and recompute every hash is *not*
found: that takes a head that is signed and kept elsewhere (T10, T11; later).

People stand here under random identifiers. Names, card numbers, templates and comparison scores
have no field; free words (a reason typed by an operator) are cut short, and what looks like a
number of a person or like a score is withheld from them. Wall time may step: the chain goes by
its numbers alone, so a clock that was set is no alarm (T13).

What changes with this file: `terminalctl events`, and every log already out there.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

from terminal.core.effects import Record
from terminal.core.values import PersonId
from terminal.errors import AuditFailed, RefuseToStart
from terminal.schema import AUDIT, Database, Row, open_database, open_read_only

TAIL = 1000
"""So many of the newest records are checked at each start; `verify` checks all."""

WORD_CHARACTERS = 120
"""A free word in a record is cut to this length."""

PAGE = 1000
"""At most so many entries come back from one call of `follow`."""

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


class Audit:
    """An open log. Made by `open` to write, by `read` to look. One thread uses it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        seq, self._hash, self._newest = self._head()
        # Where someone put records behind the newest, go on after them; `verify` tells.
        self._seq = max(seq, database.rows("SELECT coalesce(max(seq), 0) FROM record")[0][0])

    @classmethod
    def open(cls, folder: Path) -> Audit:
        """The log in this folder, made where it is not there yet. Raises RefuseToStart.

        A chain that is broken is no reason to lock people out: it is for `verify(TAIL)` to find
        and for the log to say, from here on.
        """
        try:
            return cls._of(open_database(folder, AUDIT, AuditFailed))
        except AuditFailed as error:
            raise RefuseToStart(str(error)) from error

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
        """Make these records durable, all or none, in this order. Raises AuditFailed."""
        if not records:
            return
        lines, newest = self._chained(records)
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
            raise AuditFailed("The audit log has lost its head; begin with a new file.")
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
    return _TELLING.sub("[withheld]", word)[:WORD_CHARACTERS]


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
