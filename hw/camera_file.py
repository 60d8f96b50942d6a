"""A video file or a folder of pictures as a camera, at the speed at which it was taken.

For desks, benchmarks and evidence. It behaves as a live camera: frames come when their time has
come, and those that nobody fetched in time are dropped. It must never look at the real time: the
clock and the sleep are handed in. What changes with this file: `make run CAMERA=clip.mp4`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from hw.errors import CameraEnded, DeviceError
from hw.picture import DEFAULT_SIZE, check_frame, fill_from_bgr, overwrite
from hw.ports import Clock, FrameSize, Image

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm"})
"""What counts as a picture in a folder; other files there are passed over."""

PICTURE_SHOWN_S = 3.0
"""How long each picture of a folder stands before the camera: dwell and some frames fit in."""

PICTURE_RATE_HZ = 30.0

_DEFAULT_RATE_HZ = 30.0
_SLOWEST_HZ, _FASTEST_HZ = 1.0, 240.0

Sleep = Callable[[float], None]


class FileCamera:
    """A `Camera` over `path`: a video that OpenCV reads, or a folder of pictures by name.

    `is_looping` begins anew instead of ending. With `keeps_every_frame` no frame is dropped,
    however late the reader is: for evidence, not for timing.
    """

    def __init__(
        self,
        path: str | Path,
        size: FrameSize = DEFAULT_SIZE,
        clock: Clock = time.monotonic,
        *,
        sleep: Sleep = time.sleep,
        is_looping: bool = False,
        keeps_every_frame: bool = False,
    ) -> None:
        self._path = Path(path)
        self._size = size
        self._clock = clock
        self._sleep = sleep
        self._is_looping = is_looping
        self._keeps_every_frame = keeps_every_frame
        self._source: _Source | None = None
        self._begun_s = 0.0
        self._next = 0

    @property
    def size(self) -> FrameSize:
        """Size of the frames that `read` fills in."""
        return self._size

    def open(self) -> None:
        """Open the file and begin now; does nothing when it is open. Raises DeviceError."""
        if self._source is None:
            self._source = _open_source(self._path)
            self._begin()

    def read(self, into: Image) -> float:
        """As the port says; raises CameraEnded after the last frame, DeviceError when closed."""
        check_frame(into, self._size)
        if self._source is None:
            raise DeviceError(f"The camera {self._path} is not open; open it first.")
        while True:
            if self._show_next(self._source, into):
                return self._clock()
            if not self._is_looping or self._next == 0:
                raise CameraEnded(f"{self._path} has been shown to its end.")
            self._begin()

    def close(self) -> None:
        """Let the file go. May be called twice."""
        if self._source is not None:
            self._source.close()
            self._source = None

    def _begin(self) -> None:
        if self._source is not None:
            self._source.rewind()
        self._begun_s = self._clock()
        self._next = 0

    def _show_next(self, source: _Source, into: Image) -> bool:
        """Pass over what is late, wait for what is early; False at the end."""
        due = self._due(source)
        for _ in range(due - self._next):
            if not source.skip():
                return False
        if not source.read(into):
            return False
        self._next = due + 1
        wait_s = self._begun_s + due / source.rate_hz - self._clock()
        if wait_s > 0:
            self._sleep(wait_s)
        return True

    def _due(self, source: _Source) -> int:
        if self._keeps_every_frame:
            return self._next
        by_now = int((self._clock() - self._begun_s) * source.rate_hz + 1e-6)
        return max(self._next, by_now)


class _Source(Protocol):
    """Frames in order; what differs between a video and a folder."""

    @property
    def rate_hz(self) -> float: ...

    def rewind(self) -> None: ...

    def skip(self) -> bool: ...

    def read(self, into: Image) -> bool: ...

    def close(self) -> None: ...


class _Video:
    def __init__(self, path: Path) -> None:
        self._name = str(path.resolve())  # from the root on: nothing that looks like an address
        self._capture = cv2.VideoCapture(self._name)
        self._frame: Image = np.zeros((0, 0, 3), np.uint8)
        if not self._capture.isOpened() or not self._capture.grab():
            self._capture.release()
            raise DeviceError(f"{path} is no video that OpenCV can read; give another file.")

    @property
    def rate_hz(self) -> float:
        said_hz = float(self._capture.get(cv2.CAP_PROP_FPS))
        return said_hz if _SLOWEST_HZ <= said_hz <= _FASTEST_HZ else _DEFAULT_RATE_HZ

    def rewind(self) -> None:
        """Opened anew: seeking is not exact in every container."""
        self._capture.release()
        self._capture = cv2.VideoCapture(self._name)

    def skip(self) -> bool:
        return bool(self._capture.grab())

    def read(self, into: Image) -> bool:
        is_there, frame = self._capture.read()
        if not is_there:
            return False
        self._frame = np.asarray(frame, np.uint8)
        fill_from_bgr(into, self._frame)
        overwrite(self._frame)
        return True

    def close(self) -> None:
        overwrite(self._frame)
        self._capture.release()


class _Folder:
    def __init__(self, path: Path) -> None:
        self._paths = sorted(
            file
            for file in path.iterdir()
            if file.suffix.lower() in PICTURE_SUFFIXES and file.is_file()
        )
        if not self._paths:
            kinds = ", ".join(sorted(suffix.removeprefix(".") for suffix in PICTURE_SUFFIXES))
            raise DeviceError(f"The folder {path} holds no pictures; put {kinds} files there.")
        self._shown: Path | None = None
        self._picture: Image = np.zeros((0, 0, 3), np.uint8)
        self._frames = self._all_frames()

    @property
    def rate_hz(self) -> float:
        return PICTURE_RATE_HZ

    def rewind(self) -> None:
        self._frames = self._all_frames()

    def skip(self) -> bool:
        return next(self._frames, None) is not None

    def read(self, into: Image) -> bool:
        path = next(self._frames, None)
        if path is None:
            return False
        fill_from_bgr(into, self._load(path))
        return True

    def close(self) -> None:
        overwrite(self._picture)
        self._shown = None

    def _all_frames(self) -> Iterator[Path]:
        each = round(PICTURE_SHOWN_S * PICTURE_RATE_HZ)
        return (path for path in self._paths for _ in range(each))

    def _load(self, path: Path) -> Image:
        if path != self._shown:
            overwrite(self._picture)
            picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if picture is None:
                raise DeviceError(f"{path} is no picture that OpenCV can read; take it away.")
            self._picture = np.asarray(picture, np.uint8)
            self._shown = path
        return self._picture


def _open_source(path: Path) -> _Source:
    try:
        if path.is_dir():
            return _Folder(path)
        if not path.is_file():
            raise DeviceError(f"There is no video and no folder at {path}; check the path.")
        with path.open("rb"):  # OpenCV does not say why it can't
            pass
    except OSError as error:
        raise DeviceError(
            f"{path} can't be read ({error.strerror}); check its permissions."
        ) from error
    return _Video(path)
