"""The exception queue as a page."""

from __future__ import annotations

from flask import Flask

from tests.allocation.support import assert_books
from tests.exceptions.test_service import fallback, rule
from tests.factories import Merchant
from tests.portal import member

TERMS = [{"kind": "terms"}]


def test_a_person_decides_on_the_page(app: Flask, merchant: Merchant) -> None:
    sku = merchant.sku()
    merchant.node("RENO", name="Reno warehouse")
    merchant.drain()
    rule(merchant, **fallback("queue"))
    desk = member(app, merchant.tenant_id)
    assert "Nothing to decide" in desk.read("/exceptions")
    order = merchant.order((sku, 2), tenders=TERMS)
    merchant.drain()
    page = desk.read("/exceptions")
    assert f"{order['number']}</a>" in page
    assert "Give it to this node" not in page
    (open_one,) = merchant.ok("GET", "/routing/exceptions?state=open")["data"]
    refused = desk.post(f"/exceptions/{open_one['id']}", "/exceptions", action="route")
    assert refused.status_code == 303
    (after,) = merchant.ok("GET", "/routing/exceptions?state=open")["data"]
    assert {k: (after[k], v) for k, v in open_one.items() if after[k] != v} == {}
    merchant.stock("RENO", sku, 5)
    assert "Give it to this node" in desk.read("/exceptions")
    desk.post(f"/exceptions/{open_one['id']}", "/exceptions", action="assign", node="RENO")
    merchant.drain()
    assert "Given to a node" in desk.read("/exceptions?state=closed")
    (work,) = merchant.ok("GET", f"/orders/{order['id']}")["fulfillment_orders"]
    assert work["node"] == "RENO"
    assert_books(merchant)


def test_work_at_a_closed_node_is_shown(app: Flask, merchant: Merchant) -> None:
    sku = merchant.sku()
    merchant.node("RENO", name="Reno warehouse")
    merchant.stock("RENO", sku, 5)
    merchant.drain()
    merchant.order((sku, 1), tenders=TERMS)
    merchant.node("RENO", name="Reno warehouse", open=False)
    page = member(app, merchant.tenant_id).read("/exceptions")
    assert "Work at nodes that are closed or full" in page
    assert "Reno warehouse" in page
