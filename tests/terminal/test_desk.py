"""Operators are answered, enrol and erase; they decide nothing and see no template and no score."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hw.ports import Input
from hw.wiring import Wiring
from terminal import link
from terminal.arrivals import ReaderWorks
from terminal.audit import Audit, Entry
from terminal.core.enrolment import EnrolmentPhase
from terminal.core.policy import POSES
from terminal.core.values import ConsentState, Hint, Level, Permission, Pose, View
from terminal.desk import WHY_OFF
from terminal.errors import AuditFailed, StoreFailed
from terminal.identifiers import LETTERS, new_identifier
from terminal.requests import (
    Asked,
    Enrol,
    Erase,
    Events,
    People,
    SelfTest,
    Status,
    Version,
    Watch,
)
from tests.terminal.given_bridge import (
    CARD,
    NAME,
    QUICK,
    READERS,
    RESIDENT,
    UNKNOWN_CARD,
    Door,
    answer_of,
    door,
    lines_of,
    probe_of,
)

HOLD_S = QUICK.consent_hold_s + 0.1


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Door]:
    with door(tmp_path) as made:
        made.has_resident(face=1)
        made.start()
        yield made


def captures(made: Door, seed: int, poses: tuple[Pose, ...] = POSES) -> None:
    """Vision sends one reference in each pose, as it is permitted."""
    for pose in poses:
        assert made.leases.last == Permission(Level.ENROL, pose=pose)
        made.vision_says(link.Reference(pose), probe_of(seed))


# Enrolment


@pytest.mark.requirement("R01", "R02")
def test_an_enrolment_from_the_notice_to_the_door_that_opens(given: Door) -> None:
    asked = given.asks(Enrol("Neighbour"))
    notice, progress = lines_of(asked)
    assert (notice["news"], notice["text"]) == ("notice", given.parts.notice.text)
    assert progress["stage"] == "tap_card"
    given.taps(UNKNOWN_CARD)
    given.presses(for_s=HOLD_S)
    captures(given, seed=2)
    ended = lines_of(asked)[-1]
    assert ended["ok"]
    assert ended["enrolment"]["stage"] == "done"
    person = given.store.find("neighbour")
    assert person is not None
    assert (person.consent, person.cards, person.templates) == (ConsentState.GIVEN, 1, 5)
    given.vision_says(link.Zone(View.EMPTY, None, None))
    given.scans(track=9)
    given.is_compared(probe_of(2), track=9)
    assert given.strike_is_released()
    assert given.records[-1].person == person.person


@pytest.mark.requirement("R02", "R01")
def test_the_consent_holds_the_hash_of_the_notice_that_was_shown(given: Door) -> None:
    given.asks(Enrol("Neighbour", card=False))
    given.presses(for_s=HOLD_S)
    database = vars(vars(given.store)["_faces"])["_database"]
    row = database.row("SELECT notice_sha256, state FROM consent ORDER BY number DESC LIMIT 1")
    assert row == (given.parts.notice.sha256, "given")


@pytest.mark.requirement("R01")
def test_no_reference_is_captured_before_the_consent(given: Door) -> None:
    given.asks(Enrol("Neighbour", card=False))
    for pose in POSES:
        given.vision_says(link.Reference(pose), probe_of(2))
    assert len(given.recognition.captured) == 0
    assert given.leases.last.level is Level.NONE


@pytest.mark.requirement("R01")
def test_a_reference_that_comes_late_is_in_nobody_elses_template(given: Door) -> None:
    """One was on its way when the enrolment ended; the next person's must not have it."""
    given.asks(Enrol("Neighbour", card=False))
    given.presses(for_s=HOLD_S)
    captures(given, seed=2)
    given.vision_says(link.Reference(POSES[-1]), probe_of(2))
    given.vision_says(link.Reference(Pose.STRAIGHT), probe_of(2))
    assert len(given.recognition.captured) == 0
    asked = given.asks(Enrol("Newcomer", card=False))
    given.presses(for_s=HOLD_S)
    captures(given, seed=3)
    assert answer_of(asked)["enrolment"]["stage"] == "done"
    assert given.recognition.identify(probe_of(3)) is not None


