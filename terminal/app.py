"""The composition root: makes the door process and the vision process out of their parts.

The only place that names concrete devices. It opens everything in the order in which it can fail,
closes it in reverse, and turns what goes wrong into one sentence and an exit status. It decides
nothing.

What changes with this file: `config`, `hw`, the units in systemd/.
"""

from __future__ import annotations

import logging
import os
import pwd
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hw.bench import BenchBoard, BenchReader
from hw.bench_camera import BenchCamera
from hw.bench_remote import BenchServer
from hw.camera import make_camera
from hw.errors import DeviceError
from hw.gpio import GpiozeroBoard
from hw.ports import Board, Camera, CameraEnded, CardReader, FrameSize, Input
from hw.reader_wedge import WedgeReader
from hw.supervisor import supervisor_from_environment
from models import manifest as manifests
from models.errors import ModelsError
from models.faces import FacePipeline, embedder_entry
from models.files import FileState, state_of
from models.paths import BUILD_DIR, MODEL_DIR, portrait_dir
from terminal import __version__
from terminal.arrivals import CardRead, Inbox, ReaderWorks, StopAsked
from terminal.audit import Audit
from terminal.clock import SystemClock
from terminal.config import Config, ReaderConfig
from terminal.control import Control
from terminal.core.machine import State
from terminal.desk import Desk
from terminal.errors import DONE, FAILED, REFUSED, LinkBroken, RefuseToStart, TerminalError
from terminal.interpret import Interpreter
from terminal.link import Link
from terminal.loop import Loop
from terminal.memory import forbid_dumps
from terminal.metrics import Metrics
from terminal.notice import read_notice
from terminal.perform import Parts, Performer
from terminal.recognition import Recognition
from terminal.requests import Line
from terminal.sealing import open_keys
from terminal.selftest import self_test
from terminal.sockets import connect
from terminal.status import Site, report
from terminal.store import Store
from terminal.vision import Vision, VisionSettings
from terminal.vision_port import VisionPort
from terminal.zone import ZoneSettings

log = logging.getLogger(__name__)

KEY_FILE = "device.key"
VISION_ACCOUNT = "terminal-vision"
VISION_SOCKET = "vision.sock"
CONTROL_SOCKET = "control.sock"
BENCH_DOOR_SOCKET = "bench-door.sock"
BENCH_VISION_SOCKET = "bench-vision.sock"
CONNECT_S = 10.0
"""Vision waits so long for the door to listen, then ends and is started anew."""


def run_door(config: Config) -> int:
    """The door process, until it is told to stop. The exit status."""
    with _sentences(), ExitStack() as stack:
        forbid_dumps()
        DoorProcess(config, stack).run()
    return DONE


def run_vision(config: Config) -> int:
    """The vision process, until the camera has ended or the door is gone. The exit status."""
    with _sentences(), ExitStack() as stack:
        forbid_dumps()
        vision = _vision(config, stack)
        try:
            vision.run()
        except CameraEnded:
            log.info("The clip has been shown to its end.")
    return DONE


@contextmanager
def _sentences() -> Iterator[None]:
    """One sentence for a person instead of a traceback, and the exit status that goes with it."""
    try:
        yield
    except (RefuseToStart, ModelsError) as error:
        log.critical("%s", error)
        raise SystemExit(REFUSED) from error
    except (TerminalError, DeviceError) as error:
        log.critical("%s", error)
        raise SystemExit(FAILED) from error


