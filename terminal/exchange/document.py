"""The JSON document of people, groups, schedules and holidays: its schema, read and written.

The schema is checked entry by entry, so that a broken entry costs itself alone. A field that the
schema does not have refuses its entry; one that must never be taken in is named with its reason.
Texts in the fields are read by the same grammar as cells of CSV.

What changes with this file: docs/exchange.md; raise VERSION when a field changes its meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar

import msgspec

from terminal.exchange import weeks
from terminal.exchange.headings import WEEKDAYS, Column, NeverTaken, Table, column_of
from terminal.exchange.people import Cells
from terminal.exchange.records import Broken
from terminal.exchange.rows import ExchangeRefused, GroupRow, HeldPerson, HolidayRow, ScheduleRow
from terminal.exchange.sheet import MAX_ROWS

VERSION = 1
FORMAT = "face-optional-terminal"

Text = Annotated[str, msgspec.Meta(max_length=4096)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class Entry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """One entry of one of the four lists."""


class PersonEntry(Entry, frozen=True):
    """A person. `card_count` is written and never read."""

    name: Text
    identifier: Text = ""
    flat: Text = ""
    type: Text = ""
    group: Text = ""
    valid_from: Text = ""
    valid_until: Text = ""
    cards: Annotated[tuple[Text, ...], msgspec.Meta(max_length=64)] = ()
    card_count: Count = 0

    def cells(self) -> Cells:
        """The entry as a row of people.csv."""
        return {
            Column.NAME: (self.name,),
            Column.IDENTIFIER: (self.identifier,),
            Column.FLAT: (self.flat,),
            Column.KIND: (self.type,),
            Column.GROUP: (self.group,),
            Column.VALID_FROM: (self.valid_from,),
            Column.VALID_UNTIL: (self.valid_until,),
            Column.CARD: self.cards,
        }


class GroupEntry(Entry, frozen=True):
    """A group."""

    name: Text
    rule: Text = ""
    schedule: Text = ""
    passback: Text = ""
    passback_minutes: Annotated[int, msgspec.Meta(ge=0, le=9999)] | None = None
    passes_lockdown: bool = False

    def cells(self) -> Cells:
        """The entry as a row of groups.csv."""
        minutes = "" if self.passback_minutes is None else str(self.passback_minutes)
        return {
            Column.NAME: (self.name,),
            Column.RULE: (self.rule,),
            Column.SCHEDULE: (self.schedule,),
            Column.PASSBACK: (self.passback,),
            Column.PASSBACK_MINUTES: (minutes,),
            Column.PASSES_LOCKDOWN: ("yes" if self.passes_lockdown else "no",),
        }


class ScheduleEntry(Entry, frozen=True):
    """A schedule; a weekday that is left out is closed."""

    name: Text
    monday: Text = ""
    tuesday: Text = ""
    wednesday: Text = ""
    thursday: Text = ""
    friday: Text = ""
    saturday: Text = ""
    sunday: Text = ""
    on_holidays: Text = "as usual"

    def cells(self) -> Cells:
        """The entry as a row of schedules.csv."""
        days: dict[Column, tuple[str, ...]] = {day: (getattr(self, day.value),) for day in WEEKDAYS}
        return {Column.NAME: (self.name,), **days, Column.ON_HOLIDAYS: (self.on_holidays,)}


class HolidayEntry(Entry, frozen=True):
    """A holiday."""

    date: Text
    name: Text = ""

    def cells(self) -> Cells:
        """The entry as a row of holidays.csv."""
        return {Column.DATE: (self.date,), Column.NAME: (self.name,)}


# How messages of the schema begin that name types and fields of ours alone.
_PLAIN_WORDS = ("Object missing required field", "Expected", "JSON is malformed", "Input data")

E = TypeVar("E", PersonEntry, GroupEntry, ScheduleEntry, HolidayEntry)
_Raws = Annotated[tuple[msgspec.Raw, ...], msgspec.Meta(max_length=MAX_ROWS)]


class _Read(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    format: Literal["face-optional-terminal"]
    version: Literal[1]
    people: _Raws = ()
    groups: _Raws = ()
    schedules: _Raws = ()
    holidays: _Raws = ()


class _Written(msgspec.Struct, frozen=True):
    people: tuple[PersonEntry, ...]
    groups: tuple[GroupEntry, ...]
    schedules: tuple[ScheduleEntry, ...]
    holidays: tuple[HolidayEntry, ...]
    format: str = FORMAT
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Document:
    """The four lists of a document, each to be gone through once."""

    people: Iterator[tuple[int, Cells] | Broken]
    groups: Iterator[tuple[int, Cells] | Broken]
    schedules: Iterator[tuple[int, Cells] | Broken]
    holidays: Iterator[tuple[int, Cells] | Broken]


def opened(text: str) -> Document:
    """The document in this text. Raises ExchangeRefused."""
    try:
        read = msgspec.json.decode(text, type=_Read)
    except RecursionError as error:
        raise ExchangeRefused("The document is nested deeper than any of ours.") from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ExchangeRefused(f"This is no document of ours: {_why(error)}.") from error
    return Document(
        _entries(read.people, PersonEntry, Table.PEOPLE),
        _entries(read.groups, GroupEntry, Table.GROUPS),
        _entries(read.schedules, ScheduleEntry, Table.SCHEDULES),
        _entries(read.holidays, HolidayEntry, Table.HOLIDAYS),
    )


def written(
    people: Iterable[HeldPerson] = (),
    groups: Iterable[GroupRow] = (),
    schedules: Iterable[ScheduleRow] = (),
    holidays: Iterable[HolidayRow] = (),
) -> bytes:
    """All of these as one document; of cards the number alone."""
    whole = _Written(
        tuple(_person(each) for each in people),
        tuple(_group(each) for each in groups),
        tuple(_schedule(each) for each in schedules),
        tuple(HolidayEntry(each.date.isoformat(), each.name) for each in holidays),
    )
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


def _entries(
    raws: Sequence[msgspec.Raw], kind: type[E], table: Table
) -> Iterator[tuple[int, Cells] | Broken]:
    decode: Callable[[msgspec.Raw], E] = msgspec.json.Decoder(kind).decode
    for line, raw in enumerate(raws, start=1):
        try:
            entry = decode(raw)
        except RecursionError:
            yield Broken(line, "The entry is nested deeper than any of ours.")
        except (msgspec.DecodeError, UnicodeError) as error:
            yield Broken(line, _why_broken(raw, error, table))
        else:
            yield line, entry.cells()


def _why_broken(raw: msgspec.Raw, error: Exception, table: Table) -> str:
    """What the schema says; of a field that is never taken in, why it isn't."""
    for field in _fields(raw):
        why = column_of(field, table)
        if isinstance(why, NeverTaken):
            return f"The entry has a field that is never taken in: {why.value}."
    return f"The entry does not fit the schema: {_why(error)}."


