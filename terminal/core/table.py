"""How a table of transitions is written down and applied.

A table is a tuple of rows. A row says: in one of these phases, on this event, when this guard
holds, do this and go there. The first row that fits is taken; if none fits, nothing changes.
Docs and tests read the same tuples (`docs/states.md` is drawn from them), so a row's guard and
action are named functions, and their names are what a reader sees.

What changes with this file: `door`, `access`, `enrolment`, `consent` and the drawing of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar, cast

from terminal.core.effects import Effect
from terminal.core.events import Event
from terminal.core.policy import Policy


class Phased(Protocol):
    """A frozen state with a phase."""

    @property
    def phase(self) -> Enum:
        """Where the state stands in its table."""
        ...


S = TypeVar("S", bound=Phased)
E = TypeVar("E", bound=Event)

Output = Effect | Event
"""A row may also tell another table something: an Event among its outputs is fed to `machine`."""

Outputs = tuple[Output, ...]
Guard = Callable[[S, E, Policy], bool]
Action = Callable[[S, E, Policy], tuple[S, Outputs]]


@dataclass(frozen=True, slots=True)
class Row(Generic[S]):
    """One transition; `to` is None where the phase stays."""

    phases: tuple[Enum, ...]
    on: type[Event]
    to: Enum | None
    when: Callable[[S, Any, Policy], bool]
    do: Callable[[S, Any, Policy], tuple[S, Outputs]]


def always(state: S, event: Event, policy: Policy) -> bool:
    """The guard of a row that has none."""
    return True


def row(
    phases: Enum | tuple[Enum, ...],
    on: type[E],
    to: Enum | None,
    do: Action[S, E],
    when: Guard[S, E] | None = None,
) -> Row[S]:
    """Write one row; the event's type is checked against guard and action by the type checker."""
    froms = phases if isinstance(phases, tuple) else (phases,)
    return Row(froms, on, to, cast("Guard[S, Any]", when or always), do)


def advance(table: tuple[Row[S], ...], state: S, event: Event, policy: Policy) -> tuple[S, Outputs]:
    """Apply the first row that fits, or nothing."""
    for candidate in table:
        if (
            isinstance(event, candidate.on)
            and state.phase in candidate.phases
            and candidate.when(state, event, policy)
        ):
            after, outputs = candidate.do(state, event, policy)
            return _moved(after, candidate.to), outputs
    return state, ()


def _moved(state: S, to: Enum | None) -> S:
    if to is None:
        return state
    return cast(S, replace(cast(Any, state), phase=to))


def is_due(deadline_s: float | None, now_s: float) -> bool:
    """Whether a deadline (mono s) has come; one that is not set never has."""
    return deadline_s is not None and now_s >= deadline_s