class DoorProcess:
    """Everything that the door process is made of; what is opened is closed by `stack`."""

    def __init__(self, config: Config, stack: ExitStack) -> None:
        self._config, self._stack = config, stack
        self._policy = config.policy()
        config.paths.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._inbox, self._metrics, self._notice = Inbox(), Metrics(), read_notice()
        self._keys = open_keys(
            config.paths.state / KEY_FILE, may_create=not Store.exists(config.paths.state)
        )
        stack.callback(self._keys.close)
        self._audit = Audit.open(config.paths.state)
        stack.callback(self._audit.close)
        self._store = Store.open(config.paths.state, self._keys)
        stack.callback(self._store.close)
        self._clock = SystemClock(self._audit.newest_utc())
        self._recognition = self._open_recognition()
        self._readers = [_reader(name, one) for name, one in config.readers.items()]
        self._board = self._open_board()
        self._port = VisionPort(config.paths.run / VISION_SOCKET, self._inbox, vision_accounts())
        stack.callback(self._port.close)
        self._parts = self._make_parts()
        self._desk = self._make_desk()
        self._performer = Performer(self._parts, self._desk)
        self._loop = self._make_loop()

    def run(self) -> None:
        """Listen everywhere, then go on until a stop."""
        config = self._config
        group = config.control.operators_group
        control = Control(config.paths.control / CONTROL_SOCKET, self._inbox, group)
        self._stack.callback(control.close)
        _stop_on_signals(self._inbox)
        levels = self._board.start(self._inbox.put)
        for reader in self._readers:
            self._start(reader)
        self._port.start()
        control.start()
        self._loop.run(levels.get(Input.DOOR_CONTACT, False), readers=())

    def _start(self, reader: CardReader) -> None:
        name, inbox = reader.name, self._inbox
        reader.start(
            lambda raw, _: inbox.put(CardRead(name, raw)),
            lambda working: inbox.put(ReaderWorks(name, working)),
        )
        self._stack.callback(reader.close)

    def _open_recognition(self) -> Recognition:
        entry = embedder_entry(manifests.load())
        width = entry.outputs[0].shape[1]
        recognition = Recognition(width, entry.sha256, entry.curve, self._policy)
        self._stack.callback(recognition.close)
        finished = self._store.finish_erasures(self._audit.withdrawn(), self._clock.now())
        if finished:
            log.warning("The face data of %d people was still there and is erased now.", finished)
        recognition.reload(self._store)
        if recognition.broken:
            log.error("%s Face recognition stays off.", recognition.broken)
        return recognition

    def _open_board(self) -> Board:
        config = self._config
        board: Board
        if config.board.kind == "bench":
            twin = BenchBoard(time.monotonic)
            readers = [one for one in self._readers if isinstance(one, BenchReader)]
            server = BenchServer(config.paths.run / BENCH_DOOR_SOCKET, twin, readers)
            self._stack.callback(server.close)
            board = twin
        else:
            board = GpiozeroBoard(config.board.factory, config.wiring(), time.monotonic)
        self._stack.callback(board.close)
        return board

    def _make_parts(self) -> Parts:
        return Parts(
            board=self._board,
            audit=self._audit,
            store=self._store,
            recognition=self._recognition,
            leases=self._port,
            clock=self._clock,
            metrics=self._metrics,
            notice=self._notice,
        )

    def _make_desk(self) -> Desk:
        return Desk(
            store=self._store,
            audit=self._audit,
            policy=self._policy,
            notice=self._notice,
            report=self._report,
            self_test=lambda state: self_test(state, self._policy, self._parts, _models_wrong),
            version=self._version(),
        )

    def _make_loop(self) -> Loop:
        interpreter = Interpreter(
            self._store, self._keys, self._recognition, self._metrics, log.warning
        )
        return Loop(
            policy=self._policy,
            clock=self._clock,
            inbox=self._inbox,
            interpreter=interpreter,
            desk=self._desk,
            performer=self._performer,
            supervisor=supervisor_from_environment(),
            metrics=self._metrics,
        )

    def _report(self, state: State) -> Line:
        config = self._config
        site = Site(
            name=config.site.name,
            place=config.site.place.value,
            board=config.board.kind,
            camera=config.camera.source,
            key_level=0,
        )
        unerased, trouble = self._performer.unerased, self._desk.trouble
        return report(state, self._policy, self._parts, site, unerased, trouble)

    def _version(self) -> Line:
        return {"terminal": __version__, "embedder": self._recognition.model_sha256[:12]}


def _reader(name: str, reader: ReaderConfig) -> CardReader:
    if reader.kind == "bench":
        return BenchReader(name)
    return WedgeReader(name, reader.device)


def _models_wrong() -> str | None:
    """What is wrong with a model file, or None."""
    try:
        entries = manifests.load().models.values()
    except ModelsError as error:
        return str(error)
    for entry in entries:
        state = state_of(MODEL_DIR / entry.file, entry.sha256, entry.size_bytes)
        if state is not FileState.OK:
            return f"The model file {entry.file} is {state.value}; build it anew (make models)."
    return None


def vision_accounts() -> frozenset[int]:
    """Who may be vision: the account of its unit where there is one, and the door's own."""
    try:
        return frozenset({os.geteuid(), pwd.getpwnam(VISION_ACCOUNT).pw_uid})
    except KeyError:
        return frozenset({os.geteuid()})


def _stop_on_signals(inbox: Inbox) -> None:
    def stop(*_: object) -> None:
        inbox.put(StopAsked())

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


# Vision


def _vision(config: Config, stack: ExitStack) -> Vision:
    signal.signal(signal.SIGTERM, _end)
    pipeline = FacePipeline.load()
    camera = _camera(config, stack)
    camera.open()
    vision = Vision(
        camera=camera,
        pipeline=pipeline,
        link=_connected(config.paths.run / VISION_SOCKET),
        clock=time.monotonic,
        supervisor=supervisor_from_environment(),
        settings=VisionSettings(_zone(config, camera.size), config.face.frames),
    )
    stack.callback(vision.close)
    return vision


def _end(*_: object) -> None:
    raise SystemExit(DONE)


def _camera(config: Config, stack: ExitStack) -> Camera:
    size = FrameSize(config.camera.width_px, config.camera.height_px)
    if config.camera.source != "bench":
        return make_camera(config.camera.source, size, time.monotonic)
    camera = BenchCamera(size, portrait_dir(BUILD_DIR), time.monotonic, fps=config.camera.rate_hz)
    server = BenchServer(config.paths.run / BENCH_VISION_SOCKET, camera=camera)
    stack.callback(server.close)
    return camera


def _connected(path: Path) -> Link:
    """A link to the door, as soon as it listens. Raises LinkBroken when it does not in time."""
    deadline_s = time.monotonic() + CONNECT_S
    while True:
        try:
            return Link(connect(path, socket.SOCK_SEQPACKET))
        except OSError as error:
            if time.monotonic() >= deadline_s:
                raise LinkBroken(f"The door does not listen at {path}: {error}.") from error
        time.sleep(0.1)


def _zone(config: Config, size: FrameSize) -> ZoneSettings:
    return ZoneSettings(
        corners=config.face.zone,
        min_face_px=config.face.min_face_px,
        max_face_px=config.face.max_face_px,
        width_px=size.width_px,
        height_px=size.height_px,
    )
