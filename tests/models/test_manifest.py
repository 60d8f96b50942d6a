"""The manifest: what it must say, and what it refuses to be."""

import dataclasses
import re
from pathlib import Path

import pytest

from models import manifest as manifests
from models.errorcurve import ErrorCurve, ErrorPoint
from models.errors import ManifestError
from models.manifest import Manifest
from models.paths import MANIFEST_FILE


@pytest.mark.requirement("R35")
def test_every_model_has_a_source_a_licence_and_a_hash(manifest: Manifest) -> None:
    for entry in manifest.models.values():
        assert entry.licence in {"Apache-2.0", "CC0-1.0"}
        assert entry.source.package in manifest.packages
        assert re.fullmatch("[0-9a-f]{64}", entry.sha256)
        assert entry.input.shape[0] == 1
        assert entry.input.low < entry.input.high
        assert entry.outputs


@pytest.mark.requirement("R35")
def test_the_manifest_names_detector_landmarks_and_embedder_alone(manifest: Manifest) -> None:
    assert set(manifest.models) == {
        "detector_short",
        "detector_full",
        "landmarks",
        "embedder_int8",
        "embedder_float32",
    }


def test_the_manifest_is_frozen(manifest: Manifest) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        manifest.models["landmarks"].sha256 = ""  # type: ignore[misc]


def test_portraits_go_by_key_and_hash_alone(manifest: Manifest) -> None:
    assert all(re.fullmatch("portrait_[a-z][0-9]", key) for key in manifest.portraits)
    fields = {field.name for field in dataclasses.fields(manifests.Portrait)}
    assert fields == {"key", "source", "suffix"}


def test_an_unknown_key_is_answered_with_the_known_ones(manifest: Manifest) -> None:
    with pytest.raises(ManifestError, match="knows no model 'face'; it knows detector_full"):
        manifest.model("face")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("schema = 1", "schema = 2", "has a schema"),
        ("schema = 1", "", "schema must be a whole number"),
        ("schema = 1", "schema = true", "schema must be a whole number"),
        ('sha256 = "510d', 'sha256 = "XYZ', "sha256 must be 64 hex digits"),
        ('file = "face_landmark.tflite"', 'file = "../face_landmark.tflite"', "bare name"),
        ('recipe = "dlib-int8"', 'recipe = "download"', "unknown recipe"),
        ('source.package = "embedding"', 'source.package = "other"', "a package it lacks: other"),
        ("size_bytes = 1242398", 'size_bytes = "big"', "size_bytes must be a whole number"),
        ("schema = 1", "schema = [", "can't be read"),
    ],
)
def test_a_bad_manifest_is_refused_in_one_sentence(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    text = MANIFEST_FILE.read_text()
    assert old in text
    path = tmp_path / "manifest.toml"
    path.write_text(text.replace(old, new))
    with pytest.raises(ManifestError, match=complaint) as refusal:
        manifests.load(path)
    assert str(refusal.value).count("\n") <= 1


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="can't be read"):
        manifests.load(tmp_path / "manifest.toml")


def _curve() -> ErrorCurve:
    points = (
        ErrorPoint(0.40, 1e-6, 1e-5, 0.30, 0.20, 10),
        ErrorPoint(0.50, 1e-4, 2e-4, 0.10, 0.05, 100),
        ErrorPoint(0.60, 1e-2, 2e-2, 0.01, 0.0, 1000),
    )
    return ErrorCurve(points, nonmated=1000, mated=100, persons=50, provenance="made up")


@pytest.mark.requirement("R24")
@pytest.mark.parametrize(
    ("fmr", "threshold"),
    [(1e-5, 0.40), (1.9e-4, 0.40), (2e-4, 0.50), (1.9e-2, 0.50), (2e-2, 0.60), (1.0, 0.60)],
)
def test_a_threshold_is_the_largest_whose_upper_bound_holds_the_rate(
    fmr: float, threshold: float
) -> None:
    assert _curve().threshold_at(fmr) == threshold


@pytest.mark.requirement("R24")
def test_a_rate_stricter_than_measured_has_no_threshold() -> None:
    assert _curve().threshold_at(0.99e-5) is None
    assert _curve().threshold_at(0.0) is None
    assert _curve().supported_fmr == 1e-5


def test_a_curve_that_falls_is_refused() -> None:
    points = _curve().points
    with pytest.raises(ValueError, match="rise together"):
        ErrorCurve(points[::-1], 1, 1, 1, "made up")
    with pytest.raises(ValueError, match="at least one point"):
        ErrorCurve((), 1, 1, 1, "made up")
