"""Scenes as data: what a file may say, and who is visible when."""

from __future__ import annotations

import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.errors import DeviceError
from hw.scenes import (
    FACE_HEIGHT_AT_ONE_METRE,
    AtEnd,
    Kind,
    Scene,
    SceneError,
    load_scene,
    parse_scene,
    read_scene,
    scene_names,
)

WANTED = {
    "black", "crowd", "dark", "empty", "fifty_faces", "holds_up_code", "passer_by", "passer_by_far",
    "print_of_resident", "resident_enrols", "resident_in_bad_light", "resident_stands_still",
    "resident_walks_up",
    "screen_of_resident", "stranger_walks_up", "strobing_codes", "ten_codes", "two_people",
    "walks_up_and_holds_up_code",
}  # fmt: skip
PORTRAITS = {"portrait_a1", "portrait_a2", "portrait_a3", "portrait_b1", "portrait_c1"}

ACTOR = """
[[actor]]
name = "one"
portrait = "portrait_a1"
kind = "live"
keyframes = [{ t_s = 1.0, x = 0.5, y = 0.4, face_height = 0.3 }, { t_s = 3.0, x = 0.7 }]
"""
HEAD = 'about = "A test."\nduration_s = 4.0\nseed = 5\n'


def scene(text: str) -> Scene:
    return parse_scene(tomllib.loads(text), "test", "test.toml")


def test_every_scene_of_the_stories_is_there() -> None:
    assert set(scene_names()) == WANTED


@pytest.mark.parametrize("name", sorted(WANTED))
def test_a_scene_that_comes_with_the_terminal_needs_only_its_portraits(name: str) -> None:
    loaded = load_scene(name)
    assert loaded.name == name
    assert loaded.portraits <= PORTRAITS


def test_an_actor_is_there_from_its_first_keyframe_to_its_last() -> None:
    played = scene(HEAD + ACTOR)
    seen = [bool(played.visible_at(t_s)) for t_s in (0.9, 1.0, 2.0, 3.0, 3.1)]
    assert seen == [False, True, True, True, False]


def test_what_a_keyframe_leaves_out_stays_as_it_was() -> None:
    later = scene(HEAD + ACTOR).actors[0].keyframes[1].pose
    assert (later.x, later.y, later.face_height) == (0.7, 0.4, 0.3)


def test_between_keyframes_an_actor_is_between_them() -> None:
    (shown,) = scene(HEAD + ACTOR).visible_at(2.0)
    assert shown.pose.x == pytest.approx(0.6)


def test_a_distance_is_a_face_height() -> None:
    played = scene(HEAD + ACTOR.replace("face_height = 0.3", "distance_m = 0.5"))
    (shown,) = played.visible_at(1.0)
    assert shown.pose.face_height == pytest.approx(2 * FACE_HEIGHT_AT_ONE_METRE)


def test_a_walker_nears_evenly_in_metres() -> None:
    walk = ACTOR.replace("face_height = 0.3", "distance_m = 3.0").replace(
        "x = 0.7", "distance_m = 1.0"
    )
    (shown,) = scene(HEAD + walk).visible_at(2.0)
    assert shown.pose.face_height == pytest.approx(FACE_HEIGHT_AT_ONE_METRE / 2)


def test_somebody_outside_the_frame_is_not_visible() -> None:
    assert not scene(HEAD + ACTOR.replace("x = 0.5", "x = 1.5")).visible_at(1.0)


def test_the_farthest_comes_first() -> None:
    sizes = [shown.pose.face_height for shown in load_scene("crowd").visible_at(1.0)]
    assert len(sizes) == 15
    assert sizes == sorted(sizes)


def test_a_scene_that_holds_stays_at_its_end_and_one_that_loops_begins_anew() -> None:
    held = scene(HEAD)
    looped = scene(HEAD + 'at_end = "loop"\n')
    assert (held.scene_time_s(9.0), looped.scene_time_s(9.0)) == (4.0, 1.0)
    assert (held.is_over(4.0), held.is_over(3.9), looped.is_over(9.0)) == (True, False, False)


def test_whoever_stands_sways_a_little_and_never_twice_alike() -> None:
    still = load_scene("resident_stands_still")
    poses = [still.visible_at(t_s)[0].pose for t_s in (1.0, 2.0, 3.0)]
    assert len(set(poses)) == 3
    assert all(abs(pose.yaw_deg) < 3 and abs(pose.x - 0.5) < 0.01 for pose in poses)


def test_whoever_is_held_at_the_end_still_sways() -> None:
    still = load_scene("resident_stands_still")
    assert still.visible_at(200.0) != still.visible_at(201.0)


def test_whoever_stands_blinks_now_and_then() -> None:
    still = load_scene("resident_stands_still")
    shut = [still.visible_at(n / 50)[0].pose.blink for n in range(50 * 35)]
    blinks = sum(a < 0.5 <= b for a, b in pairwise(shut))
    assert blinks == 10  # one in each 3.5 s


def test_another_seed_is_another_take_and_the_same_seed_the_same() -> None:
    still = load_scene("resident_stands_still")
    assert still.with_seed(77).visible_at(2.0) == still.with_seed(77).visible_at(2.0)
    assert still.with_seed(77).visible_at(2.0) != still.visible_at(2.0)


@pytest.mark.requirement("R13", "A26")
@pytest.mark.parametrize("name", ["passer_by", "passer_by_far"])
def test_a_passer_by_never_faces_the_terminal_and_never_stops(name: str) -> None:
    played = load_scene(name)
    poses = [
        shown.pose
        for n in range(round(played.duration_s * 20))
        for shown in played.visible_at(n / 20)
    ]
    assert poses
    assert all(abs(pose.yaw_deg) > 60 for pose in poses)
    steps = [b.x - a.x for a, b in pairwise(poses)]
    assert all(step < -0.004 for step in steps)


