"""The control socket: where `terminalctl` asks, over SSH or at a desk.

A Unix stream socket; who asks is what the kernel says of the peer (SO_PEERCRED), never what the
peer says. Root, the door's own account and members of the operators' group may ask. A connection
is one request; its thread decodes it, puts it into the inbox, and passes the answer's lines on.
Places are few and counted by account, and whoever is slow loses theirs, so that nobody who dawdles
keeps another operator from ending a held release. Nothing that a connection does, and no shortage
of the machine's, may end the listening.

What changes with this file: `requests`, `cli`, the operators' group in systemd/.
"""

from __future__ import annotations

import contextlib
import grp
import logging
import os
import pwd
import queue
import select
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from terminal.arrivals import Inbox
from terminal.clock import Clock, SystemClock
from terminal.requests import (
    MAX_REQUEST_BYTES,
    Answer,
    AnyRequest,
    Asked,
    Enrol,
    Events,
    Line,
    Watch,
)
from terminal.sockets import listen, peer_uid

log = logging.getLogger(__name__)

MAX_ASKING = 8
MAX_ASKING_OF_ONE = 4
KEPT_FREE = 2
"""So many may ask at a time, so many of them from one account; the last places are only for an
account that has none, so it takes four hostile operators to keep out a fifth."""

MAX_FOLLOWING = 4
"""Whoever follows the log or the screen stays for long, and is counted apart."""

HEAR_S = 5.0
"""A whole request has to come within this time after connecting."""

SEND_S = 5.0
"""A line of an answer has to be taken within this time."""

ANSWER_S = 30.0
"""A whole answer has to be taken within this time, where it does not go on by its nature."""

PAUSE_S = 0.1
"""After a connection could not be accepted (no descriptor is free, say), before the next try."""

NO_OPERATOR = "You are no operator of this terminal; ask to be made one."

LOOK_S = 0.1
"""How often a connection that only listens is looked at for having hung up."""

_decoder: msgspec.json.Decoder[AnyRequest] = msgspec.json.Decoder(AnyRequest)


class Places:
    """Places in a small room: `most` in all, `of_one` account, and the last `kept` for newcomers.

    Thread-safe. An account is a uid, as the kernel says.
    """

    def __init__(self, most: int, of_one: int, kept: int = 0) -> None:
        self._most, self._of_one, self._kept = most, of_one, kept
        self._taken: Counter[int] = Counter()
        self._lock = threading.Lock()

    def take(self, account: int) -> bool:
        """Take a place for this account; False where there is none for it."""
        with self._lock:
            own = self._taken[account]
            most = self._most - (self._kept if own else 0)
            is_free = own < self._of_one and self._taken.total() < most
            if is_free:
                self._taken[account] += 1
            return is_free

    def give(self, account: int) -> None:
        """Give a place back."""
        with self._lock:
            self._taken[account] -= 1
            if not self._taken[account]:
                del self._taken[account]


