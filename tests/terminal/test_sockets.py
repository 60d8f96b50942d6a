"""Sockets are reached by those who may, at any depth, and say who is at the other end."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from terminal.app_vision import _connected
from terminal.errors import LinkBroken
from terminal.sockets import connect, is_door, listen, peer_uid


def test_both_ends_meet_however_deep_the_folder_lies(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 60) / ("e" * 60) / ("f" * 60)
    path = folder / "a.sock"
    assert len(str(path)) > 107
    with (
        listen(path, socket.SOCK_STREAM, 0o660) as server,
        connect(path, socket.SOCK_STREAM) as ours,
    ):
        theirs, _ = server.accept()
        with theirs:
            ours.sendall(b"x")
            assert theirs.recv(1) == b"x"


@pytest.mark.parametrize("mode", [0o600, 0o660])
def test_the_socket_has_its_mode_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.sock"
    before = os.umask(0)
    try:
        with listen(path, socket.SOCK_STREAM, mode):
            assert stat.S_IMODE(path.stat().st_mode) == mode
            assert os.umask(0) == 0, "the umask is as it was"
    finally:
        os.umask(before)


def test_a_dead_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.sock"
    listen(path, socket.SOCK_STREAM, 0o660).close()
    with pytest.raises(ConnectionRefusedError):
        connect(path, socket.SOCK_STREAM)
    with (
        listen(path, socket.SOCK_STREAM, 0o660),
        connect(path, socket.SOCK_STREAM) as ours,
    ):
        assert ours.fileno() >= 0


def test_where_nobody_listens_connecting_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        connect(tmp_path / "a.sock", socket.SOCK_STREAM)
    with pytest.raises(FileNotFoundError):
        connect(tmp_path / "no folder" / "a.sock", socket.SOCK_STREAM)


def test_no_descriptor_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.sock"
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with pytest.raises(OSError, match="No such file"):
            connect(path, socket.SOCK_STREAM)
    listen(path, socket.SOCK_STREAM, 0o660).close()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_SEQPACKET])
def test_the_peer_is_who_the_kernel_says(kind: socket.SocketKind) -> None:
    one, other = socket.socketpair(socket.AF_UNIX, kind)
    with one, other:
        assert peer_uid(one) == os.geteuid()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_another_account_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = 65534
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    with (
        listen(tmp_path / "a.sock", socket.SOCK_STREAM, 0o666) as server,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client,
    ):
        os.seteuid(nobody)
        try:
            client.connect("a.sock")
        finally:
            os.seteuid(0)
        connected, _ = server.accept()
        with connected:
            assert peer_uid(connected) == nobody


def test_our_own_account_may_be_the_door(tmp_path: Path) -> None:
    path = tmp_path / "a.sock"
    with (
        listen(path, socket.SOCK_SEQPACKET, 0o660),
        connect(path, socket.SOCK_SEQPACKET) as ours,
    ):
        assert is_door(ours)


def listening_as_nobody(path: Path) -> socket.socket:
    """The kernel notes the account that listens, whoever made the socket."""
    server = listen(path, socket.SOCK_SEQPACKET, 0o666)
    os.seteuid(65534)
    try:
        server.listen(4)
    finally:
        os.seteuid(0)
    return server


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_another_account_that_listens_is_not_the_door(tmp_path: Path) -> None:
    path = tmp_path / "a.sock"
    with listening_as_nobody(path), connect(path, socket.SOCK_SEQPACKET) as ours:
        assert not is_door(ours)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_vision_takes_no_lease_from_another_account(tmp_path: Path) -> None:
    path = tmp_path / "vision.sock"
    with listening_as_nobody(path), pytest.raises(LinkBroken, match="is not the door"):
        _connected(path)
    with listen(path, socket.SOCK_SEQPACKET, 0o660):
        _connected(path).close()
