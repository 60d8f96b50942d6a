"""What holds for every test: the rows a test cites exist, and real hardware is asked for.

`@pytest.mark.requirement("R35", "A30")` names rows of docs/requirements.md; a row that is not there
stops the collection, since a misspelt number would look like evidence. Tests marked `device` run
with --device alone. Hypothesis measures no time: a busy machine must not make a property fail.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from tests.tools import requirements_table

# At a desk every run looks elsewhere; a gate gives the same answer to the same change.
settings.register_profile("terminal", deadline=None, print_blob=True)
settings.register_profile("gate", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("gate" if os.environ.get("CI") else "terminal")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--device", action="store_true", help="run the tests that need the board's own hardware"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    known = frozenset(row.number for row in requirements_table.read_rows())
    for item in items:
        _refuse_unknown_rows(item, known)
    if not config.getoption("--device"):
        _leave_out(config, items, [item for item in items if item.get_closest_marker("device")])


def _leave_out(
    config: pytest.Config, items: list[pytest.Item], unwanted: list[pytest.Item]
) -> None:
    """They are counted as deselected in the closing line."""
    items[:] = [item for item in items if item not in unwanted]
    if unwanted:
        config.hook.pytest_deselected(items=unwanted)


def _refuse_unknown_rows(item: pytest.Item, known: frozenset[str]) -> None:
    cited = {str(row) for marker in item.iter_markers("requirement") for row in marker.args}
    if unknown := sorted(cited - known):
        raise pytest.UsageError(
            f"{item.nodeid} cites {', '.join(unknown)}, which docs/requirements.md does not have."
        )
