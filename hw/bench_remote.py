"""The bench's other side, lent to another process over a Unix stream socket.

The process that hosts a twin runs a `BenchServer`; whoever plays the world (the story of
`make run`, a simulator's page, a test) connects with a `BenchClient`. It must never exist on a
door: the composition root starts it for a bench and for nothing else. The socket has mode 0600
and takes only peers of its own account. A line that is hostile or broken gets one sentence for an
answer, and the server lives on. The socket is named through its folder's descriptor, since a
socket's path holds 107 bytes at most and a bench's folder may lie deep.

A request is one line of JSON, an object with `do` and the verb's fields; an answer is one line,
`{"ok": true, "result": ...}` or `{"ok": false, "error": "one sentence"}`, in the order asked.
After `follow` (whose result is the levels now) the connection carries `{"change": {...}}` lines
and no more answers. What changes with this file: both sides at once; it is no stored format.
"""

from __future__ import annotations

import base64
import contextlib
import difflib
import json
import logging
import os
import queue
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from hw.bench import BenchBoard, BenchReader, LineChange
from hw.errors import DeviceError
from hw.ports import Input, ReadKind, Tone
from hw.wiring import LineName

MAX_LINE_BYTES = 64 * 1024
"""Longest request or answer; what is longer ends the connection."""

MAX_CONNECTIONS = 16

_MAX_WAITING_CHANGES = 1000
"""A follower that lets so many changes wait is dropped."""

_LOOK_FOR_HANGUP_S = 0.5

_SEND_TIMEOUT = struct.pack("ll", 5, 0)
"""A peer that takes nothing for 5 s is hung up on (struct timeval, socket(7))."""

_LOG = logging.getLogger(__name__)

Request = Mapping[str, Any]


class SceneCamera(Protocol):
    """What the server needs of a bench camera."""

    def play(
        self,
        scene: str,
        seed: int | None = None,
        speed: float = 1.0,
        text: str | None = None,
        medium: str | None = None,
    ) -> object:
        """Begin the scene of that name. Raises ValueError, LookupError, TypeError for nonsense."""
        ...

    def stop(self) -> None:
        """End the scene; nobody stands there."""
        ...

    def fail(self) -> None:
        """Pull its plug."""
        ...

    def freeze(self) -> None:
        """The same picture again and again."""
        ...

    def mend(self) -> None:
        """Undo both."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether the scene has come to its end."""
        ...


