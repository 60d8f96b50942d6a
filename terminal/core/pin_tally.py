"""How often each person's PIN was wrong in a row, and until when none is checked (D13).

The delay is a person's own: nobody else waits for it, and no reader does. What is remembered here
is lost with the process; the store counts too, and after a restart its count begins the delay anew,
once, when that person's credential is first shown.

What changes with this file: `credential_way`, `pin_way`, how fast a PIN can be guessed.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.core.policy import pin_delay_s
from terminal.core.transaction import AccessState, PinTally
from terminal.core.values import Holder, PersonId

TALLIES = 200
"""So many people's wrong PINs are remembered here; the store counts everyone's."""


def tally_of(state: AccessState, person: PersonId) -> PinTally:
    """What is remembered of this person here."""
    return next((one for one in state.pins if one.person == person), PinTally(person, 0, 0.0))


def is_delayed(state: AccessState, person: PersonId, now_s: float) -> bool:
    """Whether no PIN of this person is checked yet at this moment (mono s)."""
    return now_s < tally_of(state, person).until_s


def with_tally(state: AccessState, tally: PinTally) -> AccessState:
    """The state that remembers this; who has none wrong needs no remembering."""
    others = tuple(one for one in state.pins if one.person != tally.person)
    kept = (*others, tally) if tally.failures else others
    return replace(state, pins=kept[-TALLIES:])


def with_stored(state: AccessState, holder: Holder | None, now_s: float) -> AccessState:
    """The state that remembers what the store counted, where that is more than it knew (mono s)."""
    if holder is None or tally_of(state, holder.person).failures >= holder.pin_failures:
        return state
    until_s = now_s + pin_delay_s(holder.pin_failures)
    return with_tally(state, PinTally(holder.person, holder.pin_failures, until_s))


def with_failure(state: AccessState, person: PersonId, now_s: float) -> tuple[AccessState, int]:
    """The state with one more wrong PIN of this person (at mono s), and how many in a row."""
    failures = tally_of(state, person).failures + 1
    tally = PinTally(person, failures, now_s + pin_delay_s(failures))
    return with_tally(state, tally), failures


def without_failures(state: AccessState, person: PersonId) -> AccessState:
    """The state after a right PIN."""
    return with_tally(state, PinTally(person, 0, 0.0))
