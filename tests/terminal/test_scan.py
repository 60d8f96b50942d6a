"""Good frames become one probe of one face; everything else is refused with a hint."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.pose import ChipQuality
from models.pose import Pose as HeadPose
from terminal.core.values import Hint, Pose
from terminal.scan import (
    MIN_BRIGHTNESS,
    MIN_CONTRAST,
    MIN_SHARPNESS,
    STRAIGHT_DEG,
    TURN_DEG,
    TURN_MAX_DEG,
    UPRIGHT_DEG,
    Gathered,
    hindrance,
    holds,
)
from tests.terminal.given_bridge import WIDTH, probe_of

GOOD = ChipQuality(sharpness=100.0, brightness=120.0, contrast=40.0)
AHEAD = HeadPose(0.0, 0.0, 0.0)


def gathered(frames: int = 3) -> Gathered:
    return Gathered(frames, WIDTH)


def test_so_many_frames_make_a_probe() -> None:
    some = gathered()
    assert [some.add(probe_of(1), at_s) for at_s in (10.0, 10.1, 10.2)] == [False, False, True]
    assert (some.taken, some.first_s) == (3, 10.0)


def test_the_probe_is_their_mean_of_unit_length() -> None:
    some, rows = gathered(), [probe_of(1, noise=0.3) for _ in range(3)]
    for row in rows:
        some.add(row, 0.0)
    mean = np.mean(rows, axis=0)
    np.testing.assert_allclose(some.fused(), mean / np.linalg.norm(mean), atol=1e-6)
    assert np.linalg.norm(some.fused()) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.requirement("R13")
@given(faces=st.lists(st.integers(1, 4), min_size=1, max_size=30))
def test_two_faces_are_never_fused(faces: list[int]) -> None:
    """Whatever order two people step in, a full probe is of one of them alone."""
    some = gathered()
    for at, seed in enumerate(faces):
        if some.add(probe_of(seed), float(at)):
            assert faces[at - 2 : at + 1] == [seed] * 3
            assert np.linalg.norm(some.fused() - probe_of(seed)) < 0.1
            some.wipe()


def test_another_face_begins_anew_with_its_own_first_frame() -> None:
    some = gathered()
    some.add(probe_of(1), 10.0)
    some.add(probe_of(1), 10.1)
    assert not some.add(probe_of(2), 10.2)
    assert (some.taken, some.first_s) == (1, 10.2)


@pytest.mark.requirement("R17", "R13")
def test_wiping_overwrites_rows_and_probe() -> None:
    some = gathered()
    for _ in range(3):
        some.add(probe_of(1), 0.0)
    fused = some.fused()
    some.wipe()
    buffers = [value for value in vars(some).values() if isinstance(value, np.ndarray)]
    assert len(buffers) == 2
    assert not any(buffer.any() for buffer in (*buffers, fused))
    assert some.taken == 0


# Which frames are good


def test_a_good_frame_is_hindered_by_nothing() -> None:
    assert hindrance(AHEAD, GOOD, None) is None
    assert hindrance(AHEAD, GOOD, Pose.STRAIGHT) is None


@pytest.mark.parametrize("yaw", [-STRAIGHT_DEG - 1, STRAIGHT_DEG + 1])
def test_a_probe_is_taken_of_a_head_that_looks_here(yaw: float) -> None:
    assert hindrance(HeadPose(yaw, 0, 0), GOOD, None) is Hint.FACE_THE_CAMERA
    assert hindrance(HeadPose(0, yaw, 0), GOOD, None) is Hint.FACE_THE_CAMERA
    assert hindrance(HeadPose(yaw * 0.9, 0, 30), GOOD, None) is None


@pytest.mark.parametrize(
    ("quality", "hint"),
    [
        (replace(GOOD, brightness=MIN_BRIGHTNESS - 1), Hint.MORE_LIGHT),
        (replace(GOOD, contrast=MIN_CONTRAST - 1), Hint.MORE_LIGHT),
        (replace(GOOD, sharpness=MIN_SHARPNESS - 1), Hint.HOLD_STILL),
        (ChipQuality(0.0, 0.0, 0.0), Hint.MORE_LIGHT),
        (ChipQuality(MIN_SHARPNESS, MIN_BRIGHTNESS, MIN_CONTRAST), None),
    ],
)
def test_a_dark_or_blurred_chip_makes_neither_probe_nor_reference(
    quality: ChipQuality, hint: Hint | None
) -> None:
    assert hindrance(AHEAD, quality, None) is hint
    assert hindrance(AHEAD, quality, Pose.STRAIGHT) is hint


TURNED = {
    Pose.STRAIGHT: HeadPose(0.0, 0.0, 0.0),
    Pose.LEFT: HeadPose(20.0, 0.0, 0.0),
    Pose.RIGHT: HeadPose(-20.0, 0.0, 0.0),
    Pose.UP: HeadPose(0.0, -20.0, 0.0),
    Pose.DOWN: HeadPose(0.0, 20.0, 0.0),
}


@pytest.mark.parametrize("wanted", Pose)
def test_each_pose_is_held_by_its_own_head_alone(wanted: Pose) -> None:
    assert [pose for pose, head in TURNED.items() if holds(head, wanted)] == [wanted]
    assert hindrance(TURNED[wanted], GOOD, wanted) is None
    for pose, head in TURNED.items():
        if pose is not wanted:
            assert hindrance(head, GOOD, wanted) is Hint.TURN_MORE


@pytest.mark.parametrize(
    ("yaw", "is_held"),
    [(TURN_DEG, True), (TURN_DEG - 1, False), (TURN_MAX_DEG, True), (TURN_MAX_DEG + 1, False)],
)
def test_a_turn_has_its_limits(yaw: float, is_held: bool) -> None:
    assert holds(HeadPose(yaw, 0, 0), Pose.LEFT) is is_held
    assert holds(HeadPose(-yaw, 0, 0), Pose.RIGHT) is is_held


def test_straight_is_straighter_for_a_reference_than_for_a_probe() -> None:
    assert UPRIGHT_DEG < STRAIGHT_DEG
    between = HeadPose((UPRIGHT_DEG + STRAIGHT_DEG) / 2, 0, 0)
    assert hindrance(between, GOOD, None) is None
    assert hindrance(between, GOOD, Pose.STRAIGHT) is Hint.TURN_MORE
