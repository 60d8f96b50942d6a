"""What rendering an empty lobby costs, alone: `python -m tests.bench.empty_room SECONDS`.

On a desk the bench camera draws its frames within the vision process; a real camera does not. A
process that does nothing but fetch those frames, at their pace, shows what is to be taken off.
Prints the share of one core (0..1) in each window, as a JSON list.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from hw.bench_camera import BenchCamera

WINDOW_S = 2.0


def main() -> int:
    """Fetch frames for so many seconds."""
    camera = BenchCamera()
    frame = np.zeros((camera.size.height_px, camera.size.width_px, 3), np.uint8)
    camera.open()
    _window(camera, frame)  # the first frames make what later ones only copy
    windows = max(1, round(float(sys.argv[1]) / WINDOW_S))
    print(json.dumps([_window(camera, frame) for _ in range(windows)]))
    return 0


def _window(
    camera: BenchCamera, frame: np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]
) -> float:
    began_s, used_s = time.monotonic(), time.process_time()
    while time.monotonic() - began_s < WINDOW_S:
        camera.read(frame)
    return (time.process_time() - used_s) / (time.monotonic() - began_s)


if __name__ == "__main__":
    sys.exit(main())
