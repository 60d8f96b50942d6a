"""The stage of the story: a bench terminal in a folder of its own, and what can be done to it.

It makes a fresh configuration and state each time, starts the two processes, waits until they are
ready, and offers what a person at that door could do: walk up, tap, press, push. Nothing here
reaches into the processes other than through the twins and the control socket.

What changes with this file: the configuration's keys, the scenes' names.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import TracebackType

from hw.bench_remote import BenchClient
from hw.errors import DeviceError
from hw.ports import Input
from terminal.app import BENCH_DOOR_SOCKET, BENCH_VISION_SOCKET, CONTROL_SOCKET
from terminal.clock import SystemClock
from terminal.demo.feed import Feed, Happening
from terminal.demo.folder import CONFIG, LOG, BenchFolder
from terminal.demo.processes import Processes
from terminal.demo.teller import Teller
from terminal.errors import TerminalError
from terminal.operator_link import Conversation, ask
from terminal.requests import Enrol, Line, PassIssue, Status

READY_S = 20.0
HAND_S = 0.5
"""A hand needs so long from the click of the strike to the door."""

CONSENT_HOLD_S = 3.4
"""Somewhat longer than `face.consent_hold_s`, as a person would."""

CARD = b"04A1B2C3D4"
RESIDENT = "Resident of flat 12"

TEMPLATE = Path(__file__).with_name("bench.toml")

CONFIG_NAME = CONFIG


class Otherwise(Exception):  # noqa: N818 - says what is the case
    """Something went otherwise than the story says; the text says what."""


def prepare(folder: Path, camera: str) -> Path:
    """A fresh run directory with its configuration; returns the configuration's path.

    Raises FolderRefused. For whoever runs the processes without a stage.
    """
    with BenchFolder(folder):
        return _configured(folder, camera)


def _configured(folder: Path, camera: str) -> Path:
    text = TEMPLATE.read_text()
    config = folder / CONFIG_NAME
    config.write_text(
        text.replace("@RUN@", _in_toml(str(folder))).replace("@CAMERA@", _in_toml(camera))
    )
    return config


def _in_toml(text: str) -> str:
    """A path as it stands between the quotes of a TOML string, which escapes as JSON does."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


class Stage:
    """The bench terminal, up and running. A context manager; leaving it ends everything."""

    def __init__(self, folder: Path, camera: str = "bench") -> None:
        self.folder, self.teller = folder, Teller()
        self.control = folder / CONTROL_SOCKET
        self._is_bench_camera = camera == "bench"
        self._claim = BenchFolder(folder)
        try:
            self._begin(camera)
        except BaseException:
            self._claim.close()
            raise

    def _begin(self, camera: str) -> None:
        folder = self.folder
        config = _configured(folder, camera)
        self.processes = Processes(config, folder / LOG, restart_vision=self._is_bench_camera)
        try:
            self._is_starting = True
            self._wait_until_ready()
            self._is_starting = False
            self.feed = Feed(self.control, folder / BENCH_DOOR_SOCKET, self.teller.happened)
            self.door = BenchClient(folder / BENCH_DOOR_SOCKET)
        except BaseException:
            self.processes.close()
            raise

    # What a person does

    def play(self, scene: str, **parameters: str) -> None:
        """Somebody comes before the camera."""
        with closing(self._camera()) as camera:
            camera.play(scene, **parameters)

    def hold_up(self, text: str, medium: str = "phone") -> None:
        """Somebody holds a code up to the camera."""
        self.play("holds_up_code", text=text, medium=medium)

    def issue_for_visitor(self, visitor: str, host: str = RESIDENT) -> str:
        """A pass for once, for a visitor of the resident; its text."""
        ends = SystemClock().now().utc + timedelta(hours=2)
        answer = ask(self.control, PassIssue(host, "once", ends, visitor=visitor))
        text: str = answer["pass"]["text"]
        return text

    def clear(self) -> None:
        """Everybody leaves."""
        with closing(self._camera()) as camera:
            camera.stop()

    def tap(self, card: bytes, reader: str = "door") -> None:
        """Hold a card to a reader."""
        self.door.tap(reader, card)

    def press(self, for_s: float = 0.2) -> None:
        """Press the kiosk button."""
        self.door.press(Input.KIOSK_BUTTON, for_s)

    def pass_through(self) -> None:
        """Push the door, walk through, let it fall shut. Raises Otherwise when it does not open."""
        time.sleep(HAND_S)
        if not self.door.push_door():
            raise Otherwise("the door did not open when it was pushed")
        time.sleep(0.6)
        self.door.close_door()

    def enrol(self, name: str, on_stage: Callable[[str], None]) -> Line:
        """Enrol as `terminalctl enrol` does, telling each new stage; how it ended."""
        told = ""
        with Conversation(self.control, Enrol(name)) as conversation:
            for line in conversation.news():
                stage_name = str(line.get("stage", line["news"]))
                if stage_name != told:
                    told = stage_name
                    on_stage(stage_name)
            ended: Line = conversation.result["enrolment"]
        return ended

    def act_enrolled(self, stage_name: str) -> None:
        """What somebody who wants to be enrolled does at each stage of it."""
        match stage_name:
            case "notice":
                self.teller.say("operator", "hands over the notice, which is read")
            case "tap_card":
                self.tap(CARD)
            case "consent":
                self.teller.say("person", "holds the button: yes")
                self.press(CONSENT_HOLD_S)

    # What is looked at

    @property
    def status(self) -> Line:
        """The terminal's own status."""
        answer: Line = ask(self.control, Status())["status"]
        return answer

    def embeddings(self) -> int:
        """How often the embedder has run in the present vision process."""
        runs = self.status["times"]["model_runs"]
        return int(runs["embeddings"]) if runs else 0

    def expect(
        self, what: str, since: int, within_s: float, says: str, **facts: object
    ) -> Happening:
        """Wait for a happening. Raises Otherwise with what ought to have been."""
        found = self.feed.wait_for(what, since, within_s, **facts)
        if found is None:
            raise Otherwise(f"{says}, but not within {within_s:g} s")
        return found

    def wait_for_face(self, within_s: float = 10.0) -> None:
        """Until face recognition is on and the zone is free."""
        self._wait(
            lambda: self.status["face"]["permission"] == "detect", within_s, "vision is idle"
        )

    def _camera(self) -> BenchClient:
        return BenchClient(self.folder / BENCH_VISION_SOCKET)

    def _wait_until_ready(self) -> None:
        self._wait(lambda: self.status["face"]["camera"], READY_S, "the two processes are up")

    def _check_processes(self) -> None:
        if not self.processes.door_runs:
            raise Otherwise(f"the door process ended: {self.processes.last_words}")
        if self._is_starting and self.processes.vision_failed.is_set():
            raise Otherwise(f"the vision process ended: {self.processes.last_words}")

    def _wait(self, holds: Callable[[], bool], within_s: float, says: str) -> None:
        deadline_s = time.monotonic() + within_s
        while time.monotonic() < deadline_s:
            self._check_processes()
            try:
                if holds():
                    return
            except (TerminalError, DeviceError):
                pass
            time.sleep(0.05)
        raise Otherwise(f"{says}, but not within {within_s:g} s")

    def close(self) -> None:
        """End everything. May be called twice."""
        self.teller.close()
        self.door.close()
        self.processes.close()
        self._claim.close()

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
