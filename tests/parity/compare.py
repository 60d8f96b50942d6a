"""Compares our pipeline with the libraries its models come from: `python -m tests.parity.compare`.

Runs in the environment of `tests/parity/requirements.txt`, on the public-domain portraits and on
generated chips. dlib embeds the very same chips; MediaPipe's own Python API finds the very same
faces. Prints the largest difference of each comparison and exits 1 if one is over its limit. Times
one face embedded by `face_recognition` and by us, in one run. Prints no embedding and no name.
"""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

os.environ.setdefault("GLOG_minloglevel", "2")

import cv2
import dlib
import face_recognition
import face_recognition_models
import mediapipe
import numpy as np
from numpy.typing import NDArray

from models import portraits
from models.alignment import ANCHOR_POINTS
from models.detector import Detection
from models.faces import FacePipeline
from models.paths import BUILD_DIR, MODEL_DIR
from tests.parity.generated import generated_chip, turned_view

Doubles = NDArray[np.float64]
Pixels = NDArray[np.uint8]

EMBEDDING_LIMIT = 1e-5
PIXEL_LIMIT = 1.0
GENERATED_CHIPS = 20
GOLDEN_CHIPS = (0, 1, 2)
TIMED_ROUNDS = 30


@dataclass(frozen=True)
class Comparison:
    """The largest difference that one comparison found."""

    what: str
    unit: str
    largest: float
    limit: float
    n: int

    @property
    def holds(self) -> bool:
        return self.largest <= self.limit


@dataclass(frozen=True)
class Timing:
    """How long one face takes to embed, on one thread, milliseconds."""

    what: str
    n: int
    p50_ms: float
    p95_ms: float


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=Path, default=MODEL_DIR)
    parser.add_argument("--build", type=Path, default=BUILD_DIR)
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--golden", type=Path, help="write what the oracles say, for tests/models")
    given = parser.parse_args()
    cv2.setNumThreads(1)  # both sides on one thread
    pictures = {key: portraits.read_rgb(path) for key, path in portraits.paths(given.build).items()}
    if not pictures:
        print("There are no portraits; run make models.", file=sys.stderr)
        return 1
    exact = FacePipeline.load(given.models, "float32")
    comparisons = [*compare_embeddings(exact, pictures), *compare_faces(exact, pictures)]
    timings = time_embedding(given.models, next(iter(pictures.values())))
    report(comparisons, timings)
    if given.golden:
        write_golden(given.golden, exact, pictures)
    if given.json:
        given.json.write_text(json.dumps(_as_json(comparisons, timings), indent=1))
    return 0 if all(one.holds for one in comparisons) else 1


def compare_embeddings(pipeline: FacePipeline, pictures: dict[str, Pixels]) -> Iterator[Comparison]:
    """dlib's network against ours, on the same chips."""
    network = dlib.face_recognition_model_v1(
        face_recognition_models.face_recognition_model_location()
    )
    groups = {
        "portrait chips": [chip_of(pipeline, rgb) for rgb in pictures.values()],
        "generated chips": [generated_chip(number) for number in range(GENERATED_CHIPS)],
    }
    for name, chips in groups.items():
        largest = max(
            float(
                np.abs(
                    np.array(network.compute_face_descriptor(chip))
                    - pipeline.embedder.embed_once(chip)
                ).max()
            )
            for chip in chips
        )
        yield Comparison(
            f"embedding against dlib, {name}", "", largest, EMBEDDING_LIMIT, len(chips)
        )


def compare_faces(pipeline: FacePipeline, pictures: dict[str, Pixels]) -> Iterator[Comparison]:
    """MediaPipe's own faces and meshes against ours, in pixels of the picture."""
    views = [view for rgb in pictures.values() for view in views_of(rgb)]
    for name, selection in (("short range", 0), ("full range", 1)):
        boxes, keypoints, n = _detector_differences(pipeline, views, selection)
        yield Comparison(f"box against MediaPipe, {name}", "px", boxes, PIXEL_LIMIT, n)
        yield Comparison(f"keypoints against MediaPipe, {name}", "px", keypoints, PIXEL_LIMIT, n)
    flat, depth, n = _mesh_differences(pipeline, views)
    yield Comparison("468 landmarks against MediaPipe, x and y", "px", flat, PIXEL_LIMIT, n)
    yield Comparison("468 landmarks against MediaPipe, z", "px", depth, PIXEL_LIMIT, n)


