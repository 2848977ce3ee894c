"""SKUs over the API."""

from __future__ import annotations

import pytest

from tests.factories import Merchant

PRICE = {"amount": 1299, "currency": "USD"}


def test_put_answers_201_then_200_and_get_shows_every_field(merchant: Merchant):
    body = {
        "title": "Seed tin",
        "kind": "stock",
        "price": PRICE,
        "weight_g": 120,
        "tax_code": "food",
        "release_date": "2027-01-05",
        "lead_time_days": 3,
        "components": [],
        "attributes": {"color": "red", "exemption": "seeds_and_plants", "sizes": ["s", "m"], "fragile": True},
        "exempt_from_delay_rule": True,
    }
    assert merchant.put("/skus/TIN-1", body).status_code == 201
    answer = merchant.put("/skus/TIN-1", body | {"title": "Tin of seeds"})
    assert answer.status_code == 200
    assert merchant.ok("GET", "/skus/TIN-1") == body | {"sku": "TIN-1", "title": "Tin of seeds"}
    assert answer.get_json() == merchant.ok("GET", "/skus/TIN-1")


def test_put_replaces_whole(merchant: Merchant):
    merchant.sku("A", attributes={"color": "red"})
    merchant.ok("PUT", "/skus/A", {"title": "A", "price": PRICE})
    assert merchant.ok("GET", "/skus/A")["attributes"] == {}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": "boat"}, "/kind"),
        ({"price": {"amount": -1, "currency": "USD"}}, "/price/amount"),
        ({"price": {"amount": 1, "currency": "XXX"}}, "/price/currency"),
        ({"color": "red"}, "/color"),
        ({"attributes": {"exemption": "because"}}, "/attributes"),
        ({"attributes": {"hazard": "yes"}}, "/attributes"),
        ({"attributes": {"temperature": "warm"}}, "/attributes"),
        ({"attributes": {"length_mm": 0, "width_mm": 1, "height_mm": 1}}, "/attributes"),
        ({"attributes": {"length_mm": True, "width_mm": 1, "height_mm": 1}}, "/attributes"),
        ({"attributes": {"length_mm": 10}}, "/attributes"),
        ({"attributes": {"a": {"b": 1}}}, "/attributes/a/value"),
        ({"attributes": {"a": "\x00"}}, "/attributes/a/value"),
        ({"title": ""}, "/title"),
        ({"components": [{"sku": "A", "quantity": 1}]}, "/components"),
        ({"kind": "kit"}, "/components"),
        ({"kind": "kit", "components": [{"sku": "nowhere", "quantity": 1}]}, "/components/0/sku"),
        ({"kind": "kit", "components": [{"sku": "SELF", "quantity": 1}]}, "/components/0/sku"),
        ({"kind": "kit", "components": [{"sku": "FILE", "quantity": 1}]}, "/components/0/sku"),
        ({"kind": "kit", "components": [{"sku": "A", "quantity": 0}]}, "/components/0/quantity"),
        ({"kind": "kit", "components": [{"sku": "A", "quantity": 1}] * 2}, "/components/1/sku"),
    ],
)
def test_what_is_wrong_is_named(merchant: Merchant, change: dict, pointer: str):
    merchant.sku("A")
    merchant.sku("FILE", kind="digital")
    answer = merchant.put("/skus/SELF", {"title": "x", "price": PRICE} | change)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    assert merchant.get("/skus/SELF").status_code == 404


@pytest.mark.parametrize("code", ["%20x", "x" * 101, "a%00b", "a%2Fb"])
def test_codes_that_cannot_be(merchant: Merchant, code: str):
    assert merchant.put(f"/skus/{code}", {"title": "x", "price": PRICE}).status_code in (404, 422)
    assert merchant.get(f"/skus/{code}").status_code == 404
    assert merchant.get(f"/nodes/{code}").status_code == 404


