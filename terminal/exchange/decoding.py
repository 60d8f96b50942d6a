"""Bytes of a file to text: UTF-8 or GB18030, or one sentence about what it is instead.

What is not a text file is recognised by its first bytes and refused with what to do. UTF-8 is
tried strictly, then GB18030 strictly. Nearly any Western text is GB18030 too, read as characters
that nobody wrote; it is told apart by the second bytes of its pairs, which in Western text are
letters of the alphabet, and in Chinese text hardly ever.

What changes with this file: docs/exchange.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from terminal.exchange.rows import ExchangeRefused

MAX_BYTES = 10 * 1024 * 1024

_UTF_8_MARK = b"\xef\xbb\xbf"
_SAVE_AS = "open it in a spreadsheet and save it as CSV (UTF-8)"
_NOT_TEXT = (
    (b"PK\x03\x04", f"This is a workbook (XLSX) or an archive, not CSV: {_SAVE_AS}."),
    (b"\xd0\xcf\x11\xe0", f"This is an old workbook (XLS), not CSV: {_SAVE_AS}."),
    (b"%PDF", "This is a PDF, not CSV: export the list as CSV."),
    (b"\x1f\x8b", "This is packed (gzip): unpack it first."),
    (b"\xff\xfe", f"This is UTF-16 text: {_SAVE_AS}."),
    (b"\xfe\xff", f"This is UTF-16 text: {_SAVE_AS}."),
    (b"\x84\x31\x95\x33", "This begins with a mark that no CSV needs: save it without."),
)
_PAIR = re.compile(
    rb"[\x81-\xfe](?:[0-9][\x81-\xfe][0-9]|(?P<western>[\x40-\x7e])|(?P<chinese>[\x80-\xfe]))"
)
_SAMPLE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file as text, line ends all `\\n`, and the encoding that it was in."""

    text: str
    encoding: str


def decoded(data: bytes) -> Decoded:
    """The text of a file. Raises ExchangeRefused."""
    if len(data) > MAX_BYTES:
        raise ExchangeRefused(f"The file is larger than {MAX_BYTES // 2**20} MB: split it.")
    _check_is_text(data)
    text, encoding = _strictly(data)
    return Decoded(text.replace("\r\n", "\n").replace("\r", "\n"), encoding)


def _check_is_text(data: bytes) -> None:
    for magic, sentence in _NOT_TEXT:
        if data.startswith(magic):
            raise ExchangeRefused(sentence)
    if b"\x00" in data:
        raise ExchangeRefused(f"The file holds a NUL, so it is no text: {_SAVE_AS}.")
    if data.removeprefix(_UTF_8_MARK).lstrip()[:1] == b"<":
        raise ExchangeRefused(f"This is a web page or XML, not CSV: {_SAVE_AS}.")
    if not data.removeprefix(_UTF_8_MARK).strip():
        raise ExchangeRefused("The file is empty.")


def _strictly(data: bytes) -> tuple[str, str]:
    try:
        return str(data.removeprefix(_UTF_8_MARK), "utf-8"), "UTF-8"
    except UnicodeDecodeError as error:
        if data.startswith(_UTF_8_MARK):
            line = data.count(b"\n", 0, error.start) + 1
            raise ExchangeRefused(
                f"The file says that it is UTF-8, and line {line} isn't."
            ) from None
    try:
        text = str(data, "gb18030")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ExchangeRefused(
            f"The file is neither UTF-8 nor GB18030 (line {line} can't be read): {_SAVE_AS}."
        ) from None
    if _looks_western(data) or any("\ud800" <= each <= "\udfff" for each in set(text)):
        raise ExchangeRefused(f"The file is neither UTF-8 nor likely to be GB18030: {_SAVE_AS}.")
    return text, "GB18030"


def _looks_western(data: bytes) -> bool:
    """Whether most pairs end in a letter: in the headings if they have pairs, else after them."""
    headings = data[: data.find(b"\n") + 1]
    sample = headings if _PAIR.search(headings) else data
    first = _PAIR.search(sample)
    pairs = _PAIR.finditer(sample, first.start(), first.start() + _SAMPLE_BYTES) if first else ()
    western = chinese = 0
    for pair in pairs:
        western += pair["western"] is not None
        chinese += pair["chinese"] is not None
    return western > chinese
