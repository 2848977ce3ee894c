"""A busy merchant, day by day: suppliers who slip, a warehouse with its bad days, buyers who answer, stay silent or
change their minds, and an office that sends checks. All of them come through the doors; the clock is the sandbox's."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app import links
from app.promises import watch
from infra.clock import real_now
from tenants.scope import inside
from tests.factories import Merchant
from tests.outside import Inbox, Processor, account_of

NEW_YORK = ZoneInfo("America/New_York")
STEADY = {"MUG": 2400, "PEN": 500, "BOWL": 3600}
SUPPLIED = {"LAMP": 8900, "RUG": 14900, "DESK": 45000, "CLOCK": 6100}
PLACES = (
    ("Boise", "ID", "83702"),
    ("New York", "NY", "10001"),
    ("Chicago", "IL", "60601"),
    ("Los Angeles", "CA", "90001"),
    ("Denver", "CO", "80202"),
)
TENDERS: tuple[tuple[float, dict[str, str]], ...] = (
    (0.20, {"kind": "card", "payment_method": "pm_card_visa"}),
    (0.04, {"kind": "card", "payment_method": "pm_card_chargeDeclined"}),
    (0.42, {"kind": "external", "reference": "PP"}),
    (0.20, {"kind": "check", "reference": "1041"}),
    (0.14, {"kind": "terms"}),
)
REASON = "The workshop that makes it is behind."
PAGE = 200


@dataclass
class Year:
    """The merchant, the day it is, and what happened so far."""

    merchant: Merchant
    processor: Processor
    inbox: Inbox
    draw: random.Random
    today: date
    seen: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """New York's clock stands in the morning of the first day; shelves of what is always there are full."""
        self.merchant.drain()
        ahead = round((self.at(time(8)) - real_now()).total_seconds())
        with inside(self.merchant.tenant_id) as scope:
            scope.execute(
                "UPDATE tenants SET timezone = 'America/New_York', clock_offset = :ahead WHERE tenant_id = :tenant",
                ahead=ahead,
            )
        with inside(self.merchant.tenant_id) as scope:
            watch.arm_scan(scope, self.merchant.tenant_id)
        self.processor.advance(account_of(self.merchant.tenant_id), ahead)
        self.merchant.node("RENO")
        self.merchant.node("NEWARK", postal_code="07101", region="NJ")
        for sku, price in {**STEADY, **SUPPLIED}.items():
            self.merchant.sku(sku, price={"amount": price, "currency": "USD"}, tax_code="exempt")
        for sku in STEADY:
            self.merchant.stock("RENO", sku, 20_000)
            self.merchant.stock("NEWARK", sku, 20_000)

    def at(self, moment: time) -> datetime:
        """That time of today in New York, UTC."""
        return datetime.combine(self.today, moment, NEW_YORK).astimezone(UTC)

    def move(self, moment: time) -> None:
        """The clock goes on to that time of today; what falls due on the way is done."""
        answer = self.merchant.ok("POST", "/sandbox/clock", {"to": self.at(moment).isoformat()})
        self.seen["timers"] += answer["timers"]

    def chance(self, share: float) -> bool:
        """True in that share of the cases."""
        return self.draw.random() < share

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Every row of a list of the API, read before anything is done about it."""
        rows, after = [], ""
        while after is not None:
            found = self.merchant.ok("GET", f"{path}&limit={PAGE}" + (f"&after={after}" if after else ""))
            rows += found["data"]
            after = found["next"]
        yield from rows


@dataclass(frozen=True)
class Habit:
    """A supplier's: how often what is due comes, by how many days it slips else, how often no day can be named."""

    comes: float
    slips: tuple[int, ...]
    unknown: float


HABITS = {
    "LAMP": Habit(comes=0.5, slips=(3, 9, 16), unknown=0.1),
    "RUG": Habit(comes=0.4, slips=(9, 25, 40), unknown=0.2),
    "DESK": Habit(comes=0.15, slips=(6, 8), unknown=0.0),
    "CLOCK": Habit(comes=0.1, slips=(12, 30), unknown=1.0),
}


