"""Files are UTF-8 or GB18030, or are told apart and refused with what to do."""

from __future__ import annotations

import pytest

from terminal.exchange.decoding import MAX_BYTES, decoded
from terminal.exchange.rows import ExchangeRefused

TEXT = "姓名,房号\n王小明,1-2-301\n"


def refusal(data: bytes) -> str:
    with pytest.raises(ExchangeRefused) as caught:
        decoded(data)
    return str(caught.value)


@pytest.mark.parametrize(
    ("codec", "encoding"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("gb18030", "GB18030"), ("gbk", "GB18030")],
)
def test_the_encoding_is_found_out(codec: str, encoding: str) -> None:
    read = decoded(TEXT.encode(codec))
    assert (read.text, read.encoding) == (TEXT, encoding)


def test_rare_and_minority_characters_are_read_from_gb18030() -> None:
    text = "姓名\n王喆\n𠮷田\nئابدۇللا\n"
    assert decoded(text.encode("gb18030")).text == text


def test_all_line_ends_are_one() -> None:
    assert decoded(b"a\r\nb\rc\nd").text == "a\nb\nc\nd"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        *((b"PK\x03\x04\x14\x00", "XLSX"), (b"\xd0\xcf\x11\xe0\xa1\xb1", "XLS")),
        *((b"%PDF-1.7", "PDF"), (b"\x1f\x8b\x08", "gzip"), (TEXT.encode("utf-16"), "UTF-16")),
        *((b"a,b\x00\n", "NUL"), (TEXT.encode("utf-16-le"), "NUL")),
        *((b"  <html><table>", "web page"), (b"\xef\xbb\xbf<?xml", "XML")),
        *((b"", "empty"), (b" \r\n", "empty"), (b"\xef\xbb\xbf", "empty")),
        *((b"name\n\xff\xff\n", "line 2"), (b"\xef\xbb\xbfname\n\xd0\xd5\n", "says that it is")),
        (b"x" * (MAX_BYTES + 1), "10 MB"),
    ],
)
def test_what_is_no_text_of_ours_is_refused_with_what_it_is(data: bytes, what: str) -> None:
    assert what in refusal(data)


@pytest.mark.parametrize("text", ["Name;Flat\nMüller;1\nStraßer;2\n", "Gültig bis\n1\n", "né\n"])
def test_western_text_is_not_taken_for_chinese(text: str) -> None:
    assert "neither UTF-8 nor" in refusal(text.encode("cp1252"))


def test_half_a_character_is_refused() -> None:
    assert "can't be read" in refusal("姓名\n王".encode("gb18030")[:-1])


@pytest.mark.parametrize("text", ["\ud800", "\udfff", "\ud83d\ude00"])
def test_lone_surrogates_are_no_text(text: str) -> None:
    data = b"name\n" + text.encode("utf-8", "surrogatepass")
    try:
        read = decoded(data).text
    except ExchangeRefused:
        return
    assert not any("\ud800" <= each <= "\udfff" for each in read)


def test_surrogates_written_as_four_bytes_are_no_text() -> None:
    # Where U+D800 would stand, were surrogates characters: after U+D7FF (0x8336C738).
    data = "姓名\n".encode("gb18030")
    assert "\ud7ff".encode("gb18030") == bytes.fromhex("8336c738")
    found = decoded(data + bytes.fromhex("8336c739"))
    assert not any("\ud800" <= each <= "\udfff" for each in found.text)
