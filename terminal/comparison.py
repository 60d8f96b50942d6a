"""Who, of those enrolled, a probe is nearest to, if it is near enough. It never decides.

Everyone enrolled is one row in locked memory: the plain mean of the person's references, each of
unit length. The mean itself is not brought to unit length: the error curve is measured for exactly
this, and would let strangers in far too often otherwise (docs/models.md). `search` answers with a
person or with nobody. No distance, score, rank or second candidate leaves this module, in a
result, an exception or a `repr`: 128 scores rebuild a template (A6, T32). Scores are overwritten
before `search` returns, a row at once when its person goes.

A distance is sqrt(2 - 2 <row, probe>), with a probe of unit length: 0..2. The threshold comes with
each call: it follows from how many are enrolled (D2), which the bridge knows.

What changes with this file: the door's loop, `terminal.store.faces`, the bench.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from terminal.core.values import PersonId
from terminal.memory import LockedBuffer

Embedding = npt.NDArray[np.float32]
"""One embedding: float32, shape (width,), any length but zero."""

Embeddings = npt.NDArray[np.float32]
"""Several embeddings: float32, shape (k, width), k >= 1."""

_GROWTH = 2
_LEAST_IN_COMMON = np.float32(1e-3)  # a shorter mean of unit vectors points nowhere in particular


class References:
    """Everyone who can be recognised; one thread uses it.

    `width` is that of the embedder (128). `capacity` is for how many people memory is taken at
    once; it grows when they are more. Close it to overwrite everything.
    """

    def __init__(self, width: int, capacity: int = 1024) -> None:
        if width < 1 or capacity < 1:
            raise ValueError("References need a width and a capacity of at least one.")
        self._width = width
        self._people: list[PersonId] = []
        self._row_of: dict[PersonId, int] = {}
        self._take(capacity)

    @property
    def width(self) -> int:
        """Length of the embeddings."""
        return self._width

    @property
    def locked(self) -> bool:
        """Whether all of it is kept out of swap."""
        return self._memory.locked and self._working.locked

    def enrol(self, person: PersonId, references: Embeddings) -> None:
        """Let this person be recognised from now on by the mean of these references.

        A person who is enrolled already has the new ones instead. Raises ValueError for another
        shape or type, for no reference, and for references that have no direction in common.
        """
        self._check(references, 2)
        row = self._row_of.get(person, len(self._people))
        if row == self._capacity:
            self._grow()
        if not _mean(references, self._probe):
            raise ValueError("These references have no direction in common.")
        self._rows[row] = self._probe
        self._working.wipe()
        if row == len(self._people):
            self._people.append(person)
            self._row_of[person] = row

    def remove(self, person: PersonId) -> None:
        """Let this person be recognised no more; nothing of the row is left. Nobody: no effect."""
        self._free(person)

    def clear(self) -> None:
        """Remove everyone."""
        self._people.clear()
        self._row_of.clear()
        self._memory.wipe()

    def search(self, probe: Embedding, threshold: float) -> PersonId | None:
        """Whoever is nearest to `probe`, if within `threshold`; otherwise None.

        The probe is brought to unit length here; one without a direction (zero, NaN, infinite) is
        near nobody. Raises ValueError for another shape or type.
        """
        self._check(probe, 1)
        return self._nearest(probe[np.newaxis], threshold, None)

    def contains_similar(
        self, references: Embeddings, threshold: float, *, besides: PersonId | None = None
    ) -> PersonId | None:
        """Whoever lies within `threshold` of the mean of `references`, one person left out.

        For the check at enrolment that a face is not enrolled twice.
        """
        self._check(references, 2)
        return self._nearest(references, threshold, besides)

    def consistent(self, reference: Embedding, others: Embeddings, threshold: float) -> bool:
        """Whether `reference` lies within `threshold` of the mean of `others` (none: it does).

        For the check at enrolment that all references are of one face. Raises ValueError for
        another shape or type.
        """
        self._check(reference, 1)
        if len(others) == 0:
            return True
        self._check(others, 2)
        with LockedBuffer(2 * 4 * self._width) as memory:
            pair: Embeddings = memory.array(np.float32, (2, self._width))
            if not (_fuse(reference[np.newaxis], pair[0]) and _mean(others, pair[1])):
                return False
            return bool(np.dot(pair[0], pair[1]) >= _least_cosine(threshold))

    def close(self) -> None:
        """Overwrite everything and let the memory go. May be called twice."""
        self._people.clear()
        self._row_of.clear()
        self._memory.close()
        self._working.close()

    def __len__(self) -> int:
        return len(self._people)

    def __contains__(self, person: PersonId) -> bool:
        return person in self._row_of

    def __iter__(self) -> Iterator[PersonId]:
        return iter(tuple(self._people))

    def __repr__(self) -> str:
        return f"<References of {len(self._people)} people>"

    def _nearest(
        self, probes: Embeddings, threshold: float, besides: PersonId | None
    ) -> PersonId | None:
        count = len(self._people)
        scores = self._scores[:count]
        try:
            if count == 0 or not _fuse(probes, self._probe):
                return None
            # Not BLAS: as fast at this width, one thread, no copies in buffers of its own.
            np.einsum("nd,d->n", self._rows[:count], self._probe, out=scores)
            if besides in self._row_of:
                scores[self._row_of[besides]] = -np.inf
            row = int(np.argmax(scores))
            return self._people[row] if scores[row] >= _least_cosine(threshold) else None
        finally:
            self._working.wipe()

    def _check(self, values: npt.NDArray[np.float32], dimensions: int) -> None:
        if values.dtype != np.float32 or values.ndim != dimensions or 0 in values.shape:
            raise ValueError("Embeddings are float32, one row each.")
        if values.shape[-1] != self._width:
            raise ValueError(f"Embeddings are {self._width} numbers wide here.")

    def _free(self, person: PersonId) -> None:
        row = self._row_of.pop(person, None)
        if row is None:
            return
        last = self._people.pop()
        if last != person:
            self._rows[row] = self._rows[len(self._people)]
            self._people[row] = last
            self._row_of[last] = row
        self._rows[len(self._people)] = 0.0

    def _take(self, capacity: int) -> None:
        self._capacity = capacity
        self._memory = LockedBuffer(4 * capacity * self._width)
        self._rows: Embeddings = self._memory.array(np.float32, (capacity, self._width))
        self._working = LockedBuffer(4 * (capacity + self._width))
        working = self._working.array(np.float32, (capacity + self._width,))
        self._scores: npt.NDArray[np.float32] = working[:capacity]
        self._probe: Embedding = working[capacity:]

    def _grow(self) -> None:
        rows, memory, working = self._rows, self._memory, self._working
        self._take(self._capacity * _GROWTH)
        self._rows[: len(rows)] = rows
        memory.close()
        working.close()


def _least_cosine(threshold: float) -> float:
    """Unit vectors lie within `threshold` when their product is at least this; NaN: never."""
    return 1.0 - threshold * threshold / 2.0 if threshold >= 0.0 else np.inf


def _mean(values: Embeddings, into: Embedding) -> bool:
    """The plain mean of the values, each brought to unit length, into `into`.

    False, with `into` overwritten, when they have no direction in common. Nothing as wide as an
    embedding is made on the way.
    """
    with np.errstate(all="ignore"):
        lengths = np.sqrt(np.einsum("kd,kd->k", values, values))
        np.einsum("k,kd->d", 1.0 / lengths / len(values), values, out=into)
        length = np.sqrt(np.einsum("d,d->", into, into))
    if not (np.isfinite(lengths).all() and length >= _LEAST_IN_COMMON):
        into[:] = 0.0
        return False
    return True


def _fuse(values: Embeddings, into: Embedding) -> bool:
    """The same, and then of unit length: a probe."""
    if not _mean(values, into):
        return False
    into /= np.sqrt(np.einsum("d,d->", into, into))
    return True
