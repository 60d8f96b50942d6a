"""The door's end of a link to another process: lets one in, hears it, lets it go when it is silent.

Only the account that the process runs under (or the door's own, on a desk) may connect, and one
process at a time. Whoever says nothing for too long is taken to hang and is let go: it comes back
by itself. What is heard is the business of who makes a port of this (`vision_port`, `codes_port`).
It must never wait for the other process on any thread but its own.

What changes with this file: both ports.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from terminal.errors import LinkBroken
from terminal.sockets import listen, peer_uid

log = logging.getLogger(__name__)

REST_S = 0.5
"""Between the end of one connection and the next."""


class Connection(Protocol):
    """What a port needs of a link."""

    def shut(self) -> None:
        """Break it from any thread."""
        ...

    def close(self) -> None:
        """Close this end."""
        ...


L = TypeVar("L", bound=Connection)


class Port(ABC, Generic[L]):
    """Listens on `path` for the process called `who`, which one of `allowed_uids` runs."""

    def __init__(self, who: str, path: Path, allowed_uids: frozenset[int]) -> None:
        self._who, self._allowed = who, allowed_uids
        self._server = listen(path, socket.SOCK_SEQPACKET, 0o660)
        self._link: L | None = None
        self._closing = threading.Event()
        self._lock = threading.Lock()
        name = f"{who.lower().replace(' ', '-')}-port"
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Let the other process go and listen no more."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        with self._lock:
            if self._link is not None:
                self._link.shut()  # its own thread closes it
        if self._thread.ident is not None:
            self._thread.join(1.0)

    @abstractmethod
    def _open(self, connected: socket.socket) -> L:
        """The link on a connection that was let in."""

    @abstractmethod
    def _hear(self, link: L) -> bool:
        """Take one message; False when there was silence for too long. Raises LinkBroken."""

    @abstractmethod
    def _announce(self, connected: bool) -> None:
        """The other process is there now, or no longer."""

    def _serve(self) -> None:
        """One after another, at most one in REST_S: each comes with records (R18)."""
        while not self._closing.is_set():
            try:
                self._admit(self._server.accept()[0])
            except OSError as error:
                if not self._closing.is_set():
                    log.warning("%s could not be let in: %s.", self._who, error)
            self._closing.wait(REST_S)

    def _admit(self, connected: socket.socket) -> None:
        if peer_uid(connected) in self._allowed:
            self._attend(self._open(connected))
        else:
            connected.close()

    def _attend(self, link: L) -> None:
        with self._lock:
            self._link = link
        self._announce(True)
        try:
            while self._hear(link):
                pass
            log.warning("%s says nothing; it is let go and comes back by itself.", self._who)
        except LinkBroken as error:
            log.warning("%s", error)
        self._drop()
        self._announce(False)

    def _drop(self) -> None:
        with self._lock:
            link, self._link = self._link, None
            if link is not None:
                link.close()
