"""What the commands of `terminalctl` share: the grammar's bricks, asking, agreeing, printing.

Data goes to stdout and words to stderr. What was typed by a person or comes from the door is shown
through `show.seen`; a secret (a PIN) is neither an argument nor shown. A command ends with DONE or
REFUSED; what is misused ends in the grammar, with 2.

What changes with this file: every command.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias, TypeVar

from terminal import answers, show
from terminal.answers import PersonAnswer, Rules
from terminal.errors import NotDone
from terminal.operator_link import MISUNDERSTOOD, NotUnderstood, ask, find_socket
from terminal.requests import AnyRequest, Groups, Line

DONE, REFUSED = 0, 1

T = TypeVar("T")
Options = argparse.Namespace
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
Run = Callable[[Options], int]

LONGEST_TYPED = 1024
"""Of a line that is typed or piped in, so many characters are read at most."""


# Grammar


def add_noun(commands: Commands, name: str, words: str) -> Commands:
    """A noun whose verbs follow."""
    noun = commands.add_parser(name, help=words, description=_said(words))
    return noun.add_subparsers(metavar="VERB", required=True)


def add_command(commands: Commands, name: str, run: Run, words: str) -> argparse.ArgumentParser:
    """A command, or a verb of a noun."""
    command = commands.add_parser(name, help=words, description=_said(words))
    runs(command, run)
    return command


def runs(command: argparse.ArgumentParser, run: Run) -> None:
    """Give a parser what every command takes. Its defaults are the caller's namespace's."""
    suppressed = argparse.SUPPRESS
    command.add_argument("--json", action="store_true", default=suppressed, help="for programs")
    command.add_argument(
        "--socket", metavar="PATH", default=suppressed, help="the terminal's control socket"
    )
    command.set_defaults(run=run)


def add_yes(command: argparse.ArgumentParser) -> None:
    """For what can't be undone."""
    command.add_argument("--yes", action="store_true", help="do not ask again")


def _said(words: str) -> str:
    return words[:1].upper() + words[1:] + "."


# Asking the door


def ask_door(options: Options, request: AnyRequest) -> Line:
    """The last line of the answer. Raises TerminalError."""
    return ask(find_socket(options.socket), request)


def rules_of(options: Options) -> Rules:
    """Groups, schedules, holidays and the time zone of the site. Raises TerminalError."""
    return answers.read(ask_door(options, Groups()), Rules)


def ask_and_show(
    options: Options, request: AnyRequest, kind: type[T], key: str, text: Callable[[T], str]
) -> int:
    """Ask, and show what stands under `key`: as it came for programs, else as `text` says."""
    line = ask_door(options, request)
    read = answers.read(line, kind)
    print_data(options, line[key], text(read))
    return DONE


def ask_and_say(options: Options, request: AnyRequest, sentence: str) -> int:
    """Ask for something to be done, and say that it is done.

    Nothing else of the answer is read: what is done is done, whatever a newer door adds to it.
    """
    print_data(options, ask_door(options, request), sentence)
    return DONE


def ask_about_person(options: Options, request: AnyRequest, sentence: str) -> int:
    """The same about a person; `{}` in the sentence is who it was."""
    line = ask_door(options, request)
    person = show.seen(answers.read(line, PersonAnswer).person)
    print_data(options, line, sentence.format(person))
    return DONE


def shown(text: Callable[[Line], str], line: Line) -> str:
    """What `text` makes of an answer that no schema has read. Raises NotUnderstood."""
    try:
        return text(line)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise NotUnderstood(MISUNDERSTOOD) from error


def part(line: Line, key: str) -> Line:
    """A part of an answer that no schema has read. Raises NotUnderstood."""
    found = line.get(key)
    if not isinstance(found, dict):
        raise NotUnderstood(MISUNDERSTOOD)
    return found


# Talking to the operator


def print_data(options: Options, data: object, text: str) -> None:
    """The answer, on stdout."""
    print(json.dumps(data) if options.json else text)


def say(sentence: str) -> None:
    """Words, on stderr; where nobody hears them, that changes nothing."""
    with suppress(OSError):
        print(sentence, file=sys.stderr, flush=True)


def typed(question: str) -> str:
    """A line typed at the keyboard: unlike an argument it shows in no list of processes.

    Raises NotDone where nothing was typed.
    """
    say(question)
    answer = line_in().strip()
    if not answer:
        raise NotDone("Nothing was typed, so nothing was done.")
    return answer


def line_in() -> str:
    """One line of stdin, bounded; empty where there is none. Raises NotDone for what is no text."""
    if sys.stdin is None:
        return ""
    try:
        return sys.stdin.readline(LONGEST_TYPED)
    except ValueError as error:  # closed, or no UTF-8
        raise NotDone("What was typed is no text.") from error


def is_at_keyboard() -> bool:
    """Whether a person can be asked."""
    try:
        return sys.stdin is not None and sys.stdin.isatty()
    except ValueError:  # closed
        return False


def agreed(options: Options, question: str) -> bool:
    """Whether the operator means it, for what can't be undone."""
    if options.yes:
        return True
    if not is_at_keyboard():
        say("This can't be undone; say --yes.")
        return False
    say(f"{show.seen(question)} This can't be undone. Type yes:")
    return line_in().strip() == "yes"


def not_agreed(sentence: str = "Nothing was changed.") -> int:
    """The end of a command that was not agreed to."""
    say(sentence)
    return REFUSED
