"""Vision goes as far as its lease says, asks before every model, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from hw.errors import CameraEnded, CameraLost, DeviceError
from terminal import link
from terminal.core.values import Hint, Level, Pose, View
from terminal.errors import LinkBroken
from terminal.vision import ALIVE_S, RETRY_S
from tests.terminal.given_bridge import (
    MODEL,
    STANDING,
    WIDTH,
    Bench,
    MadeUpFace,
    bench,
    only,
    turned_points,
)


@pytest.fixture
def vision() -> Iterator[Bench]:
    with bench() as made:
        yield made


def scan(vision: Bench, frames: int = 10) -> list[tuple[link.Any, link.Vector]]:
    """Stand there, be permitted, and be looked at; all that was said."""
    track = vision.stands_there()
    said = []
    for _ in range(frames):
        vision.permits(Level.EMBED, track)
        vision.turns()
        said += vision.heard()
    return said


def carried(vision: Bench) -> list[link.Message]:
    """Every message with numbers since last asked."""
    return [one for one, _ in vision.heard() if isinstance(one, link.CARRIERS)]


# The lease


@pytest.mark.requirement("D10", "R13", "R01")
def test_without_a_lease_no_model_runs(vision: Bench) -> None:
    vision.turns(60)
    assert vision.faces.calls == []


@pytest.mark.requirement("D10")
def test_a_lease_over_nothing_is_none(vision: Bench) -> None:
    for _ in range(30):
        vision.permits(Level.NONE)
        vision.turns()
    assert vision.faces.calls == []


@pytest.mark.requirement("D10")
@pytest.mark.parametrize("level", [Level.DETECT, Level.EMBED, Level.ENROL])
def test_when_a_lease_has_expired_no_model_runs(vision: Bench, level: Level) -> None:
    track = vision.stands_there()
    vision.permits(level, track, Pose.STRAIGHT, lease_s=0.5)
    ends_s = vision.time() + 0.5
    vision.turns(60)
    assert vision.faces.calls[-1][0] < ends_s
    assert vision.time() > ends_s + 1.0


@pytest.mark.requirement("D10")
def test_a_lease_that_had_ended_before_it_came_permits_nothing(vision: Bench) -> None:
    vision.permits(Level.ENROL, None, Pose.STRAIGHT, lease_s=0.0)
    vision.turns(10)
    assert vision.faces.calls == []


@pytest.mark.requirement("D1", "R13")
def test_with_detect_the_detector_runs_alone(vision: Bench) -> None:
    vision.stands_there()
    for _ in range(60):
        vision.permits(Level.DETECT)
        vision.turns()
    assert vision.faces.count("detect") > 60
    assert vision.faces.count("locate") == vision.faces.count("embed") == 0


@pytest.mark.requirement("D1", "D10", "R13")
def test_permission_for_another_track_embeds_nobody(vision: Bench) -> None:
    track = vision.stands_there()
    for _ in range(30):
        vision.permits(Level.EMBED, track + 1)
        vision.turns()
    assert vision.faces.count("locate") == vision.faces.count("embed") == 0


@pytest.mark.requirement("D1", "R13")
@pytest.mark.parametrize(
    "faces",
    [
        (),
        (MadeUpFace((0.0, 40.0, 20.0, 20.0)),),
        (MadeUpFace((0.0, 40.0, 31.0, 31.0)),),
        (MadeUpFace((60.0, 40.0, 40.0, 40.0), turn=0.5),),
        (MadeUpFace((30.0, 40.0, 40.0, 40.0)), MadeUpFace((90.0, 40.0, 40.0, 40.0))),
        (MadeUpFace((94.0, 40.0, 40.0, 40.0)),),
    ],
    ids=["nobody", "far", "outside", "turned away", "two", "somebody else"],
)
def test_when_the_scene_changes_in_a_scan_nobody_is_looked_at(
    vision: Bench, faces: tuple[MadeUpFace, ...]
) -> None:
    track = vision.stands_there()
    vision.faces.faces = faces
    for _ in range(30):
        vision.permits(Level.EMBED, track)
        vision.turns()
    assert vision.faces.count("locate") == vision.faces.count("embed") == 0


# Between two models


@pytest.mark.requirement("D10", "T35", "A26")
@pytest.mark.parametrize(
    ("after", "never"),
    [("detect", ("locate", "embed")), ("locate", ("embed",)), ("chip", ("embed",))],
)
def test_a_permission_that_ends_between_two_models_ends_the_frame(
    vision: Bench, after: str, never: tuple[str, ...]
) -> None:
    track = vision.stands_there()
    vision.faces.after[after] = lambda: vision.permits(Level.NONE)
    vision.permits(Level.EMBED, track)
    vision.turns(5)
    assert vision.faces.calls[-1][1] == ("locate" if after == "chip" else after)
    assert all(vision.faces.count(model) == 0 for model in never)
    assert not carried(vision)


@pytest.mark.requirement("D10", "A26")
@pytest.mark.parametrize("after", ["detect", "locate", "embed"])
def test_a_permission_that_runs_out_in_a_model_ends_the_frame(vision: Bench, after: str) -> None:
    track = vision.stands_there()
    vision.faces.after[after] = lambda: vision.time.advance(0.6)
    vision.permits(Level.EMBED, track)
    vision.turns(5)
    assert vision.faces.calls[-1][1] == after
    assert not carried(vision)


@pytest.mark.requirement("D10", "R17", "A26", "T35")
@pytest.mark.parametrize("after", ["detect", "locate", "embed"])
def test_what_was_running_when_the_permission_ended_is_overwritten_and_not_sent(
    vision: Bench, after: str
) -> None:
    track = vision.stands_there()
    vision.permits(Level.EMBED, track)
    vision.turns(2)
    vision.faces.after[after] = lambda: vision.permits(Level.NONE)
    wipes = vision.faces.wipes
    vision.turns(2)
    assert vision.faces.wipes == wipes + 1, "the models' own memory"
    assert not vision.frame.any()
    assert not any(one.any() for one in vision.faces.handed_out)
    assert not any(one.points.any() for one in vision.faces.landmarks)
    assert not any(one.any() for one in vision.faces.chips)
    assert not carried(vision)


@pytest.mark.requirement("D10", "R13")
def test_what_was_gathered_is_not_carried_into_another_permission(vision: Bench) -> None:
    track = vision.stands_there()
    vision.permits(Level.EMBED, track)
    vision.turns(2)
    assert vision.faces.count("embed") == 2
    vision.permits(Level.NONE)
    vision.turns()
    track = vision.stands_there()
    vision.permits(Level.EMBED, track)
    vision.turns(2)
    assert not vision.messages(link.Probe), "two frames of the last permission do not count"
    vision.turns()
    assert len(vision.messages(link.Probe)) == 1


@pytest.mark.requirement("D10", "R13")
def test_what_was_gathered_of_one_track_is_not_carried_into_the_next(vision: Bench) -> None:
    track = vision.stands_there()
    vision.permits(Level.EMBED, track)
    vision.turns(2)
    vision.faces.faces = (MadeUpFace((94.0, 40.0, 40.0, 40.0)),)
    while not any(one.track == track + 1 for one in vision.messages(link.Zone)):
        vision.permits(Level.EMBED, track)
        vision.turns()
    vision.permits(Level.EMBED, track + 1)
    vision.turns(2)
    assert not vision.messages(link.Probe)
    vision.turns()
    assert vision.messages(link.Probe)[0].track == track + 1


@pytest.mark.requirement("D10", "R01")
@pytest.mark.parametrize("model", ["locate", "embed"])
def test_a_frame_that_was_begun_under_one_permission_is_not_used_under_another(
    vision: Bench, model: str
) -> None:
    """Frozen in a scan and thawed in somebody's enrolment: the frame is not a reference."""
    track = vision.stands_there()
    vision.faces.after = {model: lambda: vision.permits(Level.ENROL, None, Pose.STRAIGHT)}
    vision.permits(Level.EMBED, track)
    vision.turns()
    assert vision.faces.calls[-1][1] == model
    assert not vision.messages(link.Reference)
    vision.turns(1)
    assert vision.messages(link.Reference) == [link.Reference(Pose.STRAIGHT)], "the next one is"


