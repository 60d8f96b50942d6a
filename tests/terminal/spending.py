"""Spends one pass again and again in a process that is killed: a tool of test_store_passes.py.

`python -m tests.terminal.spending FOLDER NUMBER KILLS`: as many processes as KILLS open the store
one after another, spend the pass until it is refused, and write a byte after each success. Each is
killed (SIGKILL) once some bytes were read from it, a few more each time, so that it dies anywhere
between and in its calls; the last one ends by itself. Prints how many successes were heard of.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from terminal.core.values import PassId
from terminal.store import Store
from tests.terminal.given_store import some_keys


def spend_all(folder: Path, number: PassId, out: int) -> None:
    store = Store.open(folder, some_keys())
    while store.passes.spend(number, None):
        os.write(out, b"x")
    store.close()


def heard_of(folder: Path, number: PassId, kill_after: int | None) -> int:
    """Successes of one process, which is killed after so many; None: which ends by itself."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        spend_all(folder, number, write)
        os._exit(0)
    os.close(write)
    heard = 0
    if kill_after != 0:
        while heard != kill_after and (more := os.read(read, 1)):
            heard += len(more)
    if kill_after is not None:
        os.kill(child, signal.SIGKILL)
    while more := os.read(read, 4096):
        heard += len(more)
    os.waitpid(child, 0)
    os.close(read)
    return heard


def main(folder: str, number: str, kills: str) -> None:
    after = [*(each % 5 for each in range(int(kills))), None]
    print(sum(heard_of(Path(folder), PassId(number), each) for each in after))


if __name__ == "__main__":
    main(*sys.argv[1:])
