"""What every reader keeps, of every kind, and what the thread that they share keeps besides."""

from __future__ import annotations

import errno
import queue
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hw.errors import DeviceError
from hw.keymaps import ENTER, KEYPAD_ENTER, LAYOUTS, TAB
from hw.ports import ReadKind
from hw.reader_wedge import EvdevDevices, WedgeReader
from tests.hw.card_readers import ALL, NOW_S, Rig, rig_of
from tests.hw.keys import EV_KEY, SYN, SYN_DROPPED, FakeKeyDevices, FakeKeys, KeyEvent, typed

QUICKLY_S = 1.0


@pytest.fixture(params=ALL, ids=[each.__name__ for each in ALL])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Maker]:
    made: list[Rig] = []

    def maker(is_plugged: bool = True) -> Rig:
        made.append(request.param(is_plugged, tmp_path))
        return made[-1]

    yield maker
    for rig in made:
        rig.reader.close()
        rig.tidy()


Maker = Callable[..., Rig]


def test_reader_tells_its_name(make: Maker) -> None:
    assert make().reader.name == "lobby"


@pytest.mark.parametrize("is_plugged", [True, False])
def test_state_is_told_soon_after_start(make: Maker, is_plugged: bool) -> None:
    rig = make(is_plugged)
    rig.start()
    assert rig.state() is (is_plugged or rig.unplug is None)


def test_card_is_heard_with_its_bytes_and_time_as_an_identifier(make: Maker) -> None:
    rig = make()
    rig.start()
    assert rig.state()
    rig.tap(rig.cards[0])
    assert rig.heard() == (rig.cards[0], NOW_S, ReadKind.IDENTIFIER)


def test_read_that_is_too_long_is_noise(make: Maker) -> None:
    rig = make()
    rig.start()
    assert rig.state()
    rig.tap_too_long()
    rig.tap(rig.cards[1])
    assert rig.heard()[0] == rig.cards[1]
    assert rig.reads.empty()


def test_reader_that_was_unplugged_says_so_and_comes_back_by_itself(make: Maker) -> None:
    rig = make()
    if rig.unplug is None:
        pytest.skip("two wires have no plug: nobody can know whether a reader hangs on them")
    rig.start()
    assert rig.state()
    rig.unplug()
    assert not rig.state()
    rig.tap(rig.cards[0])
    rig.plug()
    assert rig.state()
    rig.tap(rig.cards[1])
    assert rig.heard()[0] == rig.cards[1]


def test_closed_reader_hears_nothing_and_may_be_closed_twice(make: Maker) -> None:
    rig = make()
    rig.start()
    assert rig.state()
    rig.reader.close()
    rig.reader.close()
    rig.tap(rig.cards[0])
    assert rig.reads.empty()
    with pytest.raises(queue.Empty):
        rig.working.get_nowait()


def test_reader_closes_quickly(make: Maker) -> None:
    rig = make()
    rig.start()
    assert rig.state()
    begun_s = time.monotonic()
    rig.reader.close()
    assert time.monotonic() - begun_s < QUICKLY_S


def test_reader_starts_once(make: Maker) -> None:
    rig = make()
    rig.start()
    with pytest.raises(DeviceError, match="already started"):
        rig.start()


def test_reader_closes_without_having_started(make: Maker) -> None:
    make(False).reader.close()


