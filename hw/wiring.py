"""The wiring table: every line between the terminal and the door, stated once.

The GPIO driver claims lines from it, `docs/wiring.md` is generated from it, the self-test walks
it. It must never hold a polarity or a pull that the board does not need: who wires the terminal
reads this table and nothing else. Pins can be moved by configuration, polarity can be turned, and
both are checked here, before a line is touched. What changes with this file: `docs/wiring.md`
(`python -m hw.wiring --write docs/wiring.md`), the door's wiring, and nothing in the drivers.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from types import MappingProxyType

from hw.errors import DeviceError


class LineName(Enum):
    """Every line; the inputs bear the same values as `hw.ports.Input`."""

    STRIKE = "strike"
    SIGN = "sign"
    SIGN_SENSE = "sign_sense"
    BUZZER = "buzzer"
    KIOSK_BUTTON = "kiosk_button"
    FACE_BUTTON = "face_button"
    DOOR_CONTACT = "door_contact"
    REX = "rex"
    PRESENCE = "presence"
    TAMPER = "tamper"
    FIRE = "fire"
    INTERLOCK = "interlock"
    ALARM = "alarm"
    PANEL_D0 = "panel_d0"
    PANEL_D1 = "panel_d1"


class Direction(Enum):
    """Who drives the line."""

    OUTPUT = "output"
    INPUT = "input"


class Pull(Enum):
    """The resistor inside the chip (about 50 kohm); it is no substitute for the board's own."""

    UP = "up"
    DOWN = "down"
    NONE = "floating"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table.

    `bcm` is the chip's number of the pin (0..27). `active_high` says which electrical level means
    active; what active means stands in `meaning`. Every line rests inactive. `debounce_ms` is how
    long an input has to keep a level before it counts (0..1000). `is_optional` lines are
    left alone unless the configuration gives them a pin.
    """

    name: LineName
    direction: Direction
    bcm: int
    active_high: bool
    pull: Pull
    debounce_ms: int
    is_optional: bool
    meaning: str
    connects_to: str
    notes: str = ""

    @property
    def header_pin(self) -> int:
        """Number of the pin on the board's 40-pin header (1..40)."""
        return HEADER_PIN_OF_BCM[self.bcm]

    @property
    def rests_high(self) -> bool:
        """The electrical level while nothing happens."""
        return not self.active_high


# fmt: off
HEADER_PIN_OF_BCM: Mapping[int, int] = MappingProxyType({
    2: 3, 3: 5, 4: 7, 5: 29, 6: 31, 7: 26, 8: 24, 9: 21, 10: 19, 11: 23, 12: 32, 13: 33, 14: 8,
    15: 10, 16: 36, 17: 11, 18: 12, 19: 35, 20: 38, 21: 40, 22: 15, 23: 16, 24: 18, 25: 22, 26: 37,
    27: 13,
})
# fmt: on
"""BCM number -> header pin, all models with 40 pins. BCM 0 and 1 belong to the HAT's EEPROM."""

_PULLED_UP_AT_POWER_ON = frozenset(range(2, 9))
"""These pins are pulled up from power-on until somebody claims them, all others down
(BCM2711 ARM peripherals, table "GPIO pin assignments", column "default pull")."""

_I2C_PINS = frozenset({2, 3})
"""1.8 kohm pull-ups on the board itself, which nothing can switch off."""

_CONSOLE_PINS = frozenset({14, 15})
"""The boot console talks on these before Linux has started."""