class BenchServer:
    """Serves the world's side of the twins that this process hosts.

    `path` must lie in a directory of this account. Raises DeviceError when the socket can't be
    made, or when another server answers on it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        board: BenchBoard | None = None,
        readers: Iterable[BenchReader] = (),
        camera: SceneCamera | None = None,
    ) -> None:
        self._path = Path(path)
        self._board = board
        self._readers = {reader.name: reader for reader in readers}
        self._camera = camera
        self._verbs = self._all_verbs()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._is_closed = False
        self._listener = _listen(self._path)
        self._thread = threading.Thread(target=self._accept, name="bench-server", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every connection and remove the socket. May be called twice."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            connections = tuple(self._connections)
        _hang_up(self._listener)
        for connection in connections:
            _hang_up(connection)
        self._path.unlink(missing_ok=True)
        self._thread.join(timeout=1.0)

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed
            self._admit(connection)

    def _admit(self, connection: socket.socket) -> None:
        with self._lock:
            is_full = len(self._connections) >= MAX_CONNECTIONS or self._is_closed
            if not is_full:
                self._connections.add(connection)
        if is_full:
            connection.close()
            return
        threading.Thread(
            target=self._serve, args=(connection,), name="bench-client", daemon=True
        ).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_TIMEOUT)
            with connection, connection.makefile("rb") as lines:
                if _peer_uid(connection) != os.geteuid():
                    _refuse_and_end(connection, "This bench belongs to another account.")
                    return
                self._converse(connection, lines)
        except OSError as error:
            _LOG.debug("A bench client went away: %s", error)
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _converse(self, connection: socket.socket, lines: Any) -> None:
        while line := lines.readline(MAX_LINE_BYTES + 1):
            if len(line) > MAX_LINE_BYTES:
                _refuse_and_end(connection, f"A line is longer than {MAX_LINE_BYTES} bytes.")
                return
            answer, wants_to_follow = self._answer(line)
            if wants_to_follow:
                self._stream(connection)
                return
            _send(connection, answer)

    def _answer(self, line: bytes) -> tuple[dict[str, Any], bool]:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise ValueError("A request is a JSON object with a field do.")
            if request.get("do") == "follow":
                self._need_board()
                return {}, True
            return {"ok": True, "result": self._verb(request)(request)}, False
        except (DeviceError, ValueError, TypeError, LookupError, RecursionError) as error:
            return _refusal(_one_sentence(error)), False

    def _verb(self, request: Request) -> Callable[[Request], Any]:
        asked = request.get("do")
        if isinstance(asked, str) and asked in self._verbs:
            return self._verbs[asked]
        near = difflib.get_close_matches(str(asked)[:40], self._verbs, n=1)
        hint = f"did you mean {near[0]}?" if near else f"verbs are {', '.join(self._verbs)}."
        raise ValueError(f"The bench can't do {str(asked)[:40]!r}; {hint}")

    def _all_verbs(self) -> dict[str, Callable[[Request], Any]]:
        return {
            "levels": lambda request: _levels(self._need_board()),
            "press": self._press,
            "set_input": lambda request: self._need_board().set_input(
                _input(request), _yes_or_no(request, "active")
            ),
            "push_door": lambda request: self._need_board().push_door(),
            "close_door": lambda request: self._need_board().close_door(),
            "force_door": lambda request: self._need_board().force_door(),
            "break_sign": lambda request: self._need_board().break_sign(),
            "mend_sign": lambda request: self._need_board().mend_sign(),
            "tap": lambda request: self._need_reader(request).tap(_card(request), _kind(request)),
            "panel_frames": lambda request: [
                frame.text for frame in self._need_board().panel.frames
            ],
            "unplug": lambda request: self._need_reader(request).unplug(),
            "plug": lambda request: self._need_reader(request).plug(),
            "play": self._play,
            "stop": lambda request: self._need_camera().stop(),
            "scene_is_over": lambda request: self._need_camera().is_over,
            "fail_camera": lambda request: self._need_camera().fail(),
            "freeze_camera": lambda request: self._need_camera().freeze(),
            "mend_camera": lambda request: self._need_camera().mend(),
        }

    def _press(self, request: Request) -> None:
        for_s = request.get("for_s", 0.2)
        if isinstance(for_s, bool) or not isinstance(for_s, int | float):
            raise ValueError("press needs for_s in seconds.")
        self._need_board().press(_input(request), float(for_s))

    def _play(self, request: Request) -> None:
        parameters = request.get("parameters", {})
        if not isinstance(parameters, dict) or any(
            not isinstance(value, str | int | float | bool | None) for value in parameters.values()
        ):
            raise ValueError("play needs parameters as an object of texts and numbers.")
        self._need_camera().play(_text(request, "scene"), **parameters)

    def _need_board(self) -> BenchBoard:
        if self._board is None:
            raise ValueError("This process has no bench board; ask the door's.")
        return self._board

    def _need_reader(self, request: Request) -> BenchReader:
        name = _text(request, "reader")
        if name not in self._readers:
            there = ", ".join(sorted(self._readers)) or "none"
            raise ValueError(f"There is no reader {name[:40]!r} on this bench; there is: {there}.")
        return self._readers[name]

    def _need_camera(self) -> SceneCamera:
        if self._camera is None:
            raise ValueError("This process has no bench camera; ask vision's.")
        return self._camera

    def _stream(self, connection: socket.socket) -> None:
        """Subscribed before the levels are read, so that no change falls between."""
        board = self._need_board()
        waiting: queue.Queue[LineChange | None] = queue.Queue()
        unsubscribe = board.subscribe(lambda change: _put(waiting, change))
        try:
            _send(connection, {"ok": True, "result": _levels(board)})
            while not self._is_closed and not _has_hung_up(connection):
                self._forward(connection, waiting)
        finally:
            unsubscribe()

    def _forward(self, connection: socket.socket, waiting: queue.Queue[LineChange | None]) -> None:
        try:
            change = waiting.get(timeout=_LOOK_FOR_HANGUP_S)
        except queue.Empty:
            return
        if change is None:
            raise ConnectionAbortedError("the follower does not keep up")
        _send(connection, {"change": _change_as_json(change)})


class Changes:
    """The live stream of line changes: iterate over it, close it when done.

    `levels` are the levels at the moment in which the stream began. The iterator ends when the
    server goes. `mono_s` of each change is the server's clock.
    """

    def __init__(self, connection: socket.socket, levels: Mapping[LineName, bool]) -> None:
        self.levels = levels
        self._connection = connection
        self._lines = connection.makefile("rb")

    def __iter__(self) -> Iterator[LineChange]:
        return self

    def __next__(self) -> LineChange:
        try:
            line = self._lines.readline(MAX_LINE_BYTES + 1)
        except (OSError, ValueError):
            line = b""
        if not line:
            self.close()
            raise StopIteration
        return _change_from_json(json.loads(line)["change"])

    def close(self) -> None:
        """End the stream, also while another thread waits in it. May be called twice."""
        _hang_up(self._connection)
        self._lines.close()


class BenchClient:
    """The world's side of a bench in another process. Thread-safe.

    Each method asks one thing and raises DeviceError with the server's sentence if it can't be
    done, or with one of its own if nobody answers.
    """

    def __init__(self, path: str | os.PathLike[str], timeout_s: float = 10.0) -> None:
        self._path = Path(path)
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._connection = self._connect()
        self._lines = self._connection.makefile("rb")

    def close(self) -> None:
        """Hang up. May be called twice."""
        _hang_up(self._connection)
        self._lines.close()

    def levels(self) -> Mapping[LineName, bool]:
        """The logical level of every line, now."""
        return _levels_from_json(self._ask("levels"))

    def press(self, line: Input, for_s: float = 0.2) -> None:
        """Press for so long."""
        self._ask("press", line=line.value, for_s=for_s)

    def set_input(self, line: Input, active: bool) -> None:
        """Set an input's logical level."""
        self._ask("set_input", line=line.value, active=active)

    def push_door(self) -> bool:
        """Push the door; returns whether it stands open now."""
        return bool(self._ask("push_door"))

    def close_door(self) -> None:
        """Let the door fall shut."""
        self._ask("close_door")

    def force_door(self) -> None:
        """Open the door without the strike."""
        self._ask("force_door")

    def break_sign(self) -> None:
        """The LED burns out."""
        self._ask("break_sign")

    def mend_sign(self) -> None:
        """A new LED."""
        self._ask("mend_sign")

    def tap(self, reader: str, data: bytes, kind: ReadKind = ReadKind.IDENTIFIER) -> bool:
        """Hold a card to the reader, or type on it; returns whether it was heard."""
        encoded = base64.b64encode(data).decode("ascii")
        return bool(self._ask("tap", reader=reader, data=encoded, kind=kind.value))

    def panel_frames(self) -> tuple[str, ...]:
        """What the panel was sent, oldest first, each as FORMAT-FACILITY-NUMBER."""
        return tuple(self._ask("panel_frames"))

    def unplug(self, reader: str) -> None:
        """Pull the reader's plug."""
        self._ask("unplug", reader=reader)

    def plug(self, reader: str) -> None:
        """Plug the reader in again."""
        self._ask("plug", reader=reader)

    def play(self, scene: str, **parameters: str | int | float | bool | None) -> None:
        """Begin a scene before the camera."""
        self._ask("play", scene=scene, parameters=parameters)

    def stop(self) -> None:
        """End the scene."""
        self._ask("stop")

    def scene_is_over(self) -> bool:
        """Whether the scene has come to its end."""
        return bool(self._ask("scene_is_over"))

    def fail_camera(self) -> None:
        """Pull the camera's plug."""
        self._ask("fail_camera")

    def freeze_camera(self) -> None:
        """The camera gives the same picture again and again."""
        self._ask("freeze_camera")

    def mend_camera(self) -> None:
        """Plug the camera in again, or thaw it."""
        self._ask("mend_camera")

    def changes(self) -> Changes:
        """The changes of every line from now on, on a connection of their own."""
        connection = self._connect()
        try:
            levels = self._begin_to_follow(connection)
        except (DeviceError, OSError) as error:
            connection.close()
            raise DeviceError(f"The bench at {self._path} can't be followed: {error}") from error
        connection.settimeout(None)
        return Changes(connection, _levels_from_json(levels))

    def _begin_to_follow(self, connection: socket.socket) -> Mapping[str, bool]:
        """Read without a buffer, which would swallow the first changes."""
        _send(connection, {"do": "follow"})
        with connection.makefile("rb", buffering=0) as lines:
            levels: Mapping[str, bool] = self._result(_read_line(lines, self._path))
        return levels

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(self._timeout_s)
        try:
            with _short(self._path) as address:
                connection.connect(address)
        except OSError as error:
            connection.close()
            raise DeviceError(
                f"No bench answers at {self._path} ({error.strerror or error}); start it first."
            ) from error
        return connection

    def _ask(self, verb: str, **fields: Any) -> Any:
        with self._lock:
            try:
                _send(self._connection, {"do": verb, **fields})
                return self._result(_read_line(self._lines, self._path))
            except (OSError, ValueError) as error:  # ValueError: closed by ourselves
                raise DeviceError(
                    f"The bench at {self._path} does not answer ({error})."
                ) from error

    def _result(self, answer: dict[str, Any]) -> Any:
        if not answer.get("ok"):
            raise DeviceError(str(answer.get("error", f"{self._path} speaks no bench language.")))
        return answer.get("result")


