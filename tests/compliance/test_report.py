"""The compliance report: counted from real orders, the same over the API, on the page and as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import Flask

from tests.portal import member
from tests.refunds.test_service import CHECK
from tests.shop import Shop


def test_the_figures_of_a_period(app: Flask, shop: Shop) -> None:
    kept, given_up, owing = shop.order(2), shop.order(1), shop.order(1, tenders=CHECK)
    shop.ship(kept, 2)
    shop.cancel(given_up)
    shop.cancel(owing)
    report = shop.merchant.ok("GET", "/compliance-report")
    counts = {(one["group"], one["name"]): one["count"] for one in report["figures"]}
    assert (counts["orders", "all"], counts["orders", "covered"]) == (3, 3)
    assert (counts["promises", "in_time"], counts["promises", "cancelled"]) == (1, 2)
    assert (counts["notices", "received"], counts["notices", "refund"]) == (3, 1)
    assert (counts["refunds", "in_time"], counts["refunds", "open"]) == (1, 1)
    amounts = {one["name"]: one["amounts"] for one in report["figures"] if one["group"] == "refunds"}
    assert amounts["open"] == [{"amount": 2000, "currency": "USD"}]
    assert counts["cancellations", "changed my mind"] == 2
    assert "whether the law was kept" in report["note"]
    desk = member(app, shop.tenant_id)
    page = desk.read("/compliance")
    for words in ("Shipped in time", "Open, last day to come", "$20.00", "None in this period."):
        assert words in page
    rows = list(csv.DictReader(io.StringIO(desk.read("/compliance/report.csv"))))
    assert {
        "Group": "Their lines under the rule",
        "Figure": "Shipped in time",
        "Count": "1",
        "Amount": "",
    } in rows
    assert len(rows) == len(report["figures"])
    shop.later(days=13)
    later = {
        (one["group"], one["name"]): one["count"]
        for one in shop.merchant.ok("GET", "/compliance-report?from=2026-01-01")["figures"]
    }
    assert later["refunds", "overdue"] == 1
    assert later["incidents", "refund.alarmed"] == 1
    pay(shop, owing)


def pay(shop: Shop, order: dict[str, Any]) -> None:
    [due] = shop.merchant.ok("GET", f"/orders/{order['id']}/refunds-due")["data"]
    sent = {"form": "check", "reference": "1", "sent_on": due["latest_on"]}
    shop.merchant.ok("POST", f"/refunds-due/{due['id']}/payment", sent)
    shop.merchant.drain()


def test_a_period_that_makes_no_sense(app: Flask, shop: Shop) -> None:
    answer = shop.merchant.get("/compliance-report?from=2026-05-02&to=2026-05-01")
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/to")
    page = member(app, shop.tenant_id).client.get("/compliance?from=2026-05-02&to=2026-05-01")
    assert (page.status_code, "lies before the first" in page.text) == (422, True)
    assert shop.merchant.get("/compliance-report?from=2019-05-02&to=2026-05-01").status_code == 422


def test_the_procedures_follow_the_settings(app: Flask, shop: Shop) -> None:
    desk = member(app, shop.tenant_id)
    page = desk.read("/compliance/procedures")
    assert "after 24 hours without another one it is canceled" in page
    assert "goes out by itself" in page
    shop.settings(
        '{"payment_hold_hours": 48, "notices": {"delay": "manual"}, "contact": {"toll_free": "1-800-555-0100"},'
        ' "refunds": {"shipping": [{"from": 0, "charge": 500}]}}'
    )
    page = desk.read("/compliance/procedures")
    for words in (
        "after 48 hours",
        "A person is asked first",
        "1-800-555-0100",
        "by the shipping table",
    ):
        assert words in page
    for shown in (page, desk.read("/compliance")):
        assert "guarantee" not in shown.lower()
