"""The words of the rule's state machine (states.py): phases, kinds of notice, events and the state of a line.

Every event bears the time at which it took effect for the law: a consent or cancellation when the seller
received it, a shipment when the carrier physically had the goods (435.1(e)); a label is no shipment.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any

from app.promises.rules import Clock, Zones


class Phase(StrEnum):
    NOT_COVERED = "not_covered"
    INCOMPLETE = "incomplete"  # no properly completed order: no clock runs
    OPEN = "open"  # to ship by T
    WAIT_SILENT = "wait_silent"  # silence is consent to R, at most T + 30
    WAIT_EXPRESS = "wait_express"  # silence cancels at the end of T + 30
    WAIT_RENEWED = "wait_renewed"  # silence cancels at the end of R
    CONSENT_DEFINITE = "consent_definite"  # agreed to R
    CONSENT_INDEFINITE = "consent_indefinite"  # agreed to wait; may cancel until shipment
    SHIPPED = "shipped"
    CANCELLED = "cancelled"  # the right to a refund has vested
    REFUNDED = "refunded"


LIVE = frozenset(
    {
        Phase.OPEN,
        Phase.WAIT_SILENT,
        Phase.WAIT_EXPRESS,
        Phase.WAIT_RENEWED,
        Phase.CONSENT_DEFINITE,
        Phase.CONSENT_INDEFINITE,
    }
)
BOUND_TO_R = frozenset({Phase.WAIT_SILENT, Phase.WAIT_RENEWED, Phase.CONSENT_DEFINITE})


STATES = (
    "incomplete",
    "open",
    "wait_silent",
    "wait_express",
    "wait_renewed",
    "consent_definite",
    "consent_indefinite",
    "shipped",
    "cancelled",
    "not_covered",
    "delivery",
)
"""As the delay rule knows them; `delivery`: it does not cover the line, a law of delivery alone does."""
DELIVERY_STATES = ("due", "late", "extended", "terminable", "delivered", "ended", "closed")
"""`closed`: nothing is left to be delivered, because it was canceled otherwise."""
EVENTS = (
    "dishonored",
    "completed",
    "later_asked",
    "substituted",
    "late_known",
    "at_risk",
    "revised",
    "cancel_requested",
    "will_not_ship",
    "ended",
    "corrected",
    "gone",
    "made",
    "address_asked",
    "address_came",
    "delivered",
    "period_granted",
    "delivery_refused",
    "ended_by_buyer",
)


class NoticeKind(StrEnum):
    SILENT_CONSENT = "silent_consent"  # 435.2(b)(1)(ii): a definite date, at most T + 30
    EXPRESS_DEFINITE = "express_definite"  # 435.2(b)(1)(iii): a definite date after T + 30
    EXPRESS_INDEFINITE = "express_indefinite"  # 435.2(b)(1)(iii): no date can be given
    RENEWED = "renewed"  # 435.2(b)(2): the date agreed to cannot be kept
    INFORMATION = "information"  # nothing to ask: no delay beyond what holds already


class Case(StrEnum):
    """Why a line is canceled, by the paragraphs of 435.2(c)."""

    BUYER = "c1"
    NO_CONSENT = "c2"
    REVISED_DATE_MISSED = "c3"
    SELLER = "c4"
    NO_OPTION_OFFERED = "c5"


class Outcome(StrEnum):
    """What an event did."""

    APPLIED = "applied"
    CORRECTED = "corrected"  # a shipment or cancellation that came first was reported second
    INFORMATION = "information"  # a message without legal effect
    DUPLICATE = "duplicate"
    DEFECTIVE = "defective"  # the notice lacks something: it counts as none sent
    WRONG_KIND = "wrong_kind"  # the notice is not of the kind its date needs: it counts as none sent
    NO_OPTION = "no_option"  # the buyer had been offered no choice: the merchant's own policy decides
    NO_EFFECT = "no_effect"
    TOO_LATE = "too_late"  # the line is canceled already; a consent now is a new order
    ALREADY_SHIPPED = "already_shipped"  # treat as a return
    BLOCKED = "blocked"  # a shipment of a canceled line: the refund stays due, nothing is charged
    NOT_AS_ORDERED = "not_as_ordered"  # other goods left, without the buyer's agreement: no shipment


# --- Events ---


@dataclass(frozen=True, slots=True)
class Rider:
    """435.2(b)(1)(iv): a request to agree to a further, unforeseen delay to a date, or (None) an indefinite
    one."""

    until: date | None


@dataclass(frozen=True, slots=True)
class Completed:
    """The order became properly complete; its clock was worked out by `rules.clock`."""

    at: datetime
    clock: Clock


@dataclass(frozen=True, slots=True)
class Dishonored:
    """Notice that a payment bounced or the buyer does not qualify for credit (435.1(c))."""

    at: datetime


@dataclass(frozen=True, slots=True)
class NoticeSent:
    """A delay option notice left. `revised` is the new date, None when none can be given. `kind` is what its
    words say (None: the right kind); `defects` is what the required-fields check found missing."""

    at: datetime
    key: str
    revised: date | None
    kind: NoticeKind | None = None
    rider: Rider | None = None
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RiderOffered:
    """A request for consent to further delay, sent after the notice `key`."""

    at: datetime
    key: str
    rider: Rider


@dataclass(frozen=True, slots=True)
class Bounced:
    """It was learned at `at` that the notice never reached the buyer."""

    at: datetime
    key: str


@dataclass(frozen=True, slots=True)
class Consented:
    """The buyer expressly agreed to the notice `key` (None: the latest), or to its rider. A question is no
    consent."""

    at: datetime
    key: str | None = None
    to_rider: bool = False


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """The buyer's cancellation was received."""

    at: datetime


