"""A control server that says what a test wants: the door's end of `terminal.requests`, scripted.

It hears one request a connection as `control` does, decodes it by the same schema and within the
same length, and answers with the lines that its script gives, or with raw bytes for what a door
would never say. It keeps every request, and the raw bytes of each.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from terminal.requests import MAX_REQUEST_BYTES, AnyRequest, Line
from terminal.sockets import listen

Said = Line | bytes | Iterable[Line | bytes]
Script = Callable[[Any], Said]

_decoder: msgspec.json.Decoder[AnyRequest] = msgspec.json.Decoder(AnyRequest)


def refused(sentence: str) -> Line:
    """A last line: refused."""
    return {"ok": False, "error": sentence}


class Twin:
    """Listens until closed. `script` gives the answer to a request."""

    def __init__(self, folder: Path, script: Script) -> None:
        self.socket = folder / "control.sock"
        self.script = script
        self.requests: list[Any] = []
        self.heard: list[bytes] = []
        self._server = listen(self.socket, socket.SOCK_STREAM, 0o600)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(10.0)

    def _serve(self) -> None:
        while True:
            try:
                connected, _ = self._server.accept()
            except OSError:
                return
            with connected, suppress(OSError):
                self._answer(connected)

    def _answer(self, connected: socket.socket) -> None:
        raw = connected.makefile("rb").readline(MAX_REQUEST_BYTES + 1)
        self.heard.append(raw)
        if len(raw) > MAX_REQUEST_BYTES:
            said: Said = refused(f"This request is longer than {MAX_REQUEST_BYTES} bytes.")
        else:
            said = self._said(raw)
        for line in [said] if isinstance(said, bytes | dict) else said:
            connected.sendall(
                line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
            )

    def _said(self, raw: bytes) -> Said:
        try:
            request = _decoder.decode(raw)
        except msgspec.MsgspecError as error:
            return refused(f"This request is not understood: {error}.")
        self.requests.append(request)
        return self.script(request)
