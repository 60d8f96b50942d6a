"""What is kept is kept under a consent, bound to its place, and gone when it is erased."""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from terminal.comparison import Embeddings, References
from terminal.core.values import CardId, ConsentId, ConsentState, Moment, PersonId
from terminal.errors import NotDone, RefuseToStart, SealBroken, StoreFailed
from terminal.memory import LockedBuffer
from terminal.schema import BIOMETRIC, IDENTITY
from terminal.sealing import KEY_BYTES, Keys
from terminal.store import MAX_REFERENCES, Counts, Store

Words = npt.NDArray[np.uint64]

WIDTH = 128
MODEL, OTHER_MODEL, NOTICE = "a" * 64, "b" * 64, "c" * 64
NOON = datetime(2027, 5, 1, 12, tzinfo=UTC)
AT = Moment(1.0, NOON, True)
ANNA, BEN = PersonId("person-anna"), PersonId("person-ben")
FIRST, SECOND = ConsentId("consent-1"), ConsentId("consent-2")
CARD, OTHER_CARD = CardId("1" * 64), CardId("2" * 64)
GIVEN = ConsentState.GIVEN


def some_keys(byte: int = 1) -> Keys:
    root = LockedBuffer(KEY_BYTES)
    root.view[:] = bytes([byte]) * KEY_BYTES
    return Keys(root)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path, some_keys())
    yield opened
    opened.close()


def faces(seed: int, count: int = 5) -> Embeddings:
    """References of one made-up person: near each other, far from everyone else's."""
    rng = np.random.default_rng(seed)
    centre = rng.normal(size=WIDTH)
    return (centre + 0.2 * rng.normal(size=(count, WIDTH))).astype(np.float32)


def consent(store: Store, person: PersonId, consent_id: ConsentId) -> None:
    store.put_consent(person, consent_id, GIVEN, AT, notice_sha256=NOTICE, how="button")


def enrol(store: Store, person: PersonId, seed: int, count: int = 5) -> None:
    consent_id = ConsentId(f"consent-of-{person}")
    store.register_person(person, f"Name of {person}", AT)
    consent(store, person, consent_id)
    store.put_templates(person, consent_id, MODEL, faces(seed, count))


def loaded(store: Store, model: str = MODEL) -> References:
    references = References(WIDTH)
    store.load_references(model, references)
    return references


def tool(folder: Path, file_name: str = BIOMETRIC.file_name) -> sqlite3.Connection:
    """Anyone's SQLite, with the keys of nobody."""
    return sqlite3.connect(folder / file_name, isolation_level=None)


def sql(folder: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    connection = tool(folder)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def kept_bytes(folder: Path) -> bytes:
    """Every byte of every file that is kept."""
    return b"\0".join(path.read_bytes() for path in sorted(folder.iterdir()))


# People, cards


def test_a_person_is_found_by_identifier_and_by_name(store: Store) -> None:
    store.register_person(ANNA, "  王  小明 ", AT)
    store.register_person(BEN, "Ben Müller", AT)
    for wanted in (ANNA, "王 小明"):
        found = store.find(wanted)
        assert found is not None
        assert (found.person, found.name) == (ANNA, "王 小明")
    decomposed = store.find("ben mu\u0308ller")
    assert decomposed is not None
    assert decomposed.person == BEN
    assert store.find("Nobody") is None


def test_two_people_of_one_name_are_told_apart_by_identifier(store: Store) -> None:
    for person in (ANNA, BEN):
        store.register_person(person, "Li Wei", AT)
    with pytest.raises(NotDone, match="2 people"):
        store.find("li wei")
    found = store.find(BEN)
    assert found is not None
    assert found.person == BEN


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * 201, "王" * 67, "a\nb\x00", "a\u202eb", "\x1b[2J"]
)
def test_a_name_that_can_be_none_is_refused(store: Store, name: str) -> None:
    with pytest.raises(NotDone, match="A name has"):
        store.register_person(ANNA, name, AT)
    assert store.people() == []


