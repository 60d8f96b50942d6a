"""What a broken law is; shared by all that watch the core from outside.

What changes with this file: nothing in the product.
"""

from __future__ import annotations

EPSILON_S = 1e-6


class BrokenLawError(AssertionError):
    """A law of the core does not hold; the text begins with its name."""


def demand(holds: bool, law: str) -> None:
    """Raise `BrokenLawError` with the name of the law unless it holds."""
    if not holds:
        raise BrokenLawError(law)
