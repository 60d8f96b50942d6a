"""The sections of the configuration: every key, what it allows, what it is for, its default.

A default is the value of a new site; a key without one is asked for. `docs/configuration.md` and
`terminal/default.toml` are generated from here (`python -m terminal.config_page`).

What changes with this file: those two, `config_checks`, the files of every site.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, get_type_hints
from zoneinfo import ZoneInfo

from hw.wiring import Wiring
from terminal.config_values import (
    Key,
    Zone,
    choice,
    flag,
    folder,
    maybe,
    names,
    number,
    one_of,
    pins,
    polygon,
    text,
    time_zone,
    whole,
    word,
)
from terminal.core.policy import (
    AlarmLine,
    Lock,
    Panel,
    Place,
    Policy,
    Relock,
    Rex,
    Trigger,
    WeakCards,
)

_NEW = Policy()


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
    time_zone: Annotated[
        ZoneInfo,
        Key(time_zone(), "Whose local time the schedules are in, summer time included."),
    ] = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))


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
    relock: Annotated[
        Relock,
        Key(
            one_of(Relock),
            'When the strike is secured after somebody was let in: "on_open" as soon as the door'
            ' opens, "on_close" when it is closed again, within release_s either way.',
        ),
    ] = _NEW.relock
    held_open_s: Annotated[
        float, Key(number(5, 600), "An open door is an alarm after so long.")
    ] = _NEW.held_open_s
    held_warn_s: Annotated[
        float, Key(number(0, 300), "So long before that alarm somebody is asked to close it.")
    ] = _NEW.held_warn_s
    propped_s: Annotated[
        float, Key(number(10, 3600), "So long after it the door counts as propped open.")
    ] = _NEW.propped_s
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
    alarm_line: Annotated[
        AlarmLine,
        Key(
            one_of(AlarmLine),
            'What closes the alarm contact: "loud" what may be heard at the door, "all" a silent'
            " duress alarm as well, for a contact that leads to people and to no siren (R47).",
        ),
    ] = _NEW.alarm_line


@dataclass(frozen=True, slots=True)
class CredentialsConfig:
    """Cards, passes and PINs: the ways in that need no face."""

    weak_cards: Annotated[
        WeakCards,
        Key(
            one_of(WeakCards),
            "What a card may do that proves nothing but its number, which anybody can copy who"
            ' has held it (D14): "open" alone, open "with_pin", or "never". Every reader of today'
            " reads such cards (docs/readers.md); there is no default, because the site has to"
            " decide it.",
        ),
    ]
    camera_codes: Annotated[
        bool, Key(flag(), "Whether QR passes are read by the camera; scanners are readers.")
    ] = True
    door_group: Annotated[
        str,
        Key(
            text(r"[A-Za-z0-9_-]{1,40}", "1 to 40 letters, digits, _ and -"),
            "The doors that a resident's pass is for have the same group.",
        ),
    ] = "home"
    second_wait_s: Annotated[
        float, Key(number(5, 120), "So long a PIN, or the face, is waited for after a card.")
    ] = _NEW.second_wait_s
    duress_suffix: Annotated[
        str,
        Key(
            text(r"|[0-9]", "one digit, or nothing"),
            "A digit after the PIN that opens as the PIN does and raises a silent alarm (R47).",
        ),
    ] = ""


@dataclass(frozen=True, slots=True)
class PanelConfig:
    """An existing panel that decides instead; the terminal is then one of its readers."""

    decides: Annotated[
        Panel,
        Key(
            one_of(Panel),
            '"none": the terminal decides and moves the lock. "wiegand": it tells the panel the'
            ' holder\'s number on two lines. "contact": its relay is a request to the panel.',
        ),
    ] = _NEW.panel
    bits: Annotated[int, Key(choice(26, 34, 37), "How many bits a Wiegand frame to it has.")] = 26


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
    ] = 135
    max_face_px: Annotated[int, Key(whole(60, 2000), "A face wider than this is too near.")] = 510
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
    width_px: Annotated[
        int,
        Key(
            whole(320, 1920),
            "Width of a frame. A smaller one reads codes from nearer by only (docs/codes.md).",
        ),
    ] = 1280
    height_px: Annotated[int, Key(whole(240, 1080), "Height of a frame.")] = 720
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
    """A reader of cards or codes, under a name of the site's choice (docs/readers.md). Face
    recognition takes two of them. Keys that do not belong to its kind are refused."""

    kind: Annotated[
        str,
        Key(
            word("wedge", "serial", "pcsc", "wiegand", "bench"),
            '"wedge" types like a keyboard, "serial" is a serial line, "pcsc" goes through pcscd,'
            ' "wiegand" hangs on two pins, "bench" is not there at all.',
        ),
    ]
    device: Annotated[
        str,
        Key(
            text(r"[^\x00-\x1f\x7f]{0,200}", "a text of up to 200 characters"),
            "Which one: a path below /dev, or for a wedge its vendor and product numbers as"
            ' 08ff:0009; for "pcsc" a part of the reader\'s name, or nothing for the first one.',
        ),
    ] = ""
    side: Annotated[
        str, Key(word("in", "out"), '"out" is a reader on the exit side of the door.')
    ] = "in"
    keypad: Annotated[bool, Key(flag(), 'Whether people type PINs on it ("wedge", "wiegand").')] = (
        False
    )
    layout: Annotated[
        str, Key(word("us", "de", "fr"), 'The keyboard layout in which a "wedge" types.')
    ] = "us"
    baud: Annotated[
        int,
        Key(
            choice(1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200),
            'Bits in a second of a "serial" line.',
        ),
    ] = 9600
    framing: Annotated[
        str,
        Key(
            word("lines", "stx"),
            'How a "serial" line sends: "lines" that end in CR or LF, or "stx" frames with a'
            " checksum.",
        ),
    ] = "lines"
    d0: Annotated[
        int | None, Key(maybe(whole(2, 27)), 'The BCM pin of D0 of a "wiegand" reader.')
    ] = None
    d1: Annotated[
        int | None, Key(maybe(whole(2, 27)), 'The BCM pin of D1 of a "wiegand" reader.')
    ] = None

    @property
    def pins(self) -> tuple[int, int] | None:
        """D0 and D1, where both are given."""
        return None if self.d0 is None or self.d1 is None else (self.d0, self.d1)


KEYS_OF_KIND: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "wedge": frozenset({"device", "keypad", "layout"}),
        "serial": frozenset({"device", "baud", "framing"}),
        "pcsc": frozenset({"device"}),
        "wiegand": frozenset({"keypad", "d0", "d1"}),
        "bench": frozenset(),
    }
)
"""Which keys a kind of reader has, besides `kind` and `side`."""

DEVICES: Mapping[str, tuple[re.Pattern[str], str]] = MappingProxyType(
    {
        "wedge": (
            re.compile(r"/dev/[\w/.:+-]{1,190}|[0-9a-f]{4}:[0-9a-f]{4}"),
            "a path below /dev, or the numbers of a USB device as 08ff:0009",
        ),
        "serial": (re.compile(r"/dev/[\w/.:+-]{1,190}"), "a path below /dev"),
    }
)
"""What names a device of each kind that needs one, as a pattern and in words."""


@dataclass(frozen=True, slots=True)
class Config:
    """All of it. Made by `load_config` alone, which has checked it."""

    site: SiteConfig
    door: DoorConfig
    credentials: CredentialsConfig
    panel: PanelConfig
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

    @property
    def _inside(self) -> frozenset[str]:
        """The readers on the way out, by which nobody comes in."""
        return frozenset(name for name, one in self.readers.items() if one.side == "out")

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
            relock=self.door.relock,
            held_warn_s=self.door.held_warn_s,
            propped_s=self.door.propped_s,
            alarm_line=self.door.alarm_line,
            weak_cards=self.credentials.weak_cards,
            second_wait_s=self.credentials.second_wait_s,
            panel=self.panel.decides,
            has_exit_reader=bool(self._inside),
            not_ways=self._inside,
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
        "credentials": CredentialsConfig,
        "panel": PanelConfig,
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
