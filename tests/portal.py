"""A member's browser, and a shop busy enough to look at: what tests of the portal's pages start from."""

from __future__ import annotations

import itertools
import random
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page
from sqlalchemy import text
from werkzeug.test import TestResponse

from infra.clock import real_now
from infra.ids import new_id
from tenants import service, sessions
from tenants.scope import directory, inside
from tests.factories import Merchant

COOKIE = "kept_session"
_numbers = itertools.count(1)


@dataclass
class Desk:
    """A member at a browser without script."""

    client: FlaskClient
    token: str

    def read(self, path: str) -> str:
        """A page's text; fails unless it is shown."""
        answer = self.client.get(path)
        assert answer.status_code == 200, (answer.status_code, answer.location, answer.text[:3000])
        return answer.text

    def post(self, path: str, page: str, **fields: Any) -> TestResponse:
        """Send a form with the token of the page it stands on."""
        return self.client.post(path, data={"csrf_token": self.token_of(page), **fields})

    def token_of(self, page: str) -> str:
        """The token that forms of this page are sent with."""
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.read(page))
        assert found is not None
        return found[1]

    def enter(self, page: Page, address: str) -> None:
        """Give a real browser this member's session."""
        page.context.add_cookies([{"name": COOKIE, "value": self.token, "url": address}])


def member(app: Flask, tenant_id: UUID, role: str = "owner", name: str = "Priya Raman") -> Desk:
    """A new member of a tenant, logged in."""
    account, now = new_id(), real_now()
    with directory() as session:
        session.execute(
            text(
                "INSERT INTO accounts (id, email, name, email_verified_at, created_at)"
                " VALUES (:id, :email, :name, :now, :now)"
            ),
            {
                "id": account,
                "email": f"member{next(_numbers)}-{account.hex[:6]}@shop.example",
                "name": name,
                "now": now,
            },
        )
    with inside(tenant_id) as scope:
        service.add_member(scope, account, role)
    with directory() as session:
        token = sessions.begin(session, account_id=account, tenant_id=tenant_id)
    client = app.test_client()
    client.set_cookie(COOKIE, token)
    return Desk(client, token)


NODES = {
    "RENO": ("Reno warehouse", "warehouse", "89501", "NV", 40),
    "COLUMBUS": ("Columbus, Parcelwise", "warehouse", "43215", "OH", 60),
    "ATLANTA": ("Atlanta, Southport", "warehouse", "30303", "GA", 14),
    "PORTLAND": ("Portland store", "store", "97205", "OR", 20),
    "BROOKLYN": ("Brooklyn store", "store", "11215", "NY", 25),
    "ASHEVILLE": ("Asheville workshop", "workshop", "28801", "NC", 8),
}
SKUS = {
    "LIN-APR-SLT": ("Linen apron, slate", "stock", 4800, {}),
    "CAN-BWX-2": ("Beeswax taper, pair", "stock", 1800, {}),
    "ENM-POV-WHT": ("Enamel pour-over", "stock", 3200, {}),
    "WOL-THR-MOS": ("Wool throw, moss", "stock", 11900, {}),
    "LIN-NAP-OAT": ("Linen napkin, set of 4, oat", "stock", 3600, {}),
    "WAL-BRD-ENG": ("Walnut board, engraved", "made_to_order", 11800, {"lead_time_days": 12}),
    "GC-DIG-50": ("Gift card, email, $50", "gift_card_digital", 5000, {}),
    "COP-KTL-18": ("Copper kettle, 1.8 L", "preorder", 16400, {"release_date": "2027-12-01"}),
}
BUYERS = [
    ("Marisol Vega", "1418 W Franklin St", "Boise", "ID", "83702"),
    ("Ellen Brandt", "22 Langdon St", "Madison", "WI", "53703"),
    ("Gregory Achterberg-Lindqvist", "310 Galisteo St", "Santa Fe", "NM", "87501"),
    ("Tom Okafor", "401 Pine St", "Seattle", "WA", "98101"),
    ("Ines Carvalho", "9 Drayton St", "Savannah", "GA", "31401"),
    ("June Park", "88 Court St", "Brooklyn", "NY", "11201"),
    ("Desmond Reyes", "500 W Overland Ave", "El Paso", "TX", "79901"),
    ("Anneke de Vries", "74 River Ave", "Holland", "MI", "49423"),
    ("Leila Haddad", "13615 Michigan Ave", "Dearborn", "MI", "48126"),
    ("Priscilla Ngata", "1200 Ala Moana Blvd", "Honolulu", "HI", "96814"),
]
CHANNELS = ["web"] * 9 + ["marketplace"] * 4 + ["phone"] * 4 + ["store", "phone_app", "phone_app", "mail"]


