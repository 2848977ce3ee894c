"""Conditions on orders and lines, filters on nodes: whether what they look at is so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.routing.facts import MICRO, Basket, Ints, Network
from app.routing.seen import COLUMNS, Column, Known, LineFacts, NodeView, OrderFacts, Value, read
from app.routing.vocabulary import DISTANCES, FIXED, NODE_FIELDS, NODE_KINDS, ORDER_FIELDS

__all__ = [
    "DISTANCE",
    "NODE_FIELDS",
    "NODE_KINDS",
    "ORDER_FIELDS",
    "Condition",
    "Filter",
    "LineFacts",
    "NodeView",
    "OrderFacts",
    "Value",
    "read",
]

DISTANCE = "node.distance_miles"
MOST_MASKS = 1024


@dataclass(frozen=True, slots=True)
class Condition:
    """A predicate over an order or a line: `all`, `any` or `not` of parts, or one comparison with `value` or `ref`."""

    op: str
    field: str = ""
    value: Value = ""
    parts: tuple[Condition, ...] = ()
    ref: str = ""

    @property
    def fields(self) -> frozenset[str]:
        """Every field it looks at."""
        return _fields(self)

    def holds(self, facts: Basket | OrderFacts | LineFacts) -> bool:
        """Whether it is so. Compared with what is not known, only `ne`, `not_in` and `exists` false are."""
        seen = OrderFacts.of(facts) if isinstance(facts, Basket) else facts
        if self.op == "all":
            return all(part.holds(seen) for part in self.parts)
        if self.op == "any":
            return any(part.holds(seen) for part in self.parts)
        if self.op == "not":
            return not self.parts[0].holds(seen)
        value = read(seen, self.ref) if self.ref else self.value
        return value is not None and compare(self.op, read(seen, self.field), value)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a node must be, or it is ruled out: one comparison, or `all`, `any`, `not` of parts."""

    id: str
    field: str
    op: str
    value: Value
    ref: str = ""
    parts: tuple[Filter, ...] = ()

    @property
    def is_fixed(self) -> bool:
        """Whether it depends on the network alone, so that it can be worked out once."""
        if self.parts:
            return all(part.is_fixed for part in self.parts)
        return self.field in FIXED and (not self.ref or self.ref in FIXED)

    @property
    def fields(self) -> frozenset[str]:
        """Every field it looks at."""
        return _fields(self)

    def passes(self, nodes: Network | NodeView) -> NDArray[np.bool_]:
        """The nodes that pass. What is not known of a node never rules it out."""
        return self._may(nodes if isinstance(nodes, NodeView) else NodeView(nodes), negated=False)

    def near_enough(self, distance: Ints) -> NDArray[np.bool_]:
        """The nodes that pass a filter on the distance alone (millionths of a mile)."""
        return _columns(self.op, distance, self._limits())

    def _may(self, view: NodeView, negated: bool) -> NDArray[np.bool_]:
        """The nodes that may pass: a `not` is handed down to the comparisons, where the unknown passes either way."""
        if self.op == "not":
            return self.parts[0]._may(view, not negated)
        if self.op in ("all", "any"):
            masks = [part._may(view, negated) for part in self.parts]
            joins = np.logical_and if (self.op == "all") is not negated else np.logical_or
            found: NDArray[np.bool_] = joins.reduce(masks)
            return found
        mask = self._known(view) if self.is_fixed else self._compared(view)
        if mask is None:
            return np.ones(len(view.network), dtype=bool)
        if negated:
            mask = ~mask
        return mask if self.op == "exists" else mask | _unknown(self.field, COLUMNS[self.field](view))

    def _known(self, view: NodeView) -> NDArray[np.bool_] | None:
        """A comparison on the network alone, worked out once for each network."""
        masks = view.network.masks
        key = (self.field, self.op, self.value, self.ref)
        found = masks.get(key)
        if found is None and (found := self._compared(view)) is not None:
            if len(masks) >= MOST_MASKS:
                masks.clear()
            masks[key] = found
        return found

    def _compared(self, view: NodeView) -> NDArray[np.bool_] | None:
        """The nodes of which the comparison is true; None where nothing is known of any."""
        column, value = COLUMNS[self.field](view), self._value(view)
        if self.op == "exists" and column is None:
            return np.full(len(view.network), not self.value)
        return None if column is None or value is None else _columns(self.op, column, value)

    def _value(self, view: NodeView) -> Any:
        if not self.ref:
            return self._limits() if self.field in DISTANCES else self.value
        return COLUMNS[self.ref](view) if self.ref in COLUMNS else read(view.order, self.ref)

    def _limits(self) -> Value:
        """Miles as the millionths that distances are kept in."""
        if isinstance(self.value, tuple):
            return tuple(round(float(each) * MICRO) for each in self.value)
        return round(float(self.value) * MICRO)


