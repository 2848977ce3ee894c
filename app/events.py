"""Every event's name, past tense, and how one is recorded: on the order's timeline and in the outbox.

Who reacts stands in workers/subscriptions.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from infra.ids import new_id
from tenants.scope import Scope

TENANT_OPENED = "tenant.opened"
ORDER_PLACED = "order.placed"
ORDER_TAXED = "order.taxed"
TAX_DIFFERED = "order.tax_differed"
ORDER_CANCELLED = "order.cancelled"
LINES_CANCELLED = "order.lines_cancelled"
ORDER_CLOSED = "order.closed"
HOLD_PLACED = "hold.placed"
HOLD_RELEASED = "hold.released"
ADDRESS_CHANGED = "order.address_changed"
ORDER_ROUTED = "order.routed"
ORDER_REPLANNED = "order.replanned"
PAYMENT_AUTHORIZED = "payment.authorized"
PAYMENT_NEEDED = "payment.needed"
PAYMENT_ABANDONED = "payment.abandoned"
PAYMENT_CAPTURED = "payment.captured"
PAYMENT_VOIDED = "payment.voided"
PAYMENT_REFUNDED = "payment.refunded"
PAYMENT_EXPIRED = "payment.expired"
REFUND_OWED = "payment.refund_owed"
REFUND_FAILED = "payment.refund_failed"
REFUND_SENT = "refund.sent"
REFUND_PROVED = "refund.proved"
REFUND_DIVERTED = "refund.diverted"
REFUND_ALARMED = "refund.alarmed"
CAPTURE_FAILED = "payment.capture_failed"
WORK_SUBMITTED = "fulfillment.submitted"
WORK_ACCEPTED = "fulfillment.accepted"
WORK_REJECTED = "fulfillment.rejected"
WINDOW_CLOSED = "fulfillment.window_closed"
WORK_SHORT = "fulfillment.short_picked"
WORK_PICKED = "fulfillment.picked"
WORK_PACKED = "fulfillment.packed"
WORK_CANCEL_REQUESTED = "fulfillment.cancel_requested"
WORK_CANCELLED = "fulfillment.cancelled"
WORK_CANCEL_REFUSED = "fulfillment.cancel_refused"
SHIPPED = "shipment.recorded"
STOCK_AVAILABLE = "stock.available"
SUPPLY_CHANGED = "supply.changed"
QUOTE_LAPSED = "quote.lapsed"
UNITS_RELEASED = "order.units_released"
UNITS_WAITING = "order.units_waiting"
NETWORK_CHANGED = "network.changed"
PRICES_EXPIRED = "routing.prices_expired"
ROUTING_STUCK = "routing.stalled"
ROUTING_DECIDED = "routing.decided"
SHIP_DATE_CHANGED = "promise.ship_date_changed"
PROMISE_AT_RISK = "promise.at_risk"
PROMISE_LATE = "promise.delay_noticed"
PROMISE_ENDED = "promise.cancelled"
PROMISE_STOPPED = "promise.stopped"
PROMISE_RESUMED = "promise.resumed"
PROMISE_AMENDED = "promise.amended"
DELIVERED = "delivery.reported"
DELIVERY_LATE = "delivery.missed"
DELIVERY_EXTENDED = "delivery.extended"
DELIVERY_REFUSED = "delivery.refused"
CONTRACT_TERMINABLE = "delivery.end_allowed"
CONTRACT_ENDED = "delivery.contract_ended"
ADDRESS_ASKED = "order.address_asked"
SHIPMENT_CORRECTED = "promise.shipment_corrected"
SHIPPED_TOO_LATE = "shipment.refused"
DELAY_ANSWERED = "delay.answered"
NOTICE_QUEUED = "notice.queued"
NOTICE_SENT = "notice.sent"
NOTICE_FAILED = "notice.failed"
NOTICE_BOUNCED = "notice.bounced"
REPLY_RECEIVED = "reply.received"
SAMPLE_ASKED = "notice.sample_asked"
IMPORT_QUEUED = "import.queued"
SIMULATION_QUEUED = "simulation.queued"
WEBHOOK_RECEIVED = "webhook.received"

REPORTED = (
    ORDER_CANCELLED,
    LINES_CANCELLED,
    NOTICE_FAILED,
    CAPTURE_FAILED,
    SHIPPED_TOO_LATE,
    PROMISE_ENDED,
    REFUND_ALARMED,
)
"""What the compliance report counts over a period: the timeline has an index by time of these alone, for they are few
among the many."""


def tell(scope: Scope, order_id: UUID, name: str, **data: Any) -> None:
    """Write the event on the order's timeline; nobody reacts."""
    tell_all(scope, name, [(order_id, data)])


def tell_all(scope: Scope, name: str, news: Sequence[tuple[UUID, Mapping[str, Any]]]) -> None:
    """As `tell`, one event of several orders: (order, data)."""
    scope.many(
        "INSERT INTO timeline (tenant_id, id, order_id, name, at, actor, data)"
        " VALUES (:tenant, :id, :order, :name, :at, :actor, CAST(:data AS jsonb))",
        [
            {
                "id": new_id(),
                "order": order_id,
                "name": name,
                "at": scope.now(),
                "actor": str(scope.actor),
                "data": orjson.dumps(data, default=str).decode(),
            }
            for order_id, data in news
        ],
    )


def record(scope: Scope, order_id: UUID, name: str, **data: Any) -> None:
    """Write the event on the order's timeline and have its subscribers react after the commit."""
    record_all(scope, name, [(order_id, data)])


def record_all(scope: Scope, name: str, news: Sequence[tuple[UUID, Mapping[str, Any]]]) -> None:
    """As `record`, one event of several orders: (order, data)."""
    tell_all(scope, name, news)
    scope.all_later(name, news)
