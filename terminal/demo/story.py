"""The story that `make run` tells: seven visits to one door, each with what ought to happen.

The persons are public-domain portraits, rendered; the models, the processes, the store, the log
and every decision are the real ones. A chapter that goes otherwise is said so, and the exit status
is then 1.

What changes with this file: the README's list of what `make run` shows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from hw.errors import DeviceError
from terminal.demo.stage import CARD, RESIDENT, Otherwise, Stage
from terminal.errors import TerminalError

LEAVE_S = 2.5
"""Everybody has left between two chapters: the zone is seen empty (`terminal.zone.CLEAR_S`)."""

CODE_GONE_S = 2.5
"""A code that was told is told again once it was out of view for this long (`terminal.codes`)."""

DARK_WITHIN_S = 0.1
"""After a decline the sign must be dark, and no face model may begin, within this time."""

Chapter = Callable[[Stage], None]


def tell(stage: Stage, chapters: Sequence[tuple[str, Chapter]] | None = None) -> bool:
    """Tell the whole story once, or these chapters; whether everything went as it says."""
    wanted = CHAPTERS if chapters is None else chapters
    told = [_told(stage, title, chapter) for title, chapter in wanted]
    otherwise = [words for words in told if words]
    _end(stage, otherwise)
    return not otherwise


def _told(stage: Stage, title: str, chapter: Chapter) -> str | None:
    stage.teller.chapter(title)
    try:
        chapter(stage)
        stage.clear()
    except (Otherwise, TerminalError, DeviceError) as error:
        stage.teller.say("OTHERWISE", str(error))
        with suppress(DeviceError):
            stage.clear()
        return f"{title}: {error}"
    finally:
        time.sleep(LEAVE_S)
    return None


def _end(stage: Stage, otherwise: list[str]) -> None:
    stage.teller.chapter("The end")
    times = stage.status["times"]
    for name, key in (("face", "frame_to_strike"), ("card", "card_to_strike")):
        if times[key]:
            ms = 1000 * times[key]["p50_s"]
            stage.teller.say(name, f"{ms:.0f} ms to the strike (median of {times[key]['n']})")
    for words in otherwise:
        stage.teller.say("OTHERWISE", words)
    if not otherwise:
        stage.teller.say("all", "Everything went as the story says.")


# Chapters


def enrols(stage: Stage) -> None:
    """A resident gets a card, reads the notice, consents by the button, and is enrolled."""
    since = stage.feed.mark

    def act(stage_name: str) -> None:
        stage.act_enrolled(stage_name)
        if stage_name == "capture":
            stage.play("resident_enrols")

    ended = stage.enrol(RESIDENT, act)
    if ended["stage"] != "done":
        raise Otherwise(f"the resident is enrolled, but it ended as {ended['stage']}")
    record = stage.expect("record", since, 1.0, "the enrolment is on record", kind="enrolled")
    references = dict(record.facts["facts"])["references"]
    stage.teller.say("operator", f"enrolled with {references} references")


def walks_up(stage: Stage) -> None:
    """The resident walks up; the door opens."""
    _let_in(stage, "resident_walks_up", "the resident is let in")


def _let_in(stage: Stage, scene: str, says: str) -> None:
    stage.wait_for_face()
    since = stage.feed.mark
    stage.play(scene)
    stage.expect("record", since, 15.0, says, kind="granted", way="face")
    stage.expect("strike", since, 1.0, "the strike releases", active=True)
    stage.pass_through()
    stage.expect("strike", since, 2.0, "the strike is secure again", active=False)


def passes_by(stage: Stage) -> None:
    """A passer-by crosses the picture; nobody is embedded."""
    stage.wait_for_face()
    since, before = stage.feed.mark, stage.embeddings()
    stage.play("passer_by")
    time.sleep(6.0)
    if stage.embeddings() != before:
        raise Otherwise("no passer-by is embedded, but the embedder ran")
    if stage.feed.wait_for("strike", since, 0.0, active=True):
        raise Otherwise("the strike stays secure, but it released")
    stage.teller.say("vision", f"embedder runs: {before} before, {stage.embeddings()} after")


def is_refused(stage: Stage) -> None:
    """A stranger stands there, is asked to use a card, and is overwritten."""
    stage.wait_for_face()
    since = stage.feed.mark
    stage.play("stranger_walks_up")
    stage.expect("record", since, 15.0, "a stranger is refused", kind="refused", way="face")
    if stage.feed.wait_for("strike", since, 1.0, active=True):
        raise Otherwise("the strike stays secure, but it released")


def declines(stage: Stage) -> None:
    """Someone presses *no face*: the sign goes dark, and a card opens the door."""
    stage.wait_for_face()
    stage.play("resident_stands_still")
    stage.expect(
        "screen", stage.feed.mark, 10.0, "the terminal offers to recognise", scene="prompt"
    )
    since = stage.feed.mark
    stage.press()
    pressed = stage.expect("kiosk_button", since, 2.0, "the button is pressed", active=True)
    dark = stage.expect("sign", since, 2.0, "the sign goes dark", active=False)
    _check_dark(stage, dark.mono_s - pressed.mono_s)
    before = stage.embeddings()
    stage.tap(CARD)
    stage.expect("record", since, 2.0, "the card is granted", kind="granted", way="card")
    stage.pass_through()
    if stage.embeddings() != before:
        raise Otherwise("nobody is embedded after a decline, but the embedder ran")


def _check_dark(stage: Stage, took_s: float) -> None:
    stage.teller.say("sign", f"dark {1000 * took_s:.0f} ms after the button")
    if took_s > DARK_WITHIN_S:
        raise Otherwise(f"the sign is dark within {DARK_WITHIN_S:g} s, but it took {took_s:.2f} s")


def visits(stage: Stage) -> None:
    """A visitor holds a one-time pass up to the camera: it opens once, and not again."""
    text = stage.issue_for_visitor("A visitor")
    stage.teller.say("visitor", "holds up the phone with a pass for once")
    since, before = stage.feed.mark, stage.embeddings()
    stage.hold_up(text)
    stage.expect("record", since, 15.0, "the pass is granted", kind="granted", way="qr")
    stage.expect("strike", since, 1.0, "the strike releases", active=True)
    stage.pass_through()
    stage.clear()
    time.sleep(CODE_GONE_S)
    since = stage.feed.mark
    stage.teller.say("somebody", "holds up a photograph of the same pass")
    stage.hold_up(text, "paper")
    stage.expect("record", since, 15.0, "the pass is refused", reason="pass_used")
    if stage.feed.wait_for("strike", since, 1.0, active=True):
        raise Otherwise("the strike stays secure, but it released")
    if stage.embeddings() != before:
        raise Otherwise("nobody is embedded for a pass, but the embedder ran")
    stage.clear()
    stage.wait_for_face()
    time.sleep(LEAVE_S)  # the zone is seen empty: whoever held up a code is not scanned


def deceives(stage: Stage) -> None:
    """A print of the resident is held up. It opens the door: the known gap of this version."""
    stage.teller.say("known gap", "this version can't tell a print from a person")
    _let_in(stage, "print_of_resident", "the print is let in (if not, the gap is smaller)")


CHAPTERS: tuple[tuple[str, Chapter], ...] = (
    ("A resident gets a card, agrees to face recognition, and is enrolled", enrols),
    ("The resident walks up, and the door opens", walks_up),
    ("A passer-by crosses the picture, and is not embedded", passes_by),
    ("A stranger stands there, and is refused", is_refused),
    ("Someone presses the button: no face; a card opens the door", declines),
    ("A visitor holds up a one-time pass: it opens once", visits),
    ("A printed picture of the resident is held up: KNOWN GAP, it opens the door", deceives),
)