def test_a_kit_holds_skus_but_no_kits(merchant: Merchant):
    a, b = merchant.sku(), merchant.sku()
    kit = merchant.sku(kind="kit", components=[{"sku": a, "quantity": 2}, {"sku": b, "quantity": 1}])
    assert merchant.ok("GET", f"/skus/{kit}")["components"][0] == {"sku": a, "quantity": 2}
    nested = {"title": "x", "price": PRICE, "kind": "kit", "components": [{"sku": kit, "quantity": 1}]}
    assert merchant.put("/skus/NESTED", nested).status_code == 422
    problem = merchant.put(f"/skus/{a}", {"title": "x", "price": PRICE, "kind": "digital"})
    assert problem.status_code == 409
    assert problem.get_json()["type"].endswith("/sku-is-component")


def test_kind_stays_while_orders_are_open(merchant: Merchant):
    node, waiting, placed = merchant.node(), merchant.sku(), merchant.sku()
    merchant.stock(node, placed, 1)
    merchant.order((waiting, 1))
    merchant.order((placed, 1))
    for sku in (waiting, placed):
        answer = merchant.put(f"/skus/{sku}", {"title": "x", "price": PRICE, "kind": "preorder"})
        assert answer.status_code == 409
        assert answer.get_json()["type"].endswith("/sku-has-open-orders")
        assert merchant.ok("GET", f"/skus/{sku}")["kind"] == "stock"
        assert merchant.put(f"/skus/{sku}", {"title": "x", "price": PRICE}).status_code == 200


def test_a_kind_without_stock_is_refused_while_stock_is_there(merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    merchant.stock(node, sku, 1)
    answer = merchant.put(f"/skus/{sku}", {"title": "x", "price": PRICE, "kind": "made_to_order"})
    assert answer.get_json()["type"].endswith("/sku-has-stock")


def test_digital_goods_get_a_node_that_delivers_them(merchant: Merchant):
    file = merchant.sku(kind="digital")
    assert merchant.ok("GET", "/nodes/digital")["kind"] == "virtual"
    line = merchant.order((file, 3))["lines"][0]
    assert (line["allocated"], line["backordered"]) == (3, 0)


def test_the_list_pages_by_code_and_searches(merchant: Merchant):
    for code in ("B-2", "A-1", "C_3", "D%4"):
        merchant.sku(code, title=f"Lamp {code}")
    merchant.sku("E-5", title="Chair", kind="digital")
    first = merchant.ok("GET", "/skus?limit=2")
    assert [one["sku"] for one in first["data"]] == ["A-1", "B-2"]
    second = merchant.ok("GET", f"/skus?limit=3&after={first['next']}")
    assert [one["sku"] for one in second["data"]] == ["C_3", "D%4", "E-5"]
    assert second["next"] is None
    assert [one["sku"] for one in merchant.ok("GET", "/skus?q=lAMP%20c_")["data"]] == ["C_3"]
    assert [one["sku"] for one in merchant.ok("GET", "/skus?kind=digital")["data"]] == ["E-5"]
    assert merchant.get("/skus?limit=0").status_code == 422
    assert merchant.get("/skus?after=%00").status_code == 422


def test_only_one_s_own_and_only_with_permission(merchant: Merchant, other_merchant: Merchant):
    sku = merchant.sku()
    assert other_merchant.get(f"/skus/{sku}").status_code == 404
    assert other_merchant.ok("GET", "/skus")["data"] == []
    assert merchant.provider.get(f"/skus/{sku}").status_code == 403
    reader = merchant.another_key("skus:read")
    assert reader.get(f"/skus/{sku}").status_code == 200
    assert reader.put(f"/skus/{sku}", {"title": "x", "price": PRICE}).status_code == 403


def test_what_was_read_may_be_sent_back(merchant: Merchant):
    code = merchant.sku(weight_g=5, attributes={"hazard": True})
    read = merchant.ok("GET", f"/skus/{code}")
    assert merchant.ok("PUT", f"/skus/{code}", read) == read
    other = merchant.call("PUT", f"/skus/{code}", read | {"sku": "OTHER"})
    assert (other.status_code, other.get_json()["errors"][0]["pointer"]) == (422, "/sku")
    assert merchant.get("/skus/OTHER").status_code == 404
