"""Who reacts to what: one table."""

from __future__ import annotations

from app import events
from app.fulfillment import service as fulfillment
from workers.handlers import Handler, Verb

SUBSCRIPTIONS: dict[str, tuple[Handler, ...]] = {
    events.ORDER_PLACED: (Verb(fulfillment.release_work),),
    events.ORDER_TAXED: (Verb(fulfillment.release_work),),
    events.ORDER_ROUTED: (Verb(fulfillment.release_work),),
    events.PAYMENT_AUTHORIZED: (Verb(fulfillment.release_work),),
    events.HOLD_RELEASED: (Verb(fulfillment.release_work),),
    events.WORK_SUBMITTED: (Verb(fulfillment.deliver_digital),),
}