def _fields(raw: msgspec.Raw) -> Iterable[str]:
    try:
        return msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ()


def _why(error: Exception) -> str:
    """The schema's own words, where they repeat nothing of the document."""
    words = str(error).split(" - at ")[0]
    return words if words.startswith(_PLAIN_WORDS) else "a field is none of the schema's"


def _person(held: HeldPerson) -> PersonEntry:
    row = held.row
    return PersonEntry(
        name=row.name,
        identifier=row.identifier or "",
        flat=row.flat,
        type=row.kind,
        group=row.group,
        valid_from=_instant(row.valid_from),
        valid_until=_instant(row.valid_until),
        card_count=held.card_count,
    )


def _group(row: GroupRow) -> GroupEntry:
    return GroupEntry(
        *(row.name, row.rule, row.schedule or "", row.passback),
        *(row.passback_minutes, row.passes_lockdown),
    )


def _schedule(row: ScheduleRow) -> ScheduleEntry:
    days = [weeks.day_text(day) for day in row.week]
    on_holidays = "as usual" if row.on_holidays is None else weeks.day_text(row.on_holidays)
    return ScheduleEntry(*(row.name, *days, on_holidays))


def _instant(utc: datetime | None) -> str:
    return "" if utc is None else utc.astimezone(UTC).isoformat().replace("+00:00", "Z")
