"""Boxes become nobody, passing, several or ready; a track is one person who stands there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.core.values import Hint, TrackId, View
from terminal.zone import (
    CLEAR_S,
    FORGET_S,
    SETTLE_S,
    STAND_S,
    Sight,
    Told,
    Tracker,
    ZoneSettings,
    is_facing,
    look,
)
from tests.terminal.given_bridge import ZONE, MadeUpFace

PX = 40.0
RATE_HZ = 30.0


def face(x: float, y: float = 0.5, width: float = PX, turn: float = 0.0) -> MadeUpFace:
    """A face whose box is centred at (x, y) in 0..1 of the frame of `ZONE`."""
    left, top = x * ZONE.width_px - width / 2, y * ZONE.height_px - width / 2
    return MadeUpFace((left, top, width, width), turn)


MIDDLE = face(0.5)


# One frame


def test_nobody_is_empty() -> None:
    assert look([], ZONE) == Sight(View.EMPTY)


def test_one_in_the_middle_is_ready() -> None:
    assert look([MIDDLE], ZONE) == Sight(View.READY, face=MIDDLE)


@pytest.mark.requirement("D1", "R10", "R13")
@pytest.mark.parametrize(
    ("detected", "hint"),
    [
        (face(0.05), Hint.TO_THE_MIDDLE),
        (face(0.95), Hint.TO_THE_MIDDLE),
        (face(0.5, width=ZONE.min_face_px - 1), Hint.NEARER),
        (face(0.05, width=ZONE.min_face_px - 1), Hint.NEARER),
        (face(0.5, width=ZONE.max_face_px + 1), Hint.FARTHER),
        (face(0.5, turn=0.5), Hint.FACE_THE_CAMERA),
        (face(0.5, turn=-0.5), Hint.FACE_THE_CAMERA),
    ],
)
def test_whoever_is_outside_too_far_too_near_or_turned_away_is_passing(
    detected: MadeUpFace, hint: Hint
) -> None:
    assert look([detected], ZONE) == Sight(View.PASSING, hint=hint)


@pytest.mark.parametrize("width", [ZONE.min_face_px, ZONE.max_face_px])
def test_the_limits_of_size_belong_to_the_zone(width: float) -> None:
    assert look([face(0.5, width=width)], ZONE).view is View.READY


@pytest.mark.requirement("D1", "R13")
def test_two_in_the_zone_are_several_whatever_they_do() -> None:
    sight = look([face(0.3), face(0.7, turn=0.5)], ZONE)
    assert sight == Sight(View.SEVERAL, hint=Hint.ONE_AT_A_TIME)


@pytest.mark.requirement("R13")
@pytest.mark.parametrize("bystander", [face(0.02), face(0.7, width=ZONE.min_face_px - 1)])
def test_a_bystander_outside_does_not_keep_the_one_inside_out(bystander: MadeUpFace) -> None:
    assert look([bystander, MIDDLE], ZONE) == Sight(View.READY, face=MIDDLE)


def test_any_pose_is_for_enrolments_alone() -> None:
    turned = face(0.5, turn=0.5)
    assert look([turned], ZONE, any_pose=True) == Sight(View.READY, face=turned)
    assert look([turned], ZONE).view is View.PASSING


def test_eyes_on_one_spot_face_nobody() -> None:
    assert not is_facing(np.zeros((6, 2), np.float32))


def test_a_head_that_leans_still_faces() -> None:
    """The nose is measured along the line through the eyes, however that lies."""
    turn = np.radians(40)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = (MIDDLE.keypoints @ turned.T).astype(np.float32)
    assert is_facing(points)
    points[2] += 0.5 * (points[1] - points[0])
    assert not is_facing(points)


# The polygon

TRIANGLE = replace(ZONE, corners=((0.1, 0.9), (0.5, 0.1), (0.9, 0.9)))
CONCAVE = replace(ZONE, corners=((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.5, 0.4), (0.1, 0.9)))


@pytest.mark.requirement("R10")
@pytest.mark.parametrize(
    ("zone", "at", "inside"),
    [
        (TRIANGLE, (0.5, 0.5), True),
        (TRIANGLE, (0.2, 0.2), False),
        (TRIANGLE, (0.8, 0.2), False),
        (TRIANGLE, (0.5, 0.95), False),
        (CONCAVE, (0.5, 0.3), True),
        (CONCAVE, (0.5, 0.7), False),
        (CONCAVE, (0.2, 0.7), True),
        (CONCAVE, (0.8, 0.7), True),
    ],
)
def test_the_zone_is_the_polygon_that_the_sign_marks(
    zone: ZoneSettings, at: tuple[float, float], inside: bool
) -> None:
    seen = look([face(*at, width=31.0)], zone).view
    assert seen is (View.READY if inside else View.PASSING)


@given(x=st.floats(0, 1), y=st.floats(0, 1))
def test_a_rectangle_is_what_it_looks_like(x: float, y: float) -> None:
    (left, top), _, (right, bottom), _ = ZONE.corners
    if min(abs(x - left), abs(x - right), abs(y - top), abs(y - bottom)) < 1e-6:
        return
    seen = look([face(x, y)], ZONE).view
    assert (seen is View.READY) == (left < x < right and top < y < bottom)


# From frame to frame


class Followed:
    """A tracker, and the time that passes at it."""

    def __init__(self) -> None:
        self.tracker, self.now_s = Tracker(), 100.0

    def sees(self, *faces: MadeUpFace) -> Told:
        self.now_s += 1 / RATE_HZ
        return self.tracker.follow(look(faces, ZONE), self.now_s)

    def sees_for(self, seconds: float, *faces: MadeUpFace) -> Told:
        frames = max(1, round(seconds * RATE_HZ))
        return [self.sees(*faces) for _ in range(frames)][-1]

    def passes(self, seconds: float) -> None:
        self.now_s += seconds


def ready(followed: Followed, at: MadeUpFace = MIDDLE) -> TrackId:
    told = followed.sees_for(STAND_S + 0.1, at)
    assert told.view is View.READY
    assert told.track is not None
    return told.track


def test_whoever_stands_there_is_ready_after_a_moment_and_not_before() -> None:
    followed = Followed()
    assert followed.sees_for(STAND_S - 0.1, MIDDLE).view is not View.READY
    assert followed.sees_for(0.2, MIDDLE) == Told(View.READY, TrackId(1))


def test_a_track_stays_while_somebody_sways() -> None:
    followed = Followed()
    track = ready(followed)
    for step in range(120):
        sway = 0.02 * np.sin(step / 6)
        assert followed.sees(face(0.5 + sway)) == Told(View.READY, track)


@pytest.mark.parametrize("gap_s", [0.05, 0.2, SETTLE_S, 0.9])
def test_a_track_survives_a_short_gap(gap_s: float) -> None:
    followed = Followed()
    track = ready(followed)
    followed.sees_for(gap_s)
    assert followed.sees_for(0.1, MIDDLE) == Told(View.READY, track)


def test_a_detector_that_blinks_is_not_told() -> None:
    followed = Followed()
    track = ready(followed)
    for _ in range(10):
        assert followed.sees_for(SETTLE_S - 0.1) == Told(View.READY, track)
        assert followed.sees(MIDDLE) == Told(View.READY, track)


def test_leaving_is_told_when_it_lasts() -> None:
    followed = Followed()
    ready(followed)
    assert followed.sees_for(SETTLE_S + 0.1) == Told(View.PASSING)
    assert followed.sees_for(CLEAR_S) == Told(View.EMPTY)


@pytest.mark.requirement("D9")
def test_whoever_bows_for_a_second_has_not_left() -> None:
    followed = Followed()
    ready(followed)
    assert View.EMPTY not in {followed.sees().view for _ in range(round(RATE_HZ))}


@pytest.mark.requirement("R13")
def test_a_second_person_in_the_zone_is_told_when_it_lasts() -> None:
    followed = Followed()
    ready(followed)
    assert followed.sees_for(SETTLE_S + 0.1, face(0.3), face(0.7)).view is View.SEVERAL


def test_after_a_long_gap_it_is_a_new_track() -> None:
    followed = Followed()
    track = ready(followed)
    followed.passes(FORGET_S + 0.1)
    assert ready(followed) != track


@pytest.mark.requirement("R13")
@pytest.mark.parametrize("gap_s", [0.0, 0.1, 0.5])
def test_two_people_never_share_a_track(gap_s: float) -> None:
    """Whoever stands most of a face's width away from where the last one stood is another."""
    followed = Followed()
    track = ready(followed, face(0.4))
    followed.sees_for(gap_s)
    other = face(0.4 + 0.65 * PX / ZONE.width_px)
    followed.sees(other)
    assert followed.tracker.ready is None, "not for one frame"
    assert ready(followed, other) != track


