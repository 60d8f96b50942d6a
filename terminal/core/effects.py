"""What a step asks the bridge to do. The bridge does it in the order given, without an opinion.

Two orders are promised by `machine.step` and tested there: a `Permit` that takes something away
comes first of all, and every `Record` comes before the strike, the store or the screen act on
what it records. A record that can't be made durable stops everything after it.

What changes with this file: `terminal.perform`, the bench story and the tests of the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from terminal.core.values import (
    CardId,
    ConsentId,
    ConsentState,
    Moment,
    Outcome,
    PassId,
    Permission,
    PersonId,
    Reason,
    Screen,
    Side,
    Way,
)


class Kind(Enum):
    """Kinds of record in the audit log."""

    STARTED = "started"
    GRANTED = "granted"
    REFUSED = "refused"
    DECLINED = "declined"
    DOOR_OPENED = "door_opened"
    DOOR_CLOSED = "door_closed"
    FORCED_OPEN = "forced_open"
    HELD_OPEN = "held_open"
    REX = "rex"
    HOLD_STARTED = "hold_started"
    HOLD_ENDED = "hold_ended"
    READER_ALARM = "reader_alarm"
    FACE_PAUSED = "face_paused"
    FACE_OFF = "face_off"
    FACE_ON = "face_on"
    PERSON_REGISTERED = "person_registered"
    CARD_BOUND = "card_bound"
    CONSENT_REQUESTED = "consent_requested"
    CONSENT_GIVEN = "consent_given"
    CONSENT_REFUSED = "consent_refused"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    ENROLLED = "enrolled"
    ENROLMENT_FAILED = "enrolment_failed"
    ERASED = "erased"
    CAMERA = "camera"
    VISION = "vision"
    READER = "reader"
    CODES = "codes"
    TAMPER = "tamper"
    FIRE = "fire"
    INTERLOCK = "interlock"
    PROPPED = "propped"
    DURESS = "duress"
    PASSBACK = "passback"
    PIN_ALARM = "pin_alarm"
    GUARD_RELEASE = "guard_release"
    LOCKDOWN = "lockdown"
    LOCKDOWN_LIFTED = "lockdown_lifted"
    ALARMS_ACKNOWLEDGED = "alarms_acknowledged"
    PARITY = "parity"
    CARD_REVOKED = "card_revoked"
    PIN_SET = "pin_set"
    PIN_CLEARED = "pin_cleared"
    PASS_ISSUED = "pass_issued"
    PASS_REVOKED = "pass_revoked"
    PASS_KEY_CHANGED = "pass_key_changed"
    GROUP_CHANGED = "group_changed"
    SCHEDULE_CHANGED = "schedule_changed"
    PASSBACK_RESET = "passback_reset"
    FREE_PASSAGE = "free_passage"
    PERSON_CHANGED = "person_changed"
    IMPORTED = "imported"
    EXPORTED = "exported"


@dataclass(frozen=True, slots=True)
class Record:
    """One line for the audit log: what, when, about whom (a pseudonym), and why.

    `facts` are short words (never a name, number, template or score), in a fixed order.
    """

    kind: Kind
    at: Moment
    person: PersonId | None = None
    way: Way | None = None
    reason: Reason | None = None
    by: str | None = None
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ReleaseStrike:
    """Energise for at most `max_s`: one pulse."""

    max_s: float


@dataclass(frozen=True, slots=True)
class HoldStrike:
    """Assert a held release until `lease_s` from now; it is asserted again while it lasts (D15)."""

    lease_s: float


@dataclass(frozen=True, slots=True)
class SecureStrike:
    """To rest, now."""


@dataclass(frozen=True, slots=True)
class LightSign:
    """The signage LED: lit while face recognition is in use here."""

    lit: bool


@dataclass(frozen=True, slots=True)
class Permit:
    """Give vision this permission for `lease_s`; whatever it had before is gone (D10)."""

    permission: Permission
    lease_s: float


@dataclass(frozen=True, slots=True)
class Show:
    """Show this to the person at the door."""

    screen: Screen


class Sound(Enum):
    """What may be heard."""

    GRANTED = "granted"
    REFUSED = "refused"
    ALARM = "alarm"
    WARNING = "warning"
    PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class Play:
    """Sound this."""

    sound: Sound


@dataclass(frozen=True, slots=True)
class TransactionEnded:
    """One transaction is over: by which way, how, and how long from its first event (s).

    `steps` is how many things the person had to do. The person's own time is left out when the
    ways are compared (D12): `typing_s` for a PIN, `waited_s` from the button to the first card.
    """

    number: int
    way: Way
    outcome: Outcome
    took_s: float
    steps: int = 1
    typing_s: float = 0.0
    waited_s: float = 0.0

    @property
    def own_s(self) -> float:
        """The person's own time in it (s)."""
        return self.typing_s + self.waited_s


