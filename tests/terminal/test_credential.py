"""What a reader read becomes a credential: checked from the outside in, and repeated nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from hw.ports import ReadKind
from terminal.core.events import CredentialPresented
from terminal.core.values import (
    PASS_PREFIX,
    CodeFault,
    CodeState,
    Medium,
    Moment,
    PersonId,
    Reason,
    Side,
)
from terminal.credential import CAMERA, Credentials
from terminal.errors import StoreFailed
from terminal.memory import LockedBuffer
from terminal.passes.token import Token, audience_of_group, encode
from terminal.requests import PassKeyChange, PassRevoke
from terminal.signing import SigningKey
from tests.terminal.given_bridge import (
    BEGIN,
    CARD,
    GROUP,
    RESIDENT,
    UNKNOWN_CARD,
    Door,
    answer_of,
    door,
    some_keys,
)
from tests.terminal.given_issued import Phone, issue, set_pin


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Door]:
    with door(tmp_path) as made:
        made.has_resident(face=None)
        made.start(vision=False)
        set_pin(made)
        yield made


def now(given: Door) -> Moment:
    return given.parts.clock.now()


def shown(given: Door, text: str | bytes, at: Moment | None = None) -> CredentialPresented:
    raw = text.encode() if isinstance(text, str) else text
    return given.credentials.code(CAMERA, raw, at or now(given))


def other_key() -> SigningKey:
    secret = LockedBuffer(32)
    secret.view[:] = bytes(range(32))
    return SigningKey(secret)


def tells_nothing(given: Door, raw: bytes) -> bool:
    """Nothing of what was read is in a complaint."""
    body = raw.removeprefix(PASS_PREFIX)
    said = "\n".join(given.complaints).encode()
    return not any(body[at : at + 8] in said for at in range(max(1, len(body) - 7)) if body)


# A good pass


def test_a_pass_comes_with_its_holder_and_what_is_known_of_it(given: Door) -> None:
    phone = issue(given, "once")
    event = shown(given, phone.text)
    assert (event.medium, event.problem, event.reader) == (Medium.QR, None, CAMERA)
    assert event.card is None
    assert event.holder is not None and event.holder.person == RESIDENT
    assert event.ticket is not None
    assert (event.ticket.number, event.ticket.left, event.ticket.code) == (
        phone.number,
        1,
        CodeState.NONE,
    )


def test_a_static_pass_says_that_it_takes_a_pin(given: Door) -> None:
    ticket = shown(given, issue(given, "static").text).ticket
    assert ticket is not None
    assert (ticket.needs_pin, ticket.left) == (True, None)


def test_a_visitors_pass_is_the_visitors_and_not_the_hosts(given: Door) -> None:
    phone = issue(given, "visitor", uses=3)
    event = shown(given, phone.text)
    assert event.holder is not None
    assert event.holder.person == phone.person != RESIDENT
    assert event.ticket is not None and event.ticket.left == 3


def test_a_rotating_code_is_fresh_once_and_wrong_at_another_time(given: Door) -> None:
    phone = issue(given, "resident")
    text, unix_s = phone.shows(given), now(given).utc.timestamp()
    ticket = shown(given, text).ticket
    assert ticket is not None
    assert (ticket.code, ticket.step) == (CodeState.FRESH, int(unix_s) // 30)
    assert given.store.passes.spend(phone.number, ticket.step)
    used = shown(given, text).ticket
    assert used is not None and used.code is CodeState.USED
    for far_s in (-3600.0, -90.0, 90.0, 3600.0):
        wrong = shown(given, phone.shows_at(unix_s + far_s)).ticket
        assert wrong is not None and wrong.code is CodeState.WRONG


def test_a_marked_pass_says_so_and_nothing_else_differs(given: Door) -> None:
    plain = shown(given, issue(given, "once").text)
    marked = shown(given, issue(given, "once", is_marked=True).text)
    assert plain.ticket is not None and marked.ticket is not None
    assert marked.ticket.is_marked and not plain.ticket.is_marked
    same = replace(marked.ticket, number=plain.ticket.number, is_marked=False)
    assert same == plain.ticket
    assert given.complaints == []


@pytest.mark.requirement("A8")
@pytest.mark.parametrize("kind", ["once", "static", "resident"])
def test_a_scanner_that_types_a_pass_is_as_good_as_the_camera(given: Door, kind: str) -> None:
    text = issue(given, kind).shows(given).encode()  # type: ignore[arg-type]
    at = now(given)
    by_scanner = given.credentials.read("door", text, ReadKind.IDENTIFIER, at)
    assert by_scanner == replace(given.credentials.code(CAMERA, text, at), reader="door")


# Refused, from the outside in


@pytest.mark.requirement("A7", "A8", "T14")
@pytest.mark.parametrize("payload", [b"", b"A", b"A" * 252, b"A" * 3000, b"\x00" * 40, b"'; --"])
def test_what_is_not_written_as_a_pass_is_refused_unread(given: Door, payload: bytes) -> None:
    event = shown(given, PASS_PREFIX + payload)
    assert (event.problem, event.holder, event.ticket) == (Reason.UNKNOWN_PASS, None, None)
    assert tells_nothing(given, PASS_PREFIX + payload)


@pytest.mark.requirement("A7")
def test_nothing_is_looked_up_before_the_signature_holds(given: Door) -> None:
    """A pass signed with another key under the name of ours, for somebody and a pass of ours."""
    phone = issue(given, "once")

    def looked_up(*_: object) -> None:
        raise AssertionError("it was looked up")

    forged = phone.text[:-6] + ("000000" if phone.text[-6:] != "000000" else "111111")
    vars(given.store.passes)["of_number"] = looked_up
    vars(vars(given.store)["_holders"])["holder"] = looked_up
    assert shown(given, forged).problem is Reason.UNKNOWN_PASS
    token = Token(
        other_key().key_id,
        RESIDENT,
        phone.number,
        audience_of_group(GROUP),
        BEGIN,
        BEGIN + timedelta(days=2),
    )
    assert shown(given, encode(token, other_key())).problem is Reason.UNKNOWN_PASS
    with pytest.raises(AssertionError, match="looked up"):
        shown(given, phone.text)


def test_no_person_learns_how_near_to_a_pass_it_was(given: Door) -> None:
    """Not a pass, an unknown key, a broken signature, a pass that was erased: one answer."""
    phone = issue(given, "once")
    broken = phone.text[:-6] + ("000000" if phone.text[-6:] != "000000" else "111111")
    given.store.erase_person(RESIDENT, now(given))
    answers = {shown(given, text) for text in (phone.text, broken, "FT1:", "FT1:AAAAAA")}
    assert len(answers) == 1
    assert answers.pop().problem is Reason.UNKNOWN_PASS


def test_a_pass_for_other_doors_says_so(given: Door) -> None:
    elsewhere = Credentials(
        given.store, some_keys(2), "Another group", frozenset(), given.complaints.append
    )
    for kind in ("once", "static"):
        text = issue(given, kind).text.encode()
        assert elsewhere.code(CAMERA, text, now(given)).problem is Reason.OTHER_DOOR


def test_a_pass_under_a_key_whose_time_is_over_has_ended(given: Door) -> None:
    phone = issue(given, "static")
    answer_of(given.asks(PassKeyChange(overlap_days=0)))
    assert shown(given, phone.text).problem is Reason.PASS_ENDED


def test_a_pass_that_was_revoked_says_so_to_the_core(given: Door) -> None:
    phone = issue(given, "once")
    answer_of(given.asks(PassRevoke(phone.number)))
    ticket = shown(given, phone.text).ticket
    assert ticket is not None and ticket.is_revoked


def test_a_pass_that_is_used_up_has_nothing_left(given: Door) -> None:
    phone = issue(given, "once")
    assert given.store.passes.spend(phone.number, None)
    ticket = shown(given, phone.text).ticket
    assert ticket is not None and ticket.left == 0


def test_a_pass_whose_row_is_another_persons_is_none(given: Door) -> None:
    """A row that was moved to somebody else does not move the pass."""
    given.store.register_person(PersonId("zzzzzzzzzzzz"), "Ben", now(given))
    phone = issue(given, "once")
    row = given.store.passes.of_number(phone.number)
    assert row is not None
    moved = replace(row, facts=replace(row.facts, person=PersonId("zzzzzzzzzzzz")))
    vars(given.store.passes)["of_number"] = lambda _: moved
    assert shown(given, phone.text).problem is Reason.UNKNOWN_PASS


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (CodeFault.SEVERAL, Reason.SEVERAL_CODES),
        (CodeFault.TOO_LONG, Reason.NOT_A_PASS),
        (CodeFault.FOREIGN, Reason.NOT_A_PASS),
    ],
)
def test_codes_of_which_none_can_be_taken_are_a_problem(
    given: Door, fault: CodeFault, reason: Reason
) -> None:
    event = given.credentials.fault(fault, now(given))
    assert (event.problem, event.medium, event.holder) == (reason, Medium.QR, None)


# Cards


@pytest.mark.requirement("D14")
def test_a_card_that_proved_a_key_is_another_card_than_its_bare_number(given: Door) -> None:
    weak = given.credentials.read("door", CARD, ReadKind.IDENTIFIER, now(given))
    proved = given.credentials.read("door", CARD, ReadKind.AUTHENTICATED, now(given))
    assert (weak.is_weak, proved.is_weak) == (True, False)
    assert weak.card != proved.card
    assert weak.holder is not None
    assert proved.holder is None


@pytest.mark.requirement("D14")
@pytest.mark.parametrize("raw", [b"authenticated 04A1B2C3D4", b"AUTHENTICATED04A1B2C3D4"])
def test_no_number_makes_a_weak_card_one_that_proved_a_key(given: Door, raw: bytes) -> None:
    proved = given.credentials.read("door", CARD, ReadKind.AUTHENTICATED, now(given))
    forged = given.credentials.read("door", raw, ReadKind.IDENTIFIER, now(given))
    assert forged.card != proved.card
    assert forged.holder is None


def test_a_reader_inside_is_for_the_way_out(given: Door) -> None:
    inside = Credentials(
        given.store, given.keys, GROUP, frozenset({"low"}), given.complaints.append
    )
    text = issue(given, "once").text.encode()
    for raw in (CARD, UNKNOWN_CARD, b"?", text, b"FT1:?"):
        for reader, side in (("low", Side.INSIDE), ("door", Side.OUTSIDE)):
            assert inside.read(reader, raw, ReadKind.IDENTIFIER, now(given)).side is side


# What can't be looked up


def failing(*_: object) -> None:
    raise StoreFailed("The disk can't be read.")


@pytest.mark.requirement("T33")
def test_a_card_that_can_not_be_looked_up_is_not_an_unknown_one(given: Door) -> None:
    vars(given.store.cards)["owner"] = failing
    event = given.credentials.read("door", CARD, ReadKind.IDENTIFIER, now(given))
    assert (event.is_checked, event.holder) == (False, None)
    assert given.complaints == ["The disk can't be read."]


@pytest.mark.requirement("T33")
@pytest.mark.parametrize("part", ["passes.of_number", "pass_keys.keyring", "_holders.holder"])
def test_a_pass_that_can_not_be_looked_up_is_not_an_unknown_one(given: Door, part: str) -> None:
    phone, (table, name) = issue(given, "once"), part.split(".")
    vars(getattr(given.store, table))[name] = failing
    event = shown(given, phone.text)
    assert (event.problem, event.holder, event.ticket) == (Reason.CANT_CHECK, None, None)


# Anything at all


@pytest.mark.requirement("A7", "A8", "T14", "T16")
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(raw=st.binary(max_size=400), prefix=st.booleans(), kind=st.sampled_from(ReadKind))
def test_whatever_is_read_is_nobodys_and_raises_nothing(
    given: Door, raw: bytes, prefix: bool, kind: ReadKind
) -> None:
    digits = bytes(byte for byte in raw.upper() if chr(byte).isalnum())
    assume(CARD not in digits)  # the resident's own card, however it is written
    event = given.credentials.read("door", PASS_PREFIX + raw if prefix else raw, kind, now(given))
    assert event.holder is None
    assert event.ticket is None


@pytest.mark.requirement("A7", "A8", "T16")
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(data=st.data())
def test_a_pass_with_one_letter_changed_is_no_pass(given: Door, data: st.DataObject) -> None:
    phone = _phone_of(given)
    text = bytearray(phone.text.encode())
    at = data.draw(st.integers(len(PASS_PREFIX), len(text) - 1))
    text[at] = data.draw(st.integers(0, 255).filter(lambda other: other != text[at]))
    event = shown(given, bytes(text))
    assert event.holder is None
    assert event.problem is Reason.UNKNOWN_PASS


def _phone_of(given: Door) -> Phone:
    """The same pass for every example."""
    if not hasattr(given, "phone"):
        vars(given)["phone"] = issue(given, "once")
    phone: Phone = vars(given)["phone"]
    return phone
