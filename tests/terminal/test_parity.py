"""Whether the other ways in are as convenient as the face is measured, and said when not."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import pytest

from terminal.core.effects import TransactionEnded
from terminal.core.policy import PARITY_SLACK_S, PARITY_STEPS
from terminal.core.values import Alarm, Outcome, Way
from terminal.metrics import Metrics
from terminal.parity import COMPARED, ENOUGH, KEPT, Parity, Spread, spread
from terminal.requests import ParityAsked
from tests.terminal.given_bridge import CARD, UNKNOWN_CARD, answer_of, door

pytestmark = pytest.mark.requirement("D12")


def let_in(
    parity: Parity, way: Way, times_s: list[float], steps: int = 1, typing_s: float = 0.0
) -> None:
    for time_s in times_s:
        end = TransactionEnded(1, way, Outcome.GRANTED, time_s, steps, typing_s)
        parity.ended(end, time_s)


def measured(way: Way, other_s: float, steps: int = 1, n: int = ENOUGH) -> Parity:
    """A face that takes a second, and another way."""
    parity = Parity()
    let_in(parity, Way.FACE, [1.0] * ENOUGH)
    let_in(parity, way, [other_s] * n, steps)
    return parity


@pytest.mark.parametrize("way", [Way.CARD, Way.QR])
def test_a_way_that_is_slower_than_the_face_by_more_than_it_may_is_said(way: Way) -> None:
    assert not measured(way, 1.0 + PARITY_SLACK_S).is_broken
    slow = measured(way, 1.0 + PARITY_SLACK_S + 0.01)
    assert slow.is_broken
    (trouble,) = slow.troubles
    assert way.value in trouble


@pytest.mark.parametrize("way", [Way.CARD, Way.QR])
def test_a_way_that_asks_for_more_things_than_it_may_is_said(way: Way) -> None:
    assert not measured(way, 0.5, steps=1 + PARITY_STEPS).is_broken
    assert measured(way, 0.5, steps=2 + PARITY_STEPS).is_broken


@pytest.mark.parametrize("n", [0, 1, ENOUGH - 1])
def test_of_too_few_nothing_is_said(n: int) -> None:
    assert not measured(Way.CARD, 60.0, n=n).is_broken
    parity = Parity()
    let_in(parity, Way.FACE, [1.0] * n)
    let_in(parity, Way.CARD, [60.0] * ENOUGH)
    assert not parity.is_broken


def test_a_way_with_a_pin_is_not_held_against_the_face_but_is_said_where_it_is_all_there_is() -> (
    None
):
    parity = measured(Way.CARD_PIN, 60.0)
    assert not parity.is_broken
    assert parity.warning is not None
    let_in(parity, Way.CARD, [0.1])
    assert parity.warning is None


@pytest.mark.parametrize("way", [way for way in Way if way not in COMPARED])
def test_a_guard_or_a_schedule_is_no_way_to_compare(way: Way) -> None:
    parity = Parity()
    let_in(parity, way, [60.0] * ENOUGH)
    assert way.value not in str(parity.report())


def test_failures_are_counted_and_have_no_time() -> None:
    parity = Parity()
    for outcome in (Outcome.REFUSED, Outcome.ABANDONED, Outcome.DECLINED):
        parity.ended(TransactionEnded(1, Way.CARD, outcome, 9.0), 9.0)
    line = parity.report()["ways"]["card"]  # type: ignore[index]
    assert (line["n"], line["refused"], line["abandoned"], line["p95_s"]) == (0, 1, 2, None)


def test_only_the_newest_are_kept() -> None:
    parity = Parity()
    let_in(parity, Way.CARD, [60.0] * KEPT)
    let_in(parity, Way.CARD, [0.1] * KEPT)
    line = parity.report()["ways"]["card"]  # type: ignore[index]
    assert (line["n"], line["p95_s"]) == (KEPT, 0.1)


def test_a_spread_of_one_is_that_one_and_of_none_is_none() -> None:
    assert spread(deque()) is None
    assert spread(deque([0.5])) == Spread(1, 0.5, 0.5)


def test_typing_is_the_persons_own_time_and_the_work_before_it_is_not() -> None:
    metrics = Metrics()
    metrics.credential_since(100.0)
    metrics.released(100.2)
    metrics.transaction_ended(
        TransactionEnded(1, Way.CARD_PIN, Outcome.GRANTED, took_s=4.5, steps=2, typing_s=4.0)
    )
    line = metrics.parity.report()["ways"]["card_pin"]  # type: ignore[index]
    assert line["p50_s"] == pytest.approx(0.7)
    assert line["typing_p50_s"] == 4.0


# At the door


def test_the_door_measures_each_card_and_says_so_to_operators(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.has_resident(face=None)
        made.start(vision=False)
        for _ in range(3):
            made.taps(CARD)
            made.leaves()
        made.taps(UNKNOWN_CARD)
        report = answer_of(made.asks(ParityAsked()))["parity"]
        card = report["ways"]["card"]
        assert (card["n"], card["refused"], card["steps"]) == (3, 1, 1)
        assert report["troubles"] == []


def test_an_alarm_that_makes_no_noise_stands_while_it_is_broken(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.has_resident(face=None)
        made.start(vision=False)
        let_in(made.metrics.parity, Way.FACE, [0.1] * ENOUGH)
        let_in(made.metrics.parity, Way.CARD, [30.0] * ENOUGH)
        made.taps(CARD)
        assert Alarm.PARITY in made.state.alarms
        assert not made.board.alarm.is_lit
        told = made.kinds().count("parity")
        let_in(made.metrics.parity, Way.CARD, [0.0] * KEPT)
        made.leaves()
        made.taps(CARD)
        assert Alarm.PARITY not in made.state.alarms
        assert (told, made.kinds().count("parity")) == (1, 2)
