"""How answers look to an operator in a terminal: plain lines and narrow tables.

Names, reasons and the site's name come from outside, and a screen obeys what it is sent: nothing
goes out from here that would move its cursor or hide a line (`seen`).

What changes with this file: nothing else; `--json` shows the answers as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from terminal.requests import Line
from terminal.words import sentence


def seen(text: str) -> str:
    """The text with a question mark for each character that does not show."""
    return "".join(each if each.isprintable() else "?" for each in text)


def table(rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells as aligned columns."""
    cells = [tuple(seen(cell) for cell in row) for row in rows]
    if not cells:
        return ""
    widths = [max(len(row[at]) for row in cells) for at in range(len(cells[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def status(answer: Line) -> str:
    """One screen of `terminalctl status`."""
    return table([(name, text) for name, text in _status_rows(answer["status"])])


def _status_rows(status: Line) -> list[tuple[str, str]]:
    site, door, log = status["site"], status["door"], status["log"]
    people = status["people"]
    rows = [
        ("Site", f"{site['name']} ({site['place']}), {site['lock']} lock"),
        ("Door", f"{door['state']}, {'open' if door['open'] else 'closed'}"),
        ("Strike", "released" if door["strike_released"] else "secure"),
        ("Face", _face(status["face"])),
        ("Sign", "lit" if status["face"]["sign_reads_lit"] else "dark"),
        ("Readers", ", ".join(status["ways"]["readers"]) or "none works"),
        ("Codes", "read by the camera" if status["ways"]["codes"] else "not read by the camera"),
        (
            "People",
            f"{people['people']} registered, {people['cards']} cards, "
            f"{status['face']['enrolled']} faces (at most {status['face']['most_people']})",
        ),
        ("Log", f"{log['records']} records, head {log['head'][:12]}"),
        ("Clock", f"{_time(log['utc'])}{'' if log['clock_trusted'] else ', not trusted'}"),
        ("Key", f"level {site['key_level']}"),
    ]
    return rows + _time_rows(status["times"]) + _trouble_rows(status)


def _face(face: Line) -> str:
    if face["on"]:
        return f"on ({face['trigger']}), vision may {face['permission']}"
    return f"off: {face['off_because']}"


def _time_rows(times: Line) -> list[tuple[str, str]]:
    rows = []
    for name, key in (("Face to strike", "frame_to_strike"), ("Card to strike", "card_to_strike")):
        spread = times[key]
        if spread:
            p50_ms, p95_ms = spread["p50_s"] * 1000, spread["p95_s"] * 1000
            rows.append((name, f"p50 {p50_ms:.0f} ms, p95 {p95_ms:.0f} ms (n={spread['n']})"))
    return rows


def _trouble_rows(status: Line) -> list[tuple[str, str]]:
    rows = []
    if not status["memory_locked"]:
        rows.append(("Memory", "templates could be swapped out; raise LimitMEMLOCK"))
    if not status["log"]["reserve_left"]:
        rows.append(("Disk", "full: the space kept for the log is in use; free some"))
    if status["unerased"]:
        rows.append(("Erasures", f"{status['unerased']} wait for the disk"))
    if status["trouble"]:
        rows.append(("Trouble", status["trouble"]))
    return rows


def record(line: Line) -> str:
    """One record of the log."""
    words = [line["kind"]]
    words += [f"by {line['way']}"] if "way" in line else []
    words += [f"person {line['person']}"] if "person" in line else []
    words += [f"({line['reason']})"] if "reason" in line else []
    words += [f"{key}={value}" for key, value in line.get("facts", ())]
    words += [f"asked by {line['by']}"] if "by" in line else []
    untrusted = "" if line.get("trusted") else "?"
    return f"{line['seq']:>6}  {_time(line['utc'])}{untrusted}  {seen(' '.join(words))}"


def people(answer: Line) -> str:
    """Everyone registered."""
    rows = [("Identifier", "Name", "Cards", "Face", "Templates")]
    for one in answer["people"]:
        name = one["name"] or "(its seal is broken)"
        rows.append((one["person"], name, str(one["cards"]), one["consent"], str(one["templates"])))
    return table(rows) if len(rows) > 1 else "Nobody is registered."


def selftest(answer: Line) -> str:
    """Every check with its sentence."""
    checks = answer["selftest"]["checks"]
    return table(
        [
            ("ok" if check["holds"] else "NOT OK", check["name"], check["sentence"])
            for check in checks
        ]
    )


def version(answer: Line) -> str:
    """What runs."""
    return table([(key, str(value)) for key, value in answer["version"].items()])


def progress(line: Line) -> str:
    """What the person who is being enrolled should do now."""
    return sentence(line)


def enrolment(answer: Line) -> str:
    """How an enrolment ended."""
    ended = answer["enrolment"]
    person, stage = seen(ended["person"]), ended["stage"]
    reason = f" {sentence(ended)}" if "reason" in ended else ""
    trouble = f" {seen(ended['trouble'])}" if "trouble" in ended else ""
    match stage:
        case "done":
            return f"Enrolled as {person}."
        case "card_only":
            return f"Registered as {person} with a card and no face.{reason}{trouble}"
        case _:
            return f"Not enrolled.{reason}{trouble}"


def _time(text: str) -> str:
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")
