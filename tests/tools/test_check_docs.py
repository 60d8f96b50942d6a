"""The look at the docs finds each kind of untruth, and leaves true sentences alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools import check_docs

CLI = """
def main():
    nouns = parser.add_subparsers()
    nouns.add_parser("status")
"""
NOUNS = """
def add(commands):
    verbs = add_noun(commands, "card", "the cards of a person")
    add_command(commands, "parity", _parity, "side by side")
"""


@pytest.fixture
def repository(tmp_path: Path) -> check_docs.Repository:
    (tmp_path / "Makefile").write_text("run: ## Play\n\t@true\n", encoding="utf-8")
    (tmp_path / "terminal").mkdir()
    (tmp_path / "terminal" / "cli.py").write_text(CLI, encoding="utf-8")
    (tmp_path / "terminal" / "commands").mkdir()
    (tmp_path / "terminal" / "commands" / "door.py").write_text(NOUNS, encoding="utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# One thing\n", encoding="utf-8")
    return check_docs.read_repository(tmp_path)


def found(text: str, repository: check_docs.Repository) -> list[str]:
    path = repository.root / "README.md"
    path.write_text(text, encoding="utf-8")
    return [str(finding) for finding in check_docs.findings_in(repository.root, [path])]


@pytest.mark.parametrize(
    "text",
    [
        "See [b](docs/b.md).",
        "See [a](docs/a.md#another-thing).",
        "Read `docs/b.md`.",
        "Read `terminal/*.toml`.",
        "```\ncat terminal/gone.py\n```",
        "Say `make walk`.",
        "```sh\ncd x && make walk\n```",
        "Say `make ONCE=1 walk`.",
        "Say `terminalctl open`.",
        "Say `terminalctl --json open`.",
        "```\n.venv/bin/terminalctl open --now\n```",
        "Say `python -m terminal.gone`.",
        "The user enters.",
        "It is Spoof-proof.",
        "A whitelist of\nmodels.",
        "Look into /" + "root/x.",
        "Look into `/" + "work`.",
        "Look into /" + "home/anna/x.",
        "From pypi" + ".org.",
    ],
)
def test_what_is_not_so_is_found(text: str, repository: check_docs.Repository) -> None:
    assert len(found(text, repository)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "See [a](docs/a.md), [its heading](docs/a.md#one-thing), [web](https://example.org/x).",
        "Read `docs/a.md` and `terminal/*.py`; `models/face.tflite` is built.",
        "Say `make run`, `make ONCE=1 run` or `make`; it will make do.",
        "Say `terminalctl status --json`; `terminalctl` alone explains.",
        "Say `python -m terminal.cli`.",
        "In code, `User=door` may stand; a superuser is another word.",
        "```\nUser=door\n```",
        "Put it into /home/$NAME, /var/lib/terminal or /work-bench.",
    ],
)
def test_what_is_so_is_left_alone(text: str, repository: check_docs.Repository) -> None:
    assert found(text, repository) == []


def found_in_python(source: str, repository: check_docs.Repository) -> list[str]:
    path = repository.root / "terminal" / "x.py"
    path.write_text(source, encoding="utf-8")
    return [str(finding) for finding in check_docs.findings_in(repository.root, [path])]


@pytest.mark.parametrize(
    "docstring",
    [
        "See docs/b.md.",
        "See `docs/b.md`.",
        "Written by hw/gone.py.",
        "Written by `hw/gone/*.py`.",
        "Signed in terminal.gone.",
        "Signed in `terminal.cli.gone`.",
        "Said by `make walk`.",
        "Said by `terminalctl open`.",
        "Said by `python -m terminal.gone`.",
    ],
)
def test_what_is_not_so_is_found_in_docstrings(
    docstring: str, repository: check_docs.Repository
) -> None:
    in_a_module = f'"""The first line.\n\n{docstring}\n"""\n'
    in_a_function = f'def _f():\n    """{docstring}"""\n'
    of_a_value = f'X = 1\n"""{docstring}"""\n'
    (finding,) = found_in_python(in_a_module, repository)
    assert finding.startswith("terminal/x.py:3: ")
    assert len(found_in_python(in_a_function, repository)) == 1
    assert len(found_in_python(of_a_value, repository)) == 1


@pytest.mark.parametrize(
    "docstring",
    [
        "See docs/a.md, `terminal/*.py` and terminal/cli.py.",
        "See terminal.cli, `terminal.cli.main`, terminal.x and `models/face.tflite`.",
        "Read from /etc/terminal/terminal.toml, or terminal.toml; terminal.service reads it.",
        "At the end of terminal. Models are another thing; so is x.terminal.gone.",
        "Say `make run`, `terminalctl status` or `python -m terminal.cli`.",
        "Say `terminalctl card list WHO` or `terminalctl --json parity`.",
    ],
)
def test_what_is_so_is_left_alone_in_docstrings(
    docstring: str, repository: check_docs.Repository
) -> None:
    assert found_in_python(f'"""{docstring}"""\n', repository) == []


def test_strings_that_are_data_are_not_docstrings(repository: check_docs.Repository) -> None:
    assert found_in_python('X = "docs/b.md"\nY = f("`make walk`")\n', repository) == []


def test_a_finding_names_its_line(repository: check_docs.Repository) -> None:
    (finding,) = found("\n\n```\na\n```\n\nSay `make walk`.\n", repository)
    assert finding.startswith("README.md:7: ")


def test_a_wrong_word_in_a_public_docstring_is_found() -> None:
    source = 'def f():\n    """Takes the user."""\n'
    assert list(check_docs.wrong_words_in_docstrings(source, "terminal/x.py"))


def test_code_and_private_docstrings_are_not_prose() -> None:
    source = '"""See `User=`."""\ndef _f():\n    """Takes the user."""\n'
    assert not list(check_docs.wrong_words_in_docstrings(source, "terminal/x.py"))


def test_a_path_of_this_machine_is_found_in_code_too(tmp_path: Path) -> None:
    text = f'PATH = "{"/"}work/main"\n'
    assert list(check_docs.traces_of_a_machine(text, "terminal/x.py"))


def test_without_git_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="git checkout"):
        check_docs.tracked_files(tmp_path)
