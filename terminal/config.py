"""The site's configuration: one TOML file, every key typed and bounded, its unit in its name.

Nothing is guessed. A key that is not known, a value that can't be, a combination that must not be:
the terminal refuses to start, in one sentence with the line and what would be right. A key that is
left out has the value of a new site. What the law forbids can't be configured: in a private place
there is no face recognition (R11), and nowhere is it the only way in (R03, D11).

`docs/configuration.md` and `terminal/default.toml` are generated from the sections below
(`python -m terminal.config_page`).

What changes with this file: those two, the composition root, and the files of every site.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, TypeVar, get_type_hints

from hw.errors import DeviceError
from hw.wiring import Wiring
from terminal.core.policy import (
    ALTERNATIVES_REQUIRED,
    PRIVATE_PLACES,
    Lock,
    Place,
    Policy,
    Rex,
    Trigger,
)
from terminal.errors import ConfigError

MAX_BYTES = 64 * 1024
"""A larger file is no configuration."""

E = TypeVar("E", bound=Enum)
Zone = tuple[tuple[float, float], ...]

_NEW = Policy()


# What a value may be


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value: what is allowed, in words, and how it is read (ValueError if it isn't)."""

    allowed: str
    read: Callable[[object], Any]


def number(low: float, high: float) -> Kind:
    """A number from `low` to `high`, both included."""

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError
        if not low <= value <= high:
            raise ValueError
        return float(value)

    return Kind(f"a number from {low:g} to {high:g}", read)


def whole(low: int, high: int) -> Kind:
    """A whole number from `low` to `high`, both included."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError
        return value

    return Kind(f"a whole number from {low} to {high}", read)


def flag() -> Kind:
    """True or false."""

    def read(value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError
        return value

    return Kind("true or false", read)


def one_of(words: type[E]) -> Kind:
    """One of the words of an Enum."""

    def read(value: object) -> E:
        return words(value)

    return Kind(_listed(word.value for word in words), read)


def word(*words: str) -> Kind:
    """One of these words."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError
        return value

    return Kind(_listed(words), read)


def text(pattern: str, allowed: str) -> Kind:
    """A text that fits the pattern whole."""

    def read(value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return Kind(allowed, read)


def folder() -> Kind:
    """The path of a folder."""

    def read(value: object) -> Path:
        if not isinstance(value, str) or not value or not value.isprintable():
            raise ValueError
        return Path(value)

    return Kind("the path of a folder", read)


def polygon() -> Kind:
    """Corners of an area, each [x, y] in 0..1."""

    def read(value: object) -> Zone:
        if not isinstance(value, list) or not 3 <= len(value) <= 20:
            raise ValueError
        corners = tuple(_corner(item) for item in value)
        if _area(corners) < SMALLEST_ZONE:
            raise ValueError
        return corners

    return Kind(
        f"3 to 20 corners [x, y], each from 0 to 1, around at least {SMALLEST_ZONE:.0%} of the"
        " picture",
        read,
    )


def pins() -> Kind:
    """A table from lines of the wiring table to pins; false for a line that is not wired."""

    def read(value: object) -> Mapping[str, int | None]:
        if not isinstance(value, dict):
            raise ValueError
        return MappingProxyType({name: _pin(bcm) for name, bcm in value.items()})

    return Kind("a table of lines, each with a BCM pin number, or false where not wired", read)


def names() -> Kind:
    """A list of lines of the wiring table."""

    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise ValueError
        return tuple(value)

    return Kind("a list of lines", read)


SMALLEST_ZONE = 0.01
"""The least share of the picture that a zone may have."""


def _corner(value: object) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError
    share = number(0.0, 1.0)
    return share.read(value[0]), share.read(value[1])


def _area(corners: Zone) -> float:
    """Area of a polygon (0..1), by Gauss's formula."""
    following = (*corners[1:], corners[0])
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(corners, following, strict=True))) / 2


def _pin(value: object) -> int | None:
    if value is False:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError
    return value


def _listed(words: Iterable[str]) -> str:
    quoted = [f'"{each}"' for each in words]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else quoted[0]


@dataclass(frozen=True, slots=True)
class Key:
    """What is said of one key: its kind of value, and what it is for."""

    kind: Kind
    says: str


# The sections


