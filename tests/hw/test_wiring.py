"""The wiring table: one source, checked before a line is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw import wiring
from hw.errors import DeviceError
from hw.ports import Input
from hw.wiring import DEFAULT_LINES, Direction, Line, LineName, Pull, Wiring

DOCUMENT = Path(__file__).parents[2] / "docs" / "wiring.md"


def row(name: LineName, wired: Wiring | None = None) -> Line:
    line = (wired or Wiring()).line(name)
    assert line is not None
    return line


def test_document_holds_the_table_as_it_is() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert wiring.in_document(text) == text, "run: python -m hw.wiring --write docs/wiring.md"


def test_document_without_marks_is_not_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here\n")
    assert wiring.main(["--write", str(page)]) == 1
    assert page.read_text() == "nothing here\n"
    assert "no marks" in capsys.readouterr().err


def test_module_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert wiring.main([]) == 0
    printed = capsys.readouterr().out
    assert all(f"`{line.value}`" in printed for line in LineName)


def test_module_refuses_other_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert wiring.main(["--read"]) == 2
    assert "usage" in capsys.readouterr().err


def test_every_input_of_the_ports_has_a_row_and_no_other_but_the_sense() -> None:
    inputs = {row.name.value for row in DEFAULT_LINES.values() if row.direction is Direction.INPUT}
    assert inputs == {line.value for line in Input} | {"sign_sense"}


@pytest.mark.requirement("A14")
def test_strike_is_active_high_pulled_down_and_rests_low() -> None:
    strike = Wiring().strike
    assert (strike.active_high, strike.pull, strike.rests_high) == (True, Pull.DOWN, False)
    assert "gpio=17=op,dl" in wiring.boot_settings()
    assert "dtparam=strict_gpiod" in wiring.boot_settings()


@pytest.mark.requirement("R41")
def test_cut_wire_of_the_door_contact_reads_as_an_open_door() -> None:
    contact = row(LineName.DOOR_CONTACT)
    assert contact.active_high
    assert contact.pull is Pull.UP


def test_optional_lines_are_wired_only_when_named() -> None:
    assert Wiring().line(LineName.PRESENCE) is None
    assert row(LineName.PRESENCE, Wiring.from_names({"presence": 26})).bcm == 26


def test_line_can_be_left_out() -> None:
    assert Wiring.from_names({"buzzer": None}).line(LineName.BUZZER) is None


def test_inverted_line_turns_its_resting_level_too() -> None:
    contact = row(LineName.DOOR_CONTACT, Wiring.from_names(inverted=["door_contact"]))
    assert not contact.active_high
    assert contact.rests_high


def test_two_lines_on_one_pin_are_refused() -> None:
    with pytest.raises(DeviceError, match="sign and buzzer are both on BCM 27"):
        Wiring.from_names({"buzzer": 27})


def test_unknown_line_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(DeviceError, match="did you mean door_contact"):
        Wiring.from_names({"door_contct": 5})
    with pytest.raises(DeviceError, match="lines are: strike"):
        Wiring.from_names(inverted=["zzz"])


@pytest.mark.parametrize("bcm", [-1, 0, 1, 28, 100, True, "17", 17.5])
def test_what_is_no_pin_of_the_header_is_refused(bcm: object) -> None:
    with pytest.raises(DeviceError, match="no pin of the header"):
        Wiring.from_names({"sign": bcm})  # type: ignore[dict-item]


def test_strike_can_not_be_left_out() -> None:
    with pytest.raises(DeviceError, match="strike needs a pin"):
        Wiring.from_names({"strike": None})


@pytest.mark.requirement("A14")
@pytest.mark.parametrize("bcm", range(4, 9))
def test_strike_on_a_pin_that_is_pulled_up_at_power_on_is_refused(bcm: int) -> None:
    with pytest.raises(DeviceError, match="would energise it"):
        Wiring.from_names({"strike": bcm, "kiosk_button": 20})


@pytest.mark.requirement("A14")
def test_active_low_strike_needs_a_pin_that_is_pulled_up_and_is_warned_of() -> None:
    with pytest.raises(DeviceError, match="would energise it"):
        Wiring.from_names(inverted=["strike"])
    wired = Wiring.from_names({"strike": 4}, inverted=["strike"])
    assert wired.strike.rests_high
    assert "active-low" in wired.warnings[0]
    assert Wiring().warnings == ()


@pytest.mark.parametrize("bcm", [14, 15])
def test_output_on_the_boot_console_is_refused(bcm: int) -> None:
    with pytest.raises(DeviceError, match="boot console"):
        Wiring.from_names({"sign": bcm})


def test_pull_down_on_a_pin_with_its_own_pull_up_is_refused() -> None:
    with pytest.raises(DeviceError, match="pull-ups of their own"):
        Wiring.from_names({"presence": 2})


def test_half_a_panel_is_refused() -> None:
    with pytest.raises(DeviceError, match="panel_d1 is wired alone"):
        Wiring.from_names({"panel_d1": 18})
    wired = Wiring.from_names({"panel_d0": 23, "panel_d1": 18})
    assert not row(LineName.PANEL_D0, wired).rests_high


@pytest.mark.requirement("R41")
@pytest.mark.parametrize("name", [LineName.TAMPER, LineName.FIRE, LineName.INTERLOCK])
def test_closed_loops_read_active_when_they_are_cut(name: LineName) -> None:
    line = row(name, Wiring.from_names({name.value: DEFAULT_LINES[name].bcm}))
    assert (line.active_high, line.pull) == (True, Pull.UP)


def test_all_lines_of_the_table_fit_on_one_board() -> None:
    everything = {name.value: line.bcm for name, line in DEFAULT_LINES.items()}
    assert len(Wiring.from_names(everything).lines) == len(LineName)


def test_only_what_every_site_wires_is_set_at_boot() -> None:
    shown = wiring.as_markdown()
    assert "\ngpio=22=op,dl\n" in shown
    assert "\n# gpio=25=op,dl  where alarm is wired\n" in shown


@pytest.mark.parametrize(
    ("bcms", "said"),
    [((4, 4), "both on BCM 4"), ((1, 4), "BCM 1 is no pin"), ((4, 13), "BCM 13 is the line door")],
)
def test_pins_that_can_not_be_lent_are_refused(bcms: tuple[int, int], said: str) -> None:
    with pytest.raises(DeviceError, match=f"^The reader x: .*{said}"):
        Wiring().check_lent("The reader x", bcms)
    Wiring().check_lent("The reader x", (4, 12))
