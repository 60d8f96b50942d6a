"""The ports through which the terminal reaches its devices.

Every driver in this package fulfils one of these Protocols and so does its bench twin; one
contract suite runs over all of them. A port says what a device does, never when: nothing here
decides. Drivers get their clock handed in (`Clock`), start no work before `start` or `open`, and
report from threads of their own by calling what they were given; the callee only queues.

What changes with this file: every driver, every twin, and the contract suite.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from hw.errors import CameraEnded as CameraEnded
from hw.errors import CameraLost as CameraLost
from hw.errors import DeviceError as DeviceError
from hw.wiring import LineName

Image = npt.NDArray[np.uint8]
"""An RGB picture: uint8, shape (rows, columns, 3), red first."""

Clock = Callable[[], float]
"""Seconds of a clock that never steps back (`time.monotonic` on a device)."""


@dataclass(frozen=True, slots=True)
class FrameSize:
    """Size of every frame of one camera, in px."""

    width_px: int
    height_px: int


class Camera(Protocol):
    """Frames of one size, newest first: a frame that nobody fetched in time is dropped."""

    @property
    def size(self) -> FrameSize:
        """Size of the frames that `read` fills in."""
        ...

    def open(self) -> None:
        """Start the stream. Raises DeviceError when there is no such camera."""
        ...

    def read(self, into: Image) -> float:
        """Overwrite `into` (uint8, (height, width, 3), RGB) and return its capture time (mono s).

        Blocks until the next frame. Raises CameraLost when none comes for two seconds, and
        CameraEnded after the last frame of a clip.
        """
        ...

    def close(self) -> None:
        """Stop the stream and overwrite what the driver still holds. May be called twice."""
        ...


class Strike(Protocol):
    """The door relay. At rest it is secure; energised it releases the strike."""

    def release(self, max_s: float) -> None:
        """Energise now, and fall back to rest by the driver's own timer after `max_s`.

        A second call while energised sets the end anew from now. Raises DeviceError, at rest.
        """
        ...

    def hold(self, lease_s: float) -> None:
        """Keep energised until `lease_s` from now; whoever wants it longer must ask again."""
        ...

    def secure(self) -> None:
        """Back to rest at once; also when it already is."""
        ...

    @property
    def is_released(self) -> bool:
        """The line as it reads back, not as it was set."""
        ...


class Lamp(Protocol):
    """The signage LED: steady means that face recognition is in use here, now."""

    def set(self, lit: bool) -> None:
        """Light it or darken it."""
        ...

    @property
    def is_lit(self) -> bool:
        """The line as it reads back (the current-sense input where one is wired)."""
        ...


class Tone(Enum):
    """What the buzzer can say."""

    GRANTED = "granted"
    REFUSED = "refused"
    ALARM = "alarm"
    WARNING = "warning"
    PROMPT = "prompt"


class Buzzer(Protocol):
    """A buzzer or a small loudspeaker on one line."""

    def play(self, tone: Tone) -> None:
        """Begin the tone's pattern and return at once; a newer tone replaces an older one."""
        ...


class Input(Enum):
    """Lines that the terminal listens to."""

    KIOSK_BUTTON = "kiosk_button"
    FACE_BUTTON = "face_button"
    DOOR_CONTACT = "door_contact"
    REX = "rex"
    PRESENCE = "presence"
    TAMPER = "tamper"
    FIRE = "fire"
    INTERLOCK = "interlock"


@dataclass(frozen=True, slots=True)
class InputChange:
    """One debounced change of an input line.

    `active` is the logical level of the wiring table (button pressed, door open, exit asked,
    someone present, enclosure opened), whatever the electrical one. `mono_s` is when the edge was
    seen.
    """

    line: Input
    active: bool
    mono_s: float


OnInput = Callable[[InputChange], None]


@dataclass(frozen=True, slots=True)
class Edge:
    """One falling edge of a lent pair of lines.

    `line` is 0 or 1: which of the two. `tick_s` is the pin library's own time of the edge, in s
    from an origin that nobody knows: only differences between ticks mean anything.
    """

    line: int
    tick_s: float


OnEdge = Callable[[Edge], None]
"""Called for every edge, perhaps out of order, on a thread of the library: only queue."""


