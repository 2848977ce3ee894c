"""PaymentIntents: what a payment is asked to be, and where it can be read."""

from typing import Any

from infra.stripe_simulator.decoding import Params, full_address, tidy
from infra.stripe_simulator.errors import malformed, money, refused
from infra.stripe_simulator.lists import LIST_PARAMS, list_of, search
from infra.stripe_simulator.payment_flow import attempt, check_owner, unexpected
from infra.stripe_simulator.payment_methods import from_data, usable
from infra.stripe_simulator.scope import Scope, new_id

SMALLEST = {"usd": 50, "eur": 50, "cad": 50, "gbp": 30, "mxn": 1000, "jpy": 50}
LARGEST = 99_999_999
EDITABLE = ("amount", "application_fee_amount", "capture_method", "currency", "customer", "description", "metadata",
            "payment_method", "payment_method_data", "payment_method_options", "payment_method_types",
            "receipt_email", "setup_future_usage", "shipping", "statement_descriptor",
            "statement_descriptor_suffix", "transfer_group")  # fmt: skip
CONFIRMABLE = ("error_on_requires_action", "off_session", "return_url", "use_stripe_sdk")
CREATE = (*EDITABLE, *CONFIRMABLE, "automatic_payment_methods", "confirm", "confirmation_method")
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def create(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/payment_intents. With `confirm` the card is tried at once (ApiError 402 when it is declined)."""
    params = Params(values, CREATE)
    params.require("amount")
    params.require("currency")
    if not params.boolean("confirm"):
        for name in ("off_session", "return_url", "error_on_requires_action"):
            if name in params:
                raise malformed(f"`{name}` can only be provided when `confirm` is `true`.", param=name)
    intent = _new(scope, params)
    _apply(scope, intent, params)
    intent["metadata"] = params.metadata()
    intent["status"] = "requires_confirmation" if intent["payment_method"] else "requires_payment_method"
    scope.add(intent)
    scope.event("payment_intent.created", intent)
    if params.boolean("confirm"):
        attempt(scope, intent, params)
    return intent


def _new(scope: Scope, params: Params) -> dict[str, Any]:
    intent_id = new_id("pi")
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": 0,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": _automatic(params),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret_{new_id('x')[2:]}",
        "confirmation_method": params.choice("confirmation_method", ("automatic", "manual"), "automatic"),
        "created": scope.now,
        "currency": "usd",
        "customer": None,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"installments": None, "mandate_options": None, "network": None,
                                            "request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        "_sim": {"off_session": False, "return_url": None},
    }  # fmt: skip


def _automatic(params: Params) -> dict[str, Any] | None:
    """Payment methods are chosen by the dashboard unless the call names them: Stripe's default since 2023-08-16."""
    if "payment_method_types" in params:
        return None
    given = Params(params.mapping("automatic_payment_methods") or {}, ("enabled", "allow_redirects"))
    if not given.boolean("enabled", default=True):
        return None
    return {
        "allow_redirects": given.choice("allow_redirects", ("always", "never"), "always"),
        "enabled": True,
    }


def _apply(scope: Scope, intent: dict[str, Any], params: Params) -> None:
    if "currency" in params:
        intent["currency"] = _currency(params)
    if "amount" in params:
        intent["amount"] = _amount(params, intent["currency"])
    if "capture_method" in params:
        intent["capture_method"] = params.choice("capture_method", ("automatic", "automatic_async", "manual"))
    if "customer" in params:
        intent["customer"] = scope.get("customer", params.text("customer") or "", "customer")["id"]
    if "setup_future_usage" in params:
        intent["setup_future_usage"] = params.choice("setup_future_usage", ("off_session", "on_session"))
    if "shipping" in params:
        shipping = tidy(params.mapping("shipping"))
        intent["shipping"] = shipping and {
            "carrier": None, "name": None, "phone": None, "tracking_number": None, **shipping,
            "address": full_address(shipping.get("address")),
        }  # fmt: skip
    for name in ("description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix",
                 "transfer_group"):  # fmt: skip
        if name in params:
            intent[name] = params.text(name, clearable=True)
    if "application_fee_amount" in params:
        intent["application_fee_amount"] = params.integer("application_fee_amount", minimum=0)
    for kind in params.words("payment_method_types") or ():
        if kind != "card":
            raise refused(
                f"The payment method type provided: {kind} is invalid.", param="payment_method_types"
            )
    if "payment_method_options" in params:
        card = tidy((params.mapping("payment_method_options") or {}).get("card") or {})
        options = intent["payment_method_options"]
        intent["payment_method_options"] = {**options, "card": {**options["card"], **card}}
    method = _method(scope, params)
    if method is not None:
        check_owner(intent, method)
        intent["payment_method"] = method["id"]


def _currency(params: Params) -> str:
    currency = (params.text("currency") or "").lower()
    if len(currency) != 3 or not currency.isalpha():
        raise malformed(f"Invalid currency: {currency}.", param="currency")
    return currency


def _amount(params: Params, currency: str) -> int:
    amount = params.integer("amount", minimum=1) or 0
    smallest = SMALLEST.get(currency, 50)
    if amount < smallest:
        raise refused(
            f"Amount must be at least {money(smallest, currency)}", code="amount_too_small", param="amount"
        )
    if amount > LARGEST:
        raise refused(
            f"Amount must be no more than {money(LARGEST, currency)}", code="amount_too_large", param="amount"
        )
    return amount


def _method(scope: Scope, params: Params) -> dict[str, Any] | None:
    if "payment_method_data" in params:
        return scope.add(
            from_data(scope, params.mapping("payment_method_data") or {}, "payment_method_data[card]")
        )
    given = params.text("payment_method", clearable=True)
    return usable(scope, given) if given else None


def confirm(scope: Scope, intent_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/payment_intents/{id}/confirm."""
    params = Params(values, (*CONFIRMABLE, "capture_method", "payment_method", "payment_method_data",
                             "payment_method_options", "receipt_email", "setup_future_usage", "shipping"))  # fmt: skip
    intent = scope.get("payment_intent", intent_id)
    if intent["status"] not in OPEN:
        raise unexpected(
            intent,
            f"You cannot confirm this PaymentIntent because it has already {_past(intent['status'])}."
            if intent["status"] in ("succeeded", "canceled")
            else f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}.",
        )
    _apply(scope, intent, params)
    attempt(scope, intent, params)
    return intent


def _past(status: str) -> str:
    return "succeeded after being previously confirmed" if status == "succeeded" else "been canceled"


def update(scope: Scope, intent_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/payment_intents/{id}. Once the card was tried, only words about the payment can change."""
    params = Params(values, EDITABLE)
    intent = scope.get("payment_intent", intent_id)
    fixed = [name for name in values if name not in ("description", "metadata", "receipt_email", "shipping",
                                                     "expand", "transfer_group")]  # fmt: skip
    if intent["status"] not in OPEN and fixed:
        raise unexpected(
            intent,
            f"This PaymentIntent's {fixed[0]} could not be updated because it has a status of {intent['status']}. You "
            f"may only update the {fixed[0]} of a PaymentIntent with one of the following statuses: {', '.join(OPEN)}.",
        )
    scope.set_metadata(intent, params.metadata(intent["metadata"]))
    _apply(scope, intent, params)
    if intent["status"] in OPEN and intent["payment_method"] and "payment_method" in params:
        intent["status"], intent["next_action"] = "requires_confirmation", None
    return scope.save(intent)


def retrieve(scope: Scope, intent_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/payment_intents/{id}."""
    Params(values, ("client_secret",))
    return scope.get("payment_intent", intent_id)


def list_all(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/payment_intents, by `customer` and `created` when given."""
    params = Params(values, (*LIST_PARAMS, "customer"))
    customer = params.text("customer")
    return list_of(
        scope, "payment_intent", params, "/v1/payment_intents", {"customer": customer} if customer else None
    )


def search_all(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/payment_intents/search."""
    params = Params(values, ("query", "limit", "page"))
    return search(scope, "payment_intent", params, "/v1/payment_intents/search")
