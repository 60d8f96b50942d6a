"""Rows that exist are right, wherever they come from; and they travel in pieces."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.exchange.cells import CellRefused
from terminal.exchange.chunks import LIMIT_BYTES, chunks
from terminal.exchange.rows import (
    ExchangeRefused,
    GroupRow,
    HolidayRow,
    PersonRow,
    ScheduleRow,
)
from tests.terminal.exchange.given_files import RESIDENT_NUMBER, people

CLOSED = ((),) * 7


@pytest.mark.parametrize(
    "make",
    [
        lambda: PersonRow(1, None, ""),
        lambda: PersonRow(1, None, " Ada"),
        lambda: PersonRow(1, None, "Zoe\u0308"),
        lambda: PersonRow(1, None, "A\x1b[2J"),
        lambda: PersonRow(1, None, "A\u202e"),
        lambda: PersonRow(1, "", "Ada"),
        lambda: PersonRow(1, RESIDENT_NUMBER, "Ada"),
        lambda: PersonRow(1, None, f"Ada {RESIDENT_NUMBER}"),
        lambda: PersonRow(1, None, "Ada", group="x" * 201),
        lambda: PersonRow(1, None, "Ada", flat="x" * 101),
        lambda: PersonRow(1, None, "Ada", cards=("12",)),
        lambda: PersonRow(1, None, "Ada", cards=("abcd",)),
        lambda: PersonRow(1, None, "Ada", cards=("ABCD", "ABCD")),
        lambda: PersonRow(1, None, "Ada", cards=(RESIDENT_NUMBER,)),
        lambda: PersonRow(1, None, "Ada", cards=tuple(f"{at:08}" for at in range(17))),
        lambda: PersonRow(1, None, "Ada", valid_from=datetime(2026, 1, 1)),  # noqa: DTZ001
        lambda: PersonRow(1, None, "Ada", valid_from=datetime(1960, 1, 1, tzinfo=UTC)),
        lambda: GroupRow(1, ""),
        lambda: GroupRow(1, "A", passback="timed"),
        lambda: GroupRow(1, "A", passback_minutes=5),
        lambda: GroupRow(1, "A", schedule=""),
        lambda: ScheduleRow(1, "A", CLOSED[:6]),
        lambda: ScheduleRow(1, "A", (((0, 10), (5, 20)), *CLOSED[:6])),
        lambda: ScheduleRow(1, "A", (((10, 10),), *CLOSED[:6])),
        lambda: ScheduleRow(1, "A", CLOSED, ((0, 1441),)),
        lambda: HolidayRow(1, date(1900, 1, 1)),
        lambda: HolidayRow(1, date(2026, 1, 1), "\x00"),
    ],
)
def test_a_row_that_can_not_be_is_not_made(make: Callable[[], object]) -> None:
    with pytest.raises(CellRefused):
        make()


@pytest.mark.requirement("T16", "R45")
@pytest.mark.parametrize(
    "sent",
    [
        {"name": "A\u202e"},
        {"name": "A", "cards": [RESIDENT_NUMBER]},
        {"name": "A", "cards": ["1234'--"]},
        {"name": "A", "kind": "admin"},
        {"name": "A", "valid_from": "2026-01-01T00:00:00"},
    ],
)
def test_a_row_that_can_not_be_is_refused_by_the_schema_of_a_request(
    sent: dict[str, object],
) -> None:
    raw = msgspec.json.encode({"line": 1, "identifier": None, **sent})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(raw, type=PersonRow)


def test_rows_travel_as_json() -> None:
    rows = people("name,flat,type,card,valid until\n王,1,访客,12345678,2026-01-31\n").people
    assert msgspec.json.decode(msgspec.json.encode(rows), type=tuple[PersonRow, ...]) == rows
    schedule = ScheduleRow(1, "A", (((0, 10),), *CLOSED[:6]), ())
    assert msgspec.json.decode(msgspec.json.encode(schedule), type=ScheduleRow) == schedule
    holiday = HolidayRow(1, date(2026, 1, 1))
    assert msgspec.json.decode(msgspec.json.encode(holiday), type=HolidayRow) == holiday


@given(st.lists(st.integers(1, 200), max_size=60), st.integers(500, 4000))
def test_pieces_hold_every_row_in_order_and_are_no_longer_than_allowed(
    lengths: list[int], limit_bytes: int
) -> None:
    rows = [PersonRow(at, None, "x" * length) for at, length in enumerate(lengths, start=1)]
    pieces = list(chunks(rows, limit_bytes))
    assert [row for piece in pieces for row in piece] == rows
    assert all(len(msgspec.json.encode(piece)) <= limit_bytes for piece in pieces)
    for piece, after in pairwise(pieces):
        assert len(msgspec.json.encode((*piece, after[0]))) > limit_bytes


def test_a_row_as_long_as_rows_can_be_fits_a_request() -> None:
    instant = datetime(2026, 1, 1, 1, 1, 1, 999_999, tzinfo=UTC)
    worst = '"' * 200
    person = PersonRow(
        *(100_000, "x" * 64, worst, '"' * 100, "resident", worst),
        *(instant, instant.replace(year=2027), tuple(f"{at:032}" for at in range(16))),
    )
    day = tuple((1000 + at * 50, 1010 + at * 50) for at in range(8))
    schedule = ScheduleRow(100_000, worst, (day,) * 7, day)
    group = GroupRow(100_000, worst, "card_face", worst, "timed", 1440, True)
    for row in (person, schedule, group, HolidayRow(100_000, date(2026, 1, 1), worst)):
        assert len(msgspec.json.encode((row,))) <= LIMIT_BYTES
        assert list(chunks([row])) == [(row,)]


def test_a_row_that_is_longer_than_a_request_is_refused_by_its_line() -> None:
    with pytest.raises(ExchangeRefused, match="Line 7"):
        list(chunks([PersonRow(7, None, "x" * 200)], 100))


def test_ten_thousand_rows_are_read_in_bounded_memory() -> None:
    rows = "".join(
        f"P{at},测试{at},{at % 30}-{at % 4},业主,Tower A,2026-01-01,2026-12-31,{10**7 + at}\r\n"
        for at in range(10_000)
    )
    data = f"编号,姓名,房号,人员类型,分组,有效期起,有效期止,卡号\r\n{rows}".encode()
    tracemalloc.start()
    try:
        read = people(data)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read.report.counts.rows_ok == 10_000
    assert peak_bytes < 40 * len(data)
