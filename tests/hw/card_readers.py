"""Every kind of reader for the contract suite, each with the hand that taps and pulls plugs."""

from __future__ import annotations

import os
import queue
import tty
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hw.bench import BenchBoard, BenchReader
from hw.bench_clock import FakeClock
from hw.ports import MAX_READ_BYTES, CardReader, ReadKind
from hw.reader_pcsc import PcscReader
from hw.reader_serial import SerialReader
from hw.reader_wedge import WedgeReader
from hw.reader_wiegand import WiegandReader
from hw.wiegand import encode
from tests.hw.fake_scard import TYPE_A_ATR, FakeScard, uid_card
from tests.hw.keys import FakeKeyDevices, FakeKeys, typed

SOON_S = 5.0
NOW_S = 1000.0

Heard = tuple[bytes, float, ReadKind]


def nothing() -> None:
    """For a hand that has nothing to do."""


@dataclass
class Rig:
    """A reader, the world around it, and what was heard. `unplug` is None where no plug is."""

    reader: CardReader
    tap: Callable[[bytes], object]
    tap_too_long: Callable[[], object] = nothing
    unplug: Callable[[], object] | None = None
    plug: Callable[[], object] = nothing
    tidy: Callable[[], object] = nothing
    cards: tuple[bytes, bytes] = (b"0012345678", b"00987654AB")
    reads: queue.Queue[Heard] = field(default_factory=queue.Queue)
    working: queue.Queue[bool] = field(default_factory=queue.Queue)

    def start(self) -> None:
        def heard(data: bytes, mono_s: float, kind: ReadKind = ReadKind.IDENTIFIER) -> None:
            self.reads.put((data, mono_s, kind))

        self.reader.start(heard, self.working.put)

    def heard(self) -> Heard:
        return self.reads.get(timeout=SOON_S)

    def state(self) -> bool:
        return self.working.get(timeout=SOON_S)


def rig_of(reader: CardReader) -> Rig:
    """For a test that has its own hand."""
    return Rig(reader, print)


def bench(is_plugged: bool, _: Path) -> Rig:
    reader = BenchReader("lobby", FakeClock(NOW_S), is_plugged=is_plugged)
    too_long = b"1" * (MAX_READ_BYTES + 1)
    return Rig(reader, reader.tap, lambda: reader.tap(too_long), reader.unplug, reader.plug)


def wedge(is_plugged: bool, _: Path) -> Rig:
    devices = FakeKeyDevices()
    reader = WedgeReader("lobby", "1234:abcd", FakeClock(NOW_S), devices=devices)
    begun_s = iter(range(0, 10_000, 10))

    def plug() -> None:
        devices.plugged = FakeKeys()

    def unplug() -> None:
        pulled, devices.plugged = devices.plugged, None
        assert pulled is not None
        pulled.pull()

    def tap(card: bytes) -> None:
        if devices.plugged is not None and not devices.plugged.is_closed:
            devices.plugged.give(typed(card.decode(), float(next(begun_s))))

    if is_plugged:
        plug()
    return Rig(reader, tap, lambda: tap(b"1" * (MAX_READ_BYTES + 1)), unplug, plug)


class PtyCable:
    """A serial cable: a pseudo-terminal whose slave hangs at `path` while it is plugged in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ends: tuple[int, int] | None = None

    def plug(self) -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        self._ends = (master, slave)
        self.path.symlink_to(os.ttyname(slave))

    def unplug(self) -> None:
        """Pulled out: the name goes, and whoever reads the line gets an end."""
        if self._ends is not None:
            self.path.unlink()
            for end in self._ends:
                os.close(end)
            self._ends = None

    def send(self, data: bytes) -> None:
        if self._ends is not None:
            os.write(self._ends[0], data)


def _serial(is_plugged: bool, frame: Callable[[bytes], bytes], framing: str) -> Rig:
    cable = PtyCable(Path("/dev/shm") / f"reader-{os.getpid()}-{os.urandom(4).hex()}")
    reader = SerialReader("lobby", str(cable.path), FakeClock(NOW_S), framing=framing)
    if is_plugged:
        cable.plug()
    return Rig(
        reader,
        lambda card: cable.send(frame(card)),
        lambda: cable.send(frame(b"1" * (MAX_READ_BYTES + 1))),
        cable.unplug,
        cable.plug,
        cable.unplug,
    )


def serial_lines(is_plugged: bool, _: Path) -> Rig:
    return _serial(is_plugged, lambda card: card + b"\r\n", "lines")


def serial_stx(is_plugged: bool, _: Path) -> Rig:
    return _serial(is_plugged, stx, "stx")


def stx(number: bytes) -> bytes:
    """The frame of an ID-12, whatever the number's length."""
    check = 0
    for at in range(0, len(number) - 1, 2):
        check ^= int(number[at : at + 2], 16)
    return b"\x02" + number + b"%02X\r\n\x03" % check


def pcsc(is_plugged: bool, _: Path) -> Rig:
    scard = FakeScard()
    reader = PcscReader("lobby", "Twin", FakeClock(NOW_S), scard=scard)
    cards = (b"04A1B2C3D4E5F6", b"04A1B2C3")

    def tap(card: bytes) -> None:
        scard.present(TYPE_A_ATR, uid_card(bytes.fromhex(card.decode())))

    def tap_too_long() -> None:
        tap(b"04" * 200)
        scard.wait_until_asked()

    if is_plugged:
        scard.plug()
    return Rig(reader, tap, tap_too_long, scard.unplug, scard.plug, cards=cards)


def wiegand(is_plugged: bool, _: Path) -> Rig:
    clock = FakeClock(NOW_S)
    board = BenchBoard(clock, clock.call_later)
    lend = lambda on_edge: board.lend((7, 12), on_edge)  # noqa: E731
    reader = WiegandReader("lobby", lend, clock, call_later=clock.call_later)

    def send(bits: tuple[int, ...]) -> None:
        if (7, 12) in board.lent:
            board.lent[7, 12].send(bits)
            clock.advance(1.0)

    def tap(card: bytes) -> None:
        bits, facility, number = map(int, card.split(b"-"))
        send(encode(facility << {26: 16, 34: 16, 37: 19}[bits] | number, bits))

    return Rig(
        reader,
        tap,
        lambda: send(encode(5, 37) * 20),
        tidy=board.close,
        cards=(b"26-123-04567", b"37-00009-012345"),
    )


ALL = (bench, wedge, serial_lines, serial_stx, pcsc, wiegand)