@pytest.mark.requirement("R45")
def test_no_reader_logs_what_it_read(make: Maker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    rig = make()
    rig.start()
    assert rig.state()
    rig.tap(rig.cards[0])
    assert rig.heard()
    rig.reader.close()
    assert rig.cards[0].decode()[-8:] not in caplog.text


def test_wedge_drops_a_read_of_which_the_kernel_lost_a_part() -> None:
    devices = FakeKeyDevices()
    keys = devices.plugged = FakeKeys()
    rig = rig_of(WedgeReader("a", "x", devices=devices))
    rig.start()
    assert rig.state()
    whole = typed("1234")
    lost = KeyEvent(SYN, SYN_DROPPED, 0, whole[3].mono_s)
    keys.give([*whole[:4], lost, *whole[6:], *typed("77", 10.0)])
    assert rig.heard()[0] == b"77"
    rig.reader.close()


def test_wedge_forgets_what_was_begun_when_it_is_unplugged() -> None:
    devices = FakeKeyDevices()
    keys = devices.plugged = FakeKeys()
    rig = rig_of(WedgeReader("a", "x", devices=devices))
    rig.start()
    assert rig.state()
    begun = typed("12", end=None)
    keys.give([*begun, *typed("", begun[-1].mono_s), *begun])
    assert rig.heard()[0] == b"12", "the second beginning has arrived with this"
    devices.plugged = None
    keys.pull()
    assert not rig.state()
    keys = devices.plugged = FakeKeys()
    assert rig.state()
    keys.give(typed("34", begun[-1].mono_s))
    assert rig.heard()[0] == b"34"
    rig.reader.close()


def test_wedge_takes_the_device_for_itself_and_lets_it_go() -> None:
    devices = FakeKeyDevices()
    keys = devices.plugged = FakeKeys()
    rig = rig_of(WedgeReader("a", "by-id-name", devices=devices))
    rig.start()
    assert rig.state()
    assert keys.is_grabbed
    rig.reader.close()
    assert keys.is_closed


def test_wedge_that_another_program_holds_is_not_working_and_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    devices = FakeKeyDevices()
    keys = devices.plugged = FakeKeys()
    keys.grab_fails = True
    rig = rig_of(WedgeReader("lobby", "x", devices=devices))
    rig.start()
    assert not rig.state()
    rig.reader.close()
    assert caplog.text.count("does not open") == 1


class OddDevices(FakeKeyDevices):
    """Devices that fail so many times in their own way, wherever they are told to."""

    def __init__(self, error: BaseException, where: str, times: int = 1) -> None:
        super().__init__()
        self.plugged = OddKeys(self, "read")
        self._error, self._where, self._times = error, where, times

    def fails_at(self, where: str) -> None:
        if where == self._where and self._times:
            self._times -= 1
            raise self._error

    def find(self, which: str) -> str | None:
        self.fails_at("find")
        return super().find(which)

    def open(self, path: str) -> FakeKeys:
        self.fails_at("open")
        self.plugged = OddKeys(self, "read")
        self.plugged.give([])
        return self.plugged


class OddKeys(FakeKeys):
    """A device of theirs."""

    def __init__(self, devices: OddDevices, where: str) -> None:
        super().__init__()
        self._devices, self._reads = devices, where

    def grab(self) -> None:
        self._devices.fails_at("grab")
        super().grab()

    def read(self) -> Iterator[KeyEvent]:
        self._devices.fails_at(self._reads)
        return super().read()

    def close(self) -> None:
        super().close()
        raise ValueError("I/O operation on a closed device")


def comes_back(devices: OddDevices) -> None:
    """It says once that it is out, works again, and hears a card."""
    rig = rig_of(WedgeReader("lobby", "x", devices=devices))
    rig.start()
    worked_first = vars(devices)["_where"] == "read"
    expected = [True, False, True] if worked_first else [False, True]
    assert [rig.state() for _ in expected] == expected
    assert devices.plugged is not None
    devices.plugged.give(typed("0042"))
    assert rig.heard()[0] == b"0042"
    rig.reader.close()


ODD = {
    "gone": OSError(errno.ENODEV, "No such device"),
    "a name that is no UTF-8": UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    "a capability that is missing": KeyError("EV_KEY"),
    "a number that is none": TypeError("an integer is required"),
    "a half-made object": AttributeError("fd"),
}


@pytest.mark.requirement("R03")
@pytest.mark.parametrize("error", ODD.values(), ids=ODD)
def test_wedge_comes_back_after_whatever_a_device_raises(error: Exception) -> None:
    comes_back(OddDevices(error, "find", times=2))


@pytest.mark.requirement("R03")
@pytest.mark.parametrize("where", ["open", "grab", "read"])
def test_wedge_comes_back_wherever_a_device_raises(where: str) -> None:
    comes_back(OddDevices(ODD["a name that is no UTF-8"], where))


@pytest.mark.requirement("R03")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("where", ["find", "read"])
def test_wedge_comes_back_after_what_nobody_foresaw(where: str) -> None:
    """It is reported with its traceback as what it is, a fault, and another thread takes over."""

    class UnforeseenError(Exception):
        pass

    comes_back(OddDevices(UnforeseenError("?"), where))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_wedge_that_is_closed_after_a_fault_stays_closed() -> None:
    devices = OddDevices(ArithmeticError("?"), "find")
    rig = rig_of(WedgeReader("lobby", "x", devices=devices))
    rig.start()
    assert not rig.state()
    rig.reader.close()
    thread: threading.Thread = vars(rig.reader)["_thread"]
    assert not thread.is_alive()
    assert devices.looks == 0


def test_wedge_tells_of_an_odd_device_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    """A key that was pressed may stand in them."""
    comes_back(OddDevices(ValueError("key 987654321"), "read"))
    assert "The reader lobby has gone: ValueError" in caplog.text
    assert "987654321" not in caplog.text


class OddEvdev(types.ModuleType):
    """The library, with a device before ours that has no readable name."""

    def list_devices(self) -> list[str]:
        return ["/dev/input/event0", "/dev/input/event1"]

    def InputDevice(self, path: str) -> types.SimpleNamespace:  # noqa: N802 - its name
        if path.endswith("0"):
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
        info = types.SimpleNamespace(vendor=0x1234, product=0xABCD)
        return types.SimpleNamespace(
            capabilities=lambda: {EV_KEY: [ENTER]}, info=info, close=lambda: None
        )


def test_an_odd_device_does_not_hide_the_one_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "evdev", OddEvdev("evdev"))
    assert EvdevDevices().find("1234:abcd") == "/dev/input/event1"


