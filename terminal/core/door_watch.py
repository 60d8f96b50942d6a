"""What the door's contact and the other lines mean, and when somebody must be told.

The door is forced when it opens with the strike at rest and nobody leaving; held when it stays open
too long, after a warning; propped when nobody cares. Fire is watched and never acted on: the fire
panel opens the door in hardware (D15), so that software can neither cause nor prevent it.

What changes with this file: the rows of `door` that watch, the alarms in docs/doors.md.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.core.door_hold import end_hold, end_hold_open
from terminal.core.door_state import DoorPhase, DoorState, Step, bar_told, open_s, passed
from terminal.core.effects import Kind, Play, Record, SecureStrike, Sound
from terminal.core.events import (
    AlarmEnded,
    AlarmRaised,
    ContactChanged,
    DoorCycleEnded,
    FireChanged,
    InterlockChanged,
    Started,
    TamperChanged,
    TimePassed,
)
from terminal.core.policy import Panel, Policy, Relock
from terminal.core.table import Outputs, is_due
from terminal.core.values import Alarm, Moment

# Guards


def opens(state: DoorState, event: ContactChanged, policy: Policy) -> bool:
    return event.open


def closes(state: DoorState, event: ContactChanged, policy: Policy) -> bool:
    return not event.open


def opens_with_right(state: DoorState, event: ContactChanged, policy: Policy) -> bool:
    """Somebody leaves, the fire panel opens it, or another panel moves the lock."""
    leaves = state.rex_until_s is not None and event.at.mono_s <= state.rex_until_s
    return event.open and (leaves or state.fire or policy.panel is not Panel.NONE)


def time_is_up(state: DoorState, event: TimePassed, policy: Policy) -> bool:
    return is_due(state.until_s, event.at.mono_s)


def pulse_is_over(state: DoorState, event: TimePassed, policy: Policy) -> bool:
    return is_due(state.strike_until_s, event.at.mono_s)


def found_open(state: DoorState, event: Started, policy: Policy) -> bool:
    return event.door_open


def other_door_opens(state: DoorState, event: InterlockChanged, policy: Policy) -> bool:
    return event.active


def other_door_opens_too(state: DoorState, event: InterlockChanged, policy: Policy) -> bool:
    return event.active and state.is_open


# The contact


def begin(state: DoorState, event: Started, policy: Policy) -> Step:
    return _started(DoorState(), event)


def begin_open(state: DoorState, event: Started, policy: Policy) -> Step:
    until_s = event.at.mono_s + open_s(policy)
    return _started(DoorState(is_open=True, until_s=until_s), event)


def _started(fresh: DoorState, event: Started) -> Step:
    after = replace(
        fresh,
        locked_down=event.locked_down,
        is_tampered=event.tampered,
        fire=event.fire,
        interlocked=event.interlocked,
    )
    found: Outputs = (
        *(_tampered(event.at) if event.tampered else ()),
        *(_fire(event.at) if event.fire else ()),
    )
    return after, (SecureStrike(), *found, bar_told(after, event.at))


def open_secure(state: DoorState, event: ContactChanged, policy: Policy) -> Step:
    """The strike is secured at once, or where the site wants it when the door is closed again."""
    noted, notes = passed(state, event.at)
    after = replace(noted, is_open=True, until_s=event.at.mono_s + open_s(policy))
    record = Record(Kind.DOOR_OPENED, event.at)
    if policy.relock is Relock.ON_CLOSE:
        return after, (record, *notes)
    return replace(after, strike_until_s=None), (SecureStrike(), record, *notes)


def forced(state: DoorState, event: ContactChanged, policy: Policy) -> Step:
    after = replace(state, is_open=True)
    raised = AlarmRaised(event.at, Alarm.FORCED_OPEN)
    record = Record(Kind.FORCED_OPEN, event.at)
    return after, (SecureStrike(), record, raised, Play(Sound.ALARM))


def close_secure(state: DoorState, event: ContactChanged, policy: Policy) -> Step:
    after = replace(
        state, is_open=False, until_s=None, strike_until_s=None, rex_until_s=None, coming=()
    )
    closed = Record(Kind.DOOR_CLOSED, event.at)
    return after, (SecureStrike(), closed, *_no_longer_held(event.at))


def _no_longer_held(at: Moment) -> Outputs:
    held, propped = AlarmEnded(at, Alarm.HELD_OPEN), AlarmEnded(at, Alarm.PROPPED)
    return held, propped, DoorCycleEnded(at)


def open_while_free(state: DoorState, event: ContactChanged, policy: Policy) -> Step:
    return replace(state, is_open=True), (Record(Kind.DOOR_OPENED, event.at),)


def close_while_free(state: DoorState, event: ContactChanged, policy: Policy) -> Step:
    """Whoever went through is through, also for the one who watches how a visit ends."""
    closed = Record(Kind.DOOR_CLOSED, event.at)
    return replace(state, is_open=False), (closed, *_no_longer_held(event.at))


def warn_open(state: DoorState, event: TimePassed, policy: Policy) -> Step:
    """Before it is an alarm, whoever stands there is asked to close it."""
    warn_s = policy.held_open_s - open_s(policy)
    return replace(state, until_s=event.at.mono_s + warn_s), (Play(Sound.WARNING),)


def held_too_long(state: DoorState, event: TimePassed, policy: Policy) -> Step:
    raised = AlarmRaised(event.at, Alarm.HELD_OPEN)
    after = replace(state, until_s=event.at.mono_s + policy.propped_s)
    return after, (Record(Kind.HELD_OPEN, event.at), raised, Play(Sound.ALARM))


def propped(state: DoorState, event: TimePassed, policy: Policy) -> Step:
    """Nobody has closed it since the alarm: said again, once."""
    raised = AlarmRaised(event.at, Alarm.PROPPED)
    return replace(state, until_s=None), (
        Record(Kind.PROPPED, event.at),
        raised,
        Play(Sound.ALARM),
    )


# The other lines


def note_tamper(state: DoorState, event: TamperChanged, policy: Policy) -> Step:
    after = replace(state, is_tampered=event.open)
    if event.open:
        return after, (*_tampered(event.at), Play(Sound.ALARM))
    return after, (Record(Kind.TAMPER, event.at, facts=(("case", "closed"),)),)


def note_fire(state: DoorState, event: FireChanged, policy: Policy) -> Step:
    after = replace(state, fire=event.active)
    if event.active:
        return after, _fire(event.at)
    over = AlarmEnded(event.at, Alarm.FIRE)
    return after, (Record(Kind.FIRE, event.at, facts=(("signal", "over"),)), over)


def note_interlock(state: DoorState, event: InterlockChanged, policy: Policy) -> Step:
    after = replace(state, interlocked=event.active)
    facts = (("other_door", "open" if event.active else "closed"),)
    return after, (Record(Kind.INTERLOCK, event.at, facts=facts), bar_told(after, event.at))


def secure_for_other(state: DoorState, event: InterlockChanged, policy: Policy) -> Step:
    """A pulse that runs on while this door is open ends with the other's opening, too."""
    after, outputs = note_interlock(replace(state, strike_until_s=None), event, policy)
    return after, (SecureStrike(), *outputs)


