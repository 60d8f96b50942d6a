"""One record of the audit log, durable: what every release of the strike waits for.

Between two of them there is a pause, as there is at a door: a process that never rests has to wait
for its turn on a busy machine, and that is not the disk's doing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from terminal.audit import Audit
from terminal.clock import SystemClock
from terminal.core.effects import Kind, Record
from terminal.core.values import PersonId, Way
from tests.bench import machine
from tests.bench.figures import Check, Result, Sizes, figure, timed_ms

PAUSE_S = 0.01
IN_MEMORY = frozenset({"tmpfs", "ramfs"})
"""File systems on which nothing is ever synced to anything."""


def measure(sizes: Sizes, folder: Path) -> Iterator[Result]:
    """Appending one record and having it on the disk."""
    audit, clock = Audit.open(folder), SystemClock()

    def append() -> None:
        facts = (("strike", "released"),)
        record = Record(Kind.GRANTED, clock.now(), PersonId("p"), Way.FACE, facts=facts)
        audit.append([record])

    def append_after_pause() -> float:
        time.sleep(PAUSE_S)
        return timed_ms(append, 1, warm_up=0)[0]

    try:
        took_ms = [append_after_pause() for _ in range(sizes.appends)]
        verdict = audit.verify()
    finally:
        audit.close()
    yield Check("the log is sound afterwards", verdict.sound, f"{verdict.checked} records")
    kind = machine.file_system(folder)
    yield Check("the log lies on a disk", kind not in IN_MEMORY, kind)
    yield figure("audit", "append", "one record, synced to the disk", took_ms)