def test_a_pose_that_is_sent_twice_counts_once(given: Door) -> None:
    given.asks(Enrol("Neighbour", card=False))
    given.presses(for_s=HOLD_S)
    for pose in POSES[:-1]:
        given.vision_says(link.Reference(pose), probe_of(2))
        given.vision_says(link.Reference(pose), probe_of(2))
    assert len(given.recognition.captured) == given.state.enrolment.taken == 4


@pytest.mark.requirement("R01", "R12")
def test_refusing_ends_it_with_a_card_and_without_a_face(given: Door) -> None:
    asked = given.asks(Enrol("Neighbour"))
    given.taps(UNKNOWN_CARD)
    given.presses(for_s=0.3)
    ended = answer_of(asked)["enrolment"]
    assert (ended["stage"], ended["reason"]) == ("card_only", "declined")
    person = given.store.find("Neighbour")
    assert person is not None
    assert (person.consent, person.templates) == (ConsentState.REFUSED, 0)


def test_a_face_that_is_enrolled_already_is_refused(given: Door) -> None:
    asked = given.asks(Enrol("Somebody else", card=False))
    given.presses(for_s=HOLD_S)
    captures(given, seed=1)
    ended = answer_of(asked)["enrolment"]
    assert (ended["stage"], ended["reason"]) == ("failed", "same_face_enrolled")
    assert given.store.find("Somebody else") is None
    assert given.store.counts().templates == 5


def test_whoever_is_registered_can_be_enrolled_again(given: Door) -> None:
    asked = given.asks(Enrol(NAME, card=False, again=True))
    given.presses(for_s=HOLD_S)
    captures(given, seed=1)
    assert answer_of(asked)["enrolment"]["person"] == RESIDENT
    assert given.store.counts().templates == 5


def test_progress_tells_pose_count_and_hint(given: Door) -> None:
    asked = given.asks(Enrol("Neighbour", card=False))
    given.presses(for_s=HOLD_S)
    given.vision_says(link.Hindered(Hint.MORE_LIGHT))
    given.vision_says(link.Reference(Pose.STRAIGHT), probe_of(2))
    lines = [line for line in lines_of(asked) if line.get("stage") == "capture"]
    assert lines[0]["pose"] == "straight"
    assert lines[1]["hint"] == "more_light"
    assert (lines[2]["pose"], lines[2]["done"], lines[2]["wanted"]) == ("left", 1, 5)


def test_an_operator_who_hangs_up_ends_the_enrolment(given: Door) -> None:
    asked = given.asks(Enrol("Neighbour"))
    given.arrives(Asked(asked.request, asked.by, asked.answer, gone=True))
    assert given.state.enrolment.phase is EnrolmentPhase.IDLE
    assert given.store.find("Neighbour") is None
    assert all("ok" not in line for line in lines_of(asked)), "nothing more is said"
    assert "progress" in [line["news"] for line in lines_of(given.asks(Enrol("Neighbour")))]


def test_another_operator_who_hangs_up_ends_nothing(given: Door) -> None:
    given.asks(Enrol("Neighbour"))
    watcher = given.asks(Watch())
    given.arrives(Asked(watcher.request, watcher.by, watcher.answer, gone=True))
    assert given.state.enrolment.phase is EnrolmentPhase.TAP_CARD


REFUSED = {
    "a name that is there": (Enrol(NAME), "say --again"),
    "a name that is not there": (Enrol("Neighbour", again=True), "leave out --again"),
    "nothing": (Enrol("Neighbour", card=False, face=False), "nothing to enrol"),
}


