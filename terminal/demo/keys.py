"""Playing the door by hand: one key is one thing that somebody does there.

After the story at a desk, and with a real camera or a clip from the beginning. The keys act on the
twins and on the control socket only.

What changes with this file: nothing else; the list of keys is printed before the first one.
"""

from __future__ import annotations

import itertools
import select
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hw.errors import DeviceError
from terminal.demo.stage import CARD, CONSENT_HOLD_S, RESIDENT, Otherwise, Stage
from terminal.errors import TerminalError

LOOK_S = 0.2

Action = Callable[[Stage], None]

_number = itertools.count(2)
"""Names must differ; the resident of the story is the first."""


def enrol_beside(stage: Stage, on_stage: Callable[[str], None]) -> None:
    """Enrol on a thread of its own: the keys go on, and so does the film."""

    def talk() -> None:
        try:
            ended = stage.enrol(f"{RESIDENT} {next(_number)}", on_stage)
            reason = f" ({ended['reason']})" if "reason" in ended else ""
            stage.teller.say("operator", f"the enrolment ended: {ended['stage']}{reason}")
        except TerminalError as error:
            stage.teller.say("operator", str(error))

    threading.Thread(target=talk, daemon=True).start()


_passes: list[str] = []
"""The visitors' passes of this run, the newest last."""


def hold_up_new_pass(stage: Stage) -> None:
    """A pass for once is issued, and its holder comes with it."""
    _passes.append(stage.issue_for_visitor(f"A visitor {next(_number)}"))
    stage.hold_up(_passes[-1])


def hold_up_last_pass(stage: Stage) -> None:
    """The pass that was issued last is held up again. Raises Otherwise where there is none."""
    if not _passes:
        raise Otherwise("there is no pass yet; 7 issues one")
    stage.hold_up(_passes[-1], "paper")


def _nothing(stage_name: str) -> None:
    """At the keys the person acts."""


ALWAYS: dict[str, tuple[str, Action]] = {
    "e": ("enrol somebody (then c, then y)", lambda stage: enrol_beside(stage, _nothing)),
    "c": ("hold up the card", lambda stage: stage.tap(CARD)),
    "y": ("hold the button: I agree", lambda stage: stage.press(CONSENT_HOLD_S)),
    "n": ("tap the button: no face", lambda stage: stage.press()),
    "o": ("push the door and go through", lambda stage: stage.pass_through()),
    "k": ("kill -9 the vision process", lambda stage: stage.processes.kill_vision()),
}

SCENES: dict[str, tuple[str, Action]] = {
    "1": ("the resident walks up", lambda stage: stage.play("resident_walks_up")),
    "2": ("the resident stands for an enrolment", lambda stage: stage.play("resident_enrols")),
    "3": ("a stranger walks up", lambda stage: stage.play("stranger_walks_up")),
    "4": ("a passer-by", lambda stage: stage.play("passer_by")),
    "5": ("two people", lambda stage: stage.play("two_people")),
    "6": ("a print of the resident", lambda stage: stage.play("print_of_resident")),
    "7": ("a visitor holds up a pass for once", hold_up_new_pass),
    "8": ("somebody holds up that pass again", hold_up_last_pass),
    "0": ("nobody", lambda stage: stage.clear()),
}


def play_by_hand(stage: Stage, scenes: bool) -> None:
    """Take keys until q, or until a clip has ended."""
    keys = {**ALWAYS, **(SCENES if scenes else {})}
    stage.teller.chapter("Now you: one key each; q ends")
    for key, (words, _) in keys.items():
        print(f"   {key}  {words}")
    for key in _pressed(stage):
        if key in keys:
            stage.teller.say("you", keys[key][0])
            _do(stage, keys[key][1])


def _do(stage: Stage, action: Action) -> None:
    try:
        action(stage)
    except (Otherwise, TerminalError, DeviceError) as error:
        stage.teller.say("you", str(error))


def _pressed(stage: Stage) -> Iterator[str]:
    with _single_keys():
        while not stage.processes.clip_ended.is_set():
            if not stage.processes.door_runs:
                stage.teller.say("door", f"ended: {stage.processes.last_words}")
                return
            if select.select([sys.stdin], [], [], LOOK_S)[0]:
                key = sys.stdin.read(1)
                if key in ("q", "", "\x03", "\x04"):
                    return
                yield key


@contextmanager
def _single_keys() -> Iterator[None]:
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def watch(stage: Stage, for_s: float | None) -> None:
    """Nobody at the keys: somebody is enrolled by the twins, until the clip ends or for so long."""
    enrol_beside(stage, stage.act_enrolled)
    deadline_s = None if for_s is None else time.monotonic() + for_s
    while not stage.processes.clip_ended.wait(LOOK_S):
        if not stage.processes.door_runs:
            raise Otherwise(f"the door process ended: {stage.processes.last_words}")
        if deadline_s is not None and time.monotonic() >= deadline_s:
            return