def views_of(rgb: Pixels) -> Iterator[Pixels]:
    """The picture at the size of a camera's frame: upright, mirrored, turned, off centre."""
    scale = 640 / max(rgb.shape[:2])
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = small.shape[:2]
    yield np.asarray(small, np.uint8)
    yield np.ascontiguousarray(small[:, ::-1])
    for degrees in (-20, 15):
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
        yield np.asarray(cv2.warpAffine(small, turn, (width, height)), np.uint8)
    wide = np.zeros((height, width + 200, 3), np.uint8)
    wide[:, 150 : 150 + width] = small
    yield wide


def _detector_differences(
    pipeline: FacePipeline, views: list[Pixels], selection: int
) -> tuple[float, float, int]:
    detector = pipeline.detector
    find = detector.detect if selection == 0 else detector.detect_far
    largest_box = largest_keypoint = 0.0
    compared = 0
    with mediapipe.solutions.face_detection.FaceDetection(
        min_detection_confidence=0.5, model_selection=selection
    ) as oracle:
        for rgb in views:
            theirs = oracle.process(rgb).detections or []
            ours = find(rgb)
            if len(theirs) != len(ours):
                return float("inf"), float("inf"), compared
            for one in theirs:
                box, keypoints = _theirs_in_px(one, rgb)
                nearest = min(ours, key=lambda mine: float(np.abs(_box(mine) - box).max()))
                largest_box = max(largest_box, float(np.abs(_box(nearest) - box).max()))
                difference = np.abs(nearest.keypoints - keypoints).max()
                largest_keypoint = max(largest_keypoint, float(difference))
                compared += 1
    return largest_box, largest_keypoint, compared


def _mesh_differences(pipeline: FacePipeline, views: list[Pixels]) -> tuple[float, float, int]:
    flat = depth = 0.0
    compared = 0
    with mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=1, refine_landmarks=False
    ) as oracle:
        for rgb in views:
            theirs = oracle.process(rgb).multi_face_landmarks
            ours = pipeline.locate_largest(rgb, far=False)
            if (ours is None) != (not theirs):
                return float("inf"), float("inf"), compared
            if ours is None:
                continue
            height, width = rgb.shape[:2]
            points = np.array([[one.x, one.y, one.z] for one in theirs[0].landmark])
            difference = np.abs(points * [width, height, width] - ours.points).max(axis=0)
            flat, depth = max(flat, difference[:2].max()), max(depth, float(difference[2]))
            compared += 1
    return float(flat), depth, compared


def _theirs_in_px(detection: Any, rgb: Pixels) -> tuple[Doubles, Doubles]:
    height, width = rgb.shape[:2]
    box = detection.location_data.relative_bounding_box
    keypoints = [[one.x, one.y] for one in detection.location_data.relative_keypoints]
    size = np.array([width, height], np.float64)
    corner = np.array([box.xmin, box.ymin, box.width, box.height], np.float64)
    return corner * np.tile(size, 2), np.array(keypoints, np.float64) * size


def _box(detection: Detection) -> Doubles:
    return np.array(detection.box, np.float64)


def chip_of(pipeline: FacePipeline, rgb: Pixels) -> Pixels:
    """The face chip of a picture that is known to hold a face."""
    located = pipeline.locate_largest(rgb)
    if located is None:
        raise SystemExit("No face was found in a portrait; run make models.")
    return pipeline.chip(rgb, located.points).copy()


def write_golden(path: Path, pipeline: FacePipeline, pictures: dict[str, Pixels]) -> None:
    """What MediaPipe and dlib themselves say, as far as it may be kept.

    Of the portraits: where the face is, five landmarks, distances between them. Embeddings only of
    generated chips: one of a face would be a template.
    """
    network = dlib.face_recognition_model_v1(
        face_recognition_models.face_recognition_model_location()
    )
    embedded = {key: _by_dlib(network, chip_of(pipeline, one)) for key, one in pictures.items()}
    chips = {str(number): generated_chip(number) for number in GOLDEN_CHIPS}
    golden = {
        "faces": {key: _oracle_face(rgb) for key, rgb in pictures.items()},
        "turned": {key: _oracle_face(turned_view(rgb)) for key, rgb in pictures.items()},
        "distances": {
            f"{one}-{other}": round(float(np.linalg.norm(embedded[one] - embedded[other])), 5)
            for one, other in combinations(sorted(embedded), 2)
        },
        "generated_chips": {
            number: np.array(network.compute_face_descriptor(chip)).round(7).tolist()
            for number, chip in chips.items()
        },
    }
    indented = json.dumps(golden, indent=1)
    flat_lists = re.sub(r"\[[^][]*\]", lambda one: re.sub(r"\s+", " ", one[0]), indented)
    path.write_text(flat_lists + "\n")