@dataclass(frozen=True, slots=True)
class SiteConfig:
    """Where this terminal hangs."""

    name: Annotated[
        str,
        Key(
            text(r"[^\x00-\x1f\x7f]{1,60}", "a text of 1 to 60 characters"),
            "What the terminal is called in its status. No person's name.",
        ),
    ]
    place: Annotated[
        Place,
        Key(
            one_of(Place),
            "What kind of place it is. A gate on a street counts as a public place (D7). In a guest"
            " room, bath, sauna, changing room, locker room, toilet, clinic room or nursery face"
            " recognition can't be switched on (Art. 13, R11).",
        ),
    ]


@dataclass(frozen=True, slots=True)
class DoorConfig:
    """The lock and the exit. What has to hold without software is wired, not configured."""

    lock: Annotated[
        Lock,
        Key(
            one_of(Lock),
            'What the lock does without power: "fail_secure" stays locked (strike on COM-NO),'
            ' "fail_safe" opens (maglock on COM-NC).',
        ),
    ] = _NEW.lock
    release_s: Annotated[
        float, Key(number(0.5, 30), "For how long the strike is released, at most.")
    ] = _NEW.release_s
    held_open_s: Annotated[
        float, Key(number(5, 600), "An open door is an alarm after so long.")
    ] = _NEW.held_open_s
    rex: Annotated[
        Rex,
        Key(
            one_of(Rex),
            'What the exit button does here: "observe" watches it (it opens in hardware), "release"'
            " releases the strike besides, where leaving is free mechanically anyway (D15).",
        ),
    ] = _NEW.rex
    rex_mask_s: Annotated[
        float,
        Key(number(0.5, 30), "For so long after the exit button an opening door is not forced."),
    ] = _NEW.rex_mask_s


@dataclass(frozen=True, slots=True)
class FaceConfig:
    """Face recognition: one way in among others, for whoever agreed to it."""

    enabled: Annotated[bool, Key(flag(), "Whether it is in use at all.")] = _NEW.face_enabled
    trigger: Annotated[
        Trigger,
        Key(
            one_of(Trigger),
            'What starts a scan: "walk-up" is standing in the zone for the dwell time, "button" is'
            " asking for it (D1).",
        ),
    ] = _NEW.trigger
    dwell_s: Annotated[
        float,
        Key(
            number(0.3, 5),
            "So long someone must stand in the zone, facing the terminal, before a scan.",
        ),
    ] = _NEW.dwell_s
    scan_s: Annotated[float, Key(number(1, 15), "A scan ends after so long.")] = _NEW.scan_s
    frames: Annotated[int, Key(whole(3, 10), "So many good frames are fused into one probe.")] = 3
    fpir_target: Annotated[
        float,
        Key(
            number(1e-4, 1e-2),
            "At most this share of strangers may be taken for somebody enrolled (D2).",
        ),
    ] = _NEW.fpir_target
    safety_factor: Annotated[
        float,
        Key(
            number(1, 100),
            "The model's measured error is multiplied by this, until the site has calibrated on its"
            " own people (D2).",
        ),
    ] = _NEW.safety_factor
    zone: Annotated[
        Zone,
        Key(
            polygon(),
            "The capture zone in the picture, from its upper left corner (0, 0) to its lower right"
            " one (1, 1): what the sign marks on the ground.",
        ),
    ] = ((0.2, 0.05), (0.8, 0.05), (0.8, 0.95), (0.2, 0.95))
    min_face_px: Annotated[
        int, Key(whole(40, 1000), "A face narrower than this is too far away and is left alone.")
    ] = 90
    max_face_px: Annotated[int, Key(whole(60, 2000), "A face wider than this is too near.")] = 340
    references: Annotated[
        int, Key(whole(5, 9), "So many references are taken at an enrolment.")
    ] = _NEW.references
    consent_hold_s: Annotated[
        float, Key(number(1, 10), "The button is held for so long to give consent at the device.")
    ] = _NEW.consent_hold_s


@dataclass(frozen=True, slots=True)
class EnrolmentConfig:
    """How long each step of an enrolment waits for the person. There is no hurry (R34)."""

    card_wait_s: Annotated[float, Key(number(10, 600), "For the card to be held to a reader.")] = (
        _NEW.card_wait_s
    )
    consent_wait_s: Annotated[
        float, Key(number(60, 1800), "For the notice to be read and answered.")
    ] = _NEW.consent_wait_s
    capture_s: Annotated[float, Key(number(30, 600), "For all references to be taken.")] = (
        _NEW.capture_s
    )