@dataclass
class Suppliers:
    """What is bought in arrives late as often as not: one supplier is always a week behind, another never knows."""

    year: Year
    due: dict[str, date] = field(default_factory=dict)
    wanted: Counter[str] = field(default_factory=Counter)

    def work(self) -> None:
        """Deliver what comes today; of the rest that should have come, tell the buyers or leave it to Kept."""
        year = self.year
        for sku, habit in HABITS.items():
            if self.due.setdefault(sku, year.today + timedelta(days=year.draw.randint(3, 12))) > year.today:
                continue
            if year.chance(habit.comes):
                self.deliver(sku)
                self.due[sku] = year.today + timedelta(days=year.draw.randint(6, 18))
            else:
                self.due[sku] = year.today + timedelta(days=year.draw.choice(habit.slips))
                self._slip(sku, habit)

    def deliver(self, sku: str) -> None:
        """Units arrive at one of the warehouses: some of those that are waited for, or a few more."""
        units = max(1, round(self.wanted[sku] * self.year.draw.uniform(0.4, 1.1)))
        self.wanted[sku] = max(0, self.wanted[sku] - units)
        self.year.merchant.stock(self.year.draw.choice(("RENO", "NEWARK")), sku, units)
        self.year.seen["delivered"] += 1

    def deliver_all(self) -> None:
        """More than anybody waits for, at both warehouses: one that refused an order is not asked for it again."""
        for sku in SUPPLIED:
            for node in ("RENO", "NEWARK"):
                self.year.merchant.stock(node, sku, self.wanted[sku] + 50)

    def _slip(self, sku: str, habit: Habit) -> None:
        year = self.year
        if year.chance(0.2):
            return
        known = None if year.chance(habit.unknown) else (self.due[sku] + timedelta(days=2)).isoformat()
        asked = {"sku": sku, "ship_by": known, "reason": REASON}
        told = year.merchant.ok("POST", "/promises/revisions", {**asked, "preview": True})
        sent = year.merchant.ok("POST", "/promises/revisions", asked)
        assert sent["data"] == told["data"], "what was previewed is what is sent"
        year.seen["revised"] += sent["sent"]
        year.seen["slips"] += 1