def test_a_reference_counts_for_the_pose_that_was_wanted_when_it_was_taken(
    vision: Bench,
) -> None:
    vision.stands_there()
    vision.permits(Level.ENROL, None, Pose.STRAIGHT)
    vision.faces.after["locate"] = lambda: vision.permits(Level.ENROL, None, Pose.LEFT)
    vision.turns()
    assert not vision.messages(link.Reference)


# What is told


def test_it_greets_and_is_ready_and_pets_the_watchdog_frame_by_frame(vision: Bench) -> None:
    vision.camera.failure = CameraEnded("The clip is over.")
    with pytest.raises(CameraEnded):
        vision.vision.run()
    assert vision.heard()[0][0] == link.Hello(MODEL, WIDTH)
    assert vision.supervisor.is_ready
    assert vision.supervisor.pings_s == []
    vision.camera.failure = None
    with pytest.raises(LinkBroken):
        vision.faces.after["detect"] = vision.door.close
        vision.permits(Level.DETECT)
        vision.vision.run()
    assert vision.supervisor.pings_s or vision.faces.count("detect")


def test_it_says_that_it_lives_twice_a_second_with_how_often_each_model_ran(
    vision: Bench,
) -> None:
    scan(vision, frames=60)
    vision.heard()
    began_s = vision.time()
    vision.turns(90)
    told = vision.messages(link.Alive)
    one_frame_s = 1 / 30
    assert len(told) >= (vision.time() - began_s) / (ALIVE_S + one_frame_s) - 1
    assert told[-1].embeddings == vision.faces.count("embed") == 3
    assert told[-1].landmarks == vision.faces.count("locate")
    assert told[-1].detections == vision.faces.count("detect")
    assert told[-1].camera_working


