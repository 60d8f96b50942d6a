"""Passes for the tests: issued by an operator at a bench door, and shown as a phone would.

What changes with this file: the tests of the ways in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from terminal.core.values import PassId, PersonId
from terminal.passes import base45
from terminal.passes.rotation import code_at
from terminal.requests import PassIssue, PassKind, PinSet
from tests.terminal.given_bridge import NAME, Door, answer_of

PIN, WRONG, DURESS = "4821", "7352", "48219"
LASTS = timedelta(days=2)


@dataclass(frozen=True)
class Phone:
    """Somebody's pass, as it is shown."""

    number: PassId
    person: PersonId
    text: str
    secret: bytes | None = None

    def shows(self, made: Door) -> str:
        """The text at this moment, on a phone whose clock is right."""
        return self.shows_at(made.parts.clock.now().utc.timestamp())

    def shows_at(self, unix_s: float) -> str:
        """The text at this time of the phone's clock."""
        if self.secret is None:
            return self.text
        code = code_at(memoryview(self.secret), int(unix_s) // 30)
        raw = base45.decode(self.text.removeprefix("FT1:").encode()) + code.to_bytes(4, "big")
        return "FT1:" + base45.encode(raw).decode()


def issue(made: Door, kind: PassKind = "once", **more: Any) -> Phone:
    """A pass that an operator has issued to the resident, or to a visitor of the resident's."""
    visitor = "A visitor" if kind == "visitor" else None
    until = made.parts.clock.now().utc + LASTS
    request = PassIssue(NAME, kind, **{"valid_until": until, "visitor": visitor, **more})
    answer = answer_of(made.asks(request))
    assert answer["ok"], answer
    line = answer["pass"]
    secret = bytes.fromhex(line["secret"]) if "secret" in line else None
    return Phone(PassId(line["number"]), PersonId(line["person"]), line["text"], secret)


def set_pin(made: Door, pin: str = PIN, who: str = NAME) -> None:
    """Give somebody a PIN."""
    assert answer_of(made.asks(PinSet(who, pin)))["ok"]
