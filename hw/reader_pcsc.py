"""Contactless readers behind PC/SC, through pcscd: a card's identifier, once per presentation.

Which identifier is a card's own is decided in `hw.card_identifier`, which is pure; this module
waits for a card, lends it to that, and tells when the reader or pcscd goes. A card that already
lies there when the reader comes is not a presentation: after a restart of pcscd a forgotten card
must not open a door. It must never select an application or read a file of a card, and never log
what it read. This module alone imports smartcard (pyscard), when a reader is started. What changes
with this file: nothing but the readers that are plugged in.
"""

from __future__ import annotations

import errno
import importlib
import logging
import time
from typing import Any

from hw.card_identifier import CardRefusedError, identify
from hw.errors import DeviceError
from hw.ports import Clock, Read
from hw.reader_thread import Heard, ReaderThread, Stop

WAIT_MS = 200
"""So long pcscd is asked to wait for a change; closing takes as long at most."""

_LOG = logging.getLogger(__name__)


class PcscReader(ReaderThread):
    """A `CardReader` on one PC/SC reader.

    `which`: a part of the name that pcscd gives it, or "" for the first one. `scard` stands in
    for `smartcard.scard` in tests.
    """

    def __init__(
        self, name: str, which: str = "", clock: Clock = time.monotonic, *, scard: Any = None
    ) -> None:
        if not which.isprintable():
            raise DeviceError(f"The reader {name} has no such name; pcsc_scan lists the names.")
        super().__init__(name, clock, lambda: _Place(name, which, scard or _load()))


def _load() -> Any:
    try:
        return importlib.import_module("smartcard.scard")
    except ImportError as error:
        raise DeviceError(
            "The Python library pyscard is missing; install the Debian packages python3-pyscard "
            "and pcscd."
        ) from error


class _Place:
    """pcscd, and in it the reader."""

    def __init__(self, name: str, which: str, scard: Any) -> None:
        self._name = name
        self._which = which
        self._scard = scard
        self.where = ""

    def open(self) -> _Slot | None:
        """The reader, None while pcscd or the reader is not there."""
        self.where = ""
        result, context = self._scard.SCardEstablishContext(self._scard.SCARD_SCOPE_USER)
        if result != self._scard.SCARD_S_SUCCESS:
            return None
        slot = None
        try:
            slot = self._slot(context)
            return slot
        finally:
            if slot is None:
                self._scard.SCardReleaseContext(context)

    def _slot(self, context: Any) -> _Slot | None:
        result, names = self._scard.SCardListReaders(context, [])
        if result != self._scard.SCARD_S_SUCCESS:
            return None  # among others SCARD_E_NO_READERS_AVAILABLE
        found = next((each for each in names if self._which in each), None)
        if found is None:
            return None
        self.where = found
        return _Slot(self._name, self._scard, context, found)


class _Slot:
    """One reader, and the presentations on it."""

    def __init__(self, name: str, scard: Any, context: Any, reader: str) -> None:
        self._name = name
        self._scard = scard
        self._context = context
        self._reader = reader

    def read_until(self, stop: Stop, heard: Heard) -> None:
        """One read per presentation: pcscd counts a card's coming and going for us."""
        state, presentation = self._wait(self._scard.SCARD_STATE_UNAWARE, 0)
        while not stop.is_set:
            before = presentation
            state, presentation = self._wait(state, WAIT_MS)
            if presentation is not None and presentation != before:
                self._read(heard)

    def close(self) -> None:
        """Let go of pcscd."""
        self._scard.SCardReleaseContext(self._context)

    def _wait(self, known: int, wait_ms: int) -> tuple[int, int | None]:
        """The state after a change, or after `wait_ms`; the number of the card's presentation.

        None when no card is there. Raises OSError when the reader or pcscd has gone.
        """
        scard = self._scard
        result, states = scard.SCardGetStatusChange(self._context, wait_ms, [(self._reader, known)])
        if result not in (scard.SCARD_S_SUCCESS, scard.SCARD_E_TIMEOUT):
            raise self._error(result)
        now = states[0][1]
        if now & (scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE):
            raise OSError(errno.ENODEV, "the reader was unplugged")
        present = bool(now & scard.SCARD_STATE_PRESENT)
        return now & ~scard.SCARD_STATE_CHANGED, now >> 16 if present else None

    def _read(self, heard: Heard) -> None:
        """A card that is refused, or gone again already, reports nothing."""
        try:
            identifier = self._identifier()
        except CardRefusedError as refused:
            _LOG.warning("The reader %s refused a card: %s.", self._name, refused)
        except OSError as error:
            _LOG.info("The reader %s could not read a card: %s", self._name, error)
        else:
            heard(Read(identifier))

    def _identifier(self) -> bytes:
        scard = self._scard
        result, card, protocol = scard.SCardConnect(
            self._context,
            self._reader,
            scard.SCARD_SHARE_SHARED,
            scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
        )
        self._check(result)
        try:
            return identify(self._atr(card), lambda command: self._ask(card, protocol, command))
        finally:
            scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)

    def _atr(self, card: Any) -> bytes:
        result, _, _, _, atr = self._scard.SCardStatus(card)
        self._check(result)
        return bytes(atr)

    def _ask(self, card: Any, protocol: int, command: bytes) -> bytes:
        result, answer = self._scard.SCardTransmit(card, protocol, list(command))
        self._check(result)
        return bytes(answer)

    def _check(self, result: int) -> None:
        if result != self._scard.SCARD_S_SUCCESS:
            raise self._error(result)

    def _error(self, result: int) -> OSError:
        return OSError(errno.EIO, str(self._scard.SCardGetErrorMessage(result)))