def test_the_zone_is_told_once_per_change(vision: Bench) -> None:
    for _ in range(30):
        vision.permits(Level.DETECT)
        vision.turns()
    told = [one.view for one in vision.messages(link.Zone)]
    assert told[-1] is View.READY
    assert len(told) == len(set(told))


def test_after_a_permission_was_gone_the_zone_is_told_anew(vision: Bench) -> None:
    first = vision.stands_there()
    vision.permits(Level.NONE)
    vision.turns(10)
    vision.heard()
    assert vision.stands_there() != first, "and whoever stands there is a new track"


@pytest.mark.requirement("D9")
def test_presence_is_told_without_any_permission(vision: Bench) -> None:
    vision.turns(2)
    vision.camera.moves = False
    vision.turns(90)
    vision.camera.moves = True
    vision.turns(2)
    assert [one.present for one in vision.messages(link.Present)] == [True, False, True]
    assert vision.faces.calls == []


def test_an_empty_lobby_rests(vision: Bench) -> None:
    """Nobody in view and nothing moving: the detector looks twice a second."""
    vision.faces.faces, vision.camera.moves = (), False

    def idle(seconds: float) -> None:
        for _ in range(round(30 * seconds)):
            vision.permits(Level.DETECT)
            vision.turns()

    idle(5.0)
    before = vision.faces.count("detect")
    idle(5.0)
    assert vision.faces.count("detect") - before == pytest.approx(10, abs=2)


# Probes


@pytest.mark.requirement("R13", "T38")
def test_one_probe_is_taken_per_permission(vision: Bench) -> None:
    said = scan(vision, frames=60)
    (probe,) = only(said, link.Probe)
    (numbers,) = [numbers for _, numbers in said if numbers.size]
    assert vision.faces.count("embed") == probe.frames == 3
    assert np.linalg.norm(numbers) == pytest.approx(1.0, abs=1e-4)


def test_a_probe_is_of_so_many_good_frames_and_says_when_it_began() -> None:
    with bench(frames=5) as vision:
        said = scan(vision, frames=20)
        (probe,) = only(said, link.Probe)
        assert probe.frames == vision.faces.count("embed") == 5
        assert probe.first_frame_mono_s < vision.time()


@pytest.mark.requirement("R13")
def test_somebody_who_steps_in_is_not_fused_into_the_probe(vision: Bench) -> None:
    track = vision.stands_there()
    vision.permits(Level.EMBED, track)
    vision.turns(2)
    vision.faces.seed = 2
    vision.permits(Level.EMBED, track)
    vision.turns(2)
    assert not vision.messages(link.Probe)
    vision.turns(1)
    assert len(vision.messages(link.Probe)) == 1


