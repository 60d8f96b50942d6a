"""What the tests of the code reader are given: drawn codes, and a keeper with a stand-in decoder.

`python -m tests.terminal.given_codes FOLDER` is the real keeper with the real sockets, forks and
limits; only its decoder is made up: it does what the first bytes of a frame tell it to, so that a
worker can be made to die in every way. What changes with this file: every test of the code reader.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import segno

from terminal.code_keeper import Keeper
from terminal.code_link import CodeMessage, CodesAlive, Done, Frame, Packets, ToDoor
from terminal.frame_memory import sealed
from terminal.sockets import connect, listen

Image = npt.NDArray[np.uint8]

WIDTH_PX, HEIGHT_PX = 64, 64


def drawn(*contents: bytes, module_px: int = 4, error: str = "m") -> Image:
    """QR codes side by side, flat and black on white: uint8 (rows, columns)."""
    codes = [_one(content, module_px, error) for content in contents]
    tall = max(code.shape[0] for code in codes)
    filled = [
        np.pad(code, ((0, tall - code.shape[0]), (0, 0)), constant_values=255) for code in codes
    ]
    return np.ascontiguousarray(np.hstack(filled))


def _one(content: bytes, module_px: int, error: str) -> Image:
    code = segno.make(content, micro=False, error=error, mode="byte", boost_error=False)
    modules = np.array([list(row) for row in code.matrix], np.uint8)
    light = np.pad(1 - modules, 4, constant_values=1) * np.uint8(255)
    return np.kron(light, np.ones((module_px, module_px), np.uint8)).astype(np.uint8)


def told_by_the_frame(grey: memoryview) -> tuple[bytes, ...]:
    """The stand-in decoder: the frame says what happens, or what codes are in it."""
    words = bytes(grey.cast("B")[:512]).rstrip(b"\0")
    match words[:4]:
        case b"KILL":
            os.kill(os.getpid(), signal.SIGKILL)
        case b"SEGV":
            ctypes.string_at(0)
        case b"HOGS":
            return (bytes(2**30),)
        case b"LOOP":
            while True:
                pass
        case b"HANG":
            time.sleep(60)
        case b"FAIL":
            raise ValueError("a decoder that raises")
        case b"EXIT":
            os._exit(0)
        case b"FILE":
            with open("/dev/shm/written-by-a-worker", "wb") as file:
                file.write(b"x")
        case b"OPEN":
            held = [os.open(os.devnull, os.O_RDONLY) for _ in range(64)]
            return (bytes(len(held)),)
    return tuple(words.split(b"|")) if words else ()


def frame_saying(words: bytes) -> Image:
    """A frame that tells the stand-in decoder what to do."""
    pixels = np.zeros(WIDTH_PX * HEIGHT_PX, np.uint8)
    pixels[: len(words)] = np.frombuffer(words, np.uint8)
    return pixels.reshape(HEIGHT_PX, WIDTH_PX)


class CodeProcess:
    """A keeper as a process of its own, the door it tells, and the vision that it hears."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._listener = listen(folder / "codes.sock", socket.SOCK_SEQPACKET, 0o600)
        self._listener.settimeout(10.0)
        command = [sys.executable, "-m", "tests.terminal.given_codes", str(folder)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE)
        self.door: Packets[ToDoor] = Packets(self._listener.accept()[0], ToDoor)
        self.vision = self.connect()
        self._number = 0

    def connect(self) -> Packets[Done]:
        return Packets(connect(self.folder / "qr.sock", socket.SOCK_SEQPACKET), Done)

    def meet_the_door_again(self) -> None:
        """The door ends and is there anew."""
        self.door.close()
        self.door = Packets(self._listener.accept()[0], ToDoor)

    def shows(self, frame: Image) -> int:
        """Hand a frame over; its number."""
        self._number += 1
        height_px, width_px = frame.shape
        with sealed(frame.data.cast("B")) as descriptor:
            self.vision.send(Frame(self._number, width_px, height_px), descriptor)
        return self._number

    def answer(self, within_s: float = 5.0) -> Done | None:
        heard = self.vision.receive(within_s)
        return None if heard is None else heard[0]

    def looks(self, frame: Image, within_s: float = 5.0) -> bool:
        """Hand a frame over and wait for its answer: whether a code was found."""
        number = self.shows(frame)
        done = self.answer(within_s)
        assert done is not None and done.number == number
        return done.found

    def told(self, within_s: float = 0.3) -> list[CodeMessage]:
        """Everything that the door was told, but how it goes."""
        return [one for one in self.heard(within_s) if not isinstance(one, CodesAlive)]

    def heard(self, within_s: float) -> list[CodeMessage]:
        """Everything that the door hears in so long."""
        said: list[CodeMessage] = []
        end_s = time.monotonic() + within_s
        while (left_s := end_s - time.monotonic()) > 0:
            if (one := self.door.receive(left_s)) is not None:
                said.append(one[0])
        return said

    def alive(self) -> CodesAlive:
        """The newest that it says of itself, a second from now."""
        return [one for one in self.heard(1.1) if isinstance(one, CodesAlive)][-1]

    def vision_comes_back(self) -> None:
        """Vision ends and is there anew."""
        self.vision.close()
        self.vision = self.connect()

    def worker_pid(self) -> int:
        """The child that looks at frames."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        end_s = time.monotonic() + 5.0
        while not (pids := children.read_text().split()):
            assert time.monotonic() < end_s
        return int(pids[0])

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10.0)
        assert self.process.stderr is not None
        self.process.stderr.close()
        self.vision.close()
        self.door.close()
        self._listener.close()


@contextmanager
def code_process(folder: Path) -> Iterator[CodeProcess]:
    """One that is ended at the end."""
    made = CodeProcess(folder)
    try:
        yield made
    finally:
        made.close()


def main(folder: Path) -> None:
    """Be the keeper, until terminated."""

    def admit() -> socket.socket | None:
        return listener.accept()[0]

    def meet() -> socket.socket | None:
        try:
            return connect(folder / "codes.sock", socket.SOCK_SEQPACKET, waits=False)
        except OSError:
            return None

    def end(*_: object) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    listener = listen(folder / "qr.sock", socket.SOCK_SEQPACKET, 0o600)
    keeper = Keeper(listener, admit, meet, told_by_the_frame, time.monotonic)
    try:
        while True:
            keeper.turn()
    finally:
        keeper.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
