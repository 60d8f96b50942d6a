"""`terminalctl`: what an operator does over SSH. Nouns then verbs; data on stdout, words on stderr.

Here the grammar is put together and the ends of a command are sorted: exit status 0 done, 1 refused
or not running, 2 misused. The commands are in `terminal.commands`; they ask the door's control
socket and show the answer. Whatever is typed, whatever the door answers and whatever becomes of the
screen, there is one clear sentence and no traceback (A28).

What changes with this file: `requests`, `docs/maintenance.md`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from terminal import __version__, show
from terminal.clock import Clock, SystemClock
from terminal.commands import credentials, door, files, log, passes, people, rules, state
from terminal.commands.common import REFUSED, say
from terminal.errors import TerminalError

STATE_FOLDERS = ("/var/lib/terminal", "build/run/state")
"""Where a terminal at rest has left its log: on a device, at a desk."""

ADDERS = (
    *(state.add, door.add, people.add, credentials.add, passes.add),
    *(rules.add, files.add, log.add),
)


def main(arguments: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    """Run one command; the exit status."""
    given = argparse.Namespace(
        json=False, socket=None, clock=clock or SystemClock(), state_folders=STATE_FOLDERS
    )
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    _check_is_text(words, parser)
    return _run(parser.parse_args(words, given))


def _run(options: argparse.Namespace) -> int:
    try:
        status: int = options.run(options)
        _flush()
    except TerminalError as error:
        say(show.seen(str(error)))
    except KeyboardInterrupt:
        say("Ended.")
    except BrokenPipeError:
        _give_up_output()
    except UnicodeError:
        say("This screen can't show the answer, or something typed is no text; try --json.")
    except OSError as error:
        say(f"The answer can't be written: {show.seen(error.strerror or str(error))}.")
        _give_up_output()
    else:
        return status
    return REFUSED


def _check_is_text(words: Sequence[str], parser: argparse.ArgumentParser) -> None:
    """Bytes that are no UTF-8 stand in arguments as half characters that nothing can send on."""
    try:
        "".join(words).encode()
    except UnicodeEncodeError:
        parser.error("an argument is no text in UTF-8")


def _flush() -> None:
    """What is not written yet is written here, where its failure can still be told."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _give_up_output() -> None:
    """So that the interpreter does not try once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="terminalctl",
        description="Look after a Face-Optional Terminal.",
        epilog="Exit status: 0 done, 1 refused, 2 misused. Every command takes --json.",
    )
    parser.add_argument("--version", action="version", version=f"terminalctl {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in ADDERS:
        add(commands)
    return parser
