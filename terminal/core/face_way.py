"""Coming in by one's face: the prompt, the one scan, and what came of it.

A scan begins when exactly one person stands in the zone and has stayed for the dwell time (D1), or
has asked for it. One track has one scan. Five failures pause the face, and nothing else (D13).
Where a card has said who somebody is, the face is compared with that person's alone, once.

What changes with this file: the rows of `access` that begin with a face, docs/states.md.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.core.admission import Second, face_refusal
from terminal.core.credential_way import FOREIGN
from terminal.core.effects import Kind, Play, Record, Sound
from terminal.core.events import (
    CaptureHindered,
    EnrolmentEnded,
    Event,
    FaceAsked,
    FaceCompared,
    FaceWentOff,
    StrikeAsked,
    TimePassed,
    ZoneSeen,
)
from terminal.core.letting_in import finished, passback_told
from terminal.core.policy import FACE_FAILURES, FACE_PAUSE_S, Policy, Trigger
from terminal.core.table import is_due
from terminal.core.transaction import (
    AccessState,
    Step,
    barred,
    begun,
    ended,
    granted,
    not_away,
    over,
    refused,
)
from terminal.core.values import ConsentState, Moment, Outcome, PersonId, Reason, View, Way

# Guards


def walks_up(state: AccessState, event: ZoneSeen, policy: Policy) -> bool:
    return policy.trigger is Trigger.WALK_UP and _is_fresh(state)


def walks_up_past_a_code(state: AccessState, event: ZoneSeen, policy: Policy) -> bool:
    """What is shown is only that some code in the picture is no pass: nobody waits for that."""
    return state.reason in FOREIGN and walks_up(state, event, policy)


def next_one_waits(state: AccessState, event: TimePassed, policy: Policy) -> bool:
    waits = policy.trigger is Trigger.WALK_UP and _is_fresh(state)
    return waits and is_due(state.until_s, event.at.mono_s)


def is_ready(state: AccessState, event: Event, policy: Policy) -> bool:
    return state.in_view is not None


def _is_fresh(state: AccessState) -> bool:
    stands = state.in_view is not None and state.in_view != state.spent
    return stands and not state.must_clear


def sign_is_coming(state: AccessState, event: FaceWentOff, policy: Policy) -> bool:
    """Whoever has just asked for the face waits until the sign is lit; nobody is looked at yet."""
    return event.for_the_sign


def zone_is_empty(state: AccessState, event: ZoneSeen, policy: Policy) -> bool:
    return event.view is View.EMPTY


def same_track(state: AccessState, event: ZoneSeen, policy: Policy) -> bool:
    return event.view is View.READY and event.track == state.track


def recognised(state: AccessState, event: FaceCompared, policy: Policy) -> bool:
    return event.track == state.track and _refusal(state, event, policy) is None


def not_recognised(state: AccessState, event: FaceCompared, policy: Policy) -> bool:
    return event.track == state.track


def last_failure(state: AccessState, event: FaceCompared, policy: Policy) -> bool:
    return event.track == state.track and state.face_failures + 1 >= FACE_FAILURES


def is_verified(state: AccessState, event: FaceCompared, policy: Policy) -> bool:
    pending, holder = state.pending, event.holder
    if pending is None or holder is None or not _is_of_pending(state, event):
        return False
    return holder.person == pending.person and holder.consent is ConsentState.GIVEN


def is_of_second(state: AccessState, event: FaceCompared, policy: Policy) -> bool:
    return _is_of_pending(state, event)


def _is_of_pending(state: AccessState, event: FaceCompared) -> bool:
    wanted = state.pending is not None and state.pending.wants_face
    return wanted and event.track == state.in_view


def _refusal(state: AccessState, event: FaceCompared, policy: Policy) -> Reason | None:
    return face_refusal(event.holder, event.at, policy) or barred(state, event.holder)


# Actions


def prompt(state: AccessState, event: Event, policy: Policy) -> Step:
    last = ended(state, event.at, Outcome.ABANDONED)
    until_s = event.at.mono_s + policy.dwell_s
    new = begun(state, event.at, Way.FACE)
    return replace(new, track=state.in_view, hint=None, until_s=until_s), (
        *last,
        Play(Sound.PROMPT),
    )


def ask(state: AccessState, event: FaceAsked, policy: Policy) -> Step:
    new = replace(not_away(begun(state, event.at, Way.FACE)), must_clear=False)
    return replace(new, track=state.in_view, until_s=event.at.mono_s + policy.scan_s), ()


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
    return replace(over(state), hint=event.hint), ended(state, event.at, Outcome.ABANDONED)


def end_unseen(state: AccessState, event: Event, policy: Policy) -> Step:
    return replace(over(state), hint=None), ended(state, event.at, Outcome.ABANDONED)


def let_in_by_face(state: AccessState, event: FaceCompared, policy: Policy) -> Step:
    holder = event.holder
    assert holder is not None, "guarded by `recognised`"
    asked = StrikeAsked(event.at, Way.FACE, holder.person)
    told = passback_told(event.at, holder, Way.FACE)
    after = replace(granted(state, event.at, policy), spent=state.track, face_failures=0)
    last = ended(state, event.at, Outcome.GRANTED)
    return after, (*told, asked, Play(Sound.GRANTED), *last)


def refuse_face(state: AccessState, event: FaceCompared, policy: Policy) -> Step:
    reason = _refusal(state, event, policy) or Reason.NOT_RECOGNISED
    person = event.holder.person if event.holder else None
    failed = replace(state, face_failures=state.face_failures + 1)
    return _face_refused(failed, event.at, policy, reason, person)


def refuse_and_pause(state: AccessState, event: FaceCompared, policy: Policy) -> Step:
    after, outputs = refuse_face(state, event, policy)
    return _paused(after, event.at), (*outputs, Record(Kind.FACE_PAUSED, event.at, way=Way.FACE))


def refuse_unseen(state: AccessState, event: TimePassed, policy: Policy) -> Step:
    return _face_refused(state, event.at, policy, Reason.NO_GOOD_FRAME, None)


def let_in_by_both(state: AccessState, event: FaceCompared, policy: Policy) -> Step:
    assert state.pending is not None, "guarded by `is_verified`"
    pending = replace(state.pending, way=Way.CARD_FACE)
    seen = replace(state, face_failures=0, steps=state.steps + 1)
    return finished(seen, pending, event.at, policy)


def ask_for_pin(state: AccessState, event: FaceCompared, policy: Policy) -> Step:
    """One try: from here on the PIN is what is left."""
    pending = state.pending
    assert pending is not None, "guarded by `is_of_second`"
    record = Record(Kind.REFUSED, event.at, pending.person, Way.CARD_FACE, Reason.NOT_RECOGNISED)
    now_s = event.at.mono_s
    until_s = now_s + policy.second_wait_s
    failed = replace(
        state,
        face_failures=state.face_failures + 1,
        pending=replace(pending, wants=Second.PIN, since_s=now_s, until_s=until_s),
        reason=Reason.NOT_RECOGNISED,
    )
    if failed.face_failures < FACE_FAILURES:
        return failed, (record, Play(Sound.REFUSED))
    paused = Record(Kind.FACE_PAUSED, event.at, way=Way.FACE)
    return _paused(failed, event.at), (record, paused, Play(Sound.REFUSED))


def _paused(state: AccessState, at: Moment) -> AccessState:
    return replace(state, face_failures=0, paused_until_s=at.mono_s + FACE_PAUSE_S)


def _face_refused(
    state: AccessState, at: Moment, policy: Policy, reason: Reason, person: PersonId | None
) -> Step:
    shown = replace(refused(state, at, policy, reason), hint=state.hint, spent=state.track)
    record = Record(Kind.REFUSED, at, person=person, way=Way.FACE, reason=reason)
    return shown, (record, Play(Sound.REFUSED), *ended(state, at, Outcome.REFUSED))
