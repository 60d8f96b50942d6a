"""Keys, and sealing with them: what is sealed at rest, and what stands for a card and for a PIN.

One root key (32 random bytes in a file, key level 0 of D5: a desk, not a street) is the only
secret; every key in use is derived from it for one purpose, so that the two databases are under
two keys (R16) and a card's hash says nothing about either. Everything sealed is bound by
associated data to where it stands: moved to another row, person, consent, model or device it does
not open (A20). Keys live in locked buffers, and what is opened is written into one.

ChaCha20-Poly1305 and not AES-GCM: a Raspberry Pi 4 has no AES instructions, and AES without them
is slow or leaks through its timing; ChaCha20 is neither, anywhere. Nonces are 96 random bits: at
the 50,000 templates of a full terminal two are alike with a chance below 2e-20.

This module alone imports cryptography. A card's number is hashed here and kept
nowhere; the hash needs the device's key, because there are few enough card numbers to try all. So
it is with a PIN, and more so: see `Keys.pin_verifier`.

What changes with this file: `terminal.store` (what it binds), and everything sealed so far: a new
layout is a new version byte.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from terminal.core.values import CardId, ConsentId, PersonId
from terminal.errors import RefuseToStart, SealBroken, SecureAndRestart, TerminalError
from terminal.memory import LockedBuffer

KEY_BYTES = 32
EPOCH = 1
"""The key epoch that is sealed under; there will be others once keys are rotated (D5)."""

_VERSION = 1
_HEAD = struct.Struct(">BI12s")  # version, epoch, nonce
_TAG_BYTES = 16
SEAL_BYTES = _HEAD.size + _TAG_BYTES
"""How much longer something sealed is than what it holds."""

PIN_SALT_BYTES = 16
PIN_VERIFIER_BYTES = 32
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**12, 8, 1
"""4 MB and some tens of milliseconds on a Raspberry Pi: what a door can spend on a PIN, twice."""

_LABELS = {
    "identity": b"face-optional-terminal/1/identity sealing",
    "biometric": b"face-optional-terminal/1/biometric sealing",
    "card": b"face-optional-terminal/1/card hashing",
    "pin": b"face-optional-terminal/1/pin verifying",
    "device": b"face-optional-terminal/1/device name",
}


class Sealer:
    """Seals and opens under one key of one purpose. Made by `Keys`."""

    def __init__(self, key: LockedBuffer, epoch: int = EPOCH) -> None:
        self._key = key
        self._epoch = epoch

    @property
    def epoch(self) -> int:
        """The key epoch that `seal` writes, and the only one that `open_into` takes."""
        return self._epoch

    def seal(self, plaintext: memoryview, aad: bytes) -> bytes:
        """Seal `plaintext` (contiguous bytes) so that it opens with this `aad` alone."""
        nonce = os.urandom(12)
        head = _HEAD.pack(_VERSION, self._epoch, nonce)
        # The cipher is made anew each time: it holds a copy of the key, and clears it when freed.
        return head + ChaCha20Poly1305(self._key.view).encrypt(nonce, plaintext, head + aad)

    def open_into(self, sealed: bytes, aad: bytes, out: memoryview) -> None:
        """Open `sealed` into `out`, which must be exactly as long as what was sealed.

        Raises SealBroken, with `out` overwritten, when one bit of it, of the associated data or
        of the key differs, or when the length or the epoch is another.
        """
        if len(sealed) != len(out) + SEAL_BYTES:
            raise SealBroken("Something sealed has another length than it should have.")
        version, epoch, nonce = _HEAD.unpack_from(sealed)
        if (version, epoch) != (_VERSION, self._epoch):
            raise SealBroken("Something was sealed in another layout or key epoch than today's.")
        head = sealed[: _HEAD.size]
        body = memoryview(sealed)[_HEAD.size :]
        try:
            ChaCha20Poly1305(self._key.view).decrypt_into(nonce, body, head + aad, out)
        except InvalidTag as error:
            out[:] = bytes(len(out))
            raise SealBroken("Something sealed was changed, moved, or sealed elsewhere.") from error

    def close(self) -> None:
        """Overwrite the key."""
        self._key.close()


class Keys:
    """All keys of this terminal, derived from its root key (32 bytes), which is then closed."""

    def __init__(self, root: LockedBuffer) -> None:
        if len(root) != KEY_BYTES:
            raise ValueError("The root key is 32 bytes.")
        self.identity = Sealer(_derived(root, "identity"))
        """For names."""
        self.biometric = Sealer(_derived(root, "biometric"))
        """For templates."""
        self._card = _derived(root, "card")
        self._pin = _derived(root, "pin")
        with _derived(root, "device") as name:
            self.device = name.view[:16].hex()
            """What this terminal calls itself in associated data; changes with the root key."""
        root.close()

    def card_id(self, raw: bytes) -> CardId:
        """What stands for a card that reads as `raw`: the same on this device, always (hex)."""
        mac = hmac.HMAC(self._card.view, hashes.SHA256())
        mac.update(raw)
        return CardId(mac.finalize().hex())

    def pin_verifier(self, pin: memoryview, salt: bytes, person: PersonId) -> bytes:
        """What is kept of a person's PIN: HMAC-SHA-256, under a key of its own, of its scrypt.

        Neither the file nor the key alone is enough to find the PIN. Whoever has both can try all
        of them, 10^4 with four digits and 10^8 with eight: scrypt (RFC 7914) makes each try cost
        about 4 MB and 20 ms, so four digits take minutes and eight some weeks on one core. It is
        bound to the person: in another's row it is no PIN.
        """
        mac = hmac.HMAC(self._pin.view, hashes.SHA256())
        mac.update(_joined("pin", person, self.device))
        with LockedBuffer(PIN_VERIFIER_BYTES) as hashed:
            kdf = Scrypt(salt, PIN_VERIFIER_BYTES, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P)
            kdf.derive_into(pin, hashed.view)
            mac.update(hashed.view)
        return mac.finalize()

    def close(self) -> None:
        """Overwrite every key."""
        self.identity.close()
        self.biometric.close()
        self._card.close()
        self._pin.close()


def _derived(root: LockedBuffer, purpose: str) -> LockedBuffer:
    key = LockedBuffer(KEY_BYTES)
    kdf = HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=_LABELS[purpose])
    kdf.derive_into(root.view, key.view)
    return key


def _joined(*fields: str) -> bytes:
    """The fields, each behind its length, so that no two lists of fields make the same bytes."""
    parts = [field.encode() for field in fields]
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def template_aad(
    person: PersonId,
    template_id: str,
    consent: ConsentId,
    model_sha256: str,
    device: str,
    epoch: int,
) -> bytes:
    """What a sealed template is bound to (A20, T31)."""
    return _joined("template", person, template_id, consent, model_sha256, device, str(epoch))


def name_aad(person: PersonId, device: str, epoch: int) -> bytes:
    """What a sealed name is bound to."""
    return _joined("name", person, device, str(epoch))


def flat_aad(person: PersonId, device: str, epoch: int) -> bytes:
    """What the sealed label of a flat is bound to."""
    return _joined("flat", person, device, str(epoch))


def panel_aad(person: PersonId, device: str, epoch: int) -> bytes:
    """What the sealed number is bound to under which an existing panel knows a person."""
    return _joined("panel", person, device, str(epoch))


def pass_key_aad(key_id: str, public: bytes, device: str, epoch: int) -> bytes:
    """What the sealed private part of a key that signs passes is bound to."""
    return _joined("pass key", key_id, public.hex(), device, str(epoch))


_PASSING = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)
"""What a disk or a system refuses today may be there tomorrow; all else lasts."""


class KeyFile:
    """The root key in a file that only the terminal's own account may read (key level 0)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def exists(self) -> bool:
        """Whether there is such a file."""
        return self._path.exists()

    @property
    def _fresh(self) -> Path:
        return self._path.with_name(self._path.name + ".new")

    def create(self) -> None:
        """Make a new random key (R43), whole or not at all; a file that is there is not touched.

        Raises RefuseToStart when it can't be written, or is there already, and SecureAndRestart
        where that may pass, as with a full disk.
        """
        try:
            self._fresh.unlink(missing_ok=True)
            self._write(self._fresh)
            os.link(self._fresh, self._path)
            self._fresh.unlink()
            _sync_folder(self._path.parent)
        except OSError as error:
            raise self._trouble("made", error) from error

    def load(self) -> LockedBuffer:
        """The key. Raises RefuseToStart when the file is absent, or not as `create` left it.

        Raises SecureAndRestart where the disk may do it another time. Where `create` was cut short
        while the key had both its names, the first one goes.
        """
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise self._trouble("read", error) from error
        try:
            self._finish_making(os.fstat(file))
            self._check(os.fstat(file))
            key = LockedBuffer(KEY_BYTES)
            if os.readv(file, [key.view]) != KEY_BYTES:
                raise RefuseToStart(f"The key {self._path} can't be read to its end.")
            return key
        except OSError as error:
            raise self._trouble("read", error) from error
        finally:
            os.close(file)

    def _finish_making(self, found: os.stat_result) -> None:
        with suppress(FileNotFoundError):
            if os.path.samestat(found, self._fresh.lstat()):
                self._fresh.unlink()
                _sync_folder(self._path.parent)

    def _trouble(self, what: str, error: OSError) -> TerminalError:
        kind = SecureAndRestart if error.errno in _PASSING else RefuseToStart
        return kind(f"The key {self._path} can't be {what}: {error.strerror}.")

    def _write(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(path, flags, 0o600)
        try:
            with LockedBuffer(KEY_BYTES) as key, open("/dev/urandom", "rb", buffering=0) as random:
                random.readinto(key.view)
                os.writev(file, [key.view])
            os.fsync(file)
        finally:
            os.close(file)

    def _check(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise RefuseToStart(f"The key {self._path} is not a file of its own.")
        if found.st_uid != os.geteuid():
            raise RefuseToStart(f"The key {self._path} belongs to another account.")
        if stat.S_IMODE(found.st_mode) & 0o177:
            mode = stat.S_IMODE(found.st_mode)
            raise RefuseToStart(
                f"The key {self._path} has mode {mode:04o}; others could have read it. "
                "Only 0600 or 0400 will do."
            )
        if found.st_size != KEY_BYTES:
            raise RefuseToStart(
                f"The key {self._path} holds {found.st_size} bytes and not {KEY_BYTES}; "
                "put back the right one."
            )


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def open_keys(path: Path, *, may_create: bool) -> Keys:
    """This terminal's keys from its key file, which is made where `may_create` says so.

    `may_create` is for a terminal that holds no data yet: a new key would not open what was sealed
    with a lost one. Raises RefuseToStart.
    """
    file = KeyFile(path)
    if not file.exists and may_create:
        file.create()
    return Keys(file.load())
