"""The container that ours is compared with is a real one, and the document has today's figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from terminal.signing import verify
from tests.bench.containers import (
    CBOR,
    PRIVATE_LABELS,
    SHORT_LABELS,
    cbor,
    container,
    costs,
    table,
)
from tests.terminal.given_passes import KEY, static, visitor

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("value", "encoded"),
    [  # RFC 8949, appendix A
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (100, "1864"),
        (1000, "1903e8"),
        (1000000, "1a000f4240"),
        (1000000000000, "1b000000e8d4a51000"),
        (-1, "20"),
        (-100, "3863"),
        (-1000, "3903e7"),
        (b"\1\2\3\4", "4401020304"),
        ("IETF", "6449455446"),
        ([1, 2, 3], "83010203"),
        ({1: 2, 3: 4}, "a201020304"),
    ],
)
def test_cbor_is_as_the_standard_shows_it(value: CBOR, encoded: str) -> None:
    assert cbor(value).hex() == encoded


def test_the_container_holds_under_the_signature_of_cose() -> None:
    whole = container(visitor(), KEY, PRIVATE_LABELS)
    assert whole[:2] == bytes.fromhex("d284")  # tag 18, a list of four
    protected = whole[3 : 3 + (whole[2] & 31)]
    signature = whole[-64:]
    payload = whole[3 + len(protected) + 1 + 2 : -66]
    signed = cbor(["Signature1", protected, b"", payload])
    assert verify(KEY.public, signature, signed)
    assert not verify(KEY.public, signature, signed + b"\0")


def test_shorter_labels_make_a_shorter_container() -> None:
    assert len(container(static(), KEY, SHORT_LABELS)) < len(
        container(static(), KEY, PRIVATE_LABELS)
    )


def test_ours_needs_the_fewest_bytes_and_the_smallest_code_for_each_kind() -> None:
    found = costs()
    for ours, standard, least in zip(found[::3], found[1::3], found[2::3], strict=True):
        assert ours.n_bytes < least.n_bytes < standard.n_bytes
        assert ours.version < standard.version


def test_the_document_has_these_figures() -> None:
    assert table(costs()) in (ROOT / "docs" / "passes.md").read_text(encoding="utf-8")
