"""The notice is whole, and a consent holds the hash of exactly what was shown."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from terminal.errors import RefuseToStart
from terminal.notice import MAX_BYTES, SUPPLIED, read_notice


@pytest.mark.requirement("R02")
def test_the_hash_is_of_exactly_the_text_that_is_shown() -> None:
    notice = read_notice()
    assert notice.sha256 == hashlib.sha256(notice.text.encode()).hexdigest()
    assert notice.sha256 == hashlib.sha256(SUPPLIED.read_bytes()).hexdigest()


@pytest.mark.requirement("R02")
@pytest.mark.parametrize(
    "item",
    ["Who asks", "contact", "What for", "How.", "How long", "necess", "What it may mean", "rights"],
)
def test_the_supplied_notice_has_every_item_of_the_law(item: str) -> None:
    wanted = "Why it is needed" if item == "necess" else item
    assert wanted in read_notice().text


@pytest.mark.requirement("R02", "D8", "R12")
def test_it_says_that_it_is_voluntary_what_is_left_over_and_how_to_refuse() -> None:
    text = " ".join(read_notice().text.split())
    assert text.index("Nobody has to agree") < text.index("Who asks")
    assert "deceive this version" in text
    assert "To refuse" in text
    assert "withdraw at any time" in text


def test_a_sites_own_text_is_taken_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "notice.md"
    own.write_bytes("Nous vous demandons…\r\n".encode())
    notice = read_notice(own)
    assert notice.text == "Nous vous demandons…\r\n"
    assert notice.sha256 == hashlib.sha256(own.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "must hold"),
        (b"  \n\t ", "must hold"),
        (b"x" * (MAX_BYTES + 1), "must hold"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_what_is_no_notice_refuses_the_start(tmp_path: Path, raw: bytes, why: str) -> None:
    path = tmp_path / "notice.md"
    path.write_bytes(raw)
    with pytest.raises(RefuseToStart, match=why) as refused:
        read_notice(path)
    assert os.fspath(path) in str(refused.value)


def test_a_notice_that_is_missing_refuses_the_start(tmp_path: Path) -> None:
    with pytest.raises(RefuseToStart, match="can't be read"):
        read_notice(tmp_path / "none.md")
    with pytest.raises(RefuseToStart, match="can't be read"):
        read_notice(tmp_path)
