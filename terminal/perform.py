"""Does what a step asks for, in the order given, and has no opinion.

Every run of records is made durable before anything after it is done; if it can't be, AuditFailed
ends the pass with the strike untouched (law 4). What a device or the store answers at once (the
sign reads back, a duplicate was found) comes back as follow-up events, which the loop steps next.

What changes with this file: `terminal.core.effects`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from hw.errors import DeviceError
from hw.ports import Board, Tone
from terminal.audit import Audit
from terminal.clock import Clock
from terminal.core.effects import (
    BindCard,
    CarryOut,
    CheckDuplicate,
    CheckPin,
    DropReferences,
    Effect,
    Effects,
    EraseFace,
    ErasePerson,
    HoldStrike,
    KeepLockdown,
    LightSign,
    NotePassage,
    Permit,
    Play,
    Progress,
    Record,
    RegisterPerson,
    ReleaseStrike,
    SealTemplates,
    SecureStrike,
    Show,
    SoundAlarm,
    SpendPass,
    StoreConsent,
    TellPanel,
    TransactionEnded,
)
from terminal.core.events import (
    DuplicateChecked,
    EnrolCancelled,
    EnrolledChanged,
    EraseAsked,
    Event,
    ParityJudged,
    PassSpent,
    PinChecked,
    SignRead,
)
from terminal.core.values import (
    NOTHING_ALLOWED,
    Moment,
    Permission,
    PersonId,
    PinVerdict,
    Screen,
)
from terminal.errors import NotDone, StoreFailed
from terminal.metrics import Metrics
from terminal.notice import Notice
from terminal.pinpad import PinPad
from terminal.recognition import Recognition
from terminal.store import Lockdown, Store

log = logging.getLogger(__name__)

ITSELF = "terminal"
"""Who asked, where nobody did."""

ERASE_AGAIN_S = 30.0
"""An erasure that the disk refused is tried again after this time, until it is done."""


class Onlooker(Protocol):
    """Whoever is told of records, screens, sounds and progress: the desk of the operators."""

    def recorded(self) -> None:
        """New records are durable."""
        ...

    def shown(self, screen: Screen) -> None:
        """The screen changed."""
        ...

    def sounded(self, play: Play) -> None:
        """A sound was played."""
        ...

    def progressed(self, progress: Progress) -> None:
        """An enrolment went on."""
        ...

    def name_of(self, effect: RegisterPerson) -> str:
        """The name that the operator gave for a new person."""
        ...

    def failed(self, sentence: str) -> None:
        """What was being written for an enrolment could not be."""
        ...

    def erased(self, effect: EraseFace | ErasePerson, refused: str | None) -> None:
        """An erasure is done, or the disk has refused it for now, and why."""
        ...

    def carry_out(self, number: int, at: Moment) -> tuple[Event, ...]:
        """Do the operator's change that waits under this number; what follows from it."""
        ...


class Leases(Protocol):
    """Whoever passes permissions on to vision."""

    def permit(self, permission: Permission, until_mono_s: float) -> None:
        """Vision has this permission until then."""
        ...

    def resume(self) -> None:
        """The press that took vision's permission away has been heard."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that effects act on."""

    board: Board
    audit: Audit
    store: Store
    recognition: Recognition
    leases: Leases
    clock: Clock
    metrics: Metrics
    notice: Notice
    pinpad: PinPad
    duress_suffix: bytes = b""
    panel_bits: int = 26


