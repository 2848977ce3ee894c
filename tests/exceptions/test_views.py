"""The exception queue as a page."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask

from tests.allocation.support import assert_books
from tests.exceptions.test_service import fallback, mug, placed, reject, rule  # noqa: F401
from tests.factories import BOISE, Merchant
from tests.portal import member

TERMS = [{"kind": "terms"}]


def test_a_person_decides_on_the_page(app: Flask, merchant: Merchant) -> None:
    sku = merchant.sku()
    merchant.node("RENO", name="Reno warehouse")
    merchant.drain()
    rule(merchant, **fallback("queue"))
    desk = member(app, merchant.tenant_id)
    assert "Nothing left to decide" in desk.read("/exceptions")
    order = merchant.order((sku, 2), tenders=TERMS)
    merchant.drain()
    page = desk.read("/exceptions")
    assert f"{order['number']}</a>" in page
    assert "Give it to a node" not in page
    (open_one,) = merchant.ok("GET", "/routing/exceptions?state=open")["data"]
    refused = desk.post(f"/exceptions/{open_one['id']}", "/exceptions", action="route")
    assert refused.status_code == 409
    assert "Nothing was changed." in refused.text
    assert "No place can send it now." in refused.text
    assert "No place can send it now." not in desk.read("/exceptions")
    (after,) = merchant.ok("GET", "/routing/exceptions?state=open")["data"]
    assert {k: (after[k], v) for k, v in open_one.items() if after[k] != v} == {}
    merchant.stock("RENO", sku, 5)
    assert "Give it to a node" in desk.read("/exceptions")
    given = desk.post(f"/exceptions/{open_one['id']}", "/exceptions", action="assign", node="RENO")
    assert given.location == "/exceptions#list"
    merchant.drain()
    assert f"{order['number']} is given to the node." in desk.read("/exceptions")
    assert "Given to a node" in desk.read("/exceptions?state=closed")
    (work,) = merchant.ok("GET", f"/orders/{order['id']}")["fulfillment_orders"]
    assert work["node"] == "RENO"
    told = "A person named the place. With no other to choose from: Ships from Reno warehouse "
    assert told in desk.read(f"/orders/{order['id']}")
    assert merchant.ok("GET", f"/orders/{order['id']}/routing")["sentence"].startswith(told)
    assert_books(merchant)


def test_an_order_refused_too_often_says_so_and_leads_to_the_queue(
    app: Flask,
    merchant: Merchant,
    mug: str,  # noqa: F811
) -> None:
    rule(merchant, reroute={"most_cycles": 0, "then": "queue"})
    order = placed(merchant, mug)
    desk = member(app, merchant.tenant_id)
    assert "refused" not in desk.read(f"/orders/{order}")
    reject(merchant, order)
    page = desk.read(f"/orders/{order}")
    assert "Nodes refused it too often." in page
    assert '/exceptions#list"' in page
    assert "This plan was refused by Node RENO (capacity). Three units wait until a person decides." in page
    assert "As it was decided: Ships from Node RENO " in page
    assert "Chosen, and refused it." in page


def test_home_leads_to_the_queue_which_lists_the_same(app: Flask, merchant: Merchant) -> None:
    held = merchant.order((merchant.sku(), 1), tenders=TERMS)
    merchant.drain()
    merchant.ok("POST", f"/orders/{held['id']}/holds", {"kind": "fraud", "reason": "Two cards"})
    desk = member(app, merchant.tenant_id)
    assert 'href="/exceptions">Open queue' in desk.read("/home")
    page = desk.read("/exceptions")
    assert "Fraud hold" in page
    assert "Two cards" in page
    assert f'href="/orders/{held["id"]}#do"' in page
    assert "Two cards" not in desk.read("/exceptions?state=closed")


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


@pytest.mark.parametrize(("region", "offered"), [(None, ["ERIE"]), ("NV", ["ERIE", "RENO"])])
def test_only_a_node_that_delivers_there_is_offered(
    app: Flask, merchant: Merchant, region: str | None, offered: list[str]
) -> None:
    """To the order's address in Idaho, or to the line's own in Nevada."""
    sku, nevada = merchant.sku(), [{"country": "US", "regions": ["NV"], "zip_prefixes": []}]
    nodes = {"RENO": {"name": "Reno warehouse", "zones": nevada}, "ERIE": {"name": "Erie warehouse"}}
    for code, facts in nodes.items():
        merchant.node(code, **facts, open=False)
        merchant.stock(code, sku, 5)
    rule(merchant, **fallback("queue"))
    own = {"ship_to": BOISE | {"region": region, "city": "Reno", "postal_code": "89501"}} if region else {}
    merchant.order(lines=[{"sku": sku, "quantity": 2} | own], tenders=TERMS)
    merchant.drain()
    for code, facts in nodes.items():
        merchant.node(code, **facts)
    page = member(app, merchant.tenant_id).read("/exceptions")
    assert sorted(re.findall(r'name="node" value="(\w+)"', page)) == offered


def test_the_list_stays_filtered_after_an_act(app: Flask, merchant: Merchant) -> None:
    merchant.node("RENO", name="Reno warehouse")
    rule(merchant, **fallback("queue"))
    queued(merchant, merchant.sku(), 2)
    desk, filtered = member(app, merchant.tenant_id), "/exceptions?kind=nowhere&owner=none"
    page = desk.read(filtered)
    (own, *_), bulk = (
        re.findall(r'action="(/exceptions/[^"]*)"', page),
        "/exceptions?kind=nowhere&amp;owner=none",
    )
    assert f'action="{bulk}"' in page
    (one, *_) = re.findall(r'name="ids" value="([^"]+)"', page)
    refused = desk.post(html.unescape(own), filtered, action="route")
    assert (refused.status_code, "Nothing was changed." in refused.text) == (409, True)
    assert 'href="/exceptions?kind=nowhere"' in refused.text, (
        "without the owner, and a page that can be opened"
    )
    waits = desk.post(html.unescape(own), filtered, action="backorder")
    taken = desk.post(html.unescape(bulk), filtered, action="take", ids=one)
    assert waits.location == taken.location == f"{filtered}#list"


def queued(merchant: Merchant, sku: str, count: int) -> list[str]:
    """Orders that no node can send; their numbers."""
    placed = [merchant.order((sku, 2), tenders=TERMS)["number"] for _ in range(count)]
    merchant.drain()
    return placed


def test_several_are_taken_and_decided_together(
    app: Flask, merchant: Merchant, other_merchant: Merchant
) -> None:
    sku = merchant.sku()
    merchant.node("RENO", name="Reno warehouse")
    rule(merchant, **fallback("queue"))
    first, second, third = queued(merchant, sku, 3)
    ids = {one["order"]: one["id"] for one in merchant.ok("GET", "/routing/exceptions?state=open")["data"]}
    desk = member(app, merchant.tenant_id)
    page = desk.read("/exceptions")
    assert "No place can send it" in page
    assert "Nobody" in page
    desk.post("/exceptions", "/exceptions", action="take", ids=[ids[first], ids[second]])
    open_ones = {one["order"]: one for one in merchant.ok("GET", "/routing/exceptions?state=open")["data"]}
    assert [open_ones[order]["owner"] for order in (first, second, third)] == ["member:Priya Raman"] * 2 + [
        ""
    ]
    mine, nobodys = desk.read("/exceptions?owner=me"), desk.read("/exceptions?owner=none")
    assert f"{first}</a>" in mine
    assert f"{third}</a>" not in mine
    assert f"{third}</a>" in nobodys
    desk.post("/exceptions", "/exceptions", action="leave", ids=[ids[second]])
    assert f"{second}</a>" not in desk.read("/exceptions?owner=me")
    assert "None of these" in desk.read("/exceptions?kind=cycles")

    merchant.stock("RENO", sku, 2)  # enough for one of them
    desk.post("/exceptions", "/exceptions", action="route", ids=list(ids.values()))
    told = desk.read("/exceptions")
    assert "1 exception decided. 2 skipped." in told
    left = merchant.ok("GET", "/routing/exceptions?state=open")["data"]
    assert len(left) == 2

    stranger = member(app, other_merchant.tenant_id)
    stranger.post("/exceptions", "/exceptions", action="cancel", ids=list(ids.values()))
    analyst = member(app, merchant.tenant_id, "analyst")
    assert analyst.post("/exceptions", "/exceptions", action="take", ids=[left[0]["id"]]).status_code == 403
    assert merchant.ok("GET", "/routing/exceptions?state=open")["data"] == left
    assert desk.post("/exceptions", "/exceptions", action="assign", ids=[left[0]["id"]]).status_code == 422
    assert desk.post("/exceptions", "/exceptions", action="cancel").status_code == 422
    desk.post("/exceptions", "/exceptions", action="cancel", ids=[one["id"] for one in left])
    assert merchant.ok("GET", "/routing/exceptions?state=open")["data"] == []
    desk.post("/exceptions", "/exceptions", action="take", ids=[one["id"] for one in left])
    assert "Nothing was changed. Not open any more: 2." in desk.read("/exceptions")
    assert_books(merchant)
