"""Loading a model: only the manifest's bytes, and nothing of a face left behind."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.errors import ManifestError, ModelRefused
from models.faces import FacePipeline
from models.manifest import Manifest
from models.runtime import Model, open_model

Array = NDArray[Any]
KEYS = ["detector_short", "detector_full", "landmarks", "embedder_int8", "embedder_float32"]


def _noise(model: Model, seed: int) -> Array:
    spec = model.entry.input
    generator = np.random.default_rng(seed)
    return generator.uniform(spec.low, spec.high, spec.shape).astype(np.float32)


@pytest.mark.requirement("R35", "A30", "T45")
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("where", [0.0, 0.5, 1.0])
def test_a_model_with_one_byte_changed_is_refused(
    manifest: Manifest, model_dir: Path, tmp_path: Path, key: str, where: float
) -> None:
    file = manifest.model(key).file
    content = bytearray((model_dir / file).read_bytes())
    content[int(where * (len(content) - 1))] ^= 1
    (tmp_path / file).write_bytes(content)
    with pytest.raises(ModelRefused, match=r"not the one of the manifest \(its sha256 differs\)"):
        open_model(manifest, key, tmp_path)


@pytest.mark.requirement("R35", "A30", "T45")
@pytest.mark.parametrize("change", ["shorter", "longer", "empty"])
def test_a_model_of_another_length_is_refused(
    manifest: Manifest, model_dir: Path, tmp_path: Path, change: str
) -> None:
    entry = manifest.model("detector_short")
    content = (model_dir / entry.file).read_bytes()
    changed = {"shorter": content[:-1], "longer": content + b"\0", "empty": b""}[change]
    (tmp_path / entry.file).write_bytes(changed)
    with pytest.raises(ModelRefused, match="sha256 differs"):
        open_model(manifest, entry.key, tmp_path)


@pytest.mark.requirement("R35", "A30")
def test_another_model_of_the_manifest_under_this_name_is_refused(
    manifest: Manifest, model_dir: Path, tmp_path: Path
) -> None:
    short, full = manifest.model("detector_short"), manifest.model("detector_full")
    shutil.copy(model_dir / full.file, tmp_path / short.file)
    with pytest.raises(ModelRefused, match="sha256 differs"):
        open_model(manifest, "detector_short", tmp_path)


@pytest.mark.requirement("R35", "A30")
@pytest.mark.parametrize("key", KEYS[:4])
def test_the_pipeline_does_not_load_without_each_of_its_models(
    manifest: Manifest, model_dir: Path, tmp_path: Path, key: str
) -> None:
    for other in KEYS:
        if other != key:
            (tmp_path / manifest.model(other).file).symlink_to(
                model_dir / manifest.model(other).file
            )
    with pytest.raises(ModelRefused, match=r"can't be read \(.*\); run make models"):
        FacePipeline.load(tmp_path, "int8")


@pytest.mark.requirement("R35")
def test_a_model_that_the_manifest_does_not_name_is_refused(
    manifest: Manifest, model_dir: Path
) -> None:
    with pytest.raises(ManifestError, match="knows no model 'age_and_gender'"):
        open_model(manifest, "age_and_gender", model_dir)


@pytest.mark.parametrize("threads", [0, -1, 65])
def test_a_thread_count_out_of_bounds_is_refused(
    manifest: Manifest, model_dir: Path, threads: int
) -> None:
    with pytest.raises(ValueError, match=r"threads must be 1\.\.64"):
        open_model(manifest, "detector_short", model_dir, threads)


@pytest.mark.parametrize("key", KEYS)
def test_inputs_and_outputs_have_the_shapes_of_the_manifest(
    manifest: Manifest, model_dir: Path, key: str
) -> None:
    model = open_model(manifest, key, model_dir)
    outputs = model.run(_noise(model, 1))
    assert tuple(one.shape for one in outputs) == tuple(one.shape for one in model.entry.outputs)
    assert all(one.dtype == np.float32 for one in outputs)


@pytest.mark.parametrize("key", KEYS)
def test_two_threads_and_one_agree(manifest: Manifest, model_dir: Path, key: str) -> None:
    one, two = (open_model(manifest, key, model_dir, threads) for threads in (1, 2))
    for first, second in zip(one.run(_noise(one, 1)), two.run(_noise(two, 1)), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-3 * float(np.abs(first).max()))


@pytest.mark.requirement("R17", "D10")
@pytest.mark.parametrize("key", KEYS)
def test_after_a_wipe_the_model_holds_an_empty_image(
    manifest: Manifest, model_dir: Path, key: str
) -> None:
    fresh, used = (open_model(manifest, key, model_dir) for _ in range(2))
    empty = [one.copy() for one in fresh.run(np.zeros(fresh.input_shape, np.float32))]
    results = used.run(_noise(used, 2))
    assert any(not np.array_equal(one, other) for one, other in zip(results, empty, strict=True))
    used.wipe()
    for one, other in zip(results, empty, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not used._interpreter.get_tensor(used._input).any()


@pytest.mark.requirement("R17")
@pytest.mark.parametrize("key", KEYS)
def test_what_a_model_saw_before_a_wipe_changes_nothing_after_it(
    manifest: Manifest, model_dir: Path, key: str
) -> None:
    fresh, used = (open_model(manifest, key, model_dir) for _ in range(2))
    used.run(_noise(used, 3))
    used.wipe()
    for one, other in zip(fresh.run(_noise(fresh, 4)), used.run(_noise(used, 4)), strict=True):
        np.testing.assert_array_equal(one, other)
