"""What a delay notice, an answer, silence, a shipment or a missed day does to one line or unit group
(435.2(b), (c)).

Pure: `advance(state, event)` gives the next state and says in a word what the event did. Before an event is
judged, what had lapsed by then lapses. To keep a state, keep its events and `fold` them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from app.promises.notice_kinds import NoticePlan, plan_notice
from app.promises.rules import Clock, Zones
from app.promises.vocabulary import (
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
    LaterDateAsked,
    Notice,
    NoticeKind,
    NoticeSent,
    Outcome,
    Phase,
    RefundProven,
    RiderOffered,
    Shipped,
    State,
    SubstitutionAgreed,
    TimePassed,
    WillNotShip,
)

_LAPSES = frozenset({Case.NO_CONSENT, Case.REVISED_DATE_MISSED, Case.NO_OPTION_OFFERED})
_KEEPS_FROM_LAPSING = (NoticeSent, Consented, LaterDateAsked, SubstitutionAgreed, Dishonored)


_FIRST_DEFINITE = frozenset({NoticeKind.SILENT_CONSENT, NoticeKind.EXPRESS_DEFINITE})


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
    return ended.case in _LAPSES and isinstance(event, _KEEPS_FROM_LAPSING)


def fold(state: State, events: Iterable[Event]) -> State:
    for event in events:
        state = advance(state, event).state
    return state


# --- Notices ---


def _notice_sent(state: State, event: NoticeSent) -> Step:
    if state.phase not in LIVE:
        return _refuse(state)
    if _index(state, event.key) is not None:
        return Step(state, Outcome.DUPLICATE)
    if state.notices and _same_words(state.notices[-1].event, event):
        return Step(_with_copy(state, event), Outcome.DUPLICATE)
    plan: NoticePlan = plan_notice(state, event.revised)
    kind = plan.kind
    if kind is NoticeKind.INFORMATION:
        return Step(state, Outcome.INFORMATION)
    if event.defects or event.kind not in (None, kind):
        # Void as an option, yet the buyer was told of a choice: a cancellation that follows is honored.
        told = state.changed(offered=True)
        return Step(told, Outcome.DEFECTIVE if event.defects else Outcome.WRONG_KIND)
    notice = Notice(event, kind, event.rider, plan.reply_by or event.at, before=state)
    after = state.changed(notices=(*state.notices, notice), offered=True)
    if kind is NoticeKind.RENEWED:
        return Step(after.changed(phase=Phase.WAIT_RENEWED), Outcome.APPLIED)
    phase = Phase.WAIT_SILENT if kind is NoticeKind.SILENT_CONSENT else Phase.WAIT_EXPRESS
    return Step(after.changed(phase=phase, revised=event.revised), Outcome.APPLIED)


def _same_words(one: NoticeSent, other: NoticeSent) -> bool:
    return (one.revised, one.rider) == (other.revised, other.rider)


def _with_copy(state: State, event: NoticeSent) -> State:
    """The latest notice went out once more, by another channel say: no second question, but an offer that
    stands when the first sending bounces."""
    latest = state.notices[-1]
    if event.defects or event.kind not in (None, latest.kind):
        return state
    copied = replace(latest, copies=(*latest.copies, event))
    return state.changed(notices=(*state.notices[:-1], copied))


def _rider_offered(state: State, event: RiderOffered) -> Step:
    if state.phase not in LIVE:
        return _refuse(state)
    at = _index(state, event.key)
    if at is None or state.notices[at].kind not in _FIRST_DEFINITE:
        return Step(state, Outcome.NO_EFFECT)
    notice = replace(state.notices[at], rider=event.rider)
    notices = (*state.notices[:at], notice, *state.notices[at + 1 :])
    return Step(state.changed(notices=notices), Outcome.APPLIED)


def _bounced(state: State, event: Bounced) -> Step:
    """A notice that did not arrive was not offered, unless a copy of it did. Learned in time, another channel
    may still be used; learned late, the line is canceled now, and the refund vests where the notice was due.
    A line that its silence has canceled already keeps its day of cancellation and gets the earlier day of
    vesting."""
    ended = state.cancellation
    live = state.before_end if ended is not None and ended.case in _LAPSES and not state.settled else state
    at = _index(live, event.key) if live is not None and live.phase in LIVE else None
    if live is None or at is None or live.answered != live.notices[at].before.answered:
        return Step(state, Outcome.NO_EFFECT)  # what the buyer agreed to since binds
    without = _without(live, at, event.key)
    back = _lapse(without, event.at)
    if back.cancellation is not None:
        learned_at = event.at if ended is None else ended.learned_at
        back = back.changed(cancellation=replace(back.cancellation, learned_at=learned_at))
    if ended is None:
        return Step(back, Outcome.APPLIED)
    if back.cancellation is None or back.cancellation.vests_on > ended.vests_on:
        return Step(state, Outcome.NO_EFFECT)
    if back.cancellation.vests_on == ended.vests_on:
        return Step(state.changed(before_end=back.before_end), Outcome.NO_EFFECT)
    return Step(back, Outcome.CORRECTED)


def _without(live: State, at: int, key: str) -> State:
    """The state had the notice at that place not gone out under that key: what was sent besides is judged
    anew."""
    bounced = live.notices[at]
    back = bounced.before.changed(notices=live.notices[:at], substitutes=live.substitutes)
    for notice in live.notices[at:]:
        for sent in (notice.event, *notice.copies):
            if sent.key != key:
                back = advance(back, replace(sent, rider=notice.rider)).state
    return back


# --- Answers ---


def _consented(state: State, event: Consented) -> Step:
    if state.phase not in LIVE:
        return _refuse(state)
    at = _index(state, event.key, event.at)
    if at is None:
        return Step(state, Outcome.NO_EFFECT if state.notices else Outcome.NO_OPTION)
    notice = state.notices[at]
    if event.to_rider and not _takes_rider(notice):
        return Step(state, Outcome.NO_OPTION)
    if not event.to_rider and event.at >= notice.reply_by:
        return Step(state, Outcome.NO_EFFECT)
    until = notice.rider.until if event.to_rider and notice.rider else _asked(state, at)
    if not _widens(state, notice, until, event.to_rider):
        return Step(state, Outcome.DUPLICATE if notice.event.key in state.answered else Outcome.NO_EFFECT)
    phase = Phase.CONSENT_INDEFINITE if until is None else Phase.CONSENT_DEFINITE
    answered = (*state.answered, notice.event.key)
    return Step(state.changed(phase=phase, revised=until, answered=answered), Outcome.APPLIED)


def _takes_rider(notice: Notice) -> bool:
    """435.2(b)(1)(iv) knows a rider only with a first option that gives a definite date."""
    return notice.rider is not None and notice.kind in _FIRST_DEFINITE


def _asked(state: State, at: int) -> date | None:
    """The date that a consent to this notice agrees to: its own, or that of a newer notice, if earlier. Who
    clicks on an old letter has not seen the later date, and is not held to more than the newest asks."""
    dates = [notice.event.revised for notice in state.notices[at:]]
    return min((day for day in dates if day is not None), default=None)


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
    """Telling the buyer is the cancellation's notice: nothing corrects it afterwards."""
    step = _cancel(state, Case.SELLER, event.at)
    if step.outcome is not Outcome.APPLIED:
        return step
    return Step(step.state.changed(settled=True), Outcome.APPLIED)


