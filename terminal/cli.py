"""`terminalctl`: what an operator does over SSH. Nouns then verbs; data on stdout, words on stderr.

It asks the door's control socket and shows the answer; it opens no database but the log, read-only,
when no terminal runs. Exit status: 0 done, 1 refused or not running, 2 misused.

What changes with this file: `requests`, `docs/maintenance.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from terminal import __version__, show
from terminal.audit import Audit
from terminal.desk import entry_line
from terminal.errors import NotDone, TerminalError
from terminal.operator_link import Conversation, NotRunning, ask, find_socket
from terminal.requests import (
    AnyRequest,
    Enrol,
    Erase,
    Events,
    Hold,
    HoldEnd,
    Line,
    People,
    SelfTest,
    Status,
    Version,
)

DONE, REFUSED = 0, 1

STATE_FOLDERS = ("/var/lib/terminal", "build/run/state")
"""Where a terminal at rest has left its log: on a device, at a desk."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except TerminalError as error:
        _say(show.seen(str(error)))
        return REFUSED
    except KeyboardInterrupt:
        _say("Ended.")
        return REFUSED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    return status


# Commands


def _status(options: argparse.Namespace) -> int:
    return _ask_and_show(options, Status(), show.status, "status")


def _people(options: argparse.Namespace) -> int:
    return _ask_and_show(options, People(), show.people, "people")


def _selftest(options: argparse.Namespace) -> int:
    answer = ask(find_socket(options.socket), SelfTest())
    _print(options, answer["selftest"], show.selftest(answer))
    return DONE if answer["selftest"]["passed"] else REFUSED


def _version(options: argparse.Namespace) -> int:
    try:
        answer = ask(find_socket(options.socket), Version())
    except NotRunning:
        answer = {"version": {"terminal": __version__, "running": "no"}}
    _print(options, answer["version"], show.version(answer))
    return DONE


def _enrol(options: argparse.Namespace) -> int:
    name = options.name or _asked_for("Name:")
    request = Enrol(name, options.card, options.face, options.again)
    with Conversation(find_socket(options.socket), request) as conversation:
        for line in conversation.news():
            _show_progress(options, line)
        answer = conversation.result
    _print(options, answer["enrolment"], show.enrolment(answer))
    return REFUSED if answer["enrolment"]["stage"] == "failed" else DONE


def _asked_for(question: str) -> str:
    """An answer typed at the keyboard: unlike an argument it shows in no list of processes."""
    _say(question)
    answer = sys.stdin.readline().strip()
    if not answer:
        raise NotDone("Nothing was typed, so nothing was done.")
    return answer


def _show_progress(options: argparse.Namespace, line: Line) -> None:
    if options.json:
        print(json.dumps(line), flush=True)
    elif line["news"] == "notice":
        _say("Read this to the person, or let the person read it:\n\n" + line["text"])
    else:
        _say(show.progress(line))


def _erase(options: argparse.Namespace) -> int:
    if not (options.yes or _agreed(options)):
        _say("Nothing was erased.")
        return REFUSED
    answer = ask(find_socket(options.socket), Erase(options.who, options.everything))
    what = "Everything about" if options.everything else "The face data of"
    _print(options, answer, f"{what} {answer['person']} was erased.")
    return DONE


def _agreed(options: argparse.Namespace) -> bool:
    what = "everything about" if options.everything else "the face data of"
    if not sys.stdin.isatty():
        _say("This can't be undone; say --yes.")
        return False
    _say(f"Erase {what} {options.who!r}? This can't be undone. Type yes:")
    return sys.stdin.readline().strip() == "yes"


def _events(options: argparse.Namespace) -> int:
    try:
        with Conversation(find_socket(options.socket), _events_wanted(options)) as conversation:
            news = conversation.news()
            for line in news if options.follow else list(news):  # a pager may be slow, the door not
                _show_record(options, line)
    except NotRunning as error:
        return _events_at_rest(options, error)
    return DONE


def _events_wanted(options: argparse.Namespace) -> Events:
    return Events(options.last, options.follow)


def _events_at_rest(options: argparse.Namespace, why: NotRunning) -> int:
    """The log of a terminal that does not run, from its file."""
    folder = _state_folder(options)
    if options.follow or folder is None:
        raise why
    _say(f"No terminal runs; this is the log that it left in {folder}.")
    audit = Audit.read(folder)
    for entry in audit.tail(options.last):
        _show_record(options, entry_line(entry))
    audit.close()
    return DONE


