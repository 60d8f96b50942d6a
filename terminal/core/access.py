"""Who comes in: one transaction at a time, by face or by card, and the way out of the face.

A face transaction begins when exactly one person stands in the zone, and is embedded only after
the dwell (D1) unless that person asked for it; any card, any decline and any doubt ends it first.
A card is heard in every phase. A decline ends as D9 says, and neither it nor an enrolment is
followed by a scan of whoever still stands there, unless that person asks for it. This table asks
the door; it never touches the strike (law 5).

What changes with this file: `docs/states.md`, the prompts on the screen, the figures of parity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from terminal.core.effects import Effect, Kind, Play, Record, Sound, TransactionEnded
from terminal.core.events import (
    ButtonPressed,
    CaptureHindered,
    CredentialPresented,
    DoorCycleEnded,
    EnrolmentEnded,
    Event,
    FaceAsked,
    FaceCompared,
    FaceWentOff,
    PresenceChanged,
    StrikeAsked,
    TimePassed,
    ZoneSeen,
)
from terminal.core.policy import (
    FACE_FAILURES,
    FACE_PAUSE_S,
    READER_FAILURES,
    REFUSALS_S,
    Policy,
    Trigger,
)
from terminal.core.table import Outputs, advance, is_due, row
from terminal.core.values import (
    ConsentState,
    Hint,
    Holder,
    Moment,
    Outcome,
    PersonId,
    Reason,
    TrackId,
    View,
    Way,
)


class AccessPhase(Enum):
    """Where the transaction at the terminal stands."""

    IDLE = "idle"
    ASKED = "asked"
    PROMPTED = "prompted"
    SCANNING = "scanning"
    GRANTED = "granted"
    REFUSED = "refused"
    DECLINED = "declined"


P = AccessPhase
ANY = tuple(AccessPhase)
UNDECLINED = tuple(phase for phase in AccessPhase if phase is not P.DECLINED)
FACE_PHASES = (P.ASKED, P.PROMPTED, P.SCANNING)


@dataclass(frozen=True, slots=True)
class AccessState:
    """`number`, `way` and `began_s` describe the transaction; `is_running` whether it has ended.

    `in_view` is the track that stands ready in the zone now, `spent` the one that had its one
    scan; `must_clear` forbids a scan until the zone was seen empty. Deadlines are mono s: of the
    phase, of a decline that everyone left, of a decline at the latest, of the pause of the face.
    """

    phase: AccessPhase = AccessPhase.IDLE
    number: int = 0
    way: Way = Way.FACE
    began_s: float = 0.0
    is_running: bool = False
    track: TrackId | None = None
    in_view: TrackId | None = None
    spent: TrackId | None = None
    must_clear: bool = False
    hint: Hint | None = None
    reason: Reason | None = None
    until_s: float | None = None
    clear_s: float | None = None
    last_s: float | None = None
    face_failures: int = 0
    paused_until_s: float | None = None
    reader_failures: tuple[tuple[str, int], ...] = ()
    reader_noted_s: tuple[tuple[str, float], ...] = ()


Step = tuple[AccessState, Outputs]


def deadlines(state: AccessState) -> tuple[float | None, ...]:
    """All moments (mono s) at which this table wants `TimePassed`."""
    return state.until_s, state.clear_s, state.last_s, state.paused_until_s


def step(state: AccessState, event: Event, policy: Policy) -> Step:
    """One event for the transaction at the terminal."""
    return advance(TABLE, _looked(state, event), event, policy)


def _looked(state: AccessState, event: Event) -> AccessState:
    """What is noticed in every phase, beside whatever the table does with the event.

    Tracks are forgotten when the face goes off: vision numbers them anew when it looks again.
    """
    match event:
        case ZoneSeen():
            return replace(state, in_view=event.track if event.view is View.READY else None)
        case FaceWentOff():
            return replace(state, in_view=None, spent=None)
        case TimePassed() if is_due(state.paused_until_s, event.at.mono_s):
            return replace(state, paused_until_s=None)
        case _:
            return state


def refusal(holder: Holder | None, way: Way, at: Moment) -> Reason | None:
    """Why this holder may not come in this way now, or None when nothing speaks against it."""
    if holder is None:
        return Reason.NOT_RECOGNISED if way is Way.FACE else Reason.UNKNOWN_CARD
    if way is Way.FACE and holder.consent is not ConsentState.GIVEN:
        return Reason.NO_CONSENT
    return _refusal_by_date(holder, at)


def _refusal_by_date(holder: Holder, at: Moment) -> Reason | None:
    begin, end = holder.valid_from, holder.valid_until
    if begin is None and end is None:
        return None
    if not at.trusted:
        return Reason.CLOCK_UNTRUSTED
    too_early = begin is not None and at.utc < begin
    too_late = end is not None and at.utc >= end
    return Reason.NOT_VALID_NOW if too_early or too_late else None


# Guards


def walks_up(state: AccessState, event: ZoneSeen, policy: Policy) -> bool:
    return policy.trigger is Trigger.WALK_UP and _is_fresh(state)


def next_one_waits(state: AccessState, event: TimePassed, policy: Policy) -> bool:
    waits = policy.trigger is Trigger.WALK_UP and _is_fresh(state)
    return waits and time_is_up(state, event, policy)


def is_ready(state: AccessState, event: Event, policy: Policy) -> bool:
    return state.in_view is not None


def _is_fresh(state: AccessState) -> bool:
    return state.in_view is not None and state.in_view != state.spent and not state.must_clear


def zone_is_empty(state: AccessState, event: ZoneSeen, policy: Policy) -> bool:
    return event.view is View.EMPTY


def same_track(state: AccessState, event: ZoneSeen, policy: Policy) -> bool:
    return event.view is View.READY and event.track == state.track


def time_is_up(state: AccessState, event: TimePassed, policy: Policy) -> bool:
    return is_due(state.until_s, event.at.mono_s)


def decline_is_over(state: AccessState, event: TimePassed, policy: Policy) -> bool:
    ends = (state.until_s, state.clear_s, state.last_s)
    return any(is_due(end_s, event.at.mono_s) for end_s in ends)


def was_let_in(state: AccessState, event: DoorCycleEnded, policy: Policy) -> bool:
    return not state.is_running


def recognised(state: AccessState, event: FaceCompared, policy: Policy) -> bool:
    mine = event.track == state.track
    return mine and refusal(event.holder, Way.FACE, event.at) is None


def not_recognised(state: AccessState, event: FaceCompared, policy: Policy) -> bool:
    return event.track == state.track


def last_failure(state: AccessState, event: FaceCompared, policy: Policy) -> bool:
    return event.track == state.track and state.face_failures + 1 >= FACE_FAILURES


def card_is_good(state: AccessState, event: CredentialPresented, policy: Policy) -> bool:
    return refusal(event.holder, Way.CARD, event.at) is None


def quiet(state: AccessState, event: PresenceChanged, policy: Policy) -> bool:
    return not event.present


# Actions


def prompt(state: AccessState, event: Event, policy: Policy) -> Step:
    ended = _ended(state, event.at, Outcome.ABANDONED)
    begun = _begun(state, event.at, Way.FACE)
    until_s = event.at.mono_s + policy.dwell_s
    prompted = replace(begun, track=state.in_view, hint=None, until_s=until_s)
    return prompted, (*ended, Play(Sound.PROMPT))


def ask(state: AccessState, event: FaceAsked, policy: Policy) -> Step:
    begun = replace(_begun(state, event.at, Way.FACE), must_clear=False)
    return replace(begun, track=state.in_view, until_s=event.at.mono_s + policy.scan_s), ()


def scan(state: AccessState, event: Event, policy: Policy) -> Step:
    track = state.in_view if state.track is None else state.track
    return replace(state, track=track, hint=None, until_s=event.at.mono_s + policy.scan_s), ()


def note_zone(state: AccessState, event: ZoneSeen, policy: Policy) -> Step:
    return replace(state, hint=event.hint), ()


def note_empty(state: AccessState, event: ZoneSeen, policy: Policy) -> Step:
    return replace(state, hint=None, must_clear=False, spent=None), ()


def await_empty(state: AccessState, event: EnrolmentEnded, policy: Policy) -> Step:
    return replace(state, must_clear=True), ()


def note_hint(state: AccessState, event: CaptureHindered, policy: Policy) -> Step:
    return replace(state, hint=event.hint), ()


def give_up(state: AccessState, event: ZoneSeen, policy: Policy) -> Step:
    after = replace(_over(state), hint=event.hint)
    return after, _ended(state, event.at, Outcome.ABANDONED)


def end_unseen(state: AccessState, event: Event, policy: Policy) -> Step:
    return replace(_over(state), hint=None), _ended(state, event.at, Outcome.ABANDONED)


def let_in_by_face(state: AccessState, event: FaceCompared, policy: Policy) -> Step:
    assert event.holder is not None, "guarded by `recognised`"
    asked = StrikeAsked(event.at, Way.FACE, event.holder.person)
    after = replace(_granted(state, event.at, policy), spent=state.track, face_failures=0)
    return after, (asked, Play(Sound.GRANTED), *_ended(state, event.at, Outcome.GRANTED))


def refuse_face(state: AccessState, event: FaceCompared, policy: Policy) -> Step:
    reason = refusal(event.holder, Way.FACE, event.at) or Reason.NOT_RECOGNISED
    person = event.holder.person if event.holder else None
    failed = replace(state, face_failures=state.face_failures + 1)
    return _face_refused(failed, event.at, policy, reason, person)


def refuse_and_pause(state: AccessState, event: FaceCompared, policy: Policy) -> Step:
    after, outputs = refuse_face(state, event, policy)
    paused_until_s = event.at.mono_s + FACE_PAUSE_S
    paused = replace(after, face_failures=0, paused_until_s=paused_until_s)
    return paused, (*outputs, Record(Kind.FACE_PAUSED, event.at, way=Way.FACE))


def refuse_unseen(state: AccessState, event: TimePassed, policy: Policy) -> Step:
    return _face_refused(state, event.at, policy, Reason.NO_GOOD_FRAME, None)


def let_in_by_card(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    begun, ended = _card_begins(state, event)
    done = replace(_card_done(begun, event, policy), spent=_spent(state))
    return done, (*ended, *_card_grant(begun, event))


def let_in_declined(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    begun = state if state.is_running else _begun(state, event.at, Way.CARD)
    calm = replace(_heard(begun, event.reader, 0), reason=None, is_running=False)
    return replace(calm, until_s=None), _card_grant(begun, event)


def refuse_card(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    begun, ended = _card_begins(state, event)
    counted, refused = _card_refused(begun, event)
    over = replace(_over(counted), until_s=event.at.mono_s + policy.refused_show_s)
    last = _ended(begun, event.at, Outcome.REFUSED)
    return replace(over, spent=_spent(state)), (*ended, *refused, *last)


def refuse_declined(state: AccessState, event: CredentialPresented, policy: Policy) -> Step:
    return _card_refused(state, event)


def decline(state: AccessState, event: ButtonPressed, policy: Policy) -> Step:
    ended = _ended(state, event.at, Outcome.DECLINED)
    begun = replace(_begun(state, event.at, Way.CARD), must_clear=True, reason=None)
    last_s = event.at.mono_s + policy.decline_max_s
    after = replace(begun, track=None, hint=None, until_s=None, last_s=last_s)
    return after, (*ended, Record(Kind.DECLINED, event.at))


def decline_again(state: AccessState, event: ButtonPressed, policy: Policy) -> Step:
    last_s = event.at.mono_s + policy.decline_max_s
    return replace(state, until_s=None, clear_s=None, last_s=last_s), ()


def wait_after_door(state: AccessState, event: DoorCycleEnded, policy: Policy) -> Step:
    return replace(state, until_s=event.at.mono_s + policy.decline_hold_s), ()


def wait_for_clear(state: AccessState, event: PresenceChanged, policy: Policy) -> Step:
    return replace(state, clear_s=event.at.mono_s + policy.decline_clear_s), ()


def wait_on(state: AccessState, event: PresenceChanged, policy: Policy) -> Step:
    return replace(state, clear_s=None), ()


def end_decline(state: AccessState, event: TimePassed, policy: Policy) -> Step:
    ended = _ended(state, event.at, Outcome.ABANDONED)
    return replace(_over(state), must_clear=True, reason=None), ended


def end_show(state: AccessState, event: TimePassed, policy: Policy) -> Step:
    return replace(_over(state), reason=None), ()


def _begun(state: AccessState, at: Moment, way: Way) -> AccessState:
    return replace(
        state, number=state.number + 1, way=way, began_s=at.mono_s, is_running=True, reason=None
    )


def _over(state: AccessState) -> AccessState:
    return replace(state, is_running=False, track=None, until_s=None, clear_s=None, last_s=None)


def _ended(state: AccessState, at: Moment, outcome: Outcome) -> tuple[Effect, ...]:
    if not state.is_running:
        return ()
    took_s = at.mono_s - state.began_s
    return (TransactionEnded(state.number, state.way, outcome, took_s),)


def _spent(state: AccessState) -> TrackId | None:
    """The track that gets no scan any more: whoever was prompted has used a card instead."""
    return state.spent if state.track is None else state.track


def _granted(state: AccessState, at: Moment, policy: Policy) -> AccessState:
    return replace(_over(state), reason=None, hint=None, until_s=at.mono_s + policy.granted_show_s)


def _face_refused(
    state: AccessState, at: Moment, policy: Policy, reason: Reason, person: PersonId | None
) -> Step:
    shown = replace(_over(state), reason=reason, until_s=at.mono_s + policy.refused_show_s)
    record = Record(Kind.REFUSED, at, person=person, way=Way.FACE, reason=reason)
    ended = _ended(state, at, Outcome.REFUSED)
    return replace(shown, spent=state.track), (record, Play(Sound.REFUSED), *ended)


def _card_begins(
    state: AccessState, event: CredentialPresented
) -> tuple[AccessState, tuple[Effect, ...]]:
    ended = _ended(state, event.at, Outcome.ABANDONED)
    return _begun(state, event.at, Way.CARD), ended


def _card_done(state: AccessState, event: CredentialPresented, policy: Policy) -> AccessState:
    return _heard(_granted(state, event.at, policy), event.reader, 0)


def _card_grant(state: AccessState, event: CredentialPresented) -> Outputs:
    assert event.holder is not None, "guarded by `card_is_good`"
    asked = StrikeAsked(event.at, Way.CARD, event.holder.person, event.reader)
    return asked, Play(Sound.GRANTED), *_ended(state, event.at, Outcome.GRANTED)


def _card_refused(
    state: AccessState, event: CredentialPresented
) -> tuple[AccessState, tuple[Effect, ...]]:
    why = refusal(event.holder, Way.CARD, event.at) if event.is_checked else Reason.CANT_CHECK
    failures = dict(state.reader_failures).get(event.reader, 0) + 1
    counted = replace(_heard(state, event.reader, failures), reason=why)
    after, records = _refusal_noted(counted, event, failures)
    return after, (*records, *_reader_alarm(event, failures), Play(Sound.REFUSED))


def _refusal_noted(
    state: AccessState, event: CredentialPresented, failures: int
) -> tuple[AccessState, tuple[Effect, ...]]:
    """Each refused card is a record; past the alarm one a second is, with how many there were.

    A reader never pauses (D13), so a keyboard in its place could fill the disk otherwise.
    """
    noted_s = dict(state.reader_noted_s)
    too_soon = event.at.mono_s - noted_s.get(event.reader, -REFUSALS_S) < REFUSALS_S
    if failures > READER_FAILURES and too_soon:
        return state, ()
    times = tuple(sorted({**noted_s, event.reader: event.at.mono_s}.items()))
    counted = (("failures", str(failures)),) if failures > READER_FAILURES else ()
    record = Record(
        Kind.REFUSED,
        event.at,
        person=event.holder.person if event.holder else None,
        way=Way.CARD,
        reason=state.reason,
        facts=(("reader", event.reader), *counted),
    )
    return replace(state, reader_noted_s=times), (record,)


def _reader_alarm(event: CredentialPresented, failures: int) -> tuple[Effect, ...]:
    if failures != READER_FAILURES:
        return ()
    facts = (("reader", event.reader), ("failures", str(failures)))
    return Record(Kind.READER_ALARM, event.at, way=Way.CARD, facts=facts), Play(Sound.ALARM)


def _heard(state: AccessState, reader: str, failures: int) -> AccessState:
    """The state with this reader's refused cards in a row set; a good card sets them to none."""
    counts = {**dict(state.reader_failures), reader: failures}
    return replace(state, reader_failures=tuple(sorted(counts.items())))


