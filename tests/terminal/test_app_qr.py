"""The code reader as it is started: what it loads, and real pictures through the real decoder."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from terminal.app import CODES_SOCKET, QR_SOCKET
from terminal.arrivals import CODES_WAITING, CodeRefusedSeen, CodeSeen, CodesWorking, Inbox
from terminal.code_link import Code, CodeMessage, CodeRefused, CodesAlive, Done, Frame, Packets
from terminal.codes_port import CodesPort
from terminal.core.values import CodeFault
from terminal.demo.stage import prepare
from terminal.frame_memory import sealed
from terminal.sockets import accounts, connect
from tests.terminal.given_codes import Image, drawn

LOADED = """
import sys
import terminal.app_qr, terminal.__main__
for name in sorted(sys.modules):
    print(name.partition(".")[0] if not name.startswith(("hw", "models", "terminal")) else name)
"""

UNWANTED = {
    "numpy", "cv2", "sqlite3", "cryptography", "gpiozero", "evdev", "ai_edge_litert", "picamera2",
    "hw.camera", "hw.gpio", "hw.ports", "terminal.store", "terminal.sealing", "terminal.memory",
    "terminal.arrivals", "terminal.vision", "models.runtime", "asyncio", "ssl",
}  # fmt: skip


@pytest.mark.requirement("A8")
def test_it_loads_nothing_that_it_is_not_there_for() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], check=True, capture_output=True, text=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert "zxingcpp" in loaded and "terminal.app_qr" in loaded
    assert not loaded & UNWANTED


class RealReader:
    """The code reader of the product, between a vision and a door of ours."""

    def __init__(self, folder: Path) -> None:
        config = prepare(folder / "run", "bench")
        self.inbox = Inbox()
        path = folder / "run" / CODES_SOCKET
        self.port = CodesPort(path, self.inbox, accounts("nobody"), time.monotonic)
        self.port.start()
        command = [sys.executable, "-m", "terminal", "qr", "--config", str(config)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE)
        self.path = folder / "run" / QR_SOCKET
        self._wait_for(self.path)
        self.vision: Packets[Done] = Packets(connect(self.path, socket.SOCK_SEQPACKET), Done)
        self._number = 0

    def looks(self, grey: Image) -> bool:
        """Hand over a frame; whether somebody held up a code in it."""
        self._number += 1
        height_px, width_px = grey.shape
        with sealed(grey.data.cast("B")) as descriptor:
            self.vision.send(Frame(self._number, width_px, height_px), descriptor)
        heard = self.vision.receive(5.0)
        assert heard is not None and heard[0].number == self._number
        return heard[0].found

    def told(self, within_s: float = 0.5) -> list[object]:
        """What the door was told, but whether it works."""
        said: list[object] = []
        end_s = time.monotonic() + within_s
        while (left_s := end_s - time.monotonic()) > 0:
            arrival = self.inbox.get(left_s)
            if arrival is not None and not isinstance(arrival, CodesWorking):
                said.append(arrival)
        return said

    def alive(self) -> CodesAlive:
        """What it says of itself a moment from now."""
        time.sleep(0.7)
        alive = self.port.alive
        assert alive is not None
        return alive

    def _wait_for(self, path: Path) -> None:
        deadline_s = time.monotonic() + 20.0
        while not path.is_socket():
            assert self.process.poll() is None and time.monotonic() < deadline_s
            time.sleep(0.02)

    def close(self) -> None:
        self.process.terminate()
        assert self.process.wait(10.0) == 0
        assert self.process.stderr is not None
        self.process.stderr.close()
        self.vision.close()
        self.port.close()


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[RealReader]:
    made = RealReader(tmp_path)
    yield made
    made.close()


HOSTILE: dict[str, tuple[Image, object]] = {
    "2,953 bytes": (drawn(b"FT1:" + b"x" * 2949, error="l"), CodeRefusedSeen(CodeFault.TOO_LONG)),
    "2,953 bytes of somebody's": (
        drawn(b"y" * 2953, error="l"),
        CodeRefusedSeen(CodeFault.FOREIGN),
    ),
    "a quote": (drawn(b"'; DROP TABLE holders; --"), CodeRefusedSeen(CodeFault.FOREIGN)),
    "a quote of ours": (drawn(b"FT1:' OR ''='"), CodeSeen(b"FT1:' OR ''='")),
    "a NUL": (drawn(b"\x00\x00"), CodeRefusedSeen(CodeFault.FOREIGN)),
    "right to left": (drawn("‮FT1:ABC".encode()), CodeRefusedSeen(CodeFault.FOREIGN)),
    "ten at once": (
        drawn(*(b"FT1:%d" % one for one in range(10))),
        CodeRefusedSeen(CodeFault.SEVERAL),
    ),
}


@pytest.mark.requirement("A9")
def test_hostile_codes_are_one_clear_word_each_and_no_restart(reader: RealReader) -> None:
    """A quote behind our prefix goes on byte for byte: the pass grammar refuses it at the door."""
    for what, (picture, says) in HOSTILE.items():
        for _ in range(5):
            assert reader.looks(picture), what
        assert reader.told() == [says], what
    assert reader.alive().crashes == 0
    assert reader.process.poll() is None


def damaged(number: int) -> Image:
    """A code that is cut, smeared, scratched, folded or filled with noise; always the same."""
    rng = np.random.default_rng(number)
    content = b"FT1:" + bytes(rng.integers(0, 256, int(rng.integers(1, 400)), np.uint8))
    picture = drawn(content, error="l", module_px=int(rng.integers(1, 4)))
    for _ in range(int(rng.integers(1, 6))):
        y, x = (int(rng.integers(0, side)) for side in picture.shape)
        tall, wide = (int(one) for one in rng.integers(1, 60, 2))
        here = picture[y : y + tall, x : x + wide]
        match int(rng.integers(0, 4)):
            case 0:
                here[...] = rng.integers(0, 256)
            case 1:
                here[...] = rng.integers(0, 256, here.shape, np.uint8)
            case 2:
                here[...] = here[::-1, ::-1].copy()
            case _:
                picture = np.ascontiguousarray(np.roll(picture, wide, axis=int(wide % 2)))
    return picture[: 16 + int(rng.integers(0, 400)), : 16 + int(rng.integers(0, 400))].copy()


@pytest.mark.requirement("T15", "A9")
@pytest.mark.slow
def test_a_thousand_damaged_codes_end_nothing(reader: RealReader) -> None:
    for number in range(1000):
        reader.looks(damaged(number))
    alive = reader.alive()
    assert (alive.frames, alive.crashes) == (1000, 0)
    assert alive.decoded > 50, "some of them are still read, so they are codes"
    assert reader.process.poll() is None
    assert all(isinstance(one, CodeSeen | CodeRefusedSeen) for one in reader.told())


@pytest.mark.requirement("A9", "T23")
@pytest.mark.slow
def test_strobing_codes_and_noise_end_nothing_and_flood_nobody(reader: RealReader) -> None:
    """For ten seconds, as fast as they are taken: a new code or new noise in every frame."""
    rng = np.random.default_rng(7)
    frames = 0
    arrived: list[float] = []
    end_s = time.monotonic() + 10.0
    while time.monotonic() < end_s:
        if frames % 3:
            assert reader.looks(drawn(b"FT1:%d" % frames))
        else:
            reader.looks(rng.integers(0, 256, (480, 640), np.uint8))
        frames += 1
        while (one := reader.inbox.get(0.0)) is not None:
            if isinstance(one, CodeSeen):
                arrived.append(time.monotonic())
    assert frames > 200
    assert 20 <= len(arrived) <= 4 * 10 + 1
    alive = reader.alive()
    assert alive.crashes == 0 and alive.frames == frames
    assert reader.process.poll() is None
    assert reader.port.dropped == 0


@pytest.mark.requirement("T23")
def test_a_loop_that_takes_nothing_has_few_codes_waiting(reader: RealReader) -> None:
    began_s = time.monotonic()
    number = 0
    while time.monotonic() - began_s < 2.5:
        number += 1
        assert reader.looks(drawn(b"FT1:%d" % number))
    assert len(reader.told(0.2)) == CODES_WAITING
    assert reader.inbox.dropped >= 2


def test_it_refuses_to_start_where_it_can_not_listen(tmp_path: Path) -> None:
    config = prepare(tmp_path / "run", "bench")
    text = config.read_text().replace(f'qr = "{tmp_path / "run"}"', 'qr = "/proc"')
    config.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "terminal", "qr", "--config", str(config)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 78
    assert len(done.stderr.splitlines()) == 1 and "/proc/qr.sock" in done.stderr


def test_messages_between_them_are_the_ones_that_are_documented() -> None:
    kinds = {kind.__name__ for kind in CodeMessage.__subclasses__()}
    assert kinds == {"Frame", "Done", "CodesAlive", "Code", "CodeRefused"}
    assert {Code, CodeRefused} <= set(CodeMessage.__subclasses__())