def test_a_person_is_registered_once(store: Store) -> None:
    store.register_person(ANNA, "Anna", AT)
    with pytest.raises(NotDone, match="registered already"):
        store.register_person(ANNA, "Anna again", AT)


@pytest.mark.requirement("R16", "R18")
def test_no_name_can_be_read_in_any_file(store: Store, tmp_path: Path) -> None:
    store.register_person(ANNA, "Anna Unmistakable", AT)
    assert b"Unmistakable" not in kept_bytes(tmp_path)
    assert "Unmistakable" not in repr(store.people())


def test_a_holder_carries_what_a_decision_needs(store: Store) -> None:
    until = NOON + timedelta(days=3)
    store.register_person(ANNA, "Anna", AT, valid_from=NOON, valid_until=until)
    store.bind_card(ANNA, CARD, AT)
    holder = store.holder_of_card(CARD)
    assert holder is not None
    assert (holder.person, holder.valid_from, holder.valid_until) == (ANNA, NOON, until)
    assert holder.consent is ConsentState.NONE
    assert store.holder_of_card(OTHER_CARD) is None
    assert store.holder(BEN) is None


def test_a_card_belongs_to_one_person(store: Store) -> None:
    store.register_person(ANNA, "Anna", AT)
    store.register_person(BEN, "Ben", AT)
    store.bind_card(ANNA, CARD, AT)
    store.bind_card(ANNA, CARD, AT)
    with pytest.raises(NotDone, match="someone else"):
        store.bind_card(BEN, CARD, AT)
    with pytest.raises(NotDone, match="not registered"):
        store.bind_card(PersonId("nobody"), OTHER_CARD, AT)
    assert [each.cards for each in store.people()] == [1, 0]


@pytest.mark.requirement("R45")
def test_a_card_number_is_in_no_file_plain_or_hashed_without_a_key(
    store: Store, tmp_path: Path
) -> None:
    from hashlib import md5, sha1, sha256

    number = b"0001234567"
    store.register_person(ANNA, "Anna", AT)
    store.bind_card(ANNA, some_keys().card_id(number), AT)
    kept = kept_bytes(tmp_path)
    assert number not in kept
    for digest in (md5, sha1, sha256):
        hashed = digest(number)
        assert hashed.digest() not in kept
        assert hashed.hexdigest().encode() not in kept


@pytest.mark.requirement("T16", "A7")
def test_a_statement_in_a_name_is_a_name(store: Store) -> None:
    name = "Robert'); DROP TABLE person; --"
    store.register_person(ANNA, name, AT)
    found = store.find(name)
    assert found is not None
    assert found.person == ANNA


# Consent


@pytest.mark.requirement("R01")
def test_a_template_is_not_written_without_a_consent_that_stands(store: Store) -> None:
    store.register_person(ANNA, "Anna", AT)
    with pytest.raises(NotDone, match="no consent that stands"):
        store.put_templates(ANNA, FIRST, MODEL, faces(1))
    for state in (ConsentState.REQUESTED, ConsentState.REFUSED):
        store.put_consent(ANNA, FIRST, state, AT, notice_sha256=NOTICE, how="button")
        with pytest.raises(NotDone, match="no consent that stands"):
            store.put_templates(ANNA, FIRST, MODEL, faces(1))
    consent(store, BEN, SECOND)
    with pytest.raises(NotDone, match="no consent that stands"):
        store.put_templates(ANNA, SECOND, MODEL, faces(1))
    assert store.counts().templates == 0


@pytest.mark.requirement("R01")
def test_who_consented_and_is_enrolled_is_found(store: Store) -> None:
    enrol(store, ANNA, 1)
    enrol(store, BEN, 2)
    references = loaded(store)
    assert references.search(faces(1)[0], 0.6) == ANNA
    assert references.search(faces(2)[0], 0.6) == BEN
    assert references.search(faces(3)[0], 0.6) is None
    holder = store.holder(ANNA)
    assert holder is not None
    assert holder.consent is GIVEN


