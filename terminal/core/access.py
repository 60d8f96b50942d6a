"""Who comes in: one transaction at a time, by face or another way, and the way out of the face.

A face transaction begins when exactly one person stands in the zone, and is embedded only after
the dwell (D1) unless that person asked for it; any credential, any decline and any doubt ends it
first. A credential is heard in every phase. A decline ends as D9 says, and neither it nor an
enrolment is followed by a scan of whoever still stands there, unless that person asks for it. This
table asks the door; it never touches the strike (law 5). What the rows do stands in `face_way`,
`credential_way`, `pin_way` and, for declining, here.

What changes with this file: `docs/states.md`, the prompts on the screen, the figures of parity.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.core.admission import Second
from terminal.core.credential_way import (
    ask_second,
    bars_the_holder,
    is_foreign,
    is_foreign_outside,
    is_in_hand,
    is_inside,
    is_spending,
    leave_alone,
    leaves,
    let_in_by_credential,
    let_in_by_pass,
    let_out,
    needs_second,
    note_bar,
    note_foreign,
    opens_at_once,
    opens_once_spent,
    refuse_barred,
    refuse_credential,
    refuse_exit,
    refuse_unanswered,
    refuse_unspent,
    show_foreign,
    spend,
    waiting_is_over,
    was_spent,
)
from terminal.core.effects import Kind, Record
from terminal.core.events import (
    CaptureHindered,
    CredentialPresented,
    DeclineSaid,
    DoorBarred,
    DoorCycleEnded,
    EnrolmentEnded,
    Event,
    FaceAsked,
    FaceCompared,
    FaceWentOff,
    PassSpent,
    PinChecked,
    PinTyped,
    PresenceChanged,
    TimePassed,
    ZoneSeen,
)
from terminal.core.face_way import (
    ask,
    ask_for_pin,
    await_empty,
    end_unseen,
    give_up,
    is_of_second,
    is_ready,
    is_verified,
    last_failure,
    let_in_by_both,
    let_in_by_face,
    next_one_waits,
    not_recognised,
    note_empty,
    note_hint,
    note_zone,
    prompt,
    recognised,
    refuse_and_pause,
    refuse_face,
    refuse_unseen,
    same_track,
    scan,
    sign_is_coming,
    walks_up,
    walks_up_past_a_code,
    zone_is_empty,
)
from terminal.core.pin_way import (
    accept_pin,
    check_pin,
    count_wrong_pin,
    is_busy,
    is_too_soon,
    last_wrong_pin,
    may_type,
    note_pin_alone,
    note_wrong_pin,
    pin_cant_be_checked,
    pin_opens,
    pin_opens_once_spent,
    refuse_pin,
    refuse_pin_alone,
    refuse_too_soon,
    refuse_unchecked_pin,
    wrong_pin,
    wrong_pin_of_before,
)
from terminal.core.policy import Policy
from terminal.core.table import advance, is_due, row
from terminal.core.transaction import (
    ANY,
    FACE_PHASES,
    UNDECLINED,
    AccessState,
    P,
    Pending,
    Step,
    begun,
    ended,
    has_left,
    is_served,
    looked,
    not_away,
    over,
)
from terminal.core.values import Outcome, Way


def step(state: AccessState, event: Event, policy: Policy) -> Step:
    """One event for the transaction at the terminal."""
    return advance(TABLE, looked(state, event, policy), event, policy)


# Guards


def time_is_up(state: AccessState, event: TimePassed, policy: Policy) -> bool:
    return is_due(state.until_s, event.at.mono_s)


def decline_is_over(state: AccessState, event: TimePassed, policy: Policy) -> bool:
    """Not while somebody is being served: the decline then lasts as long as that does."""
    now_s = event.at.mono_s
    return not is_served(state) and (is_due(state.until_s, now_s) or has_left(state, now_s))


def was_let_in(state: AccessState, event: DoorCycleEnded, policy: Policy) -> bool:
    """The door's cycle is that of whoever declined, not of somebody who leaves meanwhile."""
    return state.awaits_door


