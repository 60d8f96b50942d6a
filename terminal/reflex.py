"""What a decline does without waiting for the loop, whose disk may be slow (D10).

The kiosk button, and every credential or PIN that is presented, takes vision's permission away on
the very thread that sees it, before it is even put into the inbox; a thread of its own then darkens
the sign. The loop decides all the rest when it hears of it, and gives permissions again from then
on. Nothing here gives anything.

What changes with this file: the 100 ms of every decline.
"""

from __future__ import annotations

import logging
import threading

from hw.errors import DeviceError
from hw.ports import Input, InputChange, Lamp
from terminal.arrivals import CardRead, CodeSeen, Inbox
from terminal.vision_port import VisionPort

log = logging.getLogger(__name__)


class Reflex:
    """Stands between the board's inputs, the readers and the inbox."""

    def __init__(self, inbox: Inbox, port: VisionPort, sign: Lamp) -> None:
        self._inbox, self._port, self._sign = inbox, port, sign
        self._said = threading.Event()
        threading.Thread(target=self._darken, name="reflex", daemon=True).start()

    def on_change(self, change: InputChange) -> None:
        """Called by the board for every change of a line; never waits."""
        if change.line is Input.KIOSK_BUTTON and change.active:
            self._suspend()
        self._inbox.put(change)

    def on_credential(self, arrival: CardRead | CodeSeen) -> None:
        """Called by readers for everything that is held up or typed; never waits.

        One that finds no place in the inbox suspends nothing: those before it have done so.
        """
        self._suspend()
        self._inbox.put(arrival)

    def _suspend(self) -> None:
        self._port.suspend()
        self._said.set()

    def _darken(self) -> None:
        """The board may be locked while it reports, so its lamp is set from here."""
        while True:
            self._said.wait()
            self._said.clear()
            if not self._port.is_suspended:
                continue  # the loop was faster
            try:
                self._sign.set(lit=False)
            except DeviceError as error:
                log.error("%s", error)
