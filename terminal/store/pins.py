"""PINs: set, checked in constant time, counted when wrong. No digit is kept, shown or logged.

Of a PIN only a salted verifier is kept that takes the device's key to compute (see
`Keys.pin_verifier` for what that is worth). There is no default PIN and no master PIN (R19).

Every check does the same work, whoever it is for and whatever was typed: it counts a failure
durably, derives twice, compares twice, and only then looks at the result. So the time tells
neither whether somebody has a PIN nor whether it was nearly right, and pulling the plug after a
wrong PIN gives no try back. A right one sets the count to zero.

Under duress a holder types the PIN and the site's suffix after it (R47). Within one person the two
forms never meet, as one is longer; another person's PIN plays no part, for a PIN is looked at only
for the holder whom a credential named. What `set` refuses is a PIN whose duress form is the PIN
that it replaces: whoever types the old one from habit would call for help.

Never here: how many tries there are, or how long to wait (the core). What changes with this file:
the interpreter of the keypad, the commands for people.
"""

from __future__ import annotations

import os
from hmac import compare_digest
from itertools import pairwise

from terminal.core.values import Moment, PersonId, PinVerdict
from terminal.errors import NotDone, StoreFailed
from terminal.memory import LockedBuffer
from terminal.schema import Database
from terminal.sealing import PIN_SALT_BYTES, PIN_VERIFIER_BYTES, Keys
from terminal.store.people import People
from terminal.store.written import text_of

LEAST_DIGITS, MOST_DIGITS = 4, 8
MOST_SUFFIX_DIGITS = 2

Digits = bytearray | memoryview
"""ASCII digits in memory that can be wiped; whoever hands them in wipes them."""

_MOST_TYPED = MOST_DIGITS + MOST_SUFFIX_DIGITS
_STEPS_OF_TRIVIAL = frozenset({0, 1, 9})  # 7777, 1234, 4321; from one digit to the next, modulo 10


