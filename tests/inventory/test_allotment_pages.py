"""What channels hold, as a page: figures, one row changed in its place, all of them by a file."""

from __future__ import annotations

import html
import io
import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.allocation.support import CASH, assert_books
from tests.factories import Merchant
from tests.inventory.test_allotments import put
from tests.portal import Desk, member

LIST = "/inventory/allotments"
NEW = {"channel": "marketplace", "sku": "", "node": "", "amount": "4", "measure": "units"}


@pytest.fixture
def desk(app: Flask, merchant: Merchant) -> Desk:
    return member(app, merchant.tenant_id)


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def held(merchant: Merchant) -> list[dict]:
    return merchant.ok("GET", "/allotments")["allotments"]


def first_id(desk: Desk) -> str:
    found = re.search(rf"{LIST}\?edit=([0-9a-f-]+)", desk.read(LIST))
    assert found is not None
    return found[1]


def send(desk: Desk, text: str) -> TestResponse:
    file = (io.BytesIO(text.encode()), "allotments.csv")
    return desk.post(f"{LIST}/file", LIST, file=file)


def test_held_used_and_borrowed(desk: Desk, merchant: Merchant) -> None:
    node, sku = merchant.node(name="Reno"), merchant.sku("LAMP", title="Brass lamp")
    assert "Nothing is held for a channel" in desk.read(LIST)
    merchant.stock(node, sku, 10)
    put(
        merchant,
        {"channel": "marketplace", "sku": sku, "node": node, "units": 6},
        {"channel": "phone", "share_percent": 0},
        {"channel": "web", "sku": sku, "units": 0, "borrow": True},
    )
    merchant.order((sku, 2), channel="marketplace", tenders=CASH)
    merchant.order((sku, 5), channel="web", tenders=CASH)
    told = words(desk.read(LIST))
    # 10 on hand: the marketplace reserves 2 of its 6; the web shop 5, of which one unit is the marketplace's
    assert re.search(r"6 units 3 held now 1 taken by others 2 used", told), told
    assert re.search(r"nothing of its own 0 held now 5 used, 1 borrowed 1", told), told
    assert told.count("nothing of its own") == 2
    assert_books(merchant)


def test_a_row_is_added_changed_in_its_place_and_given_up(desk: Desk, merchant: Merchant) -> None:
    merchant.node("RENO")
    merchant.sku("LAMP")
    assert desk.post(LIST, LIST, **NEW | {"sku": "LAMP", "node": "RENO"}).status_code == 303
    [one] = held(merchant)
    assert (one["channel"], one["sku"], one["node"], one["units"]) == ("marketplace", "LAMP", "RENO", 4)
    opened = first_id(desk)
    assert 'value="LAMP"' in desk.read(f"{LIST}?edit={opened}")
    change = NEW | {"id": opened, "amount": "25", "measure": "share_percent", "borrow": "1"}
    assert desk.post(LIST, LIST, **change).status_code == 303
    [one] = held(merchant)
    assert (one["sku"], one["share_percent"], one["units"], one["borrow"]) == (None, 25, None, True)
    late = desk.post(LIST, LIST, **change)
    assert late.status_code == 409
    assert held(merchant) == [one]
    assert desk.post(LIST, LIST, id=first_id(desk), action="remove").status_code == 303
    assert held(merchant) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"channel": ""}, "Choose the channel."),
        ({"channel": "nobody"}, "There is no channel nobody."),
        ({"sku": "NOTHING"}, "There is no SKU NOTHING."),
        ({"node": "NOWHERE"}, "There is no node NOWHERE."),
        ({"amount": "some"}, "Enter a whole number from 0 to 1,000,000,000."),
        ({"amount": "101", "measure": "share_percent"}, "Enter a whole number from 0 to 100."),
        ({"channel": "web"}, "has an allotment for that item and node already"),
    ],
)
def test_what_is_wrong_stands_at_its_field(desk: Desk, merchant: Merchant, change: dict, said: str) -> None:
    before = put(merchant, {"channel": "web", "units": 1})["allotments"]
    answer = desk.post(LIST, LIST, **NEW | change)
    assert answer.status_code == 422
    assert said in words(answer.text)
    assert 'class="field-error"' in answer.text
    assert held(merchant) == before


def test_shares_beyond_the_whole_are_refused_at_their_field(desk: Desk, merchant: Merchant) -> None:
    put(merchant, {"channel": "web", "share_percent": 60})
    share = NEW | {"amount": "50", "measure": "share_percent"}
    page = desk.post(LIST, LIST, **share).get_data(as_text=True)
    assert "The shares of all channels there come to 110 %." in words(page)
    assert len(held(merchant)) == 1
    assert desk.post(LIST, LIST, **share | {"amount": "40"}).status_code in (200, 302, 303)
    assert len(held(merchant)) == 2


def test_all_of_them_by_the_file_that_the_page_writes(desk: Desk, merchant: Merchant) -> None:
    merchant.sku("LAMP")
    put(
        merchant,
        {"channel": "marketplace", "sku": "LAMP", "units": 4},
        {"channel": "web", "share_percent": 10},
    )
    before = held(merchant)
    text = desk.read("/inventory/allotments.csv")
    assert text.splitlines()[0] == "channel,sku,node,share_percent,units,borrow"
    assert send(desk, text).status_code == 303
    assert held(merchant) == before
    wrong = send(desk, text + "nobody,,,,3,\nweb,NOTHING,,,2,no\n")
    assert wrong.status_code == 422
    assert "Line 4, channel: There is no channel nobody." in words(wrong.text)
    assert "Line 5, sku: There is no SKU NOTHING." in words(wrong.text)
    shape = words(send(desk, "channel,units\nweb,many\n").text)
    assert "Line 2, units:" in shape
    assert "Column 'color' is not known." in words(send(desk, "channel,color\nweb,red\n").text)
    assert "The first line names the columns" in words(send(desk, "a,b\n1,2\n").text)
    assert held(merchant) == before
    assert send(desk, "channel,units\nphone,7\n").status_code == 303
    assert [one["channel"] for one in held(merchant)] == ["phone"]


def test_each_sees_and_changes_what_is_theirs(
    app: Flask, desk: Desk, merchant: Merchant, other_merchant: Merchant
) -> None:
    put(merchant, {"channel": "web", "units": 1})
    before, opened = held(merchant), first_id(desk)
    stranger = member(app, other_merchant.tenant_id)
    assert "Nothing is held" in stranger.read(LIST)
    assert stranger.post(LIST, LIST, **NEW | {"id": opened}).status_code == 409
    assert stranger.post(LIST, LIST, id=opened, action="remove").status_code == 409
    reader = member(app, merchant.tenant_id, "analyst")
    assert "Hold it" not in words(reader.read(LIST))
    assert reader.post(LIST, LIST, **NEW).status_code == 403
    assert held(merchant) == before
