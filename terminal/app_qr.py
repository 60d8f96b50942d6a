"""Makes the process that reads QR codes out of its parts.

It has two connections and no more: vision's, from which frames come, and the door's, to which
codes go. It loads no camera, no face model, no database, no key and no line.

What changes with this file: `terminal.config`, systemd/terminal-qr.service.
"""

from __future__ import annotations

import signal
import socket
import time
from contextlib import ExitStack
from pathlib import Path

from hw.supervisor import supervisor_from_environment
from terminal.app import CODES_SOCKET, QR_SOCKET, VISION_ACCOUNT, in_one_sentence
from terminal.code_decoder import qr_codes_in
from terminal.code_keeper import Keeper
from terminal.config_sections import Config
from terminal.confine import forbid_dumps
from terminal.errors import DONE, RefuseToStart
from terminal.sockets import accounts, connect, is_door, listen, peer_uid


def run_qr(config: Config) -> int:
    """The code reader, until it is told to stop. The exit status."""
    with in_one_sentence(), ExitStack() as stack:
        forbid_dumps()
        listener = _listener(config.paths.qr / QR_SOCKET)
        stack.callback(listener.close)
        allowed, codes = accounts(VISION_ACCOUNT), config.paths.codes / CODES_SOCKET
        keeper = Keeper(
            listener=listener,
            admit=lambda: _admitted(listener, allowed),
            connect=lambda: _door(codes),
            decode=qr_codes_in,
            clock=time.monotonic,
        )
        stack.callback(keeper.close)
        signal.signal(signal.SIGTERM, _end)
        supervisor = supervisor_from_environment()
        supervisor.ready()
        while True:
            keeper.turn()
            supervisor.ping()


def _end(*_: object) -> None:
    raise SystemExit(DONE)


def _listener(path: Path) -> socket.socket:
    try:
        listener = listen(path, socket.SOCK_SEQPACKET, 0o660)
    except OSError as error:
        raise RefuseToStart(f"No socket can be made at {path}: {error.strerror}.") from error
    listener.setblocking(False)
    return listener


def _admitted(listener: socket.socket, allowed: frozenset[int]) -> socket.socket | None:
    try:
        connected = listener.accept()[0]
    except OSError:
        return None
    if peer_uid(connected) in allowed:
        return connected
    connected.close()
    return None


def _door(path: Path) -> socket.socket | None:
    """The door, where it listens; whoever else listens there hears nothing."""
    try:
        connected = connect(path, socket.SOCK_SEQPACKET, waits=False)
    except OSError:
        return None
    if is_door(connected):
        return connected
    connected.close()
    return None