class Pins:
    """The table of PINs in an open identity database."""

    def __init__(self, database: Database, keys: Keys, people: People) -> None:
        self._database = database
        self._keys = keys
        self._people = people

    def set(self, person: PersonId, pin: Digits, at: Moment, duress_suffix: bytes = b"") -> None:
        """Write a verifier of this PIN (4 to 8 ASCII digits), in place of the one before.

        Raises NotDone for an unknown person, and for a PIN that is no PIN, is trivial, or would
        make the one it replaces its own duress form.
        """
        check_suffix(duress_suffix)
        self._people.require(person)
        _check_pin(pin)
        self._refuse_former_as_duress(person, pin, duress_suffix)
        salt = os.urandom(PIN_SALT_BYTES)
        verifier = self._keys.pin_verifier(memoryview(pin), salt, person)
        self._database.run(
            "INSERT INTO pin (person, salt, verifier, set_utc, failures) VALUES (?, ?, ?, ?, 0)"
            " ON CONFLICT (person) DO UPDATE SET salt = excluded.salt,"
            " verifier = excluded.verifier, set_utc = excluded.set_utc, failures = 0",
            *(person, salt, verifier, text_of(at.utc)),
        )
        self._database.checkpoint()

    def clear(self, person: PersonId) -> None:
        """Erase this person's PIN, if there is one, with its failures; gone from the log too."""
        self._database.run("DELETE FROM pin WHERE person = ?", person)
        self._database.checkpoint()

    def check(self, person: PersonId, typed: Digits, duress_suffix: bytes = b"") -> PinVerdict:
        """What came of `typed`, for whom a credential named; see the head of this file.

        CANT_CHECK when the store fails, at whichever step. An empty suffix: no duress form.
        """
        check_suffix(duress_suffix)
        try:
            self._count_failure(person)
            verdict = self._verdict(person, typed, duress_suffix)
            if verdict is not PinVerdict.WRONG:
                self._database.run("UPDATE pin SET failures = 0 WHERE person = ?", person)
            return verdict
        except StoreFailed:
            return PinVerdict.CANT_CHECK

    def forgive(self, person: PersonId) -> None:
        """Set this person's failures to zero: an operator's deed."""
        self._database.run("UPDATE pin SET failures = 0 WHERE person = ?", person)

    # Within

    def _count_failure(self, person: PersonId) -> None:
        self._database.run(
            "INSERT INTO pin (person, failures) SELECT person, 1 FROM person WHERE person = ?"
            " ON CONFLICT (person) DO UPDATE SET failures = min(failures + 1, 1000000)",
            person,
        )

    def _verdict(self, person: PersonId, typed: Digits, suffix: bytes) -> PinVerdict:
        salt, verifier, is_set = self._kept(person)
        with LockedBuffer(_MOST_TYPED) as whole, LockedBuffer(_MOST_TYPED) as shorter:
            length = _copied(typed, whole)
            has_suffix = _split(whole, length, suffix, shorter)
            is_right = self._is(person, whole.view[: max(length, 1)], salt, verifier)
            rest = max(length - len(suffix), 1)
            is_duress = self._is(person, shorter.view[:rest], salt, verifier)
        is_right &= is_set and LEAST_DIGITS <= length <= MOST_DIGITS
        is_duress &= is_set and has_suffix and LEAST_DIGITS <= rest <= MOST_DIGITS
        if is_right:
            return PinVerdict.RIGHT
        return PinVerdict.DURESS if is_duress else PinVerdict.WRONG

    def _kept(self, person: PersonId) -> tuple[bytes, bytes, bool]:
        """Salt and verifier, and whether they are of a PIN; else some to do the same work with."""
        row = self._database.row(
            "SELECT salt, verifier FROM pin WHERE person = ? AND salt IS NOT NULL", person
        )
        if row is None:
            return os.urandom(PIN_SALT_BYTES), os.urandom(PIN_VERIFIER_BYTES), False
        return row[0], row[1], True

    def _is(self, person: PersonId, pin: memoryview, salt: bytes, verifier: bytes) -> bool:
        return compare_digest(self._keys.pin_verifier(pin, salt, person), verifier)

    def _refuse_former_as_duress(self, person: PersonId, pin: Digits, suffix: bytes) -> None:
        salt, verifier, is_set = self._kept(person)
        with LockedBuffer(_MOST_TYPED) as former:
            length = len(pin) + len(suffix)
            former.view[: len(pin)] = pin
            former.view[len(pin) : length] = suffix
            is_former = self._is(person, former.view[:length], salt, verifier)
        if suffix and is_set and is_former:
            raise NotDone("The PIN before would be a silent alarm with this one; choose another.")


def check_suffix(suffix: bytes) -> None:
    """Raises ValueError for what can't be a duress suffix: 1 or 2 ASCII digits, or nothing."""
    if len(suffix) > MOST_SUFFIX_DIGITS or not (suffix.isdigit() or suffix == b""):
        raise ValueError("A duress suffix is one or two digits.")


def _check_pin(pin: Digits) -> None:
    if not LEAST_DIGITS <= len(pin) <= MOST_DIGITS or not all(48 <= digit <= 57 for digit in pin):
        raise NotDone(f"A PIN has {LEAST_DIGITS} to {MOST_DIGITS} digits.")
    steps = {(after - before) % 10 for before, after in pairwise(pin)}
    if len(steps) == 1 and steps <= _STEPS_OF_TRIVIAL:
        raise NotDone("This PIN is among the first that anybody would try; choose another.")


def _copied(typed: Digits, into: LockedBuffer) -> int:
    """How many digits there are now in `into`; none if it is more than anybody has to type."""
    length = len(typed)
    if length > _MOST_TYPED or not all(48 <= digit <= 57 for digit in typed):
        return 0
    into.view[:length] = typed
    return length


def _split(whole: LockedBuffer, length: int, suffix: bytes, into: LockedBuffer) -> bool:
    """What is typed but for its last digits goes `into`; whether those are the suffix."""
    rest = max(length - len(suffix), 0)
    into.view[:rest] = whole.view[:rest]
    return bool(suffix) and compare_digest(whole.view[rest:length], suffix)
