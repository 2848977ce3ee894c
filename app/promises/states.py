"""What a delay notice, an answer, silence, a shipment or a missed day does to one line or unit group
(435.2(b), (c)).

Pure: `advance(state, event)` gives the next state and says in a word what the event did. Before an event is
judged, what had lapsed by then lapses. To keep a state, keep its events and `fold` them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from app.promises.rules import Clock, Zones
from app.promises.vocabulary import (
    BOUND_TO_R,
    LIVE,
    Bounced,
    CancelGranted,
    Cancellation,
    CancelRequested,
    Case,
    Completed,
    Consented,
    Dishonored,
    EffectSent,
    Event,
    Notice,
    NoticeKind,
    NoticeSent,
    Outcome,
    Phase,
    RefundProven,
    RiderOffered,
    Shipped,
    State,
    TimePassed,
    WillNotShip,
)

_LAPSES = frozenset({Case.NO_CONSENT, Case.REVISED_DATE_MISSED, Case.NO_OPTION_OFFERED})


@dataclass(frozen=True, slots=True)
class Step:
    state: State
    outcome: Outcome


def not_covered(zones: Zones) -> State:
    return State(Phase.NOT_COVERED, zones)


def incomplete(zones: Zones) -> State:
    return State(Phase.INCOMPLETE, zones)


def opened(clock: Clock) -> State:
    """The state of a line whose order was properly completed when its clock says."""
    return State(Phase.OPEN, clock.zones, clock)


def advance(state: State, event: Event) -> Step:
    """Apply one event. Raises nothing: an event that has no place is answered by its outcome and changes
    nothing."""
    if state.phase is Phase.NOT_COVERED:
        return Step(state, Outcome.NO_EFFECT)
    if _reported_late(state, event) and state.before_end is not None:
        step = advance(state.before_end, event)
        if step.outcome is Outcome.APPLIED:
            return Step(step.state, Outcome.CORRECTED)
    lapsed = _lapse(state, event.at)
    if isinstance(event, TimePassed):
        return Step(lapsed, Outcome.NO_EFFECT if lapsed is state else Outcome.APPLIED)
    return _HANDLERS[type(event)](lapsed, event)


def _reported_late(state: State, event: Event) -> bool:
    """Whether an event that took effect before the line ended was reported only after it: then it comes
    first.

    A cancellation is mended so while no void, refund or notice of it has gone out; afterwards it stands. At
    the same instant a buyer's cancellation comes before a shipment.
    """
    if state.phase is Phase.SHIPPED and state.shipped_at is not None:
        return isinstance(event, CancelRequested) and event.at <= state.shipped_at
    ended = state.cancellation
    if state.phase is not Phase.CANCELLED or ended is None or state.settled or event.at >= ended.vested_at:
        return False
    if isinstance(event, Shipped | CancelRequested):
        return True
    return ended.case in _LAPSES and isinstance(event, NoticeSent | Consented)


def fold(state: State, events: Iterable[Event]) -> State:
    for event in events:
        state = advance(state, event).state
    return state


# --- Notices ---


@dataclass(frozen=True, slots=True)
class NoticePlan:
    """The notice a state needs: its kind, the instant before which it must have left, and until when (day
    and first instant after it) an answer counts. The three are None for a mere message."""

    kind: NoticeKind
    send_by: datetime | None = None
    reply_day: date | None = None
    reply_by: datetime | None = None


def notice_kind(state: State, revised: date | None) -> NoticeKind:
    """The kind of notice that a new date (None: no date can be given) needs now.

    The 30 days are counted from the first T, never from a later date. A further notice in WAIT_EXPRESS stays
    of the first kind, and a date within T + 30 there needs no consent. Raises ValueError when no clock runs.
    """
    clock = state.clock
    if clock is None or state.phase not in LIVE:
        raise ValueError(f"a line that is {state.phase} needs no delay notice")
    if state.phase is Phase.CONSENT_INDEFINITE:
        return NoticeKind.INFORMATION
    if state.phase in BOUND_TO_R:
        later = revised is None or clock.end_of(revised) > clock.end_of(state.bound_by)
        return NoticeKind.RENEWED if later else NoticeKind.INFORMATION
    if revised is None:
        return NoticeKind.EXPRESS_INDEFINITE
    if revised > clock.express_by:
        return NoticeKind.EXPRESS_DEFINITE
    if state.phase is Phase.WAIT_EXPRESS or clock.end_of(revised) <= clock.deadline_at:
        return NoticeKind.INFORMATION
    return NoticeKind.SILENT_CONSENT


def plan_notice(state: State, revised: date | None) -> NoticePlan:
    """The notice to send for a new date, with its deadlines. Raises ValueError when no clock runs."""
    kind = notice_kind(state, revised)
    clock = state.clock
    if clock is None or kind is NoticeKind.INFORMATION:
        return NoticePlan(kind)
    if kind is NoticeKind.SILENT_CONSENT and revised is not None:
        reply_day, reply_by = revised, clock.end_of(revised)
    elif kind is NoticeKind.RENEWED:
        reply_day, reply_by = state.bound_by, clock.end_of(state.bound_by)
    else:
        reply_day, reply_by = clock.express_by, clock.express_at
    return NoticePlan(kind, state.expires_at, reply_day, reply_by)


def _notice_sent(state: State, event: NoticeSent) -> Step:
    if state.phase not in LIVE:
        return _refuse(state)
    if any(notice.event.key == event.key for notice in state.notices):
        return Step(state, Outcome.DUPLICATE)
    if state.notices and _same_words(state.notices[-1].event, event):
        return Step(state, Outcome.DUPLICATE)
    kind = notice_kind(state, event.revised)
    if kind is NoticeKind.INFORMATION:
        return Step(state, Outcome.INFORMATION)
    if event.defects or event.kind not in (None, kind):
        # Void as an option, yet the buyer was told of a choice: a cancellation that follows is honored.
        told = replace(state, offered=True)
        return Step(told, Outcome.DEFECTIVE if event.defects else Outcome.WRONG_KIND)
    reply_by = plan_notice(state, event.revised).reply_by or event.at
    notice = Notice(event, kind, event.rider, reply_by, before=state)
    after = replace(state, notices=(*state.notices, notice), offered=True)
    if kind is NoticeKind.RENEWED:
        return Step(replace(after, phase=Phase.WAIT_RENEWED), Outcome.APPLIED)
    phase = Phase.WAIT_SILENT if kind is NoticeKind.SILENT_CONSENT else Phase.WAIT_EXPRESS
    return Step(replace(after, phase=phase, revised=event.revised), Outcome.APPLIED)


def _same_words(one: NoticeSent, other: NoticeSent) -> bool:
    return (one.revised, one.rider) == (other.revised, other.rider)


def _rider_offered(state: State, event: RiderOffered) -> Step:
    if state.phase not in LIVE:
        return _refuse(state)
    at = _index(state, event.key)
    if at is None or state.notices[at].event.revised is None:
        return Step(state, Outcome.NO_EFFECT)
    notice = replace(state.notices[at], rider=event.rider)
    notices = (*state.notices[:at], notice, *state.notices[at + 1 :])
    return Step(replace(state, notices=notices), Outcome.APPLIED)


def _bounced(state: State, event: Bounced) -> Step:
    """A notice that did not arrive was not offered. Learned in time, another channel may still be used;
    learned late, the line is cancelled now, and the refund vests where the notice was due."""
    at = _index(state, event.key)
    if state.phase not in LIVE or at is None:
        return Step(state, Outcome.NO_EFFECT)
    later = state.notices[at:]
    if state.answered != later[0].before.answered:
        return Step(state, Outcome.NO_EFFECT)  # the buyer has agreed to something since, and that binds
    back = later[0].before
    for notice in later[1:]:
        back = advance(back, notice.event).state
    back = _lapse(back, event.at)
    if back.cancellation is not None:
        back = replace(back, cancellation=replace(back.cancellation, learned_at=event.at))
    return Step(back, Outcome.APPLIED)


# --- Answers ---


def _consented(state: State, event: Consented) -> Step:
    if state.phase not in LIVE:
        return _refuse(state)
    at = _index(state, event.key)
    if at is None:
        return Step(state, Outcome.NO_EFFECT if state.notices else Outcome.NO_OPTION)
    notice = state.notices[at]
    if event.to_rider and (notice.rider is None or notice.event.revised is None):
        return Step(state, Outcome.NO_OPTION)
    if not event.to_rider and event.at >= notice.reply_by:
        return Step(state, Outcome.NO_EFFECT)
    until = notice.rider.until if event.to_rider and notice.rider else notice.event.revised
    if not _widens(state, notice, until, event.to_rider):
        return Step(state, Outcome.DUPLICATE if notice.event.key in state.answered else Outcome.NO_EFFECT)
    phase = Phase.CONSENT_INDEFINITE if until is None else Phase.CONSENT_DEFINITE
    answered = state.answered | {notice.event.key}
    return Step(replace(state, phase=phase, revised=until, answered=answered), Outcome.APPLIED)


def _widens(state: State, notice: Notice, until: date | None, to_rider: bool) -> bool:
    """Whether a consent to this date changes anything. A click on an old notice never answers a newer
    question."""
    if state.phase is Phase.CONSENT_INDEFINITE:
        return False
    if until is None:
        return True
    if to_rider and notice.event.revised is not None and until <= notice.event.revised:
        return False
    if state.phase is Phase.WAIT_EXPRESS:
        return True
    if state.phase is Phase.WAIT_SILENT and not to_rider:
        return until == state.revised
    return until > state.bound_by


def _cancel_requested(state: State, event: CancelRequested) -> Step:
    if state.phase is Phase.INCOMPLETE or (state.phase is Phase.OPEN and not state.offered):
        return Step(state, Outcome.NO_OPTION)
    return _cancel(state, Case.BUYER, event.at)


def _cancel_granted(state: State, event: CancelGranted) -> Step:
    return _cancel(state, Case.SELLER, event.at)


def _will_not_ship(state: State, event: WillNotShip) -> Step:
    return _cancel(state, Case.SELLER, event.at)


def _cancel(state: State, case: Case, at: datetime) -> Step:
    if state.phase not in LIVE and state.phase is not Phase.INCOMPLETE:
        return _refuse(state)
    vests_on = state.zones.seller_day(at)
    return Step(_cancelled(state, Cancellation(case, vests_on, at, at)), Outcome.APPLIED)


# --- Time, payment, shipment, refund ---


def _lapse(state: State, now: datetime) -> State:
    """Cancel a line whose time has run out by `now`; the refund vests on the last day of the missed
    period."""
    expires_at = state.expires_at
    if expires_at is None or now < expires_at or state.clock is None:
        return state
    clock = state.clock
    if state.phase is Phase.OPEN:
        case, day = Case.NO_OPTION_OFFERED, clock.ship_by
    elif state.phase is Phase.WAIT_EXPRESS:
        case, day = Case.NO_CONSENT, clock.express_by
    else:
        case, day = Case.REVISED_DATE_MISSED, state.bound_by
    if clock.settings.vests_on == "next_day":
        day += timedelta(days=1)
    return _cancelled(state, Cancellation(case, day, expires_at, expires_at))


def _cancelled(state: State, cancellation: Cancellation) -> State:
    return replace(state, phase=Phase.CANCELLED, cancellation=cancellation, before_end=state)


def _completed(state: State, event: Completed) -> Step:
    if state.phase is not Phase.INCOMPLETE:
        return Step(state, Outcome.NO_EFFECT)
    return Step(_lapse(opened(event.clock), event.at), Outcome.APPLIED)


def _dishonored(state: State, event: Dishonored) -> Step:
    if state.phase not in LIVE:
        return Step(state, Outcome.NO_EFFECT)
    return Step(incomplete(state.zones), Outcome.APPLIED)


def _shipped(state: State, event: Shipped) -> Step:
    if state.phase is Phase.SHIPPED:
        return Step(state, Outcome.DUPLICATE)
    if state.phase not in LIVE and state.phase is not Phase.INCOMPLETE:
        return Step(state, Outcome.BLOCKED)
    after = replace(state, phase=Phase.SHIPPED, shipped_at=event.at, before_end=state)
    return Step(after, Outcome.APPLIED)


def _effect_sent(state: State, event: EffectSent) -> Step:
    if state.phase is not Phase.CANCELLED:
        return Step(state, Outcome.NO_EFFECT)
    return Step(replace(state, settled=True), Outcome.APPLIED)


def _refund_proven(state: State, event: RefundProven) -> Step:
    if state.phase is not Phase.CANCELLED:
        return Step(state, Outcome.NO_EFFECT)
    return Step(replace(state, phase=Phase.REFUNDED, settled=True), Outcome.APPLIED)


def _refuse(state: State) -> Step:
    if state.phase is Phase.SHIPPED:
        return Step(state, Outcome.ALREADY_SHIPPED)
    return Step(state, Outcome.NO_OPTION if state.phase is Phase.INCOMPLETE else Outcome.TOO_LATE)


def _index(state: State, key: str | None) -> int | None:
    """Place of the notice with that key (None: of the latest) among those in force."""
    if key is None:
        return len(state.notices) - 1 if state.notices else None
    return next((at for at, notice in enumerate(state.notices) if notice.event.key == key), None)


_HANDLERS: dict[type, Callable[..., Step]] = {
    Completed: _completed,
    Dishonored: _dishonored,
    NoticeSent: _notice_sent,
    RiderOffered: _rider_offered,
    Bounced: _bounced,
    Consented: _consented,
    CancelRequested: _cancel_requested,
    CancelGranted: _cancel_granted,
    WillNotShip: _will_not_ship,
    Shipped: _shipped,
    EffectSent: _effect_sent,
    RefundProven: _refund_proven,
}
