"""`terminalctl pass`: issue, show, revoke and list QR passes, and change the key that signs them.

A pass is drawn in the terminal, or written to files that only this account reads, and then not
drawn: what scrolls by stays in the scroll-back. Whether files can be written is known before the
pass is issued. The text of a pass and the secret of a rotating one are keys of the door: they stand
in no argument, no sentence and no error, and the secret in nothing but the page.

What changes with this file: docs/maintenance.md, docs/doors.md.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from terminal import answers, show, show_access
from terminal.answers import IssuedPass, PassAnswer, PassesAnswer
from terminal.commands import arguments, pass_files, private_files
from terminal.commands.common import (
    DONE,
    Commands,
    Options,
    add_command,
    add_noun,
    add_yes,
    agreed,
    ask_and_say,
    ask_and_show,
    ask_door,
    not_agreed,
    print_data,
    rules_of,
    say,
    typed,
)
from terminal.commands.pass_times import KINDS, Wanted, span
from terminal.errors import NotDone
from terminal.requests import Passes, PassIssue, PassKeyChange, PassRevoke, PassShow

ROTATES = (
    "A resident's pass changes every 30 seconds, so a picture of it opens nothing;"
    " only its page can be written (--page FILE)."
)
NOT_EVERY_PHONE = (
    "Some phones do not run the page (the preview of files on iOS): there, issue a static pass"
    " with a PIN, or a card."
)


def add(commands: Commands) -> None:
    """The noun of passes."""
    verbs = add_noun(commands, "pass", "QR passes: for residents, for paper, for visitors")
    _add_issue(verbs)
    shown = add_command(verbs, "show", _show, "draw a pass again, or write it to files")
    shown.add_argument("number", type=arguments.pass_number, help="as the list shows it")
    _add_files(shown)
    listed = add_command(verbs, "list", _list, "every pass, or those of one person")
    listed.add_argument("who", nargs="?", type=arguments.name, help="name or identifier")
    revoke = add_command(verbs, "revoke", _revoke, "this pass opens nothing any more")
    revoke.add_argument("number", type=arguments.pass_number, help="as the list shows it")
    add_yes(revoke)
    key = add_command(verbs, "new-key", _new_key, "sign with a new key from now on")
    key.add_argument(
        "--overlap-days",
        type=arguments.whole(0, 366),
        default=30,
        metavar="N",
        help="for so long passes of the old key go on opening (30)",
    )
    add_yes(key)


def _add_issue(verbs: Commands) -> None:
    issue = add_command(
        verbs, "issue", _issue, "issue a pass to somebody, or to a visitor of theirs"
    )
    issue.add_argument("who", type=arguments.name, help="name or identifier; of a visit, the host")
    issue.add_argument("--kind", choices=list(KINDS), required=True)
    issue.add_argument(
        "--visitor", type=arguments.name, metavar="NAME", help="who visits; else asked for"
    )
    issue.add_argument(
        "--from", dest="begins", metavar="TIME", help="as 2026-01-31 08:00; else now"
    )
    ends = issue.add_mutually_exclusive_group()
    ends.add_argument("--until", metavar="TIME", help="as 2026-01-31, or 2026-01-31 18:00")
    ends.add_argument("--days", type=arguments.whole(1, 3660), metavar="N")
    ends.add_argument("--hours", type=arguments.whole(1, 87_840), metavar="N")
    issue.add_argument(
        "--uses", type=arguments.whole(1, 10_000), metavar="N", help="how often a visitor's opens"
    )
    issue.add_argument(
        "--marked", action="store_true", help="a duress pass: opens, and raises a silent alarm"
    )
    _add_files(issue)


def _add_files(command: argparse.ArgumentParser) -> None:
    for form, words in (
        ("png", "a picture"),
        ("svg", "a drawing"),
        ("pdf", "a drawing to print"),
        ("page", "a page for a phone, which works without a network"),
    ):
        command.add_argument(f"--{form}", type=arguments.path, metavar="FILE", help=words)
    command.add_argument("--force", action="store_true", help="replace files that are there")
    command.set_defaults(misused=command.error)


# Issuing and showing


def _issue(options: Options) -> int:
    _check_makes_sense(options)
    private_files.check_free(_wanted_files(options), options.force)
    zone = rules_of(options).zone
    line = ask_door(options, _request(options, zone))
    one = answers.read(line, PassAnswer).issued
    try:
        return _hand_out(options, one, zone)
    except NotDone as error:
        again = f"The pass {show.seen(one.number)} was issued; `pass show` writes it again."
        raise NotDone(f"{error} {again}") from error


def _check_makes_sense(options: Options) -> None:
    """Ends with status 2 for what no pass can be."""
    pictures = options.png or options.svg or options.pdf
    if options.kind == "resident" and (pictures or not options.page):
        options.misused(ROTATES)
    if options.kind != "resident" and options.page:
        options.misused("only a resident's pass has a page; say --png, --svg or --pdf")
    if options.kind in ("resident", "static") and options.uses:
        options.misused("a resident's pass is not counted; for so many entries, say --kind visitor")
    if options.kind == "once" and options.uses not in (None, 1):
        options.misused("a one-time pass opens once; for more, say --kind visitor")
    if options.kind in ("resident", "static") and options.visitor:
        options.misused("a visitor's pass is of the kind visitor or once")


def _request(options: Options, zone: ZoneInfo) -> PassIssue:
    """Raises NotDone for times that can't be."""
    wanted = Wanted(options.begins, options.until, options.days, options.hours)
    begins, ends = span(options.kind, wanted, options.clock.now().utc, zone)
    return PassIssue(
        who=options.who,
        kind=options.kind,
        valid_until=ends,
        valid_from=begins,
        uses=KINDS[options.kind].uses if options.uses is None else options.uses,
        visitor=_visitor(options),
        is_marked=options.marked,
    )


