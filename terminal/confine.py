"""What a process gives up for good: core files, onlookers, new privileges, memory, files, time.

`forbid_dumps` is for every process of the terminal. `confine` is for the one that reads hostile
pictures, after its fork: from then on the kernel ends it where it takes more memory than a frame
needs, writes a file, or outlives its parent; `LimitedTime` ends it when one piece of work takes
more processor time than it may. All of that is the kernel's doing and holds whatever has become of
the program. It must never be undone in the same process.

What changes with this file: `code_worker`, the units in systemd/.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from collections.abc import Collection
from pathlib import Path
from types import TracebackType

from terminal.errors import RefuseToStart

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38  # linux/prctl.h

_libc = ctypes.CDLL(None, use_errno=True)

FILES = 24
"""So many descriptors a confined process may have: sockets, a pipe, one frame, and some room."""


def forbid_dumps() -> None:
    """Make this process write no core file and let no other account look into it (A27).

    Raises RefuseToStart when the system does not do it.
    """
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError) as error:
        raise RefuseToStart(f"Core dumps can't be switched off: {error}.") from error
    if _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise RefuseToStart("The system refuses to make this process undumpable (prctl).")


def confine(parent: int, keep: Collection[int], room_bytes: int) -> None:
    """Give up everything but the descriptors in `keep` and `room_bytes` of further memory.

    `parent` is the process that forked this one; when it ends, this one does. Standard output and
    error lead nowhere afterwards. Raises OSError or RefuseToStart.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before it could be watched
        os._exit(1)
    _lead_nowhere()
    _close_all_but({0, 1, 2, *keep})
    forbid_dumps()
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, max(FILES, *(one + 8 for one in keep)))
    _limit(resource.RLIMIT_AS, address_space_bytes() + room_bytes)


def address_space_bytes() -> int:
    """How much address space this process has now (proc(5), statm)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


class LimitedTime:
    """A context in which this process may use so much processor time; with more the kernel kills
    it (ITIMER_PROF, whose signal must have its default action)."""

    def __init__(self, cpu_s: float) -> None:
        self._cpu_s = cpu_s

    def __enter__(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, self._cpu_s)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0.0)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise RefuseToStart(f"The system refuses to confine this process (prctl {option}).")


def _limit(what: int, value: int) -> None:
    resource.setrlimit(what, (value, value))


def _lead_nowhere() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _close_all_but(keep: set[int]) -> None:
    """Never with an empty range: os.closerange(0, 0) closes everything (close_range(2), -1)."""
    first = 0
    for descriptor in (*sorted(keep), resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        if first < descriptor:
            os.closerange(first, descriptor)
        first = descriptor + 1
