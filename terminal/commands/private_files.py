"""Files for the operator alone: mode 0600, whole or not at all, and never in place of another.

A pass is a key of the door and a list of residents is nobody else's business, so neither is ever
readable by others, not even for a moment, and no file or link that stands there is written through.

What changes with this file: what `pass` and `export` write.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from terminal.errors import NotDone
from terminal.show import seen

MODE = 0o600


def check_free(paths: Iterable[Path], force: bool) -> None:
    """Raises NotDone where a file could not be written, before anything is done for it."""
    wanted = tuple(paths)
    if len(set(wanted)) != len(wanted):
        raise NotDone("Two files of one name are wanted; nothing was written.")
    for path in wanted:
        try:
            _check_one(path, force)
        except OSError as error:
            raise NotDone(f"{_named(path)} can't be written: {_why(error)}.") from error


def _check_one(path: Path, force: bool) -> None:
    if not path.parent.is_dir():
        raise NotDone(f"There is no folder for {_named(path)}.")
    if path.is_dir():
        raise NotDone(f"{_named(path)} is a folder.")
    if os.path.lexists(path) and not force:
        raise NotDone(f"{_named(path)} is there already; say --force to replace it.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise NotDone(f"{_named(path)} can't be written: its folder is not for this account.")


def write(files: Mapping[Path, bytes], force: bool) -> None:
    """Write all of them; where one can't be, no new one is left. Raises NotDone."""
    check_free(files, force)
    drafts: dict[Path, Path] = {}
    placed: list[Path] = []
    try:
        for path, data in files.items():
            drafts[path] = _draft(path, data)
        for path, draft in drafts.items():
            _put(draft, path, force)
            placed.append(path)
    except OSError as error:
        _remove([] if force else placed)
        raise NotDone(f"The files can't be written: {_why(error)}.") from error
    finally:
        _remove(drafts.values())


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _draft(path: Path, data: bytes) -> Path:
    """The data in a file beside, which no reader of the folder takes for the real one."""
    draft = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        _remove([draft])
        raise
    return draft


def _put(draft: Path, path: Path, force: bool) -> None:
    """Where files may have two names, that is used: unlike a rename it replaces nothing."""
    if force:
        draft.replace(path)
        return
    try:
        os.link(draft, path, follow_symlinks=False)
    except OSError:  # a memory stick has one name for each file
        if os.path.lexists(path):
            raise
        draft.replace(path)


def _named(path: Path) -> str:
    return seen(str(path))


def _why(error: OSError) -> str:
    return error.strerror or "the system gives no reason"
