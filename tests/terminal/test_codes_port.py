"""The door's end: what the code reader says is bounded, and it works only while it looks."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw.bench_clock import FakeClock
from terminal.arrivals import CODES_WAITING, Arrival, CodeRefusedSeen, CodeSeen, CodesWorking, Inbox
from terminal.code_link import Code, CodeMessage, CodeRefused, CodesAlive, Done, Packets
from terminal.codes_port import PER_S, SILENT_S, STALLED_S, Allowance, CodesPort
from terminal.core.values import CodeFault
from terminal.sockets import connect


class Port:
    """A port in our time, what arrives from it, and a code reader."""

    def __init__(self, folder: Path, uids: frozenset[int]) -> None:
        self.time, self.inbox = FakeClock(), Inbox()
        self.time.advance(1000.0)
        self.path = folder / "codes.sock"
        self.port = CodesPort(self.path, self.inbox, uids, self.time)
        self.port.start()
        self.qr = self.connect()

    def connect(self) -> Packets[CodeMessage]:
        return Packets(connect(self.path, socket.SOCK_SEQPACKET), CodeMessage)

    def arrival(self, within_s: float = 5.0) -> Arrival | None:
        return self.inbox.get(within_s)

    def says_it_looked(self, frames: int) -> None:
        """And waits until the port has heard it."""
        alive = CodesAlive(frames, 0, 0)
        self.qr.send(alive)
        deadline_s = time.monotonic() + 5.0
        while self.port.alive != alive:
            assert time.monotonic() < deadline_s

    def close(self) -> None:
        self.qr.close()
        self.port.close()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Port]:
    made = Port(tmp_path, frozenset({os.geteuid()}))
    yield made
    made.close()


def test_codes_and_refusals_arrive(port: Port) -> None:
    port.qr.send(Code(b"FT1:\x00"))
    assert port.arrival() == CodeSeen(b"FT1:\x00")
    for why in CodeFault:
        port.qr.send(CodeRefused(why))
        assert port.arrival() == CodeRefusedSeen(why)


def test_it_works_once_it_looks_and_no_longer_when_it_stops_looking(port: Port) -> None:
    port.says_it_looked(0)
    assert port.arrival(0.1) is None, "being there is not working"
    port.says_it_looked(1)
    assert port.arrival() == CodesWorking(True)
    port.time.advance(STALLED_S - 0.1)
    port.says_it_looked(1)  # crashes, or no frame comes
    assert port.arrival(0.1) is None
    port.time.advance(0.2)
    port.qr.send(CodesAlive(1, 0, 5))
    assert port.arrival() == CodesWorking(False)
    port.says_it_looked(2)
    assert port.arrival() == CodesWorking(True)


def test_when_it_ends_it_no_longer_works(port: Port) -> None:
    port.says_it_looked(0)
    port.says_it_looked(1)
    assert port.arrival() == CodesWorking(True)
    port.qr.close()
    assert port.arrival() == CodesWorking(False)
    assert port.port.alive is None


@pytest.mark.slow
def test_one_that_says_nothing_is_let_go(port: Port) -> None:
    port.says_it_looked(0)
    port.says_it_looked(1)
    assert port.arrival() == CodesWorking(True)
    assert port.arrival(SILENT_S + 2.0) == CodesWorking(False)


@pytest.mark.requirement("A8", "T23")
def test_more_tellings_than_it_promised_are_dropped(port: Port) -> None:
    for number in range(100):
        port.qr.send(Code(b"FT1:%d" % number))
    port.says_it_looked(1)
    assert port.port.dropped == 100 - PER_S
    port.time.advance(1.0)
    port.qr.send(Code(b"FT1:later"))
    codes = [port.arrival() for _ in range(CODES_WAITING)]
    assert [one.payload for one in codes if isinstance(one, CodeSeen)] == [
        b"FT1:%d" % number for number in range(CODES_WAITING)
    ]


@pytest.mark.requirement("T23")
def test_so_many_codes_wait_for_the_loop_and_a_card_still_gets_in(port: Port) -> None:
    for number in range(20):
        port.inbox.put(CodeSeen(b"%d" % number))
        port.inbox.put(CodeRefusedSeen(CodeFault.FOREIGN))
    assert port.inbox.dropped == 40 - CODES_WAITING
    port.inbox.put(CodesWorking(False))
    arrivals = [port.arrival() for _ in range(CODES_WAITING + 1)]
    assert arrivals[-1] == CodesWorking(False), "that it fails is never dropped"


@pytest.mark.requirement("A8")
@pytest.mark.parametrize("what", ["noise", "another's message", "a descriptor", "too much"])
def test_what_it_may_not_say_ends_the_connection_and_the_next_is_let_in(
    port: Port, what: str
) -> None:
    port.says_it_looked(0)
    port.says_it_looked(1)
    assert port.arrival() == CodesWorking(True)
    raw: socket.socket = vars(port.qr)["_socket"]
    match what:
        case "noise":
            raw.send(os.urandom(100))
        case "another's message":
            port.qr.send(Done(1, True))
        case "a descriptor":
            port.qr.send(CodesAlive(2, 0, 0), 0)
        case _:
            raw.send(bytes(3000))
    assert port.arrival() == CodesWorking(False)
    port.qr.close()
    port.qr = port.connect()
    port.qr.send(Code(b"FT1:A"))
    assert port.arrival() == CodeSeen(b"FT1:A")


def test_another_account_is_turned_away(tmp_path: Path) -> None:
    made = Port(tmp_path, frozenset({os.geteuid() + 1}))
    with pytest.raises(Exception, match=r"closed its end|reset|heard"):
        made.qr.receive(2.0)
    made.close()


def test_an_allowance_flows_in_and_does_not_pile_up() -> None:
    allowance = Allowance(4.0)
    assert sum(allowance.take(100.0) for _ in range(10)) == 4
    assert sum(allowance.take(100.5) for _ in range(10)) == 2
    assert sum(allowance.take(1000.0) for _ in range(10)) == 4
    assert not allowance.take(999.0), "time that runs backwards gives nothing"
