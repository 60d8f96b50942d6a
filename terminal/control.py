"""The control socket: where `terminalctl` asks, over SSH or at a desk.

A Unix stream socket; who asks is what the kernel says of the peer (SO_PEERCRED), never what the
peer says. Root, the door's own account and members of the operators' group may ask. A connection
is one request; its thread decodes it, puts it into the inbox, and passes the answer's lines on.

What changes with this file: `requests`, `cli`, the operators' group in systemd/.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import queue
import select
import socket
import threading
from pathlib import Path

import msgspec

from terminal.arrivals import Inbox
from terminal.requests import MAX_REQUEST_BYTES, Answer, AnyRequest, Asked, Line
from terminal.sockets import listen, peer_uid

MAX_CONNECTIONS = 8
HEAR_S = 5.0
"""A request has to come within this time after connecting."""

LOOK_S = 0.1
"""How often a connection that only listens is looked at for having hung up."""

_decoder: msgspec.json.Decoder[AnyRequest] = msgspec.json.Decoder(AnyRequest)


class Control:
    """Listens on `path` for operators; `group` names their group, empty where there is none."""

    def __init__(self, path: Path, inbox: Inbox, group: str) -> None:
        self._inbox, self._group = inbox, group
        self._server = listen(path, socket.SOCK_STREAM, 0o660)
        self._give_to_group(path)
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Listen no more; connections end with the process."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _give_to_group(self, path: Path) -> None:
        """Let the operators' group reach the socket, where there is such a group and we may."""
        with contextlib.suppress(KeyError, PermissionError):
            if self._group:
                os.chown(path, -1, grp.getgrnam(self._group).gr_gid)

    def _serve(self) -> None:
        while True:
            try:
                connected, _ = self._server.accept()
            except OSError:
                return
            if not self._places.acquire(blocking=False):
                _say(connected, _refusal("Too many operators are connected; try again soon."))
                connected.close()
                continue
            threading.Thread(target=self._attend, args=(connected,), daemon=True).start()

    def _attend(self, connected: socket.socket) -> None:
        try:
            with connected:
                self._answer(connected)
        finally:
            self._places.release()

    def _answer(self, connected: socket.socket) -> None:
        by = operator_name(peer_uid(connected), self._group)
        if by is None:
            _say(connected, _refusal("You are no operator of this terminal; ask to be made one."))
            return
        request = self._heard(connected)
        if request is None:
            return
        asked = Asked(request, by, Answer())
        self._inbox.put(asked)
        if not self._pass_on(connected, asked.answer):
            self._inbox.put(Asked(request, by, asked.answer, gone=True))

    def _heard(self, connected: socket.socket) -> AnyRequest | None:
        connected.settimeout(HEAR_S)
        try:
            return _decoder.decode(_line(connected))
        except (msgspec.MsgspecError, RecursionError) as error:
            _say(connected, _refusal(f"This request is not understood: {error}."))
        except OSError:
            pass
        return None

    @staticmethod
    def _pass_on(connected: socket.socket, answer: Answer) -> bool:
        """Pass lines on until the last one; False when the operator hung up before it."""
        while True:
            try:
                line = answer.lines.get(timeout=LOOK_S)
            except queue.Empty:
                if _hung_up(connected):
                    return False
                continue
            if not _say(connected, line):
                return "ok" in line
            if "ok" in line:
                return True


def operator_name(uid: int, group: str) -> str | None:
    """The account name of an operator, or None for whoever is none."""
    try:
        account = pwd.getpwuid(uid)
    except KeyError:
        return None
    if uid in (0, os.geteuid()) or _is_member(account, group):
        return account.pw_name
    return None


def _is_member(account: pwd.struct_passwd, group: str) -> bool:
    try:
        operators = grp.getgrnam(group)
    except KeyError:
        return False
    return account.pw_name in operators.gr_mem or account.pw_gid == operators.gr_gid


def _line(connected: socket.socket) -> bytes:
    """One line, at most MAX_REQUEST_BYTES; what is longer is no request."""
    heard = b""
    while not heard.endswith(b"\n") and len(heard) <= MAX_REQUEST_BYTES:
        more = connected.recv(MAX_REQUEST_BYTES)
        if not more:
            break
        heard += more
    if len(heard) > MAX_REQUEST_BYTES:
        raise msgspec.ValidationError(f"it is longer than {MAX_REQUEST_BYTES} bytes")
    return heard


def _say(connected: socket.socket, line: Line) -> bool:
    try:
        connected.sendall(msgspec.json.encode(line) + b"\n")
    except OSError:
        return False
    return True


def _hung_up(connected: socket.socket) -> bool:
    if not select.select([connected], [], [], 0.0)[0]:
        return False
    try:
        return connected.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def _refusal(sentence: str) -> Line:
    return {"ok": False, "error": sentence}
