"""One grey frame in memory that nobody can change any more, to be handed over by its descriptor.

The sender writes it once and seals it (memfd_create(2): no writing, no shrinking, no growing, no
more seals); the receiver takes nothing that is not sealed so and of the very size it was said to
have. So neither end can pull memory away from under the other, or change what is being looked at.
It has no name in any folder, and is gone when both ends have closed it.

What changes with this file: `frame_post` and `code_worker`, its two ends.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager

from terminal.errors import LinkBroken

SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


@contextmanager
def sealed(pixels: memoryview) -> Iterator[int]:
    """A descriptor of sealed memory with these bytes, closed at the end. Raises OSError."""
    descriptor = os.memfd_create("frame", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        if os.write(descriptor, pixels) != pixels.nbytes:
            raise OSError("A frame did not fit into memory.")
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, SEALS)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def opened(descriptor: int, width_px: int, height_px: int) -> Iterator[memoryview]:
    """The frame behind a descriptor: uint8, (height, width), read-only, gone at the end.

    Raises LinkBroken for memory that is not sealed, or not of that size.
    """
    _check(descriptor, width_px * height_px)
    # Private, since kernels before 6.7 map nothing shared that is sealed against writing.
    held = mmap.mmap(descriptor, width_px * height_px, mmap.MAP_PRIVATE, mmap.PROT_READ)
    view = memoryview(held).cast("B", (height_px, width_px))
    try:
        yield view
    finally:
        view.release()
        held.close()


def _check(descriptor: int, n_bytes: int) -> None:
    try:
        seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
        held_bytes = os.fstat(descriptor).st_size
    except OSError as error:
        raise LinkBroken(f"What came is no frame: {error.strerror}.") from error
    if seals & SEALS != SEALS:
        raise LinkBroken("A frame came that can still be changed.")
    if held_bytes != n_bytes:
        raise LinkBroken(f"A frame of {n_bytes} bytes was announced, {held_bytes} came.")
