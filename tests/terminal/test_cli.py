"""`terminalctl`: data on stdout, words on stderr, and 0, 1 or 2 for done, refused or misused."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from hw.wiring import Wiring
from terminal import __version__, cli, operator_link
from terminal.arrivals import CardRead, ReaderWorks
from terminal.control import Control
from tests.terminal.given_bridge import CARD, NAME, RESIDENT, UNKNOWN_CARD, Door

Captured = pytest.CaptureFixture[str]


class Served:
    """A door with its control socket; the loop turns on a thread of its own until closed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket = folder / "state", folder / "control.sock"
        self._ready, self._end = threading.Event(), threading.Event()
        self._act: list[Any] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(10.0)

    def _run(self) -> None:
        door = Door(self.folder)
        door.has_resident(face=1)
        door.start()
        control = Control(self.socket, door.inbox, "")
        control.start()
        self._ready.set()
        while not self._end.wait(0.002):
            door.settles()
            while self._act:
                door.arrives(self._act.pop(0))
        control.close()
        door.close()

    def arrives(self, *arrivals: object) -> None:
        self._act += arrivals

    def close(self) -> None:
        self._end.set()
        self._thread.join(10.0)

    def runs(self, *words: str) -> int:
        """`terminalctl` with these words, at this socket."""
        noun = ("person", "door") if words[0] in ("person", "door") else ()
        place = 2 if noun else 1
        return cli.main([*words[:place], "--socket", str(self.socket), *words[place:]])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    yield made
    made.close()


def data(capsys: Captured) -> Any:
    """What was printed as JSON; nothing else may have been."""
    return json.loads(capsys.readouterr().out)


# Every command, as text and as JSON


def test_status_is_one_screen(served: Served, capsys: Captured) -> None:
    assert served.runs("status") == 0
    out, err = capsys.readouterr()
    names = [line.split("  ")[0] for line in out.splitlines()]
    assert names[:11] == [
        *("Site", "Door", "Strike", "Face", "Sign"),
        *("Readers", "Codes", "People", "Log", "Clock", "Key"),
    ]
    assert "on (walk-up), vision may detect" in out
    assert "1 registered, 1 cards, 1 faces" in out
    assert len(out.splitlines()) <= 24
    assert err == ""


def test_status_as_json_is_the_answer(served: Served, capsys: Captured) -> None:
    assert served.runs("status", "--json") == 0
    assert set(data(capsys)) == {
        *("site", "door", "face", "ways", "people", "log"),
        *("times", "memory_locked", "unerased", "trouble"),
    }


def test_people_are_a_table(served: Served, capsys: Captured) -> None:
    assert served.runs("person", "list") == 0
    head, person = capsys.readouterr().out.splitlines()
    assert re.split(r"\s{2,}", head) == ["Identifier", "Name", "Cards", "Face", "Templates"]
    assert re.split(r"\s{2,}", person) == [RESIDENT, NAME, "1", "given", "5"]
    assert served.runs("person", "list", "--json") == 0
    assert data(capsys)[0]["name"] == NAME


def test_events_are_lines_newest_last(served: Served, capsys: Captured) -> None:
    assert served.runs("events", "--last", "3") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    numbers = [int(line.split()[0]) for line in lines]
    assert numbers == sorted(numbers)
    assert re.fullmatch(r" +\d+  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  face_on", lines[-1])


def test_events_as_json_are_one_object_a_line(served: Served, capsys: Captured) -> None:
    assert served.runs("events", "--json", "--last", "2") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["news"] for line in lines] == ["record", "record"]
    assert {"seq", "mono_s", "utc", "trusted", "kind"} <= set(lines[0])


def test_erasing_asks_first_and_says_when_it_is_done(served: Served, capsys: Captured) -> None:
    assert served.runs("erase", NAME, "--yes") == 0
    assert capsys.readouterr().out == f"The face data of {RESIDENT} was erased.\n"
    assert served.runs("erase", NAME, "--everything", "--yes", "--json") == 0
    assert data(capsys) == {"ok": True, "person": RESIDENT, "everything": True}


def test_without_a_terminal_attached_erasing_needs_a_yes(
    served: Served, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO("yes\n"))
    assert served.runs("erase", NAME) == 1
    assert "say --yes" in capsys.readouterr().err
    served.runs("person", "list", "--json")
    assert data(capsys)[0]["templates"] == 5


