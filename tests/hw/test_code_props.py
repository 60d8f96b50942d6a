"""Codes that are held up before the bench camera: as data, as drawn, and as they are read."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest

from hw.bench_camera import BenchCamera
from hw.bench_clock import FakeClock
from hw.code_props import VERTICAL_FOV_DEG, corners_px, draw_code, modules_of
from hw.held_codes import CodePose, HeldCode, Medium, Print
from hw.ports import FrameSize, Image
from hw.scene_reader import SceneError
from hw.scenes import load_scene, parse_scene
from models.paths import BUILD_DIR, portrait_dir
from terminal.code_decoder import qr_codes_in

SIZE = FrameSize(640, 480)
HEAD = 'about = "A test."\nduration_s = 4.0\nseed = 5\n'
CODE = """
[[code]]
name = "one"
text = "FT1:A"
medium = "phone"
keyframes = [{ t_s = 1.0, distance_m = 0.3 }, { t_s = 3.0, x = 0.7, distance_m = 0.5 }]
"""


def held(
    distance_m: float = 0.3,
    medium: Medium = Medium.PAPER,
    yaw_deg: float = 0.0,
    fringes: float = 0.0,
    blur: float = 0.0,
) -> HeldCode:
    pose = CodePose(0.5, 0.5, distance_m, yaw_deg)
    return HeldCode("FT1:ABC", Print(medium, fringes=fringes, blur=blur), pose, 0.3)


def drawn(code: HeldCode, size: FrameSize = SIZE) -> Image:
    frame = np.full((size.height_px, size.width_px, 3), 128, np.uint8)
    draw_code(code, frame)
    return frame


def read(frame: Image) -> set[bytes]:
    return set(qr_codes_in(np.ascontiguousarray(frame[..., 1]).data))


def camera(name: str, at_s: float, **changes: str) -> Image:
    """What the bench camera sees so long after the scene began."""
    time = FakeClock()
    seen = BenchCamera(SIZE, portrait_dir(BUILD_DIR), time, pace=False)
    seen.open()
    seen.play(name, **changes)  # type: ignore[arg-type]
    time.advance(at_s)
    frame = np.zeros((SIZE.height_px, SIZE.width_px, 3), np.uint8)
    seen.read(frame)
    seen.close()
    return frame


@pytest.mark.parametrize("distance_m", [0.15, 0.3, 0.5])
@pytest.mark.parametrize("size", [SIZE, FrameSize(1280, 720)])
def test_a_code_is_as_large_as_the_field_of_view_says(distance_m: float, size: FrameSize) -> None:
    """60 mm at a distance, seen by a camera of so many degrees from top to bottom."""
    code = held(distance_m)
    side_px = modules_of(code.text, "m") * 6
    corners = corners_px(code, (side_px, side_px), (size.height_px, size.width_px))
    wide_px = float(corners[1, 0] - corners[0, 0])
    sees_m = 2 * distance_m * math.tan(math.radians(VERTICAL_FOV_DEG / 2))
    assert wide_px == pytest.approx(0.06 / sees_m * size.height_px, rel=0.01)


def test_the_near_side_of_a_tilted_code_is_the_larger_one() -> None:
    corners = corners_px(held(yaw_deg=30.0), (100, 100), (480, 640))
    left_px = float(corners[3, 1] - corners[0, 1])
    right_px = float(corners[2, 1] - corners[1, 1])
    assert abs(left_px - right_px) > 3.0
    assert corners[1, 0] - corners[0, 0] < corners[2, 1] - corners[0, 1]


@pytest.mark.parametrize("medium", Medium)
def test_what_is_drawn_is_read(medium: Medium) -> None:
    assert read(drawn(held(medium=medium))) == {b"FT1:ABC"}


def test_what_is_far_too_blurred_is_not() -> None:
    assert read(drawn(held(blur=6.0))) == set()


def test_a_phone_has_fringes_where_they_are_asked_for_and_paper_never() -> None:
    plain, fringed = (drawn(held(medium=Medium.PHONE, fringes=much)) for much in (0.0, 0.8))
    assert np.abs(plain.astype(int) - fringed).max() > 40
    plain, same = (drawn(held(fringes=much)) for much in (0.0, 0.8))
    np.testing.assert_array_equal(plain, same)


def test_a_code_outside_the_frame_is_not_drawn_and_one_at_its_edge_is() -> None:
    outside = HeldCode("A", Print(Medium.PAPER), CodePose(2.0, 0.5, 0.3), 0.0)
    assert (drawn(outside) == 128).all()
    edge = HeldCode("A", Print(Medium.PAPER), CodePose(1.0, 0.5, 0.3), 0.0)
    assert not (drawn(edge) == 128).all()


# Scenes


def test_the_scenes_of_codes_show_what_they_say() -> None:
    assert read(camera("holds_up_code", 4.0)) == {b"FT1:BENCH"}
    assert read(camera("holds_up_code", 0.0)) == set()
    assert read(camera("walks_up_and_holds_up_code", 5.0)) == {b"FT1:BENCH"}
    assert read(camera("ten_codes", 1.0)) == {b"FT1:CODE%d" % number for number in range(10)}


def test_another_text_and_another_medium_can_be_asked_for() -> None:
    assert read(camera("holds_up_code", 4.0, text="FT1:OTHER")) == {b"FT1:OTHER"}
    paper = camera("holds_up_code", 4.0, medium="paper")
    assert read(paper) == {b"FT1:BENCH"}
    assert not np.array_equal(paper, camera("holds_up_code", 4.0))


def test_a_screen_shines_in_the_dark_and_paper_does_not() -> None:
    text = HEAD + CODE.replace("distance_m = 0.5 }", "distance_m = 0.3 }")
    dark = text + "[[light]]\nt_s = 0.0\nlevel = 0.0\nnoise = 0.0\n"
    for medium, brightest in (("phone", 250), ("paper", 0)):
        scene = parse_scene(tomllib.loads(dark.replace("phone", medium)), "test", "test.toml")
        time = FakeClock()
        seen = BenchCamera(SIZE, Path("nowhere"), time, pace=False)
        seen.open()
        seen.play(scene)
        time.advance(2.0)
        frame = np.zeros((SIZE.height_px, SIZE.width_px, 3), np.uint8)
        seen.read(frame)
        assert frame.max() == brightest


def test_a_strobing_code_says_something_else_in_every_frame() -> None:
    scene = load_scene("strobing_codes")
    texts = {scene.codes_at((number + 0.5) / 30)[0].text for number in range(300)}
    assert len(texts) == 300


def test_a_code_is_there_from_its_first_keyframe_to_its_last() -> None:
    scene = parse_scene(tomllib.loads(HEAD + CODE), "test", "test.toml")
    assert [len(scene.codes_at(t_s)) for t_s in (0.9, 1.0, 2.0, 3.0, 3.1)] == [0, 1, 1, 1, 0]
    between = scene.codes_at(2.0)[0].pose
    assert between.x == pytest.approx(0.6) and between.distance_m == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("name", "text", "medium", "fault"),
    [
        ("empty", "A", None, "no one code"),
        ("ten_codes", "A", None, "no one code"),
        ("holds_up_code", "", None, "1 to 2953 bytes"),
        ("holds_up_code", "x" * 2954, None, "1 to 2953 bytes"),
        ("holds_up_code", None, "slate", "on paper or on a phone, not on 'slate'"),
    ],
)
def test_a_change_that_can_not_be_is_one_sentence(
    name: str, text: str | None, medium: str | None, fault: str
) -> None:
    with pytest.raises(SceneError, match=fault):
        load_scene(name).with_code(text, medium)


def test_a_text_that_fits_into_no_code_is_one_sentence() -> None:
    with pytest.raises(SceneError, match="No QR code holds this text at level m"):
        modules_of("x" * 2953, "m")


BAD = [
    ('medium = "phone"', 'medium = "slate"', "code 'one', medium: is 'slate'"),
    ('medium = "phone"\n', "", "code 'one', medium: is missing"),
    ('medium = "phone"', 'medium = "phone"\nside_m = 2', "code 'one', side_m: is 2"),
    ('medium = "phone"', 'medium = "phone"\nlevel = "x"', "code 'one', level: is 'x'"),
    ('medium = "phone"', 'medium = "phone"\nfringe = 1', "did you mean 'fringes'?"),
    ('text = "FT1:A"', "text = ''", "code 'one', text: must be a text"),
    ("t_s = 3.0", "t_s = 0.5", "code 'one', keyframe 2, t_s: is 0.5, which is not after"),
    ("x = 0.7", "distance = 1", "code 'one', keyframe 2, distance: no such key"),
    ("distance_m = 0.5", "distance_m = 0.01", "code 'one', keyframe 2, distance_m: is 0.01"),
]


@pytest.mark.parametrize(("right", "wrong", "fault"), BAD)
def test_a_bad_code_is_refused_by_file_and_key(right: str, wrong: str, fault: str) -> None:
    text = (HEAD + CODE).replace(right, wrong, 1)
    assert text != HEAD + CODE
    with pytest.raises(SceneError) as caught:
        parse_scene(tomllib.loads(text), "test", "test.toml")
    assert str(caught.value).startswith("test.toml: ") and fault in str(caught.value)


def test_two_codes_of_one_name_and_one_without_keyframes_are_refused() -> None:
    with pytest.raises(SceneError, match="'one' is the name of two codes"):
        parse_scene(tomllib.loads(HEAD + CODE + CODE), "test", "test.toml")
    with pytest.raises(SceneError, match="at least one is needed"):
        table = tomllib.loads(HEAD + CODE.split("keyframes")[0])
        parse_scene(table, "test", "test.toml")
