"""What the codes in a frame mean: a pass to be told, a refusal, or nothing new.

The rules, pure, given what a decoder found and the time. Ours are the codes that begin with
PASS_PREFIX; exactly one of ours is told, two different ones are refused, and so is a code of
somebody else's. What is told once is told again only after it was gone for GONE_S, and at most one
thing in TELL_EVERY_S is told at all: a poster must not chatter, a strobing screen must not flood.
Only hashes of what was seen are kept, for seconds. Whether a pass is any good is not known here.

What changes with this file: what the door hears (`code_link`), docs/codes.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from terminal.code_link import Code, CodeRefused
from terminal.core.values import MAX_CODE_BYTES, PASS_PREFIX, CodeFault

GONE_S = 2.0
"""What was out of view for so long is new when it comes back."""

TELL_EVERY_S = 0.25
"""At most four tellings a second."""

HELD_UP_S = 3.0
"""A foreign code counts as held up for so long; what hangs there longer is part of the room, and
must not keep faces from being looked at for ever."""

KEPT = 256
"""So many codes are remembered; with more, the one seen longest ago is forgotten."""

Decode = Callable[[memoryview], Iterable[bytes]]
"""All QR codes in a frame (uint8, (height, width)), as they are."""

_SEVERAL = b"several"


@dataclass(slots=True)
class _Seen:
    """When a code was seen first and last (mono s), and whether it has been told of."""

    first_s: float
    last_s: float
    told: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one frame: what to tell the door, if anything, and whether somebody holds up a code."""

    telling: Code | CodeRefused | None
    found: bool


NOTHING = Verdict(None, False)


class CodeRules:
    """What was seen in the last seconds, as hashes; one frame after the other."""

    def __init__(self) -> None:
        self._seen: dict[bytes, _Seen] = {}
        self._told_s: float | None = None

    def judge(self, contents: Iterable[bytes], now_s: float) -> Verdict:
        """What the codes of one frame, at this moment (mono s), mean."""
        codes = frozenset(contents)
        if not codes:
            return NOTHING
        hashes = {code: _hash(code) for code in codes}
        for one in hashes.values():
            self._see(one, now_s)
        ours = [code for code in codes if code.startswith(PASS_PREFIX)]
        telling = _telling(ours)
        keys = _keys(ours, hashes)
        if len(ours) > 1:
            self._see(_SEVERAL, now_s)
        found = bool(ours) or any(self._is_held_up(key, now_s) for key in keys)
        return Verdict(telling if self._may_tell(keys, now_s) else None, found)

    def _see(self, key: bytes, now_s: float) -> None:
        before = self._seen.pop(key, None)  # the newest stands last
        if before is None or now_s - before.last_s >= GONE_S:
            before = _Seen(now_s, now_s)
        before.last_s = now_s
        self._seen[key] = before
        while len(self._seen) > KEPT:
            del self._seen[next(iter(self._seen))]

    def _may_tell(self, keys: Iterable[bytes], now_s: float) -> bool:
        """Whether any of this is news, and it is not too soon; if so, it is told from now on."""
        seen = [self._seen[key] for key in keys if key in self._seen]
        too_soon = self._told_s is not None and now_s - self._told_s < TELL_EVERY_S
        if too_soon or all(one.told for one in seen):
            return False
        for one in seen:
            one.told = True
        self._told_s = now_s
        return True

    def _is_held_up(self, key: bytes, now_s: float) -> bool:
        return key in self._seen and now_s - self._seen[key].first_s < HELD_UP_S


def _telling(ours: list[bytes]) -> Code | CodeRefused:
    if not ours:
        return CodeRefused(CodeFault.FOREIGN)
    if len(ours) > 1:
        return CodeRefused(CodeFault.SEVERAL)
    if len(ours[0]) > MAX_CODE_BYTES:
        return CodeRefused(CodeFault.TOO_LONG)
    return Code(ours[0])


def _keys(ours: list[bytes], hashes: dict[bytes, bytes]) -> list[bytes]:
    """What a telling is about: the one code, all foreign ones, or that there are several."""
    if len(ours) > 1:
        return [_SEVERAL]
    return [hashes[ours[0]]] if ours else list(hashes.values())


def _hash(code: bytes) -> bytes:
    return hashlib.blake2b(code, digest_size=16).digest()
