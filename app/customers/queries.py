"""Reads of customers: who is calling, and where they had things sent before."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.searching import escaped
from tenants.scope import Scope

HISTORY = """
    SELECT c.id, c.email, c.name, c.phone, h.orders, h.since, h.value, h.currency, h.ship_to
    FROM ({found}) c LEFT JOIN LATERAL (
        SELECT count(*) AS orders, min(o.placed_at) AS since,
            (sum(o.total) FILTER (WHERE o.status <> 'cancelled'))::bigint AS value, min(o.currency) AS currency,
            (array_agg(o.ship_to ORDER BY o.placed_at DESC))[1] AS ship_to
        FROM orders o WHERE o.tenant_id = :tenant AND o.customer_id = c.id) h ON true
    ORDER BY c.rank, h.orders DESC, c.name
"""
FIND = """
    SELECT u.*, CASE WHEN lower(u.email) = lower(:q) THEN 0 WHEN u.name ILIKE :start THEN 1 ELSE 2 END AS rank
    FROM customers u WHERE u.tenant_id = :tenant AND (u.email ILIKE :like OR u.name ILIKE :like
        OR (:digits <> '' AND regexp_replace(u.phone, '[^0-9]', '', 'g') LIKE :phone))
    ORDER BY rank, u.name LIMIT :most
"""
LEAST_DIGITS = 4
"""Fewer digits of a telephone number say nothing."""


def find(scope: Scope, text: str, most: int = 5) -> list[Any]:
    """Customers by part of their email, name or telephone number, the best match first, with their history."""
    digits = "".join(char for char in text if char.isdigit())
    digits = digits if len(digits) >= LEAST_DIGITS else ""
    return scope.rows(
        HISTORY.format(found=FIND),
        q=text,
        like=f"%{escaped(text)}%",
        start=f"{escaped(text)}%",
        digits=digits,
        phone=f"%{digits}%",
        most=most,
    )


def one(scope: Scope, customer_id: UUID) -> Any | None:
    """A customer with their history and the address of their last order; None when not there."""
    own = "SELECT u.*, 0 AS rank FROM customers u WHERE u.tenant_id = :tenant AND u.id = :id"
    return scope.row(HISTORY.format(found=own), id=customer_id)
