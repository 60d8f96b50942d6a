"""Card readers and keypads on a Wiegand pair: two of the board's pins, D0 and D1.

The board lends the pins and tells each falling edge with the kernel's time of it, so that it does
not matter when Python gets around to it; `hw.wiegand` makes frames of them once the wires are
silent. Nobody can know whether a reader hangs on the wires: the reader counts as working as long
as the pins are ours. What is noise is dropped and counted, and what was read is never logged. It
must never put two bursts together. What changes with this file: nothing but the readers wired.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

from hw import wiegand
from hw.errors import DeviceError
from hw.ports import Clock, Edge, EdgePair, OnEdge, OnRead, OnWorking, Read, ReadKind
from hw.timers import CallLater, Due, ThreadTimers
from hw.typed_entry import ENTRY_GAP_S, TypedEntry
from hw.wiegand import MAX_EDGES, SILENCE_S, Drop, Frame, Key

Lend = Callable[[OnEdge], EdgePair]
"""Lends this reader's pins, as `Board.lend` with the pins filled in; raises DeviceError."""

WARN_AT = 20
"""After so many dropped bursts it is said once: a wire is bad, or the format is not known."""

_LOG = logging.getLogger(__name__)


class WiegandReader:
    """A `CardReader` on two lent pins. With `keypad` bursts of 4 and 8 bits are keys.

    `call_later` is for tests; without it the silence is waited for on a thread of its own.
    """

    def __init__(
        self,
        name: str,
        lend: Lend,
        clock: Clock = time.monotonic,
        *,
        keypad: bool = False,
        call_later: CallLater | None = None,
    ) -> None:
        self._name = name
        self._lend = lend
        self._clock = clock
        self._call_later = call_later
        self._timers: ThreadTimers | None = None
        self._entry = TypedEntry() if keypad else None
        self._lock = threading.RLock()
        self._edges: list[Edge] = []
        self._newest_s = 0.0
        self._before_s: float | None = None
        self._dropped: Counter[Drop] = Counter()
        self._on_read: OnRead | None = None
        self._pair: EdgePair | None = None
        self._is_closed = False

    @property
    def name(self) -> str:
        """The reader's name in the configuration."""
        return self._name

    @property
    def dropped(self) -> Mapping[Drop, int]:
        """How many bursts were dropped, and why."""
        with self._lock:
            return dict(self._dropped)

    def start(self, on_read: OnRead, on_working: OnWorking) -> None:
        """As the port says. Raises DeviceError when the pins can't be had."""
        with self._lock:
            if self._on_read is not None or self._is_closed:
                raise DeviceError(f"The reader {self._name} is already started or closed.")
            self._pair = self._borrow()
            self._on_read = on_read
        on_working(True)

    def close(self) -> None:
        """Give the pins back; overwrite what was begun. May be called twice."""
        with self._lock:
            self._is_closed = True
            self._edges.clear()
            self._give_up_entry()
            pair, self._pair = self._pair, None
        if pair is not None:
            pair.close()
        if self._timers is not None:
            self._timers.close()

    def _borrow(self) -> EdgePair:
        if self._call_later is None:
            self._timers = ThreadTimers(f"reader {self._name}", self._clock)
            self._call_later = self._timers.call_later
        try:
            return self._lend(self._on_edge)
        except DeviceError:
            self.close()
            raise

    def _on_edge(self, edge: Edge) -> None:
        """On a thread of the pin library: only kept. The first of a burst arms the timer."""
        with self._lock:
            if self._is_closed:
                return
            self._newest_s = self._clock()
            if not self._edges:
                self._arm(SILENCE_S, self._on_silence)
            if len(self._edges) <= MAX_EDGES:
                self._edges.append(edge)

    def _arm(self, delay_s: float, due: Due) -> None:
        assert self._call_later is not None
        try:
            self._call_later(delay_s, due)
        except DeviceError as error:  # the timers are closed: so are we, in a moment
            _LOG.debug("The reader %s is closing: %s", self._name, error)

    def _on_silence(self) -> None:
        with self._lock:
            left_s = self._newest_s + SILENCE_S - self._clock()
            if self._is_closed or not self._edges:
                return
            if left_s > 0:
                self._arm(left_s, self._on_silence)
                return
            edges, self._edges = self._edges, []
            self._take_all(edges)

    def _take_all(self, edges: list[Edge]) -> None:
        if len(edges) > MAX_EDGES:
            self._drop(Drop.LENGTH)
            return
        for burst in wiegand.bursts(edges):
            read = self._read_of(burst)
            if read is not None and self._on_read is not None:
                self._on_read(read.data, self._newest_s, read.kind)

    def _read_of(self, burst: list[Edge]) -> Read | None:
        """A burst whose beginning was taken away, since Python came late, is half a frame."""
        is_rest = self._before_s is not None and burst[0].tick_s - self._before_s < SILENCE_S
        self._before_s = burst[-1].tick_s
        bits = Drop.GAP if is_rest else wiegand.bits_of(burst)
        if isinstance(bits, Drop):
            return self._drop(bits)
        if self._entry is not None and len(bits) in (4, 8):
            return self._press(self._entry, wiegand.decode_key(bits))
        found = wiegand.decode(bits)
        return Read(found.text.encode()) if isinstance(found, Frame) else self._drop(found)

    def _press(self, entry: TypedEntry, key: int | Key | Drop) -> Read | None:
        if isinstance(key, Drop):
            return self._drop(key)
        if key is Key.CLEAR:
            entry.clear()
        elif key is Key.END:
            typed = entry.end(self._newest_s)
            return None if typed is None else Read(typed, ReadKind.TYPED)
        else:
            entry.press(str(key), self._newest_s)
            self._arm(ENTRY_GAP_S, self._on_pause)
        return None

    def _on_pause(self) -> None:
        """Nobody goes on typing: what was begun is overwritten."""
        with self._lock:
            if self._clock() - self._newest_s >= ENTRY_GAP_S:
                self._give_up_entry()

    def _give_up_entry(self) -> None:
        if self._entry is not None:
            self._entry.clear()

    def _drop(self, why: Drop) -> Read | None:
        """What was dropped may have been a key: a PIN without it is another PIN."""
        if self._entry is not None and self._entry.is_begun:
            self._entry.spoil()
        self._dropped[why] += 1
        if self._dropped.total() == WARN_AT:
            _LOG.warning(
                "The reader %s has sent %d bursts that are no frame; check the wires, their "
                "common ground and the format.",
                self._name,
                WARN_AT,
            )
        return None
