"""The code reader's messages: bounded, checked at both ends, and no descriptor stays open."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.code_link import (
    Code,
    CodeRefused,
    CodesAlive,
    Done,
    Frame,
    Packets,
    ToDoor,
)
from terminal.core.values import MAX_CODE_BYTES, CodeFault
from terminal.errors import LinkBroken
from terminal.frame_memory import opened, sealed

PIXELS = bytes(range(256)) * 4


class Pair:
    """Two ends: what is sent at `here` is taken at `there` as one of `heard`."""

    def __init__(self, heard: object) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.raw, self.here = ours, Packets[Done](ours, Done)
        self.there: Packets[Frame | ToDoor] = Packets(theirs, heard)

    def close(self) -> None:
        self.here.close()
        self.there.close()


@pytest.fixture
def to_door() -> Iterator[Pair]:
    pair = Pair(ToDoor)
    yield pair
    pair.close()


@pytest.fixture
def to_qr() -> Iterator[Pair]:
    pair = Pair(Frame)
    yield pair
    pair.close()


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(
    "message",
    [
        CodesAlive(3, 2, 1),
        Code(b"FT1:\x00\xff"),
        Code(b"x" * MAX_CODE_BYTES),
        *(CodeRefused(why) for why in CodeFault),
    ],
)
def test_what_may_be_told_to_the_door_comes_as_it_was_sent(to_door: Pair, message: ToDoor) -> None:
    to_door.here.send(message)
    assert to_door.there.receive(1.0) == (message, None)


@pytest.mark.parametrize(
    "message",
    [
        Frame(1, 64, 64),
        Done(1, True),
        Code(b""),
        Code(b"x" * (MAX_CODE_BYTES + 1)),
        CodesAlive(-1, 0, 0),
        CodesAlive(0, 2**63, 0),
    ],
)
def test_what_may_not_be_told_to_the_door_breaks_the_link(to_door: Pair, message: ToDoor) -> None:
    to_door.here.send(message)
    with pytest.raises(LinkBroken):
        to_door.there.receive(1.0)


def test_a_message_longer_than_any_breaks_the_link(to_door: Pair) -> None:
    to_door.raw.send(bytes(4000))
    with pytest.raises(LinkBroken, match="more than one message"):
        to_door.there.receive(1.0)
    with pytest.raises(LinkBroken, match="too large"):
        to_door.here.send(Code(b"x" * 4000))


@pytest.mark.parametrize("size", [(15, 64), (64, 15), (1921, 64), (64, 1081), (-1, 64)])
def test_a_frame_of_another_size_breaks_the_link(to_qr: Pair, size: tuple[int, int]) -> None:
    to_qr.here.send(Frame(1, *size))
    with pytest.raises(LinkBroken):
        to_qr.there.receive(1.0)


@given(st.binary(min_size=1, max_size=512))
def test_any_bytes_are_a_message_or_break_the_link(datagram: bytes) -> None:
    pair = Pair(ToDoor)
    try:
        pair.raw.send(datagram)
        heard = pair.there.receive(1.0)
    except LinkBroken:
        return
    finally:
        pair.close()
    assert heard is not None and msgspec.msgpack.encode(heard[0])


def test_a_peer_that_has_gone_breaks_the_link(to_door: Pair) -> None:
    to_door.here.close()
    with pytest.raises(LinkBroken, match="closed its end"):
        to_door.there.receive(1.0)


def test_nothing_in_time_is_nothing(to_door: Pair) -> None:
    assert to_door.there.receive(0.0) is None


def test_a_sender_is_never_held_up(to_door: Pair) -> None:
    with pytest.raises(LinkBroken, match="can't be reached"):
        for _ in range(100_000):
            to_door.here.send(CodesAlive(1, 1, 1))


def test_descriptors_of_what_is_refused_are_closed(to_door: Pair) -> None:
    before = open_descriptors()
    for message, descriptors in ((b"\x80", [0]), (b"noise", [0, 1]), (b"", [0])):
        socket.send_fds(to_door.raw, [message], descriptors)
        with pytest.raises(LinkBroken):
            to_door.there.receive(1.0)
    assert open_descriptors() == before


# The frame's memory


def test_a_frame_comes_as_it_was_and_can_not_be_changed(to_qr: Pair) -> None:
    before = open_descriptors()
    with sealed(memoryview(PIXELS)) as descriptor:
        to_qr.here.send(Frame(7, 32, 32), descriptor)
    heard = to_qr.there.receive(1.0)
    assert heard is not None and heard[1] is not None
    with opened(heard[1], 32, 32) as grey:
        assert grey.shape == (32, 32) and grey.readonly
        assert bytes(grey.cast("B")) == PIXELS
    with pytest.raises(OSError, match="Operation not permitted"):
        os.write(heard[1], b"x")
    with pytest.raises(OSError, match="Operation not permitted"):
        os.ftruncate(heard[1], 0)
    os.close(heard[1])
    assert open_descriptors() == before


def refused(descriptor: int, size: tuple[int, int]) -> str:
    with pytest.raises(LinkBroken) as caught, opened(descriptor, *size):
        pass
    return str(caught.value)


def test_memory_of_another_size_is_no_frame() -> None:
    with sealed(memoryview(PIXELS)) as descriptor:
        assert "1056 bytes was announced, 1024 came" in refused(descriptor, (33, 32))


def test_memory_that_can_still_be_changed_is_no_frame() -> None:
    descriptor = os.memfd_create("frame", os.MFD_ALLOW_SEALING)
    os.write(descriptor, PIXELS)
    assert "can still be changed" in refused(descriptor, (32, 32))
    os.close(descriptor)


def test_a_pipe_is_no_frame() -> None:
    here, there = os.pipe()
    assert "no frame" in refused(here, (32, 32))
    os.close(here)
    os.close(there)
