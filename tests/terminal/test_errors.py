"""The three kinds of failure are told apart by their type alone."""

from __future__ import annotations

import pytest

from terminal import errors

KINDS = (errors.RefuseToStart, errors.Degraded, errors.SecureAndRestart)


def all_errors() -> list[type[errors.TerminalError]]:
    found = [each for each in vars(errors).values() if isinstance(each, type)]
    return [each for each in found if each not in (errors.TerminalError, *KINDS)]


@pytest.mark.parametrize("error", all_errors())
def test_every_error_is_of_exactly_one_kind(error: type[errors.TerminalError]) -> None:
    assert sum(issubclass(error, kind) for kind in KINDS) == 1


def test_the_sentence_is_the_text() -> None:
    assert str(errors.StoreFailed("The disk is full.")) == "The disk is full."