_ROWS: tuple[Line, ...] = (
    Line(
        LineName.STRIKE,
        Direction.OUTPUT,
        bcm=17,
        active_high=True,
        pull=Pull.DOWN,
        debounce_ms=0,
        is_optional=False,
        meaning="the relay is energised: the door is released",
        connects_to="input of the door relay's board (active-high, 3.3 V), with 10 kohm to ground",
        notes=(
            "Fail-secure strike: on COM-NO. Maglock or another fail-safe lock: on COM-NC. "
            "Either way energised means released, and a dead terminal leaves the relay at rest: "
            "a strike stays locked, a maglock stays held. Fire release and the exit button's own "
            "contact cut the lock's supply in hardware, in front of this relay."
        ),
    ),
    Line(
        LineName.SIGN,
        Direction.OUTPUT,
        bcm=27,
        active_high=True,
        pull=Pull.DOWN,
        debounce_ms=0,
        is_optional=False,
        meaning="the sign is lit: face recognition is in use, now",
        connects_to="signage LED through its driver transistor",
        notes="Dark means no face recognition; QR codes may still be read.",
    ),
    Line(
        LineName.SIGN_SENSE,
        Direction.INPUT,
        bcm=24,
        active_high=True,
        pull=Pull.DOWN,
        debounce_ms=0,
        is_optional=True,
        meaning="current flows through the signage LED, or light falls on its photodiode",
        connects_to="comparator behind the LED's shunt, or photodiode amplifier, 3.3 V",
        notes="Where it is wired the sign counts as lit only if this line says so as well.",
    ),
    Line(
        LineName.BUZZER,
        Direction.OUTPUT,
        bcm=22,
        active_high=True,
        pull=Pull.DOWN,
        debounce_ms=0,
        is_optional=False,
        meaning="the buzzer sounds",
        connects_to="active buzzer through its driver transistor",
    ),
    Line(
        LineName.KIOSK_BUTTON,
        Direction.INPUT,
        bcm=5,
        active_high=False,
        pull=Pull.UP,
        debounce_ms=20,
        is_optional=False,
        meaning="the button is pressed: no face, please",
        connects_to="push button to ground",
    ),
    Line(
        LineName.FACE_BUTTON,
        Direction.INPUT,
        bcm=6,
        active_high=False,
        pull=Pull.UP,
        debounce_ms=20,
        is_optional=True,
        meaning="the button is pressed: look at my face, please",
        connects_to="push button to ground",
    ),
    Line(
        LineName.DOOR_CONTACT,
        Direction.INPUT,
        bcm=13,
        active_high=True,
        pull=Pull.UP,
        debounce_ms=50,
        is_optional=False,
        meaning="the door stands open",
        connects_to="door contact to ground, closed while the door is shut (reed, NC loop)",
        notes="A cut wire reads as an open door.",
    ),
    Line(
        LineName.REX,
        Direction.INPUT,
        bcm=19,
        active_high=False,
        pull=Pull.UP,
        debounce_ms=20,
        is_optional=False,
        meaning="somebody asks to leave",
        connects_to="second, potential-free contact of the exit button, to ground",
        notes="The exit button's first contact opens the door in hardware; this line only watches.",
    ),
    Line(
        LineName.PRESENCE,
        Direction.INPUT,
        bcm=26,
        active_high=True,
        pull=Pull.DOWN,
        debounce_ms=100,
        is_optional=True,
        meaning="somebody stands in front of the terminal",
        connects_to="PIR or time-of-flight module's output, 3.3 V",
        notes="Not a face model: it may look while face recognition is declined.",
    ),
    Line(
        LineName.TAMPER,
        Direction.INPUT,
        bcm=20,
        active_high=True,
        pull=Pull.UP,
        debounce_ms=50,
        is_optional=True,
        meaning="the enclosure is opened, or the wire to its switch is cut",
        connects_to="enclosure switch to ground, closed while the lid is shut (NC loop)",
        notes="A cut wire reads as an opened enclosure; a wire shorted to ground does not.",
    ),
    Line(
        LineName.FIRE,
        Direction.INPUT,
        bcm=16,
        active_high=True,
        pull=Pull.UP,
        debounce_ms=50,
        is_optional=True,
        meaning="the fire panel asks for free exit",
        connects_to="potential-free contact of the fire panel to ground, opens in a fire (NC loop)",
        notes=(
            "Observed only. The fire panel releases the door in hardware, by cutting the lock's "
            "supply; a terminal that hangs changes nothing about that. A cut wire reads as fire."
        ),
    ),
    Line(
        LineName.INTERLOCK,
        Direction.INPUT,
        bcm=21,
        active_high=True,
        pull=Pull.UP,
        debounce_ms=50,
        is_optional=True,
        meaning="the other door of the pair stands open or is released",
        connects_to="potential-free contact of the other door to ground, closed while it is shut",
        notes="A cut wire reads as an open door, so that two doors of a pair never stand open.",
    ),
    Line(
        LineName.ALARM,
        Direction.OUTPUT,
        bcm=25,
        active_high=True,
        pull=Pull.DOWN,
        debounce_ms=0,
        is_optional=True,
        meaning="an alarm stands",
        connects_to="input of a second relay's board; its contact goes to a panel or a siren",
        notes="Potential-free: the siren has a supply of its own.",
    ),
    Line(
        LineName.PANEL_D0,
        Direction.OUTPUT,
        bcm=23,
        active_high=True,
        pull=Pull.DOWN,
        debounce_ms=0,
        is_optional=True,
        meaning="a pulse on D0: the bit 0",
        connects_to="base resistor of a transistor whose open collector pulls the panel's D0 low",
        notes=(
            "The panel pulls D0 and D1 up to its own 5 V, which no pin of this board bears: the "
            "transistor keeps them apart. Share the ground with the panel. Wire both or none."
        ),
    ),
    Line(
        LineName.PANEL_D1,
        Direction.OUTPUT,
        bcm=18,
        active_high=True,
        pull=Pull.DOWN,
        debounce_ms=0,
        is_optional=True,
        meaning="a pulse on D1: the bit 1",
        connects_to="base resistor of a transistor whose open collector pulls the panel's D1 low",
    ),
)

