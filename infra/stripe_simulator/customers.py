"""Customers and connected accounts."""

from typing import Any

from infra.stripe_simulator.decoding import Params, full_address, tidy
from infra.stripe_simulator.lists import LIST_PARAMS, list_of, search
from infra.stripe_simulator.payment_methods import attach, detach, usable
from infra.stripe_simulator.scope import PLATFORM, Scope, new_id, public

EDITABLE = ("address", "description", "email", "invoice_settings", "metadata", "name", "phone", "preferred_locales",
            "shipping", "tax_exempt")  # fmt: skip
ACCOUNT_PARAMS = ("business_profile", "business_type", "capabilities", "controller", "country", "default_currency",
                  "email", "metadata", "settings", "tos_acceptance", "type")  # fmt: skip


def create_customer(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/customers. A `payment_method` given with it is attached."""
    params = Params(values, (*EDITABLE, "payment_method"))
    customer: dict[str, Any] = {
        "id": new_id("cus"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": scope.now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": new_id("x")[2:10].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": params.metadata(),
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    _apply(scope, customer, params)
    scope.add(customer)
    scope.event("customer.created", customer)
    given = params.text("payment_method")
    if given is not None:
        attach(scope, usable(scope, given), customer["id"])
    return customer


def update_customer(scope: Scope, customer_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/customers/{id}."""
    params = Params(values, EDITABLE)
    customer = scope.get("customer", customer_id)
    before = public(customer)
    scope.set_metadata(customer, params.metadata(customer["metadata"]))
    _apply(scope, customer, params)
    scope.save(customer)
    previous = {name: before[name] for name in before if before[name] != customer[name]}
    scope.event("customer.updated", customer, previous)
    return customer


def _apply(scope: Scope, customer: dict[str, Any], params: Params) -> None:
    for name in ("description", "email", "name", "phone"):
        if name in params:
            customer[name] = params.text(name, clearable=True)
    if "address" in params:
        customer["address"] = full_address(params.mapping("address"))
    if "shipping" in params:
        shipping = tidy(params.mapping("shipping"))
        customer["shipping"] = shipping and {
            "phone": None,
            **shipping,
            "address": full_address(shipping.get("address")),
        }
    if "tax_exempt" in params:
        customer["tax_exempt"] = params.choice("tax_exempt", ("none", "exempt", "reverse"))
    if "preferred_locales" in params:
        customer["preferred_locales"] = params.words("preferred_locales")
    settings = params.mapping("invoice_settings") or {}
    if "default_payment_method" in settings:
        method = scope.get("payment_method", settings["default_payment_method"], "default_payment_method")
        customer["invoice_settings"] = {
            **customer["invoice_settings"],
            "default_payment_method": method["id"],
        }


def retrieve_customer(scope: Scope, customer_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/customers/{id}. A deleted customer answers with `deleted: true`."""
    Params(values, ())
    found = scope.store.load(scope.account, customer_id)
    return found if found is not None and found.get("deleted") else scope.get("customer", customer_id)


def delete_customer(scope: Scope, customer_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """DELETE /v1/customers/{id}: the cards are detached, the id stays known as deleted."""
    Params(values, ())
    customer = scope.get("customer", customer_id)
    where = {"customer": customer_id}
    for method in scope.store.select(scope.account, "payment_method", where, [], ascending=True, limit=1000):
        detach(scope, method)
    scope.event("customer.deleted", customer)
    scope.set_metadata(customer, {})
    tombstone = {"id": customer_id, "object": "customer", "deleted": True}
    scope.store.bury(scope.account, tombstone)
    return tombstone


def list_customers(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/customers, by `email` when given."""
    params = Params(values, (*LIST_PARAMS, "email"))
    email = params.text("email")
    return list_of(scope, "customer", params, "/v1/customers", {"email": email} if email else None)


def search_customers(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/customers/search."""
    return search(scope, "customer", Params(values, ("query", "limit", "page")), "/v1/customers/search")


def create_account(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/accounts: a connected account. It can take payments at once; the simulator has no onboarding."""
    params = Params(values, ACCOUNT_PARAMS)
    account_id = "acct_" + new_id("1")[2:18]
    account = _account(account_id, scope.now, params)
    scope.store.add_account(account_id)
    return scope.add(account)


def retrieve_own_account(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/account: the account the call speaks for."""
    Params(values, ())
    if scope.account == PLATFORM:
        return scope.find("account", PLATFORM) or scope.add(_account(PLATFORM, scope.now, Params({}, ())))
    return Scope(scope.store, PLATFORM, base_url=scope.base_url).get("account", scope.account)


def retrieve_account(scope: Scope, account_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/accounts/{id}."""
    Params(values, ())
    return scope.get("account", account_id)


def update_account(scope: Scope, account_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/accounts/{id}."""
    params = Params(values, ("business_profile", "business_type", "email", "metadata"))
    account = scope.get("account", account_id)
    scope.set_metadata(account, params.metadata(account["metadata"]))
    account["email"] = params.text("email", account["email"])
    account["business_type"] = params.text("business_type", account["business_type"])
    account["business_profile"].update(tidy(params.mapping("business_profile") or {}))
    return scope.save(account)


def list_accounts(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/accounts."""
    return list_of(scope, "account", Params(values, LIST_PARAMS), "/v1/accounts")


def _account(account_id: str, created: int, params: Params) -> dict[str, Any]:
    requirements: dict[str, Any] = {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": [],
        "disabled_reason": None,
        "errors": [],
        "eventually_due": [],
        "past_due": [],
        "pending_verification": [],
    }
    profile_fields = ("annual_revenue", "estimated_worker_count", "mcc", "name", "product_description",
                      "support_address", "support_email", "support_phone", "support_url", "url")  # fmt: skip
    profile = dict.fromkeys(profile_fields)
    return {
        "id": account_id,
        "object": "account",
        "business_profile": {**profile, **tidy(params.mapping("business_profile") or {})},
        "business_type": params.text("business_type"),
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "application", **tidy(params.mapping("controller") or {})},
        "country": params.text("country", "US"),
        "created": created,
        "default_currency": params.text("default_currency", "usd"),
        "details_submitted": True,
        "email": params.text("email"),
        "external_accounts": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/accounts/{account_id}/external_accounts",
        },
        "future_requirements": dict(requirements),
        "metadata": params.metadata(),
        "payouts_enabled": True,
        "requirements": requirements,
        "settings": {
            "dashboard": {"display_name": profile["name"], "timezone": "Etc/UTC"},
            "payments": {"statement_descriptor": None},
            **tidy(params.mapping("settings") or {}),
        },
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": params.text("type", "none" if "controller" in params else "standard"),
    }