@pytest.mark.requirement("R01", "T37")
@pytest.mark.parametrize(
    "state", [ConsentState.WITHDRAWN, ConsentState.EXPIRED, ConsentState.REFUSED]
)
def test_when_consent_ends_its_templates_are_gone(store: Store, state: ConsentState) -> None:
    enrol(store, ANNA, 1)
    store.erase_face(ANNA, AT, state)
    assert store.consent_of(ANNA) is state
    assert store.counts().templates == 0
    assert len(loaded(store)) == 0


@pytest.mark.requirement("R01", "T37")
def test_a_consent_row_that_was_deleted_leaves_no_match(store: Store, tmp_path: Path) -> None:
    enrol(store, ANNA, 1)
    sql(tmp_path, "DELETE FROM consent")
    assert len(loaded(store)) == 0


@pytest.mark.requirement("R01", "T37")
@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE consent SET state = 'withdrawn', ended_utc = 'x'",
        "DELETE FROM consent",
        "UPDATE consent SET person = 'somebody-else'",
    ],
)
def test_without_a_consent_that_stands_nobody_is_loaded_though_the_triggers_are_gone(
    store: Store, tmp_path: Path, deed: str
) -> None:
    enrol(store, ANNA, 1)
    for trigger in ("consent_ended", "consent_gone", "consent_stays_whose"):
        sql(tmp_path, f"DROP TRIGGER {trigger}")
    sql(tmp_path, deed)
    assert store.counts().templates == 5
    assert len(loaded(store)) == 0


@pytest.mark.requirement("T37", "A24")
def test_a_template_put_there_with_a_made_up_consent_does_not_open(
    store: Store, tmp_path: Path
) -> None:
    store.register_person(ANNA, "Anna", AT)
    sql(
        tmp_path,
        "INSERT INTO consent VALUES (NULL, 'c', ?, 'given', ?, 'x', 'x', 'x', NULL)",
        *(ANNA, NOTICE),
    )
    sql(
        tmp_path,
        "INSERT INTO template VALUES (NULL, 't', ?, 'c', ?, 1, ?)",
        *(ANNA, MODEL, faces(1)[0].tobytes() + bytes(33)),
    )
    with pytest.raises(SealBroken, match="Template t does not open"):
        loaded(store)


@pytest.mark.requirement("A24")
def test_a_template_of_someone_who_is_not_registered_is_not_loaded(store: Store) -> None:
    consent(store, ANNA, FIRST)
    store.put_templates(ANNA, FIRST, MODEL, faces(1))
    assert len(loaded(store)) == 0


def test_a_consent_goes_from_asked_to_given_and_keeps_its_notice(
    store: Store, tmp_path: Path
) -> None:
    later = Moment(5.0, NOON + timedelta(minutes=1), True)
    store.put_consent(ANNA, FIRST, ConsentState.REQUESTED, AT, notice_sha256=NOTICE, how="screen")
    assert store.consent_of(ANNA) is ConsentState.REQUESTED
    store.put_consent(ANNA, FIRST, GIVEN, later, notice_sha256=NOTICE, how="button")
    rows = sql(tmp_path, "SELECT state, notice_sha256, how, opened_utc, given_utc FROM consent")
    opened, given_at = (f"2027-05-01T12:0{minute}:00.000000+00:00" for minute in (0, 1))
    assert rows == [("given", NOTICE, "button", opened, given_at)]


def test_a_consent_that_ended_needs_a_new_one(store: Store) -> None:
    enrol(store, ANNA, 1)
    old = ConsentId(f"consent-of-{ANNA}")
    store.erase_face(ANNA, AT)
    with pytest.raises(NotDone, match="has ended"):
        consent(store, ANNA, old)
    with pytest.raises(NotDone, match="no consent that stands"):
        store.put_templates(ANNA, old, MODEL, faces(1))
    consent(store, ANNA, SECOND)
    store.put_templates(ANNA, SECOND, MODEL, faces(1))
    assert len(loaded(store)) == 1


def test_a_consent_is_nobody_elses(store: Store) -> None:
    consent(store, ANNA, FIRST)
    with pytest.raises(NotDone, match="someone else's"):
        consent(store, BEN, FIRST)


