"""The one thread that owns the state: inbox -> step -> perform -> pet the watchdog.

It sleeps until something arrives or the core's next deadline comes. The watchdog is petted only
after a whole pass, so a pass that hangs is noticed. Whatever goes wrong that nobody expected ends
here: the strike is put to rest, vision loses its lease, the process ends and systemd starts it
anew.

What changes with this file: nothing that decides; the core does, and the bridge around it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from hw.ports import Input, InputChange, Supervisor
from terminal.arrivals import Arrival, CardRead, CodeSeen, Inbox, StopAsked
from terminal.clock import Clock
from terminal.core import machine
from terminal.core.events import Event, Started, TimePassed
from terminal.core.machine import State
from terminal.core.policy import Policy
from terminal.core.values import Moment
from terminal.errors import StoreFailed
from terminal.metrics import Metrics
from terminal.perform import Performer
from terminal.requests import Asked

LONGEST_SLEEP_S = 1.0
"""The watchdog wants to hear of an idle loop too."""

log = logging.getLogger(__name__)


class Understands(Protocol):
    """Whoever turns arrivals of the outside into events."""

    def events(self, arrival: Arrival, at: Moment) -> tuple[Event, ...]:
        """The events of one arrival."""
        ...


class Answers(Protocol):
    """Whoever answers operators."""

    def events_of(self, asked: Asked, state: State, at: Moment) -> tuple[Event, ...]:
        """Answer, or begin to; the events that follow from what was asked."""
        ...

    def stepped(self, state: State) -> None:
        """Those events have been stepped and performed; this is the state now."""
        ...


class Loop:
    """The door process's heart. `run` returns after a stop, or raises what ended it."""

    def __init__(
        self,
        policy: Policy,
        clock: Clock,
        inbox: Inbox,
        interpreter: Understands,
        desk: Answers,
        performer: Performer,
        supervisor: Supervisor,
        metrics: Metrics,
    ) -> None:
        self._policy, self._clock, self._inbox = policy, clock, inbox
        self._interpreter, self._desk, self._performer = interpreter, desk, performer
        self._supervisor, self._metrics = supervisor, metrics
        self._last_s = 0.0
        self.state = State()

    def run(self, started: Callable[[Moment], Started], *more: Callable[[Moment], Event]) -> None:
        """Begin with the door as it is (`started`) and `more`, then go on until a stop."""
        try:
            self.begin(started, *more)
            self._supervisor.ready()
            while self.turn():
                self._supervisor.ping()
        except Exception:
            log.critical("The loop ends on an error; the strike is put to rest.")
            raise
        finally:
            self._supervisor.stopping()
            self._performer.secure()

    def begin(self, started: Callable[[Moment], Started], *more: Callable[[Moment], Event]) -> None:
        """The first events of a process."""
        for event in (started, self._performer.enrolled, *more):
            self._take(event(self._clock.now()))

    def turn(self) -> bool:
        """One pass: the next arrival, and before it what was due. False after a stop."""
        arrival = self._inbox.get(self._sleep_s())
        at = self._moment_of(arrival)
        self._let_time_pass(at)
        if isinstance(arrival, StopAsked):
            return False
        if arrival is not None:
            self._understand(arrival, at)
        self._performer.catch_up(self._clock.now())
        return True

    def _moment_of(self, arrival: Arrival | None) -> Moment:
        """When it happened: a line's edge has its own time, all else happens as it is heard.

        So a button that was let go in time is, however late a slow disk lets us hear of it.
        """
        now = self._clock.now()
        if not isinstance(arrival, InputChange):
            return now
        return replace(now, mono_s=min(now.mono_s, max(arrival.mono_s, self._last_s)))

    def _sleep_s(self) -> float:
        deadline_s = machine.next_deadline(self.state)
        if deadline_s is None:
            return LONGEST_SLEEP_S
        return min(LONGEST_SLEEP_S, max(0.0, deadline_s - self._clock.now().mono_s))

    def _let_time_pass(self, now: Moment) -> None:
        """Every deadline that has come by `now`, in order."""
        deadline_s = machine.next_deadline(self.state)
        while deadline_s is not None and deadline_s <= now.mono_s:
            self._take(TimePassed(now))
            later_s = machine.next_deadline(self.state)
            if later_s is not None and later_s <= deadline_s:
                break
            deadline_s = later_s

    def _understand(self, arrival: Arrival, at: Moment) -> None:
        for event in self._events_of(arrival, at):
            self._take(event)
        self._metrics.decided()
        match arrival:
            case Asked():
                self._desk.stepped(self.state)
            case InputChange(line=Input.KIOSK_BUTTON, active=True) | CodeSeen():
                self._performer.resume()
            case CardRead():
                self._performer.resume()
                self._performer.forget_typed()

    def _events_of(self, arrival: Arrival, at: Moment) -> tuple[Event, ...]:
        try:
            if isinstance(arrival, Asked):
                return self._desk.events_of(arrival, self.state, at)
            return self._interpreter.events(arrival, at)
        except StoreFailed as error:
            log.error("%s", error)
            return ()

    def _take(self, event: Event) -> None:
        """Step this event, and whatever follows from performing it, before anything else."""
        waiting = deque([event])
        while waiting:
            next_one = waiting.popleft()
            self._last_s = max(self._last_s, next_one.at.mono_s)
            self.state, effects = machine.step(self.state, next_one, self._policy)
            waiting.extend(self._performer.perform(effects))
