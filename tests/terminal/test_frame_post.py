"""Frames go to the code reader one at a time, and vision goes on whatever becomes of it."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from hw.bench_clock import FakeClock
from terminal.code_link import Done, Frame, Packets
from terminal.frame_memory import opened
from terminal.frame_post import ANSWER_S, CONNECT_EVERY_S, FIRST_S, FOUND_S, OFTEN_S, FramePost

SIZE = (48, 32)
FRAME = np.full((32, 48, 3), 90, np.uint8)


class Reader:
    """The code reader's end of one connection after another, and a post to it in our time."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self.time = FakeClock()
        self.is_there = True
        self.asked = 0
        self.ends: list[Packets[Frame]] = []
        self.also = os.pipe()
        self.post = FramePost(self._connect, *SIZE, clock or self.time)

    def _connect(self) -> socket.socket:
        self.asked += 1
        if not self.is_there:
            raise ConnectionRefusedError
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ends.append(Packets(theirs, Frame))
        return ours

    def takes(self) -> Frame | None:
        """The frame that has come."""
        heard = self.ends[-1].receive()
        if heard is None:
            return None
        assert heard[1] is not None
        os.close(heard[1])
        return heard[0]

    def answers(self, found: bool = False) -> None:
        frame = self.takes()
        assert frame is not None
        self.ends[-1].send(Done(frame.number, found))

    def offers(self, *, often: bool = True) -> None:
        self.post.offer(FRAME, self.time(), often)

    def fileno(self) -> int:
        return self.also[0]

    def close(self) -> None:
        self.post.close()
        for end in self.ends:
            end.close()
        for descriptor in self.also:
            os.close(descriptor)


@pytest.fixture
def reader() -> Iterator[Reader]:
    made = Reader()
    yield made
    made.close()


@pytest.fixture
def real() -> Iterator[Reader]:
    """In real time, for what waits."""
    made = Reader(time.monotonic)
    yield made
    made.close()


def test_a_frame_comes_grey_and_sealed_and_the_copy_is_overwritten(reader: Reader) -> None:
    reader.offers()
    heard = reader.ends[0].receive()
    assert heard is not None and heard[1] is not None
    assert heard[0] == Frame(1, *SIZE)
    with opened(heard[1], *SIZE) as grey:
        assert set(bytes(grey.cast("B"))) == {90}
    os.close(heard[1])
    assert not vars(reader.post)["_grey"].any()


@pytest.mark.parametrize(("often", "count"), [(True, 10), (False, 2)])
def test_frames_are_handed_over_so_often_and_no_oftener(
    reader: Reader, often: bool, count: int
) -> None:
    for _ in range(100):
        reader.offers(often=often)
        if reader.ends and (frame := reader.takes()) is not None:
            reader.ends[-1].send(Done(frame.number, False))
        reader.time.advance(0.01)
    assert reader.post.posted == count


def test_one_frame_is_on_its_way_at_a_time(reader: Reader) -> None:
    for _ in range(20):
        reader.offers()
        reader.time.advance(OFTEN_S)
    assert reader.post.posted == 1
    reader.answers()
    reader.offers()
    assert reader.post.posted == 2


def test_without_a_code_reader_vision_goes_on_and_asks_for_it_once_a_second(
    reader: Reader,
) -> None:
    reader.is_there = False
    for _ in range(100):
        reader.offers()
        reader.post.look_first(FRAME, reader.time(), lambda: True, reader)
        reader.time.advance(0.1)
    assert reader.post.posted == 0 and not reader.post.holds_code
    assert 9 <= reader.asked <= 11
    reader.is_there = True
    reader.time.advance(CONNECT_EVERY_S)
    reader.offers()
    assert reader.post.posted == 1


def test_a_code_reader_that_goes_and_comes_back_is_connected_to_anew(reader: Reader) -> None:
    reader.offers()
    reader.ends[0].close()
    reader.time.advance(CONNECT_EVERY_S)
    reader.offers()
    reader.time.advance(CONNECT_EVERY_S)
    reader.offers()
    assert len(reader.ends) == 2 and reader.takes() is not None


def test_one_that_never_answers_is_let_go(reader: Reader) -> None:
    reader.offers()
    reader.time.advance(ANSWER_S)
    reader.offers()
    reader.time.advance(CONNECT_EVERY_S)
    reader.offers()
    assert len(reader.ends) == 2


@pytest.mark.parametrize("number", [0, 2, 99])
def test_an_answer_to_another_frame_ends_the_connection(reader: Reader, number: int) -> None:
    reader.offers()
    reader.ends[0].send(Done(number, True))
    reader.offers()
    assert not reader.post.holds_code
    assert reader.takes() is not None
    with pytest.raises(Exception, match="closed its end"):
        reader.ends[0].receive(1.0)


def test_a_code_counts_for_a_second_after_it_was_found(reader: Reader) -> None:
    reader.offers()
    reader.answers(found=True)
    reader.offers()
    assert reader.post.holds_code
    reader.time.advance(FOUND_S - 0.01)
    assert reader.post.holds_code
    reader.time.advance(0.02)
    assert not reader.post.holds_code


# Codes first


def answering(reader: Reader, found: bool, frames: int) -> threading.Thread:
    """Answers so many frames as they come."""

    def answer() -> None:
        deadline_s = time.monotonic() + 2.0
        answered = 0
        while time.monotonic() < deadline_s and answered < frames:
            if reader.ends and (frame := reader.takes()) is not None:
                reader.ends[-1].send(Done(frame.number, found))
                answered += 1

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    return thread


@pytest.mark.requirement("D1")
def test_the_very_frame_is_looked_at_before_anything_goes_on(real: Reader) -> None:
    thread = answering(real, found=True, frames=1)
    real.post.look_first(FRAME, 1.0, lambda: True, real)
    assert real.post.holds_code
    thread.join(3.0)


@pytest.mark.requirement("D1")
def test_a_frame_that_is_on_its_way_is_waited_for_and_then_this_one(real: Reader) -> None:
    real.post.offer(FRAME, 1.0, often=True)
    thread = answering(real, found=False, frames=2)
    real.post.look_first(FRAME, 2.0, lambda: True, real)
    assert real.post.posted == 2
    thread.join(3.0)


def test_a_frame_that_was_just_offered_is_not_handed_over_twice(real: Reader) -> None:
    real.post.offer(FRAME, 1.0, often=True)
    thread = answering(real, found=False, frames=1)
    real.post.look_first(FRAME, 1.0, lambda: True, real)
    assert real.post.posted == 1
    thread.join(3.0)


def test_it_is_waited_for_no_longer_than_its_bound_and_not_twice(real: Reader) -> None:
    began_s = time.monotonic()
    real.post.look_first(FRAME, 1.0, lambda: True, real)
    first_s = time.monotonic() - began_s
    assert FIRST_S * 0.9 <= first_s <= FIRST_S + 0.1
    for number in range(20):
        real.post.look_first(FRAME, 2.0 + number, lambda: True, real)
    assert time.monotonic() - began_s - first_s <= 0.05, "a slow one costs a scan one wait"


@pytest.mark.requirement("D10", "T35")
def test_when_the_permission_ends_nothing_is_waited_for(real: Reader) -> None:
    """The door's word comes on the other descriptor, and ends the wait at once."""
    os.write(real.also[1], b"x")
    asked = iter([True, False])
    began_s = time.monotonic()
    real.post.look_first(FRAME, 1.0, lambda: next(asked), real)
    assert time.monotonic() - began_s < FIRST_S / 2
