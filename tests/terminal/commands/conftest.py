"""A door that agrees to everything, for the tests of the commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.commands.given import answer
from tests.terminal.commands.twin import Twin


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Twin]:
    made = Twin(tmp_path, answer)
    yield made
    made.close()
