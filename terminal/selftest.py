"""Tries every part that can be tried without letting anyone in: `terminalctl selftest`.

Each check is a name, whether it holds, and a sentence: what was found, and what to do where it does
not hold. The strike is read, never moved; nobody is looked at.

What changes with this file: `docs/maintenance.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hw.errors import DeviceError
from hw.wiring import Line as WiredLine
from hw.wiring import LineName, Wiring
from terminal.core.machine import State
from terminal.core.policy import ALTERNATIVES_REQUIRED, Policy
from terminal.perform import Parts
from terminal.requests import Line


@dataclass(frozen=True, slots=True)
class Check:
    """One check."""

    name: str
    holds: bool
    sentence: str


def self_test(
    state: State,
    policy: Policy,
    parts: Parts,
    wiring: Wiring,
    models: Callable[[], str | None],
) -> Line:
    """All checks. `models` says what is wrong with a model file, or None."""
    checks = (
        *_lines(parts, wiring),
        _strike(state, parts),
        _sign(parts, state),
        _readers(state),
        _vision(state, policy),
        _log(parts),
        _templates(parts),
        _models(models()),
        _memory(parts),
        _clock(parts),
    )
    return {
        "passed": all(check.holds for check in checks),
        "checks": [
            {"name": check.name, "holds": check.holds, "sentence": check.sentence}
            for check in checks
        ],
    }


def _lines(parts: Parts, wiring: Wiring) -> Iterator[Check]:
    """One check for each line of the wiring table that is wired here."""
    try:
        levels = parts.board.levels
    except DeviceError as error:
        yield Check("lines", False, str(error))
        return
    for line in wiring.lines:
        if line.name in levels:
            yield _line(line, levels[line.name])


def _line(line: WiredLine, active: bool) -> Check:
    where = f"Header pin {line.header_pin} (BCM {line.bcm}, {line.direction.value})"
    now = f"{where}: {line.meaning}." if active else f"{where}: at rest."
    if active and line.name in NEVER_STUCK:
        now += " If nobody does that, it is stuck, or wired the other way round."
    holds = not (active and line.name in NEVER_STUCK)
    return Check(f"line {line.name.value}", holds, now)


NEVER_STUCK = frozenset({LineName.KIOSK_BUTTON, LineName.FACE_BUTTON, LineName.REX})
"""Buttons: nobody holds them during a self-test, other than to try them."""


def _strike(state: State, parts: Parts) -> Check:
    wanted = state.door.phase.value in ("released", "free")
    agrees = parts.board.strike.is_released == wanted
    sentence = (
        "The strike's line reads back as it was set."
        if agrees
        else "The strike's line does not read back as it was set; check the relay board's wiring."
    )
    return Check("strike", agrees, sentence)


def _sign(parts: Parts, state: State) -> Check:
    agrees = parts.board.sign.is_lit == state.sign_lit and not state.sign_failed
    sentence = (
        "The sign's line reads back as it was set."
        if agrees
        else "The sign does not read back as it was set; check the LED and its wiring."
    )
    return Check("sign", agrees, sentence)


def _readers(state: State) -> Check:
    count = len(state.readers)
    enough = count >= ALTERNATIVES_REQUIRED
    sentence = f"{count} card readers work."
    if not enough:
        sentence += f" Face recognition needs {ALTERNATIVES_REQUIRED} working; connect another."
    return Check("readers", enough, sentence)


def _vision(state: State, policy: Policy) -> Check:
    if not policy.face_enabled:
        return Check("vision", True, "Face recognition is switched off.")
    if not state.vision:
        return Check("vision", False, "The vision process does not run; see its log.")
    if not state.camera:
        return Check("vision", False, "The camera gives no pictures; check its cable.")
    return Check("vision", True, "Vision runs and the camera gives pictures.")


def _log(parts: Parts) -> Check:
    verdict = parts.audit.check_tail()
    if verdict.sound:
        return Check("log", True, f"The newest {verdict.checked} records are sound.")
    return Check(
        "log", False, f"Record {verdict.first_bad} is not sound: {verdict.why}. Keep the file."
    )


def _templates(parts: Parts) -> Check:
    broken = parts.recognition.broken
    return Check("templates", broken is None, broken or "Every sealed template opens.")


def _models(wrong: str | None) -> Check:
    return Check("models", wrong is None, wrong or "Every model file is the manifest's.")


def _memory(parts: Parts) -> Check:
    locked = parts.recognition.locked
    sentence = (
        "Templates in memory are kept out of swap."
        if locked
        else "Templates in memory could be swapped out; raise LimitMEMLOCK or switch swap off."
    )
    return Check("memory", locked, sentence)


def _clock(parts: Parts) -> Check:
    trusted = parts.clock.now().trusted
    sentence = (
        "The clock is not behind the newest record."
        if trusted
        else "The clock is behind the newest record; set it, or wait for the time server."
    )
    return Check("clock", trusted, sentence)
