"""What a step asks for is done in its order, and nothing before its record is durable."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from hw.bench import LineChange
from hw.errors import DeviceError
from hw.wiring import LineName
from terminal.audit import Audit
from terminal.core.effects import (
    BindCard,
    CheckPin,
    Effect,
    HoldStrike,
    Kind,
    LightSign,
    Permit,
    Record,
    RegisterPerson,
    ReleaseStrike,
    SecureStrike,
    Show,
)
from terminal.core.events import PinChecked
from terminal.core.values import (
    NOTHING_ALLOWED,
    Level,
    Permission,
    Scene,
    Screen,
    TrackId,
    Way,
)
from terminal.errors import AuditFailed
from terminal.link import Alive
from terminal.metrics import Metrics
from terminal.parity import Spread, spread
from terminal.schema import AUDIT, open_database
from tests.terminal.given_bridge import (
    CARD,
    NEIGHBOUR,
    RESIDENT,
    UNKNOWN_CARD,
    Door,
    door,
    probe_of,
)

Trace = list[str]


class TracedAudit(Audit):
    """The real log, on a connection that tells each commit as SQLite makes it."""

    @classmethod
    def traced(cls, folder: Path, trace: Trace) -> TracedAudit:
        database = open_database(folder, AUDIT, AuditFailed)
        connection: sqlite3.Connection = vars(database)["_connection"]
        connection.set_trace_callback(lambda text: trace.append(text) if text == "COMMIT" else None)
        return cls(database)


class FailingAudit(Audit):
    """A log whose disk is full from record `fails_at` on."""

    fails_at = 10**9

    def append(self, records: Sequence[Record]) -> None:
        if self.head[0] + len(records) >= self.fails_at:
            raise AuditFailed("The disk is full; free some space.")
        super().append(records)


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Door]:
    with door(tmp_path) as made:
        made.has_resident(face=1)
        yield made


def record(given: Door, kind: Kind = Kind.GRANTED) -> Record:
    return Record(kind, given.parts.clock.now(), person=RESIDENT, way=Way.CARD)


def traced_door(folder: Path) -> tuple[Door, Trace]:
    trace: Trace = []
    made = Door(folder, audit=TracedAudit.traced(folder, trace))

    def note(change: LineChange) -> None:
        if change.line is LineName.STRIKE and change.active:
            trace.append("strike")

    made.board.subscribe(note)
    return made, trace


@pytest.mark.requirement("T08")
def test_in_every_grant_the_record_is_committed_before_the_strike_moves(tmp_path: Path) -> None:
    """520 grants, by card and by face, in random order, each followed by somebody going through.

    SQLite itself tells of each commit; with synchronous=FULL a commit is on the disk when it
    returns (tests of the schema), and each strike must have one of its own before it.
    """
    made, trace = traced_door(tmp_path)
    made.has_resident(face=1)
    made.start()
    choice, track = random.Random(8), 0
    for _ in range(520):
        del trace[:]
        granted = made.audit.head[0]
        if choice.random() < 0.3:
            track += 1
            made.scans(track)
            del trace[:]
            made.is_compared(probe_of(1), track)
        else:
            made.taps()
        assert trace[:2] == ["COMMIT", "strike"]
        kinds = [entry.kind for entry in made.audit.follow(granted)]
        assert Kind.GRANTED.value in kinds
        made.leaves()
    assert made.kinds().count(Kind.GRANTED.value) == 520
    assert sum(1 for _, active in made.strikes() if active) == 520
    assert track > 100
    made.close()


@pytest.mark.requirement("T08")
def test_the_file_on_the_disk_has_the_record_at_the_moment_the_strike_moves(
    tmp_path: Path,
) -> None:
    """Read by another connection, as after a power cut, while the strike is being energised."""
    seen: list[str] = []
    with door(tmp_path) as made:
        made.has_resident()
        made.start()

        def look(change: LineChange) -> None:
            if change.line is LineName.STRIKE and change.active:
                other = Audit.read(tmp_path)
                seen.append(other.tail(1)[0].kind)
                other.close()

        made.board.subscribe(look)
        made.taps()
    assert seen == [Kind.GRANTED.value]


def test_the_log_really_syncs_before_a_commit_returns(tmp_path: Path) -> None:
    trace: Trace = []
    audit = TracedAudit.traced(tmp_path, trace)
    connection: sqlite3.Connection = vars(vars(audit)["_database"])["_connection"]
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    audit.close()


@pytest.mark.requirement("T08")
@pytest.mark.parametrize("effect", [ReleaseStrike(5.0), HoldStrike(10.0)])
def test_when_the_record_fails_nothing_after_it_is_done(tmp_path: Path, effect: Effect) -> None:
    audit = FailingAudit.open(tmp_path)
    with door(tmp_path, audit=audit) as made:
        audit.fails_at = 1  # type: ignore[attr-defined]
        with pytest.raises(AuditFailed):
            made.performer.perform((record(made), effect, Show(Screen(Scene.GRANTED))))
        assert made.strikes() == []
        assert vars(made.desk)["_screen"].scene is not Scene.GRANTED


def test_a_run_of_records_is_one_transaction(tmp_path: Path) -> None:
    made, trace = traced_door(tmp_path)
    made.performer.perform((record(made), record(made), record(made), ReleaseStrike(5.0)))
    assert trace == ["COMMIT", "strike"]
    made.close()


def test_effects_are_done_in_the_order_in_which_they_are_given(given: Door) -> None:
    given.performer.perform((ReleaseStrike(5.0), SecureStrike(), ReleaseStrike(1.0)))
    assert [active for _, active in given.strikes()] == [True, False, True]


def test_lighting_the_sign_is_answered_by_what_reads_back(given: Door) -> None:
    (read,) = given.performer.perform((LightSign(lit=True),))
    assert repr(read).startswith("SignRead") and "lit=True" in repr(read)
    given.board.break_sign()
    (read,) = given.performer.perform((LightSign(lit=True),))
    assert "lit=False" in repr(read)


@pytest.mark.requirement("D10")
@pytest.mark.parametrize(
    "permission",
    [Permission(Level.DETECT), Permission(Level.EMBED, track=TrackId(1)), Permission(Level.ENROL)],
)
def test_no_permission_is_given_while_the_sign_reads_dark(
    given: Door, permission: Permission
) -> None:
    (told,) = given.performer.perform((Permit(permission, 0.5),))
    assert given.leases.given == [(NOTHING_ALLOWED, given.time() + 0.5)]
    assert given.recognition.allowed == NOTHING_ALLOWED
    assert "SignRead" in repr(told) and "lit=False" in repr(told)


@pytest.mark.requirement("D10")
def test_a_permission_goes_on_with_its_end_while_the_sign_reads_lit(given: Door) -> None:
    given.performer.perform((LightSign(lit=True), Permit(Permission(Level.DETECT), 0.5)))
    assert given.leases.given == [(Permission(Level.DETECT), given.time() + 0.5)]
    assert given.recognition.allowed == Permission(Level.DETECT)


def test_securing_takes_the_permission_too_even_when_the_strike_fails(given: Door) -> None:
    given.performer.perform((LightSign(lit=True), Permit(Permission(Level.DETECT), 0.5)))

    def stuck(energised: bool) -> None:
        raise DeviceError("The strike's line can't be set; check the relay board.")

    vars(given.board.strike)["_set_line"] = stuck
    with pytest.raises(DeviceError):
        given.performer.secure()
    assert given.leases.last == NOTHING_ALLOWED
    assert given.recognition.allowed == NOTHING_ALLOWED


def test_what_can_not_be_written_is_said_and_ends_the_enrolment(given: Door) -> None:
    given.performer.perform((RegisterPerson(NEIGHBOUR),))
    assert "A name has" in (given.desk.trouble or "")


def test_a_card_of_somebody_else_is_not_bound(given: Door) -> None:
    given.store.register_person(NEIGHBOUR, "Neighbour", given.parts.clock.now())
    told = given.performer.perform((BindCard(NEIGHBOUR, given.card_id(CARD)),))
    assert [type(one).__name__ for one in told] == ["EnrolCancelled"]
    known = given.store.holder_of_card(given.card_id(CARD))
    assert known is not None and known.holder.person == RESIDENT
    assert given.store.holder_of_card(given.card_id(UNKNOWN_CARD)) is None


@pytest.mark.parametrize("typed", [b"4821", b"0000"])
def test_digits_are_overwritten_as_soon_as_they_were_checked(given: Door, typed: bytes) -> None:
    given.pinpad.take(typed)
    (told,) = given.performer.perform((CheckPin(RESIDENT),))
    assert isinstance(told, PinChecked)
    assert not any(vars(given.pinpad)["_memory"].view)


# Times


def test_the_time_to_the_strike_is_that_of_the_cause(given: Door) -> None:
    given.start()
    given.taps()
    assert list(given.metrics.card_to_strike_s) == [0.0]
    given.leaves()
    given.scans(track=2)
    given.is_compared(probe_of(1), track=2)
    (took_s,) = given.metrics.frame_to_strike_s
    assert took_s == pytest.approx(0.1)


def test_a_refusal_leaves_no_cause_behind(given: Door) -> None:
    given.start()
    given.taps(UNKNOWN_CARD)
    given.performer.perform((ReleaseStrike(1.0),))
    assert not given.metrics.card_to_strike_s


def test_a_spread_is_the_median_and_the_95th_percentile() -> None:
    metrics = Metrics()
    assert spread(metrics.card_to_strike_s) is None
    metrics.card_to_strike_s.append(0.25)
    one = spread(metrics.card_to_strike_s)
    assert one == Spread(1, 0.25, 0.25)
    metrics.card_to_strike_s.clear()
    metrics.card_to_strike_s.extend(n / 100 for n in range(101))
    some = spread(metrics.card_to_strike_s)
    assert some is not None
    assert some.n == 101
    assert some.p50_s == pytest.approx(0.5)
    assert some.p95_s == pytest.approx(0.95)


def test_times_are_kept_for_the_newest_alone() -> None:
    metrics = Metrics()
    for _ in range(5000):
        metrics.credential_since(1.0)
        metrics.released(2.0)
        metrics.decided()
    assert len(metrics.card_to_strike_s) == 1000
    assert isinstance(metrics.vision, Alive | None)
