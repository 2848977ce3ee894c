"""The timeline in words: every event and message of an order, newest first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app import events
from app.money import Money
from app.orders.moves import gave_way, moved
from app.pages import formats

Row = Mapping[str, Any]
TABS = {"": "All", "messages": "Messages", "money": "Money", "stock": "Stock"}


@dataclass(frozen=True)
class Facts:
    """What an event's ids stand for."""

    nodes: Mapping[str, str]
    """Name by code."""
    work: Mapping[str, Row]
    """Fulfillment orders by id."""
    shipments: Mapping[str, Row]
    channels: Mapping[str, str]
    currency: str


@dataclass(frozen=True)
class Kind:
    """How events of one name are told. `title` may name {node}, {amount}, {kind} and {channel}."""

    title: str
    icon: str
    tab: str = ""
    s: str = ""


KINDS: dict[str, Kind] = {
    events.ORDER_PLACED: Kind("Placed, {channel}", "receipt-2"),
    events.ORDER_TAXED: Kind("Tax settled", "percentage", "money"),
    events.TAX_DIFFERED: Kind("Tax came out differently", "percentage", "money"),
    events.ORDER_CANCELLED: Kind("Order canceled", "circle-x", "stock", "late"),
    events.LINES_CANCELLED: Kind("Part of the order canceled", "circle-x", "stock"),
    events.ORDER_CLOSED: Kind("Everything shipped", "checks", "stock", "kept"),
    events.HOLD_PLACED: Kind("{kind} hold placed", "lock", "", "risk"),
    events.HOLD_RELEASED: Kind("{kind} hold lifted", "lock-open"),
    events.ADDRESS_CHANGED: Kind("Address changed", "map-pin"),
    events.ORDER_ROUTED: Kind("Routed again", "route", "stock"),
    events.ORDER_REPLANNED: Kind("Planned with the others of its window", "route", "stock"),
    events.PAYMENT_AUTHORIZED: Kind("{amount} authorized", "credit-card", "money"),
    events.PAYMENT_NEEDED: Kind("Payment needed", "credit-card-off", "money", "risk"),
    events.PAYMENT_ABANDONED: Kind("Payment given up", "credit-card-off", "money", "late"),
    events.PAYMENT_CAPTURED: Kind("{amount} taken", "credit-card", "money", "kept"),
    events.PAYMENT_VOIDED: Kind("{amount} let go", "credit-card", "money"),
    events.PAYMENT_REFUNDED: Kind("{amount} given back", "credit-card-refund", "money", "kept"),
    events.PAYMENT_EXPIRED: Kind("Authorization of {amount} expired", "hourglass", "money", "risk"),
    events.REFUND_OWED: Kind("{amount} owed back", "receipt-refund", "money", "risk"),
    events.REFUND_SENT: Kind("Refund of {amount} sent", "receipt-refund", "money", "kept"),
    events.REFUND_PROVED: Kind("Refund of {amount} proven", "checks", "money", "kept"),
    events.REFUND_DIVERTED: Kind(
        "Refund of {amount} cannot go back that way", "receipt-refund", "money", "risk"
    ),
    events.REFUND_ALARMED: Kind(
        "Refund of {amount} is late or near its last day", "alert-triangle", "money", "late"
    ),
    events.REFUND_FAILED: Kind("Refund failed", "receipt-refund", "money", "late"),
    events.CAPTURE_FAILED: Kind("{amount} could not be taken", "credit-card-off", "money", "late"),
    events.WORK_SUBMITTED: Kind("Work sent to {node}", "send", "stock"),
    events.WORK_ACCEPTED: Kind("{node} accepted the work", "clipboard-check", "stock"),
    events.WORK_REJECTED: Kind("{node} rejected the work", "ban", "stock", "risk"),
    events.WORK_SHORT: Kind("{node} found too few", "alert-triangle", "stock", "risk"),
    events.WORK_PICKED: Kind("Picked at {node}", "basket", "stock"),
    events.WORK_PACKED: Kind("Packed at {node}", "package", "stock"),
    events.WORK_CANCEL_REQUESTED: Kind("{node} asked to give units back", "clock-pause", "stock"),
    events.WORK_CANCELLED: Kind("Work at {node} canceled", "circle-x", "stock"),
    events.ROUTING_STUCK: Kind("No place for it", "alert-triangle", "stock", "risk"),
    events.ROUTING_DECIDED: Kind("A person decided", "clipboard-check", "stock"),
    events.WORK_CANCEL_REFUSED: Kind("{node} could not stop the work", "hand-stop", "stock"),
    events.SHIPPED: Kind("Shipped from {node}", "truck", "stock", "kept"),
    events.UNITS_RELEASED: Kind("Units taken back from the node", "arrow-back-up", "stock"),
    events.UNITS_WAITING: Kind("Units wait for stock", "clock-pause", "stock", "risk"),
    events.PROMISE_AT_RISK: Kind("Promise at risk", "alert-triangle", "", "risk"),
    events.PROMISE_LATE: Kind("It will ship later than promised", "clock-pause", "", "risk"),
    events.PROMISE_ENDED: Kind("Canceled under the delay rule", "circle-x", "stock", "late"),
    events.PROMISE_STOPPED: Kind(
        "The clock stopped: the payment did not go through", "clock-pause", "money", "risk"
    ),
    events.PROMISE_RESUMED: Kind("The clock began anew: nothing is missing any more", "clock-play", "money"),
    events.PROMISE_AMENDED: Kind("The buyer agreed to a change", "pencil", "messages"),
    events.DELIVERED: Kind("Delivered", "package", "stock", "kept"),
    events.DELIVERY_LATE: Kind("The time to deliver is over", "clock-pause", "", "late"),
    events.DELIVERY_EXTENDED: Kind("The buyer gives a further time", "calendar", "messages"),
    events.DELIVERY_REFUSED: Kind("The seller will not deliver", "circle-x", "messages", "late"),
    events.CONTRACT_TERMINABLE: Kind("The buyer may end the contract", "alert-triangle", "", "late"),
    events.CONTRACT_ENDED: Kind("The buyer ended the contract", "circle-x", "messages", "late"),
    events.ADDRESS_ASKED: Kind(
        "The address cannot be used; the buyer is asked for another", "map-pin", "messages", "risk"
    ),
    events.SHIPMENT_CORRECTED: Kind("It had shipped before it was canceled", "truck", "stock", "kept"),
    events.SHIPPED_TOO_LATE: Kind(
        "{node} sent it although it was canceled", "alert-triangle", "stock", "late"
    ),
    events.DELAY_ANSWERED: Kind("The buyer answered", "message", "messages"),
    events.REPLY_RECEIVED: Kind("The buyer wrote back", "message", "messages"),
}
DECIDED = {
    "routed": "Routed again",
    "assigned": "Given to {node}",
    "backordered": "It waits for stock",
    "cancelled": "What waits is canceled",
}
MESSAGES = {
    "received": "“We have your order”",
    "shipped": "“On its way”",
    "delay": "Delay notice",
    "undelivered": "“Not delivered in time”",
    "cancelled": "Cancellation confirmed",
    "refund": "Refund statement",
    "payment_needed": "Payment asked for",
}
STATES = {
    "sent": ("sent", "mail", ""),
    "queued": ("waits to be sent", "mail", ""),
    "delivered": ("delivered", "mail-opened", "kept"),
    "bounced": ("not delivered", "alert-triangle", "late"),
    "failed": ("not sent", "alert-triangle", "late"),
}
TOLD_BY_MESSAGES = frozenset(
    {events.NOTICE_QUEUED, events.NOTICE_SENT, events.NOTICE_FAILED, events.NOTICE_BOUNCED}
)


