"""The messages to and from the process that reads QR codes, and the socket that carries them.

One datagram of a Unix SOCK_SEQPACKET socket is one message: a msgpack head, and with a frame the
descriptor of the memory that holds it. Both ends check every message against what may come there:
a payload is at most MAX_CODE_BYTES, everything else is numbers and words of a list. NumPy is not
here on purpose: the process that reads codes does without it.

    vision -> qr    Frame, with a descriptor        qr -> vision    Done
    qr -> door      CodesAlive, Code, CodeRefused   door -> qr      nothing

What changes with this file: vision, qr and door at once; they are released together.
"""

from __future__ import annotations

import array
import contextlib
import os
import select
import socket
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec

from terminal.core.values import MAX_CODE_BYTES, CodeFault
from terminal.errors import LinkBroken

MAX_WIDTH_PX: Final = 1920
MAX_HEIGHT_PX: Final = 1080
"""The largest frame that is read."""

MAX_MESSAGE_BYTES: Final = 512

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class CodeMessage(msgspec.Struct, frozen=True, tag=True, forbid_unknown_fields=True):
    """One message; each says which end may send it."""


class Frame(CodeMessage, frozen=True):
    """vision -> qr, with a descriptor: one grey frame, a byte a pixel, row by row."""

    number: Count
    width_px: Annotated[int, msgspec.Meta(ge=16, le=MAX_WIDTH_PX)]
    height_px: Annotated[int, msgspec.Meta(ge=16, le=MAX_HEIGHT_PX)]


class Done(CodeMessage, frozen=True):
    """qr -> vision: that frame has been looked at; `found`: somebody holds up a code in it."""

    number: Count
    found: bool


class CodesAlive(CodeMessage, frozen=True):
    """qr -> door, twice a second: how many frames were looked at and how many of them held a code
    since the process began, and how often the decoder died of one."""

    frames: Count
    decoded: Count
    crashes: Count


class Code(CodeMessage, frozen=True):
    """qr -> door: one code that begins as a pass of ours does; nothing of it has been checked."""

    payload: Annotated[bytes, msgspec.Meta(min_length=1, max_length=MAX_CODE_BYTES)]


class CodeRefused(CodeMessage, frozen=True):
    """qr -> door: there are codes in view, and none can be taken."""

    why: CodeFault


ToDoor = CodesAlive | Code | CodeRefused

M = TypeVar("M", bound=CodeMessage)

_encoder = msgspec.msgpack.Encoder()


class Packets(Generic[M]):
    """One end of a connected SOCK_SEQPACKET socket at which messages of type `heard` may come.

    Nothing here ever waits but `receive`, and that as long as it is told to.
    """

    def __init__(self, connected: socket.socket, heard: Any) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._decoder: msgspec.msgpack.Decoder[M] = msgspec.msgpack.Decoder(heard)

    def fileno(self) -> int:
        """The socket's descriptor, for poll."""
        return self._socket.fileno()

    def send(self, message: CodeMessage, descriptor: int | None = None) -> None:
        """Send one message now. Raises LinkBroken when the peer is gone or doesn't keep up."""
        head = _encoder.encode(message)
        if len(head) > MAX_MESSAGE_BYTES:
            raise LinkBroken(f"A {type(message).__name__} is too large to be sent.")
        try:
            if descriptor is None:
                self._socket.send(head)
            else:
                socket.send_fds(self._socket, [head], [descriptor])
        except OSError as error:
            raise LinkBroken(f"The other process can't be reached any more: {error}.") from error

    def receive(self, timeout_s: float = 0.0) -> tuple[M, int | None] | None:
        """The next message and the descriptor that came with it (the caller's to close), or None.

        Raises LinkBroken when the peer has gone or has sent what may not come here.
        """
        if not _readable(self._socket, timeout_s):
            return None
        head, descriptors = self._datagram()
        try:
            if not head:
                raise LinkBroken("The other process has closed its end of the link.")
            if len(descriptors) > 1:
                raise LinkBroken("More than one descriptor came with a message.")
            message = self._decoder.decode(head)
        except (LinkBroken, msgspec.MsgspecError, RecursionError) as error:
            for descriptor in descriptors:
                os.close(descriptor)
            if isinstance(error, LinkBroken):
                raise
            raise LinkBroken(f"The other process sent what is no message: {error}.") from error
        return message, (descriptors[0] if descriptors else None)

    def shut(self) -> None:
        """Break the connection from any thread; whoever is receiving notices."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close this end. May be called twice."""
        self._socket.close()

    def _datagram(self) -> tuple[bytes, list[int]]:
        room = socket.CMSG_SPACE(4 * array.array("i").itemsize)
        try:
            head, extras, flags, _ = self._socket.recvmsg(
                MAX_MESSAGE_BYTES, room, socket.MSG_CMSG_CLOEXEC
            )
        except OSError as error:
            raise LinkBroken(f"The other process can't be heard any more: {error}.") from error
        descriptors = _descriptors_in(extras)
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            for descriptor in descriptors:
                os.close(descriptor)
            raise LinkBroken("The other process sent more than one message holds.")
        return head, descriptors


def _descriptors_in(extras: list[tuple[int, int, bytes]]) -> list[int]:
    found = array.array("i")
    for level, kind, data in extras:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return list(found)


def _readable(connected: socket.socket, timeout_s: float) -> bool:
    """poll and not select: a descriptor may be above 1023. Raises LinkBroken for a closed one."""
    if connected.fileno() < 0:
        raise LinkBroken("This end of the link is closed.")
    watch = select.poll()
    watch.register(connected, select.POLLIN)
    return bool(watch.poll(max(0.0, timeout_s) * 1000))