@dataclass(frozen=True, slots=True)
class RegisterPerson:
    """Write the person (whose name the bridge holds for this identifier)."""

    person: PersonId


@dataclass(frozen=True, slots=True)
class BindCard:
    """Write that this card belongs to this person."""

    person: PersonId
    card: CardId
    is_weak: bool = False


@dataclass(frozen=True, slots=True)
class CheckPin:
    """Check the typed PIN against this person's; answered by `PinChecked`."""

    person: PersonId


@dataclass(frozen=True, slots=True)
class SpendPass:
    """Durably count one use of this pass; answered by `PassSpent`, and nothing opens before."""

    number: PassId
    step: int | None


@dataclass(frozen=True, slots=True)
class NotePassage:
    """Write on which side of the door this person is now."""

    person: PersonId
    side: Side
    at: Moment


@dataclass(frozen=True, slots=True)
class KeepLockdown:
    """Write whether there is a lockdown, and why, so that no restart lifts it."""

    on: bool
    why: str


@dataclass(frozen=True, slots=True)
class TellPanel:
    """Tell an existing panel who is there; it decides, and moves the lock."""

    person: PersonId


@dataclass(frozen=True, slots=True)
class SoundAlarm:
    """The alarm contact: closed while an alarm stands."""

    on: bool


@dataclass(frozen=True, slots=True)
class CarryOut:
    """Do the operator's change that the bridge holds under this number; it is on record."""

    number: int


@dataclass(frozen=True, slots=True)
class StoreConsent:
    """Write what the person decided at the device: `state` is GIVEN or REFUSED."""

    person: PersonId
    consent: ConsentId
    state: ConsentState
    at: Moment


@dataclass(frozen=True, slots=True)
class CheckDuplicate:
    """Compare the captured references with everyone enrolled; answered by `DuplicateChecked`."""

    person: PersonId


@dataclass(frozen=True, slots=True)
class SealTemplates:
    """Seal and write the captured references under this consent, then overwrite them."""

    person: PersonId
    consent: ConsentId


@dataclass(frozen=True, slots=True)
class DropReferences:
    """Overwrite what was captured so far; nothing is kept."""


@dataclass(frozen=True, slots=True)
class EraseFace:
    """End the consent as `state` and erase every template of the person, in memory and on disk."""

    person: PersonId
    state: ConsentState
    at: Moment


@dataclass(frozen=True, slots=True)
class ErasePerson:
    """Erase the person with name and cards too."""

    person: PersonId


class Stage(Enum):
    """Where an enrolment stands, for whoever asked for it."""

    TAP_CARD = "tap_card"
    CONSENT = "consent"
    CAPTURE = "capture"
    CHECKING = "checking"
    DONE = "done"
    CARD_ONLY = "card_only"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """News of the enrolment under way, for the operator who asked for it."""

    person: PersonId
    stage: Stage
    screen: Screen


Effect = (
    Record
    | ReleaseStrike
    | HoldStrike
    | SecureStrike
    | LightSign
    | Permit
    | Show
    | Play
    | TransactionEnded
    | RegisterPerson
    | BindCard
    | CheckPin
    | SpendPass
    | NotePassage
    | KeepLockdown
    | TellPanel
    | SoundAlarm
    | CarryOut
    | StoreConsent
    | CheckDuplicate
    | SealTemplates
    | DropReferences
    | EraseFace
    | ErasePerson
    | Progress
)
Effects = tuple[Effect, ...]
