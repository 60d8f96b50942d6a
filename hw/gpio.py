"""The lines of a real board, through gpiozero with a pin factory that is named.

This module alone imports gpiozero. It claims the lines of the wiring table at their resting level,
never through gpiozero's default factory (which falls back to another library without a word), and
lets go of them driven to rest. It must never decide anything, and never leave the strike's line as
a floating input. Facts about the libraries that this rests on:

- gpiozero on lgpio sets an output up in two steps, low first, which blips an active-low relay
  (gpiozero pull request 1177), and turns a closed output into an input without a pull (gpiozero
  issue 1146). Both are done otherwise here, see `_resting_pin`.
- Reading an output asks the kernel for the pin's level (lgGpio.c, `lgGpioRead`), which on these
  chips is the level at the pin itself: a short to ground or a burnt driver reads as what it is.
- lgpio keeps a pipe in the working directory unless LG_WD names another (lg issue 22).

What changes with this file: nothing but what gpiozero or lgpio change under it.
"""

from __future__ import annotations

import importlib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import gpiozero
import gpiozero.pins.mock

from hw.buzzer import PatternBuzzer
from hw.errors import DeviceError
from hw.lines import SensedLamp, WatchedInput
from hw.panel import FrameWriter, NoPanel, WiegandPanel
from hw.ports import Clock, Edge, EdgePair, Input, OnEdge, OnInput
from hw.secure import give_lgpio_a_directory
from hw.strike import GuardedStrike
from hw.timers import CallLater, ThreadTimers
from hw.wiring import HEADER_PIN_OF_BCM, PANEL_LINES, Direction, Line, LineName, Wiring

FACTORIES = ("lgpio", "mock")
"""The pin factories that the driver knows; "mock" is gpiozero's own twin."""

_READ_BACK_TRIES = 20
"""Reads until an output counts as stuck: the wire's capacitance takes microseconds to follow."""

_LOG = logging.getLogger(__name__)


