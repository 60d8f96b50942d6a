"""What was in a locked buffer is gone after its use, and it says when it could not be locked."""

from __future__ import annotations

import copy
import ctypes
import mmap
import pickle
import subprocess
import sys

import numpy as np
import pytest

from terminal.memory import LockedBuffer


def test_a_new_buffer_holds_zeroes_and_takes_what_is_written() -> None:
    with LockedBuffer(5000) as buffer:
        assert bytes(buffer.view) == bytes(5000)
        buffer.view[:4] = b"abcd"
        assert bytes(buffer.view[:4]) == b"abcd"
        assert len(buffer) == 5000


def test_an_array_is_the_same_memory() -> None:
    with LockedBuffer(24) as buffer:
        array = buffer.array(np.float32, (2, 3))
        array[:] = 1.5
        assert bytes(buffer.view) == np.full(6, 1.5, np.float32).tobytes()


def test_an_array_that_does_not_fit_is_refused() -> None:
    with LockedBuffer(23) as buffer, pytest.raises(ValueError, match="buffer"):
        buffer.array(np.float32, (2, 3))


@pytest.mark.parametrize("size", [0, -1])
def test_a_buffer_of_nothing_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        LockedBuffer(size)


def test_wiping_leaves_zeroes() -> None:
    with LockedBuffer(10_000) as buffer:
        buffer.view[:] = b"\xff" * 10_000
        buffer.wipe()
        assert bytes(buffer.view) == bytes(10_000)


@pytest.mark.requirement("R17")
def test_a_view_that_outlives_its_buffer_holds_zeroes() -> None:
    buffer = LockedBuffer(64)
    array = buffer.array(np.uint8, (64,))
    array[:] = 7
    buffer.close()
    assert not array.any()


def test_a_buffer_that_nobody_holds_any_more_is_wiped() -> None:
    buffer = LockedBuffer(64)
    array = buffer.array(np.uint8, (64,))
    array[:] = 7
    del buffer
    assert not array.any()


def test_leaving_the_block_by_an_error_wipes_too() -> None:
    array = np.zeros(1, np.uint8)
    with pytest.raises(KeyError), LockedBuffer(8) as buffer:
        array = buffer.array(np.uint8, (8,))
        array[:] = 7
        raise KeyError
    assert not array.any()


def test_use_after_closing_is_an_error_and_closing_twice_is_none() -> None:
    buffer = LockedBuffer(8)
    buffer.close()
    buffer.close()
    for use in (lambda: buffer.view, buffer.wipe, lambda: buffer.array(np.uint8, (8,))):
        with pytest.raises(ValueError, match="closed"):
            use()


def test_a_buffer_tells_nothing_of_what_it_holds_and_is_never_copied() -> None:
    with LockedBuffer(8) as buffer:
        buffer.view[:] = b"topsecre"
        assert "topsecre" not in repr(buffer) + str(buffer)
        for copied in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="never copied"):
                copied(buffer)


def flags_of(address: int) -> set[str]:
    """The kernel's flags of the mapping at this address (proc(5), VmFlags)."""
    inside = False
    with open("/proc/self/smaps", encoding="ascii") as maps:
        for line in maps:
            first, *words = line.split()
            if "-" in first and not first.endswith(":"):
                low, high = (int(part, 16) for part in first.split("-"))
                inside = low <= address < high
            elif inside and first == "VmFlags:":
                return set(words)
    raise AssertionError("no such mapping")


@pytest.mark.requirement("A27")
def test_the_system_keeps_it_out_of_swap_dumps_and_children() -> None:
    with LockedBuffer(mmap.PAGESIZE) as buffer:
        flags = flags_of(ctypes.addressof(ctypes.c_char.from_buffer(buffer.view)))
        assert {"dd", "dc"} <= flags  # do not dump, do not copy on fork
        assert ("lo" in flags) == buffer.locked


UNLOCKED = """
import os, resource
from terminal.memory import LockedBuffer
resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
if os.geteuid() == 0:
    os.setuid(65534)
with LockedBuffer(10) as buffer:
    buffer.view[:] = b"0123456789"
    print(buffer.locked, bytes(buffer.view).decode(), buffer)
"""

FORKED = """
import os
from terminal.memory import LockedBuffer
buffer = LockedBuffer(10)
if os.fork() == 0:
    raise SystemExit(0)
print(os.wait()[1], buffer)
"""

FORBIDDEN = """
import resource
from terminal.confine import forbid_dumps, _libc
forbid_dumps()
print(resource.getrlimit(resource.RLIMIT_CORE), _libc.prctl(3, 0, 0, 0, 0))
"""


def output_of(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_where_the_system_locks_nothing_the_buffer_works_and_says_so() -> None:
    assert output_of(UNLOCKED) == "False 0123456789 <LockedBuffer not locked>"


def test_a_child_process_ends_well_without_the_memory() -> None:
    assert output_of(FORKED).startswith("0 <LockedBuffer")


@pytest.mark.requirement("A27")
def test_a_process_that_forbids_dumps_can_not_be_dumped() -> None:
    assert output_of(FORBIDDEN) == "(0, 0) 0"
