"""What arrives becomes events; bytes, numbers and identity numbers end there."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hw.ports import Input, InputChange
from terminal import link
from terminal.arrivals import (
    CARDS_WAITING,
    VISION_WAITING,
    Arrival,
    CardRead,
    Inbox,
    ReaderWorks,
    StopAsked,
    VisionConnected,
    VisionSaid,
)
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
from terminal.core.values import (
    NOTHING_ALLOWED,
    ConsentState,
    Hint,
    Holder,
    Level,
    Moment,
    Permission,
    Pose,
    TrackId,
    View,
)
from terminal.interpret import CAMERA_CHANGES_S, Interpreter
from terminal.link import Vector
from tests.terminal.given_bridge import (
    BEGIN,
    CARD,
    MODEL,
    NO_NUMBERS,
    RESIDENT,
    UNKNOWN_CARD,
    WIDTH,
    Door,
    alive,
    door,
    probe_of,
)

AT = Moment(5.0, BEGIN, True)
GOOD_RESIDENT_NUMBER = b"11010519491231002X"
"""The example of GB 11643 itself."""


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Door]:
    with door(tmp_path) as made:
        made.has_resident(face=1)
        yield made


def new_interpreter(given: Door) -> Interpreter:
    said = given.complaints.append
    return Interpreter(
        given.store, given.credentials, given.pinpad, given.recognition, given.metrics, said
    )


@pytest.fixture
def interpreter(given: Door) -> Interpreter:
    made = new_interpreter(given)
    made.events(VisionConnected(True), AT)
    made.events(VisionSaid(link.Hello(MODEL, WIDTH), NO_NUMBERS), AT)
    return made


def of(interpreter: Interpreter, arrival: Arrival) -> tuple[Event, ...]:
    return interpreter.events(arrival, AT)


def said(
    interpreter: Interpreter,
    message: link.FromVision,
    numbers: Vector = NO_NUMBERS,
    at: Moment = AT,
) -> tuple[Event, ...]:
    return interpreter.events(VisionSaid(message, numbers), at)


# Lines and readers


@pytest.mark.parametrize(
    ("line", "active", "event"),
    [
        (Input.KIOSK_BUTTON, True, ButtonPressed(AT)),
        (Input.KIOSK_BUTTON, False, ButtonReleased(AT)),
        (Input.FACE_BUTTON, True, FaceAsked(AT)),
        (Input.FACE_BUTTON, False, None),
        (Input.DOOR_CONTACT, True, ContactChanged(AT, open=True)),
        (Input.DOOR_CONTACT, False, ContactChanged(AT, open=False)),
        (Input.REX, True, RexPressed(AT)),
        (Input.REX, False, None),
        (Input.PRESENCE, True, PresenceChanged(AT, present=True)),
        (Input.PRESENCE, False, PresenceChanged(AT, present=False)),
    ],
)
def test_a_line_says_what_it_says(
    interpreter: Interpreter, line: Input, active: bool, event: Event | None
) -> None:
    assert of(interpreter, InputChange(line, active, 1.0)) == ((event,) if event else ())


def test_a_reader_comes_and_goes(interpreter: Interpreter) -> None:
    for working in (True, False):
        expected = (ReaderChanged(AT, "door", working),)
        assert of(interpreter, ReaderWorks("door", working)) == expected


def test_a_stop_is_no_event(interpreter: Interpreter) -> None:
    assert of(interpreter, StopAsked()) == ()


# Cards


def test_a_known_card_comes_with_its_holder(given: Door, interpreter: Interpreter) -> None:
    holder = Holder(RESIDENT, consent=ConsentState.GIVEN)
    expected = CredentialPresented(AT, "door", given.card_id(CARD), holder, is_weak=True)
    assert of(interpreter, CardRead("door", CARD)) == (expected,)


def test_an_unknown_card_comes_without_one(given: Door, interpreter: Interpreter) -> None:
    expected = CredentialPresented(AT, "low", given.card_id(UNKNOWN_CARD), None, is_weak=True)
    assert of(interpreter, CardRead("low", UNKNOWN_CARD)) == (expected,)


@pytest.mark.parametrize(
    "raw", [b"", b"x", b"'; DROP TABLE card; --", b"\xff\xfe\x00abc", b"1" * 64]
)
def test_what_is_no_card_belongs_to_nobody_and_is_not_repeated(
    given: Door, interpreter: Interpreter, raw: bytes
) -> None:
    nobodys = CredentialPresented(AT, "door", None, None, is_weak=True)
    assert of(interpreter, CardRead("door", raw)) == (nobodys,)
    (complaint,) = given.complaints
    assert not raw or raw.decode(errors="replace") not in complaint


@pytest.mark.requirement("R45")
def test_a_resident_identity_number_is_refused_and_stands_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Typed at a reader: refused as any unknown card, in no log, record, database or complaint."""
    caplog.set_level(logging.DEBUG)
    with door(tmp_path) as made:
        made.has_resident()
        made.start()
        made.taps(GOOD_RESIDENT_NUMBER)
        assert made.strikes() == []
        assert made.records[-1].kind == "refused"
        said_to_people = [*made.complaints, caplog.text, repr(made.records), repr(made.state)]
        hashed = made.card_id(GOOD_RESIDENT_NUMBER).encode()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for trace in (GOOD_RESIDENT_NUMBER, GOOD_RESIDENT_NUMBER[:-1], hashed):
        assert trace not in kept
        assert not any(trace.decode() in words for words in said_to_people)
    assert any("resident identity number" in words for words in made.complaints)


