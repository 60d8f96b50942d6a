"""Setting up never costs anybody their files, and says what is wrong in one sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def environment(*words: str) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / ".ci" / "environment"), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_folder_with_something_else_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear", encoding="utf-8")
    done = environment(str(tmp_path), sys.executable)
    assert done.returncode == 1
    assert "remove it yourself" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]


def test_a_folder_of_a_broken_environment_is_left_alone_too(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text("home = gone", encoding="utf-8")
    assert environment(str(tmp_path), sys.executable).returncode == 1
    assert (tmp_path / "pyvenv.cfg").exists()


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "venv").write_text("", encoding="utf-8")
    assert "is no folder" in environment(str(tmp_path / "venv")).stderr


@pytest.mark.parametrize("python", ["/nonexistent/python", "/bin/false", "/bin/true"])
def test_a_python_that_is_none_is_named(python: str, tmp_path: Path) -> None:
    done = environment(str(tmp_path / "venv"), python)
    assert done.returncode == 1
    assert f"PYTHON={python}" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_missing_venv_module_is_named_with_its_package(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; *) echo 3.11;; esac\n')
    python.chmod(0o755)
    done = environment(str(tmp_path / "venv"), str(python))
    assert done.stderr.strip().endswith("sudo apt-get install python3.11-venv")


def test_make_alone_lists_the_targets_with_what_they_do() -> None:
    command = ["make", "--no-print-directory"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in done.stdout.splitlines()}
    assert {"run", "test", "models", "check", "bench", "parity", "requirements"} <= listed
    assert all(len(line.split()) > 2 for line in done.stdout.splitlines())