@dataclass
class Buyers:
    """Those who order, and those who are asked to wait."""

    year: Year
    suppliers: Suppliers
    placed: int = 0
    asked: set[str] = field(default_factory=set)
    answers: dict[date, list[tuple[str, str, str, str]]] = field(default_factory=dict)
    payers: list[str] = field(default_factory=list)

    def order(self, count: int) -> None:
        """So many orders in one batch."""
        sent = [self._body() for _ in range(count)]
        if not sent:
            return
        for one in self.year.merchant.ok("POST", "/orders/batch", {"orders": sent})["results"]:
            assert one["status"] == 201, one
            order = one["order"]
            if self.year.chance(0.06):
                self.year.inbox.refuse(order["customer"]["email"], 550)
                self.year.seen["unreachable"] += 1
        self.year.merchant.drain()

    def _body(self) -> dict[str, Any]:
        year, draw = self.year, self.year.draw
        self.placed += 1
        city, region, postal_code = draw.choice(PLACES)
        name = f"Buyer {self.placed}"
        lines = []
        for sku in draw.sample([*STEADY, *SUPPLIED], draw.choice((1, 1, 1, 2, 3))):
            units = draw.choice((1, 1, 1, 2, 3))
            lines.append({"sku": sku, "quantity": units, **self._promise(sku)})
            self.suppliers.wanted[sku] += units
        tender = dict(draw.choices([one for _, one in TENDERS], [weight for weight, _ in TENDERS])[0])
        return {
            "channel": "web",
            "external_ref": f"Y-{self.placed}",
            "currency": "USD",
            "customer": {
                "email": f"buyer{self.placed}.{year.merchant.tenant_id.hex[:8]}@example.com",
                "name": name,
            },
            "ship_to": {
                "name": name,
                "line1": "1 Main St",
                "city": city,
                "region": region,
                "postal_code": postal_code,
                "country": "US",
            },
            "lines": lines,
            "tenders": [tender],
        }

    def _promise(self, sku: str) -> dict[str, Any]:
        draw = self.year.draw
        if sku in STEADY:
            return draw.choice(({}, {"promise": {"within": {"value": 5, "unit": "business_days"}}}))
        due = self.suppliers.due.get(sku, self.year.today)
        stated = max(due, self.year.today) + timedelta(days=draw.randint(2, 6))
        return draw.choice(
            (
                {},
                {"promise": {"ship_by": stated.isoformat()}},
                {"promise": {"within": {"value": 8, "unit": "days"}}},
            )
        )

    def work(self) -> None:
        """Read the mail, answer what is to be answered today, mend a payment."""
        for one in self.year.pages("/promises?bucket=waiting"):
            notice = one["notice"]
            if notice is not None and notice["id"] not in self.asked:
                self.asked.add(notice["id"])
                self._decide(one["order_id"], notice["id"])
        for order, notice, answer, way in self.answers.pop(self.year.today, []):
            self._answer(order, notice, answer, way)
        self._pay()

    def _decide(self, order: str, notice: str) -> None:
        draw = self.year.draw
        mind = draw.choices(
            (["consent"], ["cancel"], [], ["consent", "cancel"], ["consent", "consent"]), (28, 16, 44, 8, 4)
        )[0]
        day = self.year.today
        way = "phone" if self.year.chance(0.15) else "page"
        for answer in mind:
            self.answers.setdefault(day, []).append((order, notice, answer, way))
            day += timedelta(days=draw.choice((1, 2, 5, 11)))

    def _answer(self, order: str, notice: str, answer: str, way: str) -> None:
        year = self.year
        if way == "phone":
            said = {
                "notice": notice,
                "answer": answer,
                "channel": "phone",
                "evidence": "As told on the phone.",
            }
            sent = year.merchant.post(f"/orders/{order}/delay-answers", said)
        else:
            sent = self._post(order, "delay-answer", {"answer": answer, "notice": notice})
        assert sent.status_code in (201, 303, 409), sent.get_data(as_text=True)
        year.seen[f"{answer} {'refused' if sent.status_code == 409 else 'taken'}"] += 1

    def _pay(self) -> None:
        """Whose card was declined gives another one, or never comes back."""
        with inside(self.year.merchant.tenant_id) as scope:
            held = scope.rows(
                "SELECT order_id FROM order_holds WHERE tenant_id = :tenant AND kind = 'payment'"
                " AND released_at IS NULL ORDER BY order_id"
            )
        for row in held:
            if str(row.order_id) not in self.payers:
                self.payers.append(str(row.order_id))
                if self.year.chance(0.7):
                    sent = self._post(str(row.order_id), "payment", {"card": "pm_card_visa"})
                    assert sent.status_code == 303, sent.get_data(as_text=True)
                    self.year.seen["paid again"] += 1

    def _post(self, order: str, action: str, form: dict[str, str]) -> Any:
        """On the buyer's own page, from an address of the buyer's own."""
        token = links.token(self.year.merchant.tenant_id, UUID(order))
        home = f"10.{int(order[-6:-4], 16)}.{int(order[-4:-2], 16)}.{int(order[-2:], 16)}"
        return self.year.merchant.client.post(
            f"/o/{token}/{action}", data=form, environ_base={"REMOTE_ADDR": home}
        )