@pytest.mark.requirement("R45")
def test_the_number_of_a_good_card_stands_nowhere_either(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with door(tmp_path) as made:
        made.has_resident()
        made.start()
        made.taps(CARD)
        made.taps(UNKNOWN_CARD, reader="low")
        words = [*made.complaints, caplog.text, repr(made.records), repr(made.state)]
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for card in (CARD, UNKNOWN_CARD):
        assert card not in kept
        assert not any(card.decode() in one for one in words)


# Vision


def test_vision_is_there_once_it_has_greeted(given: Door) -> None:
    fresh = new_interpreter(given)
    assert of(fresh, VisionConnected(True)) == ()
    assert said(fresh, link.Zone(View.READY, 1, None)) == (), "not before it has greeted"
    assert said(fresh, link.Hello(MODEL, WIDTH)) == (VisionChanged(AT, alive=True),)
    assert said(fresh, link.Zone(View.READY, 1, None)) != ()


@pytest.mark.requirement("R35", "A30")
def test_vision_with_another_embedder_is_not_heard(given: Door) -> None:
    fresh = new_interpreter(given)
    of(fresh, VisionConnected(True))
    assert said(fresh, link.Hello("b" * 64, WIDTH)) == ()
    given.recognition.allowed = Permission(Level.EMBED, track=TrackId(1))
    for message in (link.Zone(View.READY, 1, None), alive(), link.Present(present=True)):
        assert said(fresh, message) == ()
    assert said(fresh, link.Probe(1, 3, 1.0), probe_of(1)) == ()
    assert any("another embedder" in words for words in given.complaints)


def test_when_vision_is_gone_it_has_to_greet_again(interpreter: Interpreter) -> None:
    assert of(interpreter, VisionConnected(False)) == (VisionChanged(AT, alive=False),)
    assert of(interpreter, VisionConnected(True)) == ()
    assert said(interpreter, link.Zone(View.READY, 1, None)) == ()


def test_the_camera_is_told_when_it_changes(interpreter: Interpreter) -> None:
    assert said(interpreter, alive()) == (CameraChanged(AT, working=True),)
    assert said(interpreter, alive()) == ()
    later = replace(AT, mono_s=AT.mono_s + CAMERA_CHANGES_S)
    assert said(interpreter, alive(camera_working=False), at=later) == (
        CameraChanged(later, working=False),
    )


@pytest.mark.requirement("A21")
def test_a_camera_that_flaps_writes_one_record_a_second_at_most(interpreter: Interpreter) -> None:
    changes = [
        event
        for n in range(1000)
        for event in said(
            interpreter,
            alive(camera_working=bool(n % 2)),
            at=replace(AT, mono_s=AT.mono_s + n * 0.003),
        )
    ]
    assert 1 <= len(changes) <= 4


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (link.Zone(View.READY, 4, None), ZoneSeen(AT, View.READY, TrackId(4))),
        (link.Zone(View.PASSING, None, Hint.NEARER), ZoneSeen(AT, View.PASSING, None, Hint.NEARER)),
        (link.Present(present=False), PresenceChanged(AT, present=False)),
        (link.Hindered(Hint.MORE_LIGHT), CaptureHindered(AT, Hint.MORE_LIGHT)),
    ],
)
def test_what_vision_sees_becomes_an_event(
    interpreter: Interpreter, message: link.FromVision, event: Event
) -> None:
    assert said(interpreter, message) == (event,)


