"""How many refusals in a row each reader had, what of them is recorded, and when it is an alarm.

A reader never pauses (D13): the fifth refusal in a row is an alarm (R40), and the sixth is read as
readily as the first. A good credential begins the count again.

What changes with this file: the records of refusals, `credential_way`.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.core.admission import way_of
from terminal.core.effects import Kind, Play, Record, Sound
from terminal.core.events import AlarmRaised, CredentialPresented
from terminal.core.policy import READER_FAILURES, REFUSALS_S
from terminal.core.table import Outputs
from terminal.core.transaction import AccessState
from terminal.core.values import Alarm, Reason


def with_none_refused(state: AccessState, reader: str) -> AccessState:
    """The state after a good credential at this reader."""
    return _counted(state, reader, 0)


def with_refusal(
    state: AccessState, event: CredentialPresented, reason: Reason
) -> tuple[AccessState, Outputs]:
    """The state with one more refusal at this reader, its record, and at the fifth the alarm."""
    failures = dict(state.reader_failures).get(event.reader, 0) + 1
    after, records = _noted(_counted(state, event.reader, failures), event, reason, failures)
    return after, (*records, *_alarm(event, failures))


def _counted(state: AccessState, reader: str, failures: int) -> AccessState:
    counts = {**dict(state.reader_failures), reader: failures}
    return replace(state, reader_failures=tuple(sorted(counts.items())))


def _noted(
    state: AccessState, event: CredentialPresented, reason: Reason, failures: int
) -> tuple[AccessState, Outputs]:
    """Each refusal is a record; past the alarm one a second is, with how many there were.

    A reader never pauses, so a keyboard in its place could fill the disk otherwise.
    """
    noted_s = dict(state.reader_noted_s)
    too_soon = event.at.mono_s - noted_s.get(event.reader, -REFUSALS_S) < REFUSALS_S
    if failures > READER_FAILURES and too_soon:
        return state, ()
    times = tuple(sorted({**noted_s, event.reader: event.at.mono_s}.items()))
    return replace(state, reader_noted_s=times), (_record(event, reason, failures),)


def _record(event: CredentialPresented, reason: Reason, failures: int) -> Record:
    counted = (("failures", str(failures)),) if failures > READER_FAILURES else ()
    return Record(
        Kind.REFUSED,
        event.at,
        person=event.holder.person if event.holder else None,
        way=way_of(event),
        reason=reason,
        facts=(("reader", event.reader), *counted),
    )


def _alarm(event: CredentialPresented, failures: int) -> Outputs:
    if failures != READER_FAILURES:
        return ()
    facts = (("reader", event.reader), ("failures", str(failures)))
    record = Record(Kind.READER_ALARM, event.at, way=way_of(event), facts=facts)
    return record, AlarmRaised(event.at, Alarm.READER), Play(Sound.ALARM)
