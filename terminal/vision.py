"""The vision process: from a frame to a probe, and no further than the lease says.

It asks for permission before every single model call (D10): no lease, no model. With DETECT it
runs the detector alone and tells the door what the zone looks like; landmarks and embeddings need
EMBED for the very track in view, or ENROL for the pose that is wanted. It holds a frame as long as
that frame takes, overwrites it, and overwrites every model's memory when a permission ends. Frames
go to the code reader whatever the lease says, and before a face is looked at closer the codes in
the same frame come first (D1): whoever holds one up has chosen another way in. It has no network,
no database, no keys and no lines; whom a probe belongs to, or what a code says, it never learns.

What changes with this file: `link` (what is told to the door), `zone`, `scan`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hw.ports import Camera, CameraEnded, DeviceError, Supervisor
from models.faces import FacePipeline
from models.landmarks import Landmarks
from models.pose import chip_quality, pose_deg
from terminal import link as messages
from terminal.core.values import Hint, Level, Pose, View
from terminal.frame_post import CodeReader
from terminal.link import Link
from terminal.presence import Presence
from terminal.scan import Gathered, hindrance
from terminal.zone import Sight, Told, Tracker, ZoneSettings, look

Vector = npt.NDArray[np.float32]

Grant = tuple[Level, int | None, Pose | None]
"""What a lease permits, whatever its end."""

ALIVE_S = 0.5
"""How often the door hears that vision runs."""

REST_S = 0.5
"""With nobody in view and nothing moving the detector looks only this often."""

FAR_S = 1.0
"""How often the full-range detector looks for faces that are too far for the short range."""

RETRY_S = 1.0
"""A reference that the door did not count is taken again after this time."""

NO_LEASE = messages.Lease(Level.NONE, None, None, 0.0)


@dataclass(frozen=True, slots=True)
class VisionSettings:
    """What vision needs of the configuration. `frames` good ones are fused into a probe."""

    zone: ZoneSettings
    frames: int


@dataclass(slots=True)
class Counters:
    """How often each model ran since the process began; the proof of what did not run."""

    frames: int = 0
    detections: int = 0
    landmarks: int = 0
    embeddings: int = 0


class Vision:
    """One camera, one pipeline, one link; `turn` is one frame, `run` goes on to the end."""

    def __init__(
        self,
        camera: Camera,
        pipeline: FacePipeline,
        link: Link,
        codes: CodeReader,
        clock: Callable[[], float],
        supervisor: Supervisor,
        settings: VisionSettings,
    ) -> None:
        self._camera, self._pipeline, self._link = camera, pipeline, link
        self._codes = codes
        self._clock, self._supervisor, self._settings = clock, supervisor, settings
        self._frame = np.zeros((camera.size.height_px, camera.size.width_px, 3), np.uint8)
        self._lease = NO_LEASE
        self._tracker, self._presence = Tracker(), Presence()
        self._gathered = Gathered(settings.frames, pipeline.embedder.width)
        self._done: messages.Lease | None = None
        self._done_s = 0.0
        self._told: Told | None = None
        self._told_hint: Hint | None = None
        self._looked_s, self._looked_far_s, self._alive_s = -REST_S, -FAR_S, -ALIVE_S
        self._dirty, self._is_open, self._is_over = False, True, True
        self.counters = Counters()

    def run(self) -> None:
        """Greet the door, then one frame after the other. Raises LinkBroken, CameraEnded."""
        self._link.send(self._hello())
        self._supervisor.ready()
        while True:
            self.turn()
            self._supervisor.ping()

    def turn(self) -> None:
        """One frame: read, look as far as is permitted, overwrite."""
        now_s = self._read()
        if now_s is None:
            return
        try:
            self._see(now_s)
        finally:
            self._frame.fill(0)

    def close(self) -> None:
        """Overwrite everything and let the camera and the link go."""
        self._wipe()
        self._presence.wipe()
        self._camera.close()
        self._codes.close()
        self._link.close()

    # Frames and the lease

    def _read(self) -> float | None:
        try:
            if not self._is_open:
                self._camera.open()
                self._is_open = True
            at_s = self._camera.read(self._frame)
            self._is_over = False
        except CameraEnded:
            raise
        except DeviceError:
            self._do_without()
            return None
        self.counters.frames += 1
        if self._clock() - self._alive_s >= ALIVE_S:
            self._tell_alive(camera_working=True)
        return at_s

    def _do_without(self) -> None:
        """No camera: say so, wait a while for leases, and let the next turn open it anew."""
        self._wipe()
        self._camera.close()
        self._is_open = False
        self._tell_alive(camera_working=False)
        self._hear(ALIVE_S)

    def _tell_alive(self, camera_working: bool) -> None:
        count = self.counters
        self._alive_s = self._clock()
        self._link.send(
            messages.Alive(
                frames=count.frames,
                detections=count.detections,
                landmarks=count.landmarks,
                embeddings=count.embeddings,
                camera_working=camera_working,
            )
        )

    def _hello(self) -> messages.Hello:
        embedder = self._pipeline.embedder
        return messages.Hello(embedder.model_sha256, embedder.width)

    def _hear(self, wait_s: float = 0.0) -> None:
        """Take every lease that has come, the first within `wait_s`; the newest counts."""
        while (heard := self._link.receive(wait_s)) is not None:
            message, wait_s = heard[0], 0.0
            if isinstance(message, messages.Lease):
                self._take_lease(message)

    def _take_lease(self, lease: messages.Lease) -> None:
        before, self._lease = self._lease, lease
        if _grant(before) != _grant(lease):
            self._begin_anew(less=lease.level.value < before.level.value)

    def _begin_anew(self, less: bool) -> None:
        """Another permission: nothing gathered under the last one is carried into it."""
        self._gathered.wipe()
        self._done, self._told_hint = None, None
        if less:
            self._wipe()
            self._told = None
        if self._lease.level is Level.NONE:
            self._tracker.forget()

    def may(self, level: Level) -> bool:
        """Whether a model of this level may run now; asked before every call (D10).

        A frame that was overwritten because a permission ended is over, whatever came after it.
        """
        self._hear()
        if self._clock() >= self._lease.until_mono_s:
            self._take_lease(NO_LEASE)
        return self._lease.level.value >= level.value and not self._is_over

    def _may_still(self, grant: Grant) -> bool:
        """Whether this very permission holds: a frame begun under one is not used under another."""
        return self.may(Level.EMBED) and _grant(self._lease) == grant

    # One frame

    def _see(self, now_s: float) -> None:
        if self._presence.look(self._frame, now_s):
            self._link.send(messages.Present(self._presence.is_present))
        self._codes.offer(self._frame, now_s, often=self._is_lively())
        if self._may_rest(now_s) or not self.may(Level.DETECT):
            return
        sight = self._detect(now_s)
        told = self._tracker.follow(sight, now_s)
        self._tell_zone(told)
        if self._tracker.ready is not None and self._is_permitted(self._tracker.ready):
            grant = _grant(self._lease)
            if self._holds_no_code(grant, now_s) and self._may_still(grant):
                self._look_closer(sight, now_s)

    def _is_lively(self) -> bool:
        """Whether something moves or somebody is in view: then codes are looked for more often."""
        told = self._told
        return self._presence.is_present or (told is not None and told.view is not View.EMPTY)

    def _holds_no_code(self, grant: Grant, now_s: float) -> bool:
        """Codes first: whether none is held up, neither in this frame nor a moment ago."""
        if not self._codes.holds_code:
            self._codes.look_first(self._frame, now_s, lambda: self._may_still(grant), self._link)
        if self._codes.holds_code:
            self._gathered.wipe()
            return False
        return True

    def _may_rest(self, now_s: float) -> bool:
        """While nobody is in view and nothing moves, most frames need no model."""
        empty = self._told is not None and self._told.view is View.EMPTY
        still = empty and not self._presence.is_present
        return still and now_s - self._looked_s < REST_S

    def _detect(self, now_s: float) -> Sight:
        far = now_s - self._looked_far_s >= FAR_S
        self._looked_s, self._dirty = now_s, True
        self.counters.detections += 1
        found = self._pipeline.detect(self._frame, far=far)
        if far:
            self._looked_far_s = now_s
        any_pose = self._lease.level is Level.ENROL
        return look(found, self._settings.zone, any_pose=any_pose)

    def _tell_zone(self, told: Told) -> None:
        if told != self._told:
            self._told = told
            self._link.send(messages.Zone(told.view, told.track, told.hint))

    def _is_permitted(self, track: int) -> bool:
        """Whether this track may be embedded now, and has not been already."""
        if not self.may(Level.EMBED):
            return False
        if self._lease.level is Level.EMBED and self._lease.track != track:
            return False
        retries = self._lease.level is Level.ENROL and self._clock() - self._done_s >= RETRY_S
        return retries or self._done is None

    def _look_closer(self, sight: Sight, now_s: float) -> None:
        grant = _grant(self._lease)
        self.counters.landmarks += 1
        landmarks = self._pipeline.locate(self._frame, sight.face)  # type: ignore[arg-type]
        if landmarks is None:
            return
        try:
            if self._may_still(grant):
                self._use(landmarks, grant, now_s)
        finally:
            landmarks.wipe()

    def _use(self, landmarks: Landmarks, grant: Grant, now_s: float) -> None:
        chip = self._pipeline.chip(self._frame, landmarks.points)
        quality = chip_quality(chip)
        chip.fill(0)
        hint = hindrance(pose_deg(landmarks.points), quality, self._lease.pose)
        if hint is not None:
            self._tell_hint(hint)
        elif self._may_still(grant):
            self._embed(landmarks, grant, now_s)

    def _tell_hint(self, hint: Hint) -> None:
        if hint is not self._told_hint:
            self._told_hint = hint
            self._link.send(messages.Hindered(hint))

    # Probes and references

    def _embed(self, landmarks: Landmarks, grant: Grant, now_s: float) -> None:
        self.counters.embeddings += 1
        embedding = self._pipeline.embed(self._frame, landmarks.points)
        try:
            if self._may_still(grant):
                self._send_or_gather(embedding, now_s)
        finally:
            embedding.fill(0)

    def _send_or_gather(self, embedding: Vector, now_s: float) -> None:
        if self._lease.level is Level.ENROL and self._lease.pose is not None:
            self._link.send(messages.Reference(self._lease.pose), embedding)
            self._finish()
        elif self._gathered.add(embedding, now_s):
            self._send_probe()

    def _send_probe(self) -> None:
        gathered, track = self._gathered, self._lease.track
        if track is not None:
            probe = messages.Probe(track, gathered.taken, gathered.first_s)
            self._link.send(probe, gathered.fused())
        self._finish()

    def _finish(self) -> None:
        """What was wanted is sent: nothing more under this permission, nothing left of it."""
        self._done, self._done_s = self._lease, self._clock()
        self._gathered.wipe()

    def _wipe(self) -> None:
        """Overwrite all that a model may still hold of a frame, once after it was used."""
        self._gathered.wipe()
        self._frame.fill(0)
        self._is_over = True
        if self._dirty:
            self._pipeline.wipe()
            self._dirty = False


def _grant(lease: messages.Lease) -> Grant:
    return lease.level, lease.track, lease.pose
