"""Laws of alarms: each is raised with its record, none is lost, and what is heard is what stands.

What changes with this file: nothing in the product; a new promise of the core gets its law here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from terminal.core.effects import Kind, Record, SoundAlarm
from terminal.core.events import (
    AlarmsAcknowledged,
    ContactChanged,
    FireChanged,
    ParityJudged,
    Started,
    TamperChanged,
)
from terminal.core.policy import AlarmLine, Policy
from terminal.core.values import Alarm
from tests.core.given import Told, only
from tests.core.law import demand

RAISED = {
    (Kind.FORCED_OPEN, None): Alarm.FORCED_OPEN,
    (Kind.HELD_OPEN, None): Alarm.HELD_OPEN,
    (Kind.PROPPED, None): Alarm.PROPPED,
    (Kind.TAMPER, ("case", "open")): Alarm.TAMPER,
    (Kind.FIRE, ("signal", "on")): Alarm.FIRE,
    (Kind.DURESS, None): Alarm.DURESS,
    (Kind.READER_ALARM, None): Alarm.READER,
    (Kind.PIN_ALARM, None): Alarm.PIN,
    (Kind.PARITY, ("convenient", "no")): Alarm.PARITY,
}


@dataclass(slots=True)
class Alarms:
    """What a bystander knows of the alarms."""

    policy: Policy
    standing: set[Alarm] = field(default_factory=set)
    is_open: bool = False
    burns: bool = False
    is_uneven: bool = False
    sounds: bool = False

    def see(self, told: Told) -> None:
        """One step. Raises BrokenLawError."""
        self._hear(told)
        self._end(told)
        for one in only(told.effects, Record):
            self._raise(one)
        if isinstance(told.event, AlarmsAcknowledged):
            self._acknowledged(told)
        demand(self.standing == told.after.alarms, "an alarm is never lost")
        self._is_heard(told)

    def _hear(self, told: Told) -> None:
        match told.event:
            case Started() as event:
                self.standing, self.is_uneven = set(), False
                self.is_open, self.burns = event.tampered, event.fire
            case TamperChanged(open=is_open):
                self.is_open = is_open
            case FireChanged(active=active):
                self.burns = active
            case ParityJudged(broken=broken):
                self.is_uneven = broken
            case _:
                pass

    def _end(self, told: Told) -> None:
        """Those that are over by themselves."""
        event = told.event
        if isinstance(event, ContactChanged) and not event.open and told.before.door.is_open:
            self.standing -= {Alarm.HELD_OPEN, Alarm.PROPPED}
        if not self.burns:
            self.standing.discard(Alarm.FIRE)
        if not self.is_uneven:
            self.standing.discard(Alarm.PARITY)

    def _raise(self, one: Record) -> None:
        fact = one.facts[0] if one.facts else None
        for (kind, wanted), alarm in RAISED.items():
            if one.kind is kind and wanted in (None, fact):
                self.standing.add(alarm)

    def _acknowledged(self, told: Told) -> None:
        """What has its cause still is still there; of the door's, the door knows."""
        causes = {
            Alarm.TAMPER: self.is_open,
            Alarm.FIRE: self.burns,
            Alarm.PARITY: self.is_uneven,
        }
        for alarm, is_there in causes.items():
            kept = alarm in told.after.alarms or alarm not in self.standing or not is_there
            demand(kept, "no alarm is acknowledged away")
        seen = {Alarm.DURESS, Alarm.READER, Alarm.PIN} & told.after.alarms
        demand(not seen, "what was acknowledged is over")
        self.standing &= told.after.alarms

    def _is_heard(self, told: Told) -> None:
        for said in only(told.effects, SoundAlarm):
            self.sounds = said.on
        silent = {Alarm.PARITY}
        if self.policy.alarm_line is AlarmLine.LOUD:
            silent |= {Alarm.DURESS}
        demand(self.sounds is bool(self.standing - silent), "the contact says what stands")
