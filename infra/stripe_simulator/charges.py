"""Charges: what happens at the card when an intent is confirmed, captured or let go."""

from typing import Any

from infra.stripe_simulator.cards import AUTHENTICATION_REQUIRED, Card, Decline
from infra.stripe_simulator.decoding import Params
from infra.stripe_simulator.lists import LIST_PARAMS, list_of, search
from infra.stripe_simulator.payment_methods import card_of
from infra.stripe_simulator.scope import Scope, new_id

DAY = 86400
# Stripe, "Place a hold on a payment method": 7 days online; 5 days where the merchant starts a Visa payment.
HOLD_SECONDS = 7 * DAY
HOLD_SECONDS_OFF_SESSION = 5 * DAY
# Stripe's United States list price, for the fee on balance transactions: 2.9 % + 30 cents.
FEE_PER_MILLE, FEE_FIXED = 29, 30


def needs_authentication(method: dict[str, Any], *, off_session: bool) -> bool:
    """Whether the bank asks for 3-D Secure on this payment."""
    card = card_of(method)
    if card.authentication == "unless_set_up":
        return not method["_sim"]["set_up"]
    if card.authentication == "on_session":
        return not off_session
    return card.authentication == "always"


def refusal(method: dict[str, Any], *, off_session: bool, authenticated: bool) -> Decline | None:
    """Why the issuer refuses this payment, or None."""
    if off_session and not authenticated and needs_authentication(method, off_session=True):
        return AUTHENTICATION_REQUIRED
    return card_of(method).decline


def charge(
    scope: Scope, intent: dict[str, Any], method: dict[str, Any], *, off_session: bool, authenticated: bool
) -> tuple[dict[str, Any], Decline | None]:
    """Tries the card. Stores the charge, held or taken or failed, and returns it with the refusal if there is one."""
    decline = refusal(method, off_session=off_session, authenticated=authenticated)
    manual = intent["capture_method"] == "manual"
    made = _charge(scope, intent, method, decline, authenticated=authenticated)
    if decline is not None:
        scope.add(made)
        scope.event("charge.failed", made)
        scope.effect(
            "decline", made["amount"], made["currency"], charge=made["id"], payment_intent=intent["id"]
        )
        return made, decline
    if manual:
        hold = HOLD_SECONDS_OFF_SESSION if off_session else HOLD_SECONDS
        made["payment_method_details"]["card"]["capture_before"] = scope.now + hold
        scope.store.add_due(scope.account, scope.now + hold, "expire_hold", intent["id"])
        scope.effect(
            "authorize", made["amount"], made["currency"], charge=made["id"], payment_intent=intent["id"]
        )
    else:
        made["captured"], made["amount_captured"] = True, made["amount"]
        made["balance_transaction"] = book(scope, "charge", made["amount"], made)
        scope.effect(
            "charge", made["amount"], made["currency"], charge=made["id"], payment_intent=intent["id"]
        )
    scope.add(made)
    scope.event("charge.succeeded", made)
    return made, None


def capture(scope: Scope, made: dict[str, Any], amount: int, *, final: bool) -> None:
    """Takes part or all of a hold. A final capture gives the rest back to the card.

    As at Stripe, what is given back counts in `amount_refunded`, though there is no refund object for it.
    """
    before = {
        name: made[name] for name in ("amount_captured", "captured", "balance_transaction", "amount_refunded")
    }
    made["amount_captured"] += amount
    made["captured"] = True
    if amount:
        made["balance_transaction"] = book(scope, "charge", amount, made)
        scope.effect(
            "capture", amount, made["currency"], charge=made["id"], payment_intent=made["payment_intent"]
        )
    if final:
        _give_back(scope, made, made["amount"] - made["amount_captured"])
    scope.save(made)
    scope.event("charge.captured", made, {name: old for name, old in before.items() if made[name] != old})


def release(scope: Scope, charge_id: str, event_type: str) -> dict[str, Any]:
    """Lets a hold go, by cancellation (`charge.refunded`) or by time (`charge.expired`)."""
    made = scope.get("charge", charge_id)
    before = {name: made[name] for name in ("amount_refunded", "refunded")}
    _give_back(scope, made, made["amount"] - made["amount_captured"] - made["amount_refunded"])
    made["refunded"] = made["amount_captured"] == 0
    scope.save(made)
    scope.event(event_type, made, before)
    return made


