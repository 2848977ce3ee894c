"""The map of an order: the nodes that send it and those that were looked at, the buyer, and the ways between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from app.network.places import locate
from app.orders.standing import WORST
from app.pages import formats

Row = dict[str, Any]
Place = tuple[float | None, float | None]
"""Longitude and latitude; None where an address lies nowhere known."""
MOST_LOOKED_AT = 12


def drawing(
    order: Row,
    lines: Sequence[Row],
    work: Sequence[Row],
    decisions: Sequence[Row],
    nodes: Mapping[str, Row],
    refusers: Collection[str],
) -> Row | None:
    """Pins and arcs of the map, or None when nothing of it lies on the map. `refusers`: codes of nodes that refused."""
    buyer = (order["ship_lon"], order["ship_lat"])
    pins: dict[str, Row] = {}
    arcs: list[Row] = []
    for one in work:
        parts = [part for part in one["lines"] if part["quantity"] > part["released"]]
        node = nodes.get(one["node"])
        if parts and node is not None and _is_on_map(node):
            sends, gone = _sends(node, parts, lines)
            pins.setdefault(one["node"], sends)
            arcs += _arc(sends, _destination(one) or buyer, gone)
    seen = (decisions[0]["explanation"].get("nodes") or {}).get("code", []) if decisions else []
    others = sorted((code for code in seen if code not in pins), key=lambda code: code not in refusers)
    drawn = [*pins.values(), *_looked_at(others[:MOST_LOOKED_AT], nodes, refusers)]
    if buyer[0] is None or not drawn:
        return None
    town = order["ship_to"].get("city") or order["ship_to"].get("region") or "The buyer"
    drawn.append({"name": f"{town}, buyer", "longitude": buyer[0], "latitude": buyer[1], "role": "dest"})
    states = sorted({pin["s"] for pin in drawn if "s" in pin}, key=WORST.index)
    return {"pins": drawn, "arcs": arcs, "states": states}


def _is_on_map(node: Row) -> bool:
    return node["longitude"] is not None and node["kind"] != "virtual"


def _sends(node: Row, parts: Sequence[Row], lines: Sequence[Row]) -> tuple[Row, bool]:
    """The pin of a node that sends these parts of the order, and whether all of them have left."""
    states = {line["id"]: line["s"] for line in lines}
    titles = {line["id"]: line["title"] for line in lines}
    gone = all(part["shipped"] + part["released"] >= part["quantity"] for part in parts)
    worst = min((states[part["order_line_id"]] for part in parts), key=WORST.index)
    named = list(dict.fromkeys(titles[part["order_line_id"]] for part in parts))
    pin = _pin(node) | {
        "s": "kept" if gone else worst if worst in ("risk", "late") else "due",
        "work": len(parts),
        "note": named[0] if len(named) == 1 else formats.plural(len(named), "line"),
    }
    return pin, gone


def _pin(node: Row) -> Row:
    return {name: node[name] for name in ("name", "longitude", "latitude", "kind")}


def _arc(sends: Row, end: Place, gone: bool) -> list[Row]:
    if end[0] is None:
        return []
    start = (sends["longitude"], sends["latitude"])
    return [{"start": start, "end": end, "s": sends["s"], "waiting": not gone and sends["s"] != "due"}]


def _looked_at(codes: Sequence[str], nodes: Mapping[str, Row], refusers: Collection[str]) -> list[Row]:
    return [
        _pin(nodes[code])
        | {"role": "off", "note": "refused it" if code in refusers else "looked at, not chosen"}
        for code in codes
        if code in nodes and _is_on_map(nodes[code])
    ]


def _destination(work: Row) -> tuple[float, float] | None:
    """Where work with an address of its own goes."""
    goes_to = work["ship_to"]
    if not goes_to:
        return None
    place = locate(goes_to.get("postal_code"), goes_to.get("country", "US"), goes_to.get("region"))
    return (place.lon, place.lat) if place else None
