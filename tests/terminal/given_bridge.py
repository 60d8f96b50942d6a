"""What the tests of the bridge are given: a door on bench twins, and a vision with made-up models.

`Door` is the real loop, interpreter, performer, desk, store and log around a bench board; only its
time is ours: where the loop would sleep, the clock is moved instead, so that whatever is due comes
at its very moment and no test waits. `MadeUpFaces` stands for the models: it finds what it is told
to find, takes as long as it is told to, and notes when each model began.

What changes with this file: every test of the bridge.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from hw.bench import BenchBoard, BenchSupervisor
from hw.bench_clock import FakeClock
from hw.ports import FrameSize, Input, ReadKind
from hw.wiring import LineName, Wiring
from models.errorcurve import ErrorCurve, ErrorPoint
from models.faces import FacePipeline
from models.landmarks import Landmarks
from terminal import link
from terminal.arrivals import (
    Arrival,
    CardRead,
    CodeSeen,
    Inbox,
    ReaderWorks,
    VisionConnected,
    VisionSaid,
)
from terminal.audit import Audit, Entry
from terminal.changes import Changes
from terminal.clock import SystemClock
from terminal.config import parse_config
from terminal.core import machine
from terminal.core.events import Started
from terminal.core.machine import State
from terminal.core.policy import Policy, WeakCards
from terminal.core.values import (
    NOTHING_ALLOWED,
    CardId,
    ConsentId,
    ConsentState,
    Level,
    Moment,
    Permission,
    PersonId,
    Pose,
    TrackId,
    View,
)
from terminal.credential import Credentials
from terminal.desk import Desk
from terminal.errors import LinkBroken
from terminal.importer import Importer
from terminal.interpret import Interpreter
from terminal.issuing import Issuing
from terminal.link import FromVision, Lease, Link, Vector
from terminal.loop import Loop
from terminal.memory import LockedBuffer
from terminal.metrics import Metrics
from terminal.notice import read_notice
from terminal.perform import Parts, Performer
from terminal.pinpad import PinPad
from terminal.recognition import Recognition
from terminal.requests import Answer, AnyRequest, Asked, Line
from terminal.sealing import KEY_BYTES, Keys
from terminal.selftest import self_test
from terminal.shelf import Shelf
from terminal.status import Site, report
from terminal.store import Store
from terminal.vision import Vision, VisionSettings
from terminal.zone import ZoneSettings

WIDTH = 128
MODEL = "a" * 64
BEGIN = datetime(2030, 6, 1, 12, 0, tzinfo=UTC)

RESIDENT, NEIGHBOUR = PersonId("bcdfghjkmnpq"), PersonId("zxwvtsrqpnmk")
NAME = "Resident of flat 12"
CARD, UNKNOWN_CARD = b"04A1B2C3D4", b"0499887766"
READERS = ("door", "low")

QUICK = Policy(
    dwell_s=0.5,
    release_s=5.0,
    decline_hold_s=1.0,
    decline_clear_s=1.0,
    weak_cards=WeakCards.OPEN,
)

GROUP, SUFFIX = "Main gate", b"9"
SITE = """
[site]
name = "Bench"
place = "lobby"
[credentials]
weak_cards = "open"
[readers.door]
kind = "bench"
[readers.low]
kind = "bench"
[board]
kind = "bench"
"""

M = TypeVar("M", bound=link.Message)

NO_NUMBERS: Vector = np.empty(0, np.float32)


def some_keys(byte: int = 1) -> Keys:
    """The keys of one made-up device."""
    root = LockedBuffer(KEY_BYTES)
    root.view[:] = bytes([byte]) * KEY_BYTES
    return Keys(root)


def curve() -> ErrorCurve:
    """Thresholds 0.4 to 0.8, measured down to an FMR of 1e-7."""
    rates = ((0.4, 1e-7), (0.5, 1e-5), (0.6, 1e-4), (0.7, 1e-3), (0.8, 1e-2))
    points = tuple(
        ErrorPoint(threshold, fmr, fmr, fnmr=0.01, fnmr_fused=0.01, false_matches=10)
        for threshold, fmr in rates
    )
    return ErrorCurve(points, nonmated=10**8, mated=10**4, persons=100, provenance="made up")


def probe_of(seed: int, noise: float = 0.02) -> Vector:
    """A unit vector of made-up person `seed`; one person's lie near each other."""
    rng = np.random.default_rng(seed)
    vector = rng.normal(size=WIDTH)
    vector /= np.linalg.norm(vector)
    vector += noise * np.random.default_rng().normal(size=WIDTH) / np.sqrt(WIDTH)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def references_of(seed: int, count: int = 5) -> npt.NDArray[np.float32]:
    """Several of them, one row each."""
    return np.stack([probe_of(seed) for _ in range(count)])


