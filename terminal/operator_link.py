"""The operator's end of the control socket: asks, and hands on the lines of the answer.

Used by `terminalctl`, the story and tests. Where the terminal does not run, nothing is asked: the
caller is told so in one sentence. Nor is anything asked where somebody else listens: requests hold
names, and at a desk the socket lies wherever the command is typed.

What changes with this file: `control`, `requests`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from terminal.errors import NotDone, TerminalError
from terminal.requests import AnyRequest, Line
from terminal.sockets import connect, is_door

ON_A_DEVICE = Path("/run/terminal-control/control.sock")
ON_A_DESK = Path("build/run/control.sock")


ENDED = "The terminal ended before it answered; look at its log."
MISUNDERSTOOD = "The terminal's answer is not understood; it and this command are of two versions."


class NotRunning(TerminalError):  # noqa: N818 - says what is the case
    """There is no terminal to ask."""


class NotUnderstood(TerminalError):  # noqa: N818 - says what is the case
    """The answer is not one of ours."""


class MayNotAsk(TerminalError):  # noqa: N818 - says what is the case
    """There is something to ask, but not for this account, or it is not the terminal."""


def find_socket(wanted: str | None) -> Path:
    """The control socket: the one named, else of this device, else of the desk in this folder."""
    named = wanted or os.environ.get("TERMINAL_SOCKET")
    if named:
        return Path(named)
    return ON_A_DEVICE if _is_there(ON_A_DEVICE) else ON_A_DESK


def _is_there(path: Path) -> bool:
    """Also where we may not look: then it is there for others, and asking says who may."""
    try:
        return path.exists()
    except PermissionError:
        return True


class Conversation:
    """One request and the lines of its answer. A context manager; leaving it hangs up."""

    def __init__(self, path: Path, request: AnyRequest) -> None:
        """Ask. Raises NotRunning where nobody listens, MayNotAsk where we or they are wrong."""
        self._socket = _connected(path)
        try:
            _check_peer(self._socket, path)
            with suppress(BrokenPipeError, ConnectionResetError):
                # Refused unheard: `news` says why.
                self._socket.sendall(msgspec.json.encode(request) + b"\n")
        except OSError as error:
            self._socket.close()
            raise NotRunning(ENDED) from error
        except MayNotAsk:
            self._socket.close()
            raise

    def news(self) -> Iterator[Line]:
        """Every line but the last; then `result` has it.

        Raises NotDone where it was refused, NotRunning, NotUnderstood.
        """
        with self._socket.makefile("rb") as lines:
            for raw in _received(lines):
                line = _understood(raw)
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


def _connected(path: Path) -> socket.socket:
    try:
        return connect(path, socket.SOCK_STREAM)
    except PermissionError as error:
        raise MayNotAsk(
            f"You may not ask the terminal at {path}; an operator's account is needed."
        ) from error
    except OSError as error:
        raise NotRunning(f"No terminal answers at {path}; start it first.") from error


def _check_peer(connected: socket.socket, path: Path) -> None:
    if not is_door(connected):
        raise MayNotAsk(
            f"Whoever listens at {path} is not the terminal, so nothing was asked;"
            " name its socket with --socket."
        )


def ask(path: Path, request: AnyRequest) -> Line:
    """Ask and wait for the last line. Raises NotRunning, MayNotAsk, NotDone."""
    with Conversation(path, request) as conversation:
        return conversation.answer()


def _received(lines: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from lines
    except OSError as error:
        raise NotRunning(ENDED) from error


def _understood(raw: bytes) -> Line:
    """One line as an object. Raises NotUnderstood for anything else, and for half a line."""
    try:
        return msgspec.json.decode(raw, type=Line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise NotUnderstood(MISUNDERSTOOD) from error


def _checked(line: Line) -> Line:
    if line["ok"] is not True:
        raise NotDone(str(line.get("error") or MISUNDERSTOOD))
    return line
