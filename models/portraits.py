"""The public-domain portraits, unpacked on this machine for tests and the bench camera.

Beside each picture lies `<key>.npz` with the landmarks that our own landmarker finds in it, so that
a renderer of heads needs no model. Build artefacts, never committed, never part of the product.
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import BuildFailed
from models.fetch import Say
from models.files import Writer
from models.manifest import Manifest, Portrait, load
from models.paths import portrait_dir


def paths(build_dir: Path) -> dict[str, Path]:
    """Key to picture file, for every portrait that is there; `.with_suffix(".npz")` is its points.

    The npz holds `points`, float32 (468, 3), in pixels of the picture (x right, y down, z towards
    the back of the head, same unit).
    """
    folder = portrait_dir(build_dir)
    every = {key: picture_path(folder, one) for key, one in load().portraits.items()}
    return {key: path for key, path in every.items() if path.is_file()}


def picture_path(folder: Path, portrait: Portrait) -> Path:
    """Where the portrait's picture lies."""
    return folder / f"{portrait.key}{portrait.suffix}"


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """A picture file as uint8 (H, W, 3), RGB. Raises BuildFailed if it can't be decoded."""
    try:
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    except OSError as error:
        raise BuildFailed(f"The picture {path} can't be read: {error.strerror}.") from error
    bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if bgr is None:
        raise BuildFailed(f"The picture {path} can't be decoded; is it a picture?")
    return np.ascontiguousarray(bgr[:, :, ::-1], dtype=np.uint8)


def locate_missing(
    manifest: Manifest, model_dir: Path, folder: Path, say: Say, write: Writer
) -> Iterator[Path]:
    """Make the `.npz` of every portrait that has none for these very models; yields the files."""
    stamps = {one.key: _stamp(manifest, one) for one in manifest.portraits.values()}
    missing = [one for one in manifest.portraits.values() if not _is_of(folder, one, stamps)]
    if not missing:
        return
    # Imported here: nothing to be done must stay fast.
    from models.faces import FacePipeline

    pipeline = FacePipeline.load(model_dir, manifest=manifest)
    for portrait in missing:
        located = pipeline.locate_largest(read_rgb(picture_path(folder, portrait)))
        if located is None:
            raise BuildFailed(f"No face was found in {portrait.key}; the models don't work here.")
        path = folder / f"{portrait.key}.npz"
        write(path, _packed(located.points, stamps[portrait.key]))
        say(f"made {path.name}")
        yield path


def _packed(points: NDArray[np.float32], stamp: str) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, points=points, stamp=np.array(stamp))
    return buffer.getvalue()


def _stamp(manifest: Manifest, portrait: Portrait) -> str:
    """What the points depend on: the picture and the two models."""
    used = (manifest.model("detector_short"), manifest.model("landmarks"))
    return "-".join(digest[:16] for digest in (portrait.source.sha256, *(m.sha256 for m in used)))


def _is_of(folder: Path, portrait: Portrait, stamps: dict[str, str]) -> bool:
    try:
        with np.load(folder / f"{portrait.key}.npz", allow_pickle=False) as packed:
            content: Any = packed
            return str(content["stamp"]) == stamps[portrait.key]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return False
