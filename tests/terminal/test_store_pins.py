"""A PIN is checked with the same work whoever it is for, counted when wrong, and kept nowhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from hashlib import scrypt, sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terminal.core.values import PersonId, PinVerdict
from terminal.errors import NotDone
from terminal.store import Store
from tests.terminal.given_store import (
    ANNA,
    AT,
    BEN,
    HOSTILE,
    LATER,
    NOBODY,
    CountingKeys,
    a_store,
    fill,
    identity_bytes,
    identity_of,
    some_keys,
)

PIN, SUFFIX = b"502918", b"9"
RIGHT, WRONG, DURESS = PinVerdict.RIGHT, PinVerdict.WRONG, PinVerdict.DURESS


@pytest.fixture
def keys() -> CountingKeys:
    return some_keys()


@pytest.fixture
def store(tmp_path: Path, keys: CountingKeys) -> Iterator[Store]:
    opened = a_store(tmp_path, keys)
    yield opened
    opened.close()


def check(
    store: Store, typed: bytes, person: PersonId = ANNA, suffix: bytes = SUFFIX
) -> PinVerdict:
    return store.pins.check(person, bytearray(typed), suffix)


def failures(store: Store, person: PersonId = ANNA) -> int:
    holder = store.holder(person)
    assert holder is not None
    return holder.pin_failures


def has_pin(store: Store, person: PersonId = ANNA) -> bool:
    holder = store.holder(person)
    assert holder is not None
    return holder.has_pin


def test_a_pin_is_right_wrong_or_under_duress(store: Store) -> None:
    store.pins.set(ANNA, bytearray(PIN), AT)
    assert check(store, PIN) is RIGHT
    assert check(store, PIN + SUFFIX) is DURESS
    for wrong in (b"", PIN[:-1], PIN + b"8", PIN + b"99", SUFFIX, b"502917", b"502917" + SUFFIX):
        assert check(store, wrong) is WRONG
    assert check(store, PIN + SUFFIX, suffix=b"") is WRONG
    assert check(store, PIN + b"77", suffix=b"77") is DURESS


@pytest.mark.requirement("R47")
def test_a_duress_form_counts_as_no_failure_and_sets_the_count_to_zero(store: Store) -> None:
    store.pins.set(ANNA, bytearray(PIN), AT)
    check(store, b"0000")
    assert failures(store) == 1
    assert check(store, PIN + SUFFIX) is DURESS
    assert failures(store) == 0


@pytest.mark.requirement("R19")
def test_there_is_no_pin_that_nobody_set(store: Store) -> None:
    assert not has_pin(store)
    for typed in (b"", b"0000", b"1234", b"000000", b"123456", b"12345678", b"0000" + SUFFIX):
        for person in (ANNA, NOBODY):
            assert check(store, typed, person) is WRONG
    assert not has_pin(store)


TYPED = (
    *(b"", b"0000", PIN, PIN + SUFFIX, PIN + b"8", b"5029189", b"1" * 8, b"1" * 10, b"1" * 11),
    *(b"50291a", b"50291\x00", b"\xff" * 6, b" 502918", "５０２９".encode(), b"1" * 5000),
)


@pytest.mark.parametrize("person", [ANNA, BEN, NOBODY])
def test_every_check_derives_twice(store: Store, keys: CountingKeys, person: PersonId) -> None:
    store.pins.set(ANNA, bytearray(PIN), AT)
    for typed in TYPED:
        for suffix in (b"", SUFFIX, b"77"):
            before = keys.derived
            check(store, typed, person, suffix)
            assert keys.derived - before == 2


def test_a_failure_is_on_the_disk_before_the_pin_is_looked_at(store: Store, tmp_path: Path) -> None:
    """Whoever pulls the plug while it derives has had this try."""

    class PluggedOut(CountingKeys):
        def pin_verifier(self, pin: memoryview, salt: bytes, person: PersonId) -> bytes:
            raise KeyboardInterrupt

    store.pins.set(ANNA, bytearray(PIN), AT)
    keys, store.pins._keys = store.pins._keys, PluggedOut.__new__(PluggedOut)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            check(store, PIN)
    store.pins._keys = keys
    store.close()
    again = a_store(tmp_path)
    assert failures(again) == 3
    assert check(again, b"0000") is WRONG
    assert failures(again) == 4
    assert check(again, PIN) is RIGHT
    assert failures(again) == 0
    again.close()


def test_failures_are_counted_for_each_person_also_without_a_pin(store: Store) -> None:
    store.pins.set(ANNA, bytearray(PIN), AT)
    for _ in range(7):
        check(store, b"0000", BEN)
    assert (failures(store), failures(store, BEN)) == (0, 7)
    store.pins.forgive(BEN)
    assert failures(store, BEN) == 0
    check(store, b"0000", BEN)
    store.pins.set(BEN, bytearray(b"7392"), AT)
    assert failures(store, BEN) == 0


@pytest.mark.parametrize(
    "bad",
    [b"", b"1", b"729", b"729183645", b"72 9", b"729a", b"\x00" * 4, "７２９１".encode(), b"+729"],
)
def test_what_is_no_pin_is_not_set(store: Store, bad: bytes) -> None:
    with pytest.raises(NotDone, match="4 to 8 digits"):
        store.pins.set(ANNA, bytearray(bad), AT)
    assert not has_pin(store)


@pytest.mark.requirement("R19")
@pytest.mark.parametrize(
    "trivial", [b"0000", b"7777777", b"1234", b"4321", b"12345678", b"87654321", b"7890", b"2109"]
)
def test_a_trivial_pin_is_refused_in_a_sentence_that_does_not_repeat_it(
    store: Store, trivial: bytes
) -> None:
    with pytest.raises(NotDone, match="anybody would try") as caught:
        store.pins.set(ANNA, bytearray(trivial), AT)
    assert trivial.decode() not in str(caught.value)
    assert not has_pin(store)


@pytest.mark.requirement("R47")
def test_a_pin_that_makes_the_one_before_a_silent_alarm_is_refused(store: Store) -> None:
    store.pins.set(ANNA, bytearray(PIN + SUFFIX), AT, SUFFIX)
    with pytest.raises(NotDone, match="silent alarm"):
        store.pins.set(ANNA, bytearray(PIN), AT, SUFFIX)
    assert check(store, PIN + SUFFIX) is RIGHT
    store.pins.set(ANNA, bytearray(PIN), AT, b"7")
    store.pins.set(BEN, bytearray(PIN), AT, SUFFIX)
    assert check(store, PIN + SUFFIX, BEN) is DURESS


def test_nobody_has_a_pin_set(store: Store) -> None:
    with pytest.raises(NotDone, match="not registered"):
        store.pins.set(NOBODY, bytearray(PIN), AT)


@pytest.mark.parametrize("suffix", [b"123", b"a", b"\x00", b" 9", b"-1"])
def test_what_is_no_suffix_is_an_error_of_the_program(store: Store, suffix: bytes) -> None:
    with pytest.raises(ValueError, match="suffix"):
        check(store, PIN, suffix=suffix)
    with pytest.raises(ValueError, match="suffix"):
        store.pins.set(ANNA, bytearray(PIN), AT, suffix)
    assert failures(store) == 0


def test_one_pin_replaces_another(store: Store) -> None:
    store.pins.set(ANNA, bytearray(PIN), AT)
    store.pins.set(ANNA, bytearray(b"7392"), LATER)
    assert check(store, PIN) is WRONG
    assert check(store, b"7392") is RIGHT


@pytest.mark.requirement("A20")
def test_the_row_of_one_person_is_no_pin_of_another(store: Store) -> None:
    store.pins.set(ANNA, bytearray(PIN), AT)
    identity_of(store).run(
        "INSERT INTO pin SELECT ?, salt, verifier, set_utc, 0 FROM pin WHERE person = ?", BEN, ANNA
    )
    assert check(store, PIN, BEN) is WRONG


@pytest.mark.requirement("R43")
def test_with_the_file_and_without_the_key_no_pin_is_found(store: Store, tmp_path: Path) -> None:
    """Neither by a plain hash of it, nor by the same scrypt, nor with another device's key."""
    store.pins.set(ANNA, bytearray(PIN), AT)
    kept = identity_bytes(tmp_path)
    [(salt, verifier)] = identity_of(store).rows("SELECT salt, verifier FROM pin")
    derived = scrypt(PIN, salt=salt, n=2**12, r=8, p=1, dklen=32)
    for trace in (PIN, sha256(PIN).digest(), sha256(salt + PIN).digest(), derived):
        assert trace not in kept
    other = some_keys(2).pin_verifier(memoryview(PIN), salt, ANNA)
    assert other != verifier
    assert some_keys().pin_verifier(memoryview(PIN), salt, ANNA) == verifier


