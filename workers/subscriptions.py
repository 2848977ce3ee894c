"""Who reacts to what: one table."""

from __future__ import annotations

from app import events
from app.accounts import mails
from app.allocation import expectations, matching
from app.cancellation import lapses, reactions
from app.exceptions import replies
from app.exceptions import service as exceptions
from app.fulfillment import moves, shortfalls, windows
from app.fulfillment import service as fulfillment
from app.imports import service as imports
from app.intake import addresses, completion
from app.notices import delivery, letters, sampling
from app.payments import account, attempts, calls, holds, settlement
from app.payments import service as payments
from app.promises import bulk, deliveries, revisions, watch
from app.quotes import service as quotes
from app.refunds import owing, rows
from app.refunds import service as refunds
from app.routing import refresh, runs
from app.tax import service as tax
from tenants import members
from workers.handlers import Call, Handler, Verb

ASK = Call(calls.begin, calls.call, calls.finish, calls.failed)

SUBSCRIPTIONS: dict[str, tuple[Handler, ...]] = {
    events.TENANT_OPENED: (Call(account.begin, account.call, account.finish), Verb(watch.arm_scan)),
    events.ORDER_PLACED: (
        Call(tax.begin, tax.call, tax.finish, tax.failed),
        Verb(matching.order_placed),
        Verb(expectations.order_placed),
        Verb(exceptions.cancel_unfilled),
    ),
    tax.SETTLE: (Call(tax.again_begin, tax.again_call, tax.again_finish),),
    events.ORDER_TAXED: (Verb(payments.start), Verb(fulfillment.release_work), Verb(letters.received)),
    events.WINDOW_CLOSED: (Call(windows.begin, windows.call, windows.finish, windows.failed),),
    events.ORDER_ROUTED: (Verb(fulfillment.release_work), Verb(exceptions.routed), Verb(revisions.review)),
    events.ROUTING_STUCK: (Verb(exceptions.cancel_unfilled), Verb(revisions.review)),
    events.PAYMENT_AUTHORIZED: (Verb(completion.paid), Verb(fulfillment.release_work)),
    events.HOLD_RELEASED: (Verb(fulfillment.release_work), Verb(fulfillment.deliver_digital)),
    attempts.ASK: (ASK,),
    payments.SETTLE: (ASK,),
    payments.LOOK: (Call(calls.look_begin, calls.look, calls.finish),),
    settlement.RENEW: (Verb(payments.renew),),
    settlement.RETRY: (Verb(payments.retry),),
    holds.LAPSED: (Verb(payments.give_up),),
    events.SHIPPED: (Verb(payments.take), Verb(letters.shipped), Verb(owing.shipped)),
    events.PAYMENT_CAPTURED: (Verb(letters.parcel_left), Verb(owing.captured)),
    events.CAPTURE_FAILED: (Verb(letters.parcel_left),),
    events.PAYMENT_VOIDED: (Verb(refunds.settle),),
    events.PAYMENT_EXPIRED: (Verb(refunds.settle),),
    events.PAYMENT_REFUNDED: (Verb(refunds.settle),),
    events.REFUND_FAILED: (Verb(refunds.failed),),
    rows.SETTLE: (Verb(refunds.settle),),
    rows.WATCH: (Verb(refunds.watch),),
    events.PAYMENT_NEEDED: (Verb(completion.refused), Verb(letters.payment_needed)),
    events.PAYMENT_ABANDONED: (Verb(reactions.unpaid),),
    events.LINES_CANCELLED: (
        Verb(payments.let_go),
        Verb(reactions.owe_back),
        Verb(letters.cancelled),
        Verb(exceptions.cancelled),
        Verb(deliveries.stand),
    ),
    events.ORDER_CANCELLED: (
        Verb(payments.let_go),
        Verb(reactions.owe_back),
        Verb(letters.cancelled),
        Verb(exceptions.cancelled),
        Verb(deliveries.stand),
    ),
    events.DELAY_ANSWERED: (Verb(lapses.due),),
    lapses.RECALL_OVER: (Verb(lapses.recall_over),),
    watch.SCAN: (Verb(watch.scan),),
    watch.DUE: (Verb(lapses.due), Verb(revisions.review), Verb(deliveries.look)),
    events.ADDRESS_CHANGED: (Verb(addresses.came), Verb(shortfalls.take_back)),
    events.NOTICE_QUEUED: (Call(delivery.begin, delivery.call, delivery.finish), Verb(refunds.stated)),
    bulk.REVISE: (Verb(bulk.send),),
    events.NOTICE_FAILED: (Verb(lapses.due), Verb(revisions.review)),
    events.NOTICE_BOUNCED: (Verb(lapses.due), Verb(revisions.review), Verb(refunds.unstated)),
    events.REPLY_RECEIVED: (Verb(replies.take),),
    events.SAMPLE_ASKED: (Call(sampling.begin, sampling.call, sampling.finish),),
    events.WEBHOOK_RECEIVED: (Verb(payments.heard),),
    events.IMPORT_QUEUED: (Verb(imports.work),),
    events.SIMULATION_QUEUED: (Verb(runs.work),),
    events.STOCK_AVAILABLE: (Verb(matching.stock_available),),
    events.QUOTE_LAPSED: (Verb(quotes.lapsed),),
    events.SUPPLY_CHANGED: (Verb(expectations.supply_changed),),
    events.SHIP_DATE_CHANGED: (Verb(lapses.due), Verb(revisions.review)),
    events.PRICES_EXPIRED: (Call(refresh.begin, refresh.call, refresh.finish),),
    events.NETWORK_CHANGED: (Verb(moves.move_on), Verb(matching.network_changed)),
    events.WORK_SUBMITTED: (Verb(fulfillment.deliver_digital),),
    events.WORK_REJECTED: (Verb(shortfalls.route_again),),
    events.WORK_SHORT: (Verb(shortfalls.route_again),),
    events.UNITS_WAITING: (Verb(shortfalls.route_again),),
    members.INVITED: (Call(mails.begin_invitation, mails.send_invitation, mails.finish_invitation),),
}
