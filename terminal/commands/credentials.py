"""`terminalctl card` and `pin`: the credentials of one person besides passes.

A card is named by the beginning of its hash, never by its number (R45). A PIN is typed twice
without an echo, or comes as one line of a pipe; it is no argument, since every account of the
machine can read those, and no sentence repeats it.

What changes with this file: docs/maintenance.md, docs/doors.md.
"""

from __future__ import annotations

import getpass
import re
import warnings

from terminal import show, show_access
from terminal.answers import CardsAnswer
from terminal.commands import arguments, people
from terminal.commands.common import (
    Commands,
    Options,
    add_command,
    add_noun,
    add_yes,
    agreed,
    ask_about_person,
    ask_and_show,
    is_at_keyboard,
    line_in,
    not_agreed,
)
from terminal.errors import NotDone
from terminal.requests import CardRevoke, Cards, PinClear, PinSet


def add(commands: Commands) -> None:
    """The nouns of cards and PINs."""
    cards = add_noun(commands, "card", "the cards of a person")
    listed = add_command(cards, "list", _list, "the cards of a person")
    listed.add_argument("who", type=arguments.name, help="name or identifier")
    more = add_command(cards, "add", people.enrol, "one more card, held to a reader")
    more.add_argument("name", metavar="who", nargs="?", help="name or identifier; else asked for")
    more.set_defaults(card=True, face=False, again=True)
    revoke = add_command(cards, "revoke", _revoke, "this card opens nothing any more")
    revoke.add_argument("who", type=arguments.name, help="name or identifier")
    revoke.add_argument("card", type=arguments.card, help="as the list shows it: 8 hex digits")
    add_yes(revoke)
    _add_pin(add_noun(commands, "pin", "the PIN of a person"))


def _add_pin(verbs: Commands) -> None:
    put = add_command(verbs, "set", _pin_set, "set a PIN, typed twice or as one line of a pipe")
    put.add_argument("who", type=arguments.name, help="name or identifier")
    clear = add_command(verbs, "clear", _pin_clear, "take a PIN away")
    clear.add_argument("who", type=arguments.name, help="name or identifier")
    add_yes(clear)


def _list(options: Options) -> int:
    return ask_and_show(options, Cards(options.who), CardsAnswer, "cards", show_access.cards)


def _revoke(options: Options) -> int:
    if not agreed(options, f"Revoke the card {options.card} of {options.who!r}?"):
        return not_agreed("No card was revoked.")
    sentence = f"The card {options.card} of {{}} opens nothing any more."
    return ask_about_person(options, CardRevoke(options.who, options.card), sentence)


def _pin_set(options: Options) -> int:
    digits = _typed_twice(options) if is_at_keyboard() else line_in().rstrip("\r\n")
    if not re.fullmatch(r"[0-9]{4,8}", digits, re.ASCII):
        raise NotDone("A PIN is 4 to 8 digits; nothing was set.")
    return ask_about_person(options, PinSet(options.who, digits), "{} has this PIN from now on.")


def _typed_twice(options: Options) -> str:
    first = _unseen(f"PIN of {show.seen(options.who)} (4 to 8 digits, not shown): ")
    if first != _unseen("The same again: "):
        raise NotDone("The two were not the same; nothing was set.")
    return first


def _unseen(question: str) -> str:
    """What is typed without an echo. Raises NotDone where the echo can't be turned off."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(question)
    except getpass.GetPassWarning as error:
        raise NotDone("The echo can't be turned off here; use a pipe.") from error
    except EOFError as error:
        raise NotDone("Nothing was typed, so nothing was done.") from error


def _pin_clear(options: Options) -> int:
    if not agreed(options, f"Take the PIN of {options.who!r} away?"):
        return not_agreed("No PIN was taken away.")
    return ask_about_person(options, PinClear(options.who), "{} has no PIN any more.")