def quiet(state: AccessState, event: PresenceChanged, policy: Policy) -> bool:
    return not event.present


# Actions


def decline(state: AccessState, event: DeclineSaid, policy: Policy) -> Step:
    last = ended(state, event.at, Outcome.DECLINED)
    new = replace(begun(state, event.at, Way.CARD), must_clear=True)
    after = replace(not_away(new), track=None, hint=None, until_s=None)
    return _until_the_latest(after, event, policy), (*last, Record(Kind.DECLINED, event.at))


def decline_second(state: AccessState, event: DeclineSaid, policy: Policy) -> Step:
    """The credential stays good: only its holder's face is not wanted any more."""
    assert state.pending is not None, "this phase has one"
    pending = _without_face(state.pending)
    same = replace(not_away(state), pending=pending, must_clear=True, steps=state.steps + 1)
    return _until_the_latest(same, event, policy), (Record(Kind.DECLINED, event.at),)


def decline_again(state: AccessState, event: DeclineSaid, policy: Policy) -> Step:
    return _until_the_latest(replace(state, until_s=None, clear_s=None), event, policy), ()


def _until_the_latest(state: AccessState, event: Event, policy: Policy) -> AccessState:
    return replace(state, last_s=event.at.mono_s + policy.decline_max_s)


def _without_face(pending: Pending) -> Pending:
    return replace(pending, wants=Second.PIN) if pending.wants_face else pending


def wait_after_door(state: AccessState, event: DoorCycleEnded, policy: Policy) -> Step:
    return replace(state, until_s=event.at.mono_s + policy.decline_hold_s), ()


def wait_for_clear(state: AccessState, event: PresenceChanged, policy: Policy) -> Step:
    return replace(state, clear_s=event.at.mono_s + policy.decline_clear_s), ()


def wait_on(state: AccessState, event: PresenceChanged, policy: Policy) -> Step:
    return replace(state, clear_s=None), ()


def end_decline(state: AccessState, event: TimePassed, policy: Policy) -> Step:
    last = ended(state, event.at, Outcome.ABANDONED)
    return replace(not_away(over(state)), must_clear=True, reason=None), last


