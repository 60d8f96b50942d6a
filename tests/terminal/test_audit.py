"""A record is durable before `append` returns, and a log that was touched says where."""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terminal.audit import PAGE, TAIL, WORD_CHARACTERS, Audit, Entry, Verdict
from terminal.core.effects import Kind, Record
from terminal.core.values import Moment, PersonId, Reason, Way
from terminal.errors import AuditFailed, RefuseToStart
from terminal.schema import AUDIT

NOON = datetime(2027, 5, 1, 12, tzinfo=UTC)
ANNA = PersonId("kvbxwqzrtmpd")


def at(seconds: float = 0.0, *, trusted: bool = True) -> Moment:
    return Moment(100.0 + seconds, NOON + timedelta(seconds=seconds), trusted)


def granted(seconds: float = 0.0) -> Record:
    facts = (("strike", "released"), ("reader", "front"))
    return Record(Kind.GRANTED, at(seconds), person=ANNA, way=Way.CARD, facts=facts)


def refused(seconds: float = 0.0) -> Record:
    return Record(Kind.REFUSED, at(seconds), way=Way.FACE, reason=Reason.NOT_RECOGNISED)


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[Audit]:
    opened = Audit.open(tmp_path)
    yield opened
    opened.close()


def fill(audit: Audit, count: int = 10) -> None:
    for number in range(count):
        audit.append([granted(number) if number % 2 else refused(number)])


def tamper(folder: Path, *statements: str) -> None:
    """What anyone with the file and SQLite can do, the triggers taken off first."""
    connection = sqlite3.connect(folder / AUDIT.file_name, isolation_level=None)
    try:
        connection.execute("DROP TRIGGER IF EXISTS record_stays")
        connection.execute("DROP TRIGGER IF EXISTS record_remains")
        for statement in statements:
            connection.execute(statement)
    finally:
        connection.close()


def verdict(folder: Path) -> Verdict:
    audit = Audit.read(folder)
    try:
        return audit.verify()
    finally:
        audit.close()


# What is written


def test_what_was_appended_is_there_in_its_order(audit: Audit) -> None:
    audit.append([refused(0), granted(1)])
    audit.append([Record(Kind.HOLD_STARTED, at(2), by="ming", facts=(("why", "delivery"),))])
    first, second, third = audit.tail(10)
    assert (first.seq, first.kind, first.way, first.reason) == (
        *(1, "refused", "face", "not_recognised"),
    )
    assert (second.person, second.facts) == (ANNA, (("strike", "released"), ("reader", "front")))
    assert (second.mono_s, second.utc, second.trusted) == (101.0, NOON + timedelta(seconds=1), True)
    assert (third.by, third.facts, third.person) == ("ming", (("why", "delivery"),), None)


def test_another_process_sees_it_at_once(audit: Audit, tmp_path: Path) -> None:
    audit.append([granted()])
    other = Audit.read(tmp_path)
    assert [entry.seq for entry in other.tail(5)] == [1]
    audit.append([granted(1)])
    assert [entry.seq for entry in other.follow(1)] == [2]
    assert other.follow(2) == []
    other.close()


def test_following_comes_in_pages(audit: Audit) -> None:
    audit.append([granted(number) for number in range(PAGE + 5)])
    assert [len(audit.follow(after)) for after in (0, PAGE, PAGE + 5)] == [PAGE, 5, 0]
    assert [entry.seq for entry in audit.tail(2)] == [PAGE + 4, PAGE + 5]


def test_a_clean_log_is_sound(audit: Audit) -> None:
    assert audit.verify() == Verdict(0)
    fill(audit)
    assert audit.verify() == Verdict(10)
    assert audit.verify(last=3) == Verdict(3)
    assert audit.verify(last=99) == Verdict(10)
    assert audit.head[0] == 10


def test_the_chain_goes_on_after_a_restart(audit: Audit, tmp_path: Path) -> None:
    fill(audit)
    audit.close()
    again = Audit.open(tmp_path)
    again.append([granted(11)])
    assert again.verify() == Verdict(11)
    again.close()


