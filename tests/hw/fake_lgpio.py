"""A stand-in for the library lgpio: a chip in memory that notes what is asked of it.

It keeps lgpio's rules that matter here (lgGpio.c): a claim as output frees an input first and sets
the level in the same step, a claim that is already so changes nothing, reading an output asks the
pin, and a line stays as it was when it is let go, as on a Raspberry Pi.
"""

from __future__ import annotations

import types
from typing import Any


class error(Exception):  # noqa: N801, N818 - lgpio's own name
    """lgpio's only exception."""


class FakeLgpio(types.ModuleType):
    """Put it into sys.modules as `lgpio`."""

    SET_PULL_UP, SET_PULL_DOWN, SET_PULL_NONE = 32, 64, 128
    RISING_EDGE, FALLING_EDGE, BOTH_EDGES = 1, 2, 3

    def __init__(self, label: str = "pinctrl-bcm2711") -> None:
        super().__init__("lgpio")
        self.error = error
        self.label = label
        self.calls: list[tuple[Any, ...]] = []
        self.modes: dict[int, str] = {}
        self.levels: dict[int, int] = {}
        self.pulls: dict[int, int] = {}
        self.busy: set[int] = set()
        self.stuck: dict[int, int] = {}
        self.closed = False
        self.callbacks: dict[int, Any] = {}

    def gpiochip_open(self, chip: int) -> int:
        self.calls.append(("open", chip))
        return 7

    def gpiochip_close(self, handle: int) -> None:
        self.calls.append(("close", handle))
        self.closed = True

    def gpio_get_chip_info(self, handle: int) -> list[Any]:
        return [0, 58, "gpiochip0", self.label]

    def gpio_get_mode(self, handle: int, gpio: int) -> int:
        return (2 if self.modes.get(gpio) == "out" else 0) | self.pulls.get(gpio, 0)

    def gpio_claim_input(self, handle: int, gpio: int, flags: int = 0) -> None:
        self.calls.append(("input", gpio, flags))
        self._refuse_busy(gpio)
        if self.modes.get(gpio) != "in":
            self.modes[gpio], self.pulls[gpio] = "in", flags
            self.levels[gpio] = int(flags == self.SET_PULL_UP)

    def gpio_claim_output(self, handle: int, gpio: int, level: int = 0, flags: int = 0) -> None:
        self.calls.append(("output", gpio, level, flags))
        self._refuse_busy(gpio)
        if self.modes.get(gpio) != "out":
            self.modes[gpio], self.pulls[gpio], self.levels[gpio] = "out", flags, level

    def gpio_claim_alert(self, handle: int, gpio: int, edges: int, flags: int = 0) -> None:
        self.calls.append(("alert", gpio))

    def gpio_free(self, handle: int, gpio: int) -> None:
        self.calls.append(("free", gpio))
        self.modes.pop(gpio, None)

    def gpio_read(self, handle: int, gpio: int) -> int:
        return self.stuck.get(gpio, self.levels.get(gpio, 0))

    def gpio_write(self, handle: int, gpio: int, level: bool) -> None:
        self.calls.append(("write", gpio, int(level)))
        self.levels[gpio] = int(level)

    def gpio_set_debounce_micros(self, handle: int, gpio: int, micros: int) -> None:
        self.calls.append(("debounce", gpio, micros))

    def callback(self, handle: int, gpio: int, edge: int, func: Any) -> Any:
        self.callbacks[gpio] = func
        return types.SimpleNamespace(cancel=lambda: self.callbacks.pop(gpio, None))

    def edge(self, gpio: int, level: int, tick_ns: int) -> None:
        """The world's side: the kernel has seen an edge."""
        self.callbacks[gpio](0, gpio, level, tick_ns)

    def _refuse_busy(self, gpio: int) -> None:
        if gpio in self.busy:
            raise error("'GPIO busy'")
