"""`make fuzz`: tries millions of payloads on all cores, and goes on where it was stopped.

Every piece of work is a seed; which ones are done stands in build/fuzz/passes.json with the counts.
Once what is tested has changed, old counts say nothing and are dropped. Exit status 0: no opening,
nothing uncaught; 1: there was one; 2: misused.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.trials import OPENING, UNCAUGHT, Tally, run

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / "build" / "fuzz" / "passes.json"
TRIALS = 10_000_000
PIECE = 20_000
TESTED = (
    "terminal/passes/base45.py",
    "terminal/passes/rotation.py",
    "terminal/passes/token.py",
    "terminal/reading.py",
    "terminal/signing.py",
    "tests/fuzz/payloads.py",
    "tests/fuzz/trials.py",
)


@dataclass
class Progress:
    """What was tried so far, of what code."""

    code: str
    done: set[int] = field(default_factory=set)
    tally: Tally = field(default_factory=Tally)

    def save(self, path: Path) -> None:
        """Whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        told = {
            "code": self.code,
            "done": sorted(self.done),
            "outcomes": self.tally.outcomes,
            "findings": self.tally.findings,
        }
        fresh.write_text(json.dumps(told), encoding="utf-8")
        fresh.replace(path)


def load(path: Path, code: str) -> Progress:
    """What was saved, if it is of this code; else nothing yet."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["code"] != code:
            return Progress(code)
        tally = Tally(Counter(told["outcomes"]), list(told["findings"]))
        return Progress(code, set(told["done"]), tally)
    except (OSError, ValueError, KeyError, TypeError):
        return Progress(code)


def code_digest(root: Path = ROOT) -> str:
    """SHA-256 over the files whose tests these are."""
    digest = hashlib.sha256()
    for name in TESTED:
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def table(tally: Tally) -> str:
    """The counts for a person, and what they say about the chance of an opening."""
    found = {name: _count(tally, name) for name in (OPENING, UNCAUGHT)}
    lines = [f"{count:12,}  {name}" for name, count in sorted(tally.outcomes.items())]
    lines += [
        "",
        f"{tally.trials:12,}  trials",
        f"{found[OPENING]:12,}  openings",
        f"{found[UNCAUGHT]:12,}  uncaught exceptions",
    ]
    if tally.trials and not any(found.values()):
        lines.append(f"{3 / tally.trials:12.1e}  95 % upper bound for each (rule of three)")
    return "\n".join([*lines, *tally.findings])


def failed(tally: Tally) -> bool:
    """Whether there is a finding, or nothing was ever taken, which would show nothing."""
    taken = _count(tally, "taken")
    return bool(_count(tally, OPENING) or _count(tally, UNCAUGHT)) or not taken


def fuzz(trials: int, workers: int, state: Path = STATE, piece: int = PIECE) -> Tally:
    """Do what is missing of so many trials, saving after each piece."""
    progress = load(state, f"{code_digest()} {piece}")
    wanted = ((seed, piece) for seed in range(-(-trials // piece)))
    missing = [work for work in wanted if work[0] not in progress.done]
    begun_s = time.monotonic()
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        for count, (seed, tally) in enumerate(pool.imap_unordered(_done, missing), 1):
            progress.done.add(seed)
            progress.tally.add(tally)
            progress.save(state)
            _tell(progress.tally.trials, count * piece / (time.monotonic() - begun_s), trials)
    return progress.tally


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the passes.")
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    if options.trials < 1 or options.workers < 1:
        parser.error("There is at least one trial, and one worker.")
    try:
        tally = fuzz(options.trials, options.workers)
    except KeyboardInterrupt:
        print("\nStopped; the same command goes on from here.", file=sys.stderr)
        return 1
    print(table(tally))
    return 1 if failed(tally) else 0


def _count(tally: Tally, name: str) -> int:
    return sum(count for outcome, count in tally.outcomes.items() if outcome.startswith(name))


def _done(work: tuple[int, int]) -> tuple[int, Tally]:
    seed, trials = work
    return seed, run(seed, trials)


def _tell(trials: int, rate: float, wanted: int) -> None:
    left_s = max(0, wanted - trials) / rate
    print(f"{trials:,} of {wanted:,}, {rate:,.0f}/s, {left_s / 60:.0f} min left", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
