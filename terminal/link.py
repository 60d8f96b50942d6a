"""The messages between vision and door, and the socket that carries them.

One datagram of a Unix SOCK_SEQPACKET socket is one message: two bytes with the length of a msgpack
head, the head, and for the two messages that carry a probe or a reference, its float32 numbers.
Those numbers stand outside the head so that they are received into a buffer that can be overwritten
(an immutable `bytes` can't be wiped). Both ends check every message against its schema: none has a
field for a picture or for free text, the numbers beside it are one vector of unit length, and a
datagram holds at most MAX_DATAGRAM_BYTES (D6).

What changes with this file: both processes at once; they are released together.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
from typing import Annotated, Final

import msgspec
import numpy as np
import numpy.typing as npt

from terminal.core.values import Hint, Level, Pose, View
from terminal.errors import LinkBroken

MAX_WIDTH: Final = 512
"""The widest embedding that can be carried, in float32 numbers."""

MAX_HEAD_BYTES: Final = 1024
MAX_DATAGRAM_BYTES: Final = 2 + MAX_HEAD_BYTES + 4 * MAX_WIDTH

Vector = npt.NDArray[np.float32]

ModelHash = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
"""A SHA-256 in hexadecimal digits: which model made the numbers."""

Width = Annotated[int, msgspec.Meta(ge=1, le=MAX_WIDTH)]

MonoSeconds = Annotated[float, msgspec.Meta(ge=0.0, le=1e10)]
"""A moment (mono s). The bounds refuse NaN and infinity: no lease ends at either."""


class Message(msgspec.Struct, frozen=True, tag=True, forbid_unknown_fields=True):
    """One message; each says which end may send it."""


class Hello(Message, frozen=True):
    """vision -> door: who speaks, once after connecting."""

    embedder_sha256: ModelHash
    width: Width


class Alive(Message, frozen=True):
    """vision -> door, twice a second: that it runs, and how often each model has run so far."""

    frames: int
    detections: int
    landmarks: int
    embeddings: int
    camera_working: bool


class Zone(Message, frozen=True):
    """vision -> door, on change: what stands in the capture zone."""

    view: View
    track: int | None
    hint: Hint | None


class Present(Message, frozen=True):
    """vision -> door, on change: whether frames differ coarsely (no model looks; D9)."""

    present: bool


class Hindered(Message, frozen=True):
    """vision -> door, on change: no good frame yet; this would help."""

    hint: Hint


class Probe(Message, frozen=True):
    """vision -> door, with numbers: the fused probe of one track, unit length."""

    track: int
    frames: int
    first_frame_mono_s: MonoSeconds


class Reference(Message, frozen=True):
    """vision -> door, with numbers: one reference of the enrolment, unit length."""

    pose: Pose


class Lease(Message, frozen=True):
    """door -> vision: all that is permitted, until `until_mono_s` (D10)."""

    level: Level
    track: int | None
    pose: Pose | None
    until_mono_s: MonoSeconds


FromVision = Hello | Alive | Zone | Present | Hindered | Probe | Reference
FromDoor = Lease
Any = FromVision | FromDoor

CARRIERS: Final = (Probe, Reference)
"""The messages that come with numbers."""

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Any)
_no_numbers: Final = np.empty(0, dtype=np.float32)


class Link:
    """One end of a connected SOCK_SEQPACKET socket, used by one thread for sending.

    `receive` may run on another thread than `send`. What was received with numbers lies in a
    buffer of this object and is gone with the next `receive` or `wipe`.
    """

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._buffer = bytearray(MAX_DATAGRAM_BYTES)

    def fileno(self) -> int:
        """The socket's descriptor, for select."""
        return self._socket.fileno()

    def send(self, message: Any, numbers: Vector | None = None) -> None:
        """Send one message now. Raises LinkBroken when the peer is gone or doesn't keep up."""
        head = _checked_head(message, numbers)
        parts = [struct.pack("!H", len(head)), head]
        if numbers is not None:
            parts.append(memoryview(numbers).cast("B"))  # type: ignore[arg-type]
        try:
            self._socket.sendmsg(parts)
        except OSError as error:
            raise LinkBroken(f"The other process can't be reached any more: {error}.") from error

    def receive(self, timeout_s: float) -> tuple[Any, Vector] | None:
        """The next message and its numbers, or None when none came in time.

        The numbers (float32, (width,)) are a view into this object's buffer. Raises LinkBroken
        when the peer has gone or has sent what is no message.
        """
        if not select.select([self._socket], [], [], max(0.0, timeout_s))[0]:
            return None
        try:
            length = self._socket.recv_into(self._buffer)
        except OSError as error:
            raise LinkBroken(f"The other process can't be heard any more: {error}.") from error
        if length == 0:
            raise LinkBroken("The other process has closed its end of the link.")
        return _checked(memoryview(self._buffer)[:length])

    def wipe(self) -> None:
        """Overwrite what was received last."""
        self._buffer[:] = bytes(len(self._buffer))

    def shut(self) -> None:
        """Break the connection from any thread; whoever is receiving notices."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close this end and overwrite its buffer. May be called twice."""
        self.wipe()
        self._socket.close()


def _checked_head(message: Any, numbers: Vector | None) -> bytes:
    head = _encoder.encode(message)
    try:
        _decoder.decode(head)
    except msgspec.MsgspecError as error:
        raise LinkBroken(f"A {type(message).__name__} can't be sent like this: {error}.") from error
    if len(head) > MAX_HEAD_BYTES:
        raise LinkBroken(f"A {type(message).__name__} is too large to be sent.")
    _check_numbers(message, _no_numbers if numbers is None else numbers)
    return head


def _checked(datagram: memoryview) -> tuple[Any, Vector]:
    try:
        (length,) = struct.unpack_from("!H", datagram)
        message = _decoder.decode(datagram[2 : 2 + length])
        numbers = np.frombuffer(datagram[2 + length :], dtype=np.float32)
    except (struct.error, msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise LinkBroken(f"The other process sent what is no message: {error}.") from error
    _check_numbers(message, numbers)
    return message, numbers


def _check_numbers(message: Any, numbers: Vector) -> None:
    carries = isinstance(message, CARRIERS)
    if carries != (numbers.size > 0):
        raise LinkBroken(f"A {type(message).__name__} with {numbers.size} numbers is no message.")
    if numbers.dtype != np.float32 or numbers.size > MAX_WIDTH:
        raise LinkBroken(f"{numbers.size} numbers of {numbers.dtype} are no embedding.")
    if carries and not is_unit(numbers):
        raise LinkBroken("An embedding that is not of unit length was refused.")


def is_unit(numbers: Vector) -> bool:
    """Whether a vector is finite and of unit length (+-1 %)."""
    with np.errstate(over="ignore", invalid="ignore"):  # hostile numbers are no news for the log
        length = float(np.linalg.norm(numbers))
    return bool(np.isfinite(length)) and abs(length - 1.0) < 0.01
