"""Rendering with a drawn head: it is where, and as, the pose says; and nothing of it stays."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from hw.errors import DeviceError
from hw.head_mesh import LANDMARKS, OVAL, head_mesh
from hw.portraits import Portrait, load_portrait, portrait_from
from hw.ports import FrameSize, Image
from hw.render import Renderer, draw_body, draw_head
from hw.room import lobby
from hw.scenes import (
    Actor,
    AtEnd,
    Keyframe,
    Kind,
    Light,
    LightKeyframe,
    Pose,
    Scene,
    load_scene,
)
from tests.hw import drawn_head

SIZE = FrameSize(640, 480)
FACING = Pose(x=0.5, y=0.45, face_height=0.4)
KEY = "portrait_a1"


def scene_of(
    *poses: Pose, kind: Kind = Kind.LIVE, light: Light | None = None, seed: int = 3
) -> Scene:
    """Everybody stands for ten seconds, without sway and, unless told, without noise."""
    actors = tuple(
        Actor(str(n), KEY, kind, (Keyframe(0, pose), Keyframe(10, pose)))
        for n, pose in enumerate(poses)
    )
    lights = (LightKeyframe(0, light or Light(noise=0)),)
    return Scene("test", "a test", 10, AtEnd.HOLD, seed, actors, lights)


@pytest.fixture(scope="session")
def portrait() -> Portrait:
    return portrait_from(drawn_head.picture(), drawn_head.points())


@pytest.fixture
def renderer(tmp_path: Path) -> Renderer:
    return Renderer(SIZE, drawn_head.save(tmp_path, KEY, "portrait_a3", "portrait_c1"))


def drawn(renderer: Renderer, scene: Scene, elapsed_s: float = 1.0) -> Image:
    frame = np.full((renderer.size.height_px, renderer.size.width_px, 3), 7, np.uint8)
    renderer.draw(scene, elapsed_s, frame)
    return frame


def nose(frame: Image) -> tuple[float, float]:
    """Where the red nose is, px."""
    red, green, blue = (frame[..., channel].astype(int) for channel in range(3))
    y, x = np.nonzero((red > 150) & (green < 110) & (blue < 110) & (red - green > 80))
    assert len(x), "no nose in the picture"
    return float(x.mean()), float(y.mean())


def eye_pixels(frame: Image) -> int:
    """How many pixels are as dark as an eye, around the face's upper half."""
    part = frame[130:235, 230:410]
    return int((part.max(axis=2) < 60).sum())


# --- the same, always ---------------------------------------------------------------------------


def test_the_same_scene_seed_and_time_give_the_same_bytes(renderer: Renderer) -> None:
    scene = load_scene("two_people")
    again = Renderer(SIZE, renderer._folder)
    assert np.array_equal(drawn(renderer, scene, 3.21), drawn(again, scene, 3.21))


def test_another_seed_or_another_time_gives_other_noise(renderer: Renderer) -> None:
    noisy = scene_of(light=Light(noise=3))
    first = drawn(renderer, noisy, 1.0)
    assert not np.array_equal(first, drawn(renderer, noisy, 1.033))
    assert not np.array_equal(first, drawn(renderer, noisy.with_seed(4), 1.0))


def test_what_was_in_the_frame_before_does_not_matter(renderer: Renderer) -> None:
    frame = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
    renderer.draw(scene_of(FACING), 1.0, frame)
    assert np.array_equal(frame, drawn(renderer, scene_of(FACING)))


# --- where and how ------------------------------------------------------------------------------


def test_the_middle_of_the_face_is_where_the_pose_says(renderer: Renderer) -> None:
    for x, y in ((0.3, 0.4), (0.7, 0.5)):
        at = nose(drawn(renderer, scene_of(replace(FACING, x=x, y=y))))
        assert at == pytest.approx((x * 640, y * 480 + 0.05 * 0.4 * 480), abs=4)


def test_a_face_is_as_high_as_the_pose_says(portrait: Portrait) -> None:
    points = portrait.mesh.posed(0, 0, 0, 0)
    assert points[152, 1] - points[10, 1] == pytest.approx(1, abs=0.01)


def test_a_positive_yaw_turns_the_nose_to_the_right(renderer: Renderer) -> None:
    left, middle, right = (
        nose(drawn(renderer, scene_of(replace(FACING, yaw_deg=yaw))))[0] for yaw in (-25, 0, 25)
    )
    assert left < middle - 15
    assert right > middle + 15


def test_a_positive_pitch_lifts_the_nose(renderer: Renderer) -> None:
    down, middle, up = (
        nose(drawn(renderer, scene_of(replace(FACING, pitch_deg=pitch))))[1]
        for pitch in (-20, 0, 20)
    )
    assert up < middle - 12
    assert down > middle + 12