# The door


class OurTime(Inbox):
    """An inbox at which waiting moves the clock instead, though never past `until_s`."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock
        self.until_s = clock()

    def get(self, timeout_s: float) -> Arrival | None:
        arrival = super().get(0.0)
        if arrival is None:
            self._clock.advance(max(0.0, min(timeout_s, self.until_s - self._clock())))
        return arrival


@dataclass
class NotedLeases:
    """Everything that vision was permitted, and until when (mono s)."""

    given: list[tuple[Permission, float]] = field(default_factory=list)
    pass_on: Callable[[Permission, float], None] | None = None
    resumed: int = 0

    def permit(self, permission: Permission, until_mono_s: float) -> None:
        self.given.append((permission, until_mono_s))
        if self.pass_on is not None:
            self.pass_on(permission, until_mono_s)

    def resume(self) -> None:
        """Nothing is ever suspended here (`test_reflex` is about that); it is only counted."""
        self.resumed += 1

    @property
    def last(self) -> Permission:
        return self.given[-1][0] if self.given else NOTHING_ALLOWED


class Door:
    """The door process without its sockets, on a bench board, in one thread and in our time."""

    def __init__(
        self,
        folder: Path,
        policy: Policy = QUICK,
        audit: Audit | None = None,
        store: Store | None = None,
        width: int = WIDTH,
        model_sha256: str = MODEL,
        error_curve: ErrorCurve | None = None,
        begin: datetime = BEGIN,
    ) -> None:
        self.policy, self.folder, self.begin = policy, folder, begin
        self.time = FakeClock()
        self.board = BenchBoard(self.time, self.time.call_later)
        self.keys = some_keys()
        self.audit = audit or Audit.open(folder)
        self.store = store or Store.open(folder, self.keys)
        self.recognition = Recognition(width, model_sha256, error_curve or curve(), policy)
        self.recognition.reload(self.store)
        self.leases, self.metrics, self.pinpad = NotedLeases(), Metrics(), PinPad()
        self.inbox = OurTime(self.time)
        self.supervisor = BenchSupervisor(self.time)
        self.complaints: list[str] = []
        self.parts = self._make_parts()
        self.changes = self._make_changes()
        self.desk = self._make_desk()
        self.performer = Performer(self.parts, self.desk)
        self.loop = self._make_loop()

    def close(self) -> None:
        self.board.close()
        self.pinpad.close()
        self.recognition.close()
        self.store.close()
        self.audit.close()
        self.keys.close()

    # What happens

    def start(self, *, vision: bool = True) -> None:
        """Switch it on: two readers, the door closed and, if wanted, a vision that is ready."""
        levels = self.board.start(self.inbox.put)
        self.loop.begin(lambda at: self.started(at, levels), self.changes.free_passage)
        for reader in READERS:
            self.arrives(ReaderWorks(reader, working=True))
        if vision:
            self.vision_comes()

    def vision_comes(self) -> None:
        """Vision connects, greets, and its camera works."""
        self.arrives(VisionConnected(True))
        self.vision_says(link.Hello(self.recognition.model_sha256, self.recognition.width))
        self.vision_says(alive())

    def arrives(self, arrival: Arrival) -> None:
        """Put it into the inbox and let the loop come to rest."""
        self.inbox.put(arrival)
        self.settles()

    def settles(self) -> None:
        """Let the loop take everything that has arrived; no time passes."""
        self.inbox.until_s = self.time()
        while not self.inbox.is_empty:
            assert self.loop.turn()

    def waits(self, seconds: float) -> None:
        """Let time pass; everything that becomes due comes at its moment."""
        end_s = self.inbox.until_s = self.time() + seconds
        while self.time() < end_s or not self.inbox.is_empty:
            assert self.loop.turn()

    def vision_says(self, message: FromVision, numbers: Vector = NO_NUMBERS) -> None:
        self.arrives(VisionSaid(message, numbers))

    def taps(
        self,
        card: bytes = CARD,
        reader: str = "door",
        kind: ReadKind = ReadKind.IDENTIFIER,
    ) -> None:
        self.arrives(CardRead(reader, card, kind))

    def types(self, digits: bytes, reader: str = "door") -> None:
        self.arrives(CardRead(reader, digits, ReadKind.TYPED))

    def shows(self, text: str) -> None:
        """Hold a pass before the camera."""
        self.arrives(CodeSeen(text.encode()))

    def presses(self, line: Input = Input.KIOSK_BUTTON, for_s: float = 0.2) -> None:
        """Press, hold for so long, and let go."""
        self.board.press(line, for_s)
        self.settles()
        self.waits(for_s)

    def sees_ready(self, track: int = 1) -> None:
        self.vision_says(link.Zone(View.READY, track, None))

    def scans(self, track: int = 1) -> None:
        """Somebody stands in the zone for as long as it takes to be permitted a scan."""
        self.sees_ready(track)
        self.waits(self.policy.dwell_s)
        assert self.leases.last == Permission(Level.EMBED, track=TrackId(track))

    def is_compared(self, numbers: Vector, track: int = 1) -> None:
        probe = link.Probe(track, 3, self.time() - 0.1)
        self.vision_says(probe, numbers)

    def goes_through(self) -> None:
        """Push the door, walk through, let it fall shut."""
        assert self.board.push_door()
        self.settles()
        self.waits(0.5)
        self.board.close_door()
        self.settles()

    def leaves(self) -> None:
        """Whoever was let in goes through, and nobody stands before the terminal any more."""
        self.goes_through()
        self.waits(max(self.policy.granted_show_s, self.policy.decline_hold_s) + 0.1)
        self.vision_says(link.Zone(View.EMPTY, None, None))

    def asks(self, request: AnyRequest, by: str = "operator") -> Asked:
        """An operator asks; the lines of the answer are in `lines_of`."""
        asked = Asked(request, by, Answer())
        self.arrives(asked)
        return asked

    # Who is there already

    def has_resident(
        self,
        person: PersonId = RESIDENT,
        name: str = NAME,
        card: bytes | None = CARD,
        face: int | None = 1,
    ) -> None:
        """Somebody is registered, with a card and with the face of made-up person `face`."""
        now = self.parts.clock.now()
        self.store.register_person(person, name, now)
        if card is not None:
            self.store.bind_card(person, self.card_id(card), now)
        if face is not None:
            self._enrol(person, face)

    def card_id(self, card: bytes) -> CardId:
        return self.keys.card_id(card)

    def _enrol(self, person: PersonId, face: int) -> None:
        consent = ConsentId(f"c-{person}")
        self.store.put_consent(
            person,
            consent,
            ConsentState.GIVEN,
            self.parts.clock.now(),
            notice_sha256=self.parts.notice.sha256,
            how="button held at the device",
        )
        references = np.zeros((5, self.recognition.width), np.float32)
        references[:, : min(WIDTH, self.recognition.width)] = references_of(face)
        self.store.put_templates(person, consent, self.recognition.model_sha256, references)
        self.recognition.reload(self.store)

    # What can be seen

    @property
    def state(self) -> State:
        return self.loop.state

    @property
    def permission(self) -> Permission:
        return machine.permission(self.state, self.policy)

    @property
    def records(self) -> list[Entry]:
        return self.audit.tail(100_000)

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.records]

    def strikes(self) -> list[tuple[float, bool]]:
        """When the strike's line changed, and to what."""
        return [(one.mono_s, one.active) for one in self.board.log if one.line is LineName.STRIKE]

    def strike_is_released(self) -> bool:
        return self.board.levels[LineName.STRIKE]

    def sign_is_lit(self) -> bool:
        return self.board.levels[LineName.SIGN]

    # How it is made

    def started(self, at: Moment, levels: Mapping[Input, bool]) -> Started:
        """How the door stands, as the process finds it."""
        return Started(
            at,
            door_open=levels.get(Input.DOOR_CONTACT, False),
            readers=(),
            locked_down=self.store.settings.lockdown().is_on,
            tampered=levels.get(Input.TAMPER, False),
            fire=levels.get(Input.FIRE, False),
            interlocked=levels.get(Input.INTERLOCK, False),
        )

    def _make_parts(self) -> Parts:
        wall = lambda: self.begin + timedelta(seconds=self.time())  # noqa: E731
        return Parts(
            board=self.board,
            audit=self.audit,
            store=self.store,
            recognition=self.recognition,
            leases=self.leases,
            clock=SystemClock(self.audit.newest_utc(), mono=self.time, wall=wall),
            metrics=self.metrics,
            notice=read_notice(),
            pinpad=self.pinpad,
            duress_suffix=SUFFIX,
        )

    def _make_changes(self) -> Changes:
        exits = self.policy.has_exit_reader
        self.issuing = Issuing(self.store, self.keys, "Bench", GROUP)
        self.importer = Importer(self.store, self.keys, exits)
        return Changes(self.store, self.issuing, self.importer, SUFFIX, exits)

    def _make_desk(self) -> Desk:
        return Desk(
            store=self.store,
            audit=self.audit,
            policy=self.policy,
            notice=self.parts.notice,
            changes=self.changes,
            shelf=Shelf(
                config=parse_config(SITE, Path("bench.toml")),
                policy=self.policy,
                store=self.store,
                issuing=self.issuing,
                importer=self.importer,
                metrics=self.metrics,
                lines=lambda: self.board.levels,
            ),
            report=self._report,
            self_test=lambda state: self_test(
                state, self.policy, self.parts, Wiring(), lambda: None
            ),
            version={"terminal": "0", "embedder": MODEL[:12]},
        )

    def _report(self, state: State) -> Line:
        site = Site("Bench", "lobby", "bench", "bench", key_level=0)
        unerased, trouble = self.performer.unerased, self.desk.trouble
        return report(state, self.policy, self.parts, site, unerased, trouble)

    def _make_loop(self) -> Loop:
        said = self.complaints.append
        self.credentials = Credentials(self.store, self.keys, GROUP, self.policy.not_ways, said)
        interpreter = Interpreter(
            self.store, self.credentials, self.pinpad, self.recognition, self.metrics, said
        )
        return Loop(
            policy=self.policy,
            clock=self.parts.clock,
            inbox=self.inbox,
            interpreter=interpreter,
            desk=self.desk,
            performer=self.performer,
            supervisor=self.supervisor,
            metrics=self.metrics,
        )


