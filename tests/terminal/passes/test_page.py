"""The page of a phone: its codes are the terminal's, its QR code is read, and it asks nobody."""

from __future__ import annotations

import base64
import hashlib
import html
import random
import re
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.passes import base45, page, rotation
from terminal.passes.token import check
from tests.terminal.given_passes import (
    HERE,
    KEYRING,
    NOW,
    code_secret,
    resident,
    showing,
    static,
    text,
)
from tests.terminal.passes.phone import Phone, picture, read

SECRET = code_secret(resident())
SIGNED = text(resident()).decode()
STEP = rotation.step_of(NOW)
PHONE = Phone()
HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    "]]><!--",
    "&lt;b&gt;&#x3c;",
    "\u2028\u2029\u202etxt.exe\0\x1b[31m",
    "$script ${policy} $$ %s {0}",
    "\ud800",
    "滨江花园 <一期>",
]


class Elements(HTMLParser):
    """What a browser finds in a page: tags with attributes, and texts by the tag they stand in."""

    def __init__(self, source: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._inside = ""
        self.feed(source.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        self.texts[self._inside] = self.texts.get(self._inside, "") + data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def made(site: str = "滨江花园", number: str = "0000 0002") -> bytes:
    token = resident()
    return page.page(
        SIGNED,
        SECRET,
        site=site,
        number=number,
        valid_from=token.not_before,
        valid_until=token.not_after,
    )


PLAIN = Elements(made())


@pytest.mark.requirement("T42")
@pytest.mark.parametrize("length", [0, 1, 31, 32, 55, 56, 63, 64, 65, 119, 120, 200])
def test_the_hashes_of_the_page_are_those_of_the_library(length: int) -> None:
    data = bytes(range(length))
    assert bytes(PHONE.run("sha256(dukpy.data)", data=list(data))) == hashlib.sha256(data).digest()


@pytest.mark.requirement("R44")
def test_the_codes_of_the_page_are_the_terminals_over_thousands_of_steps() -> None:
    rng = random.Random(44)
    steps = [STEP + i for i in range(2000)] + [rng.randrange(2**40) for _ in range(1000)]
    codes = PHONE.run(
        "dukpy.steps.map(function (step) { return codeAt(dukpy.secret, step); })",
        secret=list(SECRET),
        steps=[0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**33, *steps],
    )
    expected = [0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**33, *steps]
    assert codes == [rotation.code_at(SECRET, step) for step in expected]


@pytest.mark.requirement("R44")
@settings(max_examples=50)
@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**53 - 1))
def test_any_secret_has_the_same_code_on_the_page(secret: bytes, step: int) -> None:
    assert PHONE.code(secret, step) == rotation.code_at(secret, step)


@given(st.integers(0, 4_000_000_000))
def test_the_page_counts_steps_as_the_terminal_does(seconds: int) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert PHONE.run("stepAt(dukpy.ms)", ms=seconds * 1000) == rotation.step_of(at)


@given(st.integers(0, 2**16 - 1))
def test_the_letters_of_the_page_are_base45(number: int) -> None:
    letters = PHONE.run("pairLetters(dukpy.number)", number=number)
    assert letters.encode() == base45.encode(number.to_bytes(2, "big"))


@pytest.mark.requirement("R44")
def test_what_the_page_shows_is_read_and_taken_and_its_code_is_fresh() -> None:
    for i in range(40):
        at = NOW + timedelta(seconds=rotation.STEP_S * i * 997)
        (seen,) = read(picture(PHONE.grid(PHONE.text(SIGNED, SECRET, rotation.step_of(at)))))
        token = check(seen.encode(), KEYRING, HERE, at)
        assert token == showing(resident(), at)
        assert token.code is not None
        assert rotation.judged(SECRET, token.code, at, None).step == rotation.step_of(at)


