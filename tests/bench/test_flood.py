"""Cards go on whatever happens before the camera; the whole of it: `make flood`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.flood import ALLOWED_MS, FACES, TROUBLES, Flooded, measure

CARDS = 5


@pytest.mark.slow
@pytest.mark.requirement("T23", "R03", "A8")
def test_a_card_is_quick_while_vision_is_dead_frozen_or_flooded(tmp_path: Path) -> None:
    """Fifty faces need somebody enrolled, and take longer: they are in `make flood` alone."""
    quick = [trouble for trouble in TROUBLES if trouble != FACES]
    found = {one.trouble: one for one in measure(tmp_path, CARDS, quick)}
    assert set(found) == set(quick)
    assert all(len(one.times_ms) == CARDS for one in found.values())
    assert not [one for one in found.values() if not one.holds]


def test_one_that_is_slow_is_told() -> None:
    assert Flooded("x", (10.0,) * 20).holds
    assert not Flooded("x", (10.0,) * 10 + (ALLOWED_MS + 1.0,) * 10).holds
