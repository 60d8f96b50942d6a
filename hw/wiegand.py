"""Wiegand frames: one table of formats, an encoder, and a decoder for edges with their times.

Pure. A frame is a row of bits on two wires, D0 and D1, that idle high: a pulse on D0 is a 0, one
on D1 is a 1. The first bit makes the first half's sum even, the last one the second half's odd, and
nothing else protects it: so a frame is dropped whole when its length is not a format's, when a
parity is wrong, when two edges are nearer to each other than any reader sends them (both wires low
at once, crosstalk, a glitch), or when a pause falls into it that is neither within a frame nor
between two. One bit lost, added or turned is always noticed. Two turned bits of one half are not:
parity can't. It must never repair anything. What changes with this file: the Wiegand reader, the
panel's output, and every card that was read through either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from types import MappingProxyType

from hw.ports import Edge

LEAST_BIT_GAP_S = 150e-6
"""Readers keep at least 200 us from one pulse to the next (SIA AC-01); nearer edges are noise."""

LONGEST_BIT_GAP_S = 0.025
"""The next bit of a frame comes by then; readers take 1-20 ms."""

SILENCE_S = 0.05
"""After so much silence a frame is over. A pause between the two times is neither, and noise."""

MAX_EDGES = 128
"""More edges without a pause are noise."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format: `bits` in all; the bits [0, even_end) have an even sum, [odd_begin, bits) an odd.

    The bits between the two parity bits are `facility_bits` of facility, then the number.
    """

    bits: int
    even_end: int
    odd_begin: int
    facility_bits: int

    @property
    def number_bits(self) -> int:
        """Bits of the number after the facility."""
        return self.bits - 2 - self.facility_bits


FORMATS: Mapping[int, Format] = MappingProxyType(
    {
        each.bits: each
        for each in (
            Format(26, even_end=13, odd_begin=13, facility_bits=8),  # H10301
            Format(34, even_end=17, odd_begin=17, facility_bits=16),
            Format(37, even_end=19, odd_begin=18, facility_bits=16),  # H10304; H10302's parity
        )
    }
)
"""Length -> format. The middle bit of 37 counts in both sums. H10302 has the same bits and parity
as H10304 and no facility, so a frame can't tell them apart; it is written as H10304 either way."""


class Drop(Enum):
    """Why a burst of edges is no frame."""

    LENGTH = "length"
    PARITY = "parity"
    BOTH_LOW = "both_low"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame whose parity is right; `number` is all between its parity bits."""

    number: int
    bits: int

    @property
    def text(self) -> str:
        """FORMAT-FACILITY-NUMBER in decimal digits of fixed width: no two frames share one."""
        shape = FORMATS[self.bits]
        facility, number = divmod(self.number, 1 << shape.number_bits)
        widths = len(str((1 << shape.facility_bits) - 1)), len(str((1 << shape.number_bits) - 1))
        return f"{self.bits}-{facility:0{widths[0]}d}-{number:0{widths[1]}d}"


class Key(Enum):
    """Keys of a Wiegand keypad that are no digit; their values are their codes."""

    CLEAR = 0xA
    END = 0xB


def encode(number: int, bits: int) -> tuple[int, ...]:
    """The bits of a frame, first to last, with right parity. Raises ValueError."""
    shape = FORMATS.get(bits)
    if shape is None:
        raise ValueError(
            f"There is no format of {bits} bits; there is {', '.join(map(str, FORMATS))}."
        )
    if not 0 <= number < 1 << (bits - 2):
        raise ValueError(f"A frame of {bits} bits has no room for this number.")
    inner = [number >> at & 1 for at in reversed(range(bits - 2))]
    even = sum(inner[: shape.even_end - 1]) & 1
    odd = sum(inner[shape.odd_begin - 1 :]) & 1 ^ 1
    return (even, *inner, odd)


def decode(bits: Sequence[int]) -> Frame | Drop:
    """The frame of these bits (each 0 or 1), or why it is none."""
    shape = FORMATS.get(len(bits))
    if shape is None:
        return Drop.LENGTH
    if sum(bits[: shape.even_end]) & 1 or not sum(bits[shape.odd_begin :]) & 1:
        return Drop.PARITY
    return Frame(_value(bits[1:-1]), len(bits))


def decode_key(bits: Sequence[int]) -> int | Key | Drop:
    """The key of a keypad's burst: 4 bits, or 8 of which the first 4 are the last 4 turned.

    A digit 0..9, or a Key. Four bits have no check of their own.
    """
    if len(bits) not in (4, 8):
        return Drop.LENGTH
    code = _value(bits[-4:])
    if len(bits) == 8 and _value(bits[:4]) != code ^ 0xF:
        return Drop.PARITY
    if code <= 9:
        return code
    return Key(code) if code in (Key.CLEAR.value, Key.END.value) else Drop.PARITY


def bursts(edges: Sequence[Edge]) -> list[list[Edge]]:
    """The edges in order of their time, divided where there was silence."""
    divided: list[list[Edge]] = []
    for edge in sorted(edges, key=lambda one: one.tick_s):
        if not divided or edge.tick_s - divided[-1][-1].tick_s >= SILENCE_S:
            divided.append([])
        divided[-1].append(edge)
    return divided


def bits_of(burst: Sequence[Edge]) -> tuple[int, ...] | Drop:
    """The bits of one burst (edges in order), or why its times are no frame's."""
    for before, after in pairwise(burst):
        gap_s = after.tick_s - before.tick_s
        if gap_s < LEAST_BIT_GAP_S:
            return Drop.BOTH_LOW
        if gap_s > LONGEST_BIT_GAP_S:
            return Drop.GAP
    return tuple(edge.line for edge in burst)


def _value(bits: Sequence[int]) -> int:
    return int("".join(map(str, bits)), 2)
