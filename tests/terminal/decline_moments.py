"""Declines at random moments of a scan, in every way there is: no model may begin afterwards (T35).

    python -m tests.terminal.decline_moments [10000]

D10 allows 100 ms; in our time, in which only models take any, what is allowed is the one model call
that is under way. A part of it runs with the tests.

What changes with this file: `make decline`, tests/terminal/test_decline.py.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from terminal.core.transaction import AccessPhase
from terminal.core.values import NOTHING_ALLOWED
from tests.terminal.given_visits import WAYS, Visit

ALLOWED_S = 0.1
"""D10."""

SEED = 20302
STRANGER = 2
"""Whose face it is: nobody's here, so that no grant ends the scan first."""


@dataclass
class Tally:
    """What came of so many declines."""

    declines: Counter[str] = field(default_factory=Counter)
    in_scan: int = 0
    in_model: int = 0
    late: Counter[str] = field(default_factory=Counter)
    later_than_allowed: Counter[str] = field(default_factory=Counter)
    still_permitted: int = 0
    sign_lit: int = 0
    frame_left: int = 0

    @property
    def holds(self) -> bool:
        """Whether nothing at all happened after any of them."""
        return not (self.late or self.still_permitted or self.sign_lit or self.frame_left)


def decline_at_random(folder: Path, count: int, seed: int = SEED) -> Tally:
    """So many visits, each declined at some moment between the prompt and the end of the scan."""
    visit, moments, tally = Visit(folder), random.Random(seed), Tally()
    visit.bench.faces.seed = STRANGER
    visit.bench.faces.takes_s = {"detect": 0.03, "locate": 0.03, "embed": 0.06}
    try:
        for _ in range(count):
            way = moments.choice(list(WAYS))
            _one(visit, way, moments.uniform(0.0, visit.door.policy.dwell_s + 0.3), tally)
    finally:
        visit.close()
    return tally


def _one(visit: Visit, way: str, in_s: float, tally: Tally) -> None:
    made, faces = visit.door, visit.bench.faces
    while made.state.access.phase is not AccessPhase.PROMPTED:
        visit.looks()
    declined, scanned = visit.declines_in(in_s, way), False
    while not declined:
        scanned = visit.is_in_a_scan()
        visit.looks()
    last = max((at_s for at_s, _ in faces.calls), default=0.0)
    tally.in_model += last < declined[0] < last + max(faces.takes_s.values())
    visit.looks(5)
    tally.declines[way] += 1
    tally.in_scan += scanned
    for at_s, model in faces.calls:
        tally.late[model] += at_s > declined[0]
        tally.later_than_allowed[model] += at_s > declined[0] + ALLOWED_S
    tally.late, tally.later_than_allowed = +tally.late, +tally.later_than_allowed
    tally.still_permitted += made.leases.last != NOTHING_ALLOWED
    tally.sign_lit += made.sign_is_lit()
    tally.frame_left += bool(visit.bench.frame.any())
    faces.calls.clear()
    faces.handed_out.clear()
    faces.landmarks.clear()
    faces.chips.clear()
    visit.leaves_and_comes_back()
    faces.calls.clear()


def main(count: int) -> int:
    """Run so many and print what came of them; 0 when nothing happened after any."""
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally = decline_at_random(Path(folder), count)
    print(f"{tally.declines.total()} declines in {time.monotonic() - began_s:.0f} s")
    print("  by", ", ".join(f"{way} {n}" for way, n in sorted(tally.declines.items())))
    print(f"  in a scan {tally.in_scan}, while a model was running {tally.in_model}")
    print(f"  model calls that began afterwards: {dict(tally.late) or 'none'}")
    print(f"  of those later than {ALLOWED_S:g} s: {dict(tally.later_than_allowed) or 'none'}")
    print(
        f"  still permitted {tally.still_permitted}, sign still lit {tally.sign_lit},"
        f" frame not overwritten {tally.frame_left}"
    )
    return 0 if tally.holds else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
