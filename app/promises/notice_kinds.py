"""Which notice a delay needs now, and its deadlines (435.2(b)). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from app.promises.vocabulary import BOUND_TO_R, LIVE, NoticeKind, Phase, State


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
