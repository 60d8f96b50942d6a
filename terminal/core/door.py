"""The door: what the strike does, what the contact means, and when someone must be told.

The only table that moves the strike. A pulse lasts at most `release_s` and is never begun again
while it runs or while the door stands open (law 5); a held release is another thing with its own
end, asserted by a lease (D15). The record of a release stands before the release (law 4): here, in
the order of the outputs, and again in `machine.ordered`. What the rows do stands in `door_release`,
`door_hold` and `door_watch`.

What changes with this file: `docs/states.md`, the wiring's meaning of the contact, every promise
about the relay.
"""

from __future__ import annotations

from terminal.core.door_hold import (
    assert_hold,
    assertion_is_due,
    begin_free_time,
    cancel_hold,
    cancel_hold_open,
    end_hold,
    end_hold_open,
    free_time_begins,
    hold,
    hold_ends_open,
    hold_is_over,
    is_locked_down,
    lift_lockdown,
    lock_down,
    lock_down_free,
    lock_down_free_open,
    lock_down_released,
    look_at_schedule,
    look_is_due,
    may_not_be_held,
    refuse_hold,
    set_free_passage,
    stands_open,
    stay_locked_down,
)
from terminal.core.door_release import (
    forget_coming,
    grant_in_pulse,
    grant_open,
    grant_while_free,
    grant_without_strike,
    guard_may_not,
    nobody_passed,
    note_exit,
    note_guard,
    opens_to_everyone,
    panel_decides,
    pulse_ends,
    refuse_guard,
    release,
    release_for_exit,
    release_for_guard,
    release_to_everyone,
    rex_releases,
    secure_late,
    tell_panel,
)
from terminal.core.door_state import ANY, STANDING_OPEN, UNFREE, DoorState, P, Step
from terminal.core.door_watch import (
    begin,
    begin_open,
    close_secure,
    close_while_free,
    closes,
    end_hold_for_other,
    end_hold_open_for_other,
    end_pulse_for_other,
    forced,
    found_open,
    held_too_long,
    note_fire,
    note_interlock,
    note_tamper,
    open_secure,
    open_while_free,
    opens,
    opens_with_right,
    other_door_opens,
    other_door_opens_too,
    propped,
    pulse_is_over,
    secure_for_other,
    time_is_up,
    warn_open,
)
from terminal.core.events import (
    ContactChanged,
    Event,
    FireChanged,
    FreePassageSet,
    HoldAsked,
    HoldCancelled,
    InterlockChanged,
    LockdownAsked,
    LockdownLifted,
    ReleaseAsked,
    RexPressed,
    Started,
    StrikeAsked,
    TamperChanged,
    TimePassed,
)
from terminal.core.policy import Policy
from terminal.core.table import advance, row


def step(state: DoorState, event: Event, policy: Policy) -> Step:
    """One event for the door."""
    return advance(TABLE, state, event, policy)


TABLE = (
    row(ANY, Started, P.OPEN, begin_open, when=found_open),
    row(ANY, Started, P.SECURED, begin),
    row(ANY, StrikeAsked, None, tell_panel, when=panel_decides),
    row(P.SECURED, StrikeAsked, P.FREE, release_to_everyone, when=opens_to_everyone),
    row(P.SECURED, StrikeAsked, P.RELEASED, release),
    row(P.RELEASED, StrikeAsked, None, grant_in_pulse),
    row(P.FREE, StrikeAsked, None, grant_while_free),
    row(P.OPEN, StrikeAsked, None, grant_open),
    row((P.WARNED, P.HELD_OPEN), StrikeAsked, P.OPEN, grant_open),
    row(P.FORCED, StrikeAsked, None, grant_without_strike),
    row(P.SECURED, RexPressed, P.RELEASED, release_for_exit, when=rex_releases),
    row(ANY, RexPressed, None, note_exit),
    row(ANY, ReleaseAsked, None, refuse_guard, when=guard_may_not),
    row(P.SECURED, ReleaseAsked, P.RELEASED, release_for_guard),
    row(ANY, ReleaseAsked, None, note_guard),
    row(P.RELEASED, ContactChanged, P.OPEN, open_secure, when=opens),
    row(P.SECURED, ContactChanged, P.OPEN, open_secure, when=opens_with_right),
    row(P.SECURED, ContactChanged, P.FORCED, forced, when=opens),
    row(STANDING_OPEN, ContactChanged, P.SECURED, close_secure, when=closes),
    row(P.FREE, ContactChanged, None, open_while_free, when=opens),
    row(P.FREE, ContactChanged, None, close_while_free, when=closes),
    row(P.RELEASED, TimePassed, P.SECURED, pulse_ends, when=time_is_up),
    row(STANDING_OPEN, TimePassed, None, secure_late, when=pulse_is_over),
    row(P.OPEN, TimePassed, P.WARNED, warn_open, when=time_is_up),
    row(P.WARNED, TimePassed, P.HELD_OPEN, held_too_long, when=time_is_up),
    row(P.HELD_OPEN, TimePassed, None, propped, when=time_is_up),
    row(P.FREE, TimePassed, P.OPEN, end_hold_open, when=hold_ends_open),
    row(P.FREE, TimePassed, P.SECURED, end_hold, when=hold_is_over),
    row(P.FREE, TimePassed, None, assert_hold, when=assertion_is_due),
    row(UNFREE, TimePassed, P.FREE, begin_free_time, when=free_time_begins),
    row(ANY, TimePassed, None, forget_coming, when=nobody_passed),
    row(ANY, TimePassed, None, look_at_schedule, when=look_is_due),
    row(ANY, FreePassageSet, None, set_free_passage),
    row(ANY, HoldAsked, None, refuse_hold, when=may_not_be_held),
    row(ANY, HoldAsked, P.FREE, hold),
    row(P.FREE, HoldCancelled, P.OPEN, cancel_hold_open, when=stands_open),
    row(P.FREE, HoldCancelled, P.SECURED, cancel_hold),
    row(ANY, LockdownAsked, None, stay_locked_down, when=is_locked_down),
    row(P.FREE, LockdownAsked, P.OPEN, lock_down_free_open, when=stands_open),
    row(P.FREE, LockdownAsked, P.SECURED, lock_down_free),
    row(P.RELEASED, LockdownAsked, P.SECURED, lock_down_released),
    row(ANY, LockdownAsked, None, lock_down),
    row(ANY, LockdownLifted, None, lift_lockdown, when=is_locked_down),
    row(ANY, TamperChanged, None, note_tamper),
    row(ANY, FireChanged, None, note_fire),
    row(P.FREE, InterlockChanged, P.OPEN, end_hold_open_for_other, when=other_door_opens_too),
    row(P.FREE, InterlockChanged, P.SECURED, end_hold_for_other, when=other_door_opens),
    row(P.RELEASED, InterlockChanged, P.SECURED, end_pulse_for_other, when=other_door_opens),
    row(ANY, InterlockChanged, None, secure_for_other, when=other_door_opens),
    row(ANY, InterlockChanged, None, note_interlock),
)
