"""Everything that can happen to a terminal, as frozen facts, each with its moment.

An event is what a device, another process, the clock or an operator *said*; what follows from it
is decided in the tables alone. Facts that a decision needs (whom a card belongs to, whether that
person's consent stands) are looked up by the bridge before the event is put in the inbox, so that
a step needs nothing but its arguments and a log of events replays to the same effects.

What changes with this file: the tables, the bridge that makes the events, the hypothesis walks.
"""

from __future__ import annotations

from dataclasses import dataclass

from terminal.core.values import (
    CardId,
    ConsentId,
    Hint,
    Holder,
    Moment,
    PersonId,
    Pose,
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
    """The door process is up; this is how the door and its ways in stand."""

    door_open: bool
    readers: tuple[str, ...]


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
    """A card was read. `holder` is None when it belongs to nobody, or could not be read as one.

    `is_checked` is False when nobody could look up whose it is.
    """

    reader: str
    card: CardId | None
    holder: Holder | None
    is_checked: bool = True


@dataclass(frozen=True, slots=True)
class ButtonPressed(Event):
    """The kiosk button went down."""


@dataclass(frozen=True, slots=True)
class ButtonReleased(Event):
    """The kiosk button came up."""


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
    """Told by `machine` to its tables: vision is permitted nothing, whatever the cause."""


@dataclass(frozen=True, slots=True)
class EnrolmentEnded(Event):
    """Told by `enrolment` to `access`: whoever was registered, or said no, still stands there."""


@dataclass(frozen=True, slots=True)
class StrikeAsked(Event):
    """Told by `access` to `door`: this person may come in. What the strike does, `door` knows."""

    way: Way
    person: PersonId
    reader: str | None = None


@dataclass(frozen=True, slots=True)
class DoorCycleEnded(Event):
    """Told by `door` to `access`: the door that was released is closed and secure again."""
