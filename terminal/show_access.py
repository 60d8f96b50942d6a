"""How the door, its cards, passes and rules look to an operator: narrow tables and plain sentences.

Like `show`: what comes from outside (names, hosts, schedules) shows as question marks where it
would move a cursor. Of a card only the beginning of its hash is seen; of a pass its number, never
its text or its secret. Times of passes are the site's, which the tables say.

What changes with this file: `answers`; docs/maintenance.md has the words.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from terminal.answers import (
    CardsAnswer,
    DoorReport,
    IssuedPass,
    ParityReport,
    PassLine,
    Rules,
    WayReport,
)
from terminal.exchange import week_line, weeks
from terminal.exchange.rows import GroupRow, ScheduleRow
from terminal.show import seen, table

ALARMS = {
    "forced_open": "forced open",
    "held_open": "held open",
    "propped": "propped open",
    "tamper": "the case is open",
    "fire": "fire",
    "duress": "DURESS (silent)",
    "reader": "wrong credentials at a reader",
    "pin": "wrong PINs",
    "parity": "the other ways in are worse than the face",
}
REX = {"observe": "watched; it opens in hardware", "release": "releases the strike besides"}
RELOCK = {"on_open": "as soon as the door opens", "on_close": "when the door is closed again"}
PANELS = {
    "none": "none: the terminal decides",
    "wiegand": "decides; it is told numbers on two lines",
    "contact": "decides; the relay is a request to it",
}
WEAK_CARDS = {"open": "open alone", "with_pin": "open with a PIN", "never": "open nothing"}
WAYS = {
    "face": "face",
    "card": "card",
    "qr": "QR pass",
    "card_pin": "card and PIN",
    "qr_pin": "QR pass and PIN",
    "card_face": "card and face",
}
RULES = {
    "any": "any one",
    "card": "card",
    "qr": "QR pass",
    "card_pin": "card and PIN",
    "qr_pin": "QR pass and PIN",
    "card_face": "card and face, or PIN",
}


# The door


def door(report: DoorReport) -> str:
    """One screen of `terminalctl door`."""
    return table(
        [
            ("Door", f"{report.state}, {'open' if report.open else 'closed'}"),
            ("Strike", "released" if report.strike_released else "secure"),
            ("Lockdown", "ON: nobody comes in but who may" if report.locked_down else "off"),
            ("Alarms", _alarms(report.alarms)),
            ("Open to all", _free(report)),
            *_inputs(report),
            ("Exit button", REX.get(report.rex, report.rex)),
            ("Relocks", RELOCK.get(report.relock, report.relock)),
            ("Exit reader", _exit_reader(report)),
            ("Panel", PANELS.get(report.panel, report.panel)),
            ("Weak cards", WEAK_CARDS.get(report.weak_cards, report.weak_cards)),
            ("Ways in", ", ".join(report.ways) or "none works"),
            ("Lines", _lines(report.lines)),
        ]
    )


def _alarms(names: Iterable[str]) -> str:
    return ", ".join(ALARMS.get(name, name) for name in names) or "none"


def _free(report: DoorReport) -> str:
    if report.free_passage is None:
        return "by no schedule"
    once = ", once somebody has come in" if report.first_person else ""
    return f"by {report.free_passage}{once}: {'now' if report.by_schedule else 'not now'}"


def _inputs(report: DoorReport) -> list[tuple[str, str]]:
    return [
        ("Other door", "open: this one stays closed" if report.interlocked else "closed"),
        ("Fire", "SIGNAL ON" if report.fire else "no signal"),
        ("Case", "OPEN" if report.tampered else "closed"),
    ]


def _exit_reader(report: DoorReport) -> str:
    return "yes" if report.exit_reader else "none: hard anti-passback only tells"


def _lines(lines: dict[str, bool]) -> str:
    active = [name for name, is_active in lines.items() if is_active]
    return f"active: {', '.join(active)}" if active else "none is active"


# Parity


def parity(report: ParityReport) -> str:
    """The ways in side by side, and in words what is wrong with them."""
    head = ("Way in", "n", "p50", "p95", "typing", "steps", "refused", "given up")
    rows = [head, *(_way(name, one) for name, one in report.ways.items())]
    allowed = report.allowed
    rule = (
        f"Allowed beside the face: {allowed.slack_s:g} s more at p95 and {allowed.steps:g} step"
        f" more, from {allowed.enough} of each on. Typing a PIN is counted apart."
    )
    return "\n".join([table(rows), "", rule, *_judged(report)])


def _judged(report: ParityReport) -> list[str]:
    if report.troubles:
        return ["NOT AS CONVENIENT:", *(f"- {seen(each)}" for each in report.troubles)]
    return [seen(report.warning)] if report.warning else ["Nothing measured breaks it."]


def _way(name: str, one: WayReport) -> tuple[str, ...]:
    times = (_seconds(one.p50_s), _seconds(one.p95_s), _seconds(one.typing_p50_s))
    steps = "-" if one.steps is None else f"{one.steps:g}"
    return (WAYS.get(name, name), str(one.n), *times, steps, str(one.refused), str(one.abandoned))


def _seconds(time_s: float | None) -> str:
    return "-" if time_s is None else f"{time_s:.1f} s"


# Credentials


def cards(answer: CardsAnswer) -> str:
    """The cards of one person, by the beginnings of their hashes."""
    if not answer.cards:
        return f"{seen(answer.person)} has no card."
    rows = [("Card", "Since", "Kind")]
    rows += [
        (each.card, _local(each.bound_utc, None), "weak" if each.is_weak else "proves itself")
        for each in answer.cards
    ]
    return table(rows)


def passes(lines: Iterable[PassLine], zone: ZoneInfo) -> str:
    """Passes as rows; times of the site."""
    rows: list[tuple[str, ...]] = [("Number", "Whose", "Kind", "From", "Until", "Used", "Notes")]
    rows += [_pass_row(each, zone) for each in lines]
    return table(rows) if len(rows) > 1 else "There is no pass."


def _pass_row(line: PassLine, zone: ZoneInfo) -> tuple[str, ...]:
    used = f"{line.used or 0} of {line.uses}" if line.uses else str(line.used or 0)
    notes = (
        *(("revoked",) if line.is_revoked else ()),
        *(("with PIN",) if line.needs_pin else ()),
        *(("rotates",) if line.rotates else ()),
        *((f"visits {line.host}",) if line.host else ()),
    )
    times = _local(line.valid_from, zone), _local(line.valid_until, zone)
    return (line.number, line.person, line.kind, *times, used, ", ".join(notes))


def issued(one: IssuedPass, zone: ZoneInfo) -> str:
    """What a pass says, without its text; times of the site."""
    valid = f"{_local(one.valid_from, zone)} to {_local(one.valid_until, zone)} ({zone.key})"
    return table(
        [
            ("Pass", one.number),
            ("Whose", one.person),
            ("Kind", f"{one.kind}, with a PIN" if one.needs_pin else one.kind),
            ("Valid", valid),
            ("Opens", _times(one.uses)),
            ("Site", one.site),
        ]
    )


def _times(uses: int | None) -> str:
    if not uses:
        return "as often as wanted"
    return "once" if uses == 1 else f"{uses} times"


def _local(instant: datetime, zone: ZoneInfo | None) -> str:
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M")


# Rules


def groups(rules: Rules) -> str:
    """Every group."""
    rows: list[tuple[str, ...]] = [("Group", "Opens by", "When", "Anti-passback", "In a lockdown")]
    rows += [_group(each) for each in rules.groups]
    return table(rows) if len(rows) > 1 else "There is no group: everyone may come in by any way."


def _group(row: GroupRow) -> tuple[str, ...]:
    minutes = "" if row.passback_minutes is None else f", {row.passback_minutes} min"
    return (
        *(row.name, RULES.get(row.rule, row.rule), row.schedule or "always"),
        *(f"{row.passback}{minutes}", "comes in" if row.passes_lockdown else "stays out"),
    )


def schedules(rules: Rules) -> str:
    """Every schedule."""
    rows = [("Schedule", "Open")]
    rows += [(each.name, schedule(each)) for each in rules.schedules]
    zone = f"Local time of {seen(rules.time_zone)}."
    return f"{table(rows)}\n{zone}" if len(rows) > 1 else "There is no schedule."


def schedule(row: ScheduleRow) -> str:
    """One schedule in a line, in the words in which it is typed."""
    usual = row.on_holidays is None
    on_holidays = "as usual" if usual else weeks.day_text(row.on_holidays or ()).replace(";", ", ")
    return f"{week_line.week_text(row.week)} (holidays: {on_holidays})"


def holidays(rules: Rules) -> str:
    """Every holiday, in the order of the calendar."""
    rows = [
        (each.date.isoformat(), each.name)
        for each in sorted(rules.holidays, key=lambda each: each.date)
    ]
    return table([("Day", "Name"), *rows]) if rows else "There is no holiday."
