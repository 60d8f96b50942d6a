"""Passes: what each kind is asked for as, where it is drawn or written, and what never gets out."""

from __future__ import annotations

import json
import stat
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from terminal.commands import pass_files
from terminal.requests import Groups, Passes, PassIssue, PassKeyChange, PassRevoke, PassShow
from tests.terminal.commands.given import (
    NOW,
    NUMBER,
    PASS_LINE,
    RULES,
    SECRET,
    TEXT,
    answer,
    done,
    issued,
    runs,
)
from tests.terminal.commands.reading import read_drawing, read_png
from tests.terminal.commands.twin import Twin, refused

Captured = pytest.CaptureFixture[str]


def wanted(twin: Twin) -> PassIssue:
    """What was asked to be issued."""
    (request,) = [one for one in twin.requests if isinstance(one, PassIssue)]
    return request


# What is asked for


@pytest.mark.parametrize(
    ("kind", "lasts", "uses"),
    [
        ("static", timedelta(days=30), 0),
        ("visitor", timedelta(days=1), 5),
        ("once", timedelta(days=1), 1),
    ],
)
def test_each_kind_has_what_an_office_expects(
    twin: Twin, kind: str, lasts: timedelta, uses: int
) -> None:
    visitor = ("--visitor", "Vera") if kind == "visitor" else ()
    assert runs(twin, "pass", "issue", "Ada", "--kind", kind, *visitor) == 0
    assert wanted(twin) == PassIssue(
        who="Ada",
        kind=kind,  # type: ignore[arg-type]
        valid_until=NOW + lasts,
        uses=uses,
        visitor="Vera" if visitor else None,
    )


def test_a_residents_pass_lasts_a_year_and_is_a_page(
    twin: Twin, capsys: Captured, tmp_path: Path
) -> None:
    page = tmp_path / "pass.html"
    assert runs(twin, "pass", "issue", "Ada", "--kind", "resident", "--page", str(page)) == 0
    assert wanted(twin).valid_until == NOW + timedelta(days=365)
    written = page.read_text(encoding="utf-8")
    assert SECRET in written and TEXT.replace("&", "&amp;") in written and "00ff ee11" in written
    out, err = capsys.readouterr()
    assert f"Written: {page}" in out
    assert "new every 30 seconds" in err and "preview of files on iOS" in err
    assert SECRET not in out + err and TEXT not in out + err


def test_times_are_the_sites_and_a_bare_end_is_the_end_of_that_day(twin: Twin) -> None:
    words = ("--from", "2030-06-02 08:00", "--until", "2030-06-03")
    assert runs(twin, "pass", "issue", "Ada", "--kind", "static", *words) == 0
    assert wanted(twin).valid_from == datetime(2030, 6, 2, 0, 0, tzinfo=UTC)
    assert wanted(twin).valid_until == datetime(2030, 6, 3, 16, 0, tzinfo=UTC)
    assert twin.requests[0] == Groups()


