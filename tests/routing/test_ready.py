"""Ready templates: each is valid, reads as it should, and says in its document what its name promises."""

from __future__ import annotations

import pytest

from app.routing.documents import default_document, parse, sentences, validate
from app.routing.fields import NodeView, OrderFacts
from app.routing.policy import Allotment, Reason
from app.routing.ready import template, templates
from tests.routing.examples import network

CODES = [
    "default",
    "one-warehouse",
    "stores-as-overflow",
    "ship-from-store",
    "peak-overflow",
    "marketplace-share",
    "lowest-cost",
]


def test_they_are_those_of_the_design_with_the_default_first() -> None:
    assert [each.code for each in templates()] == CODES
    assert templates()[0].document == default_document()
    assert template("nothing") is None


@pytest.mark.parametrize("code", CODES)
def test_each_is_valid_and_reads(code: str) -> None:
    found = template(code)
    assert found is not None
    assert validate(found.document) == []
    assert sentences(found.document)
    assert found.about.endswith(".")
    assert found.name == found.document["name"]


def rule(code: str):
    found = template(code)
    assert found is not None
    return parse(found.document)


def test_one_warehouse_ships_whole_from_the_warehouse_and_asks_others_only_then():
    (strategy,) = rule("one-warehouse").strategies
    assert strategy.filters[0].passes(network()).tolist() == [True, False, True, False, True]
    assert strategy.split.max_packages == 1
    assert strategy.fallback.relax == (("max_packages",), ("warehouse-only",))


def test_stores_are_overflow_and_keep_two():
    (strategy,) = rule("stores-as-overflow").strategies
    assert strategy.filters[0].passes(network()).tolist() == [True, False, True, False, True]
    assert strategy.fallback.relax[0] == ("no-stores",)
    assert strategy.filters[1].fields == {"node.kind", "stock.left_after"}


def test_ship_from_store_prefers_near_places_and_sends_hazard_to_warehouses():
    found = rule("ship-from-store")
    assert found.line_routes[0].apart
    assert found.line_routes[0].kinds == ("warehouse",)
    assert [term.name for term in found.strategies[0].objective.terms] == [
        "packages",
        "distance",
        "inventory_balance",
    ]
    assert found.strategies[0].filters[1].passes(NodeView(network(), OrderFacts())).all()


def test_the_second_3pl_takes_what_the_first_cannot():
    (strategy,) = rule("peak-overflow").strategies
    assert strategy.respect_capacity
    assert strategy.fallback.relax == (("first-only",), ("capacity",))


def test_the_marketplace_has_its_share_and_its_own_strategy():
    found = rule("marketplace-share")
    assert found.allotments == (Allotment("marketplace", 20, borrow=True),)
    assert found.strategies[0].when is not None
    assert found.strategies[0].when.holds(OrderFacts(channel="marketplace"))
    assert not found.strategies[0].when.holds(OrderFacts(channel="web"))


def test_the_cheapest_counts_all_in_money_and_gathers_orders():
    found = rule("lowest-cost")
    assert found.strategies[0].objective.mode == "cost"
    assert found.release.mode == "window"
    assert rule("one-warehouse").reroute.reasons["damaged"] == Reason("hold", "sku")