def timeline(
    rows: Sequence[Row], notices: Sequence[Row], facts: Facts, tab: str = ""
) -> list[dict[str, Any]]:
    """The moments of one tab, newest first."""
    told = [_event(row, facts) for row in rows if row["name"] not in TOLD_BY_MESSAGES]
    told += [_message(notice) for notice in notices]
    shown = [moment for moment in told if not tab or moment["tab"] == tab]
    return sorted(shown, key=lambda moment: (moment["at"], moment["order"]), reverse=True)


def _event(row: Row, facts: Facts) -> dict[str, Any]:
    data = row["data"] or {}
    kind = KINDS.get(row["name"]) or Kind(
        row["name"].replace(".", ": ").replace("_", " ").capitalize(), "history"
    )
    amount = data.get("amount")
    title = kind.title.format(
        node=_node(data, facts),
        amount=Money(amount, data.get("currency") or facts.currency)
        if isinstance(amount, int)
        else "An amount",
        kind=str(data.get("kind", "")).capitalize(),
        channel=facts.channels.get(data.get("channel", ""), "").lower() or "by hand",
    )
    return {
        "at": row["at"],
        "order": row["id"],
        "title": title[:1].upper() + title[1:],
        "text": _text(row, data, facts),
        "icon": kind.icon,
        "tab": kind.tab,
        "s": kind.s,
    }


