"""What a filter saw of a node that it ruled out: kept small beside a decision, and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.routing.clauses import seen_words
from app.routing.facts import Ints
from app.routing.fields import Filter
from app.routing.seen import COLUMNS, NodeView, Scalar
from app.routing.vocabulary import DISTANCES, NODE_FIELDS

Kept = tuple[list[list[Any]], list[list[Any]], list[int]]


def kept(view: NodeView, filters: Sequence[Filter], nodes: Ints, failed: Ints) -> Kept:
    """What is kept of nodes that were ruled out, `failed` the position of the filter each failed.

    Answers the filters that ruled something out, `[id, fields]`; what they saw, `[position among these, value of each
    field]`, each once; and for each node the position of what was seen of it. Miles are left out: a decision has those
    of every node it shows.
    """
    named: dict[int, int] = {}
    seen: dict[tuple[Any, ...], int] = {}
    columns = {at: [_column(view, name) for name in fields_of(filters[at])] for at in set(failed.tolist())}
    found = []
    for node, at in zip(nodes.tolist(), failed.tolist(), strict=True):
        told = (named.setdefault(at, len(named)), *(_value(column, node) for column in columns[at]))
        found.append(seen.setdefault(told, len(seen)))
    return [[filters[at].id, fields_of(filters[at])] for at in named], [list(one) for one in seen], found


def fields_of(each: Filter) -> list[str]:
    """The fields of a node that a filter looks at, each once, in its own order."""
    if each.parts:
        return list(dict.fromkeys(name for part in each.parts for name in fields_of(part)))
    return [name for name in dict.fromkeys((each.field, each.ref)) if name in NODE_FIELDS]


def _column(view: NodeView, name: str) -> Sequence[Any] | None:
    if name in DISTANCES:
        return None
    column = COLUMNS[name](view)
    return column.tolist() if isinstance(column, np.ndarray) else column


def _value(column: Sequence[Any] | None, node: int) -> Scalar | None:
    """Of one node; None for what is not known."""
    if column is None:
        return None
    value = column[node]
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or None
    if isinstance(value, float):
        return round(value, 1)
    return None if value == "" or value == -1 else value


def words(explanation: Mapping[str, Any], at: int, miles: int | None, currency: str) -> str:
    """A filter and what it saw, of a kept explanation: "no-stores: kind is store". `at` as `kept` gave it."""
    position, *values = explanation["ruled_out"][at]
    name, fields = explanation["filters"][position]
    said = [
        seen_words(field, miles if field in DISTANCES else value, currency)
        for field, value in zip(fields, values, strict=True)
    ]
    return f"{name}: {', '.join(said)}" if said else name
