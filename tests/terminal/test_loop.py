"""The loop lets in whom it may, in time, and ends secure whatever happens to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from hw.bench import BenchBoard
from hw.ports import Input
from hw.strike import MAX_LEASE_S
from hw.wiring import LineName
from terminal import link
from terminal.arrivals import Arrival, CardRead, ReaderWorks, StopAsked, VisionConnected
from terminal.core.door_state import DoorPhase
from terminal.core.effects import Kind
from terminal.core.events import Event
from terminal.core.policy import HOLD_LEASE_S, SIGN_WAIT_S
from terminal.core.transaction import AccessPhase
from terminal.core.values import NOTHING_ALLOWED, Level, Moment, Permission, View
from terminal.errors import AuditFailed, StoreFailed
from terminal.interpret import CAMERA_CHANGES_S
from terminal.loop import LONGEST_SLEEP_S, Loop
from terminal.requests import Hold, HoldEnd
from tests.terminal.given_bridge import (
    CARD,
    QUICK,
    RESIDENT,
    UNKNOWN_CARD,
    Door,
    alive,
    answer_of,
    door,
    probe_of,
)
from tests.terminal.test_perform import FailingAudit


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Door]:
    with door(tmp_path) as made:
        made.has_resident(face=1)
        made.start()
        yield made


# A day at the door


def test_a_good_card_opens_and_the_strike_is_secured_when_the_door_opens(given: Door) -> None:
    given.taps()
    assert given.strike_is_released()
    assert given.board.push_door()
    given.settles()
    assert not given.strike_is_released()
    given.board.close_door()
    given.settles()
    assert given.kinds()[-3:] == ["granted", "door_opened", "door_closed"]
    assert given.records[-3].person == RESIDENT


def test_a_pulse_that_nobody_uses_ends_after_release_s(given: Door) -> None:
    began_s = given.time()
    given.taps()
    given.waits(QUICK.release_s + 1.0)
    assert given.strikes() == [(began_s, True), (began_s + QUICK.release_s, False)]


def test_an_unknown_card_is_refused_on_record_and_the_strike_does_not_move(given: Door) -> None:
    given.taps(UNKNOWN_CARD)
    assert given.strikes() == []
    entry = given.records[-1]
    assert (entry.kind, entry.person, entry.reason) == ("refused", None, "unknown_card")


def test_the_resident_is_let_in_by_face_once(given: Door) -> None:
    given.scans(track=1)
    given.is_compared(probe_of(1), track=1)
    assert given.strike_is_released()
    entry = next(one for one in given.records if one.kind == "granted")
    assert (entry.person, entry.way) == (RESIDENT, "face")
    given.goes_through()
    given.sees_ready(track=1)
    given.waits(10.0)
    assert len(given.strikes()) == 2, "whoever still stands there is not let in again"


@pytest.mark.requirement("R13")
def test_a_stranger_is_refused(given: Door) -> None:
    given.scans(track=1)
    given.is_compared(probe_of(2), track=1)
    assert given.strikes() == []
    entry = next(one for one in given.records if one.kind == "refused")
    assert (entry.person, entry.reason) == (None, "not_recognised")


@pytest.mark.requirement("D1")
def test_whoever_leaves_within_the_dwell_is_never_permitted_to_be_embedded(given: Door) -> None:
    given.sees_ready()
    given.waits(QUICK.dwell_s - 0.1)
    given.vision_says(link.Zone(View.EMPTY, None, None))
    given.waits(5.0)
    assert {permission.level for permission, _ in given.leases.given} <= {Level.NONE, Level.DETECT}


@pytest.mark.requirement("D1")
def test_a_card_within_the_dwell_ends_the_face_before_any_embedding(given: Door) -> None:
    given.sees_ready()
    given.waits(QUICK.dwell_s - 0.1)
    given.taps()
    given.waits(10.0)
    assert given.strike_is_released() or given.strikes()
    assert Level.EMBED not in {permission.level for permission, _ in given.leases.given}


@pytest.mark.requirement("D10", "T35")
def test_a_decline_takes_the_permission_and_the_light_at_once(given: Door) -> None:
    given.scans()
    given.board.press(Input.KIOSK_BUTTON, 0.1)
    given.settles()
    assert given.leases.last == NOTHING_ALLOWED
    assert given.leases.given[-1][1] <= given.time() + 0.5
    assert not given.sign_is_lit()


@pytest.mark.requirement("D10")
def test_a_lease_is_renewed_before_it_ends_and_never_for_longer_than_half_a_second(
    given: Door,
) -> None:
    given.waits(5.0)
    given_at = [until_s for permission, until_s in given.leases.given if permission.level.value]
    gaps = [later - earlier for earlier, later in pairwise(given_at)]
    assert max(gaps) < 0.5
    assert given_at[-1] <= given.time() + 0.5


@pytest.mark.requirement("R41")
def test_a_door_that_is_forced_is_an_alarm(given: Door) -> None:
    given.board.force_door()
    given.settles()
    assert given.kinds()[-1] == "forced_open"
    assert any(one.tone is not None and one.tone.value == "alarm" for one in given.board.log)


@pytest.mark.requirement("D11", "R03")
def test_with_fewer_than_two_readers_face_is_off_and_the_other_reader_goes_on(
    given: Door,
) -> None:
    given.arrives(ReaderWorks("low", working=False))
    assert given.leases.last == NOTHING_ALLOWED
    assert not given.sign_is_lit()
    given.taps()
    assert given.strike_is_released()
    given.leaves()
    assert not given.sign_is_lit()
    given.arrives(ReaderWorks("low", working=True))
    assert given.sign_is_lit()


def test_when_vision_is_gone_cards_go_on_and_it_comes_back(given: Door) -> None:
    given.scans()
    given.arrives(VisionConnected(False))
    assert not given.sign_is_lit()
    given.taps()
    assert given.strike_is_released()
    given.leaves()
    assert not given.sign_is_lit()
    given.vision_comes()
    assert given.sign_is_lit()
    assert given.leases.last == Permission(Level.DETECT)


def test_without_a_camera_face_is_off(given: Door) -> None:
    given.waits(CAMERA_CHANGES_S)
    given.vision_says(alive(camera_working=False))
    assert given.leases.last == NOTHING_ALLOWED
    given.waits(CAMERA_CHANGES_S)
    given.vision_says(alive())
    assert given.leases.last == Permission(Level.DETECT)


# The sign


@pytest.mark.requirement("D10", "R10")
def test_with_a_broken_sign_permission_is_never_given(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.has_resident()
        made.board.break_sign()
        made.start()
        for track in range(5):
            made.sees_ready(track + 1)
            made.waits(SIGN_WAIT_S)
        assert {permission for permission, _ in made.leases.given} == {NOTHING_ALLOWED}
        made.taps()
        assert made.strike_is_released()


@pytest.mark.requirement("D10")
def test_a_sign_that_breaks_takes_the_permission_at_the_next_renewal(given: Door) -> None:
    given.waits(1.0)
    assert given.leases.last == Permission(Level.DETECT)
    given.board.break_sign()
    broken_s = given.time()
    given.waits(0.5)
    last_s = max(until for permission, until in given.leases.given if permission.level.value)
    assert last_s <= broken_s + 0.5
    assert given.leases.last == NOTHING_ALLOWED


# The rings of the strike


@pytest.mark.requirement("T20")
def test_a_loop_that_hangs_does_not_keep_the_strike_released(tmp_path: Path) -> None:
    """Ring 2, in real time: the loop's thread is stuck and the strike falls back by itself."""
    board, released_s = BenchBoard(), 0.4
    stuck = threading.Event()

    def hang() -> None:
        board.strike.release(released_s)
        stuck.wait(10.0)

    thread = threading.Thread(target=hang, daemon=True)
    began_s = time.monotonic()
    thread.start()
    while not board.levels[LineName.STRIKE]:
        assert time.monotonic() < began_s + 2.0
    while board.levels[LineName.STRIKE]:
        assert time.monotonic() < began_s + released_s + 0.5
        time.sleep(0.005)
    assert thread.is_alive(), "and the loop hangs still"
    stuck.set()
    thread.join(1.0)
    board.close()


