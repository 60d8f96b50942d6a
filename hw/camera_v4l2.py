"""Any webcam that Linux knows as /dev/videoN, through OpenCV.

It asks for MJPG, because raw video of 640x480 fills a USB 2 bus, and for one buffer, because an
old frame is worth nothing. The camera may refuse either, and the size as well; frames are then
fitted. It must never wait for a hung driver on the caller's thread: see `hw.camera_thread`. What
changes with this file: `make run CAMERA=/dev/video0`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from hw.camera_thread import STALLED_AFTER_S, NewestFrame
from hw.errors import CameraLost, DeviceError
from hw.picture import DEFAULT_SIZE, check_frame, fill_from_bgr, overwrite
from hw.ports import Clock, FrameSize, Image

_RATE_HZ = 30.0

_MJPG = int.from_bytes(b"MJPG", "little")
"""Motion JPEG's four-character code as V4L2 counts it (videodev2.h, v4l2_fourcc)."""


class Capture(Protocol):
    """What is needed of `cv2.VideoCapture`."""

    def read(self) -> tuple[bool, Any]:
        """Whether there is a frame, and the frame (BGR)."""
        ...

    def release(self) -> None:
        """Let the device go."""
        ...


class V4l2Camera:
    """A `Camera` on a device such as /dev/video0, /dev/v4l/by-id/... among them.

    `open_capture` and `stalled_after_s` are for tests; the port's two seconds are the default.
    """

    def __init__(
        self,
        path: str | Path,
        size: FrameSize = DEFAULT_SIZE,
        clock: Clock = time.monotonic,
        *,
        open_capture: Callable[[Path, FrameSize], Capture] | None = None,
        stalled_after_s: float = STALLED_AFTER_S,
    ) -> None:
        self._path = Path(path)
        self._open_capture = open_capture or _open_capture
        self._stalled_after_s = stalled_after_s
        self._size = size
        self._clock = clock
        self._newest: NewestFrame[Image] | None = None

    @property
    def size(self) -> FrameSize:
        """Size of the frames that `read` fills in, whatever size the camera gives."""
        return self._size

    def open(self) -> None:
        """Start the stream; does nothing when it is open. Raises DeviceError."""
        if self._newest is not None:
            return
        capture = self._open_capture(self._path, self._size)
        self._newest = NewestFrame(
            f"camera {self._path.name}",
            lambda: _fetch(capture, self._path),
            overwrite,
            capture.release,
            self._clock,
        )

    def read(self, into: Image) -> float:
        """As the port says; raises DeviceError when closed."""
        check_frame(into, self._size)
        if self._newest is None:
            raise DeviceError(f"The camera {self._path} is not open; open it first.")
        frame, came_s = self._newest.take(self._stalled_after_s)
        fill_from_bgr(into, frame)
        overwrite(frame)
        return came_s

    def close(self) -> None:
        """Stop the stream and overwrite the frame that is held. May be called twice."""
        newest, self._newest = self._newest, None
        if newest is not None:
            newest.stop(self._stalled_after_s)


def _open_capture(path: Path, size: FrameSize) -> cv2.VideoCapture:
    if not path.exists():
        raise DeviceError(f"There is no camera at {path}; plug it in (v4l2-ctl --list-devices).")
    if not os.access(path, os.R_OK | os.W_OK):
        raise DeviceError(f"This account may not use {path}; add it to the group video.")
    capture = cv2.VideoCapture(str(path), cv2.CAP_V4L2)
    if not capture.isOpened():
        raise DeviceError(f"{path} does not open as a camera; is another program using it?")
    _negotiate(capture, size)
    return capture


def _negotiate(capture: cv2.VideoCapture, size: FrameSize) -> None:
    """Wishes; what the camera makes of them shows in the frames. The format before the size."""
    capture.set(cv2.CAP_PROP_FOURCC, _MJPG)
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, size.width_px)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size.height_px)
    capture.set(cv2.CAP_PROP_FPS, _RATE_HZ)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)


def _fetch(capture: Capture, path: Path) -> Image:
    is_there, frame = capture.read()
    if not is_there:
        raise CameraLost(f"The camera at {path} gives no more frames; check its cable.")
    return np.asarray(frame, np.uint8)
