"""A configuration is right in every key, or the start is refused in one helpful sentence."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.keymaps import LAYOUTS
from hw.reader_serial import BAUDS
from hw.serial_frames import FRAMINGS
from terminal import config_page
from terminal.config import MAX_BYTES, load_config, parse_config
from terminal.config_sections import SECTIONS, Config, ReaderConfig, keys_of
from terminal.core.policy import PRIVATE_PLACES, Lock, Place, Policy, Trigger
from terminal.errors import ConfigError, RefuseToStart

GOOD = """\
[site]
name = "Gate"
place = "lobby"

[credentials]
weak_cards = "with_pin"

[readers.front]
kind = "wedge"
device = "/dev/input/by-id/one"

[readers.low]
kind = "wedge"
device = "08ff:0009"
"""
NO_CODES = GOOD.replace("[credentials]", "[credentials]\ncamera_codes = false")
HERE = Path("terminal.toml")


def parsed(more: str = "", base: str = GOOD) -> Config:
    return parse_config(f"{base}\n{more}", HERE)


def third(kind: str, device: str, more: str = "") -> str:
    """A third reader: its table is line 16, its device line 18, and more from line 19 on."""
    return f"[readers.third]\nkind = '{kind}'\ndevice = '{device}'\n{more}"


def wires(d0: int, d1: int) -> str:
    """A third reader on two pins."""
    return f"[readers.third]\nkind = 'wiegand'\nd0 = {d0}\nd1 = {d1}"


def refusal(content: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(content, HERE)
    sentence = str(caught.value)
    assert sentence.startswith("terminal.toml")
    assert sentence[-1] in ".?"
    assert "\n" not in sentence
    return sentence


def test_what_is_left_out_is_as_at_a_new_site() -> None:
    assert parsed().policy() == Policy(place=Place.LOBBY)


def test_what_is_said_reaches_the_policy() -> None:
    policy = parsed(
        '[door]\nrelease_s = 7\nlock = "fail_safe"\n'
        '[face]\ntrigger = "button"\nfpir_target = 0.001\nreferences = 9\n'
        "[decline]\nmax_s = 99.5\n[screen]\ngranted_show_s = 1\n[enrolment]\ncapture_s = 60\n"
    ).policy()
    assert policy == Policy(
        place=Place.LOBBY,
        release_s=7.0,
        lock=Lock.FAIL_SAFE,
        trigger=Trigger.BUTTON,
        fpir_target=0.001,
        references=9,
        decline_max_s=99.5,
        granted_show_s=1.0,
        capture_s=60.0,
    )


def test_every_number_of_the_policy_has_a_key() -> None:
    """A number that no key reaches would be one that a site can't see."""
    lines = ['[site]\nname = "Gate"\nplace = "office"', third("wedge", "/dev/x", "side = 'out'")]
    for name, section in SECTIONS.items():
        if name in OF_THE_POLICY:
            lines.append(f"[{name}]")
            lines += [f"{key} = {other(section, key)}" for key in keys_of(section) if key != "zone"]
    changed = parse_config("\n".join(lines), HERE).policy()
    plain = Policy()
    same = [each for each in Policy.__slots__ if getattr(changed, each) == getattr(plain, each)]
    assert same == []


OF_THE_POLICY = ("door", "credentials", "panel", "face", "decline", "screen", "enrolment")
WORDS = {
    "lock": '"fail_safe"',
    "rex": '"release"',
    "relock": '"on_close"',
    "alarm_line": '"all"',
    "weak_cards": '"never"',
    "camera_codes": "false",
    "door_group": '"back"',
    "duress_suffix": '"9"',
    "decides": '"wiegand"',
    "bits": "34",
    "trigger": '"button"',
    "enabled": "false",
}
"""Words that are allowed, and not those of a new site."""


def other(section: type[Any], key: str) -> str:
    """A value that is allowed and is not the default."""
    if key in WORDS:
        return WORDS[key]
    default = config_page._values(section)[key]
    low, high = (float(each) for each in keys_of(section)[key].kind.allowed.split()[-3::2])
    whole = isinstance(default, int)
    changed = default + 1 if default + 1 <= high else (default + low) / 2
    return f"{int(changed)}" if whole else f"{changed}"


def test_every_section_has_its_place_in_the_config() -> None:
    config = parsed()
    assert all(isinstance(getattr(config, name), cls) for name, cls in SECTIONS.items())
    assert dict(config.readers) == {
        "front": ReaderConfig("wedge", "/dev/input/by-id/one"),
        "low": ReaderConfig("wedge", "08ff:0009"),
    }


