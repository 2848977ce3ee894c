"""Made-up facts of every kind: for previews, test messages, and the check of a wording before it is kept. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from app.calendar import end_of_day
from app.money import Money
from app.notices.facts import (
    CancelledFacts,
    DelayFacts,
    DelayKind,
    Item,
    OrderMessage,
    PaymentNeededFacts,
    ReceivedFacts,
    Refund,
    RefundFacts,
    RiderFacts,
    ShippedFacts,
    Shop,
    UndeliveredFacts,
)

PRICE = Money(4_900, "USD")
REASONS = {
    "en": "The maker's delivery to us is late.",
    "es": "La entrega del fabricante se ha retrasado.",
}
ASKED = {"en": "you asked us to cancel it.", "es": "usted nos lo pidió."}
BANK = {"en": "your bank did not approve the payment.", "es": "su banco no aprobó el pago."}
GOODS = {"en": "Copper kettle", "es": "Tetera de cobre"}
MORE = {"en": "Linen apron", "es": "Delantal de lino"}


def samples(kind: str, shop: Shop, today: date, language: str) -> dict[str, OrderMessage]:
    """Facts of a kind by the case they stand for, the commonest first. `today` is the shop's day."""
    return MAKERS[kind](_common(shop, today, language), today, language)


def _common(shop: Shop, today: date, language: str) -> dict[str, Any]:
    return {
        "shop": shop,
        "order_number": "K-10482",
        "buyer_name": "Maya Ortiz",
        "items": (Item(GOODS[language], 1, PRICE),),
        "url": "https://orders.example/o/sample",
        "today": today,
        "language": language,
    }


def _received(common: dict[str, Any], today: date, language: str) -> dict[str, OrderMessage]:
    item = Item(GOODS[language], 1, PRICE, today + timedelta(days=5))
    sums = (("Shipping and charges", Money(700, "USD")), ("Tax", Money(392, "USD")))
    home = ("Maya Ortiz", "12 Elm St", "Portland, ME 04101")
    return {
        "placed": ReceivedFacts(
            **common | {"items": (item,)}, total=Money(5_992, "USD"), sums=sums, address=home
        )
    }


def _shipped(common: dict[str, Any], today: date, language: str) -> dict[str, OrderMessage]:
    parcel: dict[str, Any] = {
        "carrier": "UPS",
        "shipped_on": today,
        "tracking_number": "1Z999AA10123456784",
        "tracking_url": "https://www.ups.com/track?tracknum=1Z999AA10123456784",
        "taken": PRICE,
    }
    rest = (Item(MORE[language], 2, None, today + timedelta(days=20)),)
    return {
        "all of it": ShippedFacts(**common, **parcel),
        "a part": ShippedFacts(**common, **parcel, rest=rest),
        "without tracking": ShippedFacts(**common, carrier="our delivery service", shipped_on=today),
    }


def _delay(common: dict[str, Any], today: date, language: str) -> dict[str, OrderMessage]:
    """Each kind of notice that the law knows, and both riders."""
    first, zone = today + timedelta(days=4), common["shop"].timezone
    agreed, later = first + timedelta(days=11), first + timedelta(days=40)

    def notice(
        kind: DelayKind, revised: date | None, promised: date, reply_day: date, **more: Any
    ) -> DelayFacts:
        return DelayFacts(
            **common,
            delay=kind,
            ship_by=first,
            promised=promised,
            revised=revised,
            reason=REASONS[language],
            reply_day=reply_day,
            reply_by=end_of_day(reply_day, zone),
            send_by=end_of_day(promised, zone),
            authorized=PRICE,
            **more,
        )

    month = first + timedelta(days=30)
    further = "https://orders.example/o/sample/further"
    silent = (DelayKind.SILENT_CONSENT, agreed, first, agreed)
    return {
        "a date within 30 days": notice(*silent),
        "a later date": notice(DelayKind.EXPRESS_DEFINITE, later, first, month),
        "no date": notice(DelayKind.EXPRESS_INDEFINITE, None, first, month),
        "late again, a date": notice(DelayKind.RENEWED, later, agreed, agreed),
        "late again, no date": notice(DelayKind.RENEWED, None, agreed, agreed),
        "a further delay to agree to": notice(*silent, rider=RiderFacts(later, further)),
        "a further delay without a date": notice(*silent, rider=RiderFacts(None, further)),
    }


def _undelivered(common: dict[str, Any], today: date, language: str) -> dict[str, OrderMessage]:
    due = today - timedelta(days=1)
    return {
        "late": UndeliveredFacts(**common, due=due, may_end=False),
        "late again": UndeliveredFacts(**common, due=due, may_end=True),
        "refused": UndeliveredFacts(**common, due=today + timedelta(days=9), may_end=True, refused=True),
    }


def _cancelled(common: dict[str, Any], today: date, language: str) -> dict[str, OrderMessage]:
    refund = Refund("to your card", PRICE, today + timedelta(days=9))
    return {
        "refunded": CancelledFacts(**common, reason=ASKED[language], refunds=(refund,)),
        "held only": CancelledFacts(**common, reason=ASKED[language], released=PRICE),
        "a part, nothing taken": CancelledFacts(**common, reason=ASKED[language], whole_order=False),
    }


def _refund(common: dict[str, Any], today: date, language: str) -> dict[str, OrderMessage]:
    sent: dict[str, Any] = {"amount": PRICE, "sent_on": today}
    return {
        "to a card": RefundFacts(**common, **sent, way="card", card="Visa 4242"),
        "by check": RefundFacts(**common, **sent, way="check", reference="2207"),
        "never taken": RefundFacts(**common, **sent, way="card", card="Visa 4242", taken=False),
    }


def _payment_needed(common: dict[str, Any], today: date, language: str) -> dict[str, OrderMessage]:
    until = end_of_day(today + timedelta(days=2), common["shop"].timezone) - timedelta(hours=4)
    return {"declined": PaymentNeededFacts(**common, amount=PRICE, reason=BANK[language], cancels_at=until)}


MAKERS = {
    "received": _received,
    "shipped": _shipped,
    "delay": _delay,
    "undelivered": _undelivered,
    "cancelled": _cancelled,
    "refund": _refund,
    "payment_needed": _payment_needed,
}