def test_nothing_to_append_is_nothing_done(audit: Audit) -> None:
    audit.append([])
    assert audit.head == (0, "00" * 32)


@pytest.mark.requirement("A18")
def test_the_newest_time_is_the_latest_of_all_and_not_of_the_last(
    audit: Audit, tmp_path: Path
) -> None:
    assert audit.newest_utc() is None
    audit.append([granted(50), granted(-500), refused(3)])
    audit.append([refused(7)])
    assert audit.newest_utc() == NOON + timedelta(seconds=50)
    other = Audit.read(tmp_path)
    assert other.newest_utc() == NOON + timedelta(seconds=50)
    other.close()


@pytest.mark.requirement("T13")
def test_a_clock_that_steps_is_no_alarm(audit: Audit, tmp_path: Path) -> None:
    rng = random.Random(3)
    for _ in range(100):
        step = rng.choice([1, 3600, 315_360_000]) * rng.choice([-1, 1])
        audit.close()
        audit = Audit.open(tmp_path)
        moment = Moment(rng.random() * 1e6, NOON + timedelta(seconds=step), rng.random() < 0.5)
        audit.append([replace(granted(), at=moment)])
    assert audit.verify() == Verdict(100)
    audit.close()


@pytest.mark.parametrize("mono_s", [0.0, -0.0, 1e-9, 1.0, 2.0**53, 1e17, 123456.789012345])
def test_every_time_reads_back_as_it_was_hashed(audit: Audit, mono_s: float) -> None:
    audit.append([replace(granted(), at=Moment(mono_s, NOON, True))])
    assert audit.verify().sound


@pytest.mark.parametrize(
    "moment",
    [
        Moment(float("nan"), NOON, True),
        Moment(float("inf"), NOON, True),
        Moment(0.0, NOON.replace(tzinfo=None), True),
    ],
)
def test_a_record_without_a_time_is_refused(audit: Audit, moment: Moment) -> None:
    with pytest.raises(AuditFailed, match="without a time"):
        audit.append([granted(), replace(granted(), at=moment)])
    assert audit.tail(5) == []


# What is not written


@pytest.mark.requirement("R18", "A6", "R45")
@pytest.mark.parametrize(
    "word",
    [
        "for 11010519491231002X",
        "card 0001234567",
        "call 138 1234 5678",
        "138-1234-5678",
        "score 0.4831",
        "0,312",
        ".9999",
    ],
)
def test_numbers_of_people_and_scores_are_withheld_from_free_words(
    audit: Audit, tmp_path: Path, word: str
) -> None:
    audit.append([Record(Kind.HOLD_STARTED, at(), by=word, facts=(("why", word),))])
    [entry] = audit.tail(1)
    assert "[withheld]" in entry.facts[0][1]
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for telling in ("11010519491231002", "0001234567", "1234 5678", "1234-5678", "4831", "9999"):
        assert telling.encode() not in kept


@pytest.mark.parametrize("word", ["front", "600", "moving house, flat 12", "v0.1.0", "3.5"])
def test_ordinary_words_are_kept(audit: Audit, word: str) -> None:
    audit.append([Record(Kind.HOLD_STARTED, at(), facts=(("why", word),))])
    assert audit.tail(1)[0].facts == (("why", word),)


def test_a_long_word_is_cut(audit: Audit) -> None:
    audit.append([Record(Kind.HOLD_STARTED, at(), facts=(("why", "x" * 10_000),))])
    assert len(audit.tail(1)[0].facts[0][1]) == WORD_CHARACTERS


