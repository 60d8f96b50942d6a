"""The bench beyond the contract: the world's side, and that it is no kinder than the hardware."""

from __future__ import annotations

import pytest

from hw.bench import LOG_CHANGES, BenchBoard, BenchReader, BenchSupervisor, LineChange
from hw.bench_clock import FakeClock
from hw.errors import DeviceError
from hw.ports import Input, InputChange, ReadKind, Tone
from hw.wiring import LineName


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def board(clock: FakeClock) -> BenchBoard:
    return BenchBoard(clock, clock.call_later)


@pytest.mark.requirement("R41")
def test_pushed_door_opens_only_while_the_strike_is_released(
    board: BenchBoard, clock: FakeClock
) -> None:
    assert not board.push_door()
    board.strike.release(1.0)
    assert board.push_door()
    clock.advance(2.0)
    assert board.push_door(), "it stands open already"
    board.close_door()
    assert not board.push_door()


def test_log_tells_how_long_a_pulse_was(board: BenchBoard, clock: FakeClock) -> None:
    clock.advance(0.5)
    board.strike.release(1.0)
    clock.advance(5.0)
    assert board.log == (
        LineChange(LineName.STRIKE, True, 1000.5),
        LineChange(LineName.STRIKE, False, 1001.5),
    )


def test_log_remembers_so_much_and_no_more(board: BenchBoard) -> None:
    for at in range(LOG_CHANGES + 5):
        board.set_input(Input.REX, at % 2 == 0)
    assert len(board.log) == LOG_CHANGES
    assert board.log[-1].active is ((LOG_CHANGES + 4) % 2 == 0)


def test_press_is_released_by_itself(board: BenchBoard, clock: FakeClock) -> None:
    changes: list[InputChange] = []
    board.start(changes.append)
    board.press(Input.KIOSK_BUTTON, 0.3)
    clock.advance(1.0)
    assert changes == [
        InputChange(Input.KIOSK_BUTTON, True, 1000.0),
        InputChange(Input.KIOSK_BUTTON, False, 1000.3),
    ]


@pytest.mark.parametrize("for_s", [0.0, -1.0, float("nan"), 61.0])
def test_press_for_no_sensible_time_is_refused(board: BenchBoard, for_s: float) -> None:
    with pytest.raises(ValueError, match="not between"):
        board.press(Input.REX, for_s)


def test_input_that_does_not_change_tells_nothing(board: BenchBoard) -> None:
    changes: list[InputChange] = []
    board.start(changes.append)
    board.close_door()
    board.force_door()
    board.force_door()
    assert [change.active for change in changes] == [True]


def test_unwired_input_is_not_there(clock: FakeClock) -> None:
    board = BenchBoard(clock, clock.call_later, unwired=[Input.PRESENCE])
    assert Input.PRESENCE not in board.start(lambda change: None)
    with pytest.raises(DeviceError, match="presence is not wired"):
        board.set_input(Input.PRESENCE, True)


@pytest.mark.requirement("D10")
def test_broken_sign_reads_dark_whatever_is_set(board: BenchBoard) -> None:
    board.sign.set(True)
    board.break_sign()
    assert not board.sign.is_lit
    board.sign.set(True)
    assert not board.sign.is_lit
    board.mend_sign()
    assert board.sign.is_lit


def test_mended_sign_of_a_closed_board_stays_dark(board: BenchBoard) -> None:
    board.sign.set(True)
    board.break_sign()
    board.close()
    board.mend_sign()
    assert not board.levels[LineName.SIGN]


def test_subscriber_hears_every_line_in_order_until_it_unsubscribes(
    board: BenchBoard, clock: FakeClock
) -> None:
    heard: list[LineChange] = []
    unsubscribe = board.subscribe(heard.append)
    board.sign.set(True)
    board.buzzer.play(Tone.GRANTED)
    board.strike.release(1.0)
    board.push_door()
    unsubscribe()
    unsubscribe()
    clock.advance(2.0)
    assert [(change.line, change.active, change.tone) for change in heard] == [
        (LineName.SIGN, True, None),
        (LineName.BUZZER, True, Tone.GRANTED),
        (LineName.STRIKE, True, None),
        (LineName.DOOR_CONTACT, True, None),
    ]
    assert len(board.log) == 5


def test_card_is_heard_only_by_a_plugged_and_started_reader(clock: FakeClock) -> None:
    reader = BenchReader("lobby", clock)
    reads: list[tuple[bytes, float, ReadKind]] = []

    def heard(data: bytes, mono_s: float, kind: ReadKind = ReadKind.IDENTIFIER) -> None:
        reads.append((data, mono_s, kind))

    assert not reader.tap(b"1234")
    reader.start(heard, lambda working: None)
    reader.unplug()
    assert not reader.tap(b"1234")
    reader.plug()
    assert reader.tap(b"1234")
    assert reader.tap(b"4711", ReadKind.TYPED)
    reader.close()
    assert not reader.tap(b"1234")
    assert reads == [
        (b"1234", 1000.0, ReadKind.IDENTIFIER),
        (b"4711", 1000.0, ReadKind.TYPED),
    ]


def test_supervisor_remembers_what_it_was_told(clock: FakeClock) -> None:
    supervisor = BenchSupervisor(clock)
    supervisor.ready()
    supervisor.ping()
    clock.advance(1.0)
    supervisor.ping()
    supervisor.status("All is well.")
    supervisor.stopping()
    assert (supervisor.is_ready, supervisor.is_stopping) == (True, True)
    assert supervisor.pings_s == [1000.0, 1001.0]
    assert supervisor.sentences == ["All is well."]


def test_new_lines_are_wired_unless_they_are_left_out(clock: FakeClock) -> None:
    whole = BenchBoard(clock, clock.call_later)
    assert {Input.TAMPER, Input.FIRE, Input.INTERLOCK} <= set(whole.start(lambda change: None))
    part = BenchBoard(clock, clock.call_later, [Input.FIRE, LineName.ALARM])
    assert Input.FIRE not in part.start(lambda change: None)
    part.alarm.set(True)
    assert not part.alarm.is_lit
    assert LineName.ALARM not in part.levels


def test_alarm_contact_is_in_the_log(board: BenchBoard) -> None:
    board.alarm.set(True)
    assert board.log == (LineChange(LineName.ALARM, True, 1000.0),)
