"""The door's end of the link: one vision at a time, of the right account, heard while it speaks."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from terminal import link
from terminal.arrivals import Arrival, Inbox, VisionConnected, VisionSaid
from terminal.core.values import NOTHING_ALLOWED, Level, Permission
from terminal.errors import LinkBroken
from terminal.link import Lease, Link
from terminal.sockets import connect
from terminal.vision_port import SILENT_S, VisionPort
from tests.terminal.given_bridge import alive, probe_of

DETECT = Permission(Level.DETECT)


class Port:
    """A port, what arrives from it, and links to it."""

    def __init__(self, folder: Path, uids: frozenset[int]) -> None:
        self.path, self.inbox = folder / "vision.sock", Inbox()
        self.port = VisionPort(self.path, self.inbox, uids)
        self.port.start()
        self._links: list[Link] = []

    def connect(self) -> Link:
        self._links.append(Link(connect(self.path, socket.SOCK_SEQPACKET)))
        return self._links[-1]

    def arrival(self, within_s: float = 5.0) -> Arrival | None:
        return self.inbox.get(within_s)

    def close(self) -> None:
        for one in self._links:
            one.close()
        self.port.close()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Port]:
    made = Port(tmp_path, frozenset({os.geteuid()}))
    yield made
    made.close()


def test_vision_is_announced_heard_and_missed(port: Port) -> None:
    vision = port.connect()
    assert port.arrival() == VisionConnected(True)
    vision.send(alive())
    said = port.arrival()
    assert isinstance(said, VisionSaid) and said.message == alive()
    vision.close()
    assert port.arrival() == VisionConnected(False)


@pytest.mark.requirement("R17")
def test_numbers_are_copied_out_and_the_links_buffer_is_overwritten(port: Port) -> None:
    vision = port.connect()
    port.arrival()
    sent = probe_of(1)
    vision.send(link.Probe(1, 3, 1.0), sent)
    said = port.arrival()
    assert isinstance(said, VisionSaid)
    np.testing.assert_array_equal(said.numbers, sent)
    assert said.numbers.flags.owndata and said.numbers.flags.writeable
    deadline_s = time.monotonic() + 2.0
    while any(vars(vars(port.port)["_link"])["_buffer"]):
        assert time.monotonic() < deadline_s


@pytest.mark.requirement("D10")
def test_a_permission_reaches_vision_with_its_end(port: Port) -> None:
    vision = port.connect()
    port.arrival()
    port.port.permit(DETECT, 12.5)
    heard = vision.receive(2.0)
    assert heard is not None and heard[0] == Lease(Level.DETECT, None, None, 12.5)


def test_without_vision_a_permission_goes_nowhere(port: Port) -> None:
    port.port.permit(NOTHING_ALLOWED, 0.0)
    port.connect()
    assert port.arrival() == VisionConnected(True)


def test_another_account_is_turned_away(tmp_path: Path) -> None:
    made = Port(tmp_path, frozenset({os.geteuid() + 1}))
    vision = made.connect()
    with pytest.raises(LinkBroken):
        vision.receive(2.0)
    assert made.arrival(0.1) is None
    made.close()


def test_a_second_vision_waits_until_the_first_has_gone(port: Port) -> None:
    first = port.connect()
    assert port.arrival() == VisionConnected(True)
    second = port.connect()
    second.send(alive())
    assert port.arrival(0.3) is None
    first.close()
    assert port.arrival() == VisionConnected(False)
    assert port.arrival() == VisionConnected(True)
    assert isinstance(port.arrival(), VisionSaid)


HOSTILE: dict[str, Callable[[Link], object]] = {
    "a lease": lambda vision: vision.send(Lease(Level.ENROL, None, None, 1e9)),
    "noise": lambda vision: vars(vision)["_socket"].send(os.urandom(300)),
    "a deep nest": lambda vision: vars(vision)["_socket"].send(
        b"\x0b\x56\x82\xa1a" + b"\x91" * 2900
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_vision_may_not_say_ends_the_connection_and_the_next_is_let_in(
    port: Port, what: str
) -> None:
    vision = port.connect()
    assert port.arrival() == VisionConnected(True)
    HOSTILE[what](vision)
    assert port.arrival() == VisionConnected(False)
    with pytest.raises(LinkBroken):
        vision.receive(2.0)
    port.connect()
    assert port.arrival() == VisionConnected(True)


@pytest.mark.slow
def test_a_vision_that_says_nothing_is_let_go(port: Port) -> None:
    port.connect()
    assert port.arrival() == VisionConnected(True)
    began_s = time.monotonic()
    assert port.arrival(SILENT_S + 2.0) == VisionConnected(False)
    assert SILENT_S - 0.1 <= time.monotonic() - began_s <= 3.0


def test_a_vision_that_does_not_take_its_leases_is_let_go(port: Port) -> None:
    port.connect()
    assert port.arrival() == VisionConnected(True)
    for _ in range(5000):
        port.port.permit(DETECT, 1.0)
    assert port.arrival() == VisionConnected(False)


def test_closing_ends_the_thread_and_lets_vision_go(port: Port) -> None:
    vision = port.connect()
    assert port.arrival() == VisionConnected(True)
    port.port.close()
    assert port.arrival() == VisionConnected(False)
    with pytest.raises(LinkBroken):
        vision.receive(2.0)
    assert not vars(port.port)["_thread"].is_alive()
    port.port.close()
