"""One against one: a probe is compared with whom a card has named, and with nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from terminal import link
from terminal.core.values import Level, Permission, PersonId, TrackId, View
from terminal.exchange.rows import GroupRow
from terminal.requests import GroupPut, PersonPut, PinSet
from tests.terminal.given_bridge import (
    NAME,
    NEIGHBOUR,
    RESIDENT,
    answer_of,
    door,
    probe_of,
)


@pytest.mark.requirement("R25")
def test_a_probe_is_verified_as_its_own_person_and_as_nobody_else(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.has_resident(face=1)
        made.has_resident(NEIGHBOUR, "Neighbour", card=None, face=2)
        recognition = made.recognition
        assert recognition.verify(probe_of(1), RESIDENT)
        assert recognition.verify(probe_of(2), NEIGHBOUR)
        for seed, person in ((1, NEIGHBOUR), (2, RESIDENT), (3, RESIDENT), (3, NEIGHBOUR)):
            assert not recognition.verify(probe_of(seed), person)
        assert not recognition.verify(probe_of(1), PersonId("nobody"))


@pytest.mark.requirement("R25", "D2")
def test_of_a_thousand_strangers_none_is_verified_as_the_resident(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.has_resident(face=1)
        strangers = range(10, 1010)
        assert not any(made.recognition.verify(probe_of(seed), RESIDENT) for seed in strangers)


@pytest.mark.requirement("R24", "D2")
def test_without_a_curve_or_with_a_broken_seal_nobody_is_verified(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.has_resident(face=1)
        made.recognition.broken = "The seal of a template is broken."
        assert not made.recognition.verify(probe_of(1), RESIDENT)
        made.recognition.broken = None
        assert made.recognition.verify(probe_of(1), RESIDENT)
        vars(made.recognition)["_curve"] = None
        assert not made.recognition.verify(probe_of(1), RESIDENT)


@pytest.mark.requirement("R04", "R25")
def test_who_was_forgotten_is_not_verified(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.has_resident(face=1)
        made.recognition.forget(RESIDENT)
        assert not made.recognition.verify(probe_of(1), RESIDENT)


@pytest.mark.requirement("R25", "D10")
def test_a_card_and_the_holders_face_open_and_another_face_does_not(tmp_path: Path) -> None:
    """A group whose rule is a card and a face; the neighbour's face is enrolled here too."""
    with door(tmp_path) as made:
        made.has_resident(face=1)
        made.has_resident(NEIGHBOUR, "Neighbour", card=None, face=2)
        made.start()
        for request in (
            PinSet(NAME, "4821"),
            GroupPut(GroupRow(0, "Staff", "card_face")),
            PersonPut(NAME, group="Staff"),
        ):
            assert answer_of(made.asks(request))["ok"]
        for seed, opens in ((2, False), (1, True)):
            made.taps()
            made.sees_ready(track=seed)
            assert made.leases.last == Permission(Level.EMBED, TrackId(seed), verify=RESIDENT)
            made.is_compared(probe_of(seed), track=seed)
            assert made.strike_is_released() is opens
            made.waits(60.0)
            made.vision_says(link.Zone(View.EMPTY, None, None))
