"""What must hold in every walk through the core, checked from outside, step by step.

`Watch` is told each step, with `Entry`, `Alarms` and `Aside` beside it, and believes nothing that
the state says about itself where an effect can be watched instead: it keeps its own strike line,
its own lease of vision, its own sign, door, button and consents, moves them by the effects as the
bridge would, and raises `BrokenLawError` with the name of the law. The walks show that no law is
broken; `test_the_tests_can_fail` breaks the core on purpose and shows that each is looked after.

What changes with this file: nothing in the product; a new promise of the core gets its law here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from terminal.core import machine, sight
from terminal.core.effects import (
    DropReferences,
    EraseFace,
    HoldStrike,
    Kind,
    LightSign,
    Permit,
    Play,
    Record,
    ReleaseStrike,
    SealTemplates,
    SecureStrike,
    Show,
    StoreConsent,
    TransactionEnded,
)
from terminal.core.enrolment import EnrolmentPhase
from terminal.core.events import (
    ButtonPressed,
    ButtonReleased,
    CameraChanged,
    CodesChanged,
    ContactChanged,
    DeclineSaid,
    EnrolAsked,
    EnrolCancelled,
    EraseAsked,
    Event,
    FaceAsked,
    FireChanged,
    HoldAsked,
    ReaderChanged,
    RexPressed,
    Started,
    TimePassed,
    VisionChanged,
    ZoneSeen,
)
from terminal.core.policy import PRIVATE_PLACES, Panel, Policy, Relock, Trigger
from terminal.core.transaction import AccessPhase
from terminal.core.values import (
    NOTHING_ALLOWED,
    ConsentId,
    ConsentState,
    Level,
    Permission,
    PersonId,
    Reason,
    Rule,
    TrackId,
    View,
    Way,
)
from tests.core.given import Told, only
from tests.core.law import EPSILON_S, demand
from tests.core.laws_alarms import Alarms
from tests.core.laws_aside import Aside
from tests.core.laws_entry import Entry

LEASE_AT_MOST_S = 0.5
HOLD_LEASE_AT_MOST_S = 10.0
WAYS_AT_LEAST = 2
FAILURES_AT_MOST = 5
PAUSE_S = 30.0
"""D10, D15, D11 and D13 in figures, written out: to change the code's does not change these."""

RELEASING = {Kind.GRANTED, Kind.REX, Kind.GUARD_RELEASE}
CONSENTING = (EnrolmentPhase.CONSENT, EnrolmentPhase.CAPTURE, EnrolmentPhase.CHECKING)
CAPTURING = (EnrolmentPhase.CAPTURE, EnrolmentPhase.CHECKING)


@dataclass(slots=True)
class Line:
    """The strike line as the effects move it, and the door that it belongs to."""

    pulse_s: float | None = None
    hold_until_s: float | None = None
    hold_end_s: float = 0.0
    door_open: bool = False
    burns: bool = False
    rex_until_s: float = 0.0

    was_pulsed: bool = False
    was_held: bool = False

    @property
    def pulsed(self) -> bool:
        """Whether a pulse runs."""
        return self.pulse_s is not None

    @property
    def held(self) -> bool:
        """Whether the strike is held released."""
        return self.hold_until_s is not None

    @property
    def energised(self) -> bool:
        """Whether the strike is released, for a pulse or held."""
        return self.pulsed or self.held


@dataclass(slots=True)
class Consents:
    """What was recorded and stored about consent, by person."""

    given: set[PersonId | None] = field(default_factory=set)
    stored: set[tuple[PersonId, ConsentId]] = field(default_factory=set)


