"""Where pip is told to look for packages, on this machine and for this account.

The settings are those that `pip config list` prints: pip's own files, then its PIP_ variables. So a
mirror, a folder or a certificate that holds for pip holds for the models too, and no address of an
index stands in this repository. It must never download anything, and never print a setting: an
address may hold a password. It changes with pip's options.
"""

import ast
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from models.errors import BuildFailed

_SECTIONS: Final = ("global", "download", ":env:")
"""Later ones win, as in pip itself"""

_TIMEOUT_S: Final = 15.0
"""pip's own default"""

_ADDRESS_OF_THE_INDEX: Final = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
"""Where pip looks if nobody told it anything; only pip knows"""


@dataclass(frozen=True)
class IndexSettings:
    """Where packages may come from, and how to get there."""

    indexes: tuple[str, ...]
    """Addresses of simple indexes, `http:`, `https:` or `file:`, perhaps with a password"""
    find_links: tuple[str, ...]
    """Folders, or pages of links"""
    authorities: str | None
    """File or folder of certificates to trust; None: the system's"""
    client_certificate: str | None
    proxy: str | None
    """None: what the environment says"""
    timeout_s: float
    """Of silence, not of the whole download"""


def read(python: str) -> IndexSettings:
    """The settings of that interpreter's pip. Raises BuildFailed with one sentence."""
    given = _merged(_run(python, "-m", "pip", "--disable-pip-version-check", "config", "list"))
    return IndexSettings(
        indexes=_indexes(given, python),
        find_links=tuple(given.get("find-links", "").split()),
        authorities=given.get("cert") or os.environ.get("REQUESTS_CA_BUNDLE"),
        client_certificate=given.get("client-cert"),
        proxy=given.get("proxy"),
        timeout_s=_seconds(given.get("timeout") or given.get("default-timeout")),
    )


def _indexes(given: Mapping[str, str], python: str) -> tuple[str, ...]:
    if given.get("no-index", "").lower() in {"1", "y", "yes", "t", "true", "on"}:
        return ()
    first = given.get("index-url") or _run(python, "-c", _ADDRESS_OF_THE_INDEX).strip()
    return (first, *given.get("extra-index-url", "").split())


def _merged(listing: str) -> dict[str, str]:
    """Each option's value that counts, from lines such as `global.index-url='...'`."""
    settings = list(_settings(listing))
    return {
        option: value
        for section in _SECTIONS
        for where, option, value in settings
        if where == section and value
    }


def _settings(listing: str) -> Iterator[tuple[str, str, str]]:
    """Section, option and value; pip ignores an empty value, and so does who calls this."""
    for line in listing.splitlines():
        name, _, quoted = line.partition("=")
        section, _, option = name.rpartition(".")
        try:
            yield section, option, str(ast.literal_eval(quoted))
        except (SyntaxError, ValueError):
            continue  # a remark of pip's


def _seconds(text: str | None) -> float:
    try:
        seconds = float(text or _TIMEOUT_S)
    except ValueError:
        return _TIMEOUT_S
    return seconds if seconds > 0 else _TIMEOUT_S


def _run(python: str, *arguments: str) -> str:
    # A pip that was told to be quiet would print no settings either.
    environment = dict(os.environ, PIP_QUIET="0", PIP_VERBOSE="0")
    done = subprocess.run(
        [python, *arguments],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env=environment,
        check=False,
        text=True,
        errors="replace",
    )
    if done.returncode == 0:
        return done.stdout
    if "No module named pip" in done.stderr or "No module named 'pip'" in done.stderr:
        raise BuildFailed(
            f"{python} has no pip, whose settings say where packages come from; "
            "install it: python -m ensurepip."
        )
    raise BuildFailed(
        "pip can't read its own settings; mend what `python -m pip config list` complains of."
    )
