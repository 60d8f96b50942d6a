"""What operators change: each wish as a record for the log and the work that follows it.

A wish is looked at first (is there such a person, such a pass), then put to the core, which has it
on record before it is carried out here (law 4): so nothing is changed unrecorded, and where the log
can't be written nothing is changed at all. Facts for the log are words and pseudonyms: no name, no
number of a card or a panel, no PIN.

What changes with this file: `requests`, `desk`, docs/maintenance.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta

from terminal import requests
from terminal.core.effects import Kind
from terminal.core.events import Event, FreePassageSet
from terminal.core.values import Moment, PassId, PersonId
from terminal.errors import NotDone
from terminal.exchange.rows import GroupRow, ScheduleRow
from terminal.importer import HARD_WITHOUT_EXIT, Importer, count_of
from terminal.issuing import Issuing
from terminal.requests import (
    AnyRequest,
    CardRevoke,
    GroupPut,
    GroupRemove,
    HolidayPut,
    HolidayRemove,
    ImportRows,
    Line,
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
from terminal.rules import facts_of_row, name_of_holiday, schedule_of_row
from terminal.store import Person, Store
from terminal.store.people import PanelNumber
from terminal.store.settings import FreePassage

Done = tuple[Line, tuple[Event, ...]]
Work = Callable[[Moment], Done]


@dataclass(frozen=True, slots=True)
class Change:
    """One wish: of what kind and about whom it is, for the record, and what there is to do."""

    kind: Kind
    do: Work
    person: PersonId | None = None
    facts: tuple[tuple[str, str], ...] = field(default=())


class Changes:
    """Understands wishes; one per terminal, on the loop's thread."""

    def __init__(
        self,
        store: Store,
        issuing: Issuing,
        importer: Importer,
        duress_suffix: bytes,
        has_exit_reader: bool,
    ) -> None:
        self._store, self._issuing, self._importer = store, issuing, importer
        self._suffix, self._has_exit_reader = duress_suffix, has_exit_reader

    def of(self, request: AnyRequest, at: Moment) -> Change | None:
        """The change that is asked for; None where nothing is changed. Raises NotDone."""
        match request:
            case CardRevoke():
                return self._revoke_card(request)
            case PinSet() | PinClear():
                return self._pin(request)
            case PassIssue():
                return self._issue(request, at)
            case PassRevoke():
                return self._revoke_pass(PassId(request.number))
            case PassKeyChange():
                return self._change_key(request)
            case PersonPut():
                return self._put_person(request)
            case PassbackReset():
                return self._reset_passback(request)
            case ImportRows(write=True):
                return self._import(request)
            case _:
                return self._of_rules(request)

    def free_passage(self, at: Moment) -> FreePassageSet:
        """When the door is open to everyone, as it is written; a schedule that is gone: never."""
        wanted = self._store.settings.free_passage()
        if wanted.schedule is None:
            return FreePassageSet(at, None)
        schedule = self._store.groups.schedule(wanted.schedule)
        return FreePassageSet(at, schedule, wanted.first_person)

    def found(self, who: str) -> Person:
        """The person of this name or identifier. Raises NotDone."""
        person = self._store.find(who)
        if person is None:
            raise NotDone("Nobody of that name or identifier is registered.")
        return person

    # People, cards, PINs

    def _revoke_card(self, request: CardRevoke) -> Change:
        person = self.found(request.who).person
        if all(card.handle != request.card for card in self._store.cards.of(person)):
            raise NotDone("This person has no such card; terminalctl card list shows them.")

        def revoke(at: Moment) -> Done:
            self._store.cards.revoke(person, request.card)
            return {"person": person}, ()

        return Change(Kind.CARD_REVOKED, revoke, person)

    def _pin(self, request: PinSet | PinClear) -> Change:
        person = self.found(request.who).person

        def put(at: Moment) -> Done:
            if isinstance(request, PinClear):
                self._store.pins.clear(person)
            else:
                digits = bytearray(request.digits.encode())
                self._store.pins.set(person, digits, at, self._suffix)
                digits[:] = bytes(len(digits))
            return {"person": person}, ()

        kind = Kind.PIN_SET if isinstance(request, PinSet) else Kind.PIN_CLEARED
        return Change(kind, put, person)

    def _put_person(self, request: PersonPut) -> Change:
        person = self.found(request.who).person
        facts: list[tuple[str, str]] = []
        if isinstance(request.group, str | None):
            facts.append(("group", request.group or "everyone"))
        if isinstance(request.panel_number, int | None):
            facts.append(("panel_number", "none" if request.panel_number is None else "set"))
        if not facts:
            raise NotDone("There is nothing to change.")
        return Change(
            Kind.PERSON_CHANGED, lambda at: self._put(person, request), person, tuple(facts)
        )

    def _put(self, person: PersonId, request: PersonPut) -> Done:
        details = self._store.details_of(person)
        if isinstance(request.group, str | None):
            details = replace(details, group=request.group)
        if isinstance(request.panel_number, int | None):
            number = request.panel_number
            details = replace(details, panel=None if number is None else PanelNumber(0, number))
        self._store.update_person(person, details)
        return {"person": person}, ()

    def _reset_passback(self, request: PassbackReset) -> Change:
        person = None if request.who is None else self.found(request.who).person

        def reset(at: Moment) -> Done:
            return {"people": self._store.reset_whereabouts(person)}, ()

        return Change(Kind.PASSBACK_RESET, reset, person)

    # Passes

    def _issue(self, request: PassIssue, at: Moment) -> Change:
        wish = self._issuing.wish(request, self.found(request.who), at)
        facts = (("kind", request.kind), ("uses", str(wish.uses)), ("pass", wish.number[:4]))
        return Change(
            Kind.PASS_ISSUED,
            lambda now: ({"pass": self._issuing.issue(wish, now)}, ()),
            wish.holder,
            facts,
        )

    def _revoke_pass(self, number: PassId) -> Change:
        known = self._store.passes.of_number(number)
        if known is None:
            raise NotDone("There is no pass of this number; terminalctl pass list shows them.")

        def revoke(at: Moment) -> Done:
            self._store.passes.revoke(number, at)
            return {"number": number}, ()

        return Change(Kind.PASS_REVOKED, revoke, known.facts.person, (("pass", number[:4]),))

    def _change_key(self, request: PassKeyChange) -> Change:
        overlap = timedelta(days=request.overlap_days)
        facts = (("overlap_days", str(request.overlap_days)),)
        return Change(
            Kind.PASS_KEY_CHANGED,
            lambda at: ({"key_id": self._issuing.change_key(at, overlap)}, ()),
            facts=facts,
        )

    # Files

    def _import(self, request: ImportRows) -> Change:
        def write(at: Moment) -> Done:
            verdicts = self._importer.written(request, at)
            line = {"verdicts": [asdict(verdict) for verdict in verdicts]}
            return line, (self.free_passage(at),)

        return Change(Kind.IMPORTED, write, facts=(("rows", str(count_of(request))),))

    # Groups, schedules, holidays

    def _of_rules(self, request: AnyRequest) -> Change | None:
        match request:
            case GroupPut():
                return self._put_group(request.group)
            case GroupRemove():
                return self._rule("group_removed", lambda: self._store.groups.remove(request.name))
            case SchedulePut():
                return self._put_schedule(request.schedule)
            case ScheduleRemove():
                return self._remove_schedule(request.name)
            case HolidayPut(holiday=holiday):
                return self._rule(
                    "holiday",
                    lambda: self._store.groups.put_holiday(holiday.date, name_of_holiday(holiday)),
                )
            case HolidayRemove():
                return self._rule(
                    "holiday_removed", lambda: self._store.groups.remove_holiday(request.day)
                )
            case requests.FreePassage():
                return self._set_free_passage(request)
            case _:
                return None

    def _put_group(self, row: GroupRow) -> Change:
        self._check_group(row)
        return Change(
            Kind.GROUP_CHANGED,
            lambda at: self._ruled(lambda: self._store.groups.put(facts_of_row(row)), at),
            facts=(("group", row.name), ("rule", row.rule), ("passback", row.passback)),
        )

    def _check_group(self, row: GroupRow) -> None:
        """Raises NotDone for what this door can't do."""
        if row.passback == "hard" and not self._has_exit_reader:
            raise NotDone(HARD_WITHOUT_EXIT)

    def _put_schedule(self, row: ScheduleRow) -> Change:
        schedule = schedule_of_row(row)
        return Change(
            Kind.SCHEDULE_CHANGED,
            lambda at: self._ruled(lambda: self._store.groups.put_schedule(schedule), at),
            facts=(("schedule", row.name),),
        )

    def _remove_schedule(self, name: str) -> Change:
        return self._rule("schedule_removed", lambda: self._store.groups.remove_schedule(name))

    def _set_free_passage(self, request: requests.FreePassage) -> Change:
        name = request.schedule
        if name is not None and self._store.groups.schedule(name) is None:
            raise NotDone("There is no schedule of this name; terminalctl schedule list.")

        def put(at: Moment) -> Done:
            self._store.settings.put_free_passage(FreePassage(name, request.first_person), at)
            return {"schedule": name}, (self.free_passage(at),)

        facts = (("schedule", name or "none"), ("first_person", _yes(request.first_person)))
        return Change(Kind.FREE_PASSAGE, put, facts=facts)

    def _rule(self, what: str, do: Callable[[], None]) -> Change:
        return Change(
            Kind.SCHEDULE_CHANGED, lambda at: self._ruled(do, at), facts=(("what", what),)
        )

    def _ruled(self, do: Callable[[], None], at: Moment) -> Done:
        """A schedule may be the door's own, so the core is told of it anew."""
        do()
        return {}, (self.free_passage(at),)


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