@pytest.mark.parametrize("mask", range(8))
def test_for_each_mask_the_grid_is_that_of_another_encoder(mask: int) -> None:
    for length in (166, 165, 160, 1):
        letters = (PHONE.text(SIGNED, SECRET, STEP + mask) * 2)[:length]
        other = segno.make(
            letters, version=7, error="m", mode="alphanumeric", mask=mask, boost_error=False
        )
        ours = PHONE.run(
            "filled(patterns(), freePlaces(patterns()), allWords(dukpy.text), dukpy.mask)",
            text=letters,
            mask=mask,
        )
        assert ours == [list(row) for row in other.matrix]


def test_the_mask_with_the_least_penalty_is_taken() -> None:
    whole = PHONE.text(SIGNED, SECRET, STEP)
    points = PHONE.run(
        "MASKS.map(function (ignored, mask) { return penalty(filled(patterns(), "
        "freePlaces(patterns()), allWords(dukpy.text), mask)); })",
        text=whole,
    )
    chosen = PHONE.run("penalty(qrGrid(dukpy.text))", text=whole)
    assert chosen == min(points) < max(points)


def test_a_code_with_a_tenth_of_its_words_broken_is_still_read() -> None:
    """Level M mends about 15 %; without right check words nothing would be mended at all."""
    whole = PHONE.text(SIGNED, SECRET, STEP)
    grid = PHONE.grid(whole)
    grid[12:22, 12:22] ^= 1
    assert read(picture(grid)) == [whole]


def test_the_policy_allows_this_script_and_this_style_by_their_hashes_and_no_address() -> None:
    (policy,) = [
        one["content"] or ""
        for one in PLAIN.of("meta")
        if one.get("http-equiv") == "Content-Security-Policy"
    ]
    for kind in ("script", "style"):
        digest = hashlib.sha256(PLAIN.texts[kind].encode()).digest()
        assert f"{kind}-src 'sha256-{base64.b64encode(digest).decode()}';" in policy
    assert policy.startswith("default-src 'none'; ")
    assert not re.search(r"unsafe|https?:|\*|data:|self", policy)


def test_the_page_names_no_address_and_loads_nothing() -> None:
    assert not re.search(rb"https?:|//[a-z]|url\(|@import|src=|href=", made())
    script = page.script_text()
    asked = r"fetch|XMLHttp|WebSocket|Beacon|import|eval|Function|innerHTML|localStorage|cookie"
    assert not re.search(rf"\b(?:{asked})\b", script)


def test_the_script_and_the_style_can_stand_in_a_page() -> None:
    for words in (page.script_text(), page.style_text()):
        assert not re.search(r"</|<!--|\r", words)


def test_the_script_is_the_same_whatever_the_pass() -> None:
    assert Elements(made("</script>", "'")).texts["script"] == PLAIN.texts["script"]


@pytest.mark.requirement("A7")
@pytest.mark.parametrize("site", HOSTILE)
def test_a_hostile_name_of_a_site_is_text_and_nothing_else(site: str) -> None:
    assert_only_text(site)


@pytest.mark.requirement("A7")
@given(st.text(max_size=60))
def test_any_name_of_a_site_is_text_and_nothing_else(site: str) -> None:
    assert_only_text(site)


def assert_only_text(site: str) -> None:
    plain, hostile = PLAIN, Elements(made(site, site))
    assert hostile.tags == plain.tags
    shown = "".join(letter if letter.isprintable() else " " for letter in site)
    assert hostile.texts.get("bdi", "") == shown * 2
    assert hostile.texts["script"] == plain.texts["script"]


@pytest.mark.requirement("A7")
def test_quotes_are_escaped_too_so_that_a_text_may_move_into_an_attribute() -> None:
    assert b"&quot;&#x27;&amp;&lt;&gt;" in made("\"'&<>")


def test_nothing_invisible_gets_onto_the_page() -> None:
    source = made("a\u202eb\u2028c\0d").decode()
    assert "a b c d" in source
    assert all(letter.isprintable() or letter == "\n" for letter in source)


def test_the_page_holds_the_pass_its_secret_and_no_person() -> None:
    (pass_,) = PLAIN.of("main")
    assert pass_["data-text"] == SIGNED
    assert pass_["data-secret"] == SECRET.hex()
    assert resident().holder.encode() not in made()