def _by_dlib(network: Any, chip: Pixels) -> Doubles:
    """The mean of dlib's own embeddings of the chip and its mirror image, unit length."""
    mirrored = np.ascontiguousarray(chip[:, ::-1])
    total = sum(np.array(network.compute_face_descriptor(one)) for one in (chip, mirrored))
    return np.asarray(total / np.linalg.norm(total), np.float64)


def _oracle_face(rgb: Pixels) -> dict[str, Any]:
    """The one face of a portrait as MediaPipe finds it, px."""
    height, width = rgb.shape[:2]
    face: dict[str, Any] = {}
    for name, selection in (("short", 0), ("full", 1)):
        with mediapipe.solutions.face_detection.FaceDetection(0.5, selection) as oracle:
            (found,) = oracle.process(rgb).detections
        box, keypoints = _theirs_in_px(found, rgb)
        face[name] = {"box": box.round(3).tolist(), "keypoints": keypoints.round(3).tolist()}
    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1) as oracle:
        (mesh,) = oracle.process(rgb).multi_face_landmarks
    anchors = [mesh.landmark[index] for index in ANCHOR_POINTS]
    face["anchors"] = [[round(one.x * width, 3), round(one.y * height, 3)] for one in anchors]
    return face


def time_embedding(model_dir: Path, rgb: Pixels) -> list[Timing]:
    """One face embedded by `face_recognition` (given its place) and by us (given its landmarks).

    Taking turns, so that both see the same machine; one thread. What is timed is from the place of
    the face to the numbers: alignment and network, ours with the mirror image.
    """
    pipelines = {name: FacePipeline.load(model_dir, name) for name in ("int8", "float32")}
    place = face_recognition.face_locations(rgb)
    located = pipelines["int8"].locate_largest(rgb)
    if not place or located is None:
        raise SystemExit("No face was found in a portrait; run make models.")
    points = located.points
    calls: dict[str, Callable[[], object]] = {
        "face_recognition": lambda: face_recognition.face_encodings(rgb, place, model="small")
    }
    for name, pipeline in pipelines.items():
        calls[f"ours, {name}, with the mirror image"] = partial(pipeline.embed, rgb, points)
        calls[f"ours, {name}, without"] = partial(_embed_once, pipeline, rgb, points)
    durations: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(TIMED_ROUNDS):
        for name, call in calls.items():
            began_s = time.perf_counter()
            call()
            durations[name].append((time.perf_counter() - began_s) * 1e3)
    return [
        Timing(name, len(taken), float(np.percentile(taken, 50)), float(np.percentile(taken, 95)))
        for name, taken in durations.items()
    ]


def _embed_once(pipeline: FacePipeline, rgb: Pixels, points: NDArray[np.float32]) -> None:
    pipeline.embedder.embed_once(pipeline.chip(rgb, points))


def report(comparisons: list[Comparison], timings: list[Timing]) -> None:
    """A table for a person."""
    for one in comparisons:
        verdict = "ok" if one.holds else "OVER"
        print(
            f"{one.what:50} {one.largest:10.3g} {one.unit:3}"
            f" limit {one.limit:g}  n={one.n}  {verdict}"
        )
    first = timings[0]
    for timing in timings:
        ratio = first.p50_ms / timing.p50_ms
        print(
            f"{timing.what:50} p50 {timing.p50_ms:7.2f} ms  p95 {timing.p95_ms:7.2f} ms"
            f"  n={timing.n}  {ratio:5.1f}x"
        )


def _as_json(comparisons: list[Comparison], timings: list[Timing]) -> dict[str, Any]:
    return {
        "comparisons": [asdict(one) | {"holds": one.holds} for one in comparisons],
        "timings": [asdict(one) for one in timings],
    }


if __name__ == "__main__":
    sys.exit(main())
