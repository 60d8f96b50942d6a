"""`terminalctl door`: how the door stands, and what an operator may do to it.

Everything here that moves the lock or bars it has a reason where the law wants one (R47), and is a
record with the operator's name before it happens; leaving is nothing that any of it can close.

What changes with this file: docs/maintenance.md, docs/doors.md, `show_access`.
"""

from __future__ import annotations

import argparse

from terminal import show, show_access
from terminal.answers import DoorAnswer
from terminal.commands import arguments
from terminal.commands.common import (
    Commands,
    Options,
    add_command,
    add_yes,
    agreed,
    ask_and_say,
    ask_and_show,
    not_agreed,
    runs,
)
from terminal.requests import (
    Acknowledge,
    Door,
    FreePassage,
    Hold,
    HoldEnd,
    Lockdown,
    LockdownEnd,
    PassbackReset,
    Release,
)


def add(commands: Commands) -> None:
    """The noun of the door; alone it shows how the door stands."""
    words = "how the door stands; release it, hold it, lock it down"
    door: argparse.ArgumentParser = commands.add_parser("door", help=words, description=words)
    runs(door, _show)
    verbs = door.add_subparsers(metavar="VERB")
    add_command(verbs, "show", _show, "how the door, its lines and its alarms stand")
    _add_reasoned(verbs)
    add_command(verbs, "acknowledge", _acknowledge, "the alarms have been seen")
    _add_hold(verbs)
    _add_free(verbs)
    reset = add_command(verbs, "reset-passback", _reset, "forget on which side people are")
    reset.add_argument("who", nargs="?", type=arguments.name, help="one person; else everyone")
    add_yes(reset)


def _add_reasoned(verbs: Commands) -> None:
    for verb in (
        add_command(verbs, "release", _release, "let somebody in once"),
        add_command(verbs, "lockdown", _lockdown, "nobody comes in but who may in a lockdown"),
        add_command(verbs, "lift", _lift, "end the lockdown"),
    ):
        verb.add_argument("--why", type=arguments.reason, required=True, help=_WHY)


_WHY = "the reason, for the log"


def _add_hold(verbs: Commands) -> None:
    hold = add_command(verbs, "hold", _hold, "keep the door released for a while")
    hold.add_argument("--seconds", type=arguments.seconds, required=True, help="1 to 86400")
    hold.add_argument("--why", required=True, help=_WHY)
    add_command(verbs, "secure", _secure, "end a held release")


def _add_free(verbs: Commands) -> None:
    free = add_command(verbs, "free", _free, "open the door to everyone by a schedule, or no more")
    which = free.add_mutually_exclusive_group(required=True)
    which.add_argument("schedule", nargs="?", type=arguments.label, help="the schedule's name")
    which.add_argument("--off", action="store_true", help="by no schedule any more")
    free.add_argument("--first-person", action="store_true", help="only once somebody has come in")


def _show(options: Options) -> int:
    return ask_and_show(
        options, Door(), DoorAnswer, "door", lambda answer: show_access.door(answer.door)
    )


def _release(options: Options) -> int:
    return ask_and_say(options, Release(options.why), "The door was released for one.")


def _lockdown(options: Options) -> int:
    sentence = "The door is locked down: nobody comes in but who may in a lockdown."
    return ask_and_say(options, Lockdown(options.why), sentence)


def _lift(options: Options) -> int:
    return ask_and_say(options, LockdownEnd(options.why), "The lockdown is lifted.")


def _acknowledge(options: Options) -> int:
    sentence = "The alarms are acknowledged; one whose cause is still there goes on."
    return ask_and_say(options, Acknowledge(), sentence)


def _hold(options: Options) -> int:
    sentence = f"The door is held released for {options.seconds:.0f} s."
    return ask_and_say(options, Hold(options.seconds, options.why), sentence)


def _secure(options: Options) -> int:
    return ask_and_say(options, HoldEnd(), "The door is no longer held released.")


def _free(options: Options) -> int:
    request = FreePassage(options.schedule, options.first_person)
    if options.off:
        sentence = "The door is open to everyone by no schedule any more."
    else:
        once = ", once somebody has come in" if options.first_person else ""
        sentence = f"The door is open to everyone by {show.seen(options.schedule)}{once}."
    return ask_and_say(options, request, sentence)


def _reset(options: Options) -> int:
    if options.who is None and not agreed(options, "Forget on which side everyone is?"):
        return not_agreed()
    whose = "everyone" if options.who is None else "this person"
    sentence = f"Forgotten on which side {whose} is."
    return ask_and_say(options, PassbackReset(options.who), sentence)
