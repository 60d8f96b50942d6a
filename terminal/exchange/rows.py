"""What an import hands on and an export starts from: one frozen row for a person, a group, ...

A row that exists is right: each checks itself when it is made, also when it is decoded from a
request at the door's end, so that no check can be left out on the way. No row has a place for an
identity number, a telephone number, a picture or a consent, so none can be taken in (R45, R48,
A24). Card numbers stand here in plain, on their way to be hashed: no `repr` shows them, no report
repeats them, and no export has them.

What changes with this file: the requests that carry rows, and what the store makes of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from terminal.errors import NotDone
from terminal.exchange import cells, dates, weeks
from terminal.exchange.cells import CellRefused
from terminal.exchange.weeks import Day, Week

Kind = Literal["resident", "visitor", "staff"]
Rule = Literal["any", "card", "qr", "card_pin", "qr_pin", "card_face"]
Passback = Literal["off", "soft", "hard", "timed"]

MAX_CARDS = 16
"""Of one person; a person with sixteen cards has stopped handing any back."""
MAX_PASSBACK_MINUTES = 1440


class ExchangeRefused(NotDone):
    """The file as a whole can't be read; the text says what it is and what to do."""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person. Raises CellRefused (a ValueError) if anything in it can't be.

    `line` is where the file first says so (1 is the first line; of JSON, the first entry);
    `identifier` is the file's own, or None. `flat` and `group` are empty where nothing was said.
    Validity begins with `valid_from` and has ended at `valid_until` (both UTC, or None).
    """

    line: int
    identifier: str | None
    name: str
    flat: str = ""
    kind: Kind = "resident"
    group: str = ""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    cards: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        _must_be_plain(self.name == cells.name(self.name), "The name")
        _must_be_plain(self.flat == cells.flat(self.flat), "The flat")
        _must_be_plain(self.group == cells.reference(self.group, "group"), "The group")
        if self.identifier is not None:
            _must_be_plain(self.identifier == cells.identifier(self.identifier), "The identifier")
        dates.check_span(self.valid_from, self.valid_until)
        self._check_cards()

    def _check_cards(self) -> None:
        if len(self.cards) > MAX_CARDS:
            raise CellRefused(f"A person has at most {MAX_CARDS} cards.")
        _must_be_plain(all(card == cells.card(card) for card in self.cards), "A card number")
        _must_be_plain(len(set(self.cards)) == len(self.cards), "The list of cards")


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group of holders: what opens for them, and when. Raises CellRefused.

    `passback_minutes` (1 to 1440) belongs to timed anti-passback and to no other.
    """

    line: int
    name: str
    rule: Rule = "any"
    schedule: str | None = None
    passback: Passback = "off"
    passback_minutes: int | None = None
    passes_lockdown: bool = False

    def __post_init__(self) -> None:
        _must_be_plain(self.name == cells.name(self.name), "The name")
        if self.schedule is not None:
            _must_be_plain(self.schedule == cells.name(self.schedule, "schedule"), "The schedule")
        if (self.passback == "timed") != (self.passback_minutes is not None):
            raise CellRefused("Timed anti-passback needs its minutes, and no other has any.")
        minutes = self.passback_minutes
        if minutes is not None and not 1 <= minutes <= MAX_PASSBACK_MINUTES:
            raise CellRefused(f"Anti-passback lasts 1 to {MAX_PASSBACK_MINUTES} minutes.")


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One weekly schedule in local time. Raises CellRefused.

    `week` has seven days, Monday first, each with its intervals in minutes of the day (0 to 1440,
    sorted, apart). `on_holidays` is such a day, () when closed, None when as on any weekday.
    """

    line: int
    name: str
    week: Week
    on_holidays: Day | None = None

    def __post_init__(self) -> None:
        _must_be_plain(self.name == cells.name(self.name), "The name")
        if len(self.week) != weeks.DAYS:
            raise CellRefused("A week has seven days.")
        for day in (*self.week, self.on_holidays or ()):
            _must_be_plain(day == weeks.plain_day(day), "A day of the schedule")


@dataclass(frozen=True, slots=True)
class HolidayRow:
    """One day that schedules treat as a holiday. Raises CellRefused."""

    line: int
    date: date
    name: str = ""

    def __post_init__(self) -> None:
        _must_be_plain(self.name == cells.label(self.name), "The name")
        dates.check_day(self.date)


Row = PersonRow | GroupRow | ScheduleRow | HolidayRow


@dataclass(frozen=True, slots=True)
class HeldPerson:
    """A person as the store has one, to be exported: of the cards nothing but their number."""

    row: PersonRow
    card_count: int


def _must_be_plain(is_plain: bool, what: str) -> None:
    """Raises CellRefused for what passes the grammar in another form than the one that is kept."""
    if not is_plain:
        raise CellRefused(f"{what} is not written in its plain form.")
