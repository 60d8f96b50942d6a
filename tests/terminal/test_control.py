"""Operators are who the kernel says; whatever else comes over the socket gets one sentence."""

from __future__ import annotations

import grp
import json
import os
import pwd
import resource
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

from terminal import control, operator_link
from terminal.arrivals import Inbox
from terminal.control import MAX_ASKING_OF_ONE, MAX_FOLLOWING, Control, Places, operator_name
from terminal.errors import NotDone
from terminal.operator_link import Conversation, MayNotAsk, NotRunning, ask, find_socket
from terminal.requests import (
    MAX_REQUEST_BYTES,
    AnyRequest,
    Asked,
    Enrol,
    Events,
    HoldEnd,
    People,
    Status,
    Watch,
)
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
    "a name that is no UTF-8": b'{"do": "enrol", "name": "\xff"}\n',
    "a verb that is no UTF-8": b'{"do": "\xc3\x28"}\n',
    "a field that is no UTF-8": b'{"do": "status", "\xff": 1}\n',
    "half a surrogate pair": b'{"do": "enrol", "name": "\\ud800"}\n',
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


# Places


def test_one_account_has_so_many_places_and_the_last_are_for_newcomers() -> None:
    places = Places(most=8, of_one=4, kept=2)
    assert [places.take(1) for _ in range(5)] == [True] * 4 + [False]
    assert [places.take(2) for _ in range(5)] == [True] * 2 + [False] * 3
    assert places.take(3), "two hostile accounts keep nobody out"
    assert not places.take(3)
    assert places.take(4)
    assert not places.take(5), "the room is full"
    places.give(1)
    assert not places.take(2)
    assert places.take(5)


def told_apart(desk: Desk, crowd: list[Conversation]) -> None:
    """They hang up, and the loop hears of each."""
    for one in crowd:
        one.close()
    for _ in crowd:
        assert desk.asked().gone


def answered_in_time(desk: Desk, within_s: float = 5.0) -> None:
    """A request finds a place and an answer, as soon as the crowd's places are free."""
    thread = desk.answers({"status": {}})
    deadline_s = time.monotonic() + within_s
    while True:
        try:
            assert ask(desk.path, Status())["ok"]
            break
        except NotDone:
            assert time.monotonic() < deadline_s
    thread.join(5.0)


def test_too_many_connections_are_turned_away_and_places_come_free(desk: Desk) -> None:
    crowd = [Conversation(desk.path, Enrol("x")) for _ in range(MAX_ASKING_OF_ONE)]
    for _ in crowd:
        desk.asked()
    with pytest.raises(NotDone, match="Too many operators"):
        ask(desk.path, Status())
    told_apart(desk, crowd)
    answered_in_time(desk)


def test_whoever_follows_takes_no_place_from_whoever_asks(desk: Desk) -> None:
    requests = (Watch(), Events(follow=True))
    crowd = [Conversation(desk.path, requests[at % 2]) for at in range(MAX_FOLLOWING)]
    for _ in crowd:
        desk.asked()
    with pytest.raises(NotDone, match="Too many follow"):
        ask(desk.path, Watch())
    hold = Conversation(desk.path, HoldEnd())
    assert desk.asked().request == HoldEnd()
    hold.close()
    assert desk.asked().gone
    thread = desk.answers({})
    assert ask(desk.path, Events(last=5))["ok"], "a look at the log is not following it"
    thread.join(5.0)
    told_apart(desk, crowd)
    with Conversation(desk.path, Watch()):
        assert desk.asked().request == Watch()