@pytest.mark.requirement("T20")
def test_a_loop_that_never_turns_again_leaves_the_strike_to_its_own_timer(given: Door) -> None:
    began_s = given.time()
    given.taps()
    given.time.advance(QUICK.release_s + 0.5)
    assert given.strikes() == [(began_s, True), (began_s + QUICK.release_s, False)]


@pytest.mark.requirement("D15")
def test_a_held_release_is_asserted_again_and_again_until_its_end(given: Door) -> None:
    asked = given.asks(Hold(lasts_s=60.0, why="moving day"))
    assert answer_of(asked) == {"ok": True, "door": "free"}
    began_s = given.time()
    given.waits(59.0)
    assert given.strikes() == [(began_s, True)], "without a gap"
    given.waits(2.0)
    assert given.strikes() == [(began_s, True), (began_s + 60.0, False)]
    started = next(one for one in given.records if one.kind == "hold_started")
    assert (started.by, dict(started.facts)["why"]) == ("operator", "moving day")


@pytest.mark.requirement("D15", "T20")
def test_a_held_release_is_dropped_when_the_loop_stops(given: Door) -> None:
    given.asks(Hold(lasts_s=3600.0, why="moving day"))
    given.waits(30.0)
    assert given.strike_is_released()
    stopped_s = given.time()
    given.time.advance(HOLD_LEASE_S + 0.1)
    assert not given.strike_is_released()
    assert given.strikes()[-1][0] <= stopped_s + MAX_LEASE_S


