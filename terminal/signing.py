"""Signatures: what this terminal issued is told from what anybody else made.

Ed25519 (RFC 8032), which is deterministic: the same pass signed again is the same pass, so a pass
need not be kept to be shown again. A public key of small order, under which signatures can be made
without any secret, is no key here; a signature that is not in its one form is none.

The second of the two modules that import cryptography (`terminal.sealing` is the first). Secrets
come in locked memory; what the library copies while it works is not promised to be overwritten.

What changes with this file: every pass that was issued.
"""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from terminal.memory import LockedBuffer

SECRET_BYTES: Final = 32
PUBLIC_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
KEY_ID_BYTES: Final = 4

_SMALL_ORDER: Final = frozenset(
    bytes.fromhex(encoded)
    for encoded in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)
"""The points of order 1, 2, 4 and 8, also in other than their one form, but for the sign bit (RFC
8032, 5.1)."""

_SIGN_BIT: Final = 0x80


class SigningKey:
    """A private key from its 32 secret bytes, which are the caller's to overwrite."""

    def __init__(self, secret: LockedBuffer) -> None:
        """Raises ValueError for another length."""
        if len(secret) != SECRET_BYTES:
            raise ValueError("The secret of a signing key is 32 bytes.")
        self._key = Ed25519PrivateKey.from_private_bytes(secret.view)
        self.public: bytes = self._key.public_key().public_bytes_raw()
        """The public key (32 bytes): no secret."""

    @property
    def key_id(self) -> str:
        """What a pass names this key by (8 hex digits)."""
        return key_id_of(self.public)

    def sign(self, message: bytes) -> bytes:
        """The signature (64 bytes), the same for the same message."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id})"


def key_id_of(public: bytes) -> str:
    """The beginning of the SHA-256 of a public key, as 8 hex digits."""
    return hashlib.sha256(public).digest()[:KEY_ID_BYTES].hex()


def public_of(secret: LockedBuffer) -> bytes:
    """The public key (32 bytes) of these secret bytes."""
    return SigningKey(secret).public


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether this key signed this message; False for whatever is no key and no signature."""
    if len(public) != PUBLIC_BYTES or len(signature) != SIGNATURE_BYTES or _is_small(public):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_small(public: bytes) -> bool:
    without_sign = public[:-1] + bytes([public[-1] & ~_SIGN_BIT & 0xFF])
    return without_sign in _SMALL_ORDER