def _give_back(scope: Scope, made: dict[str, Any], rest: int) -> None:
    if rest:
        made["amount_refunded"] += rest
        scope.effect(
            "release", rest, made["currency"], charge=made["id"], payment_intent=made["payment_intent"]
        )


def book(scope: Scope, kind: str, amount: int, source: dict[str, Any]) -> str:
    """A balance transaction of `amount` (minor units, negative for money leaving); returns its id."""
    fee = (amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED if kind == "charge" else 0
    details = [
        {"amount": fee, "application": None, "currency": source["currency"],
         "description": "Stripe processing fees", "type": "stripe_fee"}
    ] if fee else []  # fmt: skip
    entry = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": scope.now + 2 * DAY,
        "balance_type": "payments",
        "created": scope.now,
        "currency": source["currency"],
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": details,
        "net": amount - fee,
        "reporting_category": kind,
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }
    return str(scope.add(entry)["id"])


def _charge(
    scope: Scope,
    intent: dict[str, Any],
    method: dict[str, Any],
    decline: Decline | None,
    *,
    authenticated: bool,
) -> dict[str, Any]:
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "STRIPE SIMULATOR",
        "captured": False,
        "created": scope.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": _outcome(decline),
        "paid": decline is None,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {
            "card": _card_details(scope, intent, card_of(method), method, authenticated),
            "type": "card",
        },
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "failed" if decline else "succeeded",
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
    }


def _outcome(decline: Decline | None) -> dict[str, Any]:
    refused = {
        "network_status": "declined_by_network",
        "reason": decline.decline_code,
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    } if decline else {
        "network_status": "approved_by_network",
        "reason": None,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }  # fmt: skip
    return {
        "advice_code": "try_again_later"
        if decline and decline.decline_code == "insufficient_funds"
        else None,
        "network_advice_code": None,
        "network_decline_code": None,
        "risk_level": "normal",
        "risk_score": 12,
        **refused,
    }


def _card_details(
    scope: Scope, intent: dict[str, Any], card: Card, method: dict[str, Any], authenticated: bool
) -> dict[str, Any]:
    shown = method["card"]
    three_d_secure = {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": new_id("x")[2:],
        "version": "2.2.0",
    }
    return {
        "amount_authorized": intent["amount"],
        "authorization_code": "000000",
        "brand": card.brand,
        "checks": shown["checks"],
        "country": shown["country"],
        "exp_month": shown["exp_month"],
        "exp_year": shown["exp_year"],
        "extended_authorization": {"status": "disabled"},
        "fingerprint": shown["fingerprint"],
        "funding": shown["funding"],
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": shown["last4"],
        "mandate": None,
        "multicapture": {"status": "available" if can_multicapture(scope, intent) else "unavailable"},
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": new_id("x")[2:17],
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": three_d_secure if authenticated else None,
        "transaction_link_id": None,
        "wallet": None,
    }


def can_multicapture(scope: Scope, intent: dict[str, Any]) -> bool:
    """Several captures of one hold: the account must have it and the intent must have asked for it."""
    asked = (intent["payment_method_options"].get("card") or {}).get("request_multicapture")
    return scope.multicapture and asked == "if_available" and intent["capture_method"] == "manual"


def retrieve_charge(scope: Scope, charge_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/charges/{id}."""
    Params(values, ())
    return scope.get("charge", charge_id)


def list_charges(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/charges, by `customer` or `payment_intent` when given."""
    params = Params(values, (*LIST_PARAMS, "customer", "payment_intent"))
    where = {name: params.text(name) for name in ("customer", "payment_intent") if name in params}
    return list_of(scope, "charge", params, "/v1/charges", where)


def search_charges(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/charges/search."""
    return search(scope, "charge", Params(values, ("query", "limit", "page")), "/v1/charges/search")


def retrieve_balance_transaction(scope: Scope, entry_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/balance_transactions/{id}."""
    Params(values, ())
    return scope.get("balance_transaction", entry_id)


def list_balance_transactions(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/balance_transactions."""
    return list_of(scope, "balance_transaction", Params(values, LIST_PARAMS), "/v1/balance_transactions")
