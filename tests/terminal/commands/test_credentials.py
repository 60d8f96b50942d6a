"""Cards by the beginnings of their hashes, PINs that nobody sees, and groups of people."""

from __future__ import annotations

import getpass
import json
import sys
import warnings
from collections.abc import Iterator
from io import StringIO

import pytest

from terminal.requests import CardRevoke, Cards, Enrol, PersonPut, PinClear, PinSet
from tests.terminal.commands.given import CARDS, PERSON, done, runs
from tests.terminal.commands.twin import Twin, refused

Captured = pytest.CaptureFixture[str]


class Keyboard(StringIO):
    """A stdin at which a person sits."""

    def isatty(self) -> bool:
        return True


def types(monkeypatch: pytest.MonkeyPatch, *lines: str) -> list[str]:
    """A person types these where nothing is shown; the questions that were put."""
    asked: list[str] = []
    answers: Iterator[str] = iter(lines)

    def ask(question: str) -> str:
        asked.append(question)
        try:
            return next(answers)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr(sys, "stdin", Keyboard())
    monkeypatch.setattr(getpass, "getpass", ask)
    return asked


# Cards


@pytest.mark.requirement("R45")
def test_cards_are_listed_by_the_beginnings_of_their_hashes(twin: Twin, capsys: Captured) -> None:
    assert runs(twin, "card", "list", "Ada") == 0
    head, card = capsys.readouterr().out.splitlines()
    assert head.split() == ["Card", "Since", "Kind"]
    assert card.split()[0] == "0a1b2c3d" and card.endswith("weak")
    assert runs(twin, "card", "list", "Ada", "--json") == 0
    assert json.loads(capsys.readouterr().out) == CARDS["cards"]
    assert twin.requests == [Cards("Ada"), Cards("Ada")]


def test_somebody_without_a_card_is_a_sentence(twin: Twin, capsys: Captured) -> None:
    twin.script = lambda request: done(person=PERSON, cards=[])
    assert runs(twin, "card", "list", "Ada") == 0
    assert capsys.readouterr().out == f"{PERSON} has no card.\n"


def test_a_card_is_revoked_once_it_is_agreed_to(
    twin: Twin, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Keyboard("no\n"))
    assert runs(twin, "card", "revoke", "Ada", "0A1B2C3D") == 1
    assert twin.requests == []
    monkeypatch.setattr(sys, "stdin", Keyboard("yes\n"))
    assert runs(twin, "card", "revoke", "Ada", "0A1B2C3D") == 0
    assert twin.requests == [CardRevoke("Ada", "0a1b2c3d")]
    out, err = capsys.readouterr()
    assert out == f"The card 0a1b2c3d of {PERSON} opens nothing any more.\n"
    assert "can't be undone" in err


@pytest.mark.parametrize(
    "card", ["0012345678", "", "0a1b2c3", "0a1b2c3g", "٠٠٠٠٠٠٠٠", "0a1b2c3d\n"]
)
def test_a_cards_own_number_is_no_name_of_it_and_is_not_repeated(
    twin: Twin, capsys: Captured, card: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        runs(twin, "card", "revoke", "Ada", card, "--yes")
    assert ended.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert "not the card's number" in last and (not card or card not in last)


def test_a_card_more_is_an_enrolment_of_a_card_alone(twin: Twin, capsys: Captured) -> None:
    twin.script = lambda request: [
        {"news": "progress", "scene": "tap_card", "stage": "tap_card", "person": PERSON},
        done(enrolment={"scene": "tap_card", "person": PERSON, "stage": "card_only"}),
    ]
    assert runs(twin, "card", "add", "Ada") == 0
    assert twin.requests == [Enrol("Ada", card=True, face=False, again=True)]
    assert capsys.readouterr().err == "Hold the new card to the reader.\n"


# PINs


def test_a_pin_is_typed_twice_and_shown_nowhere(
    twin: Twin, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = types(monkeypatch, "4711", "4711")
    assert runs(twin, "pin", "set", "Ada\u202e") == 0
    assert twin.requests == [PinSet("Ada\u202e", "4711")]
    assert len(asked) == 2 and "\u202e" not in asked[0]
    assert "4711" not in "".join(capsys.readouterr())


def test_a_pin_comes_as_one_line_of_a_pipe(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO("12345678\r\nmore\n"))
    assert runs(twin, "pin", "set", "Ada") == 0
    assert twin.requests == [PinSet("Ada", "12345678")]


@pytest.mark.parametrize(
    "piped",
    ["", "\n", "123\n", "123456789\n", "12a4\n", "١٢٣٤\n", " 1234\n", "1234 \n", "1" * 5000],
)
def test_what_is_no_pin_is_not_sent_and_not_repeated(
    twin: Twin, capsys: Captured, monkeypatch: pytest.MonkeyPatch, piped: str
) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO(piped))
    assert runs(twin, "pin", "set", "Ada") == 1
    assert twin.requests == []
    assert capsys.readouterr() == ("", "A PIN is 4 to 8 digits; nothing was set.\n")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("4711", "4712"), "The two were not the same; nothing was set.\n"),
        (("4711",), "Nothing was typed, so nothing was done.\n"),
        ((), "Nothing was typed, so nothing was done.\n"),
        (("x", "x"), "A PIN is 4 to 8 digits; nothing was set.\n"),
    ],
)
def test_a_pin_that_is_typed_wrongly_is_not_set(
    twin: Twin,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    typed: tuple[str, ...],
    said: str,
) -> None:
    types(monkeypatch, *typed)
    assert runs(twin, "pin", "set", "Ada") == 1
    assert twin.requests == []
    assert capsys.readouterr() == ("", said)


