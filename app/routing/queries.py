"""Reads of routing: rule versions, what they name, and where the newest orders went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.routing import documents, phrases, wording
from app.routing.clauses import listed
from app.routing.policy import DEFAULT_SCOPE
from infra.errors import invalid, not_found
from tenants.scope import Scope

MOST_VERSION = 2**31 - 1
NEWEST = 1000
"""Orders that the Routing page looks back on."""


def version_document(scope: Scope, row: Mapping[str, Any]) -> dict[str, Any]:
    """A rule version as the API shows it."""
    kept = (
        "version",
        "scope",
        "state",
        "note",
        "document",
        "created_by",
        "created_at",
        "activated_at",
        "retired_at",
    )
    return {**{name: row[name] for name in kept}, "sentences": said(scope, row["document"])}


def versions(scope: Scope, *, limit: int, after: str | None = None) -> dict[str, Any]:
    """A page of versions, newest first; `after` is the version that the page before ended with."""
    rows = scope.rows(
        "SELECT * FROM rule_versions WHERE tenant_id = :tenant AND version < :before"
        " ORDER BY version DESC LIMIT :limit",
        before=_before(after),
        limit=limit + 1,
    )
    shown = [version_document(scope, row._mapping) for row in rows[:limit]]
    return {"data": shown, "next": str(shown[-1]["version"]) if len(rows) > limit else None}


def _before(after: str | None) -> int:
    if not after:
        return MOST_VERSION
    if not (after.isascii() and after.isdigit() and len(after) <= 9):
        raise invalid("/after", "Send the `next` of an earlier page, unchanged.")
    return int(after)


def version(scope: Scope, number: int) -> dict[str, Any]:
    """One version's row. Raises Problem 404."""
    row = scope.row(
        "SELECT * FROM rule_versions WHERE tenant_id = :tenant AND version = :version",
        version=min(number, MOST_VERSION),
    )
    if row is None:
        raise not_found("rule version")
    return dict(row._mapping)


def active(scope: Scope, of: str = DEFAULT_SCOPE) -> dict[str, Any] | None:
    """The version in force for a scope of orders, or None while there is none."""
    row = scope.row(
        "SELECT * FROM rule_versions WHERE tenant_id = :tenant AND scope = :of AND state = 'active'", of=of
    )
    return dict(row._mapping) if row is not None else None


def in_force(scope: Scope) -> dict[str, tuple[int, dict[str, Any]]]:
    """Every scope of orders that has rules in force: its version and document."""
    rows = scope.rows(
        "SELECT scope, version, document FROM rule_versions WHERE tenant_id = :tenant AND state = 'active'"
        " ORDER BY scope"
    )
    return {row.scope: (row.version, row.document) for row in rows}


def newest_draft(scope: Scope, above: int, of: str = DEFAULT_SCOPE) -> int | None:
    """The newest draft of a scope written after a version."""
    row = scope.row(
        "SELECT max(version) AS version FROM rule_versions WHERE tenant_id = :tenant AND version > :above"
        " AND scope = :of AND state IN ('draft', 'simulated')",
        above=above,
        of=of,
    )
    return row.version if row is not None else None


def comparison(scope: Scope, number: int, other: int | None = None) -> dict[str, Any]:
    """What a version says otherwise than another, by default the one in force in its place, as sentences.

    Raises Problem 404.
    """
    one = version(scope, number)
    two = version(scope, other) if other else active(scope, one["scope"]) or active(scope)
    if two is None:
        raise not_found("rule version")
    found = wording.difference(one["document"], two["document"], scope.tenant.currency)
    return {"version": one["version"], "with": two["version"], **found}


def said(scope: Scope, document: Mapping[str, Any]) -> list[str]:
    """A document's sentences; none when an older document no longer fits the language."""
    try:
        return documents.sentences(document, scope.tenant.currency)
    except ValueError:
        return []


def given_up(scope: Scope, decision: Mapping[str, Any]) -> str:
    """What a decision's fallback gave up, as its rules name it; ids where an older document no longer fits the
    language."""
    names = decision["explanation"].get("relaxed", [])
    if not names:
        return ""
    try:
        rule = documents.parse(version(scope, decision["rule_version"])["document"])
    except ValueError:
        return listed(names, "and")
    strategy = next(one for one in rule.strategies if one.id == decision["explanation"]["strategy"])
    return phrases.all_given_up(names, strategy)


