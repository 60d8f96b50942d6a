"""Serial readers over a pseudo-terminal: what the contract suite does not ask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from hw.errors import DeviceError
from hw.reader_serial import SerialReader
from tests.hw.card_readers import PtyCable, Rig, rig_of, stx


@pytest.fixture
def cable() -> Iterator[PtyCable]:
    made = PtyCable(Path("/dev/shm") / f"reader-{os.getpid()}-{os.urandom(4).hex()}")
    made.plug()
    yield made
    made.unplug()


def started(reader: SerialReader) -> Rig:
    rig = rig_of(reader)
    rig.start()
    assert rig.state()
    return rig


def test_pass_of_256_bytes_is_read_whole(cable: PtyCable) -> None:
    rig = started(SerialReader("qr", str(cable.path), baud=115200))
    sent = (b"6BF+70790T9WJWG.FKY*4GO0" * 11)[:256]
    cable.send(sent[:100])
    cable.send(sent[100:] + b"\r\n")
    assert rig.heard()[0] == sent
    rig.reader.close()


def test_broken_frames_are_counted_and_said_once(
    cable: PtyCable, caplog: pytest.LogCaptureFixture
) -> None:
    reader = SerialReader("low", str(cable.path), framing="stx")
    rig = started(reader)
    broken = stx(b"0012345678").replace(b"5678", b"5679")
    cable.send(broken * 3 + stx(b"00AABBCCDD"))
    assert rig.heard()[0] == b"00AABBCCDD"
    reader.close()
    assert reader.dropped == 3
    assert caplog.text.count("The reader low has sent a broken frame") == 1
    assert "5679" not in caplog.text


def test_line_is_set_up_as_asked_and_taken_for_this_process_alone(cable: PtyCable) -> None:
    rig = started(SerialReader("low", str(cable.path), baud=38400))
    with pytest.raises(serial.SerialException, match="exclusive"):
        serial.Serial(str(cable.path), exclusive=True)
    rig.reader.close()
    with serial.Serial(str(cable.path), 9600, exclusive=True):
        pass


def test_begun_line_is_forgotten_when_the_reader_is_unplugged(cable: PtyCable) -> None:
    rig = started(SerialReader("low", str(cable.path)))
    cable.send(b"12\n34")
    assert rig.heard()[0] == b"12"
    cable.unplug()
    assert not rig.state()
    cable.plug()
    assert rig.state()
    cable.send(b"56\n")
    assert rig.heard()[0] == b"56"
    rig.reader.close()


@pytest.mark.parametrize("path", ["", "ttyUSB0", "/etc/passwd", "/dev/../etc/passwd", "/dev/a\0b"])
def test_path_that_is_not_below_dev_is_refused(path: str) -> None:
    with pytest.raises(DeviceError, match="is not found at"):
        SerialReader("low", path)


@pytest.mark.parametrize("options", [{"baud": 9601}, {"framing": "csv"}])
def test_unknown_option_is_refused_with_the_known_ones(options: dict[str, object]) -> None:
    with pytest.raises(DeviceError, match=r"9600|lines, stx"):
        SerialReader("low", "/dev/ttyUSB0", **options)  # type: ignore[arg-type]


def test_file_that_is_no_serial_line_is_not_working_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = rig_of(SerialReader("low", "/dev/null"))
    rig.start()
    assert not rig.state()
    rig.reader.close()
    assert caplog.text.count("The reader low at /dev/null does not open") == 1
