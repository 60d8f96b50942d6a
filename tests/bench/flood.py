"""From card to release while the camera's side is dead, frozen or flooded (T23): `make flood`.

    python -m tests.bench.flood [cards of each kind]

The three processes are the product's own. Vision is killed each second, or stopped; fifty faces
stand before the camera, or a telephone says another code in every frame. Cards go on meanwhile.
A card sends the face away for a while, so before fifty faces each card waits until they are looked
at again; of each flood it is checked that it arrives.

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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from terminal.demo.stage import Otherwise, Stage
from terminal.demo.story import enrols
from tests.bench.figures import spread
from tests.bench.visits import by_card, camera_is_back, leave, play, register_card

ALLOWED_MS = 300.0
"""At the 95th percentile, throughout."""

KILL_EVERY_S = 1.0
LOOKED_AT = 3
"""So many times the detector has the fifty faces before it between two cards."""

APART_S = 0.1
SHOWN_S = 3.5
"""So long the screen is still about whoever came before."""

FACES = "fifty faces"

Trouble = Callable[[Stage], contextlib.AbstractContextManager[None]]
Arrives = Callable[[Stage, int], None]
"""Waits until what was played after this mark of the feed has arrived. Raises Otherwise."""


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


def measure(folder: Path, count: int, troubles: Sequence[str]) -> list[Flooded]:
    """So many cards under each trouble. Raises Otherwise when one does not open."""
    with contextlib.redirect_stdout(io.StringIO()), Stage(folder / "stage") as stage:
        if FACES in troubles:
            enrols(stage)
            leave(stage)
        else:
            register_card(stage)
        return [_under(stage, trouble, count) for trouble in troubles]


def _under(stage: Stage, trouble: str, count: int) -> Flooded:
    with TROUBLES[trouble](stage):
        return Flooded(trouble, tuple(_card(stage, trouble) for _ in range(count)))


def _card(stage: Stage, trouble: str) -> float:
    if trouble == FACES:
        _wait_until_looked_at(stage)
    time.sleep(APART_S)
    return by_card(stage)


def _wait_until_looked_at(stage: Stage) -> None:
    """Until the detector has the fifty faces before it. Raises Otherwise."""
    before, until_s = _detections(stage), time.monotonic() + 10.0
    while _detections(stage) < before + LOOKED_AT:
        if time.monotonic() > until_s:
            raise Otherwise("the fifty faces are not looked at")
        time.sleep(0.1)


def _detections(stage: Stage) -> int:
    runs = stage.status["times"]["model_runs"]
    return int(runs["detections"]) if runs else 0


def _strobe_arrives(stage: Stage, since: int) -> None:
    stage.expect("record", since, 5.0, "a code arrives", kind="refused", way="qr")


def _ten_arrive(stage: Stage, since: int) -> None:
    stage.expect("screen", since, 5.0, "ten codes arrive", reason="several_codes")


def _faces_arrive(stage: Stage, since: int) -> None:
    _wait_until_looked_at(stage)


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


def _before_the_camera(scene: str, arrives: Arrives) -> Trouble:
    @contextmanager
    def played(stage: Stage) -> Iterator[None]:
        time.sleep(SHOWN_S)
        since = stage.feed.mark
        play(stage, scene)
        try:
            arrives(stage, since)
            yield
        finally:
            stage.clear()

    return played


TROUBLES: dict[str, Trouble] = {
    "none": _none,
    FACES: _before_the_camera("fifty_faces", _faces_arrive),
    "strobing codes": _before_the_camera("strobing_codes", _strobe_arrives),
    "ten codes at once": _before_the_camera("ten_codes", _ten_arrive),
    "vision dead": _dead,
    "vision frozen": _frozen,
}


def main(count: int) -> int:
    """Measure, print; 0 when a card was quick enough throughout."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), count, tuple(TROUBLES))
    print(f"from card to release (ms), {count} cards each; p95 at most {ALLOWED_MS:g}")
    for one in found:
        p50, p95 = spread(list(one.times_ms))
        longest = max(one.times_ms)
        print(f"  {one.trouble:<18} p50 {p50:6.1f}   p95 {p95:6.1f}   longest {longest:6.1f}")
    return 0 if all(one.holds for one in found) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50))
