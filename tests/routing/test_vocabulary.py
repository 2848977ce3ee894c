"""The typed list of fields: each is read, documented, and compared as its type says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from app.network.rules import Timetable
from app.routing import clauses
from app.routing.documents import condition, parse, validate
from app.routing.facts import Destination, NodeFacts
from app.routing.fields import (
    Filter,
    LineFacts,
    NodeView,
    OrderFacts,
    compare,
    first_failed,
    read,
)
from app.routing.schemas import language
from app.routing.vocabulary import FIELDS, LINE_FIELDS, NODE_FIELDS, OPS, ORDER_FIELDS, TERMS, WEEKDAYS
from tests.routing.examples import basket, network

SEATTLE = NodeFacts("id-SEA", "SEA", "Seattle", "store", 47.6, -122.3, 1, "WA", "US")
ORDER = OrderFacts(
    channel="web",
    units=5,
    lines=2,
    weight_g=900,
    value=12500,
    ship_complete=True,
    service="overnight",
    source_code="HOL26",
    country="US",
    region="ID",
    postal_code="83702",
    kinds=frozenset({"stock", "kit"}),
    skus=frozenset({"A", "B"}),
    hazards=frozenset({"lithium"}),
    temperatures=frozenset(),
    vendors=frozenset({"ACME"}),
    email_domain="shop.example",
    is_business=False,
    at=datetime(2026, 12, 4, 16, 30, tzinfo=ZoneInfo("America/Boise")),
)
LINE = LineFacts(
    ORDER, "kit", 3, 300, 6000, "standard", "A-1", {"hazard": "lithium", "fragile": True, "cold": False}, 2000
)
VALUES: dict[str, Any] = {
    "text": "warehouse",
    "code": "83",
    "number": 3,
    "flag": True,
    "set": ["kit"],
    "date": "2026-12-24",
}


def value_for(name: str, op: str) -> Any:
    field = FIELDS[name]
    one = field.choices[0] if field.choices else VALUES[field.kind]
    one = one[0] if isinstance(one, list) else one
    if op == "exists":
        return True
    if op == "between":
        return [one, one]
    return [one] if op in ("in", "not_in", "zip_prefix", "has_any", "has_all") else one


def comparison(name: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": name, "op": op, "value": value}


def document(**strategy: Any) -> dict[str, Any]:
    return {"name": "n", "strategies": [{"id": "s", **strategy}]}


PAIRS = [(name, op) for name, field in FIELDS.items() for op in field.ops]


@pytest.mark.parametrize(("name", "op"), PAIRS)
def test_every_field_with_every_operator_is_valid_read_evaluated_and_said(name: str, op: str) -> None:
    value = value_for(name, op)
    if name in NODE_FIELDS:
        given = document(filters=[{"id": "f", **comparison(name, op, value)}])
        assert validate(given) == []
        (each,) = parse(given).strategies[0].filters
        assert each.passes(NodeView(network(), ORDER)).shape == (5,)
        assert clauses.filter_words(each)
        return
    whole = {"name": "n", "strategies": [{"id": "rest"}]}
    routes = [{"id": "r", "when": comparison(name, op, value), "apart": True}]
    assert validate(whole | {"line_routes": routes}) == []
    found = condition(comparison(name, op, value))
    assert found.holds(LINE) in (True, False)
    assert clauses.condition_words(found)
    if name in ORDER_FIELDS:
        assert found.holds(ORDER) == found.holds(LINE)


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_an_operator_of_another_type_is_refused_with_those_that_fit(name: str) -> None:
    field = FIELDS[name]
    wrong = next(op for ops in OPS.values() for op in ops if op not in field.ops)
    each = {"id": "f", **comparison(name, wrong, "x")}
    given = (
        document(filters=[each])
        if name in NODE_FIELDS
        else {
            "name": "n",
            "strategies": [{"id": "s"}],
            "line_routes": [{"id": "r", "when": comparison(name, wrong, "x"), "apart": True}],
        }
    )
    (error,) = validate(given)
    assert error["pointer"].endswith("/op")
    assert f"'{field.ops[0]}'" in error["message"]


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_value_of_another_type_is_refused(name: str) -> None:
    field = FIELDS[name]
    op = field.ops[0]
    wrong: Any = "soon" if field.number or field.kind in ("flag", "date") else 7
    each = comparison(name, op, [wrong] if op in ("has_any", "has_all") else wrong)
    given = (
        document(filters=[{"id": "f", **each}])
        if name in NODE_FIELDS
        else {
            "name": "n",
            "strategies": [{"id": "s"}],
            "line_routes": [{"id": "r", "when": each, "apart": True}],
        }
    )
    (error,) = validate(given)
    assert "/value" in error["pointer"]


def test_every_field_and_term_stands_in_the_documentation() -> None:
    said = language()
    assert all(f"`{name}`" in said for name in (*FIELDS, *TERMS))


@pytest.mark.parametrize("name", [*ORDER_FIELDS, *LINE_FIELDS])
def test_every_field_of_order_and_line_is_read(name: str) -> None:
    seen = read(LINE, name)
    missing = {"lines.temperatures", "product.temperature", "product.vendor"}
    assert (seen in (None, frozenset())) is (name in missing)


@pytest.mark.parametrize(
    ("op", "actual", "value", "expected"),
    [
        ("eq", "web", "web", True),
        ("ne", "web", "web", False),
        ("in", "web", ("phone", "web"), True),
        ("not_in", "web", ("phone",), True),
        ("zip_prefix", "83702", ("84", "837"), True),
        ("zip_prefix", "", ("8",), False),
        ("between", 5, (5, 6), True),
        ("between", "2026-12-04", ("2026-12-01", "2026-12-03"), False),
        ("lt", 4, 5, True),
        ("lte", 5, 5, True),
        ("gt", 5, 5, False),
        ("gte", 5, 5, True),
        ("gt", "2026-12-04", "2026-12-03", True),
        ("has_any", frozenset({"a", "b"}), ("b", "c"), True),
        ("has_all", frozenset({"a", "b"}), ("b", "c"), False),
        ("has_all", frozenset({"a", "b"}), frozenset({"a"}), True),
        ("exists", None, True, False),
        ("exists", "", False, True),
        ("exists", 0, True, True),
        ("eq", None, "x", False),
        ("ne", None, "x", True),
        ("gt", None, 0, False),
        ("not_in", None, ("x",), True),
    ],
)
def test_comparisons(op: str, actual: Any, value: Any, expected: bool) -> None:
    assert compare(op, actual, value) is expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (comparison("time.weekday", "eq", "friday"), True),
        (comparison("time.hour_local", "gte", 17), False),
        (comparison("time.date", "between", ["2026-12-01", "2026-12-24"]), True),
        (comparison("lines.kinds", "has_any", ["kit"]), True),
        (comparison("order.value", "gt", 12500), False),
        (comparison("customer.is_business", "eq", False), True),
        ({"field": "product.hazard", "op": "eq", "value": "lithium"}, True),
        (comparison("product.attributes", "has_all", ["fragile", "cold"]), False),
        ({"field": "line.value", "op": "lt", "ref": "order.value"}, True),
        ({"field": "line.kind", "op": "eq", "ref": "product.kind"}, True),
        ({"not": {"any": [{"channel": ["phone"]}, comparison("order.units", "lt", 2)]}}, True),
        ({"all": [{"channel": ["web"]}, comparison("order.units", "lt", 2)]}, False),
    ],
)
def test_conditions(given: dict[str, Any], expected: bool) -> None:
    assert condition(given).holds(LINE) is expected


def test_a_basket_gives_the_facts_of_its_order() -> None:
    one = basket([[1] * 5, [1] * 5], quantities=[2, 3], skus=["A", "B"], value=990, at=ORDER.at)
    facts = OrderFacts.of(one)
    assert (facts.units, facts.lines, facts.weight_g, facts.value) == (5, 2, 500, 990)
    assert (facts.region, facts.skus) == ("ID", frozenset({"A", "B"}))
    assert condition(comparison("time.weekday", "eq", WEEKDAYS[4])).holds(one)
    line = LineFacts.of(one.lines[1], facts)
    assert (line.quantity, line.weight_g, line.price) == (3, 300, None)


def passing(given: dict[str, Any], **view: Any) -> str:
    """The codes of the nodes that pass a filter."""
    closed = Timetable("America/Los_Angeles", closed=(date(2026, 12, 4),))
    seattle = replace(SEATTLE, capabilities=("hazard", "cold"), handling_per_package=150.0, timetable=closed)
    nodes = network(seattle)
    (each,) = parse(document(filters=[{"id": "f", **given}])).strategies[0].filters
    mask = each.passes(NodeView(nodes, ORDER, **view))
    return " ".join(code for code, fine in zip(nodes.codes, mask, strict=True) if fine)


def ints(*values: int) -> Any:
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize(
    ("given", "view", "expected"),
    [
        (comparison("node.capabilities", "has_all", ["hazard"]), {}, "SEA"),
        ({"field": "node.capabilities", "op": "has_all", "ref": "lines.hazards"}, {}, ""),
        (comparison("node.capabilities", "exists", False), {}, "ATL BRK CMH PDX RNO"),
        (comparison("node.handling_per_package", "gt", 100), {}, "SEA"),
        ({"field": "node.region", "op": "eq", "ref": "destination.region"}, {}, ""),
        ({"field": "node.region", "op": "eq", "ref": "node.code"}, {}, ""),
        (comparison("lane.same_region", "eq", False), {}, "ATL BRK CMH PDX RNO SEA"),
        (comparison("lane.same_country", "eq", True), {}, "ATL BRK CMH PDX RNO SEA"),
        (comparison("lane.zone", "lte", 4), {}, "ATL BRK CMH PDX RNO SEA"),
        (comparison("lane.zone", "lte", 4), {"zone": ints(7, 4, 5, -1, 2, 8)}, "BRK PDX RNO"),
        ({"not": comparison("lane.zone", "lte", 4)}, {"zone": ints(7, 4, 5, -1, 2, 8)}, "ATL CMH PDX SEA"),
        (comparison("lane.zone", "in", [2, 7]), {"zone": ints(7, 4, 5, 3, 2, 8)}, "ATL RNO"),
        (comparison("lane.zone", "exists", True), {"zone": ints(7, -1, 5, 3, 2, 8)}, "ATL CMH PDX RNO SEA"),
        (comparison("lane.days_late", "eq", 0), {"days_late": ints(0, 1, 0, 2, 0, 9)}, "ATL CMH RNO"),
        (
            comparison("node.capacity_left", "gte", 5),
            {"capacity_left": ints(4, 5, -1, 0, 9, 1)},
            "BRK CMH RNO",
        ),
        (comparison("node.open_today", "eq", True), {}, "ATL BRK CMH PDX RNO"),
        (comparison("node.open_today", "eq", False), {}, "SEA"),
        (
            {"any": [comparison("node.kind", "ne", "store"), comparison("lane.transit_days", "lte", 1)]},
            {"transit_days": ints(3, 1, 3, 3, 3, 3)},
            "ATL BRK CMH RNO",
        ),
        (
            {"all": [comparison("node.kind", "eq", "store"), comparison("node.code", "not_in", ["SEA"])]},
            {},
            "BRK PDX",
        ),
    ],
)
def test_filters(given: dict[str, Any], view: dict[str, Any], expected: str) -> None:
    assert passing(given, **view) == expected


@pytest.mark.parametrize(
    ("name", "op", "value", "expected"),
    [
        ("stock.holds_all", "eq", True, "ATL"),
        ("stock.lines_held_share", "gte", 50, "ATL BRK CMH"),
        ("stock.units_share", "lt", 50, "PDX RNO SEA"),
        ("stock.covers", "gte", 3, "ATL CMH"),
        ("stock.left_after", "gte", 1, "ATL PDX RNO SEA"),
    ],
)
def test_filters_on_what_a_node_holds(name: str, op: str, value: Any, expected: str) -> None:
    available = np.array([[9, 2, 2, 0, 0, 0], [4, 0, 1, 0, 0, 0]], dtype=np.int64)
    assert passing(comparison(name, op, value), quantity=ints(2, 2), available=available) == expected
    assert passing(comparison(name, op, value)) == "ATL BRK CMH PDX RNO SEA"


def test_a_distance_is_compared_in_miles_under_both_names() -> None:
    nodes = network()
    distance = nodes.distances(Destination(43.6150, -116.2023))
    for name in ("node.distance_miles", "lane.distance_miles"):
        (each,) = parse(document(filters=[{"id": "f", **comparison(name, "lte", 350)}])).strategies[0].filters
        assert each.passes(NodeView(nodes, ORDER, distance)).tolist() == [False, False, False, True, True]
        assert each.near_enough(distance).tolist() == [False, False, False, True, True]
        assert each.passes(NodeView(nodes, ORDER)).all()


def test_filters_of_the_network_alone_are_told_from_the_others() -> None:
    given = [
        {"id": "kind", **comparison("node.kind", "eq", "store")},
        {"id": "zone", **comparison("lane.zone", "lte", 4)},
        {"id": "both", "any": [comparison("node.priority", "lt", 5), comparison("stock.covers", "gt", 0)]},
        {"id": "same", "field": "node.region", "op": "eq", "ref": "destination.region"},
    ]
    filters = parse(document(filters=given)).strategies[0].filters
    assert [each.is_fixed for each in filters] == [True, False, False, False]
    assert filters[2].fields == {"node.priority", "stock.covers"}
    view = NodeView(network(), ORDER, zone=ints(7, 7, 2, 2, 2))
    none = np.iinfo(np.int16).max
    assert first_failed(filters[:2], view).tolist() == [0, 1, 0, none, 0]
    assert first_failed(filters[:2], view, fixed=True).tolist() == [0, none, 0, none, 0]
    assert first_failed(filters[:2], view, fixed=False).tolist() == [1, 1, none, none, none]


def test_a_comparison_on_the_network_alone_is_worked_out_once() -> None:
    nodes = network()
    (each,) = (
        parse(document(filters=[{"id": "f", **comparison("node.kind", "eq", "store")}])).strategies[0].filters
    )
    first = each.passes(nodes)
    assert list(nodes.masks) == [("node.kind", "eq", "store", "")]
    first[:] = True
    assert each.passes(nodes).tolist() == [False, True, False, True, False]


def test_a_filter_of_old_shape_still_passes_a_network() -> None:
    assert Filter("f", "node.kind", "in", ("store",)).passes(network()).tolist() == [
        False,
        True,
        False,
        True,
        False,
    ]
