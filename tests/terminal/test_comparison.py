"""A probe finds the right person or nobody, and no score gets out on any way."""

from __future__ import annotations

import inspect
import logging
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal import comparison
from terminal.comparison import Embedding, Embeddings, References
from terminal.core.values import PersonId

WIDTH = 128
ANNA, BEN, CHEN = PersonId("anna"), PersonId("ben"), PersonId("chen")


def unit(seed: int, width: int = WIDTH) -> Embedding:
    value = np.random.default_rng(seed).normal(size=width)
    return (value / np.linalg.norm(value)).astype(np.float32)


def at_distance(centre: Embedding, distance: float, seed: int = 99) -> Embedding:
    """A unit vector at this Euclidean distance from the unit vector `centre`."""
    aside = unit(seed, len(centre)).astype(np.float64)
    aside -= (aside @ centre) * centre
    aside /= np.linalg.norm(aside)
    cosine = 1 - distance**2 / 2
    return (cosine * centre + math.sqrt(1 - cosine**2) * aside).astype(np.float32)


def enrolled(*people: PersonId) -> References:
    references = References(WIDTH, 2)
    for seed, person in enumerate(people):
        references.enrol(person, unit(seed)[np.newaxis])
    return references


def test_the_nearest_within_the_threshold_is_found() -> None:
    references = enrolled(ANNA, BEN, CHEN)
    assert references.search(at_distance(unit(1), 0.3), 0.4) == BEN
    assert references.search(at_distance(unit(2), 0.3), 0.4) == CHEN


@pytest.mark.parametrize(("distance", "found"), [(0.399, True), (0.401, False)])
def test_the_threshold_is_a_euclidean_distance_of_unit_vectors(
    distance: float, found: bool
) -> None:
    assert (enrolled(ANNA).search(at_distance(unit(0), distance), 0.4) == ANNA) == found


def test_of_two_within_the_threshold_the_nearer_is_found() -> None:
    references = References(WIDTH)
    references.enrol(ANNA, at_distance(unit(0), 0.30, 5)[np.newaxis])
    references.enrol(BEN, at_distance(unit(0), 0.20, 6)[np.newaxis])
    assert references.search(unit(0), 0.4) == BEN


def test_a_stranger_is_nobody() -> None:
    assert enrolled(ANNA, BEN).search(unit(77), 0.5) is None


def test_with_nobody_enrolled_nobody_is_found() -> None:
    assert References(WIDTH).search(unit(0), 2.0) is None


def test_the_length_of_a_probe_means_nothing() -> None:
    references = enrolled(ANNA, BEN)
    assert references.search(unit(1) * np.float32(17), 0.1) == BEN


@pytest.mark.parametrize("number", [0.0, np.nan, np.inf, -np.inf, 3e38])
def test_a_probe_without_a_direction_is_near_nobody(number: float) -> None:
    probe = np.full(WIDTH, number, np.float32)
    assert enrolled(ANNA).search(probe, 2.0) is None


@pytest.mark.parametrize("threshold", [-0.1, math.nan, -math.inf])
def test_a_threshold_that_is_none_finds_nobody(threshold: float) -> None:
    assert enrolled(ANNA).search(unit(0), threshold) is None


def test_a_threshold_of_zero_still_finds_nobody_else() -> None:
    assert enrolled(ANNA).search(at_distance(unit(0), 0.01), 0.0) is None


def test_references_are_fused_to_the_plain_mean_of_their_directions() -> None:
    """The error curve holds for a mean that is not brought back to unit length (D2)."""
    references = References(WIDTH)
    around = np.stack([at_distance(unit(0), 0.3, seed) for seed in range(10, 15)])
    references.enrol(ANNA, around * np.array([[1], [2], [30], [4], [5]], np.float32))
    mean = around.mean(axis=0)
    probe = mean / np.linalg.norm(mean)
    distance = math.sqrt(2.0 - 2.0 * float(mean @ probe))
    assert distance > 0.2
    assert references.search(probe, distance + 1e-3) == ANNA
    assert references.search(probe, distance - 1e-3) is None


