"""What must hold between the keys of a configuration, each refusal in one sentence.

What the law forbids can't be configured: in a private place there is no face recognition (R11), and
nowhere is it the only way in (R03, D11).

What changes with this file: the files of every site.
"""

from __future__ import annotations

from hw.errors import DeviceError
from terminal.config_sections import DEVICES, Config, ReaderConfig
from terminal.config_source import Source
from terminal.core.policy import ALTERNATIVES_REQUIRED, PRIVATE_PLACES


def check(source: Source, config: Config) -> None:
    """All of it. Raises ConfigError."""
    _check_place(source, config)
    _check_readers(source, config)
    _check_alternatives(source, config)
    _check_numbers(source, config)
    try:
        config.wiring()
    except DeviceError as error:
        raise source.error(("board",), f"can't be: {error}") from error
    _check_pins(source, config)


def _check_place(source: Source, config: Config) -> None:
    """There is no key, and no switch, that gets around this (R11)."""
    if config.face.enabled and config.site.place in PRIVATE_PLACES:
        raise source.error(
            ("site", "place"),
            f'is "{config.site.place.value}", where face recognition is forbidden (Art. 13): set'
            " enabled = false in [face].",
        )


def _check_readers(source: Source, config: Config) -> None:
    """Each is another device, and one that is really there where there is a real door."""
    seen: dict[str, ReaderConfig] = {}
    for name, reader in config.readers.items():
        if reader.kind == "bench" and config.board.kind != "bench":
            raise source.error(("readers", name, "kind"), "is not for a real board.")
        _check_device(source, name, reader)
        for other, before in seen.items():
            if _is_same_device(before, reader):
                raise source.error(
                    ("readers", name, "device"), f"is the device of {other} already."
                )
        seen[name] = reader


def _is_same_device(one: ReaderConfig, two: ReaderConfig) -> bool:
    """Of PC/SC readers a part of the name is given, and one part may stand in the other."""
    if one.kind == two.kind == "pcsc":
        return one.device in two.device or two.device in one.device
    return bool(one.device) and one.device == two.device


def _check_device(source: Source, name: str, reader: ReaderConfig) -> None:
    if reader.kind == "wiegand" and reader.pins is None:
        missing = "d0" if reader.d0 is None else "d1"
        raise source.error(("readers", name, missing), "is needed for a wiegand: a BCM pin.")
    if reader.kind not in DEVICES:
        return
    pattern, allowed = DEVICES[reader.kind]
    if not reader.device:
        raise source.error(("readers", name, "device"), f"is needed for a {reader.kind}.")
    if not pattern.fullmatch(reader.device) or ".." in reader.device:
        raise source.error(("readers", name, "device"), f"must be {allowed}.")


def _check_pins(source: Source, config: Config) -> None:
    """No reader's pin is a line of the wiring table, nor another reader's."""
    wiring, taken = config.wiring(), dict[int, str]()
    for name, reader in config.readers.items():
        if reader.pins is None:
            continue
        try:
            wiring.check_lent(f"The reader {name}", reader.pins)
        except DeviceError as error:
            raise source.error(("readers", name), f"can't be: {error}") from error
        for pin in reader.pins:
            if (other := taken.setdefault(pin, name)) != name:
                raise source.error(("readers", name), f"has a pin of {other}: BCM {pin}.")


def _check_alternatives(source: Source, config: Config) -> None:
    """Face recognition is never the only way in, nor one of two (R03, D11)."""
    readers = sum(reader.side == "in" for reader in config.readers.values())
    if config.face.enabled and readers + config.credentials.camera_codes < ALTERNATIVES_REQUIRED:
        codes = "and codes" if config.credentials.camera_codes else "without camera_codes"
        raise source.error(
            ("readers",),
            f"must make {ALTERNATIVES_REQUIRED} ways in without a face where face recognition is in"
            f" use (Art. 10), and there {'is' if readers == 1 else 'are'} {readers} on the way in"
            f" {codes}: add a [readers.NAME], or set enabled = false in [face].",
        )


def _check_numbers(source: Source, config: Config) -> None:
    face, decline = config.face, config.decline
    if face.min_face_px >= face.max_face_px:
        raise source.error(("face", "min_face_px"), "must be less than max_face_px.")
    if face.max_face_px > max(config.camera.width_px, config.camera.height_px):
        raise source.error(("face", "max_face_px"), "is more than a frame of this camera has.")
    if decline.max_s < max(decline.hold_s, decline.clear_s):
        raise source.error(("decline", "max_s"), "must be at least hold_s and clear_s.")
    if config.door.held_open_s < config.door.release_s:
        raise source.error(("door", "held_open_s"), "must be at least release_s.")
    if config.door.held_warn_s >= config.door.held_open_s:
        raise source.error(("door", "held_warn_s"), "must be less than held_open_s.")