@pytest.mark.parametrize(
    ("word", "kept"),
    [
        ("\x1b[1A\x1b[2K\rgone", "?[1A?[2K?gone"),
        ("a\nb\x00c\td", "a?b?c?d"),
        ("\x9b2J", "?2J"),
        ("abc\u202edef", "abc?def"),
        ("one\u2028two", "one?two"),
        ("\ud800", "?"),
    ],
)
def test_a_word_holds_nothing_that_a_screen_would_obey(audit: Audit, word: str, kept: str) -> None:
    audit.append([Record(Kind.HOLD_STARTED, at(), by=word, facts=((word, word),))])
    [entry] = audit.tail(1)
    assert (entry.by, entry.facts) == (kept, ((kept, kept),))
    assert audit.verify().sound


def test_words_come_back_whatever_else_they_hold(audit: Audit) -> None:
    words = ('"', "'; DROP TABLE record; --", "王小明", "Zoë", "\U0001f600")
    audit.append([Record(Kind.HOLD_STARTED, at(), facts=tuple((w, w) for w in words))])
    assert audit.tail(1)[0].facts == tuple((word, word) for word in words)
    assert audit.verify().sound


# What is found (R18, T09)


@pytest.mark.requirement("R18", "T09")
@pytest.mark.parametrize("seq", range(1, 11))
def test_a_record_that_was_taken_out_is_named(audit: Audit, tmp_path: Path, seq: int) -> None:
    fill(audit)
    tamper(tmp_path, f"DELETE FROM record WHERE seq = {seq}")  # noqa: S608
    assert verdict(tmp_path).first_bad == seq


@pytest.mark.requirement("R18", "T09")
@pytest.mark.parametrize("seq", [1, 5, 10])
@pytest.mark.parametrize(
    "change",
    [
        "mono_s = mono_s + 0.000001",
        "utc = '2027-05-01T12:00:01.500000+00:00'",
        "trusted = 1 - trusted",
        "kind = 'granteD'",
        "body = body || ' '",
        "prev_hash = randomblob(32)",
        "hash = zeroblob(32)",
    ],
)
def test_a_record_that_was_changed_is_named(
    audit: Audit, tmp_path: Path, seq: int, change: str
) -> None:
    fill(audit)
    tamper(tmp_path, f"UPDATE record SET {change} WHERE seq = {seq}")  # noqa: S608
    assert verdict(tmp_path).first_bad == seq


@pytest.mark.requirement("R18", "T09")
def test_of_two_records_that_changed_places_the_first_is_named(
    audit: Audit, tmp_path: Path
) -> None:
    fill(audit)
    tamper(
        tmp_path,
        "UPDATE record SET seq = 99 WHERE seq = 3",
        "UPDATE record SET seq = 3 WHERE seq = 7",
        "UPDATE record SET seq = 7 WHERE seq = 99",
    )
    assert verdict(tmp_path).first_bad == 3


@pytest.mark.requirement("R18", "T09")
def test_a_record_that_was_put_behind_the_newest_is_named(audit: Audit, tmp_path: Path) -> None:
    fill(audit)
    tamper(
        tmp_path,
        "INSERT INTO record SELECT 11, mono_s, utc, trusted, kind, body, hash, prev_hash"
        " FROM record WHERE seq = 10",
    )
    assert verdict(tmp_path).first_bad == 11


@pytest.mark.requirement("R18", "T09")
def test_records_cut_off_the_end_are_missed(audit: Audit, tmp_path: Path) -> None:
    fill(audit)
    tamper(tmp_path, "DELETE FROM record WHERE seq > 6")
    assert verdict(tmp_path) == Verdict(6, 7, "is missing, or can't be read")


@pytest.mark.requirement("R18", "T09")
def test_a_record_of_another_log_is_named_though_it_is_sound_in_itself(
    audit: Audit, tmp_path: Path
) -> None:
    fill(audit)
    audit.close()
    other = tmp_path / "other"
    foreign = Audit.open(other)
    foreign.append([Record(Kind.DOOR_CLOSED, at(number)) for number in range(10)])
    foreign.close()
    tamper(
        tmp_path,
        f"ATTACH '{other / AUDIT.file_name}' AS other",
        "DELETE FROM record WHERE seq = 5",
        "INSERT INTO record SELECT * FROM other.record WHERE seq = 5",
    )
    assert verdict(tmp_path) == Verdict(4, 5, "does not follow the record before it")


