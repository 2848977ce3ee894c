"""What a rule document asks for, and what is decided: objectives, line routes, splits, fallbacks, prices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.routing import documents
from app.routing.facts import MICRO, Basket, BasketLine, Destination, Network
from app.routing.rules import Decision, decide
from app.routing.terms import Prices
from tests.routing.examples import BOISE, basket, network, node

ATL, BRK, CMH, PDX, RNO = range(5)


def decided(
    stock: list[list[int]],
    strategy: dict[str, Any] | None = None,
    places: Network | None = None,
    document: dict[str, Any] | None = None,
    prices: Prices | None = None,
    **more: Any,
) -> Decision:
    whole = {"name": "Test", "strategies": [{"id": "all", **(strategy or {})}], **(document or {})}
    assert documents.validate(whole) == []
    options = {"prices": prices} if prices else {}
    return decide(places or network(), basket(stock, **more), documents.parse(whole), **options)


def cost(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"objective": {"mode": "cost", "terms": list(terms)}}


def test_cost_takes_the_cheaper_place_not_the_nearer() -> None:
    dear = network()
    assert decided([[0, 0, 1, 0, 1]], cost({"term": "shipping"}), dear).nodes == (RNO,)
    places = Network.build([node("CMH"), node("RNO", handling_per_package=5000.0)])
    found = decided([[1, 1]], cost({"term": "shipping"}, {"term": "handling"}), places)
    assert found.nodes == (0,)
    assert found.explanation["terms"]["handling"][:2] == [0, 5000]
    assert found.sentence == (
        "Ships from Columbus because it costs the least, $13.06: one package, 1,717 miles."
        " Next best: Reno, $58.23, $45.17 more."
    )


FOR_HOMES: dict[str, Any] = {
    "code": "C", "service": "Ground", "zone_by": "distance", "zone_miles": [100],
    "dim_divisor": None, "dim_unit": "cm3_per_kg", "dim_over": 0,
    "surcharges": [{"code": "home", "when": "residential", "amount": 5000, "value": None}],
    "fuel_basis_points": 0, "transit_days": [1, 2], "prices": [[30_000, [500, 600]]],
}  # fmt: skip


def test_a_business_is_not_asked_what_a_home_is() -> None:
    places = Network.build([node("CMH", rate_card="C"), node("RNO")], [(FOR_HOMES, {})])
    terms = cost({"term": "shipping"})
    home = decided([[1, 1]], terms, places)
    assert home.nodes == (1,)
    assert home.explanation["terms"]["shipping"][1] == 5600
    business = decided([[1, 1]], terms, places, is_business=True)
    assert business.nodes == (0,)
    assert business.explanation["terms"]["shipping"][0] == 600


def test_a_split_penalty_keeps_an_order_in_one_package() -> None:
    stock = [[1, 0, 0, 0, 1], [1, 0, 0, 1, 0]]
    apart = decided(stock, cost({"term": "distance", "weight": 1}))
    assert apart.nodes == (PDX, RNO)
    together = decided(
        stock, cost({"term": "distance", "weight": 1}, {"term": "split_penalty", "weight": 5000})
    )
    assert together.nodes == (ATL,)


def test_in_order_with_a_tolerance() -> None:
    places = Network.build([node("CMH", priority=1), node("RNO", priority=9)])
    terms = [{"term": "distance"}, {"term": "priority"}]
    near = decided([[1, 1]], {"objective": {"mode": "lexicographic", "terms": terms}}, places)
    assert near.nodes == (1,)
    terms[0]["tolerance"] = 9.0
    assert decided([[1, 1]], {"objective": {"mode": "lexicographic", "terms": terms}}, places).nodes == (0,)


def test_a_score_weighs_shares() -> None:
    places = Network.build([node("CMH", priority=1), node("RNO", priority=9)])

    def by(distance: float, priority: float) -> tuple[int, ...]:
        terms = [{"term": "distance", "weight": distance}, {"term": "priority", "weight": priority}]
        return decided([[1, 1]], {"objective": {"mode": "score", "terms": terms}}, places).nodes

    assert (by(0.6, 0.4), by(0.4, 0.6)) == ((1,), (0,))


def test_prices_on_scarce_stock_send_the_order_elsewhere() -> None:
    scarce = np.zeros(5, dtype=np.int64)
    scarce[RNO] = 90_000 * MICRO
    prices = Prices(3, {"SKU-0": scarce}, None, None, b"3")
    terms = cost({"term": "shipping"}, {"term": "stock_price"})
    assert decided([[0, 0, 1, 0, 1]], terms).nodes == (RNO,)
    moved = decided([[0, 0, 1, 0, 1]], terms, prices=prices)
    assert moved.nodes == (CMH,)
    assert moved.explanation["prices"] == 3
    assert moved.input_hash != decided([[0, 0, 1, 0, 1]], terms).input_hash


def line(sku: str, **attributes: Any) -> BasketLine:
    return BasketLine(sku, "stock", 1, 100, value=1000, attributes=attributes)


def ordered(lines: list[BasketLine], stock: list[list[int]], **more: Any) -> Basket:
    return Basket(lines, BOISE, np.array(stock, dtype=np.int64), channel="web", **more)


ROUTE = {"id": "hazard", "when": {"field": "product.hazard", "op": "exists", "value": True}}


def by_rule(places: Network, given: Basket, **document: Any) -> Decision:
    whole = {"name": "Test", "strategies": [{"id": "all"}], **document}
    assert documents.validate(whole) == []
    return decide(places, given, documents.parse(whole))


def test_hazardous_lines_go_apart_from_a_place_cleared_for_them() -> None:
    places = Network.build([node("CMH", capabilities=("hazard",)), node("RNO")])
    given = ordered([line("SOAP"), line("LAMP-OIL", hazard=True)], [[1, 1], [1, 1]])
    found = by_rule(places, given, line_routes=[{**ROUTE, "capabilities": ["hazard"], "apart": True}])
    assert found.placements == [(0, 1, 1), (1, 0, 1)]
    joint = by_rule(places, given, line_routes=[{**ROUTE, "capabilities": ["hazard"]}])
    assert joint.placements == [(0, 0, 1), (1, 0, 1)]


@pytest.mark.parametrize(("hazard", "is_so"), [(True, True), (False, False), (None, False)])
def test_what_is_said_not_to_be_hazardous_is_not(hazard: bool | None, is_so: bool) -> None:
    places = Network.build([node("CMH", capabilities=("hazard",)), node("RNO")])
    oil = line("OIL") if hazard is None else line("OIL", hazard=hazard)
    cleared = {"id": "cleared", "field": "node.capabilities", "op": "has_all", "ref": "lines.hazards"}
    for document in (
        {"line_routes": [{**ROUTE, "nodes": ["CMH"]}]},
        {
            "line_routes": [
                {
                    **ROUTE,
                    "when": {"field": "product.hazard", "op": "eq", "value": "hazard"},
                    "nodes": ["CMH"],
                }
            ]
        },
        {"strategies": [{"id": "all", "filters": [cleared]}]},
    ):
        assert by_rule(places, ordered([oil], [[1, 1]]), **document).nodes == ((0,) if is_so else (1,))


def test_together_means_one_place_or_none() -> None:
    places = network()
    lines = [line("SOFA", hazard=True), line("CUSHION", hazard=True), line("LAMP")]
    together = {"line_routes": [{**ROUTE, "together": True}]}
    found = by_rule(places, ordered(lines, [[0, 0, 1, 0, 1], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]]), **together)
    assert found.placements == [(0, CMH, 1), (1, CMH, 1), (2, RNO, 1)]
    none = by_rule(places, ordered(lines, [[0, 0, 0, 0, 1], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]), **together)
    assert none.unfilled == [(0, 1), (1, 1)]


def test_lines_with_places_of_their_own_pass_the_filters_by() -> None:
    no_stores = {"filters": [{"id": "no-stores", "field": "node.kind", "op": "ne", "value": "store"}]}
    given = ordered([line("SOAP"), line("OIL", hazard=True)], [[0, 0, 1, 1, 0], [0, 0, 0, 1, 0]])
    found = by_rule(
        network(),
        given,
        strategies=[{"id": "all", **no_stores}],
        line_routes=[{**ROUTE, "kinds": ["store"]}],
    )
    assert found.placements == [(0, CMH, 1), (1, PDX, 1)]


def test_every_package_of_a_divided_order_is_worth_enough() -> None:
    lines = [BasketLine("DEAR", "stock", 1, 100, value=9000), BasketLine("CHEAP", "stock", 1, 100, value=300)]
    given = ordered(lines, [[0, 0, 0, 0, 1], [0, 0, 0, 1, 0]])
    split = {"least_package_value": 1000}
    found = by_rule(network(), given, strategies=[{"id": "all", "split": split}])
    assert (found.placements, found.unfilled) == ([(0, RNO, 1)], [(1, 1)])
    split["least_package_value"] = 300
    assert by_rule(network(), given, strategies=[{"id": "all", "split": split}]).unfilled == []


def test_a_line_need_not_be_gathered() -> None:
    found = decided([[2, 0, 0, 2, 2]], {"split": {"lines": False}}, quantities=[3])
    assert found.unfilled == [(0, 3)]


def test_a_fallback_gives_up_constraints_until_everything_has_a_place() -> None:
    near = {"id": "near", "field": "node.distance_miles", "op": "lte", "value": 400}
    own = {"id": "own", "field": "node.kind", "op": "eq", "value": "warehouse"}
    strategy = {"filters": [near, own], "fallback": {"relax": [["near"], ["own"]], "then": "queue"}}
    assert decided([[0, 0, 1, 1, 1]], strategy).nodes == (RNO,)
    far = decided([[0, 0, 1, 1, 0]], strategy)
    assert (far.nodes, far.explanation["relaxed"]) == ((CMH,), ["near"])
    assert decided([[0, 0, 0, 1, 0]], strategy).nodes == (PDX,)
    far_store = decided([[0, 1, 0, 0, 0]], strategy)
    assert (far_store.nodes, far_store.explanation["relaxed"]) == ((BRK,), ["near", "own"])
    nowhere = decided([[0, 0, 0, 0, 0]], strategy)
    assert (nowhere.unfilled, nowhere.then) == ([(0, 1)], "queue")
    assert "relaxed" not in nowhere.explanation


@pytest.mark.parametrize(
    ("strategy", "then"),
    [
        ({"on_none": "cancel"}, "cancel"),
        ({"on_none": "queue"}, "queue"),
        ({}, "backorder"),
        ({"fallback": {"relax": [], "then": "cancel"}}, "cancel"),
    ],
)
def test_what_nobody_has_goes_where_the_rule_says(strategy: dict[str, Any], then: str) -> None:
    assert decided([[0, 0, 0, 0, 0]], strategy).then == then


def test_waiting_for_all_of_it() -> None:
    found = decided([[1, 0, 0, 0, 0], [0, 0, 0, 0, 0]], {"on_partial": "wait"})
    assert (found.placements, found.then) == ([], "backorder")
    assert decided([[1, 0, 0, 0, 0], [0, 0, 0, 0, 0]], {"split": {"fill_or_kill": True}}).kill


def test_a_place_delivers_only_where_it_says() -> None:
    places = Network.build(
        [node("CMH"), node("RNO", zones=({"country": "US", "regions": ["NV"], "zip_prefixes": []},))]
    )
    assert decided([[1, 1]], places=places).nodes == (0,)
    there = Destination(39.5, -119.8, "NV", "89501", "US")
    assert decided([[1, 1]], places=places, destination=there).nodes == (1,)


def test_a_full_place_counts_unless_the_rule_says_otherwise() -> None:
    places = Network.build([node("CMH"), node("RNO", capacity_per_day=5)])
    full = {"load": np.array([0, 5])}
    assert decided([[1, 1]], places=places, **full).nodes == (0,)
    assert decided([[1, 1]], {"respect_capacity": False}, places, **full).nodes == (1,)
    relaxed = {"fallback": {"relax": [["capacity"]], "then": "backorder"}}
    assert decided([[0, 1]], relaxed, places, **full).nodes == (1,)


@pytest.mark.parametrize(
    "strategy", [{}, cost({"term": "shipping"}, {"term": "handling"}), {"split": {"max_packages": 1}}]
)
def test_what_is_decided_without_comparing_reads_the_same(strategy: dict[str, Any]) -> None:
    rule = documents.parse({"name": "Test", "strategies": [{"id": "all", **strategy}]})
    given = ordered([line("SOAP"), line("LAMP")], [[0, 0, 1, 0, 1], [0, 0, 1, 1, 0]])
    whole, plain = (decide(network(), given, rule, compare=compare) for compare in (True, False))
    assert (whole.runner_up is not None, plain.runner_up) == (True, None)
    assert plain.placements == whole.placements
    assert (plain.explanation, plain.sentence) == (whole.explanation, whole.sentence)
