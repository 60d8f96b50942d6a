"""After a decline no face model begins, whatever vision and door were doing at that moment.

D10 allows 100 ms for it; in our own time, in which only models take any, it is none at all.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from terminal import link
from terminal.core.effects import Kind
from terminal.core.transaction import AccessPhase
from terminal.core.values import NOTHING_ALLOWED, Level, Pose
from tests.terminal.decline_moments import decline_at_random
from tests.terminal.given_bridge import QUICK, Bench, Door, bench, door, probe_of
from tests.terminal.given_visits import WAYS, Visit

SEED = 20301
PART = 600
"""So many of the declines of `make decline`."""


def hold_permission(vision: Bench, level: Level, track: int | None, pose: Pose | None) -> None:
    """Renew the lease every 0.2 s, as the door does, until `let_go` is set."""

    def renew() -> None:
        if not stopped:
            vision.permits(level, track, pose)
            vision.time.call_later(0.2, renew)

    stopped: list[bool] = []
    vision.faces.after["stop"] = lambda: stopped.append(True)
    renew()


@pytest.mark.requirement("T35", "A26", "D10")
@pytest.mark.parametrize("level", [Level.DETECT, Level.EMBED, Level.ENROL])
def test_no_model_begins_after_a_thousand_random_moments_of_revoking(level: Level) -> None:
    """Every model takes its time, so most moments fall into the middle of one."""
    moments, ran = random.Random(SEED), 0
    with bench(frames=50) as vision:
        for _ in range(334):
            pose = Pose.STRAIGHT if level is Level.ENROL else None
            track = vision.stands_there()
            hold_permission(vision, level, track, pose)
            revoked: list[float] = []

            def revoke(revoked: list[float] = revoked) -> None:
                vision.faces.after["stop"]()
                vision.permits(Level.NONE)
                revoked.append(vision.time())

            vision.time.call_later(moments.uniform(0.001, 0.3), revoke)
            before = len(vision.faces.calls)
            while not revoked:
                vision.turns()
            vision.turns(8)
            late = [at_s for at_s, _ in vision.faces.calls if at_s > revoked[0]]
            assert not late, f"a model began {late[0] - revoked[0]:.3f} s after it was revoked"
            ran += len(vision.faces.calls) - before
            vision.heard()
    assert ran > 334, "models were running until then"


@pytest.mark.requirement("D10", "A26")
def test_a_door_that_dies_revokes_by_itself() -> None:
    """No word comes any more: the last lease runs out, at most half a second later."""
    moments = random.Random(SEED + 1)
    with bench(frames=50) as vision:
        for _ in range(100):
            track = vision.stands_there()
            hold_permission(vision, Level.EMBED, track, None)
            died: list[float] = []

            def die(died: list[float] = died) -> None:
                vision.faces.after["stop"]()
                died.append(vision.time())

            vision.time.call_later(moments.uniform(0.001, 0.3), die)
            while not died:
                vision.turns()
            vision.turns(40)
            assert max(at_s for at_s, _ in vision.faces.calls) <= died[0] + 0.5
            vision.heard()


# With the door


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Visit]:
    made = Visit(tmp_path)
    yield made
    made.close()


def test_door_and_vision_together_let_the_resident_in(visit: Visit) -> None:
    """The declines below would mean nothing if nobody were ever let in."""
    visit.looks_for(2.0)
    assert visit.door.strike_is_released()
    assert Kind.GRANTED.value in visit.door.kinds()
    assert visit.bench.faces.count("embed") == 3


def is_declined(made: Door) -> bool:
    return made.state.access.phase is AccessPhase.DECLINED


@pytest.mark.slow
@pytest.mark.requirement("T35", "A26", "D10", "R17")
def test_declining_at_any_moment_ends_all_models_and_darkens_the_sign(tmp_path: Path) -> None:
    """In the dwell, in the scan, in the middle of each model; the whole of it: `make decline`."""
    tally = decline_at_random(tmp_path, PART)
    assert not tally.late, "no model began after it"
    assert (tally.still_permitted, tally.sign_lit, tally.frame_left) == (0, 0, 0)
    assert tally.declines.total() == PART
    assert min(tally.declines[way] for way in WAYS) > PART / 12
    assert tally.in_scan > PART / 8


@pytest.mark.requirement("T35", "A26")
def test_a_probe_that_was_on_its_way_when_somebody_declined_is_not_compared(
    tmp_path: Path,
) -> None:
    with door(tmp_path) as made:
        made.has_resident(face=1)
        made.start()
        made.scans(track=1)
        made.presses()
        made.is_compared(probe_of(1), track=1)
        assert made.strikes() == []
        assert Kind.GRANTED.value not in made.kinds()
        assert made.kinds().count(Kind.REFUSED.value) == 0


@pytest.mark.requirement("D12", "R12")
def test_after_a_decline_a_card_opens_at_once_and_nothing_is_asked_again(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.has_resident()
        made.start()
        made.sees_ready()
        made.presses(for_s=0.05)
        pressed_s = made.time()
        made.taps()
        assert made.strike_is_released()
        assert made.strikes()[-1][0] == pressed_s
        assert made.leases.last == NOTHING_ALLOWED


@pytest.mark.requirement("D9")
def test_a_decline_ends_when_everybody_has_left_and_by_itself_at_the_latest(
    tmp_path: Path,
) -> None:
    with door(tmp_path) as made:
        made.has_resident()
        made.start()
        made.vision_says(link.Present(present=True))
        made.sees_ready()
        made.presses()
        made.waits(QUICK.decline_max_s - 5.0)
        assert is_declined(made)
        made.waits(5.0)
        assert not is_declined(made)
        made.sees_ready(track=2)
        made.presses()
        made.vision_says(link.Present(present=False))
        assert is_declined(made)
        made.waits(QUICK.decline_clear_s)
        assert not is_declined(made)


@pytest.mark.requirement("D9", "R12")
def test_whoever_declines_and_stays_is_not_scanned_when_the_decline_ends(visit: Visit) -> None:
    """The last end of a decline is idle, never a scan of whoever still stands there."""
    visit.looks_for(0.3)
    visit.declines_in(0.0, "button")
    visit.looks_for(0.2)
    before = visit.bench.faces.count("embed")
    while is_declined(visit.door):
        visit.looks()
    visit.looks_for(20.0)
    assert visit.bench.faces.count("embed") == before
    assert visit.door.strikes() == []
    visit.leaves_and_comes_back()
    visit.looks_for(2.0)
    assert visit.door.strike_is_released(), "somebody who has left and come back is let in"
