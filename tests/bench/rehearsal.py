"""Door and vision as two processes, and people at the door: what is felt there, and what it costs.

The stage of the story is used as it is: a fresh terminal in a folder of its own, one resident who
enrols, then walk-ups and cards, one after the other. Times are taken from outside (the relay's own
line, the clock that all processes share) and compared with what the door says of itself. Nothing
here reaches into a process other than through twins, sockets and what Linux tells.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hw.bench_remote import BenchClient
from hw.errors import DeviceError
from terminal.app import BENCH_VISION_SOCKET
from terminal.core.values import Scene
from terminal.demo.feed import Happening
from terminal.demo.stage import CARD, Otherwise, Stage
from terminal.demo.story import enrols
from terminal.errors import TerminalError
from tests.bench import process
from tests.bench.empty_room import WINDOW_S
from tests.bench.figures import (
    Check,
    Figure,
    Judged,
    NotMeasured,
    Result,
    Sizes,
    Target,
    Unit,
    figure,
    spread,
)
from tests.bench.tap import Tap

GROUPS = ("restart", "walk_up", "card", "idle", "memory")
SCENE = "resident_stands_still"
SETTLED_S = 2.4
"""So long after a walk-up the screen is at rest and the next face is a new track."""

QUIET_S = 5.0
"""So long after the last walk-up nothing of it goes on any more."""

AGREE_MS = 5.0
"""The door's own median and the one seen from outside may differ by so much."""

FEW_WALK_UPS = 3
"""So many come before memory and rest are measured, where walk-ups are not measured."""

TRIES = 3
"""A walk-up that ends otherwise (a blink at the wrong moment) is tried again so often."""


@dataclass(slots=True)
class Times:
    """Of walk-ups and cards, in ms; each list has a value a visit."""

    frame_to_strike: list[float] = field(default_factory=list)
    scan_to_strike: list[float] = field(default_factory=list)
    arrival_to_strike: list[float] = field(default_factory=list)
    card_to_strike: list[float] = field(default_factory=list)
    otherwise: int = 0


