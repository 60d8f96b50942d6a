"""Measures the error curve of an embedder on pictures of people: error rates by threshold.

Input: a folder with one folder a person. Every picture goes through the whole pipeline; embeddings
live in memory only, and nothing that leaves here has a person, a path or a picture in it: counts,
rates, thresholds. The protocol is fixed in code and its randomness seeded:

- single: every picture against every other. Non-mated pairs give the FMR, mated ones the FNMR.
- fused: for everyone with 8 pictures or more, the plain mean of 5 references against the mean of 3
  probes brought to unit length, in 20 seeded draws; every other fused probe and every other
  person's single pictures are the non-mated probes. The probes are photographs of different days,
  the worst case of what a terminal fuses from one walk-up.

A point's FMR is the largest of what single, fused and mixed comparisons show at its threshold; its
upper bound is at least that, and at least the larger of Clopper-Pearson over the single pairs and a
bootstrap over people, since pairs of one person are not independent. The curve begins where 10
false matches were seen. Two other rules of comparing (both means plain; both of unit length) are
reported beside it, to show why it is this one. It changes with that rule (models/errorcurve.py).
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.errorcurve import ErrorCurve, ErrorPoint
from models.errors import BuildFailed, CalibrationFailed
from models.faces import FacePipeline
from models.intervals import lower_bound, upper_bound
from models.portraits import read_rgb

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

MIN_FALSE_MATCHES: Final = 10
"""Fewer observed false matches support no point"""
MAX_FMR: Final = 0.03
"""No door wants a threshold beyond"""
POINTS_A_DECADE: Final = 10
REFERENCES: Final = 5
PROBES: Final = 3
DRAWS: Final = 20
RESAMPLES: Final = 1000
CONFIDENCE: Final = 0.95
REPORTED_FMR: Final = (1e-2, 1e-3, 1e-4, 1e-5)

_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png"})
_ROWS_AT_ONCE: Final = 512
_RESOLUTION: Final = 1e-4
"""Thresholds are whole multiples of this"""


@dataclass(frozen=True, eq=False)
class Samples:
    """Embeddings of everyone's pictures, in memory only."""

    embeddings: Floats
    """(N, D), unit length"""
    persons: Integers
    """(N,), whose picture each is, 0..P-1"""
    pictures: int
    """Pictures given"""

    @property
    def failures(self) -> int:
        """Pictures in which no face could be acquired (FTA)."""
        return self.pictures - len(self.persons)

    @property
    def count(self) -> int:
        """P, people."""
        return int(self.persons.max()) + 1


@dataclass(frozen=True)
class RateAt:
    """What the sets show at one reported FMR."""

    fmr: float
    threshold: float
    single_fnmr: float
    single_fnmr_lower: float
    single_fnmr_upper: float
    fused_fnmr: float
    fused_fnmr_upper: float
    fused_fmr: float
    """Plain mean of references against strangers' fused probes, at this very threshold"""
    mixed_fmr: float
    """Plain mean of references against strangers' single pictures, at this very threshold"""
    if_both_plain_fmr: float
    """What it would be if the probes' mean were left plain as well"""
    if_both_unit_fmr: float
    """What it would be if the references' mean were brought to unit length as well"""


@dataclass(frozen=True)
class Calibration:
    """A curve and what stands behind it; nothing in it tells who was in the pictures."""

    curve: ErrorCurve
    pictures: int
    failures_to_acquire: int
    persons: int
    mated: int
    nonmated: int
    fused_persons: int
    fused_nonmated: int
    """Comparisons of fused references with strangers' fused probes, all draws"""
    mixed_nonmated: int
    """The same with strangers' single pictures"""
    draws: int
    seed: int
    rates: tuple[RateAt, ...]

    def as_json(self) -> dict[str, Any]:
        """For a report."""
        return asdict(self)


