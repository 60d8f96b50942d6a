"""Visits: a bench door and the real vision on made-up models, and somebody who says no face.

Nobody waits: time is ours and only models take any, so most moments fall into the middle of one.

What changes with this file: the tests of declining, `make decline`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from hw.ports import Input, ReadKind
from terminal import link
from terminal.arrivals import CardRead, CodeSeen, VisionConnected
from terminal.core import machine
from terminal.core.transaction import AccessPhase
from terminal.core.values import FaceOff
from terminal.zone import CLEAR_S, SETTLE_S
from tests.terminal.given_bridge import (
    CARD,
    MODEL,
    STANDING,
    UNKNOWN_CARD,
    WIDTH,
    Bench,
    Door,
    Terminal,
)

WAYS: Mapping[str, Callable[[Door], None]] = {
    "button": lambda made: made.board.press(Input.KIOSK_BUTTON, 0.05),
    "keypad": lambda made: made.inbox.put(CardRead("door", b"0", ReadKind.TYPED)),
    "PIN": lambda made: made.inbox.put(CardRead("door", b"4821", ReadKind.TYPED)),
    "card": lambda made: made.inbox.put(CardRead("door", CARD)),
    "unknown card": lambda made: made.inbox.put(CardRead("low", UNKNOWN_CARD)),
    "code": lambda made: made.inbox.put(CodeSeen(b"FT1:nothing that was issued")),
}
"""Everything that says *no face*."""


class Visit(Terminal):
    """A terminal at which the made-up resident, who agreed to it, is enrolled."""

    def __init__(self, folder: Path) -> None:
        made = Door(folder)
        self.bench = Bench(made.time)
        super().__init__(made, self.bench.vision, self.bench.door)
        made.has_resident(face=1)
        made.start(vision=False)
        made.arrives(VisionConnected(True))
        made.vision_says(link.Hello(MODEL, WIDTH))

    def close(self) -> None:
        self.bench.close()
        self.door.close()

    def is_in_a_scan(self) -> bool:
        return self.door.state.access.phase is AccessPhase.SCANNING

    def is_declined(self) -> bool:
        """Whether somebody has said no face, in whatever way, and stands there still."""
        off = machine.face_off(self.door.state, self.door.policy)
        return off in (FaceOff.DECLINED, FaceOff.ANOTHER_WAY)

    def declines_in(self, seconds: float, way: str) -> list[float]:
        """Let somebody decline so much later; the moment is in the list when it has come.

        The door is a process of its own and hears it at that moment, whatever vision is doing.
        """
        declined: list[float] = []

        def decline() -> None:
            WAYS[way](self.door)
            declined.append(self.door.time())
            self.door.settles()

        self.door.time.call_later(seconds, decline)
        return declined

    def leaves_and_comes_back(self) -> None:
        """Through the door where it is released, away until the decline is over, and back."""
        self.bench.camera.moves, self.bench.faces.faces = False, ()
        if self.door.strike_is_released():
            self.door.goes_through()
        while self.is_declined():
            self.looks()
        self.looks_for(CLEAR_S + SETTLE_S + 0.2)
        self.bench.camera.moves, self.bench.faces.faces = True, (STANDING,)
