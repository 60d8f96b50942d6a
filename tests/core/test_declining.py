"""Facts about declining, wherever in a visit it is said: no look, no scan, no step too many."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from terminal.core import machine
from terminal.core.effects import (
    Effect,
    Kind,
    LightSign,
    Permit,
    ReleaseStrike,
    TransactionEnded,
)
from terminal.core.events import (
    ButtonPressed,
    CaptureHindered,
    CredentialPresented,
    DeclineAsked,
    DeclineSaid,
    Event,
    FaceCompared,
    PresenceChanged,
    SignRead,
    TimePassed,
    ZoneSeen,
)
from terminal.core.machine import State
from terminal.core.policy import Policy
from terminal.core.transaction import AccessPhase
from terminal.core.values import (
    NOTHING_ALLOWED,
    Hint,
    Holder,
    Level,
    Outcome,
    Permission,
    TrackId,
    View,
    Way,
)
from tests.core import given
from tests.core.given import AGREED, CARD_AND_FACE, NOT_AGREED, Terminal, only, record

MOMENTS = 10_000
LASTS_S = 7.0
BY = (ButtonPressed, DeclineAsked)


def says_no(terminal: Terminal, by: type[DeclineSaid]) -> tuple[Effect, ...]:
    return terminal.hears(by, **({"source": "keypad"} if by is DeclineAsked else {}))


@pytest.mark.requirement("D9", "D10", "A25")
@pytest.mark.parametrize("by", BY)
def test_a_decline_is_a_decline_however_it_is_said(by: type[DeclineSaid]) -> None:
    terminal = given.ready()
    terminal.walks_up()
    effects = terminal.hears(by, **({"source": "keypad"} if by is DeclineAsked else {}))
    assert effects[0] == Permit(NOTHING_ALLOWED, 0.5)
    declined = record(effects, Kind.DECLINED)
    assert (declined.person, declined.way, declined.facts) == (None, None, ())
    assert terminal.state.access.phase is AccessPhase.DECLINED
    assert terminal.ends == [(1, Way.FACE, Outcome.DECLINED)]


@pytest.mark.requirement("D12")
@pytest.mark.parametrize("by", BY)
def test_a_decline_is_one_step_and_the_credential_another(by: type[DeclineSaid]) -> None:
    terminal = given.ready()
    says_no(terminal, by)
    terminal.waits(2.0)
    assert only(terminal.shows_card(NOT_AGREED), ReleaseStrike)
    end = terminal.ended[-1]
    assert (end.steps, end.took_s, end.typing_s) == (2, 2.0, 0.0)


@pytest.mark.requirement("D12", "R12")
def test_a_second_credential_after_a_refused_one_is_a_step_more() -> None:
    terminal = given.declined()
    terminal.shows_card(None)
    terminal.shows_card(NOT_AGREED)
    assert terminal.ended[-1].steps == 3


@pytest.mark.requirement("D9")
def test_whoever_declines_in_a_pulse_of_an_earlier_card_is_not_ended_by_that_door() -> None:
    terminal = given.ready()
    terminal.shows_card(NOT_AGREED)
    terminal.hears(ButtonPressed)
    terminal.opens()
    terminal.closes()
    terminal.waits(20.0)
    assert terminal.permission == NOTHING_ALLOWED


@pytest.mark.requirement("D9")
@pytest.mark.parametrize("holder", [None, given.CARD_AND_PIN])
def test_another_credential_after_the_door_cycle_goes_on_with_the_decline(
    holder: Holder | None,
) -> None:
    terminal = given.declined()
    terminal.shows_card(NOT_AGREED)
    terminal.opens()
    terminal.closes()
    terminal.shows_card(holder)
    terminal.waits(terminal.policy.second_wait_s + terminal.policy.decline_hold_s)
    assert terminal.permission == NOTHING_ALLOWED


# At any moment of a scan (T35)


Told = Callable[[float], Event]
SCANS: tuple[tuple[tuple[float, Told], ...], ...] = (
    (
        (0.0, lambda s: ZoneSeen(given.at(s), View.READY, TrackId(1))),
        (1.6, lambda s: CaptureHindered(given.at(s), Hint.HOLD_STILL)),
        (2.4, lambda s: FaceCompared(given.at(s), TrackId(1), AGREED)),
        (3.0, lambda s: ZoneSeen(given.at(s), View.EMPTY)),
    ),
    (
        (0.0, lambda s: ZoneSeen(given.at(s), View.READY, TrackId(1))),
        (0.7, lambda s: ZoneSeen(given.at(s), View.SEVERAL)),
        (0.9, lambda s: ZoneSeen(given.at(s), View.READY, TrackId(2))),
        (2.9, lambda s: FaceCompared(given.at(s), TrackId(2), None)),
        (5.5, lambda s: ZoneSeen(given.at(s), View.READY, TrackId(3))),
    ),
    (
        (0.0, lambda s: ZoneSeen(given.at(s), View.READY, TrackId(1))),
        (0.5, lambda s: CredentialPresented(given.at(s), "outside", given.CARD, CARD_AND_FACE)),
        (1.1, lambda s: FaceCompared(given.at(s), TrackId(1), None)),
    ),
)
"""Three visits: a scan that goes well, one with a second person, a card with the holder's face."""


