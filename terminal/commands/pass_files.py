"""The forms in which a pass leaves the terminal: drawn on the screen, as a picture, as a page.

In colours of its own, since half blocks in the screen's colours would be black on white on one
desk and white on black on the next.

What changes with this file: `passes`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from zoneinfo import ZoneInfo

import segno

from terminal.answers import IssuedPass
from terminal.errors import NotDone

Maker = Callable[[IssuedPass, ZoneInfo], bytes]

_INK, _PAPER = 16, 231
"""Black and white of the 256 colours, which no theme changes as it does the first sixteen."""

_QUIET = 4
"""Modules of margin around a code (ISO/IEC 18004)."""


def drawing(one: IssuedPass) -> str:
    """The pass as half blocks, dark on light on every background."""
    rows = [list(row) for row in _code(one).matrix_iter(border=_QUIET)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    return "\n".join(
        _coloured("".join(_BLOCKS[bool(top), bool(below)] for top, below in zip(a, b, strict=True)))
        for a, b in zip(rows[::2], rows[1::2], strict=True)
    )


_BLOCKS = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}


def _coloured(line: str) -> str:
    return f"\x1b[38;5;{_INK};48;5;{_PAPER}m{line}\x1b[0m"


def without_colours(text: str) -> str:
    """What of a drawing takes room on the screen."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _code(one: IssuedPass) -> segno.QRCode:
    return segno.make_qr(one.text, error="m", boost_error=False)


def _saved(kind: str) -> Maker:
    def make(one: IssuedPass, zone: ZoneInfo) -> bytes:
        out = io.BytesIO()
        _code(one).save(out, kind=kind, border=_QUIET, scale=10 if kind == "png" else 4)
        return out.getvalue()

    return make


def _page(one: IssuedPass, zone: ZoneInfo) -> bytes:
    raise NotDone("This version has no page for phones yet; issue a static pass, or a card.")


MAKERS: dict[str, Maker] = {
    "png": _saved("png"),
    "svg": _saved("svg"),
    "pdf": _saved("pdf"),
    "page": _page,
}
