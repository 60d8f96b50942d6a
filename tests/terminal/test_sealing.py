"""What is sealed opens where it belongs, with the right key, unchanged; otherwise not at all."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.core.values import ConsentId, PersonId
from terminal.errors import RefuseToStart, SealBroken, SecureAndRestart
from terminal.memory import LockedBuffer
from terminal.sealing import (
    KEY_BYTES,
    SEAL_BYTES,
    KeyFile,
    Keys,
    Sealer,
    name_aad,
    open_keys,
    template_aad,
)

SECRET = b"one template of somebody"


def keys_of(byte: int) -> Keys:
    root = LockedBuffer(KEY_BYTES)
    root.view[:] = bytes([byte]) * KEY_BYTES
    return Keys(root)


def opened(sealer: Sealer, sealed: bytes, aad: bytes, size: int = len(SECRET)) -> bytes:
    with LockedBuffer(size) as out:
        sealer.open_into(sealed, aad, out.view)
        return bytes(out.view)


def test_what_was_sealed_opens() -> None:
    sealer = keys_of(1).biometric
    sealed = sealer.seal(memoryview(SECRET), b"here")
    assert len(sealed) == len(SECRET) + SEAL_BYTES
    assert opened(sealer, sealed, b"here") == SECRET
    assert SECRET not in sealed


def test_sealing_twice_gives_nothing_alike() -> None:
    sealer = keys_of(1).biometric
    first, second = (sealer.seal(memoryview(SECRET), b"") for _ in range(2))
    assert first[5:17] != second[5:17]
    assert first[17:] != second[17:]


@pytest.mark.requirement("R14", "A20")
def test_one_flipped_bit_anywhere_and_it_does_not_open() -> None:
    sealer = keys_of(1).biometric
    sealed = sealer.seal(memoryview(SECRET), b"here")
    for place in range(len(sealed)):
        for bit in range(8):
            broken = bytearray(sealed)
            broken[place] ^= 1 << bit
            with pytest.raises(SealBroken):
                opened(sealer, bytes(broken), b"here")


@pytest.mark.requirement("R14")
@given(st.binary(max_size=200))
def test_nothing_made_up_opens(made_up: bytes) -> None:
    with pytest.raises(SealBroken):
        opened(keys_of(1).biometric, made_up, b"", max(1, len(made_up) - SEAL_BYTES))


@pytest.mark.requirement("A20")
def test_it_opens_under_its_own_associated_data_alone() -> None:
    sealer = keys_of(1).biometric
    sealed = sealer.seal(memoryview(SECRET), b"here")
    for other in (b"", b"her", b"there", b"here\0"):
        with pytest.raises(SealBroken):
            opened(sealer, sealed, other)


def test_what_does_not_open_leaves_nothing_behind() -> None:
    sealer = keys_of(1).biometric
    sealed = sealer.seal(memoryview(SECRET), b"here")
    with LockedBuffer(len(SECRET)) as out:
        out.view[:] = b"x" * len(SECRET)
        with pytest.raises(SealBroken):
            sealer.open_into(sealed, b"there", out.view)
        assert bytes(out.view) == bytes(len(SECRET))


def test_a_place_of_another_size_is_refused() -> None:
    sealer = keys_of(1).biometric
    sealed = sealer.seal(memoryview(SECRET), b"")
    for size in (len(SECRET) - 1, len(SECRET) + 1):
        with pytest.raises(SealBroken, match="length"):
            opened(sealer, sealed, b"", size)


def test_what_an_older_epoch_sealed_does_not_open_under_a_newer_one() -> None:
    key, same = LockedBuffer(KEY_BYTES), LockedBuffer(KEY_BYTES)
    sealed = Sealer(key, epoch=1).seal(memoryview(SECRET), b"")
    with pytest.raises(SealBroken, match="epoch"):
        opened(Sealer(same, epoch=2), sealed, b"")


@pytest.mark.requirement("R16", "R43")
def test_another_key_opens_nothing() -> None:
    keys, others = keys_of(1), keys_of(2)
    sealed = keys.biometric.seal(memoryview(SECRET), b"")
    for wrong in (keys.identity, others.biometric, others.identity):
        with pytest.raises(SealBroken):
            opened(wrong, sealed, b"")


def test_the_keys_are_the_same_after_a_restart() -> None:
    sealed = keys_of(1).biometric.seal(memoryview(SECRET), b"here")
    assert opened(keys_of(1).biometric, sealed, b"here") == SECRET
    assert keys_of(1).device == keys_of(1).device != keys_of(2).device


@pytest.mark.requirement("R45")
def test_a_card_has_one_hash_on_one_device_and_another_on_the_next() -> None:
    first = keys_of(1).card_id(b"0123456789")
    assert first == keys_of(1).card_id(b"0123456789")
    assert first not in (keys_of(2).card_id(b"0123456789"), keys_of(1).card_id(b"0123456788"))
    assert len(first) == 64
    assert "0123456789" not in first


def test_the_root_key_is_gone_once_the_others_are_derived() -> None:
    root = LockedBuffer(KEY_BYTES)
    Keys(root)
    with pytest.raises(ValueError, match="closed"):
        _ = root.view


def test_closed_keys_seal_nothing() -> None:
    keys = keys_of(1)
    keys.close()
    with pytest.raises(ValueError, match="closed"):
        keys.biometric.seal(memoryview(SECRET), b"")
    with pytest.raises(ValueError, match="closed"):
        keys.card_id(b"1234")


def test_a_root_key_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Keys(LockedBuffer(31))


FIELDS = st.tuples(*[st.text(max_size=6)] * 5, st.integers(0, 2**32 - 1))


def aad_of(fields: tuple[str, str, str, str, str, int]) -> bytes:
    person, template_id, consent, model, device, epoch = fields
    return template_aad(PersonId(person), template_id, ConsentId(consent), model, device, epoch)


@pytest.mark.requirement("A20")
@given(FIELDS, FIELDS)
def test_different_places_never_have_the_same_associated_data(
    one: tuple[str, str, str, str, str, int], other: tuple[str, str, str, str, str, int]
) -> None:
    assert (aad_of(one) == aad_of(other)) == (one == other)


def test_moving_a_border_between_two_fields_makes_another_place() -> None:
    one = aad_of(("ab", "c", "d", "e", "f", 1))
    other = aad_of(("a", "bc", "d", "e", "f", 1))
    assert one != other
    assert name_aad(PersonId("ab"), "c", 1) != name_aad(PersonId("a"), "bc", 1)


# The key file


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    open_keys(path, may_create=True).close()
    made = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(made) == KEY_BYTES
    open_keys(path, may_create=True).close()
    assert path.read_bytes() == made
    assert [each.name for each in tmp_path.iterdir()] == ["root.key"]


@pytest.mark.requirement("R43")
def test_two_devices_never_share_a_key(tmp_path: Path) -> None:
    devices = [open_keys(tmp_path / name, may_create=True).device for name in "ab"]
    assert devices[0] != devices[1]
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


def test_a_key_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "root.key")
    file.create()
    made = (tmp_path / "root.key").read_bytes()
    with pytest.raises(RefuseToStart, match="can't be made"):
        file.create()
    assert (tmp_path / "root.key").read_bytes() == made


def test_a_first_start_that_was_cut_short_does_not_stand_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "root.key.new").write_bytes(b"half")
    open_keys(tmp_path / "root.key", may_create=True).close()
    assert (tmp_path / "root.key").stat().st_size == KEY_BYTES


@pytest.mark.requirement("R43")
def test_a_first_start_that_was_cut_short_between_the_keys_two_names_goes_on(
    tmp_path: Path,
) -> None:
    path, fresh = tmp_path / "root.key", tmp_path / "root.key.new"
    device = open_keys(path, may_create=True).device
    fresh.hardlink_to(path)
    assert open_keys(path, may_create=False).device == device
    assert [each.name for each in tmp_path.iterdir()] == ["root.key"]
    assert path.stat().st_nlink == 1


def test_another_name_of_the_key_or_another_key_beside_it_is_left_alone(tmp_path: Path) -> None:
    path, fresh = tmp_path / "root.key", tmp_path / "root.key.new"
    open_keys(path, may_create=True).close()
    fresh.write_bytes(b"something else")
    open_keys(path, may_create=False).close()
    assert fresh.read_bytes() == b"something else"
    (tmp_path / "copy.key").hardlink_to(path)
    with pytest.raises(RefuseToStart, match="not a file of its own"):
        open_keys(path, may_create=False)


def test_a_disk_that_takes_no_key_today_may_take_it_tomorrow(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    path = tmp_path / "root.key"
    KeyFile(path).create()
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        with pytest.raises(SecureAndRestart, match="can't be read"):
            KeyFile(path).load()
        with pytest.raises(SecureAndRestart, match="can't be made"):
            KeyFile(tmp_path / "other.key").create()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    KeyFile(path).load().close()


def test_a_lost_key_is_not_replaced_where_there_is_data(tmp_path: Path) -> None:
    with pytest.raises(RefuseToStart, match="can't be read"):
        open_keys(tmp_path / "root.key", may_create=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o700, 0o660, 0o644])
def test_a_key_that_others_could_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "root.key"
    open_keys(path, may_create=True).close()
    path.chmod(mode)
    with pytest.raises(RefuseToStart, match=f"mode {mode:04o}"):
        open_keys(path, may_create=True)


@pytest.mark.parametrize("size", [0, 1, 31, 33, 64])
def test_a_key_of_another_size_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "root.key"
    path.write_bytes(os.urandom(size))
    path.chmod(0o600)
    with pytest.raises(RefuseToStart, match=f"holds {size} bytes"):
        open_keys(path, may_create=True)


def test_a_link_or_a_folder_is_no_key(tmp_path: Path) -> None:
    open_keys(tmp_path / "real.key", may_create=True).close()
    (tmp_path / "soft.key").symlink_to(tmp_path / "real.key")
    (tmp_path / "folder.key").mkdir(mode=0o600)
    (tmp_path / "hard.key").hardlink_to(tmp_path / "real.key")
    for name in ("soft.key", "folder.key", "hard.key"):
        with pytest.raises(RefuseToStart):
            open_keys(tmp_path / name, may_create=True)


def test_a_key_that_can_not_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RefuseToStart, match=r"can't be made: No such file or directory\.$"):
        open_keys(tmp_path / "nowhere" / "root.key", may_create=True)
