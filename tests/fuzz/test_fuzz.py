"""The fuzzer finds nothing in what is tested, and does find what is broken on purpose."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from terminal.core.values import CodeState
from terminal.passes import base45, rotation, token
from terminal.passes.rotation import Judged
from terminal.passes.token import Keyring, Token, check
from tests.fuzz import __main__ as fuzz
from tests.fuzz import trials
from tests.fuzz.payloads import ISSUED, SEEDS, payload
from tests.fuzz.trials import OPENING, UNCAUGHT, Tally, outcome_of, run


def count(tally: Tally, name: str) -> int:
    return sum(number for outcome, number in tally.outcomes.items() if outcome.startswith(name))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.requirement("T14", "A7", "T17", "R44")
def test_of_200_000_payloads_none_opens_and_none_raises_anything_but_a_refusal() -> None:
    tally = run(200_000, 200_000)
    assert (count(tally, OPENING), count(tally, UNCAUGHT)) == (0, 0), tally.findings
    assert tally.trials == 200_000


@pytest.mark.requirement("T14")
def test_payloads_reach_every_layer_and_some_are_passes_that_were_issued() -> None:
    tally = run(5, 5_000)
    reached = {outcome for outcome, number in tally.outcomes.items() if number >= 10}
    assert reached >= {
        *(f"refused: {why.value}" for why in token.NoPass),
        "taken: as it was issued",
        "taken: with a code that is wrong",
        "taken: with its code, once",
    }


def test_every_issued_pass_is_among_the_seeds_and_most_seeds_were_never_issued() -> None:
    assert {seed[:160] for seed in SEEDS} > set(ISSUED)
    taken = [seed for seed in SEEDS if outcome_of(seed).startswith("taken")]
    assert {seed[:160] for seed in taken} == set(ISSUED)


@pytest.mark.requirement("T14")
def test_with_a_broken_signature_check_openings_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(token, "verify", lambda public, signature, message: True)
    tally = run(1, 2_000)
    assert count(tally, OPENING) > 100
    assert len(tally.findings) == trials.KEPT
    assert fuzz.failed(tally)


@pytest.mark.requirement("T14")
def test_with_a_lax_base45_openings_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small letters, which some scanners send, would give a pass many texts."""
    strict = base45.decode
    monkeypatch.setattr(base45, "decode", lambda text: strict(text.upper()))
    assert count(run(1, 10_000), OPENING) > 0


@pytest.mark.requirement("T14", "T17")
def test_with_codes_that_are_always_fresh_openings_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rotation, "judged", lambda *ignored: Judged(CodeState.FRESH, 1))
    assert count(run(1, 2_000), OPENING) > 0


@pytest.mark.requirement("T14")
@pytest.mark.parametrize("change", [{"uses": 9, "one_door": True}, {"needs_pin": False}])
def test_a_pass_that_says_something_else_than_was_issued_is_an_opening(
    change: dict[str, bool],
) -> None:
    def lying(raw: bytes, keyring: Keyring, audiences: frozenset[bytes], at_utc: datetime) -> Token:
        return replace(check(raw, keyring, audiences, at_utc), **change)  # type: ignore[arg-type]

    assert outcome_of(SEEDS[0]).startswith("taken")
    assert outcome_of(SEEDS[0], lying) == f"{OPENING}: pass"


@pytest.mark.parametrize("error", [ValueError, IndexError, OverflowError, RecursionError])
def test_an_exception_that_is_no_refusal_is_counted_and_kept(error: type[Exception]) -> None:
    def broken(
        raw: bytes, keyring: Keyring, audiences: frozenset[bytes], at_utc: datetime
    ) -> Token:
        raise error

    tally = run(1, 100, broken)
    assert count(tally, UNCAUGHT) == 100
    assert len(tally.findings) == trials.KEPT
    assert fuzz.failed(tally)


@pytest.mark.requirement("A7")
@pytest.mark.parametrize("wrong", [b"OTHER", b"", b"11010519491231002X", b"low1"])
def test_a_card_that_is_another_than_was_read_is_an_opening(
    wrong: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "plain_card", lambda raw: wrong)
    assert outcome_of(b"0001234567") == f"{OPENING}: card"


def test_the_same_seed_makes_the_same_payloads() -> None:
    one, other = random.Random(7), random.Random(7)
    assert [payload(one) for _ in range(200)] == [payload(other) for _ in range(200)]


def test_a_run_in_which_nothing_is_taken_shows_nothing() -> None:
    assert fuzz.failed(Tally(Counter({"refused: x": 100})))
    assert not fuzz.failed(Tally(Counter({"refused: x": 100, "taken: y": 1})))


def test_fuzzing_goes_on_where_it_stopped_and_counts_nothing_twice(tmp_path: Path) -> None:
    state = tmp_path / "fuzz" / "state.json"
    first = fuzz.fuzz(60, 2, state, piece=20)
    more = fuzz.fuzz(100, 1, state, piece=20)
    assert (first.trials, more.trials) == (60, 100)
    whole = fuzz.fuzz(100, 1, tmp_path / "other.json", piece=20)
    assert more.outcomes == whole.outcomes
    assert fuzz.fuzz(100, 1, state, piece=20).outcomes == whole.outcomes


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"code": 1}'])
def test_counts_that_can_not_be_read_are_begun_anew(text: str, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text(text, encoding="utf-8")
    assert fuzz.load(state, "code").tally.trials == 0


def test_counts_of_other_code_are_begun_anew(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    fuzz.fuzz(20, 1, state, piece=20)
    told = json.loads(state.read_text(encoding="utf-8"))
    assert fuzz.load(state, told["code"]).tally.trials == 20
    assert fuzz.load(state, "other").tally.trials == 0


def test_the_digest_is_of_what_is_tested(tmp_path: Path) -> None:
    for name in fuzz.TESTED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1", encoding="utf-8")
    before = fuzz.code_digest(tmp_path)
    (tmp_path / "terminal/passes/token.py").write_text("2", encoding="utf-8")
    assert fuzz.code_digest(tmp_path) != before


def test_the_table_says_what_was_tried_and_how_sure_that_makes() -> None:
    told = fuzz.table(Tally(Counter({"taken: x": 1, "refused: y": 2_999_999})))
    assert "3,000,000  trials" in told
    assert "1.0e-06  95 % upper bound" in told
    bad = fuzz.table(Tally(Counter({f"{OPENING}: pass": 1, "refused: y": 2}), ["OPENING: b'x'"]))
    assert "upper bound" not in bad
    assert "OPENING: b'x'" in bad


@pytest.mark.parametrize("words", [["--trials", "0"], ["--workers", "0"], ["--trials", "x"]])
def test_what_makes_no_sense_is_misuse(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        fuzz.main(words)
    assert caught.value.code == 2
