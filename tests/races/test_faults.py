"""Parts are killed with -9 under load. Nothing accepted is lost, no card is charged twice, no stock is sold twice."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from infra.embedded.home import Home
from tests.factories import BOISE
from tests.installation import Kept, installed

pytestmark = [pytest.mark.races, pytest.mark.timeout(420)]
LOADERS = 3


class Merchant:
    """One tenant of the installation, called over real HTTP by a client that retries as a good client does."""

    def __init__(self, kept: Kept, at: int) -> None:
        ready = kept.ready()
        tenant = ready["tenants"][at]
        self.kept, self.url, self.id, self.key = kept, urlsplit(ready["url"]), tenant["id"], tenant["api_key"]
        self.provider_key = tenant["providers"][0]["api_key"]
        self.stripe = ready["stripe"]

    def call(
        self, method: str, path: str, body: Any = None, key: str = "", **headers: str
    ) -> tuple[int, Any]:
        """Send until there is an answer below 500: a dead connection or a restarting server is tried again."""
        content = None if body is None else json.dumps(body)
        sent = {"Authorization": f"Bearer {key or self.key}", "Content-Type": "application/json", **headers}
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=20)
                connection.request(method, f"/v1{path}", content, sent)
                answer = connection.getresponse()
                text = answer.read()
                connection.close()
                if answer.status < 500:
                    return answer.status, json.loads(text)
            assert time.monotonic() < until, f"no answer to {method} {path}"
            time.sleep(0.1)

    def ok(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        status, answer = self.call(method, path, body, **headers)
        assert status < 300, answer
        return answer

    def set_up(self, units: int = 100_000) -> None:
        for code, postal_code, region in (("EAST", "43085", "OH"), ("WEST", "89501", "NV")):
            address = {"city": "Town", "region": region, "postal_code": postal_code, "country": "US"}
            self.ok("PUT", f"/nodes/{code}", {"name": code, "kind": "warehouse", "address": address})
        for sku in ("A", "B", "C"):
            price = {"amount": 1500, "currency": "USD"}
            self.ok("PUT", f"/skus/{sku}", {"title": sku, "kind": "stock", "price": price, "weight_g": 300})
            for node in ("EAST", "WEST"):
                self.ok(
                    "POST",
                    "/stock/adjustments",
                    {"node": node, "sku": sku, "delta": units, "reason": "test", "reference": "test"},
                )

    def order(self, reference: str, *lines: tuple[str, int]) -> tuple[int, Any]:
        return self.call(
            "POST",
            "/orders",
            {
                "channel": "web",
                "external_ref": reference,
                "currency": "USD",
                "customer": {"email": f"{reference}@example.com", "name": "Marisol Vega"},
                "ship_to": BOISE,
                "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
                "tenders": [{"kind": "card", "payment_method": "pm_card_visa"}],
            },
        )

    def database(self) -> psycopg.Connection:
        environment = Home(self.kept.home).environment()
        return psycopg.connect(environment["DATABASE_OPERATOR_URL"])

    def count(self, query: str) -> int:
        with self.database() as connection:
            return int(connection.execute(query, {"t": self.id}).fetchone()[0])

    def settled(self, seconds: float = 150.0) -> None:
        """Wait until no work is left waiting."""
        until = time.monotonic() + seconds
        while True:
            with contextlib.suppress(psycopg.Error):
                left = self.count(
                    "SELECT (SELECT count(*) FROM outbox WHERE tenant_id = %(t)s AND state IN ('waiting', 'sent'))"
                    " + (SELECT count(*) FROM ledger_entries WHERE tenant_id = %(t)s"
                    " AND outcome IN ('pending', 'unknown'))"
                )
                if left == 0:
                    return
            assert time.monotonic() < until, "work is left over"
            time.sleep(0.3)

    def journal(self) -> list[dict[str, Any]]:
        with self.database() as connection:
            account = connection.execute(
                "SELECT stripe_account FROM tenants WHERE tenant_id = %s", [self.id]
            ).fetchone()[0]
        found, after = [], "0"
        while True:
            with urllib.request.urlopen(
                f"{self.stripe}/_simulator/journal?account={account}&after={after}"
            ) as answer:
                page = json.loads(answer.read())
            found += page["data"]
            if not page["has_more"]:
                return found
            after = str(found[-1]["seq"])


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    with installed() as made:
        yield made


@pytest.fixture(scope="module")
def merchant(kept: Kept) -> Merchant:
    made = Merchant(kept, 0)
    made.set_up()
    return made


def kill(kept: Kept, name: str) -> None:
    """kill -9 one part and wait until the supervisor has healed it."""
    pid = kept.child(name)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    kept.wait_healed(name, pid)


def load(merchant: Merchant, prefix: str, stop: threading.Event) -> tuple[list[threading.Thread], list[str]]:
    """Clients that place orders until told to stop; the references that were accepted."""
    accepted: list[str] = []

    def place(client: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            time.sleep(0.05)
            reference = f"{prefix}-{client}-{number}"
            status, answer = merchant.order(reference, ("A", 1), ("B", 2))
            assert status in (200, 201), answer
            accepted.append(reference)

    threads = [threading.Thread(target=place, args=(client,)) for client in range(LOADERS)]
    for thread in threads:
        thread.start()
    return threads, accepted


def grown(accepted: list[str], by: int, seconds: float = 60.0) -> None:
    """Wait until so many more orders were accepted, however slow the machine."""
    until, goal = time.monotonic() + seconds, len(accepted) + by
    while len(accepted) < goal:
        assert time.monotonic() < until, f"{len(accepted)} of {goal} orders were accepted"
        time.sleep(0.05)


@pytest.mark.parametrize("part", ["web", "relay", "worker-1", "valkey", "stripe", "schedule", "postgres"])
def test_a_part_is_killed_under_load(kept: Kept, merchant: Merchant, part: str) -> None:
    stop = threading.Event()
    threads, accepted = load(merchant, part, stop)
    try:
        grown(accepted, by=2 * LOADERS)
        kill(kept, part)
        grown(accepted, by=2 * LOADERS)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    merchant.settled()
    assert_all_there_and_paid(merchant, part, accepted)


def test_valkey_loses_everything_in_mid_flight(kept: Kept, merchant: Merchant) -> None:
    stop = threading.Event()
    threads, accepted = load(merchant, "wiped", stop)
    try:
        import redis

        client = redis.Redis.from_url(Home(kept.home).environment()["REDIS_URL"])
        for _ in range(5):
            time.sleep(0.4)
            client.flushall()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    merchant.settled()
    assert_all_there_and_paid(merchant, "wiped", accepted)


def assert_all_there_and_paid(merchant: Merchant, prefix: str, accepted: list[str]) -> None:
    """Every accepted order is there once, authorized once, its work submitted; and the books balance."""
    with merchant.database() as connection:
        rows = connection.execute(
            "SELECT external_ref, total, authorized_total, status FROM orders WHERE tenant_id = %s"
            " AND external_ref LIKE %s",
            [merchant.id, f"{prefix}-%"],
        ).fetchall()
        held = connection.execute(
            "SELECT count(*) FROM fulfillment_orders f JOIN orders o ON o.tenant_id = f.tenant_id AND o.id = f.order_id"
            " WHERE f.tenant_id = %s AND o.external_ref LIKE %s AND f.request_status = 'held'",
            [merchant.id, f"{prefix}-%"],
        ).fetchone()[0]
        dead = connection.execute(
            "SELECT topic, error FROM outbox WHERE tenant_id = %s AND state = 'dead'", [merchant.id]
        ).fetchall()
    assert dead == []
    assert Counter(row[0] for row in rows) == Counter(accepted) | Counter({row[0]: 1 for row in rows})
    assert set(accepted) <= {row[0] for row in rows}
    assert all(total == authorized for _, total, authorized, _ in rows)
    assert held == 0
    assert_no_card_twice(merchant)
    checked = merchant.kept.run("integrity")
    assert checked.returncode == 0, checked.stdout


def assert_no_card_twice(merchant: Merchant) -> None:
    """The processor's own journal: every order was authorized once, and captured at most what it is worth."""
    authorized = Counter(
        line["idempotency_key"]
        for line in merchant.journal()
        for effect in line["effects"]
        if effect["effect"] == "authorize"
    )
    assert authorized
    assert max(authorized.values()) == 1
    assert len(authorized) == merchant.count(
        "SELECT count(*) FROM ledger_entries WHERE tenant_id = %(t)s AND kind = 'authorize' AND outcome = 'succeeded'"
    )


