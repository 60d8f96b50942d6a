"""Whoever is erased is recognised no more, now, and no template is left in the files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from terminal.core.values import ConsentState, Moment, PersonId
from terminal.errors import StoreFailed
from terminal.perform import ERASE_AGAIN_S
from terminal.requests import Erase
from terminal.schema import BIOMETRIC, IDENTITY, open_database
from terminal.store import Store
from tests.terminal.given_bridge import (
    CARD,
    MODEL,
    NAME,
    NEIGHBOUR,
    RESIDENT,
    Door,
    answer_of,
    door,
    lines_of,
    probe_of,
    some_keys,
)


class FailingStore(Store):
    """A store whose disk refuses every erasure until it is mended."""

    refuses = True

    def erase_face(
        self, person: PersonId, at: Moment, state: ConsentState = ConsentState.WITHDRAWN
    ) -> None:
        if self.refuses:
            raise StoreFailed("The disk can't be written; look at the system's log.")
        super().erase_face(person, at, state)


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Door]:
    with door(tmp_path) as made:
        made.has_resident(RESIDENT, face=1)
        made.has_resident(NEIGHBOUR, "Neighbour", card=b"0411111111", face=2)
        made.start()
        yield made


def files(folder: Path) -> bytes:
    """Everything that the databases, their logs and everything else beside them hold."""
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def sealed_templates(folder: Path) -> list[bytes]:
    database = open_database(folder, BIOMETRIC)
    rows = database.rows("SELECT sealed FROM template WHERE person = ?", RESIDENT)
    database.close()
    return [bytes(row[0]) for row in rows]


def is_let_in(made: Door, seed: int, track: int) -> bool:
    """Whether a genuine probe of that made-up person opens the door."""
    before = len(made.strikes())
    made.scans(track)
    made.is_compared(probe_of(seed), track)
    opened = len(made.strikes()) > before
    if opened:
        made.goes_through()
    made.waits(5.0)
    return opened


@pytest.mark.requirement("T33", "R04")
def test_after_erasing_the_genuine_probe_does_not_match_within_a_second(given: Door) -> None:
    assert is_let_in(given, seed=1, track=1)
    asked_s = given.time()
    assert answer_of(given.asks(Erase(NAME)))["ok"]
    assert given.recognition.identify(probe_of(1)) is None
    assert given.time() - asked_s <= 1.0
    assert not is_let_in(given, seed=1, track=2)
    assert is_let_in(given, seed=2, track=3), "and nobody else is forgotten"


@pytest.mark.requirement("T33", "R04")
def test_after_erasing_nothing_of_the_template_is_in_the_files(given: Door) -> None:
    sealed = sealed_templates(given.folder)
    assert len(sealed) == 5
    assert all(one in files(given.folder) for one in sealed)
    given.asks(Erase(RESIDENT))
    assert sealed_templates(given.folder) == []
    left = files(given.folder)
    pieces = [one[at : at + 32] for one in sealed for at in range(0, len(one) - 32, 32)]
    assert not any(piece in left for piece in pieces)


@pytest.mark.requirement("T33")
def test_the_row_in_memory_is_overwritten(given: Door) -> None:
    rows = vars(vars(given.recognition)["_references"])["_rows"]
    resident = rows[list(vars(given.recognition)["_references"]).index(RESIDENT)].copy()
    given.asks(Erase(RESIDENT))
    assert not any(np.allclose(row, resident) for row in rows)


@pytest.mark.requirement("R04")
def test_erasing_the_face_leaves_name_card_and_the_record_of_the_consent(given: Door) -> None:
    given.asks(Erase(NAME))
    person = given.store.find(NAME)
    assert person is not None
    assert (person.consent, person.cards, person.templates) == (ConsentState.WITHDRAWN, 1, 0)
    given.taps(CARD)
    assert given.strike_is_released()
    assert [one.kind for one in given.records if one.person == RESIDENT][-3:-1] == [
        "consent_withdrawn",
        "erased",
    ]


@pytest.mark.requirement("R04")
def test_erasing_everything_leaves_no_name_and_no_card(given: Door) -> None:
    hashed = given.card_id(CARD).encode()
    answer = answer_of(given.asks(Erase(NAME, everything=True)))
    assert answer == {"ok": True, "person": RESIDENT, "everything": True}
    assert given.store.find(RESIDENT) is None
    given.taps(CARD)
    assert given.strikes() == []
    assert hashed not in (given.folder / IDENTITY.file_name).read_bytes()


def test_whoever_is_not_registered_can_not_be_erased(given: Door) -> None:
    answer = answer_of(given.asks(Erase("Nobody")))
    assert answer == {"ok": False, "error": "Nobody of that name or identifier is registered."}
    assert given.recognition.enrolled == 2


# A disk that refuses


@pytest.fixture
def refusing(tmp_path: Path) -> Iterator[tuple[Door, FailingStore]]:
    store = FailingStore.open(tmp_path, some_keys())
    assert isinstance(store, FailingStore)
    made = Door(tmp_path, store=store)
    made.has_resident(RESIDENT, face=1)
    made.start()
    yield made, store
    made.close()


@pytest.mark.requirement("T33", "R04")
@pytest.mark.parametrize("everything", [False, True])
def test_when_the_disk_refuses_matching_stops_all_the_same_and_the_operator_is_told(
    refusing: tuple[Door, FailingStore], everything: bool
) -> None:
    made, _ = refusing
    answer = answer_of(made.asks(Erase(NAME, everything)))
    assert not answer["ok"], "it is not said to be erased"
    assert "The disk can't be written" in answer["error"]
    assert "recognised no more" in answer["error"]
    assert made.recognition.identify(probe_of(1)) is None
    assert made.performer.unerased == 1 + everything


@pytest.mark.requirement("T33", "R04")
@pytest.mark.parametrize("everything", [False, True])
def test_the_erasure_is_tried_again_until_the_disk_does_it(
    refusing: tuple[Door, FailingStore], everything: bool
) -> None:
    made, store = refusing
    made.asks(Erase(NAME, everything))
    made.waits(3 * ERASE_AGAIN_S)
    assert made.performer.unerased == 1 + everything
    assert len(sealed_templates(made.folder)) == 5
    store.refuses = False
    made.waits(ERASE_AGAIN_S + 1.0)
    assert made.performer.unerased == 0
    assert sealed_templates(made.folder) == []
    assert (made.store.find(NAME) is None) == everything


def test_nothing_is_said_twice(refusing: tuple[Door, FailingStore]) -> None:
    made, store = refusing
    asked = made.asks(Erase(NAME, everything=True))
    store.refuses = False
    made.waits(2 * ERASE_AGAIN_S)
    assert len(lines_of(asked)) == 1


@pytest.mark.requirement("T33")
def test_after_a_restart_the_erased_are_not_recognised(tmp_path: Path) -> None:
    with door(tmp_path) as made:
        made.has_resident(RESIDENT, face=1)
        made.start()
        made.asks(Erase(NAME))
    with door(tmp_path) as again:
        assert again.recognition.enrolled == 0
        assert again.recognition.model_sha256 == MODEL
