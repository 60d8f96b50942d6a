"""The notice that is shown before anyone can consent: its text, and the hash that a consent holds.

In this version the notice is printed or read from the operator's terminal (`terminalctl enrol`
shows it in full); the record of a consent says so by its `how`. The text is the one that comes with
the program, the same at every site: it names no operator but says that name and contact stand on
the sign beside the door, so they must. A site's own text comes with a later version.

What changes with this file: `terminal/notice.en.md`, every consent's `notice_sha256` (R02).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from terminal.errors import RefuseToStart

MAX_BYTES = 64 * 1024
SUPPLIED = Path(__file__).with_name("notice.en.md")


@dataclass(frozen=True, slots=True)
class Notice:
    """The notice as it is shown; `sha256` is of exactly this text in UTF-8."""

    text: str
    sha256: str


def read_notice(path: Path = SUPPLIED) -> Notice:
    """The notice in this file. Raises RefuseToStart when it is missing, too long or no text."""
    try:
        raw = path.read_bytes()
        text = raw.decode()
    except OSError as error:
        raise RefuseToStart(f"The notice {path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise RefuseToStart(f"The notice {path} is not UTF-8 text; save it as such.") from error
    if not text.strip() or len(raw) > MAX_BYTES:
        raise RefuseToStart(f"The notice {path} must hold 1 to {MAX_BYTES} bytes of text.")
    return Notice(text, hashlib.sha256(raw).hexdigest())
