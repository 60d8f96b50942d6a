"""The measured error curve of an embedder: which threshold holds which false match rate.

Pure and frozen: no clock, no file. A comparison is a match when its distance is at or below the
threshold. The distance of two samples of unit length is Euclidean, sqrt(2 - 2 <a, b>). Where
several references of a person are fused, the same formula is used on their plain mean, which is
*not* brought back to unit length, against a probe of unit length (one sample, or the mean of one
track's): <mean, probe> is then the mean of the single scores, which strangers exceed less often
than a single score. A mean brought to unit length lies nearer to strangers too, and would match
them many times as often as the curve says (measured: docs/models.md).

It must never promise a rate that was not measured: between calibrated points it takes the stricter
one, beyond the last it says None (D2). It changes with what a calibration measures.
"""

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorPoint:
    """One calibrated threshold and the error rates observed there."""

    threshold: float
    """Euclidean distance of unit vectors, 0..2"""
    fmr: float
    """False match rate, point estimate, 0..1"""
    fmr_upper: float
    """Upper 95 % bound of it, 0..1"""
    fnmr: float
    """False non-match rate of one sample against one, 0..1"""
    fnmr_fused: float
    """The same for 5 references, fused, against 3 probes, fused; `fnmr` if unknown"""
    false_matches: int
    """How many non-mated comparisons of single samples lay at or below the threshold"""


@dataclass(frozen=True)
class ErrorCurve:
    """Calibrated points by rising threshold (so by rising FMR), and where they come from."""

    points: tuple[ErrorPoint, ...]
    nonmated: int
    """Non-mated comparisons behind the FMR"""
    mated: int
    """Mated comparisons behind the FNMR"""
    persons: int
    """People behind both"""
    provenance: str
    """Which set, which protocol, which seed: one sentence for a person"""

    def __post_init__(self) -> None:
        if not self.points:
            raise ValueError("an error curve needs at least one point")
        for before, after in zip(self.points, self.points[1:], strict=False):
            if after.threshold <= before.threshold or after.fmr_upper < before.fmr_upper:
                raise ValueError("an error curve's thresholds and rates must rise together")

    @property
    def supported_fmr(self) -> float:
        """The smallest false match rate for which `threshold_at` has an answer."""
        return self.points[0].fmr_upper

    def threshold_at(self, fmr: float) -> float | None:
        """The largest calibrated threshold whose upper 95 % bound is at most `fmr`, or None.

        None means that nothing this strict was measured: refuse, don't extrapolate.
        """
        point = self.point_at(fmr)
        return None if point is None else point.threshold

    def point_at(self, fmr: float) -> ErrorPoint | None:
        """The calibrated point behind `threshold_at`, with its FNMR."""
        index = bisect_right([point.fmr_upper for point in self.points], fmr)
        return self.points[index - 1] if index else None
