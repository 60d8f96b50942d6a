"""The error curve: counted right, bounded honestly, and telling nothing of anybody."""

import json
import shutil
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from models import calibration, curvefile
from models import manifest as manifests
from models.calibration import MIN_FALSE_MATCHES, Calibration, Samples, acquire, calibrate
from models.errors import CalibrationFailed, ManifestError
from models.faces import FacePipeline
from models.intervals import lower_bound, upper_bound
from models.paths import BUILD_DIR, MANIFEST_FILE, portrait_dir


def _made_up(people: int, most: int, seed: int = 1) -> Samples:
    """Points on a sphere: a centre for every person, pictures scattered about it."""
    generator = np.random.default_rng(seed)
    counts = generator.integers(1, most + 1, people)
    counts[:4] = 9
    persons = np.repeat(np.arange(people), counts)
    centres = generator.normal(0, 1, (people, 32)) + 1.2  # a direction common to all, as in faces
    rows = centres[persons] + generator.normal(0, 0.5, (len(persons), 32))
    embeddings = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return Samples(embeddings, persons.astype(np.int64), len(persons) + 3)


@pytest.fixture(scope="module")
def samples() -> Samples:
    return _made_up(people=150, most=3)


@pytest.fixture(scope="module")
def measured(samples: Samples) -> Calibration:
    return calibrate(samples, "made up", seed=1)


@pytest.mark.requirement("R25")
def test_rates_are_those_of_a_plain_count_over_all_pairs(
    samples: Samples, measured: Calibration
) -> None:
    mated: list[float] = []
    nonmated: list[float] = []
    for first, second in combinations(range(len(samples.persons)), 2):
        gap = float(np.linalg.norm(samples.embeddings[first] - samples.embeddings[second]))
        same = samples.persons[first] == samples.persons[second]
        (mated if same else nonmated).append(gap)
    assert (measured.mated, measured.nonmated) == (len(mated), len(nonmated))
    for point in measured.curve.points:
        below = sum(gap <= point.threshold for gap in nonmated)
        assert abs(below - point.false_matches) <= 1  # float32 against float64 at the very edge
        beyond = sum(gap > point.threshold for gap in mated)
        assert point.fnmr == pytest.approx(beyond / len(mated), abs=1.01 / len(mated))


@pytest.mark.requirement("R24", "D2")
def test_no_point_stands_on_fewer_false_matches_than_ten(measured: Calibration) -> None:
    assert min(point.false_matches for point in measured.curve.points) >= MIN_FALSE_MATCHES


@pytest.mark.requirement("R24", "D8")
def test_a_bound_is_no_smaller_than_the_rate_nor_than_clopper_pearson(
    measured: Calibration,
) -> None:
    for point in measured.curve.points:
        assert point.fmr_upper >= point.fmr >= point.false_matches / measured.nonmated
        assert point.fmr_upper >= upper_bound(point.false_matches, measured.nonmated) - 1e-12


def test_a_few_lookalikes_widen_the_bound_more_than_their_pairs_alone_would() -> None:
    """Two people with many pictures who look alike are one accident, not a hundred."""
    samples = _made_up(people=150, most=1)
    twins = samples.embeddings.copy()
    twins[9:18] = twins[:9]  # person 1 has the pictures of person 0
    alike = Samples(twins, samples.persons, samples.pictures)
    point = calibrate(alike, "made up", seed=1).curve.points[0]
    exact = upper_bound(point.false_matches, calibrate(alike, "made up", 1).nonmated)
    assert point.fmr_upper > 1.5 * exact


def test_the_same_seed_gives_the_same_curve(samples: Samples, measured: Calibration) -> None:
    assert calibrate(samples, "made up", seed=1).curve == measured.curve


@pytest.mark.requirement("R24")
def test_means_of_unit_length_match_strangers_more_often_than_the_curve_says(
    measured: Calibration,
) -> None:
    assert measured.fused_persons == 4
    assert len(measured.rates) >= 2
    for rate in measured.rates:
        assert rate.mixed_fmr <= rate.fmr
        assert rate.if_both_plain_fmr <= rate.fused_fmr <= rate.if_both_unit_fmr


@pytest.mark.requirement("R24", "D8")
def test_a_point_is_no_better_than_any_comparison_that_was_measured(
    samples: Samples, measured: Calibration
) -> None:
    fused = calibration._Fused.of(samples, np.random.default_rng(1))
    for point in measured.curve.points:
        assert point.fmr >= fused.fmr(point.threshold)


def test_too_few_people_support_no_curve() -> None:
    few = Samples(np.eye(4, 8, dtype=np.float32), np.array([0, 1, 2, 3]), 4)
    with pytest.raises(CalibrationFailed, match="too few for a curve"):
        calibrate(few, "made up", seed=1)


