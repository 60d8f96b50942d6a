"""How a time, a name and a word are written in the files of the store, and read from them.

One way each, so that what is compared as text compares as what it means: times are UTC with
microseconds, names composed (NFC) with single spaces. Something that does not read as it was
written is StoreFailed and never guessed at: a door must not open by a guess.

What changes with this file: every module of the store, and the files already out there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from unicodedata import normalize

from terminal.errors import NotDone, StoreFailed


def text_of(utc: datetime) -> str:
    """A time as it is kept. Raises ValueError for one without a time zone."""
    if utc.tzinfo is None:
        raise ValueError("A time that is kept needs its time zone.")
    return utc.astimezone(UTC).isoformat(timespec="microseconds")


def text_or_none(utc: datetime | None) -> str | None:
    """The same for a time that may be absent."""
    return None if utc is None else text_of(utc)


def time_of(text: str) -> datetime:
    """A time that was kept. Raises StoreFailed for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise StoreFailed("A time in the store can't be read; put back a copy.") from error
    if found.tzinfo is None:
        raise StoreFailed("A time in the store is without its zone; put back a copy.")
    return found


def time_or_none(text: str | None) -> datetime | None:
    """The same for a time that may be absent. Only NULL is: an empty text is no time."""
    return None if text is None else time_of(text)


def plain(name: str) -> str:
    """A name as it is kept and compared: composed (NFC), single spaces, none at its ends."""
    return " ".join(normalize("NFC", name).split())


def word(name: str, what: str, most: int = 40) -> str:
    """A name that an operator gave to a thing, as it is kept.

    Raises NotDone when it is empty, longer than `most` letters, or holds what can't be seen.
    """
    kept = plain(name)
    if not 0 < len(kept) <= most or not kept.isprintable():
        raise NotDone(f"{what} has 1 to {most} letters, all of them to be seen.")
    return kept
