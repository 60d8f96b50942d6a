"""The door's end of the link to the code reader: what codes were seen, and whether it works.

The code reader looks at hostile pictures, so the door holds it to its promises: a message that may
not come ends the connection, and of more than PER_S tellings a second the rest is dropped and
counted. It works as long as it says so and looks at new frames; the door counts it among the ways
in only then (D11). Nothing is ever said to it.

What changes with this file: `code_link`, `arrivals`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

from terminal.arrivals import CodeRefusedSeen, CodeSeen, CodesWorking, Inbox
from terminal.code_link import Code, CodesAlive, Packets, ToDoor
from terminal.errors import LinkBroken
from terminal.port import Port

SILENT_S = 1.6
"""It says something twice a second; silent for longer than three times that it hangs."""

STALLED_S = 2.5
"""While vision sees, a frame is looked at twice a second at least; without one for so long none
comes, or every one of them ends the decoder."""

PER_S = 4.0
"""So many tellings a second are heard, and so many at once."""


class CodesPort(Port[Packets[ToDoor]]):
    """Listens for the code reader on `path`; `allowed_uids` may be it. `clock`: mono s.

    `on_code` gets the passes that were seen, where they don't go straight into the inbox.
    """

    def __init__(
        self,
        path: Path,
        inbox: Inbox,
        allowed_uids: frozenset[int],
        clock: Callable[[], float],
        on_code: Callable[[CodeSeen], None] | None = None,
    ) -> None:
        super().__init__("The code reader", path, allowed_uids)
        self._inbox, self._clock = inbox, clock
        self._on_code = on_code or inbox.put
        self._allowance = Allowance(PER_S)
        self._is_working = False
        self._looked_s = 0.0
        self.alive: CodesAlive | None = None
        """What it last said of itself, for the status."""

        self.dropped = 0
        """How many tellings were too many."""

    def _open(self, connected: socket.socket) -> Packets[ToDoor]:
        return Packets(connected, ToDoor)

    def _announce(self, connected: bool) -> None:
        """Being there is not working yet: that shows with the first frame."""
        self.alive = None
        if not connected:
            self._say(False)

    def _hear(self, link: Packets[ToDoor]) -> bool:
        heard = link.receive(SILENT_S)
        if heard is None:
            return False
        message, descriptor = heard
        if descriptor is not None:
            os.close(descriptor)
            raise LinkBroken("The code reader sent a descriptor, which it may not.")
        self._take(message)
        return True

    def _take(self, message: ToDoor) -> None:
        if isinstance(message, CodesAlive):
            self._take_alive(message)
        elif not self._allowance.take(self._clock()):
            self.dropped += 1
        elif isinstance(message, Code):
            self._on_code(CodeSeen(message.payload))
        else:
            self._inbox.put(CodeRefusedSeen(message.why))

    def _take_alive(self, alive: CodesAlive) -> None:
        before, self.alive = self.alive, alive
        now_s = self._clock()
        if before is not None and alive.frames > before.frames:
            self._looked_s = now_s
            self._say(True)
        elif now_s - self._looked_s >= STALLED_S:
            self._say(False)

    def _say(self, working: bool) -> None:
        if working != self._is_working:
            self._is_working = working
            self._inbox.put(CodesWorking(working))


class Allowance:
    """So many a second, and so many at once: what flows in at a rate, and is taken one by one."""

    def __init__(self, per_s: float) -> None:
        self._per_s, self._left, self._at_s = per_s, per_s, 0.0

    def take(self, now_s: float) -> bool:
        """Whether one more may be taken at this moment (mono s)."""
        gained = max(0.0, now_s - self._at_s) * self._per_s
        self._left, self._at_s = min(self._per_s, self._left + gained), now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
