"""A scenario of the delay rule, told in a few lines: the clock moves, and everything that falls due on the way
happens. New York is the buyer's and the seller's."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app import integrity, links
from app.promises import watch
from infra.clock import real_now
from tenants.scope import inside, operator
from tests.factories import Merchant
from tests.outside import Inbox

NEW_YORK = ZoneInfo("America/New_York")
HOME = {
    "name": "Nora Lind",
    "line1": "20 W 34th St",
    "city": "New York",
    "region": "NY",
    "postal_code": "10001",
    "country": "US",
}
EXTERNAL = [{"kind": "external", "reference": "PP-1"}]


def moment(words: str) -> datetime:
    """`2026-01-31` (noon) or `2026-01-31 23:10`, in New York."""
    day, _, time = words.partition(" ")
    return datetime.fromisoformat(f"{day}T{time or '12:00'}").replace(tzinfo=NEW_YORK).astimezone(UTC)


class Story:
    """One merchant, one order, from a day on."""

    def __init__(self, merchant: Merchant, inbox: Inbox, start: str, stock: int = 10) -> None:
        self.merchant, self.tenant_id, self.inbox = merchant, merchant.tenant_id, inbox
        merchant.drain()
        with inside(self.tenant_id) as scope:
            scope.execute(
                "UPDATE tenants SET timezone = 'America/New_York', clock_offset = :offset, stripe_account = NULL,"
                """ settings = '{"notices": {"delay": "approve"}}' WHERE tenant_id = :tenant""",
                offset=round((moment(start) - real_now()).total_seconds()),
            )
        with inside(self.tenant_id) as scope:
            watch.arm_scan(scope, self.tenant_id)
        merchant.node("RENO")
        merchant.sku("MUG", price={"amount": 8000, "currency": "USD"}, tax_code="exempt")
        merchant.sku("PEN", price={"amount": 500, "currency": "USD"}, tax_code="exempt")
        if stock:
            merchant.stock("RENO", "MUG", stock)
            merchant.stock("RENO", "PEN", stock)
        self.order: dict[str, Any] = {}

    # ---- what happens

    def ordered(self, *lines: tuple[str, int], **fields: Any) -> Story:
        """The order is placed now: one mug, unless said otherwise."""
        body = {"ship_to": HOME, "tenders": EXTERNAL} | fields
        self.order = self.merchant.order(*(lines or (("MUG", 1),)), **body)
        self.merchant.drain()
        return self

    def unreachable(self) -> Story:
        """From here on no message reaches the buyer: what is sent counts as never sent."""
        self.inbox.refuse(self.order["customer"]["email"], 550)
        return self

    def on(self, when: str) -> Story:
        """Time passes until then."""
        self.merchant.ok("POST", "/sandbox/clock", {"to": moment(when).isoformat()})
        return self

    def notice(self, ship_by: str | None, at: int = 0, **fields: Any) -> Any:
        """A delay notice about a line."""
        body = {"ship_by": ship_by, "reason": "The kiln broke.", "lines": [self.line(at)["id"]]} | fields
        answer = self.merchant.post(f"/orders/{self.order['id']}/delay-notices", body)
        self.merchant.drain()
        return answer

    def told(self, ship_by: str | None, kind: str, at: int = 0, **fields: Any) -> Story:
        """A delay notice that is of that kind."""
        answer = self.notice(ship_by, at, **fields)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        assert [one["kind"] for one in answer.get_json()["data"]] == [kind]
        return self

    def answer(self, answer: str, expect: int = 303) -> Story:
        """The buyer answers on the page."""
        page = f"/o/{links.token(self.tenant_id, UUID(self.order['id']))}"
        sent = self.merchant.client.post(
            f"{page}/delay-answer", data={"answer": answer, "notice": self.notice_id()}
        )
        assert sent.status_code == expect, sent.get_data(as_text=True)
        self.merchant.drain()
        return self

    def notice_id(self) -> str:
        """The newest delay notice."""
        with inside(self.tenant_id) as scope:
            rows = scope.rows(
                "SELECT id FROM notices WHERE tenant_id = :tenant AND order_id = :order AND kind = 'delay'"
                " ORDER BY created_at DESC, id DESC LIMIT 1",
                order=self.order["id"],
            )
        return str(rows[0].id) if rows else ""

    def accepted(self) -> str:
        """The provider takes the order's work on; its path."""
        for work in self.shown()["fulfillment_orders"]:
            path = f"/fulfillment-orders/{work['id']}"
            if work["request_status"] == "submitted":
                self.merchant.provider.ok("POST", f"{path}/acceptance")
        return path

    def ship(self, scanned: str | None = None, sku: str = "MUG", units: int = 1, expect: int = 201) -> Story:
        """The carrier has the goods: `scanned` then, reported now."""
        path = self.accepted()
        report = {
            "lines": [{"sku": sku, "quantity": units}],
            "carrier": "UPS",
            "tracking_number": f"1Z{sku}{scanned}",
        }
        if scanned:
            report["shipped_at"] = moment(scanned).isoformat()
        sent = self.merchant.provider.post(f"{path}/shipments", report)
        assert sent.status_code == expect, sent.get_data(as_text=True)
        self.merchant.drain()
        return self

    # ---- what is so

    def shown(self) -> dict[str, Any]:
        """The order as the API shows it."""
        return self.merchant.ok("GET", f"/orders/{self.order['id']}")

    def line(self, at: int = 0) -> dict[str, Any]:
        """A line as it is now."""
        line: dict[str, Any] = self.shown()["lines"][at]
        return line

    def promise(self, at: int = 0) -> Any:
        """The promise of a line."""
        with inside(self.tenant_id) as scope:
            return scope.row(
                "SELECT * FROM promises WHERE tenant_id = :tenant AND order_line_id = :line",
                line=self.order["lines"][at]["id"],
            )

    def state(self, at: int = 0) -> str:
        """Its state."""
        return str(self.promise(at).state)

    def must_ship_by(self, day: str, at: int = 0) -> Story:
        """T is that day."""
        assert self.promise(at).original_date == date.fromisoformat(day)
        return self

    def is_state(self, state: str, at: int = 0) -> Story:
        """The line stands so."""
        assert self.state(at) == state
        return self

    def ended(self, at: int = 0) -> list[tuple[str, str]]:
        """How the line was canceled by law: (case, day of vesting)."""
        with inside(self.tenant_id) as scope:
            rows = scope.rows(
                "SELECT data->>'case' AS case, data->>'vests_on' AS day FROM promise_events WHERE tenant_id = :tenant"
                " AND order_line_id = :line AND kind = 'ended' ORDER BY id",
                line=self.order["lines"][at]["id"],
            )
        return [(row.case, row.day) for row in rows]

    def cancelled(self, case: str, vests_on: str, owed: int = 8000, at: int = 0, units: int = 1) -> Story:
        """The line is canceled under that paragraph, counted from that day, and its money is owed back."""
        assert self.ended(at)[-1:] == [(case, vests_on)], (self.ended(at), self.state(at))
        assert self.line(at)["cancelled"] == units
        assert sum(amount for amount, _ in self.refunds()) == owed
        return self

    def refunds(self) -> list[tuple[int, date]]:
        """What is owed back: (minor units, last lawful day in New York by the strict calendar)."""
        with inside(self.tenant_id) as scope:
            rows = scope.rows(
                "SELECT amount, due_at - interval '1 second' AS due FROM refunds_due WHERE tenant_id = :tenant"
                " AND order_id = :order ORDER BY id",
                order=self.order["id"],
            )
        return [(row.amount, row.due.astimezone(NEW_YORK).date()) for row in rows]

    def latest(self, day: str) -> Story:
        """The refund's last day."""
        assert [due for _, due in self.refunds()] == [date.fromisoformat(day)]
        return self

    def timeline(self) -> list[str]:
        """Names of what happened."""
        return [
            one["name"] for one in self.merchant.ok("GET", f"/orders/{self.order['id']}/timeline")["data"]
        ]

    def books(self) -> None:
        """The books are sound."""
        with operator() as session:
            faults = [one for one in integrity.check(session, self.tenant_id) if one.faults]
        assert not faults, [(one.book.name, one.examples) for one in faults]
