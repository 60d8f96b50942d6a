"""Everything from a frame to an embedding, with its buffers allocated once.

The bridge calls this and nothing else of the island's run-time part. Each step is its own call, so
that whoever holds the lease and the gates (D1, D10) decides after each whether the next may happen:
this module must never go on by itself from a detection to an embedding of somebody. It keeps
nothing that `wipe` does not overwrite. It changes when a stage joins or leaves the pipeline.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models import manifest as manifests
from models.alignment import CHIP_SIDE_PX, cut_chip
from models.detector import Detection, Detector
from models.embedder import Embedder
from models.landmarks import Landmarker, Landmarks
from models.manifest import Manifest
from models.paths import MODEL_DIR
from models.runtime import open_model
from models.runtimes import preferred_embedder

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


class FacePipeline:
    """Detector, landmarks, chip and embedder. Not thread-safe: one owner, one call at a time."""

    def __init__(self, detector: Detector, landmarker: Landmarker, embedder: Embedder) -> None:
        """See `load`, which opens the models of the manifest."""
        self.detector: Final = detector
        self.landmarker: Final = landmarker
        self.embedder: Final = embedder
        self._chip: Final[Pixels] = np.zeros((CHIP_SIDE_PX, CHIP_SIDE_PX, 3), np.uint8)

    @classmethod
    def load(
        cls,
        model_dir: Path = MODEL_DIR,
        embedder: str | None = None,
        threads: int = 1,
        manifest: Manifest | None = None,
    ) -> "FacePipeline":
        """Open every model of the pipeline; `embedder` is "int8" or "float32" (None: the faster).

        Raises ModelRefused if one is missing or not the manifest's (R35, A30).
        """
        known = manifest or manifests.load()
        kind = embedder or preferred_embedder()
        models = {
            key: open_model(known, key, model_dir, threads)
            for key in ("detector_short", "detector_full", "landmarks", f"embedder_{kind}")
        }
        return cls(
            Detector(models["detector_short"], models["detector_full"]),
            Landmarker(models["landmarks"]),
            Embedder(models[f"embedder_{kind}"]),
        )

    def detect(self, rgb: Pixels, far: bool = False) -> list[Detection]:
        """Faces in `rgb`, uint8 (H, W, 3), largest first; see `Detector.detect`."""
        return self.detector.detect(rgb, far)

    def locate(self, rgb: Pixels, detection: Detection) -> Landmarks | None:
        """The 468 points of one face; the caller wipes them. See `Landmarker.locate`."""
        return self.landmarker.locate(rgb, detection)

    def locate_largest(self, rgb: Pixels, far: bool = True) -> Landmarks | None:
        """The points of the largest face, for pictures that are known to be of one person."""
        found = self.detect(rgb, far)
        return self.locate(rgb, found[0]) if found else None

    def chip(self, rgb: Pixels, points: Floats) -> Pixels:
        """The aligned face, uint8 (150, 150, 3), in the pipeline's own buffer.

        Valid until the next `chip`, `embed` or `wipe`. Raises ValueError where the points are no
        face.
        """
        cut_chip(rgb, points, self._chip)
        return self._chip

    def embed(self, rgb: Pixels, points: Floats) -> Floats:
        """The embedding of the face at these points, float32 (D,), unit length.

        The chip is overwritten before this returns; the caller overwrites the embedding.
        """
        try:
            return self.embedder.embed(self.chip(rgb, points))
        finally:
            self._chip.fill(0)

    def wipe(self) -> None:
        """Overwrite every buffer and flush each model that has seen a frame since the last wipe.

        Afterwards no pixel, landmark or activation of the last person is left in here (R17, D10).
        """
        self._chip.fill(0)
        wipes: tuple[Callable[[], None], ...] = (
            self.embedder.wipe,
            self.landmarker.wipe,
            self.detector.wipe,
        )
        for wipe in wipes:
            wipe()
