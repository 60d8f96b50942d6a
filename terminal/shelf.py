"""What operators are only shown: the door, the ways in, cards, passes, groups, everyone for a file.

Nothing here changes anything, and nothing shown opens a door, but a pass that is asked for by its
number. Who was shown what is not on record yet (D16 comes with roles).

What changes with this file: `requests`, the commands of `terminalctl`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from hw.errors import DeviceError
from hw.wiring import LineName
from terminal.config_sections import Config
from terminal.core.machine import State
from terminal.core.policy import Policy
from terminal.core.values import Moment, PassId
from terminal.errors import NotDone
from terminal.exchange.rows import HeldPerson, PersonRow
from terminal.importer import Importer
from terminal.issuing import Issuing, pass_line
from terminal.metrics import Metrics
from terminal.requests import (
    Asked,
    Cards,
    Door,
    Export,
    Groups,
    ImportRows,
    Line,
    ParityAsked,
    Passes,
    PassShow,
)
from terminal.rules import all_rules
from terminal.store import Person, Store

Lines = Callable[[], Mapping[LineName, bool]]
"""Reads the level of every line that is wired. Raises DeviceError."""

EXPORTED_AT_ONCE = 50
"""So many people stand on one line of an export."""


class Shelf:
    """Answers questions; one per terminal, on the loop's thread."""

    def __init__(
        self,
        config: Config,
        policy: Policy,
        store: Store,
        issuing: Issuing,
        importer: Importer,
        metrics: Metrics,
        lines: Lines,
    ) -> None:
        self._config, self._policy, self._store = config, policy, store
        self._issuing, self._importer, self._metrics = issuing, importer, metrics
        self._lines = lines

    def tell(self, asked: Asked, state: State, at: Moment) -> None:
        """Answer one question. Raises NotDone, StoreFailed."""
        answer = asked.answer
        match asked.request:
            case Door():
                answer.done({"door": self._door(state)})
            case ParityAsked():
                answer.done({"parity": self._metrics.parity.report()})
            case Cards(who=who):
                answer.done(self._cards(self._found(who)))
            case Passes(who=who):
                person = None if who is None else self._found(who).person
                answer.done({"passes": [pass_line(one) for one in self._store.passes.all(person)]})
            case PassShow(number=number):
                answer.done({"pass": self._issuing.show(PassId(number), at)})
            case Groups():
                answer.done(self._rules())
            case ImportRows():
                answer.done({"verdicts": _lines(self._importer.looked_at(asked.request, at))})
            case Export():
                self._export(asked)
            case _:
                raise NotDone("This can't be asked here.")

    def _found(self, who: str) -> Person:
        person = self._store.find(who)
        if person is None:
            raise NotDone("Nobody of that name or identifier is registered.")
        return person

    def _cards(self, person: Person) -> Line:
        cards = [
            {"card": card.handle, "bound_utc": card.bound.isoformat(), "is_weak": card.is_weak}
            for card in self._store.cards.of(person.person)
        ]
        return {"person": person.person, "cards": cards}

    def _rules(self) -> Line:
        groups, schedules, holidays = all_rules(self._store)
        return {
            "groups": _lines(groups),
            "schedules": _lines(schedules),
            "holidays": _lines(holidays),
            "time_zone": self._config.site.time_zone.key,
        }

    def _export(self, asked: Asked) -> None:
        people = [_held(person) for person in self._store.people()]
        for at in range(0, len(people), EXPORTED_AT_ONCE):
            asked.answer.news("people", {"people": _lines(people[at : at + EXPORTED_AT_ONCE])})
        asked.answer.done(self._rules())

    def _door(self, state: State) -> Line:
        door, policy = state.door, self._policy
        return {
            "state": door.phase.value,
            "open": door.is_open,
            "locked_down": door.locked_down,
            "tampered": door.is_tampered,
            "fire": door.fire,
            "interlocked": door.interlocked,
            "by_schedule": door.by_schedule,
            "free_passage": door.free and door.free.name,
            "first_person": door.first_person,
            "rex": policy.rex.value,
            "relock": policy.relock.value,
            "panel": policy.panel.value,
            "alarms": sorted(alarm.value for alarm in state.alarms),
            "exit_reader": policy.has_exit_reader,
            "weak_cards": policy.weak_cards.value,
            "ways": [*sorted(state.readers - policy.not_ways), *_codes(state)],
            **self._levels(),
        }

    def _levels(self) -> Line:
        """The lines as they read; what can't be read is not there."""
        try:
            levels = {name.value: level for name, level in self._lines().items()}
        except DeviceError:
            return {"lines": {}, "strike_released": None}
        return {"lines": levels, "strike_released": levels.get("strike")}


def _codes(state: State) -> tuple[str, ...]:
    works = state.codes and state.camera and state.trusted
    return ("camera codes",) if works else ()


def _held(person: Person) -> HeldPerson:
    row = PersonRow(
        line=0,
        identifier=person.person,
        name=person.name or person.person,
        flat=person.flat or "",
        kind=person.kind.value,
        group=person.group or "",
        valid_from=person.valid_from,
        valid_until=person.valid_until,
    )
    return HeldPerson(row, person.cards)


def _lines(rows: Sequence[object]) -> list[Any]:
    lines: list[Any] = msgspec.to_builtins(rows)
    return lines
