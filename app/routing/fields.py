"""The typed list of fields that rules may speak of: one source for validation, evaluation and reading aloud."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.routing.facts import MICRO, Basket, Ints, Network

NODE_KINDS = ("warehouse", "store", "vendor", "workshop", "virtual")
TEXT_OPS = ("eq", "ne", "in", "not_in")
CODE_OPS = (*TEXT_OPS, "zip_prefix")
NUMBER_OPS = (*TEXT_OPS, "lt", "lte", "gt", "gte", "between")
LIST_OPS = ("in", "not_in", "zip_prefix")

Scalar = str | int | float
Value = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A word of the rule language: what it may be compared with, and how it reads."""

    words: str
    number: bool
    ops: tuple[str, ...]
    choices: tuple[str, ...] = ()


ORDER_FIELDS: Mapping[str, Field] = {
    "order.channel": Field("the channel", False, TEXT_OPS),
    "order.units": Field("the number of units", True, NUMBER_OPS),
    "order.lines": Field("the number of lines", True, NUMBER_OPS),
    "order.weight_g": Field("the weight in grams", True, NUMBER_OPS),
    "destination.country": Field("the destination country", False, TEXT_OPS),
    "destination.region": Field("the destination region", False, TEXT_OPS),
    "destination.postal_code": Field("the destination postal code", False, CODE_OPS),
}
NODE_FIELDS: Mapping[str, Field] = {
    "node.kind": Field("kind", False, TEXT_OPS, NODE_KINDS),
    "node.code": Field("code", False, TEXT_OPS),
    "node.region": Field("region", False, TEXT_OPS),
    "node.country": Field("country", False, TEXT_OPS),
    "node.distance_miles": Field("distance", True, ("lt", "lte", "gt", "gte", "between")),
    "node.priority": Field("priority", True, NUMBER_OPS),
}
DISTANCE = "node.distance_miles"

_ORDER_VALUES: Mapping[str, Callable[[Basket], Scalar]] = {
    "order.channel": lambda basket: basket.channel,
    "order.units": lambda basket: sum(line.quantity for line in basket.lines),
    "order.lines": lambda basket: len(basket.lines),
    "order.weight_g": lambda basket: sum(line.weight_g * line.quantity for line in basket.lines),
    "destination.country": lambda basket: basket.destination.country,
    "destination.region": lambda basket: basket.destination.region,
    "destination.postal_code": lambda basket: basket.destination.postal_code,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A predicate over the order: `all`, `any` or `not` of parts, or one comparison."""

    op: str
    field: str = ""
    value: Value = ""
    parts: tuple[Condition, ...] = ()

    def holds(self, basket: Basket) -> bool:
        if self.op == "all":
            return all(part.holds(basket) for part in self.parts)
        if self.op == "any":
            return any(part.holds(basket) for part in self.parts)
        if self.op == "not":
            return not self.parts[0].holds(basket)
        return compare(self.op, _ORDER_VALUES[self.field](basket), self.value)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a node must be, or it is ruled out."""

    id: str
    field: str
    op: str
    value: Value

    def passes(self, network: Network) -> NDArray[np.bool_]:
        """The nodes that pass, for every field but the distance."""
        values = node_values(network, self.field)
        return np.array([compare(self.op, value, self.value) for value in values], dtype=bool)

    def near_enough(self, distance: Ints) -> NDArray[np.bool_]:
        """The nodes that pass a filter on the distance (millionths of a mile)."""
        if self.op == "between":
            low, high = (round(float(limit) * MICRO) for limit in _listed(self.value))
            return (distance >= low) & (distance <= high)
        limit = round(float(_one(self.value)) * MICRO)
        if self.op == "lt":
            return distance < limit
        if self.op == "lte":
            return distance <= limit
        return distance > limit if self.op == "gt" else distance >= limit


def node_values(network: Network, field: str) -> tuple[Scalar, ...]:
    """What a filter on this field looks at, node by node."""
    if field == "node.kind":
        return network.kinds
    if field == "node.code":
        return network.codes
    if field == "node.region":
        return network.regions
    if field == "node.country":
        return network.countries
    return tuple(network.priority.tolist())


def compare(op: str, actual: Scalar, value: Value) -> bool:
    """One comparison. Raises ValueError for an operator that is not in the list."""
    if op in LIST_OPS:
        listed = _listed(value)
        if op == "zip_prefix":
            return any(str(actual).startswith(str(prefix)) for prefix in listed)
        return (actual in listed) is (op == "in")
    if op == "eq":
        return actual == value
    if op == "ne":
        return actual != value
    if op == "between":
        low, high = _listed(value)
        return float(low) <= float(actual) <= float(high)
    number, limit = float(actual), float(_one(value))
    if op == "lt":
        return number < limit
    if op == "lte":
        return number <= limit
    if op == "gt":
        return number > limit
    if op == "gte":
        return number >= limit
    raise ValueError(f"unknown operator {op}")


def _listed(value: Value) -> tuple[Scalar, ...]:
    return value if isinstance(value, tuple) else (value,)


def _one(value: Value) -> Scalar:
    return value[0] if isinstance(value, tuple) else value
