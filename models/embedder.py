"""Turns a face chip into an embedding: one forward pass of the chip, one of its mirror image.

An embedding of a person's face is a biometric sample: it must never be logged, stored in clear or
sent with a name. The caller owns the returned array and overwrites it when it has been used; what
stays in here goes with `wipe`. It changes when another embedder is installed (another manifest
entry); embeddings of different models never compare.
"""

import math

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelRefused
from models.runtime import RUNTIME, Model

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


class Embedder:
    """The embedding model with its input buffer."""

    def __init__(self, model: Model) -> None:
        """`model`: float32 RGB 0..255 (1, S, S, 3) to float32 (1, D)."""
        self._model = model
        self._input = np.zeros(model.input_shape, np.float32)
        self._sum = np.zeros(self.width, np.float32)

    @property
    def width(self) -> int:
        """D, the numbers of an embedding."""
        return self._model.entry.outputs[0].shape[1]

    @property
    def model_sha256(self) -> str:
        """Which model made an embedding: two compare only if this is the same."""
        return self._model.entry.sha256

    def embed(self, chip: Pixels) -> Floats:
        """The embedding of a chip, uint8 (S, S, 3): float32 (D,), unit length, a fresh array.

        Mean of the chip's and its mirror image's: fewer errors than the chip's alone. Raises
        ModelRefused where the model gives no usable numbers.
        """
        if chip.shape != self._model.input_shape[1:] or chip.dtype != np.uint8:
            raise ValueError(f"a chip must be uint8 {self._model.input_shape[1:]}")
        np.copyto(self._sum, self._forward(chip))
        self._sum += self._forward(chip[:, ::-1])
        length = math.sqrt(float(np.dot(self._sum, self._sum)))
        if not 0 < length < math.inf:
            raise ModelRefused(
                f"{self._model.entry.file} gives no usable numbers in {RUNTIME}; "
                "install the version of constraints/ and start again."
            )
        return np.divide(self._sum, np.float32(length), out=np.empty(self.width, np.float32))

    def embed_once(self, chip: Pixels) -> Floats:
        """The model's own output for the chip alone, float32 (D,), not normalised.

        For comparing with the network that the weights come from, not for recognising anybody.
        """
        return self._forward(chip).copy()

    def wipe(self) -> None:
        """Overwrite what the last face left in the buffers and the model."""
        self._input.fill(0)
        self._sum.fill(0)
        self._model.wipe()

    def _forward(self, chip: Pixels) -> Floats:
        """The model's output buffer, (D,): valid until the next call."""
        np.copyto(self._input[0], chip)
        (outputs,) = self._model.run(self._input)
        embedding: Floats = outputs[0]
        return embedding
