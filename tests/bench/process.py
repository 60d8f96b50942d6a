"""What Linux says of another process: its processor time and its memory."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from terminal.sockets import connect
from tests.bench.figures import NotMeasured

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """MB (10^6 bytes): resident; and its fair share of what is shared, where we may know it."""

    rss_mb: float
    pss_mb: float | None


def listener_pid(path: Path) -> int:
    """The process that listens at `path`, as the kernel says (SO_PEERCRED: pid, uid, gid)."""
    with connect(path, socket.SOCK_STREAM) as connected:
        size = struct.calcsize("3i")
        told = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return int(struct.unpack("3i", told)[0])


def cpu_s(pid: int) -> float:
    """Processor time of all its threads so far, in user and in system mode (proc(5), 14 and 15)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError as error:
        raise NotMeasured(f"Process {pid} ended while it was measured.") from error
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def memory(pid: int) -> Memory:
    """Its memory now. An undumpable process tells its fair share to root alone."""
    rss_mb = _kib(Path(f"/proc/{pid}/status"), "VmRSS:")
    if rss_mb is None:
        raise NotMeasured(f"Process {pid} ended while it was measured.")
    return Memory(rss_mb, _kib(Path(f"/proc/{pid}/smaps_rollup"), "Pss:"))


def _kib(path: Path, key: str) -> float | None:
    """The MB behind this key (the file has KiB), None where it can't be read."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) for line in lines if line.startswith(key)]
    return found[0] * 1024 / 1e6 if found else None
