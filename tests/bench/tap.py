"""A tap on the link between vision and door: notes when the first frame of each probe was taken.

The door reckons the time from that frame to the strike itself; to check it, the bench has to know
the moment, and only a probe tells it. So the bench moves the door's socket aside, listens in its
place, and hands every message on as it came, both ways. No number of an embedding is kept, and the
two processes are the product's own, unchanged. What it costs (a fraction of a millisecond a
message) is in the figures.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

from terminal.app import VISION_SOCKET
from terminal.errors import LinkBroken
from terminal.link import Link, Probe
from terminal.sockets import connect, listen

LOOK_S = 0.5


class Tap:
    """Listens in the door's place; vision has to connect anew to be heard through it."""

    def __init__(self, run_folder: Path) -> None:
        path = run_folder / VISION_SOCKET
        self._door = path.with_name("door-side.sock")
        path.rename(self._door)
        self._server = listen(path, socket.SOCK_SEQPACKET, 0o600)
        self._lock = threading.Lock()
        self._first_frames_s: list[float] = []
        self._ended = False
        threading.Thread(target=self._serve, name="tap", daemon=True).start()

    @property
    def first_frames_s(self) -> list[float]:
        """When the first frame of each probe so far was taken (mono s), in order."""
        with self._lock:
            return list(self._first_frames_s)

    def close(self) -> None:
        """Listen no more. May be called twice."""
        self._ended = True
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _serve(self) -> None:
        while not self._ended:
            try:
                connected, _ = self._server.accept()
                door = connect(self._door, socket.SOCK_SEQPACKET)
            except OSError:
                return  # closed, or the door is gone: the rehearsal notices by itself
            self._attend(Link(connected), Link(door))

    def _attend(self, vision: Link, door: Link) -> None:
        back = threading.Thread(target=self._pass_on, args=(door, vision), daemon=True)
        back.start()
        self._pass_on(vision, door)
        back.join()
        vision.close()
        door.close()

    def _pass_on(self, one: Link, other: Link) -> None:
        """Hand on until either end is gone; then the other one is to notice."""
        with contextlib.suppress(LinkBroken):
            while not self._ended:
                self._pass_one(one, other)
        one.shut()
        other.shut()

    def _pass_one(self, one: Link, other: Link) -> None:
        heard = one.receive(LOOK_S)
        if heard is None:
            return
        message, numbers = heard
        if isinstance(message, Probe):
            with self._lock:
                self._first_frames_s.append(message.first_frame_mono_s)
        other.send(message, numbers if numbers.size else None)
        one.wipe()