def test_every_kind_of_reader_is_read_with_its_options() -> None:
    config = parsed(
        third("serial", "/dev/ttyUSB0", "baud = 115200\nframing = 'stx'\nside = 'out'")
        + "\n[readers.c]\nkind = 'pcsc'\ndevice = 'ACS ACR1252'"
        + "\n[readers.d]\nkind = 'wiegand'\nkeypad = true\nd0 = 4\nd1 = 12"
        + "\n[readers.e]\nkind = 'wedge'\ndevice = '08ff:0010'\nkeypad = true\nlayout = 'de'"
    )
    found = config.readers
    assert found["third"] == ReaderConfig(
        "serial", "/dev/ttyUSB0", baud=115200, framing="stx", side="out"
    )
    assert found["c"] == ReaderConfig("pcsc", "ACS ACR1252")
    assert found["d"].pins == (4, 12)
    assert found["e"] == ReaderConfig("wedge", "08ff:0010", keypad=True, layout="de")


def test_default_options_of_the_code_and_of_the_drivers_are_the_same_words() -> None:
    allowed = {name: key.kind.allowed for name, key in keys_of(ReaderConfig).items()}
    assert all(f'"{layout}"' in allowed["layout"] for layout in LAYOUTS)
    assert all(f'"{framing}"' in allowed["framing"] for framing in FRAMINGS)
    assert all(str(baud) in allowed["baud"] for baud in BAUDS)


@pytest.mark.requirement("R03", "D11")
def test_a_reader_on_the_way_out_is_no_way_in_beside_the_face() -> None:
    out = NO_CODES.replace('device = "08ff:0009"', 'device = "08ff:0009"\nside = "out"')
    assert out != NO_CODES
    assert "there is 1 on the way in without camera_codes" in refusal(out)


# What is refused, and how it is said


