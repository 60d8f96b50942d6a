"""The Raspberry Pi's own camera, through Picamera2.

This module alone imports picamera2. Its format named "RGB888" lies in memory as blue, green, red
(Picamera2 manual, section "Image formats"), so the colours are turned here, straight from the
camera's buffer into the caller's frame, and the buffer goes back to the camera at once. On a
machine without Picamera2 importing this module is fine and opening a camera says what to install.
It must never hold more than one of the camera's buffers. What changes with this file: nothing but
what Picamera2 changes under it.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from hw.camera_thread import NewestFrame
from hw.errors import CameraLost, DeviceError
from hw.picture import DEFAULT_SIZE, check_frame, fill_from_bgr
from hw.ports import Clock, FrameSize, Image

try:
    import picamera2
except ImportError:
    picamera2 = None

_RATE_HZ = 30.0

_BUFFERS = 4
"""One being shown, one held as the newest, and two for the camera to fill."""

_FORMAT = "RGB888"
"""In memory: B, G, R."""


class Picamera2Camera:
    """A `Camera` on the CSI connector; `number` counts the cameras that libcamera lists.

    `library` stands in for the picamera2 module in tests.
    """

    def __init__(
        self,
        size: FrameSize = DEFAULT_SIZE,
        clock: Clock = time.monotonic,
        number: int = 0,
        library: Any = picamera2,
    ) -> None:
        self._size = size
        self._clock = clock
        self._number = number
        self._library = library
        self._newest: NewestFrame[Any] | None = None

    @property
    def size(self) -> FrameSize:
        """Size of the frames that `read` fills in."""
        return self._size

    def open(self) -> None:
        """Start the stream; does nothing when it is open. Raises DeviceError."""
        if self._newest is not None:
            return
        device = self._start()
        self._newest = NewestFrame(
            "camera picamera2",
            lambda: _fetch(device),
            lambda request: request.release(),
            lambda: _end(device),
            self._clock,
        )

    def read(self, into: Image) -> float:
        """As the port says; raises DeviceError when closed."""
        check_frame(into, self._size)
        if self._newest is None:
            raise DeviceError("The Pi's camera is not open; open it first.")
        request, came_s = self._newest.take()
        try:
            with self._library.MappedArray(request, "main", write=False) as mapped:
                fill_from_bgr(into, np.asarray(mapped.array, np.uint8))
        finally:
            request.release()
        return came_s

    def close(self) -> None:
        """Stop the stream; the camera's buffers are unmapped with it. May be called twice."""
        newest, self._newest = self._newest, None
        if newest is not None:
            newest.stop()

    def _start(self) -> Any:
        if self._library is None:
            raise DeviceError(
                "Picamera2 is missing; install the Debian package python3-picamera2 "
                "and make the environment with --system-site-packages."
            )
        try:
            device = self._library.Picamera2(self._number)
            device.configure(self._configuration(device))
            device.start()
        except (IndexError, RuntimeError, OSError) as error:
            raise DeviceError(
                f"The Pi's camera {self._number} does not start ({error}); check its ribbon cable "
                "and that no other program uses it (rpicam-hello --list-cameras)."
            ) from error
        return device

    def _configuration(self, device: Any) -> Any:
        return device.create_video_configuration(
            main={"size": (self._size.width_px, self._size.height_px), "format": _FORMAT},
            controls={"FrameRate": _RATE_HZ},
            buffer_count=_BUFFERS,
            queue=False,
        )


def _fetch(device: Any) -> Any:
    """The next completed request; its buffer is the camera's until it is released."""
    try:
        return device.capture_request()
    except (RuntimeError, OSError) as error:
        raise CameraLost(f"The Pi's camera gives no more frames ({error}); check it.") from error


def _end(device: Any) -> None:
    device.stop()
    device.close()
