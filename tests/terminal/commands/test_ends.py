"""Whatever is typed, answered or shown to: one sentence, a status, and no traceback."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from terminal import cli
from tests.terminal.commands.given import NUMBER, StandingClock, answer, done, runs
from tests.terminal.commands.twin import Twin

Captured = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[3]

EVERY_COMMAND: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("parity",),
    ("selftest",),
    ("version",),
    ("events",),
    ("events", "--follow"),
    ("door",),
    ("door", "show"),
    ("door", "release", "--why", "x"),
    ("door", "lockdown", "--why", "x"),
    ("door", "lift", "--why", "x"),
    ("door", "acknowledge"),
    ("door", "free", "Office"),
    ("door", "free", "--off"),
    ("door", "reset-passback", "Ada"),
    ("door", "hold", "--seconds", "5", "--why", "x"),
    ("door", "secure"),
    ("enrol", "Ada"),
    ("erase", "Ada", "--yes"),
    ("person", "list"),
    ("person", "group", "Ada", "Staff"),
    ("person", "panel-number", "Ada", "1"),
    ("card", "list", "Ada"),
    ("card", "add", "Ada"),
    ("card", "revoke", "Ada", "0a1b2c3d", "--yes"),
    ("pin", "clear", "Ada", "--yes"),
    ("pass", "issue", "Ada", "--kind", "static"),
    ("pass", "show", NUMBER),
    ("pass", "list"),
    ("pass", "revoke", NUMBER, "--yes"),
    ("pass", "new-key", "--yes"),
    ("group", "list"),
    ("group", "put", "Staff"),
    ("group", "remove", "Staff", "--yes"),
    ("schedule", "list"),
    ("schedule", "put", "Office", "mon 08:00-12:00"),
    ("schedule", "remove", "Office", "--yes"),
    ("holiday", "list"),
    ("holiday", "add", "2030-10-01"),
    ("holiday", "remove", "2030-10-01"),
    ("export", "--json"),
)
TWO_VERSIONS = "The terminal's answer is not understood; it and this command are of two versions.\n"
ONLY_DONE = (
    *(("door", verb) for verb in ("release", "lockdown", "lift", "acknowledge", "free")),
    *(("door", verb) for verb in ("reset-passback", "hold", "secure")),
    *(("pass", "revoke"), ("pass", "new-key"), ("holiday", "add"), ("holiday", "remove")),
    *(("group", "remove"), ("schedule", "remove")),
)
"""Of these the last line says that it is done, and nothing else of it is read."""


@pytest.mark.parametrize("words", EVERY_COMMAND, ids=" ".join)
@pytest.mark.parametrize(
    "raw",
    [
        b"\n",
        b"null\n",
        b"[]\n",
        b'"ok"\n',
        b"{\n",
        b'{"ok": true',
        b"\xff\xfe\n",
        b'{"news": "\xff"}\n',
        b"[" * 5000 + b"\n",
        b'{"ok": "yes"}\n',
        b'{"ok": false}\n',
        b'{"ok": false, "error": ["\\u001b[2J"]}\n',
    ],
    ids=lambda raw: repr(raw[:20]),
)
def test_an_answer_that_is_none_is_one_sentence(
    twin: Twin, capsys: Captured, words: tuple[str, ...], raw: bytes
) -> None:
    twin.script = lambda request: raw
    assert runs(twin, *words) == 1
    out, err = capsys.readouterr()
    assert err.count("\n") == 1 and err[:-1].isprintable()
    assert out == ""


READ = [words for words in EVERY_COMMAND if words[:2] not in ONLY_DONE and words[0] != "events"]
FIELDS = (
    *("status", "selftest", "version", "enrolment", "person", "people", "door", "parity"),
    *("cards", "passes", "pass", "key_id", "groups", "schedules", "holidays", "time_zone"),
)


@pytest.mark.parametrize("words", READ, ids=" ".join)
@pytest.mark.parametrize("body", [None, 7.5, [{"line": "\ud800"}], [[None]]], ids=repr)
def test_an_answer_of_another_version_is_one_sentence(
    twin: Twin, capsys: Captured, words: tuple[str, ...], body: Any
) -> None:
    """Every field that any answer has, as something else."""
    twin.script = lambda request: done(**dict.fromkeys(FIELDS, body))
    assert runs(twin, *words) == 1
    assert capsys.readouterr() == ("", TWO_VERSIONS)


@pytest.mark.parametrize("words", EVERY_COMMAND, ids=" ".join)
def test_an_answer_without_a_field_is_one_sentence_where_it_is_read(
    twin: Twin, capsys: Captured, words: tuple[str, ...]
) -> None:
    twin.script = lambda request: done()
    is_read = words in READ
    assert runs(twin, *words) == (1 if is_read else 0)
    assert capsys.readouterr().err == (TWO_VERSIONS if is_read else "")


@pytest.mark.parametrize("words", EVERY_COMMAND, ids=" ".join)
def test_a_door_that_ends_before_its_answer_is_one_sentence(
    twin: Twin, capsys: Captured, words: tuple[str, ...]
) -> None:
    twin.script = lambda request: b""
    status = runs(twin, *words)
    out, err = capsys.readouterr()
    if words == ("version",):
        assert status == 0 and "no" in out
        return
    assert (status, out) == (1, "")
    assert err == "The terminal ended before it answered; look at its log.\n"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "a\0b"])
def test_a_time_zone_that_is_none_is_one_sentence(twin: Twin, capsys: Captured, zone: str) -> None:
    twin.script = lambda request: {**answer(request), "time_zone": zone}
    assert runs(twin, "pass", "list") == 1
    assert capsys.readouterr().err == TWO_VERSIONS


@pytest.mark.parametrize("words", EVERY_COMMAND, ids=" ".join)
def test_where_no_terminal_runs_every_command_says_so(
    tmp_path: Path, capsys: Captured, words: tuple[str, ...]
) -> None:
    path = tmp_path / "none.sock"
    status = cli.main([*words, "--socket", str(path)], StandingClock())
    out, err = capsys.readouterr()
    if words == ("version",):
        assert status == 0
        return
    assert status == 1
    assert (out, err) == ("", f"No terminal answers at {path}; start it first.\n")


def test_options_may_stand_before_the_verb_as_well(twin: Twin, capsys: Captured) -> None:
    assert cli.main(["door", "--socket", str(twin.socket), "--json", "show"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "secured"


@pytest.mark.parametrize("words", [("erase", "\udcff"), ("door", "release", "--why", "\ud800")])
def test_bytes_that_are_no_text_are_misuse(capsys: Captured, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith("an argument is no text in UTF-8\n")


# The screen


MAIN = "import sys; from terminal import cli; sys.exit(cli.main())"


def process(twin: Twin, *words: str) -> list[str]:
    """The words of a process of its own."""
    return [sys.executable, "-c", MAIN, *words, "--socket", str(twin.socket)]


def test_a_pipe_that_ends_early_ends_quietly(twin: Twin) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        ended = subprocess.run(
            process(twin, "door"),
            stdout=output,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_a_full_disk_under_the_output_is_one_sentence(twin: Twin) -> None:
    with Path("/dev/full").open("wb") as output:
        ended = subprocess.run(
            process(twin, "door"),
            stdout=output,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr == b"The answer can't be written: No space left on device.\n"


@pytest.mark.parametrize("words", [("door",), ("door", "reset-passback"), ("pin", "set", "Ada")])
def test_without_any_of_the_three_streams_nothing_is_thrown(
    twin: Twin, words: tuple[str, ...]
) -> None:
    without = 'exec "$@" <&- >&- 2>&-'
    ended = subprocess.run(
        ["sh", "-c", without, "sh", *process(twin, *words)], cwd=ROOT, check=False
    )
    assert ended.returncode == (0 if words == ("door",) else 1)


def test_a_screen_that_can_not_show_a_name_is_one_sentence(twin: Twin) -> None:
    ended = subprocess.run(
        process(twin, "holiday", "list"),
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(b"This screen can't show the answer")
    assert ended.stderr.count(b"\n") == 1


# The grammar

WORDS = sorted({word for words in EVERY_COMMAND for word in words} | {"import", "set"})
FLAGS = (
    *("--json", "--yes", "--off", "--none", "--write", "--force", "--marked", "--chinese"),
    *("--first-person", "--why", "--seconds", "--last", "--state", "--kind", "--visitor"),
    *("--from", "--until", "--days", "--hours", "--uses", "--png", "--svg", "--pdf", "--page"),
    *("--overlap-days", "--rule", "--schedule", "--always", "--passback", "--passback-minutes"),
    *("--passes-lockdown", "--holidays", "--table", "--to", "--encoding", "--everything"),
    *("--again", "--no-face", "--no-card", "--help", "--", "-", "-x", "--version"),
)
VALUES = st.sampled_from(
    [
        *("", "Ada", "0", "-1", "1e999", "nan", "9" * 400, "2030-06-02", "static", "any", "timed"),
        *("\x1b[2J", "\u202e", "\ud800", "a\0b", "x" * 5000, "/dev/null", ".", "people", "'; --"),
        *("$(reboot)", "%s%n", "{0}", "@file", "国庆节", "mon-fri 08:00-18:00", NUMBER),
    ]
) | st.text(max_size=12)
ARGUMENTS = st.lists(st.sampled_from(WORDS) | st.sampled_from(FLAGS) | VALUES, max_size=9)
COMMANDS = st.tuples(
    st.sampled_from(EVERY_COMMAND), st.lists(st.sampled_from(FLAGS) | VALUES, max_size=5)
).map(lambda parts: [*parts[0], *parts[1]])


@pytest.fixture(scope="module")
def anywhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    """A door that agrees to everything, in a folder of its own that may be written into."""
    folder = tmp_path_factory.mktemp("grammar")
    before = Path.cwd()
    os.chdir(folder)
    made = Twin(folder, answer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERMINAL_SOCKET", str(made.socket))
        patch.setattr(sys, "stdin", io.StringIO())
        yield made
    made.close()
    os.chdir(before)


def ended(words: list[str]) -> tuple[int, str]:
    """The status, and everything that was printed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = cli.main(words, StandingClock())
        except SystemExit as exit_:
            status = int(exit_.code or 0)
    return status, out.getvalue() + err.getvalue()


@pytest.mark.requirement("A28")
@settings(max_examples=400)
@given(ARGUMENTS | COMMANDS)
@example(["\ud800"])
@example(["import", "a\0b"])
@example(["pass", "issue", "Ada", "--kind", "static", "--from", "9" * 400])
@example(["door", "--socket", "a\0b"])
@example(["person", "group", "Ada", "--json", "Staff"])
@example(["events", "--state", "a\0b", "--socket", "none"])
def test_any_list_of_arguments_ends_with_0_1_or_2(anywhere: Twin, words: list[str]) -> None:
    status, said = ended(words)
    assert status in (0, 1, 2)
    assert "Traceback" not in said