def allow_scan(given: Door, track: int = 1) -> None:
    given.recognition.allowed = Permission(Level.EMBED, track=TrackId(track))


def test_the_probe_of_the_resident_is_the_residents(given: Door, interpreter: Interpreter) -> None:
    allow_scan(given)
    holder = Holder(RESIDENT, consent=ConsentState.GIVEN)
    events = said(interpreter, link.Probe(1, 3, 1.0), probe_of(1))
    assert events == (FaceCompared(AT, TrackId(1), holder),)


@pytest.mark.requirement("R13")
def test_the_probe_of_a_stranger_is_nobodys(given: Door, interpreter: Interpreter) -> None:
    allow_scan(given)
    events = said(interpreter, link.Probe(1, 3, 1.0), probe_of(2))
    assert events == (FaceCompared(AT, TrackId(1), None),)


def test_a_probe_of_another_width_is_nobodys(given: Door, interpreter: Interpreter) -> None:
    allow_scan(given)
    narrow = np.eye(1, 64, dtype=np.float32)[0]
    events = said(interpreter, link.Probe(1, 3, 1.0), narrow)
    assert events == (FaceCompared(AT, TrackId(1), None),)


@pytest.mark.requirement("D10", "R13", "A26")
@pytest.mark.parametrize(
    "allowed",
    [
        NOTHING_ALLOWED,
        Permission(Level.DETECT),
        Permission(Level.EMBED, track=TrackId(2)),
        Permission(Level.ENROL, pose=Pose.STRAIGHT),
    ],
)
def test_a_probe_that_was_not_permitted_is_not_compared(
    given: Door, interpreter: Interpreter, allowed: Permission
) -> None:
    given.recognition.allowed = allowed
    numbers = probe_of(1)
    assert said(interpreter, link.Probe(1, 3, 1.0), numbers) == ()
    assert not numbers.any()


@pytest.mark.requirement("R01", "D10")
@pytest.mark.parametrize(
    "allowed",
    [
        NOTHING_ALLOWED,
        Permission(Level.DETECT),
        Permission(Level.EMBED, track=TrackId(1)),
        Permission(Level.ENROL, pose=Pose.LEFT),
    ],
)
def test_a_reference_that_was_not_permitted_is_not_kept(
    given: Door, interpreter: Interpreter, allowed: Permission
) -> None:
    given.recognition.allowed = allowed
    assert said(interpreter, link.Reference(Pose.STRAIGHT), probe_of(3)) == ()
    assert len(given.recognition.captured) == 0


def test_a_reference_that_is_wanted_is_kept(given: Door, interpreter: Interpreter) -> None:
    given.recognition.allowed = Permission(Level.ENROL, pose=Pose.STRAIGHT)
    events = said(interpreter, link.Reference(Pose.STRAIGHT), probe_of(3))
    assert events == (ReferenceTaken(AT, Pose.STRAIGHT),)
    assert len(given.recognition.captured) == 1


