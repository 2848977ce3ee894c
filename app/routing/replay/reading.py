"""Reading instances and profiles: every value is checked, and what is refused is named by its path with a remedy.

Unknown fields are allowed, so that a newer writer does not break an older reader.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from app.network.places import zip3
from app.routing.prices import Weights
from app.routing.replay.carriers import carrier_of
from app.routing.replay.instance import UNLIMITED, Instance, Order, Profile
from app.routing.replay.members import (
    MOST_UNITS,
    Name,
    Unreadable,
    degrees,
    each,
    is_name,
    known,
    listing,
    mapping,
    member,
    name_of,
    number,
    positions,
    text,
    whole,
)

MOST_MONEY = 10**12  # minor units that one order may cost
GZIP_MAGIC = b"\x1f\x8b"


def read_instance(file: Path) -> Instance:
    """The instance in a file, plain or gzipped. Raises Unreadable."""
    return instance_of(_document(file))


def read_profile(file: Path) -> Profile:
    """The profile in a file. Raises Unreadable."""
    return profile_of(_document(file))


def instance_of(document: Any) -> Instance:
    """The instance that a decoded JSON document describes. Raises Unreadable."""
    root = mapping(document, "$")
    nodes = _nodes(root)
    skus = each(root, "skus", _sku)
    sku_at = positions([sku["sku"] for sku in skus], "skus", "sku")
    node_at = positions([node["id"] for node in nodes], "nodes", "id")
    instance = Instance(
        currency=text(root.get("currency", "USD"), "currency"),
        days=whole(root.get("days", 1), "days", least=1),
        carrier=carrier_of(mapping(member(root, "carrier", "carrier"), "carrier"), nodes),
        nodes=tuple(node["id"] for node in nodes),
        kinds=tuple(node["kind"] for node in nodes),
        lat=np.array([node["lat"] for node in nodes], dtype=np.float64),
        lon=np.array([node["lon"] for node in nodes], dtype=np.float64),
        handling_per_package=np.array([node["package"] for node in nodes], dtype=np.float64),
        handling_per_unit=np.array([node["unit"] for node in nodes], dtype=np.float64),
        capacity_per_day=np.array([node["capacity"] for node in nodes], dtype=np.int64),
        priority=np.array([node["priority"] for node in nodes], dtype=np.int64),
        skus=tuple(sku["sku"] for sku in skus),
        weight_lb=np.array([sku["weight"] for sku in skus], dtype=np.float64),
        lost_unit_penalty=np.array([sku["penalty"] for sku in skus], dtype=np.float64),
        stock=_stock(root, node_at, sku_at),
        history=_orders(root, "history", sku_at, known_only=False),
        orders=_orders(root, "orders", sku_at, known_only=True),
    )
    _refuse_fortunes(instance)
    return instance


def profile_of(document: Any) -> Profile:
    """The profile that a decoded JSON document describes. Raises Unreadable."""
    given, usual = mapping(document, "$"), Profile()
    return Profile(
        weights=Weights(
            **{name: number(given[name], name, least=0.0) for name in ("w1", "a", "b") if name in given}
        ),
        window_orders=whole(given.get("window_orders", usual.window_orders), "window_orders", least=1),
        seed=whole(given.get("seed", usual.seed), "seed", least=0),
        time_limit_s=number(given.get("time_limit_s", usual.time_limit_s), "time_limit_s", least=0.0),
    )


def _refuse_fortunes(instance: Instance) -> None:
    """Costs are reckoned in millionths, in 64 bits."""
    carrier = instance.carrier
    package = carrier.base.max(initial=0.0) + instance.handling_per_package.max()
    pound, unit = carrier.per_lb.max(initial=0.0), instance.handling_per_unit.max()
    for at, order in enumerate(instance.orders):
        each = pound * instance.weight_lb[order.skus] + unit
        if len(order.skus) * package + each @ order.quantity > MOST_MONEY:
            raise Unreadable(
                f"orders[{at}]",
                "may cost too much to reckon with",
                "Lower its quantities, their pounds or the prices.",
            )


def _document(file: Path) -> Any:
    try:
        raw = file.read_bytes()
        text = (gzip.decompress(raw) if raw.startswith(GZIP_MAGIC) else raw).decode("utf-8-sig")
        return json.loads(text)
    except OSError as error:
        problem, remedy = error.strerror or "cannot be read", "Name a file that exists and may be read."
    except (EOFError, zlib.error):
        problem, remedy = "the gzip stream is damaged", "Write the file again."
    except UnicodeDecodeError:
        problem, remedy = "is not UTF-8", "Save it as UTF-8 JSON, optionally gzipped."
    except RecursionError:
        problem, remedy = "is nested too deep", "Write it in the documented format."
    except ValueError as error:
        problem, remedy = f"is not JSON ({error})", "Correct it at that place."
    raise Unreadable(str(file), problem, remedy)


def _nodes(root: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The nodes in the order of their ids, numbers as numbers: their positions then compare as their ids do."""
    nodes = each(root, "nodes", _node)
    if not nodes:
        raise Unreadable("nodes", "is empty", "Give at least one node.")
    return sorted(nodes, key=lambda node: (isinstance(node["id"], str), node["id"]))