def acquire(faces: Path, pipeline: FacePipeline, say: Callable[[str], None]) -> Samples:
    """Embed every picture below `faces`, one folder a person. Raises CalibrationFailed."""
    try:
        folders = sorted(path for path in faces.iterdir() if path.is_dir())
    except OSError as error:
        raise CalibrationFailed(f"{faces} can't be read: {error.strerror}.") from error
    embeddings: list[Floats] = []
    persons: list[int] = []
    pictures = 0
    for person, folder in enumerate(folders):
        if person % max(1, len(folders) // 20) == 0:
            say(f"{person} of {len(folders)} people, {pictures} pictures")
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in _PICTURES:
                pictures += 1
                found = _embedding_of(path, pipeline)
                embeddings += [] if found is None else [found]
                persons += [] if found is None else [person]
    pipeline.wipe()
    if len(set(persons)) < 2:
        raise CalibrationFailed(
            f"{faces} holds pictures of {len(set(persons))} people; a calibration needs one folder "
            "a person and many people."
        )
    dense = np.unique(np.array(persons), return_inverse=True)[1]
    return Samples(np.array(embeddings, np.float32), dense.astype(np.int64), pictures)


def calibrate(samples: Samples, provenance: str, seed: int) -> Calibration:
    """The error curve of the samples. Raises CalibrationFailed where they support none."""
    generator = np.random.default_rng(seed)
    pairs = _pairs(samples)
    fused = _Fused.of(samples, generator)
    points = tuple(_points(pairs, fused, samples, generator))
    if not points:
        raise CalibrationFailed(
            f"{pairs.nonmated} comparisons of strangers are too few for a curve; "
            "it needs pictures of more people."
        )
    facts = f"{provenance}; {samples.count} people, {len(samples.persons)} pictures, seed {seed}"
    curve = ErrorCurve(points, pairs.nonmated, pairs.mated, samples.count, facts)
    return Calibration(
        curve=curve,
        pictures=samples.pictures,
        failures_to_acquire=samples.failures,
        persons=samples.count,
        mated=pairs.mated,
        nonmated=pairs.nonmated,
        fused_persons=fused.persons,
        fused_nonmated=fused.fused.size,
        mixed_nonmated=fused.mixed.size,
        draws=DRAWS,
        seed=seed,
        rates=tuple(_rates(pairs, fused)),
    )


def _embedding_of(path: Path, pipeline: FacePipeline) -> Floats | None:
    """The embedding of the largest face in a picture, None if none can be acquired."""
    try:
        rgb = read_rgb(path)
    except BuildFailed:
        return None
    located = pipeline.locate_largest(rgb)
    if located is None:
        return None
    try:
        return pipeline.embed(rgb, located.points)
    except ValueError:
        return None


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Every single-picture comparison, as counts per distance, and the nearest strangers."""

    nonmated_below: Integers
    """[k] = non-mated pairs at distances <= k * _RESOLUTION"""
    mated_below: Integers
    near: Doubles
    """Distances of the nearest non-mated pairs, rising, up to MAX_FMR"""
    near_persons: Integers
    """(len(near), 2): whose pairs they are"""

    @property
    def nonmated(self) -> int:
        return int(self.nonmated_below[-1])

    @property
    def mated(self) -> int:
        return int(self.mated_below[-1])

    def false_matches(self, threshold: float) -> int:
        return int(self.nonmated_below[_cell(threshold)])

    def false_non_matches(self, threshold: float) -> int:
        return self.mated - int(self.mated_below[_cell(threshold)])

    def threshold_of(self, fmr: float) -> float:
        """The largest threshold at which at most this share of strangers match."""
        index = int(np.searchsorted(self.nonmated_below, fmr * self.nonmated, side="right")) - 1
        return round(max(index, 0) * _RESOLUTION, 4)


def _cell(threshold: float) -> int:
    return round(threshold / _RESOLUTION)


def _pairs(samples: Samples) -> _Pairs:
    cells = _cell(2.0) + 2
    histograms = np.zeros((2, cells), np.int64)
    for distances, mated, _ in _blocks(samples):
        # Upwards: a pair belongs to the first threshold at which it matches.
        cell = np.ceil(distances / _RESOLUTION - 1e-9).astype(np.int64)
        for kind in (0, 1):
            histograms[kind] += np.bincount(cell[mated == kind], minlength=cells)
    below = histograms.cumsum(axis=1)
    limit = int(np.searchsorted(below[0], MAX_FMR * below[0, -1])) * _RESOLUTION
    near, persons = [], []
    for distances, mated, pair_persons in _blocks(samples):
        kept = ~mated & (distances <= limit)
        near.append(distances[kept])
        persons.append(pair_persons[kept])
    order = np.argsort(np.concatenate(near), kind="stable")
    return _Pairs(below[0], below[1], np.concatenate(near)[order], np.concatenate(persons)[order])


def _blocks(samples: Samples) -> Iterator[tuple[Doubles, NDArray[np.bool_], Integers]]:
    """Every pair once, some rows at a time: distances, mated or not, whose."""
    embeddings, persons = samples.embeddings, samples.persons
    for begin in range(0, len(persons), _ROWS_AT_ONCE):
        rows = slice(begin, begin + _ROWS_AT_ONCE)
        distances = distance(embeddings[rows] @ embeddings[begin:].T)
        first, second = np.triu_indices(distances.shape[0], 1, distances.shape[1])
        whose = np.stack([persons[begin + first], persons[begin + second]], axis=1)
        yield distances[first, second], whose[:, 0] == whose[:, 1], whose


def distance(scores: NDArray[Any]) -> Doubles:
    """sqrt(2 - 2 s): the Euclidean distance of unit vectors whose scalar product is s."""
    return np.asarray(np.sqrt(np.maximum(2 - 2 * scores.astype(np.float64), 0)), np.float64)


@dataclass(frozen=True, eq=False)
class _Fused:
    """Distances of the means of 5 references, rising, all draws; plain unless said otherwise."""

    persons: int
    """People with pictures enough"""
    mated: Doubles
    """To the same person's fused probes, of unit length"""
    fused: Doubles
    """To strangers' fused probes, of unit length"""
    mixed: Doubles
    """To strangers' single pictures"""
    both_plain: Doubles
    """To strangers' fused probes left plain"""
    both_unit: Doubles
    """To strangers' fused probes, references of unit length too"""

    @classmethod
    def of(cls, samples: Samples, generator: np.random.Generator) -> "_Fused":
        wanted = REFERENCES + PROBES
        able = np.flatnonzero(np.bincount(samples.persons) >= wanted)
        parts: dict[str, list[Doubles]] = {name: [np.zeros(0)] for name in _FUSED_KINDS}
        for _ in range(DRAWS if len(able) > 1 else 0):
            chosen = [
                generator.permutation(np.flatnonzero(samples.persons == person))[:wanted]
                for person in able
            ]
            for name, distances in _fused_draw(samples, able, np.array(chosen)).items():
                parts[name].append(distances)
        rising = {name: np.sort(np.concatenate(drawn)) for name, drawn in parts.items()}
        return cls(len(able), **rising)

    def fnmr(self, threshold: float) -> float | None:
        """Share of mated fused comparisons beyond the threshold; None without any."""
        return 1 - _share_below(self.mated, threshold) if self.mated.size else None

    def fmr(self, threshold: float) -> float:
        """The larger of what fused and single probes of strangers show."""
        return max(_share_below(self.fused, threshold), _share_below(self.mixed, threshold))


_FUSED_KINDS: Final = ("mated", "fused", "mixed", "both_plain", "both_unit")


def _fused_draw(samples: Samples, able: Integers, chosen: Integers) -> dict[str, Doubles]:
    """One draw's distances; `chosen` (len(able), 8): rows of each person's pictures."""
    references = samples.embeddings[chosen[:, :REFERENCES]].mean(axis=1)
    probes = samples.embeddings[chosen[:, REFERENCES:]].mean(axis=1)
    strangers = samples.persons[None, :] != able[:, None]
    others = ~np.eye(len(able), dtype=bool)
    distances = distance(references @ _unit(probes).T)
    return {
        "mated": np.diag(distances).copy(),
        "fused": distances[others],
        "mixed": distance(references @ samples.embeddings.T)[strangers],
        "both_plain": distance(references @ probes.T)[others],
        "both_unit": distance(_unit(references) @ _unit(probes).T)[others],
    }


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _share_below(rising: Doubles, threshold: float) -> float:
    """Share of the values at or below the threshold; 0 of none."""
    count = int(np.searchsorted(rising, threshold + 1e-9, side="right"))
    return count / rising.size if rising.size else 0.0


def _points(
    pairs: _Pairs, fused: _Fused, samples: Samples, generator: np.random.Generator
) -> Iterator[ErrorPoint]:
    """Calibrated points from the first supported threshold on, rates rising."""
    thresholds = _thresholds(pairs)
    bounds = _bootstrap_bounds(pairs, samples, thresholds, generator)
    fmr = fmr_upper = 0.0
    for threshold, bound in zip(thresholds, bounds, strict=True):
        count = pairs.false_matches(threshold)
        exact = upper_bound(count, pairs.nonmated, CONFIDENCE)
        fmr = max(fmr, count / pairs.nonmated, fused.fmr(threshold))
        fmr_upper = max(fmr_upper, exact, bound, fmr)
        fnmr = pairs.false_non_matches(threshold) / max(pairs.mated, 1)
        fnmr_fused = fused.fnmr(threshold)
        yield ErrorPoint(
            threshold, fmr, fmr_upper, fnmr, fnmr if fnmr_fused is None else fnmr_fused, count
        )


def _thresholds(pairs: _Pairs) -> list[float]:
    """POINTS_A_DECADE thresholds a decade of FMR, each with MIN_FALSE_MATCHES or more."""
    largest = MAX_FMR * pairs.nonmated
    if largest < MIN_FALSE_MATCHES:
        return []
    steps = int(np.log10(largest / MIN_FALSE_MATCHES) * POINTS_A_DECADE) + 1
    wanted = MIN_FALSE_MATCHES * 10 ** (np.arange(steps) / POINTS_A_DECADE)
    # The first threshold that has so many, so that no point has fewer than the least.
    cells = np.unique(np.searchsorted(pairs.nonmated_below, np.ceil(wanted)))
    return [round(int(cell) * _RESOLUTION, 4) for cell in cells]


def _bootstrap_bounds(
    pairs: _Pairs, samples: Samples, thresholds: list[float], generator: np.random.Generator
) -> list[float]:
    """95th percentile of the FMR at each threshold when the people are drawn again."""
    counts = np.bincount(samples.persons).astype(np.float64)
    ends = np.searchsorted(pairs.near, np.array(thresholds) + 1e-9, side="right")
    rates = np.empty((RESAMPLES, len(thresholds)))
    for row in rates:
        weights = generator.multinomial(len(counts), np.full(len(counts), 1 / len(counts)))
        weighed = weights[pairs.near_persons].prod(axis=1).cumsum()
        drawn = weights * counts
        total = (drawn.sum() ** 2 - (drawn**2).sum()) / 2
        row[:] = np.where(ends > 0, weighed[ends - 1], 0) / total
    return [float(value) for value in np.quantile(rates, CONFIDENCE, axis=0)]


def _rates(pairs: _Pairs, fused: _Fused) -> Iterator[RateAt]:
    for fmr in REPORTED_FMR:
        threshold = pairs.threshold_of(fmr)
        if pairs.false_matches(threshold) < MIN_FALSE_MATCHES:
            continue
        missed, fnmr_fused = pairs.false_non_matches(threshold), fused.fnmr(threshold)
        yield RateAt(
            fmr=fmr,
            threshold=threshold,
            single_fnmr=missed / max(pairs.mated, 1),
            single_fnmr_lower=lower_bound(missed, max(pairs.mated, 1)),
            single_fnmr_upper=upper_bound(missed, max(pairs.mated, 1)),
            fused_fnmr=1.0 if fnmr_fused is None else fnmr_fused,
            # Draws of one person are no new people: bounded as if each person were tried once.
            fused_fnmr_upper=upper_bound(
                fused.persons * (1.0 if fnmr_fused is None else fnmr_fused), max(fused.persons, 1)
            ),
            fused_fmr=_share_below(fused.fused, threshold),
            mixed_fmr=_share_below(fused.mixed, threshold),
            if_both_plain_fmr=_share_below(fused.both_plain, threshold),
            if_both_unit_fmr=_share_below(fused.both_unit, threshold),
        )


def table(calibration: Calibration) -> str:
    """The reported rates for a person to read."""
    lines = [
        f"{calibration.persons} people, {calibration.pictures} pictures, "
        f"{calibration.failures_to_acquire} without a face that could be acquired, "
        f"{calibration.mated} mated and {calibration.nonmated} non-mated pairs; "
        f"{calibration.fused_persons} people with {REFERENCES} + {PROBES} pictures, "
        f"{calibration.fused_nonmated} fused and {calibration.mixed_nonmated} mixed non-mated "
        f"comparisons in {calibration.draws} draws",
        "FMR      threshold  FNMR single (95 %)        FNMR fused (upper)   FMR fused  FMR mixed"
        "  if both plain  if both unit",
    ]
    lines += [
        f"{one.fmr:<8.0e} {one.threshold:<10.4f} {one.single_fnmr:6.2%} "
        f"({one.single_fnmr_lower:.2%} - {one.single_fnmr_upper:.2%})   {one.fused_fnmr:6.2%} "
        f"({one.fused_fnmr_upper:.2%})     {one.fused_fmr:9.2e}  {one.mixed_fmr:9.2e}"
        f"  {one.if_both_plain_fmr:13.2e}  {one.if_both_unit_fmr:12.2e}"
        for one in calibration.rates
    ]
    first = calibration.curve.points[0]
    lines.append(
        f"The curve supports FMR {calibration.curve.supported_fmr:.2e} (upper 95 % bound) at "
        f"threshold {first.threshold:.4f}, from {first.false_matches} false matches."
    )
    return "\n".join(lines)
