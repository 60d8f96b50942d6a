"""The door's end of the link to vision: lets one vision in, hears it, gives it its lease.

Only the account that vision runs under (or the door's own, on a desk) may connect, and one process
at a time. What it says is copied out of the link's buffer into numbers of their own, which
the loop overwrites. A vision that says nothing for too long is taken to hang and is let go: it
comes back by itself.

What changes with this file: `link`, `terminal.vision`, the units in systemd/.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from pathlib import Path

from terminal.arrivals import Inbox, VisionConnected, VisionSaid
from terminal.core.values import NOTHING_ALLOWED, Level, Permission
from terminal.errors import LinkBroken
from terminal.link import Lease, Link
from terminal.sockets import listen, peer_uid

log = logging.getLogger(__name__)

REST_S = 0.5
"""Between the end of one connection and the next."""

SILENT_S = 2.7
"""Vision says something twice a second, and while it waits for a camera that gives no frame after
2 s at the latest; silent for longer than both together it hangs."""


class VisionPort:
    """Listens for vision on `path`; `allowed_uids` may be vision."""

    def __init__(self, path: Path, inbox: Inbox, allowed_uids: frozenset[int]) -> None:
        self._inbox, self._allowed = inbox, allowed_uids
        self._server = listen(path, socket.SOCK_SEQPACKET, 0o660)
        self._link: Link | None = None
        self._is_suspended = False
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="vision-port", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def permit(self, permission: Permission, until_mono_s: float) -> None:
        """Give vision this lease; where there is no vision, nobody has one."""
        lease = Lease(permission.level, permission.track, permission.pose, until_mono_s)
        with self._lock:
            if permission == NOTHING_ALLOWED or not self._is_suspended:
                self._tell(lease)

    def suspend(self) -> None:
        """Take vision's permission away at once, from any thread, until `resume`."""
        with self._lock:
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

    def close(self) -> None:
        """Let vision go and listen no more."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        with self._lock:
            if self._link is not None:
                self._link.shut()  # its own thread closes it
        if self._thread.ident is not None:
            self._thread.join(1.0)

    def _tell(self, lease: Lease) -> None:
        """With the lock held."""
        if self._link is None:
            return
        try:
            self._link.send(lease)
        except LinkBroken:
            self._link.shut()

    def _serve(self) -> None:
        """One vision after another, at most one in REST_S: each comes with records (R18)."""
        while not self._closing.is_set():
            try:
                self._admit(self._server.accept()[0])
            except OSError as error:
                if not self._closing.is_set():
                    log.warning("Vision could not be let in: %s.", error)
            self._closing.wait(REST_S)

    def _admit(self, connected: socket.socket) -> None:
        if peer_uid(connected) in self._allowed:
            self._attend(Link(connected))
        else:
            connected.close()

    def _attend(self, link: Link) -> None:
        with self._lock:
            self._link = link
        self._inbox.put(VisionConnected(True))
        try:
            while self._hear(link):
                pass
            log.warning("Vision says nothing; it is let go and comes back by itself.")
        except LinkBroken as error:
            log.warning("%s", error)
        self._drop()
        self._inbox.put(VisionConnected(False))

    def _hear(self, link: Link) -> bool:
        """Take one message; False when vision has been silent for too long."""
        heard = link.receive(SILENT_S)
        if heard is None:
            return False
        message, numbers = heard
        if isinstance(message, Lease):
            raise LinkBroken("Vision sent a lease, which only the door may.")
        self._inbox.put(VisionSaid(message, numbers.copy()))
        link.wipe()
        return True

    def _drop(self) -> None:
        with self._lock:
            link, self._link = self._link, None
            if link is not None:
                link.close()