PANEL_LINES = (LineName.PANEL_D0, LineName.PANEL_D1)
"""The Wiegand output: one line for the bit 0, one for the bit 1."""

DEFAULT_LINES: Mapping[LineName, Line] = MappingProxyType({row.name: row for row in _ROWS})


@dataclass(frozen=True)
class Wiring:
    """The table with a site's changes. Raises DeviceError, one sentence, if they can't be.

    `pins`: line -> BCM number (2..27), or None for a line that is not wired; an optional line is
    wired only when it is named here. `inverted`: lines whose polarity is the other way round.
    The strike always stays wired.
    """

    pins: Mapping[LineName, int | None] = field(default_factory=dict)
    inverted: frozenset[LineName] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "pins", MappingProxyType(dict(self.pins)))
        self._refuse_missing_strike()
        for row in self.lines:
            _check_pin(row)
        self._refuse_collisions()
        self._refuse_half_a_panel()

    @classmethod
    def from_names(
        cls, pins: Mapping[str, int | None] | None = None, inverted: Iterable[str] = ()
    ) -> Wiring:
        """The same from the configuration's words. Raises DeviceError with the nearest name."""
        named = {_line_named(name): bcm for name, bcm in (pins or {}).items()}
        return cls(named, frozenset(_line_named(name) for name in inverted))

    @property
    def lines(self) -> tuple[Line, ...]:
        """The rows of every wired line, in the order of the table."""
        return tuple(row for name in DEFAULT_LINES if (row := self.line(name)) is not None)

    def line(self, name: LineName) -> Line | None:
        """The row of one line as wired here; None when it is not wired."""
        default = DEFAULT_LINES[name]
        bcm = self.pins.get(name, None if default.is_optional else default.bcm)
        if bcm is None:
            return None
        is_turned = name in self.inverted
        return replace(default, bcm=bcm, active_high=default.active_high ^ is_turned)

    @property
    def strike(self) -> Line:
        """The strike's row; there always is one."""
        row = self.line(LineName.STRIKE)
        assert row is not None  # __post_init__ refused anything else
        return row

    @property
    def warnings(self) -> tuple[str, ...]:
        """What this wiring costs, one sentence each; empty for the table as it stands."""
        if self.strike.active_high:
            return ()
        return (
            "The strike's relay is wired active-low: between power-on and the first claim of the "
            "line, and whenever the board restarts, the relay can be energised for a moment; "
            "use an active-high relay board.",
        )

    def check_lent(self, what: str, bcms: tuple[int, int]) -> None:
        """Refuse pins that a driver wants lent for a Wiegand pair. Raises DeviceError."""
        if bcms[0] == bcms[1]:
            raise DeviceError(f"{what}: D0 and D1 are both on BCM {bcms[0]}; give each its own.")
        taken = {row.bcm: row.name.value for row in self.lines}
        for bcm in bcms:
            if isinstance(bcm, bool) or bcm not in HEADER_PIN_OF_BCM:
                raise DeviceError(f"{what}: BCM {bcm!r} is no pin of the header; name one of 2-27.")
            if bcm in taken:
                raise DeviceError(f"{what}: BCM {bcm} is the line {taken[bcm]}; take another pin.")

    def _refuse_missing_strike(self) -> None:
        if LineName.STRIKE in self.pins and self.pins[LineName.STRIKE] is None:
            raise DeviceError("Wiring: the strike needs a pin; name a BCM number between 4 and 27.")

    def _refuse_half_a_panel(self) -> None:
        wired = [name for name in PANEL_LINES if self.line(name) is not None]
        if len(wired) == 1:
            raise DeviceError(
                f"Wiring: {wired[0].value} is wired alone; panel_d0 and panel_d1 go together."
            )

    def _refuse_collisions(self) -> None:
        taken: dict[int, Line] = {}
        for row in self.lines:
            other = taken.setdefault(row.bcm, row)
            if other is not row:
                raise DeviceError(
                    f"Wiring: {other.name.value} and {row.name.value} are both on BCM {row.bcm}; "
                    "give each line a pin of its own."
                )


def _line_named(name: str) -> LineName:
    try:
        return LineName(name)
    except ValueError:
        near = difflib.get_close_matches(str(name), [line.value for line in LineName], n=1)
        hint = f"did you mean {near[0]}?" if near else f"lines are: {', '.join(_names())}."
        raise DeviceError(f"Wiring: there is no line {str(name)!r}; {hint}") from None


def _names() -> list[str]:
    return [line.value for line in LineName]