@dataclass(slots=True)
class Watch:
    """Everything a bystander knows about one terminal, whose loop may be `late_s` late."""

    policy: Policy
    late_s: float = 0.0
    line: Line = field(default_factory=Line)
    consents: Consents = field(default_factory=Consents)
    lease: Permission = NOTHING_ALLOWED
    lease_until_s: float = 0.0
    sign_commanded: bool = False
    button_down_s: float | None = None
    ended: set[int] = field(default_factory=set)
    begun: int = 0
    in_view: TrackId | None = None
    ready_since_s: float = 0.0
    must_clear: bool = False
    asked: bool = False
    failures: int = 0
    paused_until_s: float = 0.0
    readers: frozenset[str] = frozenset()
    was_alive: bool = False
    sees: bool = False
    codes: bool = False
    entry: Entry = field(init=False)
    alarms: Alarms = field(init=False)
    aside: Aside = field(init=False)

    def __post_init__(self) -> None:
        self.entry, self.alarms = Entry(self.policy), Alarms(self.policy)
        self.aside = Aside(self.policy)

    def see(self, told: Told) -> None:
        """One step. Raises BrokenLawError."""
        if isinstance(told.event, Started):
            self._forget(told.event)
        self.line.was_pulsed, self.line.was_held = self.line.pulsed, self.line.held
        self._hear(told)
        records_come_first(told)
        self._strike(told)
        self._door(told)
        self._transactions(told)
        self._permission(told)
        self._consent(told)
        if self.aside.see(told, self.lease):
            self.must_clear = True
        self._face(told)
        self.entry.see(told)
        self.alarms.see(told)
        self._deadlines(told)

    def _forget(self, event: Started) -> None:
        """The process began anew; the door did not."""
        fresh = Watch(self.policy, self.late_s)
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(fresh, name))
        self.line.door_open = event.door_open
        self.line.burns = event.fire
        self.readers = frozenset(event.readers)

    def _hear(self, told: Told) -> None:
        now_s = told.event.at.mono_s
        match told.event:
            case ButtonPressed():
                self.button_down_s = now_s
            case RexPressed():
                self.line.rex_until_s = now_s + self.policy.rex_mask_s
            case HoldAsked(lasts_s=lasts_s):
                self.line.hold_end_s = now_s + lasts_s
            case ZoneSeen():
                self._look(told, told.event, now_s)
            case FaceAsked() if _is_asked(told):
                self.must_clear, self.asked = False, _scan_was_asked_for(told)
            case FireChanged(active=active):
                self.line.burns = active
            case _:
                self._hear_of_parts(told.event)

    def _hear_of_parts(self, event: Event) -> None:
        match event:
            case ReaderChanged(reader=reader, working=working):
                one = frozenset({reader})
                self.readers = self.readers | one if working else self.readers - one
            case VisionChanged(alive=alive):
                self.sees = self.sees and alive and self.was_alive
                self.was_alive = alive
            case CameraChanged(working=working):
                self.sees = working
            case CodesChanged(working=working):
                self.codes = working
            case _:
                pass

    def _look(self, told: Told, event: ZoneSeen, now_s: float) -> None:
        if self.lease.level in (Level.NONE, Level.ENROL):
            return
        seen = event.track if event.view is View.READY else None
        if seen != self.in_view:
            self.in_view, self.ready_since_s = seen, now_s
        if event.view is View.EMPTY:
            self.must_clear = False

    # The strike (laws 4 and 5, D15)

    def _strike(self, told: Told) -> None:
        for place, effect in enumerate(told.effects):
            match effect:
                case SecureStrike():
                    self.line.pulse_s = self.line.hold_until_s = None
                case ReleaseStrike():
                    self._released(told, place, effect)
                case HoldStrike():
                    self._held(told, place, effect)
                case _:
                    pass
        self._line_is_as_promised(told)

    def _released(self, told: Told, place: int, effect: ReleaseStrike) -> None:
        before = {one.kind for one in told.effects[:place] if isinstance(one, Record)}
        demand(bool(before & RELEASING), "no release without its record")
        demand(not self.line.door_open, "never energised while the door is open")
        demand(not self.line.energised, "never energised while a release runs")
        demand(effect.max_s <= self.policy.release_s, "no pulse longer than release_s")
        self.line.pulse_s = told.event.at.mono_s

    def _held(self, told: Told, place: int, effect: HoldStrike) -> None:
        before = {one.kind for one in told.effects[:place] if isinstance(one, Record)}
        demand(self.line.held or Kind.HOLD_STARTED in before, "no held release without its record")
        demand(effect.lease_s <= HOLD_LEASE_AT_MOST_S, "a held release is a lease")
        now_s, self.line.pulse_s = told.event.at.mono_s, None
        if _begins_by_schedule(told):
            self.line.hold_end_s = math.inf
        by_schedule = self.line.hold_end_s == math.inf
        trusted = told.event.at.trusted
        demand(trusted or not by_schedule, "no schedule on a clock that is not trusted")
        self.line.hold_until_s = now_s + effect.lease_s
        ends = self.line.hold_until_s <= self.line.hold_end_s + EPSILON_S
        demand(ends, "a held release ends when it was to end")

    def _line_is_as_promised(self, told: Told) -> None:
        now_s, line = told.event.at.mono_s, self.line
        if line.pulse_s is not None:
            longest_s = self.policy.release_s + self.late_s
            demand(now_s < line.pulse_s + longest_s, "no pulse longer than release_s")
            relocks = self.policy.relock is Relock.ON_OPEN
            demand(not (line.door_open and relocks), "secured when the door opens")
        if line.hold_until_s is not None:
            lapsed = line.hold_until_s <= now_s < line.hold_end_s - EPSILON_S
            demand(not lapsed, "a held release is asserted in time")
            demand(now_s < line.hold_end_s + self.late_s, "a held release ends when it was to end")
        granted = any(one.kind is Kind.GRANTED for one in only(told.effects, Record))
        goes = line.door_open or line.energised or self.policy.panel is Panel.WIEGAND
        demand(not granted or goes, "who is let in can go in")

    def _door(self, told: Told) -> None:
        if not isinstance(told.event, ContactChanged):
            return
        line, opens = self.line, told.event.open
        if opens and not line.door_open and not line.was_held:
            asked = told.event.at.mono_s <= line.rex_until_s
            alarm = any(one.kind is Kind.FORCED_OPEN for one in only(told.effects, Record))
            right = asked or line.was_pulsed or line.burns or self.policy.panel is not Panel.NONE
            demand(alarm or right, "a forced door is an alarm")
            secured = bool(only(told.effects, SecureStrike))
            relocks = self.policy.relock is Relock.ON_OPEN
            demand(secured or not relocks, "secured when the door opens")
        if line.door_open and not opens and not line.was_held:
            line.rex_until_s = 0.0
            demand(not line.energised, "secured when the door closes")
        line.door_open = opens

    # Transactions

    def _transactions(self, told: Told) -> None:
        self.begun = max(self.begun, told.after.access.number)
        for end in only(told.effects, TransactionEnded):
            demand(end.number not in self.ended, "a transaction ends once")
            demand(1 <= end.number <= self.begun, "what ends was begun")
            demand(end.took_s >= 0.0, "what ends was begun")
            self.ended.add(end.number)
        running = set(range(1, self.begun + 1)) - self.ended
        expected = {told.after.access.number} if told.after.access.is_running else set()
        demand(running == expected, "every transaction ends")

    # What vision may do (D1, D9, D10, D11, D13, R11)

    def _permission(self, told: Told) -> None:
        now_s = told.event.at.mono_s
        self._count_failures(told)
        for effect in told.effects:
            if isinstance(effect, Permit):
                demand(effect.lease_s <= LEASE_AT_MOST_S, "permission is a lease")
                self.lease, self.lease_until_s = effect.permission, now_s + effect.lease_s
            elif isinstance(effect, LightSign):
                self.sign_commanded = effect.lit
        self._is_what_the_state_says(told)
        if self.lease.level is not Level.NONE:
            self._is_allowed(told)
        if isinstance(told.event, DeclineSaid):
            self._declined(told)

    def _count_failures(self, told: Told) -> None:
        for one in only(told.effects, Record):
            if one.way not in (Way.FACE, Way.CARD_FACE):
                continue
            if one.kind is Kind.GRANTED:
                self.failures = 0
            elif one.kind is Kind.REFUSED and one.reason is not Reason.NO_GOOD_FRAME:
                self.failures += 1
        if self.failures >= FAILURES_AT_MOST:
            self.failures, self.paused_until_s = 0, told.event.at.mono_s + PAUSE_S

    def _is_what_the_state_says(self, told: Told) -> None:
        said = sight.permission(told.after, self.policy)
        demand(self.lease == said, "vision knows what it may do")
        lapsed = said != NOTHING_ALLOWED and told.event.at.mono_s > self.lease_until_s
        demand(not lapsed, "a permission is renewed in time")

    def _is_allowed(self, told: Told) -> None:
        after, policy = told.after, self.policy
        demand(after.sign_lit and self.sign_commanded, "no model runs under a dark sign")
        demand(policy.place not in PRIVATE_PLACES, "no face in a private place")
        demand(policy.face_enabled, "no face where it is switched off")
        demand(self._ways(told) >= WAYS_AT_LEAST, "no face without two other ways in")
        demand(after.vision and after.camera, "no permission without eyes")
        demand(after.access.phase is not AccessPhase.DECLINED, "a decline is a decline")
        if self.lease.level is not Level.ENROL:
            told_apart = after.supported or self._verifies(told)
            demand(after.enrolled > 0 and told_apart, "no scan that can't be told apart")
            paused = told.event.at.mono_s < self.paused_until_s - EPSILON_S
            demand(not paused, "five failures pause the face")

    def _ways(self, told: Told) -> int:
        """The other ways in that work, as far as anybody can tell (D11)."""
        codes = self.codes and self.sees and told.event.at.trusted
        return len(self.readers - self.policy.not_ways) + codes

    def _verifies(self, told: Told) -> bool:
        """Whether a card is in hand whose holder may add the face to it (1:1)."""
        pending = told.after.access.pending
        return pending is not None and pending.wants_face

    def _declined(self, told: Told) -> None:
        if told.before.enrolment.phase in CONSENTING:
            level = self.lease.level
            demand(level in (Level.NONE, Level.DETECT), "the button ends a capture")
            return
        demand(self.lease.level is Level.NONE, "a decline takes permission at once")
        had = sight.permission(told.before, self.policy) != NOTHING_ALLOWED
        first = told.effects[0] if told.effects else None
        taken = isinstance(first, Permit) and first.permission == NOTHING_ALLOWED
        demand(taken or not had, "a decline takes permission first")

    # Consent (R01, T37)

    def _consent(self, told: Told) -> None:
        if isinstance(told.event, EnrolAsked) and told.after.enrolment.asked is told.event:
            self.consents.given.discard(told.event.person)
        for effect in told.effects:
            self._consent_effect(told, effect)
        self._capture_ends(told)
        if self.lease.level is Level.ENROL:
            person = told.after.enrolment.person
            demand(person in self.consents.given, "no capture without consent")
        if isinstance(told.event, ButtonReleased):
            self.button_down_s = None

    def _consent_effect(self, told: Told, effect: object) -> None:
        match effect:
            case Record(kind=Kind.CONSENT_GIVEN):
                self._is_held(told)
                demand(effect.person is not None, "consent is a person's")
                self.consents.given |= {effect.person} - {None}
            case StoreConsent(state=ConsentState.GIVEN):
                self.consents.stored.add((effect.person, effect.consent))
            case EraseFace():
                self.consents.given.discard(effect.person)
                self.consents.stored = {
                    one for one in self.consents.stored if one[0] != effect.person
                }
            case SealTemplates():
                self._sealed(told, effect)
            case _:
                pass

    def _is_held(self, told: Told) -> None:
        down_s, hold_s = self.button_down_s, self.policy.consent_hold_s
        held = down_s is not None and told.event.at.mono_s >= down_s + hold_s
        demand(held, "consent is given by a held button")

    def _sealed(self, told: Told, effect: SealTemplates) -> None:
        given = effect.person in self.consents.given
        stored = (effect.person, effect.consent) in self.consents.stored
        demand(given and stored, "no template without consent")
        ends = (DeclineSaid, EnrolCancelled, EraseAsked)
        demand(not isinstance(told.event, ends), "no template after a withdrawal")

    def _capture_ends(self, told: Told) -> None:
        was, now = told.before.enrolment.phase, told.after.enrolment.phase
        if isinstance(told.event, Started) or was not in CAPTURING or now in CAPTURING:
            return
        ends = len(only(told.effects, SealTemplates)) + len(only(told.effects, DropReferences))
        demand(ends == 1, "what was captured is sealed or dropped")

    # Faces that are looked at (D1, D9, A26, T38)

    def _face(self, told: Told) -> None:
        if self.lease.level is Level.EMBED:
            self._embeds_the_right_one(told)
        if self.lease.level is Level.NONE:
            self.in_view = None
        if told.after.access.phase not in (AccessPhase.ASKED, AccessPhase.SCANNING):
            self.asked = False
        if self._someone_said_no(told):
            self.must_clear = True
        self._nobody_is_overlooked(told)

    def _embeds_the_right_one(self, told: Told) -> None:
        access = told.after.access
        if self.lease.verify is not None:
            self._verifies_the_right_one(told)
            return
        scanning = access.phase is AccessPhase.SCANNING and access.is_running
        mine = self.lease.track is not None and self.lease.track == access.track
        demand(scanning and mine, "only the scanned track is embedded")
        demand(self.lease.track == self.in_view, "only who stands there is embedded")
        stood_s = told.event.at.mono_s - self.ready_since_s
        meant = self.asked or stood_s >= self.policy.dwell_s - EPSILON_S
        demand(meant, "no embedding of passers-by")
        demand(not self.must_clear, "no scan of whoever said no")

    def _verifies_the_right_one(self, told: Told) -> None:
        """Of the holder whose card is in hand, who agreed to it, and may type a PIN instead."""
        access = told.after.access
        demand(self._verifies(told), "only the holder of the card is verified")
        assert access.pending is not None
        holder = access.pending.shown.holder
        assert holder is not None
        mine = holder.person == self.lease.verify and holder.group.rule is Rule.CARD_FACE
        demand(mine and holder.has_pin, "only the holder of the card is verified")
        demand(holder.consent is ConsentState.GIVEN, "no face without consent")
        demand(self.lease.track == self.in_view, "only who stands there is embedded")

    def _someone_said_no(self, told: Told) -> bool:
        declined = any(one.kind is Kind.DECLINED for one in only(told.effects, Record))
        idle = EnrolmentPhase.IDLE
        ends = told.before.enrolment.phase is not idle and told.after.enrolment.phase is idle
        return declined or (ends and not isinstance(told.event, Started))

    def _nobody_is_overlooked(self, told: Told) -> None:
        access, walk_up = told.after.access, self.policy.trigger is Trigger.WALK_UP
        waits = access.phase is AccessPhase.IDLE and self.lease.level is Level.DETECT and walk_up
        fresh = self.in_view is not None and self.in_view != access.spent
        demand(not (waits and fresh and not self.must_clear), "nobody who is ready is overlooked")

    # Time

    def _deadlines(self, told: Told) -> None:
        due_s = machine.next_deadline(told.after)
        late = isinstance(told.event, TimePassed) and due_s is not None
        demand(not late or _later(due_s, told), "no deadline is waited for again")


