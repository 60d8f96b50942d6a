"""Operators are who the kernel says; whatever else comes over the socket gets one sentence."""

from __future__ import annotations

import grp
import json
import os
import pwd
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terminal.arrivals import Inbox
from terminal.control import MAX_CONNECTIONS, Control, operator_name
from terminal.errors import NotDone
from terminal.operator_link import Conversation, NotRunning, ask, find_socket
from terminal.requests import MAX_REQUEST_BYTES, Asked, Enrol, Events, People, Status, Watch
from terminal.sockets import connect, listen


class Desk:
    """A control socket, and whoever answers on the loop's side of it."""

    def __init__(self, folder: Path, is_started: bool = True) -> None:
        self.path, self.inbox = folder / "control.sock", Inbox()
        self.control = Control(self.path, self.inbox, "")
        if is_started:
            self.control.start()

    def asked(self, within_s: float = 5.0) -> Asked:
        arrival = self.inbox.get(within_s)
        assert isinstance(arrival, Asked)
        return arrival

    def sends(self, raw: bytes) -> dict[str, Any]:
        """Whatever bytes, and the last line of the answer."""
        with connect(self.path, socket.SOCK_STREAM) as client:
            client.settimeout(10.0)
            client.sendall(raw)
            client.shutdown(socket.SHUT_WR)
            lines = client.makefile("rb").read().splitlines()
        answer: dict[str, Any] = json.loads(lines[-1])
        return answer

    def answers(self, body: dict[str, Any], times: int = 1) -> threading.Thread:
        """Answer the next requests on a thread, as the loop does."""

        def work() -> None:
            for _ in range(times):
                self.asked().answer.done(body)

        thread = threading.Thread(target=work)
        thread.start()
        return thread


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.control.close()


# Who may ask


def test_this_very_account_may_ask_under_its_own_name(desk: Desk) -> None:
    thread = desk.answers({"people": []})
    assert ask(desk.path, People()) == {"ok": True, "people": []}
    thread.join(5.0)


def test_who_asks_is_what_the_kernel_says_not_what_the_peer_says(desk: Desk) -> None:
    answer = desk.sends(b'{"do": "status", "by": "root"}\n')
    assert not answer["ok"]
    assert "by" in answer["error"]
    with Conversation(desk.path, Status()):
        assert desk.asked().by == pwd.getpwuid(os.geteuid()).pw_name


def test_root_and_the_terminals_own_account_are_operators() -> None:
    assert operator_name(0, "") == "root"
    assert operator_name(os.geteuid(), "") == pwd.getpwuid(os.geteuid()).pw_name


def foreign() -> pwd.struct_passwd:
    return next(one for one in pwd.getpwall() if one.pw_uid not in (0, os.geteuid()))


def test_another_account_is_no_operator() -> None:
    assert operator_name(foreign().pw_uid, "") is None
    assert operator_name(foreign().pw_uid, "no-such-group-here") is None
    assert operator_name(foreign().pw_uid, "root") is None


def test_a_member_of_the_operators_group_is_one() -> None:
    account = foreign()
    its_group = grp.getgrgid(account.pw_gid).gr_name
    assert operator_name(account.pw_uid, its_group) == account.pw_name