def _listen(path: Path) -> socket.socket:
    """A listening socket of mode 0600. Connecting fails until it listens, after the chmod."""
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(path) as address:
            listener.bind(address)
        path.chmod(0o600)
        listener.listen(MAX_CONNECTIONS)
    except OSError as error:
        listener.close()
        raise DeviceError(
            f"The bench's socket {path} can't be made ({error.strerror or error}); "
            "choose a short name in a directory of your own."
        ) from error
    return listener


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name for the socket at `path` that does not grow with its folder's."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _remove_stale(path: Path) -> None:
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            with _short(path) as address:
                probe.connect(address)
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError:
            return  # binding will say what is wrong
    raise DeviceError(f"Another bench already answers at {path}; stop it first.")


def _peer_uid(connection: socket.socket) -> int:
    """The account at the other end (SO_PEERCRED: pid, uid, gid; unix(7))."""
    size_bytes = struct.calcsize("3i")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size_bytes)
    return int(struct.unpack("3i", credentials)[1])


def _refuse_and_end(connection: socket.socket, sentence: str) -> None:
    """Taking what still comes, within bounds: closing on unread bytes would drop the sentence."""
    _send(connection, _refusal(sentence))
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(1.0)
    for _ in range(16):
        if not connection.recv(MAX_LINE_BYTES):
            return


