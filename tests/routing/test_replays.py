"""One decision made again, bit for bit, whatever was changed since; and what would change it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from infra.clock import real_now
from infra.ids import new_id
from tenants.scope import inside
from tests.factories import Merchant

PAID = [{"kind": "external", "reference": "paid"}]
RULES = {
    "name": "Near, in one package",
    "strategies": [
        {
            "id": "near",
            "filters": [{"id": "not-far", "field": "node.distance_miles", "op": "lte", "value": 1000}],
            "objective": {"mode": "cost", "terms": [{"term": "shipping"}, {"term": "stock_price"}]},
            "split": {"max_packages": 1},
        }
    ],
}


@pytest.fixture
def decided(merchant: Merchant) -> Merchant:
    """EAST holds all of it and is ruled out; WEST holds one unit; SOUTH two, and is dearer."""
    merchant.node("WEST")
    merchant.node("SOUTH", postal_code="85001", region="AZ", capacity_per_day=50)
    merchant.node("EAST", postal_code="07102", region="NJ")
    merchant.sku("A")
    for node, units in (("WEST", 1), ("SOUTH", 2), ("EAST", 9)):
        merchant.stock(node, "A", units)
    version = merchant.ok("POST", "/routing/rules", {"document": RULES})["version"]
    merchant.ok("POST", f"/routing/rules/{version}/activation", {"replaces": 1})
    merchant.drain()
    return merchant


def routing(merchant: Merchant, order: dict[str, Any], query: str = "?replay=true") -> dict[str, Any]:
    return merchant.ok("GET", f"/orders/{order['id']}/routing{query}")


def test_a_decision_replays_after_everything_changed(decided: Merchant) -> None:
    order = decided.order(("A", 3), tenders=PAID)
    first = routing(decided, order)
    with inside(decided.tenant_id) as scope:
        scope.execute(
            "INSERT INTO price_tables (tenant_id, id, version, document, basis, made_at)"
            " VALUES (:tenant, :id, 7, CAST(:document AS jsonb), '{}', :now)",
            id=new_id(),
            document=orjson.dumps({"stock": {"A": {"SOUTH": 90_000}}}).decode(),
            now=real_now(),
        )
    decided.node("SOUTH", postal_code="98101", region="WA", capacity_per_day=1)
    decided.node("BOISE", postal_code="83702", region="ID")
    decided.stock("BOISE", "A", 9)
    version = decided.ok(
        "POST",
        "/routing/rules",
        {"document": {"name": "Nearest", "strategies": [{"id": "all", "objective": "nearest"}]}},
    )["version"]
    decided.ok("POST", f"/routing/rules/{version}/activation", {"replaces": 2})
    decided.drain()
    found = routing(decided, order)
    for one in found["replay"]:
        assert one["recorded"], one
        assert one["same_input"], one
        assert one["same_plan"], one
        assert one["same_explanation"], one
        assert one["same"], one
    assert found["replay"][-1] == first["replay"][-1]
    assert len(found["replay"]) > len(first["replay"]), "the waiting unit was placed by the new rules"


def test_what_would_change_the_plan(decided: Merchant) -> None:
    order = decided.order(("A", 3), tenders=PAID)
    (replay,) = routing(decided, order)["replay"]
    found = {one["constraint"]: one for one in replay["sensitivity"]}
    assert set(found) == {"not-far", "max_packages"}
    assert found["not-far"]["kind"] == "filter"
    assert found["not-far"]["plan"] == [{"node": "EAST", "line": 0, "quantity": 3}]
    assert (found["not-far"]["packages_more"], found["not-far"]["units_more"]) == (0, 1)
    assert found["max_packages"]["packages"] == 2
    assert found["max_packages"]["units_more"] == 1
    assert "EAST" in found["not-far"]["sentence"]


def test_a_node_that_refused_is_a_constraint(decided: Merchant) -> None:
    order = decided.order(("A", 1), tenders=PAID)
    decided.drain()
    work = decided.ok("GET", f"/orders/{order['id']}")["fulfillment_orders"][0]
    decided.provider.ok("POST", f"/fulfillment-orders/{work['id']}/rejection", {"reason": "closed"})
    decided.drain()
    replays = routing(decided, order)["replay"]
    assert all(one["same"] for one in replays), replays
    assert len(replays) == 2
    excluded = [one for one in replays[0]["sensitivity"] if one["kind"] == "excluded"]
    assert [one["constraint"] for one in excluded] == [work["node"]]
    assert excluded[0]["plan"] == [{"node": work["node"], "line": 0, "quantity": 1}]


def test_the_reasons_are_typed(decided: Merchant) -> None:
    order = decided.order(("A", 1), tenders=PAID)
    found = routing(decided, order, "")
    assert found["replay"] is None
    (reasons,) = found["reasons"]
    assert reasons["strategy"] == "near"
    assert reasons["exact"] is True
    assert len(reasons["input_hash"]) == 64
    assert set(reasons["chosen"]["terms"]) == {"shipping", "stock_price"}
    assert reasons["runner_up"]["nodes"] == ["SOUTH"]
    assert reasons["runner_up"]["terms"]["shipping"] > reasons["chosen"]["terms"]["shipping"]


def test_an_order_of_another_merchant_is_not_there(decided: Merchant, other_merchant: Merchant) -> None:
    order = decided.order(("A", 1), tenders=PAID)
    assert other_merchant.get(f"/orders/{order['id']}/routing?replay=true").status_code == 404
    assert decided.get(f"/orders/{order['id']}/routing?replay=perhaps").status_code == 422
