"""The code that changes on the phone every 30 s, so that a picture of a pass is soon worth nothing.

RFC 6238 with HMAC-SHA-256 and 8 digits. Its secret is a pass's own (`sealing.Keys.pass_secret`), so
no page opens for another person. A code is taken in its step, the one before or the one after,
since clocks differ; and once, because whoever looks over a shoulder has it too (RFC 6238, 5.2).

What changes with this file: the script of the pass page.
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from terminal.core.values import CodeState

STEP_S: Final = 30
DIGITS: Final = 8
STEPS_AROUND: Final = (-1, 0, 1)
"""So many steps a phone's clock may be behind or ahead (RFC 6238, 5.2)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a code; `step` is the one it is of, where it is FRESH."""

    state: CodeState
    step: int | None = None


def step_of(utc: datetime) -> int:
    """The number of the time step at this moment."""
    return int(utc.timestamp()) // STEP_S


def code_at(secret: memoryview | bytes, step: int) -> int:
    """The code of a step, 0..99999999 (RFC 4226, 5.3 and 5.4, with SHA-256).

    A board without a battery wakes in 1970, so steps below 0 are no error.
    """
    mac = hmac.digest(bytes(secret), struct.pack(">q", step), "sha256")
    offset = mac[-1] & 0xF
    (number,) = struct.unpack_from(">I", mac, offset)
    return int((number & 0x7FFFFFFF) % 10**DIGITS)


def judged(
    secret: memoryview | bytes, code: int, at_utc: datetime, last_step: int | None
) -> Judged:
    """Whether this code is one of now and was not used; `last_step` is the newest that was.

    The same work whatever the answer: each step is reckoned and compared in constant time.
    """
    now, shown = step_of(at_utc), struct.pack(">I", code)
    fitting = [
        step
        for step in (now + around for around in STEPS_AROUND)
        if hmac.compare_digest(struct.pack(">I", code_at(secret, step)), shown)
    ]
    if not fitting:
        return Judged(CodeState.WRONG)
    unused = [step for step in fitting if last_step is None or step > last_step]
    return Judged(CodeState.FRESH, unused[0]) if unused else Judged(CodeState.USED)
