"""An import is looked at before it is written, and afterwards every line is accounted for."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from terminal.commands.files import ranges
from terminal.requests import Export, Groups, ImportRows
from tests.terminal.commands.given import done, runs
from tests.terminal.commands.keeper import Keeper
from tests.terminal.commands.twin import Twin, refused

Captured = pytest.CaptureFixture[str]

DOCUMENT = {
    "format": "face-optional-terminal",
    "version": 1,
    "people": [
        {"name": "Ada Example", "identifier": "R-1", "group": "Residents", "cards": ["0012345678"]},
        {"name": "Bob Beispiel", "identifier": "R-2", "valid_until": "2031-01-31"},
    ],
    "groups": [{"name": "Residents", "rule": "any", "schedule": "Office"}],
    "schedules": [{"name": "Office", "monday": "08:00-18:00", "on_holidays": "closed"}],
    "holidays": [{"date": "2030-10-01", "name": "国庆节"}],
}
PEOPLE = "identifier,name,group,card number\nP1,Ada,,0012345678\nP2,Bob,None such,\nP3,Cy,,\n"


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def door(tmp_path: Path, keeper: Keeper) -> Iterator[Twin]:
    made = Twin(tmp_path, keeper)
    yield made
    made.close()


def file(folder: Path, data: str | bytes | dict[str, Any], name: str = "people.csv") -> str:
    """The path of a file with this in it."""
    path = folder / name
    if isinstance(data, dict):
        data, path = json.dumps(data), path.with_suffix(".json")
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return str(path)


def many(count: int) -> str:
    """A file of so many people."""
    return "identifier,name\n" + "".join(f"P{at},Person {at}\n" for at in range(count))


def written(door: Twin) -> list[ImportRows]:
    """What was asked to be written."""
    return [one for one in door.requests if isinstance(one, ImportRows) and one.write]


# Looking


def test_a_dry_run_reports_by_line_and_writes_nothing(
    door: Twin, keeper: Keeper, capsys: Captured, tmp_path: Path
) -> None:
    keeper.refuses["Cy"] = "This person has another identifier here."
    assert runs(door, "import", file(tmp_path, PEOPLE)) == 1
    out = capsys.readouterr().out
    assert "Rows: 1 good (1 person, 1 card), 2 refused." in out
    assert re.search(r"^3 +person +Its group is neither in the file nor", out, re.M)
    assert re.search(r"^4 +person +This person has another identifier here\.$", out, re.M)
    assert out.endswith("Nothing was written; say --write to write the good rows.\n")
    assert written(door) == [] and keeper.people == {}


def test_a_good_file_ends_with_0_and_is_written_only_where_that_is_said(
    door: Twin, keeper: Keeper, tmp_path: Path
) -> None:
    path = file(tmp_path, DOCUMENT)
    assert runs(door, "import", path) == 0
    assert keeper.people == {}
    assert runs(door, "import", path, "--write") == 0
    assert set(keeper.people) == {"R-1", "R-2"}
    assert keeper.people["R-1"].cards == ("0012345678",)


def test_what_is_referred_to_is_written_first(
    door: Twin, keeper: Keeper, capsys: Captured, tmp_path: Path
) -> None:
    assert runs(door, "import", file(tmp_path, DOCUMENT), "--write") == 0
    assert keeper.order == ["schedule", "holiday", "group", "person", "person"]
    assert keeper.people["R-1"].group == "Residents"
    assert keeper.groups["Residents"].schedule == "Office"
    out = capsys.readouterr().out
    assert "Written: person 1-2; group 1; schedule 1; holiday 1.\nNot written: nothing." in out


def test_broken_rows_cost_themselves_alone(
    door: Twin, keeper: Keeper, capsys: Captured, tmp_path: Path
) -> None:
    assert runs(door, "import", file(tmp_path, PEOPLE), "--write") == 1
    assert set(keeper.people) == {"P1", "P3"}
    assert "Written: person 2, 4.\nNot written: person 3." in capsys.readouterr().out


def test_what_the_terminal_refused_when_looking_is_not_sent_to_be_written(
    door: Twin, keeper: Keeper, tmp_path: Path
) -> None:
    keeper.refuses["Ada"] = "Not this one."
    assert runs(door, "import", file(tmp_path, PEOPLE), "--write") == 1
    assert [row.name for one in written(door) for row in one.people] == ["Cy"]


def test_a_row_that_is_refused_only_when_it_is_written_is_reported(
    door: Twin, keeper: Keeper, capsys: Captured, tmp_path: Path
) -> None:
    keeper.on_write = lambda: keeper.refuses.update(Cy="Somebody else was quicker.")
    assert runs(door, "import", file(tmp_path, PEOPLE), "--write") == 1
    out = capsys.readouterr().out
    assert "Somebody else was quicker." in out
    assert "Written: person 2.\nNot written: person 3-4." in out


def test_rows_of_one_person_share_its_fate(
    door: Twin, keeper: Keeper, capsys: Captured, tmp_path: Path
) -> None:
    rows = "identifier,name,card number\nP1,Ada,1111\nP2,Bob,\nP1,Ada,2222\n"
    path = file(tmp_path, rows)
    keeper.refuses["Ada"] = "Not this one."
    assert runs(door, "import", path, "--write") == 1
    out = capsys.readouterr().out
    assert len(re.findall(r"^[24] +person +Not this one\.$", out, re.M)) == 2
    assert "Written: person 3.\nNot written: person 2, 4." in out
    assert "1 good (1 person), 2 refused" in out


def test_the_name_of_a_file_says_what_its_lines_are_unless_that_is_named(
    door: Twin, keeper: Keeper, tmp_path: Path
) -> None:
    days = "date,name\n2030-10-01,A\n"
    assert runs(door, "import", file(tmp_path, days, "holidays.csv"), "--write") == 0
    keeper.holidays.clear()
    with pytest.raises(SystemExit) as ended:
        runs(door, "import", file(tmp_path, days, "days.csv"), "--write")
    assert ended.value.code == 2 and keeper.people == {}
    words = ("--table", "holidays", "--write")
    assert runs(door, "import", file(tmp_path, days, "days.csv"), *words) == 0
    assert set(keeper.holidays) == {"2030-10-01"}


def test_no_request_is_longer_than_one_may_be_and_progress_is_told(
    door: Twin, keeper: Keeper, capsys: Captured, tmp_path: Path
) -> None:
    assert runs(door, "import", file(tmp_path, many(1200)), "--write") == 0
    assert len(keeper.people) == 1200
    err = capsys.readouterr().err
    assert re.findall(r"(\d+) of 1200 rows (looked at|written)\.", err)
    assert max(len(raw) for raw in door.heard) <= 4096


def test_json_has_every_row_with_whether_it_was_written(
    door: Twin, capsys: Captured, tmp_path: Path
) -> None:
    assert runs(door, "import", file(tmp_path, PEOPLE), "--json", "--write") == 1
    data = json.loads(capsys.readouterr().out)
    assert [(row["line"], row["ok"], row["written"]) for row in data["rows"]] == [
        (2, True, True),
        (3, False, False),
        (4, True, True),
    ]
    assert data["write"] is True and data["ended"] is None


@pytest.mark.requirement("R45")
def test_no_card_number_stands_in_what_is_said(
    door: Twin, keeper: Keeper, capsys: Captured, tmp_path: Path
) -> None:
    path = file(tmp_path, PEOPLE + "P4,Di,,1.23E+09\nP1,Eve,,0012345678\n")
    for words in ((), ("--json",), ("--write",)):
        runs(door, "import", path, *words)
    assert "0012345678" not in "".join(capsys.readouterr())


# Refused as a whole


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"PK\x03\x04rest", "workbook"),
        (b"\xff\xfea\0", "UTF-16"),
        (b"a,b\n1,2\n", ""),
        (b"x" * (10 * 2**20 + 1), "larger than"),
    ],
)
def test_a_file_that_is_none_is_one_sentence(
    door: Twin, capsys: Captured, tmp_path: Path, data: bytes, said: str
) -> None:
    assert runs(door, "import", file(tmp_path, data), "--write") == 1
    out, err = capsys.readouterr()
    assert out == "" and said in err and err.count("\n") == 1
    assert door.requests == [Groups()]


@pytest.mark.parametrize("name", ["gone.csv", "a\x1b[2Jb.csv", "gone/people.csv", "people"])
def test_a_file_that_is_not_there_is_one_sentence_before_anything_is_asked(
    door: Twin, capsys: Captured, tmp_path: Path, name: str
) -> None:
    (tmp_path / "people").mkdir()
    assert runs(door, "import", str(tmp_path / name), "--table", "people") == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err[:-1].isprintable()
    assert door.requests == []


def test_verdicts_on_other_rows_are_no_answer(
    door: Twin, keeper: Keeper, capsys: Captured, tmp_path: Path
) -> None:
    def script(request: Any) -> Any:
        return done(verdicts=[]) if isinstance(request, ImportRows) else keeper(request)

    door.script = script
    assert runs(door, "import", file(tmp_path, PEOPLE)) == 1
    assert capsys.readouterr().err.endswith("are of two versions.\n")


# Ended in between


def test_ctrl_c_loses_nothing_that_was_written_and_says_so(
    door: Twin, keeper: Keeper, capsys: Captured, tmp_path: Path
) -> None:
    keeper.on_write = lambda: os.kill(os.getpid(), signal.SIGINT)
    before = signal.getsignal(signal.SIGINT)
    assert runs(door, "import", file(tmp_path, many(400)), "--write") == 1
    assert signal.getsignal(signal.SIGINT) is before
    count = len(keeper.people)
    assert 0 < count < 400 and len(written(door)) == 1
    out = capsys.readouterr().out
    assert "The writing ended before its end: Ended by Ctrl-C." in out
    assert f"Written: person 2-{count + 1}.\nNot written: person {count + 2}-401." in out


def test_ctrl_c_in_the_last_piece_is_too_late(
    door: Twin, keeper: Keeper, capsys: Captured, tmp_path: Path
) -> None:
    keeper.on_write = lambda: os.kill(os.getpid(), signal.SIGINT)
    assert runs(door, "import", file(tmp_path, many(3)), "--write") == 0
    assert "Not written: nothing." in capsys.readouterr().out


@pytest.mark.parametrize("end", ["refuses", "hangs up"])
def test_a_door_that_ends_in_between_leaves_no_line_in_doubt_but_those_on_their_way(
    door: Twin, keeper: Keeper, capsys: Captured, tmp_path: Path, end: str
) -> None:
    def script(request: Any) -> Any:
        if len(written(door)) > 1:
            return refused("The disk is full.") if end == "refuses" else b""
        return keeper(request)

    door.script = script
    assert runs(door, "import", file(tmp_path, many(400)), "--write") == 1
    count = len(keeper.people)
    out = capsys.readouterr().out
    assert f"Written: person 2-{count + 1}." in out
    on_their_way = len(written(door)[1].people)
    unsure = f"person {count + 2}-{count + on_their_way + 1}"
    assert f"Not known whether written: {unsure}; import the file again." in out
    assert f"Not written: person {count + on_their_way + 2}-401." in out


@pytest.mark.parametrize(
    ("lines", "text"),
    [([], ""), ([3], "3"), ([3, 2, 2, 4, 9, 7, 8], "2-4, 7-9"), ([1, 3, 5], "1, 3, 5")],
)
def test_lines_that_follow_each_other_are_one_range(lines: list[int], text: str) -> None:
    assert ranges(lines) == text


# Export


@pytest.mark.parametrize("words", [(), ("--chinese",), ("--encoding", "gb18030")])
def test_what_is_exported_is_imported_as_the_same(
    door: Twin, keeper: Keeper, tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert runs(door, "import", file(tmp_path, DOCUMENT), "--write") == 0
    folder = tmp_path / "out"
    assert runs(door, "export", "--to", str(folder), *words) == 0
    there = Keeper()
    door.script = there
    for name in ("schedules", "holidays", "groups", "people"):
        assert runs(door, "import", str(folder / f"{name}.csv"), "--write") == 0
    assert _kept(there) == _kept(keeper)


def _kept(keeper: Keeper) -> list[Any]:
    """What a door has, lines and cards apart: an export has neither."""
    people = [(one.name, one.group, one.valid_until) for one in keeper.people.values()]
    groups = [(one.name, one.rule, one.schedule) for one in keeper.groups.values()]
    schedules = [(one.name, one.week, one.on_holidays) for one in keeper.schedules.values()]
    return [people, groups, schedules, [(day, one.name) for day, one in keeper.holidays.items()]]


def test_the_document_goes_to_stdout_and_is_imported_as_the_same(
    door: Twin, keeper: Keeper, capsys: Captured, tmp_path: Path
) -> None:
    assert runs(door, "import", file(tmp_path, DOCUMENT), "--write") == 0
    capsys.readouterr()
    assert runs(door, "export", "--json") == 0
    out = capsys.readouterr().out
    assert "0012345678" not in out and json.loads(out)["people"][0]["card_count"] == 1
    there = Keeper()
    door.script = there
    assert runs(door, "import", file(tmp_path, json.loads(out)), "--write") == 0
    assert _kept(there) == _kept(keeper)


def test_exported_files_are_for_this_account_alone(
    door: Twin, capsys: Captured, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    assert runs(door, "export", "--to", str(folder)) == 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} == {
        *("people.csv", "groups.csv"),
        *("schedules.csv", "holidays.csv"),
    }
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    assert "Card numbers are not among them" in capsys.readouterr().err


def test_an_export_replaces_nothing_unless_that_is_said(
    door: Twin, capsys: Captured, tmp_path: Path
) -> None:
    mine = tmp_path / "groups.csv"
    mine.write_text("mine")
    assert runs(door, "export", "--to", str(tmp_path)) == 1
    assert mine.read_text() == "mine" and door.requests == []
    assert "say --force" in capsys.readouterr().err
    assert runs(door, "export", "--to", str(tmp_path), "--force") == 0
    assert mine.read_text() != "mine"


def test_an_export_that_breaks_off_leaves_no_file(
    door: Twin, capsys: Captured, tmp_path: Path
) -> None:
    held = {"line": 1, "identifier": None, "name": "Ada"}
    piece = {"news": "people", "people": [{"row": held, "card_count": 0}]}
    door.script = lambda request: [piece]
    folder = tmp_path / "out"
    assert runs(door, "export", "--to", str(folder)) == 1
    assert list(folder.iterdir()) == []
    assert "ended before it answered" in capsys.readouterr().err


@pytest.mark.parametrize("words", [(), ("--json", "--to", "x"), ("--to", ""), ("--encoding", "x")])
def test_an_export_goes_to_one_place(door: Twin, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        runs(door, "export", *words)
    assert ended.value.code == 2
    assert Export() not in door.requests


def test_a_folder_that_can_not_be_made_is_one_sentence(
    door: Twin, capsys: Captured, tmp_path: Path
) -> None:
    assert runs(door, "export", "--to", str(tmp_path / "a" / "b")) == 1
    assert "can't be made" in capsys.readouterr().err
