"""Files and sites for the tests of import and export; all people are invented."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from terminal.exchange.dates import EARLIEST, LATEST
from terminal.exchange.headings import Table
from terminal.exchange.importing import Imported, Known, read_csv

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
RESIDENT_NUMBER = "11010519491231002X"  # the example of GB 11643-1999
KNOWN = Known(frozenset({"Tower A", "一号楼"}), frozenset({"Office hours"}))


MICROSECOND = timedelta(microseconds=1)
INSTANTS: st.SearchStrategy[datetime] = st.integers(0, (LATEST - EARLIEST) // MICROSECOND).map(
    lambda count: EARLIEST + count * MICROSECOND
)
"""Every instant that validity may have, to the microsecond."""


def people(text: str | bytes, zone: ZoneInfo = SHANGHAI) -> Imported:
    """A people.csv read at the site."""
    data = text.encode() if isinstance(text, str) else text
    return read_csv(data, Table.PEOPLE, zone, KNOWN)


def table(text: str, what: Table, known: Known = KNOWN) -> Imported:
    """Another CSV file read at the site."""
    return read_csv(text.encode(), what, SHANGHAI, known)


def only_refusal(imported: Imported) -> str:
    """The sentence of the one row that was refused."""
    (refused,) = imported.report.refused
    return refused.sentence