def test_a_reference_of_another_face_is_refused_with_a_hint(
    given: Door, interpreter: Interpreter
) -> None:
    given.recognition.allowed = Permission(Level.ENROL, pose=Pose.STRAIGHT)
    said(interpreter, link.Reference(Pose.STRAIGHT), probe_of(3))
    events = said(interpreter, link.Reference(Pose.STRAIGHT), probe_of(4))
    assert events == (CaptureHindered(AT, Hint.HOLD_STILL),)
    assert len(given.recognition.captured) == 1


@pytest.mark.requirement("R17", "R13")
@pytest.mark.parametrize(
    "message",
    [link.Probe(1, 3, 1.0), link.Reference(Pose.STRAIGHT), link.Present(present=True)],
    ids=lambda one: type(one).__name__,
)
def test_numbers_are_overwritten_after_use(
    given: Door, interpreter: Interpreter, message: link.FromVision
) -> None:
    allow_scan(given)
    numbers = probe_of(1)
    said(interpreter, message, numbers)
    assert not numbers.any()


# The inbox


def test_the_inbox_keeps_the_order() -> None:
    inbox = Inbox()
    arrivals = [ReaderWorks("door", working=bool(n % 2)) for n in range(10)]
    for arrival in arrivals:
        inbox.put(arrival)
    assert [inbox.get(0.0) for _ in range(10)] == arrivals
    assert inbox.get(0.0) is None


def test_a_line_is_heard_before_people_and_people_before_vision() -> None:
    inbox = Inbox()
    said = VisionSaid(link.Present(present=True), probe_of(1))
    card, edge = CardRead("door", CARD), InputChange(Input.KIOSK_BUTTON, True, 1.0)
    for arrival in (said, card, edge):
        inbox.put(arrival)
    assert [inbox.get(0.0) for _ in range(3)] == [edge, card, said]


def test_a_flood_of_one_reader_leaves_room_for_the_other_and_loses_no_line() -> None:
    inbox = Inbox()
    for _ in range(1000):
        inbox.put(CardRead("door", CARD))
    edges = [InputChange(Input.DOOR_CONTACT, bool(n % 2), float(n)) for n in range(50)]
    for edge in edges:
        inbox.put(edge)
    inbox.put(CardRead("low", CARD))
    heard = [inbox.get(0.0) for _ in range(50 + CARDS_WAITING + 1)]
    assert heard[:50] == edges
    assert heard[-1] == CardRead("low", CARD)
    assert inbox.is_empty
    assert inbox.dropped == 1000 - CARDS_WAITING


def test_a_stop_comes_first_and_is_never_dropped() -> None:
    inbox = Inbox()
    for _ in range(5):
        inbox.put(CardRead("door", CARD))
    inbox.put(StopAsked())
    assert inbox.get(0.0) == StopAsked()
    assert inbox.dropped == 1


def test_a_stop_may_come_while_the_inbox_is_locked() -> None:
    """It comes from a signal handler, on a thread that may be inside `put` or `get`."""
    inbox = Inbox()
    with inbox._news:
        inbox.put(StopAsked())
    assert inbox.get(0.0) == StopAsked()


@pytest.mark.requirement("R17")
def test_a_flood_of_vision_leaves_room_for_cards_and_is_overwritten() -> None:
    inbox, flood = Inbox(), [probe_of(1) for _ in range(1000)]
    for numbers in flood:
        inbox.put(VisionSaid(link.Probe(1, 3, 1.0), numbers))
    inbox.put(CardRead("door", CARD))
    assert inbox.get(0.0) == CardRead("door", CARD)
    waiting = sum(1 for _ in iter(lambda: inbox.get(0.0), None))
    assert waiting == VISION_WAITING
    assert inbox.dropped == 1000 - VISION_WAITING
    assert all(not numbers.any() for numbers in flood[VISION_WAITING:])