@dataclass(frozen=True, slots=True)
class DeclineConfig:
    """How long *no face* holds (D9)."""

    hold_s: Annotated[float, Key(number(1, 60), "So long after the door was closed again.")] = (
        _NEW.decline_hold_s
    )
    clear_s: Annotated[
        float, Key(number(1, 60), "Or when the presence input has been quiet for so long.")
    ] = _NEW.decline_clear_s
    max_s: Annotated[
        float, Key(number(10, 600), "And never longer than this; then the terminal is idle.")
    ] = _NEW.decline_max_s


@dataclass(frozen=True, slots=True)
class ScreenConfig:
    """How long an answer stays."""

    granted_show_s: Annotated[float, Key(number(0.5, 10), "*Come in*.")] = _NEW.granted_show_s
    refused_show_s: Annotated[float, Key(number(0.5, 10), "*Not this way*, and why.")] = (
        _NEW.refused_show_s
    )


@dataclass(frozen=True, slots=True)
class CameraConfig:
    """The camera of the vision process."""

    source: Annotated[
        str,
        Key(
            text(r"[^\x00-\x1f\x7f]{1,200}", "a text of 1 to 200 characters"),
            '"picamera2" (a second one: "picamera2:1"), a device as "/dev/video0", the path of a'
            ' video file or of a folder of pictures, or "bench" for rendered walk-ups.',
        ),
    ] = "picamera2"
    width_px: Annotated[int, Key(whole(320, 1920), "Width of a frame.")] = 640
    height_px: Annotated[int, Key(whole(240, 1080), "Height of a frame.")] = 480
    rate_hz: Annotated[float, Key(number(5, 60), "Frames in a second, of the bench's camera.")] = (
        30.0
    )


@dataclass(frozen=True, slots=True)
class BoardConfig:
    """The lines to the door: see docs/wiring.md for what each is."""

    kind: Annotated[str, Key(word("gpio", "bench"), '"bench" has no pins at all.')] = "gpio"
    factory: Annotated[
        str, Key(word("lgpio", "mock"), "The library that drives the pins, by name.")
    ] = "lgpio"
    pins: Annotated[
        Mapping[str, int | None], Key(pins(), "Lines on other pins than the wiring table's.")
    ] = field(default_factory=dict)
    inverted: Annotated[
        tuple[str, ...],
        Key(names(), "Lines whose polarity is the other way round than in the wiring table."),
    ] = ()


@dataclass(frozen=True, slots=True)
class PathsConfig:
    """Where the terminal keeps what it keeps."""

    state: Annotated[Path, Key(folder(), "Databases and the device's key: on a local disk.")] = (
        Path("/var/lib/terminal")
    )
    run: Annotated[Path, Key(folder(), "The socket between its processes.")] = Path("/run/terminal")
    control: Annotated[Path, Key(folder(), "The socket that operators ask at.")] = Path(
        "/run/terminal-control"
    )
    qr: Annotated[
        Path, Key(folder(), "The socket at which the code reader takes frames from vision.")
    ] = Path("/run/terminal-qr")
    codes: Annotated[
        Path, Key(folder(), "The socket at which the door hears what codes were read.")
    ] = Path("/run/terminal-codes")


@dataclass(frozen=True, slots=True)
class ControlConfig:
    """Who may use `terminalctl`."""

    operators_group: Annotated[
        str,
        Key(
            text(r"|[a-z_][a-z0-9_-]{0,31}", "the name of a group, or nothing"),
            "Members of this group may, besides root and the terminal's own account.",
        ),
    ] = "terminal-operators"


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """A card reader, under a name of the site's choice. Face recognition takes two of them."""

    kind: Annotated[
        str,
        Key(word("wedge", "bench"), '"wedge" types like a keyboard, "bench" is not there at all.'),
    ]
    device: Annotated[
        str,
        Key(
            text(
                r"|/dev/[\w/.:+-]{1,200}|[0-9a-f]{4}:[0-9a-f]{4}",
                "a path below /dev, or the numbers of a USB device as 08ff:0009",
            ),
            "Which one: a path as in /dev/input/by-id, or its vendor and product numbers.",
        ),
    ] = ""


_READER_NAME = re.compile(r"[a-z][a-z0-9_-]{0,23}")


