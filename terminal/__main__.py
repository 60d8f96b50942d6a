"""`python -m terminal`: the processes of a device, and the demonstration that `make run` shows.

Each role loads only what it needs. `secure` is what systemd runs after the door process has died,
whatever it died of: it has to be quick, and to work with a broken configuration or a broken
installation of everything but the lines.

What changes with this file: systemd/, the Makefile.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from hw.errors import DeviceError
from hw.secure import secure_line
from hw.wiring import Wiring
from terminal.config import load_config
from terminal.config_sections import Config
from terminal.errors import DONE, FAILED, REFUSED, ConfigError

CONFIG = Path("/etc/terminal/terminal.toml")
RUN_FOLDER = Path("build/run")

log = logging.getLogger("terminal")

Role = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one role; the exit status."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    options = _parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def _door(config: Config) -> int:
    from terminal.app_door import run_door

    return run_door(config)


def _vision(config: Config) -> int:
    from terminal.app_vision import run_vision

    return run_vision(config)


def _qr(config: Config) -> int:
    from terminal.app_qr import run_qr

    return run_qr(config)


def _check(config: Config) -> int:
    print(f"The configuration is good: {config.site.name}.")
    return DONE


def _configured(role: Callable[[Config], int]) -> Role:
    def run(options: argparse.Namespace) -> int:
        try:
            return role(load_config(options.config))
        except ConfigError as error:
            log.critical("%s", error)
            return REFUSED

    return run


def _secure(options: argparse.Namespace) -> int:
    """Drive the strike's line to rest: as configured, or where that can't be read, as supplied."""
    try:
        config = load_config(options.config)
        wiring = config.wiring()
        factory = config.board.factory if config.board.kind == "gpio" else "mock"
    except ConfigError as error:
        log.error("%s The strike is secured on the pin of the wiring table.", error)
        wiring, factory = Wiring(), "lgpio"
    try:
        secure_line(wiring, factory)
    except DeviceError as error:
        log.critical("%s", error)
        return FAILED
    return DONE


def _demonstrate(options: argparse.Namespace) -> int:
    from terminal.demo import demonstrate

    return demonstrate(options.folder, options.camera, options.once)


ROLES: dict[str, tuple[Role, str]] = {
    "door": (_configured(_door), "decides, and moves the strike"),
    "vision": (_configured(_vision), "the camera and the face models"),
    "qr": (_configured(_qr), "reads QR codes from frames, and can do nothing else"),
    "check": (_configured(_check), "read the configuration, say whether it is good"),
    "secure": (_secure, "drive the strike to rest and end (ExecStopPost)"),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m terminal", description=__doc__)
    roles = parser.add_subparsers(metavar="ROLE", required=True)
    for name, (role, words) in ROLES.items():
        command = roles.add_parser(name, help=words)
        command.add_argument("--config", type=Path, default=CONFIG, metavar="FILE")
        command.set_defaults(run=role)
    run = roles.add_parser("run", help="show it on this machine, without hardware")
    run.add_argument("--camera", default="", help="/dev/video0, clip.mp4 or a folder of pictures")
    run.add_argument("--once", action="store_true", help="tell the story once and end")
    run.add_argument("--folder", type=Path, default=RUN_FOLDER, help="where it keeps its state")
    run.set_defaults(run=_demonstrate)
    return parser


if __name__ == "__main__":
    sys.exit(main())
