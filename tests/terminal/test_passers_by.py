"""Passers-by, before the real models: their boxes are looked at, and nothing else of them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hw.bench import BenchSupervisor
from hw.bench_camera import BenchCamera
from hw.bench_clock import FakeClock
from hw.ports import FrameSize
from models.faces import FacePipeline
from models.paths import BUILD_DIR, MODEL_DIR, portrait_dir
from terminal import link
from terminal.arrivals import VisionConnected
from terminal.config_sections import CameraConfig, FaceConfig
from terminal.core.effects import Kind
from terminal.core.policy import FACE_LEASE_S, FACE_RENEW_S
from terminal.core.values import Level
from terminal.link import Lease, Link
from terminal.vision import Vision, VisionSettings
from terminal.zone import ZoneSettings
from tests.terminal.given_bridge import Door, MadeUpCodes, Terminal

Corners = tuple[tuple[float, float], ...]

RATE_HZ = 15.0
"""Half of a camera's: what is seen at every second frame is enough, and half the time to draw."""

WIDE = ((0.05, 0.05), (0.95, 0.05), (0.95, 0.95), (0.05, 0.95))
"""A zone as wide as the picture, nearly: everybody who is near stands in it."""

CLIPS = {"passer_by": 3.5, "passer_by_far": 7.0, "two_people": 6.0, "crowd": 4.0}
"""Scenes in which nobody means to be recognised, and how long each is watched (s)."""


class CountingPipeline(FacePipeline):
    """The real models; counts by itself how often each was asked."""

    embedded = seen = 0
    located: tuple[float, ...] = ()
    """Where (px from the left) each face stood whose landmarks were looked for."""

    def detect(self, rgb, far=False):  # type: ignore[no-untyped-def]
        found = super().detect(rgb, far)
        self.seen += len(found)
        return found

    def locate(self, rgb, detection):  # type: ignore[no-untyped-def]
        self.located += (detection.box[0] + detection.box[2] / 2,)
        return super().locate(rgb, detection)

    def embed(self, rgb, points):  # type: ignore[no-untyped-def]
        self.embedded += 1
        return super().embed(rgb, points)


class Lobby:
    """A vision with the real models before the bench camera, in our own time."""

    def __init__(
        self, pipeline: CountingPipeline, time: FakeClock, corners: Corners = WIDE
    ) -> None:
        self.time, self.pipeline = time, pipeline
        pipeline.located, pipeline.embedded, pipeline.seen = (), 0, 0
        size, face = FrameSize(640, 480), FaceConfig()
        self.camera = BenchCamera(
            size, portrait_dir(BUILD_DIR), time, fps=RATE_HZ, sleep=time.sleep
        )
        self.camera.open()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.link = Link(ours)
        small = size.height_px / CameraConfig().height_px  # the default's faces are in its frames
        zone = ZoneSettings(
            corners,
            round(face.min_face_px * small),
            round(face.max_face_px * small),
            size.width_px,
            size.height_px,
        )
        self.vision = Vision(
            self.camera,
            pipeline,
            Link(theirs),
            MadeUpCodes(time),
            time,
            BenchSupervisor(time),
            VisionSettings(zone, face.frames),
        )

    def close(self) -> None:
        self.vision.close()
        self.link.close()


@pytest.fixture(scope="module")
def pipeline() -> CountingPipeline:
    assert (MODEL_DIR / "face_landmark.tflite").exists(), "run make models first"
    loaded = CountingPipeline.load()
    assert isinstance(loaded, CountingPipeline)
    return loaded


@pytest.fixture
def lobby(pipeline: CountingPipeline) -> Iterator[Lobby]:
    made = Lobby(pipeline, FakeClock())
    yield made
    made.close()


Whole = tuple[Terminal, Lobby]


@contextmanager
def whole_terminal(folder: Path, pipeline: CountingPipeline, corners: Corners) -> Iterator[Whole]:
    """The real models and the loop, and somebody enrolled who is in none of the scenes."""
    embedder = pipeline.embedder
    door = Door(folder, width=embedder.width, model_sha256=embedder.model_sha256)
    lobby = Lobby(pipeline, door.time, corners)
    whole = Terminal(door, lobby.vision, lobby.link)
    door.has_resident(face=1)
    door.start(vision=False)
    door.arrives(VisionConnected(True))
    door.vision_says(link.Hello(embedder.model_sha256, embedder.width))
    whole.looks(5)
    assert door.leases.last.level is Level.DETECT
    yield whole, lobby
    lobby.close()
    door.close()


