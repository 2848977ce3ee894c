"""Inbound orders as pages: made, amended, received, and what a wrong entry says."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

import pytest
from flask import Flask

from app.calendar import local_date
from tests.factories import Merchant
from tests.portal import Desk, member

ORDER = "/inbound/orders/PO-7"
DUE = str(date.today() + timedelta(days=20))


@pytest.fixture
def desk(app: Flask, merchant: Merchant) -> Desk:
    merchant.drain()
    merchant.node("RENO")
    merchant.sku("MUG")
    return member(app, merchant.tenant_id)


def entry(**fields: str) -> dict[str, str]:
    lines = {"sku-0": "MUG", "quantity-0": "12", "expected-0": DUE}
    return {"reference": "PO-7", "supplier": "Dune Pottery", "node": "RENO"} | lines | fields


def test_an_order_is_made_amended_received_and_shown_with_who_waits(desk: Desk, merchant: Merchant) -> None:
    assert "Nothing is on its way" in desk.read("/inbound")
    assert desk.post("/inbound/new", "/inbound/new", **entry()).status_code == 303
    order = merchant.order(("MUG", 2), tenders=[{"kind": "terms"}])
    merchant.drain()
    shown = desk.read(ORDER)
    assert order["number"] in shown
    assert "no delivery on record" in shown
    waits = desk.read(f"/orders/{order['id']}")
    assert "Waits for PO-7 from Dune Pottery" in waits
    assert "PO-7 from Dune Pottery, due" in waits
    assert "PO-7" in desk.read("/inbound?q=mug")
    last = merchant.ok("GET", f"/orders/{order['id']}")["lines"][0]["promise"]["deadline"]
    in_time = local_date(datetime.fromisoformat(last) - timedelta(seconds=1), "America/New_York")
    assert f">{in_time:%b} {in_time.day}" in shown, "the last day in time, not the first too late"
    item = desk.read("/catalog/skus/MUG")
    assert "PO-7" in item
    assert '12<span class="show-sm muted"> to come' in item
    assert '12<span class="show-sm muted"> coming' in desk.read("/inventory")
    assert re.search(r'>12<span class="two"><time', desk.read("/home").split("Stock about to run out")[1])
    assert "No inbound order fits" in desk.read("/inbound?q=nobody")
    later = str(date.today() + timedelta(days=25))
    assert desk.post(f"{ORDER}/edit", f"{ORDER}/edit", **entry(**{"expected-0": later})).status_code == 303
    taken = {"receipt": "GRN-1", "units-MUG": "12"}
    for _ in range(2):
        assert desk.post(f"{ORDER}/receipts", ORDER, **taken).status_code == 303
    merchant.drain()
    assert merchant.ok("GET", f"/orders/{order['id']}")["lines"][0]["allocated"] == 2
    assert "1 of 1 on time" in desk.read(ORDER)
    assert "PO-7" in desk.read("/inbound?view=received")


def test_a_wrong_entry_is_told_at_its_field_and_keeps_what_was_typed(desk: Desk, merchant: Merchant) -> None:
    for sent, told in (
        (entry(**{"sku-0": "CUP"}), "There is no SKU CUP."),
        (entry(**{"quantity-0": "a dozen"}), "Enter a whole number"),
        (entry(**{"expected-0": "soon"}), "Enter a day such as"),
        (entry(**{"sku-0": ""}), "Enter at least one item."),
        (entry(supplier=""), "Enter who sends it."),
    ):
        answer = desk.post("/inbound/new", "/inbound/new", **sent)
        assert answer.status_code in (409, 422)
        assert told in answer.text
        assert "PO-7" in answer.text
    assert merchant.ok("GET", "/inbound")["data"] == []
    desk.post("/inbound/new", "/inbound/new", **entry())
    assert "is there already" in desk.post("/inbound/new", "/inbound/new", **entry()).text
    over = desk.post(f"{ORDER}/receipts", ORDER, **{"receipt": "GRN-1", "units-MUG": "13"})
    assert (over.status_code, "Only 12 of MUG are still to come" in over.text) == (409, True)
    assert desk.post(f"{ORDER}/cancellation", ORDER, reason="late").status_code == 303
    assert desk.post(f"{ORDER}/edit", f"{ORDER}/edit", **entry()).status_code == 409


def test_of_two_who_amend_at_once_the_second_is_told(desk: Desk, merchant: Merchant) -> None:
    desk.post("/inbound/new", "/inbound/new", **entry())
    first = seen(desk)
    for fields, status in (({"supplier": "Mesa Clay"}, 303), ({"quantity-0": "9"}, 409)):
        answer = desk.post(f"{ORDER}/edit", f"{ORDER}/edit", **entry(**fields, replaces=first))
        assert answer.status_code == status
    assert "Somebody amended PO-7 meanwhile. Open it anew" in answer.text
    found = merchant.ok("GET", "/inbound/PO-7")
    assert (found["supplier"], found["lines"][0]["quantity"]) == ("Mesa Clay", 12)
    body = {"supplier": "Mesa Clay", "node": "RENO", "lines": [{"sku": "MUG", "quantity": 9}]}
    assert merchant.put("/inbound/PO-7", body | {"replaces": first}).status_code == 409
    assert merchant.put("/inbound/PO-7", body | {"replaces": found["revision"]}).status_code == 200


def seen(desk: Desk) -> str:
    """What the form says that it was drawn from."""
    field = re.search(r'name="replaces" value="([^"]+)"', desk.read(f"{ORDER}/edit"))
    assert field is not None
    return field[1]


def test_a_long_order_is_amended_whole(desk: Desk, merchant: Merchant) -> None:
    codes = [f"S{at:03}" for at in range(201)]
    for code in codes:
        merchant.sku(code)
    body = {"supplier": "Dune Pottery", "node": "RENO"}
    merchant.ok("PUT", "/inbound/PO-7", body | {"lines": [{"sku": code, "quantity": 1} for code in codes]})
    form = desk.read(f"{ORDER}/edit")
    assert 'value="S200"' in form
    sent = {f"sku-{at}": code for at, code in enumerate(codes)} | {f"quantity-{at}": "1" for at in range(201)}
    assert desk.post(f"{ORDER}/edit", f"{ORDER}/edit", **(body | sent)).status_code == 303
    assert len(merchant.ok("GET", "/inbound/PO-7")["lines"]) == 201


def test_units_come_to_their_item_though_a_line_was_added_meanwhile(desk: Desk, merchant: Merchant) -> None:
    merchant.sku("APRON")
    desk.post("/inbound/new", "/inbound/new", **entry())
    field = re.search(r'name="(units-[^"]+)"', desk.read(ORDER))
    assert field is not None
    more = entry(**{"sku-1": "APRON", "quantity-1": "12"})
    desk.post(f"{ORDER}/edit", f"{ORDER}/edit", **more)
    assert desk.post(f"{ORDER}/receipts", ORDER, **{"receipt": "G", field[1]: "5"}).status_code == 303
    came = {line["sku"]: line["received"] for line in merchant.ok("GET", "/inbound/PO-7")["lines"]}
    assert came == {"APRON": 0, "MUG": 5}
