"""What dlib and MediaPipe themselves say of the portraits and of generated chips.

Written by `python -m tests.parity.compare --golden tests/models/golden.json` in the parity
environment. No embedding of a face is in it.
"""

import json
from pathlib import Path
from typing import Any, Final

GOLDEN: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("golden.json").read_text())
PORTRAITS: Final[list[str]] = sorted(GOLDEN["faces"])
