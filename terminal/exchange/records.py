"""Text to records: cells between separators, quotes as in RFC 4180, every record with its line.

A quote counts where a cell begins with it; elsewhere it is a character. What is quoted wrongly
costs its first line and no more: reading goes on at the next line, and the record says so. A record
that is quoted rightly and too long is passed over whole, so that lines within a long note are never
taken for rows. Both are bounded: where too much is quoted wrongly, the file is refused.

What changes with this file: `importing`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from terminal.exchange.rows import ExchangeRefused

MAX_COLUMNS = 256
MAX_RECORD_CHARACTERS = 65_536
MAX_WRONGLY_QUOTED = 50

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}

# The rest of a quoted cell: everything up to a quote that is not doubled. Possessive: no way back.
_QUOTED = re.compile(r'[^"]*+(?:""[^"]*+)*+')


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one record, and the line (from 1) on which it begins."""

    line: int
    cells: tuple[str, ...]

    @property
    def is_blank(self) -> bool:
        """Whether no cell holds anything, as on lines that a spreadsheet leaves at the end."""
        return not any(cell.strip() for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that could not be read, and why."""

    line: int
    sentence: str


class _WronglyQuotedError(Exception):
    """Where this record ends can't be said."""


def records(text: str, separator: str) -> Iterator[Record | Broken]:
    """Every record of the text (line ends `\\n`). Raises ExchangeRefused."""
    at, line, wrongly_quoted = 0, 1, 0
    while at < len(text):
        try:
            cells, ends = _record(text, at, separator)
            yield _checked(line, cells, ends - at)
        except _WronglyQuotedError as error:
            wrongly_quoted += 1
            _check_bound(wrongly_quoted)
            yield Broken(line, str(error))
            ends = _line_end(text, at)
        line += text.count("\n", at, ends + 1)
        at = ends + 1


def _record(text: str, at: int, separator: str) -> tuple[list[str], int]:
    """The cells of the record that begins here, and where it ends (at a line's end)."""
    ends = _line_end(text, at)
    if text.find('"', at, ends) < 0:
        return text[at:ends].split(separator, MAX_COLUMNS), ends
    return _quoted_record(text, at, separator)


def _quoted_record(text: str, at: int, separator: str) -> tuple[list[str], int]:
    cells: list[str] = []
    while True:
        cell, at = _quoted(text, at) if text.startswith('"', at) else _bare(text, at, separator)
        cells.append(cell)
        if at >= len(text) or text[at] == "\n":
            return cells, at
        if text[at] != separator:
            raise _WronglyQuotedError(
                "After a quoted cell there is more text; its quotes do not fit."
            )
        if len(cells) > MAX_COLUMNS:
            raise _WronglyQuotedError("There are too many cells; the quotes do not fit.")
        at += 1


def _quoted(text: str, at: int) -> tuple[str, int]:
    """The cell whose quote is here, and what follows after its other quote."""
    match = _QUOTED.match(text, at + 1)
    ends = match.end() if match else len(text)
    if ends >= len(text):
        raise _WronglyQuotedError("A quote is opened here and never closed.")
    return text[at + 1 : ends].replace('""', '"'), ends + 1


def _bare(text: str, at: int, separator: str) -> tuple[str, int]:
    line_end = _line_end(text, at)
    found = text.find(separator, at, line_end)
    ends = line_end if found < 0 else found
    return text[at:ends], ends


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _checked(line: int, cells: list[str], characters: int) -> Record | Broken:
    if characters > MAX_RECORD_CHARACTERS:
        return Broken(line, f"The row has more than {MAX_RECORD_CHARACTERS} characters.")
    if len(cells) > MAX_COLUMNS:
        return Broken(line, f"The row has more than {MAX_COLUMNS} cells.")
    return Record(line, tuple(cells))


def _check_bound(wrongly_quoted: int) -> None:
    if wrongly_quoted > MAX_WRONGLY_QUOTED:
        raise ExchangeRefused(
            f"More than {MAX_WRONGLY_QUOTED} rows are quoted wrongly:"
            " look how the file was written."
        )
