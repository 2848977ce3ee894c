"""Random rules out of the whole language, on random places and orders: decided, read, kept, replayed, and edited."""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pytest

from app.inventory.allotments import NONE
from app.network.rules import Timetable
from app.routing import recording, sent
from app.routing.configuration import Configuration, Source
from app.routing.documents import parse, sentences, validate
from app.routing.entry import entry_of
from app.routing.explanations import explain_table
from app.routing.facts import Basket, BasketLine, Destination, Network, NodeFacts
from app.routing.recording import Recorded
from app.routing.replays import reasons, sensitivity
from app.routing.rules import decide
from app.routing.terms import NO_PRICES, Prices
from app.routing.vocabulary import (
    FLAG,
    LIST_OPS,
    NODE_FIELDS,
    NUMBER,
    ON_LINES,
    ON_NODES,
    ORDER_FIELDS,
    REF_OPS,
    TERMS,
    Field,
)
from tests.routing.examples import BOISE

NAMES = ("web", "US", "ID", "N1", "837", "S0", "overnight", "hazard", "2026-12-04")
CARD = {
    "code": "C", "service": "Ground", "zone_by": "distance", "zone_miles": [100, 500],
    "dim_divisor": 5000, "dim_unit": "cm3_per_kg", "dim_over": 0, "surcharges": [], "fuel_basis_points": 0,
    "transit_days": [1, 2, 3], "prices": [[500, [500, 700, None]], [3000, [900, 1200, 1500]]],
}  # fmt: skip
LIMITS = ("max_packages", "least_package_value", "capacity", "allotments")


def value(chance: random.Random, field: Field) -> Any:
    if field.choices:
        return chance.choice(field.choices)
    if field.kind == FLAG:
        return chance.random() < 0.5
    return chance.choice((0, 1, 2, 5, 1.5, 250)) if field.kind == NUMBER else chance.choice(NAMES)


def comparison(chance: random.Random, fields: Mapping[str, Field], others: Mapping[str, Field]) -> dict:
    name = chance.choice(list(fields))
    field, op = fields[name], chance.choice(fields[name].ops)
    found = {"field": name, "op": op}
    alike = [other for other, its in others.items() if field.fits(its) and other != name]
    if op in REF_OPS and alike and chance.random() < 0.2:
        return found | {"ref": chance.choice(alike)}
    if op == "exists":
        return found | {"value": chance.random() < 0.5}
    if op in LIST_OPS or op == "between":
        return found | {"value": sorted((value(chance, field), value(chance, field)), key=str)}
    return found | {"value": value(chance, field)}


def predicate(
    chance: random.Random, fields: Mapping[str, Field], others: Mapping[str, Field], depth: int = 0
) -> dict:
    kind = chance.random() if depth < 3 else 1.0
    if kind < 0.1:
        return {"not": predicate(chance, fields, others, depth + 1)}
    if kind < 0.3:
        parts = [predicate(chance, fields, others, depth + 1) for _ in range(chance.randint(1, 2))]
        return {"all" if kind < 0.2 else "any": parts}
    return comparison(chance, fields, others)


def objective(chance: random.Random) -> Any:
    mode = chance.choice(("cost", "lexicographic", "score", ""))
    if not mode:
        return chance.choice(("fewest_packages_then_nearest", "priority_then_fewest_nearest", "nearest"))
    names = [name for name, term in TERMS.items() if mode in term.modes]
    terms: list[dict[str, Any]] = [{"term": name} for name in chance.sample(names, chance.randint(1, 4))]
    for term in terms:
        if mode == "lexicographic":
            term["tolerance"] = chance.choice((0, 0.05, 1))
        elif mode == "score" or not TERMS[term["term"]].is_money:
            term["weight"] = chance.choice((1, 50, 0.5))
    return {"mode": mode, "terms": terms}


def strategy(chance: random.Random, name: str) -> dict[str, Any]:
    filters = [
        {"id": f"f{at}", **predicate(chance, NODE_FIELDS, ON_NODES)} for at in range(chance.randint(0, 3))
    ]
    split = {
        "max_packages": chance.choice((None, None, 1, 2)),
        "least_package_value": chance.choice((0, 0, 700)),
        "lines": chance.random() < 0.8,
        "ship_complete": chance.random() < 0.1,
        "fill_or_kill": chance.random() < 0.1,
    }
    known = [*(each["id"] for each in filters), *LIMITS]
    return {
        "id": name,
        "filters": filters,
        "objective": objective(chance),
        "split": split,
        "respect_capacity": chance.random() < 0.7,
        "on_none": chance.choice(("backorder", "queue", "cancel")),
        "fallback": {
            "relax": [chance.sample(known, 1) for _ in range(chance.randint(0, 2))],
            "then": "queue",
        },
        **({"nodes": ["N0", "N1", "N3"]} if chance.random() < 0.3 else {}),
    }