def test_wedge_with_a_keypad_tells_what_was_typed_as_typed() -> None:
    devices = FakeKeyDevices()
    keys = devices.plugged = FakeKeys()
    rig = rig_of(WedgeReader("lobby", "x", devices=devices, keypad=True))
    rig.start()
    assert rig.state()
    keys.give([*typed("4711", each_s=0.3), *typed("0012345678", 100.0)])
    assert [rig.heard()[::2] for _ in range(2)] == [
        (b"4711", ReadKind.TYPED),
        (b"0012345678", ReadKind.IDENTIFIER),
    ]
    rig.reader.close()


def test_wedge_in_an_unknown_layout_is_refused() -> None:
    with pytest.raises(DeviceError, match=r"layout 'dvorak'; layouts are us, de, fr"):
        WedgeReader("lobby", "x", layout="dvorak", devices=FakeKeyDevices())


@pytest.mark.parametrize(
    "which", ["", "a b", "/etc/passwd", "/dev/../etc/passwd", "12:34/..", "\0"]
)
def test_wedge_that_is_nowhere_to_be_found_is_refused(which: str) -> None:
    with pytest.raises(DeviceError, match="is not found by"):
        WedgeReader("lobby", which, devices=FakeKeyDevices())


def test_events_of_the_real_library_are_understood() -> None:
    evdev: Any = pytest.importorskip("evdev")
    devices = FakeKeyDevices()
    keys = devices.plugged = FakeKeys()
    rig = rig_of(WedgeReader("lobby", "x", devices=devices))
    rig.start()
    assert rig.state()
    keys.give(
        evdev.InputEvent(
            int(event.mono_s), round(event.mono_s % 1 * 1e6), 1, event.code, event.value
        )
        for event in typed("Ab-7", 5.0)
    )
    assert rig.heard()[0] == b"Ab-7"
    rig.reader.close()


def test_key_codes_are_those_of_the_real_library() -> None:
    ecodes: Any = pytest.importorskip("evdev").ecodes
    assert (ENTER, KEYPAD_ENTER, TAB) == (ecodes.KEY_ENTER, ecodes.KEY_KPENTER, ecodes.KEY_TAB)
    us = LAYOUTS["us"]
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789":
        code = getattr(ecodes, f"KEY_{letter}")
        assert us[code, False] == letter.lower()
    for digit in range(10):
        assert us[getattr(ecodes, f"KEY_KP{digit}"), False] == str(digit)
    named = {"MINUS": "-", "EQUAL": "=", "SLASH": "/", "DOT": ".", "COMMA": ",", "SPACE": " "}
    named |= {"SEMICOLON": ";", "APOSTROPHE": "'", "GRAVE": "`", "BACKSLASH": "\\"}
    named |= {"LEFTBRACE": "[", "RIGHTBRACE": "]", "KPMINUS": "-", "KPPLUS": "+", "KPDOT": "."}
    named |= {"KPASTERISK": "*", "KPSLASH": "/", "KPEQUAL": "="}
    for name, char in named.items():
        assert us[getattr(ecodes, f"KEY_{name}"), False] == char


def test_missing_evdev_names_the_debian_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "evdev", None)
    with pytest.raises(DeviceError, match="python3-evdev"):
        WedgeReader("lobby", "x").start(
            lambda data, mono_s, kind=ReadKind.IDENTIFIER: None, lambda working: None
        )


@pytest.mark.device
def test_real_key_device_is_grabbed_and_read() -> None:
    evdev: Any = pytest.importorskip("evdev")
    with evdev.UInput(name="face-optional-terminal-test", vendor=0x1209, product=0x0001) as typist:
        rig = rig_of(WedgeReader("lobby", "1209:0001"))
        rig.start()
        assert rig.state()
        for event in typed("0042"):
            typist.write(1, event.code, event.value)
            typist.syn()
        assert rig.heard()[0] == b"0042"
        rig.reader.close()
