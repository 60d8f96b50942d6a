"""`python -m terminal`: the processes of a device, and the demonstration that `make run` shows.

What changes with this file: systemd/, the Makefile.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from terminal import app
from terminal.config import Config, load_config
from terminal.errors import TerminalError

CONFIG = Path("/etc/terminal/terminal.toml")
RUN_FOLDER = Path("build/run")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one role; the exit status."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    options = _parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def _role(role: Callable[[Config], int]) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        try:
            config = load_config(options.config)
        except TerminalError as error:
            print(error, file=sys.stderr)
            return app.REFUSED
        return role(config)

    return run


def _demonstrate(options: argparse.Namespace) -> int:
    from terminal.demo import demonstrate  # the bench is not loaded on a device

    return demonstrate(options.folder, options.camera, options.once)


def _check(config: Config) -> int:
    print(f"The configuration is good: {config.site.name}.")
    return 0


ROLES: dict[str, tuple[Callable[[Config], int], str]] = {
    "door": (app.run_door, "decides, and moves the strike"),
    "vision": (app.run_vision, "the camera and the face models"),
    "secure": (app.secure, "drive the strike to rest and end (ExecStopPost)"),
    "check": (_check, "read the configuration, say whether it is good"),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m terminal", description=__doc__)
    roles = parser.add_subparsers(metavar="ROLE", required=True)
    for name, (role, words) in ROLES.items():
        command = roles.add_parser(name, help=words)
        command.add_argument("--config", type=Path, default=CONFIG, metavar="FILE")
        command.set_defaults(run=_role(role))
    run = roles.add_parser("run", help="show it on this machine, without hardware")
    run.add_argument("--camera", default="", help="/dev/video0, clip.mp4 or a folder of pictures")
    run.add_argument("--once", action="store_true", help="tell the story once and end")
    run.add_argument("--folder", type=Path, default=RUN_FOLDER, help="where it keeps its state")
    run.set_defaults(run=_demonstrate)
    return parser


if __name__ == "__main__":
    sys.exit(main())