def test_a_new_consent_ends_the_one_before_with_what_was_kept_under_it(store: Store) -> None:
    enrol(store, ANNA, 1)
    consent(store, ANNA, SECOND)
    assert store.counts() == Counts(people=1, cards=0, consents=1, enrolled=0, templates=0)


def test_a_state_that_is_none_is_not_written(store: Store) -> None:
    with pytest.raises(ValueError, match="has a state"):
        store.put_consent(ANNA, FIRST, ConsentState.NONE, AT, notice_sha256=NOTICE, how="x")
    with pytest.raises(ValueError, match="ends refused"):
        store.erase_face(ANNA, AT, GIVEN)


@pytest.mark.requirement("R02")
def test_a_consent_without_the_notice_that_was_shown_is_not_written(store: Store) -> None:
    with pytest.raises(StoreFailed):
        store.put_consent(ANNA, FIRST, GIVEN, AT, notice_sha256="", how="button")
    assert store.consent_of(ANNA) is ConsentState.NONE


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "give", "refuse", "expire", "enrol", "erase", "forget"]),
        st.sampled_from([ANNA, BEN]),
        st.sampled_from([ConsentId(f"c{number}") for number in range(4)]),
    ),
    max_size=30,
)


@pytest.mark.requirement("R01")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ACTIONS)
@example(
    [("give", BEN, ConsentId("c0")), ("ask", BEN, ConsentId("c1")), ("enrol", BEN, ConsentId("c0"))]
)
@example(
    [
        ("give", BEN, ConsentId("c0")),
        ("refuse", BEN, ConsentId("c1")),
        ("enrol", BEN, ConsentId("c0")),
    ]
)
def test_no_order_of_events_leaves_a_template_without_a_consent(
    tmp_path_factory: pytest.TempPathFactory,
    actions: list[tuple[str, PersonId, ConsentId]],
) -> None:
    folder = tmp_path_factory.mktemp("store")
    store = Store.open(folder, some_keys())
    for person in (ANNA, BEN):
        store.register_person(person, person, AT)
    for action, person, consent_id in actions:
        try:
            act(store, action, person, consent_id)
        except NotDone:
            continue
    orphans = sql(
        folder,
        "SELECT count(*) FROM template t LEFT JOIN consent c"
        " ON c.consent_id = t.consent_id AND c.person = t.person AND c.state = 'given'"
        " WHERE c.number IS NULL",
    )
    assert orphans == [(0,)]
    for person in loaded(store):
        assert store.consent_of(person) is GIVEN
    store.close()


def act(store: Store, action: str, person: PersonId, consent_id: ConsentId) -> None:
    states = {"ask": ConsentState.REQUESTED, "give": GIVEN, "refuse": ConsentState.REFUSED}
    if action in states:
        store.put_consent(person, consent_id, states[action], AT, notice_sha256=NOTICE, how="x")
    elif action == "expire":
        store.erase_face(person, AT, ConsentState.EXPIRED)
    elif action == "enrol":
        store.put_templates(person, consent_id, MODEL, faces(1, 1))
    elif action == "erase":
        store.erase_face(person, AT)
    else:
        store.erase_person(person, AT)
        store.register_person(person, person, AT)


# Templates


def test_only_what_the_present_model_captured_is_loaded(store: Store) -> None:
    enrol(store, ANNA, 1)
    assert len(loaded(store, OTHER_MODEL)) == 0


def test_capturing_anew_replaces_what_was_there(store: Store) -> None:
    enrol(store, ANNA, 1)
    store.put_templates(ANNA, ConsentId(f"consent-of-{ANNA}"), MODEL, faces(9))
    references = loaded(store)
    assert references.search(faces(9)[0], 0.6) == ANNA
    assert references.search(faces(1)[0], 0.6) is None
    assert store.counts().templates == 5


