"""Bytes have one text and a text has one meaning, as RFC 9285 says and no more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.passes import base45

VECTORS = [  # RFC 9285, 4.3 and 4.4
    (b"AB", b"BB8"),
    (b"Hello!!", b"%69 VD92EX0"),
    (b"base-45", b"UJCLQE7W581"),
    (b"ietf!", b"QED8WEX0"),
]


@pytest.mark.parametrize(("data", "text"), [*VECTORS, (b"", b""), (b"\xff\xff", b"FGW")])
def test_the_vectors_of_the_standard_hold_both_ways(data: bytes, text: bytes) -> None:
    assert base45.encode(data) == text
    assert base45.decode(text) == data


@pytest.mark.requirement("A7")
@pytest.mark.parametrize("text", [b"A", b"BB8A", b"UJCLQE7W58"])
def test_a_length_that_no_text_has_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="length"):
        base45.decode(text)


@pytest.mark.requirement("A7")
@pytest.mark.parametrize("text", [b"GGW", b":::", b"V5", b"::", b"BB8::", b":::BB8"])
def test_a_group_that_stands_for_more_than_its_bytes_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="no bytes"):
        base45.decode(text)


@pytest.mark.requirement("A7")
@pytest.mark.parametrize(
    "text", [b"bb8", b"BB8\n", b"BB8\0\0", b"B\xc2\xa0", b"BB=", b"BB_", b"BB,", b"\xff\xff\xff"]
)
def test_a_letter_that_is_not_of_the_alphabet_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"letter|length"):
        base45.decode(text)


@given(st.binary(max_size=120))
def test_whatever_is_written_is_read_again(data: bytes) -> None:
    assert base45.decode(base45.encode(data)) == data


@pytest.mark.requirement("A7", "T14")
@given(st.one_of(st.binary(max_size=30), st.text(base45.ALPHABET.decode()).map(str.encode)))
def test_a_text_that_is_read_is_the_only_text_of_its_bytes(text: bytes) -> None:
    try:
        data = base45.decode(text)
    except ValueError:
        return
    assert base45.encode(data) == text


def test_of_all_groups_of_three_letters_exactly_as_many_are_read_as_there_are_pairs_of_bytes() -> (
    None
):
    letters = base45.ALPHABET
    groups = (bytes((one, two, three)) for one in letters for two in letters for three in letters)
    read = {data for group in groups if (data := decoded(group)) is not None}
    assert len(read) == 256**2


def decoded(text: bytes) -> bytes | None:
    try:
        return base45.decode(text)
    except ValueError:
        return None
