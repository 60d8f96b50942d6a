"""What can go wrong here, each with one sentence for a person.

The text of every error below is written to be shown as it is: what is wrong, where, what to do.
Nothing here may carry pixels, landmarks, embeddings or a person's name.
"""


class ModelsError(Exception):
    """Anything this island refuses or fails to do; `str(error)` is one sentence for a person."""


class ManifestError(ModelsError):
    """The manifest itself cannot be used: not TOML, a key missing, or a value of the wrong kind."""


class BuildFailed(ModelsError):  # noqa: N818  # reads as what happened
    """A model file could not be made: no network, a wrong hash, a full disk, a missing tool."""


class ModelRefused(ModelsError):  # noqa: N818  # reads as what happened
    """A model file is missing, or its bytes are not those of the manifest (R35, A30, T45)."""


class CalibrationFailed(ModelsError):  # noqa: N818  # reads as what happened
    """The faces given for a calibration cannot support one."""
