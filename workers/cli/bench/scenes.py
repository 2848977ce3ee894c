"""The scenes that are measured: intake, batch, reads, a provider's shipping, later work, memory."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg

from app.imports import service as imports
from app.intake.schemas import OrderIn
from infra import settings
from tenants.rules import ALL
from tenants.scope import Actor, inside
from workers.cli.bench import clients, raw
from workers.cli.bench.figures import Figure
from workers.cli.bench.statements import counted

PLACES = (
    ("89501", "NV"), ("43085", "OH"), ("30301", "GA"), ("97201", "OR"), ("11201", "NY"), ("28801", "NC"),
    ("60601", "IL"), ("75201", "TX"), ("80202", "CO"), ("98101", "WA"), ("33101", "FL"), ("85001", "AZ"),
)  # fmt: skip
NODES, SKUS, BATCH, LINES = 24, 150, 100, 3
TICKS = os.sysconf("SC_CLK_TCK")


class Bench:
    """One home with one merchant, stocked so that nothing runs out."""

    def __init__(self, home: Path, pids: dict[str, int], pgbench: Path, seconds: float) -> None:
        self.home, self.pids, self.pgbench, self.seconds = home, pids, pgbench, seconds
        self.imported, self.shipped = (500, 200) if seconds > 1 else (150, 50)
        ready = json.loads((home / "run" / "ready.json").read_text())
        tenant = ready["tenants"][0]
        parts = urlsplit(ready["url"])
        self.address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.tenant_id, self.key = UUID(tenant["id"]), tenant["api_key"]
        self.provider_key = tenant["providers"][0]["api_key"]
        if len(ready["tenants"]) > 1:
            self.template_id = UUID(ready["tenants"][1]["id"])
            self.template_key = ready["tenants"][1]["api_key"]
        self.stock_up(self.key)

    def stock_up(self, key: str) -> None:
        """Nodes, SKUs and stock of one merchant, over the API by two clients."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda half: self._put_things(clients.Http(self.address, key), half), (0, 1)))
        http = clients.Http(self.address, key)
        stock = [
            {
                "node": f"N{node:03}",
                "sku": f"S{sku:04}",
                "delta": 1_000_000,
                "reason": "bench",
                "reference": "bench",
            }
            for node in range(NODES)
            for sku in range(SKUS)
        ]
        for at in range(0, len(stock), 1000):
            http.json("POST", "/v1/stock/adjustments", {"adjustments": stock[at : at + 1000]})

    def _put_things(self, http: clients.Http, half: int) -> None:
        for at in range(half, NODES, 2):
            postal_code, region = PLACES[at % len(PLACES)]
            address = {"line1": "1 Dock Rd", "city": "Town", "region": region}
            address |= {"postal_code": postal_code, "country": "US"}
            kind = "warehouse" if at < 6 else "store"
            http.json("PUT", f"/v1/nodes/N{at:03}", {"name": f"Node {at}", "kind": kind, "address": address})
        for at in range(half, SKUS, 2):
            price = {"amount": 500 + at * 7, "currency": "USD"}
            body = {"title": f"Thing {at}", "kind": "stock", "price": price, "weight_g": 400}
            http.json("PUT", f"/v1/skus/S{at:04}", body)

    # ---- what is measured

    def memory(self) -> list[Figure]:
        """Memory of each idle process, in MB."""
        return [
            Figure(f"memory, {name}", _resident(pid), "MB", note="aim: under 120" if name == "web" else "")
            for name, pid in sorted(self.pids.items())
            if name not in ("postgres",)
        ]

    def empty(self) -> list[Figure]:
        """Raw limit, intake, batch, reads, shipping, on the database as it stands."""
        self._warm_up()
        limits = {clients_: self._raw_limit(clients_) for clients_ in (1, 4, 16)}
        found = [
            Figure(f"raw, psycopg prepared, {n} clients", rate, "orders/s") for n, rate in limits.items()
        ]
        found.append(Figure("raw, pgbench prepared, 4 clients", self._pgbench(4), "orders/s"))
        for n, limit in limits.items():
            found += self._intake(n, limit)
        found += self._batch(limits[4])
        found += [*self._import(), *self._statements(), *self._reads(), *self._shipping()]
        return found

    def later_work(self) -> list[Figure]:
        """How fast relay and workers bring placed orders to their authorized, submitted state."""
        began, before = time.perf_counter(), self._finished()
        time.sleep(max(1.0, self.seconds))
        rows = self._finished() - before
        return [
            Figure(
                "later work, outbox rows done",
                rows / (time.perf_counter() - began),
                "rows/s",
                note="2 workers",
            )
        ]

    def _finished(self) -> int:
        with inside(self.tenant_id) as scope:
            row = scope.row("SELECT count(*) AS n FROM outbox WHERE tenant_id = :tenant AND state = 'done'")
        return int(row.n) if row else 0

    def _warm_up(self) -> None:
        """Orders in every table, then statistics: plans made while tables were empty are made again."""
        clients.run(self.address, self.key, 4, self.seconds, self._order)
        with psycopg.connect(settings.current().owner_database_url, autocommit=True) as owner:
            owner.execute("ANALYZE")
        clients.run(self.address, self.key, 4, self.seconds / 4, self._order)

    def _raw_limit(self, count: int) -> float:
        each = max(10, int(self.seconds * 300 / count))
        requests = [OrderIn().load(self.body(990 + count, n)) for n in range(each * count)]
        made = raw.documents(self.tenant_id, requests)
        shares = [made[at::count] for at in range(count)]
        url = settings.current().database_url
        return raw.by_psycopg(url, self.tenant_id, self.key, shares, requests[0])

    def _pgbench(self, count: int) -> float:
        each = max(20, int(self.seconds * 100))
        requests = [OrderIn().load(self.body(980, n)) for n in range(each * count)]
        given = settings.current()
        return raw.by_pgbench(
            self.pgbench,
            given.owner_database_url,
            given.database_url,
            self.tenant_id,
            raw.documents(self.tenant_id, requests),
            count,
        )

    def _intake(self, count: int, limit: float) -> list[Figure]:
        before = self._cpu()
        load = clients.run(self.address, self.key, count, self.seconds, self._order)
        web, postgres = (after - earlier for after, earlier in zip(self._cpu(), before, strict=True))
        _all_accepted(load)
        name = f"order intake, {count} clients"
        found = [
            Figure(name, load.rate, "orders/s", load.rate / limit, "aim: 0.35"),
            Figure(f"{name}, p50", load.p50, "ms"),
            Figure(f"{name}, p99", load.p99, "ms"),
        ]
        if count == 4:
            found += [
                Figure("CPU of web per order", web / load.answered * 1000, "ms"),
                Figure("CPU of PostgreSQL per order", postgres / load.answered * 1000, "ms"),
            ]
        return found

    def _batch(self, limit: float) -> list[Figure]:
        # The plans of hundred orders at once are made before, as those of the raw limit are.
        clients.run(self.address, self.key, 2, 0.1, lambda client, at: self._order_batch(10 + client, at))
        load = clients.run(self.address, self.key, 4, self.seconds * 1.5, self._order_batch)
        _all_accepted(load)
        rate = load.rate * BATCH
        return [
            Figure(f"batch intake of {BATCH}, 4 clients", rate, "orders/s", rate / limit, "aim: 1.0"),
            Figure(f"batch intake of {BATCH}, p50", load.p50, "ms"),
        ]

    def _import(self) -> list[Figure]:
        """A file of orders, from the upload to the last row's report, in this process."""
        titles = (
            "external_ref,customer.email,ship_to.postal_code,ship_to.region,line.sku,line.quantity,"
            "tender.payment_method"
        )
        rows = [titles]
        for number in range(self.imported):
            body = self.body(950, number)
            place = body["ship_to"]
            rows += [
                f"{body['external_ref']},{body['customer']['email']},{place['postal_code']},{place['region']},"
                f"{line['sku']},{line['quantity']},pm_card_visa"
                for line in body["lines"]
            ]
        began = time.perf_counter()
        with inside(self.tenant_id, Actor("bench", "bench", "bench", ALL)) as scope:
            file = io.BytesIO("\n".join(rows).encode())
            one = imports.receive(scope, file, filename="bench.csv", kind="orders", mapping="kept")
        while self._importing(one):
            with inside(self.tenant_id) as scope:
                imports.work(scope, one)
        rate = self.imported / (time.perf_counter() - began)
        return [Figure(f"import of a file of {self.imported} orders", rate, "orders/s")]

    def _importing(self, import_id: UUID) -> bool:
        with inside(self.tenant_id) as scope:
            row = scope.row(
                "SELECT state, created FROM imports WHERE tenant_id = :tenant AND id = :id", id=import_id
            )
        if row is None or row.state == "failed" or (row.state == "done" and row.created != self.imported):
            raise RuntimeError(f"the import did not go through: {row}")
        return bool(row.state != "done")

    def _statements(self) -> list[Figure]:
        settings.use(dataclasses.replace(settings.current(), log_level="ERROR"))
        from wsgi import app

        client, headers = app.test_client(), {"Authorization": f"Bearer {self.key}"}
        for at in range(3):
            client.post("/v1/orders", json=self.body(970, at), headers=headers)
        with counted() as count:
            client.post("/v1/orders", json=self.body(970, 100), headers=headers)
        return [
            Figure("statements per order", count.statements, "statements", note="aim: at most 12"),
            Figure("round trips per order", count.round_trips, "trips"),
        ]

    def _reads(self) -> list[Figure]:
        http = clients.Http(self.address, self.key)
        ids = [order["id"] for order in http.json("GET", "/v1/orders?limit=100")["data"]]

        def one(client: int, number: int) -> clients.Request:
            return "GET", f"/v1/orders/{ids[(client * 31 + number) % len(ids)]}", None

        def listed(client: int, number: int) -> clients.Request:
            return "GET", f"/v1/orders?status=placed&channel=web&sku=S{number % SKUS:04}&limit=25", None

        found = []
        for name, request in (("read an order, 4 clients", one), ("filtered list of 25, 4 clients", listed)):
            load = clients.run(self.address, self.key, 4, self.seconds, request)
            _all_accepted(load)
            found += [Figure(name, load.rate, "answers/s"), Figure(f"{name}, p99", load.p99, "ms")]
        return found

    def _shipping(self) -> list[Figure]:
        self._release()
        work = clients.Http(self.address, self.provider_key).json(
            "GET", "/v1/fulfillment-orders?request_status=submitted&limit=200"
        )["data"]
        provider = clients.Http(self.address, self.provider_key)
        for one in work:
            provider.json("POST", f"/v1/fulfillment-orders/{one['id']}/acceptance", {})

        def ship(client: int, number: int) -> clients.Request | None:
            at = number * 4 + client
            if at >= len(work):
                return None
            lines = [{"sku": line["sku"], "quantity": line["quantity"]} for line in work[at]["lines"]]
            return (
                "POST",
                f"/v1/fulfillment-orders/{work[at]['id']}/shipments",
                {"lines": lines, "carrier": "UPS", "service": "Ground", "tracking_number": f"1Z{at:08}"},
            )

        load = clients.run(self.address, self.provider_key, 4, 30.0, ship)
        _all_accepted(load)
        return [
            Figure("provider's ship call, 4 clients", load.rate, "shipments/s"),
            Figure("provider's ship call, p99", load.p99, "ms"),
        ]

    def _release(self) -> None:
        """Bring orders, paid by their channel, to the providers: what is measured is shipping."""
        from app.fulfillment.service import release_work

        paid = {"tenders": [{"kind": "external", "reference": "bench"}]}
        orders = [self.body(960, at) | paid for at in range(self.shipped)]
        http = clients.Http(self.address, self.key)
        for result in http.json("POST", "/v1/orders/batch", {"orders": orders})["results"]:
            with inside(self.tenant_id) as scope:
                release_work(scope, UUID(result["order"]["id"]))

    # ---- orders

    def _order(self, client: int, number: int) -> clients.Request:
        return "POST", "/v1/orders", self.body(client, number)

    def _order_batch(self, client: int, number: int) -> clients.Request:
        orders = [self.body(500 + client, number * BATCH + at) for at in range(BATCH)]
        return "POST", "/v1/orders/batch", {"orders": orders}

    def body(self, client: int, number: int) -> dict[str, Any]:
        """An order of three lines that differs by client and number."""
        chance = random.Random((client << 32) + number)
        postal_code, region = PLACES[chance.randrange(len(PLACES))]
        return {
            "channel": "web",
            "external_ref": f"{client}-{number}-{uuid4().hex[:8]}",
            "currency": "USD",
            "customer": {"email": f"buyer{client}.{number}@example.com", "name": "Marisol Vega"},
            "ship_to": {
                "name": "Marisol Vega",
                "line1": "1418 W Franklin St",
                "city": "Town",
                "region": region,
                "postal_code": postal_code,
                "country": "US",
            },
            "lines": [
                {"sku": f"S{sku:04}", "quantity": 1 + at}
                for at, sku in enumerate(chance.sample(range(SKUS), LINES))
            ],
            "tenders": [{"kind": "card", "payment_method": "pm_card_visa"}],
        }

    def _cpu(self) -> tuple[float, float]:
        """CPU seconds so far of the web process and of PostgreSQL, with their children."""
        return _cpu_seconds(self.pids["web"]), _cpu_seconds(self.pids["postgres"])


def _all_accepted(load: clients.Load) -> None:
    if load.refused:
        raise RuntimeError(f"{load.refused} of {load.answered} requests were refused")


def _resident(pid: int) -> float:
    """MB of the largest process of the family; what it shares with others counts by its part (PSS)."""
    return max(
        int(line.split()[1]) / 1024
        for one in _family(pid)
        for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        if line.startswith("Pss:")
    )


def _cpu_seconds(pid: int) -> float:
    total = 0.0
    for one in _family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def _family(pid: int) -> list[int]:
    found = [pid]
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(file.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(file.parent.name))
        except (OSError, IndexError):
            continue
    return found
