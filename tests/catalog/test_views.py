"""The catalog's pages: the list, one SKU, and the form that goes through the API's own verb."""

from __future__ import annotations

import pytest
from flask import Flask

from app.catalog import listing
from tests.counting import cost
from tests.factories import Merchant
from tests.portal import Desk, member

FORM = {
    "code": "TIN-1",
    "title": "Seed tin",
    "kind": "stock",
    "price": "12.99",
    "weight_g": "120",
    "tax_code": "standard",
    "exemption": "",
    "attributes": "color: red\nfragile: true\nper_box: 12\nbarcode: 0123",
}


@pytest.fixture
def desk(app: Flask, merchant: Merchant) -> Desk:
    return member(app, merchant.tenant_id)


def test_an_empty_catalog_says_what_to_do_next(desk: Desk):
    page = desk.read("/catalog")
    assert "Nothing to sell yet" in page
    assert "/catalog/new" in page


def test_the_list_filters_and_pages_by_code(desk: Desk, merchant: Merchant, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 3)
    for code in "ABCDEFG":
        merchant.sku(code, title=f"Item {code}")
    merchant.sku("H", title="A file", kind="digital")
    assert shown(desk.read("/catalog")) == ["A", "B", "C"]
    assert shown(desk.read("/catalog?after=C")) == ["D", "E", "F"]
    assert shown(desk.read("/catalog?before=D")) == ["A", "B", "C"]
    assert "after=F" in desk.read("/catalog?after=C")
    assert shown(desk.read("/catalog?kind=digital")) == ["H"]
    assert shown(desk.read("/catalog?q=item+b")) == ["B"]
    assert "No item fits" in desk.read("/catalog?q=nowhere")
    assert shown(desk.read("/catalog?q=%25")) == []


def test_codes_are_offered_by_what_is_typed(desk: Desk, merchant: Merchant, other_merchant: Merchant):
    merchant.sku("TIN-S", title="Seed tin, small")
    merchant.sku("MUG", title="Mug")
    other_merchant.sku("TIN-X", title="Seed tin, theirs")
    for typed in ("tin-", "SEED"):
        assert desk.read(f"/catalog/codes?q={typed}").split() == [
            "<option",
            'value="TIN-S">Seed',
            "tin,",
            "small</option>",
        ]
    assert desk.read("/catalog/codes?q=") == ""


def shown(page: str) -> list[str]:
    """The codes on a page of the list."""
    return [part.split('"')[0] for part in page.split('class="id" href="/catalog/skus/')[1:]]


def test_a_page_costs_the_same_however_much_is_on_it(desk: Desk, merchant: Merchant):
    node = merchant.node()
    for at in range(3):
        merchant.stock(node, merchant.sku(f"A{at}"), 5)
    few = [cost(lambda path=path: desk.read(path)) for path in ("/catalog", "/catalog/skus/A0")]
    more = merchant.node()
    for at in range(12):
        merchant.stock(more, merchant.sku(f"B{at}"), 5)
    merchant.stock(more, "A0", 2)
    merchant.order(("A0", 1))
    many = [cost(lambda path=path: desk.read(path)) for path in ("/catalog", "/catalog/skus/A0")]
    assert many == few
    assert max(many) <= 14


def test_one_item_shows_its_stock_by_node_and_who_ordered_it(desk: Desk, merchant: Merchant):
    sku, node = merchant.sku("LAMP"), merchant.node(name="Reno warehouse")
    merchant.stock(node, sku, 9)
    order = merchant.order((sku, 2))
    page = desk.read("/catalog/skus/LAMP")
    assert "Reno warehouse" in page
    assert "7 can sell, 2 reserved of 9" in page
    assert order["number"] in page
    assert "/inventory/positions/" in page


def test_a_kit_shows_its_parts_and_an_item_its_kits(desk: Desk, merchant: Merchant):
    node = merchant.node()
    merchant.stock(node, merchant.sku("CUP", title="Cup"), 7)
    merchant.sku("SET", title="Set of two", kind="kit", components=[{"sku": "CUP", "quantity": 2}])
    assert "3 kits can be put together now" in desk.read("/catalog/skus/SET")
    assert "Set of two" in desk.read("/catalog/skus/CUP")


def test_the_form_makes_an_item_as_the_api_does(desk: Desk, merchant: Merchant):
    answer = desk.post("/catalog/new", "/catalog/new", **FORM)
    assert (answer.status_code, answer.location) == (303, "/catalog/skus/TIN-1")
    made = merchant.ok("GET", "/skus/TIN-1")
    assert made["price"] == {"amount": 1299, "currency": "USD"}
    assert made["attributes"] == {"color": "red", "fragile": True, "per_box": 12, "barcode": "0123"}
    assert "TIN-1 is in the catalog." in desk.read("/catalog/skus/TIN-1")