@contextmanager
def door(folder: Path, policy: Policy = QUICK, audit: Audit | None = None) -> Iterator[Door]:
    """A door that is closed at the end."""
    opened = Door(folder, policy, audit)
    try:
        yield opened
    finally:
        opened.close()


def alive(camera_working: bool = True) -> link.Alive:
    return link.Alive(1, 1, 0, 0, camera_working)


def only(said: Sequence[tuple[link.Any, Vector]], kind: type[M]) -> list[M]:
    """The messages of this kind, in order."""
    return [message for message, _ in said if isinstance(message, kind)]


def lines_of(asked: Asked) -> list[Line]:
    """Every line of an answer so far."""
    lines = []
    while not asked.answer.lines.empty():
        lines.append(asked.answer.lines.get_nowait())
    return lines


def answer_of(asked: Asked) -> Line:
    """The last line; the answer must be over."""
    last = lines_of(asked)[-1]
    assert "ok" in last, f"the answer goes on: {last}"
    return last


# Vision


@dataclass(frozen=True)
class MadeUpFace:
    """A detection as the zone needs it: a box (px), looking straight ahead unless turned."""

    box: tuple[float, float, float, float]
    turn: float = 0.0
    """How far the nose is from between the eyes, in eye distances."""

    @property
    def keypoints(self) -> npt.NDArray[np.float32]:
        x, y, width, height = self.box
        right, left = x + 0.3 * width, x + 0.7 * width
        eyes_y = y + 0.4 * height
        nose_x = (right + left) / 2 + self.turn * (left - right)
        points = np.zeros((6, 2), np.float32)
        points[:3] = (right, eyes_y), (left, eyes_y), (nose_x, y + 0.6 * height)
        return points


