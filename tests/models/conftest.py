"""The built models and the public-domain portraits, for every test of the models island."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models import manifest as manifests
from models import portraits
from models.faces import FacePipeline
from models.manifest import Manifest
from models.paths import BUILD_DIR, MODEL_DIR


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return manifests.load()


@pytest.fixture(scope="session")
def model_dir(manifest: Manifest) -> Path:
    missing = [one.file for one in manifest.models.values() if not (MODEL_DIR / one.file).exists()]
    assert not missing, "run make models first"
    return MODEL_DIR


@pytest.fixture(scope="session")
def pictures() -> dict[str, NDArray[np.uint8]]:
    found = portraits.paths(BUILD_DIR)
    assert len(found) == 5, "run make models first"
    return {key: portraits.read_rgb(path) for key, path in found.items()}


@pytest.fixture(params=["int8", "float32"])
def pipeline(request: pytest.FixtureRequest, model_dir: Path) -> FacePipeline:
    return FacePipeline.load(model_dir, request.param)


@pytest.fixture(scope="session")
def finder(model_dir: Path) -> FacePipeline:
    """A pipeline for tests in which the embedder does not matter."""
    return FacePipeline.load(model_dir)
