"""The bench camera: a camera as the port says, and scenes before it."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from hw.bench_camera import BenchCamera, main, write_clip
from hw.bench_clock import FakeClock
from hw.camera_file import FileCamera
from hw.errors import CameraLost, DeviceError
from hw.ports import Camera, FrameSize, Image
from hw.scenes import SceneError, load_scene
from tests.hw import drawn_head

SIZE = FrameSize(320, 240)
KEYS = ("portrait_a1", "portrait_a2", "portrait_a3", "portrait_b1", "portrait_c1")


@pytest.fixture(scope="session")
def portraits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_head.save(tmp_path_factory.mktemp("portraits"), *KEYS)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def camera(portraits: Path, clock: FakeClock) -> BenchCamera:
    made = BenchCamera(SIZE, portraits, clock, fps=25, sleep=clock.sleep)
    made.open()
    return made


def frame() -> Image:
    return np.zeros((SIZE.height_px, SIZE.width_px, 3), np.uint8)


def seen(camera: BenchCamera) -> Image:
    picture = frame()
    camera.read(picture)
    return picture


def test_it_is_a_camera(camera: BenchCamera) -> None:
    as_port: Camera = camera
    assert as_port.size == SIZE


def test_frames_come_at_the_pace_of_a_camera(camera: BenchCamera, clock: FakeClock) -> None:
    times = [camera.read(frame()) for _ in range(5)]
    assert np.diff(times) == pytest.approx(0.04)
    assert clock() == pytest.approx(times[-1])


def test_what_nobody_fetched_in_time_is_dropped(camera: BenchCamera, clock: FakeClock) -> None:
    first = camera.read(frame())
    clock.advance(0.41)
    assert camera.read(frame()) - first == pytest.approx(0.4)
    assert camera.read(frame()) - first == pytest.approx(0.44)


def test_a_frame_shows_its_capture_time_not_the_time_at_which_it_is_fetched(
    portraits: Path, camera: BenchCamera, clock: FakeClock
) -> None:
    camera.play("passer_by_far")
    begun_s = clock()
    clock.advance(4.015)
    picture = frame()
    capture_s = camera.read(picture)
    assert capture_s == pytest.approx(begun_s + 4.0)
    free = BenchCamera(SIZE, portraits, other := FakeClock(), pace=False)
    free.open()
    free.play("passer_by_far")
    other.advance(4.0)
    assert np.array_equal(picture, seen(free))


def test_unpaced_it_never_waits(portraits: Path, clock: FakeClock) -> None:
    camera = BenchCamera(SIZE, portraits, clock, pace=False, sleep=_no_sleep)
    camera.open()
    assert [camera.read(frame()) for _ in range(3)] == [clock()] * 3


def _no_sleep(seconds: float) -> None:
    raise AssertionError(f"slept {seconds} s")


def test_without_a_scene_the_lobby_is_empty(camera: BenchCamera) -> None:
    seen(camera)
    assert camera.visible == ()
    assert not camera.is_over


def test_a_scene_begins_when_it_is_played(camera: BenchCamera, clock: FakeClock) -> None:
    clock.advance(100)
    camera.play("resident_walks_up")
    seen(camera)
    (shown,) = camera.visible
    assert shown.actor.name == "resident"
    assert shown.pose.face_height < 0.06
    clock.advance(5)
    seen(camera)
    assert camera.visible[0].pose.face_height > 0.25
    clock.advance(20)
    seen(camera)
    assert camera.visible == ()
    assert camera.is_over


def test_a_scene_can_be_played_faster(camera: BenchCamera, clock: FakeClock) -> None:
    camera.play("resident_walks_up", speed=5.0)
    clock.advance(1.0)
    seen(camera)
    assert camera.visible[0].pose.face_height > 0.25


def test_stop_empties_the_lobby(camera: BenchCamera) -> None:
    camera.play("resident_stands_still")
    with_somebody = seen(camera)
    camera.stop()
    assert np.abs(seen(camera).astype(int) - with_somebody).max() > 100
    assert camera.visible == ()


def test_a_seed_makes_another_take(portraits: Path) -> None:
    takes = []
    for seed in (5, 5, 6):
        camera = BenchCamera(SIZE, portraits, FakeClock(), pace=False)
        camera.open()
        camera.play("resident_stands_still", seed=seed)
        takes.append(seen(camera))
    assert np.array_equal(takes[0], takes[1])
    assert not np.array_equal(takes[0], takes[2])


@pytest.mark.requirement("A21")
def test_a_frozen_camera_gives_the_same_picture_again_and_again(
    camera: BenchCamera, clock: FakeClock
) -> None:
    camera.play("resident_stands_still")
    last = seen(camera)
    camera.freeze()
    clock.advance(3)
    assert np.array_equal(last, seen(camera))
    camera.mend()
    assert not np.array_equal(last, seen(camera))


def test_a_camera_that_fails_is_lost_until_it_is_mended_and_opened_again(
    camera: BenchCamera,
) -> None:
    camera.fail()
    for _ in range(2):
        with pytest.raises(CameraLost):
            camera.read(frame())
    camera.close()
    with pytest.raises(DeviceError, match="unplugged"):
        camera.open()
    camera.mend()
    camera.open()
    seen(camera)


def test_a_camera_that_is_not_open_gives_nothing(portraits: Path) -> None:
    camera = BenchCamera(SIZE, portraits)
    with pytest.raises(DeviceError, match="not open"):
        camera.read(frame())


@pytest.mark.requirement("R13")
def test_nothing_of_a_face_stays_after_close(camera: BenchCamera) -> None:
    camera.play("two_people")
    seen(camera)
    held = [
        layer
        for portrait in camera._renderer._portraits.values()
        for layer in (*portrait.head, *portrait.body, portrait.sheet)
    ]
    assert held
    camera.close()
    camera.close()
    assert not any(layer.any() for layer in held)
    camera.open()
    seen(camera)
    assert camera.visible == ()


def test_a_wrong_frame_is_refused(camera: BenchCamera) -> None:
    for wrong in (np.zeros((240, 320), np.uint8), np.zeros((480, 640, 3), np.uint8)):
        with pytest.raises(ValueError, match="a frame here is"):
            camera.read(wrong)


def test_a_scene_that_is_not_there_changes_nothing(camera: BenchCamera) -> None:
    camera.play("resident_stands_still")
    with pytest.raises(SceneError, match="no scene 'resident_stand'"):
        camera.play("resident_stand")
    seen(camera)
    assert camera.visible


@pytest.mark.parametrize("speed", [0.0, -1.0, 101.0, float("nan")])
def test_a_speed_that_is_none_is_refused(camera: BenchCamera, speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        camera.play("empty", speed=speed)


def test_without_portraits_there_is_only_the_empty_lobby(tmp_path: Path, clock: FakeClock) -> None:
    camera = BenchCamera(SIZE, tmp_path, clock, sleep=clock.sleep)
    camera.open()
    seen(camera)
    with pytest.raises(DeviceError, match="run `make models`"):
        camera.play("resident_walks_up")
    seen(camera)
    assert camera.visible == ()


def test_scenes_can_be_played_from_another_thread_while_frames_are_read(
    camera: BenchCamera,
) -> None:
    played: list[str] = []

    def play() -> None:
        for name in ("two_people", "print_of_resident", "empty", "stranger_walks_up"):
            played.append(camera.play(name).name)

    player = threading.Thread(target=play)
    player.start()
    count = 0
    while player.is_alive():
        seen(camera)
        count += 1
    player.join()
    assert len(played) == 4
    assert count


# --- for developers -----------------------------------------------------------------------------


def test_a_clip_plays_as_the_scene_does(portraits: Path, tmp_path: Path) -> None:
    scene = load_scene("passer_by")
    path = tmp_path / "clip.mp4"
    assert write_clip(scene, path, portraits, SIZE, fps=10) == 35
    film = FileCamera(path, SIZE, FakeClock(), sleep=lambda _: None, keeps_every_frame=True)
    film.open()
    picture, brightness = frame(), []
    for _ in range(35):
        film.read(picture)
        brightness.append(float(picture[:, :, :].std()))
    film.close()
    assert max(brightness[10:20]) > brightness[0] + 5


def test_a_clip_that_cannot_be_written_is_one_sentence(portraits: Path, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="can't be written"):
        write_clip(load_scene("empty"), tmp_path / "none" / "clip.mp4", portraits, SIZE)


def test_a_contact_sheet_has_a_row_for_each_scene(
    portraits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sheet.png"
    arguments = ["--portraits", str(portraits), "contact-sheet", str(out), "empty", "passer_by"]
    assert main(arguments) == 0
    assert cv2.imread(str(out)).shape == (480, 2240, 3)
    assert "2 scenes" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["contact-sheet", "sheet.png", "nothing"],
        ["contact-sheet", "no/such/folder/sheet.png", "empty"],
        ["contact-sheet", "sheet", "empty"],
        ["--portraits", "nowhere", "clip", "two_people", "clip.mp4"],
    ],
)
def test_what_cannot_be_done_is_one_sentence_on_stderr(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.strip().count("\n") == 0
    assert said.err.strip().endswith(".")
