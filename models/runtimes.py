"""Which TFLite runtime is installed, and which embedder file goes with it, without loading either.

The process that compares must know whose embeddings it compares, and never runs a model: so this
is said apart from `runtime`, which loads one. It changes when a runtime comes or goes.
"""

from importlib.util import find_spec

AI_EDGE_LITERT = "ai-edge-litert"
TFLITE_RUNTIME = "tflite-runtime"


def installed_runtime() -> str:
    """The runtime that `models.runtime` takes: ai-edge-litert, or else tflite-runtime."""
    return AI_EDGE_LITERT if find_spec("ai_edge_litert") else TFLITE_RUNTIME


def preferred_embedder() -> str:
    """ "int8" or "float32": the faster file in the runtime that is installed (docs/models.md)."""
    return "int8" if installed_runtime() == AI_EDGE_LITERT else "float32"
