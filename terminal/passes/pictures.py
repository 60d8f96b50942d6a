"""Pictures of a pass: for a terminal's window, for a screen, for paper.

Level M (15 % of the code may be lost) in the smallest size that holds the text, never a micro code,
with the quiet zone of four modules that the standard asks for (ISO/IEC 18004, 9.1). Pictures for
paper have a caption, never a name. Whoever has a picture of a static pass has the pass, so whoever
writes one does it as `commands.private_files` does.

The only module that imports segno. What changes with this file: `terminalctl pass show`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import segno
from segno.writers import save

from terminal.passes.caption import DOTS_HIGH, LETTER_DOTS, LINE_DOTS, Caption, line_dots

QUIET: Final = 4
MODULE_DOTS: Final = 4
"""A module is so many dots of the caption wide."""

PNG_PX_PER_DOT: Final = 3
PDF_POINTS_PER_DOT: Final = 1.25
"""A code of 45 modules is 79 mm wide on paper: read at 0.5 m."""

_INK: Final = "\x1b[38;5;16;48;5;231m"
"""Black on white whatever a terminal's own colours are: these two of the 256 are fixed."""

_PLAIN: Final = "\x1b[0m"
_HALVES: Final = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}

Grid = list[bytearray]
"""Rows of dots or modules; 1 is dark."""


def terminal_text(text: str) -> str:
    """The code as lines for a terminal of UTF-8 and 256 colours, two modules to a letter."""
    grid = _quiet(_modules(text))
    if len(grid) % 2:
        grid.append(bytearray(len(grid[0])))
    lines = [
        _INK + "".join(map(_HALVES.__getitem__, zip(upper, lower, strict=True))) + _PLAIN
        for upper, lower in zip(grid[::2], grid[1::2], strict=True)
    ]
    return "\n".join(lines) + "\n"


def png(text: str, caption: Caption) -> bytes:
    """The code with its caption as a PNG file."""
    return _written(text, caption, "png", scale=PNG_PX_PER_DOT)


def svg(text: str, caption: Caption) -> bytes:
    """The code with its caption as an SVG file, which is drawn at any size."""
    return _written(text, caption, "svg", scale=1)


def pdf(text: str, caption: Caption) -> bytes:
    """The code with its caption as a PDF file of one page."""
    return _written(text, caption, "pdf", scale=PDF_POINTS_PER_DOT)


def _modules(text: str) -> Grid:
    """The code itself. Raises ValueError for what no code holds."""
    code = segno.make(text, error="m", mode="alphanumeric", micro=False, boost_error=False)
    return [bytearray(row) for row in code.matrix]


def _quiet(grid: Grid) -> Grid:
    side = bytes(QUIET)
    edge = [bytearray(len(grid[0]) + 2 * QUIET) for _ in range(QUIET)]
    return [*edge, *(bytearray(side + row + side) for row in grid), *map(bytearray, edge)]


def _written(text: str, caption: Caption, kind: str, scale: float) -> bytes:
    dots = _with_caption(_quiet(_modules(text)), caption.lines())
    file = io.BytesIO()
    size = (len(dots[0]), len(dots))
    save(dots, size, file, kind=kind, scale=scale, border=0, light="white")
    return file.getvalue()


def _with_caption(grid: Grid, lines: Sequence[str]) -> Grid:
    """Each module as its square of dots, the lines of the caption below the quiet zone."""
    dots = [_wide(row) for row in grid for _ in range(MODULE_DOTS)]
    margin = bytes(QUIET * MODULE_DOTS)
    width = max(len(dots[0]), max(map(len, lines)) * LETTER_DOTS + 2 * len(margin))
    for line in lines:
        dots += [bytearray() for _ in range(LINE_DOTS - DOTS_HIGH)]
        dots += [bytearray(margin + row) for row in line_dots(line)]
    dots += [bytearray() for _ in range(len(margin))]
    return [row.ljust(width, b"\0") for row in dots]


def _wide(row: bytearray) -> bytearray:
    return bytearray(module for module in row for _ in range(MODULE_DOTS))
