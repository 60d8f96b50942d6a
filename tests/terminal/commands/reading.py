"""Reads QR codes off a screen: paints a text terminal's cells into pixels, and decodes them."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

Colour = tuple[int, int, int]
Pixels = npt.NDArray[np.uint8]

CELL = (8, 16)
"""Width and height of a character, px."""

_QR = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
_TOKEN = re.compile(r"\x1b\[(?P<codes>[0-9;]*)m|(?P<character>.)|(?P<end>\n)")


def read_drawing(text: str, back: Colour, ink: Colour, *, inverted: bool = True) -> list[str]:
    """What a phone reads off a screen with these colours that shows this text."""
    return decoded(painted(text, back, ink), inverted=inverted)


def read_png(path: Path) -> list[str]:
    """What a phone reads off this picture."""
    data = np.frombuffer(path.read_bytes(), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    return decoded(picture.astype(np.uint8))


def decoded(picture: Pixels, *, inverted: bool = True) -> list[str]:
    """The texts of all QR codes in it; `inverted` also of those that are light on dark."""
    found = zxingcpp.read_barcodes(np.ascontiguousarray(picture), formats=_QR, try_invert=inverted)
    return [one.text for one in found]


def painted(text: str, back: Colour, ink: Colour) -> Pixels:
    """Grey pixels of a terminal that shows this text with these colours where it sets none."""
    lines = text.split("\n")
    bare = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    width, height = CELL
    size = (len(lines) * height, max(len(line) for line in bare) * width)
    picture = np.full(size, _grey(back), np.uint8)
    row = column = 0
    colours = [ink, back]
    for token in _TOKEN.finditer(text):
        if token["end"]:
            row, column = row + 1, 0
        elif token["character"]:
            _paint(picture, row, column, token["character"], colours)
            column += 1
        else:
            colours = _changed(colours, token["codes"], ink, back)
    return picture


def _paint(picture: Pixels, row: int, column: int, character: str, colours: list[Colour]) -> None:
    width, height = CELL
    top, left = row * height, column * width
    cell = picture[top : top + height, left : left + width]
    cell[:] = _grey(colours[1])
    half = height // 2
    if character in "█▀":
        cell[:half] = _grey(colours[0])
    if character in "█▄":
        cell[half:] = _grey(colours[0])
    if character.isalnum():  # a letter has some ink; which, no code depends on
        cell[4:-4, 2:-2] = _grey(colours[0])


def _changed(colours: list[Colour], codes: str, ink: Colour, back: Colour) -> list[Colour]:
    ink_now, back_now = colours
    numbers = [int(code or 0) for code in codes.split(";")]
    while numbers:
        match numbers:
            case [38, 5, index, *numbers]:
                ink_now = _of_256(index)
            case [48, 5, index, *numbers]:
                back_now = _of_256(index)
            case [38, 2, red, green, blue, *numbers]:
                ink_now = (red, green, blue)
            case [48, 2, red, green, blue, *numbers]:
                back_now = (red, green, blue)
            case [0 | 39 | 49 as code, *numbers]:
                ink_now = ink if code != 49 else ink_now
                back_now = back if code != 39 else back_now
            case [code, *numbers]:
                raise AssertionError(f"no colour of a drawing: {code}")
    return [ink_now, back_now]


def _of_256(index: int) -> Colour:
    """A colour of the cube of 6 x 6 x 6, which follows the sixteen that themes change."""
    assert 16 <= index <= 231, "a theme may have changed this one"
    levels = (0, 95, 135, 175, 215, 255)
    at = index - 16
    return levels[at // 36], levels[at // 6 % 6], levels[at % 6]


def _grey(colour: Colour) -> int:
    return round(sum(colour) / 3)
