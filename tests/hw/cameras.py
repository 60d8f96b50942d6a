"""Cameras for tests: generated clips and folders, and stand-ins for what only hardware has."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np

from hw.ports import FrameSize, Image

SIZE = FrameSize(160, 120)

RED, GREEN, BLUE = (220, 20, 20), (20, 220, 20), (20, 20, 220)
"""RGB."""

Colour = tuple[int, int, int]


def bgr(colour: Colour, size: FrameSize = SIZE) -> Image:
    """A picture of one colour (given as RGB) in OpenCV's order."""
    picture = np.zeros((size.height_px, size.width_px, 3), np.uint8)
    picture[...] = colour[::-1]
    return picture


def frame(size: FrameSize = SIZE) -> Image:
    """A frame to read into, full of what must not stay."""
    return np.full((size.height_px, size.width_px, 3), 77, np.uint8)


def middle(picture: Image) -> Colour:
    """The colour in the middle, RGB."""
    red, green, blue = picture[picture.shape[0] // 2, picture.shape[1] // 2]
    return int(red), int(green), int(blue)


def is_about(colour: Colour, expected: Colour) -> bool:
    """Compression may change a little."""
    return all(abs(one - other) <= 12 for one, other in zip(colour, expected, strict=True))


def make_clip(
    path: Path, colours: Sequence[Colour], rate_hz: float = 10.0, size: FrameSize = SIZE
) -> Path:
    """A clip with one frame of each colour."""
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate_hz, (size.width_px, size.height_px)
    )
    assert writer.isOpened()
    for colour in colours:
        writer.write(bgr(colour, size))
    writer.release()
    return path


def make_folder(path: Path, colours: Sequence[Colour], size: FrameSize = SIZE) -> Path:
    """A folder with one picture of each colour, and something that is none."""
    path.mkdir()
    for at, colour in enumerate(colours):
        assert cv2.imwrite(str(path / f"{at:02}.png"), bgr(colour, size))
    (path / "notes.txt").write_text("not a picture")
    return path


class FakeCapture:
    """A stand-in for `cv2.VideoCapture`: gives its frames, then hangs, fails or repeats."""

    def __init__(self, frames: Sequence[Image], then: str = "repeat") -> None:
        self._frames = list(frames)
        self._then = then
        self._last = self._frames[-1] if self._frames else None
        self.hang = threading.Event()
        self.released = threading.Event()
        self.given: list[Image] = []

    def read(self) -> tuple[bool, Any]:
        if self._frames:
            return True, self._give(self._frames.pop(0))
        if self._then == "hang":
            self.hang.wait()
        if self._then == "repeat" and self._last is not None:
            self.released.wait(0.002)
            return True, self._give(self._last)
        return False, None

    def release(self) -> None:
        self.released.set()

    def _give(self, picture: Image) -> Image:
        copy = picture.copy()
        self.given = [*self.given[-9:], copy]
        return copy


class FakeRequest:
    """One completed request of Picamera2; using it after its release is an error."""

    def __init__(self, device: FakePicamera2, picture: Image) -> None:
        self._device = device
        self.picture = picture
        self.is_released = False

    def release(self) -> None:
        assert not self.is_released, "released twice"
        self.is_released = True
        self._device.buffers.release()


class FakePicamera2:
    """A stand-in for the class Picamera2: as many requests at a time as it has buffers."""

    colour: Colour = RED
    fails_with: Exception | None = None

    def __init__(self, number: int) -> None:
        if number > 0:
            raise IndexError("list index out of range")
        self.configuration: dict[str, Any] = {}
        self.buffers = threading.Semaphore(0)
        self.running = False
        self.closed = threading.Event()

    def create_video_configuration(self, **configuration: Any) -> dict[str, Any]:
        return configuration

    def configure(self, configuration: dict[str, Any]) -> None:
        self.configuration = configuration
        self.buffers = threading.Semaphore(configuration["buffer_count"])

    def start(self) -> None:
        self.running = True

    def capture_request(self) -> FakeRequest:
        if self.fails_with is not None:
            raise self.fails_with
        assert self.running
        assert self.buffers.acquire(timeout=5.0), "every buffer is held: none is ever released"
        self.closed.wait(0.002)
        width_px, height_px = self.configuration["main"]["size"]
        return FakeRequest(self, bgr(self.colour, FrameSize(width_px, height_px)))

    def stop(self) -> None:
        self.running = False

    def close(self) -> None:
        self.closed.set()


class FakeLibrary:
    """A stand-in for the module picamera2."""

    def __init__(self, colour: Colour = RED, fails_with: Exception | None = None) -> None:
        self.devices: list[FakePicamera2] = []
        self._colour = colour
        self._fails_with = fails_with

    def Picamera2(self, number: int) -> FakePicamera2:  # noqa: N802 - the library's name
        device = FakePicamera2(number)
        device.colour, device.fails_with = self._colour, self._fails_with
        self.devices.append(device)
        return device

    class MappedArray:
        def __init__(self, request: FakeRequest, stream: str, write: bool = True) -> None:
            assert not request.is_released
            assert stream == "main"
            self.array = request.picture

        def __enter__(self) -> FakeLibrary.MappedArray:
            return self

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            trace: TracebackType | None,
        ) -> None:
            return None
