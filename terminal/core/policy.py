"""The site's numbers, and the two formulas that follow from them.

A `Policy` is made once, from the configuration, and never changes while the terminal runs. Bounds
are stated here and enforced by `terminal.config`, so that no table has to doubt a number.

What changes with this file: `terminal/config.py`, `docs/configuration.md`, the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from terminal.core.values import Pose


class Trigger(Enum):
    """What starts a face scan (D1)."""

    WALK_UP = "walk-up"
    BUTTON = "button"


class Rex(Enum):
    """What the terminal does with the exit button (D15)."""

    OBSERVE = "observe"
    RELEASE = "release"


class Lock(Enum):
    """What the lock does without power; it changes the wiring and the warning, not the tables."""

    FAIL_SECURE = "fail_secure"
    FAIL_SAFE = "fail_safe"


class Relock(Enum):
    """When the strike is secured after somebody was let in."""

    ON_OPEN = "on_open"
    ON_CLOSE = "on_close"


class WeakCards(Enum):
    """What a card may do that proves nothing but its number, which can be copied (D14)."""

    OPEN = "open"
    WITH_PIN = "with_pin"
    NEVER = "never"


class Panel(Enum):
    """Whether an existing panel decides and moves the lock, and how it is told."""

    NONE = "none"
    WIEGAND = "wiegand"
    CONTACT = "contact"


class AlarmLine(Enum):
    """What closes the alarm contact: what may be heard at the door, or duress as well."""

    LOUD = "loud"
    ALL = "all"


class Place(Enum):
    """Where the terminal hangs. A gate on a street counts as a public place (D7)."""

    STREET_GATE = "street_gate"
    COMPOUND_GATE = "compound_gate"
    LOBBY = "lobby"
    OFFICE = "office"
    GUEST_ROOM = "guest_room"
    BATH = "bath"
    SAUNA = "sauna"
    CHANGING_ROOM = "changing_room"
    LOCKER_ROOM = "locker_room"
    TOILET = "toilet"
    CLINIC_ROOM = "clinic_room"
    NURSERY = "nursery"


PRIVATE_PLACES = frozenset(
    {
        Place.GUEST_ROOM,
        Place.BATH,
        Place.SAUNA,
        Place.CHANGING_ROOM,
        Place.LOCKER_ROOM,
        Place.TOILET,
        Place.CLINIC_ROOM,
        Place.NURSERY,
    }
)
"""Where face recognition can't be switched on at all; there is no override (R11)."""

ALTERNATIVES_REQUIRED = 2
"""With fewer independent non-face ways in working order face recognition is off (D11)."""

FACE_LEASE_S = 0.5
FACE_RENEW_S = 0.2
"""Vision's permission lives this long and is renewed this often (D10: at most 500 ms)."""

SIGN_WAIT_S = 1.0
"""The sign must read back lit within this time after it was lit, else the face stays off."""

HOLD_LEASE_S = 10.0
HOLD_RENEW_S = 4.0
"""A held release is asserted for so long, and again this often (D15: at most 10 s)."""

FACE_FAILURES = 5
FACE_PAUSE_S = 30.0
"""So many failed face scans in a row pause the face, and nothing else, for so long (D13)."""

READER_FAILURES = 5
"""So many refused cards in a row at one reader raise an alarm; the reader goes on (R40)."""

PIN_TRIES = 3
"""So many wrong PINs end one transaction; after so many of one person in a row a delay begins."""

PIN_DELAY_S = 5.0
PIN_DELAY_MOST_S = 900.0
"""The first delay of a PIN, and the longest: each further failure doubles it (D13)."""

PIN_FAILURES = 5
"""So many wrong PINs in a row for one credential raise an alarm (R40)."""

PARITY_SLACK_S = 1.0
"""The other ways in may take so much longer than the face at the 95th percentile (D12)."""

PARITY_STEPS = 1
"""And ask for so many things more (D12)."""

REFUSALS_S = 1.0
"""Past the alarm, the refusals of one reader are one record in so long, with their number."""

POSES = (Pose.STRAIGHT, Pose.LEFT, Pose.RIGHT, Pose.UP, Pose.DOWN)
"""The poses of a guided enrolment, in the order in which they are asked for, then again."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The site's numbers; the defaults are those of a new site.

    `not_ways` names the readers by which nobody comes in: those inside, and keypads alone.
    """

    place: Place = Place.COMPOUND_GATE
    face_enabled: bool = True
    trigger: Trigger = Trigger.WALK_UP
    lock: Lock = Lock.FAIL_SECURE
    rex: Rex = Rex.OBSERVE
    release_s: float = 5.0
    relock: Relock = Relock.ON_OPEN
    held_open_s: float = 30.0
    held_warn_s: float = 10.0
    propped_s: float = 300.0
    rex_mask_s: float = 5.0
    weak_cards: WeakCards = WeakCards.WITH_PIN
    panel: Panel = Panel.NONE
    alarm_line: AlarmLine = AlarmLine.LOUD
    second_wait_s: float = 20.0
    has_exit_reader: bool = False
    not_ways: frozenset[str] = frozenset()
    dwell_s: float = 1.0
    scan_s: float = 4.0
    granted_show_s: float = 2.0
    refused_show_s: float = 3.0
    decline_hold_s: float = 3.0
    decline_clear_s: float = 3.0
    decline_max_s: float = 60.0
    consent_hold_s: float = 3.0
    consent_wait_s: float = 300.0
    card_wait_s: float = 60.0
    capture_s: float = 90.0
    references: int = 5
    fpir_target: float = 0.01
    safety_factor: float = 10.0

    @property
    def face_allowed_here(self) -> bool:
        """Whether the place permits face recognition at all."""
        return self.place not in PRIVATE_PLACES


def pin_delay_s(failures: int) -> float:
    """How long (s) no PIN is checked after so many wrong ones in a row (D13)."""
    if failures < PIN_TRIES:
        return 0.0
    return min(PIN_DELAY_MOST_S, PIN_DELAY_S * 2.0 ** min(failures - PIN_TRIES, 20))


def required_fmr(enrolled: int, fpir_target: float, safety_factor: float) -> float:
    """The FMR (0..1) that holds `fpir_target` (0..1) against `enrolled` people.

    FPIR grows as FMR x N (GB/T 37078), and strangers of a public set are less alike than
    neighbours are, hence the factor (D2). Which threshold has that FMR the installed model's error
    curve says; where it says none, `identify` is refused (R24).
    """
    return fpir_target / (max(enrolled, 1) * safety_factor)


def most_people(smallest_fmr: float, fpir_target: float, safety_factor: float) -> int:
    """How many enrolees a curve supports that was measured down to `smallest_fmr` (0..1) (R24)."""
    if smallest_fmr <= 0.0:
        return 0
    return int(fpir_target / (smallest_fmr * safety_factor) * (1 + 1e-9))