def _node(given: Mapping[str, Any], path: str) -> dict[str, Any]:
    capacity = given.get("capacity_per_day")
    return {
        "id": name_of(member(given, "id", path), f"{path}.id"),
        "kind": text(given.get("kind", "warehouse"), f"{path}.kind"),
        "lat": degrees(given, "lat", path, 90.0),
        "lon": degrees(given, "lon", path, 360.0),
        "postal_code": _postal_code(given, path),
        "package": number(given.get("handling_per_package", 0), f"{path}.handling_per_package", least=0.0),
        "unit": number(given.get("handling_per_unit", 0), f"{path}.handling_per_unit", least=0.0),
        "capacity": UNLIMITED if capacity is None else whole(capacity, f"{path}.capacity_per_day", least=0),
        "priority": whole(given.get("priority", 0), f"{path}.priority", least=-MOST_UNITS),
    }


def _sku(given: Mapping[str, Any], path: str) -> dict[str, Any]:
    return {
        "sku": name_of(member(given, "sku", path), f"{path}.sku"),
        "weight": number(given.get("weight_lb", 0), f"{path}.weight_lb", least=0.0),
        "penalty": number(given.get("lost_unit_penalty", 0), f"{path}.lost_unit_penalty", least=0.0),
    }


def _stock(root: Mapping[str, Any], node_at: Mapping[Name, int], sku_at: Mapping[Name, int]) -> np.ndarray:
    """`[sku, node]` units. Several rows of one node and SKU add up."""
    stock = np.zeros((len(sku_at), len(node_at)), dtype=np.int64)
    for at, row in enumerate(listing(root, "stock")):
        path = f"stock[{at}]"
        given = mapping(row, path)
        node = known(member(given, "node", path), node_at, f"{path}.node", "nodes")
        sku = known(member(given, "sku", path), sku_at, f"{path}.sku", "skus")
        stock[sku, node] += whole(member(given, "qty", path), f"{path}.qty", least=0)
    return stock


def _orders(
    root: Mapping[str, Any], name: str, sku_at: Mapping[Name, int], *, known_only: bool
) -> tuple[Order, ...]:
    """The orders of a period. History may name a SKU that is no longer sold; its lines say nothing of use."""
    if name not in root and not known_only:
        return ()
    return tuple(
        _order(mapping(row, f"{name}[{at}]"), f"{name}[{at}]", sku_at, known_only)
        for at, row in enumerate(listing(root, name))
    )


def _order(given: Mapping[str, Any], path: str, sku_at: Mapping[Name, int], known_only: bool) -> Order:
    wanted: dict[int, int] = {}
    for at, row in enumerate(listing(given, "lines", path)):
        place = f"{path}.lines[{at}]"
        line = mapping(row, place)
        name = member(line, "sku", place)
        quantity = whole(member(line, "qty", place), f"{place}.qty", least=1)
        if not known_only and is_name(name) and name not in sku_at:
            continue
        sku = known(name, sku_at, f"{place}.sku", "skus")
        wanted[sku] = wanted.get(sku, 0) + quantity
    name = given.get("id", path) if not known_only else member(given, "id", path)
    return Order(
        id=name_of(name, f"{path}.id"),
        day=whole(given.get("day", 0), f"{path}.day", least=-MOST_UNITS),
        lat=degrees(given, "lat", path, 90.0),
        lon=degrees(given, "lon", path, 360.0),
        skus=np.array(list(wanted), dtype=np.int64),
        quantity=np.array(list(wanted.values()), dtype=np.int64),
        area=zip3(_postal_code(given, path)),
    )


def _postal_code(given: Mapping[str, Any], path: str) -> str | None:
    code = given.get("postal_code")
    return None if code is None else text(code, f"{path}.postal_code")