def test_a_positive_roll_tilts_the_head_clockwise(portrait: Portrait) -> None:
    points = portrait.mesh.posed(0, 0, 20, 0)
    assert points[10, 0] > 0.1 > -0.1 > points[152, 0]


def test_a_blink_hides_the_eyes(renderer: Renderer) -> None:
    opened, shut = (
        eye_pixels(drawn(renderer, scene_of(replace(FACING, blink=blink)))) for blink in (0.0, 1.0)
    )
    assert opened > 120
    assert shut < opened / 2


def test_a_head_turned_in_its_portrait_looks_straight_ahead_when_it_is_told_to() -> None:
    points = drawn_head.points()
    mesh = head_mesh(points)
    turned = points.copy()
    turned[:, :2] -= drawn_head.MIDDLE
    turned = turned @ np.asarray(_about_y(20)).T
    turned[:, :2] += drawn_head.MIDDLE
    straight = head_mesh(turned.astype(np.float32)).posed(0, 0, 0, 0)
    apart = np.abs(straight[:LANDMARKS] - mesh.posed(0, 0, 0, 0)[:LANDMARKS])
    assert apart.max() < 0.03


def _about_y(degrees: float) -> list[list[float]]:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return [[c, 0, -s], [0, 1, 0], [s, 0, c]]


def test_a_face_whose_cheek_hides_its_outline_reaches_that_outline_all_the_same() -> None:
    points = drawn_head.points()
    points[list(OVAL), 2] += 30
    for cheek, outline in ((227, 234), (447, 454)):  # in front of the ears
        points[cheek] = points[outline] + (0, 0, -60)
        points[outline, 0] -= 0.05 * (points[outline, 0] - drawn_head.MIDDLE[0])
    mesh = head_mesh(points)
    of_face = mesh.triangles[(mesh.triangles < LANDMARKS).all(axis=1)]
    edges = {frozenset((int(t[i]), int(t[i - 1]))) for t in of_face for i in range(3)}
    assert not [pair for pair in pairwise((*OVAL, OVAL[0])) if frozenset(pair) not in edges]


@pytest.mark.parametrize("yaw_deg", [-60, -40, -20, 0, 20, 40, 60])
@pytest.mark.parametrize("pitch_deg", [-20, 0, 20])
def test_a_turned_face_has_no_hole(portrait: Portrait, yaw_deg: float, pitch_deg: float) -> None:
    pose = replace(FACING, yaw_deg=yaw_deg, pitch_deg=pitch_deg, face_height=0.5)
    frame = np.zeros((480, 640, 3), np.uint8)
    frame[:] = (255, 0, 255)
    draw_head(portrait, pose, frame)
    inside = _face_area(portrait, pose, frame)
    seen_through = (frame[..., 1] < 20) & (frame[..., 0] > 235) & (frame[..., 2] > 235)
    assert not (seen_through & inside).any()


def _face_area(portrait: Portrait, pose: Pose, frame: Image) -> npt.NDArray[np.bool_]:
    """Well within the outline of the posed face."""
    points = portrait.mesh.posed(pose.yaw_deg, pose.pitch_deg, pose.roll_deg, pose.blink)
    outline = points[list(OVAL), :2] * pose.face_height * frame.shape[0]
    outline += np.array([pose.x * frame.shape[1], pose.y * frame.shape[0]])
    area = np.zeros(frame.shape[:2], np.uint8)
    cv2.fillPoly(area, [outline.round().astype(np.int32)], (1,))
    return cv2.erode(area, np.ones((9, 9), np.uint8)).astype(bool)


def test_the_background_of_a_portrait_does_not_come_along(renderer: Renderer) -> None:
    frame = drawn(renderer, scene_of(FACING)).astype(int)
    blue = (frame[..., 2] - frame[..., 0] > 70).mean()
    assert blue < 0.002


def test_the_near_one_hides_the_far_one(renderer: Renderer) -> None:
    near, far = FACING, replace(FACING, x=0.55, face_height=0.15)
    alone = drawn(renderer, scene_of(near))
    both = drawn(renderer, scene_of(near, far))
    face = slice(170, 270), slice(280, 360)
    assert np.array_equal(alone[face], both[face])


def test_somebody_far_away_is_small_and_stands_on_legs(renderer: Renderer) -> None:
    changed = np.abs(
        drawn(renderer, scene_of(replace(FACING, face_height=0.05))).astype(int)
        - drawn(renderer, scene_of()).astype(int)
    ).max(axis=2)
    rows, columns = np.nonzero(changed > 25)
    assert 150 < rows.min() < 216
    assert 400 < rows.max() < 440
    assert columns.max() - columns.min() < 110


