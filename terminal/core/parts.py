"""What the terminal notes of its own parts, its people and its alarms, beside the tables.

A part that comes or goes is a record once, not at each time it is said. An alarm stands until it is
over or acknowledged; what still has its cause can't be acknowledged away. An operator's change is
recorded here, and carried out by the bridge after its record.

What changes with this file: the records of the terminal's health, `terminalctl status`.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.core import door_watch
from terminal.core.effects import CarryOut, Effects, Kind, Record
from terminal.core.events import (
    AlarmEnded,
    AlarmRaised,
    AlarmsAcknowledged,
    CameraChanged,
    ChangeAsked,
    CodesChanged,
    EnrolledChanged,
    Event,
    ParityJudged,
    ReaderChanged,
    SignRead,
    Started,
    VisionChanged,
)
from terminal.core.policy import AlarmLine, Policy
from terminal.core.state import State
from terminal.core.values import Alarm

Step = tuple[State, Effects]


def noted(state: State, event: Event) -> Step:
    """The state that knows what this event says of the parts, and the records of it."""
    match event:
        case Started():
            fresh = State(readers=frozenset(event.readers), trusted=event.at.trusted)
            return fresh, (Record(Kind.STARTED, event.at),)
        case VisionChanged():
            return _vision_noted(state, event)
        case CameraChanged() if event.working != state.camera:
            after = replace(state, camera=event.working)
            return after, (_part(Kind.CAMERA, event, event.working),)
        case ReaderChanged():
            return _reader_noted(state, event)
        case CodesChanged() if event.working != state.codes:
            after = replace(state, codes=event.working)
            return after, (_part(Kind.CODES, event, event.working),)
        case ChangeAsked():
            record = Record(event.kind, event.at, event.person, by=event.by, facts=event.facts)
            return state, (record, CarryOut(event.number))
        case AlarmsAcknowledged():
            kept = state.alarms & (door_watch.standing(state.door) | {Alarm.PARITY})
            facts = tuple(("alarm", name) for name in sorted(one.value for one in state.alarms))
            record = Record(Kind.ALARMS_ACKNOWLEDGED, event.at, by=event.by, facts=facts)
            return replace(state, alarms=kept), (record,)
        case ParityJudged() if event.broken != (Alarm.PARITY in state.alarms):
            facts = (("convenient", "no" if event.broken else "yes"),)
            after = _alarmed(state, Alarm.PARITY, event.broken)
            return after, (Record(Kind.PARITY, event.at, facts=facts),)
        case EnrolledChanged():
            after = replace(
                state,
                enrolled=event.people,
                supported=event.supported,
                room=event.room,
                readable=event.readable,
            )
            return after, ()
        case SignRead():
            failed = state.sign_failed and not event.lit
            return replace(state, sign_lit=event.lit, sign_failed=failed), ()
        case _:
            return state, ()


def heard_alarm(state: State, event: AlarmRaised | AlarmEnded) -> State:
    """The state that knows what a table said of an alarm."""
    return _alarmed(state, event.alarm, isinstance(event, AlarmRaised))


def _alarmed(state: State, alarm: Alarm, stands: bool) -> State:
    one = frozenset({alarm})
    return replace(state, alarms=state.alarms | one if stands else state.alarms - one)


def _vision_noted(state: State, event: VisionChanged) -> Step:
    if event.alive == state.vision:
        return state, ()
    after = replace(state, vision=event.alive, camera=False)
    return after, (_part(Kind.VISION, event, event.alive),)


def _reader_noted(state: State, event: ReaderChanged) -> Step:
    if (event.reader in state.readers) == event.working:
        return state, ()
    one = frozenset({event.reader})
    readers = state.readers | one if event.working else state.readers - one
    record = _part(Kind.READER, event, event.working, ("reader", event.reader))
    return replace(state, readers=readers), (record,)


def _part(kind: Kind, event: Event, works: bool, *facts: tuple[str, str]) -> Record:
    return Record(kind, event.at, facts=(*facts, ("works", "yes" if works else "no")))


def sounds(state: State, policy: Policy) -> bool:
    """Whether the alarm contact is closed; duress closes it only where nobody at the door hears."""
    silent = {Alarm.PARITY} if policy.alarm_line is AlarmLine.ALL else SILENT
    return bool(state.alarms - silent)


SILENT = frozenset({Alarm.DURESS, Alarm.PARITY})
"""Alarms that may not be heard at the door, or that no siren is for."""