class GpiozeroBoard:
    """A `Board` on the pins of the wiring table. Raises DeviceError, having let go of all lines.

    `factory` is a name of FACTORIES or a gpiozero factory, which the caller then closes. `clock`
    is monotonic (s). `call_later` is for tests: without it the strike's end runs on a thread of
    its own, and the inputs and the buzzer on another.
    """

    def __init__(
        self,
        factory: Any,
        wiring: Wiring,
        clock: Clock,
        call_later: CallLater | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._is_closed = False
        self._owns_factory = isinstance(factory, str)
        self._factory = open_factory(factory) if isinstance(factory, str) else factory
        self._timers: list[ThreadTimers] = []
        self._lines: dict[LineName, _GpioLine] = {}
        self._watched: list[WatchedInput] = []
        self._lent: list[_LentPair] = []
        self._wiring = wiring
        self._clock = clock
        try:
            self._claim(wiring)
            self._furnish(call_later)
        except DeviceError:
            self._let_go()
            raise

    @property
    def strike(self) -> GuardedStrike:
        """The relay, with its own timer."""
        return self._strike

    @property
    def sign(self) -> SensedLamp:
        """The signage LED, read back."""
        return self._sign

    @property
    def buzzer(self) -> PatternBuzzer:
        """The buzzer; silent where none is wired."""
        return self._buzzer

    @property
    def alarm(self) -> SensedLamp:
        """The alarm contact."""
        return self._alarm

    @property
    def panel(self) -> WiegandPanel | NoPanel:
        """The Wiegand output."""
        return self._panel

    def lend(self, bcm: tuple[int, int], on_edge: OnEdge) -> EdgePair:
        """As the port says; the pins are pulled up and tell falling edges, with the kernel's time
        of each where the library gives it."""
        with self._lock:
            if self._is_closed:
                raise DeviceError("The board is closed; open it anew.")
            self._wiring.check_lent("A reader's Wiegand lines", bcm)
            pair = _LentPair(self._factory, bcm, on_edge)
            self._lent.append(pair)
            return pair

    def start(self, on_change: OnInput) -> Mapping[Input, bool]:
        """Watch the inputs; `on_change` is called from other threads and must only queue.

        Returns the level of each wired input now. Raises DeviceError when a line can't be watched
        or the board is closed.
        """
        with self._lock:
            if self._is_closed or self._watched:
                raise DeviceError("The board is closed or already started; open it anew.")
            self._watched = [
                WatchedInput(line, Input(name.value), self._clock, self._call_later, on_change)
                for name, line in self._lines.items()
                if name.value in _INPUT_NAMES
            ]
            return {watched.name: watched.start() for watched in self._watched}

    @property
    def levels(self) -> Mapping[LineName, bool]:
        """As the port says: each pin as it reads, in the wiring table's logical level."""
        return {name: line.read() for name, line in self._lines.items()}

    def close(self) -> None:
        """Secure the strike, darken the sign, silence the buzzer, then let the lines go."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._strike.close()
        self._sign.close()
        self._alarm.close()
        self._buzzer.close()
        self._panel.close()
        self._let_go()

    def _claim(self, wiring: Wiring) -> None:
        """Outputs first, the strike before all: the table has them in this order."""
        for warning in wiring.warnings:
            _LOG.warning("%s", warning)
        for row in wiring.lines:
            self._lines[row.name] = _GpioLine(self._factory, row)

    def _furnish(self, call_later: CallLater | None) -> None:
        self._call_later = call_later or self._thread("hw-inputs").call_later
        strike = self._lines[LineName.STRIKE]
        self._strike = GuardedStrike(
            strike.set_and_check,
            strike.read,
            self._clock,
            call_later or self._thread("hw-strike-guard").call_later,
        )
        self._sign = SensedLamp(
            self._lines.get(LineName.SIGN), self._lines.get(LineName.SIGN_SENSE)
        )
        self._alarm = SensedLamp(self._lines.get(LineName.ALARM), None)
        self._panel = self._make_panel()
        buzzer = self._lines.get(LineName.BUZZER)
        self._buzzer = PatternBuzzer(buzzer.set if buzzer else _nothing, self._call_later)

    def _make_panel(self) -> WiegandPanel | NoPanel:
        zero, one = (self._lines.get(name) for name in PANEL_LINES)
        if zero is None or one is None:
            return NoPanel()
        return WiegandPanel(FrameWriter((zero.set, one.set)))

    def _thread(self, name: str) -> ThreadTimers:
        timers = ThreadTimers(name, self._clock)
        self._timers.append(timers)
        return timers

    def _let_go(self) -> None:
        """Everything is let go, whatever fails on the way: what fails is logged."""
        for watched in self._watched:
            _quietly(watched.stop)
        for timers in self._timers:
            timers.close()
        for pair in self._lent:
            pair.close()
        for line in self._lines.values():
            _quietly(line.close)
        if self._owns_factory:
            _quietly(self._close_factory)

    def _close_factory(self) -> None:
        with _telling("Closing the GPIO chip"):
            self._factory.close()


class _GpioLine:
    """One claimed pin in the table's logical levels; outputs are claimed at rest."""

    def __init__(self, factory: Any, row: Line) -> None:
        self._row = row
        self._what = f"The line {row.name.value} (BCM {row.bcm}, header pin {row.header_pin})"
        with _telling(self._what):
            self._device = gpiozero.GPIODevice(row.bcm, pin_factory=factory)
            if row.direction is Direction.OUTPUT:
                self._pin.output_with_state(row.rests_high)
            else:
                self._pin.input_with_pull(row.pull.value)

    @property
    def debounce_s(self) -> float:
        return self._row.debounce_ms / 1000

    def set(self, active: bool) -> None:
        with _telling(self._what):
            self._pin.state = active == self._row.active_high

    def set_and_check(self, active: bool) -> None:
        self.set(active)
        for _ in range(_READ_BACK_TRIES):
            if self.read() == active:
                return
        raise DeviceError(f"{self._what} does not follow: it reads back {self.read()}; check it.")

    def read(self) -> bool:
        with _telling(self._what):
            return bool(self._pin.state) == self._row.active_high

    def is_active_at(self, level: Any) -> bool:
        return bool(level) == self._row.active_high

    def watch(self, on_edge: Callable[[Any, Any], None] | None) -> None:
        """`on_edge(ticks, level)` at every edge; gpiozero keeps only a weak reference to it."""
        with _telling(self._what):
            if on_edge is not None:
                self._pin.edges = "both"
            self._pin.when_changed = on_edge

    def close(self) -> None:
        with _telling(self._what):
            self._device.close()

    @property
    def _pin(self) -> Any:
        pin = self._device.pin
        if pin is None:
            raise DeviceError(f"{self._what} is closed; open the board again.")
        return pin


class _LentPin:
    """One pin of a pair; gpiozero keeps only a weak reference to the method it calls."""

    def __init__(self, factory: Any, bcm: int, line: int, on_edge: OnEdge) -> None:
        self._what = f"The Wiegand line D{line} (BCM {bcm}, header pin {HEADER_PIN_OF_BCM[bcm]})"
        self._line = line
        self._tell = on_edge
        with _telling(self._what):
            self._device = gpiozero.GPIODevice(bcm, pin_factory=factory)
            try:
                self._watch(self._device.pin)
            except BaseException:
                self._device.close()
                raise

    def _watch(self, pin: Any) -> None:
        pin.input_with_pull("up")
        pin.edges = "falling"
        pin.when_changed = self._on_edge

    def _on_edge(self, ticks: Any, level: Any) -> None:
        """On a thread of the library. Both factories give ticks in seconds (pins/lgpio.py,
        pins/mock.py), lgpio's from the kernel's time of the edge."""
        self._tell(Edge(self._line, float(ticks)))

    def close(self) -> None:
        with _telling(self._what):
            if self._device.pin is not None:
                self._device.pin.when_changed = None
            self._device.close()


class _LentPair:
    """Two lent pins."""

    def __init__(self, factory: Any, bcm: tuple[int, int], on_edge: OnEdge) -> None:
        zero = _LentPin(factory, bcm[0], 0, on_edge)
        try:
            self._pins = (zero, _LentPin(factory, bcm[1], 1, on_edge))
        except DeviceError:
            _quietly(zero.close)
            raise

    def close(self) -> None:
        for pin in self._pins:
            _quietly(pin.close)


_INPUT_NAMES = frozenset(line.value for line in Input)


def _quietly(let_go: Callable[[], None]) -> None:
    try:
        let_go()
    except DeviceError as error:
        _LOG.warning("While the board was closed: %s", error)


def _nothing(_: bool) -> None:
    """Where no buzzer is wired."""


def open_factory(name: str) -> Any:
    """The named gpiozero pin factory. Raises DeviceError saying what to install or to allow."""
    if name == "mock":
        return gpiozero.pins.mock.MockFactory(pin_class=gpiozero.pins.mock.MockPin)
    if name != "lgpio":
        raise DeviceError(f"There is no pin factory {name!r}; use {' or '.join(FACTORIES)}.")
    module = _import_lgpio_pins()
    with _telling("The GPIO chip"):
        factory = module.LGPIOFactory()
    factory.pin_class = _resting_pin(module.LGPIOPin, importlib.import_module("lgpio"))
    return factory


def _import_lgpio_pins() -> ModuleType:
    give_lgpio_a_directory()
    try:
        return importlib.import_module("gpiozero.pins.lgpio")
    except ImportError as error:
        raise DeviceError(
            "The Python library lgpio is missing; install the Debian package python3-lgpio."
        ) from error
    except OSError as error:
        raise DeviceError(
            f"lgpio can't keep its pipe in {os.environ['LG_WD']} ({error}); "
            "set LG_WD to a directory that this account can write to."
        ) from error


def _resting_pin(base: Any, lgpio: Any) -> Any:
    """gpiozero's lgpio pin without its two gaps: the blip at set-up, the float after closing."""

    class RestingPin(base):  # type: ignore[misc]  # the base is known at run time only
        """An output is claimed at its level in one step, with a pull towards that level, and
        stays claimed and driven until the chip's handle is closed; an input keeps its pull."""

        def output_with_state(self, state: bool) -> None:
            pull = lgpio.SET_PULL_UP if state else lgpio.SET_PULL_DOWN
            chip = self.factory._handle  # noqa: SLF001 - gpiozero gives it to pins, to nobody else
            lgpio.gpio_claim_output(chip, self._number, int(state), pull)

        def close(self) -> None:
            self.when_changed = None

    return RestingPin


@contextmanager
def _telling(what: str) -> Iterator[None]:
    """Turn what gpiozero and lgpio raise into a DeviceError of one sentence."""
    try:
        yield
    except _library_errors() as error:
        raise DeviceError(_sentence(what, error)) from error


def _library_errors() -> tuple[type[BaseException], ...]:
    errors: tuple[type[BaseException], ...] = (gpiozero.GPIOZeroError, OSError)
    try:
        return (*errors, importlib.import_module("lgpio").error)
    except (ImportError, OSError):
        return errors


def _sentence(what: str, error: BaseException) -> str:
    if isinstance(error, gpiozero.GPIOPinInUse) or "busy" in str(error).lower():
        return f"{what} is in use by another program; stop that one first (gpioinfo names it)."
    if isinstance(error, gpiozero.PinUnknownPi):
        return f"{what}: this is no Raspberry Pi; run on the bench (board = bench) instead."
    if isinstance(error, PermissionError) or _is_chip_forbidden():
        return f"{what} may not be used by this account; add it to the group gpio."
    return f"{what} failed: {error}; check the wiring table and that /dev/gpiochip0 is there."


def _is_chip_forbidden() -> bool:
    path = "/dev/gpiochip0"
    return os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK)
