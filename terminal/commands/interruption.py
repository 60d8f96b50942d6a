"""Ctrl-C during work in pieces: heard at once, obeyed between two pieces.

Whoever writes row by row to a door must not lose sight of a piece that is on its way. A second
Ctrl-C ends at once all the same. Only the main thread hears signals; elsewhere nothing changes.

What changes with this file: the import.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Interruption:
    """A context manager; `is_wanted` after the first Ctrl-C within it."""

    def __init__(self) -> None:
        self.is_wanted = False
        self._hears = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Interruption:
        if self._hears:
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self._hears:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.is_wanted:
            raise KeyboardInterrupt
        self.is_wanted = True
