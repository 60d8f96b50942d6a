"""The pipeline as a whole: steps that do not go on by themselves, and nothing left in memory."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models import portraits
from models.faces import FacePipeline
from models.paths import BUILD_DIR, MODEL_DIR

Array = NDArray[Any]
Pictures = dict[str, NDArray[np.uint8]]

_WALK_UP = """
import sys
from pathlib import Path
import numpy as np
from models import portraits
from models import portraits
from models.faces import FacePipeline

rgb = portraits.read_rgb(Path(sys.argv[1]))
pipeline = FacePipeline.load(Path(sys.argv[2]), "int8")
(face, *_) = pipeline.detect(rgb)
located = pipeline.locate(rgb, face)
pipeline.embed(rgb, located.points).fill(0)
located.wipe()
if sys.argv[3] == "wipe":
    pipeline.wipe()
rgb.fill(0)
print("done", flush=True)
sys.stdin.read()
"""


def _left_in_memory(portrait: Path, wipe: str, needles: dict[str, bytes]) -> set[str]:
    """Which needles lie in the memory of a process in which somebody was recognised."""
    child = subprocess.Popen(
        [sys.executable, "-c", _WALK_UP, str(portrait), str(MODEL_DIR), wipe],
        cwd=MODEL_DIR.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with child:
        assert child.stdout
        assert child.stdin
        assert child.stdout.readline() == b"done\n"
        found = {name for name, needle in needles.items() if _holds(child.pid, needle)}
        child.stdin.close()
    return found


def _holds(pid: int, needle: bytes) -> bool:
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    try:
        return any(needle in block for block in _writable_blocks(pid, memory))
    finally:
        os.close(memory)


def _writable_blocks(pid: int, memory: int) -> list[bytes]:
    blocks = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        area = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
        if area and "[v" not in line:
            begin, end = int(area[1], 16), int(area[2], 16)
            try:
                blocks.append(os.pread(memory, end - begin, begin))
            except OSError:
                continue
    return blocks


@pytest.fixture(scope="module")
def needles(model_dir: Path, pictures: Pictures) -> dict[str, bytes]:
    """Parts of everything that is made of a face on the way to its embedding."""
    pipeline = FacePipeline.load(model_dir, "int8")
    rgb = pictures["portrait_a1"]
    located = pipeline.locate_largest(rgb)
    assert located is not None
    raw_landmarks = pipeline.landmarker._model._results[0].ravel()[300:330]
    chip = pipeline.chip(rgb, located.points)
    embedding = pipeline.embedder.embed(chip)
    return {
        "the frame, letterboxed": pipeline.detector._short._letterboxed[64].tobytes(),
        "the frame, as the detector's input": pipeline.detector._short._input[0, 64].tobytes(),
        "the crop": pipeline.landmarker._turned[96].tobytes(),
        "the crop, as the landmarker's input": pipeline.landmarker._input[0, 96].tobytes(),
        "landmarks of the crop": raw_landmarks.tobytes(),
        "landmarks of the frame": located.points[100:120].tobytes(),
        "the chip": chip[75].tobytes(),
        "the mirrored chip, as the embedder's input": pipeline.embedder._input[0, 75].tobytes(),
        "the mirrored chip's output": pipeline.embedder._model._results[0][0, :32].tobytes(),
        "the sum of both outputs": pipeline.embedder._sum[:32].tobytes(),
        "the embedding": embedding[:32].tobytes(),
    }


@pytest.mark.requirement("R17", "A27", "D10")
def test_after_a_wipe_nothing_of_a_face_is_left_in_the_process(needles: dict[str, bytes]) -> None:
    portrait = portraits.paths(BUILD_DIR)["portrait_a1"]
    assert _left_in_memory(portrait, "wipe", needles) == set()
    # The same search finds everything that the pipeline itself still holds when nobody wipes.
    overwritten_at_once = {"the chip", "landmarks of the frame", "the embedding"}
    assert _left_in_memory(portrait, "keep", needles) == set(needles) - overwritten_at_once


@pytest.mark.requirement("R17")
def test_every_buffer_of_the_pipeline_is_overwritten(
    pipeline: FacePipeline, pictures: Pictures
) -> None:
    rgb = pictures["portrait_c1"]
    located = pipeline.locate_largest(rgb)
    assert located is not None
    pipeline.embedder.embed(pipeline.chip(rgb, located.points))
    buffers: list[Array] = [
        pipeline._chip,
        pipeline.embedder._input,
        pipeline.embedder._sum,
        pipeline.landmarker._input,
        pipeline.landmarker._turned,
        pipeline.detector._short._input,
        pipeline.detector._short._letterboxed,
    ]
    assert all(buffer.any() for buffer in buffers)
    pipeline.wipe()
    assert not any(buffer.any() for buffer in buffers)


@pytest.mark.requirement("R13", "D1", "T38")
def test_finding_a_face_runs_neither_landmarks_nor_embedder(
    model_dir: Path, pictures: Pictures
) -> None:
    pipeline = FacePipeline.load(model_dir)
    assert pipeline.detect(pictures["portrait_c1"], far=True)
    assert not pipeline.landmarker._model._used
    assert not pipeline.embedder._model._used


def test_the_chip_is_overwritten_before_the_embedding_is_returned(
    finder: FacePipeline, pictures: Pictures
) -> None:
    rgb = pictures["portrait_c1"]
    located = finder.locate_largest(rgb)
    assert located is not None
    finder.embed(rgb, located.points)
    assert not finder._chip.any()


def test_the_same_frame_gives_the_same_embedding_after_a_wipe(
    pipeline: FacePipeline, pictures: Pictures
) -> None:
    rgb = pictures["portrait_c1"]
    located = pipeline.locate_largest(rgb)
    assert located is not None
    before = pipeline.embed(rgb, located.points)
    pipeline.wipe()
    np.testing.assert_array_equal(before, pipeline.embed(rgb, located.points))
