"""Reads of the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import orjson

from app.network.rules import code_error
from app.searching import escaped
from app.shapes import money
from infra.errors import not_found
from tenants.scope import Scope


def sku_document(row: Mapping[str, Any]) -> dict[str, Any]:
    """The contract's SKU."""
    return {
        "sku": row["code"],
        "title": row["title"],
        "kind": row["kind"],
        "price": money(row["price"], row["currency"]),
        "weight_g": row["weight_g"],
        "tax_code": row["tax_code"],
        "release_date": row["release_date"],
        "lead_time_days": row["lead_time_days"],
        "components": row["components"],
        "attributes": row["attributes"],
        "exempt_from_delay_rule": row["exempt_from_delay_rule"],
    }


def sku(scope: Scope, code: str) -> dict[str, Any]:
    """One SKU. Raises Problem 404."""
    if code_error(code):
        raise not_found("SKU")
    row = scope.row("SELECT * FROM skus WHERE tenant_id = :tenant AND code = :code", code=code)
    if row is None:
        raise not_found("SKU")
    return sku_document(row._mapping)


def skus(
    scope: Scope, *, limit: int, after: str | None = None, q: str | None = None, kind: str | None = None
) -> dict[str, Any]:
    """A page of SKUs in the order of their codes; `after` is the code that the page before ended with."""
    where: list[str] = ["tenant_id = :tenant"]
    values: dict[str, Any] = {"limit": limit + 1}
    for clause, name, value in (
        ("code > :after", "after", after),
        ("kind = :kind", "kind", kind),
        ("(code ILIKE :q OR title ILIKE :q)", "q", f"%{escaped(q)}%" if q else None),
    ):
        if value:
            where.append(clause)
            values[name] = value
    rows = scope.rows(f"SELECT * FROM skus WHERE {' AND '.join(where)} ORDER BY code LIMIT :limit", **values)
    shown = [sku_document(row._mapping) for row in rows[:limit]]
    return {"data": shown, "next": shown[-1]["sku"] if len(rows) > limit else None}


def by_code(scope: Scope, codes: Iterable[str]) -> dict[str, Any]:
    """The rows (id, code, kind) of SKUs by code; those not there are left out."""
    wanted = sorted(set(codes))
    if not wanted:
        return {}
    rows = scope.rows(
        "SELECT id, code, kind FROM skus WHERE tenant_id = :tenant AND code = ANY(:codes)", codes=wanted
    )
    return {row.code: row for row in rows}


def ties(scope: Scope, sku_id: UUID, code: str) -> Any:
    """What ties a SKU to its kind: units on open orders, stock, kits that contain it."""
    return scope.row(
        """
        SELECT
            EXISTS (SELECT 1 FROM order_lines l WHERE l.tenant_id = :tenant AND l.sku_id = :sku
                AND l.backordered > 0)
            OR EXISTS (SELECT 1 FROM fulfillment_orders f JOIN fulfillment_order_lines fl
                ON fl.tenant_id = f.tenant_id AND fl.fulfillment_order_id = f.id
                WHERE f.tenant_id = :tenant AND fl.tenant_id = :tenant
                AND f.work_status IN ('open', 'picking', 'packed')
                AND fl.sku_id = :sku AND fl.quantity > fl.shipped + fl.released) AS open_units,
            EXISTS (SELECT 1 FROM stock_positions p WHERE p.tenant_id = :tenant AND p.sku_id = :sku
                AND p.on_hand > 0) AS stock,
            EXISTS (SELECT 1 FROM skus k WHERE k.tenant_id = :tenant AND k.kind = 'kit'
                AND k.components @> CAST(:part AS jsonb)) AS component
        """,
        sku=sku_id,
        part=orjson.dumps([{"sku": code}]).decode(),
    )