@pytest.mark.requirement("R18")
def test_a_chain_that_was_made_anew_from_the_middle_does_not_fit_its_head(
    audit: Audit, tmp_path: Path
) -> None:
    fill(audit)
    other = tmp_path / "other"
    forged = Audit.open(other)
    fill(forged, 9)
    forged.append([Record(Kind.DOOR_CLOSED, at(9))])
    forged.close()
    audit.close()
    tamper(
        tmp_path,
        f"ATTACH '{other / AUDIT.file_name}' AS other",
        "DELETE FROM record WHERE seq = 10",
        "INSERT INTO record SELECT * FROM other.record WHERE seq = 10",
    )
    assert verdict(tmp_path).first_bad == 10


@pytest.mark.requirement("R18")
def test_the_tail_alone_is_checked_quickly_and_the_whole_finds_the_rest(
    audit: Audit, tmp_path: Path
) -> None:
    fill(audit)
    tamper(tmp_path, "UPDATE record SET body = '{}' WHERE seq = 2")
    assert audit.verify(last=5).sound
    assert audit.verify().first_bad == 2
    tamper(tmp_path, "DELETE FROM record WHERE seq = 5")
    assert audit.verify(last=5).first_bad == 6


@pytest.mark.requirement("R18", "T09")
def test_at_a_start_the_newest_thousand_are_checked(audit: Audit, tmp_path: Path) -> None:
    audit.append([granted(number) for number in range(TAIL + 5)])
    assert audit.check_tail() == Verdict(TAIL)
    tamper(tmp_path, "UPDATE record SET body = '{}' WHERE seq = 5")
    assert audit.check_tail().sound
    tamper(tmp_path, "UPDATE record SET body = '{}' WHERE seq = 6")
    assert audit.check_tail() == Verdict(0, 6, "was changed")


@pytest.mark.requirement("R18", "T09")
def test_a_log_that_can_not_be_walked_through_is_a_verdict_at_a_start_and_no_end(
    audit: Audit, tmp_path: Path
) -> None:
    fill(audit)
    tamper(tmp_path, "DROP TABLE head")
    assert audit.check_tail() == Verdict(0, 1, "can't be read")
    with pytest.raises(AuditFailed):
        audit.verify()


@pytest.mark.requirement("T09")
def test_each_flipped_bit_of_each_field_is_found(audit: Audit, tmp_path: Path) -> None:
    fill(audit, 4)
    audit.close()
    rows = raw_rows(tmp_path)
    for number, row in enumerate(rows):
        for column in range(1, 8):
            for flipped in flips(row[column]):
                changed = (*row[:column], flipped, *row[column + 1 :])
                assert verdict_of([*rows[:number], changed, *rows[number + 1 :]], tmp_path) == (
                    number + 1
                )


def entries_of(folder: Path) -> list[Entry]:
    audit = Audit.read(folder)
    try:
        return audit.tail(99)
    finally:
        audit.close()