def _later_date_asked(state: State, event: LaterDateAsked) -> Step:
    if state.phase not in LIVE:
        return _refuse(state)
    return _move(state, event.ship_by, event.at)


def _substitution_agreed(state: State, event: SubstitutionAgreed) -> Step:
    if state.phase not in LIVE and state.phase is not Phase.INCOMPLETE:
        return _refuse(state)
    accepted = state.changed(substitutes=state.substitutes | {event.goods})
    moved = _move(accepted, event.ship_by, event.at) if event.ship_by and state.phase in LIVE else None
    return Step(moved.state if moved else accepted, Outcome.APPLIED)


def _move(state: State, day: date, at: datetime) -> Step:
    """A later day that the buyer chose becomes the stated time, and what was asked before falls away; the
    right to cancel that was offered stays. A day that is over is none, also where no time runs."""
    clock = state.clock
    if clock is None or clock.end_of(day) <= (state.expires_at or at):
        return Step(state, Outcome.NO_EFFECT)
    moved = opened(clock.moved_to(day)).changed(offered=state.offered, substitutes=state.substitutes)
    return Step(moved, Outcome.APPLIED)


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
    return state.changed(phase=Phase.CANCELLED, cancellation=cancellation, before_end=state)


def _completed(state: State, event: Completed) -> Step:
    if state.phase is not Phase.INCOMPLETE:
        return Step(state, Outcome.NO_EFFECT)
    complete = opened(event.clock).changed(substitutes=state.substitutes)
    return Step(_lapse(complete, event.at), Outcome.APPLIED)


def _dishonored(state: State, event: Dishonored) -> Step:
    if state.phase not in LIVE:
        return Step(state, Outcome.NO_EFFECT)
    return Step(incomplete(state.zones).changed(substitutes=state.substitutes), Outcome.APPLIED)


def _shipped(state: State, event: Shipped) -> Step:
    if state.phase is Phase.SHIPPED:
        return Step(state, Outcome.DUPLICATE)
    if state.phase not in LIVE and state.phase is not Phase.INCOMPLETE:
        return Step(state, Outcome.BLOCKED)
    if event.goods is not None and event.goods not in state.substitutes:
        return Step(state, Outcome.NOT_AS_ORDERED)
    after = state.changed(phase=Phase.SHIPPED, shipped_at=event.at, before_end=state)
    return Step(after, Outcome.APPLIED)


def _effect_sent(state: State, event: EffectSent) -> Step:
    if state.phase is not Phase.CANCELLED:
        return Step(state, Outcome.NO_EFFECT)
    return Step(state.changed(settled=True), Outcome.APPLIED)


def _refund_proven(state: State, event: RefundProven) -> Step:
    if state.phase is not Phase.CANCELLED:
        return Step(state, Outcome.NO_EFFECT)
    return Step(state.changed(phase=Phase.REFUNDED, settled=True), Outcome.APPLIED)


def _refuse(state: State) -> Step:
    if state.phase is Phase.SHIPPED:
        return Step(state, Outcome.ALREADY_SHIPPED)
    return Step(state, Outcome.NO_OPTION if state.phase is Phase.INCOMPLETE else Outcome.TOO_LATE)


def _index(state: State, key: str | None, at: datetime | None = None) -> int | None:
    """Place of the notice with that key (None: of the latest) among those in force, and sent by `at`: nobody
    answers what was not yet asked."""
    for place in range(len(state.notices) - 1, -1, -1):
        if state.notices[place].was_sent_as(key, at):
            return place
    return None


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
    LaterDateAsked: _later_date_asked,
    SubstitutionAgreed: _substitution_agreed,
    EffectSent: _effect_sent,
    RefundProven: _refund_proven,
}