def _later(due_s: float | None, told: Told) -> bool:
    return due_s is None or due_s > told.event.at.mono_s


def _begins_by_schedule(told: Told) -> bool:
    every = only(told.effects, Record)
    return any(one.kind is Kind.HOLD_STARTED and one.way is Way.SCHEDULE for one in every)


def _is_asked(told: Told) -> bool:
    """Whether access heard that somebody wants to be recognised."""
    idle = told.before.access.phase is AccessPhase.IDLE
    mine = idle and told.before.enrolment.phase is not EnrolmentPhase.CAPTURE
    return mine or _scan_was_asked_for(told)


def _scan_was_asked_for(told: Told) -> bool:
    before, after = told.before.access.phase, told.after.access.phase
    asked = (AccessPhase.ASKED, AccessPhase.SCANNING)
    return before in (AccessPhase.IDLE, AccessPhase.PROMPTED) and after in asked


def records_come_first(told: Told) -> None:
    """Every record stands before any act that it is about; what takes away before both (law 4)."""
    places = {kind: place for place, kind in enumerate(("take", "record", "strike", "rest"))}
    order = [places[_sort_of(effect)] for effect in told.effects if not _is_detect(effect)]
    demand(order == sorted(order), "records come before acts")


def _is_detect(effect: object) -> bool:
    """To detect is neither taken nor given: it may be said at any place."""
    return isinstance(effect, Permit) and effect.permission.level is Level.DETECT


def _sort_of(effect: object) -> str:
    match effect:
        case SecureStrike() | LightSign(lit=False):
            return "take"
        case Permit(permission=Permission(level=Level.NONE)):
            return "take"
        case Record():
            return "record"
        case ReleaseStrike() | HoldStrike():
            return "strike"
        case Show() | Play():
            return "rest"
        case _:
            return "rest"
