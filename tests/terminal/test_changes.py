"""What operators change is on record before it is done; where it can't be, nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from terminal.core.effects import Kind
from terminal.core.values import PersonId, Side
from terminal.errors import AuditFailed, StoreFailed
from terminal.exchange.rows import GroupRow, HolidayRow, PersonRow, ScheduleRow
from terminal.requests import (
    AnyRequest,
    CardRevoke,
    Cards,
    FreePassage,
    GroupPut,
    GroupRemove,
    HolidayPut,
    HolidayRemove,
    ImportRows,
    PassbackReset,
    PassIssue,
    PassKeyChange,
    PassRevoke,
    PersonPut,
    PinClear,
    PinSet,
    SchedulePut,
    ScheduleRemove,
)
from terminal.schema import Database
from tests.terminal.given_bridge import BEGIN, CARD, NAME, QUICK, RESIDENT, Door, answer_of, door
from tests.terminal.given_issued import PIN, issue, set_pin
from tests.terminal.test_perform import FailingAudit

ALWAYS = ScheduleRow(0, "Always", (((0, 1440),),) * 7, None)
HOURS = ScheduleRow(0, "Hours", (((480, 1080),),) * 7, ())
TODAY = (BEGIN + timedelta(seconds=1000)).date()


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Door]:
    with door(tmp_path) as made:
        ready(made)
        yield made


def ready(made: Door) -> None:
    """A resident with card, PIN, pass and group, a schedule, a holiday, and somebody inside."""
    made.has_resident(face=None)
    made.start(vision=False)
    set_pin(made)
    for request in (
        SchedulePut(HOURS),
        SchedulePut(ALWAYS),
        GroupPut(GroupRow(0, "Staff", passback="soft")),
        GroupPut(GroupRow(0, "Nobody's")),
        HolidayPut(HolidayRow(0, date(2030, 12, 25), "A day off")),
        PersonPut(NAME, group="Staff"),
    ):
        assert done(made, request)["ok"], request
    made.store.note_passage(RESIDENT, Side.INSIDE, made.parts.clock.now())


def done(made: Door, request: AnyRequest) -> dict[str, Any]:
    return answer_of(made.asks(request))


def handle(made: Door) -> str:
    (card,) = done(made, Cards(NAME))["cards"]
    return str(card["card"])


def everything(made: Door) -> list[str]:
    """All that the file of people holds, sealed as it is."""
    connection = vars(vars(made.store)["_identity"])["_connection"]
    return list(connection.iterdump())


WISHES: dict[str, tuple[Callable[[Door], AnyRequest], Kind]] = {
    "revoke a card": (lambda made: CardRevoke(NAME, handle(made)), Kind.CARD_REVOKED),
    "set a PIN": (lambda made: PinSet(NAME, "8053"), Kind.PIN_SET),
    "clear a PIN": (lambda made: PinClear(NAME), Kind.PIN_CLEARED),
    "issue a pass": (
        lambda made: PassIssue(NAME, "once", BEGIN + timedelta(days=2)),
        Kind.PASS_ISSUED,
    ),
    "issue a visitor's pass": (
        lambda made: PassIssue(NAME, "visitor", BEGIN + timedelta(days=2), visitor="V"),
        Kind.PASS_ISSUED,
    ),
    "change the key": (lambda made: PassKeyChange(), Kind.PASS_KEY_CHANGED),
    "change a group": (lambda made: GroupPut(GroupRow(0, "Staff", "qr")), Kind.GROUP_CHANGED),
    "remove a group": (lambda made: GroupRemove("Nobody's"), Kind.SCHEDULE_CHANGED),
    "change a schedule": (
        lambda made: SchedulePut(replace(HOURS, on_holidays=None)),
        Kind.SCHEDULE_CHANGED,
    ),
    "remove a schedule": (lambda made: ScheduleRemove("Hours"), Kind.SCHEDULE_CHANGED),
    "name a holiday": (
        lambda made: HolidayPut(HolidayRow(0, date(2031, 1, 1))),
        Kind.SCHEDULE_CHANGED,
    ),
    "take a holiday back": (lambda made: HolidayRemove(date(2030, 12, 25)), Kind.SCHEDULE_CHANGED),
    "free passage": (lambda made: FreePassage("Hours"), Kind.FREE_PASSAGE),
    "another group": (lambda made: PersonPut(NAME, group=None), Kind.PERSON_CHANGED),
    "a panel's number": (lambda made: PersonPut(NAME, panel_number=4711), Kind.PERSON_CHANGED),
    "reset the passback": (lambda made: PassbackReset(NAME), Kind.PASSBACK_RESET),
    "import": (
        lambda made: ImportRows(people=(PersonRow(2, None, "Ben"),), write=True),
        Kind.IMPORTED,
    ),
}


@pytest.mark.parametrize(("wish", "kind"), WISHES.values(), ids=WISHES)
def test_each_change_is_done_and_on_record_with_who_asked(
    given: Door, wish: Callable[[Door], AnyRequest], kind: Kind
) -> None:
    request, before = wish(given), everything(given)
    assert done(given, request)["ok"]
    assert everything(given) != before
    record = next(one for one in reversed(given.records) if one.kind == kind.value)
    assert record.by == "operator"
    for secret in (NAME, "8053", "4711", CARD.decode(), "Ben"):
        assert secret not in repr(record)


@pytest.mark.requirement("T08")
@pytest.mark.parametrize(("wish", "kind"), WISHES.values(), ids=WISHES)
def test_the_record_is_durable_before_anything_is_changed(
    given: Door, wish: Callable[[Door], AnyRequest], kind: Kind
) -> None:
    """At the first statement that writes to the file of people, the log has the record."""
    request, seen = wish(given), list[str]()

    class Watched(Database):
        def run(self, statement: str, *values: Any) -> int:
            if not seen and not statement.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")):
                seen.append(given.kinds()[-1])
            return super().run(statement, *values)

    identity = vars(given.store)["_identity"]
    identity.__class__ = Watched
    done(given, request)
    identity.__class__ = Database
    assert seen == [kind.value]


@pytest.mark.requirement("T08")
@pytest.mark.parametrize(("wish", "kind"), WISHES.values(), ids=WISHES)
def test_where_the_log_can_not_be_written_nothing_is_changed(
    tmp_path: Path, wish: Callable[[Door], AnyRequest], kind: Kind
) -> None:
    audit = FailingAudit.open(tmp_path)
    with door(tmp_path, audit=audit) as made:
        ready(made)
        request, before = wish(made), everything(made)
        audit.fails_at = audit.head[0] + 1  # type: ignore[attr-defined]
        with pytest.raises(AuditFailed):
            made.asks(request)
        assert everything(made) == before
        assert made.strikes() == []


def test_what_the_store_refuses_is_said_and_the_next_change_is_done(given: Door) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreFailed("The disk is full.")

    vars(given.store.pins)["set"] = full
    assert done(given, PinSet(NAME, "8053"))["error"] == "The disk is full."
    assert done(given, PinClear(NAME))["ok"]
    assert not vars(given.desk)["_carrying"], "nothing waits any more"


REFUSED: dict[str, tuple[AnyRequest, str]] = {
    "a card of nobody": (CardRevoke("Nobody", "0" * 8), "is registered"),
    "a card that is not there": (CardRevoke(NAME, "0" * 8), "no such card"),
    "a PIN for nobody": (PinSet("Nobody", PIN), "is registered"),
    "a pass that is not there": (PassRevoke("0" * 16), "no pass of this number"),
    "nothing to change": (PersonPut(NAME), "nothing to change"),
    "free passage by no schedule": (FreePassage("None such"), "no schedule of this name"),
    "hard passback without an exit reader": (
        GroupPut(GroupRow(0, "Staff", passback="hard")),
        "reader on the way out",
    ),
}


@pytest.mark.parametrize(("request_", "why"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_is_refused_before_it_is_on_record(
    given: Door, request_: AnyRequest, why: str
) -> None:
    before = len(given.kinds()), everything(given)
    assert why in done(given, request_)["error"]
    assert (len(given.kinds()), everything(given)) == before


LATE: dict[str, tuple[AnyRequest, str]] = {
    "a trivial PIN": (PinSet(NAME, "1234"), "choose another"),
    "a group that is not there": (PersonPut(NAME, group="None such"), "no group"),
    "a group with people in it": (GroupRemove("Staff"), ""),
    "a schedule of a group": (GroupPut(GroupRow(0, "Staff", schedule="None such")), ""),
    "a passback of nobody's": (PassbackReset("Nobody"), "is registered"),
}


@pytest.mark.parametrize(("request_", "why"), LATE.values(), ids=LATE)
def test_what_the_store_knows_better_changes_nothing_and_is_said(
    given: Door, request_: AnyRequest, why: str
) -> None:
    before = everything(given)
    answer = done(given, request_)
    assert not answer["ok"]
    assert why in answer["error"]
    assert everything(given) == before


@pytest.mark.requirement("R21")
def test_with_a_reader_on_the_way_out_hard_passback_can_be_set(tmp_path: Path) -> None:
    policy = replace(QUICK, has_exit_reader=True, not_ways=frozenset({"low"}))
    with door(tmp_path, policy) as made:
        made.has_resident(face=None)
        made.start(vision=False)
        assert done(made, GroupPut(GroupRow(0, "Staff", passback="hard")))["ok"]


# What follows


def test_a_card_that_was_revoked_opens_nothing(given: Door) -> None:
    done(given, CardRevoke(NAME, handle(given)))
    given.taps()
    assert given.strikes() == []
    assert given.records[-1].reason == "unknown_card"


def test_a_group_of_everyone_again_is_no_group(given: Door) -> None:
    done(given, PersonPut(NAME, group=None))
    assert given.store.details_of(RESIDENT).group is None
    holder = given.store.holder(RESIDENT)
    assert holder is not None and holder.group.name == "everyone"


def test_resetting_forgets_one_person_or_everyone(given: Door) -> None:
    other = PersonId("zzzzzzzzzzzz")
    given.store.register_person(other, "Ben", given.parts.clock.now())
    given.store.note_passage(other, Side.INSIDE, given.parts.clock.now())
    assert done(given, PassbackReset("Ben"))["people"] == 1
    assert done(given, PassbackReset())["people"] == 1
    assert done(given, PassbackReset())["people"] == 0


# Free passage


def test_the_door_is_open_to_everyone_while_its_schedule_says_so(given: Door) -> None:
    done(given, FreePassage("Always"))
    given.waits(0.1)
    assert given.state.door.by_schedule
    assert given.strike_is_released()
    done(given, FreePassage())
    given.waits(0.1)
    assert not given.strike_is_released()


def test_it_follows_its_schedule_and_the_holidays_as_they_change(given: Door) -> None:
    def is_open_after(request: AnyRequest) -> bool:
        assert done(given, request)["ok"]
        given.waits(0.1)
        return given.strike_is_released()

    assert is_open_after(FreePassage("Hours")), "it is noon"
    assert not is_open_after(HolidayPut(HolidayRow(0, TODAY, "A day off"))), "and a holiday"
    assert is_open_after(HolidayRemove(TODAY))
    assert not is_open_after(SchedulePut(replace(HOURS, week=((),) * 7)))
    assert is_open_after(ImportRows(schedules=(replace(HOURS, line=2),), write=True))


def test_a_schedule_by_which_the_door_is_open_is_not_removed(given: Door) -> None:
    done(given, FreePassage("Hours"))
    assert "goes by this schedule" in done(given, ScheduleRemove("Hours"))["error"]
    done(given, FreePassage())
    assert done(given, ScheduleRemove("Hours"))["ok"]


def test_a_pass_is_revoked_for_good(given: Door) -> None:
    phone = issue(given, "once")
    assert done(given, PassRevoke(phone.number))["number"] == phone.number
    given.shows(phone.text)
    assert given.strikes() == []
    assert given.records[-1].reason == "pass_ended"
