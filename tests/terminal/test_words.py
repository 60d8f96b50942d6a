"""Every screen has its sentence, in plain words that press nobody; every line has its look."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime

import pytest

from terminal import show
from terminal.audit import Entry
from terminal.core import machine
from terminal.core.machine import State
from terminal.core.policy import Policy
from terminal.core.values import FaceOff, Hint, Pose, Reason, Scene, Screen
from terminal.desk import WHY_OFF, entry_line, screen_line
from terminal.requests import Line
from terminal.words import HINTS, POSES, REASONS, SCENES, sentence

EVERY_SCREEN = [
    *(Screen(scene) for scene in Scene),
    *(Screen(Scene.REFUSED, reason=reason) for reason in Reason),
    *(Screen(Scene.FACE_OFF, face_off=off) for off in FaceOff),
    *(Screen(Scene.IDLE, hint=hint) for hint in Hint),
    *(Screen(Scene.CAPTURE, pose=pose, done=2, wanted=5) for pose in Pose),
]

SENTENCES = re.compile(r"(?:(?:[A-Z0-9][^.?!]*[.?!:]) ?)+")


@pytest.mark.parametrize("screen", EVERY_SCREEN, ids=repr)
def test_every_screen_has_whole_sentences(screen: Screen) -> None:
    assert SENTENCES.fullmatch(sentence(screen_line(screen)))


def test_every_member_is_in_its_table() -> None:
    assert set(SCENES) == set(Scene)
    assert set(HINTS) == set(Hint)
    assert set(POSES) == set(Pose)
    assert set(WHY_OFF) == set(FaceOff)


def test_a_screen_says_all_that_it_has() -> None:
    screen = Screen(Scene.CAPTURE, hint=Hint.MORE_LIGHT, pose=Pose.LEFT, done=0, wanted=5)
    assert sentence(screen_line(screen)) == (
        "0 of 5. Turn your head a little to your left. There is too little light."
    )


BANNED = (
    *("user", "confidence", "liveness", "spoof", "unlock", "whitelist", "blacklist", "score"),
    *("hurry", "quick", "fast", "easy", "easier", "better", "best", "recommended", "must"),
)


@pytest.mark.requirement("R12", "D8")
def test_no_sentence_presses_praises_or_uses_a_banned_word() -> None:
    texts = [*SCENES.values(), *REASONS.values(), *HINTS.values(), *POSES.values()]
    texts += [sentence(screen_line(one)) for one in EVERY_SCREEN] + list(WHY_OFF.values())
    for text, word in itertools.product(texts, BANNED):
        assert not re.search(rf"\b{word}\b", text.lower()), f"{word!r} in {text!r}"


@pytest.mark.requirement("R12", "R03")
def test_wherever_face_is_offered_the_card_and_the_button_are_too() -> None:
    for scene in (Scene.IDLE, Scene.PROMPT):
        assert "card" in SCENES[scene]
        assert "Button: no face recognition." in SCENES[scene]


# What an operator sees


def test_a_table_is_aligned() -> None:
    assert show.table([("a", "bb"), ("ccc", "d")]) == "a    bb\nccc  d"
    assert show.table([]) == ""


ENTRY = Entry(
    seq=7,
    mono_s=1.5,
    utc=datetime(2030, 6, 1, 12, tzinfo=UTC),
    trusted=True,
    kind="granted",
    person="bcdfghjkmnpq",
    way="card",
    reason=None,
    by=None,
    facts=(("reader", "door"),),
)


def test_a_record_is_one_line() -> None:
    line = show.record(entry_line(ENTRY))
    assert re.fullmatch(
        r" {5}7  2030-06-0[12] \d\d:00:00  granted by card person bcdfghjkmnpq reader=door", line
    )


def test_a_time_that_is_not_trusted_is_marked() -> None:
    line = {**entry_line(ENTRY), "trusted": False}
    assert ":00?  granted" in show.record(line)


def test_every_record_with_everything_has_a_line() -> None:
    line = {**entry_line(ENTRY), "reason": "unknown_card", "by": "operator"}
    assert show.record(line).endswith("(unknown_card) reader=door asked by operator")


@pytest.mark.parametrize(
    ("stage", "text"),
    [
        ("done", "Enrolled as p."),
        ("card_only", "Registered as p with a card and no face. Face recognition was refused."),
        ("failed", "Not enrolled. Face recognition was refused. The disk is full."),
    ],
)
def test_the_end_of_an_enrolment_is_said(stage: str, text: str) -> None:
    ended = {"person": "p", "stage": stage, "scene": "idle", "reason": "declined"}
    if stage == "failed":
        ended["trouble"] = "The disk is full."
    assert show.enrolment({"enrolment": ended}) == text


def test_nobody_is_a_sentence_and_a_broken_name_is_said() -> None:
    assert show.people({"people": []}) == "Nobody is registered."
    person = {"person": "p", "name": None, "cards": 0, "consent": "none", "templates": 0}
    assert "(its seal is broken)" in show.people({"people": [person]})


def test_trouble_shows_in_the_status() -> None:
    status: Line = {
        "site": {"name": "B", "place": "lobby", "lock": "fail_secure", "key_level": 0},
        "door": {"state": "secured", "open": True, "strike_released": True},
        "face": {
            "on": False,
            "off_because": "the vision process does not run; see its log.",
            "sign_reads_lit": False,
            "enrolled": 0,
            "most_people": 0,
        },
        "ways": {"readers": [], "codes": False},
        "people": {"people": 0, "cards": 0},
        "log": {
            "records": 1,
            "head": "a" * 64,
            "utc": "2030-06-01T12:00:00+00:00",
            "clock_trusted": False,
            "reserve_left": False,
        },
        "times": {
            "frame_to_strike": {"n": 3, "p50_s": 0.118, "p95_s": 0.2},
            "card_to_strike": None,
        },
        "memory_locked": False,
        "unerased": 2,
        "trouble": "The disk is full.",
    }
    text = show.status({"status": status})
    for part in (
        "not trusted",
        "none works",
        "off: the vision process does not run",
        "p50 118 ms, p95 200 ms (n=3)",
        "raise LimitMEMLOCK",
        "2 wait for the disk",
        "The disk is full.",
    ):
        assert part in text


def test_a_new_terminal_shows_a_screen() -> None:
    assert sentence(screen_line(machine.screen(State(), Policy())))
