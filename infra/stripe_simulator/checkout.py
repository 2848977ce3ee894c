"""Checkout Sessions: a hosted page on which a buyer pays, or leaves a card for later."""

from typing import Any

from infra.stripe_simulator import payment_intents, setup_intents
from infra.stripe_simulator.customers import create_customer
from infra.stripe_simulator.decoding import Params, tidy
from infra.stripe_simulator.errors import malformed, refused
from infra.stripe_simulator.lists import LIST_PARAMS, list_of
from infra.stripe_simulator.scope import Scope, new_id

DAY = 86400
PARAMS = ("cancel_url", "client_reference_id", "currency", "customer", "customer_creation", "customer_email",
          "expires_at", "line_items", "metadata", "mode", "payment_intent_data", "payment_method_types",
          "setup_intent_data", "submit_type", "success_url", "ui_mode")  # fmt: skip


def create(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/checkout/sessions in `mode` payment or setup, with a hosted page."""
    params = Params(values, PARAMS)
    params.require("mode")
    params.require("success_url")
    mode = params.choice("mode", ("payment", "setup")) or ""
    # "hosted" became "hosted_page" in later API versions; both say the same.
    params.choice("ui_mode", ("hosted", "hosted_page"), "hosted_page")
    items = _line_items(params) if mode == "payment" else []
    if mode == "setup" and "currency" not in params and "payment_method_types" not in params:
        raise malformed("Missing required param: currency.", code="parameter_missing", param="currency")
    expires_at = params.integer("expires_at", scope.now + DAY) or 0
    if not scope.now + 1800 <= expires_at <= scope.now + DAY:
        raise refused(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    session = _new(scope, params, mode, items, expires_at)
    if mode == "setup":
        data = Params(params.mapping("setup_intent_data") or {}, ("description", "metadata"))
        given = {**data.values, "payment_method_types": ["card"]}
        session["setup_intent"] = setup_intents.create(scope, _with_customer(session, given))["id"]
    else:
        session["_sim"]["intent_data"] = _intent_data(params)
    scope.add(session)
    scope.store.add_due(scope.account, expires_at, "expire_checkout", session["id"])
    return session


def _intent_data(params: Params) -> dict[str, Any]:
    allowed = ("application_fee_amount", "capture_method", "description", "metadata", "receipt_email",
               "setup_future_usage", "shipping", "statement_descriptor", "statement_descriptor_suffix",
               "transfer_group")  # fmt: skip
    return Params(params.mapping("payment_intent_data") or {}, allowed).values


def _with_customer(session: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    return {**given, "customer": session["customer"]} if session["customer"] else given


def _line_items(params: Params) -> list[dict[str, Any]]:
    given = params.values.get("line_items")
    if not isinstance(given, list) or not given:
        raise malformed("Missing required param: line_items.", code="parameter_missing", param="line_items")
    return [_line_item(Params(line, ("price_data", "quantity")), index) for index, line in enumerate(given)]


def _line_item(line: Params, index: int) -> dict[str, Any]:
    where = f"line_items[{index}][price_data]"
    price = Params(
        line.mapping("price_data") or {}, ("currency", "product_data", "unit_amount", "tax_behavior")
    )
    product = price.mapping("product_data") or {}
    if "unit_amount" not in price or "currency" not in price or "name" not in product:
        raise malformed(
            f"Missing required param: {where} with currency, unit_amount and product_data[name].",
            code="parameter_missing",
            param=where,
        )
    quantity = line.integer("quantity", 1, minimum=1) or 1
    total = (price.integer("unit_amount", minimum=0) or 0) * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": (price.text("currency") or "").lower(),
        "description": product["name"],
        "quantity": quantity,
    }


def _new(
    scope: Scope, params: Params, mode: str, items: list[dict[str, Any]], expires_at: int
) -> dict[str, Any]:
    session_id = new_id("cs_test")
    customer = params.text("customer")
    if customer is not None:
        scope.get("customer", customer, "customer")
    total = sum(item["amount_total"] for item in items) if items else None
    email = params.text("customer_email")
    return {
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": None,
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": params.text("cancel_url"),
        "client_reference_id": params.text("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": scope.now,
        "currency": items[0]["currency"] if items else params.text("currency"),
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {"after_submit": None, "shipping_address": None, "submit": None,
                        "terms_of_service_acceptance": None},
        "customer": customer,
        "customer_account": None,
        "customer_creation": params.choice("customer_creation", ("always", "if_required"),
                                           "if_required" if mode == "payment" else None),
        "customer_details": {"address": None, "email": email, "name": None, "phone": None, "tax_exempt": "none",
                             "tax_ids": None} if email else None,
        "customer_email": email,
        "discounts": [],
        "expires_at": expires_at,
        "integration_identifier": None,
        "invoice": None,
        "invoice_creation": None,
        "livemode": False,
        "locale": None,
        "managed_payments": None,
        "metadata": params.metadata(),
        "mode": mode,
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "always" if mode == "setup" else "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.text("submit_type"),
        "subscription": None,
        "success_url": params.text("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0} if items else None,
        "ui_mode": params.text("ui_mode", "hosted_page"),
        "url": f"{scope.base_url}/_simulator/checkout/{scope.account}/{session_id}",
        "wallet_options": None,
        "_sim": {"items": items, "intent_data": {}},
    }  # fmt: skip


def submit(scope: Scope, session: dict[str, Any], card: str) -> dict[str, Any]:
    """The buyer chose a card on the page. Returns the intent; raises ApiError 402 when the card is refused."""
    back = f"{scope.base_url}/_simulator/checkout/{scope.account}/{session['id']}/done"
    values = {"payment_method": f"pm_card_{card}", "return_url": back}
    if session["mode"] == "setup":
        intent = setup_intents.confirm(scope, session["setup_intent"], values)
    else:
        intent = _pay(scope, session, values)
    if intent["status"] in ("succeeded", "requires_capture"):
        complete(scope, session, intent)
    else:
        intent["_sim"]["checkout"] = session["id"]
        scope.save(intent)
    return intent


def _pay(scope: Scope, session: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    if session["payment_intent"] is None:
        if session["customer"] is None and session["customer_creation"] == "always":
            session["customer"] = _new_customer(scope, session)
        given = {
            **session["_sim"]["intent_data"],
            "amount": str(session["amount_total"]),
            "currency": session["currency"],
            "payment_method_types": ["card"],
        }
        session["payment_intent"] = payment_intents.create(scope, _with_customer(session, given))["id"]
        scope.save(session)
    return payment_intents.confirm(scope, session["payment_intent"], values)


def _new_customer(scope: Scope, session: dict[str, Any]) -> str:
    email = {"email": session["customer_email"]} if session["customer_email"] else {}
    return str(create_customer(scope, email)["id"])


def complete(scope: Scope, session: dict[str, Any], intent: dict[str, Any]) -> None:
    """The page has done its work. A payment that is only held counts as unpaid until it is captured."""
    session["status"], session["url"] = "complete", None
    if session["mode"] == "payment":
        session["payment_status"] = "paid" if intent["status"] == "succeeded" else "unpaid"
    scope.save(session)
    scope.store.drop_due(scope.account, session["id"])
    scope.event("checkout.session.completed", session)


def lapse(scope: Scope, session: dict[str, Any]) -> dict[str, Any]:
    """Closes an open session without a payment."""
    session["status"], session["url"] = "expired", None
    scope.save(session)
    scope.store.drop_due(scope.account, session["id"])
    scope.event("checkout.session.expired", session)
    return session


def expire(scope: Scope, session_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/checkout/sessions/{id}/expire."""
    Params(values, ())
    session = scope.get("checkout.session", session_id)
    if session["status"] != "open":
        raise refused(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"{session['status']}."
        )
    return lapse(scope, session)


def retrieve(scope: Scope, session_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/checkout/sessions/{id}."""
    Params(values, ())
    return scope.get("checkout.session", session_id)


def list_all(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/checkout/sessions, by `customer` or `payment_intent` when given."""
    params = Params(values, (*LIST_PARAMS, "customer", "payment_intent"))
    where = {name: params.text(name) for name in ("customer", "payment_intent") if name in params}
    return list_of(scope, "checkout.session", params, "/v1/checkout/sessions", where)


def line_items(scope: Scope, session_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/checkout/sessions/{id}/line_items."""
    Params(values, LIST_PARAMS)
    session = scope.get("checkout.session", session_id)
    return {
        "object": "list",
        "data": tidy(session["_sim"]["items"]),
        "has_more": False,
        "url": f"/v1/checkout/sessions/{session_id}/line_items",
    }
