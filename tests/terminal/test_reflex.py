"""The press of the button takes vision's permission before the loop has heard of it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw.bench import BenchBoard
from hw.ports import Input, InputChange, ReadKind
from terminal.arrivals import CARDS_WAITING, CardRead, CodeSeen, Inbox
from terminal.core.values import Level, Permission
from terminal.link import Lease, Link
from terminal.reflex import Reflex
from terminal.sockets import connect
from terminal.vision_port import VisionPort

DETECT = Permission(Level.DETECT)
SOON_S = 5.0
PRESENTED = (
    CardRead("door", b"04A1B2C3D4"),
    CardRead("door", b"4821", ReadKind.TYPED),
    CodeSeen(b"FT1:anything"),
)


class Scene:
    """A door whose loop never turns: whatever happens here happens without it."""

    def __init__(self, folder: Path) -> None:
        self.inbox = Inbox()
        self.port = VisionPort(folder / "vision.sock", self.inbox, frozenset({os.geteuid()}))
        self.port.start()
        self.vision = Link(connect(folder / "vision.sock", socket.SOCK_SEQPACKET))
        assert self.inbox.get(SOON_S) is not None, "vision is connected"
        self.board = BenchBoard(time.monotonic)
        self.reflex = Reflex(self.inbox, self.port, self.board.sign)
        self.board.start(self.reflex.on_change)
        self.board.sign.set(lit=True)

    def lease(self) -> Lease | None:
        heard = self.vision.receive(0.2)
        if heard is None:
            return None
        assert isinstance(heard[0], Lease)
        return heard[0]

    def permits(self) -> Lease | None:
        self.port.permit(DETECT, time.monotonic() + 0.5)
        return self.lease()

    def is_dark(self) -> bool:
        end_s = time.monotonic() + SOON_S
        while self.board.sign.is_lit and time.monotonic() < end_s:
            time.sleep(0.005)
        return not self.board.sign.is_lit

    def close(self) -> None:
        self.vision.close()
        self.port.close()
        self.board.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


@pytest.mark.requirement("D10", "T35", "A26")
def test_a_press_revokes_and_darkens_though_the_loop_hangs(scene: Scene) -> None:
    lease = scene.permits()
    assert lease is not None
    assert lease.level is Level.DETECT
    scene.board.press(Input.KIOSK_BUTTON, 0.05)
    revoked = scene.lease()
    assert revoked is not None
    assert revoked.level is Level.NONE
    assert scene.is_dark()


@pytest.mark.requirement("D10")
def test_nothing_is_permitted_until_the_loop_has_heard_the_press(scene: Scene) -> None:
    scene.board.press(Input.KIOSK_BUTTON, 0.05)
    assert scene.lease() is not None
    assert scene.permits() is None
    scene.port.resume()
    lease = scene.permits()
    assert lease is not None
    assert lease.level is Level.DETECT


@pytest.mark.requirement("D10")
def test_the_press_still_reaches_the_loop(scene: Scene) -> None:
    scene.board.press(Input.KIOSK_BUTTON, 0.05)
    arrival = scene.inbox.get(SOON_S)
    assert isinstance(arrival, InputChange)
    assert arrival.line is Input.KIOSK_BUTTON
    assert arrival.active


@pytest.mark.parametrize("line", [Input.DOOR_CONTACT, Input.REX])
def test_no_other_line_takes_a_permission(scene: Scene, line: Input) -> None:
    scene.board.set_input(line, active=True)
    lease = scene.permits()
    assert lease is not None
    assert lease.level is Level.DETECT
    assert scene.board.sign.is_lit


@pytest.mark.requirement("D10", "T35", "A26")
@pytest.mark.parametrize("arrival", PRESENTED, ids=lambda one: type(one).__name__)
def test_whatever_is_held_up_or_typed_revokes_and_darkens_though_the_loop_hangs(
    scene: Scene, arrival: CardRead | CodeSeen
) -> None:
    assert scene.permits() is not None
    scene.reflex.on_credential(arrival)
    revoked = scene.lease()
    assert revoked is not None
    assert revoked.level is Level.NONE
    assert scene.is_dark()
    assert scene.inbox.get(SOON_S) is arrival
    assert scene.permits() is None, "until the loop has heard of it"
    scene.port.resume()
    assert scene.permits() is not None


@pytest.mark.requirement("D10")
def test_a_flood_of_credentials_neither_waits_nor_loses_the_first(scene: Scene) -> None:
    began_s = time.monotonic()
    for n in range(10_000):
        scene.reflex.on_credential(CardRead("door", b"%d" % n))
    assert time.monotonic() - began_s < SOON_S
    heard = [scene.inbox.get(0.0) for _ in range(CARDS_WAITING + 1)]
    assert [one and one.raw for one in heard[:-1]] == [b"0", b"1", b"2", b"3"]  # type: ignore[union-attr]
    assert heard[-1] is None
