"""Opens a model file and runs it: the only module that imports the TFLite runtime.

`ai_edge_litert`, or `tflite_runtime` where that is what is installed. A file is read once, its
sha256 compared with the manifest's, and exactly the bytes that were hashed are loaded (R35, A30):
there is no moment between check and use. It must never load anything the manifest does not name.
It changes with the runtime's interface.
"""

import hashlib
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelRefused
from models.manifest import Manifest, ModelEntry
from models.runtimes import AI_EDGE_LITERT, installed_runtime

RUNTIME: Final = installed_runtime()

if RUNTIME == AI_EDGE_LITERT:
    from ai_edge_litert.interpreter import Interpreter
else:
    from tflite_runtime.interpreter import Interpreter

Floats = NDArray[np.float32]

MAX_THREADS: Final = 64


class Model:
    """One loaded model with its buffers. Not thread-safe: one owner, one call at a time.

    Everything a frame leaves behind here lies in the input tensor, the runtime's arena and the
    output buffers; `wipe` overwrites all three.
    """

    def __init__(self, entry: ModelEntry, content: bytes, threads: int) -> None:
        """`content` must be the bytes that `entry.sha256` stands for; see `open_model`."""
        self.entry: Final = entry
        self._interpreter: Any = Interpreter(model_content=content, num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = int(self._interpreter.get_input_details()[0]["index"])
        self._outputs = _match_outputs(entry, self._interpreter.get_output_details())
        self._results = tuple(np.zeros(spec.shape, np.float32) for spec in entry.outputs)
        self._zeros: Final = np.zeros(entry.input.shape, np.float32)
        self._used = False

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Batch, rows, columns, channels."""
        return self.entry.input.shape

    def run(self, inputs: Floats) -> tuple[Floats, ...]:
        """Run the model once on float32 `inputs` of `input_shape`.

        Returns the outputs in the manifest's order, float32. They are this model's own buffers:
        valid until the next `run` or `wipe`, so that nothing is left over to be wiped elsewhere.
        """
        self._used = True
        return self._invoke(inputs)

    def wipe(self) -> None:
        """Overwrite what the last image left: run once on zeros, if there was an image since.

        The same operators write to the same places in the arena whatever the input is, so every
        activation of the last image is replaced by one of an empty image.
        """
        if self._used:
            self._invoke(self._zeros)
            self._used = False

    def _invoke(self, inputs: Floats) -> tuple[Floats, ...]:
        self._interpreter.set_tensor(self._input, inputs)
        self._interpreter.invoke()
        for index, result in zip(self._outputs, self._results, strict=True):
            # A view of the arena, copied at once: the runtime must not move while it is held.
            np.copyto(result, self._interpreter.tensor(index)())
        return self._results


def open_model(manifest: Manifest, key: str, model_dir: Path, threads: int = 1) -> Model:
    """Load the manifest's model `key` from `model_dir`.

    Raises ModelRefused if the file is missing or its bytes are not the manifest's, ManifestError
    if the manifest knows no such key.
    """
    if not 1 <= threads <= MAX_THREADS:
        raise ValueError(f"threads must be 1..{MAX_THREADS}")
    entry = manifest.model(key)
    content = _checked_bytes(entry, model_dir / entry.file)
    try:
        return Model(entry, content, threads)
    except (ValueError, RuntimeError) as error:
        raise ModelRefused(
            f"{entry.file} is the file of the manifest, but {RUNTIME} can't run it ({error}); "
            "install the version of constraints/ and start again."
        ) from error


def _checked_bytes(entry: ModelEntry, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(entry.size_bytes + 1)
    except OSError as error:
        raise ModelRefused(
            f"The model file {path} can't be read ({error.strerror}); run make models."
        ) from error
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise ModelRefused(
            f"The model file {path} is not the one of the manifest (its sha256 differs); "
            "delete it and run make models."
        )
    return content


def _match_outputs(entry: ModelEntry, details: list[dict[str, Any]]) -> tuple[int, ...]:
    """Tensor indices in the manifest's order, found by shape: runtimes may order them otherwise."""
    by_shape = {tuple(int(n) for n in one["shape"]): int(one["index"]) for one in details}
    try:
        return tuple(by_shape[spec.shape] for spec in entry.outputs)
    except KeyError as error:
        raise ModelRefused(
            f"{entry.file} has no output of shape {error}, which the manifest says it has."
        ) from error