class Shop:
    """A merchant with six nodes and eight SKUs, whose orders have come in for a week."""

    def __init__(self, merchant: Merchant, orders: int = 40) -> None:
        self.merchant, self.chance = merchant, random.Random(7)
        merchant.drain()
        for code, (name, kind, postal_code, region, capacity) in NODES.items():
            merchant.node(code, postal_code, region, name=name, kind=kind, capacity_per_day=capacity)
        merchant.node("EMAIL", "89501", "NV", name="Email", kind="virtual")
        for code, (title, kind, price, more) in SKUS.items():
            merchant.sku(code, title=title, kind=kind, price={"amount": price, "currency": "USD"}, **more)
        for code, units in {"LIN-APR-SLT": 14, "CAN-BWX-2": 60, "ENM-POV-WHT": 20, "WOL-THR-MOS": 30}.items():
            for node in ("RENO", "COLUMBUS", "ATLANTA", "BROOKLYN"):
                merchant.stock(node, code, units)
        merchant.stock("PORTLAND", "LIN-NAP-OAT", 9)
        self.placed = [self.order(at) for at in range(orders)]
        merchant.drain()

    def order(self, at: int) -> dict[str, Any]:
        """One order: half of them today, the others on the same day last week."""
        now = real_now()
        back = timedelta(minutes=self.chance.randint(1, 500)) + timedelta(days=7 if at % 2 else 0)
        name, line1, city, region, postal_code = BUYERS[at % len(BUYERS)]
        codes = self.chance.sample(sorted(set(SKUS) - {"COP-KTL-18"}), self.chance.randint(1, 3))
        if at % 9 == 2:
            codes.append("COP-KTL-18")
        channel = CHANNELS[at % len(CHANNELS)]
        return self.merchant.order(
            *((code, self.chance.choice((1, 1, 2, 3))) for code in codes),
            channel=channel,
            placed_at=(now - back).isoformat(),
            customer={
                "email": f"{name.split()[0].lower()}@example.com",
                "name": name,
                "phone": f"(208) 555-01{at % 100:02}",
            },
            ship_to={
                "name": name,
                "line1": line1,
                "city": city,
                "region": region,
                "postal_code": postal_code,
                "country": "US",
            },
            charges=[{"code": "shipping", "amount": {"amount": 1295, "currency": "USD"}}],
            **({"source_code": "HOL26-C14"} if channel in ("phone", "mail") else {}),
            **self._promise(at, now, back),
        )

    def _promise(self, at: int, now: datetime, back: timedelta) -> dict[str, Any]:
        days = (3, 0, 30, 8, 1)[at % 5]
        day = (now + timedelta(days=days) - (timedelta(0) if at % 7 else timedelta(days=2))).date()
        if day < (now - back).date() or days == 30:
            return {}
        return {"promise": {"ship_by": day.isoformat(), "text": f"Ships by {day}"}}

    def ship_some(self, most: int = 14) -> None:
        """The provider accepts its work, ships some, and rejects the last."""
        provider = self.merchant.provider
        found = provider.ok("GET", "/fulfillment-orders?request_status=submitted&limit=200")["data"]
        for at, work in enumerate(found[: most + 4]):
            if at == most + 3:
                provider.ok("POST", f"/fulfillment-orders/{work['id']}/rejection", {"reason": "out_of_stock"})
                continue
            provider.ok("POST", f"/fulfillment-orders/{work['id']}/acceptance", {})
            if at < most:
                self.ship(work)
        self.merchant.drain()

    def ship(self, work: dict[str, Any], **more: Any) -> None:
        """One hand-over of all that is open."""
        report = {
            "lines": [{"sku": line["sku"], "quantity": line["quantity"]} for line in work["lines"]],
            "carrier": "UPS",
            "service": "Ground",
            "tracking_number": f"1Z84F2200344{next(_numbers):06}",
            "shipped_at": real_now().isoformat(),
        }
        self.merchant.provider.ok("POST", f"/fulfillment-orders/{work['id']}/shipments", report | more)
