"""What every camera keeps: a clip, a folder, the live drivers, and (--device) a real webcam."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from hw.bench_camera import BenchCamera
from hw.bench_clock import FakeClock
from hw.camera_file import FileCamera
from hw.camera_picamera2 import Picamera2Camera
from hw.camera_v4l2 import V4l2Camera
from hw.errors import DeviceError
from hw.ports import Camera
from tests.hw import cameras
from tests.hw.cameras import RED, SIZE, FakeCapture, FakeLibrary

CameraMaker = Callable[[Path], Camera]


def clip(folder: Path) -> Camera:
    clock = FakeClock()
    path = cameras.make_clip(folder / "red.avi", [RED] * 30)
    return FileCamera(path, SIZE, clock, sleep=clock.sleep)


def folder(parent: Path) -> Camera:
    clock = FakeClock()
    return FileCamera(cameras.make_folder(parent / "red", [RED]), SIZE, clock, sleep=clock.sleep)


def webcam_stand_in(_: Path) -> Camera:
    capture = FakeCapture([cameras.bgr(RED)])
    return V4l2Camera("/dev/video0", SIZE, open_capture=lambda path, size: capture)


def picamera2_stand_in(_: Path) -> Camera:
    return Picamera2Camera(SIZE, library=FakeLibrary())


def bench(folder: Path) -> Camera:
    clock = FakeClock()
    return BenchCamera(SIZE, folder, clock, sleep=clock.sleep)


def webcam(_: Path) -> Camera:
    return V4l2Camera("/dev/video0", SIZE)


# The bench's camera shows a lobby, not a colour: it stands in the fixture below alone.
TWINS: list[CameraMaker] = [clip, folder, webcam_stand_in, picamera2_stand_in]


def close_quietly(camera: Camera) -> Iterator[Camera]:
    yield camera
    camera.close()


@pytest.fixture(
    params=[
        *(pytest.param(make, id=make.__name__) for make in (*TWINS, bench)),
        pytest.param(webcam, id="webcam", marks=pytest.mark.device),
    ]
)
def camera(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Camera]:
    yield from close_quietly(request.param(tmp_path))


@pytest.fixture(params=[pytest.param(make, id=make.__name__) for make in TWINS])
def red_camera(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Camera]:
    yield from close_quietly(request.param(tmp_path))


def test_size_is_the_one_that_was_asked_for(camera: Camera) -> None:
    assert camera.size == SIZE


def test_whole_frame_is_overwritten(camera: Camera) -> None:
    camera.open()
    into = cameras.frame()
    camera.read(into)
    assert not np.all(into == 77, axis=2).any()


def test_red_reads_back_red(red_camera: Camera) -> None:
    red_camera.open()
    into = cameras.frame()
    for _ in range(3):
        into[...] = 77
        red_camera.read(into)
        assert cameras.is_about(cameras.middle(into), RED)


def test_times_never_step_back(camera: Camera) -> None:
    camera.open()
    into = cameras.frame()
    times_s = [camera.read(into) for _ in range(5)]
    assert times_s == sorted(times_s)


def test_frame_of_another_kind_is_refused(camera: Camera) -> None:
    camera.open()
    with pytest.raises(ValueError, match="uint8"):
        camera.read(np.zeros((100, 100, 3), np.uint8))
    with pytest.raises(ValueError, match="uint8"):
        camera.read(np.zeros((120, 160, 3), np.float32))
    with pytest.raises(ValueError, match="contiguous"):
        camera.read(np.zeros((120, 160, 6), np.uint8)[:, :, ::2])


def test_camera_that_is_not_open_gives_nothing(camera: Camera) -> None:
    into = cameras.frame()
    with pytest.raises(DeviceError, match="not open"):
        camera.read(into)
    camera.open()
    camera.read(into)
    camera.close()
    camera.close()
    with pytest.raises(DeviceError, match="not open"):
        camera.read(into)


def test_camera_opens_again_after_it_was_closed_and_twice_does_no_harm(camera: Camera) -> None:
    into = cameras.frame()
    camera.open()
    camera.open()
    camera.read(into)
    camera.close()
    camera.open()
    camera.read(into)


def test_live_camera_hands_on_the_newest_frame_alone() -> None:
    capture = FakeCapture([cameras.bgr(cameras.BLUE)] * 3 + [cameras.bgr(RED)])
    camera = V4l2Camera("/dev/video0", SIZE, open_capture=lambda path, size: capture)
    camera.open()
    into = cameras.frame()
    end_s = time.monotonic() + 5.0
    while len(capture.given) < 6 and time.monotonic() < end_s:
        capture.released.wait(0.002)
    camera.read(into)
    assert cameras.middle(into) == RED
    camera.close()