def test_an_operator_ends_a_held_release(given: Door) -> None:
    given.asks(Hold(lasts_s=3600.0, why="moving day"))
    assert answer_of(given.asks(HoldEnd())) == {"ok": True, "door": "secured"}
    assert not given.strike_is_released()
    assert given.state.door.phase is DoorPhase.SECURED


# How it ends


def run_in(made: Door, *arrivals: Arrival) -> None:
    """Run the loop as the process does, with these arrivals waiting for it."""
    levels = made.board.start(made.inbox.put)
    for arrival in arrivals:
        made.inbox.put(arrival)
    made.inbox.until_s = made.time() + 60.0
    made.loop.run(lambda at: made.started(at, levels), made.changes.free_passage)


def test_a_stop_ends_it_secure_and_without_permission(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.has_resident()
        made.inbox.put(StopAsked())
        run_in(made)
        assert made.supervisor.is_ready
        assert made.supervisor.is_stopping
        assert made.leases.last == NOTHING_ALLOWED
        assert not made.strike_is_released()


def test_the_watchdog_is_petted_after_every_pass(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.has_resident()

        made.time.call_later(10.0, lambda: made.inbox.put(StopAsked()))
        run_in(made, CardRead("door", UNKNOWN_CARD))
        pings = made.supervisor.pings_s
        gaps = [later - earlier for earlier, later in pairwise(pings)]
        assert len(pings) >= 10
        assert max(gaps) <= LONGEST_SLEEP_S


class Breaks:
    """An interpreter that fails at the first card, while the strike is released."""

    def __init__(self, made: Door, error: Exception) -> None:
        self.made, self.error = made, error

    def events(self, arrival: Arrival, at: Moment) -> tuple[Event, ...]:
        self.made.board.strike.release(30.0)
        self.made.leases.permit(Permission(Level.DETECT), at.mono_s + 0.5)
        raise self.error


def broken_loop(made: Door, error: Exception) -> Loop:
    return Loop(
        policy=made.policy,
        clock=made.parts.clock,
        inbox=made.inbox,
        interpreter=Breaks(made, error),
        desk=made.desk,
        performer=made.performer,
        supervisor=made.supervisor,
        metrics=made.metrics,
    )


@pytest.mark.requirement("T20")
def test_an_error_that_nobody_expected_ends_it_with_the_strike_at_rest(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.has_resident()
        made.loop = broken_loop(made, KeyError("nobody expected this"))
        with pytest.raises(KeyError):
            run_in(made, CardRead("door", CARD))
        assert [active for _, active in made.strikes()] == [True, False]
        assert not made.strike_is_released()
        assert made.leases.last == NOTHING_ALLOWED
        assert made.supervisor.is_stopping


@pytest.mark.requirement("T08")
def test_a_log_that_can_not_be_written_ends_it_and_the_strike_never_moves(tmp_path: Path) -> None:
    audit = FailingAudit.open(tmp_path)
    with door(tmp_path, audit=audit) as made:
        made.has_resident()
        made.start()
        audit.fails_at = audit.head[0] + 1  # type: ignore[attr-defined]
        made.inbox.put(CardRead("door", CARD))
        with pytest.raises(AuditFailed):
            made.loop.turn()
        assert made.strikes() == []


@pytest.mark.requirement("T08")
def test_so_does_a_log_on_a_disk_that_is_full(tmp_path: Path) -> None:
    """SQLite itself says so: the file may not grow by one page more."""
    with door(tmp_path) as made:
        made.has_resident()
        made.start()
        connection = vars(vars(made.audit)["_database"])["_connection"]
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(AuditFailed, match="the disk is full"):
            for _ in range(500):
                made.taps()
                made.goes_through()
                made.waits(QUICK.granted_show_s)
        recorded = made.kinds().count(Kind.GRANTED.value)
        moved = sum(1 for _, active in made.strikes() if active)
        assert 3 < moved == recorded, "no release without its record"


def test_a_failed_look_up_is_survived(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.has_resident()
        made.loop = broken_loop(made, StoreFailed("The disk can't be read."))
        made.start(vision=False)
        made.taps()
        assert made.supervisor.is_stopping is False
        assert made.state.access.phase is AccessPhase.IDLE


@pytest.mark.requirement("D10")
def test_only_the_press_itself_gives_permissions_back_to_the_core(given: Door) -> None:
    before = given.leases.resumed
    given.board.set_input(Input.DOOR_CONTACT, active=True)
    given.settles()
    assert given.leases.resumed == before
    given.presses()
    assert given.leases.resumed == before + 1
