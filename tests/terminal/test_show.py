"""A screen obeys what it is sent: nothing from outside moves its cursor or hides a line."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from terminal import show
from terminal.requests import AnyRequest, Enrol, Erase, Hold, Line

ESCAPES = (
    "\x1b[1A\x1b[2K\rnothing happened",
    "one\nand a line of its own",
    "\x9b2J",
    "\x7f\x08\x07",
    "right\u202eleft",
    "\u2028",
)

RECORD: Line = {
    "seq": 7,
    "utc": "2030-06-01T12:00:00+00:00",
    "trusted": True,
    "kind": "hold_started",
}
STATUS: Line = {
    "site": {"name": "B", "place": "lobby", "lock": "fail_secure", "key_level": 0},
    "door": {"state": "secured", "open": False, "strike_released": False},
    "face": {
        "on": False,
        "off_because": "nobody is enrolled.",
        "sign_reads_lit": False,
        "enrolled": 0,
        "most_people": 0,
    },
    "ways": {"readers": ["front"], "codes": True},
    "people": {"people": 0, "cards": 0},
    "log": {
        "reserve_left": True,
        "records": 1,
        "head": "a" * 64,
        "utc": RECORD["utc"],
        "clock_trusted": True,
    },
    "times": {"frame_to_strike": None, "card_to_strike": None},
    "memory_locked": True,
    "unerased": 0,
    "trouble": None,
}


def shows(text: str, lines: int = 1) -> bool:
    """Whether it is so many lines, and every character of them shows."""
    return text.count("\n") == lines - 1 and text.replace("\n", "").isprintable()


@pytest.mark.requirement("R18")
@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize(
    "of", [{"by"}, {"person"}, {"way"}, {"reason"}, {"kind"}, {"facts"}], ids=str
)
def test_no_word_of_a_record_moves_the_cursor(escape: str, of: set[str]) -> None:
    words: dict[str, Any] = dict.fromkeys(of - {"facts"}, escape)
    if "facts" in of:
        words["facts"] = [[escape, escape]]
    assert shows(show.record({**RECORD, **words}))


def test_a_record_keeps_the_words_that_show() -> None:
    line = {**RECORD, "by": "王小明", "facts": [["why", "Zoë's move \U0001f600"]]}
    assert show.record(line).endswith("why=Zoë's move \U0001f600 asked by 王小明")


def test_each_character_that_does_not_show_is_one_question_mark() -> None:
    assert show.seen("a\x1b[2K\r\n\tb") == "a?[2K???b"


@pytest.mark.parametrize("escape", ESCAPES)
def test_no_name_of_a_person_moves_the_cursor(escape: str) -> None:
    person = {"person": "p", "name": escape, "cards": 0, "consent": "none", "templates": 0}
    assert shows(show.people({"people": [person]}), lines=2)


@pytest.mark.parametrize("escape", ESCAPES)
def test_nothing_in_the_status_moves_the_cursor(escape: str) -> None:
    plain = show.status({"status": STATUS})
    status = {
        **STATUS,
        "site": {**STATUS["site"], "name": escape},
        "ways": {"readers": [escape], "codes": False},
        "face": {**STATUS["face"], "off_because": escape},
    }
    assert shows(show.status({"status": status}), lines=plain.count("\n") + 1)
    troubled = show.status({"status": {**STATUS, "trouble": escape}})
    assert shows(troubled, lines=plain.count("\n") + 2)


@pytest.mark.parametrize("escape", ESCAPES)
def test_no_sentence_of_a_check_or_an_enrolment_moves_the_cursor(escape: str) -> None:
    checks = [{"name": "log", "holds": False, "sentence": escape}]
    assert shows(show.selftest({"selftest": {"checks": checks}}))
    assert shows(show.version({"version": {"terminal": escape}}))
    for stage in ("done", "card_only", "failed"):
        ended = {"person": escape, "stage": stage, "trouble": escape}
        assert shows(show.enrolment({"enrolment": ended}))


# What is asked


@pytest.mark.requirement("R18")
@pytest.mark.parametrize(
    "escape", ["\x1b[1A", "two\nlines", "line\n", "\r", "\x9b2J", "\x7f", "\0"]
)
@pytest.mark.parametrize("field", ["why", "name", "who"])
def test_a_request_with_a_control_character_is_refused(field: str, escape: str) -> None:
    body = {
        "why": {"do": "hold", "lasts_s": 60, "why": escape},
        "name": {"do": "enrol", "name": escape},
        "who": {"do": "erase", "who": escape},
    }[field]
    with pytest.raises(msgspec.ValidationError, match=rf"\$\.{field}"):
        msgspec.convert(body, AnyRequest)


@pytest.mark.parametrize(
    "word", ["moving day", "王小明", "Zoë O'Neill-Łukasz", "\U0001f600", "a\u200cb"]
)
def test_a_request_takes_every_word_that_people_write(word: str) -> None:
    for request in (Hold(60.0, word), Enrol(word), Erase(word)):
        sent = msgspec.json.encode(request)
        assert msgspec.json.decode(sent, type=AnyRequest) == request
