"""The processor's messages: signed, received once, harmless in any order."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from flask import Flask

from infra.settings import Settings
from tenants.scope import inside
from tests.outside import account_of
from tests.payments.test_faults import AUTHORIZE
from tests.shop import Shop


def signed(body: bytes, secret: str, at: float | None = None) -> dict[str, str]:
    """The header that the processor would send."""
    moment = int(at or time.time())
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={moment},v1={digest}"}


class Door:
    """The web hook's end point as the processor sees it."""

    def __init__(self, app: Flask, secret: str) -> None:
        self.client, self.secret = app.test_client(), secret

    def send(self, event: dict[str, Any], **header: Any) -> Any:
        body = json.dumps(event).encode()
        return self.client.post("/webhooks/stripe", data=body, headers=signed(body, self.secret, **header))


@pytest.fixture
def door(app: Flask, in_force: Settings) -> Door:
    return Door(app, in_force.stripe_webhook_secret)


def event(account: str, kind: str, thing: dict[str, Any], event_id: str = "evt_1") -> dict[str, Any]:
    return {
        "id": f"{event_id}_{account}",
        "object": "event",
        "type": kind,
        "account": account,
        "data": {"object": thing},
    }


def kept(shop: Shop) -> int:
    with inside(shop.tenant_id) as scope:
        row = scope.row("SELECT count(*) AS messages FROM inbox WHERE tenant_id = :tenant")
    assert row is not None
    return int(row.messages)


def reference(shop: Shop, order: dict[str, Any]) -> tuple[str, str]:
    """(the attempt's id, the payment's reference) of an order's first authorization."""
    with inside(shop.tenant_id) as scope:
        row = scope.rows(
            "SELECT id, reference FROM ledger_entries WHERE tenant_id = :tenant AND order_id = :order"
            " ORDER BY at, id",
            order=order["id"],
        )[0]
    return str(row.id), row.reference


@pytest.mark.parametrize("header", [{}, {"Stripe-Signature": "t=1,v1=00"}, {"Stripe-Signature": "nonsense"}])
def test_a_bad_signature_is_refused(app: Flask, door: Door, header: dict[str, str]) -> None:
    answer = app.test_client().post("/webhooks/stripe", data=b"{}", headers=header)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


def test_an_old_signature_is_refused(door: Door) -> None:
    assert door.send(event("acct_x", "charge.succeeded", {}), at=time.time() - 4000).status_code == 400


def test_an_unknown_account_is_nobodys(door: Door) -> None:
    assert door.send(event("acct_of_nobody", "payment_intent.canceled", {"id": "pi_1"})).status_code == 200


def test_an_event_is_kept_once(shop: Shop, door: Door) -> None:
    told = event(shop.account, "payment_intent.succeeded", {"id": "pi_none"})
    assert [door.send(told).status_code for _ in range(3)] == [200, 200, 200]
    assert kept(shop) == 1
    shop.merchant.drain()


def test_another_merchants_payment_is_not_touched(shop: Shop, other_merchant: Any, door: Door) -> None:
    order = shop.order(1)
    attempt, payment = reference(shop, order)
    other_merchant.drain()
    thing = {"id": payment, "metadata": {"attempt": attempt}}
    door.send(event(account_of(other_merchant.tenant_id), "payment_intent.canceled", thing))
    other_merchant.drain()
    assert shop.entries(order) == [("authorize", 2000, "succeeded")]


def test_a_hold_that_was_let_go_elsewhere_is_made_anew(shop: Shop, door: Door) -> None:
    order = shop.order(1)
    _, payment = reference(shop, order)
    shop.oversleep(days=8)
    door.send(event(shop.account, "payment_intent.canceled", {"id": payment}))
    shop.merchant.drain()
    assert [(kind, outcome) for kind, _, outcome in shop.entries(order)] == [
        ("authorize", "succeeded"),
        ("expire", "succeeded"),
        ("authorize", "succeeded"),
    ]


def test_a_false_alarm_changes_nothing(shop: Shop, door: Door) -> None:
    order = shop.order(1)
    _, payment = reference(shop, order)
    for at, kind in enumerate(("payment_intent.canceled", "payment_intent.succeeded", "charge.expired")):
        door.send(event(shop.account, kind, {"id": "ch_1", "payment_intent": payment}, f"evt_{at}"))
    shop.merchant.drain()
    assert shop.entries(order) == [("authorize", 2000, "succeeded")]


def test_a_lost_answer_is_learned_from_an_event(shop: Shop, door: Door) -> None:
    shop.processor.fail(shop.account, "timeout_after:50", AUTHORIZE)
    order = shop.order(1)
    attempt, payment = reference(shop, order)
    assert payment is None
    thing = {"id": "pi_any", "metadata": {"attempt": attempt}}
    door.send(event(shop.account, "payment_intent.amount_capturable_updated", thing))
    shop.merchant.drain()
    assert shop.entries(order) == [("authorize", 2000, "succeeded")]


def test_what_the_processor_tells_twice_late_and_in_disorder(shop: Shop, door: Door) -> None:
    """The simulator's own deliveries, over HTTP, doubled and reordered."""
    order = shop.order(2)
    shop.ship(order, 1)
    shop.ship(order, 1)
    before = shop.entries(order), shop.effects()
    with Relay(door) as relay:
        shop.processor.switch(shop.account, webhooks={"duplicate": True, "reorder": True})
        shop.processor.webhooks(relay.url, door.secret)
        queued = shop.processor.resend(shop.account)
        assert queued > 8
        relay.wait(queued)
        shop.processor.webhooks(None, "")
    shop.merchant.drain()
    assert set(relay.answers) == {200}
    assert (shop.entries(order), shop.effects()) == before
    assert kept(shop) == queued


class Relay:
    """Hands what comes over HTTP to the application."""

    def __init__(self, door: Door) -> None:
        self.answers: list[int] = []
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                header = {"Stripe-Signature": self.headers["Stripe-Signature"]}
                answer = door.client.post("/webhooks/stripe", data=body, headers=header)
                relay.answers.append(answer.status_code)
                self.send_response(answer.status_code)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/webhooks/stripe"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def wait(self, least: int) -> None:
        """Until each came at least once, and then nothing new for a moment."""
        deadline, seen = time.monotonic() + 20, -1
        while time.monotonic() < deadline and (len(self.answers) < 2 * least or seen != len(self.answers)):
            seen = len(self.answers)
            time.sleep(0.3)
        assert len(self.answers) >= least

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: Any) -> None:
        self.server.shutdown()
        self.server.server_close()
