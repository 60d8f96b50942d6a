"""Whole doors on bench twins: cards, passes, PINs, a door that behaves; what opens, and what not.

The real loop, core, store, keys and log; only time is ours. A restart is another `Door` on the
same folder, as after a power cut.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hw.ports import Input, ReadKind
from terminal.arrivals import CodeRefusedSeen, CodeSeen
from terminal.audit import RESERVE_FILE
from terminal.core.door_state import DoorPhase
from terminal.core.policy import PIN_FAILURES, AlarmLine, Panel, Policy, WeakCards, pin_delay_s
from terminal.core.transaction import AccessPhase
from terminal.core.values import (
    NOTHING_ALLOWED,
    Alarm,
    CodeFault,
    Level,
    Permission,
    Scene,
    Screen,
)
from terminal.errors import StoreFailed
from terminal.exchange.rows import GroupRow, ScheduleRow
from terminal.requests import (
    Acknowledge,
    AnyRequest,
    FreePassage,
    GroupPut,
    Lockdown,
    LockdownEnd,
    PassbackReset,
    PassRevoke,
    PersonPut,
    Release,
    SchedulePut,
    Watch,
)
from tests.terminal.given_bridge import (
    BEGIN,
    CARD,
    NAME,
    QUICK,
    UNKNOWN_CARD,
    Door,
    answer_of,
    door,
    lines_of,
)
from tests.terminal.given_issued import DURESS, PIN, WRONG, issue, set_pin

WITH_PIN = replace(QUICK, weak_cards=WeakCards.WITH_PIN)
EXIT = replace(QUICK, has_exit_reader=True, not_ways=frozenset({"low"}))
FAR = timedelta(days=3660)


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Door]:
    with door(tmp_path) as made:
        yield ready(made)


@pytest.fixture
def with_pin(tmp_path: Path) -> Iterator[Door]:
    with door(tmp_path, WITH_PIN) as made:
        yield ready(made)


def ready(made: Door) -> Door:
    """Somebody lives here, and has a card, a face and a PIN."""
    made.has_resident(face=1)
    made.start()
    set_pin(made)
    return made


def again(folder: Path, policy: Policy = QUICK, after_s: float = 10.0) -> Door:
    """The same terminal after a power cut, so much later."""
    made = Door(folder, policy, begin=BEGIN + timedelta(seconds=after_s))
    made.start()
    return made


def ask(made: Door, request: AnyRequest) -> None:
    answer = answer_of(made.asks(request))
    assert answer["ok"], answer


def openings(made: Door) -> int:
    return sum(1 for _, active in made.strikes() if active)


def alarm_sounds(made: Door) -> bool:
    """Whether the alarm contact is closed."""
    return made.board.alarm.is_lit


def last(made: Door, kind: str) -> str | None:
    """Why, of the newest record of this kind."""
    return next(one.reason for one in reversed(made.records) if one.kind == kind)


def scene_of(made: Door) -> Scene:
    screen: Screen = vars(made.desk)["_screen"]
    return screen.scene


# A weak card and a PIN


@pytest.mark.requirement("D14")
def test_a_weak_card_opens_with_the_pin_and_not_before(with_pin: Door) -> None:
    with_pin.taps()
    assert (scene_of(with_pin), openings(with_pin)) == (Scene.TYPE_PIN, 0)
    with_pin.types(PIN.encode())
    assert with_pin.strike_is_released()
    granted = next(one for one in with_pin.records if one.kind == "granted")
    assert granted.way == "card_pin"


@pytest.mark.requirement("D14")
@pytest.mark.parametrize(
    "typed", [WRONG, PIN[:-1], PIN + "0", PIN * 2, "0000", "99999999", PIN[::-1]]
)
def test_a_wrong_pin_opens_nothing(with_pin: Door, typed: str) -> None:
    with_pin.taps()
    with_pin.types(typed.encode())
    assert with_pin.strikes() == []


def types_wrong_pins(made: Door) -> None:
    """So many that there is an alarm, each after the delay of the one before it."""
    for failures in range(1, PIN_FAILURES + 1):
        made.taps()
        made.types(WRONG.encode())
        if failures < PIN_FAILURES:
            made.waits(pin_delay_s(failures) + QUICK.refused_show_s + 1.0)


@pytest.mark.requirement("D13", "R40")
def test_after_wrong_pins_there_is_a_delay_in_which_the_right_one_opens_nothing(
    with_pin: Door,
) -> None:
    types_wrong_pins(with_pin)
    assert "pin_alarm" in with_pin.kinds()
    with_pin.taps()
    with_pin.types(PIN.encode())
    assert with_pin.strikes() == []
    with_pin.waits(1000.0)
    with_pin.taps()
    with_pin.types(PIN.encode())
    assert with_pin.strike_is_released()


@pytest.mark.requirement("D13")
def test_wrong_pins_are_counted_across_a_restart(tmp_path: Path) -> None:
    with door(tmp_path, WITH_PIN) as made:
        ready(made)
        types_wrong_pins(made)
    once_more = again(tmp_path, WITH_PIN)
    once_more.taps()
    once_more.types(PIN.encode())
    assert once_more.strikes() == []
    once_more.close()


def test_a_pin_of_somebody_else_opens_nothing(with_pin: Door) -> None:
    neighbour = "zxwvtsrqpnmk"
    with_pin.store.register_person(neighbour, "Neighbour", with_pin.parts.clock.now())  # type: ignore[arg-type]
    set_pin(with_pin, WRONG, "Neighbour")
    with_pin.taps()
    with_pin.types(WRONG.encode())
    assert with_pin.strikes() == []


def test_a_pin_alone_opens_nothing_and_is_gone(with_pin: Door) -> None:
    with_pin.types(PIN.encode())
    assert with_pin.strikes() == []
    assert not any(vars(with_pin.pinpad)["_memory"].view)


def seen_and_heard(folder: Path, pin: str) -> tuple[list[object], Door]:
    """All that there is at the door for somebody with a card and this PIN; and the door."""
    made = ready(Door(folder, WITH_PIN))
    watcher = made.asks(Watch())
    made.taps()
    made.waits(2.0)
    made.types(pin.encode())
    made.leaves()
    lines = [line for line in lines_of(watcher) if line["news"] in ("screen", "sound")]
    changes = [(one.line, one.active, one.tone, one.mono_s) for one in made.board.log]
    return [*lines, *changes], made


@pytest.mark.requirement("R47")
def test_duress_looks_and_sounds_as_the_pin_does_and_is_a_silent_alarm(tmp_path: Path) -> None:
    plain, one = seen_and_heard(tmp_path / "plain", PIN)
    forced, two = seen_and_heard(tmp_path / "forced", DURESS)
    assert forced == plain
    assert openings(one) == openings(two) == 1
    assert ("duress" in one.kinds(), "duress" in two.kinds()) == (False, True)
    assert Alarm.DURESS in two.state.alarms
    assert not alarm_sounds(two)
    one.close()
    two.close()


@pytest.mark.requirement("R47")
def test_the_alarm_contact_tells_of_duress_only_where_nobody_at_the_door_hears_it(
    tmp_path: Path,
) -> None:
    policy = replace(WITH_PIN, alarm_line=AlarmLine.ALL)
    with door(tmp_path, policy) as made:
        ready(made)
        made.taps()
        made.types(DURESS.encode())
        assert alarm_sounds(made)
        ask(made, Acknowledge())
        assert not alarm_sounds(made)


@pytest.mark.requirement("R47")
def test_a_marked_pass_opens_and_is_a_silent_alarm(given: Door) -> None:
    given.shows(issue(given, "once", is_marked=True).text)
    assert given.strike_is_released()
    assert "duress" in given.kinds()


# The digits


def test_the_digits_are_gone_as_soon_as_they_were_checked(with_pin: Door) -> None:
    for typed in (WRONG, DURESS):
        with_pin.taps()
        with_pin.types(typed.encode())
        assert bytes(with_pin.pinpad.digits) == b""
        assert not any(vars(with_pin.pinpad)["_memory"].view)


@pytest.mark.requirement("R45")
def test_no_pin_pass_or_card_number_is_in_a_log_a_record_a_file_or_an_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Everything that is read or typed is looked for afterwards, in the bytes of every file."""
    caplog.set_level(logging.DEBUG)
    with door(tmp_path, WITH_PIN) as made:
        ready(made)
        watcher = made.asks(Watch())
        phones = [issue(made, "once"), issue(made, "resident"), issue(made, "static")]
        made.taps()
        for typed in (WRONG, PIN):
            made.types(typed.encode())
        made.leaves()
        shown = [phone.shows(made) for phone in phones]
        for text in shown:
            made.shows(text)
            made.types(PIN.encode())
            made.shows(text[:-3] + "000")
            made.leaves()
        made.taps(UNKNOWN_CARD)
        words = [*made.complaints, caplog.text, repr(made.records), repr(made.state)]
        words += [repr(line) for line in lines_of(watcher)]
        secrets = [CARD, UNKNOWN_CARD, DURESS.encode(), *(text.encode() for text in shown)]
        secrets += [text.encode()[4:40] for text in shown]
        bodies = [text.encode()[-40:] for text in shown]
        assert openings(made) >= 3
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name != RESERVE_FILE)
    for secret in (*secrets, *bodies):
        assert secret not in kept
        assert not any(secret.decode() in one for one in words)
    digits = [WRONG, PIN]
    assert not any(f"'{one}'" in said or f" {one}" in said for one in digits for said in words)
    log = b"".join(path.read_bytes() for path in tmp_path.glob("audit.db*"))
    assert not any(one.encode() in log for one in digits)