def test_the_enrolee_holds_every_pose_that_an_enrolment_asks_for() -> None:
    played = load_scene("resident_enrols")
    poses = [played.visible_at(n / 10)[0].pose for n in range(105)]
    held = {
        "straight": [p for p in poses if abs(p.yaw_deg) < 5 and abs(p.pitch_deg) < 5],
        "left": [p for p in poses if p.yaw_deg > 25],
        "right": [p for p in poses if p.yaw_deg < -25],
        "up": [p for p in poses if p.pitch_deg > 20],
        "down": [p for p in poses if p.pitch_deg < -20],
    }
    assert all(len(some) >= 10 for some in held.values())  # a second of each


def test_props_are_what_they_are_called() -> None:
    assert load_scene("print_of_resident").actors[0].kind is Kind.PRINT
    assert load_scene("screen_of_resident").actors[0].kind is Kind.SCREEN
    assert load_scene("empty").at_end is AtEnd.LOOP


BAD = [
    ("duration_s = 4.0", "duration_s = -1", "duration_s: is -1, which is not between"),
    ("duration_s = 4.0", "duration_s = nan", "duration_s: is nan"),
    ("duration_s = 4.0", "duration_s = true", "duration_s: must be a number"),
    ("duration_s = 4.0\n", "", "duration_s: is missing"),
    ("seed = 5", "seed = 1.5", "seed: must be a whole number"),
    ("seed = 5", "sede = 5", "seed: is missing"),
    ("seed = 5", "seed = 5\nat_end = 'stop'", "at_end: is 'stop', which is not one of hold, loop"),
    ('about = "A test."', "about = ''", "about: must be a text"),
    ("seed = 5", "seed = 5\nlights = 1", "lights: no such key; did you mean 'light'?"),
    ("seed = 5", "seed = 5\nlight = 3", "light: must be a list of tables"),
    ('kind = "live"', 'kind = "mask"', "actor 'one', kind: is 'mask'"),
    ('"portrait_a1"', '"../secret"', "actor 'one', portrait: is '../secret'"),
    ('kind = "live"', 'kind = "live"\nswing = 1', "actor 'one', swing: no such key"),
    ('kind = "live"', 'kind = "live"\nblink_every_s = 0.1', "blink_every_s: must be 0 or"),
    ("t_s = 3.0", "t_s = 1.0", "actor 'one', keyframe 2, t_s: is 1.0, which is not after"),
    ("t_s = 3.0", "t_s = 4.5", "actor 'one', keyframe 2, t_s: is 4.5"),
    ("x = 0.7", "yaw_deg = 120", "actor 'one', keyframe 2, yaw_deg: is 120"),
    ("x = 0.7", "yaw = 12", "actor 'one', keyframe 2, yaw: no such key; did you mean 'yaw_deg'?"),
    ("x = 0.7", "face_height = 0.2, distance_m = 1", "distance_m: can't stand beside face_height"),
    (", y = 0.4", "", "actor 'one', keyframe 1, y: is missing"),
]


@pytest.mark.parametrize(("right", "wrong", "fault"), BAD)
def test_a_bad_file_is_refused_by_file_and_key(right: str, wrong: str, fault: str) -> None:
    text = (HEAD + ACTOR).replace(right, wrong, 1)
    assert text != HEAD + ACTOR
    with pytest.raises(SceneError) as caught:
        scene(text)
    assert str(caught.value).startswith("test.toml: ")
    assert fault in str(caught.value)


def test_an_actor_without_keyframes_is_refused() -> None:
    with pytest.raises(SceneError, match="actor 'one', keyframes: at least one is needed"):
        scene(HEAD + ACTOR.split("keyframes")[0])


def test_two_actors_of_one_name_are_refused() -> None:
    with pytest.raises(SceneError, match="'one' is the name of two actors"):
        scene(HEAD + ACTOR + ACTOR)


def test_light_changes_evenly() -> None:
    lit = scene(HEAD + "light = [{ t_s = 0.0, level = 1.0 }, { t_s = 4.0, level = 0.0 }]\n")
    assert lit.light_at(1.0).level == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("light", "fault"),
    [
        ("{ t_s = 0.0, level = 9 }", "light 1, level: is 9"),
        ("{ t_s = 0.0, cast = [1, 1] }", "light 1, cast: must be three numbers"),
        ("{ t_s = 0.0, colour = 1 }", "light 1, colour: no such key"),
    ],
)
def test_bad_light_is_refused(light: str, fault: str) -> None:
    with pytest.raises(SceneError, match=fault):
        scene(HEAD + f"light = [{light}]\n")


def test_a_scene_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(SceneError, match="did you mean 'passer_by'"):
        load_scene("passerby")


def test_a_name_is_no_way_out_of_the_folder() -> None:
    with pytest.raises(SceneError):
        load_scene("../scenes/empty")


def test_a_file_that_is_no_toml_is_one_sentence_about_that_file(tmp_path: Path) -> None:
    path = tmp_path / "odd.toml"
    path.write_bytes(b"\xff\xfe = [")
    with pytest.raises(DeviceError, match=r"odd\.toml: not a TOML file"):
        read_scene(path)
    with pytest.raises(DeviceError, match="the scene can't be read"):
        read_scene(tmp_path / "none.toml")


@given(st.text(max_size=200))
def test_any_text_is_a_scene_or_a_sentence(text: str) -> None:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    with pytest.raises(SceneError):
        parse_scene(table, "test", "test.toml")
