"""Reads the weights out of dlib's face recognition ResNet as published (`.dat`), in plain NumPy.

The file is a dump of layers in order from the input to the output, each behind its ASCII name.
dlib's variable-length integer: one byte (bit 7 = negative, low nibble = n), then n bytes, little
endian. A tensor: integer 2 (its version), four integers (dims), then float32, little endian. This
module must never run or unpickle anything from the file: it reads numbers and checks every length.
It changes only if another dump format is to be read. Layout: docs/models.md.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import BuildFailed

Floats = NDArray[np.float32]

INPUT_MEAN_RGB: Final = (122.782, 117.001, 104.298)
"""What the network subtracts from red, green and blue (0..255)."""
INPUT_DIVISOR: Final = 256.0

_CONVOLUTIONS: Final = 29
_GAP_BYTES: Final = 4096
"""Between two weighted layers lie only names and a few integers: far less than this."""


@dataclass(frozen=True, eq=False)
class Convolution:
    """One convolution with the affine layer behind it, as stored: nothing folded yet."""

    filters: Floats
    """(out, in, rows, columns)"""
    biases: Floats
    """(out,)"""
    stride: int
    padding: int
    scale: Floats
    """(out,), multiplies the convolution's output"""
    shift: Floats
    """(out,), added after that"""


@dataclass(frozen=True, eq=False)
class Weights:
    """All 29 convolutions from the input on, and the (inputs, outputs) matrix of the last layer."""

    convolutions: tuple[Convolution, ...]
    projection: Floats


class _Cursor:
    """A position in the dump; every read checks that the bytes are there."""

    def __init__(self, dump: bytes) -> None:
        self._dump = dump
        self._at = 0

    def skip_to(self, name: bytes) -> None:
        """Move behind the next `name`, which must come before more weights could."""
        found = self._dump.find(name, self._at, self._at + _GAP_BYTES)
        if found < 0:
            raise BuildFailed(
                f"The dlib weights are not laid out as expected: no {name.decode()} after byte "
                f"{self._at}; delete the cached package and build again."
            )
        self._at = found + len(name)

    def integer(self) -> int:
        """One of dlib's variable-length integers."""
        head = self._take(1)[0]
        value = int.from_bytes(self._take(head & 0x0F), "little")
        return -value if head & 0x80 else value

    def tensor(self) -> Floats:
        """A tensor with its four dimensions, float32; a view of the dump, not a copy."""
        if self.integer() != 2:
            raise BuildFailed(
                "The dlib weights hold a tensor of a version this builder can't read."
            )
        dims = tuple(self.integer() for _ in range(4))
        if min(dims) < 0 or max(dims) > 1 << 24:
            raise BuildFailed("The dlib weights hold a tensor of impossible size.")
        count = int(np.prod(dims))
        return np.frombuffer(self._take(4 * count), dtype="<f4").reshape(dims)

    def _take(self, count: int) -> bytes:
        taken = self._dump[self._at : self._at + count]
        if len(taken) != count:
            raise BuildFailed("The dlib weights end in the middle of a layer.")
        self._at += count
        return taken


def parse(dump: bytes) -> Weights:
    """Read every weight of the dump. Raises BuildFailed where the layout is not the known one."""
    cursor = _Cursor(dump)
    cursor.skip_to(b"input_rgb_image_sized")
    convolutions = [_convolution(cursor, 3)]
    while len(convolutions) < _CONVOLUTIONS:
        convolutions.append(_convolution(cursor, convolutions[-1].filters.shape[0]))
    cursor.skip_to(b"fc_2")
    return Weights(tuple(convolutions), _projection(cursor, convolutions[-1].filters.shape[0]))


def _convolution(cursor: _Cursor, channels_in: int) -> Convolution:
    cursor.skip_to(b"con_4")
    packed = cursor.tensor().reshape(-1)
    count, rows, columns, stride_y, stride_x, padding_y, padding_x = (
        cursor.integer() for _ in range(7)
    )
    if stride_y != stride_x or packed.size != count * (channels_in * rows * columns + 1):
        raise BuildFailed("The dlib weights hold a convolution of an unexpected shape.")
    cursor.skip_to(b"affine_")
    affine = cursor.tensor().reshape(2, count)
    del padding_x
    return Convolution(
        filters=packed[:-count].reshape(count, channels_in, rows, columns),
        biases=packed[-count:],
        stride=stride_y,
        padding=padding_y,
        scale=affine[0],
        shift=affine[1],
    )


def _projection(cursor: _Cursor, channels_in: int) -> Floats:
    outputs, inputs = cursor.integer(), cursor.integer()
    matrix = cursor.tensor().reshape(inputs, outputs)
    if inputs != channels_in:
        raise BuildFailed("The dlib weights end in a layer of an unexpected shape.")
    return matrix