def test_enrolling_anew_replaces_what_was_there() -> None:
    references = enrolled(ANNA)
    references.enrol(ANNA, unit(50)[np.newaxis])
    assert len(references) == 1
    assert references.search(unit(0), 0.5) is None
    assert references.search(unit(50), 0.1) == ANNA


def test_references_that_point_nowhere_are_refused_and_change_nothing() -> None:
    references = enrolled(ANNA)
    opposite = np.stack([unit(3), -unit(3)])
    for bad in (opposite, np.zeros((2, WIDTH), np.float32)):
        with pytest.raises(ValueError, match="no direction"):
            references.enrol(ANNA, bad)
    assert references.search(unit(0), 0.1) == ANNA


@pytest.mark.parametrize(
    "bad",
    [
        np.ones((1, WIDTH), np.float64),
        np.ones((1, WIDTH - 1), np.float32),
        np.ones((0, WIDTH), np.float32),
        np.ones(WIDTH, np.float32),
    ],
)
def test_another_shape_or_type_is_refused(bad: Any) -> None:
    references = enrolled(ANNA)
    with pytest.raises(ValueError, match="Embeddings"):
        references.enrol(BEN, bad)
    with pytest.raises(ValueError, match="Embeddings"):
        references.contains_similar(bad, 0.4)
    with pytest.raises(ValueError, match="Embeddings"):
        references.search(np.ones((1, WIDTH), np.float32), 0.4)


def row_bytes(references: References) -> bytes:
    return bytes(references._memory.view)


@pytest.mark.requirement("T33")
@pytest.mark.parametrize("seed", range(3))
def test_who_is_removed_is_not_found_and_not_in_memory(seed: int) -> None:
    everyone = [ANNA, BEN, CHEN]
    references = enrolled(*everyone)
    rows = [row.tobytes() for row in references._rows[:3]]
    assert [row_bytes(references).count(row) for row in rows] == [1, 1, 1]
    references.remove(everyone[seed])
    assert [row_bytes(references).count(row) for row in rows] == [int(n != seed) for n in range(3)]
    found = [references.search(unit(each), 0.1) for each in range(3)]
    assert found == [None if n == seed else everyone[n] for n in range(3)]
    assert set(references) == set(everyone) - {everyone[seed]}


def test_removing_nobody_changes_nothing() -> None:
    references = enrolled(ANNA)
    references.remove(BEN)
    assert len(references) == 1


def test_clearing_leaves_nobody_and_nothing() -> None:
    references = enrolled(ANNA, BEN)
    references.clear()
    assert not len(references)
    assert not any(row_bytes(references))


def test_growing_leaves_no_copy_of_the_rows_behind() -> None:
    references = enrolled(ANNA, BEN)
    old = references._rows
    references.enrol(CHEN, unit(2)[np.newaxis])
    assert not old.any()
    assert [references.search(unit(s), 0.1) for s in range(3)] == [ANNA, BEN, CHEN]


def test_closing_leaves_nothing() -> None:
    references = enrolled(ANNA)
    rows, scores = references._rows, references._scores
    references.close()
    references.close()
    assert not rows.any()
    assert not scores.any()


PEOPLE = [PersonId(f"p{number}") for number in range(6)]
STEPS = st.lists(st.tuples(st.booleans(), st.sampled_from(PEOPLE), st.integers(0, 20)), max_size=40)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_any_order_of_coming_and_going_leaves_exactly_who_is_there(
    steps: list[tuple[bool, PersonId, int]],
) -> None:
    references, model = References(WIDTH, 1), dict[PersonId, int]()
    for comes, person, seed in steps:
        if comes:
            references.enrol(person, unit(seed)[np.newaxis])
            model[person] = seed
        else:
            references.remove(person)
            model.pop(person, None)
    assert set(references) == set(model)
    for seed in range(21):
        found = references.search(unit(seed), 0.05)
        assert model.get(found) == seed if found else seed not in model.values()


# The checks at enrolment


