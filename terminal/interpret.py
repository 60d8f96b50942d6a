"""Turns what arrived into events: looks up, compares, and leaves every decision to the core.

A card's bytes become the keyed hash of a card and its holder; a probe becomes the person it lies
within the threshold of, or nobody. Bytes and numbers end here: no event has a field for them, and
numbers are overwritten before this returns. What vision was not permitted to take, or is no
longer, is neither compared nor kept: a probe that was on its way when somebody declined, a
reference of an enrolment that has ended (D10, R01).

What changes with this file: `terminal.arrivals`, `terminal.core.events`.
"""

from __future__ import annotations

from collections.abc import Callable

from hw.ports import Input, InputChange
from terminal import link
from terminal.arrivals import Arrival, CardRead, ReaderWorks, VisionConnected, VisionSaid
from terminal.core.events import (
    ButtonPressed,
    ButtonReleased,
    CameraChanged,
    CaptureHindered,
    ContactChanged,
    CredentialPresented,
    Event,
    FaceAsked,
    FaceCompared,
    PresenceChanged,
    ReaderChanged,
    ReferenceTaken,
    RexPressed,
    VisionChanged,
    ZoneSeen,
)
from terminal.core.values import Hint, Holder, Level, Moment, Permission, TrackId
from terminal.errors import StoreFailed
from terminal.link import Vector
from terminal.metrics import Metrics
from terminal.reading import ReadingRefused, read_card
from terminal.recognition import Recognition
from terminal.sealing import Keys
from terminal.store import Store

Events = tuple[Event, ...]

CAMERA_CHANGES_S = 1.0
"""A camera comes or goes at most so often as far as the log is concerned."""


class Interpreter:
    """From arrivals to events; one thread, the loop's. `complain` gets what is wrong, in words."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        recognition: Recognition,
        metrics: Metrics,
        complain: Callable[[str], None],
    ) -> None:
        self._store, self._keys, self._recognition = store, keys, recognition
        self._metrics, self._complain = metrics, complain
        self._camera: bool | None = None
        self._camera_s = -CAMERA_CHANGES_S
        self._greeted = False

    def events(self, arrival: Arrival, at: Moment) -> Events:
        """The events of one arrival, at this moment. Raises StoreFailed for a face's look-up."""
        match arrival:
            case CardRead():
                self._metrics.card_since(at.mono_s)
                return (self._presented(arrival, at),)
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

    def _presented(self, read: CardRead, at: Moment) -> Event:
        try:
            card = read_card(read.raw, self._keys)
        except ReadingRefused as refused:
            self._complain(str(refused))
            return CredentialPresented(at, read.reader, None, None)
        try:
            known = self._store.holder_of_card(card)
            holder = None if known is None else known.holder
            return CredentialPresented(at, read.reader, card, holder)
        except StoreFailed as error:
            self._complain(str(error))
            return CredentialPresented(at, read.reader, None, None, is_checked=False)

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
        track = TrackId(probe.track)
        if self._recognition.allowed != Permission(Level.EMBED, track=track):
            return ()
        self._metrics.face_since(probe.first_frame_mono_s)
        return (FaceCompared(at, track, self._identified(numbers)),)

    def _identified(self, numbers: Vector) -> Holder | None:
        if numbers.size != self._recognition.width:
            return None
        person = self._recognition.identify(numbers)
        return None if person is None else self._store.holder(person)

    def _captured(self, reference: link.Reference, numbers: Vector, at: Moment) -> Events:
        if self._recognition.allowed != Permission(Level.ENROL, pose=reference.pose):
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