def test_a_held_release_and_its_end(served: Served, capsys: Captured) -> None:
    assert served.runs("door", "hold", "--seconds", "60", "--why", "moving day") == 0
    assert capsys.readouterr().out == "The door is held released for 60 s.\n"
    assert served.runs("door", "secure") == 0
    assert capsys.readouterr().out == "The door is no longer held released.\n"
    served.runs("events", "--last", "2")
    started, ended = capsys.readouterr().out.splitlines()
    assert "why=moving day" in started and "asked by" in started
    assert "hold_ended" in ended


def test_the_self_test_is_a_table_and_its_status_says_whether_it_passed(
    served: Served, capsys: Captured
) -> None:
    status = served.runs("selftest", "--json")
    tested = data(capsys)
    assert status == (0 if tested["passed"] else 1)
    served.runs("selftest")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(tested["checks"])
    assert all(re.match(r"(ok|NOT OK) +[\w ]+ +[A-Za-z0-9].*\.$", line) for line in lines)


MAINTENANCE = Path(__file__).parents[2] / "docs" / "maintenance.md"


def test_the_maintenance_page_says_what_to_do_about_every_check(
    served: Served, capsys: Captured
) -> None:
    served.runs("selftest", "--json")
    named = re.findall(r"^\| `([\w .]+)` \|", MAINTENANCE.read_text(encoding="utf-8"), re.M)
    names = [check["name"] for check in data(capsys)["checks"]]
    lines = [name for name in names if name.startswith("line ")]
    assert named == ["line ...", *names[len(lines) :]]
    assert lines == [f"line {line.name.value}" for line in Wiring().lines]


def test_the_maintenance_page_has_every_command_and_no_other(capsys: Captured) -> None:
    def commands(*words: str) -> list[str]:
        with pytest.raises(SystemExit):
            cli.main([*words, "--help"])
        return re.findall(r"^    ([a-z][\w-]*)", capsys.readouterr().out, re.M)

    text = MAINTENANCE.read_text(encoding="utf-8")
    nouns = {"person", "door", "card", "pin", "pass", "group", "schedule", "holiday"}
    there = {one for one in commands() if one not in nouns}
    there |= {f"{noun} {verb}" for noun in nouns for verb in commands(noun)}
    assert set(re.findall(r"^### `terminalctl (.*)`$", text, re.M)) == there


def test_a_self_test_that_finds_something_ends_with_1(served: Served, capsys: Captured) -> None:
    served.arrives(ReaderWorks("low", working=False))
    while "low" in (served.runs("status", "--json"), data(capsys))[1]["ways"]["readers"]:
        pass
    assert served.runs("selftest") == 1
    assert re.search(r"NOT OK +readers +1 card readers work\..*connect", capsys.readouterr().out)


def test_the_version(served: Served, capsys: Captured, tmp_path: Path) -> None:
    assert served.runs("version", "--json") == 0
    assert data(capsys)["embedder"] == "a" * 12
    assert cli.main(["version", "--socket", str(tmp_path / "none")]) == 0
    assert __version__ in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0


# Enrolment


def tap_when_asked(served: Served, card: bytes) -> threading.Thread:
    def work() -> None:
        for _ in range(5):
            served.arrives(CardRead("low", card))
            threading.Event().wait(0.1)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_enrolling_a_card_tells_what_to_do_on_stderr_and_the_end_on_stdout(
    served: Served, capsys: Captured
) -> None:
    thread = tap_when_asked(served, UNKNOWN_CARD)
    assert served.runs("enrol", "Neighbour", "--no-face") == 0
    thread.join(5.0)
    out, err = capsys.readouterr()
    assert re.fullmatch(r"Registered as [a-z]{12} with a card and no face\.\n", out)
    assert err == "Hold the new card to the reader.\n"


def test_enrolling_as_json_is_one_object_a_line(served: Served, capsys: Captured) -> None:
    thread = tap_when_asked(served, UNKNOWN_CARD)
    assert served.runs("enrol", "Neighbour", "--no-face", "--json") == 0
    thread.join(5.0)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["stage"] == "tap_card"
    assert lines[-1]["stage"] == "card_only"


@pytest.mark.parametrize(("typed", "status"), [("Neighbour\n", 0), ("\n", 1), ("", 1)])
def test_a_name_can_be_typed_instead_so_that_no_list_of_processes_shows_it(
    served: Served,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    status: int,
) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO(typed))
    thread = tap_when_asked(served, UNKNOWN_CARD)
    assert served.runs("enrol", "--no-face") == status
    thread.join(5.0)
    assert capsys.readouterr().err.startswith("Name:\n")


def test_an_enrolment_that_can_not_be_is_refused_in_one_sentence(
    served: Served, capsys: Captured
) -> None:
    assert served.runs("enrol", NAME) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "Somebody of that name is registered; to do it anew, say --again.\n"