@pytest.mark.requirement("D1", "R13")
def test_while_what_is_told_is_steadied_nobody_else_is_ready() -> None:
    """READY is told on for a moment; the face that is there in that moment is another's."""
    followed = Followed()
    track = ready(followed, face(0.3))
    assert followed.sees(face(0.7)) == Told(View.READY, track)
    assert followed.tracker.ready is None
    assert followed.sees() == Told(View.READY, track)
    assert followed.tracker.ready is None
    followed.sees(face(0.3), face(0.7))
    assert followed.tracker.ready is None


def test_a_new_track_has_to_stand_there_too() -> None:
    followed = Followed()
    ready(followed, face(0.3))
    for _ in range(round((STAND_S - 0.1) * RATE_HZ)):
        assert followed.sees(face(0.7)).track in (None, TrackId(1))
        assert followed.tracker.ready is None
    assert ready(followed, face(0.7)) == TrackId(2)


@pytest.mark.requirement("D1", "R13", "T38")
@pytest.mark.parametrize("widths_per_s", [1.6, 2.5, 4.0, 8.0])
@pytest.mark.parametrize("rate_hz", [10.0, 30.0])
def test_walking_past_is_never_ready(widths_per_s: float, rate_hz: float) -> None:
    tracker = Tracker()
    step = widths_per_s * PX / ZONE.width_px / rate_hz
    x, now_s, views = 0.0, 0.0, set()
    while x < 1.0:
        views.add(tracker.follow(look([face(x)], ZONE), now_s).view)
        x, now_s = x + step, now_s + 1 / rate_hz
    assert View.READY not in views


def test_stopping_after_walking_is_ready() -> None:
    followed = Followed()
    for step in range(20):
        followed.sees(face(0.1 + 0.02 * step))
    assert followed.sees_for(1.0, face(0.5)).view is View.READY


def test_forgetting_begins_anew() -> None:
    followed = Followed()
    track = ready(followed)
    followed.tracker.forget()
    assert followed.sees(MIDDLE).view is View.PASSING
    assert ready(followed) != track


@pytest.mark.requirement("D9")
def test_after_forgetting_nobody_is_said_to_be_gone_who_may_stand_there() -> None:
    followed = Followed()
    followed.tracker.forget()
    seen = [followed.sees(MIDDLE).view for _ in range(round(2 * CLEAR_S * RATE_HZ))]
    assert View.EMPTY not in seen
    assert seen[-1] is View.READY
