"""What the same claims cost in a standard container and in ours: bytes, letters, size of the code.

`python -m tests.bench.containers` prints the table of docs/passes.md. The container is a CWT (RFC
8392) in a COSE_Sign1 (RFC 9052) with EdDSA, in the shortest CBOR (RFC 8949), with the key id among
the protected headers, since ours is signed too. Claims that have no registered label get one from
the range for private use, and, as the least that could ever be, one of a single byte.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

import segno

from terminal.passes import base45
from terminal.passes.token import Token, encode
from terminal.signing import SigningKey
from tests.terminal.given_passes import KEY, each_kind

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG = range(7)
_ALGORITHM, _EDDSA, _KEY_ID = 1, -8, 4
_AUDIENCE, _EXPIRES, _NOT_BEFORE, _CWT_ID = 3, 4, 5, 7
PRIVATE_LABELS = (-65537, -65538, -65539)
SHORT_LABELS = (8, 9, 10)
"""Taken, some of them, by other claims: no real container may use these."""

CBOR = int | bytes | str | list["CBOR"] | Mapping[int, "CBOR"]


@dataclass(frozen=True)
class Cost:
    """What a pass costs on the screen."""

    name: str
    n_bytes: int
    letters: int
    version: int

    @property
    def modules(self) -> int:
        """The side of the QR code."""
        return 17 + 4 * self.version


def cbor(value: CBOR) -> bytes:
    """The value in the shortest form of RFC 8949."""
    match value:
        case int():
            return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
        case bytes():
            return _head(_BYTES, len(value)) + value
        case str():
            return _head(_TEXT, len(value.encode())) + value.encode()
        case list():
            return _head(_LIST, len(value)) + b"".join(map(cbor, value))
        case _:
            pairs = (cbor(label) + cbor(one) for label, one in value.items())
            return _head(_MAP, len(value)) + b"".join(pairs)


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    size = next(size for size in range(4) if number < 256 ** (1 << size))
    return bytes([major << 5 | 24 + size]) + number.to_bytes(1 << size, "big")


def container(token: Token, key: SigningKey, labels: tuple[int, int, int]) -> bytes:
    """The claims of a pass as COSE_Sign1 with its tag; the code that is not signed comes after."""
    ours = base45.decode(encode(token, key).encode()[4:])
    claims: dict[int, CBOR] = {
        _AUDIENCE: token.audience,
        _EXPIRES: int(token.not_after.timestamp()),
        _NOT_BEFORE: int(token.not_before.timestamp()),
        _CWT_ID: bytes.fromhex(token.number),
        labels[0]: int.from_bytes(ours[6:14], "big"),  # the holder, as a number
        labels[1]: ours[1],  # flags
    }
    if token.uses:
        claims[labels[2]] = token.uses
    protected = cbor({_ALGORITHM: _EDDSA, _KEY_ID: bytes.fromhex(token.key_id)})
    payload = cbor(claims)
    signature = key.sign(cbor(["Signature1", protected, b"", payload]))
    return _head(_TAG, 18) + cbor([protected, {}, payload, signature]) + ours[104:]


def cost(name: str, data: bytes) -> Cost:
    """What these bytes cost behind our prefix, at level M in the smallest code."""
    text = "FT1:" + base45.encode(data).decode()
    code = segno.make(text, error="m", micro=False, boost_error=False)
    return Cost(name, len(data), len(text), int(code.version))


def costs() -> list[Cost]:
    """Each kind of pass in each form."""
    found = []
    for kind, token in zip(("static", "rotating", "visitor", "once"), each_kind(), strict=True):
        ours = base45.decode(encode(token, KEY).encode()[4:])
        found += [
            cost(f"{kind}: ours", ours),
            cost(f"{kind}: CWT in COSE_Sign1", container(token, KEY, PRIVATE_LABELS)),
            cost(f"{kind}: the same, labels of one byte", container(token, KEY, SHORT_LABELS)),
        ]
    return found


def table(found: list[Cost]) -> str:
    """The costs as a table of a document."""
    lines = ["| pass | bytes | letters | QR version | modules |", "|---|---|---|---|---|"]
    lines += [
        f"| {one.name} | {one.n_bytes} | {one.letters} | {one.version} | {one.modules} |"
        for one in found
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table(costs()) + "\n")