class Control:
    """Listens on `path` for operators; `group` names their group, empty where there is none."""

    def __init__(self, path: Path, inbox: Inbox, group: str, clock: Clock | None = None) -> None:
        self._inbox, self._group = inbox, group
        self._clock = clock or SystemClock()
        self._asking = Places(MAX_ASKING, MAX_ASKING_OF_ONE, KEPT_FREE)
        self._following = Places(MAX_FOLLOWING, MAX_FOLLOWING)
        self._server = listen(path, socket.SOCK_STREAM, 0o660)
        self._give_to_group(path)
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Listen no more; connections end with the process. May be called twice."""
        self._is_closing.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _give_to_group(self, path: Path) -> None:
        """Let the operators' group reach the socket, where there is such a group and we may."""
        with contextlib.suppress(KeyError, PermissionError):
            if self._group:
                os.chown(path, -1, grp.getgrnam(self._group).gr_gid)

    # Letting in

    def _serve(self) -> None:
        said = ""
        while not self._is_closing.is_set():
            try:
                connected, _ = self._server.accept()
            except OSError as error:
                said = self._pause(error, said)
            else:
                said = ""
                self._admit(connected)

    def _pause(self, error: OSError, said: str) -> str:
        """What is short now will be there again; giving up would lock operators out. Said once."""
        why = error.strerror or str(error)
        if not self._is_closing.wait(PAUSE_S) and why != said:
            log.warning("No operator can be let in just now: %s.", why)
        return why

    def _admit(self, connected: socket.socket) -> None:
        try:
            account = peer_uid(connected)
        except OSError:
            connected.close()
            return
        if not self._asking.take(account):
            _turn_away(connected, "Too many operators are connected; try again soon.")
        elif not _begin(lambda: self._attend(connected, account)):
            self._asking.give(account)
            _turn_away(connected, "The terminal is too busy to answer; try again soon.")

    # One connection

    def _attend(self, connected: socket.socket, account: int) -> None:
        with ExitStack() as place, connected:
            place.callback(self._asking.give, account)
            by = operator_name(account, self._group)
            if by is None:
                _say(connected, _refusal(NO_OPERATOR))
                return
            request = self._heard(connected)
            if request is None or not self._may_stay(request, connected, account, place):
                return
            self._answer(connected, request, by)

    def _may_stay(
        self, request: AnyRequest, connected: socket.socket, account: int, place: ExitStack
    ) -> bool:
        """Whoever follows moves over to the places for that, if one is free."""
        if not _follows(request):
            return True
        if not self._following.take(account):
            _say(connected, _refusal("Too many follow the terminal; end one of them first."))
            return False
        place.close()
        place.callback(self._following.give, account)
        return True

    def _answer(self, connected: socket.socket, request: AnyRequest, by: str) -> None:
        asked = Asked(request, by, Answer())
        self._inbox.put(asked)
        goes_on = _follows(request) or isinstance(request, Enrol)
        until_s = float("inf") if goes_on else self._mono_s() + ANSWER_S
        if not self._pass_on(connected, asked.answer, until_s):
            self._inbox.put(Asked(request, by, asked.answer, gone=True))

    def _heard(self, connected: socket.socket) -> AnyRequest | None:
        try:
            return _decoder.decode(self._line(connected))
        except (msgspec.MsgspecError, RecursionError) as error:
            _say(connected, _refusal(f"This request is not understood: {error}."))
        except UnicodeDecodeError:
            _say(connected, _refusal("This request is not understood: it is not UTF-8 text."))
        except TimeoutError:
            _say(connected, _refusal(f"No whole request came within {HEAR_S:g} s."))
        except OSError:
            pass
        return None

    def _line(self, connected: socket.socket) -> bytes:
        """One line, at most MAX_REQUEST_BYTES; what is longer is no request.

        Raises TimeoutError when it is not whole in time, however it trickles; OSError.
        """
        until_s, heard = self._mono_s() + HEAR_S, b""
        while not heard.endswith(b"\n") and len(heard) <= MAX_REQUEST_BYTES:
            connected.settimeout(_left_s(until_s, self._mono_s()))
            more = connected.recv(MAX_REQUEST_BYTES)
            if not more:
                break
            heard += more
        if len(heard) > MAX_REQUEST_BYTES:
            raise msgspec.ValidationError(f"it is longer than {MAX_REQUEST_BYTES} bytes")
        return heard

    def _pass_on(self, connected: socket.socket, answer: Answer, until_s: float) -> bool:
        """Pass lines on until the last one; False when the operator was gone or slow before it."""
        connected.settimeout(SEND_S)
        while self._mono_s() < until_s:
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
        return False

    def _mono_s(self) -> float:
        return self._clock.now().mono_s


def _begin(work: Callable[[], None]) -> bool:
    """Do it on a thread of its own; False where the machine gives none."""
    try:
        threading.Thread(target=work, daemon=True).start()
    except RuntimeError as error:
        log.warning("No operator could be attended to just now: %s.", error)
        return False
    return True


def _follows(request: AnyRequest) -> bool:
    return isinstance(request, Watch) or (isinstance(request, Events) and request.follow)


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


def _left_s(until_s: float, now_s: float) -> float:
    if now_s >= until_s:
        raise TimeoutError
    return until_s - now_s


def _turn_away(connected: socket.socket, sentence: str) -> None:
    """What little is said fits into the empty buffer of a new connection, so this never waits."""
    with connected:
        _say(connected, _refusal(sentence))


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