def test_an_account_that_the_system_does_not_know_is_none() -> None:
    unknown = max(one.pw_uid for one in pwd.getpwall()) + 12345
    assert operator_name(unknown, "root") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_a_foreign_account_gets_a_sentence_and_is_not_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It connects before anybody attends: this process has that account itself meanwhile."""
    desk = Desk(tmp_path, is_started=False)
    tmp_path.chmod(0o755)
    desk.path.chmod(0o666)
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        os.seteuid(foreign().pw_uid)
        try:
            client.connect("control.sock")
        finally:
            os.seteuid(0)
        desk.control.start()
        with suppress(BrokenPipeError):  # the refusal may come before the request
            client.sendall(b'{"do": "people"}\n')
        answer = json.loads(client.makefile("rb").readline())
    assert answer == {
        "ok": False,
        "error": "You are no operator of this terminal; ask to be made one.",
    }
    assert desk.inbox.get(0.1) is None
    desk.control.close()


def test_the_socket_is_for_its_owner_and_its_group(desk: Desk) -> None:
    assert stat.S_IMODE(desk.path.stat().st_mode) == 0o660


def test_the_socket_is_given_to_the_operators_group(tmp_path: Path) -> None:
    group = next(one for one in grp.getgrall() if one.gr_gid != os.getegid())
    path = tmp_path / "control.sock"
    control = Control(path, Inbox(), group.gr_name)
    if os.geteuid() == 0:
        assert path.stat().st_gid == group.gr_gid
    control.close()


# What may be asked

REFUSED = {
    "no JSON": b"hello\n",
    "not an object": b"[1, 2]\n",
    "nothing": b"",
    "an empty line": b"\n",
    "an unknown verb": b'{"do": "open_the_door"}\n',
    "no verb": b'{"name": "x"}\n',
    "an unknown field": b'{"do": "status", "picture": true}\n',
    "a wrong type": b'{"do": "enrol", "name": 12}\n',
    "an empty name": b'{"do": "enrol", "name": ""}\n',
    "a name that is too long": b'{"do": "enrol", "name": "' + b"x" * 201 + b'"}\n',
    "a hold without end": b'{"do": "hold", "lasts_s": 1e999, "why": "x"}\n',
    "a hold that is too long": b'{"do": "hold", "lasts_s": 86401, "why": "x"}\n',
    "a hold of no time": b'{"do": "hold", "lasts_s": 0, "why": "x"}\n',
    "a hold without a reason": b'{"do": "hold", "lasts_s": 10, "why": ""}\n',
    "too many events": b'{"do": "events", "last": 10001}\n',
    "bytes": b"\xff\xfe\x00\n",
    "an oversized line": b'{"do": "enrol", "name": "' + b"x" * MAX_REQUEST_BYTES + b'"}\n',
    "a request behind much space": b" " * MAX_REQUEST_BYTES + b'{"do": "status"}\n',
    "a line without end": b"x" * (MAX_REQUEST_BYTES + 1),
    "a deep nest": b'{"a":' + b"[" * 4000 + b"\n",
    "two requests": b'{"do": "status"} {"do": "status"}\n',
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
def test_what_is_no_request_gets_one_sentence(desk: Desk, raw: bytes) -> None:
    answer = desk.sends(raw)
    assert set(answer) == {"ok", "error"}
    assert answer["error"].startswith("This request is not understood: ")
    assert "Traceback" not in answer["error"]
    assert desk.inbox.get(0.0) is None


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(min_size=1, max_size=300))
def test_random_bytes_get_one_sentence(desk: Desk, raw: bytes) -> None:
    assert not desk.sends(raw + b"\n")["ok"]


def test_news_come_before_the_answer(desk: Desk) -> None:
    with Conversation(desk.path, Events(last=2)) as conversation:
        answer = desk.asked().answer
        answer.news("record", {"seq": 1})
        answer.news("record", {"seq": 2})
        answer.done({})
        assert [line["seq"] for line in conversation.news()] == [1, 2]
        assert conversation.result == {"ok": True}


def test_a_refusal_is_raised_with_its_sentence(desk: Desk) -> None:
    with Conversation(desk.path, Enrol("x")) as conversation:
        desk.asked().answer.refuse("There is no room.")
        with pytest.raises(NotDone, match=r"^There is no room\.$"):
            conversation.answer()


def test_after_the_answer_nothing_more_is_said(desk: Desk) -> None:
    with Conversation(desk.path, Status()) as conversation:
        answer = desk.asked().answer
        answer.done({"n": 1})
        answer.done({"n": 2})
        answer.refuse("no")
        answer.news("record", {})
        assert conversation.answer() == {"ok": True, "n": 1}


def test_hanging_up_is_told(desk: Desk) -> None:
    conversation = Conversation(desk.path, Enrol("Neighbour"))
    first = desk.asked()
    assert not first.gone
    conversation.close()
    second = desk.asked()
    assert second.gone
    assert second.answer is first.answer


def test_whoever_had_the_answer_is_not_told_as_gone(desk: Desk) -> None:
    thread = desk.answers({})
    ask(desk.path, Status())
    thread.join(5.0)
    assert desk.inbox.get(0.3) is None


def test_too_many_connections_are_turned_away_and_places_come_free(desk: Desk) -> None:
    crowd = [Conversation(desk.path, Watch()) for _ in range(MAX_CONNECTIONS)]
    for _ in crowd:
        desk.asked()
    with pytest.raises(NotDone, match="Too many operators"):
        ask(desk.path, Status())
    for one in crowd:
        one.close()
    for _ in crowd:
        assert desk.asked().gone
    thread = desk.answers({"status": {}})
    deadline_s = time.monotonic() + 5.0
    while True:
        try:
            assert ask(desk.path, Status())["ok"]
            break
        except NotDone:
            assert time.monotonic() < deadline_s
    thread.join(5.0)


# Where to ask


def test_where_nobody_listens_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="start it first"):
        ask(tmp_path / "control.sock", Status())


def test_a_terminal_that_ends_before_it_answers_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.sock"
    with listen(path, socket.SOCK_STREAM, 0o600) as server:
        conversation = Conversation(path, Status())
        server.accept()[0].close()
        with conversation, pytest.raises(NotRunning, match="ended before it answered"):
            conversation.answer()


def test_the_socket_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TERMINAL_SOCKET", raising=False)
    assert find_socket("/tmp/one.sock") == Path("/tmp/one.sock")
    monkeypatch.setenv("TERMINAL_SOCKET", "/tmp/two.sock")
    assert find_socket(None) == Path("/tmp/two.sock")
    assert find_socket("/tmp/one.sock") == Path("/tmp/one.sock")
