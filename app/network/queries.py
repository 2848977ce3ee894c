"""Reads of the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.network.rules import code_error
from app.searching import escaped
from app.shapes import money
from infra.errors import not_found
from tenants.scope import Scope


def node_document(row: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """The contract's node. Handling is minor units of the tenant's currency."""
    kept = (
        "name",
        "kind",
        "address",
        "latitude",
        "longitude",
        "timezone",
        "capacity_per_day",
        "capacity_per_hour",
        "handling_minutes",
    )
    return {
        "node": row["code"],
        "code": row["code"],
        **{name: row[name] for name in kept},
        "handling_per_package": money(row["handling_per_package"], currency),
        "handling_per_unit": money(row["handling_per_unit"], currency),
        "priority": row["priority"],
        **{
            name: row[name]
            for name in ("cutoff", "cutoffs", "calendar", "capabilities", "zones", "rate_card", "open")
        },
    }


def node(scope: Scope, code: str) -> dict[str, Any]:
    """One node. Raises Problem 404."""
    if code_error(code):
        raise not_found("node")
    row = scope.row("SELECT * FROM nodes WHERE tenant_id = :tenant AND code = :code", code=code)
    if row is None:
        raise not_found("node")
    return node_document(row._mapping, scope.tenant.currency)


def nodes(
    scope: Scope,
    *,
    limit: int,
    after: str | None = None,
    q: str | None = None,
    kind: str | None = None,
    open: bool | None = None,
) -> dict[str, Any]:
    """A page of nodes in the order of their codes; `after` is the code that the page before ended with."""
    where: list[str] = ["tenant_id = :tenant"]
    values: dict[str, Any] = {"limit": limit + 1}
    pattern = q and f"%{escaped(q)}%"
    for clause, name, value in (
        ("code > :after", "after", after or None),
        ("kind = :kind", "kind", kind),
        ("open = :open", "open", open),
        ("(code ILIKE :q OR name ILIKE :q)", "q", pattern or None),
    ):
        if value is not None:
            where.append(clause)
            values[name] = value
    rows = scope.rows(f"SELECT * FROM nodes WHERE {' AND '.join(where)} ORDER BY code LIMIT :limit", **values)
    shown = [node_document(row._mapping, scope.tenant.currency) for row in rows[:limit]]
    return {"data": shown, "next": shown[-1]["node"] if len(rows) > limit else None}


def by_code(scope: Scope, codes: Iterable[str]) -> dict[str, Any]:
    """The rows (id, code, kind) of nodes by code; those not there are left out."""
    wanted = sorted(set(codes))
    if not wanted:
        return {}
    rows = scope.rows(
        "SELECT id, code, kind FROM nodes WHERE tenant_id = :tenant AND code = ANY(:codes)", codes=wanted
    )
    return {row.code: row for row in rows}


def rate_card_codes(scope: Scope, codes: Iterable[str]) -> set[str]:
    """Those of these codes that are rate cards."""
    wanted = sorted(codes)
    if not wanted:
        return set()
    rows = scope.rows(
        "SELECT code FROM rate_cards WHERE tenant_id = :tenant AND code = ANY(:codes)", codes=wanted
    )
    return {row.code for row in rows}


CARDS = """
SELECT c.*, (SELECT count(*) FROM rate_card_zones z WHERE z.tenant_id = :tenant AND z.rate_card_id = c.id) AS origins,
    (SELECT count(*) FROM nodes n WHERE n.tenant_id = :tenant AND n.rate_card = c.code) AS nodes
FROM rate_cards c WHERE c.tenant_id = :tenant
"""


def rate_card_document(row: Any) -> dict[str, Any]:
    """The contract's rate card."""
    kept = (
        "name",
        "carrier",
        "service",
        "currency",
        "zone_by",
        "zone_miles",
        "dim_divisor",
        "dim_unit",
        "dim_over",
    )
    return {
        "rate_card": row.code,
        **{name: row._mapping[name] for name in kept},
        "surcharges": row.surcharges,
        "fuel_percent": row.fuel_basis_points / 100,
        "transit_days": row.transit_days,
        "zones": len(row.prices[0][1]) if row.prices else 0,
        "steps": len(row.prices),
        "zone_origins": row.origins,
        "nodes": row.nodes,
    }


def rate_card_row(scope: Scope, code: str) -> Any:
    """One card's row with its counts. Raises Problem 404."""
    row = None if code_error(code) else scope.row(f"{CARDS} AND c.code = :code", code=code)
    if row is None:
        raise not_found("rate card")
    return row


def rate_card(scope: Scope, code: str) -> dict[str, Any]:
    """One rate card with its prices. Raises Problem 404."""
    row = rate_card_row(scope, code)
    prices = [{"weight_g": grams, "amounts": amounts} for grams, amounts in row.prices]
    return {**rate_card_document(row), "prices": prices}


def rate_cards(scope: Scope, *, limit: int, after: str | None = None) -> dict[str, Any]:
    """A page of rate cards in the order of their codes, without their prices."""
    rows = scope.rows(
        f"{CARDS} AND (CAST(:after AS text) IS NULL OR c.code > :after) ORDER BY c.code LIMIT :limit",
        after=after or None,
        limit=limit + 1,
    )
    shown = [rate_card_document(row) for row in rows[:limit]]
    return {"data": shown, "next": shown[-1]["rate_card"] if len(rows) > limit else None}


def cards_in_use(scope: Scope) -> list[tuple[Any, dict[int, bytes]]]:
    """The rate cards that nodes ship by and that have prices, by code, each with its zones by origin area."""
    cards = scope.rows(
        "SELECT c.* FROM rate_cards c WHERE c.tenant_id = :tenant AND c.prices <> '[]' AND c.code IN"
        " (SELECT n.rate_card FROM nodes n WHERE n.tenant_id = :tenant) ORDER BY c.code"
    )
    pairs: dict[Any, dict[int, bytes]] = {card.id: {} for card in cards}
    by_zip3 = [card.id for card in cards if card.zone_by == "zip3"]
    if by_zip3:
        for row in scope.rows(
            "SELECT rate_card_id, origin, zones FROM rate_card_zones"
            " WHERE tenant_id = :tenant AND rate_card_id = ANY(:cards)",
            cards=by_zip3,
        ):
            pairs[row.rate_card_id][row.origin] = bytes(row.zones)
    return [(card._mapping, pairs[card.id]) for card in cards]
