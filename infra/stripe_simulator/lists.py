"""Lists and searches: newest first, cursors by id, and Stripe's search words for a few fields."""

import re
from collections.abc import Callable
from typing import Any

from infra.stripe_simulator.decoding import Params
from infra.stripe_simulator.errors import malformed, refused
from infra.stripe_simulator.scope import Scope, public

LIST_PARAMS = ("limit", "starting_after", "ending_before", "created")
BOUNDS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
CLAUSE = re.compile(
    r"\s*(?P<not>-)?(?P<field>[a-z_]+)(?:\[(?P<q>['\"])(?P<key>.*?)(?P=q)\])?\s*(?P<op>:|~|>=|<=|>|<)\s*"
    r"(?P<value>null|-?\d+|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\s*"
)
SEARCHABLE = {
    "payment_intent": {"amount", "created", "currency", "customer", "status"},
    "charge": {"amount", "created", "currency", "customer", "status"},
    "customer": {"created", "email", "name", "phone"},
}
SCAN_LIMIT = 100_000

Clause = Callable[[dict[str, Any]], bool]


def list_of(
    scope: Scope,
    kind: str,
    params: Params,
    url: str,
    where: dict[str, Any] | None = None,
    extra: tuple[str, list[str]] | None = None,
) -> dict[str, Any]:
    """A page of a kind of object, filtered by `where` (stored columns) and an `extra` SQL condition with values."""
    limit = params.integer("limit", 10) or 0
    if not 1 <= limit <= 100:
        raise malformed("Limit must be between 1 and 100.", code="parameter_invalid_integer", param="limit")
    bounds = _created_bounds(params)
    before, after = params.text("ending_before"), params.text("starting_after")
    for cursor, name, bound in ((after, "starting_after", "seq <"), (before, "ending_before", "seq >")):
        if cursor is not None:
            bounds.append((bound, _sequence(scope, kind, cursor, name)))
    ascending = before is not None
    found = scope.store.select(
        scope.account, kind, where or {}, bounds, extra, ascending=ascending, limit=limit + 1
    )
    page = found[:limit]
    if ascending:
        page.reverse()
    return {
        "object": "list",
        "data": [public(obj) for obj in page],
        "has_more": len(found) > limit,
        "url": url,
    }


def _sequence(scope: Scope, kind: str, cursor: str, param: str) -> int:
    scope.get(kind, cursor, param)
    return scope.store.sequence(scope.account, cursor) or 0


def _created_bounds(params: Params) -> list[tuple[str, int]]:
    created = params.values.get("created")
    if created is None:
        return []
    if not isinstance(created, dict):
        return [("created =", params.integer("created") or 0)]
    bounds = []
    for name in created:
        if name not in BOUNDS:
            raise malformed(f"Received unknown parameter: created[{name}]", param=f"created[{name}]")
        bounds.append((f"created {BOUNDS[name]}", Params(created, BOUNDS).integer(name) or 0))
    return bounds


def search(scope: Scope, kind: str, params: Params, url: str) -> dict[str, Any]:
    """Stripe's search: clauses joined by AND or by OR, never mixed.

    Unlike Stripe's, which lags by up to a minute, this index is never behind.
    """
    params.require("query")
    query = params.text("query") or ""
    clauses, joiner, exact = _parse(kind, query)
    limit = params.integer("limit", 10) or 10
    offset = int(params.text("page") or 0)
    matched = [
        obj
        for obj in _candidates(scope, kind, exact if joiner == "and" or len(clauses) == 1 else None)
        if (all if joiner == "and" else any)(clause(obj) for clause in clauses)
    ]
    page = matched[offset : offset + limit]
    has_more = len(matched) > offset + limit
    return {
        "object": "search_result",
        "data": [public(obj) for obj in page],
        "has_more": has_more,
        "next_page": str(offset + limit) if has_more else None,
        "url": url,
    }


def _candidates(scope: Scope, kind: str, exact: tuple[str, str] | None) -> list[dict[str, Any]]:
    if exact is None:
        return scope.store.select(scope.account, kind, {}, [], ascending=False, limit=SCAN_LIMIT)
    ids = scope.store.find_by_metadata(scope.account, kind, *exact)
    found = [obj for obj in (scope.find(kind, object_id) for object_id in ids) if obj is not None]
    return sorted(found, key=lambda obj: scope.store.sequence(scope.account, obj["id"]) or 0, reverse=True)


def _parse(kind: str, query: str) -> tuple[list[Clause], str, tuple[str, str] | None]:
    clauses: list[Clause] = []
    joiners: set[str] = set()
    exact: tuple[str, str] | None = None
    position = 0
    while position < len(query):
        match = CLAUSE.match(query, position)
        if match is None:
            raise refused(f"Invalid search query: '{query[position:]}'.", param="query")
        field, key, negated = match["field"], match["key"], bool(match["not"])
        value = _literal(match["value"])
        if not (field == "metadata" and key is not None) and field not in SEARCHABLE[kind]:
            raise refused(f"Field `{field}` is an unsupported search field for resource.", param="query")
        clauses.append(_clause(field, key, match["op"], value, negated))
        if key is not None and match["op"] == ":" and isinstance(value, str) and not negated:
            exact = (key, value)
        position = match.end()
        joined = re.compile(r"(AND|OR)\s+", re.I).match(query, position)
        if joined:
            joiners.add(joined[1].lower())
            position = joined.end()
        elif position < len(query):
            joiners.add("and")
    if not clauses or len(joiners) > 1:
        raise refused("A search query joins its clauses by AND or by OR, not by both.", param="query")
    return clauses, joiners.pop() if joiners else "and", exact


def _literal(text: str) -> str | int | None:
    if text == "null":
        return None
    if text[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return int(text)


def _clause(field: str, key: str | None, operator: str, wanted: str | int | None, negated: bool) -> Clause:
    def test(obj: dict[str, Any]) -> bool:
        actual = obj["metadata"].get(key) if key is not None else obj.get(field)
        return _compare(actual, operator, wanted) != negated

    return test


def _compare(actual: Any, operator: str, wanted: str | int | None) -> bool:
    if operator == ":":
        # Stripe reads metadata['key']:null as "has a value for the key".
        return actual is not None if wanted is None else str(actual).lower() == str(wanted).lower()
    if actual is None or wanted is None:
        return False
    if operator == "~":
        return str(wanted).lower() in str(actual).lower()
    left, right = int(actual), int(wanted)
    return {">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right}[operator]
