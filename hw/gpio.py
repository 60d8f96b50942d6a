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
from hw.ports import Clock, Input, InputChange, OnInput
from hw.secure import give_lgpio_a_directory
from hw.strike import GuardedStrike
from hw.timers import CallLater, Cancel, ThreadTimers
from hw.wiring import Line, LineName, Wiring

FACTORIES = ("lgpio", "mock")
"""The pin factories that the driver knows; "mock" is gpiozero's own twin."""

_READ_BACK_TRIES = 20
"""Reads until an output counts as stuck: the wire's capacitance takes microseconds to follow."""

_LONGEST_BOUNCE = 3
"""After so many times its debouncing a line that still bounces is taken as it reads: the button
that declines has 100 ms in all (D10)."""

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
        self._watched: list[_WatchedInput] = []
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

    def start(self, on_change: OnInput) -> Mapping[Input, bool]:
        """Watch the inputs; `on_change` is called from other threads and must only queue.

        Returns the level of each wired input now. Raises DeviceError when a line can't be watched
        or the board is closed.
        """
        with self._lock:
            if self._is_closed or self._watched:
                raise DeviceError("The board is closed or already started; open it anew.")
            self._watched = [
                _WatchedInput(line, Input(name.value), self._clock, self._call_later, on_change)
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
        self._buzzer.close()
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
        buzzer = self._lines.get(LineName.BUZZER)
        self._buzzer = PatternBuzzer(buzzer.set if buzzer else _nothing, self._call_later)

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
        for line in self._lines.values():
            _quietly(line.close)
        if self._owns_factory:
            _quietly(self._close_factory)

    def _close_factory(self) -> None:
        with _telling("Closing the GPIO chip"):
            self._factory.close()


class SensedLamp:
    """The signage LED. It counts as lit when its line reads back lit, and the sense line as well.

    Without a line (no sign wired) it never reads lit, and so the terminal never looks at faces.
    """

    def __init__(self, line: _GpioLine | None, sense: _GpioLine | None) -> None:
        self._line = line
        self._sense = sense

    def set(self, lit: bool) -> None:
        """Light it or darken it. Raises DeviceError when the line fails; no sign wired: nothing."""
        if self._line is not None:
            self._line.set(lit)

    @property
    def is_lit(self) -> bool:
        """As it reads back. Raises DeviceError when a line can't be read."""
        if self._line is None:
            return False
        return self._line.read() and self.sensed is not False

    @property
    def sensed(self) -> bool | None:
        """What the sense line alone says, for the self-test; None where none is wired."""
        return None if self._sense is None else self._sense.read()

    def close(self) -> None:
        """Darken it; a line that fails is logged."""
        _quietly(lambda: self.set(False))


class _GpioLine:
    """One claimed pin in the table's logical levels; outputs are claimed at rest."""

    def __init__(self, factory: Any, row: Line) -> None:
        self._row = row
        self._what = f"The line {row.name.value} (BCM {row.bcm}, header pin {row.header_pin})"
        with _telling(self._what):
            self._device = gpiozero.GPIODevice(row.bcm, pin_factory=factory)
            if row.direction.value == "output":
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


class _WatchedInput:
    """One input with its debouncing: a level counts when it has stayed for the table's time."""

    def __init__(
        self,
        line: _GpioLine,
        name: Input,
        clock: Clock,
        call_later: CallLater,
        on_change: OnInput,
    ) -> None:
        self.name = name
        self._line = line
        self._clock = clock
        self._call_later = call_later
        self._on_change = on_change
        self._lock = threading.RLock()
        self._cancel_settle: Cancel | None = None
        self._first_edge_s: float | None = None
        self._level = False

    def start(self) -> bool:
        """Begin to watch; returns the level now. Watched before read, so no edge falls between."""
        with self._lock:
            self._line.watch(self._on_edge)
            self._level = self._line.read()
            return self._level

    def stop(self) -> None:
        self._line.watch(None)

    def _on_edge(self, ticks: Any, level: Any) -> None:
        """On a thread of the library, which an exception would end for every line."""
        try:
            with self._lock:
                self._note_edge(self._line.is_active_at(level))
        except DeviceError as error:
            _LOG.warning("An edge of %s was lost: %s", self.name.value, error)

    def _note_edge(self, active: bool) -> None:
        """The first edge away from the settled level is the moment that is reported."""
        if self._first_edge_s is None and active != self._level:
            self._first_edge_s = self._clock()
        if self._cancel_settle is not None:
            self._cancel_settle()
        self._cancel_settle = self._call_later(self._settles_in_s(), self._settle)

    def _settles_in_s(self) -> float:
        """A line that never settles is looked at all the same: a chattering button is pressed."""
        if self._first_edge_s is None:
            return self._line.debounce_s
        latest_s = self._first_edge_s + _LONGEST_BOUNCE * self._line.debounce_s
        return max(0.0, min(self._line.debounce_s, latest_s - self._clock()))

    def _settle(self) -> None:
        try:
            with self._lock:
                change = self._settled(self._line.read())
                if change is not None:
                    self._on_change(change)
        except DeviceError as error:
            _LOG.warning("The line %s can't be read: %s", self.name.value, error)

    def _settled(self, level: bool) -> InputChange | None:
        first_edge_s, self._first_edge_s = self._first_edge_s, None
        if level == self._level:
            return None
        self._level = level
        seen_s = self._clock() if first_edge_s is None else first_edge_s
        return InputChange(self.name, level, seen_s)


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
