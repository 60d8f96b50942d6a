"""The folder of the bench terminal: claimed, emptied of what an earlier run made, and locked.

`make run` begins with nothing: what is in its folder goes. So it has to be its own. A folder is
ours when it was empty, or when the marker lies in it that we put there; in it we remove what our
processes make, and nothing else. As long as a run lasts it holds a lock on the marker, so that a
second one neither deletes nor shares the state of the first; a door that has outlived its run is
found by its socket.

What changes with this file: what the processes write into their folders.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
from pathlib import Path
from types import TracebackType

from terminal.app import (
    BENCH_DOOR_SOCKET,
    BENCH_VISION_SOCKET,
    CODES_SOCKET,
    CONTROL_SOCKET,
    QR_SOCKET,
    VISION_SOCKET,
)
from terminal.errors import TerminalError
from terminal.sockets import connect

MARKER = ".terminal-bench"
WHOSE = "This folder is the bench terminal's: each `make run` begins with nothing and removes it.\n"

STATE = "state"
CONFIG = "terminal.toml"
LOG = "processes.log"
MADE = (
    CONFIG,
    LOG,
    CONTROL_SOCKET,
    VISION_SOCKET,
    QR_SOCKET,
    CODES_SOCKET,
    BENCH_DOOR_SOCKET,
    BENCH_VISION_SOCKET,
)
"""What a run makes besides its state."""


class FolderRefused(TerminalError):  # noqa: N818 - says what is the case
    """The bench terminal can't have this folder."""


class BenchFolder:
    """The folder at `path`, claimed for as long as this is open, and empty of earlier runs.

    Raises FolderRefused when it holds somebody else's files, when another bench terminal runs in
    it, or when it can't be made. A context manager; leaving it gives the folder up.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._marker = _marked(path)
            try:
                _remove_what_was_made(path)
            except BaseException:
                self.close()
                raise
        except OSError as error:
            raise FolderRefused(
                f"The folder {path} can't be used ({error.strerror or error});"
                " name another one with --folder."
            ) from error

    def close(self) -> None:
        """Give it up; what was made stays, for reading. May be called twice."""
        if self._marker >= 0:
            os.close(self._marker)
            self._marker = -1

    def __enter__(self) -> BenchFolder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _marked(path: Path) -> int:
    """The descriptor of the marker, made where the folder is new or empty, and locked."""
    path.mkdir(parents=True, exist_ok=True)
    marker = path / MARKER
    if not marker.is_file() and any(path.iterdir()):
        raise FolderRefused(
            f"The folder {path} holds files that no bench terminal made, so nothing was done;"
            " name another one with --folder, or empty it."
        )
    descriptor = os.open(marker, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, path)
        os.pwrite(descriptor, WHOSE.encode(), 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise _taken(path) from error
    if _answers(path / CONTROL_SOCKET):
        raise _taken(path)


def _answers(path: Path) -> bool:
    try:
        connect(path, socket.SOCK_STREAM).close()
    except OSError:
        return False
    return True


def _taken(path: Path) -> FolderRefused:
    return FolderRefused(
        f"A bench terminal runs in {path} already; end it first, or name another folder"
        " with --folder."
    )


def _remove_what_was_made(path: Path) -> None:
    """A link is removed itself, never what it leads to."""
    for name in MADE:
        (path / name).unlink(missing_ok=True)
    state = path / STATE
    if state.is_symlink():
        state.unlink()
    elif state.exists():
        shutil.rmtree(state)
