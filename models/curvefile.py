"""Writes a calibrated curve into the manifest, between the marks that belong to it.

Nothing else of the manifest's text is touched. The result is read back as a manifest before it
replaces the old one, so that a bad write can't leave a terminal without models.
"""

import json
import tempfile
from pathlib import Path

from models import manifest as manifests
from models.errorcurve import ErrorCurve, ErrorPoint
from models.files import write_atomically


def write_curve(path: Path, key: str, curve: ErrorCurve) -> None:
    """Put `curve` into the manifest file as that of model `key`, replacing an older one.

    Raises ManifestError if the result is no manifest, BuildFailed if it can't be written.
    """
    changed = with_curve(path.read_text(), key, curve)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        trial = Path(folder) / path.name
        trial.write_text(changed)
        manifests.load(trial)
    write_atomically(path, changed.encode())


def with_curve(text: str, key: str, curve: ErrorCurve) -> str:
    """The manifest's text with the curve in it."""
    begin, end = f"# begin curve {key}\n", f"# end curve {key}\n"
    block = begin + "".join(f"{line}\n" for line in _lines(key, curve)) + end
    if begin not in text:
        return f"{text.rstrip()}\n\n{block}"
    before, rest = text.split(begin, 1)
    return before + block + rest.split(end, 1)[1]


def _lines(key: str, curve: ErrorCurve) -> list[str]:
    return [
        f"[curves.{key}]",
        f"provenance = {json.dumps(curve.provenance)}",
        f"nonmated = {curve.nonmated}",
        f"mated = {curve.mated}",
        f"persons = {curve.persons}",
        "# threshold, FMR, its upper 95 % bound, FNMR single, FNMR fused, false matches seen",
        "points = [",
        *(f"    {_row(point)}," for point in curve.points),
        "]",
    ]


def _row(point: ErrorPoint) -> str:
    # The bound is rounded up: what is written may not promise more than what was measured.
    return (
        f"[{point.threshold:.4f}, {point.fmr:.3e}, {point.fmr_upper * 1.0005:.3e}, "
        f"{point.fnmr:.5f}, {point.fnmr_fused:.5f}, {point.false_matches}]"
    )
