"""The JSON document: its schema, entry by entry."""

from __future__ import annotations

import json

import pytest

from terminal.exchange.importing import Imported, read_json
from terminal.exchange.rows import ExchangeRefused
from tests.terminal.exchange.given_files import KNOWN, RESIDENT_NUMBER, SHANGHAI, only_refusal

HEAD = {"format": "face-optional-terminal", "version": 1}


def read(**lists: object) -> Imported:
    return read_json(json.dumps({**HEAD, **lists}).encode(), SHANGHAI, KNOWN)


def test_a_document_defines_what_it_refers_to() -> None:
    found = read(
        people=[{"name": "Ada", "group": "Night shift", "cards": ["11111111", "22222222"]}],
        groups=[{"name": "Night shift", "rule": "card_pin", "schedule": "Nights"}],
        schedules=[{"name": "Nights", "monday": "22:00-06:00", "on_holidays": "closed"}],
        holidays=[{"date": "2026-10-01"}],
    )
    assert found.report.refused == ()
    assert found.people[0].cards == ("11111111", "22222222")
    counts = found.report.counts
    assert (counts.people, counts.groups, counts.schedules, counts.holidays) == (1, 1, 1, 1)


def test_a_reference_to_an_entry_that_was_refused_is_refused() -> None:
    found = read(
        people=[{"name": "Ada", "group": "Night shift"}],
        groups=[{"name": "Night shift", "schedule": "Nights"}],
        schedules=[{"name": "Nights", "monday": "25:00"}],
    )
    assert [(row.what, row.line) for row in found.report.refused] == [
        ("person", 1),
        ("group", 1),
        ("schedule", 1),
    ]


@pytest.mark.requirement("R45")
@pytest.mark.parametrize("field", ["photo", "id_number", "phone", "身份证号", "gender"])
def test_an_entry_with_what_is_never_taken_in_is_refused(field: str) -> None:
    found = read(people=[{"name": "Ada", field: "secret-value"}, {"name": "Eve"}])
    assert "never taken in" in only_refusal(found)
    assert "secret-value" not in repr(found)
    assert [person.name for person in found.people] == ["Eve"]


@pytest.mark.requirement("A24")
def test_an_entry_with_a_consent_is_refused_with_the_reason() -> None:
    found = read(people=[{"name": "Ada", "consent": True}])
    assert "consent is given at the device" in only_refusal(found)


@pytest.mark.parametrize(
    "entry",
    [
        *(1, None, [], "Ada", {}, {"name": None}, {"name": 1}, {"name": "A", "cards": "12345678"}),
        *({"name": "A", "cards": [12345678]}, {"name": "A", "oops": 1}, {"name": "A" * 5000}),
        *({"name": "A", "cards": ["1111"] * 65}, {"name": "A", "card_count": -1}),
        *({"name": "A", "type": "VIP"}, {"name": "A", "identifier": RESIDENT_NUMBER}),
        {"name": "A\u202eB"},
    ],
)
def test_an_entry_that_does_not_fit_costs_itself_alone(entry: object) -> None:
    found = read(people=[entry, {"name": "Eve"}])
    assert [person.name for person in found.people] == ["Eve"]
    sentence = only_refusal(found)
    assert sentence.isprintable()
    assert RESIDENT_NUMBER not in sentence


def test_an_entry_nested_deeply_costs_itself_alone() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    text = f'{{"format":"face-optional-terminal","version":1,"people":[{{"name":{deep}}}]}}'
    try:
        found = read_json(text.encode(), SHANGHAI, KNOWN)
    except ExchangeRefused:
        return
    assert found.people == ()


@pytest.mark.parametrize(
    "data",
    [
        *(b"[]", b"{}", b"1", b'{"format":"face-optional-terminal","version":2}', b"{", b"nul"),
        *(b'{"format":"other","version":1}', b"[" * 100_000, b'{"a":' * 100_000),
        *(b'{"format":"face-optional-terminal","version":1,"more":[]}', b"name\nAda\n"),
        *(b'{"format":"face-optional-terminal","version":1,"people":{}}', b"\xff"),
        b'{"format":"\\ud800","version":1}',
    ],
)
def test_what_is_no_document_is_refused_whole(data: bytes) -> None:
    with pytest.raises(ExchangeRefused) as caught:
        read_json(data, SHANGHAI, KNOWN)
    assert str(caught.value).isprintable()


def test_a_document_of_too_many_entries_is_refused_whole() -> None:
    with pytest.raises(ExchangeRefused):
        read(holidays=[0] * 100_001)