def raw_rows(folder: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(folder / AUDIT.file_name)
    try:
        return connection.execute("SELECT * FROM record ORDER BY seq").fetchall()
    finally:
        connection.close()


def flips(value: object) -> Iterator[object]:
    """Each value that differs from this one in one bit, as far as it is of the same type."""
    if isinstance(value, float):
        import struct

        for flipped in flips(struct.pack("<d", value)):
            yield struct.unpack("<d", flipped)[0]  # type: ignore[arg-type]
    elif isinstance(value, int):
        yield 1 - value
    elif isinstance(value, str):
        for flipped in flips(value.encode()):
            yield bytes(flipped).decode("latin-1")  # type: ignore[call-overload]
    elif isinstance(value, bytes):
        for place in range(len(value)):
            for bit in range(8):
                changed = bytearray(value)
                changed[place] ^= 1 << bit
                yield bytes(changed)


def verdict_of(rows: list[tuple[object, ...]], folder: Path) -> int | None:
    """The first bad number of a log with these rows, without the cost of a file for each."""
    from terminal import audit as module

    before: bytes | None = bytes(32)
    for number, row in enumerate(rows, start=1):
        if module._fault(row, number, before):
            return number
        before = row[7]  # type: ignore[assignment]
    return None


@pytest.mark.requirement("T09")
@pytest.mark.slow
def test_a_byte_of_the_file_that_was_changed_is_found_or_changes_no_record(
    audit: Audit, tmp_path: Path
) -> None:
    fill(audit, 6)
    audit.close()
    path = tmp_path / AUDIT.file_name
    whole, entries = path.read_bytes(), entries_of(tmp_path)
    copy = tmp_path / "copy"
    copy.mkdir()
    rng = random.Random(11)
    found = 0
    for place in rng.sample(range(len(whole)), 1200):
        for leftover in copy.iterdir():
            leftover.unlink()
        changed = bytearray(whole)
        changed[place] ^= 1 << rng.randrange(8)
        (copy / AUDIT.file_name).write_bytes(changed)
        try:
            sound = verdict(copy).sound
        except AuditFailed:
            sound = False
        if sound:
            assert entries_of(copy) == entries, place
        found += not sound
    assert found > 50


@pytest.mark.requirement("R18", "T09")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(["delete", "change", "swap"]), st.integers(1, 11), st.integers(1, 12))
def test_whatever_was_done_to_a_log_the_first_bad_record_is_named(
    tmp_path_factory: pytest.TempPathFactory, deed: str, seq: int, other: int
) -> None:
    folder = tmp_path_factory.mktemp("log")
    audit = Audit.open(folder)
    fill(audit, 12)
    audit.close()
    low, high = sorted((seq, other))
    if deed == "swap" and low == high:
        return
    tamper(folder, *DEEDS[deed](low, high))
    assert verdict(folder).first_bad == low


DEEDS = {
    "delete": lambda low, high: [f"DELETE FROM record WHERE seq IN ({low}, {high})"],  # noqa: S608
    "change": lambda low, high: [
        f"UPDATE record SET body = '{{}}' WHERE seq IN ({low}, {high})",  # noqa: S608
        f"UPDATE record SET body = '{{\"x\":1}}' WHERE seq = {low}",  # noqa: S608
    ],
    "swap": lambda low, high: [
        f"UPDATE record SET seq = 99 WHERE seq = {low}",  # noqa: S608
        f"UPDATE record SET seq = {low} WHERE seq = {high}",  # noqa: S608
        f"UPDATE record SET seq = {high} WHERE seq = 99",  # noqa: S608
    ],
}


# After something went wrong


def test_a_broken_chain_does_not_keep_the_terminal_from_recording(
    audit: Audit, tmp_path: Path
) -> None:
    fill(audit)
    audit.close()
    tamper(
        tmp_path,
        "DELETE FROM record WHERE seq = 4",
        "INSERT INTO record SELECT 15, mono_s, utc, trusted, kind, body, hash, prev_hash"
        " FROM record WHERE seq = 10",
    )
    again = Audit.open(tmp_path)
    again.append([granted(20)])
    assert again.tail(1)[0].seq == 16
    assert again.verify().first_bad == 4
    again.close()


@pytest.mark.requirement("T08")
def test_a_full_disk_is_an_error_and_keeps_nothing_of_what_was_refused(
    audit: Audit,
) -> None:
    fill(audit)
    head = audit.head
    pages = audit._database.rows("PRAGMA page_count")[0][0]
    audit._database.run(f"PRAGMA max_page_count = {pages:d}")
    with pytest.raises(AuditFailed, match="disk is full"):
        audit.append([granted(number) for number in range(500)])
    audit._database.run("PRAGMA max_page_count = 1000000")
    assert audit.head == head
    audit.append([granted(11)])
    assert audit.verify() == Verdict(11)


