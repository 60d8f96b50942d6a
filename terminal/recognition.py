"""Everyone who can be recognised, the threshold for so many, and the references being captured.

The threshold follows from the installed model's error curve, how many are enrolled and the site's
target (D2, R24), anew with every change; where the curve can't support it, nobody is identified.
References of an enrolment lie here, in locked memory, until they are sealed or dropped.

Never here: a decision, or a score that anybody could read.

What changes with this file: `comparison`, `models.errorcurve`, what `terminalctl status` says.
"""

from __future__ import annotations

import numpy as np

from models.errorcurve import ErrorCurve
from terminal.comparison import Embeddings, References
from terminal.core.policy import Policy, most_people, required_fmr
from terminal.core.values import NOTHING_ALLOWED, Permission, PersonId
from terminal.errors import SealBroken
from terminal.link import Vector
from terminal.memory import LockedBuffer
from terminal.store import MAX_REFERENCES, Store

VERIFY_FMR = 1e-4
"""Compared with one person, at most this share of strangers may be taken for that person (R25)."""

SAME_PERSON_FMR = 1e-2
"""References of one enrolment must lie within the threshold of this FMR of their mean."""


class Recognition:
    """One embedder's view of who is enrolled; one thread, the loop's."""

    def __init__(
        self, width: int, model_sha256: str, curve: ErrorCurve | None, policy: Policy
    ) -> None:
        self._references = References(width)
        self._curve, self._policy = curve, policy
        self._memory = LockedBuffer(4 * MAX_REFERENCES * width)
        self._captured: Embeddings = self._memory.array(np.float32, (MAX_REFERENCES, width))
        self._taken = 0
        self._threshold: float | None = None
        self.model_sha256 = model_sha256
        self.width = width
        self.broken: str | None = None
        self.allowed: Permission = NOTHING_ALLOWED
        """What vision may do now: nothing else that it sends is compared or kept."""
        self._reckon()

    @property
    def enrolled(self) -> int:
        """How many people can be recognised."""
        return len(self._references)

    @property
    def supported(self) -> bool:
        """Whether the error curve supports so many people at the site's target."""
        return self._threshold is not None

    @property
    def has_room(self) -> bool:
        """Whether it would support one more. Unreadable templates leave no room for new ones."""
        return not self.broken and self._threshold_for(self.enrolled + 1) is not None

    @property
    def most_people(self) -> int:
        """How many it supports at the most."""
        if self._curve is None:
            return 0
        policy = self._policy
        smallest = self._curve.supported_fmr
        return most_people(smallest, policy.fpir_target, policy.safety_factor)

    @property
    def locked(self) -> bool:
        """Whether all templates are kept out of swap."""
        return self._references.locked and self._memory.locked

    def reload(self, store: Store) -> None:
        """Open every template whose consent stands. A broken seal leaves nobody enrolled."""
        try:
            store.load_references(self.model_sha256, self._references)
            self.broken = None
        except SealBroken as error:
            self.broken = str(error)
        self._reckon()

    def forget(self, person: PersonId) -> None:
        """From now on this person is not recognised."""
        self._references.remove(person)
        self._reckon()

    def identify(self, probe: Vector) -> PersonId | None:
        """Whoever the probe, float32 (width,), unit length, belongs to at the present threshold."""
        if self._threshold is None:
            return None
        return self._references.search(probe, self._threshold)

    def verify(self, probe: Vector, person: PersonId) -> bool:
        """Whether the probe, float32 (width,), unit length, is this person's (1:1).

        The FMR is that of one comparison, so it holds however many are enrolled (D2).
        """
        if self.broken or self._curve is None:
            return False
        fmr = VERIFY_FMR / self._policy.safety_factor
        threshold = self._curve.threshold_at(fmr)
        return threshold is not None and self._references.verify(probe, person, threshold)

    # The enrolment under way

    def capture(self, reference: Vector) -> bool:
        """Keep one reference, float32 (width,); False for another face, or one too many."""
        same = self._references.consistent(reference, self.captured, self._same_person())
        if not same or self._taken == MAX_REFERENCES:
            return False
        self._captured[self._taken] = reference
        self._taken += 1
        return True

    @property
    def captured(self) -> Embeddings:
        """The references so far, float32 (k, width): a view, gone with `drop`."""
        return self._captured[: self._taken]

    def is_enrolled_already(self, person: PersonId) -> bool:
        """Whether the captured face is enrolled as someone other than `person`."""
        if self._threshold is None:
            return False
        found = self._references.contains_similar(self.captured, self._threshold, besides=person)
        return found is not None

    def keep(self, person: PersonId) -> None:
        """Recognise `person` by what was captured, and drop the captured references."""
        self._references.enrol(person, self.captured)
        self.drop()
        self._reckon()

    def drop(self) -> None:
        """Overwrite what was captured."""
        self._memory.wipe()
        self._taken = 0

    def close(self) -> None:
        """Overwrite everything."""
        self.drop()
        self._references.close()
        self._memory.close()

    def _reckon(self) -> None:
        self._threshold = None if self.broken else self._threshold_for(self.enrolled)

    def _threshold_for(self, people: int) -> float | None:
        if self._curve is None:
            return None
        policy = self._policy
        return self._curve.threshold_at(
            required_fmr(people, policy.fpir_target, policy.safety_factor)
        )

    def _same_person(self) -> float:
        loosest = self._curve.threshold_at(SAME_PERSON_FMR) if self._curve else None
        return loosest if loosest is not None else 0.0