def measure(groups: frozenset[str], sizes: Sizes, folder: Path) -> Iterator[Result]:
    """The chosen ones of GROUPS, in one rehearsal. Raises NotMeasured."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), Stage(folder / "stage") as stage:
            results = list(_Rehearsal(stage, sizes).results(groups))
    except (Otherwise, TerminalError, DeviceError) as error:
        raise NotMeasured(f"The rehearsal went otherwise: {error}.") from error
    yield from results


class _Rehearsal:
    """One stage, and the visits to it."""

    def __init__(self, stage: Stage, sizes: Sizes) -> None:
        self._stage, self._sizes, self._times = stage, sizes, Times()
        self._seed = 0
        enrols(stage)
        stage.clear()
        self._tap = Tap(stage.folder)
        self._restart_ms = self._restart()
        time.sleep(SETTLED_S)  # vision is new: it has to see the zone empty first
        self._door_pid = process.listener_pid(stage.control)
        self._camera = BenchClient(stage.folder / BENCH_VISION_SOCKET)

    def results(self, groups: frozenset[str]) -> Iterator[Result]:
        """The chosen groups; visits come before rest and memory, which are of a used terminal."""
        if "restart" in groups:
            yield self._restarted()
        if "walk_up" in groups:
            yield from self._walk_ups()
        elif groups & {"idle", "memory"}:
            self._visits(FEW_WALK_UPS)
        if "card" in groups:
            yield from self._cards()
        if "idle" in groups:
            yield from self._idle()
        if "memory" in groups:
            yield from self._memory()

    # kill -9 of vision

    def _restart(self) -> float:
        """Kill vision; how long until faces are looked for again (ms)."""
        stage = self._stage
        stage.wait_for_face()
        since, killed_s = stage.feed.mark, time.monotonic()
        stage.processes.kill_vision()
        stage.expect("record", since, 5.0, "the loss of vision is on record", kind="face_off")
        on = stage.expect("record", since, 20.0, "vision is back", kind="face_on")
        stage.wait_for_face()
        return (on.mono_s - killed_s) * 1e3

    def _restarted(self) -> Figure:
        what = "from kill -9 of vision until faces are looked for again"
        return figure("restart", "vision_back", what, [self._restart_ms], target=Target(3000.0))

    # Walk-ups

    def _walk_ups(self) -> Iterator[Result]:
        self._visits(self._sizes.walk_ups)
        times, door = self._times, self._stage.status["times"]["frame_to_strike"]
        target = Target(250.0, Judged.P95)
        what = "first usable frame to the relay's line (3 frames, audit synced, no dwell)"
        yield figure("walk_up", "frame_to_strike", what, times.frame_to_strike, target=target)
        yield _told("walk_up", "frame_to_strike", door)
        what = "end of the dwell, as the screen tells it, to the relay's line"
        yield figure("walk_up", "scan_to_strike", what, times.scan_to_strike)
        what = "a person appears in the zone to the relay's line (dwell of 0.7 s included)"
        yield figure("walk_up", "arrival_to_strike", what, times.arrival_to_strike)
        yield _agrees("walk-ups", times.frame_to_strike, door)
        refused = f"{times.otherwise} of {len(times.frame_to_strike) + times.otherwise} did not"
        yield Check("every walk-up of the resident opens", times.otherwise == 0, refused)

    def _visits(self, count: int) -> None:
        for _ in range(count):
            self._visit()

    def _visit(self) -> None:
        """One walk-up that opens the door. Raises NotMeasured after TRIES that do not."""
        for _ in range(TRIES):
            if self._walk_up():
                return
            self._times.otherwise += 1
        raise NotMeasured(f"The resident was not let in {TRIES} times in a row.")

    def _walk_up(self) -> bool:
        stage, since = self._stage, self._stage.feed.mark
        probes = len(self._tap.first_frames_s)
        self._seed += 1
        self._camera.play(SCENE, seed=self._seed)
        arrived_s = time.monotonic()  # loading a portrait comes before the scene, in `play`
        strike = stage.feed.wait_for("strike", since, 8.0, active=True)
        self._camera.stop()
        if strike is None:
            time.sleep(SETTLED_S)
            return False
        self._note(strike, since, probes, arrived_s)
        self._go_in(since)
        time.sleep(SETTLED_S)
        return True

    def _note(self, strike: Happening, since: int, probes: int, arrived_s: float) -> None:
        taken = self._tap.first_frames_s[probes:]
        scan = self._stage.feed.wait_for("screen", since, 1.0, scene=Scene.HOLD_STILL.value)
        if len(taken) != 1 or scan is None:
            raise NotMeasured(f"A walk-up opened after {len(taken)} probes instead of one.")
        times = self._times
        times.frame_to_strike.append((strike.mono_s - taken[0]) * 1e3)
        times.scan_to_strike.append((strike.mono_s - scan.mono_s) * 1e3)
        times.arrival_to_strike.append((strike.mono_s - arrived_s) * 1e3)

    def _go_in(self, since: int) -> None:
        """Through the door, which ends the pulse."""
        stage = self._stage
        if not stage.door.push_door():
            raise NotMeasured("The door did not open when it was pushed.")
        stage.door.close_door()
        stage.expect("strike", since, 8.0, "the strike is secure again", active=False)
        stage.expect("record", since, 8.0, "the door is closed again", kind="door_closed")

    # Cards

    def _cards(self) -> Iterator[Result]:
        for _ in range(self._sizes.cards):
            self._tap_card()
        door = self._stage.status["times"]["card_to_strike"]
        what = "card held up to the relay's line (audit synced)"
        yield figure("card", "card_to_strike", what, self._times.card_to_strike)
        yield _told("card", "card_to_strike", door)
        yield _agrees("cards", self._times.card_to_strike, door)

    def _tap_card(self) -> None:
        stage, since = self._stage, self._stage.feed.mark
        held_up_s = time.monotonic()
        stage.tap(CARD)
        strike = stage.expect("strike", since, 5.0, "the card opens", active=True)
        self._times.card_to_strike.append((strike.mono_s - held_up_s) * 1e3)
        self._go_in(since)

    # Rest

    def _idle(self) -> Iterator[Result]:
        stage, windows = self._stage, max(2, round(self._sizes.idle_s / WINDOW_S))
        stage.clear()
        time.sleep(QUIET_S)
        stage.wait_for_face()
        before = stage.status["times"]["model_runs"]
        vision, door = self._used(windows)
        after = stage.status["times"]["model_runs"]
        drawing = _drawing(self._sizes.idle_s)
        drawn = spread(drawing)[0]
        net = [one + other - drawn for one, other in zip(vision, door, strict=True)]
        for name, what, values, target in (
            ("vision", "nobody there: vision, with the bench camera's drawing", vision, None),
            ("drawing", "the bench camera's drawing alone, in a process of its own", drawing, None),
            ("door", "nobody there: door", door, None),
            ("together", "vision and door, without the drawing", net, Target(10.0)),
        ):
            yield figure("idle", name, what, values, Unit.CORE, target)
        ran = {name: after[name] - before[name] for name in after}
        looked = ran["detections"] > 0 and ran["embeddings"] == 0
        says = ", ".join(f"{count} {name}" for name, count in ran.items())
        yield Check("at rest the detector looks, and nothing is embedded", looked, says)

    def _used(self, windows: int) -> tuple[list[float], list[float]]:
        """Shares of a core (%) in each window: vision's and door's."""
        pids = (self._stage.processes.vision_pid, self._door_pid)
        shares: tuple[list[float], list[float]] = ([], [])
        for _ in range(windows):
            began_s, before = time.monotonic(), [process.cpu_s(pid) for pid in pids]
            time.sleep(WINDOW_S)
            took_s = time.monotonic() - began_s
            for share, pid, used_s in zip(shares, pids, before, strict=True):
                share.append(100.0 * (process.cpu_s(pid) - used_s) / took_s)
        return shares

    # Memory

    def _memory(self) -> Iterator[Figure]:
        for name, pid, target in (
            ("vision", self._stage.processes.vision_pid, Target(250.0)),
            ("door", self._door_pid, Target(120.0)),
        ):
            used = process.memory(pid)
            what = f"{name}, resident, after {len(self._times.frame_to_strike)} walk-ups"
            yield figure("memory", f"{name}_rss", what, [used.rss_mb], Unit.MB, target)
            if used.pss_mb is not None:
                what = f"{name}, its fair share of what processes share"
                yield figure("memory", f"{name}_pss", what, [used.pss_mb], Unit.MB)


def _told(group: str, name: str, door: dict[str, float]) -> Figure:
    """What the door's own status says of the same."""
    what = "the same, as the door's own status tells it"
    p50, p95 = door["p50_s"] * 1e3, door["p95_s"] * 1e3
    return Figure(group, f"{name}_told", what, Unit.MS, int(door["n"]), p50, p95)


def _agrees(visits: str, seen_ms: list[float], door: dict[str, float]) -> Check:
    apart_ms = abs(spread(seen_ms)[0] - door["p50_s"] * 1e3)
    holds = apart_ms <= AGREE_MS and int(door["n"]) == len(seen_ms)
    says = f"medians {apart_ms:.2f} ms apart, {int(door['n'])} against {len(seen_ms)} {visits}"
    return Check(f"the door's own times of {visits} are those seen from outside", holds, says)


def _drawing(lasts_s: float) -> list[float]:
    """The bench camera's drawing of nobody, % of a core in each window."""
    command = [sys.executable, "-m", "tests.bench.empty_room", str(lasts_s)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotMeasured(f"The empty lobby could not be drawn: {done.stderr.strip()[-200:]}")
    return [100.0 * share for share in json.loads(done.stdout)]