class Quick:
    """A terminal without a history, for very many visits."""

    def __init__(self, state: State, now_s: float) -> None:
        self.policy, self.state, self.now_s = Policy(), state, now_s

    @property
    def permission(self) -> Permission:
        return machine.permission(self.state, self.policy)

    def hears(self, event: Event) -> tuple[Effect, ...]:
        self.state, effects = machine.step(self.state, event, self.policy)
        for sign in only(effects, LightSign):
            read = SignRead(event.at, sign.lit)
            self.state, more = machine.step(self.state, read, self.policy)
            effects = (*effects, *more)
        return effects

    def waits_until(self, until_s: float) -> Iterator[Effect]:
        while (due_s := machine.next_deadline(self.state)) is not None and due_s <= until_s:
            self.now_s = max(self.now_s, due_s)
            yield from self.hears(TimePassed(given.at(self.now_s)))
        self.now_s = until_s


@dataclass(frozen=True)
class Visit:
    """One of the visits: the terminal after each of its steps, and what vision says when."""

    times_s: list[float]
    states: list[State]
    said: list[tuple[float, Told]]

    def at(self, now_s: float) -> Quick:
        """The terminal as it stands at this moment (mono s) of the visit."""
        return Quick(self.states[bisect_right(self.times_s, now_s) - 1], now_s)

    def after(self, now_s: float) -> list[tuple[float, Told]]:
        """What is still said from this moment on."""
        return [one for one in self.said if one[0] > now_s]


def visited(scan: tuple[tuple[float, Told], ...]) -> Visit:
    terminal = given.ready()
    begun_s, said = terminal.now_s, [(terminal.now_s + after_s, told) for after_s, told in scan]
    for at_s, told in said:
        terminal.waits(at_s - terminal.now_s)
        terminal.hears_event(told(terminal.now_s))
    terminal.waits(begun_s + LASTS_S - terminal.now_s)
    return Visit(
        [told.event.at.mono_s for told in terminal.history],
        [told.after for told in terminal.history],
        said,
    )


@pytest.mark.slow
@pytest.mark.requirement("T35", "D9", "D10", "A26")
@pytest.mark.timeout(120)
def test_after_a_decline_at_any_moment_of_a_scan_nobody_is_looked_at_until_it_ends() -> None:
    chance, visits = random.Random(35), [visited(scan) for scan in SCANS]
    for number in range(MOMENTS):
        visit = visits[number % len(visits)]
        moment_s = visit.said[0][0] + chance.uniform(0.0, LASTS_S)
        terminal = visit.at(moment_s)
        _declines(terminal, moment_s, visit.after(moment_s))
        if number % 10 == 0:
            _ends_as_it_should(terminal)


def _declines(terminal: Quick, moment_s: float, late: list[tuple[float, Told]]) -> None:
    """Say no now; what was under way comes all the same, and the zone is still full."""
    had = terminal.permission
    effects = terminal.hears(ButtonPressed(given.at(moment_s)))
    if had != NOTHING_ALLOWED:
        assert effects[0] == Permit(NOTHING_ALLOWED, 0.5)
    after: list[Effect] = list(effects)
    for at_s, told in late:
        event = told(at_s)
        after += terminal.waits_until(at_s)
        after += () if isinstance(event, CredentialPresented) else terminal.hears(event)
    after += terminal.waits_until(moment_s + LASTS_S)
    permits = [one.permission for one in after if isinstance(one, Permit)]
    assert all(one == NOTHING_ALLOWED for one in permits)
    assert not [one for one in after if isinstance(one, ReleaseStrike)]


def _ends_as_it_should(terminal: Quick) -> None:
    """When everyone has left (D9): and then nobody who still stands there is scanned."""
    terminal.hears(PresenceChanged(given.at(terminal.now_s), False))
    if terminal.state.access.pending is not None:
        list(terminal.waits_until(terminal.now_s + terminal.policy.second_wait_s))
    list(terminal.waits_until(terminal.now_s + terminal.policy.decline_clear_s))
    assert terminal.permission == Permission(Level.DETECT)
    terminal.hears(ZoneSeen(given.at(terminal.now_s), View.READY, TrackId(9)))
    list(terminal.waits_until(terminal.now_s + 1.5))
    assert terminal.permission.level is Level.DETECT


@pytest.mark.parametrize("scan", SCANS)
def test_the_visits_of_that_test_do_scan_where_nobody_declines(
    scan: tuple[tuple[float, Told], ...],
) -> None:
    permitted = {machine.permission(state, Policy()).level for state in visited(scan).states}
    assert Level.EMBED in permitted


@pytest.mark.requirement("D12")
def test_the_time_from_the_button_to_the_card_is_the_persons_own() -> None:
    """The card is taken out after the button: that time is told apart from the terminal's."""
    terminal = given.ready()
    terminal.hears(ButtonPressed)
    terminal.waits(2.0)
    (end,) = only(terminal.shows_card(NOT_AGREED), TransactionEnded)
    assert (end.outcome, end.steps) == (Outcome.GRANTED, 2)
    assert end.waited_s == pytest.approx(2.0)
    assert end.own_s == pytest.approx(end.waited_s + end.typing_s)
    assert end.took_s == pytest.approx(2.0)
