"""Wiegand output: an existing panel takes the decision, and this terminal is one of its readers.

A frame goes out bit by bit on two lines, each pulse driving a transistor that pulls the panel's D0
or D1 low. It is sent on a thread of its own, since it takes up to 75 ms that the deciding loop does
not have: `send` only queues. A pulse is waited out in place, which nobody but the scheduler can
stretch; panels take the falling edge, so a stretched pulse turns no bit, and a pause that would
tear a frame is told. It must never leave a line pulled low, nor send what it could not queue later:
a person who has gone on must not open a door. What changes with this file: sites with a panel.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable

from hw import wiegand
from hw.errors import DeviceError
from hw.ports import Clock

PULSE_S = 70e-6
"""Panels want 20-100 us (SIA AC-01); what setting the line takes counts."""

SPACING_S = 2e-3
"""From one pulse to the next."""

BETWEEN_FRAMES_S = 0.1
"""So long both lines rest after a frame, so that the panel knows where it ended."""

WAITING = 4
"""So many frames may wait: no door takes more people than one every 0.2 s."""

LONGEST_GAP_S = 0.02
"""A pause within a frame that a panel still takes for one."""

SetLine = Callable[[bool], None]
"""Pulse (True) or rest (False); raises DeviceError."""

_LOG = logging.getLogger(__name__)


def _pause(seconds: float) -> None:
    """Wait; what is shorter than the scheduler's grain is waited out in place."""
    if seconds > SPACING_S / 4:
        time.sleep(seconds)
        return
    end_s = time.perf_counter() + seconds
    while time.perf_counter() < end_s:
        pass


class FrameWriter:
    """Puts frames on two lines, one after the other. Not thread-safe.

    `set_lines` are D0's and D1's. `clock` is monotonic (s) and `pause` waits, both for tests.
    """

    def __init__(
        self,
        set_lines: tuple[SetLine, SetLine],
        clock: Clock = time.perf_counter,
        pause: Callable[[float], None] = _pause,
    ) -> None:
        self._set_lines = set_lines
        self._clock = clock
        self._pause = pause
        self.longest_pulse_s = 0.0
        self.longest_gap_s = 0.0

    def write(self, bits: tuple[int, ...]) -> None:
        """All pulses of one frame, then rest. Raises DeviceError, with both lines at rest."""
        self.longest_gap_s = 0.0
        begun_s: float | None = None
        try:
            for bit in bits:
                begun_s = self._pulse(self._set_lines[bit], begun_s)
        except DeviceError:
            self._rest()
            raise

    def _pulse(self, set_line: SetLine, before_s: float | None) -> float:
        """One pulse, SPACING_S after the one before; when it began."""
        if before_s is not None:
            self._pause(max(0.0, before_s + SPACING_S - self._clock()))
        begun_s = self._clock()
        if before_s is not None:
            self.longest_gap_s = max(self.longest_gap_s, begun_s - before_s)
        set_line(True)
        self._pause(max(0.0, begun_s + PULSE_S - self._clock()))
        set_line(False)
        self.longest_pulse_s = max(self.longest_pulse_s, self._clock() - begun_s)
        return begun_s

    def _rest(self) -> None:
        for set_line in self._set_lines:
            try:
                set_line(False)
            except DeviceError as error:
                _LOG.error("A line to the panel does not go to rest: %s", error)


class WiegandPanel:
    """A `Panel` on two lines. Thread-safe; its thread starts with the first frame."""

    def __init__(self, writer: FrameWriter, rest_s: float = BETWEEN_FRAMES_S) -> None:
        self._writer = writer
        self._rest_s = rest_s
        self._waiting: queue.Queue[tuple[int, ...] | None] = queue.Queue(WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._fault: DeviceError | None = None

    def send(self, number: int, bits: int) -> None:
        """As the port says. A frame that failed is told at the next `send`, which sends nothing."""
        frame = wiegand.encode(number, bits)
        with self._lock:
            if self._closing.is_set():
                raise DeviceError("The panel's lines are closed; open the board again.")
            fault, self._fault = self._fault, None
            if fault is not None:
                raise DeviceError(f"The frame before did not reach the panel: {fault}") from fault
            self._queue(frame)

    def close(self) -> None:
        """Send nothing more; both lines rest. May be called twice."""
        with self._lock:
            self._closing.set()
            thread = self._thread
        if thread is not None:
            with contextlib.suppress(queue.Full):  # it looks at `_closing` after each frame
                self._waiting.put_nowait(None)
            thread.join(timeout=1.0)

    def _queue(self, frame: tuple[int, ...]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hw-panel", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(frame)
        except queue.Full:
            raise DeviceError(
                "The panel's line is busy: frames come faster than it takes them; this one is lost."
            ) from None

    def _run(self) -> None:
        while (frame := self._waiting.get()) is not None and not self._closing.is_set():
            self._write(frame)
            self._closing.wait(self._rest_s)

    def _write(self, frame: tuple[int, ...]) -> None:
        try:
            self._writer.write(frame)
            if self._writer.longest_gap_s > LONGEST_GAP_S:
                raise DeviceError("the machine was too busy, and the frame was torn.")
        except DeviceError as error:
            _LOG.error("A frame did not reach the panel: %s", error)
            with self._lock:
                self._fault = error


class NoPanel:
    """A `Panel` where none is wired."""

    def send(self, number: int, bits: int) -> None:
        """Raises ValueError for what is no frame, and DeviceError."""
        wiegand.encode(number, bits)
        raise DeviceError("No panel is wired; give panel_d0 and panel_d1 their pins.")

    def close(self) -> None:
        """Nothing to close."""