@dataclass
class Warehouse:
    """Takes work on and hands it over, mostly the same day; sometimes it says no, dawdles, or does not answer."""

    year: Year
    not_before: dict[str, date] = field(default_factory=dict)
    dawdles: bool = True

    def work(self) -> None:
        """One round of the provider."""
        for one in self._list("submitted"):
            self._take_on(one)
        for one in self._list("cancel_requested"):
            self._asked_back(one)
        for one in self._list("accepted"):
            if self.not_before.get(one["id"], self.year.today) <= self.year.today:
                self.hand_over(one)

    def catch_up(self) -> None:
        """From now on everything is taken on, and leaves at once."""
        self.dawdles = False
        self.not_before.clear()

    def _list(self, status: str) -> list[dict[str, Any]]:
        return list(Provider(self.year).pages(f"/fulfillment-orders?request_status={status}"))

    def _take_on(self, one: dict[str, Any]) -> None:
        path, year = f"/fulfillment-orders/{one['id']}", self.year
        if self.dawdles and year.chance(0.02):
            year.merchant.provider.ok("POST", f"{path}/rejection", {"reason": "capacity"})
            year.seen["rejected"] += 1
            return
        year.merchant.provider.ok("POST", f"{path}/acceptance", {})
        if self.dawdles and year.chance(0.12):
            wait = year.draw.choice((1, 1, 2, 4, 14, 45))
            self.not_before[one["id"]] = year.today + timedelta(days=wait)

    def _asked_back(self, one: dict[str, Any]) -> None:
        path, year = f"/fulfillment-orders/{one['id']}", self.year
        choice = year.draw.choices(("acceptance", "refusal", "", "left"), (60, 15, 10, 15))[0]
        if choice == "left":
            self.hand_over(one)
        elif choice:
            body = {"reason": "It is packed."} if choice == "refusal" else {}
            sent = year.merchant.provider.post(f"{path}/cancellation-{choice}", body)
            assert sent.status_code in (200, 409), sent.get_data(as_text=True)
            year.seen[f"asked back: {choice} {sent.status_code}"] += 1

    def hand_over(self, one: dict[str, Any]) -> None:
        """The carrier has what is open of it, or a part."""
        year = self.year
        lines = []
        for line in one["lines"]:
            left = line["quantity"] - line["shipped"] - line["released"]
            units = left if year.chance(0.9) else min(left, 1)
            if units:
                lines.append({"sku": line["sku"], "quantity": units})
        report: dict[str, Any] = {
            "lines": lines,
            "carrier": "UPS",
            "tracking_number": f"1Z{one['number']}{year.today}",
        }
        if year.chance(0.3):
            report["shipped_at"] = (year.at(time(12)) - timedelta(hours=2)).isoformat()
        sent = year.merchant.provider.post(f"/fulfillment-orders/{one['id']}/shipments", report)
        if sent.status_code == 409:
            year.seen[sent.get_json()["type"].rsplit("/", 1)[1]] += 1
            return
        assert sent.status_code == 201, sent.get_data(as_text=True)
        year.seen["shipped"] += 1


class Provider(Year):
    """The year as the provider's key sees it."""

    def __init__(self, year: Year) -> None:
        super().__init__(year.merchant.provider, year.processor, year.inbox, year.draw, year.today)  # type: ignore[arg-type]


@dataclass
class Office:
    """Sends the money that Kept cannot send by itself, and the letters that could not be mailed."""

    year: Year

    def give_up(self) -> None:
        """What cannot be had is told to its buyers."""
        orders: dict[str, list[str]] = {}
        for one in self.year.pages("/promises?bucket=live"):
            orders.setdefault(one["order_id"], []).append(one["line"])
        for order, lines in orders.items():
            said = {"lines": lines, "reason": "It is made no more."}
            self.year.merchant.ok("POST", f"/orders/{order}/will-not-ship", said)
            self.year.seen["given up"] += len(lines)

    def work(self) -> None:
        """Some wait a few days, none past the last one."""
        year = self.year
        for due in [*year.pages("/refunds-due?state=open"), *year.pages("/refunds-due?state=paid")]:
            near = date.fromisoformat(due["strict_on"]) - year.today <= timedelta(days=3)
            if not due["to_do"] or not (near or year.chance(0.6)):
                continue
            path, sent_on = f"/refunds-due/{due['id']}", year.today.isoformat()
            if due["to_do"] == "send":
                paid = {"form": "check", "reference": f"C{year.seen['checks']}", "sent_on": sent_on}
                year.merchant.ok("POST", f"{path}/payment", paid)
                year.seen["checks"] += 1
            else:
                year.merchant.ok("POST", f"{path}/statement", {"reference": "by post", "sent_on": sent_on})
                year.seen["letters by post"] += 1
