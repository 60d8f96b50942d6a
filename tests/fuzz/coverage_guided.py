"""`make fuzz-atheris`: bytes that libFuzzer bends towards branches it has not seen yet.

In its own environment, since atheris exists for x86-64 alone. It instruments our modules and not
the library below them. Any finding ends it with the payload in build/fuzz/. The first byte of what
it makes says how the rest becomes a payload: as it is, or well written, so that the layers behind
base45 are reached too.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["terminal", "tests.fuzz.trials"]):
    from tests.fuzz import trials

from terminal.passes import base45
from tests.fuzz.payloads import CARDS, SEEDS

_DATA = tuple(base45.decode(seed[4:]) for seed in SEEDS)


def payload(data: bytes) -> bytes:
    """Raw, as the bytes of a pass, or as a whole pass with these bytes put over it."""
    how, rest = data[:1], data[1:]
    if how < b"\x40":
        return rest
    if how < b"\x80" or len(rest) < 2:
        return b"FT1:" + base45.encode(rest)
    pass_ = bytearray(_DATA[rest[0] % len(_DATA)])
    at = rest[1] % len(pass_)
    pass_[at : at + len(rest) - 2] = rest[2:]
    return b"FT1:" + base45.encode(bytes(pass_))


def one(data: bytes) -> None:
    """Raises RuntimeError for an opening, and for whatever was not caught."""
    outcome = trials.outcome_of(payload(data))
    if outcome.startswith((trials.OPENING, trials.UNCAUGHT)):
        raise RuntimeError(f"{outcome}: {payload(data)!r}")


def main() -> None:
    """Run until the time is up; the words after the module are libFuzzer's own."""
    for raw in (*SEEDS, *CARDS):
        one(b"\0" + raw)
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
