"""The manifest as frozen values: which packages, models and portraits exist, and their bytes.

Reads `manifest.toml` with the standard library and checks every value's kind. It must never touch
the network or a model file. It changes when an entry gains a field.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final, TypeVar

from models.errorcurve import ErrorCurve, ErrorPoint
from models.errors import ManifestError
from models.paths import MANIFEST_FILE

_SCHEMA = 1
_KINDS: Final[Mapping[type, str]] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}
_Value = TypeVar("_Value")


class Recipe(Enum):
    """How a model file is made of the member of a package."""

    COPY = "copy"
    DLIB_FLOAT32 = "dlib-float32"
    DLIB_INT8 = "dlib-int8"


@dataclass(frozen=True)
class Package:
    """One pinned file of the package index."""

    key: str
    name: str
    version: str
    file: str
    sha256: str
    size_bytes: int
    licence: str


@dataclass(frozen=True)
class Member:
    """A file inside a package, known by its size and sha256."""

    package: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class InputSpec:
    """A model's one input tensor, float32."""

    shape: tuple[int, ...]
    low: float
    high: float
    meaning: str


@dataclass(frozen=True)
class OutputSpec:
    """One output tensor, float32."""

    shape: tuple[int, ...]
    meaning: str


@dataclass(frozen=True)
class ModelEntry:
    """One model file: what it is, how it is made, what its bytes must be."""

    key: str
    purpose: str
    file: str
    sha256: str
    size_bytes: int
    licence: str
    recipe: Recipe
    source: Member
    input: InputSpec
    outputs: tuple[OutputSpec, ...]
    curve: ErrorCurve | None
    """Only an embedder that has been calibrated has one"""


@dataclass(frozen=True)
class Portrait:
    """A public-domain portrait for tests and the bench camera."""

    key: str
    source: Member
    suffix: str


@dataclass(frozen=True)
class Manifest:
    """Everything the manifest says, by key."""

    packages: Mapping[str, Package]
    models: Mapping[str, ModelEntry]
    portraits: Mapping[str, Portrait]

    def model(self, key: str) -> ModelEntry:
        """The entry of that key. Raises ManifestError if there is none."""
        try:
            return self.models[key]
        except KeyError:
            known = ", ".join(sorted(self.models))
            raise ManifestError(f"The manifest knows no model {key!r}; it knows {known}.") from None


def load(path: Path = MANIFEST_FILE) -> Manifest:
    """Read and check the manifest. Raises ManifestError with one sentence."""
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"The model manifest {path} can't be read: {error}.") from error
    return _manifest(_Table(document, str(path)))


class _Table:
    """A TOML table whose values are taken by kind, each with a sentence when it is wrong."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._values = values
        self.where = where

    def take(self, key: str, kind: type[_Value]) -> _Value:
        value = self._values.get(key)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ManifestError(
                f"In the model manifest, {self.where}: {key} must be {_KINDS[kind]}."
            )
        return value

    def sha256(self) -> str:
        value = self.take("sha256", str)
        if len(value) != 64 or set(value) - set("0123456789abcdef"):
            raise ManifestError(
                f"In the model manifest, {self.where}: sha256 must be 64 hex digits."
            )
        return value

    def file(self) -> str:
        """A bare file name: it may not lead out of its folder."""
        value = self.take("file", str)
        if Path(value).name != value:
            raise ManifestError(f"In the model manifest, {self.where}: file must be a bare name.")
        return value

    def integers(self, key: str) -> tuple[int, ...]:
        return tuple(int(value) for value in self.take(key, list))

    def table(self, key: str) -> "_Table":
        return _Table(self.take(key, dict), f"{self.where} {key}")

    def tables(self, key: str) -> "list[_Table]":
        return [_Table(value, f"{self.where} {key}") for value in self.take(key, list)]

    def named(self, key: str) -> "dict[str, _Table]":
        """The sub-tables of `key`; none where it is absent."""
        if key not in self._values:
            return {}
        group = self.take(key, dict)
        return {name: _Table(value, f"{key}.{name}") for name, value in group.items()}


def _manifest(document: _Table) -> Manifest:
    if document.take("schema", int) != _SCHEMA:
        raise ManifestError(f"{document.where} has a schema that this version can't read.")
    curves = {key: _curve(table) for key, table in document.named("curves").items()}
    manifest = Manifest(
        packages={key: _package(key, table) for key, table in document.named("packages").items()},
        models={
            key: _model(key, table, curves.get(key))
            for key, table in document.named("models").items()
        },
        portraits={
            key: _portrait(key, table) for key, table in document.named("portraits").items()
        },
    )
    _check_references(manifest, curves)
    return manifest


def _check_references(manifest: Manifest, curves: Mapping[str, ErrorCurve]) -> None:
    sources = [entry.source for entry in manifest.models.values()]
    sources += [portrait.source for portrait in manifest.portraits.values()]
    for source in sources:
        if source.package not in manifest.packages:
            raise ManifestError(f"The model manifest names a package it lacks: {source.package}.")
    for key in curves:
        manifest.model(key)


def _package(key: str, table: _Table) -> Package:
    return Package(
        key=key,
        name=table.take("name", str),
        version=table.take("version", str),
        file=table.file(),
        sha256=table.sha256(),
        size_bytes=table.take("size_bytes", int),
        licence=table.take("licence", str),
    )


def _member(table: _Table) -> Member:
    size_bytes = table.take("size_bytes", int)
    return Member(table.take("package", str), table.sha256(), size_bytes)


def _model(key: str, table: _Table, curve: ErrorCurve | None) -> ModelEntry:
    try:
        recipe = Recipe(table.take("recipe", str))
    except ValueError:
        raise ManifestError(f"In the model manifest, {table.where}: unknown recipe.") from None
    given = table.table("input")
    return ModelEntry(
        key=key,
        purpose=table.take("purpose", str),
        file=table.file(),
        sha256=table.sha256(),
        size_bytes=table.take("size_bytes", int),
        licence=table.take("licence", str),
        recipe=recipe,
        source=_member(table.table("source")),
        input=InputSpec(
            given.integers("shape"),
            given.take("low", float),
            given.take("high", float),
            given.take("meaning", str),
        ),
        outputs=tuple(
            OutputSpec(output.integers("shape"), output.take("meaning", str))
            for output in table.tables("outputs")
        ),
        curve=curve,
    )


def _portrait(key: str, table: _Table) -> Portrait:
    return Portrait(key, _member(table), table.take("suffix", str))


def _curve(table: _Table) -> ErrorCurve:
    try:
        return ErrorCurve(
            points=tuple(_point(row) for row in table.take("points", list)),
            nonmated=table.take("nonmated", int),
            mated=table.take("mated", int),
            persons=table.take("persons", int),
            provenance=table.take("provenance", str),
        )
    except (TypeError, ValueError) as error:
        raise ManifestError(f"In the model manifest, {table.where}: {error}.") from error


def _point(row: list[Any]) -> ErrorPoint:
    *rates, false_matches = row
    threshold, fmr, fmr_upper, fnmr, fnmr_fused = (float(value) for value in rates)
    return ErrorPoint(threshold, fmr, fmr_upper, fnmr, fnmr_fused, int(false_matches))