def _node(data: Row, facts: Facts) -> str:
    shipment = facts.shipments.get(str(data.get("shipment", "")))
    work = facts.work.get(str(data.get("work", "") or (shipment or {}).get("fulfillment_order_id", "")))
    code = data.get("node") or (work["node"] if work else None)
    return facts.nodes.get(code, code) if code else "the node"


def _text(row: Row, data: Row, facts: Facts) -> str:
    parts = []
    shipment = facts.shipments.get(str(data.get("shipment", "")))
    if row["name"] == events.SHIPPED and shipment is not None:
        parts.append(_parcel(shipment))
    for one in data.get("lines") or []:
        if isinstance(one, Mapping) and "sku" in one:
            parts.append(f"{formats.number(one.get('quantity', one.get('units', 0)))} × {one['sku']}")
    if row["name"] == events.DELAY_ANSWERED:
        answer = {
            "consent": "Agreed to wait",
            "cancel": "Canceled",
            "consent_rider": "Agreed to wait, and to a further delay",
        }
        parts.append(answer.get(str(data.get("answer")), "Answered"))
    if isinstance(data.get("sentence"), str):
        parts.append(data["sentence"].rstrip("."))
    if row["name"] == events.ORDER_REPLANNED:
        parts += [gave_way(data, facts.nodes), *moved(data, facts.nodes, facts.currency)]
    if row["name"] == events.ROUTING_DECIDED:
        parts.append(DECIDED[data["action"]].format(node=_node(data, facts)))
    if row["name"] == events.PROMISE_ENDED:
        parts.append(_ended(data))
    if data.get("reason"):
        parts.append(str(data["reason"]).replace("_", " ").rstrip("."))
    who = _who(row["actor"])
    if who:
        parts.append(who)
    told = [part[:1].upper() + part[1:] for part in parts if part]
    return ". ".join(told) + ("." if told else "")


ENDED = {
    "c1": "by the buyer's answer",
    "c2": "the buyer had not agreed to a longer delay",
    "c3": "the date agreed to had passed",
    "c4": "the merchant will not ship it",
    "c5": "no choice had been offered in time",
}


def _ended(data: Row) -> str:
    """Which units, why, and whether the effect came late."""
    words = f"{formats.plural(data['units'], 'unit')} of {data['sku']}: {ENDED[data['case']]}"
    late = data.get("late_by")
    return words + (f"; done {formats.plural(max(1, round(late / 60)), 'minute')} late" if late else "")


def _parcel(shipment: Row) -> str:
    units = formats.plural(sum(line["quantity"] for line in shipment["lines"]), "unit")
    if shipment["kind"] == "digital":
        return f"{units}, by email"
    if shipment["kind"] == "counter":
        return f"{units}, handed over at the counter"
    return f"{units}, {shipment['carrier']} {shipment['tracking_number']}".strip()


def _who(actor: str) -> str:
    kind, _, name = actor.partition(":")
    if kind in ("member", "staff"):
        return f"by {name}"
    return {"provider": f"reported by {name}", "buyer": "by the buyer", "key": f"over the API, {name}"}.get(
        kind, ""
    )


WAYS = {"email": "Email", "sms": "Text message", "post": "Letter", "webhook": "Your own system"}
MISSED = {"refused": "was refused", "bounced": "came back", "given_up": "was not taken in time"}


def _message(notice: Row) -> dict[str, Any]:
    words, icon, s = STATES[notice["state"]]
    return {
        "at": notice["bounced_at"] or notice["sent_at"] or notice["created_at"],
        "order": notice["id"] if isinstance(notice["id"], UUID) else UUID(int=0),
        "title": f"{MESSAGES.get(notice['kind'], 'Message')} {words}",
        "text": f"{_delivery(notice)}.",
        "icon": icon,
        "tab": "messages",
        "s": s,
    }


def _delivery(notice: Row) -> str:
    """Which way it went, and which ways had led nowhere."""
    missed = [
        f"{_way(one['channel'], one['address'])} {MISSED[one['state']]}" for one in notice["missed"] or ()
    ]
    if notice["state"] in ("bounced", "failed"):
        return ". ".join([*missed, (notice["error"] or "It could not be delivered").rstrip(".")])
    return ". ".join([*missed, _way(notice["channel"], notice["recipient"])])


def _way(channel: str, address: str) -> str:
    first = address.partition("\n")[0]
    return f"{WAYS[channel]} to {first}" if channel != "webhook" else WAYS[channel]
