"""`terminalctl enrol`, `erase` and `person`: who is registered, and in which group.

Consent is never given here: it takes the button at the terminal.

What changes with this file: docs/maintenance.md, `enrolment` in the core.
"""

from __future__ import annotations

import json

from terminal import show
from terminal.commands import arguments
from terminal.commands.common import (
    DONE,
    REFUSED,
    Commands,
    Options,
    add_command,
    add_noun,
    add_yes,
    agreed,
    ask_about_person,
    ask_door,
    not_agreed,
    part,
    print_data,
    say,
    shown,
    typed,
)
from terminal.operator_link import Conversation, find_socket
from terminal.requests import Enrol, Erase, Line, People, PersonPut

MOST_PANEL_NUMBER = 2**35 - 1
"""What a Wiegand frame of 37 bits has room for."""


def add(commands: Commands) -> None:
    """The commands about people."""
    enrolling = add_command(
        commands, "enrol", enrol, "register a person: a card, and a face by consent"
    )
    enrolling.add_argument(
        "name", nargs="?", help="as the person wants to be called; else asked for"
    )
    enrolling.add_argument("--no-card", dest="card", action="store_false", help="a face only")
    enrolling.add_argument("--no-face", dest="face", action="store_false", help="a card only")
    enrolling.add_argument("--again", action="store_true", help="somebody who is registered")
    erase = add_command(commands, "erase", _erase, "erase somebody's face data, or everything")
    erase.add_argument("who", help="name or identifier")
    erase.add_argument("--everything", action="store_true", help="name and cards as well")
    add_yes(erase)
    _add_person(add_noun(commands, "person", "who is registered, and in which group"))


def _add_person(verbs: Commands) -> None:
    add_command(verbs, "list", _people, "everyone registered")
    group = add_command(verbs, "group", _group, "put somebody into a group")
    group.add_argument("who", type=arguments.name, help="name or identifier")
    into = group.add_mutually_exclusive_group(required=True)
    into.add_argument("group", nargs="?", type=arguments.label, help="the group's name")
    into.add_argument("--none", action="store_true", help="into no group of their own")
    number = add_command(verbs, "panel-number", _panel_number, "the number an existing panel knows")
    number.add_argument("who", type=arguments.name, help="name or identifier")
    known = number.add_mutually_exclusive_group(required=True)
    known.add_argument(
        "number", nargs="?", type=arguments.whole(0, MOST_PANEL_NUMBER), help="the panel's number"
    )
    known.add_argument("--none", action="store_true", help="the panel does not know them")


def enrol(options: Options) -> int:
    """Register somebody, or a card more; follows it to its end."""
    name = options.name or typed("Name:")
    request = Enrol(name, options.card, options.face, options.again)
    with Conversation(find_socket(options.socket), request) as conversation:
        for line in conversation.news():
            _show_progress(options, line)
        answer = conversation.result
    print_data(options, part(answer, "enrolment"), shown(show.enrolment, answer))
    return REFUSED if answer["enrolment"]["stage"] == "failed" else DONE


def _show_progress(options: Options, line: Line) -> None:
    if options.json:
        print(json.dumps(line), flush=True)
    elif line.get("news") == "notice":
        say("Read this to the person, or let the person read it:\n\n" + shown(_notice, line))
    else:
        say(shown(show.progress, line))


def _notice(line: Line) -> str:
    return "\n".join(show.seen(each) for each in str(line["text"]).splitlines())


def _erase(options: Options) -> int:
    what = "everything about" if options.everything else "the face data of"
    if not agreed(options, f"Erase {what} {options.who!r}?"):
        return not_agreed("Nothing was erased.")
    sentence = f"{what[0].upper()}{what[1:]} {{}} was erased."
    return ask_about_person(options, Erase(options.who, options.everything), sentence)


def _people(options: Options) -> int:
    answer = ask_door(options, People())
    text = shown(show.people, answer)
    print_data(options, answer["people"], text)
    return DONE


def _group(options: Options) -> int:
    where = "no group of their own" if options.none else f"the group {show.seen(options.group)}"
    request = PersonPut(options.who, group=options.group)
    return ask_about_person(options, request, f"{{}} is in {_bare(where)} now.")


def _panel_number(options: Options) -> int:
    known = "has no number" if options.number is None else f"is number {options.number}"
    request = PersonPut(options.who, panel_number=options.number)
    return ask_about_person(options, request, f"To the panel, {{}} {known} now.")


def _bare(text: str) -> str:
    """The text where a `{` means itself."""
    return text.replace("{", "{{").replace("}", "}}")
