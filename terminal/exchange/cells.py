"""What may stand in one cell: names, flats, identifiers, card numbers, in their one plain form.

Each function takes any text and gives the form that is kept, or raises CellRefused with one
sentence. A sentence never repeats what stood in the cell: a column may hold something else than
its heading says, and reports are shown and sent around.

A number of a resident identity card is refused wherever it stands, by its check digit (R45).
Characters that turn the direction of writing are refused in names: with one of them, a list shows
another name than the one that is stored, and the line after it may be read in a wrong order.

What changes with this file: `rows`, docs/exchange.md; card numbers follow `terminal.reading`.
"""

from __future__ import annotations

import re
from unicodedata import normalize

from terminal.reading import ReadingRefused, is_resident_number, plain_card

MAX_NAME_BYTES = 200
MAX_FLAT_BYTES = 100
MAX_IDENTIFIER_CHARACTERS = 64
MAX_CARDS_CHARACTERS = 1024
"""Of one cell of card numbers."""

# Unicode Standard Annex 9: embeddings, overrides, isolates and marks.
_TURNS_WRITING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_WIDE_SPACES = str.maketrans({"\u3000": " ", "\u00a0": " "})
_LOST = "\ufffd"
_IDENTIFIER = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]*")
_MAYBE_RESIDENT = re.compile(r"(?=([0-9]{17}[0-9X]))")
_CARDS_APART = re.compile(r"[;,、|\s]+")
# No card has a point or a plus in its number, so nothing that is a card is lost by this.
_ROUNDED = re.compile(r"[0-9]+(?:[.,][0-9]+E[+-]?[0-9]+|E\+[0-9]+|[.,]0+)", re.IGNORECASE)
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_MADE_A_DATE = re.compile(
    rf"[0-9]{{1,2}}月[0-9]{{1,2}}日|[0-9]{{1,4}}-(?:{_MONTHS})|(?:{_MONTHS})-[0-9]{{1,4}}",
    re.IGNORECASE,
)
# What a spreadsheet would run, its wide forms too, and the marks of ours in front of it. A mark
# in front of digits is how spreadsheets themselves write "this number is text".
_NEEDS_MARK = re.compile("'*[=+\\-@＝＋－＠\x00-\x1f\x7f]|'+[0-9]")
_HAS_MARK = re.compile("'+[=+\\-@＝＋－＠\x00-\x1f\x7f0-9]")
_AS_TEXT = re.compile(r'="([^"]*)"')


class CellRefused(ValueError):  # noqa: N818 - says what follows
    """What stands there can't be taken; the text is one sentence that repeats nothing of it."""


def marked(text: str) -> str:
    """The text so that no spreadsheet runs it: an apostrophe before what looks like a formula."""
    return f"'{text}" if _NEEDS_MARK.match(text) else text


def unmarked(text: str) -> str:
    """A cell as it was meant: without our apostrophe, and without the `="..."` of some exports."""
    bare = text.strip(" \t\u3000\u00a0")
    if as_text := _AS_TEXT.fullmatch(bare):
        return as_text.group(1)
    return bare[1:] if _HAS_MARK.match(bare) else bare


def name(text: str, what: str = "name") -> str:
    """A name as it is kept: composed (NFC), single spaces, 1 to 200 bytes, all to be seen."""
    return _shown(text, what, MAX_NAME_BYTES) or _refuse(f"The {what} is empty.")


def label(text: str) -> str:
    """A name that may be missing."""
    return _shown(text, "name", MAX_NAME_BYTES)


def reference(text: str, what: str) -> str:
    """The name of a group or schedule, empty where none is named."""
    return _shown(text, what, MAX_NAME_BYTES)


def flat(text: str) -> str:
    """A flat, empty where none is given."""
    plain = _shown(text, "flat", MAX_FLAT_BYTES)
    if _MADE_A_DATE.fullmatch(plain):
        _refuse(
            "The flat was made a date by a spreadsheet; format the column as text, enter it anew."
        )
    return plain


def identifier(text: str) -> str:
    """The file's own number of a person: 1 to 64 letters, digits, points, hyphens, underscores."""
    if _holds_resident_number(text):
        _refuse("The identifier is a resident identity number, which is never taken in.")
    if len(text) > MAX_IDENTIFIER_CHARACTERS or not _IDENTIFIER.fullmatch(text):
        _refuse(
            f"The identifier is not 1 to {MAX_IDENTIFIER_CHARACTERS} letters, digits,"
            " points, hyphens and underscores."
        )
    return text


def card(text: str) -> str:
    """A card number as a reader would send it (`terminal.reading`), letters made capital."""
    if _ROUNDED.fullmatch(text):
        _refuse(
            "The card number was made a rounded number (as 1.23E+09) by a spreadsheet;"
            " format the column as text and export again."
        )
    try:
        return str(plain_card(text.encode(errors="replace")), "ascii")
    except ReadingRefused as error:
        raise CellRefused(f"The card number is refused: {error.why.value}.") from error


def cards(text: str) -> tuple[str, ...]:
    """The cards of one cell: none, one, or several with commas, semicolons or spaces between."""
    if len(text) > MAX_CARDS_CHARACTERS:
        _refuse("The card numbers of this row are more than one person's.")
    found = (unmarked(each) for each in _CARDS_APART.split(normalize("NFC", text)))
    return tuple(dict.fromkeys(card(each) for each in found if each))


def _shown(text: str, what: str, most_bytes: int) -> str:
    plain = normalize("NFC", text.translate(_WIDE_SPACES).strip(" "))
    if not plain.isprintable() or _LOST in plain:
        _refuse_hidden(plain, what)
    plain = " ".join(plain.split(" ")) if "  " not in plain else re.sub(" +", " ", plain)
    if len(plain.encode()) > most_bytes:
        _refuse(f"The {what} is longer than {most_bytes} bytes.")
    if _holds_resident_number(plain):
        _refuse(f"The {what} holds a resident identity number, which is never taken in.")
    return plain


def _refuse_hidden(text: str, what: str) -> None:
    """Raises CellRefused for the first character that a person would not see."""
    if turns := _TURNS_WRITING.search(text):
        _refuse(
            f"The {what} holds U+{ord(turns.group()):04X}, which turns the direction of writing:"
            " it would be shown as another one than is stored."
        )
    hidden = next(each for each in text if each == _LOST or not each.isprintable())
    if hidden == _LOST:
        _refuse(f"The {what} holds U+FFFD, which stands where a character was lost; enter it anew.")
    _refuse(f"The {what} holds U+{ord(hidden):04X}, which can't be seen.")


def _holds_resident_number(text: str) -> bool:
    """Whether an identity number stands anywhere in here, with spaces or hyphens in it or not."""
    if len(text) < 18:
        return False
    digits = normalize("NFKC", text).upper().replace(" ", "").replace("-", "")
    found = (match.group(1).encode() for match in _MAYBE_RESIDENT.finditer(digits))
    return any(is_resident_number(each) for each in found)


def _refuse(sentence: str) -> str:
    raise CellRefused(sentence)
