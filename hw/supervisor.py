"""Whoever watches the process: systemd through its notification socket, or nobody.

The protocol is a datagram of `NAME=value` lines to the socket that NOTIFY_SOCKET names
(sd_notify(3)). It must never block the loop: a datagram that can't be sent at once is not sent,
and systemd then does what it does when nothing comes. A name, a credential or a score must never
stand in a status; this file can't know, the caller must. What changes with it: `systemd/`.
"""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hw.errors import DeviceError

if TYPE_CHECKING:  # the ports bring NumPy along, which the process that reads codes does without
    from hw.ports import Supervisor

_LONGEST_STATUS = 200

_LOG = logging.getLogger(__name__)


class SystemdSupervisor:
    """A `Supervisor` on a notification socket: a path, or `@name` for an abstract one.

    `watchdog_s` is after how long without a `ping` systemd kills the process; None: never.
    """

    def __init__(self, address: str, watchdog_s: float | None = None) -> None:
        if address[:1] not in ("/", "@") or len(address) < 2 or "\0" in address:
            raise DeviceError(
                f"NOTIFY_SOCKET is {address!r}, which is no socket of systemd's; unset it."
            )
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watchdog_s = watchdog_s
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)

    @property
    def watchdog_s(self) -> float | None:
        """Time without a ping after which systemd kills the process; ping twice as often."""
        return self._watchdog_s

    def ready(self) -> None:
        """Start-up is over (READY=1). Raises DeviceError when systemd can't be told."""
        try:
            self._socket.sendto(b"READY=1", self._address)
        except OSError as error:
            raise DeviceError(
                f"systemd can't be told that the start is over ({error.strerror}); check that the "
                "unit has Type=notify and that NOTIFY_SOCKET can be reached."
            ) from error

    def ping(self) -> None:
        """One pass of the loop (WATCHDOG=1)."""
        self._send("WATCHDOG=1")

    def status(self, sentence: str) -> None:
        """One line for `systemctl status`; line breaks and what is unprintable become spaces."""
        line = "".join(char if char.isprintable() else " " for char in sentence)
        self._send("STATUS=" + line[:_LONGEST_STATUS])

    def stopping(self) -> None:
        """Shutting down on purpose (STOPPING=1)."""
        self._send("STOPPING=1")

    def close(self) -> None:
        """Let the socket go. May be called twice."""
        self._socket.close()

    def _send(self, message: str) -> None:
        try:
            self._socket.sendto(message.encode("utf-8", "replace"), self._address)
        except OSError as error:
            _LOG.debug("systemd was not told %s: %s", message.partition("=")[0], error)


class NoSupervisor:
    """A `Supervisor` for a desk: nobody watches."""

    def ready(self) -> None:
        """Nobody is told."""

    def ping(self) -> None:
        """Nobody is told."""

    def status(self, sentence: str) -> None:
        """Nobody is told."""

    def stopping(self) -> None:
        """Nobody is told."""


def supervisor_from_environment(environ: Mapping[str, str] = os.environ) -> Supervisor:
    """systemd's when NOTIFY_SOCKET is set, otherwise nobody. Raises DeviceError for nonsense.

    WATCHDOG_USEC counts only when WATCHDOG_PID is absent or ours (sd_watchdog_enabled(3)).
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return NoSupervisor()
    return SystemdSupervisor(address, _watchdog_s(environ))


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    said = environ.get("WATCHDOG_USEC", "")
    if not said or environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,18}", said):
        raise DeviceError(f"WATCHDOG_USEC is {said!r}, which is no time in microseconds; unset it.")
    return int(said) / 1_000_000
