"""Rows of people: who is meant, what is refused, and what is never taken in."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.exchange.headings import NeverTaken, Table
from terminal.exchange.importing import Imported
from terminal.exchange.rows import ExchangeRefused, PersonRow
from tests.terminal.exchange.given_files import (
    BERLIN,
    RESIDENT_NUMBER,
    only_refusal,
    people,
    table,
)

CHINESE = """小区住户信息表,,,,,,,,
*姓名,楼栋,单元,房号,人员类型,分组,卡号1,卡号2,有效期止,手机号,身份证号,人脸照片,性别,备注
王小明,3,2,101,业主,一号楼,12345678,,2026-12-31,13800000000,11010519491231002X,a.jpg,男,钥匙
李访客,3,2,102,访客,,,,2026/2/1 18:00,13900000000,,,女,
"""


def test_a_list_of_property_software_is_read() -> None:
    read = people(CHINESE.encode("gb18030"))
    assert read.people == (
        PersonRow(
            *(3, None, "王小明", "3-2-101", "resident", "一号楼", None),
            *(datetime(2026, 12, 31, 16, tzinfo=UTC), ("12345678",)),
        ),
        PersonRow(
            *(4, None, "李访客", "3-2-102", "visitor", "", None),
            *(datetime(2026, 2, 1, 10, tzinfo=UTC), ()),
        ),
    )
    assert read.report.encoding == "GB18030"
    assert read.report.separator == "comma"
    assert read.report.ignored_columns == ("备注",)


@pytest.mark.requirement("R45", "R48")
def test_what_is_never_taken_in_reaches_no_object_and_no_report() -> None:
    read = people(CHINESE)
    everything = repr(read)
    for secret in ("13800000000", RESIDENT_NUMBER, "a.jpg", "男", "钥匙"):
        assert secret in CHINESE
        assert secret not in everything
    assert [column.why for column in read.report.refused_columns] == [
        *(NeverTaken.CONTACT, NeverTaken.IDENTITY, NeverTaken.PICTURE, NeverTaken.TRAIT)
    ]


@pytest.mark.requirement("A24")
def test_consent_is_never_imported() -> None:
    read = people("name,consent,人脸同意\nAda,yes,是\n")
    assert [column.why for column in read.report.refused_columns] == [NeverTaken.CONSENT] * 2
    assert "given at the device" in read.report.refused_columns[0].sentence
    assert read.people == (PersonRow(2, None, "Ada"),)
    assert not any("consent" in field.name for field in fields(PersonRow))


@pytest.mark.requirement("R48")
@pytest.mark.parametrize("word", ["访客", "visitor", "Guest", "临时访客", "ＶＩＳＩＴＯＲ"])
def test_a_visitor_is_a_visitor_and_no_row_has_a_place_for_a_face(word: str) -> None:
    (person,) = people(f"name,type,face,photo\nAda,{word},yes,ada.jpg\n").people
    assert person.kind == "visitor"
    names = {field.name for field in fields(PersonRow)}
    assert not names & {"face", "photo", "picture", "template", "embedding"}
    assert "ada.jpg" not in repr(person)


def test_the_type_of_a_person_is_known_or_refused() -> None:
    read = people("name,type\nA,业主\nB,租户\nC,家属\nD,物业\nE,\nF,VIP\n")
    assert [person.kind for person in read.people] == [
        *("resident", "resident", "resident", "staff", "resident")
    ]
    assert "none of resident, visitor, staff" in only_refusal(read)


def test_card_numbers_are_hidden_in_every_repr() -> None:
    read = people("name,card\nAda,87654321\n")
    assert read.people[0].cards == ("87654321",)
    assert "87654321" not in repr(read)


def test_one_person_over_several_rows_is_joined_by_identifier() -> None:
    read = people("id,name,flat,card\n7,Ada,1,11111111\n8,Ada,1,22222222\n7,Ada,1,33333333\n")
    assert [(each.identifier, each.cards) for each in read.people] == [
        ("7", ("11111111", "33333333")),
        ("8", ("22222222",)),
    ]
    assert [verdict.sentence for verdict in read.report.rows] == [
        *("Good.", "Good.", "Good; joined with line 2.")
    ]


def test_one_person_over_several_rows_is_joined_by_name_and_flat() -> None:
    read = people("name,flat,card\nAda,1,11111111\nAda,2,22222222\n Ada ,1,33333333\n")
    assert [(each.flat, each.cards) for each in read.people] == [
        ("1", ("11111111", "33333333")),
        ("2", ("22222222",)),
    ]


def test_a_row_without_an_identifier_joins_the_one_person_of_its_name_and_flat() -> None:
    read = people("id,name,flat,card\n7,Ada,1,11111111\n,Ada,1,22222222\n")
    assert [each.cards for each in read.people] == [("11111111", "22222222")]
    read = people("id,name,flat,card\n,Ada,1,11111111\n7,Ada,1,22222222\n")
    assert [(each.identifier, each.cards) for each in read.people] == [
        ("7", ("11111111", "22222222"))
    ]


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (",Ada,,11111111\n,Ada,,22222222\n", 3),
        (",Ada,,11111111\n7,Ada,,22222222\n", 2),
        ("7,Ada,,11111111\n,Ada,,22222222\n", 3),
        ("7,Ada,1,11111111\n8,Ada,1,\n,Ada,1,22222222\n", 4),
        ("7,Ada,1,11111111\n,Ada,1,22222222\n8,Ada,1,\n", 3),
        (",Ada,1,11111111\n7,Ada,1,22222222\n8,Ada,1,\n", 2),
    ],
)
def test_a_row_that_may_mean_another_person_is_refused_in_whatever_order(
    rows: str, line: int
) -> None:
    read = people("id,name,flat,card\n" + rows)
    assert [row.line for row in read.report.refused] == [line]
    assert "can't be said whether" in only_refusal(read)


@given(st.permutations(["7,A,1,1111", "8,A,1,2222", ",A,2,3333", "9,A,2,4444", "7,A,1,5555"]))
def test_who_is_meant_does_not_depend_on_the_order_of_rows(rows: list[str]) -> None:
    read = people("id,name,flat,card\n" + "\n".join(rows))
    assert {each.identifier: set(each.cards) for each in read.people} == {
        "7": {"1111", "5555"},
        "8": {"2222"},
        "9": {"3333", "4444"},
    }


def test_a_hundred_thousand_namesakes_are_told_apart_in_no_long_time() -> None:
    rows = "".join(f"{at},Ada,1\n" for at in range(100_000))
    assert len(people("id,name,flat\n" + rows).people) == 100_000


def test_a_row_without_an_identifier_is_the_same_person_as_the_one_before() -> None:
    read = people("name,flat,card\nAda,1,1111\nAda,1,2222\nAda,,3333\nAda,,4444\n")
    assert [(each.flat, each.cards) for each in read.people] == [
        ("1", ("1111", "2222")),
        ("", ("3333",)),
    ]


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        ("Ada,1,Tower A,2026-01-01,", "Ada,1,一号楼,2026-01-01,", "group"),
        ("Ada,1,,2026-01-01,", "Ada,1,,2026-01-02,", "begin"),
        ("Ada,1,,,2026-01-01", "Ada,1,,,2026-01-02", "end"),
        ("Ada,1,,,", "Eve,1,,,", "name"),
        ("Ada,1,,,", "Ada,2,,,", "flat"),
        ("Ada,1,,2026-02-01,", "Ada,1,,,2026-01-01", "ends before"),
    ],
)
def test_a_row_that_contradicts_an_earlier_one_is_refused(
    first: str, second: str, what: str
) -> None:
    head = "id,name,flat,group,valid from,valid until\n"
    read = people(f"{head}7,{first}\n7,{second}\n")
    assert what in only_refusal(read)
    assert len(read.people) == 1


def test_a_card_of_two_people_is_given_to_neither_and_both_lines_are_named() -> None:
    read = people("name,flat,card\nAda,1,aaaa1111\nEve,2,AAAA1111\nBob,3,22222222\n")
    assert [person.name for person in read.people] == ["Bob"]
    assert [(row.line, row.sentence) for row in read.report.refused] == [
        (2, "Its card stands for another person in line 3; neither of them gets it."),
        (3, "Its card stands for another person in line 2; neither of them gets it."),
    ]


def test_a_card_of_a_row_that_is_refused_is_disputed_all_the_same() -> None:
    read = people("name,flat,group,card\nAda,1,Nowhere,11111111\nEve,2,,11111111\n")
    assert read.people == ()
    assert len(read.report.refused) == 2


def test_the_same_card_twice_for_one_person_is_one_card() -> None:
    read = people("name,flat,card\nAda,1,11111111\nAda,1,11111111\n")
    assert read.people[0].cards == ("11111111",)
    assert read.report.counts.rows_refused == 0


def test_a_person_has_at_most_sixteen_cards() -> None:
    rows = "".join(f"Ada,1,{10000000 + each}\n" for each in range(17))
    read = people("name,flat,card\n" + rows)
    assert len(read.people[0].cards) == 16
    assert "at most 16 cards" in only_refusal(read)


def test_a_group_that_nobody_knows_refuses_the_row() -> None:
    read = people("name,group\nAda,Tower A\nEve,Tower B\n")
    assert [person.name for person in read.people] == ["Ada"]
    assert "neither in the file nor at this terminal" in only_refusal(read)


@pytest.mark.requirement("R45")
@pytest.mark.parametrize("kind", ["身份证", "居民身份证", "resident identity card"])
def test_a_resident_identity_card_is_not_typed_in(kind: str) -> None:
    read = people(f"name,card type,card\nAda,{kind},11111111\n")
    assert "hold it to the reader" in only_refusal(read)


@pytest.mark.requirement("R45")
def test_an_identity_number_under_any_heading_is_refused() -> None:
    heads = ("id", "name", "flat", "group", "card", "type", "valid from")
    for head in heads:
        cells = {"name": "Ada", head: RESIDENT_NUMBER}
        read = people(",".join(cells) + "\n" + ",".join(cells.values()) + "\n")
        assert read.people == ()
        assert RESIDENT_NUMBER not in repr(read)


def test_broken_rows_cost_nothing_but_themselves() -> None:
    read = people(
        "name,flat,card,valid until\n"
        "Ada,1,11111111,2026-01-01\n"
        "Bob,2,12,\n"
        ",3,,\n"
        "Cid,4,,31.02.2026\n"
        'Dan,5,"\n'
        "Eve,6,,,,extra\n"
        ",,,\n"
        "Flo\n"
    )
    assert [person.name for person in read.people] == ["Ada", "Flo"]
    assert [row.line for row in read.report.refused] == [3, 4, 5, 6, 7]
    assert len(read.report.rows) == 7
    assert read.report.counts.rows_ok == 2


def test_the_time_of_a_row_is_the_time_of_the_site() -> None:
    text = "name,valid from\nAda,2026-03-29 02:30\n"
    assert "skip this time" in only_refusal(people(text, BERLIN))
    assert people(text).people[0].valid_from == datetime(2026, 3, 28, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends_are_found_out(separator: str, line_end: str) -> None:
    lines = ["name|flat|card", 'Ada|"1,2;3"|11111111', "Eve|2|"]
    read = people(line_end.join(lines).replace("|", separator))
    assert [(each.name, each.flat) for each in read.people] == [("Ada", "1,2;3"), ("Eve", "2")]


def test_mixed_line_ends_are_read() -> None:
    assert len(people("name\r\nAda\rEve\nBob\r\n").people) == 3


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Ada,1,11111111\n", "No line of headings"),
        ("flat,card\n1,11111111\n", "No line of headings"),
        ("\n" * 10 + "name\nAda\n", "No line of headings"),
        ("name,姓名\nAda,Ada\n", 'Two columns are headed "name"'),
        ("name\n" + "A\n" * 100_001, "more than 100000 rows"),
        ("name\n" + "\n" * 1_000_001, "a million lines"),
        (",".join(["name", *["x"] * 1000]) + "\n", "No line of headings"),
    ],
)
def test_a_file_that_can_not_be_read_is_refused_whole(text: str, why: str) -> None:
    with pytest.raises(ExchangeRefused, match=why):
        people(text)


HOSTILE = [
    *("Robert'); DROP TABLE person;--", "' OR '1'='1", "$(reboot)", "`id`", "| nc -l", "%s%n%x"),
    *("../../etc/passwd", "{{7*7}}", "<script>alert(1)</script>", "=HYPERLINK(1)", "\\x00"),
]


@pytest.mark.requirement("T16")
@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_is_a_name_and_a_hostile_card_is_refused(text: str) -> None:
    quoted = text.replace('"', '""')
    read = people(f'name,flat,card\n"{quoted}",1,\nEve,2,"{quoted}"\n')
    assert [person.name for person in read.people] == [text]
    assert [row.line for row in read.report.refused] == [3]


@pytest.mark.requirement("T16")
@pytest.mark.parametrize(
    "text", ["\x1b]0;x\x07", "\x1b[2J", "a\u202eb", "a\x7f", "\u2066x", "\x9b1"]
)
def test_a_name_that_would_steer_a_screen_is_refused(text: str) -> None:
    read = people(f"name\nAda{text}\nEve\n")
    assert [person.name for person in read.people] == ["Eve"]
    assert all(verdict.sentence.isprintable() for verdict in read.report.rows)


# Groups, schedules, holidays


def refused_lines(read: Imported) -> list[int]:
    return [row.line for row in read.report.refused]


def test_groups_are_read() -> None:
    read = table(
        "name,rule,schedule,anti-passback,anti-passback minutes,passes lockdown\n"
        "Residents,any,,off,,\n"
        "Staff,card+pin,Office hours,timed,30,yes\n"
        "门卫,二维码,,软,,否\n"
        "Residents,card,,,,\n"
        "Late,any,Nights,,,\n"
        "Timed,any,,timed,,\n"
        "Hard,any,,hard,5,\n"
        "Long,any,,timed,1441,\n"
        "Zero,any,,timed,0,\n"
        "Odd,face,,,,\n",
        Table.GROUPS,
    )
    assert [(each.name, each.rule, each.passback) for each in read.groups] == [
        ("Residents", "any", "off"),
        ("Staff", "card_pin", "timed"),
        ("门卫", "qr", "soft"),
    ]
    assert read.groups[1].passback_minutes == 30
    assert read.groups[1].schedule == "Office hours"
    assert [each.passes_lockdown for each in read.groups] == [False, True, False]
    assert refused_lines(read) == [5, 6, 7, 8, 9, 10, 11]


def test_a_face_alone_is_no_rule_that_can_be_imported() -> None:
    read = table("name,rule\nA,face\nB,人脸\n", Table.GROUPS)
    assert read.groups == ()


def test_schedules_are_read() -> None:
    read = table(
        "name,monday,周日,on holidays\nNights,22:00-06:00,,closed\nDays,8:00-9:00,,as usual\n"
        "Bad,9:00-8:99,,closed\nNone,,,\nDays,,,closed\n",
        Table.SCHEDULES,
    )
    assert read.schedules[0].week[:2] == (((1320, 1440),), ((0, 360),))
    assert [each.on_holidays for each in read.schedules] == [(), None]
    assert refused_lines(read) == [4, 5, 6]


def test_holidays_are_read() -> None:
    read = table("日期,名称\n2026-10-01,国庆节\n2026/10/01,x\n2026-10-32,\n", Table.HOLIDAYS)
    assert [(str(each.date), each.name) for each in read.holidays] == [("2026-10-01", "国庆节")]
    assert refused_lines(read) == [3, 4]