ZONE = ZoneSettings(((0.1, 0.0), (0.9, 0.0), (0.9, 1.0), (0.1, 1.0)), 30.0, 120.0, 160, 120)
"""A zone in small frames of 160 x 120 px."""

STANDING = MadeUpFace((60.0, 40.0, 40.0, 40.0))


def straight_points() -> npt.NDArray[np.float32]:
    """Landmarks of a head that looks straight at the camera, as far as `pose_deg` goes."""
    points = np.zeros((468, 3), np.float32)
    for row in (263, 362, 291, 454, 280, 334):  # the person's left side: the frame's right
        points[row] = (100.0, 50.0, 0.0)
    for row in (33, 133, 61, 234, 50, 105):
        points[row] = (60.0, 50.0, 0.0)
    points[10], points[152] = (80.0, 20.0, 0.0), (80.0, 90.0, 0.0)
    return points


def turned_points(yaw_deg: float) -> npt.NDArray[np.float32]:
    """The same head, turned: positive to the frame's right."""
    points = straight_points()
    width = 40.0
    for row in (263, 362, 291, 454, 280, 334):
        across = width * np.cos(np.radians(yaw_deg)), width * np.sin(np.radians(yaw_deg))
        points[row] = (60.0 + across[0], 50.0, across[1])
    return points