def test_the_same_order_from_twenty_connections_is_one_order(merchant: Merchant) -> None:
    answers: list[tuple[int, Any]] = []
    barrier = threading.Barrier(20)

    def place() -> None:
        barrier.wait()
        answers.append(merchant.order("one-of-twenty", ("A", 2)))

    threads = [threading.Thread(target=place) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(status for status, _ in answers) == {201: 1, 200: 19}
    assert len({answer["id"] for _, answer in answers}) == 1


def test_fifty_buyers_want_the_last_unit(kept: Kept) -> None:
    merchant = Merchant(kept, 1)
    merchant.set_up(units=1)
    merchant.ok(
        "POST",
        "/stock/adjustments",
        {"node": "EAST", "sku": "A", "on_hand": 0, "reason": "only one left", "reference": "test"},
    )
    answers: list[tuple[int, Any]] = []
    barrier = threading.Barrier(50)

    def place(at: int) -> None:
        barrier.wait()
        answers.append(merchant.order(f"last-{at}", ("A", 1)))

    threads = [threading.Thread(target=place, args=(at,)) for at in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(status for status, _ in answers) == {201: 50}
    assert sum(answer["lines"][0]["allocated"] for _, answer in answers) == 1
    assert sum(answer["lines"][0]["backordered"] for _, answer in answers) == 49
    merchant.settled()
    checked = kept.run("integrity")
    assert checked.returncode == 0, checked.stdout


def test_mixed_baskets_never_deadlock(merchant: Merchant) -> None:
    """Baskets in every order of lines, with adjustments in between: answered, and no deadlock in the log."""
    baskets = [("A", "B", "C"), ("C", "B", "A"), ("B", "A", "C"), ("C", "A", "B")]
    refused: list[Any] = []

    def place(client: int) -> None:
        for number in range(15):
            lines = [(sku, 1) for sku in baskets[(client + number) % 4]]
            status, answer = merchant.order(f"mixed-{client}-{number}", *lines)
            if status != 201:
                refused.append(answer)
            if number % 5 == 0:
                merchant.ok(
                    "POST",
                    "/stock/adjustments",
                    {
                        "adjustments": [
                            {"node": node, "sku": sku, "delta": 1, "reason": "test", "reference": "t"}
                            for node in ("WEST", "EAST")
                            for sku in baskets[client % 4]
                        ]
                    },
                )

    threads = [threading.Thread(target=place, args=(client,)) for client in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == []
    log = (Home(merchant.kept.home).logs / "postgres.log").read_text(errors="replace")
    assert "deadlock detected" not in log
