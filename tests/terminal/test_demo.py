"""The demonstration removes what it made itself, and only where it is alone."""

from __future__ import annotations

import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from terminal.config import load_config
from terminal.demo import demonstrate
from terminal.demo.folder import CONFIG, LOG, MADE, MARKER, STATE, BenchFolder, FolderRefused
from terminal.demo.stage import Stage, prepare
from terminal.sockets import listen


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder with somebody's files, one of which is called as one of ours."""
    folder = tmp_path / "photographs"
    (folder / STATE).mkdir(parents=True)
    (folder / STATE / "letter.txt").write_text("Dear all")
    (folder / CONFIG).write_text("[site]")
    return folder


# Whose folder it is


def test_a_folder_with_other_files_is_refused_and_nothing_in_it_is_touched(foreign: Path) -> None:
    before = files_in(foreign)
    with pytest.raises(FolderRefused, match="no bench terminal made"):
        BenchFolder(foreign)
    assert files_in(foreign) == before
    assert not (foreign / MARKER).exists()


@pytest.mark.parametrize("camera", ["", "clip.mp4"])
def test_the_demonstration_refuses_it_in_one_sentence(
    foreign: Path, capsys: pytest.CaptureFixture[str], camera: str
) -> None:
    before = files_in(foreign)
    assert demonstrate(foreign, camera, once=True) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        f"The folder {foreign} holds files that no bench terminal made, so nothing was done;"
        " name another one with --folder, or empty it.\n"
    )
    assert files_in(foreign) == before


def test_a_new_folder_and_an_empty_one_become_ours(tmp_path: Path) -> None:
    for folder in (tmp_path / "deep" / "new", tmp_path / "deep" / "empty"):
        if folder.name == "empty":
            folder.mkdir()
        with BenchFolder(folder):
            assert (folder / MARKER).is_file()
            assert stat.S_IMODE((folder / MARKER).stat().st_mode) == 0o600


def test_what_an_earlier_run_made_is_removed_and_nothing_else(tmp_path: Path) -> None:
    BenchFolder(tmp_path).close()
    for name in MADE:
        (tmp_path / name).write_text("old")
    (tmp_path / STATE).mkdir()
    (tmp_path / STATE / "device.key").write_bytes(bytes(32))
    (tmp_path / "notes.txt").write_text("put here since")
    (tmp_path / "more").mkdir()
    with BenchFolder(tmp_path):
        assert {path.name for path in tmp_path.iterdir()} == {MARKER, "notes.txt", "more"}


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path: Path, foreign: Path) -> None:
    before = files_in(foreign)
    folder = tmp_path / "run"
    BenchFolder(folder).close()
    (folder / STATE).symlink_to(foreign)
    (folder / LOG).symlink_to(foreign / CONFIG)
    with BenchFolder(folder):
        assert {path.name for path in folder.iterdir()} == {MARKER}
    assert files_in(foreign) == before


def test_a_marker_that_is_a_link_is_none(tmp_path: Path, foreign: Path) -> None:
    before = files_in(foreign)
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / MARKER).symlink_to(foreign / CONFIG)
    with pytest.raises(FolderRefused):
        BenchFolder(folder)
    assert files_in(foreign) == before


def test_a_file_in_its_place_is_one_sentence(tmp_path: Path) -> None:
    place = tmp_path / "run"
    place.write_text("a file")
    with pytest.raises(FolderRefused, match="can't be used"):
        BenchFolder(place)
    assert place.read_text() == "a file"


# One run at a time


def test_a_second_run_is_refused_while_the_first_lasts(tmp_path: Path) -> None:
    first = BenchFolder(tmp_path)
    (tmp_path / STATE).mkdir()
    (tmp_path / STATE / "audit.db").write_text("of the first")
    with pytest.raises(FolderRefused, match="already"):
        BenchFolder(tmp_path)
    with pytest.raises(FolderRefused, match="already"):
        prepare(tmp_path, "bench")
    with pytest.raises(FolderRefused, match="already"):
        Stage(tmp_path)
    assert (tmp_path / STATE / "audit.db").read_text() == "of the first"
    first.close()
    first.close()
    BenchFolder(tmp_path).close()


def test_a_run_in_another_process_is_seen(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from terminal.demo.folder import BenchFolder\n"
        "with BenchFolder(Path(sys.argv[1])): print('claimed', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"claimed\n"
        with pytest.raises(FolderRefused, match="already"):
            BenchFolder(tmp_path)
        other.communicate(timeout=30)
    BenchFolder(tmp_path).close()


def test_a_door_that_outlived_its_run_keeps_its_state(tmp_path: Path) -> None:
    BenchFolder(tmp_path).close()
    (tmp_path / STATE).mkdir()
    with (
        listen(tmp_path / "control.sock", socket.SOCK_STREAM, 0o600),
        pytest.raises(FolderRefused, match="already"),
    ):
        BenchFolder(tmp_path)
    assert (tmp_path / STATE).exists()
    BenchFolder(tmp_path).close()
    assert not (tmp_path / STATE).exists(), "nobody listens any more"


# Its configuration


@pytest.mark.parametrize("name", ["plain", 'a "quoted" one', "back\\slash", "d" * 200, "été"])
def test_whatever_the_folder_is_called_the_configuration_is_good(tmp_path: Path, name: str) -> None:
    config = load_config(prepare(tmp_path / name, "/dev/video0"))
    assert config.paths.state == tmp_path / name / STATE
    assert config.camera.source == "/dev/video0"