def test_a_bad_frame_is_hinted_once_and_not_embedded(vision: Bench) -> None:
    vision.faces.sharp = False
    said = scan(vision, frames=20)
    assert only(said, link.Hindered) == [link.Hindered(Hint.HOLD_STILL)]
    assert vision.faces.count("embed") == 0


def test_a_head_turned_away_is_hinted(vision: Bench) -> None:
    vision.faces.points = turned_points(30.0)
    said = scan(vision)
    assert only(said, link.Hindered) == [link.Hindered(Hint.FACE_THE_CAMERA)]
    assert vision.faces.count("embed") == 0


# References


def enrol(vision: Bench, pose: Pose, frames: int) -> list[link.Reference]:
    for _ in range(frames):
        vision.permits(Level.ENROL, None, pose)
        vision.turns()
    return vision.messages(link.Reference)


def test_one_reference_is_taken_per_pose_that_is_wanted(vision: Bench) -> None:
    vision.stands_there()
    assert enrol(vision, Pose.STRAIGHT, 5) == [link.Reference(Pose.STRAIGHT)]
    vision.faces.points = turned_points(20.0)
    assert enrol(vision, Pose.LEFT, 5) == [link.Reference(Pose.LEFT)]


def test_a_reference_in_another_pose_is_hinted_and_not_taken(vision: Bench) -> None:
    vision.stands_there()
    for _ in range(10):
        vision.permits(Level.ENROL, None, Pose.LEFT)
        vision.turns()
    assert vision.messages(link.Hindered) == [link.Hindered(Hint.TURN_MORE)]
    assert vision.faces.count("embed") == 0


def test_a_reference_that_did_not_count_is_taken_again(vision: Bench) -> None:
    vision.stands_there()
    assert len(enrol(vision, Pose.STRAIGHT, 5)) == 1
    assert len(enrol(vision, Pose.STRAIGHT, round(30 * (RETRY_S - 0.3)))) == 0
    assert len(enrol(vision, Pose.STRAIGHT, 15)) == 1


# What is left behind


@pytest.mark.requirement("R17")
def test_the_frame_is_overwritten_after_every_turn(vision: Bench) -> None:
    track = vision.stands_there()
    for level in (Level.NONE, Level.DETECT, Level.EMBED, Level.ENROL):
        for _ in range(5):
            vision.permits(level, track, Pose.STRAIGHT)
            vision.turns()
            assert not vision.frame.any()


@pytest.mark.requirement("R17")
def test_the_frame_is_overwritten_when_a_model_fails(vision: Bench) -> None:
    def fail() -> None:
        raise RuntimeError("the model broke")

    track = vision.stands_there()
    for model in ("detect", "locate", "embed"):
        vision.faces.after = {model: fail}
        vision.permits(Level.EMBED, track)
        with pytest.raises(RuntimeError):
            vision.turns()
        assert not vision.frame.any()
        assert not any(one.points.any() for one in vision.faces.landmarks)


@pytest.mark.requirement("R17", "R13")
def test_after_a_scan_embeddings_landmarks_and_chips_are_overwritten(vision: Bench) -> None:
    scan(vision)
    assert vision.faces.count("embed") == 3
    assert not any(one.any() for one in vision.faces.handed_out)
    assert not any(one.points.any() for one in vision.faces.landmarks)
    assert not any(one.any() for one in vision.faces.chips)
    gathered = vars(vision.vision)["_gathered"]
    assert not any(v.any() for v in vars(gathered).values() if isinstance(v, np.ndarray))


@pytest.mark.requirement("R17")
def test_closing_overwrites_everything_and_lets_the_camera_go() -> None:
    made = Bench()
    track = made.stands_there()
    made.permits(Level.EMBED, track)
    made.turns(2)
    frame, wipes = made.frame, made.faces.wipes
    made.close()
    assert made.faces.wipes == wipes + 1
    assert not frame.any()
    assert made.camera.closed == 1


# The camera


@pytest.mark.parametrize("failure", [CameraLost("No frame."), DeviceError("There is no camera.")])
def test_a_camera_that_is_lost_is_told_and_waited_for(vision: Bench, failure: Exception) -> None:
    vision.stands_there()
    vision.camera.failure = failure
    vision.turns(2)
    assert not vision.messages(link.Alive)[-1].camera_working
    assert not vision.frame.any()
    assert vision.camera.closed >= 1
    vision.camera.failure = None
    vision.turns(20)
    assert vision.messages(link.Alive)[-1].camera_working
    assert vision.camera.opened == 1