@pytest.mark.parametrize(
    ("words", "lasts"),
    [(("--days", "3"), timedelta(days=3)), (("--hours", "2"), timedelta(hours=2))],
)
def test_a_length_counts_from_the_beginning(
    twin: Twin, words: tuple[str, ...], lasts: timedelta
) -> None:
    begins = ("--from", "2030-06-02 08:00:00.5")
    assert runs(twin, "pass", "issue", "Ada", "--kind", "once", *begins, *words) == 0
    assert wanted(twin).valid_from == datetime(2030, 6, 2, tzinfo=UTC)
    assert wanted(twin).valid_until == datetime(2030, 6, 2, tzinfo=UTC) + lasts


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--until", "2030-05-31"), "would have ended already"),
        (("--until", "2030-06-01 11:59"), "would have ended already"),
        (("--until", "1/2/2031"), "can be read in two ways"),
        (("--until", "tomorrow"), "can't be read"),
        (("--until", ""), "A pass has an end"),
        (("--until", "长期"), "A pass has an end"),
        (("--from", "2030-06-05", "--until", "2030-06-04"), "ends before it begins"),
        (("--from", "2199-12-29", "--days", "30"), "not within 1970 to 2199"),
        (("--from", "\x1b[2J"), "can't be read"),
    ],
)
def test_times_that_can_not_be_are_one_sentence_and_nothing_is_issued(
    twin: Twin, capsys: Captured, words: tuple[str, ...], said: str
) -> None:
    assert runs(twin, "pass", "issue", "Ada", "--kind", "static", *words) == 1
    out, err = capsys.readouterr()
    assert out == "" and said in err and err.count("\n") == 1
    assert not any(isinstance(one, PassIssue) for one in twin.requests)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--kind", "rotating"),
        ("--kind", "resident"),
        ("--kind", "resident", "--page", "p", "--png", "q"),
        ("--kind", "resident", "--page", "p", "--uses", "3"),
        ("--kind", "static", "--uses", "3"),
        ("--kind", "static", "--page", "p"),
        ("--kind", "visitor", "--uses", "0"),
        ("--kind", "once", "--uses", "2"),
        ("--kind", "static", "--visitor", "Vera"),
        ("--kind", "static", "--days", "1", "--hours", "1"),
        ("--kind", "static", "--days", "0"),
        ("--kind", "static", "--uses", "10001"),
        ("--kind", "static", "--png", ""),
    ],
)
def test_what_no_pass_can_be_is_misuse(twin: Twin, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        runs(twin, "pass", "issue", "Ada", *words)
    assert ended.value.code == 2
    assert twin.requests == []


def test_that_a_residents_pass_can_not_be_drawn_is_said_with_the_reason(
    twin: Twin, capsys: Captured
) -> None:
    with pytest.raises(SystemExit):
        runs(twin, "pass", "issue", "Ada", "--kind", "resident", "--png", "a.png")
    assert "changes every 30 seconds" in capsys.readouterr().err


def test_a_visitors_name_can_be_typed_and_is_needed(
    twin: Twin, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO("Vera Visitor\n"))
    assert runs(twin, "pass", "issue", "Ada", "--kind", "visitor") == 0
    assert wanted(twin).visitor == "Vera Visitor"
    assert runs(twin, "pass", "issue", "Ada", "--kind", "visitor") == 1
    assert capsys.readouterr().err.endswith("Nothing was typed, so nothing was done.\n")


@pytest.mark.requirement("R47")
def test_a_marked_pass_is_asked_for_and_nothing_on_the_screen_tells(
    twin: Twin, capsys: Captured
) -> None:
    assert runs(twin, "pass", "issue", "Ada", "--kind", "static") == 0
    plain = capsys.readouterr()
    assert runs(twin, "pass", "issue", "Ada", "--kind", "static", "--marked") == 0
    assert twin.requests[-1].is_marked
    assert capsys.readouterr() == plain


# Drawn


def test_the_drawing_can_be_read_and_no_word_has_the_text(twin: Twin, capsys: Captured) -> None:
    assert runs(twin, "pass", "issue", "Ada", "--kind", "static") == 0
    out, err = capsys.readouterr()
    assert TEXT not in out + err
    for back, ink in (((0, 0, 0), (255, 255, 255)), ((255, 255, 255), (0, 0, 0))):
        assert read_drawing(out, back=back, ink=ink, inverted=False) == [TEXT]
    assert "2030-06-01 12:00 to 2030-07-01 12:00 (Asia/Shanghai)" in out
    assert "print it, or send it" in err and "terminalctl pin set" in err


def test_without_its_own_colours_the_drawing_would_not_be_read_on_both(
    twin: Twin, capsys: Captured
) -> None:
    assert runs(twin, "pass", "show", NUMBER) == 0
    bare = pass_files.without_colours(capsys.readouterr().out)
    dark = read_drawing(bare, back=(0, 0, 0), ink=(255, 255, 255), inverted=False)
    light = read_drawing(bare, back=(255, 255, 255), ink=(0, 0, 0), inverted=False)
    assert [TEXT] in (dark, light) and dark != light


def test_a_window_that_is_too_narrow_is_said(
    twin: Twin, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert runs(twin, "pass", "show", NUMBER) == 0
    assert "This window has 40 columns and the code takes" in capsys.readouterr().err
    monkeypatch.setenv("COLUMNS", "200")
    assert runs(twin, "pass", "show", NUMBER) == 0
    assert "This window" not in capsys.readouterr().err


def test_a_pass_that_rotates_is_shown_without_a_code_and_says_why(
    twin: Twin, capsys: Captured
) -> None:
    twin.script = _rotating
    assert runs(twin, "pass", "show", NUMBER) == 0
    out, err = capsys.readouterr()
    assert "█" not in out and "changes every 30 seconds" in err
    assert SECRET not in out + err


def _rotating(request: Any) -> Any:
    rotating = issued(rotates=True, kind="resident", secret=SECRET)
    return rotating if isinstance(request, PassShow | PassIssue) else answer(request)


# Written


def test_files_are_for_this_account_alone_and_can_be_read(
    twin: Twin, capsys: Captured, tmp_path: Path
) -> None:
    paths = {form: tmp_path / f"pass.{form}" for form in ("png", "svg", "pdf")}
    words = [word for form, path in paths.items() for word in (f"--{form}", str(path))]
    assert runs(twin, "pass", "show", NUMBER, *words) == 0
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in paths.values())
    assert read_png(paths["png"]) == [TEXT]
    assert b"<svg" in paths["svg"].read_bytes()
    assert paths["pdf"].read_bytes().startswith(b"%PDF")
    out, err = capsys.readouterr()
    assert "█" not in out and out.count("Written:") == 1 and TEXT not in out + err
    assert {path.name for path in tmp_path.iterdir()} == {
        "control.sock",
        *(path.name for path in paths.values()),
    }


@pytest.mark.parametrize("make", ["file", "link", "dangling", "folder"])
def test_nothing_that_stands_there_is_written_over_and_no_pass_is_issued(
    twin: Twin, capsys: Captured, tmp_path: Path, make: str
) -> None:
    path, other = tmp_path / "pass.png", tmp_path / "other"
    other.write_text("mine")
    if make == "file":
        path.write_text("mine")
    elif make == "folder":
        path.mkdir()
    else:
        path.symlink_to(other if make == "link" else tmp_path / "gone")
    assert runs(twin, "pass", "issue", "Ada", "--kind", "static", "--png", str(path)) == 1
    assert twin.requests == []
    assert capsys.readouterr().err.count("\n") == 1
    assert other.read_text() == "mine"


def test_force_replaces_a_link_and_not_what_it_points_to(twin: Twin, tmp_path: Path) -> None:
    path, other = tmp_path / "pass.png", tmp_path / "other"
    other.write_text("mine")
    path.symlink_to(other)
    assert runs(twin, "pass", "show", NUMBER, "--png", str(path), "--force") == 0
    assert other.read_text() == "mine"
    assert not path.is_symlink() and read_png(path) == [TEXT]


@pytest.mark.parametrize("where", ["none/pass.png", "control.sock/pass.png"])
def test_a_place_that_is_no_folder_is_one_sentence_before_anything_is_issued(
    twin: Twin, capsys: Captured, tmp_path: Path, where: str
) -> None:
    path = tmp_path / where
    assert runs(twin, "pass", "issue", "Ada", "--kind", "static", "--png", str(path)) == 1
    assert twin.requests == []
    assert "There is no folder for" in capsys.readouterr().err


def test_two_files_of_one_name_are_not_written(twin: Twin, tmp_path: Path) -> None:
    path = str(tmp_path / "pass")
    assert runs(twin, "pass", "show", NUMBER, "--png", path, "--svg", path) == 1
    assert twin.requests == []


def test_where_writing_fails_after_all_the_pass_that_was_issued_is_named(
    twin: Twin, capsys: Captured, tmp_path: Path
) -> None:
    folder = tmp_path / "later"
    folder.mkdir()

    def script(request: Any) -> Any:
        if isinstance(request, PassIssue):
            folder.rmdir()
        return answer(request)

    twin.script = script
    path = str(folder / "pass.png")
    assert runs(twin, "pass", "issue", "Ada", "--kind", "static", "--png", path) == 1
    out, err = capsys.readouterr()
    assert out == "" and f"The pass {NUMBER} was issued" in err


def test_a_pass_that_does_not_rotate_has_no_page(
    twin: Twin, capsys: Captured, tmp_path: Path
) -> None:
    path = tmp_path / "pass.html"
    assert runs(twin, "pass", "show", NUMBER, "--page", str(path)) == 1
    assert "Only a resident's pass has a page" in capsys.readouterr().err and not path.exists()


def test_a_page_of_a_text_that_is_none_is_not_written(
    twin: Twin, capsys: Captured, tmp_path: Path
) -> None:
    short = issued(rotates=True, kind="resident", secret=SECRET, text=TEXT[:-1])
    twin.script = lambda request: done(**RULES) if request == Groups() else short
    path = tmp_path / "pass.html"
    assert runs(twin, "pass", "show", NUMBER, "--page", str(path)) == 1
    assert capsys.readouterr().err.endswith("are of two versions.\n") and not path.exists()


def test_pictures_of_a_pass_that_rotates_are_refused(
    twin: Twin, capsys: Captured, tmp_path: Path
) -> None:
    twin.script = _rotating
    path = tmp_path / "pass.png"
    assert runs(twin, "pass", "show", NUMBER, "--png", str(path)) == 1
    assert "changes every 30 seconds" in capsys.readouterr().err and not path.exists()


# As JSON


def test_json_has_the_pass_and_no_secret(twin: Twin, capsys: Captured, tmp_path: Path) -> None:
    page = tmp_path / "pass.html"
    words = ("--kind", "resident", "--page", str(page), "--json")
    assert runs(twin, "pass", "issue", "Ada", *words) == 0
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert data["number"] == NUMBER and data["files"] == [str(page)]
    assert "secret" not in data and SECRET not in out + err


# The others


def test_passes_are_listed_in_the_sites_time(twin: Twin, capsys: Captured) -> None:
    assert runs(twin, "pass", "list", "Ada") == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["Number", "Whose", "Kind", "From", "Until", "Used", "Notes"]
    assert row.startswith(f"{NUMBER}  Vera Visitor  visitor  2030-06-01 12:00")
    assert row.endswith("1 of 5  visits Ada Example")
    assert twin.requests[-1] == Passes("Ada")
    assert runs(twin, "pass", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [PASS_LINE]
    assert twin.requests[-1] == Passes(None)


def test_a_name_in_the_list_moves_no_cursor(twin: Twin, capsys: Captured) -> None:
    line = {**PASS_LINE, "person": "a\x1b[2J\r\n", "host": "\u202eb", "is_revoked": True}
    twin.script = lambda request: done(passes=[line]) if request == Passes() else done(**RULES)
    assert runs(twin, "pass", "list") == 0
    out = capsys.readouterr().out
    assert out.replace("\n", "").isprintable() and out.count("\n") == 2
    assert "revoked" in out


@pytest.mark.parametrize(
    ("words", "request_", "said"),
    [
        (("revoke", NUMBER.upper()), PassRevoke(NUMBER), f"The pass {NUMBER} opens nothing"),
        (("new-key",), PassKeyChange(30), "Every pass of today opens for 30 more days at most."),
        (("new-key", "--overlap-days", "0"), PassKeyChange(0), "EVERY pass of today ends now."),
    ],
)
def test_what_can_not_be_undone_needs_a_yes(
    twin: Twin, capsys: Captured, words: tuple[str, ...], request_: object, said: str
) -> None:
    assert runs(twin, "pass", *words) == 1
    assert twin.requests == []
    assert runs(twin, "pass", *words, "--yes") == 0
    assert twin.requests == [request_]
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("number", ["", "1", NUMBER + "0", "FT1:ABC", "x" * 16])
@pytest.mark.parametrize("verb", ["show", "revoke"])
def test_what_is_no_number_of_a_pass_is_misuse_and_not_repeated(
    twin: Twin, capsys: Captured, verb: str, number: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        runs(twin, "pass", verb, number)
    assert ended.value.code == 2
    assert twin.requests == []
    assert "FT1:ABC" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "broken",
    [
        {"text": "FT2:ABC"},
        {"text": "FT1:"},
        {"text": "FT1:abc"},
        {"text": "FT1:" + "A" * 253},
        {"text": "FT1:A\n"},
        {"secret": "5e"},
        {"number": "FT1"},
        {"kind": "master"},
        {"rotates": True, "secret": None},
        {"valid_until": "2030-07-01T04:00:00"},
    ],
)
def test_a_pass_that_is_none_is_not_drawn(
    twin: Twin, capsys: Captured, broken: dict[str, Any]
) -> None:
    twin.script = lambda request: done(**RULES) if request == Groups() else issued(**broken)
    assert runs(twin, "pass", "show", NUMBER) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.endswith("are of two versions.\n")


def test_what_the_door_refuses_is_its_sentence(twin: Twin, capsys: Captured) -> None:
    def script(request: Any) -> Any:
        return done(**RULES) if request == Groups() else refused("There is no such pass.")

    twin.script = script
    assert runs(twin, "pass", "show", NUMBER) == 1
    assert capsys.readouterr() == ("", "There is no such pass.\n")