@dataclass(frozen=True, slots=True)
class Config:
    """All of it. Made by `load_config` alone, which has checked it."""

    site: SiteConfig
    door: DoorConfig
    face: FaceConfig
    enrolment: EnrolmentConfig
    decline: DeclineConfig
    screen: ScreenConfig
    readers: Mapping[str, ReaderConfig]
    camera: CameraConfig
    board: BoardConfig
    paths: PathsConfig
    control: ControlConfig

    def wiring(self) -> Wiring:
        """The wiring table with this site's changes."""
        return Wiring.from_names(self.board.pins, self.board.inverted)

    def policy(self) -> Policy:
        """The numbers that the core decides by."""
        return Policy(
            place=self.site.place,
            face_enabled=self.face.enabled,
            trigger=self.face.trigger,
            lock=self.door.lock,
            rex=self.door.rex,
            release_s=self.door.release_s,
            held_open_s=self.door.held_open_s,
            rex_mask_s=self.door.rex_mask_s,
            dwell_s=self.face.dwell_s,
            scan_s=self.face.scan_s,
            granted_show_s=self.screen.granted_show_s,
            refused_show_s=self.screen.refused_show_s,
            decline_hold_s=self.decline.hold_s,
            decline_clear_s=self.decline.clear_s,
            decline_max_s=self.decline.max_s,
            consent_hold_s=self.face.consent_hold_s,
            consent_wait_s=self.enrolment.consent_wait_s,
            card_wait_s=self.enrolment.card_wait_s,
            capture_s=self.enrolment.capture_s,
            references=self.face.references,
            fpir_target=self.face.fpir_target,
            safety_factor=self.face.safety_factor,
        )


SECTIONS: Mapping[str, type[Any]] = MappingProxyType(
    {
        "site": SiteConfig,
        "door": DoorConfig,
        "face": FaceConfig,
        "enrolment": EnrolmentConfig,
        "decline": DeclineConfig,
        "screen": ScreenConfig,
        "camera": CameraConfig,
        "board": BoardConfig,
        "paths": PathsConfig,
        "control": ControlConfig,
    }
)
"""Every section but the readers, which have a table each: `[readers.front]`."""


def keys_of(section: type[Any]) -> dict[str, Key]:
    """The keys of a section, in their order."""
    hints = get_type_hints(section, include_extras=True)
    return {each.name: hints[each.name].__metadata__[0] for each in fields(section)}


def is_needed(section: type[Any], name: str) -> bool:
    """Whether this key has no value of its own at a new site."""
    found = next(each for each in fields(section) if each.name == name)
    return found.default is MISSING and found.default_factory is MISSING


# Reading


def load_config(path: Path) -> Config:
    """The configuration in this file. Raises ConfigError, one sentence."""
    return parse_config(_content(path), path)


def parse_config(content: str, path: Path) -> Config:
    """The configuration that `content` is; `path` is for the sentences. Raises ConfigError."""
    source = _Source(path, content)
    try:
        found = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no TOML: {error}.") from error
    except RecursionError as error:
        raise ConfigError(f"{path} is nested too deeply.") from error
    source.refuse_unknown(found, (*SECTIONS, "readers"), ())
    sections = {
        name: _section(source, cls, found.get(name, {}), (name,)) for name, cls in SECTIONS.items()
    }
    config = Config(readers=_readers(source, found.get("readers", {})), **sections)
    _check(source, config)
    return config


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"The configuration {path} can't be read: {error.strerror}.") from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"The configuration {path} is larger than {MAX_BYTES // 1024} KB.")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"The configuration {path} is not UTF-8 text; save it as such."
        ) from error


class _Source:
    """The file as text, to say in which line something stands."""

    def __init__(self, path: Path, content: str) -> None:
        self._path = path
        self._line_of = dict(_numbered(content))

    def error(self, keys: tuple[str, ...], sentence: str) -> ConfigError:
        """A sentence about this key, with the line of it, or of the table it should be in."""
        here = keys
        while here and here not in self._line_of:
            here = here[:-1]
        line = f", line {self._line_of[here]}" if here else ""
        return ConfigError(f"{self._path}{line}: {'.'.join(keys)} {sentence}")

    def refuse_unknown(
        self, table: Mapping[str, object], known: Iterable[str], at: tuple[str, ...]
    ) -> None:
        """Refuse the first key that is not known, with the nearest that is."""
        known = tuple(known)
        for name in table:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(known)}."
                raise self.error((*at, name), f"is not known; {hint}")


_TABLE = re.compile(r"""\s*\[\s*([\w."' -]+?)\s*\]\s*(?:#.*)?""")
_KEY = re.compile(r"""\s*([\w."' -]+?)\s*=""")


