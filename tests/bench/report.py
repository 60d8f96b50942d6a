"""Figures as a table for a person, as JSON for a program, and as Markdown for the document.

The three say the same. What changes with this file: docs/measurements.md, `build/bench.json`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.figures import Check, Figure, NotMeasured, Verdict
from tests.bench.machine import Load, Machine, stolen_share

SCHEMA = 1
BEGIN, END = "<!-- figures: begin (make bench) -->", "<!-- figures: end -->"

HEAD = ("figure", "what", "n", "p50", "p95", "unit", "target", "verdict")


@dataclass(frozen=True, slots=True)
class Report:
    """One run."""

    machine: Machine
    before: Load
    after: Load
    quick: bool
    groups: tuple[str, ...]
    figures: tuple[Figure, ...]
    checks: tuple[Check, ...]

    @property
    def missed(self) -> tuple[Figure, ...]:
        """The figures that miss their target."""
        return tuple(one for one in self.figures if one.verdict is Verdict.MISSED)

    @property
    def broken(self) -> tuple[Check, ...]:
        """The checks that do not hold."""
        return tuple(one for one in self.checks if not one.holds)


def as_json(report: Report) -> str:
    """The report as `build/bench.json` has it; docs/measurements.md describes each key."""
    document = {
        "schema": SCHEMA,
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": report.quick,
        "groups": list(report.groups),
        "machine": asdict(report.machine),
        "load": _load(report),
        "figures": [_figure(one) for one in report.figures],
        "checks": [asdict(one) for one in report.checks],
    }
    return json.dumps(document, indent=1) + "\n"


def _load(report: Report) -> dict[str, float]:
    return {
        "tasks_before": round(report.before.tasks, 2),
        "tasks_after": round(report.after.tasks, 2),
        "stolen_share": round(stolen_share(report.before, report.after), 4),
    }


def _figure(one: Figure) -> dict[str, Any]:
    target = one.target
    return {
        "group": one.group,
        "name": one.name,
        "what": one.what,
        "unit": one.unit.value,
        "n": one.n,
        "p50": round(one.p50, 4),
        "p95": round(one.p95, 4),
        "target": target and target.at_most,
        "judged_by": target and target.judged.value,
        "verdict": None if one.verdict is Verdict.NO_TARGET else one.verdict.value.lower(),
    }


def as_text(report: Report) -> str:
    """The report for a terminal."""
    table = [HEAD, *_rows(report.figures)]
    widths = [max(len(row[column]) for row in table) for column in range(len(HEAD))]
    lines = [_line(row, widths) for row in table]
    ends = [
        f"{'holds ' if one.holds else 'BROKEN'}  {one.what}: {one.says}" for one in report.checks
    ]
    ends += [f"MISSED  {one.what}" for one in report.missed]
    if not report.missed and report.figures:
        ends.append("No target is missed.")
    return "\n".join([*described(report), "", *lines, "", *ends])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if HEAD[column] in ("n", "p50", "p95") else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def described(report: Report) -> list[str]:
    """The machine, and how busy it was, in lines."""
    machine, load = report.machine, _load(report)
    speed = f"{machine.ghz:g} GHz" if machine.ghz else "GHz unknown"
    kind = "virtual machine" if machine.is_virtual else "no virtual machine"
    return [
        f"{machine.processor}, {machine.cores} cores, {speed}, {kind}, "
        f"{machine.memory_mb:,} MB, {machine.file_system}",
        f"Linux {machine.kernel} {machine.architecture}, Python {machine.python}, "
        f"NumPy {machine.numpy}, OpenCV {machine.opencv}, {machine.runtime}",
        f"load average {load['tasks_before']:g} before and {load['tasks_after']:g} after, "
        f"{load['stolen_share']:.1%} of the time stolen by the host"
        + (" (QUICK: too few values for a figure)" if report.quick else ""),
    ]


def _rows(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    return [
        (
            f"{one.group}.{one.name}",
            one.what,
            str(one.n),
            _number(one.p50),
            _number(one.p95),
            one.unit.value,
            f"{one.target.judged.value} <= {one.target.at_most:g}" if one.target else "",
            one.verdict.value,
        )
        for one in figures
    ]


def _number(value: float) -> str:
    """Three places that count are enough."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def as_markdown(report: Report) -> str:
    """The machine and the table for the document."""
    rows = ["| " + " | ".join(row) + " |" for row in (HEAD, ("---",) * 8, *_rows(report.figures))]
    checks = [
        f"- {'Holds' if one.holds else '**Broken**'}: {one.what}: {one.says}."
        for one in report.checks
    ]
    machine = [f"- {line}." for line in described(report)]
    return "\n".join([*machine, "", *rows, "", *checks])


def write_into(document: Path, report: Report) -> None:
    """Put the table between the markers of `document`. Raises NotMeasured when they are gone."""
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise NotMeasured(f"{document} has lost the lines {BEGIN} and {END}; put them back.")
    new = f"{before}{BEGIN}\n\n{as_markdown(report)}\n\n{END}{after}"
    document.write_text(new, encoding="utf-8")
