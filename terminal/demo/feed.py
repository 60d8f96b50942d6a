"""Everything that happens at the bench door, from three sources, in one stream of plain lines.

Screens and sounds come from the door's control socket, records from its log, line levels from the
bench's twins. Each is printed as it comes and kept, so that the story can wait for what ought to
happen and say what happened instead.

What changes with this file: `terminal.desk` (what is told), `hw.bench_remote`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hw.bench_remote import BenchClient
from hw.errors import DeviceError
from hw.wiring import LineName
from terminal.errors import TerminalError
from terminal.operator_link import Conversation
from terminal.requests import AnyRequest, Events, Line, Watch
from terminal.words import sentence


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened. `what` is screen, sound, record or a line's name."""

    mono_s: float
    what: str
    facts: Line = field(default_factory=dict)

    def has(self, **facts: Any) -> bool:
        """Whether every one of these facts holds."""
        return all(self.facts.get(key) == value for key, value in facts.items())


class Feed:
    """Collects happenings from now on; `printed` is called with each on the collecting threads."""

    def __init__(self, control: Path, bench: Path, printed: Callable[[Happening], None]) -> None:
        self._printed = printed
        self._happenings: list[Happening] = []
        self._news = threading.Condition()
        self._start(lambda: self._converse(control, Watch()))
        self._start(lambda: self._converse(control, Events(last=0, follow=True)))
        self._start(lambda: self._watch_lines(bench))

    @property
    def mark(self) -> int:
        """A place in the stream: what comes after it is new."""
        with self._news:
            return len(self._happenings)

    def wait_for(self, what: str, since: int, within_s: float, **facts: Any) -> Happening | None:
        """The first such happening after `since`; None when none comes in time."""
        return self.wait_until(lambda one: one.what == what and one.has(**facts), since, within_s)

    def wait_until(
        self, fits: Callable[[Happening], bool], since: int, within_s: float
    ) -> Happening | None:
        """The first happening after `since` that fits; None when none comes in time."""
        deadline_s = time.monotonic() + within_s
        with self._news:
            while True:
                found = next((one for one in self._happenings[since:] if fits(one)), None)
                left_s = deadline_s - time.monotonic()
                if found is not None or left_s <= 0.0:
                    return found
                self._news.wait(left_s)

    def _start(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, daemon=True).start()

    def _converse(self, control: Path, request: AnyRequest) -> None:
        try:
            with Conversation(control, request) as conversation:
                for line in conversation.news():
                    happened_s = line.get("mono_s", time.monotonic())
                    self._add(line.pop("news"), line, happened_s)
        except TerminalError:
            return  # the door has ended; the story notices by itself

    def _watch_lines(self, bench: Path) -> None:
        try:
            with closing(BenchClient(bench)) as client, closing(client.changes()) as changes:
                for change in changes:
                    facts = {"active": change.active, "tone": change.tone and change.tone.value}
                    self._add(change.line.value, facts, change.mono_s)
        except DeviceError:
            return  # the same

    def _add(self, what: str, facts: Line, mono_s: float) -> None:
        happening = Happening(mono_s, what, facts)
        with self._news:
            self._happenings.append(happening)
            self._news.notify_all()
        self._printed(happening)


LEVELS = {
    LineName.STRIKE: ("secure", "RELEASED"),
    LineName.SIGN: ("dark: no face recognition", "lit: face recognition in use here"),
    LineName.DOOR_CONTACT: ("closed", "open"),
    LineName.KIOSK_BUTTON: ("let go", "pressed"),
    LineName.FACE_BUTTON: ("let go", "pressed"),
    LineName.REX: ("let go", "pressed"),
}
"""What the two levels of a line mean to whoever stands there."""


def words_for(happening: Happening) -> str | None:
    """One line for a reader, or None for what needs none."""
    facts = happening.facts
    match happening.what:
        case "screen":
            return sentence(facts)
        case "record":
            return _record_words(facts)
        case "sound" | "buzzer":
            return None
        case line:
            dark, lit = LEVELS.get(LineName(line), ("off", "on"))
            return lit if facts["active"] else dark


def _record_words(facts: Line) -> str:
    words = [facts["kind"].replace("_", " ")]
    words += [f"by {facts['way']}"] if "way" in facts else []
    words += [f"({facts['reason'].replace('_', ' ')})"] if "reason" in facts else []
    words += [", ".join(f"{key} {value}" for key, value in facts.get("facts", ()))]
    return " ".join(word for word in words if word)
