"""Cameras beyond the contract: pace, ends, stalls, shapes, words, and what is left behind."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from hw.bench_clock import FakeClock
from hw.camera import make_camera
from hw.camera_file import PICTURE_RATE_HZ, PICTURE_SHOWN_S, FileCamera
from hw.camera_picamera2 import Picamera2Camera
from hw.camera_v4l2 import V4l2Camera
from hw.errors import CameraEnded, CameraLost, DeviceError
from hw.picture import fill_from_bgr
from hw.ports import FrameSize
from tests.hw import cameras
from tests.hw.cameras import BLUE, GREEN, RED, SIZE, FakeCapture, FakeLibrary


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(0.0)


def clip(tmp_path: Path, clock: FakeClock, **options: bool) -> FileCamera:
    path = cameras.make_clip(tmp_path / "clip.avi", [RED, GREEN, BLUE, RED], rate_hz=10.0)
    return FileCamera(path, SIZE, clock, sleep=clock.sleep, **options)


def test_clip_runs_at_its_own_pace_and_ends(tmp_path: Path, clock: FakeClock) -> None:
    camera = clip(tmp_path, clock)
    camera.open()
    into = cameras.frame()
    assert [camera.read(into) for _ in range(4)] == pytest.approx([0.0, 0.1, 0.2, 0.3])
    with pytest.raises(CameraEnded, match="shown to its end"):
        camera.read(into)
    with pytest.raises(CameraEnded):
        camera.read(into)


def test_frame_that_nobody_fetched_in_time_is_dropped(tmp_path: Path, clock: FakeClock) -> None:
    camera = clip(tmp_path, clock)
    camera.open()
    into = cameras.frame()
    camera.read(into)
    clock.advance(0.25)
    camera.read(into)
    assert cameras.is_about(cameras.middle(into), BLUE), "the green one was missed"


def test_every_frame_is_kept_where_evidence_needs_it(tmp_path: Path, clock: FakeClock) -> None:
    camera = clip(tmp_path, clock, keeps_every_frame=True)
    camera.open()
    into = cameras.frame()
    camera.read(into)
    clock.advance(5.0)
    camera.read(into)
    assert cameras.is_about(cameras.middle(into), GREEN)


def test_looping_clip_begins_anew(tmp_path: Path, clock: FakeClock) -> None:
    camera = clip(tmp_path, clock, is_looping=True)
    camera.open()
    into = cameras.frame()
    seen = []
    for _ in range(6):
        camera.read(into)
        seen.append(cameras.middle(into))
    assert cameras.is_about(seen[5], GREEN)


def test_picture_of_a_folder_stands_before_the_camera_for_its_time(
    tmp_path: Path, clock: FakeClock
) -> None:
    path = cameras.make_folder(tmp_path / "folder", [RED, BLUE])
    camera = FileCamera(path, SIZE, clock, sleep=clock.sleep)
    camera.open()
    into = cameras.frame()
    seen = []
    with pytest.raises(CameraEnded):
        while True:
            camera.read(into)
            seen.append(cameras.middle(into))
    each = round(PICTURE_SHOWN_S * PICTURE_RATE_HZ)
    assert seen == [RED] * each + [BLUE] * each


def test_broken_picture_is_said_by_name(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nonsense")
    camera = FileCamera(tmp_path, SIZE, clock, sleep=clock.sleep)
    camera.open()
    with pytest.raises(DeviceError, match=r"broken\.png is no picture"):
        camera.read(cameras.frame())


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path / "missing.mp4", "There is no video and no folder"),
        (lambda path: path, "holds no pictures"),
        (lambda path: (path / "x.mp4").write_bytes(b"nonsense") and path / "x.mp4", "no video"),
    ],
)
def test_file_that_is_no_camera_is_refused_in_one_sentence(
    tmp_path: Path, clock: FakeClock, make: object, sentence: str
) -> None:
    path = make(tmp_path)  # type: ignore[operator]
    with pytest.raises(DeviceError, match=sentence):
        FileCamera(path, SIZE, clock, sleep=clock.sleep).open()


def test_picture_of_another_shape_is_fitted_whole_and_unstretched() -> None:
    wide = cameras.bgr(RED, FrameSize(320, 120))
    into = cameras.frame()
    fill_from_bgr(into, wide)
    lit = np.argwhere(into[..., 0] > 100)
    assert tuple(lit.min(axis=0)) == (30, 0)
    assert tuple(lit.max(axis=0)) == (89, 159)
    assert not into[:30].any()


@pytest.mark.parametrize("shape", [(10, 10), (10, 10, 4), (0, 10, 3)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a picture is uint8"):
        fill_from_bgr(cameras.frame(), np.zeros(shape, np.uint8))


@pytest.mark.requirement("T22")
def test_stalled_webcam_is_lost_in_time_though_its_read_hangs() -> None:
    capture = FakeCapture([cameras.bgr(RED)], then="hang")
    camera = V4l2Camera(
        "/dev/video0", SIZE, open_capture=lambda path, size: capture, stalled_after_s=0.1
    )
    camera.open()
    into = cameras.frame()
    camera.read(into)
    began_s = time.monotonic()
    with pytest.raises(CameraLost, match="no frame for"):
        camera.read(into)
    camera.close()
    assert time.monotonic() - began_s < 1.0
    assert not capture.released.is_set(), "never closed under a call that is still in it"
    capture.hang.set()
    assert capture.released.wait(2.0)


def test_unplugged_webcam_is_lost_at_once_and_closed() -> None:
    capture = FakeCapture([cameras.bgr(RED)], then="fail")
    camera = V4l2Camera("/dev/video7", SIZE, open_capture=lambda path, size: capture)
    camera.open()
    into = cameras.frame()
    camera.read(into)
    with pytest.raises(CameraLost, match="/dev/video7 gives no more frames"):
        camera.read(into)
    assert capture.released.wait(2.0)
    camera.close()


@pytest.mark.requirement("R17")
def test_live_camera_leaves_no_pixel_of_any_frame_behind() -> None:
    capture = FakeCapture([cameras.bgr(RED)])
    camera = V4l2Camera("/dev/video0", SIZE, open_capture=lambda path, size: capture)
    camera.open()
    camera.read(cameras.frame())
    camera.close()
    assert capture.released.is_set()
    assert capture.given
    assert not any(picture.any() for picture in capture.given)


def test_webcam_of_another_size_is_fitted() -> None:
    capture = FakeCapture([cameras.bgr(RED, FrameSize(1280, 960))])
    camera = V4l2Camera("/dev/video0", SIZE, open_capture=lambda path, size: capture)
    camera.open()
    into = cameras.frame()
    camera.read(into)
    assert cameras.middle(into) == RED
    camera.close()


def test_missing_webcam_is_said_in_one_sentence() -> None:
    with pytest.raises(DeviceError, match=r"no camera at /dev/video63; plug it in"):
        V4l2Camera("/dev/video63", SIZE).open()


def test_pi_camera_gives_every_buffer_back() -> None:
    library = FakeLibrary(GREEN)
    camera = Picamera2Camera(SIZE, library=library)
    camera.open()
    into = cameras.frame()
    for _ in range(20):
        camera.read(into)
        assert cameras.middle(into) == GREEN
    camera.close()
    device = library.devices[0]
    assert device.closed.is_set()
    assert not device.running
    for _ in range(device.configuration["buffer_count"]):
        assert device.buffers.acquire(blocking=False)


def test_pi_camera_is_asked_for_rgb888_of_the_size_at_30_hz() -> None:
    library = FakeLibrary()
    camera = Picamera2Camera(SIZE, library=library)
    camera.open()
    configuration = library.devices[0].configuration
    camera.close()
    assert configuration["main"] == {"size": (160, 120), "format": "RGB888"}
    assert configuration["controls"] == {"FrameRate": 30.0}


def test_pi_camera_that_fails_is_lost() -> None:
    camera = Picamera2Camera(SIZE, library=FakeLibrary(fails_with=RuntimeError("timed out")))
    camera.open()
    with pytest.raises(CameraLost, match="timed out"):
        camera.read(cameras.frame())
    camera.close()


def test_second_pi_camera_that_is_not_there_is_said_in_one_sentence() -> None:
    with pytest.raises(DeviceError, match="camera 1 does not start"):
        Picamera2Camera(SIZE, number=1, library=FakeLibrary()).open()


def test_missing_picamera2_names_the_debian_package() -> None:
    with pytest.raises(DeviceError, match="python3-picamera2"):
        Picamera2Camera(SIZE, library=None).open()


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("picamera2", Picamera2Camera),
        ("picamera2:1", Picamera2Camera),
        ("/dev/video0", V4l2Camera),
        ("/dev/v4l/by-id/usb-0", V4l2Camera),
        (".", FileCamera),
    ],
)
def test_word_means_its_camera(spec: str, kind: type) -> None:
    assert isinstance(make_camera(spec), kind)


@pytest.mark.parametrize("spec", ["", "bench2", "picamera2:x", "video0", "no/such.mp4", "a\0b"])
def test_nonsense_is_refused_with_the_words_that_would_do(spec: str) -> None:
    with pytest.raises(DeviceError, match="is no camera; write picamera2, /dev/videoN"):
        make_camera(spec)


def test_size_that_can_not_be_is_refused() -> None:
    with pytest.raises(DeviceError, match="A frame of 0x480 px"):
        make_camera("picamera2", FrameSize(0, 480))