def _check_pin(row: Line) -> None:
    what = f"Wiring: {row.name.value} on BCM {row.bcm!r}"
    if isinstance(row.bcm, bool) or row.bcm not in HEADER_PIN_OF_BCM:
        raise DeviceError(f"{what}: that is no pin of the header; name one between 2 and 27.")
    if row.bcm in _I2C_PINS and row.pull is not Pull.UP:
        raise DeviceError(f"{what}: BCM 2 and 3 have pull-ups of their own; take another pin.")
    if row.direction is Direction.OUTPUT and row.bcm in _CONSOLE_PINS:
        raise DeviceError(f"{what}: the boot console talks on BCM 14 and 15; take another pin.")
    if row.name is LineName.STRIKE:
        _refuse_pin_that_releases_at_power_on(row, what)


def _refuse_pin_that_releases_at_power_on(row: Line, what: str) -> None:
    """Until it is claimed a pin has its own pull, and that must be the strike's rest (A14)."""
    if (row.bcm in _PULLED_UP_AT_POWER_ON) == row.active_high:
        pins = "between 9 and 27" if row.active_high else "between 4 and 8"
        raise DeviceError(f"{what}: from power-on its pull would energise it; take one {pins}.")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _table_row(row: Line) -> str:
    cells = (
        f"`{row.name.value}`{' (optional)' if row.is_optional else ''}",
        row.direction.value,
        f"{row.bcm}",
        f"{row.header_pin}",
        "high" if row.active_high else "low",
        row.meaning,
        row.pull.value,
        "high" if row.rests_high else "low",
        f"{row.debounce_ms} ms" if row.debounce_ms else "none",
        row.connects_to,
    )
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


_HEADINGS = (
    *("line", "direction", "BCM", "header pin", "active level", "active means", "pull"),
    *("rests", "debounce", "connects to"),
)


def as_markdown(lines: Iterable[Line] = _ROWS) -> str:
    """The table, the notes and the boot settings as Markdown, ending in a newline."""
    rows = tuple(lines)
    parts = [
        "| " + " | ".join(_HEADINGS) + " |",
        "|" + "---|" * len(_HEADINGS),
        *(_table_row(row) for row in rows),
        "",
        *(f"- `{row.name.value}`: {row.notes}" for row in rows if row.notes),
        "",
        "In `/boot/firmware/config.txt`, so that lines rest from power-on and fall back when the",
        "process that held them dies:",
        "",
        "```ini",
        *boot_settings(row for row in rows if not row.is_optional),
        *_optional_boot_settings(rows),
        "```",
    ]
    return "\n".join(parts) + "\n"


def boot_settings(lines: Iterable[Line] = _ROWS) -> tuple[str, ...]:
    """Lines of the firmware's config.txt that put every output to rest before Linux runs.

    `gpio=N=op,dl` / `op,dh`: output, driven low / high (Raspberry Pi documentation, config.txt,
    "GPIO control"). `strict_gpiod` makes the kernel release lines when their holder dies.
    """
    outputs = (row for row in lines if row.direction is Direction.OUTPUT)
    levels = (f"gpio={row.bcm}=op,{'dh' if row.rests_high else 'dl'}" for row in outputs)
    return ("dtparam=strict_gpiod", *levels)


def _optional_boot_settings(rows: Iterable[Line]) -> Iterable[str]:
    """The same for outputs that few sites wire, each to be uncommented where it is."""
    for row in rows:
        if row.is_optional and row.direction is Direction.OUTPUT:
            level = "dh" if row.rests_high else "dl"
            yield f"# gpio={row.bcm}=op,{level}  where {row.name.value} is wired"


BEGIN_MARK = "<!-- wiring table: begin (generated by `python -m hw.wiring`) -->\n"
END_MARK = "<!-- wiring table: end -->\n"


def in_document(document: str) -> str:
    """The document with the part between its marks replaced. Raises ValueError without marks."""
    before, begin, rest = document.partition(BEGIN_MARK)
    _, end, after = rest.partition(END_MARK)
    if not (begin and end):
        raise ValueError("the document has no marks for the wiring table")
    return before + BEGIN_MARK + "\n" + as_markdown() + "\n" + END_MARK + after


def main(arguments: list[str]) -> int:
    """Print the table, or with `--write FILE` renew it between the marks of FILE."""
    if not arguments:
        sys.stdout.write(as_markdown())
        return 0
    if len(arguments) != 2 or arguments[0] != "--write":
        sys.stderr.write("usage: python -m hw.wiring [--write FILE]\n")
        return 2
    return _write(Path(arguments[1]))


def _write(path: Path) -> int:
    try:
        path.write_text(in_document(path.read_text("utf-8")), "utf-8")
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The wiring table was not written to {path}: {error}.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
