"""Several rows of an import as one transaction: one sync of the disk, and no row half written.

Each row stands for itself: what is wrong with one takes that one back alone. All that was good is
durable when the block has ended, or none of it: then StoreFailed says so, also to a caller who
went on after the disk was full.

What changes with this file: import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from terminal.errors import StoreFailed
from terminal.schema import Database

MOST_ROWS = 50
"""So many rows are one batch: the loop that decides waits for no more."""


class Batch:
    """The rows of one open transaction. Made by `Store.batch`."""

    def __init__(self, database: Database, taken_back: Callable[[], None]) -> None:
        self._database = database
        self._taken_back = taken_back
        self.rows = 0
        """How many rows were begun."""

    @contextmanager
    def row(self) -> Iterator[None]:
        """What is written in the block is written whole or not at all.

        Raises what the block raises, with nothing of it written; StoreFailed when the batch is
        over already; ValueError past MOST_ROWS.
        """
        if not self._database.in_transaction():
            raise StoreFailed("The disk has ended this batch; nothing of it was written.")
        if self.rows >= MOST_ROWS:
            raise ValueError(f"A batch has at most {MOST_ROWS} rows.")
        self.rows += 1
        try:
            with self._database.transaction():
                yield
        except BaseException:
            self._taken_back()
            raise


@contextmanager
def batch_of(database: Database, taken_back: Callable[[], None]) -> Iterator[Batch]:
    """A batch in a transaction of its own; `taken_back` is called after whatever was."""
    try:
        with database.transaction():
            yield Batch(database, taken_back)
    except BaseException:
        taken_back()
        raise
