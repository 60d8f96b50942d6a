"""Visits to the bench terminal for figures: somebody comes in one way or another, and is timed.

Everything is as a person has it: a card is held to a reader, a telephone before the camera, a face
stands in the zone; times are taken from outside, from there to the relay's own line.

What changes with this file: `ways`, `flood`.
"""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

from hw.bench_remote import BenchClient
from terminal.app import BENCH_VISION_SOCKET
from terminal.demo.stage import CARD, RESIDENT, Otherwise, Stage
from terminal.operator_link import Conversation, ask
from terminal.requests import Enrol, PassIssue

SETTLED_S = 2.4
"""So long after the face is back, vision is sure that nobody stands there."""


def register_card(stage: Stage) -> None:
    """A resident with a card and no face."""
    with Conversation(stage.control, Enrol(RESIDENT, face=False)) as conversation:
        for line in conversation.news():
            if line.get("stage") == "tap_card":
                stage.tap(CARD)
    if conversation.result["enrolment"]["stage"] != "card_only":
        raise Otherwise("nobody could be registered")


def issue_pass(stage: Stage) -> str:
    """The text of a new pass that opens once."""
    until = datetime.now(UTC) + timedelta(days=1)
    line = ask(stage.control, PassIssue(RESIDENT, "once", until))["pass"]
    return str(line["text"])


def play(stage: Stage, scene: str, text: str | None = None, seed: int | None = None) -> float:
    """Begin a scene before the camera; when (mono s) it began."""
    with closing(BenchClient(stage.folder / BENCH_VISION_SOCKET)) as camera:
        camera.play(scene, text=text, seed=seed)
    return time.monotonic()


def by_card(stage: Stage) -> float:
    """Come in by a card: from the reader to the relay (ms)."""
    since, began_s = stage.feed.mark, time.monotonic()
    stage.tap(CARD)
    return _in(stage, since, began_s)


def by_code(stage: Stage) -> float:
    """By a pass on a telephone: from the hand's first move to the relay (ms)."""
    text, since = issue_pass(stage), stage.feed.mark
    return _in(stage, since, play(stage, "holds_up_code", text))


def by_face(stage: Stage, seed: int) -> float:
    """By face: from standing in the zone to the relay (ms); the dwell is within."""
    since = stage.feed.mark
    return _in(stage, since, play(stage, "resident_stands_still", seed=seed))


def _in(stage: Stage, since: int, began_s: float) -> float:
    strike = stage.expect("strike", since, 10.0, "the door opens", active=True)
    go_through(stage, since)
    return (strike.mono_s - began_s) * 1e3


def go_through(stage: Stage, since: int) -> None:
    """Push the door, which ends the pulse, and let it fall shut."""
    if not stage.door.push_door():
        raise Otherwise("the door did not open when it was pushed")
    stage.door.close_door()
    stage.expect("strike", since, 8.0, "the strike is secure again", active=False)
    stage.expect("record", since, 8.0, "the door is closed again", kind="door_closed")


def leave(stage: Stage) -> None:
    """Nobody stands there any more, and the next one may come."""
    stage.clear()
    stage.wait_for_face()
    time.sleep(SETTLED_S)


def camera_is_back(stage: Stage, within_s: float = 20.0) -> None:
    """Until a vision that was gone gives pictures again."""
    until_s = time.monotonic() + within_s
    while not stage.status["face"]["camera"]:
        if time.monotonic() > until_s:
            raise Otherwise("vision does not come back")
        time.sleep(0.1)
