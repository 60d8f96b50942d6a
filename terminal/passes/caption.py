"""What stands under the printed picture of a pass, drawn in dots, so that no viewer needs a font.

It says what kind of pass it is, when it is valid (in the zone of the times that are given) and its
short number, so that a sheet can be told from another. It never says whose it is.

What changes with this file: printed passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from terminal.core.values import PassId


class Kind(Enum):
    """What a pass is called on paper."""

    RESIDENT = "Resident pass"
    WITH_PIN = "Resident pass, with PIN"
    VISITOR = "Visitor pass"
    ONCE = "Pass for one use"


@dataclass(frozen=True, slots=True)
class Caption:
    """What a printed pass says of itself; its times are aware, in the site's own zone."""

    kind: Kind
    valid_from: datetime
    valid_until: datetime
    number: PassId

    def lines(self) -> tuple[str, ...]:
        """Four short lines of the letters that can be drawn."""
        return (
            self.kind.value,
            f"From {_time(self.valid_from)}",
            f"To   {_time(self.valid_until)}",
            f"No.  {short(self.number)}",
        )


def short(number: PassId) -> str:
    """What a person calls a pass by: the first half of its number."""
    return f"{number[:4]} {number[4:8]}"


def _time(at: datetime) -> str:
    zone = at.strftime("%z")
    return f"{at:%Y-%m-%d %H:%M} UTC{zone[:3]}:{zone[3:5]}"


DOTS_HIGH: Final = 7
DOTS_WIDE: Final = 5
LINE_DOTS: Final = 10
"""From one line to the next, in dots."""

LETTER_DOTS: Final = 6
"""From one letter to the next, in dots."""

_GLYPHS: Final = {
    "A": "01110 10001 10001 11111 10001 10001 10001",
    "B": "11110 10001 10001 11110 10001 10001 11110",
    "C": "01110 10001 10000 10000 10000 10001 01110",
    "D": "11110 10001 10001 10001 10001 10001 11110",
    "E": "11111 10000 10000 11110 10000 10000 11111",
    "F": "11111 10000 10000 11110 10000 10000 10000",
    "G": "01110 10001 10000 10111 10001 10001 01111",
    "H": "10001 10001 10001 11111 10001 10001 10001",
    "I": "01110 00100 00100 00100 00100 00100 01110",
    "J": "00111 00010 00010 00010 00010 10010 01100",
    "K": "10001 10010 10100 11000 10100 10010 10001",
    "L": "10000 10000 10000 10000 10000 10000 11111",
    "M": "10001 11011 10101 10101 10001 10001 10001",
    "N": "10001 11001 10101 10011 10001 10001 10001",
    "O": "01110 10001 10001 10001 10001 10001 01110",
    "P": "11110 10001 10001 11110 10000 10000 10000",
    "Q": "01110 10001 10001 10001 10101 10010 01101",
    "R": "11110 10001 10001 11110 10100 10010 10001",
    "S": "01111 10000 10000 01110 00001 00001 11110",
    "T": "11111 00100 00100 00100 00100 00100 00100",
    "U": "10001 10001 10001 10001 10001 10001 01110",
    "V": "10001 10001 10001 10001 10001 01010 00100",
    "W": "10001 10001 10001 10101 10101 11011 10001",
    "X": "10001 10001 01010 00100 01010 10001 10001",
    "Y": "10001 10001 01010 00100 00100 00100 00100",
    "Z": "11111 00001 00010 00100 01000 10000 11111",
    "0": "01110 10001 10011 10101 11001 10001 01110",
    "1": "00100 01100 00100 00100 00100 00100 01110",
    "2": "01110 10001 00001 00110 01000 10000 11111",
    "3": "11110 00001 00001 01110 00001 00001 11110",
    "4": "00010 00110 01010 10010 11111 00010 00010",
    "5": "11111 10000 11110 00001 00001 10001 01110",
    "6": "00110 01000 10000 11110 10001 10001 01110",
    "7": "11111 00001 00010 00100 01000 01000 01000",
    "8": "01110 10001 10001 01110 10001 10001 01110",
    "9": "01110 10001 10001 01111 00001 00010 01100",
    "-": "00000 00000 00000 11111 00000 00000 00000",
    "+": "00000 00100 00100 11111 00100 00100 00000",
    ":": "00000 01100 01100 00000 01100 01100 00000",
    ".": "00000 00000 00000 00000 00000 01100 01100",
    ",": "00000 00000 00000 00000 01100 00100 01000",
    " ": "00000 00000 00000 00000 00000 00000 00000",
}


def line_dots(text: str) -> list[bytearray]:
    """A line of text as rows of dots (1 is dark), in capitals. Raises KeyError for others."""
    glyphs = [_GLYPHS[letter].split() for letter in text.upper()]
    return [
        bytearray(int(dot) for glyph in glyphs for dot in glyph[row] + "0")
        for row in range(DOTS_HIGH)
    ]
