"""Every door, walked from the URL map: another tenant, a provider without the grant and a caller without the
permission get 404 or 403, a stranger 401, and nothing changes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from werkzeug.routing import Rule

from app.models import metadata
from app.routing import stuck
from app.routing.documents import default_document
from tenants.scope import inside
from tests.factories import Merchant
from tests.services import Database

NOT_COMPARED = {"api_keys"}  # last_used_at moves
OWN_CODES = {"catalog.put", "network.put", "network.put_card", "inbound.put"}
"""A code is the merchant's own: the same one in another tenant is another SKU, node, rate card or inbound order,
made there."""
READ_BY_POST = ("/quotes", "/validation")
"""They answer a question that does not fit into an address, and hold nothing."""
BODIES: dict[str, Any] = {
    "cancellation.cancel": {"reason": "test"},
    "cancellation.refuse": {"reason": "packed already"},
    "fulfillment.reject": {"reason": "closed"},
    "fulfillment.pick": {"lines": [{"sku": "A", "quantity": 1}]},
    "fulfillment.pack": {"lines": [{"sku": "A", "quantity": 1}]},
    "fulfillment.shipments": {
        "lines": [{"sku": "A", "quantity": 1}],
        "carrier": "UPS",
        "service": "Ground",
        "tracking_number": "1Z",
    },
    "fulfillment.handover": {"handed_to": {"name": "M", "identified_by": "passport"}},
    "promises.send": {"ship_by": None, "reason": "The supplier is late"},
    "promises.answer": {
        "notice": "none",
        "answer": "consent",
        "channel": "phone",
        "evidence": "Call 4711",
    },
    "promises.amendment": {"lines": ["none"], "ship_by": "2100-01-01", "evidence": "Chat"},
    "cancellation.will_not_ship": {"reason": "The kiln is gone"},
    "inbound.receive": {"receipt": "GRN-2", "lines": [{"sku": "A", "quantity": 1}]},
    "cancellation.delivery_report": {"said": "delivered", "evidence": "Carrier's scan"},
    "order_intake.address_request": {"outcome": "asked", "evidence": "Mail of today"},
    "orders.hold": {"kind": "manual", "reason": "test"},
    "orders.address": {
        "line1": "1 Main St",
        "city": "Boise",
        "region": "ID",
        "postal_code": "83702",
        "country": "US",
    },
    "refunds.pay": {"form": "check", "reference": "1041", "sent_on": "2026-01-05"},
    "refunds.impossible": {"reason": "closed", "discovered_on": "2026-01-05"},
    "refunds.statement": {"reference": "by post", "sent_on": "2026-01-05"},
    "routing.activate_rules": {"replaces": 1},
    "routing_exceptions.resolve": {"action": "backorder"},
}


@pytest.fixture
def scene(merchant: Merchant) -> dict[str, str]:
    """One of everything that has an id, in the first tenant."""
    node = merchant.node("N")
    merchant.node("ELSEWHERE", postal_code="10001", region="NY")
    merchant.ok("PUT", "/rate-cards/CARD", {"name": "Ground"})
    merchant.sku("A")
    merchant.stock(node, "A", 10)
    coming = {"supplier": "S", "node": node, "lines": [{"sku": "A", "quantity": 5}]}
    merchant.ok("PUT", "/inbound/PO", coming)
    paid = [{"kind": "external", "reference": "paid"}]
    order = merchant.order(("A", 2), tenders=paid)
    merchant.drain()
    dropped = merchant.order(("A", 1), tenders=[{"kind": "check", "reference": "88"}])
    merchant.ok("POST", f"/orders/{dropped['id']}/cancellation", {"reason": "test"})
    merchant.drain()
    [due] = merchant.ok("GET", "/refunds-due")["data"]
    work = merchant.ok("GET", f"/orders/{order['id']}")["fulfillment_orders"][0]
    assert work["request_status"] == "submitted"
    merchant.ok("POST", "/stock/counts", {"node": node, "lines": [{"sku": "A", "on_hand": 9}]})
    case = merchant.ok("GET", "/stock/cases")["data"][0]
    draft = merchant.ok("POST", "/routing/rules", {"document": default_document()})
    with inside(merchant.tenant_id) as scope:
        stuck.leave(scope, UUID(order["id"]), "nowhere", "test")
    merchant.drain()
    [stands] = merchant.ok("GET", "/routing/exceptions")["data"]
    basket = {"channel": "web", "ship_to": order["ship_to"], "lines": [{"sku": "A", "quantity": 1}]}
    quote = merchant.ok("POST", "/quotes", basket | {"hold_minutes": 60})
    return {
        "orders": order["id"],
        "fulfillment-orders": work["id"],
        "refunds-due": due["id"],
        "skus": "A",
        "nodes": node,
        "rate-cards": "CARD",
        "inbound": "PO",
        "cases": case["id"],
        "exceptions": stands["id"],
        "rules": str(draft["version"]),
        "imports": "01a20000-0000-7000-8000-000000000000",
        "quotes": quote["id"],
        "simulations": "01a20000-0000-7000-8000-000000000000",
    }


def api_rules(app: Flask) -> list[tuple[Rule, str]]:
    return [
        (rule, method)
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
        if rule.rule.startswith("/v1/")
    ]


def with_ids(rule: Rule, scene: dict[str, str]) -> str:
    """The rule's address about the scene's rows: each id is named by the word before it."""
    parts = rule.rule.removeprefix("/v1").split("/")
    return "/".join(scene[parts[at - 1]] if part.startswith("<") else part for at, part in enumerate(parts))


def fingerprint(database: Database, tenant_id: Any) -> dict[str, tuple]:
    with psycopg.connect(database.superuser_url) as connection:
        return {
            table.name: connection.execute(
                f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table.name} t"
                " WHERE tenant_id = %s",
                [tenant_id],
            ).fetchone()
            for table in metadata.sorted_tables
            if table.info["scope"] == "TENANT" and table.name not in NOT_COMPARED
        }


def test_another_tenant_finds_nothing_and_changes_nothing(
    app: Flask, merchant: Merchant, other_merchant: Merchant, database: Database, scene: dict[str, str]
) -> None:
    before = fingerprint(database, merchant.tenant_id)
    wrong = []
    for rule, method in api_rules(app):
        if rule.arguments and not (rule.endpoint in OWN_CODES and method == "PUT"):
            answer = other_merchant.call(method, with_ids(rule, scene), BODIES.get(rule.endpoint, {}))
            if answer.status_code != 404:
                wrong.append((method, rule.rule, answer.status_code, answer.get_data(as_text=True)[:200]))
    assert wrong == []
    assert fingerprint(database, merchant.tenant_id) == before


def test_a_provider_without_the_grant_finds_nothing(
    app: Flask, merchant: Merchant, database: Database, scene: dict[str, str]
) -> None:
    provider = merchant.provider_key("ELSEWHERE")
    before = fingerprint(database, merchant.tenant_id)
    wrong = []
    for rule, method in api_rules(app):
        if rule.arguments:
            answer = provider.call(method, with_ids(rule, scene), BODIES.get(rule.endpoint, {}))
            if answer.status_code not in (403, 404):
                wrong.append((method, rule.rule, answer.status_code))
    assert wrong == []
    assert provider.ok("GET", "/fulfillment-orders")["data"] == []
    assert provider.post("/stock/counts", {"node": "N", "lines": []}).status_code in (404, 422)
    assert fingerprint(database, merchant.tenant_id) == before


def test_every_door_needs_its_own_permission(
    app: Flask, merchant: Merchant, database: Database, scene: dict[str, str]
) -> None:
    nobody = merchant.another_key()
    before = fingerprint(database, merchant.tenant_id)
    wrong = []
    for rule, method in api_rules(app):
        answer = nobody.call(method, with_ids(rule, scene), BODIES.get(rule.endpoint, {}))
        if answer.status_code != 403:
            wrong.append((method, rule.rule, answer.status_code))
        stranger = app.test_client().open("/v1" + with_ids(rule, scene), method=method, json={})
        if stranger.status_code != 401:
            wrong.append((method, rule.rule, stranger.status_code))
    assert wrong == []
    assert fingerprint(database, merchant.tenant_id) == before


def test_reading_is_not_writing(
    app: Flask, merchant: Merchant, database: Database, scene: dict[str, str]
) -> None:
    reader = merchant.another_key(
        "orders:read",
        "skus:read",
        "nodes:read",
        "stock:read",
        "routing:read",
        "fulfillment:read",
        "imports:read",
    )
    before = fingerprint(database, merchant.tenant_id)
    wrong = [
        (method, rule.rule)
        for rule, method in api_rules(app)
        if method != "GET"
        and not rule.rule.endswith(READ_BY_POST)
        and reader.call(method, with_ids(rule, scene), BODIES.get(rule.endpoint, {})).status_code != 403
    ]
    assert wrong == []
    assert fingerprint(database, merchant.tenant_id) == before


def test_every_door_names_a_known_permission(app: Flask) -> None:
    from tenants.rules import ALL

    for rule, _ in api_rules(app):
        assert getattr(app.view_functions[rule.endpoint], "permission", None) in ALL, rule.rule
