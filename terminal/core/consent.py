"""Consent to face recognition: which changes there are, and none other.

Consent is given by the person, at the device, by holding the button; it is refused by letting go
sooner, which is always the easier of the two (R12). It ends by withdrawal or by its date, and what
has ended is never given again: a new consent is a new record. The database enforces the same table
(`terminal.schema`), so that no path around this code can make a template usable (R01, T37).

What changes with this file: `enrolment`, the schema's checks, the consent records.
"""

from __future__ import annotations

from terminal.core.values import ConsentState

S = ConsentState

CHANGES: frozenset[tuple[ConsentState, ConsentState]] = frozenset(
    {
        (S.NONE, S.REQUESTED),
        (S.REQUESTED, S.GIVEN),
        (S.REQUESTED, S.REFUSED),
        (S.REQUESTED, S.EXPIRED),
        (S.GIVEN, S.WITHDRAWN),
        (S.GIVEN, S.EXPIRED),
    }
)
"""From and to; the names are the event states of ISO/IEC TS 27560."""


def may_change(now: ConsentState, to: ConsentState) -> bool:
    """Whether one consent may go from `now` to `to`."""
    return (now, to) in CHANGES


def changed(now: ConsentState, to: ConsentState) -> ConsentState:
    """The state after an attempt to go from `now` to `to`: where that is no change, still `now`."""
    return to if may_change(now, to) else now
