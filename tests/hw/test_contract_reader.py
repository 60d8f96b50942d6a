"""What every card reader keeps: the bench's, and the wedge on a key device that is a pipe."""

from __future__ import annotations

import errno
import queue
import sys
import threading
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from hw.bench import BenchReader
from hw.bench_clock import FakeClock
from hw.errors import DeviceError
from hw.ports import MAX_CARD_BYTES, CardReader
from hw.reader_wedge import ENTER, EvdevDevices, WedgeReader
from tests.hw.keys import EV_KEY, SYN, SYN_DROPPED, FakeKeyDevices, FakeKeys, KeyEvent, typed

SOON_S = 5.0
NOW_S = 1000.0


@dataclass
class Rig:
    """A reader, a hand that taps and pulls plugs, and what was heard."""

    reader: CardReader
    tap: Callable[[str], object]
    unplug: Callable[[], object]
    plug: Callable[[], object]
    reads: queue.Queue[tuple[bytes, float]] = field(default_factory=queue.Queue)
    working: queue.Queue[bool] = field(default_factory=queue.Queue)

    def start(self) -> None:
        self.reader.start(lambda data, mono_s: self.reads.put((data, mono_s)), self.working.put)

    def heard(self) -> tuple[bytes, float]:
        return self.reads.get(timeout=SOON_S)

    def state(self) -> bool:
        return self.working.get(timeout=SOON_S)


def bench(is_plugged: bool) -> Rig:
    reader = BenchReader("lobby", FakeClock(NOW_S), is_plugged=is_plugged)
    return Rig(reader, lambda text: reader.tap(text.encode()), reader.unplug, reader.plug)


def wedge(is_plugged: bool) -> Rig:
    devices = FakeKeyDevices()
    reader = WedgeReader("lobby", "1234:abcd", FakeClock(NOW_S), devices=devices)
    begun_s = iter(range(0, 10_000, 10))

    def plug() -> None:
        devices.plugged = FakeKeys()

    def unplug() -> None:
        pulled, devices.plugged = devices.plugged, None
        assert pulled is not None
        pulled.pull()

    def tap(text: str) -> None:
        if devices.plugged is not None:
            devices.plugged.give(typed(text, float(next(begun_s))))

    if is_plugged:
        plug()
    return Rig(reader, tap, unplug, plug)


@pytest.fixture(params=[bench, wedge])
def make(request: pytest.FixtureRequest) -> Iterator[Callable[[bool], Rig]]:
    made: list[Rig] = []

    def maker(is_plugged: bool) -> Rig:
        made.append(request.param(is_plugged))
        return made[-1]

    yield maker
    for rig in made:
        rig.reader.close()


Maker = Callable[[bool], Rig]


def test_reader_tells_its_name(make: Maker) -> None:
    assert make(True).reader.name == "lobby"


@pytest.mark.parametrize("is_plugged", [True, False])
def test_state_is_told_soon_after_start(make: Maker, is_plugged: bool) -> None:
    rig = make(is_plugged)
    rig.start()
    assert rig.state() is is_plugged


def test_card_is_heard_with_its_bytes_and_time(make: Maker) -> None:
    rig = make(True)
    rig.start()
    assert rig.state()
    rig.tap("0012345678")
    assert rig.heard() == (b"0012345678", NOW_S)


def test_read_that_is_too_long_is_noise(make: Maker) -> None:
    rig = make(True)
    rig.start()
    assert rig.state()
    rig.tap("1" * (MAX_CARD_BYTES + 1))
    rig.tap("2" * MAX_CARD_BYTES)
    assert rig.heard()[0] == b"2" * MAX_CARD_BYTES
    assert rig.reads.empty()


def test_reader_that_was_unplugged_says_so_and_comes_back_by_itself(make: Maker) -> None:
    rig = make(True)
    rig.start()
    assert rig.state()
    rig.unplug()
    assert not rig.state()
    rig.tap("11")
    rig.plug()
    assert rig.state()
    rig.tap("22")
    assert rig.heard()[0] == b"22"


def test_closed_reader_hears_nothing_and_may_be_closed_twice(make: Maker) -> None:
    rig = make(True)
    rig.start()
    assert rig.state()
    rig.reader.close()
    rig.reader.close()
    assert rig.reads.empty()


def test_reader_starts_once(make: Maker) -> None:
    rig = make(True)
    rig.start()
    with pytest.raises(DeviceError, match="already started"):
        rig.start()


def test_reader_closes_without_having_started(make: Maker) -> None:
    make(False).reader.close()


def test_wedge_drops_a_read_of_which_the_kernel_lost_a_part() -> None:
    devices = FakeKeyDevices()
    keys = devices.plugged = FakeKeys()
    rig = Rig(WedgeReader("a", "x", devices=devices), print, print, print)
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
    rig = Rig(WedgeReader("a", "x", devices=devices), print, print, print)
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
    rig = Rig(WedgeReader("a", "by-id-name", devices=devices), print, print, print)
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
    rig = Rig(WedgeReader("lobby", "x", devices=devices), print, print, print)
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
    rig = Rig(WedgeReader("lobby", "x", devices=devices), print, print, print)
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
    rig = Rig(WedgeReader("lobby", "x", devices=devices), print, print, print)
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


def test_wedge_never_logs_what_it_read(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    rig = wedge(True)
    rig.start()
    assert rig.state()
    rig.tap("987654321")
    assert rig.heard()
    rig.unplug()
    assert not rig.state()
    rig.reader.close()
    assert "987654321" not in caplog.text


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
    rig = Rig(WedgeReader("lobby", "x", devices=devices), print, print, print)
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
    from hw import reader_wedge

    assert (reader_wedge.ENTER, reader_wedge.KEYPAD_ENTER, reader_wedge.TAB) == (
        ecodes.KEY_ENTER,
        ecodes.KEY_KPENTER,
        ecodes.KEY_TAB,
    )
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789":
        code = getattr(ecodes, f"KEY_{letter}")
        assert reader_wedge.CHARACTERS[code, False] == letter.lower()
    for digit in range(10):
        assert reader_wedge.CHARACTERS[getattr(ecodes, f"KEY_KP{digit}"), False] == str(digit)
    named = {"MINUS": "-", "EQUAL": "=", "SLASH": "/", "DOT": ".", "COMMA": ",", "SPACE": " "}
    named |= {"SEMICOLON": ";", "APOSTROPHE": "'", "GRAVE": "`", "BACKSLASH": "\\"}
    named |= {"LEFTBRACE": "[", "RIGHTBRACE": "]", "KPMINUS": "-", "KPPLUS": "+", "KPDOT": "."}
    named |= {"KPASTERISK": "*", "KPSLASH": "/", "KPEQUAL": "="}
    for name, char in named.items():
        assert reader_wedge.CHARACTERS[getattr(ecodes, f"KEY_{name}"), False] == char


def test_missing_evdev_names_the_debian_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "evdev", None)
    with pytest.raises(DeviceError, match="python3-evdev"):
        WedgeReader("lobby", "x").start(lambda data, mono_s: None, lambda working: None)


@pytest.mark.device
def test_real_key_device_is_grabbed_and_read() -> None:
    evdev: Any = pytest.importorskip("evdev")
    with evdev.UInput(name="face-optional-terminal-test", vendor=0x1209, product=0x0001) as typist:
        rig = Rig(WedgeReader("lobby", "1209:0001"), print, print, print)
        rig.start()
        assert rig.state()
        for event in typed("0042"):
            typist.write(1, event.code, event.value)
            typist.syn()
        assert rig.heard()[0] == b"0042"
        rig.reader.close()