def test_validity_stands_in_it_in_utc_and_as_seconds() -> None:
    at = datetime(2026, 5, 4, 8, 0, tzinfo=timezone(timedelta(hours=8)))
    whole = page.page(
        SIGNED, SECRET, site="", number="", valid_from=at, valid_until=at + timedelta(days=1)
    )
    (pass_,) = Elements(whole).of("main")
    assert pass_["data-from"] == str(int(at.timestamp()))
    assert b"2026-05-04 00:00" in whole
    assert b"2026-05-05T00:00:00Z" in whole


def test_the_phone_writes_times_in_its_own_zone() -> None:
    stamp = int(NOW.timestamp())
    written = PHONE.run("localTime(dukpy.at)", at=stamp)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", written)
    assert "getUTC" not in page.script_text()


@pytest.mark.parametrize(
    ("at", "says"), [(99, "early"), (100, "valid"), (199, "valid"), (200, "ended"), (999, "ended")]
)
def test_the_page_knows_when_the_pass_is_valid(at: int, says: str) -> None:
    assert PHONE.run("standing(dukpy.at, 100, 200)", at=at) == says


def test_a_path_draws_exactly_the_dark_modules_inside_a_quiet_zone() -> None:
    grid = PHONE.grid(PHONE.text(SIGNED, SECRET, STEP))
    drawn = set()
    for x, y, run in re.findall(
        r"M(\d+) (\d+)h(\d+)v1h-\3z", PHONE.run("pathOf(dukpy.grid)", grid=grid.tolist())
    ):
        drawn |= {(int(y) - 4, int(x) + i - 4) for i in range(int(run))}
    assert drawn == {(y, x) for y in range(45) for x in range(45) if grid[y, x]}


def test_without_scripts_the_page_says_so_in_both_languages_and_what_to_ask_for() -> None:
    ids = {attributes.get("id"): attributes for _, attributes in PLAIN.tags}
    assert "hidden" not in ids["without-script"]
    assert "hidden" in ids["with-script"]
    source = html.unescape(made().decode())
    for words in (
        "用浏览器打开",
        "固定通行证",
        "门禁卡",
        "in a browser",
        "with a PIN",
        "for a card",
    ):
        assert words in source


def test_every_sentence_stands_in_both_languages() -> None:
    body = made().decode().split("<body>")[1].split("<script>")[0]
    assert body.count('lang="en"') >= 9
    assert 'lang="zh-Hans"' in made().decode()


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2) of #rgb or #rrggbb."""
    digits = colour if len(colour) == 6 else "".join(digit * 2 for digit in colour)
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_colour_but_the_ground_has_a_contrast_of_at_least_7_to_1_with_it() -> None:
    colours = set(re.findall(r"#([0-9a-f]{6}|[0-9a-f]{3})\b", page.style_text())) - {"fff"}
    assert len(colours) >= 3
    assert all(1.05 / (luminance(colour) + 0.05) >= 7 for colour in colours)


@pytest.mark.parametrize(
    "wrong",
    [text(showing(resident())).decode(), SIGNED[:-1], SIGNED.lower(), "", "FT1:" + '"' * 156],
)
def test_no_page_is_made_of_what_is_no_pass_without_a_code(wrong: str) -> None:
    with pytest.raises(ValueError, match="rotating pass"):
        page.page(wrong, SECRET, site="", number="", valid_from=NOW, valid_until=NOW)


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(64)])
def test_no_page_is_made_with_another_secret(secret: bytes) -> None:
    with pytest.raises(ValueError, match="secret"):
        page.page(SIGNED, secret, site="", number="", valid_from=NOW, valid_until=NOW)


def test_a_static_pass_has_no_code_to_show() -> None:
    """It has the same form; what makes it static is signed, and appended letters break it."""
    shown = PHONE.text(text(static()).decode(), SECRET, STEP)
    with pytest.raises(Exception, match="not written as a pass"):
        check(shown.encode(), KEYRING, HERE, NOW)