def _state_folder(options: argparse.Namespace) -> Path | None:
    """Where a log lies: in the folder that is named, else in the first of the usual ones."""
    usual = (os.environ.get("TERMINAL_STATE"), *STATE_FOLDERS)
    places = (options.state,) if options.state else usual
    return next((Path(place) for place in places if place and _holds_log(Path(place))), None)


def _holds_log(folder: Path) -> bool:
    """Raises NotDone where this account may not look."""
    try:
        return (folder / "audit.db").exists()
    except PermissionError as error:
        raise NotDone(
            f"No terminal runs, and the log in {folder} is not for this account; use sudo."
        ) from error


def _show_record(options: argparse.Namespace, line: Line) -> None:
    print(json.dumps(line) if options.json else show.record(line), flush=True)


def _hold(options: argparse.Namespace) -> int:
    answer = ask(find_socket(options.socket), Hold(options.seconds, options.why))
    _print(options, answer, f"The door is held released for {options.seconds:.0f} s.")
    return DONE


def _hold_end(options: argparse.Namespace) -> int:
    answer = ask(find_socket(options.socket), HoldEnd())
    _print(options, answer, "The door is no longer held released.")
    return DONE


def _ask_and_show(
    options: argparse.Namespace, request: AnyRequest, text: Callable[[Line], str], key: str
) -> int:
    answer = ask(find_socket(options.socket), request)
    _print(options, answer[key], text(answer))
    return DONE


def _print(options: argparse.Namespace, data: object, text: str) -> None:
    print(json.dumps(data) if options.json else text)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


# Grammar


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="terminalctl",
        description="Look after a Face-Optional Terminal.",
        epilog="Exit status: 0 done, 1 refused, 2 misused. Every command takes --json.",
    )
    parser.add_argument("--version", action="version", version=f"terminalctl {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add(commands, "status", _status, "how everything stands, on one screen")
    _add_enrol(commands)
    _add_erase(commands)
    _add_person(commands)
    _add_events(commands)
    _add_door(commands)
    _add(commands, "selftest", _selftest, "try every part without letting anyone in")
    _add(commands, "version", _version, "which program and models run")
    return parser


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    words: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=words, description=words.capitalize() + ".")
    command.add_argument("--json", action="store_true", help="as JSON, for programs")
    command.add_argument("--socket", metavar="PATH", help="the terminal's control socket")
    command.set_defaults(run=run)
    return command


def _add_enrol(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    enrol = _add(commands, "enrol", _enrol, "register a person: a card, and a face by consent")
    enrol.add_argument("name", nargs="?", help="as the person wants to be called; else asked for")
    enrol.add_argument("--no-card", dest="card", action="store_false", help="a face only")
    enrol.add_argument("--no-face", dest="face", action="store_false", help="a card only")
    enrol.add_argument("--again", action="store_true", help="somebody who is registered")


def _add_erase(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    erase = _add(commands, "erase", _erase, "erase somebody's face data, or everything")
    erase.add_argument("who", help="name or identifier")
    erase.add_argument("--everything", action="store_true", help="name and cards as well")
    erase.add_argument("--yes", action="store_true", help="do not ask again")


def _add_person(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    person = commands.add_parser("person", help="who is registered")
    verbs = person.add_subparsers(metavar="VERB", required=True)
    _add(verbs, "list", _people, "everyone registered")


def _add_events(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    events = _add(commands, "events", _events, "the log, newest records last")
    events.add_argument("--follow", action="store_true", help="go on as new ones are written")
    events.add_argument("--last", type=_count, default=50, metavar="N", help="how many (50)")
    events.add_argument("--state", metavar="FOLDER", help="read a terminal's log that is at rest")


def _add_door(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    door = commands.add_parser("door", help="hold the door released, and end that")
    verbs = door.add_subparsers(metavar="VERB", required=True)
    hold = _add(verbs, "hold", _hold, "keep the door released for a while")
    hold.add_argument("--seconds", type=_seconds, required=True, help="1 to 86400")
    hold.add_argument("--why", required=True, help="the reason, for the log")
    _add(verbs, "secure", _hold_end, "end a held release")


def _count(text: str) -> int:
    return int(_bounded(text, 0, 10_000))


def _seconds(text: str) -> float:
    return _bounded(text, 1, 86_400)


def _bounded(text: str, least: float, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{text} is not within {least:g} to {most:g}")
    return number
