"""Checked reading and atomic writing of whole files.

A file is written beside its final name, synced and renamed, so that a killed build leaves either
the whole file or none. Changes only with what a file system can do to us.
"""

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from models.errors import BuildFailed

_CHUNK_BYTES = 1 << 20

Writer = Callable[[Path, bytes], None]
"""Puts a whole file in its place or raises BuildFailed; `write_atomically` in the product"""


class FileState(Enum):
    """A file against what the manifest says of it."""

    OK = "ok"
    MISSING = "missing"
    WRONG = "wrong"


def sha256_of(path: Path) -> str:
    """The file's sha256, 64 hex digits. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def state_of(path: Path, sha256: str, size_bytes: int) -> FileState:
    """Whether the file is there and its bytes are the expected ones."""
    try:
        if path.stat().st_size != size_bytes:
            return FileState.WRONG
        return FileState.OK if sha256_of(path) == sha256 else FileState.WRONG
    except FileNotFoundError:
        return FileState.MISSING
    except OSError:
        return FileState.WRONG


def write_atomically(path: Path, data: bytes) -> None:
    """Write the file whole or not at all. Raises BuildFailed with one sentence."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise BuildFailed(disk_sentence(path, len(data), error)) from error


def disk_sentence(path: Path, size_bytes: int, error: OSError) -> str:
    """What a person should know when writing failed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full: {path} needs {size_bytes / 1e6:.1f} MB; "
            "free some space and run it again, what is finished is kept."
        )
    reason = error.strerror or str(error)
    return f"{path} can't be written: {reason}; make the folder writable and run it again."
