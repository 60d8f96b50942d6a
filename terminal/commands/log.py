"""`terminalctl events`: the log, of a terminal that runs or, read-only, of one at rest.

What changes with this file: docs/maintenance.md, `audit`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from terminal import show
from terminal.audit import Audit
from terminal.commands import arguments
from terminal.commands.common import DONE, Commands, Options, add_command, say, shown
from terminal.desk import entry_line
from terminal.errors import NotDone
from terminal.operator_link import Conversation, NotRunning, find_socket
from terminal.requests import Events, Line


def add(commands: Commands) -> None:
    """The command of the log."""
    events = add_command(commands, "events", _events, "the log, newest records last")
    events.add_argument("--follow", action="store_true", help="go on as new ones are written")
    events.add_argument(
        "--last", type=arguments.count, default=50, metavar="N", help="how many (50)"
    )
    events.add_argument("--state", metavar="FOLDER", help="read a terminal's log that is at rest")


def _events(options: Options) -> int:
    wanted = Events(options.last, options.follow)
    try:
        with Conversation(find_socket(options.socket), wanted) as conversation:
            news = conversation.news()
            for line in news if options.follow else list(news):  # a pager may be slow, the door not
                _show_record(options, line)
    except NotRunning as error:
        return _events_at_rest(options, error)
    return DONE


def _events_at_rest(options: Options, why: NotRunning) -> int:
    """The log of a terminal that does not run, from its file."""
    folder = _state_folder(options)
    if options.follow or folder is None:
        raise why
    say(f"No terminal runs; this is the log that it left in {folder}.")
    audit = Audit.read(folder)
    for entry in audit.tail(options.last):
        _show_record(options, entry_line(entry))
    audit.close()
    return DONE


def _state_folder(options: Options) -> Path | None:
    """Where a log lies: in the folder that is named, else in the first of the usual ones."""
    usual = (os.environ.get("TERMINAL_STATE"), *options.state_folders)
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


def _show_record(options: Options, line: Line) -> None:
    print(json.dumps(line) if options.json else shown(show.record, line), flush=True)