def test_two_writers_do_not_both_go_on(audit: Audit, tmp_path: Path) -> None:
    other = Audit.open(tmp_path)
    audit.append([granted()])
    with pytest.raises(AuditFailed):
        other.append([granted()])
    assert audit.verify() == Verdict(1)
    other.close()


def test_a_log_without_its_head_is_refused(audit: Audit, tmp_path: Path) -> None:
    audit.close()
    tamper(tmp_path, "DELETE FROM head")
    with pytest.raises(RefuseToStart, match="lost its head"):
        Audit.open(tmp_path)


def test_a_reader_writes_nothing(audit: Audit, tmp_path: Path) -> None:
    fill(audit)
    reader = Audit.read(tmp_path)
    with pytest.raises(AuditFailed, match="may not be written"):
        reader.append([granted()])
    reader.close()


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_log_can_be_read_where_nothing_may_be_written(
    audit: Audit, tmp_path: Path, is_closed: bool
) -> None:
    fill(audit)
    if is_closed:
        audit.close()
    with tempfile.TemporaryDirectory() as folder:
        for path in tmp_path.glob(f"{AUDIT.file_name}*"):
            shutil.copy(path, folder)
        done = subprocess.run(
            [sys.executable, "-c", READ_AS_NOBODY, folder],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.stdout.strip() == "10"


READ_AS_NOBODY = """
import os, sys
from pathlib import Path
from terminal.audit import Audit
folder = Path(sys.argv[1])
folder.as_uri()  # loads what it needs while this account may still read it
for path in folder.iterdir():
    path.chmod(0o444)
folder.chmod(0o555)
if os.geteuid() == 0:
    os.seteuid(65534)
print(len(Audit.read(folder).tail(99)))
if os.getuid() == 0:
    os.seteuid(0)
folder.chmod(0o755)
"""


WRITE_AND_SAY = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from terminal.audit import Audit
from terminal.core.effects import Kind, Record
from terminal.core.values import Moment
audit = Audit.open(Path(sys.argv[1]))
while True:
    audit.append([Record(Kind.REX, Moment(1.0, datetime.now(UTC), True))] * 3)
    sys.stdout.write(f"{audit.head[0]}\\n")
    sys.stdout.flush()
"""


@pytest.mark.requirement("T02")
@pytest.mark.slow
def test_what_was_acknowledged_is_there_after_each_of_50_kills(tmp_path: Path) -> None:
    rng = random.Random(17)
    acknowledged = 0
    for _ in range(50):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITE_AND_SAY, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        with process.stdout as said:
            said.readline()
            time.sleep(rng.random() * 0.02)
            process.send_signal(signal.SIGKILL)
            lines = [line for line in said.read().splitlines(keepends=True) if line.endswith("\n")]
        process.wait()
        audit = Audit.open(tmp_path)
        acknowledged = max(acknowledged, *(int(line) for line in lines), 0)
        assert audit.head[0] >= acknowledged
        assert audit.head[0] % 3 == 0
        assert audit.verify(last=200).sound
        audit.close()
    assert acknowledged > 150
    assert verdict(tmp_path).sound


@pytest.mark.requirement("T34")
def test_whose_consent_ended_is_known_from_the_log_until_it_is_given_anew(audit: Audit) -> None:
    ben = PersonId("bbbbbbbbbbbb")
    assert audit.withdrawn() == frozenset()
    audit.append([Record(Kind.CONSENT_GIVEN, at(), person=ANNA)])
    audit.append([Record(Kind.CONSENT_GIVEN, at(), person=ben)])
    audit.append([Record(Kind.CONSENT_WITHDRAWN, at(1), person=ANNA), granted(1)])
    audit.append([Record(Kind.ERASED, at(2), person=ben)])
    assert audit.withdrawn() == {ANNA, ben}
    audit.append([Record(Kind.CONSENT_GIVEN, at(3), person=ANNA)])
    assert audit.withdrawn() == {ben}
