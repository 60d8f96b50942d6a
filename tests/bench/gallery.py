"""The search of everyone enrolled, and opening the sealed templates at a start.

The embeddings are random unit vectors: what is measured does not depend on whose they are. That the
right person is found is checked on the way, so that nothing empty is timed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import numpy as np
import numpy.typing as npt

from terminal.clock import SystemClock
from terminal.comparison import References
from terminal.core.values import ConsentId, ConsentState, PersonId
from terminal.sealing import open_keys
from terminal.store import Store
from tests.bench.figures import Check, Figure, Result, Sizes, Target, figure, timed_ms

Floats = npt.NDArray[np.float32]

WIDTH = 128
PEOPLE = 10_000
EACH = 5
THRESHOLD = 0.5
MODEL = "0" * 64
"""Stands for a model's sha256; the store takes any."""


def unit_vectors(count: int, seed: int, about: Floats | None = None) -> Floats:
    """Random unit vectors, float32 (count, WIDTH); near `about` (WIDTH,) where it is given."""
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((count, WIDTH)).astype(np.float32)
    if about is not None:
        vectors = about + vectors * np.float32(0.2 / np.sqrt(WIDTH))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def search(sizes: Sizes) -> Iterator[Result]:
    """PEOPLE x EACH references as the door searches them, and every row one by one beside it."""
    faces = unit_vectors(PEOPLE, seed=1)
    references = References(WIDTH, PEOPLE)
    for row, face in enumerate(faces):
        references.enrol(PersonId(str(row)), unit_vectors(EACH, row, face))
    probes = unit_vectors(sizes.searches, seed=2)
    probes[::2] = faces[: len(probes[::2])]
    found = [references.search(probe, THRESHOLD) for probe in probes]
    wanted = [str(row // 2) if row % 2 == 0 else None for row in range(len(probes))]
    yield Check("search finds whom it should, and nobody else", found == wanted, f"n={len(found)}")
    turns = cycle(probes)
    took_ms = timed_ms(lambda: references.search(next(turns), THRESHOLD), sizes.searches)
    references.close()
    what = f"{PEOPLE:,} people x {EACH} references, fused to a row each, one probe"
    yield figure("search", "fused", what, took_ms, target=Target(5.0))
    yield _every_row(probes, sizes.searches)


def _every_row(probes: Floats, n: int) -> Figure:
    """What it would cost to keep every reference as a row of its own."""
    rows = unit_vectors(PEOPLE * EACH, seed=3)
    scores = np.empty(len(rows), np.float32)
    turns = cycle(probes)

    def scan() -> None:
        np.einsum("nd,d->n", rows, next(turns), out=scores)
        np.argmax(scores)

    what = f"for comparison: {PEOPLE * EACH:,} rows, one by one (not what the door does)"
    return figure("search", "every_row", what, timed_ms(scan, n))


def templates(sizes: Sizes, folder: Path) -> Iterator[Result]:
    """Opening everyone's sealed templates, as at each start of the door."""
    keys = open_keys(folder / "device.key", may_create=True)
    store = Store.open(folder, keys)
    references = References(WIDTH, sizes.loaded_people)
    try:
        _enrol(store, sizes.loaded_people)
        took_ms = timed_ms(lambda: store.load_references(MODEL, references), sizes.loads, 1)
        opened = len(references)
    finally:
        references.close()
        store.close()
        keys.close()
    yield Check("every template opens", opened == sizes.loaded_people, f"{opened} people")
    what = f"reading, opening and fusing {sizes.loaded_people:,} people x {EACH} templates"
    yield figure("templates", "load", what, took_ms)


def _enrol(store: Store, people: int) -> None:
    clock = SystemClock()
    for number in range(people):
        person, consent, at = PersonId(f"p{number}"), ConsentId(f"c{number}"), clock.now()
        store.register_person(person, f"Person {number}", at)
        store.put_consent(person, consent, ConsentState.GIVEN, at, notice_sha256=MODEL, how="bench")
        face = unit_vectors(1, number)[0]
        store.put_templates(person, consent, MODEL, unit_vectors(EACH, number, face))
