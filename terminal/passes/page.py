"""The page on a resident's phone: one file that shows a new QR code every 30 s, without a network.

It holds the signed part of a pass and the secret of its codes, and nothing about a person: the
site's name, the validity and the pass's short number are all that is shown. Whoever has the file
has the pass. It loads nothing and sends nothing: its policy allows its own script and style, by
their hashes, and no address at all. What comes from outside stands in the text and in attributes,
escaped, and never in the script, which is the same for everybody.

Where a phone shows files without running scripts (the previews of iOS), the page says so, in both
languages, and what to ask for instead.

What changes with this file: page.html, page.css, page_code.js, page_qr.js, page_show.js; not the
pages that are out there already.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Final

_HERE: Final = Path(__file__).parent
_SCRIPTS: Final = ("page_code.js", "page_qr.js", "page_show.js")
_SIGNED: Final = re.compile(r"FT1:[0-9A-Z $%*+./:-]{156}")
_SECRET_BYTES: Final = 32


def page(
    text: str,
    secret: memoryview | bytes,
    *,
    site: str,
    number: str,
    valid_from: datetime,
    valid_until: datetime,
) -> bytes:
    """The page (UTF-8) of a rotating pass: `text` is what it says without a code.

    `secret` (32 bytes) is `Keys.pass_secret`; it stands in what is returned. `number` is what a
    person calls the pass by. Raises ValueError for a text that has a code, or is no pass.
    """
    if not _SIGNED.fullmatch(text) or len(secret) != _SECRET_BYTES:
        raise ValueError("A page is for a rotating pass without its code, and its secret.")
    style, script = style_text(), script_text()
    filled = Template(_read("page.html")).substitute(
        policy=_policy(style, script),
        style=style,
        script=script,
        text=_escaped(text),
        secret=secret.hex(),
        site=_escaped(site),
        number=_escaped(number),
        **_times("from", valid_from),
        **_times("until", valid_until),
    )
    return filled.encode()


def script_text() -> str:
    """The script of every page (ECMAScript 5)."""
    return "\n".join(_read(name) for name in _SCRIPTS)


def style_text() -> str:
    """The style of every page."""
    return _read("page.css")


def _policy(style: str, script: str) -> str:
    """Nothing from anywhere but these two texts (Content Security Policy Level 3)."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _times(name: str, at: datetime) -> dict[str, str]:
    utc = at.astimezone(UTC)
    return {
        f"{name}_s": str(int(utc.timestamp())),
        f"{name}_iso": f"{utc:%Y-%m-%dT%H:%M:%SZ}",
        f"{name}_text": f"{utc:%Y-%m-%d %H:%M}",
    }


def _escaped(text: str) -> str:
    """No letter of it is markup, and none is invisible or turns the direction of others."""
    visible = "".join(letter if letter.isprintable() else " " for letter in text)
    return html.escape(visible, quote=True)


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