def _has_hung_up(connection: socket.socket) -> bool:
    """A follower has nothing more to say: whatever can be read is its end."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False


def _hang_up(connection: socket.socket) -> None:
    """Shutting down wakes whoever waits in it; closing alone does not."""
    with contextlib.suppress(OSError):  # it may be connected no more
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _put(waiting: queue.Queue[LineChange | None], change: LineChange) -> None:
    """One None, after which nothing is kept, tells that the follower is too far behind."""
    length = waiting.qsize()
    if length <= _MAX_WAITING_CHANGES:
        waiting.put(change if length < _MAX_WAITING_CHANGES else None)


def _send(connection: socket.socket, message: dict[str, Any]) -> None:
    connection.sendall(json.dumps(message, separators=(",", ":")).encode() + b"\n")


def _read_line(lines: Any, path: Path) -> dict[str, Any]:
    line = lines.readline(MAX_LINE_BYTES + 1)
    if not line:
        raise DeviceError(f"The bench at {path} has hung up.")
    answer = json.loads(line)
    return answer if isinstance(answer, dict) else {}


def _refusal(sentence: str) -> dict[str, Any]:
    return {"ok": False, "error": sentence}


def _one_sentence(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
        return "The line is not JSON that the bench understands; send one object a line."
    words = str(error.args[0] if isinstance(error, LookupError) and error.args else error)
    return " ".join(words.split())[:300]


def _text(request: Request, field: str) -> str:
    value = request.get(field)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{request.get('do')} needs {field} as text.")
    return value


def _yes_or_no(request: Request, field: str) -> bool:
    value = request.get(field)
    if not isinstance(value, bool):
        raise ValueError(f"{request.get('do')} needs {field} as true or false.")
    return value


def _input(request: Request) -> Input:
    name = _text(request, "line")
    try:
        return Input(name)
    except ValueError:
        names = ", ".join(line.value for line in Input)
        raise ValueError(f"There is no input {name[:40]!r}; inputs are {names}.") from None


def _card(request: Request) -> bytes:
    try:
        return base64.b64decode(_text(request, "data"), validate=True)
    except ValueError:
        raise ValueError("tap needs data as base64 text.") from None


def _kind(request: Request) -> ReadKind:
    """What the tap is worth; an identifier unless it is said."""
    try:
        return ReadKind(request.get("kind", ReadKind.IDENTIFIER.value))
    except ValueError:
        kinds = ", ".join(kind.value for kind in ReadKind)
        raise ValueError(f"tap needs a kind that there is: {kinds}.") from None


def _levels(board: BenchBoard) -> dict[str, bool]:
    return {name.value: on for name, on in board.levels.items()}


def _levels_from_json(levels: Mapping[str, bool]) -> dict[LineName, bool]:
    return {LineName(name): bool(on) for name, on in levels.items()}


def _change_as_json(change: LineChange) -> dict[str, Any]:
    return {
        "line": change.line.value,
        "active": change.active,
        "mono_s": change.mono_s,
        "tone": None if change.tone is None else change.tone.value,
    }


def _change_from_json(change: Mapping[str, Any]) -> LineChange:
    tone = change["tone"]
    return LineChange(
        LineName(change["line"]),
        bool(change["active"]),
        float(change["mono_s"]),
        None if tone is None else Tone(tone),
    )
