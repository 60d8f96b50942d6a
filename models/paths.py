"""Where model files, manifest and build artefacts lie in a checkout; the one place that says so.

Everything that opens a file takes its folder as an argument; these are the defaults that the
commands hand in. Nothing here touches the file system.
"""

from pathlib import Path
from typing import Final

MODEL_DIR: Final = Path(__file__).resolve().parent
"""The built `.tflite` files lie beside the code that reads them"""

MANIFEST_FILE: Final = MODEL_DIR / "manifest.toml"

BUILD_DIR: Final = MODEL_DIR.parent / "build"
"""What is made on this machine and never committed"""

PACKAGE_CACHE_VARIABLE: Final = "TERMINAL_PACKAGE_CACHE"
"""An environment variable may name another folder for downloaded packages"""


def package_cache(build_dir: Path) -> Path:
    """Downloaded packages, kept so that a second build needs no network."""
    return build_dir / "packages"


def portrait_dir(build_dir: Path) -> Path:
    """Portraits unpacked for tests and the bench camera."""
    return build_dir / "portraits"
