"""Runs door, vision and the code reader as processes of their own, as systemd would on a device.

Vision and the code reader are started again whenever they end (the units' Restart=always); door is
not: without it there is nothing to show. What they print goes to a file in the run directory.

What changes with this file: systemd/ (the same rules), `app`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

RESTART_S = 0.5
"""Either comes back after so long, as RestartSec= in its unit says."""

END_S = 5.0


class Processes:
    """All under one roof. A context manager; leaving it ends them."""

    def __init__(self, config: Path, log: Path, restart_vision: bool = True) -> None:
        self._config, self._restarts = config, restart_vision
        self._log = log.open("ab")
        self._log_file = log
        self._ending = threading.Event()
        self.vision_failed = threading.Event()
        self.clip_ended = threading.Event()
        self._door = self._spawn("door")
        self._qr = self._spawn("qr")
        self._vision = self._spawn("vision")
        for mind in (self._mind_vision, self._mind_qr):
            threading.Thread(target=mind, name=mind.__name__, daemon=True).start()

    @property
    def door_runs(self) -> bool:
        """Whether the door process is alive."""
        return self._door.poll() is None

    @property
    def vision_pid(self) -> int:
        """The present vision process."""
        return self._vision.pid

    @property
    def qr_pid(self) -> int:
        """The present code reader: the process that keeps its worker."""
        return self._qr.pid

    @property
    def last_words(self) -> str:
        """The last thing that any of them said for a person to read, or where to look."""
        lines = self._log_file.read_text(errors="replace").splitlines()
        said = [line.partition(": ")[2] for line in lines if line.startswith("CRITICAL")]
        return said[-1] if said else f"see {self._log_file}"

    def kill_vision(self) -> None:
        """kill -9, without a word."""
        self._vision.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """End them, gently and then not. May be called twice."""
        self._ending.set()
        for process in (self._vision, self._qr, self._door):
            _end(process)
        self._log.close()

    def _spawn(self, role: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "terminal", role, "--config", str(self._config)]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(
            command, stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL, env=environment
        )

    def _mind_vision(self) -> None:
        while not self._ending.is_set():
            status = self._vision.wait()
            if status == 0 and not self._restarts:
                self.clip_ended.set()
                return
            self.vision_failed.set()
            if self._ending.wait(RESTART_S):
                return
            self._vision = self._spawn("vision")

    def _mind_qr(self) -> None:
        while not self._ending.is_set():
            self._qr.wait()
            if self._ending.wait(RESTART_S):
                return
            self._qr = self._spawn("qr")

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
