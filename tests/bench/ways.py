"""Face, card and code side by side, as they are at the door (D12, T36): `make ways`.

    python -m tests.bench.ways [visits of each]

The same resident comes in by each way in turn, to a terminal of real processes; what each took is
taken from outside, and asked of the terminal itself (`terminalctl parity`), which must agree that
the other ways are as convenient.

What changes with this file: docs/measurements.md.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from terminal.core.policy import PARITY_SLACK_S, PARITY_STEPS
from terminal.demo.stage import Otherwise, Stage
from terminal.demo.story import enrols
from terminal.operator_link import ask
from terminal.requests import ParityAsked
from tests.bench.figures import spread
from tests.bench.visits import by_card, by_code, by_face, leave

WAYS = ("face", "card", "qr")


@dataclass
class Ways:
    """From outside (ms) and as the terminal says, for each way."""

    times_ms: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in WAYS})
    otherwise: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WAYS, 0))
    told: dict[str, Any] = field(default_factory=dict)

    def p95_s(self, way: str) -> float:
        """From the first presentation to the relay, as seen from outside."""
        return spread(self.times_ms[way])[1] / 1e3

    @property
    def holds(self) -> bool:
        """Whether the other ways are as convenient, from outside and by the terminal's account."""
        face, ways = self.told["ways"]["face"], self.told["ways"]
        return not self.told["troubles"] and all(
            self.p95_s(way) <= self.p95_s("face") + PARITY_SLACK_S
            and ways[way]["p95_s"] <= face["p95_s"] + PARITY_SLACK_S
            and ways[way]["steps"] <= face["steps"] + PARITY_STEPS
            for way in ("card", "qr")
        )


def measure(folder: Path, count: int) -> Ways:
    """So many visits by each way, in turn. Raises Otherwise."""
    found = Ways()
    with contextlib.redirect_stdout(io.StringIO()), Stage(folder / "stage") as stage:
        enrols(stage)
        leave(stage)
        for number in range(count):
            for way in WAYS:
                _visit(stage, way, number, found)
        found.told = ask(stage.control, ParityAsked())["parity"]
    return found


def _visit(stage: Stage, way: str, number: int, found: Ways) -> None:
    """Once in; somebody who is not let in (a blink at the wrong moment) is counted."""
    try:
        match way:
            case "face":
                took_ms = by_face(stage, seed=number + 1)
            case "card":
                took_ms = by_card(stage)
            case _:
                took_ms = by_code(stage)
        found.times_ms[way].append(took_ms)
    except Otherwise:
        found.otherwise[way] += 1
    leave(stage)


def main(count: int) -> int:
    """Measure, print; 0 when D12 holds."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), count)
    for way in WAYS:
        p50, p95 = spread(found.times_ms[way])
        told = found.told["ways"][way]
        print(
            f"{way:<5} n {len(found.times_ms[way])} (otherwise {found.otherwise[way]})"
            f"  from outside p50 {p50:.0f} p95 {p95:.0f} ms"
            f"  told n {told['n']} p50 {1e3 * told['p50_s']:.0f} p95 {1e3 * told['p95_s']:.0f} ms"
            f"  steps {told['steps']:g}  refused {told['refused']}"
        )
    print("D12 holds" if found.holds else f"D12 is broken: {found.told['troubles']}")
    return 0 if found.holds else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50))