@pytest.mark.parametrize(("request_", "why"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_enrolled_is_refused_with_a_sentence(
    given: Door, request_: Enrol, why: str
) -> None:
    answer = answer_of(given.asks(request_))
    assert not answer["ok"]
    assert why in answer["error"]
    assert given.state.enrolment.phase is EnrolmentPhase.IDLE


def test_two_enrolments_at_once_are_refused(given: Door) -> None:
    given.asks(Enrol("Neighbour"))
    assert "just now" in answer_of(given.asks(Enrol("Another")))["error"]


@pytest.mark.requirement("D11", "R03")
def test_without_enough_readers_a_card_alone_can_be_enrolled(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.start()
        made.arrives(ReaderWorks(READERS[0], working=False))
        assert "--no-face" in answer_of(made.asks(Enrol("Neighbour")))["error"]
        asked = made.asks(Enrol("Neighbour", face=False))
        made.taps(CARD, reader=READERS[1])
        assert answer_of(asked)["enrolment"]["stage"] == "card_only"


@pytest.mark.parametrize("name", ["\x07bell", "\N{SNOWMAN}" * 100, " "])
def test_a_name_that_is_none_ends_the_enrolment_with_a_sentence(given: Door, name: str) -> None:
    asked = given.asks(Enrol(name, face=False))
    ended = answer_of(asked)["enrolment"]
    assert ended["stage"] == "failed"
    assert "A name has" in ended["trouble"]


# What can't be written


@pytest.mark.requirement("T33", "R01")
def test_templates_that_could_not_be_written_are_not_said_to_be_enrolled(given: Door) -> None:
    asked = given.asks(Enrol("Neighbour", card=False))
    given.presses(for_s=HOLD_S)
    captures(given, seed=2, poses=POSES[:-1])
    connection = vars(vars(vars(given.store)["_faces"])["_database"])["_connection"]
    connection.execute("PRAGMA query_only = ON")
    given.vision_says(link.Reference(POSES[-1]), probe_of(2))
    connection.execute("PRAGMA query_only = OFF")
    ended = answer_of(asked)["enrolment"]
    assert ended["stage"] == "failed"
    assert ended["trouble"]
    assert given.recognition.identify(probe_of(2)) is None
    assert len(given.recognition.captured) == 0


def test_what_an_earlier_trouble_was_does_not_fail_the_next_enrolment(given: Door) -> None:
    given.desk.failed("The disk was full.")
    asked = given.asks(Enrol("Neighbour", face=False))
    given.taps(UNKNOWN_CARD)
    ended = answer_of(asked)["enrolment"]
    assert ended["stage"] == "card_only"
    assert "trouble" not in ended


def test_a_database_that_can_not_be_read_is_said(given: Door) -> None:
    def broken() -> None:
        raise StoreFailed("The disk can't be read.")

    vars(given.store)["people"] = broken
    assert answer_of(given.asks(People())) == {"ok": False, "error": "The disk can't be read."}


# The log


def test_events_are_the_newest_oldest_first(given: Door) -> None:
    given.taps()
    lines = lines_of(given.asks(Events(last=2)))
    assert [line.get("kind") for line in lines] == [*given.kinds()[-2:], None]
    assert lines[-1] == {"ok": True}
    assert lines_of(given.asks(Events(last=0))) == [{"ok": True}]


def test_who_follows_is_told_each_new_record_once(given: Door) -> None:
    asked = given.asks(Events(last=1, follow=True))
    before = given.audit.head[0]
    assert [line["seq"] for line in lines_of(asked)] == [before]
    given.taps()
    given.goes_through()
    expected = list(range(before + 1, given.audit.head[0] + 1))
    assert [line["seq"] for line in lines_of(asked)] == expected
    given.arrives(Asked(asked.request, asked.by, asked.answer, gone=True))
    given.waits(10.0)
    given.taps()
    assert lines_of(asked) == []
    assert not vars(given.desk)["_followers"], "nobody is kept who has gone"


def test_a_damaged_record_is_refused_to_whoever_asks_and_the_door_goes_on(given: Door) -> None:
    class Damaged(Audit):
        def tail(self, count: int) -> list[Entry]:
            raise AuditFailed("Record 3 of the audit log is damaged.")

    damaged = Damaged(vars(given.audit)["_database"])
    vars(given.desk)["_audit"] = damaged
    answer = answer_of(given.asks(Events()))
    assert answer == {"ok": False, "error": "Record 3 of the audit log is damaged."}
    given.taps()
    assert given.strike_is_released()


def test_who_watches_sees_the_screen_now_and_as_it_changes(given: Door) -> None:
    asked = given.asks(Watch())
    assert [line["scene"] for line in lines_of(asked)] == ["idle"]
    given.sees_ready()
    given.presses(for_s=0.1)
    lines = lines_of(asked)
    assert [line["scene"] for line in lines if line["news"] == "screen"] == ["prompt", "other_way"]
    assert {"news": "sound", "sound": "prompt"} in lines


# What is told


def test_people_are_told_with_names_to_operators(given: Door) -> None:
    (person,) = answer_of(given.asks(People()))["people"]
    assert (person["name"], person["person"]) == (NAME, RESIDENT)
    assert (person["cards"], person["templates"], person["consent"]) == (1, 5, "given")


def fractions(line: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """Every number in an answer that could be a score, with its key."""
    if isinstance(line, dict):
        for inner, value in line.items():
            yield from fractions(value, inner)
    elif isinstance(line, list | tuple):
        for value in line:
            yield from fractions(value, key)
    elif isinstance(line, float):
        yield key, line


@pytest.mark.requirement("D6", "A6", "R18")
def test_the_status_has_no_name_number_template_or_score(given: Door) -> None:
    given.scans()
    given.is_compared(probe_of(1))
    status = answer_of(given.asks(Status()))["status"]
    text = json.dumps(status)
    assert NAME not in text and RESIDENT not in text and CARD.decode() not in text
    assert given.card_id(CARD) not in text
    assert status["door"] == {"state": "released", "open": False, "strike_released": True}
    assert status["ways"] == {
        "readers": sorted(READERS),
        "codes": False,
        "working": 2,
        "required": 2,
    }
    assert (status["face"]["on"], status["face"]["enrolled"]) == (True, 1)
    assert status["times"]["frame_to_strike"]["n"] == 1
    assert {key for key, _ in fractions(status)} <= {"p50_s", "p95_s"}, "times, and no score"


def test_the_status_says_why_face_is_off(given: Door) -> None:
    given.presses()
    face = answer_of(given.asks(Status()))["status"]["face"]
    assert (face["on"], face["permission"]) == (False, "none")
    assert face["off_because"] in WHY_OFF.values()
    assert "declined" in face["off_because"]


def test_the_self_test_holds_on_a_bench_and_finds_what_is_broken(given: Door) -> None:
    tested = answer_of(given.asks(SelfTest()))["selftest"]
    bad = [one for one in tested["checks"] if not one["holds"] and one["name"] != "memory"]
    assert not bad
    given.board.break_sign()
    given.board.strike.release(5.0)
    found = answer_of(given.asks(SelfTest()))["selftest"]
    assert not found["passed"]
    assert {one["name"] for one in found["checks"] if not one["holds"]} >= {"sign", "strike"}


def test_the_version_names_the_embedder(given: Door) -> None:
    assert answer_of(given.asks(Version()))["version"]["embedder"] == "a" * 12


@pytest.mark.requirement("R16")
def test_identifiers_are_random_and_pass_as_no_number() -> None:
    some = {new_identifier() for _ in range(2000)}
    assert len(some) == 2000
    assert all(len(one) == 12 and set(one) <= set(LETTERS) for one in some)
    assert np.mean([one[0] == "b" for one in some]) < 0.2


def test_erasing_who_is_just_being_enrolled_ends_that_too(given: Door) -> None:
    asked = given.asks(Enrol("Neighbour", card=False))
    given.presses(for_s=HOLD_S)
    captures(given, seed=2, poses=POSES[:3])
    given.asks(Erase("Neighbour"))
    assert answer_of(asked)["enrolment"]["stage"] == "failed"
    assert len(given.recognition.captured) == 0


def test_the_self_test_walks_the_wiring_table_and_names_a_button_that_is_stuck(given: Door) -> None:
    def lines() -> dict[str, bool]:
        checks = answer_of(given.asks(SelfTest()))["selftest"]["checks"]
        return {one["name"]: one["holds"] for one in checks if one["name"].startswith("line ")}

    wired = {f"line {line.name.value}" for line in Wiring().lines}
    assert set(lines()) == wired
    assert all(lines().values())
    given.board.set_input(Input.REX, active=True)
    assert lines() == {name: name != "line rex" for name in wired}
