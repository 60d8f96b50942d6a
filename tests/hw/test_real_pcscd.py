"""The PC/SC reader on a real pcscd with virtual cards. Skipped where the packages are absent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hw.reader_pcsc import PcscReader
from tests.hw import virtual_card
from tests.hw.card_readers import Rig, rig_of
from tests.hw.test_card_identifier import CLASSIC, ID_CARD
from tests.hw.virtual_card import Daemon, VirtualCard

GET_UID = bytes.fromhex("FFCA000000")
GET_SERIAL = bytes.fromhex("0036000008")
OK = b"\x90\x00"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    pytest.importorskip("smartcard", reason="pyscard is missing: constraints/readers.txt")
    if why := virtual_card.missing():
        pytest.skip(why)
    made = Daemon(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def rig(daemon: Daemon) -> Iterator[Rig]:
    made = rig_of(PcscReader("lobby", "Virtual PCD"))
    made.start()
    assert made.state()
    yield made
    made.reader.close()


def card(identifier: str, atr: bytes = CLASSIC) -> VirtualCard:
    return VirtualCard(atr, {GET_UID: bytes.fromhex(identifier) + OK})


def test_real_reader_hears_each_presentation_once(rig: Rig) -> None:
    for identifier in ("04A1B2C3D4E5F6", "04A1B2C3D4E5F6", "DEADBEEF"):
        with card(identifier) as held:
            assert rig.heard()[0] == identifier.encode()
            assert held.asked == [GET_UID]
        time.sleep(1.0)  # pcscd looks for cards twice a second
    assert rig.reads.empty()


@pytest.mark.requirement("R45")
def test_real_reader_refuses_a_random_identifier_and_takes_the_next(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    with card("08A1B2C3") as held:
        _until(lambda: "refused a card: it gives another identifier" in caplog.text)
        assert held.asked == [GET_UID]
    time.sleep(1.0)
    with card("04A1B2C3D4E5F6"):
        assert rig.heard()[0] == b"04A1B2C3D4E5F6"
    assert rig.reads.empty()


@pytest.mark.requirement("R45")
def test_real_reader_asks_a_resident_id_card_for_its_chips_serial_alone(rig: Rig) -> None:
    answers = {GET_SERIAL: bytes.fromhex("10E4100102030405") + OK, GET_UID: bytes(4) + OK}
    with VirtualCard(ID_CARD, answers) as held:
        assert rig.heard()[0] == b"10E4100102030405"
        assert held.asked == [GET_SERIAL]


@pytest.mark.requirement("R03")
def test_real_reader_comes_back_after_pcscd_was_restarted(daemon: Daemon, rig: Rig) -> None:
    daemon.stop()
    assert not rig.state()
    daemon.start()
    assert rig.state()
    with card("04A1B2C3D4E5F6"):
        assert rig.heard()[0] == b"04A1B2C3D4E5F6"


def test_waiting_for_a_card_holds_no_other_thread_up(rig: Rig) -> None:
    """The library lets other threads run while it waits: the door decides on one of them."""
    gaps_s: list[float] = []

    def tick() -> None:
        before_s = time.monotonic()
        for _ in range(100):
            time.sleep(0.005)
            now_s = time.monotonic()
            gaps_s.append(now_s - before_s)
            before_s = now_s

    ticking = threading.Thread(target=tick)
    ticking.start()
    ticking.join()
    assert sorted(gaps_s)[len(gaps_s) // 2] < 0.05


def _until(holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 10.0
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.02)
