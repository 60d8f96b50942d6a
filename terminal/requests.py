"""What can be asked over the control socket, and how it is answered. Schema for both ends.

One JSON object a line. A request names what to do; answers are lines of news while it goes on and
one last line that says how it ended. Unknown fields, long lines and wrong types are refused by the
schema before anything looks at them.

What changes with this file: `control` (the door's end), `cli` (the operator's), `desk`.
"""

from __future__ import annotations

import queue
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec

from terminal.exchange.rows import GroupRow, HolidayRow, PersonRow, ScheduleRow

MAX_REQUEST_BYTES = 4096

# No control characters: what an operator typed is shown to others, and a screen obeys them.
_SHOWN = r"^[^\x00-\x1f\x7f-\x9f]*\Z"
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=_SHOWN)]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=_SHOWN)]
PanelNumber = Annotated[int, msgspec.Meta(ge=0, lt=2**35)]
PassKind = Literal["resident", "static", "visitor", "once"]
PassNumber = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{16}\Z")]
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


class Door(Request, frozen=True, tag="door"):
    """How the door, its lines and its alarms stand."""


class Release(Request, frozen=True, tag="release"):
    """Let somebody in once, with a reason (R47)."""

    why: Word


class Lockdown(Request, frozen=True, tag="lockdown"):
    """Nobody comes in any more but those who may in a lockdown."""

    why: Word


class LockdownEnd(Request, frozen=True, tag="lockdown_end"):
    """End the lockdown."""

    why: Word


class Acknowledge(Request, frozen=True, tag="acknowledge"):
    """The alarms have been seen."""


class FreePassage(Request, frozen=True, tag="free_passage"):
    """Open the door to everyone by a schedule; none: by no schedule any more."""

    schedule: Label | None = None
    first_person: bool = False


class PassbackReset(Request, frozen=True, tag="passback_reset"):
    """Forget on which side of the door a person is, or everyone."""

    who: Name | None = None


class ParityAsked(Request, frozen=True, tag="parity"):
    """How the ways in compare, as measured (D12)."""


class Cards(Request, frozen=True, tag="cards"):
    """The cards of a person, by the beginnings of their hashes."""

    who: Name


class CardRevoke(Request, frozen=True, tag="card_revoke"):
    """This card of the person opens nothing any more."""

    who: Name
    card: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{8}\Z")]


class PinSet(Request, frozen=True, tag="pin_set"):
    """Set a person's PIN, in place of any there was."""

    who: Name
    digits: Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{4,8}\Z")]


class PinClear(Request, frozen=True, tag="pin_clear"):
    """Take a person's PIN away."""

    who: Name


class Passes(Request, frozen=True, tag="passes"):
    """The passes of a person, or all."""

    who: Name | None = None


class PassIssue(Request, frozen=True, tag="pass_issue"):
    """Issue a pass: to somebody registered, or to a visitor of theirs.

    `uses` 0: as often as wanted. A pass for a visitor names whose visitor it is.
    """

    who: Name
    kind: PassKind
    valid_until: datetime
    valid_from: datetime | None = None
    uses: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    visitor: Name | None = None
    is_marked: bool = False


class PassShow(Request, frozen=True, tag="pass_show"):
    """Show a pass again."""

    number: PassNumber


class PassRevoke(Request, frozen=True, tag="pass_revoke"):
    """This pass opens nothing any more."""

    number: PassNumber


class PassKeyChange(Request, frozen=True, tag="pass_key_change"):
    """Sign with a new key; passes under the old one are accepted for so long yet."""

    overlap_days: Annotated[int, msgspec.Meta(ge=0, le=366)] = 30


class Groups(Request, frozen=True, tag="groups"):
    """All groups, schedules and holidays."""


class GroupPut(Request, frozen=True, tag="group_put"):
    """Make a group, or change it."""

    group: GroupRow


class GroupRemove(Request, frozen=True, tag="group_remove"):
    """Remove a group that nobody is in."""

    name: Label


class SchedulePut(Request, frozen=True, tag="schedule_put"):
    """Make a schedule, or change it."""

    schedule: ScheduleRow


class ScheduleRemove(Request, frozen=True, tag="schedule_remove"):
    """Remove a schedule that nothing goes by."""

    name: Label


class HolidayPut(Request, frozen=True, tag="holiday_put"):
    """Name a holiday."""

    holiday: HolidayRow


class HolidayRemove(Request, frozen=True, tag="holiday_remove"):
    """This day is no holiday."""

    day: date


class PersonPut(Request, frozen=True, tag="person_put"):
    """Put a person into a group (none: into everyone's), or give the number a panel knows."""

    who: Name
    group: Label | msgspec.UnsetType | None = msgspec.UNSET
    panel_number: PanelNumber | msgspec.UnsetType | None = msgspec.UNSET


class ImportRows(Request, frozen=True, tag="import_rows"):
    """Some rows of a file that was read on the operator's side; without `write` only looked at."""

    people: tuple[PersonRow, ...] = ()
    groups: tuple[GroupRow, ...] = ()
    schedules: tuple[ScheduleRow, ...] = ()
    holidays: tuple[HolidayRow, ...] = ()
    write: bool = False


class Export(Request, frozen=True, tag="export"):
    """Everyone, with groups, schedules and holidays, a few rows a line."""


class SelfTest(Request, frozen=True, tag="selftest"):
    """Try every part that can be tried without letting anyone in."""


class Version(Request, frozen=True, tag="version"):
    """Which program, models and schema run."""


AnyRequest = (
    Status
    | Enrol
    | Erase
    | People
    | Events
    | Watch
    | Hold
    | HoldEnd
    | Door
    | Release
    | Lockdown
    | LockdownEnd
    | Acknowledge
    | FreePassage
    | PassbackReset
    | ParityAsked
    | Cards
    | CardRevoke
    | PinSet
    | PinClear
    | Passes
    | PassIssue
    | PassShow
    | PassRevoke
    | PassKeyChange
    | Groups
    | GroupPut
    | GroupRemove
    | SchedulePut
    | ScheduleRemove
    | HolidayPut
    | HolidayRemove
    | PersonPut
    | ImportRows
    | Export
    | SelfTest
    | Version
)

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