@pytest.mark.parametrize(
    ("more", "line", "said"),
    [
        ("[door]\nrelese_s = 3", 17, "door.relese_s is not known; did you mean release_s?"),
        ("[dor]\nrelease_s = 3", 16, "dor is not known; did you mean door?"),
        ("[door]\nzzz = 3", 17, "door.zzz is not known; there is lock, release_s,"),
        ("[door]\n# why\nrelease_s = 31", 18, "release_s must be a number from 0.5 to 30."),
        ("[door]\nrelease_s = true", 17, "release_s must be a number"),
        ('[door]\nrelease_s = "5"', 17, "release_s must be a number"),
        ("[door]\nrelease_s = nan", 17, "release_s must be a number"),
        ("[door]\nrelease_s = inf", 17, "release_s must be a number"),
        ('[door]\nlock = "open"', 17, 'lock must be "fail_secure" or "fail_safe".'),
        ("[door]\nlock = []", 17, "lock must be"),
        ("[door]\nlock = {a = 1}", 17, "lock must be"),
        ("[face]\nframes = 3.0", 17, "frames must be a whole number from 3 to 10."),
        ("[face]\nframes = true", 17, "frames must be a whole number"),
        ("[face]\nfpir_target = 0.02", 17, "fpir_target must be a number from 0.0001 to 0.01."),
        ("[face]\nenabled = 1", 17, "enabled must be true or false."),
        ('[face]\n"dwell_s" = 9', 17, "dwell_s must be"),
        ("[face]\nzone = [[0,0],[1,1]]", 17, "zone must be 3 to 20 corners"),
        ("[face]\nzone = [[0,0],[1,1],[2,0]]", 17, "zone must be"),
        ("[face]\nzone = [[0,0],[0.5,0.5],[1,1]]", 17, "zone must be"),
        ("[face]\nzone = [\n [0, 0],\n [1, 0],\n [1]\n]", 17, "zone must be"),
        ("[face]\nzone = 7", 17, "zone must be"),
        ("[face]\nmin_face_px = 400\nmax_face_px = 300", 17, "must be less than max_face_px"),
        ("[face]\nmax_face_px = 1400", 17, "is more than a frame of this camera has"),
        ("[decline]\nhold_s = 50\nmax_s = 20", 18, "max_s must be at least hold_s and clear_s"),
        ("[door]\nrelease_s = 20\nheld_open_s = 10", 18, "must be at least release_s"),
        ("[board]\npins = {strik = 4}", 16, "there is no line 'strik'; did you mean strike?"),
        ("[readers.Front]\nkind = 'wedge'", 16, "readers.Front is no name of a reader"),
        ("[readers.third]\ndevice = '/dev/x'", 16, 'readers.third.kind is needed: "wedge", "ser'),
        ("[readers.third]\nkind = 'wedge'", 16, "readers.third.device is needed for a wedge"),
        ("[readers.third]\nkind = 'bench'", 17, "kind is not for a real board"),
        (
            "[readers.third]\nkind = 'wedge'\ndevice = '08ff:0009'",
            *(18, "readers.third.device is the device of low already."),
        ),
        ("[readers.third]\nkind = 'serial'", 16, "readers.third.device is needed for a serial"),
        ("[readers.third]\nkind = 'zigbee'", 17, "kind must be"),
        (third("wedge", "/dev/x", "baud = 9600"), 19, 'is not for a reader of the kind "wedge".'),
        (third("wedge", "/dev/x", "baud = 1200"), 19, 'is not for a reader of the kind "wedge".'),
        (third("wedge", "/dev/x", "layout = 'dvorak'"), 19, 'layout must be "us", "de" or "fr".'),
        (third("wedge", "/dev/x", "side = 'left'"), 19, 'side must be "in" or "out".'),
        (third("serial", "/dev/x", "keypad = true"), 19, 'not for a reader of the kind "serial".'),
        (third("serial", "/dev/x", "baud = 9601"), 19, "baud must be 1200, 2400,"),
        (third("serial", "/dev/x", "baud = true"), 19, "baud must be 1200, 2400,"),
        (third("serial", "/dev/x", "framing = 'x'"), 19, 'framing must be "lines" or "stx".'),
        (third("serial", "08ff:0010"), 18, "device must be a path below /dev."),
        (third("serial", "/dev/../etc/x"), 18, "device must be a path below /dev."),
        (third("serial", "/dev/input/by-id/one"), 18, "is the device of front already."),
        (third("pcsc", "ACS", "d0 = 4"), 19, 'not for a reader of the kind "pcsc".'),
        (third("wiegand", "/dev/x", "d0 = 4\nd1 = 12"), 18, 'not for a reader of the kind "wieg'),
        ("[readers.third]\nkind = 'wiegand'", 16, "third.d0 is needed for a wiegand: a BCM pin."),
        ("[readers.third]\nkind = 'wiegand'\nd0 = 4", 16, "third.d1 is needed for a wiegand"),
        (wires(28, 4), 18, "d0 must be a whole number from 2 to 27"),
        (wires(4, 4), 16, "readers.third can't be: The reader third: D0 and D1 are both on BCM 4"),
        (wires(17, 4), 16, "BCM 17 is the line strike; take another pin."),
        (f"{wires(4, 12)}\n[board]\npins = {{alarm = 12}}", 16, "BCM 12 is the line alarm"),
        (
            wires(4, 12) + "\n[readers.fourth]\nkind = 'wiegand'\nd0 = 7\nd1 = 12",
            *(20, "readers.fourth has a pin of third: BCM 12."),
        ),
        (
            "[readers.third]\nkind = 'pcsc'\n[readers.fourth]\nkind = 'pcsc'\ndevice = 'ACS'",
            *(20, "readers.fourth.device is the device of third already."),
        ),
        (
            "[readers.third]\nkind = 'wedge'\ndevice = '../etc'",
            *(18, "device must be a path below /dev"),
        ),
        ("[paths]\nstate = ''", 17, "state must be the path of a folder"),
        ("[control]\noperators_group = 'a b'", 17, "operators_group must be the name of a group"),
    ],
)
def test_a_mistake_is_refused_with_its_line_and_what_is_right(
    more: str, line: int, said: str
) -> None:
    sentence = refusal(f"{GOOD}\n{more}")
    assert said in sentence
    assert sentence.startswith(f"terminal.toml, line {line}: ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "site.name is needed"),
        ("[site]\nname = 'x'", "site.place is needed"),
        ("site = 3", "site is a section: write [site]"),
        ("x = 3", "x is not known"),
        ("readers = 3", "site.name is needed"),
        (f"readers = 3\n{GOOD.partition('[readers')[0]}", "has a table for each reader"),
        ("[door\n", "is no TOML: "),
        ("[door]\na = 1\na = 2", "is no TOML: "),
        ("[site]\nname = ''\nplace = 'lobby'", "name must be a text of 1 to 60"),
        ("[site]\nname = 'x'\nplace = 'prison'", 'place must be "street_gate"'),
        ("a." * 5000 + "b = 1", "not known"),
        ("a = " + "[" * 5000, "TOML|nested"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(content: str, said: str) -> None:
    assert any(each in refusal(content) for each in said.split("|"))


@pytest.mark.requirement("R11")
@pytest.mark.parametrize("place", [place for place in Place if place in PRIVATE_PLACES])
def test_face_recognition_in_a_private_place_does_not_start(place: Place) -> None:
    private = GOOD.replace('"lobby"', f'"{place.value}"')
    assert "face recognition is forbidden" in refusal(private)
    assert "line 3" in refusal(private)
    config = parse_config(private + "\n[face]\nenabled = false", HERE)
    assert not config.policy().face_enabled


@pytest.mark.requirement("R11")
def test_no_key_and_no_variable_overrides_the_ban() -> None:
    keys = {key for section in (*SECTIONS.values(), ReaderConfig) for key in keys_of(section)}
    assert not [key for key in keys if any(w in key for w in ("force", "override", "allow"))]
    source = Path(config_page.__file__).with_name("config.py").read_text("utf-8")
    assert "environ" not in source


@pytest.mark.requirement("R03", "D11")
@pytest.mark.parametrize(("base", "readers"), [(GOOD, 0), (NO_CODES, 0), (NO_CODES, 1)])
def test_face_recognition_beside_fewer_than_two_other_ways_does_not_start(
    base: str, readers: int
) -> None:
    few = with_readers(base, readers)
    assert "readers must make 2 ways in without a face" in refusal(few)
    assert not parse_config(few + "\n[face]\nenabled = false", HERE).policy().face_enabled


@pytest.mark.requirement("R03", "D11")
def test_one_reader_and_the_cameras_codes_are_two_other_ways() -> None:
    assert len(parse_config(with_readers(GOOD, 1), HERE).readers) == 1
    with pytest.raises(ConfigError):
        parse_config(with_readers(NO_CODES, 1), HERE)


def with_readers(base: str, count: int) -> str:
    """The configuration with so many of its readers."""
    return "[readers.".join(base.split("[readers.")[: count + 1])


@pytest.mark.requirement("R22")
@pytest.mark.parametrize("lock", list(Lock))
def test_the_kind_of_lock_is_a_setting(lock: Lock) -> None:
    assert parsed(f'[door]\nlock = "{lock.value}"').policy().lock is lock


# The file


def written(folder: Path, content: bytes) -> Path:
    path = folder / "terminal.toml"
    path.write_bytes(content)
    return path


def test_a_file_is_read_with_or_without_what_windows_adds(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    assert load_config(written(tmp_path, content)) == parsed()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD.encode("utf-16"), "is not UTF-8 text"),
        (GOOD.encode() + b"# \xff", "is not UTF-8 text"),
        (GOOD.encode() + b"#" * MAX_BYTES, "is larger than 64 KB"),
    ],
)
def test_a_file_that_can_not_be_read_is_said_in_one_sentence(
    tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(written(tmp_path, content))


def test_a_file_that_is_not_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RefuseToStart, match=r"can't be read: No such file or directory\.$"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(RefuseToStart, match=r"can't be read: Is a directory\.$"):
        load_config(tmp_path)


VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=5,
)
ALL_KEYS = [(name, key) for name, section in SECTIONS.items() for key in keys_of(section)]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(ALL_KEYS), VALUES)
def test_no_value_of_any_key_raises_anything_but_a_sentence(
    where: tuple[str, str], value: object
) -> None:
    section, key = where
    with suppress(ValueError):
        keys_of(SECTIONS[section])[key].kind.read(value)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_no_text_raises_anything_but_a_sentence(content: str) -> None:
    with pytest.raises(ConfigError):
        parse_config(content, HERE)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.characters(codec="utf-8"))
