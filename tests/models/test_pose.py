"""Pose and quality move the way they must when a portrait is mirrored, turned or spoilt."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.faces import FacePipeline
from models.pose import chip_quality, pose_deg

Array = NDArray[Any]
Pictures = dict[str, NDArray[np.uint8]]


def _points_of(finder: FacePipeline, rgb: Array) -> Array:
    located = finder.locate_largest(rgb)
    assert located is not None
    return located.points


def _turned_head(points: Array, yaw_deg: float) -> Array:
    """The landmarks after the head turned to the right of the frame, in three dimensions."""
    angle = np.radians(yaw_deg)
    centre = points.mean(axis=0)
    x, y, z = (points - centre).T
    turned = [x * np.cos(angle) - z * np.sin(angle), y, x * np.sin(angle) + z * np.cos(angle)]
    return np.asarray(np.array(turned).T + centre, np.float32)


@pytest.mark.parametrize("key", ["portrait_a1", "portrait_a2", "portrait_a3", "portrait_c1"])
def test_mirroring_turns_yaw_and_roll_round_and_keeps_pitch(
    finder: FacePipeline, pictures: Pictures, key: str
) -> None:
    rgb = pictures[key]
    pose = pose_deg(_points_of(finder, rgb))
    mirrored = pose_deg(_points_of(finder, np.ascontiguousarray(rgb[:, ::-1])))
    assert mirrored.yaw_deg == pytest.approx(-pose.yaw_deg, abs=6)
    assert mirrored.roll_deg == pytest.approx(-pose.roll_deg, abs=3)
    assert mirrored.pitch_deg == pytest.approx(pose.pitch_deg, abs=5)


@pytest.mark.parametrize("key", ["portrait_a1", "portrait_a2", "portrait_a3", "portrait_c1"])
def test_a_face_that_looks_at_the_camera_reads_within_twenty_degrees_of_zero(
    finder: FacePipeline, pictures: Pictures, key: str
) -> None:
    pose = pose_deg(_points_of(finder, pictures[key]))
    assert abs(pose.yaw_deg) < 20
    assert abs(pose.pitch_deg) < 15
    assert abs(pose.roll_deg) < 10


@pytest.mark.parametrize("turn_deg", [-25, -10, 10, 25])
def test_turning_the_picture_turns_the_roll_by_as_much(
    finder: FacePipeline, pictures: Pictures, turn_deg: float
) -> None:
    rgb = pictures["portrait_c1"]
    height, width = rgb.shape[:2]
    # OpenCV turns counterclockwise for positive angles.
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -turn_deg, 1.0)
    turned = cv2.warpAffine(rgb, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    before, after = pose_deg(_points_of(finder, rgb)), pose_deg(_points_of(finder, turned))
    assert after.roll_deg - before.roll_deg == pytest.approx(turn_deg, abs=3)


@pytest.mark.parametrize("yaw_deg", [-30, -15, 15, 30])
def test_a_head_turned_to_the_right_of_the_frame_has_positive_yaw(
    finder: FacePipeline, pictures: Pictures, yaw_deg: float
) -> None:
    points = _points_of(finder, pictures["portrait_a1"])
    before, after = pose_deg(points), pose_deg(_turned_head(points, yaw_deg))
    assert after.yaw_deg - before.yaw_deg == pytest.approx(yaw_deg, abs=4)
    nose_side = _turned_head(points, yaw_deg)[1, 0] - points[1, 0]
    assert np.sign(nose_side) == np.sign(yaw_deg)


def test_blur_darkness_and_fog_show_in_the_chips_quality(
    finder: FacePipeline, pictures: Pictures
) -> None:
    rgb = pictures["portrait_c1"]
    chip = finder.chip(rgb, _points_of(finder, rgb)).copy()
    good = chip_quality(chip)
    blurred = chip_quality(np.asarray(cv2.GaussianBlur(chip, (0, 0), 4), np.uint8))
    dark = chip_quality((chip // 8).astype(np.uint8))
    fog = chip_quality((chip // 8 + 120).astype(np.uint8))
    assert blurred.sharpness < 30 < good.sharpness
    assert dark.brightness < 40 < good.brightness
    assert fog.contrast < 10 < good.contrast
