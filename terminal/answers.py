"""What the door answers about itself, cards, passes and rules: the schema of the operator's end.

An answer comes over a socket like anything else, perhaps from a door of another version: it is read
by a schema before a word of it is shown. Fields that are not known here are let be, since a newer
door may say more; a field that is missing or of another type is one sentence (NotUnderstood) and
never a traceback. The secret of a rotating pass stands here on its way into the file of its page
and nowhere else: no table and no JSON has it.

What changes with this file: `requests` (whose answers these are), `show_access`, the commands.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from terminal.exchange.report import RowVerdict
from terminal.exchange.rows import GroupRow, HeldPerson, HolidayRow, ScheduleRow
from terminal.operator_link import MISUNDERSTOOD, NotUnderstood
from terminal.requests import Line, PassKind, PassNumber

T = TypeVar("T")
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class DoorReport(msgspec.Struct, frozen=True):
    """The door, its lines and its alarms. `free_passage` names a schedule."""

    state: str
    open: bool
    strike_released: bool
    locked_down: bool
    tampered: bool
    fire: bool
    interlocked: bool
    by_schedule: bool
    free_passage: str | None
    first_person: bool
    rex: str
    relock: str
    panel: str
    alarms: tuple[str, ...]
    exit_reader: bool
    weak_cards: str
    ways: tuple[str, ...]
    lines: dict[str, bool]


class DoorAnswer(msgspec.Struct, frozen=True):
    """How the door stands."""

    door: DoorReport


class WayReport(msgspec.Struct, frozen=True):
    """What was measured of one way in (times in s)."""

    n: int
    p50_s: float | None
    p95_s: float | None
    typing_p50_s: float | None
    steps: float | None
    refused: int
    abandoned: int


class Allowed(msgspec.Struct, frozen=True):
    """What another way may cost more than the face (D12), and how many it takes to tell."""

    slack_s: float
    steps: float
    enough: int


class ParityReport(msgspec.Struct, frozen=True):
    """The ways in, side by side."""

    ways: dict[str, WayReport]
    allowed: Allowed
    troubles: tuple[str, ...]
    warning: str | None


class ParityAnswer(msgspec.Struct, frozen=True):
    """How the ways compare."""

    parity: ParityReport


class CardLine(msgspec.Struct, frozen=True):
    """One card, by the beginning of its hash."""

    card: str
    bound_utc: Instant
    is_weak: bool


class CardsAnswer(msgspec.Struct, frozen=True):
    """The cards of one person."""

    person: str
    cards: tuple[CardLine, ...]


class PersonAnswer(msgspec.Struct, frozen=True):
    """Something was done about a person."""

    person: str


class PassLine(msgspec.Struct, frozen=True):
    """One pass that was issued; `uses` 0 is as often as wanted."""

    number: str
    person: str
    kind: str
    valid_from: Instant
    valid_until: Instant
    uses: int | None
    used: int | None
    rotates: bool
    needs_pin: bool
    is_revoked: bool
    host: str | None


class PassesAnswer(msgspec.Struct, frozen=True):
    """Passes."""

    passes: tuple[PassLine, ...]


class IssuedPass(msgspec.Struct, frozen=True):
    """A pass in full. `secret` (64 hex digits) only where the code rotates."""

    number: PassNumber
    person: str
    kind: PassKind
    valid_from: Instant
    valid_until: Instant
    uses: int | None
    rotates: bool
    needs_pin: bool
    site: str
    text: Annotated[str, msgspec.Meta(pattern=r"\AFT1:[0-9A-Z $%*+./:-]{1,252}\Z")]
    secret: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")] | None = None

    def __post_init__(self) -> None:
        if self.rotates and self.secret is None:
            raise ValueError("a rotating pass needs its secret")

    def __repr__(self) -> str:
        return f"IssuedPass({self.number!r})"


class PassAnswer(msgspec.Struct, frozen=True, rename={"issued": "pass"}):
    """A pass that was issued just now, or is shown again."""

    issued: IssuedPass


class Rules(msgspec.Struct, frozen=True):
    """Every group, schedule and holiday, and the site's time zone."""

    groups: tuple[GroupRow, ...]
    schedules: tuple[ScheduleRow, ...]
    holidays: tuple[HolidayRow, ...]
    time_zone: str

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone. Raises NotUnderstood."""
        try:
            return ZoneInfo(self.time_zone)
        except (ValueError, OSError, ZoneInfoNotFoundError) as error:
            raise NotUnderstood(MISUNDERSTOOD) from error


class VerdictsAnswer(msgspec.Struct, frozen=True):
    """What the terminal says of rows that it was sent."""

    verdicts: tuple[RowVerdict, ...]


class PeoplePiece(msgspec.Struct, frozen=True):
    """Some of the people of an export."""

    people: tuple[HeldPerson, ...]


def read(line: Line, kind: type[T]) -> T:
    """The answer as what it should be. Raises NotUnderstood."""
    try:
        return msgspec.convert(line, kind)
    except (msgspec.ValidationError, ValueError) as error:
        raise NotUnderstood(MISUNDERSTOOD) from error
