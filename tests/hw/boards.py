"""Every board that the contract suite can run over, each with the hand that works its inputs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gpiozero.pins.mock import MockFactory, MockPin

from hw.bench import BenchBoard
from hw.bench_clock import FakeClock
from hw.gpio import GpiozeroBoard
from hw.ports import Board, Input
from hw.wiring import DEFAULT_LINES, LineName, Wiring

ALL_WIRED = Wiring.from_names(
    {row.name.value: row.bcm for row in DEFAULT_LINES.values()} | {"sign_sense": None}
)


@dataclass(frozen=True)
class Rig:
    """A board, the time it lives in, and a hand on its inputs (None: nobody's hand, real pins)."""

    board: Board
    advance: Callable[[float], None]
    now: Callable[[], float]
    drive: Callable[[Input, bool], None] | None


@contextmanager
def bench() -> Iterator[Rig]:
    clock = FakeClock()
    board = BenchBoard(clock, clock.call_later)
    yield Rig(board, clock.advance, clock, board.set_input)
    board.close()


@contextmanager
def gpiozero_mock() -> Iterator[Rig]:
    clock = FakeClock()
    factory = MockFactory(pin_class=MockPin)
    board = GpiozeroBoard(factory, ALL_WIRED, clock, clock.call_later)
    yield Rig(board, clock.advance, clock, lambda line, on: drive(factory, ALL_WIRED, line, on))
    board.close()


@contextmanager
def gpiozero_lgpio() -> Iterator[Rig]:
    board = GpiozeroBoard("lgpio", Wiring(), time.monotonic)
    yield Rig(board, time.sleep, time.monotonic, None)
    board.close()


def drive(factory: MockFactory, wiring: Wiring, line: Input, active: bool) -> None:
    """Put an input's pin at the electrical level that means `active`."""
    row = wiring.line(LineName(line.value))
    assert row is not None
    pin = factory.pin(row.bcm)
    (pin.drive_high if active == row.active_high else pin.drive_low)()
