"""Cards: which belongs to whom, which are weak, and taking one back.

A card is kept as a keyed hash of what a reader read (R45). It is named to people by its handle, the
first eight digits of that hash: enough to tell the cards of one person apart, and nothing that a
reader could be shown. A card that is known by its number alone is *weak*: whoever read the number
can copy it. What is not known to be better is taken for weak.

Never here: the number of a card. What changes with this file: the interpreter, import and export.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from terminal.core.values import CardId, Moment, PersonId
from terminal.errors import NotDone
from terminal.schema import Database
from terminal.store.people import People
from terminal.store.written import text_of, time_of

HANDLE_DIGITS = 8
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Card:
    """A card of somebody, as an operator may see it."""

    handle: str
    bound: datetime
    is_weak: bool


class Cards:
    """The table of cards in an open identity database."""

    def __init__(self, database: Database, people: People) -> None:
        self._database = database
        self._people = people

    def bind(self, person: PersonId, card: CardId, at: Moment, *, is_weak: bool = True) -> None:
        """Write that this card is this person's; once more says anew whether it is weak.

        Raises NotDone for an unknown person, and for a card that is someone else's.
        """
        self._people.require(person)
        if not _is_hex(card, 64):
            raise NotDone("This is no card that a reader has read.")
        owner = self.owner(card)
        if owner is not None and owner[0] != person:
            raise NotDone("This card belongs to someone else.")
        self._database.run(
            "INSERT INTO card (card, person, bound_utc, is_weak) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (card) DO UPDATE SET is_weak = excluded.is_weak",
            *(card, person, text_of(at.utc), is_weak),
        )

    def owner(self, card: CardId) -> tuple[PersonId, bool] | None:
        """Whose card this is, and whether it is weak; None for nobody's."""
        row = self._database.row("SELECT person, is_weak FROM card WHERE card = ?", card)
        return None if row is None else (PersonId(row[0]), bool(row[1]))

    def of(self, person: PersonId) -> list[Card]:
        """The cards of this person, in the order in which they were bound."""
        rows = self._database.rows(
            "SELECT substr(card, 1, ?), bound_utc, is_weak FROM card WHERE person = ?"
            " ORDER BY rowid",
            *(HANDLE_DIGITS, person),
        )
        return [Card(handle, time_of(bound), bool(is_weak)) for handle, bound, is_weak in rows]

    def revoke(self, person: PersonId, handle: str) -> None:
        """Take this card from this person: its hash is erased, and gone from the log.

        Raises NotDone when the person has no such card, and StoreFailed when traces could not be
        removed: the card is unknown all the same, and `Store.erase_traces` tries again.
        """
        if not _is_hex(handle, HANDLE_DIGITS):
            raise NotDone(f"The handle of a card is {HANDLE_DIGITS} hexadecimal digits.")
        with self._database.transaction():
            gone = self._database.run(
                "DELETE FROM card WHERE person = ? AND substr(card, 1, ?) = ?",
                *(person, HANDLE_DIGITS, handle),
            )
            if gone == 0:
                raise NotDone(f"{person} has no card {handle}.")
            if gone > 1:
                raise NotDone(f"{person} has {gone} cards {handle}; erase and bind them anew.")
        self._database.checkpoint()

    def each(self) -> dict[PersonId, int]:
        """How many cards each person has who has any."""
        rows = self._database.rows("SELECT person, count(*) FROM card GROUP BY person")
        return {PersonId(person): count for person, count in rows}


def _is_hex(text: str, digits: int) -> bool:
    return len(text) == digits and _HEX.issuperset(text)
