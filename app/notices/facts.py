"""What a message must know, one class per kind. Pure data: amounts are Money, days are in the buyer's terms,
times UTC."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from app.money import Money


@dataclass(frozen=True, slots=True)
class Shop:
    """The merchant as the buyer knows it, and how it is reached at no cost to the buyer. `address`: its lines, for
    letters on paper."""

    name: str
    reply_email: str
    timezone: str
    toll_free: str = ""
    hours: str = ""
    address: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """Goods as the buyer knows them; `total` is what they cost, `ships_by` the day promised for them."""

    title: str
    quantity: int = 1
    total: Money | None = None
    ships_by: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """What every message about an order says. `url` is the buyer's own page of the order; `today` the day of
    sending."""

    shop: Shop
    order_number: str
    buyer_name: str
    items: tuple[Item, ...]
    url: str
    today: date
    language: str = "en"
    """The buyer's: `en` or `es`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFacts(OrderFacts):
    """An order was placed. `sums` are the rows under the items (shipping, tax...)."""

    kind: ClassVar[str] = "received"
    total: Money
    sums: tuple[tuple[str, Money], ...] = ()
    address: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedFacts(OrderFacts):
    """A parcel left. `taken` is what was charged for it; `rest` what is still to come."""

    kind: ClassVar[str] = "shipped"
    carrier: str
    shipped_on: date
    tracking_number: str = ""
    tracking_url: str = ""
    taken: Money | None = None
    rest: tuple[Item, ...] = ()


class DelayKind(StrEnum):
    """The option notices of 16 CFR 435.2(b), named as the promise rules name them."""

    SILENT_CONSENT = "silent_consent"
    EXPRESS_DEFINITE = "express_definite"
    EXPRESS_INDEFINITE = "express_indefinite"
    RENEWED = "renewed"


@dataclass(frozen=True, slots=True)
class RiderFacts:
    """A request to agree, besides, to a further unforeseen delay: until a day, or (None) an indefinite
    one."""

    until: date | None
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayFacts(OrderFacts):
    """A delay option notice; its items share kind and dates.

    `ship_by` is T, the day first promised; `promised` the day that holds now (T, or the revised date agreed
    to); `revised` the new one, None when none can be given. An answer counts through `reply_day` (`reply_by`
    is the first instant after it), and the notice must leave before `send_by`. `paid` is what was taken for
    these items, `authorized` what is held on the card but not taken. `url` leads to the page where the buyer
    answers.
    """

    kind: ClassVar[str] = "delay"
    delay: DelayKind
    ship_by: date
    promised: date
    revised: date | None
    reason: str
    reply_day: date
    reply_by: datetime
    send_by: datetime
    paid: Money | None = None
    authorized: Money | None = None
    rider: RiderFacts | None = None
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Refund:
    """One tender's part: how it goes back in the buyer's words ("to your Visa card ending 4242"), and by
    when."""

    way: str
    amount: Money
    by: date


@dataclass(frozen=True, slots=True, kw_only=True)
class UndeliveredFacts(OrderFacts):
    """Goods under a law of delivery that have not left and are late, or that the seller `refused` to deliver.

    `due`: the day on which they were to arrive. `may_end`: whether the buyer may end the contract now; else they give a
    further time first."""

    kind: ClassVar[str] = "undelivered"
    due: date
    may_end: bool
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledFacts(OrderFacts):
    """Items were canceled. Without refunds nothing was taken; `released` is what was held on the card and is
    let go."""

    kind: ClassVar[str] = "cancelled"
    reason: str
    refunds: tuple[Refund, ...] = ()
    released: Money | None = None
    whole_order: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFacts(OrderFacts):
    """The statement that makes a refund whole (16 CFR 435.1(d)): its amount, the day it was sent, and the tender.

    `way`: `card`, `cash`, `check`, `money_order`, `gift_card`, `credit`, `terms` or `external`; `card`: "Visa 4242"
    where it is known. `taken` false: nothing was taken from it, and nothing will be.
    `reference`: the check's number."""

    kind: ClassVar[str] = "refund"
    amount: Money
    sent_on: date
    way: str
    card: str = ""
    taken: bool = True
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentNeededFacts(OrderFacts):
    """The payment did not go through; the buyer may mend it on the page at `url` before `cancels_at`."""

    kind: ClassVar[str] = "payment_needed"
    amount: Money
    reason: str
    cancels_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """A mail of the portal itself, with one link. `expires` says for how long it works ("24 hours")."""

    email: str
    url: str
    expires: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyEmailFacts(AccountFacts):
    kind: ClassVar[str] = "verify_email"
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPasswordFacts(AccountFacts):
    kind: ClassVar[str] = "reset_password"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationFacts(AccountFacts):
    kind: ClassVar[str] = "invitation"
    tenant: str = ""
    inviter: str = ""
    role: str = ""


OrderMessage = (
    ReceivedFacts
    | ShippedFacts
    | DelayFacts
    | UndeliveredFacts
    | CancelledFacts
    | RefundFacts
    | PaymentNeededFacts
)
Facts = OrderMessage | VerifyEmailFacts | ResetPasswordFacts | InvitationFacts


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message ready to send. `words` are the sentences the law needs, by name, for the page and the proof; `sms` is
    the short form with the link to the whole."""

    subject: str
    text: str
    html: str
    words: dict[str, str] = field(default_factory=dict)
    sms: str = ""


def recorded(facts: Facts) -> dict[str, Any]:
    """The facts as JSON data, to be kept with the message they made."""
    return {"kind": facts.kind, **_plain(asdict(facts))}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, date) else value
