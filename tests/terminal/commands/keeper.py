"""A door that keeps rows in memory: takes imports as a store would, and exports what it has.

It refuses what refers to nothing it has, and whatever a test names, so that an import meets both
kinds of refusal; `on_write` lets a test do something in the middle of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from terminal.exchange.rows import GroupRow, HolidayRow, PersonRow, Row, ScheduleRow
from terminal.requests import Export, Groups, ImportRows, Line
from tests.terminal.commands.given import done
from tests.terminal.commands.twin import Said, refused


@dataclass
class Keeper:
    """What this door has. `refuses` are names, with the sentence that each is refused with."""

    refuses: dict[str, str] = field(default_factory=dict)
    people: dict[str, PersonRow] = field(default_factory=dict)
    groups: dict[str, GroupRow] = field(default_factory=dict)
    schedules: dict[str, ScheduleRow] = field(default_factory=dict)
    holidays: dict[str, HolidayRow] = field(default_factory=dict)
    on_write: Callable[[], None] = lambda: None
    order: list[str] = field(default_factory=list)

    def __call__(self, request: Any) -> Said:
        match request:
            case Groups():
                return done(**self._rules())
            case ImportRows():
                if request.write:
                    self.on_write()
                return done(verdicts=list(self._verdicts(request)))
            case Export():
                return self._export()
            case _:
                return refused("This door only keeps rows.")

    def _verdicts(self, request: ImportRows) -> Iterator[Line]:
        kinds: tuple[tuple[str, tuple[Row, ...]], ...] = (
            ("schedule", request.schedules),
            ("holiday", request.holidays),
            ("group", request.groups),
            ("person", request.people),
        )
        for what, rows in kinds:
            for row in rows:
                why = self._why_not(row)
                if request.write and why is None:
                    self._keep(what, row)
                yield {
                    "line": row.line,
                    "ok": why is None,
                    "sentence": why or "Good.",
                    "what": what,
                }

    def _why_not(self, row: Row) -> str | None:
        if isinstance(row, PersonRow) and row.group and row.group not in self.groups:
            return "There is no such group."
        if isinstance(row, GroupRow) and row.schedule and row.schedule not in self.schedules:
            return "There is no such schedule."
        return self.refuses.get(row.name)

    def _keep(self, what: str, row: Row) -> None:
        self.order.append(what)
        match row:
            case PersonRow():
                self.people[row.identifier or row.name] = row
            case GroupRow():
                self.groups[row.name] = row
            case ScheduleRow():
                self.schedules[row.name] = row
            case HolidayRow():
                self.holidays[row.date.isoformat()] = row

    def _rules(self) -> Line:
        return {
            "groups": msgspec.to_builtins(list(self.groups.values())),
            "schedules": msgspec.to_builtins(list(self.schedules.values())),
            "holidays": msgspec.to_builtins(list(self.holidays.values())),
            "time_zone": "Asia/Shanghai",
        }

    def _export(self) -> Iterator[Line]:
        for person in self.people.values():
            row = msgspec.to_builtins(replace(person, cards=()))
            held = {"row": row, "card_count": len(person.cards)}
            yield {"news": "people", "people": [held]}
        yield done(**self._rules())
