"""Reading instances and profiles: every value is checked, and what is refused is named by its path with a remedy.

Unknown fields are allowed, so that a newer writer does not break an older reader.
"""

from __future__ import annotations

import gzip
import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.routing.replay.instance import UNLIMITED, Carrier, Instance, Order, Profile

GZIP_MAGIC = b"\x1f\x8b"
MOST_UNITS = 10**9  # so that sums of quantities and of millionths of money stay within 64 bits


class Unreadable(Exception):
    """The input cannot be used. `path` says where (`orders[3].lines[0].qty`), `remedy` what to do."""

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        super().__init__(f"{path}: {problem}. {remedy}")
        self.path = path
        self.remedy = remedy


def read_instance(file: Path) -> Instance:
    """The instance in a file, plain or gzipped. Raises Unreadable."""
    return instance_of(_document(file))


def read_profile(file: Path) -> Profile:
    """The profile in a file. Raises Unreadable."""
    return profile_of(_document(file))


def instance_of(document: Any) -> Instance:
    """The instance that a decoded JSON document describes. Raises Unreadable."""
    root = _object(document, "$")
    nodes = _nodes(root)
    skus = _each(root, "skus", _sku)
    sku_at = _positions([sku["sku"] for sku in skus], "skus", "sku")
    node_at = _positions([node["id"] for node in nodes], "nodes", "id")
    return Instance(
        currency=_text(root.get("currency", "USD"), "currency"),
        days=_whole(root.get("days", 1), "days", least=1),
        carrier=_carrier(root),
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


def profile_of(document: Any) -> Profile:
    """The profile that a decoded JSON document describes. Raises Unreadable."""
    given, usual = _object(document, "$"), Profile()
    return Profile(
        w1=_number(given.get("w1", usual.w1), "w1", least=0.0),
        a=_number(given.get("a", usual.a), "a", least=0.0),
        b=_number(given.get("b", usual.b), "b", least=0.0),
        window_orders=_whole(given.get("window_orders", usual.window_orders), "window_orders", least=1),
        seed=_whole(given.get("seed", usual.seed), "seed", least=0),
        time_limit_s=_number(given.get("time_limit_s", usual.time_limit_s), "time_limit_s", least=0.0),
    )


def _document(file: Path) -> Any:
    try:
        raw = file.read_bytes()
        text = (gzip.decompress(raw) if raw.startswith(GZIP_MAGIC) else raw).decode("utf-8-sig")
        return json.loads(text)
    except OSError as error:
        problem, remedy = error.strerror or "cannot be read", "Name a file that exists and may be read."
    except EOFError:
        problem, remedy = "the gzip stream ends too early", "Write the file again."
    except UnicodeDecodeError:
        problem, remedy = "is not UTF-8", "Save it as UTF-8 JSON, optionally gzipped."
    except RecursionError:
        problem, remedy = "is nested too deep", "Write it in the documented format."
    except ValueError as error:
        problem, remedy = f"is not JSON ({error})", "Correct it at that place."
    raise Unreadable(str(file), problem, remedy)


def _carrier(root: Mapping[str, Any]) -> Carrier:
    given = _object(_member(root, "carrier", "carrier"), "carrier")
    miles = _numbers(given, "zone_miles", "carrier.zone_miles")
    if any(later <= earlier for earlier, later in itertools.pairwise(miles)):
        raise Unreadable("carrier.zone_miles", "does not ascend", "Give thresholds from near to far.")
    base = _numbers(given, "base", "carrier.base")
    per_lb = _numbers(given, "per_lb", "carrier.per_lb")
    for name, values in (("base", base), ("per_lb", per_lb)):
        if len(values) != len(miles) + 1:
            raise Unreadable(
                f"carrier.{name}",
                f"has {len(values)} values for {len(miles)} thresholds",
                f"Give {len(miles) + 1}: one per zone.",
            )
    return Carrier(np.array(miles), np.array(base), np.array(per_lb))


def _nodes(root: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The nodes in the order of their ids: their positions then compare as their ids do."""
    nodes = _each(root, "nodes", _node)
    if not nodes:
        raise Unreadable("nodes", "is empty", "Give at least one node.")
    return sorted(nodes, key=lambda node: str(node["id"]))


def _node(given: Mapping[str, Any], path: str) -> dict[str, Any]:
    capacity = given.get("capacity_per_day")
    return {
        "id": _text(_member(given, "id", path), f"{path}.id"),
        "kind": _text(given.get("kind", "warehouse"), f"{path}.kind"),
        "lat": _degrees(given, "lat", path, 90.0),
        "lon": _degrees(given, "lon", path, 360.0),
        "package": _number(given.get("handling_per_package", 0), f"{path}.handling_per_package", least=0.0),
        "unit": _number(given.get("handling_per_unit", 0), f"{path}.handling_per_unit", least=0.0),
        "capacity": UNLIMITED if capacity is None else _whole(capacity, f"{path}.capacity_per_day", least=0),
        "priority": _whole(given.get("priority", 0), f"{path}.priority", least=-MOST_UNITS),
    }


def _sku(given: Mapping[str, Any], path: str) -> dict[str, Any]:
    return {
        "sku": _text(_member(given, "sku", path), f"{path}.sku"),
        "weight": _number(given.get("weight_lb", 0), f"{path}.weight_lb", least=0.0),
        "penalty": _number(given.get("lost_unit_penalty", 0), f"{path}.lost_unit_penalty", least=0.0),
    }


def _stock(root: Mapping[str, Any], node_at: Mapping[str, int], sku_at: Mapping[str, int]) -> np.ndarray:
    """`[sku, node]` units. Several rows of one node and SKU add up."""
    stock = np.zeros((len(sku_at), len(node_at)), dtype=np.int64)
    for at, row in enumerate(_list(root, "stock")):
        path = f"stock[{at}]"
        given = _object(row, path)
        node = _known(_member(given, "node", path), node_at, f"{path}.node", "nodes")
        sku = _known(_member(given, "sku", path), sku_at, f"{path}.sku", "skus")
        stock[sku, node] += _whole(_member(given, "qty", path), f"{path}.qty", least=0)
    return stock


def _orders(
    root: Mapping[str, Any], name: str, sku_at: Mapping[str, int], *, known_only: bool
) -> tuple[Order, ...]:
    """The orders of a period. History may name a SKU that is no longer sold; its lines say nothing of use."""
    if name not in root and not known_only:
        return ()
    return tuple(
        _order(_object(row, f"{name}[{at}]"), f"{name}[{at}]", sku_at, known_only)
        for at, row in enumerate(_list(root, name))
    )


def _order(given: Mapping[str, Any], path: str, sku_at: Mapping[str, int], known_only: bool) -> Order:
    wanted: dict[int, int] = {}
    for at, row in enumerate(_list(given, "lines", path)):
        place = f"{path}.lines[{at}]"
        line = _object(row, place)
        name = _member(line, "sku", place)
        quantity = _whole(_member(line, "qty", place), f"{place}.qty", least=1)
        if not known_only and isinstance(name, str) and name not in sku_at:
            continue
        sku = _known(name, sku_at, f"{place}.sku", "skus")
        wanted[sku] = wanted.get(sku, 0) + quantity
    name = given.get("id", path) if not known_only else _member(given, "id", path)
    if not isinstance(name, str | int) or isinstance(name, bool):
        raise Unreadable(f"{path}.id", "is neither a text nor a whole number", "Give the order's id.")
    return Order(
        id=name,
        day=_whole(given.get("day", 0), f"{path}.day", least=-MOST_UNITS),
        lat=_degrees(given, "lat", path, 90.0),
        lon=_degrees(given, "lon", path, 360.0),
        skus=np.array(list(wanted), dtype=np.int64),
        quantity=np.array(list(wanted.values()), dtype=np.int64),
    )


def _each(
    root: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any], str], dict[str, Any]]
) -> list[dict[str, Any]]:
    return [read(_object(row, f"{name}[{at}]"), f"{name}[{at}]") for at, row in enumerate(_list(root, name))]


def _positions(names: Sequence[str], path: str, field: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names:
        if name in found:
            raise Unreadable(path, f"the {field} {name!r} occurs twice", "Give each once.")
        found[name] = len(found)
    return found


def _known(name: Any, known: Mapping[str, int], path: str, where: str) -> int:
    if not isinstance(name, str) or name not in known:
        raise Unreadable(path, f"{name!r} is not one of {where}", f"Add it to {where} or correct the name.")
    return known[name]


def _member(given: Mapping[str, Any], name: str, path: str) -> Any:
    if name not in given:
        place = name if path == name else f"{path}.{name}"
        raise Unreadable(place, "is missing", "Add it.")
    return given[name]


def _object(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable(path, "is not an object", "Give a JSON object here.")
    return value


def _list(given: Mapping[str, Any], name: str, path: str = "") -> list[Any]:
    place = f"{path}.{name}" if path else name
    if name not in given:
        raise Unreadable(place, "is missing", "Add it; an empty list is allowed.")
    if not isinstance(given[name], list):
        raise Unreadable(place, "is not a list", "Give a JSON list here.")
    return list(given[name])


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value:
        raise Unreadable(path, "is not a text", "Give a text that is not empty.")
    return value


def _number(value: Any, path: str, least: float = -math.inf) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= MOST_UNITS:
        raise Unreadable(path, f"{value!r} is not a number in reach", "Give a finite number.")
    if value < least:
        raise Unreadable(path, f"{value!r} is too low", f"Give at least {least:g}.")
    return float(value)


def _numbers(given: Mapping[str, Any], name: str, path: str) -> list[float]:
    values = _member(given, name, "carrier")
    if not isinstance(values, list):
        raise Unreadable(path, "is not a list", "Give a list of numbers.")
    return [_number(value, f"{path}[{at}]", least=0.0) for at, value in enumerate(values)]


def _whole(value: Any, path: str, least: int) -> int:
    number = _number(value, path)
    if number != int(number):
        raise Unreadable(path, f"{value!r} is not a whole number", "Give a whole number.")
    if number < least:
        raise Unreadable(path, f"{value!r} is too low", f"Give at least {least}.")
    return int(number)


def _degrees(given: Mapping[str, Any], name: str, path: str, most: float) -> float:
    value = _number(_member(given, name, path), f"{path}.{name}")
    if abs(value) > most:
        raise Unreadable(f"{path}.{name}", f"{value!r} is not an angle", f"Give degrees up to {most:g}.")
    return value
