"""Presence is movement, coarsely; noise is none, and it goes quiet by itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from terminal.presence import QUIET_S, SQUARES, Presence

RNG = np.random.default_rng(5)
LOBBY = RNG.integers(60, 120, (480, 640, 3)).astype(np.uint8)


def noisy(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    noise = RNG.normal(0, 4, frame.shape)
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


def with_somebody(left: int) -> npt.NDArray[np.uint8]:
    frame = LOBBY.copy()
    frame[100:400, left : left + 120] = 200
    return frame


def quiet(presence: Presence) -> None:
    presence.look(LOBBY, 0.0)
    presence.look(LOBBY, QUIET_S)
    assert not presence.is_present


def test_the_first_frame_counts_as_movement() -> None:
    presence = Presence()
    assert presence.look(LOBBY, 0.0)
    assert presence.is_present


@pytest.mark.requirement("D9")
def test_it_goes_quiet_after_two_seconds_without_movement() -> None:
    presence = Presence()
    presence.look(LOBBY, 0.0)
    assert not presence.look(noisy(LOBBY), QUIET_S - 0.1)
    assert presence.is_present
    assert presence.look(noisy(LOBBY), QUIET_S)
    assert not presence.is_present


def test_the_noise_of_a_sensor_is_no_movement() -> None:
    presence = Presence()
    quiet(presence)
    for step in range(30):
        assert not presence.look(noisy(LOBBY), 3.0 + step / 30)
        assert not presence.moved


def test_somebody_who_comes_is_movement_at_once() -> None:
    presence = Presence()
    quiet(presence)
    assert presence.look(with_somebody(100), 3.0)
    assert presence.is_present
    assert presence.moved


def test_somebody_who_keeps_moving_stays_present() -> None:
    presence = Presence()
    quiet(presence)
    presence.look(with_somebody(100), 3.0)
    for step in range(40):
        assert not presence.look(with_somebody(100 + 10 * (step % 2)), 3.0 + step / 5)
    assert presence.is_present


def test_light_that_goes_out_is_movement() -> None:
    presence = Presence()
    quiet(presence)
    assert presence.look(np.zeros_like(LOBBY), 3.0)


@pytest.mark.requirement("R17", "D9")
def test_what_is_kept_is_768_squares_and_they_can_be_overwritten() -> None:
    presence = Presence()
    presence.look(LOBBY, 0.0)
    kept = [value for value in vars(presence).values() if isinstance(value, np.ndarray)]
    assert [one.shape for one in kept] == [SQUARES[::-1]]
    assert kept[0].any()
    presence.wipe()
    assert not kept[0].any()
    presence.look(LOBBY, 10.0)
    assert presence.is_present, "after a wipe the next frame counts as movement"


def test_wiping_what_has_seen_nothing_is_harmless() -> None:
    Presence().wipe()
