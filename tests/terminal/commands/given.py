"""Answers as a door gives them, and a `terminalctl` at a twin of it; all people are invented."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from terminal import cli
from terminal.core.values import Moment
from terminal.requests import (
    Acknowledge,
    CardRevoke,
    Cards,
    Door,
    Export,
    FreePassage,
    GroupPut,
    GroupRemove,
    Groups,
    HolidayPut,
    HolidayRemove,
    ImportRows,
    Line,
    Lockdown,
    LockdownEnd,
    ParityAsked,
    PassbackReset,
    Passes,
    PassIssue,
    PassKeyChange,
    PassRevoke,
    PassShow,
    PersonPut,
    PinClear,
    PinSet,
    Release,
    SchedulePut,
    ScheduleRemove,
)
from tests.terminal.commands.twin import Twin, refused

NOW = datetime(2030, 6, 1, 4, 0, tzinfo=UTC)  # noon in Shanghai
PERSON = "bcdfghjkmnpq"
NUMBER = "00ffee1122334455"
TEXT = "FT1:" + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:" * 3 + "0123456789ABCDEFGHIJK"
SECRET = "5e" * 32

DOOR: Line = {
    "state": "secured",
    "open": False,
    "strike_released": False,
    "locked_down": False,
    "tampered": False,
    "fire": False,
    "interlocked": False,
    "by_schedule": False,
    "free_passage": None,
    "first_person": False,
    "rex": "observe",
    "relock": "on_open",
    "panel": "none",
    "alarms": [],
    "exit_reader": False,
    "weak_cards": "with_pin",
    "ways": ["front", "camera codes"],
    "lines": {"contact": True, "rex": False},
}
NO_WAY: Line = {
    "n": 0,
    "p50_s": None,
    "p95_s": None,
    "typing_p50_s": None,
    "steps": None,
    "refused": 0,
    "abandoned": 0,
}
CARD_WAY: Line = {**NO_WAY, "n": 40, "p50_s": 0.21, "p95_s": 0.3, "typing_p50_s": 0.0, "steps": 1.0}
PARITY: Line = {
    "ways": {
        "face": {**CARD_WAY, "p50_s": 1.2, "p95_s": 1.6, "refused": 2},
        "card": CARD_WAY,
        "qr": NO_WAY,
        "card_pin": {**CARD_WAY, "typing_p50_s": 3.5, "steps": 2.0},
        "qr_pin": NO_WAY,
        "card_face": NO_WAY,
    },
    "allowed": {"slack_s": 1.0, "steps": 1, "enough": 20},
    "troubles": [],
    "warning": None,
}
CARDS: Line = {
    "person": PERSON,
    "cards": [{"card": "0a1b2c3d", "bound_utc": "2030-01-01T00:00:00Z", "is_weak": True}],
}
PASS_LINE: Line = {
    "number": NUMBER,
    "person": "Vera Visitor",
    "kind": "visitor",
    "valid_from": "2030-06-01T04:00:00Z",
    "valid_until": "2030-06-02T04:00:00Z",
    "uses": 5,
    "used": 1,
    "rotates": False,
    "needs_pin": False,
    "is_revoked": False,
    "host": "Ada Example",
}
RULES: Line = {
    "groups": [
        {"line": 0, "name": "Residents", "rule": "any", "schedule": None, "passback": "timed"}
        | {"passback_minutes": 5, "passes_lockdown": True}
    ],
    "schedules": [
        {"line": 0, "name": "Office", "week": [[[480, 1080]]] * 5 + [[], []], "on_holidays": []}
    ],
    "holidays": [{"line": 0, "date": "2030-10-01", "name": "国庆节"}],
    "time_zone": "Asia/Shanghai",
}


def done(**body: Any) -> Line:
    """A last line: done."""
    return {"ok": True, **body}


def issued(**other: Any) -> Line:
    """A pass in full."""
    one = {
        "number": NUMBER,
        "person": "Ada Example",
        "kind": "static",
        "valid_from": "2030-06-01T04:00:00Z",
        "valid_until": "2030-07-01T04:00:00Z",
        "uses": 0,
        "rotates": False,
        "needs_pin": True,
        "site": "North gate",
        "text": TEXT,
        "secret": None,
    }
    return done(**{"pass": {**one, **other}})


def issued_as_wanted(wanted: PassIssue) -> Line:
    """The pass that was asked for."""
    rotates = wanted.kind == "resident"
    return issued(
        kind=wanted.kind,
        person=wanted.visitor or wanted.who,
        valid_until=wanted.valid_until.isoformat(),
        uses=wanted.uses,
        rotates=rotates,
        secret=SECRET if rotates else None,
    )


def answer(request: Any) -> Any:
    """What a door that agrees to everything says."""
    match request:
        case Door():
            return done(door=DOOR)
        case Release() | Lockdown() | LockdownEnd() | Acknowledge() | FreePassage():
            return done(door="secured")
        case PassbackReset():
            return done(door="secured")
        case ParityAsked():
            return done(parity=PARITY)
        case Cards():
            return done(**CARDS)
        case CardRevoke() | PinSet() | PinClear() | PersonPut():
            return done(person=PERSON)
        case Passes():
            return done(passes=[PASS_LINE])
        case PassIssue():
            return issued_as_wanted(request)
        case PassShow():
            return issued()
        case PassRevoke():
            return done(number=NUMBER)
        case PassKeyChange():
            return done(key_id="0badcafe")
        case Groups() | GroupPut() | GroupRemove() | SchedulePut() | ScheduleRemove():
            return done(**RULES)
        case HolidayPut() | HolidayRemove():
            return done(**RULES)
        case ImportRows():
            return done(verdicts=[])
        case Export():
            return [done(**RULES)]
        case _:
            return refused("This was not asked for by any of these tests.")


class StandingClock:
    """It is noon in Shanghai, always."""

    def now(self) -> Moment:
        return Moment(0.0, NOW, trusted=True)


def runs(twin: Twin, *words: str) -> int:
    """`terminalctl` with these words, at this twin."""
    return cli.main([*words, "--socket", str(twin.socket)], StandingClock())
