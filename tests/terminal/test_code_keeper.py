"""A decoder may die in any way at any moment: it costs that frame and nothing else (A8)."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from terminal.code_keeper import LONGEST_PAUSE_S, Backoff
from terminal.code_link import Code, CodeMessage, CodeRefused, Frame
from terminal.core.values import CodeFault
from terminal.errors import LinkBroken
from tests.terminal.given_codes import CodeProcess, code_process, frame_saying

PASS, OTHER = b"FT1:ABC", b"FT1:XYZ"


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[CodeProcess]:
    with code_process(tmp_path) as made:
        yield made


def test_a_code_goes_to_the_door_and_vision_hears_only_that_there_was_one(
    reader: CodeProcess,
) -> None:
    assert reader.looks(frame_saying(PASS))
    assert reader.told() == [Code(PASS)]
    assert not reader.looks(frame_saying(b""))
    assert reader.told() == []


DEATHS = {
    "killed": b"KILL",
    "a memory error": b"SEGV",
    "all memory": b"HOGS",
    "raising": b"FAIL",
    "an end that nobody asked for": b"EXIT",
    "writing a file": b"FILE",
    "too many descriptors": b"OPEN",
}


@pytest.mark.requirement("A8", "T15")
@pytest.mark.parametrize("how", DEATHS)
def test_a_decoder_that_dies_costs_one_frame(reader: CodeProcess, how: str) -> None:
    assert not reader.looks(frame_saying(DEATHS[how]), within_s=1.0), "vision is answered for it"
    assert reader.looks(frame_saying(PASS), within_s=1.0), "the next frame is read"
    assert reader.told() == [Code(PASS)], "the door hears the code and no garbage"
    assert reader.alive().crashes == 1
    assert reader.process.poll() is None
    assert not Path("/dev/shm/written-by-a-worker").stat().st_size if how == "writing a file" else 1


@pytest.mark.requirement("A8", "T15")
def test_a_decoder_that_loops_is_ended_by_the_kernel_after_a_second(reader: CodeProcess) -> None:
    began_s = time.monotonic()
    assert not reader.looks(frame_saying(b"LOOP"), within_s=10.0)
    assert time.monotonic() - began_s >= 0.9
    assert reader.looks(frame_saying(PASS))
    assert reader.told() == [Code(PASS)]
    assert reader.alive().crashes == 1


@pytest.mark.requirement("A8")
@pytest.mark.slow
def test_a_decoder_that_hangs_without_using_time_is_ended_too(reader: CodeProcess) -> None:
    began_s = time.monotonic()
    assert not reader.looks(frame_saying(b"HANG"), within_s=5.0)
    assert time.monotonic() - began_s <= 3.0
    assert reader.looks(frame_saying(PASS))


@pytest.mark.requirement("A8")
def test_a_worker_that_is_killed_between_frames_costs_none(reader: CodeProcess) -> None:
    assert reader.looks(frame_saying(PASS))
    os.kill(reader.worker_pid(), signal.SIGKILL)
    assert reader.looks(frame_saying(OTHER), within_s=1.0)
    assert reader.alive().crashes == 1


@pytest.mark.requirement("A8", "T15")
@pytest.mark.slow
def test_a_storm_of_crash_inputs_is_slowed_and_the_next_frame_is_read(
    reader: CodeProcess,
) -> None:
    """One after the other, as fast as they are answered; the door hears nothing of them."""
    for _ in range(6):
        assert not reader.looks(frame_saying(b"SEGV"), within_s=3.0)
    began_s = time.monotonic()
    for _ in range(3):
        assert not reader.looks(frame_saying(b"KILL"), within_s=3.0)
    assert time.monotonic() - began_s >= 2 * LONGEST_PAUSE_S * 0.9, "no fork bomb"
    assert reader.looks(frame_saying(PASS), within_s=3.0)
    assert reader.told() == [Code(PASS)]
    assert reader.alive().crashes == 9


def test_the_first_death_is_not_waited_for_and_a_storm_is_never_faster_than_one_a_second() -> None:
    backoff = Backoff()
    pauses = [backoff.died(100.0 + number * 0.01) for number in range(12)]
    assert pauses[0] == 0.0
    assert pauses == sorted(pauses) and pauses[-1] == LONGEST_PAUSE_S
    assert backoff.died(200.0) == 0.0, "it is forgotten"


@pytest.mark.requirement("A8")
def test_a_worker_has_what_it_needs_and_nothing_else(reader: CodeProcess) -> None:
    assert reader.looks(frame_saying(PASS))
    status = Path(f"/proc/{reader.worker_pid()}/status").read_text()
    assert "NoNewPrivs:\t1" in status
    assert "Threads:\t1" in status


@pytest.mark.requirement("A8")
def test_the_workers_limits_are_the_kernels(reader: CodeProcess) -> None:
    assert reader.looks(frame_saying(PASS))
    lines = Path(f"/proc/{reader.worker_pid()}/limits").read_text().splitlines()
    limits = {line[:25].strip(): line[25:].split()[:2] for line in lines}
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max file size"] == ["0", "0"]
    assert int(limits["Max address space"][1]) < 2**30
    assert int(limits["Max open files"][1]) <= 64


@pytest.mark.parametrize("busy_with", [b"", b"HANG"])
def test_when_the_keeper_ends_its_worker_does(reader: CodeProcess, busy_with: bytes) -> None:
    assert reader.looks(frame_saying(PASS))
    worker = reader.worker_pid()
    reader.shows(frame_saying(busy_with))
    assert reader.answer(0.2) is None or not busy_with
    reader.process.kill()
    reader.process.wait()
    end_s = time.monotonic() + 5.0
    while Path(f"/proc/{worker}").exists() and _is_running(worker):
        assert time.monotonic() < end_s


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_goes_on_without_a_door_and_tells_the_next_one(reader: CodeProcess) -> None:
    assert reader.looks(frame_saying(PASS))
    assert reader.told() == [Code(PASS)]
    reader.meet_the_door_again()
    reader.alive()
    deadline_s = time.monotonic() + 5.0
    told: list[CodeMessage] = []
    while not told:
        assert time.monotonic() < deadline_s
        assert reader.looks(frame_saying(PASS))
        told = reader.told(0.1)
    assert told == [Code(PASS)], "what is in view is told anew to a door that did not hear it"


def test_a_vision_that_comes_back_is_let_in(reader: CodeProcess) -> None:
    assert reader.looks(frame_saying(PASS))
    reader.vision_comes_back()
    assert reader.looks(frame_saying(OTHER))


def _unsealed(reader: CodeProcess) -> None:
    descriptor = os.memfd_create("frame", os.MFD_ALLOW_SEALING)
    os.write(descriptor, bytes(64 * 64))
    reader.vision.send(Frame(1, 64, 64), descriptor)
    os.close(descriptor)


def _no_memory(reader: CodeProcess) -> None:
    descriptor = os.open(os.devnull, os.O_RDONLY)
    reader.vision.send(Frame(1, 64, 64), descriptor)
    os.close(descriptor)


def _noise(reader: CodeProcess) -> None:
    vars(reader.vision)["_socket"].send(os.urandom(200))


def _many(reader: CodeProcess) -> None:
    connected: socket.socket = vars(reader.vision)["_socket"]
    socket.send_fds(connected, [b"\x80"], [0, 1, 2])


HOSTILE = {
    "a frame without its memory": lambda reader: reader.vision.send(Frame(1, 64, 64)),
    "memory that can still be changed": _unsealed,
    "a device": _no_memory,
    "noise": _noise,
    "three descriptors": _many,
}


@pytest.mark.requirement("A8")
@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_frame_ends_the_connection_and_kills_nobody(
    reader: CodeProcess, what: str
) -> None:
    HOSTILE[what](reader)
    with pytest.raises(LinkBroken):
        reader.answer(3.0)
    reader.vision_comes_back()
    assert reader.looks(frame_saying(PASS))
    assert reader.told() == [Code(PASS)]
    assert reader.alive().crashes == 0


def test_several_passes_are_refused_and_none_is_told(reader: CodeProcess) -> None:
    assert reader.looks(frame_saying(PASS + b"|" + OTHER))
    assert reader.told() == [CodeRefused(CodeFault.SEVERAL)]
