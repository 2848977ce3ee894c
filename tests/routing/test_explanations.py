"""The reason for a plan: small enough to keep, readable as a sentence and as a table."""

from __future__ import annotations

import json

import numpy as np
import pytest

from app.routing.explanations import explain_table
from app.routing.rules import Basket, BasketLine, Destination, Network, NodeFacts, decide
from tests.routing.examples import BOISE, basket, network, node, rule

NO_STORES = {"id": "no-stores", "field": "node.kind", "op": "ne", "value": "store"}


def wide(count: int, letters: int = 6) -> Network:
    rng = np.random.default_rng(count)
    return Network.build(
        [
            NodeFacts(
                f"id-{at}",
                f"{at:0{letters}d}",
                f"Place {at}",
                "store" if at % 2 else "warehouse",
                float(rng.uniform(28, 48)),
                float(rng.uniform(-122, -72)),
            )
            for at in range(count)
        ]
    )


@pytest.mark.parametrize(("count", "letters"), [(50, 6), (50, 12), (50, 64), (500, 6), (500, 64)])
def test_an_explanation_stays_under_two_kilobytes(count: int, letters: int) -> None:
    places = wide(count, letters)
    rng = np.random.default_rng(5)
    chosen = rule({"id": "s", "filters": [NO_STORES]})
    for density in (0.02, 0.2, 0.9):
        stock = np.where(rng.random((6, count)) < density, rng.integers(1, 500, (6, count)), 0)
        lines = [BasketLine(f"SKU-{at}", "stock", int(rng.integers(1, 400))) for at in range(6)]
        decision = decide(places, Basket(lines, BOISE, stock, "web"), chosen)
        assert len(json.dumps(decision.explanation, separators=(",", ":"))) < 2048
        shown = explain_table(decision.explanation, places)
        if letters <= 12:
            assert {places.codes[at] for at in decision.nodes} <= {row.code for row in shown}
        if count == 50 and letters == 6:
            assert len(shown) == 50


def test_the_only_place_with_everything() -> None:
    decision = decide(network(), basket([[0, 0, 0, 1, 3], [0, 0, 1, 0, 1]], [2, 1]), rule())
    assert decision.sentence == (
        "Ships from Reno because it is the only place with both items in stock: one package, 338 miles."
        " Next best: Columbus and Portland, one unit fewer."
    )


def test_the_nearest_of_several() -> None:
    decision = decide(network(), basket([[1, 0, 1, 0, 1]]), rule())
    assert decision.sentence == (
        "Ships from Reno because it is the nearest of the three places with the item in stock:"
        " one package, 338 miles. Next best: Columbus, 1,717 miles, 1,379 farther."
    )


def test_no_single_place_has_everything() -> None:
    decision = decide(network(), basket([[0, 0, 1, 0, 0], [0, 0, 0, 1, 1]]), rule())
    assert decision.sentence == (
        "Ships from Columbus and Reno because no single place has both items in stock: two packages,"
        " 2,056 miles together. Next best: Columbus and Portland, 2,062 miles, 6 farther."
    )


def test_what_waits_is_said() -> None:
    decision = decide(network(), basket([[0, 0, 0, 0, 3]], [5]), rule())
    assert decision.sentence == (
        "Ships from Reno because it has all that is in stock: one package, 338 miles."
        " Two of five units wait for stock."
    )
    nothing = decide(network(), basket([[0] * 5]), rule())
    assert (
        nothing.sentence
        == "Nothing can ship yet because no place has any of it in stock. One unit waits for stock."
    )
    refused = decide(network(), basket([[0, 1, 0, 1, 0]]), rule({"id": "s", "filters": [NO_STORES]}))
    assert refused.sentence.startswith(
        "Nothing can ship yet because the places that have stock are ruled out."
    )


def test_the_table_says_why_each_place_was_not_chosen() -> None:
    places = Network.build(
        [node("ATL", capacity_per_day=400), node("BRK"), node("CMH"), node("PDX"), node("RNO")]
    )
    order = basket([[9, 9, 9, 1, 9], [0, 9, 9, 9, 9]], [2, 1], load=np.array([400, 0, 0, 0, 0]))
    only = {"id": "east", "field": "node.region", "op": "ne", "value": "NY"}
    decision = decide(places, order, rule({"id": "s", "filters": [only]}))
    rows = {row.name: row for row in explain_table(decision.explanation, places)}
    assert next(iter(rows)) == "Reno"
    assert (rows["Reno"].outcome, rows["Reno"].miles, rows["Reno"].against) == ("Chosen", 338, 0)
    assert (rows["Columbus"].outcome, rows["Columbus"].against) == ("Possible, farther", 1379)
    assert rows["Portland"].outcome == "Possible for a part: 1 on hand, 2 needed of item 1"
    assert rows["Atlanta"].outcome == "Ruled out: full today, 400 packages"
    assert rows["Brooklyn"].outcome == "Ruled out by filter east: region is NY"


def test_a_place_without_enough_refused_or_closed() -> None:
    places = Network.build(
        [node("ATL"), node("BRK", open=False), node("CMH"), node("PDX", kind="workshop"), node("RNO")]
    )
    decision = decide(places, basket([[0, 5, 5, 5, 2]], [2]), rule(), excluded=[(0, 2)])
    rows = {row.code: row.outcome for row in explain_table(decision.explanation, places)}
    assert rows == {
        "ATL": "Ruled out: 0 on hand, 2 needed",
        "BRK": "Ruled out: closed",
        "CMH": "Ruled out: refused this order before",
        "PDX": "Ruled out: not for goods of this kind",
        "RNO": "Chosen",
    }


def test_a_table_outlives_its_network() -> None:
    decision = decide(network(), basket([[1, 1, 1, 1, 1]]), rule({"id": "s", "filters": [NO_STORES]}))
    stored = json.loads(json.dumps(decision.explanation))
    rows = explain_table(stored, Network.build([node("RNO")]))
    assert {row.name for row in rows} == {"Reno", "ATL", "BRK", "CMH", "PDX"}
    assert {row.outcome for row in explain_table(stored)} == {
        "Chosen",
        "Possible, farther",
        "Ruled out by filter no-stores: never use stores",
    }


def test_every_kind_of_decision_can_be_read() -> None:
    rng = np.random.default_rng(11)
    objectives = ("fewest_packages_then_nearest", "priority_then_fewest_nearest", "nearest")
    for at in range(300):
        stock = rng.integers(0, 4, (int(rng.integers(1, 5)), 5)) * (rng.random(5) < 0.6)
        places = (
            network()
            if at % 2
            else Network.build([node(c, priority=int(rng.integers(3))) for c in network().codes])
        )
        destination = BOISE if at % 3 else Destination(country="US")
        order = basket(stock.tolist(), rng.integers(1, 5, len(stock)).tolist(), destination=destination)
        decision = decide(places, order, rule({"id": "s", "objective": objectives[at % 3]}))
        assert decision.sentence.endswith(".")
        assert "None" not in decision.sentence
        assert len(explain_table(decision.explanation, places)) == 5
        placed = sum(quantity for _, _, quantity in decision.placements)
        assert placed + sum(quantity for _, quantity in decision.unfilled) == sum(
            x.quantity for x in order.lines
        )
