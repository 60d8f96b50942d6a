"""What is exported is imported as the same; and any bytes are rows, verdicts or one sentence."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.exchange import cells, document, exporting, weeks
from terminal.exchange.cells import CellRefused
from terminal.exchange.decoding import decoded
from terminal.exchange.exporting import Form
from terminal.exchange.headings import HEADINGS, Column, Table
from terminal.exchange.importing import Imported, Known, read_csv, read_json
from terminal.exchange.report import as_json, as_text
from terminal.exchange.rows import (
    ExchangeRefused,
    GroupRow,
    HeldPerson,
    HolidayRow,
    PersonRow,
    ScheduleRow,
)
from tests.terminal.exchange.given_files import BERLIN, INSTANTS, KNOWN, SHANGHAI, people

FORMS = st.sampled_from([Form(), Form(chinese=True), Form("gb18030")])


def _is_name(text: str) -> bool:
    try:
        return cells.name(text) == text
    except CellRefused:
        return False


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12) | st.text(
    st.sampled_from("'=+-@＝,;\"19aé王喆 \\$`"), min_size=1, max_size=12
)
NAMES = TEXTS.filter(_is_name)
MAYBE = st.none() | INSTANTS
DAYS = st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 1440)), max_size=2).map(
    lambda pairs: weeks.plain_day([pair for pair in pairs[:1] if pair[0] < pair[1]])
)


@st.composite
def persons(draw: Any) -> list[PersonRow]:
    count = draw(st.integers(1, 6))
    rows = []
    for at in range(count):
        spans = sorted(filter(None, {draw(MAYBE), draw(MAYBE)}))
        begins, ends = spans if len(spans) == 2 else (None, draw(MAYBE))
        rows.append(
            PersonRow(
                line=at + 2,
                identifier=f"P{at}",
                name=draw(NAMES),
                flat=draw(NAMES.filter(_is_flat) | st.just("")),
                kind=draw(st.sampled_from(["resident", "visitor", "staff"])),
                group=draw(st.sampled_from(["", "Tower A", "一号楼"])),
                valid_from=begins,
                valid_until=ends,
            )
        )
    return rows


def _is_flat(text: str) -> bool:
    try:
        return cells.flat(text) == text
    except CellRefused:
        return False


GROUP = st.builds(
    lambda name, rule, schedule, passback, passes: GroupRow(
        *(2, name, rule, schedule, *passback, passes)
    ),
    NAMES,
    st.sampled_from(["any", "card", "qr", "card_pin", "qr_pin", "card_face"]),
    st.sampled_from([None, "Office hours"]),
    st.sampled_from([("off", None), ("soft", None), ("hard", None), ("timed", 30)]),
    st.booleans(),
)
SCHEDULE = st.builds(
    lambda name, week, holidays: ScheduleRow(2, name, tuple(week), holidays),
    NAMES,
    st.lists(DAYS, min_size=7, max_size=7),
    st.none() | DAYS,
)
HOLIDAY = st.builds(
    lambda day, name: HolidayRow(2, day, name),
    st.dates(date(1970, 1, 2), date(2199, 12, 30)),
    NAMES | st.just(""),
)


def _checked(read: Imported) -> Imported:
    assert read.report.refused == ()
    return read


@given(persons(), FORMS, st.sampled_from([SHANGHAI, BERLIN]))
def test_people_come_back_from_csv_as_they_were(
    rows: list[PersonRow], form: Form, zone: Any
) -> None:
    data = exporting.people_csv([HeldPerson(row, 2) for row in rows], zone, form)
    read = _checked(read_csv(data, Table.PEOPLE, zone, KNOWN))
    assert list(read.people) == rows
    assert read.report.ignored_columns == ()
    assert read.report.encoding == ("GB18030" if form.encoding == "gb18030" else "UTF-8")


@given(GROUP, FORMS)
def test_groups_come_back_from_csv_as_they_were(row: GroupRow, form: Form) -> None:
    data = exporting.groups_csv([row], form)
    assert _checked(read_csv(data, Table.GROUPS, SHANGHAI, KNOWN)).groups == (row,)


@given(SCHEDULE, FORMS)
def test_schedules_come_back_from_csv_as_they_were(row: ScheduleRow, form: Form) -> None:
    data = exporting.schedules_csv([row], form)
    assert _checked(read_csv(data, Table.SCHEDULES, SHANGHAI, KNOWN)).schedules == (row,)


@given(HOLIDAY, FORMS)
def test_holidays_come_back_from_csv_as_they_were(row: HolidayRow, form: Form) -> None:
    data = exporting.holidays_csv([row], form)
    assert _checked(read_csv(data, Table.HOLIDAYS, SHANGHAI, KNOWN)).holidays == (row,)


@given(persons(), GROUP, SCHEDULE, HOLIDAY)
def test_everything_comes_back_from_json_as_it_was(
    rows: list[PersonRow], group: GroupRow, schedule: ScheduleRow, holiday: HolidayRow
) -> None:
    data = document.written([HeldPerson(row, 1) for row in rows], [group], [schedule], [holiday])
    read = _checked(read_json(data, SHANGHAI, KNOWN))
    assert list(read.people) == [replace(row, line=at) for at, row in enumerate(rows, start=1)]
    assert read.groups == (replace(group, line=1),)
    assert read.schedules == (replace(schedule, line=1),)
    assert read.holidays == (replace(holiday, line=1),)


@pytest.mark.requirement("R45")
def test_no_export_has_a_card_number() -> None:
    row = PersonRow(2, None, "Ada", cards=("87654321",))
    for data in (
        exporting.people_csv([HeldPerson(row, 1)], SHANGHAI, Form()),
        document.written([HeldPerson(row, 1)]),
    ):
        assert b"87654321" not in data
        assert b"1" in data


@pytest.mark.requirement("T16")
@pytest.mark.parametrize("form", [Form(), Form(chinese=True), Form("gb18030")])
def test_no_cell_of_an_export_is_run_by_a_spreadsheet(form: Form) -> None:
    names = ["=1+1", "+1", "-1", "@A1", "＝1", "'=1", "-2+3+cmd|' /C calc'!A0", 'a","=1+1']
    rows = [HeldPerson(PersonRow(2, None, name, str(at)), 0) for at, name in enumerate(names)]
    text = exporting.people_csv(rows, SHANGHAI, form).decode(form.encoding).lstrip("\ufeff")
    for line in csv.reader(io.StringIO(text)):
        assert len(line) == len(exporting.PEOPLE)
        assert not any(cell.startswith(("=", "+", "-", "@", "＝", "\t")) for cell in line)


@pytest.mark.parametrize("table", list(Table))
def test_chinese_headings_tell_gb18030_from_utf_8(table: Table) -> None:
    columns = {
        Table.PEOPLE: exporting.PEOPLE,
        Table.GROUPS: exporting.GROUPS,
        Table.SCHEDULES: exporting.SCHEDULES,
        Table.HOLIDAYS: exporting.HOLIDAYS,
    }[table]
    headings = ",".join(HEADINGS[table][column][1] for column in columns)
    assert decoded(headings.encode("gb18030")).text == headings


# Anything at all

BITS = st.sampled_from(
    [
        *(
            b"name",
            "姓名".encode("gb18030"),
            b",",
            b";",
            b"\t",
            b"\n",
            b"\r\n",
            b'"',
            b"card",
            b"{",
        ),
        *(b"\xef\xbb\xbf", b"PK\x03\x04", b"\x00", b"\x81\x30\x81\x30", b"1234", b"=", b"'", b"}"),
        *(b'"people":[', b"]", b":", b'"format":"face-optional-terminal"', b'"version":1'),
    ]
)
ANYTHING = st.binary(max_size=200) | st.lists(BITS | st.binary(max_size=3), max_size=40).map(
    b"".join
)


@pytest.mark.requirement("T16")
@given(ANYTHING, st.sampled_from(Table))
@settings(max_examples=500)
def test_any_bytes_give_a_report_or_one_sentence(data: bytes, table: Table) -> None:
    _check_is_reported(lambda: read_csv(data, table, SHANGHAI, KNOWN))
    _check_is_reported(lambda: read_csv(b"name,card,date\n" + data, table, SHANGHAI, KNOWN))
    _check_is_reported(lambda: read_json(data, SHANGHAI, KNOWN))


def _check_is_reported(read: Callable[[], Imported]) -> None:
    try:
        report = read().report
    except ExchangeRefused as error:
        assert str(error).isprintable()
        return
    assert as_json(report)
    assert all(part.isprintable() for part in as_text(report).split("\n"))


COLUMNS = [
    *(Column.NAME, Column.IDENTIFIER, Column.FLAT, Column.KIND, Column.GROUP, Column.CARD),
    *(Column.VALID_FROM, Column.VALID_UNTIL, Column.CARD_TYPE),
]
CELLS = st.text(max_size=20) | st.sampled_from(
    ["Ada", "1", "visitor", "Tower A", "12345678", "2026-01-31", "", "'", '"', "x\ny"]
)


@pytest.mark.requirement("T16")
@given(st.lists(st.lists(CELLS, min_size=9, max_size=9), max_size=6))
@settings(max_examples=300)
def test_any_cells_give_a_verdict_for_every_row(rows: list[list[str]]) -> None:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow([column.value for column in COLUMNS])
    writer.writerows(rows)
    data = written.getvalue().encode(errors="ignore")
    if b"\x00" in data:
        with pytest.raises(ExchangeRefused):
            people(data)
        return
    read = people(data)
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    assert len(read.report.rows) == len(filled)
    good = sum(verdict.ok for verdict in read.report.rows)
    assert len(read.people) <= good
    assert all(verdict.sentence for verdict in read.report.rows)


def test_files_read_one_after_another_refer_to_each_other() -> None:
    hours = read_csv(
        b"name,monday,on holidays\nNights,22:00-06:00,closed\n", Table.SCHEDULES, SHANGHAI, Known()
    )
    known = hours.known(Known())
    groups = read_csv(b"name,schedule\nGuards,Nights\n", Table.GROUPS, SHANGHAI, known)
    known = groups.known(known)
    assert known == Known(frozenset({"Guards"}), frozenset({"Nights"}))
    guards = read_csv(b"name,group\nAda,Guards\n", Table.PEOPLE, SHANGHAI, known)
    assert guards.people[0].group == "Guards"
