"""The bench's Wiegand wires: a pair that the world pulses, and a panel that notes what it is sent.

The panel's twin decodes each frame with the decoder that the reader has, so that what a panel would
understand is what is noted. It must never be kinder than the wire: a panel that is not wired takes
nothing. What changes with this file: tests and stories with a Wiegand reader or a panel.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from hw import wiegand
from hw.errors import DeviceError
from hw.ports import Clock, Edge, OnEdge

BIT_S = 1.5e-3
"""From one bit to the next, as readers send them."""

FRAMES_KEPT = 1000
"""So many frames are remembered: a bench may run for weeks."""


class BenchPair:
    """Two lent lines. Thread-safe."""

    def __init__(self, on_edge: OnEdge, clock: Clock) -> None:
        self._on_edge = on_edge
        self._clock = clock
        self._lock = threading.Lock()
        self.is_closed = False

    def close(self) -> None:
        """The driver gives them back; nothing more is told."""
        with self._lock:
            self.is_closed = True

    # The world's side.

    def pulse(self, line: int, tick_s: float) -> bool:
        """One pulse on D0 or D1; whether anybody watched."""
        with self._lock:
            if self.is_closed:
                return False
        self._on_edge(Edge(line, tick_s))
        return True

    def send(self, bits: Sequence[int]) -> bool:
        """One row of bits at a reader's pace, from now on; whether anybody watched."""
        begun_s = self._clock()
        heard = [self.pulse(bit, begun_s + at * BIT_S) for at, bit in enumerate(bits)]
        return all(heard)


class BenchPanel:
    """The twin of a `Panel`. Thread-safe."""

    def __init__(self, is_wired: bool = True) -> None:
        self._is_wired = is_wired
        self._is_closed = False
        self._frames: deque[wiegand.Frame] = deque(maxlen=FRAMES_KEPT)

    @property
    def frames(self) -> tuple[wiegand.Frame, ...]:
        """The newest FRAMES_KEPT frames as a panel decodes them, oldest first."""
        return tuple(self._frames)

    def send(self, number: int, bits: int) -> None:
        """As the port says; it arrives at once."""
        frame = wiegand.decode(wiegand.encode(number, bits))
        if self._is_closed:
            raise DeviceError("The panel's lines are closed; open the board again.")
        if not self._is_wired:
            raise DeviceError("No panel is wired; give panel_d0 and panel_d1 their pins.")
        assert isinstance(frame, wiegand.Frame), "what is encoded decodes"
        self._frames.append(frame)

    def close(self) -> None:
        """Nothing more is taken."""
        self._is_closed = True
