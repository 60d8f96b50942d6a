"""The errors of devices, apart from the ports so that they cost nothing to import.

`hw.secure` runs after a death, when every tenth of a second counts: it can't wait for NumPy, which
the ports need for their pictures. Nothing else may come into this file. What changes with it: the
ports, which hand these names on, and every driver.
"""

from __future__ import annotations


class DeviceError(Exception):
    """A device can't be used; the text is one sentence for a person: what, where, what to do."""


class CameraLost(DeviceError):  # noqa: N818 - says what has happened
    """The camera gives no more frames: unplugged, stalled, or the clip has ended."""


class CameraEnded(CameraLost):
    """A clip or image folder has been shown to its end; a live camera never says this."""
