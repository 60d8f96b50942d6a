"""`terminalctl status`, `selftest`, `version`, `parity`: how the terminal itself stands.

What changes with this file: docs/maintenance.md, `show`.
"""

from __future__ import annotations

from terminal import __version__, answers, show, show_access
from terminal.answers import ParityAnswer
from terminal.commands.common import (
    DONE,
    REFUSED,
    Commands,
    Options,
    add_command,
    ask_door,
    part,
    print_data,
    shown,
)
from terminal.operator_link import NotRunning
from terminal.requests import ParityAsked, SelfTest, Status, Version


def add(commands: Commands) -> None:
    """The commands about the terminal."""
    add_command(commands, "status", _status, "how everything stands, on one screen")
    add_command(
        commands, "parity", _parity, "whether the other ways in are as convenient as the face"
    )
    add_command(commands, "selftest", _selftest, "try every part without letting anyone in")
    add_command(commands, "version", _version, "which program and models run")


def _status(options: Options) -> int:
    answer = ask_door(options, Status())
    print_data(options, part(answer, "status"), shown(show.status, answer))
    return DONE


def _selftest(options: Options) -> int:
    answer = ask_door(options, SelfTest())
    print_data(options, part(answer, "selftest"), shown(show.selftest, answer))
    return DONE if answer["selftest"].get("passed") is True else REFUSED


def _version(options: Options) -> int:
    try:
        answer = ask_door(options, Version())
    except NotRunning:
        answer = {"version": {"terminal": __version__, "running": "no"}}
    print_data(options, part(answer, "version"), shown(show.version, answer))
    return DONE


def _parity(options: Options) -> int:
    """Refused when D12 is broken, so that a watch over many sites needs no words."""
    answer = ask_door(options, ParityAsked())
    report = answers.read(answer, ParityAnswer).parity
    print_data(options, answer["parity"], show_access.parity(report))
    return REFUSED if report.troubles else DONE
