"""From card to release while the camera's side is dead, frozen or flooded (T23): `make flood`.

    python -m tests.bench.flood [cards of each kind]

The three processes are the product's own. Vision is killed each second, or stopped; fifty faces
stand before the camera, or a telephone says another code in every frame. Cards go on meanwhile.

What changes with this file: docs/measurements.md, tests/bench/test_flood.py.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from terminal.demo.stage import Stage
from tests.bench.figures import spread
from tests.bench.visits import by_card, camera_is_back, play, register_card

ALLOWED_MS = 300.0
"""At the 95th percentile, throughout."""

KILL_EVERY_S = 1.0
FELT_S = 1.0
"""A scene is before the camera for so long, and its first frames are drawn, before any card."""

APART_S = 0.1


@dataclass(frozen=True)
class Flooded:
    """What was measured under one trouble: from the reader to the relay (ms)."""

    trouble: str
    times_ms: tuple[float, ...]

    @property
    def p95_ms(self) -> float:
        """The 95th percentile."""
        return spread(list(self.times_ms))[1]

    @property
    def holds(self) -> bool:
        """Whether a card was as quick as it has to be."""
        return self.p95_ms <= ALLOWED_MS


def measure(folder: Path, count: int) -> Iterator[Flooded]:
    """So many cards under each trouble. Raises Otherwise when one does not open."""
    with contextlib.redirect_stdout(io.StringIO()), Stage(folder / "stage") as stage:
        register_card(stage)
        done = [_under(stage, trouble, count) for trouble in TROUBLES]
    yield from done


def _under(stage: Stage, trouble: str, count: int) -> Flooded:
    with TROUBLES[trouble](stage):
        return Flooded(trouble, tuple(_card(stage) for _ in range(count)))


def _card(stage: Stage) -> float:
    time.sleep(APART_S)
    return by_card(stage)


@contextmanager
def _none(stage: Stage) -> Iterator[None]:
    yield


@contextmanager
def _dead(stage: Stage) -> Iterator[None]:
    """Killed, and again as soon as it may have come back."""
    over = threading.Event()

    def kill() -> None:
        while not over.is_set():
            with contextlib.suppress(ProcessLookupError):
                stage.processes.kill_vision()
            over.wait(KILL_EVERY_S)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()
    camera_is_back(stage)


@contextmanager
def _frozen(stage: Stage) -> Iterator[None]:
    pid = stage.processes.vision_pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _before_the_camera(scene: str) -> Callable[[Stage], contextlib.AbstractContextManager[None]]:
    @contextmanager
    def played(stage: Stage) -> Iterator[None]:
        play(stage, scene)
        time.sleep(FELT_S)
        try:
            yield
        finally:
            stage.clear()

    return played


TROUBLES: dict[str, Callable[[Stage], contextlib.AbstractContextManager[None]]] = {
    "none": _none,
    "fifty faces": _before_the_camera("fifty_faces"),
    "strobing codes": _before_the_camera("strobing_codes"),
    "ten codes at once": _before_the_camera("ten_codes"),
    "vision dead": _dead,
    "vision frozen": _frozen,
}


def main(count: int) -> int:
    """Measure, print; 0 when a card was quick enough throughout."""
    with tempfile.TemporaryDirectory() as folder:
        found = list(measure(Path(folder), count))
    print(f"from card to release (ms), {count} cards each; p95 at most {ALLOWED_MS:g}")
    for one in found:
        p50, p95 = spread(list(one.times_ms))
        longest = max(one.times_ms)
        print(f"  {one.trouble:<18} p50 {p50:6.1f}   p95 {p95:6.1f}   longest {longest:6.1f}")
    return 0 if all(one.holds for one in found) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50))
