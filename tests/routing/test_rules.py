"""Decisions on whole baskets: which strategy, which nodes, ties, exclusions, and the same answer every time."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from app.routing.facts import NEAREST, PRIORITY
from app.routing.rules import Basket, Destination, Network, NodeFacts, decide, line_routes
from tests.routing.examples import BOISE, PLACES, basket, network, node, rule

ATL, BRK, CMH, PDX, RNO = range(5)


def test_one_package_from_the_nearest_place_that_has_everything() -> None:
    decision = decide(network(), basket([[5, 5, 5, 1, 5], [0, 1, 1, 1, 1]], [2, 1]), rule())
    assert decision.placements == [(0, RNO, 2), (1, RNO, 1)]
    assert (decision.packages, decision.nodes, decision.unfilled, decision.exact) == (1, (RNO,), [], True)
    assert decision.runner_up is not None
    assert decision.runner_up.nodes == (CMH,)
    assert decision.best_single is not None
    assert decision.best_single.nodes == (RNO,)


def haversine(lat: float, lon: float) -> float:
    """Miles to Boise by the haversine formula."""
    assert BOISE.lat is not None
    assert BOISE.lon is not None
    p1, p2 = math.radians(lat), math.radians(BOISE.lat)
    half = math.sin((p2 - p1) / 2) ** 2
    half += math.cos(p1) * math.cos(p2) * math.sin(math.radians(BOISE.lon - lon) / 2) ** 2
    return 2 * 3958.8 * math.asin(math.sqrt(half))


def test_miles_are_great_circle_miles() -> None:
    places = network()
    for at, code in enumerate(places.codes):
        decision = decide(places, basket([[int(other == at) for other in range(5)]]), rule())
        assert decision.miles == pytest.approx(haversine(PLACES[code][2], PLACES[code][3]), abs=1e-6)
    same_place = Destination(39.5296, -119.8138)
    assert decide(network(), basket([[0, 0, 0, 0, 1]], destination=same_place), rule()).miles == 0.0


def test_fewer_packages_come_before_fewer_miles() -> None:
    decision = decide(network(), basket([[0, 1, 0, 1, 0], [0, 1, 0, 0, 1]]), rule())
    assert decision.nodes == (BRK,)


def test_most_units_come_before_fewer_packages() -> None:
    decision = decide(network(), basket([[1, 0, 0, 0, 0], [0, 0, 2, 0, 0]], [1, 3]), rule())
    assert decision.placements == [(0, ATL, 1), (1, CMH, 2)]
    assert decision.unfilled == [(1, 1)]


def test_a_line_is_split_only_when_no_place_holds_it() -> None:
    whole = decide(network(), basket([[3, 0, 0, 2, 2]], [3]), rule())
    assert whole.placements == [(0, ATL, 3)]
    split = decide(network(), basket([[2, 0, 0, 2, 2]], [3]), rule())
    assert split.placements == [(0, PDX, 2), (0, RNO, 1)]


def test_ties_go_to_the_lower_priority_number_and_then_to_the_lower_code() -> None:
    here = {"lat": 40.0, "lon": -100.0}
    tied = Network.build([node("CMH", **here), node("ATL", **here, priority=2), node("RNO", **here)])
    assert decide(tied, basket([[1, 1, 1]]), rule()).nodes == (tied.position["CMH"],)
    nowhere = Destination(country="US")
    assert decide(tied, basket([[1, 1, 1]], destination=nowhere), rule()).nodes == (tied.position["CMH"],)
    assert decide(tied, basket([[1, 0, 1]], destination=nowhere), rule()).nodes == (tied.position["RNO"],)


def test_an_unknown_destination_counts_no_miles() -> None:
    decision = decide(network(), basket([[0, 1, 0, 0, 1]], destination=Destination(country="US")), rule())
    assert (decision.nodes, decision.miles) == ((BRK,), 0.0)
    assert "mile" not in decision.sentence


def test_a_node_without_a_place_comes_last_and_counts_no_miles() -> None:
    wide = network(NodeFacts("id-X", "AAA", "Somewhere", "vendor"))
    decision = decide(wide, basket([[1, 1, 0, 0, 0, 0]]), rule())
    assert wide.codes[decision.nodes[0]] == "ATL"
    alone = decide(wide, basket([[1, 0, 0, 0, 0, 0]]), rule())
    assert (wide.codes[alone.nodes[0]], alone.miles) == ("AAA", 0.0)


def test_filters_rule_nodes_out() -> None:
    strategy = {
        "id": "near-warehouses",
        "filters": [
            {"id": "kind", "field": "node.kind", "op": "eq", "value": "warehouse"},
            {"id": "near", "field": "node.distance_miles", "op": "lte", "value": 1750},
        ],
    }
    decision = decide(network(), basket([[1, 1, 1, 1, 0]]), rule(strategy))
    assert decision.nodes == (CMH,)
    assert decide(network(), basket([[1, 1, 0, 1, 0]]), rule(strategy)).unfilled == [(0, 1)]


@pytest.mark.parametrize(
    ("field", "op", "value", "nodes"),
    [
        ("node.kind", "ne", "store", {"ATL", "CMH", "RNO"}),
        ("node.kind", "in", ["store", "vendor"], {"BRK", "PDX"}),
        ("node.code", "not_in", ["RNO", "PDX", "ATL"], {"BRK", "CMH"}),
        ("node.region", "eq", "NY", {"BRK"}),
        ("node.country", "ne", "US", set()),
        ("node.priority", "lt", 1, set()),
        ("node.priority", "between", [1, 1], {"ATL", "BRK", "CMH", "PDX", "RNO"}),
        ("node.distance_miles", "lt", 340, {"RNO"}),
        ("node.distance_miles", "gt", 2000, {"BRK"}),
        ("node.distance_miles", "gte", 1800, {"ATL", "BRK"}),
        ("node.distance_miles", "between", [340, 1720], {"CMH", "PDX"}),
    ],
)
def test_each_filter(field: str, op: str, value: object, nodes: set[str]) -> None:
    strategy = {"id": "s", "filters": [{"id": "f", "field": field, "op": op, "value": value}]}
    places = network()
    left = {
        places.codes[at]
        for at in range(5)
        if decide(places, basket([[int(other == at) for other in range(5)]]), rule(strategy)).nodes
    }
    assert left == nodes


def test_a_destination_without_a_place_passes_filters_on_the_distance() -> None:
    strategy = {
        "id": "s",
        "filters": [{"id": "far", "field": "node.distance_miles", "op": "gt", "value": 9000}],
    }
    there = basket([[1, 0, 0, 0, 0]], destination=Destination(country="US"))
    assert decide(network(), there, rule(strategy)).nodes == (ATL,)


@pytest.mark.parametrize(
    ("when", "applies"),
    [
        ({"channel": ["phone", "web"]}, True),
        ({"channel": ["phone"]}, False),
        ({"field": "order.units", "op": "gte", "value": 3}, True),
        ({"field": "order.lines", "op": "eq", "value": 1}, False),
        ({"field": "order.weight_g", "op": "between", "value": [300, 300]}, True),
        ({"field": "destination.postal_code", "op": "zip_prefix", "value": ["97", "837"]}, True),
        ({"not": {"field": "destination.region", "op": "in", "value": ["ID"]}}, False),
        (
            {"any": [{"channel": ["phone"]}, {"field": "destination.country", "op": "eq", "value": "US"}]},
            True,
        ),
        (
            {"all": [{"channel": ["web"]}, {"field": "order.channel", "op": "not_in", "value": ["web"]}]},
            False,
        ),
    ],
)
def test_the_first_strategy_whose_condition_holds_is_used(when: dict, applies: bool) -> None:
    chosen = rule({"id": "special", "when": when}, {"id": "rest"})
    decision = decide(network(), basket([[1, 1, 1, 1, 1], [2, 2, 2, 2, 2]], [1, 2]), chosen)
    assert decision.strategy == ("special" if applies else "rest")


def test_most_packages_leaves_the_rest_waiting() -> None:
    strategy = {"id": "s", "split": {"max_packages": 1}}
    stock = [[1, 0, 0, 0, 0], [0, 0, 0, 3, 0], [0, 0, 0, 0, 1]]
    decision = decide(network(), basket(stock, [1, 3, 1]), rule(strategy))
    assert (decision.placements, decision.unfilled) == ([(1, PDX, 3)], [(0, 1), (2, 1)])
    two = decide(network(), basket(stock, [1, 3, 1]), rule({"id": "s", "split": {"max_packages": 2}}))
    assert two.nodes == (PDX, RNO)


def test_ship_complete_is_all_or_nothing() -> None:
    stock = [[1, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    for given, asked in ((True, False), (False, True)):
        strategy = {"id": "s", "split": {"ship_complete": given}}
        decision = decide(network(), basket(stock, ship_complete=asked), rule(strategy))
        assert (decision.placements, decision.unfilled) == ([], [(0, 1), (1, 1)])
        assert decision.explanation["held"] == "ship_complete"
        assert "ships complete" in decision.sentence
    assert decide(network(), basket(stock), rule()).placements == [(0, ATL, 1)]


def test_priority_opens_the_next_number_only_when_needed() -> None:
    places = Network.build(
        [node("ATL"), node("BRK", priority=2), node("PDX", priority=2), node("RNO", priority=3)]
    )
    strategy = rule({"id": "s", "objective": PRIORITY})
    assert decide(places, basket([[1, 1, 1, 1]]), strategy).nodes == (0,)
    assert decide(places, basket([[1, 0, 0, 1], [0, 1, 1, 1]]), strategy).nodes == (0, 2)


def test_nearest_takes_each_line_from_its_nearest_place() -> None:
    decision = decide(
        network(), basket([[0, 1, 0, 1, 0], [0, 1, 0, 0, 1]]), rule({"id": "s", "objective": NEAREST})
    )
    assert decision.placements == [(0, PDX, 1), (1, RNO, 1)]
    gathered = decide(network(), basket([[4, 1, 1, 1, 1]], [5]), rule({"id": "s", "objective": NEAREST}))
    assert gathered.placements == [(0, ATL, 2), (0, CMH, 1), (0, PDX, 1), (0, RNO, 1)]


def test_excluded_places_are_not_used() -> None:
    full = basket([[1, 1, 1, 1, 1], [1, 1, 1, 1, 1]])
    assert decide(network(), full, rule(), excluded=[(None, RNO)]).nodes == (PDX,)
    part = decide(network(), full, rule(), excluded=[(1, RNO), (None, PDX)])
    assert part.nodes == (CMH,)


def test_lines_of_one_sku_share_their_stock() -> None:
    shared = [[3, 0, 0, 0, 4]] * 2
    decision = decide(network(), basket(shared, [3, 2], skus=["A", "A"]), rule())
    assert decision.placements == [(0, ATL, 3), (1, RNO, 2)]
    scarce = decide(network(), basket([[0, 0, 0, 0, 4]] * 2, [3, 2], skus=["A", "A"]), rule())
    assert (scarce.placements, scarce.unfilled) == ([(0, RNO, 3), (1, RNO, 1)], [(1, 1)])
    refused = decide(network(), basket(shared, [1, 1], skus=["A", "A"]), rule(), excluded=[(1, RNO)])
    assert refused.nodes == (ATL,)


def test_closed_and_full_nodes_are_not_used() -> None:
    places = Network.build([node("ATL"), node("PDX", capacity_per_day=4), node("RNO", open=False)])
    for load, expected in ((3, 1), (4, 0)):
        decision = decide(places, basket([[1, 1, 1]], load=np.array([9, load, 0])), rule())
        assert decision.nodes == (expected,)


def test_made_to_order_and_digital_lines_leave_before_the_strategy() -> None:
    places = network(
        NodeFacts("id-V", "VIR", "E-mail", "virtual"),
        NodeFacts("id-W", "WRK", "Asheville", "workshop", 35.6, -82.6),
    )
    strategy = {
        "id": "s",
        "filters": [{"id": "f", "field": "node.kind", "op": "eq", "value": "warehouse"}],
        "split": {"max_packages": 1},
    }
    plenty = [1_000_000_000] * 7
    order = basket(
        [[1] * 7, plenty, plenty], [1, 9, 1], kinds=["stock", "made_to_order", "gift_card_digital"]
    )
    decision = decide(places, order, rule(strategy))
    assert decision.placements == [(0, RNO, 1), (1, 6, 9), (2, 5, 1)]
    assert decision.sentence.endswith("Made in Asheville. Delivered by E-mail.")


def test_kinds_of_line_and_the_nodes_they_may_go_to() -> None:
    assert line_routes("stock") == line_routes("kit") == ("warehouse", "store", "vendor")
    assert line_routes("made_to_order") == ("workshop",)
    assert line_routes("digital") == line_routes("gift_card_digital") == ("virtual",)


def test_nothing_there_nothing_placed() -> None:
    decision = decide(network(), basket([[0] * 5, [0] * 5], [2, 1]), rule())
    assert (decision.placements, decision.unfilled, decision.packages) == ([], [(0, 2), (1, 1)], 0)
    assert (decision.runner_up, decision.best_single) == (None, None)
    assert decide(Network.build([]), basket([[]]), rule()).unfilled == [(0, 1)]
    assert decide(network(), Basket([], BOISE, np.zeros((0, 5), dtype=np.int64)), rule()).placements == []


def test_a_basket_that_does_not_fit_the_network_is_refused() -> None:
    with pytest.raises(ValueError, match="one column per node"):
        decide(network(), basket([[1, 1]]), rule())
    with pytest.raises(ValueError, match="at least one unit"):
        decide(network(), basket([[1] * 5], [0]), rule())
    with pytest.raises(ValueError, match="same code"):
        network(node("RNO"))


def test_a_replay_is_the_same_to_the_byte() -> None:
    rng = np.random.default_rng(1)
    for _ in range(60):
        stock = rng.integers(0, 4, (3, 5)).tolist()
        first = decide(network(), basket(stock, [2, 1, 3]), rule(), excluded=[(0, 1), (None, 2)])
        again = decide(network(), basket(stock, [2, 1, 3]), rule(), excluded={(None, 2), (0, 1)})
        assert json.dumps(first.explanation) == json.dumps(again.explanation)
        assert (first.sentence, first.input_hash) == (again.sentence, again.input_hash)
        assert first.placements == again.placements


def test_the_input_hash_covers_every_input() -> None:
    stock = [[1, 1, 1, 1, 1]]
    base = decide(network(), basket(stock), rule()).input_hash
    strict = {"id": "s", "split": {"max_packages": 1}}
    others = [
        decide(network(), basket([[1, 1, 1, 1, 2]]), rule()),
        decide(network(), basket(stock, [2]), rule()),
        decide(network(), basket(stock, channel="phone"), rule()),
        decide(network(), basket(stock, ship_complete=True), rule()),
        decide(network(), basket(stock, destination=Destination(43.0, -116.0)), rule()),
        decide(network(), basket(stock), rule(strict)),
        decide(network(), basket(stock), rule(), excluded=[(0, 1)]),
        decide(network(), basket(stock), rule(), excluded=[(None, 1)]),
        decide(Network.build([node(code, priority=7) for code in network().codes]), basket(stock), rule()),
    ]
    assert len({base, *(other.input_hash for other in others)}) == len(others) + 1
