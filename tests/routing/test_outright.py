"""What is told of parcels before their stock is known holds whatever the stock turns out to be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from app.inventory.allotments import NONE
from app.network.loads import Loads
from app.routing import documents, simulation
from app.routing.baskets import Asked
from app.routing.configuration import Configuration, Source
from app.routing.facts import FEWEST, BasketLine, Network
from app.routing.outright import outright
from app.routing.parcels import Parcel, PastLine, PastOrder
from app.routing.past_stock import Layout, PastStock, Place
from app.routing.simulation import Run, replayed
from app.routing.terms import NO_PRICES
from tests.routing.examples import BOISE, PLACES, node
from tests.routing.test_objectives import FOR_HOMES
from tests.routing.test_proof import (
    IN_MONEY,
    TO,
    Order,
    Placements,
    best,
    decided,
    network_of,
    prices_of,
    random_order,
    rule_of,
)

ASKED = Asked("web", datetime(2026, 3, 2, 15, tzinfo=UTC), "UTC")
WITH_MORE: dict[str, Any] = {
    "mode": "cost",
    "terms": [{"term": "shipping"}, {"term": "split_penalty", "weight": 150}, {"term": "markdown_bonus"}],
}

IN_ORDER: dict[str, Any] = {
    "mode": "lexicographic",
    "terms": [
        {"term": "packages", "tolerance": 0.5},
        {"term": "distance", "tolerance": 0.4},
        {"term": "handling", "tolerance": 0.1},
        {"term": "shipping"},
    ],
}
FEWEST_THEN_CHEAPEST: dict[str, Any] = {
    "mode": "lexicographic",
    "terms": [{"term": "packages"}, {"term": "shipping"}],
}

PACKAGES_ALONE: dict[str, Any] = {"mode": "lexicographic", "terms": [{"term": "packages"}]}


def run_of(order: Order, objective: dict[str, Any] | str) -> Run:
    configured = Configuration(
        network_of(order), {}, prices_of(order), (), (), NONE, None, {}, Source([], [])
    )
    places = [
        Place(line.sku, "shared", node, units, 0)
        for line, row in zip(order.lines, order.stock, strict=True)
        for node, units in enumerate(row)
    ]
    stock = PastStock(Layout.of(places, configured.network.ids), [one.units for one in places])
    return Run(configured, {"default": rule_of(order, objective)}, stock, Loads())


def told(order: Order, run: Run, parcel: Parcel) -> Placements | None:
    """The plan that is known beforehand; None where it is not."""
    [known] = outright(run.configured, run.rule, [parcel])
    holding = [
        node
        for node in range(len(order.nodes))
        if all(row[node] >= line.quantity for line, row in zip(order.lines, order.stock, strict=True))
    ]
    node = known.best(node for node in known.nodes if node in holding) if known else None
    return None if node is None else tuple((at, node, one.quantity) for at, one in enumerate(order.lines))


@pytest.mark.parametrize(
    "objective", [IN_MONEY, WITH_MORE, FEWEST, IN_ORDER, FEWEST_THEN_CHEAPEST, PACKAGES_ALONE]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_what_goes_outright_goes_by_the_best_plan(objective: dict[str, Any] | str, seed: int) -> None:
    """In money as the reference has it, that prices every plan; else as the whole decision."""
    rng, known = np.random.default_rng(60_000 + seed), 0
    for _ in range(150):
        order = replace(random_order(rng), routed="")
        if rng.random() < 0.7:
            order = replace(
                order, stock=np.maximum(order.stock, rng.integers(1, 5, (len(order.lines), 1))).tolist()
            )
        parcel = Parcel(TO, ASKED, tuple(PastLine(line, ((line.sku, 1),)) for line in order.lines))
        run = run_of(order, objective)
        plan = told(order, run, parcel)
        [(sent, _)] = replayed([PastOrder("1", 1, (parcel,))], run)
        expected = (
            best(order, list(range(len(order.lines))), False)
            if objective is IN_MONEY
            else decided(order, objective)
        )
        assert tuple(sent.sent[0].placements) == expected
        if plan is not None:
            assert plan == expected
            known += len(order.lines) > 1
    assert known > 20


def test_a_what_if_asks_a_business_no_more_than_live_does() -> None:
    places = Network.build([node("CMH", rate_card="C"), node("RNO")], [(FOR_HOMES, {})])
    configured = Configuration(places, {}, NO_PRICES, (), (), NONE, None, {}, Source([], []))
    terms = {"objective": {"mode": "cost", "terms": [{"term": "shipping"}]}}
    rule = documents.parse({"name": "Test", "strategies": [{"id": "all", **terms}]})
    line = BasketLine("MUG", "stock", 1, 400, 0, value=900)
    stock = PastStock(Layout.of([Place("MUG", "shared", at, 9, 0) for at in range(2)], places.ids), [9, 9])
    run = Run(configured, {"default": rule}, stock, Loads())
    parcels = [
        Parcel(BOISE, replace(ASKED, is_business=own), (PastLine(line, (("MUG", 1),)),))
        for own in (True, None, True)
    ]
    orders = [PastOrder(str(at), at, (parcel,)) for at, parcel in enumerate(parcels)]
    assert all(outright(configured, run.rule, parcels))
    found = replayed(orders, run)
    assert [one.sent[0].placements[0][1] for one, _ in found] == [0, 1, 0]
    assert [outcome.cost for _, outcome in found][::2] == [600, 600]


def test_filters_on_the_way_rule_out_other_nodes_for_each_destination(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Told at once for parcels to several places, or one by one."""
    places = Network.build([node(code, rate_card="C") for code in PLACES], [(FOR_HOMES, {})])
    configured = Configuration(places, {}, NO_PRICES, (), (), NONE, None, {}, Source([], []))
    filters = [
        {"id": "far", "field": "lane.distance_miles", "op": "gte", "value": 600},
        {"id": "away", "field": "node.region", "op": "ne", "ref": "destination.region"},
    ]
    rule = documents.parse({"name": "Test", "strategies": [{"id": "all", "filters": filters}]})
    line = PastLine(BasketLine("MUG", "stock", 1, 400, 0, value=900), (("MUG", 1),))
    towns = [replace(BOISE, lat=lat, lon=lon, region=region) for _, _, lat, lon, region in PLACES.values()]
    parcels = [Parcel(to, ASKED, (line,)) for to in (*towns, BOISE, *towns)]

    def sent() -> list[Placements]:
        layout = Layout.of([Place("MUG", "shared", at, 3, 0) for at in range(5)], places.ids)
        run = Run(configured, {"default": rule}, PastStock(layout, [3] * 5), Loads())
        orders = [PastOrder(str(at), at, (parcel,)) for at, parcel in enumerate(parcels)]
        return [tuple(one.sent[0].placements) for one, _ in replayed(orders, run)]

    known = outright(configured, lambda channel: rule, parcels)
    assert len({tuple(one.nodes) for one in known if one}) == 4
    at_once = sent()
    monkeypatch.setattr(simulation, "outright", lambda configured, rule, parcels: [None] * len(parcels))
    assert at_once == sent()