class EdgePair(Protocol):
    """Two input lines that a board has lent to a driver, pulled up and idle high."""

    def close(self) -> None:
        """Give the lines back. May be called twice."""
        ...


class Panel(Protocol):
    """An access control panel that takes this terminal for one of its Wiegand readers."""

    def send(self, number: int, bits: int) -> None:
        """Send the credential number in a frame of 26, 34 or 37 bits, parity included.

        `number` is the frame without its two parity bits: 0 <= number < 2 ** (bits - 2). Returns
        at once; the frame goes out on a thread of the driver's own. Raises ValueError for what is
        no such number, and DeviceError when no panel is wired, the board is closed, the line
        failed, or frames come faster than the wire takes them.
        """
        ...


class Board(Protocol):
    """All lines of one terminal, claimed at their resting level."""

    @property
    def strike(self) -> Strike:
        """The door relay."""
        ...

    @property
    def sign(self) -> Lamp:
        """The signage LED."""
        ...

    @property
    def buzzer(self) -> Buzzer:
        """The buzzer."""
        ...

    @property
    def alarm(self) -> Lamp:
        """The alarm contact: set while an alarm stands. Where none is wired it never reads set."""
        ...

    @property
    def panel(self) -> Panel:
        """The Wiegand output to a panel; `send` raises DeviceError where none is wired."""
        ...

    def lend(self, bcm: tuple[int, int], on_edge: OnEdge) -> EdgePair:
        """Watch two more pins as a pair of Wiegand inputs (D0, D1: BCM numbers).

        Raises DeviceError when the board is closed or a pin is taken or fails.
        """
        ...

    @property
    def levels(self) -> Mapping[LineName, bool]:
        """The logical level of every line that is wired, read now. Raises DeviceError.

        A buzzer's is that of this very moment; whoever tests it listens.
        """
        ...

    def start(self, on_change: OnInput) -> Mapping[Input, bool]:
        """Begin to watch the inputs; returns the level of each line that is wired, now."""
        ...

    def close(self) -> None:
        """Secure the strike, darken the sign, then let the lines go. May be called twice."""
        ...


MAX_READ_BYTES = 256
"""A reader hands on at most this much of one read: the longest pass that a QR scanner types or
sends. What is longer is dropped whole, as noise."""


class ReadKind(Enum):
    """What a read is worth as evidence."""

    IDENTIFIER = "identifier"
    """A number or a text as it was read. Whoever has seen it can copy it: weak."""
    AUTHENTICATED = "authenticated"
    """The card has proved that it holds a key. Designed for: no driver gives it yet."""
    TYPED = "typed"
    """Digits that a person typed on a keypad: a PIN, and no card's number."""


class Read(NamedTuple):
    """One whole read, as decoders give it."""

    data: bytes
    kind: ReadKind = ReadKind.IDENTIFIER


class OnRead(Protocol):
    """Called with every read, on the driver's thread: only queue."""

    def __call__(self, data: bytes, mono_s: float, kind: ReadKind = ReadKind.IDENTIFIER) -> None:
        """`data` is 1..MAX_READ_BYTES, without its ending; `mono_s` when it was whole."""
        ...


OnWorking = Callable[[bool], None]
"""Called when a reader comes (True) or goes (False); once soon after `start` with its state."""


class CardReader(Protocol):
    """One reader of cards or codes, or a keypad. It comes back by itself after it was unplugged."""

    @property
    def name(self) -> str:
        """The reader's name in the configuration."""
        ...

    def start(self, on_read: OnRead, on_working: OnWorking) -> None:
        """Begin to read on a thread of the driver's own."""
        ...

    def close(self) -> None:
        """Stop reading and let the device go. May be called twice."""
        ...


class Supervisor(Protocol):
    """Whoever watches this process: systemd on a device, nobody on a desk."""

    def ready(self) -> None:
        """Start-up is over."""
        ...

    def ping(self) -> None:
        """One whole pass of the loop is done; the watchdog starts anew."""
        ...

    def status(self, sentence: str) -> None:
        """One line for `systemctl status`; never a name, a credential or a score."""
        ...

    def stopping(self) -> None:
        """Shutting down on purpose."""
        ...