@pytest.mark.parametrize(("x", "y"), [(-0.4, 0.5), (1.3, 0.5), (0.5, -0.2), (0.5, 1.3), (0.0, 1.0)])
@pytest.mark.parametrize("kind", list(Kind))
def test_the_edge_of_the_frame_cuts_whatever_stands_there(
    renderer: Renderer, kind: Kind, x: float, y: float
) -> None:
    pose = replace(FACING, x=x, y=y, yaw_deg=20, roll_deg=30, face_height=0.7)
    assert drawn(renderer, scene_of(pose, kind=kind)).shape == (480, 640, 3)


@pytest.mark.parametrize("face_height", [0.012, 0.95])
def test_the_smallest_and_the_largest_face_can_be_drawn(
    portrait: Portrait, face_height: float
) -> None:
    frame = lobby(SIZE)
    before = frame.copy()
    pose = replace(FACING, face_height=face_height)
    draw_body(portrait, pose, frame)
    draw_head(portrait, pose, frame)
    assert not np.array_equal(frame, before)


# --- props and light ----------------------------------------------------------------------------


def test_a_print_has_a_white_border_and_its_own_background(renderer: Renderer) -> None:
    frame = drawn(renderer, scene_of(FACING, kind=Kind.PRINT)).astype(int)
    unit, x, y = 0.4 * 480, 320, 216
    border = frame[round(y - 1.0 * unit), x]
    assert border.min() > 225
    background = frame[round(y - 0.6 * unit), round(x - 0.85 * unit)]
    assert background[2] > background[0] + 50


def test_a_screen_has_a_dark_bezel_and_is_brighter_than_paper(renderer: Renderer) -> None:
    screen = drawn(renderer, scene_of(FACING, kind=Kind.SCREEN)).astype(int)
    paper = drawn(renderer, scene_of(FACING, kind=Kind.PRINT)).astype(int)
    unit, x, y = 0.4 * 480, 320, 216
    assert screen[round(y - 1.02 * unit), x].max() < 60
    face = slice(150, 280), slice(260, 380)
    assert screen[face][..., 2].mean() > paper[face][..., 2].mean() + 5


def test_a_tilted_print_is_narrower(renderer: Renderer) -> None:
    white = [
        int((drawn(renderer, scene_of(replace(FACING, yaw_deg=yaw), kind=Kind.PRINT)) > 228).sum())
        for yaw in (0, 50)
    ]
    assert white[1] < white[0] * 0.95


@pytest.mark.requirement("A21")
def test_without_light_a_frame_is_black_but_for_its_noise(renderer: Renderer) -> None:
    dark = drawn(renderer, scene_of(FACING, light=Light(level=0, noise=1)))
    assert 0 < dark.max() < 12
    assert drawn(renderer, scene_of(FACING, light=Light(level=0, noise=0))).max() == 0


def test_less_light_is_darker_and_a_warm_lamp_is_redder(renderer: Renderer) -> None:
    bright = drawn(renderer, scene_of(FACING)).mean(axis=(0, 1))
    dim = drawn(renderer, scene_of(FACING, light=Light(level=0.2, noise=0))).mean(axis=(0, 1))
    warm = drawn(renderer, scene_of(light=Light(cast=(1.1, 1, 0.6), noise=0))).mean(axis=(0, 1))
    assert (dim < bright * 0.6).all()
    assert warm[0] > warm[2] * 1.2


@pytest.mark.parametrize("noise", [2.0, 8.0])
def test_noise_is_as_strong_as_the_scene_says(renderer: Renderer, noise: float) -> None:
    clean = drawn(renderer, scene_of()).astype(int)
    noisy = drawn(renderer, scene_of(light=Light(noise=noise))).astype(int)
    assert (noisy - clean).std() == pytest.approx(noise, rel=0.08)


@pytest.mark.parametrize("size", [FrameSize(320, 240), FrameSize(1280, 720), FrameSize(480, 640)])
def test_any_frame_size_will_do(tmp_path: Path, size: FrameSize) -> None:
    renderer = Renderer(size, drawn_head.save(tmp_path, KEY))
    frame = drawn(renderer, scene_of(FACING))
    assert nose(frame)[0] == pytest.approx(size.width_px / 2, abs=4)


# --- faces are loaded late and do not stay ------------------------------------------------------


def test_an_empty_lobby_needs_no_portrait(tmp_path: Path) -> None:
    renderer = Renderer(SIZE, tmp_path / "none")
    for name in ("empty", "black"):
        renderer.prepare(load_scene(name))
        drawn(renderer, load_scene(name))


@pytest.mark.requirement("R13")
def test_nothing_of_a_face_stays_after_close(renderer: Renderer) -> None:
    drawn(renderer, scene_of(FACING))
    drawn(renderer, scene_of(FACING, kind=Kind.PRINT))
    drawn(renderer, scene_of(FACING, kind=Kind.SCREEN))
    held = [renderer._portraits[KEY].sheet]
    held += [*renderer._portraits[KEY].head, *renderer._portraits[KEY].body]
    held += [level for sheet in renderer._sheets.values() for level in sheet.levels]
    assert all(layer.any() for layer in held)
    renderer.close()
    renderer.close()
    assert not any(layer.any() for layer in held)
    assert not renderer._portraits
    assert not renderer._sheets