def test_without_a_camera_leases_are_heard_all_the_same(vision: Bench) -> None:
    track = vision.stands_there()
    vision.permits(Level.EMBED, track)
    vision.turns()
    vision.camera.failure = CameraLost("No frame.")
    vision.permits(Level.NONE)
    vision.turns()
    vision.camera.failure = None
    models = len(vision.faces.calls)
    vision.turns(3)
    assert len(vision.faces.calls) == models


def test_the_end_of_a_clip_ends_it(vision: Bench) -> None:
    vision.camera.failure = CameraEnded("The clip is over.")
    with pytest.raises(CameraEnded):
        vision.turns()


def test_without_a_door_it_ends(vision: Bench) -> None:
    vision.door.close()
    with pytest.raises(LinkBroken):
        vision.turns()


def test_the_zone_in_these_tests_is_one_in_which_somebody_can_stand(vision: Bench) -> None:
    """The refusals above would mean nothing if nobody were ever looked at."""
    vision.faces.faces = (STANDING,)
    assert only(scan(vision), link.Probe)


# Codes first


@pytest.mark.requirement("D1")
def test_every_frame_is_offered_to_the_code_reader_whatever_the_lease_says(vision: Bench) -> None:
    vision.turns(30)
    assert len(vision.codes.offered) == 30
    assert vision.faces.calls == []
    vision.permits(Level.NONE)
    vision.turns(30)
    assert len(vision.codes.offered) == 60


def test_codes_are_looked_for_seldom_while_nothing_moves_and_nobody_is_there(
    vision: Bench,
) -> None:
    vision.turns(2)
    assert vision.codes.offered[-1][1], "something moves"
    vision.camera.moves = False
    vision.turns(100)
    assert not vision.codes.offered[-1][1]


@pytest.mark.requirement("D1")
def test_the_codes_in_a_frame_come_before_its_landmarks(vision: Bench) -> None:
    vision.codes.takes_s = 0.01
    scan(vision, frames=2)
    firsts, located = vision.codes.first, [s for s, name in vision.faces.calls if name == "locate"]
    assert len(firsts) == len(located) == 2
    assert all(first < look for first, look in zip(firsts, located, strict=True))


@pytest.mark.requirement("D1", "R13")
def test_whoever_holds_up_a_code_is_not_looked_at_closer(vision: Bench) -> None:
    vision.codes.finds = True
    scan(vision, frames=20)
    assert vision.codes.first
    assert vision.faces.count("locate") == vision.faces.count("embed") == 0


@pytest.mark.requirement("D1", "R13")
def test_a_code_in_the_middle_of_a_scan_ends_it_and_nothing_gathered_is_used(
    vision: Bench,
) -> None:
    track = vision.stands_there()
    vision.permits(Level.EMBED, track)
    vision.turns(2)
    assert vision.faces.count("embed") == 2
    vision.codes.holds_code = True
    vision.permits(Level.EMBED, track)
    vision.turns(5)
    assert vision.faces.count("embed") == 2
    vision.codes.holds_code = False
    vision.permits(Level.EMBED, track)
    vision.turns(2)
    assert not carried(vision), "two frames of before the code do not count"
    vision.turns()
    assert len(carried(vision)) == 1


@pytest.mark.requirement("D1", "D10", "T35")
def test_a_permission_that_ends_while_codes_are_looked_for_ends_the_frame(vision: Bench) -> None:
    track = vision.stands_there()
    vision.codes.meanwhile = lambda: vision.permits(Level.NONE)
    vision.permits(Level.EMBED, track)
    vision.turns(3)
    assert vision.codes.first
    assert vision.faces.count("locate") == vision.faces.count("embed") == 0
    assert not vision.frame.any()


@pytest.mark.requirement("D1")
def test_a_lease_that_runs_out_while_codes_are_looked_for_permits_nothing(vision: Bench) -> None:
    track = vision.stands_there()
    vision.codes.takes_s = 0.15
    vision.permits(Level.EMBED, track, lease_s=0.1)
    vision.turns(3)
    assert vision.codes.first
    assert vision.faces.count("locate") == 0
