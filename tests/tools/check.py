"""`make check`: every look at the repository that needs no running program, one after the other.

All of them run even if the first one fails, so that one call shows everything there is to mend; the
last lines say which failed and how long each took. It changes no file.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_LINT_IMPORTS = "from importlinter.cli import lint_imports_command as run; run()"


@dataclass(frozen=True)
class Look:
    """One tool: its name for a person and the words after the Python interpreter."""

    name: str
    words: tuple[str, ...]


LOOKS = (
    Look("format", ("-m", "ruff", "format", "--check", "--quiet", ".")),
    Look("lint", ("-m", "ruff", "check", "--quiet", ".")),
    Look("types", ("-m", "mypy", "--config-file", "setup.cfg")),
    Look("imports", ("-c", _LINT_IMPORTS, "--config", "setup.cfg", "--no-cache")),
    Look("rules", ("-m", "tests.tools.rules")),
    Look("docs", ("-m", "tests.tools.check_docs")),
    Look("schema", ("-m", "tests.tools.draw_schema", "--check")),
    Look("states", ("-m", "tests.tools.draw_states", "--check")),
)


def run(look: Look) -> tuple[bool, float]:
    """Whether the tool found nothing, and how many seconds it took; it prints for itself."""
    print(f"== {look.name}", flush=True)
    start_s = time.monotonic()
    done = subprocess.run([sys.executable, *look.words], cwd=ROOT, check=False)
    return done.returncode == 0, time.monotonic() - start_s


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all looks, or those that are named; 1 if one of them found something."""
    names = set(sys.argv[1:] if arguments is None else arguments)
    if unknown := names - {look.name for look in LOOKS}:
        print(f"There is no check called {', '.join(sorted(unknown))}.", file=sys.stderr)
        return 2
    chosen = [look for look in LOOKS if not names or look.name in names]
    results = [(look, *run(look)) for look in chosen]
    print("== result")
    for look, passed, took_s in results:
        print(f"{'ok    ' if passed else 'FAILED'}  {look.name:8} {took_s:5.1f} s")
    return 0 if all(passed for _, passed, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