def end_hold_for_other(state: DoorState, event: InterlockChanged, policy: Policy) -> Step:
    noted, outputs = note_interlock(state, event, policy)
    after, ending = end_hold(noted, event, policy)
    return after, (*ending, *outputs)


def end_hold_open_for_other(state: DoorState, event: InterlockChanged, policy: Policy) -> Step:
    noted, outputs = note_interlock(state, event, policy)
    after, ending = end_hold_open(noted, event, policy)
    return after, (*ending, *outputs)


def end_pulse_for_other(state: DoorState, event: InterlockChanged, policy: Policy) -> Step:
    noted, outputs = note_interlock(state, event, policy)
    after = replace(noted, until_s=None, strike_until_s=None, coming=())
    return after, (SecureStrike(), *outputs, DoorCycleEnded(event.at))


def _tampered(at: Moment) -> Outputs:
    record = Record(Kind.TAMPER, at, facts=(("case", "open"),))
    return record, AlarmRaised(at, Alarm.TAMPER)


def _fire(at: Moment) -> Outputs:
    return Record(Kind.FIRE, at, facts=(("signal", "on"),)), AlarmRaised(at, Alarm.FIRE)


def standing(state: DoorState) -> frozenset[Alarm]:
    """The alarms whose cause is still there, so that nobody can acknowledge them away."""
    causes = (
        (Alarm.FORCED_OPEN, state.phase is DoorPhase.FORCED),
        (Alarm.HELD_OPEN, state.phase is DoorPhase.HELD_OPEN),
        (Alarm.PROPPED, state.phase is DoorPhase.HELD_OPEN),
        (Alarm.TAMPER, state.is_tampered),
        (Alarm.FIRE, state.fire),
    )
    return frozenset(alarm for alarm, is_there in causes if is_there)
