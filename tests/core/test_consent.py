"""Facts about consent: the changes there are, and that what has ended never begins again."""

from __future__ import annotations

from itertools import product

import pytest

from terminal.core.consent import CHANGES, changed, may_change
from terminal.core.values import ConsentState as S


@pytest.mark.requirement("R01", "T37")
@pytest.mark.parametrize("ended", [S.REFUSED, S.WITHDRAWN, S.EXPIRED])
def test_what_has_ended_is_never_given_again(ended: S) -> None:
    assert not any(may_change(ended, to) for to in S)


@pytest.mark.requirement("R01")
def test_consent_is_given_only_where_it_was_requested() -> None:
    assert [now for now in S if may_change(now, S.GIVEN)] == [S.REQUESTED]


@pytest.mark.requirement("R12")
def test_a_request_can_be_refused_as_directly_as_it_can_be_given() -> None:
    assert may_change(S.REQUESTED, S.REFUSED) and may_change(S.REQUESTED, S.GIVEN)


@pytest.mark.requirement("R04")
def test_a_consent_can_be_withdrawn_while_it_lasts() -> None:
    assert may_change(S.GIVEN, S.WITHDRAWN)


def test_an_attempt_at_anything_else_changes_nothing() -> None:
    for now, to in product(S, S):
        assert changed(now, to) is (to if (now, to) in CHANGES else now)
