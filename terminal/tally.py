"""What the two processes of the code reader both know: counts, and the frame that is in hand.

A few numbers in memory that both see. The worker writes them and may be anybody's by then, so
whoever reads takes them for numbers and nothing more: a wrong one is a wrong count, or an answer
about a frame that was not asked about.

What changes with this file: `code_worker` (writes), `code_keeper` (reads).
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass

_LAYOUT = struct.Struct("=QQQd?")
_MOST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class InHand:
    """The frame that is being looked at, and since when (mono s)."""

    number: int
    since_s: float


class Tally:
    """Shared with every process forked after it was made."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _LAYOUT.size)

    @property
    def frames(self) -> int:
        """How many frames were looked at to the end."""
        return min(self._read()[0], _MOST)

    @property
    def decoded(self) -> int:
        """How many of them held a code of any kind."""
        return min(self._read()[1], _MOST)

    @property
    def in_hand(self) -> InHand | None:
        """The frame that is being looked at now, or was when the worker died."""
        _, _, number, since_s, is_busy = self._read()
        return InHand(min(number, _MOST), since_s) if is_busy else None

    def begin(self, number: int, now_s: float) -> None:
        """A frame is taken in hand."""
        self._write(self.frames, self.decoded, number, now_s, True)

    def finish(self, decoded: bool) -> None:
        """It has been looked at to the end."""
        _, _, number, since_s, _ = self._read()
        self._write(self.frames + 1, self.decoded + decoded, number, since_s, False)

    def drop(self) -> None:
        """Whoever had it in hand is dead."""
        _, _, number, since_s, _ = self._read()
        self._write(self.frames, self.decoded, number, since_s, False)

    def _read(self) -> tuple[int, int, int, float, bool]:
        frames, decoded, number, since_s, is_busy = _LAYOUT.unpack_from(self._memory)
        return frames, decoded, number, since_s, is_busy

    def _write(self, frames: int, decoded: int, number: int, since_s: float, busy: bool) -> None:
        _LAYOUT.pack_into(
            self._memory, 0, min(frames, _MOST), min(decoded, _MOST), number, since_s, busy
        )
