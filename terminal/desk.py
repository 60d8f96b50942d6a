"""The operators' desk: answers what is asked over the control socket, on the loop's thread.

It looks things up and puts an operator's wish to the core as an event; it decides nothing that the
core decides. Names that an operator gives wait here until the core asks for the person to be
written. Whoever follows the log, the screen or an enrolment is told from here.

What changes with this file: `requests`, `cli`, `status`, `selftest`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from terminal.audit import Audit, Entry
from terminal.changes import Changes, Work
from terminal.core import machine
from terminal.core.door_state import DoorPhase, is_barred
from terminal.core.effects import EraseFace, ErasePerson, Play, Progress, RegisterPerson, Stage
from terminal.core.enrolment import EnrolmentPhase
from terminal.core.events import (
    AlarmsAcknowledged,
    ChangeAsked,
    EnrolAsked,
    EnrolCancelled,
    EraseAsked,
    Event,
    HoldAsked,
    HoldCancelled,
    LockdownAsked,
    LockdownLifted,
    ReleaseAsked,
)
from terminal.core.machine import State
from terminal.core.policy import Policy
from terminal.core.values import ConsentId, FaceOff, Moment, PersonId, Screen
from terminal.errors import AuditFailed, NotDone, StoreFailed
from terminal.identifiers import new_identifier
from terminal.notice import Notice
from terminal.requests import (
    Acknowledge,
    AnyRequest,
    Asked,
    Enrol,
    Erase,
    Events,
    Hold,
    HoldEnd,
    Line,
    Lockdown,
    LockdownEnd,
    People,
    Release,
    SelfTest,
    Status,
    Version,
    Watch,
)
from terminal.shelf import Shelf
from terminal.store import Person, Store


class Desk:
    """One per terminal. `report` and `self_test` make the answers that need every part.

    `changes` understands what is to be changed, `shelf` what is only shown.
    """

    def __init__(
        self,
        store: Store,
        audit: Audit,
        policy: Policy,
        notice: Notice,
        changes: Changes,
        shelf: Shelf,
        report: Callable[[State], Line],
        self_test: Callable[[State], Line],
        version: Line,
    ) -> None:
        self._store, self._audit, self._policy, self._notice = store, audit, policy, notice
        self._changes, self._shelf = changes, shelf
        self._report, self._self_test, self._version = report, self_test, version
        self._numbers = itertools.count(1)
        self._carrying: dict[int, tuple[Asked, Work]] = {}
        self._names: dict[PersonId, str] = {}
        self._enrolling: Asked | None = None
        self._holding: list[Asked] = []
        self._followers: list[Asked] = []
        self._watchers: list[Asked] = []
        self._told_seq = audit.head[0]
        self._screen = Screen(machine.screen(State(), policy).scene)
        self._trouble: str | None = None
        self._unwritten: str | None = None
        self._erasing: dict[PersonId, list[Asked]] = {}

    # What is asked

    def events_of(self, asked: Asked, state: State, at: Moment) -> tuple[Event, ...]:
        """Answer one request, or begin to; the events that follow from it."""
        if asked.gone:
            return self._left(asked, at)
        try:
            return self._begun(asked, state, at)
        except (NotDone, StoreFailed, AuditFailed) as error:
            asked.answer.refuse(str(error))  # AuditFailed: the log was only read here
            return ()

    def _begun(self, asked: Asked, state: State, at: Moment) -> tuple[Event, ...]:
        match asked.request:
            case Enrol():
                return self._enrol(asked, asked.request, state, at)
            case Erase():
                return self._erase(asked, asked.request, at)
            case Hold() | HoldEnd() | Release() | Lockdown() | LockdownEnd() | Acknowledge():
                event = _of_door(asked.request, state, asked.by, at)
                self._holding.append(asked)
                return (event,)
            case _:
                return self._change(asked, at) or self._tell(asked, state, at)

    def _change(self, asked: Asked, at: Moment) -> tuple[Event, ...]:
        """What is to be changed waits under a number until it is on record."""
        change = self._changes.of(asked.request, at)
        if change is None:
            return ()
        number = next(self._numbers)
        self._carrying[number] = (asked, change.do)
        return (ChangeAsked(at, change.kind, asked.by, number, change.person, change.facts),)

    def carry_out(self, number: int, at: Moment) -> tuple[Event, ...]:
        """Do what waits under this number, and answer; what follows from it."""
        asked, work = self._carrying.pop(number)
        try:
            line, events = work(at)
        except (NotDone, StoreFailed) as error:
            asked.answer.refuse(str(error))
            return ()
        asked.answer.done(line)
        return events

    def _tell(self, asked: Asked, state: State, at: Moment) -> tuple[Event, ...]:
        answer = asked.answer
        match asked.request:
            case Status():
                answer.done({"status": self._report(state)})
            case SelfTest():
                answer.done({"selftest": self._self_test(state)})
            case Version():
                answer.done({"version": self._version})
            case People():
                answer.done({"people": [_person_line(one) for one in self._store.people()]})
            case Events():
                self._tell_events(asked, asked.request)
            case Watch():
                self._watchers.append(asked)
                answer.news("screen", screen_line(self._screen))
            case _:
                self._shelf.tell(asked, state, at)
        return ()

    def _tell_events(self, asked: Asked, request: Events) -> None:
        for entry in self._audit.tail(request.last) if request.last else ():
            asked.answer.news("record", entry_line(entry))
        if request.follow:
            self._followers.append(asked)
        else:
            asked.answer.done({})

    def stepped(self, state: State) -> None:
        """What was asked of the door is on record and done: say so, and not before."""
        for asked in self._holding:
            asked.answer.done({"door": state.door.phase.value})
        self._holding.clear()

    def _left(self, asked: Asked, at: Moment) -> tuple[Event, ...]:
        """The operator hung up: nothing more is said, and an enrolment does not go on unseen."""
        asked.answer.is_over = True
        self._followers = [each for each in self._followers if not each.answer.is_over]
        self._watchers = [each for each in self._watchers if not each.answer.is_over]
        if self._enrolling is None or self._enrolling.answer is not asked.answer:
            return ()
        return (EnrolCancelled(at, asked.by),)

    # Enrolment and erasure

    def _enrol(self, asked: Asked, request: Enrol, state: State, at: Moment) -> tuple[Event, ...]:
        self._check_may_enrol(request, state)
        known = self._store.find(request.name)
        if known is not None and not request.again:
            raise NotDone("Somebody of that name is registered; to do it anew, say --again.")
        if known is None and request.again:
            raise NotDone("Nobody of that name is registered; leave out --again.")
        person = known.person if known else PersonId(new_identifier())
        self._names[person] = request.name
        self._enrolling, self._trouble, self._unwritten = asked, None, None
        if request.face:
            asked.answer.news("notice", {"text": self._notice.text})
        consent = ConsentId(new_identifier())
        return (
            EnrolAsked(
                at, person, consent, asked.by, request.card, request.face, known is not None
            ),
        )

    def _check_may_enrol(self, request: Enrol, state: State) -> None:
        if state.enrolment.phase is not EnrolmentPhase.IDLE:
            raise NotDone("Somebody is being enrolled just now; wait until that has ended.")
        if not (request.card or request.face):
            raise NotDone("There is nothing to enrol: neither a card nor a face is wanted.")
        if request.face:
            self._check_face(state)

    def _check_face(self, state: State) -> None:
        off = machine.face_off(state, self._policy)
        if off in LASTING:
            raise NotDone(f"No face can be enrolled: {WHY_OFF[off]} A card alone can (--no-face).")
        if not state.room:
            raise NotDone(
                "No more faces can be enrolled: the model's error curve supports no more people at"
                " this site's target. A card alone can be (--no-face)."
            )

    def _erase(self, asked: Asked, request: Erase, at: Moment) -> tuple[Event, ...]:
        found = self._store.find(request.who)
        if found is None:
            raise NotDone("Nobody of that name or identifier is registered.")
        self._erasing.setdefault(found.person, []).append(asked)
        return (EraseAsked(at, found.person, asked.by, request.everything),)

    # What the loop tells

    def recorded(self) -> None:
        """New records are durable: tell those who follow."""
        if not self._followers:
            self._told_seq = self._audit.head[0]
            return
        for entry in self._audit.follow(self._told_seq):
            self._told_seq = entry.seq
            _tell_all(self._followers, "record", entry_line(entry))

    def shown(self, screen: Screen) -> None:
        """The screen changed: tell those who watch."""
        self._screen = screen
        _tell_all(self._watchers, "screen", screen_line(screen))

    def sounded(self, play: Play) -> None:
        """A sound was played: tell those who watch."""
        _tell_all(self._watchers, "sound", {"sound": play.sound.value})

    def progressed(self, progress: Progress) -> None:
        """The enrolment went on: tell whoever asked for it."""
        if self._enrolling is None:
            return
        is_over = progress.stage in LAST_STAGES
        stage = Stage.FAILED if is_over and self._unwritten else progress.stage
        line = {
            "person": progress.person,
            "stage": stage.value,
            **screen_line(progress.screen),
        }
        if not is_over:
            self._enrolling.answer.news("progress", line)
            return
        trouble = {"trouble": self._unwritten} if self._unwritten else {}
        self._enrolling.answer.done({"enrolment": {**line, **trouble}})
        self._enrolling = None
        self._names.pop(progress.person, None)

    def name_of(self, effect: RegisterPerson) -> str:
        """The name that was given for this person."""
        return self._names.get(effect.person, "")

    def failed(self, sentence: str) -> None:
        """Something could not be written: the enrolment failed, whatever else was done for it."""
        self._unwritten = self._unwritten or sentence
        self._trouble = sentence

    def erased(self, effect: EraseFace | ErasePerson, refused: str | None) -> None:
        """Tell those who asked for it, when the last part of it is done or refused."""
        if refused is not None:
            self._trouble = refused
        of_person = isinstance(effect, ErasePerson)
        waiting = self._erasing.pop(effect.person, [])
        for asked in waiting:
            everything = isinstance(asked.request, Erase) and asked.request.everything
            if refused is not None:
                asked.answer.refuse(f"{refused} {UNERASED}")
            elif everything and not of_person:
                self._erasing.setdefault(effect.person, []).append(asked)
            else:
                asked.answer.done({"person": effect.person, "everything": everything})

    @property
    def trouble(self) -> str | None:
        """The last thing that could not be written."""
        return self._trouble


def _of_door(request: AnyRequest, state: State, by: str, at: Moment) -> Event:
    """What is asked of the door, as an event. Raises NotDone for what can't be now."""
    door = state.door
    match request:
        case Hold() if is_barred(door):
            raise NotDone("The door is locked down, or the other door of the pair is open.")
        case Hold(lasts_s=lasts_s, why=why):
            return HoldAsked(at, lasts_s, by, why)
        case HoldEnd() if door.phase is DoorPhase.FREE:
            return HoldCancelled(at, by)
        case HoldEnd():
            raise NotDone("The door is not held released.")
        case Release() if door.interlocked:
            raise NotDone("The other door of the pair is open; close it first.")
        case Release(why=why):
            return ReleaseAsked(at, by, why)
        case Lockdown() if door.locked_down:
            raise NotDone("The door is locked down already.")
        case Lockdown(why=why):
            return LockdownAsked(at, by, why)
        case LockdownEnd(why=why) if door.locked_down:
            return LockdownLifted(at, by, why)
        case LockdownEnd():
            raise NotDone("The door is not locked down.")
        case _:
            return AlarmsAcknowledged(at, by)