Hook = Callable[[], None]


class MadeUpFaces:
    """The models' place. Each call notes when it began, takes its time, then calls its hook."""

    def __init__(self, time: FakeClock, seed: int = 1) -> None:
        self.time, self.width, self.model_sha256 = time, WIDTH, MODEL
        self.faces: Sequence[MadeUpFace] = (STANDING,)
        self.points = straight_points()
        self.sharp = True
        self.seed = seed
        self.takes_s = {"detect": 0.004, "locate": 0.003, "embed": 0.015}
        self.calls: list[tuple[float, str]] = []
        self.after: dict[str, Hook] = {}
        self.handed_out: list[npt.NDArray[np.float32]] = []
        self.landmarks: list[Landmarks] = []
        self.chips: list[npt.NDArray[np.uint8]] = []
        self.wipes = 0

    @property
    def embedder(self) -> MadeUpFaces:
        return self

    def detect(self, rgb: npt.NDArray[np.uint8], far: bool = False) -> list[MadeUpFace]:
        assert rgb.any(), "the detector was given an overwritten frame"
        self._called("detect")
        return list(self.faces)

    def locate(self, rgb: npt.NDArray[np.uint8], detection: MadeUpFace) -> Landmarks | None:
        self._called("locate")
        self.landmarks.append(Landmarks(self.points.copy(), 1.0))
        return self.landmarks[-1]

    def chip(self, rgb: npt.NDArray[np.uint8], points: object) -> npt.NDArray[np.uint8]:
        chip = np.empty((150, 150, 3), np.uint8)
        chip[:] = np.linspace(60, 200, 150).astype(np.uint8)[:, None, None]
        if self.sharp:
            chip[::2] = 180
        self.chips.append(chip)
        if "chip" in self.after:
            self.after["chip"]()
        return chip

    def embed(self, rgb: npt.NDArray[np.uint8], points: object) -> Vector:
        self._called("embed")
        self.handed_out.append(probe_of(self.seed))
        return self.handed_out[-1]

    def wipe(self) -> None:
        self.wipes += 1

    def count(self, model: str) -> int:
        return sum(1 for _, name in self.calls if name == model)

    def _called(self, model: str) -> None:
        self.calls.append((self.time(), model))
        self.time.advance(self.takes_s[model])
        if model in self.after:
            self.after[model]()


class MadeUpCamera:
    """A camera whose frames differ from one to the next; it keeps the buffer it was last given."""

    def __init__(self, time: FakeClock, rate_hz: float = 30.0) -> None:
        self.time, self._period_s = time, 1.0 / rate_hz
        self.size = FrameSize(160, 120)
        self.moves = True
        self.into: npt.NDArray[np.uint8] | None = None
        self.failure: Exception | None = None
        self.opened = self.closed = 0
        self._bright = 0

    def open(self) -> None:
        if self.failure is not None:
            raise self.failure
        self.opened += 1

    def read(self, into: npt.NDArray[np.uint8]) -> float:
        self.time.advance(self._period_s)
        if self.failure is not None:
            raise self.failure
        self._bright = 20 + (self._bright + 40) % 200 if self.moves else 100
        into.fill(self._bright)
        self.into = into
        return self.time()

    def close(self) -> None:
        self.closed += 1


