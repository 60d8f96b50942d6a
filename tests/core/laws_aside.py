"""The law of whoever said no, or showed a credential: nobody looks at that person until D9's end.

`Aside` reckons that end by itself: from the presses and credentials, from presence, and from the
door's own cycle. It allows an end a little too often where it can't know better, never too seldom.

What changes with this file: nothing in the product; a new promise of the core gets its law here.
"""

from __future__ import annotations

from dataclasses import dataclass

from terminal.core.effects import Kind, Record, SecureStrike
from terminal.core.enrolment import EnrolmentPhase
from terminal.core.events import (
    ContactChanged,
    DeclineSaid,
    FaceAsked,
    PinTyped,
    PresenceChanged,
    Started,
)
from terminal.core.policy import Policy
from terminal.core.transaction import AccessPhase
from terminal.core.values import Level, Permission
from tests.core.given import Told, only
from tests.core.law import EPSILON_S, demand
from tests.core.laws_entry import grants, is_in_hand


@dataclass(slots=True)
class Aside:
    """Since when somebody is not to be looked at, and what may end it (mono s)."""

    policy: Policy
    is_aside: bool = False
    declined: bool = False
    since_s: float = 0.0
    quiet_s: float | None = None
    was_let_in: bool = False
    cycle_s: float | None = None

    def see(self, told: Told, lease: Permission) -> bool:
        """One step, and the lease that vision has after it: whether `is_aside` has just ended.

        Raises BrokenLawError.
        """
        if isinstance(told.event, Started):
            self.is_aside = self.declined = False
        if told.before.access.phase is not AccessPhase.DECLINED:
            self.declined = False
        self._begins(told)
        self._ends_come(told)
        if not self.is_aside:
            return False
        if isinstance(told.event, FaceAsked) and _is_heard(told):
            self.is_aside = self.declined = False
            return False
        return self._is_looked_at(told, lease)

    def _begins(self, told: Told) -> None:
        now_s = told.event.at.mono_s
        said_no = any(one.kind is Kind.DECLINED for one in only(told.effects, Record))
        if said_no or (self.declined and _presses(told)):
            self._begin(now_s)
            self.declined = True
        elif _shows(told) and not self.declined:
            self._begin(now_s)
        if said_no or (_shows(told) and not isinstance(told.event, PinTyped)):
            self.was_let_in, self.cycle_s = False, None
        if any(("side", "out") not in one.facts for one in grants(told)):
            self.was_let_in = True

    def _begin(self, now_s: float) -> None:
        self.is_aside, self.since_s, self.quiet_s = True, now_s, None

    def _ends_come(self, told: Told) -> None:
        now_s = told.event.at.mono_s
        if isinstance(told.event, PresenceChanged):
            self.quiet_s = None if told.event.present else now_s
        closes = isinstance(told.event, ContactChanged) and not told.event.open
        secured = bool(only(told.effects, SecureStrike)) and not told.after.door.is_open
        panel = told.before.door.coming_until_s is not None and not told.after.door.coming
        if self.was_let_in and self.cycle_s is None and (closes or secured or panel):
            self.cycle_s = now_s

    def _is_looked_at(self, told: Told, lease: Permission) -> bool:
        """Nobody may be, but who captures references, or verifies the face of a card."""
        pending = told.after.access.pending
        second = pending is not None and pending.wants_face and not self.declined
        if lease.level in (Level.NONE, Level.ENROL) or second:
            return False
        demand(self._is_over(told.event.at.mono_s), "who chose another way is left alone")
        self.is_aside = self.declined = False
        return True

    def _is_over(self, now_s: float) -> bool:
        ends = (
            self.since_s + self.policy.decline_max_s,
            None if self.quiet_s is None else self.quiet_s + self.policy.decline_clear_s,
            None if self.cycle_s is None else self.cycle_s + self.policy.decline_hold_s,
        )
        return any(end_s is not None and now_s >= end_s - EPSILON_S for end_s in ends)


def _shows(told: Told) -> bool:
    """Whether access, not an enrolment, was shown a credential, or a PIN without one was typed."""
    typed = isinstance(told.event, PinTyped) and told.before.access.pending is None
    enrols = told.before.enrolment.phase is EnrolmentPhase.TAP_CARD
    taken = enrols and told.before.access == told.after.access
    return typed or (is_in_hand(told.event) and not taken)


def _presses(told: Told) -> bool:
    """Whether the button was for access: an enrolment takes it as its own answer."""
    idle = told.before.enrolment.phase in (EnrolmentPhase.IDLE, EnrolmentPhase.TAP_CARD)
    return idle and isinstance(told.event, DeclineSaid)


def _is_heard(told: Told) -> bool:
    idle = told.before.access.phase is AccessPhase.IDLE
    return idle and told.before.enrolment.phase is not EnrolmentPhase.CAPTURE
