"""What every supervisor keeps; systemd's over real datagram sockets."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw.bench import BenchSupervisor
from hw.errors import DeviceError
from hw.ports import Supervisor
from hw.supervisor import NoSupervisor, SystemdSupervisor, supervisor_from_environment


class Systemd:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.settimeout(5.0)

    def heard(self) -> str:
        return self.socket.recv(4096).decode()


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    name = f"@face-optional-terminal-test-{os.getpid()}"
    made = Systemd(name if request.param == "abstract" else str(tmp_path / "notify"))
    yield made
    made.socket.close()


@pytest.fixture
def supervisor(systemd: Systemd) -> Iterator[SystemdSupervisor]:
    made = SystemdSupervisor(systemd.address, 10.0)
    yield made
    made.close()


@pytest.mark.parametrize("make", [BenchSupervisor, NoSupervisor])
def test_supervisor_takes_everything_and_never_fails(make: type) -> None:
    supervisor: Supervisor = make()
    supervisor.ready()
    supervisor.ping()
    supervisor.status("line\nline")
    supervisor.stopping()


def test_systemd_hears_what_it_is_told(systemd: Systemd, supervisor: SystemdSupervisor) -> None:
    supervisor.ready()
    supervisor.ping()
    supervisor.status("Face recognition is off: the sign does not light.")
    supervisor.stopping()
    assert [systemd.heard() for _ in range(4)] == [
        "READY=1",
        "WATCHDOG=1",
        "STATUS=Face recognition is off: the sign does not light.",
        "STOPPING=1",
    ]


def test_status_can_say_nothing_but_a_status(
    systemd: Systemd, supervisor: SystemdSupervisor
) -> None:
    supervisor.status("fine\nWATCHDOG_USEC=0\r\x00STOPPING=1" + "x" * 500)
    heard = systemd.heard()
    assert heard.startswith("STATUS=fine WATCHDOG_USEC=0  STOPPING=1xxx")
    assert heard.isprintable()
    assert len(heard) == len("STATUS=") + 200


@pytest.mark.requirement("T21")
def test_systemd_that_does_not_listen_never_blocks_nor_fails_the_loop(
    systemd: Systemd, supervisor: SystemdSupervisor
) -> None:
    for _ in range(5000):  # far more than a socket's queue takes
        supervisor.ping()
    systemd.socket.close()
    supervisor.ping()
    supervisor.status("still here")
    supervisor.stopping()


def test_start_that_systemd_can_not_be_told_of_is_an_error(tmp_path: Path) -> None:
    supervisor = SystemdSupervisor(str(tmp_path / "nobody"))
    with pytest.raises(DeviceError, match="Type=notify"):
        supervisor.ready()
    supervisor.close()
    supervisor.close()


def test_desk_has_no_supervisor() -> None:
    assert isinstance(supervisor_from_environment({}), NoSupervisor)


def watchdog_s(**environ: str) -> float | None:
    made = supervisor_from_environment({"NOTIFY_SOCKET": "@x", **environ})
    assert isinstance(made, SystemdSupervisor)
    made.close()
    return made.watchdog_s


def test_watchdog_time_is_taken_when_it_is_meant_for_this_process() -> None:
    assert watchdog_s() is None
    assert watchdog_s(WATCHDOG_USEC="10000000") == 10.0
    assert watchdog_s(WATCHDOG_USEC="10000000", WATCHDOG_PID=str(os.getpid())) == 10.0
    assert watchdog_s(WATCHDOG_USEC="10000000", WATCHDOG_PID="1") is None


@pytest.mark.parametrize("said", ["0", "-5", "1e6", "ten", "9" * 30])
def test_watchdog_time_that_is_none_is_refused(said: str) -> None:
    with pytest.raises(DeviceError, match="WATCHDOG_USEC"):
        supervisor_from_environment({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": said})


@pytest.mark.parametrize("address", ["x", "@", "/", "vsock:2:1", "/a\0b"])
def test_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(DeviceError, match="NOTIFY_SOCKET"):
        supervisor_from_environment({"NOTIFY_SOCKET": address})
