"""Pictures of passes are read as the pass they are, and files are made for their owner alone."""

from __future__ import annotations

import re
import zlib
from datetime import timedelta
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest
import zxingcpp

from terminal.passes import pictures
from terminal.passes.caption import Caption, Kind, line_dots, short
from terminal.passes.token import Token
from tests.terminal.given_passes import HOLDER, NOW, each_kind, number, text
from tests.terminal.passes.phone import Image, picture, read

KINDS = each_kind()
IDS = ("static", "rotating", "visitor", "once")
CAPTION = Caption(
    Kind.VISITOR,
    NOW.astimezone(ZoneInfo("Asia/Shanghai")),
    (NOW + timedelta(hours=5)).astimezone(ZoneInfo("Asia/Shanghai")),
    number(0x9F2C41D700000001),
)
PASS = text(KINDS[2]).decode()


def from_png(data: bytes) -> Image:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


def from_svg(data: bytes) -> Image:
    """Draws the strokes of the file, one unit thick, as a browser does."""
    source = data.decode()
    found = re.search(r'width="(\d+)" height="(\d+)"', source)
    assert found
    image = np.full((int(found[2]), int(found[1])), 255, np.uint8)
    strokes = re.findall(r'stroke="#000" d="([^"]+)"', source)
    x = y = 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", strokes[0]):
        values = [float(one) for one in numbers.split()]
        if command == "h":
            image[int(y), int(x) : int(x + values[0])] = 0
            x += values[0]
        else:
            x, y = (values[0], values[1]) if command == "M" else (x + values[0], y + values[1])
    return image


def from_pdf(data: bytes) -> Image:
    """Draws the strokes of the one page, a dot to a unit before scaling."""
    stream = re.search(rb"stream\r\n(.*?)\r\nendstream", data, re.DOTALL)
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", data)
    assert stream and box
    words = zlib.decompress(stream[1]).decode()
    scale = pictures.PDF_POINTS_PER_DOT
    height, width = round(float(box[2]) / scale), round(float(box[1]) / scale)
    image = np.full((height, width), 255, np.uint8)
    for x1, y1, x2 in re.findall(r"(\d+) (-?\d+) m (\d+) -?\d+ l", words):
        image[-int(y1), int(x1) : int(x2)] = 0
    return image


def from_terminal(shown: str) -> Image:
    """Two modules to a letter, black on white whatever the terminal's own colours."""
    rows = []
    for line in shown.splitlines():
        assert line.startswith("\x1b[38;5;16;48;5;231m") and line.endswith("\x1b[0m")
        letters = line.removeprefix("\x1b[38;5;16;48;5;231m").removesuffix("\x1b[0m")
        rows.append([letter in "▀█" for letter in letters])
        rows.append([letter in "▄█" for letter in letters])
    return picture(np.array(rows, np.uint8), quiet=0)


@pytest.mark.requirement("R44")
@pytest.mark.parametrize("token", KINDS, ids=IDS)
def test_every_picture_of_every_pass_is_read_as_its_text(token: Token) -> None:
    whole = text(token).decode()
    assert read(from_png(pictures.png(whole, CAPTION))) == [whole]
    assert read(from_svg(pictures.svg(whole, CAPTION))) == [whole]
    assert read(from_pdf(pictures.pdf(whole, CAPTION))) == [whole]
    assert read(from_terminal(pictures.terminal_text(whole))) == [whole]


def test_the_code_is_of_level_m_in_the_smallest_size_and_no_micro_code() -> None:
    (found,) = zxingcpp.read_barcodes(from_png(pictures.png(PASS, CAPTION)))
    assert found.ec_level == "M"
    assert len(from_terminal(pictures.terminal_text(PASS))[0]) == (45 + 8) * 4


def test_a_code_on_a_dark_terminal_has_its_quiet_zone_in_white() -> None:
    image = from_terminal(pictures.terminal_text(PASS))
    black = np.zeros((image.shape[0] + 80, image.shape[1] + 80), np.uint8)
    black[40:-40, 40:-40] = image
    assert read(black) == [PASS]
    assert (image[:16] == 255).all() and (image[:, :16] == 255).all()
    assert (image[-16:] == 255).all() and (image[:, -16:] == 255).all()


def test_the_quiet_zone_on_paper_is_four_modules_on_every_side() -> None:
    image = from_svg(pictures.svg(PASS, CAPTION))
    four = pictures.QUIET * pictures.MODULE_DOTS
    side = 45 * pictures.MODULE_DOTS
    assert (image[:four] == 255).all() and (image[:, :four] == 255).all()
    assert (image[four + side : 2 * four + side] == 255).all()
    assert (image[: 2 * four + side, four + side :] == 255).all()


def test_a_printed_pass_says_its_kind_its_validity_and_its_short_number_and_no_name() -> None:
    lines = CAPTION.lines()
    assert lines == (
        "Visitor pass",
        "From 2026-05-04 20:00 UTC+08:00",
        "To   2026-05-05 01:00 UTC+08:00",
        "No.  9f2c 41d7",
    )
    assert not any(str(HOLDER) in line for line in lines)


def test_the_lines_of_the_caption_stand_below_the_code_dot_for_dot() -> None:
    image = from_svg(pictures.svg(PASS, CAPTION))
    top = (45 + 8) * pictures.MODULE_DOTS
    for at, line in enumerate(CAPTION.lines()):
        dots = np.array([list(row) for row in line_dots(line)], np.uint8)
        begins = top + at * 10 + 3
        drawn = image[begins : begins + 7, 16 : 16 + dots.shape[1]]
        assert (drawn == np.where(dots, 0, 255)).all()


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_pass_can_be_written_in_dots(kind: Kind) -> None:
    assert len(line_dots(kind.value)) == 7


def test_no_two_letters_look_alike() -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+:., "
    drawn = {bytes(b"".join(line_dots(letter))) for letter in letters}
    assert len(drawn) == len(letters)
    assert {len(row) for letter in letters for row in line_dots(letter)} == {6}


def test_a_pass_is_called_by_the_first_half_of_its_number() -> None:
    assert short(number(0x0123456789ABCDEF)) == "0123 4567"


@pytest.mark.parametrize("wrong", ["ft1:abc", "FT1:\n", "FT1:通"])
def test_what_is_no_text_of_a_pass_is_not_drawn(wrong: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        pictures.terminal_text(wrong)