def test_a_lobby_drawn_after_a_face_shows_nothing_of_it(renderer: Renderer) -> None:
    before = drawn(renderer, scene_of())
    drawn(renderer, scene_of(FACING))
    assert np.array_equal(before, drawn(renderer, scene_of()))


def test_a_renderer_that_was_closed_loads_its_portraits_anew(renderer: Renderer) -> None:
    before = drawn(renderer, scene_of(FACING))
    renderer.close()
    assert np.array_equal(before, drawn(renderer, scene_of(FACING)))


def _spoil_nothing_there(folder: Path) -> None:
    (folder / f"{KEY}.npz").unlink()


def _spoil_picture_gone(folder: Path) -> None:
    (folder / f"{KEY}.png").unlink()


def _spoil_points(folder: Path) -> None:
    (folder / f"{KEY}.npz").write_bytes(b"no archive")


def _spoil_picture(folder: Path) -> None:
    (folder / f"{KEY}.png").write_bytes(b"no picture")


def _spoil_empty_picture(folder: Path) -> None:
    (folder / f"{KEY}.png").write_bytes(b"")


def _spoil_shape(folder: Path) -> None:
    np.savez(folder / f"{KEY}.npz", points=np.zeros((10, 3), np.float32))


def _spoil_numbers(folder: Path) -> None:
    points = drawn_head.points()
    points[7, 1] = np.nan
    np.savez(folder / f"{KEY}.npz", points=points)


def _spoil_by_a_dot(folder: Path) -> None:
    np.savez(folder / f"{KEY}.npz", points=drawn_head.points() / 100)


def _spoil_name(folder: Path) -> None:
    np.savez(folder / f"{KEY}.npz", other=drawn_head.points())


def _spoil_by_an_empty_file(folder: Path) -> None:
    (folder / f"{KEY}.npz").write_bytes(b"")


def _spoil_by_one_array(folder: Path) -> None:
    np.save(folder / "one.npy", drawn_head.points())
    (folder / "one.npy").replace(folder / f"{KEY}.npz")


def _spoil_depth(folder: Path) -> None:
    points = drawn_head.points()
    points[400, 2] = 1000
    np.savez(folder / f"{KEY}.npz", points=points)


def _spoil_width(folder: Path) -> None:
    points = drawn_head.points()
    points[:, 0] = 240
    np.savez(folder / f"{KEY}.npz", points=points)


def _spoil_place(folder: Path) -> None:
    np.savez(folder / f"{KEY}.npz", points=drawn_head.points() * np.float32(1e6))


def _spoil_by_pickle(folder: Path) -> None:
    np.savez(folder / f"{KEY}.npz", points=np.array([{}], object))


SPOILERS = [
    _spoil_nothing_there, _spoil_picture_gone, _spoil_points, _spoil_picture, _spoil_shape,
    _spoil_empty_picture, _spoil_numbers, _spoil_by_a_dot, _spoil_name, _spoil_by_pickle,
    _spoil_by_an_empty_file, _spoil_by_one_array, _spoil_depth, _spoil_width, _spoil_place,
]  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILERS)
def test_a_portrait_that_is_missing_or_broken_is_one_sentence_that_names_the_remedy(
    tmp_path: Path, spoil: object
) -> None:
    drawn_head.save(tmp_path, KEY)
    assert callable(spoil)
    spoil(tmp_path)
    with pytest.raises(DeviceError) as caught:
        load_portrait(KEY, tmp_path)
    sentence = str(caught.value)
    assert KEY in sentence
    assert sentence.endswith("run `make models`.")
    assert "\n" not in sentence


def test_a_colour_profile_that_libpng_would_complain_of_is_passed_over(
    tmp_path: Path,
) -> None:
    drawn_head.save(tmp_path, KEY)
    plain = load_portrait(KEY, tmp_path)
    path = tmp_path / f"{KEY}.png"
    packed = path.read_bytes()
    profile = b"\x00\x00\x00\x04iCCPoddx" + b"\x00" * 4
    path.write_bytes(packed[:33] + profile + packed[33:])  # behind IHDR
    assert np.array_equal(load_portrait(KEY, tmp_path).sheet, plain.sheet)


def test_a_picture_without_contrast_is_cut_out_by_its_outline_alone() -> None:
    flat = np.full((640, 480, 3), 120, np.uint8)
    made = portrait_from(flat, drawn_head.points())
    assert made.head[0][..., 3].any()