@pytest.mark.requirement("T33")
def test_a_pin_that_was_cleared_or_replaced_is_in_no_file(store: Store, tmp_path: Path) -> None:
    def traces() -> list[bytes]:
        return list(identity_of(store).rows("SELECT salt, verifier FROM pin")[0])

    store.pins.set(ANNA, bytearray(PIN), AT)
    first = traces()
    assert all(trace in identity_bytes(tmp_path) for trace in first)
    store.pins.set(ANNA, bytearray(b"7392"), AT)
    second = traces()
    assert not any(trace in identity_bytes(tmp_path) for trace in first)
    store.pins.clear(ANNA)
    assert not any(trace in identity_bytes(tmp_path) for trace in second)
    assert not has_pin(store)
    assert check(store, b"7392") is WRONG


def test_no_digit_is_shown_or_logged(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        store.pins.set(ANNA, bytearray(PIN), AT)
        check(store, PIN)
        check(store, PIN + b"1")
    shown = caplog.text + repr(store.pins) + repr(store.holder(ANNA))
    assert PIN.decode() not in shown


def test_when_the_disk_is_full_a_pin_can_not_be_checked_and_is_not_looked_at(
    store: Store, keys: CountingKeys
) -> None:
    people = [PersonId(f"p{number:060}") for number in range(100)]  # more pins than a page holds
    for person in people:
        store.register_person(person, "Name", AT)
    store.pins.set(ANNA, bytearray(PIN), AT)
    fill(store)
    before = keys.derived
    verdicts = [check(store, b"0000", person) for person in people]
    assert PinVerdict.CANT_CHECK in verdicts
    assert keys.derived - before == 2 * verdicts.count(WRONG)


def test_when_the_file_is_gone_a_pin_can_not_be_checked(store: Store) -> None:
    store.pins.set(ANNA, bytearray(PIN), AT)
    identity_of(store).close()
    assert check(store, PIN) is PinVerdict.CANT_CHECK


@pytest.mark.requirement("T16", "A7")
def test_a_statement_that_is_typed_is_a_wrong_pin(store: Store) -> None:
    store.pins.set(ANNA, bytearray(PIN), AT)
    for typed in HOSTILE:
        assert check(store, typed.encode(errors="surrogatepass")) is WRONG
        assert check(store, PIN, PersonId(typed)) in (WRONG, PinVerdict.CANT_CHECK)
        assert check(store, PIN) is RIGHT


DIGITS = st.text("0123456789", min_size=4, max_size=8).map(str.encode)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(DIGITS, DIGITS, st.sampled_from([b"", b"9", b"00"]))
def test_nothing_but_the_pin_and_its_duress_form_is_taken(
    store: Store, pin: bytes, typed: bytes, suffix: bytes
) -> None:
    try:
        store.pins.set(ANNA, bytearray(pin), AT)
    except NotDone:
        return
    expected = RIGHT if typed == pin else WRONG
    if suffix and typed == pin + suffix:
        expected = DURESS
    assert check(store, typed, suffix=suffix) is expected
    assert check(store, pin, suffix=suffix) is RIGHT
    assert check(store, pin + suffix, suffix=suffix) is (DURESS if suffix else RIGHT)
