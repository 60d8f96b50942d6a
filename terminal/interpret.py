"""Turns what arrived into events: looks up, compares, and leaves every decision to the core.

What was read becomes a credential (`credential`), typed digits go to the pin pad; a probe becomes
the person it lies within the threshold of, or nobody. Bytes and numbers end here: no event has a
field for them, and numbers are overwritten before this returns. What vision was not permitted to
take, or is no longer, is neither compared nor kept: a probe that was on its way when somebody
declined, a reference of an enrolment that has ended (D10, R01).

What changes with this file: `terminal.arrivals`, `terminal.core.events`.
"""

from __future__ import annotations

from collections.abc import Callable

from hw.ports import Input, InputChange, ReadKind
from terminal import link
from terminal.arrivals import (
    Arrival,
    CardRead,
    CodeRefusedSeen,
    CodeSeen,
    CodesWorking,
    ReaderWorks,
    VisionConnected,
    VisionSaid,
)
from terminal.core.events import (
    ButtonPressed,
    ButtonReleased,
    CameraChanged,
    CaptureHindered,
    CodesChanged,
    ContactChanged,
    DeclineAsked,
    Event,
    FaceAsked,
    FaceCompared,
    FireChanged,
    InterlockChanged,
    PinTyped,
    PresenceChanged,
    ReaderChanged,
    ReferenceTaken,
    RexPressed,
    TamperChanged,
    VisionChanged,
    ZoneSeen,
)
from terminal.core.values import Hint, Holder, Level, Moment, PersonId, TrackId
from terminal.credential import CAMERA, Credentials
from terminal.link import Vector
from terminal.metrics import Metrics
from terminal.pinpad import PinPad
from terminal.recognition import Recognition
from terminal.store import Store

Events = tuple[Event, ...]

DECLINE_KEYS = b"0"
"""What says *no face* when it is typed at a keypad; no PIN is so short."""

CAMERA_CHANGES_S = 1.0
"""A camera comes or goes at most so often as far as the log is concerned."""


class Interpreter:
    """From arrivals to events; one thread, the loop's. `complain` gets what is wrong, in words."""

    def __init__(
        self,
        store: Store,
        credentials: Credentials,
        pinpad: PinPad,
        recognition: Recognition,
        metrics: Metrics,
        complain: Callable[[str], None],
    ) -> None:
        self._store, self._recognition = store, recognition
        self._credentials, self._pinpad = credentials, pinpad
        self._metrics, self._complain = metrics, complain
        self._camera: bool | None = None
        self._camera_s = -CAMERA_CHANGES_S
        self._greeted = False

    def events(self, arrival: Arrival, at: Moment) -> Events:
        """The events of one arrival, at this moment. Raises StoreFailed for a face's look-up."""
        match arrival:
            case CardRead():
                self._metrics.credential_since(
                    at.mono_s if arrival.mono_s is None else arrival.mono_s
                )
                return self._read(arrival, at)
            case CodeSeen():
                self._metrics.credential_since(at.mono_s)
                return (self._credentials.code(CAMERA, arrival.payload, at),)
            case CodeRefusedSeen():
                return (self._credentials.fault(arrival.why, at),)
            case CodesWorking():
                return (CodesChanged(at, arrival.working),)
            case ReaderWorks():
                return (ReaderChanged(at, arrival.reader, arrival.working),)
            case InputChange():
                return _of_input(arrival, at)
            case VisionConnected():
                self._camera, self._greeted = None, False
                self._camera_s = -CAMERA_CHANGES_S
                return () if arrival.connected else (VisionChanged(at, alive=False),)
            case VisionSaid():
                try:
                    return self._of_vision(arrival.message, arrival.numbers, at)
                finally:
                    arrival.numbers.fill(0)
            case _:
                return ()

    def _read(self, read: CardRead, at: Moment) -> Events:
        if read.kind is not ReadKind.TYPED:
            return (self._credentials.read(read.reader, read.raw, read.kind, at),)
        if read.raw == DECLINE_KEYS:
            return (DeclineAsked(at, read.reader),)
        if self._pinpad.take(read.raw):
            return (PinTyped(at, read.reader),)
        self._complain(f"What was typed at {read.reader} can be no PIN.")
        return ()

    # Vision

    def _of_vision(self, message: link.FromVision, numbers: Vector, at: Moment) -> Events:
        if isinstance(message, link.Hello):
            return self._greet(message, at)
        if not self._greeted:
            return ()
        match message:
            case link.Alive():
                return self._alive(message, at)
            case link.Zone():
                track = None if message.track is None else TrackId(message.track)
                return (ZoneSeen(at, message.view, track, message.hint),)
            case link.Present():
                return (PresenceChanged(at, message.present),)
            case link.Hindered():
                return (CaptureHindered(at, message.hint),)
            case link.Probe():
                return self._compared(message, numbers, at)
            case link.Reference():
                return self._captured(message, numbers, at)

    def _greet(self, hello: link.Hello, at: Moment) -> Events:
        """Vision may be heard once it has shown that it runs the model the references are of."""
        if hello.embedder_sha256 != self._recognition.model_sha256:
            self._complain("Vision runs another embedder than the door; install both anew.")
            return ()
        self._greeted = True
        return (VisionChanged(at, alive=True),)

    def _alive(self, message: link.Alive, at: Moment) -> Events:
        self._metrics.vision = message
        if message.camera_working == self._camera:
            return ()
        if at.mono_s - self._camera_s < CAMERA_CHANGES_S:
            return ()  # if it stays so, it is said again
        self._camera, self._camera_s = message.camera_working, at.mono_s
        return (CameraChanged(at, message.camera_working),)

    def _compared(self, probe: link.Probe, numbers: Vector, at: Moment) -> Events:
        track, allowed = TrackId(probe.track), self._recognition.allowed
        if allowed.level is not Level.EMBED or allowed.track != track:
            return ()
        self._metrics.face_since(probe.first_frame_mono_s)
        return (FaceCompared(at, track, self._compared_with(allowed.verify, numbers)),)

    def _compared_with(self, person: PersonId | None, numbers: Vector) -> Holder | None:
        """The holder whom the probe is of: of everyone, or whether it is `person`."""
        if numbers.size != self._recognition.width:
            return None
        if person is None:
            found = self._recognition.identify(numbers)
        else:
            found = person if self._recognition.verify(numbers, person) else None
        return None if found is None else self._store.holder(found)

    def _captured(self, reference: link.Reference, numbers: Vector, at: Moment) -> Events:
        allowed = self._recognition.allowed
        if allowed.level is not Level.ENROL or allowed.pose is not reference.pose:
            return ()
        if numbers.size == self._recognition.width and self._recognition.capture(numbers):
            return (ReferenceTaken(at, reference.pose),)
        return (CaptureHindered(at, Hint.HOLD_STILL),)


def _of_input(change: InputChange, at: Moment) -> Events:
    match change.line:
        case Input.KIOSK_BUTTON:
            return (ButtonPressed(at) if change.active else ButtonReleased(at),)
        case Input.FACE_BUTTON:
            return (FaceAsked(at),) if change.active else ()
        case Input.DOOR_CONTACT:
            return (ContactChanged(at, open=change.active),)
        case Input.REX:
            return (RexPressed(at),) if change.active else ()
        case Input.PRESENCE:
            return (PresenceChanged(at, present=change.active),)
        case Input.TAMPER:
            return (TamperChanged(at, open=change.active),)
        case Input.FIRE:
            return (FireChanged(at, active=change.active),)
        case Input.INTERLOCK:
            return (InterlockChanged(at, active=change.active),)
