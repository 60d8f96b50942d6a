"""Everything the terminal remembers between two events.

Frozen, and comparable: two terminals that remember the same answer the same. What follows from it
as a whole (`sight`, `screens`) is never remembered, so that it can't be forgotten either.

What changes with this file: `machine`, `sight`, `screens`, what `terminalctl status` can say.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from terminal.core.door_state import DoorState
from terminal.core.enrolment import EnrolmentState
from terminal.core.transaction import AccessState
from terminal.core.values import Alarm


@dataclass(frozen=True, slots=True)
class State:
    """Everything the terminal remembers between two events.

    `readers` are those that work, `codes` whether the camera's codes are read; `trusted` what the
    newest event said of the clock. `alarms` stand until they are over or acknowledged. `renew_s`
    is when the permission of vision is renewed; `sign_due_s` until when the sign that was lit must
    have read back lit (mono s).
    """

    door: DoorState = field(default_factory=DoorState)
    access: AccessState = field(default_factory=AccessState)
    enrolment: EnrolmentState = field(default_factory=EnrolmentState)
    readers: frozenset[str] = frozenset()
    vision: bool = False
    camera: bool = False
    codes: bool = False
    trusted: bool = True
    alarms: frozenset[Alarm] = frozenset()
    sign_lit: bool = False
    sign_failed: bool = False
    sign_due_s: float | None = None
    enrolled: int = 0
    supported: bool = True
    room: bool = True
    readable: bool = True
    renew_s: float | None = None