def test_a_request_that_trickles_loses_its_place_in_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes soon after the last, and yet the whole request has one deadline."""
    monkeypatch.setattr(control, "HEAR_S", 0.5)
    began_s = time.monotonic()
    with connect(desk.path, socket.SOCK_STREAM) as slow:
        slow.settimeout(0.05)
        while True:
            assert time.monotonic() - began_s < 5.0, "the place is held for as long as bytes come"
            with suppress(BrokenPipeError):
                slow.sendall(b" ")
            with suppress(TimeoutError):
                answer = json.loads(slow.recv(1000))
                break
    assert answer == {"ok": False, "error": "No whole request came within 0.5 s."}
    answered_in_time(desk)


def test_silence_is_no_request_either(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "HEAR_S", 0.2)
    with connect(desk.path, socket.SOCK_STREAM) as silent:
        silent.settimeout(5.0)
        assert "within 0.2 s" in json.loads(silent.recv(1000))["error"]


def test_an_answer_that_is_not_taken_is_given_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "ANSWER_S", 0.3)
    with Conversation(desk.path, Status()):
        assert not desk.asked().gone
        assert desk.asked().gone, "nothing was answered, or nobody took it"


def test_an_enrolment_and_who_follows_take_their_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "ANSWER_S", 0.1)
    requests: tuple[AnyRequest, ...] = (Enrol("x"), Watch(), Events(follow=True))
    for request in requests:
        with Conversation(desk.path, request) as conversation:
            asked = desk.asked()
            assert desk.inbox.get(0.4) is None
            asked.answer.done({})
            assert conversation.answer()["ok"]


# Shortage

NONE_IS_FREE = 3
"""A limit below whatever is given back meanwhile: 0, 1 and 2 stay open."""


def test_listening_goes_on_after_a_shortage_of_descriptors(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EMFILE: the kernel refuses to accept until a descriptor is free again."""
    monkeypatch.chdir(desk.path.parent)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(5.0)
        resource.setrlimit(resource.RLIMIT_NOFILE, (NONE_IS_FREE, hard))
        try:
            client.connect(desk.path.name)  # the accept that waits has its descriptor already
            deadline_s = time.monotonic() + 5.0
            while "let in" not in caplog.text and time.monotonic() < deadline_s:
                time.sleep(0.02)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert caplog.text.count("No operator can be let in just now: Too many open files.") == 1
    answered_in_time(desk)


def test_listening_goes_on_when_the_machine_gives_no_thread(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Thread.start does at the limit of tasks (RuntimeError)."""
    start = threading.Thread.start

    def fails(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    for _ in range(MAX_ASKING_OF_ONE + 1):
        monkeypatch.setattr(threading.Thread, "start", fails)
        with pytest.raises(NotDone, match="too busy"):
            ask(desk.path, Status())
        monkeypatch.setattr(threading.Thread, "start", start)
    answered_in_time(desk)


def test_a_closed_control_ends_its_thread_and_may_be_closed_twice(tmp_path: Path) -> None:
    made = Desk(tmp_path)
    made.control.close()
    made.control.close()
    thread: threading.Thread = vars(made.control)["_thread"]
    thread.join(5.0)
    assert not thread.is_alive()


# Where to ask


def test_where_nobody_listens_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="start it first"):
        ask(tmp_path / "control.sock", Status())


@pytest.fixture
def another_account() -> Iterator[None]:
    """For as long as the test lasts we are nobody."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another account")
    before = os.getegid()
    os.setegid(65534)
    os.seteuid(65534)
    yield
    os.seteuid(0)
    os.setegid(before)


@pytest.fixture
def forbidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that only its owner and its group may enter, as on a device (tmpfiles)."""
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)  # whose parents are closed to others as well
    folder = Path("run")
    folder.mkdir()
    folder.chmod(0o2750)
    (folder / "control.sock").touch()
    return folder


@pytest.mark.usefixtures("forbidden", "another_account")
def test_whoever_may_not_enter_the_folder_is_told_who_may_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TERMINAL_SOCKET", raising=False)
    monkeypatch.setattr(operator_link, "ON_A_DEVICE", Path("run/control.sock"))
    assert find_socket(None) == Path("run/control.sock")
    with pytest.raises(MayNotAsk, match="an operator's account is needed"):
        ask(find_socket(None), Status())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can listen as another account")
def test_nothing_is_asked_where_another_account_listens(tmp_path: Path) -> None:
    """A request holds a name, and at a desk the socket lies wherever the command is typed."""
    path = tmp_path / "control.sock"
    with listen(path, socket.SOCK_STREAM, 0o666) as server:
        os.seteuid(65534)
        try:
            server.listen(1)  # the kernel notes who does this
        finally:
            os.seteuid(0)
        with pytest.raises(MayNotAsk, match=r"is not the terminal, so nothing was asked"):
            Conversation(path, Enrol("Neighbour"))
        connected, _ = server.accept()
        with connected:
            assert connected.recv(100) == b""


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
