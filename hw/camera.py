"""Which camera a word means: `picamera2`, `/dev/video0`, `clip.mp4` or `folder/`.

The bench's camera has no word here; the composition root makes it. This file must never guess: a
word that fits nothing is refused with the words that would. What changes with it: the
configuration's `camera` and the command line's CAMERA.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from hw.camera_file import FileCamera
from hw.camera_picamera2 import Picamera2Camera
from hw.camera_v4l2 import V4l2Camera
from hw.errors import DeviceError
from hw.picture import DEFAULT_SIZE
from hw.ports import Camera, Clock, FrameSize

_SMALLEST_PX, _LARGEST_PX = 64, 4096


def make_camera(spec: str, size: FrameSize = DEFAULT_SIZE, clock: Clock = time.monotonic) -> Camera:
    """The camera that `spec` means, not yet open. Raises DeviceError for nonsense.

    `spec`: `picamera2` (or `picamera2:1` for the second), a path below /dev, or the path of a
    video file or of a folder of pictures that is there.
    """
    _check_size(size)
    if numbered := re.fullmatch(r"picamera2(?::([0-9]))?", spec):
        return Picamera2Camera(size, clock, int(numbered[1] or 0))
    if spec.startswith("/dev/"):
        return V4l2Camera(spec, size, clock)
    if spec and "\0" not in spec and Path(spec).exists():
        return FileCamera(spec, size, clock)
    raise DeviceError(
        f"{spec!r} is no camera; write picamera2, /dev/videoN, or the path of a video file or of a "
        "folder of pictures that is there."
    )


def _check_size(size: FrameSize) -> None:
    for side_px in (size.width_px, size.height_px):
        if not _SMALLEST_PX <= side_px <= _LARGEST_PX:
            raise DeviceError(
                f"A frame of {size.width_px}x{size.height_px} px can't be; "
                f"each side is {_SMALLEST_PX} to {_LARGEST_PX} px."
            )
