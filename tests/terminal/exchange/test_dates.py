"""Dates are read in one way or refused, in the site's own time, over every change of its clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.exchange import dates
from terminal.exchange.cells import CellRefused
from tests.terminal.exchange.given_files import BERLIN, INSTANTS, SHANGHAI

MIDNIGHT = datetime(2026, 1, 30, 16, tzinfo=UTC)  # 2026-01-31 00:00 in Shanghai


def refusal(text: str, zone: ZoneInfo = BERLIN) -> str:
    with pytest.raises(CellRefused) as caught:
        dates.begin(text, zone)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-01-31", "2026/1/31", "2026.1.31", "31.01.2026", "31.1.2026", "2026年1月31日"),
        *("20260131", "2026-01-31 00:00", "2026/1/31 0:00:00", "2026-01-31T00:00:00.000"),
        *("2026-01-31T00:00:00+08:00", "2026-01-30T16:00Z", "2026-01-30 17:00 +0100"),
        *(" ２０２６－０１－３１ ", "2026-01-30T16:00:00+00:00:00"),
    ],
)
def test_one_day_is_read_in_all_its_spellings(text: str) -> None:
    assert dates.begin(text, SHANGHAI) == MIDNIGHT


def test_a_bare_date_as_the_end_is_the_end_of_that_day() -> None:
    assert dates.end("2026-01-31", SHANGHAI) == MIDNIGHT + timedelta(days=1)
    assert dates.end("2026-01-31 00:00", SHANGHAI) == MIDNIGHT


def test_a_day_of_the_change_of_clocks_ends_with_it() -> None:
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25)):
        begins, ends = dates.begin(day, BERLIN), dates.end(day, BERLIN)
        assert begins is not None
        assert ends is not None
        assert ends - begins == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", " ", "\u3000"])
def test_nothing_is_no_bound(text: str) -> None:
    assert dates.begin(text, SHANGHAI) is None
    assert dates.end(text, SHANGHAI) is None


@pytest.mark.parametrize("text", ["长期", "永久", "9999-12-31", "2999/12/31 23:59:59", "never"])
def test_an_end_that_means_none_is_none(text: str) -> None:
    assert dates.end(text, SHANGHAI) is None


def test_a_time_that_the_clocks_skip_is_refused() -> None:
    assert "skip this time" in refusal("2026-03-29 02:30")
    assert dates.begin("2026-03-29 02:30", SHANGHAI) is not None


def test_a_time_that_the_clocks_pass_twice_is_refused_and_its_offset_asked_for() -> None:
    assert "add its offset" in refusal("2026-10-25 02:30")
    assert dates.begin("2026-10-25 02:30+02:00", BERLIN) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


def test_a_day_whose_midnight_is_skipped_begins_when_the_clocks_say_so() -> None:
    begins = dates.begin("2018-11-04", ZoneInfo("America/Sao_Paulo"))
    assert begins == datetime(2018, 11, 4, 3, tzinfo=UTC)


def test_a_day_that_a_place_skipped_is_refused() -> None:
    assert "skips that day" in refusal("2011-12-30", ZoneInfo("Pacific/Apia"))
    before = dates.end("2011-12-29", ZoneInfo("Pacific/Apia"))
    assert before == dates.begin("2011-12-31", ZoneInfo("Pacific/Apia"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *(("01/02/2026", "two ways"), ("1-2-26", "two ways"), ("1/31/2026 8:00", "two ways")),
        *(("46053", "day number"), ("46053.5", "day number")),
        *(
            ("2026-02-30", "no such date"),
            ("31.13.2026", "no such date"),
            ("2026-00-01", "no such"),
        ),
        *(("2026-01-31 24:01", "no such"), ("2026-01-31 08:00+15:00", "no such time zone")),
        *(("2026-01-31 08:60", "no such"), ("0000-01-01", "no such"), ("1900-01-01", "year")),
        *(("9999-12-31", "year"), ("2026-1/31", "can't be read"), ("tomorrow", "can't be read")),
        *(("2026-01-31 8", "can't be read"), ("2026-01-31; DROP", "can't be read")),
        *(("2026-01-31 08:00 CET", "can't be read"), ("9" * 100, "longer than any date")),
        ("١٢٣٤-٠١-٠١", "can't be read"),
    ],
)
def test_what_can_not_be_read_in_one_way_is_refused(text: str, why: str) -> None:
    assert why in refusal(text)


def test_a_holiday_has_a_day_and_no_time() -> None:
    assert dates.day_of("2026/10/1") == date(2026, 10, 1)
    for text in ("", "2026-10-01 08:00"):
        with pytest.raises(CellRefused):
            dates.day_of(text)


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(CellRefused, match="ends before"):
        dates.check_span(MIDNIGHT, MIDNIGHT)
    with pytest.raises(CellRefused, match="UTC"):
        dates.check_span(MIDNIGHT.replace(tzinfo=None), None)
    with pytest.raises(CellRefused, match="UTC"):
        dates.check_span(MIDNIGHT.astimezone(SHANGHAI), None)


ZONES = [
    *("Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Africa/Monrovia"),
    *("America/Havana", "Australia/Lord_Howe", "Africa/Casablanca", "UTC", "Asia/Kathmandu"),
]
HOURS = st.integers(0, 20 * 366 * 24).map(
    lambda hours: datetime(2010, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
)


@given(INSTANTS | HOURS, st.sampled_from(ZONES))
def test_every_instant_is_written_so_that_it_is_read_again(instant: datetime, place: str) -> None:
    zone = ZoneInfo(place)
    assert dates.begin(dates.begin_text(instant, zone), zone) == instant
    assert dates.end(dates.end_text(instant, zone), zone) == instant


@given(st.text() | st.from_regex(r"\A\d{1,4}[-/.年]\d{1,4}[-/.月]\d{1,4}(日|[ T]\d\d:\d\d)?\Z"))
def test_any_text_is_a_date_or_refused(text: str) -> None:
    for read in (dates.begin, dates.end):
        try:
            instant = read(text, BERLIN)
        except CellRefused:
            continue
        assert instant is None or dates.EARLIEST <= instant <= dates.LATEST
