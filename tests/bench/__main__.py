"""`make bench`: measures, prints a table, writes the same to `build/bench.json`.

One thread wherever a library would take more: what NumPy's is told by the environment has to be
said before it is loaded, hence the imports within. The processes of the rehearsal do not inherit
it: they run as they would on a device. Exit status 0 when everything was measured, also where a
target was missed (1 with --strict); 1 when something could not be measured, or a figure does not
mean what it says; 2 when misused. What changes with this file: docs/measurements.md.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.figures import Result, Sizes
    from tests.bench.report import Report

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
DOCUMENT = ROOT / "docs" / "measurements.md"

GROUPS = ("stages", "search", "audit", "templates", "restart", "walk_up", "card", "idle", "memory")
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    groups = tuple(one for one in GROUPS if not options.only or one in options.only)
    if options.write_docs and (options.quick or options.only):
        parser.error("--write-docs is for a whole run: leave out --quick and --only.")
    with _said_to_use_one_thread():
        importlib.import_module("numpy")
    from tests.bench.figures import NotMeasured

    try:
        report = _measured(groups, options.quick)
        _tell(report, options.json, options.write_docs)
    except NotMeasured as error:
        print(error, file=sys.stderr)
        return 1
    return exit_status(report, options.strict)


def exit_status(report: Report, strict: bool) -> int:
    """1 when a check is broken, and, if `strict`, when a target is missed; otherwise 0."""
    return 1 if report.broken or (strict and report.missed) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure.")
    parser.add_argument("--quick", action="store_true", help="few values: shows that it works")
    parser.add_argument("--only", action="append", choices=GROUPS, help="one group; repeatable")
    parser.add_argument("--strict", action="store_true", help="a missed target is a failure")
    parser.add_argument(
        "--json", type=Path, default=BUILD / "bench.json", metavar="FILE", help="where it goes"
    )
    parser.add_argument(
        "--write-docs", action="store_true", help="put the table into docs/measurements.md"
    )
    return parser


@contextmanager
def _said_to_use_one_thread() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            os.environ.update({} if value is None else {name: value})


def _measured(groups: tuple[str, ...], quick: bool) -> Report:
    from tests.bench import machine
    from tests.bench.figures import FULL, QUICK, Check, Figure
    from tests.bench.report import Report

    BUILD.mkdir(exist_ok=True)
    before = machine.load()
    results = list(_results(groups, QUICK if quick else FULL))
    return Report(
        machine=machine.describe(BUILD),
        before=before,
        after=machine.load(),
        quick=quick,
        groups=groups,
        figures=tuple(one for one in results if isinstance(one, Figure)),
        checks=tuple(one for one in results if isinstance(one, Check)),
    )


def _results(groups: tuple[str, ...], sizes: Sizes) -> Iterator[Result]:
    """On the disk of the checkout: a folder for temporary files may be in memory, never synced."""
    from tests.bench import gallery, log, rehearsal, stages

    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as name:
        folder = Path(name)
        if "stages" in groups:
            yield from _announced("stages", stages.measure(sizes))
        if "search" in groups:
            yield from _announced("search", gallery.search(sizes))
        if "audit" in groups:
            yield from _announced("audit", log.measure(sizes, _made(folder / "log")))
        if "templates" in groups:
            yield from _announced("templates", gallery.templates(sizes, _made(folder / "store")))
        if rehearsed := frozenset(groups) & frozenset(rehearsal.GROUPS):
            words = f"a rehearsal with {', '.join(sorted(rehearsed))}"
            yield from _announced(words, rehearsal.measure(rehearsed, sizes, folder))


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    return folder


def _announced(words: str, results: Iterator[Result]) -> Iterator[Result]:
    """Progress goes to stderr: stdout is for the table."""
    print(f"Measuring {words} ...", file=sys.stderr, flush=True)
    yield from results


def _tell(report: Report, file: Path, write_docs: bool) -> None:
    from tests.bench.report import as_json, as_text, write_into

    print(as_text(report))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(as_json(report), encoding="utf-8")
    if write_docs and not report.broken:  # what does not mean what it says is not published
        write_into(DOCUMENT, report)


if __name__ == "__main__":
    sys.exit(main())