class Performer:
    """The bridge from effects to devices and files; one thread, the loop's."""

    def __init__(self, parts: Parts, onlooker: Onlooker) -> None:
        self._parts, self._onlooker = parts, onlooker
        self._follow_ups: list[Event] = []
        self._unerased: list[EraseFace | ErasePerson] = []
        self._erase_again_s = 0.0
        self._parity_broken = False

    def perform(self, effects: Effects) -> list[Event]:
        """Do all of it. Returns what followed at once. Raises AuditFailed, DeviceError."""
        for is_record, run in groupby(effects, key=lambda effect: isinstance(effect, Record)):
            if is_record:
                self._record([effect for effect in run if isinstance(effect, Record)])
            else:
                for effect in run:
                    self._do(effect)
        follow_ups, self._follow_ups = self._follow_ups, []
        return follow_ups

    def catch_up(self, at: Moment) -> None:
        """Try again what the disk refused, when it is time to."""
        if self._unerased and at.mono_s >= self._erase_again_s:
            waiting, self._unerased = self._unerased, []
            for effect in waiting:
                self._erase(effect)

    def resume(self) -> None:
        """The kiosk button has been heard; from here on permissions are the core's again."""
        self._parts.leases.resume()

    def forget_typed(self) -> None:
        """Overwrite a PIN that nobody asked for."""
        self._parts.pinpad.wipe()

    @property
    def unerased(self) -> int:
        """How many erasures are not yet done on the disk."""
        return len(self._unerased)

    def secure(self) -> None:
        """The strike to rest, vision without a lease: whatever happens next."""
        try:
            self._parts.board.strike.secure()
        finally:
            self._parts.recognition.allowed = NOTHING_ALLOWED
            self._parts.leases.permit(NOTHING_ALLOWED, 0.0)

    # One effect

    def _record(self, records: Sequence[Record]) -> None:
        self._parts.audit.append(records)
        self._onlooker.recorded()

    def _do(self, effect: Effect) -> None:
        match effect:
            case ReleaseStrike() | HoldStrike() | SecureStrike():
                self._move_strike(effect)
            case LightSign():
                self._light(effect.lit)
            case Permit():
                self._permit(effect)
            case Show():
                self._onlooker.shown(effect.screen)
            case Play():
                self._parts.board.buzzer.play(Tone(effect.sound.value))
                self._onlooker.sounded(effect)
            case TransactionEnded():
                self._transaction_ended(effect)
            case CheckPin():
                self._check_pin(effect.person)
            case SpendPass():
                self._spend(effect)
            case NotePassage() | KeepLockdown():
                self._note(effect)
            case TellPanel():
                self._tell_panel(effect.person)
            case SoundAlarm():
                self._sound_alarm(effect.on)
            case CarryOut():
                at = self._parts.clock.now()
                self._follow_ups.extend(self._onlooker.carry_out(effect.number, at))
            case Progress():
                self._onlooker.progressed(effect)
            case EraseFace() | ErasePerson():
                self._erase(effect)
            case DropReferences():
                self._parts.recognition.drop()
            case CheckDuplicate():
                found = self._parts.recognition.is_enrolled_already(effect.person)
                self._follow(lambda at: DuplicateChecked(at, found))
            case RegisterPerson() | BindCard() | StoreConsent() | SealTemplates():
                self._write(effect)
            case Record():
                self._record([effect])

    def _follow(self, event: Callable[[Moment], Event]) -> None:
        self._follow_ups.append(event(self._parts.clock.now()))

    def _move_strike(self, effect: ReleaseStrike | HoldStrike | SecureStrike) -> None:
        strike = self._parts.board.strike
        match effect:
            case ReleaseStrike():
                strike.release(effect.max_s)
                self._parts.metrics.released(self._parts.clock.now().mono_s)
            case HoldStrike():
                strike.hold(effect.lease_s)
            case SecureStrike():
                strike.secure()

    def _tell_panel(self, person: PersonId) -> None:
        """A panel that can't be told decides nothing: its lock stays as it is, and that is said."""
        number = self._panel_number(person)
        if number is None:
            log.error("A holder has no number for the panel: terminalctl person panel-number.")
            return
        try:
            self._parts.board.panel.send(number, self._parts.panel_bits)
            self._parts.metrics.released(self._parts.clock.now().mono_s)
        except (DeviceError, ValueError) as error:
            log.error("%s", error)

    def _panel_number(self, person: PersonId) -> int | None:
        try:
            known = self._parts.store.panel_number(person)
            return None if known is None else known.number
        except StoreFailed as error:
            log.error("%s", error)
            return None

    def _sound_alarm(self, on: bool) -> None:
        try:
            self._parts.board.alarm.set(on)
        except DeviceError as error:
            log.error("%s", error)

    def _transaction_ended(self, effect: TransactionEnded) -> None:
        metrics = self._parts.metrics
        metrics.transaction_ended(effect)
        broken = metrics.parity.is_broken
        if broken is not self._parity_broken:
            self._parity_broken = broken
            self._follow(lambda at: ParityJudged(at, broken))

    # Credentials

    def _check_pin(self, person: PersonId) -> None:
        parts = self._parts
        try:
            verdict = parts.store.pins.check(person, parts.pinpad.digits, parts.duress_suffix)
        except (NotDone, StoreFailed) as error:
            log.error("%s", error)
            verdict = PinVerdict.CANT_CHECK
        parts.pinpad.wipe()
        self._follow(lambda at: PinChecked(at, person, verdict))

    def _spend(self, effect: SpendPass) -> None:
        """Nothing opens that could not be counted: a full disk keeps counted passes out."""
        store = self._parts.store
        try:
            done = store.passes.spend(effect.number, effect.step)
        except (NotDone, StoreFailed) as error:
            log.error("%s", error)
            done = False
        self._follow(lambda at: PassSpent(at, effect.number, done))

    def _note(self, effect: NotePassage | KeepLockdown) -> None:
        """What can't be written is said and not waited for: the door has moved already."""
        store, now = self._parts.store, self._parts.clock.now()
        try:
            match effect:
                case NotePassage():
                    store.note_passage(effect.person, effect.side, effect.at)
                case KeepLockdown():
                    store.settings.put_lockdown(Lockdown(effect.on, effect.why), now)
        except (NotDone, StoreFailed) as error:
            log.error("%s", error)

    def _light(self, lit: bool) -> None:
        try:
            self._parts.board.sign.set(lit)
        except DeviceError as error:
            log.error("%s", error)
        reads_lit = self._sign_reads_lit()
        self._follow(lambda at: SignRead(at, reads_lit))

    def _sign_reads_lit(self) -> bool:
        """A sign that can't be read is dark: the face goes off, and cards go on."""
        try:
            return self._parts.board.sign.is_lit
        except DeviceError as error:
            log.error("%s", error)
            return False

    def _permit(self, effect: Permit) -> None:
        """Pass the lease on; while it allows anything the sign has to read lit at this moment."""
        allowed = effect.permission
        if allowed != NOTHING_ALLOWED and not self._sign_reads_lit():
            allowed = NOTHING_ALLOWED
            self._follow(lambda at: SignRead(at, lit=False))
        self._parts.recognition.allowed = allowed
        until_s = self._parts.clock.now().mono_s + effect.lease_s
        self._parts.leases.permit(allowed, until_s)

    # The store

    def _write(self, effect: RegisterPerson | BindCard | StoreConsent | SealTemplates) -> None:
        """Write for an enrolment; what can't be written ends it, and is said."""
        try:
            self._written(effect)
        except (NotDone, StoreFailed) as error:
            self._onlooker.failed(str(error))
            self._follow(lambda at: EnrolCancelled(at, by=ITSELF))
            if isinstance(effect, SealTemplates):
                self._follow(lambda at: EraseAsked(at, effect.person, ITSELF, everything=False))

    def _written(self, effect: RegisterPerson | BindCard | StoreConsent | SealTemplates) -> None:
        store, now = self._parts.store, self._parts.clock.now()
        match effect:
            case RegisterPerson():
                store.register_person(effect.person, self._onlooker.name_of(effect), now)
            case BindCard():
                store.cards.bind(effect.person, effect.card, now, is_weak=effect.is_weak)
            case StoreConsent():
                self._finish_erasing(effect.person)
                store.put_consent(
                    effect.person,
                    effect.consent,
                    effect.state,
                    effect.at,
                    notice_sha256=self._parts.notice.sha256,
                    how="button held at the device",
                )
            case SealTemplates():
                self._seal(effect)

    def _finish_erasing(self, person: PersonId) -> None:
        """What is still to be erased of a person goes before a new consent, never after it."""
        for effect in [one for one in self._unerased if one.person == person]:
            self._erased(effect)
            self._unerased.remove(effect)

    def _seal(self, effect: SealTemplates) -> None:
        recognition = self._parts.recognition
        try:
            self._parts.store.put_templates(
                effect.person, effect.consent, recognition.model_sha256, recognition.captured
            )
        except (NotDone, StoreFailed):
            recognition.drop()
            raise
        recognition.keep(effect.person)
        self._tell_enrolled()

    def _erase(self, effect: EraseFace | ErasePerson) -> None:
        """Recognise the person no more, now; then erase, again and again until it is done."""
        self._parts.recognition.forget(effect.person)
        self._tell_enrolled()
        try:
            self._erased(effect)
        except StoreFailed as error:
            self._unerased.append(effect)
            self._erase_again_s = self._parts.clock.now().mono_s + ERASE_AGAIN_S
            self._onlooker.erased(effect, str(error))
        else:
            self._onlooker.erased(effect, None)
            self._open_again()

    def _open_again(self) -> None:
        """Where a seal was broken, its template may be among those that are gone now."""
        if self._parts.recognition.broken:
            self._parts.recognition.reload(self._parts.store)
            self._tell_enrolled()

    def _erased(self, effect: EraseFace | ErasePerson) -> None:
        match effect:
            case EraseFace():
                self._parts.store.erase_face(effect.person, effect.at, effect.state)
            case ErasePerson():
                self._parts.store.erase_person(effect.person, self._parts.clock.now())

    def _tell_enrolled(self) -> None:
        self._follow(self.enrolled)

    def enrolled(self, at: Moment) -> EnrolledChanged:
        """How many can be recognised now, as an event."""
        recognition = self._parts.recognition
        return EnrolledChanged(
            at,
            people=recognition.enrolled,
            supported=recognition.supported,
            room=recognition.has_room,
            readable=recognition.broken is None,
        )
