"""Laws of who comes in and goes out: lockdown, the other door, passes, PINs, passages, the way out.

`Entry` is a bystander like `laws.Watch`: it keeps its own lockdown, its own count of wrong PINs and
its own list of whoever was let in, from the events and effects alone.

What changes with this file: nothing in the product; a new promise of the core gets its law here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from terminal.core.effects import (
    CheckPin,
    HoldStrike,
    Kind,
    NotePassage,
    Record,
    ReleaseStrike,
    SecureStrike,
    SpendPass,
    TellPanel,
)
from terminal.core.events import (
    CredentialPresented,
    FaceCompared,
    InterlockChanged,
    LockdownAsked,
    LockdownLifted,
    PassSpent,
    PinChecked,
    Started,
    TimePassed,
)
from terminal.core.policy import Panel, Policy
from terminal.core.values import Medium, PassId, PersonId, PinVerdict, Reason, Side, Ticket, Way
from tests.core.given import Told, only
from tests.core.law import demand

DELAY_S, DELAY_FROM, DELAY_MOST_S = 5.0, 3, 900.0
"""D13 in figures, written out: to change the code's does not change these."""

FOREIGN = (Reason.NOT_A_PASS, Reason.SEVERAL_CODES)
OUT = ("side", "out")


def is_in_hand(event: object) -> bool:
    """Whether somebody outside has shown something of their own."""
    if not isinstance(event, CredentialPresented):
        return False
    return event.side is Side.OUTSIDE and event.problem not in FOREIGN


def grants(told: Told) -> list[Record]:
    """The records of this step by which somebody is let in or out."""
    return [one for one in only(told.effects, Record) if one.kind is Kind.GRANTED]


@dataclass(slots=True)
class Entry:
    """What a bystander knows of who may pass."""

    policy: Policy
    locked_down: bool = False
    interlocked: bool = False
    rescuers: set[PersonId] = field(default_factory=set)
    ticket: Ticket | None = None
    to_spend: set[PassId] = field(default_factory=set)
    failures: Counter[PersonId] = field(default_factory=Counter)
    delayed_s: dict[PersonId, float] = field(default_factory=dict)
    let_in: list[tuple[PersonId, Side]] = field(default_factory=list)

    def see(self, told: Told) -> None:
        """One step. Raises BrokenLawError."""
        self._hear(told)
        self._barred(told)
        self._passes(told)
        self._pins(told)
        self._passages(told)
        self._way_out(told)

    def _hear(self, told: Told) -> None:
        match told.event:
            case Started() as event:
                fresh = Entry(self.policy, event.locked_down, event.interlocked)
                for name in self.__dataclass_fields__:
                    setattr(self, name, getattr(fresh, name))
            case LockdownAsked():
                self.locked_down = True
            case LockdownLifted():
                self.locked_down = False
            case InterlockChanged(active=active):
                self.interlocked = active
            case CredentialPresented() | FaceCompared() as event if event.holder is not None:
                if event.holder.group.passes_lockdown:
                    self.rescuers.add(event.holder.person)
            case _:
                pass

    # A lockdown, and the other door of a pair

    def _barred(self, told: Told) -> None:
        if self.locked_down:
            coming = [one for one in grants(told) if OUT not in one.facts]
            may = all(one.person in self.rescuers for one in coming)
            demand(may, "in a lockdown only those come in who may")
            held = bool(only(told.effects, HoldStrike))
            demand(not held, "in a lockdown nothing is held")
        if self.interlocked:
            moved = (*only(told.effects, ReleaseStrike), *only(told.effects, HoldStrike))
            demand(not moved, "nothing is released while the other door is open")
            demand(not grants(told), "nothing is released while the other door is open")
            opened = isinstance(told.event, InterlockChanged)
            secured = not opened or bool(only(told.effects, SecureStrike))
            demand(secured, "what is released ends when the other door opens")
        if self.policy.panel is Panel.WIEGAND:
            moved = (*only(told.effects, ReleaseStrike), *only(told.effects, HoldStrike))
            demand(not moved, "the strike of a panel is left alone")
            told_panel = len(only(told.effects, TellPanel)) == len(grants(told))
            demand(told_panel, "a panel is told of everyone")

    # Passes (T17)

    def _passes(self, told: Told) -> None:
        if is_in_hand(told.event):
            assert isinstance(told.event, CredentialPresented)
            self.ticket = told.event.ticket if told.event.medium is Medium.QR else None
        self.to_spend |= {one.number for one in only(told.effects, SpendPass)}
        for one in grants(told):
            if one.way in (Way.QR, Way.QR_PIN) and OUT not in one.facts:
                self._opened_by_pass(told)

    def _opened_by_pass(self, told: Told) -> None:
        ticket = self.ticket
        demand(ticket is not None, "no pass opens that was not shown")
        if ticket is None or (ticket.left is None and ticket.step is None):
            return
        event = told.event
        done = isinstance(event, PassSpent) and event.done and event.number == ticket.number
        demand(done and ticket.number in self.to_spend, "no counted pass opens without being spent")
        self.to_spend.discard(ticket.number)

    # PINs (D13)

    def _pins(self, told: Told) -> None:
        now_s = told.event.at.mono_s
        for check in only(told.effects, CheckPin):
            waited = now_s >= self.delayed_s.get(check.person, 0.0)
            demand(waited, "no PIN is checked within its delay")
        if isinstance(told.event, PinChecked):
            self._checked(told, told.event)
        by_pin = [one for one in grants(told) if one.way in (Way.CARD_PIN, Way.QR_PIN)]
        right = isinstance(told.event, PassSpent) or _is_right(told.event)
        demand(right or not by_pin, "no PIN opens that was not right")

    def _checked(self, told: Told, event: PinChecked) -> None:
        if event.verdict is PinVerdict.WRONG:
            self.failures[event.person] += 1
            over = self.failures[event.person] - DELAY_FROM
            delay_s = min(DELAY_MOST_S, DELAY_S * 2.0**over) if over >= 0 else 0.0
            self.delayed_s[event.person] = event.at.mono_s + delay_s
        elif _is_right(event) and (grants(told) or only(told.effects, SpendPass)):
            self.failures[event.person] = 0

    # Who has passed

    def _passages(self, told: Told) -> None:
        for one in grants(told):
            assert one.person is not None
            beyond = Side.OUTSIDE if OUT in one.facts else Side.INSIDE
            self.let_in.append((one.person, beyond))
        for note in only(told.effects, NotePassage):
            demand((note.person, note.side) in self.let_in, "nobody is noted who was not let in")
            self.let_in.remove((note.person, note.side))
        unused = isinstance(told.event, TimePassed) and not told.after.door.is_open
        if unused and only(told.effects, SecureStrike):
            self.let_in.clear()

    # The way out (R21)

    def _way_out(self, told: Told) -> None:
        event = told.event
        if not isinstance(event, CredentialPresented) or event.side is Side.OUTSIDE:
            return
        same = told.before.access.phase is told.after.access.phase
        demand(same, "who leaves disturbs nobody")
        known = event.holder is not None and event.is_checked and event.problem is None
        if known and not self.interlocked:
            demand(any(OUT in one.facts for one in grants(told)), "a way out needs nothing")


def _is_right(event: object) -> bool:
    right = (PinVerdict.RIGHT, PinVerdict.DURESS)
    return isinstance(event, PinChecked) and event.verdict in right
