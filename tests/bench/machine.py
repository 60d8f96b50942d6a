"""On what was measured: without it a figure says nothing.

Reads what Linux tells about the processor, the disk and how busy the machine is; nothing of it
names the machine, its owner or its network. What changes with this file: docs/measurements.md.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np

from models.runtime import RUNTIME


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine and what runs on it. What Linux does not tell is "unknown" or None."""

    processor: str
    cores: int
    ghz: float | None
    is_virtual: bool
    memory_mb: int
    file_system: str
    kernel: str
    architecture: str
    python: str
    numpy: str
    opencv: str
    runtime: str


@dataclass(frozen=True, slots=True)
class Load:
    """How busy the machine is: tasks that want a core (mean of a minute), and ticks so far."""

    tasks: float
    ticks: int
    stolen_ticks: int


def describe(folder: Path) -> Machine:
    """This machine; `folder` lies on the disk that is measured."""
    processor = _processor()
    mhz = processor.get("cpu MHz")
    return Machine(
        processor=processor.get("model name", processor.get("Model", "unknown")),
        cores=os.cpu_count() or 0,
        ghz=round(float(mhz) / 1000, 2) if mhz else None,
        is_virtual="hypervisor" in processor.get("flags", "").split(),
        memory_mb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 10**6,
        file_system=file_system(folder),
        kernel=platform.release(),
        architecture=platform.machine(),
        python=platform.python_version(),
        numpy=np.__version__,
        opencv=cv2.__version__,
        runtime=f"{RUNTIME} {version(RUNTIME)}",
    )


def load() -> Load:
    """How busy it is now."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return Load(os.getloadavg()[0], sum(ticks), ticks[7])


def stolen_share(before: Load, after: Load) -> float:
    """The share (0..1) of the machine's time in between that its host gave to others."""
    ticks = after.ticks - before.ticks
    return (after.stolen_ticks - before.stolen_ticks) / ticks if ticks else 0.0


def _processor() -> dict[str, str]:
    """The first of each key in /proc/cpuinfo."""
    found: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        found.setdefault(key.strip(), value.strip())
    return found


def file_system(folder: Path) -> str:
    """The type of the file system that `folder` lies on: on tmpfs nothing is ever synced."""
    where = str(folder.resolve())
    best, kind = "", "unknown"
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, point, name = line.split()[:3]
        lies_in = where == point or where.startswith(point.rstrip("/") + "/")
        if lies_in and len(point) >= len(best):
            best, kind = point, name
    return kind
