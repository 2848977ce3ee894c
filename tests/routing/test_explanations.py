"""The reason for a plan: small enough to keep, readable as a sentence and as a table."""

from __future__ import annotations

import base64
import json
from datetime import date, datetime
from typing import Any

import numpy as np
import orjson
import pytest

from app.calendar import zone
from app.inventory.allotments import NONE
from app.network.rules import Timetable
from app.routing import documents, recording
from app.routing.configuration import Configuration, Source
from app.routing.explanations import explain_table
from app.routing.facts import MICRO
from app.routing.rules import Basket, BasketLine, Destination, Network, NodeFacts, decide
from app.routing.terms import NO_PRICES, Prices
from app.routing.vocabulary import NODE_FIELDS, TERMS
from tests.routing.examples import BOISE, basket, network, node, rule
from tests.routing.test_objectives import FOR_HOMES

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


def random_objective(rng: np.random.Generator) -> dict[str, Any] | str:
    """Any objective that a rule may have; a good part of them over every term there is."""
    mode = str(rng.choice(["cost", "score", "lexicographic", "fewest_packages_then_nearest"]))
    if mode not in ("cost", "score", "lexicographic"):
        return mode
    names = [name for name, kind in TERMS.items() if mode in kind.modes]
    if rng.random() < 0.7 or mode == "lexicographic":
        names = rng.permutation(names)[: int(rng.integers(1, 4))].tolist()
    extra = "tolerance" if mode == "lexicographic" else "weight"
    return {
        "mode": mode,
        "terms": [{"term": name, extra: round(float(rng.uniform(0.1, 2)), 2)} for name in names],
    }


def random_decision(rng: np.random.Generator, places: Network, sizes: tuple[int, int]) -> tuple[Any, ...]:
    """(basket, rule, prices): an order on scarce stock by a rule of any objective and split."""
    lines = int(rng.integers(*sizes))
    shape = (lines, len(places))
    stock = np.where(rng.random(shape) < rng.uniform(0.1, 0.9), rng.integers(0, 9, shape), 0)
    order = Basket(
        [
            BasketLine(f"SKU-{at}", "stock", int(rng.integers(1, 4)), 400, 2000, value=int(rng.integers(1, 9)) * 1000)
            for at in range(lines)
        ],
        BOISE, stock, "web", at=datetime(2026, 3, 2, 15, tzinfo=zone("America/Denver")), promised_by=date(2026, 3, 3),
    )  # fmt: skip
    split: dict[str, Any] = {"lines": bool(rng.random() < 0.7)}
    if rng.random() < 0.3:
        split["max_packages"] = int(rng.integers(1, 4))
    if rng.random() < 0.2:
        split["least_package_value"] = int(rng.integers(1, 9)) * 1000
    count = len(places)
    stock_prices = {f"SKU-{at}": rng.integers(0, 400 * MICRO, count) for at in range(lines)}
    prices = Prices(7, stock_prices, rng.integers(0, 99 * MICRO, count), rng.integers(0, MICRO, count), b"7")
    return (
        order,
        rule({"id": "s", "filters": [NO_STORES], "objective": random_objective(rng), "split": split}),
        prices,
    )


@pytest.mark.parametrize("letters", [4, 12])
def test_with_every_term_it_stays_under_two_kilobytes(letters: int) -> None:
    places, rng = wide(50, letters), np.random.default_rng(6)
    sizes = []
    for _ in range(30):
        order, _, prices = random_decision(rng, places, (5, 9))
        terms = [{"term": name, "weight": 1.0} for name, kind in TERMS.items() if "cost" in kind.modes]
        chosen = rule({"id": "s", "filters": [NO_STORES], "objective": {"mode": "cost", "terms": terms}})
        explanation = decide(places, order, chosen, prices=prices).explanation
        sizes.append((len(json.dumps(explanation, separators=(",", ":"))), len(explanation["nodes"]["code"])))
    assert max(sizes)[0] < 2048
    assert letters > 4 or min(shown for _, shown in sizes) == 50


def test_what_was_kept_decides_the_same_again_bit_for_bit() -> None:
    places, rng = wide(12), np.random.default_rng(12)
    configured = Configuration(places, {}, NO_PRICES, (), (), NONE, None, {}, Source([], []))
    for _ in range(60):
        order, chosen, prices = random_decision(rng, places, (1, 5))
        excluded = {(0, int(rng.integers(12)))} if rng.random() < 0.3 else set()
        decision = decide(places, order, chosen, excluded=excluded, prices=prices)
        kept = base64.b64decode(recording.inputs(configured, order, excluded))
        document = recording.read(kept)
        pairs = {(line, node) for line, node in document["excluded"]}
        found = decide(places, recording.basket_of(document, places), chosen, excluded=pairs, prices=prices)
        assert orjson.dumps(found.explanation) == orjson.dumps(decision.explanation)
        assert (found, found.sentence) == (decision, decision.sentence)


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


