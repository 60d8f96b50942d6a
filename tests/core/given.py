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
from terminal.core.effects import (
    Effect,
    Effects,
    Kind,
    LightSign,
    Permit,
    Play,
    Record,
    Show,
    TransactionEnded,
)
from terminal.core.events import (
    ButtonPressed,
    ButtonReleased,
    CameraChanged,
    ContactChanged,
    CredentialPresented,
    DuplicateChecked,
    EnrolAsked,
    EnrolledChanged,
    Event,
    FaceCompared,
    PassSpent,
    PinChecked,
    PinTyped,
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
    FaceOff,
    Group,
    Holder,
    Level,
    Medium,
    Moment,
    Outcome,
    Passback,
    PassId,
    Permission,
    PersonId,
    PinVerdict,
    Rule,
    Schedule,
    Side,
    Ticket,
    TrackId,
    View,
    Way,
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

WITH_PIN = replace(AGREED, has_pin=True)
CARD_AND_PIN = replace(WITH_PIN, group=Group("staff", Rule.CARD_PIN))
PASS_AND_PIN = replace(WITH_PIN, group=Group("couriers", Rule.QR_PIN))
CARD_AND_FACE = replace(WITH_PIN, group=Group("vault", Rule.CARD_FACE))
RESCUE = replace(AGREED, person=PersonId("p-rescue"), group=Group("rescue", passes_lockdown=True))
INSIDE_ALREADY = replace(AGREED, side=Side.INSIDE, side_since=BEGIN)

PASS = Ticket(
    PassId("00c0ffee00c0ffee"),
    valid_from=BEGIN - timedelta(days=1),
    valid_until=BEGIN + timedelta(days=1),
)
COUNTED = replace(PASS, number=PassId("0000000000000003"), left=3)
ROTATING = replace(PASS, number=PassId("0000000000000030"), step=77)

CARD = CardId("0a" * 16)
FREE_CARD = CardId("0b" * 16)
READERS = ("inside", "outside")

WALK_UP = Policy()
BUTTON = Policy(trigger=Trigger.BUTTON)


NIGHT = ((0, 6 * 60), (22 * 60, 24 * 60))
DAY = ((8 * 60, 18 * 60),)
WORKDAYS = Schedule("workdays", (DAY, DAY, DAY, DAY, DAY, (), ()))
"""`BEGIN` is a Saturday, at noon."""


def passback(kind: Passback, passback_s: float = 0.0) -> Holder:
    """Somebody who is inside already, of a group with this anti-passback."""
    group = Group("tenants", passback=kind, passback_s=passback_s)
    return replace(INSIDE_ALREADY, group=group)


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

    @property
    def noticed(self) -> list[object]:
        """All that somebody at the door could see or hear, in order."""
        every = (one for told in self.history for one in told.effects)
        return [one for one in every if isinstance(one, Show | Play | LightSign)]

    @property
    def ends(self) -> list[tuple[int, Way, Outcome]]:
        """How the transactions ended, in order."""
        return [(one.number, one.way, one.outcome) for one in self.ended]

    @property
    def ended(self) -> list[TransactionEnded]:
        """The transactions that have ended, in order."""
        return [one for told in self.history for one in only(told.effects, TransactionEnded)]

    @property
    def recorded(self) -> list[Record]:
        """The whole log."""
        return [one for told in self.history for one in only(told.effects, Record)]

    @property
    def embedded(self) -> set[TrackId | None]:
        """The tracks that vision was ever permitted to embed."""
        every = (permit.permission for permit in self.permits)
        return {one.track for one in every if one.level is Level.EMBED}

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

    def shows_card(self, holder: Holder | None, reader: str = "outside", **facts: Any) -> Effects:
        """A card is read."""
        return self.hears(CredentialPresented, reader=reader, card=CARD, holder=holder, **facts)

    def shows_pass(
        self, holder: Holder | None, ticket: Ticket | None = PASS, **facts: Any
    ) -> Effects:
        """A QR pass is held before the camera."""
        return self.hears(
            CredentialPresented,
            reader="camera",
            card=None,
            holder=holder,
            medium=Medium.QR,
            ticket=ticket,
            **facts,
        )

    def leaves_by_card(self, holder: Holder | None) -> Effects:
        """A card is read inside."""
        return self.shows_card(holder, reader="inside", side=Side.INSIDE)

    def types(self) -> Effects:
        """A PIN is typed."""
        return self.hears(PinTyped, reader="keypad")

    def pin_is(self, verdict: PinVerdict, person: PersonId = RESIDENT) -> Effects:
        """The typed PIN was checked."""
        return self.hears(PinChecked, person=person, verdict=verdict)

    def types_pin(self, verdict: PinVerdict, person: PersonId = RESIDENT) -> Effects:
        """A PIN is typed, and checked at once; the effects of what came of it."""
        self.types()
        return self.pin_is(verdict, person)

    def pass_is_spent(self, ticket: Ticket, done: bool = True) -> Effects:
        """The use of a pass is counted, or could not be."""
        return self.hears(PassSpent, number=ticket.number, done=done)

    def opens(self) -> Effects:
        """The door opens."""
        return self.hears(ContactChanged, open=True)

    def closes(self) -> Effects:
        """The door closes."""
        return self.hears(ContactChanged, open=False)

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


def face_off(terminal: Terminal) -> FaceOff | None:
    """Why no face model may run, if so."""
    return machine.face_off(terminal.state, terminal.policy)


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
