"""Payment methods: cards made from Stripe's test numbers, tokens and ready-made ids."""

import re
from typing import Any

from infra.stripe_simulator import cards
from infra.stripe_simulator.cards import Card, Decline
from infra.stripe_simulator.decoding import ADDRESS_FIELDS, Params, full_address
from infra.stripe_simulator.errors import ApiError, malformed, refused
from infra.stripe_simulator.lists import LIST_PARAMS, list_of
from infra.stripe_simulator.scope import Scope, new_id, public

CREATE = ("allow_redisplay", "billing_details", "card", "metadata", "type")
REUSED = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a "
    "connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use "
    "a PaymentMethod multiple times, you must attach it to a Customer first."
)


def card_error(decline: Decline, status: int = 402, **details: Any) -> ApiError:
    """The 402 of a declined card. What it left behind (a failed charge) stays."""
    param = {"incorrect_cvc": "cvc", "expired_card": "exp_month"}.get(decline.code)
    return ApiError(
        status,
        "card_error",
        decline.message,
        code=decline.code,
        param=param,
        decline_code=decline.decline_code
        if decline.code in ("card_declined", "authentication_required")
        else None,
        keeps_effects=True,
        **details,
    )


def create_payment_method(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/payment_methods: a card by test number or by `card[token]`."""
    method = from_data(scope, values)
    return scope.add(method)


def from_data(scope: Scope, values: dict[str, Any], param: str = "card") -> dict[str, Any]:
    """A new payment method, not yet stored, from `type`, `card` and `billing_details`."""
    params = Params(values, CREATE)
    params.require("type")
    params.choice("type", ("card",))
    params.require("card")
    details = Params(
        params.mapping("card") or {}, ("number", "exp_month", "exp_year", "cvc", "token", "networks")
    )
    token = details.text("token")
    card = cards.by_token(token) if token else _by_number(details)
    if card is None:
        raise refused(f"No such token: '{token}'", code="resource_missing", param=f"{param}[token]")
    return build(
        scope,
        card,
        expiry=(details.integer("exp_month"), details.integer("exp_year")),
        billing=params.mapping("billing_details"),
        metadata=params.metadata(),
        allow_redisplay=params.text("allow_redisplay", "unspecified") or "unspecified",
    )


def _by_number(details: Params) -> Card:
    number = re.sub(r"[\s-]", "", details.text("number") or "")
    if not number:
        raise malformed(
            "Missing required param: card[number].", code="parameter_missing", param="card[number]"
        )
    for name in ("exp_month", "exp_year"):
        if name not in details:
            raise malformed(
                f"Missing required param: card[{name}].", code="parameter_missing", param=f"card[{name}]"
            )
    if not 1 <= (details.integer("exp_month") or 0) <= 12:
        raise _bad_card("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month")
    card = cards.BY_NUMBER.get(number)
    if card is None:
        raise _bad_card("incorrect_number", "Your card number is incorrect.", "number")
    return card


def _bad_card(code: str, message: str, param: str) -> ApiError:
    return ApiError(402, "card_error", message, code=code, param=param)


def build(
    scope: Scope,
    card: Card,
    *,
    expiry: tuple[int | None, int | None] = (None, None),
    billing: dict[str, Any] | None = None,
    metadata: dict[str, str] | None = None,
    allow_redisplay: str = "unspecified",
) -> dict[str, Any]:
    """The object for a test card, not yet stored. Without an expiry the card is good for years."""
    month, year = expiry
    details = billing or {}
    return {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": allow_redisplay,
        "billing_details": {
            "address": full_address(details.get("address")) or dict.fromkeys(ADDRESS_FIELDS),
            "email": details.get("email") or None,
            "name": details.get("name") or None,
            "phone": details.get("phone") or None,
            "tax_id": None,
        },
        "card": {
            "brand": card.brand,
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
                "cvc_check": "pass" if card.name != "chargeDeclinedIncorrectCvc" else "fail",
            },
            "country": card.country,
            "display_brand": card.brand,
            "exp_month": month or 8,
            "exp_year": year or 2040,
            "fingerprint": card.fingerprint,
            "funding": card.funding,
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": card.name != "threeDSecureNotSupported"},
            "wallet": None,
        },
        "created": scope.now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": metadata or {},
        "type": "card",
        "_sim": {"card": card.name, "set_up": False, "spent": False},
    }


def card_of(method: dict[str, Any]) -> Card:
    """The test card behind a payment method."""
    return cards.BY_NAME[method["_sim"]["card"]]


def usable(scope: Scope, method_id: str, param: str = "payment_method") -> dict[str, Any]:
    """The payment method to use. A ready-made id such as `pm_card_visa` becomes a new object, as at Stripe.

    Raises ApiError 400 for an unknown one and for one that was used up without a customer.
    """
    card = cards.by_payment_method_id(method_id)
    if card is not None:
        return scope.add(build(scope, card))
    method = scope.get("payment_method", method_id, param)
    if method["_sim"]["spent"] and method["customer"] is None:
        raise refused(REUSED)
    return method


def attach(scope: Scope, method: dict[str, Any], customer_id: str) -> dict[str, Any]:
    """Saves a card with a customer. Raises ApiError 402 where the issuer refuses at that moment already."""
    scope.get("customer", customer_id, "customer")
    if method["customer"] is not None and method["customer"] != customer_id:
        raise refused("The payment method you provided has already been attached to a customer.")
    card = card_of(method)
    if card.decline is not None and not card.attaches:
        raise card_error(card.decline)
    if method["customer"] is None:
        method["customer"] = customer_id
        scope.save(method)
        scope.event("payment_method.attached", method)
    return method


def detach(scope: Scope, method: dict[str, Any]) -> dict[str, Any]:
    """Removes a card from its customer; it can never be used again."""
    if method["customer"] is None:
        raise refused(
            "The payment method you provided is not attached to a customer so detachment is impossible.",
            param="payment_method",
        )
    previous = {"customer": method["customer"]}
    method["customer"] = None
    method["_sim"]["spent"] = True
    scope.save(method)
    scope.event("payment_method.detached", method, previous)
    return method


def attach_payment_method(scope: Scope, method_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/payment_methods/{id}/attach."""
    params = Params(values, ("customer",))
    params.require("customer")
    card = cards.by_payment_method_id(method_id)
    method = build(scope, card) if card else scope.get("payment_method", method_id)
    if card:
        scope.add(method)
    elif method["_sim"]["spent"] and method["customer"] is None:
        raise refused(REUSED)
    return attach(scope, method, params.text("customer") or "")


def detach_payment_method(scope: Scope, method_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/payment_methods/{id}/detach."""
    Params(values, ())
    return detach(scope, scope.get("payment_method", method_id))


def retrieve_payment_method(scope: Scope, method_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/payment_methods/{id}."""
    Params(values, ())
    card = cards.by_payment_method_id(method_id)
    return scope.add(build(scope, card)) if card else scope.get("payment_method", method_id)


def update_payment_method(scope: Scope, method_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/payment_methods/{id}."""
    params = Params(values, ("allow_redisplay", "billing_details", "card", "metadata"))
    method = scope.get("payment_method", method_id)
    before = public(method)
    scope.set_metadata(method, params.metadata(method["metadata"]))
    billing = params.mapping("billing_details") or {}
    changed: dict[str, Any] = {
        name: billing[name] or None for name in ("email", "name", "phone") if name in billing
    }
    if "address" in billing:
        changed["address"] = full_address(billing["address"]) or dict.fromkeys(ADDRESS_FIELDS)
    method["billing_details"] = {**method["billing_details"], **changed}
    expiry = Params(params.mapping("card") or {}, ("exp_month", "exp_year"))
    method["card"] = {**method["card"], **{name: expiry.integer(name) for name in expiry.values}}
    scope.save(method)
    previous = {name: before[name] for name in before if before[name] != method[name]}
    scope.event("payment_method.updated", method, previous)
    return method


def list_payment_methods(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/payment_methods of a customer."""
    params = Params(values, (*LIST_PARAMS, "customer", "type", "allow_redisplay"))
    params.choice("type", ("card",))
    customer = params.text("customer")
    if customer is None:
        return {"object": "list", "data": [], "has_more": False, "url": "/v1/payment_methods"}
    scope.get("customer", customer, "customer")
    return list_of(scope, "payment_method", params, "/v1/payment_methods", {"customer": customer})


def list_of_customer(scope: Scope, customer: str, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/customers/{id}/payment_methods."""
    scope.get("customer", customer)
    params = Params(values, (*LIST_PARAMS, "type", "allow_redisplay"))
    params.choice("type", ("card",))
    url = f"/v1/customers/{customer}/payment_methods"
    return list_of(scope, "payment_method", params, url, {"customer": customer})


def retrieve_of_customer(
    scope: Scope, customer: str, method_id: str, values: dict[str, Any]
) -> dict[str, Any]:
    """GET /v1/customers/{id}/payment_methods/{id}."""
    Params(values, ())
    scope.get("customer", customer)
    method = scope.get("payment_method", method_id)
    if method["customer"] != customer:
        raise refused("The customer does not have a payment method with that ID.", param="payment_method")
    return method
