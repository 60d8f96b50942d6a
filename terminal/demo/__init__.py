"""What `make run` shows: the real processes on bench twins, a story as it happens, and keys."""

from __future__ import annotations

import sys
from pathlib import Path

from hw.errors import DeviceError
from terminal.demo.folder import FolderRefused
from terminal.demo.keys import play_by_hand, watch
from terminal.demo.stage import Otherwise, Stage
from terminal.demo.story import tell
from terminal.errors import TerminalError

WATCH_S = 20.0
"""With a live camera, ONCE=1 and nobody at the keys, it is watched for so long."""


def demonstrate(folder: Path, camera: str, once: bool) -> int:
    """`make run`. 0 when everything went as it should, 1 when something did not."""
    by_hand = sys.stdin.isatty() and sys.stdout.isatty() and not once
    try:
        if camera:
            return _with_camera(folder, camera, by_hand)
        return _with_story(folder, by_hand)
    except FolderRefused as error:
        print(error, file=sys.stderr)
        return 1
    except (Otherwise, TerminalError, DeviceError) as error:
        print(f"It went otherwise: {str(error).rstrip('.')}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _with_story(folder: Path, by_hand: bool) -> int:
    with Stage(folder) as stage:
        as_told = tell(stage)
        if by_hand:
            play_by_hand(stage, scenes=True)
    return 0 if as_told else 1


def _with_camera(folder: Path, camera: str, by_hand: bool) -> int:
    with Stage(folder, camera) as stage:
        if by_hand:
            play_by_hand(stage, scenes=False)
        else:
            watch(stage, WATCH_S if camera.startswith("/dev/") else None)
        runs = stage.status["times"]["model_runs"]
        stage.teller.say("vision", ", ".join(f"{count} {name}" for name, count in runs.items()))
    return 0
