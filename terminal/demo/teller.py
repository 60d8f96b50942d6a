"""Tells the story: a heading a chapter, under it what happens, each line with its second in front.

Lines come from several threads and are told in the order in which things happened, a tenth of a
second late, so that a record stands before the strike that it is for.

What changes with this file: what `make run` looks like.
"""

from __future__ import annotations

import sys
import threading
import time

from terminal.demo.feed import Happening, words_for

LATE_S = 0.12
"""What happened on one thread is known on the others within this time."""

COLOURS = {"screen": "36", "record": "2", "strike": "1;32", "sign": "33", "door_contact": "32"}


class Teller:
    """Prints lines in the order of their times. Any thread may tell."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._colour = sys.stdout.isatty()
        self._waiting: list[tuple[float, str]] = []
        self._lock = threading.Lock()
        self._is_over = False
        threading.Thread(target=self._print_late, name="teller", daemon=True).start()

    def chapter(self, title: str) -> None:
        """A new part of the story, after everything before it."""
        time.sleep(2 * LATE_S)
        with self._lock:
            self._print_until(float("inf"))
            print(f"\n{self._painted('1', title)}", flush=True)

    def say(self, who: str, words: str) -> None:
        """One line, now."""
        self._tell(time.monotonic(), f"{who:<12} {words}")

    def happened(self, happening: Happening) -> None:
        """One happening, as far as it needs words."""
        words = words_for(happening)
        if words is not None:
            line = f"{happening.what.replace('_', ' '):<12} {words}"
            self._tell(happening.mono_s, self._painted(COLOURS.get(happening.what, ""), line))

    def close(self) -> None:
        """Print everything that was told so far, and nothing that comes after."""
        time.sleep(2 * LATE_S)
        with self._lock:
            self._print_until(float("inf"))
            self._is_over = True

    def _tell(self, at_s: float, line: str) -> None:
        with self._lock:
            if not self._is_over:
                self._waiting.append((at_s, line))

    def _print_late(self) -> None:
        while True:
            time.sleep(LATE_S / 2)
            with self._lock:
                self._print_until(time.monotonic() - LATE_S)

    def _print_until(self, before_s: float) -> None:
        self._waiting.sort(key=lambda told: told[0])
        while self._waiting and self._waiting[0][0] < before_s:
            at_s, line = self._waiting.pop(0)
            print(f"{max(0.0, at_s - self._began_s):7.2f}  {line}", flush=True)

    def _painted(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colour and code else text
