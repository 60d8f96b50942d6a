"""Each stage between a frame and an embedding, and all of them, on one thread.

The frames are the bench camera's: 640 x 480, of people who stand before the terminal, each a
different moment. A stage gets what the stage before it made of the very frame. What is timed is the
product's own call, with its checks and copies, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle

import cv2
import numpy as np
import numpy.typing as npt

from hw.bench_camera import BenchCamera
from hw.errors import DeviceError
from models.detector import Detection
from models.faces import FacePipeline
from models.paths import BUILD_DIR, portrait_dir
from terminal.clock import ManualClock
from terminal.presence import Presence
from tests.bench.figures import Figure, NotMeasured, Sizes, Target, figure, timed_ms

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

GROUP = "stages"
SCENES = ("resident_stands_still", "stranger_walks_up")
FROM_S, STEP_S, MOMENTS = 3.5, 0.37, 12
"""Which moments of the scenes: from when both stand still, so many, so far apart."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame, and what the stages made of it."""

    frame: Pixels
    detection: Detection
    points: Floats
    chip: Pixels


def measure(sizes: Sizes) -> Iterator[Figure]:
    """All stages, then the whole."""
    cv2.setNumThreads(1)
    pipelines = {name: FacePipeline.load(embedder=name, threads=1) for name in ("int8", "float32")}
    frames = rendered_frames()
    seen = [_seen(pipelines["int8"], frame) for frame in frames]
    yield from _single(pipelines, seen, sizes.calls)
    yield from _whole(pipelines, frames, sizes.calls)
    yield from _beside(pipelines["int8"], frames, sizes.calls)


def rendered_frames() -> list[Pixels]:
    """People before the terminal. Raises NotMeasured where the portraits are missing."""
    clock = ManualClock()
    with _camera(clock) as camera:
        return [frame for scene in SCENES for frame in _moments(camera, clock, scene)]


@contextmanager
def _camera(clock: ManualClock) -> Iterator[BenchCamera]:
    camera = BenchCamera(portraits_dir=portrait_dir(BUILD_DIR), clock=clock.mono_s, pace=False)
    camera.open()
    try:
        yield camera
    except DeviceError as error:
        raise NotMeasured(str(error)) from error
    finally:
        camera.close()


def _moments(camera: BenchCamera, clock: ManualClock, scene: str) -> Iterator[Pixels]:
    camera.play(scene)
    clock.advance(FROM_S)
    for _ in range(MOMENTS):
        frame = np.zeros((camera.size.height_px, camera.size.width_px, 3), np.uint8)
        camera.read(frame)
        clock.advance(STEP_S)
        yield frame


def _seen(pipeline: FacePipeline, frame: Pixels) -> Seen:
    found = pipeline.detect(frame)
    landmarks = pipeline.locate(frame, found[0]) if found else None
    if landmarks is None:
        raise NotMeasured("A rendered frame shows no face to the models; run make test.")
    chip = pipeline.chip(frame, landmarks.points).copy()
    return Seen(frame, found[0], landmarks.points, chip)


def _single(pipelines: dict[str, FacePipeline], seen: list[Seen], n: int) -> Iterator[Figure]:
    one = pipelines["int8"]
    stages: tuple[tuple[str, str, Callable[[Seen], object], Target | None], ...] = (
        ("detector", "short range, one frame", lambda s: one.detect(s.frame), Target(4.0)),
        (
            "detector_far",
            "full range (once a second, when the short range finds nobody)",
            lambda s: one.detector.detect_far(s.frame),
            None,
        ),
        ("landmarks", "468 points", lambda s: one.locate(s.frame, s.detection), None),
        ("chip", "the aligned face", lambda s: one.chip(s.frame, s.points), None),
        ("embedding_int8", "with the mirror image", lambda s: one.embedder.embed(s.chip), None),
        (
            "embedding_float32",
            "with the mirror image",
            lambda s: pipelines["float32"].embedder.embed(s.chip),
            None,
        ),
    )
    for name, what, stage, target in stages:
        yield figure(GROUP, name, what, _timed(stage, seen, n), target=target)


def _timed(stage: Callable[[Seen], object], seen: list[Seen], n: int) -> list[float]:
    turns = cycle(seen)
    return timed_ms(lambda: stage(next(turns)), n)


def _whole(pipelines: dict[str, FacePipeline], frames: list[Pixels], n: int) -> Iterator[Figure]:
    for name, target in (("int8", Target(25.0)), ("float32", None)):
        turns = cycle(frames)
        pipeline = pipelines[name]
        took_ms = timed_ms(lambda p=pipeline, t=turns: _from_frame(p, next(t)), n)  # type: ignore[misc]
        what = "detector, landmarks, chip, embedding with the mirror image"
        yield figure(GROUP, f"whole_{name}", what, took_ms, target=target)


def _from_frame(pipeline: FacePipeline, frame: Pixels) -> Floats:
    landmarks = pipeline.locate(frame, pipeline.detect(frame)[0])
    assert landmarks is not None, "looked at before: `_seen`"
    return pipeline.embed(frame, landmarks.points)


def _beside(pipeline: FacePipeline, frames: list[Pixels], n: int) -> Iterator[Figure]:
    """What a frame costs beside the models, and what overwriting after a permission costs."""
    turns, presence = cycle(frames), Presence()
    took_ms = timed_ms(lambda: presence.look(next(turns), 0.0), n)
    yield figure(GROUP, "presence", "whether something moves, no model", took_ms)
    used_ms = [_wiped_ms(pipeline, next(turns)) for _ in range(max(2, n // 10))]
    yield figure(GROUP, "wipe", "overwriting models and buffers when a permission ends", used_ms)
    what = "the bench camera draws a person (no part of a device; within each walk-up)"
    yield figure(GROUP, "drawing", what, _drawing_ms(n))


def _drawing_ms(n: int) -> list[float]:
    clock = ManualClock()
    with _camera(clock) as camera:
        camera.play(SCENES[0])
        clock.advance(FROM_S)
        frame = np.zeros((camera.size.height_px, camera.size.width_px, 3), np.uint8)

        def draw() -> None:
            clock.advance(STEP_S)
            camera.read(frame)

        return timed_ms(draw, n)


def _wiped_ms(pipeline: FacePipeline, frame: Pixels) -> float:
    _from_frame(pipeline, frame)
    return timed_ms(pipeline.wipe, 1, warm_up=0)[0]
