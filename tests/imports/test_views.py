"""Imports in the portal: a file, its columns, its progress, its report."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from infra.clock import real_now
from tenants.scope import inside
from tests.factories import Merchant
from tests.portal import Desk, member

FILE = "external_ref,customer.email,ship_to.postal_code,line.sku,line.quantity,line.unit_price\n"


@pytest.fixture
def desk(app: Flask, merchant: Merchant) -> Desk:
    return member(app, merchant.tenant_id)


def send(desk: Desk, text: str, kind: str = "orders", name: str = "orders.csv") -> Any:
    return desk.post("/imports/new", "/imports/new", kind=kind, file=(io.BytesIO(text.encode()), name))


def test_from_the_file_to_the_report(desk: Desk, merchant: Merchant) -> None:
    sku = merchant.sku()
    page = send(desk, f"{FILE}A-1,a@example.com,83702,{sku},2,10.00\nA-2,b@example.com,83702,NONE,1,1.00\n")
    assert page.status_code == 303
    columns = desk.read(page.location)
    assert "Kept&#39;s own columns" in columns or "Kept's own columns" in columns
    assert "Ship to postal code" in columns
    assert "a@example.com" in columns
    assert merchant.ok("GET", "/orders")["data"] == [], "nothing is taken before the columns are seen"
    started = desk.post(page.location, page.location, mapping="kept")
    assert started.status_code == 303
    waiting = desk.read(page.location)
    assert 'hx-trigger="every 2s"' in waiting
    merchant.drain()
    done = desk.read(page.location)
    assert "hx-trigger" not in done
    assert "A-1" in done
    assert "NONE" in done
    (order,) = merchant.ok("GET", "/orders")["data"]
    assert f"/orders/{order['id']}" in done
    refused = desk.read(f"{page.location}?rows=refused")
    assert "A-2" in refused
    assert "A-1" not in refused
    assert "orders.csv" in desk.read("/imports")
    report = desk.read(f"{page.location}/report.csv?rows=refused").splitlines()
    assert report[0] == "row,reference,outcome,message"
    assert len(report) == 2


def test_columns_chosen_one_by_one(desk: Desk, merchant: Merchant) -> None:
    sku = merchant.sku()
    page = send(desk, f"Number;Mail;State;SKU;Pieces\n7;x@example.com;Texas;{sku};2\n")
    shown = desk.read(page.location)
    assert "Choose column by column" in shown
    chosen = {
        "column-external_ref": "Number",
        "column-customer.email": "Mail",
        "column-ship_to.region": "State",
        "column-line.sku": "SKU",
        "column-line.quantity": "",
    }
    refused = desk.post(page.location, page.location, mapping="own", **chosen)
    assert refused.status_code == 422
    assert "line.quantity" in refused.text
    del chosen["column-line.quantity"]
    assert re.search(r'value="Pieces" selected', shown), "its usual names are known"
    assert desk.post(page.location, page.location, mapping="own", **chosen).status_code == 303
    merchant.drain()
    (order,) = merchant.ok("GET", "/orders")["data"]
    assert order["ship_to"]["region"] == "TX"
    again = desk.post(page.location, "/imports", mapping="own", **chosen)
    assert again.status_code in (409, 422)


def test_a_known_format_is_recognized(desk: Desk) -> None:
    page = send(
        desk,
        "node_id,type,name,city,state,zip,lat,lon,timezone\nA,store,A,Reno,NV,89501,39.5,-119.8,\n",
        "nodes",
    )
    shown = desk.read(page.location)
    assert re.search(r'value="network" selected', shown)
    assert "Node code" in shown


def test_what_is_no_table_is_refused_at_the_field(desk: Desk) -> None:
    for text, name, words in (
        ("", "x.csv", "empty"),
        ("a,b\n", "x.csv", "no rows"),
        ("a", "", "Choose a CSV file"),
    ):
        answer = send(desk, text, name=name)
        assert answer.status_code == 422
        assert words in answer.text


def test_a_draft_can_be_discarded_and_old_ones_go(desk: Desk, merchant: Merchant) -> None:
    page = send(desk, f"{FILE}A-1,a@example.com,83702,X,2,10.00\n")
    assert desk.post(f"{page.location}/discard", page.location).status_code == 303
    assert desk.client.get(page.location).status_code == 404
    old = send(desk, f"{FILE}A-1,a@example.com,83702,X,2,10.00\n")
    with inside(merchant.tenant_id) as scope:
        scope.execute(
            "UPDATE imports SET created_at = :then WHERE tenant_id = :tenant",
            then=real_now() - timedelta(days=2),
        )
    send(desk, f"{FILE}A-1,a@example.com,83702,X,2,10.00\n")
    assert desk.client.get(old.location).status_code == 404
    assert len(merchant.ok("GET", "/imports")["data"]) == 1


def test_roles(app: Flask, merchant: Merchant, desk: Desk) -> None:
    page = send(desk, f"{FILE}A-1,a@example.com,83702,X,2,10.00\n")
    analyst, agent = member(app, merchant.tenant_id, "analyst"), member(app, merchant.tenant_id, "agent")
    assert "orders.csv" in analyst.read("/imports")
    assert analyst.client.get("/imports/new").status_code == 403
    assert analyst.post(page.location, "/imports", mapping="kept").status_code == 403
    assert agent.client.get("/imports").status_code == 403


def test_another_merchants_file_is_not_there(app: Flask, desk: Desk, other_merchant: Merchant) -> None:
    page = send(desk, f"{FILE}A-1,a@example.com,83702,X,2,10.00\n")
    other = member(app, other_merchant.tenant_id)
    for path in (page.location, f"{page.location}/report.csv"):
        assert other.client.get(path).status_code == 404
    assert other.post(f"{page.location}/discard", "/imports").status_code == 404
