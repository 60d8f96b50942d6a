"""Facts that events carry and states keep: time, people, ways in, what the camera may do.

Everything here is frozen and says nothing about devices, files or sockets. A person is a random
identifier; no name, number, picture, template or comparison score can stand in any of these
types, so none can reach a decision, a record or a screen.

What changes with this file: every event, effect and table of the core, the store's columns and
the messages of the link.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Final, NewType

PersonId = NewType("PersonId", str)
"""Random identifier of a person; the pseudonym in every record."""

ConsentId = NewType("ConsentId", str)
"""Random identifier of one consent record."""

CardId = NewType("CardId", str)
"""Keyed hash of what a card reader read, in hex; the number itself is never kept (R45)."""

PassId = NewType("PassId", str)
"""Random number of one QR pass, 16 hex digits; the pass itself is kept nowhere."""

TrackId = NewType("TrackId", int)
"""One face followed from frame to frame; a new number after it was lost."""

PASS_PREFIX: Final = b"FT1:"
"""What every pass of ours begins with as a QR code; any other code is foreign."""

MAX_CODE_BYTES: Final = 256
"""A pass is never longer; a longer code is refused unread."""


class CodeFault(Enum):
    """Why QR codes in view are no credential."""

    SEVERAL = "several"
    """Two or more different passes at once: whose is meant?"""

    TOO_LONG = "too_long"
    FOREIGN = "foreign"
    """A code, but none of ours."""


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """When something happened: monotonic seconds to reckon with, wall time to write down.

    `trusted` is False while the wall clock is known to be behind the newest record or was never
    set; what depends on dates must then be refused. `offset_s` is how far the site's local time is
    ahead of UTC at this very moment (summer time included), for what depends on the hour.
    """

    mono_s: float
    utc: datetime
    trusted: bool
    offset_s: int = 0


class Way(Enum):
    """A way through the door."""

    FACE = "face"
    CARD = "card"
    QR = "qr"
    CARD_PIN = "card_pin"
    QR_PIN = "qr_pin"
    CARD_FACE = "card_face"
    REX = "rex"
    HOLD = "hold"
    GUARD = "guard"
    SCHEDULE = "schedule"


class Medium(Enum):
    """What a credential is."""

    CARD = "card"
    QR = "qr"


class Side(Enum):
    """On which side of the door a reader hangs, and where somebody is."""

    OUTSIDE = "out"
    INSIDE = "in"


class Rule(Enum):
    """What opens for a group of holders: one thing, or two."""

    ANY = "any"
    CARD = "card"
    QR = "qr"
    CARD_PIN = "card_pin"
    QR_PIN = "qr_pin"
    CARD_FACE = "card_face"


class Passback(Enum):
    """Whether somebody who is inside already may come in again (anti-passback)."""

    OFF = "off"
    SOFT = "soft"
    HARD = "hard"
    TIMED = "timed"


Intervals = tuple[tuple[int, int], ...]
"""Parts of one day, each from a minute of it (0..1439) to another, exclusive (1..1440)."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something holds: parts of each weekday (Monday first), local time, and of holidays.

    `on_holidays` None: a holiday is like any other day. What crosses midnight stands on both days.
    """

    name: str
    week: tuple[Intervals, Intervals, Intervals, Intervals, Intervals, Intervals, Intervals]
    on_holidays: Intervals | None = ()
    holidays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Group:
    """What holds for a group of holders. `schedule` None: at any time."""

    name: str
    rule: Rule = Rule.ANY
    schedule: Schedule | None = None
    passback: Passback = Passback.OFF
    passback_s: float = 0.0
    passes_lockdown: bool = False


EVERYONE = Group("everyone")
"""The group of whoever was put into none."""


class ConsentState(Enum):
    """Where a person's consent to face recognition stands (event states of ISO/IEC TS 27560)."""

    NONE = "none"
    REQUESTED = "requested"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a probe or a credential belongs to, and what the store knew when it was looked up."""

    person: PersonId
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    consent: ConsentState = ConsentState.NONE
    group: Group = EVERYONE
    has_pin: bool = False
    pin_failures: int = 0
    side: Side | None = None
    side_since: datetime | None = None


class CodeState(Enum):
    """What came of the rotating code in a pass (RFC 6238), as far as the pass has one."""

    NONE = "none"
    FRESH = "fresh"
    WRONG = "wrong"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a QR pass says, its signature checked, and what the store knows of its use.

    `left` is how often it may still be used (None: as often as wanted); `step` the time step of
    its rotating code; `is_marked` that whoever shows it is under duress.
    """

    number: PassId
    valid_from: datetime
    valid_until: datetime
    left: int | None = None
    needs_pin: bool = False
    code: CodeState = CodeState.NONE
    step: int | None = None
    is_revoked: bool = False
    is_marked: bool = False


class PinVerdict(Enum):
    """What came of a typed PIN."""

    RIGHT = "right"
    DURESS = "duress"
    WRONG = "wrong"
    CANT_CHECK = "cant_check"


