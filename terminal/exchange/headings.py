"""Which column a heading names, and which columns must never be taken in.

A heading is known by its words exactly (letter case, width, spaces and what stands in brackets
apart), since a column that is taken for another one is worse than one that is left out. What is
never taken in is recognised by parts of words, generously: such a column is left out either way,
and the report says that a door has no business with it (R45, R48; PIPL Art. 6). Consent is among
them: it is given at the device, by the person alone (R01, A24).

What changes with this file: docs/exchange.md.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from unicodedata import normalize


class Table(Enum):
    """What the lines of a file are."""

    PEOPLE = "people"
    GROUPS = "groups"
    SCHEDULES = "schedules"
    HOLIDAYS = "holidays"


class Column(Enum):
    """A column that is read."""

    IDENTIFIER = "identifier"
    NAME = "name"
    BUILDING = "building"
    UNIT = "unit"
    FLAT = "flat"
    KIND = "type"
    GROUP = "group"
    VALID_FROM = "valid from"
    VALID_UNTIL = "valid until"
    CARD = "card number"
    CARD_TYPE = "card type"
    CARD_COUNT = "number of cards"
    RULE = "rule"
    SCHEDULE = "schedule"
    PASSBACK = "anti-passback"
    PASSBACK_MINUTES = "anti-passback minutes"
    PASSES_LOCKDOWN = "passes lockdown"
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"
    ON_HOLIDAYS = "on holidays"
    DATE = "date"


class NeverTaken(Enum):
    """Why a column is never read."""

    CONSENT = "consent is given at the device, by the person alone"
    IDENTITY = "a door has no business with identity numbers"
    PICTURE = "pictures, faces and fingers are never imported"
    CONTACT = "a door needs no telephone number or address for messages"
    TRAIT = "a door need not know sex, age, birth or descent"
    SECRET = "a PIN or password does not belong into a file"


WEEKDAYS = (
    *(Column.MONDAY, Column.TUESDAY, Column.WEDNESDAY, Column.THURSDAY),
    *(Column.FRIDAY, Column.SATURDAY, Column.SUNDAY),
)

_NAME_OF_A_THING = ("name", "名称")
_WEEK = {
    column: (column.value, f"周{day}", f"星期{day}", column.value[:3])
    for column, day in zip(WEEKDAYS, "一二三四五六日", strict=True)
}

HEADINGS: dict[Table, dict[Column, tuple[str, ...]]] = {
    Table.PEOPLE: {
        Column.IDENTIFIER: (
            *("identifier", "编号", "人员编号", "住户编号", "业主编号", "工号"),
            *("id", "person id", "personnel no", "personnel id", "employee id"),
        ),
        Column.NAME: (
            *(
                "name",
                "姓名",
                "住户姓名",
                "业主姓名",
                "租户姓名",
                "人员姓名",
                "持卡人",
                "持卡人姓名",
            ),
            *("full name", "person name", "resident name", "holder", "cardholder"),
            "cardholder name",
        ),
        Column.FLAT: (
            *("flat", "房号", "房间", "房间号", "房屋", "户号", "室", "室号", "门牌号"),
            *("unit", "unit no", "unit number", "room", "room no", "room number"),
            *("flat no", "flat number", "apartment", "apt"),
        ),
        Column.BUILDING: ("building", "楼栋", "楼号", "楼宇", "栋", "栋号", "幢", "座", "block"),
        Column.UNIT: ("staircase", "单元", "单元号", "entrance"),
        Column.KIND: (
            *("type", "人员类型", "类型", "住户类型", "业主类型", "人员类别", "住户性质"),
            *("person type", "kind", "role", "resident type"),
        ),
        Column.GROUP: (
            *("group", "分组", "组", "人员分组", "所属分组", "门禁组", "权限组"),
            *("access group", "access level", "door group", "cardholder group"),
        ),
        Column.VALID_FROM: (
            *(
                "valid from",
                "有效期起",
                "有效期开始",
                "开始日期",
                "开始时间",
                "起始日期",
                "起始时间",
            ),
            *(
                "生效日期",
                "生效时间",
                "有效开始时间",
                "start date",
                "start time",
                "activation date",
            ),
        ),
        Column.VALID_UNTIL: (
            # 有效期 alone too: left out, it would make everybody's validity endless.
            *(
                "valid until",
                "有效期止",
                "有效期至",
                "有效期结束",
                "有效期",
                "结束日期",
                "结束时间",
            ),
            *(
                "截止日期",
                "截止时间",
                "到期日期",
                "到期时间",
                "失效日期",
                "失效时间",
                "有效结束时间",
            ),
            *("valid to", "end date", "end time", "expires", "expiry", "expiry date"),
            "expiration date",
        ),
        Column.CARD: (
            *(
                "card number",
                "卡号",
                "门禁卡号",
                "门禁卡",
                "卡片号",
                "卡片编号",
                "物理卡号",
                "卡序列号",
            ),
            *("IC卡号", "ID卡号", "IC卡", "card", "cards", "card no", "card numbers", "card uid"),
            *("badge", "badge number", "fob", "fob number"),
        ),
        Column.CARD_TYPE: ("card type", "卡类型", "卡片类型", "卡种"),
        Column.CARD_COUNT: ("number of cards", "卡数", "卡片数量"),
    },
    Table.GROUPS: {
        Column.NAME: (*_NAME_OF_A_THING, "group", "分组", "组名"),
        Column.RULE: ("rule", "规则", "开门方式", "认证方式"),
        Column.SCHEDULE: ("schedule", "时段", "时间表", "time zone"),
        Column.PASSBACK: ("anti-passback", "反潜回", "passback"),
        Column.PASSBACK_MINUTES: ("anti-passback minutes", "反潜回分钟", "passback minutes"),
        Column.PASSES_LOCKDOWN: ("passes lockdown", "封锁时可通行", "lockdown"),
    },
    Table.SCHEDULES: {
        Column.NAME: (*_NAME_OF_A_THING, "schedule", "时段", "时间表"),
        **_WEEK,
        Column.SUNDAY: (*_WEEK[Column.SUNDAY], "周天", "星期天"),
        Column.ON_HOLIDAYS: ("on holidays", "节假日", "假日", "holidays"),
    },
    Table.HOLIDAYS: {
        Column.DATE: ("date", "日期", "day"),
        Column.NAME: (*_NAME_OF_A_THING, "holiday", "节日", "假日"),
    },
}

REQUIRED = {
    Table.PEOPLE: Column.NAME,
    Table.GROUPS: Column.NAME,
    Table.SCHEDULES: Column.NAME,
    Table.HOLIDAYS: Column.DATE,
}

_NEVER = (
    (NeverTaken.CONSENT, r"同意|知情|授权书|\bconsent|\bagree"),
    (
        NeverTaken.IDENTITY,
        r"身份证|证件|护照|社保|\bid ?(?:card|no|num)|\bidentit|\bnational id|\bpassport"
        r"|\bsocial sec|\bssn\b",
    ),
    (
        NeverTaken.PICTURE,
        r"照片|相片|人脸|头像|图片|指纹|虹膜|掌纹|声纹|特征|模板|\bphoto|\bface|\bfacial|\bpicture"
        r"|\bimage|\bportrait|\bfinger|\biris|\bpalm|\btemplate|\bbiometr|\bembedding",
    ),
    (
        NeverTaken.CONTACT,
        r"手机|电话|联系|微信|邮箱|邮件|\bphone|\bmobile|\btelephone|\btel\b|\bcell|\be ?mail"
        r"|\bwechat",
    ),
    (
        NeverTaken.TRAIT,
        r"性别|出生|生日|年龄|民族|籍贯|国籍|宗教|政治面貌|婚姻|\bsex\b|\bgender|\bbirth|\bdob\b"
        r"|\bage\b|\bethnic|\brace\b|\bnation\b|\bnationality|\breligio|\bmarital",
    ),
    (NeverTaken.SECRET, r"密码|口令|\bpin\b|\bpass ?(?:word|code)|\bsecret"),
)
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|<[^<>]*>")
_APART = re.compile(r"[\s_./-]+")
_MAX_CHARACTERS = 64


def column_of(heading: str, table: Table) -> Column | NeverTaken | None:
    """The column that this heading names, why it is never read, or None for an unknown one."""
    if len(heading) > _MAX_CHARACTERS:
        return None
    words = _words(heading)
    known = _known(table)
    squeezed = words.replace(" ", "")
    if squeezed in known:
        return known[squeezed]
    if known.get(squeezed.rstrip("0123456789")) is Column.CARD:
        return Column.CARD  # 卡号1, 卡号2: one card each
    return next((why for why, pattern in _NEVER if re.search(pattern, words)), None)


def _words(heading: str) -> str:
    """Lower case, one space between words, no brackets, no stars of "must be filled in"."""
    apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", normalize("NFKC", heading))
    bare = _BRACKETS.sub(" ", apart.casefold())
    return _APART.sub(" ", bare.translate(str.maketrans("*:'", "   "))).strip()


@lru_cache
def _known(table: Table) -> dict[str, Column]:
    return {
        _words(spelling).replace(" ", ""): column
        for column, spellings in HEADINGS[table].items()
        for spelling in spellings
    }