def test_one_other_character_is_refused_or_is_still_a_whole_configuration(
    place: int, character: str
) -> None:
    try:
        config = parse_config(GOOD[:place] + character + GOOD[place + 1 :], HERE)
    except ConfigError:
        return
    assert len(config.readers) >= 2


# The page and the example


def test_the_page_and_the_example_are_what_the_code_says() -> None:
    """To renew them: `python -m terminal.config_page --write`."""
    assert config_page.PAGE.read_text("utf-8") == config_page.page()
    assert config_page.EXAMPLE.read_text("utf-8") == config_page.example()


DECIDED = "weak_cards ="


@pytest.mark.requirement("D14")
def test_the_example_asks_what_weak_cards_may_do() -> None:
    with pytest.raises(ConfigError, match="weak_cards is needed"):
        load_config(config_page.EXAMPLE)


def test_the_example_is_a_good_configuration_of_nothing_but_defaults() -> None:
    decided = config_page.example().replace(f"# {DECIDED}", f'{DECIDED} "with_pin"')
    config = parse_config(decided, HERE)
    assert config.policy() == Policy()
    assert len(config.readers) == 2


def test_the_example_has_every_key() -> None:
    decided = config_page.example().replace(f"# {DECIDED}", f'{DECIDED} "with_pin"')
    found: Mapping[str, Any] = tomllib.loads(decided)
    for name, section in SECTIONS.items():
        assert set(found[name]) == set(keys_of(section))


def test_the_page_says_each_key_with_what_is_allowed() -> None:
    page = config_page.page()
    for section in (*SECTIONS.values(), ReaderConfig):
        for name, key in keys_of(section).items():
            assert f"| `{name}` | " in page
            assert key.kind.allowed in page
