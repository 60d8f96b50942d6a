"""A file system of its own that a test fills to the last byte."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, n_bytes: int) -> Iterator[Path]:
    """This folder, made and mounted with this size (a tmpfs); where nobody may mount, a skip."""
    folder.mkdir()
    options = f"size={n_bytes},mode=700"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a file system, and not in every container")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill_up(disk: Path) -> Path:
    """Somebody's file takes all that is left."""
    hog = disk / "hog"
    with hog.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return hog