def test_editing_keeps_what_was_not_touched(desk: Desk, merchant: Merchant):
    attributes = {"sizes": ["s", "m"], "year": "2026", "exemption": "seeds_and_plants", "heavy": False}
    merchant.sku("A", attributes=attributes, exempt_from_delay_rule=True)
    before = merchant.ok("GET", "/skus/A")
    page = desk.read("/catalog/skus/A/edit")
    assert "sizes: s, m" in page
    fields = FORM | {"title": before["title"], "price": "19.99", "weight_g": "500"}
    fields |= {"attributes": "sizes: s, m\nyear: 2026\nheavy: false", "exemption": "seeds_and_plants"}
    assert desk.post("/catalog/skus/A/edit", "/catalog", **fields).status_code == 303
    assert merchant.ok("GET", "/skus/A") == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": ""}, "Enter a title."),
        ({"price": "12.999"}, "Enter an amount of USD such as 12.50."),
        ({"price": ""}, "Enter a price"),
        ({"code": ""}, "Enter a code"),
        ({"code": "a/b"}, "A code has 1 to 100 characters"),
        ({"code": "TAKEN"}, "TAKEN is in the catalog already."),
        ({"attributes": "red"}, "Write each as name: value."),
        ({"kind": "kit"}, "A kit needs at least one component."),
        ({"kind": "kit", "part-0": "NOWHERE", "part-0-quantity": "1"}, "There is no SKU NOWHERE."),
        ({"kind": "kit", "part-0": "TAKEN", "part-0-quantity": "0"}, "Enter a whole number from 1"),
        ({"kind": "preorder", "release_date": "soon"}, "Enter a day such as 2026-12-31."),
        ({"weight_g": "heavy"}, "Enter a whole number"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_entries_stay(
    desk: Desk, merchant: Merchant, change: dict, words: str
):
    merchant.sku("TAKEN")
    answer = desk.post("/catalog/new", "/catalog/new", **(FORM | change))
    assert answer.status_code == 422
    assert words in answer.text
    assert 'class="field-error"' in answer.text or 'class="banner"' in answer.text
    if "title" not in change:
        assert 'value="Seed tin"' in answer.text
    assert merchant.get("/skus/TIN-1").status_code == 404


def test_a_kind_that_stock_forbids_is_refused_in_place(desk: Desk, merchant: Merchant):
    merchant.stock(merchant.node(), merchant.sku("A"), 3)
    answer = desk.post("/catalog/skus/A/edit", "/catalog", **(FORM | {"kind": "digital"}))
    assert answer.status_code == 422
    assert "still has stock" in answer.text
    assert merchant.ok("GET", "/skus/A")["kind"] == "stock"


def test_another_kind_shows_its_own_fields_and_saves_nothing(desk: Desk, merchant: Merchant):
    answer = desk.post("/catalog/new", "/catalog/new", **(FORM | {"kind": "made_to_order", "action": "kind"}))
    assert answer.status_code == 200
    assert "Days to make" in answer.text
    assert 'value="Seed tin"' in answer.text
    assert merchant.get("/skus/TIN-1").status_code == 404


def test_the_list_as_a_file_runs_no_formula(desk: Desk, merchant: Merchant):
    merchant.stock(merchant.node(), merchant.sku("A", title="=HYPERLINK(1)"), 4)
    merchant.sku("B", kind="digital")
    answer = desk.client.get("/catalog/export.csv?q=a")
    assert answer.mimetype == "text/csv"
    lines = answer.text.splitlines()
    assert lines[0].startswith("sku,title,kind,price")
    assert lines[1].startswith("A,'=HYPERLINK(1),stock,19.99,USD")
    assert lines[1].endswith(",4,4")


def test_each_sees_and_does_what_is_theirs(app: Flask, merchant: Merchant, other_merchant: Merchant):
    merchant.sku("MINE")
    stranger = member(app, other_merchant.tenant_id)
    assert "MINE" not in stranger.read("/catalog")
    assert stranger.client.get("/catalog/skus/MINE").status_code == 404
    agent = member(app, merchant.tenant_id, "agent")
    assert "Add item" not in agent.read("/catalog")
    assert agent.client.get("/catalog/new").status_code == 403
    assert agent.post("/catalog/skus/MINE/edit", "/catalog", **FORM).status_code == 403
    assert merchant.ok("GET", "/skus/MINE")["title"] == "Thing MINE"