def strangers(scope: Scope, document: Mapping[str, Any]) -> list[dict[str, str]]:
    """Codes in a valid document that name no node or channel here: `[{pointer, message}]`."""
    named = list(_named(document))
    if not named:
        return []
    rows = scope.rows(
        "SELECT 'node' AS what, code FROM nodes WHERE tenant_id = :tenant AND code = ANY(:nodes)"
        " UNION ALL SELECT 'channel', code FROM channels WHERE tenant_id = :tenant AND code = ANY(:channels)",
        nodes=[code for what, _, code in named if what == "node"],
        channels=[code for what, _, code in named if what == "channel"],
    )
    known = {(row.what, row.code) for row in rows}
    return [
        {"pointer": pointer, "message": f"There is no {what} {code} here, so this never matches."}
        for what, pointer, code in named
        if (what, code) not in known
    ]


def _named(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(node or channel, pointer, code) of every code that a valid document names."""
    if documents.scope_of(document) != DEFAULT_SCOPE:
        yield "channel", "/scope", documents.scope_of(document)
    for at, one in enumerate(document.get("allotments", ())):
        yield "channel", f"/allotments/{at}/channel", one["channel"]
    for section in ("line_routes", "strategies"):
        for at, one in enumerate(document.get(section, ())):
            base = f"/{section}/{at}"
            yield from _values("node", f"{base}/nodes", one.get("nodes", []))
            for place, each in enumerate(one.get("filters", ())):
                yield from _compared(f"{base}/filters/{place}", each)
            if one.get("when") is not None:
                yield from _compared(f"{base}/when", one["when"])


def _compared(base: str, predicate: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The codes that a predicate and its parts compare with."""
    what = {"node.code": "node", "order.channel": "channel"}.get(predicate.get("field", ""))
    if "channel" in predicate:
        yield from _values("channel", f"{base}/channel", predicate["channel"])
    elif what and "value" in predicate and predicate["op"] != "exists":
        yield from _values(what, f"{base}/value", predicate["value"])
    elif "not" in predicate:
        yield from _compared(f"{base}/not", predicate["not"])
    for group in ("all", "any"):
        for at, part in enumerate(predicate.get(group, ())):
            yield from _compared(f"{base}/{group}/{at}", part)


def _values(what: str, pointer: str, value: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, list):
        for at, each in enumerate(value):
            yield what, f"{pointer}/{at}", each
    else:
        yield what, pointer, value


def shares(scope: Scope, version: int) -> tuple[dict[str, int], int]:
    """How many of the newest orders each strategy of a version decided, and how many it decided in all."""
    rows = scope.rows(
        """
        SELECT d.explanation->>'strategy' AS strategy, count(*) AS orders
        FROM (SELECT id FROM orders WHERE tenant_id = :tenant ORDER BY placed_at DESC, id DESC LIMIT :newest) o
        CROSS JOIN LATERAL (SELECT explanation, rule_version FROM routing_decisions
            WHERE tenant_id = :tenant AND order_id = o.id ORDER BY id LIMIT 1) d
        WHERE d.rule_version = :version GROUP BY 1
        """,
        newest=NEWEST,
        version=version,
    )
    return {row.strategy: row.orders for row in rows}, sum(row.orders for row in rows)


def leaves_from(scope: Scope, most: int = 6) -> list[Any]:
    """Where the packages of the newest orders leave from, the busiest nodes first."""
    return scope.rows(
        """
        SELECT n.code, n.name, n.kind, count(*) AS packages, sum(count(*)) OVER () AS total
        FROM (SELECT id FROM orders WHERE tenant_id = :tenant ORDER BY placed_at DESC, id DESC LIMIT :newest) o
        JOIN fulfillment_orders f ON f.tenant_id = :tenant AND f.order_id = o.id AND f.work_status <> 'cancelled'
        JOIN nodes n ON n.tenant_id = :tenant AND n.id = f.node_id
        GROUP BY n.id, n.code, n.name, n.kind ORDER BY packages DESC, n.code LIMIT :most
        """,
        newest=NEWEST,
        most=most,
    )


def prices(scope: Scope) -> dict[str, Any]:
    """The price table in force; version 0 and nothing in it while there is none."""
    row = scope.row(
        "SELECT version, document, basis, made_at FROM price_tables WHERE tenant_id = :tenant"
        " ORDER BY version DESC LIMIT 1"
    )
    if row is None:
        return {"version": 0, "made_at": None, "basis": {}, "stock": {}, "capacity": {}, "risk": {}}
    return {"version": row.version, "made_at": row.made_at, "basis": row.basis, **row.document}


def where(scope: Scope, codes: Sequence[str]) -> dict[str, tuple[float, float]]:
    """(longitude, latitude) of nodes by code; those without a place are left out."""
    rows = scope.rows(
        "SELECT code, longitude, latitude FROM nodes WHERE tenant_id = :tenant AND code = ANY(:codes)"
        " AND longitude IS NOT NULL",
        codes=list(codes),
    )
    return {row.code: (row.longitude, row.latitude) for row in rows}
