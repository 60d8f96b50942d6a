"""How everything stands, as `terminalctl status` shows it: no name, number, template or score.

What changes with this file: the table in `cli`, `docs/maintenance.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from terminal.core import machine
from terminal.core.machine import State
from terminal.core.policy import ALTERNATIVES_REQUIRED, Policy
from terminal.desk import WHY_OFF
from terminal.parity import Spread, spread
from terminal.perform import Parts
from terminal.requests import Line


@dataclass(frozen=True, slots=True)
class Site:
    """What of the configuration a maintainer wants to see."""

    name: str
    place: str
    board: str
    camera: str
    key_level: int


def report(
    state: State, policy: Policy, parts: Parts, site: Site, unerased: int, trouble: str | None
) -> Line:
    """The whole status."""
    return {
        "site": {**asdict(site), "lock": policy.lock.value},
        "door": _door(state, parts),
        "face": _face(state, policy, parts),
        "ways": {
            "readers": sorted(state.readers),
            "codes": state.codes,
            "working": machine.alternatives(state, policy),
            "required": ALTERNATIVES_REQUIRED,
        },
        "people": asdict(parts.store.counts()),
        "log": _log(parts),
        "times": _times(parts),
        "memory_locked": parts.recognition.locked,
        "unerased": unerased,
        "trouble": trouble,
    }


def _door(state: State, parts: Parts) -> Line:
    return {
        "state": state.door.phase.value,
        "open": state.door.is_open,
        "strike_released": parts.board.strike.is_released,
    }


def _face(state: State, policy: Policy, parts: Parts) -> Line:
    off = machine.face_off(state, policy)
    recognition = parts.recognition
    return {
        "on": off is None,
        "off_because": None if off is None else WHY_OFF[off],
        "sign_reads_lit": parts.board.sign.is_lit,
        "permission": machine.permission(state, policy).level.name.lower(),
        "trigger": policy.trigger.value,
        "vision": state.vision,
        "camera": state.camera,
        "enrolled": recognition.enrolled,
        "most_people": recognition.most_people,
        "supported": recognition.supported,
        "templates": recognition.broken or "open",
    }


def _log(parts: Parts) -> Line:
    seq, head = parts.audit.head
    now = parts.clock.now()
    return {
        "reserve_left": parts.audit.reserve_left,
        "records": seq,
        "head": head,
        "clock_trusted": now.trusted,
        "utc": now.utc.isoformat(),
    }


def _times(parts: Parts) -> Line:
    metrics = parts.metrics
    vision = metrics.vision
    return {
        "frame_to_strike": _spread(spread(metrics.frame_to_strike_s)),
        "card_to_strike": _spread(spread(metrics.card_to_strike_s)),
        "transactions": {f"{way} {end}": n for (way, end), n in sorted(metrics.ended.items())},
        "model_runs": None
        if vision is None
        else {
            "frames": vision.frames,
            "detections": vision.detections,
            "landmarks": vision.landmarks,
            "embeddings": vision.embeddings,
        },
    }


def _spread(times: Spread | None) -> Mapping[str, float] | None:
    return None if times is None else asdict(times)
