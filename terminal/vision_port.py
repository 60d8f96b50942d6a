"""The door's end of the link to vision: hears it and gives it its lease.

What vision says is copied out of the link's buffer into numbers of their own, which the loop
overwrites. Who may connect, and what becomes of a vision that says nothing, is `port`'s business.

What changes with this file: `link`, `terminal.vision`, the units in systemd/.
"""

from __future__ import annotations

import socket
from pathlib import Path

from terminal.arrivals import Inbox, VisionConnected, VisionSaid
from terminal.core.values import NOTHING_ALLOWED, Level, Permission
from terminal.errors import LinkBroken
from terminal.link import Lease, Link
from terminal.port import Port

SILENT_S = 2.7
"""Vision says something twice a second, and while it waits for a camera that gives no frame after
2 s at the latest; silent for longer than both together it hangs."""


class VisionPort(Port[Link]):
    """Listens for vision on `path`; `allowed_uids` may be vision."""

    def __init__(self, path: Path, inbox: Inbox, allowed_uids: frozenset[int]) -> None:
        super().__init__("Vision", path, allowed_uids)
        self._inbox = inbox
        self._is_suspended = False

    def permit(self, permission: Permission, until_mono_s: float) -> None:
        """Give vision this lease; where there is no vision, nobody has one."""
        lease = Lease(permission.level, permission.track, permission.pose, until_mono_s)
        with self._lock:
            if permission == NOTHING_ALLOWED or not self._is_suspended:
                self._tell(lease)

    def suspend(self) -> None:
        """Take vision's permission away at once, from any thread, until `resume`.

        Told once: a reader that never stops must not fill the link, which would end it.
        """
        with self._lock:
            if not self._is_suspended:
                self._is_suspended = True
                self._tell(Lease(Level.NONE, None, None, 0.0))

    def resume(self) -> None:
        """What is permitted is again what `permit` says."""
        with self._lock:
            self._is_suspended = False

    @property
    def is_suspended(self) -> bool:
        """Whether nothing is permitted just now, whatever `permit` says."""
        return self._is_suspended

    def _tell(self, lease: Lease) -> None:
        """With the lock held."""
        if self._link is None:
            return
        try:
            self._link.send(lease)
        except LinkBroken:
            self._link.shut()

    def _open(self, connected: socket.socket) -> Link:
        return Link(connected)

    def _announce(self, connected: bool) -> None:
        self._inbox.put(VisionConnected(connected))

    def _hear(self, link: Link) -> bool:
        heard = link.receive(SILENT_S)
        if heard is None:
            return False
        message, numbers = heard
        if isinstance(message, Lease):
            raise LinkBroken("Vision sent a lease, which only the door may.")
        self._inbox.put(VisionSaid(message, numbers.copy()))
        link.wipe()
        return True
