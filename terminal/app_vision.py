"""Makes the vision process out of its parts.

What changes with this file: `terminal.config`, `hw`, systemd/terminal-vision.service.
"""

from __future__ import annotations

import logging
import signal
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import cv2

from hw.camera import make_camera
from hw.ports import Camera, CameraEnded, FrameSize
from hw.supervisor import supervisor_from_environment
from models.faces import FacePipeline
from models.paths import BUILD_DIR, portrait_dir
from terminal.app import (
    BENCH_VISION_SOCKET,
    QR_ACCOUNT,
    QR_SOCKET,
    VISION_SOCKET,
    in_one_sentence,
)
from terminal.config_sections import Config
from terminal.confine import forbid_dumps
from terminal.errors import DONE, LinkBroken
from terminal.frame_post import FramePost
from terminal.link import Link
from terminal.sockets import accounts, connect, is_door, peer_uid
from terminal.vision import Vision, VisionSettings
from terminal.zone import ZoneSettings

log = logging.getLogger(__name__)

CONNECT_S = 10.0
"""Vision waits so long for the door to listen, then ends and is started anew."""


def run_vision(config: Config) -> int:
    """The vision process, until the camera has ended or the door is gone. The exit status."""
    with in_one_sentence(), ExitStack() as stack:
        forbid_dumps()
        cv2.setNumThreads(1)  # the models have the cores; for pictures this small threads cost more
        vision = _vision(config, stack)
        try:
            vision.run()
        except CameraEnded:
            log.info("The clip has been shown to its end.")
    return DONE


def _vision(config: Config, stack: ExitStack) -> Vision:
    signal.signal(signal.SIGTERM, _end)
    pipeline = FacePipeline.load()
    camera = _camera(config, stack)
    camera.open()
    vision = Vision(
        camera=camera,
        pipeline=pipeline,
        link=_connected(config.paths.run / VISION_SOCKET),
        codes=_frame_post(config.paths.qr / QR_SOCKET, camera.size),
        clock=time.monotonic,
        supervisor=supervisor_from_environment(),
        settings=VisionSettings(_zone(config, camera.size), config.face.frames),
    )
    stack.callback(vision.close)
    return vision


def _end(*_: object) -> None:
    raise SystemExit(DONE)


def _camera(config: Config, stack: ExitStack) -> Camera:
    size = FrameSize(config.camera.width_px, config.camera.height_px)
    if config.camera.source != "bench":
        return make_camera(config.camera.source, size, time.monotonic)
    from hw.bench_camera import BenchCamera  # no device loads its twins
    from hw.bench_remote import BenchServer

    camera = BenchCamera(size, portrait_dir(BUILD_DIR), time.monotonic, fps=config.camera.rate_hz)
    server = BenchServer(config.paths.run / BENCH_VISION_SOCKET, camera=camera)
    stack.callback(server.close)
    return camera


def _connected(path: Path) -> Link:
    """A link to the door, as soon as it listens.

    Raises LinkBroken when it does not in time, and when somebody else listens in its place.
    """
    deadline_s = time.monotonic() + CONNECT_S
    while True:
        try:
            return _link_to_door(path)
        except OSError as error:
            if time.monotonic() >= deadline_s:
                raise LinkBroken(f"The door does not listen at {path}: {error}.") from error
        time.sleep(0.1)


def _link_to_door(path: Path) -> Link:
    connected = connect(path, socket.SOCK_SEQPACKET)
    if is_door(connected):
        return Link(connected)
    connected.close()
    raise LinkBroken(f"Whoever listens at {path} is not the door; look who made that socket.")


def _frame_post(path: Path, size: FrameSize) -> FramePost:
    return FramePost(lambda: _code_reader(path), size.width_px, size.height_px, time.monotonic)


def _code_reader(path: Path) -> socket.socket:
    connected = connect(path, socket.SOCK_SEQPACKET, waits=False)
    if peer_uid(connected) in accounts(QR_ACCOUNT):
        return connected
    connected.close()
    raise LinkBroken(f"Whoever listens at {path} is not the code reader.")


def _zone(config: Config, size: FrameSize) -> ZoneSettings:
    return ZoneSettings(
        corners=config.face.zone,
        min_face_px=config.face.min_face_px,
        max_face_px=config.face.max_face_px,
        width_px=size.width_px,
        height_px=size.height_px,
    )
