"""The composition root: what the processes share; `app_door`, `app_vision`, `app_qr` make them.

Those three are the only places that name concrete devices. Each opens its parts in the order in
which they can fail and closes them in reverse; none decides anything, and none loads what another
is there for: door no camera and no face model, vision no database, no key and no line, qr none of
all that (setup.cfg holds them to it). What goes wrong becomes one sentence and an exit status here.

What changes with this file: `terminal.__main__`, the units in systemd/.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from hw.errors import DeviceError
from models.errors import ModelsError
from terminal.errors import FAILED, REFUSED, RefuseToStart, TerminalError

log = logging.getLogger(__name__)

VISION_ACCOUNT = "terminal-vision"
QR_ACCOUNT = "terminal-qr"
VISION_SOCKET = "vision.sock"
QR_SOCKET = "qr.sock"
CODES_SOCKET = "codes.sock"
CONTROL_SOCKET = "control.sock"
BENCH_DOOR_SOCKET = "bench-door.sock"
BENCH_VISION_SOCKET = "bench-vision.sock"


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """One sentence for a person instead of a traceback, and the exit status that goes with it."""
    try:
        yield
    except (RefuseToStart, ModelsError) as error:
        log.critical("%s", error)
        raise SystemExit(REFUSED) from error
    except (TerminalError, DeviceError) as error:
        log.critical("%s", error)
        raise SystemExit(FAILED) from error
