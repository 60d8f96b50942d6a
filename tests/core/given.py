"""What the tests of the core are given: people, moments, and a terminal that can be spoken to.

`Terminal` does what the loop does and nothing else: it says `TimePassed` at each deadline, in
order, before anything that happens at that moment or later (by `late_s` too late, as a busy loop
would), and it reads the sign back after lighting it.

What changes with this file: every test of the core.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from terminal.core import machine
from terminal.core.effects import Effect, Effects, Kind, LightSign, Permit, Record
from terminal.core.events import (
    ButtonPressed,
    ButtonReleased,
    CameraChanged,
    CredentialPresented,
    DuplicateChecked,
    EnrolAsked,
    EnrolledChanged,
    Event,
    FaceCompared,
    ReferenceTaken,
    SignRead,
    Started,
    TimePassed,
    VisionChanged,
    ZoneSeen,
)
from terminal.core.machine import State
from terminal.core.policy import Policy, Trigger
from terminal.core.values import (
    CardId,
    ConsentId,
    ConsentState,
    Holder,
    Moment,
    Permission,
    PersonId,
    TrackId,
    View,
)

E = TypeVar("E", bound=Effect)

BEGIN = datetime(2030, 6, 1, 12, 0, tzinfo=UTC)

RESIDENT = PersonId("p-resident")
NEIGHBOUR = PersonId("p-neighbour")
NEWCOMER = PersonId("p-newcomer")
NEW_CONSENT = ConsentId("c-newcomer")

AGREED = Holder(RESIDENT, consent=ConsentState.GIVEN)
NOT_AGREED = Holder(NEIGHBOUR)
WITHDRAWN = Holder(NEIGHBOUR, consent=ConsentState.WITHDRAWN)
MOVED_OUT = replace(AGREED, valid_until=BEGIN - timedelta(days=1))
NOT_YET_IN = replace(AGREED, valid_from=BEGIN + timedelta(days=1))
DATED = replace(AGREED, valid_from=BEGIN - timedelta(days=1), valid_until=BEGIN + timedelta(days=1))

CARD = CardId("0a" * 16)
FREE_CARD = CardId("0b" * 16)
READERS = ("inside", "outside")

WALK_UP = Policy()
BUTTON = Policy(trigger=Trigger.BUTTON)


def at(mono_s: float, trusted: bool = True) -> Moment:
    """The moment `mono_s` after the beginning, by both clocks."""
    return Moment(mono_s, BEGIN + timedelta(seconds=mono_s), trusted)


def only(effects: Effects, kind: type[E]) -> tuple[E, ...]:
    """The effects of this type, in order."""
    return tuple(effect for effect in effects if isinstance(effect, kind))


def kinds(effects: Effects) -> tuple[Kind, ...]:
    """The kinds of the records, in order."""
    return tuple(record.kind for record in only(effects, Record))


def record(effects: Effects, kind: Kind) -> Record:
    """The one record of this kind."""
    (found,) = (record for record in only(effects, Record) if record.kind is kind)
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """One step as it was: what happened, and what was made of it."""

    before: State
    event: Event
    after: State
    effects: Effects


class Terminal:
    """A terminal that can be told what happens and lets time pass as the loop does."""

    def __init__(
        self,
        policy: Policy = WALK_UP,
        sign_works: bool = True,
        late_s: float = 0.0,
    ) -> None:
        self.policy, self.sign_works, self.late_s = policy, sign_works, late_s
        self.state, self.now_s = State(), 100.0
        self.trusted = True
        self.history: list[Told] = []

    def hears(self, kind: type[Event], **facts: Any) -> Effects:
        """Tell one event of now; the effects of that very step."""
        return self.hears_event(kind(at(self.now_s, self.trusted), **facts))

    def hears_event(self, event: Event) -> Effects:
        """Tell this event; the effects of that very step."""
        effects = self._take(event)
        self._read_sign_back(effects)
        return effects

    def waits(self, seconds: float) -> Effects:
        """Let time pass, each deadline in its turn; all the effects of that time."""
        until_s = self.now_s + seconds
        effects: list[Effect] = []
        while (due_s := machine.next_deadline(self.state)) is not None and due_s <= until_s:
            self.now_s = max(self.now_s, min(due_s + self.late_s, until_s))
            effects += self.hears(TimePassed)
            self.waited_in_vain(due_s)
        self.now_s = until_s
        return tuple(effects)

    def waited_in_vain(self, due_s: float) -> None:
        """A deadline that has had its `TimePassed` must not be waited for again (no busy loop)."""
        next_s = machine.next_deadline(self.state)
        assert next_s is None or next_s > due_s, f"{due_s} stays due"

    @property
    def permission(self) -> Permission:
        """What vision may do now."""
        return machine.permission(self.state, self.policy)

    @property
    def permits(self) -> tuple[Permit, ...]:
        """Everything vision was ever permitted, in order."""
        return tuple(one for told in self.history for one in only(told.effects, Permit))

    def _take(self, event: Event) -> Effects:
        before = self.state
        self.state, effects = machine.step(before, event, self.policy)
        self.history.append(Told(before, event, self.state, effects))
        return effects

    def _read_sign_back(self, effects: Effects) -> None:
        for sign in only(effects, LightSign):
            if self.sign_works:
                self._take(SignRead(at(self.now_s, self.trusted), sign.lit))

    # What people do

    def sees(self, view: View, track: int | None = None) -> Effects:
        """The detector's view of the zone changes."""
        return self.hears(ZoneSeen, view=view, track=None if track is None else TrackId(track))

    def walks_up(self, track: int = 1) -> Effects:
        """Someone stands in the zone until the dwell is over."""
        return (*self.sees(View.READY, track), *self.waits(self.policy.dwell_s))

    def is_compared(self, holder: Holder | None, track: int = 1) -> Effects:
        """The probe of a track was compared."""
        return self.hears(FaceCompared, track=TrackId(track), holder=holder)

    def shows_card(self, holder: Holder | None, reader: str = "outside") -> Effects:
        """A card is read."""
        return self.hears(CredentialPresented, reader=reader, card=CARD, holder=holder)

    def fails(self, track: int) -> Effects:
        """Somebody walks up, is not recognised, and goes."""
        self.walks_up(track)
        effects = self.is_compared(None, track)
        self.sees(View.EMPTY)
        self.waits(self.policy.refused_show_s)
        return effects

    def is_asked_to_enrol(self, with_card: bool = False, with_face: bool = True) -> Effects:
        """The operator prepares an enrolment of somebody new."""
        return self.hears(
            EnrolAsked,
            person=NEWCOMER,
            consent=NEW_CONSENT,
            by="operator",
            with_card=with_card,
            with_face=with_face,
        )

    def consents(self) -> Effects:
        """The person holds the button long enough and lets go."""
        self.hears(ButtonPressed)
        effects = self.waits(self.policy.consent_hold_s)
        self.hears(ButtonReleased)
        return effects

    def captures(self) -> Effects:
        """Vision takes all references that are wanted; the effects of the last."""
        effects: Effects = ()
        for _ in range(self.policy.references):
            effects = self.hears(ReferenceTaken, pose=self.state.enrolment.pose)
        return effects

    def enrols(self) -> Effects:
        """A whole enrolment by face that goes well; the effects of its end."""
        self.is_asked_to_enrol()
        self.consents()
        self.captures()
        return self.hears(DuplicateChecked, found=False)


def started(policy: Policy = WALK_UP, door_open: bool = False) -> Terminal:
    """A terminal that was just switched on, with two readers."""
    terminal = Terminal(policy)
    terminal.hears(Started, door_open=door_open, readers=READERS)
    return terminal


def ready(policy: Policy = WALK_UP) -> Terminal:
    """A terminal at which face recognition is on and nobody stands."""
    terminal = started(policy)
    terminal.hears(VisionChanged, alive=True)
    terminal.hears(CameraChanged, working=True)
    terminal.hears(EnrolledChanged, people=3, supported=True, room=True)
    return terminal


def declined(policy: Policy = WALK_UP) -> Terminal:
    """A terminal at which someone just said no."""
    terminal = ready(policy)
    terminal.sees(View.READY, 1)
    terminal.hears(ButtonPressed)
    return terminal