def _visitor(options: Options) -> str | None:
    if options.visitor is None and options.kind == "visitor":
        return typed("The visitor's name:")
    visitor: str | None = options.visitor
    return visitor


def _show(options: Options) -> int:
    private_files.check_free(_wanted_files(options), options.force)
    zone = rules_of(options).zone
    one = answers.read(ask_door(options, PassShow(options.number)), PassAnswer).issued
    return _hand_out(options, one, zone)


def _hand_out(options: Options, one: IssuedPass, zone: ZoneInfo) -> int:
    """Write the files that are wanted, else draw; and say what this pass is good for."""
    wanted = _wanted_files(options)
    if one.rotates and set(wanted) != {options.page} - {None}:
        raise NotDone(ROTATES)
    files = {path: make(one, zone) for path, make in wanted.items()}
    private_files.write(files, options.force)
    _print(options, one, zone, list(files))
    for sentence in _advice(one, options.page is not None):
        say(sentence)
    return DONE


def _wanted_files(options: Options) -> dict[Path, pass_files.Maker]:
    """What to write where. Raises NotDone where two are to be one file."""
    forms = ("png", "svg", "pdf", "page")
    wanted = [(getattr(options, form), pass_files.MAKERS[form]) for form in forms]
    named = [(path, make) for path, make in wanted if path is not None]
    if len({path for path, _ in named}) != len(named):
        raise NotDone("Two files of one name are wanted; nothing was done.")
    return dict(named)


def _print(options: Options, one: IssuedPass, zone: ZoneInfo, files: list[Path]) -> None:
    facts = {name: value for name, value in msgspec.to_builtins(one).items() if name != "secret"}
    data = {**facts, "files": [str(path) for path in files]}
    text = show_access.issued(one, zone)
    if files:
        text += "\nWritten: " + ", ".join(show.seen(str(path)) for path in files)
    elif not one.rotates:
        text += "\n\n" + pass_files.drawing(one)
        _warn_if_narrow(options, text)
    print_data(options, data, text)


def _warn_if_narrow(options: Options, text: str) -> None:
    wide = max(len(pass_files.without_colours(line)) for line in text.splitlines())
    columns = shutil.get_terminal_size().columns
    if columns < wide and not options.json:
        say(f"This window has {columns} columns and the code takes {wide}: widen it, or say --png.")


def _advice(one: IssuedPass, has_page: bool) -> list[str]:
    usual = KINDS.get(one.kind)
    sentences = [usual.good_for] if usual else []
    if one.rotates and not has_page:
        sentences.append(ROTATES)
    if one.rotates or has_page:
        sentences.append(NOT_EVERY_PHONE)
    if one.needs_pin:
        sentences.append("It opens with the person's PIN; set one with `terminalctl pin set`.")
    return sentences


# The others


def _list(options: Options) -> int:
    zone = rules_of(options).zone
    return ask_and_show(
        options,
        Passes(options.who),
        PassesAnswer,
        "passes",
        lambda answer: show_access.passes(answer.passes, zone),
    )


def _revoke(options: Options) -> int:
    if not agreed(options, f"Revoke the pass {options.number}?"):
        return not_agreed("No pass was revoked.")
    sentence = f"The pass {options.number} opens nothing any more."
    return ask_and_say(options, PassRevoke(options.number), sentence)


def _new_key(options: Options) -> int:
    days = options.overlap_days
    ending = (
        f"Every pass of today opens for {days} more days at most."
        if days
        else "EVERY pass of today ends now."
    )
    if not agreed(options, f"Sign with a new key? {ending}"):
        return not_agreed("The key was not changed.")
    sentence = f"Passes are signed with a new key. {ending}"
    return ask_and_say(options, PassKeyChange(days), sentence)
