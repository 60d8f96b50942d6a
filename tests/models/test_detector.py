"""Faces are found where MediaPipe itself finds them, and floods are bounded."""

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models import detector as detectors
from models.detector import MAX_CANDIDATES, MAX_FACES, Detector, decode
from models.faces import FacePipeline
from models.manifest import Manifest
from models.runtime import open_model
from tests.models.golden import GOLDEN, PORTRAITS
from tests.parity.generated import turned_view

Array = NDArray[Any]
Pictures = dict[str, NDArray[np.uint8]]


def _frame_with(picture: Array, height_px: int, at: tuple[int, int]) -> Array:
    """A grey 640 x 480 frame with the picture shrunk to this height, its corner at x, y."""
    scale = height_px / picture.shape[0]
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.full((480, 640, 3), 128, np.uint8)
    x, y = at
    rows, columns = min(small.shape[0], 480 - y), min(small.shape[1], 640 - x)
    frame[y : y + rows, x : x + columns] = small[:rows, :columns]
    return frame


@pytest.mark.parametrize("key", PORTRAITS)
@pytest.mark.parametrize("reach", ["short", "full"])
def test_box_and_keypoints_are_where_mediapipe_finds_them(
    finder: FacePipeline, pictures: Pictures, key: str, reach: str
) -> None:
    find = finder.detect if reach == "short" else finder.detector.detect_far
    (found,) = find(pictures[key])
    wanted = GOLDEN["faces"][key][reach]
    np.testing.assert_allclose(found.box, wanted["box"], atol=1)
    np.testing.assert_allclose(found.keypoints, wanted["keypoints"], atol=1)
    assert found.keypoints.dtype == np.float32
    assert 0.5 <= found.confidence <= 1


@pytest.mark.parametrize("key", PORTRAITS)
@pytest.mark.parametrize("reach", ["short", "full"])
def test_a_turned_head_is_where_mediapipe_finds_it(
    finder: FacePipeline, pictures: Pictures, key: str, reach: str
) -> None:
    """Here several boxes of differing confidence merge: the limits must be MediaPipe's."""
    find = finder.detect if reach == "short" else finder.detector.detect_far
    (found,) = find(turned_view(pictures[key]))
    np.testing.assert_allclose(found.box, GOLDEN["turned"][key][reach]["box"], atol=0.75)


def test_right_and_left_are_the_persons_own(finder: FacePipeline, pictures: Pictures) -> None:
    (found,) = finder.detect(pictures["portrait_c1"])
    right_eye, left_eye, nose, mouth, right_ear, left_ear = found.keypoints
    assert right_ear[0] < right_eye[0] < nose[0] < left_eye[0] < left_ear[0]
    assert right_eye[1] < nose[1] < mouth[1]


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((480, 640, 3), np.uint8),
        np.full((480, 640, 3), 255, np.uint8),
        np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8),
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((2, 4000, 3), np.uint8),
    ],
    ids=["black", "white", "noise", "one pixel", "a stripe"],
)
def test_no_face_is_found_where_there_is_none(finder: FacePipeline, frame: Array) -> None:
    assert finder.detect(frame, far=True) == []


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((480, 640), np.uint8),
        np.zeros((480, 640, 4), np.uint8),
        np.zeros((480, 640, 3), np.float32),
        np.zeros((0, 640, 3), np.uint8),
    ],
)
def test_a_frame_of_another_kind_is_refused(finder: FacePipeline, frame: Array) -> None:
    with pytest.raises(ValueError, match="a frame must be uint8"):
        finder.detect(frame)


def test_a_far_face_is_found_by_the_full_range_when_asked(
    finder: FacePipeline, pictures: Pictures
) -> None:
    frame = _frame_with(pictures["portrait_a1"], 180, (200, 100))
    assert finder.detect(frame) == []
    (found,) = finder.detect(frame, far=True)
    assert 15 < found.box[2] < 50


@pytest.mark.requirement("A22")
def test_only_the_largest_faces_are_returned_largest_first(
    manifest: Manifest, model_dir: Path, pictures: Pictures
) -> None:
    frame = np.full((480, 640, 3), 128, np.uint8)
    for index, height_px in enumerate((360, 400, 380)):
        part = _frame_with(pictures["portrait_a2"], height_px, (0, 0))[:, :210]
        frame[:, 210 * index : 210 * (index + 1)] = part
    short = open_model(manifest, "detector_short", model_dir)
    all_three, two = (Detector(short, max_faces=limit).detect(frame) for limit in (MAX_FACES, 2))
    areas = [one.area_px for one in all_three]
    assert len(all_three) == 3
    assert areas == sorted(areas, reverse=True)
    assert [one.box for one in two] == [one.box for one in all_three[:2]]


@pytest.mark.requirement("A22", "T23")
def test_a_flood_of_boxes_is_capped_before_merging() -> None:
    count = 10_000
    generator = np.random.default_rng(5)
    anchors = generator.uniform(0, 1, (count, 2)).astype(np.float32)
    boxes = np.zeros((count, 16), np.float32)
    boxes[:, 2:4] = 1e-3  # so small that none overlap
    logits = generator.uniform(1, 5, count).astype(np.float32)
    began_s = time.perf_counter()
    faces = decode(boxes, logits, anchors, 128, 0.0)
    assert len(faces) == MAX_CANDIDATES
    assert min(face[16] for face in faces) > 0.98  # the best of them
    assert time.perf_counter() - began_s < 0.5


@pytest.mark.requirement("A22")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38])
def test_numbers_that_are_none_give_no_face(bad: float) -> None:
    boxes = np.full((4, 16), bad, np.float32)
    with np.errstate(all="ignore"):
        assert all(
            np.isfinite(face).all()
            for face in decode(
                boxes, np.full(4, 5, np.float32), np.zeros((4, 2), np.float32), 128, 0.0
            )
        )


def test_overlapping_boxes_become_their_weighted_mean() -> None:
    boxes = np.zeros((3, 16), np.float32)
    boxes[:, 0] = [0, 12.8, 100]
    boxes[:, 2:4] = 64
    logits = np.array([4.0, 0.0, 3.0], np.float32)
    first, second = decode(boxes, logits, np.full((3, 2), 0.2, np.float32), 128, -1.0)
    scores = 1 / (1 + np.exp(-np.array([4.0, 0.0])))
    assert first[0] == pytest.approx(-0.05 + 0.1 * scores[1] / scores.sum(), abs=1e-6)
    assert first[16] == pytest.approx(scores[0])
    assert second[16] == pytest.approx(1 / (1 + np.exp(-3.0)))


def test_the_anchors_are_as_many_as_the_models_boxes() -> None:
    assert detectors._short_anchors().shape == (896, 2)
    assert detectors._full_anchors().shape == (2304, 2)
    np.testing.assert_allclose(
        detectors._short_anchors()[[0, 2, 512]], [[1 / 32] * 2, [3 / 32, 1 / 32], [1 / 16] * 2]
    )
