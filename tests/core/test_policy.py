"""Facts about the site's numbers: where no face may be, and how the error grows with N."""

from __future__ import annotations

import pytest

from terminal.core.policy import PRIVATE_PLACES, Place, Policy, most_people, required_fmr
from tests.core import given


@pytest.mark.requirement("R11")
@pytest.mark.parametrize("place", [place for place in Place if place in PRIVATE_PLACES])
def test_a_private_place_has_no_face_recognition_whatever_else_is_set(place: Place) -> None:
    assert not Policy(place=place, face_enabled=True).face_allowed_here


@pytest.mark.requirement("R11")
def test_the_private_places_are_those_of_the_law() -> None:
    allowed = {place for place in Place if Policy(place=place).face_allowed_here}
    assert allowed == {Place.STREET_GATE, Place.COMPOUND_GATE, Place.LOBBY, Place.OFFICE}


@pytest.mark.requirement("D2", "R24")
def test_the_required_fmr_falls_with_the_number_enrolled() -> None:
    assert required_fmr(100, 0.01, 10.0) == pytest.approx(1e-5)
    assert required_fmr(1000, 0.01, 10.0) == pytest.approx(1e-6)


@pytest.mark.requirement("D2")
def test_a_calibrated_site_needs_no_safety_factor() -> None:
    assert required_fmr(100, 0.01, 1.0) == pytest.approx(10 * required_fmr(100, 0.01, 10.0))


def test_nobody_enrolled_is_reckoned_as_one() -> None:
    assert required_fmr(0, 0.01, 10.0) == required_fmr(1, 0.01, 10.0)


@pytest.mark.requirement("D2", "R24")
@pytest.mark.parametrize("smallest_fmr", [1e-3, 3e-4, 1e-5, 7e-7])
def test_most_people_is_the_last_number_that_the_curve_supports(smallest_fmr: float) -> None:
    people = most_people(smallest_fmr, 0.01, 10.0)
    assert required_fmr(people, 0.01, 10.0) >= smallest_fmr * (1 - 1e-6)
    assert required_fmr(people + 1, 0.01, 10.0) < smallest_fmr


@pytest.mark.requirement("R24")
def test_a_curve_without_errors_supports_nobody() -> None:
    """What was never measured is not promised."""
    assert most_people(0.0, 0.01, 10.0) == 0


@pytest.mark.requirement("D2")
def test_a_new_site_keeps_the_promised_figures() -> None:
    policy = Policy()
    assert (policy.fpir_target, policy.safety_factor) == (0.01, 10.0)
    assert policy.references >= 5
    assert policy == given.WALK_UP
