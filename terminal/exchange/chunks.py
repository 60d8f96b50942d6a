"""Rows in pieces that fit a request of the control socket (`requests.MAX_REQUEST_BYTES`).

What changes with this file: the command that imports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from terminal.exchange.rows import ExchangeRefused, Row

R = TypeVar("R", bound=Row)

LIMIT_BYTES = 3500
"""What a request leaves for its rows, as one JSON list."""


def chunks(rows: Iterable[R], limit_bytes: int = LIMIT_BYTES) -> Iterator[tuple[R, ...]]:
    """The rows in order, in pieces whose JSON list is at most `limit_bytes` long.

    Raises ExchangeRefused for a row that is longer by itself; in 3,500 bytes every row has room.
    """
    encoder = msgspec.json.Encoder()
    piece: list[R] = []
    size = 2  # the brackets
    for row in rows:
        row_bytes = len(encoder.encode(row)) + 1  # and a comma
        if 2 + row_bytes - 1 > limit_bytes:
            raise ExchangeRefused(f"Line {row.line} is longer than a request may be.")
        if piece and size + row_bytes - 1 > limit_bytes:
            yield tuple(piece)
            piece, size = [], 2
        piece.append(row)
        size += row_bytes
    if piece:
        yield tuple(piece)