UNERASED = (
    "The person is recognised no more; the erasure is tried again until the disk does it"
    " (terminalctl status tells)."
)

LAST_STAGES = (Stage.DONE, Stage.CARD_ONLY, Stage.FAILED)

LASTING = frozenset(
    {
        FaceOff.PLACE,
        FaceOff.DISABLED,
        FaceOff.ALTERNATIVES,
        FaceOff.CAMERA,
        FaceOff.VISION,
        FaceOff.SIGN,
        FaceOff.TAMPER,
        FaceOff.TEMPLATES,
    }
)
"""Reasons for which waiting at the door helps nobody."""

WHY_OFF = {
    FaceOff.PLACE: "face recognition is forbidden in a place like this.",
    FaceOff.DISABLED: "face recognition is switched off in the configuration.",
    FaceOff.ALTERNATIVES: "fewer than two other ways in work; mend a reader or the code reading.",
    FaceOff.CAMERA: "the camera gives no pictures; check its cable.",
    FaceOff.VISION: "the vision process does not run; see its log.",
    FaceOff.SIGN: "the sign does not light up; check the LED and its wiring.",
    FaceOff.TAMPER: "the case was opened; close it, look at it, and acknowledge the alarm.",
    FaceOff.DECLINED: "somebody at the door has just declined it.",
    FaceOff.ANOTHER_WAY: "somebody comes in another way just now.",
    FaceOff.PAUSED: "it pauses for 30 seconds after five failed scans.",
    FaceOff.ASKING: "somebody is being enrolled.",
    FaceOff.TEMPLATES: "a sealed template does not open; see terminalctl selftest.",
    FaceOff.TOO_MANY_ENROLLED: "more people are enrolled than the error curve supports.",
    FaceOff.NOBODY_ENROLLED: "nobody is enrolled.",
}
"""Why face recognition is off, for an operator; what to do, where something can be done."""


def screen_line(screen: Screen) -> Line:
    """A screen as a line of an answer."""
    built: Any = msgspec.to_builtins(screen)
    return {key: value for key, value in built.items() if value not in (None, 0)}


def entry_line(entry: Entry) -> Line:
    """A record as a line of an answer; without what it does not have."""
    built: Any = msgspec.to_builtins(entry)
    return {key: value for key, value in built.items() if value not in (None, [], ())}


def _person_line(person: Person) -> Line:
    line: Line = msgspec.to_builtins(person)
    return line


def _tell_all(them: Iterable[Asked], what: str, line: Line) -> None:
    for asked in them:
        asked.answer.news(what, line)
