"""Rendered walk-ups before the real detector, landmarks and embedder, which run unmodified.

Needs what `make models` builds. The distances are those of one photographed person against
another photograph of theirs (docs/models.md); they prove the program, not the accuracy.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from hw.bench_camera import PORTRAITS_DIR
from hw.picture import DEFAULT_SIZE
from hw.render import Renderer
from hw.scenes import load_scene
from models.faces import FacePipeline
from models.paths import MODEL_DIR
from models.pose import pose_deg

Embeddings = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def pipeline() -> FacePipeline:
    assert any(MODEL_DIR.glob("*.tflite")), "run make models first"
    return FacePipeline.load(MODEL_DIR)


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    assert any(PORTRAITS_DIR.glob("portrait_*.npz")), "run make models first"
    made = Renderer(DEFAULT_SIZE, PORTRAITS_DIR)
    yield made
    made.close()


def embeddings(
    pipeline: FacePipeline, renderer: Renderer, name: str, start_s: float, end_s: float, count: int
) -> Embeddings:
    """One embedding for each frame in which a face is found: (<= count, width)."""
    scene = load_scene(name)
    frame = np.zeros((480, 640, 3), np.uint8)
    found = []
    for elapsed_s in np.linspace(start_s, end_s, count):
        renderer.draw(scene, float(elapsed_s), frame)
        landmarks = pipeline.locate_largest(frame, far=False)
        if landmarks is not None:
            found.append(pipeline.embed(frame, landmarks.points).copy())
            landmarks.wipe()
    return np.array(found, np.float32)


def distances(one: Embeddings, other: Embeddings) -> npt.NDArray[np.float32]:
    return np.asarray(np.linalg.norm(one[:, None] - other[None], axis=2).ravel(), np.float32)


@pytest.fixture(scope="module")
def enrolled(pipeline: FacePipeline, renderer: Renderer) -> Embeddings:
    """The resident in every pose of the enrolment scene."""
    return embeddings(pipeline, renderer, "resident_enrols", 0.0, 10.5, 40)


def test_every_pose_of_an_enrolment_is_found(enrolled: Embeddings) -> None:
    assert len(enrolled) >= 38  # 95 % of 40


@pytest.mark.parametrize(
    ("at_s", "angle", "sign"),
    [
        (2.8, "yaw_deg", 1),  # to the person's own left: the frame's right
        (4.8, "yaw_deg", -1),
        (6.5, "pitch_deg", -1),  # up
        (8.5, "pitch_deg", 1),
    ],
)
def test_the_pose_is_read_the_way_round_that_the_head_is_held(
    pipeline: FacePipeline, renderer: Renderer, at_s: float, angle: str, sign: int
) -> None:
    frame = np.zeros((480, 640, 3), np.uint8)
    renderer.draw(load_scene("resident_enrols"), at_s, frame)
    landmarks = pipeline.locate_largest(frame, far=False)
    assert landmarks is not None
    assert getattr(pose_deg(landmarks.points), angle) * sign > 12


@pytest.mark.parametrize(
    ("name", "start_s", "end_s"),
    [("resident_walks_up", 3.0, 11.0), ("resident_in_bad_light", 2.6, 11.0)],
)
def test_the_resident_is_found_and_lies_near_their_references(
    pipeline: FacePipeline,
    renderer: Renderer,
    enrolled: Embeddings,
    name: str,
    start_s: float,
    end_s: float,
) -> None:
    probes = embeddings(pipeline, renderer, name, start_s, end_s, 20)
    assert len(probes) >= 19
    apart = distances(enrolled, probes)
    assert np.median(apart) < 0.4
    assert apart.max() < 0.45


def test_a_stranger_is_found_and_lies_far_from_the_references(
    pipeline: FacePipeline, renderer: Renderer, enrolled: Embeddings
) -> None:
    probes = embeddings(pipeline, renderer, "stranger_walks_up", 2.8, 10.0, 20)
    assert len(probes) >= 19
    assert distances(enrolled, probes).min() > 0.5


@pytest.mark.parametrize("name", ["print_of_resident", "screen_of_resident"])
def test_a_print_or_a_screen_still_matches_which_is_a_known_gap(
    pipeline: FacePipeline, renderer: Renderer, enrolled: Embeddings, name: str
) -> None:
    probes = embeddings(pipeline, renderer, name, 1.5, 9.0, 20)
    assert len(probes) >= 19
    assert np.median(distances(enrolled, probes)) < 0.4


@pytest.mark.parametrize("name", ["empty", "black"])
def test_where_nobody_is_no_face_is_found(
    pipeline: FacePipeline, renderer: Renderer, name: str
) -> None:
    assert len(embeddings(pipeline, renderer, name, 0.0, 9.0, 20)) == 0


def test_two_people_are_two_faces(pipeline: FacePipeline, renderer: Renderer) -> None:
    scene, frame = load_scene("two_people"), np.zeros((480, 640, 3), np.uint8)
    for elapsed_s in range(1, 20, 3):
        renderer.draw(scene, elapsed_s, frame)
        assert len(pipeline.detect(frame)) == 2