@pytest.fixture
def terminal(tmp_path: Path, pipeline: CountingPipeline) -> Iterator[Whole]:
    with whole_terminal(tmp_path, pipeline, WIDE) as made:
        yield made


def watch_with_detect(lobby: Lobby, seconds: float) -> None:
    """Let vision look for so long, under a lease that permits the detector alone."""
    renew_s, end_s = 0.0, lobby.time() + seconds
    while lobby.time() < end_s:
        if lobby.time() >= renew_s:
            lobby.link.send(Lease(Level.DETECT, None, None, lobby.time() + FACE_LEASE_S))
            renew_s = lobby.time() + FACE_RENEW_S
        lobby.vision.turn()
        while lobby.link.receive(0.0) is not None:
            pass


@pytest.mark.requirement("R13", "T38", "D1", "A26")
@pytest.mark.parametrize("scene", CLIPS)
def test_with_a_lease_to_detect_no_passer_by_is_measured(lobby: Lobby, scene: str) -> None:
    lobby.camera.play(scene)
    watch_with_detect(lobby, CLIPS[scene])
    counters = lobby.vision.counters
    assert counters.detections > 10
    assert (counters.landmarks, counters.embeddings) == (0, 0)
    assert (lobby.pipeline.located, lobby.pipeline.embedded) == ((), 0)


@pytest.mark.requirement("R13", "T38", "D1", "A26")
@pytest.mark.parametrize("scene", CLIPS)
def test_in_front_of_the_whole_terminal_no_passer_by_is_measured(
    terminal: Whole, scene: str
) -> None:
    whole, lobby = terminal
    lobby.camera.play(scene)
    whole.looks_for(CLIPS[scene])
    assert (lobby.pipeline.located, lobby.pipeline.embedded) == ((), 0)
    assert Level.EMBED not in {permission.level for permission, _ in whole.door.leases.given}
    assert not {Kind.GRANTED.value, Kind.REFUSED.value} & set(whole.door.kinds())
    assert whole.door.strikes() == []


@pytest.mark.parametrize("scene", ["two_people", "crowd"])
def test_in_these_scenes_there_are_faces_to_be_seen(lobby: Lobby, scene: str) -> None:
    """Nobody measured would mean nothing if there were nobody whom the detector finds."""
    lobby.camera.play(scene)
    watch_with_detect(lobby, 2.0)
    assert lobby.pipeline.seen > 5


@pytest.mark.requirement("D1", "R13")
def test_somebody_who_stands_there_is_measured_once_and_refused(
    terminal: Whole,
) -> None:
    """The counters above can count: whoever dwells in the zone is embedded, k frames, one time."""
    whole, lobby = terminal
    lobby.camera.play("resident_stands_still")
    whole.looks_for(5.0)
    assert lobby.pipeline.embedded == FaceConfig().frames
    assert len(lobby.pipeline.located) >= FaceConfig().frames
    assert whole.door.kinds().count(Kind.REFUSED.value) == 1
    assert whole.door.strikes() == []


@pytest.mark.requirement("D1", "R13", "A22")
def test_in_a_crowd_the_one_in_the_zone_is_measured_and_nobody_beside_it(
    tmp_path: Path, pipeline: CountingPipeline
) -> None:
    """Three are near, twelve far; one of them stands in the zone as a new site has it."""
    corners = FaceConfig().zone
    with whole_terminal(tmp_path, pipeline, corners) as (whole, lobby):
        lobby.camera.play("crowd")
        whole.looks_for(4.0)
        left, right = (640 * edge for edge in (corners[0][0], corners[1][0]))
        assert lobby.pipeline.located
        assert all(left < x < right for x in lobby.pipeline.located)
        assert lobby.pipeline.embedded == FaceConfig().frames
        assert whole.door.strikes() == []
