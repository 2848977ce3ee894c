"""Inventory's pages: items by node, a position with its ledger, adjustments, and differences to decide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.inventory import listing
from infra.clock import real_now
from infra.ids import new_id
from tenants.scope import inside
from tests.counting import cost
from tests.factories import Merchant
from tests.portal import Desk, member

ADJUST = "/inventory/adjust"


@pytest.fixture
def desk(app: Flask, merchant: Merchant) -> Desk:
    return member(app, merchant.tenant_id)


def position(merchant: Merchant, sku: str, node: str, disposition: str = "sellable") -> dict[str, Any]:
    found = merchant.ok("GET", f"/stock?sku={sku}&node={node}&disposition={disposition}")["data"]
    assert len(found) == 1
    return found[0]


def change(**fields: str) -> dict[str, str]:
    return {"sku": "A", "node": "RENO", "how": "add", "units": "4", "reason": "Found behind a shelf"} | fields


def test_an_empty_inventory_says_what_to_do_next(desk: Desk):
    page = desk.read("/inventory")
    assert "No item to keep in stock yet" in page
    assert "/catalog/new" in page
    assert "No place can hold stock yet." in desk.read(ADJUST)


def test_the_grid_shows_every_number_by_item_and_node(desk: Desk, merchant: Merchant):
    node, sku = merchant.node("RENO", name="Reno warehouse"), merchant.sku("A", title="Apron")
    merchant.stock(node, sku, 9)
    merchant.sku("FILE", kind="digital")
    merchant.order((sku, 2))
    damaged = {"node": node, "sku": sku, "delta": 3, "disposition": "damaged", "reason": "wet"}
    merchant.ok("POST", "/stock/adjustments", damaged)
    page = desk.read("/inventory")
    assert 'title="Reno warehouse: 7 can sell, 12 on hand, 2 reserved"' in page
    assert f"/inventory/positions/{position(merchant, sku, node)['id']}" in page
    assert "FILE" not in page
    assert "Apron" in desk.read("/inventory?view=apart")
    assert "Everything can be sold somewhere" in desk.read("/inventory?view=out")
    assert "No item fits" in desk.read("/inventory?node=NOWHERE")


def test_items_that_orders_wait_for_have_their_own_view(desk: Desk, merchant: Merchant):
    merchant.node("RENO")
    merchant.sku("GONE")
    merchant.order(("GONE", 3))
    page = desk.read("/inventory?view=waiting")
    assert "GONE" in page
    assert 'data-s="late">3</span>' in page
    assert "GONE" in desk.read("/inventory?view=out")


def test_items_are_paged_by_code(desk: Desk, merchant: Merchant, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 2)
    for code in "ABCDE":
        merchant.sku(code)

    def shown(path: str) -> list[str]:
        return [part.split('"')[0] for part in desk.read(path).split('href="/catalog/skus/')[1:]]

    assert shown("/inventory") == ["A", "B"]
    assert shown("/inventory?after=B") == ["C", "D"]
    assert shown("/inventory?before=C") == ["A", "B"]


def test_a_page_costs_the_same_however_much_is_on_it(desk: Desk, merchant: Merchant):
    node, sku = merchant.node("RENO"), merchant.sku("A")
    merchant.stock(node, sku, 50)
    own = position(merchant, sku, node)["id"]
    paths = ("/inventory", f"/inventory/positions/{own}", "/inventory/cases", f"{ADJUST}?sku=A&node=RENO")
    few = [cost(lambda path=path: desk.read(path)) for path in paths]
    for at in range(6):
        merchant.stock(merchant.node(), merchant.sku(f"B{at}"), 5)
        merchant.order((sku, 1))
    merchant.drain()
    merchant.provider.ok("POST", "/stock/counts", {"node": node, "lines": [{"sku": sku, "on_hand": 3}]})
    many = [cost(lambda path=path: desk.read(path)) for path in paths]
    assert many == few
    assert max(many) <= 13


def test_a_position_tells_orders_from_quotes_behind_what_is_reserved(desk: Desk, merchant: Merchant):
    node, sku = merchant.node("RENO"), merchant.sku("A")
    merchant.stock(node, sku, 9)
    order = merchant.order((sku, 2))
    own = position(merchant, sku, node)["id"]
    assert "Held for quotes" not in desk.read(f"/inventory/positions/{own}")
    for units in (3, 1):
        basket = {"channel": "web", "ship_to": order["ship_to"], "lines": [{"sku": sku, "quantity": units}]}
        merchant.ok("POST", "/quotes", basket | {"hold_minutes": 30})
    page = desk.read(f"/inventory/positions/{own}")
    assert "2 quotes hold 4 units, the last until <time" in page
    assert "Held for quotes" in page
    assert "3 of 9 can be sold" in page


def test_a_position_shows_the_ledger_behind_its_numbers(desk: Desk, merchant: Merchant, monkeypatch):
    node, sku = merchant.node("RENO"), merchant.sku("A")
    for units in (5, 7, -2, 10):
        merchant.stock(node, sku, units)
    order = merchant.order((sku, 3))
    own = position(merchant, sku, node)
    page = desk.read(f"/inventory/positions/{own['id']}")
    assert balances(page) == [("+10", "20"), ("−2", "10"), ("+7", "12"), ("+5", "5")]
    assert "17 of 20 can be sold" in page
    assert order["number"] in page
    monkeypatch.setattr(listing, "MOVES", 2)
    first = desk.read(f"/inventory/positions/{own['id']}")
    older = first.split("before=")[1].split('"')[0]
    rest = desk.read(f"/inventory/positions/{own['id']}?before={older}")
    assert balances(first) + balances(rest) == balances(page)


def balances(page: str) -> list[tuple[str, str]]:
    """(change, on hand after) of each row of the ledger."""
    rows = page.split(">On hand after</th>")[1].split("</table>")[0].split("<tr>")[1:]
    cells = [[cell.split(">", 1)[1].split("<")[0] for cell in row.split("<td")[2:4]] for row in rows]
    return [(change, after) for change, after in cells]


def test_a_shipment_in_the_ledger_leads_to_its_order(desk: Desk, merchant: Merchant):
    node, sku = merchant.node("RENO"), merchant.sku("A")
    merchant.stock(node, sku, 5)
    order = merchant.order((sku, 2))
    merchant.drain()
    work = merchant.provider.ok("GET", "/fulfillment-orders?request_status=submitted")["data"][0]
    merchant.provider.ok("POST", f"/fulfillment-orders/{work['id']}/acceptance", {})
    report = {
        "lines": [{"sku": sku, "quantity": 2}],
        "carrier": "UPS",
        "service": "Ground",
        "tracking_number": "1Z1",
        "shipped_at": real_now().isoformat(),
    }
    merchant.provider.ok("POST", f"/fulfillment-orders/{work['id']}/shipments", report)
    page = desk.read(f"/inventory/positions/{position(merchant, sku, node)['id']}")
    assert balances(page) == [("−2", "3"), ("+5", "5")]
    assert f'<a href="/orders/{order["id"]}">{order["number"]}</a>' in page


def test_the_chart_walks_back_from_todays_stock(desk: Desk, merchant: Merchant):
    node, sku = merchant.node("RENO"), merchant.sku("A")
    merchant.stock(node, sku, 8)
    own = position(merchant, sku, node)["id"]
    assert "data-chart" not in desk.read(f"/inventory/positions/{own}")
    with inside(merchant.tenant_id) as scope:
        scope.execute(
            "UPDATE stock_positions SET on_hand = on_hand + 30 WHERE tenant_id = :tenant AND id = :id", id=own
        )
        scope.execute(
            "INSERT INTO stock_movements (tenant_id, id, position_id, delta, cause, actor, at)"
            " VALUES (:tenant, :id, :position, 30, 'receipt', 'system:Kept', :at)",
            id=new_id(),
            position=own,
            at=scope.now() - timedelta(days=10),
        )
    page = desk.read(f"/inventory/positions/{own}")
    table = page.split("data-chart")[1].split("<tbody>")[1].split("</tbody>")[0]
    figures = [row.split('class="num">')[1].split("<")[0] for row in table.split("<tr>")[1:]]
    assert len(figures) == 57
    assert figures[:46] == ["0"] * 46
    assert figures[46:] == ["30"] * 10 + ["38"]


@pytest.mark.parametrize(
    ("how", "units", "after", "cause"),
    [("receipt", "4", 9, "receipt"), ("add", "4", 9, "adjustment"), ("remove", "4", 1, "adjustment"),
     ("set", "0", 0, "adjustment")],
)  # fmt: skip
def test_the_form_adjusts_as_the_api_does(
    desk: Desk, merchant: Merchant, how: str, units: str, after: int, cause: str
):
    node, sku = merchant.node("RENO"), merchant.sku("A")
    merchant.stock(node, sku, 5)
    answer = desk.post(ADJUST, ADJUST, **change(how=how, units=units, reference="PO-1"))
    own = position(merchant, sku, node)
    assert (answer.status_code, answer.location) == (303, f"/inventory/positions/{own['id']}")
    assert own["on_hand"] == after
    moved = merchant.ok("GET", "/stock/movements?sku=A&limit=1")["data"][0]
    assert (moved["cause"], moved["reason"], moved["reference"]) == (cause, "Found behind a shelf", "PO-1")
    assert moved["actor"] == "member:Priya Raman"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sku": ""}, "Enter the item&#39;s code."),
        ({"sku": "NOWHERE"}, "There is no SKU NOWHERE."),
        ({"sku": "FILE"}, "A digital SKU has no stock"),
        ({"node": ""}, "Choose the node."),
        ({"node": "NOWHERE"}, "There is no node NOWHERE."),
        ({"how": ""}, "Choose one of the list."),
        ({"units": "some"}, "Enter a whole number"),
        ({"units": "0"}, "Enter a whole number from 1"),
        ({"how": "remove", "units": "9"}, "Only 5 are on hand there; 9 cannot leave."),
        ({"reason": ""}, "Say why"),
        ({"segment": "nowhere"}, "nowhere is neither"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_moves(
    desk: Desk, merchant: Merchant, fields: dict, words: str
):
    merchant.stock(merchant.node("RENO"), merchant.sku("A"), 5)
    merchant.sku("FILE", kind="digital")
    answer = desk.post(ADJUST, ADJUST, **change(**fields))
    assert answer.status_code == 422
    assert words in answer.text
    assert 'class="field-error"' in answer.text
    assert position(merchant, "A", "RENO")["on_hand"] == 5


def counted(merchant: Merchant, units: int) -> str:
    merchant.stock(merchant.node("RENO"), merchant.sku("A"), 5)
    lines = [{"sku": "A", "on_hand": units}]
    return merchant.provider.ok("POST", "/stock/counts", {"node": "RENO", "lines": lines})["cases"][0]["id"]


@pytest.mark.parametrize(
    ("verb", "after", "state"), [("acceptance", 2, "accepted"), ("dismissal", 5, "dismissed")]
)
def test_a_difference_is_decided_with_a_note(
    desk: Desk, merchant: Merchant, verb: str, after: int, state: str
):
    case = counted(merchant, 2)
    page = desk.read("/inventory/cases")
    assert "Count differs" in page
    assert "Differences (1)" in desk.read("/inventory")
    answer = desk.post(f"/inventory/cases/{case}/{verb}", "/inventory/cases", note="Counted twice")
    assert answer.status_code == 303
    assert position(merchant, "A", "RENO")["on_hand"] == after
    assert "Counted twice" in desk.read(f"/inventory/cases?state={state}")
    assert "Nothing to decide" in desk.read("/inventory/cases")
    again = desk.post(f"/inventory/cases/{case}/{verb}", "/inventory/cases")
    assert again.status_code == 409
    assert "already" in again.text


def test_the_list_as_a_file(desk: Desk, merchant: Merchant):
    merchant.stock(merchant.node("RENO"), merchant.sku("A"), 5)
    lines = desk.client.get("/inventory/export.csv").text.splitlines()
    assert lines[1] == "A,Thing A,RENO,sellable,shared,5,0,0,5"


def test_each_sees_and_does_what_is_theirs(app: Flask, merchant: Merchant, other_merchant: Merchant):
    case = counted(merchant, 2)
    own = position(merchant, "A", "RENO")["id"]
    stranger = member(app, other_merchant.tenant_id)
    assert stranger.client.get(f"/inventory/positions/{own}").status_code == 404
    assert stranger.post(f"/inventory/cases/{case}/acceptance", "/inventory").status_code == 404
    picker = member(app, merchant.tenant_id, "picker")
    assert ">Decide</summary>" not in picker.read("/inventory/cases")
    assert picker.post(f"/inventory/cases/{case}/acceptance", "/inventory").status_code == 403
    assert picker.post(ADJUST, "/inventory", **change()).status_code == 403
    assert position(merchant, "A", "RENO")["on_hand"] == 5


def test_the_form_sets_the_safety_stock(desk: Desk, merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    merchant.stock(node, sku, 5)
    fields = {
        "sku": sku,
        "node": node,
        "how": "safety",
        "units": "2",
        "reason": "Holidays",
        "disposition": "sellable",
    }
    assert desk.post(ADJUST, ADJUST, **fields).status_code == 303
    [position] = merchant.ok("GET", f"/stock?sku={sku}")["data"]
    assert (position["on_hand"], position["safety"], position["available"]) == (5, 2, 3)
    assert "2 safety" in desk.read(f"{ADJUST}?sku={sku}&node={node}")
    assert desk.post(ADJUST, ADJUST, **(fields | {"units": "-1"})).status_code == 422