@pytest.mark.parametrize(
    ("then", "some", "none"),
    [
        ("backorder", "Two of five units wait for stock.", "Five units wait for stock."),
        (
            "queue",
            "Two of five units wait for a person to decide.",
            "Five units wait for a person to decide.",
        ),
        ("cancel", "Two of five units are canceled.", "Five units are canceled."),
    ],
)
def test_what_becomes_of_the_rest_is_said_as_the_rules_have_it(then: str, some: str, none: str) -> None:
    rules = rule({"id": "s", "on_none": then, "fallback": {"relax": [], "then": then}})
    assert decide(network(), basket([[0, 0, 0, 0, 3]], [5]), rules).sentence.endswith(some)
    assert decide(network(), basket([[0] * 5], [5]), rules).sentence.endswith(none)


def test_places_that_were_ruled_out_are_not_denied_their_stock() -> None:
    stores_out = rule({"id": "s", "filters": [NO_STORES]})
    everywhere = decide(network(), basket([[2, 2, 2, 2, 2]]), stores_out).sentence
    assert "because it is the nearest of the three possible places with the item in stock:" in everywhere
    one = decide(network(), basket([[0, 2, 0, 0, 2]]), stores_out).sentence
    assert "because it is the only possible place with the item in stock:" in one
    two = decide(network(), basket([[0, 2, 1, 0, 0], [0, 2, 0, 0, 2]]), stores_out).sentence
    assert "because no single possible place has both items in stock:" in two
    some = decide(network(), basket([[0, 2, 0, 0, 1]], [5]), stores_out).sentence
    assert "because it has all that possible places have in stock:" in some


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


def test_what_no_carrier_takes_is_said_in_sentence_and_table() -> None:
    """The card has no price for what is farther than 500 miles; Portland is nearer."""
    card = FOR_HOMES | {"zone_miles": [500], "prices": [[5000, [600, None]]], "surcharges": []}
    places = Network.build([node("ATL", rate_card="C"), node("PDX", rate_card="C")], [(card, {})])
    priced = rule({"id": "s", "objective": {"mode": "cost", "terms": [{"term": "shipping"}]}})
    decision = decide(places, basket([[4, 1]], [2]), priced)
    assert decision.sentence == (
        "Nothing can ship yet because no carrier has a price for it from the places that have it."
        " Two units wait for another place."
    )
    [atlanta, portland] = explain_table(decision.explanation, places)
    assert atlanta.outcome == "Ruled out: its carrier has no price for such a package"
    assert (atlanta.packages, atlanta.against) == (None, None)
    assert portland.outcome == "Possible for a part: 1 on hand, 2 needed"


def test_that_places_are_full_is_said() -> None:
    places = Network.build([node("ATL", capacity_per_day=4), node("CMH", capacity_per_day=4)])
    load = np.array([4, 0])
    full = decide(places, basket([[5, 0]], load=load), rule())
    assert full.sentence == (
        "Nothing can ship yet because the places that have it are full for the day. One unit waits for another day."
    )
    both = decide(places, basket([[5, 5]], load=load), rule({"id": "s", "nodes": ["ATL"]}))
    assert both.sentence.startswith("Nothing can ship yet because the places that have stock are ruled out.")


def test_a_next_best_plan_may_cost_the_same() -> None:
    priced = rule({"id": "s", "objective": {"mode": "cost", "terms": [{"term": "shipping"}]}})
    places = Network.build([node("ATL", rate_card="C"), node("CMH", rate_card="C")], [(FOR_HOMES, {})])
    decision = decide(places, basket([[1, 1]], is_business=True), priced)
    assert decision.sentence.endswith("Next best: Columbus, $6.00, the same cost.")


def test_that_lines_may_not_be_divided_is_said() -> None:
    whole = rule({"id": "s", "split": {"lines": False}})
    decision = decide(network(), basket([[1, 1, 0, 0, 0]], [2]), whole)
    assert decision.sentence.startswith(
        "Nothing can ship yet because no place has all of a line, and lines may not be divided."
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
    assert rows["Atlanta"].outcome == "Ruled out: full for the day, 400 packages"
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
        "CMH": "Ruled out: refused these goods before",
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
        "Ruled out by filter no-stores: kind is store",
    }


