"""Takes single members out of a downloaded package, by size and sha256.

No path of an archive is ever used, and no link followed: what lies under which name in it does not
matter. It must never write anything, and never read more than a member announces. It changes when
packages come in another kind of archive than wheels and gzipped tar files.
"""

import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from models.errors import BuildFailed
from models.manifest import Member


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
