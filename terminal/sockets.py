"""Unix sockets: listening where nobody else can, connecting, and who is at the other end.

A socket's path holds 107 bytes at most, and a checkout may lie deep: so both ends name the socket
through its folder's descriptor, which is always short. Whoever calls checks the peer's account:
the door who asks, and whoever asks that it is the door.

What changes with this file: `control`, `port`, `frame_post`, `operator_link`, the `app_` modules.
"""

from __future__ import annotations

import os
import pwd
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DOOR_ACCOUNT = "terminal-door"
"""The account of the door's unit; see systemd/terminal.sysusers."""


def listen(path: Path, kind: socket.SocketKind, mode: int) -> socket.socket:
    """A listening socket at `path`, in place of a dead one, with these permissions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, kind)
    before = os.umask(0o777 & ~mode)
    try:
        with _short(path) as address:
            server.bind(address)
    finally:
        os.umask(before)
    server.listen(4)
    return server


def connect(path: Path, kind: socket.SocketKind, waits: bool = True) -> socket.socket:
    """A socket connected to `path`. Raises OSError where nobody listens or we may not.

    Where `waits` is False it never blocks, neither here (OSError where too many wait already) nor
    later.
    """
    client = socket.socket(socket.AF_UNIX, kind)
    client.setblocking(waits)
    try:
        with _short(path) as address:
            client.connect(address)
    except OSError:
        client.close()
        raise
    return client


def peer_uid(connected: socket.socket) -> int:
    """The account (uid) of the process at the other end, as the kernel says."""
    size = struct.calcsize("3i")
    credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return int(struct.unpack("3i", credentials)[1])


def is_door(connected: socket.socket) -> bool:
    """Whether the door may be at the other end: its account, root, or at a desk our own.

    For the end that connected: the kernel keeps who listened. Raises OSError.
    """
    return peer_uid(connected) in accounts(DOOR_ACCOUNT) | {0}


def accounts(name: str) -> frozenset[int]:
    """Who may be the process of this account: it, where there is one, and on a desk our own."""
    ours = frozenset({os.geteuid()})
    try:
        return ours | {pwd.getpwnam(name).pw_uid}
    except KeyError:
        return ours


@contextmanager
def _short(path: Path) -> Iterator[str]:
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
