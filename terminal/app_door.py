"""Makes the door process out of its parts.

What changes with this file: `terminal.config`, `hw`, systemd/terminal-door.service.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from hw.gpio import GpiozeroBoard
from hw.ports import Board, CardReader, EdgePair, Input, OnEdge, ReadKind
from hw.reader_pcsc import PcscReader
from hw.reader_serial import SerialReader
from hw.reader_wedge import WedgeReader
from hw.reader_wiegand import WiegandReader
from hw.supervisor import supervisor_from_environment
from models import manifest as manifests
from models.errors import ModelsError
from models.files import FileState, state_of
from models.paths import MODEL_DIR
from models.runtimes import preferred_embedder
from terminal import __version__
from terminal.app import (
    BENCH_DOOR_SOCKET,
    CODES_SOCKET,
    CONTROL_SOCKET,
    QR_ACCOUNT,
    VISION_ACCOUNT,
    VISION_SOCKET,
    in_one_sentence,
)
from terminal.arrivals import CardRead, Inbox, ReaderWorks, StopAsked
from terminal.audit import Audit
from terminal.changes import Changes
from terminal.clock import SystemClock
from terminal.codes_port import CodesPort
from terminal.config_sections import Config, ReaderConfig
from terminal.confine import forbid_dumps
from terminal.control import Control
from terminal.core.events import FreePassageSet, Started
from terminal.core.machine import State
from terminal.core.values import Moment
from terminal.credential import Credentials
from terminal.desk import Desk
from terminal.errors import DONE, StoreFailed
from terminal.importer import Importer
from terminal.interpret import Interpreter
from terminal.issuing import Issuing
from terminal.loop import Loop
from terminal.metrics import Metrics
from terminal.notice import read_notice
from terminal.perform import Parts, Performer
from terminal.pinpad import PinPad
from terminal.recognition import Recognition
from terminal.reflex import Reflex
from terminal.requests import Line
from terminal.sealing import open_keys
from terminal.selftest import self_test
from terminal.shelf import Shelf
from terminal.sockets import accounts
from terminal.status import Site, report
from terminal.store import Store
from terminal.vision_port import VisionPort

log = logging.getLogger(__name__)

KEY_FILE = "device.key"

Lender = Callable[[tuple[int, int], OnEdge], EdgePair]


def run_door(config: Config) -> int:
    """The door process, until it is told to stop. The exit status."""
    with in_one_sentence(), ExitStack() as stack:
        forbid_dumps()
        DoorProcess(config, stack).run()
    return DONE


class DoorProcess:
    """Everything that the door process is made of; what is opened is closed by `stack`."""

    def __init__(self, config: Config, stack: ExitStack) -> None:
        self._config, self._stack = config, stack
        self._policy = config.policy()
        _make_folder(config.paths.state)
        self._inbox, self._metrics, self._notice = Inbox(), Metrics(), read_notice()
        self._pinpad = PinPad()
        stack.callback(self._pinpad.close)
        self._keys = open_keys(
            config.paths.state / KEY_FILE, may_create=not Store.exists(config.paths.state)
        )
        stack.callback(self._keys.close)
        self._audit = Audit.open(config.paths.state)
        stack.callback(self._audit.close)
        self._check_log()
        self._store = Store.open(config.paths.state, self._keys)
        stack.callback(self._store.close)
        if self._store.faces_lost:
            log.error("%s Faces are off, and cards go on.", self._store.faces_lost)
        self._clock = SystemClock(self._audit.newest_utc(), config.site.time_zone)
        self._recognition = self._open_recognition()
        self._readers = [
            _reader(name, one, lambda pins, on_edge: self._board.lend(pins, on_edge))
            for name, one in config.readers.items()
        ]
        self._board = self._open_board()
        self._port = VisionPort(
            config.paths.run / VISION_SOCKET, self._inbox, accounts(VISION_ACCOUNT)
        )
        stack.callback(self._port.close)
        self._reflex = Reflex(self._inbox, self._port, self._board.sign)
        self._codes_port = CodesPort(
            config.paths.codes / CODES_SOCKET,
            self._inbox,
            accounts(QR_ACCOUNT),
            time.monotonic,
            self._reflex.on_credential,
        )
        stack.callback(self._codes_port.close)
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
        levels = self._board.start(self._reflex.on_change)
        for reader in self._readers:
            self._start(reader)
        self._port.start()
        if config.credentials.camera_codes:
            self._codes_port.start()
        control.start()
        self._loop.run(lambda at: self._started(at, levels), self._free_passage)

    def _started(self, at: Moment, levels: Mapping[Input, bool]) -> Started:
        """How the door stands now, and whether a lockdown has outlived the last start."""
        return Started(
            at,
            door_open=levels.get(Input.DOOR_CONTACT, False),
            readers=(),
            locked_down=self._is_locked_down(),
            tampered=levels.get(Input.TAMPER, False),
            fire=levels.get(Input.FIRE, False),
            interlocked=levels.get(Input.INTERLOCK, False),
        )

    def _free_passage(self, at: Moment) -> FreePassageSet:
        """What can't be read opens the door to nobody."""
        try:
            return self._changes.free_passage(at)
        except StoreFailed as error:
            log.error("%s", error)
            return FreePassageSet(at, None)

    def _is_locked_down(self) -> bool:
        """What can't be read counts as a lockdown: an operator lifts it by saying so anew."""
        try:
            return self._store.settings.lockdown().is_on
        except StoreFailed as error:
            log.error("%s", error)
            return True

    def _start(self, reader: CardReader) -> None:
        name, inbox, reflex = reader.name, self._inbox, self._reflex

        def heard(data: bytes, mono_s: float, kind: ReadKind = ReadKind.IDENTIFIER) -> None:
            reflex.on_credential(CardRead(name, data, kind, mono_s))

        reader.start(heard, lambda working: inbox.put(ReaderWorks(name, working)))
        self._stack.callback(reader.close)

    def _check_log(self) -> None:
        """A log that was touched is said so, and goes on: it is no reason to lock people out."""
        verdict = self._audit.check_tail()
        if not verdict.sound:
            log.error("Record %d of the log is not sound: %s.", verdict.first_bad, verdict.why)

    def _open_recognition(self) -> Recognition:
        entry = manifests.load().model(f"embedder_{preferred_embedder()}")
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
        board = (
            self._open_bench()
            if config.board.kind == "bench"
            else GpiozeroBoard(config.board.factory, config.wiring(), time.monotonic)
        )
        self._stack.callback(board.close)
        return board

    def _open_bench(self) -> Board:
        """The twin of the board, and the socket through which the world reaches all twins."""
        from hw.bench import BenchBoard, BenchReader  # no device loads its twins
        from hw.bench_remote import BenchServer

        board = BenchBoard(time.monotonic)
        readers = [one for one in self._readers if isinstance(one, BenchReader)]
        server = BenchServer(self._config.paths.run / BENCH_DOOR_SOCKET, board, readers)
        self._stack.callback(server.close)
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
            pinpad=self._pinpad,
            duress_suffix=self._config.credentials.duress_suffix.encode(),
            panel_bits=self._config.panel.bits,
        )

    def _make_desk(self) -> Desk:
        config = self._config
        issuing = Issuing(self._store, self._keys, config.site.name, config.credentials.door_group)
        importer = Importer(self._store, self._keys, config.policy().has_exit_reader)
        suffix = config.credentials.duress_suffix.encode()
        self._changes = Changes(
            self._store, issuing, importer, suffix, self._policy.has_exit_reader
        )
        return Desk(
            store=self._store,
            audit=self._audit,
            policy=self._policy,
            notice=self._notice,
            changes=self._changes,
            shelf=Shelf(
                config=config,
                policy=self._policy,
                store=self._store,
                issuing=issuing,
                importer=importer,
                metrics=self._metrics,
                lines=lambda: self._board.levels,
            ),
            report=self._report,
            self_test=lambda state: self_test(
                state, self._policy, self._parts, self._config.wiring(), _models_wrong
            ),
            version=self._version(),
        )

    def _make_loop(self) -> Loop:
        credentials = Credentials(
            self._store,
            self._keys,
            self._config.credentials.door_group,
            self._policy.not_ways,
            log.warning,
        )
        interpreter = Interpreter(
            self._store,
            credentials,
            self._pinpad,
            self._recognition,
            self._metrics,
            log.warning,
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
        unerased = self._performer.unerased
        trouble = self._desk.trouble or self._store.faces_lost
        return report(state, self._policy, self._parts, site, unerased, trouble)

    def _version(self) -> Line:
        return {"terminal": __version__, "embedder": self._recognition.model_sha256[:12]}


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreFailed(f"The folder {folder} can't be made: {error.strerror}.") from error


def _reader(name: str, reader: ReaderConfig, lend: Lender) -> CardReader:
    """The driver of this kind; `lend` is asked for pins when the reader is started."""
    match reader.kind:
        case "bench":
            from hw.bench import BenchReader  # the same

            return BenchReader(name)
        case "serial":
            return SerialReader(name, reader.device, baud=reader.baud, framing=reader.framing)
        case "pcsc":
            return PcscReader(name, reader.device)
        case "wiegand":
            pins = (reader.d0 or 0, reader.d1 or 0)  # the configuration has refused others
            return WiegandReader(name, lambda edge: lend(pins, edge), keypad=reader.keypad)
        case _:
            return WedgeReader(name, reader.device, layout=reader.layout, keypad=reader.keypad)


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


def _stop_on_signals(inbox: Inbox) -> None:
    def stop(*_: object) -> None:
        inbox.put(StopAsked())

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
