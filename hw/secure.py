"""Ring 3 of the relay: drive the strike's line to rest, with nothing else of the terminal alive.

systemd runs this (`python -m terminal secure`, ExecStopPost) after any death of the door process,
because Raspberry Pi kernels keep the level of a line whose holder has died. It must be quick, so
it takes lgpio itself and imports neither gpiozero nor NumPy; it must touch no other line and read
no state. It leaves the line driven to rest: letting go keeps the level, and with `strict_gpiod`
the pull that is set here takes over. What changes with this file: `systemd/`, the wiring's text.
"""

from __future__ import annotations

import glob
import importlib
import os
import tempfile
from types import ModuleType
from typing import Any

from hw.errors import DeviceError
from hw.wiring import Line, Wiring

_CHIP_LABEL = "pinctrl-"
"""The header's chip is labelled pinctrl-bcm2835, -bcm2711 or -rp1; its number differs by kernel."""


def secure_line(wiring: Wiring, factory: str = "lgpio") -> None:
    """Drive the strike's line to its resting level and leave it so.

    `factory` "mock" does nothing: where there are no pins nothing is energised. Raises
    DeviceError, one sentence, when the line can't be driven or does not read back at rest.
    """
    if factory == "mock":
        return
    if factory != "lgpio":
        raise DeviceError(f"There is no pin factory {factory!r}; use lgpio or mock.")
    lgpio = _lgpio()
    try:
        _drive_to_rest(lgpio, _header_chip(lgpio), wiring.strike)
    except lgpio.error as error:
        raise DeviceError(
            f"The strike's line (BCM {wiring.strike.bcm}) could not be secured: {error}; "
            "cut the lock's supply if the door stands released."
        ) from error


def give_lgpio_a_directory() -> None:
    """lgpio keeps a pipe in LG_WD, or else in the working directory, which may be read-only.

    systemd names the unit's own in RUNTIME_DIRECTORY, several divided by colons (systemd.exec(5)).
    """
    own = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    os.environ.setdefault("LG_WD", own or tempfile.gettempdir())


def _lgpio() -> ModuleType:
    give_lgpio_a_directory()
    try:
        return importlib.import_module("lgpio")
    except (ImportError, OSError) as error:
        raise DeviceError(
            f"The strike's line could not be secured, lgpio does not load ({error}); "
            "install the Debian package python3-lgpio."
        ) from error


def _header_chip(lgpio: Any) -> int:
    """Handle of the chip that the header's pins belong to."""
    for path in sorted(glob.glob("/dev/gpiochip*")):
        handle = int(lgpio.gpiochip_open(int(path.removeprefix("/dev/gpiochip"))))
        label = lgpio.gpio_get_chip_info(handle)[3]
        if str(label).startswith(_CHIP_LABEL):
            return handle
        lgpio.gpiochip_close(handle)
    raise DeviceError(
        "The strike's line could not be secured: no GPIO chip of a Raspberry Pi is there; "
        "cut the lock's supply if the door stands released."
    )


def _drive_to_rest(lgpio: Any, handle: int, strike: Line) -> None:
    pull = lgpio.SET_PULL_UP if strike.rests_high else lgpio.SET_PULL_DOWN
    lgpio.gpio_claim_output(handle, strike.bcm, int(strike.rests_high), pull)
    if bool(lgpio.gpio_read(handle, strike.bcm)) != strike.rests_high:
        raise DeviceError(
            f"The strike's line (BCM {strike.bcm}) does not follow when driven to rest; "
            "cut the lock's supply and check the wiring."
        )
