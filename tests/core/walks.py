"""Random walks: a list of small happenings, each after a while, told to a terminal as they come.

A happening is a word and knows what it means in the state it comes in ("the probe of the track
that is being scanned"), so that walks go deep and hypothesis can still shorten them. Whole visits
(a walk up, an enrolment) are happenings in a row, with others thrown between.

What changes with this file: how much of the core the walks reach (`test_walks` counts it).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from terminal.core import machine
from terminal.core.events import (
    ButtonPressed,
    ButtonReleased,
    CameraChanged,
    CaptureHindered,
    ContactChanged,
    CredentialPresented,
    DuplicateChecked,
    EnrolAsked,
    EnrolCancelled,
    EnrolledChanged,
    EraseAsked,
    Event,
    FaceAsked,
    FaceCompared,
    HoldAsked,
    HoldCancelled,
    PresenceChanged,
    ReaderChanged,
    ReferenceTaken,
    RexPressed,
    SignRead,
    Started,
    VisionChanged,
    ZoneSeen,
)
from terminal.core.machine import State
from terminal.core.policy import Place, Policy, Rex, Trigger
from terminal.core.values import Hint, Holder, Moment, Pose, TrackId, View
from tests.core import given
from tests.core.given import READERS, Terminal, Told
from tests.core.laws import Watch, demand

Meaning = Callable[[State, Moment], Event]


def _zone(view: View, track: int | None = None) -> Meaning:
    seen = None if track is None else TrackId(track)
    return lambda state, at: ZoneSeen(at, view, seen, Hint.NEARER if seen is None else None)


def _compared(holder: Holder | None, offset: int = 0) -> Meaning:
    return lambda state, at: FaceCompared(at, TrackId((state.access.track or 0) + offset), holder)


def _card(holder: Holder | None, reader: str = "outside", readable: bool = True) -> Meaning:
    card = given.FREE_CARD if readable else None
    return lambda state, at: CredentialPresented(at, reader, card, holder)


def _enrol(with_card: bool, with_face: bool, known: bool = False) -> Meaning:
    return lambda state, at: EnrolAsked(
        at, given.NEWCOMER, given.NEW_CONSENT, "operator", with_card, with_face, known
    )


def _other_pose(state: State, at: Moment) -> Event:
    return ReferenceTaken(at, next(pose for pose in Pose if pose is not state.enrolment.pose))


HAPPENINGS: dict[str, Meaning] = {
    "starts again": lambda state, at: Started(at, state.door.is_open, READERS),
    "button down": lambda state, at: ButtonPressed(at),
    "button up": lambda state, at: ButtonReleased(at),
    "asks for the face": lambda state, at: FaceAsked(at),
    "zone empty": _zone(View.EMPTY),
    "someone passes": _zone(View.PASSING),
    "several": _zone(View.SEVERAL),
    "track 0": _zone(View.READY, 0),
    "track 1": _zone(View.READY, 1),
    "track 2": _zone(View.READY, 2),
    "hindered": lambda state, at: CaptureHindered(at, Hint.MORE_LIGHT),
    "face of a resident": _compared(given.AGREED),
    "face of nobody": _compared(None),
    "face without consent": _compared(given.WITHDRAWN),
    "face of another track": _compared(given.AGREED, offset=1),
    "good card": _card(given.NOT_AGREED),
    "good card inside": _card(given.DATED, "inside"),
    "old card": _card(given.MOVED_OUT),
    "card of nobody": _card(None),
    "unreadable card": _card(None, readable=False),
    "door opens": lambda state, at: ContactChanged(at, True),
    "door closes": lambda state, at: ContactChanged(at, False),
    "exit": lambda state, at: RexPressed(at),
    "hold for 3 s": lambda state, at: HoldAsked(at, 3.0, "operator", "delivery"),
    "hold for 60 s": lambda state, at: HoldAsked(at, 60.0, "operator", "moving in"),
    "end of hold": lambda state, at: HoldCancelled(at, "operator"),
    "presence": lambda state, at: PresenceChanged(at, True),
    "no presence": lambda state, at: PresenceChanged(at, False),
    "vision dies": lambda state, at: VisionChanged(at, False),
    "vision lives": lambda state, at: VisionChanged(at, True),
    "camera lost": lambda state, at: CameraChanged(at, False),
    "camera works": lambda state, at: CameraChanged(at, True),
    "sign dark": lambda state, at: SignRead(at, False),
    "sign lit": lambda state, at: SignRead(at, state.vision),
    "reader lost": lambda state, at: ReaderChanged(at, "inside", False),
    "reader back": lambda state, at: ReaderChanged(at, "inside", True),
    "nobody enrolled": lambda state, at: EnrolledChanged(at, 0, True, True),
    "three enrolled": lambda state, at: EnrolledChanged(at, 3, True, True),
    "too many enrolled": lambda state, at: EnrolledChanged(at, 9000, False, False),
    "enrol with card": _enrol(True, False),
    "enrol with face": _enrol(False, True),
    "enrol with both": _enrol(True, True),
    "enrol a known person": _enrol(False, True, known=True),
    "enrol with nothing": _enrol(False, False),
    "enrolment cancelled": lambda state, at: EnrolCancelled(at, "operator"),
    "wanted pose": lambda state, at: ReferenceTaken(at, state.enrolment.pose),
    "other pose": _other_pose,
    "face is new": lambda state, at: DuplicateChecked(at, False),
    "face is known": lambda state, at: DuplicateChecked(at, True),
    "erase newcomer": lambda state, at: EraseAsked(at, given.NEWCOMER, "operator", True),
    "erase face": lambda state, at: EraseAsked(at, given.NEWCOMER, "operator", False),
    "erase resident": lambda state, at: EraseAsked(at, given.RESIDENT, "operator", False),
}

TO_THE_DEADLINE = -1.0
WAITS_S = (0.0, 0.0, 0.0, 0.0, 0.05, 0.3, 0.3, 1.0, 1.0, 3.0, 6.0, 31.0, TO_THE_DEADLINE)


@dataclass(frozen=True, slots=True)
class Happening:
    """A word of `HAPPENINGS`, and how long before it nothing else happens."""

    wait_s: float
    name: str


def visit(*words: str | float) -> tuple[Happening, ...]:
    """Happenings in a row; a number is a wait (s) before the next."""
    waited_s, happenings = 0.0, []
    for word in words:
        if isinstance(word, str):
            happenings.append(Happening(waited_s, word))
            waited_s = 0.0
        else:
            waited_s += word
    return tuple(happenings)


POWER_ON = visit("starts again", "vision lives", "camera works", "three enrolled")
BY_FACE = visit("track 1", 1.0, "face of a resident", 1.0, "door opens", 2.0, "door closes")
STRANGER = visit("zone empty", "track 2", 1.2, "face of nobody", 4.0, "zone empty")
GUESSING = STRANGER * 5
BY_CARD = visit("good card", 1.0, "door opens", 1.0, "door closes")
DECLINES = visit("track 1", 0.4, "button down", 0.2, "button up")
BAD_CARDS = visit("old card", 0.5) * 5
CONSENTS = visit("button down", 3.5, "button up")
CAPTURES = (Happening(0.5, "wanted pose"),) * 3
ENROLS = (*visit("enrol with face"), *CONSENTS, *CAPTURES, *visit("face is new"))
ENROLS_BOTH = (*visit("enrol with both", 1.0, "card of nobody"), *CONSENTS, *CAPTURES)
REFUSES_CONSENT = visit("enrol with face", 1.0, "button down", 1.0, "button up", "track 1", 1.5)
HOLDS = visit("hold for 60 s", 9.0, "door opens", 3.0, "door closes", 20.0, "good card")
FOLLOWED_IN = visit("good card", 1.0, "door opens", 1.0, "good card inside", 2.0, "door closes")
STOPS_CAPTURE = (*visit("enrol with face"), *CONSENTS, *visit("wanted pose", "button down"))
STOPS_CHECK = (*visit("enrol with face"), *CONSENTS, *CAPTURES, *visit("button down"))
STAYS_AFTER_DECLINE = (*DECLINES, *BY_CARD, *visit(3.5, "track 1", 2.0, "button up"))
CHANGES_PLACES = visit("track 1", 1.2, "track 2", 1.5, "face of a resident", 6.0, "zone empty")
DECLINES_IN_SCAN = visit("track 1", 1.5, "button down", 0.2, "button up", "face of a resident")
CANCELLED = (*visit("enrol with face"), *CONSENTS, *visit("wanted pose", "enrolment cancelled"))
OUTSTAYS_DECLINE = (*DECLINES, *visit(61.0, "track 1", 2.0, "zone empty", "track 2", 2.0))
NOT_TOLD_APART = visit("too many enrolled", "track 1", 1.5, "nobody enrolled", "track 2", 1.5)
LOSES_A_READER = visit("reader lost", "track 1", 1.5, "face of a resident", "reader back", "exit")
LOSES_SIGHT = visit("track 1", 1.2, "camera lost", 1.0, "camera works", "track 2", 1.2)
LOSES_THE_SIGN = visit("track 1", 1.2, "sign dark", 0.5, "face of a resident", 2.0, "sign lit")
FORCED = visit("door opens", 1.0, "good card", 1.0, "door closes", "exit", "door opens", 40.0)
ASKS = visit("asks for the face", "track 1", 0.3, "face of a resident")
VISITS = (
    BY_FACE,
    STRANGER,
    GUESSING,
    BY_CARD,
    DECLINES,
    BAD_CARDS,
    ENROLS,
    ENROLS_BOTH,
    REFUSES_CONSENT,
    HOLDS,
    FOLLOWED_IN,
    STOPS_CAPTURE,
    STOPS_CHECK,
    STAYS_AFTER_DECLINE,
    CHANGES_PLACES,
    DECLINES_IN_SCAN,
    CANCELLED,
    OUTSTAYS_DECLINE,
    NOT_TOLD_APART,
    LOSES_A_READER,
    LOSES_SIGHT,
    LOSES_THE_SIGN,
    FORCED,
    ASKS,
)

POLICIES = (
    Policy(references=3),
    Policy(references=2, trigger=Trigger.BUTTON, rex=Rex.RELEASE),
    Policy(references=2, rex=Rex.RELEASE, release_s=2.0, dwell_s=0.5),
    Policy(place=Place.CHANGING_ROOM),
    Policy(face_enabled=False, rex=Rex.RELEASE),
)

one_happening = st.builds(
    Happening, st.sampled_from(WAITS_S), st.sampled_from(sorted(HAPPENINGS))
).map(lambda happening: (happening,))


def _with_another(visited: tuple[Happening, ...], place: int, other: str) -> tuple[Happening, ...]:
    """The same visit, with something thrown in."""
    place %= len(visited) + 1
    return (*visited[:place], Happening(0.0, other), *visited[place:])


disturbed_visits = st.builds(
    _with_another,
    st.sampled_from(VISITS),
    st.integers(0, 40),
    st.sampled_from(sorted(HAPPENINGS)),
)
walks = st.lists(one_happening | disturbed_visits | disturbed_visits, min_size=4, max_size=30).map(
    lambda parts: (*POWER_ON, *(one for part in parts for one in part))
)
policies = st.sampled_from(POLICIES)


def walk(happenings: tuple[Happening, ...], policy: Policy, late_s: float = 0.0) -> list[Told]:
    """Tell a terminal all that happens; every step as it was."""
    terminal = Terminal(policy, late_s=late_s)
    for happening in happenings:
        terminal.waits(_wait_s(happening, terminal))
        event = HAPPENINGS[happening.name](terminal.state, given.at(terminal.now_s))
        terminal.hears_event(event)
    terminal.waits(8.0)
    return terminal.history


def _wait_s(happening: Happening, terminal: Terminal) -> float:
    if happening.wait_s != TO_THE_DEADLINE:
        return happening.wait_s
    due_s = machine.next_deadline(terminal.state)
    return 0.0 if due_s is None else max(0.0, due_s - terminal.now_s)


def replay(events: list[Event], policy: Policy) -> list[Told]:
    """The same events once more, from the beginning."""
    state, history = State(), []
    for event in events:
        before, (state, effects) = state, machine.step(state, event, policy)
        history.append(Told(before, event, state, effects))
    return history


def check_replay(history: list[Told], policy: Policy) -> None:
    """Hold a walk against its replay. Raises laws.BrokenLawError."""
    again = replay([told.event for told in history], policy)
    demand(again == history, "a replay is the same")


def check(history: list[Told], policy: Policy, late_s: float = 0.0) -> None:
    """Hold every step of a walk against the laws. Raises laws.BrokenLawError."""
    watch = Watch(policy, late_s)
    for told in history:
        watch.see(told)
