"""`make codes`: at which distance, tilt, blur and light a pass is read, at which size of frame.

Every cell is rendered (hw/code_props.py) and read by the decoder of the product, with seeds of its
own; the figures are shares of frames in which the very text came back. A code is 60 mm wide; the
camera sees 50 degrees from top to bottom. Two texts: one as long as a pass (175 characters that fit
the alphanumeric mode, level M) and one as long as it would be in a COSE container (230). It prints
tables and writes build/codes.json. A rendered code is no telephone before a lens: what fails here
fails there too, what works here may not. What changes with this file: docs/codes.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from hw.bench_camera import PORTRAITS_DIR
from hw.code_props import modules_of
from hw.held_codes import Code, CodeKeyframe, CodePose, Medium, Print
from hw.ports import FrameSize
from hw.render import Renderer
from hw.scenes import AtEnd, Light, LightKeyframe, Scene
from terminal.code_decoder import qr_codes_in
from terminal.core.values import PASS_PREFIX
from tests.bench.figures import spread

ROOT = Path(__file__).resolve().parents[2]

BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
"""RFC 9285; all of it fits the alphanumeric mode."""

PASS_CHARACTERS, COSE_CHARACTERS = 175, 230
SIDE_M = 0.06
LEVEL = "m"

SIZES = (FrameSize(640, 480), FrameSize(1280, 720))
DISTANCES_M = (0.15, 0.2, 0.3, 0.4, 0.5)
TILTS_DEG = ((0, 0), (15, 0), (30, 0), (0, 15), (0, 30))
"""Yaw and pitch."""

BLURS = (0.0, 0.5, 1.0)
"""Standard deviation in px of a frame with 480 rows."""

LIGHTS = {"good": Light(1.0, noise=2.0), "dim": Light(0.12, noise=8.0)}
FRINGES = 0.5
"""On a telephone; on paper there are none."""

MEDIA = tuple(Medium)
SEEDS = 5
FULL_MEMORY_PX = (1920, 1080)


@dataclass(frozen=True, slots=True)
class Cell:
    """What was held up, how, and how it was read."""

    frame: str
    characters: int
    modules: int
    medium: str
    light: str
    distance_m: float
    yaw_deg: int
    pitch_deg: int
    blur: float
    n: int
    read: int
    px_per_module: float


def pass_text(characters: int, seed: int) -> str:
    """A text as long as a pass, with its prefix; another seed, another text."""
    chosen = random.Random(seed)
    prefix = PASS_PREFIX.decode("ascii")
    return prefix + "".join(chosen.choices(BASE45, k=characters - len(prefix)))


def scene_of(
    text: str, medium: Medium, light: Light, pose: CodePose, blur: float, seed: int
) -> Scene:
    """One code held still in a hand, and nobody there."""
    fringes = FRINGES if medium is Medium.PHONE else 0.0
    made = Print(medium, SIDE_M, LEVEL, fringes, blur)
    code = Code("pass", text, made, (CodeKeyframe(0.0, pose), CodeKeyframe(9.0, pose)), sway=0.5)
    lights = (LightKeyframe(0.0, light),)
    return Scene("codes", "a code", 9.0, AtEnd.HOLD, seed, (), lights, (code,))


class Lens:
    """Renders scenes at one size of frame, as vision would hand them over: grey."""

    def __init__(self, size: FrameSize) -> None:
        self._renderer = Renderer(size, PORTRAITS_DIR)
        self._rgb = np.zeros((size.height_px, size.width_px, 3), np.uint8)
        self.decode_ms: list[float] = []

    def reads(self, scene: Scene, text: str, at_s: float) -> bool:
        """Whether the very text is read in this frame, and it alone."""
        self._renderer.draw(scene, at_s, self._rgb)
        grey = np.ascontiguousarray(cv2.cvtColor(self._rgb, cv2.COLOR_RGB2GRAY))
        began_s = time.perf_counter()
        found = qr_codes_in(grey.data)
        self.decode_ms.append((time.perf_counter() - began_s) * 1000)
        return found == (text.encode("ascii"),)


def measure(sizes: Sequence[FrameSize], seeds: int, tell: Callable[[str], None]) -> Iterator[Cell]:
    """Every cell, and what is said while it goes on."""
    for size, characters in itertools.product(sizes, (PASS_CHARACTERS, COSE_CHARACTERS)):
        lens = Lens(size)
        tell(f"{size.width_px}x{size.height_px}, {characters} characters ...")
        yield from _cells(lens, size, characters, seeds)
        p50_ms, p95_ms = spread(lens.decode_ms)
        tell(f"  decoding: p50 {p50_ms:.1f} ms, p95 {p95_ms:.1f} ms, n {len(lens.decode_ms)}")


def _cells(lens: Lens, size: FrameSize, characters: int, seeds: int) -> Iterator[Cell]:
    modules = modules_of(pass_text(characters, 0), LEVEL)
    whole = itertools.product(MEDIA, LIGHTS, DISTANCES_M, TILTS_DEG, BLURS)
    for medium, light, distance_m, (yaw_deg, pitch_deg), blur in whole:
        pose = CodePose(0.5, 0.5, distance_m, yaw_deg, pitch_deg, 4.0)
        read = 0
        for seed in range(seeds):
            text = pass_text(characters, seed)
            scene = scene_of(text, medium, LIGHTS[light], pose, blur, seed)
            read += lens.reads(scene, text, 0.1 + 0.37 * seed)
        yield Cell(
            f"{size.width_px}x{size.height_px}", characters, modules, medium.value, light,
            distance_m, yaw_deg, pitch_deg, blur, seeds, read,
            round(SIDE_M * size.height_px / (0.9326 * distance_m) / modules, 2),
        )  # fmt: skip


def memory_mb() -> float:
    """What decoding the worst frames takes beside what the process has (10^6 bytes)."""
    command = [sys.executable, "-m", "tests.bench.codes", "--memory"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return float(done.stdout)


def _peak_mb() -> float:
    """In a process of its own: how far the address space grew over it."""
    width_px, height_px = FULL_MEMORY_PX
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 256, (height_px, width_px), np.uint8)
    checks = np.ascontiguousarray(np.indices((height_px, width_px)).sum(axis=0) // 3 % 2 * 255)
    before = _status_kb("VmSize")
    for frame in (noise, checks.astype(np.uint8), noise // 2 + 64):
        qr_codes_in(frame.data)
    return (_status_kb("VmPeak") - before) * 1024 / 1e6


def _status_kb(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key))


# --- telling ------------------------------------------------------------------------------------


def tables(cells: Sequence[Cell]) -> str:
    """One table for each size of frame and text: shares read (%), by distance."""
    groups: dict[tuple[str, int, int], list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[cell.frame, cell.characters, cell.modules].append(cell)
    return "\n\n".join(_table(*key, group) for key, group in groups.items())


COLUMNS: dict[str, Callable[[Cell], bool]] = {
    "straight": lambda cell: not cell.yaw_deg and not cell.pitch_deg and not cell.blur,
    "yaw 15": lambda cell: cell.yaw_deg == 15 and not cell.blur,
    "yaw 30": lambda cell: cell.yaw_deg == 30 and not cell.blur,
    "pitch 15": lambda cell: cell.pitch_deg == 15 and not cell.blur,
    "pitch 30": lambda cell: cell.pitch_deg == 30 and not cell.blur,
    "blur 0.5": lambda cell: cell.blur == 0.5,
    "blur 1.0": lambda cell: cell.blur == 1.0,
    "all": lambda cell: True,
}


def _table(frame: str, characters: int, modules: int, cells: Sequence[Cell]) -> str:
    heading = f"{frame}, {characters} characters, {modules} modules a side (% of frames read)"
    head = f"{'medium':7}{'light':6}{'m':>5}{'px/mod':>8}" + "".join(f"{c:>10}" for c in COLUMNS)
    rows = [heading, head]
    for medium, light, distance_m in itertools.product(MEDIA, LIGHTS, DISTANCES_M):
        some = [
            cell
            for cell in cells
            if (cell.medium, cell.light, cell.distance_m) == (medium.value, light, distance_m)
        ]
        shares = "".join(f"{_share(some, kind):>10}" for kind in COLUMNS.values())
        size = f"{distance_m:>5}{some[0].px_per_module:>8}"
        rows.append(f"{medium.value:7}{light:6}{size}{shares}")
    return "\n".join(rows)


def _share(cells: Sequence[Cell], kind: Callable[[Cell], bool]) -> str:
    some = [cell for cell in cells if kind(cell)]
    return f"{100 * sum(cell.read for cell in some) / sum(cell.n for cell in some):.0f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write build/codes.json."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.codes", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="frames a cell")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "codes.json")
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.memory:
        print(_peak_mb())
        return 0
    cells = list(measure(SIZES, options.seeds, lambda words: print(words, file=sys.stderr)))
    memory = memory_mb()
    print(tables(cells))
    print(f"\nDecoding takes up to {memory:.0f} MB at {'x'.join(map(str, FULL_MEMORY_PX))}.")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    told = {"memory_mb": memory, "cells": [asdict(cell) for cell in cells]}
    options.json.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
