"""One record of the audit log, durable: what every release of the strike waits for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from terminal.audit import Audit
from terminal.clock import SystemClock
from terminal.core.effects import Kind, Record
from terminal.core.values import PersonId, Way
from tests.bench.figures import Check, Result, Sizes, figure, timed_ms


def measure(sizes: Sizes, folder: Path) -> Iterator[Result]:
    """Appending one record and having it on the disk."""
    audit, clock = Audit.open(folder), SystemClock()

    def append() -> None:
        facts = (("strike", "released"),)
        record = Record(Kind.GRANTED, clock.now(), PersonId("p"), Way.FACE, facts=facts)
        audit.append([record])

    try:
        took_ms = timed_ms(append, sizes.appends)
        verdict = audit.verify()
    finally:
        audit.close()
    yield Check("the log is sound afterwards", verdict.sound, f"{verdict.checked} records")
    yield figure("audit", "append", "one record, synced to the disk", took_ms)