@pytest.mark.parametrize(
    "bad",
    [
        faces(1)[0],
        faces(1).astype(np.float64),
        np.empty((0, WIDTH), np.float32),
        np.zeros((MAX_REFERENCES + 1, WIDTH), np.float32),
    ],
)
def test_references_of_another_shape_or_type_are_refused(store: Store, bad: Embeddings) -> None:
    consent(store, ANNA, FIRST)
    with pytest.raises(ValueError, match=r"reference|References"):
        store.put_templates(ANNA, FIRST, MODEL, bad)


@pytest.mark.requirement("R14")
def test_no_template_can_be_read_in_any_file(store: Store, tmp_path: Path) -> None:
    enrol(store, ANNA, 1)
    kept = kept_bytes(tmp_path)
    for row in faces(1):
        for form in (row, row.astype(np.float16), np.round(row * 127).astype(np.int8)):
            assert form.tobytes()[:16] not in kept


@pytest.mark.requirement("R14", "R01")
def test_a_template_with_one_flipped_bit_is_named_and_nobody_is_enrolled(
    store: Store, tmp_path: Path
) -> None:
    enrol(store, ANNA, 1)
    enrol(store, BEN, 2)
    [(template_id, sealed)] = sql(
        tmp_path, "SELECT template_id, sealed FROM template WHERE person = ? LIMIT 1", BEN
    )
    broken = bytearray(sealed)
    broken[100] ^= 1
    sql(tmp_path, "DROP TRIGGER template_stays")
    sql(tmp_path, "UPDATE template SET sealed = ? WHERE template_id = ?", broken, template_id)
    references = References(WIDTH)
    references.enrol(PersonId("someone"), faces(5))
    with pytest.raises(SealBroken, match=str(template_id)):
        store.load_references(MODEL, references)
    assert len(references) == 0
    assert store.holder(ANNA) is not None


SWAPS = "SELECT person, template_id, consent_id, model_sha256, sealed FROM template"


@pytest.mark.requirement("A20", "T31")
def test_of_all_swaps_among_100_people_not_one_template_opens(store: Store, tmp_path: Path) -> None:
    for number in range(100):
        enrol(store, PersonId(f"p{number:03}"), number, 1)
    rows = sql(tmp_path, SWAPS)
    opened = 0
    with LockedBuffer(4 * WIDTH) as out:
        for mine, other in itertools.permutations(rows, 2):
            try:
                store.faces._open_template((*mine[:4], other[4]), out.view)
                opened += 1
            except SealBroken:
                assert not any(out.view)
        store.faces._open_template(rows[0], out.view)  # and in its own place it does
    assert (len(rows) * (len(rows) - 1), opened) == (9900, 0)


@pytest.mark.requirement("A20", "T31")
@pytest.mark.parametrize("field", range(4))
def test_a_template_opens_under_no_other_person_id_consent_or_model(
    store: Store, tmp_path: Path, field: int
) -> None:
    enrol(store, ANNA, 1, 2)
    row = list(sql(tmp_path, SWAPS)[0])
    row[field] = str(row[field])[:-1] + "~"
    with LockedBuffer(4 * WIDTH) as out, pytest.raises(SealBroken):
        store.faces._open_template(tuple(row), out.view)


def test_a_template_that_points_nowhere_is_broken(store: Store) -> None:
    store.register_person(ANNA, "Anna", AT)
    consent(store, ANNA, FIRST)
    store.put_templates(ANNA, FIRST, MODEL, np.zeros((1, WIDTH), np.float32))
    with pytest.raises(SealBroken, match="no references"):
        loaded(store)


# Erasure


@pytest.mark.requirement("T33", "D5")
def test_who_is_erased_is_not_found_and_not_in_any_file(store: Store, tmp_path: Path) -> None:
    for number in range(40):
        enrol(store, PersonId(f"p{number:02}"), number)
    sealed = dict[str, list[bytes]]()
    for person, _, _, _, blob in sql(tmp_path, SWAPS):
        sealed.setdefault(str(person), []).append(blob)
    order = sorted(sealed)
    random.Random(7).shuffle(order)
    for gone, person in enumerate(order[:30], start=1):
        store.erase_face(PersonId(person), AT)
        words = words_in(kept_bytes(tmp_path))
        assert not any(traces(blob, words) for name in order[:gone] for blob in sealed[name])
        assert traces(sealed[order[-1]][0], words)  # the check can find what is there
    assert set(loaded(store)) == set(order[30:])
    assert store.consent_of(PersonId(order[0])) is ConsentState.WITHDRAWN


