"""Write constraints/pythonX.Y.txt: every package, exact, with the hashes of its files.

Run with the Python to be locked (`make lock PYTHON=python3.13`); only the standard library is
needed. pip resolves what setup.cfg and pyproject.toml ask for under constraints/pythonX.Y.in, from
whatever index it is set up to use, and wheels alone are accepted, for x86-64 and for aarch64: a
package without a wheel for the board stops the lock, so nothing is ever compiled on a terminal.
Only the hash of the one wheel that pip takes on each platform is written; another machine would
be refused by its hash rather than be given something that nobody looked at.

With --check-wheels no file is written: the existing lock is looked up for aarch64 and the wheel of
each compiled package is listed.
"""

from __future__ import annotations

import argparse
import configparser
import json
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = ("dev",)
# Newest first. Raspberry Pi OS Bookworm has glibc 2.36, the oldest system that is supported.
GLIBC_TAGS = (*(f"manylinux_2_{minor}" for minor in range(36, 16, -1)), "manylinux2014")
MACHINES = ("x86_64", "aarch64")


class LockError(Exception):
    """The lock can't be made or is not whole; the message is a sentence for a person."""


@dataclass(frozen=True)
class Pin:
    """One file of one package, as an index offers it."""

    name: str
    version: str
    file: str
    sha256: str


def wanted_packages(setup_cfg: Path, pyproject: Path) -> list[str]:
    """Requirement lines of the project, its EXTRAS and its build system."""
    config = configparser.ConfigParser()
    config.read(setup_cfg, encoding="utf-8")
    blocks = [config["options"]["install_requires"]]
    blocks += [config["options.extras_require"][extra] for extra in EXTRAS]
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    build_system = tomllib.loads(pyproject.read_text(encoding="utf-8"))["build-system"]
    return [line for line in lines if line] + list(build_system["requires"])


def pins_of_report(report: Mapping[str, object]) -> list[Pin]:
    """The pins in pip's installation report (its format is version 1), sorted by name."""
    entries = report["install"]
    if not isinstance(entries, list):
        raise LockError("pip's report has an unknown form: its 'install' is no list.")
    return sorted((_pin_of_entry(entry) for entry in entries), key=lambda pin: pin.name)


def _pin_of_entry(entry: Mapping[str, Mapping[str, object]]) -> Pin:
    metadata, download = entry["metadata"], entry["download_info"]
    archive = download["archive_info"]
    if not isinstance(archive, dict) or "sha256" not in archive.get("hashes", {}):
        raise LockError(f"The index gave no sha256 for {metadata['name']}: take another index.")
    return Pin(
        name=str(metadata["name"]).lower().replace("_", "-").replace(".", "-"),
        version=str(metadata["version"]),
        file=str(download["url"]).rsplit("/", 1)[-1],
        sha256=str(archive["hashes"]["sha256"]),
    )


def lock_text(python: str, pins_by_machine: Mapping[str, Sequence[Pin]]) -> str:
    """The text of the lock: one package a line, with the hashes of its files after it."""
    hashes: dict[tuple[str, str], list[str]] = {}
    for pins in pins_by_machine.values():
        for pin in pins:
            known = hashes.setdefault((pin.name, pin.version), [])
            if pin.sha256 not in known:
                known.append(pin.sha256)
    lines = [
        f"# Python {python} on Linux, x86-64 and aarch64: written by `make lock`, not by hand.",
        f"# The bounds it was made under are in setup.cfg and constraints/python{python}.in.",
    ]
    for (name, version), digests in sorted(hashes.items()):
        joined = " \\\n".join(f"    --hash=sha256:{digest}" for digest in sorted(digests))
        lines.append(f"{name}=={version} \\\n{joined}")
    return "\n".join(lines) + "\n"


def require_same_versions(pins_by_machine: Mapping[str, Sequence[Pin]]) -> None:
    """Raise LockError where one platform would get another version than the other."""
    versions = [{(pin.name, pin.version) for pin in pins} for pins in pins_by_machine.values()]
    everywhere = versions[0].intersection(*versions[1:])
    for name, version in sorted(versions[0].union(*versions[1:]) - everywhere):
        raise LockError(f"{name} {version} has no wheel for every one of {', '.join(MACHINES)}.")


class Pip:
    """A fresh pip of the running Python, which only ever resolves and never installs."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True, clear=True)
        self._command = [str(folder / "bin" / "python"), "-m", "pip"]

    def resolve(self, machine: str, arguments: Sequence[str]) -> list[Pin]:
        """What pip would install on `machine`; raises LockError with pip's own last words."""
        platforms = [word for tag in GLIBC_TAGS for word in ("--platform", f"{tag}_{machine}")]
        command = [
            *self._command,
            *("install", "--dry-run", "--ignore-installed", "--quiet", "--no-input"),
            *("--disable-pip-version-check", "--report", "-", "--target", "nowhere"),
            *("--only-binary", ":all:", *platforms, *arguments),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LockError(f"pip found no set of packages for {machine}: {done.stderr.strip()}")
        return pins_of_report(json.loads(done.stdout))


def make_lock(python: str, pip: Pip) -> str:
    """The lock's text for the running Python `python` ("3.11"); needs a package index."""
    bounds = ROOT / "constraints" / f"python{python}.in"
    if not bounds.is_file():
        raise LockError(f"There is no {bounds.name}: write one with the bounds of that system.")
    wanted = wanted_packages(ROOT / "setup.cfg", ROOT / "pyproject.toml")
    first = pip.resolve(MACHINES[0], ["-c", str(bounds), *wanted])
    exact = [f"{pin.name}=={pin.version}" for pin in first]
    pins = {MACHINES[0]: first}
    pins |= {machine: pip.resolve(machine, ["--no-deps", *exact]) for machine in MACHINES[1:]}
    require_same_versions(pins)
    return lock_text(python, pins)


def board_wheels(lock: Path, pip: Pip) -> Iterator[str]:
    """The wheels that a board takes for the compiled packages of `lock`, checked by their hash."""
    pins = pip.resolve("aarch64", ["--no-deps", "--require-hashes", "-r", str(lock)])
    yield from (pin.file for pin in pins if not pin.file.endswith("-none-any.whl"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the lock, or with --check-wheels list what a board would install."""
    parser = argparse.ArgumentParser(prog="lock", description=__doc__.splitlines()[0])
    parser.add_argument("--check-wheels", action="store_true", help="look up, write nothing")
    chosen = parser.parse_args(arguments)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    lock = ROOT / "constraints" / f"python{python}.txt"
    try:
        with tempfile.TemporaryDirectory() as folder:
            pip = Pip(Path(folder))
            if chosen.check_wheels:
                print("\n".join(board_wheels(lock, pip)))
            else:
                lock.write_text(make_lock(python, pip), encoding="utf-8")
                print(f"Wrote {lock.relative_to(ROOT)}.")
    except LockError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