def test_a_face_that_is_enrolled_already_is_found_but_not_as_oneself() -> None:
    references = enrolled(ANNA, BEN)
    captured = np.stack([at_distance(unit(1), 0.3, seed) for seed in range(20, 25)])
    assert references.contains_similar(captured, 0.4) == BEN
    assert references.contains_similar(captured, 0.4, besides=BEN) is None
    assert references.contains_similar(captured, 0.4, besides=ANNA) == BEN


def test_leaving_oneself_out_still_finds_the_next_nearest() -> None:
    references = References(WIDTH)
    references.enrol(ANNA, unit(0)[np.newaxis])
    references.enrol(BEN, at_distance(unit(0), 0.2)[np.newaxis])
    assert references.contains_similar(unit(0)[np.newaxis], 0.4, besides=ANNA) == BEN


def test_a_reference_fits_the_others_when_it_is_near_their_mean() -> None:
    references = References(WIDTH)
    others = np.stack([at_distance(unit(0), 0.2, seed) for seed in range(20, 23)])
    assert references.consistent(at_distance(unit(0), 0.3), others, 0.45)
    assert not references.consistent(unit(5), others, 0.45)
    assert not references.consistent(np.zeros(WIDTH, np.float32), others, 2.0)


def test_the_first_reference_fits() -> None:
    assert References(WIDTH).consistent(unit(0), np.empty((0, WIDTH), np.float32), 0.1)


# No score gets out (A6, T32)


def public_callables() -> list[Callable[..., object]]:
    functions = [each for _, each in inspect.getmembers(References, inspect.isfunction)]
    properties = [
        each.fget for _, each in inspect.getmembers(References) if isinstance(each, property)
    ]
    loose = [each for _, each in inspect.getmembers(comparison, inspect.isfunction)]
    return [
        f for f in [*functions, *properties, *loose] if f and f.__module__ == "terminal.comparison"
    ]


@pytest.mark.requirement("A6", "R35")
def test_nothing_public_says_it_returns_a_number_but_counts() -> None:
    allowed = {"None", "PersonId | None", "bool", "int", "str", "Iterator[PersonId]"}
    for function in public_callables():
        if not function.__name__.startswith("_") or function.__name__.startswith("__"):
            assert inspect.signature(function).return_annotation in allowed, function.__name__


@pytest.mark.requirement("A6")
def test_no_answer_repr_log_or_error_holds_a_score(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    references = enrolled(ANNA, BEN)
    probe: Embedding = at_distance(unit(1), 0.31)
    many: Embeddings = probe[np.newaxis]
    said: list[object] = [
        references.search(probe, 0.4),
        references.search(probe, 0.1),
        references.contains_similar(many, 0.4),
        references.consistent(probe, many, 0.4),
        len(references),
        ANNA in references,
        *references,
        repr(references),
        str(references),
    ]
    try:
        references.search(probe[:5], 0.4)
    except ValueError as error:
        said.append(str(error))
    assert all(type(each) in (str, bool, int, type(None)) for each in said)
    assert not any("0." in str(each) for each in said)
    assert not caplog.records


@pytest.mark.requirement("A6")
def test_the_scores_and_the_probe_are_overwritten_before_the_answer() -> None:
    references = enrolled(ANNA, BEN)
    for probe in (unit(1), unit(70), np.full(WIDTH, np.nan, np.float32)):
        references.search(probe, 0.4)
        assert not any(references._working.view)


def test_a_search_among_10_000_people_takes_no_more_than_5_ms() -> None:
    references = References(WIDTH, 10_000)
    everyone = np.random.default_rng(3).normal(size=(10_000, 1, WIDTH)).astype(np.float32)
    for number, value in enumerate(everyone):
        references.enrol(PersonId(str(number)), value)
    took_s = []
    for number in range(0, 10_000, 200):
        start_s = time.perf_counter()
        found = references.search(everyone[number, 0], 0.4)
        took_s.append(time.perf_counter() - start_s)
        assert found == str(number)
    assert sorted(took_s)[len(took_s) // 2] <= 0.005
