"""The demo merchant's life: buyers who order, deliveries that arrive, providers who pack and ship.

Started by `./kept up` with the demo. Everything here goes through the HTTP API with the keys of the home's
`credentials.json`, as anybody's program would; nothing is known that the API does not tell.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import requests
import structlog

from app.demo.orders import Buyers, Shelf, hour_share, request
from app.demo.seed import NAME, ZONE
from examples.demo_provider import Provider
from infra import logs, settings

log = structlog.get_logger()
PER_MINUTE = 4.0
"""Orders a minute at an hour of average business; the busiest brings twice that."""
LEAST_PER_MINUTE = 1.5
DELIVERY_SECONDS = 90.0
MOST_WAIT = 30.0
CARDS = ("pm_card_visa", "pm_card_mastercard", "pm_card_amex", "pm_card_discover")
TENDERS = {"store": "cash", "marketplace": "external", "mail": "check", "edi": "terms"}


class Shop:
    """The merchant's side: orders from all channels, and goods that come in."""

    def __init__(self, api: str, key: str, draw: random.Random) -> None:
        self.api, self.draw = api, draw
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {key}"
        self.buyers = Buyers(draw)
        self.shelf: Shelf | None = None

    def take_orders(self, stop: threading.Event) -> None:
        """Place orders as they come: a Poisson process whose pace follows the merchant's day."""
        while not stop.wait(self.draw.expovariate(orders_per_minute(datetime.now(UTC)) / 60)):
            self.patiently(stop, self.place_one)

    def take_deliveries(self, stop: threading.Event) -> None:
        """Now and then a delivery arrives for what is short."""
        while not stop.wait(self.draw.expovariate(1 / DELIVERY_SECONDS)):
            self.patiently(stop, self.receive_one)

    def patiently(self, stop: threading.Event, act: Any) -> None:
        """Do it; while the API does not answer, wait longer and longer."""
        wait = 1.0
        while not stop.is_set():
            try:
                act()
                return
            except requests.RequestException as error:
                log.info("demo.waits", error=type(error).__name__, seconds=wait)
                stop.wait(wait)
                wait = min(MOST_WAIT, wait * 2)

    def place_one(self) -> None:
        """One order, paid as its channel pays; about one card in forty is declined."""
        shelf = self.shelf = self.shelf or self._catalog()
        body = request(self.draw, shelf, self.buyers, f"AF-L{time.time_ns() // 1_000_000}")
        kind = TENDERS.get(body["channel"], "card")
        if kind == "card":
            declined = self.draw.random() < 0.025
            method = "pm_card_chargeDeclined" if declined else self.draw.choice(CARDS)
            body["tenders"] = [{"kind": "card", "payment_method": method}]
        else:
            body["tenders"] = [{"kind": kind, "reference": body["external_ref"]}]
        answer = self.session.post(f"{self.api}/orders", json=body, timeout=30)
        if answer.status_code >= 500 or answer.status_code == 429:
            answer.raise_for_status()
        elif answer.status_code >= 400:
            log.warning("demo.refused", status=answer.status_code, detail=answer.text[:300])

    def receive_one(self) -> None:
        """A pallet of one thing at one node: of what has run out there, if anything has."""
        after, short = None, []
        for _ in range(10):
            page = self._get("/stock", limit=200, after=after)
            short += [
                one for one in page["data"] if one["disposition"] == "sellable" and one["available"] < 5
            ]
            after = page["next"]
            if after is None:
                break
        if not short:
            return
        position = self.draw.choice(short)
        delivery = {
            "node": position["node"],
            "sku": position["sku"],
            "delta": self.draw.choice((12, 24, 36, 48)),
            "cause": "receipt",
            "reason": "Delivery",
            "reference": f"PO-{self.draw.randint(20_000, 99_999)}",
        }
        answer = self.session.post(f"{self.api}/stock/adjustments", json=delivery, timeout=30)
        if answer.status_code >= 500:
            answer.raise_for_status()

    def nodes(self) -> set[str]:
        """Codes of all nodes."""
        return {node["code"] for node in self._all("/nodes")}

    def _catalog(self) -> Shelf:
        return Shelf.of({sku["sku"]: sku for sku in self._all("/skus")})

    def _all(self, path: str) -> list[dict[str, Any]]:
        page = self._get(path, limit=200)
        found = page["data"]
        while page["next"]:
            page = self._get(path, limit=200, after=page["next"])
            found += page["data"]
        return list(found)

    def _get(self, path: str, **query: Any) -> Any:
        answer = self.session.get(f"{self.api}{path}", params=query, timeout=30)
        answer.raise_for_status()
        return answer.json()


def orders_per_minute(now: datetime) -> float:
    """The pace at this moment; never so slow that the pages stand still."""
    local = now.astimezone(ZoneInfo(ZONE))
    return max(LEAST_PER_MINUTE, PER_MINUTE * hour_share(local.hour + local.minute / 60))


def credentials() -> dict[str, Any]:
    """The demo tenant's keys, as provisioning kept them."""
    file = Path(os.environ["KEPT_HOME"]) / "credentials.json"
    found: dict[str, Any] = next(one for one in json.loads(file.read_text())["demo"] if one["name"] == NAME)
    return found


def lives(
    api: str, tenant: dict[str, Any], stop: threading.Event, draw: random.Random
) -> list[threading.Thread]:
    """The threads of the demo, not started yet: two of the shop, one for each provider, one for the merchant's own
    warehouses, stores and workshops."""
    shop = Shop(api, tenant["api_key"], draw)
    theirs = {node for one in tenant["providers"] for node in one["nodes"]}
    works = [(one["name"], Provider(api, one["api_key"])) for one in tenant["providers"]]
    names: list[tuple[str, Any]] = [("orders", shop.take_orders), ("deliveries", shop.take_deliveries)]
    names += [(name, provider.run) for name, provider in works]
    names.append(("own nodes", lambda stop: run_own(shop, tenant["api_key"], theirs, stop)))
    return [threading.Thread(target=target, args=(stop,), name=name, daemon=True) for name, target in names]


def run_own(shop: Shop, key: str, theirs: set[str], stop: threading.Event) -> None:
    """The merchant's own warehouse system: the nodes that no provider has."""
    own: set[str] = set()
    shop.patiently(stop, lambda: own.update(shop.nodes() - theirs))
    Provider(shop.api, key, pace=40.0, rejects=0.01, only=own).run(stop)


def main() -> None:
    """Live until told to stop."""
    given = settings.current()
    logs.configure(given.log_level, "demo")
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    threads = lives(f"{given.public_url}/v1", credentials(), stop, random.Random())
    for thread in threads:
        thread.start()
    stop.wait()
    for thread in threads:
        thread.join(5)


if __name__ == "__main__":
    main()
