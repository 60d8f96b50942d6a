"""Headings are known exactly, and what must never be taken in is known generously."""

from __future__ import annotations

import pytest

from terminal.exchange.headings import HEADINGS, Column, NeverTaken, Table, column_of


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        *(("姓名", Column.NAME), ("Name", Column.NAME), ("*姓名(必填)", Column.NAME)),
        *(("房号", Column.FLAT), ("Unit No.", Column.FLAT), ("楼栋", Column.BUILDING)),
        *(("单元", Column.UNIT), ("卡号", Column.CARD), ("卡号2", Column.CARD)),
        *(("IC卡号", Column.CARD), ("Card_Number", Column.CARD), ("cardNumber", Column.CARD)),
        *(("卡类型", Column.CARD_TYPE), ("人员类型", Column.KIND), ("TYPE", Column.KIND)),
        *(("分组", Column.GROUP), ("access-level", Column.GROUP), ("有效期起", Column.VALID_FROM)),
        *(("有效期止", Column.VALID_UNTIL), ("有效期", Column.VALID_UNTIL)),
        *((" 姓 名 ：", Column.NAME), ("ｎａｍｅ", Column.NAME), ("编号", Column.IDENTIFIER)),
    ],
)
def test_a_column_is_known_by_its_usual_names(heading: str, column: Column) -> None:
    assert column_of(heading, Table.PEOPLE) is column


@pytest.mark.requirement("R45")
@pytest.mark.parametrize(
    ("heading", "why"),
    [
        *(("身份证号", NeverTaken.IDENTITY), ("业主身份证号码", NeverTaken.IDENTITY)),
        *(("证件类型", NeverTaken.IDENTITY), ("ID number", NeverTaken.IDENTITY)),
        *(("idNumber", NeverTaken.IDENTITY), ("ID card", NeverTaken.IDENTITY)),
        *(("Passport No", NeverTaken.IDENTITY), ("手机号", NeverTaken.CONTACT)),
        *(("联系电话", NeverTaken.CONTACT), ("mobile phone", NeverTaken.CONTACT)),
        *(("E-mail", NeverTaken.CONTACT), ("人脸照片", NeverTaken.PICTURE)),
        *(("photo_url", NeverTaken.PICTURE), ("Face image", NeverTaken.PICTURE)),
        *(("face_template", NeverTaken.PICTURE), ("指纹1", NeverTaken.PICTURE)),
        *(("性别", NeverTaken.TRAIT), ("Sex", NeverTaken.TRAIT), ("出生日期", NeverTaken.TRAIT)),
        *(("date of birth", NeverTaken.TRAIT), ("民族", NeverTaken.TRAIT)),
        *(("PIN", NeverTaken.SECRET), ("开门密码", NeverTaken.SECRET)),
    ],
)
def test_a_column_that_is_never_taken_in_is_recognised(heading: str, why: NeverTaken) -> None:
    for table in Table:
        assert column_of(heading, table) is why


@pytest.mark.requirement("A24")
@pytest.mark.parametrize(
    "heading",
    ["consent", "Face consent", "consent_given", "同意", "人脸同意书", "已知情同意", "agreed"],
)
def test_a_column_of_consent_is_refused_because_consent_is_given_at_the_device(
    heading: str,
) -> None:
    why = column_of(heading, Table.PEOPLE)
    assert why is NeverTaken.CONSENT
    assert "at the device" in why.value


@pytest.mark.parametrize(
    "heading",
    ["", "备注", "面积", "Essex", "surface", "姓名 姓名", "cardiology", "x" * 100, "卡号a"],
)
def test_any_other_heading_is_unknown(heading: str) -> None:
    assert column_of(heading, Table.PEOPLE) is None


@pytest.mark.parametrize("table", list(Table))
def test_no_spelling_names_two_columns(table: Table) -> None:
    for column, spellings in HEADINGS[table].items():
        for spelling in spellings:
            assert column_of(spelling, table) is column