# Refused and misused


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("person", "list"),
        ("selftest",),
        ("enrol", "x"),
        ("erase", "x", "--yes"),
        ("events", "--follow"),
        ("door", "secure"),
        ("door", "hold", "--seconds", "5", "--why", "x"),
    ],
)
def test_where_no_terminal_runs_that_is_one_sentence_and_1(
    tmp_path: Path, capsys: Captured, words: tuple[str, ...]
) -> None:
    place = 2 if words[0] in ("person", "door") else 1
    path = str(tmp_path / "control.sock")
    assert cli.main([*words[:place], "--socket", path, *words[place:]]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"No terminal answers at {path}; start it first.\n"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("open",),
        ("status", "now"),
        ("person",),
        ("door", "hold"),
        ("door", "hold", "--seconds", "0", "--why", "x"),
        ("door", "hold", "--seconds", "nan", "--why", "x"),
        ("door", "hold", "--seconds", "86401", "--why", "x"),
        ("door", "hold", "--seconds", "long", "--why", "x"),
        ("events", "--last", "-1"),
        ("events", "--last", "10001"),
        ("erase",),
    ],
)
def test_misuse_is_2(capsys: Captured, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "usage: terminalctl" in err


def test_a_name_that_the_door_does_not_take_is_refused(served: Served, capsys: Captured) -> None:
    assert served.runs("enrol", "x" * 300) == 1
    assert "not understood" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
@pytest.mark.parametrize(
    "words", [("status",), ("events",), ("version",), ("person", "list"), ("enrol", "x")]
)
def test_whoever_is_no_operator_of_a_device_is_told_so_in_one_sentence(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """The folders of a device are closed to others: the socket's to all but the operators."""
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TERMINAL_SOCKET", raising=False)
    monkeypatch.delenv("TERMINAL_STATE", raising=False)
    monkeypatch.setattr(operator_link, "ON_A_DEVICE", Path("run/control.sock"))
    monkeypatch.setattr(cli, "STATE_FOLDERS", ("state",))
    for name in ("run", "state"):
        Path(name).mkdir(mode=0o700)
    os.seteuid(65534)
    try:
        assert cli.main(words) == 1
    finally:
        os.seteuid(0)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "You may not ask the terminal at run/control.sock; an operator's account is needed.\n"
    )


# A terminal at rest


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_a_log_at_rest_that_is_not_for_this_account_is_one_sentence(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    Path("state").mkdir(mode=0o700)
    os.seteuid(65534)
    try:
        assert cli.main(["events", "--socket", "none", "--state", "state"]) == 1
    finally:
        os.seteuid(0)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == ("No terminal runs, and the log in state is not for this account; use sudo.\n")


def test_a_folder_that_is_named_and_holds_no_log_is_not_replaced_by_another(
    at_rest: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERMINAL_STATE", str(at_rest))
    where = ("--socket", str(tmp_path / "none"))
    assert cli.main(["events", *where, "--state", str(tmp_path / "typo")]) == 1
    assert capsys.readouterr().out == ""
    assert cli.main(["events", *where, "--last", "1"]) == 0


@pytest.fixture
def at_rest(tmp_path: Path) -> Path:
    made = Served(tmp_path)
    made.arrives(CardRead("door", CARD))
    made.close()
    return made.folder


def test_the_log_of_a_terminal_at_rest_can_be_read(
    at_rest: Path, tmp_path: Path, capsys: Captured
) -> None:
    where = ("--socket", str(tmp_path / "none"), "--state", str(at_rest))
    assert cli.main(["events", *where, "--last", "5", "--json"]) == 0
    out, err = capsys.readouterr()
    kinds = [json.loads(line)["kind"] for line in out.splitlines()]
    assert kinds[0] in ("started", "face_off", "reader", "vision", "camera")
    assert err == f"No terminal runs; this is the log that it left in {at_rest}.\n"
    assert cli.main(["events", *where, "--last", "1"]) == 0
    assert re.match(r" +\d+  20", capsys.readouterr().out)


def test_a_log_at_rest_can_not_be_followed(at_rest: Path, tmp_path: Path, capsys: Captured) -> None:
    where = ("--socket", str(tmp_path / "none"), "--state", str(at_rest))
    assert cli.main(["events", *where, "--follow"]) == 1
    assert "start it first" in capsys.readouterr().err


def test_a_damaged_log_at_rest_is_one_sentence(
    at_rest: Path, tmp_path: Path, capsys: Captured
) -> None:
    (at_rest / "audit.db").write_bytes(b"this is no database at all, is it?" * 100)
    where = ("--socket", str(tmp_path / "none"), "--state", str(at_rest))
    assert cli.main(["events", *where]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2
