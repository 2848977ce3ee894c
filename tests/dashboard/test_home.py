"""Home: the figures are those of the books, a fixed number of statements, and useful before the first order."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app.calendar import local_date
from app.dashboard import queries
from app.exceptions.waiting import found as needing_a_person
from app.routing import stuck
from infra.clock import real_now
from tenants.scope import inside
from tests.factories import Merchant, new_merchant
from tests.portal import Shop, member


@pytest.fixture(scope="module")
def shop(app: Flask) -> Shop:
    made = Shop(new_merchant(app), 24)
    made.ship_some(6)
    return made


def test_a_new_merchant_is_told_what_to_do_first(app: Flask, merchant: Merchant) -> None:
    page = member(app, merchant.tenant_id).read("/home")
    assert "No orders yet" in page
    assert "/onboarding" in page
    assert "Promises due" not in page


def test_every_figure_of_the_strip_leads_to_as_many_orders(app: Flask, shop: Shop) -> None:
    desk = member(app, shop.merchant.tenant_id)
    page = desk.read("/home")
    figures = re.findall(
        r'<a class="fig[^"]*" href="([^"]+)" data-s="(\w+)"><div class="fig-n">([\d,]+)<', page
    )
    assert [state for _, state, _ in figures] == ["kept", "due", "risk", "late"]
    assert sum(int(count) for _, _, count in figures) > 0
    for address, state, count in figures:
        listed = desk.read(address.replace("&amp;", "&"))
        orders = len(re.findall(r'<a class="id" href="/orders/', listed))
        assert (orders == 0) == (count == "0"), state
        assert orders <= int(count)


def test_orders_per_hour_count_today_in_the_merchants_zone(shop: Shop) -> None:
    with inside(shop.merchant.tenant_id) as scope:
        hours = queries.orders_per_hour(scope, scope.now())
        midnight = queries.start_of_day(local_date(scope.now(), scope.tenant.timezone), scope.tenant.timezone)
    today = [one for one in shop.placed if datetime.fromisoformat(one["placed_at"]) >= midnight]
    assert hours.so_far == len(today)
    assert sum(sum(counts) for _, _, counts in hours.series) == len(today)
    assert {name for name, _, _ in hours.series} <= set(queries.GROUPS)


def test_the_day_begins_at_the_merchants_midnight() -> None:
    winter = queries.start_of_day(datetime(2026, 11, 24, tzinfo=UTC).date(), "America/New_York")
    assert winter == datetime(2026, 11, 24, 5, tzinfo=UTC)


def test_what_needs_a_person_is_listed_with_where_to_act(app: Flask, merchant: Merchant) -> None:
    merchant.drain()
    merchant.node("RENO", name="Reno")
    merchant.sku("MUG", title="Mug")
    merchant.stock("RENO", "MUG", 3)
    held = merchant.order(("MUG", 1))
    declined = merchant.order(
        ("MUG", 1), tenders=[{"kind": "card", "payment_method": "pm_card_chargeDeclined"}]
    )
    rejected = merchant.order(("MUG", 1))
    soon = (real_now() + timedelta(days=1)).date().isoformat()
    waiting = merchant.order(("MUG", 9), promise={"ship_by": soon})
    merchant.drain()
    merchant.ok("POST", f"/orders/{held['id']}/holds", {"kind": "fraud", "reason": "Two cards"})
    work = merchant.ok("GET", f"/orders/{rejected['id']}")["fulfillment_orders"][0]
    merchant.provider.ok("POST", f"/fulfillment-orders/{work['id']}/rejection", {"reason": "out_of_stock"})
    merchant.drain()
    with inside(merchant.tenant_id) as scope:
        rows, total = needing_a_person(scope, scope.now(), 8)
    found = {(row.what, str(row.order_id)) for row in rows}
    assert found == {
        ("hold", held["id"]),
        ("hold", declined["id"]),
        ("refused", rejected["id"]),
        ("risk", waiting["id"]),
    }
    assert total == 4
    page = member(app, merchant.tenant_id).read("/home")
    for words in ("Fraud hold", "Payment needed", "Reno rejected the work", "Waits for stock", "Two cards"):
        assert words in page
    assert page.count('#do"') == 4


def test_stock_that_runs_out_is_told_by_its_pace(app: Flask, merchant: Merchant) -> None:
    merchant.drain()
    merchant.node("RENO")
    for sku, units in (("FEW", 4), ("MANY", 500)):
        merchant.sku(sku)
        merchant.stock("RENO", sku, units)
        merchant.order((sku, 2))
    with inside(merchant.tenant_id) as scope:
        rows = queries.running_out(scope, scope.now())
    assert [(row.code, row.can_sell, row.sold) for row in rows] == []
    merchant.order(("FEW", 2))
    with inside(merchant.tenant_id) as scope:
        rows = queries.running_out(scope, scope.now())
    assert [(row.code, row.can_sell, float(row.cover)) for row in rows] == [("FEW", 0, 0.0)]


def test_home_asks_a_fixed_number_of_questions(app: Flask, shop: Shop, merchant: Merchant) -> None:
    from sqlalchemy import event

    from infra import db, settings

    merchant.order((merchant.sku(), 1))

    def asked(tenant: Any) -> int:
        desk = member(app, tenant)
        desk.read("/home")
        statements: list[str] = []
        engine = db.engine(settings.current().database_url, settings.current().pool_size)

        def note(_c: Any, _cu: Any, statement: str, *_: Any) -> None:
            statements.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            desk.read("/home")
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len(statements)

    assert asked(merchant.tenant_id) == asked(shop.merchant.tenant_id) <= 14


def test_home_lists_orders_that_routing_left_to_a_person(app: Flask) -> None:
    merchant = new_merchant(app)
    order = merchant.order((merchant.sku(), 1), tenders=[{"kind": "terms"}])
    with inside(merchant.tenant_id) as scope:
        stuck.leave(scope, UUID(order["id"]), "cycles", "Refused by Reno (capacity).")
    page = member(app, merchant.tenant_id).read("/home")
    assert "Refused too often" in page
    assert "Refused by Reno (capacity)." in page