def _fields(predicate: Condition | Filter) -> frozenset[str]:
    own = frozenset({predicate.field, predicate.ref} - {""})
    return own.union(*(part.fields for part in predicate.parts))


def first_failed(filters: tuple[Filter, ...], view: NodeView, fixed: bool | None = None) -> NDArray[np.int16]:
    """Per node the position of the first filter that it fails; 32767 where it passes them all.

    `fixed`: look only at filters that depend on the network alone (True), or only at the others (False).
    """
    first = np.full(len(view.network), np.iinfo(np.int16).max, dtype=np.int16)
    for at in range(len(filters) - 1, -1, -1):
        if fixed is None or filters[at].is_fixed is fixed:
            first[~filters[at].passes(view)] = at
    return first


def compare(op: str, actual: Known, value: Any) -> bool:
    """One comparison. Raises ValueError for an operator that is not in the list."""
    if op == "exists":
        return (actual is not None and actual != "" and actual != frozenset()) is bool(value)
    if op in ("ne", "not_in"):
        return not compare("eq" if op == "ne" else "in", actual, value)
    if actual is None or actual == "":
        return False
    if op in _ORDERS:
        return bool(_ORDERS[op](actual, value))
    if op == "in":
        return actual in _listed(value)
    if op == "zip_prefix":
        return str(actual).startswith(tuple(str(prefix) for prefix in _listed(value)))
    if op == "between":
        low, high = _listed(value)
        return bool(low <= actual <= high)
    if op in ("has_any", "has_all"):
        wanted = value if isinstance(value, frozenset) else frozenset(_listed(value))
        assert isinstance(actual, frozenset)
        return bool(wanted & actual) if op == "has_any" else wanted <= actual
    raise ValueError(f"unknown operator {op}")


_ORDERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": lambda actual, value: actual == value,
    "lt": lambda actual, value: actual < value,
    "lte": lambda actual, value: actual <= value,
    "gt": lambda actual, value: actual > value,
    "gte": lambda actual, value: actual >= value,
}


def _columns(op: str, column: Column, value: Any) -> NDArray[np.bool_]:
    """One comparison for every node; `value` may be a column of its own."""
    if isinstance(column, np.ndarray):
        return _numbers(op, column, value)
    assert column is not None
    if op in ("ne", "not_in"):
        return ~_columns("eq" if op == "ne" else "in", column, value)
    found: Iterable[bool]
    if op == "exists":
        found = (bool(each) is value for each in column)
    elif op == "eq" and isinstance(value, tuple):
        found = (one == two != "" for one, two in zip(column, value, strict=True))
    elif op in ("eq", "in"):
        wanted = frozenset(_listed(value))
        found = (each in wanted for each in column)
    elif op in ("has_any", "has_all"):
        wanted = value if isinstance(value, frozenset) else frozenset(_listed(value))
        found = (
            (wanted <= each for each in column)
            if op == "has_all"
            else (bool(wanted & each) for each in column)
        )
    else:
        raise ValueError(f"unknown operator {op}")
    return np.fromiter(found, dtype=bool, count=len(column))


def _numbers(op: str, column: NDArray[Any], value: Any) -> NDArray[np.bool_]:
    found: Any
    if op in ("ne", "not_in"):
        return ~_numbers("eq" if op == "ne" else "in", column, value)
    if op in _ORDERS:
        found = _ORDERS[op](column, value)
    elif op == "in":
        found = np.isin(column, np.array(_listed(value)))
    elif op == "between":
        low, high = _listed(value)
        found = (column >= low) & (column <= high)
    elif op == "exists":
        found = np.full(len(column), bool(value)) if column.dtype == bool else (column >= 0) == bool(value)
    else:
        raise ValueError(f"unknown operator {op}")
    return np.asarray(found, dtype=bool)


def _unknown(name: str, column: Column) -> NDArray[np.bool_] | bool:
    """Nodes of which this is not known."""
    if isinstance(column, np.ndarray):
        return column < 0 if name in ("lane.zone", "lane.transit_days", "lane.days_late") else False
    return False


def _listed(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
