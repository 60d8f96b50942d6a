"""Memory for what must not outlive its use: keys, templates, names being opened.

A `LockedBuffer` is anonymous memory that is never swapped out, never part of a core dump, not
inherited by a child process, and overwritten when it is let go. Immutable `bytes` can't be
overwritten, so nothing secret may pass through them. Views taken of a buffer stay valid memory
after it was closed, and hold zeroes.

What is not promised: copies that a library makes in its own memory while it works.

What changes with this file: sealing, comparison, and the unit's LimitMEMLOCK.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import weakref
from contextlib import suppress
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mlock.argtypes = (ctypes.c_void_p, ctypes.c_size_t)


class LockedBuffer:
    """`n_bytes` of zeroed, writable memory that is locked, undumped and wiped.

    Where the system refuses to lock so much (RLIMIT_MEMLOCK) the buffer is usable all the same,
    and `locked` says so for the status. Usable as a context manager; after `close` every use
    raises ValueError. Raises ValueError for a size below one byte.
    """

    def __init__(self, n_bytes: int) -> None:
        self._map: mmap.mmap | None = None
        if n_bytes < 1:
            raise ValueError("A locked buffer holds at least one byte.")
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        self._n_bytes = n_bytes
        self._map = mmap.mmap(-1, n_bytes, flags=flags)
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self._map.madvise(mmap.MADV_DONTDUMP)
        self._map.madvise(mmap.MADV_DONTFORK)
        self._finalizer = weakref.finalize(self, _overwrite, self._map, self._address, os.getpid())
        self._locked = bool(_libc.mlock(self._address, n_bytes) == 0)

    @property
    def locked(self) -> bool:
        """Whether the system keeps this buffer out of swap."""
        return self._locked

    @property
    def view(self) -> memoryview:
        """All of it, as writable bytes."""
        return memoryview(self._open())

    def array(self, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        """The beginning of it, as a writable array of this type and shape, without a copy.

        Raises ValueError when it does not fit.
        """
        count = int(np.prod(shape))
        return np.frombuffer(self._open(), dtype=dtype, count=count).reshape(shape)

    def wipe(self) -> None:
        """Overwrite all of it with zeroes."""
        self._open()
        ctypes.memset(self._address, 0, self._n_bytes)

    def close(self) -> None:
        """Overwrite it and let it go. May be called twice."""
        if self._map is None:
            return
        self._finalizer()
        held, self._map = self._map, None
        with suppress(BufferError):  # a view is still about: the pages, zeroed, go with it
            held.close()

    def _open(self) -> mmap.mmap:
        if self._map is None:
            raise ValueError("This locked buffer has been closed.")
        return self._map

    def __len__(self) -> int:
        return self._n_bytes

    def __enter__(self) -> LockedBuffer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._map is None else "locked" if self._locked else "not locked"
        return f"<LockedBuffer {state}>"

    def __reduce__(self) -> str:
        raise TypeError("A locked buffer is never copied or sent elsewhere.")


def _overwrite(held: mmap.mmap, address: int, owner: int) -> None:
    """Zeroes over all of it: at `close`, when nobody holds the buffer any more, and at exit.

    A child process does not have the memory, and must not touch it.
    """
    if os.getpid() == owner:
        ctypes.memset(address, 0, len(held))
