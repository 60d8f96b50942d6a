"""The lock is whole: exact, with hashes, for every Python and everything that is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tools import lock

LOCKS = sorted((lock.ROOT / "constraints").glob("python*.txt"))
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def pin(name: str = "a", version: str = "1", sha256: str = "0" * 64) -> lock.Pin:
    return lock.Pin(name, version, f"{name}.whl", sha256)


def normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def report(**archive: object) -> dict[str, object]:
    return {
        "install": [
            {
                "metadata": {"name": "Some_Name", "version": "2.0"},
                "download_info": {"url": "x/Some_Name-2.0.whl", "archive_info": archive},
            }
        ]
    }


def test_a_pin_is_taken_from_the_report_of_pip() -> None:
    assert lock.pins_of_report(report(hashes={"sha256": "ab"})) == [
        lock.Pin("some-name", "2.0", "Some_Name-2.0.whl", "ab")
    ]


def test_an_index_without_hashes_is_refused() -> None:
    with pytest.raises(lock.LockError, match="sha256"):
        lock.pins_of_report(report(hashes={}))


def test_each_platform_adds_its_hash_once() -> None:
    text = lock.lock_text("3.11", {"x86_64": [pin()], "aarch64": [pin(), pin("b", sha256="1")]})
    assert text.count("sha256:" + "0" * 64) == 1
    assert "b==1" in text


def test_a_package_without_a_wheel_for_the_board_stops_the_lock() -> None:
    with pytest.raises(lock.LockError, match="b 1 has no wheel"):
        lock.require_same_versions({"x86_64": [pin(), pin("b")], "aarch64": [pin()]})


def test_there_is_a_lock_for_each_python_that_setup_allows() -> None:
    assert [path.stem for path in LOCKS] == ["python3.11", "python3.12", "python3.13"]


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_every_pin_is_exact_and_has_a_hash(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==\S+( +--hash=sha256:[0-9a-f]{64})+", x) for x in lines)


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_the_lock_holds_all_that_is_asked_for(path: Path) -> None:
    wanted = lock.wanted_packages(lock.ROOT / "setup.cfg", lock.ROOT / "pyproject.toml")
    names = {normal(match.group()) for line in wanted if (match := NAME.match(line))}
    pinned = set(re.findall(r"^([a-z0-9-]+)==", path.read_text(encoding="utf-8"), re.M))
    assert names <= pinned


@pytest.mark.parametrize(("python", "numpy"), [("3.11", "1.26."), ("3.13", "2.")])
def test_numpy_is_the_one_that_the_boards_camera_is_built_for(python: str, numpy: str) -> None:
    text = (lock.ROOT / "constraints" / f"python{python}.txt").read_text(encoding="utf-8")
    assert f"\nnumpy=={numpy}" in text
