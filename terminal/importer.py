"""Rows of an operator's file into the store: looked at, or written, each whole or not at all.

To look at a row is to write it and to take it back: so what is told before is what comes of it.

A person of the file is somebody registered when it has that person's identifier, or else the same
name in the same flat; otherwise somebody new. What a row does not say stays as it is: a row without
cards takes none away, one without a date ends nothing. No row gives a consent or a template (A24).

What changes with this file: docs/exchange.md.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import chain

from terminal.core.values import Moment, PersonId
from terminal.errors import NotDone
from terminal.exchange.report import RowVerdict
from terminal.exchange.rows import GroupRow, HolidayRow, PersonRow, Row, ScheduleRow
from terminal.identifiers import new_identifier
from terminal.reading import ReadingRefused, read_card
from terminal.requests import ImportRows
from terminal.rules import facts_of_row, name_of_holiday, schedule_of_row
from terminal.sealing import Keys
from terminal.store import Batch, Store
from terminal.store.people import Details, Kind

HARD_WITHOUT_EXIT = (
    "Hard anti-passback needs a reader on the way out; without one nobody could be said to have"
    ' left. Say "soft" or "timed".'
)


def count_of(request: ImportRows) -> int:
    """How many rows are in it."""
    return sum(1 for _ in _rows(request))


class Importer:
    """Takes rows in; one per terminal, on the loop's thread."""

    def __init__(self, store: Store, keys: Keys, has_exit_reader: bool) -> None:
        self._store, self._keys, self._has_exit_reader = store, keys, has_exit_reader
        self._names = _NameIndex()

    def looked_at(self, request: ImportRows, at: Moment) -> list[RowVerdict]:
        """What would come of these rows; nothing of it stays. Raises StoreFailed."""
        verdicts: list[RowVerdict] = []
        taken_back = self._names.taken_back(self._store)
        with taken_back, suppress(_TakenBack), self._store.batch() as batch:
            verdicts = self._verdicts(request, batch, at)
            raise _TakenBack
        return [_in_prospect(one) for one in verdicts]

    def written(self, request: ImportRows, at: Moment) -> list[RowVerdict]:
        """Write what can be written; durable, with its verdicts, when this returns."""
        with self._store.batch() as batch:
            return self._verdicts(request, batch, at)

    def _verdicts(self, request: ImportRows, batch: Batch, at: Moment) -> list[RowVerdict]:
        return [_verdict(row, partial(self._written, batch, row, at)) for row in _rows(request)]

    def _written(self, batch: Batch, row: Row, at: Moment) -> str:
        with batch.row():
            return self._write(row, at)

    # One row. Each raises NotDone with the reason, or returns what was done, in words.

    def _write(self, row: Row, at: Moment) -> str:
        match row:
            case PersonRow():
                return self._write_person(row, at)
            case GroupRow():
                self._check_group(row)
                self._store.groups.put(facts_of_row(row))
            case ScheduleRow():
                self._store.groups.put_schedule(schedule_of_row(row))
            case HolidayRow():
                self._store.groups.put_holiday(row.date, name_of_holiday(row))
        return "written"

    def _write_person(self, row: PersonRow, at: Moment) -> str:
        known = self._known(row)
        person = known or PersonId(new_identifier())
        before = None if known is None else self._store.details_of(person)
        if before is None:
            self._store.register(person, _new(row), at)
        else:
            self._store.update_person(person, _changed(before, row))
        for number in row.cards:
            self._bind(person, number, at)
        self._names.note(row, person, before)
        return "changed" if known else "registered"

    def _bind(self, person: PersonId, number: str, at: Moment) -> None:
        """A card that is somebody else's goes to nobody by a file: the store refuses it."""
        try:
            card = read_card(number.encode(), self._keys)
        except ReadingRefused as error:
            raise NotDone(str(error)) from error
        self._store.cards.bind(person, card, at, is_weak=True)

    def _check_group(self, row: GroupRow) -> None:
        if row.passback == "hard" and not self._has_exit_reader:
            raise NotDone(HARD_WITHOUT_EXIT)

    def _known(self, row: PersonRow) -> PersonId | None:
        if row.identifier is not None:
            person = PersonId(row.identifier)
            if self._store.is_known(person):
                return person
        return self._names.find(row.name, row.flat, self._store)


class _TakenBack(Exception):  # noqa: N818 - says what follows
    """Ends a transaction of which nothing is to stay."""


class _NameIndex:
    """Who has which name in which flat, without the names: hashed under a key that is never kept.

    Built once, and again when anybody came, went or changed otherwise than by `note`.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._people: dict[bytes, PersonId | None] = {}
        self._version = -1

    def find(self, name: str, flat: str, store: Store) -> PersonId | None:
        """The one person of this name in this flat. Raises NotDone when there are several."""
        if self._version != store.people_version:
            self._build(store)
        place = self._place(name, flat)
        if place in self._people and self._people[place] is None:
            raise NotDone("Several people here have this name and flat; give the identifier.")
        return self._people.get(place)

    def note(self, row: PersonRow, person: PersonId, before: Details | None) -> None:
        """This row was written, and nothing else since the last look; another name: build anew."""
        if before is None:
            self._put(row.name, row.flat, person)
        elif self._place(before.name, before.flat or "") != self._place(row.name, row.flat):
            return
        self._version += 1

    @contextmanager
    def taken_back(self, store: Store) -> Iterator[None]:
        """What is written in the block is taken back at its end, so nothing of it is known."""
        if self._version != store.people_version:
            self._build(store)
        before = dict(self._people)
        try:
            yield
        finally:
            self._people, self._version = before, store.people_version

    def _put(self, name: str, flat: str, person: PersonId) -> None:
        place = self._place(name, flat)
        self._people[place] = None if place in self._people else person

    def _build(self, store: Store) -> None:
        self._people.clear()
        for person in store.people():
            self._put(person.name or "", person.flat or "", person.person)
        self._version = store.people_version

    def _place(self, name: str, flat: str) -> bytes:
        whole = f"{name.casefold()}\0{flat.casefold()}".encode()
        return hashlib.blake2b(whole, key=self._key, digest_size=16).digest()


def _rows(request: ImportRows) -> Iterable[Row]:
    """In the order in which they need each other."""
    return chain(request.schedules, request.holidays, request.groups, request.people)


def _verdict(row: Row, do: Callable[[], str]) -> RowVerdict:
    what = {PersonRow: "person", GroupRow: "group", ScheduleRow: "schedule"}.get(
        type(row), "holiday"
    )
    try:
        return RowVerdict(row.line, True, do(), what)
    except NotDone as error:
        return RowVerdict(row.line, False, str(error), what)


def _in_prospect(verdict: RowVerdict) -> RowVerdict:
    return replace(verdict, sentence=f"would be {verdict.sentence}") if verdict.ok else verdict


def _new(row: PersonRow) -> Details:
    return Details(
        name=row.name,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        kind=Kind(row.kind),
        group=row.group or None,
        flat=row.flat or None,
    )


def _changed(before: Details, row: PersonRow) -> Details:
    """What the row does not say stays as it is."""
    return replace(
        before,
        name=row.name,
        valid_from=row.valid_from or before.valid_from,
        valid_until=row.valid_until or before.valid_until,
        kind=Kind(row.kind),
        group=row.group or before.group,
        flat=row.flat or before.flat,
    )
