"""Settling tax with a merchant's own service: lower is the buyer's, higher the merchant's, silence an estimate."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tenants.scope import inside
from tests.shop import Shop


class Office:
    """A tax service on the loopback. `tax` is what it answers per question; None: it is out of order."""

    def __init__(self) -> None:
        self.tax: int | None = 0
        self.asked: list[dict[str, Any]] = []
        office = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                office.asked.append(question)
                lines = [0] * len(question["lines"])
                lines[0] = office.tax or 0
                answer = {"total": lines[0], "lines": lines, "charges": [0] * len(question["charges"])}
                body = json.dumps(answer).encode()
                self.send_response(503 if office.tax is None else 200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/tax"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def office(shop: Shop) -> Iterator[Office]:
    made = Office()
    shop.settings(json.dumps({"tax": {"adapter": "http", "url": made.url}}))
    shop.merchant.sku("TAXED", price={"amount": 10000, "currency": "USD"})
    shop.merchant.stock("RENO", "TAXED", 100)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def place(shop: Shop) -> Callable[..., dict[str, Any]]:
    """Place an order whose built-in tax is 6.00 (Idaho), and do what follows."""

    def run(**fields: Any) -> dict[str, Any]:
        order = shop.merchant.order(("TAXED", 1), **fields)
        shop.merchant.drain()
        return order

    return run


def record(shop: Shop, order: dict[str, Any]) -> Any:
    with inside(shop.tenant_id) as scope:
        return scope.row(
            "SELECT status, provider, quoted, settled, difference, detail FROM tax_records"
            " WHERE tenant_id = :tenant AND order_id = :order",
            order=order["id"],
        )


def test_a_lower_tax_is_the_buyers(shop: Shop, office: Office, place: Callable[..., Any]) -> None:
    office.tax = 450
    order = place()
    assert order["totals"]["tax"]["amount"] == 600
    shown = shop.shown(order)
    assert (shown["tax_status"], shown["totals"]["tax"]["amount"], shown["totals"]["total"]["amount"]) == (
        "settled",
        450,
        10450,
    )
    assert shown["lines"][0]["total"]["amount"] == 10450
    assert shop.effects() == [("authorize", 10450)]
    assert (record(shop, order).quoted, record(shop, order).settled) == (600, 450)


def test_a_higher_tax_is_the_merchants(shop: Shop, office: Office, place: Callable[..., Any]) -> None:
    office.tax = 725
    order = place()
    shown = shop.shown(order)
    assert (shown["tax_status"], shown["totals"]["total"]["amount"]) == ("settled", 10600)
    assert (shop.effects(), record(shop, order).difference) == ([("authorize", 10600)], 125)
    assert "order.tax_differed" in shop.timeline(order)


def test_tax_that_the_channel_gave_is_not_asked_about(
    shop: Shop,
    office: Office,
    place: Callable[..., Any],
) -> None:
    order = place(tax={"total": {"amount": 111, "currency": "USD"}})
    assert (shop.shown(order)["tax_status"], office.asked) == ("given", [])
    assert shop.effects() == [("authorize", 10111)]


def test_a_service_out_of_order_is_tried_three_times_and_settles_later(
    shop: Shop,
    office: Office,
    place: Callable[..., Any],
) -> None:
    office.tax = None
    order = place()
    assert (len(office.asked), shop.effects()) == (1, [])
    shop.hurry()
    assert shop.effects() == []
    shop.hurry()
    assert (len(office.asked), shop.effects()) == (3, [("authorize", 10600)])
    assert (shop.shown(order)["tax_status"], record(shop, order).status) == ("estimated", "estimated")
    shop.hurry()
    assert len(office.asked) == 3
    shop.later(minutes=61)
    assert (len(office.asked), shop.shown(order)["tax_status"]) == (4, "estimated")
    office.tax = 700
    shop.later(minutes=61)
    assert (shop.shown(order)["tax_status"], record(shop, order).difference) == ("settled", 100)
    assert shop.effects() == [("authorize", 10600)]
    assert shop.timeline(order).count("order.taxed") == 1


def test_a_lower_tax_after_the_card_was_held_is_noted_and_changes_nothing(
    shop: Shop,
    office: Office,
    place: Callable[..., Any],
) -> None:
    office.tax = None
    order = place()
    shop.hurry()
    shop.hurry()
    office.tax = 500
    shop.later(minutes=61)
    shown = shop.shown(order)
    assert (shown["tax_status"], shown["totals"]["tax"]["amount"]) == ("settled", 600)
    assert record(shop, order).detail["collected_above"] == 100


def test_money_in_hand_keeps_its_tax(shop: Shop, office: Office, place: Callable[..., Any]) -> None:
    office.tax = 500
    order = place(tenders=[{"kind": "cash"}])
    assert shop.shown(order)["totals"]["total"]["amount"] == 10600
    assert record(shop, order).detail["collected_above"] == 100


def test_an_unreadable_setting_falls_back_too(shop: Shop, office: Office, place: Callable[..., Any]) -> None:
    shop.settings('{"tax": {"adapter": "magic"}}')
    order = place()
    shop.hurry()
    shop.hurry()
    assert (shop.shown(order)["tax_status"], shop.effects()) == ("estimated", [("authorize", 10600)])
