"""A full disk: the log goes on in the space kept for it, and a start is tried again, not refused.

The real thing is a small file system of its own, which takes root to make; without it the same is
shown with SQLite's own bound on a file, and with the file of the reserve alone.
"""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from terminal.app import in_one_sentence
from terminal.audit import LEAST_FREE_BYTES, RESERVE_BYTES, RESERVE_FILE, Audit, Reserve
from terminal.core.effects import Kind, Record
from terminal.core.values import Moment, PersonId, Way
from terminal.errors import FAILED, REFUSED, AuditFailed, StoreFailed
from terminal.schema import AUDIT
from terminal.store import Store
from tests.terminal.given_disk import fill_up, small_disk
from tests.terminal.given_store import some_keys

DISK_BYTES = 16 * 2**20
GRANTED = Record(
    Kind.GRANTED,
    Moment(100.0, datetime(2027, 5, 1, 12, tzinfo=UTC), True),
    person=PersonId("kvbxwqzrtmpd"),
    way=Way.CARD,
    facts=(("strike", "released"), ("reader", "front")),
)


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[Audit]:
    opened = Audit.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of DISK_BYTES."""
    with small_disk(tmp_path / "disk", DISK_BYTES) as folder:
        yield folder


def free_bytes(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


# The reserve itself


@pytest.mark.requirement("T08")
def test_a_log_keeps_space_for_itself_that_nobody_else_may_read(
    audit: Audit, tmp_path: Path
) -> None:
    found = (tmp_path / RESERVE_FILE).stat()
    assert audit.reserve_left
    assert found.st_size == RESERVE_BYTES
    assert found.st_blocks * 512 >= RESERVE_BYTES
    assert stat.S_IMODE(found.st_mode) == 0o600


def test_whoever_only_looks_takes_no_space(audit: Audit, tmp_path: Path) -> None:
    (tmp_path / RESERVE_FILE).unlink()
    reader = Audit.read(tmp_path)
    assert not reader.reserve_left
    assert not (tmp_path / RESERVE_FILE).exists()
    reader.close()


@pytest.mark.parametrize("there", ["nothing", "half of it", "holes"])
def test_a_reserve_that_is_not_whole_is_made_whole_at_the_next_start(
    audit: Audit, tmp_path: Path, there: str
) -> None:
    audit.close()
    path = tmp_path / RESERVE_FILE
    path.unlink()
    if there == "half of it":
        path.write_bytes(bytes(RESERVE_BYTES // 2))
    elif there == "holes":
        path.touch()
        os.truncate(path, RESERVE_BYTES)
    assert not audit.reserve_left
    again = Audit.open(tmp_path)
    assert again.reserve_left
    again.close()


def test_a_reserve_is_given_back_though_someone_else_has_it_open(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / RESERVE_FILE)
    reserve.make()
    with (tmp_path / RESERVE_FILE).open("rb") as held:
        reserve.release()
        assert os.fstat(held.fileno()).st_blocks == 0
    assert not reserve.is_whole
    reserve.release()


def test_something_else_in_its_place_is_left_alone_and_no_error(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"somebody's")
    (tmp_path / RESERVE_FILE).symlink_to(other)
    audit = Audit.open(tmp_path)
    assert not audit.reserve_left
    audit.append([GRANTED])
    Reserve(tmp_path / RESERVE_FILE).release()
    assert other.read_bytes() == b"somebody's"
    audit.close()


def test_a_disk_that_gives_no_space_for_it_leaves_no_half_reserve(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (RESERVE_BYTES // 2, before[1]))
    try:
        Reserve(tmp_path / RESERVE_FILE).make()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


# When SQLite says that the disk is full


def bound(audit: Audit, more_pages: int) -> None:
    """As if the disk held only so many more pages of the log."""
    pages = audit._database.rows("PRAGMA page_count")[0][0]
    audit._database.run(f"PRAGMA max_page_count = {pages + more_pages:d}")


class Relieved(Audit):
    """A log whose disk has room again as soon as the reserve is given back."""

    tries = 0

    def _write(self, lines: list[tuple[object, ...]], newest: str) -> None:
        self.tries += 1
        bound(self, 0 if self.reserve_left else 10_000)
        super()._write(lines, newest)


@pytest.mark.requirement("T08")
def test_a_record_that_finds_the_disk_full_is_written_in_the_space_kept_for_it(
    tmp_path: Path,
) -> None:
    audit = Relieved.open(tmp_path)
    assert isinstance(audit, Relieved)
    audit.append([GRANTED] * 200)
    assert (audit.tries, audit.reserve_left) == (2, False)
    assert audit.verify().checked == 200
    audit.append([GRANTED])
    assert (audit.tries, audit.verify().checked) == (3, 201)
    audit.close()


@pytest.mark.requirement("T08")
def test_a_disk_that_stays_full_is_an_error_after_the_second_try_and_nothing_is_kept(
    audit: Audit, tmp_path: Path
) -> None:
    audit.append([GRANTED])
    head = audit.head
    bound(audit, 0)
    with pytest.raises(AuditFailed, match="disk is full"):
        audit.append([GRANTED] * 500)
    assert (audit.head, audit.reserve_left) == (head, False)
    assert audit.verify().checked == 1


def test_another_trouble_than_a_full_disk_keeps_the_reserve(audit: Audit, tmp_path: Path) -> None:
    other = Audit.open(tmp_path)
    other.append([GRANTED])
    with pytest.raises(AuditFailed):
        audit.append([GRANTED])
    with pytest.raises(AuditFailed, match="without a time"):
        audit.append([replace(GRANTED, at=replace(GRANTED.at, mono_s=float("inf")))])
    assert audit.reserve_left
    other.close()


# On a file system that is full


@pytest.mark.requirement("T08")
def test_on_a_full_disk_five_thousand_more_records_are_kept(disk: Path) -> None:
    audit = Audit.open(disk)
    audit.append([GRANTED])
    fill_up(disk)
    assert free_bytes(disk) == 0
    for _ in range(5000):
        audit.append([GRANTED])
    assert not audit.reserve_left
    assert audit.verify().checked == 5001
    audit.close()


@pytest.mark.requirement("T08")
def test_when_the_reserve_is_used_up_too_what_was_acknowledged_is_there(disk: Path) -> None:
    audit = Audit.open(disk)
    fill_up(disk)
    kept = 0
    with pytest.raises(AuditFailed):
        for _ in range(200_000):
            audit.append([GRANTED] * 20)
            kept += 20
    assert kept > 1000
    assert audit.verify().checked == kept
    audit.close()
    (disk / "hog").unlink()
    again = Audit.open(disk)
    assert again.verify().checked == kept
    assert again.reserve_left
    again.close()


@pytest.mark.requirement("T08")
def test_a_start_on_a_full_disk_opens_everything_in_the_space_kept_for_it(disk: Path) -> None:
    keys = some_keys()
    for _ in range(2):
        audit, store = Audit.open(disk), Store.open(disk, keys)
        store.close()
        audit.close()
    hog = fill_up(disk)
    for _ in range(3):
        audit, store = Audit.open(disk), Store.open(disk, keys)
        audit.append([GRANTED])
        assert not audit.reserve_left
        store.close()
        audit.close()
    hog.unlink()
    audit = Audit.open(disk)
    assert audit.reserve_left
    assert audit.verify().checked == 3
    audit.close()


@pytest.mark.requirement("T08")
def test_a_first_start_on_a_full_disk_is_tried_again_and_not_refused_for_ever(disk: Path) -> None:
    hog = fill_up(disk)
    with pytest.raises(AuditFailed):
        Audit.open(disk)
    with pytest.raises(StoreFailed):
        Store.open(disk, some_keys())
    with pytest.raises(SystemExit) as ended, in_one_sentence():
        Audit.open(disk)
    assert ended.value.code == FAILED
    hog.unlink()
    Audit.open(disk).close()


def test_a_damaged_log_is_refused_for_ever(audit: Audit, tmp_path: Path) -> None:
    audit.close()
    (tmp_path / AUDIT.file_name).write_bytes(b"SQLite format 3\0" * 300)
    with pytest.raises(SystemExit) as ended, in_one_sentence():
        Audit.open(tmp_path)
    assert ended.value.code == REFUSED


@pytest.mark.parametrize(
    ("left_bytes", "is_made"),
    [(RESERVE_BYTES, False), (2 * RESERVE_BYTES + LEAST_FREE_BYTES, True)],
)
def test_the_reserve_is_made_only_where_as_much_again_stays_free(
    disk: Path, left_bytes: int, is_made: bool
) -> None:
    with (disk / "hog").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, DISK_BYTES - left_bytes)
    audit = Audit.open(disk)
    assert audit.reserve_left == is_made
    audit.append([GRANTED])
    audit.close()
