"""A fulfillment provider in one file: an ordinary client of the API.

    KEPT_API=http://127.0.0.1:8000/v1 KEPT_API_KEY=kept_test_... python examples/demo_provider.py

It asks for work, accepts it (now and then it rejects: something was out of stock), packs it after a while and ships
it with a tracking number. It needs nothing but `requests` and a key that hangs on a grant: such a key sees the work of
its own nodes and nothing else. Read `round` first; everything else is one call to the API each.

What a real system should copy:
- Every POST bears an Idempotency-Key made from the work's id, so a repeat after a lost answer changes nothing.
- A 409 means that the world moved on (the buyer canceled, a colleague shipped): look again, do not insist.
- Wait longer after each failure, and honor `Retry-After`.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from typing import Any

import requests

CARRIERS = (
    ("UPS", "Ground", "1Z84AF03"),
    ("FedEx", "Home Delivery", "7712"),
    ("USPS", "Ground Advantage", "9405"),
)
MOST_REMEMBERED = 20_000


class Provider:
    """One provider's system. `only` limits it to some of the nodes that its key may see."""

    def __init__(
        self, api: str, key: str, *, pace: float = 25.0, rejects: float = 0.02, only: set[str] | None = None
    ) -> None:
        """`pace`: seconds, on average, between one step of a piece of work and its next; 0 = none."""
        self.api, self.pace, self.rejects, self.only = api.rstrip("/"), pace, rejects, only
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {key}"
        self.ready: dict[str, float] = {}
        """Work id -> when its next step is due (monotonic seconds)."""

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; wait longer while the API does not answer."""
        wait = 2.0
        while not stop.wait(wait):
            try:
                self.round()
                wait = 2.0
            except requests.RequestException:
                wait = min(60.0, wait * 2)

    def round(self) -> None:
        """Look at all open work once, and take every step that is due."""
        for work in self.work("submitted"):
            if self.due(work):
                self.answer(work)
        for work in self.work("cancel_requested"):
            self.post(work, "cancellation-acceptance")
        for work in self.work("accepted"):
            if not self.due(work):
                continue
            if work["work_status"] == "packed":
                self.ship(work)
            else:
                self.post(work, "pack")

    def work(self, request_status: str) -> list[dict[str, Any]]:
        """Our work in this state, the oldest first, page by page."""
        found: list[dict[str, Any]] = []
        query: dict[str, str] = {"request_status": request_status, "limit": "200"}
        while True:
            answer = self.session.get(f"{self.api}/fulfillment-orders", params=query, timeout=30)
            answer.raise_for_status()
            page = answer.json()
            found += page["data"]
            if not page["next"]:
                return [one for one in found if self.only is None or one["node"] in self.only]
            query["after"] = page["next"]

    def due(self, work: dict[str, Any]) -> bool:
        """Whether people have had the time for the next step of this work."""
        step = f"{work['id']} {work['request_status']} {work['work_status']}"
        now = time.monotonic()
        if len(self.ready) > MOST_REMEMBERED:
            self.ready.clear()
        if step not in self.ready:
            self.ready[step] = now + (random.expovariate(1 / self.pace) if self.pace else 0)
        if self.ready[step] > now:
            return False
        del self.ready[step]
        return True

    def answer(self, work: dict[str, Any]) -> None:
        """Accept; rarely reject one line, which then goes to another node."""
        if random.random() < self.rejects:
            line = random.choice(work["lines"])
            self.post(
                work,
                "rejection",
                {"reason": "capacity", "lines": [{"sku": line["sku"], "quantity": line["quantity"]}]},
            )
        else:
            self.post(work, "acceptance")

    def ship(self, work: dict[str, Any]) -> None:
        """Hand everything to a carrier."""
        lines = [
            {"sku": line["sku"], "quantity": line["quantity"] - line["shipped"] - line["released"]}
            for line in work["lines"]
        ]
        carrier, service, prefix = random.choice(CARRIERS)
        parcel = {
            "lines": [line for line in lines if line["quantity"]],
            "carrier": carrier,
            "service": service,
            "tracking_number": f"{prefix}{random.randint(10**9, 10**10 - 1)}",
            "cost": {"amount": random.randint(590, 2400), "currency": "USD"},
        }
        self.post(work, "shipments", parcel)

    def post(self, work: dict[str, Any], verb: str, body: dict[str, Any] | None = None) -> None:
        """One verb on one piece of work. A 409 is not an error: the work is looked at again next round."""
        answer = self.session.post(
            f"{self.api}/fulfillment-orders/{work['id']}/{verb}",
            json=body or {},
            headers={"Idempotency-Key": f"{verb}-{work['id']}-{len(work['shipments'])}"},
            timeout=30,
        )
        if answer.status_code == 429:
            time.sleep(min(60, int(answer.headers.get("Retry-After", "1"))))
        elif answer.status_code >= 500:
            answer.raise_for_status()


def main() -> None:
    """Run with the key in KEPT_API_KEY until Ctrl-C or SIGTERM."""
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    Provider(os.environ["KEPT_API"], os.environ["KEPT_API_KEY"]).run(stop)


if __name__ == "__main__":
    main()
