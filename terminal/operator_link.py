"""The operator's end of the control socket: asks, and hands on the lines of the answer.

Used by `terminalctl`, the story and tests. Where the terminal does not run, nothing is asked: the
caller is told so in one sentence.

What changes with this file: `control`, `requests`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from terminal.errors import NotDone, TerminalError
from terminal.requests import AnyRequest, Line
from terminal.sockets import connect

ON_A_DEVICE = Path("/run/terminal-control/control.sock")
ON_A_DESK = Path("build/run/control.sock")


ENDED = "The terminal ended before it answered; look at its log."


class NotRunning(TerminalError):  # noqa: N818 - says what is the case
    """There is no terminal to ask."""


def find_socket(wanted: str | None) -> Path:
    """The control socket: the one named, else of this device, else of the desk in this folder."""
    named = wanted or os.environ.get("TERMINAL_SOCKET")
    if named:
        return Path(named)
    return ON_A_DEVICE if ON_A_DEVICE.exists() else ON_A_DESK


class Conversation:
    """One request and the lines of its answer. A context manager; leaving it hangs up."""

    def __init__(self, path: Path, request: AnyRequest) -> None:
        """Ask. Raises NotRunning where nobody listens."""
        try:
            self._socket = connect(path, socket.SOCK_STREAM)
            with suppress(
                BrokenPipeError, ConnectionResetError
            ):  # refused unheard: `news` says why
                self._socket.sendall(msgspec.json.encode(request) + b"\n")
        except PermissionError as error:
            raise NotRunning(
                f"You may not ask the terminal at {path}; an operator's account is needed."
            ) from error
        except OSError as error:
            raise NotRunning(f"No terminal answers at {path}; start it first.") from error

    def news(self) -> Iterator[Line]:
        """Every line but the last; then `result` has it. Raises NotDone where it was refused."""
        with self._socket.makefile("rb") as lines:
            for raw in _received(lines):
                line: Any = msgspec.json.decode(raw)
                if "ok" in line:
                    self.result = _checked(line)
                    return
                yield line
        raise NotRunning(ENDED)

    def answer(self) -> Line:
        """The last line, whatever comes before it."""
        for _ in self.news():
            pass
        return self.result

    def close(self) -> None:
        """Hang up. May be called twice."""
        self._socket.close()

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def ask(path: Path, request: AnyRequest) -> Line:
    """Ask and wait for the last line. Raises NotRunning, NotDone."""
    with Conversation(path, request) as conversation:
        return conversation.answer()


def _received(lines: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from lines
    except OSError as error:
        raise NotRunning(ENDED) from error


def _checked(line: Line) -> Line:
    if not line["ok"]:
        raise NotDone(str(line["error"]))
    return line
