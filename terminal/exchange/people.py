"""Rows of people to people: one row a card, several rows a person, and who is meant by each.

Rows belong together by the file's identifier, or else by name and flat. Where that leaves a doubt
(a name alone, two people of one name in one flat), the row is refused: a card that is given to the
wrong person opens for the wrong person. For the same reason a card that stands for two people is
given to neither, and a row that says of somebody what another row contradicts is refused.

A type column that says nothing makes a resident; a word that is not known makes nothing. No type
asks for a face: there is no place for it in a row (R48).

What changes with this file: docs/exchange.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from terminal.exchange import cells, dates
from terminal.exchange.cells import CellRefused
from terminal.exchange.headings import Column
from terminal.exchange.report import RowVerdict
from terminal.exchange.rows import MAX_CARDS, Kind, PersonRow
from terminal.exchange.vocabulary import KINDS, meaning

Cells = Mapping[Column, tuple[str, ...]]
"""What stands under each column that is read, unmarked; several texts for several card columns."""

WHAT = "person"
T = TypeVar("T")

_IDENTITY_CARDS = ("身份证", "identity", "national id")


Person = str | tuple[str, str] | int
"""Who is meant: an identifier, or a name and flat, or nobody but the one of this line."""

_Claims = defaultdict[str, dict[Person, int]]


@dataclass(frozen=True, slots=True)
class Draft:
    """What one row says of a person; None or empty where it says nothing."""

    line: int
    identifier: str | None
    name: str
    flat: str
    kind: Kind | None
    group: str
    valid_from: datetime | None
    valid_until: datetime | None
    cards: tuple[str, ...] = field(repr=False)


def draft(line: int, row: Cells, zone: ZoneInfo) -> Draft:
    """What this row says. Raises CellRefused."""
    identifier = one(row, Column.IDENTIFIER)
    made = Draft(
        line=line,
        identifier=cells.identifier(identifier) if identifier else None,
        name=cells.name(one(row, Column.NAME)),
        flat=cells.flat(_flat(row)),
        kind=_kind(one(row, Column.KIND)),
        group=cells.reference(one(row, Column.GROUP), "group"),
        valid_from=dates.begin(one(row, Column.VALID_FROM), zone),
        valid_until=dates.end(one(row, Column.VALID_UNTIL), zone),
        cards=_cards(row),
    )
    _check(made)
    return made


def one(row: Cells, column: Column) -> str:
    """The text under a column of which there is one, empty if there is none."""
    return row[column][0] if column in row else ""


class Roll:
    """The people of one file, as its rows come in; `settled` when all are there."""

    def __init__(self, groups: frozenset[str]) -> None:
        """`groups` are those that a person may be in."""
        self._groups = groups
        self._drafts: list[Draft] = []
        self._verdicts: list[RowVerdict] = []

    def add(self, row: Draft) -> None:
        """Take a row in."""
        self._drafts.append(row)

    def refuse(self, line: int, sentence: str) -> None:
        """Write that a row is not taken."""
        self._verdicts.append(RowVerdict(line, False, sentence, WHAT))

    def settled(self) -> tuple[tuple[PersonRow, ...], tuple[RowVerdict, ...]]:
        """Everyone, and the verdict on each row in the order of lines."""
        homes = _Homes(self._drafts)
        claims = _claims(self._drafts, homes)
        people: dict[Person, Draft] = {}
        for row in self._drafts:
            try:
                self._take(people, row, homes, claims)
            except CellRefused as error:
                self.refuse(row.line, str(error))
        verdicts = tuple(sorted(self._verdicts, key=lambda verdict: verdict.line))
        return tuple(_row(each) for each in people.values()), verdicts

    def _take(
        self, people: dict[Person, Draft], row: Draft, homes: _Homes, claims: _Claims
    ) -> None:
        person = homes.person(row)
        for card in row.cards:
            _check_undisputed(person, claims[card])
        if row.group and row.group not in self._groups:
            raise CellRefused("Its group is neither in the file nor at this terminal.")
        earlier = people.get(person)
        people[person] = _joined(earlier, row) if earlier else row
        sentence = f"Good; joined with line {earlier.line}." if earlier else "Good."
        joined = earlier.line if earlier else None
        self._verdicts.append(RowVerdict(row.line, True, sentence, WHAT, joined))


class _Homes:
    """Whom each row means, as all rows together say: by identifier, or by name and flat."""

    def __init__(self, rows: list[Draft]) -> None:
        self._identified: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        self._first: dict[tuple[str, str], int] = {}
        for row in rows:
            home = row.name, row.flat
            if row.identifier is None:
                self._first.setdefault(home, row.line)
            else:
                self._identified[home].setdefault(row.identifier, row.line)

    def person(self, row: Draft) -> Person:
        """Raises CellRefused where it can't be said who is meant."""
        if row.identifier is not None:
            return row.identifier
        home = row.name, row.flat
        namesakes = self._identified.get(home, {})
        is_first = self._first[home] == row.line
        if len(namesakes) > 1 or (not row.flat and (namesakes or not is_first)):
            line = next(iter(namesakes.values()), self._first[home])
            raise CellRefused(
                f"It can't be said whether this is the person of line {line};"
                " give each an identifier."
            )
        return next(iter(namesakes), home)


