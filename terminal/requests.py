"""What can be asked over the control socket, and how it is answered. Schema for both ends.

One JSON object a line. A request names what to do; answers are lines of news while it goes on and
one last line that says how it ended. Unknown fields, long lines and wrong types are refused by the
schema before anything looks at them.

What changes with this file: `control` (the door's end), `cli` (the operator's), `desk`.
"""

from __future__ import annotations

import queue
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

MAX_REQUEST_BYTES = 4096

# No control characters: what an operator typed is shown to others, and a screen obeys them.
_SHOWN = r"^[^\x00-\x1f\x7f-\x9f]*\Z"
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=_SHOWN)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=_SHOWN)]


class Request(msgspec.Struct, frozen=True, tag_field="do", forbid_unknown_fields=True):
    """One request."""


class Status(Request, frozen=True, tag="status"):
    """How everything stands, without a name in it."""


class Enrol(Request, frozen=True, tag="enrol"):
    """Register a person (or register someone again): a card, a face by consent, or both."""

    name: Name
    card: bool = True
    face: bool = True
    again: bool = False


class Erase(Request, frozen=True, tag="erase"):
    """Erase a person's face data, or everything about the person."""

    who: Name
    everything: bool = False


class People(Request, frozen=True, tag="people"):
    """Everyone registered, with names: for the operator's eyes."""


class Events(Request, frozen=True, tag="events"):
    """The newest records of the log; then, if wanted, each new one as it is written."""

    last: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 50
    follow: bool = False


class Watch(Request, frozen=True, tag="watch"):
    """What the person at the door sees and hears, as it changes."""


class Hold(Request, frozen=True, tag="hold"):
    """Keep the door released for a while, with a reason."""

    lasts_s: Annotated[float, msgspec.Meta(ge=1.0, le=86_400.0)]
    why: Word


class HoldEnd(Request, frozen=True, tag="hold_end"):
    """End the held release."""


class SelfTest(Request, frozen=True, tag="selftest"):
    """Try every part that can be tried without letting anyone in."""


class Version(Request, frozen=True, tag="version"):
    """Which program, models and schema run."""


AnyRequest = Status | Enrol | Erase | People | Events | Watch | Hold | HoldEnd | SelfTest | Version

Line = dict[str, Any]


@dataclass(eq=False, slots=True)
class Answer:
    """Where the loop puts the lines of one answer, and the connection takes them from."""

    lines: queue.SimpleQueue[Line] = field(default_factory=queue.SimpleQueue)
    is_over: bool = False

    def news(self, what: str, body: Line) -> None:
        """One more line while the request goes on."""
        if not self.is_over:
            self.lines.put({"news": what, **body})

    def done(self, body: Line) -> None:
        """The last line: done."""
        self._end({"ok": True, **body})

    def refuse(self, sentence: str) -> None:
        """The last line: refused, and why."""
        self._end({"ok": False, "error": sentence})

    def _end(self, line: Line) -> None:
        if not self.is_over:
            self.is_over = True
            self.lines.put(line)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One request from one operator; `gone` when the connection ended before the answer."""

    request: AnyRequest
    by: str
    answer: Answer
    gone: bool = False