@dataclass(frozen=True, slots=True)
class CancelGranted:
    """The merchant's policy granted a cancellation the rule does not give."""

    at: datetime


@dataclass(frozen=True, slots=True)
class WillNotShip:
    """The seller told the buyer that the line will not ship."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Shipped:
    """The carrier physically had the goods at `at`, whenever that was reported. `goods` names a substitute,
    None is what was ordered."""

    at: datetime
    goods: str | None = None


@dataclass(frozen=True, slots=True)
class LaterDateAsked:
    """The buyer asked to have the line shipped later: their date becomes the stated time."""

    at: datetime
    ship_by: date


@dataclass(frozen=True, slots=True)
class SubstitutionAgreed:
    """The buyer expressly accepted other goods, perhaps by another day; without one the clock is as it
    was."""

    at: datetime
    goods: str
    ship_by: date | None = None


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Nothing happened until `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class EffectSent:
    """A void, a refund or a notice of the cancellation went out: the cancellation can no longer be
    corrected."""

    at: datetime


@dataclass(frozen=True, slots=True)
class RefundProven:
    """Every tender was refunded in its lawful form."""

    at: datetime


Event = (
    Completed
    | Dishonored
    | NoticeSent
    | RiderOffered
    | Bounced
    | Consented
    | CancelRequested
    | CancelGranted
    | WillNotShip
    | Shipped
    | LaterDateAsked
    | SubstitutionAgreed
    | TimePassed
    | EffectSent
    | RefundProven
)


# --- State ---


@dataclass(frozen=True, slots=True)
class Notice:
    """A valid notice in force: before when a consent to it counts, and the state to which a bounce
    returns. `copies`: the same words sent once more under a key of their own, one of which stands in for a
    notice that bounces."""

    event: NoticeSent
    kind: NoticeKind
    rider: Rider | None
    reply_by: datetime
    before: State
    copies: tuple[NoticeSent, ...] = ()

    def was_sent_as(self, key: str | None, by: datetime | None = None) -> bool:
        """Whether the notice or a copy has that key (None: any) and was sent by then (None: whenever)."""
        return any(
            key in (None, one.key) and (by is None or one.at <= by) for one in (self.event, *self.copies)
        )


@dataclass(frozen=True, slots=True)
class Cancellation:
    """`vests_on` is the day (seller's zone) from which the refund's working days count; `vested_at` the
    instant the line was lost to; `learned_at` when the cancellation took place in our books."""

    case: Case
    vests_on: date
    vested_at: datetime
    learned_at: datetime


@dataclass(frozen=True, slots=True)
class State:
    """A line or unit group under the rule. `revised` is R, the date that now binds or is asked for (None in
    WAIT_EXPRESS and CONSENT_INDEFINITE: no date); in WAIT_RENEWED the new date R2 is `proposed`.

    `offered`: the buyer was told of a choice. `answered`: keys of the notices consented to, one for each
    consent. `substitutes`: other goods the buyer accepted. `settled`: what followed a cancellation went out, so
    it stands.
    `before_end`: the live state before shipment or cancellation, should an earlier event be reported late.
    """

    phase: Phase
    zones: Zones
    clock: Clock | None = None
    revised: date | None = None
    notices: tuple[Notice, ...] = ()
    answered: tuple[str, ...] = ()
    offered: bool = False
    substitutes: frozenset[str] = frozenset()
    cancellation: Cancellation | None = None
    settled: bool = False
    shipped_at: datetime | None = None
    before_end: State | None = None

    def changed(self, **changes: Any) -> State:
        """The state with those fields replaced: as `dataclasses.replace`, at a fifth of its time, since every
        event of every line passes here."""
        return State(**(dict(zip(_FIELDS, _values(self), strict=True)) | changes))

    @property
    def proposed(self) -> date | None:
        """R2 of the latest renewed notice; None when it gives no date, or in another phase."""
        return self.notices[-1].event.revised if self.phase is Phase.WAIT_RENEWED else None

    @property
    def expires_at(self) -> datetime | None:
        """The first instant at which doing nothing cancels the line: also the last moment before which the
        next notice must be sent. None when no time runs."""
        if self.clock is None or self.phase not in LIVE or self.phase is Phase.CONSENT_INDEFINITE:
            return None
        if self.phase is Phase.OPEN:
            return self.clock.deadline_at
        if self.phase is Phase.WAIT_EXPRESS:
            return self.clock.express_at
        return self.clock.end_of(self.bound_by)

    @property
    def bound_by(self) -> date:
        """R, in a phase that has one. Raises ValueError in another."""
        if self.revised is None:
            raise ValueError(f"a line that is {self.phase} is bound to no revised date")
        return self.revised


_FIELDS = tuple(one.name for one in fields(State))
_values = attrgetter(*_FIELDS)
