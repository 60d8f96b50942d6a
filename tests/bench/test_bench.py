"""The bench runs, says what it measured, and does not call a missed target met."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench import machine
from tests.bench.__main__ import exit_status
from tests.bench.figures import (
    Check,
    Figure,
    Judged,
    NotMeasured,
    Target,
    Unit,
    Verdict,
    figure,
    spread,
)
from tests.bench.report import BEGIN, END, Report, as_json, as_text, write_into

ROOT = Path(__file__).resolve().parents[2]
FIGURE_KEYS = {"group", "name", "what", "unit", "n", "p50", "p95", "target", "judged_by", "verdict"}


def a_report(*figures: Figure, checks: tuple[Check, ...] = ()) -> Report:
    load = machine.Load(tasks=0.5, ticks=100, stolen_ticks=1)
    later = machine.Load(tasks=1.5, ticks=300, stolen_ticks=3)
    return Report(machine.describe(ROOT), load, later, False, ("search",), figures, checks)


def a_figure(p50: float, p95: float, target: Target | None) -> Figure:
    return Figure("search", "fused", "one probe", Unit.MS, 20, p50, p95, target)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A quick run of what is cheap, as a program."""
    file = tmp_path_factory.mktemp("bench") / "bench.json"
    words = ["--quick", "--only", "search", "--only", "stages", "--json", str(file)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {"json": document, "text": done.stdout}


def test_a_run_writes_figures_in_the_documented_shape(ran: dict[str, Any]) -> None:
    document = ran["json"]
    assert document["schema"] == 1
    assert document["quick"] is True
    assert document["groups"] == ["stages", "search"]
    assert set(document["load"]) == {"tasks_before", "tasks_after", "stolen_share"}
    assert all(set(one) == FIGURE_KEYS for one in document["figures"])
    assert all(0 < one["p50"] <= one["p95"] and one["n"] >= 2 for one in document["figures"])
    assert all(one["holds"] for one in document["checks"])


def test_every_key_of_the_json_is_documented(ran: dict[str, Any]) -> None:
    text = (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
    keys = {*ran["json"], *ran["json"]["machine"], *ran["json"]["load"], *FIGURE_KEYS}
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []


def test_the_table_has_every_figure_and_the_machine(ran: dict[str, Any]) -> None:
    for one in ran["json"]["figures"]:
        assert f"{one['group']}.{one['name']}" in ran["text"]
    assert ran["json"]["machine"]["processor"] in ran["text"]
    assert "QUICK" in ran["text"]


def test_the_targets_of_the_stages_are_there(ran: dict[str, Any]) -> None:
    targets = {one["name"]: one["target"] for one in ran["json"]["figures"]}
    assert (targets["detector"], targets["whole_int8"], targets["fused"]) == (4.0, 25.0, 5.0)


def test_a_missed_target_is_said_as_missed() -> None:
    report = a_report(a_figure(9.0, 12.0, Target(5.0)))
    assert report.figures[0].verdict is Verdict.MISSED
    assert "MISSED  one probe" in as_text(report)
    assert "No target is missed." not in as_text(report)
    assert json.loads(as_json(report))["figures"][0]["verdict"] == "missed"


def test_a_target_of_the_95th_percentile_is_not_met_by_the_median() -> None:
    assert a_figure(1.0, 9.0, Target(5.0, Judged.P95)).verdict is Verdict.MISSED
    assert a_figure(1.0, 9.0, Target(5.0)).verdict is Verdict.MET
    assert a_figure(1.0, 9.0, None).verdict is Verdict.NO_TARGET


def test_a_broken_check_is_said() -> None:
    report = a_report(checks=(Check("the log lies on a disk", False, "tmpfs"),))
    assert report.broken
    assert "BROKEN  the log lies on a disk: tmpfs" in as_text(report)


def test_a_missed_target_fails_when_strict_and_a_broken_check_always() -> None:
    missed = a_report(a_figure(9.0, 12.0, Target(5.0)))
    broken = a_report(checks=(Check("the log lies on a disk", False, "tmpfs"),))
    assert [exit_status(missed, strict) for strict in (False, True)] == [0, 1]
    assert [exit_status(broken, strict) for strict in (False, True)] == [1, 1]
    assert exit_status(a_report(a_figure(1.0, 2.0, Target(5.0))), strict=True) == 0


def test_no_values_are_no_figure() -> None:
    with pytest.raises(NotMeasured):
        figure("search", "fused", "one probe", [])
    with pytest.raises(NotMeasured):
        figure("search", "fused", "one probe", [1.0, float("nan")])


def test_the_spread_is_median_and_95th_percentile() -> None:
    assert spread([float(value) for value in range(101)]) == (50.0, 95.0)
    assert spread([7.0]) == (7.0, 7.0)


def test_the_table_goes_between_the_markers_alone(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_into(document, a_report(a_figure(1.0, 2.0, Target(5.0))))
    text = document.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("\nafter\n")
    assert "old" not in text and "| search.fused | one probe | 20 | 1 | 2 | ms |" in text


def test_a_page_without_markers_is_refused(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(NotMeasured, match="lost the lines"):
        write_into(document, a_report())


def test_docs_are_written_by_whole_runs_alone() -> None:
    words = ["--quick", "--write-docs"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "whole run" in done.stderr