@pytest.mark.parametrize(
    ("events", "trials", "upper"),
    [
        (0, 42, 0.0688),  # "7 %": 42 tries without one error
        (0, 299, 0.00997),  # "1 %"
        (0, 2_995, 0.001),  # "0.1 %"
        (0, 29_956, 0.0001),  # "0.01 %"
        (5, 100, 0.1023),
        (100, 100, 1.0),
    ],
)
def test_upper_bounds_are_clopper_pearsons(events: int, trials: int, upper: float) -> None:
    assert upper_bound(events, trials) == pytest.approx(upper, rel=1e-3)


def test_lower_and_upper_bound_mirror_each_other() -> None:
    assert lower_bound(0, 10) == 0
    assert lower_bound(3, 10) == pytest.approx(1 - upper_bound(7, 10))


def _faces(folder: Path) -> Path:
    """Two made-up people of portraits, one picture without a face, one that is no picture."""
    source = portrait_dir(BUILD_DIR)
    for person, keys in (("one", ("a1", "a2", "a3")), ("two", ("b1",))):
        (folder / person).mkdir()
        for key in keys:
            shutil.copy(source / f"portrait_{key}.jpg", folder / person)
    (folder / "three").mkdir()
    (folder / "three" / "broken.jpg").write_bytes(b"no picture")
    (folder / "two" / "notes.txt").write_text("not a picture, not counted")
    return folder


def test_pictures_without_a_face_are_counted_and_left_out(
    finder: FacePipeline, tmp_path: Path
) -> None:
    said: list[str] = []
    samples = acquire(_faces(tmp_path), finder, said.append)
    assert (samples.pictures, samples.failures, samples.count) == (5, 1, 2)
    assert samples.persons.tolist() == [0, 0, 0, 1]
    assert said


@pytest.mark.parametrize("people", [0, 1])
def test_a_folder_without_people_is_refused(
    finder: FacePipeline, tmp_path: Path, people: int
) -> None:
    if people:
        (tmp_path / "one").mkdir()
        shutil.copy(portrait_dir(BUILD_DIR) / "portrait_a1.jpg", tmp_path / "one")
    with pytest.raises(CalibrationFailed, match=f"holds pictures of {people} people"):
        acquire(tmp_path, finder, lambda line: None)
    with pytest.raises(CalibrationFailed, match="can't be read"):
        acquire(tmp_path / "nowhere", finder, lambda line: None)


@pytest.mark.requirement("T32")
def test_a_report_tells_neither_who_nor_where(measured: Calibration) -> None:
    assert set(measured.as_json()) == {
        "curve",
        "pictures",
        "failures_to_acquire",
        "persons",
        "mated",
        "nonmated",
        "fused_persons",
        "fused_nonmated",
        "mixed_nonmated",
        "draws",
        "seed",
        "rates",
    }
    assert len(json.dumps(measured.as_json())) < 20_000
    assert calibration.table(measured).startswith("150 people, ")


def test_a_curve_is_written_between_its_marks_and_read_back(
    tmp_path: Path, measured: Calibration
) -> None:
    path = tmp_path / "manifest.toml"
    original = MANIFEST_FILE.read_text()
    path.write_text(original)
    curvefile.write_curve(path, "embedder_int8", measured.curve)
    once = path.read_text()
    curvefile.write_curve(path, "embedder_int8", measured.curve)
    assert path.read_text() == once
    curve = manifests.load(path).model("embedder_int8").curve
    assert curve is not None
    assert curve.provenance == measured.curve.provenance
    for written, point in zip(curve.points, measured.curve.points, strict=True):
        assert written.threshold == point.threshold
        assert point.fmr_upper <= written.fmr_upper <= point.fmr_upper * 1.002
    assert once.split("# begin curve")[0] == original.split("# begin curve")[0]
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.toml"]


def test_a_curve_for_an_unknown_model_leaves_the_manifest_as_it_was(
    tmp_path: Path, measured: Calibration
) -> None:
    path = tmp_path / "manifest.toml"
    shutil.copy(MANIFEST_FILE, path)
    with pytest.raises(ManifestError, match="knows no model 'embedder_of_nobody'"):
        curvefile.write_curve(path, "embedder_of_nobody", measured.curve)
    assert path.read_bytes() == MANIFEST_FILE.read_bytes()


@pytest.mark.requirement("R24", "D2")
@pytest.mark.parametrize("key", ["embedder_int8", "embedder_float32"])
def test_the_shipped_curves_support_a_hundred_people_and_not_a_thousand(key: str) -> None:
    """FPIR 1 %, safety factor 10 (D2): FMR 1e-5 for 100 people, 1e-6 for 1,000."""
    curve = manifests.load().model(key).curve
    assert curve is not None
    threshold = curve.threshold_at(0.01 / 10 / 100)
    assert threshold is not None
    assert 0.27 < threshold < 0.31
    assert curve.threshold_at(0.01 / 10 / 1000) is None
