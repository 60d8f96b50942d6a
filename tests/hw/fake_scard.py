"""A stand-in for pyscard's `smartcard.scard`: pcscd with at most one reader, in memory.

It keeps what pcscd does that matters here: a state is told with the number of comings and goings
in its upper half, a reader that goes is told as unknown, and every call answers with a code.
Thread-safe; a wait ends as soon as something changes.
"""

from __future__ import annotations

import threading
import types
from collections.abc import Callable

READER = "Twin Contactless 00 00"
TYPE_A_ATR = bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")

Card = Callable[[bytes], bytes]
"""Takes a command and gives the answer with its status."""


def uid_card(uid: bytes) -> Card:
    """A card of which the reader tells this UID."""
    return lambda command: uid + b"\x90\x00" if command[:2] == b"\xff\xca" else b"\x6d\x00"


class FakeScard(types.ModuleType):
    """Hand it to `PcscReader`."""

    SCARD_S_SUCCESS, SCARD_E_TIMEOUT = 0, 10
    SCARD_E_NO_SERVICE, SCARD_E_NO_READERS, SCARD_E_NO_SMARTCARD = 1, 2, 3
    SCARD_SCOPE_USER = 0
    SCARD_SHARE_SHARED, SCARD_LEAVE_CARD = 2, 0
    SCARD_PROTOCOL_T0, SCARD_PROTOCOL_T1 = 1, 2
    SCARD_STATE_UNAWARE, SCARD_STATE_CHANGED = 0, 2
    SCARD_STATE_UNKNOWN, SCARD_STATE_UNAVAILABLE, SCARD_STATE_PRESENT = 4, 8, 32

    def __init__(self) -> None:
        super().__init__("scard")
        self._changed = threading.Condition()
        self._is_plugged = False
        self._card: tuple[bytes, Card] | None = None
        self._count = 0
        self._asked = 0
        self.is_running = True
        self.commands: list[bytes] = []
        self.contexts = 0
        self.waits = 0

    # The world's side.

    def plug(self) -> None:
        with self._changed:
            self._is_plugged = True
            self._changed.notify_all()

    def unplug(self) -> None:
        with self._changed:
            self._is_plugged, self._card = False, None
            self._changed.notify_all()

    def stop_daemon(self) -> None:
        with self._changed:
            self.is_running = False
            self._changed.notify_all()

    def put(self, atr: bytes, card: Card) -> None:
        """Lay a card there, if there is a reader."""
        with self._changed:
            if self._is_plugged:
                self._card = (atr, card)
                self._count += 1
                self._changed.notify_all()

    def take_away(self) -> None:
        with self._changed:
            if self._card is not None:
                self._card = None
                self._count += 1
                self._changed.notify_all()

    def present(self, atr: bytes, card: Card) -> None:
        """A card that comes; one that lay there is taken away first."""
        self.take_away()
        self.put(atr, card)

    def wait_until_asked(self, times: int = 1) -> None:
        """Until cards were let go so many times."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._asked >= times, 5.0)

    def wait_until_looked(self, times: int) -> None:
        """Until the reader was looked at so many times from now on."""
        with self._changed:
            until = self.waits + times
            assert self._changed.wait_for(lambda: self.waits >= until, 5.0)

    # The library's side.

    def SCardEstablishContext(self, scope: int) -> tuple[int, int]:  # noqa: N802
        if not self.is_running:
            return self.SCARD_E_NO_SERVICE, 0
        self.contexts += 1
        return 0, 77

    def SCardReleaseContext(self, context: int) -> int:  # noqa: N802
        self.contexts -= 1
        return 0

    def SCardListReaders(self, context: int, groups: list[str]) -> tuple[int, list[str]]:  # noqa: N802
        with self._changed:
            return (0, [READER]) if self._is_plugged else (self.SCARD_E_NO_READERS, [])

    def SCardGetStatusChange(  # noqa: N802
        self, context: int, wait_ms: int, asked: list[tuple[str, int]]
    ) -> tuple[int, list[tuple[str, int, list[int]]]]:
        name, known = asked[0]
        with self._changed:
            self.waits += 1
            self._changed.notify_all()
            news = self._changed.wait_for(
                lambda: not self.is_running or self._state() != known, wait_ms / 1000
            )
            if not self.is_running:
                return self.SCARD_E_NO_SERVICE, []
            changed = self.SCARD_STATE_CHANGED if news else 0
            return (0 if news else 10), [(name, self._state() | changed, [])]

    def _state(self) -> int:
        if not self._is_plugged:
            return self.SCARD_STATE_UNKNOWN
        here = self.SCARD_STATE_PRESENT if self._card is not None else 16
        return self._count << 16 | here

    def SCardConnect(  # noqa: N802
        self, context: int, reader: str, share: int, protocols: int
    ) -> tuple[int, object, int]:
        with self._changed:
            if self._card is None:
                return self.SCARD_E_NO_SMARTCARD, None, 0
            return 0, self._card, self.SCARD_PROTOCOL_T1

    def SCardStatus(self, card: tuple[bytes, Card]) -> tuple[int, str, int, int, list[int]]:  # noqa: N802
        return 0, READER, 0, self.SCARD_PROTOCOL_T1, list(card[0])

    def SCardTransmit(  # noqa: N802
        self, card: tuple[bytes, Card], protocol: int, command: list[int]
    ) -> tuple[int, list[int]]:
        self.commands.append(bytes(command))
        return 0, list(card[1](bytes(command)))

    def SCardDisconnect(self, card: object, disposition: int) -> int:  # noqa: N802
        with self._changed:
            self._asked += 1
            self._changed.notify_all()
        return 0

    def SCardGetErrorMessage(self, code: int) -> str:  # noqa: N802
        return f"error {code}"
