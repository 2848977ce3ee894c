"""What-if, pure: a small world whose figures are worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any

import numpy as np
import pytest

from app.inventory.allotments import NONE, Allotments, Hold
from app.network.loads import Loads
from app.routing import figures
from app.routing.baskets import Asked
from app.routing.configuration import Configuration, Source
from app.routing.documents import default_document, parse
from app.routing.facts import MICRO, Basket, BasketLine, Destination, Network, NodeFacts
from app.routing.outcomes import Outcome
from app.routing.parcels import Decided, Event, Parcel, PastLine, PastOrder, StockChange
from app.routing.past_stock import Layout, PastStock, Place
from app.routing.policy import Rule
from app.routing.simulation import Run, node_loads, replayed
from app.routing.terms import NO_PRICES, Goods

MONDAY = datetime(2026, 3, 2, 15, tzinfo=UTC)
RENO, NEWARK = (39.53, -119.81), (40.74, -74.17)
BOISE = Destination(43.62, -116.20, "ID", "83702", "US")
TAMPA = Destination(27.95, -82.46, "FL", "33602", "US")
SINGLE = {
    "name": "One package",
    "strategies": [
        {
            "id": "one",
            "objective": "fewest_packages_then_nearest",
            "split": {"max_packages": 1},
        }
    ],
}
COST = {
    "name": "Cost",
    "strategies": [
        {"id": "all", "objective": {"mode": "cost", "terms": [{"term": "shipping"}, {"term": "handling"}]}}
    ],
}
NEAREST = {"name": "Nearest", "strategies": [{"id": "all", "objective": "nearest"}]}


def world(**west: Any) -> Configuration:
    """WEST is near Boise, EAST far; handling is 100 a package and 10 a unit at both."""
    handling = {"handling_per_package": 100, "handling_per_unit": 10}
    network = Network.build(
        [
            NodeFacts("w", "WEST", "West", "warehouse", *RENO, **{**handling, **west}),
            NodeFacts("e", "EAST", "East", "warehouse", *NEWARK, **handling),
        ]
    )
    return Configuration(network, {}, NO_PRICES, (), (), NONE, None, {}, Source([], []))


def order(number: int, *lines: tuple[str, int], hours: int = 0, **fields: Any) -> PastOrder:
    asked = Asked("web", MONDAY + timedelta(hours=hours), "UTC", **fields)
    own = tuple(
        PastLine(BasketLine(sku, "stock", units, weight_g=1000, value=1000), ((sku, 1),))
        for sku, units in lines
    )
    return PastOrder(str(number), number, (Parcel(BOISE, asked, own),))


def run(configured: Configuration, document: dict[str, Any], places: list[Place]) -> Run:
    rule: Rule = parse(document)
    layout = Layout.of(places, configured.network.ids, configured.allotments)
    return Run(configured, {"default": rule}, PastStock(layout, [one.units for one in places]), Loads())


def outcomes(run: Run, *events: Event) -> list[Outcome]:
    return [outcome for _, outcome in replayed(events, run)]


EAST, WEST = 0, 1  # in the order of the codes


def test_stock_runs_out_differently_and_a_receipt_comes_in_the_middle() -> None:
    configured = world()
    places = [
        Place("A", "shared", EAST, 3, 0),
        Place("A", "shared", WEST, 1, 0),
        Place("B", "shared", EAST, 1, 0),
    ]
    nearest, whole = run(configured, NEAREST, places), run(configured, SINGLE, places)
    events: list[Event] = [
        order(1, ("A", 1), ("B", 1)),  # nearest: A from WEST, B from EAST; whole: both from EAST
        order(2, ("A", 1), hours=1),  # nearest: WEST is empty, so EAST; whole: WEST
        StockChange(1, 2),  # two more A in WEST
        order(3, ("A", 3), hours=2),  # nearest: 2 WEST + 1 EAST; whole: 2 from WEST
        order(4, ("A", 3), hours=3),  # nearest: the last of EAST; whole: 2 from EAST
    ]
    before, after = outcomes(nearest, *events), outcomes(whole, *events)
    assert before[2].plan == (("EAST", "A", 1), ("WEST", "A", 2))
    assert after[2].plan == (("WEST", "A", 2),)
    assert before[3].plan == (("EAST", "A", 1),)
    assert after[3].plan == (("EAST", "A", 2),)
    one, two = nearest.figures, whole.figures
    assert (one.orders, one.units, one.filled_units, one.lost_units, one.short_orders) == (4, 9, 7, 2, 1)
    assert (two.orders, two.units, two.filled_units, two.lost_units, two.short_orders) == (4, 9, 7, 2, 2)
    assert (one.packages, one.split_orders) == (6, 2)
    assert (two.packages, two.split_orders) == (4, 0)
    assert nearest.stock.units.tolist() == [0, 0, 0]
    assert whole.stock.units.tolist() == [0, 0, 0]


@pytest.mark.parametrize("document", [COST, default_document()])
def test_the_reasons_of_a_moment_are_told_from_what_was_taken_until_then(document: dict[str, Any]) -> None:
    """Nothing is decided again on the way there, and the plan is the one that was decided."""
    past, configured = mixed_past(), world(capacity_per_day=4)
    places = [Place(sku, "shared", node, 60, 0) for sku in ("A", "B", "C") for node in (EAST, WEST)]
    decided, again = run(configured, document, places), run(configured, document, places)
    for one, _ in replayed(past, decided):
        found = again.decisions(one.order)
        assert [each.explanation["plan"] for each in found if each.placements]
        placed = [sorted(each.placements) for each in found]
        assert placed == [sorted(sent.placements) for sent in one.sent]
        again.again(list(chain.from_iterable(one.taken)), list(chain.from_iterable(one.loaded)))
    assert again.stock.units.tolist() == decided.stock.units.tolist()
    assert again.loads.added == decided.loads.added


def test_money_is_shipping_and_handling_whatever_the_objective() -> None:
    configured = world()
    one = run(configured, default_document(), [Place("A", "shared", WEST, 9, 0)])
    [outcome] = outcomes(one, order(1, ("A", 2)))
    miles = configured.network.distances(BOISE)[WEST] / 1_000_000
    assert outcome.miles == pytest.approx(miles)
    assert outcome.cost == pytest.approx(700 + 0.35 * miles + 2 * 45 + 100 + 2 * 10)
    assert outcome.transit_days == 1 + int(miles // 450)
    assert one.figures.cost == pytest.approx(outcome.cost, abs=0.01)


def test_a_full_node_gives_no_more_that_day() -> None:
    configured = world(capacity_per_day=1)
    places = [Place("A", "shared", EAST, 9, 0), Place("A", "shared", WEST, 9, 0)]
    past = (order(1, ("A", 1)), order(2, ("A", 1), hours=1))
    one, two = (run(configured, default_document(), places) for _ in range(2))
    assert outcomes(one, *past) == outcomes(two, *past)
    rows = {row["node"]: row for row in node_loads(configured, one, two)}
    assert (rows["WEST"]["after"]["packages"], rows["EAST"]["after"]["packages"]) == (1, 1)
    assert rows["WEST"]["capacity_per_day"] == 1
    assert rows["WEST"]["after"]["peak_share"] == 1.0
    assert rows["EAST"]["after"]["peak_share"] is None


def test_lateness_counts_days_after_the_promise() -> None:
    one = run(world(), default_document(), [Place("A", "shared", WEST, 9, 0)])
    late, kept = outcomes(one, *(order(day, ("A", 1), promised_by=date(2026, 3, day)) for day in (1, 9)))
    assert (late.days_late, kept.days_late) == (2, 0)  # without a cut-off it leaves a day after it came
    assert (one.figures.days_late, one.figures.late_orders) == (2, 1)


def test_ship_complete_loses_all_or_nothing() -> None:
    one = run(world(), default_document(), [Place("A", "shared", WEST, 1, 0)])
    [outcome] = outcomes(one, order(1, ("A", 1), ("B", 1), ship_complete=True))
    assert (outcome.plan, outcome.lost_units, outcome.packages, outcome.cost) == ((), 2, 0, 0.0)
    assert one.stock.units.tolist() == [1]


def test_two_lines_of_a_kit_and_its_part_never_take_one_unit_twice() -> None:
    one = run(world(), default_document(), [Place("A", "shared", WEST, 2, 0)])
    asked = Asked("web", MONDAY, "UTC")
    lines = (
        PastLine(BasketLine("A", "stock", 2, 100), (("A", 1),)),
        PastLine(BasketLine("KIT", "kit", 1, 100), (("A", 2),)),
    )
    [outcome] = outcomes(one, PastOrder("1", 1, (Parcel(BOISE, asked, lines),)))
    assert outcome.lost_units == 1
    assert one.stock.units.tolist() == [0]


def test_two_parcels_of_an_order_never_take_one_unit_twice() -> None:
    one = run(world(), default_document(), [Place("A", "shared", WEST, 2, 0)])
    whole = order(1, ("A", 2))
    [outcome] = outcomes(one, replace(whole, parcels=(*whole.parcels, replace(whole.parcels[0], to=TAMPA))))
    assert (outcome.lost_units, outcome.packages) == (2, 1)
    assert one.figures.filled_units == 2


def test_safety_stock_segments_and_debts_are_not_seen() -> None:
    places = [
        Place("A", "b2b", WEST, 3, 0),
        Place("A", "shared", EAST, -2, 0),
        Place("A", "shared", WEST, 5, 2),
    ]
    stock = PastStock(Layout.of(places, ("e", "w")), [one.units for one in places])
    assert stock.seen("A", "web").tolist() == [0, 3]
    assert stock.seen("A", "b2b").tolist() == [0, 6]
    assert stock.take("A", WEST, "b2b", 4) == [(0, 3), (2, 1)]
    assert stock.units.tolist() == [0, -2, 4]
    stock.change(1, 3)
    assert stock.seen("A", "web").tolist() == [1, 2]
    assert stock.seen("NONE", "web").tolist() == [0, 0]


def test_what_another_channel_holds_is_not_seen() -> None:
    held = Allotments([Hold("b2b", None, None, 50, None, False)])
    places = [Place("A", "shared", EAST, 10, 0)]
    stock = PastStock(Layout.of(places, ("e", "w"), held), [10])
    assert stock.seen("A", "web").tolist() == [5, 0]
    assert stock.seen("A", "b2b").tolist() == [10, 0]


def test_the_same_past_gives_the_same_figures() -> None:
    rng = np.random.default_rng(5)
    places = [
        Place(f"S{at}", "shared", node, int(rng.integers(0, 6)), 0) for at in range(9) for node in (0, 1)
    ]
    events = [order(at, *{(f"S{sku}", 1) for sku in rng.integers(0, 9, 2)}, hours=at) for at in range(60)]
    configured = world()
    first, second = (run(configured, default_document(), places) for _ in range(2))
    assert outcomes(first, *events) == outcomes(second, *events)
    assert first.figures == second.figures
    assert first.figures.filled_units + first.figures.lost_units == first.figures.units
    taken = sum(place.units for place in places) - int(first.stock.units.sum())
    assert taken == first.figures.filled_units


def mixed_past() -> list[PastOrder]:
    """Sixty orders of one to three lines, kits and parcels to two places among them, over some days."""
    found = []
    for number in range(60):
        lines = [(sku, 1 + (number * at) % 3) for at, sku in enumerate(("A", "B", "C")[: 1 + number % 3])]
        one = order(number, *lines, hours=number, promised_by=(MONDAY + timedelta(days=1)).date())
        if number % 5 == 0:
            parcel = one.parcels[0]
            kit = PastLine(BasketLine("K", "kit", 1, weight_g=2000, value=1500), (("A", 1), ("B", 2)))
            one = replace(one, parcels=(replace(parcel, lines=(*parcel.lines, kit)),))
        if number % 7 == 0:
            one = replace(one, parcels=(*one.parcels, replace(one.parcels[0], to=TAMPA)))
        found.append(one)
    return found


@pytest.mark.parametrize("document", [NEAREST, SINGLE, COST, default_document()])
def test_orders_measured_together_come_to_what_each_comes_to_alone(document: dict[str, Any]) -> None:
    """To the last bit, and as the terms of the objective say; whatever the slices are."""
    configured = world(capacity_per_day=4, handling_per_package=5_000)
    units = {
        ("A", EAST): 90,
        ("A", WEST): 20,
        ("B", EAST): 80,
        ("B", WEST): 6,
        ("C", EAST): 4,
        ("C", WEST): 30,
    }
    places = [Place(sku, "shared", node, there, node) for (sku, node), there in units.items()]
    together, alone = run(configured, document, places), run(configured, document, places)
    found = replayed(mixed_past(), together)
    apart = [each for one in mixed_past() for each in replayed([one], alone)]
    assert [outcome for _, outcome in found] == [outcome for _, outcome in apart]
    assert together.figures == alone.figures
    assert together.stock.units.tolist() == alone.stock.units.tolist()
    assert together.loads.added == alone.loads.added
    assert (together.packages, together.units) == (alone.packages, alone.units)
    for decided, outcome in found:
        assert (outcome.cost, outcome.handling) == by_terms(configured, decided)


def by_terms(configured: Configuration, decided: Decided) -> tuple[float, float]:
    """Cost and handling of an order from the figures that a decision by cost is made from."""
    cost = handling = 0.0
    for sent in decided.sent:
        lines = [one.line for one in sent.parcel.lines]
        given = Basket(lines, sent.parcel.to, np.zeros((len(lines), len(configured.network)), dtype=np.int64))
        quantity = np.array([line.quantity for line in lines])
        goods = Goods.of(given, [[at] for at in range(len(lines))], quantity, given.available)
        named = [
            figures.figure(name, (configured.network, goods, sent.lanes, NO_PRICES))
            for name in ("shipping", "handling")
        ]
        shipping, own = (each / MICRO for each in figures.amounts(named, [sent.placements])[0])
        cost += shipping + own
        handling += own
    return cost, handling
