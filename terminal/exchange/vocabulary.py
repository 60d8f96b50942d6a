"""The words that stand in cells for kinds of people, rules, anti-passback, and yes or no.

Of each meaning the first word is written in English files and the second in Chinese ones; all are
read, letter case and width apart. A word that is not here refuses its row: a guess at what somebody
is, or at what opens for them, would be a decision.

What changes with this file: docs/exchange.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar
from unicodedata import normalize

from terminal.exchange.cells import CellRefused
from terminal.exchange.rows import Kind, Passback, Rule

T = TypeVar("T")

KINDS: Final[dict[Kind, tuple[str, ...]]] = {
    "resident": (
        *("resident", "住户", "业主", "租户", "租客", "家属", "家庭成员", "居民"),
        *("owner", "tenant", "family", "family member", "lodger"),
    ),
    "visitor": ("visitor", "访客", "来访", "来访人员", "临时访客", "guest"),
    "staff": (
        *("staff", "物业", "物业人员", "员工", "工作人员", "保安", "保洁", "管理员"),
        *("employee", "guard", "caretaker"),
    ),
}
RULES: Final[dict[Rule, tuple[str, ...]]] = {
    "any": ("any", "任意", "任一"),
    "card": ("card", "卡", "刷卡"),
    "qr": ("qr", "二维码", "qr code"),
    "card_pin": ("card_pin", "卡加密码", "卡+密码", "card+pin", "card and pin"),
    "qr_pin": ("qr_pin", "二维码加密码", "二维码+密码", "qr+pin", "qr and pin"),
    "card_face": ("card_face", "卡加人脸", "卡+人脸", "card+face", "card and face"),
}
PASSBACKS: Final[dict[Passback, tuple[str, ...]]] = {
    "off": ("off", "关闭", "无", "none", "no"),
    "soft": ("soft", "软"),
    "hard": ("hard", "硬"),
    "timed": ("timed", "定时", "限时"),
}
YES_NO: Final[dict[bool, tuple[str, ...]]] = {
    True: ("yes", "是", "true", "1"),
    False: ("no", "否", "false", "0"),
}
CLOSED: Final = ("closed", "关闭")
AS_USUAL: Final = ("as usual", "照常")


def meaning(text: str, words: Mapping[T, tuple[str, ...]], what: str) -> T:
    """What the word means. Raises CellRefused, naming the words that would do."""
    plain = _folded(text)
    for value, spellings in words.items():
        if plain in spellings:
            return value
    known = ", ".join(spellings[0] for spellings in words.values())
    raise CellRefused(f"The {what} is none of {known} (or their synonyms).")


def _folded(text: str) -> str:
    return normalize("NFKC", text[:64]).strip().casefold()
