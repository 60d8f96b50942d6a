"""Embeddings are dlib's own, and distances between portraits are what dlib's network says."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.embedder import Embedder
from models.errors import ModelRefused
from models.faces import FacePipeline
from models.manifest import Manifest
from models.runtime import Model
from tests.models.golden import GOLDEN
from tests.parity.generated import generated_chip

Array = NDArray[Any]
Pictures = dict[str, NDArray[np.uint8]]
FLOAT32_LIMIT = 1e-5
INT8_MIN_COSINE = 0.999
FLOAT32_DISTANCE_LIMIT = 0.005  # OpenCV 4 and 5 round differently when they warp
INT8_DISTANCE_LIMIT = 0.015


def _is_int8(pipeline: FacePipeline) -> bool:
    return "int8" in pipeline.embedder._model.entry.key


def _embedding(pipeline: FacePipeline, rgb: Array) -> Array:
    located = pipeline.locate_largest(rgb)
    assert located is not None
    return pipeline.embed(rgb, located.points)


@pytest.mark.parametrize("number", sorted(GOLDEN["generated_chips"]))
def test_embeddings_of_generated_chips_are_those_of_dlib(
    pipeline: FacePipeline, number: str
) -> None:
    wanted = np.array(GOLDEN["generated_chips"][number])
    found = pipeline.embedder.embed_once(generated_chip(int(number)))
    if _is_int8(pipeline):
        cosine = found @ wanted / np.linalg.norm(found) / np.linalg.norm(wanted)
        assert cosine > INT8_MIN_COSINE
    else:
        np.testing.assert_allclose(found, wanted, atol=FLOAT32_LIMIT)


def test_distances_between_portraits_are_those_of_dlibs_network(
    pipeline: FacePipeline, pictures: Pictures
) -> None:
    embedded = {key: _embedding(pipeline, rgb) for key, rgb in pictures.items()}
    limit = INT8_DISTANCE_LIMIT if _is_int8(pipeline) else FLOAT32_DISTANCE_LIMIT
    for pair, wanted in GOLDEN["distances"].items():
        one, other = pair.split("-")
        assert np.linalg.norm(embedded[one] - embedded[other]) == pytest.approx(wanted, abs=limit)


def test_portraits_of_one_person_are_nearer_than_those_of_two() -> None:
    def same(pair: str) -> bool:
        one, other = pair.split("-")
        return one[:-1] == other[:-1]

    mated = [value for pair, value in GOLDEN["distances"].items() if same(pair)]
    nonmated = [value for pair, value in GOLDEN["distances"].items() if not same(pair)]
    assert len(mated) == 3
    assert max(mated) < 0.33 < 0.5 < min(nonmated)


def test_an_embedding_is_a_fresh_float32_vector_of_unit_length(pipeline: FacePipeline) -> None:
    chip = generated_chip(1)
    first, second = pipeline.embedder.embed(chip), pipeline.embedder.embed(chip)
    assert first.shape == (pipeline.embedder.width,) == (128,)
    assert first.dtype == np.float32
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-6)
    assert not np.shares_memory(first, second)
    np.testing.assert_array_equal(first, second)


def test_a_chip_and_its_mirror_image_have_one_embedding(pipeline: FacePipeline) -> None:
    chip = generated_chip(2)
    mirrored = np.ascontiguousarray(chip[:, ::-1])
    np.testing.assert_allclose(
        pipeline.embedder.embed(chip), pipeline.embedder.embed(mirrored), atol=1e-6
    )


@pytest.mark.parametrize(
    "chip", [np.zeros((112, 112, 3), np.uint8), np.zeros((150, 150, 3), np.float32)]
)
def test_a_chip_of_another_kind_is_refused(finder: FacePipeline, chip: Array) -> None:
    with pytest.raises(ValueError, match="a chip must be uint8"):
        finder.embedder.embed(chip)


@pytest.mark.requirement("A20")
def test_the_two_embedders_are_told_apart_by_hash(
    manifest: Manifest, pipeline: FacePipeline
) -> None:
    kind = "int8" if _is_int8(pipeline) else "float32"
    assert pipeline.embedder.model_sha256 == manifest.model(f"embedder_{kind}").sha256
    digests = {manifest.model(f"embedder_{one}").sha256 for one in ("int8", "float32")}
    assert len(digests) == 2


class _Silent(Model):
    """A model whose runtime gives nothing but one value, as a broken one does."""

    def __init__(self, manifest: Manifest, value: float) -> None:
        self.entry = manifest.model("embedder_int8")  # type: ignore[misc]
        self._value = value

    def run(self, inputs: Array) -> tuple[Array, ...]:
        return (np.full((1, 128), self._value, np.float32),)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_model_that_gives_no_usable_numbers_is_refused(manifest: Manifest, value: float) -> None:
    with pytest.raises(ModelRefused, match="gives no usable numbers"):
        Embedder(_Silent(manifest, value)).embed(generated_chip(0))
