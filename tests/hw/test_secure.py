"""Ring 3: the strike's line driven to rest with nothing else of the terminal alive."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import pytest

from hw import secure
from hw.errors import DeviceError
from hw.wiring import Wiring
from tests.hw.fake_lgpio import FakeLgpio

STRIKE = 17


@pytest.fixture
def lgpio(monkeypatch: pytest.MonkeyPatch) -> FakeLgpio:
    fake = FakeLgpio()
    monkeypatch.setitem(sys.modules, "lgpio", fake)
    monkeypatch.setattr("glob.glob", lambda pattern: ["/dev/gpiochip0", "/dev/gpiochip1"])
    return fake


@pytest.mark.requirement("A13", "T20")
def test_strike_left_energised_by_a_dead_process_is_driven_to_rest(lgpio: FakeLgpio) -> None:
    lgpio.levels[STRIKE] = 1  # the kernel kept it
    secure.secure_line(Wiring())
    assert (lgpio.modes[STRIKE], lgpio.levels[STRIKE]) == ("out", 0)
    assert lgpio.pulls[STRIKE] == lgpio.SET_PULL_DOWN


def test_no_other_line_is_touched_and_the_strike_stays_driven(lgpio: FakeLgpio) -> None:
    secure.secure_line(Wiring())
    assert set(lgpio.modes) == {STRIKE}
    assert not any(call[0] in ("free", "input") for call in lgpio.calls)


def test_active_low_strike_is_driven_high(lgpio: FakeLgpio) -> None:
    secure.secure_line(Wiring.from_names({"strike": 4}, inverted=["strike"]))
    assert lgpio.levels[4] == 1
    assert lgpio.pulls[4] == lgpio.SET_PULL_UP


def test_line_that_does_not_follow_is_said_so(lgpio: FakeLgpio) -> None:
    lgpio.stuck[STRIKE] = 1
    with pytest.raises(DeviceError, match="cut the lock's supply"):
        secure.secure_line(Wiring())


def test_line_that_is_still_held_is_said_so(lgpio: FakeLgpio) -> None:
    lgpio.busy.add(STRIKE)
    with pytest.raises(DeviceError, match="could not be secured: 'GPIO busy'"):
        secure.secure_line(Wiring())


def test_machine_without_the_header_is_said_so(lgpio: FakeLgpio) -> None:
    lgpio.label = "gpio-sim"
    with pytest.raises(DeviceError, match="no GPIO chip of a Raspberry Pi"):
        secure.secure_line(Wiring())
    assert lgpio.modes == {}


def test_missing_lgpio_names_the_debian_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lgpio", None)
    with pytest.raises(DeviceError, match="python3-lgpio"):
        secure.secure_line(Wiring())


def test_mock_factory_has_nothing_to_secure_and_others_are_refused() -> None:
    secure.secure_line(Wiring(), "mock")
    with pytest.raises(DeviceError, match="use lgpio or mock"):
        secure.secure_line(Wiring(), "native")


@pytest.mark.parametrize(
    ("environ", "directory"),
    [
        ({"RUNTIME_DIRECTORY": "/run/terminal:/run/other"}, "/run/terminal"),
        ({"RUNTIME_DIRECTORY": "/run/terminal", "LG_WD": "/run/mine"}, "/run/mine"),
        ({}, tempfile.gettempdir()),
    ],
)
def test_pipe_of_lgpio_goes_where_this_account_can_write(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], directory: str
) -> None:
    for name in ("RUNTIME_DIRECTORY", "LG_WD"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    secure.give_lgpio_a_directory()
    assert os.environ["LG_WD"] == directory


@pytest.mark.requirement("A13")
def test_securing_loads_nothing_heavy() -> None:
    script = (
        "import sys, hw.secure; print([m for m in ('numpy','cv2','gpiozero') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "[]"