def end_show(state: AccessState, event: TimePassed, policy: Policy) -> Step:
    return replace(over(state), reason=None), ()


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
    row((P.SCANNING, P.PENDING), CaptureHindered, None, note_hint),
    row(P.SCANNING, FaceCompared, P.GRANTED, let_in_by_face, when=recognised),
    row(P.SCANNING, FaceCompared, P.REFUSED, refuse_and_pause, when=last_failure),
    row(P.SCANNING, FaceCompared, P.REFUSED, refuse_face, when=not_recognised),
    row(P.SCANNING, TimePassed, P.REFUSED, refuse_unseen, when=time_is_up),
    row(P.ASKED, FaceWentOff, None, leave_alone, when=sign_is_coming),
    row(FACE_PHASES, FaceWentOff, P.IDLE, end_unseen),
    row(P.IDLE, CredentialPresented, P.REFUSED, show_foreign, when=is_foreign_outside),
    row(P.DECLINED, CredentialPresented, None, note_foreign, when=is_foreign_outside),
    row(ANY, CredentialPresented, None, leave_alone, when=is_foreign),
    row(P.REFUSED, ZoneSeen, P.PROMPTED, prompt, when=walks_up_past_a_code),
    row(ANY, CredentialPresented, None, let_out, when=leaves),
    row(ANY, CredentialPresented, None, refuse_exit, when=is_inside),
    row(ANY, CredentialPresented, None, leave_alone, when=is_in_hand),
    row(UNDECLINED, CredentialPresented, P.GRANTED, let_in_by_credential, when=opens_at_once),
    row(UNDECLINED, CredentialPresented, P.PENDING, spend, when=opens_once_spent),
    row(UNDECLINED, CredentialPresented, P.PENDING, ask_second, when=needs_second),
    row(UNDECLINED, CredentialPresented, P.REFUSED, refuse_credential),
    row(P.DECLINED, CredentialPresented, None, let_in_by_credential, when=opens_at_once),
    row(P.DECLINED, CredentialPresented, None, spend, when=opens_once_spent),
    row(P.DECLINED, CredentialPresented, None, ask_second, when=needs_second),
    row(P.DECLINED, CredentialPresented, None, refuse_credential),
    row((P.PENDING, P.DECLINED), PinTyped, None, check_pin, when=may_type),
    row(P.PENDING, PinTyped, P.REFUSED, refuse_too_soon, when=is_too_soon),
    row(P.DECLINED, PinTyped, None, refuse_too_soon, when=is_too_soon),
    row((P.PENDING, P.DECLINED), PinTyped, None, leave_alone, when=is_busy),
    row(P.DECLINED, PinTyped, None, note_pin_alone),
    row(UNDECLINED, PinTyped, P.REFUSED, refuse_pin_alone),
    row((P.PENDING, P.DECLINED), PinChecked, None, accept_pin, when=pin_opens_once_spent),
    row(P.PENDING, PinChecked, P.GRANTED, accept_pin, when=pin_opens),
    row(P.DECLINED, PinChecked, None, accept_pin, when=pin_opens),
    row(P.PENDING, PinChecked, P.REFUSED, refuse_unchecked_pin, when=pin_cant_be_checked),
    row(P.DECLINED, PinChecked, None, refuse_unchecked_pin, when=pin_cant_be_checked),
    row(P.PENDING, PinChecked, P.REFUSED, refuse_pin, when=last_wrong_pin),
    row(P.DECLINED, PinChecked, None, refuse_pin, when=last_wrong_pin),
    row((P.PENDING, P.DECLINED), PinChecked, None, note_wrong_pin, when=wrong_pin),
    row(ANY, PinChecked, None, count_wrong_pin, when=wrong_pin_of_before),
    row(P.PENDING, PassSpent, P.GRANTED, let_in_by_pass, when=was_spent),
    row(P.PENDING, PassSpent, P.REFUSED, refuse_unspent, when=is_spending),
    row(P.DECLINED, PassSpent, None, let_in_by_pass, when=was_spent),
    row(P.DECLINED, PassSpent, None, refuse_unspent, when=is_spending),
    row(P.PENDING, FaceCompared, P.GRANTED, let_in_by_both, when=is_verified),
    row(P.PENDING, FaceCompared, None, ask_for_pin, when=is_of_second),
    row(P.PENDING, TimePassed, P.REFUSED, refuse_unanswered, when=waiting_is_over),
    row(P.PENDING, DeclineSaid, P.DECLINED, decline_second),
    row(UNDECLINED, DeclineSaid, P.DECLINED, decline),
    row((P.GRANTED, P.REFUSED), TimePassed, P.PROMPTED, prompt, when=next_one_waits),
    row((P.GRANTED, P.REFUSED), TimePassed, P.IDLE, end_show, when=time_is_up),
    row(P.DECLINED, DeclineSaid, None, decline_again),
    row(P.DECLINED, DoorCycleEnded, None, wait_after_door, when=was_let_in),
    row(P.DECLINED, PresenceChanged, None, wait_for_clear, when=quiet),
    row(P.DECLINED, PresenceChanged, None, wait_on),
    row(P.DECLINED, TimePassed, None, refuse_unanswered, when=waiting_is_over),
    row(P.DECLINED, TimePassed, P.IDLE, end_decline, when=decline_is_over),
    row(P.PENDING, DoorBarred, P.REFUSED, refuse_barred, when=bars_the_holder),
    row(P.DECLINED, DoorBarred, None, refuse_barred, when=bars_the_holder),
    row(ANY, DoorBarred, None, note_bar),
    row(ANY, EnrolmentEnded, None, await_empty),
    row(ANY, ZoneSeen, None, note_empty, when=zone_is_empty),
    row(ANY, ZoneSeen, None, note_zone),
)
