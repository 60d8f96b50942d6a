"""A pass is used as often as it says, whatever happens in between, and by nobody once revoked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terminal.core.values import PassId
from terminal.errors import NotDone, SealBroken, StoreFailed
from terminal.signing import public_of
from terminal.store import Details, Kind, PassKind, Store
from terminal.store.pass_keys import PassKeys
from tests.terminal.given_store import (
    ANNA,
    AT,
    BEN,
    LATER,
    NOBODY,
    NOON,
    NUMBER,
    OTHER_NUMBER,
    a_pass,
    a_store,
    identity_bytes,
    identity_of,
)

ROOT = Path(__file__).resolve().parents[2]
OVERLAP = timedelta(days=30)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = a_store(tmp_path)
    yield opened
    opened.close()


def used(store: Store, number: PassId = NUMBER) -> int:
    found = store.passes.of_number(number)
    assert found is not None
    return found.used


# What is issued


def test_a_pass_is_kept_as_it_was_issued(store: Store) -> None:
    facts = a_pass(store, uses=3, host=BEN)
    other = a_pass(store, OTHER_NUMBER, BEN, uses=0, rotates=True, kind=PassKind.RESIDENT)
    found = store.passes.of_number(NUMBER)
    assert found is not None
    assert (found.facts, found.issued, found.used, found.left) == (facts, AT.utc, 0, 3)
    assert not found.is_revoked
    assert [each.facts for each in store.passes.all()] == [facts, other]
    assert [each.facts for each in store.passes.all(BEN)] == [facts, other], "his guest's too"
    assert [each.left for each in store.passes.all(BEN)] == [3, None]
    assert store.passes.all(NOBODY) == []
    assert store.passes.of_number(PassId("f" * 16)) is None


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"number": PassId("")}, "16 hex"),
    ({"number": PassId("0" * 15 + "G")}, "16 hex"),
    ({"number": PassId("\ud800" * 16)}, "16 hex"),
    ({"valid_until": NOON}, "begins before"),
    ({"uses": -1}, "at most"),
    ({"uses": 10_001}, "at most"),
    ({"kind": PassKind.ONCE, "uses": 2}, "one-time"),
    ({"kind": PassKind.ONCE, "uses": 0}, "one-time"),
    ({"person": NOBODY}, "not registered"),
    ({"host": NOBODY}, "not registered"),
    ({"key_id": "00000000"}, "not this terminal's"),
    ({}, "draw another"),
)


@pytest.mark.parametrize(("change", "why"), WRONG)
def test_what_can_be_no_pass_is_not_issued(store: Store, change: dict[str, Any], why: str) -> None:
    facts = a_pass(store, OTHER_NUMBER)
    bad = replace(facts, **{"number": NUMBER if change else OTHER_NUMBER, **change})
    with pytest.raises(NotDone, match=why):
        store.passes.issue(bad, AT)
    assert [each.facts for each in store.passes.all()] == [facts]


def test_a_date_without_its_zone_is_not_kept(store: Store) -> None:
    facts = a_pass(store)
    bad = replace(
        facts,
        number=OTHER_NUMBER,
        valid_from=facts.valid_from.replace(tzinfo=None),
        valid_until=facts.valid_until.replace(tzinfo=None),
    )
    with pytest.raises(ValueError, match="time zone"):
        store.passes.issue(bad, AT)


@pytest.mark.requirement("R48")
def test_a_visitor_gets_a_visitors_pass_and_no_residents(store: Store) -> None:
    store.update_person(ANNA, Details("Anna", kind=Kind.VISITOR, host=BEN))
    with pytest.raises(NotDone, match="no resident's"):
        a_pass(store, kind=PassKind.RESIDENT)
    a_pass(store, kind=PassKind.VISITOR, host=BEN)
    assert store.passes.spend(NUMBER, None)


# Use


@pytest.mark.requirement("A10", "T17")
@pytest.mark.parametrize("uses", [1, 3])
def test_a_pass_that_is_used_up_is_refused_a_thousand_times_also_after_a_restart(
    store: Store, tmp_path: Path, uses: int
) -> None:
    a_pass(store, uses=uses)
    assert [store.passes.spend(NUMBER, None) for _ in range(uses)] == [True] * uses
    assert not any(store.passes.spend(NUMBER, None) for _ in range(1000))
    store.close()
    again = a_store(tmp_path)
    assert not any(again.passes.spend(NUMBER, None) for _ in range(1000))
    assert used(again) == uses
    again.close()


@pytest.mark.requirement("A10", "T17")
def test_a_rotating_code_is_good_once_and_none_before_it(store: Store, tmp_path: Path) -> None:
    a_pass(store, uses=0, rotates=True, kind=PassKind.RESIDENT)
    assert store.passes.spend(NUMBER, 1000)
    assert not any(store.passes.spend(NUMBER, 1000) for _ in range(1000))
    assert not any(store.passes.spend(NUMBER, step) for step in range(1000))
    assert store.passes.spend(NUMBER, 1001)
    store.close()
    again = a_store(tmp_path)
    assert not any(again.passes.spend(NUMBER, 1001) for _ in range(1000))
    found = again.passes.of_number(NUMBER)
    assert found is not None
    assert (found.used, found.last_step) == (2, 1001)
    again.close()


@pytest.mark.parametrize("step", [None, -1, 2**40 + 1, 2**70])
def test_a_rotating_pass_is_not_spent_without_a_step_that_can_be(
    store: Store, step: int | None
) -> None:
    a_pass(store, uses=0, rotates=True, kind=PassKind.RESIDENT)
    assert not store.passes.spend(NUMBER, step)
    assert used(store) == 0


def test_a_pass_that_does_not_rotate_is_not_spent_by_a_step(store: Store) -> None:
    a_pass(store)
    assert not store.passes.spend(NUMBER, 5)
    assert used(store) == 0


def test_a_step_of_zero_is_a_step(store: Store) -> None:
    a_pass(store, uses=0, rotates=True, kind=PassKind.RESIDENT)
    assert store.passes.spend(NUMBER, 0)
    assert not store.passes.spend(NUMBER, 0)


def test_a_revoked_pass_is_not_spent_nor_made_good_again(store: Store, tmp_path: Path) -> None:
    a_pass(store, uses=5)
    assert store.passes.spend(NUMBER, None)
    store.passes.revoke(NUMBER, AT)
    store.passes.revoke(NUMBER, LATER)
    store.close()
    again = a_store(tmp_path)
    assert not again.passes.spend(NUMBER, None)
    found = again.passes.of_number(NUMBER)
    assert found is not None
    assert (found.used, found.revoked) == (1, AT.utc)
    with pytest.raises(NotDone, match="no such pass"):
        again.passes.revoke(OTHER_NUMBER, AT)
    again.close()


def test_a_pass_nobody_issued_is_not_spent(store: Store) -> None:
    for step in (None, 5):
        assert not store.passes.spend(NUMBER, step)


@pytest.mark.requirement("A10", "T17")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pass SET used = 2",
        "UPDATE pass SET used = 0",
        "UPDATE pass SET used = -1",
        "UPDATE pass SET uses = 9",
        "UPDATE pass SET revoked_utc = NULL",
        "UPDATE pass SET person = 'person-ben'",
        "UPDATE pass SET valid_until = '2099-01-01T00:00:00.000000+00:00'",
        "UPDATE pass SET is_marked = 1",
    ],
)
def test_the_file_itself_gives_no_use_back_whoever_writes_to_it(
    store: Store, statement: str
) -> None:
    a_pass(store, uses=1)
    assert store.passes.spend(NUMBER, None)
    store.passes.revoke(NUMBER, AT)
    with pytest.raises(StoreFailed):
        identity_of(store).run(statement)
    assert not store.passes.spend(NUMBER, None)


def test_the_file_itself_takes_no_step_back(store: Store) -> None:
    a_pass(store, uses=0, rotates=True, kind=PassKind.RESIDENT)
    store.passes.spend(NUMBER, 7)
    for statement in ("UPDATE pass SET last_step = 6", "UPDATE pass SET last_step = NULL"):
        with pytest.raises(StoreFailed, match="given back"):
            identity_of(store).run(statement)


@pytest.mark.requirement("A10", "T17")
def test_a_pass_is_never_used_too_often_however_often_its_process_is_killed(
    store: Store, tmp_path: Path
) -> None:
    uses, kills = 300, 60
    a_pass(store, uses=uses)
    store.close()
    words = [sys.executable, "-m", "tests.terminal.spending", str(tmp_path), NUMBER, str(kills)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    heard = int(done.stdout)
    again = a_store(tmp_path)
    assert uses - kills <= heard <= uses
    assert used(again) == uses
    assert not again.passes.spend(NUMBER, None)
    again.close()


@pytest.mark.requirement("A10", "T17")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.integers(0, 4),
    st.booleans(),
    st.lists(st.one_of(st.none(), st.integers(-1, 6), st.just("restart"))),
)
def test_no_order_of_tries_and_restarts_spends_a_pass_too_often(
    tmp_path_factory: pytest.TempPathFactory,
    uses: int,
    rotates: bool,
    tries: list[int | str | None],
) -> None:
    folder = tmp_path_factory.mktemp("passes")
    store = a_store(folder)
    a_pass(store, uses=uses, rotates=rotates)
    steps: list[int | None] = []
    for each in tries:
        if isinstance(each, str):
            store.close()
            store = a_store(folder)
        elif store.passes.spend(NUMBER, each):
            steps.append(each)
    assert len(steps) <= uses or uses == 0
    if rotates:
        assert steps == sorted({step for step in steps if step is not None})
    else:
        assert set(steps) <= {None}
    assert used(store) == len(steps)
    store.close()


def test_an_older_file_put_back_knows_no_pass_that_was_issued_since(
    store: Store, tmp_path: Path
) -> None:
    a_pass(store, uses=1)
    store.close()
    path = tmp_path / "identity.db"
    older = path.read_bytes()
    store = a_store(tmp_path)
    a_pass(store, OTHER_NUMBER)
    store.passes.spend(NUMBER, None)
    store.close()
    path.write_bytes(older)
    again = a_store(tmp_path)
    assert not again.passes.spend(OTHER_NUMBER, None)
    assert again.passes.spend(NUMBER, None), "the limit that the head of the module names"
    again.close()


# The end of passes


@pytest.mark.requirement("T33")
def test_with_a_person_go_the_passes_and_those_for_the_persons_guests_end(
    store: Store, tmp_path: Path
) -> None:
    a_pass(store, uses=0)
    a_pass(store, OTHER_NUMBER, BEN, uses=0, host=ANNA)
    store.erase_person(ANNA, LATER)
    assert store.passes.of_number(NUMBER) is None
    assert not store.passes.spend(NUMBER, None)
    assert NUMBER.encode() not in identity_bytes(tmp_path)
    guests = store.passes.of_number(OTHER_NUMBER)
    assert guests is not None
    assert (guests.revoked, guests.facts.host) == (LATER.utc, None)
    assert not store.passes.spend(OTHER_NUMBER, None)


def test_passes_that_have_ended_are_forgotten_and_refused(store: Store, tmp_path: Path) -> None:
    a_pass(store, uses=0)
    assert store.passes.forget_ended(NOON + timedelta(days=1)) == 0
    assert store.passes.forget_ended(NOON + timedelta(days=2)) == 1
    assert not store.passes.spend(NUMBER, None)
    assert NUMBER.encode() not in identity_bytes(tmp_path)


# Keys


@pytest.mark.requirement("R43")
def test_a_key_is_made_once_and_is_another_on_each_terminal(store: Store, tmp_path: Path) -> None:
    keys = store.pass_keys
    first = keys.current(AT)
    assert keys.current(LATER) == first
    other = a_store(tmp_path / "other")
    assert other.pass_keys.current(AT) != first
    other.close()


def test_the_private_part_goes_with_the_public_one_and_is_in_no_file(
    store: Store, tmp_path: Path
) -> None:
    keys = store.pass_keys
    with keys.open_private(keys.current(AT)) as secret:
        assert public_of(secret) == keys.keyring()[keys.current(AT)].public
        assert any(secret.view)
        assert bytes(secret.view[:16]) not in identity_bytes(tmp_path)


def test_after_a_rotation_the_old_key_is_accepted_for_a_while_and_signs_no_more(
    store: Store, tmp_path: Path
) -> None:
    keys = store.pass_keys
    old = keys.current(AT)
    before = keys.keyring()[old]
    [(sealed,)] = identity_of(store).rows("SELECT sealed_private FROM pass_key")
    new = keys.rotate(LATER, OVERLAP)
    assert keys.current(LATER) == new != old
    ring = keys.keyring()
    assert ring[new].accept_until is None
    assert ring[old] == replace(before, accept_until=LATER.utc + OVERLAP)
    with pytest.raises(StoreFailed, match="no key"):
        keys.open_private(old)
    assert sealed[5:] not in identity_bytes(tmp_path)
    store.close()
    again = a_store(tmp_path)
    assert again.pass_keys.keyring() == ring
    again.close()


def test_passes_outlive_the_rotation_of_their_key(store: Store) -> None:
    a_pass(store)
    store.pass_keys.rotate(LATER, OVERLAP)
    assert store.passes.spend(NUMBER, None)


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=4000)])
def test_an_overlap_that_can_be_none_changes_nothing(store: Store, overlap: timedelta) -> None:
    keys = store.pass_keys
    old = keys.current(AT)
    with pytest.raises(ValueError, match="overlap"):
        keys.rotate(LATER, overlap)
    assert keys.current(LATER) == old


@pytest.mark.requirement("A20")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pass_key SET sealed_private = sealed_public",
        "UPDATE pass_key SET key_id = 'other'",
        "UPDATE pass_key SET sealed_private = randomblob(65)",
    ],
)
def test_a_private_part_in_another_place_does_not_open(store: Store, statement: str) -> None:
    keys = store.pass_keys
    keys.current(AT)
    identity_of(store).run(statement)
    with pytest.raises(SealBroken):
        keys.open_private(keys.current(AT))


@pytest.mark.requirement("A20", "R44")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pass_key SET sealed_public = randomblob(65)",
        "UPDATE pass_key SET key_id = 'other'",
        "UPDATE pass_key SET sealed_public = sealed_private",
        "INSERT INTO pass_key VALUES ('0a0a0a0a', randomblob(32), NULL, 'x', 'x', 'x')",
    ],
)
def test_a_key_that_this_terminal_did_not_make_is_not_accepted(
    store: Store, statement: str
) -> None:
    """Whoever can write the file, and has not the device's key, can't put a key of theirs there."""
    name = store.pass_keys.current(AT)
    mine = dict(store.pass_keys.keyring())
    identity_of(store).run(statement)
    ring = PassKeys(identity_of(store), vars(store)["_keys"]).keyring()
    assert all(ring[key] == mine[name] for key in ring)
    assert "other" not in ring and "0a0a0a0a" not in ring


def test_a_rotation_that_fails_leaves_the_old_key(store: Store) -> None:
    keys = store.pass_keys
    old = keys.current(AT)
    identity_of(store).run("PRAGMA query_only = ON")
    with pytest.raises(StoreFailed):
        keys.rotate(LATER, OVERLAP)
    identity_of(store).run("PRAGMA query_only = OFF")
    assert keys.current(LATER) == old
    keys.open_private(old).close()