def document(chance: random.Random) -> dict[str, Any]:
    first = strategy(chance, "first") | {"when": predicate(chance, ORDER_FIELDS, ORDER_FIELDS)}
    route = {
        "id": "route",
        "when": predicate(chance, ON_LINES, ON_LINES),
        chance.choice(("apart", "together")): True,
        **({"kinds": ["store", "vendor"]} if chance.random() < 0.4 else {}),
    }
    routes = {"line_routes": [route]} if chance.random() < 0.4 else {}
    return {"name": "Any", "strategies": [first, strategy(chance, "rest")], **routes}


def places(chance: random.Random) -> Network:
    nodes = [
        NodeFacts(
            f"id-{at}", f"N{at}", f"Node {at}", chance.choice(("warehouse", "warehouse", "store", "vendor")),
            *((30 + 15 * chance.random(), -120 + 45 * chance.random()) if chance.random() < 0.9 else (None, None)),
            priority=chance.randint(0, 2), region=chance.choice(("ID", "GA", "")), country="US",
            capacity_per_day=chance.choice((None, 0, 1, 5)), handling_per_package=chance.choice((0.0, 150.0)),
            open=chance.random() < 0.95, capabilities=chance.choice(((), ("hazard",), ("cold", "markdown"))),
            rate_card=chance.choice((None, "C", "C")),
            timetable=Timetable("America/New_York", closed=chance.choice(((), (date(2026, 12, 4),))), cutoff=time(15)),
        )
        for at in range(chance.randint(1, 8))
    ]  # fmt: skip
    return Network.build(nodes, [(CARD, {})])


def order(chance: random.Random, network: Network) -> Basket:
    kinds = ("stock", "stock", "stock", "kit", "made_to_order", "digital")
    lines = [
        BasketLine(
            f"S{chance.randint(0, 3)}", chance.choice(kinds), chance.randint(1, 4), chance.choice((0, 100, 900)),
            chance.choice((0, 3000)), value=chance.choice((None, 500, 2500)),
            attributes=chance.choice(({}, {"hazard": True}, {"temperature": "cold", "margin_percent": 30})),
        )
        for _ in range(chance.randint(1, 5))
    ]  # fmt: skip
    stock = np.array([[max(chance.randint(-3, 4), 0) for _ in range(len(network))] for _ in lines])
    return Basket(
        lines,
        BOISE if chance.random() < 0.85 else Destination(country="US"),
        stock,
        channel=chance.choice(("web", "phone")),
        load=np.array([chance.randint(0, 2) for _ in range(len(network))]),
        value=chance.choice((None, 5000)),
        service=chance.choice(("", "overnight")),
        is_business=chance.choice((None, True, False)),
        promised_by=chance.choice((None, date(2026, 12, 5))),
        at=datetime(2026, 12, chance.randint(1, 7), 9, tzinfo=ZoneInfo("America/Boise")),
    )


def prices(chance: random.Random, network: Network) -> Prices:
    table = {"stock": {"S0": {"N0": 40.5}, "S1": {"N1": 120}}, "capacity": {"N0": 12}, "risk": {"N1": 0.2}}
    return Prices.of(network, 3, table) if chance.random() < 0.5 else NO_PRICES


@pytest.mark.parametrize("seed", range(4))
def test_any_rules_are_decided_read_kept_and_replayed(seed: int) -> None:
    chance, valid = random.Random(seed), 0
    while valid < 60:
        given = document(chance)
        if validate(given):
            continue
        valid += 1
        rule = parse(given)
        assert all(sentences(given))
        edited = sent.document(entry_of(given, "USD"), "USD")
        assert not validate(edited), given
        network = places(chance)
        basket, table = order(chance, network), prices(chance, network)
        excluded = {(None, 0)} if chance.random() < 0.2 else set()
        found = decide(network, basket, rule, excluded=excluded, prices=table)
        kept = orjson.loads(orjson.dumps(found.explanation))
        assert len(orjson.dumps(kept)) < 2048
        assert len(explain_table(kept, network)) in (0, len(network)), given
        assert reasons(kept)["input_hash"] == found.input_hash
        plan = decide(network, basket, rule, excluded=excluded, prices=table, compare=False)
        assert (plan.placements, plan.sentence) == (found.placements, found.sentence)
        other = decide(network, basket, parse(edited), excluded=excluded, prices=table)
        assert (other.placements, other.then, other.kill) == (found.placements, found.then, found.kill), given
        configured = Configuration(network, {}, table, (), (), NONE, None, {}, Source([], []))
        inputs = recording.read(base64.b64decode(recording.inputs(configured, basket, excluded)))
        made = Recorded(network, recording.basket_of(inputs, network), rule, excluded, table, ())
        again = made.decide()
        assert (again.input_hash, again.explanation, again.sentence) == (
            found.input_hash,
            found.explanation,
            found.sentence,
        )
        for one in sensitivity(made, again):
            plan_without = [(at["line"], network.position[at["node"]], at["quantity"]) for at in one["plan"]]
            assert plan_without != found.placements
