"""PC/SC readers on a stand-in for pcscd: presentations, refusals, and what comes and goes."""

from __future__ import annotations

import sys

import pytest

from hw.errors import DeviceError
from hw.reader_pcsc import PcscReader
from tests.hw.card_readers import Rig, rig_of
from tests.hw.fake_scard import TYPE_A_ATR, FakeScard, uid_card

UID = bytes.fromhex("04A1B2C3D4E5F6")
OTHER = bytes.fromhex("04112233445566")


@pytest.fixture
def scard() -> FakeScard:
    made = FakeScard()
    made.plug()
    return made


def started(scard: FakeScard, which: str = "") -> Rig:
    rig = rig_of(PcscReader("lobby", which, scard=scard))
    rig.start()
    assert rig.state()
    return rig


def test_card_that_lies_there_is_read_once(scard: FakeScard) -> None:
    rig = started(scard)
    scard.present(TYPE_A_ATR, uid_card(UID))
    assert rig.heard()[0] == UID.hex().upper().encode()
    scard.take_away()
    scard.present(TYPE_A_ATR, uid_card(OTHER))
    assert rig.heard()[0] == OTHER.hex().upper().encode()
    rig.reader.close()
    assert rig.reads.empty()
    assert len(scard.commands) == 2


def test_card_that_is_swapped_faster_than_we_look_is_a_new_presentation(scard: FakeScard) -> None:
    rig = started(scard)
    scard.present(TYPE_A_ATR, uid_card(UID))
    assert rig.heard()
    scard.present(TYPE_A_ATR, uid_card(UID))
    assert rig.heard()[0] == UID.hex().upper().encode()
    rig.reader.close()


def test_card_that_lay_there_before_the_reader_came_is_no_presentation(scard: FakeScard) -> None:
    scard.put(TYPE_A_ATR, uid_card(UID))
    rig = started(scard)
    scard.wait_until_looked(3)
    assert scard.commands == []
    scard.present(TYPE_A_ATR, uid_card(OTHER))
    assert rig.heard()[0] == OTHER.hex().upper().encode()
    rig.reader.close()


@pytest.mark.requirement("R45")
def test_refused_card_reports_nothing_and_is_said_in_one_sentence(
    scard: FakeScard, caplog: pytest.LogCaptureFixture
) -> None:
    rig = started(scard)
    scard.present(TYPE_A_ATR, uid_card(bytes.fromhex("08A1B2C3")))
    scard.wait_until_asked()
    scard.present(TYPE_A_ATR, uid_card(UID))
    assert rig.heard()[0] == UID.hex().upper().encode()
    rig.reader.close()
    assert rig.reads.empty()
    assert caplog.text.count("The reader lobby refused a card: it gives another identifier") == 1
    assert "08A1B2C3" not in caplog.text.upper()


def test_card_that_is_gone_before_it_is_read_reports_nothing(scard: FakeScard) -> None:
    def gone(command: bytes) -> bytes:
        raise OSError("the card was taken away")

    rig = started(scard)
    scard.present(TYPE_A_ATR, gone)
    scard.wait_until_asked()
    scard.present(TYPE_A_ATR, uid_card(UID))
    assert rig.heard()[0] == UID.hex().upper().encode()
    rig.reader.close()


@pytest.mark.requirement("R03")
def test_daemon_that_stops_is_told_and_waited_for(scard: FakeScard) -> None:
    rig = started(scard)
    scard.stop_daemon()
    assert not rig.state()
    scard.is_running = True
    assert rig.state()
    scard.present(TYPE_A_ATR, uid_card(UID))
    assert rig.heard()
    rig.reader.close()
    assert scard.contexts == 0, "every context is let go"


def test_reader_is_chosen_by_a_part_of_its_name(scard: FakeScard) -> None:
    started(scard, "Contactless").reader.close()
    rig = rig_of(PcscReader("lobby", "Omnikey", scard=scard))
    rig.start()
    assert not rig.state()
    rig.reader.close()
    assert scard.contexts == 0


def test_name_that_can_not_be_is_refused() -> None:
    with pytest.raises(DeviceError, match="pcsc_scan"):
        PcscReader("lobby", "a\0b")


def test_missing_pyscard_names_the_debian_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smartcard.scard", None)
    with pytest.raises(DeviceError, match="python3-pyscard"):
        rig_of(PcscReader("lobby")).start()