# Passes


@pytest.mark.requirement("T17")
def test_a_pass_for_once_opens_once(given: Door) -> None:
    phone = issue(given, "once")
    given.shows(phone.text)
    assert given.strike_is_released()
    given.leaves()
    given.shows(phone.text)
    assert openings(given) == 1
    assert last(given, "refused") == "pass_used"


@pytest.mark.requirement("T17")
def test_shown_twice_at_the_same_moment_it_opens_once(given: Door) -> None:
    phone = issue(given, "once")
    for _ in range(2):
        given.inbox.put(CodeSeen(phone.text.encode()))
    given.settles()
    assert openings(given) == 1
    row = given.store.passes.of_number(phone.number)
    assert row is not None and row.used == 1


@pytest.mark.requirement("T17")
def test_after_a_restart_it_still_opens_no_more(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        phone = issue(ready(made), "once")
        made.shows(phone.text)
        assert openings(made) == 1
    once_more = again(tmp_path)
    once_more.shows(phone.text)
    assert once_more.strikes() == []
    once_more.close()


STEPS = (timedelta(hours=1), -timedelta(hours=1), FAR, -FAR)


@pytest.mark.requirement("T17", "A18")
@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("step", STEPS, ids=str)
@pytest.mark.parametrize("kind", ["once", "visitor", "resident"])
def test_no_step_of_the_clock_gives_a_use_back(
    tmp_path: Path, kind: str, step: timedelta, restart: bool
) -> None:
    made = ready(Door(tmp_path))
    phone = issue(made, kind)  # type: ignore[arg-type]
    text = phone.shows(made)
    made.shows(text)
    assert openings(made) == 1
    made.leaves()
    if restart:
        made.close()
        made = Door(tmp_path, begin=BEGIN + step)
        made.start()
    else:
        made.begin += step
    before = openings(made)
    for _ in range(3):
        made.shows(text)
        made.waits(1.0)
    made.begin -= step
    made.shows(text)
    assert openings(made) == before
    made.close()


@pytest.mark.requirement("A18", "T39")
@pytest.mark.parametrize("step", [timedelta(days=3), FAR], ids=str)
def test_a_clock_turned_back_revives_no_pass_that_has_ended(given: Door, step: timedelta) -> None:
    phone = issue(given, "static")
    given.begin += step
    given.shows(phone.text)
    given.types(PIN.encode())
    assert last(given, "refused") == "not_valid_now"
    given.begin -= step
    given.shows(phone.text)
    given.types(PIN.encode())
    assert given.strikes() == []
    assert last(given, "refused") == "clock_untrusted"


@pytest.mark.slow
@pytest.mark.requirement("T17")
@pytest.mark.parametrize("kind", ["once", "visitor", "resident"])
def test_a_pass_that_was_accepted_opens_nothing_in_a_thousand_replays(
    given: Door, kind: str
) -> None:
    phone = issue(given, kind)  # type: ignore[arg-type]
    text = phone.shows(given)
    given.shows(text)
    given.leaves()
    assert openings(given) == 1
    for n in range(1000):
        given.shows(text)
        given.waits(0.3 if n % 2 else 0.001)
    assert openings(given) == 1


@pytest.mark.requirement("T17")
def test_a_visitors_pass_opens_as_often_as_it_says(given: Door) -> None:
    phone = issue(given, "visitor", uses=3)
    for count in (1, 2, 3):
        given.shows(phone.text)
        assert openings(given) == count
        given.leaves()
    for _ in range(3):
        given.shows(phone.text)
        given.waits(5.0)
    assert openings(given) == 3


def test_a_resident_pass_opens_at_each_step_and_a_picture_of_it_does_not(given: Door) -> None:
    phone = issue(given, "resident")
    picture = phone.shows(given)
    for count in (1, 2, 3):
        given.shows(phone.shows(given))
        assert openings(given) == count
        given.leaves()
        given.shows(picture)
        assert openings(given) == count
        given.waits(60.0)


@pytest.mark.requirement("A8")
def test_a_static_pass_takes_the_pin(given: Door) -> None:
    phone = issue(given, "static")
    given.shows(phone.text)
    assert given.strikes() == []
    given.types(PIN.encode())
    assert openings(given) == 1
    assert next(one.way for one in given.records if one.kind == "granted") == "qr_pin"


def test_a_pass_that_was_revoked_opens_nothing_from_then_on(given: Door) -> None:
    phone = issue(given, "visitor", uses=3)
    given.shows(phone.text)
    given.leaves()
    ask(given, PassRevoke(phone.number))
    given.shows(phone.text)
    assert openings(given) == 1


@pytest.mark.requirement("T17")
def test_a_pass_that_is_revoked_while_its_pin_is_typed_opens_nothing(given: Door) -> None:
    """It was good when it was shown; what counts is that its use could be counted."""
    ask(given, GroupPut(GroupRow(0, "Guests", "qr_pin")))
    ask(given, PersonPut(NAME, group="Guests"))
    phone = issue(given, "once")
    given.shows(phone.text)
    assert scene_of(given) is Scene.TYPE_PIN
    ask(given, PassRevoke(phone.number))
    given.types(PIN.encode())
    assert given.strikes() == []
    assert last(given, "refused") == "cant_check"


@pytest.mark.requirement("T17", "T33")
def test_a_use_that_can_not_be_counted_opens_nothing_and_the_terminal_goes_on(given: Door) -> None:
    """The disk is full: SQLite itself says so when the use is to be counted."""
    phone = issue(given, "once")
    identity = vars(vars(given.store)["_identity"])["_connection"]
    identity.execute("PRAGMA query_only = ON")
    given.shows(phone.text)
    assert given.strikes() == []
    assert last(given, "refused") == "cant_check"
    identity.execute("PRAGMA query_only = OFF")
    given.taps()
    assert openings(given) == 1, "a card needs no space there"
    given.leaves()
    given.shows(phone.text)
    assert openings(given) == 2


@pytest.mark.requirement("T33")
def test_a_store_that_fails_while_a_pass_is_counted_opens_nothing(given: Door) -> None:
    def full(*_: object) -> bool:
        raise StoreFailed("The disk is full.")

    phone = issue(given, "once")
    vars(given.store.passes)["spend"] = full
    given.shows(phone.text)
    assert given.strikes() == []


@pytest.mark.parametrize("fault", list(CodeFault))
def test_codes_that_are_no_pass_open_nothing_and_the_next_pass_does(
    given: Door, fault: CodeFault
) -> None:
    given.arrives(CodeRefusedSeen(fault))
    assert given.strikes() == []
    given.shows(issue(given, "once").text)
    assert openings(given) == 1


# Declining


@pytest.mark.requirement("D10", "R12")
@pytest.mark.parametrize(
    "decline",
    [
        lambda made: made.presses(),
        lambda made: made.types(b"0"),
        lambda made: made.types(PIN.encode()),
        lambda made: made.taps(),
        lambda made: made.taps(UNKNOWN_CARD),
        lambda made: made.shows("FT1:nothing"),
    ],
    ids=["button", "keypad 0", "PIN", "card", "unknown card", "code"],
)
def test_each_of_these_ends_a_scan_and_darkens_the_sign(
    given: Door, decline: Callable[[Door], None]
) -> None:
    given.scans()
    decline(given)
    assert given.leases.last == NOTHING_ALLOWED
    assert given.permission == NOTHING_ALLOWED
    assert not given.sign_is_lit()


@pytest.mark.requirement("R12")
def test_a_zero_at_the_keypad_declines_as_the_button_does(given: Door) -> None:
    given.scans()
    given.types(b"0")
    assert given.state.access.phase is AccessPhase.DECLINED
    assert given.kinds()[-1] == "declined"
    given.taps()
    assert given.strike_is_released()


@pytest.mark.requirement("D9", "D10")
def test_after_a_card_the_face_comes_back_when_the_door_is_closed_and_the_place_empty(
    given: Door,
) -> None:
    given.taps()
    given.goes_through()
    given.waits(0.5)
    assert given.permission == NOTHING_ALLOWED
    given.waits(QUICK.granted_show_s + QUICK.decline_hold_s)
    assert given.permission == Permission(Level.DETECT)
    given.sees_ready(track=7)
    given.waits(5.0)
    assert given.permission == Permission(Level.DETECT), "whoever stands there still"


# The door


@pytest.mark.requirement("R21")
def test_a_lockdown_keeps_cards_out_and_outlives_a_restart(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        ready(made)
        ask(made, Lockdown("a drill"))
        made.taps()
        assert made.strikes() == []
        assert last(made, "refused") == "lockdown"
    once_more = again(tmp_path)
    once_more.taps()
    assert once_more.strikes() == []
    ask(once_more, LockdownEnd("it is over"))
    once_more.taps()
    assert openings(once_more) == 1
    once_more.close()
    third = again(tmp_path, after_s=20.0)
    third.taps()
    assert openings(third) == 1
    third.close()


def test_who_may_in_a_lockdown_comes_in(given: Door) -> None:
    ask(given, GroupPut(GroupRow(0, "Staff", passes_lockdown=True)))
    ask(given, PersonPut(NAME, group="Staff"))
    ask(given, Lockdown("a drill"))
    given.taps()
    assert openings(given) == 1


@pytest.mark.requirement("R47")
def test_a_guard_lets_somebody_in_once_with_a_reason(given: Door) -> None:
    ask(given, Release("a parcel"))
    assert given.strike_is_released()
    record = next(one for one in given.records if one.kind == "guard_release")
    assert (record.by, dict(record.facts)["why"]) == ("operator", "a parcel")
    given.waits(QUICK.release_s + 1.0)
    assert not given.strike_is_released()


def test_where_a_panel_decides_it_is_told_the_number_and_the_strike_rests(tmp_path: Path) -> None:
    with door(tmp_path, replace(QUICK, panel=Panel.WIEGAND)) as made:
        ready(made)
        ask(made, PersonPut(NAME, panel_number=4711))
        made.taps()
        (frame,) = made.board.panel.frames
        assert frame.number == 4711
        made.taps(UNKNOWN_CARD)
        assert len(made.board.panel.frames) == 1
        assert made.strikes() == []


def test_who_has_no_number_for_the_panel_is_not_told_to_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with door(tmp_path, replace(QUICK, panel=Panel.WIEGAND)) as made:
        ready(made)
        made.taps()
        assert made.board.panel.frames == ()
        assert made.strikes() == []
    assert "no number for the panel" in caplog.text


def test_the_door_is_free_by_a_schedule_once_the_first_person_has_come(given: Door) -> None:
    ask(given, SchedulePut(ScheduleRow(0, "Day", (((0, 1440),),) * 7, None)))
    ask(given, FreePassage("Day", first_person=True))
    given.waits(1.0)
    assert not given.strike_is_released()
    given.taps()
    given.goes_through()
    given.waits(10.0)
    assert given.state.door.phase is DoorPhase.FREE
    assert given.strike_is_released()


def test_free_passage_outlives_a_restart(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        ready(made)
        ask(made, SchedulePut(ScheduleRow(0, "Day", (((0, 1440),),) * 7, None)))
        ask(made, FreePassage("Day"))
    once_more = again(tmp_path)
    once_more.waits(1.0)
    assert once_more.strike_is_released()
    once_more.close()


@pytest.mark.requirement("R21")
def test_hard_passback_with_a_reader_on_the_way_out(tmp_path: Path) -> None:
    with door(tmp_path, EXIT) as made:
        ready(made)
        ask(made, GroupPut(GroupRow(0, "Staff", passback="hard")))
        ask(made, PersonPut(NAME, group="Staff"))
        made.taps()
        made.leaves()
        made.taps()
        assert openings(made) == 1
        assert last(made, "refused") == "passback"
        made.taps(reader="low")
        assert openings(made) == 2, "out"
        made.leaves()
        made.taps()
        assert openings(made) == 3, "and in again"
        made.leaves()
        made.taps()
        assert openings(made) == 3
        ask(made, PassbackReset(NAME))
        made.taps()
        assert openings(made) == 4


def test_where_somebody_is_outlives_a_restart(tmp_path: Path) -> None:
    with door(tmp_path, EXIT) as made:
        ready(made)
        ask(made, GroupPut(GroupRow(0, "Staff", passback="hard")))
        ask(made, PersonPut(NAME, group="Staff"))
        made.taps()
        made.leaves()
    once_more = again(tmp_path, EXIT)
    once_more.taps()
    assert once_more.strikes() == []
    once_more.close()


@pytest.mark.requirement("R21")
def test_a_reader_inside_lets_out_whoever_is_known_whatever_else_holds(tmp_path: Path) -> None:
    with door(tmp_path, replace(EXIT, weak_cards=WeakCards.NEVER)) as made:
        ready(made)
        made.taps()
        assert made.strikes() == []
        made.taps(reader="low")
        assert openings(made) == 1


def test_an_opened_case_takes_the_face_until_somebody_has_seen_to_it(given: Door) -> None:
    given.board.set_input(Input.TAMPER, active=True)
    given.settles()
    assert Alarm.TAMPER in given.state.alarms
    assert alarm_sounds(given)
    assert given.permission == NOTHING_ALLOWED
    given.taps()
    assert openings(given) == 1, "cards go on"
    given.leaves()
    given.board.set_input(Input.TAMPER, active=False)
    given.settles()
    assert alarm_sounds(given), "until it is acknowledged"
    ask(given, Acknowledge())
    assert not alarm_sounds(given)
    assert given.permission == Permission(Level.DETECT)


@pytest.mark.requirement("D15")
def test_a_fire_is_watched_and_the_strike_is_left_to_the_hardware(given: Door) -> None:
    given.board.set_input(Input.FIRE, active=True)
    given.settles()
    assert (given.kinds()[-1], given.strikes()) == ("fire", [])
    assert Alarm.FIRE in given.state.alarms


def test_while_the_other_door_of_a_pair_is_open_this_one_stays_closed(given: Door) -> None:
    given.board.set_input(Input.INTERLOCK, active=True)
    given.settles()
    given.taps()
    assert given.strikes() == []
    assert last(given, "refused") == "interlock"
    given.board.set_input(Input.INTERLOCK, active=False)
    given.settles()
    given.taps()
    assert openings(given) == 1


def test_lines_that_are_set_when_it_starts_are_heard(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.has_resident()
        for line in (Input.TAMPER, Input.INTERLOCK, Input.FIRE):
            made.board.set_input(line, active=True)
        made.start()
        assert {Alarm.TAMPER, Alarm.FIRE} <= made.state.alarms
        made.taps()
        assert made.strikes() == []


@pytest.mark.requirement("R41")
def test_a_door_that_is_forced_closes_the_alarm_contact_until_it_is_acknowledged(
    given: Door,
) -> None:
    given.board.force_door()
    given.settles()
    assert alarm_sounds(given)
    given.board.close_door()
    given.settles()
    ask(given, Acknowledge())
    assert not alarm_sounds(given)


@pytest.mark.requirement("D14")
def test_a_card_that_proved_a_key_needs_no_pin(with_pin: Door) -> None:
    proved = with_pin.credentials.read(
        "door", b"04DEADBEEF", ReadKind.AUTHENTICATED, with_pin.parts.clock.now()
    )
    assert proved.card is not None
    now = with_pin.parts.clock.now()
    with_pin.store.cards.bind(with_pin.store.people()[0].person, proved.card, now, is_weak=False)
    with_pin.taps(b"04DEADBEEF")
    assert with_pin.strikes() == [], "its bare number is another card"
    with_pin.taps(b"04DEADBEEF", kind=ReadKind.AUTHENTICATED)
    assert openings(with_pin) == 1


@pytest.mark.requirement("D14")
def test_where_weak_cards_never_open_the_pin_does_not_help(tmp_path: Path) -> None:
    with door(tmp_path, replace(QUICK, weak_cards=WeakCards.NEVER)) as made:
        ready(made)
        made.taps()
        made.types(PIN.encode())
        assert made.strikes() == []
        assert "weak_card" in [one.reason for one in made.records]
