"""The twin of a camera: what it sees are rendered walk-ups, the same at every run.

`make run`, tests and benchmarks look through it. `play` names a scene and puts it before the lens
at once, from any thread; without one the lobby is empty. Frames keep the pace of a real camera by
the clock that is handed in, and what nobody fetched in time is dropped; unpaced, a frame comes at
every call. It must never be mistaken for evidence: rendered walk-ups prove the program, not the
accuracy. After `close` it holds no pixel of a face.

As a program it draws contact sheets and clips for developers (`python -m hw.bench_camera`).

What changes with this file: the story of `make run`, `make bench`, every test with a walk-up.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from hw.errors import CameraLost, DeviceError
from hw.picture import DEFAULT_SIZE, check_frame
from hw.ports import Clock, FrameSize, Image
from hw.render import Renderer
from hw.scenes import Scene, Visible, load_scene, scene_names

PORTRAITS_DIR = Path(__file__).resolve().parent.parent / "build" / "portraits"
"""Where `make models` leaves the portraits."""

NOBODY = "empty"
"""The scene before and after all others."""

MAX_SPEED = 100.0

Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class _Showing:
    """A scene, and since when (mono s) it goes on at which speed."""

    scene: Scene
    since_s: float
    speed: float

    def elapsed_s(self, mono_s: float) -> float:
        return max(0.0, mono_s - self.since_s) * self.speed


class BenchCamera:
    """A `Camera` before which scenes are played. Thread-safe.

    Args:
        size: of its frames.
        portraits_dir: where the portraits lie; read when a scene first needs one.
        clock: monotonic (s).
        fps: frames per second when paced.
        pace: whether frames come at that rate; otherwise `read` never waits.
        sleep: how to wait (s).
    """

    def __init__(
        self,
        size: FrameSize = DEFAULT_SIZE,
        portraits_dir: Path = PORTRAITS_DIR,
        clock: Clock = time.monotonic,
        fps: float = 30.0,
        pace: bool = True,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._renderer = Renderer(size, portraits_dir)
        self._clock = clock
        self._period_s = 1.0 / fps
        self._pace = pace
        self._sleep = sleep
        self._drawing = threading.Lock()
        self._loading = threading.Lock()
        self._empty = load_scene(NOBODY)
        self._showing = _Showing(self._empty, clock(), 1.0)
        self._last = (self._empty, 0.0)
        self._opened_s: float | None = None
        self._frame_number = 0
        self._is_lost = False
        self._is_frozen = False

    @property
    def size(self) -> FrameSize:
        """Size of the frames that `read` fills in."""
        return self._renderer.size

    def open(self) -> None:
        """Start the stream. Raises DeviceError after `fail`; does nothing when it is open."""
        if self._is_lost:
            raise DeviceError("The bench camera is unplugged; mend it first.")
        if self._opened_s is None:
            self._opened_s, self._frame_number = self._clock(), 0

    def read(self, into: Image) -> float:
        """As the port says; the picture is of the capture time, whenever it is fetched.

        Raises DeviceError when the camera isn't open, CameraLost after `fail`.
        """
        check_frame(into, self.size)
        capture_s = self._wait_for_frame()
        with self._drawing:
            if self._is_lost:
                raise CameraLost("The bench camera is unplugged.")
            if not self._is_frozen:
                showing = self._showing
                self._last = (showing.scene, showing.elapsed_s(capture_s))
            self._renderer.draw(*self._last, into)
        return capture_s

    def close(self) -> None:
        """Stop the stream and overwrite every portrait; the lobby is empty again."""
        with self._loading, self._drawing:
            self._opened_s = None
            self._showing = _Showing(self._empty, self._clock(), 1.0)
            self._last = (self._empty, 0.0)
            self._renderer.close()

    # --- the world's side -----------------------------------------------------------------------

    def play(
        self,
        scene: str | Scene,
        seed: int | None = None,
        speed: float = 1.0,
        text: str | None = None,
        medium: str | None = None,
    ) -> Scene:
        """Begin a scene now, from its start; returns it.

        Portraits that are not loaded yet take up to a second each, before the scene begins.

        Args:
            scene: a scene, or the name of one of those that come with the terminal.
            seed: another one than the scene's own: other noise, sway and blinks.
            speed: scene seconds per second, above 0 and up to 100.
            text: what the scene's one code says instead of its own text.
            medium: what it is shown on, `paper` or `phone`.

        Raises:
            SceneError: there is no such scene, or no one code in it.
            DeviceError: a portrait is missing.
            ValueError: a seed or a speed that is none.
        """
        chosen = load_scene(scene) if isinstance(scene, str) else scene
        if not 0 < speed <= MAX_SPEED:
            raise ValueError(f"the speed must be above 0 and up to {MAX_SPEED:g}, not {speed}")
        if seed is not None:
            chosen = chosen.with_seed(seed)
        if text is not None or medium is not None:
            chosen = chosen.with_code(text, medium)
        with self._loading:
            self._renderer.prepare(chosen)
            with self._drawing:
                self._showing = _Showing(chosen, self._clock(), speed)
        return chosen

    def stop(self) -> None:
        """End the scene; nobody stands there."""
        self.play(self._empty)

    def fail(self) -> None:
        """Unplug it: `read` raises CameraLost and `open` DeviceError until `mend`."""
        with self._drawing:
            self._is_lost = True

    def freeze(self) -> None:
        """Give the last picture again and again, as a stuck sensor does, until `mend`."""
        with self._drawing:
            self._is_frozen = True

    def mend(self) -> None:
        """Undo `fail` and `freeze`. A camera that was lost must be closed and opened again."""
        with self._drawing:
            self._is_lost = self._is_frozen = False

    @property
    def is_over(self) -> bool:
        """Whether the scene that is played has come to its end; one that loops never does."""
        showing = self._showing
        return showing.scene.is_over(showing.elapsed_s(self._clock()))

    @property
    def visible(self) -> tuple[Visible, ...]:
        """Who was in the last picture that `read` gave, the farthest first."""
        scene, elapsed_s = self._last
        return scene.visible_at(elapsed_s, self.size.width_px / self.size.height_px)

    def _wait_for_frame(self) -> float:
        """Wait for the next frame that nobody has had; returns its capture time (mono s)."""
        opened_s, now_s = self._opened_s, self._clock()
        if opened_s is None:
            raise DeviceError("The bench camera is not open; open it first.")
        if not self._pace:
            return now_s
        newest = int((now_s - opened_s) / self._period_s + 1e-6)
        self._frame_number = max(self._frame_number + 1, newest)
        capture_s = opened_s + self._frame_number * self._period_s
        if capture_s > now_s:
            self._sleep(capture_s - now_s)
        return capture_s


# --- for developers -----------------------------------------------------------------------------


def write_clip(
    scene: Scene,
    path: Path,
    portraits_dir: Path = PORTRAITS_DIR,
    size: FrameSize = DEFAULT_SIZE,
    fps: float = 30.0,
) -> int:
    """Render a whole scene into an MP4 file; returns the number of frames.

    Raises DeviceError when a portrait is missing or the file can't be written.
    """
    renderer = Renderer(size, portraits_dir)
    renderer.prepare(scene)
    code = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), code, fps, (size.width_px, size.height_px))
    try:
        if not writer.isOpened():
            raise DeviceError(
                f"The clip {path} can't be written; its folder must exist and its name end in .mp4."
            )
        count = round(scene.duration_s * fps)
        _write_frames(writer, renderer, scene, [number / fps for number in range(count)])
        return count
    finally:
        writer.release()
        renderer.close()


def _write_frames(
    writer: cv2.VideoWriter, renderer: Renderer, scene: Scene, times: Sequence[float]
) -> None:
    frame = np.zeros((renderer.size.height_px, renderer.size.width_px, 3), np.uint8)
    for elapsed_s in times:
        renderer.draw(scene, elapsed_s, frame)
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))


SHEET_COLUMNS = 7
SHEET_SIZE = FrameSize(320, 240)


def contact_sheet(scenes: Sequence[Scene], portraits_dir: Path = PORTRAITS_DIR) -> Image:
    """A row of small labelled pictures for each scene: RGB uint8. Raises DeviceError."""
    renderer = Renderer(SHEET_SIZE, portraits_dir)
    try:
        return np.vstack([_sheet_row(renderer, scene) for scene in scenes])
    finally:
        renderer.close()


def _sheet_row(renderer: Renderer, scene: Scene) -> Image:
    """Pictures at even times of one scene, side by side."""
    renderer.prepare(scene)
    pictures = []
    for column in range(SHEET_COLUMNS):
        picture = np.zeros((SHEET_SIZE.height_px, SHEET_SIZE.width_px, 3), np.uint8)
        elapsed_s = scene.duration_s * (column + 0.5) / SHEET_COLUMNS
        renderer.draw(scene, elapsed_s, picture)
        label = f"{scene.name} {elapsed_s:.1f} s"
        cv2.putText(picture, label, (6, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 0), 1)
        pictures.append(picture)
    return np.hstack(pictures)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hw.bench_camera", description="Draw scenes of the bench camera into files."
    )
    parser.add_argument("--portraits", type=Path, default=PORTRAITS_DIR, metavar="FOLDER")
    verbs = parser.add_subparsers(dest="verb", required=True)
    sheet = verbs.add_parser("contact-sheet", help="small pictures of scenes in one image")
    sheet.add_argument("out", type=Path, metavar="OUT.png")
    sheet.add_argument("scenes", nargs="*", metavar="SCENE", help="default: all")
    clip = verbs.add_parser("clip", help="one whole scene as a film")
    clip.add_argument("scene", metavar="SCENE")
    clip.add_argument("out", type=Path, metavar="OUT.mp4")
    return parser


def _write_sheet(names: Sequence[str], out: Path, portraits_dir: Path) -> str:
    scenes = [load_scene(name) for name in names or scene_names()]
    picture = cv2.cvtColor(contact_sheet(scenes, portraits_dir), cv2.COLOR_RGB2BGR)
    try:
        is_written = cv2.imwrite(str(out), picture)
    except cv2.error as error:
        raise DeviceError(f"{out} is no name of a picture; let it end in .png.") from error
    if not is_written:
        raise DeviceError(
            f"The contact sheet {out} can't be written; look whether its folder exists."
        )
    return f"{out}: {len(scenes)} scenes"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program; returns 0, or 1 with one sentence on stderr."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.verb == "contact-sheet":
            done = _write_sheet(chosen.scenes, chosen.out, chosen.portraits)
        else:
            count = write_clip(load_scene(chosen.scene), chosen.out, chosen.portraits)
            done = f"{chosen.out}: {count} frames"
    except DeviceError as error:
        print(error, file=sys.stderr)
        return 1
    print(done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
