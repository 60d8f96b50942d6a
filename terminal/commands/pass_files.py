"""The forms in which a pass leaves the terminal: drawn on the screen, as a picture, as a page.

How each looks is the affair of `terminal.passes`; here it gets what it needs of the door's answer.
The secret of a rotating pass goes into its page and nowhere else.

What changes with this file: `passes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from zoneinfo import ZoneInfo

from terminal.answers import IssuedPass
from terminal.core.values import PassId
from terminal.errors import NotDone
from terminal.operator_link import MISUNDERSTOOD, NotUnderstood
from terminal.passes import pictures
from terminal.passes.caption import Caption, Kind, short
from terminal.passes.page import page

Maker = Callable[[IssuedPass, ZoneInfo], bytes]

KINDS = {
    "resident": Kind.RESIDENT,
    "static": Kind.WITH_PIN,
    "visitor": Kind.VISITOR,
    "once": Kind.ONCE,
}


def drawing(one: IssuedPass) -> str:
    """The pass as half blocks, dark on light on every background."""
    return pictures.terminal_text(one.text).rstrip("\n")


def without_colours(text: str) -> str:
    """What of a drawing takes room on the screen."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _caption(one: IssuedPass, zone: ZoneInfo) -> Caption:
    return Caption(
        kind=KINDS[one.kind],
        valid_from=one.valid_from.astimezone(zone),
        valid_until=one.valid_until.astimezone(zone),
        number=PassId(one.number),
    )


def _picture(draw: Callable[[str, Caption], bytes]) -> Maker:
    return lambda one, zone: draw(one.text, _caption(one, zone))


def _page(one: IssuedPass, zone: ZoneInfo) -> bytes:
    """Raises NotDone for a pass that does not change: a picture of it is all there is to it.

    Raises NotUnderstood where the door's text is none that a page can be made of.
    """
    if one.secret is None or not one.rotates:
        raise NotDone("Only a resident's pass has a page; of this one, write a picture.")
    try:
        return page(
            one.text,
            bytes.fromhex(one.secret),
            site=one.site,
            number=short(PassId(one.number)),
            valid_from=one.valid_from,
            valid_until=one.valid_until,
        )
    except ValueError as error:
        raise NotUnderstood(MISUNDERSTOOD) from error


MAKERS: dict[str, Maker] = {
    "png": _picture(pictures.png),
    "svg": _picture(pictures.svg),
    "pdf": _picture(pictures.pdf),
    "page": _page,
}