class MadeUpCodes:
    """The code reader's place: finds a code when it is told to, in as much time as it is told."""

    def __init__(self, time: FakeClock) -> None:
        self.time = time
        self.holds_code = False
        self.takes_s = 0.0
        self.finds = False
        self.offered: list[tuple[float, bool]] = []
        self.first: list[float] = []
        self.meanwhile: Hook | None = None

    def offer(self, rgb: npt.NDArray[np.uint8], at_s: float, often: bool) -> None:
        assert rgb.any(), "the code reader was given an overwritten frame"
        self.offered.append((at_s, often))

    def look_first(
        self,
        rgb: npt.NDArray[np.uint8],
        at_s: float,
        may_wait: Callable[[], bool],
        also: object,
    ) -> None:
        self.first.append(self.time())
        if self.meanwhile is not None:
            self.meanwhile()
        if may_wait():
            self.time.advance(self.takes_s)
            self.holds_code = self.finds

    def close(self) -> None:
        """Nothing is held."""


class Bench:
    """A vision on made-up models, and the door's end of its link."""

    def __init__(self, time: FakeClock | None = None, frames: int = 3) -> None:
        self.time = time or FakeClock()
        self.camera, self.faces = MadeUpCamera(self.time), MadeUpFaces(self.time)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.door, self.codes = Link(ours), MadeUpCodes(self.time)
        self.supervisor = BenchSupervisor(self.time)
        self.vision = Vision(
            camera=self.camera,
            pipeline=cast("FacePipeline", self.faces),
            link=Link(theirs),
            codes=self.codes,
            clock=self.time,
            supervisor=self.supervisor,
            settings=VisionSettings(ZONE, frames),
        )

    def close(self) -> None:
        self.vision.close()
        self.door.close()

    def permits(
        self,
        level: Level,
        track: int | None = None,
        pose: Pose | None = None,
        lease_s: float = 0.5,
    ) -> None:
        """Give vision a lease, as the door does."""
        self.door.send(Lease(level, track, pose, self.time() + lease_s))

    def turns(self, frames: int = 1) -> None:
        for _ in range(frames):
            self.vision.turn()

    def stands_there(self) -> int:
        """With DETECT, turn until somebody stands ready in the zone; the track."""
        while True:
            self.permits(Level.DETECT)
            self.turns()
            for message, _ in self.heard():
                if isinstance(message, link.Zone) and message.view is View.READY:
                    assert message.track is not None
                    return message.track

    def heard(self) -> list[tuple[link.Any, Vector]]:
        """What vision has said since last asked, with a copy of the numbers."""
        said = []
        while (one := self.door.receive(0.0)) is not None:
            said.append((one[0], one[1].copy()))
        return said

    def messages(self, kind: type[M]) -> list[M]:
        return only(self.heard(), kind)

    @property
    def frame(self) -> npt.NDArray[np.uint8]:
        """The one buffer that frames are read into."""
        assert self.camera.into is not None
        return self.camera.into


@contextmanager
def bench(frames: int = 3) -> Iterator[Bench]:
    """A vision that is closed at the end."""
    made = Bench(frames=frames)
    try:
        yield made
    finally:
        made.close()


class Terminal:
    """Door and vision in one thread and in one time, over a real socket pair.

    `looks` is one frame, and after it the door takes everything that was said.
    """

    def __init__(self, door: Door, vision: Vision, door_end: Link) -> None:
        self.door, self.vision, self._link = door, vision, door_end
        door.leases.pass_on = self._lease

    def _lease(self, permission: Permission, until_mono_s: float) -> None:
        lease = Lease(permission.level, permission.track, permission.pose, until_mono_s)
        self._link.send(lease)

    def looks(self, frames: int = 1) -> None:
        for _ in range(frames):
            self.vision.turn()
            self.door_takes()

    def door_takes(self) -> None:
        """Everything that vision has said, and whatever has become due meanwhile."""
        while (said := self._link.receive(0.0)) is not None:
            message, numbers = said
            if isinstance(message, Lease):
                raise LinkBroken("Vision sent a lease.")
            self.door.inbox.put(VisionSaid(message, numbers.copy()))
        self.door.inbox.until_s = self.door.time()
        assert self.door.loop.turn()
        self.door.settles()

    def looks_for(self, seconds: float) -> None:
        end_s = self.door.time() + seconds
        while self.door.time() < end_s:
            self.looks()
