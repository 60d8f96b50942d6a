"""A real pcscd with a virtual reader, and the card's side of that reader's protocol.

The virtual reader (Debian: vsmartcard-vpcd) listens on a port of this machine; a card is whoever
connects. A message is its length in two bytes, big-endian, and so many bytes: one byte is an order
to the card (0 power off, 1 power on, 2 reset, 4 tell the answer to reset), more are a command. It
must never touch a pcscd that it has not started.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

PORT = 35963
DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
_SOCKET = Path("/run/pcscd/pcscd.comm")
_PATIENCE_S = 10.0
_TELL_ATR = 4

_CONFIG = f"""\
FRIENDLYNAME "Virtual PCD"
DEVICENAME /dev/null:{PORT:#x}
LIBPATH {DRIVER}
CHANNELID {PORT:#x}
"""


def missing() -> str | None:
    """Why the real thing can't be had here, or None."""
    if shutil.which("pcscd", path=_path()) is None:
        return "pcscd is missing: apt-get install pcscd"
    if not DRIVER.exists():
        return "the virtual reader is missing: apt-get install vsmartcard-vpcd"
    if os.geteuid() != 0:
        return "pcscd can only be started by root"
    if _SOCKET.exists() and _answers():
        return "another pcscd runs here, and is left alone"
    return None


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])


def _answers() -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(_SOCKET)) == 0


class Daemon:
    """A pcscd of our own, in the foreground, that knows the virtual reader alone."""

    def __init__(self, folder: Path) -> None:
        (folder / "vpcd").write_text(_CONFIG, "ascii")
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [shutil.which("pcscd", path=_path()) or "", "-f", "-c", str(self._folder)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _wait_for(lambda: _SOCKET.exists() and _answers() and _listens())

    def stop(self) -> None:
        """May be called twice."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_PATIENCE_S)
            self._process = None


def _listens() -> bool:
    """Looked up, not tried: a connection would be a card."""
    local = f":{PORT:04X} "
    lines = Path("/proc/net/tcp").read_text("ascii").splitlines()
    return any(local in line and line.split()[3] == "0A" for line in lines)


def _wait_for(holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s, "pcscd does not come up"
        time.sleep(0.02)


class VirtualCard:
    """A card on the virtual reader from `with` to its end. `answers`: command -> answer."""

    def __init__(self, atr: bytes, answers: dict[bytes, bytes]) -> None:
        self._atr = atr
        self._answers = answers
        self.asked: list[bytes] = []

    def __enter__(self) -> VirtualCard:
        self._line = socket.create_connection(("127.0.0.1", PORT), timeout=_PATIENCE_S)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._line.shutdown(socket.SHUT_RDWR)
        self._thread.join(_PATIENCE_S)
        self._line.close()

    def _serve(self) -> None:
        try:
            while header := self._line.recv(2, socket.MSG_WAITALL):
                (length,) = struct.unpack(">H", header)
                self._obey(self._line.recv(length, socket.MSG_WAITALL))
        except (OSError, struct.error):
            return  # taken away

    def _obey(self, message: bytes) -> None:
        if len(message) > 1:
            self.asked.append(message)
            self._say(self._answers.get(message, b"\x6d\x00"))
        elif message[0] == _TELL_ATR:
            self._say(self._atr)

    def _say(self, message: bytes) -> None:
        self._line.sendall(struct.pack(">H", len(message)) + message)