def words_in(kept: bytes) -> Words:
    """Every run of 8 bytes, at any place, in order."""
    whole = [kept[start : start + (len(kept) - start) // 8 * 8] for start in range(8)]
    words: Words = np.sort(np.concatenate([np.frombuffer(p, np.uint64) for p in whole]))
    return words


def traces(blob: bytes, words: Words) -> bool:
    """Whether any 8 bytes of what was sealed, from its nonce on, are still there."""
    sought = np.frombuffer(blob[5 : 5 + (len(blob) - 5) // 8 * 8], np.uint64)
    places = np.minimum(np.searchsorted(words, sought), len(words) - 1)
    return bool((words[places] == sought).any())


@pytest.mark.requirement("T33")
def test_a_capture_that_was_replaced_is_in_no_file(store: Store, tmp_path: Path) -> None:
    enrol(store, ANNA, 1)
    old = [row[4] for row in sql(tmp_path, SWAPS)]
    store.put_templates(ANNA, ConsentId(f"consent-of-{ANNA}"), MODEL, faces(2))
    words = words_in(kept_bytes(tmp_path))
    assert not any(traces(blob, words) for blob in old)


def test_erasing_a_person_leaves_no_name_no_card_and_no_face(store: Store, tmp_path: Path) -> None:
    enrol(store, ANNA, 1)
    store.bind_card(ANNA, CARD, AT)
    enrol(store, BEN, 2)
    connection = tool(tmp_path, IDENTITY.file_name)
    [(name,)] = connection.execute(
        "SELECT sealed_name FROM person WHERE person = ?", (ANNA,)
    ).fetchall()
    connection.close()
    store.erase_person(ANNA, AT)
    identity = b"".join(path.read_bytes() for path in tmp_path.glob("identity.db*"))
    assert not traces(name, words_in(identity))
    assert CARD.encode() not in identity
    assert ANNA.encode() not in identity
    assert store.holder_of_card(CARD) is None
    assert store.counts() == Counts(people=1, cards=0, consents=1, enrolled=1, templates=5)


def test_erasing_again_or_nobody_is_no_error(store: Store) -> None:
    enrol(store, ANNA, 1)
    for _ in range(2):
        store.erase_face(ANNA, AT)
        store.erase_person(BEN, AT)
    assert store.counts().people == 1


def test_erasing_that_a_reader_holds_up_is_said_and_can_be_done_again(
    store: Store, tmp_path: Path
) -> None:
    enrol(store, ANNA, 1)
    reader = tool(tmp_path)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM template").fetchall()
    with pytest.raises(StoreFailed, match="being read"):
        store.erase_face(ANNA, AT)
    assert len(loaded(store)) == 0
    reader.close()
    store.erase_face(ANNA, AT)


# Keys, disks


@pytest.mark.requirement("R14", "R43")
def test_files_sealed_with_another_key_are_refused(store: Store, tmp_path: Path) -> None:
    store.close()
    with pytest.raises(RefuseToStart, match="another key"):
        Store.open(tmp_path, some_keys(2))


def test_everything_is_there_after_a_restart(store: Store, tmp_path: Path) -> None:
    enrol(store, ANNA, 1)
    store.bind_card(ANNA, CARD, AT)
    store.close()
    assert Store.exists(tmp_path)
    again = Store.open(tmp_path, some_keys())
    assert [each.name for each in again.people()] == [f"Name of {ANNA}"]
    assert loaded(again).search(faces(1)[0], 0.6) == ANNA
    again.close()


def test_a_folder_without_a_store_holds_none(tmp_path: Path) -> None:
    assert not Store.exists(tmp_path)


def test_a_name_whose_seal_is_broken_is_no_name_and_the_others_are_shown(
    store: Store, tmp_path: Path
) -> None:
    store.register_person(ANNA, "Anna", AT)
    store.register_person(BEN, "Ben", AT)
    connection = tool(tmp_path, IDENTITY.file_name)
    connection.execute("UPDATE person SET sealed_name = x'00' WHERE person = ?", (ANNA,))
    connection.close()
    assert [each.name for each in store.people()] == [None, "Ben"]
    assert store.find(ANNA) is not None


def test_names_that_were_swapped_are_no_names(store: Store, tmp_path: Path) -> None:
    store.register_person(ANNA, "Anna", AT)
    store.register_person(BEN, "Ben", AT)
    connection = tool(tmp_path, IDENTITY.file_name)
    names = dict(connection.execute("SELECT person, sealed_name FROM person").fetchall())
    for person, other in ((ANNA, BEN), (BEN, ANNA)):
        connection.execute(
            "UPDATE person SET sealed_name = ? WHERE person = ?", (names[other], person)
        )
    connection.close()
    assert [each.name for each in store.people()] == [None, None]


def test_a_full_disk_is_said_and_nothing_is_half_written(store: Store) -> None:
    store.register_person(ANNA, "Anna", AT)
    consent(store, ANNA, FIRST)
    store.put_templates(ANNA, FIRST, MODEL, faces(1))
    pages = store.faces._database.rows("PRAGMA page_count")[0][0]
    store.faces._database.run(f"PRAGMA max_page_count = {pages:d}")
    with pytest.raises(StoreFailed, match="disk is full"):
        store.put_templates(ANNA, FIRST, MODEL, faces(2, MAX_REFERENCES))
    references = loaded(store)
    assert references.search(faces(1)[0], 0.6) == ANNA


def test_where_consents_can_not_be_read_a_card_still_has_its_holder(
    store: Store, tmp_path: Path
) -> None:
    enrol(store, ANNA, 1)
    store.bind_card(ANNA, CARD, AT)
    store.faces._database.close()
    holder = store.holder_of_card(CARD)
    assert holder is not None
    assert (holder.person, holder.consent) == (ANNA, ConsentState.NONE)


def test_a_time_without_its_zone_is_not_kept(store: Store) -> None:
    with pytest.raises(ValueError, match="time zone"):
        store.register_person(ANNA, "Anna", AT, valid_until=datetime(2027, 1, 1))  # noqa: DTZ001


@pytest.mark.requirement("T34")
def test_an_older_copy_put_back_does_not_bring_an_erased_face_back(tmp_path: Path) -> None:
    store = Store.open(tmp_path, some_keys())
    enrol(store, ANNA, 1)
    enrol(store, BEN, 2)
    store.close()
    older = (tmp_path / BIOMETRIC.file_name).read_bytes()
    store = Store.open(tmp_path, some_keys())
    store.erase_face(ANNA, AT)
    store.close()
    (tmp_path / BIOMETRIC.file_name).write_bytes(older)
    store = Store.open(tmp_path, some_keys())
    assert set(loaded(store)) == {ANNA, BEN}
    assert store.finish_erasures({ANNA}, AT) == 1
    assert set(loaded(store)) == {BEN}
    assert store.finish_erasures({ANNA}, AT) == 0
    store.close()


# A damaged file of faces


def break_header(folder: Path) -> None:
    (folder / BIOMETRIC.file_name).write_bytes(b"SQLite format 3\0" * 300)


def break_to_nothing_like_it(folder: Path) -> None:
    (folder / BIOMETRIC.file_name).write_bytes(b"no database at all" * 100)


def break_templates(folder: Path) -> None:
    """Damage that shows only when templates are read."""
    [(page,)] = sql(folder, "SELECT rootpage FROM sqlite_master WHERE name = 'template'")
    [(size,)] = sql(folder, "PRAGMA page_size")
    with (folder / BIOMETRIC.file_name).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


@pytest.fixture(params=[break_header, break_to_nothing_like_it, break_templates])
def lost(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> Iterator[Store]:
    """A store with one enrolled person, started again after its file of faces was damaged."""
    enrol(store, ANNA, 1)
    store.bind_card(ANNA, CARD, AT)
    store.close()
    request.param(tmp_path)
    opened = Store.open(tmp_path, some_keys())
    assert opened.finish_erasures({ANNA}, AT) == 0
    yield opened
    opened.close()


@pytest.mark.requirement("R14", "R43")
def test_with_a_damaged_file_of_faces_it_starts_and_cards_go_on(lost: Store) -> None:
    holder = lost.holder_of_card(CARD)
    assert holder is not None
    assert (holder.person, holder.consent) == (ANNA, ConsentState.NONE)
    lost.register_person(BEN, "Ben", AT)
    lost.bind_card(BEN, OTHER_CARD, AT)
    assert [each.name for each in lost.people()] == [f"Name of {ANNA}", "Ben"]
    assert lost.counts() == Counts(people=2, cards=2, consents=0, enrolled=0, templates=0)


@pytest.mark.requirement("R14", "R01")
def test_with_a_damaged_file_of_faces_nobody_is_loaded_and_it_is_said(lost: Store) -> None:
    assert lost.faces_lost is not None
    assert BIOMETRIC.file_name in lost.faces_lost
    references = References(WIDTH)
    references.enrol(PersonId("someone"), faces(5))
    with pytest.raises(SealBroken, match=r"biometric\.db"):
        lost.load_references(MODEL, references)
    assert len(references) == 0


@pytest.mark.requirement("R04")
def test_what_can_not_be_erased_from_a_damaged_file_is_not_said_to_be_erased(lost: Store) -> None:
    for erase in (lost.erase_face, lost.erase_person):
        with pytest.raises(StoreFailed):
            erase(ANNA, AT)
    assert lost.find(ANNA) is not None
    with pytest.raises(StoreFailed):
        consent(lost, ANNA, SECOND)


def test_damage_that_shows_while_templates_are_loaded_turns_faces_off(
    store: Store, tmp_path: Path
) -> None:
    enrol(store, ANNA, 1)
    store.close()
    break_templates(tmp_path)
    again = Store.open(tmp_path, some_keys())
    with pytest.raises(SealBroken, match="damaged"):
        loaded(again)
    assert again.faces_lost is not None
    again.close()


def test_a_sound_store_has_lost_nothing(store: Store) -> None:
    assert store.faces_lost is None


def test_a_damaged_file_of_people_still_refuses_the_start(store: Store, tmp_path: Path) -> None:
    store.close()
    (tmp_path / IDENTITY.file_name).write_bytes(b"SQLite format 3\0" * 300)
    with pytest.raises(RefuseToStart):
        Store.open(tmp_path, some_keys())


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("PRAGMA user_version = 99", "newer terminal"),
        ("PRAGMA application_id = 1", "not the file"),
        ("UPDATE device SET device = 'x'", "another key"),
    ],
)
def test_a_file_of_faces_that_is_whole_and_another_still_refuses_the_start(
    store: Store, tmp_path: Path, statement: str, why: str
) -> None:
    store.close()
    sql(tmp_path, statement)
    with pytest.raises(RefuseToStart, match=why):
        Store.open(tmp_path, some_keys())


def test_what_may_pass_is_neither_a_refusal_nor_a_loss(store: Store, tmp_path: Path) -> None:
    store.close()
    (tmp_path / f"{BIOMETRIC.file_name}-wal").unlink(missing_ok=True)
    (tmp_path / f"{BIOMETRIC.file_name}-wal").mkdir()
    with pytest.raises(StoreFailed, match="can't be opened"):
        Store.open(tmp_path, some_keys())


@pytest.mark.requirement("T34")
def test_an_erasure_that_is_only_held_up_at_the_start_loses_no_faces(
    store: Store, tmp_path: Path
) -> None:
    enrol(store, ANNA, 1)
    reader = tool(tmp_path)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM template").fetchall()
    with pytest.raises(StoreFailed, match="being read"):
        store.finish_erasures({ANNA}, AT)
    assert store.faces_lost is None
    reader.close()