class Reason(Enum):
    """Why something was refused or ended, as far as a person may know it."""

    NOT_RECOGNISED = "not_recognised"
    NOT_VALID_NOW = "not_valid_now"
    NO_CONSENT = "no_consent"
    UNKNOWN_CARD = "unknown_card"
    CANT_CHECK = "cant_check"
    CLOCK_UNTRUSTED = "clock_untrusted"
    NO_GOOD_FRAME = "no_good_frame"
    DECLINED = "declined"
    SAME_FACE_ENROLLED = "same_face_enrolled"
    TIME_IS_UP = "time_is_up"
    CANCELLED = "cancelled"
    NOT_A_PASS = "not_a_pass"
    SEVERAL_CODES = "several_codes"
    UNKNOWN_PASS = "unknown_pass"
    OTHER_DOOR = "other_door"
    PASS_ENDED = "pass_ended"
    PASS_USED = "pass_used"
    CODE_WRONG = "code_wrong"
    CODE_USED = "code_used"
    WEAK_CARD = "weak_card"
    ANOTHER_WAY = "another_way"
    NO_PIN = "no_pin"
    WRONG_PIN = "wrong_pin"
    PIN_DELAY = "pin_delay"
    CARD_FIRST = "card_first"
    NOT_NOW = "not_now"
    PASSBACK = "passback"
    LOCKDOWN = "lockdown"
    INTERLOCK = "interlock"


class Alarm(Enum):
    """What somebody has to be told of; it stands until it is over, or acknowledged."""

    FORCED_OPEN = "forced_open"
    HELD_OPEN = "held_open"
    PROPPED = "propped"
    TAMPER = "tamper"
    FIRE = "fire"
    DURESS = "duress"
    READER = "reader"
    PIN = "pin"
    PARITY = "parity"


class Outcome(Enum):
    """How a transaction ended; each ends exactly once."""

    GRANTED = "granted"
    REFUSED = "refused"
    DECLINED = "declined"
    ABANDONED = "abandoned"


class FaceOff(Enum):
    """Why no face model may run now, in the order in which a person is told."""

    PLACE = "place"
    DISABLED = "disabled"
    NOBODY_ENROLLED = "nobody_enrolled"
    TOO_MANY_ENROLLED = "too_many_enrolled"
    TEMPLATES = "templates"
    ALTERNATIVES = "alternatives"
    CAMERA = "camera"
    VISION = "vision"
    SIGN = "sign"
    TAMPER = "tamper"
    DECLINED = "declined"
    ANOTHER_WAY = "another_way"
    PAUSED = "paused"
    ASKING = "asking"


class Level(Enum):
    """What vision may do with a frame; each level includes those before it."""

    NONE = 0
    DETECT = 1
    EMBED = 2
    ENROL = 3


class Pose(Enum):
    """How the head is to be held for one reference of an enrolment (the person's own left)."""

    STRAIGHT = "straight"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Permission:
    """What vision may do right now (D10). EMBED names the one track it is for, ENROL the pose.

    `verify` is whom the probe is compared with, where a credential has said who that is (1:1); it
    is for the comparison alone, and vision never hears of it.
    """

    level: Level
    track: TrackId | None = None
    pose: Pose | None = None
    verify: PersonId | None = None


NOTHING_ALLOWED = Permission(Level.NONE)


class View(Enum):
    """What the detector makes of the capture zone."""

    EMPTY = "empty"
    PASSING = "passing"
    SEVERAL = "several"
    READY = "ready"


class Hint(Enum):
    """What would help, in one word; coarse on purpose."""

    NEARER = "nearer"
    FARTHER = "farther"
    TO_THE_MIDDLE = "to_the_middle"
    FACE_THE_CAMERA = "face_the_camera"
    HOLD_STILL = "hold_still"
    MORE_LIGHT = "more_light"
    ONE_AT_A_TIME = "one_at_a_time"
    TURN_MORE = "turn_more"


class Scene(Enum):
    """What the screen shows; `Screen` adds the details."""

    IDLE = "idle"
    FACE_OFF = "face_off"
    PROMPT = "prompt"
    HOLD_STILL = "hold_still"
    GRANTED = "granted"
    REFUSED = "refused"
    OTHER_WAY = "other_way"
    TAP_CARD = "tap_card"
    CONSENT = "consent"
    CAPTURE = "capture"
    CHECKING = "checking"
    TYPE_PIN = "type_pin"
    LOOK_OR_PIN = "look_or_pin"
    CLOSE_DOOR = "close_door"
    LOCKED_DOWN = "locked_down"
    HELD_OPEN = "held_open"
    FORCED_OPEN = "forced_open"
    HELD_RELEASED = "held_released"


@dataclass(frozen=True, slots=True)
class Screen:
    """All that the screen, the lights and the sound may know."""

    scene: Scene
    reason: Reason | None = None
    face_off: FaceOff | None = None
    hint: Hint | None = None
    pose: Pose | None = None
    done: int = 0
    wanted: int = 0
