"""Everything that can happen to a terminal, as frozen facts, each with its moment.

An event is what a device, another process, the clock or an operator *said*; what follows from it
is decided in the tables alone. Facts that a decision needs (whom a card belongs to, whether that
person's consent stands) are looked up by the bridge before the event is put in the inbox, so that
a step needs nothing but its arguments and a log of events replays to the same effects.

What changes with this file: the tables, the bridge that makes the events, the hypothesis walks.
"""

from __future__ import annotations

from dataclasses import dataclass

from terminal.core.effects import Kind
from terminal.core.values import (
    Alarm,
    CardId,
    ConsentId,
    Hint,
    Holder,
    Medium,
    Moment,
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
    Way,
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened at this moment."""

    at: Moment


@dataclass(frozen=True, slots=True)
class Started(Event):
    """The door process is up; this is how the door, its lines and its ways in stand."""

    door_open: bool
    readers: tuple[str, ...]
    locked_down: bool = False
    tampered: bool = False
    fire: bool = False
    interlocked: bool = False


@dataclass(frozen=True, slots=True)
class TimePassed(Event):
    """The moment for which `machine.next_deadline` asked has come."""


@dataclass(frozen=True, slots=True)
class VisionChanged(Event):
    """The vision process came or went."""

    alive: bool


@dataclass(frozen=True, slots=True)
class CameraChanged(Event):
    """The camera gives frames, or does not."""

    working: bool


@dataclass(frozen=True, slots=True)
class SignRead(Event):
    """The signage line as it reads back."""

    lit: bool


@dataclass(frozen=True, slots=True)
class ReaderChanged(Event):
    """A card reader came or went."""

    reader: str
    working: bool


@dataclass(frozen=True, slots=True)
class CodesChanged(Event):
    """The camera's codes are read, or are not."""

    working: bool


@dataclass(frozen=True, slots=True)
class EnrolledChanged(Event):
    """How many can be recognised; whether the error curve supports so many, and one more (D2)."""

    people: int
    supported: bool
    room: bool
    readable: bool = True


@dataclass(frozen=True, slots=True)
class ZoneSeen(Event):
    """The detector's view of the capture zone changed. `track` is given with READY."""

    view: View
    track: TrackId | None = None
    hint: Hint | None = None


@dataclass(frozen=True, slots=True)
class FaceCompared(Event):
    """The fused probe of a track was compared; `holder` is who lies within the threshold."""

    track: TrackId
    holder: Holder | None


@dataclass(frozen=True, slots=True)
class CredentialPresented(Event):
    """A card or a QR pass was read. `holder` is None when it belongs to nobody, or is none.

    `is_checked` is False when nobody could look up whose it is; `problem` says what was wrong with
    a code already before that. A weak card proves nothing but its number (D14). `side` is where the
    reader hangs: what is shown inside is for the way out.
    """

    reader: str
    card: CardId | None
    holder: Holder | None
    is_checked: bool = True
    medium: Medium = Medium.CARD
    is_weak: bool = False
    ticket: Ticket | None = None
    problem: Reason | None = None
    side: Side = Side.OUTSIDE


@dataclass(frozen=True, slots=True)
class PinTyped(Event):
    """Somebody typed a PIN; its digits wait in the bridge, for `CheckPin` or to be overwritten."""

    reader: str


@dataclass(frozen=True, slots=True)
class PinChecked(Event):
    """What came of the typed PIN."""

    person: PersonId
    verdict: PinVerdict


@dataclass(frozen=True, slots=True)
class PassSpent(Event):
    """One use of a pass is durably counted, or could not be."""

    number: PassId
    done: bool


@dataclass(frozen=True, slots=True)
class DeclineSaid(Event):
    """Somebody says *no face*, in whatever way."""


@dataclass(frozen=True, slots=True)
class ButtonPressed(DeclineSaid):
    """The kiosk button went down: no face; while consent is asked for, the beginning of a yes."""


@dataclass(frozen=True, slots=True)
class ButtonReleased(Event):
    """The kiosk button came up."""


@dataclass(frozen=True, slots=True)
class DeclineAsked(DeclineSaid):
    """Somebody says no otherwise than by the button: at a keypad, later at the screen."""

    source: str


@dataclass(frozen=True, slots=True)
class FaceAsked(Event):
    """Someone asked to be recognised (the face button; needed where the trigger is a button)."""


@dataclass(frozen=True, slots=True)
class PresenceChanged(Event):
    """An input that is no face model sees someone before the terminal, or no longer does (D9)."""

    present: bool


@dataclass(frozen=True, slots=True)
class ContactChanged(Event):
    """The door contact: open or closed."""

    open: bool


@dataclass(frozen=True, slots=True)
class RexPressed(Event):
    """Someone inside asked to leave."""


@dataclass(frozen=True, slots=True)
class TamperChanged(Event):
    """The terminal's case: opened or closed."""

    open: bool


@dataclass(frozen=True, slots=True)
class FireChanged(Event):
    """The fire panel's signal, which opens the door in hardware; here it is only watched (D15)."""

    active: bool


@dataclass(frozen=True, slots=True)
class InterlockChanged(Event):
    """The other door of a pair stands open or released; this one then stays closed."""

    active: bool


@dataclass(frozen=True, slots=True)
class ReleaseAsked(Event):
    """A guard lets somebody in, once, with a reason (R47)."""

    by: str
    why: str


@dataclass(frozen=True, slots=True)
class LockdownAsked(Event):
    """Nobody is to come in but those who may in a lockdown."""

    by: str
    why: str


@dataclass(frozen=True, slots=True)
class LockdownLifted(Event):
    """The lockdown is over."""

    by: str
    why: str


@dataclass(frozen=True, slots=True)
class AlarmsAcknowledged(Event):
    """Somebody has seen the alarms; what is over stands no longer."""

    by: str


@dataclass(frozen=True, slots=True)
class FreePassageSet(Event):
    """When the door is open to everyone; with `first_person` only once somebody has come in."""

    schedule: Schedule | None
    first_person: bool = False


@dataclass(frozen=True, slots=True)
class ChangeAsked(Event):
    """An operator changes what is kept (a card, a pass, a group ...): recorded, then carried out.

    `number` is under which the bridge holds what is to be done; `facts` are for the record.
    """

    kind: Kind
    by: str
    number: int
    person: PersonId | None = None
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ParityJudged(Event):
    """Whether the other ways in are, as measured, less convenient than the face (D12)."""

    broken: bool


@dataclass(frozen=True, slots=True)
class HoldAsked(Event):
    """An operator wants the door released for a while, with a reason (D15)."""

    lasts_s: float
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class HoldCancelled(Event):
    """An operator ends the held release."""

    by: str


@dataclass(frozen=True, slots=True)
class EnrolAsked(Event):
    """An operator prepares an enrolment: with a card, with face recognition, or with both.

    The identifiers are random and new; the operator can prepare a consent, never give it.
    """

    person: PersonId
    consent: ConsentId
    by: str
    with_card: bool
    with_face: bool
    known: bool = False


@dataclass(frozen=True, slots=True)
class EnrolCancelled(Event):
    """The operator ends the enrolment under way."""

    by: str


@dataclass(frozen=True, slots=True)
class ReferenceTaken(Event):
    """Vision took a good reference in this pose and the bridge holds it."""

    pose: Pose


@dataclass(frozen=True, slots=True)
class CaptureHindered(Event):
    """Vision has no good frame yet, for a probe or a reference; this would help."""

    hint: Hint


@dataclass(frozen=True, slots=True)
class DuplicateChecked(Event):
    """Whether the captured face is already enrolled as someone else."""

    found: bool


@dataclass(frozen=True, slots=True)
class EraseAsked(Event):
    """An operator passes on a person's wish to have the face erased, or everything."""

    person: PersonId
    by: str
    everything: bool


@dataclass(frozen=True, slots=True)
class FaceWentOff(Event):
    """Told by `machine` to its tables: vision is permitted nothing, whatever the cause.

    `for_the_sign` is whether nothing but the sign is missing, which is to be lit and read back.
    """

    for_the_sign: bool = False


@dataclass(frozen=True, slots=True)
class EnrolmentEnded(Event):
    """Told by `enrolment` to `access`: whoever was registered, or said no, still stands there."""


@dataclass(frozen=True, slots=True)
class StrikeAsked(Event):
    """Told by `access` to `door`: this person may come in. What the strike does, `door` knows."""

    way: Way
    person: PersonId
    reader: str | None = None
    side: Side = Side.OUTSIDE
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DoorBarred(Event):
    """Told by `door` to `access`: whether a lockdown or the other door keeps people out now."""

    lockdown: bool
    interlock: bool


@dataclass(frozen=True, slots=True)
class AlarmRaised(Event):
    """Told by any table to `machine`: somebody has to know of this."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class AlarmEnded(Event):
    """Told by any table to `machine`: this is over by itself."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class DoorCycleEnded(Event):
    """Told by `door` to `access`: the door that was released is closed and secure again."""
