"""What tests of stock share: the books of one tenant, who waits, and statements counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import event

from app.integrity import check
from infra import db, settings
from tenants.scope import inside, operator
from tests.factories import Merchant

CASH = [{"kind": "cash"}]


def assert_books(merchant: Merchant) -> None:
    """No book of this tenant has a fault."""
    with operator() as session:
        faults = [
            f"{finding.book.name}: {finding.examples}"
            for finding in check(session, merchant.tenant_id)
            if finding.faults
        ]
    assert faults == [], faults


def line_of(merchant: Merchant, order_id: str, at: int = 0) -> dict[str, int]:
    """(backordered, allocated, canceled) of a line, from the database."""
    with inside(merchant.tenant_id) as scope:
        row = scope.rows(
            "SELECT backordered, allocated, cancelled, shipped FROM order_lines WHERE tenant_id = :tenant"
            " AND order_id = :id ORDER BY position",
            id=UUID(order_id),
        )[at]
    return dict(row._mapping)


def work_of(merchant: Merchant, order_id: str) -> list[Any]:
    """The fulfillment orders' lines of an order, oldest first."""
    with inside(merchant.tenant_id) as scope:
        return scope.rows(
            "SELECT f.node, f.number, f.work_status, f.request_status, l.id, l.sku, l.quantity, l.released"
            " FROM fulfillment_orders f JOIN fulfillment_order_lines l ON l.tenant_id = :tenant"
            " AND l.fulfillment_order_id = f.id WHERE f.tenant_id = :tenant AND f.order_id = :id ORDER BY l.id",
            id=UUID(order_id),
        )


def stock_of(merchant: Merchant, sku: str, node: str | None = None) -> dict[tuple[str, str], tuple[int, int]]:
    """(node, disposition) -> (on hand, reserved)."""
    path = f"/stock?sku={sku}" + (f"&node={node}" if node else "")
    return {
        (one["node"], one["disposition"]): (one["on_hand"], one["reserved"])
        for one in merchant.ok("GET", path)["data"]
    }


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that SQLAlchemy sends meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    given = settings.current()
    engine = db.engine(given.database_url, given.pool_size)
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
