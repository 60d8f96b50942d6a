"""The newest thing that a device gave, fetched by a thread that may hang.

A camera's driver can stop giving frames without an error, and the call that waits for one then
never comes back. So a thread makes the call, keeps only the newest frame, and the reader waits for
two seconds at most. It must never keep more than one frame, and never leave one behind: what is
displaced or left at the end is given to `drop`. What changes with this file: the live cameras.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from hw.errors import CameraLost, DeviceError
from hw.ports import Clock

STALLED_AFTER_S = 2.0
"""Without a frame for so long a camera counts as lost (the port's promise)."""

Frame = TypeVar("Frame")


class NewestFrame(Generic[Frame]):
    """Runs `fetch` again and again on a daemon thread and keeps its newest answer.

    `fetch()` blocks for the next frame and raises DeviceError when there will be none. `drop`
    lets a frame go (and overwrites it where it is memory of ours). `end` is called on the thread
    after the last fetch, so that a device is never closed while a call into it is running.
    """

    def __init__(
        self,
        name: str,
        fetch: Callable[[], Frame],
        drop: Callable[[Frame], None],
        end: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._fetch = fetch
        self._drop = drop
        self._end = end
        self._clock = clock
        self._changed = threading.Condition()
        self._newest: tuple[Frame, float] | None = None
        self._failure: DeviceError | None = None
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def take(self, timeout_s: float = STALLED_AFTER_S) -> tuple[Frame, float]:
        """The newest frame that nobody took yet and when it came (mono s); it is the caller's now.

        Raises CameraLost when none comes in time or the device has failed.
        """
        with self._changed:
            self._changed.wait_for(self._has_something, timeout_s)
            if self._newest is not None:
                frame, self._newest = self._newest, None
                return frame
            if self._failure is not None:
                raise CameraLost(str(self._failure)) from self._failure
        raise CameraLost(f"The camera has given no frame for {timeout_s:g} s; check its cable.")

    def stop(self, timeout_s: float = STALLED_AFTER_S) -> None:
        """Fetch no more, drop what is held, and wait a while for the device to be closed."""
        with self._changed:
            self._is_stopping = True
            self._drop_newest()
        self._thread.join(timeout_s)

    def _has_something(self) -> bool:
        return self._newest is not None or self._failure is not None

    def _run(self) -> None:
        try:
            while not self._is_stopping:
                self._keep(self._fetch())
        except DeviceError as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()
        finally:
            self._end()

    def _keep(self, frame: Frame) -> None:
        with self._changed:
            self._drop_newest()
            if self._is_stopping:
                self._drop(frame)
            else:
                self._newest = frame, self._clock()
                self._changed.notify_all()

    def _drop_newest(self) -> None:
        if self._newest is not None:
            self._drop(self._newest[0])
            self._newest = None