SHIPPING = {
    "node.kind": ("ne", "store", "kind is store"),
    "node.code": ("ne", "BRK", "code is BRK"),
    "node.region": ("ne", "NY", "region is NY"),
    "node.country": ("ne", "US", "country is US"),
    "node.priority": ("gt", 1, "with a priority number of 1"),
    "node.capabilities": ("has_all", ["cold", "hazard"], "cleared for cold"),
    "node.capacity_left": ("gt", 5, "with room today for 4 packages"),
    "node.handling_per_package": ("lt", 100, "where handling a package costs $1.50"),
    "node.open_today": ("eq", True, "closed today"),
    "node.distance_miles": ("lt", 500, "2,151 miles away"),
    "lane.distance_miles": ("lt", 500, "2,151 miles away"),
    "lane.zone": ("exists", True, "carrier zone not known"),
    "lane.transit_days": ("lt", 2, "5 days on the way"),
    "lane.days_late": ("lte", 0, "8 days after the promise"),
    "lane.same_region": ("eq", True, "outside the buyer's region"),
    "lane.same_country": ("eq", False, "in the buyer's country"),
    "stock.holds_all": ("eq", True, "not holding the whole order"),
    "stock.lines_held_share": ("gte", 50, "holding 0% of the lines"),
    "stock.units_share": ("gt", 34, "with 33.3% of the units"),
    "stock.covers": ("gt", 1, "with 1 unit of the order"),
    "stock.left_after": ("gt", 0, "keeping 0 units on the shelf"),
}
"""By field a filter that Brooklyn fails, and what is to be read of it."""


@pytest.mark.parametrize("field", NODE_FIELDS)
def test_a_place_that_is_ruled_out_names_the_filter_and_what_it_saw(field: str) -> None:
    op, value, seen = SHIPPING[field]
    closed = Timetable("America/New_York", (True, False, True, True, True, False, False))
    places = Network.build(
        [
            node(
                "BRK",
                capacity_per_day=9,
                handling_per_package=150.0,
                capabilities=("cold",),
                timetable=closed,
            ),
            node("RNO"),
        ]
    )
    one = {"field": field, "op": op, "value": value}
    never = {"field": "node.kind", "op": "ne", "value": "store"}
    order = basket(
        [[1, 9]], [3], load=np.array([5, 0]), promised_by=date(2026, 3, 3), promise_is_delivery=True,
        at=datetime(2026, 3, 3, 12, tzinfo=zone("America/New_York")),
    )  # fmt: skip
    for asked, says in (
        (one, seen),
        ({"all": [one, one]}, seen),
        ({"any": [never, one]}, seen if field == "node.kind" else f"kind is store, {seen}"),
        ({"not": {"not": one}}, seen),
    ):
        decision = decide(places, order, rule({"id": "s", "filters": [{"id": "mine", **asked}]}))
        kept = json.loads(json.dumps(decision.explanation))
        (outcome,) = {row.outcome for row in explain_table(kept) if row.code == "BRK"}
        assert outcome == f"Ruled out by filter mine: {says}"


def test_a_place_that_no_rule_names_is_not_one_of_another_kind() -> None:
    mine = {"id": "s", "nodes": ["RNO"]}
    kits = {"id": "kits", "when": {"field": "line.quantity", "op": "gte", "value": 1}, "kinds": ["store"]}
    elsewhere = {"id": "s", "nodes": ["ATL"]}
    order = basket([[1, 1, 1, 1, 1]])
    listed = explain_table(decide(network(), order, rule(mine)).explanation)
    routed = documents.parse({"name": "Kits", "line_routes": [kits], "strategies": [elsewhere]})
    sent = explain_table(decide(network(), order, routed).explanation)
    assert {row.code for row in listed if row.outcome == "Ruled out: not one of the places of this rule"} == {
        "ATL", "BRK", "CMH", "PDX",
    }  # fmt: skip
    assert {row.code: row.outcome for row in sent if row.packages is None} == dict.fromkeys(
        ("ATL", "CMH", "RNO"), "Ruled out: a rule for these lines sends them elsewhere"
    )


@pytest.mark.parametrize("letters", [4, 12, 64])
def test_many_filters_and_figures_stay_under_two_kilobytes(letters: int) -> None:
    rng = np.random.default_rng(8)
    places = Network.build(
        [
            NodeFacts(
                f"id-{at}", f"{at:0{letters}d}", f"Place {at}", "store", float(rng.uniform(28, 48)),
                float(rng.uniform(-122, -72)), handling_per_package=float(1000 + at),
            )
            for at in range(50)
        ]
    )  # fmt: skip
    filters = [
        {"id": f"{at:040d}", "any": [
            {"field": "node.handling_per_package", "op": "ne", "value": 1000 + at},
            {"field": "stock.left_after", "op": "lt", "value": 0},
        ]}
        for at in range(20)
    ]  # fmt: skip
    order = basket(rng.integers(0, 500, (6, 50)).tolist(), [2] * 6)
    explanation = decide(places, order, rule({"id": "s", "filters": filters})).explanation
    assert len(json.dumps(explanation, separators=(",", ":"))) < 2048
    assert explain_table(explanation)


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