def _numbered(content: str) -> Iterable[tuple[tuple[str, ...], int]]:
    """Each table and key, with its line. For sentences only: tomllib does the reading."""
    table: tuple[str, ...] = ()
    for line, words in enumerate(content.split("\n"), start=1):
        if found := _TABLE.fullmatch(words):
            table = _keys(found[1])
            yield table, line
        elif found := _KEY.match(words):
            yield table + _keys(found[1]), line


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip(" \"'") for part in dotted.split("."))


def _section(source: _Source, cls: type[Any], table: object, at: tuple[str, ...]) -> Any:
    """One section, every key of it read."""
    if not isinstance(table, dict):
        raise source.error(at, f"is a section: write [{'.'.join(at)}] and its keys below.")
    keys = keys_of(cls)
    source.refuse_unknown(table, keys, at)
    for name, key in keys.items():
        if name not in table and is_needed(cls, name):
            raise source.error((*at, name), f"is needed: {key.kind.allowed}.")
    values = {name: _value(source, (*at, name), keys[name], table[name]) for name in table}
    return cls(**values)


def _value(source: _Source, at: tuple[str, ...], key: Key, value: object) -> Any:
    try:
        return key.kind.read(value)
    except ValueError as error:
        raise source.error(at, f"must be {key.kind.allowed}.") from error


def _readers(source: _Source, tables: object) -> Mapping[str, ReaderConfig]:
    if not isinstance(tables, dict):
        raise source.error(("readers",), "has a table for each reader: [readers.front].")
    for name in tables:
        if not _READER_NAME.fullmatch(name):
            raise source.error(
                ("readers", name), "is no name of a reader: small letters, digits, _ and -."
            )
    return MappingProxyType(
        {
            name: _section(source, ReaderConfig, table, ("readers", name))
            for name, table in tables.items()
        }
    )


# What must hold between keys


def _check(source: _Source, config: Config) -> None:
    _check_place(source, config)
    _check_readers(source, config)
    _check_alternatives(source, config)
    _check_numbers(source, config)
    try:
        config.wiring()
    except DeviceError as error:
        raise source.error(("board",), f"can't be: {error}") from error


def _check_place(source: _Source, config: Config) -> None:
    """There is no key, and no switch, that gets around this (R11)."""
    if config.face.enabled and config.site.place in PRIVATE_PLACES:
        raise source.error(
            ("site", "place"),
            f'is "{config.site.place.value}", where face recognition is forbidden (Art. 13): set'
            " enabled = false in [face].",
        )


def _check_readers(source: _Source, config: Config) -> None:
    """Each is another device, and one that is really there where there is a real door."""
    seen: dict[str, str] = {}
    for name, reader in config.readers.items():
        if reader.kind == "bench" and config.board.kind != "bench":
            raise source.error(("readers", name, "kind"), "is not for a real board.")
        if reader.kind == "wedge" and not reader.device:
            raise source.error(("readers", name, "device"), "is needed for a wedge.")
        if reader.device and (other := seen.setdefault(reader.device, name)) != name:
            raise source.error(("readers", name, "device"), f"is the device of {other} already.")


def _check_alternatives(source: _Source, config: Config) -> None:
    """Face recognition is never the only way in, nor one of two (R03, D11)."""
    if config.face.enabled and len(config.readers) < ALTERNATIVES_REQUIRED:
        raise source.error(
            ("readers",),
            f"must be at least {ALTERNATIVES_REQUIRED} where face recognition is in use (Art. 10),"
            f" and there {'is' if len(config.readers) == 1 else 'are'} {len(config.readers)}: add"
            " a [readers.NAME], or set enabled = false in [face].",
        )


def _check_numbers(source: _Source, config: Config) -> None:
    face, decline = config.face, config.decline
    if face.min_face_px >= face.max_face_px:
        raise source.error(("face", "min_face_px"), "must be less than max_face_px.")
    if face.max_face_px > max(config.camera.width_px, config.camera.height_px):
        raise source.error(("face", "max_face_px"), "is more than a frame of this camera has.")
    if decline.max_s < max(decline.hold_s, decline.clear_s):
        raise source.error(("decline", "max_s"), "must be at least hold_s and clear_s.")
    if config.door.held_open_s < config.door.release_s:
        raise source.error(("door", "held_open_s"), "must be at least release_s.")
