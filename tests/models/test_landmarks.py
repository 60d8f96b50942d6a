"""The 468 points lie where MediaPipe itself puts them; the chip lies where dlib would cut it."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.alignment import ANCHOR_POINTS, CHIP_SIDE_PX, TARGETS_PX, cut_chip, similarity
from models.detector import Detection
from models.faces import FacePipeline
from models.landmarks import POINTS, crop_of
from tests.models.golden import GOLDEN, PORTRAITS

Array = NDArray[Any]
Pictures = dict[str, NDArray[np.uint8]]


def _points_of(finder: FacePipeline, rgb: Array) -> Array:
    located = finder.locate_largest(rgb)
    assert located is not None
    return located.points


@pytest.mark.parametrize("key", PORTRAITS)
def test_landmarks_lie_where_mediapipe_puts_them(
    finder: FacePipeline, pictures: Pictures, key: str
) -> None:
    points = _points_of(finder, pictures[key])
    assert points.shape == (POINTS, 3)
    assert points.dtype == np.float32
    wanted = GOLDEN["faces"][key]["anchors"]
    np.testing.assert_allclose(points[list(ANCHOR_POINTS), :2], wanted, atol=1)


def test_a_box_with_no_face_in_it_has_no_landmarks(finder: FacePipeline) -> None:
    frame = np.random.default_rng(3).integers(0, 256, (480, 640, 3), np.uint8)
    keypoints = np.array([[120, 120], [180, 120]] + [[150, 150]] * 4, np.float32)
    assert finder.locate(frame, Detection((100, 100, 100, 100), keypoints, 0.9)) is None


@pytest.mark.parametrize("side", [0.0, -5.0, 1e9, float("nan"), float("inf")])
def test_an_impossible_box_has_no_landmarks(finder: FacePipeline, side: float) -> None:
    frame = np.zeros((480, 640, 3), np.uint8)
    detection = Detection((10, 10, side, side), np.zeros((6, 2), np.float32), 0.9)
    assert finder.locate(frame, detection) is None


def test_the_crop_is_turned_so_that_the_eyes_are_level() -> None:
    keypoints = np.array([[100, 100], [200, 200]] + [[0, 0]] * 4, np.float32)
    crop = crop_of(Detection((50, 60, 100, 80), keypoints, 1.0))
    assert (crop.center_x, crop.center_y, crop.side_px) == (100, 100, 150)
    assert crop.turn_rad == pytest.approx(np.pi / 4)


@pytest.mark.requirement("R17")
def test_landmarks_are_overwritten_on_request(finder: FacePipeline, pictures: Pictures) -> None:
    located = finder.locate_largest(pictures["portrait_c1"])
    assert located is not None
    located.wipe()
    assert not located.points.any()


@pytest.mark.parametrize("turn_deg", [0.0, 30.0, -170.0])
@pytest.mark.parametrize("scale", [0.1, 1.0, 7.0])
def test_the_similarity_transform_is_found_exactly(turn_deg: float, scale: float) -> None:
    source = np.array(TARGETS_PX)
    angle = np.radians(turn_deg)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = similarity(source, source @ turn.T + [30, -70])
    np.testing.assert_allclose(found, np.hstack([turn, [[30], [-70]]]), atol=1e-9)


def test_the_similarity_transform_never_mirrors() -> None:
    source = np.array(TARGETS_PX)
    found = similarity(source, source * np.array([-1.0, 1.0]))
    assert np.linalg.det(found[:, :2]) >= 0


def test_the_similarity_transform_is_the_best_one() -> None:
    generator = np.random.default_rng(7)
    source = np.array(TARGETS_PX)
    target = source * 1.3 + generator.normal(0, 5, source.shape)
    found = similarity(source, target)
    least = ((source @ found[:, :2].T + found[:, 2] - target) ** 2).sum()
    for _ in range(200):
        other = found + generator.normal(0, [[0.01, 0.01, 1]], (2, 3))
        real, imaginary = other[0, 0], other[1, 0]
        turn = np.array([[real, -imaginary], [imaginary, real]])
        assert ((source @ turn.T + other[:, 2] - target) ** 2).sum() >= least


@pytest.mark.parametrize("height_px", [200, 480, 900, 2000])
def test_the_face_lies_at_its_place_in_the_chip_at_every_size(
    finder: FacePipeline, pictures: Pictures, height_px: int
) -> None:
    """The chip's own landmarks, found again in the chip, lie at the targets."""
    whole = pictures["portrait_c1"]
    scale = height_px / whole.shape[0]
    rgb = cv2.resize(whole, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    chip = np.zeros((CHIP_SIDE_PX, CHIP_SIDE_PX, 3), np.uint8)
    cut_chip(np.asarray(rgb, np.uint8), _points_of(finder, rgb), chip)
    again = _points_of(finder, np.pad(chip, ((75, 75), (75, 75), (0, 0)), mode="edge")) - 75
    np.testing.assert_allclose(again[list(ANCHOR_POINTS), :2], TARGETS_PX, atol=4)


def test_a_fine_pattern_is_averaged_when_shrunk_and_not_aliased() -> None:
    """Lines one pixel wide, shrunk tenfold: grey everywhere, not stripes."""
    rgb = np.zeros((1500, 1500, 3), np.uint8)
    rgb[:, ::2] = 255
    points = np.zeros((POINTS, 3), np.float32)
    points[list(ANCHOR_POINTS), :2] = np.array(TARGETS_PX) * 9.9
    chip = np.zeros((CHIP_SIDE_PX, CHIP_SIDE_PX, 3), np.uint8)
    cut_chip(rgb, points, chip)
    assert chip[5:-5, 5:-5].std() < 16


@pytest.mark.parametrize("scale", [1.99, 2.01, 2.99, 3.01])
def test_shrinking_in_two_steps_moves_nothing(scale: float) -> None:
    """Slopes of half a grey level a pixel, one rising, one falling: what rounding adds to both
    cancels, what a shift adds does not. Less than a fifth of a pixel is left."""
    points = np.zeros((POINTS, 3), np.float32)
    points[list(ANCHOR_POINTS), :2] = np.array(TARGETS_PX) * scale + 10
    wanted = (np.arange(CHIP_SIDE_PX) * scale + 10) / 2
    errors = []
    for sign in (1, -1):
        rgb = np.zeros((480, 500, 3), np.uint8)
        rgb[:] = np.rint(np.arange(500)[::sign] / 2)[None, :, None]
        chip = np.zeros((CHIP_SIDE_PX, CHIP_SIDE_PX, 3), np.uint8)
        cut_chip(rgb, points, chip)
        errors.append((chip[:, :, 0] - (wanted if sign > 0 else 499 / 2 - wanted)).mean())
    assert abs(errors[0] - errors[1]) / 2 < 0.1


def test_what_lies_outside_the_frame_is_black() -> None:
    points = np.zeros((POINTS, 3), np.float32)
    for offset in (-5000.0, 5000.0):
        for scale in (1.0, 5.0):
            points[list(ANCHOR_POINTS), :2] = np.array(TARGETS_PX) * scale + offset
            chip = np.full((CHIP_SIDE_PX, CHIP_SIDE_PX, 3), 7, np.uint8)
            cut_chip(np.full((480, 640, 3), 200, np.uint8), points, chip)
            assert not chip.any()


@pytest.mark.parametrize("points", [np.zeros((POINTS, 3)), np.full((POINTS, 3), np.nan)])
def test_points_that_are_no_face_are_refused(points: Array) -> None:
    chip = np.zeros((CHIP_SIDE_PX, CHIP_SIDE_PX, 3), np.uint8)
    with pytest.raises(ValueError, match="no face"):
        cut_chip(np.zeros((480, 640, 3), np.uint8), points.astype(np.float32), chip)


def test_a_chip_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="a chip must be uint8"):
        cut_chip(
            np.zeros((9, 9, 3), np.uint8),
            np.zeros((POINTS, 3), np.float32),
            np.zeros((112, 112, 3), np.uint8),
        )
