"""Every command that a document names is one, and every kind of pass and alarm has its row."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from terminal import cli
from terminal.commands.pass_times import KINDS
from terminal.show_access import ALARMS
from tests.tools.check_docs import code_in

ROOT = Path(__file__).parents[3]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NOUNS = ("person", "door", "card", "pin", "pass", "group", "schedule", "holiday")


@cache
def listed(*words: str) -> frozenset[str]:
    """The commands or verbs that the help of these words lists."""
    with contextlib.redirect_stdout(io.StringIO()) as out, pytest.raises(SystemExit):
        cli.main([*words, "--help"])
    return frozenset(re.findall(r"^    ([a-z][\w-]*)", out.getvalue(), re.M))


def named(document: Path) -> Iterator[list[str]]:
    """What stands after `terminalctl` in code, as far as it is words."""
    for code in code_in(document.read_text(encoding="utf-8")):
        for match in re.finditer(r"terminalctl((?: [a-z][a-z-]*\b)+)", code.text):
            yield match.group(1).split()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_verb_in_a_document_is_one(document: Path) -> None:
    for noun, *rest in named(document):
        assert noun in listed()
        if noun in NOUNS and rest:
            assert rest[0] in listed(noun), f"{noun} {rest[0]}"


def test_the_documents_name_many_commands() -> None:
    found = {tuple(words[:2]) for document in DOCUMENTS for words in named(document)}
    assert len(found) > 30


def test_the_nouns_are_those_with_verbs() -> None:
    assert {noun for noun in listed() if "list" in listed(noun)} <= set(NOUNS)


def test_every_kind_of_pass_has_its_row_with_its_numbers() -> None:
    text = (ROOT / "docs" / "maintenance.md").read_text(encoding="utf-8")
    for kind, usual in KINDS.items():
        (row,) = re.findall(rf"^\| {kind} \|.*\|$", text, re.M)
        assert f"| {usual.days} day" in row
        often = {0: "as often as wanted", 1: "once"}.get(usual.uses, f"{usual.uses} times")
        assert row.endswith(f"| {often} |")


def test_every_alarm_has_its_row() -> None:
    text = (ROOT / "docs" / "doors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-zA-Z ]+) \|", text, re.M)
    shown = {re.sub(r" \(.*", "", words).lower() for words in ALARMS.values()}
    shown = {"parity" if words.startswith("the other ways") else words for words in shown}
    assert shown <= {row.lower() for row in rows}
