"""The door on one screen, what an operator does to it, and parity with an exit status."""

from __future__ import annotations

import json
import sys
from io import StringIO
from typing import Any

import pytest

from terminal.requests import (
    Acknowledge,
    Door,
    FreePassage,
    Lockdown,
    LockdownEnd,
    PassbackReset,
    Release,
)
from tests.terminal.commands.given import DOOR, PARITY, done, runs
from tests.terminal.commands.twin import Twin, refused

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize("words", [("door",), ("door", "show")])
def test_the_door_is_one_screen(twin: Twin, capsys: Captured, words: tuple[str, ...]) -> None:
    assert runs(twin, *words) == 0
    out, err = capsys.readouterr()
    rows = dict(line.split("  ", 1) for line in out.splitlines())
    assert rows["Door"].strip() == "secured, closed"
    assert rows["Alarms"].strip() == "none"
    assert rows["Ways in"].strip() == "front, camera codes"
    assert rows["Lines"].strip() == "active: contact"
    assert len(out.splitlines()) <= 24 and err == ""
    assert twin.requests == [Door()]


@pytest.mark.parametrize("words", [("door", "--json"), ("door", "show", "--json")])
def test_the_door_as_json_is_the_answer(
    twin: Twin, capsys: Captured, words: tuple[str, ...]
) -> None:
    assert runs(twin, *words) == 0
    assert json.loads(capsys.readouterr().out) == DOOR


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"alarms": ["duress", "forced_open"]}, "DURESS (silent), forced open"),
        ({"locked_down": True}, "ON: nobody comes in but who may"),
        ({"interlocked": True}, "open: this one stays closed"),
        ({"fire": True}, "SIGNAL ON"),
        ({"tampered": True}, "OPEN"),
        ({"strike_released": True}, "released"),
        ({"open": True}, "secured, open"),
        ({"free_passage": "Office", "by_schedule": True}, "by Office: now"),
        (
            {"free_passage": "Office", "first_person": True},
            "by Office, once somebody has come in: not now",
        ),
        ({"exit_reader": True}, "yes"),
        ({"exit_reader": False}, "none: hard anti-passback only tells"),
        ({"panel": "wiegand"}, "decides; it is told numbers on two lines"),
        ({"rex": "release"}, "releases the strike besides"),
        ({"ways": []}, "none works"),
        ({"lines": {}}, "none is active"),
    ],
)
def test_whatever_differs_is_seen(
    twin: Twin, capsys: Captured, changed: dict[str, Any], words: str
) -> None:
    twin.script = lambda request: done(door={**DOOR, **changed})
    assert runs(twin, "door") == 0
    assert words in capsys.readouterr().out


@pytest.mark.requirement("R47")
@pytest.mark.parametrize(
    ("words", "request_", "said"),
    [
        (("release", "--why", "courier"), Release("courier"), "The door was released for one."),
        (("lockdown", "--why", "police"), Lockdown("police"), "The door is locked down"),
        (("lift", "--why", "it is over"), LockdownEnd("it is over"), "The lockdown is lifted."),
        (("acknowledge",), Acknowledge(), "The alarms are acknowledged"),
        (("free", "Office"), FreePassage("Office"), "open to everyone by Office."),
        (
            ("free", "Office", "--first-person"),
            FreePassage("Office", first_person=True),
            "by Office, once somebody has come in.",
        ),
        (("free", "--off"), FreePassage(None), "by no schedule any more."),
        (("reset-passback", "Ada"), PassbackReset("Ada"), "this person is."),
        (("reset-passback", "--yes"), PassbackReset(None), "everyone is."),
    ],
)
def test_what_is_done_to_the_door_is_asked_and_said(
    twin: Twin, capsys: Captured, words: tuple[str, ...], request_: object, said: str
) -> None:
    assert runs(twin, "door", *words) == 0
    assert said in capsys.readouterr().out
    assert runs(twin, "door", *words, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "door": "secured"}
    assert twin.requests == [request_, request_]


@pytest.mark.parametrize("verb", ["release", "lockdown", "lift"])
def test_whatever_needs_a_reason_is_not_asked_without_one(
    twin: Twin, capsys: Captured, verb: str
) -> None:
    for words in ((), ("--why", ""), ("--why", "x" * 201), ("--why", "two\nlines")):
        with pytest.raises(SystemExit) as ended:
            runs(twin, "door", verb, *words)
        assert ended.value.code == 2
    assert twin.requests == []
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("words", [(), ("Office", "--off"), ("x" * 41,)])
def test_free_passage_is_one_schedule_or_none(twin: Twin, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        runs(twin, "door", "free", *words)
    assert ended.value.code == 2


def test_forgetting_everyones_side_needs_a_yes(
    twin: Twin, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO("yes\n"))
    assert runs(twin, "door", "reset-passback") == 1
    assert "say --yes" in capsys.readouterr().err
    assert twin.requests == []


def test_what_the_door_refuses_is_its_sentence_and_1(twin: Twin, capsys: Captured) -> None:
    twin.script = lambda request: refused("The other door is open.\x1b[2J")
    assert runs(twin, "door", "release", "--why", "x") == 1
    assert capsys.readouterr() == ("", "The other door is open.?[2J\n")


# Parity


@pytest.mark.requirement("T36")
def test_parity_is_a_table_of_the_ways_with_typing_apart(twin: Twin, capsys: Captured) -> None:
    assert runs(twin, "parity") == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].split() == [
        *("Way", "in", "n", "p50", "p95"),
        *("typing", "steps", "refused", "given", "up"),
    ]
    assert lines[2].split() == ["card", "40", *("0.2", "s", "0.3", "s", "0.0", "s"), "1", "0", "0"]
    assert lines[3].split() == ["QR", "pass", "0", "-", "-", "-", "-", "0", "0"]
    assert "3.5 s" in lines[4]
    assert "1 s more at p95 and 1 step more, from 20 of each on" in out
    assert out.endswith("Nothing measured breaks it.\n")


@pytest.mark.requirement("T36")
def test_a_broken_parity_is_in_words_and_ends_with_1(twin: Twin, capsys: Captured) -> None:
    trouble = "card takes 4.0 s at p95, the face 1.6 s."
    twin.script = lambda request: done(parity={**PARITY, "troubles": [trouble]})
    assert runs(twin, "parity") == 1
    assert capsys.readouterr().out.endswith(f"NOT AS CONVENIENT:\n- {trouble}\n")
    assert runs(twin, "parity", "--json") == 1
    assert json.loads(capsys.readouterr().out)["troubles"] == [trouble]


def test_a_warning_about_pins_is_told_and_breaks_nothing(twin: Twin, capsys: Captured) -> None:
    warning = "Beside the face, nobody comes in without a PIN: that is not as convenient."
    twin.script = lambda request: done(parity={**PARITY, "warning": warning})
    assert runs(twin, "parity") == 0
    assert capsys.readouterr().out.endswith(warning + "\n")
