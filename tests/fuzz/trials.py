"""One payload after another through everything that judges what a reader sent, and the count.

An *opening* is a pass that is taken though no terminal issued it, or as another than was issued; a
code that is fresh though it is none of the moment's three, or fresh twice; a card that is another
than what was read. *Uncaught* is any exception but the two refusals.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from terminal.core.values import CodeState
from terminal.passes import rotation
from terminal.passes.token import Keyring, PassRefused, Token, check
from terminal.reading import ReadingRefused, is_resident_number, plain_card
from tests.fuzz.payloads import RING, SECRET, claims, payload
from tests.terminal.given_passes import HERE, NOW

KEPT = 10
"""So many findings are kept whole."""

OPENING, UNCAUGHT = "OPENING", "UNCAUGHT"
Check = Callable[[bytes, Keyring, frozenset[bytes], datetime], Token]

_CODES = frozenset(
    rotation.code_at(SECRET, rotation.step_of(NOW) + around) for around in rotation.STEPS_AROUND
)
_CARD = re.compile(rb"[0-9A-Z-]{4,32}")


@dataclass
class Tally:
    """What came of so many trials; outcomes by name, and the first findings."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    @property
    def trials(self) -> int:
        """How many payloads were tried."""
        return self.outcomes.total()

    def add(self, other: Tally) -> None:
        """Put another count to this one."""
        self.outcomes += other.outcomes
        self.findings = (self.findings + other.findings)[:KEPT]


def run(seed: int, trials: int, check_pass: Check = check) -> Tally:
    """Try so many payloads of this seed."""
    rng = random.Random(seed)
    tally = Tally()
    for _ in range(trials):
        raw = payload(rng)
        outcome = outcome_of(raw, check_pass)
        tally.outcomes[outcome] += 1
        if outcome.startswith((OPENING, UNCAUGHT)) and len(tally.findings) < KEPT:
            tally.findings.append(f"{outcome}: {raw!r}")
    return tally


def outcome_of(raw: bytes, check_pass: Check = check) -> str:
    """What came of one payload, as a pass, a code and a card."""
    try:
        if not _is_right_card(raw):
            return f"{OPENING}: card"
        token = check_pass(raw, RING, HERE, NOW)
        return _taken(raw, token)
    except PassRefused as refused:
        return f"refused: {refused.why.value}"
    except Exception as error:  # noqa: BLE001 - to count them is what this is for
        return f"{UNCAUGHT}: {type(error).__name__}"


def _taken(raw: bytes, token: Token) -> str:
    if claims(raw) != replace(token, code=None):
        return f"{OPENING}: pass"
    if token.code is None:
        return "taken: as it was issued"
    judged = rotation.judged(SECRET, token.code, NOW, None)
    if judged.state is CodeState.WRONG:
        return "taken: with a code that is wrong"
    again = rotation.judged(SECRET, token.code, NOW, judged.step)
    right = token.code in _CODES and again.state is CodeState.USED
    return "taken: with its code, once" if right else f"{OPENING}: code"


def _is_right_card(raw: bytes) -> bool:
    """Whether this is refused as a card, or is the card that stands in it."""
    try:
        plain = plain_card(raw)
    except ReadingRefused:
        return True
    read = raw.upper()
    endings = (b"", b"\n", b"\r", b"\r\n")
    return (
        _CARD.fullmatch(plain) is not None
        and any(plain + ending == read for ending in endings)
        and not is_resident_number(plain.replace(b"-", b""))
    )
