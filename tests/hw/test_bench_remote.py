"""The bench from another process: real sockets, a fake clock, and hostile lines."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hw.bench import BenchBoard, BenchReader
from hw.bench_clock import FakeClock
from hw.bench_remote import MAX_LINE_BYTES, BenchClient, BenchServer
from hw.errors import DeviceError
from hw.ports import Input, ReadKind, Tone
from hw.wiring import LineName


class Camera:
    """A bench camera that knows one scene."""

    def __init__(self) -> None:
        self.played: list[tuple[str, int | None, float]] = []
        self.done: list[str] = []
        self.is_over = False

    def play(
        self,
        scene: str,
        seed: int | None = None,
        speed: float = 1.0,
        text: str | None = None,
        medium: str | None = None,
    ) -> None:
        if scene != "walk-up":
            raise LookupError(f"There is no scene {scene}; there is walk-up.")
        self.played.append((scene, seed, speed))

    def stop(self) -> None:
        self.done.append("stop")
        self.is_over = True

    def fail(self) -> None:
        self.done.append("fail")

    def freeze(self) -> None:
        self.done.append("freeze")

    def mend(self) -> None:
        self.done.append("mend")


class Bench:
    """A server over all twins and a client of it."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.board = BenchBoard(self.clock, self.clock.call_later)
        self.reader = BenchReader("lobby", self.clock)
        self.camera = Camera()
        self.path = folder / "bench.sock"
        self.server = BenchServer(self.path, self.board, [self.reader], self.camera)
        self.client = BenchClient(self.path)

    def close(self) -> None:
        self.client.close()
        self.server.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def talk(path: Path, line: bytes) -> list[Any]:
    """Send bytes as they are, end the sending side, and read every answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5.0)
        connection.connect(str(path))
        connection.sendall(line)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as lines:
            return [json.loads(answer) for answer in lines]


def test_world_acts_on_the_twins_from_afar(bench: Bench) -> None:
    heard: list[tuple[Input, bool]] = []
    bench.board.start(lambda change: heard.append((change.line, change.active)))
    bench.client.press(Input.KIOSK_BUTTON, 0.5)
    bench.clock.advance(0.5)
    assert not bench.client.push_door()
    bench.board.strike.release(2.0)
    assert bench.client.push_door()
    bench.client.close_door()
    bench.client.force_door()
    bench.client.set_input(Input.PRESENCE, True)
    assert heard == [
        (Input.KIOSK_BUTTON, True),
        (Input.KIOSK_BUTTON, False),
        (Input.DOOR_CONTACT, True),
        (Input.DOOR_CONTACT, False),
        (Input.DOOR_CONTACT, True),
        (Input.PRESENCE, True),
    ]
    assert bench.client.levels()[LineName.STRIKE]


def test_sign_breaks_and_is_mended_from_afar(bench: Bench) -> None:
    bench.board.sign.set(True)
    bench.client.break_sign()
    assert not bench.board.sign.is_lit
    bench.client.mend_sign()
    assert bench.board.sign.is_lit


def test_card_is_tapped_and_reader_unplugged_from_afar(bench: Bench) -> None:
    reads: list[tuple[bytes, ReadKind]] = []
    working: list[bool] = []

    def heard(data: bytes, mono_s: float, kind: ReadKind = ReadKind.IDENTIFIER) -> None:
        reads.append((data, kind))

    bench.reader.start(heard, working.append)
    assert bench.client.tap("lobby", b"\x00\xff card")
    assert bench.client.tap("lobby", b"4711", ReadKind.TYPED)
    bench.client.unplug("lobby")
    assert not bench.client.tap("lobby", b"card")
    bench.client.plug("lobby")
    assert reads == [
        (b"\x00\xff card", ReadKind.IDENTIFIER),
        (b"4711", ReadKind.TYPED),
    ]
    assert working == [True, False, True]


def test_panels_frames_and_new_inputs_are_there_from_afar(bench: Bench) -> None:
    assert bench.client.panel_frames() == ()
    bench.board.panel.send(123 << 16 | 4567, 26)
    assert bench.client.panel_frames() == ("26-123-04567",)
    for line in (Input.TAMPER, Input.FIRE, Input.INTERLOCK):
        bench.client.set_input(line, True)
        assert bench.client.levels()[LineName(line.value)]


def test_scene_is_played_from_afar(bench: Bench) -> None:
    bench.client.play("walk-up", seed=3, speed=2.0)
    assert not bench.client.scene_is_over()
    bench.client.stop()
    assert bench.client.scene_is_over()
    assert bench.camera.played == [("walk-up", 3, 2.0)]


def test_camera_fails_freezes_and_is_mended_from_afar(bench: Bench) -> None:
    bench.client.fail_camera()
    bench.client.freeze_camera()
    bench.client.mend_camera()
    assert bench.camera.done == ["fail", "freeze", "mend"]


def test_refusal_comes_as_the_servers_sentence(bench: Bench) -> None:
    with pytest.raises(DeviceError, match=r"no reader 'cellar' on this bench; there is: lobby"):
        bench.client.tap("cellar", b"1")
    with pytest.raises(DeviceError, match=r"^There is no scene waltz; there is walk-up\.$"):
        bench.client.play("waltz")
    with pytest.raises(DeviceError, match="not between"):
        bench.client.press(Input.REX, -1.0)
    assert bench.client.levels(), "the connection goes on"


def test_changes_stream_live_with_the_time_of_the_server(bench: Bench) -> None:
    bench.board.sign.set(True)
    changes = bench.client.changes()
    assert changes.levels[LineName.SIGN]
    bench.board.strike.release(1.0)
    bench.clock.advance(1.0)
    bench.board.buzzer.play(Tone.REFUSED)
    assert [next(changes) for _ in range(3)] == list(bench.board.log[1:])
    assert bench.board.log[2].mono_s == 1001.0
    changes.close()


def test_stream_ends_when_the_server_goes(bench: Bench) -> None:
    changes = bench.client.changes()
    bench.server.close()
    assert list(changes) == []
    with pytest.raises(DeviceError, match=r"hung up|does not answer"):
        bench.client.push_door()


def test_follower_that_does_not_read_holds_nobody_up(bench: Bench) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as lazy:
        lazy.connect(str(bench.path))
        lazy.sendall(b'{"do":"follow"}\n')
        assert lazy.recv(1)
        for at in range(20_000):
            bench.board.set_input(Input.REX, at % 2 == 0)
        assert bench.client.levels()


def test_follower_that_goes_away_is_forgotten(bench: Bench) -> None:
    for _ in range(40):  # more than the connections that are allowed at a time
        changes = bench.client.changes()
        changes.close()
        bench.board.sign.set(not bench.board.sign.is_lit)  # wakes the follower's thread
        while len(bench.server._connections) > 2:
            bench.board.sign.set(not bench.board.sign.is_lit)
    assert bench.client.levels()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"\n", "not JSON"),
        (b"{\n", "not JSON"),
        (b"\xff\xfe\n", "not JSON"),
        (b"[" * 20000 + b"\n", "not JSON"),
        (b"[]\n", "JSON object"),
        (b"{}\n", "can't do 'None'"),
        (b'{"do":[1]}\n', "can't do"),
        (b'{"do":"pres"}\n', "did you mean press"),
        (b'{"do":"press"}\n', "needs line as text"),
        (b'{"do":"press","line":"strike"}\n', "no input 'strike'"),
        (b'{"do":"press","line":"rex","for_s":"1"}\n', "needs for_s in seconds"),
        (b'{"do":"press","line":"rex","for_s":NaN}\n', "not between"),
        (b'{"do":"press","line":"rex","for_s":1e999}\n', "not between"),
        (b'{"do":"set_input","line":"rex","active":1}\n', "true or false"),
        (b'{"do":"tap","reader":"lobby","data":"!!"}\n', "base64"),
        (b'{"do":"tap","reader":"lobby","data":"MTI=","kind":"pin"}\n', "identifier, auth"),
        (b'{"do":"tap","reader":"lobby","data":"MTI=","kind":[]}\n', "a kind that there is"),
        (b'{"do":"tap","reader":7,"data":""}\n', "needs reader as text"),
        (b'{"do":"play","scene":"walk-up","parameters":[]}\n', "object of texts and numbers"),
        (b'{"do":"play","scene":"walk-up","parameters":{"a":{}}}\n', "texts and numbers"),
        (b'{"do":"play","scene":"walk-up","parameters":{"scene":"x"}}\n', "scene"),
        (b'{"do":"play","scene":"walk-up","parameters":{"tempo":1}}\n', "tempo"),
        (b"a" * (MAX_LINE_BYTES + 2) + b"\n", "longer than"),
    ],
)
def test_hostile_line_gets_one_sentence_and_the_server_lives(
    bench: Bench, line: bytes, sentence: str
) -> None:
    answers = talk(bench.path, line)
    assert [answer["ok"] for answer in answers] == [False]
    assert sentence in answers[0]["error"]
    assert "\n" not in answers[0]["error"]
    assert bench.client.levels()
    assert bench.board.log == ()


@given(line=st.binary(max_size=200))
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_bytes_harm_the_server(bench: Bench, line: bytes) -> None:
    answers = talk(bench.path, line + b"\n")
    assert all(isinstance(answer["ok"], bool) for answer in answers)
    assert bench.client.levels()


def test_socket_is_for_its_own_account_alone(bench: Bench) -> None:
    assert bench.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_other_account_is_turned_away() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # neither folder nor mode may be what keeps it out
        bench = Bench(Path(folder))
        bench.path.chmod(0o666)
        script = (
            "import os, socket, sys; s = socket.socket(socket.AF_UNIX); os.setuid(65534);"
            's.connect(sys.argv[1]); s.sendall(b\'{"do":"force_door"}\\n\');'
            "os.write(1, s.recv(1000))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(bench.path)], capture_output=True, timeout=30
        )
        bench.close()
        assert b"another account" in done.stdout, done.stderr
        assert bench.board.log == ()


def test_process_without_a_twin_says_whom_to_ask(tmp_path: Path) -> None:
    server = BenchServer(tmp_path / "empty.sock")
    client = BenchClient(tmp_path / "empty.sock")
    with pytest.raises(DeviceError, match="no bench board"):
        client.push_door()
    with pytest.raises(DeviceError, match="no bench board"):
        client.changes()
    with pytest.raises(DeviceError, match="no bench camera"):
        client.play("walk-up")
    client.close()
    server.close()


def test_stale_socket_is_replaced_and_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "bench.sock"
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(str(path))
    dead.close()
    server = BenchServer(path)
    with pytest.raises(DeviceError, match="already answers"):
        BenchServer(path)
    server.close()
    assert not path.exists()


def test_nobody_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="No bench answers at"):
        BenchClient(tmp_path / "nobody.sock")


def test_name_that_is_too_long_for_a_socket_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="choose a short name"):
        BenchServer(tmp_path / ("a" * 120))


def test_folder_may_lie_deep(tmp_path: Path) -> None:
    """A socket's path holds 107 bytes; a checkout may lie deeper."""
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    folder.mkdir(parents=True)
    assert len(str(folder)) > 200
    bench = Bench(folder)
    with pytest.raises(DeviceError, match="already answers"):
        BenchServer(bench.path)
    bench.board.strike.release(1.0)
    assert bench.client.push_door()
    changes = bench.client.changes()
    assert changes.levels[LineName.DOOR_CONTACT]
    changes.close()
    assert bench.path.stat().st_mode & 0o777 == 0o600
    bench.close()
    assert not bench.path.exists()


def test_folder_that_is_not_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="can't be made"):
        BenchServer(tmp_path / "none" / "bench.sock")
    with pytest.raises(DeviceError, match="No bench answers at"):
        BenchClient(tmp_path / "none" / "bench.sock")