def _claims(rows: list[Draft], homes: _Homes) -> _Claims:
    """For each card, one line of each person for whom it stands, also of rows that are refused."""
    claims: _Claims = defaultdict(dict)
    for row in rows:
        try:
            person = homes.person(row)
        except CellRefused:
            person = row.line  # somebody, and nobody else
        for card in row.cards:
            claims[card].setdefault(person, row.line)
    return claims


def _check_undisputed(person: Person, claims: dict[Person, int]) -> None:
    other = next((line for each, line in claims.items() if each != person), None)
    if other is not None:
        raise CellRefused(
            f"Its card stands for another person in line {other}; neither of them gets it."
        )


def _kind(text: str) -> Kind | None:
    if not text:
        return None
    kind: Kind = meaning(text, KINDS, "type")
    return kind


def _flat(row: Cells) -> str:
    """Building, staircase and flat as one text, where they are in columns of their own."""
    parts = (one(row, column).strip() for column in (Column.BUILDING, Column.UNIT, Column.FLAT))
    return "-".join(part for part in parts if part)


def _cards(row: Cells) -> tuple[str, ...]:
    found = [card for text in row.get(Column.CARD, ()) for card in cells.cards(text)]
    if found and any(word in one(row, Column.CARD_TYPE).casefold() for word in _IDENTITY_CARDS):
        raise CellRefused("A resident identity card is never typed in; hold it to the reader.")
    return tuple(dict.fromkeys(found))


def _joined(earlier: Draft, row: Draft) -> Draft:
    """Both rows in one. What one of them leaves out, the other says; neither may contradict."""
    line = earlier.line
    joined = Draft(
        line=line,
        identifier=_either(earlier.identifier, row.identifier, "identifier", line),
        name=_either(earlier.name, row.name, "name", line),
        flat=_either(earlier.flat, row.flat, "flat", line),
        kind=_either(earlier.kind, row.kind, "type", line),
        group=_either(earlier.group, row.group, "group", line),
        valid_from=_either(earlier.valid_from, row.valid_from, "begin", line),
        valid_until=_either(earlier.valid_until, row.valid_until, "end", line),
        cards=tuple(dict.fromkeys(earlier.cards + row.cards)),
    )
    _check(joined)
    return joined


def _either(earlier: T, later: T, what: str, line: int) -> T:
    if earlier and later and earlier != later:
        raise CellRefused(f"Its {what} is not the one of the same person in line {line}.")
    return earlier or later


def _check(made: Draft) -> None:
    dates.check_span(made.valid_from, made.valid_until)
    if len(made.cards) > MAX_CARDS:
        raise CellRefused(f"A person has at most {MAX_CARDS} cards.")


def _row(of: Draft) -> PersonRow:
    return PersonRow(
        *(of.line, of.identifier, of.name, of.flat, of.kind or "resident", of.group),
        *(of.valid_from, of.valid_until, of.cards),
    )