def test_where_the_echo_can_not_be_turned_off_no_pin_is_typed(
    twin: Twin, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(question: str) -> str:
        warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=2)
        return "4711"

    types(monkeypatch)
    monkeypatch.setattr(getpass, "getpass", ask)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as outside of tests, where a warning ends nothing
        assert runs(twin, "pin", "set", "Ada") == 1
    assert twin.requests == []
    assert "The echo can't be turned off here" in capsys.readouterr().err


def test_a_pin_is_no_argument(twin: Twin) -> None:
    with pytest.raises(SystemExit) as ended:
        runs(twin, "pin", "set", "Ada", "4711")
    assert ended.value.code == 2


def test_what_the_door_says_about_a_pin_is_told(
    twin: Twin, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin.script = lambda request: refused("Nobody of that name is registered.")
    monkeypatch.setattr(sys, "stdin", StringIO("4711\n"))
    assert runs(twin, "pin", "set", "Nobody") == 1
    assert capsys.readouterr() == ("", "Nobody of that name is registered.\n")


def test_a_pin_is_taken_away(twin: Twin, capsys: Captured) -> None:
    assert runs(twin, "pin", "clear", "Ada", "--yes") == 0
    assert capsys.readouterr().out == f"{PERSON} has no PIN any more.\n"
    assert twin.requests == [PinClear("Ada")]


def test_without_a_keyboard_a_pin_is_taken_away_by_yes_alone(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert runs(twin, "pin", "clear", "Ada") == 1
    assert twin.requests == []


# People


@pytest.mark.parametrize(
    ("words", "request_", "said"),
    [
        (("group", "Ada", "St{a}ff"), PersonPut("Ada", group="St{a}ff"), "the group St{a}ff now."),
        (("group", "Ada", "--none"), PersonPut("Ada", group=None), "no group of their own now."),
        (("panel-number", "Ada", "70000"), PersonPut("Ada", panel_number=70000), "number 70000"),
        (("panel-number", "Ada", "--none"), PersonPut("Ada", panel_number=None), "has no number"),
    ],
)
def test_a_group_and_a_panels_number_are_put(
    twin: Twin, capsys: Captured, words: tuple[str, ...], request_: object, said: str
) -> None:
    assert runs(twin, "person", *words) == 0
    assert said in capsys.readouterr().out
    assert twin.requests == [request_]
    assert runs(twin, "person", *words, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "person": PERSON}


@pytest.mark.parametrize(
    "words",
    [
        ("group", "Ada"),
        ("group", "Ada", "Staff", "--none"),
        ("group", "Ada", "x" * 41),
        ("panel-number", "Ada", "-1"),
        ("panel-number", "Ada", str(2**35)),
        ("panel-number", "Ada", "9" * 5000),
        ("panel-number", "Ada", "1.5"),
        ("panel-number", "", "1"),
    ],
)
def test_what_can_not_be_put_is_misuse(twin: Twin, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        runs(twin, "person", *words)
    assert ended.value.code == 2
    assert twin.requests == []
