"""What the door knows of the runtime without loading it is what vision loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from models import runtime, runtimes
from models.faces import FacePipeline
from models.manifest import load


def test_the_embedder_that_is_said_is_the_one_that_runs() -> None:
    assert runtimes.installed_runtime() == runtime.RUNTIME
    entry = load().model(f"embedder_{runtimes.preferred_embedder()}")
    assert FacePipeline.load().embedder.model_sha256 == entry.sha256


@pytest.mark.parametrize(
    ("role", "foreign"),
    [
        ("app_door", ("cv2", "ai_edge_litert", "tflite_runtime", "hw.bench", "models.runtime")),
        ("app_vision", ("sqlite3", "cryptography", "gpiozero", "hw.bench", "terminal.store")),
    ],
)
def test_a_process_loads_nothing_of_the_other(role: str, foreign: tuple[str, ...]) -> None:
    program = f"import sys, terminal.{role}; print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not set(foreign) & set(said.stdout.split())