TABLE = (
    row(P.IDLE, ZoneSeen, P.PROMPTED, prompt, when=walks_up),
    row(P.IDLE, FaceAsked, P.SCANNING, ask, when=is_ready),
    row(P.IDLE, FaceAsked, P.ASKED, ask),
    row(P.ASKED, ZoneSeen, P.SCANNING, scan, when=is_ready),
    row(P.ASKED, TimePassed, P.IDLE, end_unseen, when=time_is_up),
    row(P.PROMPTED, ZoneSeen, None, note_zone, when=same_track),
    row(P.PROMPTED, ZoneSeen, None, prompt, when=walks_up),
    row(P.PROMPTED, ZoneSeen, P.IDLE, give_up),
    row(P.PROMPTED, FaceAsked, P.SCANNING, scan),
    row(P.PROMPTED, TimePassed, P.SCANNING, scan, when=time_is_up),
    row(P.SCANNING, ZoneSeen, None, note_zone, when=same_track),
    row(P.SCANNING, ZoneSeen, P.PROMPTED, prompt, when=walks_up),
    row(P.SCANNING, ZoneSeen, P.IDLE, give_up),
    row(P.SCANNING, CaptureHindered, None, note_hint),
    row(P.SCANNING, FaceCompared, P.GRANTED, let_in_by_face, when=recognised),
    row(P.SCANNING, FaceCompared, P.REFUSED, refuse_and_pause, when=last_failure),
    row(P.SCANNING, FaceCompared, P.REFUSED, refuse_face, when=not_recognised),
    row(P.SCANNING, TimePassed, P.REFUSED, refuse_unseen, when=time_is_up),
    row(FACE_PHASES, FaceWentOff, P.IDLE, end_unseen),
    row(UNDECLINED, CredentialPresented, P.GRANTED, let_in_by_card, when=card_is_good),
    row(UNDECLINED, CredentialPresented, P.REFUSED, refuse_card),
    row(UNDECLINED, ButtonPressed, P.DECLINED, decline),
    row((P.GRANTED, P.REFUSED), TimePassed, P.PROMPTED, prompt, when=next_one_waits),
    row((P.GRANTED, P.REFUSED), TimePassed, P.IDLE, end_show, when=time_is_up),
    row(P.DECLINED, CredentialPresented, None, let_in_declined, when=card_is_good),
    row(P.DECLINED, CredentialPresented, None, refuse_declined),
    row(P.DECLINED, ButtonPressed, None, decline_again),
    row(P.DECLINED, DoorCycleEnded, None, wait_after_door, when=was_let_in),
    row(P.DECLINED, PresenceChanged, None, wait_for_clear, when=quiet),
    row(P.DECLINED, PresenceChanged, None, wait_on),
    row(P.DECLINED, TimePassed, P.IDLE, end_decline, when=decline_is_over),
    row(ANY, EnrolmentEnded, None, await_empty),
    row(ANY, ZoneSeen, None, note_empty, when=zone_is_empty),
    row(ANY, ZoneSeen, None, note_zone),
)
