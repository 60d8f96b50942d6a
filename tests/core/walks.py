"""Random walks: a list of small happenings, each after a while, told to a terminal as they come.

A happening is a word and knows what it means in the state it comes in ("the probe of the track
that is being scanned"), so that walks go deep and hypothesis can still shorten them. Whole visits
(a walk up, an enrolment) are happenings in a row, with others thrown between.

What changes with this file: how much of the core the walks reach (`test_walks` counts it).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from terminal.core import machine
from terminal.core.effects import (
    Kind,
    LightSign,
    Permit,
    Play,
    ReleaseStrike,
    SecureStrike,
    Show,
    TransactionEnded,
)
from terminal.core.events import (
    AlarmsAcknowledged,
    ButtonPressed,
    ButtonReleased,
    CameraChanged,
    CaptureHindered,
    ChangeAsked,
    CodesChanged,
    ContactChanged,
    CredentialPresented,
    DeclineAsked,
    DuplicateChecked,
    EnrolAsked,
    EnrolCancelled,
    EnrolledChanged,
    EraseAsked,
    Event,
    FaceAsked,
    FaceCompared,
    FireChanged,
    FreePassageSet,
    HoldAsked,
    HoldCancelled,
    InterlockChanged,
    LockdownAsked,
    LockdownLifted,
    ParityJudged,
    PassSpent,
    PinChecked,
    PinTyped,
    PresenceChanged,
    ReaderChanged,
    ReferenceTaken,
    ReleaseAsked,
    RexPressed,
    SignRead,
    Started,
    TamperChanged,
    TimePassed,
    VisionChanged,
    ZoneSeen,
)
from terminal.core.machine import State
from terminal.core.policy import AlarmLine, Panel, Place, Policy, Relock, Rex, Trigger, WeakCards
from terminal.core.timetable import ALWAYS
from terminal.core.values import (
    Group,
    Hint,
    Holder,
    Medium,
    Moment,
    Passback,
    PassId,
    PersonId,
    PinVerdict,
    Pose,
    Reason,
    Schedule,
    Side,
    Ticket,
    TrackId,
    View,
)
from tests.core import given
from tests.core.given import READERS, Terminal, Told
from tests.core.law import demand
from tests.core.laws import Watch

Meaning = Callable[[State, Moment], Event]


def _zone(view: View, track: int | None = None) -> Meaning:
    seen = None if track is None else TrackId(track)
    return lambda state, at: ZoneSeen(at, view, seen, Hint.NEARER if seen is None else None)


def _compared(holder: Holder | None, offset: int = 0) -> Meaning:
    return lambda state, at: FaceCompared(at, TrackId(_track(state) + offset), holder)


def _track(state: State) -> int:
    """Whom vision looks at: the scanned track, or whoever stands there with a card."""
    access = state.access
    return (access.in_view if access.track is None else access.track) or 0


def _card(holder: Holder | None, weak: bool = False, readable: bool = True) -> Meaning:
    card = given.FREE_CARD if readable else None
    return lambda state, at: CredentialPresented(at, "outside", card, holder, is_weak=weak)


def _leaves(holder: Holder | None) -> Meaning:
    return lambda state, at: CredentialPresented(at, "inside", given.CARD, holder, side=Side.INSIDE)


def _pass(holder: Holder | None, ticket: Ticket | None, problem: Reason | None = None) -> Meaning:
    return lambda state, at: CredentialPresented(
        at,
        "camera",
        None,
        holder,
        is_checked=problem is None,
        medium=Medium.QR,
        ticket=ticket,
        problem=problem,
    )


def _checked(verdict: PinVerdict) -> Meaning:
    """The PIN of whoever is waited for was checked."""

    def meaning(state: State, at: Moment) -> Event:
        pending = state.access.pending
        return PinChecked(at, pending.person if pending else given.NEIGHBOUR, verdict)

    return meaning


def _spent(done: bool) -> Meaning:
    """The use of the pass in hand was counted, or of one that nobody waits for."""

    def meaning(state: State, at: Moment) -> Event:
        pending = state.access.pending
        ticket = pending.shown.ticket if pending else None
        return PassSpent(at, (ticket or given.COUNTED).number, done)

    return meaning


def _free(schedule: Schedule | None, first_person: bool = False) -> Meaning:
    return lambda state, at: FreePassageSet(at, schedule, first_person)


def _started(state: State, at: Moment) -> Event:
    door = state.door
    return Started(
        at,
        door.is_open,
        READERS,
        door.locked_down,
        door.is_tampered,
        door.fire,
        door.interlocked,
    )


def _enrol(with_card: bool, with_face: bool, known: bool = False) -> Meaning:
    return lambda state, at: EnrolAsked(
        at, given.NEWCOMER, given.NEW_CONSENT, "operator", with_card, with_face, known
    )


def _other_pose(state: State, at: Moment) -> Event:
    return ReferenceTaken(at, next(pose for pose in Pose if pose is not state.enrolment.pose))


ALL_DAY = Schedule("all day", (ALWAYS,) * 7)
BY_DAY = replace(given.AGREED, group=Group("cleaners", schedule=ALL_DAY))
BY_WORKDAY = replace(given.AGREED, group=Group("office", schedule=given.WORKDAYS))
MARKED = replace(given.PASS, number=PassId("00000000000000de"), is_marked=True)
WITH_A_PIN = replace(given.COUNTED, number=PassId("0000000000000041"), needs_pin=True)
FORGOTTEN = replace(given.CARD_AND_PIN, person=PersonId("p-forgets"), pin_failures=4)

HAPPENINGS: dict[str, Meaning] = {
    "starts again": _started,
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
    "dated card": _card(given.DATED),
    "old card": _card(given.MOVED_OUT),
    "card of nobody": _card(None),
    "unreadable card": _card(None, readable=False),
    "weak card": _card(given.WITH_PIN, weak=True),
    "card with pin": _card(given.CARD_AND_PIN),
    "card with face": _card(given.CARD_AND_FACE),
    "card of a forgetful one": _card(FORGOTTEN),
    "card of a rescuer": _card(given.RESCUE),
    "card by day": _card(BY_DAY),
    "card by workday": _card(BY_WORKDAY),
    "card of someone inside, soft": _card(given.passback(Passback.SOFT)),
    "card of someone inside, hard": _card(given.passback(Passback.HARD)),
    "card of someone inside, timed": _card(given.passback(Passback.TIMED, 150.0)),
    "leaves": _leaves(given.DATED),
    "leaves, long moved out": _leaves(given.MOVED_OUT),
    "leaves unknown": _leaves(None),
    "pass": _pass(given.AGREED, given.PASS),
    "counted pass": _pass(given.AGREED, given.COUNTED),
    "rotating pass": _pass(given.AGREED, given.ROTATING),
    "used pass": _pass(given.AGREED, replace(given.COUNTED, left=0)),
    "pass with pin": _pass(given.WITH_PIN, WITH_A_PIN),
    "marked pass": _pass(given.AGREED, MARKED),
    "unknown pass": _pass(None, None),
    "pass of another door": _pass(None, None, Reason.OTHER_DOOR),
    "foreign code": _pass(None, None, Reason.NOT_A_PASS),
    "ten codes": _pass(None, None, Reason.SEVERAL_CODES),
    "pass is spent": _spent(True),
    "pass can't be spent": _spent(False),
    "another pass is spent": lambda state, at: PassSpent(at, MARKED.number, True),
    "pin typed": lambda state, at: PinTyped(at, "keypad"),
    "pin right": _checked(PinVerdict.RIGHT),
    "pin wrong": _checked(PinVerdict.WRONG),
    "pin under duress": _checked(PinVerdict.DURESS),
    "pin of a resident wrong": lambda state, at: PinChecked(at, given.RESIDENT, PinVerdict.WRONG),
    "pin can't be checked": _checked(PinVerdict.CANT_CHECK),
    "declines at the keypad": lambda state, at: DeclineAsked(at, "keypad"),
    "case opens": lambda state, at: TamperChanged(at, True),
    "case closes": lambda state, at: TamperChanged(at, False),
    "fire": lambda state, at: FireChanged(at, True),
    "fire is over": lambda state, at: FireChanged(at, False),
    "other door opens": lambda state, at: InterlockChanged(at, True),
    "other door closes": lambda state, at: InterlockChanged(at, False),
    "guard releases": lambda state, at: ReleaseAsked(at, "guard", "delivery"),
    "lockdown": lambda state, at: LockdownAsked(at, "guard", "alarm"),
    "lockdown lifted": lambda state, at: LockdownLifted(at, "guard", "all clear"),
    "alarms acknowledged": lambda state, at: AlarmsAcknowledged(at, "guard"),
    "free passage": _free(ALL_DAY),
    "free passage after one": _free(ALL_DAY, first_person=True),
    "no free passage": _free(None),
    "change": lambda state, at: ChangeAsked(at, Kind.PIN_SET, "operator", 7, given.RESIDENT),
    "parity broken": lambda state, at: ParityJudged(at, True),
    "parity mended": lambda state, at: ParityJudged(at, False),
    "codes read": lambda state, at: CodesChanged(at, True),
    "codes lost": lambda state, at: CodesChanged(at, False),
    "clock lost": lambda state, at: TimePassed(replace(at, trusted=False)),
    "clock back": lambda state, at: TimePassed(replace(at, trusted=True)),
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
FOLLOWED_IN = visit("good card", 1.0, "door opens", 1.0, "dated card", 2.0, "door closes")
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
USES_DOOR = visit(1.0, "door opens", 1.0, "door closes")
TYPES_RIGHT = visit(2.0, "pin typed", 0.3, "pin right")
TYPES_WRONG = visit(2.0, "pin typed", 0.3, "pin wrong")
BY_CARD_AND_PIN = (*visit("track 1", 0.5, "card with pin"), *TYPES_WRONG, *TYPES_RIGHT, *USES_DOOR)
GUESSES_PIN = (*visit("card with pin"), *TYPES_WRONG * 4, *visit(5.0, "card with pin"))
GUESSES_ON = (*GUESSES_PIN, *TYPES_WRONG, *visit(12.0, "card with pin"), *TYPES_WRONG * 2)
HURRIES = visit("card with pin", 1.0, "pin typed", "pin typed", "card with pin", "pin wrong") * 3
LATE = visit("card with pin", "pin typed", "good card", "pin of a resident wrong") * 3
TOO_LATE = (*LATE, *visit("card with pin", "pin typed"))
LEFT_ALONE = (*DECLINES, *visit("leaves", 1.0, "door opens", 1.0, "door closes", 9.0, "track 2"))
LOCKED_FACE = visit("lockdown", "track 1", 1.2, "face of a resident")
FORGETS = visit("card of a forgetful one", 4.0, "card of a forgetful one", 7.0) * 2
UNDER_DURESS = (*visit("card with pin", 1.0, "pin typed", "pin under duress"), *USES_DOOR)
BY_PASS = (*visit("rotating pass", "rotating pass", 0.2, "pass is spent"), *USES_DOOR)
BY_PASS_AND_PIN = (*visit("pass with pin"), *TYPES_RIGHT, *visit("pin typed", "pass is spent"))
NOT_SPENT = visit("counted pass", 0.2, "pass can't be spent", "pass is spent")
BY_MARKED_PASS = (*visit("track 1", 0.5, "marked pass"), *USES_DOOR)
BY_CARD_AND_FACE = visit("track 1", 0.3, "card with face", 0.5, "face of a resident")
LOOKS_AND_TYPES = (*visit("card with face", "track 1", "face of nobody"), *TYPES_RIGHT)
DECLINES_SECOND = (*visit("track 1", "card with face", "declines at the keypad"), *TYPES_RIGHT)
DECLINES_AND_PIN = (*DECLINES, *visit("card with pin"), *TYPES_WRONG * 3, *visit(9.0, "pass"))
DECLINES_AND_PASS = (*DECLINES, *visit("counted pass", "pass is spent"), *USES_DOOR)
GOES_AWAY = visit(
    "card with pin", "no presence", 30.0, "track 1", 2.0, "zone empty", "track 2", 2.0
)
SHOWS_A_SHIRT = visit("foreign code", "track 1", 0.5, "ten codes", 0.6, "face of a resident")
LEAVES = (*visit("leaves"), *USES_DOOR, *visit("leaves unknown", 6.0, "leaves, long moved out"))
LOCKED_DOWN = visit("lockdown", "good card", "card of a rescuer", 1.0, "leaves", "guard releases")
LOCKED_IN = (*visit("card with pin", "lockdown"), *TYPES_RIGHT, *visit("pass", "hold for 60 s"))
RESTARTED = (*LOCKED_DOWN, *visit("starts again", "good card", "lockdown lifted", "good card"))
FREE = visit("free passage", 1.0, "good card", 61.0, "end of hold", 61.0, "good card")
FREE_LATER = visit("free passage after one", 61.0, "good card", 1.0, "clock lost", 5.0)
FREE_ENDS = visit("free passage", 1.0, "door opens", "lockdown", 1.0, "lockdown lifted", 61.0)
PAIR = visit("good card", "other door opens", "pass", "leaves", "guard releases", "hold for 3 s")
PAIR_OPEN = visit("good card", "door opens", "other door opens", 1.0, "other door closes")
PAIR_HELD = visit("hold for 60 s", 1.0, "other door opens", 5.0, "other door closes", "good card")
PROPPED = visit("good card", "door opens", 21.0, 10.0, 301.0, "alarms acknowledged", "door closes")
BURNS = visit("fire", "door opens", 1.0, "alarms acknowledged", "door closes", "fire is over")
TAMPERED = visit("case opens", "alarms acknowledged", "case closes", 1.0, "alarms acknowledged")
GUARDED = visit("guard releases", 1.0, "door opens", "guard releases", 1.0, "door closes")
PASSED_BACK = visit("card of someone inside, soft", 6.0, "card of someone inside, timed")
PASSED_HARD = visit("card of someone inside, hard", 6.0, "card by day", "card by workday")
UNTRUSTED = visit("codes read", "clock lost", "dated card", "pass", "reader lost", "clock back")
BY_CODES = visit("reader lost", "codes read", 1.0, "track 1", 1.2, "camera lost", "reader back")
UNEVEN = visit("parity broken", "alarms acknowledged", "change", "parity mended")
KEPT_OUT = (*visit("weak card"), *TYPES_RIGHT, *visit(6.0, "used pass", "unknown pass"))
ASKS_AFTER_ALL = visit("card of nobody", 4.0, "asks for the face", "track 1", "face of a resident")
MORE_VISITS = (
    BY_CARD_AND_PIN,
    GUESSES_PIN,
    GUESSES_ON,
    HURRIES,
    TOO_LATE,
    LEFT_ALONE,
    LOCKED_FACE,
    FORGETS,
    UNDER_DURESS,
    BY_PASS,
    BY_PASS_AND_PIN,
    NOT_SPENT,
    BY_MARKED_PASS,
    BY_CARD_AND_FACE,
    LOOKS_AND_TYPES,
    DECLINES_SECOND,
    DECLINES_AND_PIN,
    DECLINES_AND_PASS,
    GOES_AWAY,
    SHOWS_A_SHIRT,
    LEAVES,
    LOCKED_DOWN,
    LOCKED_IN,
    RESTARTED,
    FREE,
    FREE_LATER,
    FREE_ENDS,
    PAIR,
    PAIR_OPEN,
    PAIR_HELD,
    PROPPED,
    BURNS,
    TAMPERED,
    GUARDED,
    PASSED_BACK,
    PASSED_HARD,
    UNTRUSTED,
    BY_CODES,
    UNEVEN,
    KEPT_OUT,
    ASKS_AFTER_ALL,
)
VISITS = (
    *MORE_VISITS,
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
    Policy(weak_cards=WeakCards.NEVER, relock=Relock.ON_CLOSE, has_exit_reader=True),
    Policy(weak_cards=WeakCards.OPEN, panel=Panel.WIEGAND, held_warn_s=0.0),
    Policy(panel=Panel.CONTACT, alarm_line=AlarmLine.ALL, not_ways=frozenset({"inside"})),
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
        at = given.at(terminal.now_s, terminal.trusted)
        event = HAPPENINGS[happening.name](terminal.state, at)
        terminal.trusted = event.at.trusted
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


def check_duress(history: list[Told], policy: Policy) -> None:
    """Hold a walk against itself without duress. Raises laws.BrokenLawError."""
    if not any(_is_duress(told.event) for told in history):
        return
    calm = replay([_calm(told.event) for told in history], policy)
    seen = [_noticed(told) for told in history]
    demand(seen == [_noticed(told) for told in calm], "under duress all looks the same")


def _is_duress(event: Event) -> bool:
    return _calm(event) != event


def _calm(event: Event) -> Event:
    match event:
        case PinChecked(verdict=PinVerdict.DURESS):
            return replace(event, verdict=PinVerdict.RIGHT)
        case CredentialPresented() if event.ticket is not None:
            return replace(event, ticket=replace(event.ticket, is_marked=False))
        case _:
            return event


def _noticed(told: Told) -> list[object]:
    """What can be seen or heard at the door, and the figures that are kept of it."""
    kinds = (Show, Play, LightSign, Permit, TransactionEnded, ReleaseStrike, SecureStrike)
    return [one for one in told.effects if isinstance(one, kinds)]


def check(history: list[Told], policy: Policy, late_s: float = 0.0) -> None:
    """Hold every step of a walk against the laws. Raises laws.BrokenLawError."""
    watch = Watch(policy, late_s)
    for told in history:
        watch.see(told)
