"""A shop whose mugs cost twenty dollars, without tax."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import integrity
from tenants.scope import inside, operator
from tests.factories import Merchant
from tests.outside import Processor, account_of


class Shop:
    """A merchant with a hundred mugs in one warehouse, and its account at the processor."""

    def __init__(self, merchant: Merchant, processor: Processor) -> None:
        self.merchant, self.processor = merchant, processor
        self.tenant_id = merchant.tenant_id
        merchant.drain()
        self.account = account_of(merchant.tenant_id)
        merchant.node("RENO")
        merchant.sku("MUG", price={"amount": 2000, "currency": "USD"}, tax_code="exempt")
        merchant.stock("RENO", "MUG", 100)

    def order(self, units: int = 2, *, card: str = "pm_card_visa", **fields: Any) -> dict[str, Any]:
        """An order of mugs, with everything that follows from placing it done."""
        if card:
            fields.setdefault("tenders", [{"kind": "card", "payment_method": card}])
        order = self.merchant.order(("MUG", units), **fields)
        self.merchant.drain()
        return order

    def ship(self, order: dict[str, Any], units: int, *, drain: bool = True) -> dict[str, Any]:
        """Accept the order's work if need be, and ship units of it."""
        work = self.shown(order)["fulfillment_orders"][0]
        if work["request_status"] == "submitted":
            self.merchant.provider.ok("POST", f"/fulfillment-orders/{work['id']}/acceptance", {})
        report = {
            "lines": [{"sku": "MUG", "quantity": units}],
            "carrier": "UPS",
            "service": "ground",
            "tracking_number": f"1Z{datetime.now(UTC).timestamp()}",
            "shipped_at": datetime.now(UTC).isoformat(),
        }
        shipped = self.merchant.provider.ok("POST", f"/fulfillment-orders/{work['id']}/shipments", report)
        if drain:
            self.merchant.drain()
        return shipped

    def cancel(self, order: dict[str, Any], units: int | None = None) -> None:
        """Cancel the order, or units of its first line."""
        lines = {} if units is None else {"lines": [{"id": order["lines"][0]["id"], "quantity": units}]}
        self.merchant.ok("POST", f"/orders/{order['id']}/cancellation", {"reason": "changed my mind"} | lines)
        self.merchant.drain()

    def shown(self, order: dict[str, Any]) -> dict[str, Any]:
        """The order as it is now."""
        return self.merchant.ok("GET", f"/orders/{order['id']}")

    def effects(self) -> list[tuple[str, int]]:
        """What happened to cards at the processor, in order."""
        return self.processor.effects(self.account)

    def entries(self, order: dict[str, Any]) -> list[tuple[str, int, str]]:
        """The order's ledger: (kind, amount, outcome), oldest first."""
        with inside(self.tenant_id) as scope:
            rows = scope.rows(
                "SELECT kind, amount, outcome FROM ledger_entries WHERE tenant_id = :tenant"
                " AND order_id = :order ORDER BY at, id",
                order=order["id"],
            )
        return [(row.kind, row.amount, row.outcome) for row in rows]

    def timeline(self, order: dict[str, Any]) -> list[str]:
        """Names of what happened to the order."""
        with inside(self.tenant_id) as scope:
            rows = scope.rows(
                "SELECT name FROM timeline WHERE tenant_id = :tenant AND order_id = :order ORDER BY at, id",
                order=order["id"],
            )
        return [row.name for row in rows]

    def hurry(self) -> None:
        """Let what waits for its next try be tried now."""
        with inside(self.tenant_id) as scope:
            scope.execute(
                "UPDATE outbox SET available_at = :now WHERE tenant_id = :tenant AND state = 'waiting'",
                now=datetime.now(UTC),
            )
        self.merchant.drain()

    def later(self, **time: float) -> None:
        """Move the business clock, doing what falls due on the way."""
        from workers import clockwork

        with inside(self.tenant_id) as scope:
            to = scope.now() + timedelta(**time)
        clockwork.advance(self.tenant_id, to)

    def oversleep(self, **time: float) -> None:
        """Move both clocks with nobody at work: what falls due on the way is late."""
        seconds = round(timedelta(**time).total_seconds())
        with inside(self.tenant_id) as scope:
            scope.execute(
                "UPDATE tenants SET clock_offset = clock_offset + :seconds WHERE tenant_id = :tenant",
                seconds=seconds,
            )
        self.processor.advance(self.account, seconds)

    def settings(self, document: str) -> None:
        """Set the tenant's settings (JSON)."""
        with inside(self.tenant_id) as scope:
            scope.execute(
                "UPDATE tenants SET settings = CAST(:document AS jsonb) WHERE tenant_id = :tenant",
                document=document,
            )


@pytest.fixture
def shop(merchant: Merchant, processor: Processor) -> Iterator[Shop]:
    """A shop of this test's own; its books are checked when the test is over."""
    opened = Shop(merchant, processor)
    yield opened
    with operator() as session:
        faults = [finding for finding in integrity.check(session, opened.tenant_id) if finding.faults]
    assert not faults, [(finding.book.name, finding.examples) for finding in faults]


@pytest.fixture
def act(shop: Shop) -> Callable[..., Any]:
    """Run a verb in a transaction of the shop's, then all later work."""

    def run(verb: Callable[..., Any], *values: Any, **named: Any) -> Any:
        with inside(shop.tenant_id) as scope:
            result = verb(scope, *values, **named)
        shop.merchant.drain()
        return result

    return run
