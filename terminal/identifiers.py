"""Random identifiers: pseudonyms of people and consents in the log, the files and the passes.

What changes with this file: `terminal.passes.token`, which packs one into eight bytes.
"""

from __future__ import annotations

import secrets

LETTERS = "bcdfghjkmnpqrstvwxz"
"""Identifiers have no digits in them: what looks like a number is withheld from the log."""

IDENTIFIER_LETTERS = 12


def new_identifier() -> str:
    """A random identifier of 12 letters (51 bits)."""
    return "".join(secrets.choice(LETTERS) for _ in range(IDENTIFIER_LETTERS))
